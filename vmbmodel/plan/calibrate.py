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
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy import optimize, stats

from vmbmodel.formulas.queueing import (
    erlang_c_prob,
    utilisation_for_wait_frac,
    wait_decay_per_h,
)
from vmbmodel.formulas.total import done_within_prob
from vmbmodel.inventory.jobs import first_backups, typed
from vmbmodel.plan._fits import (
    Fit,
    bootstrapped,
    mean,
    quantile,
    scv,
    servers_for,
    service_for,
    slope,
)
from vmbmodel.service.constants import ConstantSet, Origin

__all__ = ["SCHEMA", "Calibration", "Fit", "calibrate"]

SCHEMA = "vmbmodel.calibration/1"

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


@dataclass(frozen=True)
class Calibration:
    """A profile fitted to a job log.

    Parameters
    ----------
    base : ConstantSet
        Profile that gives what the log does not tell.
    fits : Mapping[str, Fit]
        Constants of the profile that the log tells, by name.
    described : Mapping[str, Fit]
        What the log tells besides, which is no constant of a profile.
    left : Mapping[str, str]
        Constants left to the base, each with the reason.
    notes : tuple of str
        What deserves a look.
    backups : DataFrame
        The backups it was fitted to: ``job_h`` and ``moved_gib``, the latter of the
        disk that takes longest.
    """

    base: ConstantSet
    fits: Mapping[str, Fit]
    described: Mapping[str, Fit]
    left: Mapping[str, str]
    notes: tuple[str, ...]
    backups: pd.DataFrame = field(repr=False)

    def __getitem__(self, name: str) -> float:
        """Return a constant, fitted or of the base."""
        return self.fits[name].value if name in self.fits else self.base[name]

    def done_frac(self, hours: np.ndarray) -> np.ndarray:
        """Return the share of the backups that the fitted profile sees done.

        Parameters
        ----------
        hours : ndarray
            Times since the start of a job.

        Returns
        -------
        ndarray
            Mean over the backups of the log, each with what it moved.
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
        """Return the time within which the fitted profile sees a share of backups done.

        Parameters
        ----------
        share : float
            Between 0 and 1.
        """
        longest_h = float(self.backups["job_h"].max())
        while self.done_frac(np.array([longest_h]))[0] < share:
            longest_h *= 2
        return optimize.brentq(
            lambda h: self.done_frac(np.array([h]))[0] - share, 0, longest_h, xtol=1e-6
        )

    def to_toml(self, source: str, day: datetime.date) -> str:
        """Return the profile as text that ``--profile FILE.toml`` takes.

        Parameters
        ----------
        source : str
            Name of the job log.
        day : datetime.date
            When it was fitted; the profile is of this day.
        """
        title = f"Fitted to {source}; what that does not tell is of {self.base.name}"
        about = f"[about]\ntitle = {json.dumps(title)}\nas_of = {day}\n"
        rows = [about]
        for name, origin in self.base.origins.items():
            if name in self.fits:
                origin = _origin(self.fits[name], source, day)
            rows.append(_table(name, origin, self.base, day))
        return "\n".join(rows)

    def to_dict(self) -> dict:
        """Return everything as plain values, with ``"inf"`` for no bound."""
        return {
            "schema": SCHEMA,
            "base": {"name": self.base.name, "sha256": self.base.sha256},
            "backups": len(self.backups),
            "constants": [self._row(fit) for fit in self.fits.values()],
            "described": [self._row(fit) for fit in self.described.values()],
            "left": [{"name": n, "reason": why} for n, why in self.left.items()],
            "quantiles": [
                {
                    "share": share,
                    "log_h": float(self.backups["job_h"].quantile(share)),
                    "fitted_h": self.quantile_h(share),
                }
                for share in (0.5, 0.95)
                if len(self.backups)
            ],
            "notes": list(self.notes),
        }

    def _row(self, fit: Fit) -> dict:
        row = vars(fit) | {"base_value": self.base.get(fit.name)}
        endless = {k: "inf" for k, v in row.items() if v == math.inf}
        return row | endless


def calibrate(
    jobs: pd.DataFrame, base: ConstantSet, fleet: pd.DataFrame | None = None
) -> Calibration:
    """Fit a profile to a job log.

    Parameters
    ----------
    jobs : DataFrame
        As `vmbmodel.inventory.jobs.read` gives it, or with some of its columns.
    base : ConstantSet
        Profile for what the log does not tell.
    fleet : DataFrame, optional
        Inventory of the same VMs. It gives sizes that the log lacks, and the share of
        the largest disk, which takes longest; without it, a VM counts as one disk.

    Returns
    -------
    Calibration
        Fitted constants with intervals, and what was left.

    Raises
    ------
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
    work, jobs = _Work(base), typed(jobs)
    done = jobs["status"].str.startswith("Completed").fillna(False)
    timed = done & (jobs["job_h"] > 0)
    sized = _sized(jobs, fleet)
    operation = jobs["operation"].fillna("")
    backups = sized[timed & operation.str.startswith("Backup")]
    restores = sized[timed & (operation == "Restore")]
    setups = jobs.loc[timed & (operation == "ConfigureBackup"), "job_h"]
    work.median("extension_h", setups, "setting up a VM's protection")
    phases = (backups["transfer_h"] > 0).sum() >= FEWEST
    if phases:
        _fit_phases(work, backups)
    else:
        _fit_totals(work, backups)
    _fit_restores(work, restores)
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


