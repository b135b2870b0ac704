"""The calendar of recovery points: days told off by hand, an independent count."""

import calendar
import dataclasses
import datetime
import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmbmodel.plan.bill.calendar import (
    RetentionPolicy,
    backup_instant,
    live_points,
    month_edges_h,
)
from vmbmodel.service import LIMITS

SEED = LIMITS.load("2026-01")
DAY = datetime.timedelta(days=1)
dates = st.dates(date(1999, 1, 1), date(2101, 12, 31))
policies = st.builds(
    RetentionPolicy,
    daily_points=st.integers(7, 60),
    weekly_points=st.integers(0, 20),
    monthly_points=st.integers(0, 14),
    yearly_points=st.integers(0, 3),
    weekday=st.integers(0, 6),
    month_week=st.sampled_from([None, 1, 2, 3, 4, -1]),
    month_day=st.sampled_from([1, 15, 28, -1]),
    month=st.integers(1, 12),
)


def test_documented_months():
    # Microsoft, "Azure Instant Restore capability" (2025): a month of retention
    # has 31 days, so that 12 months are 372 days.
    policy = RetentionPolicy(7, 0, 12, month_week=None)
    first = date(2025, 1, 1)
    assert policy.keeps(first, on=first + 371 * DAY)
    assert not policy.keeps(first, on=first + 372 * DAY)


def test_documented_limits():
    # Microsoft, support matrix (2026): 9,999 days, 5,163 weeks, 1,188 months,
    # 99 years at most; FAQ (2025): 7 days at least.
    most = RetentionPolicy(9999, 5163, 1188, 99)
    assert most.horizon_days == 1188 * 31
    for name, low, high in (
        ("daily_points", 7, 9999),
        ("weekly_points", 0, 5163),
        ("monthly_points", 0, 1188),
        ("yearly_points", 0, 99),
    ):
        for bad in (low - 1, high + 1, 7.5, True, "7"):
            with pytest.raises(ValueError, match=f"^{name} must be >= {low} and <= "):
                dataclasses.replace(most, **{name: bad})


@pytest.mark.parametrize(
    ("name", "bad", "rule"),
    [
        ("weekday", 7, ">= 0 and <= 6"),
        ("month", 0, ">= 1 and <= 12"),
        ("month_week", 5, "1 to 4, -1 or None"),
        ("month_day", 29, "1 to 28, or -1"),
        ("month_day", 0, "1 to 28, or -1"),
    ],
)
def test_places_in_the_calendar(name, bad, rule):
    with pytest.raises(ValueError, match=f"^{name} must be {rule}; got {bad}$"):
        RetentionPolicy(30, **{name: bad})


def test_all_that_is_wrong_comes_at_once():
    with pytest.raises(ValueError, match=r"daily_points.*\n.*weekday.*\n.*month_day"):
        RetentionPolicy(1, weekday=9, month_day=30)


def test_by_hand_over_a_leap_day():
    # 15 March 2024, a Friday: 7 days back to the 9th; Sundays 25 February, 3 and
    # 10 March within 21 days (the 18 February is 26 days old); last days of the
    # month 29 February, and 31 January within 62 days; 31 December for the year.
    policy = RetentionPolicy(7, 3, 2, 1, month_week=None, month_day=-1, month=12)
    points = live_points(policy, date(2024, 3, 15))
    assert points.days == (
        date(2023, 12, 31),
        date(2024, 1, 31),
        date(2024, 2, 25),
        date(2024, 2, 29),
        date(2024, 3, 3),
        *(date(2024, 3, 9) + k * DAY for k in range(7)),
    )
    assert points.gaps == (31, 25, 4, 3, 6, *[1] * 6)


def test_a_leap_day_s_yearly_point_has_anniversaries():
    policy = RetentionPolicy(7, 0, 1, 1, month_week=None, month_day=-1, month=2)
    leap = date(2024, 2, 29)
    assert policy.keeps(leap, on=date(2025, 2, 28))
    assert not policy.keeps(leap, on=date(2025, 3, 1))


def test_the_worked_example_has_49_points():
    # 30 days, 12 weeks, 12 months, 3 years; worked elsewhere: 49 points
    policy = RetentionPolicy(30, 12, 12, 3)
    year = [live_points(policy, date(2026, 1, 1) + k * DAY) for k in range(365)]
    assert round(sum(map(len, year)) / 365) == 49


