r"""Writes that prefer some pages: the law of Zipf, its hot pages apart or together.

Of :math:`m` pages the one of rank :math:`i` gets a share of the writes that falls
as :math:`i^{-s}`. How many cells change depends on where the hot pages lie:
scattered over the disk, as the rows of a table by an arbitrary key, or side by
side in the order of their ranks, as the newest rows of a log.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import exprel

from vmbmodel._arrays import formula
from vmbmodel.formulas.dispersion import whole_bytes
from vmbmodel.formulas.occupancy import cells_on, drawn, times

__all__ = ["changed_zipf", "changed_zipf_ordered", "zipf_touched"]

HEAD = 1024
"""Ranks of a Zipf law that are summed one by one."""

HEAD_CELLS = 64
"""Cells of pages in their order that are summed one by one."""

EXACT_RANKS = 64
"""Ranks of which a sum of powers is added up, not integrated."""

FLATTEST = 1e-12
"""Zipf exponent below which the law is as good as uniform."""


@formula
def zipf_touched(
    writes: ArrayLike, zipf_exponent: ArrayLike, pages: ArrayLike
) -> ArrayLike:
    r"""Distinct pages hit by writes that prefer some pages over others.

    .. math::

        E = \sum_{i=1}^{m} \left[1 - (1 - p_i)^k\right]
        \approx \sum_{i \le i_0} \left[1 - (1 - p_i)^k\right]
        + F(m + \tfrac12) - F(i_0 + \tfrac12), \qquad p_i = \frac{i^{-s}}{H}

    .. math::

        F(x) = x \left[1 - \frac{E_{1 + 1/s}(L x^{-s})}{s}\right],
        \qquad L = \frac{k}{H}, \quad H = \sum_{i=1}^{m} i^{-s}

    Parameters
    ----------
    writes : array_like of float
        Writes :math:`k \ge 0`. [-]
    zipf_exponent : array_like of float
        Exponent :math:`s \ge 0`; 0 is uniform. [-]
    pages : array_like of int
        Pages to choose from, :math:`m \ge 1`. [-]

    Returns
    -------
    array_like of float
        No more than `writes` nor `pages`, of the broadcast shape of the
        arguments. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    The first 1,024 ranks are summed, exactly. Beyond them
    :math:`E_p`, the exponential integral of real order, is a continued fraction
    where its argument exceeds 1; where it does not, the difference of :math:`F`
    is a power series, so that few writes lose no digits. Writes to a page of
    the tail are taken as Poisson, at the rate that makes one write touch one
    page. Agrees with the direct sum to 1e-6, relative.

    References
    ----------
    The exponential integral as in Abramowitz and Stegun (1964), 5.1.22 and
    5.1.12, :cite:`abramowitz1964`.

    Examples
    --------
    >>> print(zipf_touched(50_000, zipf_exponent=0.8, pages=262_144))
    30494.47
    """
    return _zipf(writes, zipf_exponent, pages)


@formula
def changed_zipf(
    writes: ArrayLike,
    zipf_exponent: ArrayLike,
    size_gib: ArrayLike,
    write_kib: ArrayLike,
    cell_kib: ArrayLike,
    page_order: str = "scattered",
) -> ArrayLike:
    r"""Cells touched by writes that prefer some pages over others.

    Where the hot pages lie scattered,

    .. math:: C = N \left[1 - \binom{m - r}{E} \Big/ \binom{m}{E}\right],
        \qquad m = \frac{D}{w}, \quad r = \frac{g}{w}

    .. math::

        E = \sum_{i=1}^{m} \left[1 - (1 - p_i)^k\right]
        \approx \sum_{i \le i_0} \left[1 - (1 - p_i)^k\right]
        + F(m + \tfrac12) - F(i_0 + \tfrac12), \qquad p_i = \frac{i^{-s}}{H}

    .. math::

        F(x) = x \left[1 - \frac{E_{1 + 1/s}(L x^{-s})}{s}\right],
        \qquad L = \frac{k}{H}, \quad H = \sum_{i=1}^{m} i^{-s}

    and where they lie side by side, in the order of their ranks,

    .. math:: C = \sum_{j=1}^{N} \left[1 - (1 - P_j)^k\right], \qquad
        P_j = \sum_{i = (j-1)r + 1}^{jr} p_i

    Parameters
    ----------
    writes : array_like of float
        Writes :math:`k \ge 0`, each of one whole page. [-]
    zipf_exponent : array_like of float
        Exponent of the law, :math:`s \ge 0`; 0 is uniform. [-]
    size_gib : array_like of float
        Size of the disk, :math:`D \ge 0`. [GiB]
    write_kib : array_like of float
        Size of a page, :math:`w > 0`, to the byte. [KiB]
    cell_kib : array_like of float
        Size of a cell, :math:`g > 0`, to the byte. [KiB]
    page_order : str
        Where the hot pages lie: ``scattered``, as the rows of a table by an
        arbitrary key, or ``ranked``, as the newest rows of a log. [-]

    Returns
    -------
    array_like of float
        No more than the disk has, of the broadcast shape of the arguments; the
        distinct pages :math:`E` that are hit, for cells of one page. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    The first 1,024 ranks are summed, exactly. Beyond them
    :math:`E_p`, the exponential integral of real order, is a continued fraction
    where its argument exceeds 1; where it does not, the difference of :math:`F`
    is a power series, so that few writes lose no digits. Writes to a page of
    the tail are taken as Poisson, at the rate that makes one write touch one
    page. Agrees with the direct sum to 1e-6, relative.

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
    hit = _zipf(writes, zipf_exponent, pages)
    if page_order == "scattered":
        return drawn(hit, places, per_cell)
    within = _ordered(
        writes, np.maximum(zipf_exponent, FLATTEST), pages, np.maximum(per_cell, 1)
    )
    found = np.where(per_cell > 1, within, hit / per_cell)
    return np.where(places > 0, np.minimum(found, places / per_cell), 0)


