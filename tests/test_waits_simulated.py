"""Waits by simulation: a small case in SimPy, and the tables of the validation."""

import importlib.util
import tomllib
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import simpy
from numpy.testing import assert_allclose

from vmbmodel import formulas
from vmbmodel.formulas.jam import jam_makespan_h, jam_mean_wait_h
from vmbmodel.formulas.queueing import mean_wait_h, wait_prob

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "validation/waits.py"
DATA = ROOT / "notebooks/data"


@pytest.fixture(scope="module")
def waits():
    spec = importlib.util.spec_from_file_location("waits", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def simpy_line(rng, gaps_h, servers, spread):
    """Serve lognormal jobs of mean 1 in SimPy; return waits, and when all are done."""
    environment = simpy.Environment()
    movers, waits_h = simpy.Resource(environment, servers), []

    def job():
        arrived_h = environment.now
        with movers.request() as turn:
            yield turn
            waits_h.append(environment.now - arrived_h)
            yield environment.timeout(rng.lognormal(-(spread**2) / 2, spread))

    def arrivals():
        for gap_h in gaps_h:
            yield environment.timeout(gap_h)
            environment.process(job())

    environment.process(arrivals())
    environment.run()
    return np.array(waits_h), environment.now


def test_a_queue_in_simpy():
    # lognormal jobs, scv 2, four movers at 70 %: 30 runs of 3 000 jobs from empty, of
    # which the first 500 do not count, seed 4; at 3.9 standard errors, and 2 % for
    # what the formula is off by
    rng, spread, seen = np.random.default_rng(4), np.sqrt(np.log(3)), []
    for _ in range(30):
        gaps_h = rng.exponential(1 / 2.8, 3_000)
        waits_h = simpy_line(rng, gaps_h, 4, spread)[0][500:]
        seen.append((waits_h.mean(), np.mean(waits_h > 0)))
    law = 4, 2.8, 1, 2, "lognormal"
    for predicted, means in zip(
        (mean_wait_h(*law), wait_prob(*law)),
        np.transpose(seen),
        strict=True,
    ):
        error = 3.9 * means.std(ddof=1) / np.sqrt(30)
        assert abs(predicted - means.mean()) <= error + 0.02 * predicted


def test_a_jam_in_simpy():
    # 40 lognormal jobs, scv 2, at once on five movers: 400 runs, seed 6
    rng, spread, seen = np.random.default_rng(6), np.sqrt(np.log(3)), []
    for _ in range(400):
        waits_h, last_h = simpy_line(rng, np.zeros(40), 5, spread)
        seen.append((waits_h.mean(), last_h))
    jam = 40, 5, 1, 2, "lognormal"
    for predicted, means in zip(
        (jam_mean_wait_h(*jam), jam_makespan_h(*jam)),
        np.transpose(seen),
        strict=True,
    ):
        assert abs(predicted - means.mean()) <= 3.9 * means.std(ddof=1) / np.sqrt(400)


# --- lines that were counted, as far off as the docstrings say ----------------------


@pytest.fixture(scope="module")
def counted():
    """Return how far a formula is off what was counted, as a share, and by chance."""
    cases = pd.read_csv(DATA / "lines.csv")

    def off(quantity, formula):
        rows = cases[cases["quantity"] == quantity]
        assert len(rows)
        ours = np.array([formula(case) for case in rows.itertuples()])
        chance = 3 * rows["half_width"] / rows["value"]
        return rows.assign(off=ours / rows["value"] - 1, chance=chance)

    return off


def law_of(case):
    return case.service_scv, case.family


def test_priorities_are_as_far_off_as_they_say(counted):
    def waits(formula, rows):
        def one(case):
            jobs = case.utilisation_frac * case.servers
            rates = 0.2 * jobs, 0.8 * jobs
            return formula(case.servers, *rates, 1, 1, *law_of(case))

        return counted(rows, one)

    rows = waits(formulas.priority_restore_wait_h, "restores_mean_h")
    most = rows["service_scv"].map({0: 0.07, 0.5: 0.09, 2: 0.13, 4: 0.18})
    assert (rows["off"].abs() <= most + rows["chance"] / 3).all()
    rows = waits(formulas.priority_backup_wait_h, "backups_mean_h")
    assert (rows["off"] >= -0.09 - rows["chance"]).all()
    assert (rows["off"] <= 0.02 + rows["chance"]).all()


def test_the_load_of_a_wait_is_that_which_was_served(counted):
    law = counted("wait_p95_h", lambda case: case.value)
    busy = [
        formulas.utilisation_for_wait_frac(case.value, 0.95, 10, 1, *law_of(case))
        for case in law.itertuples()
    ]
    assert np.abs(busy - law["utilisation_frac"]).max() <= 0.005


def test_what_outlasts_a_slot_is_more_than_jobs_of_the_next_wait(counted):
    rows = counted(
        "slots_mean_h",
        lambda case: formulas.slots_overrun_h(
            1 / case.utilisation_frac, 1, *law_of(case)
        ),
    )
    assert (rows["off"] >= -rows["chance"]).all()


@pytest.mark.parametrize(
    ("quantity", "formula", "most"),
    [
        ("jam_mean_h", formulas.jam_mean_wait_h, 1e-3),
        ("jam_end_mean_h", formulas.jam_makespan_h, 2e-3),
        ("jam_start_p95_h", partial(formulas.jam_wait_quantile_h, 0.95), 2e-3),
        ("jam_end_p50_h", partial(formulas.jam_makespan_quantile_h, 0.5), 5e-3),
        ("jam_end_p95_h", partial(formulas.jam_makespan_quantile_h, 0.95), 5e-3),
    ],
)
def test_jams_are_as_exact_as_they_say(counted, quantity, formula, most):
    rows = counted(
        quantity, lambda case: formula(case.jobs, case.servers, 1, *law_of(case))
    )
    assert (rows["off"].abs() <= most + rows["chance"]).all()


# --- the script of the validation ---------------------------------------------------


def test_the_script_knows_nothing_of_the_package():
    assert "vmbmodel" not in SCRIPT.read_text("utf-8")


def test_the_stored_tables_are_those_of_the_script(waits):
    stored = pd.read_csv(DATA / "waits.csv")
    assert stored["quantity"].is_unique
    grid = pd.read_csv(DATA / "waits_map.csv")
    assert len(grid) == len(waits.LOADS) * len(waits.VARIATIONS)
    assert (stored["half_width"] > 0).all()
    assert (grid["half_width"] > 0).all()
    made = tomllib.loads((DATA / "waits.toml").read_text("utf-8"))
    assert made["command"] == waits.COMMAND
    assert made["seed"] == waits.SEED


def test_one_server_is_the_queue_of_the_textbook(waits):
    rng = np.random.default_rng(1)
    seen = waits.queue(rng, 1, 0.5, 1, "gamma", jobs=4_000, repeats=50)
    assert_allclose(seen[0].mean(), 1, rtol=0.1)  # load / (1 - load)


def test_jobs_of_a_batch_wait_for_each_other(waits):
    seen = waits.queue(np.random.default_rng(1), 1, 1e-3, 0, "gamma", 3, 300, 20)
    assert_allclose(seen[0].mean(), 1, rtol=0.02)  # 0, 1 and 2 jobs ahead


def test_nobody_waits_on_the_hour_where_there_is_a_server_for_each(waits):
    rng = np.random.default_rng(1)
    assert waits.pulses(rng, 40, 3, 0.25, False, hours=50) == 0
    # one server, and about one job that lasts a quarter: hardly any wait for another
    assert 0 < waits.pulses(rng, 1, 1, 0.25, False, hours=400) < 0.25


def test_who_goes_first_waits_less(waits):
    restores_h, backups_h = waits.priority(3, 2, 0.3, 1.3, jobs=4_000)
    assert 0 < restores_h < backups_h
