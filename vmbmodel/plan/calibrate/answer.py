r"""A service profile fitted to the log of your own backup jobs.

A constant is fitted where the log tells it, with an interval from night to night, and
otherwise left to the base profile, with the reason. Where the log records phases, each
is fitted by itself; where it has totals only, as logs of ``az`` had for years, all that
a job is made of is fitted at once. What no such log can tell is said by name, and the
profile is held against nights that it was not fitted to.
"""

import datetime
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import optimize

from vmbmodel._words import counted
from vmbmodel.fields import fields, unit_of
from vmbmodel.inventory.fleet import disks_of, runs_a_day
from vmbmodel.inventory.jobs import JobLog, Jobs, first_backups, read
from vmbmodel.plan.answers import Overview, Result, named
from vmbmodel.plan.calibrate.fits import Fit
from vmbmodel.plan.calibrate.held_out import (
    HeldOut,
    Hours,
    by_start,
    predicted,
    split,
    start_hours,
    started_hours,
    transfers_h,
)
from vmbmodel.plan.calibrate.job_fits import Work, fit_backups, fit_restores
from vmbmodel.plan.calibrate.sample import joint_sample
from vmbmodel.plan.estimate import job_within_prob
from vmbmodel.plan.facts import Fleet, backed_up, in_gib
from vmbmodel.plan.scenario import DEFAULT_PROFILE, Scenario
from vmbmodel.service import PROFILES, ConstantSet, Origin, set_text

__all__ = ["SCHEMA", "Calibration", "Fit", "calibrate"]

SCHEMA = "vmbmodel.calibration/2"

_OF_90 = 1.2815515655446004 / 1.6448536269514722
"""Part of an interval that holds 90 of 100, within which 80 lie."""
_TOO_NEAR = 1e-4  # ends of an interval, as a part of the figure, that is rounded
_PRINTED = {"-": "", "1/s": "requests/s"}  # units that are written in another way
_SEEN = ("name", "value", "low", "high", "count", "base_value")