class _Work:
    """Gathers fits, and reasons why there are none."""

    def __init__(self, base: ConstantSet) -> None:
        self.base = base
        self.fits: dict[str, Fit] = {}
        self.described: dict[str, Fit] = {}
        self.left: dict[str, str] = {}
        self.notes: list[str] = []

    def __getitem__(self, name: str) -> float:
        return self.fits[name].value if name in self.fits else self.base[name]

    def add(self, fit: Fit) -> None:
        self.fits[fit.name] = fit

    def enough(self, name: str, sample, what: str, fewest: int = FEWEST) -> bool:
        if len(sample) < fewest:
            self.left[name] = f"{what}: {len(sample)} jobs, {fewest} are needed"
        return len(sample) >= fewest

    def median(self, name: str, sample: pd.Series, what: str) -> None:
        if self.enough(name, sample, what):
            self.add(quantile(name, sample.to_numpy(), 0.5, f"median of {what}"))


def _sized(jobs: pd.DataFrame, fleet: pd.DataFrame | None) -> pd.DataFrame:
    """Return jobs, each with what its slowest disk moves, and whether it is a first."""
    sized = jobs.assign(first=first_backups(jobs))
    if fleet is None:
        return sized
    disks = fleet[~fleet["excluded"].fillna(False) & (fleet["role"] != "temp")]
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


def _fit_phases(work: _Work, backups: pd.DataFrame) -> None:
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


def _fit_totals(work: _Work, backups: pd.DataFrame) -> None:
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
    work: _Work, name: str, sizes: pd.Series, times: pd.Series, what: str
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
    work: _Work, name: str, sizes: pd.Series, times: pd.Series, what: str
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


def _fit_waits(work: _Work, waits: np.ndarray, share: Fit, what: str) -> None:
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


def _fit_restores(work: _Work, restores: pd.DataFrame) -> None:
    """Fit what the log tells of restores."""
    phased = restores[(restores["transfer_h"] > 0) & (restores["moved_gib"] > 0)]
    known = restores[restores["moved_gib"] > 0]
    name = "restore_mib_s"
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


def _scatter_is_in_the_rate(work: _Work, whole: bool = False) -> None:
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


def _origin(fit: Fit, source: str, day: datetime.date) -> Origin:
    unit = {"_mib_s": " MiB/s", "_h": " h"}
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


def _table(name: str, origin: Origin, base: ConstantSet, day: datetime.date) -> str:
    """Return one constant as a table of the file."""
    documented = origin.documented
    if origin.source == "caller":
        documented = np.format_float_positional(base[name], trim="-")
    lines = [
        f"[{name}]",
        f"documented = {json.dumps(documented)}",
        f"source = {json.dumps(origin.source)}",
        f"locator = {json.dumps(origin.locator)}",
        f"retrieved = {origin.retrieved or day}",
        f'status = "{origin.status}"',
    ]
    if origin.note:
        lines.append(f"note = {json.dumps(origin.note)}")
    return "\n".join(lines) + "\n"
