r"""Writes to cells: how many a write touches, a day of them changes, a backup sends.

Writes fall on a disk of :math:`D` cut into :math:`N = D/g` cells; one write drags
the rest of its cells along, many writes share them, and a cell hit once or a hundred
times changed once. What is expected depends on how the writes choose their places:
anywhere, in zones, never twice, in runs, or some pages much more often than others,
by the law of Zipf. A backup that cuts the disk where its content says, and not at
fixed places, sends chunks, of which the long ones are hit first.

Sizes of writes and cells, and what they are aligned to, are taken to the byte.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.cells import (
    cells_on,
    drawn,
    gcd,
    occupied,
    touched,
    whole_bytes,
)
from vmbmodel.formulas._kernels.chunks import share_hit
from vmbmodel.formulas._kernels.zipf import pages_hit, ranked_cells_hit

__all__ = [
    "changed_chunks_frac",
    "changed_norep",
    "changed_runs",
    "changed_uniform",
    "changed_zipf",
    "crowded_amplification",
    "touched_cells",
    "write_amplification",
]


@formula
def touched_cells(write_kib, align_kib, cell_kib):
    r"""Mean number of cells that one write touches.

    .. math:: t = 1 + \left\lfloor \frac{w - 1}{h} \right\rfloor \frac{h}{g},
        \qquad h = \gcd(a, g), \quad \text{all in bytes}

    Returns
    -------
    at least 1.

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
def write_amplification(write_kib, align_kib, cell_kib):
    r"""Bytes to be sent for each byte that an isolated write has written.

    .. math:: A = \frac{t\, g}{w}

    Returns
    -------
    at least 1.

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
def crowded_amplification(writes, size_gib, write_kib, align_kib, cell_kib):
    r"""Bytes to be sent for each byte changed, when many writes share the cells.

    .. math:: A = \frac{C\, g}{B}, \qquad B = D \sum_{i = q}^{q+1} p_i
        \left[1 - \left(1 - \frac{i\, a}{D}\right)^k\right],
        \qquad q = \left\lfloor \frac{w}{a} \right\rfloor

    with the cells :math:`C` of `changed_uniform`, and the share
    :math:`p_{q+1} = w/a - q = 1 - p_q` of bytes that one more write can reach.

    Parameters
    ----------
    writes : writes :math:`k`, anywhere, on the same place too

    Returns
    -------
    at least 1: that of `write_amplification` for one write, 1 when all has changed.

    Notes
    -----
    The expected bytes sent over the expected bytes changed, each counted once.
    Exact for independent writes, the end of the disk joined to its beginning;
    where cells do not begin on the grid of the writes, the cells alone are a mean.

    References
    ----------
    Occupancy as in Johnson and Kotz (1977), :cite:`johnsonkotz1977`.

    Examples
    --------
    Writes of 2 KiB cost four times their size, until they meet in their cells:

    >>> print(crowded_amplification(
    ...     [1, 1e5, 1e6], size_gib=1, write_kib=2, align_kib=2, cell_kib=8))
    [4.   3.073 1.174]
    """
    write, align, cell = whole_bytes(write_kib, align_kib, cell_kib)
    whole = np.floor(write / align)
    part = write / align - whole
    places = cells_on(size_gib, align)
    once = np.maximum(writes, 1)
    reached = (1 - part) * occupied(once, whole, places)
    reached = reached + part * occupied(once, whole + 1, places)
    cells = occupied(once, touched(write, align, cell), cells_on(size_gib, cell))
    found = cells / reached * (cell / align)
    return np.where(reached > 0, np.maximum(found, 1), 1)


@formula
def changed_uniform(
    writes, size_gib, write_kib, align_kib, cell_kib, area_frac=1, share_frac=1
):
    r"""Cells touched by writes that fall anywhere, on the same place too.

    .. math:: C = a_z N \left[1 - \left(1 - \frac{t\, s_z}{a_z N}\right)^k\right]

    with the cells :math:`t` that one write touches, of `touched_cells`.

    Parameters
    ----------
    writes : writes to the whole disk, :math:`k`

    Returns
    -------
    of the zone alone, no more than it has; add up over the zones of a disk.

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
def changed_norep(writes, size_gib, write_kib, cell_kib):
    r"""Cells touched by writes anywhere, of which no two hit the same place.

    .. math:: C = N \left[1 - \binom{m - s}{k} \Big/ \binom{m}{k}\right],
        \qquad m = \frac{D}{w}, \quad s = \frac{g}{w}

    Parameters
    ----------
    writes : writes :math:`k`, each at another multiple of its size
        More than the disk has room for count as that.

    Returns
    -------
    no more than the disk has; :math:`k w / g` for writes of a cell or more.

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
def changed_runs(writes, size_gib, run_kib, align_kib, cell_kib):
    r"""Cells touched by runs of writes that begin anywhere.

    .. math:: C = N \left[1 - \left(1 - \frac{t}{N}\right)^n\right],
        \qquad t = 1 + \frac{\ell - h}{g}, \quad h = \gcd(a, g)

    Parameters
    ----------
    writes : runs :math:`n`
    align_kib : runs begin and end at multiples of this, :math:`a`, to the byte

    Returns
    -------
    no more than the disk has.

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
def changed_zipf(
    writes, zipf_exponent, size_gib, write_kib, cell_kib, page_order: str = "scattered"
):
    r"""Cells touched by writes that prefer some pages over others.

    Where the hot pages lie scattered,

    .. math:: C = N \left[1 - \binom{m - r}{E} \Big/ \binom{m}{E}\right],
        \qquad m = \frac{D}{w}, \quad r = \frac{g}{w}

    .. math::

        E = \sum_{i=1}^{m} \left[1 - (1 - p_i)^k\right] \\
        \approx \sum_{i \le i_0} \left[1 - (1 - p_i)^k\right] \\
        + F(m + \tfrac12) - F(i_0 + \tfrac12), \qquad p_i = \frac{i^{-s}}{H}

    .. math::

        F(x) = x \left[1 - \frac{E_{1 + 1/s}(L x^{-s})}{s}\right],
        \qquad L = \frac{k}{H}, \quad H = \sum_{i=1}^{m} i^{-s}

    and where they lie side by side, in the order of their ranks,

    .. math:: C = \sum_{j=1}^{N} \left[1 - (1 - P_j)^k\right], \qquad
        P_j = \sum_{i = (j-1)r + 1}^{jr} p_i

    Parameters
    ----------
    writes : writes :math:`k`, each of one whole page
    write_kib : size of a page, :math:`w`, to the byte
    page_order : As the rows of a table by an arbitrary key, ``scattered``, or as the
        newest rows of a log, ``ranked``.

    Returns
    -------
    no more than the disk has; the distinct pages :math:`E` that are hit, for cells of
    one page.

    Notes
    -----
    The first 1,024 ranks are summed, exactly. Beyond them
    :math:`E_p`, the exponential integral of real order, is a continued fraction
    where its argument exceeds 1; where it does not, the difference of :math:`F`
    is a power series, so that few writes lose no digits. Writes to a page of
    the tail are taken as Poisson, at the rate that makes one write touch one
    page. Agrees with the direct sum to 1e-6, relative, and to 2e-5 where pages lie in
    their order.

    Scattered pages: the number of distinct pages is taken at its mean; its spread
    moves the result by less than one part in `writes`. Pages in their order: for a
    whole number of pages a cell; a page that straddles two cells counts in both by
    its parts. The first 64 cells are summed; beyond them the sum is the integral
    with :math:`r\,L` for :math:`L`.

    References
    ----------
    Sampling without replacement as in Johnson and Kotz (1977),
    :cite:`johnsonkotz1977`; the exponential integral as in Abramowitz and Stegun
    (1964), 5.1.22 and 5.1.12, :cite:`abramowitz1964`.

    Examples
    --------
    A page is a cell; then two pages are one, apart and side by side:

    >>> pages = dict(zipf_exponent=0.8, size_gib=1, write_kib=4)
    >>> print(changed_zipf(50_000, **pages, cell_kib=4))
    30494.47
    >>> print(changed_zipf(50_000, **pages, cell_kib=8))
    28720.86
    >>> print(changed_zipf(50_000, **pages, cell_kib=8, page_order="ranked"))
    26351.16
    """
    write, cell = whole_bytes(write_kib, cell_kib)
    places, per_cell = cells_on(size_gib, write), cell / write
    pages = np.maximum(np.floor(places), 1)
    hit = pages_hit(writes, zipf_exponent, pages)
    if page_order == "scattered":
        return drawn(hit, places, per_cell)
    within = ranked_cells_hit(writes, zipf_exponent, pages, np.maximum(per_cell, 1))
    found = np.where(per_cell > 1, within, hit / per_cell)
    return np.where(places > 0, np.minimum(found, places / per_cell), 0)


