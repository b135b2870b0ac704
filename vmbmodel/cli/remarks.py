"""What a command says on stderr: remarks, steps, progress and what was wrong."""

import contextlib
import errno
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from vmbmodel._extras import remedy
from vmbmodel._words import without_middle

__all__ = ["bad_input", "listen", "progress_bar", "say", "step"]

_LOG = logging.getLogger("vmbmodel")
_SHOWN_AFTER_S = 2


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
        said = "\n".join(map(without_middle, str(error).splitlines()))
        typer.echo(f"vmbmodel: {said}", err=True)
        raise typer.Exit(2) from error


@contextlib.contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show on a terminal how far work is that takes longer than two seconds.

    What it gives is told the name of the work, how much is done and how much there is;
    0 where nobody knows, of which the last one that was named is shown.
    """
    if not (_LOG.isEnabledFor(logging.WARNING) and _is_terminal()):
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    bars = Progress(console=Console(stderr=True), transient=True)
    tasks, unknown = {}, []

    def show(what: str, done: int, total: int) -> None:
        if what not in tasks:
            while unknown:
                bars.remove_task(tasks.pop(unknown.pop()))
            tasks[what] = bars.add_task(Path(what).name, total=total or None)
            if not total:
                unknown.append(what)
        bars.update(tasks[what], completed=done)

    later = threading.Timer(_SHOWN_AFTER_S, bars.start)
    later.daemon = True
    later.start()
    try:
        yield show
    finally:
        later.cancel()
        later.join()  # it may be starting them
        if bars.live.is_started:
            bars.stop()


def _is_terminal() -> bool:
    """Say whether somebody looks at stderr, as rich does, without loading it."""
    return sys.stderr is not None and sys.stderr.isatty()
