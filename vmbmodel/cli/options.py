"""Options that the commands share, and the settings they make together."""

import contextlib
import datetime
import enum
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vmbmodel._words import first_lines, short
from vmbmodel.cli.present import Format
from vmbmodel.cli.remarks import say, step

if TYPE_CHECKING:
    from vmbmodel.inventory.fleet import Located
    from vmbmodel.plan import Scenario

__all__ = [
    "AsOfOption",
    "DateOrder",
    "DateOrderOption",
    "FleetArgument",
    "ForceOption",
    "FormatOption",
    "IntervalVmsOption",
    "LimitsOption",
    "OnlyOption",
    "OutputOption",
    "PoliciesOption",
    "PolicyOption",
    "PricesOption",
    "ProfileOption",
    "ScenarioOption",
    "SetOption",
    "SuppressOption",
    "TimeZoneOption",
    "VaultOption",
    "date_of",
    "located_in",
    "pairs",
    "read_scenario",
    "settings_from",
]


class DateOrder(enum.StrEnum):
    """Orders of day, month and year."""

    DMY = "dmy"
    MDY = "mdy"


def _names_of(kind: str) -> Callable[[], tuple[str, ...]]:
    """Return what completes the name of a set."""

    def available() -> tuple[str, ...]:
        from vmbmodel.plan import CATALOGUES

        return CATALOGUES[kind].available()

    return available


def _settings() -> list[str]:
    from vmbmodel.plan import Scenario

    scenario = Scenario.of()
    constants = [name for _, constants in scenario.sets() for name in constants]
    return sorted(f"{name}=" for name in {*constants, *scenario.options})


FleetArgument = Annotated[
    Path, typer.Argument(help="Inventory: CSV or Parquet, a row a disk.")
]

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

ScenarioOption = Annotated[
    Path | None,
    typer.Option("--scenario", help="File of settings; `vmbmodel init` writes one."),
]

ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="Service profile, or a .toml file; see `vmbmodel profiles`.",
        autocompletion=_names_of("profile"),
    ),
]

PricesOption = Annotated[
    str | None,
    typer.Option(
        "--prices",
        help="Price book, or a .toml file; see `vmbmodel prices`.",
        autocompletion=_names_of("prices"),
    ),
]

LimitsOption = Annotated[
    str | None,
    typer.Option(
        "--limits",
        help="Limits, or a .toml file; see `vmbmodel limits`.",
        autocompletion=_names_of("limits"),
    ),
]

AsOfOption = Annotated[
    datetime.datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Take the limits in force on a date."),
]

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a value; repeatable.",
        autocompletion=_settings,
    ),
]

OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only", metavar="VM", help="Take this VM, as if all others were not there."
    ),
]

VaultOption = Annotated[
    list[str] | None,
    typer.Option("--vault", metavar="NAME", help="Take the VMs of this vault only."),
]

IntervalVmsOption = Annotated[
    int,
    typer.Option(
        min=1,
        help="VMs at most that intervals come from: of more, whole vaults are drawn at "
        "random.",
    ),
]

PolicyOption = Annotated[
    list[str] | None,
    typer.Option("--policy", metavar="NAME", help="Take the VMs of this policy only."),
]

PoliciesOption = Annotated[
    Path | None,
    typer.Option(
        "--policies",
        metavar="FILE",
        help="Table of the policies that the inventory names: CSV or TOML.",
    ),
]

SuppressOption = Annotated[
    Path | None,
    typer.Option(help="TOML of findings put up with: where, why, until when."),
]

DateOrderOption = Annotated[
    DateOrder | None,
    typer.Option(
        "--date-order", help="Order in dates such as 12/11/2026; else not read."
    ),
]

TimeZoneOption = Annotated[
    str, typer.Option(help="Zone of times that do not say theirs.")
]


def pairs(
    assignments: list[str] | None,
    read: Callable[[str, str], object] = lambda name, text: text,
) -> dict[str, object]:
    """Take names and values apart, or refuse them with every fault at once."""
    texts, values, problems = {}, {}, []
    for assignment in assignments or []:
        name, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals or not name:
            problems.append(f"--set takes NAME=VALUE; got {short(assignment)}")
        elif name in texts:
            problems.append(
                f"--set {name[:80]} is given twice: {short(texts[name])}, {short(text)}"
            )
        else:
            texts[name] = text
    for name, text in texts.items():
        try:
            values[name] = read(name, text)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError(first_lines(problems))
    return values


def date_of(
    as_of: datetime.datetime | None, limits: str | None
) -> datetime.date | None:
    """Return the date asked for, on which other limits than those named may hold."""
    if limits and as_of:
        raise ValueError("--limits and --as-of exclude each other")
    return as_of.date() if as_of else None


@contextlib.contextmanager
def settings_from(
    file: Path | None,
    assignments: list[str] | None,
    *,
    date: datetime.date | None = None,
    **names: str | None,
) -> "Iterator[Scenario]":
    """Give the settings for an answer; when it is there, say what was set in vain.

    A scenario file comes first, then the command line, which goes before it; a
    date stands for the limits in force on it.
    """
    from vmbmodel.service import LIMITS

    if date:
        names["limits"] = LIMITS.in_force(date).name
    scenario = read_scenario(file, assignments, **names)
    yield scenario
    for name in scenario.unused():
        if name in pairs(assignments):
            say(f"vmbmodel: --set {name} changes nothing here")


def read_scenario(
    file: Path | None, assignments: list[str] | None, **names: str | None
) -> "Scenario":
    """Take a scenario file, then what the command line says, which goes first."""
    from vmbmodel.plan import Scenario, parse_setting, scenario_arguments

    given = pairs(assignments, parse_setting)
    names = {kind: name for kind, name in names.items() if name is not None}
    found = scenario_arguments(file) if file else {"settings": {}, "places": {}}
    anew = given.keys() | names.keys()
    places = {key: place for key, place in found["places"].items() if key not in anew}
    changes = {"settings": found["settings"] | given, "places": places}
    scenario = Scenario.of(**found | names | changes)
    for kind, constants in scenario.sets():
        step(f"{kind} {constants.name}, SHA-256 {constants.sha256}")
    return scenario


def located_in(
    fleet: Path,
    settings: "Scenario",
    only: list[str] | None,
    vault: list[str] | None,
    policy: list[str] | None,
    policies: Path | None,
) -> "Located":
    """Read an inventory and its table of policies, or of it what is asked for."""
    from vmbmodel.inventory.fleet import read_located
    from vmbmodel.plan import chosen

    located = read_located(fleet, policies)
    _say_what_cells_overrule(located.disks, settings)
    if not (only or vault or policy):
        return located
    names = {"vm": only or [], "vault": vault or [], "policy": policy or []}
    kept = chosen(located.disks, settings, **names)
    disks = located.disks[kept].reset_index(drop=True)
    return replace(located, disks=disks, rows=located.rows[kept])


def _say_what_cells_overrule(disks, settings: "Scenario") -> None:
    """Say of which settings the inventory has cells, which go before them."""
    of_settings = {name: name for name in settings.given if name in disks}
    if "churn_frac" in settings.given:
        of_settings["churn_frac"] = "churn_gib_per_day"
    for name, column in of_settings.items():
        if count := int(disks[column].notna().sum()):
            of_all = f"{count:,} of {len(disks):,} rows"
            rows = "every row" if count == len(disks) else of_all
            say(
                f"vmbmodel: {name} is set for blank cells only; the inventory gives "
                f"{column} in {rows}"
            )
