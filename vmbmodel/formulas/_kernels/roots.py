"""Where functions cross zero."""

import numpy as np

__all__ = ["root"]


def root(function, low, high, *arguments, inside=True, otherwise=np.nan, **tolerances):
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
    **tolerances : float
        Those of `scipy.optimize.elementwise.find_root`: ``xatol``, ``xrtol``,
        ``fatol`` and ``frtol``.
    """
    from scipy.optimize.elementwise import find_root

    otherwise = np.asarray(otherwise, dtype=float)
    cells = np.broadcast_arrays(low, high, inside, otherwise, *arguments)
    low, high, inside, otherwise, *arguments = cells
    result = otherwise.copy()
    if inside.any():
        found = find_root(
            function,
            (low[inside], high[inside]),
            args=tuple(part[inside] for part in arguments),
            tolerances=tolerances,
        ).x
        result[inside] = np.where(np.isfinite(found), found, result[inside])
    return result
