"""Laws of the wait over a day: exact for pools of few movers, by a rule for others.

A law at the starts of the slots answers `mean_h`, `within_prob` and `quantile_h` with a
number a slot; a law of the whole day with one for each hour that is asked for.
"""

from copy import copy
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from vmbmodel.formulas._kernels.day import clears, crowd, day_of, fluid_h, in_balance
from vmbmodel.formulas._kernels.many_days import jobs_through_days
from vmbmodel.formulas._kernels.pool_day import (
    MOST_SERVERS,
    jobs_at_starts,
    jobs_later,
    late_prob,
)
from vmbmodel.formulas._kernels.roots import root

__all__ = ["of_days", "pool_day", "pool_days"]

_CLOSE = 2e-4
"""Halving parts of a slot changes no probability by more, and a quarter is left."""
_MOST_PARTS, _MOST_WAITS = 128, 2000
_TOGETHER = 32
"""Waits of a piece of a table."""
_NEVER = 1e-9
"""Chance of a wait beyond the table."""
_NEVER_OF_MANY = 1e-6
_WAITS_OF_MANY = 128
_SHORT_H = 1 / 6
"""Longest time between two rows of a table of many days."""


def of_days(ask, utilisation_frac, pulse_h, servers, service_h, *more):
    """Ask the law of the wait at the start of each slot of many days.

    Utilisation and pulse have a day of slots along their last axis; the others come
    without it. `ask` takes a law, and what is given more of its day or days.
    """
    _, load, pulse = day_of(utilisation_frac, pulse_h)
    shape = np.broadcast_shapes(load.shape[:-1], *map(np.shape, (servers, service_h)))
    shape = np.broadcast_shapes(shape, *map(np.shape, more))
    load, pulse = (
        np.broadcast_to(part, (*shape, load.shape[-1])).reshape(-1, load.shape[-1])
        for part in (load, pulse)
    )
    servers, service_h, *more = (
        np.broadcast_to(part, shape).ravel() for part in (servers, service_h, *more)
    )
    result, by_rule = np.empty(load.shape), np.ones(len(load), dtype=bool)
    for day, own in enumerate(zip(load, pulse, servers, service_h, strict=True)):
        law = _exact(own[0].tobytes(), own[1].tobytes(), *own[2:])
        if law is not None:
            result[day] = ask(law, *(part[day] for part in more))
            by_rule[day] = False
    if by_rule.any():
        days = (part[by_rule] for part in (load, pulse, servers, service_h))
        more = (part[by_rule, np.newaxis] for part in more)
        result[by_rule] = ask(_by_rule(*days), *more)
    return result.reshape(*shape, load.shape[-1])


def pool_day(utilisation_frac, servers, service_h, pulse_h=0.0):
    """Return the law of the wait at any hour of one day, given by its slots.

    It answers `within_prob(met_h, wait_h)`, `mean_h(met_h)` and `quantile_h(met_h,
    prob)` for who comes at an hour, of the day or after it, whatever the shapes.
    Probabilities are within 1e-4 of the law, where that is exact.
    """
    day = (np.asarray(part, dtype=float) for part in (utilisation_frac, pulse_h))
    hours, load, pulse = day_of(*day)
    law = _exact(load.tobytes(), pulse.tobytes(), servers, service_h)
    if law is not None:
        return _TableDay(law, load, hours)
    with np.errstate(all="ignore"):
        return _RuleDay(
            _by_rule(load, pulse, np.float64(servers), np.float64(service_h))
        )


def pool_days(utilisation_frac, servers, service_h):
    """Return the laws of many days at once, each of its slots along the last axis.

    It answers as `pool_day` does, for hours of each of the days along the axis before
    the last; `each` changes which days they are. A probability is within 0.003 of that
    of `pool_day`, within 0.06 for some minutes after a peak begins.
    """
    return _TableDays(utilisation_frac, servers, service_h)


@lru_cache(maxsize=16)
def _exact(load, pulse, servers, service_h):
    """Exact law of a day of the bytes of its load and pulses, or None."""
    day = day_of(np.frombuffer(load), np.frombuffer(pulse))
    jobs = jobs_at_starts(*day, servers, service_h)
    return None if jobs is None else _ExactLaw(jobs, servers, service_h)


