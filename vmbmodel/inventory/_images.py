"""Two raw images of one disk, compared cell by cell, a few megabytes at a time."""

import io
import os
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from vmbmodel.inventory._runs import Gatherer
from vmbmodel.inventory.findings import Findings

__all__ = ["compare_images", "image_bytes"]

PIECE = 2**23


def image_bytes(file: BinaryIO) -> int:
    """Return the length of an image, a file or a device."""
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    return end


def compare_images(
    before: BinaryIO,
    after: BinaryIO,
    gatherer: Gatherer,
    size_bytes: int,
    done: Callable[[int], None],
) -> None:
    """Gather the cells in which two images of one length differ."""
    cell_bytes, findings = gatherer.cell_bytes, gatherer.findings
    per_piece = max(PIECE // cell_bytes, 1)
    buffers = [np.zeros(per_piece * cell_bytes, np.uint8) for _ in range(2)]
    for start in range(0, size_bytes, per_piece * cell_bytes):
        length = min(per_piece * cell_bytes, size_bytes - start)
        for file, buffer in zip((before, after), buffers, strict=True):
            _fill(file, buffer[:length], start, findings)
        cells = -(-length // cell_bytes)
        for buffer in buffers:
            buffer[length : cells * cell_bytes] = 0
        one, other = (
            buffer[: cells * cell_bytes].view(np.uint64) for buffer in buffers
        )
        if not np.array_equal(one, other):
            changed = (one != other).reshape(cells, -1).any(axis=1)
            edges = np.flatnonzero(np.diff(changed, prepend=False, append=False))
            edges += start // cell_bytes
            gatherer.add_cells(edges[::2], edges[1::2])
        done(start + length)


def _fill(file: BinaryIO, buffer: np.ndarray, start: int, findings: Findings) -> None:
    filled, view = 0, memoryview(buffer)
    while filled < len(view):
        got = file.readinto(view[filled:])
        if not got:
            name = os.fsdecode(getattr(file, "name", "image"))
            findings.stop(f"ended at byte {start + filled:,}; {name} shrank while read")
        filled += got
