r"""How busy a pool of data movers may be, given the wait it has to keep.

Two readings of "at peak up to eight hours" lead to very different loads. If the
wait is a quantile of a pool in balance, the pool has to be almost full, and
would take weeks to get there (`relaxation_h`). If it is what a few hours of
overload pile up, the load of those hours is far above 1 (`peak_utilisation_frac`).
"""

import numpy as np
from numpy.typing import ArrayLike

from before.queueing import start_utilisation
from before.queueing_general import law, refuse_mixture
from vmbmodel._arrays import formula

__all__ = [
    "general_utilisation_for_wait_frac",
    "peak_utilisation_frac",
    "relaxation_h",
]


@formula
def general_utilisation_for_wait_frac(
    wait_h: ArrayLike,
    prob: ArrayLike,
    servers: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
    family: str,
) -> ArrayLike:
    r"""Utilisation at which a share of the jobs waits so long, for any service time.

    .. math:: \rho:\quad t_p(c, c\rho/\tau, \tau, v) = t

    Parameters
    ----------
    wait_h : array_like of float
        Time in line, :math:`t \ge 0`. [h]
    prob : array_like of float
        Share of the jobs :math:`p` that waits no longer, in [0, 1]. [-]
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
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
        In [0, 1], of the broadcast shape of the arguments; 0 at :math:`p = 1`,
        which no load above zero can promise. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    before.queueing_general.general_wait_quantile_h : the inverse.

    Notes
    -----
    As exact as that quantile; the inversion itself meets the probability to
    1e-10. Started from the M/M/c queue whose jobs are :math:`(1 + v)/2`
    times as long, then Chandrupatla's bracketed steps on
    :math:`\ln P(W > t) - \ln(1 - p)` over the logit of :math:`\rho`.

    References
    ----------
    Spitzer (1956), :cite:`spitzer1956`, for equal jobs; Chandrupatla (1997) for
    the steps, :cite:`chandrupatla1997`.

    Examples
    --------
    Ten movers, jobs of one hour, and 95 % of the jobs wait at most eight hours:

    >>> print(general_utilisation_for_wait_frac(8, 0.95, 10, 1, 2, "lognormal"))
    0.947876
    """
    from scipy.optimize.elementwise import find_root
    from scipy.special import expit, gammaincc, logit

    if family == "hyperexponential":
        refuse_mixture(service_scv)

    def excess(odds, patience, log_late, servers, scv):
        load = servers * expit(odds)
        waiting, mean, wait_scv = law(servers, load, scv, family)
        late = waiting * gammaincc(1 / wait_scv, patience / mean / wait_scv)
        return np.log(np.maximum(late, 1e-320)) - log_late

    line = np.broadcast_arrays(
        np.minimum(wait_h / service_h, 1e300), np.log1p(-prob), servers, service_scv
    )
    patience, log_late, servers, scv = line
    calm = np.minimum(servers * patience / (0.5 + scv / 2), 1e300)
    guess = logit(start_utilisation(servers, calm, log_late))
    low = np.where(excess(guess - 0.5, *line) < 0, guess - 0.5, -690)
    high = np.where(excess(guess + 0.5, *line) > 0, guess + 0.5, 37)
    close = {"xatol": 1e-13, "fatol": 1e-13}
    root = find_root(excess, (low, high), args=line, tolerances=close)
    odds, some = root.x, (log_late > -np.inf) & np.isfinite(root.x)
    return np.where(some, np.where(log_late < 0, expit(odds), 1), 0)


@formula
def peak_utilisation_frac(wait_h: ArrayLike, peak_h: ArrayLike) -> ArrayLike:
    r"""Load of a peak that makes the last of its jobs wait a given time.

    .. math:: \rho = 1 + \frac{t}{d}

    Parameters
    ----------
    wait_h : array_like of float
        Time in line at the end of the peak, :math:`t \ge 0`. [h]
    peak_h : array_like of float
        How long the peak lasts, :math:`d > 0`. [h]

    Returns
    -------
    array_like of float
        Work that arrives in the peak over what the data movers do in it, at
        least 1, of the broadcast shape of the arguments. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    general_utilisation_for_wait_frac : for a pool in balance.

    Notes
    -----
    Exact for a line that flows evenly: it is empty when the peak begins, arrivals
    keep one rate until it ends, and jobs are short beside the wait. The overload
    :math:`\rho - 1` then piles up for :math:`d` hours. It repeats every day only
    if the load of the whole day stays below 1.

    References
    ----------
    Newell (1982), ch. 2, :cite:`newell1982`.

    Examples
    --------
    A peak of four hours that makes jobs wait eight has three times the work that
    the pool can do:

    >>> print(peak_utilisation_frac(8, 4))
    3.0
    """
    return 1 + wait_h / peak_h


@formula
def relaxation_h(
    servers: ArrayLike, utilisation_frac: ArrayLike, service_h: ArrayLike
) -> ArrayLike:
    r"""Time in which a pool gets nearer to balance by a factor e.

    .. math:: t_r = \frac{\tau}{c\, (1 - \sqrt{\rho})^2}

    Parameters
    ----------
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    utilisation_frac : array_like of float
        Share of the data movers' time that is taken, :math:`\rho \ge 0`. [-]
    service_h : array_like of float
        Mean of the exponential service time, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; ``inf`` where the pool cannot
        keep up. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for one data mover, and for several once the load is above a bound that
    grows with them: all movers are then busy most of the time. Below it, settling
    takes about a service time. A pool whose relaxation time is longer than its
    load stays the same never shows the waits of its balance.

    References
    ----------
    Gamarnik and Goldberg (2013), :cite:`gamarnik2013`.

    Examples
    --------
    Ten movers, jobs of one hour, loaded so that 95 % wait at most eight hours,
    need almost two weeks:

    >>> print(relaxation_h(10, 0.9642441, service_h=1))
    307.
    """
    slack = (1 - utilisation_frac) / (1 + np.sqrt(utilisation_frac))
    return np.where(slack > 0, service_h / servers / slack**2, np.inf)
