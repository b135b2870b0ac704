"""The life of a VM, billed month by month: worked lives, an independent count."""

import calendar
import dataclasses
import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.billing import billing_end_h
from vmbmodel.plan.bill.life import Event, bill_of_life
from vmbmodel.service import PRICES

BOOK = PRICES.load("azure-list-2026-01")
DAY = datetime.timedelta(days=1)
LINES = ["instance_usd", "storage_usd", "snapshot_usd"]


def day(number, of=datetime.date(2023, 4, 1)):
    """Return the day so many days after the begin of April 2023, of 30 days."""
    return of + number * DAY


def bill(*events, months=3, **settings):
    return bill_of_life(events, months, BOOK, **settings)


def test_the_worked_life():
    # 47 GB from day 10, 52 GB from day 20, stopped on day 22, deleted on day 45.
    # Worked elsewhere: days 0 to 30 cost 5.00, and 32.5667 GB-months lie in the
    # vault, which holds 47, 48 and 49 GB from days 10, 11 and 12 on.
    month = bill(
        Event(day(10), "backup", 47, 47),
        Event(day(11), "backup", 47, 48),
        Event(day(12), "backup", 47, 49),
        Event(day(20), "backup", 52, 49),
        Event(day(22), "stop"),
        Event(day(45), "delete"),
    )
    assert_allclose(month["instance_usd"], [5, 15 / 31 * 10, 0], rtol=1e-12)
    assert_allclose(month["stored_gib"], [32.5667, 49 * 15 / 31, 0], atol=5e-5)


def test_the_documented_life_to_the_cent():
    # Microsoft, "About Azure VM backup" (2018): nothing before the first success;
    # on while data is kept, at the size of the last backup; over with its deletion.
    # 47 GB cost 5 USD a month (announcement of 2015), 52 GB would cost 10.
    life = [Event(datetime.date(2024, 1, 17), "backup", 47, 60)]
    month = bill(*life)["instance_usd"].round(2).tolist()
    assert month == [round(5 * 15 / 31, 2), 5, 5]
    life += [Event(datetime.date(2024, 2, 10), "stop")]
    assert bill(*life)["instance_usd"].round(2).tolist() == month
    life += [Event(datetime.date(2024, 3, 11), "delete")]
    assert bill(*life, months=4)["instance_usd"].round(2).tolist() == [
        *month[:2],
        round(5 * 10 / 31, 2),
        0,
    ]


def test_documented_soft_delete():
    # Microsoft, "About enhanced soft delete" (2022): of a retention of 60 days, data
    # undeleted after 52 costs the usual rates for 46 days and nothing for 6.
    assert billing_end_h(0, 60 * 24, 14 * 24) == 46 * 24
    month = bill(
        Event(day(0), "backup", 47, 60),
        Event(day(0), "delete"),
        Event(day(52), "undelete"),
        soft_delete_h=60 * 24,
    )
    billed_days = (month["billed_frac"] * [30, 31, 30]).tolist()
    assert_allclose(billed_days, [30, 46 - 30 + (61 - 52), 30])


def test_soft_delete_costs_nothing_but_its_snapshots():
    life = Event(day(0), "backup", 47, 60, 10), Event(day(30), "delete")
    month = bill(*life)
    assert month["billed_frac"].tolist() == [1, 0, 0]
    assert month[["instance_usd", "storage_usd"]].iloc[1:].to_numpy().max() == 0
    # 14 of the 31 days of May, 10 GB at 0.12 USD
    assert_allclose(month["snapshot_usd"], [1.2, 1.2 * 14 / 31, 0])


def test_soft_delete_cannot_be_switched_off():
    with pytest.raises(ValueError, match="must be >= 336, for soft delete cannot be"):
        bill(Event(day(0), "backup", 47, 60), soft_delete_h=0)


def test_a_second_life():
    month = bill(
        Event(day(0), "backup", 47, 60),
        Event(day(10), "delete"),
        Event(day(40), "backup", 52, 52),
    )
    assert_allclose(month["instance_usd"], [5 / 3, 10 * 21 / 31, 10])
    assert_allclose(month["stored_gib"], [20, 52 * 21 / 31, 52])


def test_resumed_protection_grows_again():
    month = bill(
        Event(day(0), "backup", 47, 47),
        Event(day(5), "stop"),
        Event(day(30), "resume"),
        Event(day(61), "backup", 600, 600),
    )
    assert month["instance_usd"].tolist() == [5, 5, 20]


