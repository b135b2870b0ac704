"""What a backup moves of each disk, and how long it takes beside the others.

`copies` takes the settings from the scenario; the functions below it name those that
they need as keywords. A setting may be drawn: then it has an axis of draws before that
of the disks, and so has what comes of it.
"""

import datetime
from collections.abc import Mapping
from functools import partial

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


def copies(
    disks: Mapping[str, ArrayLike], scenario: Scenario, *, first: bool
) -> dict[str, np.ndarray]:
    """Return what moves of each disk, and how long it takes beside the others.

    That is ``cap_mib_s``, which the disk gives at most; ``changed_gib``; ``disk_h``
    of the next backup, ``later_h`` of one that finds no new disk, and, if it is asked
    for, ``first_h`` of a first one. No cell may be blank.
    """
    ask = scenario.arguments
    iops, cap_mib_s = _limits(disks, scenario.profile.as_of, **ask(_limits))
    columns = {name: np.asarray(disks[name]) for name in _MOVED}
    changed, later_h, first_h = _alone(columns, iops, cap_mib_s, **ask(_alone))
    columns["changed_gib"] = changed
    anew = columns["first_backup"] | columns["new_disk"]
    compared = columns["cc_mode"] | (scenario["incremental_reading"] == "used")
    shares = ~columns["managed"] | (scenario["vm_mib_s"] < np.inf)
    together = partial(_together_h, columns, scenario)
    times = {"disk_h": np.where(anew, first_h, later_h), "later_h": later_h}
    if first:
        times["first_h"] = first_h
    if shares.any():
        at_once = _sharing(disks, "start_h")
        alone = times["disk_h"], anew | compared, at_once, shares
        times["disk_h"] = together(*alone)
        near = np.isin(at_once, at_once[anew])  # only there anything differs
        later_h = together(later_h, compared, at_once, shares & near)
        times["later_h"] = np.where(near, later_h, times["disk_h"])
        if first:
            of_vm = _sharing(disks, "vm")
            times["first_h"] = together(first_h, np.True_, of_vm, shares)
    return {"cap_mib_s": cap_mib_s, "changed_gib": changed} | times


def _together_h(
    disks: Mapping[str, np.ndarray],
    scenario: Scenario,
    alone_h: np.ndarray,
    whole: np.ndarray,
    sharing: np.ndarray,
    shares: np.ndarray,
) -> np.ndarray:
    """Return how long each disk takes, where some share what they get with others.

    Alone it takes `alone_h`; where it is read `whole` nothing is sought on it.
    """
    shape = np.broadcast_shapes(alone_h.shape, shares.shape)
    draw = slice(None)
    if shares.ndim > 1:  # in some draws nobody shares
        draw = np.flatnonzero(shares.any(axis=1))
    own_h, shares = (_in(draw, np.broadcast_to(x, shape)) for x in (alone_h, shares))
    busy = shares & (own_h > 0)
    if not busy.any():
        return alone_h

    def settings(step):
        asked = scenario.arguments(step)
        return {name: _in(draw, value) for name, value in asked.items()}

    drawn = {name: _in(draw, column) for name, column in disks.items()}
    read_gib, extents = _reads(drawn, _in(draw, whole), **settings(_reads))
    busy &= read_gib > 0

    def of_busy(values):
        return np.broadcast_to(values, busy.shape)[busy]

    times_h = np.broadcast_to(alone_h, shape).copy()
    together_h = own_h.copy()
    together_h[busy] = _beside_others_h(
        of_busy(apart(sharing, busy.shape)),
        *map(of_busy, (disks["managed"], own_h, read_gib, extents)),
        **{
            name: of_busy(value) if np.ndim(value) else value
            for name, value in settings(_beside_others_h).items()
        },
    )
    times_h[draw] = together_h
    return times_h


def _in(draw: np.ndarray | slice, values: ArrayLike) -> ArrayLike:
    """Return settings or columns in some draws, if they are drawn."""
    return values[draw] if np.ndim(values) > 1 else values


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
    of_disk = np.asarray(tier_reading == "disk")
    endless = np.full(len(disks["managed"]), np.inf)

    def capped(iops, mib_s, draw=slice(None)):
        request, most = _in(draw, request_kib), _in(draw, blob_mib_s)
        cap_mib_s = formulas.disk_cap_mib_s(mib_s, iops, request, most)
        return np.minimum(iops, _in(draw, blob_iops)), cap_mib_s

    if not of_disk.any():
        return capped(endless, endless)
    draw = np.flatnonzero(of_disk[:, 0]) if of_disk.ndim else slice(None)
    kinds = np.where(disks["managed"], disks["disk_type"], None)
    own = capped(*performance(kinds, _in(draw, disks["size_gib"]), date), draw)
    if not of_disk.ndim:
        return own
    shape = len(of_disk), len(endless)
    whole = tuple(np.empty(shape) for _ in own)
    for limit, of_blob, of_some in zip(whole, capped(np.inf, np.inf), own, strict=True):
        limit[:], limit[draw] = of_blob, of_some
    return whole


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
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what changes of each disk, and how long it takes with no other beside.

    The times are those of a backup of what changed, and of a first one.
    """
    used, scatter = disks["used_gib"], disks["dispersion"]
    writing = (disks[n] for n in ("churn_gib_per_day", "used_gib", "write_kib"))
    active = disks["active_frac"]
    changed = formulas.changed_gib(*writing, scatter, active, cell_kib)
    initial_mib_s = np.minimum(initial_mib_s, cap_mib_s)
    incremental_mib_s = np.minimum(incremental_mib_s, cap_mib_s)
    first_h = formulas.initial_h(used, initial_mib_s)
    later_h = formulas.incremental_h(
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
        later_h = np.where(scanned, scan_h, later_h)
    if disks["cc_mode"].any():
        compare_h = formulas.checksum_compare_h(
            used, changed, incremental_mib_s, overlap_frac
        )
        later_h = np.where(disks["cc_mode"], np.maximum(compare_h, later_h), later_h)
    return changed, later_h, first_h


def _reads(
    disks: Mapping[str, np.ndarray],
    whole: np.ndarray,
    *,
    cell_kib: float,
    block_kib: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return how much of each disk is read, all of some, and in how many extents."""
    used, changed, scatter, active = (
        disks[n] for n in ("used_gib", "changed_gib", "dispersion", "active_frac")
    )
    if np.all(whole):
        return used, 0 * used
    none = np.zeros(np.broadcast_shapes(changed.shape, used.shape))
    changed_frac = np.divide(changed, used, out=none, where=used > 0)
    touched = formulas.changed_blocks_frac(
        changed_frac, scatter, np.maximum(block_kib / cell_kib, 1), active
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
    number, _ = pd.factorize(sharing)  # in the order they first appear
    at = np.flatnonzero(np.diff(np.maximum.accumulate(number), prepend=-1))

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
        most_mib_s = np.bincount(group, np.atleast_2d(cap_mib_s).max(axis=0))
        if (most_mib_s <= capacity_mib_s).all():  # in no draw too much
            return size_gib * 1024 / 3600 / cap_mib_s
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
    seen = np.zeros(len(capacity_mib_s), dtype=bool)
    seen[group[crowded]] = True
    names, member = np.flatnonzero(seen), (np.cumsum(seen) - 1)[group[crowded]]
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
