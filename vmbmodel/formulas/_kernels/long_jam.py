r"""A jam with many jobs on each mover, and any length of jobs: closed forms.

Each mover takes one job after the other, and after a few of them the jobs that it
has done grow evenly with the time. Everything is in mean lengths of a job.
"""

import numpy as np

from vmbmodel.formulas._kernels.lengths import EQUAL, lengths
from vmbmodel.formulas._kernels.quadrature import bent_times

__all__ = [
    "long_end_quantile",
    "long_mean_wait",
    "long_rest",
    "long_start",
    "long_start_quantile",
]


def _over(work, servers):
    return np.maximum(work, 0) / servers


def long_start(behind, servers, scv):
    """Mean start, in mean lengths, of the job so far behind the first ones."""
    early = (1 - scv) * (servers - 1) / 2
    return np.where(behind > 0, _over(behind + early, servers), 0)


def long_mean_wait(behind, servers, scv):
    """Mean wait, in mean lengths, of all jobs up to the one so far behind."""
    work = behind + 1 + (1 - scv) * (servers - 1)
    return behind / (behind + servers) * _over(work, servers) / 2


def long_start_quantile(prob, behind, servers, scv, family):
    """Quantile of that start, by a gamma law of its first three moments."""
    from scipy.special import gammaincinv

    scv = np.minimum(scv, 1e12)  # of its third power there are no floats
    skewness = {
        "gamma": 2 * np.sqrt(scv),
        "lognormal": (scv + 3) * np.sqrt(scv),
        "hyperexponential": (1.5 * (1 + scv) ** 2 - 3 * (1 + scv) + 2) / scv**1.5,
    }
    shape = 4 * behind / skewness[family] ** 2
    spread = np.sqrt(scv) * np.sqrt(behind / shape) / servers
    drawn = gammaincinv(shape, prob) - shape if shape < 1e12 else 0.0
    return np.maximum(long_start(behind, servers, scv) + spread * drawn, 0)


def long_rest(jobs, servers, scv, family):
    """Mean time, in mean lengths, from the last start to the end of all jobs."""
    first, _, step, late = _ends(jobs, servers, scv, family)
    return np.where(scv > EQUAL, first + (late * step).sum(axis=-1), 1)


def long_end_quantile(late_prob, jobs, servers, scv, family):
    """Time, in mean lengths, that one jam exceeds with a probability.

    What start and end lie off their means is added as if both were normal.
    """
    behind = jobs - servers
    begun = long_start(behind, servers, scv)
    later = long_start_quantile(1 - late_prob, behind, servers, scv, family) - begun
    if servers == 1:
        return begun + later
    _, time, _, late = _ends(jobs, servers, scv, family)
    middle = long_rest(jobs, servers, scv, family)
    longer = np.interp(-late_prob, -late, time) - middle
    both = later * abs(later) + longer * abs(longer)
    return begun + middle + np.sign(both) * np.sqrt(abs(both))


def _ends(jobs, servers, scv, family):
    """Nodes of the time after the last start, and how often jobs end later still."""
    line = (part[..., np.newaxis] for part in np.broadcast_arrays(jobs, servers, scv))
    jobs, servers, scv = line
    law, several = lengths(np.maximum(scv, EQUAL), family), np.minimum(jobs, servers)
    least = np.where(jobs > servers, 0, law.tail_quantile(-np.expm1(-23 / several)))
    most = law.tail_quantile(np.maximum(1e-12 / several, 1e-300))
    _, time, step = bent_times(least, most)
    done = np.log(law.within(time))
    others = np.where(jobs > servers, np.log1p(-law.excess(time)), done)
    late = -np.expm1(done + (several - 1) * others)
    return least[..., 0], time, step, late
