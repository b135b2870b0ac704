"""TOML: read by one parser, written by one writer that escapes every text.

The writer is our own, for what is written is little, and in part comments, which
`tomli-w` does not write.
"""

import datetime
import json
import os
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files

from vmbmodel._files import LARGEST_TEXT, decoded, read_bounded

__all__ = ["literal", "packaged", "parse", "read", "table"]

_DEEPEST = 10
"""Levels to which keys and brackets may nest: no file of ours has more than three."""

_MARKS = re.compile(
    r'''
    """ (?: [^"\\]++ | \\. | "(?!"") )*+ (?:"{3,5})?  # texts, in which nothing nests
    | '{3} (?: [^']++ | '(?!'') )*+ (?:'{3,5})?
    | " (?: [^"\\\n]++ | \\. )*+ "?
    | ' [^'\n]*+ '?
    | \# [^\n]*+
    | [][{}.=,\n]
    ''',
    re.DOTALL | re.VERBOSE,
)


def parse(text: str) -> dict:
    """Return what a text of TOML holds.

    Raises
    ------
    ValueError
        If it is none; says where.
    """
    _refuse_deep(text)
    return tomllib.loads(text)


def _refuse_deep(text: str) -> None:
    """Refuse what the parser would take long for: it walks all levels of each key."""
    brackets = dots = 0
    for match in _MARKS.finditer(text):
        mark = match[0]
        if mark in ("=", ",", "\n"):
            dots = 0
        elif mark == ".":
            dots += 1
        elif mark in ("[", "{"):
            brackets += 1
        elif mark in ("]", "}"):
            brackets -= 1
        if brackets + dots > _DEEPEST:
            line = text.count("\n", 0, match.start()) + 1
            raise ValueError(f"line {line} nests more than {_DEEPEST} levels deep")


def read(path: str | os.PathLike[str]) -> tuple[dict, dict[str, str]]:
    """Return what a file holds, and where in it each key stands, as compilers say it.

    A key of a table stands where its name is first met.

    Raises
    ------
    ValueError
        If it is no TOML; says where.
    OSError
        If it cannot be read.
    """
    name = os.fspath(path)
    content = read_bounded(path, LARGEST_TEXT)
    try:
        text = decoded(content).replace("\r\n", "\n")
        found = parse(text)
    except ValueError as error:
        raise ValueError(_located(name, str(error))) from error
    return found, {key: f"{name}:{line}" for key, line in _lines(text).items()}


def _located(name: str, error: str) -> str:
    """Put the line that a parser names where compilers put it."""
    at = re.search(r" \(at line (\d+), column \d+\)$", error)
    return f"{name}:{at[1]}: {error[: at.start()]}" if at else f"{name}: {error}"


def _lines(text: str) -> dict[str, int]:
    """Find the line of each key, or of the table of that name."""
    key = re.compile(r"""\[?\[?\s*["']?([\w-]+)["']?\s*[=.\]]""")
    found = {}
    for number, line in enumerate(text.split("\n"), 1):
        if at := key.match(line.lstrip()):
            found.setdefault(at[1], number)
    return found


def packaged(package: str, name: str) -> dict:
    """Return what a file beside the modules of a package holds."""
    return tomllib.loads(files(package).joinpath(name).read_text("utf-8"))


def table(name: str, entries: Mapping[str, object]) -> str:
    r"""Return a table of literals.

    >>> table("about", {"title": 'a "fit"', "as_of": datetime.date(2026, 5, 1)})
    '[about]\ntitle = "a \\"fit\\""\nas_of = 2026-05-01\n'
    """
    lines = [f"{key} = {literal(value)}" for key, value in entries.items()]
    return "\n".join([f"[{name}]", *lines]) + "\n"


def literal(value: str | bool | float | datetime.date | tuple) -> str:
    """Return a value as TOML writes it.

    A surrogate without its other half, as in a file name that is no text, becomes
    the mark for what cannot be read.

    >>> literal("jobs-😀.json"), literal(True), literal((0.5, 22.0))
    ('"jobs-😀.json"', 'true', '[0.5, 22]')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return f"[{', '.join(map(literal, value))}]"
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)
