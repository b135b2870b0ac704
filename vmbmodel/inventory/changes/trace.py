"""Changes as text: extents and writes in CSV, and what ``blkparse`` prints."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vmbmodel.fields import nearest
from vmbmodel.inventory.changes.ranges import LARGEST
from vmbmodel.inventory.changes.runs import Gatherer
from vmbmodel.inventory.files import (
    MANY,
    Cells,
    Findings,
    stream_cells,
    stream_lines,
)

__all__ = ["EVENT", "Writes", "read_blkparse", "read_csv"]

EXTENTS = ("offset", "length")
TRACE = ("op", "offset", "size")
SECTOR = 512

EVENT = (
    r"^\s*(?P<device>\d+,\d+)\s+\d+\s+\d+\s+\d+\.\d+\s+\d+\s+"
    r"(?P<action>[A-Z]{1,2})\s+(?P<kind>[A-Z]+)\s*(?P<rest>.*)$"
)
"""A line of ``blkparse`` in its default format, up to where the sector stands."""

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
    words = pc.dictionary_encode(cells.columns["op"])
    kinds = [_is_write(word) for word in words.dictionary.to_pylist()]
    kind = np.array([-1 if k is None else int(k) for k in kinds])[words.indices]
    cells.note(
        "must say write or read, W or R",
        "op",
        np.flatnonzero(kind < 0)[: MANY + 1],
    )
    at = np.flatnonzero(kind == 1)
    columns = {
        name: column.take(pa.array(at)) for name, column in cells.columns.items()
    }
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
        text = pc.utf8_trim_whitespace(cells.columns[name])
        digits = _which(pc.match_substring_regex(text, r"^[0-9]+$"))
        short = _which(pc.match_substring_regex(text, r"^[0-9]{1,18}$"))
        negative = _which(pc.match_substring_regex(text, r"^-[0-9]+$"))
        for rule, bad in [
            ("must not be negative", negative),
            ("must be below 10**18", digits & ~short),
            ("must be a whole number of bytes, in digits", ~digits & ~negative),
        ]:
            cells.note(rule, name, np.flatnonzero(bad)[: MANY + 1])
        fine &= short
        safe = pc.if_else(pa.array(short), text, "0")
        numbers.append(pc.cast(safe, pa.int64()).to_numpy(zero_copy_only=False))
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
        found = pc.extract_regex(pa.array(piece.split(b"\n")).cast(pa.string()), EVENT)
        at = np.flatnonzero(_which(pc.is_valid(found)))
        events += at.size
        if not at.size:
            continue
        found = found.take(pa.array(at))
        rows = at + line
        devices = pc.unique(found.field("device")).to_pylist()
        device = device or devices[0]
        other = [name for name in devices if name != device]
        if other:
            row = int(rows[_which(pc.equal(found.field("device"), other[0]))][0])
            findings.stop(
                f"must hold the events of one disk; has {device} and {other[0]}",
                row=row,
                hint="filter by the first column",
            )
        written = pc.match_substring(found.field("kind"), "W")
        actions = found.field("action")
        for action, order in ACTIONS.items():
            chosen = _which(pc.and_(written, pc.equal(actions, action)))
            if order < rank or not chosen.any():
                continue
            if order > rank:
                gatherer, writes, rank = Gatherer(cell_bytes, findings), Writes(), order
            which = pa.array(np.flatnonzero(chosen))
            rest = found.field("rest").take(which)
            offset, size = _sectors(rest, rows[chosen], size_bytes, findings)
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
    rest: pa.Array, rows: np.ndarray, size_bytes: int | None, findings: Findings
) -> tuple[np.ndarray, np.ndarray]:
    """Return offsets and sizes in bytes of what follows the letters of a write."""
    parts = pc.extract_regex(
        rest, r"^(?P<sector>[0-9]{1,15}) \+ (?P<count>[0-9]{1,15})\b"
    )
    fine = _which(pc.is_valid(parts))
    empty = _which(pc.match_substring_regex(rest, r"^([0-9]+ )?[\[(]"))  # no data
    bad = np.flatnonzero(~fine & ~empty)[: MANY + 1]
    findings.add_cells(
        "must say sector + sectors",
        "write",
        rows[bad].tolist(),
        rest.take(pa.array(bad)).to_pylist(),
        [""] * bad.size,
    )
    parts = parts.filter(pa.array(fine))
    offset, size = (
        pc.cast(parts.field(name), pa.int64()).to_numpy(zero_copy_only=False) * SECTOR
        for name in ("sector", "count")
    )
    bound = LARGEST if size_bytes is None else size_bytes
    beyond = (offset + size > bound) & (size > 0)
    if beyond.any():
        at = np.flatnonzero(fine)[beyond][: MANY + 1]
        rule = f"must end within the disk of {bound:,} bytes"
        values = rest.take(pa.array(at)).to_pylist()
        findings.add_cells(rule, "write", rows[at].tolist(), values, [""] * at.size)
    return offset[~beyond], size[~beyond]


def _which(flags) -> np.ndarray:
    return flags.to_numpy(zero_copy_only=False).astype(bool)
