"""The one boundary between what callers pass and what formulas compute on.

A formula is written as a kernel on plain float arrays. `formula` wraps it so
that every argument is checked against its row in ``fields.toml``, scalars come
back as scalars, a Series keeps its index and DataArrays keep their labels,
with axes left un-expanded: a kernel runs only over the axes it depends on.
"""

import functools
import inspect
import sys
import types
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._checks import refuse_out_of_range, refuse_unknown
from vmbmodel.fields import describe

__all__ = ["Formula", "formula"]


class Formula:
    """A kernel behind the boundary: called with what callers have, it gives the same.

    To `inspect`, `help`, doctest and Sphinx it is a function with the name and the
    signature of its kernel, and with the kernel's docstring completed from the
    field table on first sight.
    """

    def __init__(
        self,
        kernel: Callable[..., np.ndarray],
        along: str | None,
        over: tuple[str, ...],
    ) -> None:
        functools.update_wrapper(self, kernel, functools.WRAPPER_ASSIGNMENTS[:3])
        self.along, self.over = along, over
        signature = inspect.signature(kernel)
        parameters = signature.parameters
        self._choices = [n for n, p in parameters.items() if p.annotation is str]
        self._numbers = [name for name in parameters if name not in self._choices]
        self.__signature__ = signature.replace(  # the docstring says the types
            parameters=[p.replace(annotation=p.empty) for p in parameters.values()],
            return_annotation=signature.empty,
        )

    @property
    def __doc__(self) -> str | None:
        """What the source says, and what the field table adds to it."""
        from vmbmodel._docstrings import complete

        return complete(self.__wrapped__, self.along, self.over)

    def __repr__(self) -> str:
        """Show how it is called."""
        return f"<formula {self.__name__}{self.__signature__}>"

    def __get__(self, instance: object, owner: type | None = None) -> object:
        """Bind as a function does, which makes a formula a routine to `inspect`."""
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> str:
        """Pickle by name, as a function."""
        return self.__qualname__

    def __call__(self, *args: ArrayLike, **kwargs: ArrayLike) -> ArrayLike:
        """Check the arguments, compute, and label the result as they are."""
        bound = self.__signature__.bind(*args, **kwargs)
        bound.apply_defaults()
        chosen = {name: bound.arguments[name] for name in self._choices}
        refuse_unknown(chosen)
        values = {name: bound.arguments[name] for name in self._numbers}
        for name, value in values.items():
            if _is(value, "pandas", "DataFrame"):
                raise ValueError(f"{name} must be one column, not a DataFrame")
        labelled = {n for n, v in values.items() if _is(v, "xarray", "DataArray")}
        lazy = {n for n in labelled if values[n].chunks}
        refuse_out_of_range({n: v for n, v in values.items() if n not in lazy})
        if labelled:
            run = functools.partial(
                self._check_and_compute if lazy else self._compute, **chosen
            )
            return _labelled(self.__name__, run, values, self.along, self.over)
        result = self._compute(*values.values(), **chosen)
        series = [value for value in values.values() if _is(value, "pandas", "Series")]
        if series:
            return _indexed(self.__name__, result, series)
        return float(result) if np.ndim(result) == 0 else result

    def _compute(self, *values: np.ndarray, **chosen: str) -> np.ndarray:
        arrays = {
            name: np.array(value, dtype=float, copy=None, ndmin=name in self.over)
            for name, value in zip(self._numbers, values, strict=True)
        }
        with np.errstate(all="ignore"):  # the edges are cases, not accidents
            return self.__wrapped__(**arrays, **chosen)

    def _check_and_compute(self, *values: np.ndarray, **chosen: str) -> np.ndarray:
        refuse_out_of_range(dict(zip(self._numbers, values, strict=True)))
        return self._compute(*values, **chosen)


def formula(
    kernel: Callable[..., np.ndarray] | None = None,
    *,
    along: str | None = None,
    over: tuple[str, ...] = (),
) -> Formula:
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
    Formula
        With the name and signature of the kernel.
    """
    if kernel is None:
        return functools.partial(formula, along=along, over=over)
    return Formula(kernel, along, over)


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
