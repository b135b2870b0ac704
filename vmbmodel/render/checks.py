"""A check as text, JSON and CSV."""

from collections.abc import Iterable, Iterator, Mapping

from vmbmodel.fields import fields
from vmbmodel.inventory.fleet import Located
from vmbmodel.plan.check import Breach, Check
from vmbmodel.render.csv import render_csv
from vmbmodel.render.json import inert_json
from vmbmodel.render.places import line_of
from vmbmodel.render.sets import sets_used
from vmbmodel.render.table import render_table

__all__ = ["check_csv", "check_json", "check_text"]

_FINDING_COLUMNS = ("severity", "rule", "place", "text", "todo", "source")

_CSV_COLUMNS = (
    "status",
    "rule",
    "severity",
    "vault",
    "policy",
    "storage_account",
    "start_h",
    "vm",
    "disk",
    "line",
    "found",
    "limit",
    "text",
    "todo",
    "source",
    "locator",
    "suppressed",
)


def check_text(answer: Check) -> str:
    """Return a check as a person reads it."""
    counts = answer.count()
    sets = sets_used(answer.scenario, "prices")
    lines = [answer.rules_said(), f"{sets}.", ""]
    shown = [finding for finding in answer.findings if not finding.suppressed]
    if shown:
        found = render_table(_grouped(shown), _FINDING_COLUMNS, spare=("source",))
        lines.append(found)
        if len(shown) > len({finding.rule.id for finding in shown}):
            lines.append("--format csv lists each of them.")
    else:
        lines.append(answer.nothing_said())
    for finding in answer.findings:
        if finding.suppressed:
            where = _place(finding.place.where)
            lines.append(
                f"Suppressed: {finding.rule.id}, {where}: {finding.suppressed}"
            )
    for title, needs in answer.needs_said().items():
        lines += ["", f"{title}:", *(f"  {need}" for need in needs)]
    found = ", ".join(answer.said().values())
    suppressed = (
        f", {counts['suppressed']:,} suppressed" if counts["suppressed"] else ""
    )
    lines += ["", f"{found}{suppressed}."]
    return "\n".join(lines)


def check_json(answer: Check, located: Located) -> str:
    """Return a check as JSON, each finding with its line in the file."""
    whole = answer.to_dict()
    for row, finding in zip(whole["findings"], answer.findings, strict=True):
        row["line"] = line_of(finding, located)
    return inert_json(whole)


def check_csv(answer: Check, located: Located) -> str:
    """Return a row for each finding, and one for each rule that lacks something."""
    return render_csv(_rows(answer, located), _CSV_COLUMNS)


def _rows(answer: Check, located: Located) -> Iterator[dict]:
    for finding in answer.findings:
        status = "suppressed" if finding.suppressed else "finding"
        line = line_of(finding, located)
        yield {"status": status, "line": line} | finding.to_dict()
    for outcome in answer.outcomes:
        if outcome.needs:
            never = outcome.status == "not checked"
            yield dict.fromkeys(_CSV_COLUMNS) | {
                "status": "not checked" if never else "not known everywhere",
                "rule": outcome.rule.id,
                "text": f"needs {outcome.needs}",
                "source": outcome.version.source,
                "locator": outcome.version.locator,
            }


def _grouped(findings: Iterable[Breach]) -> Iterator[dict]:
    """Give the first of each rule, and how many more there are."""
    kinds = {}
    for finding in findings:
        kinds.setdefault(finding.rule.id, []).append(finding)
    for first, *more in kinds.values():
        row = first.to_dict() | {"place": _place(first.place.where)}
        if more:
            row["text"] += f" And {len(more):,} more like it."
        yield row


def _place(where: Mapping[str, object]) -> str:
    """Name a place in words, or the whole inventory."""
    return ", ".join(f"{fields()[n].label} {v}" for n, v in where.items()) or "fleet"
