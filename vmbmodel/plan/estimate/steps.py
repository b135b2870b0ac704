"""The walk from disks to times and a bill: every step is given what it takes.

A step is a function of columns and settings that gives new columns. Its keywords are
settings, named as they are everywhere; here they are taken from the scenario, and
only those that matter are asked for.
"""

import math
from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from vmbmodel import formulas
from vmbmodel.plan.estimate.bills import (
    SNAPSHOT_RATES,
    archived,
    by_redundancy,
    instances,
    snapshot_usd,
    stored_gib,
    with_reservation_usd,
)
from vmbmodel.plan.estimate.disk_limits import disk_limits
from vmbmodel.plan.estimate.others import OthersWait
from vmbmodel.plan.estimate.restores import FINISH, all_copied_h, copied_h, restored
from vmbmodel.plan.estimate.transfers import alone, beside_others_h, moving
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import archive_usd_per_gib_month, storage_usd_per_gib_month

__all__ = ["bill", "copies", "gathered", "restores"]

_MOVED = (
    "used_gib",
    "churn_gib_per_day",
    "write_kib",
    "dispersion",
    "active_frac",
    "managed",
    "first_backup",
    "new_disk",
    "cc_mode",
)
_SUMMED = ("used_gib", "churn_gib_per_day", "changed_gib")
_RESTORED = {"used": "used_gib", "size": "size_gib"}
_POINTS = ("recovery_points", "weekly_points", "monthly_points", "yearly_points")


def copies(disks: pd.DataFrame, scenario: Scenario) -> dict[str, np.ndarray]:
    """Return what moves of each disk, and how long it takes beside the others.

    Parameters
    ----------
    disks : DataFrame
        A row a disk that is backed up, blank cells filled.
    scenario : Scenario
        Constants and settings.

    Returns
    -------
    dict of ndarray
        ``cap_mib_s``, which the disk gives at most; ``changed_gib``; ``disk_h`` of
        the next backup and ``first_h`` of a first one.
    """
    ask = scenario.arguments
    date = scenario.profile.as_of
    iops, cap_mib_s = disk_limits(disks, date, **ask(disk_limits))
    columns = {name: disks[name].to_numpy() for name in _MOVED}
    own = alone(columns, iops, cap_mib_s, **ask(alone))
    managed, used = columns["managed"], columns["used_gib"]

    def beside(together, alone_h, read_gib, extents):
        who = managed, alone_h, read_gib
        busy = moving(*who, **ask(moving))
        if not busy.any():
            return alone_h
        group = _sharing(disks, together)
        return beside_others_h(busy, group, *who, extents, **ask(beside_others_h))

    return {
        "cap_mib_s": cap_mib_s,
        "changed_gib": own["changed_gib"],
        "disk_h": beside("start_h", own["alone_h"], own["read_gib"], own["extents"]),
        "first_h": beside("vm", own["first_alone_h"], used, 0 * used),
    }


def gathered(
    disks: pd.DataFrame, kept: pd.DataFrame
) -> tuple[pd.Index, np.ndarray, dict[str, np.ndarray]]:
    """Gather disks into VMs: sums of data, the slowest disk for times.

    Parameters
    ----------
    disks, kept : DataFrame
        A row a disk; of those that are backed up, what `copies` returns too.

    Returns
    -------
    tuple
        Names of the VMs, the number of the VM of each disk in `kept`, and columns
        of VMs.
    """
    number, names = pd.factorize(disks["vm"])
    first = np.zeros(len(names), dtype=int)
    first[number[::-1]] = np.arange(len(number))[::-1]
    vms = {
        name: disks[name].take(first).to_numpy()
        for name in ("vault", "policy", "start_h", "redundancy", "first_backup")
    }
    of_vm = number[kept.index]
    sums = kept[list(_SUMMED)].groupby(of_vm).sum()
    for name in _SUMMED:
        vms[name] = np.zeros(len(names))
        vms[name][sums.index] = sums[name]
    for name, of_disk in (("transfer_h", "disk_h"), ("first_backup_h", "first_h")):
        vms[name] = np.zeros(len(names))
        np.maximum.at(vms[name], of_vm, kept[of_disk].to_numpy())
    vms["disks"] = np.bincount(of_vm, minlength=len(names))
    vms["vault_number"] = pd.factorize(vms["vault"])[0]
    return names, of_vm, vms


