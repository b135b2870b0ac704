"""An inventory with types, taken apart: a Parquet file, a table in memory."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from numbers import Integral, Real

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from vmbmodel.fields import fields, nearest
from vmbmodel.inventory.files import NOT_A_FLAG, NOT_A_NUMBER, Cells, Findings
from vmbmodel.inventory.fleet.columns import COLUMNS, REQUIRED, positions

__all__ = ["frame_cells", "parquet_cells"]

MOST_ROWS = 20_000_000
"""Rows of the longest Parquet file that is read: a small one may claim any number."""

_NUMERIC = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_TEXT = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_null,
)
_TYPED = {
    "number": _NUMERIC,
    "flag": (pa.types.is_boolean, pa.types.is_integer),
    "choice": (),
    "text": (),
}

_RULES = {"number": NOT_A_NUMBER, "flag": NOT_A_FLAG}


def parquet_cells(data: bytes, findings: Findings) -> Cells:
    """Take a Parquet file apart; its rows count from 1."""
    try:
        file = parquet.ParquetFile(pa.BufferReader(data))
        if (rows := file.metadata.num_rows) > MOST_ROWS:
            findings.stop(f"has {rows:,} rows; most are {MOST_ROWS:,}")
        table = file.read()
        table.validate(full=True)
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).partition("\n")[0]
        findings.stop(f"cannot be read as Parquet: {reason}")
    found = positions(table.column_names, None, findings)
    columns = {name: table.column(i) for name, i in found.items()}
    return _by_row(columns, table.num_rows, findings)


def frame_cells(frame: pd.DataFrame, findings: Findings) -> Cells:
    """Take a table in memory apart; its rows count from 1.

    A cell is taken as a file of comma-separated text would hold it, for pandas
    guesses types that nobody chose: a name of digits may stand there as a
    number, a flag as a word, and a blank as NaN. Columns may stand in the index.
    """
    series = [*_from_index(frame), *(column for _, column in frame.items())]
    found = positions([str(s.name).strip() for s in series], None, findings)
    columns = {}
    for name, i in found.items():
        column = _column(name, series[i], findings)
        if column is not None and (name in REQUIRED or not _is_blank(column)):
            columns[name] = column
    return _by_row(columns, len(frame), findings)


def _from_index(frame: pd.DataFrame) -> Iterator[pd.Index]:
    """Give the levels of the index that are columns, or misspelt for a required one."""
    absent = [name for name in COLUMNS if name not in frame.columns]
    needed = [name for name in REQUIRED if name in absent]
    for level, name in enumerate(frame.index.names):
        if name in absent or (isinstance(name, str) and nearest(name, needed)):
            yield frame.index.get_level_values(level)


def _column(
    name: str, cells: pd.Series | pd.Index, findings: Findings
) -> pa.Array | pa.ChunkedArray | None:
    """Bring cells of any types to one type, or note which cannot be."""
    field = fields()[name]
    try:
        column = pa.array(cells, from_pandas=True)
    except (pa.ArrowException, OverflowError, UnicodeError):
        return _mixed(name, cells, findings)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_blank(column):
        return pa.nulls(len(column))
    if field.kind != "number" and any(test(column.type) for test in _NUMERIC):
        return column.cast(pa.large_string())
    return column


def _is_blank(column: pa.Array | pa.ChunkedArray) -> bool:
    return column.null_count == len(column)


def _mixed(
    name: str, cells: pd.Series | pd.Index, findings: Findings
) -> pa.Array | None:
    """Bring cells of many types to text; note those that no text can stand for."""
    texts, wrong = [], []
    for row, cell in enumerate(cells, 1):
        text = _text(cell)
        texts.append(text)
        if text is None and not _is_missing(cell):
            wrong.append((row, cell))
    if not wrong:
        return pa.array(texts, pa.large_string())
    rule = _RULES.get(fields()[name].kind, "must be text")
    rows, values = zip(*wrong, strict=True)
    findings.add_cells(rule, name, rows, values, [""] * len(rows))
    return None


def _text(cell: object) -> str | None:
    """Return a cell as text would hold it; None if it is missing or none can."""
    if isinstance(cell, str):
        return str(cell) if _is_unicode(cell) else None
    if isinstance(cell, bool | np.bool_):
        return str(bool(cell)).lower()
    if isinstance(cell, Integral):
        return str(int(cell))
    if isinstance(cell, Real | Decimal) and not _is_missing(cell):
        return str(pa.scalar(float(cell)).cast(pa.string()))
    return None


def _is_missing(cell: object) -> bool:
    return pd.api.types.is_scalar(cell) and bool(pd.isna(cell))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a surrogate without its other half
        return False
    return True


def _by_row(
    columns: Mapping[str, pa.Array | pa.ChunkedArray], count: int, findings: Findings
) -> Cells:
    """Bring typed columns to text or ``float64``, and count their rows from 1."""
    if not count:
        findings.stop("has no rows; a row a disk is needed")
    plain = {}
    for name, column in columns.items():
        kind, wanted = column.type, fields()[name].kind
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if any(test(kind) for test in _TEXT):
            target = pa.large_string()
        elif any(test(kind) for test in _TYPED[wanted]):
            target = pa.float64() if wanted == "number" else pa.large_string()
        else:
            what = "text" if wanted in ("text", "choice") else f"{wanted}s"
            findings.add(f"column {name} must hold {what}; holds {kind}", column=name)
            continue
        column = column.cast(kind).cast(target, safe=False)
        plain[name] = (
            column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        )
    return Cells(plain, np.arange(1, count + 1), findings)
