"""The line for a data mover: textbooks, many digits, exact cases, properties."""

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas._kernels.special import (
    log_poisson_mass,
    log_waiting,
    stirling_error,
)
from vmbmodel.formulas.capacity import utilisation_for_wait_frac
from vmbmodel.formulas.queueing import (
    erlang_c_prob,
    mean_wait_h,
    wait_decay_per_h,
    wait_quantile_h,
    wait_within_prob,
)

movers = st.integers(1, 500)
some_movers = st.floats(0.5, 500)  # real numbers of them are allowed
shares = st.floats(1e-3, 0.999)
hours = st.floats(1e-3, 1e3)

SECOND_H = 1 / 3600


def log_c(servers, load):
    """Return the logarithm that all waits are made of."""
    with np.errstate(all="ignore"):
        return log_waiting(np.array(servers, dtype=float), np.minimum(load, servers))


def erlang_c_in_many_digits(servers, load):
    """Sum the reciprocal of Erlang's B, whose terms are all positive."""
    with mpmath.workdps(50):
        load = mpmath.mpf(load)
        term = total = mpmath.mpf(1)
        for k in range(servers):
            term *= (servers - k) / load
            total += term
            if servers - k < load and term < total * mpmath.mpf(10) ** -50:
                break
        utilisation = load / servers
        return 1 / (utilisation + (1 - utilisation) * total)


def test_three_doctors():
    # Gross et al. (2008), sec. 2.3, the eye clinic: three doctors, six patients
    # an hour, twenty minutes each give p0 = 1/9, Lq = 8/9 and Wq = 4/27 h;
    # C = Lq (1 - rho) / rho = 4/9.
    assert_allclose(erlang_c_prob(3, 2), 4 / 9, rtol=1e-15)
    assert_allclose(mean_wait_h(3, 6, 1 / 3), 4 / 27, rtol=1e-15)


def test_a_published_call_centre():
    # README of pyworkforce: 100 calls in 30 min of 3 min each, to be answered in
    # 20 s, need 14 positions; probability of waiting 0.1741319335950498, service
    # level 0.8883500191794669, occupancy 0.7142857142857143.
    centre = {"servers": 14, "arrivals_per_h": 200, "service_h": 0.05}
    within_h, level = 20 * SECOND_H, 0.8883500191794669
    assert_allclose(erlang_c_prob(14, 10), 0.1741319335950498, rtol=1e-13)
    assert_allclose(wait_within_prob(within_h, **centre), level, rtol=1e-13)
    assert_allclose(wait_quantile_h(level, **centre), within_h, rtol=1e-13)
    assert_allclose(
        utilisation_for_wait_frac(within_h, level, 14, 0.05),
        0.7142857142857143,
        rtol=1e-13,
    )


@pytest.mark.parametrize(
    ("call_s", "published_s"), [(240, 2.243505841), (300, 30.4312286)]
)
def test_published_answering_times(call_s, published_s):
    # Help of the Erlang library of Abstract Micro Systems: ErlcWait4 for 20
    # agents and 100 calls in 1800 s; its own arithmetic gives eight digits.
    wait_h = mean_wait_h(20, 200, call_s * SECOND_H)
    assert_allclose(wait_h / SECOND_H, published_s, rtol=2e-8)


def test_a_published_limit_of_shortness():
    # Halfin and Whitt (1981): with c - a = b sqrt(c) the probability of waiting
    # tends to 1 / (1 + b Phi(b) / phi(b)). Normal tables: Phi(1) = 0.84134475 and
    # phi(1) = 0.24197072.
    limit = 1 / (1 + 0.84134475 / 0.24197072)
    servers = 1e10
    waiting = erlang_c_prob(servers, servers - np.sqrt(servers))
    assert_allclose(waiting, limit, rtol=1e-5)


# not where hundreds of thousands of terms would make up a probability of 0
@pytest.mark.parametrize(
    ("servers", "utilisation"),
    [
        (servers, utilisation)
        for servers in (1, 2, 3, 9, 10, 11, 100, 1000, 10**4, 10**5, 10**6)
        for utilisation in (1e-6, 0.1, 0.5, 0.69, 0.71, 0.9, 0.99, 0.9999, 1 - 1e-6)
        if servers * (1 - utilisation) ** 2 < 1100
    ],
)
def test_agrees_with_fifty_digits(servers, utilisation):
    load = servers * utilisation
    expected = erlang_c_in_many_digits(servers, load)
    assert_allclose(
        log_c(servers, load), float(mpmath.log(expected)), rtol=1e-13, atol=1e-13
    )
    if expected > 1e-300:
        assert_allclose(erlang_c_prob(servers, load), float(expected), rtol=1e-12)