@dataclass(frozen=True, repr=False)
class Calibration(Result):
    """A profile fitted to a job log."""

    base: ConstantSet  #: the profile that gives what the log does not tell
    fits: Mapping[str, Fit]  #: constants of the profile that the log tells, by name
    left: Mapping[str, str]  #: constants left to the base, each with the reason
    unknowable: tuple[str, ...]  #: what no log of this kind can tell, by name
    notes: tuple[str, ...]  #: what deserves a look
    backups: pd.DataFrame
    """Those it was fitted to, with ``job_h``, ``first``, ``night``, and ``moved_gib``
    of the disk that takes longest."""
    grid_min: float | None = None  #: minutes between two looks at a job, if there are
    held_out: HeldOut | None = None  #: how nights that were held out were predicted
    hours: Hours | None = None  #: waits by start, if there is more than one
    left_out: tuple[str, ...] = ()  #: what of the log was not read, or counts once

    def __getitem__(self, name: str) -> float:
        """Return a constant, fitted or of the base."""
        return self.fits[name].value if name in self.fits else self.base[name]

    @property
    def scenario(self) -> Scenario:
        """The profile as `estimate` reads it back from its file."""
        text = self.to_toml("log", self.base.as_of)
        return Scenario.of(PROFILES.parse(text.encode(), Path("fitted.toml")))

    def done_frac(self, hours: np.ndarray) -> np.ndarray:
        """Return the share of the backups that the fitted profile sees done.

        That is so many hours after the start of a job: the mean over the backups of
        the log, each with what it moved.
        """
        known = self._known
        return np.array(
            [job_within_prob(at, *known).mean() for at in np.atleast_1d(hours)]
        )

    def quantile_h(self, share: float) -> float:
        """Return the time within which a share of the backups is done, as fitted."""
        known, longest_h = self._known, float(self.backups["job_h"].max())

        def missing(hours: float) -> float:
            return job_within_prob(hours, *known).mean() - share

        while missing(longest_h) < 0:
            longest_h *= 2
        return optimize.brentq(missing, 0, longest_h, xtol=1e-6)

    @property
    def _known(self) -> tuple[np.ndarray, np.ndarray, Scenario]:
        """What an estimate asks of the backups, and the profile it reads."""
        scenario = self.scenario
        return transfers_h(self.backups, scenario), start_hours(self.backups), scenario

    def to_toml(self, source: str, day: datetime.date) -> str:
        """Return the profile as text that ``--profile FILE.toml`` takes.

        The source is the name of the job log; the profile is of the day of the fit.
        """
        title = f"Fitted to {source}; what that does not tell is of {self.base.name}"
        origins = {}
        for name, origin in self.base.origins.items():
            if name in self.fits:
                origin = _origin(self.fits[name], source, day, self.base)
            elif origin.source == "caller":
                figure = np.format_float_positional(self.base[name], trim="-")
                origin = replace(
                    origin,
                    documented=_quantity(name, figure),
                    retrieved=day,
                    kind="choice",
                    why="Set by the caller.",
                )
            origins[name] = origin
        for name, fit in self.fits.items():
            if name not in origins:  # an option of the base
                origins[name] = _origin(fit, source, day, self.base)
        laws = {n: origins[n].prior for n in self.fits if origins[n].prior}
        for name, sample in joint_sample(self.fits, laws).items():
            origins[name] = replace(origins[name], sample=sample)
        measured = "others_wait_mean_h" in self.fits
        readings = dict(self.base.readings)
        readings |= {"eight_hours": "measured"} if measured else {}
        return set_text(
            title, day, origins, readings=readings, wait_by_start=self.wait_by_start
        )

    @property
    def wait_by_start(self) -> Mapping[str, float]:
        """By how much the mean wait is multiplied in some half-hours, if they differ.

        Where no wait was fitted, it is as in the base.
        """
        if "others_wait_mean_h" not in self.fits:
            return self.base.wait_by_start
        return {} if self.hours is None else self.hours.times()

    schema: ClassVar[str] = SCHEMA

    def parts(self) -> Iterator[tuple[str, object]]:
        """Give what the JSON holds."""
        yield "base", named(self.base)
        yield "backups", len(self.backups)
        yield "nights", int(self.backups["night"].nunique())
        yield "grid_min", self.grid_min
        yield "constants", [self._row(fit) for fit in self.fits.values()]
        yield "left", [{"name": n, "reason": why} for n, why in self.left.items()]
        yield "unknowable", self.unknowable
        yield "held_out", self.held_out
        yield (
            "hours",
            None if self.hours is None else self.hours.rows.to_dict("records"),
        )
        yield "wait_by_start", self.wait_by_start
        yield "quantiles", list(self._quantiles())
        yield "notes", self.notes
        yield "left_out", self.left_out

    def said(self) -> tuple[str, ...]:
        """Say in a few lines what was learnt, what not, and whether it predicts."""
        nights = self.backups["night"].nunique()
        names = ", ".join(name for name, fit in self.fits.items() if not fit.assumed)
        looks = (
            f" Ends are known to {self.grid_min:g} min only." if self.grid_min else ""
        )
        jobs = f"{counted(len(self.backups), 'backup')} of {counted(nights, 'night')}"
        source = jobs if nights else "other jobs than backups"
        lines = [
            f"Learnt from {source}: {names}.{looks}",
            f"Left to {self.base.name}: {', '.join(self.left) or 'nothing'}.",
            "Cannot be told: " + "; ".join(self.unknowable) + ".",
        ]
        if "others_wait_mean_h" not in self.fits:
            why = "no wait is told, so that none is compared or predicted"
            return (*lines, f"By start hour, and on nights held out: {why}.")
        if self.hours is None:
            lines.append("By start hour: all jobs start in one half-hour.")
        else:
            why = f"p = {self.hours.equal_prob:.3f}"
            differ = "differ" if self.hours.differ else "do not surely differ"
            once = (
                "; each VM has one hour, so hour and VM are one"
                if self.hours.one_hour_each
                else ""
            )
            lines.append(
                f"By start hour: waits {differ} ({why}){once}; the profile has "
                + ("one for each start." if self.wait_by_start else "one for all.")
            )
        found = self.held_out
        if found is None:
            lines.append("Prediction: too few nights to hold any out.")
        else:
            kept = {
                True: "were predicted",
                False: "were NOT predicted",
                None: "are too few to judge by",
            }[found.kept]
            lines.append(
                f"The last {found.nights:,} nights, held out, {kept}: "
                f"{found.between_frac:.0%} of their jobs between the quantiles of 10 "
                f"and 90 %, {found.below_p95_frac:.0%} below that of 95 %."
            )
        return tuple(lines)

    def overview(self) -> Overview:
        """Show the constants beside those of the base, and how well they fit."""
        rows = [self._row(fit) for fit in self.fits.values()]
        return Overview(
            pd.DataFrame(rows, columns=list(_SEEN)),
            "constants",
            (*self.said(), *self.left_out),
        )

    def _quantiles(self) -> Iterator[dict]:
        for share in (0.5, 0.95):
            if len(self.backups):
                log_h = float(self.backups["job_h"].quantile(share))
                fitted_h = self.quantile_h(share)
                yield {"share": share, "log_h": log_h, "fitted_h": fitted_h}

    def _row(self, fit: Fit) -> dict:
        hidden = "without", "assumed"
        known = {key: value for key, value in vars(fit).items() if key not in hidden}
        return known | {"base_value": self.base.get(fit.name)}


