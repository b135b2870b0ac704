r"""A traffic jam: many jobs at once, and only so many are served at a time.

All :math:`N` jobs arrive together and are taken in order by :math:`c` data
movers. Jobs of equal length leave in waves; jobs of exponential length give the
spread that varying jobs bring. `line_wait_h` takes jobs of any known length, at
once or not, one by one.
"""

import heapq

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula

__all__ = [
    "jam_makespan_h",
    "jam_mean_wait_h",
    "jam_wait_h",
    "line_wait_h",
    "random_jam_makespan_h",
    "random_jam_mean_wait_h",
]


@formula
def jam_wait_h(
    position: ArrayLike, vault_servers: ArrayLike, service_h: ArrayLike
) -> ArrayLike:
    r"""Wait of the job at a given place in line, when all jobs are equally long.

    .. math:: W_j = \left\lfloor \frac{j - 1}{c} \right\rfloor \tau

    Parameters
    ----------
    position : array_like of int
        Place in line, :math:`j \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Length of every job, :math:`\tau > 0`. [h]

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
    Exact for jobs of equal length. With exponential jobs the mean wait of the
    job at place :math:`j > c` is :math:`(j - c)\tau/c`.

    References
    ----------
    Cox (1962), on superposed renewal processes, :cite:`cox1962`; the jam is
    Microsoft's (2018), "Scheduling considerations", :cite:`article2018`.

    Examples
    --------
    The hundredth job in line, ten served at a time, half an hour each:

    >>> print(jam_wait_h(100, vault_servers=10, service_h=0.5))
    4.5
    """
    return np.floor((position - 1) / vault_servers) * service_h


@formula
def jam_mean_wait_h(
    jobs: ArrayLike, vault_servers: ArrayLike, service_h: ArrayLike
) -> ArrayLike:
    r"""Mean wait of jobs that all start at once, when all are equally long.

    .. math:: \bar W = \frac{\tau}{N} \left[ \frac{c\, q (q - 1)}{2} + r q \right],
        \qquad N = q c + r, \quad 0 \le r < c

    Parameters
    ----------
    jobs : array_like of int
        Jobs that start at once, :math:`N \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Length of every job, :math:`\tau > 0`. [h]

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
    Exact for jobs of equal length.

    References
    ----------
    Cox (1962), :cite:`cox1962`.

    Examples
    --------
    >>> print(jam_mean_wait_h(100, vault_servers=10, service_h=0.5))
    2.25
    """
    waves = np.floor(jobs / vault_servers)
    rest = jobs - waves * vault_servers
    full = vault_servers * np.maximum(waves - 1, 0)
    return waves * ((full / 2 + rest) / jobs) * service_h


@formula
def jam_makespan_h(
    jobs: ArrayLike, vault_servers: ArrayLike, service_h: ArrayLike
) -> ArrayLike:
    r"""Time until the last of several jobs is done, when all are equally long.

    .. math:: M = \left\lceil \frac{N}{c} \right\rceil \tau

    Parameters
    ----------
    jobs : array_like of int
        Jobs that start at once, :math:`N \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Length of every job, :math:`\tau > 0`. [h]

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
    Exact for jobs of equal length.

    References
    ----------
    Cox (1962), :cite:`cox1962`.

    Examples
    --------
    >>> print(jam_makespan_h(100, vault_servers=10, service_h=0.5))
    5.0
    """
    return np.ceil(jobs / vault_servers) * service_h


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


@formula(along="job", over=("arrival_h", "service_h"))
def line_wait_h(
    arrival_h: ArrayLike, service_h: ArrayLike, vault_servers: ArrayLike
) -> ArrayLike:
    r"""Wait of each of several jobs of known length, served in order of arrival.

    .. math:: W_j = \left( \min_i f_i - a_j \right)^+, \qquad
        f_{i^*} \leftarrow a_j + W_j + s_j

    where :math:`f_i` is when data mover :math:`i` becomes free, and
    :math:`i^*` the first of them to do so.

    Parameters
    ----------
    arrival_h : array_like of float, at least one-dimensional
        When each job arrives, :math:`a \ge 0`, jobs along the last axis, in any
        order; of those that arrive together, the first in line is served
        first. [h]
    service_h : array_like of float
        Length of each job, :math:`s > 0`; jobs along the last axis, or one
        length for all. [h]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`; of the shape of `arrival_h`
        without its last axis. [-]

    Returns
    -------
    array_like of float
        Of the shape of `arrival_h`, in its order. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    jam_wait_h : a closed form for equal jobs that arrive together.

    Notes
    -----
    Exact, by the recursion of Kiefer and Wolfowitz, job by job.

    References
    ----------
    Kiefer and Wolfowitz (1955), :cite:`kieferwolfowitz1955`.

    Examples
    --------
    Two served at a time; a long job keeps one of them:

    >>> print(line_wait_h([0, 0, 0, 0.5], [4, 1, 1, 1], vault_servers=2))
    [0.  0.  1.  1.5]
    """
    arrival_h, service_h = np.broadcast_arrays(arrival_h, service_h)
    groups = np.broadcast_shapes(arrival_h.shape[:-1], vault_servers.shape)
    shape = (*groups, arrival_h.shape[-1])
    arrival_h, service_h = (np.broadcast_to(x, shape) for x in (arrival_h, service_h))
    served = np.broadcast_to(vault_servers, groups)
    wait = np.empty(shape)
    for group in np.ndindex(groups):
        wait[group] = _line(arrival_h[group], service_h[group], served[group])
    return wait


def _line(arrival_h, service_h, served):
    """Serve one line; who finds a mover that has not worked yet does not wait."""
    wait, free = np.zeros(len(arrival_h)), []
    for job in np.argsort(arrival_h, kind="stable").tolist():
        begin = arrival_h[job]
        if len(free) >= served:
            begin = max(begin, heapq.heappop(free))
        wait[job] = begin - arrival_h[job]
        heapq.heappush(free, begin + service_h[job])
    return wait
