r"""Disks backed up in parallel, each capped by itself, all sharing an account.

All disks of a group start together. No disk gets more than its own cap, and all
together no more than the account's capacity, which is shared fairly: what one
disk cannot use is left to the others (max-min fairness). A disk of size 0 is no
disk: it is done at once and takes nothing, so groups of unequal size can be
padded with zeros.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula

__all__ = ["completion_equal_caps_h", "completion_h"]


@formula(along="disk", over=("size_gib",))
def completion_equal_caps_h(
    size_gib: ArrayLike, cap_mib_s: ArrayLike, capacity_mib_s: ArrayLike
) -> ArrayLike:
    r"""Time at which each of several disks is done, when all have the same cap.

    .. math:: T_{(i)} = \sum_{k=1}^{i} \left(s_{(k)} - s_{(k-1)}\right)
        \max\left(\frac{1}{r}, \frac{n - k + 1}{C}\right)

    over the sizes in rising order: between two completions, the
    :math:`n - k + 1` disks still running share the capacity.

    Parameters
    ----------
    size_gib : array_like of float, at least one-dimensional
        Data to move of each disk, :math:`s \ge 0`, disks along the last
        axis. [GiB]
    cap_mib_s : array_like of float
        What one disk can get, :math:`r > 0`; of the shape of `size_gib`
        without its last axis. [MiB/s]
    capacity_mib_s : array_like of float
        What all disks can get together, :math:`C > 0`, ``inf`` for no limit;
        of the shape of `size_gib` without its last axis. [MiB/s]

    Returns
    -------
    array_like of float
        Of the shape of `size_gib`, in its order. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

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
def completion_h(
    size_gib: ArrayLike, cap_mib_s: ArrayLike, capacity_mib_s: ArrayLike
) -> ArrayLike:
    r"""Time at which each of several disks is done, when their caps differ.

    Between two completions, every running disk moves at

    .. math:: v_i = \min(r_i, L), \qquad \sum_i \min(r_i, L) = C

    or at its cap :math:`r_i` where all caps together fit into :math:`C`.

    Parameters
    ----------
    size_gib : array_like of float, at least one-dimensional
        Data to move of each disk, :math:`s \ge 0`, disks along the last
        axis. [GiB]
    cap_mib_s : array_like of float
        What each disk can get, :math:`r > 0`; disks along the last axis, or
        one cap for all. [MiB/s]
    capacity_mib_s : array_like of float
        What all disks can get together, :math:`C > 0`, ``inf`` for no limit;
        of the shape of `size_gib` without its last axis. [MiB/s]

    Returns
    -------
    array_like of float
        Of the shape of `size_gib`, in its order. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

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
    shape = np.broadcast_shapes(size_gib.shape[:-1], capacity_mib_s.shape)
    disks = size_gib.shape[-1]
    order = np.argsort(np.broadcast_to(cap_mib_s, (*shape, disks)), axis=-1)
    left = np.take_along_axis(
        np.broadcast_to(size_gib * 1024, order.shape), order, axis=-1
    )
    cap = np.take_along_axis(np.broadcast_to(cap_mib_s, order.shape), order, axis=-1)
    capacity = np.broadcast_to(capacity_mib_s, shape)[..., None]
    now = np.zeros((*shape, 1))
    done = np.where(left > 0, np.inf, 0.0)
    for _ in range(disks):
        running = left > 0
        if not running.any():
            break
        rate = np.minimum(cap, _fair_level(cap, running, capacity))
        needed = np.where(running, left / rate, np.inf)
        step = needed.min(axis=-1, keepdims=True)
        step = np.where(np.isfinite(step), step, 0)
        now = now + step
        # a difference of a few roundings is a tie, not one more completion
        finished = running & (needed <= step * (1 + 1e-14))
        done = np.where(finished, now, done)
        left = np.where(finished, 0, np.where(running, left - rate * step, 0))
    result = np.empty_like(done)
    np.put_along_axis(result, order, done, axis=-1)
    return result / 3600


def _fair_level(cap, running, capacity):
    """Level above which no disk gets anything, for caps in rising order."""
    caps = np.where(running, cap, 0)
    below = np.roll(np.cumsum(caps, axis=-1), 1, axis=-1)
    below[..., 0] = 0
    sharing = np.cumsum(running[..., ::-1], axis=-1)[..., ::-1]
    levels = np.where(running, (capacity - below) / np.maximum(sharing, 1), np.inf)
    # the first disk whose cap exceeds an equal share of what those below leave
    binds = running & (cap > levels)
    first = np.argmax(binds, axis=-1)[..., None]
    level = np.take_along_axis(levels, first, axis=-1)
    return np.where(binds.any(axis=-1, keepdims=True), level, np.inf)
