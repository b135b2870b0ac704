"""TOML: read by one parser, written by one writer that escapes every text.

The writer is our own, for what is written is little, and in part comments, which
`tomli-w` does not write.
"""

import datetime
import json
import tomllib
from collections.abc import Mapping
from importlib.resources import files

__all__ = ["literal", "packaged", "parse", "table"]

_MOST_DOTS = 500
"""Dots that a line may have, at least as many as the parts of a key less one."""


def parse(text: str) -> dict:
    """Return what a text of TOML holds.

    Raises
    ------
    ValueError
        If it is none; says where.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _MOST_DOTS:  # the parser is quadratic in a dotted key
            rule = f"has more than {_MOST_DOTS} dots, which is nested too deep"
            raise ValueError(f"line {number} {rule}")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("is nested too deep") from error


def packaged(package: str, name: str) -> dict:
    """Return what a file beside the modules of a package holds."""
    return parse(files(package).joinpath(name).read_text("utf-8"))


def table(name: str, entries: Mapping[str, object]) -> str:
    r"""Return a table of literals.

    >>> table("about", {"title": 'a "fit"', "as_of": datetime.date(2026, 5, 1)})
    '[about]\ntitle = "a \\"fit\\""\nas_of = 2026-05-01\n'
    """
    lines = [f"{key} = {literal(value)}" for key, value in entries.items()]
    return "\n".join([f"[{name}]", *lines]) + "\n"


def literal(value: str | bool | float | datetime.date) -> str:
    """Return a value as TOML writes it.

    A surrogate without its other half, as in a file name that is no text, becomes
    the mark for what cannot be read.

    >>> literal("jobs-😀.json"), literal(True), literal(0.5), literal(22.0)
    ('"jobs-😀.json"', 'true', '0.5', '22')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)
