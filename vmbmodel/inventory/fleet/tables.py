"""An inventory with types, taken apart: a Parquet file, a table in memory."""

import contextlib
import functools
import io
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, NoReturn

import numpy as np
import pandas as pd

from vmbmodel._files import LARGEST_DATA, refuse_special
from vmbmodel._words import counted
from vmbmodel.fields import Field, fields, nearest
from vmbmodel.inventory.files import (
    NOT_A_FLAG,
    NOT_A_NUMBER,
    Cells,
    Findings,
    InventoryError,
    Text,
)
from vmbmodel.inventory.fleet.columns import COLUMNS, REQUIRED, positions
from vmbmodel.inventory.fleet.pages import unpacked_bytes

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

__all__ = [
    "MOST_ROWS",
    "RowGroup",
    "frame_cells",
    "group_cells",
    "joined_cells",
    "parquet_cells",
    "row_groups",
]

MOST_ROWS = 20_000_000
"""Rows that are read as a whole: a small file of Parquet may claim any number."""

MOST_OF_ALL = 100_000_000
"""Rows of the longest inventory that is read in parts."""

_BYTES_OF_ROW = 1024
"""Bytes a row, unpacked, that an inventory read in parts may have beyond 4 GiB."""

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
    source = pa.BufferReader(data)
    try:
        told = _told_by(parquet.read_metadata(source))
        if (rows := told.metadata.num_rows) > MOST_ROWS:
            findings.stop(f"has {rows:,} rows; most are {MOST_ROWS:,}")
        found = positions(told.schema.names, None, findings)
        fitting, unfit = _fitting(told.schema, found)
        unpacked = sum(_unpacked(io.BytesIO(data), told, fitting))
        _refuse_large(unpacked, LARGEST_DATA, findings)
        file = parquet.ParquetFile(
            source, metadata=told.metadata, read_dictionary=told.words
        )
        table = file.read([told.schema.names[i] for i in fitting.values()])
        table.validate(full=True)
        for column in table.columns:
            _refuse_other_count(len(column), rows, "in a column")
    except (pa.ArrowException, ValueError, OSError) as error:
        _refuse_foreign(error, findings)
    columns: dict[str, Text | np.ma.MaskedArray | str] = dict(unfit)
    for name, i in fitting.items():
        at = table.column_names.index(told.schema.names[i])
        columns[name] = _of_arrow(fields()[name], table.column(at))
    return _by_row(columns, rows, findings)


class _Told(NamedTuple):
    """What the end of a Parquet file says of it."""

    metadata: "parquet.FileMetaData"
    schema: "pa.Schema"
    words: list[str]  #: columns of text, of which each word is held once


@functools.lru_cache(maxsize=8)
def _told_at(path: str, stamp: tuple[int, int]) -> _Told:
    """Return what a file says that was last changed then."""
    from pyarrow import parquet

    return _told_by(parquet.read_metadata(path))


def _told(path: str) -> _Told:
    found = os.stat(path)
    return _told_at(path, (found.st_mtime_ns, found.st_size))


def _told_by(metadata: "parquet.FileMetaData") -> _Told:
    schema = metadata.schema.to_arrow_schema()
    return _Told(metadata, schema, _of_words(schema))


def _fitting(
    schema: "pa.Schema", found: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, str]]:
    """Return the places of columns that can be read, and the types of the others."""
    kinds = {name: schema.field(i).type for name, i in found.items()}
    unfit = {n: str(kind) for n, kind in kinds.items() if not _fits(fields()[n], kind)}
    return {name: i for name, i in found.items() if name not in unfit}, unfit


def _unpacked(file: BinaryIO, told: _Told, found: Mapping[str, int]) -> Iterator[int]:
    """Give the bytes of some columns in each group of rows, as their pages say.

    What the end of the file says of rows has to agree with itself.
    """
    names = {told.schema.names[i] for i in found.values()}
    columns = range(told.metadata.num_columns)
    taken = [i for i in columns if told.metadata.schema.column(i).path in names]
    groups = range(told.metadata.num_row_groups)
    rows = sum(told.metadata.row_group(number).num_rows for number in groups)
    _refuse_other_count(rows, told.metadata.num_rows, "in its groups of rows")
    for number in groups:
        group = told.metadata.row_group(number)
        parts = [group.column(i) for i in taken if group.num_rows]
        for part in parts:
            _refuse_other_count(part.num_values, group.num_rows, "in a column")
        yield sum(
            unpacked_bytes(file, _begin(part), part.total_compressed_size)
            for part in parts
        )


def _begin(column: "parquet.ColumnChunkMetaData") -> int:
    """Return the place of the first page, which may be one of words."""
    begin, words = column.data_page_offset, column.dictionary_page_offset
    return min(begin, words) if words else begin


def _refuse_other_count(count: int, said: int, where: str) -> None:
    if count != said:
        rows = counted(said, "row")
        raise ValueError(f"is said to have {rows}, and has {count:,} {where}")


