"""Jobs in batches or on a timetable: a textbook, exact recursions, properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import pdtr

from vmbmodel.formulas import queueing
from vmbmodel.formulas._kernels.batches import batch_waiting
from vmbmodel.formulas.arrivals import (
    batch_mean_wait_h,
    jobs_ahead,
    timetable_mean_wait_h,
)

movers = st.floats(1, 500)
shares = st.floats(1e-3, 0.999)
hours = st.floats(1e-3, 1e3)
others = st.floats(0, 100)


def waiting_prob(servers, arrivals_per_h, service_h, ahead):
    """Return the probability of waiting that the mean is made of."""
    line = servers, arrivals_per_h * service_h, ahead
    with np.errstate(all="ignore"):
        return batch_waiting(*(np.array(part, dtype=float) for part in line))


def line_by_recursion(servers, busy, sizes):
    """Mean wait and probability of waiting, from balanced cuts between the states.

    What leaves n jobs for n - 1 equals what enters n or more from below; every term
    is positive. A job has j of its batch before it with P(X > j) / E[X].
    """
    more = sizes[::-1].cumsum()[::-1]  # P(X > j) for j = 0, 1, ...
    number = np.arange(3000)
    share = np.eye(1, 3000)[0]
    batches = servers * busy / more.sum()
    for n in number[1:]:
        few = min(n, len(more))
        enter = share[n - few : n][::-1] @ more[:few]
        share[n] = batches * enter / min(n, servers)
    share /= share.sum()
    mean = share @ np.maximum(number - servers, 0) / (servers * busy)
    found_busy = [share[max(servers - j, 0) :].sum() for j in range(len(more))]
    return mean, found_busy @ more / more.sum()


@pytest.mark.parametrize(("size", "busy"), [(1, 0.5), (2, 0.5), (5, 0.9)])
def test_a_textbook_case_of_one_server(size, busy):
    # Gross et al. (2008), sec. 3.1: batches of one size K at one exponential server
    # have L = rho (K + 1) / (2 (1 - rho)) jobs in the system
    in_system = busy * (size + 1) / (2 * (1 - busy))
    wait = batch_mean_wait_h(1, busy, 1, jobs_ahead(size, 0))
    assert_allclose(wait, in_system / busy - 1, rtol=1e-12)


@pytest.mark.parametrize("servers", [1, 5, 20, 100])
@pytest.mark.parametrize("busy", [0.3, 0.7, 0.95])
@pytest.mark.parametrize("more", [0.2, 0.8])
def test_geometric_batches_agree_with_a_recursion(servers, busy, more):
    sizes = (1 - more) * more ** np.arange(300)
    line = servers, servers * busy, 1, jobs_ahead(1 / (1 - more), more)
    found = batch_mean_wait_h(*line), waiting_prob(*line)
    assert_allclose(found, line_by_recursion(servers, busy, sizes), rtol=1e-11)


@pytest.mark.parametrize("size", [5, 20])
@pytest.mark.parametrize(
    ("servers", "busy", "longer"),
    [
        (5, 0.7, 0.05),
        (20, 0.7, 0.09),
        (100, 0.7, 0.20),
        (20, 0.9, 0.02),
        (100, 0.9, 0.023),
    ],
)
def test_batches_of_one_size_wait_a_little_less(servers, busy, longer, size):
    wait, _ = line_by_recursion(servers, busy, np.eye(size)[-1])
    found = batch_mean_wait_h(servers, servers * busy, 1, jobs_ahead(size, 0))
    assert wait <= found <= wait * (1 + longer)


@pytest.mark.parametrize("servers", [5, 10, 20])
@pytest.mark.parametrize("ahead", [1.5, 4.5])
@pytest.mark.parametrize(("busy", "short"), [(0.5, 0.45), (0.7, 0.19), (0.8, 0.10)])
def test_equal_jobs_in_geometric_batches(servers, ahead, busy, short):
    # n jobs are n - c after a service time, and those that came in it (Crommelin)
    number = np.arange(8192)
    sizes = np.where(number > 0, (ahead / (1 + ahead)) ** (number - 1.0), 0)
    sizes /= sizes.sum()
    rate = servers * busy / (1 + ahead)
    come = np.fft.fft(sizes)
    line = 0
    for times in range(1, 1500):  # Spitzer's identity
        jobs = np.fft.ifft(np.exp(rate * times * (come - 1))).real
        line += jobs @ np.maximum(number - servers * times, 0) / times
        if (servers * times + 12 * np.sqrt(rate * times) * (2 + ahead)) > 7000:
            break
    wait = line / (servers * busy)
    found = batch_mean_wait_h(servers, servers * busy, 1, ahead, 0)
    assert wait * (1 - short) <= found <= wait


# Geometric batches of Erlang-2 and of balanced hyperexponential jobs (v = 2): movers,
# jobs of the batch ahead, and mean waits at a load of 0.5, 0.7 and 0.8. Solved as a
# chain of the jobs in the pool and the phases of those in service.
BATCHES = """
5 1.5 0.43717 1.0171 1.758 0.43115 1.1558 2.1206
10 1.5 0.13056 0.39567 0.75466 0.11202 0.41803 0.87027
10 4.5 0.57239 1.2556 2.1229 0.49298 1.2266 2.1942
20 1.5 0.027834 0.13391 0.29963 0.019273 0.12707 0.32371
20 4.5 0.18176 0.50069 0.92386 0.13697 0.45495 0.91249
"""


def test_jobs_that_vary_in_geometric_batches():
    rows = np.array(BATCHES.split(), dtype=float).reshape(-1, 8)
    servers, ahead = rows[:, :1], rows[:, 1:2]
    busy, off = np.array([0.5, 0.7, 0.8]), np.array([0.20, 0.06, 0.04])
    line = servers, servers * busy, 1, ahead
    erlang = batch_mean_wait_h(*line, 0.5) / rows[:, 2:5] - 1
    mixed = batch_mean_wait_h(*line, 2, "hyperexponential") / rows[:, 5:] - 1
    assert np.all((erlang <= 0) & (erlang >= -off))
    assert np.all((mixed >= 0) & (mixed <= off))


@given(servers=movers, busy=shares, tau=hours)
def test_batches_of_one_are_the_simple_queue(servers, busy, tau):
    line = servers, servers * busy / tau, tau
    none = {"rtol": 1e-11, "atol": 1e-290}
    simple = queueing.mean_wait_h(*line)
    assert_allclose(batch_mean_wait_h(*line, 0), simple, **none)
    assert_allclose(batch_mean_wait_h(*line, 1e-9), simple, rtol=1e-2, atol=1e-290)
    waiting = queueing.wait_prob(*line)
    assert_allclose(waiting_prob(*line, 0), waiting, **none)


@given(busy=shares, ahead=others, scv=st.floats(0, 8))
def test_one_mover_serves_the_own_batch_first(busy, ahead, scv):
    # Pollaczek and Khinchine, and the jobs of one's batch stretched by the busy share
    expected = busy * (1 + scv) / (2 * (1 - busy)) + ahead / (1 - busy)
    found = batch_mean_wait_h(1, busy, 1, ahead, scv, "gamma")
    assert_allclose(found, expected, rtol=1e-6)


@given(servers=movers, busy=shares, ahead=st.tuples(others, others), prob=shares)
def test_larger_batches_never_shorten_the_wait(servers, busy, ahead, prob):
    ahead = sorted(ahead)
    waits = batch_mean_wait_h(servers, servers * busy, 1, ahead)
    assert waits[0] <= waits[1] * (1 + 1e-9)
    alone = queueing.mean_wait_h(servers, servers * busy, 1, 2, "lognormal")
    for b in ahead:
        line = servers, servers * busy, 1, b, 2, "lognormal"
        assert batch_mean_wait_h(*line) >= alone * (1 - 1e-9)


@given(servers=movers, loads=st.tuples(shares, shares), ahead=others)
def test_more_load_never_shortens_the_wait(servers, loads, ahead):
    waits = batch_mean_wait_h(servers, servers * np.sort(loads), 1, ahead)
    assert waits[0] <= waits[1] * (1 + 1e-9)


def test_edges():
    assert batch_mean_wait_h(10, [10, 11, 1e300], 1, 4).tolist() == [np.inf] * 3
    assert [waiting_prob(10, n, 1, 4) for n in (0, 10)] == [0, 1]
    assert batch_mean_wait_h(10, 0, 1, 4) == 0
    assert batch_mean_wait_h(10, [0, 10], 1, 4, 2, "gamma").tolist() == [
        0,
        np.inf,
    ]


# Simulations of jobs that start together every hour: movers, length of a job, load,
# mean wait and how far off the formula may be.
@pytest.mark.parametrize(
    ("servers", "service_h", "busy", "simulated", "off"),
    [
        (10, 0.25, 0.6, 0.1958, 0.045),
        (10, 0.25, 0.9, 0.3909, 0.012),
        (50, 0.25, 0.9, 0.3362, 0.02),
        (10, 0.5, 0.95, 0.654, 0.06),
    ],
)
def test_simulated_timetables(servers, service_h, busy, simulated, off):
    jobs = busy * servers / service_h
    wait = timetable_mean_wait_h(servers, jobs, 1, service_h)
    assert simulated * (1 - off) <= wait <= simulated


def simulated_timetable(rng, servers, start_jobs, service_h, hours=220, nights=40):
    """Let the first free mover take each job of a start on the hour."""
    free_h, every = np.zeros((nights, servers)), np.arange(nights)
    waited_h, jobs = 0.0, 0
    for hour, come in enumerate(rng.poisson(start_jobs, (hours, nights))):
        for job in range(come.max()):
            some = every[come > job]
            mover = free_h[some].argmin(axis=1)
            begin_h = np.maximum(free_h[some, mover], hour)
            free_h[some, mover] = begin_h + service_h
            if hour >= 100:  # of a line that has settled
                waited_h, jobs = waited_h + (begin_h - hour).sum(), jobs + len(some)
    return waited_h / jobs


@pytest.mark.parametrize(
    ("waves", "least"), [(5, -0.05), (3, -0.11), (2, -0.18), (1, -0.8)]
)
@pytest.mark.parametrize("busy", [0.6, 0.8])
def test_few_jobs_for_each_mover_within_the_stated_error(waves, least, busy):
    # ten movers, 40 nights of 120 starts that count, seed 12: good to some 3 %
    wait_h = timetable_mean_wait_h(10, 10 * waves, 1, busy / waves)
    rng = np.random.default_rng(12)
    seen_h = simulated_timetable(rng, 10, 10 * waves, busy / waves)
    assert least - 0.02 < wait_h / seen_h - 1 < 0.02


def test_backlog_of_a_timetable_agrees_with_its_recursion():
    # what is left before a start: B' = (B + N - m)^+, N Poisson
    room, jobs, size = 8, 6.8, 400
    arrivals = np.diff(pdtr(np.arange(size), jobs), prepend=0)
    share = np.eye(1, size)[0]
    for _ in range(3000):
        after = np.convolve(share, arrivals)
        share = np.concatenate([[after[: room + 1].sum()], after[room + 1 :]])[:size]
    backlog = share @ np.arange(size)
    wait = timetable_mean_wait_h(2, jobs, 1, 0.25)
    assert_allclose(wait, (backlog + jobs / 2 - 1 / 2) / 8, rtol=1e-6)


def test_edges_of_a_timetable():
    assert timetable_mean_wait_h(10, 0, 1, 0.25) == 0
    assert timetable_mean_wait_h(10, [40, 41, 1e300], 1, 0.25).tolist() == [np.inf] * 3
    ends = np.array([1e-300, 1, 1e300])
    waits = timetable_mean_wait_h(
        ends, ends[:, None], ends[:, None, None], ends[:, None, None, None]
    )
    assert (waits >= 0).all()


def test_numbers_too_small_to_divide_by():
    for family in ("gamma", "lognormal", "hyperexponential"):
        for servers in (5e-324, 1e-310):
            wait = batch_mean_wait_h(servers, [0, 5e-324, 1], 1, 4, 2, family)
            assert not np.isnan(wait).any()
