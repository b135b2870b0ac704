"""Results as a table, JSON or CSV, on the screen or in a file."""

import csv
import enum
import io
import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vmbmodel._files import write_atomically
from vmbmodel.units import fields

__all__ = ["Format", "deliver", "render_csv", "render_json", "render_table"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_WIDE = 200  # columns, where no terminal says how many there are


class Format(enum.StrEnum):
    """Shapes in which a result can be had."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def render_json(result: object) -> str:
    """Return a result as JSON; infinity has to be a word by now.

    >>> print(render_json({"first_backup_h": "inf"}))
    {
      "first_backup_h": "inf"
    }
    """
    return json.dumps(result, indent=2, allow_nan=False, ensure_ascii=False)


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


def render_table(
    rows: Iterable[Mapping[str, object]],
    columns: Sequence[str],
    *,
    footer: Mapping[str, object] | None = None,
    spare: Sequence[str] = (),
) -> str:
    """Return rows as a table, headed by the labels and units of the columns.

    Where the screen is too narrow, columns in `spare` are left out, one by one,
    and named below the table.
    """
    rows, console = list(rows), Console()  # knows the screen's width and letters
    if not console.is_terminal:
        console.width = _WIDE
    endless = console.options.update(max_width=sys.maxsize)
    for missing in (spare[:count] for count in range(len(spare) + 1)):
        shown = [name for name in columns if name not in missing]
        table = _table(rows, shown, footer)
        if console.measure(table, options=endless).maximum <= console.width:
            break
    with console.capture() as printed:
        console.print(table)
    lines = [line.rstrip() for line in printed.get().splitlines()]
    if missing:
        lines.append(f"(this screen has no room for {', '.join(missing)})")
    return "\n".join(lines)


def _table(rows, columns, footer):
    table = Table(
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
        show_footer=footer is not None,
    )
    for name in columns:
        field = fields().get(name)
        label, unit = (field.label, field.unit) if field else (name, "-")
        words = re.split(" (?!%)", label)
        head = words if unit == "-" else [*words, unit]
        number = field is not None and field.kind == "number"
        foot = footer[name] if footer and name in footer else ""
        table.add_column(
            Text("\n".join(head)),
            footer=Text(_shown(name, foot)),
            justify="right" if number else "left",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(_shown(name, row[name])) for name in columns))
    return table


def deliver(text: str, output: Path | None, *, force: bool) -> None:
    """Print a result, or write it to a file that is not there yet.

    Raises
    ------
    FileExistsError
        If the file exists and `force` is not given.
    """
    if output is None:
        if hasattr(sys.stdout, "reconfigure"):  # a screen that lacks a letter
            sys.stdout.reconfigure(errors="replace")
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
    else:
        write_atomically(output, text.encode(), force=force)


def _inert(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell


def _shown(name: str, value: object) -> str:
    """Return a value as a person reads it, to a sensible number of digits."""
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
