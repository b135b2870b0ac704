"""``vmbmodel dispersion``."""

import statistics
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
    "bulk_frac",
    "scattered_dispersion",
    "writes",
    "write_kib",
    "small_writes_frac",
)

_TABLE_COLUMNS = (
    "file",
    "changed_gib",
    "extents",
    "extent_kib",
    "dispersion",
    "active_frac",
    "bulk_frac",
    "scattered_dispersion",
)
"""Those that a screen of 80 signs has room for."""

_SPARE_COLUMNS = ("extent_kib", "extents", "bulk_frac", "scattered_dispersion")
_WRITES_COLUMNS = ("file", "writes", "write_kib", "small_writes_frac")

_SPREAD = ("changed_gib", "dispersion_index", "active_frac", "bulk_frac")
_ALIKE = 3
"""How many times the least the most of alike days may be."""

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
    more of them together shows how much is written again and again. Each day is split
    into what was written in bulk and what is scattered.
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
    spread = [_spread_of(name, rows) for name in _SPREAD] if len(rows) > 1 else []
    unlike = [
        f"{part['name']} is {part['least']:.3g} to {part['most']:.3g}"
        for part in spread[:2]
        if part["least"] is not None and part["most"] > _ALIKE * part["least"]
    ]
    if unlike:
        notes.append(
            f"The days are not alike: {', '.join(unlike)}. One value for all is wrong "
            "on most of them, and unions may leave their bracket; take the days apart, "
            "or the worst to be safe."
        )
    if before is None and disk_gib is None:
        notes.append(
            "The disk is taken to end with the last change; --disk-gib says better."
        )
    whole = {
        "schema": "vmbmodel.dispersion/1",
        "cell_kib": cell_kib,
        "size_gib": size_gib,
        "files": rows,
        "spread": spread,
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


def _spread_of(name: str, rows: list[dict]) -> dict:
    """Give the least, the median and the most of a column, over the days."""
    found = [row[name] for row in rows if row[name] is not None]
    least, median, most = (
        (min(found), statistics.median(found), max(found)) if found else (None,) * 3
    )
    return {"name": name, "least": least, "median": median, "most": most}


def _text(whole: dict) -> str:
    parts = [render_table(whole["files"], _TABLE_COLUMNS, spare=_SPARE_COLUMNS)]
    traces = [row for row in whole["files"] if row["writes"] is not None]
    if traces:
        parts.append(render_table(traces, _WRITES_COLUMNS))
    if len(whole["files"]) > 1:
        parts += [
            render_table(whole["spread"], ["name", "least", "median", "most"]),
            render_table(whole["unions"], ["days", "union_gib"]),
        ]
    about = (
        f"Cells of {whole['cell_kib']:g} KiB on a disk of {whole['size_gib']:,.4g} GiB."
    )
    return "\n".join([*parts, "", about, *whole["notes"]])
