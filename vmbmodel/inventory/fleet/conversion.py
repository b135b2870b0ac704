"""The cells of an inventory brought to the types of their columns.

Each conversion notes the cells that break the rules of their row in
``fields.toml`` and leaves them missing; nothing is filled in.
"""

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from vmbmodel.fields import FLAGS, NUMBER, Field, fields, nearest
from vmbmodel.inventory.files import (
    LONGEST_NAME,
    NOT_A_FLAG,
    NOT_A_NUMBER,
    Cells,
    Text,
    lower,
    size_gib,
    unprintable,
)
from vmbmodel.inventory.fleet.columns import COLUMNS, REQUIRED

__all__ = ["Column", "converted", "frame_of", "typed", "without_blank_rows"]

Column = np.ndarray | pd.arrays.BooleanArray | Text
"""A converted column: numbers with NaN where none is, flags, or text."""

PLAIN = re.compile(NUMBER)
STRANGE = re.compile(r"[^0-9.eE+-]")
"""Letters of no plain number; what floats without one is plain."""

GROUPED = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
"""A number whose mark may group thousands or part decimals."""

CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
SPREADSHEET_FLAGS = {"wahr": True, "falsch": False, "vrai": True, "faux": False}
SIZE_UNITS = {"GiB": 1.0, "GiB/d": 1.0, "KiB": 2.0**20}
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
COMMA_PARTS = re.compile(
    r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]+(?:\s*[kmgtp]i?b)?", re.IGNORECASE
)
"""A number whose comma parts decimals, unless it is `GROUPED` too."""
WITH_UNIT = re.compile(r"[0-9.,]+\s*[kmgtp]i?b", re.IGNORECASE)
_DTYPES = {"number": np.dtype(float), "flag": pd.BooleanDtype()}
"""Type of the columns of a kind; the rest is text."""


def without_blank_rows(cells: Cells) -> Cells:
    """Leave out the rows with nothing in them."""
    columns = cells.columns
    filled = np.zeros(cells.rows.size, dtype=bool)
    for name in columns:
        if filled.all():
            return cells
        filled |= ~_missing(_filled(columns[name]))
    if columns and not filled.any():
        cells.findings.add("has no rows; a row a disk is needed")
    kept = {name: column[filled] for name, column in columns.items()}
    return replace(cells, columns=kept, rows=cells.rows[filled])


def converted(cells: Cells, names: Iterable[str] = COLUMNS) -> dict[str, Column]:
    """Bring columns to their types, an absent one to missing values."""
    by_kind = {"number": _numbers, "text": _names, "flag": _flags, "choice": _choices}
    absent = Text([], np.full(cells.rows.size, -1, np.int32))
    none = {
        "number": np.full(cells.rows.size, np.nan),
        "flag": _flags_of(absent, []),
    }
    columns, names = {}, list(names)
    numbers = [name for name in names if fields()[name].kind == "number"]
    if any(_comma_parts(cells.columns.get(name)) for name in numbers):
        cells = replace(cells, comma_parts_decimals=True)
    for name in names:
        field = fields()[name]
        if name in cells.columns:
            columns[name] = by_kind[field.kind](field, cells)
        else:
            columns[name] = none.get(field.kind, absent)
    return columns


def frame_of(columns: Mapping[str, Column]) -> pd.DataFrame:
    """Return converted columns as a table."""
    return pd.DataFrame(
        {
            name: _strings(column) if isinstance(column, Text) else column
            for name, column in columns.items()
        },
        copy=False,
    )


