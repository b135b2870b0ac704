r"""What is billed: protected instances in steps, stored data by the GiB-month.

And what lowers the bill: discounts, capacity reserved in advance, and a month that
is not protected to its end.
"""

import numpy as np

from vmbmodel._arrays import formula

__all__ = [
    "billed_frac",
    "billing_end_h",
    "discounted_usd",
    "event_frac",
    "instance_usd",
    "protected_instances",
    "reserved_usd",
    "storage_usd",
]


@formula
def protected_instances(
    protected_instance_gib, small_instance_gib, small_instances, instance_step_gib
):
    r"""Protected instances that a VM of a given size is billed as.

    .. math:: n = \begin{cases} n_0 & s \le s_0 \\
        \lceil s / q \rceil & s > s_0 \end{cases}

    Notes
    -----
    All sizes are taken to the nearest KiB, so that the order in which disks are
    summed cannot move a VM up a step. A VM whose disks are empty is protected
    too, and counts as a small one.

    References
    ----------
    Microsoft (2018), "Backup costs", :cite:`article2018`; the steps as
    published at launch, :cite:`eweek2015`.

    Examples
    --------
    The article's A2 VM, 17 + 30 + 0 GB, and one of 1,200 GB:

    >>> steps = dict(small_instance_gib=50, small_instances=0.5,
    ...              instance_step_gib=500)
    >>> print(protected_instances(17 + 30 + 0, **steps))
    0.5
    >>> print(protected_instances(1200, **steps))
    3.0
    """
    size, limit, step = (
        np.rint(size_gib * 2**20)
        for size_gib in (protected_instance_gib, small_instance_gib, instance_step_gib)
    )
    steps = np.ceil(size / np.maximum(step, 1))
    return np.where(size <= limit, small_instances, steps)


@formula
def instance_usd(protected_instances, instance_fee_usd, billed_frac):
    r"""Price of the protected instances of a VM in one month.

    .. math:: P = n\, p\, \varphi

    Parameters
    ----------
    protected_instances : Zero for a VM of which no disk is backed up.

    Notes
    -----
    Part months are prorated by the time protected.

    References
    ----------
    Microsoft (2018), "Backup costs", :cite:`article2018`.

    Examples
    --------
    >>> print(instance_usd(0.5, instance_fee_usd=10, billed_frac=1))
    5.0
    """
    return protected_instances * (instance_fee_usd * billed_frac)


@formula
def storage_usd(stored_gib, rate_usd_per_gib_month, billed_frac):
    r"""Price of the data stored for a VM in one month.

    .. math:: P = S\, p\, \varphi

    Notes
    -----
    Metered by daily average; vault and snapshots alike, at their own rates.

    References
    ----------
    Microsoft (2018), "Backup costs", :cite:`article2018`.

    Examples
    --------
    >>> print(storage_usd(490, rate_usd_per_gib_month=0.0448, billed_frac=1))
    21.952
    """
    return stored_gib * (rate_usd_per_gib_month * billed_frac)


@formula
def discounted_usd(list_usd, discount_frac):
    r"""Price of a line of a bill under a discount.

    .. math:: P = P_0\, (1 - \delta)

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
    stored_gib, reserved_gib, rate_usd_per_gib_month, reserved_discount_frac
):
    r"""Price of stored data in one month, part of it in reserved capacity.

    .. math:: P = p \left( (1 - \delta)\, R + [S - R]^+ \right)

    Parameters
    ----------
    stored_gib : data in the standard tier that a reservation covers, :math:`S`
        In all vaults of one region and redundancy.
    rate_usd_per_gib_month : The list price.

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


