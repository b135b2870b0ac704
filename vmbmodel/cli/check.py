"""``vmbmodel check``."""

import datetime
import enum
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from vmbmodel._today import today
from vmbmodel.cli.options import (
    FleetArgument,
    ForceOption,
    LimitsOption,
    OnlyOption,
    OutputOption,
    PoliciesOption,
    PolicyOption,
    ProfileOption,
    ScenarioOption,
    SetOption,
    SuppressOption,
    VaultOption,
    date_of,
    located_in,
    settings_from,
)
from vmbmodel.cli.present import present, sets_used
from vmbmodel.render import inert_json, render_csv, render_table

__all__ = ["check"]

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


class _CheckFormat(enum.StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    SARIF = "sarif"
    JUNIT = "junit"


class _FailOn(enum.StrEnum):
    ERROR = "error"
    WARNING = "warning"


def check(
    fleet: FleetArgument,
    as_of: Annotated[
        datetime.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Take the rules in force on a date; else on that of the profile.",
        ),
    ] = None,
    profile: ProfileOption = None,
    limits: LimitsOption = None,
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    format_: Annotated[
        _CheckFormat,
        typer.Option("--format", help="Shape of the result.", show_default=True),
    ] = _CheckFormat.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
    fail_on: Annotated[
        _FailOn | None,
        typer.Option(help="Exit with 1 if anything so severe is found."),
    ] = None,
    suppress: SuppressOption = None,
    only: OnlyOption = None,
    vault: VaultOption = None,
    policy: PolicyOption = None,
    policies: PoliciesOption = None,
) -> None:
    """Check an inventory against the limits and practices in force on a date."""
    from vmbmodel.plan.check import check_disks, read_suppressions, suppressed
    from vmbmodel.render import line_of, render_junit, render_sarif
    from vmbmodel.service import PROFILES

    date = date_of(as_of, limits)
    if date and not profile:
        profile = PROFILES.in_force(date).name
    sets = {"profile": profile, "limits": limits}
    with settings_from(scenario, set_, date=date, **sets) as settings:
        kept = read_suppressions(suppress) if suppress else ()
        located = located_in(fleet, settings, only, vault, policy, policies)
        answer = check_disks(located.disks, settings, date)
        answer = suppressed(answer, kept, today())
    lines = [line_of(finding, located) for finding in answer.findings]
    failing = {_FailOn.ERROR: {"error"}, _FailOn.WARNING: {"error", "warning"}}
    least = fail_on or _FailOn.WARNING
    present(
        format_,
        output,
        force=force,
        failed=bool(fail_on) and answer.worst() in failing[fail_on],
        table=lambda: _text(answer),
        json=lambda: inert_json(_whole(answer, lines)),
        csv=lambda: render_csv(_rows(answer, lines), _CSV_COLUMNS),
        sarif=lambda: render_sarif(answer, fleet, located),
        junit=lambda: render_junit(answer, fleet, located, least.value),
    )


def _whole(answer, lines: Sequence[int | None]) -> dict:
    whole = answer.to_dict()
    for row, line in zip(whole["findings"], lines, strict=True):
        row["line"] = line
    return whole


def _rows(answer, lines: Sequence[int | None]) -> Iterator[dict]:
    """Give a row for each finding, and one for each rule that lacks something."""
    for finding, line in zip(answer.findings, lines, strict=True):
        status = "suppressed" if finding.suppressed else "finding"
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


def _text(answer) -> str:
    counts = answer.count()
    sets = sets_used(answer.scenario, "prices")
    lines = [f"Rules in force on {answer.as_of}: {counts['rules']}; {sets}.", ""]
    shown = [finding for finding in answer.findings if not finding.suppressed]
    if shown:
        lines.append(render_table(_grouped(shown), _FINDING_COLUMNS))
        if len(shown) > len({finding.rule.id for finding in shown}):
            lines.append("--format csv lists each of them.")
    else:
        lines.append("Nothing found.")
    for finding in answer.findings:
        if finding.suppressed:
            where = _place(finding.place.where)
            lines.append(
                f"Suppressed: {finding.rule.id}, {where}: {finding.suppressed}"
            )
    parts = [o for o in answer.outcomes if o.needs and o.status != "not checked"]
    if parts:
        lines += ["", f"Not known everywhere ({len(parts)}):"]
        lines += [f"  {o.rule.id}: needs {o.needs}" for o in parts]
    never = [o for o in answer.outcomes if o.status == "not checked"]
    if never:
        lines += ["", f"Not checked ({len(never)}):"]
        lines += [f"  {o.rule.id}: needs {o.needs}" for o in never]
    found = ", ".join(answer.said().values())
    suppressed = (
        f", {counts['suppressed']:,} suppressed" if counts["suppressed"] else ""
    )
    lines += ["", f"{found}{suppressed}."]
    return "\n".join(lines)


def _grouped(findings) -> Iterator[dict]:
    """Give the first of each rule, and how many more there are."""
    kinds = {}
    for finding in findings:
        kinds.setdefault(finding.rule.id, []).append(finding)
    for first, *more in kinds.values():
        row = first.to_dict() | {"place": _place(first.place.where)}
        if more:
            row["text"] += f" And {len(more):,} more like it."
        yield row


def _place(where) -> str:
    """Name a place in words, or the whole inventory."""
    from vmbmodel.fields import fields

    return ", ".join(f"{fields()[n].label} {v}" for n, v in where.items()) or "fleet"
