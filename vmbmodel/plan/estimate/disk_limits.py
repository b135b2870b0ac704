"""What the disks of an inventory give by their tiers, all at a time."""

import datetime

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from vmbmodel.formulas import disk_cap_mib_s
from vmbmodel.service import disk_tiers, disk_tiers_on

__all__ = ["disk_limits", "performance"]


def disk_limits(
    disks: pd.DataFrame,
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

    Parameters
    ----------
    disks : DataFrame
        A row a disk, with its type, its size and whether it is managed.
    date : datetime.date
        The day whose tiers count.
    tier_reading, request_kib, blob_iops, blob_mib_s
        As ``fields.toml`` has them.
    """
    iops = mib_s = np.full(len(disks), np.inf)
    if tier_reading == "disk":
        kinds = disks["disk_type"].where(disks["managed"])
        iops, mib_s = performance(kinds, disks["size_gib"], date)
    cap_mib_s = disk_cap_mib_s(mib_s, iops, request_kib, blob_mib_s)
    return np.minimum(iops, blob_iops), cap_mib_s


def performance(
    disk_type: ArrayLike, size_gib: ArrayLike, date: datetime.date
) -> tuple[np.ndarray, np.ndarray]:
    """Return requests a second and throughput of disks, without a loop over them.

    Parameters
    ----------
    disk_type : array_like of str
        Class, SKU or tier of each disk, as ``fields.toml`` allows; may be missing.
    size_gib : array_like of float
        Size of each disk; one larger than the largest tier has that. Not looked
        at where a tier is named.
    date : datetime.date
        The day to look at.

    Returns
    -------
    tuple of ndarray
        Requests a second and MiB/s. Both are ``inf`` where no tier is known: no
        type, and disks whose owner sets their performance.

    Examples
    --------
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
