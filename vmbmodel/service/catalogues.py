"""The sets of constants that come with the package: profiles, prices and limits.

Examples
--------
>>> PROFILES.available()
('azure-2018-12', 'azure-2026-01')
>>> print(f"{PROFILES.load('azure-2018-12')['blob_mib_s']:.3f} MiB/s")
57.220 MiB/s
>>> PRICES.load("azure-list-2026-01")["instance_fee_usd"]
10.0
>>> LIMITS.load("2018-12")["vault_protected_vms"]
1000.0
"""

import os
from collections.abc import Mapping

from vmbmodel.fields import misnamed
from vmbmodel.service.constants import Catalogue, ConstantSet

__all__ = [
    "LIMITS",
    "PRICES",
    "PROFILES",
    "archive_usd_per_gib_month",
    "limits",
    "prices",
    "profile",
    "storage_usd_per_gib_month",
]

_STORAGE = {
    "LRS": "lrs_usd_per_gib_month",
    "ZRS": "zrs_usd_per_gib_month",
    "GRS": "grs_usd_per_gib_month",
    "RA-GRS": "ra_grs_usd_per_gib_month",
}
"""Constant that is the rate of vault storage of a redundancy."""

_ARCHIVE = {  # what is geo-redundant stays so, and no more than that
    "LRS": "archive_lrs_usd_per_gib_month",
    "GRS": "archive_grs_usd_per_gib_month",
    "RA-GRS": "archive_grs_usd_per_gib_month",
}

PROFILES = Catalogue(
    kind="profile",
    folder="profiles",
    reaches_back=True,
    required=(
        "initial_mib_s",
        "incremental_mib_s",
        "blob_mib_s",
        "blob_iops",
        "account_iops",
        "account_mib_s",
        "account_ingress_mib_s",
        "vm_mib_s",
        "request_kib",
        "cell_kib",
        "block_kib",
        "overlap_frac",
        "others_wait_prob",
        "others_wait_mean_h",
        "others_wait_log_sd",
        "peak_wait_h",
        "peak_wait_prob",
        "peak_start_h",
        "peak_h",
        "offpeak_utilisation_frac",
        "deadline_h",
        "servers",
        "vault_servers",
        "own_vault_servers",
        "service_h",
        "extension_h",
        "snapshot_h",
        "start_slack_h",
        "restore_p50_h",
        "restore_log_sd",
        "restore_sample",
        "restore_known_gib",
        "restore_mib_s",
        "snapshot_copy_h",
        "vm_creation_h",
        "replace_h",
        "rto_h",
        "interval_h",
        "snapshot_points",
        "recovery_points",
        "churn_frac",
        "dispersion",
        "write_kib",
        "active_frac",
    ),
)
"""Service profiles: what Azure Backup could do on a date, as far as it is known.

Before the oldest, that one is the nearest to what the service was."""

PRICES = Catalogue(
    kind="price book",
    folder="prices",
    required=(
        "instance_fee_usd",
        "small_instances",
        "small_instance_gib",
        "instance_step_gib",
        *_STORAGE.values(),
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
"""Price books: what a protected instance and a stored GB cost on a date."""

LIMITS = Catalogue(kind="table of limits", folder="limits", required=("daily_backups",))
"""Tables of limits: how much of everything a vault took on a date.

A limit that a date did not document is absent from its table; read it with
``table.get(name, math.inf)``."""


def profile(name: str | os.PathLike[str] | None = None) -> ConstantSet:
    """Return a profile: what Azure Backup could do on a date.

    Parameters
    ----------
    name : str or path-like, optional
        Its name, or a file of your own that ends in .toml; the newest without it.

    Returns
    -------
    ConstantSet
        Constants by name, each with its source.

    Raises
    ------
    ValueError
        If there is no such profile, or the file breaks a rule.

    Examples
    --------
    >>> profile("azure-2018-12")["servers"]
    10.0
    """
    return _found(PROFILES, name)


def prices(name: str | os.PathLike[str] | None = None) -> ConstantSet:
    """Return a price book: what a protected instance and a stored GB cost on a date.

    Parameters
    ----------
    name : str or path-like, optional
        Its name, or a file of your own that ends in .toml; the newest without it.

    Returns
    -------
    ConstantSet
        Prices by name, each with its source.

    Raises
    ------
    ValueError
        If there is no such price book, or the file breaks a rule.

    Examples
    --------
    >>> prices()["instance_fee_usd"]
    10.0
    """
    return _found(PRICES, name)


def limits(name: str | os.PathLike[str] | None = None) -> ConstantSet:
    """Return a table of limits: how much of everything a vault took on a date.

    Parameters
    ----------
    name : str or path-like, optional
        Its name, or a file of your own that ends in .toml; the newest without it.

    Returns
    -------
    ConstantSet
        Limits by name, each with its source.

    Raises
    ------
    ValueError
        If there is no such table, or the file breaks a rule.

    Examples
    --------
    >>> limits("2018-12")["vault_protected_vms"]
    1000.0
    """
    return _found(LIMITS, name)


def storage_usd_per_gib_month(prices: Mapping[str, float], redundancy: str) -> float:
    """Return the rate of vault storage of a redundancy, by a price book.

    Raises
    ------
    ValueError
        If there is no such redundancy: ``LRS``, ``ZRS``, ``GRS`` or ``RA-GRS``.

    Examples
    --------
    >>> storage_usd_per_gib_month(PRICES.load("azure-list-2026-01"), "GRS")
    0.0448
    """
    return prices[_rate_of(redundancy, _STORAGE)]


def archive_usd_per_gib_month(prices: Mapping[str, float], redundancy: str) -> float:
    """Return the rate of the archive tier for data of a redundancy, by a price book.

    Data that can be read in both regions becomes GRS in the archive; zone-redundant
    vaults have none.

    Raises
    ------
    ValueError
        As `storage_usd_per_gib_month`.

    Examples
    --------
    >>> archive_usd_per_gib_month(PRICES.load("azure-list-2026-01"), "RA-GRS")
    0.0048
    """
    if redundancy == "ZRS":
        raise ValueError("a vault of redundancy ZRS has no archive tier")
    return prices[_rate_of(redundancy, _ARCHIVE)]


def _rate_of(redundancy: str, constants: Mapping[str, str]) -> str:
    if redundancy not in constants:
        raise ValueError(f"there is no redundancy {misnamed(redundancy, constants)}")
    return constants[redundancy]


def _found(catalogue: Catalogue, name: str | os.PathLike[str] | None) -> ConstantSet:
    return catalogue.find(name or catalogue.available()[-1])
