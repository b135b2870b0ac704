"""Disks that share an account: published shares and slowdowns, simulation, a chain."""

import heapq

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.fields import convert
from vmbmodel.formulas.queueing import erlang_c_prob
from vmbmodel.formulas.sharing import (
    account_capacity_mib_s,
    completion_equal_caps_h,
    completion_h,
    disk_cap_mib_s,
    full_speed_disks,
    random_load_slowdown,
)

MIB_S_H = 3600 / 1024  # GiB that 1 MiB/s moves in an hour

sizes = st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 4096)), min_size=1, max_size=8)
disks = st.lists(
    st.tuples(st.one_of(st.just(0.0), st.floats(1e-3, 4096)), st.floats(0.1, 500)),
    min_size=1,
    max_size=8,
)
rates = st.floats(0.1, 1000)
limits = st.floats(0.1, 1e5)
ratios = st.floats(0.01, 200)
shares = st.floats(0, 0.99)

BLOB = convert(60, "MB/s", to="MiB/s")


def simulated_h(size_gib, cap_mib_s, capacity_mib_s):
    """Fill the account to a level found by bisection, from event to event."""
    left = np.array(size_gib) * 1024
    cap = np.broadcast_to(cap_mib_s, left.shape)
    now, done = 0.0, np.zeros(len(left))
    while (left > 0).any():
        running = left > 0
        low, high = 0.0, cap.max()
        for _ in range(200):
            level = (low + high) / 2
            if np.minimum(cap, level)[running].sum() > capacity_mib_s:
                high = level
            else:
                low = level
        rate = np.minimum(cap, high)
        needed = left[running] / rate[running]
        now += needed.min()
        ended = np.flatnonzero(running)[needed <= needed.min() * (1 + 1e-13)]
        left = np.where(running, left - rate * needed.min(), 0)
        left[ended] = 0
        done[ended] = now
    return done / 3600


def test_a_textbook_allocation():
    # Keshav, An Engineering Approach to Computer Networking (1997), pp. 215-217:
    # demands of 2, 2.6, 4 and 5 on a resource of 10 get 2, 2.6, 2.7 and 2.7.
    shares = np.array([2, 2.6, 2.7, 2.7])
    done_h = completion_h(shares * MIB_S_H, [2, 2.6, 4, 5], 10)
    assert_allclose(done_h, 1, rtol=1e-14)


def test_documented_number_of_disks_an_account_can_carry():
    # Microsoft, Azure subscription limits (2018): an account answers 20,000
    # requests a second, a standard disk 500; 40 disks may run at full rate.
    alone_h = completion_equal_caps_h([100], 500, np.inf)
    for disks, slowed in ((40, False), (41, True)):
        done_h = completion_equal_caps_h(np.full(disks, 100), 500, 20_000)
        assert (done_h > alone_h * (1 + 1e-12)).all() == slowed


def test_documented_order_of_three_vms():
    # Microsoft, "Manage recovery points" (2021): of three VMs with four disks
    # and 4 TB of changes, the one with 1 TB on each is backed up first, the one
    # with 2 TB on two of them next, the one with all on a single disk last.
    changed_gib = convert(1, "TB", to="GiB") * np.array(
        [[1, 1, 1, 1], [2, 2, 0, 0], [4, 0, 0, 0]]
    )
    for capacity in (np.inf, 200):
        last_h = completion_equal_caps_h(changed_gib, 60, capacity).max(axis=-1)
        assert (np.diff(last_h) > 0).all()


def test_one_disk_alone():
    assert_allclose(completion_equal_caps_h(MIB_S_H * 60, 60, 100), [1], rtol=1e-15)
    assert_allclose(completion_h(MIB_S_H * 60, 100, 60), [1], rtol=1e-15)


@pytest.mark.parametrize("seed", range(15))
def test_against_simulated_sharing(seed):
    # ten groups each, of one to twelve disks, some empty, some caps equal
    rng = np.random.default_rng(seed)
    for _ in range(10):
        disks = rng.integers(1, 13)
        size_gib = rng.lognormal(4, 2, disks) * (rng.random(disks) > 0.1)
        cap = np.round(rng.lognormal(3, 1, disks), rng.integers(0, 3)) + 1
        capacity = rng.uniform(0.05, 1.5) * cap.sum()
        done_h = completion_h(size_gib, cap, capacity)
        assert_allclose(done_h, simulated_h(size_gib, cap, capacity), rtol=1e-12)
        done_h = completion_equal_caps_h(size_gib, cap[0], capacity)
        assert_allclose(done_h, simulated_h(size_gib, cap[0], capacity), rtol=1e-12)


@given(size_gib=sizes, cap=rates, capacity=rates)
def test_equal_caps_are_a_case_of_unequal_ones(size_gib, cap, capacity):
    assert_allclose(
        completion_equal_caps_h(size_gib, cap, capacity),
        completion_h(size_gib, cap, capacity),
        rtol=1e-12,
    )