def calibrate(
    jobs: Jobs | JobLog,
    base: str | ConstantSet = DEFAULT_PROFILE,
    fleet: Fleet | None = None,
    *,
    gb_bytes: float = 2.0**30,
) -> Calibration:
    """Fit a profile to a job log.

    Parameters
    ----------
    jobs : path-like, DataFrame, iterable of them, or JobLog
        What `vmbmodel.inventory.jobs.read` reads, times in UTC, or what it gives.
    base : str or ConstantSet, optional
        Profile for what the log does not tell: a set, its name, or its file.
    fleet : path-like or DataFrame, optional
        Inventory of the same VMs. It gives sizes that the log lacks, and the share of
        the largest disk, which takes longest; without it, a VM counts as one disk.
    gb_bytes : float, optional
        What a GB of the inventory has.

    Returns
    -------
    Calibration
        Fitted constants with intervals, and what was left.

    Raises
    ------
    TypeError
        If the jobs are none of these.
    InventoryError
        If a file or the inventory cannot be read; with all findings.
    ValueError
        If nothing can be fitted.

    Notes
    -----
    Only completed jobs count. All jobs that start between noon and noon, in UTC, are
    one night, and intervals come from whole nights. Where ends lie on a grid of
    minutes, a job counts with the probability of its cell. The waits of a log hold the
    line of your own VMs too.

    Waits differ by start hour if hours exchanged at random within each night make such
    a difference less than once in a hundred times. The profile then has a factor on the
    mean wait for each half-hour, drawn towards 1 as far as chance asks for, and 1 where
    jobs are too few. Where each VM has one hour, hour and VM cannot be told apart.

    Examples
    --------
    A hundred nights of a log of totals, each job of an hour and a wait behind it:

    >>> rng = np.random.default_rng(1)
    >>> night = pd.to_timedelta(range(100), unit="D")
    >>> log = pd.DataFrame({"vm": "a", "operation": "Backup", "status": "Completed",
    ...                     "start_time": pd.Timestamp("2026-03-01T22:00Z") + night,
    ...                     "job_h": 1 + rng.exponential(2, 100)})
    >>> fitted = calibrate(log)
    >>> print(f"{log['job_h'].median():.1f} {fitted.quantile_h(0.5):.1f}")
    2.4 2.4
    >>> fitted.scenario["eight_hours"]
    'measured'
    """
    base = PROFILES.find(base)
    log = jobs if isinstance(jobs, JobLog) else read(jobs)
    disks = None if fleet is None else in_gib(backed_up(disks_of(fleet)), gb_bytes)
    work, jobs = Work(base), log.jobs
    done = jobs["status"].str.startswith("Completed").fillna(False)
    timed = done & (jobs["job_h"] > 0)
    sized = _sized(jobs, disks)
    operation = jobs["operation"].fillna("")
    backups = sized[timed & operation.str.startswith("Backup")]
    restores = sized[timed & (operation == "Restore")]
    setups = jobs.loc[timed & (operation == "ConfigureBackup"), "job_h"]
    work.median("extension_h", setups, "setting up a VM's protection")
    fit_backups(work, backups)
    fit_restores(work, restores)
    if not work.fits:
        counts = (
            f"{counted(len(backups), 'backup')}, {counted(len(restores), 'restore')} "
            f"and {counted(len(setups), 'set-up')}"
        )
        reasons = "".join(f"\n  {name}: {why}" for name, why in work.left.items())
        raise ValueError(f"nothing can be fitted to {counts} that completed{reasons}")
    if fleet is None:
        work.notes.append(
            "each VM counts as one disk; --fleet gives the share of its largest"
        )
    if "others_wait_mean_h" in work.fits:
        work.notes.append(
            "the waits of the log hold the line of your own VMs; where more than "
            "vault_servers of them start at once, an estimate adds that line again"
        )
    columns = ["vm", "start_time", "scheduled_h", "job_h", "wait_h", "moved_gib"]
    answer = Calibration(
        base, work.fits, work.left, tuple(work.unknowable), tuple(work.notes),
        backups[[*columns, "first", "night"]], work.grid_min,
        left_out=tuple(log.said()),
    )  # fmt: skip
    if "others_wait_mean_h" not in work.fits:
        return answer
    return replace(answer, held_out=_held_out(base, backups), hours=_hours(answer))


