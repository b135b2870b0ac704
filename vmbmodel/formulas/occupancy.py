r"""Writes to changed cells: how many cells of a disk a day of writes touches.

Writes fall on a disk of :math:`D` cut into :math:`N = D/g` cells; a cell hit
once or a hundred times changed once. What is expected depends on how the writes
choose their places: in one run, anywhere, never twice, in runs or in zones. Some
pages much more often than others: `vmbmodel.formulas.zipf`.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from vmbmodel._arrays import formula
from vmbmodel.formulas.dispersion import gcd, touched, whole_bytes

__all__ = [
    "changed_contiguous",
    "changed_norep",
    "changed_runs",
    "changed_uniform",
    "changed_zones",
    "extents_uniform",
]


@formula
def changed_contiguous(
    changed_gib: ArrayLike,
    size_gib: ArrayLike,
    align_kib: ArrayLike,
    cell_kib: ArrayLike,
) -> ArrayLike:
    r"""Cells touched by changes that lie in one run.

    .. math:: C = \min\left(1 + \left\lfloor \frac{\Delta - 1}{h} \right\rfloor
        \frac{h}{g},\; N\right), \qquad h = \gcd(a, g), \quad \text{all in bytes}

    Parameters
    ----------
    changed_gib : array_like of float
        Length of the run, :math:`\Delta \ge 0`, to the byte. [GiB]
    size_gib : array_like of float
        Size of the disk, :math:`D \ge 0`. [GiB]
    align_kib : array_like of float
        The run begins at a multiple of this, :math:`a > 0`, to the byte. [KiB]
    cell_kib : array_like of float
        Size of a cell, :math:`g > 0`, to the byte. [KiB]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; 0 for no changes. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for a beginning that is uniform over the multiples of `align_kib`; of
    one write, whatever the disk, `touched_cells` says the same.

    References
    ----------
    Counting by occupancy as in Feller (1968), ch. II, :cite:`feller1968`.

    Examples
    --------
    One GiB in one run, which need not begin where a cell does:

    >>> print(changed_contiguous(1, size_gib=128, align_kib=4, cell_kib=8))
    131072.5
    """
    align, cell = whole_bytes(align_kib, cell_kib)
    run = np.rint(changed_gib * 2.0**30)
    found = np.minimum(
        touched(np.maximum(run, 1), align, cell), cells_on(size_gib, cell)
    )
    return np.where(run > 0, found, 0)


@formula
def changed_uniform(
    writes: ArrayLike,
    size_gib: ArrayLike,
    write_kib: ArrayLike,
    align_kib: ArrayLike,
    cell_kib: ArrayLike,
    area_frac: ArrayLike = 1,
    share_frac: ArrayLike = 1,
) -> ArrayLike:
    r"""Cells touched by writes that fall anywhere, on the same place too.

    .. math:: C = a N \left[1 - \left(1 - \frac{t\, s}{a N}\right)^k\right]

    with the cells :math:`t` that one write touches, of `touched_cells`.

    Parameters
    ----------
    writes : array_like of float
        Writes to the whole disk, :math:`k \ge 0`. [-]
    size_gib : array_like of float
        Size of the disk, :math:`D \ge 0`. [GiB]
    write_kib : array_like of float
        Size of a write, :math:`w > 0`, to the byte. [KiB]
    align_kib : array_like of float
        Writes begin at multiples of this, :math:`a > 0`, to the byte. [KiB]
    cell_kib : array_like of float
        Size of a cell, :math:`g > 0`, to the byte. [KiB]
    area_frac : array_like of float
        Share of the disk that is looked at, a zone, :math:`a` in (0, 1]. [-]
    share_frac : array_like of float
        Share of the writes that go there, :math:`s` in [0, 1]. [-]

    Returns
    -------
    array_like of float
        Of the zone alone, no more than it has, of the broadcast shape of the
        arguments; add up over the zones of a disk. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    changed_norep : no place is written twice.

    Notes
    -----
    Exact for independent writes, the end of the disk joined to its beginning; in a
    zone, uniform within it, but for the writes that straddle two zones.

    References
    ----------
    Occupancy as in Johnson and Kotz (1977), :cite:`johnsonkotz1977`.

    Examples
    --------
    Everywhere alike; then a fifth of the disk gets four fifths of the writes:

    >>> disk = dict(size_gib=1, write_kib=4, align_kib=4, cell_kib=8)
    >>> print(changed_uniform(50_000, **disk))
    41568.7
    >>> zones = changed_uniform(
    ...     50_000, area_frac=[0.2, 0.8], share_frac=[0.8, 0.2], **disk)
    >>> print(zones.sum())
    30052.7
    """
    write, align, cell = whole_bytes(write_kib, align_kib, cell_kib)
    zone = area_frac * cells_on(size_gib, cell)
    return occupied(writes, touched(write, align, cell) * share_frac, zone)


@formula
def changed_norep(
    writes: ArrayLike, size_gib: ArrayLike, write_kib: ArrayLike, cell_kib: ArrayLike
) -> ArrayLike:
    r"""Cells touched by writes anywhere, of which no two hit the same place.

    .. math:: C = N \left[1 - \binom{m - s}{k} \Big/ \binom{m}{k}\right],
        \qquad m = \frac{D}{w}, \quad s = \frac{g}{w}

    Parameters
    ----------
    writes : array_like of float
        Writes :math:`k \ge 0`, each at another multiple of its size; more than
        the disk has room for count as that. [-]
    size_gib : array_like of float
        Size of the disk, :math:`D \ge 0`. [GiB]
    write_kib : array_like of float
        Size of a write, :math:`w > 0`, to the byte. [KiB]
    cell_kib : array_like of float
        Size of a cell, :math:`g > 0`, to the byte. [KiB]

    Returns
    -------
    array_like of float
        No more than the disk has, of the broadcast shape of the arguments;
        :math:`k w / g` for writes of a cell or more. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact where a cell is a multiple of a write, or a write of a cell; else the
    binomials are read as gamma functions. Evaluated by Stirling's formula with
    its leading terms cancelled on paper, so one write on a disk of 1e12 places
    is as accurate as many.

    References
    ----------
    Sampling without replacement as in Johnson and Kotz (1977),
    :cite:`johnsonkotz1977`; log-gamma as in Abramowitz and Stegun (1964),
    6.1.41, :cite:`abramowitz1964`.

    Examples
    --------
    >>> print(changed_norep(50_000, size_gib=1, write_kib=4, cell_kib=8))
    45231.7
    """
    write, cell = whole_bytes(write_kib, cell_kib)
    return drawn(writes, cells_on(size_gib, write), cell / write)


@formula
def changed_runs(
    writes: ArrayLike,
    size_gib: ArrayLike,
    run_kib: ArrayLike,
    align_kib: ArrayLike,
    cell_kib: ArrayLike,
) -> ArrayLike:
    r"""Cells touched by runs of writes that begin anywhere.

    .. math:: C = N \left[1 - \left(1 - \frac{t}{N}\right)^n\right],
        \qquad t = 1 + \frac{\ell - h}{g}, \quad h = \gcd(a, g)

    Parameters
    ----------
    writes : array_like of float
        Runs :math:`n \ge 0`. [-]
    size_gib : array_like of float
        Size of the disk, :math:`D \ge 0`. [GiB]
    run_kib : array_like of float
        Mean length of a run, :math:`\ell > 0`. [KiB]
    align_kib : array_like of float
        Runs begin and end at multiples of this, :math:`a > 0`, to the
        byte. [KiB]
    cell_kib : array_like of float
        Size of a cell, :math:`g > 0`, to the byte. [KiB]

    Returns
    -------
    array_like of float
        No more than the disk has, of the broadcast shape of the arguments. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for independent runs, whatever the distribution of their lengths: a
    run touches cells in proportion to its length, so only the mean counts.

    References
    ----------
    Coverage by random segments as in Hall (1988), ch. 2, :cite:`hall1988`.

    Examples
    --------
    A thousand runs of 64 KiB on average, to the byte, on one GiB:

    >>> print(changed_runs(1000, 1, run_kib=64, align_kib=1 / 1024, cell_kib=8))
    8698.1
    """
    align, cell = whole_bytes(align_kib, cell_kib)
    beyond = np.maximum(run_kib * 1024 - gcd(align, cell), 0) / cell
    return occupied(writes, 1 + beyond, cells_on(size_gib, cell))


@formula
def changed_zones(
    writes: ArrayLike,
    size_gib: ArrayLike,
    write_kib: ArrayLike,
    align_kib: ArrayLike,
    cell_kib: ArrayLike,
    area_frac: ArrayLike,
    share_frac: ArrayLike,
) -> ArrayLike:
    r"""Cells touched in a zone that gets a share of the writes of its own.

    .. math:: C_z = a_z N \left[1 - \left(1 - \frac{t\, s_z}{a_z N}\right)^k\right]

    Parameters
    ----------
    writes : array_like of float
        Writes to the whole disk, :math:`k \ge 0`. [-]
    size_gib : array_like of float
        Size of the disk, :math:`D \ge 0`. [GiB]
    write_kib : array_like of float
        Size of a write, :math:`w > 0`, to the byte. [KiB]
    align_kib : array_like of float
        Writes begin at multiples of this, :math:`a > 0`, to the byte. [KiB]
    cell_kib : array_like of float
        Size of a cell, :math:`g > 0`, to the byte. [KiB]
    area_frac : array_like of float
        Share of the disk that the zone takes, :math:`a_z` in (0, 1]. [-]
    share_frac : array_like of float
        Share of the writes that go there, :math:`s_z` in [0, 1]. [-]

    Returns
    -------
    array_like of float
        Of the zone alone, of the broadcast shape of the arguments; add up over
        the zones of a disk. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    Exact for independent writes, uniform within each zone, but for the writes
    that straddle two zones.

    References
    ----------
    Occupancy as in Johnson and Kotz (1977), :cite:`johnsonkotz1977`.

    Examples
    --------
    A fifth of one GiB gets four fifths of the writes:

    >>> disk = dict(size_gib=1, write_kib=4, align_kib=4, cell_kib=8)
    >>> zones = changed_zones(
    ...     50_000, area_frac=[0.2, 0.8], share_frac=[0.8, 0.2], **disk)
    >>> print(zones.sum())
    30052.7
    """
    write, align, cell = whole_bytes(write_kib, align_kib, cell_kib)
    zone = area_frac * cells_on(size_gib, cell)
    return occupied(writes, touched(write, align, cell) * share_frac, zone)


@formula
def extents_uniform(
    writes: ArrayLike,
    size_gib: ArrayLike,
    write_kib: ArrayLike,
    align_kib: ArrayLike,
    cell_kib: ArrayLike,
) -> ArrayLike:
    r"""Extents of changed cells that writes anywhere on the disk leave.

    .. math:: R = N \left[\left(1 - \frac{t}{N}\right)^k
        - \left(1 - \frac{t + 1}{N}\right)^k\right]

    with the cells :math:`t` that one write touches, of `touched_cells`.

    Parameters
    ----------
    writes : array_like of float
        Writes :math:`k \ge 0`. [-]
    size_gib : array_like of float
        Size of the disk, :math:`D \ge 0`. [GiB]
    write_kib : array_like of float
        Size of a write, :math:`w > 0`, to the byte. [KiB]
    align_kib : array_like of float
        Writes begin at multiples of this, :math:`a > 0`, to the byte. [KiB]
    cell_kib : array_like of float
        Size of a cell, :math:`g > 0`, to the byte. [KiB]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; 0 where all cells change. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    A run ends with a changed cell before an unchanged one: the cell is missed
    with the first power, it and its neighbour with the second. Exact for
    independent writes, the end of the disk joined to its beginning.

    References
    ----------
    Clumps of random segments as in Hall (1988), ch. 2, :cite:`hall1988`.

    Examples
    --------
    >>> print(extents_uniform(50_000, size_gib=1, write_kib=4, align_kib=4, cell_kib=8))
    28385.6
    """
    write, align, cell = whole_bytes(write_kib, align_kib, cell_kib)
    cells = cells_on(size_gib, cell)
    one = np.minimum(touched(write, align, cell), cells)
    missed = np.exp(times(writes, np.log1p(-one / cells)))
    more = np.minimum(1 / (cells - one), 1)
    found = cells * missed * -np.expm1(times(writes, np.log1p(-more)))
    return np.where(cells > one, found, 0)


def cells_on(size_gib, cell):
    """Count the pieces of a disk, no more of them than a float can multiply."""
    return np.minimum(size_gib * (2.0**30 / cell), 1e300)


def times(count, log):
    """Multiply, and none of something endless is none."""
    return np.where(count > 0, count * log, 0)


def occupied(draws, hits, cells):
    """Cells of which at least one is hit by draws that hit `hits` of them each."""
    share = np.minimum(hits / cells, 1)
    return np.where(cells > 0, cells * -np.expm1(times(draws, np.log1p(-share))), 0)


def drawn(draws, places, per_cell):
    """Cells of `per_cell` places hit by draws of distinct places."""
    draws = np.minimum(draws, places)
    cells = places / per_cell
    missed = _log_all_missed(draws, places, np.minimum(per_cell, places))
    small = np.minimum(cells * -np.expm1(missed), cells)
    return np.where(per_cell > 1, small, draws / per_cell)


def _log_all_missed(draws, places, marked):
    r"""Return :math:`\ln \binom{m-s}{k} - \ln \binom{m}{k}`, without cancellation.

    With shares :math:`x = s/m`, :math:`y = k/m` the terms of Stirling's formula
    that grow with `places` combine to products of both, each as small as the
    result.
    """
    x, y = marked / places, draws / places
    left = places - marked - draws
    log_x, log_y = np.log1p(-x), np.log1p(-y)
    odds = np.minimum(x * y / ((1 - x) * (1 - y)), 1)
    entropy = draws * log_x + marked * log_y - (left + 0.5) * np.log1p(-odds)
    rest = (
        _stirling_rest(places - marked)
        + _stirling_rest(places - draws)
        - _stirling_rest(left)
        - _stirling_rest(places)
    )
    last = (
        gammaln(places - marked + 1) + gammaln(places - draws + 1) - gammaln(places + 1)
    )
    found = np.where(left >= 1, entropy + rest, last - gammaln(left + 1))
    found = np.where(left < 0, -np.inf, np.minimum(found, 0))
    return np.where((draws > 0) & (marked > 0), found, 0)


def _stirling_rest(z):
    """Return what Stirling's formula leaves of the log of a factorial."""
    inverse = 1 / np.maximum(z, 16)
    square = inverse**2
    series = inverse * (
        1 / 12
        - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))
    )
    small = np.clip(z, 1, 16)
    exact = gammaln(small + 1) - (small + 0.5) * np.log(small) + small
    return np.where(z < 16, exact - 0.5 * np.log(2 * np.pi), series)
