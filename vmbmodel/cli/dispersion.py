"""``vmbmodel dispersion``."""

from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.cli.options import ForceOption, FormatOption, OutputOption
from vmbmodel.cli.present import Format, present
from vmbmodel.cli.remarks import progress_bar
from vmbmodel.render import render_csv, render_json, render_table

__all__ = ["dispersion"]

_COLUMNS = (
    "file",
    "changed_gib",
    "changed_frac",
    "changed_cells",
    "extents",
    "cells",
    "extent_kib",
    "dispersion_index",
    "dispersion",
    "active_frac",
    "writes",
    "write_kib",
    "small_writes_frac",
)

_AVOIDING = 1.05
"""Raw index from which on changes are said to avoid each other."""


def dispersion(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Changes of one disk, a file a day: page ranges (XML, JSON), extents "
            "(CSV: offset,length), a trace of writes (CSV: op,offset,size; or text of "
            "blkparse). With --before, raw images.",
        ),
    ],
    cell_kib: Annotated[
        float, typer.Option(help="Size of a cell, the smallest piece that is sent.")
    ] = 8,
    disk_gib: Annotated[
        float | None,
        typer.Option(help="Size of the disk; else it ends with the last change."),
    ] = None,
    before: Annotated[
        Path | None,
        typer.Option(
            metavar="IMAGE",
            help="Raw image to compare the first FILE with; each further FILE is "
            "compared with the one before it.",
        ),
    ] = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Measure how scattered the changes of a disk are: the dispersion index.

    Several files are days that follow each other; what changes in one, two and
    more of them together shows how much is written again and again.
    """
    from vmbmodel.inventory import changes as extents

    if before is not None and disk_gib is not None:
        raise ValueError("--disk-gib and --before exclude each other")
    with progress_bar() as progress:
        if before is None:
            days = [
                extents.read(
                    file, cell_kib=cell_kib, size_gib=disk_gib, progress=progress
                )
                for file in files
            ]
        else:
            days = [
                extents.compare_images(*pair, cell_kib=cell_kib, progress=progress)
                for pair in zip([before, *files], files, strict=False)
            ]
    size_gib = max(day.size_gib for day in days)
    days = extents.on_disk(days, size_gib)
    unions = [
        {"days": count, "union_gib": union_gib}
        for count, union_gib in enumerate(extents.unions_gib(days), 1)
    ]
    rows = [{name: getattr(day, name) for name in _COLUMNS} for day in days]
    notes = [
        f"{day.file}: changes avoid each other, as with a stride; predictions take a "
        "dispersion of 1"
        for day in days
        if (day.dispersion_index or 0) > _AVOIDING
    ]
    notes += [f"{day.file}: nothing changed" for day in days if not day.changed_cells]
    if before is None and disk_gib is None:
        notes.append(
            "The disk is taken to end with the last change; --disk-gib says better."
        )
    whole = {
        "schema": "vmbmodel.dispersion/1",
        "cell_kib": cell_kib,
        "size_gib": size_gib,
        "files": rows,
        "unions": unions,
        "notes": notes,
    }
    present(
        format_,
        output,
        force=force,
        table=lambda: _text(whole),
        json=lambda: render_json(whole),
        csv=lambda: render_csv(rows, _COLUMNS),
    )


def _text(whole: dict) -> str:
    parts = [render_table(whole["files"], _COLUMNS)]
    if len(whole["files"]) > 1:
        parts.append(render_table(whole["unions"], ["days", "union_gib"]))
    about = (
        f"Cells of {whole['cell_kib']:g} KiB on a disk of {whole['size_gib']:,.4g} GiB."
    )
    return "\n".join([*parts, "", about, *whole["notes"]])
