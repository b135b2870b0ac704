"""Logs of backup jobs, of any tool and year, as one tidy table.

Read are the output of ``az backup job list`` and ``job show`` (and the service's
own answers, which they print), exports of the table ``AddonAzureBackupJobs`` of
Log Analytics and of its predecessor, the jobs that the portal exports of a vault or of
several, and the table that this module gives, written as CSV. A row that cannot be
read is counted by reason, not guessed.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from vmbmodel._words import counted
from vmbmodel.inventory.files import (
    Finding,
    Findings,
    InventoryError,
    Page,
    Tally,
    instants,
    log_rows,
    table_rows,
    unfollowed,
    unused,
)
from vmbmodel.inventory.jobs.rows import COLUMNS, job

__all__ = ["COLUMNS", "JobLog", "Jobs", "first_backups", "read", "rows"]

SHAPES = (
    "az backup job list and show (-o json), Get-AzRecoveryServicesBackupJob as JSON or "
    "Export-Csv, the jobs that the portal exports of a vault (Workload name, "
    "Operation, Status, Type, Start time, Duration) or of several (Backup instance, "
    "Datasource type), the Resource Graph, and AddonAzureBackupJobs of Log Analytics"
)
"""Shapes of logs that are read, for who hands over another."""

_TIMES = ("start_time", "end_time")
_NUMBERS = tuple(n for n in COLUMNS if n.endswith(("_h", "_gib")))
_NAMED = 3  # repeated jobs that a remark names before it counts
_PLACES = ("subscription", "resource_group", "vault")
_SAME_H = 1 / 60
"""Logs print a time to the minute at worst."""
_RUNNING = ("InProgress", "Cancelling", "NotStarted")


Source = str | os.PathLike[str] | pd.DataFrame
Jobs = Source | Iterable[Source]
"""Backup jobs: log files, or tables of their columns."""


@dataclass(frozen=True)
class JobLog:
    """What the logs say of the jobs of VMs."""

    jobs: pd.DataFrame
    """A row a job, with `COLUMNS`: times in UTC, a phase only where it is recorded,
    and nothing where the log says nothing."""
    unread: tuple[tuple[Finding, int], ...]
    """What could not be read: the first of each reason, and how many there are."""
    skipped: Mapping[str, int]
    """Rows that are no job of a VM, or older than another row of the same job."""
    more: bool
    """Whether a next page is named that was not given."""
    repeated: pd.DataFrame
    """Jobs without an id that several rows tell of, and that count once; with
    `COLUMNS` and `repeats`, the rows that were left out."""

    def said(self) -> list[str]:
        """Say what was not read, skipped, left out as repeated, or is not there."""
        lines = [f"Not read {count:,}: {first}" for first, count in self.unread]
        lines += [f"Skipped {count:,}: {why}." for why, count in self.skipped.items()]
        lines += [self.repeats()] * (len(self.repeated) > 0)
        lines += ["The log goes on: a next page (nextLink) is named."] * self.more
        return lines

    def repeats(self) -> str:
        """Say how many rows were left out as repeated, and of which jobs."""
        named = [
            f"{row.operation} of {row.vm} at {row.start_time:%Y-%m-%d %H:%M:%S}"
            for row in self.repeated.head(_NAMED).itertuples()
        ]
        if more := len(self.repeated) - len(named):
            named.append(f"{more:,} more")
        return (
            f"Left out {counted(self.repeated['repeats'].sum(), 'row')} of "
            f"{counted(len(self.repeated), 'job')} without an id, which other rows "
            f"tell of: {', '.join(named)}."
        )


def read(
    jobs: Jobs,
    time_zone: str = "UTC",
    date_order: str | None = None,
) -> JobLog:
    r"""Read job logs.

    Parameters
    ----------
    jobs : path-like, DataFrame or iterable of them
        The files, in any mixture of shapes, or tables in memory of the columns that a
        file has; `COLUMNS` are those of this module.
    time_zone : str
        Zone of the clock where a time does not say; Windows or tz name.
    date_order : str, optional
        ``dmy`` or ``mdy``: how dates with strokes are meant, such as 12/11/2026. If not
        given, one that may be read in two ways is not read.

    Returns
    -------
    JobLog
        Jobs, and what could not be read.

    Raises
    ------
    TypeError
        If it is neither.
    vmbmodel.inventory.files.InventoryError
        If a file cannot be taken apart, or none of its rows can be read.
    ValueError
        If there is no such time zone or order.

    Notes
    -----
    A job that appears more than once, as in Log Analytics at each change of its
    state, counts once: what later rows say goes before what earlier ones say. Rows
    without an id, as where exports overlap, are one job if VM, operation, start (to the
    second), status and length (to the minute) agree, and nothing that both say of
    group, subscription and vault differs; a row of a job at work is the same as that
    of its end.

    The wait is the time between the end of the snapshot and the beginning of the
    transfer; both are recorded by newer logs only. Before, every phase was printed as
    zero, and is taken as not recorded.

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
    moment = instants(time_zone, date_order)
    rows, refused, tallies = [], [], []
    pages: list[Page] = []
    skipped: Counter[str] = Counter()
    for source in _sources(jobs):
        in_memory = isinstance(source, pd.DataFrame)
        tally = Tally("jobs" if in_memory else os.fspath(source))
        before, passed = len(rows), skipped.total()
        try:
            taken = (
                table_rows(source, tally)
                if in_memory
                else log_rows(source, tally, pages)
            )
            for entry in taken:
                row = job(entry, moment)
                if isinstance(row, str):
                    skipped[row] += 1
                elif row is not None:
                    rows.append(row)
        except InventoryError as error:
            refused += error.findings[-1:]
            continue
        if in_memory or tally.counted == "line":
            columns = Findings(tally.file, tally.counted)
            columns.header, columns.asked = tally.header, tally.asked
            unused(columns, COLUMNS, all_asked=len(rows) > before)
            refused += columns.found
        if len(rows) == before and skipped.total() == passed:
            refused += tally.found[:20]
            rule = "has no job that can be read"
            hint = f"read are {SHAPES}"
            refused.append(Finding(tally.file, None, None, None, rule, hint))
        tallies.append(tally)
    if refused:
        raise InventoryError(refused)
    jobs, repeated = _table(rows, skipped)
    unread = tuple(pair for tally in tallies for pair in tally.counted_findings())
    return JobLog(jobs, unread, dict(skipped), unfollowed(pages), repeated)


