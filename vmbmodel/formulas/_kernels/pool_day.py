r"""The number of jobs in a pool of some movers over a day, exactly.

With arrivals at random at a rate that changes from slot to slot, and jobs of
exponential length, the law p of the number of jobs follows :math:`\dot p = p\,G`. A day
takes one law to another, by uniformisation: a Poisson number of steps of a chain. What
it leaves as it is, is found by GMRES, near saturation too: a pool with the mean load of
the day is the first guess, and its inverse makes slow ways back as fast as the rest.
"""

from itertools import pairwise

import numpy as np

from vmbmodel.formulas._kernels.linear import solved

__all__ = ["jobs_at_starts", "jobs_later", "late_prob"]

MOST_SERVERS = 50
_MOST_CELLS = 2e8
"""States times steps of a day beyond which it would take too long."""
_LOST = 1e-11
"""Chance of more jobs than are looked at."""
_SETTLED = 1e-10
_AT_ONCE = 2**16
"""Numbers that are kept until they are added up."""
_PARTS = slice(None), slice(1, None), slice(-1)


def jobs_at_starts(hours, load, pulse, servers, service_h):
    """Chance of each number of jobs at the start of each slot, after its pulse.

    A row a slot. None if there are too many movers, or jobs too short, or a day too
    near to one whose work cannot be done.
    """
    mean = np.mean(load) + pulse.sum() / 24
    if not 1 <= servers <= MOST_SERVERS or mean >= 1:
        return None
    service_h = np.clip(service_h, 1e-6, 1e6)
    per_h = servers / service_h
    # an even flow, and how far chance may carry it in a day and in the long run
    level = per_h * np.max(_backlog_h(hours, load, pulse), initial=0) + servers
    in_a_day = 14 * np.sqrt(level + servers)
    in_the_long_run = -25 / np.log(np.clip(mean, 1e-12, 1 - 1e-12))
    start, jobs = None, level + in_a_day + in_the_long_run
    while jobs * 24 * per_h * (1 + mean) <= _MOST_CELLS and jobs < 1e5:
        rows = _Day(hours, load, pulse, servers, service_h, int(jobs)).rows(start)
        if rows is None or rows[:, -1].max() < _LOST:
            return rows
        start, jobs = rows[0], 1.5 * jobs
    return None


def jobs_later(jobs, load, servers, service_h, span_h):
    """Chance of each number of jobs, the last axis, after a span of one load."""
    down = np.minimum(np.arange(jobs.shape[-1]), servers) / service_h
    up = load * servers / service_h
    chances = _poisson((up + down[-1]) * np.array([span_h]))
    return _after(jobs, up, down, chances)[0]


def late_prob(jobs, servers, service_h, wait_h):
    """Chance to wait longer than this, a row a number of jobs found, a column a wait.

    Whoever finds all movers busy waits for one job to end, and for all who wait.
    """
    from scipy.special import gammaincc

    ahead = (np.arange(jobs) - servers + 1)[:, np.newaxis]
    ended = servers / service_h * wait_h
    reach = 9 * np.sqrt(ended) + 40  # further off, it is sure
    late = (ahead > ended).astype(float)
    near = (ahead > 0) & (np.abs(ahead - ended) < reach)
    shape, ended = np.broadcast_arrays(ahead, ended)
    late[near] = gammaincc(shape[near], ended[near])
    return late


def _backlog_h(hours, load, pulse):
    """Work that is left at the start of each slot if it flows evenly, in hours."""
    left, lines = 0.0, []
    for _ in range(2):
        for arriving, jump in zip(load, pulse, strict=True):
            lines.append(left + jump)
            left = max(lines[-1] + hours * (arriving - 1), 0.0)
    return lines


