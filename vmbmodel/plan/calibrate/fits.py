"""What a sample says of a constant: an estimate, its interval, and how it was had."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from vmbmodel.formulas import erlang_c_prob, utilisation_for_wait_frac

__all__ = [
    "Fit",
    "bootstrapped",
    "mean",
    "quantile",
    "scv",
    "servers_for",
    "service_for",
    "slope",
]

LEVEL = 0.95
MOST_PAIRED = 2000
"""Jobs between which slopes are taken; of more, so many are drawn."""

RESAMPLES = 2000
SEED = 20181211


@dataclass(frozen=True)
class Fit:
    """A constant as a job log tells it.

    The interval from `low` to `high` holds the true value in 95 of 100 logs; it is
    ``inf`` where the log is too short to bound it.
    """

    name: str  #: a row of the field table
    value: float
    low: float
    high: float
    count: int  #: jobs it comes from
    method: str


def quantile(name: str, sample: np.ndarray, share: float, method: str = "") -> Fit:
    """Return a quantile, with the exact interval between two order statistics.

    >>> fit = quantile("snapshot_h", np.arange(1.0, 26.0), 0.5)
    >>> fit.value, fit.low, fit.high
    (13.0, 8.0, 18.0)
    """
    test = stats.quantile_test(sample, p=share)
    low, high = test.confidence_interval(LEVEL)
    return Fit(
        name,
        float(np.quantile(sample, share)),
        0.0 if math.isnan(low) else float(low),
        math.inf if math.isnan(high) else float(high),
        len(sample),
        method or ("median" if share == 0.5 else f"quantile of {share:.0%}"),
    )


def mean(name: str, sample: np.ndarray) -> Fit:
    """Return a mean, with a bootstrap interval (bias-corrected and accelerated)."""
    return bootstrapped(name, sample, np.mean, "mean")


def scv(name: str, sample: np.ndarray) -> Fit:
    """Return a squared coefficient of variation, with a bootstrap interval."""
    return bootstrapped(name, sample, _scv, "variance over squared mean")


def slope(sizes: np.ndarray, times: np.ndarray) -> tuple[float, float, float]:
    """Return by how much a time grows with a size: Theil and Sen, and an interval.

    The median of the slopes between all pairs, whatever is added to the times, as
    long as it does not depend on the sizes.

    >>> sizes = np.arange(10.0)
    >>> [round(float(x), 9) for x in slope(sizes, 3 + 2 * sizes)]
    [2.0, 2.0, 2.0]
    """
    if len(sizes) > MOST_PAIRED:
        drawn = np.random.default_rng(SEED).permutation(len(sizes))[:MOST_PAIRED]
        sizes, times = sizes[drawn], times[drawn]
    line = stats.theilslopes(times, sizes, alpha=LEVEL)
    return line.slope, line.low_slope, line.high_slope


def servers_for(waiting: float, wait_h: float, prob: float, service_h: float) -> float:
    """Return the movers at which a share of jobs waits, some no longer than a time.

    The load is the one at which `prob` of the jobs wait `wait_h` at most; the number
    of movers then decides how many of them wait at all, the share `waiting`. It need
    not be whole; NaN if none between a half and a million will do.

    >>> servers = servers_for(0.8, 8, 0.95, 1)
    >>> busy = utilisation_for_wait_frac(8, 0.95, servers, 1)
    >>> print(f"{erlang_c_prob(servers, busy * servers):.3f}")
    0.800
    """

    def too_many(log_servers: float) -> float:
        servers = math.exp(log_servers)
        busy = utilisation_for_wait_frac(wait_h, prob, servers, service_h)
        return erlang_c_prob(servers, busy * servers) - waiting

    low, high = math.log(0.5), math.log(1e6)
    if not too_many(low) < 0 < too_many(high):
        return math.nan
    return math.exp(optimize.brentq(too_many, low, high, xtol=1e-10))


def service_for(waiting: float, wait_h: float, prob: float, servers: float) -> float:
    """Return the service time at which so many jobs wait, some no longer than a time.

    The arguments are those of `servers_for`; more than ``1 - prob`` have to wait.

    >>> print(f"{service_for(0.8, 8, 0.95, 10):.3f}")
    1.667
    """
    idle = optimize.brentq(
        lambda idle: erlang_c_prob(servers, (1 - idle) * servers) - waiting, 1e-12, 1.0
    )
    return servers * idle * wait_h / math.log(waiting / (1 - prob))


def _scv(sample: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.var(sample, axis=axis, ddof=1) / np.mean(sample, axis=axis) ** 2


def bootstrapped(name: str, sample: np.ndarray, statistic, method: str) -> Fit:
    """Return a statistic and its interval; no bounds where resamples have none."""
    scale = float(np.max(sample)) or 1.0
    parts = sample / scale
    unit = scale if statistic is np.mean else 1.0
    low = high = value = float(statistic(parts)) * unit
    if np.ptp(parts) > 1e-9:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", stats.DegenerateDataWarning)
            interval = stats.bootstrap(
                (parts,),
                statistic,
                n_resamples=RESAMPLES,
                batch=100,
                confidence_level=LEVEL,
                rng=np.random.default_rng(SEED),
            ).confidence_interval
        low = np.nan_to_num(interval.low, nan=0.0) * unit
        high = np.nan_to_num(interval.high, nan=np.inf, posinf=np.inf) * unit
    return Fit(name, value, float(low), float(high), len(sample), method)
