"""Jams of jobs of any variation: exact cases, published indices, simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from scipy.special import erf, gamma, gammaln

from vmbmodel.formulas._kernels.lengths import lengths
from vmbmodel.formulas._kernels.long_jam import long_mean_wait, long_rest, long_start
from vmbmodel.formulas.jam import (
    jam_makespan_h,
    jam_makespan_quantile_h,
    jam_mean_wait_h,
    jam_wait_h,
    jam_wait_quantile_h,
)

FAMILIES = ["gamma", "lognormal", "hyperexponential"]


def draw(rng, shape, scv, family):
    if family == "gamma":
        return rng.gamma(1 / scv, scv, shape)
    if family == "lognormal":
        spread = np.sqrt(np.log1p(scv))
        return np.exp(spread * rng.standard_normal(shape) - spread**2 / 2)
    often = (1 + np.sqrt((scv - 1) / (scv + 1))) / 2
    fast = rng.random(shape) < often
    return rng.exponential(1, shape) / np.where(fast, 2 * often, 2 - 2 * often)


def serve(lengths_h, servers):
    """Serve jobs that all stand in line at 0; a row is a repetition."""
    free_h = np.zeros((len(lengths_h), servers))
    starts_h, every = np.empty_like(lengths_h), np.arange(len(lengths_h))
    for job, length_h in enumerate(lengths_h.T):
        mover = free_h.argmin(axis=1)
        starts_h[:, job] = free_h[every, mover]
        free_h[every, mover] += length_h
    return starts_h, free_h.max(axis=1)


def long_wait_h(position, servers, service_h, scv):
    """Return the limit of many jobs on each mover, as do the next ones."""
    return service_h * long_start(position - servers, servers, scv)


def long_mean_h(jobs, servers, service_h, scv):
    return service_h * long_mean_wait(np.maximum(jobs - servers, 0), servers, scv)


def long_end_h(jobs, servers, service_h, scv, family):
    line = np.array([jobs, servers, scv], dtype=float)
    begun = long_start(max(jobs - servers, 0), servers, scv)
    return service_h * (begun + long_rest(*line, family))


# --- lengths ------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("scv", [1.0, 1.001, 2.0, 8.0])
def test_quantiles_of_lengths_are_inverses_and_the_mean_is_one(family, scv):
    law = lengths(scv, family)
    share = np.array([1e-9, 0.1, 0.5, 0.9, 1 - 1e-9])
    assert_allclose(law.within(law.quantile(share)), share, rtol=1e-12)
    assert_allclose(law.beyond(law.tail_quantile(share)), share, rtol=1e-12)
    with np.errstate(all="ignore"):
        assert law.quantile(np.array([1.0])) == np.inf
        assert law.tail_quantile(np.array([0.0])) == np.inf
    time = np.linspace(0, 40, 400_001)[1:]
    fallen = np.trapezoid(law.beyond(time), time)
    assert_allclose(law.excess(time[0]) - law.excess(time[-1]), fallen, rtol=1e-6)
    assert_allclose(law.excess(1e-300), 1)


# --- exact cases --------------------------------------------------------------------


@pytest.mark.parametrize("scv", [0.25, 1.0, 4.0, 8.0])
def test_the_first_of_two_by_published_indices_of_inequality(scv):
    # the mean of the smaller of two is 1 - G, with the Gini index G: for lognormal
    # incomes erf(sigma/2) (Aitchison and Brown 1957, sec. 11.2), for gamma ones
    # Gamma(k + 1/2) / (sqrt(pi) Gamma(k + 1)) (McDonald and Jensen 1979)
    lognormal = 1 - erf(np.sqrt(np.log1p(scv)) / 2)
    shape = 1 / scv
    drawn = 1 - np.exp(gammaln(shape + 0.5) - gammaln(shape + 1)) / np.sqrt(np.pi)
    first_h = jam_wait_h(3, 2, 1, scv, "lognormal")
    assert_allclose(first_h, lognormal, rtol=1e-4)
    assert_allclose(jam_wait_h(3, 2, 1, scv, "gamma"), drawn, rtol=1e-8)


@pytest.mark.parametrize("family", ["gamma", "hyperexponential"])
@pytest.mark.parametrize(
    ("jobs", "servers"), [(3, 2), (11, 10), (100, 10), (60, 7), (300, 250)]
)
def test_exponential_jobs_come_out_as_their_closed_forms(jobs, servers, family):
    simple = jobs, servers, 0.5, 1, family
    jam = jobs, servers, 0.5, np.nextafter(1, 2), family
    close = 1e-8 if family == "gamma" else 1e-4
    assert_allclose(jam_wait_h(*jam), jam_wait_h(*simple), rtol=close)
    assert_allclose(jam_mean_wait_h(*jam), jam_mean_wait_h(*simple), rtol=close)
    assert_allclose(jam_makespan_h(*jam), jam_makespan_h(*simple), rtol=1e-4)
    wait_h = jam_wait_quantile_h(0.95, *simple)
    assert_allclose(jam_wait_quantile_h(0.95, *jam), wait_h, rtol=max(close, 1e-6))
    end_h = jam_makespan_quantile_h(0.95, *simple)
    assert_allclose(jam_makespan_quantile_h(0.95, *jam), end_h, rtol=3e-3)


@pytest.mark.parametrize("family", ["gamma", "lognormal"])
@given(jobs=st.integers(1, 300), servers=st.integers(1, 40))
def test_equal_jobs_come_out_as_waves(family, jobs, servers):
    jam = jobs, servers, 0.5, 0, family
    assert jam_wait_h(*jam) == jam_wait_h(*jam[:3])
    assert jam_mean_wait_h(*jam) == jam_mean_wait_h(*jam[:3])
    assert jam_makespan_h(*jam) == jam_makespan_h(*jam[:3])
    for prob in (0, 0.5, 1):
        assert jam_wait_quantile_h(prob, *jam) == jam_wait_h(*jam[:3])
        assert jam_makespan_quantile_h(prob, *jam) == jam_makespan_h(*jam[:3])


def test_hardly_varying_jobs_are_next_to_equal():
    for scv in (1e-9, 1e-6):
        jam = 35, 10, 1, scv, "gamma"
        assert_allclose(jam_mean_wait_h(*jam), 45 / 35, atol=9 * np.sqrt(scv))
        assert_allclose(jam_wait_h(*jam), 3, atol=9 * np.sqrt(scv))
        assert_allclose(jam_makespan_h(*jam), 4, atol=9 * np.sqrt(scv))


@pytest.mark.parametrize("family", FAMILIES)
def test_one_mover_takes_one_after_the_other(family):
    jam = 40, 1, 0.5, 2, family
    assert_allclose(jam_wait_h(*jam), 19.5, rtol=1e-6)
    assert_allclose(jam_mean_wait_h(*jam), 9.75, rtol=1e-3)
    assert_allclose(jam_makespan_h(*jam), 20)
    next_h = jam_wait_quantile_h(0.9, 41, *jam[1:])
    assert jam_makespan_quantile_h(0.9, *jam) == next_h


@pytest.mark.parametrize("servers", [2, 3, 5, 20])
@pytest.mark.parametrize("scv", [0.02, 0.1, 0.5, 2, 4, 8])
def test_the_first_two_in_line_within_the_stated_error(scv, servers):
    # the first waits for the shortest of c jobs, the second for the second end of all:
    # P(W > t) = S^c, and with at most one end, S^c + c S^(c-1) (F - F * F)
    log_t = np.linspace(-40, 9, 401)
    points, weights = np.polynomial.legendre.leggauss(32)
    half = np.diff(log_t)[:, np.newaxis] / 2
    time = np.exp(log_t[:-1, np.newaxis] + half * (1 + points))
    weights = weights * half * time
    summed = stats.gamma(1 / scv, scale=scv)
    spread = np.sqrt(np.log1p(scv))
    lognormal = stats.lognorm(spread, scale=np.exp(-(spread**2) / 2))
    for law, family, off in ((summed, "gamma", 1e-8), (lognormal, "lognormal", 1e-4)):
        none = law.sf(time) ** servers
        wait_h = (none * weights).sum()
        found_h = jam_wait_h(servers + 1, servers, 1, scv, family)
        assert_allclose(found_h, wait_h, rtol=0, atol=off)
    two = stats.gamma(2 / scv, scale=scv).cdf(time)
    one = servers * summed.sf(time) ** (servers - 1) * (summed.cdf(time) - two)
    wait_h = ((summed.sf(time) ** servers + one) * weights).sum()
    found_h = jam_wait_h(servers + 2, servers, 1, scv, "gamma")
    assert_allclose(found_h, wait_h, rtol=0, atol=1e-8)


@pytest.mark.parametrize("scv", [0.3, 2.0])
def test_with_no_line_the_last_is_the_longest(scv):
    # two jobs: the mean of the larger is 1 + G, with the index above
    shape = 1 / scv
    longer = 1 + gamma(shape + 0.5) / gamma(shape + 1) / np.sqrt(np.pi)
    assert_allclose(jam_makespan_h(2, 5, 1, scv, "gamma"), longer, rtol=1e-6)
    assert jam_mean_wait_h(2, 5, 1, scv, "gamma") == 0
    half = jam_makespan_quantile_h(0.5, 2, 5, 1, scv, "gamma")
    assert_allclose(lengths(scv, "gamma").within(half), np.sqrt(0.5))


# --- simulation ---------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("scv", [1.5, 4.0])
@pytest.mark.parametrize(("jobs", "servers"), [(7, 2), (15, 10), (40, 5)])
def test_against_simulation(jobs, servers, scv, family):
    # 4 000 repetitions, seed 5, at 3.9 standard errors: a confidence of 99.99 %
    lengths_h = draw(np.random.default_rng(5), (4000, jobs), scv, family)
    starts_h, ends_h = serve(lengths_h, servers)
    jam = jobs, servers, 1, scv, family
    for predicted, seen in (
        (jam_wait_h(*jam), starts_h[:, -1]),
        (jam_mean_wait_h(*jam), starts_h.mean(axis=1)),
        (jam_makespan_h(*jam), ends_h),
    ):
        assert abs(predicted - seen.mean()) <= 3.9 * seen.std() / np.sqrt(len(seen))
    for prob in (0.5, 0.95):
        error = 3.9 * np.sqrt(prob * (1 - prob) / len(ends_h))
        begun = starts_h[:, -1] <= jam_wait_quantile_h(prob, *jam)
        assert abs(begun.mean() - prob) <= error
        done = ends_h <= jam_makespan_quantile_h(prob, *jam)
        assert abs(done.mean() - prob) <= error + 0.002


def test_many_jobs_for_each_mover_by_a_long_simulation():
    # queueing.md's jam, simulated with half a per cent: 1000 lognormal jobs of half
    # an hour, scv 0.5, on 50 movers wait 4.635 h and are done after 11.40 h
    jam = 1000, 50, 0.5, 0.5
    for mean_h, end_h in (
        (long_mean_h(*jam), long_end_h(*jam, "lognormal")),
        (
            jam_mean_wait_h(*jam, "lognormal"),
            jam_makespan_h(*jam, "lognormal"),
        ),
    ):
        assert_allclose([mean_h, end_h], [4.635, 11.40], rtol=5e-3)


# --- closed forms of long lines -----------------------------------------------------


@pytest.mark.parametrize(
    ("family", "scv", "jobs", "wait", "mean", "end"),
    [
        ("gamma", 0.25, 20, 1e-4, 2e-3, 1e-3),
        ("gamma", 2, 20, 1e-4, 3e-3, 1e-3),
        ("lognormal", 2, 20, 2e-3, 1.2e-2, 1.4e-2),
        ("gamma", 8, 50, 1e-2, 4e-2, 3e-3),
    ],
)
def test_long_lines_within_the_stated_error(family, scv, jobs, wait, mean, end):
    for servers in (10, 25):
        jam = jobs * servers, servers, 1, scv
        exact_h = jam_wait_h(*jam, family)
        assert_allclose(long_wait_h(*jam), exact_h, rtol=wait)
        exact_h = jam_mean_wait_h(*jam, family)
        assert_allclose(long_mean_h(*jam), exact_h, rtol=mean)
        exact_h = jam_makespan_h(*jam, family)
        assert_allclose(long_end_h(*jam, family), exact_h, rtol=end)


@given(jobs=st.integers(1, 3000), servers=st.integers(1, 60))
def test_long_lines_are_exact_for_exponential_jobs(jobs, servers):
    jam = jobs, servers, 1
    wait_h = jam_wait_h(*jam, 1)
    assert_allclose(long_wait_h(*jam, 1), wait_h, rtol=1e-12)
    mean_h = jam_mean_wait_h(*jam, 1)
    assert_allclose(long_mean_h(*jam, 1), mean_h, rtol=1e-12)
    end_h = jam_makespan_h(*jam, 1)
    for family in ("gamma", "hyperexponential"):
        assert_allclose(long_end_h(*jam, 1, family), end_h, rtol=1e-5)


@given(
    waves=st.integers(1, 40),
    servers=st.integers(1, 40),
    scv=st.floats(0, 1),
    position=st.integers(1, 1000),
)
def test_the_mean_of_long_lines_is_that_of_their_places(waves, servers, scv, position):
    jobs = waves * servers
    waits_h = long_wait_h(np.arange(1, jobs + 1), servers, 1, scv)
    mean_h = long_mean_h(jobs, servers, 1, scv)
    assert_allclose(mean_h, waits_h.mean(), rtol=1e-9, atol=1e-12)


def test_the_closed_forms_take_over_without_a_step():
    below, above = 600, 606  # 200 jobs for each of three movers, and more
    for figure, share in (
        (jam_wait_h, 1),
        (jam_mean_wait_h, 0.5),
        (jam_makespan_h, 1),
    ):
        near, far = (figure(n, 3, 1, 2, "lognormal") for n in (below, above))
        assert_allclose(far - near, share * 2, atol=0.02)
    near, far = (
        jam_makespan_quantile_h(0.95, n, 3, 1, 2, "lognormal") for n in (below, above)
    )
    assert_allclose(far, near + 2, rtol=5e-3)


# --- properties ---------------------------------------------------------------------

varied = st.tuples(
    st.integers(1, 60),
    st.integers(1, 20),
    st.floats(0.05, 8),
    st.sampled_from(["gamma", "lognormal"]),
)


@settings(max_examples=8)
@given(varied)
def test_one_place_further_back_waits_longer_and_one_more_mover_helps(line):
    position, servers, scv, family = line
    wait_h = jam_wait_h(position, servers, 1, scv, family)
    behind_h = jam_wait_h(position + 1, servers, 1, scv, family)
    helped_h = jam_wait_h(position, servers + 1, 1, scv, family)
    assert helped_h - 1e-6 <= wait_h <= behind_h + 1e-6


@settings(max_examples=8)
@given(line=varied, one=st.floats(0.01, 0.99), other=st.floats(0.01, 0.99))
def test_a_higher_share_takes_longer(line, one, other):
    jobs, servers, scv, family = line
    low, high = sorted((one, other))
    for quantile in (jam_wait_quantile_h, jam_makespan_quantile_h):
        early_h, late_h = (
            quantile(p, jobs, servers, 1, scv, family) for p in (low, high)
        )
        assert early_h <= late_h * (1 + 1e-9)


@settings(max_examples=8)
@given(line=varied)
def test_the_mean_is_that_of_the_places(line):
    jobs, servers, scv, family = line
    places = np.arange(1, min(jobs, 30) + 1)
    waits_h = jam_wait_h(places, servers, 1, scv, family)
    mean_h = jam_mean_wait_h(places[-1], servers, 1, scv, family)
    assert_allclose(mean_h, waits_h.mean(), rtol=2e-4, atol=1e-7)


# --- far ends -----------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_far_ends(family):
    jam = 100, 10, 1, 2, family
    assert jam_wait_quantile_h([0, 1], *jam).tolist() == [0, np.inf]
    assert jam_makespan_quantile_h([0, 1], *jam).tolist() == [0, np.inf]
    assert jam_wait_quantile_h([0, 1], 10, *jam[1:]).tolist() == [0, 0]
    assert_allclose(jam_wait_h(1e300, 1, 1, 2, family), 1e300)
    assert_allclose(jam_makespan_quantile_h(0.5, 1e300, 1, 1, 2, family), 1e300)
    # as many movers as no service has: the wait of the ninth wave, and the longest
    crowd = 9e8, 1e8, 1, 2, family
    longest_h = jam_makespan_h(1e8, 1e8, 1, 2, family)
    assert 7 < jam_wait_h(*crowd) < 8
    assert longest_h < jam_makespan_h(*crowd) < np.inf


@pytest.mark.parametrize("family", ["gamma", "lognormal"])
def test_next_to_all_jobs_end_at_once_where_they_vary_beyond_measure(family):
    jam = 30, 10, 1, 1e6, family
    assert jam_wait_h(*jam) == jam_mean_wait_h(*jam) == 0
    assert_allclose(jam_makespan_h(*jam), 30, rtol=0.3)
    assert jam_makespan_quantile_h(0.5, *jam) < 2


def test_two_kinds_of_jobs_vary_more_than_one():
    for jam in (jam_makespan_h, jam_wait_h):
        with pytest.raises(
            ValueError, match=r"service_scv must be >= 1 if hyperexponential; got 0\.5"
        ):
            jam(100, 10, 1, 0.5, "hyperexponential")