class _Day:
    """A day as a map of one law of the number of jobs to the next."""

    def __init__(self, hours, load, pulse, servers, service_h, jobs):
        per_h = servers / service_h
        self.hours, self.up, self.jump = hours, load * per_h, pulse * per_h
        self.down = np.minimum(np.arange(jobs), servers) / service_h
        self.mean_up = (np.mean(load) + pulse.sum() / 24) * per_h
        # slots in which nothing changes are gone through at once
        changes = (np.diff(self.up) != 0) | (self.jump[1:] != 0)
        begins = [0, *np.flatnonzero(changes) + 1, len(self.up)]
        self.runs = []
        for begin, end in pairwise(begins):
            spans_h = hours * np.arange(1, end - begin + 1)
            chances = _poisson((self.up[begin] + self.down[-1]) * spans_h)
            self.runs.append((self.jump[begin], self.up[begin], chances))

    def rows(self, start):
        """Return the law at the start of each slot of a day like the day before."""
        count = len(self.down)
        self.balance = self._in_balance()
        law = self.balance
        if start is not None:
            law = np.pad(start, (0, count - len(start)))
        for _ in range(3):
            law = self._through(law)
        left = self._corrected(self._through(law) - law)
        if np.abs(left).sum() > _SETTLED:
            law += solved(
                lambda gap: self._corrected(gap - self._through(gap)), left, _SETTLED
            )
        law = np.maximum(law, 0)
        law /= law.sum()
        rows, end = self._starts(law)
        settled = np.abs(self._corrected(end - law)).sum() < 1e3 * _SETTLED
        return rows if settled else None

    def _in_balance(self):
        """Return the law of a pool with the mean load of the day."""
        with np.errstate(divide="ignore"):  # no load, no jobs
            odds = np.log(self.mean_up) - np.log(self.down[1:])
        log = np.append(0, np.cumsum(odds))
        law = np.exp(log - log.max())
        return law / law.sum()

    def _corrected(self, change):
        """Return what a change in a day comes to in all: itself, and a slow part.

        The slow part is as if the load were its mean all day: flows between numbers
        of jobs that make up for the change.
        """
        flow = np.cumsum(change)[:-1] / 24
        held = self.mean_up * self.balance[:-1]
        part = np.where(held > 0, flow / np.where(held > 0, held, 1), 0)
        top = self.balance.argmax()  # beyond, rounding errors grow less than it falls
        below, above = np.cumsum(part[:top][::-1])[::-1], -np.cumsum(part[top:])
        slow = self.balance * np.concatenate([below, [0], above])
        return change + slow - self.balance * slow.sum()

    def _through(self, law):
        """Return the law at the end of the day."""
        for jump, up, chances in self.runs:
            law = _after(_more(law, jump), up, self.down, chances[-1:])[0]
        return law

    def _starts(self, law):
        """Return the law at the start of each slot, and at the end of the day."""
        rows = []
        for jump, up, chances in self.runs:
            rows.append(_more(law, jump))
            *between, law = _after(rows[-1], up, self.down, chances)
            rows += between
        return np.array(rows), law


def _more(law, jobs):
    """Law of some jobs more; of a number in between, the two about it by turns."""
    whole = int(jobs)
    part = jobs - whole
    fewer = _moved(law, whole)
    return (1 - part) * fewer + part * _moved(fewer, 1) if part else fewer


def _moved(law, jobs):
    if not jobs:
        return law
    jobs = min(jobs, len(law) - 1)
    kept = len(law) - jobs
    return np.concatenate([np.zeros(jobs), law[: kept - 1], [law[kept - 1 :].sum()]])


def _after(law, up, down, chances):
    """Laws after times, along a new axis, in which jobs come and go at these rates.

    A row of chances is one of the times: how many steps it may be.
    """
    fast = up + down[-1]
    up, down = up / fast, down / fast
    stay = 1 - up - down
    stay[-1] += up
    result, back = np.zeros((len(chances), *law.shape)), down[1:]
    block = min(max(_AT_ONCE // law.size, 1), chances.shape[1])
    laws, moved = np.empty((block + 1, *law.shape)), np.empty(law[..., 1:].shape)
    whole, upper, lower = ([*laws[..., part]] for part in _PARTS)
    laws[0] = law
    for some in np.split(chances, range(block, chances.shape[1], block), axis=1):
        for step in range(some.shape[1]):
            then = step + 1
            np.multiply(stay, whole[step], out=whole[then])
            np.multiply(lower[step], up, out=moved)
            upper[then] += moved
            np.multiply(upper[step], back, out=moved)
            lower[then] += moved
        result += np.tensordot(some, laws[: some.shape[1]], 1)
        laws[0] = laws[some.shape[1]]
    return result


def _poisson(means):
    """Probabilities of Poisson numbers, a row a mean, up to the last that counts."""
    from scipy.special import gammaln, xlogy

    most, means = means.max(), means[:, np.newaxis]
    number = np.arange(int(most + 9 * np.sqrt(most) + 20) + 1)
    chances = np.exp(xlogy(number, means) - means - gammaln(number + 1))
    return chances / chances.sum(axis=1, keepdims=True)
