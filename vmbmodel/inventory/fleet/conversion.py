"""The cells of an inventory brought to the types of their columns.

Each conversion notes the cells that break the rules of their row in
``fields.toml`` and leaves them missing; nothing is filled in.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vmbmodel.fields import FLAGS, NUMBER, Field, fields, nearest
from vmbmodel.inventory.files import (
    LONGEST_NAME,
    NOT_A_FLAG,
    NOT_A_NUMBER,
    UNPRINTABLE,
    Cells,
    size_gib,
)
from vmbmodel.inventory.fleet.columns import COLUMNS, REQUIRED

__all__ = ["converted", "frame_of", "typed", "without_blank_rows"]

GROUPED = r"^[1-9][0-9]{0,2}[.,][0-9]{3}$"
"""A number whose mark may group thousands or part decimals."""

CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
SPREADSHEET_FLAGS = {"wahr": True, "falsch": False, "vrai": True, "faux": False}
SIZE_UNITS = {"GiB": 1.0, "GiB/d": 1.0, "KiB": 2.0**20}
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
WITH_UNIT = re.compile(r"[0-9.,]+\s*[kmgtp]i?b", re.IGNORECASE)
_KEPT_AS = {"number": pa.float64(), "flag": pa.bool_()}
"""Type of the columns of a kind; the rest is text."""

_DTYPES = {
    pa.float64(): np.dtype(float),
    pa.bool_(): pd.BooleanDtype(),
    pa.large_string(): pd.StringDtype(),
}


def without_blank_rows(cells: Cells) -> Cells:
    """Leave out the rows with nothing in them."""
    columns = cells.columns
    filled = np.zeros(cells.rows.size, dtype=bool)
    for name in columns:
        if filled.all():
            return cells
        filled |= _filled(columns[name]).is_valid().to_numpy(zero_copy_only=False)
    if columns and not filled.any():
        cells.findings.add("has no rows; a row a disk is needed")
    kept = {name: column.filter(filled) for name, column in columns.items()}
    return replace(cells, columns=kept, rows=cells.rows[filled])


def converted(cells: Cells, names: Iterable[str] = COLUMNS) -> dict[str, pa.Array]:
    """Bring columns to their types, an absent one to missing values."""
    by_kind = {"number": _numbers, "text": _names, "flag": _words, "choice": _words}
    columns = {}
    for name in names:
        field = fields()[name]
        if name in cells.columns:
            columns[name] = by_kind[field.kind](field, cells)
        else:
            columns[name] = pa.nulls(cells.rows.size, _kept_as(field))
    return columns


def frame_of(columns: Mapping[str, pa.Array]) -> pd.DataFrame:
    """Return converted columns as a table."""
    return pd.DataFrame(
        {
            name: column.to_numpy(zero_copy_only=False)
            if column.type == pa.float64()
            else _DTYPES[column.type].__from_arrow__(column)
            for name, column in columns.items()
        }
    )


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a table of values that need no check the types of its columns."""
    return frame.astype({n: _DTYPES[_kept_as(fields()[n])] for n in COLUMNS})


def _kept_as(field: Field) -> pa.DataType:
    return _KEPT_AS.get(field.kind, pa.large_string())


def _filled(column: pa.Array) -> pa.Array:
    """Drop the blanks around text; what is blank then is missing."""
    if pa.types.is_floating(column.type):
        blank = pc.is_nan(column)
    else:
        column = pc.utf8_trim_whitespace(column)
        blank = pc.equal(column, "")
    return pc.if_else(blank, pa.scalar(None, column.type), column)


def _required(field: Field, cells: Cells) -> pa.Array:
    column = _filled(cells.columns[field.name])
    if field.name in REQUIRED:
        at = _where(column.is_null())
        cells.note("must not be blank", field.name, at)
    return column


def _numbers(field: Field, cells: Cells) -> pa.Array:
    column = _required(field, cells)
    if not pa.types.is_floating(column.type):
        column = _plain_numbers(field, column, cells).cast(pa.float64())
    column = pc.add(column, 0.0)  # no zero keeps a sign
    values = column.to_numpy(zero_copy_only=False)
    for rule, kept in field.rules(values):
        broken = ~kept & ~np.isnan(values)
        cells.note(f"must be {rule}", field.name, np.flatnonzero(broken))
        column = pc.if_else(pa.array(broken), pa.scalar(None, column.type), column)
    return column


def _plain_numbers(field: Field, column: pa.Array, cells: Cells) -> pa.Array:
    """Spell numbers plainly that a spreadsheet spells otherwise, and remark it.

    What is no number, or may be read in two ways, is noted and then missing.
    """
    plain = pc.match_substring_regex(column, NUMBER)
    if cells.comma_parts_decimals:
        plain = pc.and_(plain, pc.invert(pc.match_substring_regex(column, GROUPED)))
    at = _where(pc.invert(plain))
    if not at.size:
        return column
    values, wrong, kinds = column.to_pylist(), [], set()
    for i in at.tolist():
        cell = values[i]
        try:
            number, kind = _as_meant(field, cell)
        except ValueError:
            values[i] = None
            wrong.append(i)
            continue
        values[i] = f"{number:.17g}"
        if kind not in kinds:
            kinds.add(kind)
            cells.findings.remark(f"{field.name}: {kind}; {cell} is {number:g}")
    at = np.array(wrong, dtype=int)
    cells.note(NOT_A_NUMBER, field.name, at, _number_hint)
    return pa.array(values, column.type)


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
    if re.fullmatch(GROUPED, cell):
        return "its mark may group thousands or part decimals; write it without"
    if DECIMAL_COMMA.fullmatch(cell):
        return "decimals take a point"
    if WITH_UNIT.fullmatch(cell):
        return "leave the unit out"
    return ""


def _names(field: Field, cells: Cells) -> pa.Array:
    trimmed = _required(field, cells)
    missing = pa.scalar(None, trimmed.type)
    names = pc.if_else(trimmed.is_null(), missing, cells.columns[field.name])
    unprintable = pc.match_substring_regex(names, UNPRINTABLE)
    loose = pc.and_(pc.not_equal(names, trimmed), pc.invert(unprintable))
    long = pc.greater(pc.utf8_length(names), LONGEST_NAME)
    for rule, bad in [
        ("must not contain control characters or line breaks", unprintable),
        ("must not begin or end with a blank", loose),
        (f"must have {LONGEST_NAME} characters at most", long),
    ]:
        cells.note(rule, field.name, _where(bad))
    return names


def _words(field: Field, cells: Cells) -> pa.Array:
    """Read flags and choices: words of a short list, in any case."""
    if field.kind == "flag":
        words = FLAGS | SPREADSHEET_FLAGS
        known, meanings = list(words), list(words.values())
        rule = NOT_A_FLAG
    else:
        known = meanings = list(field.choices)
        last = meanings[-1] if len(known) <= 10 else f"another of {len(known)} names"
        rule = f"must be {', '.join(meanings[: min(len(known) - 1, 5)])} or {last}"
    column = _required(field, cells)
    words = pa.array([word.lower() for word in known], column.type)
    index = pc.index_in(pc.utf8_lower(column), words)
    at = _where(pc.and_(index.is_null(), column.is_valid()))
    cells.note(rule, field.name, at, _Suggest(known))
    return pa.array(meanings, _kept_as(field)).take(index)


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


def _where(mask: pa.Array) -> np.ndarray:
    return np.flatnonzero(mask.fill_null(False).to_numpy(zero_copy_only=False))
