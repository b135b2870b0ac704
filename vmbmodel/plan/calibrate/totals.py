r"""The law of whole jobs, fitted at once to all that a log of totals tells.

.. math:: T = M + W, \qquad E[M] = f + k x, \qquad
    \operatorname{Var}[M] = (s f)^2 + (q k x)^2

with the time :math:`M` of snapshot and transfer, lognormal, the size :math:`x` moved,
and the wait :math:`W`: nothing, or with probability :math:`C` exponential of mean
:math:`m`. It is the law by which an estimate reads a profile. Parameters are fitted
together, on a scale without ends, since totals tell none of them by itself; jobs of a
night share their luck, so that intervals come from whole nights.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy.special import expit, ndtr

from vmbmodel.plan.calibrate.fits import FEWEST_NIGHTS, reach

__all__ = ["GRIDS_MIN", "Joint", "fit_joint", "polling_grid_min"]

GRIDS_MIN = (30, 15, 10, 5)
"""Minutes between two looks at a job that reported ends are searched for."""
_SURE = 10.0  # of a grid: by chance, 1 on average, and above 3 in one of 20 logs
_SHARP = 0.3  # of 1 where all ends are on it; a smooth law of many jobs has less
_FINEST_MIN = 1 / 60

_NAMES = ("fixed_h", "fixed_sd", "size_sd", "wait_prob", "wait_mean_h", "h_per_gib")
_PRIORS = {
    "fixed_sd": (math.log(0.2), 1.0),
    "size_sd": (math.log(0.2), 1.0),
    "wait_prob": (0.0, 2.0),
}
"""Middle and standard deviation of what totals hardly tell, on the scale of the fit:
the logarithm, and for a share that of its odds."""
_STEP = 1e-4
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(24)


@dataclass(frozen=True)
class Joint:
    """Parameters of the law of whole jobs, and how sure they are."""

    fitted: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]

    def within_prob(self, hours: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Return the chance of jobs to be over within a time of each."""
        return _within(hours, sizes, self.fitted)


def polling_grid_min(job_h: np.ndarray) -> float | None:
    """Return the minutes of the widest grid on which jobs end, if they do.

    >>> rng = np.random.default_rng(1)
    >>> hours = rng.exponential(2, 60)
    >>> polling_grid_min(np.ceil(hours * 2) / 2), polling_grid_min(hours)
    (30, None)
    """
    minutes = 60 * np.asarray(job_h)
    for grid in GRIDS_MIN:
        turn = np.exp(2j * np.pi * minutes / grid)
        sharp = abs(turn.mean()) ** 2
        if sharp > _SHARP and len(minutes) * sharp > _SURE:
            return grid
    return None


