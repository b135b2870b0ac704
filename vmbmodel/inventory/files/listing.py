"""What tools hand out, entry by entry: JSON of any shape, or separated values.

A file of JSON holds one document or several, one behind the other. A document is an
entry, a list of entries, or an envelope of the service, ``{"value": [...]}``,
which may name a next page. Entries are parsed one at a time, so that a large
list need not stand in memory twice.
"""

import contextlib
import csv
import difflib
import io
import json
import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from vmbmodel._files import LARGEST_DATA, fault_of_packed, read_bounded
from vmbmodel._json import Scanner, UnfitError, unique
from vmbmodel._words import short
from vmbmodel.fields import nearest
from vmbmodel.inventory.files.entry import Entry, folded
from vmbmodel.inventory.files.findings import (
    MANY,
    Finding,
    Findings,
    InventoryError,
    not_used,
)

__all__ = ["Listing", "Page", "log_rows", "table_rows", "unfollowed", "unused"]

if TYPE_CHECKING:
    import pandas as pd

_LOG = logging.getLogger(__name__)

MISSPELT = 0.8
"""Likeness from which an unknown name is a known one misspelt."""

LISTS = ("value", "data")
SEPARATORS = ",;\t|"

UTF8 = "save the file as UTF-8"

RULED = re.compile(r"\s*-{2,}(\s+-{2,})*\s*", re.ASCII)
"""Line under the headings of a table that is meant for a screen."""

SHAPES = (
    "JSON of az (-o json), PowerShell (ConvertTo-Json -Depth 10) or the service, a CSV "
    "of the Resource Graph, and terraform show -json are read"
)


class Page(NamedTuple):
    """An envelope: whose list it is a page of, and whether it names a next one."""

    subscription: str | None
    more: bool


