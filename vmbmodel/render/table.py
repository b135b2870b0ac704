"""Results as a table, for a person at a terminal."""

import itertools
import os
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from vmbmodel.fields import fields, heading, is_number, shown

__all__ = ["fit", "is_narrow", "render_table"]

_WIDE = 80  # columns, where neither COLUMNS nor a terminal says how many there are
_GAP = re.compile("  +")  # between columns
_NARROW = 12  # to which a column may be broken
_PHONE = 60  # columns of a screen below which no cell of a table is broken
_PROSE = 40  # places beyond which a cell is prose, read as well on several lines
_SIGNS = "_=-/.,;:"  # after which a long word is broken
_NO_PLACE = ("Cc", "Mc", "Me", "Mn", "Zl", "Zp")  # letters that stand upon others


def render_table(
    rows: Iterable[Mapping[str, object]],
    columns: Sequence[str],
    *,
    footer: Mapping[str, object] | None = None,
    spare: Sequence[str] = (),
) -> str:
    """Return rows as a table, headed by the labels and units of the columns.

    Where the screen is too narrow, columns in `spare` are left out, one by one,
    and named below the table; what is too long even then is broken, between words
    where that will do. On a screen as narrow as a phone's, a table that would have to
    be broken is a list: of each row the first cell, and below it the others, a line
    each, behind their labels.
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
    kept = {name: width for name, width in widths.items() if name not in spare}
    listed = is_narrow() and _total(kept) > screen
    room = _WIDE if listed else screen
    words, short = {}, widths.copy()  # widths of the longest words; of cells but prose
    if _total(widths) > screen:
        words = {
            name: _longest([*heads[name], feet[name], *cells[name]]) for name in columns
        }
        short = {n: max(min(width, _PROSE), words[n]) for n, width in widths.items()}
    while _total(short) > room and len(missing) < len(spare):
        missing.append(spare[len(missing)])
        del widths[missing[-1]], short[missing[-1]]
    body = zip(*(cells[name] for name in widths), strict=True)
    if listed:
        lines = ["", *_list(list(widths), body, screen), ""]
        if footer:
            foot = [feet[name] for name in widths]
            lines += [*_list(list(widths), [foot], screen), ""]
        return "\n".join([*lines, *_left_out(missing)])
    while _total(widths) > screen and (
        wide := [n for n, width in widths.items() if width > max(words[n], _NARROW)]
    ):
        widths[max(wide, key=widths.get)] -= 1
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
            for row in body
            for line in _lines(dict(zip(widths, row, strict=True)), widths)
        ),
        "",
    ]
    if footer:
        lines += [*_lines(feet, widths), ""]
    return "\n".join([*lines, *_left_out(missing)])


def is_narrow() -> bool:
    """Say whether the screen is about as narrow as that of a phone."""
    return _screen_width() < _PHONE


def fit(text: str) -> str:
    """Break the sentences of a text to the width of the screen.

    Tables have that width already; their lines are told by the gaps in them.
    """
    width = _screen_width()
    lines = (part for line in text.split("\n") for part in _fitted(line, width))
    return "\n".join(lines)


def _fitted(line: str, width: int) -> list[str]:
    words = line.lstrip(" ")
    indent = " " * (len(line) - len(words))
    if (len(line) <= width and line.isascii()) or cell_len(line) <= width:
        return [line]
    if len(_GAP.findall(words)) > 1 or width < 2 * len(indent) + _NARROW:
        return [line]
    wide = cell_len(line) > len(line)  # letters that take two columns
    return textwrap.wrap(
        words,
        width // 2 if wide else width,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_on_hyphens=False,
    )


def _left_out(names: Sequence[str]) -> list[str]:
    return [f"(this screen has no room for {', '.join(names)})"] if names else []


def _list(
    names: Sequence[str], rows: Iterable[Sequence[str]], screen: int
) -> Iterator[str]:
    """Set rows one below the other, each cell behind its label, but a name at first."""
    labels = [heading(name) for name in names]
    label = min(max(map(cell_len, labels[1:]), default=0), screen // 2)
    widths = {"label": label, "value": screen - label - 5}
    for first, *others in rows:
        if is_number(names[0]) and first:
            first = f"{labels[0]} {first}"
        yield from (f" {line}".rstrip() for line in _broken(first, screen - 1))
        for name, cell in zip(labels[1:], others, strict=True):
            if cell:
                for line in _lines({"label": name, "value": cell}, widths):
                    yield f"  {line}"


def _head(name: str) -> list[str]:
    """Return the label of a column and its unit, a word a line."""
    if name not in fields():
        return [name]
    field = fields()[name]
    words = re.split(" (?!%)", field.label)
    return words if field.unit == "-" else [*words, field.unit]


def _screen_width() -> int:
    if os.environ.get("COLUMNS") or (sys.stdout is not None and sys.stdout.isatty()):
        return shutil.get_terminal_size((_WIDE, 24)).columns
    return _WIDE


def _rule() -> str:
    """Return a line's stroke, in letters the screen has."""
    try:
        "\u2500".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return "-"
    return "\u2500"


def _longest(texts: Iterable[str]) -> int:
    """Return how many places the longest word of texts takes."""
    return max(cell_len(word) for text in texts for word in text.split() or [""])


def _total(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + 2 * len(widths) - 1


def _lines(row: Mapping[str, str], widths: Mapping[str, int]) -> list[str]:
    """Set one row, numbers to the right; a cell too long takes several lines."""
    parts = []
    for name, width in widths.items():
        lines = row[name].split("\n")
        if any(cell_len(line) > width for line in lines):
            lines = _broken(row[name], width)
        blanks = [" " * (width - cell_len(line)) for line in lines]
        if is_number(name):
            parts.append([b + line for b, line in zip(blanks, lines, strict=True)])
        else:
            parts.append([line + b for b, line in zip(blanks, lines, strict=True)])
    empty = [" " * width for width in widths.values()]
    return [
        (" " + "  ".join(p or e for p, e in zip(line, empty, strict=True))).rstrip()
        for line in itertools.zip_longest(*parts, fillvalue="")
    ]


def cell_len(text: str) -> int:
    """Return how many places a text takes on a screen: wide letters take two.

    >>> [cell_len(text) for text in ("disk", "cafe\u0301", "\u65e5\u672c")]
    [4, 4, 4]
    """
    return len(text) if text.isascii() else sum(map(_places, text))


def _places(letter: str) -> int:
    if unicodedata.category(letter) in _NO_PLACE:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _broken(text: str, width: int) -> list[str]:
    """Break a text between words, or inside one too long, there after a sign."""
    return [part.rstrip() for line in text.split("\n") for part in _parts(line, width)]


def _parts(text: str, width: int) -> Iterator[str]:
    start = used = 0
    for match in re.finditer(r"\s*\S+\s*", text):
        word, at = match[0], match.start()
        needed = cell_len(word.rstrip())
        if used + needed > width:
            if at > start:
                yield text[start:at]
            start, used = at, 0
        if needed <= width:
            used += cell_len(word)
            continue
        sign = start
        for place, letter in enumerate(word, at):
            if used + _places(letter) > width:
                end = sign if sign > start else place
                yield text[start:end]
                start, used = end, cell_len(text[end:place])
            used += _places(letter)
            if letter in _SIGNS:
                sign = place + 1
    yield text[start:]
