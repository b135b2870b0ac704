"""Results as a table, JSON or CSV, on the screen or in a file."""

import csv
import enum
import io
import itertools
import json
import math
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from vmbmodel._files import write_atomically
from vmbmodel.fields import fields

__all__ = [
    "Format",
    "deliver",
    "render_csv",
    "render_json",
    "render_table",
    "shown",
    "stream_json",
]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_WIDE = 200  # columns, where no terminal says how many there are
_NARROW = 12  # to which a column may be broken


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


def stream_json(items: Iterable[tuple[str, object]]) -> Iterator[str]:
    """Give a large object as JSON, piece by piece, an entry of each part a line.

    >>> print("".join(stream_json([("vms", iter([{"vm": "a"}, {"vm": "b"}]))])))
    {
      "vms": [
        {"vm": "a"},
        {"vm": "b"}
      ]
    }
    """
    encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode
    before = "{\n"
    for name, value in items:
        yield f"{before}  {encode(name)}: "
        before = ",\n"
        if isinstance(value, Mapping) and value:
            lines = (f"{encode(key)}: {encode(entry)}" for key, entry in value.items())
            yield from _block("{", lines, "}")
        elif isinstance(value, Iterator | list):
            yield from _block("[", map(encode, value), "]")
        else:
            yield encode(value)
    yield "\n}"


def _block(opening: str, lines: Iterable[str], closing: str) -> Iterator[str]:
    before = f"{opening}\n    "
    for line in lines:
        yield before + line
        before = ",\n    "
    yield f"{opening}{closing}" if before.startswith(opening) else f"\n  {closing}"


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
    and named below the table; what is too long even then is broken.
    """
    rows, footer = list(rows), footer or {}
    heads = {name: _head(name) for name in columns}
    feet = {name: shown(name, footer.get(name)) for name in columns}
    cells = {name: [shown(name, row[name]) for row in rows] for name in columns}
    widths = {
        name: max(map(cell_len, [*heads[name], feet[name], *cells[name]]))
        for name in columns
    }
    screen, missing = _screen_width(), []
    while _total(widths) > screen and len(missing) < len(spare):
        missing.append(spare[len(missing)])
        del widths[missing[-1]]
    while _total(widths) > screen and max(widths.values()) > _NARROW:
        widths[max(widths, key=widths.get)] -= 1
    tall = max(len(heads[name]) for name in widths)
    head = {name: "\n" * (tall - len(heads[name])) for name in widths}
    head = {name: blank + "\n".join(heads[name]) for name, blank in head.items()}
    lines = [
        "",
        *_lines(head, widths),
        " " + _rule() * (_total(widths) - 1),
        *(
            line
            for row in zip(*(cells[name] for name in widths), strict=True)
            for line in _lines(dict(zip(widths, row, strict=True)), widths)
        ),
        "",
    ]
    if footer:
        lines += [*_lines(feet, widths), ""]
    if missing:
        lines.append(f"(this screen has no room for {', '.join(missing)})")
    return "\n".join(lines)


def _head(name: str) -> list[str]:
    """Return the label of a column and its unit, a word a line."""
    if name not in fields():
        return [name]
    field = fields()[name]
    words = re.split(" (?!%)", field.label)
    return words if field.unit == "-" else [*words, field.unit]


def _screen_width() -> int:
    if sys.stdout is not None and sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return _WIDE


def _rule() -> str:
    """Return a line's stroke, in letters the screen has."""
    try:
        "\u2500".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return "-"
    return "\u2500"


def _total(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + 2 * len(widths) - 1


def _lines(row: Mapping[str, str], widths: Mapping[str, int]) -> list[str]:
    """Set one row, numbers to the right; a cell too long takes several lines."""
    parts = []
    for name, width in widths.items():
        lines = row[name].split("\n")
        if any(cell_len(line) > width for line in lines):
            lines = [t.plain for t in Text(row[name]).wrap(Console(), width)]
        blanks = [" " * (width - cell_len(line)) for line in lines]
        if name in fields() and fields()[name].kind == "number":
            parts.append([b + line for b, line in zip(blanks, lines, strict=True)])
        else:
            parts.append([line + b for b, line in zip(blanks, lines, strict=True)])
    empty = [" " * width for width in widths.values()]
    return [
        (" " + "  ".join(p or e for p, e in zip(line, empty, strict=True))).rstrip()
        for line in itertools.zip_longest(*parts, fillvalue="")
    ]


def deliver(text: str | Iterable[str], output: Path | None, *, force: bool) -> None:
    """Print a result, or write it to a file that is not there yet.

    The result comes at once or piece by piece.

    Raises
    ------
    FileExistsError
        If the file exists and `force` is not given.
    OSError
        If nothing can be printed; not if a reader has seen enough.
    """
    pieces = [text] if isinstance(text, str) else text
    if output is not None:
        write_atomically(output, (p.encode() for p in pieces), force=force)
        return
    if sys.stdout is None:
        raise OSError("standard output is closed; name a file with -o")
    if hasattr(sys.stdout, "reconfigure"):  # a screen that lacks a letter
        sys.stdout.reconfigure(errors="replace")
    try:
        last = ""
        for last in pieces:
            sys.stdout.write(last)
        sys.stdout.write("" if last.endswith("\n") else "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # what is left goes nowhere, at the exit too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _inert(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell


def shown(name: str, value: object) -> str:
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
