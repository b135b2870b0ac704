"""The wait over a day: a pool in balance, exact solutions, and a simulation."""

import heapq
import warnings
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import solve_banded
from scipy.special import gammaincc

from vmbmodel.formulas.day import (
    day_mean_wait_h,
    day_method,
    day_wait_quantile_h,
    day_wait_within_prob,
    flow_wait_h,
    fluid_wait_h,
    movers_fluid_wait_h,
)
from vmbmodel.formulas.queueing import mean_wait_h, wait_quantile_h, wait_within_prob

HOURS = np.arange(24) + 0.5


def night(peak, hours, calm):
    return (peak,) * hours + (calm,) * (24 - hours)


def wave(peak, mean):
    return tuple(mean + (peak - mean) * np.sin(2 * np.pi * HOURS / 24))


@cache
def exact(load, servers, service_h, most=400, steps=120):
    """Chance of so many jobs at the start of each hour, after days like it.

    Kolmogorov's equations, by the trapezoidal rule.
    """
    done = np.minimum(np.arange(most), servers) / service_h
    flows = {}
    for arriving in set(load):
        born = np.append(np.full(most - 1, arriving * servers / service_h), 0)
        flows[arriving] = np.append(0, done[1:]), -(born + done), born
    half_h = 1 / steps / 2
    jobs = np.eye(most)[0]
    for _ in range(6):
        hours = []
        for arriving in load:
            hours.append(jobs)
            up, stay, down = flows[arriving]
            ahead = np.array([-half_h * up, 1 - half_h * stay, -half_h * down])
            for _ in range(steps):
                after = stay * jobs
                after[:-1] += up[1:] * jobs[1:]
                after[1:] += down[:-1] * jobs[:-1]
                jobs = solve_banded(
                    (1, 1), ahead, jobs + half_h * after, check_finite=False
                )
    return np.array(hours)


def exact_mean_h(load, servers, service_h):
    ahead = np.maximum(np.arange(400) - servers + 1, 0)
    return exact(load, servers, service_h) @ ahead * service_h / servers


def exact_late_prob(load, servers, service_h, wait_h):
    ahead = np.maximum(np.arange(400) - servers + 1, 0)
    late = gammaincc(np.maximum(ahead, 1e-9), wait_h * servers / service_h)
    return exact(load, servers, service_h) @ np.where(ahead > 0, late, 0)


def of_all_jobs(load, wait):
    return np.average(wait, weights=load)


@given(
    servers=st.floats(1, 500),
    load=st.floats(0, 0.999),
    service=st.floats(0.01, 10),
    prob=st.floats(0, 0.999),
    wait=st.floats(0, 20),
)
@settings(max_examples=30)
def test_a_load_that_does_not_change_is_the_queue_in_balance(
    servers, load, service, prob, wait
):
    day = np.full(4, load), 0, servers, service
    queue = servers, load * servers / service, service
    assert_allclose(day_mean_wait_h(*day), mean_wait_h(*queue), rtol=1e-5, atol=1e-12)
    assert_allclose(
        day_wait_quantile_h(*day, prob),
        wait_quantile_h(prob, *queue),
        rtol=1e-5,
        atol=1e-5,
    )
    assert_allclose(
        day_wait_within_prob(*day, wait), wait_within_prob(wait, *queue), rtol=1e-5
    )
    assert np.all(day_method(*day) == 0)


# error of the mean over the jobs, and of that of the worst hour, in percent
@pytest.mark.parametrize(
    ("load", "servers", "service", "mean", "worst"),
    [
        (night(7 / 3, 6, 0.3), 10, 1, 0.5, 0.5),  # eight hours at the end of the night
        (night(3, 4, 0.4), 10, 1, 2, 1),
        (night(3, 4, 0.4), 2, 0.5, 8, 5),  # few movers, and nights that run into nights
        (wave(1.58, 0.8), 5, 0.5, 2, 2),
        (wave(1.4, 0.8), 10, 1, 3, 2),
        (wave(1.15, 0.75), 20, 0.5, 10, 8),
        (wave(0.9, 0.6), 10, 1, 12, 20),
        (night(7 / 3, 6, 0.5), 10, 1, 18, 9),  # a day filled to 96 %
    ],
)
def test_against_exact_solutions(load, servers, service, mean, worst):
    truth = exact_mean_h(load, servers, service)
    found = day_mean_wait_h(load, 0, servers, service)
    error = of_all_jobs(load, found) / of_all_jobs(load, truth) - 1
    assert abs(error) < mean / 100
    assert abs(found.max() / truth.max() - 1) < worst / 100


# queueing.md, sect. 4, in its words: always in balance is right in every regime and too
# long, by up to a fifth at a peak of full load
@pytest.mark.parametrize(
    ("load", "servers", "least", "most"),
    [
        (wave(0.9, 0.6), 50, 0, 8),
        (wave(1.0, 0.65), 50, 10, 25),
        (wave(1.15, 0.75), 50, 10, 22),
        (wave(1.58, 0.8), 5, 3, 14),
    ],
)
def test_always_in_balance_is_a_little_too_long(load, servers, least, most):
    truth = exact_mean_h(load, servers, 0.5)
    found = flow_wait_h(load, 0, servers, 0.5)
    error = of_all_jobs(load, found) / of_all_jobs(load, truth) - 1
    assert least / 100 < error < most / 100


