"""Results as CSV, for a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["render_csv", "stream_csv"]

_PIECE = 2**16  # rows
_SPECIAL = re.compile(r"[^\w.:+ -]")

_FORMULA_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20\t\r")


def render_csv(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> str:
    """Return rows as CSV, with text that no spreadsheet takes for a formula.

    A missing number is an empty cell, as a missing word is.

    >>> rows = [{"vm": "=1+1", "wait_h": float("nan"), "disks": 2}]
    >>> print(render_csv(rows, ["vm", "wait_h", "disks"]), end="")
    vm,wait_h,disks
    '=1+1,,2
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_inert(row[name]) for name in columns] for row in rows)
    return text.getvalue()


def stream_csv(table: "pd.DataFrame", *, heading: bool = True) -> Iterator[str]:
    """Give a table as `render_csv` writes its rows, sooner, and piece by piece.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"vm": ["=1+1", "b"], "disks": [2, 1]})
    >>> table["wait_h"] = [0.5, float("nan")]
    >>> print("".join(stream_csv(table)), end="")
    vm,disks,wait_h
    '=1+1,2,0.5
    b,1,
    """
    if heading:
        yield render_csv([], list(table))
    for begin in range(0, len(table), _PIECE):
        piece = table.iloc[begin : begin + _PIECE]
        columns = [_texts(column) for _, column in piece.items()]
        yield "".join(f"{','.join(row)}\n" for row in zip(*columns, strict=True))


def _texts(column: "pd.Series") -> list[str]:
    """Return the cells as they stand in a file, each different one worked out once."""
    import numpy as np
    import pandas as pd

    number, values = pd.factorize(column, use_na_sentinel=False)
    if column.dtype == float:
        values = np.asarray(values)
        texts = _numbers(values)
        for at in np.flatnonzero(np.isnan(values)).tolist():
            texts[at] = ""
    else:
        texts = [_quoted(_inert(value)) for value in values.tolist()]
    return [texts[at] for at in number.tolist()]


def _numbers(values: "np.ndarray") -> list[str]:
    """Write numbers as Python does, which pyarrow does sooner for most."""
    import numpy as np

    try:
        import pyarrow as pa
    except ModuleNotFoundError:
        return [repr(value) for value in values.tolist()]
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        plain = (size >= 1e-4) & (size < 1e10) & (values % 1 != 0)
    texts = pa.array(values).cast(pa.string()).to_pylist()
    for at in np.flatnonzero(~plain).tolist():
        texts[at] = repr(values.item(at))
    return texts


def _quoted(cell: object) -> str:
    if not isinstance(cell, str) or not _SPECIAL.search(cell):
        return "" if cell is None else str(cell)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([cell, None])
    return text.getvalue()[:-2]  # without what parts it from the next


def _inert(cell: object) -> object:
    if isinstance(cell, str) and cell.lstrip("'").startswith(_FORMULA_STARTS):
        return f"'{cell}"  # one that has a mark gets another, to be told apart
    return None if isinstance(cell, float) and cell != cell else cell
