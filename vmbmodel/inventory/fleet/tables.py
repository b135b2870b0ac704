"""An inventory with types, taken apart: a Parquet file, a table in memory."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from vmbmodel._files import refuse_special
from vmbmodel.fields import Field, fields, nearest
from vmbmodel.inventory.files import NOT_A_FLAG, NOT_A_NUMBER, Cells, Findings, Text
from vmbmodel.inventory.fleet.columns import COLUMNS, REQUIRED, positions

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "RowGroup",
    "frame_cells",
    "group_cells",
    "joined_cells",
    "parquet_cells",
    "row_groups",
]

MOST_ROWS = 20_000_000
"""Rows of the longest Parquet file that is read: a small one may claim any number."""

MOST_AT_ONCE = 2**20
"""Rows of a row group that are in memory at a time, however many it has."""

_BUFFER = 2**22
"""Bytes of a column that are read at a time."""

NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
MIXED = ("string", "mixed", "mixed-integer", "complex")
"""What pandas calls cells of which each is looked at by itself."""

TYPES = {
    "boolean": "bool",
    "bytes": "binary",
    "date": "date32[day]",
    "datetime": "timestamp[us]",
}
"""What columns of a kind that pandas knows are called, where another kind is needed."""

_RULES = {"number": NOT_A_NUMBER, "flag": NOT_A_FLAG}


def parquet_cells(data: bytes, findings: Findings) -> Cells:
    """Take a Parquet file apart; its rows count from 1."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ModuleNotFoundError:
        findings.stop("is Parquet, which is read by pyarrow", hint="save it as CSV")
    try:
        file = parquet.ParquetFile(pa.BufferReader(data))
        if (rows := file.metadata.num_rows) > MOST_ROWS:
            findings.stop(f"has {rows:,} rows; most are {MOST_ROWS:,}")
        words = _of_words(file.schema_arrow)
        file = parquet.ParquetFile(pa.BufferReader(data), read_dictionary=words)
        table = file.read()
        table.validate(full=True)
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).partition("\n")[0]
        findings.stop(f"cannot be read as Parquet: {reason}")
    found = positions(table.column_names, None, findings)
    columns = {n: _of_arrow(fields()[n], table.column(i)) for n, i in found.items()}
    return _by_row(columns, table.num_rows, findings)


class RowGroup(NamedTuple):
    """Rows of a Parquet file that are read at once."""

    path: str
    number: int  #: of the group in the file
    begin: int  #: rows that stand before it, in its file and those before that
    count: int  #: its rows
    rows: np.ndarray | None = None  #: which of them are taken, if not all


def row_groups(
    paths: Sequence[str | os.PathLike[str]], findings: Findings
) -> list[RowGroup]:
    """Return what Parquet files consist of, in their order."""
    import pyarrow as pa
    from pyarrow import parquet

    groups, begin = [], 0
    for path in map(os.fspath, paths):
        try:
            refuse_special(path)
            told = parquet.ParquetFile(path).metadata
        except (pa.ArrowException, ValueError, OSError) as error:
            said = getattr(error, "strerror", None) or str(error)
            reason = said.partition("\n")[0]
            findings.stop(f"{path} cannot be read as Parquet: {reason}")
        for number in range(told.num_row_groups):
            count = told.row_group(number).num_rows
            groups.append(RowGroup(path, number, begin, count))
            begin += count
    return groups


def group_cells(
    group: RowGroup, findings: Findings, names: Collection[str]
) -> Iterator[Cells]:
    """Take some columns of a row group apart, `MOST_AT_ONCE` rows at most at a time."""
    for table, rows in _tables(group, findings, names):
        yield _cells_of([table], rows, findings)


def joined_cells(groups: Iterable[RowGroup], findings: Findings) -> Cells:
    """Take row groups apart, as `parquet_cells` does a whole file."""
    read = [pair for group in groups for pair in _tables(group, findings, COLUMNS)]
    tables, rows = zip(*read, strict=True)
    return _cells_of(tables, np.concatenate(rows), findings)