def test_the_share_that_waits_longer_against_the_exact_one():
    load = night(7 / 3, 6, 0.3)
    for wait_h in (0, 1, 4, 8):
        truth = exact_late_prob(load, 10, 1, wait_h)
        found = 1 - day_wait_within_prob(load, 0, 10, 1, wait_h)
        assert np.abs(found - truth).max() < 0.2
        assert np.abs(found - truth).mean() < 0.02
    late = day_wait_quantile_h(load, 0, 10, 1, 0.95)
    for hour in range(2, 21):  # from the peak until its line is gone
        really = exact_late_prob(load, 10, 1, late[hour])[hour]
        assert abs(really - 0.05) < 0.015


def test_a_simulation_of_nights_with_a_start_of_ones_own():
    # 60 jobs of ours at 1:00 on top of what others bring: Poisson arrivals,
    # exponential jobs, served in order, 2,000 nights that start empty (by then the
    # pool is), waits of those who come in the hour from 3:00 and from 6:00
    chance = np.random.default_rng(7)
    load, servers = np.array(night(1.5, 4, 0.2)), 10
    pulse = np.zeros(24)
    pulse[1] = 60 / servers
    waits = {3: [], 6: []}
    for _ in range(2000):
        count = chance.poisson(load[:8] * servers)
        others = np.repeat(np.arange(8), count) + chance.random(count.sum())
        arrivals = np.sort(np.concatenate([others, np.full(60, 1.0), [3.0, 6.0]]))
        free = [0.0] * servers
        for at, length in zip(
            arrivals.tolist(),
            chance.exponential(1, len(arrivals)).tolist(),
            strict=True,
        ):
            begin = max(at, free[0])
            heapq.heapreplace(free, begin + length)
            if at in (3.0, 6.0):
                waits[int(at)].append(begin - at)
    found = day_mean_wait_h(load, pulse, servers, 1)
    late = day_wait_quantile_h(load, pulse, servers, 1, 0.95)
    for hour, seen in waits.items():
        sure = 1.96 * np.std(seen) / np.sqrt(len(seen))
        assert abs(np.mean(seen) - found[hour]) < sure + 0.02 * found[hour]
        assert abs(np.quantile(seen, 0.95) - late[hour]) < 0.2


def test_which_law_and_why():
    # a load below 1 makes a line by chance, one far above by overload, and one that a
    # day cannot do never clears
    assert not day_method(wave(0.95, 0.6), 0, 10, 1).any()
    method = day_method(night(7 / 3, 6, 0.3), 0, 10, 1)
    line = movers_fluid_wait_h(night(7 / 3, 6, 0.3), 0, 1)
    assert np.all(method[line > 0.5] == 1)
    assert np.all(method[17:] == 0)
    assert np.all(day_method([1.2, 0.9], 0, 10, 1) == 2)


@given(
    load=st.lists(st.floats(0, 2), min_size=2, max_size=6),
    servers=st.floats(1, 1000),
    service=st.floats(0.3, 8),
)
@settings(max_examples=8, deadline=None)
def test_what_a_wait_has_to_be(load, servers, service):
    day = load, 0, servers, service
    if np.mean(load) > 0.9:
        return
    half, most = (day_wait_quantile_h(*day, p) for p in (0.5, 0.95))
    assert np.all((half >= 0) & (half <= most) & np.isfinite(most))
    within = day_wait_within_prob(*day, most[0])
    assert within[0] >= 0.95 - 1e-9
    assert np.all(day_mean_wait_h(*day) >= 0)


def test_many_short_jobs_are_a_flow():
    load = night(3, 4, 0.4)
    flow = fluid_wait_h(load, 0)
    assert_allclose(day_mean_wait_h(load, 0, 1e5, 0.01), flow, atol=0.15)
    assert_allclose(day_wait_quantile_h(load, 0, 1e5, 0.01, 0.95), flow, atol=0.15)


@pytest.mark.parametrize("servers", [1e-300, 1, 1e300])
@pytest.mark.parametrize("service", [1e-300, 1, 1e300])
def test_extremes(servers, service):
    day = [[0, 0, 0], [1e-300, 0, 0], [1e300, 0, 0], [2, 0.2, 0.1]], 0, servers, service
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean = day_mean_wait_h(*day)
        never, ever = (day_wait_quantile_h(*day, p) for p in (0, 1))
        within = day_wait_within_prob(*day, 1e300)
    assert not np.isnan([mean, never, ever, within]).any()
    assert np.all(mean[2] == np.inf)
    assert np.all(within[2] == 0)
    assert np.all(mean[0] == 0)


@pytest.mark.parametrize("bad", [-1e-9, np.nan, np.inf])
def test_a_bad_load_is_named(bad):
    with pytest.raises(ValueError, match=r"^utilisation_frac must be .*\(1,\)$"):
        day_mean_wait_h([0.5, bad], 0, 10, 1)
