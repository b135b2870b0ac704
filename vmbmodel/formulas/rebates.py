r"""What lowers a bill: discounts, and capacity reserved in advance."""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula

__all__ = ["discounted_usd", "reserved_usd"]


@formula
def discounted_usd(list_usd: ArrayLike, discount_frac: ArrayLike) -> ArrayLike:
    r"""Price of a line of a bill under a discount.

    .. math:: P = P_0\, (1 - \delta)

    Parameters
    ----------
    list_usd : array_like of float
        The line at list price, :math:`P_0 \ge 0`. [USD]
    discount_frac : array_like of float
        Share that is not charged, :math:`\delta` in [0, 1]. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [USD]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    A contract has a discount for each meter: the instance, the vault, the snapshots.
    Reserved capacity has its own, see `reserved_usd`.

    References
    ----------
    The price sheet of your contract; list prices as in :cite:`retailprices`.

    Examples
    --------
    >>> print(discounted_usd(20, discount_frac=0.15))
    17.0
    """
    return list_usd * (1 - discount_frac)


@formula
def reserved_usd(
    stored_gib: ArrayLike,
    reserved_gib: ArrayLike,
    rate_usd_per_gib_month: ArrayLike,
    reserved_discount_frac: ArrayLike,
) -> ArrayLike:
    r"""Price of stored data in one month, part of it in reserved capacity.

    .. math:: P = p \left( (1 - \delta)\, R + [S - R]^+ \right)

    Parameters
    ----------
    stored_gib : array_like of float
        Data in the standard tier of all vaults that the reservation covers,
        :math:`S \ge 0`, of one region and redundancy. [GiB]
    reserved_gib : array_like of float
        Capacity reserved, :math:`R \ge 0`. [GiB]
    rate_usd_per_gib_month : array_like of float
        List price of one GiB for a month, :math:`p \ge 0`. [USD/(GiB month)]
    reserved_discount_frac : array_like of float
        Share of the list price that a reservation saves, :math:`\delta` in
        [0, 1]. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [USD]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    What is reserved is paid for, used or not, and nothing is carried over; what is
    beyond it costs the list price. That is settled every hour: exact for data that
    stays on one side of :math:`R` through a month, and too little by what the peaks
    of the month are above :math:`R` otherwise. A reservation pays once more than
    :math:`1 - \delta` of it is used. It covers neither instances nor archive.

    References
    ----------
    Microsoft (2022), :cite:`reservation2022,reservedcapacity2022`.

    Examples
    --------
    Of 100 TiB reserved at 16 % off only 80 are used, which list price beats:

    >>> terms = dict(rate_usd_per_gib_month=0.0224, reserved_discount_frac=0.16)
    >>> print(reserved_usd(80 * 1024, reserved_gib=100 * 1024, **terms))
    1926.76
    >>> print(80 * 1024 * 0.0224)
    1835.01
    """
    beyond = np.maximum(stored_gib - reserved_gib, 0)
    paid = (1 - reserved_discount_frac) * reserved_gib
    return rate_usd_per_gib_month * (paid + beyond)
