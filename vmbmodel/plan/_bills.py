"""What each VM costs in a full month."""

import pandas as pd

from vmbmodel.formulas import billing, retention
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service.prices import storage_usd_per_gib_month

__all__ = ["add_bill"]


def add_bill(vms: pd.DataFrame, scenario: Scenario) -> None:
    """Add the three lines of the bill of a full month, and their sum."""
    prices = scenario.prices
    protected = (vms["disks"] > 0).astype(float)
    vms["protected_instance_gib"] = vms["used_gib"]
    vms["protected_instances"] = protected * billing.protected_instances(
        vms["protected_instance_gib"],
        prices["small_instance_gib"],
        prices["small_instances"],
        prices["instance_step_gib"],
    )
    vms["instance_usd"] = vms["protected_instances"] * prices["instance_fee_usd"]
    vms["stored_gib"] = retention.stored_daily_gib(
        vms["used_gib"], vms["changed_gib"], scenario["recovery_points"]
    )
    rate = {r: storage_usd_per_gib_month(prices, r) for r in set(vms["redundancy"])}
    vms["storage_usd"] = billing.storage_usd(
        vms["stored_gib"], vms["redundancy"].map(rate).astype(float), 1
    )
    policy = scenario["snapshot_policy"]
    billed_gib = getattr(retention, f"snapshot_{policy}_gib")(
        vms["used_gib"], vms["changed_gib"], scenario["snapshot_points"]
    )
    vms["snapshot_usd"] = billing.storage_usd(
        billed_gib, prices[f"snapshot_{policy}_usd_per_gib_month"], 1
    )
    vms["total_usd"] = vms["instance_usd"] + vms["storage_usd"] + vms["snapshot_usd"]