@formula
def changed_zipf_ordered(
    writes: ArrayLike,
    zipf_exponent: ArrayLike,
    size_gib: ArrayLike,
    write_kib: ArrayLike,
    cell_kib: ArrayLike,
) -> ArrayLike:
    r"""Cells touched by writes that prefer some pages, in the order of their ranks.

    .. math:: C = \sum_{j=1}^{N} \left[1 - (1 - P_j)^k\right], \qquad
        P_j = \sum_{i = (j-1)s + 1}^{js} \frac{i^{-e}}{H}, \quad s = \frac{g}{w}

    with the exponent :math:`e` and the sum :math:`H` of `zipf_touched`.

    Parameters
    ----------
    writes : array_like of float
        Writes :math:`k \ge 0`, each of one whole page. [-]
    zipf_exponent : array_like of float
        Exponent of the law, at least 0; 0 is uniform. [-]
    size_gib : array_like of float
        Size of the disk, :math:`D \ge 0`. [GiB]
    write_kib : array_like of float
        Size of a page, :math:`w > 0`, to the byte. [KiB]
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

    See Also
    --------
    changed_zipf : hot pages scattered over the disk.

    Notes
    -----
    For a whole number of pages a cell; a page that straddles two cells counts in
    both by its parts. The first 64 cells are summed; beyond them the sum is the
    integral of `zipf_touched` with :math:`s\,L` for :math:`L`. Agrees with the
    direct sum to 1e-6, relative.

    References
    ----------
    The exponential integral as in Abramowitz and Stegun (1964), 5.1.22 and
    5.1.12, :cite:`abramowitz1964`.

    Examples
    --------
    The pages of `changed_zipf`, side by side:

    >>> print(changed_zipf_ordered(
    ...     50_000, zipf_exponent=0.8, size_gib=1, write_kib=4, cell_kib=8))
    26351.16
    """
    write, cell = whole_bytes(write_kib, cell_kib)
    places, per_cell = cells_on(size_gib, write), cell / write
    pages = np.maximum(np.floor(places), 1)
    apart = _zipf(writes, zipf_exponent, pages) / per_cell
    within = _ordered(
        writes, np.maximum(zipf_exponent, FLATTEST), pages, np.maximum(per_cell, 1)
    )
    found = np.minimum(np.where(per_cell > 1, within, apart), places / per_cell)
    return np.where(places > 0, found, 0)


def _zipf(draws, exponent, pages):
    exponent = np.maximum(exponent, FLATTEST)
    begin = np.minimum(pages, HEAD) + 0.5
    end = np.maximum(pages + 0.5, begin)
    total = _power_sum(exponent, begin, end)
    head = np.zeros(np.broadcast(draws, exponent, pages).shape)
    for rank in range(1, int(np.max(begin, initial=0)) + 1):
        share = rank**-exponent / total
        hit = -np.expm1(times(draws, np.log1p(-np.minimum(share, 1))))
        head += np.where(rank <= pages, hit, 0)
    mean = _mean_share(draws / total, exponent, begin, end) / np.maximum(draws, 1)
    rate = draws / total * (1 + mean / 2)
    tail = _hit_between(rate, exponent, begin, end)
    found = head + np.where(end > begin, tail, 0)
    return np.minimum(found, np.minimum(draws, pages))