def _strings(column: Text) -> pd.api.extensions.ExtensionArray:
    words = pd.array([*column.words, pd.NA], dtype=pd.StringDtype())
    return words.take(column.codes)  # -1 is the place of the last


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a table of values that need no check the types of its columns."""
    kinds = {name: fields()[name].kind for name in COLUMNS}
    return frame.astype({n: _DTYPES.get(k, pd.StringDtype()) for n, k in kinds.items()})


def _filled(column: Text | np.ma.MaskedArray) -> Text | np.ndarray:
    """Drop the blanks around text; what is blank then is missing."""
    if isinstance(column, Text):
        if column.unspaced:
            return column
        return column.map(lambda word: word.strip() or None)
    return np.ma.getdata(column)


def _missing(column: Text | np.ndarray) -> np.ndarray:
    return column.missing if isinstance(column, Text) else np.isnan(column)


def _required(field: Field, cells: Cells) -> Text | np.ndarray:
    column = _filled(cells.columns[field.name])
    if field.name in REQUIRED:
        at = np.flatnonzero(_missing(column))
        cells.note("must not be blank", field.name, at)
    return column


def _numbers(field: Field, cells: Cells) -> np.ndarray:
    column = _required(field, cells)
    if isinstance(column, Text):
        column = _read_numbers(field, column, cells)
    values = column + 0.0  # no zero keeps a sign
    result = values.copy()
    for rule, kept in field.rules(values):
        broken = ~kept & ~np.isnan(values)
        cells.note(f"must be {rule}", field.name, np.flatnonzero(broken))
        result[broken] = np.nan
    return result


def _comma_parts(column: Text | np.ma.MaskedArray | None) -> bool:
    """Say whether a cell shows that a comma parts decimals: all are spelt alike."""
    if not isinstance(column, Text):
        return False
    words = (word.strip() for word in column.words if "," in word)
    return any(COMMA_PARTS.fullmatch(w) and not GROUPED.fullmatch(w) for w in words)


def _read_numbers(field: Field, column: Text, cells: Cells) -> np.ndarray:
    """Read numbers, also those that a spreadsheet spells otherwise, and remark these.

    What is no number, or may be read in two ways, is noted and then missing.
    """
    values = _plain_numbers(column.words, cells)
    odd = np.isnan(values)
    if odd.any():
        kinds = set()
        strange = column.spread(odd, False, bool)
        for i in pd.unique(column.codes[strange]).tolist():
            word = column.words[i]
            try:
                values[i], kind = _as_meant(field, word)
            except ValueError:
                continue
            if kind not in kinds:
                kinds.add(kind)
                cells.findings.remark(f"{field.name}: {kind}; {word} is {values[i]:g}")
        wrong = column.spread(np.isnan(values), False, bool)
        cells.note(NOT_A_NUMBER, field.name, np.flatnonzero(wrong), _number_hint)
    return column.spread(values, np.nan, float)


def _plain_numbers(words: Sequence[str], cells: Cells) -> np.ndarray:
    """Return what words say that are plain numbers, NaN for the others."""
    if not cells.comma_parts_decimals and not STRANGE.search("".join(words)):
        with contextlib.suppress(ValueError):  # a quicker way to the same
            return np.array(list(map(float, words)), dtype=float)
    values = np.full(len(words), np.nan)
    for i, word in enumerate(words):
        two_ways = cells.comma_parts_decimals and GROUPED.fullmatch(word)
        if PLAIN.fullmatch(word) and not two_ways:
            values[i] = float(word)
    return values


def _as_meant(field: Field, cell: str) -> tuple[float, str]:
    """Return the number in a cell and how it was read, if there is one way only."""
    if field.name == "start_h" and (match := CLOCK.fullmatch(cell)):
        hour, minute, second = (int(part or 0) for part in match.groups())
        return hour + minute / 60 + second / 3600, "times of day are read as hours"
    if field.unit in SIZE_UNITS and WITH_UNIT.fullmatch(cell):
        return size_gib(cell) * SIZE_UNITS[field.unit], "units in cells are binary"
    if not cell.isascii():
        raise ValueError("is no number")
    return size_gib(f"{cell} GB"), "a comma parts decimals, or marks group thousands"


def _number_hint(cell: str) -> str:
    cell = cell.strip()
    if GROUPED.fullmatch(cell):
        return "its mark may group thousands or part decimals; write it without"
    if DECIMAL_COMMA.fullmatch(cell):
        return "decimals take a point"
    if WITH_UNIT.fullmatch(cell):
        return "leave the unit out"
    return ""


def _names(field: Field, cells: Cells) -> Text:
    blank = _required(field, cells).missing
    names = cells.columns[field.name]
    if names.unspaced and max(map(len, names.words), default=0) <= LONGEST_NAME:
        return names
    names = replace(names, codes=np.where(blank, -1, names.codes))
    for rule, bad in [
        ("must not contain control characters or line breaks", unprintable),
        ("must not begin or end with a blank", _is_loose),
        (
            f"must have {LONGEST_NAME} characters at most",
            lambda word: len(word) > LONGEST_NAME,
        ),
    ]:
        cells.note(rule, field.name, np.flatnonzero(names.holds(bad)))
    return names


def _is_loose(name: str) -> bool:
    return name != name.strip() and not unprintable(name)


def _choices(field: Field, cells: Cells) -> Text:
    known = list(field.choices)
    last = known[-1] if len(known) <= 10 else f"another of {len(known)} names"
    rule = f"must be {', '.join(known[: min(len(known) - 1, 5)])} or {last}"
    column = _known(field, cells, known, rule)
    meant = {word.lower(): word for word in known}
    return column.map(meant.get)


def _flags(field: Field, cells: Cells) -> pd.arrays.BooleanArray:
    words = FLAGS | SPREADSHEET_FLAGS
    column = _known(field, cells, list(words), NOT_A_FLAG)
    return _flags_of(column, [words.get(word) for word in column.words])


def _flags_of(column: Text, flags: Sequence[bool | None]) -> pd.arrays.BooleanArray:
    """Return flags, of which those of a column's words are known."""
    unknown = column.spread([flag is None for flag in flags], True, bool)
    return pd.arrays.BooleanArray(column.spread(flags, False, bool), unknown)


def _known(field: Field, cells: Cells, known: Sequence[str], rule: str) -> Text:
    """Return a column in small letters, and note its words that are not known."""
    column = _required(field, cells).map(lower)
    small = {word.lower() for word in known}
    at = np.flatnonzero(column.holds(lambda word: word not in small))
    cells.note(rule, field.name, at, _Suggest(known))
    return column


class _Suggest:
    """Say which word was meant, for as many wrong ones as could be misspelt."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.hints: dict[str, str] = {}

    def __call__(self, cell: str) -> str:
        if cell not in self.hints and len(self.hints) < 1000:
            word = nearest(cell, self.words)
            self.hints[cell] = f"did you mean {word}?" if word else ""
        return self.hints.get(cell, "")
