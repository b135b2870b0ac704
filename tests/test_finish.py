"""When VMs are done: given values, nights event by event, and what must not matter."""

import heapq
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.laws import nights_quantile
from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.estimate.finish import backup, met_by
from vmbmodel.plan.estimate.others import day_load, of_others
from vmbmodel.plan.scenario import Scenario

SNAPSHOT_H = 15.43 / 60
SETTINGS = {"snapshot_h": SNAPSHOT_H, "others_wait_mean_h": 2.4, "deadline_h": 8}


def composed(vms, start_h=23.0, transfer_h=0.5, vault=0, first=False, **changes):
    """Put together what an estimate does, from transfers that are given."""
    scenario = Scenario.of(settings=SETTINGS | changes)
    columns = {
        "start_h": np.full(vms, start_h, dtype=float),
        "transfer_h": np.full(vms, transfer_h, dtype=float),
        "vault_number": np.full(vms, vault),
        "first_backup": np.full(vms, first),
    }
    done = backup(columns, of_others(scenario), **scenario.arguments(backup))
    return pd.DataFrame(done)


@pytest.mark.parametrize(
    ("reading", "p50", "p95", "within_8", "within_24"),
    [
        ("none", 2.420720, 7.946924, 0.951094, 0.99993776),
        ("uniform", 3.489767, 9.015971, 0.923649, 0.99990283),
        ("latest", 4.420720, 9.946924, None, None),
    ],
)
def test_a_vm_alone_as_it_was_given_to_us(reading, p50, p95, within_8, within_24):
    vm = composed(1, start_slack_reading=reading).iloc[0]
    assert_allclose(vm["done_p50_h"], p50, atol=5e-7)
    assert_allclose(vm["done_p95_h"], p95, atol=5e-7)
    assert_allclose(vm["job_p50_h"], 2.420720, atol=5e-7)
    if within_8:
        assert_allclose(vm["deadline_prob"], within_8, atol=5e-7)
        day = composed(1, start_slack_reading=reading, deadline_h=24).iloc[0]
        assert_allclose(day["deadline_prob"], within_24, atol=5e-9)


def test_a_line_of_equal_vms_as_it_was_given_to_us():
    vms = composed(120, start_slack_reading="none", vault_servers=10)
    assert_allclose(vms["done_p50_h"], 5.621256, atol=2e-6)
    assert_allclose(vms["done_p95_h"], 11.287926, atol=2e-6)
    assert_allclose(vms["deadline_prob"], 0.803238, atol=1e-6)


def test_two_lines_met_in_turn_as_they_were_given_to_us():
    # 40 equal VMs at 23:00, three at a time, on the day of the overload; added up at
    # the hour of the start the two lines came to 5.109, 8.355 and .9176
    vms = composed(
        40, start_slack_reading="none", vault_servers=3, eight_hours="overload"
    )
    assert_allclose(vms["done_p50_h"], 9.1101, atol=0.05)
    assert_allclose(vms["done_p95_h"], 14.9142, atol=0.05)
    assert_allclose(vms["deadline_prob"], 0.4281, atol=0.004)


# --- night by night ---------------------------------------------------------------


def simulated(rng, nights, start_h, before_h, transfer_h, vault, served, slack_h):
    """Draw done times, event by event, of nights that follow one another."""
    done_h = np.empty((nights, len(start_h)))
    for number in np.unique(vault):
        own = np.flatnonzero(vault == number)
        free = [-np.inf] * served
        for night in range(nights):
            late_h = slack_h * rng.random(len(own))
            join_h = 24 * night + start_h[own] + late_h + before_h[own]
            turn = rng.permutation(len(own))
            for at in sorted(range(len(own)), key=lambda at: (join_h[at], turn[at])):
                let_go_h = max(join_h[at], heapq.heappop(free))
                heapq.heappush(free, let_go_h + transfer_h[own[at]])
                end_h = let_go_h + transfer_h[own[at]] - 24 * night - start_h[own[at]]
                done_h[night, own[at]] = end_h + rng.exponential(2.4)
    return done_h


