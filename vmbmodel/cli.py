"""The model from a shell: ``vmbmodel COMMAND ...``.

Exit status 0: fine. 1: a condition of ``--fail-on`` holds. 2: bad input, with
every problem named on stderr, and nothing written.
"""

import contextlib
import datetime
import operator
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

import vmbmodel
from vmbmodel.output import Format, deliver, render_csv, render_json, render_table

__all__ = ["app", "main"]

app = typer.Typer(
    name="vmbmodel",
    help="How long, when, how safe and how much: Azure VM backup from one inventory.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
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
_CONDITION = re.compile(r"(\w+)\s*(<=|>=|<|>)\s*([-+.\deE]+|inf)")
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

FormatOption = Annotated[
    Format, typer.Option("--format", help="Shape of the result.", show_default=True)
]
OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="File to write; refused if it exists."),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Overwrite files that exist.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Change a value; repeatable."),
]


def main() -> None:
    """Run the command line."""
    app()


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.")
    ] = False,
) -> None:
    if version:
        typer.echo(f"vmbmodel {vmbmodel.__version__}")
        raise typer.Exit


@app.command()
def estimate(
    fleet: Annotated[
        Path, typer.Argument(help="Inventory: CSV or Parquet, a row a disk.")
    ],
    profile: Annotated[
        str | None, typer.Option(help="Service profile; see `vmbmodel profiles`.")
    ] = None,
    prices: Annotated[
        str | None, typer.Option(help="Price book; see `vmbmodel prices`.")
    ] = None,
    limits: Annotated[
        str | None, typer.Option(help="Limits; see `vmbmodel limits`.")
    ] = None,
    as_of: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Take the limits in force on a date."),
    ] = None,
    set_: SetOption = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
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
    from vmbmodel.plan.scenario import DEFAULT_PRICES, DEFAULT_PROFILE, Scenario
    from vmbmodel.service.limits import in_force

    with _bad_input():
        if limits and as_of:
            raise ValueError("--limits and --as-of exclude each other")
        scenario = Scenario.of(
            profile or DEFAULT_PROFILE,
            prices or DEFAULT_PRICES,
            in_force(as_of.date()).name if as_of else limits,
            _settings(set_),
        )
        gates = [_gate(condition) for condition in fail_on or []]
        answer = plan.estimate(read(fleet), scenario)
    if format_ is Format.JSON:
        text = render_json(answer.to_dict())
    elif format_ is Format.CSV:
        rows = answer.vms.to_dict("records")
        text = render_csv(rows, list(answer.vms.columns))
    else:
        text = _estimate_text(answer)
    with _bad_input():
        deliver(text, output, force=force)
    if any(compare(answer.vms[name], bound).any() for name, compare, bound in gates):
        raise typer.Exit(1)


@app.command()
def fields(
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Every public quantity: name, label, unit, range and what it is."""
    from vmbmodel import units

    rows = [
        {
            "name": field.name,
            "label": field.label,
            "unit": field.unit,
            "allowed": field.range.rule
            if field.range
            else " ".join(field.choices or ()),
            "text": field.text,
        }
        for field in units.fields().values()
    ]
    _deliver_rows(rows, format_, output, force)


@app.command()
def profiles(
    name: Annotated[str | None, typer.Argument(help="One of them, in full.")] = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Service profiles, or the constants of one with their sources."""
    from vmbmodel.service.profile import PROFILES

    _deliver_catalogue(PROFILES, name, format_, output, force)


@app.command()
def prices(
    name: Annotated[str | None, typer.Argument(help="One of them, in full.")] = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Price books, or the prices of one with their sources."""
    from vmbmodel.service.prices import PRICES

    _deliver_catalogue(PRICES, name, format_, output, force)


@app.command()
def limits(
    name: Annotated[str | None, typer.Argument(help="One of them, in full.")] = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Tables of limits, or the limits of one with their sources."""
    from vmbmodel.service.limits import LIMITS

    _deliver_catalogue(LIMITS, name, format_, output, force)


@app.command()
def rerun(
    notebook: Annotated[Path, typer.Argument(help="Notebook with tagged parameters.")],
    set_: SetOption = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the results.")
    ] = Path(),
    force: ForceOption = False,
) -> None:
    """Execute a notebook with your parameters; gives .ipynb and .html."""
    from vmbmodel.rerun import rerun as run

    with _bad_input():
        for path in run(notebook, dict(_pairs(set_)), output, force=force):
            typer.echo(path)


@contextlib.contextmanager
def _bad_input() -> Iterator[None]:
    """Report what the user can mend, without a traceback."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"vmbmodel: {where}{error.strerror or error}", err=True)
        raise typer.Exit(2) from error
    except ValueError as error:
        typer.echo(f"vmbmodel: {error}", err=True)
        raise typer.Exit(2) from error


def _pairs(assignments: list[str] | None) -> Iterator[tuple[str, str]]:
    for assignment in assignments or []:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise ValueError(f"--set takes NAME=VALUE; got {assignment!r}")
        yield name.strip(), value.strip()


def _settings(assignments: list[str] | None) -> dict[str, object]:
    """Read all settings, or refuse them with every fault at once."""
    from vmbmodel.plan.scenario import parse_setting

    settings, problems = {}, []
    for assignment in assignments or []:
        try:
            for name, value in _pairs([assignment]):
                settings[name] = parse_setting(name, value)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("\n".join(problems))
    return settings


def _gate(condition: str):
    from vmbmodel.plan.estimate import COLUMNS
    from vmbmodel.service.constants import nearest

    match = _CONDITION.fullmatch(condition.strip())
    if not match:
        raise ValueError(
            f"--fail-on takes a column, <, <=, > or >=, and a number; got {condition!r}"
        )
    name, sign, bound = match.groups()
    if name not in COLUMNS:
        raise ValueError(f"--fail-on: there is no column {nearest(name, COLUMNS)}")
    try:
        return name, _COMPARE[sign], float(bound)
    except ValueError:
        raise ValueError(f"--fail-on: {bound!r} is no number") from None


def _estimate_text(answer) -> str:
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
    ]
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


def _deliver_catalogue(catalogue, name, format_, output, force) -> None:
    if name is None:
        sets = [catalogue.load(known) for known in catalogue.available()]
        rows = [
            {
                "name": s.name,
                "as_of": s.as_of.isoformat(),
                "title": s.title,
                "constants": str(len(s)),
                "sha256": s.sha256,
            }
            for s in sets
        ]
    else:
        with _bad_input():
            constants = catalogue.load(name)
        rows = [
            {
                "name": key,
                "value": value if value != float("inf") else "inf",
                "documented": origin.documented,
                "status": origin.status,
                "source": origin.source,
                "locator": origin.locator,
                "retrieved": origin.retrieved.isoformat(),
                "note": origin.note,
            }
            for (key, value), origin in zip(
                constants.items(), constants.origins.values(), strict=True
            )
        ]
    _deliver_rows(rows, format_, output, force)


def _deliver_rows(rows, format_, output, force) -> None:
    columns = list(rows[0])
    if format_ is Format.JSON:
        text = render_json(rows)
    elif format_ is Format.CSV:
        text = render_csv(rows, columns)
    else:
        text = render_table(rows, columns)
    with _bad_input():
        deliver(text, output, force=force)


if __name__ == "__main__":
    sys.exit(main())
