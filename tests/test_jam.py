"""Everything at once: exact cases, a simulation, properties."""

from fractions import Fraction
from functools import partial

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.jam import (
    jam_makespan_h,
    jam_makespan_quantile_h,
    jam_mean_wait_h,
    jam_wait_h,
    jam_wait_quantile_h,
)

crowds = st.integers(1, 2000)
movers = st.integers(1, 300)
hours = st.floats(1e-3, 1e3)


def first_come_first_served(lengths_h, servers):
    """Return starts and ends of jobs that all stand in line at 0.

    One row of `lengths_h` is one repetition; each job goes to the mover that is
    free first.
    """
    repetitions = np.arange(len(lengths_h))
    free_h = np.zeros((len(lengths_h), servers))
    starts, ends = np.empty_like(lengths_h), np.empty_like(lengths_h)
    for job, length_h in enumerate(lengths_h.T):
        mover = free_h.argmin(axis=1)
        starts[:, job] = free_h[repetitions, mover]
        ends[:, job] = free_h[repetitions, mover] = starts[:, job] + length_h
    return starts, ends


@pytest.mark.parametrize(
    ("movers", "harmonic"),
    [
        # Knuth, The Art of Computer Programming 1, appendix A, table 3:
        # H_2 = 1.5, H_10 = 2.92896825396825
        (2, 1.5),
        (10, 2.92896825396825),
        # Rosetta Code, "Jensen's Device": the sum of 1/i to 100 prints as
        # 5.187377517639620260805
        (100, 5.187377517639620),
    ],
)
def test_last_of_exponential_jobs_by_published_harmonic_numbers(movers, harmonic):
    assert_allclose(jam_makespan_h(movers, movers, 1, 1), harmonic, rtol=1e-14)


def test_gauss_and_his_hundred():
    # The sum of 1 to 100 is 5050, as Gauss is said to have found at school: of
    # 101 jobs before one mover, the waits are 0 to 100 jobs' time.
    assert jam_mean_wait_h(101, 1, 1) * 101 == 5050
    assert_allclose(jam_mean_wait_h(101, 1, 1, 1) * 101, 5050, rtol=1e-14)


@pytest.mark.parametrize(
    ("jobs", "servers"), [(1, 1), (7, 3), (9, 3), (3, 9), (100, 10), (101, 10)]
)
def test_equal_jobs_leave_in_waves(jobs, servers):
    starts, ends = first_come_first_served(np.full((1, jobs), 0.5), servers)
    places = np.arange(1, jobs + 1)
    assert_allclose(jam_wait_h(places, servers, 0.5), starts[0], rtol=1e-14)
    assert_allclose(jam_mean_wait_h(jobs, servers, 0.5), starts.mean(), rtol=1e-14)
    assert_allclose(jam_makespan_h(jobs, servers, 0.5), ends.max(), rtol=1e-14)


@pytest.mark.parametrize(("jobs", "servers"), [(60, 7), (30, 30), (12, 20), (25, 1)])
def test_exponential_jobs_against_simulation(jobs, servers):
    # 4 000 repetitions, seed 11. Means are compared at 3.9 standard errors, a
    # confidence of 99.99 %.
    lengths_h = np.random.default_rng(11).exponential(0.5, (4000, jobs))
    starts, ends = first_come_first_served(lengths_h, servers)
    for predicted, seen in (
        (jam_mean_wait_h(jobs, servers, 0.5, 1), starts.mean(axis=1)),
        (jam_makespan_h(jobs, servers, 0.5, 1), ends.max(axis=1)),
    ):
        error = seen.std(ddof=1) / np.sqrt(len(seen))
        assert abs(predicted - seen.mean()) <= 3.9 * error


@given(jobs=crowds, servers=movers)
def test_mean_is_the_mean_of_the_places(jobs, servers):
    places = np.arange(1, jobs + 1)
    waits = jam_wait_h(places, servers, 1)
    assert Fraction(jam_mean_wait_h(jobs, servers, 1)).limit_denominator(jobs) == (
        Fraction(int(waits.sum()), jobs)
    )
    assert jam_makespan_h(jobs, servers, 1) == waits[-1] + 1


@given(jobs=crowds, servers=movers)
def test_exponential_jobs_by_exact_sums(jobs, servers):
    # a mover becomes free every 1/c on average; the last ones after 1/1 ... 1/c
    gaps = Fraction(1, servers) * max(jobs - servers, 0)
    tail = sum(Fraction(1, k) for k in range(1, min(jobs, servers) + 1))
    waits = sum(Fraction(j - servers, servers) for j in range(servers + 1, jobs + 1))
    makespan_h = jam_makespan_h(jobs, servers, 1, 1)
    assert_allclose(makespan_h, float(gaps + tail), rtol=1e-13)
    mean_h = jam_mean_wait_h(jobs, servers, 1, 1)
    assert_allclose(mean_h, float(waits / jobs), rtol=1e-13)


