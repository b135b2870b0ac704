r"""Recovery points to stored bytes: in the vault, and in snapshots beside the disks.

When a point expires, what a later point still needs is merged into that one. A
kept point so holds what changed since the kept point before it, and the vault
the data itself and the distinct changes of every gap. What expires over time
leaves fewer and longer gaps, in which blocks are written more than once.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.curves import CURVES
from vmbmodel.formulas._kernels.gaps import copies, daily_growth, gaps, stored

__all__ = ["gfs_points", "snapshot_gib", "stored_gib"]


@formula
def gfs_points(
    daily_points,
    weekly_points=0,
    monthly_points=0,
    yearly_points=0,
    protected_days=np.inf,
    month_day=0,
):
    r"""Recovery points that daily, weekly, monthly and yearly retention keep.

    .. math:: n = d + \sum_j \frac{h_j - h_{j-1}}{P_j}, \qquad
        h_j = \max(h_{j-1}, c_j Q_j), \quad h_0 = d

    with the periods :math:`P` of 7, 30.4375 and 365.25 days, the counts
    :math:`c` of each level and their units :math:`Q` of 7, 31 and 365.25 days. None
    reaches back beyond the first backup. Where backups are weekly, the weekly level is
    the finest.

    Notes
    -----
    The mean over the dates of four years. Every coarser point is one of a finer level
    too, as the first Sunday of a month is a Sunday; but six of seven monthly points on
    a day of the month are no weekly ones, and add to those within the weeks. The exact
    set on a date is `vmbmodel.plan.bill`'s.

    References
    ----------
    Microsoft (2021) for what a point is, :cite:`recoverypoints2021`.

    Examples
    --------
    >>> print(gfs_points(30, 12, 12, 3))
    49.16
    """
    levels = daily_points, weekly_points, monthly_points, yearly_points
    points = gaps(*levels, protected_days, month_day)
    return 1 + sum(whole + unequal for _, whole, unequal, _, _ in points)


@formula
def stored_gib(
    used_gib,
    churn_gib_per_day,
    daily_points,
    weekly_points=0,
    monthly_points=0,
    yearly_points=0,
    rewritten_frac=0,
    fresh_gib_per_day=0,
    protected_days=np.inf,
    yearly_growth_frac=0,
    stored_reading: str = "upper",
    month_day=0,
):
    r"""Size of what the vault holds under daily, weekly, monthly and yearly points.

    .. math:: S = D + (d-1)\, U(1) + \sum_j (u_j + v_j), \qquad
        u_j = [n_j - 1]^+\, U(P_j), \qquad v_j = m_j\, \overline{U}(m_j P_j), \qquad
        m_j = \min(n_j, 1)

    with the :math:`n_j` points of period :math:`P_j` of `gfs_points`, the data
    :math:`U(T)` that differs after :math:`T` days of `distinct_gib`, and
    :math:`\overline{U}(T)` its mean over gaps of one period of the finer level, two,
    ... up to :math:`T` days.

    Parameters
    ----------
    used_gib : data of the VM, :math:`D`
    churn_gib_per_day : No more than all of it counts.
    rewritten_frac : Less than by chance counts as that.
    stored_reading : how the changes of many days are counted
        ``upper`` and ``lower``, the most and the least that the overlap allows; for
        comparison ``linear``, as if no block were ever written twice, ``points``, as if
        every point were a day of changes, and ``full``, as if it were a copy.

    Returns
    -------
    :math:`D + (d-1) \min(\Delta, D)` of daily points alone, by every reading but
    ``full``.

    See Also
    --------
    vmbmodel.formulas.distinct.distinct_gib : the changes of one gap.

    Notes
    -----
    The first point holds all data, every later one what changed since the one
    before it; what a later point still needs of one that expires is merged into
    it. Exact for daily points and a size that does not grow.
    The gap between the last point of a level and the first of the next is part of
    a period. From one monthly point on a weekday to the next are 28 or 35 days; one on
    a day of the month mostly parts a week in two.

    Against the increments of the calendar, in the mean over the dates of four years:
    daily and weekly points, exact; with monthly or yearly ones besides, within 0.5 %;
    with a single coarse point, 1.5 %, and 4 % of weekly backups. One date differs from
    the mean by what the oldest points of that date hold. Data that grows was smaller
    when older points were taken, and is new when it comes: growth counts as part of the
    changes, as a stream that has not been written before.

    Of the readings for comparison, ``linear`` is too much wherever the same blocks
    change again; ``points`` too little as soon as a point is older than a day, save
    where the same data changes every day; ``full`` takes the sum of the actual data
    in each recovery point to the letter, against the same source, which says that
    only changed blocks are stored.

    References
    ----------
    Microsoft (2018), "Backup costs", :cite:`article2018`, and (2021), on what a
    point holds and leaves behind, :cite:`recoverypoints2021`; blocks written more
    than once as in Denning and Schwartz (1972), :cite:`denning1972`.

    Examples
    --------
    Thirty daily points; then graded ones, where half of what changes in a day
    changes again in the next:

    >>> print(stored_gib(200, churn_gib_per_day=10, daily_points=30))
    490.0
    >>> policy = dict(daily_points=30, weekly_points=12, monthly_points=12,
    ...               yearly_points=3, rewritten_frac=0.5)
    >>> for reading in ("lower", "upper", "linear", "points", "full"):
    ...     print(reading, stored_gib(200, 10, **policy, stored_reading=reading))
    lower 869.2
    upper 2188.5
    linear 3245.
    points 681.6
    full 9831.6
    """
    growth = daily_growth(yearly_growth_frac)
    levels = daily_points, weekly_points, monthly_points, yearly_points
    points = *levels, protected_days, month_day
    if stored_reading == "full":
        return used_gib * copies(growth, points)
    grown = used_gib * growth  # is changed too, for the first time
    churn = np.maximum(churn_gib_per_day, grown)
    fresh = np.maximum(fresh_gib_per_day, grown)
    room = np.where(churn > 0, 1 - grown / churn, 1)
    again = np.minimum(rewritten_frac, room)
    curve = CURVES[stored_reading](used_gib, churn, again, fresh)
    return stored(used_gib, growth, *curve, points)


@formula
def snapshot_gib(
    used_gib,
    churn_gib_per_day,
    snapshot_points,
    snapshot_policy: str = "standard",
    day_starts=1,
):
    r"""Billed size of the snapshots that are kept beside the disks.

    .. math:: S_\text{Standard} = n \min(\Delta, U), \qquad
        S_\text{Enhanced} = \min(n, 1)\, U \\ + [n - 1/m]^+ \min(\Delta, U)

    Notes
    -----
    Snapshots are kept for :math:`n` days, :math:`m` of each; no more changes in a day
    than all data, each time another part of it. What changes several times in a day is
    in several snapshots of it, and comes on top.

    References
    ----------
    Microsoft (2025), :cite:`instantrestore2025`.

    Examples
    --------
    The documented example, 100 GB with 2 % a day, for five days:

    >>> kept = dict(churn_gib_per_day=2, snapshot_points=5)
    >>> print(snapshot_gib(100, **kept))
    10.0
    >>> print(snapshot_gib(100, **kept, snapshot_policy="enhanced"))
    108.0
    """
    day = np.minimum(churn_gib_per_day, used_gib)
    if snapshot_policy == "standard":
        return snapshot_points * day_starts * (day / day_starts)
    full = np.minimum(snapshot_points, 1) * used_gib
    return full + np.maximum(snapshot_points - 1 / day_starts, 0) * day
