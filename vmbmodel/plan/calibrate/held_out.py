"""Whether a profile predicts nights it has not seen, and whether hours differ.

What is predicted is what `estimate` says of a job that moves as much, from the profile
as it is read back from its file.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vmbmodel.plan.calibrate.fits import FEWEST_NIGHTS, by_night, reach
from vmbmodel.plan.estimate import job_within_prob
from vmbmodel.plan.scenario import Scenario

__all__ = [
    "HeldOut",
    "Hours",
    "by_start",
    "predicted",
    "split",
    "start_hours",
    "started_hours",
    "transfers_h",
]

_SEED = 20181211
_SHUFFLES = 999
_STEADY = 0.9  # share of jobs near the usual start of their VM, if it has but one
_SURE = 0.01
_BINS = 5
_LEAST_TIMES, _MOST_TIMES = 0.01, 100.0  # as a wait of some hour is written
GIB_H = 1024 / 3600


@dataclass(frozen=True)
class HeldOut:
    """What a profile fitted to the first two thirds of the nights says of the rest."""

    jobs: int
    nights: int
    between_frac: float  #: share between their quantiles of 10 and 90 %
    between_low_frac: float
    between_high_frac: float
    below_p95_frac: float  #: share below their quantile of 95 %
    below_p95_low_frac: float
    below_p95_high_frac: float
    fifths: tuple[float, ...]
    """Share of the jobs in each fifth of their law: a fifth each, if it is right."""

    @property
    def kept(self) -> bool | None:
        """Whether 80 of 100 between and 95 of 100 below may be so; None if too few."""
        if math.isnan(self.between_low_frac):
            return None
        between = self.between_low_frac <= 0.8 <= self.between_high_frac
        return between and self.below_p95_low_frac <= 0.95 <= self.below_p95_high_frac


@dataclass(frozen=True)
class Hours:
    """Waits by the half-hour of the start, and whether they differ."""

    rows: pd.DataFrame
    """A row a half-hour: `start_h`, `jobs`, `wait_mean_h` with an interval from night
    to night, and `shrunk_h`: the wait there of an average VM in an average night, as
    much nearer to the mean of all as chance asks for."""
    wait_mean_h: float  #: of all jobs
    equal_prob: float  #: chance of hours as different as these, if they are alike
    one_hour_each: bool  #: each VM has one hour, so that hour and VM are one

    @property
    def differ(self) -> bool:
        """Whether hours surely differ."""
        return self.equal_prob < _SURE and not self.one_hour_each

    def times(self) -> dict[str, float]:
        """Return by how much the mean wait is multiplied in each half-hour, by clock.

        Nothing where hours do not surely differ. Half-hours of too few nights are left
        out, and have the mean of all, as those without a job.
        """
        rows = self.rows[self.rows["shrunk_h"].notna()]
        if not self.differ or not self.wait_mean_h > 0:
            return {}
        times = (rows["shrunk_h"] / self.wait_mean_h).clip(_LEAST_TIMES, _MOST_TIMES)
        jobs = rows["jobs"].sum()
        times *= jobs / (rows["jobs"] * times).sum()
        times = times.clip(_LEAST_TIMES, _MOST_TIMES)
        clocks = (f"{int(h):02}:{round(h % 1 * 60):02}" for h in rows["start_h"])
        return {
            clock: float(f"{of:.4g}") for clock, of in zip(clocks, times, strict=True)
        }


def transfers_h(backups: pd.DataFrame, scenario: Scenario) -> np.ndarray:
    """Return the time that each backup moves data, at the rates of a profile."""
    rate = np.where(
        backups["first"], scenario["initial_mib_s"], scenario["incremental_mib_s"]
    )
    rate_gib_h = np.minimum(rate, scenario["blob_mib_s"]) / GIB_H
    return backups["moved_gib"].fillna(0.0).to_numpy() / rate_gib_h


def predicted(
    backups: pd.DataFrame, scenario: Scenario, grid_min: float | None
) -> HeldOut:
    """Hold backups against what a profile says of them.

    A job that is reported on a grid ended at any time since the look before.
    """
    known = transfers_h(backups, scenario), start_hours(backups), scenario
    hours, grid_h = backups["job_h"].to_numpy(), (grid_min or 0.0) / 60
    before_h = np.maximum(hours - grid_h, 0)
    low, high = (job_within_prob(h, *known) for h in (before_h, hours))
    drawn = np.random.default_rng(_SEED).random(len(hours))
    place = low + drawn * (high - low) if grid_h else high
    night = backups["night"].to_numpy()
    between = (place >= 0.1) & (place <= 0.9)
    below = place <= 0.95
    ends = []
    for inside in (between, below):
        fit = by_night(
            "frac", night, lambda some, of=inside: of[some].mean(), "", share=True
        )
        ends += [fit.value, fit.low, fit.high]
    counts = np.histogram(place, bins=_BINS, range=(0, 1))[0] / len(place)
    return HeldOut(len(hours), len(np.unique(night)), *ends, tuple(counts.tolist()))


def started_hours(backups: pd.DataFrame) -> np.ndarray:
    """Return the hours of the day at which jobs started."""
    start = backups["start_time"].dt
    return (start.hour + start.minute / 60).to_numpy(dtype=float)


def start_hours(backups: pd.DataFrame) -> np.ndarray:
    """Return the hours that jobs are scheduled for, or else those of their starts."""
    scheduled_h = backups["scheduled_h"].to_numpy(dtype=float)
    return started_hours(backups) if np.isnan(scheduled_h).any() else scheduled_h


def by_start(backups: pd.DataFrame, wait_h: np.ndarray) -> Hours | None:
    """Compare the waits of half-hours; None where there is but one."""
    hour = start_hours(backups)
    if np.isnan(hour).any():
        return None
    slot = np.floor(hour * 2).astype(int) % 48
    if len(np.unique(slot)) < 2:
        return None
    vm = pd.factorize(backups["vm"])[0]
    night = pd.factorize(backups["night"])[0]
    usual = pd.Series(slot).groupby(vm).agg(lambda s: s.mode()[0]).to_numpy()
    off = (slot - usual[vm] + 24) % 48 - 24
    one_each = bool((np.abs(off) <= 1).mean() >= _STEADY)
    if one_each:  # a start some minutes late is no other hour
        slot = usual[vm]
    # what a night has in common is no difference between hours
    own_h = wait_h - (np.bincount(night, wait_h) / np.bincount(night))[night]
    if not one_each:  # nor is what a VM has
        own_h = own_h - (np.bincount(vm, own_h) / np.bincount(vm))[vm]

    def apart(slots: np.ndarray) -> float:
        count = np.bincount(slots, minlength=48)
        sums = np.bincount(slots, own_h, minlength=48)
        return float((sums[count > 0] ** 2 / count[count > 0]).sum())

    rng, seen = np.random.default_rng(_SEED), apart(slot)
    more = 0
    for _ in range(_SHUFFLES):
        if one_each:
            shuffled = rng.permutation(usual)[vm]
        else:
            shuffled = slot[_within_nights(rng, night)]
        more += apart(shuffled) >= seen - 1e-12
    whole = float(wait_h.mean())
    table = _slot_means(slot, night, wait_h).rename(columns={"mean": "wait_mean_h"})
    off = np.array([reach(nights) for nights in table["nights"]]) * table["error"]
    table["wait_low_h"] = table["wait_mean_h"] - off
    table["wait_high_h"] = table["wait_mean_h"] + off
    own = _slot_means(slot, night, own_h)
    spread = own["error"] ** 2
    between = max(own["mean"].var() - spread.mean(), 0.0)
    part = between / (between + spread.where(spread > 0, 1e-12))
    table["shrunk_h"] = whole + part * own["mean"]
    table.insert(0, "start_h", table.pop("slot") / 2)
    rows = table.drop(columns="error")
    return Hours(rows, whole, (more + 1) / (_SHUFFLES + 1), one_each)


def _slot_means(slot: np.ndarray, night: np.ndarray, hours: np.ndarray) -> pd.DataFrame:
    """Return the mean of each half-hour, and its standard error from night to night.

    There is none of a half-hour with too few nights.
    """
    jobs = pd.DataFrame({"slot": slot, "night": night, "h": hours})
    table = jobs.groupby("slot")["h"].agg(jobs="size", mean="mean")
    jobs["off"] = jobs["h"] - jobs["slot"].map(table["mean"])
    nightly = jobs.groupby(["slot", "night"])["off"].sum().groupby("slot")
    nights, squares = nightly.size(), nightly.agg(lambda off: (off**2).sum())
    fair = nights / (nights - 1).clip(lower=1)
    error = np.sqrt(squares * fair) / table["jobs"]
    table["nights"], table["error"] = nights, error.where(nights >= FEWEST_NIGHTS)
    return table.reset_index()


def _within_nights(rng: np.random.Generator, night: np.ndarray) -> np.ndarray:
    """Return rows in another order, each in a place of its own night."""
    drawn = np.lexsort((rng.random(len(night)), night))
    order = np.empty(len(night), dtype=int)
    order[np.argsort(night, kind="stable")] = drawn
    return order


def split(backups: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return the first two thirds of the nights, and the rest; None of too few."""
    nights = np.unique(backups["night"])
    first = math.ceil(2 * len(nights) / 3)
    if len(nights) - first < 2 or first < FEWEST_NIGHTS:
        return None
    early = backups["night"] < nights[first]
    return backups[early], backups[~early]
