r"""Jobs one after the other on each of several movers: how many are done by when.

While a line lasts, every mover takes one job after the other. The jobs that it has
done by time :math:`t` are then a renewal count :math:`N(t)`, with
:math:`P(N(t) \ge n) = F^{*n}(t)`, and what a pool has done is the sum of
:math:`c` such counts, independent of each other. `Jam` adds them up, by the
Fourier transform of one count to the power :math:`c`, which is exact. Everything
is in mean service times, for one jam at a time.

Sums of gamma jobs are gamma again. For other shapes :math:`F^{*n}` is computed on
a grid, with the probability of a job shared between the two points beside it, so
that its mean is kept.
"""

from functools import cached_property

import numpy as np

from vmbmodel.formulas._kernels.lengths import lengths
from vmbmodel.formulas._kernels.quadrature import SHORT, bent_times, legendre
from vmbmodel.formulas._kernels.roots import root

__all__ = ["Jam", "LastDone"]

_GRID = 8192
"""Points on which sums of jobs are computed, where there is no closed form."""
_ROUNDING = 1e-13
_NOTHING = 1e-100
_LATE = 1e-8
"""Probability of a start so late that it is left out."""
_ODD = sorted(3**i * 5**j for i in range(20) for j in range(14))
"""Odd parts of lengths that transform fast."""
_CELLS = 2**21
"""Counts that are held in memory at a time."""
_SETTLED = 30
"""Jobs for each mover from which on the start does not matter any more."""
_INDEPENDENT = 200
"""Movers from which on it does not matter how many jobs each has done."""
_STARTS, _PARTS = 48, 8
"""Cells of the start of the last job, and parts of each."""
_GRADED = np.linspace(0, 1, 129) ** 3
_GRADED = _GRADED / (_GRADED + _GRADED[::-1])
"""Steps from 0 to 1, short at both ends."""


class _GammaSums:
    """Sums of gamma jobs, which are gamma, up to `most` of them."""

    def __init__(self, shape, most):
        self.shape, self.most = shape, most

    def __call__(self, time):
        """Probabilities of n jobs being done by given times, n from 0 to one of 0."""
        from scipy.special import gammainc

        count = self._count(time.max())[1:, np.newaxis]
        done = gammainc(count * self.shape, self.shape * time)
        some, none = np.ones((1, len(time))), np.zeros((1, len(time)))
        return np.concatenate([some, done, none])

    def area(self, time):
        """Jobs done on average, summed over the time from 0 to a given one."""
        from scipy.special import gammainc

        count, x = self._count(time)[1:], self.shape * time
        done = gammainc(count * self.shape, x)
        return (time * done - count * gammainc(count * self.shape + 1, x)).sum()

    def upto(self, reach):
        """Return the same for times up to `reach`, from a table, which is faster."""
        root = np.linspace(0, 1, 1001)
        table = self(reach * root**4)

        def interpolated(time):
            place = (np.clip(time / reach, 0, 1)) ** 0.25 * (len(root) - 1)
            below = np.minimum(place.astype(int), len(root) - 2)
            low, high = (reach * root[below + end] ** 4 for end in (0, 1))
            part = (time - low) / (high - low)
            return table[:, below] * (1 - part) + table[:, below + 1] * part

        return interpolated

    def _count(self, time):
        x = self.shape * time
        some = np.ceil((x + 9 * np.sqrt(x) + 14) / self.shape)
        return np.arange(min(some, self.most) + 1)


