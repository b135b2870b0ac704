"""`vmbmodel.sweeps`: a grid in a file, computed block by block, gone on with."""

import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from distributed import LocalCluster
from numpy.testing import assert_allclose
from typer.testing import CliRunner

from vmbmodel import sweeps
from vmbmodel.cli import app
from vmbmodel.fields import describe
from vmbmodel.formulas import completion_equal_caps_h, mean_wait_h, wait_quantile_h
from vmbmodel.grid import sweep
from vmbmodel.plan import Scenario
from vmbmodel.plan.estimate import doubt, estimate
from vmbmodel.plan.estimate.draws import Draws
from vmbmodel.sweeps import read_grid, tabulated, write_store

FLEET = Path(__file__).parents[1] / "book/examples/one-vm.csv"
WAITS = """
formula = "wait_quantile_h"
[axes]
servers = [5, 10, 20]
arrivals_per_h = { from = 0.1, to = 4, count = 40 }
service_h = { from = 0.1, to = 10, count = 25, spacing = "log" }
[held]
prob = 0.95
"""
AXES = {
    "servers": [5, 10, 20],
    "arrivals_per_h": np.linspace(0.1, 4, 40),
    "service_h": np.geomspace(0.1, 10, 25),
}


@pytest.fixture
def grid_of(tmp_path):
    """Return what reads a text as a grid."""

    def read(text):
        path = tmp_path / "grid.toml"
        path.write_text(text)
        return read_grid(path)

    return read


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(sweeps, "_THREAD_CELLS", 100)
    monkeypatch.setattr(sweeps, "_CLUSTER_CELLS", 1000)


def stored(path):
    with xr.open_zarr(path) as found:
        return found.load()


def expected():
    return sweep(wait_quantile_h, prob=0.95, **AXES).transpose(*AXES)


# --- what a file says ---------------------------------------------------------------


def test_a_list_or_a_range_is_an_axis_and_the_rest_is_held(grid_of):
    grid = grid_of(WAITS)
    assert grid.cells == 3000
    assert list(grid.axes) == list(AXES)
    for name, values in AXES.items():
        assert_allclose(grid.axes[name], values, rtol=1e-15)
    assert grid.held == {"prob": 0.95}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("wait_quantile_h", "wait_quantil_h", "2: there is no formula 'wait_quantil_h"),
        ('formula = "wait_quantile_h"', "", " name a formula, or an answer"),
        ("formula =", "formulas =", "2: there is no 'formulas'; did you mean 'formula"),
        ("servers =", "servrs =", "4: wait_quantile_h has no argument 'servrs'; did"),
        ("prob = 0.95", "", "7: wait_quantile_h needs prob: an axis, or held"),
        ("prob = 0.95", "prob = 2", "8: prob must be >= 0 and <= 1; got 2"),
        ("prob = 0.95", "prob = [0.9]", r"8: prob must be a number; got \[0.9\]"),
        ("prob = 0.95", "prob = 0.95\nservers = 5", "4: servers cannot be an axis and"),
        (
            "[5, 10, 20]",
            "[5, 0]",
            r"4: servers must be > 0 .*; got 0.0 at index \(1,\)",
        ),
        ("[5, 10, 20]", "[5, 5]", r"4: servers has a value twice: \[5, 5\]"),
        ("[5, 10, 20]", "[5, 'x']", "4: servers must be a list of values; got"),
        ("[5, 10, 20]", "[]", "4: servers must be a list of values; got"),
        ("[5, 10, 20]", "5", "4: servers must be a list or a range; got 5"),
        (
            "from = 0.1, to = 4",
            "from = 4, to = 4",
            "5: .* from must be below to; got 4",
        ),
        ("to = 4,", "", "5: arrivals_per_h: to must be a finite number; got nothing"),
        ("count = 40", "count = 1", "5: .* count must be whole, >= 2 and .*; got 1"),
        ("count = 40", "count = 1e12", "5: .* count must be .* <= 1,000,000; got 1000"),
        ("count = 40", "count = 4, step = 1", "5: arrivals_per_h: there is no 'step'"),
        ("from = 0.1, to = 10", "from = 0, to = 10", "6: service_h: from must be > 0"),
        (
            '"log"',
            '"lin"',
            "6: service_h: spacing must be one of linear, log; got 'lin",
        ),
        (
            "prob = 0.95",
            "prob = 0.95\nservice_scv = 1\nfamily = 'x'",
            "10: family must",
        ),
        (
            "[held]\n",
            "family = ['gamma', 'lognormal']\n[held]\n",
            "7: family is a choi",
        ),
        ("[axes]", "[axes", "3: "),
    ],
)
def test_a_fault_is_refused_with_its_line(grid_of, old, new, said):
    assert old in WAITS
    with pytest.raises(ValueError, match=rf"grid\.toml:{said}"):
        grid_of(WAITS.replace(old, new))


