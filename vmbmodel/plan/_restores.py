"""How long each VM takes to come back."""

import math

import pandas as pd

from vmbmodel.formulas import queueing, restore, total
from vmbmodel.plan.scenario import Scenario

__all__ = ["add_restore"]


def add_restore(
    vms: pd.DataFrame, scenario: Scenario, decay_per_h: float, wait_prob: float
) -> None:
    """Add the time to get a VM back, from the vault and from its snapshot."""
    if scenario["restore_first"]:  # it waits for the next free mover, for nobody else
        servers, service_h = scenario["servers"], scenario["service_h"]
        decay_per_h = queueing.wait_decay_per_h(servers, 0, service_h)
    copy_h = restore.restore_copy_h(
        vms["largest_gib"], scenario["restore_mib_s"], scenario["blob_mib_s"]
    )
    fixed_h = restore.restore_h(0, copy_h, scenario["vm_creation_h"])
    for name, share in (("restore_vault_p50_h", 0.5), ("restore_vault_p95_h", 0.95)):
        vms[name] = total.total_quantile_h(share, fixed_h, wait_prob, decay_per_h)
    copy_h = scenario["snapshot_copy_h"] if scenario["snapshot_points"] else math.inf
    vms["restore_snapshot_h"] = restore.restore_h(0, copy_h, scenario["vm_creation_h"])
