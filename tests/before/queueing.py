r"""Waiting for a data mover: the M/M/c queue in closed form.

Jobs arrive at random, join one line, and are taken by the first free of
`servers` identical data movers. The offered load is the number of movers the
jobs would keep busy if one were always free: :math:`a = \lambda\tau`, and the
utilisation is :math:`\rho = a / c`.

Arguments broadcast against one another. A queue that cannot keep up
(:math:`\rho \ge 1`) waits ``inf``: a result, not an error. The number of movers
need not be whole: the formulas are continuous in it.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula

__all__ = [
    "erlang_c_prob",
    "log_erlang_c",
    "mean_wait_h",
    "utilisation_for_wait_frac",
    "wait_decay_per_h",
    "wait_quantile_h",
    "wait_within_prob",
]


@formula
def erlang_c_prob(servers: ArrayLike, offered_load: ArrayLike) -> ArrayLike:
    r"""Probability that an arriving job has to wait.

    .. math::

        C(c, a) = \frac{f}{f + (1 - \rho)\, Q(c, a)}, \qquad
        f = \frac{a^c e^{-a}}{\Gamma(c + 1)}, \qquad \rho = a / c

    with :math:`Q` the regularised upper incomplete gamma function.

    Parameters
    ----------
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    offered_load : array_like of float
        Mean arrivals during one service time, :math:`a \ge 0`. [-]

    Returns
    -------
    array_like of float
        Probability of waiting in [0, 1], of the broadcast shape of the
        arguments; equal to 1 wherever :math:`a \ge c`. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    log_erlang_c : where the probability is too small for a float.

    Notes
    -----
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
    load = np.minimum(offered_load, servers)
    mass = np.exp(log_poisson_mass(servers, load))
    spare = (servers - load) / servers * upper_gamma(servers, load)
    return mass / (mass + spare)


@formula
def log_erlang_c(servers: ArrayLike, offered_load: ArrayLike) -> ArrayLike:
    r"""Natural logarithm of the probability that a job has to wait.

    .. math:: \ln C(c, a)

    Parameters
    ----------
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    offered_load : array_like of float
        Mean arrivals during one service time, :math:`a \ge 0`. [-]

    Returns
    -------
    array_like of float
        At most 0, of the broadcast shape of the arguments; ``-inf`` where
        nothing is offered. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Keeps its digits where `erlang_c_prob` underflows to 0.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`.

    Examples
    --------
    >>> print(log_erlang_c(1000, 100.0))
    -1406.85
    """
    return log_waiting(servers, np.minimum(offered_load, servers))


@formula
def mean_wait_h(
    servers: ArrayLike, arrivals_per_h: ArrayLike, service_h: ArrayLike
) -> ArrayLike:
    r"""Mean time a job spends in line before a data mover takes it.

    .. math:: E[W] = \frac{C(c, \lambda\tau)\,\tau}{c - \lambda\tau}

    Parameters
    ----------
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    arrivals_per_h : array_like of float
        Jobs arriving as a Poisson stream, :math:`\lambda \ge 0`. [1/h]
    service_h : array_like of float
        Mean of the exponential service time, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        Mean over all jobs, those that do not wait included, of the broadcast
        shape of the arguments; ``inf`` where :math:`\lambda\tau \ge c`. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for Poisson arrivals and exponential service.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`.

    Examples
    --------
    >>> print(mean_wait_h(3, arrivals_per_h=6, service_h=1 / 3))
    0.1481
    """
    load = np.minimum(arrivals_per_h * service_h, servers)
    waiting = np.exp(log_waiting(servers, load))
    return waiting * service_h / (servers - load)


