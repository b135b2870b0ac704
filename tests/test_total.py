"""Total time: a published service level, a simulated line, properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad

from vmbmodel.formulas.queueing import (
    erlang_c_prob,
    mean_wait_h,
    wait_decay_per_h,
    wait_quantile_h,
    wait_within_prob,
)
from vmbmodel.formulas.total import done_within_prob, total_mean_h, total_quantile_h

hours = st.floats(0, 100)
shares = st.floats(0, 1)
inner_shares = st.floats(1e-6, 1 - 1e-6)
rates = st.floats(1e-3, 1e3)


def test_a_published_service_level():
    # README of pyworkforce: of 100 calls in 30 min of 3 min each, 14 agents
    # answer a share of 0.8883500191794669 within 20 s. Answered, a call lasts
    # three minutes more: done within 200 s of a fixed 180 s.
    waiting = erlang_c_prob(14, 10)
    decay = wait_decay_per_h(14, 200, 0.05)
    level = 0.8883500191794669
    done = done_within_prob(200 / 3600, 180 / 3600, waiting, decay)
    assert_allclose(done, level, rtol=1e-13)
    assert_allclose(total_quantile_h(level, 0.05, waiting, decay), 200 / 3600)


def test_a_published_mean_time_in_the_system():
    # Gross et al. (2008), sec. 2.3, the eye clinic: Wq = 4/27 h and, with a
    # test of a third of an hour, W = 13/27 h.
    assert_allclose(total_mean_h(1 / 3, 4 / 9, 3), 13 / 27, rtol=1e-15)


def test_against_a_simulated_line():
    # 2 500 lines of four movers at 70 % of their capacity, 300 jobs before the
    # one that is looked at, seed 5; jobs are independent across lines. Shares
    # and means at 3.9 standard errors: a confidence of 99.99 %.
    servers, arrivals, service_h, fixed_h = 4, 2.8, 1.0, 1.5
    rng = np.random.default_rng(5)
    lines = 2500
    busy_h = np.zeros((lines, servers))  # work ahead of each mover, in order
    for _ in range(300):
        busy_h[:, 0] += rng.exponential(service_h, lines)
        busy_h.sort(axis=1)
        gap_h = rng.exponential(1 / arrivals, (lines, 1))
        busy_h = np.maximum(busy_h - gap_h, 0)
    total_h = fixed_h + busy_h[:, 0]

    waiting = erlang_c_prob(servers, arrivals * service_h)
    law = fixed_h, waiting, wait_decay_per_h(servers, arrivals, service_h)
    error = total_h.std(ddof=1) / np.sqrt(lines)
    assert abs(total_mean_h(*law) - total_h.mean()) <= 3.9 * error
    for deadline_h in (1.5, 1.75, 2.5, 4):
        predicted = done_within_prob(deadline_h, *law)
        error = np.sqrt(predicted * (1 - predicted) / lines)
        assert abs(predicted - np.mean(total_h <= deadline_h)) <= 3.9 * error
    for prob in (0.7, 0.9, 0.95):
        below = np.mean(total_h <= total_quantile_h(prob, *law))
        assert abs(below - prob) <= 3.9 * np.sqrt(prob * (1 - prob) / lines)


@given(constant_h=hours, wait_prob=shares, decay=rates)
def test_mean_is_the_integral_of_the_share_not_yet_done(constant_h, wait_prob, decay):
    late = quad(
        lambda t: (
            1 - done_within_prob(constant_h + t / decay, constant_h, wait_prob, decay)
        ),
        0,
        40,
    )[0]
    mean_h = total_mean_h(constant_h, wait_prob, decay)
    assert_allclose(mean_h, constant_h + late / decay, rtol=1e-7, atol=1e-12)


@given(prob=inner_shares, constant_h=hours, wait_prob=shares, decay=rates)
def test_quantile_is_the_inverse_of_the_distribution(
    prob, constant_h, wait_prob, decay
):
    law = constant_h, wait_prob, decay
    total_h = total_quantile_h(prob, *law)
    done = done_within_prob(total_h, *law)
    if total_h > constant_h:
        # what rounding a time of this size does to the share
        assert_allclose(done, prob, atol=1e-12 + decay * 4e-16 * total_h)
    else:
        assert done >= prob - 1e-12


@given(servers=st.integers(1, 50), share=st.floats(0.01, 0.99), prob=inner_shares)
def test_without_a_fixed_part_only_the_wait_is_left(servers, share, prob):
    line = servers, share * servers, 1
    law = 0, erlang_c_prob(servers, share * servers), wait_decay_per_h(*line)
    assert_allclose(total_mean_h(*law), mean_wait_h(*line), rtol=1e-11)
    wait_h = wait_quantile_h(prob, *line)
    assert_allclose(total_quantile_h(prob, *law), wait_h, rtol=1e-9, atol=1e-12)
    assert_allclose(done_within_prob(0.5, *law), wait_within_prob(0.5, *line))


@given(hours, hours, hours, shares, rates)
def test_more_time_never_makes_it_less_likely(
    one_h, other_h, constant_h, waiting, decay
):
    early_h, late_h = sorted((one_h, other_h))
    law = constant_h, waiting, decay
    assert done_within_prob(early_h, *law) <= done_within_prob(late_h, *law)


@given(prob=shares, constant_h=hours, more_h=hours, waiting=shares, decay=rates)
def test_a_longer_fixed_part_shifts_everything(
    prob, constant_h, more_h, waiting, decay
):
    law = waiting, decay
    later_h = total_quantile_h(prob, constant_h + more_h, *law)
    assert_allclose(later_h, total_quantile_h(prob, constant_h, *law) + more_h)
    assert_allclose(
        total_mean_h(constant_h + more_h, *law), total_mean_h(constant_h, *law) + more_h
    )


@given(hours, hours, shares, shares, rates)
def test_more_waiting_never_helps(deadline_h, constant_h, one, other, decay):
    rarely, often = sorted((one, other))
    assert done_within_prob(deadline_h, constant_h, rarely, decay) >= (
        done_within_prob(deadline_h, constant_h, often, decay)
    )
    assert total_mean_h(constant_h, rarely, decay) <= (
        total_mean_h(constant_h, often, decay)
    )


@pytest.mark.parametrize("decay", [0, 1e-300, 2])
def test_who_never_waits_is_done_after_the_fixed_part(decay):
    assert total_mean_h(1.5, 0, decay) == 1.5
    assert done_within_prob(1.5, 1.5, 0, decay) == 1
    assert total_quantile_h([0, 0.5, 1], 1.5, 0, decay).tolist() == [1.5] * 3


def test_a_queue_that_never_clears():
    assert total_mean_h(1, 1, 0) == np.inf
    assert done_within_prob(1e300, 1, 1, 0) == 0
    assert total_quantile_h(0.5, 1, 1, 0) == np.inf


def test_a_transfer_that_never_ends():
    assert total_mean_h(np.inf, 0.4, 2) == np.inf
    assert done_within_prob(24, np.inf, 0.4, 2) == 0
    assert total_quantile_h(0.5, np.inf, 0.4, 2) == np.inf


def test_at_the_end_of_the_fixed_part_only_those_who_did_not_wait_are_done():
    assert done_within_prob(np.nextafter(1.5, 0), 1.5, 0.4, 2) == 0
    assert done_within_prob(1.5, 1.5, 0.4, 2) == 0.6
    assert total_quantile_h(1, 1.5, 0.4, 2) == np.inf


@pytest.mark.parametrize("scv", [5e-324, 1e-310, 1e-300, 1e-12])
def test_a_wait_that_does_not_vary_is_a_constant(scv):
    # four of ten wait for exactly half an hour
    law = {"constant_h": 1, "wait_prob": 0.4, "decay_per_h": 2, "waiting_scv": scv}
    within = done_within_prob([0.9, 1.1, 1.4, 1.6], **law)
    assert_allclose(within, [0, 0.6, 0.6, 1], atol=1e-12)
    assert_allclose(total_quantile_h([0.5, 0.7, 0.95], **law), [1, 1.5, 1.5], atol=1e-5)
    late = law | {"start_slack_h": 2.0}
    assert_allclose(done_within_prob(2, **late), 0.6 / 2 + 0.4 / 4, atol=2e-2)
