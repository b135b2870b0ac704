"""What is wrong with a file, and where: all of it, in one error.

`Cells` are what most files are taken apart to, each with its place.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from vmbmodel._words import MOST_LINES, counted, short, some
from vmbmodel.inventory.files.words import Text

__all__ = [
    "LONGEST_NAME",
    "MANY",
    "NOTED",
    "NOT_A_FLAG",
    "NOT_A_NUMBER",
    "Cells",
    "Finding",
    "Findings",
    "InventoryError",
    "Tally",
    "not_used",
]

SHOWN = 20
"""Findings of one rule and column that a message lists before it counts."""

MANY = 1000
"""Findings after which the rest of a file too large to hold is not read."""

NOTED = 10_000
"""Cells of a column that break one rule, of which each is noted; more are counted."""

LONGEST_NAME = 260
"""Characters of the longest name that is taken."""

NOT_A_NUMBER = "must be a number"
NOT_A_FLAG = "must be true or false (yes or no, 1 or 0)"


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule, at one place.

    >>> print(Finding("fleet.csv", 7, "size_gib", "abc", "must be a number"))
    fleet.csv:7: size_gib = 'abc': must be a number
    """

    file: str
    row: int | None
    """Line of a text file, its header being line 1; else the row, from 1."""
    column: str | None
    value: object
    """The cell as it stands in the file; None if the finding is about no cell."""
    rule: str
    hint: str = ""
    """What helps to mend this one: the nearest word, the other line."""
    counted: str = "line"
    """What `row` counts: ``line`` or ``row``."""

    def __str__(self) -> str:
        """Say it as compilers do, so that editors can jump to it."""
        where = self.file
        if self.row is not None:
            where += f":{self.row}" if self.counted == "line" else f": row {self.row}"
        cell = "" if self.value is None else f"{self.column} = {short(self.value)}: "
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}: {cell}{self.rule}{hint}"


class InventoryError(ValueError):
    """A file that cannot be used, with everything that is wrong with it.

    Parameters
    ----------
    findings : list of Finding
        All of them, in the order they are to be told.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = list(findings)
        super().__init__(self.findings)

    def __str__(self) -> str:
        """Say one finding a line; of a rule and column, the first 20 and a count.

        After `MOST_LINES` in all, the rest is counted.
        """
        alike = defaultdict(list)
        for finding in self.findings:
            alike[finding.column, finding.rule].append(finding)
        lines, room, left = [], MOST_LINES, len(self.findings)
        for group in alike.values():
            told = group[: min(SHOWN, room)]
            lines += map(str, told)
            room -= len(told)
            if told and (more := len(group) - len(told)):
                lines.append(f"... and {counted(more, 'more row')}")
            left -= len(group) if told else 0
        if left:
            lines.append(f"... and {counted(left, 'more finding')}")
        return "\n".join(lines)


class Findings:
    """Collects the findings of one file, and refuses it in the end."""

    def __init__(self, file: str, counted: str = "line") -> None:
        self.file = file
        self.counted = counted
        self.found: list[Finding] = []
        self.remarks: list[str] = []
        self.header: dict[str, int | None] = {}
        """Names of columns or members as they stand there, with their first row."""
        self.asked: set[str] = set()
        """Names that a reader has asked entries for, as `entry.folded` spells them."""

    def remark(self, remark: str) -> None:
        """Note, once, how something was read that is nothing wrong."""
        if remark not in self.remarks:
            self.remarks.append(remark)

    def add(
        self,
        rule: str,
        *,
        row: int | None = None,
        column: str | None = None,
        value: object = None,
        hint: str = "",
    ) -> None:
        """Note one finding."""
        self.found.append(
            Finding(self.file, row, column, value, rule, hint, self.counted)
        )

    def add_cells(
        self,
        rule: str,
        column: str | None,
        rows: Sequence[int],
        values: Sequence[object],
        hints: Sequence[str],
    ) -> None:
        """Note one rule that many cells of a column break."""
        self.found += [
            Finding(self.file, row, column, value, rule, hint, self.counted)
            for row, value, hint in zip(rows, values, hints, strict=True)
        ]

    def stop(self, rule: str, *, row: int | None = None, hint: str = "") -> NoReturn:
        """Note a finding behind which nothing more can be read, and refuse."""
        self.add(rule, row=row, hint=hint)
        raise InventoryError(self.found)

    def unreadable(self, error: OSError | ValueError) -> NoReturn:
        """Refuse a file that could not be opened or read, and say why."""
        if isinstance(error, FileNotFoundError):
            self.stop("does not exist")
        if isinstance(error, IsADirectoryError):
            self.stop("is a folder; name a file")
        self.stop(f"cannot be read: {getattr(error, 'strerror', None) or error}")

    def refuse_if_many(self) -> None:
        """Give up on a file with so much wrong that the rest tells nothing."""
        if len(self.found) > MANY:
            self.stop(f"has more than {MANY:,} faults; the rest is not read")

    def refuse_if_any(self) -> None:
        """Raise all that was found, if anything was."""
        if self.found:
            raise InventoryError(self.found)


class Tally(Findings):
    """Counts what is wrong with the rows of a log, and keeps the first of each kind."""

    def __init__(self, file: str, counted: str = "row") -> None:
        super().__init__(file, counted)
        self.counts: dict[tuple[str, str], int] = {}

    def add(self, rule: str, *, column: str | None = None, **place: Any) -> None:
        """Count one finding."""
        kind = (re.sub(r"\[\d+\]", "", column or ""), rule)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] == 1:
            super().add(rule, column=column, **place)

    def counted_findings(self) -> Iterator[tuple[Finding, int]]:
        """Iterate over the first finding of each kind, with how many there are."""
        return zip(self.found, self.counts.values(), strict=True)


@dataclass(frozen=True)
class Cells:
    """Columns as they stand in a file, and where to note what is wrong."""

    columns: Mapping[str, Text | np.ma.MaskedArray]
    """Text, or ``float64`` where the file has types; NaN stands below a mask."""
    rows: np.ndarray
    """Line or row number of each entry."""
    findings: Findings
    complete: bool = True
    """Whether every line of the file could be split into cells."""
    comma_parts_decimals: bool = False
    """Whether it may: something else parts the cells, or a number shows it."""

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
        at, more = at[:NOTED], at.size - NOTED
        values = self._values(column, at)
        if callable(hints):
            hints = [hints(value) for value in values]
        hints = hints[: at.size] if hints else [""] * at.size
        self.findings.add_cells(rule, column, self.rows[at].tolist(), values, hints)
        if more > 0:
            lines = counted(more, self.findings.counted)
            self.findings.add(f"{column} {rule}, and is not so in {lines} more")

    def at(self, column: str, at: np.ndarray) -> list[tuple[object, str]]:
        """Return what stands at the first `NOTED` positions, each as on ``line 7``."""
        at = at[:NOTED]
        if not at.size:
            return []
        places = [f"{self.findings.counted} {row}" for row in self.rows[at]]
        return list(zip(self._values(column, at), places, strict=True))

    def _values(self, column: str, at: np.ndarray) -> list[object]:
        if column not in self.columns:
            return [""] * at.size
        taken = self.columns[column][at].tolist()
        return ["" if value is None else value for value in taken]


def not_used(headings: Sequence[str]) -> str:
    """Say which columns of a file nobody asked for, each quoted by `short`."""
    return f"not used, for no column is called so: {some(headings)}"
