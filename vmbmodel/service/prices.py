"""Price books: what a protected instance and a stored GB cost on a date.

Examples
--------
>>> available()
('azure-list-2026-01',)
>>> load("azure-list-2026-01")["instance_fee_usd"]
10.0
"""

from vmbmodel.fields import misnamed
from vmbmodel.service.constants import Catalogue, ConstantSet

__all__ = [
    "PRICES",
    "archive_usd_per_gib_month",
    "available",
    "load",
    "storage_usd_per_gib_month",
]

_RATES = {
    "LRS": "lrs_usd_per_gib_month",
    "ZRS": "zrs_usd_per_gib_month",
    "GRS": "grs_usd_per_gib_month",
    "RA-GRS": "ra_grs_usd_per_gib_month",
}
_ARCHIVE_RATES = {  # what is geo-redundant stays so, and no more than that
    "LRS": "archive_lrs_usd_per_gib_month",
    "ZRS": "archive_lrs_usd_per_gib_month",
    "GRS": "archive_grs_usd_per_gib_month",
    "RA-GRS": "archive_grs_usd_per_gib_month",
}

PRICES = Catalogue(
    kind="price book",
    folder="prices",
    required=(
        "instance_fee_usd",
        "small_instances",
        "small_instance_gib",
        "instance_step_gib",
        *_RATES.values(),
        "snapshot_standard_usd_per_gib_month",
        "snapshot_enhanced_usd_per_gib_month",
        "archive_lrs_usd_per_gib_month",
        "archive_grs_usd_per_gib_month",
        "archive_after_months",
        "archive_left_months",
        "early_deletion_h",
        "reserved_block_gib",
        "reserved_discount_frac",
        "free_soft_delete_h",
    ),
)
"""The price books that come with the package; `read` takes a file of your own."""

available = PRICES.available
load = PRICES.load


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
    >>> storage_usd_per_gib_month(load("azure-list-2026-01"), "GRS")
    0.0448
    """
    if redundancy not in _RATES:
        raise ValueError(f"there is no redundancy {misnamed(redundancy, _RATES)}")
    return prices[_RATES[redundancy]]


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
    >>> archive_usd_per_gib_month(load("azure-list-2026-01"), "RA-GRS")
    0.0048
    """
    if redundancy not in _ARCHIVE_RATES:
        raise ValueError(f"there is no redundancy {misnamed(redundancy, _RATES)}")
    return prices[_ARCHIVE_RATES[redundancy]]
