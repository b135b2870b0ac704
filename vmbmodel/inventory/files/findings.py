"""What is wrong with a file, and where: all of it, in one error."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

__all__ = ["MANY", "Finding", "Findings", "InventoryError", "short"]

SHOWN = 20
"""Findings of one rule and column that a message lists before it counts."""

MANY = 1000
"""Findings after which the rest of a file too large to hold is not read."""


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
        """Say one finding a line; of a rule and column, the first 20 and a count."""
        alike = defaultdict(list)
        for finding in self.findings:
            alike[finding.column, finding.rule].append(finding)
        lines = []
        for group in alike.values():
            lines += map(str, group[:SHOWN])
            more = len(group) - SHOWN
            if more > 0:
                lines.append(f"... and {more:,} more row{'s' * (more > 1)}")
        return "\n".join(lines)


class Findings:
    """Collects the findings of one file, and refuses it in the end."""

    def __init__(self, file: str, counted: str = "line") -> None:
        self.file = file
        self.counted = counted
        self.found: list[Finding] = []

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


def short(value: object) -> str:
    """Quote a value in a message, the longest by its beginning."""
    text = repr(value)
    if len(text) <= 80:
        return text
    return f"{text[:60]}... ({len(str(value)):,} characters)"
