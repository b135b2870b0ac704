"""Which constants a job log tells, and how each is fitted."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from vmbmodel.plan.calibrate.fits import (
    Fit,
    bootstrapped,
    mean,
    quantile,
    scv,
    servers_for,
    service_for,
    slope,
)
from vmbmodel.service import ConstantSet

__all__ = ["GIB_H", "Work", "fit_backups", "fit_restores"]

FEWEST = 8
"""Jobs below which nothing is fitted: of seven, a median has hardly an interval."""

FEWEST_WAITS = 20
"""Jobs below which the time that 95 of 100 keep within is no more than the longest."""

WAITED_H = 1 / 60
"""A wait below a minute is none."""

FIXED_SHARE = 0.1
"""Share of the jobs that is taken not to wait, where the log has no phases."""

GIB_H = 1024 / 3600
"""GiB an hour to MiB a second."""


class Work:
    """Gathers fits, and reasons why there are none."""

    def __init__(self, base: ConstantSet) -> None:
        self.base = base
        self.fits: dict[str, Fit] = {}
        self.described: dict[str, Fit] = {}
        self.left: dict[str, str] = {}
        self.notes: list[str] = []

    def __getitem__(self, name: str) -> float:
        """Return what the log says of a constant, or else the profile."""
        return self.fits[name].value if name in self.fits else self.base[name]

    def add(self, fit: Fit) -> None:
        """Keep a fit of a constant."""
        self.fits[fit.name] = fit

    def enough(self, name: str, sample, what: str, fewest: int = FEWEST) -> bool:
        """Say whether a sample has jobs enough, and note the reason if not."""
        if len(sample) < fewest:
            self.left[name] = f"{what}: {len(sample)} jobs, {fewest} are needed"
        return len(sample) >= fewest

    def median(self, name: str, sample: pd.Series, what: str) -> None:
        """Fit a constant by the median of a sample, if it has jobs enough."""
        if self.enough(name, sample, what):
            self.add(quantile(name, sample.to_numpy(), 0.5, f"median of {what}"))


def fit_backups(work: Work, backups: pd.DataFrame) -> None:
    """Fit what a log tells of backups, by their phases where it has them."""
    if (backups["transfer_h"] > 0).sum() >= FEWEST:
        _fit_phases(work, backups)
    else:
        _fit_totals(work, backups)


def _fit_phases(work: Work, backups: pd.DataFrame) -> None:
    """Fit what a log with phases tells of backups."""
    beside = backups["job_h"] - backups["wait_h"] - backups["transfer_h"]
    what = "job time beside wait and transfer: snapshot, validation"
    if beside.notna().sum() < FEWEST:
        beside, what = backups["snapshot_h"], "the snapshot phase"
    work.median("snapshot_h", beside.dropna().clip(lower=0), what)
    moved = backups[(backups["transfer_h"] > 0) & (backups["moved_gib"] > 0)]
    for name, kind in (("initial_mib_s", True), ("incremental_mib_s", False)):
        own = moved[moved["first"] == kind]
        what = f"transfers of {'first' if kind else 'later'} backups with sizes"
        if work.enough(name, own, what):
            _fit_rate(work, name, own["moved_gib"], own["transfer_h"], what)
    _scatter_is_in_the_rate(work)
    service = backups.loc[backups["transfer_h"] > 0, "transfer_h"].to_numpy()
    work.add(mean("service_h", service))
    work.described["service_scv"] = scv("service_scv", service)
    waits = backups["wait_h"].dropna().to_numpy()
    if work.enough("peak_wait_h", waits, "recorded waits", FEWEST_WAITS):
        share = _share("wait_frac", float((waits > WAITED_H).mean()), len(waits))
        _fit_waits(work, waits, share, "from the end of the snapshot to the transfer")


def _fit_totals(work: Work, backups: pd.DataFrame) -> None:
    """Fit what a log without phases tells of backups."""
    reason = "the log records no phases"
    work.left["service_h"] = reason
    later, first = backups[~backups["first"]], backups[backups["first"]]
    for name, own, kind in (
        ("initial_mib_s", first, "first"),
        ("incremental_mib_s", later, "later"),
    ):
        known = own[own["moved_gib"] > 0]
        what = f"{kind} backups with sizes"
        if work.enough(name, known, what, FEWEST_WAITS):
            _fit_slope(work, name, known["moved_gib"], known["job_h"], what)
    if not work.enough("peak_wait_h", later, "later backups", FEWEST_WAITS):
        work.left["snapshot_h"] = work.left["peak_wait_h"]
        return
    rate_gib_h = min(work["incremental_mib_s"], work["blob_mib_s"]) / GIB_H
    rest = (later["job_h"] - later["moved_gib"].fillna(0.0) / rate_gib_h).clip(lower=0)
    rest = rest.to_numpy()
    what = "the time beside moving data that one backup in ten does not exceed"
    fixed = quantile("snapshot_h", rest, FIXED_SHARE, what)
    work.add(fixed)
    _scatter_is_in_the_rate(work, "incremental_mib_s" not in work.fits)
    waits = np.maximum(rest - fixed.value, 0.0)
    share = bootstrapped(
        "wait_frac", waits, _tail_share, "where the tail meets no wait"
    )
    _fit_waits(work, waits, share, "job time beyond the fixed part")


def _fit_rate(
    work: Work, name: str, sizes: pd.Series, times: pd.Series, what: str
) -> None:
    """Fit a rate to recorded transfers, whose fixed part, if any, is told apart."""
    sizes, times = sizes.to_numpy(), times.to_numpy()
    if sizes.max() > 2 * sizes.min():
        with_time = stats.kendalltau(sizes, times)
        if not (with_time.statistic > 0 and with_time.pvalue < 0.05):
            work.left[name] = f"{what}: their time does not grow with the size"
            return
        overhead = stats.kendalltau(sizes, sizes / times)
        if overhead.statistic > 0 and overhead.pvalue < 0.01:
            _fit_slope(work, name, pd.Series(sizes), pd.Series(times), what)
            return
    work.add(
        quantile(name, sizes / times * GIB_H, 0.5, f"median of size over time, {what}")
    )


def _fit_slope(
    work: Work, name: str, sizes: pd.Series, times: pd.Series, what: str
) -> None:
    """Fit a rate to how much longer larger jobs take, whatever else they wait for."""
    sizes, times = sizes.to_numpy(), times.to_numpy()
    if sizes.max() <= 1.1 * sizes.min():
        work.left[name] = f"{what}: all move as much, so none takes longer for it"
        return
    middle, low, high = slope(sizes, times)
    if not low > 0:
        least = f", at least {GIB_H / high:,.0f} MiB/s" if high > 0 else ""
        work.left[name] = f"{what}: time does not surely grow with the size{least}"
        return
    method = f"slope of time against size (Theil-Sen), {what}"
    value, bounds = GIB_H / middle, (GIB_H / high, GIB_H / low)
    work.add(Fit(name, float(value), *map(float, bounds), len(sizes), method))


def _fit_waits(work: Work, waits: np.ndarray, share: Fit, what: str) -> None:
    """Fit the wait that 95 of 100 keep within, and the movers at which so many wait."""
    peak = quantile("peak_wait_h", waits, 0.95, f"quantile of 95%, {what}")
    waiting = share.value
    work.described["wait_frac"] = share
    work.described["wait_mean_h"] = mean("wait_mean_h", waits)
    if peak.value <= 0:
        work.left["peak_wait_h"] = "fewer than one job in twenty waits"
        return
    work.add(peak)
    prob = "95 of 100, the share that peak_wait_h is for"
    work.add(Fit("peak_wait_prob", 0.95, 0.95, 0.95, len(waits), prob))
    at = [
        servers_for(end, peak.value, 0.95, work["service_h"])
        for end in (waiting, share.low, share.high)
    ]
    if not math.isnan(at[0]):
        low, high = np.where(np.isnan(at[1:]), [0.0, np.inf], at[1:]).tolist()
        method = f"movers at which {waiting:.0%} of the jobs wait"
        work.add(Fit("servers", at[0], low, high, len(waits), method))
    elif 0.05 < waiting < 1:
        if own := work.fits.get("service_h"):
            work.described["transfer_h"] = replace(own, name="transfer_h")
        low, middle, high = (
            service_for(min(max(end, 0.051), 0.999), peak.value, 0.95, work["servers"])
            for end in (share.high, waiting, share.low)
        )
        method = f"jobs of anyone at which {waiting:.0%} of yours wait"
        work.add(Fit("service_h", middle, low, high, len(waits), method))
        work.left.pop("service_h", None)


def fit_restores(work: Work, restores: pd.DataFrame) -> None:
    """Fit what the log tells of restores."""
    phased = restores[(restores["transfer_h"] > 0) & (restores["moved_gib"] > 0)]
    known = restores[restores["moved_gib"] > 0]
    name = "restore_mib_s"
    told = phased if len(phased) >= FEWEST else known
    if work.enough("restore_p50_h", told, "restores with sizes"):
        _fit_restore_law(work, told)
    if len(phased) >= FEWEST:
        _fit_rate(work, name, phased["moved_gib"], phased["transfer_h"], "restores")
        rest = phased["job_h"] - phased["transfer_h"]
        what = "a restore's time beside its transfer"
    elif work.enough(name, known, "restores with sizes", FEWEST_WAITS):
        _fit_slope(work, name, known["moved_gib"], known["job_h"], "restores")
        rest = known["job_h"] - known["moved_gib"] / (work[name] / GIB_H)
        what = "a restore's time that does not grow with the size"
    if name not in work.fits:
        work.left["vm_creation_h"] = "the rate of a restore is not told"
        return
    work.median("vm_creation_h", rest.clip(lower=0), what)
    fit, limit = work.fits[name], work["blob_mib_s"]
    if fit.value > limit:
        surely = "surely " * (fit.low > limit)
        why = f"the rate of a restore, {surely}above the limit of one blob in the base"
        work.add(replace(fit, name="blob_mib_s", method=why))
        for kept in ("initial_mib_s", "incremental_mib_s"):
            if kept not in work.fits and work[kept] > limit:
                why = (
                    "the limit of one blob in the base, which the log does not concern"
                )
                work.add(Fit(kept, limit, limit, limit, 0, why))


def _fit_restore_law(work: Work, restores: pd.DataFrame) -> None:
    """Fit the law of whole restores, up to the largest of them."""
    logs, jobs = np.log(restores["job_h"].to_numpy()), len(restores)
    middle, spread = logs.mean(), logs.std(ddof=1)
    free = jobs - 1
    off = stats.t.ppf(0.975, free) * spread / math.sqrt(jobs)
    low, high = spread * np.sqrt(free / stats.chi2.ppf([0.975, 0.025], free))
    largest = restores["moved_gib"].max()
    what = "whole restores, lognormal"
    for name, value, least, most in (
        ("restore_p50_h", *np.exp([middle, middle - off, middle + off])),
        ("restore_log_sd", spread, low, high),
        ("restore_sample", jobs, jobs, jobs),
        ("restore_known_gib", largest, largest, largest),
    ):
        work.add(Fit(name, float(value), float(least), float(most), jobs, what))


def _scatter_is_in_the_rate(work: Work, whole: bool = False) -> None:
    """Keep an estimate from counting twice the scatter that measured times hold."""
    if "incremental_mib_s" in work.fits or whole:
        jobs = work.fits.get("incremental_mib_s", work.fits.get("snapshot_h")).count
        why = "none: measured times hold the scatter of your writes already"
        work.add(Fit("dispersion", 0.0, 0.0, 0.0, jobs, why))


def _tail_share(waits: np.ndarray, axis: int = -1) -> np.ndarray:
    """Share of jobs that wait, with an exponential tail through two quantiles.

    The tail is straight on a logarithmic scale; where it meets no wait at all is
    the share.
    """
    half, most = np.quantile(waits, [0.5, 0.95], axis=axis)
    flat = np.where(most > half, 10 ** (half / np.maximum(most - half, 1e-300)), np.inf)
    return np.minimum(0.5 * flat, 0.99)


def _share(name: str, share: float, jobs: int) -> Fit:
    """Return a share with its exact interval, after Clopper and Pearson."""
    test = stats.binomtest(round(share * jobs), jobs)
    low, high = test.proportion_ci(0.95)
    return Fit(name, share, float(low), float(high), jobs, "share of the jobs")
