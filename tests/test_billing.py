"""The bill: documented tiers and examples, other people's mistakes, properties."""

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.billing import (
    billed_frac,
    discounted_usd,
    event_frac,
    instance_usd,
    protected_instances,
    reserved_usd,
    storage_usd,
)
from vmbmodel.plan.bill.calendar import month_edges_h
from vmbmodel.service import PRICES

sizes = st.floats(0, 1e6)
instants = st.floats(0, 1e4)
ever = st.one_of(instants, st.just(math.inf))
shares = st.floats(0, 1)
parts = st.floats(0.001, 1)
months = st.floats(1, 1e4)

AZURE = {"small_instance_gib": 50, "small_instances": 0.5, "instance_step_gib": 500}
FEE_USD = 10
DAY_H = 24
TIB = 1024
KIB_GIB = 2**-20


def fee_usd(size_gib, share=1):
    return instance_usd(protected_instances(size_gib, **AZURE), FEE_USD, share)


@pytest.mark.parametrize(
    ("size_gib", "published_usd"),
    [
        (500, 10),  # eWEEK (2015), quoting Microsoft: 500 GB, $10 a month
        (2000, 40),  # the same: 2,000 GB, $40
        (50, 5),  # the same: up to 50 GB, $5
    ],
)
def test_published_prices(size_gib, published_usd):
    assert fee_usd(size_gib) == published_usd


def test_published_example_of_a_small_instance():
    # Microsoft, "About Azure VM backup" (2018): 17 GB on the operating system
    # disk, 30 and 0 GB on the data disks make an instance of 47 GB; up to 50 GB
    # cost $5. The temporary disk with its 5 GB is not counted: 52 GB cost $10.
    assert fee_usd(17 + 30 + 0) == 5
    assert fee_usd(17 + 30 + 0 + 5) == 10


@pytest.mark.parametrize(
    ("size_gib", "instances"),
    [
        (0, 0.5),
        (47, 0.5),
        (50, 0.5),
        (50.01, 1),
        (499, 1),
        (500, 1),
        (500.01, 2),
        (1000, 2),
        (1000.1, 3),
        (1200, 3),
        (2000, 4),
    ],
)
def test_tiers(size_gib, instances):
    assert protected_instances(size_gib, **AZURE) == instances


def test_mistakes_of_others_are_not_ours():
    # infracost divides whole numbers, so that 1,200 GB would count as 2; the
    # module AzureSimpleREST asks for "< 500", so that 500 GB would count as 2.
    assert protected_instances(1200, **AZURE) != 1200 // 500
    assert protected_instances(500, **AZURE) != 2


def test_a_bill_worked_by_hand():
    # 47 GB at the first success on day 10, 52 GB on day 20; protection is
    # stopped on day 22, which freezes the size, and the data deleted on day 45.
    # Days 0-30: 10 of 30 days at $5 and 10 at $10, $5.00; days 30-60: 15 at $10,
    # $5.00. The vault holds 47, 48 and then 49 GB from days 10, 11 and 12 on:
    # (47 + 48 + 18 x 49)/30 GB-months, then 15 x 49/30.
    def share(month, start_day, end_day):
        edges = DAY_H * np.array([*month, start_day, end_day])
        return billed_frac(*edges)

    first, second = (0, 30), (30, 60)
    fees = [
        fee_usd(47, share(month, 10, 20)) + fee_usd(52, share(month, 20, 45))
        for month in (first, second)
    ]
    assert_allclose(fees, [5, 5], rtol=1e-14)
    gib_months = [
        storage_usd(47, 1, share(month, 10, 11))
        + storage_usd(48, 1, share(month, 11, 12))
        + storage_usd(49, 1, share(month, 12, 45))
        for month in (first, second)
    ]
    assert_allclose(gib_months, [(47 + 48 + 18 * 49) / 30, 15 * 49 / 30], rtol=1e-14)


def test_the_same_bill_from_the_events_of_a_life():
    # The same life, told as events: 55 GB on day 25 come after the stop and count
    # for nothing. Worked elsewhere: fees of 5.00 and 5.00, 32.5667 and 24.5
    # GB-months.
    start_h, end_h = DAY_H * np.array([[0, 30], [30, 60]]).T
    stop_h, gone_h = 22 * DAY_H, 45 * DAY_H
    sizes_gib = np.array([47, 52, 55])
    days = DAY_H * np.array([10, 20, 25])
    shares = event_frac(days[None], start_h, end_h, stop_h, gone_h)
    fees = [(share * fee_usd(sizes_gib)).sum() for share in shares]
    assert_allclose(fees, [5, 5], rtol=1e-14)
    vault_gib = np.array([47, 48, 49])
    days = DAY_H * np.array([10, 11, 12])
    shares = event_frac(days[None], start_h, end_h, stop_h, gone_h)
    assert_allclose((shares * vault_gib).sum(axis=-1), [32.5667, 24.5], atol=5e-5)


