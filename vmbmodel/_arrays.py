"""The one boundary between what callers pass and what formulas compute on.

A formula is written as a kernel on plain float arrays. `formula` wraps it so
that every argument is checked against its row in ``fields.toml``, scalars come
back as scalars, a Series keeps its index and DataArrays keep their labels,
with axes left un-expanded: a kernel runs only over the axes it depends on.
"""

import functools
import inspect
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._checks import refuse_out_of_range, refuse_unknown
from vmbmodel.fields import describe

__all__ = ["formula"]


def formula(
    kernel: Callable[..., np.ndarray] | None = None,
    *,
    along: str | None = None,
    over: tuple[str, ...] = (),
) -> Callable[..., ArrayLike]:
    """Turn a kernel on float arrays into a public formula.

    Parameters
    ----------
    kernel : callable
        Takes float arrays named as in ``fields.toml`` and returns one array. An
        argument annotated as ``str`` is one of the choices of its field instead,
        and reaches the kernel as it is.
    along : str, optional
        Axis the kernel works along, for formulas that are not elementwise: the
        last axis of an array, a whole Series, the dimension of this name.
    over : tuple of str, optional
        Arguments that have that axis; the kernel gets it as their last one,
        and returns a result that ends in it. The others come without it.

    Returns
    -------
    callable
        With the name, signature and docstring of the kernel.
    """
    if kernel is None:
        return functools.partial(formula, along=along, over=over)
    signature = inspect.signature(kernel)
    choices = [n for n, p in signature.parameters.items() if p.annotation is str]
    numbers = [name for name in signature.parameters if name not in choices]

    def compute(*values: np.ndarray, **chosen: str) -> np.ndarray:
        arrays = {
            name: np.array(value, dtype=float, copy=None, ndmin=name in over)
            for name, value in zip(numbers, values, strict=True)
        }
        with np.errstate(all="ignore"):  # the edges are cases, not accidents
            return kernel(**arrays, **chosen)

    def check_and_compute(*values: np.ndarray, **chosen: str) -> np.ndarray:
        refuse_out_of_range(dict(zip(numbers, values, strict=True)))
        return compute(*values, **chosen)

    @functools.wraps(kernel)
    def call(*args: ArrayLike, **kwargs: ArrayLike) -> ArrayLike:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        chosen = {name: bound.arguments[name] for name in choices}
        refuse_unknown(chosen)
        values = {name: bound.arguments[name] for name in numbers}
        for name, value in values.items():
            if _is(value, "pandas", "DataFrame"):
                raise ValueError(f"{name} must be one column, not a DataFrame")
        labelled = {n for n, v in values.items() if _is(v, "xarray", "DataArray")}
        lazy = {n for n in labelled if values[n].chunks}
        refuse_out_of_range({n: v for n, v in values.items() if n not in lazy})
        if labelled:
            run = functools.partial(check_and_compute if lazy else compute, **chosen)
            return _labelled(kernel.__name__, run, values, along, over)
        result = compute(*values.values(), **chosen)
        series = [value for value in values.values() if _is(value, "pandas", "Series")]
        if series:
            return _indexed(kernel.__name__, result, series)
        return float(result) if np.ndim(result) == 0 else result

    call.along, call.over = along, over
    return call


def _is(value: object, module: str, name: str) -> bool:
    """Say whether a value is of a library's class, without importing the library."""
    return module in sys.modules and isinstance(
        value, getattr(sys.modules[module], name)
    )


def _labelled(name, run, arguments, along, over):
    import xarray as xr

    values = {
        argument: xr.DataArray(value) if _is(value, "pandas", "Series") else value
        for argument, value in arguments.items()
    }
    for argument in over:  # what lacks the axis holds for every member of it
        if not _has(values[argument], along):
            length = next(v.sizes[along] for v in values.values() if _has(v, along))
            value = values[argument]
            if np.ndim(value) == 1 and not hasattr(value, "dims"):
                values[argument] = xr.DataArray(value, dims=along)
            else:
                values[argument] = xr.DataArray(value).expand_dims({along: length})
    result = xr.apply_ufunc(
        run,
        *values.values(),
        input_core_dims=[[along] if argument in over else [] for argument in values],
        output_core_dims=[[along] if along else []],
        dask="parallelized",
        output_dtypes=[float],
    )
    return result.rename(name).assign_attrs(describe(name))


def _has(value, dim):
    return dim in getattr(value, "dims", ())


def _indexed(name, result, series):
    import pandas as pd

    first, *others = series
    for other in others:
        if not other.index.equals(first.index):
            raise ValueError(f"{name}: Series arguments must share one index")
    if np.shape(result) != (len(first),):
        raise ValueError(f"{name}: mix Series with scalars or arrays of their length")
    return pd.Series(result, index=first.index, name=name)
