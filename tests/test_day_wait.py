"""The wait over a day: a pool in balance, exact solutions, and a simulation."""

import heapq
import warnings
from functools import cache, reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import expm
from scipy.special import gammainc, gammaincc
from slow import after

from vmbmodel.formulas._kernels import day_law
from vmbmodel.formulas._kernels import pool_day as pool_kernel
from vmbmodel.formulas._kernels.day_law import _exact
from vmbmodel.formulas._kernels.many_days import jobs_through_days
from vmbmodel.formulas.day import (
    day_mean_wait_h,
    day_wait_quantile_h,
    day_wait_within_prob,
    fluid_wait_h,
    movers_fluid_wait_h,
)
from vmbmodel.formulas.laws import pool_day, pool_days
from vmbmodel.formulas.queueing import mean_wait_h, wait_quantile_h, wait_within_prob

HOURS = np.arange(24) + 0.5


def night(peak, hours, calm):
    return (peak,) * hours + (calm,) * (24 - hours)


def wave(peak, mean):
    return tuple(mean + (peak - mean) * np.sin(2 * np.pi * HOURS / 24))


@cache
def exact(load, servers, service_h, most=400):
    """Chance of so many jobs at the start of each hour, of a day like the one before.

    Kolmogorov's equations, solved hour by hour as matrices.
    """
    done = np.minimum(np.arange(most), servers) / service_h
    hours = {}
    for arriving in set(load):
        born = np.append(np.full(most - 1, arriving * servers / service_h), 0)
        flow = np.diag(born[:-1], 1) + np.diag(done[1:], -1) - np.diag(born + done)
        hours[arriving] = expm(flow * 24 / len(load))
    day = reduce(np.matmul, (hours[arriving] for arriving in load))
    stays = np.vstack([day.T - np.eye(most), np.ones(most)])
    jobs = [np.linalg.lstsq(stays, np.append(np.zeros(most), 1), rcond=None)[0]]
    for arriving in load[:-1]:
        jobs.append(jobs[-1] @ hours[arriving])
    return np.array(jobs)


def exact_mean_h(load, servers, service_h, most=400):
    ahead = np.maximum(np.arange(most) - servers + 1, 0)
    return exact(load, servers, service_h, most) @ ahead * service_h / servers


def exact_late_prob(load, servers, service_h, wait_h, most=400):
    ahead = np.maximum(np.arange(most) - servers + 1, 0)
    late = gammaincc(np.maximum(ahead, 1e-9), wait_h * servers / service_h)
    return exact(load, servers, service_h, most) @ np.where(ahead > 0, late, 0)


def of_all_jobs(load, wait):
    return np.average(wait, weights=load)


def test_the_day_of_the_specification():
    # worked out by another program
    load = np.repeat(night(7 / 3, 6, 0.3), 2)
    hours = np.array([22, 1, 2, 6, 10, 14, 20])  # since the peak began
    mean = [0.029, 0.927, 2.258, 7.592, 4.792, 2.098, 0.125]
    half = [0, 0.852, 2.197, 7.538, 4.738, 1.938, 0]
    most = [0, 2.042, 3.866, 10.389, 7.706, 5.018, 0.979]
    wait = pool_day(load, 10, 1)
    for prob, expected in ((0.5, half), (0.95, most)):
        late = day_wait_quantile_h(load, 0, 10, 1, prob)[2 * hours]
        assert_allclose(late, expected, atol=6e-4)
        assert_allclose(wait.quantile_h(hours, prob), expected, atol=1e-3)
    assert_allclose(day_mean_wait_h(load, 0, 10, 1)[2 * hours], mean, atol=5.1e-4)
    assert_allclose(wait.mean_h(hours), mean, atol=6e-4)


@given(
    servers=st.integers(1, 50) | st.floats(51, 500),
    load=st.floats(0, 0.99),
    service=st.floats(0.1, 10),
    prob=st.floats(0, 0.999),
    wait=st.floats(0, 20),
)
@settings(max_examples=15, deadline=None)
def test_a_load_that_does_not_change_is_the_queue_in_balance(
    servers, load, service, prob, wait
):
    day = np.full(4, load), 0, servers, service
    queue = servers, load * servers / service, service
    assert_allclose(day_mean_wait_h(*day), mean_wait_h(*queue), rtol=1e-5, atol=1e-8)
    assert_allclose(
        day_wait_quantile_h(*day, prob),
        wait_quantile_h(prob, *queue),
        rtol=1e-5,
        atol=1e-5,
    )
    assert_allclose(
        day_wait_within_prob(*day, wait), wait_within_prob(wait, *queue), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("load", "servers", "service", "most"),
    [
        (night(7 / 3, 6, 0.3), 10, 1, 400),
        (night(3, 4, 0.4), 2, 0.5, 400),  # nights that run into nights
        (wave(0.9, 0.6), 10, 1, 400),
        (night(7 / 3, 6, 0.51), 10, 1, 900),  # a day filled to 97 %
        ((0.37,) * 4 + (1.3,) * 6 + (0.37,) * 14, 2, 2, 400),
        (night(1.5, 3, 0.2), 50, 2, 300),
    ],
)
def test_it_is_the_solution_of_kolmogorov_s_equations(load, servers, service, most):
    day = load, 0, servers, service
    truth = exact_mean_h(*day[:1], *day[2:], most)
    assert_allclose(day_mean_wait_h(*day), truth, rtol=1e-5, atol=1e-8)
    for wait_h in (0, 0.5, 4):
        late = exact_late_prob(*day[:1], *day[2:], wait_h, most)
        assert_allclose(1 - day_wait_within_prob(*day, wait_h), late, atol=1e-7)
    late_h = day_wait_quantile_h(*day, 0.95)
    for hour in (2, 8, 12):
        late = exact_late_prob(*day[:1], *day[2:], late_h[hour], most)[hour]
        assert late_h[hour] == 0 or abs(late - 0.05) < 1e-6


