"""Service limits: how much of everything a vault took on a date.

A limit which a date did not document is absent from its table; read it with
``table.get(name, math.inf)``.

Examples
--------
>>> available()
('2015-09', '2015-10', '2018-12', '2023-08', '2026-01')
>>> load("2018-12")["vault_protected_vms"]
1000.0
"""

import datetime

from vmbmodel.service.constants import Catalogue, ConstantSet

__all__ = ["LIMITS", "available", "in_force", "load"]

LIMITS = Catalogue(kind="table of limits", folder="limits", required=("daily_backups",))
"""The tables that come with the package; `read` takes a file of your own."""

available = LIMITS.available
load = LIMITS.load


def in_force(date: datetime.date) -> ConstantSet:
    """Return the newest table that is not younger than a date.

    Parameters
    ----------
    date : datetime.date
        The day to look at.

    Returns
    -------
    ConstantSet
        The limits of that day, as far as they are known.

    Raises
    ------
    ValueError
        If the day is before the oldest table.

    Examples
    --------
    >>> in_force(datetime.date(2019, 3, 4)).name
    '2018-12'
    """
    tables = [load(name) for name in available()]
    known = [table for table in tables if table.as_of <= date]
    if not known:
        first = min(table.as_of for table in tables)
        raise ValueError(f"no limits are known before {first}; got {date}")
    return max(known, key=lambda table: table.as_of)