def _held_out(base: ConstantSet, backups: pd.DataFrame) -> HeldOut | None:
    """Fit the first nights, and hold the others against what is read back."""
    if (parts := split(backups)) is None:
        return None
    work = Work(base)
    fit_backups(work, parts[0])
    if "others_wait_mean_h" not in work.fits:
        return None
    early = Calibration(base, work.fits, {}, (), (), parts[0], work.grid_min)
    early = replace(early, hours=_hours(early))
    return predicted(parts[1], early.scenario, work.grid_min)


def _hours(answer: Calibration) -> Hours | None:
    """Compare what jobs waited by the half-hour at which they start."""
    rows = answer.backups[~answer.backups["first"]]
    if rows["wait_h"].notna().all():
        wait_h = rows["wait_h"].to_numpy()
    else:
        moved_h = transfers_h(rows, answer.scenario)
        wait_h = rows["job_h"].to_numpy() - answer["snapshot_h"] - moved_h
    return by_start(rows, wait_h)


def _scheduled_h(jobs: pd.DataFrame, disks: pd.DataFrame) -> np.ndarray:
    """Return the hour each job is scheduled for: the last of its VM's before it."""
    of = disks[["start_h", "interval_h", "window_h"]].astype(float)
    last_h, interval_h, window_h = of.fillna({"interval_h": 24.0}).to_numpy().T
    hour = started_hours(jobs)
    runs = runs_a_day(interval_h, window_h)
    ago_h = np.full(len(jobs), np.inf)
    for back in range(runs.max(initial=1)):
        since_h = (hour - last_h + back * interval_h) % 24
        ago_h = np.where(back < runs, np.minimum(ago_h, since_h), ago_h)
    return np.where(runs > 1, (hour - ago_h) % 24, last_h)


