r"""When the last of many jobs of exponential length is done.

The last start is a sum of :math:`N - c` exponential times of mean :math:`\tau/c`,
and the end is the longest of :math:`c` whole jobs later, for what is left of a job in
service is as long as a new one. Everything is in mean lengths of a job.
"""

import numpy as np

from vmbmodel.formulas._kernels.quadrature import legendre
from vmbmodel.formulas._kernels.roots import root
from vmbmodel.formulas._kernels.special import log_poisson_mass

__all__ = ["random_end_quantile"]

_LEAST = 1e-17
_MANY = 1e15
"""Jobs in line above which their wait does not vary, to eight digits."""


def random_end_quantile(prob, late_prob, jobs, servers):
    """Time by which all jobs are done with a probability, 1 less the one to be late."""
    from scipy.special import gammainccinv, gammaincinv

    behind = np.maximum(jobs - servers, 0)
    log_prob = np.where(prob < 0.5, np.log(prob), np.log1p(-late_prob))
    alone = _longest_quantile(log_prob, np.minimum(jobs, servers))
    early = _wait_quantile(gammaincinv, behind, servers, np.minimum(prob, 0.5))
    late = _wait_quantile(gammainccinv, behind, servers, late_prob)
    wait = np.where(prob < 0.5, early, late)
    # neither part is longer than the whole, nor are both when each is rarely so
    rarely = late_prob / 2
    high = _wait_quantile(gammainccinv, behind, servers, rarely)
    return root(
        _off,
        np.maximum(wait, alone),
        high + _longest_quantile(np.log1p(-rarely), servers),
        prob,
        late_prob,
        behind,
        servers,
        inside=(behind > 0) & (behind < _MANY) & (prob > 0) & (late_prob > 0),
        otherwise=np.where(behind > 0, wait + alone, alone),
        xrtol=1e-13,
        xatol=0,
        fatol=0,
        frtol=1e-13,
    )


def _longest_quantile(log_prob, count):
    """Quantile of the longest of so many exponential jobs of mean 1."""
    return -np.log(-np.expm1(log_prob / count))


def _wait_quantile(inverse, behind, servers, share):
    steps = inverse(np.clip(behind, 1, _MANY), share)
    return np.where(behind > _MANY, behind * (steps / _MANY), steps) / servers


def _off(time, prob, late_prob, behind, servers):
    """How much more likely all are done by a time than wanted, or less likely late.

    Of wait and longest rest, the one that varies less is summed over, for the other
    hardly bends beside it.
    """
    narrow = np.sqrt(behind) < servers
    done, late = np.empty((2, *time.shape))
    for some, rule in ((narrow, _over_waits), (~narrow, _over_lengths)):
        cells = (part[some][:, np.newaxis] for part in (time, behind, servers))
        done[some], late[some] = rule(*cells)
    return np.where(prob < 0.5, done - prob, late_prob - late)


def _log_longest(time, servers):
    """Log of the probability that the longest of so many jobs is over by a time."""
    short = np.log(-np.expm1(-time))
    return servers * np.where(time < 0.5, short, np.log1p(-np.exp(-time)))


def _over_waits(time, behind, servers):
    from scipy.special import gammaincc, gammainccinv, gammaincinv

    low = gammaincinv(behind, _LEAST) / servers
    high = np.minimum(gammainccinv(behind, _LEAST) / servers, time)
    half = np.maximum(high - low, 0) / 2
    points, weights = legendre(160)
    wait = low + half * (1 + points)
    mass = np.exp(log_poisson_mass(behind, servers * wait)) * behind / wait
    mass = half * weights * mass
    longest = _log_longest(np.maximum(time - wait, 0), servers)
    done = (mass * np.exp(longest)).sum(axis=-1)
    late = (mass * -np.expm1(longest)).sum(axis=-1)
    return done, late + gammaincc(behind, servers * high)[:, 0]


def _over_lengths(time, behind, servers):
    from scipy.special import gammainc, gammaincc

    low = np.log(np.maximum(servers / 40, 1))
    high = np.minimum(np.log(servers) + 40, time)
    half = np.maximum(high - low, 0) / 2
    points, weights = legendre(160)
    length = low + half * (1 + points)
    rest = (servers - 1) * np.log(-np.expm1(-length))
    mass = half * weights * servers * np.exp(rest - length)
    left = servers * np.maximum(time - length, 0)
    done = (mass * gammainc(behind, left)).sum(axis=-1)
    late = (mass * gammaincc(behind, left)).sum(axis=-1)
    return done, late - np.expm1(_log_longest(high, servers))[:, 0]