def test_a_documented_life():
    # Microsoft, "About Azure VM backup" (2018): billing starts with the first
    # successful backup, goes on at the size of the last backup when protection is
    # stopped, and ends when all data is deleted.
    life = [240], 0, 720
    assert_allclose(event_frac(*life, math.inf, math.inf), [20 / 30])
    assert_allclose(event_frac(*life, 300, math.inf), [20 / 30])
    assert_allclose(event_frac(*life, 300, 480), [10 / 30])
    assert_allclose(event_frac([240], 720, 1440, 300, math.inf), [1])


events = st.lists(ever, min_size=1, max_size=6)


@given(events, instants, months, parts, ever, ever)
def test_splitting_a_life_changes_nothing(events, start, length, cut, stop, gone):
    end = start + length
    middle = min(start + cut * length, end)
    hours = event_frac(events, start, middle, stop, gone) * (middle - start)
    hours += event_frac(events, middle, end, stop, gone) * (end - middle)
    whole = event_frac(events, start, end, stop, gone) * length
    assert_allclose(hours, whole, atol=1e-8)


@given(events, instants, months, parts, ever, ever)
def test_splitting_a_size_in_two_changes_nothing(
    events, start, length, cut, stop, gone
):
    # a backup that finds the size as it was is no event
    order = np.argsort(events, kind="stable")
    events = np.array(events)[order]
    again = events[-1] + cut * length
    base = event_frac(events, start, start + length, stop, gone)
    more = event_frac([*events, again], start, start + length, stop, gone)
    assert_allclose([*more[:-2], more[-2] + more[-1]], base, atol=1e-9)


@given(events, instants, months, ever, ever, st.randoms())
def test_every_hour_of_a_life_lands_on_one_event(
    events, start, length, stop, gone, random
):
    begun = min((e for e in events if e < stop), default=math.inf)
    month = start, start + length
    shares = event_frac(events, *month, stop, gone)
    assert_allclose(shares.sum(), billed_frac(*month, begun, gone), atol=1e-9)
    distinct = sorted(set(events))
    shuffled = random.sample(distinct, len(distinct))
    by_time = dict(zip(distinct, event_frac(distinct, *month, stop, gone), strict=True))
    assert_allclose(
        event_frac(shuffled, *month, stop, gone), [by_time[e] for e in shuffled]
    )


def test_all_hours_land_in_calendar_months():
    edges_h = np.array(month_edges_h(datetime.date(2023, 11, 7), 16))
    days = np.array([3, 5.5, 100, 250, 400])
    shares = event_frac(
        DAY_H * days[None], edges_h[:-1], edges_h[1:], math.inf, 450 * DAY_H
    )
    lived_h = (shares * np.diff(edges_h)[:, None]).sum(axis=0)
    assert_allclose(lived_h / DAY_H, [2.5, 94.5, 150, 150, 50], rtol=1e-12)


def test_events_at_one_instant_and_events_that_never_come():
    assert list(event_frac([0, 0], 0, 720, math.inf, math.inf)) == [0, 1]
    assert list(event_frac([math.inf, 0], 0, 720, math.inf, math.inf)) == [0, 1]
    assert list(event_frac([math.inf], 0, 720, math.inf, math.inf)) == [0]
    assert list(event_frac([0], 720, 9, math.inf, math.inf)) == [0]  # no month
    assert list(event_frac([9], 0, 720, 9, math.inf)) == [0]  # stopped before it


@given(one=sizes, other=sizes)
def test_a_larger_vm_never_counts_as_less(one, other):
    small, large = (protected_instances(s, **AZURE) for s in sorted((one, other)))
    assert small <= large


@given(limit=st.floats(0.01, 1e4), step=st.floats(0.01, 1e4))
def test_what_fills_a_limit_is_within_it(limit, step):
    tiers = {"small_instances": 0.5, "instance_step_gib": step}
    assert protected_instances(limit, limit, **tiers) == 0.5
    assert protected_instances(limit + KIB_GIB, limit, **tiers) >= 1
    assert protected_instances(step, step / 2, **tiers) == 1


@given(step_kib=st.integers(2, 2**30), steps=st.integers(1, 50))
def test_the_next_step_counts_from_its_first_kib(step_kib, steps):
    tiers = {"small_instances": 0.5, "instance_step_gib": step_kib * KIB_GIB}
    size_gib = steps * step_kib * KIB_GIB
    assert protected_instances(size_gib, KIB_GIB, **tiers) == steps
    assert protected_instances(size_gib + KIB_GIB, KIB_GIB, **tiers) == steps + 1


@given(st.lists(st.decimals(0, 100, places=1), min_size=2, max_size=12), st.randoms())
def test_order_of_the_disks_does_not_move_a_vm_up_a_step(disks, random):
    disks = [float(size) for size in disks]
    shuffled = random.sample(disks, len(disks))
    tiers = {"small_instance_gib": 0.1, "small_instances": 0.5}
    counts = {
        protected_instances(sum(order), **tiers, instance_step_gib=100)
        for order in (disks, shuffled, sorted(disks))
    }
    assert len(counts) == 1