def _power_sum(exponent, begin, end):
    """Sum of the powers of the ranks: the head one by one, the rest as an area."""
    total = np.zeros(np.broadcast(exponent, end).shape)
    for rank in range(1, int(np.max(begin, initial=0)) + 1):
        total += np.where(rank < begin, rank**-exponent, 0)
    slope = (end ** -(exponent + 1) - begin ** -(exponent + 1)) * exponent / 24
    return total + begin**-exponent * _power_area(exponent, begin, end) + slope


def _power_area(exponent, begin, end):
    """Integral of a negative power, at the exponent 1 too; `begin` has power 1."""
    span = np.log(end / begin)
    return begin * span * exprel((1 - exponent) * span)


def _mean_share(rate, exponent, begin, end):
    """Mean hits of the pages between two ranks, those hit once counted most.

    Half of it is what a chance never to be hit, once to a power, lacks against an
    exponential; a coarse quadrature will do.
    """
    weighted = plain = 0
    span = np.log(end / begin)
    for node, weight in zip(*np.polynomial.legendre.leggauss(32), strict=True):
        rank = begin * np.exp(span * (node + 1) / 2)
        hits = rate * rank**-exponent
        once = weight * rank * hits * np.exp(-hits)
        weighted = weighted + once * hits
        plain = plain + once
    return np.where(plain > 0, weighted / plain, 0)


def _hit_between(rate, exponent, begin, end):
    """Pages hit among those between two ranks, their hits Poisson."""
    turn = np.clip(np.exp(np.log(rate) / exponent), begin, end)  # one hit expected
    order = 1 + 1 / exponent

    def area(x):
        hits = np.maximum(rate * x**-exponent, 1)
        return x * (1 - _exponential_integral(order, hits) / exponent)

    often = np.where(turn > begin, area(turn) - area(begin), 0)
    seldom, term = 0, 1
    for power in range(1, 20):
        term = term * rate * turn**-exponent / power
        seldom -= (-1) ** power * term * _power_area(exponent * power, turn, end)
    return often + np.where(end > turn, seldom, 0)


def _exponential_integral(order, z):
    """Exponential integral of real order, by its continued fraction, for z of 1 up."""
    fraction = z + order + 2 * 80
    for step in range(80, 0, -1):
        fraction = z + order + 2 * (step - 1) - step * (order + step - 1) / fraction
    return np.exp(-z) / fraction


def _ordered(draws, exponent, pages, per_cell):
    """Cells hit of pages that lie in the order of their ranks."""
    first_tail = np.minimum(HEAD_CELLS * per_cell, pages)
    total = _power_sum(exponent, np.minimum(pages, HEAD) + 0.5, pages + 0.5)
    ranks = _powers_up_to_exact(exponent)
    found, below = 0, 0
    for cell in range(1, HEAD_CELLS + 1):
        above = _powers(exponent, np.minimum(cell * per_cell, pages), ranks)
        share = np.clip((above - below) / total, 0, 1)
        found = found - np.expm1(times(draws, np.log1p(-share)))
        below = above
    begin, end = first_tail + 0.5, pages + 0.5
    rate = np.minimum(draws * (per_cell / total), 1e300)
    mean = _mean_share(rate, exponent, begin, end) / np.maximum(draws, 1)
    tail = _hit_between(rate * (1 + mean / 2), exponent, begin, end) / per_cell
    return found + np.where(end > begin, tail, 0)


def _powers_up_to_exact(exponent):
    """Add up the powers of the first ranks: of none, of one, and so on."""
    sums = [np.zeros_like(exponent)]
    for rank in range(1, EXACT_RANKS + 1):
        sums.append(sums[-1] + rank**-exponent)
    return np.stack(sums)


def _powers(exponent, upto, sums):
    """Sum of the powers of the ranks up to one, a rank begun counted by its part."""
    whole = np.clip(np.floor(upto), 0, EXACT_RANKS).astype(int)
    sums = np.broadcast_to(
        sums.reshape(len(sums), *[1] * (upto.ndim - exponent.ndim), *exponent.shape),
        (len(sums), *np.broadcast_shapes(upto.shape, exponent.shape)),
    )
    whole = np.broadcast_to(whole, sums.shape[1:])
    exact = np.take_along_axis(sums, whole[None], 0)[0]
    part = np.clip(upto - whole, 0, 1) * (whole + 1.0) ** -exponent
    begin, end = EXACT_RANKS + 0.5, np.maximum(upto, EXACT_RANKS) + 0.5
    slope = (end ** -(exponent + 1) - begin ** -(exponent + 1)) * exponent / 24
    area = begin**-exponent * _power_area(exponent, begin, end) + slope
    return np.where(upto < EXACT_RANKS, exact + part, sums[-1] + area)
