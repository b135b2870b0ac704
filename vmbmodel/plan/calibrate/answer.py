r"""A service profile fitted to the log of your own backup jobs.

A constant is fitted where the log tells it, with an interval, and otherwise left to
the base profile, with the reason. Where the log records phases, they are used:
snapshot, the wait until the transfer begins, the transfer. Where it has totals only,
as logs of ``az`` had for years, a job is taken apart by

.. math:: T_i = f + W_i + s_i / r

with a fixed part :math:`f` that one job in ten does not exceed beside what it moves,
a wait :math:`W_i`, and the time that grows with the size :math:`s_i` moved. The rate
:math:`r` is told only if times do grow with sizes beyond doubt.
"""

import datetime
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import optimize

from vmbmodel.formulas import (
    done_within_prob,
    erlang_c_prob,
    utilisation_for_wait_frac,
    wait_decay_per_h,
)
from vmbmodel.inventory.fleet import disks_of
from vmbmodel.inventory.jobs import first_backups, read, typed
from vmbmodel.plan.answers import Overview, Result, named
from vmbmodel.plan.calibrate.fits import Fit
from vmbmodel.plan.calibrate.job_fits import GIB_H, Work, fit_backups, fit_restores
from vmbmodel.plan.facts import Fleet, backed_up, in_gib
from vmbmodel.plan.scenario import DEFAULT_PROFILE
from vmbmodel.service import PROFILES, ConstantSet, Origin, set_text

__all__ = ["SCHEMA", "Calibration", "Fit", "calibrate"]

SCHEMA = "vmbmodel.calibration/1"

_SEEN = ("name", "value", "low", "high", "count", "base_value")

Jobs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | pd.DataFrame
"""Backup jobs: log files, or a table of their columns."""


@dataclass(frozen=True, repr=False)
class Calibration(Result):
    """A profile fitted to a job log."""

    base: ConstantSet  #: the profile that gives what the log does not tell
    fits: Mapping[str, Fit]  #: constants of the profile that the log tells, by name
    described: Mapping[str, Fit]  #: what the log tells besides, no constants
    left: Mapping[str, str]  #: constants left to the base, each with the reason
    notes: tuple[str, ...]  #: what deserves a look
    backups: pd.DataFrame
    """Those it was fitted to, with ``job_h``, ``first``, and ``moved_gib`` of the disk
    that takes longest."""

    def __getitem__(self, name: str) -> float:
        """Return a constant, fitted or of the base."""
        return self.fits[name].value if name in self.fits else self.base[name]

    def done_frac(self, hours: np.ndarray) -> np.ndarray:
        """Return the share of the backups that the fitted profile sees done.

        That is so many hours after the start of a job: the mean over the backups of
        the log, each with what it moved.
        """
        servers, service_h = self["servers"], self["service_h"]
        busy = utilisation_for_wait_frac(
            self["peak_wait_h"], self["peak_wait_prob"], servers, service_h
        )
        load = busy * servers
        rate = np.where(
            self.backups["first"], self["initial_mib_s"], self["incremental_mib_s"]
        )
        rate_gib_h = np.minimum(rate, self["blob_mib_s"]) / GIB_H
        fixed_h = self["snapshot_h"] + self.backups["moved_gib"] / rate_gib_h
        done = done_within_prob(
            np.asarray(hours, dtype=float)[:, None],
            fixed_h.to_numpy()[None, :],
            erlang_c_prob(servers, load),
            wait_decay_per_h(servers, load / service_h, service_h),
        )
        return done.mean(axis=1)

    def quantile_h(self, share: float) -> float:
        """Return the time within which a share of the backups is done, as fitted."""
        longest_h = float(self.backups["job_h"].max())
        while self.done_frac(np.array([longest_h]))[0] < share:
            longest_h *= 2
        return optimize.brentq(
            lambda h: self.done_frac(np.array([h]))[0] - share, 0, longest_h, xtol=1e-6
        )

    def to_toml(self, source: str, day: datetime.date) -> str:
        """Return the profile as text that ``--profile FILE.toml`` takes.

        The source is the name of the job log; the profile is of the day of the fit.
        """
        title = f"Fitted to {source}; what that does not tell is of {self.base.name}"
        origins = {}
        for name, origin in self.base.origins.items():
            if name in self.fits:
                origin = _origin(self.fits[name], source, day)
            elif origin.source == "caller":
                figure = np.format_float_positional(self.base[name], trim="-")
                origin = replace(origin, documented=figure, retrieved=day)
            origins[name] = origin
        return set_text(title, day, origins)

    schema: ClassVar[str] = SCHEMA

    def parts(self) -> Iterator[tuple[str, object]]:
        """Give what the JSON holds."""
        yield "base", named(self.base)
        yield "backups", len(self.backups)
        yield "constants", [self._row(fit) for fit in self.fits.values()]
        yield "described", [self._row(fit) for fit in self.described.values()]
        yield "left", [{"name": n, "reason": why} for n, why in self.left.items()]
        yield "quantiles", list(self._quantiles())
        yield "notes", self.notes

    def overview(self) -> Overview:
        """Show the constants beside those of the base, and how well they fit."""
        rows = [self._row(fit) for fit in self.fits.values()]
        quantiles = [
            f"{row['share']:.0%} done within {row['log_h']:.3g} h in the log, "
            f"{row['fitted_h']:.3g} h as fitted"
            for row in self._quantiles()
        ]
        return Overview(
            pd.DataFrame(rows, columns=list(_SEEN)),
            "constants",
            (
                f"{len(self.backups):,} backups: " + "; ".join(quantiles),
                f"{len(self.left)} constants left to {self.base.name} (.left)",
            ),
        )

    def _quantiles(self) -> Iterator[dict]:
        for share in (0.5, 0.95):
            if len(self.backups):
                log_h = float(self.backups["job_h"].quantile(share))
                fitted_h = self.quantile_h(share)
                yield {"share": share, "log_h": log_h, "fitted_h": fitted_h}

    def _row(self, fit: Fit) -> dict:
        return vars(fit) | {"base_value": self.base.get(fit.name)}


