"""What a name says about its unit, and what the field table says about a name.

The unit of a quantity is the suffix of its name, from the closed vocabulary
below; everything else about it is its row in ``fields.toml``: also what values it
may have, which is asked here and nowhere else (`Field.check`, `Field.parse`).
"""

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from numbers import Real
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from vmbmodel._words import short

if TYPE_CHECKING:  # the command line shows its help without
    import numpy as np

__all__ = [
    "FLAGS",
    "NUMBER",
    "SUFFIXES",
    "Field",
    "Interval",
    "convert",
    "defaults",
    "describe",
    "fields",
    "groups",
    "heading",
    "is_number",
    "misnamed",
    "nearest",
    "refuse",
    "shown",
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


NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
"""How a finite number is written where text is read."""

FLAGS = MappingProxyType(
    {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
)
"""Words of a flag, in small letters."""


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

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest float in the range."""
        low = self.low if self.low_in else math.nextafter(self.low, math.inf)
        high = self.high if self.high_in else math.nextafter(self.high, -math.inf)
        return low, high

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
    symbol: str = ""
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

    def check(self, value: object) -> None:
        """Refuse a value that this field cannot have.

        >>> fields()["servers"].check(0)
        Traceback (most recent call last):
        ValueError: servers must be > 0 and finite; got 0

        Raises
        ------
        ValueError
            Names the field, the rule and the value.
        """
        if self.kind == "number":
            if not isinstance(value, Real) or isinstance(value, bool):
                raise ValueError(f"{self.name} must be a number; got {short(value)}")
            self.check_all(value)
        elif self.kind == "flag":
            if not isinstance(value, bool):
                raise ValueError(
                    f"{self.name} must be true or false; got {short(value)}"
                )
        elif self.choices and value not in self.choices:
            known = ", ".join(self.choices)
            raise ValueError(f"{self.name} must be one of {known}; got {short(value)}")
        elif not isinstance(value, str):
            raise ValueError(f"{self.name} must be a name; got {short(value)}")

    def check_all(self, values: object, begin: tuple[int, ...] = ()) -> None:
        """Refuse an array of numbers with an entry that this field cannot have.

        A part of an array says where in the whole it begins.

        >>> fields()["servers"].check_all([10, 20, 0])
        Traceback (most recent call last):
        ValueError: servers must be > 0 and finite; got 0 at index (2,)

        Raises
        ------
        ValueError
            Names the field, the rule, the first bad value and where it stands.
        """
        if isinstance(values, float) or type(values) is int:  # without NumPy
            low, high = self.range.ends
            if low <= values <= high and not (self.whole and values % 1):
                return
        import numpy as np

        if isinstance(values, np.ma.MaskedArray):
            values = values.astype(float).filled(np.nan)  # masked is missing
        numbers = np.asarray(values)
        if numbers.dtype.kind not in "iuf":
            raise ValueError(f"{self.name} must be a number; got {short(values)}")
        for rule, kept in self.rules(numbers):
            refuse(self.name, rule, numbers, kept, begin)

    def parse(self, text: str) -> object:
        """Read a value from text: of a command line, say.

        >>> fields()["servers"].parse("20"), fields()["managed"].parse("no")
        (20.0, False)

        Raises
        ------
        ValueError
            If the text is no value of this field.
        """
        value: object = text
        if self.kind == "number" and (re.fullmatch(NUMBER, text) or text == "inf"):
            value = float(text)
        elif self.kind == "flag":
            value = FLAGS.get(text.lower(), text)
        self.check(value)
        return value

    def rules(self, numbers: "np.ndarray") -> Iterator[tuple[str, "np.ndarray"]]:
        """Yield each rule for numbers of this field, and which of them keep it."""
        import numpy as np

        low, high = np.float64(self.range.ends)  # exact beside a float32 too
        yield self.range.rule, (numbers >= low) & (numbers <= high)
        if self.whole:
            yield "whole", np.trunc(numbers) == numbers


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
            raise ValueError(
                f"unknown unit {short(known)}; known: {', '.join(_TO_BASE)}"
            )
    (kind, factor), (target, divisor) = _TO_BASE[unit], _TO_BASE[to]
    if kind != target:
        raise ValueError(f"{unit!r} is a {kind}, {to!r} a {target}")
    return value * factor / divisor


def refuse(
    name: str,
    rule: str,
    numbers: "np.ndarray",
    kept: "np.ndarray",
    begin: tuple[int, ...] = (),
) -> None:
    """Refuse the first of the numbers that does not keep a rule.

    Numbers that are a part of an array are named by their place in the whole, in
    which they begin at `begin`.

    Raises
    ------
    ValueError
        Names the quantity, the rule, the first bad value and where it stands.
    """
    import numpy as np

    if np.all(kept):
        return
    where = tuple(int(i) for i in np.argwhere(~kept)[0])
    value = numbers[where]
    if begin:
        where = tuple(map(sum, zip(begin, where, strict=True)))
    at = f" at index {where}" if where else ""
    raise ValueError(f"{name} must be {rule}; got {value}{at}")


class _Table(Mapping[str, Field]):
    """The field table, of which a row is parsed when it is asked for."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._rows: dict[str, Field] = {}

    def __getitem__(self, name: str) -> Field:
        if name not in self._rows:
            self._rows[name] = _field(name, tomllib.loads(self._texts[name]))
        return self._rows[name]

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


@cache
def fields() -> Mapping[str, Field]:
    """Return the field table, by name."""
    return _Table(_texts())


@cache
def defaults() -> Mapping[str, object]:
    """Return what a blank cell is taken as, by column.

    >>> defaults()["start_h"]
    23
    """
    having = [name for name, text in _texts().items() if "\ndefault = " in text]
    return MappingProxyType({name: fields()[name].default for name in having})


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


@cache
def _texts() -> Mapping[str, str]:
    """Return the rows of the table as they are written, by name."""
    parts = re.split(r"^\[(\w+)\]$", _text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _text() -> str:
    return Path(__file__).with_name("fields.toml").read_text("utf-8")


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
    return f"{short(name)}{guess}{listed}"


def heading(name: str) -> str:
    """Return what a column is called, with its unit; a name of no field stays.

    >>> heading("transfer_h"), heading("severity")
    ('transfer (h)', 'severity')
    """
    if name not in fields():
        return name
    unit = unit_of(name)
    label = fields()[name].label
    return label if unit == "-" else f"{label} ({unit})"


def is_number(name: str) -> bool:
    """Say whether a column holds numbers."""
    return name in fields() and fields()[name].kind == "number"


def shown(name: str, value: object) -> str:
    """Return a value as a person reads it, to a sensible number of digits.

    >>> shown("total_usd", 1234.5), shown("wait_h", float("inf")), shown("servers", 8.0)
    ('1,234.50', 'never', '8')
    """
    if value is None:
        return ""
    if isinstance(value, str | bool) or not hasattr(value, "__float__"):
        return str(value)
    number = float(value)
    if math.isinf(number):
        return "never" if name.endswith("_h") else "no limit"
    if name.endswith("_usd"):
        return f"{number:,.2f}"
    if name.endswith("_prob"):
        # a chance that is not quite certain must not look certain
        return f"{math.floor(number * 1e4) / 1e4:.4f}"
    if name.endswith("_h"):
        return f"{number:,.2f}"
    return f"{number:.4g}" if abs(number) < 10 else f"{number:,.1f}".removesuffix(".0")
