r"""A traffic jam of jobs of any variation and shape, exactly.

All :math:`N` jobs arrive together and are taken in order by :math:`c` data movers.
While the line lasts each mover takes one job after the other, so that the jobs
done by a time are the sum of :math:`c` independent counts of renewals. Their law
is computed here, in some milliseconds to a second for each jam; with many jobs on
each mover, the closed forms of `jam_long` take over.

Lengths are given by their mean, their squared coefficient of variation (0 for
equal jobs, 1 for exponential ones) and their shape, as in `queueing_general`.
"""

import numpy as np
from numpy.typing import ArrayLike

from before._lengths import lengths, refuse_lengths
from before._renewal import Jam
from before.jam import jam_mean_wait_h
from before.jam_long import (
    EQUAL,
    mean_wait,
    rest,
    start,
    start_quantile,
)
from before.jam_long import makespan_quantile as long_quantile
from vmbmodel._arrays import formula

__all__ = [
    "general_jam_makespan_h",
    "general_jam_makespan_quantile_h",
    "general_jam_mean_wait_h",
    "general_jam_wait_h",
    "general_jam_wait_quantile_h",
]

_ALIKE = 0.01
"""Variation up to which all shapes are as good as one."""
_WILD = 100
"""Variation above which next to all jobs end at once, and hardly one never."""
_LONG = 200
"""Jobs for each mover from which on the closed forms serve."""
_LARGE = 1e5
"""Jobs above which a jam is computed as a smaller one of the same shape."""


