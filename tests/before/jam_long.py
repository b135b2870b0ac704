r"""A traffic jam with many jobs on each mover: closed forms for any length of jobs.

All :math:`N` jobs arrive together and are taken in order by :math:`c` data movers.
Each mover takes one job after the other, and after a few of them the jobs that it
has done grow evenly with the time. That makes closed forms, as fast as any other;
`jam_general` is exact for short lines too.
"""

import numpy as np
from numpy.typing import ArrayLike

from before._lengths import POINTS, SHORT, WEIGHTS, lengths, refuse_lengths
from vmbmodel._arrays import formula

__all__ = ["long_jam_makespan_h", "long_jam_mean_wait_h", "long_jam_wait_h"]

EQUAL = 1e-10
"""Variation up to which jobs are taken as equal."""


@formula
def long_jam_wait_h(
    position: ArrayLike,
    vault_servers: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
) -> ArrayLike:
    r"""Mean wait of the job at a given place, for many jobs on each mover.

    .. math:: E[W_j] = \tau \left[ \frac{j - c}{c} + \frac{(1 - v)(c - 1)}{2 c}
        \right]^+ \quad (j > c), \qquad 0 \text{ otherwise}

    Parameters
    ----------
    position : array_like of int
        Place in line, :math:`j \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Mean length of a job, :math:`\tau > 0`. [h]
    service_scv : array_like of float
        Squared coefficient of variation of the length, :math:`v \ge 0`. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    before.jam_general.general_jam_wait_h : exact, and slower.

    Notes
    -----
    Exact for one mover and for exponential jobs; for equal jobs, the mean over the
    places of a wave. Elsewhere within 0.01 % from 20 jobs for each mover on up to
    :math:`v = 2` (lognormal 0.2 %), and within 1 % from 50 on up to :math:`v = 8`. Of a
    shorter line, with :math:`v > 1`, it can be short by any share.

    References
    ----------
    Cox (1962), :cite:`cox1962`, for the mean count :math:`t/\tau + (v - 1)/2`.

    Examples
    --------
    >>> print(long_jam_wait_h(1000, vault_servers=50, service_h=1, service_scv=0.5))
    19.245

    """
    return service_h * start(position - vault_servers, vault_servers, service_scv)


@formula
def long_jam_mean_wait_h(
    jobs: ArrayLike,
    vault_servers: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
) -> ArrayLike:
    r"""Mean wait of jobs that start at once, for many jobs on each mover.

    .. math:: \bar W = \frac{(N - c)^+}{N}\, \frac{\tau}{2 c} \left[ N - c + 1
        + (1 - v)(c - 1) \right]^+

    Parameters
    ----------
    jobs : array_like of int
        Jobs that start at once, :math:`N \ge 1`. [-]
    vault_servers : array_like of int
        Jobs served at a time, :math:`c \ge 1`. [-]
    service_h : array_like of float
        Mean length of a job, :math:`\tau > 0`. [h]
    service_scv : array_like of float
        Squared coefficient of variation of the length, :math:`v \ge 0`. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    before.jam_general.general_jam_mean_wait_h : exact, and slower.

    Notes
    -----
    The mean of `long_jam_wait_h` over the places: exact for one mover, for exponential
    jobs, and for equal ones in whole waves. The first jobs in line count here, so that
    it takes more of them: within 0.2 % from 20 jobs for each mover on up to
    :math:`v = 2` (lognormal 1.2 %), and 4 % from 50 on at :math:`v = 8`.

    References
    ----------
    Cox (1962), :cite:`cox1962`, for the mean count :math:`t/\tau + (v - 1)/2`.

    Examples
    --------
    >>> print(long_jam_mean_wait_h(1000, 50, service_h=0.5, service_scv=0.5))
    4.6336

    """
    behind = np.maximum(jobs - vault_servers, 0)
    early = (1 - service_scv) * (vault_servers - 1)
    return behind / jobs * (service_h / 2) * _over(behind + 1 + early, vault_servers)


