r"""Scattered changes: the dispersion index, and what it leaves of the throughput.

The dispersion index :math:`\delta` says how scattered the changes of a disk
are. Cut the disk into cells of :math:`g`, and let :math:`f` be the share that
changed: :math:`\delta` is the number of runs of changed cells, relative to what
the same number of cells would form if placed at random. It is 0 for one run, 1
for random changes, and equals one minus the correlation of a cell with its
neighbour.

The disk is taken for a bitmap in which each cell copies its neighbour or, with
probability :math:`\delta`, is drawn anew. Then :math:`r` cells in a row are all
unchanged with probability

.. math:: q_r = (1 - f)(1 - \delta f)^{r - 1},

and what follows about extents and blocks is in closed form.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.bitmap import (
    changed_blocks,
    changed_by_writes,
    inside_active,
    log_copied,
)

__all__ = [
    "block_extents_frac",
    "changed_blocks_frac",
    "changed_gib",
    "dispersion_index",
    "effective_mib_s",
    "mean_extent_kib",
]


@formula
def dispersion_index(changed_cells, extents, cells):
    r"""Dispersion index of changes that were counted.

    .. math:: \delta = \frac{R\, M}{C\, (M - C + 1)}

    Parameters
    ----------
    changed_cells : More than `cells` count as all.
    extents : No fewer than one, nor more than the cells allow, are taken.

    Returns
    -------
    1 for cells that fell at random, more where they avoid each other, 0 without
    changes.

    Notes
    -----
    The number of runs over its mean if the same cells were placed at random,
    and so, on a large disk, one minus the correlation of a cell with its
    neighbour. Formulas that take a dispersion want it clipped at 1.

    References
    ----------
    The mean number of runs is Wald and Wolfowitz's (1940),
    :cite:`waldwolfowitz1940`.

    Examples
    --------
    A tenth of a disk, in runs of ten cells:

    >>> print(dispersion_index(13_107, extents=1311, cells=131_072))
    0.1111
    """
    changed = np.minimum(changed_cells, cells)
    kept = cells - changed
    most = np.minimum(changed, kept + 1)
    runs = np.clip(extents, np.minimum(changed, 1), most)
    return np.where(changed > 0, runs / changed * (cells / (kept + 1)), 0)


@formula
def mean_extent_kib(dispersion, changed_frac, cell_kib):
    r"""Mean length of a run of changed cells.

    .. math:: \ell = \frac{g}{\delta (1 - f)}

    Returns
    -------
    ``inf`` where all changes form one run.

    Notes
    -----
    Exact in the mean for a bitmap in which each cell is a copy of its neighbour
    or, with probability :math:`\delta`, drawn anew.

    References
    ----------
    Runs in random sequences as in Feller (1968), ch. II, :cite:`feller1968`.

    Examples
    --------
    >>> print(mean_extent_kib(0.1, changed_frac=0, cell_kib=8))
    80.0
    """
    return cell_kib / (dispersion * (1 - changed_frac))


@formula
def effective_mib_s(incremental_mib_s, blob_iops, extent_kib, request_overlap_frac=1):
    r"""Throughput that is left when every extent costs one request.

    .. math:: \frac{1}{V} = \psi \max(t_b, t_r) + (1 - \psi)(t_b + t_r), \qquad
        t_b = \frac{1}{v}, \quad t_r = \frac{1024}{\iota\, \ell}

    Returns
    -------
    :math:`\min(v, \iota \ell / 1024)` for pipelined requests, and no less than half of
    it for others.

    Notes
    -----
    Requests that wait for each other are a start-up time of :math:`1/\iota` before
    every extent: 500 a second are 2 ms. Which end a service is nearer to is not
    documented.

    References
    ----------
    Hockney and Jesshope (1988), :cite:`hockney1988`; that throughput drops is
    Microsoft's (2018), "Disk considerations", :cite:`article2018`.

    Examples
    --------
    Random cells of 8 KiB, at 500 requests a second:

    >>> print(effective_mib_s(76.3, blob_iops=500, extent_kib=8))
    3.906

    Extents of 80 KiB, 2 ms before each of them:

    >>> print(effective_mib_s(76.3, 500, extent_kib=80, request_overlap_frac=0))
    25.83
    """
    requested_mib_s = blob_iops * extent_kib / 1024
    slower = np.minimum(incremental_mib_s, requested_mib_s)
    faster = np.maximum(incremental_mib_s, requested_mib_s)
    return slower / (1 + (1 - request_overlap_frac) * (slower / faster))


@formula
def changed_gib(
    churn_gib_per_day, used_gib, write_kib, dispersion, active_frac, cell_kib
):
    r"""Size of the cells that a day's writes touch, which is what has to be sent.

    .. math::

        \Delta = \alpha U \left[ 1 - (1 - p) (1 - \delta_w p)^{r - 1} \right], \qquad
        p = \frac{c}{\alpha U}, \qquad r = \max\left(\frac{g}{w},\, 1\right), \qquad
        \delta_w = \frac{\delta}{\delta + r (1 - \delta)}

    Parameters
    ----------
    churn_gib_per_day : what the applications change in a day, :math:`c`
        More than `used_gib` counts as all of it.
    used_gib : data of the disk, :math:`U`
    write_kib : size of a write, aligned to itself, :math:`w`
    active_frac : share of the data that is written at all, :math:`\alpha`
        A smaller one than the churn needs counts as that.

    Returns
    -------
    from `churn_gib_per_day`, for writes of a cell or more and for changes in one run,
    to what `changed_norep` counts, at a dispersion of 1.

    See Also
    --------
    vmbmodel.formulas.writes.changed_norep : the end of random writes, write by write.
    vmbmodel.formulas.writes.write_amplification : of one write alone, at any alignment.

    Notes
    -----
    The writes are taken for a bitmap of their own in which each copies its neighbour
    or, with probability :math:`\delta_w`, is drawn anew: the probability at which
    sparse cells have the dispersion :math:`\delta`. Few writes so send
    :math:`1 / (1 - \delta + \delta / r)` times what they wrote, and many share
    their cells. Exact in the mean for such a bitmap.

    References
    ----------
    Occupancy as in Johnson and Kotz (1977), :cite:`johnsonkotz1977`; the advice to
    write at least 8 KB is Microsoft's (2018), "Factors affecting backup time",
    :cite:`article2018`.

    Examples
    --------
    A GiB in writes of 2 KiB, at random: four times as much is sent if the disk is
    large, less if the writes share their cells.

    >>> cells = dict(write_kib=2, dispersion=1, active_frac=1, cell_kib=8)
    >>> print(changed_gib(1, [1e6, 100, 4, 1], **cells))
    [4.    3.94  2.734 1.   ]
    """
    return changed_by_writes(
        churn_gib_per_day, used_gib, write_kib, dispersion, active_frac, cell_kib
    )


@formula
def changed_blocks_frac(changed_frac, dispersion, cells_per_block, active_frac):
    r"""Share of the blocks in which at least one cell changed.

    .. math::

        \beta = \alpha \left[ 1 - (1 - f_\alpha)
            (1 - \delta_\alpha f_\alpha)^{r - 1} \right], \qquad
        f_\alpha = \frac{f}{\alpha}, \quad
        \delta_\alpha = \delta\, \frac{1 - f}{1 - f_\alpha}

    Parameters
    ----------
    active_frac : A smaller one than `changed_frac` counts as that.

    Returns
    -------
    `changed_frac` at a dispersion of 0.

    Notes
    -----
    Exact for a bitmap in which each cell of the active area is a copy of its
    neighbour or, with probability :math:`\delta_\alpha`, drawn anew; at a
    dispersion of 1 this is the occupancy of blocks by random cells. Between one
    and two cells a block, the power is a straight line in :math:`r`.

    References
    ----------
    Occupancy as in Johnson and Kotz (1977), :cite:`johnsonkotz1977`.

    Examples
    --------
    One cell in a hundred, at random, touches nearly every block of 256 cells:

    >>> print(changed_blocks_frac(0.01, 1, cells_per_block=256, active_frac=1))
    0.9237
    """
    return changed_blocks(changed_frac, dispersion, cells_per_block, active_frac)


@formula
def block_extents_frac(changed_frac, dispersion, cells_per_block, active_frac):
    r"""Extents of changed blocks, for each block of the disk.

    .. math:: \alpha\, (q_r - q_{2r}), \qquad
        q_r = (1 - f_\alpha)(1 - \delta_\alpha f_\alpha)^{r - 1}

    with :math:`f_\alpha` and :math:`\delta_\alpha` of `changed_blocks_frac`.

    Parameters
    ----------
    active_frac : A smaller one than `changed_frac` counts as that.

    Returns
    -------
    0 where all changes lie in one run.

    Notes
    -----
    Exact for the bitmap of `changed_blocks_frac`, its borders aside.

    References
    ----------
    Clumps of random segments as in Hall (1988), ch. 2, :cite:`hall1988`.

    Examples
    --------
    Random writes to a hundredth of the cells, in blocks of 256: most blocks
    changed, so their runs are few and long.

    >>> print(block_extents_frac(0.01, 1, cells_per_block=256, active_frac=1))
    0.0705
    """
    active, inside, scatter = inside_active(changed_frac, dispersion, active_frac)
    again = scatter * inside
    missed = np.exp(np.log1p(-inside) + log_copied(cells_per_block - 1, again))
    found = active * missed * -np.expm1(_log_next(cells_per_block, again))
    return np.where(inside < 1, found, 0)


def _log_next(cells, again):
    """Log of the chance that a block is missed, if the one before it was."""
    first = np.log1p(-np.clip(cells - 1, 0, 1) * again)
    part = (2 * cells - 1) * np.log1p(-again) - first
    return np.where(cells < 2, part, cells * np.log1p(-again))
