"""Which VMs of an estimate stand in one line: those of one vault, day after day."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.scenario import Scenario

ALONE = {"utilisation_frac": 0.0}  # nobody else's jobs


def fleet(starts):
    rows = [
        {"vm": f"vm{i}", "disk": "os", "role": "os", "size_gib": 256, "used_gib": 128}
        for i in range(len(starts))
    ]
    return pd.DataFrame(rows).assign(start_h=starts)


def waits(starts):
    return estimate(fleet(starts), Scenario.of("azure-2018-12", settings=ALONE)).vms[
        "wait_mean_h"
    ]


@pytest.mark.parametrize("later", [23.5, 23.99, 22.0])
def test_starts_apart_are_told_apart_within_an_hour_too(later):
    apart = waits([23.0] * 10 + [later] * 10)
    together = waits([23.0] * 20)
    assert apart.max() < together.max()


def test_starts_a_minute_apart_are_still_a_jam():
    together = waits([22.0] * 50)
    minute = waits(list(22 + np.arange(50) // 10 / 60))
    assert_allclose(minute.max(), together.max() - 4 / 60, rtol=1e-6)


def test_the_line_goes_on_after_midnight():
    # twenty at 23:55, ten more at 00:01 of the next day, who find the line
    late = waits([23 + 55 / 60] * 20 + [1 / 60] * 10)
    assert late[20:].min() > late[:10].max()
    assert_allclose(late[25], late[15] * 2 - late[0] - 0.1, rtol=1e-6)


def test_more_work_than_a_day_has_hours_never_clears():
    many = fleet([23.0] * 21).assign(used_gib=200, first_backup=True)
    scenario = Scenario.of("azure-2018-12", settings={"vault_servers": 2})
    stuck = estimate(many, scenario)
    assert (stuck.vms["backup_p50_h"] == np.inf).all()
    assert (stuck.vms["deadline_prob"] == 0).all()
    assert "own_line" in {notice.code for notice in stuck.warnings}


def test_the_line_is_that_of_a_day_like_the_one_before():
    # copies of 61 h keep places busy for days: the second day does not tell yet
    many = fleet([23.0] * 12).assign(size_gib=4095, first_backup=True)
    many["used_gib"] = [300.0] * 9 + [4095.0] * 3
    vms = estimate(many, Scenario.of("azure-2018-12", settings=ALONE)).vms
    free = [0.0] * 10
    for day in range(100):
        own_h = []
        for transfer_h in vms["transfer_h"]:
            begin = max(24 * day, min(free))
            free[free.index(min(free))] = begin + transfer_h
            own_h.append(begin - 24 * day)
    assert max(own_h) > 5
    assert_allclose(vms["wait_mean_h"] - waits([23.0])[0], own_h, atol=1e-9)


def test_a_blank_start_is_the_default_one():
    assert waits([23.0] * 10 + [None] * 10).nunique() == 2
