"""The wait for other customers' jobs, by the hour at which a job starts.

Two readings of "up to eight hours at peak" are to be had (`peak_reading`). As an
overload, a day has some peak hours whose load makes the last of their jobs wait the
documented time, and is calm otherwise. As a quantile, the pool is in balance all day.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel import formulas
from vmbmodel.formulas.laws import DayLaw, day_law
from vmbmodel.plan.scenario import Scenario

__all__ = [
    "HALF_HOURS",
    "OthersWait",
    "WaitByStart",
    "day_load",
    "of_others",
    "wait_by_start",
]

HALF_HOURS = 48
"""Parts of a day with a load of their own: half-hours."""


class WaitByStart(NamedTuple):
    """What a job waits for other customers', for each start."""

    wait_mean_h: np.ndarray
    wait_p95_h: np.ndarray
    within_prob: np.ndarray


@dataclass(frozen=True)
class OthersWait:
    """Law of the wait for other customers' jobs over a day."""

    law: DayLaw  #: at the start of each part of the day, or of the whole day at once
    reason: str  #: which law of the wait holds, and why

    def at(self, start_h: ArrayLike) -> DayLaw:
        """Return the law for jobs that start at given hours, of their shape."""
        slots = len(self.law.level_h)
        place = np.asarray(start_h, dtype=float) * (slots / 24)
        before = np.floor(place).astype(int)
        part = place - before
        ends = before % slots, (before + 1) % slots
        nearest = np.where(part < 0.5, *ends)

        def between(name: str, values: np.ndarray) -> np.ndarray:
            if name in ("overload", "clears"):
                return values[nearest]
            with np.errstate(invalid="ignore"):  # no overload at one end
                mixed = (1 - part) * values[ends[0]] + part * values[ends[1]]
            return np.where(np.isfinite(mixed), mixed, values[nearest])

        law = {name: between(name, v) for name, v in self.law._asdict().items()}
        return DayLaw(**law)

    def for_the_next(self, decay_per_h: float) -> "OthersWait":
        """Return the wait of who comes at any hour, but goes before all who wait."""
        busy = np.mean(1 - np.where(self.law.clears, self.law.within_prob(0), 0))
        return OthersWait(_same_all_day(busy, decay_per_h), self.reason)

    def within_prob(self, wait_h: ArrayLike) -> np.ndarray:
        """Probability that a job at any hour of the day waits no longer than this."""
        return self.law.within_prob(np.asarray(wait_h)[..., np.newaxis]).mean(axis=-1)

    def quantile_h(self, prob: ArrayLike) -> np.ndarray:
        """Wait that this share of the jobs at all hours of the day does not exceed."""
        late = self.law.quantile_h(np.asarray(prob)[..., np.newaxis])
        low, high = late.min(axis=-1), late.max(axis=-1)
        for _ in range(60):
            if (low == high).all():
                break
            middle = np.where(np.isinf(high), high, (low + high) / 2)
            enough = self.within_prob(middle) >= prob
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return np.where(self.within_prob(0) >= prob, 0.0, high)


def of_others(scenario: Scenario) -> OthersWait:
    """Derive the wait for other customers' jobs from a scenario.

    A `utilisation_frac` that is set holds all day, whatever the reading.

    Examples
    --------
    >>> others = of_others(Scenario.of())
    >>> print(others.at([20, 23, 4, 12]).mean_h().round(1))
    [0.  0.9 7.6 2.1]
    >>> print(others.reason)
    Overload makes the line in 30 of 48 half-hours, chance in the others.
    """
    servers, service_h = scenario["servers"], scenario["service_h"]
    busy = scenario["utilisation_frac"]
    if busy is None and scenario["peak_reading"] == "overload":
        return _of_a_day(tuple(day_load(scenario)), servers, service_h)
    if busy is None:
        busy = formulas.utilisation_for_wait_frac(
            scenario["peak_wait_h"], scenario["peak_wait_prob"], servers, service_h
        )
    decay_per_h = formulas.wait_decay_per_h(
        servers, busy * servers / service_h, service_h
    )
    waiting = formulas.erlang_c_prob(servers, busy * servers)
    reason = "The load is the same all day: a queue in balance, exactly."
    return OthersWait(_same_all_day(waiting, decay_per_h), reason)


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
    """Return how long a job waits for other customers', for any hour of its start.

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
    >>> print(wait.wait_p95_h.round(1), wait.within_prob.round(2))
    [ 0.   1.9 10.3] [1.  1.  0.6]
    """
    law = of_others(scenario).at(start_h)
    patience_h = scenario["peak_wait_h"] if wait_h is None else np.asarray(wait_h)
    return WaitByStart(law.mean_h(), law.quantile_h(0.95), law.within_prob(patience_h))


@lru_cache(maxsize=64)
def _of_a_day(load: tuple[float, ...], servers: float, service_h: float) -> OthersWait:
    numbers = (np.array(number, dtype=float) for number in (0.0, servers, service_h))
    with np.errstate(all="ignore"):
        law = day_law(np.array(load), *numbers)
    law = DayLaw(*(np.broadcast_to(entry, HALF_HOURS) for entry in law))
    reason = (
        f"Overload makes the line in {law.overload.sum()} of {HALF_HOURS} half-hours, "
        "chance in the others."
    )
    if not law.clears.all():
        reason = "A day brings more work than the data movers can do in it."
    return OthersWait(law, reason)


def _same_all_day(wait_prob: float, decay_per_h: float) -> DayLaw:
    law = DayLaw(-np.inf, 1.0, wait_prob, decay_per_h, False, decay_per_h > 0)
    return DayLaw(*(np.atleast_1d(entry) for entry in law))
