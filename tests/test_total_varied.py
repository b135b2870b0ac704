"""Total time with a transfer that varies: published laws, integration, properties."""

import itertools

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import integrate, stats

from vmbmodel.formulas.total import done_within_prob, total_quantile_h

FAMILIES = ["normal", "gamma", "lognormal"]
shares = st.floats(0, 1)
hours = st.floats(0.05, 50)
rates = st.floats(0.02, 20)
variations = st.floats(1e-3, 3)


def transfers(mean, scv, family):
    if family == "normal":
        return stats.norm(mean, mean * np.sqrt(scv))
    if family == "gamma":
        return stats.gamma(1 / scv, scale=mean * scv)
    spread = np.sqrt(np.log1p(scv))
    return stats.lognorm(spread, scale=mean * np.exp(-(spread**2) / 2))


def test_an_exponential_and_a_normal_part_by_a_published_table():
    # R package gamlss.dist, exGAUS: pexGAUS(5, mu=5, sigma=1, nu=1), the sum of a
    # normal time of mean 5 and deviation 1 and an exponential one of mean 1, is
    # pnorm(0) - exp(1/2) pnorm(-1), of Abramowitz and Stegun's table 26.1: 0.5 and
    # 0.15865 52539 31457; exp(0.5) = 1.64872 12707 00128 of table 4.4
    done = done_within_prob(5, 0, 1, 1, 5, 0.04, "normal")
    assert_allclose(done, 0.5 - 1.648721270700128 * 0.158655253931457, rtol=1e-13)