def _decoded(path: str | os.PathLike[str], findings: Findings) -> str:
    """Return the text of a file in UTF-8 or UTF-16, or refuse it."""
    try:
        data = read_bounded(path, LARGEST_DATA)
    except (OSError, ValueError) as error:
        findings.unreadable(error)
    if fault := fault_of_packed(data, "save it as JSON or CSV"):
        findings.stop(fault)
    coding = "utf-8"
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        coding = "utf-16"
    elif b"\0" in data[:2] and len(data) > 1:
        coding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    try:
        text = data.decode(coding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"line {line}, byte offset {error.start:,}"
        findings.stop(f"is no text in {coding.upper()} ({where})", hint=UTF8)
    if not text.strip():
        findings.stop("is empty")
    if (at := text.find("\0")) >= 0:
        line = text.count("\n", 0, at) + 1
        findings.stop(f"has a NUL character (line {line})", hint=UTF8)
    return text


def _entries(text: str, findings: Findings, pages: list[Page]) -> Iterator[Entry]:
    """Iterate over the entries of a text of JSON, numbered from 1."""
    others = 0
    for row, value in enumerate(_objects(text, findings, pages), 1):
        if isinstance(value, dict):
            for name in value:
                findings.header.setdefault(name, row)
            yield Entry(value, findings, row)
        else:
            findings.add("must be an object", row=row, column="entry", value=value)
            others += 1
            if others == MANY:
                rule = f"has {MANY:,} entries that are no objects; the rest is not read"
                findings.stop(rule)


def log_rows(
    path: str | os.PathLike[str], findings: Findings, pages: list[Page]
) -> Iterator[Entry]:
    """Iterate over the rows of a file, JSON or separated values with a header.

    `pages` takes the envelopes that were met. A file that cannot be taken apart is
    refused.
    """
    text = _decoded(path, findings)
    if text.lstrip().startswith(("{", "[")):
        yield from _entries(text, findings, pages)
        return
    findings.counted = "line"
    text, skipped = _from_header(text, findings)
    header = text.partition("\n")[0]
    mark = max(SEPARATORS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        names = [name.strip() for name in next(reader)]
        findings.header |= dict.fromkeys(filter(None, names), skipped + 1)
        _refuse_twice(names, findings, skipped + 1)
        if len(names) < 2:
            findings.stop(
                "must be a list or an object of JSON, or have a header with two "
                "columns at least",
                row=skipped + 1,
            )
        for cells in reader:
            row = skipped + reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                rule = f"must have {len(names)} cells, as the header has"
                findings.add(rule, row=row, column="cells", value=len(cells))
                continue
            members = {n: _cell(c) for n, c in zip(names, cells, strict=True)}
            yield Entry(members, findings, row)
    except csv.Error as error:
        findings.stop(
            f"cannot be split into cells: {error}", row=skipped + reader.line_num
        )


def table_rows(frame: "pd.DataFrame", findings: Findings) -> Iterator[Entry]:
    """Iterate over the rows of a table in memory, counted from 1.

    A cell is taken as a file of separated values would hold it; an object of JSON may
    stand there as one.
    """
    names = [str(name).strip() for name in frame.columns]
    _refuse_twice(names, findings)
    findings.header |= dict.fromkeys(names)
    columns = [
        [
            None
            if blank
            else cell
            if isinstance(cell, dict | list)
            else _cell(str(cell))
            for cell, blank in zip(cells.tolist(), cells.isna(), strict=True)
        ]
        for _, cells in frame.items()
    ]
    for row, cells in enumerate(zip(*columns, strict=True), 1):
        yield Entry(dict(zip(names, cells, strict=True)), findings, row)


def _refuse_twice(
    names: Sequence[str], findings: Findings, row: int | None = None
) -> None:
    for name, count in Counter(filter(None, names)).items():
        if count > 1:
            rule = f"column {short(name)} stands there {count} times"
            findings.stop(rule, row=row)


def unused(findings: Findings, own: Sequence[str], *, all_asked: bool = True) -> None:
    """Say which columns of a file nobody asked for, once it has been read.

    One that misspells an own column is noted as wrong, if the file has two others of
    them at least, so that it is of that shape at all; the rest are remarked, if all
    that is read was asked for: of no entry it is, if each was given up half-way.
    """
    header = findings.header
    absent = [name for name in own if name not in header]
    ours = len(own) - len(absent) >= 2
    others = []
    unasked = [name for name in header if folded(name) not in findings.asked]
    for number, name in enumerate(unasked):
        likely = nearest(name, absent) if number < MANY else ""
        alike = difflib.SequenceMatcher(None, name.lower(), likely).ratio()
        if ours and likely and alike >= MISSPELT:
            hint = f"did you mean {likely}?"
            rule = f"unknown column {short(name)}"
            findings.add(rule, row=header[name], column=name, hint=hint)
        else:
            others.append(short(name) + f" (like {likely})" * bool(likely and ours))
    if others and all_asked:
        _LOG.warning("%s: %s", findings.file, not_used(others))


def _from_header(text: str, findings: Findings) -> tuple[str, int]:
    """Return separated values from their header on, and how many lines come before.

    Those are blank, or name the type of what PowerShell exports.
    """
    start = len(text) - len(text.lstrip())
    if text.startswith("#TYPE", start):
        end = text.find("\n", start) + 1 or len(text)
        start = end + len(text[end:]) - len(text[end:].lstrip())
    skipped = text.count("\n", 0, start)
    if not text[start:]:
        findings.stop("has no header", row=skipped + 1)
    if RULED.fullmatch(text[start:].partition("\n")[2].partition("\n")[0].rstrip("\r")):
        findings.stop(
            "is a table for the screen, which leaves most out",
            row=skipped + 1,
            hint="say -o json to az, or ConvertTo-Json -Depth 10 in PowerShell",
        )
    return text[start:], skipped


def _cell(text: str) -> object:
    """Return an object or a list that stands in a cell as JSON; else the text."""
    text = text.strip()
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text, parse_constant=_no_number, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        return text


class Listing:
    """One list, in one file or in several: its entries, and what is wrong with it."""

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        self.paths = list(paths)
        self.findings: list[Finding] = []
        self.pages: list[Page] = []

    def __iter__(self) -> Iterator[Entry]:
        """Iterate over the entries, file by file, past a file that is none."""
        for path in self.paths:
            findings = Findings(os.fspath(path), counted="row")
            with contextlib.suppress(InventoryError):  # it is among the findings
                yield from _listed(path, findings, self.pages)
            self.findings += findings.found


def _listed(
    path: str | os.PathLike[str], findings: Findings, pages: list[Page]
) -> Iterator[Entry]:
    """Iterate over the entries of a file, if it is a list of resources at all."""
    for entry in log_rows(path, findings, pages):
        if findings.counted == "line" and "id" not in entry.names:
            findings.stop(f"is no list of resources: it has no column id; {SHAPES}")
        yield entry


def unfollowed(pages: Iterable[Page]) -> bool:
    """Say whether a next page is named that is not there."""
    pages = list(pages)
    named = Counter(page.subscription for page in pages if page.more)
    there = Counter(page.subscription for page in pages)
    spare = there[None] - named[None]
    return any(
        count >= there[key] + (spare if key is not None else 0)
        for key, count in named.items()
    )


def _objects(text: str, findings: Findings, pages: list[Page]) -> Iterator[object]:
    scanner = Scanner(text, parse_constant=_no_number)
    try:
        while start := scanner.peek():
            if start == ",":
                scanner.take(",")
            elif start == "[":
                for value in scanner.members():
                    yield from _unfolded(value, pages)
            elif start == "{":
                yield from _document(scanner, pages)
            else:
                error = UnfitError("must be a list or an object", text, scanner.at)
                findings.stop(f"{error.msg} {_place(error)}")
    except RecursionError:
        findings.stop("is nested too deep")
    except UnfitError as error:  # a word or a number that JSON has not
        findings.stop(f"is no JSON: {error.msg[:80]} {_place(error)}")
    except json.JSONDecodeError as error:
        findings.stop(f"is no JSON, or cut short: {error.msg} {_place(error)}")


def _place(error: json.JSONDecodeError) -> str:
    return f"(line {error.lineno}, column {error.colno})"


def _document(scanner: Scanner, pages: list[Page]) -> Iterator[object]:
    """Iterate over the entries of an envelope, or return an object as one."""
    found, envelope, owner = {}, False, None
    for key in scanner.names():
        if key.lower() in LISTS and scanner.peek() == "[":
            envelope = True
            for value in scanner.members():
                owner = owner or _owner(value)
                yield from _unfolded(value, pages)
        else:
            found[key] = scanner.value()
    if envelope:
        pages.append(_page(found, owner))
    else:
        yield from _unfolded(found, pages)


def _unfolded(value: object, pages: list[Page], depth: int = 0) -> Iterator[object]:
    """Take lists in lists and envelopes in lists apart."""
    if isinstance(value, list) and depth < 4:
        for member in value:
            yield from _unfolded(member, pages, depth + 1)
        return
    if isinstance(value, dict) and not any(folded(key) == "id" for key in value):
        for key, inner in value.items():
            if key.lower() == "tables" and isinstance(inner, list):
                yield from _rows(inner)
                return
            if key.lower() in LISTS and isinstance(inner, list):
                owner = next(filter(None, map(_owner, inner)), None)
                pages.append(_page(value, owner))
                yield from _unfolded(inner, pages, depth + 1)
                return
    yield value


def _rows(tables: list) -> Iterator[object]:
    """Turn the tables of a query's answer into objects, a row each."""
    for table in tables:
        columns = table.get("columns") if isinstance(table, dict) else None
        rows = table.get("rows") if isinstance(table, dict) else None
        if not isinstance(columns, list) or not isinstance(rows, list):
            yield table
            continue
        names = [str(c.get("name") if isinstance(c, dict) else c) for c in columns]
        for row in rows:
            fits = isinstance(row, list) and len(row) == len(names)
            yield dict(zip(names, row, strict=True)) if fits else row


def _page(envelope: dict, owner: str | None) -> Page:
    link = next((v for k, v in envelope.items() if folded(k) == "nextlink"), None)
    if isinstance(link, str) and link:
        found = re.search(r"/subscriptions/([^/?]+)", link, re.IGNORECASE)
        return Page(found[1].lower() if found else owner, True)
    return Page(owner, False)


def _owner(value: object) -> str | None:
    """Return the subscription of an entry."""
    if not isinstance(value, dict):
        return None
    text = next((v for k, v in value.items() if k.lower() == "id"), None)
    found = re.match(r"/?subscriptions/([^/]+)", str(text), re.IGNORECASE)
    return found[1].lower() if found else None


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")