@pytest.mark.parametrize("reading", ["none", "uniform"])
def test_nights_event_by_event(reading):
    # 90 VMs of three vaults, four at a time, a tenth of them first backups; 1 500
    # nights, seed 11. Bounds as wanted of the mean over VMs, and noise for one
    rng, count, nights = np.random.default_rng(11), 90, 1500
    start_h = rng.choice([21.0, 23.0, 23.5], count)
    transfer_h = rng.lognormal(-1.2, 0.6, count)
    vault, first = np.arange(count) % 3, rng.random(count) < 0.1
    vms = composed(
        count, start_h, transfer_h, vault, first,
        vault_servers=4, start_slack_reading=reading, start_slack_h=2,
    )  # fmt: skip
    before_h = SNAPSHOT_H + first * Scenario.of()["extension_h"]
    slack_h = 2 * (reading == "uniform")
    done_h = simulated(rng, nights, start_h, before_h, transfer_h, vault, 4, slack_h)
    for share, name in ((0.5, "done_p50_h"), (0.95, "done_p95_h")):
        apart = vms[name] - np.quantile(done_h, share, axis=0)
        assert abs(apart.mean()) < 0.05
        assert abs(apart).max() < 0.7
    apart = vms["deadline_prob"] - (done_h <= 8).mean(axis=0)
    assert abs(apart.mean()) < 0.004
    assert abs(apart).max() < 0.04
    assert_allclose(vms["done_mean_h"].mean(), done_h.mean(), atol=0.05)


def test_others_first_night_by_night():
    # one start of 30 VMs, three at a time, that meet the others first; 6 000 nights
    rng, count, nights = np.random.default_rng(5), 30, 6000
    vms = composed(
        count, vault_servers=3, start_slack_reading="none", line_reading="others-first"
    )
    done_h = np.empty((nights, count))
    for night in range(nights):
        join_h = np.sort(SNAPSHOT_H + rng.exponential(2.4, count))
        free = [0.0] * 3
        for at, hour in enumerate(join_h):
            end_h = max(hour, heapq.heappop(free)) + 0.5
            heapq.heappush(free, end_h)
            done_h[night, at] = end_h
    for share, name in ((0.5, "done_p50_h"), (0.95, "done_p95_h")):
        assert_allclose(vms[name], np.quantile(done_h, share), atol=0.05)
    assert_allclose(vms["deadline_prob"], (done_h <= 8).mean(), atol=0.004)


def test_snapshots_and_transfers_that_vary_by_drawn_nights():
    rng, nights = np.random.default_rng(3), 400_000
    varied = {"snapshot_scv": 0.2, "transfer_scv": 0.4, "start_slack_h": 1}

    def lengths(mean, scv):
        spread = np.sqrt(np.log1p(scv))
        return mean * rng.lognormal(-(spread**2) / 2, spread, nights)

    late_h, wait_h = rng.random(nights), rng.exponential(2.4, nights)
    job_h = lengths(SNAPSHOT_H, 0.2) + lengths(3, 0.4) + wait_h
    for served in (1, 100):  # with an own line, which is empty, and without
        vm = composed(3, 23.0, [3, 0, 1e-9], vault_servers=served, **varied).iloc[0]
        assert_allclose(vm["done_p50_h"], np.median(late_h + job_h), atol=0.02)
        assert_allclose(vm["done_p95_h"], np.quantile(late_h + job_h, 0.95), atol=0.04)
        assert_allclose(vm["job_p95_h"], np.quantile(job_h, 0.95), atol=0.04)
        assert_allclose(vm["deadline_prob"], (late_h + job_h <= 8).mean(), atol=0.004)
        assert_allclose(vm["done_mean_h"], (late_h + job_h).mean(), rtol=0.005)


# --- what must not matter, and what must -------------------------------------------