def test_all_faults_are_said_at_once(grid_of):
    text = WAITS.replace("[5, 10, 20]", "[0]").replace("0.95", "2").replace("40", "0")
    with pytest.raises(ValueError, match=r":4: .*\n.*:5: .*\n.*:8: ") as refused:
        grid_of(text)
    assert len(str(refused.value).splitlines()) == 3


def test_a_grid_without_axes_is_none(grid_of):
    with pytest.raises(ValueError, match=r"\[axes\] names no axis"):
        grid_of("formula = 'mean_wait_h'")


# --- the store ----------------------------------------------------------------------


@pytest.mark.usefixtures("small_blocks")
def test_a_store_holds_the_sweep_with_its_labels(grid_of, tmp_path):
    seen, path = [], tmp_path / "out.zarr"
    write_store(grid_of(WAITS), path, progress=lambda *at: seen.append(at))
    found, whole = stored(path)["wait_quantile_h"], expected()
    xr.testing.assert_identical(found.drop_attrs(), whole.drop_attrs())
    assert found.attrs == whole.attrs
    for name in AXES:
        assert found[name].attrs == whole[name].attrs
    assert seen[-1] == (str(path), 30, 30)
    assert len(seen) > 10
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_dir()] == [path.name]


@pytest.mark.usefixtures("small_blocks")
def test_a_cluster_gives_the_same(grid_of, tmp_path):
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
    ) as cluster:
        address = cluster.scheduler_address
        write_store(grid_of(WAITS), tmp_path / "out.zarr", scheduler=address)
    xr.testing.assert_equal(stored(tmp_path / "out.zarr").wait_quantile_h, expected())


