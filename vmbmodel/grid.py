"""Evaluate a formula over a labelled grid, in one call."""

import functools
import inspect
import itertools
import operator
from collections.abc import Callable, Hashable, Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from vmbmodel._arrays import Formula
from vmbmodel._extras import remedy
from vmbmodel._words import short
from vmbmodel.fields import describe, fields, misnamed

__all__ = ["DRAW", "along_draw", "block_lengths", "common_count", "draws_in", "sweep"]

DRAW = "draw"
"""The axis along which constants are drawn, all of them together."""

_DRAWN = ("prior", "draws")
_MOST_DRAWS = 2**16


def sweep(
    formula: Callable[..., ArrayLike],
    chunks: int | Mapping[str, int] | None = None,
    **arguments: ArrayLike,
) -> xr.DataArray:
    """Call a formula once, with every one-dimensional argument as an axis.

    Parameters
    ----------
    formula : callable
        A function of `vmbmodel.formulas`; or `vmbmodel.estimate`, which takes a
        ``fleet``, and settings of a scenario as axes or held.
    chunks : int or Mapping[str, int], optional
        Cells that are computed at a time, or the length of a block by axis. The
        result is then lazy, on dask: nothing is computed before it is asked for, and
        never more than some blocks are in memory, whatever the size of the grid.
        A million cells is a good block for threads, four million for a cluster.
    **arguments : array_like or DataArray
        Its arguments by name. A scalar is held, a list or array becomes an axis
        of its own name, a DataArray is passed on with the axes it has. Of
        ``{"prior": True, "draws": 64}`` so many values are drawn from the law of the
        constant, as an interval draws them; all that are drawn share one axis,
        ``draw``, whose coordinates they are.

    Returns
    -------
    DataArray
        Named after the formula, with label and unit of the result and of its
        axes, so that a figure needs no label set by hand; held scalars are kept
        in ``attrs``. Of estimates it is a Dataset of the totals.

    Examples
    --------
    >>> from vmbmodel.formulas.queueing import mean_wait_h
    >>> wait = sweep(mean_wait_h, servers=[1, 2], arrivals_per_h=[0.5, 0.9],
    ...              service_h=1)
    >>> wait.sizes
    Frozen({'servers': 2, 'arrivals_per_h': 2})
    >>> print(wait.sel(servers=1, arrivals_per_h=0.5).item())
    1.0
    >>> drawn = sweep(mean_wait_h, servers=10, arrivals_per_h=[5, 9],
    ...               service_h={"prior": True, "draws": 64})
    >>> drawn.dims, drawn["service_h"].dims
    (('arrivals_per_h', 'draw'), ('draw',))
    """
    if not isinstance(formula, Formula) and _is_estimate(formula):
        if chunks is not None:
            raise ValueError("chunks is for formulas; an estimate is a cell at a time")
        return _of_estimates(**arguments)
    axes, held = {}, {}
    for name, value in _with_draws(arguments).items():
        if np.ndim(value) == 0 or isinstance(value, xr.DataArray):
            held[name] = value
        else:
            if chunks is not None and name in fields():
                fields()[name].check_all(value)  # now, not when its block is reached
            axes[name] = xr.DataArray(value, dims=name, coords={name: value})
    values = axes | held
    if chunks is not None:
        values = _in_blocks(formula, values, chunks)
    result = xr.DataArray(formula(**values), name=formula.__name__)
    _describe(result.coords)
    scalars = {n: value for n, value in held.items() if np.ndim(value) == 0}
    return result.assign_attrs(describe(formula.__name__), **scalars)


def block_lengths(sizes: Mapping[str, int], cells: int) -> dict[str, int]:
    """Return how long a block is along each axis, to hold some cells at most.

    The last axes are whole, as far as they fit; what is left over is cut from the one
    before, and the first axes are taken one by one.

    >>> block_lengths({"servers": 50, "arrivals_per_h": 200, "service_h": 300}, 10**6)
    {'servers': 16, 'arrivals_per_h': 200, 'service_h': 300}
    """
    lengths = {}
    for name, size in reversed(sizes.items()):
        lengths[name] = max(min(size, cells), 1)
        cells //= lengths[name]
    return dict(reversed(lengths.items()))


def _describe(arrays: Mapping[Hashable, xr.DataArray]) -> None:
    for name, array in arrays.items():
        if name in fields():
            array.attrs = describe(name)


def _is_estimate(function: Callable[..., object]) -> bool:
    from vmbmodel.plan.estimate import estimate

    return function is estimate


