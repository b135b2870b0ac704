"""The model from a shell: ``vmbmodel COMMAND ...``.

Exit status 0: fine. 1: a condition of ``--fail-on`` holds. 2: bad input, with
every problem named on stderr, and nothing written.
"""

import contextlib
import datetime
import enum
import operator
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

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
_CHANGES_COLUMNS = (
    "file",
    "changed_gib",
    "changed_frac",
    "changed_cells",
    "extents",
    "cells",
    "extent_kib",
    "dispersion_index",
    "dispersion",
    "active_frac",
    "writes",
    "write_kib",
    "small_writes_frac",
)
_AVOIDING = 1.05
"""Raw index from which on changes are said to avoid each other."""

_CONDITION = re.compile(r"(\w+)\s*(<=|>=|<|>)\s*([-+.\deE]+|inf)")
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

_FINDING_COLUMNS = ("severity", "rule", "place", "text", "todo", "source")
_CSV_COLUMNS = (
    "status",
    "rule",
    "severity",
    "vault",
    "policy",
    "storage_account",
    "start_h",
    "vm",
    "disk",
    "line",
    "found",
    "limit",
    "text",
    "todo",
    "source",
    "locator",
    "suppressed",
)


_SHOWN = 200  # findings that a table lists before it counts


class _CheckFormat(enum.StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    SARIF = "sarif"
    JUNIT = "junit"


class _FailOn(enum.StrEnum):
    ERROR = "error"
    WARNING = "warning"


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


class _ShowByDefault(TyperGroup):
    """Commands of which ``show`` may be left out."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Put ``show`` before what names no command."""
        if not args or args[0] not in (*self.commands, "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


_prices = typer.Typer(
    cls=_ShowByDefault,
    help="Price books (`show`, which may be left out), or a new one (`import`).",
    rich_markup_mode=None,
)
app.add_typer(_prices, name="prices")


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
        str | None,
        typer.Option(help="Price book, or a .toml file; see `vmbmodel prices`."),
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
def dispersion(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Changes of one disk, a file a day: page ranges (XML, JSON), extents "
            "(CSV: offset,length), a trace of writes (CSV: op,offset,size; or text of "
            "blkparse). With --before, raw images.",
        ),
    ],
    cell_kib: Annotated[
        float, typer.Option(help="Size of a cell, the smallest piece that is sent.")
    ] = 8,
    disk_gib: Annotated[
        float | None,
        typer.Option(help="Size of the disk; else it ends with the last change."),
    ] = None,
    before: Annotated[
        Path | None,
        typer.Option(
            metavar="IMAGE",
            help="Raw image to compare the first FILE with; each further FILE is "
            "compared with the one before it.",
        ),
    ] = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Measure how scattered the changes of a disk are: the dispersion index.

    Several files are days that follow each other; what changes in one, two and
    more of them together shows how much is written again and again.
    """
    from vmbmodel.inventory import extents

    with _bad_input():
        if before is not None and disk_gib is not None:
            raise ValueError("--disk-gib and --before exclude each other")
        with _progress() as progress:
            if before is None:
                days = [
                    extents.read(
                        file, cell_kib=cell_kib, size_gib=disk_gib, progress=progress
                    )
                    for file in files
                ]
            else:
                days = [
                    extents.compare(*pair, cell_kib=cell_kib, progress=progress)
                    for pair in zip([before, *files], files, strict=False)
                ]
        size_gib = max(day.size_gib for day in days)
        days = extents.on_disk(days, size_gib)
        unions = [
            {"days": count, "union_gib": union_gib}
            for count, union_gib in enumerate(extents.unions_gib(days), 1)
        ]
    rows = [{name: getattr(day, name) for name in _CHANGES_COLUMNS} for day in days]
    notes = [
        f"{day.file}: changes avoid each other, as with a stride; predictions take a "
        "dispersion of 1"
        for day in days
        if (day.dispersion_index or 0) > _AVOIDING
    ]
    notes += [f"{day.file}: nothing changed" for day in days if not day.changed_cells]
    if before is None and disk_gib is None:
        notes.append(
            "The disk is taken to end with the last change; --disk-gib says better."
        )
    if format_ is Format.JSON:
        text = render_json(
            {
                "schema": "vmbmodel.dispersion/1",
                "cell_kib": cell_kib,
                "size_gib": size_gib,
                "files": rows,
                "unions": unions,
                "notes": notes,
            }
        )
    elif format_ is Format.CSV:
        text = render_csv(rows, _CHANGES_COLUMNS)
    else:
        parts = [render_table(rows, _CHANGES_COLUMNS)]
        if len(days) > 1:
            parts.append(render_table(unions, ["days", "union_gib"]))
        about = f"Cells of {cell_kib:g} KiB on a disk of {size_gib:,.4g} GiB."
        text = "\n".join([*parts, "", about, *notes])
    with _bad_input():
        deliver(text, output, force=force)


@app.command()
def check(
    fleet: Annotated[
        Path, typer.Argument(help="Inventory: CSV or Parquet, a row a disk.")
    ],
    as_of: Annotated[
        datetime.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Take the rules in force on a date; else on that of the profile.",
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Service profile; see `vmbmodel profiles`.")
    ] = None,
    limits: Annotated[
        str | None, typer.Option(help="Limits; see `vmbmodel limits`.")
    ] = None,
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
    suppress: Annotated[
        Path | None,
        typer.Option(help="TOML of findings put up with: where, why, until when."),
    ] = None,
) -> None:
    """Check an inventory against the limits and practices in force on a date."""
    from vmbmodel import _ci
    from vmbmodel.inventory.fleet import read_located
    from vmbmodel.plan import check as plan
    from vmbmodel.plan import suppressions
    from vmbmodel.plan.scenario import DEFAULT_PROFILE, Scenario
    from vmbmodel.service import limits as limits_of
    from vmbmodel.service import profile as profile_of

    with _bad_input():
        if limits and as_of:
            raise ValueError("--limits and --as-of exclude each other")
        date = as_of.date() if as_of else None
        if date:
            profile = profile or profile_of.in_force(date).name
            limits = limits_of.in_force(date).name
        scenario = Scenario.of(
            profile or DEFAULT_PROFILE, limits=limits, settings=_settings(set_)
        )
        kept = suppressions.read(suppress) if suppress else ()
        located = read_located(fleet)
        answer = plan.check(located.disks, scenario, date)
        answer = suppressions.apply(answer, kept, datetime.date.today())
    if format_ is _CheckFormat.SARIF:
        text = _ci.render_sarif(answer, fleet, located)
    elif format_ is _CheckFormat.JUNIT:
        least = fail_on.value if fail_on else "warning"
        text = _ci.render_junit(answer, fleet, located, least)
    elif format_ is _CheckFormat.JSON:
        text = _ci.inert_json(_check_json(answer, located))
    elif format_ is _CheckFormat.CSV:
        text = render_csv(_check_rows(answer, located), _CSV_COLUMNS)
    else:
        text = _check_text(answer)
    with _bad_input():
        deliver(text, output, force=force)
    failing = {_FailOn.ERROR: {"error"}, _FailOn.WARNING: {"error", "warning"}}
    if fail_on and answer.worst() in failing[fail_on]:
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


@_prices.command("show")
def prices(
    name: Annotated[
        str | None, typer.Argument(help="One of them, or a .toml file, in full.")
    ] = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Price books, or the prices of one with their sources."""
    from vmbmodel.service.prices import PRICES

    _deliver_catalogue(PRICES, name, format_, output, force)


@_prices.command("import")
def import_prices(
    pages: Annotated[
        list[Path], typer.Argument(help="Pages of the retail price list, as JSON.")
    ],
    region: Annotated[
        str | None, typer.Option(help="Region to take where pages hold several.")
    ] = None,
    usd_per_unit: Annotated[
        float | None,
        typer.Option(help="US dollars for one unit of another currency."),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Price book for what the list lacks.")
    ] = None,
    retrieved: Annotated[
        datetime.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="When the list was asked for; today by default."
        ),
    ] = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Make a price book of saved pages of the public retail price list."""
    from vmbmodel.plan.scenario import DEFAULT_PRICES
    from vmbmodel.service import price_list
    from vmbmodel.service.prices import PRICES

    asked = retrieved.date() if retrieved else datetime.date.today()
    with _bad_input():
        found = price_list.read(pages, retrieved=asked, region=region)
        rest = PRICES.find(base or DEFAULT_PRICES)
        text = price_list.to_toml(found, rest, usd_per_unit)
        PRICES.parse(text.encode(), output or Path("book.toml"))
        deliver(text, output, force=force)
    typer.echo(
        f"{found.rows} rows: {len(found.meters)} prices of {found.region} in "
        f"{found.currency}, {found.reservations} reservations apart, {found.dropped} "
        "other meters dropped.",
        err=True,
    )
    if found.missing:
        missing = ", ".join(found.missing)
        typer.echo(f"Not in the list, from {rest.name}: {missing}.", err=True)
    if found.more:
        typer.echo("The last page is missing: each names a next one.", err=True)


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


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None] | None]:
    """Show on a terminal how far a file has been read; elsewhere nothing."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as bars:
        tasks = {}

        def show(path: str, done: int, total: int) -> None:
            if path not in tasks:
                tasks[path] = bars.add_task(Path(path).name, total=total or None)
            bars.update(tasks[path], completed=done)

        yield show


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


def _check_json(answer, located) -> dict:
    from vmbmodel._ci import line_of

    whole = answer.to_dict()
    for row, finding in zip(whole["findings"], answer.findings, strict=True):
        row["line"] = line_of(finding, located)
    return whole


def _check_rows(answer, located) -> Iterator[dict]:
    """Give a row for each finding, and one for each rule that lacks something."""
    from vmbmodel._ci import line_of

    for finding in answer.findings:
        status = "suppressed" if finding.suppressed else "finding"
        line = line_of(finding, located)
        yield {"status": status, "line": line} | finding.to_dict()
    for outcome in answer.outcomes:
        if outcome.needs:
            never = outcome.status == "not checked"
            yield dict.fromkeys(_CSV_COLUMNS) | {
                "status": "not checked" if never else "not known everywhere",
                "rule": outcome.rule.id,
                "text": f"needs {outcome.needs}",
                "source": outcome.version.source,
                "locator": outcome.version.locator,
            }


def _check_text(answer) -> str:
    counts = answer.count()
    sets = ", ".join(
        f"{k} {c.name}" for k, c in answer.scenario.sets() if k != "prices"
    )
    lines = [f"Rules in force on {answer.as_of}: {counts['rules']}; {sets}.", ""]
    shown = [finding for finding in answer.findings if not finding.suppressed]
    if shown:
        rows = (
            finding.to_dict() | {"place": _place(finding.place.where)}
            for finding in shown[:_SHOWN]
        )
        lines.append(render_table(rows, _FINDING_COLUMNS))
        if len(shown) > _SHOWN:
            more = len(shown) - _SHOWN
            lines.append(f"... and {more:,} more; --format csv lists them all.")
    else:
        lines.append("Nothing found.")
    for finding in answer.findings:
        if finding.suppressed:
            where = _place(finding.place.where)
            lines.append(
                f"Suppressed: {finding.rule.id}, {where}: {finding.suppressed}"
            )
    parts = [o for o in answer.outcomes if o.needs and o.status != "not checked"]
    if parts:
        lines += ["", f"Not known everywhere ({len(parts)}):"]
        lines += [f"  {o.rule.id}: needs {o.needs}" for o in parts]
    never = [o for o in answer.outcomes if o.status == "not checked"]
    if never:
        lines += ["", f"Not checked ({len(never)}):"]
        lines += [f"  {o.rule.id}: needs {o.needs}" for o in never]
    found = ", ".join(
        f"{counts[name]:,} {name}{'s' * (counts[name] != 1)}"
        for name in ("error", "warning", "note")
    )
    suppressed = (
        f", {counts['suppressed']:,} suppressed" if counts["suppressed"] else ""
    )
    lines += ["", f"{found}{suppressed}."]
    return "\n".join(lines)


def _place(where) -> str:
    """Name a place in words, or the whole inventory."""
    from vmbmodel.units import fields

    return ", ".join(f"{fields()[n].label} {v}" for n, v in where.items()) or "fleet"


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
            constants = catalogue.find(name)
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