def disks(count, seed=0, **columns):
    rng = np.random.default_rng(seed)
    vm = [f"vm{number:03}" for number in rng.permutation(count)]
    table = {
        "vm": np.repeat(vm, 2),
        "disk": ["os", "data"] * count,
        "role": ["os", "data"] * count,
        "size_gib": 4095,
        "used_gib": rng.uniform(10, 3000, 2 * count),
        "start_h": np.repeat(rng.choice([21, 22.5, 23], count), 2),
        "vault": np.repeat(rng.choice(["a", "b", "c"], count), 2),
    }
    return pd.DataFrame(table | columns)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"vault_servers": 2},
        {"vault_servers": 2, "line_reading": "others-first"},
        {"vault_servers": 2, "start_slack_reading": "latest"},
        {"vault_servers": 3, "eight_hours": "overload", "transfer_scv": 0.3},
        {"restore_accounts": 3},
    ],
    ids=lambda changes: " ".join(map(str, changes.values())) or "default",
)
def test_the_order_of_the_rows_changes_no_bit(changes):
    fleet, scenario = disks(40), Scenario.of(settings=changes)
    fleet.loc[3, "first_backup"] = fleet.loc[10, "new_disk"] = True
    given = estimate(fleet, scenario, months=2)
    for seed in (1, 2):
        turned = fleet.sample(frac=1, random_state=seed, ignore_index=True)
        again = estimate(turned, scenario, months=2)
        rows = again.vms.set_index("vm").loc[given.vms["vm"]].reset_index()
        pd.testing.assert_frame_equal(rows, given.vms, check_exact=True)
        assert dict(again.total) == dict(given.total)
        months = [one.to_dict()["months"] for one in (given, again)]
        assert months[0] == months[1]


def test_vms_that_are_alike_have_the_same_figures():
    vms = composed(30, [22.0] * 15 + [23.0] * 15, [0.3, 0.8, 0.5] * 10, vault_servers=2)
    kinds = vms.groupby([[22.0] * 15 + [23.0] * 15, [0.3, 0.8, 0.5] * 10])
    assert (kinds["done_p95_h"].agg(np.ptp) == 0).all()
    assert (kinds["deadline_prob"].agg(np.ptp) == 0).all()


def test_without_slack_all_readings_of_it_are_one():
    for changes in ({}, {"vault_servers": 3}):
        none, uniform, latest = (
            composed(20, start_slack_reading=reading, start_slack_h=0, **changes)
            for reading in ("none", "uniform", "latest")
        )
        pd.testing.assert_frame_equal(none, uniform)
        pd.testing.assert_frame_equal(none, latest)


def test_the_letter_of_the_article_counts_the_job():
    job, done = (
        composed(1, deadline_clock=clock).iloc[0] for clock in ("job", "scheduled")
    )
    assert job["deadline_prob"] > done["deadline_prob"]
    assert_allclose(job["deadline_prob"], 0.951094, atol=5e-7)
    assert (job["done_p95_h"] == done["done_p95_h"]).all()


@settings(max_examples=25)
@given(
    starts=st.lists(st.sampled_from([22.0, 23.0]), min_size=2, max_size=12),
    served=st.integers(1, 4),
    mean=st.floats(0.1, 6),
    transfer=st.floats(0.05, 1.5),
)
def test_longer_waits_and_transfers_and_fewer_served_never_help(
    starts, served, mean, transfer
):
    def p95(transfer=transfer, served=served, mean=mean, **changes):
        vms = composed(
            len(starts), starts, transfer,
            vault_servers=served, others_wait_mean_h=mean, **changes,
        )  # fmt: skip
        return vms["done_p95_h"].to_numpy()

    slack = 1e-6 + 0.02 * p95()  # as far as replicates tell laws apart
    assert (p95(mean=mean * 1.2) >= p95() - 1e-6).all()
    assert (p95(transfer=transfer * 1.2) >= p95() - 1e-6).all()
    assert (p95(served=served + 1) <= p95() + slack).all()
    assert (p95(others_wait_prob=0.7) <= p95() + slack).all()
    most = len(starts)
    alone = composed(1, transfer_h=transfer, others_wait_mean_h=mean)
    assert_allclose(p95(served=most), alone["done_p95_h"][0], rtol=1e-9)