def _of_estimates(fleet, scenario=None, **settings: ArrayLike) -> xr.Dataset:
    """Estimate an inventory in every case of a product of settings."""
    from vmbmodel.inventory.fleet import disks_of
    from vmbmodel.plan import Scenario
    from vmbmodel.plan.estimate import compare_disks

    scenario = Scenario.or_default(scenario)
    axes, held, labels = {}, {}, {}  # each axis as the settings of its places
    for name, value in _with_draws(settings, scenario).items():
        if isinstance(value, xr.DataArray) and value.dims == (DRAW,):
            before = axes.get(DRAW, [{}] * value.size)
            pairs = zip(before, value.values.tolist(), strict=True)
            axes[DRAW] = [place | {name: one} for place, one in pairs]
            labels |= {DRAW: value[DRAW], name: value}
        elif np.ndim(value):
            labels[name] = np.asarray(value)
            axes[name] = [{name: one} for one in labels[name].tolist()]
        else:
            held[name] = value
    products = itertools.product(*axes.values())
    cases = [functools.reduce(operator.or_, places, held) for places in products]
    _, *rows = compare_disks(disks_of(fleet), scenario, cases)
    shape = [len(places) for places in axes.values()]
    totals = {
        name: (list(axes), np.reshape([row[name] for row in rows], shape))
        for name in rows[0]
        if name != "case"
    }
    found = xr.Dataset(totals, labels, held)
    _describe(found.variables)
    return found


def _with_draws(
    arguments: Mapping[str, ArrayLike], scenario=None
) -> dict[str, ArrayLike]:
    """Put arrays along one axis in the place of what is to be drawn."""
    counts = {
        name: draws_in(name, value)
        for name, value in arguments.items()
        if isinstance(value, Mapping)
    }
    if not counts:
        return dict(arguments)
    from vmbmodel.plan import Scenario
    from vmbmodel.plan.estimate import prior_draws

    if DRAW in arguments:
        raise ValueError(f"{DRAW} is the axis of what is drawn, and no other")
    count = common_count(counts)
    drawn = prior_draws(Scenario.or_default(scenario), list(counts), count)
    return dict(arguments) | {
        name: along_draw(name, values, np.arange(1, values.size + 1))
        for name, values in drawn.items()
    }


def along_draw(name: str, values: np.ndarray, numbers: np.ndarray) -> xr.DataArray:
    """Return what was drawn of a constant, labelled with itself and its numbers."""
    return xr.DataArray(values, dims=DRAW, coords={DRAW: numbers, name: (DRAW, values)})


def draws_in(name: str, value: Mapping[str, object]) -> int:
    """Return how many draws an axis is to have that says ``prior`` and ``draws``."""
    for key in (key for key in value if key not in _DRAWN):
        raise ValueError(f"{name}: there is no {misnamed(key, _DRAWN)}")
    if value.get("prior") is not True:
        raise ValueError(f"{name}: prior must be true; got {short(value.get('prior'))}")
    count = value.get("draws")
    if type(count) is not int or not 2 <= count <= _MOST_DRAWS:
        said = repr(count) if "draws" in value else "nothing"
        rule = f"draws must be whole, >= 2 and <= {_MOST_DRAWS:,}"
        raise ValueError(f"{name}: {rule}; got {said}")
    return count


def common_count(counts: Mapping[str, int]) -> int:
    """Return how many draws there are of each name, which share one axis."""
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ValueError(f"draws must be as many of each name; got {said}")
    return next(iter(counts.values()))


def _in_blocks(formula, values, chunks):
    """Cut every axis; the one that a formula works along stays whole."""
    try:
        import dask.array  # noqa: F401  what `chunk` needs, and does not name
    except ModuleNotFoundError as error:
        why = f"a sweep in chunks needs {remedy(error) or error.name}"
        raise ModuleNotFoundError(why, name=error.name) from error
    along = getattr(formula, "along", None)
    labelled = {n: v for n, v in values.items() if isinstance(v, xr.DataArray)}
    order = [name for name in inspect.signature(formula).parameters if name in labelled]
    sizes = {}
    for name in order:
        sizes |= labelled[name].sizes
    if along in sizes:  # comes last, and so is cut last
        sizes[along] = sizes.pop(along)
    if not isinstance(chunks, Mapping):
        chunks = block_lengths(sizes, chunks)
    elif unknown := chunks.keys() - sizes.keys():
        known = ", ".join(map(str, sizes))
        raise ValueError(
            f"chunks: there is no axis {short(min(unknown))}; known: {known}"
        )
    chunks = {**chunks} | ({along: -1} if along in sizes else {})
    return values | {
        name: value.chunk({dim: chunks.get(dim, -1) for dim in value.dims})
        for name, value in labelled.items()
    }
