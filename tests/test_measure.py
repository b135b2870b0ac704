"""The measurements behind the book, in small: no program but SQLite, no root."""

import importlib
import shutil
import sqlite3
import sys
import tomllib
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vmbmodel.formulas.dispersion import block_extents_frac, changed_blocks_frac
from vmbmodel.formulas.distinct import distinct_gib, rewritten_frac
from vmbmodel.formulas.writes import changed_uniform, touched_cells

ROOT = Path(__file__).parents[1]
DATA = ROOT / "notebooks/data"
MIB = 2.0**-10  # GiB
CELL = 8192


@pytest.fixture(scope="module")
def scripts():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "validation")
        yield importlib.import_module("measure"), importlib.import_module("workloads")


@pytest.fixture
def no_programs(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)


def cells_of(image):
    """Return the contents of an image, cell by cell."""
    content = image.read_bytes()
    return [content[at : at + CELL] for at in range(0, len(content), CELL)]


def test_scattered_writes_touch_what_the_formulas_say(scripts, tmp_path, no_programs):
    measure, workloads = scripts
    disk = workloads.Scattered("generator", 32, writes=600)
    measured, _ = measure.short(disk, tmp_path, 4)
    days = pd.DataFrame(measured)
    fine = days[days["cell_kib"] == 8]
    what = {"size_gib": 32 * MIB, "write_kib": 6, "align_kib": 0.5}
    for cell_kib, seen in days.groupby("cell_kib"):
        expected = changed_uniform(600, **what, cell_kib=cell_kib)
        # the spread of a count of cells is below its Poisson spread
        error = np.sqrt(expected / len(seen))
        assert abs(seen["changed_cells"].mean() - expected) <= 3.9 * error
    # a run ends with a changed cell before one that all writes missed too
    touched, cells = touched_cells(6, 0.5, 8), 32 * 128
    missed, both = ((1 - (touched + more) / cells) ** 600 for more in (0, 1))
    expected = cells * (missed - both)
    assert abs(fine["extents"].mean() - expected) <= 3.9 * np.sqrt(expected / 4)


def test_a_database_is_predicted_from_its_first_day(scripts, tmp_path, no_programs):
    measure, workloads = scripts
    disk = workloads.SqliteAlone("SQLite", 32)
    days = pd.DataFrame(measure.short(disk, tmp_path, 4)[0])
    with closing(sqlite3.connect(tmp_path / "after.img")) as base:
        assert base.execute("pragma integrity_check").fetchone() == ("ok",)
    days["changed_frac"] = days["changed_cells"] / days["cells"]
    fine = days[days["cell_kib"] == 8].set_index("day")
    first, later = fine.loc[1], fine.loc[2:]
    index = min(
        first["extents"] / first["changed_cells"] / (1 - first["changed_frac"]), 1
    )
    extents = later["cells"] * block_extents_frac(later["changed_frac"], index, 1, 1)
    assert (abs(extents / later["extents"] - 1) < 0.05).all()
    for cell_kib in (16, 64, 256, 1024):
        seen = days[days["cell_kib"] == cell_kib].set_index("day").loc[2:]
        share = changed_blocks_frac(
            later["changed_frac"], index, cell_kib / 8, first["active_frac"]
        )
        assert (abs(share * seen["cells"] / seen["changed_cells"] - 1) < 0.2).all()


def test_points_hold_the_data_and_the_unions_of_their_gaps(scripts, tmp_path):
    measure, workloads = scripts
    disk = workloads.SqliteAlone("SQLite", 16, rows=40_000, zipf_exponent=0.9)
    changed, images = [], []
    for day, before, after in measure.days(disk, tmp_path, 12):
        images += [cells_of(before)] if day == 1 else []
        changed.append(measure.compare_images(before, after))
        images.append(cells_of(after))
    unions = np.array(measure.union_cells(changed))
    for kept in ([*range(13)], [0, 4, 8, 12], [1, 2, 9, 11, 12]):
        stored = len(set().union(*[images[day] for day in kept]))
        used = len(set(images[kept[0]]))
        predicted = used + unions[np.diff(kept) - 1].sum()
        assert abs(predicted / stored - 1) < 0.01
    gib = unions * CELL / 2**30
    overlap = rewritten_frac(gib[0], gib[1])
    for days in (4, 8, 12):
        known = days, 16 * MIB, gib[0], overlap, 0
        lower, upper = (
            distinct_gib(*known, stored_reading=end) for end in ("lower", "upper")
        )
        assert lower * 0.99 <= gib[days - 1] <= upper * 1.01


def test_borg_finds_the_cells_that_the_reader_finds(scripts, tmp_path):
    measure, workloads = scripts
    if not measure.Borg.is_there():
        pytest.skip("needs borg 1, which has no wheel: apt install borgbackup")
    disk = workloads.Scattered("generator", 16, writes=100)
    days = pd.DataFrame(measure.short(disk, tmp_path, 1)[0]).dropna()
    assert len(days) == len(measure.CHUNKS_KIB)
    assert (days["borg_chunks"] == days["changed_cells"]).all()


def test_what_is_missing_is_left_out_and_said_to_be(scripts, monkeypatch, no_programs):
    measure, workloads = scripts
    monkeypatch.setattr(measure.os, "geteuid", lambda: 1000)
    assert not measure.Borg.is_there()
    possible = {one.name for one in measure.SHORT if measure.possible(one)}
    assert possible == {"generator, 6 KiB"}
    told = tomllib.loads(measure.about("short", measure.SHORT, {"borg", "fio"}))
    assert told["left_out"] == ["borg", "fio"]
    assert told["SQLite, hot rows"]["zipf_exponent"] == 0.9
    with pytest.raises(RuntimeError, match="nonsense"):
        workloads.run(sys.executable, "-c", "raise SystemExit('nonsense')")


def test_a_workload_measured_again_takes_the_place_of_its_rows(scripts, tmp_path):
    measure, _ = scripts
    path, order = tmp_path / "table.csv", ["first", "second"]
    for name, value in [("second", 1), ("first", 2), ("second", 3)]:
        rows = pd.DataFrame({"workload": [name] * 2, "value": [value, -value]})
        measure.put(rows, path, order)
    table = pd.read_csv(path)
    assert table["workload"].tolist() == ["first", "first", "second", "second"]
    assert table["value"].tolist() == [2, -2, 3, -3]


@pytest.mark.parametrize(
    ("part", "named"), [("short", "measured"), ("long", "retained")]
)
def test_the_stored_tables_are_of_what_the_script_runs(scripts, part, named):
    measure, _ = scripts
    workloads, _, count, names = measure.PARTS[part]
    told = tomllib.loads((DATA / f"{named}.toml").read_text("utf-8"))
    assert told["command"] == f"python validation/measure.py {part}"
    assert told["left_out"] == []
    for workload in workloads:
        said = told[workload.name]
        assert said["size_mib"] == workload.size_mib
    tables = {name: pd.read_csv(DATA / f"{name}.csv") for name in names}
    for table in tables.values():
        assert set(table["workload"]) == {one.name for one in workloads}
    first = tables[names[0]]
    if part == "short":
        assert set(first["day"]) == set(range(1, count + 1))
        assert set(first["cell_kib"]) == set(measure.CELLS_KIB)
    else:
        assert len(first) == len(workloads) * len(measure.POLICIES)
