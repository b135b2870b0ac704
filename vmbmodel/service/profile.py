"""Service profiles: what Azure Backup could do on a date, as far as it is known.

Examples
--------
>>> available()
('azure-2018-12', 'azure-2026-01')
>>> print(f"{load('azure-2018-12')['blob_mib_s']:.3f} MiB/s")
57.220 MiB/s
"""

import datetime

from vmbmodel.service.constants import Catalogue, ConstantSet

__all__ = ["PROFILES", "available", "in_force", "load"]

PROFILES = Catalogue(
    kind="profile",
    folder="profiles",
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
        "peak_wait_h",
        "peak_wait_prob",
        "peak_start_h",
        "peak_h",
        "offpeak_utilisation_frac",
        "deadline_h",
        "servers",
        "vault_servers",
        "service_h",
        "extension_h",
        "snapshot_h",
        "start_slack_h",
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
"""The profiles that come with the package; `read` takes a file of your own."""

available = PROFILES.available
load = PROFILES.load


def in_force(date: datetime.date) -> ConstantSet:
    """Return the newest profile that is not younger than a date, else the oldest.

    Parameters
    ----------
    date : datetime.date
        The day to look at.

    Returns
    -------
    ConstantSet
        What is known of the service nearest to that day.

    Examples
    --------
    >>> in_force(datetime.date(2019, 3, 4)).name
    'azure-2018-12'
    """
    profiles = sorted(map(load, available()), key=lambda profile: profile.as_of)
    known = [profile for profile in profiles if profile.as_of <= date]
    return known[-1] if known else profiles[0]