class _ExactLaw:
    """Wait at the start of each slot, by the number of jobs that are found."""

    def __init__(self, jobs, servers, service_h):
        self.jobs, self.servers, self.service_h = jobs, servers, service_h

    def mean_h(self):
        """Mean of the wait."""
        ahead = np.maximum(np.arange(self.jobs.shape[-1]) - self.servers + 1, 0)
        return self.jobs @ ahead * (self.service_h / self.servers)

    def within_prob(self, wait_h):
        """Probability that the wait is no longer than this."""
        slots = np.arange(len(self.jobs))
        return 1 - self._late_prob(np.broadcast_to(wait_h, len(slots)), slots)

    def quantile_h(self, prob):
        """Wait that this share of the jobs does not exceed."""
        slots = np.arange(len(self.jobs))
        low, late = np.zeros(len(slots)), np.broadcast_to(1 - prob, len(slots))
        at_all = self._late_prob(low, slots)
        return root(
            lambda wait_h, late, slot: self._late_prob(wait_h, slot.astype(int)) - late,
            low,
            4 * self.jobs.shape[-1] * self.service_h / self.servers,
            late,
            slots.astype(float),
            inside=(late > 0) & (at_all > late),
            otherwise=np.where(at_all > late, np.inf, 0),
        )

    def most_steps(self, late):
        """Least number of steps of the pool that are a longer wait with this chance.

        In whole ones, one at least: the last digits of so rare a wait are noise.
        """
        count, step_h = self.jobs.shape[-1], self.service_h / self.servers
        low, high = 0, 4 * count
        while high - low > 1:
            steps = (low + high) // 2
            wait_h = np.array([steps * step_h])
            longer = self.jobs @ late_prob(count, self.servers, self.service_h, wait_h)
            low, high = (steps, high) if longer.max() > late else (low, steps)
        return high

    def _late_prob(self, wait_h, slot):
        count = self.jobs.shape[-1]
        late = late_prob(count, self.servers, self.service_h, wait_h)
        return np.clip(np.einsum("sn,ns->s", self.jobs[slot], late), 0, 1)


class _OneDay:
    """Law of one day, whoever asks."""

    shape = ()

    def each(self, change):
        """Return the law of other rows, which is this one."""
        return self


class _Table:
    """Wait at any hour: a table of the chance to wait longer, read in between.

    Waits lie closer the shorter they are, as the spread of a line grows with the root
    of its length.
    """

    def mean_h(self, met_h):
        """Mean of the wait."""
        row, after = self._row(met_h)
        return (1 - after) * self._mean_h[row] + after * self._mean_h[row + 1]

    def within_prob(self, met_h, wait_h):
        """Probability that the wait is no longer than this."""
        row, after = self._row(met_h)
        place = np.clip(np.asarray(wait_h) / self._top_h, 0, 1) * self._waits**2
        wait = np.minimum(np.sqrt(place).astype(int), self._waits - 1)
        return 1 - self._between(
            row, after, wait, (place - wait * wait) / (2 * wait + 1)
        )

    def quantile_h(self, met_h, prob):
        """Wait that this share of the jobs does not exceed; inf beyond the table."""
        row, after = self._row(met_h)
        late = 1 - np.asarray(prob, dtype=float)
        row, after, late = np.broadcast_arrays(row, after, late)
        low, high = np.full(late.shape, -1), np.full(late.shape, self._waits)
        while (high - low > 1).any():  # later than at low, and not at high
            wait = (low + high) // 2
            longer = self._between(row, after, np.maximum(wait, 0), 0) > late
            low = np.where(longer & (wait > low), wait, low)
            high = np.where(longer, high, wait)
        shorter = np.maximum(low, 0)
        ends = [self._between(row, after, shorter, end) for end in (0, 1)]
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.clip((ends[0] - late) / (ends[0] - ends[1]), 0, 1)
        place = np.where(low < 0, 0, shorter**2 + part * (2 * shorter + 1))
        beyond = (low >= 0) & ((late < ends[1]) | (late <= 0))
        return np.where(beyond, np.inf, place * (self._top_h / self._waits**2))

    def _between(self, row, after, wait, part):
        """Chance to wait longer, between two hours and two waits of the table."""
        cell = row * (self._waits + 1) + wait
        late, below = self._late, cell + self._waits + 1
        now = late[cell] + part * (late[cell + 1] - late[cell])
        then = late[below] + part * (late[below + 1] - late[below])
        return now + after * (then - now)


