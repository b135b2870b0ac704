"""A sweep that a file describes, computed block by block into a store of arrays.

.. code-block:: toml

    formula = "wait_quantile_h"

    [axes]
    servers = [5, 10, 20, 40]
    arrivals_per_h = { from = 0.1, to = 4, count = 200 }
    service_h = { from = 0.1, to = 10, count = 100, spacing = "log" }

    [held]
    prob = 0.95

``service_h = { prior = true, draws = 64 }`` draws a constant from its law, as the
intervals of an estimate do, at a level common to all disks. All that are drawn share
one axis, ``draw``, and stand along it as labels.

With ``answer``, a total of an estimate, and ``fleet``, an inventory, in the place of
``formula``, axes and held values are settings of a scenario.

A block is a file of the store, which stands beside its place and gets its name when all
of it is there. So a sweep that was stopped goes on with the blocks that are missing,
and nobody reads a hole.
"""

import contextlib
import errno
import hashlib
import inspect
import json
import math
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
import zarr
from dask.system import CPU_COUNT

import vmbmodel
from vmbmodel import _toml, formulas
from vmbmodel._arrays import Formula
from vmbmodel._cluster import as_finished, cluster
from vmbmodel._files import LARGEST_DATA, put_folder, read_bounded
from vmbmodel._words import first_lines, short
from vmbmodel.fields import fields, misnamed
from vmbmodel.grid import (
    DRAW,
    along_draw,
    block_lengths,
    common_count,
    draws_in,
    sweep,
)
from vmbmodel.inventory.files import MANY

__all__ = ["LARGEST_CSV", "Grid", "read_grid", "tabulated", "write_store"]

LARGEST_CSV = 10**7
"""Cells of the largest sweep that is written as CSV."""

_THREAD_CELLS, _CLUSTER_CELLS = 10**6, 4 * 10**6  # of a block
_ESTIMATES = 16  # of a block
_MOST_VALUES = 10**6  # of an axis, all of which are held
_SPACINGS: dict[str, Callable[..., np.ndarray]] = {
    "linear": np.linspace,
    "log": np.geomspace,
}
_RANGE = ("from", "to", "count", "spacing")
Region = Mapping[str, slice]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Grid:
    """What is swept, over which axes, and what is held."""

    what: str  #: a formula, or a total of an estimate
    axes: Mapping[str, np.ndarray]  #: values by name, the slowest first
    held: Mapping[str, object]  #: values of the other arguments, or settings
    fleet: str | None = None  #: inventory, if a total of its estimate is swept
    drawn: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Constants that were drawn, by name, along the axis ``draw``."""

    @property
    def cells(self) -> int:
        """Number of cells."""
        return math.prod(self.sizes.values())

    @cached_property
    def corner(self) -> xr.DataArray:
        """The first cell, with all names and labels that the whole has."""
        return self.compute({name: slice(1) for name in self.axes})

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Length of each axis; one that a formula works along comes last."""
        own = {name: len(values) for name, values in self.axes.items()}
        return {str(dim): own.get(dim, n) for dim, n in self.corner.sizes.items()}

    @cached_property
    def sha256(self) -> str:
        """Digest of all that the numbers depend on."""
        labels = [*self.axes.items(), *self.drawn.items()]
        axes = [(name, values.tolist()) for name, values in labels]
        parts = [vmbmodel.__version__, self.what, axes, sorted(self.held.items())]
        if self.fleet:
            parts.append(
                hashlib.sha256(read_bounded(self.fleet, LARGEST_DATA)).hexdigest()
            )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def compute(self, region: Region) -> xr.DataArray:
        """Compute a part of the grid: a slice of each axis."""
        axes = {name: self.axes[name][part] for name, part in region.items()}
        numbers = axes.pop(DRAW, None)
        for name, values in self.drawn.items():
            axes[name] = along_draw(name, values[region[DRAW]], numbers)
        if self.fleet:
            found = self._estimates(axes)
        else:
            kernel = getattr(formulas, self.what)
            held = {
                name: xr.DataArray(value, dims=kernel.along)
                if isinstance(value, list)
                else value
                for name, value in self.held.items()
            }
            found = sweep(kernel, **axes, **held)
        return found.transpose(*self.axes, ...)

    def _estimates(self, axes: Mapping[str, np.ndarray]) -> xr.DataArray:
        from vmbmodel.plan.estimate import estimate

        totals = sweep(estimate, fleet=self.fleet, **axes, **self.held)
        if self.what not in totals:
            raise ValueError(f"there is no total {misnamed(self.what, list(totals))}")
        return totals[self.what]


