"""The simulations behind the chapter on validation, in their simplest cases."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "validation/simulate.py"
DATA = ROOT / "notebooks/data"


@pytest.fixture(scope="module")
def simulate():
    spec = importlib.util.spec_from_file_location("simulate", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_knows_nothing_of_the_package():
    assert "vmbmodel" not in SCRIPT.read_text("utf-8").partition('"""\n\nimport')[2]


def test_the_stored_disks_come_out_again(simulate):
    again = simulate.completions(vms=1)
    stored = pd.read_csv(DATA / "completions.csv").head(len(again))
    pd.testing.assert_frame_equal(again, stored, check_dtype=False, atol=1e-6)


def test_the_stored_table_has_what_the_script_writes(simulate):
    stored = pd.read_csv(DATA / "simulation.csv")
    source = SCRIPT.read_text("utf-8")
    assert all(f'"{name}"' in source for name in stored["quantity"])
    assert (stored["half_width"] >= 0).all()


def test_nobody_waits_where_there_is_a_server_for_each(simulate):
    waits_h, makespans_h = simulate.jam(np.random.default_rng(1), 5, 5, 1, 100)
    assert (waits_h == 0).all()
    assert (makespans_h > 0).all()


def test_one_server_is_the_queue_of_the_textbook(simulate):
    waits_h = simulate.queue(np.random.default_rng(1), 1, 0.5, 1, 4000, 400, 50)
    assert_allclose(waits_h.mean(), 1, rtol=0.1)  # load / (1 - load)


def test_a_bitmap_has_its_share_and_its_runs(simulate):
    cells = simulate.bitmap(np.random.default_rng(1), 2**18, 0.2, 0.5)
    assert_allclose(cells.mean(), 0.2, rtol=0.05)
    assert_allclose(simulate.runs(cells) / cells.size, 0.2 * 0.8 * 0.5, rtol=0.05)
    assert simulate.runs(np.array([True, True, False, True])) == 2


def test_points_need_every_version_once(simulate):
    assert simulate.retained(np.random.default_rng(1), 10, 3, 4) == 10 + 3 * 3


def test_a_disk_alone_goes_at_its_cap(simulate):
    done_h = simulate.share(np.array([7200.0]), np.array([2.0]), 5.0, 1.0)
    assert_allclose(done_h, 1)
