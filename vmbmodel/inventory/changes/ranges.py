"""Page ranges as the storage service lists them: XML, and JSON of its clients."""

import json
import re
from array import array
from collections.abc import Callable
from typing import BinaryIO
from xml.sax import SAXParseException
from xml.sax.expatreader import ExpatParser
from xml.sax.handler import ContentHandler

import defusedxml
import defusedxml.sax
import numpy as np

from vmbmodel._files import decoded
from vmbmodel._json import unique
from vmbmodel.inventory.changes.runs import Gatherer
from vmbmodel.inventory.files import Findings, InventoryError

__all__ = ["LARGEST", "read_json", "read_xml"]

LARGEST = 10**18
"""Offsets and lengths stay below, so that they add up in 64 bits."""

PIECE = 2**18
LONGEST_MARKUP = 64  # pieces
LONGEST_JSON = 2**28
DEEPEST = 32

RANGES = ("PageRange", "ClearRange")
LISTS = ("pagerange", "clearrange", "pageranges", "clearranges")
WRAPPERS = ("pagelist", "value")
MORE = ("nextmarker", "nextlink", "continuationtoken")
GOES_ON = "must not be cut short: the list goes on elsewhere"
JOIN = "ask the service for the rest, and put all ranges into one list"


class Ranges:
    """Takes ranges one by one, checks them, and hands them on in numbers."""

    def __init__(
        self, gatherer: Gatherer, findings: Findings, size_bytes: int | None
    ) -> None:
        self.gatherer, self.findings, self.size = gatherer, findings, size_bytes
        self.offset, self.length = array("q"), array("q")

    def add(
        self, row: int, begin: tuple[str, object], end: tuple[str, object], kind: str
    ) -> None:
        """Take one range: two names with values, the second of a `kind`."""
        first, last = (self._number(row, *value) for value in (begin, end))
        self.findings.refuse_if_many()
        if first is None or last is None:
            return
        length = last - first + 1 if kind == "end" else last
        if length < 0 or (kind == "end" and length < 1):
            rule = f"must not lie before {begin[0]}, which is {first}"
            self.findings.add(rule, row=row, column=end[0], value=end[1])
        elif self.size is not None and first + length > self.size:
            rule = f"must end within the disk of {self.size:,} bytes"
            self.findings.add(rule, row=row, column=end[0], value=end[1])
        else:
            self.offset.append(first)
            self.length.append(length)
            if len(self.offset) >= 2**18:
                self.flush()

    def flush(self) -> None:
        """Hand on what was taken."""
        self.gatherer.add(np.array(self.offset), np.array(self.length))
        self.offset, self.length = array("q"), array("q")

    def _number(self, row: int, name: str, value: object) -> int | None:
        if type(value) is int and 0 <= value < LARGEST:
            return value
        text = str(value).strip() if isinstance(value, str | int) else ""
        if text.isascii() and text.isdecimal() and len(text) <= 18:
            return int(text)
        if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]+", text, re.ASCII):
            rule = "must be a whole number of bytes, in digits"
        elif text.startswith("-"):
            rule = "must not be negative"
        else:
            rule = "must be below 10**18"
        self.findings.add(rule, row=row, column=name, value=value)
        return None


