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
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
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
WIDTH = 62  # of a command, before it is broken
NOT_HANDED_ON = {"COLUMNS", "FORCE_COLOR", "VMBMODEL_FLEET"}


class CliOutput(SphinxDirective):
    """Show a command and what it printed."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {  # noqa: RUF012 (docutils' own way)
        "status": directives.nonnegative_int,
        "head": directives.positive_int,
    }

    def run(self):
        """Run the command."""
        line = " ".join(self.arguments[0].split())
        program, *arguments = shlex.split(line)
        if program != "vmbmodel":
            raise self.error(f"cli-output runs vmbmodel; got {program}")
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=self.folder(),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        expected = self.options.get("status", 0)
        if done.returncode != expected:
            raise self.error(
                f"{line}: exits with {done.returncode}, not {expected}:\n{done.stdout}"
            )
        printed = [text.rstrip() for text in done.stdout.splitlines()]
        head = self.options.get("head", len(printed))
        shown = [f"$ {broken(line)}", *printed[:head]]
        if head < len(printed):
            shown.append("...")
        if expected:
            shown += ["$ echo $?", str(expected)]
        text = "\n".join(shown)
        return [nodes.literal_block(text, text, language="console")]

    def folder(self):
        """Return the folder of the page, which is gone when the page is read."""
        if "cli-output" not in self.env.temp_data:
            folder = tempfile.TemporaryDirectory(prefix="vmbmodel-book-")
            self.env.temp_data["cli-output"] = folder
            for path in FILES:
                shutil.copy(path, folder.name)
                self.env.note_dependency(os.fspath(path))
        return self.env.temp_data["cli-output"].name


def broken(line):
    """Break a long command before options, as a shell takes it."""
    lines = [""]
    for word in shlex.split(line, posix=False):
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) > WIDTH and word.startswith("-"):
            lines.append(word)
        else:
            lines[-1] = longer
    return " \\\n    ".join(lines)


def environment():
    """Return an environment in which nothing changes the shape of the output."""
    kept = {name: v for name, v in os.environ.items() if name not in NOT_HANDED_ON}
    return kept | {"NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1"}


def setup(app):
    """Register the directive."""
    app.add_directive("cli-output", CliOutput)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