def _tables(
    group: RowGroup, findings: Findings, names: Collection[str]
) -> Iterator[tuple["pa.Table", np.ndarray]]:
    """Give the rows that are taken of a row group, by and by, and their numbers."""
    import pyarrow as pa
    from pyarrow import parquet

    path, number, begin, count, taken = group
    taken = np.arange(count) if taken is None else taken
    try:
        with parquet.ParquetFile(path) as file:
            words = _of_words(file.schema_arrow)
        with parquet.ParquetFile(
            path, read_dictionary=words, buffer_size=_BUFFER
        ) as file:
            headings = file.schema_arrow.names
            found = positions(headings, None, findings)
            findings.refuse_if_any()
            asked = {headings[i]: name for name, i in found.items() if name in names}
            past = 0
            for batch in file.iter_batches(MOST_AT_ONCE, [number], list(asked)):
                table = pa.Table.from_batches([batch])
                table.validate(full=True)
                ends = np.searchsorted(taken, [past, past + len(batch)])
                own = taken[slice(*ends)] - past
                if len(own) < len(batch):
                    table = table.take(pa.array(own))
                named = [asked[name] for name in table.column_names]
                if len(own):
                    yield table.rename_columns(named), begin + 1 + past + own
                past += len(batch)
                if ends[1] == len(taken):
                    break
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        findings.stop(f"{path} cannot be read as Parquet: {reason}")


def _cells_of(
    tables: Sequence["pa.Table"], rows: np.ndarray, findings: Findings
) -> Cells:
    """Bring tables with the same columns to cells of one."""
    import pyarrow as pa

    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        reason = str(error).partition("\n")[0]
        findings.stop(f"has columns of which files differ in type: {reason}")
    columns = {n: _of_arrow(fields()[n], table.column(n)) for n in table.column_names}
    cells = _by_row(columns, table.num_rows, findings)
    return Cells(cells.columns, rows, findings)


def _of_words(schema) -> list[str]:
    """Name the columns of text, of which a reader need hold each word once only."""
    from pyarrow import types

    tests = types.is_string, types.is_large_string
    return [column.name for column in schema if any(t(column.type) for t in tests)]


def _of_arrow(field: Field, column) -> Text | np.ma.MaskedArray | str:
    """Bring a column of Parquet to text or ``float64``; else give its type."""
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        if types.is_string(kind.value_type) or types.is_large_string(kind.value_type):
            return _text_of(column.unify_dictionaries().combine_chunks())
        kind = kind.value_type
    text = types.is_string, types.is_large_string, types.is_string_view, types.is_null
    whole = types.is_integer(kind)
    number = whole or types.is_floating(kind) or types.is_decimal(kind)
    flag = field.kind == "flag" and (whole or types.is_boolean(kind))
    column = column.cast(kind).combine_chunks()
    if flag and types.is_boolean(kind):
        return Text(["false", "true"], column.cast(pa.int8()).fill_null(-1).to_numpy())
    if flag or any(test(kind) for test in text):
        return _text_of(column.cast(pa.large_string()).dictionary_encode())
    if field.kind == "number" and number:
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        missing = column.is_null().to_numpy(zero_copy_only=False)
        return np.ma.masked_array(values, missing)
    return str(kind)


def _text_of(column) -> Text:
    """Return text of which each word is held once."""
    codes = column.indices.fill_null(-1).to_numpy()
    return Text(column.dictionary.to_pylist(), codes)


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
        if name in REQUIRED or not pd.isna(series[i]).all():
            column = _of_pandas(fields()[name], series[i], findings)
            if column is not None:
                columns[name] = column
    return _by_row(columns, len(frame), findings)


