"""What each VM costs in a full month."""

import numpy as np
import pandas as pd

from vmbmodel.formulas import archive, billing, retention
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service.prices import archive_usd_per_gib_month, storage_usd_per_gib_month

__all__ = ["LINES", "add_bill", "check_reservation"]

LINES = ("instance_usd", "storage_usd", "snapshot_usd")
"""The three lines of a bill; each may have a discount of its own."""


def check_reservation(scenario: Scenario) -> None:
    """Refuse reserved capacity that is not sold.

    Raises
    ------
    ValueError
        If it is no whole number of blocks.
    """
    if scenario["reserved_gib"] % scenario["reserved_block_gib"]:
        raise ValueError(
            f"reserved_gib must be a multiple of {scenario['reserved_block_gib']:g}, "
            f"the block of reserved capacity; got {scenario['reserved_gib']:g}"
        )


def add_bill(
    vms: pd.DataFrame,
    scenario: Scenario,
    protected_days: np.ndarray | float = np.inf,
) -> None:
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
    vms["instance_usd"] = billing.instance_usd(
        vms["protected_instances"], prices["instance_fee_usd"], 1
    )
    standard_gib, archived_gib = _stored(vms, scenario, protected_days)
    vms["stored_gib"] = standard_gib + archived_gib
    vms["storage_usd"] = _standard_usd(vms, standard_gib, scenario)
    if scenario["archive"]:
        rate = _by_redundancy(vms, archive_usd_per_gib_month, prices)
        vms["storage_usd"] += billing.storage_usd(archived_gib, rate, 1)
    policy = scenario["snapshot_policy"]
    billed_gib = retention.snapshot_gib(
        vms["used_gib"],
        vms["changed_gib"],
        np.minimum(scenario["snapshot_points"], protected_days),
        policy,
    )
    vms["snapshot_usd"] = billing.storage_usd(
        billed_gib, prices[f"snapshot_{policy}_usd_per_gib_month"], 1
    )
    for name in LINES:
        discount_frac = scenario[name.replace("_usd", "_discount_frac")]
        vms[name] = billing.discounted_usd(vms[name], discount_frac)
    vms["total_usd"] = vms["instance_usd"] + vms["storage_usd"] + vms["snapshot_usd"]


def _stored(
    vms: pd.DataFrame, scenario: Scenario, protected_days: np.ndarray | float
) -> tuple[pd.Series, pd.Series | float]:
    """Return what lies in the standard tier and in the archive."""
    used, churn = vms["used_gib"], vms["changed_gib"]
    short = scenario["recovery_points"], scenario["weekly_points"]
    long = scenario["monthly_points"], scenario["yearly_points"]
    past = protected_days, scenario["yearly_growth_frac"]
    archived_gib = 0.0
    if scenario["archive"]:
        rule = scenario["archive_after_months"], scenario["archive_left_months"]
        archived_gib = archive.archived_gib(used, *short, *long, *rule, *past)
        long = (
            archive.standard_points(count, months, *rule)
            for count, months in zip(long, (1, 12), strict=True)
        )
    again, fresh = scenario["rewritten_frac"], scenario["fresh_frac"] * churn
    standard_gib = retention.stored_gib(
        used,
        churn,
        *short,
        *long,
        again,
        fresh,
        *past,
        scenario["stored_reading"],
    )
    return standard_gib, archived_gib


def _standard_usd(
    vms: pd.DataFrame, stored_gib: pd.Series, scenario: Scenario
) -> pd.Series:
    """Price the standard tier; all that a reservation covers shares what it saves."""
    rate = _by_redundancy(vms, storage_usd_per_gib_month, scenario.prices)
    usd = billing.storage_usd(stored_gib, rate, 1)
    if not scenario["reserved_gib"]:
        return usd
    redundancy = scenario["reserved_redundancy"]
    covered = (vms["redundancy"] == redundancy).to_numpy()
    held_gib = stored_gib[covered].sum()
    bill_usd = billing.reserved_usd(
        held_gib,
        scenario["reserved_gib"],
        storage_usd_per_gib_month(scenario.prices, redundancy),
        scenario["reserved_discount_frac"],
    )
    if held_gib > 0:
        return usd.mask(covered, stored_gib / held_gib * bill_usd)
    return usd + bill_usd / len(vms)  # lost on all of them


def _by_redundancy(vms: pd.DataFrame, rate_of, prices) -> pd.Series:
    number, names = pd.factorize(vms["redundancy"])
    rates = np.array([rate_of(prices, name) for name in names])
    return pd.Series(rates[number], index=vms.index)
