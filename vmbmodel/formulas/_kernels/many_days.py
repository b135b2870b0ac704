r"""The number of jobs in many pools over a day, all of them solved at once.

As `pool_day`, day by day, to a thousandth of a probability instead of a thousand
millionth, and for a part of its time: the laws of all days lie one behind the other in
a single vector, whose tridiagonal generator takes it through a step of time by a
rational function, the quotient of polynomials of degree 3 and 4 that is next to the
exponential. That costs two solves, whatever the rates and the length of the step.
"""

import math

import numpy as np

from vmbmodel.formulas._kernels.day import clears

__all__ = ["jobs_through_days"]

_LOST = 1e-6
"""Chance of more jobs than are looked at."""
_SETTLED = 1e-5
_FIRST_DAYS = 3
_SLOTS = 48
"""Steps of the days that are run through to find one like the day before."""
_MOST_DIRECTIONS = 24
_MOST_CELLS = 4e6
"""States times jobs an hour beyond which a day would take too long."""
_TOGETHER = 2**17
"""States of the days that are solved at once."""
_WIDTHS = 8
"""Spreads of the number of jobs that may flow in or out in a step."""


def jobs_through_days(load, servers, service_h, parts):
    """Chance of each number of jobs at the start of each part of the slots of days.

    Slots of a day lie along the last axis of the load, and each has so many parts.
    Gives the number of a day and its table, a row a time, one after the other; leaves
    out those whose states are too many, or whose work cannot be done in a day.
    """
    counts = _states(load, servers, service_h)
    possible = clears(24 / load.shape[-1], load, 0 * load)[:, 0]
    found = np.flatnonzero(possible & (counts * servers / service_h <= _MOST_CELLS))
    slow_last = found[np.argsort(load[found].mean(axis=-1), kind="stable")]
    batch = np.cumsum(counts[slow_last]) // _TOGETHER
    for some in np.split(slow_last, np.flatnonzero(np.diff(batch)) + 1):
        if len(some):
            own = (part[some] for part in (load, servers, service_h, counts))
            yield from zip(some, _Days(*own).tables(parts), strict=True)


def _states(load, servers, service_h):
    """Return how many numbers of jobs each day needs."""
    per_h, hours = servers / service_h, 24 / load.shape[-1]
    mean = np.clip(load.mean(axis=-1), 1e-12, 1 - 1e-12)
    left, most = np.zeros(len(load)), np.zeros(len(load))
    for slot in 2 * [*range(load.shape[-1])]:  # an even flow
        left = np.maximum(left + hours * (load[:, slot] - 1), 0)
        most = np.maximum(most, left)
    level, reach = per_h * most + servers, math.sqrt(-2 * math.log(_LOST)) + 1
    jobs = level + reach * np.sqrt(level + servers) + math.log(_LOST) / np.log(mean)
    return np.clip(jobs, 0, 2**31).astype(int) + 8