@formula
def changed_chunks_frac(
    writes, size_gib, write_kib, min_chunk_kib, mean_chunk_kib, max_chunk_kib
):
    r"""Share of the disk in chunks that change, where content says where to cut.

    .. math:: \beta = 1 - e^{-\lambda w}\,
        \frac{\mathrm{E}\!\left[L\, e^{-\lambda L}\right]}{\mathrm{E}[L]}, \qquad
        \lambda = \frac{k}{D}, \quad L = \min(m + X,\; M)

    with :math:`X` exponential, of mean :math:`\mu`.

    Parameters
    ----------
    max_chunk_kib : One below the shortest counts as that.

    See Also
    --------
    changed_uniform : in cells of one size.

    Notes
    -----
    A byte lies in a long chunk more often than in a short one, hence the weight
    :math:`L`. Exact for independent writes, Poisson in number, that leave the cuts
    where they were; a write that moves a cut changes the next chunk too. Services
    that compare blocks of a fixed size do not cut like this; backup programs do.

    References
    ----------
    Coverage by random segments as in Hall (1988), ch. 2, :cite:`hall1988`.

    Examples
    --------
    Ten thousand writes of 4 KiB on 100 GiB, in chunks of half a MiB to 8 MiB:

    >>> print(changed_chunks_frac(10_000, 100, write_kib=4, min_chunk_kib=512,
    ...                           mean_chunk_kib=1024, max_chunk_kib=8192))
    0.1839
    """
    density = np.where(writes > 0, writes / (size_gib * 2.0**20), 0)
    density = np.minimum(density, np.finfo(float).max)
    chunks = share_hit(density, min_chunk_kib, mean_chunk_kib, max_chunk_kib)
    found = chunks - (1 - chunks) * np.expm1(-density * write_kib)
    return np.where(size_gib > 0, found, 0)
