"""The archive tier: documented rules, the calendar, properties."""

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.archive import archived_gib, early_deletion_usd, standard_points
from vmbmodel.formulas.retention import gfs_points, stored_gib
from vmbmodel.plan.bill.calendar import RetentionPolicy, live_points

RULE = 3, 6  # Microsoft, "Overview of archive tier" (2023): months of age, months left
DAY = datetime.timedelta(days=1)
counts = st.tuples(
    st.integers(1, 60), st.integers(0, 20), st.integers(0, 60), st.integers(0, 20)
)
sizes = st.floats(0, 1e6)


def test_documented_rule():
    # three months in the standard tier, six months of retention left; daily and
    # weekly points never move
    assert standard_points([9, 8], 1, 30, 0, 12, *RULE).tolist() == [3, 8]
    assert standard_points(1, 12, 30, 0, 12, *RULE) == 3 / 12
    assert archived_gib(200, 30, 12, 0, 0, *RULE) == 0
    assert archived_gib(200, 30, 12, 8, 0, *RULE) == 0


def test_no_point_moves_that_a_weekly_one_depends_on():
    # 36 monthly points beside two years of weekly ones, whatever the date
    policy, on = RetentionPolicy(30, 104, 36), datetime.date(2026, 1, 24)
    months = [
        d for d in live_points(policy, on).days if d.day <= 7 and not d.weekday() - 6
    ]
    stay = [day for day in months if not policy.archives(day, on)]
    assert (len(months), len(stay)) == (36, 25)
    # the youngest that moved: its month's last Sunday has expired
    youngest = max(set(months) - set(stay))
    assert (on - youngest).days >= 104 * 7 + 21
    assert not policy.archives(youngest + 28 * DAY, on)


def test_little_churn_makes_the_archive_dearer():
    # Microsoft, the same: moved points are full ones, so that with little churn
    # the storage grows, and may cost more; with much churn it costs less.
    def bill(churn, monthly, archived):
        stored = stored_gib(200, churn, 30, 0, monthly)
        return stored * 0.0224 + archived * 0.0024

    moved = archived_gib(200, 30, 0, 12, 0, *RULE)
    assert bill(0.1, 3, moved) > bill(0.1, 12, 0)
    assert bill(20, 3, moved) < bill(20, 12, 0)


@pytest.mark.parametrize(
    "points",
    [
        (30, 0, 12, 0),
        (30, 12, 12, 3),
        (7, 4, 60, 10),
        (7, 4, 6, 5),
        (30, 104, 36, 0),
        (400, 12, 36, 0),
        (30, 52, 0, 7),
        (30, 104, 30, 0),
    ],
)
def test_against_the_calendar(points):
    # all points that may move, told off one by one on 122 days of a year
    policy = RetentionPolicy(*points)
    counted = np.mean(
        [
            sum(policy.archives(day, on) for day in live_points(policy, on).days)
            for on in (datetime.date(2026, 1, 1) + k * DAY for k in range(0, 1461, 12))
        ]
    )
    assert_allclose(archived_gib(1, *points, *RULE), counted, rtol=0.02, atol=0.3)


@given(used=sizes, points=counts, days=st.integers(1, 4000), growth=st.floats(0, 3))
def test_what_moves_is_a_full_copy_of_a_kept_point(used, points, days, growth):
    moved = archived_gib(used, *points, *RULE, days, growth)
    assert 0 <= moved <= used * gfs_points(*points, days) * (1 + 1e-9)
    assert archived_gib(used, *points, *RULE, 90, growth) <= 1e-9 * used
    assert moved <= archived_gib(used, *points, *RULE, days, 0) * (1 + 1e-9)


def test_early_deletion_by_hand():
    # 180 days are paid for at least: 120 left of them cost 120/30.4375 months
    price = early_deletion_usd(1000, 0.0024, 60 * 24, 180 * 24)
    assert_allclose(price, 1000 * 0.0024 * 120 / 30.4375, rtol=1e-12)
    assert early_deletion_usd(1000, 0.0024, 180 * 24, 180 * 24) == 0
    assert early_deletion_usd(1000, 0.0024, 9999 * 24, 180 * 24) == 0


@given(size=sizes, held=st.floats(0, 1e4))
def test_with_the_charge_an_archived_point_costs_its_months_at_least(size, held):
    month_h = 365.25 * 2
    paid = size * 0.0024 * held / month_h
    charge = early_deletion_usd(size, 0.0024, held, 4320)
    assert_allclose(
        paid + charge, size * 0.0024 * max(held, 4320) / month_h, atol=1e-300
    )


def test_ends_of_the_range():
    assert archived_gib(1e300, 30, 0, 0, 0, *RULE) == 0
    assert archived_gib(0, 30, 0, 120, 99, *RULE) == 0
    assert math.isfinite(archived_gib(1, 9999, 5163, 1188, 99, *RULE))
