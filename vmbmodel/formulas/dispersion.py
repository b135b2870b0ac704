r"""Scattered changes: what a write touches, and what is left of the throughput.

The dispersion index :math:`\delta` says how scattered the changes of a disk
are. Cut the disk into cells of :math:`g`, and let :math:`f` be the share that
changed: :math:`\delta` is the number of runs of changed cells, relative to what
the same number of cells would form if placed at random. It is 0 for one run, 1
for random changes, and equals one minus the correlation of a cell with its
neighbour.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula

__all__ = [
    "cell_amplification",
    "changed_blocks_frac",
    "effective_mib_s",
    "mean_extent_kib",
    "touched_cells",
    "write_amplification",
]


@formula
def touched_cells(
    write_kib: ArrayLike, align_kib: ArrayLike, cell_kib: ArrayLike
) -> ArrayLike:
    r"""Mean number of cells that one write touches.

    .. math:: t = 1 + \left\lfloor \frac{w - 1}{h} \right\rfloor \frac{h}{g},
        \qquad h = \gcd(a, g), \quad \text{all in bytes}

    Parameters
    ----------
    write_kib : array_like of float
        Size of the write, :math:`w > 0`, to the byte. [KiB]
    align_kib : array_like of float
        Writes begin at multiples of this, :math:`a > 0`, to the byte. [KiB]
    cell_kib : array_like of float
        Size of a cell, :math:`g > 0`, to the byte. [KiB]

    Returns
    -------
    array_like of float
        At least 1, of the broadcast shape of the arguments. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for an offset that is uniform over the multiples of `align_kib`.

    References
    ----------
    Counting by occupancy as in Feller (1968), ch. II, :cite:`feller1968`.

    Examples
    --------
    Eight KiB on a grid of four straddle two cells every other time:

    >>> print(touched_cells(8, align_kib=4, cell_kib=8))
    1.5
    """
    return touched(*whole_bytes(write_kib, align_kib, cell_kib))


@formula
def write_amplification(
    write_kib: ArrayLike, align_kib: ArrayLike, cell_kib: ArrayLike
) -> ArrayLike:
    r"""Bytes to be sent for each byte that an isolated write has written.

    .. math:: A = \frac{t\, g}{w}

    Parameters
    ----------
    write_kib : array_like of float
        Size of the write, :math:`w > 0`, to the byte. [KiB]
    align_kib : array_like of float
        Writes begin at multiples of this, :math:`a > 0`, to the byte. [KiB]
    cell_kib : array_like of float
        Size of a cell, :math:`g > 0`, to the byte. [KiB]

    Returns
    -------
    array_like of float
        At least 1, of the broadcast shape of the arguments. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    For writes that share no cell; neighbours that do are sent once, and the
    amplification is less.

    References
    ----------
    The advice to write at least 8 KB is Microsoft's (2018), "Factors affecting
    backup time", :cite:`article2018`.

    Examples
    --------
    A write of 4 KiB costs a whole cell of 8:

    >>> print(write_amplification(4, align_kib=4, cell_kib=8))
    2.0
    """
    write, align, cell = whole_bytes(write_kib, align_kib, cell_kib)
    return touched(write, align, cell) * cell / write


@formula
def cell_amplification(
    write_kib: ArrayLike, dispersion: ArrayLike, cell_kib: ArrayLike
) -> ArrayLike:
    r"""Bytes to be sent for each byte changed, when runs of writes end inside cells.

    .. math:: A = \frac{1}{1 - \delta + \delta \min(w / g,\, 1)}

    Parameters
    ----------
    write_kib : array_like of float
        Size of a write, aligned to itself, :math:`w > 0`. [KiB]
    dispersion : array_like of float
        Dispersion index :math:`\delta` in [0, 1] of the changed cells. [-]
    cell_kib : array_like of float
        Size of a cell, :math:`g > 0`. [KiB]

    Returns
    -------
    array_like of float
        At least 1, of the broadcast shape of the arguments; 1 for writes of a
        cell or more, and for changes in one run. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    write_amplification : of one write alone, at any alignment.

    Notes
    -----
    A mean extent of :math:`g/\delta` holds :math:`g - w` that was not written:
    the rest of the cells in which its first and last writes lie. Between
    random writes, each costing a whole cell, and one run, costing nothing.

    References
    ----------
    The advice to write at least 8 KB is Microsoft's (2018), "Factors affecting
    backup time", :cite:`article2018`.

    Examples
    --------
    Writes of 2 KiB at random send four times what they wrote:

    >>> print(cell_amplification(2, dispersion=1, cell_kib=8))
    4.0
    """
    return 1 / (1 - dispersion + dispersion * np.minimum(write_kib / cell_kib, 1))


@formula
def mean_extent_kib(
    dispersion: ArrayLike, changed_frac: ArrayLike, cell_kib: ArrayLike
) -> ArrayLike:
    r"""Mean length of a run of changed cells.

    .. math:: \ell = \frac{g}{\delta (1 - f)}

    Parameters
    ----------
    dispersion : array_like of float
        Dispersion index :math:`\delta` in [0, 1]. [-]
    changed_frac : array_like of float
        Share of the cells that changed, :math:`f` in [0, 1]. [-]
    cell_kib : array_like of float
        Size of a cell, :math:`g > 0`. [KiB]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; ``inf`` where all changes form
        one run. [KiB]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

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
def effective_mib_s(
    incremental_mib_s: ArrayLike,
    blob_iops: ArrayLike,
    extent_kib: ArrayLike,
    request_overlap_frac: ArrayLike = 1,
) -> ArrayLike:
    r"""Throughput that is left when every extent costs one request.

    .. math:: \frac{1}{V} = \psi \max(t_b, t_r) + (1 - \psi)(t_b + t_r), \qquad
        t_b = \frac{1}{v}, \quad t_r = \frac{1024}{\iota\, \ell}

    Parameters
    ----------
    incremental_mib_s : array_like of float
        Throughput for changes in one run, :math:`v > 0`. [MiB/s]
    blob_iops : array_like of float
        Requests a second that one blob answers, :math:`\iota > 0`. [1/s]
    extent_kib : array_like of float
        Mean length of an extent, :math:`\ell > 0`; may be ``inf``. [KiB]
    request_overlap_frac : array_like of float
        How far a request overlaps with the sending of others, :math:`\psi` in
        [0, 1]: 1 when pipelined, 0 when each waits for the one before. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; :math:`\min(v, \iota \ell / 1024)`
        for pipelined requests, and no less than half of it for others. [MiB/s]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

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
def changed_blocks_frac(
    changed_frac: ArrayLike,
    dispersion: ArrayLike,
    cells_per_block: ArrayLike,
    active_frac: ArrayLike,
) -> ArrayLike:
    r"""Share of the blocks in which at least one cell changed.

    .. math::

        \beta = \alpha \left[ 1 - (1 - f_\alpha)
            (1 - \delta_\alpha f_\alpha)^{r - 1} \right], \qquad
        f_\alpha = \frac{f}{\alpha}, \quad
        \delta_\alpha = \delta\, \frac{1 - f}{1 - f_\alpha}

    Parameters
    ----------
    changed_frac : array_like of float
        Share of the cells that changed, :math:`f` in [0, 1]. [-]
    dispersion : array_like of float
        Dispersion index :math:`\delta` in [0, 1]. [-]
    cells_per_block : array_like of float
        Cells that make a block, :math:`r \ge 1`. [-]
    active_frac : array_like of float
        Share of the disk inside which all changes fall, :math:`\alpha` in
        (0, 1]; a smaller one than `changed_frac` counts as that. [-]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments; `changed_frac` at a
        dispersion of 0. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

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


