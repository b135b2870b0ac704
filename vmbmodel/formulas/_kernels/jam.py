r"""A jam of jobs of any variation and shape, exactly.

While the line lasts each mover takes one job after the other, so that the jobs
done by a time are the sum of :math:`c` independent counts of renewals. Their law
is computed here, in some milliseconds to a second for each jam; with many jobs on
each mover, the closed forms of `long_jam` take over. Everything is in mean lengths of
a job; jobs that are equal or exponential have closed forms of their own, and are left
at 0 here except by `jam_end_quantile`.
"""

import numpy as np

from vmbmodel.formulas._kernels.lengths import by_variation, is_closed, lengths
from vmbmodel.formulas._kernels.long_jam import (
    long_end_quantile,
    long_mean_wait,
    long_rest,
    long_start,
    long_start_quantile,
)
from vmbmodel.formulas._kernels.random_jam import random_end_quantile
from vmbmodel.formulas._kernels.renewal import Jam, LastDone

__all__ = [
    "jam_end",
    "jam_end_quantile",
    "jam_mean_wait",
    "jam_start",
    "jam_start_quantile",
    "once_each",
]

_ALIKE = 0.01
"""Variation up to which all shapes are as good as one."""
_WILD = 100
"""Variation above which next to all jobs end at once, and hardly one never."""
_LONG = 200
"""Jobs for each mover from which on the closed forms serve."""
_LARGE = 1e5
"""Jobs above which a jam is computed as a smaller one of the same shape."""


def jam_start(behind, servers, scv, family):
    """Mean wait of the job so far behind those that begin at once."""

    def mean(behind, servers, scv):
        jam = _jam(servers, behind, scv, family)
        return jam.mean_start() if jam else long_start(behind, servers, scv)

    wanted = (behind > 0) & ~is_closed(scv, family)
    return once_each(mean, wanted, behind, servers, scv)


def jam_start_quantile(prob, behind, servers, scv, family):
    """Wait of that job that it exceeds only so often."""

    def quantile(prob, behind, servers, scv):
        jam = _jam(servers, behind, scv, family, 1 - prob)
        if jam:  # a jam that was made smaller varies more
            mean = jam.mean_start()
            return mean + (jam.start_quantile(prob) - mean) / np.sqrt(_scale(behind))
        if behind <= _LONG * servers:
            return 0.0
        return long_start_quantile(prob, behind, servers, scv, family)

    wanted = (behind * prob * (1 - prob) > 0) & ~is_closed(scv, family)
    wait = once_each(quantile, wanted, prob, behind, servers, scv)
    return np.where((prob == 1) & (behind > 0), np.inf, wait)


def jam_mean_wait(behind, servers, scv, family):
    """Mean wait of all jobs up to the one so far behind."""

    def mean(behind, servers, scv):
        jam = _jam(servers, behind, scv, family)
        return jam.mean_wait() if jam else long_mean_wait(behind, servers, scv)

    wanted = (behind > 0) & ~is_closed(scv, family)
    return once_each(mean, wanted, behind, servers, scv)


def jam_end(jobs, servers, scv, family):
    """Mean time until the last job is done."""

    def mean(jobs, servers, scv):
        jam = _jam(servers, jobs - servers, scv, family)
        if jam and servers > 1:
            return LastDone(jam, servers).mean()
        if scv > _WILD and servers > 1:
            servers = jobs
        begun = long_start(jobs - servers, servers, scv)
        return begun + float(long_rest(jobs, servers, scv, family))

    return once_each(mean, ~is_closed(scv, family), jobs, servers, scv)


def jam_end_quantile(prob, late_prob, jobs, servers, scv, family):
    """Time by which all jobs are done with a probability, 1 less the one to be late.

    For jobs of any length, equal and exponential ones too.
    """

    def quantile(late_prob, jobs, servers, scv):
        law, behind = lengths(scv, family), jobs - servers
        if behind <= 0 or (scv > _WILD and servers > 1):
            late = -np.expm1(np.log1p(-late_prob) / jobs)
            early = np.exp(np.log1p(-late_prob) / jobs)
            return law.tail_quantile(late) if late < 0.5 else law.quantile(early)
        if servers == 1:  # the last job is one more to wait for
            behind = jobs
        jam = _jam(servers, behind, scv, family, late_prob)
        if jam is None:
            return long_end_quantile(late_prob, behind + servers, servers, scv, family)
        if servers == 1:
            return jam.start_quantile(1 - late_prob)
        return LastDone(jam, servers).quantile(1 - late_prob)

    def other():
        wanted = (late_prob * (1 - late_prob) > 0) & ~is_closed(scv, family)
        last = once_each(quantile, wanted, late_prob, jobs, servers, scv)
        return np.where(late_prob == 0, np.inf, last)

    return by_variation(
        scv,
        family,
        equal=lambda: np.ceil(jobs / servers + np.zeros_like(prob)),
        exponential=lambda: random_end_quantile(prob, late_prob, jobs, servers),
        other=other,
    )


def once_each(compute, wanted, *arguments):
    """Compute a figure once for all cells that are alike and wanted; 0 elsewhere."""
    wanted, *arguments = np.broadcast_arrays(wanted, *arguments)
    result = np.zeros(wanted.shape)
    if wanted.any():
        cells = np.array([part[wanted] for part in arguments])
        unlike, which = np.unique(cells, axis=1, return_inverse=True)
        found = np.array([float(compute(*cell)) for cell in unlike.T])
        result[wanted] = found[which]
    return result


def _jam(servers, behind, scv, family, late_prob=1):
    """Return the jam to compute, if one mover and the next do not have too many."""
    if behind <= 0 or behind > _LONG * servers or scv > _WILD:
        return None
    scale = _scale(behind)
    servers, behind = round(servers / scale), round(behind / scale)
    family = family if scv >= _ALIKE else "gamma"
    return Jam(servers, behind, scv, family, late_prob / 2)


def _scale(behind):
    return max(behind / _LARGE, 1)
