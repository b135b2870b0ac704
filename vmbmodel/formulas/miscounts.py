r"""What the vault would hold, counted as it should not be: for comparison.

Estimates in use add up the churn of all days, or take every point for a day of
changes; read to the letter, the bill even counts a full copy for each point.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula
from vmbmodel.formulas.graded import daily_growth, stored

__all__ = ["stored_full_gib", "stored_linear_gib", "stored_points_gib"]


@formula
def stored_linear_gib(
    used_gib: ArrayLike,
    churn_gib_per_day: ArrayLike,
    daily_points: ArrayLike,
    weekly_points: ArrayLike,
    monthly_points: ArrayLike,
    yearly_points: ArrayLike,
    protected_days: ArrayLike = np.inf,
    yearly_growth_frac: ArrayLike = 0,
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
    vmbmodel.formulas.graded.stored_upper_gib : what a known overlap allows at most.

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
    growth = daily_growth(yearly_growth_frac)
    churn = np.maximum(churn_gib_per_day, used_gib * growth)

    def distinct(days):
        return np.minimum(churn * days, used_gib)

    def mean_distinct(days):
        room = np.where(churn > 0, used_gib / churn, np.inf)
        whole = np.floor(days)
        rising = np.minimum(np.floor(room), whole)
        full = churn * rising * (rising + 1) / 2 + used_gib * (whole - rising)
        return (full + (days - whole) * distinct(whole + 1)) / days

    points = daily_points, weekly_points, monthly_points, yearly_points
    return stored(used_gib, growth, distinct, mean_distinct, (*points, protected_days))


@formula
def stored_points_gib(
    used_gib: ArrayLike,
    churn_gib_per_day: ArrayLike,
    daily_points: ArrayLike,
    weekly_points: ArrayLike,
    monthly_points: ArrayLike,
    yearly_points: ArrayLike,
    protected_days: ArrayLike = np.inf,
    yearly_growth_frac: ArrayLike = 0,
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
    vmbmodel.formulas.graded.stored_lower_gib : what a known overlap takes at least.

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
    growth = daily_growth(yearly_growth_frac)
    day = np.minimum(np.maximum(churn_gib_per_day, used_gib * growth), used_gib)
    points = daily_points, weekly_points, monthly_points, yearly_points
    return stored(
        used_gib, growth, lambda _: day, lambda _: day, (*points, protected_days)
    )


@formula
def stored_full_gib(
    used_gib: ArrayLike,
    daily_points: ArrayLike,
    weekly_points: ArrayLike,
    monthly_points: ArrayLike,
    yearly_points: ArrayLike,
    protected_days: ArrayLike = np.inf,
    yearly_growth_frac: ArrayLike = 0,
) -> ArrayLike:
    r"""Size of what the vault would hold if every point were a full copy.

    .. math:: S = n D

    Parameters
    ----------
    used_gib : array_like of float
        Data of the VM, :math:`D \ge 0`. [GiB]
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
    stored_linear_gib : the most that changes alone can come to.

    Notes
    -----
    The sum of the actual data in each recovery point, read to the letter; the same
    source says that only changed blocks are stored. With :math:`n` of `gfs_points`.

    References
    ----------
    Microsoft (2018), "Backup costs", :cite:`article2018`.

    Examples
    --------
    >>> print(stored_full_gib(200, 30, 0, 0, 0))
    6000.0
    """
    growth = daily_growth(yearly_growth_frac)
    points = daily_points, weekly_points, monthly_points, yearly_points
    copies = stored(1, growth, np.ones_like, np.ones_like, (*points, protected_days))
    return used_gib * copies
