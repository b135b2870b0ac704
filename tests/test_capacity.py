"""How busy a pool may be: published cases, the way back, both readings of a peak."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import eigvalsh_tridiagonal

from vmbmodel.formulas.capacity import (
    peak_utilisation_frac,
    relaxation_h,
    utilisation_for_wait_frac,
)
from vmbmodel.formulas.queueing import wait_prob, wait_quantile_h, wait_within_prob

FAMILIES = ["gamma", "lognormal", "hyperexponential"]
movers = st.floats(1, 500)
shares = st.floats(0.01, 0.999)
hours = st.floats(1e-2, 1e2)
ALMOST = np.nextafter(1, 2)
"""Variation of all but exponential jobs, which have no closed form."""


def test_a_published_call_centre():
    # README of pyworkforce: 14 positions, calls of 3 min, to be answered in 20 s:
    # service level 0.8883500191794669 at an occupancy of 0.7142857142857143.
    level, occupancy = 0.8883500191794669, 0.7142857142857143
    centre = 20 / 3600, level, 14, 0.05
    for family in ("gamma", "hyperexponential"):
        for scv in (1, ALMOST):
            found = utilisation_for_wait_frac(*centre, scv, family)
            assert_allclose(found, occupancy, rtol=1e-12)


# Exact waits that 95 % of the jobs do not exceed, at the utilisation of the second
# column: matrix-geometric solutions, equal jobs by Crommelin's equations.
@pytest.mark.parametrize(
    ("servers", "busy", "scv", "family", "late"),
    [
        (2, 0.9, 0, "gamma", 6.9556),
        (10, 0.98, 0, "gamma", 7.2854),
        (2, 0.9, 0.5, "gamma", 10.572),
        (10, 0.9, 0.5, "gamma", 1.9465),
        (10, 0.98, 2, "hyperexponential", 21.948),
        (50, 0.98, 4, "hyperexponential", 6.9923),
    ],
)
def test_exact_quantiles_lead_back_to_their_load(servers, busy, scv, family, late):
    found = utilisation_for_wait_frac(late, 0.95, servers, 1, scv, family)
    assert_allclose(1 - found, 1 - busy, rtol=0.01)


@given(servers=movers, tau=hours, prob=shares, patience=hours)
def test_exponential_jobs_are_the_simple_queue(servers, tau, prob, patience):
    ask = patience * tau / servers, prob, servers, tau
    found = utilisation_for_wait_frac(*ask, ALMOST, "gamma")
    assert_allclose(found, utilisation_for_wait_frac(*ask), rtol=1e-9)


@given(
    servers=movers,
    prob=shares,
    patience=st.floats(0, 100),
    scv=st.floats(0, 8),
    family=st.sampled_from(FAMILIES),
)
def test_at_the_load_found_that_share_waits_that_long(
    servers, prob, patience, scv, family
):
    scv = max(scv, 1) if family == "hyperexponential" else scv
    wait_h = patience / servers
    busy = utilisation_for_wait_frac(wait_h, prob, servers, 1, scv, family)
    line = servers, busy * servers, 1, scv, family
    within = wait_within_prob(wait_h, *line)
    assert_allclose(within, prob, atol=1e-9)
    if patience > 0.1:
        assert_allclose(wait_quantile_h(prob, *line), wait_h, rtol=1e-4)


@given(servers=movers, prob=shares, waits=st.tuples(hours, hours))
def test_who_waits_longer_may_load_more(servers, prob, waits):
    found = utilisation_for_wait_frac(sorted(waits), prob, servers, 1, 2, "lognormal")
    assert found[0] <= found[1] * (1 + 1e-12)


def test_who_must_not_wait_loads_to_the_probability_of_waiting():
    busy = utilisation_for_wait_frac(0, 0.8, 10, 1, 4, "lognormal")
    assert_allclose(wait_prob(10, 10 * busy, 1, 4, "lognormal"), 0.2)


@pytest.mark.parametrize("family", FAMILIES)
def test_certainty_and_impossibility(family):
    found = utilisation_for_wait_frac(8, [0, 1], 10, 1, 2, family)
    assert found.tolist() == [1, 0]
    assert utilisation_for_wait_frac(1e300, 0.95, 10, 1e-300, 2, family) == 1


def test_two_kinds_of_jobs_vary_at_least_like_exponential_ones():
    message = r"^service_scv must be >= 1 if hyperexponential; got 0.5$"
    with pytest.raises(ValueError, match=message):
        utilisation_for_wait_frac(8, 0.95, 10, 1, 0.5, "hyperexponential")


def test_overload_of_a_rectangular_peak():
    # Newell (1982), ch. 2: what arrives in a peak above capacity is what waits at its
    # end. 30 jobs an hour for 4 h at a capacity of 10 leave 80, eight hours of work.
    assert peak_utilisation_frac(80 / 10, 4) == 30 / 10
    assert_allclose(peak_utilisation_frac(8, 6), 7 / 3)
    assert peak_utilisation_frac(0, 6) == 1


@given(wait=st.floats(0, 100), peak=st.floats(0.1, 24))
def test_an_even_flow_piles_up_just_that_wait(wait, peak):
    # step through the peak: a backlog in hours of work, drained at one an hour
    steps, backlog = 1000, 0.0
    overload = peak_utilisation_frac(wait, peak) - 1
    for _ in range(steps):
        backlog += overload * peak / steps
    assert_allclose(backlog, wait, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("servers", "hours"),
    [(1, 31), (2, 64), (10, 307), (50, 1483), (100, 2936), (1000, 28802)],
)
def test_eight_hours_in_balance_take_weeks_to_reach(servers, hours):
    # 95 % of jobs of one hour wait at most eight; the hours as worked out with the
    # loads rounded to twelve digits
    busy = utilisation_for_wait_frac(8, 0.95, servers, 1)
    assert abs(relaxation_h(servers, busy, 1) - hours) < 0.5


@pytest.mark.parametrize(("servers", "busy"), [(1, 0.5), (2, 0.8), (5, 0.9)])
def test_relaxation_is_the_slowest_rate_of_the_queue(servers, busy):
    # the gap in the spectrum of the birth and death process, cut off far out
    size, arrivals = 4000, servers * busy
    busy_movers = np.minimum(np.arange(1, size), servers)
    out = np.full(size, arrivals) + np.concatenate([[0], busy_movers])
    out[-1] -= arrivals
    beside = np.sqrt(arrivals * busy_movers)
    gap = eigvalsh_tridiagonal(out, -beside, select="i", select_range=(1, 1))[0]
    assert_allclose(1 / gap, relaxation_h(servers, busy, 1), rtol=2e-3)


def test_a_full_pool_never_settles():
    assert relaxation_h(10, [1, 1.0001, 1e300], 1).tolist() == [np.inf] * 3
    assert relaxation_h(10, 0, 1) == 0.1


def test_the_load_meets_the_probability_to_the_stated_error():
    # Erlang B by its recursion, up to 1,000 movers, waits of 1/400 to 50 jobs
    rng = np.random.default_rng(6)
    for _ in range(200):
        servers = int(np.exp(rng.uniform(0, np.log(1000))))
        service_h, prob = np.exp(rng.uniform(-3, 2)), 1 - 10 ** rng.uniform(-6, -0.01)
        wait_h = service_h * np.exp(rng.uniform(-6, 4))
        busy = utilisation_for_wait_frac(wait_h, prob, servers, service_h)
        load, blocked = busy * servers, 1.0
        for one in range(1, servers + 1):
            blocked = load * blocked / (one + load * blocked)
        waiting = blocked / (1 - busy * (1 - blocked))
        late = waiting * np.exp(-(servers - load) * wait_h / service_h)
        assert_allclose(1 - late, prob, rtol=0, atol=1e-10)
