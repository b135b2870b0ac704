"""A comma-separated file as columns of text, with the line of every row.

A cell never holds a line break, so a row is a line: what a text editor numbers.
Quotes and cells are counted on the bytes, for all lines of a piece at once.
Lines that do not split as the header does are noted and left out; the rest is
split where its cells end.
"""

import csv as plain_csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np

from vmbmodel._files import fault_of_packed
from vmbmodel.inventory.files.findings import MANY, Cells, Findings
from vmbmodel.inventory.files.words import Numbering, Text

__all__ = ["read_text", "stream_cells", "stream_lines"]

LONGEST_LINE = 2**20
PIECE = 2**22
"""Bytes of a file that are looked at together."""

UTF8 = "save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')"
NO_HEADER = "has no header; a header and a row a disk are needed"
COMMA, NEWLINE, QUOTE = b',\n"'
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class Lines(NamedTuple):
    """What the lines of a block look like: an entry a byte, then an entry a line."""

    raw: np.ndarray
    ends: np.ndarray
    """Whether a cell ends with this byte."""
    lengths: np.ndarray
    blank: np.ndarray
    cells: np.ndarray
    unclosed: np.ndarray
    misplaced: np.ndarray


class Header(NamedTuple):
    """The first line with anything in it, and what it says of the others."""

    line: int
    end: int
    """Where the line behind it begins."""
    width: int
    positions: Mapping[str, int]
    """Columns that are wanted, each with its place."""


ColumnsOf = Callable[[Sequence[str], int], Mapping[str, int]]
"""Takes the names in a header and its line; gives those wanted, with their places."""


def read_text(data: bytes, findings: Findings, columns_of: ColumnsOf) -> Cells:
    """Split a file into cells: the columns wanted, as text."""
    text = _plain(data, findings)
    text, parted = _with_commas(text, findings)
    header = _header(text, 1, findings, columns_of)
    line = header.line + 1
    numberings = {name: Numbering() for name in header.positions}
    codes, rows, complete = {name: [] for name in numberings}, [], True
    for block in _blocks(text, header.end):
        columns, numbers, whole = _rows(block, line, header, findings)
        line += block.count(b"\n")
        complete &= whole
        rows.append(numbers)
        for name, cells in columns.items():
            codes[name].append(numberings[name].of(cells))
    rows = np.concatenate([np.array([], dtype=int), *rows])
    if not rows.size:
        if complete:
            findings.stop("has a header and no rows; a row a disk is needed")
        return Cells({}, rows, findings, complete)
    columns = {
        name: _text(numbering, np.concatenate(codes[name]))
        for name, numbering in numberings.items()
    }
    return Cells(columns, rows, findings, complete, parted)


def _with_commas(text: bytes, findings: Findings) -> tuple[bytes, bool]:
    """Part cells by commas, where the header shows that something else parts them.

    A spreadsheet does so where the comma parts decimals; it may say how in a first
    line, ``sep=;``, which is left blank. Lines stay where they are.
    """
    start = len(text) - len(text.lstrip())
    first = text[start : text.index(b"\n", start)].strip().lower()
    if first in (b"sep=;", b"sep=,", b"sep=|", b"sep="):
        text = text[:start] + text[text.index(b"\n", start) :]
        if not text.strip():
            findings.stop(NO_HEADER)
        start = len(text) - len(text.lstrip())
    header = text[start : text.index(b"\n", start)].decode()
    mark = max(SEPARATORS, key=header.count)
    if "," in header or mark not in header:
        return text, False
    findings.remark(f"its cells are parted by {SEPARATORS[mark]}")
    made = io.StringIO(newline="")
    writer = plain_csv.writer(made, lineterminator="\n")
    for line in text.decode().removesuffix("\n").split("\n"):  # no other mark ends one
        try:
            cells = next(plain_csv.reader([line], delimiter=mark, strict=True), [])
        except plain_csv.Error:
            cells = [line]  # it will not split as the header does, and is named
        writer.writerow(cells if any(cell.strip() for cell in cells) else [])
    if not made.getvalue().strip():
        findings.stop(NO_HEADER)
    return made.getvalue().encode(), True


