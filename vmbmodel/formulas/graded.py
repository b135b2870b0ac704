r"""Graded retention to stored bytes: daily, weekly, monthly and yearly points.

When a point expires, what a later point still needs is merged into that one. A
kept point so holds what changed since the kept point before it, and the vault
the data itself and the distinct changes of every gap. What expires over time
leaves fewer and longer gaps, in which blocks are written more than once.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula
from vmbmodel.formulas.distinct import (
    lower_curve,
    mean_union,
    union,
    upper_curve,
    without_fresh,
)

__all__ = [
    "gfs_points",
    "stored_linear_gib",
    "stored_lower_gib",
    "stored_points_gib",
    "stored_upper_gib",
]

_PERIODS = (7, 365.25 / 12, 365.25)  # days between weekly, monthly, yearly points


def _levels(daily, *counts):
    """Yield the period of every level, and the points it adds to the finer ones."""
    horizon = daily
    for period, count in zip(_PERIODS, counts, strict=True):
        reach = np.maximum(horizon, count * period)
        yield period, (reach - horizon) / period
        horizon = reach


def _increments(distinct, mean_distinct, daily, *counts):
    """Sum the changes of all gaps; the first gap of a level is a part of its period."""
    total = (daily - 1) * distinct(1)
    for period, points in _levels(daily, *counts):
        part = np.minimum(points, 1)
        total = total + np.maximum(points - 1, 0) * distinct(period)
        total = total + np.where(part > 0, part * mean_distinct(part * period), 0)
    return total


def _stored(used, curve, fresh, points):
    """Add the increments on a curve of distinct changes, with a stream, to the data."""
    return used + _increments(
        lambda days: union(days, *curve) + fresh * days,
        lambda days: mean_union(days, *curve) + fresh * _mean_gap(days),
        *points,
    )


def _mean_gap(days):
    """Mean of gaps of 1, 2, ... days, the last day of them in part."""
    whole = np.floor(days)
    return (whole + 1) * (days - whole / 2) / days


@formula
def gfs_points(
    daily_points: ArrayLike,
    weekly_points: ArrayLike,
    monthly_points: ArrayLike,
    yearly_points: ArrayLike,
) -> ArrayLike:
    r"""Recovery points that daily, weekly, monthly and yearly retention keep.

    .. math:: n = d + \sum_j \frac{h_j - h_{j-1}}{P_j}, \qquad
        h_j = \max(h_{j-1}, c_j P_j), \quad h_0 = d

    with the periods :math:`P` of 7, 30.4375 and 365.25 days and the counts
    :math:`c` of each level.

    Parameters
    ----------
    daily_points : array_like of int
        Daily points kept, at least 1. [-]
    weekly_points : array_like of int
        Weeks for which a weekly point is kept. [-]
    monthly_points : array_like of int
        Months for which a monthly point is kept. [-]
    yearly_points : array_like of int
        Years for which a yearly point is kept. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    The mean over a year of days, for a VM that has been protected long enough,
    where every coarser point is one of a finer level too, as the first Sunday of
    a month is a Sunday. A monthly point on a day of the month is mostly no weekly
    one: up to one point more for each month within the weeks. The exact set on
    a date is `vmbmodel.plan.calendar`'s.

    References
    ----------
    Microsoft (2021) for what a point is, :cite:`recoverypoints2021`.

    Examples
    --------
    >>> print(gfs_points(30, 12, 12, 3))
    48.95
    """
    levels = _levels(daily_points, weekly_points, monthly_points, yearly_points)
    return daily_points + sum(points for _, points in levels)


@formula
def stored_lower_gib(
    used_gib: ArrayLike,
    churn_gib_per_day: ArrayLike,
    rewritten_frac: ArrayLike,
    fresh_gib_per_day: ArrayLike,
    daily_points: ArrayLike,
    weekly_points: ArrayLike,
    monthly_points: ArrayLike,
    yearly_points: ArrayLike,
) -> ArrayLike:
    r"""Least data that the vault holds under graded retention.

    .. math:: S = D + (d-1)\, U(1) + \sum_j \left([n_j - 1]^+ U(P_j)
        + m_j\, \overline{U}(m_j P_j)\right), \qquad m_j = \min(n_j, 1)

    with the :math:`n_j` points of period :math:`P_j` of `gfs_points`, and
    :math:`\overline{U}(T)` the mean over gaps of 1, 2, ... :math:`T` days.

    Parameters
    ----------
    used_gib : array_like of float
        Data of the VM, :math:`D \ge 0`. [GiB]
    churn_gib_per_day : array_like of float
        Data changed in a day, :math:`\Delta \ge 0`. [GiB/d]
    rewritten_frac : array_like of float
        Share of a day's changes that the next day changes again, in
        [0, 1]. [-]
    fresh_gib_per_day : array_like of float
        Stream that is never written again, :math:`\phi \ge 0`. [GiB/d]
    daily_points : array_like of int
        Daily points kept, at least 1. [-]
    weekly_points : array_like of int
        Weeks for which a weekly point is kept. [-]
    monthly_points : array_like of int
        Months for which a monthly point is kept. [-]
    yearly_points : array_like of int
        Years for which a yearly point is kept. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [GiB]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    stored_upper_gib : the other end.

    Notes
    -----
    Of all ways to write that give this churn and overlap, the one that touches
    least: see `distinct_lower_gib`.
    The gap between the last point of a level and the first of the next is part of
    a period, of whole days. The data does not grow. Against the calendar, in the
    mean over a year, within 2.2 % of the increments.

    References
    ----------
    Microsoft (2021), on what a point holds and leaves behind,
    :cite:`recoverypoints2021`; Denning and Schwartz (1972), :cite:`denning1972`.

    Examples
    --------
    Half of what changes in a day changes again in the next:

    >>> changes = dict(churn_gib_per_day=10, rewritten_frac=0.5, fresh_gib_per_day=0)
    >>> print(stored_lower_gib(200, **changes, daily_points=30, weekly_points=12,
    ...                        monthly_points=12, yearly_points=3))
    864.5
    """
    rest, again, fresh = without_fresh(
        churn_gib_per_day, rewritten_frac, fresh_gib_per_day
    )
    points = daily_points, weekly_points, monthly_points, yearly_points
    return _stored(used_gib, lower_curve(used_gib, rest, again), fresh, points)


@formula
def stored_upper_gib(
    used_gib: ArrayLike,
    churn_gib_per_day: ArrayLike,
    rewritten_frac: ArrayLike,
    fresh_gib_per_day: ArrayLike,
    daily_points: ArrayLike,
    weekly_points: ArrayLike,
    monthly_points: ArrayLike,
    yearly_points: ArrayLike,
) -> ArrayLike:
    r"""Most data that the vault holds under graded retention.

    .. math:: S = D + (d-1)\, U(1) + \sum_j \left([n_j - 1]^+ U(P_j)
        + m_j\, \overline{U}(m_j P_j)\right), \qquad m_j = \min(n_j, 1)

    with the :math:`n_j` points of period :math:`P_j` of `gfs_points`, and
    :math:`\overline{U}(T)` the mean over gaps of 1, 2, ... :math:`T` days.

    Parameters
    ----------
    used_gib : array_like of float
        Data of the VM, :math:`D \ge 0`. [GiB]
    churn_gib_per_day : array_like of float
        Data changed in a day, :math:`\Delta \ge 0`. [GiB/d]
    rewritten_frac : array_like of float
        Share of a day's changes that the next day changes again, in
        [0, 1]. [-]
    fresh_gib_per_day : array_like of float
        Stream that is never written again, :math:`\phi \ge 0`. [GiB/d]
    daily_points : array_like of int
        Daily points kept, at least 1. [-]
    weekly_points : array_like of int
        Weeks for which a weekly point is kept. [-]
    monthly_points : array_like of int
        Months for which a monthly point is kept. [-]
    yearly_points : array_like of int
        Years for which a yearly point is kept. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [GiB]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    stored_lower_gib : the other end.

    Notes
    -----
    Of all ways to write that give this churn and overlap, the one that touches
    most: see `distinct_upper_gib`.
    The gap between the last point of a level and the first of the next is part of
    a period, of whole days. The data does not grow. Against the calendar, in the
    mean over a year, within 2.2 % of the increments.

    References
    ----------
    Microsoft (2021), on what a point holds and leaves behind,
    :cite:`recoverypoints2021`; Denning and Schwartz (1972), :cite:`denning1972`.

    Examples
    --------
    Half of what changes in a day changes again in the next:

    >>> changes = dict(churn_gib_per_day=10, rewritten_frac=0.5, fresh_gib_per_day=0)
    >>> print(stored_upper_gib(200, **changes, daily_points=30, weekly_points=12,
    ...                        monthly_points=12, yearly_points=3))
    2152.5
    """
    rest, again, fresh = without_fresh(
        churn_gib_per_day, rewritten_frac, fresh_gib_per_day
    )
    points = daily_points, weekly_points, monthly_points, yearly_points
    return _stored(used_gib, upper_curve(used_gib, rest, again), fresh, points)


@formula
def stored_linear_gib(
    used_gib: ArrayLike,
    churn_gib_per_day: ArrayLike,
    daily_points: ArrayLike,
    weekly_points: ArrayLike,
    monthly_points: ArrayLike,
    yearly_points: ArrayLike,
) -> ArrayLike:
    r"""Size of what the vault would hold if no block were ever written twice.

    The equation of `stored_upper_gib` with :math:`U(T) = \min(\Delta\, T, D)`.

    Parameters
    ----------
    used_gib : array_like of float
        Data of the VM, :math:`D \ge 0`. [GiB]
    churn_gib_per_day : array_like of float
        Data changed in a day, :math:`\Delta \ge 0`. [GiB/d]
    daily_points : array_like of int
        Daily points kept, at least 1. [-]
    weekly_points : array_like of int
        Weeks for which a weekly point is kept. [-]
    monthly_points : array_like of int
        Months for which a monthly point is kept. [-]
    yearly_points : array_like of int
        Years for which a yearly point is kept. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [GiB]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    stored_upper_gib : what a known overlap allows at most.

    Notes
    -----
    For comparison only: it adds up the churn of all days between two points, and
    is wrong wherever the same blocks change again.

    References
    ----------
    Against it: Denning and Schwartz (1972), :cite:`denning1972`.

    Examples
    --------
    >>> print(stored_linear_gib(200, 10, 30, 12, 12, 3))
    3180.
    """

    def distinct(days):
        return np.minimum(churn_gib_per_day * days, used_gib)

    def mean_distinct(days):
        room = np.where(churn_gib_per_day > 0, used_gib / churn_gib_per_day, np.inf)
        whole = np.floor(days)
        rising = np.minimum(np.floor(room), whole)
        full = churn_gib_per_day * rising * (rising + 1) / 2
        full = full + used_gib * (whole - rising)
        return (full + (days - whole) * distinct(whole + 1)) / days

    points = daily_points, weekly_points, monthly_points, yearly_points
    return used_gib + _increments(distinct, mean_distinct, *points)


@formula
def stored_points_gib(
    used_gib: ArrayLike,
    churn_gib_per_day: ArrayLike,
    daily_points: ArrayLike,
    weekly_points: ArrayLike,
    monthly_points: ArrayLike,
    yearly_points: ArrayLike,
) -> ArrayLike:
    r"""Size of what the vault would hold if every point were a day of changes.

    .. math:: S = D + (n - 1) \min(\Delta, D)

    Parameters
    ----------
    used_gib : array_like of float
        Data of the VM, :math:`D \ge 0`. [GiB]
    churn_gib_per_day : array_like of float
        Data changed in a day, :math:`\Delta \ge 0`. [GiB/d]
    daily_points : array_like of int
        Daily points kept, at least 1. [-]
    weekly_points : array_like of int
        Weeks for which a weekly point is kept. [-]
    monthly_points : array_like of int
        Months for which a monthly point is kept. [-]
    yearly_points : array_like of int
        Years for which a yearly point is kept. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [GiB]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    stored_lower_gib : what a known overlap takes at least.

    Notes
    -----
    For comparison only: a weekly point holds more than the changes of a day, so
    this is too little as soon as there is one, save where the same data changes
    every day. With :math:`n` of `gfs_points`.

    References
    ----------
    Against it: Microsoft (2021) on what a point holds, :cite:`recoverypoints2021`.

    Examples
    --------
    >>> print(stored_points_gib(200, 10, 30, 12, 12, 3))
    679.5
    """
    counts = daily_points, weekly_points, monthly_points, yearly_points
    points = daily_points + sum(more for _, more in _levels(*counts))
    return used_gib + (points - 1) * np.minimum(churn_gib_per_day, used_gib)