@given(start=instants, length=months, cut=parts, success=ever, deleted=ever)
def test_splitting_a_month_changes_nothing(start, length, cut, success, deleted):
    end = start + length
    middle = min(start + cut * length, end)
    life = success, deleted
    parts_h = billed_frac(start, middle, *life) * (middle - start)
    parts_h += billed_frac(middle, end, *life) * (end - middle)
    assert_allclose(billed_frac(start, end, *life) * (end - start), parts_h, atol=1e-9)


@given(start=instants, length=months, success=ever, deleted=ever, h=instants)
def test_billed_for_longer_never_means_for_less(start, length, success, deleted, h):
    month = start, start + length
    base = billed_frac(*month, success, deleted)
    assert 0 <= base <= 1
    assert billed_frac(*month, max(success - h, 0), deleted) >= base
    assert billed_frac(*month, success, deleted + h) >= base


@given(start=instants, length=months, success=instants)
def test_share_by_counting_instants(start, length, success):
    month = start + (np.arange(1000) + 0.5) / 1000 * length
    deleted = success + length / 3
    counted = np.mean((success <= month) & (month < deleted))
    share = billed_frac(start, start + length, success, deleted)
    assert abs(share - counted) < 0.0021


def test_whole_months_and_none():
    month = 720, 1440
    assert billed_frac(*month, 0, math.inf) == 1
    assert billed_frac(*month, 720, 1440) == 1
    assert billed_frac(*month, math.inf, math.inf) == 0  # never succeeded
    assert billed_frac(*month, 1440, math.inf) == 0
    assert billed_frac(*month, 0, 720) == 0
    assert billed_frac(*month, 1000, 900) == 0  # deleted before it succeeded
    assert billed_frac(1440, 720, 0, math.inf) == 0  # no month at all


@given(count=st.floats(0.5, 1e4), price=st.floats(0, 1e4), share=shares)
def test_a_bill_is_shared_out_without_loss(count, price, share):
    parts = [instance_usd(count, price, s) for s in (share, 1 - share)]
    assert_allclose(sum(parts), instance_usd(count, price, 1), atol=1e-300)
    parts = [storage_usd(count, price, s) for s in (share, 1 - share)]
    assert_allclose(sum(parts), storage_usd(count, price, 1), atol=1e-300)


def test_nothing_billed_costs_nothing_however_dear():
    assert instance_usd(1e300, 1e300, 0) == storage_usd(1e300, 1e300, 0) == 0


stored_sizes = st.floats(0, 1e7)
rates = st.one_of(st.just(0.0), st.floats(1e-9, 10))


def test_documented_under_and_overuse():
    # Microsoft, "Understand how reservation discounts are applied" (2022): of 100
    # TiB with 80 in use, 20 are lost; of 101, 1 TiB is charged at list price.
    def bill(tib):
        return reserved_usd(tib * TIB, 100 * TIB, 0.0224, 0.1)

    assert bill(80) == bill(100)
    assert_allclose(bill(101) - bill(100), TIB * 0.0224, rtol=1e-9)


@pytest.mark.parametrize(("redundancy", "printed"), [("lrs", 236760), ("grs", 473520)])
def test_printed_price_of_a_year(redundancy, printed):
    # rows of type Reservation for West Europe: 207,775.340061 and 415,550.680123
    # EUR at 0.8775779 EUR a dollar, for 1 PiB and a year
    book = PRICES.load("azure-list-2026-01")
    month = reserved_usd(
        0,
        1024 * TIB,
        book[f"{redundancy}_usd_per_gib_month"],
        book["reserved_discount_frac"],
    )
    assert_allclose(12 * month, printed, atol=0.5)


@given(stored=stored_sizes, reserved=stored_sizes, rate=rates, off=shares)
def test_a_reservation_is_a_price_for_all_it_covers(stored, reserved, rate, off):
    bill = reserved_usd(stored, reserved, rate, off)
    beyond = reserved_usd(stored + 1, reserved, rate, off)
    assert reserved_usd(stored, 0, rate, off) == storage_usd(stored, rate, 1)
    assert bill <= beyond * (1 + 1e-12)
    assert bill >= rate * (1 - off) * max(stored, reserved) * (1 - 1e-12)


@given(reserved=st.floats(1, 1e7), off=shares, used=shares)
def test_a_reservation_pays_once_enough_of_it_is_used(reserved, off, used):
    bill, at_list = (reserved_usd(used * reserved, r, 1, off) for r in (reserved, 0))
    if used > 1 - off + 1e-9:
        assert bill < at_list
    if used < 1 - off - 1e-9:
        assert bill > at_list


@given(price=st.floats(0, 1e9), off=shares, other=shares)
def test_discounts(price, off, other):
    assert discounted_usd(price, 0) == price
    assert discounted_usd(price, 1) == 0
    both = discounted_usd(discounted_usd(price, off), other)
    assert both <= discounted_usd(price, max(off, other)) * (1 + 1e-12)


def test_a_discount_of_fifteen_per_cent():
    # 15 % off 20 USD
    assert discounted_usd(20, 0.15) == 17


def test_ends_of_the_range():
    assert reserved_usd(1e300, 0, 1e300, 0) == math.inf
    assert reserved_usd(0, 1e300, 1e300, 1) == 0
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="discount_frac must be >= 0 and <= 1"):
            discounted_usd(20, bad)
