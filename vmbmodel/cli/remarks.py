"""What a command says on stderr: remarks, steps, progress and what was wrong."""

import contextlib
import errno
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from vmbmodel._extras import remedy

__all__ = ["bad_input", "listen", "progress_bar", "say", "step"]

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
def bad_input(command: str) -> Iterator[None]:
    """Report what the user of a command can mend, without a traceback."""
    try:
        yield
    except ModuleNotFoundError as error:
        lacks = remedy(error)
        if lacks is None:
            raise
        typer.echo(f"vmbmodel: {command} needs {lacks}", err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise
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
