"""An estimate of an inventory too large to hold, part by part into a folder.

A part has whole vaults. Its VMs are a file of the folder ``vms``, its policies one of
``policies``; of VMs that start several times a day it has one in ``starts``, and of
months to come one in ``months``. ``estimate.json`` has the totals. Whatever reads a
folder of Parquet reads them as one table each. Totals are as exact as those of
`estimate`, and VMs and policies the same, but for one thing: nights that are drawn, of
VMs that stand in a line of their own or meet a wait that depends on the hour, are as
many as a part has room for.
"""

import errno
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from vmbmodel._cluster import as_finished, cluster
from vmbmodel._files import put_folder, write_atomically
from vmbmodel._words import first_lines
from vmbmodel.inventory.fleet import (
    FleetPart,
    Parts,
    Policies,
    parted,
    read_policies,
    words_of,
)
from vmbmodel.plan import (
    NONE_OF_ALL,
    Scenario,
    of_chosen,
    plain,
    records,
    refuse_unknown,
    sealed,
)
from vmbmodel.plan.estimate import (
    SCHEMA,
    MonthPieces,
    Notice,
    Sums,
    Whole,
    assumptions,
    estimate_case,
    estimate_disks,
    joined_months,
    month_pieces,
    said_case,
    said_of,
)
from vmbmodel.render import render_parquet, stream_json

__all__ = ["DISKS_OF_A_PART", "any_meets", "estimate_by_vault"]

_LOG = logging.getLogger(__name__)

DISKS_OF_A_PART = 250_000
"""Disks of a part, unless a vault has more; each takes a worker about 1.5 KiB."""

_TOTALS = "estimate.json"
_TABLES = ("vms", "policies", "starts", "months")
_OF_ALL = ("vm", "vault", "role", "excluded", "storage_account")
"""Columns that say what a part is and who is backed up."""

_FIRST = 10  # warnings of a kind that are kept

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class _Ask:
    """What is asked of each part."""

    scenario: Scenario
    names: Mapping[str, Sequence[str]]  #: of which the VMs are; any if there are none
    policies: Policies | None
    months: int
    cases: Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class _Part:
    """What the whole needs of a part, whose rows are written."""

    sums: Sums
    cases: Sequence[Sums]
    months: MonthPieces | None
    blank: Mapping[str, int]
    counts: Mapping[str, int]  #: warnings of each kind
    first: tuple[Notice, ...]