@pytest.mark.parametrize(
    "others",
    [
        {"eight_hours": "own"},
        {"eight_hours": "measured", "others_wait_prob": 0.0},
        {"eight_hours": "overload", "offpeak_utilisation_frac": 0.05},
        {"utilisation_frac": 0.05},
    ],
    ids=["own", "measured", "overload", "steady"],
)
@pytest.mark.parametrize("line_reading", ["own-first", "others-first"])
def test_where_most_nights_have_no_wait_the_median_is_that_of_such_a_night(
    others, line_reading
):
    # five are let go three at a time, so that each waits on two nights of five; the
    # pool of all is nearly empty before its peak, or gives nobody a wait
    law = {"start_h": 20.0, "start_slack_reading": "none"} | others
    alone = composed(1, **law)
    vms = composed(5, vault_servers=3, line_reading=line_reading, **law)
    assert_allclose(alone["done_p95_h"], SNAPSHOT_H + 0.5, atol=1e-9)
    assert_allclose(vms["done_p50_h"], SNAPSHOT_H + 0.5, atol=1e-8)
    assert_allclose(vms["done_p95_h"], SNAPSHOT_H + 1, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 0.25, 1.0, 6.0]), min_size=1, max_size=5),
    st.integers(1, 3),
    st.fixed_dictionaries(
        {
            "eight_hours": st.sampled_from(["own", "measured", "overload", "quantile"]),
            "line_reading": st.sampled_from(["own-first", "others-first"]),
            "start_slack_reading": st.sampled_from(["none", "uniform", "latest"]),
            "others_wait_prob": st.sampled_from([0.0, 0.02, 0.3, 0.6, 1.0]),
            "transfer_scv": st.sampled_from([0.0, 0.0, 0.3]),
            "deadline_clock": st.sampled_from(["scheduled", "job"]),
        }
    ),
    st.sampled_from([12.0, 20.0, 23.0]),
    st.sampled_from([("p50", 0.5), ("p95", 0.95)]),
)
def test_a_deadline_at_a_quantile_is_met_as_often_as_it_says(
    transfer_h, vault_servers, law, start_h, quantile
):
    short, share = quantile
    law = law | {"vault_servers": vault_servers, "start_h": start_h}
    count = len(transfer_h)
    vms = composed(count, transfer_h=transfer_h, **law)
    side = "done" if law["deadline_clock"] == "scheduled" else "job"
    assert (vms[f"{side}_p50_h"] <= vms[f"{side}_p95_h"] + 1e-9).all()
    for vm, time_h in enumerate(vms[f"{side}_{short}_h"]):
        if time_h == np.inf:
            continue
        near_h = 1e-6 * (1 + time_h)
        before, after = (
            composed(count, transfer_h=transfer_h, **law | {"deadline_h": at_h})
            for at_h in (max(time_h - near_h, 0), time_h + near_h)
        )
        assert after["deadline_prob"][vm] >= share - 1e-6
        assert before["deadline_prob"][vm] <= share + 1e-6 or time_h <= near_h


def waits_in_turn_late(offset_h, time_h, wait_prob, wait_mean_h):
    """Share of nights that are late, one after the other, by the definition."""
    late = 0.0
    for one_h in offset_h:
        if time_h < one_h:
            late += 1
        elif wait_prob and wait_mean_h == np.inf:
            late += wait_prob
        elif wait_prob and wait_mean_h:
            late += wait_prob * math.exp(-(time_h - one_h) / wait_mean_h)
    return late / len(offset_h)


