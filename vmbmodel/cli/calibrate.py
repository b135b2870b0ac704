"""``vmbmodel calibrate``."""

import datetime
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel._today import today
from vmbmodel.cli.options import (
    DateOrderOption,
    ForceOption,
    FormatOption,
    ProfileOption,
    TimeZoneOption,
)
from vmbmodel.cli.present import Format, deliver, present
from vmbmodel.cli.remarks import say
from vmbmodel.render import render_csv, render_json, render_table

__all__ = ["calibrate"]

_COLUMNS = ("name", "value", "low", "high", "count", "base_value", "method")


def calibrate(
    jobs: Annotated[
        list[Path],
        typer.Argument(metavar="JOBS...", help="Job logs, as `vmbmodel jobs` reads."),
    ],
    fleet: Annotated[
        Path | None,
        typer.Option(help="Inventory of the VMs: sizes the log lacks, largest disks."),
    ] = None,
    profile: ProfileOption = None,
    time_zone: TimeZoneOption = "UTC",
    date_order: DateOrderOption = None,
    day: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Date of the profile; today."),
    ] = None,
    format_: FormatOption = Format.TABLE,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Profile to write, a .toml file."),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Fit a service profile to the log of your own jobs, with intervals.

    What the log does not tell stays as in the base profile, and the answer says
    why. `estimate --profile FILE.toml` takes the profile.
    """
    from vmbmodel.inventory import fleet as inventory
    from vmbmodel.inventory import jobs as log_of
    from vmbmodel.plan import DEFAULT_PROFILE
    from vmbmodel.plan.calibrate import calibrate as fit
    from vmbmodel.service import PROFILES

    if output is not None and output.suffix != ".toml":
        raise ValueError(f"{output} must end in .toml, to be found as a profile")
    base = PROFILES.find(profile or DEFAULT_PROFILE)
    log = log_of.read(jobs, time_zone, date_order)
    disks = inventory.read_fleet(fleet) if fleet else None
    answer = fit(log, base, disks)
    if output is not None:
        source = ", ".join(path.name for path in jobs)
        text = answer.to_toml(source, day.date() if day else today())
        PROFILES.parse(text.encode(), output)
        deliver(text, output, force=force)
    whole = answer.to_dict()
    rows = whole["constants"]
    present(
        format_,
        None,
        force=False,
        table=lambda: _text(answer, rows, whole["quantiles"], base.name, output),
        json=lambda: render_json(whole),
        csv=lambda: render_csv(rows, _COLUMNS),
    )
    for line in answer.left_out:
        say(line)


def _text(answer, rows, quantiles, base: str, output: Path | None) -> str:
    from vmbmodel.plan.calibrate import LEVEL

    use = f"vmbmodel estimate FLEET --profile {output or 'FILE.toml'}"
    lines = [
        render_table(rows, _COLUMNS, spare=("method",)),
        "",
        f"low and high are the ends of intervals of {LEVEL:.0%}.",
        f"Use the profile: {use}" if output else f"-o FILE.toml writes it for {use}",
        "",
        *answer.said(),
        "",
    ]
    lines += [
        f"{row['share']:.0%} of the backups were done within {row['log_h']:.3g} h; "
        f"with these constants, {row['fitted_h']:.3g} h."
        for row in quantiles
    ]
    if answer.left:
        lines += ["", f"Left to {base} ({len(answer.left)}):"]
        lines += [f"  {name}: {why}" for name, why in answer.left.items()]
    lines += [f"Note: {note}" for note in answer.notes]
    return "\n".join(lines)