class _GridSums:
    """Sums of jobs of any law, up to `most` of them, on a grid that ends at `reach`."""

    def __init__(self, law, reach, points, most):
        self.step = reach / points
        time = np.arange(points + 2) * self.step
        excess = np.concatenate([[1.0], law.excess(time[1:])])
        share = np.diff(excess, 2, prepend=excess[0] + self.step) / self.step
        length = _transform_length(2 * points + 2)
        one = np.fft.rfft(np.maximum(share, 0), length)
        done = np.concatenate([[0.0], law.within(time[1:-1])])
        rows = [np.ones(points + 1), done]
        while done[-1] > 1e-17 and len(rows) <= most:
            done = np.fft.irfft(one * np.fft.rfft(done, length), length)[: points + 1]
            done = np.clip(done, 0, rows[-1])
            rows.append(done)
        self.rows = np.array([*rows, np.zeros(points + 1)])

    def __call__(self, time):
        """Probabilities of n jobs being done by given times, n from 0 to one of 0."""
        place = time / self.step
        below = np.clip(place.astype(int), 0, self.rows.shape[1] - 2)
        part = np.clip(place - below, 0, 1)
        return self.rows[:, below] * (1 - part) + self.rows[:, below + 1] * part

    def upto(self, reach):
        """Return the same: it is a table."""
        return self

    def area(self, time):
        """Jobs done on average, summed over the time from 0 to a given one."""
        done = self.rows[1:].sum(axis=0)
        areas = np.concatenate([[0.0], np.cumsum(done[1:] + done[:-1])]) * self.step / 2
        return np.interp(time, self.step * np.arange(len(areas)), areas)


