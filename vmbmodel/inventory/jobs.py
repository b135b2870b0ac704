"""Logs of backup jobs, of any tool and year, as one tidy table.

Read are the output of ``az backup job list`` and ``job show`` (and the service's
own answers, which they print), exports of the table ``AddonAzureBackupJobs`` of
Log Analytics and of its predecessor, the CSV of the portal, and the table that
this module gives, written as CSV. A row that cannot be read is counted by
reason, not guessed.
"""

import datetime
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vmbmodel.inventory._json import Entry, Page, unfollowed
from vmbmodel.inventory._quantities import duration_h, instant, size_gib
from vmbmodel.inventory._records import Tally, records
from vmbmodel.inventory._zones import zone
from vmbmodel.inventory.findings import Finding, InventoryError

__all__ = ["COLUMNS", "JobLog", "first_backups", "read", "rows", "typed"]

COLUMNS = (
    "vm",
    "resource_group",
    "subscription",
    "vault",
    "operation",
    "status",
    "start_time",
    "end_time",
    "job_h",
    "snapshot_h",
    "wait_h",
    "transfer_h",
    "validate_h",
    "moved_gib",
    "job",
)
"""Columns of the table, each a row of the field table."""

_TIMES = ("start_time", "end_time")
_NUMBERS = tuple(n for n in COLUMNS if n.endswith(("_h", "_gib")))
_VM_KINDS = ("azureiaasvm", "iaasvm", "azurevm", "azurevirtualmachine", "vm")
_NAMES = (
    "entityFriendlyName",
    "BackupItemFriendlyName",
    "ItemName",
    "WorkloadName",
    "BackupInstance",
    "BackupItemName",
    "VMName",
    "vm",
)
_GROUPS = ("containerName", "BackupItemUniqueId", "ProtectedContainerUniqueId")
_STARTS = ("startTime", "JobStartDateTime", "StartTimeUTC")
_ENDS = ("endTime", "JobEndDateTime", "EndTimeUTC")
_RUNNING = ("InProgress", "Cancelling", "NotStarted")
_TASKS = {
    "takesnapshot": "snapshot_h",
    "transferdatatovault": "transfer_h",
    "transferdatafromvault": "transfer_h",
    "validatebackup": "validate_h",
}
_SPELLINGS = {
    "canceled": "Cancelled",
    "cancelled": "Cancelled",
    "completed": "Completed",
    "completedwithwarnings": "CompletedWithWarnings",
    "failed": "Failed",
    "inprogress": "InProgress",
    "cancelling": "Cancelling",
    "backup": "Backup",
    "restore": "Restore",
    "configurebackup": "ConfigureBackup",
}


@dataclass(frozen=True)
class JobLog:
    """What the logs say of the jobs of VMs.

    Parameters
    ----------
    jobs : DataFrame
        A row a job, with `COLUMNS`: times in UTC, a phase only where it is
        recorded, and nothing where the log says nothing.
    unread : tuple of (Finding, int)
        What could not be read: the first of each reason, and how many there are.
    skipped : Mapping[str, int]
        Rows that are no job of a VM, or older than another row of the same job.
    more : bool
        Whether a next page is named that was not given.
    """

    jobs: pd.DataFrame
    unread: tuple[tuple[Finding, int], ...]
    skipped: Mapping[str, int]
    more: bool


def read(paths: Iterable[str | os.PathLike[str]], time_zone: str = "UTC") -> JobLog:
    r"""Read job logs.

    Parameters
    ----------
    paths : iterable of path-like
        The files, in any mixture of shapes.
    time_zone : str
        Zone of the clock where a time does not say; Windows or tz name.

    Returns
    -------
    JobLog
        Jobs, and what could not be read.

    Raises
    ------
    vmbmodel.inventory.findings.InventoryError
        If a file cannot be taken apart, or none of its rows can be read.
    ValueError
        If there is no such time zone.

    Notes
    -----
    A job that appears more than once, as in Log Analytics at each change of its
    state, counts once: what later rows say goes before what earlier ones say. The
    wait is the time between the end of the snapshot and the beginning of the
    transfer; both are recorded by newer logs only. Before, every phase was printed
    as zero, and is taken as not recorded.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "jobs.csv")
    >>> _ = path.write_text(
    ...     "Item Name,Operation,Status,Start Time UTC,Duration\n"
    ...     "web-01,Backup,Completed,2017-09-19T03:09:21,0:15:26.155212\n"
    ... )
    >>> log = read([path])
    >>> print(f"{log.jobs.at[0, 'job_h']:.3f} h, not read: {len(log.unread)}")
    0.257 h, not read: 0
    """
    clock = zone(time_zone)
    rows, refused, tallies = [], [], []
    pages: list[Page] = []
    skipped: Counter[str] = Counter()
    for path in paths:
        tally = Tally(os.fspath(path))
        before, passed = len(rows), skipped.total()
        try:
            for entry in records(path, tally, pages):
                row = _row(entry, clock)
                if isinstance(row, str):
                    skipped[row] += 1
                elif row is not None:
                    rows.append(row)
        except InventoryError as error:
            refused += error.findings[-1:]
            continue
        if len(rows) == before and skipped.total() == passed:
            refused += tally.found[:20]
            rule = "has no job that can be read"
            refused.append(Finding(os.fspath(path), None, None, None, rule))
        tallies.append(tally)
    if refused:
        raise InventoryError(refused)
    jobs = _table(rows, skipped)
    unread = tuple(pair for tally in tallies for pair in tally.counted_findings())
    return JobLog(jobs, unread, dict(skipped), unfollowed(pages))


