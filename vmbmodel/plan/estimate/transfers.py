"""What a backup moves of each disk, and how long it takes beside the others.

`copies` takes the settings from the scenario; the functions below it name those that
they need as keywords. A setting may be drawn: then it has an axis of draws before that
of the disks, and so has what comes of it.
"""

import datetime
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from vmbmodel import formulas
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import disk_tiers, disk_tiers_on

__all__ = ["apart", "completion_by_group_h", "copies", "longest", "performance"]

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


def copies(disks: Mapping[str, ArrayLike], scenario: Scenario) -> dict[str, np.ndarray]:
    """Return what moves of each disk, and how long it takes beside the others.

    That is ``cap_mib_s``, which the disk gives at most; ``changed_gib``; ``disk_h``
    of the next backup, ``later_h`` of one that finds no new disk, and ``first_h`` of a
    first one. No cell may be blank.
    """
    ask = scenario.arguments
    iops, cap_mib_s = _limits(disks, scenario.profile.as_of, **ask(_limits))
    columns = {name: np.asarray(disks[name]) for name in _MOVED}
    own = later = _alone(columns, iops, cap_mib_s, **ask(_alone))
    anew, old = np.flatnonzero(columns["first_backup"] | columns["new_disk"]), columns
    if len(anew):
        none = np.zeros(len(columns["managed"]), dtype=bool)
        old = columns | {"first_backup": none, "new_disk": none}
        some = {name: column[..., anew] for name, column in old.items()}
        limits = iops[..., anew], cap_mib_s[..., anew]
        later = own | {"alone_h": own["alone_h"].copy()}
        later["alone_h"][..., anew] = _alone(some, *limits, **ask(_alone))["alone_h"]
    managed, used = columns["managed"], columns["used_gib"]
    shares = ~managed | (scenario["vm_mib_s"] < np.inf)

    def beside(together, alone_h, read_gib, extents):
        busy = shares & (alone_h > 0) & (read_gib > 0)
        if not busy.any():
            return alone_h
        number = apart(_sharing(disks, together), busy.shape)[busy]
        moved = (
            np.broadcast_to(part, busy.shape)[busy]
            for part in (managed, alone_h, read_gib, extents)
        )
        given = {
            name: np.broadcast_to(value, busy.shape)[busy] if np.ndim(value) else value
            for name, value in ask(_beside_others_h).items()
        }
        times = np.broadcast_to(alone_h, busy.shape).copy()
        times[busy] = _beside_others_h(number, *moved, **given)
        return times

    def next_h(columns, night):
        if not shares.any():
            return night["alone_h"]
        read = _read(columns, night["changed_gib"], **ask(_read))
        return beside("start_h", night["alone_h"], *read)

    disk_h = next_h(columns, own)
    return {
        "cap_mib_s": cap_mib_s,
        "changed_gib": own["changed_gib"],
        "disk_h": disk_h,
        "later_h": disk_h if later is own else next_h(old, later),
        "first_h": beside("vm", own["first_alone_h"], used, 0 * used),
    }