def test_workers_on_this_machine_give_the_same(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(WAITS)
    words = [str(path), "-o", str(tmp_path / "out.zarr"), "--processes", "1"]
    done = CliRunner().invoke(app, ["sweep", *words])
    assert done.exit_code == 0, done.output
    xr.testing.assert_equal(stored(tmp_path / "out.zarr").wait_quantile_h, expected())


@pytest.mark.usefixtures("small_blocks")
def test_a_sweep_that_was_stopped_goes_on_where_it_was(grid_of, tmp_path, monkeypatch):
    path, grid, computed = tmp_path / "out.zarr", grid_of(WAITS), []
    compute = sweeps.Grid.compute

    def stops(self, region):
        computed.append(region)
        if len(computed) == 12:
            raise KeyboardInterrupt
        return compute(self, region)

    with monkeypatch.context() as patched:
        patched.setattr(sweeps.Grid, "compute", stops)
        with pytest.raises(KeyboardInterrupt):
            write_store(grid, path)
    assert not path.exists()
    seen = []
    there = write_store(grid, path, progress=lambda *at: seen.append(at[1]))
    assert 5 < there < 15
    assert len(seen) <= 30 - there
    xr.testing.assert_equal(stored(path).wait_quantile_h, expected())


@pytest.mark.usefixtures("small_blocks")
def test_what_was_begun_on_threads_goes_on_elsewhere_in_its_blocks(grid_of, tmp_path):
    path, grid = tmp_path / "out.zarr", grid_of(WAITS)
    write_store(grid, path)
    part = path.rename(f"{path}.part")
    shutil.rmtree(part / "wait_quantile_h/c/1")
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        there = write_store(grid, path, scheduler=cluster.scheduler_address)
    assert there == 20
    xr.testing.assert_equal(stored(path).wait_quantile_h, expected())


@pytest.mark.usefixtures("small_blocks")
def test_a_block_of_nothing_but_zeros_is_there_as_well(grid_of, tmp_path):
    path = tmp_path / "out.zarr"
    grid = grid_of(WAITS.replace("0.95", "0").replace("to = 10", "to = 1"))
    write_store(grid, path)
    assert not stored(path).wait_quantile_h.any()
    part = path.rename(f"{path}.part")
    shutil.rmtree(part / "wait_quantile_h/c/1")
    assert write_store(grid, path) == 20


def test_half_of_another_sweep_is_not_gone_on_with(grid_of, tmp_path):
    path = tmp_path / "out.zarr"
    write_store(grid_of(WAITS), path)
    path.rename(f"{path}.part")
    other = grid_of(WAITS.replace("0.95", "0.5"))
    with pytest.raises(FileExistsError, match="half of another sweep"):
        write_store(other, path)
    assert write_store(other, path, force=True) == 0
    found = stored(path).wait_quantile_h
    xr.testing.assert_equal(found, sweep(wait_quantile_h, prob=0.5, **AXES))


def test_a_store_that_exists_is_replaced_only_by_force(grid_of, tmp_path):
    path, grid = tmp_path / "out.zarr", grid_of(WAITS)
    write_store(grid, path)
    with pytest.raises(FileExistsError, match="exists"):
        write_store(grid, path)
    write_store(grid_of(WAITS.replace("0.95", "0.5")), path, force=True)
    assert stored(path).wait_quantile_h.attrs["prob"] == 0.5
    (tmp_path / "photos.zarr").mkdir()
    with pytest.raises(FileExistsError, match="exists"):
        write_store(grid, tmp_path / "photos.zarr", force=True)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        write_store(grid, tmp_path / "nowhere/out.zarr")


def test_an_old_store_stays_until_the_new_one_has_its_name(
    grid_of, tmp_path, monkeypatch
):
    path, rename = tmp_path / "out.zarr", os.rename
    write_store(grid_of(WAITS), path)

    def fail(before, after):
        if Path(before).name == "out.zarr.part":
            raise OSError(errno.EIO, "Input/output error", str(before))
        rename(before, after)

    monkeypatch.setattr(os, "rename", fail)
    other = grid_of(WAITS.replace("0.95", "0.5"))
    with pytest.raises(OSError, match="Input/output error"):
        write_store(other, path, force=True)
    assert stored(path).wait_quantile_h.attrs["prob"] == 0.95
    monkeypatch.undo()
    assert write_store(other, path, force=True) > 0  # all of it was there
    assert sorted(tmp_path.glob("out*")) == [path]


def test_what_the_disk_cannot_hold_is_not_begun(grid_of, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**20, 0, 23_999))
    with pytest.raises(OSError, match=r"takes up to .* are free") as refused:
        write_store(grid_of(WAITS), tmp_path / "out.zarr")
    assert refused.value.errno == errno.ENOSPC
    assert not [entry for entry in tmp_path.iterdir() if entry.is_dir()]


def test_a_formula_along_an_axis_takes_a_list_that_is_held(grid_of, tmp_path):
    text = """
    formula = "completion_equal_caps_h"
    [axes]
    capacity_mib_s = [10, 20]
    [held]
    cap_mib_s = 5
    size_gib = [1, 2, 4]
    """
    write_store(grid_of(text), tmp_path / "out.zarr")
    found = stored(tmp_path / "out.zarr").completion_equal_caps_h
    assert found.sizes == {"capacity_mib_s": 2, "disk": 3}
    for at, capacity in enumerate((10, 20)):
        one = completion_equal_caps_h([1, 2, 4], 5, capacity)
        assert_allclose(found[at], one, rtol=0)
    with pytest.raises(ValueError, match="size_gib goes along disk, so it is no axis"):
        grid_of(
            text.replace("[held]", "size_gib = [1, 2]\n[held]").replace(
                "    size_gib = [1, 2, 4]\n", ""
            )
        )