def read_grid(path: str | os.PathLike[str]) -> Grid:
    r"""Read a file that describes a sweep.

    Raises
    ------
    ValueError
        If anything is wrong with it; with every fault, and where it stands.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "grid.toml")
    >>> _ = path.write_text("formula = 'mean_wait_h'\n[axes]\nservers = [1, 2]\n"
    ...                     "[held]\narrivals_per_h = 0.5\nservice_h = 1")
    >>> grid = read_grid(path)
    >>> grid.cells, grid.held
    (2, {'arrivals_per_h': 0.5, 'service_h': 1})
    """
    found, lines = _toml.read(path)
    faults = _Faults(os.fspath(path), lines)
    known = ("formula", "answer", "fleet", "axes", "held")
    for key in (key for key in found if key not in known):
        faults.say(key, f"there is no {misnamed(key, known)}")
    tables = {}
    for name in ("axes", "held"):
        tables[name] = found.get(name, {})
        if not isinstance(tables[name], dict):
            faults.say(name, f"{name} must be a table; got {short(tables[name])}")
            tables[name] = {}
    for name in (name for name in tables["axes"] if name in tables["held"]):
        faults.say(name, f"{name} cannot be an axis and held")
    if not tables["axes"]:
        faults.say("axes", "[axes] names no axis")
    faults.refuse()
    (_check_answer if "answer" in found else _check_formula)(found, tables, faults)
    faults.refuse()
    with faults.of("axes"):
        axes, drawn = _axes_of(found, tables)
    faults.refuse()
    if "answer" not in found:
        return Grid(found["formula"], axes, tables["held"], drawn=drawn)
    fleet = os.path.join(os.path.dirname(os.path.abspath(path)), found["fleet"])
    grid = Grid(found["answer"], axes, tables["held"], fleet, drawn)
    with faults.of("answer"):
        _ = grid.corner  # there may be no total of this name
    faults.refuse()
    return grid


class _Faults:
    """Collects what is wrong with a file, each fault with its place."""

    def __init__(self, path: str, lines: Mapping[str, str]) -> None:
        self._path, self._lines, self._said = path, lines, []

    def say(self, key: str, text: str) -> None:
        """Note a fault of a key; refuse a file that has many."""
        self._said.append(f"{self._lines.get(key, self._path)}: {text}")
        if len(self._said) > MANY:
            self.refuse()

    @contextlib.contextmanager
    def of(self, key: str) -> Iterator[None]:
        """Note what is refused meanwhile."""
        try:
            yield
        except ValueError as error:
            self.say(key, str(error))

    def refuse(self) -> None:
        """Raise all that was noted, if anything was."""
        if self._said:
            many = len(self._said) > MANY
            raise ValueError(first_lines(self._said, whole=not many))