def _from_index(frame: pd.DataFrame) -> Iterator[pd.Index]:
    """Give the levels of the index that are columns, or misspelt for a required one."""
    absent = [name for name in COLUMNS if name not in frame.columns]
    needed = [name for name in REQUIRED if name in absent]
    for level, name in enumerate(frame.index.names):
        if name in absent or (isinstance(name, str) and nearest(name, needed)):
            yield frame.index.get_level_values(level)


def _of_pandas(
    field: Field, cells: pd.Series | pd.Index, findings: Findings
) -> Text | np.ma.MaskedArray | str | None:
    """Bring cells of any types to text or ``float64``; else give their type.

    Where they have no type in common, cells that no text can stand for are noted.
    """
    if isinstance(cells.dtype, pd.CategoricalDtype):
        words = [*cells.array.categories, None]  # a missing cell has the code -1
        cells = pd.Series([words[code] for code in cells.array.codes], dtype=object)
    if isinstance(cells.dtype, pd.SparseDtype):
        cells = pd.Series(np.asarray(cells))
    missing = np.asarray(pd.isna(cells))
    if missing.all():
        return Text.of([None] * len(cells))
    kind = pd.api.types.infer_dtype(cells)
    if kind in NUMBERS and field.kind == "number":
        values = cells.to_numpy(float, na_value=np.nan)
        return np.ma.masked_array(values, missing)
    if kind == "string":
        codes, words = pd.factorize(cells)
        words = list(map(str, words.tolist()))
        if all(map(_is_unicode, words)):
            return Text(words, codes)
    if kind in NUMBERS or kind in MIXED or (kind, field.kind) == ("boolean", "flag"):
        return _each(field, cells, missing, findings)
    if kind == "datetime64":
        return f"timestamp[{getattr(cells, 'dt', cells).unit}]"
    return TYPES.get(kind, kind)


def _each(
    field: Field, cells: pd.Series | pd.Index, missing: np.ndarray, findings: Findings
) -> Text | None:
    """Bring cells to text, each by itself; note those that no text can stand for."""
    texts, wrong = [], []
    for row, (cell, no) in enumerate(zip(cells, missing.tolist(), strict=True), 1):
        texts.append(None if no else _text(cell))
        if texts[-1] is None and not no:
            wrong.append((row, cell))
    if not wrong:
        return Text.of(texts)
    rows, values = zip(*wrong, strict=True)
    rule = _RULES.get(field.kind, "must be text")
    findings.add_cells(rule, field.name, rows, values, [""] * len(rows))
    return None


def _text(cell: object) -> str | None:
    """Return a cell as text would hold it; None if none can."""
    if isinstance(cell, str):
        return str(cell) if _is_unicode(cell) else None
    if isinstance(cell, bool | np.bool_):
        return str(bool(cell)).lower()
    if isinstance(cell, Integral):
        return str(int(cell))
    if isinstance(cell, Real | Decimal):
        return _shortest(float(cell))
    return None


def _shortest(number: float) -> str:
    """Spell a number in as few digits as tell it from all others.

    >>> [_shortest(number) for number in (7.0, 1e-5, 1.5e-7, 1e9, 1e10)]
    ['7', '0.00001', '1.5e-7', '1000000000', '1e+10']
    """
    if number == 0 or 1e-6 <= abs(number) < 1e10:
        return np.format_float_positional(number, trim="-")
    return np.format_float_scientific(number, trim="-", exp_digits=1)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a surrogate without its other half
        return False
    return True


def _by_row(
    columns: Mapping[str, Text | np.ma.MaskedArray | str],
    count: int,
    findings: Findings,
) -> Cells:
    """Count rows from 1, and note the columns of a type that does not fit."""
    if not count:
        findings.stop("has no rows; a row a disk is needed")
    fitting = {}
    for name, column in columns.items():
        if not isinstance(column, str):
            fitting[name] = column
            continue
        wanted = fields()[name].kind
        what = "text" if wanted in ("text", "choice") else f"{wanted}s"
        findings.add(f"column {name} must hold {what}; holds {column}", column=name)
    return Cells(fitting, np.arange(1, count + 1), findings)
