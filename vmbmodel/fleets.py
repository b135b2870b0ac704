"""An estimate of an inventory too large to hold, part by part into a folder.

A part has whole vaults. Its VMs are a file of the folder ``vms``, its policies one of
``policies``, and of VMs that start several times a day it has one in ``starts``;
``estimate.json`` has the totals. Whatever reads a folder of Parquet reads them as one
table each. Totals are as exact as those of `estimate`, and VMs and policies the same,
but for one thing: nights that are drawn, of VMs that stand in a line of their own or
meet a wait that depends on the hour, are as many as a part has room for.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vmbmodel._cluster import as_finished, cluster
from vmbmodel._files import put_folder, write_atomically
from vmbmodel.inventory.fleet import FleetPart, parted
from vmbmodel.plan import Scenario, plain, sealed
from vmbmodel.plan.estimate import (
    SCHEMA,
    Notice,
    Sums,
    Whole,
    assumptions,
    estimate_disks,
    said_of,
)
from vmbmodel.render import render_parquet, stream_json

__all__ = ["DISKS_OF_A_PART", "estimate_by_vault"]

DISKS_OF_A_PART = 250_000
"""Disks of a part, unless a vault has more; each takes a worker about 1.5 KiB."""

_TOTALS = "estimate.json"
_TABLES = ("vms", "policies", "starts")
_FIRST = 10  # warnings of a kind that are kept

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class _Part:
    """What the whole needs of a part, whose rows are written."""

    sums: Sums
    blank: Mapping[str, int]
    counts: Mapping[str, int]  #: warnings of each kind
    first: tuple[Notice, ...]


def estimate_by_vault(
    fleet: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    scenario: Scenario | None = None,
    *,
    disks: int = DISKS_OF_A_PART,
    force: bool = False,
    processes: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Estimate an inventory part by part, in memory that a part takes.

    Parameters
    ----------
    fleet : path-like
        A Parquet file, or a folder of them. It is read soonest where the rows of a
        vault stand together.
    folder : path-like
        What to write, in a folder that exists. It gets its name when all of it is
        there.
    scenario : Scenario, optional
        Constants, readings and what blank cells are taken as.
    disks : int
        Disks of a part. Vaults that share a storage account stay together, so that one
        may have more.
    force : bool
        Whether a folder that this has written is replaced.
    processes : int, optional
        Workers of a dask cluster on this machine, a part each; else one part at a time
        in this process.
    scheduler : str, optional
        Address of a cluster whose workers see the same folders.
    progress : callable, optional
        Told what is done, how many disks of it, and how many there are.

    Returns
    -------
    dict
        The totals of `Estimate`.

    Raises
    ------
    InventoryError
        If anything is wrong with a part; with all findings in it, rows counted from 1
        through all files in the order of their names.
    ValueError
        If a setting joins all vaults.
    FileExistsError
        If the folder exists and may not be replaced.
    """
    scenario = scenario or Scenario.of()
    _refuse_what_joins_vaults(scenario)
    target = Path(os.path.realpath(folder))
    _refuse_to_replace(target, force=force)
    if progress:
        progress(f"reading {Path(fleet).name}", 0, 0)
    ask = {name: scenario[name] for name in ("vault", "excluded")}
    parts = parted(fleet, disks, **ask)
    whole = Whole(parts.vms, parts.crowd)
    beside = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        for table in _TABLES:
            (beside / table).mkdir(parents=True)
        calls = (
            (part, scenario, whole, beside, f"part-{number:05}.parquet")
            for number, part in enumerate(parts.parts)
        )
        done, found = 0, {}
        for name, count, part in _estimated(calls, processes, scheduler):
            found[name], done = part, done + count
            if progress:
                progress("estimating", done, parts.disks)
        ordered = [found[name] for name in sorted(found)]
        if not any((beside / "starts").iterdir()):
            (beside / "starts").rmdir()
        total = Sums.joined([part.sums for part in ordered]).figures()
        text = stream_json(sealed(_said(scenario, ordered, total)))
        write_atomically(beside / _TOTALS, (piece.encode() for piece in text))
        put_folder(beside, target)
    except OSError as error:
        if Path(str(error.filename)).is_relative_to(beside):
            error.filename = os.fspath(folder)  # by the name it was to have
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return total


def _refuse_what_joins_vaults(scenario: Scenario) -> None:
    joining = {
        "reserved_gib": scenario["reserved_gib"],
        "restore_accounts": scenario["restore_accounts"],
        "line_reading": scenario["line_reading"] == "one-pool",
    }
    problems = [
        f"{name} = {scenario[name]} is of all vaults together, which are estimated "
        "apart here"
        for name, set_ in joining.items()
        if set_
    ]
    if problems:
        raise ValueError("\n".join(problems))


def _refuse_to_replace(target: Path, *, force: bool) -> None:
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(target.parent))
    if not target.exists():
        return
    if not (target / _TOTALS).is_file() or {e.name for e in target.iterdir()} - {
        _TOTALS,
        *_TABLES,
    }:
        why = "exists and is no folder of an estimate"
        raise FileExistsError(errno.EEXIST, why, str(target))
    if not force:
        raise FileExistsError(errno.EEXIST, "exists; force replaces it", str(target))


def _estimated(
    calls: Iterator[tuple], processes: int | None, scheduler: str | None
) -> Iterator[tuple[str, int, _Part]]:
    """Give the name, the disks and the sums of each part as soon as it is written."""
    if not (processes or scheduler):
        yield from (_estimate_part(*call) for call in calls)
        return
    with cluster(processes, scheduler) as (executor, workers):
        yield from as_finished(executor, workers + 1, _estimate_part, calls)


def _estimate_part(
    part: FleetPart, scenario: Scenario, whole: Whole, folder: Path, name: str
) -> tuple[str, int, _Part]:
    """Estimate a part and write its rows: the work of a process."""
    answer = estimate_disks(part.read(), scenario, whole=whole)
    tables = {"vms": answer.vms, "policies": answer.policies, "starts": answer.starts}
    for table, rows in tables.items():
        if rows is not None:
            write_atomically(folder / table / name, render_parquet(rows))
    counts, first = {}, []
    for notice in answer.warnings:
        counts[notice.code] = counts.get(notice.code, 0) + 1
        if counts[notice.code] <= _FIRST:
            first.append(notice)
    return name, part.disks, _Part(answer.sums, answer.blank, counts, tuple(first))


def _said(
    scenario: Scenario, parts: list[_Part], total: Mapping[str, float]
) -> Iterator[tuple[str, object]]:
    """Give the parts of the JSON, as those of an estimate that has many VMs."""
    blank, counts, first = {}, {}, {}
    for part in parts:
        for name, count in part.blank.items():
            blank[name] = blank.get(name, 0) + count
        for code, count in part.counts.items():
            counts[code] = counts.get(code, 0) + count
        for notice in part.first:
            first.setdefault(notice.code, {})[notice] = None
    kept = [n for notices in first.values() for n in list(notices)[:_FIRST]]
    yield "schema", SCHEMA
    said = {
        **dict(said_of(scenario)),
        "vms_file": {"folder": "vms", "files": len(parts), "rows": total["vms"]},
        "total": total,
        "assumptions": assumptions(scenario, blank),
        "warnings": kept,
        "warning_counts": counts,
    }
    yield from plain(said).items()
