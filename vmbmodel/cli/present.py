"""What becomes of an answer: its shape, where it goes, and whether it fails."""

import enum
import operator
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import typer

from vmbmodel._files import write_all
from vmbmodel._words import short
from vmbmodel.cli.remarks import progress_bar, say
from vmbmodel.render import fit

__all__ = ["Condition", "Format", "deliver", "in_the_way", "present", "stop_if"]


class Format(enum.StrEnum):
    """Shapes in which a result can be had."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def present(
    format_: enum.StrEnum,
    output: Path | None,
    *,
    force: bool,
    failed: Iterable[str] = (),
    besides: Mapping[Path, bytes] | None = None,
    **shapes: Callable[[], bytes | str | Iterable[str]],
) -> None:
    """Deliver an answer in the shape asked for; exit with 1 if it failed a gate.

    Parameters
    ----------
    format_ : enum.StrEnum
        The shape.
    output : Path or None
        File to write; None prints.
    force : bool
        Whether a file that exists is replaced.
    failed : iterable of str
        What of its gates the answer fails, and where; each is said on stderr.
    besides : mapping of Path to bytes, optional
        Other files that are written with it, all or none.
    **shapes : callable
        By the value of each format, what makes the answer in this shape.
    """
    text = shapes[format_.value]()
    if format_.value == Format.TABLE and not isinstance(text, bytes):
        text = fit(text)
    deliver(text, output, force=force, besides=besides)
    stop_if(failed)


def stop_if(failed: Iterable[str]) -> None:
    """Say which gates are failed, and exit with 1 if any is."""
    if met := list(failed):
        for condition in met:
            say(f"vmbmodel: {condition}")
        raise typer.Exit(1)


@dataclass(frozen=True)
class Condition:
    """One condition of ``--fail-on``, such as ``deadline_prob<0.95``.

    Parameters
    ----------
    text : str
        As it was typed.
    name : str
        What is compared.
    compare : callable
        Whether a value is on the failing side of a bound.
    bound : float
        The bound, in the unit of the name, or in per cent.
    percent : bool
        Whether it is in per cent, of a base.
    """

    text: str
    name: str
    compare: Callable[[object, float], object]
    bound: float
    percent: bool

    def met(self, values, base: float = 0.0):
        """Say of each value whether it meets the condition."""
        bound = self.bound * (abs(base) / 100) if self.percent else self.bound
        return self.compare(values, bound)

    @classmethod
    def parse(
        cls, text: str, names: Collection[str], kind: str, *, percent: bool = False
    ) -> "Condition":
        """Read a condition on one of some names.

        Parameters
        ----------
        text : str
            As it was typed.
        names : Collection of str
            What there is to compare.
        kind : str
            What a refusal calls one of them.
        percent : bool
            Whether a bound may be in per cent.
        """
        from vmbmodel.fields import misnamed

        match = _CONDITION.fullmatch(text.strip())
        if not match or (match["percent"] and not percent):
            bound = "a change such as +5% or 100" if percent else "a number"
            raise ValueError(
                f"--fail-on takes a {kind}, <, <=, > or >=, and {bound}; got "
                f"{short(text)}"
            )
        name, sign, bound, in_percent = match.groups()
        if name not in names:
            raise ValueError(f"--fail-on: there is no {kind} {misnamed(name, names)}")
        try:
            return cls(text, name, _COMPARE[sign], float(bound), bool(in_percent))
        except ValueError:
            raise ValueError(f"--fail-on: {short(bound)} is no number") from None


_CONDITION = re.compile(
    r"(?P<name>\w+)\s*(?P<sign><=|>=|<|>)\s*(?P<bound>[-+.\deE]+|inf)\s*(?P<percent>%?)"
)

_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def in_the_way(*paths: Path, force: bool) -> list[str]:
    """Say which of some files there are already, before any of them is written."""
    return [
        f"{path}: exists; --force replaces it"
        for path in paths
        if path.exists() and not force
    ]


def deliver(
    text: bytes | str | Iterable[str],
    output: Path | None = None,
    *,
    force: bool = False,
    besides: Mapping[Path, bytes] | None = None,
) -> None:
    """Print a result, or write it to a file that is not there yet, and others with it.

    The result comes at once or piece by piece; what is no text is only written. No file
    has its name before all are written.

    Raises
    ------
    FileExistsError
        If the file exists and `force` is not given.
    OSError
        If nothing can be printed; not if a reader has seen enough.
    """
    pieces = [text] if isinstance(text, bytes | str) else text
    files: dict[Path, bytes | Iterable[bytes]] = dict(besides or {})
    if output is not None:
        files[output] = (p if isinstance(p, bytes) else p.encode() for p in pieces)
    if files:
        with progress_bar() as progress:
            progress(f"writing {next(reversed(files)).name}", 0, 0)
            write_all(files, force=force)
    if output is not None:
        return
    if isinstance(text, bytes):
        raise ValueError("this is no text; name a file with -o")
    if sys.stdout is None:
        raise OSError("standard output is closed; name a file with -o")
    if hasattr(sys.stdout, "reconfigure"):  # a screen that lacks a letter
        sys.stdout.reconfigure(errors="replace")
    try:
        last = ""
        for last in pieces:
            sys.stdout.write(last)
        sys.stdout.write("" if last.endswith("\n") else "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # what is left goes nowhere, at the exit too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
