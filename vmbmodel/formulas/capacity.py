r"""How busy a pool of data movers may be, given the wait it has to keep.

Two readings of "at peak up to eight hours" lead to very different loads. If the
wait is a quantile of a pool in balance, the pool has to be almost full
(`utilisation_for_wait_frac`), and would take weeks to get there (`relaxation_h`). If
it is what a few hours of overload pile up, the load of those hours is far above 1
(`peak_utilisation_frac`).
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.lengths import by_variation
from vmbmodel.formulas._kernels.pool import wait_law
from vmbmodel.formulas._kernels.roots import root
from vmbmodel.formulas._kernels.special import log_waiting

__all__ = ["peak_utilisation_frac", "relaxation_h", "utilisation_for_wait_frac"]


@formula
def utilisation_for_wait_frac(
    wait_h, prob, servers, service_h, service_scv=1, family: str = "gamma"
):
    r"""Utilisation at which a given share of the jobs waits a given time at most.

    .. math:: \rho:\quad C(c, c\rho)\, e^{-(1 - \rho)\, c\, t / \tau} = 1 - p

    for exponential jobs, and for others

    .. math:: \rho:\quad t_p(c, c\rho/\tau, \tau, v) = t

    Parameters
    ----------
    prob : share of the jobs that waits no longer, :math:`p`

    Returns
    -------
    0 at :math:`p = 1`, which no load above zero can promise.

    See Also
    --------
    vmbmodel.formulas.queueing.wait_quantile_h : the inverse, and how exact it is.

    Notes
    -----
    For exponential jobs started from the closed form that the many-server
    approximation :math:`C \approx \rho^{\sqrt{2(c+1)}-1}` gives through Wright's
    omega function, then Newton's steps with the exact derivative
    :math:`(\ln C)' = (1 - C)/(1 - \rho) + c(1 - \rho)/\rho`. For others from the
    M/M/c queue whose jobs are :math:`(1 + v)/2` times as long, then Chandrupatla's
    bracketed steps on :math:`\ln P(W > t) - \ln(1 - p)` over the logit of
    :math:`\rho`, which meet the probability to 1e-10. Given the wait that 95 of 100
    simulated jobs did not exceed, ten movers at a load of 0.8 and 0.9, it is that load
    within 0.005, of variations up to 4 (``validation/lines.py``).

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`; Sakasegawa (1977) for the
    start, :cite:`sakasegawa1977`; Spitzer (1956), :cite:`spitzer1956`, for equal
    jobs; Chandrupatla (1997) for the steps, :cite:`chandrupatla1997`.

    Examples
    --------
    Ten movers, jobs of one hour, and 95 % of the jobs wait at most eight hours:

    >>> print(utilisation_for_wait_frac(8, 0.95, servers=10, service_h=1))
    0.96424
    >>> print(utilisation_for_wait_frac(8, 0.95, 10, 1, 2, "lognormal"))
    0.947876
    """
    patience, log_late = wait_h / service_h, np.log1p(-prob)
    line = servers, patience, log_late
    busy = by_variation(
        service_scv,
        family,
        exponential=lambda: _of_exponential(*line),
        other=lambda: _of_others(*line, service_scv, family),
    )
    return np.where(prob < 1, busy, 0)


@formula
def peak_utilisation_frac(wait_h, peak_h):
    r"""Load of a peak that makes the last of its jobs wait a given time.

    .. math:: \rho = 1 + \frac{t}{d}

    Parameters
    ----------
    wait_h : time in line at the end of the peak, :math:`t`

    Returns
    -------
    work that arrives in the peak over what the data movers do in it, at least 1.

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
def relaxation_h(servers, utilisation_frac, service_h):
    r"""Time in which a pool gets nearer to balance by a factor e.

    .. math:: t_r = \frac{\tau}{c\, (1 - \sqrt{\rho})^2}

    Parameters
    ----------
    service_h : mean of the exponential service time, :math:`\tau`

    Returns
    -------
    ``inf`` where the pool cannot keep up.

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


def _of_exponential(servers, patience, log_late):
    patience = np.minimum(servers * patience, 1e300)
    busy = _start(servers, patience, log_late)
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
    return busy


def _of_others(servers, patience, log_late, service_scv, family):
    from scipy.special import expit, gammaincc, logit

    def excess(odds, servers, patience, log_late, scv):
        waiting, mean, wait_scv = wait_law(servers, servers * expit(odds), scv, family)
        late = waiting * gammaincc(1 / wait_scv, patience / mean / wait_scv)
        return np.log(np.maximum(late, 1e-320)) - log_late

    patience = np.minimum(patience, 1e300)
    line = np.broadcast_arrays(servers, patience, log_late, service_scv)
    servers, patience, log_late, scv = line
    calm = np.minimum(servers * patience / (0.5 + scv / 2), 1e300)
    guess = logit(_start(servers, calm, log_late))
    low = np.where(excess(guess - 0.5, *line) < 0, guess - 0.5, -690)
    high = np.where(excess(guess + 0.5, *line) > 0, guess + 0.5, 37)
    odds = root(excess, low, high, *line, otherwise=-np.inf, xatol=1e-13, fatol=1e-13)
    return np.where(log_late < 0, expit(odds), 1)


def _start(servers, patience, log_late):
    """Utilisation, about, at which ln C is `log_late` + `patience` (1 - it)."""
    from scipy.special import wrightomega

    power = np.sqrt(2 * (servers + 1)) - 1
    scale = np.maximum(patience / power, 1e-300)
    busy = wrightomega((log_late + patience) / power + np.log(scale)).real / scale
    return np.clip(busy, 1e-12, 1 - 1e-12)