@formula
def billed_frac(month_start_h, month_end_h, first_success_h, data_deleted_h):
    r"""Share of a month for which a VM is billed.

    .. math:: \varphi = \frac{\left[\min(m_1, d) - \max(m_0, s)\right]^+}{m_1 - m_0}

    Parameters
    ----------
    first_success_h : Never if ``inf``.
    data_deleted_h : Not yet if ``inf``. Stopping alone ends nothing.

    Returns
    -------
    0 for an empty month.

    Notes
    -----
    Billing starts with the first successful backup and stops only when the
    protection is stopped and all data is deleted. All times on one clock.

    References
    ----------
    Microsoft (2018), "Backup costs", :cite:`article2018`.

    Examples
    --------
    A first success on day 10 of a month of 30, nothing deleted yet:

    >>> print(billed_frac(0, 720, first_success_h=240, data_deleted_h=float("inf")))
    0.6667
    """
    begin = np.maximum(month_start_h, first_success_h)
    end = np.minimum(month_end_h, data_deleted_h)
    month = month_end_h - month_start_h
    return np.where(month > 0, np.maximum(end - begin, 0) / month, 0)


@formula(along="event", over=("event_h",))
def event_frac(
    event_h, month_start_h, month_end_h, protection_stopped_h, data_deleted_h
):
    r"""Share of a month for which each size in the life of a VM is billed.

    .. math:: \varphi_i = \frac{\left[\min(m_1, t_{i+1}, d)
        - \max(m_0, t_i)\right]^+}{m_1 - m_0}, \qquad t_i < e

    where :math:`t_{i+1}` is the next event before the stop :math:`e`, ``inf`` for
    the last one.

    Parameters
    ----------
    event_h : In any order, ``inf`` for an event that never comes. The first is the
        first success.
    protection_stopped_h : Later events count for nothing. Never if ``inf``.
    data_deleted_h : Not yet if ``inf``.

    Returns
    -------
    in the order of `event_h`.

    See Also
    --------
    billed_frac : all events of a life together.

    Notes
    -----
    The integral of a step function, exact: the sum over events of share times size
    is the month's GiB-months, of share times price the month's fee. Of events at
    one instant the last given counts. A stop that keeps data freezes the size and
    ends no bill. Deleted data waits for its final removal without a charge as long
    as `billing_end_h` says. A VM protected anew after a deletion has a second life,
    and its bill is the sum.

    References
    ----------
    Microsoft (2018), "Backup costs", :cite:`article2018`; part months,
    :cite:`proration`.

    Examples
    --------
    A VM of 47 GB on day 10 and of 52 GB on day 20 of a month of 30:

    >>> never = float("inf")
    >>> shares = event_frac([240, 480], 0, 720, never, never)
    >>> print(shares, (shares * [47, 52]).sum())
    [0.3333 0.3333] 33.0
    """
    order = np.argsort(event_h, axis=-1, kind="stable")
    begin = np.take_along_axis(event_h, order, axis=-1)
    counts = begin < protection_stopped_h[..., None]
    later = np.where(counts, begin, np.inf)[..., 1:]
    last = np.full((*later.shape[:-1], 1), np.inf)
    end = np.concatenate([later, last], axis=-1)
    end = np.minimum(end, np.minimum(month_end_h, data_deleted_h)[..., None])
    month = (month_end_h - month_start_h)[..., None]
    lasted = np.maximum(end - np.maximum(begin, month_start_h[..., None]), 0)
    share = np.where(counts & (month > 0), lasted / month, 0)
    result = np.empty_like(share)
    np.put_along_axis(result, np.broadcast_to(order, share.shape), share, axis=-1)
    return result


@formula
def billing_end_h(data_deleted_h, soft_delete_h, free_soft_delete_h):
    r"""When the bill of deleted data ends.

    .. math:: e = d + [r - f]^+

    Parameters
    ----------
    data_deleted_h : Not yet if ``inf``.

    Notes
    -----
    The free days are the last ones; before them deleted data costs what it did, as
    if protection had been stopped and the data kept. Data that is undeleted is
    billed again from that instant on.

    References
    ----------
    Microsoft (2022), "Pricing", :cite:`softdelete2022`.

    Examples
    --------
    The documented example: of 60 days the first 46 are billed, the last 14 are not.

    >>> print(billing_end_h(0, soft_delete_h=60 * 24, free_soft_delete_h=14 * 24) / 24)
    46.0
    """
    return data_deleted_h + np.maximum(soft_delete_h - free_soft_delete_h, 0)