def test_near_saturation_it_has_settled():
    # as much is done in a day as comes: one mover is idle 1.2 % of the time
    load = night(7 / 3, 6, 0.54)
    idle = day_wait_within_prob(np.repeat(load, 20), 0, 1, 1, 0)
    assert_allclose(idle.mean(), 1 - np.mean(load), rtol=0.01)


def test_a_day_that_is_all_but_full_settles_as_after_thirty_thousand():
    load = np.array([1.3] * 12 + [0.699] * 12)  # less of it, a day settles in a few
    calm = load * 0.9
    waits = day_mean_wait_h([calm, load], 0, servers=60, service_h=3)
    assert_allclose(waits[1, :3], [97.74004379, 98.040548, 98.3410507], rtol=3e-5)
    alone = day_mean_wait_h(calm, 0, servers=60, service_h=3)
    assert_allclose(waits[0], alone, rtol=1e-6)


def test_a_pulse_is_so_many_jobs_at_once():
    # an empty day but for k jobs at 0:00, and one hour of work for each of c movers:
    # who comes then finds them, and after an hour those that have not ended
    load, pulse = np.zeros(24), np.zeros(24)
    pulse[0] = 12 / 10
    within = day_wait_within_prob(load, pulse, 10, 1, 0.7)
    assert_allclose(day_mean_wait_h(load, pulse, 10, 1)[0], 0.3)  # 3 have to end of 12
    assert_allclose(within[0], gammainc(3, 7))
    # a number in between is the two about it by turns
    between = [day_mean_wait_h(load, pulse * k / 12, 10, 1) for k in (12, 12.25, 13)]
    assert_allclose(between[1], 0.75 * between[0] + 0.25 * between[2], atol=1e-9)


@pytest.mark.parametrize(
    ("load", "servers", "service", "pulse"),
    [
        (night(7 / 3, 6, 0.3), 10, 1, 0),
        (wave(1.4, 0.8), 3, 2, 0),
        (night(1.5, 4, 0.2), 20, 0.5, (0,) * 10 + (1.35,) + (0,) * 13),
        (night(7 / 3, 6, 0.3), 6.5, 1, 0),
    ],
)
def test_at_any_hour_it_is_that_of_a_finer_day(load, servers, service, pulse):
    wait = pool_day(load, servers, service, pulse)
    parts = 40
    pulses = np.zeros((24, parts))
    pulses[:, 0] = pulse
    fine = np.repeat(load, parts), pulses.ravel(), servers, service
    hours = np.arange(24 * parts) / parts
    for wait_h in (0, 0.2, 1, 3, 8):
        truth = day_wait_within_prob(*fine, wait_h)
        assert_allclose(wait.within_prob(hours, wait_h), truth, atol=1e-4)
        assert_allclose(wait.within_prob(hours + 48, wait_h), truth, atol=1e-4)
    assert_allclose(wait.mean_h(hours), day_mean_wait_h(*fine), atol=1e-3)
    late = wait.quantile_h(hours[:, np.newaxis], [0.05, 0.5, 0.95])
    assert late.shape == (len(hours), 3)
    within = wait.within_prob(hours[:, np.newaxis], late)
    assert_allclose(
        within[late > 0],
        np.broadcast_to([0.05, 0.5, 0.95], late.shape)[late > 0],
        atol=1e-6,
    )
    assert np.all(wait.quantile_h(hours, 1) == np.inf)


@given(
    start=st.floats(0, 5.9),
    later=st.floats(0.05, 1),
    peak=st.floats(1.05, 3),
    servers=st.integers(1, 20),
)
@settings(max_examples=10, deadline=None)
def test_in_a_peak_who_comes_later_waits_longer(start, later, peak, servers):
    wait = pool_day(night(peak, 6, 0.2), servers, 1)
    met = start, min(start + later, 6)
    for prob in (0.5, 0.95):
        early, late = wait.quantile_h(met, prob)
        assert late >= early - 1e-3


