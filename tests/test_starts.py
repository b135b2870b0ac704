"""VMs whose policy starts several times a day, of which the last goes to the vault."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from vmbmodel import Scenario, estimate, formulas
from vmbmodel.inventory.fleet import runs_a_day
from vmbmodel.plan.estimate import START_COLUMNS

SLACK_H, SNAPSHOT_H = 2.0, 0.25


def asked(*rows, **settings):
    disks = [
        {"vm": f"v{at}", "disk": "os", "role": "os", "size_gib": 512, "used_gib": 200}
        | row
        for at, row in enumerate(rows)
    ]
    given = {"start_slack_h": SLACK_H, "snapshot_h": SNAPSHOT_H} | settings
    return estimate(pd.DataFrame(disks), Scenario.of(settings=given))


OFTEN = {"interval_h": 4, "window_h": 12, "start_h": 20, "snapshot_policy": "enhanced"}


def test_a_fleet_of_one_start_a_day_says_nothing_of_starts():
    answer = asked({}, {"interval_h": 168}, {"interval_h": 16, "window_h": 24})
    assert answer.starts is None
    assert "starts" not in answer.to_dict()


def test_every_start_of_a_day_is_told_the_last_as_the_vm():
    answer = asked({}, OFTEN)
    starts = answer.starts
    assert list(starts) == list(START_COLUMNS)
    assert starts["vm"].eq("v1").all()
    assert starts["start_h"].tolist() == [8, 12, 16, 20]
    assert starts["to_vault"].tolist() == [False, False, False, True]
    row = answer.vms.set_index("vm").loc["v1"]
    names = ["done_p50_h", "done_p95_h", "done_p95_clock", "deadline_prob"]
    assert starts.iloc[-1][names].tolist() == row[names].tolist()


def test_the_other_starts_end_with_their_snapshot():
    earlier = asked(OFTEN).starts.iloc[:-1]
    # late by up to the slack, each part of it alike
    assert_allclose(earlier["done_p50_h"], 0.5 * SLACK_H + SNAPSHOT_H)
    assert_allclose(earlier["done_p95_h"], 0.95 * SLACK_H + SNAPSHOT_H)
    assert earlier["done_p95_clock"].tolist() == ["10:09", "14:09", "18:09"]
    assert_allclose(earlier["deadline_prob"], 1)
    hurried = asked(OFTEN, deadline_h=1.0).starts
    wanted = (1.0 - SNAPSHOT_H) / SLACK_H
    assert_allclose(hurried["deadline_prob"].iloc[:-1], wanted)


def test_snapshots_get_as_old_as_the_night_is_long():
    answer = asked(OFTEN)
    late_h = SLACK_H + SNAPSHOT_H
    wanted = [12 + late_h, 4 + late_h, 4 + late_h, 4 + late_h]
    assert_allclose(answer.starts["point_age_snapshot_h"], wanted)
    assert_allclose(answer.vms["point_age_snapshot_h"], 12 + late_h)
    all_day = asked(OFTEN | {"window_h": None})
    assert len(all_day.starts) == 6
    assert_allclose(all_day.vms["point_age_snapshot_h"], 4 + late_h)


def test_the_vault_has_one_job_of_each_vm_a_day():
    # enhanced2025: only the last backup of a day is transferred
    row = {"used_gib": 400, "churn_gib_per_day": 100, "start_h": 20}
    often = [OFTEN | row] * 4
    daily = [row | {"snapshot_policy": "enhanced"}] * 4
    settings = {"vault_servers": 1}
    names = ["own_line_mean_h", "transfer_h", "done_p95_h", "stored_gib"]
    left, right = (asked(*rows, **settings).vms[names] for rows in (often, daily))
    assert (left["own_line_mean_h"] > 0).all()
    pd.testing.assert_frame_equal(left, right)


def test_snapshots_of_every_start_are_billed():
    kept = {"snapshot_points": 7, "churn_gib_per_day": 10, "dispersion": 0}
    often, daily = asked(OFTEN | kept, {"snapshot_policy": "enhanced"} | kept).vms[
        "snapshot_usd"
    ]
    # 28 snapshots, the first in full, the others of a quarter of a day; 7 of a day
    gib = np.array([200 + 27 * 10 / 4, 200 + 6 * 10])
    assert_allclose(often / daily, gib[0] / gib[1])


def test_the_formula_counts_the_snapshots_of_a_day():
    one, four = formulas.snapshot_gib(100, 2, 5, "enhanced", [1, 4])
    assert (one, four) == (108, 100 + 19 * 2 / 4)
    assert formulas.snapshot_gib(100, 2, 0, "enhanced", 4) == 0


@pytest.mark.parametrize("interval_h", [1, 2, 4, 4.8, 6, 8, 12, 16, 24, 168])
@pytest.mark.parametrize("window_h", [None, 0, 4, 12, 23, 24])
def test_the_starts_of_a_day_by_counting_them(interval_h, window_h):
    last = 24 if window_h is None else window_h
    count = 0
    while count * interval_h <= last + 1e-9 and (count + 1) * interval_h <= 24 + 1e-9:
        count += 1
    found = runs_a_day(interval_h, np.nan if window_h is None else window_h)
    assert found == max(count, 1)


def test_starts_stand_in_the_order_of_the_inventory():
    answer = asked(OFTEN, OFTEN, OFTEN)
    swapped = estimate(answer.fleet.iloc[::-1], answer.scenario).starts
    assert swapped["vm"].drop_duplicates().tolist() == ["v2", "v1", "v0"]
    for name, rows in swapped.groupby("vm"):
        own = answer.starts[answer.starts["vm"] == name]
        pd.testing.assert_frame_equal(
            rows.reset_index(drop=True), own.reset_index(drop=True)
        )


def test_a_vm_with_nothing_to_back_up_has_no_starts():
    assert asked(OFTEN | {"excluded": True}).starts is None