# --- CSV ----------------------------------------------------------------------------


@pytest.mark.usefixtures("small_blocks")
def test_csv_has_a_row_a_cell(grid_of, tmp_path):
    grid_of(WAITS)
    words = [str(tmp_path / name) for name in ("grid.toml", "out.csv")]
    done = CliRunner().invoke(app, ["sweep", words[0], "-o", words[1]])
    assert done.exit_code == 0, done.output
    found = pd.read_csv(words[1])
    whole = expected().to_dataframe()["wait_quantile_h"].reset_index()
    pd.testing.assert_frame_equal(found, whole, check_dtype=False, rtol=1e-15)


def test_csv_of_too_many_cells_is_refused(grid_of):
    many = WAITS.replace("count = 40", "count = 400000")
    with pytest.raises(ValueError, match="30,000,000 cells are too many for CSV"):
        next(tabulated(grid_of(many)))


# --- estimates ----------------------------------------------------------------------

BILLS = f"""
answer = "total_usd"
fleet = "{FLEET.as_posix()}"
[axes]
churn_frac = [0.02, 0.08]
redundancy = ["LRS", "GRS"]
[held]
recovery_points = 14
"""


def test_a_sweep_of_estimates_is_an_estimate_a_cell(grid_of, tmp_path):
    write_store(grid_of(BILLS), tmp_path / "out.zarr")
    found = stored(tmp_path / "out.zarr").total_usd
    assert found.sizes == {"churn_frac": 2, "redundancy": 2}
    for churn in (0.02, 0.08):
        settings = {"churn_frac": churn, "redundancy": "GRS", "recovery_points": 14}
        one = estimate(FLEET, Scenario.of(settings=settings)).total["total_usd"]
        assert found.sel(churn_frac=churn, redundancy="GRS").item() == one


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("total_usd", "total_eur", "2: there is no total 'total_eur'; did you mean"),
        ("[0.02, 0.08]", "[2]", "5: churn_frac must be"),
        ('"LRS", "GRS"', '"XRS"', "6: redundancy cannot be 'XRS'"),
        ("recovery_points", "recovery_point", "8: .*'recovery_point'; did you mean"),
        ("fleet =", "#", " fleet must be a name; got None"),
        ("[axes]", "formula = 'mean_wait_h'\n[axes]", "4: a grid has a formula or an"),
    ],
)
def test_a_fault_in_a_grid_of_estimates_is_refused_with_its_line(
    grid_of, old, new, said
):
    assert old in BILLS
    with pytest.raises(ValueError, match=rf"grid\.toml:{said}"):
        grid_of(BILLS.replace(old, new))


# --- the command --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "out.nc"], "must end in .csv or .zarr"),
        (["--processes", "2"], "are for a .zarr store"),
        (
            ["-o", "a.zarr", "--processes", "2", "--scheduler", "x"],
            "exclude each other",
        ),
    ],
)
def test_a_command_that_asks_for_what_there_is_not_is_refused(tmp_path, words, said):
    path = tmp_path / "grid.toml"
    path.write_text(WAITS)
    done = CliRunner().invoke(app, ["sweep", str(path), *words])
    assert done.exit_code == 2
    assert said in done.output


# --- draws --------------------------------------------------------------------------

DRAWN = """
formula = "mean_wait_h"
[axes]
servers = { prior = true, draws = 64 }
arrivals_per_h = [1, 2, 5]
service_h = { prior = true, draws = 64 }
"""


