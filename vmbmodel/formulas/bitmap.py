r"""The dispersion index from counts, and what follows from it at other sizes.

A disk of :math:`M` cells, of which :math:`C` changed in :math:`R` runs, is taken
for a bitmap in which each cell copies its neighbour or, with probability
:math:`\delta`, is drawn anew. Then :math:`r` cells in a row are all unchanged
with probability

.. math:: q_r = (1 - f)(1 - \delta f)^{r - 1}, \qquad f = C / M,

and everything about blocks, gaps and requests follows in closed form.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula
from vmbmodel.formulas.dispersion import log_copied

__all__ = [
    "block_extents_frac",
    "bridged_extents_frac",
    "carried_cells_frac",
    "coarse_dispersion",
    "cut_extents_frac",
    "dispersion_index",
    "dispersion_two_levels",
    "split_requests",
]


@formula
def dispersion_index(
    changed_cells: ArrayLike, extents: ArrayLike, cells: ArrayLike
) -> ArrayLike:
    r"""Dispersion index of changes that were counted.

    .. math:: \delta = \frac{R\, M}{C\, (M - C + 1)}

    Parameters
    ----------
    changed_cells : array_like of float
        Changed cells :math:`C \ge 0`; more than `cells` count as all. [-]
    extents : array_like of float
        Runs that they form, :math:`R \ge 0`; no fewer than one, nor more than
        the cells allow, are taken. [-]
    cells : array_like of float
        Cells of the disk, :math:`M \ge 1`. [-]

    Returns
    -------
    array_like of float
        In [0, 2), of the broadcast shape of the arguments: 1 for cells that
        fell at random, more where they avoid each other, 0 without changes. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    dispersion_two_levels : from the changed shares at two sizes of cell.

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
def dispersion_two_levels(
    changed_frac: ArrayLike, coarse_frac: ArrayLike, cells_per_coarse: ArrayLike
) -> ArrayLike:
    r"""Dispersion index from the changed shares at two sizes of cell.

    .. math:: \delta = \frac{1}{f} \left[1 -
        \left(\frac{1 - f'}{1 - f}\right)^{1/(r - 1)}\right]

    Parameters
    ----------
    changed_frac : array_like of float
        Share of the cells that changed, :math:`f` in [0, 1]. [-]
    coarse_frac : array_like of float
        Share of the large cells that changed, :math:`f'` in [0, 1]; less than
        `changed_frac` counts as that. [-]
    cells_per_coarse : array_like of float
        Cells that make a large one, :math:`r > 1`. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; above 1 where changes avoid
        each other; 0 without changes, 1 where all cells changed. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    dispersion_index : from the changed cells themselves, which is better.

    Notes
    -----
    The inverse of `changed_blocks_frac`, for whoever knows only what a backup
    with fixed chunks holds at two sizes. Changes of real disks are clustered on
    several scales, and the index comes out lower than the one from counts: it
    serves to go from one of the two sizes to the other, not to count extents.

    References
    ----------
    Occupancy as in Johnson and Kotz (1977), :cite:`johnsonkotz1977`.

    Examples
    --------
    >>> print(dispersion_two_levels(0.1, coarse_frac=0.19, cells_per_coarse=2))
    1.0
    """
    coarse = np.maximum(coarse_frac, changed_frac)
    kept = np.log1p(-(coarse - changed_frac) / (1 - changed_frac))
    found = -np.expm1(kept / (cells_per_coarse - 1)) / changed_frac
    found = np.where(changed_frac > 0, found, 0)
    return np.where(changed_frac < 1, found, 1)