@formula
def wait_decay_per_h(
    servers: ArrayLike, arrivals_per_h: ArrayLike, service_h: ArrayLike
) -> ArrayLike:
    r"""Rate at which the wait of a job that has to wait runs out.

    .. math:: \theta = \frac{c}{\tau} - \lambda, \qquad
        P(W > t \mid W > 0) = e^{-\theta t}

    Parameters
    ----------
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    arrivals_per_h : array_like of float
        Jobs arriving as a Poisson stream, :math:`\lambda \ge 0`. [1/h]
    service_h : array_like of float
        Mean of the exponential service time, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; 0 where the queue never
        clears. [1/h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

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
    load = np.minimum(arrivals_per_h * service_h, servers)
    return _decay(servers, load, service_h)


@formula
def wait_within_prob(
    wait_h: ArrayLike,
    servers: ArrayLike,
    arrivals_per_h: ArrayLike,
    service_h: ArrayLike,
) -> ArrayLike:
    r"""Probability that a job waits no longer than a given time.

    .. math:: P(W \le t) = 1 - C(c, \lambda\tau)\, e^{-(c/\tau - \lambda) t}

    Parameters
    ----------
    wait_h : array_like of float
        Time in line, :math:`t \ge 0`. [h]
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    arrivals_per_h : array_like of float
        Jobs arriving as a Poisson stream, :math:`\lambda \ge 0`. [1/h]
    service_h : array_like of float
        Mean of the exponential service time, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments; 0 where the queue
        never clears. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for Poisson arrivals and exponential service.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`.

    Examples
    --------
    >>> print(wait_within_prob(0, 3, arrivals_per_h=6, service_h=1 / 3))
    0.5556
    """
    load = np.minimum(arrivals_per_h * service_h, servers)
    decay = _decay(servers, load, service_h)
    return np.abs(np.expm1(log_waiting(servers, load) - _times(decay, wait_h)))


@formula
def wait_quantile_h(
    prob: ArrayLike,
    servers: ArrayLike,
    arrivals_per_h: ArrayLike,
    service_h: ArrayLike,
) -> ArrayLike:
    r"""Wait that a given share of the jobs does not exceed.

    .. math:: t_p = \max\left(0, \frac{\ln C(c, \lambda\tau) - \ln(1 - p)}
        {c/\tau - \lambda}\right)

    Parameters
    ----------
    prob : array_like of float
        Share of the jobs :math:`p`, in [0, 1]. [-]
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    arrivals_per_h : array_like of float
        Jobs arriving as a Poisson stream, :math:`\lambda \ge 0`. [1/h]
    service_h : array_like of float
        Mean of the exponential service time, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; 0 where that share does not
        wait at all, ``inf`` where the queue never clears, and at
        :math:`p = 1` wherever any job waits. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for Poisson arrivals and exponential service.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`.

    Examples
    --------
    Of the jobs of three movers at two thirds of their capacity, 95 % wait less
    than this many hours:

    >>> print(wait_quantile_h(0.95, 3, arrivals_per_h=6, service_h=1 / 3))
    0.7283
    """
    load = np.minimum(arrivals_per_h * service_h, servers)
    # fmax: nobody waits where nothing is offered, for no share of the jobs
    excess = np.fmax(log_waiting(servers, load) - np.log1p(-prob), 0)
    decay = _decay(servers, load, service_h)
    ends = (decay > 0) & np.isfinite(excess)
    return np.where(ends, excess / decay, np.inf)


@formula
def utilisation_for_wait_frac(
    wait_h: ArrayLike, prob: ArrayLike, servers: ArrayLike, service_h: ArrayLike
) -> ArrayLike:
    r"""Utilisation at which a given share of the jobs waits a given time at most.

    .. math:: \rho:\quad \ln C(c, c\rho) - (1 - \rho)\, c\, t / \tau = \ln(1 - p)

    Parameters
    ----------
    wait_h : array_like of float
        Time in line, :math:`t \ge 0`. [h]
    prob : array_like of float
        Share of the jobs :math:`p` that waits no longer, in [0, 1]. [-]
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    service_h : array_like of float
        Mean of the exponential service time, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments; 0 at :math:`p = 1`,
        which no load above zero can promise. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    wait_quantile_h : the inverse.

    Notes
    -----
    Started from the closed form that the many-server approximation
    :math:`C \approx \rho^{\sqrt{2(c+1)}-1}` gives through Wright's omega
    function, then Newton's steps with the exact derivative
    :math:`(\ln C)' = (1 - C)/(1 - \rho) + c(1 - \rho)/\rho`.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`; Sakasegawa (1977) for the
    start, :cite:`sakasegawa1977`.

    Examples
    --------
    Ten movers, jobs of one hour, and 95 % of the jobs wait at most eight hours:

    >>> print(utilisation_for_wait_frac(8, 0.95, servers=10, service_h=1))
    0.96424
    """
    patience = np.minimum(servers * (wait_h / service_h), 1e300)
    log_late = np.log1p(-prob)
    busy = start_utilisation(servers, patience, log_late)
    low, high = np.zeros_like(busy), np.ones_like(busy)
    for _ in range(60):
        log_c = log_waiting(servers, servers * busy)
        error = log_c - patience * (1 - busy) - log_late
        low, high = np.where(error < 0, busy, low), np.where(error < 0, high, busy)
        idle = 1 - busy
        slope = -np.expm1(log_c) / idle + servers * idle / busy + patience
        step = busy - error / slope
        inside = (step > low) & (step < high)
        step = np.where(inside, step, (low + high) / 2)
        settled = np.abs(step - busy) <= 4e-16 * np.minimum(busy, 1)
        busy = step
        if settled.all():
            break
    return np.where(prob < 1, busy, 0)


def start_utilisation(servers, patience, log_late):
    """Utilisation, about, at which ln C is `log_late` + `patience` (1 - it)."""
    from scipy.special import wrightomega

    power = np.sqrt(2 * (servers + 1)) - 1
    scale = np.maximum(patience / power, 1e-300)
    busy = wrightomega((log_late + patience) / power + np.log(scale)).real / scale
    return np.clip(busy, 1e-12, 1 - 1e-12)


def log_waiting(servers, load):
    """Logarithm of C on plain arrays, for a load of at most `servers`."""
    log_mass = log_poisson_mass(servers, load)
    log_spare = np.log((servers - load) / servers) + np.log(upper_gamma(servers, load))
    return log_mass - np.logaddexp(log_mass, log_spare)


def upper_gamma(servers, load):
    """Regularised upper incomplete gamma function, for a load of at most `servers`."""
    from scipy.special import erfc, gammaincc

    value = gammaincc(servers, load)
    # SciPy ends its series after 2000 terms, too soon where so many servers have
    # much to spare; Temme's uniform expansion needs only its first term there
    many = (servers > 1e5) & (load < servers - 4 * np.sqrt(servers))
    if many.any():
        deviance = _deviance(servers, load)
        eta = -np.sqrt(-2 * deviance)
        rest = np.exp(servers * deviance - 0.5 * np.log(servers) - _HALF_LOG)
        rest *= servers / (load - servers) - 1 / eta
        value = np.where(many, erfc(eta * np.sqrt(servers / 2)) / 2 + rest, value)
    return value


_HALF_LOG = 0.5 * np.log(2 * np.pi)
_ATANH = [1 / power for power in range(23, 1, -2)]
_STIRLING = [1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12]


def log_poisson_mass(count, mean):
    """Log of the Poisson mass at a real count, by its saddle point."""
    scale = _stirling_error(count) + 0.5 * np.log(count) + _HALF_LOG
    return count * _deviance(count, mean) - scale


def _deviance(count, mean):
    """Log of the ratio of the mean to the count, plus 1, less that ratio."""
    gap = (mean - count) / count
    # the series of twice the artanh where both nearly cancel, the plain logarithm
    # where 1 + gap would lose the digits of a small mean
    half = gap / (2 + gap)
    square = half * half
    near = half * (2 * square * _polynomial(square, _ATANH) - gap)
    return np.where(np.abs(gap) < 0.3, near, np.log(mean / count) - gap)


def _stirling_error(count):
    """Log of count! less its Stirling approximation."""
    from scipy.special import gammaln

    many = np.maximum(count, 10)
    error = np.array(_polynomial(1 / (many * many), _STIRLING) / many)
    few = count < 10
    if few.any():
        small = count[few]
        approximation = (small + 0.5) * np.log(small) - small + _HALF_LOG
        error[few] = gammaln(small + 1) - approximation
    return error


def _polynomial(at, coefficients):
    """Value of a polynomial, highest power first, in one array of scratch."""
    value = np.full_like(at, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= at
        value += coefficient
    return value


def _decay(servers, load, service_h):
    """Rate of the wait, 0 just where the load is clipped to `servers`."""
    return (servers - load) / service_h


def _times(rate, time):
    """Product in which nothing happens in no time, however fast, and at no rate."""
    return np.where((rate == 0) | (time == 0), 0, rate * time)
