"""Changes as text: extents and writes in CSV, and what ``blkparse`` prints."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from vmbmodel._words import short
from vmbmodel.fields import nearest
from vmbmodel.inventory.changes.ranges import LARGEST
from vmbmodel.inventory.changes.runs import Gatherer
from vmbmodel.inventory.files import (
    MANY,
    Cells,
    Findings,
    not_used,
    stream_cells,
    stream_lines,
)

__all__ = ["EVENT", "Writes", "read_blkparse", "read_csv"]

_LOG = logging.getLogger(__name__)

EXTENTS = ("offset", "length")
TRACE = ("op", "offset", "size")
SECTOR = 512

EVENT = re.compile(
    r"\s*(?P<device>\d+,\d+)\s+\d+\s+\d+\s+\d+\.\d+\s+\d+\s+"
    r"(?P<action>[A-Z]{1,2})\s+(?P<kind>[A-Z]+)\s*(?P<rest>.*)",
    re.ASCII,
)
"""A line of ``blkparse`` in its default format, up to where the sector stands."""

DEVICE = re.compile(r"\s*\d+,\d+\s(?!.*\sm\s+N\s)", re.ASCII)
"""How such a line begins; one of a message, ``m N``, is no event."""

SECTORS = re.compile(r"([0-9]{1,15}) \+ ([0-9]{1,15})\b", re.ASCII)
NO_DATA = re.compile(r"([0-9]+ )?[\[(]")
"""What stands behind the letters of a write, with data and without."""

ACTIONS = {"Q": 1, "D": 2, "C": 3}
"""Queued, issued, completed: of one write the last that a trace holds counts."""

READS = ("r", "read", "d", "discard", "trim", "unmap", "f", "flush", "n", "none")


@dataclass
class Writes:
    """How many writes there were, and of which size."""

    count: int = 0
    size_bytes: int = 0
    small: int = 0
    """Those smaller than a cell."""

    def add(self, size: np.ndarray, cell_bytes: int) -> None:
        """Count some more; a write of nothing is none."""
        size = size[size > 0]
        self.count += int(size.size)
        self.size_bytes += int(size.sum())
        self.small += int((size < cell_bytes).sum())


def read_csv(
    file: BinaryIO,
    gatherer: Gatherer,
    size_bytes: int | None,
    done: Callable[[int], None],
) -> Writes | None:
    """Read extents or a trace of writes; of the latter, give the sizes too."""
    findings = gatherer.findings
    writes, wanted = None, ()

    def columns_of(names: Sequence[str], line: int) -> Mapping[str, int]:
        nonlocal writes, wanted
        lower = [name.lower() for name in names]
        trace = "op" in lower or "size" in lower
        wanted = TRACE if trace else EXTENTS
        writes = Writes() if trace else None
        for name in wanted:
            if lower.count(name) != 1:
                like = nearest(name, names) if name not in lower else ""
                hint = f"did you mean {like} to be {name}?" if like else ""
                rule = f"column {name} must stand there once"
                findings.add(rule, row=line, column=name, hint=hint)
        findings.refuse_if_any()
        others = [short(name) for name in names if name.lower() not in wanted]
        if others:
            _LOG.warning("%s: %s", findings.file, not_used(others))
        return {name: lower.index(name) for name in wanted}

    for cells in stream_cells(file, findings, columns_of, done):
        if writes is not None:
            cells = _writes_only(cells)
        offset, size = _ranges(cells, wanted[-2:], size_bytes)
        gatherer.add(offset, size)
        if writes is not None:
            writes.add(size, gatherer.cell_bytes)
        findings.refuse_if_many()
    if not wanted:
        findings.stop("is empty; a header is needed: offset,length or op,offset,size")
    return writes


def _writes_only(cells: Cells) -> Cells:
    """Drop the rows that write nothing, and those of which it is not known."""
    operation = cells.columns["op"]
    kinds = [_is_write(word) for word in operation.words]
    kind = operation.spread([-1 if k is None else int(k) for k in kinds], -1, int)
    cells.note(
        "must say write or read, W or R",
        "op",
        np.flatnonzero(kind < 0)[: MANY + 1],
    )
    at = np.flatnonzero(kind == 1)
    columns = {name: column[at] for name, column in cells.columns.items()}
    return Cells(columns, cells.rows[at], cells.findings)


def _is_write(word: str) -> bool | None:
    """Say of an operation whether it writes; None if it cannot be told."""
    plain = word.strip().lower()
    if plain == "write":
        return True
    if plain in READS:
        return False
    if plain and len(plain) <= 8 and set(plain) <= set("rwdfnsamve"):
        return "w" in plain  # the letters of blktrace, such as WS
    return None


def _ranges(
    cells: Cells, names: Sequence[str], size_bytes: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return offsets and lengths of the good rows, and note the others."""
    fine = np.ones(cells.rows.size, dtype=bool)
    numbers = []
    for name in names:
        text = cells.columns[name].map(str.strip)
        whole = [
            int(word) if word.isascii() and word.isdigit() and len(word) <= 18 else -1
            for word in text.words
        ]
        values = text.spread(whole, -1, np.int64)
        short = values >= 0
        if not short.all():
            digits = text.holds(re.compile("[0-9]+").fullmatch)
            negative = text.holds(re.compile("-[0-9]+").fullmatch)
            for rule, bad in [
                ("must not be negative", negative),
                ("must be below 10**18", digits & ~short),
                ("must be a whole number of bytes, in digits", ~digits & ~negative),
            ]:
                cells.note(rule, name, np.flatnonzero(bad)[: MANY + 1])
        fine &= short
        numbers.append(values)
    offset, length = numbers
    if size_bytes is not None:
        beyond = fine & (offset + length > size_bytes) & (length > 0)
        rule = f"must end within the disk of {size_bytes:,} bytes"
        cells.note(rule, names[1], np.flatnonzero(beyond)[: MANY + 1])
        fine &= ~beyond
    return offset[fine], length[fine]