def first_backups(jobs: pd.DataFrame, keys: pd.Series | None = None) -> pd.Series:
    """Say which jobs are the first backup of their VM.

    Parameters
    ----------
    jobs : DataFrame
        As `read` gives it.
    keys : Series, optional
        What tells the VMs apart, a row a job; subscription, resource group and
        name if not given.

    Returns
    -------
    Series
        True for a completed backup behind the set-up of its VM's protection, with
        no other completed backup in between.
    """
    if keys is None:
        names = [jobs[n].str.lower() for n in ("subscription", "resource_group", "vm")]
        keys = jobs.groupby(names, dropna=False, sort=False).ngroup()
    order = jobs.assign(key=keys).sort_values("start_time", kind="stable")
    done = order["status"].str.startswith("Completed").fillna(False)
    backup = (order["operation"].str.startswith("Backup") & done).fillna(False)
    setup = ((order["operation"] == "ConfigureBackup") & done).fillna(False)
    setups = setup.astype(int).groupby(order["key"]).cumsum()
    number = backup.astype(int).groupby([order["key"], setups]).cumsum()
    first = backup & (setups > 0) & (number == 1)
    return first.reindex(jobs.index).astype(bool)


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a table of your own the columns and types that `read` gives.

    Parameters
    ----------
    frame : DataFrame
        A row a job, with any of `COLUMNS`.

    Returns
    -------
    DataFrame
        All of `COLUMNS`; one that is absent holds nothing.
    """
    kinds = dict.fromkeys(COLUMNS, "string") | dict.fromkeys(_NUMBERS, "float64")
    kinds |= dict.fromkeys(_TIMES, "datetime64[us, UTC]")
    table = frame.reindex(columns=COLUMNS)
    for name in _TIMES:
        table[name] = pd.to_datetime(table[name], utc=True)
    return table.astype(kinds)


def rows(jobs: pd.DataFrame) -> list[dict[str, object]]:
    """Return jobs as plain rows: times as text, nothing as None.

    Parameters
    ----------
    jobs : DataFrame
        As `read` gives it.

    Returns
    -------
    list of dict
        A row a job, with `COLUMNS`.
    """
    plain = jobs.astype(object).where(jobs.notna(), None)
    for name in _TIMES:
        text = jobs[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype(object)
        plain[name] = text.where(jobs[name].notna(), None)
    return plain.to_dict("records")


def _row(entry: Entry, clock: datetime.tzinfo) -> dict | str | None:
    """Read one job; a text says why it is none of a VM."""
    kind = entry.raw("backupManagementType", "BackupItemType", "jobType")
    plain = re.sub(r"[^a-z]", "", kind.lower()) if isinstance(kind, str) else ""
    if plain.endswith("job"):
        plain = plain.removesuffix("job")
    if plain and plain not in _VM_KINDS:
        return f"no job of a VM, but of {str(kind)[:40]!r}"
    if "operation" not in entry and "JobOperation" not in entry:
        entry.note("operation", "must not be missing", None)
        return None
    operation = _word(entry, "operation", "JobOperation")
    status = _word(entry, "status", "JobStatus")
    info = entry.entry("extendedInfo") if "extendedInfo" in entry else None
    bag = info.entry("propertyBag") if info else None
    start = _time(entry, clock, *_STARTS)
    if start is None:
        if not any(name in entry for name in _STARTS):
            entry.note("startTime", "must not be missing", None)
        return None
    end = _time(entry, clock, *_ENDS)
    group, vm = _item(entry)
    subscription, vault = _vault(entry)
    row = dict.fromkeys(COLUMNS)
    row |= {
        "vm": entry.name(*_NAMES) or (bag.name("VMName") if bag else None) or vm,
        "resource_group": group or entry.name("resource_group"),
        "subscription": subscription,
        "vault": vault,
        "operation": operation,
        "status": status,
        "start_time": start,
        "end_time": end,
        "job_h": _duration(entry, start, end),
        "moved_gib": _moved(entry, bag),
        "job": entry.text("JobUniqueId", "JobId", "job", "name"),
        "generated": _time(entry, clock, "TimeGenerated"),
    }
    for name in ("snapshot_h", "wait_h", "transfer_h", "validate_h"):
        row[name] = entry.number(name)
    if row["vm"] is None:
        entry.note("entityFriendlyName", "must name the VM", None)
        return None
    if info is not None:
        row |= _phases(info, clock)
    return row


def _table(rows: list[dict], skipped: Counter) -> pd.DataFrame:
    jobs = pd.DataFrame(rows, columns=[*COLUMNS, "generated"])
    jobs = typed(jobs).assign(generated=jobs["generated"])
    known = jobs["job"].notna()
    if jobs.loc[known, "job"].duplicated().any():
        generated = pd.to_datetime(jobs["generated"], utc=True)
        ended = ~jobs["status"].isin(_RUNNING)
        order = pd.DataFrame({"ended": ended, "at": generated}).sort_values(
            ["ended", "at"], kind="stable", na_position="first"
        )
        alone = pd.Series(np.arange(len(jobs)).astype(str), jobs.index)
        key = jobs["job"].str.lower().where(known, "\0" + alone)
        merged = jobs.loc[order.index].groupby(key, sort=False).last()
        skipped["older rows of the same job"] += len(jobs) - len(merged)
        jobs = merged
    jobs = jobs.sort_values("start_time", kind="stable", ignore_index=True)
    return jobs[list(COLUMNS)]


def _word(entry: Entry, *names: str) -> str | None:
    text = entry.name(*names)
    if text is None:
        return None
    return _SPELLINGS.get(text.lower().replace(" ", ""), text)


def _time(
    entry: Entry, clock: datetime.tzinfo, *names: str
) -> datetime.datetime | None:
    value = entry.raw(*names)
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return instant(value, clock)
        rule = "must be a time"
    except ValueError as error:
        rule = str(error)
    entry.note(names[0], rule, value)
    return None


def _quantity(entry: Entry, parse, *names: str) -> float | None:
    value = entry.raw(*names)
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return parse(value)
        rule = "must be a text with its unit"
    except ValueError as error:
        rule = str(error)
    entry.note(names[0], rule, value)
    return None


def _duration(
    entry: Entry, start: datetime.datetime, end: datetime.datetime | None
) -> float | None:
    if "job_h" in entry:
        return entry.number("job_h")
    seconds = entry.number("JobDurationInSecs", "DurationInSeconds")
    if seconds is not None:
        return seconds / 3600
    value = entry.raw("duration")
    if isinstance(value, dict):
        seconds = entry.entry("duration").number("TotalSeconds")
        found = None if seconds is None else seconds / 3600
    else:
        found = _quantity(entry, duration_h, "duration")
    if found:
        return found
    if end is None:
        return None
    if end < start:
        entry.note("endTime", "must not be before startTime", entry.raw(*_ENDS))
        return None
    return (end - start).total_seconds() / 3600


def _moved(entry: Entry, bag: Entry | None) -> float | None:
    if "moved_gib" in entry:
        return entry.number("moved_gib")
    megabytes = entry.number("DataTransferredInMB")
    for place in filter(None, (bag, entry)):
        if megabytes is None:
            megabytes = place.number("DataTransferred(inMB)")
        if megabytes is None and "Backup Size" in place:
            return _quantity(place, size_gib, "Backup Size")
    return None if megabytes is None else megabytes / 1024


def _item(entry: Entry) -> tuple[str | None, str | None]:
    """Return resource group and name of a VM from the service's own name of it."""
    for name in _GROUPS:
        parts = (entry.text(name) or "").split(";")
        if len(parts) > 2 and all(parts[-2:]):
            return parts[-2].lower(), parts[-1][:260]
    return None, None


