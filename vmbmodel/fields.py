"""What a name says about its unit, and what the field table says about a name.

The unit of a quantity is the suffix of its name, from the closed vocabulary
below; everything else about it is its row in ``fields.toml``.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

__all__ = [
    "SUFFIXES",
    "Field",
    "Interval",
    "convert",
    "describe",
    "fields",
    "groups",
    "misnamed",
    "nearest",
    "unit_of",
]

SUFFIXES = MappingProxyType(
    {
        "_usd_per_gib_month": "USD/(GiB month)",
        "_gib_per_day": "GiB/d",
        "_per_h": "1/h",
        "_mib_s": "MiB/s",
        "_iops": "1/s",
        "_usd": "USD",
        "_gib": "GiB",
        "_kib": "KiB",
        "_frac": "-",
        "_prob": "-",
        "_h": "h",
    }
)
"""Suffix of a name, and its unit; no suffix is a count or a pure number."""

_TO_BASE = {
    # sizes, in bytes; a vendor's GB and TB of disk and bill are read as binary
    "KB": ("size", 2**10),
    "KiB": ("size", 2**10),
    "MiB": ("size", 2**20),
    "GB": ("size", 2**30),
    "GiB": ("size", 2**30),
    "TB": ("size", 2**40),
    "TiB": ("size", 2**40),
    # rates, in bytes a second; a vendor's rates are read as decimal
    "Mbps": ("rate", 1e6 / 8),
    "Gbps": ("rate", 1e9 / 8),
    "MB/s": ("rate", 1e6),
    "MBps": ("rate", 1e6),
    "MiB/s": ("rate", 2**20),
    "GB/day": ("churn", 2**30),
    "GiB/d": ("churn", 2**30),
    # times, in seconds
    "s": ("time", 1),
    "min": ("time", 60),
    "h": ("time", 3600),
    "days": ("time", 86400),
    # the rest
    "requests/s": ("requests", 1),
    "IOPS": ("requests", 1),
    "1/s": ("requests", 1),
    "%": ("number", 0.01),
    "-": ("number", 1),
    "USD": ("money", 1),
    "USD/(GB month)": ("storage rate", 1),
    "USD/(GiB month)": ("storage rate", 1),
}


@dataclass(frozen=True)
class Interval:
    """A range of numbers, each end in or out, as mathematics writes it.

    >>> half_open = Interval.parse("(0, 1]")
    >>> half_open.rule
    '> 0 and <= 1'
    """

    low: float
    high: float
    low_in: bool
    high_in: bool

    @classmethod
    def parse(cls, text: str) -> "Interval":
        """Read ``"[0, inf)"`` and its like."""
        low, high = text[1:-1].split(",")
        return cls(float(low), float(high), text[0] == "[", text[-1] == "]")

    def __str__(self) -> str:
        """Return the range as `parse` reads it."""
        ends = "[" if self.low_in else "(", "]" if self.high_in else ")"
        return f"{ends[0]}{self.low:g}, {self.high:g}{ends[1]}"

    @property
    def rule(self) -> str:
        """The range as an error message says it."""
        low = f"{'>=' if self.low_in else '>'} {self.low:g}"
        if self.high == float("inf"):
            return low if self.high_in else f"{low} and finite"
        return f"{low} and {'<=' if self.high_in else '<'} {self.high:g}"

    def __contains__(self, number: float) -> bool:
        """Say whether one number lies in the range; NaN lies in none."""
        above = self.low <= number if self.low_in else self.low < number
        return above and (number <= self.high if self.high_in else number < self.high)


@dataclass(frozen=True)
class Field:
    """One public quantity: a row of ``fields.toml``."""

    name: str
    label: str
    text: str
    typical: object
    range: Interval | None = None
    whole: bool = False
    choices: tuple[str, ...] | None = None
    default: object = None

    @property
    def unit(self) -> str:
        """Unit that the suffix of the name stands for."""
        return unit_of(self.name)

    @property
    def kind(self) -> str:
        """``number``, ``flag``, ``choice`` or ``text``."""
        if self.range is not None:
            return "number"
        if isinstance(self.typical, bool):
            return "flag"
        return "choice" if self.choices else "text"


def unit_of(name: str) -> str:
    """Return the unit in a name.

    >>> unit_of("service_h"), unit_of("arrivals_per_h"), unit_of("servers")
    ('h', '1/h', '-')
    """
    for suffix, unit in SUFFIXES.items():
        if name.endswith(suffix):
            return unit
    return "-"


def convert(value: float, unit: str, to: str) -> float:
    """Convert a vendor's figure, once, on the way in.

    >>> print(convert(640, "Mbps", to="MiB/s"))
    76.29

    Raises
    ------
    ValueError
        If a unit is unknown, or the two do not measure the same thing.
    """
    for known in (unit, to):
        if known not in _TO_BASE:
            raise ValueError(f"unknown unit {known!r}; known: {', '.join(_TO_BASE)}")
    (kind, factor), (target, divisor) = _TO_BASE[unit], _TO_BASE[to]
    if kind != target:
        raise ValueError(f"{unit!r} is a {kind}, {to!r} a {target}")
    return value * factor / divisor


@cache
def fields() -> Mapping[str, Field]:
    """Return the field table, by name."""
    table = tomllib.loads(_text())
    return MappingProxyType({name: _field(name, row) for name, row in table.items()})


@cache
def groups() -> Mapping[str, tuple[str, ...]]:
    """Return the parts of the field table: names of fields by title.

    >>> groups()["readings of the sources"][0]
    'incremental_reading'
    """
    parts, title = {}, ""
    for heading, name in re.findall(r"^# --- (.+?) -+$|^\[(\w+)\]$", _text(), re.M):
        title = heading or title
        parts.setdefault(title, []).extend([name] if name else [])
    return MappingProxyType({title: tuple(names) for title, names in parts.items()})


def _text() -> str:
    return files("vmbmodel").joinpath("fields.toml").read_text("utf-8")


def _field(name: str, row: Mapping[str, object]) -> Field:
    row = dict(row)
    if "range" in row:
        row["range"] = Interval.parse(row["range"])
    if "choices" in row:
        row["choices"] = tuple(row["choices"])
    return Field(name=name, **row)


def describe(name: str) -> dict[str, str]:
    """Return what xarray's plots read: the label of a name and its unit.

    >>> describe("service_h")
    {'long_name': 'service time', 'units': 'h'}
    """
    return {"long_name": fields()[name].label, "units": unit_of(name)}


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like a word, whatever its case, or nothing.

    >>> nearest("Size_GB", ["size_gib", "used_gib"])
    'size_gib'
    """
    lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.strip().lower(), lower, n=1)
    return lower[found[0]] if found else ""


def misnamed(name: str, known: Iterable[str]) -> str:
    """Quote an unknown name, with the known one most like it, and all if they are few.

    >>> misnamed("servrs", ["churn_frac", "servers"])
    "'servrs'; did you mean 'servers'? Known: churn_frac, servers"
    """
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    guess = f"; did you mean {close[0]!r}?" if close else "."
    listed = f" Known: {', '.join(known)}" if len(known) <= 30 else ""
    return f"{name!r}{guess}{listed}"