@given(
    st.lists(
        st.floats(0, 400) | st.sampled_from([0.5, 2.0, np.inf]), min_size=1, max_size=24
    ),
    st.floats(0.001, 0.999) | st.sampled_from([0.5, 0.95, 0.75]),
    st.floats(0, 1) | st.sampled_from([0.0, 1.0]),
    st.floats(0.01, 100) | st.sampled_from([0.0, np.inf]),
)
def test_a_share_of_the_nights_is_over_then_and_no_sooner(
    offset_h, share, wait_prob, wait_mean_h
):
    law = wait_prob, wait_mean_h
    nights_h = np.sort(offset_h)[np.newaxis]
    time_h = nights_quantile(nights_h, share, *map(np.atleast_1d, law))[0]
    before_h = math.nextafter(time_h * (1 - 1e-9), -1)
    assert waits_in_turn_late(offset_h, before_h, *law) >= 1 - share - 1e-9
    if time_h < np.inf:
        assert waits_in_turn_late(offset_h, time_h, *law) <= 1 - share + 1e-9


def test_an_empty_fleet_has_no_figures():
    assert composed(0).empty


def test_a_new_disk_counts_for_one_night():
    # a copy of 30 h misses its day, and only that one: 1 + 29.4 nights without
    fleet = disks(1, used_gib=[40.0, 2100.0], new_disk=[False, True])
    total = estimate(fleet, Scenario.of()).total
    later = estimate(fleet.assign(new_disk=False), Scenario.of()).total
    assert_allclose(total["expected_misses"], 1)
    nights = 365.25 / 12
    expected = 1 + (nights - 1) * later["expected_misses"]
    assert_allclose(total["misses_per_month"], expected, rtol=1e-9)
    assert total["misses_per_month"] < 1.1


def test_a_first_backup_is_pointed_out_only_where_it_is_to_come():
    long = disks(1, used_gib=[40.0, 2100.0])
    for first in (True, False):
        answer = estimate(long.assign(first_backup=first), Scenario.of())
        codes = {notice.code for notice in answer.warnings}
        assert ("first_backup_misses_deadline" in codes) == first


@pytest.mark.parametrize("reading", ["none", "uniform"])
def test_one_pool_night_by_night(reading):
    # 60 equal VMs in three starts among the jobs of all, ten at a time; the day is
    # loaded to 94 %. 600 nights, seed 6. A rough reading: half an hour, not minutes
    scenario = Scenario.of(
        settings=SETTINGS
        | {"eight_hours": "overload", "line_reading": "one-pool"}
        | {"start_slack_reading": reading, "start_slack_h": 2}
    )
    load, rng, nights = day_load(scenario), np.random.default_rng(6), 600
    start_h = np.repeat([20.0, 22.0, 0.0], 20)
    transfer_h, slack_h = 0.5, 2 * (reading == "uniform")
    per_h = load * scenario["servers"] / scenario["service_h"]
    events = []
    for night in range(nights):
        count = rng.poisson(per_h / 2)
        slot = np.repeat(np.arange(48), count)
        come_h = 24 * night + (slot + rng.random(len(slot))) / 2
        lengths_h = rng.exponential(scenario["service_h"], len(slot))
        events += [(h, -1, y) for h, y in zip(come_h, lengths_h, strict=True)]
        join_h = 24 * night + start_h + SNAPSHOT_H + slack_h * rng.random(60)
        order = rng.permutation(60)
        events += [(join_h[at], 24 * night + start_h[at], transfer_h) for at in order]
    events.sort(key=lambda event: event[0])
    free, done_h = [0.0] * int(scenario["servers"]), []
    for come_h, own, length_h in events:
        end_h = max(come_h, heapq.heappop(free)) + length_h
        heapq.heappush(free, end_h)
        if own >= 24 * 20:
            done_h.append(end_h - own)
    vms = {
        "start_h": start_h,
        "transfer_h": np.full(60, transfer_h),
        "vault_number": np.zeros(60, dtype=int),
        "first_backup": np.zeros(60, dtype=bool),
    }
    done = backup(vms, met_by([vms], scenario), **scenario.arguments(backup))
    assert_allclose(done["done_mean_h"].mean(), np.mean(done_h), atol=0.7)


def test_one_pool_needs_a_pool():
    with pytest.raises(ValueError, match="line_reading=one-pool needs a pool"):
        estimate(disks(3), Scenario.of(settings={"line_reading": "one-pool"}))
