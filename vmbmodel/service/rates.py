"""What a stored GB costs, by how redundant its vault is."""

from vmbmodel.fields import misnamed
from vmbmodel.service.constants import ConstantSet

__all__ = ["STORAGE", "archive_usd_per_gib_month", "storage_usd_per_gib_month"]

STORAGE = {
    "LRS": "lrs_usd_per_gib_month",
    "ZRS": "zrs_usd_per_gib_month",
    "GRS": "grs_usd_per_gib_month",
    "RA-GRS": "ra_grs_usd_per_gib_month",
}
"""Constant that is the rate of vault storage of a redundancy."""

_ARCHIVE = {  # what is geo-redundant stays so, and no more than that
    "LRS": "archive_lrs_usd_per_gib_month",
    "ZRS": "archive_lrs_usd_per_gib_month",
    "GRS": "archive_grs_usd_per_gib_month",
    "RA-GRS": "archive_grs_usd_per_gib_month",
}


def storage_usd_per_gib_month(prices: ConstantSet, redundancy: str) -> float:
    """Return the rate of vault storage of a redundancy.

    Parameters
    ----------
    prices : ConstantSet
        A price book.
    redundancy : str
        ``LRS``, ``ZRS``, ``GRS`` or ``RA-GRS``.

    Returns
    -------
    float
        Rate. [USD/(GiB month)]

    Raises
    ------
    ValueError
        If there is no such redundancy.

    Examples
    --------
    >>> from vmbmodel.service import PRICES
    >>> storage_usd_per_gib_month(PRICES.load("azure-list-2026-01"), "GRS")
    0.0448
    """
    if redundancy not in STORAGE:
        raise ValueError(f"there is no redundancy {misnamed(redundancy, STORAGE)}")
    return prices[STORAGE[redundancy]]


def archive_usd_per_gib_month(prices: ConstantSet, redundancy: str) -> float:
    """Return the rate of the archive tier for data of a redundancy.

    Parameters
    ----------
    prices : ConstantSet
        A price book.
    redundancy : str
        ``LRS``, ``ZRS``, ``GRS`` or ``RA-GRS`` of the vault. Data that can be read
        in both regions becomes GRS in the archive; that zone-redundant data becomes
        LRS there is assumed.

    Returns
    -------
    float
        Rate. [USD/(GiB month)]

    Raises
    ------
    ValueError
        If there is no such redundancy.

    Examples
    --------
    >>> from vmbmodel.service import PRICES
    >>> archive_usd_per_gib_month(PRICES.load("azure-list-2026-01"), "RA-GRS")
    0.0048
    """
    if redundancy not in _ARCHIVE:
        raise ValueError(f"there is no redundancy {misnamed(redundancy, STORAGE)}")
    return prices[_ARCHIVE[redundancy]]