def _vault(entry: Entry) -> tuple[str | None, str | None]:
    """Return subscription and name of the vault."""
    for name in ("id", "_ResourceId", "ResourceId"):
        text = entry.text(name) or ""
        match = re.match(
            r"/?subscriptions/([^/]+)/.*?/vaults/([^/]{1,260})", text, re.IGNORECASE
        )
        if match:
            return match[1].lower(), match[2]
    subscription = entry.text("SubscriptionId", "subscription")
    return subscription, entry.name("VaultName", "vault")


def _phases(info: Entry, clock: datetime.tzinfo) -> dict[str, float]:
    """Return the times of the tasks, as far as they are recorded."""
    found, begins, ends = {}, {}, {}
    for task in info.entries("tasksList"):
        name = re.sub(r"[^a-z]", "", (task.text("taskId") or "").lower())
        phase = _TASKS.get(name)
        if phase is None:
            continue
        if details := task.text("taskExecutionDetails"):
            match = re.match(r"\s*([\d.,]+ *[A-Za-z]+)\s*/", details)
            if match:
                found["moved_gib"] = _quantity(
                    Entry({"done": match[1]}, task.findings, task.row, "task."),
                    size_gib,
                    "done",
                )
        if (task.text("status") or "").lower() != "completed":
            continue
        begins[phase] = _time(task, clock, "startTime")
        ends[phase] = _time(task, clock, "endTime")
        spent = _quantity(task, duration_h, "duration")
        if begins[phase] and ends[phase] and ends[phase] >= begins[phase]:
            spent = (ends[phase] - begins[phase]).total_seconds() / 3600
        if spent:
            found[phase] = spent
    snapshot_end, transfer_begin = ends.get("snapshot_h"), begins.get("transfer_h")
    if snapshot_end and transfer_begin:
        wait = (transfer_begin - snapshot_end).total_seconds() / 3600
        found["wait_h"] = max(wait, 0.0)
    return found
