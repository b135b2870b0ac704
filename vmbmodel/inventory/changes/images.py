"""Two raw images of one disk, compared cell by cell, a few megabytes at a time."""

import errno
import io
import os
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from vmbmodel.inventory.changes.runs import Gatherer
from vmbmodel.inventory.files import Findings

__all__ = ["gather_differences", "image_bytes"]

PIECE = 2**23


def image_bytes(file: BinaryIO) -> int:
    """Return the length of an image, a file or a device."""
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    return end


def gather_differences(
    before: BinaryIO,
    after: BinaryIO,
    gatherer: Gatherer,
    size_bytes: int,
    done: Callable[[int], None],
) -> None:
    """Gather the cells in which two images of one length differ.

    What an image has not stored, a hole, is zeros and not read.
    """
    cell_bytes, findings = gatherer.cell_bytes, gatherer.findings
    piece = max(PIECE // cell_bytes, 1) * cell_bytes
    buffers = [np.zeros(piece, np.uint8) for _ in range(2)]
    start = 0
    while True:
        stored = [_stored_from(file, start, size_bytes) for file in (before, after)]
        if min(stored) >= size_bytes:
            break
        start = min(stored) // piece * piece
        length = min(piece, size_bytes - start)
        for file, at, buffer in zip((before, after), stored, buffers, strict=True):
            if at < start + length:
                _fill(file, buffer[:length], start, findings)
            else:
                buffer[:] = 0
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
        start += length
        done(start)
    done(size_bytes)


def _stored_from(file: BinaryIO, start: int, size_bytes: int) -> int:
    """Return where the next stored data begin; in between are zeros."""
    if start >= size_bytes or not hasattr(os, "SEEK_DATA"):
        return start
    try:
        return file.seek(start, os.SEEK_DATA)
    except OSError as error:
        nothing = error.errno == errno.ENXIO and image_bytes(file) >= size_bytes
        return size_bytes if nothing else start


def _fill(file: BinaryIO, buffer: np.ndarray, start: int, findings: Findings) -> None:
    filled, view = 0, memoryview(buffer)
    file.seek(start)
    while filled < len(view):
        got = file.readinto(view[filled:])
        if not got:
            name = os.fsdecode(getattr(file, "name", "image"))
            findings.stop(f"ended at byte {start + filled:,}; {name} shrank while read")
        filled += got