@given(disks=disks, capacity=rates)
def test_no_limit_is_broken_and_no_capacity_wasted(disks, capacity):
    size_gib, cap = np.transpose(disks)
    done_h = completion_h(size_gib, cap, capacity)
    moved = size_gib.sum() / MIB_S_H
    floor_h = max((size_gib / cap).max() / MIB_S_H, moved / capacity)
    slow_h = (size_gib / np.minimum(cap, capacity)).sum() / MIB_S_H
    assert floor_h * (1 - 1e-12) <= done_h.max() <= slow_h * (1 + 1e-12)


@given(disks=disks, capacity=rates, pads=st.integers(1, 4), cap=rates)
def test_an_empty_disk_changes_nothing(disks, capacity, pads, cap):
    size_gib, caps = np.transpose(disks)
    padded = np.pad(size_gib, (0, pads))
    done_h = completion_h(
        padded, np.pad(caps, (0, pads), constant_values=cap), capacity
    )
    assert_allclose(done_h[:-pads], completion_h(size_gib, caps, capacity), rtol=1e-12)
    assert (done_h[-pads:] == 0).all()
    done_h = completion_equal_caps_h(padded, cap, capacity)
    alone_h = completion_equal_caps_h(size_gib, cap, capacity)
    assert_allclose(done_h, np.pad(alone_h, (0, pads)), rtol=1e-12)


@given(disks=disks, capacity=rates, more=st.tuples(st.floats(0, 4096), rates))
def test_one_more_disk_never_makes_the_others_faster(disks, capacity, more):
    now_h = completion_h(*np.transpose(disks), capacity)
    then_h = completion_h(*np.transpose([*disks, more]), capacity)
    assert (then_h[:-1] >= now_h * (1 - 1e-12)).all()


@given(disks=disks, one=rates, other=rates)
def test_less_capacity_never_makes_it_faster(disks, one, other):
    less, more = sorted((one, other))
    less_h, more_h = (completion_h(*np.transpose(disks), c) for c in (less, more))
    assert (less_h >= more_h * (1 - 1e-12)).all()


@given(disks=disks, capacity=rates, seed=st.integers(0, 9))
def test_order_of_the_disks_does_not_matter(disks, capacity, seed):
    disks = np.array(disks)
    order = np.random.default_rng(seed).permutation(len(disks))
    assert_allclose(
        completion_h(*disks[order].T, capacity),
        completion_h(*disks.T, capacity)[order],
        rtol=1e-12,
    )


@given(disks=disks, capacity=rates)
def test_at_equal_caps_the_smaller_disk_is_never_done_later(disks, capacity):
    size_gib = np.array(sorted(disks))[:, 0]
    done_h = completion_equal_caps_h(size_gib, disks[0][1], capacity)
    assert (np.diff(done_h) >= 0).all()


def test_many_groups_at_once():
    rng = np.random.default_rng(3)
    size_gib = rng.lognormal(4, 1, (2, 5, 7))
    cap = rng.lognormal(3, 1, (5, 7))
    capacity = rng.lognormal(4, 1, (2, 1))
    done_h = completion_h(size_gib, cap, capacity)
    equal_h = completion_equal_caps_h(size_gib, cap[:, 0], capacity)
    for i, j in np.ndindex(2, 5):
        group = size_gib[i, j], capacity[i, 0]
        assert_allclose(
            done_h[i, j], completion_h(group[0], cap[j], group[1]), rtol=1e-13
        )
        expected_h = completion_equal_caps_h(group[0], cap[j, 0], group[1])
        assert_allclose(equal_h[i, j], expected_h, rtol=1e-13)


@pytest.mark.parametrize("formula", [completion_h, completion_equal_caps_h])
def test_without_limit_everything_is_done_at_once(formula):
    assert formula([1, 2, 0], np.inf, np.inf).tolist() == [0, 0, 0]
    assert_allclose(formula([MIB_S_H], np.inf, 1), [1])


@pytest.mark.parametrize("formula", [completion_h, completion_equal_caps_h])
def test_a_transfer_too_slow_for_a_float_never_ends(formula):
    assert formula([1e300, 0], 1e-300, 1e300).tolist() == [np.inf, 0]


def test_a_slow_disk_does_not_hold_up_a_fast_one():
    done_h = completion_h([1e300, MIB_S_H], [1e-300, 1], 10)
    assert done_h[0] == np.inf
    assert_allclose(done_h[1], 1)


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
    limits=st.tuples(limits, limits, limits, limits),
    which=st.integers(0, 3),
    less=st.floats(0.01, 1),
)
def test_a_disk_gets_no_more_from_less(limits, which, less):
    lower = [limit * (less if i == which else 1) for i, limit in enumerate(limits)]
    assert disk_cap_mib_s(*lower) <= disk_cap_mib_s(*limits)


@given(throughput=limits, requests=limits, kib=limits, share=shares)
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