def _sized(jobs: pd.DataFrame, disks: pd.DataFrame | None) -> pd.DataFrame:
    """Return jobs, each with what its slowest disk moves, and whether it is a first."""
    night = (jobs["start_time"] - pd.Timedelta(hours=12)).dt.floor("D")
    sized = jobs.assign(
        first=first_backups(jobs),
        night=night.astype("int64") // 86_400_000_000,
        scheduled_h=np.nan,
    )
    if disks is None:
        return sized
    names = disks["vm"].str.lower().str.rpartition("/")[2]
    once = disks.groupby(names)["vm"].transform("nunique") == 1
    by_vm = disks[once].groupby(names[once])
    used, largest = by_vm["used_gib"].sum(), by_vm["used_gib"].max()
    churn = by_vm["churn_gib_per_day"].sum(min_count=1)
    name = sized["vm"].str.lower()
    starts = disks[once].groupby(names[once])[["start_h", "interval_h", "window_h"]]
    sized["scheduled_h"] = _scheduled_h(sized, starts.first().reindex(name))
    known = name.map(used)
    restore = sized["operation"] == "Restore"
    expected = known.where(sized["first"] | restore, name.map(churn))
    share = name.map((largest / used).where(used > 0)).fillna(1.0).astype(float)
    moved = sized["moved_gib"].fillna(expected.astype(float))
    return sized.assign(moved_gib=moved * share)


def _law(fit: Fit, value: float, base: ConstantSet) -> dict[str, object]:
    """Return what else a fitted constant may be: 8 of 10 of what its interval says.

    The value is the figure as it is written. Where the log is too short for an
    interval, the law is as wide as before it.
    """
    low, high = fit.low, fit.high
    why = _sentence(fit.assumed or "the interval of the fit")
    shape = "logit" if fields()[fit.name].range.high == 1 else "lognormal"
    if fit.name.endswith("_scv"):
        return {"kind": "unused", "why": "It is chance, and held as it was fitted."}
    if math.isnan(low):
        prior = base.origins[fit.name].prior if fit.name in base else None
        if prior is None or prior.shape != "lognormal" or value == 0:
            return {"kind": "unused", "why": "Too few nights for an interval."}
        part = value / base[fit.name]
        low, high, shape = prior.low * part, prior.high * part, prior.shape
        why = "As wide as before the fit: too few nights for an interval."
    elif not high - low > _TOO_NEAR * value or math.isinf(high):
        return {"kind": "unused", "why": "The fit gives no interval."}
    elif shape == "lognormal" and low > 0:
        if not fit.assumed:  # whose ends are those of a law already
            low, high = (value * (end / value) ** _OF_90 for end in (low, high))
    else:
        shape = "uniform"
    low, high = min(low, value), max(high, value)  # which is rounded
    return {"low": low, "high": high, "shape": shape, "why": why}


def _quantity(name: str, figure: str) -> str:
    """Write a figure with its unit, as a set is read."""
    unit = unit_of(name)
    return f"{figure} {_PRINTED.get(unit, unit)}".strip()


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _origin(fit: Fit, source: str, day: datetime.date, base: ConstantSet) -> Origin:
    figure = np.format_float_positional(fit.value, 6, fractional=False, trim="-")
    between = f" Between {fit.low:.4g} and {fit.high:.4g}, 90 of 100 times."
    if math.isnan(fit.low):
        between = " Too few nights for an interval."
    elif fit.low == fit.high or fit.assumed:
        between = ""
    return Origin(
        **_law(fit, float(figure), base),
        documented=_quantity(fit.name, figure),
        source=source,
        locator=counted(fit.count, "job"),
        retrieved=day,
        status="assumed" if fit.assumed else "measured",
        note=f"{_sentence(fit.method)}{between}",
    )
