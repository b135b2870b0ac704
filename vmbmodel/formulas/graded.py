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

__all__ = ["gfs_points", "stored_lower_gib", "stored_upper_gib"]

_PERIODS = (7, 365.25 / 12, 365.25)  # days between weekly, monthly, yearly points


def gaps(daily, weekly, monthly, yearly, protected_days):
    """Yield for every level the days of a gap, the whole gaps, and the part of one.

    The first gap of a level, to the last point of the finer one, is a part.
    """
    period = np.where(daily > 0, 1, 7)
    taken = np.floor((protected_days + period - 1) / period)
    points = np.maximum(np.minimum(np.where(daily > 0, daily, weekly), taken), 1)
    yield period, points - 1, 0
    horizon = points * period
    for period, count in zip(_PERIODS, (weekly, monthly, yearly), strict=True):
        reach = np.maximum(horizon, np.minimum(count * period, protected_days))
        points = (reach - horizon) / period
        part = np.minimum(points, 1)
        yield period, points - part, part
        horizon = reach


def stored(used, growth, distinct, mean_distinct, points):
    """Add the changes of all gaps to the data of the oldest point.

    What was stored some days ago was smaller by the growth since then.
    """
    total, age = 0, 0
    for days, whole, part in gaps(*points):
        partly = np.where(part > 0, part * _mean_gap(part * days), 0)
        lasted = whole * days + partly
        partly = np.where(part > 0, part * mean_distinct(part * days), 0)
        added = whole * distinct(days) + partly
        total = total + added * _mean_size(growth, age, lasted)
        age = age + lasted
    return used * np.exp(-growth * age) + total


def daily_growth(yearly_growth_frac):
    """Growth of a day, compounded at every instant."""
    return np.log1p(yearly_growth_frac) / 365.25


def _mean_size(growth, age, lasted):
    """Mean size, of today's, over a time that ended so many days ago."""
    more = growth * lasted
    return np.exp(-growth * age) * np.where(more > 0, -np.expm1(-more) / more, 1)


def _mean_gap(days):
    """Mean of gaps of 1, 2, ... days, the last day of them in part."""
    whole = np.floor(days)
    return (whole + 1) * (days - whole / 2) / days


def _on_curve(curve, used, churn, rewritten, fresh, yearly_growth_frac, points):
    growth = daily_growth(yearly_growth_frac)
    grown = used * growth  # is changed too, for the first time
    churn, fresh = np.maximum(churn, grown), np.maximum(fresh, grown)
    room = np.where(churn > 0, 1 - grown / churn, 1)
    rest, again, fresh = without_fresh(churn, np.minimum(rewritten, room), fresh)
    bends = curve(used, rest, again)
    return stored(
        used,
        growth,
        lambda days: union(days, *bends) + fresh * days,
        lambda days: mean_union(days, *bends) + fresh * _mean_gap(days),
        points,
    )


@formula
def gfs_points(
    daily_points: ArrayLike,
    weekly_points: ArrayLike,
    monthly_points: ArrayLike,
    yearly_points: ArrayLike,
    protected_days: ArrayLike = np.inf,
) -> ArrayLike:
    r"""Recovery points that daily, weekly, monthly and yearly retention keep.

    .. math:: n = d + \sum_j \frac{h_j - h_{j-1}}{P_j}, \qquad
        h_j = \max(h_{j-1}, c_j P_j), \quad h_0 = d

    with the periods :math:`P` of 7, 30.4375 and 365.25 days and the counts
    :math:`c` of each level, none of which reaches back beyond the first backup.
    Where backups are weekly, the weekly level is the finest.

    Parameters
    ----------
    daily_points : array_like of int
        Daily points kept; 0 where backups are weekly. [-]
    weekly_points : array_like of int
        Weeks for which a weekly point is kept. [-]
    monthly_points : array_like of float
        Months for which a monthly point is kept. [-]
    yearly_points : array_like of float
        Years for which a yearly point is kept. [-]
    protected_days : array_like of float
        Days since the first backup, its own day included, at least 1; ``inf`` for
        long ago. [-]

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
    The mean over a year of days, where every coarser point is one of a finer level
    too, as the first Sunday of a month is a Sunday. A monthly point on a day of the
    month is mostly no weekly one: up to one point more for each month within the
    weeks. The exact set on a date is `vmbmodel.plan.bill`'s.

    References
    ----------
    Microsoft (2021) for what a point is, :cite:`recoverypoints2021`.

    Examples
    --------
    >>> print(gfs_points(30, 12, 12, 3))
    48.95
    """
    points = daily_points, weekly_points, monthly_points, yearly_points
    return 1 + sum(whole + part for _, whole, part in gaps(*points, protected_days))


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
    protected_days: ArrayLike = np.inf,
    yearly_growth_frac: ArrayLike = 0,
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
        Daily points kept; 0 where backups are weekly. [-]
    weekly_points : array_like of int
        Weeks for which a weekly point is kept. [-]
    monthly_points : array_like of float
        Months for which a monthly point is kept. [-]
    yearly_points : array_like of float
        Years for which a yearly point is kept. [-]
    protected_days : array_like of float
        Days since the first backup, its own day included, at least 1; ``inf`` for
        long ago. [-]
    yearly_growth_frac : array_like of float
        How much data and changes grow in a year, :math:`\ge 0`. [-]

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
    a period, of whole days. Against the calendar, in the mean over a year, within
    2.2 % of the increments. Data that grows was smaller when older points were
    taken, and is new when it comes: growth counts as part of the changes, as a
    stream that has not been written before.

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
    points = daily_points, weekly_points, monthly_points, yearly_points
    return _on_curve(
        lower_curve,
        used_gib,
        churn_gib_per_day,
        rewritten_frac,
        fresh_gib_per_day,
        yearly_growth_frac,
        (*points, protected_days),
    )


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
    protected_days: ArrayLike = np.inf,
    yearly_growth_frac: ArrayLike = 0,
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
        Daily points kept; 0 where backups are weekly. [-]
    weekly_points : array_like of int
        Weeks for which a weekly point is kept. [-]
    monthly_points : array_like of float
        Months for which a monthly point is kept. [-]
    yearly_points : array_like of float
        Years for which a yearly point is kept. [-]
    protected_days : array_like of float
        Days since the first backup, its own day included, at least 1; ``inf`` for
        long ago. [-]
    yearly_growth_frac : array_like of float
        How much data and changes grow in a year, :math:`\ge 0`. [-]

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
    a period, of whole days. Against the calendar, in the mean over a year, within
    2.2 % of the increments. Data that grows was smaller when older points were
    taken, and is new when it comes: growth counts as part of the changes, as a
    stream that has not been written before.

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
    points = daily_points, weekly_points, monthly_points, yearly_points
    return _on_curve(
        upper_curve,
        used_gib,
        churn_gib_per_day,
        rewritten_frac,
        fresh_gib_per_day,
        yearly_growth_frac,
        (*points, protected_days),
    )