@formula
def block_extents_frac(
    changed_frac: ArrayLike,
    dispersion: ArrayLike,
    cells_per_block: ArrayLike,
    active_frac: ArrayLike,
) -> ArrayLike:
    r"""Extents of changed blocks, for each block of the disk.

    .. math:: \alpha\, (q_r - q_{2r}), \qquad
        q_r = (1 - f_\alpha)(1 - \delta_\alpha f_\alpha)^{r - 1}

    with :math:`f_\alpha` and :math:`\delta_\alpha` of `changed_blocks_frac`.

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
        In [0, 1], of the broadcast shape of the arguments; 0 where all changes
        lie in one run. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

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
    active, inside, scatter = _inside(changed_frac, dispersion, active_frac)
    again = scatter * inside
    missed = np.exp(np.log1p(-inside) + log_copied(cells_per_block - 1, again))
    found = active * missed * -np.expm1(_log_next(cells_per_block, again))
    return np.where(inside < 1, found, 0)


@formula
def coarse_dispersion(
    changed_frac: ArrayLike,
    dispersion: ArrayLike,
    cells_per_block: ArrayLike,
    active_frac: ArrayLike,
) -> ArrayLike:
    r"""Dispersion index that the same changes have in blocks of several cells.

    .. math:: \delta_b = \frac{\alpha\, (q_r - q_{2r})}{\beta\, (1 - \beta)},
        \qquad \beta = \alpha\, (1 - q_r)

    with the runs of blocks of `block_extents_frac` and the share :math:`\beta`
    of blocks touched, of `changed_blocks_frac`.

    Parameters
    ----------
    changed_frac : array_like of float
        Share of the cells that changed, :math:`f` in [0, 1]; 0 stands for
        changes that are few. [-]
    dispersion : array_like of float
        Dispersion index :math:`\delta` in [0, 1] of the cells. [-]
    cells_per_block : array_like of float
        Cells that make a block, :math:`r \ge 1`. [-]
    active_frac : array_like of float
        Share of the disk inside which all changes fall, :math:`\alpha` in
        (0, 1]; a smaller one than `changed_frac` counts as that. [-]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments; `dispersion` itself
        for blocks of one cell. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for the bitmap of `changed_blocks_frac`, its borders aside. Larger
    blocks make scattered changes look more scattered: their index tends to 1
    where the blocks outgrow the extents.

    References
    ----------
    Clumps of random segments as in Hall (1988), ch. 2, :cite:`hall1988`.

    Examples
    --------
    Few changes in extents of ten cells, seen in blocks of 256:

    >>> print(coarse_dispersion(1e-6, 0.1, cells_per_block=256, active_frac=1))
    0.9660
    """
    active, inside, scatter = _inside(changed_frac, dispersion, active_frac)
    again = scatter * inside
    log_missed = np.log1p(-inside) + log_copied(cells_per_block - 1, again)
    missed = np.exp(log_missed)
    begun = -np.expm1(_log_next(cells_per_block, again)) / -np.expm1(log_missed)
    few = cells_per_block * scatter / (1 + (cells_per_block - 1) * scatter)
    idle = np.where(active < 1, missed / (1 - active + active * missed), 1)
    found = np.where(inside > 0, begun, few) * np.where(inside < 1, idle, active == 1)
    return np.minimum(found, 1)


@formula
def bridged_extents_frac(
    changed_frac: ArrayLike, dispersion: ArrayLike, gap_cells: ArrayLike
) -> ArrayLike:
    r"""Extents left for each cell of the disk, once short gaps are bridged.

    .. math:: \delta f (1 - f)(1 - \delta f)^h

    Parameters
    ----------
    changed_frac : array_like of float
        Share of the cells that changed, :math:`f` in [0, 1]. [-]
    dispersion : array_like of float
        Dispersion index :math:`\delta` in [0, 1]. [-]
    gap_cells : array_like of float
        Longest gap that is bridged, :math:`h \ge 0`; 0 bridges none. [-]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments; times the cells of
        a disk, its extents. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    carried_cells_frac : what the bridges cost.

    Notes
    -----
    Exact in the mean for a bitmap of geometric gaps, :math:`h` whole.

    References
    ----------
    Runs in random sequences as in Feller (1968), ch. II, :cite:`feller1968`.

    Examples
    --------
    Of 0.08 extents a cell, a bridge over one cell leaves nine tenths:

    >>> print(bridged_extents_frac([0.1, 0.1], 1, gap_cells=[0, 1]))
    [0.09 0.081]
    """
    copied = np.log1p(-dispersion * changed_frac)
    bridged = np.exp(_none(gap_cells, copied))
    return dispersion * changed_frac * (1 - changed_frac) * bridged


@formula
def carried_cells_frac(
    changed_frac: ArrayLike, dispersion: ArrayLike, gap_cells: ArrayLike
) -> ArrayLike:
    r"""Unchanged cells sent along in bridged gaps, for each cell of the disk.

    .. math:: (1 - f) \left[1 - (1 - p)^h (1 + h p)\right], \qquad p = \delta f

    Parameters
    ----------
    changed_frac : array_like of float
        Share of the cells that changed, :math:`f` in [0, 1]. [-]
    dispersion : array_like of float
        Dispersion index :math:`\delta` in [0, 1]. [-]
    gap_cells : array_like of float
        Longest gap that is bridged, :math:`h \ge 0`; 0 bridges none. [-]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact in the mean for a bitmap of geometric gaps, :math:`h` whole: the
    lengths of all gaps no longer than :math:`h`, added up.

    References
    ----------
    Runs in random sequences as in Feller (1968), ch. II, :cite:`feller1968`.

    Examples
    --------
    Bridging single cells carries as many cells as it saves extents:

    >>> print(carried_cells_frac(0.1, 1, gap_cells=1))
    0.009
    """
    again = dispersion * changed_frac
    logs = _log1p_less(-again)
    kept = np.where(gap_cells > 0, gap_cells * logs, 0) + _log1p_less(gap_cells * again)
    return (1 - changed_frac) * np.maximum(-np.expm1(kept), 0)


@formula
def cut_extents_frac(
    changed_frac: ArrayLike, dispersion: ArrayLike, cells_per_block: ArrayLike
) -> ArrayLike:
    r"""Extents for each cell of the disk, cut where blocks end.

    .. math:: \delta f (1 - f) + \frac{f}{r} \left[1 - \delta (1 - f)\right]

    Parameters
    ----------
    changed_frac : array_like of float
        Share of the cells that changed, :math:`f` in [0, 1]. [-]
    dispersion : array_like of float
        Dispersion index :math:`\delta` in [0, 1]. [-]
    cells_per_block : array_like of float
        Cells that make a block, :math:`r \ge 1`. [-]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments; `changed_frac` for
        blocks of one cell. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    For a transfer that goes block by block: an extent that crosses a border
    costs a request on either side. Exact in the mean, whatever the gaps.

    References
    ----------
    Runs in random sequences as in Feller (1968), ch. II, :cite:`feller1968`.

    Examples
    --------
    A disk of which all has changed is sent in its blocks:

    >>> print(cut_extents_frac(1, 0.1, cells_per_block=256) * 256)
    1.0
    """
    begun = dispersion * (1 - changed_frac)
    return changed_frac * (begun + (1 - begun) / cells_per_block)


@formula
def split_requests(
    changed_cells: ArrayLike, extents: ArrayLike, cells_per_request: ArrayLike
) -> ArrayLike:
    r"""Mean number of requests that send the changed cells, long extents split.

    .. math:: \frac{R}{1 - (1 - 1/L)^m}, \qquad L = C / R

    Parameters
    ----------
    changed_cells : array_like of float
        Changed cells :math:`C \ge 0`. [-]
    extents : array_like of float
        Runs that they form, :math:`R \ge 0`; more than `changed_cells` count
        as that. [-]
    cells_per_request : array_like of float
        Most cells that one request moves, :math:`m \ge 1`. [-]

    Returns
    -------
    array_like of float
        At least `extents`, of the broadcast shape of the arguments; 0 for no
        extents, `changed_cells` for requests of one cell. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact in the mean for extents of geometric length, :math:`m` whole.

    References
    ----------
    The largest request is documented: Microsoft, "Put Page",
    :cite:`putpage`; geometric runs as in Feller (1968), ch. II,
    :cite:`feller1968`.

    Examples
    --------
    Extents of ten cells on average, sent eight at a time:

    >>> print(split_requests(10_000, extents=1000, cells_per_request=8))
    1755.8
    """
    runs = np.minimum(extents, changed_cells)
    share = runs / changed_cells
    split = runs / -np.expm1(cells_per_request * np.log1p(-share))
    endless = changed_cells / cells_per_request  # one extent, however long
    return np.where(runs > 0, np.where(share > 1e-300, split, endless), 0)


def _inside(changed_frac, dispersion, active_frac):
    """Return the active share, and the changed share and dispersion inside."""
    active = np.maximum(active_frac, changed_frac)
    inside = changed_frac / active
    scatter = np.minimum(dispersion * (1 - changed_frac) / (1 - inside), 1)
    return active, inside, np.where(inside < 1, scatter, 0)


def _log_next(cells, again):
    """Log of the chance that a block is missed, if the one before it was."""
    first = np.log1p(-np.clip(cells - 1, 0, 1) * again)
    part = (2 * cells - 1) * np.log1p(-again) - first
    return np.where(cells < 2, part, cells * np.log1p(-again))


def _none(count, log):
    """Multiply, and none of something endless is none."""
    return np.where(count > 0, count * log, 0)


def _log1p_less(x):
    """Return log(1 + x) - x, to all digits where x is small too."""
    half = x / (2 + x)
    square = half**2
    tail = np.zeros_like(square)
    for odd in range(41, 1, -2):
        tail = 1 / odd + square * tail
    series = half * (2 * square * tail - x)
    return np.where(np.abs(x) < 0.5, series, np.log1p(x) - x)