def read_blkparse(
    file: BinaryIO,
    gatherer: Gatherer,
    size_bytes: int | None,
    done: Callable[[int], None],
) -> tuple[Gatherer, Writes]:
    """Read the events of one disk: of each write the last one traced."""
    findings, cell_bytes = gatherer.findings, gatherer.cell_bytes
    writes, rank, device, events = Writes(), 0, None, 0
    for line, piece in stream_lines(file, findings, done):
        found, cut = [], []
        for row, text in enumerate(piece.decode().split("\n"), line):
            if event := EVENT.match(text):
                found.append((row, event))
            elif DEVICE.match(text):
                cut.append((row, text))
        _note("must be an event as blkparse prints it", cut, findings)
        events += len(found)
        for row, event in found:
            device = device or event["device"]
            if event["device"] != device:
                findings.stop(
                    f"must hold the events of one disk; has {device} and "
                    f"{event['device']}",
                    row=row,
                    hint="filter by the first column",
                )
        for action, order in ACTIONS.items():
            chosen = [
                (row, event["rest"])
                for row, event in found
                if event["action"] == action and "W" in event["kind"]
            ]
            if order < rank or not chosen:
                continue
            if order > rank:
                gatherer, writes, rank = Gatherer(cell_bytes, findings), Writes(), order
            offset, size = _sectors(chosen, size_bytes, findings)
            gatherer.add(offset, size)
            writes.add(size, cell_bytes)
        findings.refuse_if_many()
    if not events:
        findings.stop(
            "must have a header, offset,length or op,offset,size, or be text that "
            "blkparse printed in its default format"
        )
    return gatherer, writes


def _sectors(
    chosen: Sequence[tuple[int, str]], size_bytes: int | None, findings: Findings
) -> tuple[np.ndarray, np.ndarray]:
    """Return offsets and sizes in bytes of writes: their lines, and what these say."""
    parts = [(row, rest, SECTORS.match(rest)) for row, rest in chosen]
    bad = [(r, t) for r, t, match in parts if not match and not NO_DATA.match(t)]
    _note("must say sector + sectors", bad, findings)
    fine = [(row, rest) for row, rest, match in parts if match]
    ranges = [match.groups() for *_, match in parts if match]
    ranges = np.array(ranges, dtype=np.int64).reshape(-1, 2)
    offset, size = ranges.T * SECTOR
    bound = LARGEST if size_bytes is None else size_bytes
    beyond = (offset + size > bound) & (size > 0)
    bad = [fine[i] for i in np.flatnonzero(beyond)]
    _note(f"must end within the disk of {bound:,} bytes", bad, findings)
    return offset[~beyond], size[~beyond]


def _note(rule: str, bad: Sequence[tuple[int, str]], findings: Findings) -> None:
    for row, value in bad[: MANY + 1]:
        findings.add(rule, row=row, column="write", value=value)
