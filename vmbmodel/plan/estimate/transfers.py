"""What a backup moves of each disk, and how long it takes beside the others."""

from collections.abc import Mapping

import numpy as np

from vmbmodel import formulas
from vmbmodel.plan.estimate.completion import completion_by_group_h

__all__ = ["alone", "beside_others_h", "moving"]


def alone(
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
    """Return what moves of each disk, and how long that takes with no other beside.

    Parameters
    ----------
    disks : Mapping of ndarray
        Columns of the inventory, blank cells filled.
    iops, cap_mib_s : ndarray
        What each disk can give.
    incremental_reading, initial_mib_s, incremental_mib_s
        As ``fields.toml`` has them.
    cell_kib, block_kib, overlap_frac
        As ``fields.toml`` has them.

    Returns
    -------
    dict of ndarray
        ``changed_gib``; ``alone_h``, ``read_gib`` and ``extents`` of the next backup;
        and ``first_alone_h`` of a first one.
    """
    used, scatter = disks["used_gib"], disks["dispersion"]
    amplified = formulas.cell_amplification(disks["write_kib"], scatter, cell_kib)
    changed = np.minimum(disks["churn_gib_per_day"] * amplified, used)
    initial_mib_s = np.minimum(initial_mib_s, cap_mib_s)
    incremental_mib_s = np.minimum(incremental_mib_s, cap_mib_s)
    first_h = formulas.initial_h(used, initial_mib_s)
    if incremental_reading == "used":
        increment_h = formulas.scan_h(used, incremental_mib_s)
    else:
        increment_h = formulas.incremental_h(
            used,
            changed,
            scatter,
            disks["active_frac"],
            incremental_mib_s,
            iops,
            cell_kib,
            block_kib,
            overlap_frac,
        )
    compare_h = np.maximum(
        formulas.checksum_compare_h(used, changed, incremental_mib_s, overlap_frac),
        increment_h,
    )
    anew = disks["first_backup"] | disks["new_disk"]
    whole = anew | disks["cc_mode"] | (incremental_reading == "used")
    changed_frac = np.divide(changed, used, out=np.zeros_like(used), where=used > 0)
    touched = formulas.changed_blocks_frac(
        changed_frac, scatter, max(block_kib / cell_kib, 1), disks["active_frac"]
    )
    extent_kib = formulas.mean_extent_kib(scatter, changed_frac, cell_kib)
    next_h = np.where(disks["cc_mode"], compare_h, increment_h)
    return {
        "changed_gib": changed,
        "alone_h": np.where(anew, first_h, next_h),
        "read_gib": np.where(whole, used, used * touched),
        "extents": np.where(whole, 0, changed * 2**20 / extent_kib),
        "first_alone_h": first_h,
    }


def moving(
    managed: np.ndarray, alone_h: np.ndarray, read_gib: np.ndarray, *, vm_mib_s: float
) -> np.ndarray:
    """Say which disks move something through what they share with others.

    Managed disks share what their VM can get, if that is limited; the others share
    their storage account.
    """
    return (~managed | (vm_mib_s < np.inf)) & (alone_h > 0) & (read_gib > 0)


def beside_others_h(
    moving: np.ndarray,
    group: np.ndarray,
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

    Parameters
    ----------
    moving : ndarray of bool
        Disks that share something, as `moving` says; one at least.
    group : ndarray of int
        Disks of one number share: those of an account that are read at once, or
        the managed ones of a VM.
    managed, alone_h, read_gib, extents : ndarray
        Of each disk, as `alone` returns them.
    vm_mib_s, account_mib_s, account_iops, request_kib, application_frac
        As ``fields.toml`` has them.
    """
    number = _counted(group[moving])
    read, own_h = read_gib[moving], alone_h[moving]
    requests = read * 2**20 / request_kib + extents[moving]
    capacity = formulas.account_capacity_mib_s(
        account_mib_s,
        account_iops,
        np.bincount(number, read * 2**20) / np.bincount(number, requests),
        application_frac,
    )
    capacity[number[managed[moving]]] = vm_mib_s
    times = alone_h.copy()
    times[moving] = completion_by_group_h(
        number, read, read * 1024 / (own_h * 3600), capacity
    )
    return times


def _counted(group: np.ndarray) -> np.ndarray:
    """Give groups numbers from 0, in the order in which they first appear."""
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number]
