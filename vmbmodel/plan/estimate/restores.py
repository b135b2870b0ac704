"""How long each VM takes to come back, all of them at once, and how old they are."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from vmbmodel import formulas
from vmbmodel.plan.estimate.completion import completion_by_group_h
from vmbmodel.plan.estimate.others import OthersWait

__all__ = ["FINISH", "all_copied_h", "copied_h", "point_ages", "restored"]

FINISH = {"new-vm": "vm_creation_h", "replace": "replace_h", "disks": None}
"""What the restored disks become, and the time that takes."""

_DAY_H = 24  # of all backups of a day, the last goes to the vault


def copied_h(
    account: np.ndarray,
    of_vm: np.ndarray,
    restored_gib: np.ndarray,
    cap_mib_s: np.ndarray,
    beside: float = np.inf,
    *,
    restore_mib_s: float,
    account_ingress_mib_s: float,
    account_iops: float,
    request_kib: float,
    restore_application_frac: float,
) -> np.ndarray:
    """Time to copy the disks of each VM into its account, so many disks at a time.

    Parameters
    ----------
    account : ndarray of int
        Account into which each VM is restored.
    of_vm, restored_gib, cap_mib_s : ndarray
        VM, size and limit of each disk.
    beside : float, optional
        Disks that are copied at a time; all of them if not given.
    restore_mib_s, account_ingress_mib_s, account_iops
        As ``fields.toml`` has them.
    request_kib, restore_application_frac
        As ``fields.toml`` has them.
    """
    cap_mib_s = np.minimum(restore_mib_s, cap_mib_s)
    capacity = formulas.account_capacity_mib_s(
        account_ingress_mib_s, account_iops, request_kib, restore_application_frac
    )
    number, names = pd.factorize(account[of_vm])
    if math.isinf(beside):
        capacities = np.full(len(names), capacity)
        done_h = completion_by_group_h(number, restored_gib, cap_mib_s, capacities)
    else:
        crowd = np.minimum(np.bincount(number), beside)[number]
        share_mib_s = np.minimum(cap_mib_s, capacity / crowd)
        done_h = formulas.restore_copy_h(restored_gib, share_mib_s, math.inf)
    copy_h = np.zeros(len(account))
    np.maximum.at(copy_h, of_vm, done_h)
    return copy_h


def restored(
    fixed_h: np.ndarray, within: OthersWait, wait_h: np.ndarray, *, rto_h: float
) -> dict[str, np.ndarray]:
    """Return the time to get a VM back from the vault.

    Parameters
    ----------
    fixed_h : ndarray
        Of each VM, what a restore takes that waits for nothing.
    within : OthersWait
        How a restore waits.
    wait_h : ndarray
        The median of that, and what it does not exceed 95 times of 100.
    rto_h
        As ``fields.toml`` has it.
    """
    spare_h = rto_h - fixed_h
    within_prob = within.within_prob(np.maximum(spare_h, 0))
    return {
        "restore_vault_p50_h": fixed_h + wait_h[0],
        "restore_vault_p95_h": fixed_h + wait_h[1],
        "rto_prob": np.where(spare_h >= 0, within_prob, 0.0),
    }


def all_copied_h(
    vault: np.ndarray, copy_h: np.ndarray, *, vault_servers: float
) -> np.ndarray:
    """Time at which the disks of each VM are there, all VMs asked for at once.

    Each vault restores `vault_servers` of its VMs at a time.
    """
    ready_h, service_h = copy_h.copy(), np.clip(copy_h, 1e-300, 1e300)
    for number in np.flatnonzero(np.bincount(vault) > vault_servers):
        own = vault == number
        asked_h = np.zeros(own.sum())
        ready_h[own] += formulas.line_wait_h(asked_h, service_h[own], vault_servers)
    return ready_h


def point_ages(
    vms: Mapping[str, np.ndarray],
    *,
    start_slack_h: float,
    snapshot_h: float,
    interval_h: float,
    snapshot_points: float,
) -> dict[str, np.ndarray | float]:
    """Return how much work can be lost, as if each backup took as long as the next.

    Parameters
    ----------
    vms : Mapping of ndarray
        Of each VM, what it waits, transfers, and takes 95 times of 100.
    start_slack_h, snapshot_h, interval_h, snapshot_points
        As ``fields.toml`` has them.
    """
    kept = 0 if snapshot_points else math.inf
    vault_h = max(interval_h, _DAY_H)
    backup_h = snapshot_h + vms["wait_mean_h"] + vms["transfer_h"]
    return {
        "point_age_snapshot_h": formulas.worst_point_age_h(
            interval_h + start_slack_h, snapshot_h + kept
        ),
        "point_age_vault_h": formulas.worst_point_age_h(
            vault_h + start_slack_h, vms["backup_p95_h"]
        ),
        "point_age_mean_h": formulas.mean_point_age_h(vault_h, backup_h),
    }
