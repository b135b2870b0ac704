r"""Total time of a job whose transfer varies from night to night.

.. math:: T = d + W + Y

The fixed part :math:`d` is a constant; the wait :math:`W` is 0 with probability
:math:`1 - p_w` and otherwise gamma, which an exponential wait is one of; the
transfer :math:`Y` is normal, gamma or lognormal, and does not depend on the wait.
With a transfer that does not vary, `total` has closed forms.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula

__all__ = ["varied_done_within_prob", "varied_total_quantile_h"]

_CONSTANT = 1e-10
"""Variation up to which a transfer does not vary."""
_SPAN = 7.0
"""Standard deviations, of a transfer made normal, that are summed over."""
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(128)
_BLOCK = 4096
_LARGEST = 100.0
"""Logarithm up to which two factors of a closed form, large and small, keep digits."""


@formula
def varied_done_within_prob(
    deadline_h: ArrayLike,
    constant_h: ArrayLike,
    transfer_h: ArrayLike,
    transfer_scv: ArrayLike,
    transfer_family: str,
    wait_prob: ArrayLike,
    waiting_h: ArrayLike,
    waiting_scv: ArrayLike,
) -> ArrayLike:
    r"""Probability that a job is done within its deadline, if its transfer varies.

    .. math:: P(T > t) = P(Y > x) + p_w \int_0^x f_Y(y)\,
        Q\left( \frac{1}{s}, \frac{x - y}{m s} \right) dy, \qquad x = t - d

    with the density :math:`f_Y` of the transfer, and :math:`Q` the regularised upper
    incomplete gamma function.

    Parameters
    ----------
    deadline_h : array_like of float
        Time within which the job has to be done, :math:`t \ge 0`. [h]
    constant_h : array_like of float
        Fixed part, :math:`d \ge 0`; may be ``inf``. [h]
    transfer_h : array_like of float
        Mean of the transfer, :math:`E[Y] \ge 0`; may be ``inf``. [h]
    transfer_scv : array_like of float
        Squared coefficient of variation of the transfer, :math:`v \ge 0`. [-]
    transfer_family : str
        Shape of the transfer: ``normal``, ``gamma`` or ``lognormal``. [-]
    wait_prob : array_like of float
        Probability of waiting, :math:`p_w` in [0, 1]. [-]
    waiting_h : array_like of float
        Mean wait of a job that has to wait, :math:`m \ge 0`; may be ``inf``. [h]
    waiting_scv : array_like of float
        Squared coefficient of variation of the wait of a job that has to wait,
        :math:`s > 0`; 1 for an exponential one. [-]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    before.total.done_within_prob : for a transfer that does not vary.

    Notes
    -----
    Closed forms for a transfer that does not vary, and for a normal or a gamma one
    with an exponential wait (the latter if the wait decays more slowly than the
    transfer); otherwise by a quadrature of 128 nodes, to 2e-6 against adaptive
    integration of random cases. A normal transfer is not
    cut off at 0: with :math:`v \le 0.1` less than 0.1 % of it lies there.

    References
    ----------
    Gross et al. (2008), sec. 2.3, for the wait, :cite:`gross2008`.

    Examples
    --------
    Twelve hours of copying, give or take seven, and a wait of two for four in ten:

    >>> print(varied_done_within_prob(24, 0.5, 12, 0.33, "lognormal", 0.4, 2, 1))
    0.9247
    """
    law = transfer_h, transfer_scv, wait_prob, waiting_h, waiting_scv
    return 1 - _late(deadline_h - constant_h, *law, transfer_family)


@formula
def varied_total_quantile_h(
    prob: ArrayLike,
    constant_h: ArrayLike,
    transfer_h: ArrayLike,
    transfer_scv: ArrayLike,
    transfer_family: str,
    wait_prob: ArrayLike,
    waiting_h: ArrayLike,
    waiting_scv: ArrayLike,
) -> ArrayLike:
    r"""Total time that a given share of the jobs does not exceed, if transfers vary.

    .. math:: t_p:\quad P(T \le t_p) = p

    Parameters
    ----------
    prob : array_like of float
        Share of the jobs :math:`p`, in [0, 1]. [-]
    constant_h : array_like of float
        Fixed part, :math:`d \ge 0`; may be ``inf``. [h]
    transfer_h : array_like of float
        Mean of the transfer, :math:`E[Y] \ge 0`; may be ``inf``. [h]
    transfer_scv : array_like of float
        Squared coefficient of variation of the transfer, :math:`v \ge 0`. [-]
    transfer_family : str
        Shape of the transfer: ``normal``, ``gamma`` or ``lognormal``. [-]
    wait_prob : array_like of float
        Probability of waiting, :math:`p_w` in [0, 1]. [-]
    waiting_h : array_like of float
        Mean wait of a job that has to wait, :math:`m \ge 0`; may be ``inf``. [h]
    waiting_scv : array_like of float
        Squared coefficient of variation of the wait of a job that has to wait,
        :math:`s > 0`; 1 for an exponential one. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; ``inf`` where that share is never
        done. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    varied_done_within_prob : the inverse, and how exact it is.

    Notes
    -----
    Between the longer of both quantiles at :math:`p` and their sum at
    :math:`(1 + p)/2`, by Chandrupatla's bracketed steps.

    References
    ----------
    Chandrupatla (1997), :cite:`chandrupatla1997`.

    Examples
    --------
    >>> print(varied_total_quantile_h(0.95, 0.5, 12, 0.33, "lognormal", 0.4, 2, 1))
    26.629
    """
    from scipy.special import gammainccinv

    def wait_quantile(late, _, __, wait_prob, waiting_h, waiting_scv):
        share = np.minimum(late / wait_prob, 1)
        excess = gammainccinv(1 / waiting_scv, share) * waiting_scv
        waited = np.where((excess > 0) & (waiting_h > 0), waiting_h * excess, 0)
        return np.where(late < wait_prob, waited, 0)

    law = transfer_h, transfer_scv, wait_prob, waiting_h, waiting_scv
    return constant_h + quantile(_late, wait_quantile, 1 - prob, law, transfer_family)


def quantile(later, wait_quantile, late_prob, law, family):
    """Time of transfer and wait that is exceeded with a probability.

    `later(time, *law, family)` is the probability of taking longer than a time, and
    `wait_quantile(late_prob, *law)` the wait that is exceeded with a probability. The
    law begins with mean and variation of the transfer.
    """
    from scipy.optimize.elementwise import find_root

    late_prob, *law = np.broadcast_arrays(late_prob, *law)

    def both(late_prob):
        moved = transfer_quantile(late_prob, *law[:2], family)
        return moved, wait_quantile(late_prob, *law)

    moved, waited = both(late_prob)
    low = np.maximum(np.maximum(moved, waited), 0)
    high = np.sum(both(late_prob / 2), axis=0)
    end = np.where(late_prob > 0, low, high)
    inside = (law[1] > _CONSTANT) & (low < high) & (high < np.inf) & (late_prob > 0)
    end = np.where(law[1] > _CONSTANT, end, law[0] + waited)
    if inside.any():
        found = find_root(
            lambda time, wanted, *law: (
                np.log(np.maximum(later(time, *law, family), 1e-320)) - np.log(wanted)
            ),
            (low[inside], high[inside]),
            args=(late_prob[inside], *(part[inside] for part in law)),
            tolerances={"xrtol": 1e-10, "xatol": 0, "fatol": 1e-10, "frtol": 0},
        )
        end[inside] = np.where(np.isfinite(found.x), found.x, low[inside])
    return end


def transfer_quantile(late_prob, mean, scv, family):
    """Length of a transfer that is exceeded with a probability."""
    from scipy.special import ndtri

    moved = _at_score(-ndtri(late_prob), mean, np.maximum(scv, _CONSTANT), family)
    return np.where((scv > _CONSTANT) & (mean > 0) & (mean < np.inf), moved, mean)


def late(spare, mean, scv, family, wait_late, law):
    """Probability that transfer and wait take longer than is left for them.

    `wait_late(time, *law)` is the probability of waiting longer; all arrays are of one
    dimension and one length.
    """
    after = np.maximum(spare - mean, 0)
    result = np.where(spare >= mean, wait_late(after, *law), 1)
    varied = (scv > _CONSTANT) & (mean > 0) & (mean < np.inf) & (spare < np.inf)
    result[varied & (spare <= 0)] = 1
    varied &= spare > 0
    cells = [part[varied] for part in (spare, mean, scv)]
    result[varied] = _mixed(*cells, family, wait_late, [part[varied] for part in law])
    return np.clip(result, 0, 1)


def _late(spare, mean, scv, waiting, wait_mean, wait_scv, family):
    """Do so for a wait that is gamma, by closed forms where there are some."""
    arrays = (spare, mean, scv, waiting, wait_mean, wait_scv)
    shape = np.broadcast_shapes(*(np.shape(part) for part in arrays))
    spare, mean, scv, *law = (part.ravel() for part in np.broadcast_arrays(*arrays))
    closed = (scv > _CONSTANT) & (mean > 0) & (mean < np.inf)
    closed &= (spare > 0) & (spare < np.inf)
    closed &= (law[2] == 1) & (law[1] > 0) & (law[1] < np.inf)
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
    result[~closed] = late(*cells, family, _wait_late, law)
    return np.clip(result, 0, 1).reshape(shape)


def _mixed(spare, mean, scv, family, wait_late, law):
    """Sum over the transfers, by their score, what is left to wait."""
    from scipy.special import ndtr

    result = np.empty(spare.shape)
    for block in range(0, len(spare), _BLOCK):
        some = slice(block, block + _BLOCK)
        own = [part[some, np.newaxis] for part in (spare, mean, scv)]
        top = _score(*own, family)
        beyond = np.where(own[0] > 0, ndtr(-top), 1)
        high = np.clip(top, -_SPAN, _SPAN)
        score = -_SPAN + (high + _SPAN) / 2 * (1 + _POINTS)
        mass = np.exp(-0.5 * score**2) / np.sqrt(2 * np.pi)
        mass = mass * _WEIGHTS * (high + _SPAN) / 2
        mass *= (1 - beyond) / np.maximum(mass.sum(axis=-1, keepdims=True), 1e-300)
        left = np.maximum(own[0] - _at_score(score, *own[1:], family), 0)
        waited = wait_late(left, *(part[some, np.newaxis] for part in law))
        result[some] = beyond[:, 0] + (mass * waited).sum(axis=-1)
    return result


def _wait_late(time, waiting, mean, scv):
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


def _score(time, mean, scv, family):
    """Score of a length of transfer, of a law that is made normal."""
    from scipy.special import gammainc, gammaincc, ndtri

    if family == "normal":
        return (time - mean) / (np.sqrt(scv) * mean)
    if family == "lognormal":
        spread = np.sqrt(np.log1p(scv))
        return np.log(time / mean) / spread + spread / 2
    shape, time = 1 / scv, time / mean / scv
    early, late = gammainc(shape, time), gammaincc(shape, time)
    return np.where(early < 0.5, ndtri(early), -ndtri(late))


def _at_score(score, mean, scv, family):
    """Length of transfer at a score."""
    from scipy.special import gammainccinv, gammaincinv, ndtr

    if family == "normal":
        return mean * (1 + np.sqrt(scv) * score)
    if family == "lognormal":
        spread = np.sqrt(np.log1p(scv))
        return mean * np.exp(spread * (score - spread / 2))
    shape = 1 / scv
    short, long = gammaincinv(shape, ndtr(score)), gammainccinv(shape, ndtr(-score))
    return mean * scv * np.where(score < 0, short, long)
