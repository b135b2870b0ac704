"""Changed cells as runs: sorted, apart from each other, two whole numbers each."""

from typing import NamedTuple

import numpy as np

from vmbmodel.inventory.files import Findings

__all__ = ["Gatherer", "Runs", "merged"]

PENDING = 2**20
MOST_RUNS = 2**25
"""Runs that are kept apart; more would not fit a small machine."""


class Runs(NamedTuple):
    """Runs of cells, each from its first cell to the one behind its last."""

    begin: np.ndarray
    end: np.ndarray

    @property
    def cells(self) -> int:
        """How many cells lie in the runs."""
        return int((self.end - self.begin).sum())

    @property
    def count(self) -> int:
        """How many runs there are."""
        return int(self.begin.size)

    def of_size(self, cell_bytes: int, larger_bytes: int) -> "Runs":
        """Return the same runs in larger cells."""
        begin = self.begin * cell_bytes // larger_bytes
        end = -(-self.end * cell_bytes // larger_bytes)
        return merged(begin, end)


def merged(begin: np.ndarray, end: np.ndarray) -> Runs:
    """Sort runs, and join those that overlap or touch.

    >>> merged(np.array([5, 0, 2]), np.array([7, 2, 3])).end.tolist()
    [3, 7]
    """
    if not begin.size:
        return Runs(begin, end)
    if (begin[1:] < begin[:-1]).any():
        order = np.argsort(begin, kind="stable")
        begin, end = begin[order], end[order]
    reach = np.maximum.accumulate(end)
    first = np.flatnonzero(np.concatenate([[True], begin[1:] > reach[:-1]]))
    last = np.concatenate([first[1:] - 1, [begin.size - 1]])
    return Runs(begin[first], reach[last])


class Gatherer:
    """Joins ranges of bytes into runs of cells, few of them held at a time."""

    def __init__(self, cell_bytes: int, findings: Findings) -> None:
        self.cell_bytes = cell_bytes
        self.findings = findings
        self.reach_bytes = 0
        self.runs = Runs(np.empty(0, np.int64), np.empty(0, np.int64))
        self._pending: list[Runs] = []
        self._waiting = 0

    def add(self, offset: np.ndarray, length: np.ndarray) -> None:
        """Take ranges in bytes, in any order; an empty one touches nothing."""
        filled = length > 0
        if not filled.all():
            offset, length = offset[filled], length[filled]
        if not offset.size:
            return
        end = offset + length
        self.reach_bytes = max(self.reach_bytes, int(end.max()))
        self.add_cells(offset // self.cell_bytes, -(-end // self.cell_bytes))

    def add_cells(self, begin: np.ndarray, end: np.ndarray) -> None:
        """Take ranges in cells."""
        runs = merged(begin, end)
        self._pending.append(runs)
        self._waiting += runs.count
        if self._waiting > max(PENDING, self.runs.count):
            self._join()

    def result(self) -> Runs:
        """Return all runs."""
        self._join()
        return self.runs

    def _join(self) -> None:
        parts = [self.runs, *self._pending]
        self.runs = merged(
            np.concatenate([part.begin for part in parts]),
            np.concatenate([part.end for part in parts]),
        )
        self._pending, self._waiting = [], 0
        if self.runs.count > MOST_RUNS:
            self.findings.stop(
                f"changes lie in more than {MOST_RUNS:,} separate runs of cells of "
                f"{self.cell_bytes / 1024:g} KiB",
                hint="take larger cells",
            )