def restores(
    vms: Mapping[str, np.ndarray],
    disks: pd.DataFrame,
    of_vm: np.ndarray,
    others: OthersWait,
    scenario: Scenario,
) -> tuple[dict[str, np.ndarray | float], float]:
    """Return the times to get each VM back, and all of them if asked for at once.

    The latter is when all run again, 95 times of 100. VMs are dealt to the target
    accounts in turn, and each vault restores `vault_servers` of them at a time. Where
    all fit, the copies of an account share what it takes; where some stand in line,
    each copy counts on no more than its part among as many as can run beside it,
    which is never too soon.

    Parameters
    ----------
    vms : Mapping of ndarray
        Columns of VMs.
    disks : DataFrame
        A row a disk that is backed up, with what `copies` returns.
    of_vm : ndarray of int
        Number of its VM.
    others : OthersWait
        The wait for other customers' jobs.
    scenario : Scenario
        Constants and settings.
    """
    ask = scenario.arguments
    if scenario["restore_first"]:  # waits for the next free mover, else with backups
        decay_per_h = formulas.wait_decay_per_h(
            scenario["servers"], 0, scenario["service_h"]
        )
        others = others.for_the_next(decay_per_h)
    finish = FINISH[scenario["restore_as"]]
    finish_h = scenario[finish] if finish else 0.0
    restored_gib = disks[_RESTORED[scenario["restored_reading"]]].to_numpy()
    own = of_vm, restored_gib, disks["cap_mib_s"].to_numpy()
    copy_h = partial(copied_h, **ask(copied_h))
    busy = vms["disks"] > 0
    count = busy.sum()
    wait_h = others.quantile_h(np.array([0.5, 0.95, 0.95 ** (1 / max(count, 1))]))
    # each into an account of its own
    fixed_h = formulas.restore_h(0, copy_h(np.arange(len(busy)), *own), finish_h)
    columns = restored(fixed_h, others, wait_h, **ask(restored))
    snapshot_h = scenario["snapshot_copy_h"] if scenario["snapshot_points"] else np.inf
    columns["restore_snapshot_h"] = formulas.restore_h(0, snapshot_h, finish_h)
    if not count:
        return columns, 0.0
    served = scenario["vault_servers"]
    vault = vms["vault_number"][busy]
    crowd, beside = np.bincount(vault), np.inf
    if (crowd > served).any():
        beside = np.minimum(crowd, served).sum() * vms["disks"].max()
    account = (np.cumsum(busy) - 1) % (scenario["restore_accounts"] or count)
    ready_h = copy_h(account, *own, beside)[busy]
    ready_h = all_copied_h(vault, ready_h, **ask(all_copied_h))
    return columns, float(formulas.restore_h(0, ready_h.max(), finish_h) + wait_h[2])


def bill(
    vms: Mapping[str, np.ndarray],
    scenario: Scenario,
    protected_days: np.ndarray | float = math.inf,
) -> dict[str, np.ndarray]:
    """Return the three lines of the bill of a full month, and their sum.

    Parameters
    ----------
    vms : Mapping of ndarray
        Of each VM its disks, ``used_gib``, ``changed_gib`` and redundancy.
    scenario : Scenario
        Constants and settings.
    protected_days : ndarray or float, optional
        Days since the first backup.
    """
    ask, prices = scenario.arguments, scenario.prices
    used, changed, redundancy = (
        vms[name] for name in ("used_gib", "changed_gib", "redundancy")
    )
    columns = instances(used, vms["disks"] > 0, **ask(instances))
    points = tuple(scenario[name] for name in _POINTS)
    past = protected_days, scenario["yearly_growth_frac"]
    archived_gib = 0.0
    if scenario["archive"]:
        archived_gib, points = archived(used, points, past, **ask(archived))
    reading, overlap = scenario["stored_reading"], (0.0, 0.0)
    if reading in ("upper", "lower"):
        overlap = scenario["rewritten_frac"], scenario["fresh_frac"]
    held_gib = stored_gib(used, changed, points, past, reading, overlap)
    rate = by_redundancy(redundancy, storage_usd_per_gib_month, prices)
    storage_usd = formulas.storage_usd(held_gib, rate, 1)
    if scenario["reserved_gib"]:
        of = scenario["reserved_redundancy"]
        storage_usd = with_reservation_usd(
            storage_usd,
            held_gib,
            redundancy == of,
            storage_usd_per_gib_month(prices, of),
            **ask(with_reservation_usd),
        )
    if scenario["archive"]:
        rate = by_redundancy(redundancy, archive_usd_per_gib_month, prices)
        storage_usd = storage_usd + formulas.storage_usd(archived_gib, rate, 1)
    columns["stored_gib"] = held_gib + archived_gib
    columns["storage_usd"] = formulas.discounted_usd(
        storage_usd, scenario["storage_discount_frac"]
    )
    columns["snapshot_usd"] = snapshot_usd(
        used,
        changed,
        protected_days,
        prices[SNAPSHOT_RATES[scenario["snapshot_policy"]]],
        **ask(snapshot_usd),
    )
    columns["total_usd"] = (
        columns["instance_usd"] + columns["storage_usd"] + columns["snapshot_usd"]
    )
    return columns


def _sharing(disks: pd.DataFrame, together: str) -> np.ndarray:
    """Give disks that share a VM if managed, else an account at once, one number."""
    account, _ = pd.factorize(disks["storage_account"])
    at_once, _ = pd.factorize(disks[together])
    vm, names = pd.factorize(disks["vm"])
    of_account = (account + 1) * len(disks) + at_once
    return np.where(disks["managed"], vm - len(names), of_account)
