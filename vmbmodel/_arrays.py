"""The one boundary between what callers pass and what formulas compute on.

A formula is written as a kernel on plain float arrays. `formula` wraps it so
that every argument is checked against its row in ``fields.toml``, scalars come
back as scalars, a Series keeps its index and DataArrays keep their labels,
with axes left un-expanded: a kernel runs only over the axes it depends on.
"""

import contextlib
import contextvars
import functools
import inspect
import math
import sys
import types
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, overload

import numpy as np
from numpy import float64
from numpy.typing import ArrayLike, NDArray

from vmbmodel.fields import describe, fields

if TYPE_CHECKING:  # a caller who has them imported them
    import pandas as pd
    import xarray as xr

    Series: TypeAlias = pd.Series[Any]
    Plain: TypeAlias = float | np.floating[Any] | np.integer[Any] | str
    Array: TypeAlias = Plain | np.ndarray[Any, Any] | Sequence[Any]
    Column: TypeAlias = Plain | Series
    Labelled: TypeAlias = Plain | xr.DataArray
    Mixed: TypeAlias = Array | Series | xr.DataArray

__all__ = ["Formula", "formula"]

Result = TypeVar("Result", float, NDArray[np.float64])
"""What plain numbers give: one, or an array where there is an axis to work along."""

_NUMBERS = frozenset({float, int, np.float64})
_ARRAYS = frozenset({np.ndarray, list, tuple})

# Where kernels run: the edges are cases, not accidents to warn of. A copy of it is
# entered in a fifth of the time that `np.errstate` takes.
_QUIET = contextvars.Context()
_QUIET.run(np.seterr, all="ignore")