class _TableDay(_Table, _OneDay):
    """A day whose hours are as close as the law changes in them.

    A slot has the row of its start alone until somebody asks for an hour within it.
    """

    def __init__(self, law, load, slot_h):
        self._law, self._load, self._slot_h = law, load, slot_h
        step_h = law.service_h / law.servers
        lines = law.most_steps(_NEVER)
        self._top_h = lines * step_h
        self._waits = int(np.clip(50 * np.sqrt(lines), 50, _MOST_WAITS))
        grid_h = self._top_h * (np.arange(self._waits + 1) / self._waits) ** 2
        count = law.jobs.shape[-1]
        self._later = _Later(count, law.servers, law.service_h, grid_h)
        starts = self._later.of(law.jobs)
        self._parts = np.zeros(len(load), dtype=int)
        self._first = np.arange(len(load))
        self._late = np.append(starts, starts[:1], axis=0).ravel()
        self._mean_h = np.append(law.mean_h(), law.mean_h()[:1])

    def _rows(self, slot):
        """Chances to wait longer, and mean, from the start of a slot to its end."""
        law, later, span_h = self._law, self._later, self._slot_h
        pool = self._load[slot], law.servers, law.service_h
        jobs = law.jobs[slot : slot + 1]
        jobs = np.concatenate([jobs, jobs_later(jobs, *pool, span_h)])
        own = later.of(jobs)
        while True:
            span_h /= 2
            between = jobs_later(jobs[:-1], *pool, span_h)
            new = later.of(between)
            bent = np.abs(new - (own[:-1] + own[1:]) / 2).max()
            jobs, own = (
                np.insert(ends, np.arange(1, len(ends)), middle, axis=0)
                for ends, middle in ((jobs, between), (own, new))
            )
            if bent < _CLOSE or len(jobs) > _MOST_PARTS:
                mean_h = _ExactLaw(jobs, law.servers, law.service_h).mean_h()
                return own, mean_h

    def _row(self, met_h):
        """Row of the table before an hour, and the part of the way to the next."""
        place = np.asarray(met_h) / self._slot_h
        slot = np.floor(place)
        within, slot = place - slot, slot.astype(int) % len(self._parts)
        asked = np.zeros(len(self._parts), dtype=bool)
        asked[slot[within > 0]] = True
        self._refine(np.flatnonzero(asked & (self._parts == 0)))
        part = within * self._parts[slot]
        before = np.minimum(part.astype(int), np.maximum(self._parts[slot] - 1, 0))
        return self._first[slot] + before, part - before

    def _refine(self, slots):
        """Add the rows of slots to the table."""
        if len(slots):
            owns, means_h = zip(*map(self._rows, slots), strict=True)
            counts = np.array([len(own) for own in owns])
            ends = len(self._mean_h) + np.cumsum(counts)
            self._first[slots], self._parts[slots] = ends - counts, counts - 1
            self._late = np.concatenate([self._late, *map(np.ravel, owns)])
            self._mean_h = np.concatenate([self._mean_h, *means_h])


