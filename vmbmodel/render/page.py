"""The page of a report: one file, no script, nothing from elsewhere."""

import re
from collections.abc import Mapping
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

import vmbmodel
from vmbmodel.fields import is_number, shown
from vmbmodel.plan.estimate import brief
from vmbmodel.render.answers import Answer
from vmbmodel.render.drawings import drawings
from vmbmodel.render.tables import Table, head

__all__ = ["render_page", "visible"]

_LONGEST_NAME = 80
_LONGEST_TEXT = 600
_TOP = {"VMs": 25, "Findings": 50, "Worth a look": 50}
_VM_COLUMNS = (
    "vm",
    "disks",
    "used_gib",
    "first_backup_h",
    "done_p50_h",
    "done_p95_h",
    "deadline_prob",
    "restore_vault_p95_h",
    "total_usd",
)
_SHORT = {
    "VMs": _VM_COLUMNS,
    "Totals": ("quantity", "value", "unit"),
    "Findings": ("severity", "text", "todo", "source"),
}
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


def render_page(report, said: tuple[Answer, ...], whole: list[Table]) -> str:
    """Return the page of a report as HTML."""
    folder = files("vmbmodel.render")
    sources = {
        name: folder.joinpath(name).read_text("utf-8")
        for name in ("page.html.j2", "page.css")
    }
    environment = Environment(
        loader=DictLoader(sources),
        autoescape=lambda name: name != "page.css",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "head": head,
        "is_number": is_number,
        "visible": visible,
        "sentence": _sentence,
    }
    environment.globals |= {"cell": _cell, "ends": _ends}
    return environment.get_template("page.html.j2").render(
        report=report,
        version=vmbmodel.__version__,
        answers=said,
        drawings=drawings(report.estimate),
        tables={table.title: table for table in whole},
        columns=lambda table: _SHORT.get(table.title, table.columns),
        top=lambda table: table.rows[: _TOP.get(table.title)],
    )


def visible(text: object, longest: int = _LONGEST_TEXT) -> str:
    r"""Return a text in which nothing acts unseen, cut if it is very long.

    >>> print(visible("a\x1b[31m\u202eb\n"))
    a\u001b[31m\u202eb\u000a
    """
    text = str(text)
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]} ... {text[-half:]} ({len(text):,} characters)"
    return _INVISIBLE.sub(lambda at: f"\\u{ord(at[0]):04x}", text)


def _sentence(answer: Answer) -> Markup:
    """Return an answer with each name set apart from the words around it."""
    names = {
        place: Markup("<bdi>{}</bdi>").format(visible(name))
        for place, name in answer.names.items()
    }
    words = re.sub(r"\d (h\b|USD|%)", _together, answer.words)
    return Markup(words).format(**names)


def _together(at: re.Match) -> str:
    """Keep a number and its unit on one line."""
    return at[0].replace(" ", "\u00a0")


def _ends(column: str, row: Mapping[str, object]) -> str:
    """Return the interval of a figure, with the blank before it, if it has one."""
    if f"{column}_low" not in row:
        return ""
    low, high = (brief(column, row[f"{column}_{end}"]) for end in ("low", "high"))
    return f" ({low}\u00a0-\u00a0{high})"


def _cell(column: str, value: object) -> str:
    text = shown(column, value)
    return visible(text, _LONGEST_TEXT if column in ("text", "todo") else _LONGEST_NAME)