@pytest.mark.parametrize("servers", [10**5, 10**5 + 1, 10**6])
@pytest.mark.parametrize("spare", [0.5, 3.9, 4.1, 4.6, 6, 15])
def test_many_movers_agree_with_fifty_digits_at_any_distance(servers, spare):
    # in square roots of their number: from 4.5 on, SciPy's own tail is 3e-11 off
    load = servers - spare * np.sqrt(servers)
    expected = float(erlang_c_in_many_digits(servers, load))
    assert_allclose(erlang_c_prob(servers, load), expected, rtol=1e-13)


@pytest.mark.parametrize(("servers", "load"), [(10.5, 9.0), (0.5, 0.3), (2.25, 2.2)])
def test_a_number_between_whole_ones_agrees_with_the_integral(servers, load):
    # 1/C = a int_0^inf t e^(-a t) (1 + t)^(c - 1) dt continues Erlang C in c
    with mpmath.workdps(50):
        integral = mpmath.quad(
            lambda t: t * mpmath.exp(-load * t) * (1 + t) ** (mpmath.mpf(servers) - 1),
            [0, 0.5, 2, 8, 30, mpmath.inf],
        )
        expected = 1 / (load * integral)
    assert_allclose(erlang_c_prob(servers, load), float(expected), rtol=1e-13)


@given(rho=st.floats(0, 1))
def test_one_and_two_movers_in_exact_form(rho):
    tiny = {"rtol": 1e-12, "atol": 1e-300}
    assert_allclose(erlang_c_prob(1, rho), rho, **tiny)
    assert_allclose(erlang_c_prob(2, 2 * rho), 2 * rho**2 / (1 + rho), **tiny)


@given(servers=some_movers, share=shares)
def test_logarithm_is_that_of_the_probability(servers, share):
    waiting = erlang_c_prob(servers, share * servers)
    assume(waiting > 1e-290)
    assert_allclose(log_c(servers, share * servers), np.log(waiting), atol=1e-12)


def test_logarithm_goes_on_where_the_probability_ends():
    assert erlang_c_prob(10**4, 10.0) == 0
    assert -np.inf < log_c(10**4, 10.0) < -50_000


@given(servers=movers, share=shares, service_h=hours)
def test_mean_is_the_integral_of_the_tail(servers, share, service_h):
    arrivals = share * servers / service_h
    decay = wait_decay_per_h(servers, arrivals, service_h)
    waiting = erlang_c_prob(servers, arrivals * service_h)
    mean_h = mean_wait_h(servers, arrivals, service_h)
    assert_allclose(mean_h, waiting / decay, rtol=3e-12)
    assert_allclose(
        1 - wait_within_prob(1 / decay, servers, arrivals, service_h),
        waiting / np.e,
        rtol=1e-12,
        atol=1e-15,
    )


@given(servers=some_movers, share=shares, service_h=hours, prob=shares)
def test_quantile_is_the_inverse_of_the_distribution(servers, share, service_h, prob):
    line = servers, share * servers / service_h, service_h
    wait_h = wait_quantile_h(prob, *line)
    within = wait_within_prob(wait_h, *line)
    if wait_h > 0:
        assert_allclose(within, prob, rtol=1e-12)
    else:
        assert within >= prob


@given(servers=some_movers, service_h=hours, prob=shares, patience=hours)
def test_at_the_utilisation_found_that_share_waits_that_long(
    servers, service_h, prob, patience
):
    wait_h = patience * service_h / servers
    busy = utilisation_for_wait_frac(wait_h, prob, servers, service_h)
    within = wait_within_prob(wait_h, servers, busy * servers / service_h, service_h)
    # what rounding the utilisation does to the share
    assert_allclose(within, prob, atol=1e-13 + 1e-15 * patience)


@given(servers=movers, share=shares, service_h=hours, prob=shares)
def test_one_more_mover_never_lengthens_the_wait(servers, share, service_h, prob):
    jobs = share * servers / service_h, service_h
    slack = 1 + 1e-12
    assert erlang_c_prob(servers + 1, share * servers) <= (
        erlang_c_prob(servers, share * servers) * slack
    )
    assert mean_wait_h(servers + 1, *jobs) <= mean_wait_h(servers, *jobs) * slack
    assert (
        wait_quantile_h(prob, servers + 1, *jobs)
        <= wait_quantile_h(prob, servers, *jobs) * slack
    )


