"""``vmbmodel check``."""

import datetime
import enum
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
from vmbmodel.cli.present import present

__all__ = ["check"]


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
    from vmbmodel.render import (
        check_csv,
        check_json,
        check_text,
        render_junit,
        render_sarif,
    )
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
    failing = {_FailOn.ERROR: {"error"}, _FailOn.WARNING: {"error", "warning"}}
    least = fail_on or _FailOn.WARNING
    failed = []
    if fail_on and answer.worst() in failing[fail_on]:
        failed.append(f"--fail-on {fail_on}: a finding is {answer.worst()!r}")
    present(
        format_,
        output,
        force=force,
        failed=failed,
        table=lambda: check_text(answer),
        json=lambda: check_json(answer, located),
        csv=lambda: check_csv(answer, located),
        sarif=lambda: render_sarif(answer, fleet, located),
        junit=lambda: render_junit(answer, fleet, located, least.value),
    )
