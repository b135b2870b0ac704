"""Cells of a disk: how many a write touches, and how many get at least one."""

import numpy as np
from scipy.special import gammaln, xlog1py

from vmbmodel.formulas._kernels.special import stirling_error

__all__ = ["cells_on", "drawn", "gcd", "occupied", "touched", "whole_bytes"]


def whole_bytes(*sizes_kib):
    """Sizes to the byte, at least one."""
    return (np.maximum(np.rint(size * 1024), 1) for size in sizes_kib)


def touched(write, align, cell):
    """Cells that one write touches on average, begun anywhere on a grid."""
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


def cells_on(size_gib, cell):
    """Count the pieces of a disk, no more of them than a float can multiply."""
    return np.minimum(size_gib * (2.0**30 / cell), 1e300)


def occupied(draws, hits, cells):
    """Cells of which at least one is hit by draws that hit `hits` of them each."""
    share = np.minimum(hits / cells, 1)
    return np.where(cells > 0, cells * -np.expm1(xlog1py(draws, -share)), 0)


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
        stirling_error(np.maximum(places - marked, 1))
        + stirling_error(np.maximum(places - draws, 1))
        - stirling_error(np.maximum(left, 1))
        - stirling_error(np.maximum(places, 1))
    )
    last = (
        gammaln(places - marked + 1) + gammaln(places - draws + 1) - gammaln(places + 1)
    )
    found = np.where(left >= 1, entropy + rest, last - gammaln(left + 1))
    found = np.where(left < 0, -np.inf, np.minimum(found, 0))
    return np.where((draws > 0) & (marked > 0), found, 0)
