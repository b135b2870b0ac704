"""Rows of a log, whatever they come in: JSON of any shape, or separated values."""

import csv
import io
import os
import re
from collections.abc import Iterator

from vmbmodel.inventory.files.entry import Entry
from vmbmodel.inventory.files.findings import Finding, Findings
from vmbmodel.inventory.files.listing import Page, decoded, entries

__all__ = ["Tally", "log_rows"]

SEPARATORS = ",;\t|"


class Tally(Findings):
    """Counts what is wrong with the rows of a log, and keeps the first of each kind."""

    def __init__(self, file: str, counted: str = "row") -> None:
        super().__init__(file, counted)
        self.counts: dict[tuple[str, str], int] = {}

    def add(
        self,
        rule: str,
        *,
        row: int | None = None,
        column: str | None = None,
        value: object = None,
        hint: str = "",
    ) -> None:
        """Count one finding."""
        kind = (re.sub(r"\[\d+\]", "", column or ""), rule)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] == 1:
            super().add(rule, row=row, column=column, value=value, hint=hint)

    def counted_findings(self) -> Iterator[tuple[Finding, int]]:
        """Iterate over the first finding of each kind, with how many there are."""
        return zip(self.found, self.counts.values(), strict=True)


def log_rows(
    path: str | os.PathLike[str], findings: Findings, pages: list[Page]
) -> Iterator[Entry]:
    """Iterate over the rows of a file.

    Parameters
    ----------
    path : path-like
        JSON of any shape, or separated values with a header.
    findings : Findings
        Takes what is wrong with a row.
    pages : list of Page
        Takes the envelopes that were met.

    Yields
    ------
    Entry
        A row by the names of its columns.

    Raises
    ------
    InventoryError
        If the file cannot be taken apart.
    """
    text = decoded(path, findings)
    if text.lstrip().startswith(("{", "[")):
        yield from entries(text, findings, pages)
        return
    findings.counted = "line"
    start = len(text) - len(text.lstrip())
    skipped = text.count("\n", 0, start)
    header = text[start:].partition("\n")[0]
    mark = max(SEPARATORS, key=header.count)
    reader = csv.reader(io.StringIO(text[start:], newline=""), delimiter=mark)
    try:
        names = [name.strip() for name in next(reader)]
        if len(names) < 2:
            findings.stop(
                "must be a list or an object of JSON, or have a header with two "
                "columns at least",
                row=skipped + 1,
            )
        for cells in reader:
            row = skipped + reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                rule = f"must have {len(names)} cells, as the header has"
                findings.add(rule, row=row, column="cells", value=len(cells))
                continue
            members = {n: c.strip() for n, c in zip(names, cells, strict=True)}
            yield Entry(members, findings, row)
    except csv.Error as error:
        findings.stop(
            f"cannot be split into cells: {error}", row=skipped + reader.line_num
        )
