"""Nodes and weights of the sums that stand for integrals."""

from functools import cache

import numpy as np

__all__ = ["laguerre", "legendre"]


@cache
def legendre(count):
    """Return nodes between -1 and 1, and their weights, that add up to 2."""
    return _kept(np.polynomial.legendre.leggauss(count))


@cache
def laguerre(count):
    """Return nodes from 0 on, and their weights under a falling exponential."""
    return _kept(np.polynomial.laguerre.laggauss(count))


def _kept(rule):
    for part in rule:
        part.flags.writeable = False
    return rule