@pytest.mark.usefixtures("small_blocks")
def test_what_is_drawn_shares_one_labelled_axis(grid_of, tmp_path):
    write_store(grid_of(DRAWN), tmp_path / "out.zarr")
    found = stored(tmp_path / "out.zarr").mean_wait_h
    assert found.sizes == {"draw": 64, "arrivals_per_h": 3}
    for name in ("servers", "service_h"):
        assert found[name].dims == ("draw",)
        assert found[name].attrs == describe(name)
    assert abs(np.corrcoef(found["servers"], found["service_h"])[0, 1]) < 0.4
    one = found.sel(draw=17, arrivals_per_h=5)
    assert one.item() == mean_wait_h(one["servers"].item(), 5, one["service_h"].item())
    law = {"prior": True, "draws": 64}
    same = sweep(mean_wait_h, servers=law, arrivals_per_h=[1, 2, 5], service_h=law)
    xr.testing.assert_equal(found, same.transpose(*found.dims))


@pytest.mark.usefixtures("small_blocks")
def test_csv_tells_what_was_drawn_beside_each_cell(grid_of):
    table = pd.concat(tabulated(grid_of(DRAWN)))
    assert len(table) == 64 * 3
    columns = ["draw", "arrivals_per_h", "servers", "service_h", "mean_wait_h"]
    assert list(table) == columns
    wait = mean_wait_h(table.servers, table.arrivals_per_h, table.service_h)
    assert_allclose(table.mean_wait_h, wait, rtol=0)


def test_a_sweep_over_one_constant_has_the_ends_of_its_doubt():
    draws = Draws.of(Scenario.of(), 64)
    others = {name for moved in draws.moves.values() for name in moved} - {"cell_kib"}
    settings = {name: draws.base.taken[name] for name in others}
    scenario = Scenario.of(settings=settings)
    law = {"prior": True, "draws": 64}
    bills = sweep(estimate, fleet=FLEET, scenario=scenario, cell_kib=law).total_usd
    alone = doubt(FLEET, scenario, draws=64)
    assert alone.drawn == ("cell_kib",)
    ends = np.quantile(bills, [0.1, 0.9], method="inverted_cdf")
    assert ends[0] < 0.999 * ends[1]
    found = [alone.total[f"total_usd_{end}"] for end in ("low", "high")]
    assert_allclose(found, ends, rtol=1e-12)


def test_totals_of_estimates_are_swept_over_draws_from_a_file(grid_of):
    text = BILLS.replace("[0.02, 0.08]", "{ prior = true, draws = 4 }")
    table = pd.concat(tabulated(grid_of(text)))
    assert len(table) == 4 * 2
    for row in table.to_dict("records"):
        settings = {name: row[name] for name in ("churn_frac", "redundancy")}
        one = Scenario.of(settings=settings | {"recovery_points": 14})
        assert row["total_usd"] == estimate(FLEET, one).total["total_usd"]
    with pytest.raises(ValueError, match=r"grid\.toml:6: redundancy has no prior"):
        grid_of(BILLS.replace('["LRS", "GRS"]', "{ prior = true, draws = 4 }"))
    law, scenario = {"prior": True, "draws": 4}, Scenario.of(settings={"cell_kib": 8})
    with pytest.raises(ValueError, match="cell_kib is set, which leaves nothing to"):
        sweep(estimate, fleet=FLEET, scenario=scenario, cell_kib=law)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("arrivals_per_h = [1, 2, 5]", "arrivals_per_h = { prior = true, draws = 64 }",
         "5: arrivals_per_h has no prior to draw from"),
        ("draws = 64", "draws = 1", "4: servers: draws must be whole, >= 2 .*; got 1"),
        ("draws = 64", "count = 64", "4: servers: there is no 'count'"),
        ("draws = 64", "draws = 65537", "4: servers: draws must be .* <= 65,536; got"),
        (", draws = 64", "", "4: servers: draws must be whole, >= 2 .*; got nothing"),
        ("true", "false", "4: servers: prior must be true; got False"),
        ("draws = 64", "draws = 32", "3: draws must be as many .* servers 32, serv"),
    ],
)  # fmt: skip
def test_a_law_that_is_none_is_refused_with_its_line(grid_of, old, new, said):
    assert old in DRAWN
    with pytest.raises(ValueError, match=rf"grid\.toml:{said}"):
        grid_of(DRAWN.replace(old, new, 1))
