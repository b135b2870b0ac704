"""Everything at once: exact cases, a simulation, properties."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.jam import (
    jam_makespan_h,
    jam_mean_wait_h,
    jam_wait_h,
    line_wait_h,
    random_jam_makespan_h,
    random_jam_mean_wait_h,
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
    assert_allclose(random_jam_makespan_h(movers, movers, 1), harmonic, rtol=1e-14)


def test_gauss_and_his_hundred():
    # The sum of 1 to 100 is 5050, as Gauss is said to have found at school: of
    # 101 jobs before one mover, the waits are 0 to 100 jobs' time.
    assert jam_mean_wait_h(101, 1, 1) * 101 == 5050
    assert_allclose(random_jam_mean_wait_h(101, 1, 1) * 101, 5050, rtol=1e-14)


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
        (random_jam_mean_wait_h(jobs, servers, 0.5), starts.mean(axis=1)),
        (random_jam_makespan_h(jobs, servers, 0.5), ends.max(axis=1)),
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
    makespan_h = random_jam_makespan_h(jobs, servers, 1)
    assert_allclose(makespan_h, float(gaps + tail), rtol=1e-13)
    mean_h = random_jam_mean_wait_h(jobs, servers, 1)
    assert_allclose(mean_h, float(waits / jobs), rtol=1e-13)


ALL = [
    jam_wait_h,
    jam_mean_wait_h,
    jam_makespan_h,
    random_jam_mean_wait_h,
    random_jam_makespan_h,
]
every_jam = pytest.mark.parametrize("jam", ALL, ids=lambda f: f.__name__)


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
    assert (
        jam_mean_wait_h(jobs, crowd, 1) == random_jam_mean_wait_h(jobs, crowd, 1) == 0
    )
    assert jam_makespan_h(jobs, crowd, 1) == 1
    assert not np.signbit(jam_mean_wait_h(jobs, crowd, 1))


def test_a_crowd_beyond_counting():
    # (N - c)(N - c + 1) tau / (2 N c) is N tau / (2 c) for N >> c; the product
    # of two such crowds would not fit a float
    assert_allclose(random_jam_mean_wait_h(1e300, 10, 1), 5e298, rtol=1e-14)
    assert_allclose(jam_mean_wait_h(1e300, 10, 1), 5e298, rtol=1e-14)


# --- jobs of known length, at once or not -----------------------------------------


def test_the_line_of_a_small_bank():
    # worked by hand: two tellers, customers at 0, 0, 0 and 0:30 who need 4, 1, 1
    # and 1 h; the third waits for the second, the fourth for the third
    assert_allclose(line_wait_h([0, 0, 0, 0.5], [4, 1, 1, 1], 2), [0, 0, 1, 1.5])


@given(jobs=st.integers(1, 60), servers=st.integers(1, 12), length_h=hours)
def test_equal_jobs_at_once_leave_in_waves(jobs, servers, length_h):
    expected = jam_wait_h(np.arange(jobs) + 1, servers, length_h)
    line = line_wait_h(np.zeros(jobs), length_h, servers)
    assert_allclose(line, expected, rtol=1e-12)


arrivals = st.lists(st.floats(0, 24), min_size=1, max_size=40)


@given(arrivals=arrivals, servers=st.integers(1, 6), length_h=st.floats(0.01, 5))
def test_equal_jobs_at_any_time_by_one_running_maximum(arrivals, servers, length_h):
    # equal jobs come to the movers in turn: every c-th job meets the same one
    arrivals = np.array(arrivals)
    begins = np.sort(arrivals)
    for mover in range(servers):
        own = begins[mover::servers]
        shift = length_h * np.arange(len(own))
        begins[mover::servers] = np.maximum.accumulate(own - shift) + shift
    order = np.argsort(arrivals, kind="stable")
    line = line_wait_h(arrivals, length_h, servers)
    assert_allclose(line[order] + arrivals[order], begins, atol=1e-9)


@given(data=st.data(), arrivals=arrivals, servers=st.integers(1, 6))
def test_unequal_jobs_as_if_watched_from_mover_to_mover(data, arrivals, servers):
    count = len(arrivals)
    many = st.lists(st.floats(0.01, 9), min_size=count, max_size=count)
    lengths_h = np.array(data.draw(many))
    arrivals = np.sort(arrivals)
    free_h = np.zeros(servers)
    line = line_wait_h(arrivals, lengths_h, servers)
    for job in range(count):
        mover = free_h.argmin()
        begin = max(arrivals[job], free_h[mover])
        assert_allclose(line[job], begin - arrivals[job], atol=1e-9)
        free_h[mover] = begin + lengths_h[job]


@given(data=st.data(), arrivals=arrivals, servers=st.integers(1, 6))
def test_one_more_place_or_shorter_jobs_never_lengthen_the_line(
    data, arrivals, servers
):
    count = len(arrivals)
    many = st.lists(st.floats(0.01, 9), min_size=count, max_size=count)
    lengths_h = np.array(data.draw(many))
    now = line_wait_h(arrivals, lengths_h, servers)
    assert (line_wait_h(arrivals, lengths_h, servers + 1) <= now + 1e-9).all()
    assert (line_wait_h(arrivals, lengths_h / 2, servers) <= now + 1e-9).all()
