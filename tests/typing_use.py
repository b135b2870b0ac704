"""What a caller writes, for a type checker: `test_typing.py` runs one over it."""

from typing import assert_type

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

import vmbmodel as vm
from vmbmodel.formulas import completion_h, initial_h, jam_mean_wait_h
from vmbmodel.formulas.queueing import mean_wait_h

# a number in, a number out
assert_type(initial_h(4095, 19.07), float)
assert_type(mean_wait_h(10, arrivals_per_h=9, service_h=1.0), float)
assert_type(mean_wait_h(10, 9, 1, service_scv=2, family="lognormal"), float)
assert_type(vm.formulas.jam_mean_wait_h(100, 10, 0.5) + 1, float)
assert_type(initial_h(np.float64(4095), np.int64(19)), float)

# arrays and lists
sizes = np.array([128.0, 512.0])
assert_type(initial_h(sizes, 19.07), NDArray[np.float64])
assert_type(initial_h([128, 512], initial_mib_s=19.07), NDArray[np.float64])
assert_type(initial_h([[128, 512], [64, 32]], sizes), NDArray[np.float64])
assert_type(initial_h(used_gib=sizes, initial_mib_s=sizes), NDArray[np.float64])
hours: float = initial_h(sizes, 19.07).max()

# an axis to work along: an array in any case
done = completion_h([36, 36], cap_mib_s=[4, 20], capacity_mib_s=20)
assert_type(done, NDArray[np.float64])
assert_type(completion_h(36, 4, 20), NDArray[np.float64])

# a column of a table keeps its index
fleet = pd.DataFrame({"used_gib": [128.0, 512.0]}, index=["web", "sql"])
assert_type(initial_h(fleet["used_gib"], 19.07), "pd.Series[float]")
assert_type(initial_h(pd.Series([128.0, 512.0]), 19.07), "pd.Series[float]")
assert_type(initial_h(used_gib=fleet["used_gib"], initial_mib_s=19), "pd.Series[float]")
slowest = initial_h(fleet["used_gib"], initial_mib_s=19.07).idxmax()

# labels are kept, also beside anything else
servers = xr.DataArray([5, 10, 20], dims="servers")
assert_type(jam_mean_wait_h(100, servers, 0.5), xr.DataArray)
assert_type(vm.sweep(initial_h, used_gib=[50, 100], initial_mib_s=19), xr.DataArray)

# kinds mixed: what has labels decides
assert_type(initial_h(fleet["used_gib"], sizes), "pd.Series[float]")
assert_type(initial_h(sizes, fleet["used_gib"]), "pd.Series[float]")
assert_type(jam_mean_wait_h(servers, [10, 20, 40], 0.5), xr.DataArray)
assert_type(jam_mean_wait_h(fleet["used_gib"].round(), servers, 0.5), xr.DataArray)

# what is asked of a fleet answers in tables and numbers
inventory = vm.read_fleet("fleet.csv")
assert_type(inventory, pd.DataFrame)
assert_type(vm.sample_fleet(), pd.DataFrame)
scenario = vm.Scenario.of(vm.profile("azure-2018-12"), settings={"servers": 20})
answer = vm.estimate(inventory, scenario, months=12)
assert_type(answer.vms, pd.DataFrame)
assert_type(vm.estimate("fleet.csv").total["total_usd"], float)
assert_type(vm.check(inventory).worst(), str)
assert_type(vm.schedule("fleet.csv", scenario).policies, pd.DataFrame)
assert_type(vm.calibrate("joblog.csv", fleet=inventory)["servers"], float)
assert_type(vm.compare(inventory, None, [{"servers": 5}])[0]["case"], object)
assert_type(vm.diff("monday.json", answer).causes, pd.DataFrame)
assert_type(vm.reconcile(inventory, ["may.csv", "june.csv"]).lines, pd.DataFrame)
assert_type(vm.prices()["instance_fee_usd"] * vm.limits()["daily_backups"], float)
assert_type(vm.__version__, str)


def refused_as_when_it_runs() -> None:
    initial_h(fleet, 19.07)  # type: ignore[call-overload]
    initial_h(None, 19.07)  # type: ignore[call-overload]
    vm.formulas.no_such_formula(1)  # type: ignore[attr-defined]