def _axes_of(
    found: dict, tables: dict
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return all axes, what is drawn as one, and the constants that are drawn."""
    from vmbmodel.plan import Scenario
    from vmbmodel.plan.estimate import prior_draws

    axes, counts = {}, {}
    for name, value in tables["axes"].items():
        if _is_drawn(value):
            counts[name] = draws_in(name, value)
            axes[DRAW] = np.arange(1, counts[name] + 1)
        else:
            axes[name] = _axis(name, value)
    if not counts:
        return axes, {}
    scenario = Scenario.of(settings=tables["held"] if "answer" in found else {})
    return axes, prior_draws(scenario, list(counts), common_count(counts))


def _is_drawn(value: object) -> bool:
    """Say whether an axis is drawn from the law of a constant."""
    return isinstance(value, dict) and "prior" in value


def _check_drawn(name: str, value: dict) -> None:
    from vmbmodel.plan import Scenario
    from vmbmodel.plan.estimate import prior_draws

    prior_draws(Scenario.of(), [name], draws_in(name, value))


def _axis(name: str, value: object) -> np.ndarray:
    """Return the values of an axis, given one by one or as a range."""
    if isinstance(value, list):
        kinds = {_kind(entry) for entry in value}
        if len(kinds) != 1 or None in kinds:
            raise ValueError(f"{name} must be a list of values; got {short(value)}")
        if len(set(value)) < len(value):
            raise ValueError(f"{name} has a value twice: {short(value)}")
        return np.array(value, dtype=kinds.pop())
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a list or a range; got {short(value)}")
    for key in (key for key in value if key not in _RANGE):
        raise ValueError(f"{name}: there is no {misnamed(key, _RANGE)}")
    for key in _RANGE[:3]:
        if _kind(value.get(key)) is not float or not math.isfinite(value[key]):
            said = repr(value[key]) if key in value else "nothing"
            raise ValueError(f"{name}: {key} must be a finite number; got {said}")
    low, high, count = (value[key] for key in _RANGE[:3])
    if not 2 <= count <= _MOST_VALUES or count != int(count):
        rule = f"count must be whole, >= 2 and <= {_MOST_VALUES:,}"
        raise ValueError(f"{name}: {rule}; got {short(count)}")
    if low >= high:
        raise ValueError(
            f"{name}: from must be below to; got {short(low)} and {short(high)}"
        )
    spacing = value.get("spacing", "linear")
    if spacing not in _SPACINGS:
        known = ", ".join(_SPACINGS)
        raise ValueError(
            f"{name}: spacing must be one of {known}; got {short(spacing)}"
        )
    if spacing == "log" and low <= 0:
        raise ValueError(
            f"{name}: from must be > 0 where spacing is log; got {short(low)}"
        )
    return _SPACINGS[spacing](low, high, int(count))


def _kind(value: object) -> type | None:
    """Return what an array of such values is of; None if there is none."""
    if isinstance(value, bool | str):
        return type(value)
    return float if isinstance(value, int | float) else None


def _check_formula(found: dict, tables: dict, faults: _Faults) -> None:
    """Say what is wrong with a formula and its arguments."""
    known = [n for n in dir(formulas) if isinstance(getattr(formulas, n), Formula)]
    what = found.get("formula")
    if what not in known:
        said = f"there is no formula {misnamed(str(what), known)}"
        if what is None:
            said = "name a formula, or an answer and a fleet"
        faults.say("formula", said)
        return
    if "fleet" in found:
        faults.say("fleet", "fleet goes with answer, not with a formula")
    kernel = getattr(formulas, what)
    parameters = inspect.signature(kernel).parameters
    given = tables["axes"] | tables["held"]
    for name in (name for name in given if name not in parameters):
        faults.say(name, f"{what} has no argument {misnamed(name, parameters)}")
    for name, parameter in parameters.items():
        if name not in given and parameter.default is parameter.empty:
            faults.say("held", f"{what} needs {name}: an axis, or held")
    for name in (name for name in given if name in parameters):
        with faults.of(name):
            _check_argument(kernel, name, given[name], axis=name in tables["axes"])


def _check_argument(kernel: Formula, name: str, value: object, *, axis: bool) -> None:
    field = fields()[name]
    if not axis and not (name in kernel.over and isinstance(value, list)):
        field.check(value)
    elif field.kind != "number":
        raise ValueError(
            f"{name} is a choice, which can be held only; got {short(value)}"
        )
    elif not axis:
        field.check_all(value)
    elif name in kernel.over:
        raise ValueError(
            f"{name} goes along {kernel.along}, so it is no axis: hold it, as a list"
        )
    elif _is_drawn(value):
        _check_drawn(name, value)
    else:
        field.check_all(_axis(name, value))


def _check_answer(found: dict, tables: dict, faults: _Faults) -> None:
    """Say what is wrong with an answer, its inventory and its settings."""
    from vmbmodel.plan import Scenario

    for name in ("answer", "fleet"):
        if not isinstance(found.get(name), str):
            faults.say(name, f"{name} must be a name; got {short(found.get(name))}")
    if "formula" in found:
        faults.say("formula", "a grid has a formula or an answer, not both")
    for name, value in tables["held"].items():
        with faults.of(name):
            Scenario.of(settings={name: value})
    for name, value in tables["axes"].items():
        with faults.of(name):
            if _is_drawn(value):
                _check_drawn(name, value)
                continue
            for entry in _axis(name, value).tolist():
                Scenario.of(settings={name: entry})


# --- where the numbers go -----------------------------------------------------------


def tabulated(grid: Grid) -> Iterator[pd.DataFrame]:
    """Give a grid as a table, a row a cell, piece by piece.

    Raises
    ------
    ValueError
        If there are more cells than `LARGEST_CSV`.
    """
    if grid.cells > LARGEST_CSV:
        raise ValueError(
            f"{grid.cells:,} cells are too many for CSV, which ends at "
            f"{LARGEST_CSV:,}; write a store: -o NAME.zarr"
        )
    lengths = _lengths(grid, _THREAD_CELLS)
    for index in np.ndindex(*_counts(grid, lengths)):
        block = grid.compute(_region(grid, lengths, index))
        axes = [block[dim].to_numpy() for dim in block.dims]
        columns = dict(zip(block.dims, np.meshgrid(*axes, indexing="ij"), strict=True))
        for name in grid.drawn:
            columns[name] = block[name].broadcast_like(block).to_numpy()
        columns[block.name] = block.to_numpy()
        yield pd.DataFrame({name: values.ravel() for name, values in columns.items()})


def write_store(
    grid: Grid,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    processes: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> int:
    """Compute a grid block by block into a Zarr store, as far as it is not there yet.

    Parameters
    ----------
    grid : Grid
        What is swept.
    path : path-like
        The store, in a folder that exists. Until all of it is there it stands beside,
        with ``.part`` after its name.
    force : bool
        Whether a store that exists is replaced, and one half done of another grid.
    processes : int, optional
        Workers of a cluster on this machine; threads of this process otherwise.
    scheduler : str, optional
        Address of a cluster whose workers see the same folder.
    progress : callable, optional
        Told the path, the blocks done and all blocks.

    Returns
    -------
    int
        Blocks that were there already.

    Raises
    ------
    FileExistsError
        If there is a store, or half of another grid, and `force` is false.
    OSError
        If there is no room for what is to be computed, or no cluster at an address.
    """
    target = Path(os.path.realpath(path))
    part = target.with_name(f"{target.name}.part")
    if target.exists() and not (force and (target / "zarr.json").is_file()):
        raise FileExistsError(errno.EEXIST, "exists; force replaces it", str(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(target.parent))
    cells = _THREAD_CELLS if not (processes or scheduler) else _CLUSTER_CELLS
    with _workers(processes, scheduler) as (executor, at_once):
        array = _opened(grid, part, _lengths(grid, cells), force=force)
        lengths = dict(zip(grid.sizes, array.chunks, strict=True))
        indices = list(np.ndindex(*_counts(grid, lengths)))
        key = array.metadata.encode_chunk_key
        missing = [i for i in indices if not (part / grid.what / key(i)).is_file()]
        _refuse_what_does_not_fit(part, len(missing) * math.prod(array.chunks) * 8)
        done = there = len(indices) - len(missing)
        calls = ((grid, array, _region(grid, lengths, i)) for i in missing)
        for _ in as_finished(executor, at_once, _write_block, calls):
            done += 1
            if progress:
                progress(str(path), done, len(indices))
    _finish(part, target)
    return there


def _lengths(grid: Grid, cells: int) -> dict[str, int]:
    """Return how long a block is along each axis; what is not swept stays whole."""
    inner = {d: n for d, n in grid.sizes.items() if d not in grid.axes}
    outer = {d: n for d, n in grid.sizes.items() if d in grid.axes}
    most = _ESTIMATES if grid.fleet else max(cells // math.prod(inner.values()), 1)
    return block_lengths(outer, most) | inner


def _counts(grid: Grid, lengths: Mapping[str, int]) -> list[int]:
    return [-(-size // lengths[dim]) for dim, size in grid.sizes.items()]


def _region(
    grid: Grid, lengths: Mapping[str, int], index: tuple[int, ...]
) -> dict[str, slice]:
    """Return the slice of each axis in a block."""
    return {
        dim: slice(i * lengths[dim], (i + 1) * lengths[dim])
        for dim, i in zip(grid.sizes, index, strict=True)
        if dim in grid.axes
    }


def _opened(
    grid: Grid, part: Path, lengths: Mapping[str, int], *, force: bool
) -> zarr.Array:
    """Return the array of a store that is half done, or lay it out anew."""
    if part.exists():
        with contextlib.suppress(KeyError, FileNotFoundError, ValueError):
            if zarr.open_group(part, mode="r").attrs["grid_sha256"] == grid.sha256:
                return _array(part, grid)
        if not force:
            why = "is half of another sweep, or of another version; force replaces it"
            raise FileExistsError(errno.EEXIST, why, str(part))
        shutil.rmtree(part)
    corner = grid.corner
    _refuse_what_does_not_fit(part, grid.cells * 8)
    labels = {
        name: xr.DataArray(values, dims=name, attrs=corner[name].attrs)
        for name, values in grid.axes.items()
    } | {
        name: (DRAW, values, corner[name].attrs) for name, values in grid.drawn.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # texts have no settled form in Zarr 3
        xr.Dataset(coords=labels).to_zarr(part, zarr_format=3, consolidated=False)
    group = zarr.open_group(part, mode="r+")
    group.create_array(
        grid.what,
        shape=tuple(grid.sizes.values()),
        chunks=tuple(lengths[dim] for dim in grid.sizes),
        dtype=corner.dtype,
        fill_value=corner.dtype.type(0),
        dimension_names=list(grid.sizes),
        attributes={name: _plain(value) for name, value in corner.attrs.items()},
    )
    group.attrs["grid_sha256"] = grid.sha256  # last, so that it is whole
    return _array(part, grid)


def _array(part: Path, grid: Grid) -> zarr.Array:
    """Open the array of a store; a block of it is a file, whatever is in it."""
    with zarr.config.set({"array.write_empty_chunks": True}):
        return zarr.open_array(part / grid.what, mode="r+")


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _refuse_what_does_not_fit(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        said = (
            f"takes up to {needed / 2**20:,.1f} MiB, and {free / 2**20:,.1f} are free"
        )
        raise OSError(errno.ENOSPC, said, str(part))


@contextlib.contextmanager
def _workers(
    processes: int | None, scheduler: str | None
) -> Iterator[tuple[Executor, int]]:
    """Give what runs blocks, and how many of them to hand over at a time."""
    if not (processes or scheduler):
        # One array of nearly 32 MiB, freed: from now on the allocator keeps what it has
        # for the next block, instead of asking the system for every array anew.
        large = np.empty(4_190_000)
        del large
        with ThreadPoolExecutor(CPU_COUNT) as executor:
            yield executor, 2 * CPU_COUNT
        return
    with cluster(processes, scheduler) as (executor, workers):
        yield executor, 4 * workers


def _write_block(grid: Grid, array: zarr.Array, region: Region) -> None:
    """Compute a block and write it: the work of a thread or a process."""
    block = grid.compute(region)
    place = tuple(region.get(str(dim), slice(None)) for dim in block.dims)
    array[place] = block.to_numpy()


def _finish(part: Path, target: Path) -> None:
    """Give a store its name, with one list of what is in it, and no half block."""
    for left in part.rglob("*.partial"):
        left.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # xarray looks for the list, and has no other
        zarr.consolidate_metadata(part)
    put_folder(part, target)