@given(jobs=crowds, servers=movers)
def test_exponential_mean_is_the_mean_of_the_places(jobs, servers):
    waits = jam_wait_h(np.arange(1, jobs + 1), servers, 1, 1)
    mean_h = jam_mean_wait_h(jobs, servers, 1, 1)
    assert_allclose(mean_h, waits.mean(), rtol=1e-12, atol=1e-300)


def test_quantiles_by_a_table_of_chi_square():
    # NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4, upper critical
    # values of chi-square: 20 degrees of freedom 28.412, 31.410 and 37.566 at
    # 0.10, 0.05 and 0.01; half of it is the sum of ten exponential times
    prob, table = [0.9, 0.95, 0.99], np.array([28.412, 31.410, 37.566]) / 2
    assert_allclose(jam_wait_quantile_h(prob, 11, 1, 1, 1), table, atol=3e-4)
    assert_allclose(jam_wait_quantile_h(prob, 20, 10, 1, 1), table / 10, atol=3e-4)
    assert_allclose(jam_makespan_quantile_h(prob, 10, 1, 1, 1), table, atol=3e-4)


@pytest.mark.parametrize(
    ("jobs", "servers"), [(3, 2), (11, 1), (12, 10), (60, 2), (80, 50), (5, 4)]
)
@pytest.mark.parametrize("prob", [1e-6, 0.05, 0.5, 0.95, 1 - 1e-9])
def test_quantile_of_the_end_by_inverting_its_transform(jobs, servers, prob):
    # a sum of exponential times: N - c of rate c, then one of each rate 1 to c
    rates = [servers] * (jobs - servers) + list(range(1, servers + 1))

    def transform(s):
        return mp.fprod(mp.mpf(rate) / (s + rate) for rate in rates) / s

    with mp.workdps(40):
        end_h = jam_makespan_quantile_h(prob, jobs, servers, 1, 1)
        done = mp.invertlaplace(transform, mp.mpf(end_h), method="talbot")
    assert_allclose(float(done), prob, rtol=1e-11)
    assert_allclose(float(1 - done), 1 - prob, rtol=1e-7 if prob > 0.99 else 1e-9)


def test_far_ends_of_the_quantiles():
    assert jam_wait_quantile_h([0, 1], 100, 10, 1, 1).tolist() == [
        0,
        np.inf,
    ]
    assert jam_wait_quantile_h([0, 1], 10, 10, 1, 1).tolist() == [0, 0]
    assert jam_makespan_quantile_h([0, 1], 100, 10, 1, 1).tolist() == [
        0,
        np.inf,
    ]
    # a crowd varies little: N tau/c, and the last of c by Gumbel's law
    end_h = jam_makespan_quantile_h(0.5, 1e300, 1e299, 1, 1)
    gumbel = 9 + 299 * np.log(10) - np.log(np.log(2))
    assert_allclose(end_h, gumbel, rtol=1e-9)
    assert_allclose(jam_makespan_quantile_h(0.5, 1e300, 1, 1, 1), 1e300)


ALL = [
    partial(jam, service_scv=scv)
    for jam in (jam_wait_h, jam_mean_wait_h, jam_makespan_h)
    for scv in (0, 1)
]
every_jam = pytest.mark.parametrize(
    "jam", ALL, ids=lambda f: f"{f.func.__name__}-{f.keywords}"
)


@every_jam
@given(jobs=crowds, servers=movers, service_h=hours)
def test_one_more_mover_never_makes_it_slower(jam, jobs, servers, service_h):
    now_h, then_h = (jam(jobs, c, service_h) for c in (servers, servers + 1))
    assert then_h <= now_h * (1 + 1e-12)


@every_jam
@given(jobs=crowds, servers=movers, service_h=hours)
def test_one_more_job_never_makes_it_faster(jam, jobs, servers, service_h):
    now_h, then_h = (jam(n, servers, service_h) for n in (jobs, jobs + 1))
    assert then_h >= now_h * (1 - 1e-12)


@every_jam
@given(jobs=crowds, servers=movers, service_h=hours)
def test_twice_the_length_takes_twice_the_time(jam, jobs, servers, service_h):
    assert jam(jobs, servers, 2 * service_h) == 2 * jam(jobs, servers, service_h)


@given(jobs=crowds, servers=movers)
def test_no_jam_where_every_job_has_its_mover(jobs, servers):
    crowd = jobs + servers
    assert jam_mean_wait_h(jobs, crowd, 1) == jam_mean_wait_h(jobs, crowd, 1, 1) == 0
    assert jam_makespan_h(jobs, crowd, 1) == 1
    assert not np.signbit(jam_mean_wait_h(jobs, crowd, 1))


def test_a_crowd_beyond_counting():
    # (N - c)(N - c + 1) tau / (2 N c) is N tau / (2 c) for N >> c; the product
    # of two such crowds would not fit a float
    assert_allclose(jam_mean_wait_h(1e300, 10, 1, 1), 5e298, rtol=1e-14)
    assert_allclose(jam_mean_wait_h(1e300, 10, 1), 5e298, rtol=1e-14)
