"""Starts that follow each other: by hand, by the jam, by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad

from vmbmodel.formulas._kernels.lengths import lengths
from vmbmodel.formulas.jam import (
    jam_makespan_h,
    jam_makespan_quantile_h,
    jam_mean_wait_h,
)
from vmbmodel.formulas.line import line_wait_h
from vmbmodel.formulas.slots import (
    no_overlap_interval_h,
    slots_backlog_h,
    slots_makespan_h,
    slots_mean_wait_h,
    slots_overrun_h,
)

counts = st.integers(1, 12)
hours = st.floats(0, 3)


def test_three_starts_by_hand():
    # starts of three at 0, 1 and 2 h before two movers, jobs of an hour: the first
    # mover begins at 0, 1, 2, 3, 4 and the second one too but for the last; in line
    # 0 0 1, 0 1 1, 1 1 2 h
    assert_allclose(slots_mean_wait_h(3, 3, 1, 2, 1), 7 / 9)
    assert slots_makespan_h(3, 3, 1, 2, 1) == 5
    assert slots_backlog_h(3, 3, 1, 2, 1) == 1


@given(slots=counts, jobs=counts, interval_h=hours, servers=counts)
def test_as_if_served_job_by_job(slots, jobs, interval_h, servers):
    arrival_h = np.repeat(np.arange(slots) * interval_h, jobs)
    wait_h = line_wait_h(arrival_h, 0.7, servers)
    line = slots, jobs, interval_h, servers, 0.7
    assert_allclose(slots_mean_wait_h(*line), wait_h.mean(), atol=1e-12)
    assert_allclose(slots_makespan_h(*line), (arrival_h + wait_h).max() + 0.7)


@given(slots=counts, waves=counts, interval_h=hours, servers=counts)
def test_whole_waves_flow_evenly(slots, waves, interval_h, servers):
    line = slots, waves * servers, interval_h, servers, 0.7
    alone_h = jam_mean_wait_h(waves * servers, servers, 0.7)
    assert_allclose(
        slots_mean_wait_h(*line), alone_h + slots_backlog_h(*line) / 2, atol=1e-12
    )


@given(slots=counts, jobs=counts, servers=counts)
def test_no_interval_is_a_jam_and_a_long_one_is_none(slots, jobs, servers):
    jam = slots * jobs, servers, 0.7
    assert_allclose(
        slots_mean_wait_h(slots, jobs, 0, servers, 0.7), jam_mean_wait_h(*jam)
    )
    assert_allclose(
        slots_makespan_h(slots, jobs, 0, servers, 0.7), jam_makespan_h(*jam)
    )
    clear_h = jam_makespan_h(jobs, servers, 0.7)
    alone_h = jam_mean_wait_h(jobs, servers, 0.7)
    spread_h = slots_mean_wait_h(slots, jobs, clear_h, servers, 0.7)
    assert_allclose(spread_h, alone_h, atol=1e-9)


def test_more_jobs_than_are_counted_flow_evenly():
    counted, flowing = (slots_mean_wait_h(n, 1000, 1, 100, 0.2) for n in (1000, 1001))
    assert_allclose(flowing - counted, 0.5, rtol=1e-6)
    assert slots_mean_wait_h(1e300, 1e300, 1, 1, 1) == np.inf
    assert slots_makespan_h(1, 1e300, 1e300, 1e300, 1) == 1


# --- jobs that vary -----------------------------------------------------------------


@pytest.mark.parametrize("family", ["gamma", "lognormal", "hyperexponential"])
@pytest.mark.parametrize("scv", [1.0, 4.0])
def test_overrun_by_integration(family, scv):
    law = lengths(scv, family)
    over = quad(law.beyond, 1.3, 200, limit=200)[0] + law.excess(200.0)
    assert_allclose(slots_overrun_h(2.6, 2, scv, family), 2 * over, rtol=1e-8)
    assert slots_overrun_h(0, 2, scv, family) == 2
    assert slots_overrun_h(1e308, 1e-300, scv, family) >= 0


def test_equal_jobs_outlast_the_interval_by_what_is_left():
    assert slots_overrun_h([0, 1, 2], 1.5, 0, "gamma").tolist() == [1.5, 0.5, 0]
    assert no_overlap_interval_h([0, 0.5, 1], 25, 10, 0.5, 0, "gamma").tolist() == [
        1.5,
        1.5,
        1.5,
    ]


@given(
    risk=st.floats(1e-12, 0.99),
    jobs=st.integers(1, 20),
    scv=st.floats(0.01, 8),
    family=st.sampled_from(["gamma", "lognormal"]),
)
def test_with_enough_movers_all_are_done_but_for_the_risk(risk, jobs, scv, family):
    interval_h = no_overlap_interval_h(risk, jobs, 20, 1, scv, family)
    late = -np.expm1(jobs * np.log1p(-lengths(scv, family).beyond(interval_h)))
    assert_allclose(late, risk, rtol=1e-9)


def test_an_exponential_start_by_hand():
    # ten at a time, all done with 95 %: -ln(1 - 0.95^(1/10)) = 5.2754 lengths
    assert_allclose(
        no_overlap_interval_h(0.05, 10, 10, 1, 1, "gamma"), 5.2754, atol=1e-4
    )


@pytest.mark.parametrize("scv", [0, 1, 2])
def test_more_jobs_than_movers_take_what_the_jam_takes(scv):
    for risk in (0.3, 1e-6):
        jam = 35, 10, 0.5, scv, "gamma"
        expected = jam_makespan_quantile_h(1 - risk, *jam)
        assert_allclose(no_overlap_interval_h(risk, *jam), expected, rtol=1e-9)


def test_no_risk_takes_forever_and_a_sure_one_no_time():
    jam = 35, 10, 0.5, 2, "lognormal"
    expected = jam_makespan_quantile_h(0.9, *jam)
    assert_allclose(no_overlap_interval_h(0.1, *jam), expected, rtol=1e-12)
    assert no_overlap_interval_h(0, *jam) == np.inf
    assert no_overlap_interval_h(1, *jam) == 0


@pytest.mark.parametrize(("servers", "scv"), [(10, 0.5), (10, 1.0), (50, 0.5)])
def test_overrun_bounds_the_wait_of_simulated_starts(servers, scv):
    # 60 starts of as many lognormal jobs as movers, 200 repetitions, seed 3; the load
    # is 0.7, and the mean over all starts may lie 3.9 standard errors above
    rng, spread = np.random.default_rng(3), np.sqrt(np.log1p(scv))
    interval_h, means = 1 / 0.7, []
    for _ in range(200):
        length_h = rng.lognormal(-(spread**2) / 2, spread, 60 * servers)
        arrival_h = np.repeat(np.arange(60) * interval_h, servers)
        means.append(line_wait_h(arrival_h, length_h, servers).mean())
    bound_h = slots_overrun_h(interval_h, 1, scv, "lognormal")
    assert np.mean(means) <= bound_h + 3.9 * np.std(means) / np.sqrt(200)


def test_a_risk_too_small_to_divide_by_is_one_hardly_larger():
    slot = 1, 10, 1, 2, "hyperexponential"
    least, little = (no_overlap_interval_h(p, *slot) for p in (5e-324, 1e-300))
    assert np.isfinite(least)
    assert least >= little