class _Days:
    """Days as a map of their laws of the number of jobs to the next ones."""

    def __init__(self, load, servers, service_h, counts):
        self.load, self.servers, self.service_h = load, servers, service_h
        self.counts, self.hours = counts, 24 / load.shape[-1]
        self.begins = np.append(0, np.cumsum(counts)[:-1])
        self.day = np.repeat(np.arange(len(counts)), counts)
        self.jobs = np.arange(counts.sum()) - self.begins[self.day]
        self.per_h = servers / service_h
        self.down = np.minimum(self.jobs, servers[self.day]) / service_h[self.day]
        self.last = np.append(self.jobs[1:] == 0, True)
        self.mean_up = (load.mean(axis=-1) * self.per_h)[self.day]
        self.balance = self._in_balance()

    def tables(self, parts):
        """Return the law at the start of each part of the slots of each day."""
        law = self.balance
        for _ in range(_FIRST_DAYS):
            before, law = law, self.through(law)
        unsettled = np.flatnonzero(self.length(law - before) > _SETTLED)
        if len(unsettled):
            at = np.isin(self.day, unsettled)
            law[at] = self.some(unsettled).settled(law[at])
        return np.split(self.all_through(law, parts), self.begins[1:], axis=1)

    def some(self, which):
        """Return some of the days."""
        parts = self.load, self.servers, self.service_h, self.counts
        return _Days(*(part[which] for part in parts))

    def length(self, change):
        """Return the sum of the absolute changes of each day."""
        return np.add.reduceat(np.abs(change), self.begins)

    def through(self, law):
        """Return the laws a day later."""
        whole = self.load.T
        if not len(whole) % _SLOTS:  # what varies within half an hour moves nothing
            whole = whole.reshape(_SLOTS, -1, whole.shape[1]).mean(axis=1)
        span = _Span(self, 24 / len(whole))
        for load in whole:
            law = span.after(law, load)
        return law

    def all_through(self, law, parts):
        """Return the laws at the start of each part of the slots, a row a time.

        The law is wide beside what flows in in a step; within a peak that begins at
        once it takes short ones.
        """
        span_h = self.hours / parts
        flow = span_h * self.per_h[:, np.newaxis] * np.abs(self.load - 1)
        wide = np.sqrt(np.maximum(self.servers, 1))[:, np.newaxis]
        steps = np.ceil((flow / wide).max(axis=0) / _WIDTHS).astype(int)
        spans = {count: _Span(self, span_h / count) for count in np.unique(steps)}
        rows = np.empty((self.load.shape[-1] * parts, len(law)))
        for slot, load in enumerate(self.load.T):
            for part in range(parts):
                rows[slot * parts + part] = law
                for _ in range(steps[slot]):
                    law = spans[steps[slot]].after(law, load)
        return np.maximum(rows, 0)

    def settled(self, law):
        """Return the laws of days like the days before, found by GMRES, each its own.

        What a slow day leaves is made up for, as `pool_day` does it.
        """
        left = self._corrected(self.through(law) - law)
        size = self._norm(left)
        found, parts = [left / size[self.day]], []
        for step in range(_MOST_DIRECTIONS):
            new = self._corrected(found[-1] - self.through(found[-1]))
            column = np.zeros((step + 2, len(self.counts)))
            for i, direction in enumerate(found):
                column[i] = np.add.reduceat(direction * new, self.begins)
                new = new - column[i][self.day] * direction
            column[-1] = length = self._norm(new)
            parts.append(column)
            sides = np.zeros((len(self.counts), step + 2, step + 1))
            for at, own in enumerate(parts):
                sides[:, : len(own), at] = own.T
            aim = np.zeros((len(self.counts), step + 2, 1))
            aim[:, 0, 0] = size
            weights = np.linalg.pinv(sides) @ aim
            missed = np.linalg.norm(aim - sides @ weights, axis=1)
            if missed.max() <= _SETTLED:
                break
            found.append(new / np.where(length > 0, length, 1)[self.day])
        for at, direction in enumerate(found[: step + 1]):
            law = law + weights[:, at, 0][self.day] * direction
        law = np.maximum(law, 0)
        return law / np.add.reduceat(law, self.begins)[self.day]

    def _norm(self, law):
        return np.sqrt(np.add.reduceat(law * law, self.begins))

    def _in_balance(self):
        """Return the laws of pools with the mean loads of the days."""
        odds = np.where(self.jobs > 0, self.mean_up / np.maximum(self.down, 1e-300), 1)
        log = np.cumsum(np.log(np.maximum(odds, 1e-300)))
        log -= np.maximum.reduceat(log, self.begins)[self.day]
        law = np.exp(log)
        return law / np.add.reduceat(law, self.begins)[self.day]

    def _corrected(self, change):
        """Return what changes in a day come to in all: themselves, and slow parts."""
        flow = np.cumsum(change) / 24  # that of each day comes to nothing
        held = self.mean_up * self.balance
        part = np.where(held > 0, flow / np.where(held > 0, held, 1), 0)
        slow = np.empty(len(change))
        for begin, count in zip(self.begins, self.counts, strict=True):
            own = slice(begin, begin + count)
            inner, balance = part[own][:-1], self.balance[own]
            top = balance.argmax()  # beyond, rounding errors grow less than it falls
            below = np.cumsum(inner[:top][::-1])[::-1]
            slow[own] = balance * np.concatenate([below, [0], -np.cumsum(inner[top:])])
        lost = np.add.reduceat(slow, self.begins)[self.day]
        return change + slow - self.balance * lost


class _Span:
    """What a span of one load does to the laws of many days.

    Solving is dear the first time only: a day whose load stays is not factored anew.
    """

    def __init__(self, days, span_h):
        self.days, self.span_h = days, span_h
        self.poles, self.weights = _next_to_exp()
        count = len(days.day)
        self.factors = [np.zeros((3, count), dtype=complex) for _ in self.poles]
        self.load = np.full(len(days.counts), np.nan)
        self.in_order = np.arange(1, count + 1, dtype=np.int32)

    def after(self, law, load):
        """Return the laws after the span."""
        from scipy.linalg.lapack import zgttrs

        if (load != self.load).any():
            self._factor(load)
        right, none = law.astype(complex), np.zeros(len(law) - 2, dtype=complex)
        result = np.zeros(len(law))
        for (below, own, above), weight in zip(self.factors, self.weights, strict=True):
            found, _ = zgttrs(below[:-1], own, above[:-1], none, self.in_order, right)
            result += 2 * (weight * found).real
        return result

    def _factor(self, load):
        from scipy.linalg.lapack import zgttrf

        days = self.days
        rows = np.flatnonzero((load != self.load)[days.day])
        up = np.where(days.last, 0, (load * days.per_h)[days.day])[rows] * self.span_h
        down = days.down[rows] * self.span_h
        below, above = up.astype(complex), np.append(down[1:], 0).astype(complex)
        above[days.last[rows]] = 0
        for factors, pole in zip(self.factors, self.poles, strict=True):
            # each column adds up to less than nothing, so that no rows change places
            parts = zgttrf(below[:-1], -(up + down) - pole, above[:-1])
            factors[0, rows[:-1]], factors[1, rows], factors[2, rows[:-1]] = parts[:3]
        self.load = load.copy()


def _next_to_exp():
    """Poles in the upper half of the plane of that quotient, and their weights."""
    least, most = 3, 4
    total = least + most

    def polynomial(degree, sign):
        return np.poly1d(
            [
                sign**j * math.comb(degree, j) / math.perm(total, j)
                for j in range(degree, -1, -1)
            ]
        )

    above, below = polynomial(least, 1), polynomial(most, -1)
    poles = below.roots[below.roots.imag > 0]
    return poles, above(poles) / below.deriv()(poles)
