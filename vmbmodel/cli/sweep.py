"""``vmbmodel sweep``."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel._words import counted
from vmbmodel.cli.options import ForceOption
from vmbmodel.cli.present import deliver
from vmbmodel.cli.remarks import progress_bar, say
from vmbmodel.render import stream_csv

__all__ = ["sweep"]


def sweep(
    grid: Annotated[
        Path,
        typer.Argument(help="TOML: formula, or answer and fleet; [axes] and [held]."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="What to write: NAME.zarr, or NAME.csv up to ten million cells.",
        ),
    ] = None,
    force: ForceOption = False,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Workers of a cluster on this machine, not threads."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Cluster to work on, such as tcp://10.0.0.4:8786; its workers must "
            "see the folder of the result.",
        ),
    ] = None,
) -> None:
    """Evaluate a formula, or an estimate, over every combination of values.

    A list or a range of a name is an axis of the result. A sweep that was stopped is
    gone on with by the same command: what is done stands in NAME.zarr.part.
    """
    import_module("zarr")  # of the extra that brings the rest as well
    from vmbmodel.sweeps import read_grid, tabulated, write_store

    if processes and scheduler:
        raise ValueError("--processes and --scheduler exclude each other")
    if output and output.suffix not in (".csv", ".zarr"):
        raise ValueError(f"{output} must end in .csv or .zarr")
    found = read_grid(grid)
    if output is None or output.suffix == ".csv":
        if processes or scheduler:
            raise ValueError("--processes and --scheduler are for a .zarr store")
        pieces = (
            text
            for number, cells in enumerate(tabulated(found))
            for text in stream_csv(cells, heading=not number)
        )
        deliver(pieces, output, force=force)
        return
    with progress_bar() as progress:
        done = write_store(
            found,
            output,
            force=force,
            processes=processes,
            scheduler=scheduler,
            progress=progress,
        )
    if done:
        say(
            f"vmbmodel: {output.name}.part was there: {counted(done, 'block')} of it "
            f"{'stays' if done == 1 else 'stay'}"
        )
    typer.echo(output)
