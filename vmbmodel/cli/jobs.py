"""``vmbmodel jobs``."""

from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.cli.options import ForceOption, FormatOption, OutputOption, bad_input, say
from vmbmodel.render.output import (
    Format,
    deliver,
    render_csv,
    render_json,
    render_table,
)

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

_ROWS = 200  # jobs that a table lists before it counts


def jobs(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="`az backup job list` or `show`, AddonAzureBackupJobs of Log "
            "Analytics (JSON, CSV), the portal's CSV.",
        ),
    ],
    time_zone: Annotated[
        str, typer.Option(help="Zone of times that do not say theirs.")
    ] = "UTC",
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Read job logs of any tool and year as one table, times in UTC."""
    from vmbmodel.inventory import jobs as log_of

    with bad_input():
        log = log_of.read(files, time_zone)
    rows = log_of.rows(log.jobs)
    unread = [{"reason": str(first), "count": count} for first, count in log.unread]
    if format_ is Format.JSON:
        text = render_json(
            {
                "schema": "vmbmodel.jobs/1",
                "jobs": rows,
                "unread": unread,
                "skipped": dict(log.skipped),
            }
        )
    elif format_ is Format.CSV:
        text = render_csv(rows, log_of.COLUMNS)
    else:
        text = render_table(rows[:_ROWS], _SHOWN_COLUMNS, spare=_SPARE_COLUMNS)
        if len(rows) > _ROWS:
            text += f"... and {len(rows) - _ROWS:,} more; --format csv lists them all."
    with bad_input():
        deliver(text, output, force=force)
    say(f"{len(rows):,} jobs of {log.jobs['vm'].nunique():,} VMs.")
    for line in unread:
        say(f"Not read {line['count']:,}: {line['reason']}")
    for why, count in log.skipped.items():
        say(f"Skipped {count:,}: {why}.")
    if log.more:
        say("The log goes on: a next page (nextLink) is named.")
