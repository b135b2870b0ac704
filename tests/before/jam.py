r"""A traffic jam of equal jobs: many at once, and only so many served at a time.

All :math:`N` jobs arrive together and are taken in order by :math:`c` data
movers, so that jobs of equal length leave in waves. Jobs whose length varies are
in `random_jam`, if it is exponential, and in `jam_general`; those that do not
arrive together are in `line` and `slots`.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula

__all__ = ["jam_makespan_h", "jam_mean_wait_h", "jam_wait_h"]


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
