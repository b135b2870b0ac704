r"""Waiting for a data mover when jobs are not exponentially long: M/D/c and M/G/c.

The service time is given by its mean and its squared coefficient of variation,
variance over squared mean: 0 for jobs of equal length, 1 for exponential ones.
Two moments do not settle the wait of a pool, the shape of the service time
matters too, so it is an argument:

``gamma``
    from equal through Erlang to exponential and beyond;
``lognormal``
    a few very long jobs among many short ones;
``hyperexponential``
    two kinds of jobs, exponential each, with balanced means.

Equal jobs are computed exactly, by a series; the other shapes interpolate
between that and the exact M/M/c queue, and each function says how far off they
can be. A queue that cannot keep up waits ``inf``.
"""

import numpy as np
from numpy.typing import ArrayLike

from before.equal_jobs import equal_jobs
from before.queueing import log_waiting
from vmbmodel._arrays import formula
from vmbmodel.fields import refuse

__all__ = [
    "general_mean_wait_h",
    "general_wait_prob",
    "general_wait_quantile_h",
    "general_wait_scv",
    "general_wait_within_prob",
]

_FITTED = 8
"""Service variation up to which the lognormal rule was fitted and tested."""


@formula
def general_wait_prob(
    servers: ArrayLike,
    arrivals_per_h: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Probability that a job has to wait, for a service time of any variation.

    .. math:: p_w = C \left( \frac{C}{P_D} \right)^{(v - 1) / (v + 1)}

    with :math:`C` of the M/M/c queue and :math:`P_D` that of equal jobs.

    Parameters
    ----------
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    arrivals_per_h : array_like of float
        Jobs arriving as a Poisson stream, :math:`\lambda \ge 0`. [1/h]
    service_h : array_like of float
        Mean of the service time, :math:`\tau > 0`. [h]
    service_scv : array_like of float
        Squared coefficient of variation of the service time,
        :math:`v \ge 0`; at least 1 for ``hyperexponential``. [-]
    family : str
        Shape of the service time: ``gamma``, ``lognormal`` or
        ``hyperexponential``. [-]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments; equal to 1 where the
        queue cannot keep up. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for equal jobs (:math:`v = 0`), for exponential ones, and for one data
    mover. Elsewhere a rule of ours without a source. It does not depend on the
    family: exact solutions and long simulations differ from it by at most 1 % up
    to :math:`v = 2` (lognormal jobs of :math:`v = 1`: 2 %) and 2.8 % up to
    :math:`v = 8`.

    References
    ----------
    Equal jobs by the identity of Spitzer (1956), :cite:`spitzer1956`.

    Examples
    --------
    Equal jobs wait less often than exponential ones:

    >>> print(general_wait_prob(10, 9, 1, service_scv=0, family="gamma"))
    0.64686
    """
    return law(servers, arrivals_per_h * service_h, service_scv, family)[0]


@formula
def general_mean_wait_h(
    servers: ArrayLike,
    arrivals_per_h: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Mean time in line, for a service time of any variation and shape.

    .. math:: E[W] = R\, E[W_M], \qquad x = 2 (1 - E[W_D] / E[W_M]), \qquad
        R = \begin{cases}
        1 + (v - 1) x / 2 & \text{gamma} \\
        1 + (v - 1) x / 2 - A(v)\, x^{2.41} (1 - x)^{0.78} & \text{lognormal} \\
        (1 + v) / (2 v + (1 - v) / (1 - x / 2)) & \text{hyperexponential}
        \end{cases}

    with the wait :math:`W_M` of the M/M/c queue, :math:`W_D` of equal jobs, and
    :math:`A(v) = 1.65\, v^{2.97} / (1 + 2.64\, v^{1.62})`; above :math:`v = 8`,
    :math:`A(8)\, (v - 1) / 7`.

    Parameters
    ----------
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    arrivals_per_h : array_like of float
        Jobs arriving as a Poisson stream, :math:`\lambda \ge 0`. [1/h]
    service_h : array_like of float
        Mean of the service time, :math:`\tau > 0`. [h]
    service_scv : array_like of float
        Squared coefficient of variation of the service time,
        :math:`v \ge 0`; at least 1 for ``hyperexponential``. [-]
    family : str
        Shape of the service time: ``gamma``, ``lognormal`` or
        ``hyperexponential``. [-]

    Returns
    -------
    array_like of float
        Mean over all jobs, of the broadcast shape of the arguments; ``inf``
        where the queue cannot keep up. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for equal jobs (:math:`v = 0`, to 3e-7), for exponential ones under
    ``gamma`` and ``hyperexponential``, for one data mover, and in the limit of
    full load. Elsewhere, against exact solutions and long simulations of 1 to 200
    movers, root mean square and worst case: gamma 1.2 and 5 % up to :math:`v = 2`,
    2.6 and 8.5 % at 4; lognormal 1.6 and 6 % up to 2, 2 and 5 % at 4;
    hyperexponential 1 and 3 % at 2, 2.3 and 7.3 % at 4. At :math:`v = 8` up to
    13 %, hyperexponential 23 %; beyond, the rules are continued and untested.
    The lognormal term is calibrated on simulations, without a source.

    References
    ----------
    Spitzer (1956), :cite:`spitzer1956`, for equal jobs; Bjorklund and Elldin
    (1964), :cite:`bjorklund1964`, for gamma; Kimura (1986), :cite:`kimura1986`,
    for hyperexponential.

    Examples
    --------
    >>> print(general_mean_wait_h(10, 9, 1, service_scv=0, family="gamma"))
    0.344582
    """
    load = arrivals_per_h * service_h
    prob, mean, _ = law(servers, load, service_scv, family)
    return np.where(prob > 0, prob * mean * service_h, 0)


@formula
def general_wait_scv(
    servers: ArrayLike,
    arrivals_per_h: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Squared coefficient of variation of the wait of a job that has to wait.

    .. math:: s = 1 + K (1 - s_D), \qquad
        K = \frac{v - 1}{v + 1} + h \left( K_1 - \frac{v - 1}{v + 1} \right)

    with :math:`s_D` of equal jobs, and :math:`K_1` such that one data mover comes
    out exactly: :math:`2 v - 1` for lognormal, :math:`6 v / (1 + v) - 3` for
    hyperexponential service.

    Parameters
    ----------
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    arrivals_per_h : array_like of float
        Jobs arriving as a Poisson stream, :math:`\lambda \ge 0`. [1/h]
    service_h : array_like of float
        Mean of the service time, :math:`\tau > 0`. [h]
    service_scv : array_like of float
        Squared coefficient of variation of the service time,
        :math:`v \ge 0`; at least 1 for ``hyperexponential``. [-]
    family : str
        Shape of the service time: ``gamma``, ``lognormal`` or
        ``hyperexponential``. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; 1 for an exponential wait, and
        where nobody waits or the queue cannot keep up. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for equal jobs, for exponential ones under ``gamma`` and
    ``hyperexponential``, and for one data mover. Elsewhere a rule of ours without
    a source; see `general_wait_quantile_h` for what it does to quantiles.

    References
    ----------
    Spitzer (1956), :cite:`spitzer1956`, for equal jobs.

    Examples
    --------
    >>> print(general_wait_scv(10, 9, 1, service_scv=1, family="gamma"))
    1.0
    """
    return law(servers, arrivals_per_h * service_h, service_scv, family)[2]


@formula
def general_wait_within_prob(
    wait_h: ArrayLike,
    servers: ArrayLike,
    arrivals_per_h: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Probability of a wait no longer than given, for any service time.

    .. math:: P(W \le t) = 1 - p_w\, Q\left(\frac{1}{s}, \frac{t}{m s}\right),
        \qquad m = E[W] / p_w

    with :math:`Q` the regularised upper incomplete gamma function.

    Parameters
    ----------
    wait_h : array_like of float
        Time in line, :math:`t \ge 0`. [h]
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    arrivals_per_h : array_like of float
        Jobs arriving as a Poisson stream, :math:`\lambda \ge 0`. [1/h]
    service_h : array_like of float
        Mean of the service time, :math:`\tau > 0`. [h]
    service_scv : array_like of float
        Squared coefficient of variation of the service time,
        :math:`v \ge 0`; at least 1 for ``hyperexponential``. [-]
    family : str
        Shape of the service time: ``gamma``, ``lognormal`` or
        ``hyperexponential``. [-]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments; 0 where the queue
        cannot keep up. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    The wait of a job that has to wait is taken as gamma, with the mean and the
    variation of `general_mean_wait_h` and `general_wait_scv`: exact for
    exponential jobs. See `general_wait_quantile_h` for how far off it is elsewhere.

    References
    ----------
    Spitzer (1956), :cite:`spitzer1956`, for equal jobs.

    Examples
    --------
    >>> print(general_wait_within_prob(1, 10, 9, 1, service_scv=0, family="gamma"))
    0.9064
    """
    from scipy.special import gammaincc

    load = arrivals_per_h * service_h
    prob, mean, scv = law(servers, load, service_scv, family)
    late = gammaincc(1 / scv, np.minimum(wait_h / service_h, 1e300) / mean / scv)
    return np.where(load < servers, 1 - prob * late, 0)


@formula
def general_wait_quantile_h(
    prob: ArrayLike,
    servers: ArrayLike,
    arrivals_per_h: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Wait that a given share of the jobs does not exceed, for any service time.

    .. math:: t_p = m s\, Q^{-1}\left(\frac{1}{s}, \frac{1 - p}{p_w}\right)

    Parameters
    ----------
    prob : array_like of float
        Share of the jobs :math:`p`, in [0, 1]. [-]
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    arrivals_per_h : array_like of float
        Jobs arriving as a Poisson stream, :math:`\lambda \ge 0`. [1/h]
    service_h : array_like of float
        Mean of the service time, :math:`\tau > 0`. [h]
    service_scv : array_like of float
        Squared coefficient of variation of the service time,
        :math:`v \ge 0`; at least 1 for ``hyperexponential``. [-]
    family : str
        Shape of the service time: ``gamma``, ``lognormal`` or
        ``hyperexponential``. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; 0 where that share does not
        wait at all, ``inf`` where the queue cannot keep up, and at
        :math:`p = 1` wherever any job waits. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    The inverse of `general_wait_within_prob`. Against exact solutions and long
    simulations, for 95 and 99 % of the jobs, where at least twice the rest wait:
    gamma within 4 % (equal jobs 9 % at worst, where few wait), hyperexponential
    and lognormal within 6 % at :math:`v = 2` and 11 % at 4, and 32 % at 8.

    References
    ----------
    Spitzer (1956), :cite:`spitzer1956`, for equal jobs.

    Examples
    --------
    >>> print(general_wait_quantile_h(0.95, 10, 9, 1, service_scv=0, family="gamma"))
    1.29
    """
    load = arrivals_per_h * service_h
    return quantile(prob, *law(servers, load, service_scv, family)) * service_h


def quantile(prob, waiting, mean, scv):
    """Quantile, in service times, of a wait with the given `law`."""
    from scipy.special import gammainccinv

    some = (1 - prob < waiting) & (mean < np.inf)
    share = np.where(some, (1 - prob) / waiting, 1)
    excess = gammainccinv(1 / scv, share)
    late = np.where(some & (excess > 0), mean * scv * excess, 0)
    return np.where(mean < np.inf, late, np.inf)


def law(servers, load, service_scv, family):
    """Probability of waiting, mean wait of those who wait, and its variation.

    On plain arrays; the mean is in service times, and ``inf`` where the queue
    cannot keep up.
    """
    if family == "hyperexponential":
        refuse_mixture(service_scv)
    servers, load, scv = np.broadcast_arrays(servers, load, service_scv)
    stable = load < servers
    inside = np.where(stable, load, 0)
    log_c = log_waiting(servers, inside)
    prob_d, mean_d, square_d = equal_jobs(servers, inside)
    mean_m = np.exp(log_c) / (servers - inside)
    rises = (prob_d > 0) & (mean_d > 0) & (mean_m > 0)  # above what a float can hold
    # equal jobs wait between half as long, in heavy traffic, and as long
    ratio = np.where(rises, np.clip(mean_d / mean_m, 0.5, 1), 1)
    scv_d = (square_d / mean_d) * (prob_d / mean_d) - 1
    scv_d = np.where(rises & (scv_d >= 0), np.minimum(scv_d, 1), 1)
    log_ratio = np.where(rises, log_c - np.log(prob_d), 0)
    pull = (scv - 1) / (scv + 1)
    prob = np.where(rises, np.minimum(np.exp(log_c + pull * log_ratio), 1), 0)
    factor, single, share = _FAMILIES[family](scv, servers, ratio)
    spread = 1 + (pull + share * (single - pull)) * (1 - scv_d)
    mean = factor * np.exp(-pull * log_ratio) / (servers - inside)
    return (
        np.where(stable, prob, 1),
        np.where(stable, mean, np.inf),
        np.where(stable, spread, 1),
    )


def refuse_mixture(service_scv):
    """Refuse two kinds of exponential jobs that vary less than one kind does."""
    refuse("service_scv", ">= 1 if hyperexponential", service_scv, service_scv >= 1)


def _gamma(scv, servers, ratio):
    """Factor on the mean of M/M/c, spread for one mover, and how far that counts."""
    return 1 + (scv - 1) * (1 - ratio), 0, 0


def _lognormal(scv, servers, ratio):
    heavy = 2 * (1 - ratio)
    fitted = np.minimum(scv, _FITTED)
    bend = 1.65 * fitted**2.97 / (1 + 2.64 * fitted**1.62)
    # beyond the fit each unit of variation adds what it did on average up to there
    bend = np.where(scv > _FITTED, bend * ((scv - 1) / (_FITTED - 1)), bend)
    factor = 1 + (scv - 1) * heavy / 2 - bend * heavy**2.41 * (1 - heavy) ** 0.78
    return factor, 2 * scv - 1, np.minimum(servers**-0.38, 1) * heavy**5.1


def _hyperexponential(scv, servers, ratio):
    pull = (scv - 1) / (scv + 1)
    return 1 / (2 / (1 + scv) + pull * (2 - 1 / ratio)), 3 * pull, 1


_FAMILIES = {
    "gamma": _gamma,
    "lognormal": _lognormal,
    "hyperexponential": _hyperexponential,
}
