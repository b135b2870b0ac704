"""Options and manners that the commands share."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.output import Format

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


def pairs(assignments: list[str] | None) -> Iterator[tuple[str, str]]:
    """Take names and values apart."""
    for assignment in assignments or []:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise ValueError(f"--set takes NAME=VALUE; got {assignment!r}")
        yield name.strip(), value.strip()


def settings(assignments: list[str] | None) -> dict[str, object]:
    """Read all settings, or refuse them with every fault at once."""
    from vmbmodel.plan.scenario import parse_setting

    settings, problems = {}, []
    for assignment in assignments or []:
        try:
            for name, value in pairs([assignment]):
                settings[name] = parse_setting(name, value)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("\n".join(problems))
    return settings
