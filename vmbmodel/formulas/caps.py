r"""What limits disks that move at the same time: each disk, the account, its users.

A limit on requests is one on data: so many requests a second, each of so many KiB
at most. What is left of a storage account by its applications is either a fixed
share, or, where they come and go at random, something to be slowed down by.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.special import log_poisson_mass, upper_gamma

__all__ = [
    "account_capacity_mib_s",
    "disk_cap_mib_s",
    "full_speed_disks",
    "random_load_slowdown",
]


@formula
def disk_cap_mib_s(
    disk_mib_s: ArrayLike,
    disk_iops: ArrayLike,
    request_kib: ArrayLike,
    blob_mib_s: ArrayLike,
) -> ArrayLike:
    r"""Throughput that a disk of a given performance can have.

    .. math:: r = \min\left(v_d,\; \frac{\iota_d\, q}{1024},\; v_b\right)

    Parameters
    ----------
    disk_mib_s : array_like of float
        Throughput of the disk's tier, :math:`v_d > 0`; ``inf`` for no
        limit. [MiB/s]
    disk_iops : array_like of float
        Requests a second of the disk's tier, :math:`\iota_d > 0`; ``inf`` for no
        limit. [1/s]
    request_kib : array_like of float
        Data that one request moves, :math:`q > 0`. [KiB]
    blob_mib_s : array_like of float
        Throughput of one blob, :math:`v_b > 0`; ``inf`` for no limit. [MiB/s]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [MiB/s]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Whether the tier of a disk limits the copy of its snapshot is not documented.

    References
    ----------
    Microsoft (2023), sizes of premium disks, :cite:`premiumssd2023`; the limit of
    a blob is that of Microsoft (2018), "Disk considerations",
    :cite:`article2018`.

    Examples
    --------
    A P4 gives 25 MB/s, and with 120 requests of 8 KiB a second not even one:

    >>> print(disk_cap_mib_s(23.84, 120, request_kib=4096, blob_mib_s=57.22))
    23.84
    >>> print(disk_cap_mib_s(23.84, 120, request_kib=8, blob_mib_s=57.22))
    0.9375
    """
    return np.minimum(
        np.minimum(disk_mib_s, disk_iops * request_kib / 1024), blob_mib_s
    )


@formula
def account_capacity_mib_s(
    account_mib_s: ArrayLike,
    account_iops: ArrayLike,
    request_kib: ArrayLike,
    application_frac: ArrayLike,
) -> ArrayLike:
    r"""Throughput that applications leave of a storage account.

    .. math:: C = (1 - x) \min\left(V,\; \frac{I\, q}{1024}\right)

    Parameters
    ----------
    account_mib_s : array_like of float
        Data a second that the account gives out, or takes, :math:`V > 0`; may be
        ``inf``. [MiB/s]
    account_iops : array_like of float
        Requests a second that the account answers, :math:`I > 0`; may be
        ``inf``. [1/s]
    request_kib : array_like of float
        Data that one request moves, :math:`q > 0`. [KiB]
    application_frac : array_like of float
        Share of both that applications take, :math:`x` in [0, 1). [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [MiB/s]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    random_load_slowdown : for applications that come and go.

    Notes
    -----
    Exact while applications take the same share all the time.

    References
    ----------
    Microsoft (2018), "Azure Storage limits", :cite:`storage2018`.

    Examples
    --------
    Requests of 64 KiB leave an account of 50 Gbps a fifth of that:

    >>> print(account_capacity_mib_s(5960, 20000, request_kib=64, application_frac=0))
    1250.0
    """
    limit = np.minimum(account_mib_s, account_iops * request_kib / 1024)
    return (1 - application_frac) * limit


@formula
def full_speed_disks(capacity_mib_s: ArrayLike, cap_mib_s: ArrayLike) -> ArrayLike:
    r"""Disks that a capacity serves without slowing any of them.

    .. math:: R = \frac{C}{r}

    Parameters
    ----------
    capacity_mib_s : array_like of float
        What all disks can get together, :math:`C > 0`; may be ``inf``. [MiB/s]
    cap_mib_s : array_like of float
        What one disk can get, :math:`r > 0`; may be ``inf``. [MiB/s]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; the whole disks in it are served
        at full speed. ``inf`` where the capacity is. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    For disks with one cap; `completion_h` takes any.

    References
    ----------
    Microsoft (2018), "Azure Storage limits", :cite:`storage2018`, divides the same
    way: 20,000 requests a second serve 40 disks of 500.

    Examples
    --------
    Disks of 60 MB/s in an account of 10 Gbps:

    >>> print(full_speed_disks(10e9 / 8 / 2**20, cap_mib_s=60e6 / 2**20))
    20.83
    """
    return np.where(np.isinf(capacity_mib_s), np.inf, capacity_mib_s / cap_mib_s)


@formula
def random_load_slowdown(
    full_speed_disks: ArrayLike, application_frac: ArrayLike
) -> ArrayLike:
    r"""Mean time of a transfer among others that come and go, over that alone.

    .. math::

        s = 1 + \frac{f\, [1 - (R - m)(1 - \rho)]}
            {R\, (1 - \rho)\, [(1 - \rho) F + \rho f]}, \qquad
        m = \lfloor R \rfloor, \quad f = \frac{a^m e^{-a}}{m!}, \quad
        F = \sum_{k=0}^{m} \frac{a^k e^{-a}}{k!}, \quad a = \rho R

    Parameters
    ----------
    full_speed_disks : array_like of float
        Transfers that the capacity serves at full speed, :math:`R \ge 0`;
        need not be whole, and may be below 1. [-]
    application_frac : array_like of float
        Share of the capacity that the others take in the long run,
        :math:`\rho` in [0, 1). [-]

    Returns
    -------
    array_like of float
        At least 1, of the broadcast shape of the arguments, over the time at the
        cap of one transfer; :math:`1 + C(R, \rho R) / (R (1 - \rho))` with
        Erlang's :math:`C` where :math:`R` is whole. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    account_capacity_mib_s : for a load that is always the same.

    Notes
    -----
    Exact for others that begin at random (Poisson), share the capacity fairly and
    have the same cap, whatever the law of their sizes: an M/G/R queue with
    processor sharing. The mean time of a transfer is then proportional to its
    size.

    References
    ----------
    Cohen (1979) for the sharing of processors, :cite:`cohen1979`; Lindberger
    (1999) for transfers with a cap, :cite:`lindberger1999`.

    Examples
    --------
    Others take seven tenths of an account that serves four disks at full speed:

    >>> print(random_load_slowdown(4, application_frac=0.7))
    1.3572
    """
    finite = np.minimum(full_speed_disks, np.finfo(float).max)
    whole, load = np.floor(finite), application_frac * finite
    idle = 1 - application_frac
    mass = np.where(whole > 0, np.exp(log_poisson_mass(whole, load)), np.exp(-load))
    mass = np.where((whole > 0) & (load == 0), 0, mass)
    below = upper_gamma(whole + 1, load)
    held = mass * (1 - (finite - whole) * idle)
    slowdown = held / (finite * idle * (idle * below + application_frac * mass))
    return np.where(np.isinf(full_speed_disks), 1, 1 + slowdown)
