"""``vmbmodel report``."""

import datetime
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.cli.options import (
    ForceOption,
    LimitsOption,
    PricesOption,
    ProfileOption,
    ScenarioOption,
    SetOption,
    bad_input,
    read_scenario,
    say_unused,
)


def report(
    fleet: Annotated[
        Path, typer.Argument(help="Inventory: CSV or Parquet, a row a disk.")
    ],
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
    suppress: Annotated[
        Path | None,
        typer.Option(help="TOML of findings put up with: where, why, until when."),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Write a page, a workbook and a record of what an inventory comes to."""
    from vmbmodel._files import write_folder
    from vmbmodel.inventory.fleet import read_located
    from vmbmodel.plan import check as suppressions
    from vmbmodel.plan.check import check
    from vmbmodel.plan.estimate import estimate
    from vmbmodel.render.report import Report
    from vmbmodel.service.limits import in_force

    today = datetime.date.today()
    with bad_input():
        if limits and as_of:
            raise ValueError("--limits and --as-of exclude each other")
        date = as_of.date() if as_of else None
        settings = read_scenario(
            scenario,
            set_,
            profile=profile,
            prices=prices,
            limits=in_force(date).name if date else limits,
        )
        kept = suppressions.read(suppress) if suppress else ()
        kept = [replace(entry, file=Path(entry.file).name) for entry in kept]
        located = read_located(fleet)
        found = check(located.disks, settings, date)
        made = Report(
            title=title or f"Backup of {fleet.name}",
            made=today,
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
                },
                set_ or [],
            ),
            estimate=estimate(located.disks, settings),
            check=suppressions.apply(found, kept, today),
        )
        write_folder(output, made.files(), force=force)
    say_unused(settings, set_)
    typer.echo(output / "report.html")


def _command(fleet: Path, options: dict[str, object], settings: list[str]) -> str:
    """Return the command line with the names of files, but without their folders."""
    words = ["vmbmodel", "report", fleet.name]
    for option, value in options.items():
        if isinstance(value, Path) or str(value).endswith(".toml"):
            value = Path(value).name
        words += [option, str(value)] if value else []
    return shlex.join([*words, *(w for pair in settings for w in ("--set", pair))])