class _PageList(ContentHandler):
    def __init__(self, ranges: Ranges, parser: ExpatParser) -> None:
        super().__init__()
        self.parser = parser
        self.ranges, self.findings = ranges, ranges.findings
        self.events = 0
        self.path: list[str] = []
        self.row = 0
        self.found: dict[str, str] = {}
        self.text: list[str] = []
        self.long = 0

    @property
    def line(self) -> int:
        return self.parser.getLineNumber()

    def startElement(self, name: str, attrs) -> None:  # noqa: N802
        self.events += 1
        local = name.rpartition(":")[2]
        if not self.path and local != "PageList":
            self.findings.stop(
                f"must be a list of page ranges, <PageList>; it is <{local[:60]}>",
                row=self.line,
            )
        self.path.append(local)
        if len(self.path) > DEEPEST:
            self.findings.stop(f"nests more than {DEEPEST} deep", row=self.line)
        self.text, self.long = [], 0
        if local in RANGES and len(self.path) == 2:
            self.row, self.found = self.line, {}

    def characters(self, content: str) -> None:
        self.events += 1
        if self.long < 256:
            self.text.append(content[:256])
            self.long += len(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        self.events += 1
        text, self.text, self.long = "".join(self.text), [], 0
        match self.path:
            case [_, "PageRange" | "ClearRange", "Start" | "End" as edge]:
                if edge in self.found:
                    rule = "must stand once in a range"
                    self.findings.add(rule, row=self.line, column=edge, value=text)
                self.found[edge] = text
            case [_, "PageRange" | "ClearRange" as kind]:
                self._range(kind)
            case [_, "NextMarker"] if text.strip():
                self.findings.add(
                    GOES_ON, row=self.line, column="NextMarker", value=text, hint=JOIN
                )
        self.path.pop()

    def _range(self, kind: str) -> None:
        for edge in ("Start", "End"):
            if edge not in self.found:
                self.findings.add(f"a {kind} must have a {edge}", row=self.row)
                self.findings.refuse_if_many()
        if len(self.found) == 2:
            start, end = self.found["Start"], self.found["End"]
            self.ranges.add(self.row, ("Start", start), ("End", end), "end")


def read_xml(file: BinaryIO, ranges: Ranges, done: Callable[[int], None]) -> None:
    """Read a list of page ranges; nothing but it, no entities, no references."""
    findings = ranges.findings
    parser = defusedxml.sax.make_parser()
    parser.forbid_dtd = True
    handler = _PageList(ranges, parser)
    parser.setContentHandler(handler)
    read = silent = 0
    try:
        while data := file.read(PIECE):
            read += len(data)
            before = handler.events
            parser.feed(data)
            silent = silent + 1 if handler.events == before else 0
            if silent > LONGEST_MARKUP:
                findings.stop("has markup longer than 16 MiB", row=handler.line)
            done(read)
        parser.close()
    except defusedxml.DefusedXmlException:
        findings.stop(
            "must not declare a document type or entities: a list of page ranges "
            "has none",
            row=handler.line,
        )
    except SAXParseException as error:
        findings.stop(
            f"is no well-formed XML, or cut short: {error.getMessage()}",
            row=error.getLineNumber(),
        )
    except InventoryError:
        raise
    except (LookupError, ValueError) as error:
        findings.stop(f"cannot be read as XML: {error}")
    ranges.flush()


_RANGE = object()


def read_json(file: BinaryIO, ranges: Ranges, done: Callable[[int], None]) -> None:
    """Read page ranges from JSON, each object turned into numbers on the way."""
    findings = ranges.findings
    findings.counted = "row"
    data = file.read(LONGEST_JSON + 1)
    done(len(data))
    if len(data) > LONGEST_JSON:
        findings.stop(
            "is longer than 256 MiB", hint="write the ranges as CSV: offset,length"
        )
    count = 0

    def each(pairs: list[tuple[str, object]]) -> object:
        nonlocal count
        members = unique(pairs)
        named = {str(name).lower(): (name, value) for name, value in members.items()}
        if "start" in named and "end" in named:
            begin, end, kind = named["start"], named["end"], "end"
        elif "offset" in named and ("count" in named or "length" in named):
            begin, kind = named["offset"], "length"
            end = named.get("count") or named["length"]
        else:
            return members
        count += 1
        ranges.add(count, begin, end, kind)
        return _RANGE

    try:
        text = decoded(data)
    except ValueError as error:
        findings.stop(str(error))
    try:
        document = json.loads(text, object_pairs_hook=each)
    except RecursionError:
        findings.stop("is no list of page ranges: it nests too deep")
    except json.JSONDecodeError as error:
        findings.counted = "line"
        findings.stop(f"is no JSON, or cut short: {error.msg}", row=error.lineno)
    except InventoryError:
        raise
    except ValueError as error:
        findings.stop(f"cannot be read as JSON: {error}")
    _check_document(document, findings)
    ranges.flush()


def _check_document(document: object, findings: Findings) -> None:
    """Refuse a document that holds other things where ranges should be."""
    lists, outer = [], document
    for _ in range(3):  # {"PageList": {"PageRange": [...]}}
        if isinstance(outer, list):
            lists.append(("range", outer))
        inner = None
        for name, value in outer.items() if isinstance(outer, dict) else ():
            if name.lower() in LISTS:
                lists.append((name, value))
            elif name.lower() in WRAPPERS:
                inner = value
            elif name.lower() in MORE and value:
                findings.add(GOES_ON, column=name, value=value, hint=JOIN)
        outer = inner
    if not lists:
        findings.stop("must have a list pageRange or clearRange")
    for name, found in lists:
        if found is None or found is _RANGE:
            continue
        if not isinstance(found, list):
            findings.add("must be a list of ranges", column=name, value=found)
            continue
        for at, item in enumerate(found, 1):
            if item is not _RANGE:
                rule = "must be a range: start and end, or offset and count"
                findings.add(rule, row=at, column=name, value=item)
                findings.refuse_if_many()
