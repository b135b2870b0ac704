"""``vmbmodel jobs``."""

from pathlib import Path
from typing import Annotated

import typer

from vmbmodel._words import counted
from vmbmodel.cli.options import (
    DateOrderOption,
    ForceOption,
    FormatOption,
    OutputOption,
    TimeZoneOption,
)
from vmbmodel.cli.present import Format, present
from vmbmodel.cli.remarks import say
from vmbmodel.render import render_csv, render_json, render_table

__all__ = ["jobs"]

_SHOWN_COLUMNS = (
    "vm",
    "operation",
    "status",
    "start_time",
    "job_h",
    "snapshot_h",
    "wait_h",
    "transfer_h",
    "moved_gib",
)

_SPARE_COLUMNS = ("snapshot_h", "transfer_h", "wait_h", "status")

_SHOWN = 200  # jobs that a table lists before it counts


def jobs(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="`az backup job list` or `show`, AddonAzureBackupJobs of Log "
            "Analytics (JSON, CSV), the jobs that the portal exports, as CSV.",
        ),
    ],
    time_zone: TimeZoneOption = "UTC",
    date_order: DateOrderOption = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Read job logs of any tool and year as one table, times in UTC."""
    from vmbmodel.inventory import jobs as log_of

    log = log_of.read(files, time_zone, date_order)
    rows = log_of.rows(log.jobs)
    unread = [{"reason": str(first), "count": count} for first, count in log.unread]
    whole = {
        "schema": "vmbmodel.jobs/1",
        "jobs": rows,
        "unread": unread,
        "skipped": dict(log.skipped),
        "repeated": log_of.rows(log.repeated),
    }
    present(
        format_,
        output,
        force=force,
        table=lambda: _text(rows),
        json=lambda: render_json(whole),
        csv=lambda: render_csv(rows, log_of.COLUMNS),
    )
    of_vms = counted(log.jobs["vm"].nunique(), "VM")
    say(f"{counted(len(rows), 'job')} of {of_vms}.")
    for line in log.said():
        say(line)


def _text(rows) -> str:
    text = render_table(rows[:_SHOWN], _SHOWN_COLUMNS, spare=_SPARE_COLUMNS)
    if len(rows) > _SHOWN:
        text += f"... and {len(rows) - _SHOWN:,} more; --format csv lists them all."
    return text
