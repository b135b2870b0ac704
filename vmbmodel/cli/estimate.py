"""``vmbmodel estimate``."""

import datetime
import itertools
import operator
import re
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.cli.options import (
    ForceOption,
    FormatOption,
    LimitsOption,
    OutputOption,
    PricesOption,
    ProfileOption,
    ScenarioOption,
    SetOption,
    bad_input,
    read_scenario,
    say_unused,
)
from vmbmodel.render.output import (
    Format,
    deliver,
    render_csv,
    render_table,
    stream_json,
)

_TABLE_COLUMNS = (
    "vm",
    "disks",
    "used_gib",
    "first_backup_h",
    "transfer_h",
    "wait_p95_h",
    "backup_p50_h",
    "backup_p95_h",
    "deadline_prob",
    "restore_vault_p95_h",
    "protected_instances",
    "total_usd",
)


_SPARE_COLUMNS = (
    "wait_p95_h",
    "transfer_h",
    "protected_instances",
    "used_gib",
    "disks",
    "backup_p50_h",
    "first_backup_h",
)

_MONTH_COLUMNS = (
    "month",
    "used_gib",
    "protected_instances",
    "stored_gib",
    "instance_usd",
    "storage_usd",
    "snapshot_usd",
    "total_usd",
)

_CASE_COLUMNS = ("case", *_MONTH_COLUMNS[2:], "expected_misses")

_CONDITION = re.compile(r"(\w+)\s*(<=|>=|<|>)\s*([-+.\deE]+|inf)")

_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def estimate(
    fleet: Annotated[
        Path, typer.Argument(help="Inventory: CSV or Parquet, a row a disk.")
    ],
    profile: ProfileOption = None,
    prices: PricesOption = None,
    limits: LimitsOption = None,
    as_of: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Take the limits in force on a date."),
    ] = None,
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
    months: Annotated[
        int, typer.Option(min=0, max=1200, help="Months to come, billed one by one.")
    ] = 0,
    compare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CASE",
            help="What another choice would come to: a setting with choices, such as "
            "redundancy, or values, such as 'recovery_points=7 weekly_points=52'.",
        ),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="Exit with 1 if a VM meets it, such as 'deadline_prob<0.95'.",
        ),
    ] = None,
) -> None:
    """Estimate times, deadline probability, restore and bill of every VM."""
    from vmbmodel.inventory.fleet import read
    from vmbmodel.plan import estimate as plan
    from vmbmodel.plan import plain
    from vmbmodel.plan.estimate import compare as compare_cases
    from vmbmodel.service.limits import in_force

    with bad_input():
        if limits and as_of:
            raise ValueError("--limits and --as-of exclude each other")
        settings = read_scenario(
            scenario,
            set_,
            profile=profile,
            prices=prices,
            limits=in_force(as_of.date()).name if as_of else limits,
        )
        gates = [_gate(condition) for condition in fail_on or []]
        if months and compare and format_ is Format.CSV:
            raise ValueError("--format csv holds one table: --months or --compare")
        cases = _cases(compare)
        disks = read(fleet)
        answer = plan.estimate(disks, settings, months)
        compared = compare_cases(disks, settings, cases) if cases else []
    say_unused(settings, set_)
    if format_ is Format.JSON:
        parts = {"comparisons": plain(compared)} if compared else {}
        text = stream_json(itertools.chain(answer.items(), parts.items()))
    elif format_ is Format.CSV:
        table = answer.months if months else answer.vms
        rows = compared or table.to_dict("records")
        text = render_csv(rows, list(rows[0]))
    else:
        text = _estimate_text(answer, compared)
    with bad_input():
        deliver(text, output, force=force)
    if any(compare(answer.vms[name], bound).any() for name, compare, bound in gates):
        raise typer.Exit(1)


def _cases(texts: list[str] | None) -> list[dict[str, object]]:
    from vmbmodel.plan.estimate import parse_case

    cases, problems = [], []
    for text in texts or []:
        try:
            cases += parse_case(text)
        except ValueError as error:
            problems.append(f"--compare: {error}")
    if problems:
        raise ValueError("\n".join(problems))
    return cases


def _gate(condition: str):
    from vmbmodel.fields import misnamed
    from vmbmodel.plan.estimate import COLUMNS

    match = _CONDITION.fullmatch(condition.strip())
    if not match:
        raise ValueError(
            f"--fail-on takes a column, <, <=, > or >=, and a number; got {condition!r}"
        )
    name, sign, bound = match.groups()
    if name not in COLUMNS:
        raise ValueError(f"--fail-on: there is no column {misnamed(name, COLUMNS)}")
    try:
        return name, _COMPARE[sign], float(bound)
    except ValueError:
        raise ValueError(f"--fail-on: {bound!r} is no number") from None


def _estimate_text(answer, compared: list[dict[str, object]]) -> str:
    sets = ", ".join(f"{kind} {c.name}" for kind, c in answer.scenario.sets())
    rows = answer.vms.to_dict("records")
    count = answer.total["vms"]
    footer = {"vm": f"{count} VM{'s' * (count != 1)}"} | dict(answer.total)
    instances, storage, snapshots = (
        answer.total[name] for name in ("instance_usd", "storage_usd", "snapshot_usd")
    )
    lines = [
        render_table(rows, _TABLE_COLUMNS, footer=footer, spare=_SPARE_COLUMNS),
        "",
        sets,
        f"Bill of a month: protected instances {instances:,.2f}, vault storage "
        f"{storage:,.2f}, snapshots {snapshots:,.2f} USD.",
        "All VMs restored at once from the vault: done within "
        f"{answer.total['restore_all_h']:.1f} h, in 95 of 100 cases.",
    ]
    if answer.months is not None:
        from vmbmodel.plan.estimate import month_totals

        totals = month_totals(answer.months).to_dict("records")
        lines += ["", "Months to come, all VMs:", render_table(totals, _MONTH_COLUMNS)]
    if compared:
        lines += ["", "In other cases, all VMs:"]
        lines += [render_table(compared, _CASE_COLUMNS)]
    if answer.warnings:
        lines += ["", f"Worth a look ({len(answer.warnings)}):"]
        lines += [
            f"  {notice.vm or 'fleet'}: {notice.text} [{notice.code}]"
            for notice in answer.warnings
        ]
    columns = [a for a in answer.assumptions if a.id.startswith("column.")]
    others = len(answer.assumptions) - len(columns)
    lines += ["", f"Assumed ({len(answer.assumptions)}):"]
    lines += [f"  {entry.text}" for entry in columns]
    lines += [f"  and {others} more about the service; --format json lists them all."]
    return "\n".join(lines)