def test_lines_of_the_bill():
    month = bill(
        Event(day(0), "backup", 100, 490, 10), months=1, redundancy="GRS"
    ).iloc[0]
    assert_allclose(month[LINES].tolist(), [10, 490 * 0.0448, 10 * 0.12], rtol=1e-12)
    enhanced = bill(
        Event(day(0), "backup", 100, 490, 108), months=1, snapshot_policy="enhanced"
    ).iloc[0]
    assert_allclose(enhanced["snapshot_usd"], 108 * 0.05)
    nothing = bill(Event(day(0), "backup", 100), months=1).iloc[0]
    assert nothing[LINES].tolist() == [10, 0, 0]


ALLOWED = {
    "unprotected": ("backup",),
    "protected": ("backup", "stop", "delete"),
    "stopped": ("resume", "delete"),
    "deleted": ("undelete",),
}


@st.composite
def lives(draw):
    """Draw a life that can be, and how long the vault keeps deleted data."""
    soft_days = draw(st.sampled_from([14, 30, 60]))
    now = draw(st.dates(datetime.date(1999, 1, 1), datetime.date(2099, 1, 1)))
    events, state, gone = [], "unprotected", None
    for _ in range(draw(st.integers(1, 8))):
        now += draw(st.integers(0, 50)) * DAY
        if state == "deleted" and now >= gone:
            state = "unprotected"
        kind = draw(st.sampled_from(ALLOWED[state]))
        sizes = [draw(st.integers(0, 1200)) for _ in range(3)]
        events.append(Event(now, kind, *sizes))
        state = {"backup": "protected", "resume": "protected", "stop": "stopped"}.get(
            kind, "deleted" if kind == "delete" else "stopped"
        )
        gone = now + soft_days * DAY
    return events, soft_days


def by_days(events, soft_days, months):
    """Count a life day by day: an independent account of what is billed."""
    start = events[0].on.replace(day=1)
    result, today = [], start
    state, sizes, since = "none", None, None
    for _ in range(months):
        length = calendar.monthrange(today.year, today.month)[1]
        total = np.zeros(4)
        for _ in range(length):
            if state == "delete" and (today - since).days >= soft_days:
                state = "none"
            for event in (e for e in events if e.on == today):
                if event.kind == "backup":
                    sizes = event.used_gib, event.stored_gib, event.snapshot_gib
                state, since = event.kind, today
            kept = (today - since).days if since else 0
            free = state == "delete" and kept >= max(soft_days - 14, 0)
            if state != "none" and sizes and not free:
                used, stored, _ = sizes
                fee = 5 if used <= 50 else 10 * math.ceil(used / 500)
                total[:3] += [1, fee, stored * 0.0448]
            if state != "none" and sizes:  # until it is gone
                total[3] += sizes[2] * 0.12
            today += DAY
        result.append(total / length)
    return np.array(result)


@given(lives())
def test_an_independent_count_day_by_day(life):
    events, soft_days = life
    month = bill(*events, months=15, soft_delete_h=24 * soft_days)
    counted = by_days(events, soft_days, 15)
    assert_allclose(month[["billed_frac", *LINES]], counted, rtol=1e-9, atol=1e-9)
    assert_allclose(month["total_usd"], month[LINES].sum(axis=1), rtol=1e-12)


@given(lives(), st.integers(0, 400))
def test_a_backup_that_finds_nothing_new_changes_nothing(life, after):
    events, soft_days = life
    at = events[0].on + after * DAY
    state = [e for e in events if e.on <= at]
    if state[-1].kind != "backup":
        return
    again = dataclasses.replace(state[-1], on=at)
    soft = {"months": 15, "soft_delete_h": 24 * soft_days}
    split = [*state, again, *events[len(state) :]]
    assert_allclose(bill(*split, **soft), bill(*events, **soft), atol=1e-9)


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([], "events must hold one at least"),
        ([Event(day(0), "stop")], "2023-04-01: no stop of what is unprotected"),
        (
            [
                Event(day(0), "backup", 1),
                Event(day(1), "stop"),
                Event(day(2), "backup"),
            ],
            "2023-04-03: no backup of what is stopped",
        ),
        ([Event(day(0), "backup", -1)], "used_gib must be >= 0 and finite; got -1"),
        ([Event(day(0), "backup", math.nan)], "used_gib must be >= 0 and finite"),
        ([Event(day(0), "burn")], "kind must be one of backup, stop, resume"),
        (
            [
                Event(day(0), "backup", 1),
                Event(day(0), "delete"),
                Event(day(14), "undelete"),
            ],
            "2023-04-15: no undelete of what is unprotected",
        ),
    ],
)
def test_what_cannot_be_is_named(events, message):
    with pytest.raises(ValueError, match=message):
        bill(*events)


def test_all_that_cannot_be_comes_at_once():
    with pytest.raises(ValueError, match=r"2023-04-01.*\n2023-04-03"):
        bill(Event(day(0), "stop"), Event(day(2), "resume"))
