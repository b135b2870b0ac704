"""The tables of a report, the same for the page and for the workbook."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from vmbmodel.fields import fields, heading
from vmbmodel.plan import records
from vmbmodel.plan.check import PLACES, Check
from vmbmodel.plan.estimate import Estimate
from vmbmodel.service import SEVERITIES

__all__ = ["Table", "head", "tables"]

_FINDING_COLUMNS = (
    "severity",
    "rule",
    *PLACES,
    "text",
    "todo",
    "source",
    "locator",
    "suppressed",
)

_DOUBT_COLUMNS = (
    "answer",
    "name",
    "share",
    "value",
    "low",
    "high",
    "status",
    "settled_by",
)

_HEADS = {
    "as_of": "as of",
    "settled_by": "settled by",
    "sha256": "SHA-256",
    "switch": "how to take it otherwise",
    "text": "what",
    "todo": "what to do",
    "vms": "VMs",
}


@dataclass(frozen=True)
class Table:
    """Rows under a title.

    Parameters
    ----------
    title : str
        What the rows are.
    columns : Sequence[str]
        Names of the cells, most of them fields.
    rows : Sequence[Mapping[str, object]]
        The cells by column.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Mapping[str, object]]


def tables(estimate: Estimate, check: Check) -> Iterator[Table]:
    """Give every table, whole."""
    doubt = estimate.drawn
    rows = [
        row | {"share": f"{row['share']:.0%}"}
        for row in (doubt.rows() if doubt else ())
    ]
    yield Table("Doubt", _DOUBT_COLUMNS, rows)
    rows = list(records(_worst_first(estimate.figures), math.inf))
    yield Table("VMs", list(estimate.figures.columns), rows)
    rows = [_quantity(name, value) for name, value in estimate.total.items()]
    filled = {entry.id.partition("column.")[2] for entry in estimate.assumptions}
    for row in rows:
        if row["name"] in filled:
            row["quantity"] += ", blank cells as assumed"
    yield Table("Totals", ("quantity", "value", "unit"), rows)
    order = SEVERITIES[::-1].index
    found = sorted(
        check.findings, key=lambda f: (bool(f.suppressed), order(f.severity))
    )
    rows = [finding.to_dict() for finding in found]
    yield Table("Findings", _FINDING_COLUMNS, rows)
    rows = [
        {"rule": o.rule.id, "title": o.rule.title, "status": o.status, "needs": o.needs}
        for o in check.outcomes
        if o.needs
    ]
    yield Table("Rules not checked everywhere", ("rule", "title", "needs"), rows)
    rows = [vars(notice) for notice in estimate.warnings]
    yield Table("Worth a look", ("vm", "text", "code"), rows)
    rows = [vars(entry) for entry in estimate.assumptions]
    yield Table("Assumptions", ("text", "value", "switch", "id"), rows)
    rows = [_quantity(name, value) for name, value in estimate.scenario.given.items()]
    yield Table("Settings", ("name", "quantity", "value", "unit"), rows)
    rows = [
        {
            "what": kind,
            "name": constants.name,
            "as_of": constants.as_of.isoformat(),
            "title": constants.title,
            "sha256": constants.sha256,
        }
        for kind, constants in estimate.scenario.sets()
    ]
    yield Table("Sources", ("what", "name", "as_of", "title", "sha256"), rows)


def _worst_first(vms: pd.DataFrame) -> pd.DataFrame:
    """Put the VMs first that are least sure, and of those the slowest."""
    by = ["deadline_prob", "done_p95_h"]
    return vms.sort_values(by, ascending=[True, False], kind="stable")


def head(name: str) -> str:
    """Return what a column is called, with its unit."""
    return heading(name) if name in fields() else _HEADS.get(name, name)


def _quantity(name: str, value: object) -> dict:
    field = fields().get(name)
    label = field.label if field else _HEADS.get(name, name)
    unit = field.unit if field and field.unit != "-" else ""
    return {"name": name, "quantity": label, "value": value, "unit": unit}