class _TableDays(_Table):
    """Many days, of which each row of what is asked has one."""

    def __init__(self, load, servers, service_h):
        count, slots = load.shape
        parts = int(np.ceil(24 / slots / _SHORT_H - 1e-9))
        self._parts, self._waits = slots * parts, _WAITS_OF_MANY
        self._day = np.arange(count)[:, np.newaxis]
        self._tops_h = np.ones(count)
        # of who never gets through, unless his day is found below
        late = np.ones((count, self._parts + 1, self._waits + 1))
        mean_h = np.full(late.shape[:-1], np.inf)
        step = (np.arange(self._waits + 1) / self._waits) ** 2
        few = np.flatnonzero((servers >= 1) & (servers <= MOST_SERVERS))
        pools = load[few], servers[few], np.clip(service_h[few], 1e-6, 1e6)
        by_rule = np.ones(count, dtype=bool)
        for number, jobs in jobs_through_days(*pools, parts):
            day, own = few[number], (pools[1][number], pools[2][number])
            by_rule[day] = False
            self._tops_h[day] = top_h = _longest_h(jobs, *own)
            late[day, :-1] = _Later(jobs.shape[1], *own, top_h * step).of(jobs)
            mean_h[day, :-1] = _ExactLaw(jobs, *own).mean_h()
        met_h = np.arange(self._parts) * (24 / self._parts)
        rest = np.flatnonzero(by_rule)
        with np.errstate(all="ignore"):
            law = _by_rule(load[rest], 0 * load[rest], servers[rest], service_h[rest])
            ends = np.broadcast_to(law.clears, law.level_h.shape)
            for day, *own in zip(rest, *law._replace(clears=ends), strict=True):
                if own[-1].all():
                    own = _RuleDay(_RuleLaw(*own))
                    longest_h = own.quantile_h(met_h, 1 - _NEVER_OF_MANY).max()
                    self._tops_h[day] = top_h = max(longest_h, 1e-6)
                    within = own.within_prob(met_h[:, np.newaxis], top_h * step)
                    late[day, :-1] = 1 - within
                    mean_h[day, :-1] = own.mean_h(met_h)
        late[:, -1], mean_h[:, -1] = late[:, 0], mean_h[:, 0]
        self._late, self._mean_h = np.clip(late, 0, 1).ravel(), mean_h.ravel()

    def mean_h(self, met_h):
        """Mean of the wait; inf where a day never clears."""
        with np.errstate(invalid="ignore"):  # no part of what has no end
            return np.nan_to_num(super().mean_h(met_h), nan=np.inf, posinf=np.inf)

    @property
    def shape(self):
        """Shape of the days of the rows."""
        return self._day.shape

    @property
    def _top_h(self):
        return self._tops_h[self._day]

    def each(self, change):
        """Return the laws of other rows, whose days are changed."""
        other = copy(self)
        other._day = change(self._day)
        return other

    def _row(self, met_h):
        place = np.asarray(met_h) * (self._parts / 24)
        row = np.floor(place)
        first = self._day * (self._parts + 1)
        return first + row.astype(int) % self._parts, place - row


def _longest_h(jobs, servers, service_h):
    """Wait that is too rare to be looked at, whatever the time of a day."""
    from scipy.special import gammainccinv

    more = np.cumsum(jobs[:, ::-1], axis=1)[:, ::-1].max(axis=0)
    ahead = max((more > _NEVER_OF_MANY).sum() - servers + 1, 1)
    return gammainccinv(ahead, _NEVER_OF_MANY) * (service_h / servers)


class _Later:
    """Chance to wait longer than some waits, which do not fall, as `late_prob` has it.

    Of a wait only so many jobs ahead leave it in doubt; fewer have gone by then, and
    more have not. Waits that lie together share a piece of a table of those.
    """

    def __init__(self, jobs, servers, service_h, wait_h):
        from scipy.special import gammaincc, gammaln

        ahead = np.arange(jobs) - servers + 1
        waits = ahead > 0
        faculty = gammaln(np.where(waits, ahead, 1) + 1)
        ended = servers / service_h * wait_h
        first, last = np.flatnonzero(waits)[0], jobs - 1
        self._pieces = []
        for some in np.split(ended, range(_TOGETHER, len(ended), _TOGETHER)):
            ends = some[[0, -1]]
            low, high = ends + (9 * np.sqrt(ends) + 40) * [-1, 1]
            low = int(np.clip(np.searchsorted(ahead, low), first, last))
            high = int(np.clip(np.searchsorted(ahead, high), low + 1, jobs))
            # each number of jobs from the one before it
            before, done = ahead[low : high - 1], some[:, np.newaxis]
            late = np.empty((len(some), high - low))
            late[:, 0] = gammaincc(ahead[low], some)
            with np.errstate(divide="ignore"):
                log = np.log(done)
            late[:, 1:] = np.exp(before * log - done - faculty[low : high - 1])
            np.cumsum(late, axis=1, out=late)
            self._pieces.append((low, high, late.T))

    def of(self, jobs):
        """Return it for laws of the number of jobs, a row each; a column a wait."""
        more = np.cumsum(jobs[:, ::-1], axis=1)[:, ::-1]
        more = np.append(more, np.zeros((len(jobs), 1)), axis=1)
        return np.concatenate(
            [
                jobs[:, low:high] @ late + more[:, high, np.newaxis]
                for low, high, late in self._pieces
            ],
            axis=1,
        )