def estimate_by_vault(
    fleet: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    scenario: Scenario | None = None,
    *,
    policies: str | os.PathLike[str] | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
    months: int = 0,
    cases: Sequence[Mapping[str, object]] = (),
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
    policies : path-like, optional
        A table of policies, as `read_fleet` takes it.
    names : mapping, optional
        Names of VMs, vaults and policies, by ``vm``, ``vault`` and ``policy``, that a
        VM has to be of. All of the inventory is checked, whatever is named.
    months : int
        Months to come that are billed one by one.
    cases : sequence of Mapping[str, object]
        Settings of which each gets a row of totals, as `compare` gives it.
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
        If a setting joins all vaults, or nothing is of the names.
    FileExistsError
        If the folder exists and may not be replaced.
    """
    scenario, names = Scenario.or_default(scenario), names or {}
    _refuse_what_joins_vaults([scenario, *map(scenario.changed, cases)])
    _refuse_to_part_anew(cases)
    target = Path(os.path.realpath(folder))
    _refuse_to_replace(target, force=force)
    table = None if policies is None else read_policies(policies)
    if table is not None:  # what it remarks is said once
        for remark in table.remarks:
            _LOG.warning("%s: %s", table.file, remark)
        table = replace(table, remarks=())
    if progress:
        progress(f"reading {Path(fleet).name}", 0, 0)
    blank = {name: scenario[name] for name in ("vault", "policy", "excluded")}
    parts = parted(fleet, disks, names=names, **blank)
    _refuse_none(fleet, parts, names)
    ask = _Ask(scenario, names, table, months, cases)
    whole = Whole(parts.vms, parts.crowd)
    beside = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        for name in _TABLES:
            (beside / name).mkdir(parents=True)
        calls = (
            (part, ask, whole, beside, f"part-{number:05}.parquet")
            for number, part in enumerate(parts.parts)
        )
        done, found = 0, {}
        for name, count, part in _estimated(calls, processes, scheduler):
            done += count
            if part is not None:
                found[name] = part
            if progress:
                progress("estimating", done, parts.disks)
        ordered = [found[name] for name in sorted(found)]
        for name in _TABLES:
            if not any((beside / name).iterdir()):
                (beside / name).rmdir()
        total = Sums.joined([part.sums for part in ordered]).figures()
        text = stream_json(sealed(_said(ask, ordered, total)))
        write_atomically(beside / _TOTALS, (piece.encode() for piece in text))
        put_folder(beside, target)
    except OSError as error:
        if Path(str(error.filename)).is_relative_to(beside):
            error.filename = os.fspath(folder)  # by the name it was to have
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return total


def any_meets(
    folder: str | os.PathLike[str], name: str, meets: Callable[[pd.Series], pd.Series]
) -> bool:
    """Say whether a column of any VM of a folder meets a condition, file by file."""
    files = sorted((Path(folder) / "vms").iterdir())
    return any(
        meets(pd.read_parquet(path, columns=[name])[name]).any() for path in files
    )


def _refuse_what_joins_vaults(scenarios: Sequence[Scenario]) -> None:
    why = {
        "reserved_gib": "what it covers is shared by the VMs of all vaults",
        "restore_accounts": "they are dealt to the VMs of all vaults in turn",
        "line_reading": "in one pool the jobs of all vaults wait for one another",
    }
    problems = {
        f"{name} = {scenario[name]} is of all vaults together, which are estimated "
        f"apart here: {reason}"
        for scenario in scenarios
        for name, reason in why.items()
        if (scenario[name] == "one-pool" if name == "line_reading" else scenario[name])
    }
    if problems:
        raise ValueError(first_lines(sorted(problems)))


def _refuse_to_part_anew(cases: Sequence[Mapping[str, object]]) -> None:
    """Refuse cases in which an inventory has other vaults, or other VMs to back up."""
    for case in cases:
        for name in _OF_ALL:
            if name in case:
                raise ValueError(
                    f"{said_case(case)}: {name} decides what is estimated together, "
                    "which is the same in all cases here"
                )


def _refuse_none(
    fleet: str | os.PathLike[str], parts: Parts, names: Mapping[str, Sequence[str]]
) -> None:
    """Refuse names of which an inventory has nothing, as `chosen` does."""
    if parts.lost:
        refuse_unknown(words_of(fleet, [*parts.lost]), parts.lost)
    if not parts.named:
        raise ValueError(NONE_OF_ALL)


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
) -> Iterator[tuple[str, int, _Part | None]]:
    """Give the name, the disks and the sums of each part as soon as it is written."""
    if not (processes or scheduler):
        yield from (_estimate_part(*call) for call in calls)
        return
    with cluster(processes, scheduler) as (executor, workers):
        yield from as_finished(executor, workers + 1, _estimate_part, calls)


def _estimate_part(
    part: FleetPart, ask: _Ask, whole: Whole, folder: Path, name: str
) -> tuple[str, int, _Part | None]:
    """Estimate a part and write its rows: the work of a process."""
    disks, scenario = part.read(ask.policies), ask.scenario
    if any(ask.names.values()):
        disks = disks[of_chosen(disks, scenario, **ask.names)].reset_index(drop=True)
        if disks.empty:
            return name, part.disks, None
    cases = [estimate_case(disks, scenario, c, whole).sums for c in ask.cases]
    answer = estimate_disks(disks, scenario, ask.months, whole=whole)
    for table in _TABLES:
        rows = getattr(answer, table)
        if rows is not None:
            write_atomically(folder / table / name, render_parquet(rows))
    months = None if answer.months is None else month_pieces(answer.months)
    counts, first = {}, []
    for notice in answer.warnings:
        counts[notice.code] = counts.get(notice.code, 0) + 1
        if counts[notice.code] <= _FIRST:
            first.append(notice)
    kept = answer.blank, counts, tuple(first)
    return name, part.disks, _Part(answer.sums, cases, months, *kept)


def _said(
    ask: _Ask, parts: list[_Part], total: Mapping[str, float]
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
        **dict(said_of(ask.scenario)),
        "vms_file": {"folder": "vms", "files": len(parts), "rows": total["vms"]},
        "total": total,
        "assumptions": assumptions(ask.scenario, blank),
        "warnings": kept,
        "warning_counts": counts,
    }
    if ask.months:
        months = joined_months([part.months for part in parts])
        said["months"] = list(records(months))
    if ask.cases:
        sums = zip(*(part.cases for part in parts), strict=True)
        totals = [total, *(Sums.joined(case).figures() for case in sums)]
        called = ["as it is", *map(said_case, ask.cases)]
        said["comparisons"] = [
            {"case": case} | figures
            for case, figures in zip(called, totals, strict=True)
        ]
    yield from plain(said).items()