def calibrate(
    jobs: Jobs,
    base: str | ConstantSet = DEFAULT_PROFILE,
    fleet: Fleet | None = None,
    *,
    gb_bytes: float = 2.0**30,
) -> Calibration:
    """Fit a profile to a job log.

    Parameters
    ----------
    jobs : path-like, sequence of path-like or DataFrame
        Files that `vmbmodel.inventory.jobs.read` reads, times in UTC, or its table, or
        one with some of its columns.
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
    InventoryError
        If a file or the inventory cannot be read; with all findings.
    ValueError
        If nothing can be fitted.

    Notes
    -----
    Only completed jobs count. A rate is the median of size over time where the
    transfer is recorded, with the exact interval of a median; where the transfers have
    a part that does not grow with the size, and where the log has totals only, it is
    the inverse of the slope of time against size after Theil and Sen, and told only if
    its interval does not reach zero. Waits are kept by the time that 95 of 100 do not
    exceed, and by the share that waits at all, which decides on the number of data
    movers that behave so; it is no count of machines.
    """
    base = PROFILES.find(base)
    if not isinstance(jobs, pd.DataFrame):
        jobs = read([jobs] if isinstance(jobs, str | os.PathLike) else jobs).jobs
    disks = None if fleet is None else in_gib(backed_up(disks_of(fleet)), gb_bytes)
    work, jobs = Work(base), typed(jobs)
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
        counts = f"{len(backups)} backups, {len(restores)} restores and {len(setups)}"
        reasons = "".join(f"\n  {name}: {why}" for name, why in work.left.items())
        raise ValueError(
            f"nothing can be fitted to {counts} set-ups that completed{reasons}"
        )
    if fleet is None:
        work.notes.append(
            "each VM counts as one disk; --fleet gives the share of its largest"
        )
    if "peak_wait_h" in work.fits:
        work.notes.append(
            "the waits of the log hold the line of your own VMs; where more than "
            "vault_servers of them start at once, an estimate adds that line again"
        )
    return Calibration(
        base, work.fits, work.described, work.left, tuple(work.notes),
        backups[["job_h", "moved_gib", "first"]].fillna({"moved_gib": 0.0}),
    )  # fmt: skip


def _sized(jobs: pd.DataFrame, disks: pd.DataFrame | None) -> pd.DataFrame:
    """Return jobs, each with what its slowest disk moves, and whether it is a first."""
    sized = jobs.assign(first=first_backups(jobs))
    if disks is None:
        return sized
    names = disks["vm"].str.lower().str.rpartition("/")[2]
    once = disks.groupby(names)["vm"].transform("nunique") == 1
    by_vm = disks[once].groupby(names[once])
    used, largest = by_vm["used_gib"].sum(), by_vm["used_gib"].max()
    churn = by_vm["churn_gib_per_day"].sum(min_count=1)
    name = sized["vm"].str.lower()
    known = name.map(used)
    restore = sized["operation"] == "Restore"
    expected = known.where(sized["first"] | restore, name.map(churn))
    share = name.map((largest / used).where(used > 0)).fillna(1.0).astype(float)
    moved = sized["moved_gib"].fillna(expected.astype(float))
    return sized.assign(moved_gib=moved * share)


def _origin(fit: Fit, source: str, day: datetime.date) -> Origin:
    unit = {"_mib_s": " MiB/s", "_gib": " GiB", "_h": " h"}
    suffix = next((u for end, u in unit.items() if fit.name.endswith(end)), "")
    figure = np.format_float_positional(fit.value, 6, fractional=False, trim="-")
    between = (
        "" if fit.low == fit.high else f" Between {fit.low:.4g} and {fit.high:.4g}."
    )
    return Origin(
        documented=f"{figure}{suffix}",
        source=source,
        locator=f"{fit.count:,} jobs",
        retrieved=day,
        status="assumed"
        if fit.name in ("dispersion", "peak_wait_prob")
        else "measured",
        note=f"{fit.method[:1].upper()}{fit.method[1:]}.{between}",
    )