class _RuleLaw(NamedTuple):
    """Both laws of the wait at the start of each slot, and which of them holds."""

    level_h: np.ndarray
    """Mean of the normal wait; minus infinity where there was no overload."""
    spread_h: np.ndarray
    """Standard deviation of it."""
    wait_prob: np.ndarray
    """Probability of waiting in the pool in balance."""
    decay_per_h: np.ndarray
    """Rate of the exponential wait there."""
    overload: np.ndarray
    """Whether the normal one holds."""
    clears: np.ndarray
    """Whether a day brings no more work than can be done in it."""

    def mean_h(self):
        """Mean of the wait."""
        from scipy.special import ndtr

        above = np.maximum(self.level_h / self.spread_h, -40)  # beyond, nothing
        bell = np.exp(-0.5 * above * above) / np.sqrt(2 * np.pi)
        crowded = self.spread_h * np.maximum(above * ndtr(above) + bell, 0)
        by_chance = _unless_never(self.wait_prob, self.decay_per_h)
        return self._longer(crowded, by_chance, np.maximum, np.inf)

    def within_prob(self, wait_h):
        """Probability that the wait is no longer than this."""
        from scipy.special import ndtr

        crowded = ndtr((wait_h - self.level_h) / self.spread_h)
        by_chance = 1 - self.wait_prob * np.exp(-self.decay_per_h * wait_h)
        return self._longer(crowded, by_chance, np.minimum, 0)

    def quantile_h(self, prob):
        """Wait that this share of the jobs does not exceed."""
        from scipy.special import ndtri

        with np.errstate(divide="ignore", invalid="ignore"):
            # fmax: the 1-quantile of a wait that never is, is no wait
            crowded = np.fmax(self.level_h + ndtri(prob) * self.spread_h, 0)
            excess = np.fmax(np.log(self.wait_prob) - np.log1p(-prob), 0)
        by_chance = _unless_never(excess, self.decay_per_h)
        return self._longer(crowded, by_chance, np.maximum, np.inf)

    def _longer(self, crowded, by_chance, longer, never):
        """Take the first law in an overload, else whichever makes the longer wait."""
        wait = np.where(self.overload, crowded, longer(crowded, by_chance))
        return np.where(self.clears, wait, never)


def _unless_never(amount, rate):
    """Quotient, without an end where there is no rate."""
    return np.where(rate > 0, amount / np.where(rate > 0, rate, 1), np.inf)


def _by_rule(load, pulse, servers, service_h):
    """Law at the start of each slot by the rule, of days along the last axis."""
    hours, load, pulse = day_of(load, pulse)
    ends = clears(hours, load, pulse)
    load, pulse = np.where(ends, load, 0), np.where(ends, pulse, 0)
    level_h, spread_h = crowd(hours, load, pulse, servers, service_h)
    waiting, decay_per_h = in_balance(hours, load, pulse, servers, service_h)
    left_over_h = fluid_h(load, pulse, service_h)
    overload = left_over_h > waiting / decay_per_h / 2
    return _RuleLaw(level_h, spread_h, waiting, decay_per_h, overload, ends)


class _RuleDay(_OneDay):
    """Wait at any hour by the rule, its figures read between the starts of slots."""

    def __init__(self, law):
        self._law = _RuleLaw(*(np.broadcast_to(e, law.level_h.shape) for e in law))

    def mean_h(self, met_h):
        """Mean of the wait."""
        return self._at(met_h).mean_h()

    def within_prob(self, met_h, wait_h):
        """Probability that the wait is no longer than this."""
        return self._at(met_h).within_prob(wait_h)

    def quantile_h(self, met_h, prob):
        """Wait that this share of the jobs does not exceed."""
        return self._at(met_h).quantile_h(prob)

    def _at(self, met_h):
        slots = len(self._law.level_h)
        place = np.asarray(met_h, dtype=float) * (slots / 24)
        before = np.floor(place).astype(int)
        part = place - before
        ends = before % slots, (before + 1) % slots
        nearest = np.where(part < 0.5, *ends)

        def between(name, values):
            if name in ("overload", "clears"):
                return values[nearest]
            with np.errstate(invalid="ignore"):  # no overload at one end
                mixed = (1 - part) * values[ends[0]] + part * values[ends[1]]
            return np.where(np.isfinite(mixed), mixed, values[nearest])

        law = {name: between(name, v) for name, v in self._law._asdict().items()}
        return _RuleLaw(**law)
