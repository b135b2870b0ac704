"""Caps and capacities: documented counts, published slowdowns, a birth-death chain."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.fields import convert
from vmbmodel.formulas.caps import (
    account_capacity_mib_s,
    disk_cap_mib_s,
    full_speed_disks,
    random_load_slowdown,
)
from vmbmodel.formulas.queueing import erlang_c_prob
from vmbmodel.formulas.sharing import completion_equal_caps_h

rates = st.floats(0.1, 1e5)
ratios = st.floats(0.01, 200)
shares = st.floats(0, 0.99)

BLOB = convert(60, "MB/s", to="MiB/s")


def slowdown_of_chain(ratio, share):
    """Mean number in a birth-death chain over its load, summed in 40 digits."""
    with mpmath.workdps(40):
        load = mpmath.mpf(share) * mpmath.mpf(ratio)
        weight, total, number = mpmath.mpf(1), mpmath.mpf(1), mpmath.mpf(0)
        k = 0
        while weight > total * mpmath.mpf(10) ** -30 or k < load:
            k += 1
            weight *= load / min(k, mpmath.mpf(ratio))
            total += weight
            number += k * weight
        return float(number / total / load)


def test_documented_disks_at_full_rate():
    # Microsoft, Azure subscription limits (2018): an account answers 20,000
    # requests a second, a standard disk 500; 40 disks may run at full rate.
    capacity = account_capacity_mib_s(np.inf, 20_000, 8, 0)
    assert full_speed_disks(capacity, disk_cap_mib_s(np.inf, 500, 8, np.inf)) == 40


def test_twenty_disks_of_an_older_account():
    # 10 Gbps of egress over 60 MB/s of a blob are 20.8 disks
    capacity = account_capacity_mib_s(convert(10, "Gbps", to="MiB/s"), np.inf, 8, 0)
    assert_allclose(full_speed_disks(capacity, BLOB), 1250 / 60, rtol=1e-14)


@pytest.mark.parametrize(
    ("ratio", "share", "slowdown", "digits"),
    [
        # M/M/1-PS: Kleinrock, Queueing Systems II (1976), sec. 4.4, 1 / (1 - rho)
        (1, 0.5, 2, 1e-15),
        (1, 0.9, 10, 1e-13),
        # M/M/2: 1 + C / (2 (1 - rho)) with C = 1/3 (Gross et al. 2008)
        (2, 0.5, 4 / 3, 1e-15),
        # the same sums by hand: one transfer at half the cap takes twice as long
        (0.5, 0, 2, 1e-15),
    ],
)
def test_textbook_slowdowns(ratio, share, slowdown, digits):
    assert_allclose(random_load_slowdown(ratio, share), slowdown, rtol=digits)


@given(ratio=ratios, share=st.floats(1e-3, 0.99))
def test_against_a_chain_in_forty_digits(ratio, share):
    expected = slowdown_of_chain(ratio, share)
    assert_allclose(random_load_slowdown(ratio, share), expected, rtol=1e-12)


@given(servers=st.integers(1, 10_000), share=shares)
def test_whole_ratios_are_erlang_s(servers, share):
    waiting = erlang_c_prob(servers, share * servers)
    expected = 1 + waiting / servers / (1 - share)
    assert_allclose(random_load_slowdown(servers, share), expected, rtol=1e-12)


def test_against_simulated_transfers():
    # 400,000 transfers of lognormal size (scv 4) through an account of 2.5 times
    # their cap, seven tenths taken, seed 4: within 1.5 %, three standard errors
    # of batch means.
    ratio, share, jobs = 2.5, 0.7, 400_000
    rng = np.random.default_rng(4)
    arrivals = np.cumsum(rng.exponential(1 / (share * ratio), jobs)).tolist()
    spread = np.log(5)
    sizes = rng.lognormal(-spread / 2, np.sqrt(spread), jobs).tolist()
    assert abs(
        shared_mean_h(arrivals, sizes, ratio) - random_load_slowdown(ratio, share)
    ) < 0.015 * random_load_slowdown(ratio, share)


def shared_mean_h(arrivals, sizes, ratio):
    """Mean time of transfers of mean size 1 that share a capacity, each capped at 1.

    Work is measured by what each running transfer has got since time 0, so that
    the next one done is the smallest of a heap.
    """
    import heapq

    now = got = total = 0.0
    running = []
    for arrival, size in zip(arrivals, sizes, strict=True):
        while running:
            speed = min(1, ratio / len(running))
            done = now + (running[0] - got) / speed
            if done > arrival:
                break
            total += (done - now) * len(running)
            now, got = done, heapq.heappop(running)
        if running:
            total += (arrival - now) * len(running)
            got += (arrival - now) * min(1, ratio / len(running))
        now = arrival
        heapq.heappush(running, got + size)
    return total / len(sizes)


@given(ratio=ratios, share=shares, more=st.floats(0, 1))
def test_what_never_speeds_a_transfer_up(ratio, share, more):
    now = random_load_slowdown(ratio, share)
    assert random_load_slowdown(ratio, share + more * (0.99 - share)) >= now * (
        1 - 1e-12
    )
    assert random_load_slowdown(ratio * (1 - more / 2), share) >= now * (1 - 1e-12)


@given(ratio=ratios, share=shares)
def test_random_load_is_no_better_than_a_steady_one(ratio, share):
    steady = completion_equal_caps_h([1.0], 1, (1 - share) * ratio)[0]
    alone = completion_equal_caps_h([1.0], 1, np.inf)[0]
    assert random_load_slowdown(ratio, share) >= max(steady / alone, 1) * (1 - 1e-12)


@given(
    limits=st.tuples(rates, rates, rates, rates),
    which=st.integers(0, 3),
    less=st.floats(0.01, 1),
)
def test_a_disk_gets_no_more_from_less(limits, which, less):
    lower = [limit * (less if i == which else 1) for i, limit in enumerate(limits)]
    assert disk_cap_mib_s(*lower) <= disk_cap_mib_s(*limits)


@given(throughput=rates, requests=rates, kib=rates, share=shares)
def test_an_account_gives_no_more_than_each_limit(throughput, requests, kib, share):
    capacity = account_capacity_mib_s(throughput, requests, kib, share)
    assert capacity <= throughput * (1 - share)
    assert capacity <= requests * kib / 1024 * (1 - share) * (1 + 1e-15)
    assert capacity <= account_capacity_mib_s(throughput, requests, kib, share / 2)


@pytest.mark.parametrize("ratio", [1e-300, 1e-3, 0.999, 1, 1e7, 1e15, 1e300, np.inf])
@pytest.mark.parametrize("share", [0, 1e-300, 0.5, 1 - 1e-16])
def test_far_out(ratio, share):
    slowdown = random_load_slowdown(ratio, share)
    assert slowdown >= max(1, min(1 / ratio, 1e299))
    if share <= 0.5 and ratio >= 1e7:
        assert slowdown == 1


def test_no_limit_and_no_capacity():
    assert disk_cap_mib_s(np.inf, np.inf, 4096, np.inf) == np.inf
    assert account_capacity_mib_s(np.inf, np.inf, 8, 0.9) == np.inf
    assert full_speed_disks(np.inf, np.inf) == np.inf
    assert full_speed_disks(1, np.inf) == 0
    assert random_load_slowdown(0, 0) == np.inf
