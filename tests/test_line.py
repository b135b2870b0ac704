"""Jobs of known length in one line: by hand, by another program, properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.jam import jam_wait_h
from vmbmodel.formulas.line import equal_line_wait_h, line_wait_h

hours = st.floats(1e-3, 1e3)


def test_the_line_of_a_small_bank():
    # worked by hand: two tellers, customers at 0, 0, 0 and 0:30 who need 4, 1, 1
    # and 1 h; the third waits for the second, the fourth for the third
    assert_allclose(line_wait_h([0, 0, 0, 0.5], [4, 1, 1, 1], 2), [0, 0, 1, 1.5])


@given(jobs=st.integers(1, 60), servers=st.integers(1, 12), length_h=hours)
def test_equal_jobs_at_once_leave_in_waves(jobs, servers, length_h):
    expected = jam_wait_h(np.arange(jobs) + 1, servers, length_h)
    for line_h in (line_wait_h, equal_line_wait_h):
        line = line_h(np.zeros(jobs), length_h, servers)
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
    for line_h in (line_wait_h, equal_line_wait_h):
        line = line_h(arrivals, length_h, servers)
        assert_allclose(line[order] + arrivals[order], begins, atol=1e-9)


def watched_h(arrivals, lengths_h, servers):
    """Watch jobs in order of arrival from mover to mover, and return their waits."""
    free_h, waits_h = np.zeros(servers), []
    for arrived_h, length_h in zip(arrivals, lengths_h, strict=True):
        mover = free_h.argmin()
        begin_h = max(arrived_h, free_h[mover])
        waits_h.append(begin_h - arrived_h)
        free_h[mover] = begin_h + length_h
    return waits_h


@given(data=st.data(), arrivals=arrivals, servers=st.integers(1, 6))
def test_unequal_jobs_as_if_watched_from_mover_to_mover(data, arrivals, servers):
    count = len(arrivals)
    many = st.lists(st.floats(0.01, 9), min_size=count, max_size=count)
    lengths_h = np.array(data.draw(many))
    arrivals = np.sort(arrivals)
    line = line_wait_h(arrivals, lengths_h, servers)
    assert_allclose(line, watched_h(arrivals, lengths_h, servers), atol=1e-9)


@pytest.mark.parametrize("load", [0.3, 0.8, 2])
@pytest.mark.parametrize("places", [1, 24])
def test_many_lines_at_once_come_to_what_each_comes_to_alone(load, places):
    # some never wait, some from the start on, some late in the day
    rng = np.random.default_rng(3)
    lines, jobs = 120, 50
    arrivals = np.sort(
        rng.choice([0, 4, 20], (lines, jobs)) + rng.random((lines, jobs))
    )
    lengths_h = rng.exponential(load, (lines, jobs))
    servers = rng.integers(places, 2 * places + 9, lines)
    at_once = line_wait_h(arrivals, lengths_h, servers)
    for line in range(lines):
        alone = watched_h(arrivals[line], lengths_h[line], servers[line])
        assert_allclose(at_once[line], alone, rtol=1e-12, atol=1e-12)


def test_many_lines_in_which_the_last_alone_wait():
    lines, jobs = 60, 20
    arrivals = np.append(np.arange(15.0), np.full(5, 15.0)) + np.zeros((lines, 1))
    lengths_h = np.full((lines, jobs), 2.0) + np.arange(lines)[:, np.newaxis] / 100
    at_once = line_wait_h(arrivals, lengths_h, 3)
    alone = [watched_h(*pair, 3) for pair in zip(arrivals, lengths_h, strict=True)]
    assert_allclose(at_once, alone, rtol=1e-12, atol=1e-12)
    assert (at_once[:, :15] == 0).all()
    assert (at_once[:, -1] > 1).all()


def test_a_job_of_no_length_waits_like_any_other():
    assert_allclose(line_wait_h([0, 1, 2], [5, 1e-20, 1], 1), [0, 4, 3])


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


days_of_jobs = st.lists(
    st.tuples(st.floats(0, 23.9), st.floats(0.01, 60)), min_size=1, max_size=12
)


@given(jobs=days_of_jobs, servers=st.integers(1, 6), days=st.integers(1, 5))
def test_jobs_that_come_again_wait_as_if_all_days_were_watched(jobs, servers, days):
    arrivals, lengths_h = np.array(sorted(jobs)).T
    all_days = arrivals + 24 * np.arange(days)[:, np.newaxis]
    told = watched_h(all_days.ravel(), np.tile(lengths_h, days), servers)
    line = line_wait_h(arrivals, lengths_h, servers, days)
    assert_allclose(line, told[-len(jobs) :], atol=1e-6)


@given(jobs=days_of_jobs, part=st.floats(0.05, 0.98))
def test_the_day_of_one_mover_is_the_longest_run_of_work_around_the_clock(jobs, part):
    # of all runs of jobs that end before a job, over midnight too, it waits for the one
    # whose work exceeds its time most
    arrivals, lengths_h = np.array(sorted(jobs)).T
    lengths_h *= 24 * part / lengths_h.sum()
    comes = np.concatenate([arrivals - 24, arrivals])
    work_h = np.tile(lengths_h, 2)
    expected = [
        max(0, *(work_h[i:j].sum() - comes[j] + comes[i] for i in range(j)))
        for j in range(len(jobs), 2 * len(jobs))
    ]
    line = line_wait_h(arrivals, lengths_h, 1, most_days=1000)
    assert_allclose(line, expected, atol=1e-6)


def test_a_day_that_is_like_the_one_before_it_is_the_last():
    # by hand: 20 h of work a day for one mover, twice as much as it can do till 10:00
    few, many = (line_wait_h([0, 0], 10, 1, most_days=d) for d in (2, 1000))
    assert few.tolist() == many.tolist() == [0, 10]
    # 30 hours of work a day: each day begins 6 hours later than the one before
    assert line_wait_h([0, 0], 15, 1, most_days=5).tolist() == [24, 39]


def test_a_job_that_comes_after_a_day_counts_as_one_of_a_later_day():
    early = line_wait_h([0, 6], [8, 3], 1, most_days=50)
    assert line_wait_h([0, 30], [8, 3], 1, most_days=50).tolist() == early.tolist()
    assert line_wait_h([0, 30], [8, 3], 1).tolist() == [0, 0]


@pytest.mark.parametrize("places", [1, 24])
def test_days_of_many_lines_at_once_come_to_what_each_comes_to_alone(places):
    rng = np.random.default_rng(5)
    lines, jobs = 90, 30
    arrivals = rng.choice([0, 4, 20], (lines, jobs)) + rng.random((lines, jobs))
    lengths_h = rng.exponential(22 * places / jobs, (lines, jobs))
    servers = rng.integers(places, 2 * places + 1, lines)
    days = rng.integers(1, 30, lines)
    at_once = line_wait_h(arrivals, lengths_h, servers, days)
    alone = [
        line_wait_h(arrivals[i], lengths_h[i], servers[i], days[i])
        for i in range(lines)
    ]
    assert_allclose(at_once, alone, rtol=1e-12, atol=1e-12)
    assert (at_once > line_wait_h(arrivals, lengths_h, servers) + 0.1).any()


def test_each_line_has_its_own_length_and_movers():
    rng = np.random.default_rng(7)
    arrivals = rng.uniform(0, 10, (3, 4, 30))
    servers, length_h = rng.integers(1, 40, (3, 4)), rng.uniform(0.1, 2, (3, 1))
    lines = equal_line_wait_h(arrivals, length_h, servers)
    for place in np.ndindex(3, 4):
        alone = line_wait_h(arrivals[place], length_h[place[0]], servers[place])
        assert_allclose(lines[place], alone, atol=1e-12)


@pytest.mark.parametrize("line_h", [line_wait_h, equal_line_wait_h])
def test_ends_of_a_line(line_h):
    assert line_h([], 1, 3).shape == (0,)
    assert line_h([5.0], 1, 3).tolist() == [0]
    assert line_h([0, 0, 0], 1e308, 1).tolist() == [0, 1e308, np.inf]
    assert line_h([0, 0, 0], 1, 1e300).tolist() == [0, 0, 0]


def test_days_of_a_line_with_servers_without_end():
    assert line_wait_h([0, 0, 0], 60, 1e300, most_days=9).tolist() == [0, 0, 0]
