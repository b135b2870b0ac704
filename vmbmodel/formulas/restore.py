r"""Getting the data back: wait, copy, create the VM; and how old the data is."""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula

__all__ = ["restore_copy_h", "restore_h", "worst_point_age_h"]


@formula
def restore_copy_h(
    restored_gib: ArrayLike, restore_mib_s: ArrayLike, cap_mib_s: ArrayLike
) -> ArrayLike:
    r"""Time to copy one disk from the vault to a storage account.

    .. math:: T = \frac{1024\, S}{3600 \min(v, r)}

    Parameters
    ----------
    restored_gib : array_like of float
        Data to be copied back, :math:`S \ge 0`. [GiB]
    restore_mib_s : array_like of float
        Rate the service reaches, :math:`v > 0`. [MiB/s]
    cap_mib_s : array_like of float
        What a single blob takes, :math:`r > 0`; may be ``inf``. [MiB/s]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Valid for a target account that serves nothing else meanwhile; several disks
    that share an account are the business of `completion_h`.

    References
    ----------
    Microsoft (2018), "Restore considerations", :cite:`article2018`.

    Examples
    --------
    >>> print(restore_copy_h(128, restore_mib_s=28.61, cap_mib_s=60))
    1.2726
    """
    return restored_gib * 1024 / np.minimum(restore_mib_s, cap_mib_s) / 3600


@formula
def restore_h(
    wait_h: ArrayLike, copy_h: ArrayLike, vm_creation_h: ArrayLike
) -> ArrayLike:
    r"""Time from the request to a VM that runs.

    .. math:: T = W + T_\text{copy} + T_\text{VM}

    Parameters
    ----------
    wait_h : array_like of float
        Time in line for a data mover, :math:`W \ge 0`. [h]
    copy_h : array_like of float
        Copying of the slowest disk, :math:`T_\text{copy} \ge 0`. [h]
    vm_creation_h : array_like of float
        Creating the VM, :math:`T_\text{VM} \ge 0`; 0 when only disks are
        restored. [h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    For the distribution of the time, give copy and creation as the fixed part
    of `total_quantile_h`.

    References
    ----------
    Microsoft (2018), "Restore considerations", :cite:`article2018`.

    Examples
    --------
    >>> print(restore_h(wait_h=0.5, copy_h=1.25, vm_creation_h=0.1))
    1.85
    """
    return wait_h + copy_h + vm_creation_h


@formula
def worst_point_age_h(interval_h: ArrayLike, backup_h: ArrayLike) -> ArrayLike:
    r"""Most work that can be lost with only the vault to restore from.

    .. math:: A = I + B

    Parameters
    ----------
    interval_h : array_like of float
        Time between two scheduled backups, :math:`I > 0`. [h]
    backup_h : array_like of float
        From the start of a backup to its recovery point in the vault,
        :math:`B \ge 0`. [h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    A point holds the state of its snapshot, taken when the backup starts, and
    can be restored from the vault once the transfer is done: just before that,
    the newest one is an interval and a backup old. With the snapshot still
    there, the age is the interval alone.

    References
    ----------
    Microsoft (2018), "Backup process", :cite:`article2018`.

    Examples
    --------
    >>> print(worst_point_age_h(interval_h=24, backup_h=3))
    27.0
    """
    return interval_h + backup_h
