r"""Disks that move at the same time: what limits each, and how they share.

A limit on requests is one on data: so many requests a second, each of so many KiB
at most. All disks of a group start together. No disk gets more than its own cap,
and all together no more than the account's capacity, which is shared fairly: what
one disk cannot use is left to the others (max-min fairness). A disk of size 0 is no
disk: it is done at once and takes nothing, so groups of unequal size can be padded
with zeros. What applications leave of an account is either a fixed share, or, where
they come and go at random, something to be slowed down by.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.special import log_poisson_mass, upper_gamma

__all__ = [
    "account_capacity_mib_s",
    "completion_equal_caps_h",
    "completion_h",
    "disk_cap_mib_s",
    "full_speed_disks",
    "random_load_slowdown",
]

_FEW = 32
"""Disks of a group, up to which they are summed row by row."""


@formula
def disk_cap_mib_s(disk_mib_s, disk_iops, request_kib, blob_mib_s):
    r"""Throughput that a disk of a given performance can have.

    .. math:: r = \min\left(v_d,\; \frac{\iota_d\, q}{1024},\; v_b\right)

    Parameters
    ----------
    disk_mib_s : No limit if ``inf``.
    disk_iops : No limit if ``inf``.
    blob_mib_s : No limit if ``inf``.

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
def account_capacity_mib_s(account_mib_s, account_iops, request_kib, application_frac):
    r"""Throughput that applications leave of a storage account.

    .. math:: C = (1 - x) \min\left(V,\; \frac{I\, q}{1024}\right)

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
def full_speed_disks(capacity_mib_s, cap_mib_s):
    r"""Disks that a capacity serves without slowing any of them.

    .. math:: R = \frac{C}{r}

    Returns
    -------
    the whole disks in it are served at full speed. ``inf`` where the capacity is.

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


@formula(along="disk", over=("size_gib",))
def completion_equal_caps_h(size_gib, cap_mib_s, capacity_mib_s):
    r"""Time at which each of several disks is done, when all have the same cap.

    .. math:: T_{(i)} = \sum_{k=1}^{i} \frac{s_{(k)} - s_{(k-1)}}{v_k}, \qquad
        v_k = \min\left(r, \frac{C}{n - k + 1}\right)

    over the sizes in rising order: between two completions, the
    :math:`n - k + 1` disks still running share the capacity.

    Parameters
    ----------
    size_gib : data to move of each disk, :math:`s`
    capacity_mib_s : No limit if ``inf``.

    Returns
    -------
    in the order of `size_gib`.

    See Also
    --------
    completion_h : when the caps differ.

    Notes
    -----
    Exact, whether the caps or the capacity bind.

    References
    ----------
    Max-min fairness as in Bertsekas and Gallager (1992), sec. 6.5.2,
    :cite:`bertsekas1992`; a blob's limit is Microsoft's (2018), "Disk
    considerations", :cite:`article2018`.

    Examples
    --------
    Three disks share what two could use; the smallest is done first:

    >>> sizes_gib = [90, 30, 60]
    >>> done = completion_equal_caps_h(sizes_gib, cap_mib_s=10, capacity_mib_s=20)
    >>> print(done.round(2))
    [2.99 1.28 2.13]
    """
    order = np.argsort(size_gib, axis=-1)
    sizes = np.take_along_axis(size_gib, order, axis=-1)
    steps = np.diff(sizes, axis=-1, prepend=0)
    running = np.arange(sizes.shape[-1], 0, -1)
    speed = np.minimum(cap_mib_s[..., None], capacity_mib_s[..., None] / running)
    taken = np.where(steps > 0, steps / speed, 0)
    done = np.cumsum(taken, axis=-1) * 1024 / 3600
    result = np.empty_like(done)
    np.put_along_axis(result, np.broadcast_to(order, done.shape), done, axis=-1)
    return result