def changed_blocks(changed_frac, dispersion, cells_per_block, active_frac):
    """Share of blocks touched, on plain arrays in range."""
    active = np.maximum(active_frac, changed_frac)
    inside = changed_frac / active
    scatter = np.minimum(dispersion * (1 - changed_frac) / (1 - inside), 1)
    copied = log_copied(cells_per_block - 1, scatter * inside)
    partly = active * -np.expm1(np.log1p(-inside) + copied)
    return np.where(inside < 1, partly, active)


def log_copied(cells, again):
    """Log of the chance that cells in a row bring no change, less than one in part.

    A part of a cell brings its part of the chance of a cell: a power would make
    fewer blocks touched where changes spread wider.
    """
    part = np.log1p(-np.minimum(cells, 1) * again)
    return np.where(cells < 1, part, cells * np.log1p(-again))


def whole_bytes(*sizes_kib):
    return (np.maximum(np.rint(size * 1024), 1) for size in sizes_kib)


def touched(write, align, cell):
    grid = gcd(align, cell)
    return 1 + np.floor((write - 1) / grid) * grid / cell


def gcd(first, second):
    """Greatest common divisor of whole floats, too large for an int or not."""
    while np.any(second > 0):
        first, second = (
            np.where(second > 0, second, first),
            np.where(second > 0, np.fmod(first, second), 0),
        )
    return first
