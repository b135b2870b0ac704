"""``vmbmodel estimate``."""

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.cli.options import (
    AsOfOption,
    FleetArgument,
    ForceOption,
    FormatOption,
    LimitsOption,
    OnlyOption,
    PolicyOption,
    PricesOption,
    ProfileOption,
    ScenarioOption,
    SetOption,
    VaultOption,
    date_of,
    located_in,
    settings_from,
)
from vmbmodel.cli.present import Condition, Format, deliver, present, sets_used
from vmbmodel.cli.remarks import progress_bar, say
from vmbmodel.render import (
    render_csv,
    render_parquet,
    render_table,
    stream_csv,
    stream_json,
)

__all__ = ["estimate"]

_TABLE_COLUMNS = (
    "vm",
    "disks",
    "used_gib",
    "transfer_h",
    "wait_mean_h",
    "done_p50_h",
    "done_p95_h",
    "done_p95_clock",
    "deadline_prob",
    "restore_vault_p95_h",
    "protected_instances",
    "total_usd",
)

_SPARE_COLUMNS = (
    "wait_mean_h",
    "transfer_h",
    "protected_instances",
    "used_gib",
    "disks",
    "done_p50_h",
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

_SEEN_DRAWN = (
    "vm",
    "transfer_h",
    "done_p50_h",
    "done_p95_h",
    "done_p95_clock",
    "deadline_prob",
    "restore_vault_p95_h",
    "total_usd",
)

_SPARE_DRAWN = ("transfer_h", "done_p50_h", "done_p95_clock", "restore_vault_p95_h")

_MOST_VMS = 100_000
"""VMs of which the JSON has a row each; of more, Parquet has."""

_FIRST = 10  # warnings of a kind that it has then

_CASE_COLUMNS = ("case", *_MONTH_COLUMNS[2:], "expected_misses")


def estimate(
    fleet: FleetArgument,
    profile: ProfileOption = None,
    prices: PricesOption = None,
    limits: LimitsOption = None,
    as_of: AsOfOption = None,
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    only: OnlyOption = None,
    vault: VaultOption = None,
    policy: PolicyOption = None,
    format_: FormatOption = Format.TABLE,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="File to write; refused if it exists. FILE.parquet takes the rows as "
            "Parquet.",
        ),
    ] = None,
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
            help="Exit with 1 if a VM meets it, such as 'deadline_prob<0.95', or "
            "'deadline_prob_low<0.95' for the low end of its interval.",
        ),
    ] = None,
    interval: Annotated[
        bool | None,
        typer.Option(
            "--interval/--no-interval",
            help="How far the figures may be off, for what nobody has measured; as a "
            "rule for up to 400 disks.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Estimate times, deadline probability, restore and bill of every VM."""
    from vmbmodel.plan.estimate import (
        COLUMNS,
        DRAWS,
        OF_VMS,
        compare_disks,
        estimate_disks,
        quick,
    )

    sets = {"profile": profile, "prices": prices, "limits": limits}
    date = date_of(as_of, limits)
    with (
        settings_from(scenario, set_, date=date, **sets) as settings,
        progress_bar() as progress,
    ):
        ends = {f"{name}_{end}" for name in OF_VMS for end in ("low", "high")}
        known = (*COLUMNS, *sorted(ends))
        gates = [Condition.parse(text, known, "column") for text in fail_on or []]
        if asked := sorted(ends & {gate.name for gate in gates}):
            if interval is False:
                raise ValueError(f"--fail-on: {asked[0]} needs an interval")
            interval = True
        in_columns = output is not None and output.suffix.lower() == ".parquet"
        if in_columns and format_ is not Format.TABLE:
            raise ValueError(f"-o {output} is no {format_}; leave --format out")
        if in_columns and compare:
            raise ValueError(f"-o {output} holds the rows, and no --compare")
        if months and compare and format_ is Format.CSV:
            raise ValueError("--format csv holds one table: --months or --compare")
        cases = _cases(compare)
        progress(f"reading {fleet.name}", 0, 0)
        disks = located_in(fleet, settings, only, vault, policy).disks
        progress(f"estimating {len(disks):,} disks", 0, 0)
        if interval is None:
            interval = quick(disks, settings)
        answer = estimate_disks(disks, settings, months, DRAWS if interval else 0)
        compared = compare_disks(disks, settings, cases) if cases else []
    present(
        format_,
        output,
        force=force,
        failed=any(gate.met(answer.figures[gate.name]).any() for gate in gates),
        table=lambda: (
            render_parquet(_rows(answer)) if in_columns else _text(answer, compared)
        ),
        json=lambda: _json(answer, compared, output, force=force),
        csv=lambda: (
            render_csv(compared, list(compared[0]))
            if compared
            else stream_csv(_rows(answer))
        ),
    )


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


def _rows(answer):
    """Return the rows that a file of one table holds."""
    return answer.figures if answer.months is None else answer.months


def _json(
    answer, compared: list[dict[str, object]], output: Path | None, *, force: bool
) -> Iterator[str]:
    from vmbmodel.plan import plain, sealed

    parts = {"comparisons": plain(compared)} if compared else {}
    items = answer.items()
    if len(answer.vms) > _MOST_VMS:
        items = _without_rows(answer, _set_aside(answer, output, force=force))
    return stream_json(sealed(itertools.chain(items, parts.items())))


def _set_aside(answer, output: Path | None, *, force: bool) -> dict[str, object] | None:
    """Write the rows of many VMs beside the file of an estimate, and say where."""
    where, written = None, "-o FILE.json writes them as Parquet"
    if output is not None:
        beside = output.with_name(f"{output.stem}-vms.parquet")
        data = render_parquet(answer.figures)
        deliver(data, beside, force=force)
        digest = hashlib.sha256(data).hexdigest()
        where = {"file": beside.name, "sha256": digest, "rows": len(answer.vms)}
        written = f"they are in {beside}"
    say(
        f"vmbmodel: more than {_MOST_VMS:,} VMs: the JSON holds totals and policies, "
        f"but no row a VM, and no inventory for `verify`; {written}"
    )
    return where


def _without_rows(
    answer, where: dict[str, object] | None
) -> Iterator[tuple[str, object]]:
    """Give the parts of an estimate without a row a VM or disk.

    Of the warnings, of which there may be as many, the first of each kind stay.
    """
    from vmbmodel.plan import plain

    kinds = _by_kind(answer.warnings)
    kept = {
        "warnings": [first for found in kinds.values() for first in found[:_FIRST]],
        "warning_counts": {code: len(found) for code, found in kinds.items()},
    }
    for name, part in answer.items():
        if name == "vms":
            yield "vms_file", where
        elif name == "warnings":
            yield from plain(kept).items()
        elif name != "inventory":
            yield name, part


def _by_kind(notices) -> dict[str, list]:
    kinds: dict[str, list] = {}
    for notice in notices:
        kinds.setdefault(notice.code, []).append(notice)
    return kinds


def _grouped(notices) -> Iterator[str]:
    """Say the first of each kind, and how many more there are."""
    for code, (first, *more) in _by_kind(notices).items():
        yield f"  {first.vm or 'fleet'}: {first.text} [{code}]"
        if more:
            yield f"    and {len(more):,} more like it; --format json lists them all."


def _text(answer, compared: list[dict[str, object]]) -> str:
    from vmbmodel.plan.estimate import restore_said, wait_said

    columns, spare, doubt = _TABLE_COLUMNS, _SPARE_COLUMNS, answer.drawn
    rows, total = answer.vms, dict(answer.total)
    if doubt is not None:
        columns, spare = _SEEN_DRAWN, _SPARE_DRAWN
        rows = doubt.beside(rows)
        total |= doubt.beside_total(total)
    count = answer.total["vms"]
    footer = {"vm": f"{count} VM{'s' * (count != 1)}"} | total
    instances, storage, snapshots = (
        answer.total[name] for name in ("instance_usd", "storage_usd", "snapshot_usd")
    )
    lines = [
        render_table(rows.to_dict("records"), columns, footer=footer, spare=spare),
        "",
        *(() if doubt is None else (*doubt.said(), *doubt.led(), "")),
        sets_used(answer.scenario),
        f"Bill of a month: protected instances {instances:,.2f}, vault storage "
        f"{storage:,.2f}, snapshots {snapshots:,.2f} USD.",
        f"Deadlines missed a night, on average: {answer.misses_said()}.",
        *wait_said(answer.scenario),
        *restore_said(answer.scenario),
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
        lines += list(_grouped(answer.warnings))
    columns = [a for a in answer.assumptions if a.id.startswith("column.")]
    others = len(answer.assumptions) - len(columns)
    lines += ["", f"Assumed ({len(answer.assumptions)}):"]
    lines += [f"  {entry.text}" for entry in columns]
    lines += [f"  and {others} more about the service; --format json lists them all."]
    return "\n".join(lines)