def stream_lines(
    file: BinaryIO, findings: Findings, done: Callable[[int], None]
) -> Iterator[tuple[int, bytes]]:
    """Cut a text of any size into pieces of whole lines, ended alike.

    Gives the line with which a piece begins, and the piece; `done` is told how many
    bytes have been read.
    """
    line, offset, held, last = 1, 0, b"", False
    while not last:
        data = file.read(PIECE)
        last = not data
        if not offset:
            _refuse_mark(data, findings)
        done(offset + len(data))
        text = held + (b"\n" if last and held and held[-1:] != b"\n" else data)
        if offset == 0:
            text = text.removeprefix(b"\xef\xbb\xbf")
        return_held = b"" if last or not text.endswith(b"\r") else b"\r"
        text = text[: len(text) - len(return_held)]
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = text.rfind(b"\n") + 1
        held = text[end:] + return_held
        if len(held) > LONGEST_LINE:
            row = line + text.count(b"\n")
            findings.stop("is longer than 1 MiB, or no text", row=row)
        piece = text[:end]
        if piece:
            _refuse_no_text(piece, findings, line, whole=False)
            yield line, piece
            line += piece.count(b"\n")
        offset += len(data)


def stream_cells(
    file: BinaryIO,
    findings: Findings,
    columns_of: ColumnsOf,
    done: Callable[[int], None],
) -> Iterator[Cells]:
    """Split a file of any size into cells, some rows at a time.

    `done` is told how many bytes have been read.
    """
    header = None
    for line, piece in stream_lines(file, findings, done):
        if header is None:
            if not piece.strip():
                continue
            header = _header(piece, line, findings, columns_of)
            line, piece = header.line + 1, piece[header.end :]
        if not piece:
            continue
        columns, numbers, _ = _rows(piece, line, header, findings, MANY + 1)
        findings.refuse_if_many()
        if numbers.size:
            numberings = {name: Numbering() for name in columns}
            texts = {
                name: _text(numberings[name], numberings[name].of(cells))
                for name, cells in columns.items()
            }
            yield Cells(texts, numbers, findings)


def _header(
    text: bytes, line: int, findings: Findings, columns_of: ColumnsOf
) -> Header:
    """Find the header in a text that begins with a line and is not blank."""
    start = text.rfind(b"\n", 0, re.search(rb"\S", text).start()) + 1
    end = text.index(b"\n", start) + 1
    line += text.count(b"\n", 0, start)
    header = text[start:end]
    width = _width(header, line, findings)
    seen = _lines(header)
    names = [_unquoted(cell).strip() for cell in _split(seen.raw, seen.ends)]
    return Header(line, end, width, columns_of(names, line))


def _rows(
    block: bytes,
    line: int,
    header: Header,
    findings: Findings,
    most: int | None = None,
) -> tuple[dict[str, list[str]], np.ndarray, bool]:
    """Split the lines of a block that can be; say which, and whether all could.

    Gives the cells of each column wanted, as they are spelt.
    """
    lines = _lines(block)
    numbers = np.arange(lines.lengths.size) + line
    good = _note_bad_lines(lines, numbers, header.width, findings, most)
    complete = bool((good | lines.blank).all())
    raw, ends = lines.raw, lines.ends
    if not good.all():
        kept = np.repeat(good, lines.lengths)
        raw, ends = raw[kept], ends[kept]
    cells = _split(raw, ends)
    columns = {name: cells[i :: header.width] for name, i in header.positions.items()}
    return columns, numbers[good], complete


def _split(raw: np.ndarray, ends: np.ndarray) -> list[str]:
    """Split lines into cells, as they are spelt, where a mask says that one ends."""
    raw = np.where(ends, np.uint8(0), raw)  # a byte that stands in no text
    return raw.tobytes().decode().split("\0")[:-1]


def _text(numbering: Numbering, codes: np.ndarray) -> Text:
    """Return a column of text, from how its cells are spelt."""
    text = Text(numbering.words(), codes)
    return text.map(_unquoted) if '"' in "".join(text.words) else text


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _refuse_mark(data: bytes, findings: Findings) -> None:
    """Refuse what its first bytes show to be no UTF-8."""
    if fault := fault_of_packed(data, "save the sheet as 'CSV UTF-8'"):
        findings.stop(fault)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        findings.stop("is UTF-16, by its mark at byte offset 0", hint=UTF8)


