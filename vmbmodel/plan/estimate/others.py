"""The wait for other customers' jobs, by the hour at which a job meets them.

Where "up to eight hours" enters is a reading (`eight_hours`): nowhere, for the wait is
exponential as published or measured; as an overload of some peak hours, whose last jobs
wait so long; as a quantile of a pool in balance all day; or as the line of your own
VMs, with no wait for others.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel import formulas
from vmbmodel.plan.scenario import Scenario

__all__ = [
    "HALF_HOURS",
    "OthersWait",
    "SteadyWait",
    "WaitByStart",
    "day_load",
    "of_others",
    "wait_by_start",
]

HALF_HOURS = 48
"""Parts of a day with a load of their own: half-hours."""


class OthersWait(Protocol):
    """Law of the wait of a job that meets the others at an hour of the day."""

    def within_prob(self, met_h: ArrayLike, wait_h: ArrayLike) -> np.ndarray:
        """Probability that the wait is no longer than this, which is not negative."""

    def mean_h(self, met_h: ArrayLike) -> np.ndarray:
        """Mean of the wait."""

    def quantile_h(self, met_h: ArrayLike, prob: ArrayLike) -> np.ndarray:
        """Wait that this share of the jobs does not exceed."""


@dataclass(frozen=True)
class SteadyWait:
    """A wait of the same law at all hours: nothing, or else exponential."""

    wait_prob: float  #: probability of waiting at all
    wait_mean_h: float  #: mean wait of those who wait; inf if the line never clears

    def within_prob(self, met_h: ArrayLike, wait_h: ArrayLike) -> np.ndarray:
        """Probability that the wait is no longer than this, which is not negative."""
        late = np.exp(-np.asarray(wait_h) * self.decay_per_h)
        return 1 - self.wait_prob * np.broadcast_to(late, _shape(met_h, wait_h))

    def mean_h(self, met_h: ArrayLike) -> np.ndarray:
        """Mean of the wait."""
        mean_h = self.wait_prob * self.wait_mean_h if self.wait_prob else 0.0
        return np.full(np.shape(met_h), mean_h)

    def quantile_h(self, met_h: ArrayLike, prob: ArrayLike) -> np.ndarray:
        """Wait that this share of the jobs does not exceed."""
        wait_h = formulas.total_quantile_h(prob, 0, self.wait_prob, self.decay_per_h)
        return np.broadcast_to(wait_h, _shape(met_h, prob))

    @property
    def decay_per_h(self) -> float:
        """Rate of the exponential wait; any, where nobody waits."""
        return 1 / self.wait_mean_h if self.wait_prob else 1.0


class WaitByStart(NamedTuple):
    """What a job waits for other customers', for each hour at which it meets them."""

    wait_mean_h: np.ndarray
    wait_p95_h: np.ndarray
    within_prob: np.ndarray


def of_others(scenario: Scenario) -> OthersWait:
    """Derive the wait for other customers' jobs from a scenario.

    A `utilisation_frac` that is set holds all day, whatever the reading.

    Examples
    --------
    >>> of_others(Scenario.of())
    SteadyWait(wait_prob=1.0, wait_mean_h=2.4)
    >>> others = of_others(Scenario.of(settings={"eight_hours": "overload"}))
    >>> print(others.mean_h([20, 23, 4, 12]).round(1))
    [0.  0.9 7.6 2.1]
    """
    busy, reading = scenario["utilisation_frac"], scenario["eight_hours"]
    if busy is None and reading == "own":
        return SteadyWait(0.0, 0.0)
    if busy is None and reading in ("published", "measured"):
        share, mean_h = scenario["others_wait_prob"], scenario["others_wait_mean_h"]
        return SteadyWait(share if mean_h else 0.0, mean_h)
    servers, service_h = scenario["servers"], scenario["service_h"]
    if busy is None and reading == "overload":
        return _of_a_day(tuple(day_load(scenario)), servers, service_h)
    if busy is None:
        busy = formulas.utilisation_for_wait_frac(
            scenario["peak_wait_h"], scenario["peak_wait_prob"], servers, service_h
        )
    decay_per_h = formulas.wait_decay_per_h(
        servers, busy * servers / service_h, service_h
    )
    waiting = formulas.erlang_c_prob(servers, busy * servers)
    return SteadyWait(waiting, 1 / decay_per_h if decay_per_h else np.inf)


def day_load(scenario: Scenario) -> np.ndarray:
    """Return the load of other customers in each half-hour, as a share of capacity.

    Examples
    --------
    >>> print(day_load(Scenario.of())[[43, 44, 47, 0, 7, 8]].round(2))
    [0.3  2.33 2.33 2.33 2.33 0.3 ]
    """
    begin, length = scenario["peak_start_h"], min(scenario["peak_h"], 24)
    edge = np.arange(HALF_HOURS + 1) * 24 / HALF_HOURS
    since_h = edge - begin + np.array([[0], [24]])  # of today, and of yesterday
    peak = np.clip(since_h, 0, length).sum(axis=0)
    share = np.diff(peak) * HALF_HOURS / 24
    top = formulas.peak_utilisation_frac(scenario["peak_wait_h"], scenario["peak_h"])
    calm = scenario["offpeak_utilisation_frac"]
    return calm + (top - calm) * share


def wait_by_start(
    scenario: Scenario, start_h: ArrayLike, wait_h: ArrayLike | None = None
) -> WaitByStart:
    """Return how long a job waits for other customers', for any hour it meets them.

    Parameters
    ----------
    scenario : Scenario
        Constants and readings.
    start_h : array_like of float
        Hours of the day, in [0, 24).
    wait_h : array_like of float, optional
        Wait whose probability is asked for; `peak_wait_h` if not given.

    Returns
    -------
    WaitByStart
        Mean, 95 % quantile and the probability to wait no longer than `wait_h`,
        each of the broadcast shape of the arguments.

    Examples
    --------
    >>> wait = wait_by_start(Scenario.of(), [20, 23, 4], wait_h=8)
    >>> print(wait.wait_p95_h.round(1), wait.within_prob.round(3))
    [7.2 7.2 7.2] [0.964 0.964 0.964]
    """
    law = of_others(scenario)
    patience_h = scenario["peak_wait_h"] if wait_h is None else wait_h
    return WaitByStart(
        law.mean_h(start_h),
        law.quantile_h(start_h, 0.95),
        law.within_prob(start_h, patience_h),
    )


@lru_cache(maxsize=64)
def _of_a_day(load: tuple[float, ...], servers: float, service_h: float) -> OthersWait:
    from vmbmodel.formulas.laws import pool_day

    return pool_day(np.array(load), servers, service_h)


def _shape(*parts: ArrayLike) -> tuple[int, ...]:
    return np.broadcast_shapes(*(np.shape(part) for part in parts))
