"""``vmbmodel rerun``."""

from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.cli._options import ForceOption, SetOption, bad_input, pairs


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

    with bad_input():
        for path in run(notebook, dict(pairs(set_)), output, force=force):
            typer.echo(path)
