r"""The archive tier, where a recovery point becomes a full copy at a low price."""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.gaps import copies, daily_growth

__all__ = ["archived_gib", "early_deletion_usd", "standard_points"]

_MONTH_H = 365.25 / 12 * 24


@formula
def standard_points(
    level_points,
    level_months,
    daily_points,
    weekly_points,
    monthly_points,
    archive_after_months,
    archive_left_months,
):
    r"""Months or years for which a point stays in the standard tier.

    .. math:: c' = \begin{cases} a' / M & c M \ge a' + l \\ c & c M < a' + l
        \end{cases}, \qquad a' = \max\left(a,\;
        \frac{\max(d, 7 w) + P - s}{31}\right)

    with the days :math:`P` to the next monthly point, or yearly one where there are no
    monthly ones, and :math:`s` between the points of the longer of the finer levels.

    See Also
    --------
    archived_gib : what the others come to in the archive.

    Notes
    -----
    Every point moves as soon as it may: at the age :math:`a`, and not before the
    daily and weekly points that follow it, up to the next monthly one, have expired,
    for they depend on it. Daily and weekly points never move. The vault may recommend
    fewer, those with which the bill falls.

    References
    ----------
    Microsoft (2023), "Supported workloads", :cite:`archive2023`.

    Examples
    --------
    Twelve monthly points move after three months, with nine left; of six, none
    would have the six months left that it needs:

    >>> rule = dict(archive_after_months=3, archive_left_months=6)
    >>> print(standard_points([12, 6], 1, 30, 0, [12, 6], **rule))
    [3. 6.]

    Of 36, two years of weekly points keep 25 where they are:

    >>> print(standard_points(36, 1, 30, 104, 36, **rule))
    24.24
    """
    months = archive_after_months, archive_left_months
    rule = daily_points, weekly_points, monthly_points, *months
    return _left_in_standard(level_points, level_months, *rule)


@formula
def archived_gib(
    used_gib,
    daily_points,
    weekly_points,
    monthly_points,
    yearly_points,
    archive_after_months,
    archive_left_months,
    protected_days=np.inf,
    yearly_growth_frac=0,
    month_day=0,
):
    r"""Full copies in the archive tier, where every point that may move has moved.

    .. math:: S = \left(n(d, w, m, y) - n(d, w, m', y')\right) D

    with :math:`n` of `gfs_points`, and :math:`m'`, :math:`y'` of `standard_points`.

    Parameters
    ----------
    used_gib : data of the VM, :math:`D`

    Notes
    -----
    A point that moves is converted to a full copy. What the standard tier holds
    then is `stored_gib` with the points that stay: blocks that a later point
    needs are merged into it. Little churn therefore means more data in all, and
    perhaps a higher bill.

    References
    ----------
    Microsoft (2023), "Archive recommendations", :cite:`archive2023`.

    Examples
    --------
    Twelve monthly points, of which some nine are older than three months of 31 days:

    >>> print(archived_gib(200, 30, 0, 12, 0, archive_after_months=3,
    ...                    archive_left_months=6))
    1833.26
    """
    growth = daily_growth(yearly_growth_frac)
    months = archive_after_months, archive_left_months
    rule = daily_points, weekly_points, monthly_points, *months
    staying = (
        _left_in_standard(monthly_points, 1, *rule),
        _left_in_standard(yearly_points, 12, *rule),
    )

    def held(monthly, yearly):
        points = daily_points, weekly_points, monthly, yearly
        return copies(growth, (*points, protected_days, month_day))

    moved = held(monthly_points, yearly_points) - held(*staying)
    return used_gib * np.maximum(moved, 0)


@formula
def early_deletion_usd(
    archived_gib, rate_usd_per_gib_month, archived_h, early_deletion_h
):
    r"""Charge for archived points that are deleted before their time.

    .. math:: P = S\, p\, \frac{[e - t]^+}{M}

    Parameters
    ----------
    rate_usd_per_gib_month : price of one GiB of archive for a month, :math:`p`

    Notes
    -----
    The charge is prorated; that the month :math:`M` of the price has 30.4375 days
    is our reading. A policy that is shortened deletes points, archived ones too.

    References
    ----------
    Microsoft (2023), "Modify protection", :cite:`archive2023`.

    Examples
    --------
    A full copy of 1 TiB, deleted after 60 of 180 days:

    >>> print(early_deletion_usd(1024, 0.0024, archived_h=60 * 24,
    ...                          early_deletion_h=180 * 24))
    9.689
    """
    left_h = np.maximum(early_deletion_h - archived_h, 0)
    charge = archived_gib * (rate_usd_per_gib_month * (left_h / _MONTH_H))
    return np.where(archived_gib > 0, charge, 0)


def _left_in_standard(points, months, daily, weekly, monthly, after, left):
    """Periods of a level for which its points stay where they are."""
    following = np.where(monthly > 0, _MONTH_H / 24, 365.25)
    following = following - np.where(7 * weekly > daily, 7, 1)
    # 31 days are a month of retention
    after = np.maximum(after, (np.maximum(daily, 7 * weekly) + following) / 31)
    return np.where(points * months >= after + left, after / months, points)
