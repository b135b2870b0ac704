"""`vmbmodel.grid`: one call, labelled axes, nothing expanded."""

import dask.array
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from vmbmodel.fields import describe
from vmbmodel.formulas.queueing import mean_wait_h
from vmbmodel.formulas.sharing import completion_equal_caps_h
from vmbmodel.formulas.transfer import initial_h
from vmbmodel.grid import block_lengths, sweep


def test_lists_become_axes_and_scalars_are_held():
    wait = sweep(
        mean_wait_h, servers=[2, 4], arrivals_per_h=[1.0, 2.0, 3.0], service_h=1
    )
    assert wait.sizes == {"servers": 2, "arrivals_per_h": 3}
    assert wait.name == "mean_wait_h"
    assert wait.attrs == describe("mean_wait_h") | {"service_h": 1}
    assert wait["servers"].attrs == describe("servers")
    point = wait.sel(servers=4, arrivals_per_h=3.0).item()
    assert_allclose(point, mean_wait_h(4, 3.0, 1))


def test_a_labelled_argument_brings_its_own_axes():
    rate = xr.DataArray([20, 40], dims="profile", coords={"profile": ["old", "new"]})
    hours = sweep(initial_h, used_gib=[100, 200], initial_mib_s=rate)
    assert hours.sizes == {"used_gib": 2, "profile": 2}
    assert_allclose(hours.sel(profile="old"), 2 * hours.sel(profile="new"))


def test_only_scalars_give_one_number():
    hours = sweep(initial_h, used_gib=100, initial_mib_s=20)
    assert hours.ndim == 0
    assert hours.item() == initial_h(100, 20)


def test_a_formula_along_an_axis_takes_labelled_groups():
    sizes = xr.DataArray(np.ones((3, 4)), dims=("count", "disk"))
    hours = sweep(
        completion_equal_caps_h, size_gib=sizes, cap_mib_s=10, capacity_mib_s=[10, 40]
    )
    assert hours.sizes == {"count": 3, "capacity_mib_s": 2, "disk": 4}


def test_a_misspelt_argument_is_refused():
    with pytest.raises(TypeError, match="servrs"):
        sweep(mean_wait_h, servers=1, arrivals_per_h=1, service_h=1, servrs=[1])


# --- larger than memory -----------------------------------------------------------

AXES = {
    "servers": np.arange(1.0, 41.0),
    "arrivals_per_h": np.linspace(0.1, 30, 30),
    "service_h": np.linspace(0.1, 1.0, 10),
}


@pytest.mark.parametrize("chunks", [10, 700, 10**6, {"servers": 7}])
def test_a_sweep_in_blocks_is_the_sweep(chunks):
    lazy, whole = sweep(mean_wait_h, chunks, **AXES), sweep(mean_wait_h, **AXES)
    assert isinstance(lazy.data, dask.array.Array)
    assert lazy.compute().identical(whole)


def test_a_grid_of_a_thousand_million_cells_is_laid_out_not_computed():
    axes = {name: np.linspace(0.001, 1, 1000) for name in AXES}
    lazy = sweep(mean_wait_h, 10**6, **axes)
    assert lazy.size == 10**9
    assert max(map(np.prod, zip(*lazy.chunks, strict=False))) <= 10**6
    corner = lazy.isel(servers=[0, -1], arrivals_per_h=-1, service_h=0)
    few = {name: values[[0, -1]] for name, values in axes.items()}
    expected = sweep(mean_wait_h, **few).isel(arrivals_per_h=-1, service_h=0)
    assert corner.compute().identical(expected)


def test_an_axis_that_a_formula_works_along_stays_in_one_block():
    sizes = xr.DataArray(np.arange(1.0, 13).reshape(3, 4), dims=("count", "disk"))
    arguments = {"cap_mib_s": 10, "capacity_mib_s": [10.0, 20.0, 40.0]}
    whole = sweep(completion_equal_caps_h, size_gib=sizes, **arguments)
    for chunks in (2, {"disk": 1, "count": 2}):
        lazy = sweep(completion_equal_caps_h, chunks, size_gib=sizes, **arguments)
        assert lazy.chunksizes["disk"] == (4,)
        assert len(lazy.chunksizes["count"]) > 1
        assert lazy.compute().identical(whole)


def test_a_bad_value_of_an_axis_is_refused_before_anything_is_computed():
    with pytest.raises(ValueError, match=r"^servers must be .* index \(995,\)$"):
        sweep(mean_wait_h, 10, **AXES | {"servers": [*np.ones(995), -1.0]})


def test_a_bad_value_in_a_block_is_named_by_its_place_in_the_whole():
    rows = xr.DataArray([*np.ones(995), -1.0, 1.0], dims="vm").chunk(vm=50)
    later = mean_wait_h(servers=rows, arrivals_per_h=0.5, service_h=1)
    with pytest.raises(ValueError, match=r"^servers must be .* index \(995,\)$"):
        later.compute()


def test_a_lazy_array_without_labels_stays_lazy_and_keeps_the_rules_of_numpy():
    servers = dask.array.from_array(np.arange(1.0, 7).reshape(2, 3), chunks=1)
    found = mean_wait_h(servers, [0.1, 0.2, 0.3], 1)
    assert isinstance(found, dask.array.Array)
    expected = mean_wait_h(np.arange(1.0, 7).reshape(2, 3), [0.1, 0.2, 0.3], 1)
    assert_allclose(found.compute(), expected, rtol=0)


def test_a_lazy_array_has_no_index_to_share_with_a_column():
    lazy, column = dask.array.ones(2), pd.Series([0.1, 0.2])
    with pytest.raises(ValueError, match=r"mean_wait_h: .* no lazy array; got servers"):
        mean_wait_h(lazy, column, 1)


def test_blocks_are_of_axes_that_there_are():
    with pytest.raises(ValueError, match="no axis 'servrs'; known: servers, arri"):
        sweep(mean_wait_h, {"servrs": 2}, **AXES)


def test_a_block_takes_whole_axes_from_the_last():
    assert block_lengths({"a": 5, "b": 10, "c": 20}, 1000) == {"a": 5, "b": 10, "c": 20}
    assert block_lengths({"a": 5, "b": 10, "c": 20}, 400) == {"a": 2, "b": 10, "c": 20}
    assert block_lengths({"a": 5, "b": 10, "c": 20}, 50) == {"a": 1, "b": 2, "c": 20}
    assert block_lengths({"a": 5, "b": 10, "c": 20}, 7) == {"a": 1, "b": 1, "c": 7}


def test_draws_are_lazy_in_chunks_as_any_axis():
    law = {"prior": True, "draws": 64}
    whole = sweep(initial_h, used_gib=[100, 200], initial_mib_s=law)
    lazy = sweep(initial_h, chunks=32, used_gib=[100, 200], initial_mib_s=law)
    assert lazy.chunks is not None
    xr.testing.assert_equal(lazy.compute(), whole)
    assert_allclose(whole.sel(used_gib=100), initial_h(100, whole["initial_mib_s"]))


def test_an_axis_of_ones_own_is_not_taken_for_draws():
    law = {"prior": True, "draws": 64}
    with pytest.raises(ValueError, match="draw is the axis of what is drawn"):
        sweep(initial_h, used_gib=100, initial_mib_s=law, draw=[1, 2])
    with pytest.raises(ValueError, match="used_gib has no prior to draw from"):
        sweep(initial_h, used_gib=law, initial_mib_s=20)
