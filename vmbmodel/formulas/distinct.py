r"""Days to distinct bytes: how much changes between two recovery points.

A block written on two days is stored once, so the changes of :math:`T` days,
:math:`U(T)`, are less than those of a day :math:`T` times over. Where days are
alike in law, what is left unwritten falls off as a mixture of exponentials; one
day and the overlap with the next then enclose :math:`U(T)` from both sides.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.curves import CURVES

__all__ = ["distinct_fitted_gib", "distinct_gib", "rewritten_frac"]


@formula
def rewritten_frac(churn_gib_per_day, two_days_gib):
    r"""Share of a day's changes that the next day changes again.

    .. math:: o = 2 - \frac{U(2)}{U(1)}

    Parameters
    ----------
    churn_gib_per_day : data changed in a day, :math:`U(1)`

    Returns
    -------
    1 where nothing changes.

    Notes
    -----
    Two days together change no less than one of them and no more than both; a
    measurement beyond either end counts as that end. Take means over several
    pairs of days.

    References
    ----------
    The overlap of neighbouring intervals, as in the working sets of Denning and
    Schwartz (1972), :cite:`denning1972`.

    Examples
    --------
    >>> print(rewritten_frac(10, two_days_gib=16))
    0.4
    """
    share = 2 - two_days_gib / churn_gib_per_day
    return np.where(churn_gib_per_day > 0, np.clip(share, 0, 1), 1)


@formula
def distinct_gib(
    days,
    used_gib,
    churn_gib_per_day,
    rewritten_frac=0,
    fresh_gib_per_day=0,
    stored_reading: str = "upper",
):
    r"""Distinct data of some days, where one day and the overlap are known.

    .. math::

        U_\text{upper}(T) = D - (D - U_1)\, q^{T-1} + \phi\, T, \qquad
        q = \frac{D - U_2}{D - U_1}, \quad U_2 = (2 - o)\, U_1, \\
        U_\text{lower}(T) = U_1 \frac{1 - (1-o)^T}{o} + \phi\, T, \\
        U_\text{linear}(T) = \min(\Delta\, T, D)

    Parameters
    ----------
    used_gib : data that can change, :math:`D`
    churn_gib_per_day : data changed in a day, :math:`\Delta = U_1 + \phi`
        No more than all of it counts.
    rewritten_frac : share of a day's changes that the next day changes again
        :math:`o` is that share of :math:`U_1`.
    fresh_gib_per_day : No more counts than is not rewritten.
    stored_reading : how the changes of many days are counted
        ``upper`` and ``lower``, the most and the least of all ways to write that give
        this churn and overlap; for comparison ``linear``, ``points``, which is
        :math:`\min(\Delta, D)` whatever the days, and ``full``, which is :math:`D`.

    Notes
    -----
    The upper end is exact for a hot set that is rewritten every day beside a rest
    written at random, and a bound for every mixture that fits into the data; the
    lower end is exact when changes fall evenly on one part of the data, and a bound
    for every mixture of such parts. Without a stream, an overlap smaller than that
    of changes at random over all data counts as theirs, :math:`\Delta/D`; both
    ends then agree. A stream adds data and is not held against :math:`D`. Days
    have to be alike in law: weekly jobs and logs that come round break it.

    Many estimates add churn linearly, as if no block were ever written twice: more
    than any truth allows. Overlap and stream count for nothing there.

    References
    ----------
    A mixture of exponentials is log-convex: Feller (1968), sec. IV.2, for its
    terms and for random occupancy, :cite:`feller1968`; the size of a working set,
    and intervals of references, Denning and Schwartz (1972), :cite:`denning1972`.

    Examples
    --------
    Of a day's changes two fifths change again in the next:

    >>> month = dict(used_gib=200, churn_gib_per_day=10, rewritten_frac=0.4)
    >>> for reading in ("lower", "upper", "linear"):
    ...     print(distinct_gib(30, **month, stored_reading=reading))
    25.0
    125.1
    200.0

    Nothing is known of the overlap but that it is that of chance:

    >>> print(distinct_gib(7, used_gib=200, churn_gib_per_day=10))
    60.33
    """
    curve = CURVES[stored_reading](
        used_gib, churn_gib_per_day, rewritten_frac, fresh_gib_per_day
    )
    return curve.distinct(days)


@formula
def distinct_fitted_gib(
    days,
    horizon_days,
    distinct_once_gib,
    distinct_twice_gib,
    distinct_thrice_gib,
    fresh_gib_per_day,
):
    r"""Fit of the data that differs after some days, through three measured unions.

    .. math:: U(T) = H + A \left(1 - z^{T/h}\right) + \phi\, T, \qquad
        z = \frac{U_{3h} - U_{2h}}{U_{2h} - U_h}, \qquad
        A = \frac{U_{2h} - U_h}{z(1-z)}, \qquad H = U_h - A(1-z)

    Parameters
    ----------
    fresh_gib_per_day : Taken out before the fit and added afterwards.

    Notes
    -----
    Exact at :math:`h, 2h, 3h` and for a hot set :math:`H` beside one part of
    size :math:`A` written at random. Unions that grow faster than in proportion
    count as growing by the second step. Within :math:`h` the curve is never below
    proportion; a stream larger than the second step leaves no more growth.

    References
    ----------
    A sum of exponentials through equidistant values, as in Prony's method; the
    size of a working set, Denning and Schwartz (1972), :cite:`denning1972`.

    Examples
    --------
    A GiB is written every day, and 5 GiB at random:

    >>> week, two, three = (1 + 5 * (1 - 0.5**k) for k in (1, 2, 3))
    >>> print(distinct_fitted_gib(70, 7, week, two, three, fresh_gib_per_day=0))
    5.995
    """
    stream = fresh_gib_per_day * horizon_days
    once = np.maximum(distinct_once_gib - stream, 0)
    second = np.maximum(distinct_twice_gib - distinct_once_gib - stream, 0)
    third = np.maximum(distinct_thrice_gib - distinct_twice_gib - stream, 0)
    ratio = np.where(second > 0, np.minimum(third / second, 1), 0)
    whole_days = np.maximum(days, 1)
    steps = whole_days / horizon_days - 1
    decayed = np.where(steps == 0, 0, -np.expm1(steps * np.log(ratio)))
    # a ratio a rounding below one makes no difference of it
    growth = np.where(1 - ratio > 1e-12, decayed / (1 - ratio), steps)
    in_proportion = once * np.minimum(whole_days / horizon_days, 1)
    fitted = np.where(second > 0, once + second * growth, once)
    rest = np.maximum(in_proportion, fitted)
    return rest * np.minimum(days, 1) + fresh_gib_per_day * days
