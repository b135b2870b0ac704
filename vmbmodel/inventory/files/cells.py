"""The cells of a file, column by column, and what all of them keep to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from vmbmodel.inventory.files.findings import Findings

__all__ = [
    "LONGEST_NAME",
    "NOT_A_FLAG",
    "NOT_A_NUMBER",
    "UNPRINTABLE",
    "Cells",
]

LONGEST_NAME = 260
"""Characters of the longest name that is taken."""

NOT_A_NUMBER = "must be a number"
NOT_A_FLAG = "must be true or false (yes or no, 1 or 0)"

UNPRINTABLE = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"


@dataclass(frozen=True)
class Cells:
    """Columns as they stand in a file, and where to note what is wrong."""

    columns: Mapping[str, pa.Array]
    """Text, or ``float64`` where the file has types."""
    rows: np.ndarray
    """Line or row number of each entry."""
    findings: Findings
    complete: bool = True
    """Whether every line of the file could be split into cells."""

    def note(
        self,
        rule: str,
        column: str,
        at: np.ndarray,
        hints: Callable[[object], str] | Sequence[str] | None = None,
    ) -> None:
        """Note a rule that the cells of a column break, at some positions."""
        if not at.size:
            return
        values = self._values(column, at)
        if callable(hints):
            hints = [hints(value) for value in values]
        rows = self.rows[at].tolist()
        self.findings.add_cells(rule, column, rows, values, hints or [""] * at.size)

    def at(self, column: str, at: np.ndarray) -> list[tuple[object, str]]:
        """Return what stands at some positions, each with its place: ``line 7``."""
        if not at.size:
            return []
        places = [f"{self.findings.counted} {row}" for row in self.rows[at]]
        return list(zip(self._values(column, at), places, strict=True))

    def _values(self, column: str, at: np.ndarray) -> list[object]:
        if column not in self.columns:
            return [""] * at.size
        taken = self.columns[column].take(pa.array(at)).to_pylist()
        return ["" if value is None else value for value in taken]
