"""How long each VM takes to come back, all of them at once, and how old they are."""

import math

import numpy as np
import pandas as pd

from vmbmodel.formulas import line, queueing, restore, sharing
from vmbmodel.plan.estimate.groups import completion_by_group_h
from vmbmodel.plan.estimate.others import OthersWait
from vmbmodel.plan.estimate.tiers import disk_caps
from vmbmodel.plan.scenario import Scenario

__all__ = ["add_point_ages", "add_restore", "all_restored_h"]

_DAY_H = 24  # of all backups of a day, the last goes to the vault


def add_restore(
    vms: pd.DataFrame,
    disks: pd.DataFrame,
    scenario: Scenario,
    others: OthersWait,
) -> None:
    """Add the time to get a VM back, from the vault and from its snapshot."""
    every_vm = pd.RangeIndex(len(vms))  # each restored into an account of its own
    copy_h = _copy_h(vms, disks, every_vm, scenario)
    fixed_h = restore.restore_h(0, copy_h, _finish_h(scenario))
    wait = _wait(scenario, others)
    for name, share in (("restore_vault_p50_h", 0.5), ("restore_vault_p95_h", 0.95)):
        vms[name] = fixed_h + wait.quantile_h(share)
    spare_h = scenario["rto_h"] - fixed_h
    within_prob = wait.within_prob(np.maximum(spare_h, 0))
    vms["rto_prob"] = np.where(spare_h >= 0, within_prob, 0.0)
    copy_h = scenario["snapshot_copy_h"] if scenario["snapshot_points"] else math.inf
    vms["restore_snapshot_h"] = restore.restore_h(0, copy_h, _finish_h(scenario))


def add_point_ages(vms: pd.DataFrame, scenario: Scenario) -> None:
    """Add how much work can be lost, as if each backup took as long as the next."""
    slack_h, snapshot_h = scenario["start_slack_h"], scenario["snapshot_h"]
    interval_h = scenario["interval_h"]
    kept = 0 if scenario["snapshot_points"] else math.inf
    vms["point_age_snapshot_h"] = restore.worst_point_age_h(
        interval_h + slack_h, snapshot_h + kept
    )
    vault_h = max(interval_h, _DAY_H)
    vms["point_age_vault_h"] = restore.worst_point_age_h(
        vault_h + slack_h, vms["backup_p95_h"]
    )
    backup_h = snapshot_h + vms["wait_mean_h"] + vms["transfer_h"]
    vms["point_age_mean_h"] = restore.mean_point_age_h(vault_h, backup_h)


def all_restored_h(
    vms: pd.DataFrame,
    disks: pd.DataFrame,
    scenario: Scenario,
    others: OthersWait,
) -> float:
    """Return when all VMs run again, in 95 of 100 cases, if asked for at once.

    VMs are dealt to the target accounts in turn, and each vault restores
    `vault_servers` of them at a time. Where all fit, the copies of an account
    share what it takes; where some stand in line, each copy counts on no more
    than its part among as many as can run beside it, which is never too soon.
    """
    busy = vms["disks"].to_numpy() > 0
    count, served = busy.sum(), scenario["vault_servers"]
    if not count:
        return 0.0
    accounts = scenario["restore_accounts"] or count
    account = (np.cumsum(busy) - 1) % accounts
    vault = pd.factorize(vms["vault"].to_numpy()[busy])[0]
    crowd = np.bincount(vault)
    beside = np.inf
    if (crowd > served).any():
        beside = np.minimum(crowd, served).sum() * vms["disks"].max()
    ready_h = _copy_h(vms, disks, account, scenario, beside)[busy]
    copy_h = np.clip(ready_h, 1e-300, 1e300)
    for own in pd.Series(vault).groupby(vault).indices.values():
        if len(own) > served:
            asked_h = np.zeros(len(own))
            ready_h[own] += line.line_wait_h(asked_h, copy_h[own], served)
    fixed_h = restore.restore_h(0, ready_h.max(), _finish_h(scenario))
    wait = _wait(scenario, others)
    return float(fixed_h + wait.quantile_h(0.95 ** (1 / count)))


def _copy_h(
    vms: pd.DataFrame,
    disks: pd.DataFrame,
    account: np.ndarray,
    scenario: Scenario,
    beside: float = np.inf,
) -> np.ndarray:
    """Time to copy the disks of each VM into its account, so many disks at a time."""
    restored_gib = disks["used_gib"]
    if scenario["restored_reading"] == "size":
        restored_gib = disks["size_gib"]
    cap_mib_s = np.minimum(scenario["restore_mib_s"], disk_caps(disks, scenario)[1])
    capacity = sharing.account_capacity_mib_s(
        scenario["account_ingress_mib_s"],
        scenario["account_iops"],
        scenario["request_kib"],
        scenario["restore_application_frac"],
    )
    of_vm = vms.index.get_indexer(disks["vm"])
    number, names = pd.factorize(account[of_vm])
    if math.isinf(beside):
        capacities = np.full(len(names), capacity)
        sizes = restored_gib.to_numpy()
        done_h = completion_by_group_h(number, sizes, cap_mib_s, capacities)
    else:
        crowd = np.minimum(np.bincount(number), beside)[number]
        share_mib_s = np.minimum(cap_mib_s, capacity / crowd)
        done_h = restore.restore_copy_h(restored_gib, share_mib_s, math.inf)
    copy_h = np.zeros(len(vms))
    np.maximum.at(copy_h, of_vm, done_h)
    return copy_h


def _finish_h(scenario: Scenario) -> float:
    """Time from the restored disks to a VM that runs."""
    ends = {"new-vm": "vm_creation_h", "replace": "replace_h"}
    name = ends.get(scenario["restore_as"])
    return scenario[name] if name else 0.0


def _wait(scenario: Scenario, others: OthersWait) -> OthersWait:
    """How a restore waits at any hour: for the next free mover, or with the backups."""
    if not scenario["restore_first"]:
        return others
    servers, service_h = scenario["servers"], scenario["service_h"]
    decay_per_h = queueing.wait_decay_per_h(servers, 0, service_h)
    return others.for_the_next(decay_per_h)