@given(servers=some_movers, low=shares, high=shares, prob=shares)
def test_more_load_never_shortens_the_wait(servers, low, high, prob):
    low, high = sorted((low, high))
    assert mean_wait_h(servers, servers * low, 1) <= (
        mean_wait_h(servers, servers * high, 1) * (1 + 1e-12)
    )
    assert wait_quantile_h(prob, servers, servers * low, 1) <= (
        wait_quantile_h(prob, servers, servers * high, 1) * (1 + 1e-12)
    )


@given(servers=movers, prob=shares, short=hours, long=hours)
def test_who_waits_longer_may_load_more(servers, prob, short, long):
    short, long = sorted((short, long))
    found = [utilisation_for_wait_frac(t, prob, servers, 1) for t in (short, long)]
    assert found[0] <= found[1] * (1 + 1e-12)


def test_eight_hours_need_a_line_that_is_nearly_full():
    # 95 % wait at most eight jobs' time: the root of ln C(c, c rho) =
    # 8 c (1 - rho) + ln 0.05 in 50 digits; for one mover also in closed form.
    for servers in (1, 2, 10, 50):
        with mpmath.workdps(50):
            root = mpmath.findroot(
                lambda rho, c=servers: (
                    mpmath.log(erlang_c_in_many_digits(c, c * rho))
                    - 8 * c * (1 - rho)
                    - mpmath.log(mpmath.mpf("0.05"))
                ),
                (0.6, 0.999),
                solver="anderson",
            )
        found = utilisation_for_wait_frac(8, 0.95, servers, 1)
        assert_allclose(found, float(root), rtol=1e-13)


@pytest.mark.parametrize("arrivals", [3, 3.0, 4, 1e6, 1e300])
def test_saturated_line_never_clears(arrivals):
    assert erlang_c_prob(3, arrivals) == 1
    assert log_c(3, arrivals) == 0
    assert mean_wait_h(3, arrivals, 1) == np.inf
    assert wait_decay_per_h(3, arrivals, 1) == 0
    assert wait_within_prob(1e300, 3, arrivals, 1) == 0
    assert wait_quantile_h(0.5, 3, arrivals, 1) == np.inf


@given(servers=movers, service_h=hours, few=st.integers(-4, 4))
def test_all_agree_on_what_is_saturated(servers, service_h, few):
    arrivals = servers / service_h * (1 + few * 2**-52)
    line = servers, arrivals, service_h
    never = mean_wait_h(*line) == np.inf
    assert (wait_decay_per_h(*line) == 0) == never
    assert (wait_quantile_h(0.999, *line) == np.inf) == never
    assert (wait_within_prob(1, *line) == 0) == never


def test_nobody_waits_where_nothing_arrives():
    assert erlang_c_prob(10, 0) == 0
    assert log_c(10, 0) == -np.inf
    assert mean_wait_h(10, 0, 1) == 0
    assert wait_within_prob(0, 10, 0, 1) == 1
    assert wait_quantile_h([0, 0.5, 1], 10, 0, 1).tolist() == [0, 0, 0]


def test_certainty_and_impossibility():
    line = {"servers": 10, "arrivals_per_h": 8, "service_h": 1}
    assert wait_quantile_h(0, **line) == 0
    assert wait_quantile_h(1, **line) == np.inf
    assert utilisation_for_wait_frac(8, 1, 10, 1) == 0
    assert_allclose(utilisation_for_wait_frac(0, 0, 10, 1), 1, rtol=1e-15)


@pytest.mark.parametrize("count", [10, 11.5, 13, 17, 30])
def test_stirling_s_error_to_its_last_digits(count):
    # Abramowitz and Stegun, 6.1.41: what ln(n!) is more than Stirling's formula
    with mpmath.workdps(50):
        n = mpmath.mpf(count)
        exact = mpmath.loggamma(n + 1) - (n + 0.5) * mpmath.log(n) + n
        exact -= mpmath.log(2 * mpmath.pi) / 2
    assert_allclose(stirling_error(np.array([count])), float(exact), rtol=2e-14)


@pytest.mark.parametrize("ratio", [0.71, 0.9, 1.01, 1.29, 0.5, 3])
def test_a_poisson_mass_far_from_its_mean_to_its_last_digits(ratio):
    with mpmath.workdps(50):
        mean = mpmath.mpf(ratio) * 400
        exact = 400 * mpmath.log(mean) - mean - mpmath.loggamma(401)
    found = log_poisson_mass(np.array([400.0]), np.array([float(mean)]))
    assert_allclose(found, float(exact), rtol=3e-15, atol=3e-15)
