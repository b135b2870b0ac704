r"""Waiting for a data mover: one line before a pool, M/M/c, M/D/c and M/G/c.

Jobs arrive at random, join one line, and are taken by the first free of
`servers` identical data movers. The offered load is the number of movers the
jobs would keep busy if one were always free: :math:`a = \lambda\tau`, and the
utilisation is :math:`\rho = a / c`.

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

Exponential jobs are the default, and exact in closed form. Equal jobs are computed
exactly, by a series; the other shapes interpolate between both, and each function
says how far off they can be. A queue that cannot keep up (:math:`\rho \ge 1`) waits
``inf``: a result, not an error. The number of movers need not be whole: the formulas
are continuous in it.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.lengths import by_variation
from vmbmodel.formulas._kernels.pool import wait_law, wait_quantile
from vmbmodel.formulas._kernels.special import (
    log_poisson_mass,
    log_waiting,
    upper_gamma,
)

__all__ = [
    "erlang_c_prob",
    "mean_wait_h",
    "wait_decay_per_h",
    "wait_prob",
    "wait_quantile_h",
    "wait_scv",
    "wait_within_prob",
]


@formula
def erlang_c_prob(servers, offered_load):
    r"""Probability that an arriving job has to wait, of exponential length.

    .. math::

        C(c, a) = \frac{f}{f + (1 - \rho)\, Q(c, a)}, \qquad
        f = \frac{a^c e^{-a}}{\Gamma(c + 1)}, \qquad \rho = a / c

    with :math:`Q` the regularised upper incomplete gamma function.

    Returns
    -------
    equal to 1 wherever :math:`a \ge c`.

    Notes
    -----
    The share of the states in which all movers are busy: one with :math:`n < c` busy
    movers has the weight :math:`a^n / n!`, and those with :math:`c`, whatever the line
    behind them, have :math:`\frac{a^c}{c!} \frac{c}{c - a}` together.

    Exact for Poisson arrivals and exponential service. The Poisson mass
    :math:`f` is evaluated by its saddle point, because a difference of
    log-gamma functions loses digits from a thousand movers on
    :cite:`loader2000`. Relative error below 1e-12 up to a million movers.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`.

    Examples
    --------
    Offer three movers two erlangs, and four jobs in nine wait:

    >>> print(erlang_c_prob(3, 2.0))
    0.4444
    """
    return _erlang_c(servers, offered_load)


@formula
def wait_prob(servers, arrivals_per_h, service_h, service_scv=1, family: str = "gamma"):
    r"""Probability that a job has to wait.

    .. math:: p_w = C \left( \frac{C}{P_D} \right)^{(v - 1) / (v + 1)}

    with :math:`C` of the M/M/c queue and :math:`P_D` that of equal jobs.

    Returns
    -------
    equal to 1 where the queue cannot keep up.

    See Also
    --------
    erlang_c_prob : by the offered load, for exponential jobs.

    Notes
    -----
    Exact for exponential jobs (:math:`v = 1`, but ``lognormal``), for equal ones
    (:math:`v = 0`), and for one data mover. Elsewhere a rule of ours without a
    source. It does not depend on the family. Exact solutions and long simulations of 1
    to 50 movers differ from it, where one job in ten waits or more, by at most 1.5 %
    up to :math:`v = 2` (lognormal jobs: 2.5 %) and 4 % up to :math:`v = 8`; where one
    in twenty does, by up to a tenth at :math:`v = 8`.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`; equal jobs by the identity of
    Spitzer (1956), :cite:`spitzer1956`.

    Examples
    --------
    Equal jobs wait less often than exponential ones:

    >>> print(wait_prob(10, 9, 1, service_scv=[0, 1]))
    [0.64686 0.66873]
    """
    load = arrivals_per_h * service_h
    return by_variation(
        service_scv,
        family,
        exponential=lambda: _erlang_c(servers, load),
        other=lambda: wait_law(servers, load, service_scv, family)[0],
    )


@formula
def mean_wait_h(
    servers, arrivals_per_h, service_h, service_scv=1, family: str = "gamma"
):
    r"""Mean time a job spends in line before a data mover takes it.

    .. math:: E[W_M] = \frac{C(c, \lambda\tau)\,\tau}{c - \lambda\tau}

    for exponential jobs, and for others

    .. math:: E[W] = R\, E[W_M], \qquad x = 2 (1 - E[W_D] / E[W_M]), \qquad
        R_\text{gamma} = g, \qquad
        R_\text{lognormal} = g - A(v)\, x^{2.41} (1 - x)^{0.78}, \qquad
        R_\text{hyperexponential} = (1 - q)\, h + q\, g, \qquad
        g = 1 + (v - 1)\, \frac{x}{2}, \qquad
        h = \frac{1 + v}{2 v + (1 - v) / (1 - x / 2)}

    with the wait :math:`W_D` of equal jobs,
    :math:`A(v) = 1.65\, v^{2.97} / (1 + 2.64\, v^{1.62})`, above :math:`v = 8`
    :math:`A(8)\, (v - 1) / 7`, and for :math:`c > 1`
    :math:`q = \frac{v - 1}{v + 1} (0.1 + 0.4 x + 1/c) - 0.15`, from 0 to 1.

    Returns
    -------
    mean over all jobs, those that do not wait included; ``inf`` where the queue
    cannot keep up.

    Notes
    -----
    Exact for exponential jobs (:math:`v = 1`, but ``lognormal``), for equal ones
    (:math:`v = 0`, to 3e-7), for one data mover, and in the limit of full load.
    Elsewhere, against exact solutions and long simulations, at worst: hyperexponential,
    2 to 100 movers, within 3 % up to :math:`v = 2` and 4 % at 4, and 2 to 50 within
    4.5 % at 8, at any load from 0.05; where one job in twenty waits or more, gamma
    within 5 % up to 2 and 8.5 % at 4, lognormal within 6 % up to 4, and both within
    16 % at 8. Where hardly any of the jobs of ten movers wait, gamma is 9, 24 and 38 %
    too short at :math:`v` = 2, 4 and 8, and lognormal 11, 18 and 29 % too long. Beyond
    :math:`v = 8` the rules are continued and untested. The lognormal term and
    :math:`q` are ours, fitted to simulations and to exact solutions.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`, for exponential jobs; Spitzer
    (1956), :cite:`spitzer1956`, for equal ones; Bjorklund and Elldin (1964),
    :cite:`bjorklund1964`, for gamma; Kimura (1986), :cite:`kimura1986`, for
    hyperexponential jobs where :math:`q = 0`.

    Examples
    --------
    >>> print(mean_wait_h(3, arrivals_per_h=6, service_h=1 / 3))
    0.1481
    >>> print(mean_wait_h(10, 9, 1, service_scv=0))
    0.344582
    """
    load = arrivals_per_h * service_h

    def exponential():
        some = np.minimum(load, servers)
        return np.exp(log_waiting(servers, some)) * service_h / (servers - some)

    def other():
        waiting, mean, _ = wait_law(servers, load, service_scv, family)
        return np.where(waiting > 0, waiting * mean * service_h, 0)

    return by_variation(service_scv, family, exponential=exponential, other=other)


@formula
def wait_decay_per_h(servers, arrivals_per_h, service_h):
    r"""Rate at which the wait of a job that has to wait runs out.

    .. math:: \theta = \frac{c}{\tau} - \lambda, \qquad
        P(W > t \mid W > 0) = e^{-\theta t}

    Parameters
    ----------
    service_h : mean of the exponential service time, :math:`\tau`

    Returns
    -------
    0 where the queue never clears.

    Notes
    -----
    Exact for Poisson arrivals and exponential service.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`.

    Examples
    --------
    >>> print(wait_decay_per_h(3, arrivals_per_h=6, service_h=1 / 3))
    3.0
    """
    return _decay(servers, np.minimum(arrivals_per_h * service_h, servers), service_h)


@formula
def wait_scv(servers, arrivals_per_h, service_h, service_scv=1, family: str = "gamma"):
    r"""Squared coefficient of variation of the wait of a job that has to wait.

    .. math:: s = 1 + K (1 - s_D), \qquad
        K = \frac{v - 1}{v + 1} + h \left( K_1 - \frac{v - 1}{v + 1} \right)

    with :math:`s_D` of equal jobs, and :math:`K_1` such that one data mover comes
    out exactly: :math:`2 v - 1` for lognormal, :math:`6 v / (1 + v) - 3` for
    hyperexponential service.

    Returns
    -------
    1 for an exponential wait, and where nobody waits or the queue cannot keep up.

    Notes
    -----
    Exact for exponential jobs (:math:`v = 1`, but ``lognormal``), for equal ones, and
    for one data mover. Elsewhere a rule of ours without a source; see
    `wait_quantile_h` for what it does to quantiles.

    References
    ----------
    Spitzer (1956), :cite:`spitzer1956`, for equal jobs.

    Examples
    --------
    >>> print(wait_scv(10, 9, 1, service_scv=[0, 1]))
    [0.84440938 1.        ]
    """
    load = arrivals_per_h * service_h
    return by_variation(
        service_scv,
        family,
        exponential=lambda: np.ones(np.broadcast_shapes(servers.shape, load.shape)),
        other=lambda: wait_law(servers, load, service_scv, family)[2],
    )


@formula
def wait_within_prob(
    wait_h, servers, arrivals_per_h, service_h, service_scv=1, family: str = "gamma"
):
    r"""Probability that a job waits no longer than a given time.

    .. math:: P(W \le t) = 1 - C(c, \lambda\tau)\, e^{-(c/\tau - \lambda) t}

    for exponential jobs, and for others

    .. math:: P(W \le t) = 1 - p_w\, Q\left(\frac{1}{s}, \frac{t}{m s}\right),
        \qquad m = E[W] / p_w

    with :math:`Q` the regularised upper incomplete gamma function.

    Returns
    -------
    0 where the queue cannot keep up.

    Notes
    -----
    Exact for exponential jobs. Else the wait of a job that has to wait is taken as
    gamma, with the mean and the variation of `mean_wait_h` and `wait_scv`; see
    `wait_quantile_h` for how far off that is.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`; Spitzer (1956),
    :cite:`spitzer1956`, for equal jobs.

    Examples
    --------
    >>> print(wait_within_prob(0, 3, arrivals_per_h=6, service_h=1 / 3))
    0.5556
    >>> print(wait_within_prob(1, 10, 9, 1, service_scv=0))
    0.9064
    """
    load = arrivals_per_h * service_h

    def exponential():
        some = np.minimum(load, servers)
        decay = _decay(servers, some, service_h)
        # nothing happens in no time, however fast, and at no rate
        gone = np.where((decay == 0) | (wait_h == 0), 0, decay * wait_h)
        return np.abs(np.expm1(log_waiting(servers, some) - gone))

    def other():
        from scipy.special import gammaincc

        waiting, mean, scv = wait_law(servers, load, service_scv, family)
        rest = np.minimum(wait_h / service_h, 1e300) / mean / scv
        return np.where(load < servers, 1 - waiting * gammaincc(1 / scv, rest), 0)

    return by_variation(service_scv, family, exponential=exponential, other=other)


@formula
def wait_quantile_h(
    prob, servers, arrivals_per_h, service_h, service_scv=1, family: str = "gamma"
):
    r"""Wait that a given share of the jobs does not exceed.

    .. math:: t_p = \max\left(0, \frac{\ln C(c, \lambda\tau) - \ln(1 - p)}
        {c/\tau - \lambda}\right)

    for exponential jobs, and for others, as in `wait_within_prob`,

    .. math:: t_p = m s\, Q^{-1}\left(\frac{1}{s}, \frac{1 - p}{p_w}\right)

    Returns
    -------
    0 where that share does not wait at all; ``inf`` where the queue cannot keep up,
    and at :math:`p = 1` wherever any job waits.

    Notes
    -----
    Exact for exponential jobs. Against exact solutions and long simulations of
    others, for 95 and 99 % of the jobs, where at least five times the rest wait: gamma
    within 6 % (equal jobs 9 % at worst), hyperexponential within 6 % up to
    :math:`v = 4` and 12 % at 8, lognormal within 7 % at :math:`v = 2`, 13 % at 4 and
    32 % at 8. Where fewer wait, it may be half as much again.

    References
    ----------
    As `wait_within_prob`, :cite:`gross2008,spitzer1956`.

    Examples
    --------
    Of the jobs of three movers at two thirds of their capacity, 95 % wait less
    than this many hours:

    >>> print(wait_quantile_h(0.95, 3, arrivals_per_h=6, service_h=1 / 3))
    0.7283
    >>> print(wait_quantile_h(0.95, 10, 9, 1, service_scv=0))
    1.29
    """
    load = arrivals_per_h * service_h

    def exponential():
        some = np.minimum(load, servers)
        # fmax: nobody waits where nothing is offered, for no share of the jobs
        excess = np.fmax(log_waiting(servers, some) - np.log1p(-prob), 0)
        decay = _decay(servers, some, service_h)
        ends = (decay > 0) & np.isfinite(excess)
        return np.where(ends, excess / decay, np.inf)

    def other():
        law = wait_law(servers, load, service_scv, family)
        return wait_quantile(prob, *law) * service_h

    return by_variation(service_scv, family, exponential=exponential, other=other)


def _erlang_c(servers, load):
    load = np.minimum(load, servers)
    mass = np.exp(log_poisson_mass(servers, load))
    spare = (servers - load) / servers * upper_gamma(servers, load)
    return mass / (mass + spare)


def _decay(servers, load, service_h):
    """Rate of the wait, 0 just where the load is clipped to `servers`."""
    return (servers - load) / service_h
