"""Sums of floating-point numbers that lose nothing, whatever their order and number.

A column is split into a few numbers whose exact sum is its own: of each value the part
above a bit that no sum of those parts outgrows, then the same of what is left (Rump,
Ogita and Oishi, Accurate floating-point summation, 2008). What `math.fsum` makes of
those is what it makes of the column, and sooner.
"""

import math
from collections.abc import Iterable

import numpy as np

__all__ = ["pieces", "pieces_of_each", "sum_of"]

_HUGE = 2.0**900
_BITS = 53


def pieces(values: np.ndarray) -> list[float]:
    """Return some numbers whose exact sum is that of the values.

    >>> pieces(np.array([1e16, 1.0, 1.0, 1e-9]))
    [1e+16, 2.0, 1e-09]
    """
    if not len(values):
        return [0.0]
    return pieces_of_each(values, np.zeros(1, dtype=int))[0]


def pieces_of_each(values: np.ndarray, begin: np.ndarray) -> list[list[float]]:
    """Return the same of each group of values, which begins where the last one ends.

    >>> pieces_of_each(np.array([1.5, 2.0, 4.0]), np.array([0, 2]))
    [[3.5], [4.0]]
    """
    rest, found = np.array(values, dtype=float), []
    odd = ~(np.abs(rest) < _HUGE)
    if odd.any():  # infinite, or as good as that
        with np.errstate(over="ignore"):
            found.append(np.add.reduceat(np.where(odd, rest, 0.0), begin))
        rest[odd] = 0.0
    room = math.ceil(math.log2(len(rest) + 2))
    exponent = math.frexp(np.abs(rest).max(initial=0.0))[1] + room
    while rest.any():
        edge = math.ldexp(1.0, exponent)
        high = rest + edge
        high -= edge
        found.append(np.add.reduceat(high, begin))
        rest -= high
        exponent += room - _BITS
    found = found or [np.zeros(len(begin))]
    return np.array(found).T.tolist()


def sum_of(numbers: Iterable[float]) -> float:
    """Return the exact sum of some numbers, rounded once.

    >>> sum_of([1e16, 1.0, 1.0, -1e16])
    2.0
    """
    try:
        return math.fsum(numbers)
    except OverflowError:
        return math.inf