def test_two_exponential_parts_are_a_sum_of_two():
    # equal rates: Erlang's law, 1 - (1 + t) exp(-t); unequal ones by partial fractions
    done = done_within_prob(2, 0, 1, 1, 1, 1, "gamma")
    assert_allclose(done, 1 - 3 * np.exp(-2), rtol=1e-9)
    done = done_within_prob(2, 0, 1, 1 / 4, 1, 1, "gamma")
    late = (4 * np.exp(-2 / 4) - np.exp(-2)) / 3
    assert_allclose(done, 1 - late, rtol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
@given(
    deadline_h=hours,
    constant_h=st.floats(0, 20),
    transfer_h=hours,
    waiting=shares,
    decay=rates,
    prob=st.floats(1e-6, 1 - 1e-6),
)
def test_a_transfer_that_does_not_vary_is_a_fixed_part(
    family, deadline_h, constant_h, transfer_h, waiting, decay, prob
):
    fixed = constant_h + transfer_h, waiting, decay
    for wait_scv in (1, np.nextafter(1, 2)):  # the closed form, and next to it
        law = waiting, decay, transfer_h, 0, family, wait_scv
        done = done_within_prob(deadline_h, constant_h, *law)
        if abs(deadline_h - fixed[0]) > 1e-12:  # two sums may differ by their last bit
            assert_allclose(done, done_within_prob(deadline_h, *fixed), atol=1e-12)
        total_h = total_quantile_h(prob, constant_h, *law)
        assert_allclose(total_h, total_quantile_h(prob, *fixed), rtol=1e-9)


def _joint(moved, waited, time, wait):
    """Probability of moving all by a time, and waiting longer than is left then."""
    low = moved.ppf(1e-15)
    marks = [moved.mean(), moved.ppf(0.99), time - wait, time - wait / 10]
    parts = np.unique([low, *np.clip(marks, low, time), time])

    def density(y):
        return moved.pdf(y) * waited.sf(time - y)

    return sum(
        integrate.quad(density, *ends, limit=200)[0]
        for ends in itertools.pairwise(parts)
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("wait_scv", [0.4, 1, 3])
def test_by_adaptive_integration(family, wait_scv):
    rng = np.random.default_rng(3)
    for _ in range(6):
        mean, wait = 10 ** rng.uniform(-0.5, 1, 2)
        scv, waiting = 10 ** rng.uniform(-2, -1), rng.random()
        time = (mean + wait) * 10 ** rng.uniform(-0.2, 0.6)
        moved = transfers(mean, scv, family)
        waited = stats.gamma(1 / wait_scv, scale=wait * wait_scv)
        late = moved.sf(time) + waiting * _joint(moved, waited, time, wait)
        law = waiting, 1 / wait, mean, scv, family, wait_scv
        done = done_within_prob(time, 0, *law)
        assert_allclose(done, 1 - late, atol=3e-6)


def test_gamma_parts_by_forty_digits():
    # P(Y > x) + p exp(-x/w) (b/(b-1/w))^k P(k, (b-1/w) x), with a tail far out
    for mean, scv, wait, time in ((2, 0.5, 3, 40), (1, 0.01, 5, 3), (0.5, 2, 2, 60)):
        with mp.workdps(40):
            k, b, w, x = (mp.mpf(n) for n in (1 / scv, 1 / (mean * scv), wait, time))
            grown = mp.exp(-x / w) * (b / (b - 1 / w)) ** k
            late = mp.gammainc(k, b * x, regularized=True) + mp.mpf(0.3) * grown * (
                mp.gammainc(k, 0, (b - 1 / w) * x, regularized=True)
            )
        done = done_within_prob(time, 0, 0.3, 1 / wait, mean, scv, "gamma")
        assert_allclose(1 - done, float(late), rtol=1e-9, atol=1e-15)


def test_against_drawn_nights():
    # 200 000 nights, seed 8, at 3.9 standard errors: a confidence of 99.99 %
    rng, nights = np.random.default_rng(8), 200_000
    for family in FAMILIES:
        scv = 0.05 if family == "normal" else 0.6
        moved = transfers(4, scv, family).rvs(nights, random_state=rng)
        waits = (rng.random(nights) < 0.7) * rng.gamma(0.5, 4, nights)
        taken = 0.5 + moved + waits
        law = 0.5, 0.7, 1 / 2, 4, scv, family, 2
        for time in (3, 6, 12, 24):
            done = done_within_prob(time, *law)
            error = 3.9 * np.sqrt(done * (1 - done) / nights) + 1e-5
            assert abs(done - np.mean(taken <= time)) <= error
        below = np.mean(taken <= total_quantile_h(0.95, *law))
        assert abs(below - 0.95) <= 3.9 * np.sqrt(0.95 * 0.05 / nights)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=12)
@given(
    prob=st.floats(0.001, 0.999),
    transfer_h=hours,
    scv=variations,
    waiting=shares,
    wait_h=hours,
)
def test_quantile_is_the_inverse(family, prob, transfer_h, scv, waiting, wait_h):
    scv = min(scv, 0.1) if family == "normal" else scv
    law = 1, waiting, 1 / wait_h, transfer_h, scv, family
    time = total_quantile_h(prob, *law)
    assert_allclose(done_within_prob(time, *law), prob, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
@given(one=hours, other=hours, transfer_h=hours, scv=variations, waiting=shares)
def test_more_time_never_makes_it_less_likely(
    family, one, other, transfer_h, scv, waiting
):
    law = 1, waiting, 1 / 2, transfer_h, scv, family, 1.5
    early, late = (done_within_prob(t, *law) for t in sorted((one, other)))
    assert early <= late + 1e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_far_ends(family):
    law = 0.4, 1 / 2, 3, 0.2, family
    assert total_quantile_h(1, 0, *law) == np.inf
    assert 0 <= total_quantile_h(0, 1, *law) <= 1 + 3
    assert done_within_prob(0.5, 1, *law) == 0
    assert done_within_prob(24, np.inf, *law) == 0
    assert done_within_prob(1e300, 1, *law) == 1
    never = 1, 0, 3, 0.2, family
    assert done_within_prob(1e6, 0, *never) == 0
    assert total_quantile_h(0.5, 0, *never) == np.inf
    endless = 0, 1, np.inf, 0.2, family
    assert done_within_prob(24, 0, *endless) == 0
    assert total_quantile_h(0.5, 0, *endless) == np.inf
    at_once = 0, 1, 3, 0.2, family
    half_h = transfers(3, 0.2, family).median()
    assert_allclose(total_quantile_h(0.5, 0, *at_once), half_h, rtol=1e-6)


@pytest.mark.parametrize("waiting_scv", [0.4, 2.5])
@pytest.mark.parametrize("late_h", [1.2, 4.0, 9.0])
def test_a_late_start_before_a_wait_that_is_not_exponential(waiting_scv, late_h):
    # constant transfer: the start is U(0, 2) late, then a gamma wait of mean 3 with
    # probability .7; the integral over the start by scipy's adaptive rule
    wait = stats.gamma(1 / waiting_scv, scale=3 * waiting_scv)

    def within(start):
        left = late_h - start
        return (0.3 + 0.7 * wait.cdf(left)) / 2 if left >= 0 else 0.0

    expected = integrate.quad(within, 0, 2, points=[min(late_h, 2)], limit=200)[0]
    law = {"wait_prob": 0.7, "decay_per_h": 1 / 3, "transfer_h": 0.5}
    law |= {"waiting_scv": waiting_scv, "start_slack_h": 2, "constant_h": 1}
    found = done_within_prob(1.5 + late_h, **law)
    assert_allclose(found, expected, rtol=1e-4)
    assert_allclose(total_quantile_h(found, **law), 1.5 + late_h, rtol=1e-6)
