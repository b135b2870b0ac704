r"""Laws of a wait, and of a wait and a transfer together, on plain arrays.

For those who put several laws together, which no single formula does: a wait that
depends on the hour, on top of a transfer that varies. Nothing is checked here.
"""

import numpy as np

from vmbmodel.formulas._kernels.day_law import pool_day, pool_days
from vmbmodel.formulas._kernels.lengths import EQUAL, at_score, score
from vmbmodel.formulas._kernels.nights import nights_quantile
from vmbmodel.formulas._kernels.quadrature import legendre
from vmbmodel.formulas._kernels.roots import root

__all__ = [
    "at_chance",
    "nights_quantile",
    "pool_day",
    "pool_days",
    "root",
    "total_late",
    "total_quantile",
]

_SPAN = 7.0
"""Standard deviations, of a transfer made normal, that are summed over."""
_BLOCK = 4096


def at_chance(chance, mean, scv, family):
    """Length that this share of the lengths of a mean does not exceed."""
    from scipy.special import ndtri

    return at_score(ndtri(chance), mean, scv, family)


def total_late(spare, mean, scv, family, wait_late, law):
    """Probability that transfer and wait take longer than is left for them.

    `wait_late(time, *law)` is the probability of waiting longer; all arrays are of one
    dimension and one length.
    """
    after = np.maximum(spare - mean, 0)
    result = np.where(spare >= mean, wait_late(after, *law), 1)
    varied = (scv > EQUAL) & (mean > 0) & (mean < np.inf) & (spare < np.inf)
    result[varied & (spare <= 0)] = 1
    varied &= spare > 0
    cells = [part[varied] for part in (spare, mean, scv)]
    result[varied] = _mixed(*cells, family, wait_late, [part[varied] for part in law])
    return np.clip(result, 0, 1)


def total_quantile(later, wait_quantile, late_prob, law, family):
    """Time of transfer and wait that is exceeded with a probability.

    `later(time, *law, family)` is the probability of taking longer than a time, and
    `wait_quantile(late_prob, *law)` the wait that is exceeded with a probability. The
    law begins with mean and variation of the transfer.
    """
    late_prob, *law = np.broadcast_arrays(late_prob, *law)

    def both(late_prob):
        moved = _transfer_quantile(late_prob, *law[:2], family)
        return moved, wait_quantile(late_prob, *law)

    moved, waited = both(late_prob)
    low = np.maximum(np.maximum(moved, waited), 0)
    high = np.sum(both(late_prob / 2), axis=0)
    end = np.where(late_prob > 0, low, high)
    inside = (law[1] > EQUAL) & (low < high) & (high < np.inf) & (late_prob > 0)
    end = np.where(law[1] > EQUAL, end, law[0] + waited)
    return root(
        lambda time, wanted, *law: (
            np.log(np.maximum(later(time, *law, family), 1e-320)) - np.log(wanted)
        ),
        low,
        high,
        late_prob,
        *law,
        inside=inside,
        otherwise=np.where(inside, low, end),
        xrtol=1e-10,
        xatol=0,
        fatol=1e-10,
        frtol=0,
    )


def _transfer_quantile(late_prob, mean, scv, family):
    """Length of a transfer that is exceeded with a probability."""
    from scipy.special import ndtri

    moved = at_score(-ndtri(late_prob), mean, np.maximum(scv, EQUAL), family)
    return np.where((scv > EQUAL) & (mean > 0) & (mean < np.inf), moved, mean)


def _mixed(spare, mean, scv, family, wait_late, law):
    """Sum over the transfers, by their score, what is left to wait."""
    from scipy.special import ndtr

    points, weights = legendre(128)
    result = np.empty(spare.shape)
    for block in range(0, len(spare), _BLOCK):
        some = slice(block, block + _BLOCK)
        own = [part[some, np.newaxis] for part in (spare, mean, scv)]
        top = score(*own, family)
        beyond = np.where(own[0] > 0, ndtr(-top), 1)
        high = np.clip(top, -_SPAN, _SPAN)
        scored = -_SPAN + (high + _SPAN) / 2 * (1 + points)
        mass = np.exp(-0.5 * scored**2) / np.sqrt(2 * np.pi)
        mass = mass * weights * (high + _SPAN) / 2
        mass *= (1 - beyond) / np.maximum(mass.sum(axis=-1, keepdims=True), 1e-300)
        left = np.maximum(own[0] - at_score(scored, *own[1:], family), 0)
        waited = wait_late(left, *(part[some, np.newaxis] for part in law))
        result[some] = beyond[:, 0] + (mass * waited).sum(axis=-1)
    return result
