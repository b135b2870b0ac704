"""The wait for other customers' jobs, by the hour at which a job meets them.

Where "up to eight hours" enters is a reading (`eight_hours`): nowhere, for the wait is
exponential as published or measured; as an overload of some peak hours, whose last jobs
wait so long; as a quantile of a pool in balance all day; or as the line of your own
VMs, with no wait for others.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel import formulas
from vmbmodel.formulas.laws import pool_day, pool_days
from vmbmodel.plan.scenario import Scenario

__all__ = [
    "AT_ONCE_H",
    "HALF_HOURS",
    "OthersWait",
    "SteadyWait",
    "WaitByStart",
    "at_starts",
    "day_load",
    "of_others",
    "of_rows",
    "one_pool",
    "wait_by_start",
]

HALF_HOURS = 48
"""Parts of a day with a load of their own: half-hours."""

AT_ONCE_H = 1 / 6
"""Time over which jobs of one start come into a pool that they share with others."""


class OthersWait(Protocol):
    """Law of the wait of a job that meets the others at an hour of the day."""

    shape: tuple[int, ...]
    """Shape of the rows that have a law of their own; none if all have one."""

    def each(self, change: Callable[[np.ndarray], np.ndarray]) -> "OthersWait":
        """Return the law of other rows, as they are changed."""

    def within_prob(self, met_h: ArrayLike, wait_h: ArrayLike) -> np.ndarray:
        """Probability that the wait is no longer than this, which is not negative."""

    def mean_h(self, met_h: ArrayLike) -> np.ndarray:
        """Mean of the wait."""

    def quantile_h(self, met_h: ArrayLike, prob: ArrayLike) -> np.ndarray:
        """Wait that this share of the jobs does not exceed."""


@dataclass(frozen=True)
class SteadyWait:
    """A wait of the same law at all hours: nothing, or else exponential.

    Its figures may be arrays of as many dimensions as what is asked for. That of jobs
    which start in some half-hour may be longer or shorter: see `at_starts`.
    """

    wait_prob: ArrayLike  #: probability of waiting at all
    wait_mean_h: ArrayLike  #: mean wait of those who wait; inf if the line never clears
    by_start: tuple[float, ...] = field(default=(), repr=False)
    """By how much the mean is multiplied for a start in each half-hour, if it is."""

    def within_prob(self, met_h: ArrayLike, wait_h: ArrayLike) -> np.ndarray:
        """Probability that the wait is no longer than this, which is not negative."""
        late = np.exp(-np.asarray(wait_h) * self.decay_per_h)
        shape = _shape(met_h, wait_h, self.wait_mean_h)
        return 1 - self.wait_prob * np.broadcast_to(late, shape)

    def mean_h(self, met_h: ArrayLike) -> np.ndarray:
        """Mean of the wait."""
        waits = np.asarray(self.wait_prob) > 0
        mean_h = self.wait_prob * np.where(waits, self.wait_mean_h, 0.0)
        return np.broadcast_to(mean_h, _shape(met_h, mean_h)).copy()

    def quantile_h(self, met_h: ArrayLike, prob: ArrayLike) -> np.ndarray:
        """Wait that this share of the jobs does not exceed."""
        wait_h = formulas.total_quantile_h(prob, 0, self.wait_prob, self.decay_per_h)
        return np.broadcast_to(wait_h, _shape(met_h, wait_h))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the law: of its figures, if they are arrays."""
        return _shape(self.wait_prob, self.wait_mean_h)

    def each(self, change: Callable[[np.ndarray], np.ndarray]) -> "SteadyWait":
        """Return the law with its figures changed where they are arrays."""
        figures = self.wait_prob, self.wait_mean_h
        changed = (change(f) if np.ndim(f) else f for f in figures)
        return SteadyWait(*changed, self.by_start)

    @property
    def decay_per_h(self) -> ArrayLike:
        """Rate of the exponential wait; any, where nobody waits."""
        if not np.ndim(self.wait_prob) and not np.ndim(self.wait_mean_h):
            return 1 / self.wait_mean_h if self.wait_prob else 1.0
        waits = np.asarray(self.wait_prob) > 0
        return 1 / np.where(waits, self.wait_mean_h, 1.0)


def of_rows(others: OthersWait, rows: np.ndarray | slice) -> OthersWait:
    """Return the law of some rows, each of which has a column of times."""
    return others.each(lambda figure: figure[rows, np.newaxis])


def at_starts(others: OthersWait, start_h: ArrayLike) -> OthersWait:
    """Return the law of jobs that are scheduled for an hour each.

    It is the same, but for a profile that a log has given waits by their start.
    An hour that is not known has the wait of all.

    Examples
    --------
    >>> at_starts(SteadyWait(1.0, 2.0, (1.0,) * 44 + (1.5,) * 4), [4, 22.25])
    SteadyWait(wait_prob=1.0, wait_mean_h=array([2., 3.]))
    """
    if not isinstance(others, SteadyWait) or not others.by_start:
        return others
    start_h = np.asarray(start_h, dtype=float)
    known = np.isfinite(start_h)
    slot = (np.where(known, start_h, 0) * HALF_HOURS / 24).astype(int) % HALF_HOURS
    times = np.where(known, np.array(others.by_start)[slot], 1.0)
    return SteadyWait(others.wait_prob, others.wait_mean_h * times)


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
        law = SteadyWait(share if np.any(mean_h) else 0.0, mean_h)
        return replace(law, by_start=_by_start(scenario))
    servers, service_h = scenario["servers"], scenario["service_h"]
    if busy is None and reading == "overload":
        return _of_a_day(day_load(scenario), servers, service_h)
    busy = _steady_load(scenario)
    decay_per_h = formulas.wait_decay_per_h(
        servers, busy * servers / service_h, service_h
    )
    waiting = formulas.erlang_c_prob(servers, busy * servers)
    with np.errstate(divide="ignore"):
        return SteadyWait(waiting, np.divide(1.0, decay_per_h))


