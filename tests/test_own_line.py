"""The line of your own VMs in an estimate: by hand, by day, by vault."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom

from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.estimate.own_line import Slack, ever_waits
from vmbmodel.plan.scenario import Scenario

ALONE = {"utilisation_frac": 0.0, "vault_servers": 10}  # nobody else's jobs


def fleet(starts, used_gib=128.0, **columns):
    rows = {"vm": [f"vm{i:03}" for i in range(len(starts))], "start_h": starts}
    size = {"disk": "os", "role": "os", "size_gib": 4095, "used_gib": used_gib}
    return pd.DataFrame(rows | size | columns)


def rows(disks, profile="azure-2018-12", **settings):
    return estimate(disks, Scenario.of(profile, settings=ALONE | settings)).vms


def own_h(disks, **settings):
    return rows(disks, **settings)["own_line_mean_h"].to_numpy()


def test_a_hundred_equal_vms_of_one_start_by_hand():
    # who comes K-th of n waits (K - 1) // 10 transfers, K any of 1 to n alike
    for count in (25, 100):
        vms = rows(fleet([23.0] * count))
        turns = np.mean(np.arange(count) // 10)
        expected_h = turns * vms["transfer_h"]
        assert_allclose(vms["own_line_mean_h"], expected_h, rtol=1e-12)


@pytest.mark.parametrize("profile", ["azure-2018-12", "azure-2026-01"])
def test_up_to_as_many_as_are_served_nobody_waits(profile):
    assert (own_h(fleet([23.0] * 10), profile=profile) == 0).all()
    if profile == "azure-2018-12":  # whose starts have no slack
        assert (own_h(fleet([23.0] * 11), profile=profile) > 0).all()
    served = Scenario.of(profile)["vault_servers"]
    assert served == 100  # of the advice against more than 100 of a vault at once
    hundred = fleet([23.0] * 100)
    assert (own_h(hundred, profile=profile, vault_servers=served) == 0).all()


def test_the_reading_as_an_own_line_serves_ten_unless_told():
    many = fleet([23.0] * 40)
    own = estimate(many, Scenario.of("azure-2018-12", settings={"eight_hours": "own"}))
    own = own.vms
    assert_allclose(own["wait_mean_h"], own["own_line_mean_h"])
    assert_allclose(own["own_line_mean_h"], 1.5 * own["transfer_h"], rtol=1e-12)
    told = {"eight_hours": "own", "vault_servers": 20}
    told = estimate(many, Scenario.of("azure-2018-12", settings=told)).vms
    assert_allclose(told["own_line_mean_h"], 0.5 * told["transfer_h"], rtol=1e-12)


@pytest.mark.parametrize("later", [23.5, 23.99, 22.0])
def test_starts_apart_wait_less(later):
    apart = own_h(fleet([23.0] * 10 + [later] * 10))
    assert apart.mean() < own_h(fleet([23.0] * 20)).mean()


def test_the_line_goes_on_after_midnight():
    # twenty at 23:55, ten more at 00:01 of the next day, who find the line
    wait_h = own_h(fleet([23 + 55 / 60] * 20 + [1 / 60] * 10))
    transfer_h = rows(fleet([23.0]))["transfer_h"][0]
    assert_allclose(wait_h[:20], 0.5 * transfer_h, rtol=1e-9)
    assert_allclose(wait_h[20:], 2 * transfer_h - 0.1, rtol=1e-9)


def test_more_work_than_a_day_has_hours_never_clears():
    many = fleet([23.0] * 21, used_gib=200.0, first_backup=True)
    stuck = estimate(many, Scenario.of("azure-2018-12", settings={"vault_servers": 2}))
    assert (stuck.vms["done_p50_h"] == np.inf).all()
    assert (stuck.vms["done_p95_clock"] == "never").all()
    assert (stuck.vms["deadline_prob"] == 0).all()
    assert "own_line" in {notice.code for notice in stuck.warnings}
    # a thousand VMs of a vault, which is allowed, are done in waves
    thousand = estimate(fleet([23.0] * 1000), Scenario.of())
    assert np.isfinite(thousand.vms["done_p95_h"]).all()


def test_the_line_is_that_of_a_day_like_the_one_before():
    # copies of 61 h keep places busy for days; one order of the line, day by day
    used = np.array([300.0] * 9 + [4095.0] * 3)
    many = fleet([23.0] * 12, used_gib=used, first_backup=True)
    vms = rows(many)
    rng, wait_h = np.random.default_rng(4), []
    for _ in range(400):
        order, free = rng.permutation(12), [0.0] * 10
        for day in range(12):
            own = np.zeros(12)
            for at in order:
                begin = max(24 * day, min(free))
                free[free.index(min(free))] = begin + vms["transfer_h"][at]
                own[at] = begin - 24 * day
        wait_h.append(own)
    by_size = [slice(0, 9), slice(9, 12)]
    error = 3.9 * np.std(wait_h, axis=0).max() / 20
    for some in by_size:
        drawn = np.mean(wait_h, axis=0)[some].mean()
        assert abs(vms["own_line_mean_h"][some].mean() - drawn) < error
    assert vms["own_line_mean_h"].max() > 5


def test_a_blank_start_is_the_default_one():
    blank = own_h(fleet([23.0] * 10 + [None] * 10))
    assert_allclose(blank, own_h(fleet([23.0] * 20)), rtol=1e-12)


def test_who_waits_for_others_for_ever_is_never_done():
    """A pool that is full all day comes first, so that nobody reaches the own line."""
    full = {"utilisation_frac": 1.0, "line_reading": "others-first"}
    seen = rows(fleet([22.0] * 3, used_gib=4095.0), vault_servers=1, **full)
    assert np.isinf(seen["done_p95_h"]).all()
    assert (seen["deadline_prob"] == 0).all()


@pytest.mark.parametrize("vms", [5, 12, 40])
@pytest.mark.parametrize("transfer_h", [0.1, 0.5])
def test_a_line_that_is_passed_over_forms_less_than_once_in_ten_thousand(
    vms, transfer_h
):
    # who starts at any time of two hours moves at a given one with this chance
    chance = transfer_h / 2
    places = np.arange(1, vms)
    waits = [
        ever_waits(
            np.zeros(vms, dtype=int), np.zeros(vms), np.full(vms, transfer_h),
            float(served), Slack(2.0, spread=True),
        ).all()
        for served in places
    ]  # fmt: skip
    crowded = binom.sf(places, vms, chance)
    assert (crowded[~np.array(waits)] < 1e-4).all()
    assert waits[0]
    assert not waits[-1] or crowded[-1] > 1e-12
