"""The model from a shell: ``vmbmodel COMMAND ...``.

Exit status 0: fine. 1: a condition of ``--fail-on`` holds. 2: bad input, with
every problem named on stderr, and nothing written. 3: a fault of the program, whose
trace is kept. 130 and 143: interrupted and terminated, with nothing left behind.
"""

import inspect
import shutil
from typing import Annotated

import typer

import vmbmodel
from vmbmodel.cli.calibrate import calibrate
from vmbmodel.cli.careful import CarefulCommand
from vmbmodel.cli.check import check
from vmbmodel.cli.diff import diff
from vmbmodel.cli.dispersion import dispersion
from vmbmodel.cli.doubt import doubt
from vmbmodel.cli.estimate import estimate
from vmbmodel.cli.examples import epilog
from vmbmodel.cli.import_fleet import import_fleet
from vmbmodel.cli.init import init
from vmbmodel.cli.jobs import jobs
from vmbmodel.cli.reconcile import reconcile
from vmbmodel.cli.remarks import bad_input, listen, step
from vmbmodel.cli.report import report
from vmbmodel.cli.rerun import rerun
from vmbmodel.cli.schedule import schedule
from vmbmodel.cli.sets import fields, limits, price_books, profiles
from vmbmodel.cli.sweep import sweep
from vmbmodel.cli.verify import verify

__all__ = ["app"]

app = typer.Typer(
    name="vmbmodel",
    help="How long, when, how safe and how much: Azure VM backup from one inventory.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    # as wide as it would be of itself, but on a phone, too, no wider than the screen
    context_settings={
        "terminal_width": max(min(shutil.get_terminal_size().columns, 80) - 2, 30)
    },
)
for _command in (
    import_fleet,
    jobs,
    calibrate,
    estimate,
    doubt,
    check,
    report,
    schedule,
    init,
    verify,
    diff,
    dispersion,
    reconcile,
    sweep,
    fields,
    profiles,
    limits,
    rerun,
):
    _name = "import" if _command is import_fleet else _command.__name__
    _what = " ".join(inspect.getdoc(_command).partition("\n\n")[0].split())
    app.command(_name, cls=CarefulCommand, short_help=_what, epilog=epilog(_name))(
        bad_input(_name)(_command)
    )
app.add_typer(
    price_books,
    name="prices",
    short_help=price_books.info.help,
    epilog=epilog("prices"),
)


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print no remarks, only errors.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Print files, sets and times on stderr."),
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.")
    ] = False,
) -> None:
    listen(quiet=quiet, verbose=verbose)
    context.call_on_close(lambda: step("done"))
    if version:
        typer.echo(f"vmbmodel {vmbmodel.__version__}")
        raise typer.Exit