def _sources(jobs: Jobs) -> list[Source]:
    """Return what to read jobs from, one by one."""
    one = str, os.PathLike, pd.DataFrame
    several = [jobs] if isinstance(jobs, one) else jobs
    if isinstance(several, Iterable):
        several = list(several)
        if all(isinstance(source, one) for source in several):
            return several
    what = type(jobs).__name__
    raise TypeError(f"jobs must be paths or a DataFrame, a row a job; got {what}")


def first_backups(jobs: pd.DataFrame, keys: pd.Series | None = None) -> pd.Series:
    """Say which jobs are the first backup of their VM.

    That is a completed backup behind the set-up of its VM's protection, with no other
    completed backup in between. `keys` tells the VMs apart, a row a job; subscription,
    resource group and name do where it is not given.
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


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give rows as they were read the columns and types of the table."""
    kinds = dict.fromkeys(COLUMNS, "string") | dict.fromkeys(_NUMBERS, "float64")
    kinds |= dict.fromkeys(_TIMES, "datetime64[us, UTC]")
    table = frame.reindex(columns=COLUMNS)
    for name in _TIMES:
        table[name] = pd.to_datetime(table[name], utc=True)
    return table.astype(kinds)


def rows(jobs: pd.DataFrame) -> list[dict[str, object]]:
    """Return jobs as plain rows: times as text, nothing as None."""
    plain = jobs.astype(object).where(jobs.notna(), None)
    for name in _TIMES:
        text = jobs[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype(object)
        plain[name] = text.where(jobs[name].notna(), None)
    return plain.to_dict("records")


def _table(rows: list[dict], skipped: Counter) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the jobs, a row each, and those without an id that had several."""
    jobs = pd.DataFrame(rows, columns=[*COLUMNS, "generated"])
    jobs = _typed(jobs).assign(generated=jobs["generated"])
    key, known = _same_job(jobs), jobs["job"].notna()
    with_id = known.groupby(key).transform("sum")
    repeats = key.groupby(key).transform("size") - with_id.clip(lower=1)
    jobs = jobs.assign(repeats=repeats.astype(int))
    if key.duplicated().any():
        if older := int((known & jobs["job"].str.lower().duplicated()).sum()):
            skipped["older rows of the same job"] += older
        generated = pd.to_datetime(jobs["generated"], utc=True)
        ended = ~jobs["status"].isin(_RUNNING)
        order = pd.DataFrame({"ended": ended, "at": generated}).sort_values(
            ["ended", "at"], kind="stable", na_position="first"
        )
        merged = jobs.loc[order.index].groupby(key, sort=False).last()
        jobs = merged.reindex(key.unique())
    jobs = jobs.sort_values("start_time", kind="stable", ignore_index=True)
    repeated = jobs.loc[jobs["repeats"] > 0, [*COLUMNS, "repeats"]]
    return jobs[list(COLUMNS)], repeated.reset_index(drop=True)


def _same_job(jobs: pd.DataFrame) -> pd.Series:
    """Return a key that rows of one job share: its id, or else what tells it."""
    id_ = jobs["job"].str.lower()
    start = jobs["start_time"].dt.floor("s")
    vm, operation = jobs["vm"].str.lower(), jobs["operation"]
    seen = jobs.groupby([vm, operation, start], dropna=False, sort=False).ngroup()
    for name in _PLACES:
        own = jobs[name].str.lower()
        by_place = own.groupby(seen)
        # what only one of two logs says is taken to hold for both
        only = by_place.transform("first").where(by_place.transform("nunique") == 1)
        own = own.fillna(only)
        seen = own.groupby([seen, own], dropna=False, sort=False).ngroup()
    running = jobs["status"].isin(_RUNNING)
    facts = pd.DataFrame(
        {
            "seen": seen,
            "running": running,
            "status": pd.factorize(jobs["status"])[0],
            "job_h": jobs["job_h"].where(~running),
        }
    ).sort_values(["seen", "running", "status", "job_h"], kind="stable")
    # a job at work is the one that ended, if there is one
    apart = (facts["status"].diff() != 0) & ~facts["running"]
    apart |= (facts["seen"].diff() != 0) | (facts["job_h"].diff() > _SAME_H)
    one = apart.cumsum()
    one = one.reindex(jobs.index)
    ids = id_.groupby(one)
    only = ids.transform("first").where(ids.transform("nunique") == 1)
    return id_.fillna(only).fillna("\0" + one.astype("string"))