@given(policy=policies, on=dates)
def test_an_independent_count(policy, on):
    # level by level, with the weeks and months of the standard library
    days = {on - k * DAY for k in range(policy.daily_points)}
    sunday = on - (on.weekday() - policy.weekday) % 7 * DAY
    days |= {sunday - 7 * k * DAY for k in range(policy.weekly_points)} - {
        sunday - 7 * k * DAY
        for k in range(policy.weekly_points)
        if (on - sunday).days + 7 * k >= 7 * policy.weekly_points
    }
    year, month = on.year, on.month
    for _ in range(60):
        weeks = calendar.Calendar(policy.weekday).monthdatescalendar(year, month)
        firsts = [week[0] for week in weeks if week[0].month == month]
        if policy.month_week is None:
            last = calendar.monthrange(year, month)[1]
            day = date(year, month, last if policy.month_day < 0 else policy.month_day)
        else:
            day = firsts[policy.month_week - (policy.month_week > 0)]
        if day <= on:
            if (on - day).days < 31 * policy.monthly_points:
                days.add(day)
            passed = on.year - day.year - ((on.month, on.day) < (day.month, day.day))
            if month == policy.month and passed < policy.yearly_points:
                days.add(day)
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    points = live_points(policy, on)
    assert points.days == tuple(sorted(days))


@given(policy=policies, on=dates)
def test_gaps_join_the_ends(policy, on):
    points = live_points(policy, on)
    assert points.days[-1] == on
    assert sum(points.gaps) == (on - points.days[0]).days
    assert len(points.gaps) == len(points) - 1
    assert all(gap >= 1 for gap in points.gaps)


@given(policy=policies, on=dates)
def test_what_is_gone_stays_gone(policy, on):
    today, tomorrow = (live_points(policy, d) for d in (on, on + DAY))
    assert set(tomorrow.days) - {on + DAY} <= set(today.days)


def test_a_life_from_its_first_point_to_its_last():
    policy, first, last = RetentionPolicy(7), date(2024, 1, 1), date(2024, 1, 10)
    life = {"first": first, "last": last}
    assert len(live_points(policy, first - DAY, **life)) == 0
    assert live_points(policy, first, **life).days == (first,)
    assert len(live_points(policy, date(2024, 1, 5), **life)) == 5
    assert len(live_points(policy, last, **life)) == 7
    assert len(live_points(policy, last + 3 * DAY, **life)) == 4
    # the last point is kept while there is no newer one
    assert live_points(policy, date(2034, 1, 1), **life).days == (last,)
    with pytest.raises(ValueError, match="last must be 2024-01-01 or later"):
        live_points(policy, last, first=first, last=first - DAY)


def test_the_ends_of_the_calendar():
    policy = RetentionPolicy(9999, 5163, 1188, 99)
    assert live_points(policy, date.min).days == (date.min,)
    assert policy.keeps(date.max, on=date.max)


