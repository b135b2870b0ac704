r"""Total time of a job: a fixed part, and a wait that is often nothing at all.

The wait :math:`W` is 0 with probability :math:`1 - p_w` and otherwise
exponential with rate :math:`\theta`, as in an M/M/c queue; everything else
(extension, snapshot, transfer) is a constant :math:`d`.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula

__all__ = ["done_within_prob", "total_mean_h", "total_quantile_h"]


@formula
def total_mean_h(
    constant_h: ArrayLike, wait_prob: ArrayLike, decay_per_h: ArrayLike
) -> ArrayLike:
    r"""Mean of the total time.

    .. math:: E[T] = d + \frac{p_w}{\theta}

    Parameters
    ----------
    constant_h : array_like of float
        Fixed part, :math:`d \ge 0`; may be ``inf``. [h]
    wait_prob : array_like of float
        Probability of waiting, :math:`p_w` in [0, 1]. [-]
    decay_per_h : array_like of float
        Rate of the exponential wait, :math:`\theta \ge 0`; 0 for a queue that
        never clears. [1/h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; ``inf`` where the queue never
        clears. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for an M/M/c queue and a fixed part that does not vary.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`.

    Examples
    --------
    >>> print(total_mean_h(1, wait_prob=0.4, decay_per_h=2))
    1.2
    """
    return constant_h + np.where(wait_prob > 0, wait_prob / decay_per_h, 0)


@formula
def done_within_prob(
    deadline_h: ArrayLike,
    constant_h: ArrayLike,
    wait_prob: ArrayLike,
    decay_per_h: ArrayLike,
) -> ArrayLike:
    r"""Probability that a job is done within its deadline.

    .. math:: P(T \le t) = 1 - p_w\, e^{-\theta (t - d)} \quad (t \ge d),
        \qquad 0 \text{ otherwise}

    Parameters
    ----------
    deadline_h : array_like of float
        Time within which the job has to be done, :math:`t \ge 0`. [h]
    constant_h : array_like of float
        Fixed part, :math:`d \ge 0`; may be ``inf``. [h]
    wait_prob : array_like of float
        Probability of waiting, :math:`p_w` in [0, 1]. [-]
    decay_per_h : array_like of float
        Rate of the exponential wait, :math:`\theta \ge 0`; 0 for a queue that
        never clears. [1/h]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for an M/M/c queue and a fixed part that does not vary.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`.

    Examples
    --------
    One hour of work, a wait for four jobs in ten, and two hours to do it:

    >>> print(done_within_prob(2, constant_h=1, wait_prob=0.4, decay_per_h=2))
    0.9459
    """
    spare = deadline_h - constant_h
    late = wait_prob * np.exp(-decay_per_h * np.maximum(spare, 0))
    return np.where(spare >= 0, 1 - late, 0)


@formula
def total_quantile_h(
    prob: ArrayLike,
    constant_h: ArrayLike,
    wait_prob: ArrayLike,
    decay_per_h: ArrayLike,
) -> ArrayLike:
    r"""Total time that a given share of the jobs does not exceed.

    .. math:: t_p = d + \max\left(0,\; \frac{1}{\theta}
        \ln\frac{p_w}{1 - p}\right)

    Parameters
    ----------
    prob : array_like of float
        Share of the jobs :math:`p`, in [0, 1]. [-]
    constant_h : array_like of float
        Fixed part, :math:`d \ge 0`; may be ``inf``. [h]
    wait_prob : array_like of float
        Probability of waiting, :math:`p_w` in [0, 1]. [-]
    decay_per_h : array_like of float
        Rate of the exponential wait, :math:`\theta \ge 0`; 0 for a queue that
        never clears. [1/h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; ``inf`` where that share is
        never done. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for an M/M/c queue and a fixed part that does not vary.

    References
    ----------
    Gross et al. (2008), sec. 2.3, :cite:`gross2008`.

    Examples
    --------
    >>> print(total_quantile_h(0.95, constant_h=1, wait_prob=0.4, decay_per_h=2))
    2.0397
    """
    # fmax: the 1-quantile of a wait that never is, is no wait
    excess = np.fmax(np.log(wait_prob) - np.log1p(-prob), 0)
    return constant_h + np.where(excess > 0, excess / decay_per_h, 0)
