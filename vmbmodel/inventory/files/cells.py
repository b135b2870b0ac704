"""The cells of an inventory: what each column may hold, and its conversion.

Each conversion notes the cells that break the rules of their row in
``fields.toml`` and leaves them missing; nothing is filled in.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vmbmodel.fields import Field, fields
from vmbmodel.inventory.files.findings import Findings

__all__ = [
    "COLUMNS",
    "NOT_A_FLAG",
    "NOT_A_NUMBER",
    "OPTIONAL",
    "REQUIRED",
    "Cells",
    "convert",
    "kept_as",
    "nearest",
    "without_blank_rows",
]

REQUIRED = ("vm", "disk", "role", "size_gib", "used_gib")
"""Columns that every inventory has."""

OPTIONAL = (
    "churn_gib_per_day",
    "write_kib",
    "dispersion",
    "active_frac",
    "disk_type",
    "managed",
    "storage_account",
    "vault",
    "policy",
    "start_h",
    "first_backup",
    "new_disk",
    "cc_mode",
    "excluded",
    "os",
    "redundancy",
    "origin",
)
"""Columns that may be absent, and cells that may be blank."""

COLUMNS = REQUIRED + OPTIONAL
"""All columns, in the order of the result."""

LONGEST_NAME = 260
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
NOT_A_NUMBER = "must be a number"
NOT_A_FLAG = "must be true or false (yes or no, 1 or 0)"
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
WITH_UNIT = re.compile(r"[0-9.]+\s*[kmgtp]i?b", re.IGNORECASE)
UNPRINTABLE = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"
PANDAS = {pa.bool_(): pd.BooleanDtype(), pa.large_string(): pd.StringDtype()}


@dataclass(frozen=True)
class Cells:
    """Columns as they stand in a file, and where to note what is wrong."""

    columns: Mapping[str, pa.Array]
    """Text, or ``float64`` where the file has types."""
    rows: np.ndarray
    """Line or row number of each entry."""
    findings: Findings
    complete: bool = True
    """Whether every line of the file could be split into cells."""

    def note(
        self,
        rule: str,
        column: str,
        at: np.ndarray,
        hints: Callable[[object], str] | Sequence[str] | None = None,
    ) -> None:
        """Note a rule that the cells of a column break, at some positions."""
        if not at.size:
            return
        values = self._values(column, at)
        if callable(hints):
            hints = [hints(value) for value in values]
        rows = self.rows[at].tolist()
        self.findings.add_cells(rule, column, rows, values, hints or [""] * at.size)

    def at(self, column: str, at: np.ndarray) -> list[tuple[object, str]]:
        """Return what stands at some positions, each with its place: ``line 7``."""
        places = [f"{self.findings.counted} {row}" for row in self.rows[at]]
        return list(zip(self._values(column, at), places, strict=True))

    def _values(self, column: str, at: np.ndarray) -> list[object]:
        if column not in self.columns:
            return [""] * at.size
        taken = self.columns[column].take(pa.array(at)).to_pylist()
        return ["" if value is None else value for value in taken]


def kept_as(field: Field) -> pa.DataType:
    """Return the type in which a column is kept."""
    return {"number": pa.float64(), "flag": pa.bool_()}.get(
        field.kind, pa.large_string()
    )


def nearest(word: str, known: Sequence[str]) -> str:
    """Return the known word most like a word, or nothing.

    >>> nearest("size_gb", ["size_gib", "used_gib"])
    'size_gib'
    """
    lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.strip().lower(), lower, n=1)
    return lower[found[0]] if found else ""


def convert(cells: Cells) -> pd.DataFrame:
    """Convert all columns, an absent one to missing values."""
    columns = {}
    for name in COLUMNS:
        field = fields()[name]
        if name not in cells.columns:
            columns[name] = pa.nulls(cells.rows.size, kept_as(field))
        elif field.kind == "number":
            columns[name] = _numbers(field, cells)
        elif field.kind == "text":
            columns[name] = _names(field, cells)
        else:
            columns[name] = _words(field, cells)
    return pa.table(columns).to_pandas(types_mapper=PANDAS.get)


def without_blank_rows(cells: Cells) -> Cells:
    """Leave out the rows with nothing in them."""
    columns = cells.columns
    filled = np.zeros(cells.rows.size, dtype=bool)
    for name in [name for name in COLUMNS if name in columns]:
        if filled.all():
            return cells
        filled |= _filled(columns[name]).is_valid().to_numpy(zero_copy_only=False)
    if columns and not filled.any():
        cells.findings.add("has no rows; a row a disk is needed")
    kept = {name: column.filter(filled) for name, column in columns.items()}
    return replace(cells, columns=kept, rows=cells.rows[filled])


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
        number = pc.match_substring_regex(column, NUMBER)
        at = _where(pc.invert(number))
        cells.note(NOT_A_NUMBER, field.name, at, _number_hint)
        column = pc.if_else(number, column, pa.scalar(None, column.type))
        column = column.cast(pa.float64())
    column = pc.add(column, 0.0)  # no zero keeps a sign
    values, bounds = column.to_numpy(zero_copy_only=False), field.range
    low = values < bounds.low if bounds.low_in else values <= bounds.low
    high = values > bounds.high if bounds.high_in else values >= bounds.high
    cells.note(f"must be {bounds.rule}", field.name, np.flatnonzero(low | high))
    return pc.if_else(pa.array(low | high), pa.scalar(None, column.type), column)


def _number_hint(cell: str) -> str:
    cell = cell.strip()
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
        known, meanings = list(FLAGS), list(FLAGS.values())
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
    return pa.array(meanings, kept_as(field)).take(index)


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
