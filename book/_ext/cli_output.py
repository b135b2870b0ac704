"""What a command prints, run while the book is built, so that it cannot go stale.

.. code-block:: md

    ```{cli-output} vmbmodel estimate one-vm.csv --format csv
    :status: 0
    :head: 12
    ```

It runs in a folder of its own that holds the files of ``book/examples`` and
``fleet.csv``; the commands of one page share it, so that one can read what another
has written. A command that exits with another status than the one expected stops
the build.

It runs twice, in two such folders: for a screen of a desk, and for one of a phone, as
wide as the column there at a size that can be read. The style sheet shows the one that
fits, if they differ. ``head`` counts lines of the first; the other stops before the
line that begins with the same words. ``from`` names the words of the line at which what
is shown begins. A longer line goes on below, broken between words only.
"""

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).parents[1]
FILES = (
    *sorted((BOOK / "examples").iterdir()),
    BOOK.parent / "notebooks/data/fleet.csv",
)
PROGRAM = "import sys; from vmbmodel.cli import app; sys.argv[0] = 'vmbmodel'; app()"
WIDE, NARROW = 80, 46  # columns
NOT_HANDED_ON = {"FORCE_COLOR", "VMBMODEL_FLEET"}


class CliOutput(SphinxDirective):
    """Show a command and what it printed."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {  # noqa: RUF012 (docutils' own way)
        "status": directives.nonnegative_int,
        "head": directives.positive_int,
        "from": directives.unchanged_required,
    }

    def run(self):
        """Run the command."""
        line = " ".join(self.arguments[0].split())
        program, *arguments = shlex.split(line)
        if program != "vmbmodel":
            raise self.error(f"cli-output runs vmbmodel; got {program}")
        started = [
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *arguments],
                cwd=folder.name,
                env=environment(columns),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
            )
            for columns, folder in self.folders().items()
        ]
        expected = self.options.get("status", 0)
        wide, narrow = [], []
        for process, printed in zip(started, (wide, narrow), strict=True):
            text, _ = process.communicate(timeout=120)
            if process.returncode != expected:
                raise self.error(
                    f"{line}: exits with {process.returncode}, not {expected}:\n{text}"
                )
            printed += [row.rstrip() for row in text.splitlines()]
        head = self.options.get("head", len(wide))
        if head < len(wide):
            place = same_place(wide, head, narrow)
            if place is None:
                raise self.error(
                    f"{line}: on a phone, no line begins as line {head + 1}"
                )
            narrow[place:] = wide[head:] = ["..."]
        if begin := self.options.get("from"):
            for printed in (wide, narrow):
                if not any(row.startswith(begin) for row in printed):
                    raise self.error(f"{line}: no line begins with {begin!r}")
                rest = itertools.dropwhile(lambda r: not r.startswith(begin), printed)
                printed[:] = ["...", "", *rest]
        shown = []
        for columns, printed in ((WIDE, wide), (NARROW, narrow)):
            rows = [f"$ {broken(line, columns)}"]
            rows += [part for row in printed for part in wrapped(row, columns)]
            if expected:
                rows += ["$ echo $?", str(expected)]
            text = "\n".join(rows)
            shown.append(nodes.literal_block(text, text, language="console"))
        if shown[0].astext() == shown[1].astext():
            return shown[:1]
        for block, name in zip(shown, ("wide", "narrow"), strict=True):
            block["classes"].append(name)
        return shown

    def folders(self):
        """Return the folders of the page, which are gone when the page is read."""
        if "cli-output" not in self.env.temp_data:
            self.env.temp_data["cli-output"] = folders = {}
            for columns in (WIDE, NARROW):
                folder = tempfile.TemporaryDirectory(prefix="vmbmodel-book-")
                folders[columns] = folder
                for path in FILES:
                    shutil.copy(path, folder.name)
            for path in FILES:
                self.env.note_dependency(os.fspath(path))
        return self.env.temp_data["cli-output"]


def same_place(wide, head, narrow):
    """Return before which narrow line to stop where the wide ones stop after a head.

    It is the line that begins with most of the words that the next wide one begins
    with; of several such, the one after as many as there are in the head. None begins
    so if the head ends within a cell.
    """
    start = next((row.split() for row in wide[head:] if row), [])

    def shared(row):
        pairs = zip(row.split(), start, strict=False)
        return sum(
            1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
        )

    most = max(map(shared, narrow), default=0)
    places = [place for place, row in enumerate(narrow) if shared(row) == most]
    before = sum(shared(row) >= most for row in wide[:head])
    return places[before] if most and before < len(places) else None


def broken(line, columns=WIDE):
    """Break a long command before options, as a shell takes it."""
    lines = [""]
    for part in re.split(r" (?=-)", " ".join(shlex.split(line, posix=False))):
        longer = f"{lines[-1]} {part}".strip()
        if lines[-1] and len(longer) > columns - 6:  # beside blanks and a stroke
            lines.append(part)
        else:
            lines[-1] = longer
    return " \\\n    ".join(lines)


def wrapped(row, columns):
    """Break a line that is too long between its words, not within them."""
    parts = textwrap.wrap(row, columns, break_on_hyphens=False, break_long_words=False)
    return parts if len(row) > columns else [row]


def environment(columns):
    """Return an environment in which nothing else changes the shape of the output."""
    kept = {name: v for name, v in os.environ.items() if name not in NOT_HANDED_ON}
    shape = {"COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "dumb"}
    return kept | shape | {"PYTHONUTF8": "1"}


def setup(app):
    """Register the directive."""
    app.add_directive("cli-output", CliOutput)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
