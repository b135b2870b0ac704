"""Results as CSV, for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["render_csv"]

_FORMULA_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20\t\r")


def render_csv(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> str:
    """Return rows as CSV, with text that no spreadsheet takes for a formula.

    >>> print(render_csv([{"vm": "=1+1", "disks": 2}], ["vm", "disks"]), end="")
    vm,disks
    '=1+1,2
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_inert(row[name]) for name in columns] for row in rows)
    return text.getvalue()


def _inert(cell: object) -> object:
    if isinstance(cell, str) and cell.lstrip("'").startswith(_FORMULA_STARTS):
        return f"'{cell}"  # one that has a mark gets another, to be told apart
    return cell
