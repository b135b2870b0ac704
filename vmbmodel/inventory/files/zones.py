"""Time zones by the names that policies and people give them."""

import datetime
from collections.abc import Mapping
from functools import cache
from zoneinfo import ZoneInfo

from vmbmodel._toml import packaged
from vmbmodel.fields import nearest

__all__ = ["zone"]


def zone(name: str) -> datetime.tzinfo:
    """Return the zone of a name of Windows or of the tz database.

    >>> zone("W. Europe Standard Time")
    zoneinfo.ZoneInfo(key='Europe/Berlin')

    Raises
    ------
    ValueError
        If there is no such zone.
    """
    known = _windows()
    try:
        return ZoneInfo(known.get(name.strip().lower(), name.strip()))
    except (KeyError, ValueError, OSError):
        likely = nearest(name, _names())
        hint = f"; did you mean {likely}?" if likely else ""
        raise ValueError(f"there is no time zone {name[:80]!r}{hint}") from None


@cache
def _names() -> Mapping[str, str]:
    return packaged("vmbmodel.inventory.files", "time_zones.toml")


@cache
def _windows() -> Mapping[str, str]:
    return {name.lower(): key for name, key in _names().items()}