def one_pool(
    scenario: Scenario,
    crowds: Iterable[tuple[np.ndarray, np.ndarray]],
    spread_h: float,
) -> OthersWait:
    """Derive the wait of jobs that stand in the pool of all, with their own work in it.

    They come in one crowd or in several, each with the hours at which its jobs join and
    their transfers. A job joins at some time of `spread_h` from its hour on. A rough
    law: the work of a day's own jobs flows in evenly over that time.

    Raises
    ------
    ValueError
        If the reading of the eight hours has no pool.
    """
    reading = scenario["eight_hours"]
    if scenario["utilisation_frac"] is None and reading not in ("overload", "quantile"):
        raise ValueError(
            "line_reading=one-pool needs a pool: eight_hours=overload or quantile, or "
            f"a utilisation_frac; got eight_hours={reading}"
        )
    slots = round(24 / AT_ONCE_H)
    if scenario["utilisation_frac"] is None and reading == "overload":
        load = np.repeat(day_load(scenario), slots // HALF_HOURS, axis=-1)
    else:
        load = np.zeros(slots) + _steady_load(scenario)
    edge = np.arange(slots + 1) * AT_ONCE_H
    for join_h, transfer_h in crowds:
        jobs = np.broadcast_arrays(join_h % 24, transfer_h)
        for joins_h, work_h in zip(*(np.moveaxis(j, -1, 0) for j in jobs), strict=True):
            since_h = edge - joins_h[..., np.newaxis]
            day = (np.clip((since_h + h) / spread_h, 0, 1) for h in (0, 24))
            come = np.diff(sum(day)) * work_h[..., np.newaxis]
            load = load + come / scenario["servers"] / AT_ONCE_H
    return _of_a_day(load, scenario["servers"], scenario["service_h"])


def _by_start(scenario: Scenario) -> tuple[float, ...]:
    """Return by how much the wait is multiplied in each half-hour; nothing if alike."""
    times = scenario.profile.wait_by_start
    if scenario["eight_hours"] != "measured" or not times:
        return ()
    clocks = (f"{slot // 2:02}:{slot % 2 * 30:02}" for slot in range(HALF_HOURS))
    return tuple(times.get(clock, 1.0) for clock in clocks)


def _steady_load(scenario: Scenario) -> ArrayLike:
    busy = scenario["utilisation_frac"]
    if busy is not None:
        return busy
    wait_h, prob = scenario["peak_wait_h"], scenario["peak_wait_prob"]
    servers, service_h = scenario["servers"], scenario["service_h"]
    return formulas.utilisation_for_wait_frac(wait_h, prob, servers, service_h)


def day_load(scenario: Scenario) -> np.ndarray:
    """Return the load of other customers in each half-hour, as a share of capacity.

    Examples
    --------
    >>> print(day_load(Scenario.of())[[43, 44, 47, 0, 7, 8]].round(2))
    [0.3  2.33 2.33 2.33 2.33 0.3 ]
    """
    begin, length = scenario["peak_start_h"], np.minimum(scenario["peak_h"], 24)
    edge = np.arange(HALF_HOURS + 1) * 24 / HALF_HOURS
    since_h = edge - begin
    peak = sum(np.clip(since_h + h, 0, length) for h in (0, 24))  # and of yesterday's
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
    law = at_starts(of_others(scenario), start_h)
    patience_h = scenario["peak_wait_h"] if wait_h is None else wait_h
    return WaitByStart(
        law.mean_h(start_h),
        law.quantile_h(start_h, 0.95),
        law.within_prob(start_h, patience_h),
    )


def _of_a_day(load: np.ndarray, servers: ArrayLike, service_h: ArrayLike) -> OthersWait:
    """Return the law of a day, or of each draw of it."""
    if load.ndim == 1 and not np.ndim(servers) and not np.ndim(service_h):
        return _solved(tuple(load), servers, service_h)
    shape = _shape(load[..., :1], servers, service_h)
    load = np.broadcast_to(load, (*shape[:-1], load.shape[-1]))
    pools = (np.broadcast_to(part, shape)[..., 0] for part in (servers, service_h))
    return pool_days(load, *map(np.asarray, pools))


@lru_cache(maxsize=64)
def _solved(load: tuple[float, ...], servers: float, service_h: float) -> OthersWait:
    return pool_day(np.array(load), servers, service_h)


def _shape(*parts: ArrayLike) -> tuple[int, ...]:
    return np.broadcast_shapes(*(np.shape(part) for part in parts))
