"""Pages of which the one of rank i is drawn in proportion to a power of i."""

import numpy as np
from scipy.special import exprel, xlog1py

from vmbmodel.formulas._kernels.quadrature import legendre

__all__ = ["pages_hit", "ranked_cells_hit"]

HEAD = 1024
"""Ranks of a Zipf law that are summed one by one."""

HEAD_CELLS = 64
"""Cells of pages in their order that are summed one by one."""

EXACT_RANKS = 64
"""Ranks of which a sum of powers is added up, not integrated."""

FLATTEST = 1e-12
"""Zipf exponent below which the law is as good as uniform."""


def pages_hit(draws, exponent, pages):
    """Distinct pages that draws hit."""
    exponent = np.maximum(exponent, FLATTEST)
    begin = np.minimum(pages, HEAD) + 0.5
    end = np.maximum(pages + 0.5, begin)
    total = _power_sum(exponent, begin, end)
    head = np.zeros(np.broadcast(draws, exponent, pages).shape)
    for rank in range(1, int(np.max(begin, initial=0)) + 1):
        share = rank**-exponent / total
        hit = -np.expm1(xlog1py(draws, -np.minimum(share, 1)))
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
    for node, weight in zip(*legendre(32), strict=True):
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


def ranked_cells_hit(draws, exponent, pages, per_cell):
    """Cells hit of pages that lie in the order of their ranks."""
    exponent = np.maximum(exponent, FLATTEST)
    first_tail = np.minimum(HEAD_CELLS * per_cell, pages)
    total = _power_sum(exponent, np.minimum(pages, HEAD) + 0.5, pages + 0.5)
    ranks = _powers_up_to_exact(exponent)
    found, below = 0, 0
    for cell in range(1, HEAD_CELLS + 1):
        above = _powers(exponent, np.minimum(cell * per_cell, pages), ranks)
        share = np.clip((above - below) / total, 0, 1)
        found = found - np.expm1(xlog1py(draws, -share))
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