def _refuse_large(unpacked: int, most: int, findings: Findings) -> None:
    """Refuse what would fill the memory, however small it is as a file."""
    if unpacked > most:
        findings.stop(
            f"unpacks to {unpacked / 2**30:,.3g} GiB; most are {most / 2**30:,.3g} GiB"
        )


def _refuse_foreign(
    error: Exception, findings: Findings, path: str | None = None
) -> NoReturn:
    """Refuse what pyarrow cannot read, perhaps one of several files."""
    if isinstance(error, InventoryError):
        raise error
    reason = (getattr(error, "strerror", None) or str(error)).partition("\n")[0]
    name = f"{path} " if path not in (None, findings.file) else ""
    hint = "by vault, only Parquet is read" if path is not None else ""
    findings.stop(f"{name}cannot be read as Parquet: {reason}", hint=hint)


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

    groups, begin, unpacked = [], 0, 0
    for path in map(os.fspath, paths):
        try:
            refuse_special(path)
            told = _told(path)
            found = positions(told.schema.names, None, Findings(path))
            with open(path, "rb") as file:
                fitting = _fitting(told.schema, found)[0]
                sizes = list(_unpacked(file, told, fitting))
        except (pa.ArrowException, ValueError, OSError) as error:
            _refuse_foreign(error, findings, path)
        _refuse_large(max(sizes, default=0), LARGEST_DATA, findings)
        unpacked += sum(sizes)
        for number in range(told.metadata.num_row_groups):
            count = told.metadata.row_group(number).num_rows
            groups.append(RowGroup(path, number, begin, count))
            begin += count
    if begin > MOST_OF_ALL:
        findings.stop(f"has {begin:,} rows; most are {MOST_OF_ALL:,}")
    _refuse_large(unpacked, max(LARGEST_DATA, begin * _BYTES_OF_ROW), findings)
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
        told = _told(path)
        headings = told.schema.names
        found = positions(headings, None, findings)
        fitting, unfit = _fitting(told.schema, found)
        _note_types(unfit, findings)
        findings.refuse_if_any()
        asked = {headings[i]: name for name, i in fitting.items() if name in names}
        with parquet.ParquetFile(
            path,
            metadata=told.metadata,
            read_dictionary=told.words,
            buffer_size=_BUFFER,
        ) as file:
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
            else:
                _refuse_other_count(past, count, "in a group of rows")
    except (pa.ArrowException, ValueError, OSError) as error:
        _refuse_foreign(error, findings, path)


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

    tests = types.is_string, types.is_large_string, types.is_string_view
    return [column.name for column in schema if any(t(column.type) for t in tests)]


def _fits(field: Field, kind: "pa.DataType") -> bool:
    """Say whether a column of Parquet of some type is text or numbers for a field."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    whole = types.is_integer(kind)
    if field.kind == "flag" and (whole or types.is_boolean(kind)):
        return True
    number = whole or types.is_floating(kind) or types.is_decimal(kind)
    return _is_text(kind) or (field.kind == "number" and number)


def _is_text(kind: "pa.DataType") -> bool:
    from pyarrow import types

    text = types.is_string, types.is_large_string, types.is_string_view, types.is_null
    return any(test(kind) for test in text)


def _of_arrow(field: Field, column) -> Text | np.ma.MaskedArray:
    """Bring a column of Parquet that fits a field to text or ``float64``."""
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        if types.is_string(kind.value_type) or types.is_large_string(kind.value_type):
            return _text_of(column.unify_dictionaries().combine_chunks())
        kind = kind.value_type
    column = column.cast(kind).combine_chunks()
    if types.is_boolean(kind):
        return Text(["false", "true"], column.cast(pa.int8()).fill_null(-1).to_numpy())
    if field.kind != "number" or _is_text(kind):
        return _text_of(column.cast(pa.large_string()).dictionary_encode())
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    missing = column.is_null().to_numpy(zero_copy_only=False)
    return np.ma.masked_array(values, missing)


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
        with contextlib.suppress(OverflowError):  # hundreds of digits: each is told
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
    try:
        if isinstance(cell, Integral):
            return str(int(cell))
        if isinstance(cell, Real | Decimal):
            return _shortest(float(cell))
    except (ValueError, OverflowError):  # thousands of digits
        pass
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
    unfit = {name: kind for name, kind in columns.items() if isinstance(kind, str)}
    _note_types(unfit, findings)
    fitting = {n: column for n, column in columns.items() if n not in unfit}
    return Cells(fitting, np.arange(1, count + 1), findings)


def _note_types(unfit: Mapping[str, str], findings: Findings) -> None:
    for name, kind in unfit.items():
        wanted = fields()[name].kind
        what = "text" if wanted in ("text", "choice") else f"{wanted}s"
        findings.add(f"column {name} must hold {what}; holds {kind}", column=name)
