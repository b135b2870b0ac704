"""Nodes and weights of the sums that stand for integrals."""

from functools import cache

import numpy as np

__all__ = ["SHORT", "bent_times", "laguerre", "legendre"]

SHORT = 0.2
"""Time up to which `bent_times` are even, and beyond which their ratios are."""


@cache
def legendre(count):
    """Return nodes between -1 and 1, and their weights, that add up to 2."""
    return _kept(np.polynomial.legendre.leggauss(count))


@cache
def laguerre(count):
    """Return nodes from 0 on, and their weights under a falling exponential."""
    return _kept(np.polynomial.laguerre.laggauss(count))


def bent_times(first, last):
    """Return nodes of the time between two ends, and their weights.

    Times are in mean lengths. The first result is where the nodes lie if the time is
    bent, so that they are even while it is short, and their ratios are later on.
    """
    points, weights = legendre(96)
    low, high = np.arcsinh(first / SHORT), np.arcsinh(last / SHORT)
    bent = (low + high) / 2 + (high - low) / 2 * points
    weights = weights * (high - low) / 2 * SHORT * np.cosh(bent)
    return bent, SHORT * np.sinh(bent), weights


def _kept(rule):
    for part in rule:
        part.flags.writeable = False
    return rule
