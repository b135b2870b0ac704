r"""A traffic jam of jobs of exponential length, exactly.

While all :math:`c` data movers are busy, one becomes free every :math:`\tau/c` on
average, whatever happened before, and what is left of a job in service is as long
as a new one. Waits are then sums of exponential times, and so are the last ends.
"""

import numpy as np
from numpy.typing import ArrayLike

from before.queueing import log_poisson_mass
from vmbmodel._arrays import formula

__all__ = [
    "random_jam_makespan_h",
    "random_jam_makespan_quantile_h",
    "random_jam_mean_wait_h",
    "random_jam_wait_h",
    "random_jam_wait_quantile_h",
]

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(160)
_LEAST = 1e-17
_MANY = 1e15
"""Jobs in line above which their wait does not vary, to eight digits."""


@formula
def random_jam_wait_h(
    position: ArrayLike, vault_servers: ArrayLike, service_h: ArrayLike
) -> ArrayLike:
    r"""Mean wait of the job at a given place in line, for jobs of exponential length.

    .. math:: E[W_j] = \frac{(j - c)^+}{c}\, \tau

    Parameters
    ----------
    position : array_like of int
        Place in line, :math:`j \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Mean length of a job, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for exponential jobs: while all movers are busy, one becomes free
    every :math:`\tau/c` on average.

    References
    ----------
    Cox (1962), :cite:`cox1962`.

    Examples
    --------
    >>> print(random_jam_wait_h(100, vault_servers=10, service_h=0.5))
    4.5
    """
    return np.maximum(position - vault_servers, 0) / vault_servers * service_h


@formula
def random_jam_wait_quantile_h(
    prob: ArrayLike,
    position: ArrayLike,
    vault_servers: ArrayLike,
    service_h: ArrayLike,
) -> ArrayLike:
    r"""Wait that a job at a given place exceeds only so often, of exponential jobs.

    .. math:: t_p = \frac{\tau}{c}\, P^{-1}(j - c,\; p) \quad (j > c),
        \qquad 0 \text{ otherwise}

    with :math:`P` the regularised lower incomplete gamma function.

    Parameters
    ----------
    prob : array_like of float
        Probability of waiting no longer, :math:`p` in [0, 1]. [-]
    position : array_like of int
        Place in line, :math:`j \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Mean length of a job, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; ``inf`` at :math:`p = 1` for who
        has to wait. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for exponential jobs: the wait is a sum of :math:`j - c` exponential
    times of mean :math:`\tau/c`.

    References
    ----------
    Cox (1962), :cite:`cox1962`.

    Examples
    --------
    >>> print(random_jam_wait_quantile_h(0.95, 100, vault_servers=10, service_h=0.5))
    5.3076
    """
    from scipy.special import gammaincinv

    behind = np.maximum(position - vault_servers, 0)
    steps = gammaincinv(np.maximum(behind, 1), prob) / vault_servers
    return np.where(behind > 0, steps * service_h, 0)


@formula
def random_jam_mean_wait_h(
    jobs: ArrayLike, vault_servers: ArrayLike, service_h: ArrayLike
) -> ArrayLike:
    r"""Mean wait of jobs that all start at once, when their length is exponential.

    .. math:: \bar W = \frac{(N - c)(N - c + 1)\,\tau}{2 N c}
        \quad (N > c), \qquad 0 \text{ otherwise}

    Parameters
    ----------
    jobs : array_like of int
        Jobs that start at once, :math:`N \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Mean length of a job, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for exponential jobs: while all movers are busy, one becomes free
    every :math:`\tau/c` on average.

    References
    ----------
    Cox (1962), :cite:`cox1962`.

    Examples
    --------
    >>> print(random_jam_mean_wait_h(1000, vault_servers=50, service_h=1))
    9.0345
    """
    behind = np.maximum(jobs - vault_servers, 0)
    return behind / jobs * ((behind + 1) / vault_servers) * service_h / 2


@formula
def random_jam_makespan_h(
    jobs: ArrayLike, vault_servers: ArrayLike, service_h: ArrayLike
) -> ArrayLike:
    r"""Mean time until the last job is done, when their length is exponential.

    .. math:: M = \tau \left[ \frac{(N - c)^+}{c} + H_{\min(N, c)} \right],
        \qquad H_n = \sum_{k=1}^{n} \frac{1}{k}

    Parameters
    ----------
    jobs : array_like of int
        Jobs that start at once, :math:`N \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Mean length of a job, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for exponential jobs. The harmonic number is the tail: the last jobs
    run on while other movers already stand idle.

    References
    ----------
    Cox (1962), :cite:`cox1962`.

    Examples
    --------
    >>> print(random_jam_makespan_h(1000, vault_servers=50, service_h=1))
    23.499
    """
    from scipy.special import digamma

    harmonic = digamma(np.minimum(jobs, vault_servers) + 1) - digamma(1)
    behind = np.maximum(jobs - vault_servers, 0)
    return service_h * (behind / vault_servers + harmonic)


