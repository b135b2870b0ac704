r"""Bytes sent for bytes written: cells that writes share, and chunks cut by content.

One write drags the rest of its cells along; many writes share it. A backup that
cuts the disk where its content says, and not at fixed places, sends chunks, of
which the long ones are hit first.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula
from vmbmodel.formulas.dispersion import touched, whole_bytes
from vmbmodel.formulas.occupancy import cells_on, occupied

__all__ = ["changed_chunks_frac", "crowded_amplification"]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)
"""Of a quadrature over the lengths of chunks."""

LONGEST = 40
"""Mean lengths beyond which no chunk is looked for: one in 10^17."""


@formula
def crowded_amplification(
    writes: ArrayLike,
    size_gib: ArrayLike,
    write_kib: ArrayLike,
    align_kib: ArrayLike,
    cell_kib: ArrayLike,
) -> ArrayLike:
    r"""Bytes to be sent for each byte changed, when many writes share the cells.

    .. math:: A = \frac{C\, g}{B}, \qquad B = D \sum_{i = q}^{q+1} p_i
        \left[1 - \left(1 - \frac{i\, a}{D}\right)^k\right],
        \quad q = \left\lfloor \frac{w}{a} \right\rfloor

    with the cells :math:`C` of `changed_uniform`, and the share
    :math:`p_{q+1} = w/a - q = 1 - p_q` of bytes that one more write can reach.

    Parameters
    ----------
    writes : array_like of float
        Writes :math:`k \ge 0`, anywhere, on the same place too. [-]
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
        At least 1, of the broadcast shape of the arguments: that of
        `write_amplification` for one write, 1 when all has changed. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

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
def changed_chunks_frac(
    writes: ArrayLike,
    size_gib: ArrayLike,
    write_kib: ArrayLike,
    min_chunk_kib: ArrayLike,
    mean_chunk_kib: ArrayLike,
    max_chunk_kib: ArrayLike,
) -> ArrayLike:
    r"""Share of the disk in chunks that change, where content says where to cut.

    .. math:: \beta = 1 - e^{-\lambda w}\,
        \frac{\mathrm{E}\!\left[L\, e^{-\lambda L}\right]}{\mathrm{E}[L]}, \qquad
        \lambda = \frac{k}{D}, \quad L = \min(m + X,\; M)

    with :math:`X` exponential, of mean :math:`\mu`.

    Parameters
    ----------
    writes : array_like of float
        Writes :math:`k \ge 0`, anywhere. [-]
    size_gib : array_like of float
        Size of the disk, :math:`D \ge 0`. [GiB]
    write_kib : array_like of float
        Size of a write, :math:`w > 0`. [KiB]
    min_chunk_kib : array_like of float
        Shortest chunk, :math:`m \ge 0`. [KiB]
    mean_chunk_kib : array_like of float
        Mean of what a chunk has beyond the shortest, if it is not cut,
        :math:`\mu > 0`. [KiB]
    max_chunk_kib : array_like of float
        Longest chunk, :math:`M > 0`; one below the shortest counts as that. [KiB]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    vmbmodel.formulas.occupancy.changed_uniform : in cells of one size.

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
    longest = np.maximum(max_chunk_kib, min_chunk_kib)
    room = (longest - min_chunk_kib) / mean_chunk_kib
    lengths = min_chunk_kib, mean_chunk_kib, longest, room
    mean = min_chunk_kib + mean_chunk_kib * -np.expm1(-room)
    mean = np.maximum(mean, np.finfo(float).tiny)
    few = _hit(density, *lengths) / mean
    many = 1 - _missed(density, *lengths) / mean
    reach = min_chunk_kib + mean_chunk_kib * np.minimum(room, LONGEST)
    chunks = np.clip(np.where(density * reach < 1, few, many), 0, 1)
    found = chunks - (1 - chunks) * np.expm1(-density * write_kib)
    return np.where(size_gib > 0, found, 0)


def _hit(density, least, mean, longest, room):
    """Mean length of a chunk if it is hit, of few writes: no small differences."""
    total = np.exp(-room) * longest * -np.expm1(-density * longest)
    upto = np.minimum(room, LONGEST)
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        beyond = upto * (node + 1) / 2
        length = least + mean * beyond
        chance = weight * upto / 2 * np.exp(-beyond)
        total = total + chance * length * -np.expm1(-density * length)
    return total


def _missed(density, least, mean, longest, room):
    """Mean length of a chunk if it is missed, in closed form."""
    falling = np.minimum(density * mean, 1e300) + 1
    left = np.exp(-falling * room)
    ended = np.where(left > 0, falling * room * left, 0)
    within = least * ((1 - left) / falling)
    within = within + mean / falling * ((1 - left - ended) / falling)
    whole = longest * np.exp(-room - density * longest)
    return np.exp(-density * least) * within + whole
