"""Months to come: worked bills, what growth takes over a step, conservation."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.plan.estimate.answer import estimate_disks
from vmbmodel.plan.estimate.months import MONTH_COLUMNS, month_totals
from vmbmodel.plan.scenario import Scenario

LINES = ["instance_usd", "storage_usd", "snapshot_usd"]


def disk(vm="a", used=100, **columns):
    row = {"vm": vm, "disk": "os", "role": "os", "size_gib": 4095, "used_gib": used}
    return row | columns


def ahead(*disks, months=12, **changes):
    return estimate_disks(pd.DataFrame(disks), Scenario.of(settings=changes), months)


@pytest.mark.parametrize("months", [-1, 1201, 10**9, 1.5, True, "3", None])
def test_only_so_many_months_are_billed(months):
    with pytest.raises(ValueError, match="months must be a whole number from 0 to 1,2"):
        ahead(disk("a"), months=months)


def month(answer, number):
    rows = answer.months
    return rows[rows["month"] == number].set_index("vm")


def steps(answer, code):
    return {n.vm: n.text for n in answer.warnings if n.code == code}


def test_a_month_of_what_does_not_change_is_the_month_of_the_estimate():
    answer = ahead(disk("a"), disk("b", 1200, redundancy="LRS"), months=3)
    now = answer.vms.set_index("vm")
    for number in (1, 2, 3):
        assert_allclose(
            month(answer, number)[list(MONTH_COLUMNS)], now[list(MONTH_COLUMNS)]
        )


def test_points_gather_in_the_first_month():
    # 100 GiB with 10 a day, from the first backup on: the vault holds 100, 110, ...
    # GiB on the days of the first month, 100 + 14.7 x 10 in the mean of 30.4375, and
    # 30 points from then on; a snapshot on the first day, two from the second on.
    young = disk(used=100, churn_gib_per_day=10, first_backup=True)
    answer = ahead(young, write_kib=8, dispersion=0, recovery_points=30)
    first, later = (month(answer, number).loc["a"] for number in (1, 3))
    assert_allclose(first["stored_gib"], 100 + 10 * 14.7, atol=2.5)
    assert later["stored_gib"] == 100 + 29 * 10
    old = ahead(young | {"first_backup": False}, dispersion=0, recovery_points=30)
    assert month(old, 1).loc["a", "stored_gib"] == 100 + 29 * 10


def test_growth_by_hand():
    # 100 GiB that double in a year: half way through month 12, day 350, 194 GiB
    answer = ahead(disk(used=100), yearly_growth_frac=1, churn_frac=0)
    assert_allclose(
        month(answer, 12).loc["a", "used_gib"], 100 * 2 ** (350 / 365.25), rtol=1e-3
    )
    # data that only grows is stored once
    assert_allclose(
        month(answer, 12).loc["a", "stored_gib"],
        month(answer, 12).loc["a", "used_gib"],
        rtol=1e-9,
    )


def test_months_add_up():
    rng = np.random.default_rng(3)
    fleet = [
        disk(f"v{i}", float(u), first_backup=bool(i % 2), redundancy=r)
        for i, (u, r) in enumerate(
            zip(rng.uniform(0, 3000, 9), ["LRS", "GRS", "ZRS"] * 3, strict=True)
        )
    ]
    answer = ahead(*fleet, months=5, yearly_growth_frac=0.5, weekly_points=4)
    rows = answer.months
    assert len(rows) == 9 * 5
    assert_allclose(rows[LINES].sum(axis=1), rows["total_usd"], rtol=1e-12)
    totals = month_totals(rows).set_index("month")
    for number in range(1, 6):
        for name in MONTH_COLUMNS:
            whole = math.fsum(month(answer, number)[name])
            assert totals.loc[number, name] == whole
    assert answer.to_dict()["months"][4]["total_usd"] == totals.loc[5, "total_usd"]


@settings(max_examples=20)
@given(
    used=st.floats(1, 5000),
    growth=st.floats(0.01, 3),
    months=st.integers(1, 36),
)
def test_a_step_is_passed_in_the_month_in_which_its_price_is_paid(used, growth, months):
    answer = ahead(disk(used=used), months=months, yearly_growth_frac=growth)
    counted = answer.months["protected_instances"]
    now = answer.vms["protected_instances"][0]
    told = steps(answer, "tier_step")
    if counted.iloc[-1] > now:
        number = int(told["a"].split("in month ")[1].split(";")[0])
        before = answer.months[answer.months["month"] < number]
        assert (before["protected_instances"] == now).all()
        # the last twelfth of a month is its own last sample
        after = answer.months[answer.months["month"] > number]
        assert (after["protected_instances"] > now).all()


@pytest.mark.parametrize(
    ("used", "growth", "expected"),
    [
        (40, 1, "Passes 50 GiB in month 4; .* 5.00 USD a month more"),
        (50, 0.1, "Passes 50 GiB in month 1; "),
        (400, 0.5, "Passes 500 GiB in month 7; .* 10.00 USD a month more"),
        (900, 0.12, "Passes 1,000 GiB in month 12; "),
        (900, 0.1, None),
        (900, 0, None),
        (0, 1, None),
    ],
)
def test_steps_by_hand(used, growth, expected):
    # 12 ln(50/40)/ln 2 = 3.9; 12 ln(5/4)/ln 1.5 = 6.6; 12 ln(10/9)/ln 1.12 = 11.2
    told = steps(ahead(disk(used=used), yearly_growth_frac=growth), "tier_step")
    if expected is None:
        assert not told
    else:
        assert len(told) == 1
        assert re.match(expected, told["a"])


def test_churn_passes_200_gib_a_day():
    # 150 that double in a year: 12 ln(200/150)/ln 2 = 4.98
    busy = disk(used=4000, churn_gib_per_day=150)
    answer = ahead(busy, yearly_growth_frac=1)
    assert "200 GiB a day from month 5 on" in steps(answer, "churn_step")["a"]
    own = ahead(busy, yearly_growth_frac=1, yearly_churn_growth_frac=0)
    assert not steps(own, "churn_step")
    assert not steps(ahead(busy), "churn_step")


def test_a_deadline_that_growth_breaks():
    heavy = disk(used=3000, churn_gib_per_day=100, dispersion=0.1)
    answer = ahead(heavy, yearly_growth_frac=3, months=24)
    now = answer.vms.loc[0, "deadline_prob"]
    told = steps(answer, "deadline_step")
    assert now >= 0.95
    number = int(told["a"].split("from month ")[1].split(" on")[0])

    def prob(month):
        factor = 4 ** (month / 12)
        later = heavy | {"used_gib": 3000 * factor, "churn_gib_per_day": 100 * factor}
        return ahead(later, months=0).vms.loc[0, "deadline_prob"]

    assert prob(number) < 0.95 <= prob(number - 1)


def test_a_deadline_that_the_first_month_breaks():
    heavy = disk(used=3000, churn_gib_per_day=100, dispersion=0.1)
    told = steps(ahead(heavy, yearly_growth_frac=1e6, months=2), "deadline_step")
    assert "from month 1 on" in told["a"]


def test_no_months_are_asked_for():
    answer = ahead(disk(), months=0)
    assert answer.months is None
    assert "months" not in answer.to_dict()


def test_a_vm_with_nothing_to_back_up_costs_nothing_in_any_month():
    answer = ahead(disk(excluded=True), months=4, yearly_growth_frac=1)
    assert answer.months["total_usd"].tolist() == [0, 0, 0, 0]
    assert not steps(answer, "tier_step")