# what the rule says of itself, of pools that are just too large to be exact
@pytest.mark.parametrize(
    ("load", "servers", "service", "least", "most", "drains"),
    [
        (night(7 / 3, 6, 0.3), 51, 0.5, -1, 1, 0.02),
        (night(1.3, 5, 0.6), 51, 2, 0, 6, 0.2),
        (night(7 / 3, 6, 0.5), 51, 2, -6, 0, 0.2),  # a day filled to 96 %
        (wave(1.0, 0.65), 51, 0.5, 10, 20, 0),
        (wave(1.58, 0.8), 200, 1, -1, 1, 0.02),
        (night(7 / 3, 6, 0.54), 51, 2, -17, -10, 0.5),
    ],
)
def test_the_rule_is_as_good_as_it_says(
    load, servers, service, least, most, drains, monkeypatch
):
    day = load, 0, servers, service
    rule, late = day_mean_wait_h(*day), day_wait_quantile_h(*day, 0.95)
    _exact.cache_clear()
    monkeypatch.setattr(pool_kernel, "MOST_SERVERS", 1000)
    truth, truly_late = day_mean_wait_h(*day), day_wait_quantile_h(*day, 0.95)
    _exact.cache_clear()
    error = 100 * (of_all_jobs(load, rule) / of_all_jobs(load, truth) - 1)
    assert least < error < most
    draining = (np.array(load) < 1) & (movers_fluid_wait_h(load, 0, service) > 0.2)
    off = np.abs(late[draining] / truly_late[draining] - 1)
    assert off.max(initial=0) <= drains


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


@pytest.mark.parametrize(
    ("peak", "hours", "calm", "servers", "service_h"),
    after(
        4,
        [
            (7 / 3, 6, 0.3, 10, 1.0),
            (1.9, 9, 0.42, 3, 2.0),  # filled to 98 %
            (7 / 3, 6, 0.3, 120, 0.5),  # by the rule
            (0.5, 3, 0.5, 0.8, 1.0),
            (3.5, 4, 0.1, 45.5, 0.6),  # a peak flows in at once, a part of a mover
        ],
    ),
)
def test_many_days_at_once_are_each_day_by_itself(
    peak, hours, calm, servers, service_h
):
    load = np.repeat(night(peak, hours, calm), 2)
    many = np.array([load, np.full(48, 0.7), load + 0.01])
    law = pool_days(many, np.array([servers, 4, servers]), np.full(3, service_h))
    met_h, one = np.arange(0, 24, 0.7), pool_day(load, servers, service_h)
    mean_h = one.mean_h(met_h)
    first = law.each(lambda day: day[:1])
    assert_allclose(first.mean_h(met_h)[0], mean_h, rtol=0.02, atol=0.03)
    within = first.within_prob(met_h, mean_h)[0]
    assert_allclose(within, one.within_prob(met_h, mean_h), atol=0.06)
    long_h = one.quantile_h(met_h, 0.95)
    found_h = first.quantile_h(met_h, 0.95)[0]
    assert_allclose(found_h, long_h, rtol=0.02, atol=0.3)


@pytest.mark.parametrize(("servers", "count"), [(1, 30), (2.5, 400), (37, 3000)])
def test_chances_piece_by_piece_are_those_of_the_whole_table(servers, count):
    jobs = np.random.default_rng(5).dirichlet(np.ones(count), 3)
    wait_h = 0.7 / servers * count * np.linspace(0, 1, 150) ** 2
    later = day_law._Later(count, servers, 0.7, wait_h).of(jobs)
    whole = jobs @ pool_kernel.late_prob(count, servers, 0.7, wait_h)
    assert_allclose(later, whole, rtol=0, atol=1e-12)


def test_of_days_together_each_goes_on_until_it_has_settled():
    # by the rule: one is like the day before at once, the other after some days
    load = np.array([night(2.0, 3, 0.1), night(1.5, 12, 0.45)])
    service_h = np.array([0.5, 6.0])
    both = day_mean_wait_h(load, 0, 60, service_h)
    for day, alone in enumerate(
        map(day_mean_wait_h, load, [0, 0], [60, 60], service_h)
    ):
        assert_allclose(both[day], alone, rtol=1e-4)


def test_a_day_that_never_clears_has_no_end_among_many():
    law = pool_days(np.array([[0.5] * 48, [1.1] * 48]), np.array([5, 5]), np.ones(2))
    assert np.isfinite(law.mean_h(3.0)).ravel().tolist() == [True, False]
    assert law.within_prob(3.0, 9.0)[1, 0] == 0
    assert np.isinf(law.quantile_h(3.0, 0.5)[1, 0])


def test_of_many_days_those_of_large_pools_and_endless_work_are_left_out():
    # states times jobs an hour: 70 x 20, and more than 2,000 x 4,000, which is too many
    load = np.full((4, 48), 0.5)
    load[2] = 1.01  # more than a day can do
    servers = np.array([10.0, 2000.0, 10.0, 10.0])
    given = jobs_through_days(load, servers, np.full(4, 0.5), 1)
    laws = dict(given)
    assert sorted(laws) == [0, 3]
    for law in laws.values():
        assert len(law) == 48
        assert_allclose(law.sum(axis=1), 1, atol=1e-9)
        # Erlang: half of what ten movers can do, at any time of an even day
        assert_allclose(law @ np.arange(law.shape[1]), 5.0361, atol=1e-3)
