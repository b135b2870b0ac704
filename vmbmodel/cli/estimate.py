"""``vmbmodel estimate``."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel._words import first_lines
from vmbmodel.cli.options import (
    AsOfOption,
    FleetArgument,
    ForceOption,
    FormatOption,
    IntervalVmsOption,
    LimitsOption,
    OnlyOption,
    PoliciesOption,
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
from vmbmodel.cli.present import (
    Condition,
    Format,
    in_the_way,
    present,
    stop_if,
)
from vmbmodel.cli.remarks import progress_bar, say

__all__ = ["estimate"]


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
    policies: PoliciesOption = None,
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
    interval_vms: IntervalVmsOption = 10_000,
    by_vault: Annotated[
        bool,
        typer.Option(
            "--by-vault",
            help="Take FLEET, Parquet or a folder of it, some vaults at a time, and "
            "write a folder -o OUT: for fleets that do not fit into memory.",
        ),
    ] = False,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="With --by-vault: workers of a cluster here."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="With --by-vault: cluster to work on, which sees the same folders.",
        ),
    ] = None,
) -> None:
    """Estimate times, deadline probability, restore and bill of every VM."""
    if by_vault:
        if format_ is not Format.TABLE:
            raise ValueError(f"--by-vault writes a folder, and no {format_}")
        if interval:
            raise ValueError(
                "--by-vault goes without --interval, which is of all vaults"
            )
        if output is None:
            raise ValueError("--by-vault writes a folder; name it with -o")
        if processes and scheduler:
            raise ValueError("--processes and --scheduler exclude each other")
    elif processes or scheduler:
        raise ValueError("--processes and --scheduler go with --by-vault")
    from vmbmodel.plan.estimate import (
        COLUMNS,
        DRAWS,
        OF_VMS,
        compare_disks,
        estimate_disks,
        quick,
    )
    from vmbmodel.render import (
        estimate_csv,
        estimate_json,
        estimate_text,
        render_parquet,
        rows_of,
    )

    sets = {"profile": profile, "prices": prices, "limits": limits}
    date = date_of(as_of, limits)
    ends = {f"{name}_{end}" for name in OF_VMS for end in ("low", "high")}
    known = (*COLUMNS, *sorted(ends))
    gates = [Condition.parse(text, known, "column") for text in fail_on or []]
    if asked := sorted(ends & {gate.name for gate in gates}):
        if interval is False or by_vault:
            raise ValueError(f"--fail-on: {asked[0]} needs an interval")
        interval = True
    if by_vault:
        from vmbmodel.fleets import any_meets, estimate_by_vault

        with (
            settings_from(scenario, set_, date=date, **sets) as settings,
            progress_bar() as progress,
        ):
            estimate_by_vault(
                fleet,
                output,
                settings,
                policies=policies,
                names={"vm": only or [], "vault": vault or [], "policy": policy or []},
                months=months,
                cases=_cases(compare),
                force=force,
                processes=processes,
                scheduler=scheduler,
                progress=progress,
            )
        typer.echo(output)
        stop_if(
            f"--fail-on {gate.text}: met by a VM in {output / 'vms'}"
            for gate in gates
            if any_meets(output, gate.name, gate.met)
        )
        return
    with (
        settings_from(scenario, set_, date=date, **sets) as settings,
        progress_bar() as progress,
    ):
        in_columns = output is not None and output.suffix.lower() == ".parquet"
        if in_columns and format_ is not Format.TABLE:
            raise ValueError(f"-o {output} is no {format_}; leave --format out")
        if in_columns and compare:
            raise ValueError(f"-o {output} holds the rows, and no --compare")
        if months and compare and format_ is Format.CSV:
            raise ValueError("--format csv holds one table: --months or --compare")
        cases = _cases(compare)
        progress(f"reading {fleet.name}", 0, 0)
        disks = located_in(fleet, settings, only, vault, policy, policies).disks
        progress(f"estimating {len(disks):,} disks", 0, 0)
        if interval is None:
            interval = quick(disks, settings)
        draws = DRAWS if interval else 0
        answer = estimate_disks(disks, settings, months, draws, interval_vms)
        if asked and answer.drawn.drawn_vaults:
            raise ValueError(
                f"--fail-on: {asked[0]} needs the interval of every VM; "
                f"--interval-vms must be >= {len(answer.vms)}, got {interval_vms}"
            )
        compared = compare_disks(disks, settings, cases) if cases else []
    besides: dict[Path, bytes] = {}
    present(
        format_,
        output,
        force=force,
        failed=_failing(answer.figures, gates),
        besides=besides,
        table=lambda: (
            render_parquet(rows_of(answer))
            if in_columns
            else estimate_text(answer, compared)
        ),
        json=lambda: estimate_json(
            answer, compared, _set_aside(answer, output, besides, force=force)
        ),
        csv=lambda: estimate_csv(answer, compared),
    )


def _set_aside(
    answer, output: Path | None, besides: dict[Path, bytes], *, force: bool
) -> dict[str, object] | None:
    """Have the rows of many VMs written beside the file of an estimate; say where."""
    from vmbmodel.render import has_many, render_parquet

    if not has_many(answer):
        return None
    where, written = None, "-o FILE.json writes them as Parquet"
    if output is not None:
        beside = output.with_name(f"{output.stem}-vms.parquet")
        if problems := in_the_way(output, beside, force=force):
            raise ValueError(first_lines(problems))
        data = render_parquet(answer.figures)
        besides[beside] = data
        digest = hashlib.sha256(data).hexdigest()
        where = {"file": beside.name, "sha256": digest, "rows": len(answer.vms)}
        written = f"they are in {beside}"
    say(
        f"vmbmodel: for {len(answer.vms):,} VMs the JSON holds totals and policies, "
        f"but no row a VM, and no inventory for `verify`; {written}"
    )
    return where


def _failing(rows, gates: list[Condition]) -> Iterator[str]:
    """Say of each condition that VMs meet how many they are, and the first of them."""
    for gate in gates:
        found = rows.loc[gate.met(rows[gate.name]).to_numpy(), ["vm", gate.name]]
        if len(found):
            vm, value = found.iloc[0]
            more = f" and {len(found) - 1:,} more" * (len(found) > 1)
            yield f"--fail-on {gate.text}: met by {vm} ({value:g}){more}"


def _cases(texts: list[str] | None) -> list[dict[str, object]]:
    from vmbmodel.plan.estimate import parse_case

    cases, problems = [], []
    for text in texts or []:
        try:
            cases += [case for case in parse_case(text) if case not in cases]
        except ValueError as error:
            problems.append(f"--compare: {error}")
    if problems:
        raise ValueError(first_lines(problems))
    return cases
