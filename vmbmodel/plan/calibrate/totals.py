r"""The law of whole jobs, fitted at once to all that a log of totals tells.

.. math:: T = M + W, \qquad E[M] = f + k x, \qquad
    \operatorname{Var}[M] = (s f)^2 + (q k x)^2

with the time :math:`M` of snapshot and transfer, lognormal, the size :math:`x` moved,
and the wait :math:`W`: nothing, or with probability :math:`C` exponential of mean
:math:`m`. It is the law by which an estimate reads a profile. Parameters are fitted
together, since totals tell none of them by itself.

Jobs of a night share their luck, so that intervals come from whole nights. And nobody
knows that waits are exponential: an interval reaches over what the log would say if the
shape of waits were free, too, or if they were lognormal, which are hardly ever short,
and over the same if everybody waited, each unless it makes the log far less likely.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vmbmodel.plan.calibrate.fits import FEWEST_NIGHTS, reach
from vmbmodel.plan.calibrate.likelihood import CONSTANTS, Fitted, Log

__all__ = ["GRIDS_MIN", "Joint", "fit_joint", "polling_grid_min"]

GRIDS_MIN = (30, 15, 10, 5)
"""Minutes between two looks at a job that reported ends are searched for."""
_SURE = 10.0  # of a grid: by chance, 1 on average, and above 3 in one of 20 logs
_SHARP = 0.3  # of 1 where all ends are on it; a smooth law of many jobs has less
_FINEST_MIN = 1 / 60
_UNLIKELY = 5.0  # logarithm of a ratio of likelihoods
_SHAPES = (
    {"wait_scale_h": 0.0, "wait_shape": 0.0, "wait_tail_frac": -1.5},
    {"wait_p50_h": -0.3, "wait_log_sd": -0.2},
)
"""Waits of other shapes, to begin with; times as logarithms over the mean."""


@dataclass(frozen=True)
class Joint:
    """Parameters of the law of whole jobs, and how sure they are."""

    fitted: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    without: Mapping[str, np.ndarray]
    """What was fitted without each night in turn, on the scale of the fit."""


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
    slope = h_per_gib
    if slope is None:
        slope = max(np.polyfit(sizes, hours, 1)[0], 1e-4)
    rest = hours - sizes * slope
    fixed = max(np.quantile(rest, 0.1), 0.02)
    waited = max((rest - fixed).mean(), 0.05)
    held = {"wait_prob": 0.0, "wait_mean_h": 1.0, "size_sd": 0.0}
    held |= {"h_per_gib": h_per_gib or 0.0}
    start = {"fixed_h": math.log(fixed), "fixed_sd": math.log(0.2)}
    if waits:
        start |= {"wait_prob": 0.5, "wait_mean_h": math.log(waited)}
    if h_per_gib is None:
        start |= {"size_sd": math.log(0.2), "h_per_gib": math.log(max(slope, 1e-4))}
    if len(np.unique(night)) < FEWEST_NIGHTS:
        night = np.arange(len(hours))  # what jobs alone can tell, for no interval
    nights, of = np.unique(night, return_inverse=True)
    log = Log(hours, sizes, of, (grid_min or _FINEST_MIN) / 60)
    best = Fitted.of(log, _but(held, *start), start)
    fits = [best]
    if waits:
        fits += _shaped(log, best)
    ends = [fit.ends(reach(len(nights))) for fit in fits]
    low = {name: min(end[0][name] for end in ends) for name in CONSTANTS}
    high = {name: max(end[1][name] for end in ends) for name in CONSTANTS}
    return Joint(best.constants, low, high, best.without)


def _shaped(log: Log, exponential: Fitted) -> list[Fitted]:
    """Fit waits of other shapes, and keep those that are not far less likely."""
    held = {**exponential.held, "wait_prob": 1.0}
    mean_h, fits, most = exponential.point["wait_mean_h"], [], exponential.likely
    for shape in _SHAPES:
        free = {n: at + mean_h * n.endswith("_h") for n, at in shape.items()}
        start = _but(exponential.point, "wait_mean_h") | free
        some = Fitted.of(log, exponential.held, start)
        most = max(most, some.likely)
        if some.likely > most - _UNLIKELY:
            fits += [some, Fitted.of(log, held, _but(some.point, "wait_prob"))]
    return [fit for fit in fits if fit.likely > most - _UNLIKELY]


def _but(of: Mapping[str, float], *names: str) -> dict[str, float]:
    return {name: value for name, value in of.items() if name not in names}
