"""Options and manners that the commands share."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.render.output import Format


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

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a value; repeatable.",
        autocompletion=_settings,
    ),
]


_LOG = logging.getLogger("vmbmodel")


class _Stderr(logging.Handler):
    """Prints what is logged, steps with the seconds they came after."""

    def __init__(self) -> None:
        super().__init__()
        self.since = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        text = record.getMessage()
        if record.levelno < logging.WARNING:
            text = f"[{time.monotonic() - self.since:6.2f} s] {text}"
        typer.echo(text, err=True)


def listen(*, quiet: bool, verbose: bool) -> None:
    """Print remarks on stderr from now on; none if quiet, and steps if verbose."""
    level = logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING
    _LOG.handlers = [_Stderr()]
    _LOG.setLevel(level)


def step(what: str) -> None:
    """Print on stderr what is done, if --verbose was given."""
    _LOG.info("%s", what)


def say(remark: str) -> None:
    """Print a remark on stderr, unless --quiet was given."""
    _LOG.warning("%s", remark)


@contextlib.contextmanager
def bad_input() -> Iterator[None]:
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
def progress_bar() -> Iterator[Callable[[str, int, int], None] | None]:
    """Show on a terminal how far a file has been read; elsewhere nothing."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not (console.is_terminal and _LOG.isEnabledFor(logging.WARNING)):
        yield None
        return
    with Progress(console=console, transient=True) as bars:
        tasks = {}

        def show(path: str, done: int, total: int) -> None:
            if path not in tasks:
                tasks[path] = bars.add_task(Path(path).name, total=total or None)
            bars.update(tasks[path], completed=done)

        yield show


def pairs(assignments: list[str] | None) -> dict[str, str]:
    """Take names and values apart, or refuse them with every fault at once."""
    found, problems = _taken_apart(assignments)
    if problems:
        raise ValueError("\n".join(problems))
    return found


def settings(assignments: list[str] | None) -> dict[str, object]:
    """Read all settings, or refuse them with every fault at once."""
    from vmbmodel.plan import parse_setting

    found, problems = _taken_apart(assignments)
    settings = {}
    for name, value in found.items():
        try:
            settings[name] = parse_setting(name, value)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("\n".join(problems))
    return settings


def _taken_apart(assignments: list[str] | None) -> tuple[dict[str, str], list[str]]:
    found, problems = {}, []
    for assignment in assignments or []:
        name, equals, value = (part.strip() for part in assignment.partition("="))
        if not equals or not name:
            problems.append(f"--set takes NAME=VALUE; got {assignment!r}")
        elif name in found:
            problems.append(f"--set {name} is given twice: {found[name]!r}, {value!r}")
        else:
            found[name] = value
    return found, problems


def read_scenario(
    file: Path | None, assignments: list[str] | None, **names: str | None
):
    """Take a scenario file, then what the command line says, which goes first."""
    from vmbmodel.plan import Scenario, scenario_file

    given = settings(assignments)
    names = {kind: name for kind, name in names.items() if name is not None}
    found = scenario_file.read(file) if file else {"settings": {}, "places": {}}
    anew = given.keys() | names.keys()
    places = {key: place for key, place in found["places"].items() if key not in anew}
    changes = {"settings": found["settings"] | given, "places": places}
    scenario = Scenario.of(**found | names | changes)
    for kind, constants in scenario.sets():
        step(f"{kind} {constants.name}, SHA-256 {constants.sha256}")
    return scenario


def say_unused(scenario, assignments: list[str] | None) -> None:
    """Name what was set for nothing."""
    for name in scenario.unused():
        if name in pairs(assignments):
            say(f"vmbmodel: --set {name} changes nothing here")
