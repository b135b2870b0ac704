"""The day as a flow: published peaks, conservation of work, and the line job by job."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from vmbmodel.formulas.capacity import peak_utilisation_frac
from vmbmodel.formulas.day import fluid_wait_h, movers_fluid_wait_h, overload_band_h
from vmbmodel.formulas.jam import jam_mean_wait_h
from vmbmodel.formulas.line import line_wait_h

loads = arrays(float, st.integers(1, 24), elements=st.floats(0, 3))
jobs = st.floats(0.01, 20)


def test_a_cubic_peak():
    # Newell (1982), ch. 2: arrivals beta (t - t0)(t1 - t) above capacity leave
    # beta (t1 - t0)^3 / 6 at t1, gone at t0 + 1.5 (t1 - t0). With 2, from 4 h to 10 h:
    # 72 jobs at 10 h, gone at 13 h; a delay of 364.5 h in all. Capacity of 60 an hour.
    slots = 24 * 240
    edge_h = np.arange(slots + 1) / 240
    work = np.diff(2 * (7 * edge_h**2 - 40 * edge_h - edge_h**3 / 3)) * 240
    load = np.maximum(1 + work / 60, 0)
    line = 60 * fluid_wait_h(load, 0)
    assert_allclose(line.max(), 72, rtol=1e-4)
    assert_allclose(line[10 * 240], 72, rtol=1e-4)
    assert line[13 * 240 - 2] > 0
    assert line[13 * 240 + 2] == 0
    assert_allclose(line.sum() / 240, 364.5, rtol=1e-4)


@given(peak=st.integers(1, 12), wait=st.floats(0.1, 11), calm=st.floats(0, 1))
def test_a_rectangular_peak_leaves_its_wait_and_drains(peak, wait, calm):
    calm = calm * (1 - wait / (24 - peak)) * 0.99  # so that the day can do its work
    load = np.full(24, calm)
    load[:peak] = peak_utilisation_frac(wait, peak)
    line = fluid_wait_h(load, 0)
    assert_allclose(line[peak], wait, rtol=1e-9)
    hours = np.arange(24 - peak)
    drained = np.maximum(wait - (1 - calm) * hours, 0)
    assert_allclose(line[peak:], drained, atol=1e-9)


def test_a_pulse_is_a_jam():
    # 100 jobs of half an hour on ten movers: the last waits 4.5 h in waves, as a flow
    # 5 h for the work before and with it; half of that on average
    load, pulse = np.zeros(24), np.zeros(24)
    pulse[3] = 100 * 0.5 / 10
    line = fluid_wait_h(load, pulse)
    assert_allclose(line[2:9], [0, 5, 4, 3, 2, 1, 0])
    assert_allclose(line[3] / 2, jam_mean_wait_h(100, 10, 0.5) + 0.5 / 2)


@given(
    starts=st.lists(st.integers(0, 23), min_size=1, max_size=40),
    each=st.floats(0.05, 0.5),
)
def test_the_line_of_one_mover_job_by_job(starts, each):
    # jobs of one mover, served in order, today and on the days before
    starts = np.sort(starts)
    pulse = np.bincount(starts, minlength=24) * each
    if pulse.sum() >= 24 * 0.999:
        return
    days = (starts + 24 * np.arange(40)[:, np.newaxis]).ravel()
    exact = line_wait_h(days, each, 1)[-len(starts) :] + each
    last = np.append(starts[1:] != starts[:-1], True)
    found = fluid_wait_h(0, pulse)
    assert_allclose(found[starts[last]], exact[last], atol=1e-9)


@given(load=loads)
def test_work_that_comes_in_a_day_is_done_in_a_day(load):
    hours = 24 / len(load)
    line = fluid_wait_h(load, 0)
    if load.mean() >= 1 - 1e-9:
        assert np.all(line == np.inf)
        return
    # within a slot all movers work while anything waits
    drained = np.where(load < 1, line / np.maximum(1 - load, 1e-9), np.inf)
    busy = np.minimum(drained, hours)
    done = busy + (hours - busy) * np.minimum(load, 1)
    assert_allclose(done.sum(), 24 * load.mean(), rtol=1e-9, atol=1e-9)


@given(load=loads, service=jobs)
def test_jobs_that_take_time_find_idle_movers_first(load, service):
    line = movers_fluid_wait_h(load, 0, service)
    assert np.all(line <= fluid_wait_h(load, 0) + 1e-9)


@given(load=loads)
def test_jobs_of_no_time_are_work(load):
    line = movers_fluid_wait_h(load, 0, 1e-6)
    assert_allclose(line, fluid_wait_h(load, 0), rtol=1e-4, atol=1e-4)


@settings(max_examples=20)
@given(load=loads, service=st.floats(0.5, 8))
def test_the_flow_of_jobs_solves_its_equation(load, service):
    if load.mean() > 0.8:
        return
    steps = 2400 // len(load)
    step = 24 / len(load) / steps / service
    level = 0.0
    for _ in range(12):  # a fifth of each day idle at least: so many settle it
        levels = []
        for arriving in np.repeat(load, steps).tolist():
            levels.append(level)
            level += step * (arriving - min(level, 1))
    stepped = np.maximum(np.array(levels[::steps]) - 1, 0) * service
    line = movers_fluid_wait_h(load, 0, service)
    assert_allclose(line, stepped, atol=0.1)


@pytest.mark.parametrize("service", [1e-300, 1, 1e300])
def test_extremes(service):
    nothing = movers_fluid_wait_h([0, 0, 0], 0, service)
    assert nothing.tolist() == [0, 0, 0]
    full = movers_fluid_wait_h([1, 1, 1], 0, service)
    assert full.tolist() == [np.inf] * 3
    assert movers_fluid_wait_h([1e300, 0, 0], 0, service)[0] == np.inf
    assert movers_fluid_wait_h([0.5, 0.5], [1e300, 0], service)[1] == np.inf


def test_the_band_is_the_largest_excess_of_a_random_walk_over_a_parabola():
    # E max (B(t) - t^2/2) over all t is 0.996193 (Janson, Louchard and Martin-Löf
    # 2010); a walk in steps of 1/400 misses 0.5826/20 of it on either side
    chance = np.random.default_rng(1)
    step_h = 1 / 400
    times = np.arange(1, 2001) * step_h
    largest = np.zeros(4000)
    for _ in range(2):  # one side of the line, then the other
        walk = chance.normal(0, np.sqrt(step_h), (4000, 2000)).cumsum(axis=1)
        largest = np.maximum(largest, (walk - times**2 / 2).max(axis=1))
    # variance rate 1 and growth 1
    band = overload_band_h(1, servers=2, service_h=1, service_scv=1)
    error = 3 * largest.std() / np.sqrt(len(largest))
    assert abs(largest.mean() + 0.5826 * np.sqrt(step_h) - band) < error
