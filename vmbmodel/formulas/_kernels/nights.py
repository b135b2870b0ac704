r"""A wait of one law after a time that differs from night to night."""

import math

import numpy as np

__all__ = ["nights_quantile"]

_SAME = 1e-9  # of a night: a part that rounding makes
_MOST = 700.0  # nearly the largest power of e


def nights_quantile(offset, prob, wait_prob, wait_mean):
    r"""Time that this share of all nights keeps within, a row a job.

    A night takes its offset, of which each row has as many in ascending order, and
    after it nothing or an exponential wait. Between two offsets :math:`k` of the
    :math:`N` nights are past theirs, and as many as

    .. math:: N - k + p_w \sum_{i \le k} e^{-\theta (t - o_i)}

    are late at :math:`t`, so that the quantile is a logarithm, or an offset itself.

    >>> ones = np.ones(1)
    >>> print(nights_quantile(np.array([[1.0, 5.0]]), 0.5, ones, ones))
    [5.01814993]
    """
    nights = offset.shape[1]
    late = nights * (1 - prob)
    waits = (wait_prob > 0) & (wait_mean > 0)
    # before this one as many are still at their offset as may be late, or more
    first = min(int(nights - late + _SAME), nights - 1)
    begun, mean = offset[:, [first]], np.where(waits, wait_mean, 1)[:, np.newaxis]
    left = late - np.arange(nights - first)[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):  # what has no end, or no wait
        waiting = np.exp(np.minimum((offset - begun) / mean, _MOST))
        waiting = wait_prob[:, np.newaxis] * np.cumsum(waiting, axis=1)[:, first:]
        excess = np.log(waiting) - np.log(left)
    past = offset[:, first:]
    time = np.maximum(begun + np.where(excess > 0, excess * mean, 0), past)
    ahead = np.append(past[:, 1:], np.full_like(begun, np.inf), axis=1)
    here = (time < ahead).argmax(axis=1)
    time = time[np.arange(len(time)), here]
    # without a wait, halfway to the next night where just that share is over by one
    over = offset[:, max(math.ceil(nights - late - _SAME), 1) - 1]
    at_once = np.where(begun[:, 0] < np.inf, (over + begun[:, 0]) / 2, over)
    return np.where(waits, time, at_once)
