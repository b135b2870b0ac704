"""What managed disks give: requests and throughput of each tier, on a date.

Examples
--------
>>> premium = disk_tiers_on(datetime.date(2026, 1, 28))[-1]
>>> premium.source, premium.tier[3], premium.disk_iops[3]
('premiumssd2023', 'P4', 120.0)
"""

import datetime
from dataclasses import dataclass
from functools import cache

from vmbmodel._toml import packaged
from vmbmodel.fields import convert

__all__ = ["Tiers", "disk_tiers", "disk_tiers_on"]


@dataclass(frozen=True)
class Tiers:
    """One table of tiers."""

    disk_type: str
    """Class of the disks, one of ``fields.toml``."""
    sku: tuple[str, ...]
    """What Azure calls it besides."""
    as_of: datetime.date
    """Day from which the table counts."""
    source: str
    """Key of an entry of ``book/references.bib``."""
    locator: str
    retrieved: datetime.date
    """Day on which the source was read."""
    tier: tuple[str, ...]
    """Names of the tiers, smallest first."""
    size_gib: tuple[float, ...]
    """Size up to which a disk has the tier."""
    disk_iops: tuple[float, ...]
    disk_mib_s: tuple[float, ...]
    note: str = ""


@cache
def disk_tiers() -> tuple[Tiers, ...]:
    """Return all tables, each class from its oldest."""
    return tuple(map(_table, packaged("vmbmodel.service", "disks.toml")["table"]))


def disk_tiers_on(date: datetime.date) -> tuple[Tiers, ...]:
    """Return for each class its newest table not younger than a date, else its oldest.

    Examples
    --------
    >>> [table.source for table in disk_tiers_on(datetime.date(2018, 12, 11))]
    ['manageddisks2018', 'standardssd2019', 'manageddisks2018']
    """
    found = {}
    for table in disk_tiers():
        if table.disk_type not in found or table.as_of <= date:
            found[table.disk_type] = table
    return tuple(found.values())


def _table(row: dict) -> Tiers:
    figures = {
        "size_gib": _figures(row.pop("size"), "GiB"),
        "disk_iops": _figures(row.pop("requests"), "1/s"),
        "disk_mib_s": _figures(row.pop("throughput"), "MiB/s"),
    }
    names = {"sku": tuple(row.pop("sku")), "tier": tuple(row.pop("tier"))}
    return Tiers(**row, **names, **figures)


def _figures(printed: str, unit: str) -> tuple[float, ...]:
    *numbers, printed_unit = printed.split()
    return tuple(convert(float(number), printed_unit, to=unit) for number in numbers)
