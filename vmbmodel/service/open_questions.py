"""Readings: where the sources leave something open, and how the model takes it.

Examples
--------
>>> print(*(reading.id for reading in readings()), sep=", ")
rate-over, blob-cap, one-disk-or-all, disk-tier, eight-hours, start-slack,
own-line, two-lines, restore-law, restore-queue, restored-bytes, no-objective,
varied-transfer, twenty-four-hours, unpublished-sizes, stored-bytes, gigabyte,
metering, silent-inventory, enhanced-snapshot, largest-disk
>>> next(reading.settings for reading in readings() if reading.id == "blob-cap")
{'blob_mib_s': 'inf'}
"""

from dataclasses import dataclass
from functools import cache

from vmbmodel._toml import packaged

__all__ = ["Reading", "readings"]


@dataclass(frozen=True)
class Reading:
    """One open question of the sources."""

    id: str
    title: str
    """The question."""
    source_says: str
    default: str
    """How the model reads it."""
    alternative: str
    switch: str
    """Settings ``NAME=VALUE`` that ask for the alternative, separated by blanks;
    empty if the model cannot switch yet."""
    weight: float
    """Chance that the alternative is right; 0 where it is refuted, a what-if, a choice,
    or a belief of its own."""
    why: str
    """What that rests on."""
    changes: str
    """What comes out differently."""
    settled_by: str = ""
    """Constant that, once measured, leaves the alternative no weight."""

    @property
    def settings(self) -> dict[str, str]:
        """The settings of the switch: field names and the values to give them."""
        return dict(setting.split("=") for setting in self.switch.split())


@cache
def readings() -> tuple[Reading, ...]:
    """Return all readings, in the order of the book."""
    rows = packaged("vmbmodel.service", "readings.toml")["reading"]
    return tuple(Reading(**row) for row in rows)
