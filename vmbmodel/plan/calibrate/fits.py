"""What a sample says of a constant: an estimate, its interval, and how it was had."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = ["FEWEST_NIGHTS", "LEVEL", "Fit", "by_night", "quantile", "reach", "slope"]

LEVEL = 0.9
"""Chance of an interval to hold the true value."""
FEWEST_NIGHTS = 8
"""Nights below which no interval is given: their spread would be a guess."""
MOST_PAIRED = 2000
"""Jobs between which slopes are taken; of more, so many are drawn."""

_SEED = 20181211


@dataclass(frozen=True)
class Fit:
    """A constant as a job log tells it.

    The interval from `low` to `high` holds the true value in 90 of 100 logs. It is NaN
    where there are too few nights for one, and ``inf`` where it has no end.
    """

    name: str  #: a row of the field table
    value: float
    low: float
    high: float
    count: int  #: jobs it comes from
    method: str
    without: tuple[float, ...] = ()
    """The value without each night in turn, on the scale of its interval."""
    assumed: str = ""  #: why, where the log does not tell it: its ends then bound it


@np.errstate(all="ignore")  # logs that no service wrote
def by_night(
    name: str,
    night: np.ndarray,
    statistic: Callable[[np.ndarray], float],
    method: str,
    *,
    share: bool = False,
) -> Fit:
    """Return a statistic and its interval, left out one night after the other.

    `statistic` takes which jobs count; its spread is taken on a logarithmic scale, or
    for a share on that of its odds. All jobs of a night share their luck: the night,
    not the job, is what is sampled. Where all nights say nothing or all, the share is
    one at which so many of them happen in 5 of 100 logs, or beyond it.
    """
    value = float(statistic(np.ones(len(night), dtype=bool)))
    nights = np.unique(night)
    bent, back = (_odds, _share) if share else (np.log, np.exp)
    if len(nights) < FEWEST_NIGHTS:
        return Fit(name, value, math.nan, math.nan, len(night), method)
    if share and value in (0, 1):
        most = ((1 - LEVEL) / 2) ** (1 / len(nights))
        ends = (0.0, 1 - most) if value == 0 else (most, 1.0)
        return Fit(name, value, *ends, len(night), method)
    if not value > 0:
        return Fit(name, value, value, value, len(night), method)
    without = bent(np.array([statistic(night != one) for one in nights]))
    count = len(nights)
    spread = math.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum())
    off = reach(count) * spread
    low, high = back(bent(value) - off), back(bent(value) + off)
    ends = float(low), float(high)
    return Fit(name, value, *ends, len(night), method, tuple(without.tolist()))


def reach(nights: int) -> float:
    """Return how many standard errors an interval reaches to either side.

    >>> round(reach(28), 3)
    1.703
    """
    return float(stats.t.ppf((1 + LEVEL) / 2, max(nights - 1, 1)))


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


def slope(sizes: np.ndarray, times: np.ndarray) -> tuple[float, float, float]:
    """Return by how much a time grows with a size: Theil and Sen, and an interval.

    The median of the slopes between all pairs, whatever is added to the times, as
    long as it does not depend on the sizes.

    >>> sizes = np.arange(10.0)
    >>> [round(float(x), 9) for x in slope(sizes, 3 + 2 * sizes)]
    [2.0, 2.0, 2.0]
    """
    if len(sizes) > MOST_PAIRED:
        drawn = np.random.default_rng(_SEED).permutation(len(sizes))[:MOST_PAIRED]
        sizes, times = sizes[drawn], times[drawn]
    line = stats.theilslopes(times, sizes, alpha=LEVEL)
    return line.slope, line.low_slope, line.high_slope


def _odds(share):
    share = np.clip(share, 1e-12, 1 - 1e-12)
    return np.log(share) - np.log1p(-share)


def _share(odds):
    return 1 / (1 + np.exp(-odds))