@formula
def general_jam_wait_h(
    position: ArrayLike,
    vault_servers: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Mean wait of the job at a given place, for any length of jobs.

    .. math:: E[W_j] = \int_0^\infty P\left( \sum_{i=1}^{c} N_i(t) < j - c \right) dt,
        \qquad P(N_i(t) \ge n) = F^{*n}(t)

    Parameters
    ----------
    position : array_like of int
        Place in line, :math:`j \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Mean length of a job, :math:`\tau > 0`. [h]
    service_scv : array_like of float
        Squared coefficient of variation of the length, :math:`v \ge 0`; at least 1 for
        ``hyperexponential``. [-]
    family : str
        Shape of the length: ``gamma``, ``lognormal`` or ``hyperexponential``. [-]

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
    Exact to 1e-9 for gamma lengths, whose sums are gamma; to 1e-4 for the others,
    whose sums are computed on a grid. From 200 jobs for each mover on
    `long_jam_wait_h` takes over, within 0.04 %; above 100,000 jobs a smaller jam of
    the same shape. Up to :math:`v = 0.01` all shapes are computed as gamma, up to
    1e-10 as equal jobs; above 100 the closed form stands in, and the end is taken as
    that of the longest job. Takes some milliseconds to half a second for each jam.

    References
    ----------
    Cox (1962), :cite:`cox1962`, for counts of renewals.

    Examples
    --------
    >>> print(general_jam_wait_h(1000, 50, 1, service_scv=2, family="lognormal"))
    18.529

    """

    def mean(behind, servers, scv):
        jam = _jam(servers, behind, scv, family)
        return jam.mean_start() if jam else start(behind, servers, scv)

    refuse_lengths(service_scv, family)
    behind = np.maximum(position - vault_servers, 0)
    equal = np.where(behind > 0, np.floor((position - 1) / vault_servers), 0)
    wait = _each(mean, service_scv, behind, behind, vault_servers, service_scv)
    return service_h * np.where(service_scv > EQUAL, wait, equal)


@formula
def general_jam_wait_quantile_h(
    prob: ArrayLike,
    position: ArrayLike,
    vault_servers: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Wait that the job at a given place exceeds only so often, for any length.

    .. math:: t_p:\quad P\left( \sum_{i=1}^{c} N_i(t_p) \ge j - c \right) = p,
        \qquad P(N_i(t) \ge n) = F^{*n}(t)

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
    service_scv : array_like of float
        Squared coefficient of variation of the length, :math:`v \ge 0`; at least 1 for
        ``hyperexponential``. [-]
    family : str
        Shape of the length: ``gamma``, ``lognormal`` or ``hyperexponential``. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; ``inf`` at :math:`p = 1` for who has to
        wait, unless all jobs are equal. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    As exact as `general_jam_wait_h`, up to a probability of :math:`10^{-13} c` from 1.
    From 200 jobs for each mover on the wait is taken as that of a sum of
    :math:`j - c` jobs, each :math:`c` times as short: within 0.2 % up to
    :math:`v = 2` and 3 % up to 8, for 95 % of the cases.

    References
    ----------
    Cox (1962), :cite:`cox1962`, for counts of renewals.

    Examples
    --------
    >>> print(general_jam_wait_quantile_h(0.95, 100, 10, 1, 0.5, family="lognormal"))
    10.364

    """

    def quantile(prob, behind, servers, scv):
        jam = _jam(servers, behind, scv, family, 1 - prob)
        if jam:  # a jam that was made smaller varies more
            mean = jam.mean_start()
            return mean + (jam.start_quantile(prob) - mean) / np.sqrt(_scale(behind))
        if behind <= _LONG * servers:
            return 0.0
        return start_quantile(prob, behind, servers, scv, family)

    refuse_lengths(service_scv, family)
    behind = np.maximum(position - vault_servers, 0)
    equal = np.where(behind > 0, np.floor((position - 1) / vault_servers), 0)
    inner = behind * prob * (1 - prob)
    wait = _each(quantile, service_scv, inner, prob, behind, vault_servers, service_scv)
    wait = np.where((prob == 1) & (behind > 0), np.inf, wait)
    return service_h * np.where(service_scv > EQUAL, wait, equal)


@formula
def general_jam_mean_wait_h(
    jobs: ArrayLike,
    vault_servers: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Mean wait of jobs that start at once, for any length of jobs.

    .. math:: \bar W = \frac{1}{N} \int_0^\infty E\left[ \left( N - c
        - \sum_{i=1}^{c} N_i(t) \right)^+ \right] dt, \qquad P(N_i(t) \ge n) = F^{*n}(t)

    Parameters
    ----------
    jobs : array_like of int
        Jobs that start at once, :math:`N \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Mean length of a job, :math:`\tau > 0`. [h]
    service_scv : array_like of float
        Squared coefficient of variation of the length, :math:`v \ge 0`; at least 1 for
        ``hyperexponential``. [-]
    family : str
        Shape of the length: ``gamma``, ``lognormal`` or ``hyperexponential``. [-]

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
    As exact as `general_jam_wait_h`; from 200 jobs for each mover on
    `long_jam_mean_wait_h` takes over, within 0.4 % (lognormal of :math:`v = 8`; 0.02 %
    up to 2).

    References
    ----------
    Cox (1962), :cite:`cox1962`, for counts of renewals.

    Examples
    --------
    >>> print(general_jam_mean_wait_h(1000, 50, 0.5, 0.5, family="lognormal"))
    4.6344

    """

    def mean(behind, servers, scv):
        jam = _jam(servers, behind, scv, family)
        return jam.mean_wait() if jam else mean_wait(behind, servers, scv)

    refuse_lengths(service_scv, family)
    behind = np.maximum(jobs - vault_servers, 0)
    wait = _each(mean, service_scv, behind, behind, vault_servers, service_scv)
    equal = jam_mean_wait_h(jobs, vault_servers, 1.0)
    return service_h * np.where(service_scv > EQUAL, wait, equal)


@formula
def general_jam_makespan_h(
    jobs: ArrayLike,
    vault_servers: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Mean time until the last job is done, for any length of jobs.

    .. math:: M = E[W_N] + \int_0^\infty E\left[ 1 - F(y)\, R(W_N, y) \right] dy

    with the law :math:`F` of the length, and the probability :math:`R(s, y)` that the
    other :math:`c - 1` movers are done :math:`y` after the last job began at :math:`s`.

    Parameters
    ----------
    jobs : array_like of int
        Jobs that start at once, :math:`N \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Mean length of a job, :math:`\tau > 0`. [h]
    service_scv : array_like of float
        Squared coefficient of variation of the length, :math:`v \ge 0`; at least 1 for
        ``hyperexponential``. [-]
    family : str
        Shape of the length: ``gamma``, ``lognormal`` or ``hyperexponential``. [-]

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
    Exact to 1e-3 and mostly much better: :math:`R` counts what each mover has done
    when the last job begins. Above 200 movers or 30 jobs for each, movers
    are taken as independent there, which changes less than 0.2 %; from 200 jobs for
    each on `long_jam_makespan_h` takes over. Takes a tenth of a second to two for each
    jam.

    References
    ----------
    Cox (1962), :cite:`cox1962`, for counts of renewals.

    Examples
    --------
    >>> print(general_jam_makespan_h(100, 10, 0.5, service_scv=2, family="lognormal"))
    7.0739

    """

    def mean(jobs, servers, scv):
        jam = _jam(servers, jobs - servers, scv, family)
        if jam and servers > 1:
            return jam.last_done(servers).mean()
        if scv > _WILD and servers > 1:
            servers = jobs
        begun = start(jobs - servers, servers, scv)
        return begun + float(rest(jobs, servers, scv, family))

    refuse_lengths(service_scv, family)
    last = _each(mean, service_scv, jobs, jobs, vault_servers, service_scv)
    equal = np.ceil(jobs / vault_servers)
    return service_h * np.where(service_scv > EQUAL, last, equal)


@formula
def general_jam_makespan_quantile_h(
    prob: ArrayLike,
    jobs: ArrayLike,
    vault_servers: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Time by which the last job is done with a probability, for any length of jobs.

    .. math:: t_p:\quad E\left[ F(t_p - W_N)\, R(W_N, t_p - W_N) \right] = p

    as in `general_jam_makespan_h`.

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
    service_scv : array_like of float
        Squared coefficient of variation of the length, :math:`v \ge 0`; at least 1 for
        ``hyperexponential``. [-]
    family : str
        Shape of the length: ``gamma``, ``lognormal`` or ``hyperexponential``. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; ``inf`` at :math:`p = 1`, unless all
        jobs are equal. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Meets the probability to 0.002, and closer near 0 and 1. With no line
    (:math:`N \le c`) it is :math:`F^{-1}(p^{1/N})`, exactly; with one mover, the
    quantile of a sum of :math:`N` jobs. From 200 jobs for each mover on the
    spread of start and end is put together as if both were normal: within 0.5 %
    (lognormal of :math:`v = 8`: 3 %) at 95 % of the cases.

    References
    ----------
    Cox (1962), :cite:`cox1962`, for counts of renewals.

    Examples
    --------
    >>> print(general_jam_makespan_quantile_h(0.95, 100, 10, 0.5, 2, "lognormal"))
    11.383

    """
    refuse_lengths(service_scv, family)
    last = makespan_quantile(1 - prob, jobs, vault_servers, service_scv, family)
    return service_h * last


def makespan_quantile(late_prob, jobs, servers, service_scv, family):
    """Time, in mean lengths, that all jobs exceed together with a probability."""

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
            return long_quantile(late_prob, behind + servers, servers, scv, family)
        if servers == 1:
            return jam.start_quantile(1 - late_prob)
        return jam.last_done(servers).quantile(1 - late_prob)

    inner = late_prob * (1 - late_prob)
    last = _each(quantile, service_scv, inner, late_prob, jobs, servers, service_scv)
    last = np.where(late_prob == 0, np.inf, last)
    return np.where(service_scv > EQUAL, last, np.ceil(jobs / servers))


def _each(compute, service_scv, wanted, *arguments):
    """Compute each jam once that is wanted and whose jobs vary; 0 elsewhere."""
    shape = np.broadcast_shapes(*(np.shape(part) for part in arguments))
    wanted = np.broadcast_to((wanted > 0) & (service_scv > EQUAL), shape)
    result = np.zeros(shape)
    if wanted.any():
        cells = [np.broadcast_to(part, shape)[wanted] for part in arguments]
        jams, which = np.unique(np.array(cells), axis=1, return_inverse=True)
        found = np.array([float(compute(*jam)) for jam in jams.T])
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