@np.errstate(all="ignore")  # logs that no service wrote
def fit_joint(
    hours: np.ndarray,
    sizes: np.ndarray,
    night: np.ndarray,
    *,
    grid_min: float | None = None,
    h_per_gib: float | None = None,
    waits: bool = True,
) -> Joint:
    """Fit the law to the times of jobs and what they move.

    Parameters
    ----------
    hours, sizes, night : ndarray
        Length of each job, GiB it moved, and the number of its night.
    grid_min : float, optional
        Minutes of the grid on which ends are reported.
    h_per_gib : float, optional
        Time a GiB takes, where that is not to be fitted.
    waits : bool
        Whether there is a wait in the times.
    """
    grid_h = (grid_min or _FINEST_MIN) / 60
    free = ["fixed_h", "fixed_sd"]
    if waits:
        free += ["wait_prob", "wait_mean_h"]
    if h_per_gib is None:
        free += ["size_sd", "h_per_gib"]
    held = {"wait_prob": 0.0, "wait_mean_h": 1.0, "size_sd": 0.0}
    held |= {"h_per_gib": h_per_gib or 0.0}

    def values(point: np.ndarray) -> dict[str, float]:
        own = {
            name: float(expit(at) if name == "wait_prob" else np.exp(at))
            for name, at in zip(free, point, strict=True)
        }
        return held | own

    def scores(point: np.ndarray) -> np.ndarray:
        law = values(point)
        ends = _within(np.array([hours, np.maximum(hours - grid_h, 0)]), sizes, law)
        return np.log(np.maximum(ends[0] - ends[1], 1e-300))

    middle, spread = np.zeros(len(free)), np.full(len(free), np.inf)
    for at, name in enumerate(free):
        middle[at], spread[at] = _PRIORS.get(name, (0.0, np.inf))

    def loss(point: np.ndarray) -> float:
        weak = (((point - middle) / spread) ** 2).sum() / 2
        return float(weak - scores(point).sum())

    def by_job(point: np.ndarray) -> np.ndarray:
        steps = np.eye(len(free)) * _STEP
        ends = ((scores(point + step), scores(point - step)) for step in steps)
        return np.array([(up - down) / (2 * _STEP) for up, down in ends])

    def gradient(point: np.ndarray) -> np.ndarray:
        return (point - middle) / spread**2 - by_job(point).sum(axis=1)

    slope = h_per_gib
    if slope is None:
        slope = max(np.polyfit(sizes, hours, 1)[0], 1e-4)
    rest = hours - sizes * slope
    fixed = max(np.quantile(rest, 0.1), 0.02)
    start = {
        "fixed_h": math.log(fixed),
        "fixed_sd": math.log(0.2),
        "size_sd": math.log(0.2),
        "wait_prob": 0.5,
        "wait_mean_h": math.log(max((rest - fixed).mean(), 0.05)),
        "h_per_gib": math.log(max(slope, 1e-4)),
    }
    point = optimize.minimize(
        loss,
        [start[name] for name in free],
        jac=gradient,
        method="L-BFGS-B",
        bounds=[(-12, 12)] * len(free),
    ).x
    if len(np.unique(night)) < FEWEST_NIGHTS:
        night = np.arange(len(hours))  # what jobs alone can tell, for no interval
    nights, of = np.unique(night, return_inverse=True)
    by_night = np.array([np.bincount(of, row, len(nights)) for row in by_job(point)])
    wide = np.eye(len(free)) * 1e-3
    curve = np.array([gradient(point + w) - gradient(point - w) for w in wide]) / 2e-3
    curve = (curve + curve.T) / 2
    inverse = np.linalg.pinv(curve, hermitian=True)
    more = len(nights) / max(len(nights) - 1, 1)
    error = np.sqrt(np.diag(inverse @ (by_night @ by_night.T) @ inverse) * more)
    off = reach(len(nights)) * error
    return Joint(values(point), values(point - off), values(point + off))


def _within(
    hours: np.ndarray, sizes: np.ndarray, law: Mapping[str, float]
) -> np.ndarray:
    """Return what `done_within_prob` does, with as many nodes as a fit needs."""
    moved = law["h_per_gib"] * sizes
    mean = law["fixed_h"] + moved
    variance = (law["fixed_sd"] * law["fixed_h"]) ** 2 + (law["size_sd"] * moved) ** 2
    spread = np.sqrt(np.log1p(np.maximum(variance / mean**2, 1e-10)))
    top = np.log(np.maximum(hours, 1e-300) / mean) / spread + spread / 2
    low, high = -7.0, np.clip(top, -7.0, 7.0)
    nodes = low + (high - low)[..., np.newaxis] * (1 + _POINTS) / 2
    wide = spread[..., np.newaxis]
    work = mean[..., np.newaxis] * np.exp(wide * (nodes - wide / 2))
    left = np.maximum(hours[..., np.newaxis] - work, 0)
    bell = np.exp(-0.5 * nodes**2 - left / law["wait_mean_h"]) @ _WEIGHTS
    waiting = law["wait_prob"] * bell * (high - low) / 2 / math.sqrt(2 * math.pi)
    return np.where(hours > 0, ndtr(top) - waiting, 0.0)