class Formula(Generic[Result]):
    """A kernel behind the boundary: called with what callers have, it gives the same.

    To `inspect`, `help`, doctest and Sphinx it is a function with the name and the
    signature of its kernel, and with the kernel's docstring completed from the
    field table on first sight.
    """

    __name__: str
    __qualname__: str
    __wrapped__: Callable[..., Any]

    def __init__(
        self,
        kernel: Callable[..., Any],
        along: str | None,
        over: tuple[str, ...],
    ) -> None:
        functools.update_wrapper(self, kernel, functools.WRAPPER_ASSIGNMENTS[:3])
        self.along, self.over = along, over
        signature = inspect.signature(kernel)
        parameters = signature.parameters.values()
        self.__signature__ = signature.replace(  # the docstring says the types
            parameters=[p.replace(annotation=p.empty) for p in parameters],
            return_annotation=signature.empty,
        )
        self._names = tuple(p.name for p in parameters)
        self._choices = {p.name for p in parameters if p.annotation is str}
        self._defaults = {
            p.name: p.default for p in parameters if p.default is not p.empty
        }

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

    @overload
    def __call__(self, *args: "Plain", **kwargs: "Plain") -> Result: ...
    @overload
    def __call__(self, *args: "Array", **kwargs: "Array") -> NDArray[np.float64]: ...
    @overload
    def __call__(self, *args: "Column", **kwargs: "Column") -> "pd.Series[float]": ...
    @overload
    def __call__(self, *args: "Labelled", **kwargs: "Labelled") -> "xr.DataArray": ...
    # Kinds mixed, where the one that counts comes first or second. One overload that
    # took it anywhere would take arrays as well, and what has an Any in its type, as
    # arrays and columns do, may match in one way only, or the result is an Any.
    @overload
    def __call__(
        self, first: "Series", /, *args: "Array | Series", **kwargs: "Array | Series"
    ) -> "pd.Series[float]": ...
    @overload
    def __call__(
        self,
        first: "Array",
        second: "Series",
        /,
        *args: "Array | Series",
        **kwargs: "Array | Series",
    ) -> "pd.Series[float]": ...
    @overload
    def __call__(
        self, first: "xr.DataArray", /, *args: "Mixed", **kwargs: "Mixed"
    ) -> "xr.DataArray": ...
    @overload
    def __call__(
        self,
        first: "Array | Series",
        second: "xr.DataArray",
        /,
        *args: "Mixed",
        **kwargs: "Mixed",
    ) -> "xr.DataArray": ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Check the arguments, compute, and label the result as they are."""
        try:
            number = self._of_numbers(*args, **kwargs)
        except TypeError:  # what is wrong with the call is said below
            number = None
        if number is not None:
            return number
        values = args
        if kwargs or len(args) != len(self._names):
            values = self._in_order(args, kwargs)
        ready = self._ready(values)
        if ready is None:
            return self._with_labels(dict(zip(self._names, values, strict=True)))
        result = _QUIET.copy().run(self.__wrapped__, *ready)
        if type(result) is float64 or not np.ndim(result):
            return float(result)
        return result

    @functools.cached_property
    def _of_numbers(self) -> Callable[..., float | None]:
        """A function of the same signature that knows plain numbers, else gives None.

        It is written out for Python to bind the arguments and to check them in one
        line, which takes a third of the time of a loop over them.
        """
        if self.over:
            return lambda *args, **kwargs: None
        known: dict[str, Any] = {"kernel": self.__wrapped__, "quiet": _QUIET.copy}
        known |= {"numbers": _NUMBERS, "float64": float64}
        taken, checks, given = [], [], []
        for name, (low, high, whole, words, _) in zip(
            self._names, self._limits, strict=True
        ):
            taken.append(name)
            if name in self._defaults:
                known[f"default_{name}"] = self._defaults[name]
                taken[-1] = f"{name}=default_{name}"
            if name in self._choices:
                known[f"words_{name}"] = words
                checks.append(f"type({name}) is str and {name} in words_{name}")
                given.append(name)
            else:
                known[f"low_{name}"], known[f"high_{name}"] = low, high
                checks.append(f"type({name}) in numbers")
                checks.append(f"low_{name} <= {name} <= high_{name}")
                checks += [f"not {name} % 1"] * whole
                given.append(f"float64({name})")
        source = (
            f"def call({', '.join(taken)}):\n"
            f"    if {' and '.join(checks)}:\n"
            f"        return float(quiet().run(kernel, {', '.join(given)}))\n"
        )
        exec(source, known)
        return known["call"]

    def _ready(self, values: Sequence[Any]) -> list[Any] | None:
        """Return good numbers, arrays and words as the kernel takes them, and soon.

        None if there is anything else, or something to refuse.
        """
        ready: list[Any] = []
        for value, (low, high, whole, words, axes) in zip(
            values, self._limits, strict=True
        ):
            kind = type(value)
            if kind in _NUMBERS and low <= value <= high and not (whole and value % 1):
                ready.append(np.array([value], float) if axes else float64(value))
            elif kind in _ARRAYS and (array := np.asarray(value)).dtype.char in "dl":
                array = np.array(array, dtype=float, copy=None, ndmin=axes)
                ends = array.min(initial=np.inf), array.max(initial=-np.inf)
                if not (ends[0] >= low and ends[1] <= high):  # nor where one is NaN
                    return None
                if whole and (np.trunc(array) != array).any():
                    return None
                ready.append(array)
            elif kind is str and value in words:
                ready.append(value)
            else:
                return None
        return ready

    def _with_labels(self, values: dict[str, Any]) -> Any:
        """Check each argument against its row, and keep the labels that they have."""
        chosen = {name: values.pop(name) for name in self._choices}
        for name, value in chosen.items():
            fields()[name].check(value)
        for name, value in values.items():
            if _is(value, "pandas", "DataFrame"):
                raise ValueError(f"{name} must be one column, not a DataFrame")
        labelled = {n for n, v in values.items() if _is(v, "xarray", "DataArray")}
        bare = {n for n, v in values.items() if _is(v, "dask.array", "Array")}
        lazy = bare | {n for n in labelled if values[n].chunks}
        _check({n: v for n, v in values.items() if n not in lazy})
        values |= {n: _checked_later(n, values[n]) for n in lazy}

        def run(*blocks: np.ndarray) -> np.ndarray:
            return self._compute(dict(zip(values, blocks, strict=True)), chosen)

        if labelled:
            return _labelled(self.__name__, run, values, self.along, self.over)
        series = [value for value in values.values() if _is(value, "pandas", "Series")]
        if bare and series:
            raise ValueError(
                f"{self.__name__}: mix Series with no lazy array; got {min(bare)}"
            )
        if bare:
            return _lazy(run, values, self.over)
        result = self._compute(values, chosen)
        if series:
            return _indexed(self.__name__, result, series)
        return result if np.ndim(result) else float(result)

    @functools.cached_property
    def _limits(self) -> list[tuple[float, float, bool, Collection[str], int]]:
        """What each argument may be, and how many axes it has at least."""
        limits = []
        for name in self._names:
            field = fields()[name]
            if name in self._choices:
                limits.append((math.inf, -math.inf, False, field.choices, 0))
            else:
                axes = int(name in self.over)
                limits.append((*field.range.ends, field.whole, (), axes))
        return limits

    def _in_order(
        self, args: tuple[ArrayLike, ...], kwargs: Mapping[str, ArrayLike]
    ) -> Sequence[ArrayLike]:
        """Return all arguments in the order of the signature, sooner than `inspect`."""
        values, taken = [*args], 0
        for name in self._names[len(args) :]:
            if name in kwargs:
                values.append(kwargs[name])
                taken += 1
            elif name in self._defaults:
                values.append(self._defaults[name])
        if len(values) == len(self._names) and taken == len(kwargs):
            return values
        bound = self.__signature__.bind(*args, **kwargs)  # says what is wrong
        return [*bound.arguments.values()]

    def _compute(
        self, values: Mapping[str, ArrayLike], chosen: Mapping[str, str]
    ) -> np.ndarray:
        arrays = {
            name: np.array(value, dtype=float, copy=None, ndmin=name in self.over)
            for name, value in values.items()
        }
        return _QUIET.copy().run(self.__wrapped__, **arrays, **chosen)


@overload
def formula(kernel: Callable[..., Any]) -> Formula[float]: ...
@overload
def formula(
    *, along: str, over: tuple[str, ...]
) -> Callable[[Callable[..., Any]], Formula[NDArray[np.float64]]]: ...
def formula(
    kernel: Callable[..., Any] | None = None,
    *,
    along: str | None = None,
    over: tuple[str, ...] = (),
) -> Any:
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


def _check(values: Mapping[str, ArrayLike]) -> None:
    for name, value in values.items():
        fields()[name].check_all(value)


def _checked_later(name: str, values: Any) -> Any:
    """Return lazy values each block of which is checked when it is computed.

    A bad value is named by its place in the whole, not in its block.
    """
    import dask.array

    def check(block: np.ndarray, block_info: Any = None) -> np.ndarray:
        begin = tuple(start for start, _ in block_info[0]["array-location"])
        fields()[name].check_all(block, begin)
        return block

    data = values.data if hasattr(values, "dims") else values
    checked = dask.array.map_blocks(check, data, dtype=data.dtype, meta=data._meta)
    return values.copy(data=checked) if hasattr(values, "dims") else checked


@contextlib.contextmanager
def _without_a_word_on_chunks() -> Iterator[None]:
    """Mute dask where a product of axes has more blocks than each: that is the aim."""
    if "dask.array" not in sys.modules:
        yield
        return
    from dask.array import PerformanceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PerformanceWarning)
        yield


def _lazy(run, arguments, over):
    import dask.array

    axes = ["(i)" if argument in over else "()" for argument in arguments]
    values = [
        dask.array.atleast_1d(value) if argument in over else value
        for argument, value in arguments.items()
    ]
    with _without_a_word_on_chunks():
        return dask.array.apply_gufunc(
            run,
            f"{','.join(axes)}->{'(i)' if over else '()'}",
            *values,
            output_dtypes=float,
            allow_rechunk=True,
        )


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
    for argument in over:  # and a kernel sees all of it
        if getattr(values[argument], "chunks", None):
            values[argument] = values[argument].chunk({along: -1})
    with _without_a_word_on_chunks():
        result = xr.apply_ufunc(
            run,
            *values.values(),
            input_core_dims=[[along] if n in over else [] for n in values],
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
