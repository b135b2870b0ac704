"""How much of each disk is used: from a list, the vault's own figure, or first backups.

Azure's tools print provisioned sizes only. What is known of a whole VM is split
over its disks in proportion to their sizes.
"""

import datetime
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from vmbmodel.inventory.azure.naming import alike
from vmbmodel.inventory.azure.once import Place
from vmbmodel.inventory.files import (
    Entry,
    Findings,
    InventoryError,
    instants,
    log_rows,
    size_gib,
    unused,
)
from vmbmodel.inventory.jobs import first_backups

__all__ = ["Used", "from_jobs", "read_used", "split"]

OUTSTANDING = 3
"""Times the median of the others that the first backup of a VM moves at least."""

FRONT_END = "BackupItemFrontEndSize"


@dataclass(frozen=True, slots=True)
class Used:
    """A used size, of a disk or of a whole VM."""

    vm: str = field(compare=False)
    group: str | None = field(compare=False)
    disk: str | None = field(compare=False)
    used_gib: float
    origin: str
    place: Place = field(compare=False)


def read_used(
    paths: Iterable[str | os.PathLike[str]], date_order: str | None = None
) -> list[Used]:
    """Read used sizes: CSV or JSON, with ``vm``, perhaps ``disk``, and ``used_gib``.

    Or an export of the table ``CoreAzureBackup`` with ``BackupItemFrontEndSize``,
    in MB, of which the newest figure of a VM counts, whichever file holds it; in its
    dates with strokes, day and month stand in `date_order`. All that is wrong with the
    files is refused together.
    """
    moment = instants(date_order=date_order)
    found, wrong = [], []
    newest: dict[str, tuple[str, Used]] = {}
    for path in paths:
        findings = Findings(os.fspath(path), counted="row")
        own, exported = [], False
        try:
            for entry in log_rows(path, findings, []):
                if FRONT_END in entry:
                    exported = True
                    _take_front_end(entry, newest, moment)
                elif "used_gib" in entry or "vm" in entry:
                    own.append(_own(entry))
                elif "OperationName" not in entry:
                    entry.note("used_gib", "must not be missing", None)
            if not exported:
                unused(findings, ("vm", "disk", "used_gib"))
        except InventoryError:
            pass
        wrong += findings.found
        found += [one for one in own if one]
        if not (own or exported or findings.found):
            findings.add(f"must have columns vm and used_gib, or {FRONT_END}")
            wrong += findings.found
    if wrong:
        raise InventoryError(wrong)
    return found + [one for _, one in newest.values()]


def from_jobs(jobs: pd.DataFrame, keys: pd.Series) -> pd.DataFrame:
    """Return, VM by VM of a job log, the used size and the daily churn it shows.

    `keys` tells the VMs apart, a row a job, with nothing for a job that is left out.
    The result has a row a key: ``used_gib``, the largest backup, if the log shows the
    set-up of the protection, or if it is the earliest and stands out, as a first one
    does; ``churn_gib_per_day``, the median of what later backups moved for each day
    since the one before, where there are three at least; ``origin``; and ``set_up``,
    whether the log shows it.
    """
    backup = jobs["operation"].str.startswith("Backup").fillna(False)
    done = jobs["status"].str.startswith("Completed").fillna(False)
    sized = jobs[backup & done & (jobs["moved_gib"] > 0) & keys.notna()].copy()
    sized["key"] = keys.reindex(sized.index)
    sized["first"] = first_backups(jobs, keys).reindex(sized.index)
    by_vm = sized.groupby("key", sort=False)
    sized["days"] = by_vm["start_time"].diff() / pd.Timedelta(days=1)
    later = sized[sized["days"].notna() & ~sized["first"]]
    rate = later["moved_gib"] / np.maximum(later["days"], 0.5)
    churn = rate.groupby(later["key"]).agg(["median", "size"])
    largest = sized.loc[by_vm["moved_gib"].idxmax()].set_index("key")
    earliest = largest["start_time"] == by_vm["start_time"].min()
    rest = sized.drop(by_vm["moved_gib"].idxmax()).groupby("key")["moved_gib"].median()
    outstanding = ~(largest["moved_gib"] <= OUTSTANDING * rest.reindex(largest.index))
    set_up = by_vm["first"].any()
    whole = set_up | (earliest & outstanding)
    which = np.where(
        largest["first"],
        "first backup",
        np.where(set_up, "largest backup in the log", "earliest backup in the log"),
    )
    day = largest["start_time"].dt.strftime("%Y-%m-%d")
    return pd.DataFrame(
        {
            "used_gib": largest["moved_gib"].where(whole),
            "churn_gib_per_day": churn["median"].where(churn["size"] >= 3),
            "origin": pd.Series(which, largest.index) + " of " + day,
            "set_up": set_up,
        },
        index=largest.index,
    )


def split(
    total_gib: float, sizes: list[float], known: list[float | None]
) -> list[float]:
    """Split the used size of a VM over the disks of which it is not known.

    No share is larger than its disk.

    >>> split(60, [100, 300], [None, None])
    [15.0, 45.0]
    >>> split(60, [100, 300], [40, None])
    [40, 20.0]
    """
    rest = max(total_gib - sum(one for one in known if one is not None), 0.0)
    room = sum(s for s, one in zip(sizes, known, strict=True) if one is None)
    share = min(rest / room, 1.0) if room else 0.0
    return [
        share * size if one is None else one
        for size, one in zip(sizes, known, strict=True)
    ]


def _own(entry: Entry) -> Used | None:
    vm, disk = entry.name("vm", required=True), entry.name("disk")
    if "used_gib" not in entry:
        entry.note("used_gib", "must not be missing", None)
    size = entry.number("used_gib")
    if vm is None or size is None:
        return None
    return Used(vm, None, disk, size, "list of used sizes", _place(entry))


def _place(entry: Entry) -> Place:
    return Place(entry.findings.file, entry.findings.counted, entry.row)


def _take_front_end(
    entry: Entry,
    newest: dict[str, tuple[str, Used]],
    read: Callable[[str], datetime.datetime | None],
) -> None:
    raw = entry.raw(FRONT_END)
    try:
        with_unit = isinstance(raw, str) and raw[-1:].lower() == "b"
        size = size_gib(raw) if with_unit else None
    except ValueError as error:
        entry.note(FRONT_END, str(error), raw)
        return
    if not with_unit and (size := entry.number(FRONT_END)) is not None:
        size /= 1024
    parts = (entry.text("BackupItemUniqueId") or "").split(";")
    group = parts[-2].lower() if len(parts) > 2 else None
    vm = entry.name("BackupItemFriendlyName") or (parts[-1] if group else None)
    kind = (entry.text("BackupManagementType") or "iaasvm").lower()
    if kind not in ("iaasvm", "azureiaasvm") or not size:
        return
    if not vm:
        entry.note("BackupItemFriendlyName", "must name the VM", None)
        return
    moment = None
    if isinstance(entry.raw("TimeGenerated"), str):
        moment = entry.parsed(read, "TimeGenerated", otherwise="must be a time")
    stamp = moment.isoformat() if moment else ""
    key = f"{group}/{alike(vm)}"
    if key not in newest or stamp >= newest[key][0]:
        figure = Used(vm, group, None, size, "front-end size", _place(entry))
        newest[key] = (stamp, figure)
