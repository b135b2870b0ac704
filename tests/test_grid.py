"""`vmbmodel.grid`: one call, labelled axes, nothing expanded."""

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from vmbmodel.fields import describe
from vmbmodel.formulas.queueing import mean_wait_h
from vmbmodel.formulas.sharing import completion_equal_caps_h
from vmbmodel.formulas.transfer import initial_h
from vmbmodel.grid import sweep


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
