r"""Recovery points to stored bytes.

The first point holds all data, every later one only what changed since the one
before it. A block that an expired point shared with a later one stays.
Points further apart than a day are in `vmbmodel.formulas.graded`.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula

__all__ = ["snapshot_enhanced_gib", "snapshot_standard_gib", "stored_daily_gib"]


@formula
def stored_daily_gib(
    used_gib: ArrayLike, churn_gib_per_day: ArrayLike, recovery_points: ArrayLike
) -> ArrayLike:
    r"""Size of what the vault holds under a policy of daily points.

    .. math:: S = U + (n - 1) \min(\Delta, U)

    Parameters
    ----------
    used_gib : array_like of float
        Data of the VM, :math:`U \ge 0`. [GiB]
    churn_gib_per_day : array_like of float
        Data changed in a day, :math:`\Delta \ge 0`; no more than all of it
        counts. [GiB/d]
    recovery_points : array_like of int
        Daily points kept, :math:`n \ge 1`. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [GiB]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for points a day apart and a size that does not grow, in the reading
    that increments are stored and not full copies. Points further apart hold
    less than the days between them, because blocks are written twice: this
    formula must not be used for weekly or monthly points.

    References
    ----------
    Microsoft (2018), "Backup costs", :cite:`article2018`; blocks written more
    than once as in Denning and Schwartz (1972), :cite:`denning1972`.

    Examples
    --------
    >>> print(stored_daily_gib(200, churn_gib_per_day=10, recovery_points=30))
    490.0
    """
    return used_gib + (recovery_points - 1) * np.minimum(churn_gib_per_day, used_gib)


@formula
def snapshot_standard_gib(
    used_gib: ArrayLike, churn_gib_per_day: ArrayLike, snapshot_points: ArrayLike
) -> ArrayLike:
    r"""Billed size of the snapshots kept under a Standard policy.

    .. math:: S = n \min(\Delta, U)

    Parameters
    ----------
    used_gib : array_like of float
        Data of the VM, :math:`U \ge 0`. [GiB]
    churn_gib_per_day : array_like of float
        Data changed in a day, :math:`\Delta \ge 0`. [GiB/d]
    snapshot_points : array_like of int
        Daily snapshots kept, :math:`n \ge 0`. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [GiB]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Every snapshot is an increment over the disk itself.

    References
    ----------
    Microsoft (2025), :cite:`instantrestore2025`.

    Examples
    --------
    The documented example, 100 GB with 2 % a day, for five days:

    >>> print(snapshot_standard_gib(100, churn_gib_per_day=2, snapshot_points=5))
    10.0
    """
    return snapshot_points * np.minimum(churn_gib_per_day, used_gib)


@formula
def snapshot_enhanced_gib(
    used_gib: ArrayLike, churn_gib_per_day: ArrayLike, snapshot_points: ArrayLike
) -> ArrayLike:
    r"""Billed size of the snapshots kept under an Enhanced policy.

    .. math:: S = U + (n - 1) \min(\Delta, U) \quad (n \ge 1), \qquad
        0 \text{ otherwise}

    Parameters
    ----------
    used_gib : array_like of float
        Data of the VM, :math:`U \ge 0`. [GiB]
    churn_gib_per_day : array_like of float
        Data changed in a day, :math:`\Delta \ge 0`. [GiB/d]
    snapshot_points : array_like of int
        Daily snapshots kept, :math:`n \ge 0`. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [GiB]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    The first snapshot is billed in full, every later one as an increment.

    References
    ----------
    Microsoft (2025), :cite:`instantrestore2025`.

    Examples
    --------
    The documented example, 100 GB with 2 % a day, for five days:

    >>> print(snapshot_enhanced_gib(100, churn_gib_per_day=2, snapshot_points=5))
    108.0
    """
    increments = np.maximum(snapshot_points - 1, 0)
    full = np.minimum(snapshot_points, 1) * used_gib
    return full + increments * np.minimum(churn_gib_per_day, used_gib)