class Jam:
    """The line behind `servers` movers that all begin at 0, each on a first job.

    Parameters
    ----------
    servers : int
        Data movers, at least 1.
    behind : int
        Place, behind those that begin at once, of the job that is looked at: it
        begins when so many jobs are done.
    service_scv : float
        Variation of the length of a job, above 0.
    family : str
        Shape of that length.
    late_prob : float
        Probability of a start later than all that matters.
    """

    def __init__(self, servers, behind, service_scv, family, late_prob):
        self.servers, self.behind = servers, behind
        self.late_prob = max(min(late_prob, _LATE), _ROUNDING * (10 + servers))
        self.lengths = lengths(service_scv, family)
        if family == "gamma":
            self.sums = _GammaSums(1 / service_scv, behind)
            reach = 2 * behind / servers + 1
            while self.waiting(np.array([reach]))[0][0] > self.late_prob:
                reach *= 2
        else:
            reach = self._grid_reach(2 * behind / servers + 1)
        self.begin, self.end = self._bracket(reach)

    def _grid_reach(self, reach):
        """Find how far a grid has to go, on coarse ones, and set the fine one."""
        while True:
            self.sums = _GridSums(self.lengths, reach, _GRID // 16, self.behind)
            times = np.linspace(0, reach, 65)[1:]
            some = self.waiting(times)[0]
            if some[-1] <= self.late_prob:
                break
            reach *= 2
        reach = times[np.argmax(some <= self.late_prob)]
        self.sums = _GridSums(self.lengths, reach, _GRID, self.behind)
        return reach

    def _bracket(self, reach):
        """Find times between which the job begins, but for next to no probability."""
        low, high = np.log(reach) - 40, np.log(reach)
        early = 1 - _ROUNDING * (10 + self.servers)
        for _ in range(8):
            logs = np.linspace(low, high, 33)
            some = self.waiting(np.exp(logs))[0]
            first = np.flatnonzero(some >= early)
            last = np.flatnonzero(some <= self.late_prob)
            low = logs[first[-1]] if len(first) else logs[0]
            high = logs[last[0]] if len(last) else logs[-1]
        return np.exp(low), np.exp(high)

    def waiting(self, time, sums=None):
        """Probability that the job waits at given times, and mean jobs before it.

        The latter is the mean of all that wait then and stand no further back.
        """
        done = (sums or self.sums)(time)
        exact = done[:-1] - done[1:]
        count = np.arange(len(exact))[:, np.newaxis]
        mean = (count * exact).sum(axis=0)
        spread = np.sqrt(self.servers * ((count - mean) ** 2 * exact).sum(axis=0).max())
        some = np.flatnonzero(exact.max(axis=1) > 1e-17)
        least, most = some[0], some[-1] + 1
        span = self.servers * (most - 1 - least) + 1
        room = min(span, 20 * spread + 120)
        length = _transform_length(room)
        first = np.zeros(len(time))
        if span > length:  # counts are known but for multiples of the length
            first = np.maximum(self.servers * (mean - least) - length / 2, 0)
        parts = np.array_split(np.arange(len(time)), 1 + len(time) * length // _CELLS)
        few, short = np.empty((2, len(time)))
        for part in parts:
            alone = _transform(exact[least:most, part], length)
            pool = _back(alone**self.servers, length)
            begin = np.floor(first[part])
            total = np.arange(length)[:, np.newaxis]
            total = begin + (total - begin) % length + self.servers * least
            lacking = np.maximum(self.behind - total, 0)
            few[part] = (pool * (lacking > 0)).sum(axis=0)
            short[part] = (pool * lacking).sum(axis=0)
        return np.clip(few, 0, 1), np.maximum(short, 0)

    @cached_property
    def _line(self):
        """Weights of the time, and what waits at its nodes."""
        points, weights = legendre(96)
        low, high = np.log(self.begin), np.log(self.end)
        time = np.exp((low + high) / 2 + (high - low) / 2 * points)
        return weights * (high - low) / 2 * time, self.waiting(time)

    def mean_start(self):
        """Mean time at which the job begins."""
        weight, (some, _) = self._line
        return self.begin + (weight * some).sum()

    def mean_wait(self):
        """Mean wait of all jobs up to this one, those of no wait included."""
        weight, (_, short) = self._line
        sure = self.behind * self.begin - self.servers * self.sums.area(self.begin)
        return (sure + (weight * short).sum()) / (self.behind + self.servers)

    def start_quantile(self, prob):
        """Time by which the job begins with a given probability."""
        return _cross(
            lambda time: self.waiting(time)[0], 1 - prob, self.begin, self.end
        )


class LastDone:
    """When the last job of a jam is done: it, or one that began before it.

    Given the start of the last job, the other movers have been at work for a while
    on what they have, and are done by some time later with a probability that
    depends on how many jobs each has done. With many movers that dependence is
    lost in the sum; with many jobs on each, the age of a job is that of a job
    found at work at any time.
    """

    def __init__(self, jam, servers):
        self.jam, self.servers = jam, servers
        law = jam.lengths
        self.sums = jam.sums.upto(jam.end)
        self.edges = self._edges()
        self.weight = -np.diff(jam.waiting(self.edges, self.sums)[0])
        self.weight /= self.weight.sum()
        self.sure = law.quantile(1e-10)
        last = law.tail_quantile(max(1e-12 / servers, 1e-300))
        self.bent, self.later, self.step = bent_times(self.sure, last)
        self.beyond = _table(law.beyond, last + jam.end)
        self.others = np.array([self._others(*cell) for cell in self._cells()])

    def _edges(self):
        """Cut the time of the start into cells of like probability."""
        from scipy.special import ndtr

        jam = self.jam
        time = np.exp(np.linspace(np.log(jam.begin), np.log(jam.end), 257))
        begun = np.maximum.accumulate(1 - jam.waiting(time, self.sums)[0])
        wanted = ndtr(np.linspace(-5.5, 5.5, _STARTS * _PARTS + 1)[1:-1])
        inner = np.unique(np.interp(wanted, begun, time))
        inner = inner[(len(inner) + 1) % _PARTS :]
        return np.concatenate([[0.0], inner, [jam.end]])

    def _cells(self):
        """Middle of each cell of starts, and who begins the last job in it."""
        done = self.sums(self.edges[::_PARTS])
        for cell, start in enumerate(self.edges[_PARTS // 2 :: _PARTS]):
            yield start, done[:, cell + 1] - done[:, cell]

    def _others(self, start, begun):
        """Probability that the others are done, times after the last job began."""
        jam = self.jam
        age = start * _GRADED
        done = self.sums(age)
        done[done < _NOTHING] = 0  # what is below normal numbers is slow
        exact = np.maximum(done[:-1, -1] - done[1:, -1], 0)
        after = np.concatenate([[0.0], self.later])
        middle = start - (age[1:] + age[:-1]) / 2
        beyond = self.beyond(middle[:, np.newaxis] + after)
        # many small products: the threads of a matrix product cost more than it
        running = np.einsum("nu,uy->ny", np.diff(done[:-1]), beyond)
        running[0] = self.beyond(start + after)  # on the first job still
        whole = np.maximum(running[:, :1], 1e-300)
        running = exact[:, np.newaxis] * np.clip(running[:, 1:] / whole, 0, 1)
        late = np.minimum(running.sum(axis=0), 1)
        independent = np.exp((self.servers - 1) * np.log1p(-late))
        if jam.servers > _INDEPENDENT or jam.behind > _SETTLED * jam.servers:
            return independent
        both = np.column_stack([exact, exact[:, np.newaxis] - running])
        joint = self._jointly(both, np.maximum(begun[: len(both)], 0))
        if joint[0] < _ROUNDING * 100:  # so rare that nothing is left of the digits
            return independent
        return np.clip(joint[1:] / joint[0], 0, 1)

    def _jointly(self, both, begun):
        """Probability of that and of as many jobs done as it takes, by all movers."""
        jam = self.jam
        count = np.arange(len(both))
        mean = count @ both[:, 0]
        spread = np.sqrt(jam.servers * ((count - mean) ** 2 @ both[:, 0]))
        span = jam.servers * len(both)
        length = _transform_length(min(span, 20 * spread + 120))
        one = _transform(begun[:, np.newaxis], length)
        pool = one * _transform(both, length) ** (jam.servers - 1)
        return _back(pool, length)[jam.behind % length]

    def mean(self):
        """Mean time at which all jobs are done."""
        late = 1 - self.jam.lengths.within(self.later) * self.others
        after = self.weight.reshape(-1, _PARTS).sum(axis=1) @ late @ self.step
        return self.jam.mean_start() + self.sure + after

    def quantile(self, prob):
        """Time by which all jobs are done with a given probability."""
        law, start = self.jam.lengths, (self.edges[1:] + self.edges[:-1]) / 2
        # twice the log is nearly straight, where many movers make a sharp step
        bent = np.log(np.clip(-np.log(self.others), 1e-30, 1e3))

        def late(time):
            rest = np.maximum(time - start[:, np.newaxis], 0)
            place = np.arcsinh(rest / SHORT).reshape(len(bent), -1)
            bends = [
                np.interp(where, self.bent, row, left=7.0)
                for where, row in zip(place, bent, strict=True)
            ]
            others = np.exp(-np.exp(np.reshape(bends, rest.shape)))
            return 1 - self.weight @ (law.within(rest) * others)

        low, high = self.jam.begin + self.sure, self.jam.end + self.later[-1]
        return _cross(late, 1 - prob, low, high)


def _table(falling, high):
    """Return a falling function of the time as a table, which is faster."""
    bent = np.linspace(0, np.arcsinh(high / SHORT), 8001) ** 2
    bent /= bent[-1] / np.arcsinh(high / SHORT)
    values = falling(SHORT * np.sinh(bent))
    values[values < _NOTHING] = 0
    return lambda time: np.interp(np.arcsinh(time / SHORT), bent, values)


def _transform_length(room):
    """Return the least length with no prime factor above 5, which transforms fast."""
    least = max(int(np.ceil(room)), 1)
    best = 1 << (least - 1).bit_length()
    for odd in _ODD:
        if odd >= best:
            break
        best = min(best, odd << (-(-least // odd) - 1).bit_length())
    return best


def _transform(mass, length):
    """Transform masses along their first axis, those beyond the length folded in."""
    if len(mass) > length:
        folds = -(-len(mass) // length)
        mass = np.pad(mass, [(0, folds * length - len(mass)), (0, 0)])
        mass = mass.reshape(folds, length, -1).sum(axis=0)
    return np.fft.rfft(mass, length, axis=0)


def _back(transform, length):
    return np.fft.irfft(transform, length, axis=0)


def _cross(falling, level, low, high):
    """Find where a falling function of the time crosses a level, or an end."""
    low, high = np.log(low), np.log(high)
    end = high if falling(np.exp(high[np.newaxis]))[0] > level else low
    found = root(
        lambda log: falling(np.exp(log)) - level,
        low,
        high,
        otherwise=end,
        xatol=1e-13,
        xrtol=0,
        fatol=0,
        frtol=0,
    )
    return np.exp(found)
