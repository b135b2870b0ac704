"""Formulas that work along an axis, applied to groups of rows of a table."""

import numpy as np

from vmbmodel.formulas import completion_h

__all__ = ["completion_by_group_h"]


def completion_by_group_h(
    group: np.ndarray,
    size_gib: np.ndarray,
    cap_mib_s: np.ndarray,
    capacity_mib_s: np.ndarray,
) -> np.ndarray:
    """Time at which each disk is done, disks of a group sharing a capacity.

    Groups of like length are padded with disks of size 0 to one rectangle, and
    each rectangle is one call of `completion_h`. A group whose caps fit into
    its capacity together needs none: there, every disk goes at its own cap.

    Parameters
    ----------
    group : ndarray of int, shape (disks,)
        Group of each disk, counted from 0.
    size_gib, cap_mib_s : ndarray of float, shape (disks,)
        Data to move and what the disk can get.
    capacity_mib_s : ndarray of float, shape (groups,)
        What the disks of a group can get together.

    Returns
    -------
    ndarray of float, shape (disks,)
        Hours from the common start.

    Examples
    --------
    Two disks that share 20 MiB/s, and one alone in its group:

    >>> print(completion_by_group_h(
    ...     np.array([0, 1, 0]), np.array([36.0, 36.0, 36.0]),
    ...     np.array([20.0, 20.0, 20.0]), np.array([20.0, 20.0])))
    [1.024 0.512 1.024]
    """
    done = size_gib * 1024 / cap_mib_s / 3600
    wanted = np.bincount(group, weights=cap_mib_s, minlength=len(capacity_mib_s))
    crowded = np.flatnonzero((wanted > capacity_mib_s)[group])
    if not len(crowded):
        return done
    names, member = np.unique(group[crowded], return_inverse=True)
    counts = np.bincount(member)
    order = np.argsort(member, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    width_class = np.ceil(np.log2(counts))
    for width in np.unique(width_class):
        groups = np.flatnonzero(width_class == width)
        row = np.full(len(names), -1)
        row[groups] = np.arange(len(groups))
        inside = row[member] >= 0
        where = row[member[inside]], place[inside]
        rows = crowded[inside]
        size = np.zeros((len(groups), counts[groups].max()))
        cap = np.ones_like(size)
        size[where], cap[where] = size_gib[rows], cap_mib_s[rows]
        done[rows] = completion_h(size, cap, capacity_mib_s[names[groups]])[where]
    return done