def test_points_and_policies_cannot_be_changed():
    points = live_points(RetentionPolicy(7), date(2024, 1, 1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        points.days = ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        RetentionPolicy(7).daily_points = 8


def test_equal_policies_are_one_key():
    assert len({RetentionPolicy(7), RetentionPolicy(7), RetentionPolicy(8)}) == 2
    longer = SEED.modified(retention_month_h=800)
    assert RetentionPolicy(7) != RetentionPolicy(7, limits=longer)


def test_months_by_hand():
    # January to March 2023: 31, 28 and 31 days; from the 10th: 22 days of January
    assert month_edges_h(date(2023, 1, 1), 3) == (0, 744, 744 + 672, 744 + 672 + 744)
    assert month_edges_h(date(2023, 1, 10), 1) == (0, 22 * 24)
    assert month_edges_h(date(2023, 12, 31), 2) == (0, 24, 24 + 744)


@given(start=st.dates(date(1900, 1, 1), date(2100, 1, 1)), months=st.integers(1, 60))
def test_months_have_the_lengths_of_the_calendar(start, months):
    edges = month_edges_h(start, months)
    assert len(edges) == months + 1
    for k, (begin, end) in enumerate(itertools.pairwise(edges)):
        index = start.year * 12 + start.month - 1 + k
        length = calendar.monthrange(index // 12, index % 12 + 1)[1]
        assert (end - begin) / 24 == length - (start.day - 1 if k == 0 else 0)


@pytest.mark.parametrize("bad", [0, -1, 1.5, True])
def test_no_month_is_refused(bad):
    with pytest.raises(ValueError, match="months must be a whole number >= 1"):
        month_edges_h(date(2024, 1, 1), bad)


# --- weekly backups ---------------------------------------------------------------


def test_weekly_backups_by_hand():
    # 15 March 2024 is a Friday: Sundays 10 March to 24 December within 12 weeks of
    # days, and the first Sundays 3 December, 5 November within 31-day months
    policy = RetentionPolicy(0, 12, 5)
    points = live_points(policy, date(2024, 3, 15))
    assert points.days[-1] == date(2024, 3, 10)
    assert points.days[:3] == (date(2023, 11, 5), date(2023, 12, 3), date(2023, 12, 24))
    assert set(points.gaps) == {7, 21, 28}
    assert len(points) == 14


@given(on=dates, weekday=st.integers(0, 6), weeks=st.integers(1, 20))
def test_weekly_backups_are_weeks_apart(on, weekday, weeks):
    policy = RetentionPolicy(0, weeks, weekday=weekday)
    points = live_points(policy, on)
    assert len(points) == weeks
    assert {day.weekday() for day in points.days} == {weekday}
    assert set(points.gaps) <= {7}


def test_a_policy_without_backups_is_refused():
    with pytest.raises(ValueError, match="daily_points must be >= 7 and <= 9999"):
        RetentionPolicy(0)
    with pytest.raises(ValueError, match="month_week must be 1 to 4 or -1 where"):
        RetentionPolicy(0, 12, 12, month_week=None)


def test_the_first_sunday_of_january():
    policy = RetentionPolicy(7, 0, 0, 3)
    days = live_points(policy, date(2026, 1, 31)).days
    assert days[:3] == (date(2024, 1, 7), date(2025, 1, 5), date(2026, 1, 4))


# --- the archive tier -------------------------------------------------------------


def test_archived_points_by_hand():
    # Microsoft, "Overview of archive tier" (2023): monthly and yearly points only,
    # older than 3 months (of 31 days), with 6 months left, no daily or weekly ones.
    on = date(2025, 6, 30)
    policy = RetentionPolicy(30, 12, 12, month_week=None)
    archived = [d for d in live_points(policy, on).days if policy.archives(d, on)]
    # 1 July is 364 days old, 1 March 121, 1 April 90
    assert archived[0] == date(2024, 7, 1)
    assert archived[-1] == date(2025, 3, 1)
    assert len(archived) == 9
    short = RetentionPolicy(30, 0, 8, month_week=None)
    assert not any(short.archives(d, on) for d in live_points(short, on).days)
    # a point that is a daily one still does not move
    long = RetentionPolicy(180, 0, 14, month_week=None)
    assert not long.archives(date(2025, 2, 1), on)
    # nor one that the daily points of its month, up to 31 January, depend on
    assert not long.archives(date(2025, 1, 1), date(2025, 7, 29))
    assert long.archives(date(2025, 1, 1), date(2025, 7, 30))


@given(policy=policies, on=dates)
def test_only_kept_points_of_months_and_years_are_archived(policy, on):
    plain = dataclasses.replace(policy, monthly_points=0, yearly_points=0)
    for day in live_points(policy, on).days:
        if policy.archives(day, on):
            assert policy.keeps(day, on)
            assert not plain.keeps(day, on)


# --- clocks -----------------------------------------------------------------------


def test_months_in_which_clocks_change():
    # Berlin, 2024: clocks forward on 31 March, back on 27 October
    start = date(2024, 3, 1)
    edges = month_edges_h(start, 8, "Europe/Berlin")
    hours = [end - begin for begin, end in itertools.pairwise(edges)]
    utc = [31, 30, 31, 30, 31, 31, 30, 31]
    change = [-1, 0, 0, 0, 0, 0, 0, 1]
    assert hours == [24 * d + c for d, c in zip(utc, change, strict=True)]


@given(
    start=dates,
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]),
)
def test_a_year_of_any_zone_has_its_days(start, zone):
    start = start.replace(day=1)
    edges = month_edges_h(start, 12, zone)
    first, last = (
        backup_instant(start.replace(year=y), 0, zone)
        for y in (start.year, start.year + 1)
    )
    assert edges[-1] == (last - first).total_seconds() / 3600
    assert edges[-1] % 24 in (0, 1, 23, 0.5, 23.5)


def test_a_backup_at_an_hour_that_clocks_skip_or_show_twice():
    def utc(day, hour):
        return backup_instant(day, hour, "Europe/Berlin").strftime("%d %H:%M")

    spring, autumn = date(2024, 3, 31), date(2024, 10, 27)
    assert utc(spring - DAY, 2.5) == "30 01:30"
    assert utc(spring, 2.5) == "31 01:30"
    assert utc(spring + DAY, 2.5) == "01 00:30"
    assert utc(autumn - DAY, 2.5) == "26 00:30"
    assert utc(autumn, 2.5) == "27 00:30"
    assert utc(autumn + DAY, 2.5) == "28 01:30"


@pytest.mark.parametrize(
    ("start_h", "zone", "message"),
    [
        (24, "UTC", "start_h must be >= 0 and < 24; got 24"),
        (float("nan"), "UTC", "start_h must be"),
        (2, "Europe/Berln", "there is no time zone 'Europe/Berln'"),
        (2, "../etc/passwd", "there is no time zone"),
        (2, "", "there is no time zone ''"),
    ],
)
def test_a_bad_hour_or_zone_is_named(start_h, zone, message):
    with pytest.raises(ValueError, match=message):
        backup_instant(date(2024, 1, 1), start_h, zone)


def test_a_point_of_the_last_years_there_are_is_kept_to_their_end():
    policy = RetentionPolicy(7, yearly_points=10, month_week=None, month=1)
    first = date(9995, 1, 1)
    assert policy.keeps(first, on=date(9999, 12, 31))
    assert not policy.keeps(first + DAY, on=date(9999, 12, 31))
    leap = RetentionPolicy(7, yearly_points=1, month_week=None, month_day=-1, month=2)
    assert leap.keeps(date(2024, 2, 29), on=date(2025, 2, 28))
    assert not leap.keeps(date(2024, 2, 29), on=date(2025, 3, 1))
