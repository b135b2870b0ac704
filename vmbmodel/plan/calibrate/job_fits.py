"""Which constants a job log tells, and how each is fitted."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from vmbmodel._words import counted
from vmbmodel.fields import fields
from vmbmodel.plan.calibrate.fits import (
    FEWEST_NIGHTS,
    LEVEL,
    Fit,
    by_night,
    quantile,
    slope,
)
from vmbmodel.plan.calibrate.totals import Joint, fit_joint, polling_grid_min
from vmbmodel.service import ConstantSet

__all__ = ["GIB_H", "Work", "fit_backups", "fit_restores"]

FEWEST = 8
"""Jobs below which nothing is fitted: of seven, a median has hardly an interval."""

FEWEST_WAITS = 20
"""Jobs below which no wait is told from what else takes time."""

WAITED_H = 1 / 60
"""A wait below a minute is none."""

MOST_VAGUE = 4.0
"""Ratio of the ends of the interval of a rate from which on a log does not tell it."""

ALIKE = 1e-9
"""Difference of times, as a part of them, below which they are the same."""

GIB_H = 1024 / 3600
"""GiB an hour to MiB a second."""


class Work:
    """Gathers fits, and reasons why there are none."""

    def __init__(self, base: ConstantSet) -> None:
        self.base = base
        self.fits: dict[str, Fit] = {}
        self.left: dict[str, str] = {}
        self.notes: list[str] = []
        self.unknowable: list[str] = [
            "servers, service_h and the load outside your hours: no log of yours tells "
            "them"
        ]
        self.grid_min: float | None = None

    def __getitem__(self, name: str) -> float:
        """Return what the log says of a constant, or else the profile."""
        return self.fits[name].value if name in self.fits else self.base[name]

    def add(self, fit: Fit) -> None:
        """Keep a fit of a constant, if it is one."""
        allowed = fields()[fit.name].range
        if math.isfinite(fit.value) and fit.value in allowed:
            self.fits[fit.name] = fit
        else:
            self.left[fit.name] = f"{fit.method}: {fit.value:g}, which it cannot be"

    def enough(self, name: str, sample, what: str, fewest: int = FEWEST) -> bool:
        """Say whether a sample has jobs enough, and note the reason if not."""
        if len(sample) < fewest:
            self.left[name] = (
                f"{what}: {counted(len(sample), 'job')}, {fewest} are needed"
            )
        return len(sample) >= fewest

    def median(self, name: str, sample: pd.Series, what: str) -> None:
        """Fit a constant by the median of a sample, if it has jobs enough."""
        if self.enough(name, sample, what):
            self.add(quantile(name, sample.to_numpy(), 0.5, f"median of {what}"))


def fit_backups(work: Work, backups: pd.DataFrame) -> None:
    """Fit what a log tells of backups, by their phases where it has them."""
    if backups["scheduled_h"].isna().all():
        work.unknowable.append(
            "start_slack_h: the log has no scheduled hours; --fleet gives them"
        )
    if (backups["transfer_h"] > 0).sum() >= FEWEST:
        _fit_phases(work, backups)
    else:
        _fit_totals(work, backups[~backups["first"]])
        _fit_first_totals(work, backups[backups["first"]])
    if "others_wait_mean_h" in work.fits:
        _lines_apart(work, backups)


def _fit_phases(work: Work, backups: pd.DataFrame) -> None:
    """Fit what a log with phases tells of backups, each phase by itself."""
    rows = backups[backups["wait_h"].notna() & (backups["transfer_h"] > 0)]
    rows = rows.assign(
        beside_h=(rows["job_h"] - rows["wait_h"] - rows["transfer_h"]).clip(lower=0)
    )
    moved = rows[(rows["moved_gib"] > 0)]
    fixed_h, scatter_h2 = 0.0, 0.0
    for name, kind in (("incremental_mib_s", False), ("initial_mib_s", True)):
        own = moved[moved["first"] == kind]
        what = f"transfers of {'first' if kind else 'later'} backups with sizes"
        if not work.enough(name, own, what):
            continue
        times, sizes = own["transfer_h"].to_numpy(), own["moved_gib"].to_numpy()
        if sizes.max() <= 1.1 * sizes.min():
            _add_rate(work, name, _per_gib(own, times, f"time over size, {what}"))
            continue
        law = fit_joint(times, sizes, own["night"].to_numpy(), waits=False)
        if law.fitted["fixed_h"] < WAITED_H:
            _add_rate(work, name, _per_gib(own, times, f"time over size, {what}"))
        elif not _told(work, name, law, own["night"], what):
            continue
        elif not kind:
            fixed_h = law.fitted["fixed_h"]
            scatter_h2 = (fixed_h * law.fitted["fixed_sd"]) ** 2
        if not kind:
            ends = law.fitted["h_per_gib"] * sizes.mean(), times.max()
            work.add(_scatter("transfer_scv", law, own["night"], what, *ends))
    beside, night = rows["beside_h"].to_numpy(), rows["night"].to_numpy()
    if work.enough("snapshot_h", rows, "jobs with phases"):
        what = "job time that is neither wait nor grows with the size"
        middle = by_night(
            "snapshot_h", night, lambda some: beside[some].mean() + fixed_h, what
        )
        work.add(middle)
        work.add(by_night(
            "snapshot_scv", night,
            lambda some: (beside[some].var() + scatter_h2)
            / max((beside[some].mean() + fixed_h) ** 2, 1e-12),
            f"variance over squared mean of {what}",
        ))  # fmt: skip
    waits = rows["wait_h"].to_numpy()
    if work.enough("others_wait_mean_h", rows, "recorded waits", FEWEST_WAITS):
        what = "from the end of the snapshot to the transfer"
        waited = waits > WAITED_H
        work.add(by_night(
            "others_wait_prob", night, lambda some: waited[some].mean(),
            f"share of the jobs, {what}", share=True,
        ))  # fmt: skip
        if waited.any():
            work.add(by_night(
                "others_wait_mean_h", night,
                lambda some: waits[some].sum() / max(waited[some].sum(), 1),
                f"mean of those that wait, {what}",
            ))  # fmt: skip
        else:
            work.add(Fit("others_wait_mean_h", 0.0, 0.0, 0.0, len(rows), "none waits"))


def _fit_totals(work: Work, later: pd.DataFrame) -> None:
    """Fit what a log of totals tells of later backups, all of it at once."""
    name = "incremental_mib_s"
    known = later[later["moved_gib"] > 0]
    sized = len(known) >= FEWEST_WAITS
    rows = known if sized else later.assign(moved_gib=0.0)
    if not work.enough("others_wait_mean_h", later, "later backups", FEWEST_WAITS):
        work.left["snapshot_h"] = work.left["others_wait_mean_h"]
        return
    hours, sizes, night = (
        rows[column].to_numpy() for column in ("job_h", "moved_gib", "night")
    )
    work.grid_min = polling_grid_min(hours)
    grid = {"grid_min": work.grid_min}
    what, count = "later backups, by their whole times", len(rows)
    law = None
    if not sized:
        work.left[name] = (
            f"later backups with sizes: {counted(len(known), 'job')}, 20 are needed"
        )
    elif sizes.max() <= 1.1 * sizes.min():
        work.left[name] = f"{what}: all move as much, so none takes longer for it"
    else:
        law = fit_joint(hours, sizes, night, **grid)
        if _told(work, name, law, night, what):
            ends = law.fitted["h_per_gib"] * sizes.mean(), hours.max()
            work.add(_scatter("transfer_scv", law, night, what, *ends))
        else:
            law = None
    if law is None:
        rate_gib_h = min(work.base[name], work.base["blob_mib_s"]) / GIB_H
        law = fit_joint(hours, sizes, night, h_per_gib=1 / rate_gib_h, **grid)
        ends = 0.0, 0.0, float(work.base["dispersion"])
        work.add(Fit("dispersion", *ends, count, _IN_THE_WAITS, assumed=_UNTOLD))
        work.notes.append(_LARGER)
    for constant, parameter in (
        ("snapshot_h", "fixed_h"),
        ("others_wait_prob", "wait_prob"),
        ("others_wait_mean_h", "wait_mean_h"),
    ):
        fit = _of_joint(law, parameter, constant, night, what)
        if constant != "others_wait_prob":  # no part is longer than the longest job
            fit = replace(fit, high=float(min(fit.high, max(fit.value, hours.max()))))
        if fit.high >= MOST_VAGUE * fit.low:
            work.unknowable.append(_vague(constant))
        work.add(fit)
    ends = law.fitted["fixed_h"], hours.max()
    work.add(_scatter("snapshot_scv", law, night, what, *ends))
    work.unknowable.append(
        "snapshot_h against any constant part of the wait: the log has totals only"
    )
    own = law.fitted
    if own["wait_mean_h"] < 2 * own["fixed_h"] * own["fixed_sd"]:
        work.unknowable.append(
            "others_wait_prob against snapshot_scv: waits are no longer than the "
            "snapshot varies"
        )


def _fit_first_totals(work: Work, first: pd.DataFrame) -> None:
    """Fit the rate of first backups to what is left of their whole times."""
    name, known = "initial_mib_s", first[first["moved_gib"] > 0]
    what = "first backups with sizes"
    if not work.enough(name, known, what):
        return
    other_h = work["snapshot_h"] + work["others_wait_prob"] * work["others_wait_mean_h"]
    left = f"size over what is left of the time, {what}"
    fit = _per_gib(known, known["job_h"].to_numpy() - other_h, left)
    if fit.value > 0 and not fit.low <= 0:
        _add_rate(work, name, fit)
    else:
        work.left[name] = f"{what}: time does not surely grow with the size"


def _per_gib(rows: pd.DataFrame, times: np.ndarray, what: str) -> Fit:
    """Return the time a GiB takes: the sum of times over that of sizes."""
    sizes, night = rows["moved_gib"].to_numpy(), rows["night"].to_numpy()
    return by_night(
        "h_per_gib", night, lambda some: times[some].sum() / sizes[some].sum(), what
    )


_IN_THE_RATE = "none: measured times hold the scatter of your writes already"
_IN_THE_WAITS = (
    "none, or up to the base's: no rate is told, and the waits hold what was moved"
)
_UNTOLD = "whether the waits of the log hold all that scatter costs is not told"
_LARGER = (
    "no rate is told: a VM that moves more than those of the log may take longer than "
    "this profile says; jobs of different sizes, in the log or by --fleet, tell it"
)


def _told(work: Work, name: str, law: Joint, night, what: str) -> bool:
    """Keep a rate that the law of jobs tells, or say that it does not."""
    low, high = law.low["h_per_gib"], law.high["h_per_gib"]
    if not high / low < MOST_VAGUE:
        least = f", at least {GIB_H / high:,.0f} MiB/s" if high < 1e3 else ""
        work.left[name] = f"{what}: time does not surely grow with the size{least}"
        work.unknowable.append(_vague(name))
        return False
    _add_rate(work, name, _of_joint(law, "h_per_gib", "h_per_gib", night, what))
    return True


def _vague(name: str) -> str:
    return f"{name}: its interval spans a factor of {MOST_VAGUE:g} or more"


def _add_rate(work: Work, name: str, per_gib: Fit) -> None:
    """Keep the rate to a time per GiB, and lift the limit of one blob to it."""
    value, low, high = (GIB_H / h for h in (per_gib.value, per_gib.high, per_gib.low))
    without = tuple(-log for log in per_gib.without)
    ends = {"value": value, "low": low, "high": high, "without": without}
    work.add(replace(per_gib, name=name, **ends))
    none = 0.0, 0.0, 0.0, per_gib.count, _IN_THE_RATE
    work.add(Fit("dispersion", *none, assumed=_IN_THE_RATE))
    limit = work["blob_mib_s"]
    if value > limit:
        why = f"{name} as fitted, above the limit of one blob in the base"
        work.add(Fit("blob_mib_s", value, low, high, per_gib.count, why, without))


_SCATTER = {"transfer_scv": "size_sd", "snapshot_scv": "fixed_sd"}
"""Which figure of the law of whole jobs tells how much a part of them varies."""


def _scatter(
    name: str, law: Joint, night, what: str, mean_h: float, longest_h: float
) -> Fit:
    """Return how much a part of the jobs varies, of its mean and the longest job."""
    # no part differs from its mean by more than the longest job: a bound of the end
    # where the log hardly tells it
    value = law.fitted[_SCATTER[name]] ** 2
    most = max(value, float(longest_h / mean_h) ** 2) if mean_h > 0 else math.inf
    ends = [min(end**2, most) for end in _ends(law, _SCATTER[name], night)]
    return Fit(name, value, *ends, len(night), f"joint fit, {what}")


def _of_joint(law: Joint, parameter: str, name: str, night, what: str) -> Fit:
    """Return a constant of the fit of whole jobs."""
    return Fit(
        name,
        law.fitted[parameter],
        *_ends(law, parameter, night),
        len(night),
        f"joint fit, {what}",
        tuple(law.without.get(parameter, ())),
    )


def _ends(law: Joint, parameter: str, night) -> tuple[float, float]:
    if len(np.unique(night)) < FEWEST_NIGHTS:
        return math.nan, math.nan
    return law.low[parameter], law.high[parameter]


def _lines_apart(work: Work, backups: pd.DataFrame) -> None:
    """Say whether nights differ in how many VMs stand in a line of your own."""
    nightly = backups.groupby("night").size()
    if nightly.max() < 1.5 * nightly.min():
        work.unknowable.append(
            "your own line against that of others: every night has as many jobs"
        )


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
                prior = work.base.origins[kept].prior
                low = limit if prior is None else min(prior.low, limit)
                work.add(Fit(kept, limit, low, limit, 0, why, assumed=why))


def _fit_restore_law(work: Work, restores: pd.DataFrame) -> None:
    """Fit the law of whole restores, up to the largest of them."""
    logs, jobs = np.log(restores["job_h"].to_numpy()), len(restores)
    if np.ptp(logs) < ALIKE:
        why = "whole restores: all took as long, so none tells how they vary"
        work.left |= {"restore_p50_h": why, "restore_log_sd": why}
        return
    middle, spread = logs.mean(), logs.std(ddof=1)
    free = jobs - 1
    off = stats.t.ppf((1 + LEVEL) / 2, free) * spread / math.sqrt(jobs)
    low, high = spread * np.sqrt(
        free / stats.chi2.ppf([(1 + LEVEL) / 2, (1 - LEVEL) / 2], free)
    )
    largest = restores["moved_gib"].max()
    what = "whole restores, lognormal"
    for name, value, least, most in (
        ("restore_p50_h", *np.exp([middle, middle - off, middle + off])),
        ("restore_log_sd", spread, low, high),
        ("restore_sample", jobs, jobs, jobs),
        ("restore_known_gib", largest, largest, largest),
    ):
        work.add(Fit(name, float(value), float(least), float(most), jobs, what))
