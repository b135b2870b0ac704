"""Where functions cross zero."""

import numpy as np

__all__ = ["root"]

_STEPS = 2046
"""Halvings from the largest float to the smallest: none needs more."""

_TINY = float(np.finfo(float).smallest_normal)
_EPS = float(np.finfo(float).eps)


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
        How near to the crossing is near enough, and in parts of where it is.
    fatol, frtol : float
        How near to zero is near enough, and in parts of the value nearer to zero at
        the two ends.
    """
    low, high, otherwise = (np.asarray(x, dtype=float) for x in (low, high, otherwise))
    cells = np.broadcast_arrays(low, high, inside, otherwise, *arguments)
    low, high, inside, otherwise, *arguments = cells
    result = otherwise.copy()
    if inside.any():
        arguments = [part[inside] for part in arguments]
        tolerances = xatol, xrtol, fatol, frtol
        found = _found(function, low[inside], high[inside], arguments, *tolerances)
        result[inside] = np.where(np.isfinite(found), found, result[inside])
    return result


def _found(function, x, other, arguments, xatol, xrtol, fatol, frtol):
    """Return where the function crosses zero, NaN where its sign does not change."""
    value, across = function(x, *arguments), function(other, *arguments)
    enough = fatol + frtol * np.minimum(np.abs(value), np.abs(across))
    found, cells = np.full(x.shape, np.nan), np.arange(x.size)
    before = before_value = None
    for _ in range(_STEPS):
        nearer = np.abs(value) < np.abs(across)
        best = np.where(nearer, x, other)
        width, near = np.abs(other - x), np.abs(best) * xrtol + xatol
        reached = np.abs(np.where(nearer, value, across)) <= enough
        crossed = np.sign(value) != np.sign(across)
        crossed &= np.isfinite(x) & np.isfinite(other)
        crossed &= ~(np.isnan(value) & np.isnan(across))
        done = reached | ~crossed | (width < near)
        good = reached | crossed
        found[cells] = np.where(good, best, np.nan)
        if done.all():
            break
        left = ~done
        cells, x, value, other, across, enough, width, near = (
            part[left] for part in (cells, x, value, other, across, enough, width, near)
        )
        arguments = [part[left] for part in arguments]
        share = 0.5
        if before is not None:
            before, before_value = before[left], before_value[left]
            share = _share(x, value, other, across, before, before_value)
            edge = 0.5 * near / width
            share = np.clip(share, edge, 1 - edge)
        new = x + share * (other - x)
        new_value = function(new, *arguments)
        stays = np.sign(new_value) == np.sign(value)
        before = np.where(stays, x, other)
        before_value = np.where(stays, value, across)
        other, across = np.where(stays, other, x), np.where(stays, across, value)
        x, value = new, new_value
    return found


def _share(x, value, other, across, before, before_value):
    """Return the part of the way to the other end at which to look next.

    By a parabola through three points, sideways, where it is monotone; else the half.
    """
    far = (x - other) / (before - other)
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = (value - across) / (before_value - across)
    fits = ((1 - np.sqrt(1 - far)) < rise) & (rise < np.sqrt(far))
    ratio = ((before - x) / (other - x))[fits]
    a, b, c = value[fits], across[fits], before_value[fits]
    share = np.full(x.shape, 0.5)
    share[fits] = a / (a - b) * c / (c - b) - ratio * a / (c - a) * b / (b - c)
    return share