@formula(along="disk", over=("size_gib", "cap_mib_s"))
def completion_h(size_gib, cap_mib_s, capacity_mib_s):
    r"""Time at which each of several disks is done, when their caps differ.

    Between two completions, every running disk moves at

    .. math:: v_i = \min(r_i, L), \qquad \sum_i \min(r_i, L) = C

    or at its cap :math:`r_i` where all caps together fit into :math:`C`.

    Parameters
    ----------
    size_gib : data to move of each disk, :math:`s`
    capacity_mib_s : No limit if ``inf``.

    Returns
    -------
    in the order of `size_gib`.

    See Also
    --------
    completion_equal_caps_h : a closed form when all caps are equal.

    Notes
    -----
    Exact, by progressive filling: one step for each completion, all groups at
    a time.

    References
    ----------
    Bertsekas and Gallager (1992), sec. 6.5.2, :cite:`bertsekas1992`.

    Examples
    --------
    A slow disk leaves the fast one more than half:

    >>> print(completion_h([36, 36], cap_mib_s=[4, 20], capacity_mib_s=20))
    [2.56 0.64]
    """
    size_gib, cap_mib_s = np.broadcast_arrays(size_gib, cap_mib_s)
    groups = np.broadcast_shapes(size_gib.shape[:-1], capacity_mib_s.shape)
    shape = (*groups, size_gib.shape[-1])
    order = np.argsort(np.broadcast_to(cap_mib_s, shape), axis=-1)
    # a row a disk: groups are many, and their disks few
    in_order = (
        np.take_along_axis(np.broadcast_to(x, shape), order, axis=-1)
        for x in (size_gib * 1024, cap_mib_s)
    )
    left, cap = (np.ascontiguousarray(np.moveaxis(x, -1, 0)) for x in in_order)
    now, done = np.zeros(groups), np.where(left > 0, np.inf, 0.0)
    for _ in range(len(left)):
        running = left > 0
        if not running.any():
            break
        rate = np.minimum(cap, _fair_level(cap, running, capacity_mib_s))
        needed = np.where(running, left / rate, np.inf)
        step = needed.min(axis=0)
        step = np.where(np.isfinite(step), step, 0)
        now = now + step
        # a difference of a few roundings is a tie, not one more completion
        finished = running & (needed <= step * (1 + 1e-14))
        done = np.where(finished, now, done)
        left = np.where(finished, 0, np.where(running, left - rate * step, 0))
    result = np.empty(shape)
    np.put_along_axis(result, order, np.moveaxis(done, 0, -1), axis=-1)
    return result / 3600


@formula
def random_load_slowdown(full_speed_disks, application_frac):
    r"""Mean time of a transfer among others that come and go, over that alone.

    .. math::

        s = 1 + \frac{f\, [1 - (R - m)(1 - \rho)]}
            {R\, (1 - \rho)\, [(1 - \rho) F + \rho f]}, \qquad
        m = \lfloor R \rfloor, \qquad f = \frac{a^m e^{-a}}{m!}, \qquad
        F = \sum_{k=0}^{m} \frac{a^k e^{-a}}{k!}, \qquad a = \rho R

    Parameters
    ----------
    full_speed_disks : Need not be whole, and may be below 1.
    application_frac : share that the others take of it in the long run, :math:`\rho`

    Returns
    -------
    at least 1, over the time at the cap of one transfer; :math:`1 + C(R, \rho R) / (R
    (1 - \rho))` with Erlang's :math:`C` where :math:`R` is whole.

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


def _fair_level(cap, running, capacity):
    """Level above which no disk gets anything, for rows of caps in rising order.

    It is the largest equal share of what those below leave: a share rises from disk to
    disk as long as their caps are below it, and falls from there on.
    """
    taken = _running_sums(np.where(running, cap, 0))
    sharing = _running_sums(running[::-1].astype(float))[::-1]
    left = capacity - np.concatenate([np.zeros_like(taken[:1]), taken[:-1]])
    equal = np.where(running, left / np.maximum(sharing, 1), -np.inf).max(axis=0)
    return np.where(taken[-1] > capacity, equal, np.inf)


def _running_sums(rows):
    """Sum rows down to each; a few long ones sooner than `numpy.cumsum` does."""
    if len(rows) > _FEW:
        return np.cumsum(rows, axis=0)
    for row in range(1, len(rows)):
        rows[row] += rows[row - 1]
    return rows
