r"""Total time of a job: its late start, a fixed part, a wait, and a transfer.

.. math:: T = S + d + W + Y

The start is late by :math:`S`, evenly spread over the slack :math:`[0, \sigma]`;
without a slack, times count from the start. The fixed part :math:`d` is a constant. The
wait :math:`W` is 0 with probability :math:`1 - p_w` and otherwise of mean
:math:`1/\theta`: exponential, as in an M/M/c queue, or gamma of another variation. The
transfer :math:`Y` is normal, gamma or lognormal, and does not depend on the wait; one
that does not vary may as well count to the fixed part.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.lengths import EQUAL
from vmbmodel.formulas._kernels.quadrature import legendre
from vmbmodel.formulas._kernels.roots import root
from vmbmodel.formulas.laws import total_late, total_quantile

__all__ = ["done_within_prob", "total_mean_h", "total_quantile_h"]

_LARGEST = 100.0
"""Logarithm up to which two factors of a closed form, large and small, keep digits."""
_STEADY = 1e-300
"""Variation of a wait that is none; one over it is still a number."""
_STARTS = 32
"""Late starts that are summed over where the transfer varies."""


@formula
def total_mean_h(constant_h, wait_prob, decay_per_h, transfer_h=0, start_slack_h=0):
    r"""Mean of the total time.

    .. math:: E[T] = \frac{\sigma}{2} + d + E[Y] + \frac{p_w}{\theta}

    Parameters
    ----------
    decay_per_h : Zero for a queue that never clears.
    transfer_h : Its mean, if it is not in the fixed part.

    Returns
    -------
    ``inf`` where the queue never clears.

    Notes
    -----
    Exact, whatever varies.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`.

    Examples
    --------
    >>> print(total_mean_h(1, wait_prob=0.4, decay_per_h=2))
    1.2
    """
    waited = np.where(wait_prob > 0, wait_prob / decay_per_h, 0)
    return start_slack_h / 2 + constant_h + transfer_h + waited


@formula
def done_within_prob(
    deadline_h,
    constant_h,
    wait_prob,
    decay_per_h,
    transfer_h=0,
    transfer_scv=0,
    transfer_family: str = "gamma",
    waiting_scv=1,
    start_slack_h=0,
):
    r"""Probability that a job is done within its deadline.

    .. math:: P(T \le t) = \frac{1}{\sigma} \left( y - \frac{p_w h}{\theta} \right),
        \qquad h = e^{-\theta (x - y)} - e^{-\theta x}, \qquad
        x = (t - d - E[Y])^+, \qquad y = \min(x, \sigma)

    for an exponential wait and a transfer that does not vary, which without a slack is
    :math:`1 - p_w\, e^{-\theta x}` from :math:`t = d + E[Y]` on. Else, with the
    density :math:`f_Y` of the transfer and the regularised upper incomplete gamma
    function :math:`Q`, and its mean over the starts,

    .. math:: P(T > t) = P(Y > x) \\ + p_w \int_0^x f_Y(y)\, q(x - y)\, dy, \qquad
        q(z) = Q\left( \frac{1}{s}, \frac{\theta z}{s} \right), \qquad x = t - d

    Parameters
    ----------
    decay_per_h : Zero for a queue that never clears.
    transfer_h : Its mean, if it is not in the fixed part.
    waiting_scv : One for an exponential wait.

    Notes
    -----
    Exact for an M/M/c queue and a transfer that does not vary. Closed forms also for
    a normal or a gamma transfer with an exponential wait (the latter if the wait
    decays more slowly than the transfer); otherwise by a quadrature of 128 nodes, to
    2e-6 against adaptive integration of random cases. A normal transfer is not
    cut off at 0: with :math:`v \le 0.1` less than 0.1 % of it lies there.

    References
    ----------
    Gross et al. (2008), sec. 2.3, for the wait, :cite:`gross2008`.

    Examples
    --------
    One hour of work, a wait for four jobs in ten, and two hours to do it:

    >>> print(done_within_prob(2, constant_h=1, wait_prob=0.4, decay_per_h=2))
    0.9459

    Twelve hours of copying, give or take seven, and a wait of two for four in ten:

    >>> print(done_within_prob(24, 0.5, 0.4, 1 / 2, 12, 0.33, "lognormal"))
    0.9247
    """
    spare = deadline_h - constant_h
    left = spare - transfer_h
    done = np.where(left >= 0, _started(left, wait_prob, decay_per_h, start_slack_h), 0)
    simple = (transfer_scv <= EQUAL) & (waiting_scv == 1)
    if np.all(simple):
        return done
    law = transfer_h, transfer_scv, wait_prob, 1 / decay_per_h
    law += (np.maximum(waiting_scv, _STEADY),)
    late = _late(spare, *law, start_slack_h, transfer_family)
    return np.where(simple, done, 1 - late)


def _started(left, wait_prob, decay_per_h, slack):
    """Probability that a late start and an exponential wait fit into what is left."""
    within = np.minimum(np.maximum(left, 0), slack)
    begun = np.where(slack > 0, within / np.where(slack > 0, slack, 1), 1)
    beyond = np.maximum(left, 0) - within
    late = wait_prob * np.exp(-decay_per_h * beyond) * _faded(decay_per_h * within)
    return begun * (1 - late)


def _faded(amount):
    """Mean of exp(-x) for x from nothing to an amount."""
    safe = np.where(amount > 0, amount, 1)
    return np.where(amount > 0, -np.expm1(-safe) / safe, 1)


@formula
def total_quantile_h(
    prob,
    constant_h,
    wait_prob,
    decay_per_h,
    transfer_h=0,
    transfer_scv=0,
    transfer_family: str = "gamma",
    waiting_scv=1,
    start_slack_h=0,
):
    r"""Total time that a given share of the jobs does not exceed.

    .. math:: t_p = d + E[Y] + \max\left(0,\; \frac{1}{\theta}
        \ln\frac{p_w\, g}{1 - p}\right), \qquad
        g = \frac{e^{\theta \sigma} - 1}{\theta \sigma}

    for an exponential wait and a transfer that does not vary, where that is the whole
    slack later than :math:`d + E[Y]` or without one (:math:`g = 1`), and else

    .. math:: t_p:\quad P(T \le t_p) = p

    Parameters
    ----------
    decay_per_h : Zero for a queue that never clears.
    transfer_h : Its mean, if it is not in the fixed part.
    waiting_scv : One for an exponential wait.

    Returns
    -------
    ``inf`` where that share is never done.

    See Also
    --------
    done_within_prob : the inverse, and how exact it is.

    Notes
    -----
    Without the closed form, between the longer of both quantiles at :math:`p` and
    their sum at :math:`(1 + p)/2`, by Chandrupatla's bracketed steps.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`; Chandrupatla (1997) for the
    steps, :cite:`chandrupatla1997`.

    Examples
    --------
    >>> print(total_quantile_h(0.95, constant_h=1, wait_prob=0.4, decay_per_h=2))
    2.0397
    >>> print(total_quantile_h(0.95, 0.5, 0.4, 1 / 2, 12, 0.33, "lognormal"))
    26.629
    """
    slack = start_slack_h
    # fmax: the 1-quantile of a wait that never is, is no wait
    waiting = np.log(wait_prob * _faded(decay_per_h * slack)) - np.log1p(-prob)
    excess = np.fmax(waiting, 0)
    total = slack + np.where(excess > 0, excess / decay_per_h, 0)
    within = (slack > 0) & ~(waiting >= 0)
    total = varied = transfer_h + root(
        lambda left, *law: _started(left, *law[:3]) - law[3],
        0.0, slack, wait_prob, decay_per_h, slack, prob,
        inside=within, otherwise=np.where(within & (prob <= 0), 0.0, total),
        xrtol=1e-12, xatol=1e-12, fatol=0, frtol=0,
    )  # fmt: skip
    simple = (transfer_scv <= EQUAL) & (waiting_scv == 1)
    if not simple.all():
        law = transfer_h, transfer_scv, wait_prob, 1 / decay_per_h
        law += (np.maximum(waiting_scv, _STEADY),)
        on_time = (*law, np.zeros_like(slack))
        varied = total_quantile(
            _late, _wait_quantile, 1 - prob, on_time, transfer_family
        )
        varied = root(
            lambda time, late, *law: _late(time, *law, transfer_family) - late,
            varied, varied + slack, 1 - prob, *law, slack,
            inside=(slack > 0) & (varied < np.inf) & ~simple, otherwise=varied,
            xrtol=1e-10, xatol=0, fatol=0, frtol=0,
        )  # fmt: skip
    return constant_h + np.where(simple, total, varied)


def _wait_quantile(late, _, __, waiting, mean, waiting_scv, ___):
    """Wait that is exceeded with a probability; the transfer does not matter."""
    from scipy.special import gammainccinv

    share = np.minimum(late / waiting, 1)
    excess = gammainccinv(1 / waiting_scv, share) * waiting_scv
    waited = np.where((excess > 0) & (mean > 0), mean * excess, 0)
    return np.where(late < waiting, waited, 0)


def _late(spare, mean, scv, waiting, wait_mean, wait_scv, slack, family):
    """Probability that start, transfer and gamma wait take longer than is left."""
    arrays = (spare, mean, scv, waiting, wait_mean, wait_scv, slack)
    shape = np.broadcast_shapes(*(np.shape(part) for part in arrays))
    spare, mean, scv, *law = (part.ravel() for part in np.broadcast_arrays(*arrays))
    closed = (scv > EQUAL) & (mean > 0) & (mean < np.inf)
    closed &= (spare > 0) & (spare < np.inf)
    closed &= (law[2] == 1) & (law[1] > 0) & (law[1] < np.inf) & (law[3] == 0)
    if family == "gamma":
        grown = -np.log1p(-mean * scv / law[1]) / scv
        closed &= grown < _LARGEST  # also if the wait decays faster, a NaN
    elif family == "lognormal":
        closed &= False
    result = np.empty(spare.shape)
    cells = [part[closed] for part in (spare, mean, scv, *law[:2])]
    result[closed] = (_normal_late if family == "normal" else _gamma_late)(*cells)
    cells = [part[~closed] for part in (spare, mean, scv)]
    law = [part[~closed] for part in law]
    result[~closed] = total_late(*cells, family, _wait_late, law)
    return np.clip(result, 0, 1).reshape(shape)


def _wait_late(time, waiting, mean, scv, slack):
    """Probability that late start and wait take longer than given times."""
    if np.any(slack > 0):
        started = 1 - _started(time, waiting, 1 / mean, slack)
        if np.any(scv != 1):
            # over the starts that leave time to wait; a later one is too late
            points, weights = legendre(_STARTS)
            law = (part[..., np.newaxis] for part in (waiting, mean, scv))
            reach = np.clip(time, 0, slack)
            share = np.divide(reach, slack, out=np.ones_like(reach), where=slack > 0)
            left = time[..., np.newaxis] - reach[..., np.newaxis] * ((1 + points) / 2)
            late = _waited(np.maximum(left, 0), *law) @ (weights / 2)
            late = np.where(time >= 0, 1 - share + share * late, 1)
            started = np.where(scv == 1, started, late)
        return started
    return _waited(time, waiting, mean, scv)


def _waited(time, waiting, mean, scv):
    """Probability of waiting longer than given times."""
    from scipy.special import gammaincc

    rest = np.where(mean > 0, time / mean, np.inf)
    later = np.where(scv == 1, np.exp(-rest), gammaincc(1 / scv, rest / scv))
    return waiting * np.where(time < np.inf, later, 0)


def _normal_late(spare, mean, scv, waiting, wait_mean):
    from scipy.special import erfcx, ndtr

    spread = np.sqrt(scv) * mean
    score, decay = (spare - mean) / spread, spread / wait_mean
    above = (decay - score) / np.sqrt(2)
    near = np.exp(-0.5 * score**2) * erfcx(above) / 2
    far = np.exp(decay * (decay / 2 - score)) * ndtr(score - decay)
    return ndtr(-score) + waiting * np.where(above > 0, near, far)


def _gamma_late(spare, mean, scv, waiting, wait_mean):
    from scipy.special import gammainc, gammaincc

    shape, rest = 1 / scv, mean * scv / wait_mean
    time = spare / (mean * scv)
    grown = np.exp(-spare / wait_mean - shape * np.log1p(-rest))
    return gammaincc(shape, time) + waiting * grown * gammainc(shape, (1 - rest) * time)
