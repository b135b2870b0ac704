"""``vmbmodel report``."""

import datetime
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel._today import today
from vmbmodel.cli.options import (
    FleetArgument,
    ForceOption,
    LimitsOption,
    OnlyOption,
    PoliciesOption,
    PolicyOption,
    PricesOption,
    ProfileOption,
    ScenarioOption,
    SetOption,
    SuppressOption,
    VaultOption,
    date_of,
    located_in,
    settings_from,
)
from vmbmodel.cli.remarks import progress_bar

__all__ = ["report"]


def report(
    fleet: FleetArgument,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder to write."),
    ],
    title: Annotated[
        str | None, typer.Option(help="Heading; else the name of the inventory.")
    ] = None,
    profile: ProfileOption = None,
    prices: PricesOption = None,
    limits: LimitsOption = None,
    as_of: Annotated[
        datetime.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Check the rules and limits in force on a date."
        ),
    ] = None,
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    suppress: SuppressOption = None,
    only: OnlyOption = None,
    vault: VaultOption = None,
    policy: PolicyOption = None,
    policies: PoliciesOption = None,
    force: ForceOption = False,
) -> None:
    """Write a page, a workbook and a record of what an inventory comes to."""
    from vmbmodel._files import write_folder
    from vmbmodel.plan.check import check_disks, read_suppressions, suppressed
    from vmbmodel.plan.estimate import DRAWS, estimate_disks, quick
    from vmbmodel.render import Report

    day = today()
    date = date_of(as_of, limits)
    sets = {"profile": profile, "prices": prices, "limits": limits}
    with (
        settings_from(scenario, set_, date=date, **sets) as settings,
        progress_bar() as progress,
    ):
        progress(f"reading {fleet.name}", 0, 0)
        kept = read_suppressions(suppress) if suppress else ()
        kept = [replace(entry, file=Path(entry.file).name) for entry in kept]
        located = located_in(fleet, settings, only, vault, policy, policies)
        progress(f"checking {len(located.disks):,} disks", 0, 0)
        found = check_disks(located.disks, settings, date)
        progress(f"estimating {len(located.disks):,} disks", 0, 0)
        draws = DRAWS if quick(located.disks, settings) else 0
        made = Report(
            title=title or f"Backup of {fleet.name}",
            made=day,
            inventory=fleet.name,
            sha256=located.sha256,
            command=_command(
                fleet,
                {
                    "-o": output,
                    "--title": title,
                    "--profile": profile,
                    "--prices": prices,
                    "--limits": limits,
                    "--as-of": date,
                    "--scenario": scenario,
                    "--suppress": suppress,
                    "--policies": policies,
                },
                {
                    "--set": set_,
                    "--only": only,
                    "--vault": vault,
                    "--policy": policy,
                },
            ),
            estimate=estimate_disks(located.disks, settings, draws=draws),
            check=suppressed(found, kept, day),
        )
        progress(f"writing {output.name}", 0, 0)
        write_folder(output, made.files(), force=force)
    typer.echo(output / "report.html")


def _command(
    fleet: Path,
    options: dict[str, object],
    repeated: dict[str, list[str] | None],
) -> str:
    """Return the command line with the names of files, but without their folders."""
    words = ["vmbmodel", "report", fleet.name]
    for option, value in options.items():
        if isinstance(value, Path) or str(value).endswith(".toml"):
            value = Path(value).name
        words += [option, str(value)] if value else []
    for option, values in repeated.items():
        words += [word for value in values or [] for word in (option, value)]
    return shlex.join(words)