@formula
def random_jam_makespan_quantile_h(
    prob: ArrayLike,
    jobs: ArrayLike,
    vault_servers: ArrayLike,
    service_h: ArrayLike,
) -> ArrayLike:
    r"""Time by which the last job is done with a probability, of exponential jobs.

    .. math:: \int_0^t c\, e^{-y} (1 - e^{-y})^{c - 1} P(N - c,\; c (t - y))\, dy = p
        \quad (N > c), \qquad t = -\ln(1 - p^{1/N}) \quad \text{otherwise}

    in mean lengths of a job, with :math:`P` the regularised lower incomplete gamma
    function.

    Parameters
    ----------
    prob : array_like of float
        Probability of being done by then, :math:`p` in [0, 1]. [-]
    jobs : array_like of int
        Jobs that start at once, :math:`N \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Mean length of a job, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; ``inf`` at :math:`p = 1`. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for exponential jobs: the last start is a sum of :math:`N - c` exponential
    times of mean :math:`\tau/c`, and the end is the longest of :math:`c` whole jobs
    later, for what is left of a job in service is as long as a new one. The integral
    is summed to 1e-10.

    References
    ----------
    Cox (1962), :cite:`cox1962`.

    Examples
    --------
    >>> print(random_jam_makespan_quantile_h(0.95, 1000, vault_servers=50, service_h=1))
    26.0632
    """
    from scipy.optimize.elementwise import find_root
    from scipy.special import gammainccinv, gammaincinv

    behind = np.maximum(jobs - vault_servers, 0)
    alone = _longest_quantile(np.log(prob), np.minimum(jobs, vault_servers))
    behind, servers, prob, alone = np.broadcast_arrays(
        behind, vault_servers, prob, alone
    )
    wait = _wait_quantile(gammaincinv, behind, servers, prob)
    # neither part is longer than the whole, nor are both when each is rarely so
    low, late = np.maximum(wait, alone), (1 - prob) / 2
    high = _wait_quantile(gammainccinv, behind, servers, late)
    high = high + _longest_quantile(np.log1p(-late), servers)
    end = np.where(behind > 0, wait + alone, alone)
    inside = (behind > 0) & (behind < _MANY) & (prob > 0) & (prob < 1)
    if inside.any():
        behind, servers, prob = (part[inside] for part in (behind, servers, prob))
        found = find_root(
            lambda time, behind, servers, prob: _done(time, behind, servers) - prob,
            (low[inside], high[inside]),
            args=(behind, servers, prob),
            tolerances={"xrtol": 1e-13, "xatol": 0, "fatol": 0, "frtol": 1e-13},
        )
        end[inside] = found.x
    return end * service_h


def _longest_quantile(log_prob, count):
    """Quantile of the longest of so many exponential jobs of mean 1."""
    return -np.log(-np.expm1(log_prob / count))


def _wait_quantile(inverse, behind, servers, share):
    steps = inverse(np.clip(behind, 1, _MANY), share)
    return np.where(behind > _MANY, behind * (steps / _MANY), steps) / servers


def _done(time, behind, servers):
    """Probability that both the wait and the longest of the rest are over by a time.

    The one that varies less is summed over, for the other hardly bends beside it.
    """
    narrow = np.sqrt(behind) < servers
    done = np.empty(time.shape)
    for some, rule in ((narrow, _over_waits), (~narrow, _over_lengths)):
        cells = (part[some][:, np.newaxis] for part in (time, behind, servers))
        done[some] = rule(*cells)
    return done


def _over_waits(time, behind, servers):
    from scipy.special import gammainccinv, gammaincinv

    low = gammaincinv(behind, _LEAST) / servers
    high = np.minimum(gammainccinv(behind, _LEAST) / servers, time)
    half = np.maximum(high - low, 0) / 2
    wait = low + half * (1 + _POINTS)
    mass = np.exp(log_poisson_mass(behind, servers * wait)) * behind / wait
    longest = np.exp(servers * np.log(-np.expm1(-np.maximum(time - wait, 0))))
    return (half * _WEIGHTS * mass * longest).sum(axis=-1)


def _over_lengths(time, behind, servers):
    from scipy.special import gammainc

    low = np.log(np.maximum(servers / 40, 1))
    high = np.minimum(np.log(servers) + 40, time)
    half = np.maximum(high - low, 0) / 2
    length = low + half * (1 + _POINTS)
    rest = (servers - 1) * np.log(-np.expm1(-length))
    mass = servers * np.exp(rest - length)
    begun = gammainc(behind, servers * np.maximum(time - length, 0))
    return (half * _WEIGHTS * mass * begun).sum(axis=-1)