@formula
def long_jam_makespan_h(
    jobs: ArrayLike,
    vault_servers: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Mean time until the last job is done, for many jobs on each mover.

    .. math:: M = E[W_N] + \tau \int_0^\infty \left( 1 - F(y)\, F_e(y)^{c - 1}
        \right) dy, \qquad F_e(y) = \int_0^y (1 - F(x))\, dx

    with the law :math:`F` of the length in mean lengths, :math:`F_e` of what is left of
    a job found at work, and :math:`W_N` of `long_jam_wait_h`.

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

    See Also
    --------
    before.jam_general.general_jam_makespan_h : exact, and slower.

    Notes
    -----
    Exact for exponential jobs, and with no line (:math:`N \le c`), where the integral
    is that of :math:`1 - F^N`. Against `general_jam_makespan_h`, of
    10 and 50 movers, within 0.4 % from 20 jobs for each on, and lognormal ones within
    1.4 % at :math:`v = 2`; of lognormal ones at 8 it is up to 40 % too long there, and
    0.3 % from 200 on.

    References
    ----------
    Cox (1962), :cite:`cox1962`.

    Examples
    --------
    >>> print(long_jam_makespan_h(1000, 50, 0.5, service_scv=0.5, family="lognormal"))
    11.4003

    """
    refuse_lengths(service_scv, family)
    behind = np.maximum(jobs - vault_servers, 0)
    begun = start(behind, vault_servers, service_scv)
    line = np.broadcast_arrays(jobs, vault_servers, service_scv)
    return service_h * (begun + rest(*line, family))


def _over(work, servers):
    return np.maximum(work, 0) / servers


def start(behind, servers, scv):
    """Mean start, in mean lengths, of the job so far behind the first ones."""
    early = (1 - scv) * (servers - 1) / 2
    return np.where(behind > 0, _over(behind + early, servers), 0)


def mean_wait(behind, servers, scv):
    """Mean wait, in mean lengths, of all jobs up to the one so far behind."""
    work = behind + 1 + (1 - scv) * (servers - 1)
    return behind / (behind + servers) * _over(work, servers) / 2


def start_quantile(prob, behind, servers, scv, family):
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
    return np.maximum(start(behind, servers, scv) + spread * drawn, 0)


def rest(jobs, servers, scv, family):
    """Mean time, in mean lengths, from the last start to the end of all jobs."""
    first, _, step, late = _ends(jobs, servers, scv, family)
    return np.where(scv > EQUAL, first + (late * step).sum(axis=-1), 1)


def makespan_quantile(late_prob, jobs, servers, scv, family):
    """Time, in mean lengths, that one jam exceeds with a probability.

    What start and end lie off their means is added as if both were normal.
    """
    behind = jobs - servers
    begun = start(behind, servers, scv)
    later = start_quantile(1 - late_prob, behind, servers, scv, family) - begun
    if servers == 1:
        return begun + later
    _, time, _, late = _ends(jobs, servers, scv, family)
    middle = rest(jobs, servers, scv, family)
    longer = np.interp(-late_prob, -late, time) - middle
    both = later * abs(later) + longer * abs(longer)
    return begun + middle + np.sign(both) * np.sqrt(abs(both))


def _ends(jobs, servers, scv, family):
    """Nodes of the time after the last start, and how often jobs end later still."""
    line = (part[..., np.newaxis] for part in np.broadcast_arrays(jobs, servers, scv))
    jobs, servers, scv = line
    law, several = lengths(np.maximum(scv, EQUAL), family), np.minimum(jobs, servers)
    # even steps of time while it is short, even ratios later
    first = law.tail_quantile(-np.expm1(-23 / several))
    low = np.arcsinh(np.where(jobs > servers, 0, first) / SHORT)
    high = np.arcsinh(law.tail_quantile(np.maximum(1e-12 / several, 1e-300)) / SHORT)
    bent = (low + high) / 2 + (high - low) / 2 * POINTS
    time = SHORT * np.sinh(bent)
    step = WEIGHTS * (high - low) / 2 * SHORT * np.cosh(bent)
    done = np.log(law.within(time))
    others = np.where(jobs > servers, np.log1p(-law.excess(time)), done)
    late = -np.expm1(done + (several - 1) * others)
    return SHORT * np.sinh(low[..., 0]), time, step, late