def _limits(
    disks: Mapping[str, ArrayLike],
    date: datetime.date,
    *,
    tier_reading: str,
    request_kib: float,
    blob_iops: float,
    blob_mib_s: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the requests a second that each disk answers, and its throughput.

    Those of a blob; and where `tier_reading` is ``disk``, those of the tier of a
    managed disk too.
    """
    iops = mib_s = np.full(len(disks["managed"]), np.inf)
    of_disk = tier_reading == "disk"
    if np.any(of_disk):
        kinds = np.where(disks["managed"], disks["disk_type"], None)
        limits = performance(kinds, disks["size_gib"], date)
        iops, mib_s = (np.where(of_disk, limit, np.inf) for limit in limits)
    cap_mib_s = formulas.disk_cap_mib_s(mib_s, iops, request_kib, blob_mib_s)
    return np.minimum(iops, blob_iops), cap_mib_s


def performance(
    disk_type: ArrayLike, size_gib: ArrayLike, date: datetime.date
) -> tuple[np.ndarray, np.ndarray]:
    """Return requests and MiB a second of disks on a day, without a loop over them.

    A disk larger than the largest tier has what that gives; where a tier is named,
    the size does not matter. Both are ``inf`` where no tier is known: no type, and
    disks whose owner sets their performance.

    >>> kinds = ["premium-ssd", "Premium_LRS", "P30"]
    >>> iops, mib_s = performance(kinds, 127, datetime.date(2026, 1, 28))
    >>> print(iops, mib_s.round(1))
    [ 500.  500. 5000.] [ 95.4  95.4 190.7]
    """
    kinds, size = np.broadcast_arrays(np.asarray(disk_type, object), size_gib)
    number, names = pd.factorize(kinds.ravel())
    iops, mib_s = np.full(size.size, np.inf), np.full(size.size, np.inf)
    for i, name in enumerate(names):
        rows = number == i
        # a tier may be younger than its use
        for table in (*disk_tiers_on(date), *disk_tiers()):
            if name in (table.disk_type, *table.sku):
                step = np.searchsorted(table.size_gib[:-1], size.ravel()[rows])
            elif name in table.tier:
                step = table.tier.index(name)
            else:
                continue
            iops[rows] = np.take(table.disk_iops, step)
            mib_s[rows] = np.take(table.disk_mib_s, step)
            break
    return iops.reshape(size.shape), mib_s.reshape(size.shape)


def _alone(
    disks: Mapping[str, np.ndarray],
    iops: np.ndarray,
    cap_mib_s: np.ndarray,
    *,
    incremental_reading: str,
    initial_mib_s: float,
    incremental_mib_s: float,
    cell_kib: float,
    block_kib: float,
    overlap_frac: float,
) -> dict[str, np.ndarray]:
    """Return what changes of each disk, and how long a backup takes with no other.

    ``alone_h`` is that of the next backup, ``first_alone_h`` that of a first one.
    """
    used, scatter = disks["used_gib"], disks["dispersion"]
    writing = (disks[n] for n in ("churn_gib_per_day", "used_gib", "write_kib"))
    active, compared = disks["active_frac"], disks["cc_mode"]
    changed = formulas.changed_gib(*writing, scatter, active, cell_kib)
    initial_mib_s = np.minimum(initial_mib_s, cap_mib_s)
    incremental_mib_s = np.minimum(incremental_mib_s, cap_mib_s)
    first_h = formulas.initial_h(used, initial_mib_s)
    next_h = formulas.incremental_h(
        used,
        changed,
        scatter,
        active,
        incremental_mib_s,
        iops,
        cell_kib,
        block_kib,
        overlap_frac,
    )
    scanned = incremental_reading == "used"
    if np.any(scanned):
        scan_h = formulas.scan_h(used, incremental_mib_s)
        next_h = np.where(scanned, scan_h, next_h)
    if compared.any():
        compare_h = formulas.checksum_compare_h(
            used, changed, incremental_mib_s, overlap_frac
        )
        next_h = np.where(compared, np.maximum(compare_h, next_h), next_h)
    anew = disks["first_backup"] | disks["new_disk"]
    return {
        "changed_gib": changed,
        "alone_h": np.where(anew, first_h, next_h),
        "first_alone_h": first_h,
    }


def _read(
    disks: Mapping[str, np.ndarray],
    changed_gib: np.ndarray,
    *,
    incremental_reading: str,
    cell_kib: float,
    block_kib: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the next backup reads of each disk, and in how many extents."""
    used, scatter = disks["used_gib"], disks["dispersion"]
    anew = disks["first_backup"] | disks["new_disk"]
    whole = anew | disks["cc_mode"] | (incremental_reading == "used")
    none = np.zeros(np.broadcast_shapes(changed_gib.shape, used.shape))
    changed_frac = np.divide(changed_gib, used, out=none, where=used > 0)
    touched = formulas.changed_blocks_frac(
        changed_frac,
        scatter,
        np.maximum(block_kib / cell_kib, 1),
        disks["active_frac"],
    )
    gaps = np.minimum(changed_frac, 0.5)  # runs that merge save no requests
    extent_kib = formulas.mean_extent_kib(scatter, gaps, cell_kib)
    return (
        np.where(whole, used, used * touched),
        np.where(whole, 0, used * gaps * 2**20 / extent_kib),
    )


def apart(number: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Give the groups of each draw numbers of their own.

    >>> print(apart(np.array([0, 1, 0]), (2, 3)))
    [[0 1 0]
     [2 3 2]]
    """
    if len(shape) == 1:
        return number
    low, high = number.min(initial=0), number.max(initial=0)
    return number + (high - low + 1) * np.arange(shape[0])[:, np.newaxis]


def longest(hours: np.ndarray, of_vm: np.ndarray, vms: int) -> np.ndarray:
    """Return the longest time of the disks of each VM, 0 where it has none.

    Disks stand in the order of their VMs.

    >>> print(longest(np.array([1.0, 3.0, 2.0]), np.array([0, 0, 2]), 3))
    [3. 0. 2.]
    """
    result = np.zeros((*hours.shape[:-1], vms))
    if len(of_vm):
        begins = np.flatnonzero(np.diff(of_vm, prepend=-1))
        result[..., of_vm[begins]] = np.maximum.reduceat(hours, begins, axis=-1)
    return result


def _sharing(disks: Mapping[str, ArrayLike], together: str) -> np.ndarray:
    """Give disks that share a VM if managed, else an account at once, one number."""
    account, _ = pd.factorize(disks["storage_account"])
    at_once, _ = pd.factorize(disks[together])
    vm, names = pd.factorize(disks["vm"])
    of_account = (account + 1) * len(vm) + at_once
    return np.where(disks["managed"], vm - len(names), of_account)


def _beside_others_h(
    sharing: np.ndarray,
    managed: np.ndarray,
    alone_h: np.ndarray,
    read_gib: np.ndarray,
    extents: np.ndarray,
    *,
    vm_mib_s: float,
    account_mib_s: float,
    account_iops: float,
    request_kib: float,
    application_frac: float,
) -> np.ndarray:
    """Time of each disk beside those of its storage account, or of its VM.

    What a disk takes is what it reads, spread over the time it would need
    alone. An account gives so many MiB and so many requests a second, less what
    its applications take; requests are MiB at the mean size of those of its
    disks of one group. The service handles the storage of managed disks, of which
    those of one VM share `vm_mib_s`.
    """
    _, first, number = np.unique(sharing, return_index=True, return_inverse=True)
    number = np.argsort(np.argsort(first))[number]  # in the order they first appear
    at = np.sort(first)  # a disk of each group

    def of_group(setting):
        return setting[at] if np.ndim(setting) else setting

    requests = read_gib * 2**20 / request_kib + extents
    capacity = formulas.account_capacity_mib_s(
        of_group(account_mib_s),
        of_group(account_iops),
        np.bincount(number, read_gib * 2**20) / np.bincount(number, requests),
        of_group(application_frac),
    )
    capacity = np.where(managed[at], of_group(vm_mib_s), capacity)
    own_mib_s = read_gib * 1024 / (alone_h * 3600)
    return completion_by_group_h(number, read_gib, own_mib_s, capacity)


def completion_by_group_h(
    group: np.ndarray,
    size_gib: np.ndarray,
    cap_mib_s: np.ndarray,
    capacity_mib_s: np.ndarray,
) -> np.ndarray:
    """Time at which each disk is done, disks of a group sharing its capacity.

    Groups of like length are padded with disks of size 0 to one rectangle, and
    each rectangle is one call of `completion_h`. A group whose caps fit into
    its capacity together needs none: there, every disk goes at its own cap.

    Two disks that share 20 MiB/s, and one alone in its group:

    >>> print(completion_by_group_h(
    ...     np.array([0, 1, 0]), np.array([36.0, 36.0, 36.0]),
    ...     np.array([20.0, 20.0, 20.0]), np.array([20.0, 20.0])))
    [1.024 0.512 1.024]

    Where sizes or caps are drawn, each draw has groups of its own, all of the same
    numbers and capacities.
    """
    shape = np.broadcast_shapes(size_gib.shape, cap_mib_s.shape)
    if len(shape) > 1:
        size_gib, cap_mib_s = (
            np.broadcast_to(part, shape).ravel() for part in (size_gib, cap_mib_s)
        )
        groups = len(capacity_mib_s)
        draw = np.arange(shape[0])[:, np.newaxis]
        capacity_mib_s = np.tile(capacity_mib_s, shape[0])
        done = completion_by_group_h(
            (group + groups * draw).ravel(), size_gib, cap_mib_s, capacity_mib_s
        )
        return done.reshape(shape)
    done = size_gib * 1024 / cap_mib_s / 3600
    wanted = np.bincount(group, weights=cap_mib_s, minlength=len(capacity_mib_s))
    crowded = np.flatnonzero((wanted > capacity_mib_s)[group])
    if not len(crowded):
        return done
    names, member = np.unique(group[crowded], return_inverse=True)
    counts = np.bincount(member)
    order = np.argsort(member, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    width_class = np.ceil(np.log2(counts))
    for width in np.unique(width_class):
        groups = np.flatnonzero(width_class == width)
        row = np.full(len(names), -1)
        row[groups] = np.arange(len(groups))
        inside = row[member] >= 0
        where = row[member[inside]], place[inside]
        rows = crowded[inside]
        size = np.zeros((len(groups), counts[groups].max()))
        cap = np.ones_like(size)
        size[where], cap[where] = size_gib[rows], cap_mib_s[rows]
        shares = capacity_mib_s[names[groups]]
        done[rows] = formulas.completion_h(size, cap, shares)[where]
    return done
