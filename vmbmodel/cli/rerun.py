"""``vmbmodel rerun``."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.cli.options import ForceOption, ScenarioOption, SetOption, pairs

__all__ = ["rerun"]


def rerun(
    notebook: Annotated[Path, typer.Argument(help="Notebook with tagged parameters.")],
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder for the results."),
    ] = Path(),
    force: ForceOption = False,
) -> None:
    """Execute a notebook with your parameters; gives .ipynb and .html."""
    from vmbmodel.plan import scenario_settings
    from vmbmodel.rerun import rerun as run

    settings = pairs(set_)
    defaults = scenario_settings(scenario) if scenario else {}
    try:
        paths = run(notebook, settings, output, defaults=defaults, force=force)
    except (KeyboardInterrupt, SystemExit):  # the kernel's end is not news
        logging.disable()
        raise
    for path in paths:
        typer.echo(path)