def _refuse_no_text(
    data: bytes, findings: Findings, line: int = 1, *, whole: bool = True
) -> None:
    """Refuse bytes that no text in UTF-8 has; `data` begins with a line."""

    def place(at: int) -> str:
        return f" at byte offset {at:,}" if whole else ""

    if (nul := data.find(b"\0")) >= 0:
        findings.stop(
            f"has a NUL byte{place(nul)}, so it is UTF-16 or no text",
            row=line - 1 + _line_at(data, nul),
            hint=UTF8,
        )
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            at = error.start
            findings.stop(
                f"has byte 0x{data[at]:02x}{place(at)}, which is not UTF-8",
                row=line - 1 + _line_at(data, at),
                hint=UTF8,
            )


def _plain(data: bytes, findings: Findings) -> bytes:
    """Return UTF-8 with one kind of line end, or refuse the file."""
    _refuse_mark(data, findings)
    _refuse_no_text(data, findings)
    text = data.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not text.strip():
        findings.stop("is empty; a header and a row a disk are needed")
    return text if text.endswith(b"\n") else text + b"\n"


def _line_at(data: bytes, offset: int) -> int:
    before = data[:offset].replace(b"\r\n", b"\n")
    return before.count(b"\n") + before.count(b"\r") + 1


def _width(header: bytes, line: int, findings: Findings) -> int:
    seen = _lines(header)
    if len(header) > LONGEST_LINE:
        findings.stop("is longer than 1 MiB", row=line)
    if seen.unclosed[0] or seen.misplaced[0]:
        findings.stop("must have every name plain, or wholly in quotes", row=line)
    if seen.cells[0] == 1:
        for separator, kind in SEPARATORS.items():
            if separator in header.decode().strip():
                findings.stop(
                    f"must separate cells by commas; it has {kind}",
                    row=line,
                    hint="save it again with commas, and a point for decimals",
                )
    return int(seen.cells[0])


def _blocks(text: bytes, start: int) -> Iterator[bytes]:
    """Cut a text after line ends, into pieces of no more memory than needed."""
    while start < len(text):
        end = text.rfind(b"\n", start, start + PIECE) + 1
        end = end or text.index(b"\n", start) + 1
        yield text[start:end]
        start = end


def _lines(block: bytes) -> Lines:
    """Count the cells of each line, and find its quotes out of place."""
    raw = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(raw == NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    comma = raw == COMMA
    unclosed = misplaced = np.zeros(ends.size, dtype=bool)
    if b'"' in block:
        quote = raw == QUOTE
        inside = np.logical_xor.accumulate(quote)  # ... since the block began
        inside ^= np.repeat(inside[starts] ^ quote[starts], lengths)  # ... the line
        unclosed = inside[ends]
        comma &= ~inside
        edge = comma | quote | (raw == NEWLINE)
        before = np.concatenate([[True], edge[:-1]])
        after = np.concatenate([edge[1:], [True]])
        astray = quote & np.where(inside, ~before, ~after)
        misplaced = np.logical_or.reduceat(astray, starts)
    filled = ~np.isin(raw, list(b" \t\n"))
    return Lines(
        raw,
        comma | (raw == NEWLINE),
        lengths,
        blank=~np.logical_or.reduceat(filled, starts),
        cells=np.add.reduceat(comma, starts, dtype=np.int64) + 1,
        unclosed=unclosed,
        misplaced=misplaced,
    )


def _note_bad_lines(
    lines: Lines,
    numbers: np.ndarray,
    width: int,
    findings: Findings,
    most: int | None = None,
) -> np.ndarray:
    """Note each line that cannot be split; say which lines can."""
    fine = ~lines.blank
    for rule, bad in [
        ("is longer than 1 MiB", lines.lengths > LONGEST_LINE),
        (
            "has a quote that is not closed on its line; a cell holds no line break",
            lines.unclosed,
        ),
        (
            "has a quote inside a cell; a quoted cell begins and ends with one, "
            "and doubles those inside",
            lines.misplaced,
        ),
        (f"must have {width} cells, as the header has", lines.cells != width),
    ]:
        at = np.flatnonzero(bad & fine)[:most]
        hints = [""] * at.size
        if "cells" in rule:
            hints = [_miscount(n, width) for n in lines.cells[at].tolist()]
        findings.add_cells(rule, None, numbers[at].tolist(), [None] * at.size, hints)
        fine &= ~bad
    return fine


def _miscount(cells: int, width: int) -> str:
    if cells < width:
        return f"has {cells}"
    return f"has {cells}: quote a cell that holds a comma; decimals take a point"
