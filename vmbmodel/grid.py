"""Evaluate a formula over a labelled grid, in one call."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from vmbmodel.fields import describe, fields

__all__ = ["sweep"]


def sweep(formula: Callable[..., ArrayLike], **arguments: ArrayLike) -> xr.DataArray:
    """Call a formula once, with every one-dimensional argument as an axis.

    Parameters
    ----------
    formula : callable
        A function of `vmbmodel.formulas`.
    **arguments : array_like or DataArray
        Its arguments by name. A scalar is held, a list or array becomes an axis
        of its own name, a DataArray is passed on with the axes it has.

    Returns
    -------
    DataArray
        Named after the formula, with label and unit of the result and of its
        axes, so that a figure needs no label set by hand; held scalars are kept
        in ``attrs``.

    Examples
    --------
    >>> from vmbmodel.formulas.queueing import mean_wait_h
    >>> wait = sweep(mean_wait_h, servers=[1, 2], arrivals_per_h=[0.5, 0.9],
    ...              service_h=1)
    >>> wait.sizes
    Frozen({'servers': 2, 'arrivals_per_h': 2})
    >>> print(wait.sel(servers=1, arrivals_per_h=0.5).item())
    1.0
    """
    axes, held = {}, {}
    for name, value in arguments.items():
        if np.ndim(value) == 0 or isinstance(value, xr.DataArray):
            held[name] = value
        else:
            axes[name] = xr.DataArray(value, dims=name, coords={name: value})
    result = xr.DataArray(formula(**axes, **held), name=formula.__name__)
    for name in result.coords:
        if name in fields():
            result[name].attrs = describe(name)
    scalars = {n: value for n, value in held.items() if np.ndim(value) == 0}
    return result.assign_attrs(describe(formula.__name__), **scalars)
