"""The workbook of a report: every row, numbers as numbers, texts as texts."""

import datetime
import io
import math
from collections.abc import Sequence

import xlsxwriter

from vmbmodel.fields import is_number
from vmbmodel.render.answers import Answer
from vmbmodel.render.tables import Table, head

__all__ = ["render_workbook"]

_ROWS = 1_000_000  # of a sheet, which holds 1,048,576
_FORMATS = (
    ("_per_gib_month", "#,##0.0000"),
    ("_usd", "#,##0.00"),
    ("_prob", "0.00%"),
    ("_frac", "0.0%"),
    ("_h", "#,##0.00"),
    ("_gib", "#,##0.0"),
)
_WIDTHS = {
    "answer": 100,
    "locator": 40,
    "question": 32,
    "sha256": 66,
    "switch": 48,
    "text": 80,
    "title": 60,
    "todo": 60,
    "value": 16,
    "vm": 28,
}


def render_workbook(report, said: Sequence[Answer], whole: Sequence[Table]) -> bytes:
    """Return a workbook with a sheet for each table."""
    file = io.BytesIO()
    made = datetime.datetime.combine(report.made, datetime.time())
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": report.title, "created": made})
        formats = {
            "head": book.add_format(
                {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}
            ),
            "": book.add_format(),
        }
        formats |= {code: book.add_format({"num_format": code}) for _, code in _FORMATS}
        rows = [{"question": a.question, "answer": a.text} for a in said]
        rows += [
            {"question": "Made on", "answer": report.made.isoformat()},
            {"question": "Inventory", "answer": report.inventory},
            {"question": "SHA-256 of it", "answer": report.sha256},
            {"question": "Command", "answer": report.command},
        ]
        _add(book, Table("Answers", ("question", "answer"), rows), formats)
        for table in whole:
            _add(book, table, formats)
    return file.getvalue()


def _add(book: xlsxwriter.Workbook, table: Table, formats: dict) -> None:
    """Add a sheet, or several where the rows need them."""
    for part in range(0, max(len(table.rows), 1), _ROWS):
        name = f"{table.title} {part // _ROWS + 1}" if part else table.title
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 1)
        styles = [formats[_format(column)] for column in table.columns]
        for place, column in enumerate(table.columns):
            width = _WIDTHS.get(column, 12 if is_number(column) else 18)
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, head(column), formats["head"])
        rows = table.rows[part : part + _ROWS]
        for number, row in enumerate(rows, 1):
            for place, column in enumerate(table.columns):
                _write(sheet, number, place, row[column], styles[place])
        if rows:
            sheet.autofilter(0, 0, len(rows), len(table.columns) - 1)


def _write(sheet, row: int, place: int, value: object, style) -> None:
    """Write a cell as what it is; a text is never a formula nor a link."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value, style)
    elif hasattr(value, "__float__") and math.isfinite(value):
        sheet.write_number(row, place, value, style)
    elif value == math.inf:
        sheet.write_string(row, place, "never ends", style)
    else:
        sheet.write_string(row, place, str(value), style)


def _format(column: str) -> str:
    return next((code for suffix, code in _FORMATS if column.endswith(suffix)), "")
