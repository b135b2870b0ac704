"""Where functions cross zero."""

import numpy as np

__all__ = ["root"]

_EPS, _TINY = np.finfo(float).eps, np.finfo(float).tiny
_STEPS = 2046
"""Halvings from the largest float to the smallest; no bracket takes more."""


def root(
    function,
    low,
    high,
    *arguments,
    inside=True,
    otherwise=np.nan,
    xatol=4 * _TINY,
    xrtol=4 * _EPS,
    fatol=_TINY,
    frtol=0.0,
):
    """Find where a function crosses zero between two ends, in every cell.

    By Chandrupatla's bracketed steps, on arrays that broadcast against one another.
    Written here rather than taken from SciPy, whose own is newer than what runs in a
    page of the book; step by step it is the same, to the last bit.

    Parameters
    ----------
    function : callable
        Of arrays: where it is looked at, and the arguments.
    low, high : array_like of float
        Ends between which it changes its sign.
    *arguments : array_like of float
        What else it depends on.
    inside : array_like of bool
        Cells that have a crossing; the others are not looked at.
    otherwise : array_like of float
        Result in those, and where the sign does not change.
    xatol, xrtol : float
        How near to the crossing is enough, by itself and as a share of it.
    fatol, frtol : float
        How near to zero the function is enough, by itself and as a share of the lesser
        of its values at the ends.
    """
    otherwise = np.asarray(otherwise, dtype=float)
    cells = np.broadcast_arrays(low, high, inside, otherwise, *arguments)
    low, high, inside, otherwise, *arguments = cells
    result = otherwise.copy()
    if inside.any():
        arguments = [part[inside] for part in arguments]
        ends = low[inside].astype(float), high[inside].astype(float)
        found = _found(function, ends, arguments, (xatol, xrtol, fatol, frtol))
        result[inside] = np.where(np.isfinite(found), found, result[inside])
    return result


def _found(function, ends, arguments, tolerances):
    """Return the crossings, NaN where the sign does not change."""
    xatol, xrtol, fatol, frtol = tolerances
    x1, x2 = ends
    f1, f2 = (np.asarray(function(x, *arguments), dtype=float) for x in ends)
    enough = fatol + frtol * np.minimum(np.abs(f1), np.abs(f2))
    found, left, x3, f3 = np.full(x1.shape, np.nan), np.arange(x1.size), x2, f2
    for step in range(_STEPS):
        nearer = np.abs(f1) < np.abs(f2)
        best, least = np.where(nearer, x1, x2), np.abs(np.where(nearer, f1, f2))
        width, near = np.abs(x2 - x1), np.abs(best) * xrtol + xatol
        lost = np.sign(f1) == np.sign(f2)
        lost |= ~(np.isfinite(x1) & np.isfinite(x2)) | (np.isnan(f1) & np.isnan(f2))
        lost &= ~(least <= enough)
        stop = (least <= enough) | lost | (width < near)
        found[left[stop]] = np.where(lost, np.nan, best)[stop]
        if stop.all():
            break
        state = x1, x2, x3, f1, f2, f3, left, enough, near / width, *arguments
        if stop.any():
            state = [part[~stop] for part in state]
        x1, x2, x3, f1, f2, f3, left, enough, edge, *arguments = state
        t = np.clip(_part(x1, x2, x3, f1, f2, f3), edge / 2, 1 - edge / 2)
        x = x1 + (t if step else 0.5) * (x2 - x1)
        f = np.asarray(function(x, *arguments), dtype=float)
        same = np.sign(f) == np.sign(f1)
        x3, f3 = np.where(same, x1, x2), np.where(same, f1, f2)
        x2, f2 = np.where(same, x2, x1), np.where(same, f2, f1)
        x1, f1 = x, f
    return found


def _part(x1, x2, x3, f1, f2, f3):
    """Return how far to go from one end to the other: by a parabola, or half."""
    with np.errstate(all="ignore"):
        xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        alpha = (x3 - x1) / (x2 - x1)
        good = (1 - np.sqrt(1 - xi) < phi) & (phi < np.sqrt(xi))
        third = alpha * f1 / (f3 - f1) * f2 / (f2 - f3)
        return np.where(good, f1 / (f1 - f2) * f3 / (f3 - f2) - third, 0.5)
