"""One report of an inventory: a page, a workbook and a record of both.

The page needs no network and no script; names of the inventory are data in all
three, whatever they look like.
"""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vmbmodel.plan import sealed
from vmbmodel.plan.check import Check
from vmbmodel.plan.estimate import Estimate
from vmbmodel.plan.saved import REPORT_SCHEMA
from vmbmodel.render.answers import answers
from vmbmodel.render.json import stream_json
from vmbmodel.render.page import render_page
from vmbmodel.render.tables import tables
from vmbmodel.render.workbook import render_workbook

__all__ = ["FILES", "Report"]

FILES = ("report.html", "report.xlsx", "report.json")
"""Names of the files of a report."""


@dataclass(frozen=True)
class Report:
    """What a report is made of.

    Parameters
    ----------
    title : str
        Heading of the page.
    made : datetime.date
        Day on which it was made.
    inventory, sha256 : str
        Name of the inventory's file, without its folder, and its digest.
    command : str
        What makes the report again.
    estimate : Estimate
        Times, chances and bill of every VM.
    check : Check
        The inventory against the rules of a day.
    """

    title: str
    made: datetime.date
    inventory: str
    sha256: str
    command: str
    estimate: Estimate
    check: Check

    def files(self) -> dict[str, bytes | Iterable[bytes]]:
        """Return the content of every file, by its name in `FILES`."""
        said = answers(self.estimate, self.check)
        whole = list(tables(self.estimate, self.check))
        page = render_page(self, said, whole).encode()
        workbook = render_workbook(self, said, whole)
        json = (piece.encode() for piece in stream_json(sealed(self._items(said))))
        return dict(zip(FILES, (page, workbook, json), strict=True))

    def _items(self, said) -> Iterator[tuple[str, object]]:
        yield "schema", REPORT_SCHEMA
        yield "title", self.title
        yield "made", self.made.isoformat()
        yield "file", {"name": self.inventory, "sha256": self.sha256}
        yield "command", self.command
        yield "answers", [{"question": a.question, "text": a.text} for a in said]
        yield "check", self.check.to_dict()
        yield from (item for item in self.estimate.items() if item[0] != "schema")
