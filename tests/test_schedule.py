"""`vmbmodel.plan.schedule`: against all plans of small fleets, and rule by rule."""

import itertools
import json
import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from slow import after

from vmbmodel.plan.check.answer import check
from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.scenario import Scenario
from vmbmodel.plan.schedule.answer import schedule
from vmbmodel.plan.schedule.policies import named
from vmbmodel.plan.schedule.rules import Rules, clear_of
from vmbmodel.plan.schedule.values import Value, best

SLOTS = [k / 2 for k in range(48)]


def fleet(*used_gib, **columns):
    disks = pd.DataFrame(
        {
            "vm": [f"v{i:03}" for i in range(len(used_gib))],
            "disk": "os",
            "role": "os",
            "size_gib": 32767.0,
            "used_gib": np.array(used_gib, dtype=float),
            "churn_gib_per_day": np.array(used_gib, dtype=float),
            "dispersion": 0.0,
        }
    )
    return disks.assign(**columns)


def gib_for(hours):
    """Give what a VM has to change for its transfer to take so long."""
    one = estimate(fleet(100.0), Scenario.of()).vms["transfer_h"][0]
    return 100 * hours / one


def scenario(profile="azure-2026-01", **settings):
    return Scenario.of(profile, settings=settings)


def clashes(start_h, begin_h, end_h, slack_h):
    """Say, minute by minute, whether a start may fall into the hours."""
    minutes = range(round(start_h * 60), round((start_h + slack_h) * 60) + 1)
    if slack_h:
        minutes = minutes[:-1]  # as late as it may be is just not too late
    length = (end_h - begin_h) % 24 or 24
    return any((m / 60 - begin_h) % 24 < length for m in minutes)


# --- every plan there is, by estimate ---------------------------------------------


def scored(disks, starts, given, opening_h):
    """Give misses and summed time to the end of plans, each in a vault of its own.

    It is counted from the start, or from the present one if that is earlier.
    """
    figures, now_h = [], (disks["start_h"].to_numpy() - opening_h) % 24
    now_h = np.where(now_h < 3, now_h, 0)  # in the blackout: as it ends
    for begin in range(0, len(starts), 80):
        some = starts[begin : begin + 80]
        every = pd.concat(
            disks.assign(
                vm=[f"{i:03} {name}" for name in disks["vm"]],
                vault=f"{i:03}",
                start_h=s,
            )
            for i, s in enumerate(some)
        )
        rows = estimate(every, given).vms
        shape = len(some), len(disks)
        start_h = ((rows["start_h"] - opening_h) % 24).to_numpy().reshape(shape)
        done_h = rows["done_mean_h"].to_numpy().reshape(shape)
        end_h = start_h + done_h - np.minimum(start_h, now_h)
        misses = 1 - rows["deadline_prob"].to_numpy().reshape(shape)
        sums = misses.sum(axis=1), end_h.sum(axis=1)
        figures.append(np.column_stack(sums))
    return np.concatenate(figures)


CASES = (
    {"vault_servers": 1},
    {"vault_servers": 2, "deadline_h": 6},
    {"vault_servers": 3, "deadline_h": 4},
    {"vault_servers": 1, "deadline_h": 9, "eight_hours": "overload"},
    {"vault_servers": 2, "deadline_h": 5, "eight_hours": "overload"},
    {"vault_servers": 1, "deadline_h": 3, "eight_hours": "own"},
    {"vault_servers": 100, "deadline_h": 8, "eight_hours": "overload"},
)


@pytest.mark.parametrize(
    ("opening_h", "settings", "others"),
    after(1, itertools.product([19.0, 2.0], CASES, [2, 3])),
)
def test_the_best_of_all_plans_is_found_and_none_is_below_a_bound(
    settings, opening_h, others
):
    rng = np.random.default_rng(int(opening_h) + len(str(settings)))
    lengths = rng.choice([0.3, 0.6, 0.9, 1.4, 2.0], 2, replace=False)
    kinds = np.repeat([gib_for(h) for h in lengths], [3, others])
    disks = fleet(*kinds)  # three of a kind, and as many or fewer of another
    disks["start_h"] = rng.choice([22.0, 23.0, 3.0])
    given = scenario(start_slack_h=0.5, **settings)
    closed = ((opening_h + 3.0) % 24, opening_h)
    hours = [h for h in SLOTS if not clashes(h, *closed, 0.5)]
    assert len(hours) == 6
    plan = schedule(disks, given, blackout=[closed])
    halves = (
        itertools.combinations_with_replacement(hours, count) for count in (3, others)
    )
    every = [a + b for a, b in itertools.product(*halves)]
    misses, finish_h = scored(disks, every, given, opening_h).T
    own = plan.vms.sort_values("vm")["start_h"].to_numpy()
    chosen = scored(disks, [own], given, opening_h)[0]
    noise = 1e-4  # of nights drawn
    least = misses.min()
    enough = least + max(1e-3, 0.01 * least)
    assert chosen[0] <= enough + noise
    soonest = finish_h[misses <= enough].min()
    assert chosen[1] <= soonest + 0.05 * len(disks) + 0.01
    policies = np.array([len(set(starts)) for starts in every])
    surely = (misses <= enough - noise) & (finish_h <= soonest + 0.04 * len(disks))
    fewest = policies[surely].min(initial=len(disks))
    assert plan.after["policies"] <= fewest
    bounds = {aim.aim: aim for aim in plan.aims}
    assert bounds["expected_misses"].bound <= least + 1e-12
    assert bounds["finish_h"].bound <= finish_h.min()
    for aim in plan.aims:
        assert aim.proven == (aim.planned - aim.bound <= aim.tolerance)


def best_of_all(disks, given, hours, opening_h):
    """Return what the best plan comes to, aim after aim, by looking at every plan."""
    now, served = disks["start_h"].to_numpy(), given["vault_servers"]
    lengths_h = estimate(disks, given).vms["transfer_h"].to_numpy()
    every = np.array(list(itertools.product(hours, repeat=len(disks))))
    misses, finish_h = scored(disks, every, given, opening_h).T
    policies = np.array([len(set(zip(disks["policy"], p, strict=True))) for p in every])
    at_work = [((h - every) % 24 < lengths_h).sum(axis=1) for h in SLOTS]
    beyond = np.maximum(np.max(at_work, axis=0) - served, 0)
    moved = (every != now).sum(axis=1)
    least = misses.min()
    left = misses <= least + max(1e-3, 0.01 * least)
    left &= finish_h <= finish_h[left].min() + 0.05 * len(disks)
    exact = {"policies": policies, "moved_vms": moved, "beyond_vms": beyond}
    for figures in exact.values():
        left &= figures == figures[left].min()
    told = {"expected_misses": misses, "finish_h": finish_h}
    return {n: f[left].max() for n, f in (told | exact).items()}


@pytest.mark.parametrize("seed", after(3, range(6)))
def test_a_small_fleet_has_the_best_plan_of_all(seed):
    proves_best(seed, size=4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_a_larger_fleet_has_the_best_plan_of_all(seed):
    proves_best(seed, size=5)


def proves_best(seed, size):
    rng, vms, slots = np.random.default_rng(seed), size, size
    disks = fleet(*(gib_for(h) for h in rng.choice([0.4, 0.9, 1.3, 2.0], vms)))
    disks["policy"] = rng.choice(["daily", "nightly"], vms)
    opening_h = float(rng.choice([19, 22, 2]))
    disks["start_h"] = (opening_h + rng.choice([0, 0.5, 1.5], vms)) % 24
    given = scenario(start_slack_h=0.5, **CASES[seed % len(CASES)])
    closed = ((opening_h + slots / 2) % 24, opening_h)
    hours = [h for h in SLOTS if not clashes(h, *closed, 0.5)]
    assert len(hours) == slots
    found = schedule(disks, given, blackout=[closed]).after
    least = best_of_all(disks, given, hours, opening_h)
    for name in ("policies", "moved_vms", "beyond_vms"):
        assert found[name] == least[name], name
    tolerance = max(1e-3, 0.01 * least["expected_misses"])
    assert found["expected_misses"] <= least["expected_misses"] + tolerance
    assert found["finish_h"] <= least["finish_h"] + 0.05 * vms


# --- never worse than today -------------------------------------------------------


def random_fleet(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(5, 70))
    disks = fleet(
        *rng.lognormal(4.5, 1, count),
        vault=rng.choice(["east", "west"], count),
        policy=rng.choice(["daily", "nightly"], count),
        first_backup=rng.random(count) < 0.05,
    )
    disks["start_h"] = rng.choice([18.0, 20.25, 23.0, 2.5, 12.0], count)
    settings = {
        "vault_servers": int(rng.choice([1, 2, 4, 100])),
        "deadline_h": float(rng.choice([6, 12, 24])),
        "eight_hours": str(rng.choice(["published", "overload", "own"])),
        "start_slack_reading": str(rng.choice(["uniform", "latest", "none"])),
    }
    blackout = [[], [(8, 18)], [(6, 9), (22, 0.5)]][seed % 3]
    return disks, settings, blackout


@pytest.mark.parametrize("seed", after(1, range(20)))
def test_no_plan_is_worse_than_today_before_it_is_better(seed):
    disks, settings, blackout = random_fleet(seed)
    given = scenario(**settings)
    work_h = estimate(disks, given).vms.groupby("vault")["transfer_h"].sum()
    if (work_h >= 24 * settings["vault_servers"]).any():
        with pytest.raises(ValueError, match="no start changes that"):
            schedule(disks, given, blackout=blackout)
        return
    plan = schedule(disks, given, blackout=blackout)
    again = estimate(plan.fleet, given).total["expected_misses"]
    assert again == pytest.approx(plan.after["expected_misses"], rel=1e-12)
    for aim in plan.aims:
        if aim.better:
            break
        assert not aim.worse
    else:
        assert plan.after["moved_vms"] == 0
        assert plan.verdict.startswith("Leave the starts as they are")
    assert not plan.broken_after


def test_tables_of_a_plan_are_numbered_from_the_top():
    disks = fleet(9.0, 9.0, 9.0, start_h=[11, 23, 13], policy=["c", "a", "b"])
    plan = schedule(disks, scenario())  # a night begins at noon
    assert plan.policies["policy"].tolist() == ["b", "a", "c"]
    for table in (plan.policies, plan.vms, plan.fleet):
        assert table.index.tolist() == [0, 1, 2]


@pytest.mark.slow
def test_the_same_plan_each_time_whatever_the_order_of_the_rows():
    disks, settings, blackout = random_fleet(7)
    given = scenario(**settings | {"vault_servers": 2, "deadline_h": 12.0})
    first, again, mixed = (
        schedule(rows, given, blackout=blackout)
        for rows in (disks, disks, disks.sample(frac=1, random_state=3))
    )
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    pd.testing.assert_frame_equal(first.vms, mixed.vms)
    assert first.after == mixed.after
    assert "seconds" not in json.dumps(first.to_dict())


# --- what is known without a search -------------------------------------------------


@pytest.mark.parametrize("blackout", [[(8, 18)], []])
def test_up_to_a_hundred_vms_of_a_vault_stay_where_they_are(blackout):
    disks = fleet(*[80.0] * 60, start_h=23.0)
    plan = schedule(disks, scenario(), blackout=blackout)
    assert plan.policies[["start", "vms"]].to_numpy().tolist() == [["23:00", 60]]
    assert plan.after["moved_vms"] == 0
    assert all(aim.proven for aim in plan.aims)
    assert plan.verdict.startswith("Leave the starts as they are")
    assert "spreading starts would gain nothing" in plan.verdict


@pytest.mark.parametrize(("now_h", "then"), [(12.0, "18:00"), (7.0, "18:00")])
def test_who_starts_in_a_blackout_goes_to_the_next_hour_without_one(now_h, then):
    disks = fleet(*[80.0] * 60, start_h=now_h)
    plan = schedule(disks, scenario(), blackout=[(8, 18)])
    starts = plan.policies["start"].str.removesuffix(" +1")
    assert [starts.tolist(), plan.policies["vms"].tolist()] == [[then], [60]]
    assert plan.verdict == "Move 60 of 60 VMs. Better: rules not kept."


def test_deadlines_that_no_start_meets_are_said_beside_the_advice_to_stay():
    disks = fleet(gib_for(30), 80.0, start_h=23.0)
    plan = schedule(disks, scenario(), blackout=[(8, 18)])
    assert plan.after["moved_vms"] == 0
    assert "missed a night, as planned: 1" in plan.verdict


@pytest.mark.parametrize("first_backup", [True, False])
def test_a_transfer_of_days_has_a_plan(first_backup):
    disks = fleet(8_000.0, 80.0, first_backup=first_backup, churn_gib_per_day=9_000.0)
    plan = schedule(disks, scenario())
    assert plan.vms["transfer_h"].max() > 24
    assert plan.after["moved_vms"] == 0


def test_a_thousand_vms_of_a_vault_are_spread():
    disks = fleet(*[gib_for(0.5)] * 1000)
    plan = schedule(disks, scenario(), blackout=[(8, 18)])
    # in ten waves of half an hour the last wait 4.5 h: by hand, the misses of those
    # who wait are exp(J / 2.4) times those of who does not
    alone = 1 - estimate(disks.iloc[:1], scenario()).vms["deadline_prob"][0]
    waves = np.exp(np.arange(10) * 0.5 / 2.4).mean() * 1000 * alone
    assert 1000 * alone < plan.before["expected_misses"] < waves
    assert plan.after["expected_misses"] <= 1.02 * 1000 * alone
    assert plan.policies["vms"].max() <= 100
    moved = int(plan.after["moved_vms"])
    assert plan.verdict.startswith(
        f"Move {moved} of 1,000 VMs. Worse: policies. Better: rules not kept"
    )
    # the last ends no later than today, and hardly anybody waits
    assert plan.after["last_finish_h"] < plan.before["last_finish_h"]
    assert plan.after["own_line_mean_h"] < 0.1 < plan.before["own_line_mean_h"]


def test_more_than_a_day_s_work_is_refused_with_the_arithmetic():
    disks = fleet(*[gib_for(6)] * 9)
    with pytest.raises(ValueError, match=r"9 VMs transfer for 54 h.*1 at a time .*24"):
        schedule(disks, scenario(vault_servers=1), blackout=[(8, 18)])
    endless = fleet(4000.0)
    with pytest.raises(ValueError, match=r"1 VMs transfer for 1\.1"):
        schedule(endless, scenario(incremental_mib_s=1e-300))


def test_several_starts_a_day_stay():
    disks = fleet(*[80.0] * 4, policy=list("eedd"), start_h=[20.0, 20.0, 17.0, 17.0])
    disks["interval_h"] = [4.0, 8.0, 24.0, None]
    plan = schedule(disks, scenario(), blackout=[(8, 18)])
    starts = plan.vms.set_index("vm")["start_h"]
    assert starts[["v000", "v001"]].eq(20).all()
    assert starts[["v002", "v003"]].eq(18).all()
    assert {entry.place.where["start_h"] for entry in plan.broken_after} == {8, 12, 16}
    disks["window_h"] = [4.0, 0.0, None, None]  # 16 and 20 o'clock, and 20 o'clock
    plan = schedule(disks, scenario(), blackout=[(8, 18)])
    assert {entry.place.where["start_h"] for entry in plan.broken_after} == {16}


def test_hours_are_those_of_one_night_wherever_they_stand():
    disks = fleet(*[80.0] * 2, policy=["a", "b"], start_h=[23.0, 2.0])
    plan = schedule(disks, scenario(), blackout=[(8, 18)], keep=["a", "b"])
    assert plan.policies["start"].tolist() == ["23:00", "02:00 +1"]
    last = plan.policies["last_finish_h"].max()
    assert plan.after["last_finish_h"] == last
    assert plan.policies["last_finish"].str.endswith("+1").all()
    assert plan.vms["done_p95_clock"].tolist() == plan.policies["last_finish"].tolist()


# --- every rule, by another program ---------------------------------------------


def random_case(seed):
    rng = np.random.default_rng(100 + seed)
    count = int(rng.integers(15, 40))
    disks = fleet(
        *rng.lognormal(4, 1, count),
        vault=rng.choice(["east", "west"], count),
        policy=rng.choice(["daily", "nightly"], count),
        managed=rng.random(count) < 0.6,
    )
    disks["storage_account"] = rng.choice(["s1", "s2", "s3"], count)
    disks["start_h"] = np.where(disks["policy"] == "daily", 23.0, 2.25)
    more = disks.sample(frac=0.4, random_state=seed).assign(disk="d1", role="data")
    disks = pd.concat([disks, more], ignore_index=True)
    settings = {
        "vault_servers": int(rng.integers(1, 6)),
        "start_slack_h": float(rng.choice([0, 1, 2])),
        "vault_vms": int(rng.integers(6, 20)),
        "policy_vms": int(rng.integers(4, 12)),
        "account_disks": int(rng.integers(5, 9)),
    }
    options = {
        "blackout": [(8, 18)] if seed % 2 else [(6.5, 9), (21.75, 0.5)],
        "keep": list(disks["vm"].unique()[:3]) if seed % 3 == 0 else [],
        "done_by_h": 17.5 if seed % 5 == 0 else None,
    }
    return disks, scenario("azure-2018-12", **settings), options


@pytest.mark.parametrize("seed", after(3, range(20)))
def test_no_plan_breaks_a_rule(seed):
    disks, given, options = random_case(seed)
    plan = schedule(disks, given, **options)
    rows = plan.vms.set_index("vm")
    assert sorted(rows.index) == sorted(disks["vm"].unique())
    kept = rows.loc[options["keep"]]
    assert (kept["start_h"] == kept["present_start_h"]).all()
    assert (kept["policy"] == kept["present_policy"]).all()
    free = rows.drop(options["keep"])
    slack_h = given["start_slack_h"]
    for start_h, present_h in zip(
        free["start_h"], free["present_start_h"], strict=True
    ):
        assert start_h in SLOTS or start_h == present_h
        for begin_h, end_h in options["blackout"]:
            assert not clashes(start_h, begin_h, end_h, slack_h)
    starts = rows.groupby(["vault", "start_h"]).size()
    pinned = Counter(zip(kept["vault"], kept["start_h"], strict=True))
    assert all(n <= max(given["vault_vms"], pinned[at]) for at, n in starts.items())
    assert rows.groupby(["vault", "policy"]).size().max() <= given["policy_vms"]
    starts = free[["vault", "policy", "start_h"]].drop_duplicates()
    assert not starts.duplicated(["vault", "policy"]).any()
    own = disks[~disks["managed"]]
    at = own["vm"].map(rows["start_h"])
    if rows["moved"].any():  # what stays is held against the schedules of each policy
        at_once = own.groupby(["storage_account", at]).size()
        assert at_once.max() <= given["account_disks"]
    broken = {entry.rule for entry in plan.broken_after}
    assert broken <= ({"blackout"} if options["keep"] else set()) | (
        {"done_by_h"} if options["done_by_h"] else set()
    )
    stuck = kept["start_h"].map(
        lambda hour: any(clashes(hour, *b, slack_h) for b in options["blackout"])
    )
    late = sum(entry.rule == "done_by_h" for entry in plan.broken_after)
    assert plan.after["broken_rules"] == stuck.sum() + late
    codes = {finding.rule.id for finding in check(plan.fleet, given).findings}
    assert not codes & {"vault-start", "account-schedule", "policy-vms"}


@pytest.mark.parametrize("served", [2, 100])
def test_done_by_holds_as_late_as_starts_may_be(served):
    disks = fleet(*[gib_for(0.4)] * 12)
    given = scenario(vault_servers=served)
    plan = schedule(disks, given, blackout=[(8, 18)], done_by_h=7)
    assert not plan.broken_after
    late = given.changed({"start_slack_reading": "latest"})
    rows = estimate(plan.fleet, late).vms
    assert ((rows["start_h"] - 18) % 24 + rows["done_p95_h"]).max() <= 13 + 1e-9


# --- what cannot be -------------------------------------------------------------


def test_too_many_vms_for_the_starts_are_counted():
    disks = fleet(*[10.0] * 120, vault="v1")
    given = scenario("azure-2018-12", start_slack_h=0)
    with pytest.raises(ValueError, match=r"20 of 120 VMs find no room.*vault_vms 100"):
        schedule(disks, given, blackout=[(23.5, 23)])


def test_too_many_disks_of_an_account_are_counted():
    disks = fleet(*[10.0] * 50, managed=False, storage_account="s1")
    given = scenario("azure-2018-12", start_slack_h=0)
    with pytest.raises(
        ValueError, match=r"10 of 50 VMs find no room.*account_disks 20"
    ):
        schedule(disks, given, blackout=[(0, 23)])


def test_the_slack_may_leave_no_start_at_all():
    with pytest.raises(ValueError, match=r"no start of the day.*start_slack_h"):
        schedule(fleet(10.0), scenario(), blackout=[(0, 23)])
    plan = schedule(fleet(10.0), scenario(start_slack_h=0), blackout=[(0, 23)])
    assert plan.vms["start_h"].tolist() == [23.0]


def test_a_backup_that_is_too_long_for_its_deadline_is_named():
    disks = fleet(10.0, gib_for(20))
    with pytest.raises(ValueError, match=r"v001 would be done \d+\.\d h after 08:00"):
        schedule(disks, scenario(), done_by_h=8)


def test_done_by_counts_from_the_end_of_the_blackout():
    disks = fleet(*[10.0] * 2)
    with pytest.raises(ValueError, match=r"v000 and 1 like it would be done 5\.\d h"):
        schedule(disks, scenario(), blackout=[(8, 18)], done_by_h=22)
    plan = schedule(disks, scenario(), blackout=[(8, 18)], done_by_h=5)
    assert plan.vms["start_h"].between(18, 19).all()
    assert not plan.broken_after


def test_all_problems_come_at_once():
    disks = fleet(gib_for(20), gib_for(21), vault=["a", "b"])
    with pytest.raises(ValueError, match="no schedule keeps all rules") as e:
        schedule(disks, scenario(), done_by_h=8)
    assert str(e.value).count("would be done") == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blackout": [(8, 8)]}, "two different hours"),
        ({"blackout": [(8, 25)]}, "two different hours"),
        ({"blackout": [(8, math.nan)]}, "two different hours"),
        ({"blackout": [(24, 8)]}, "two different hours"),
        ({"blackout": [(-1, 8)]}, "two different hours"),
        ({"blackout": [(8, -1)]}, "two different hours"),
        ({"done_by_h": 25}, "done_by_h must be"),
        ({"done_by_h": -1}, "done_by_h must be"),
        ({"keep": ["v00"]}, "did you mean 'v000'"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        schedule(fleet(10.0), scenario(), **options)


# --- what is at the edge ----------------------------------------------------------


def test_one_vm_that_is_well_stays_where_it_is():
    plan = schedule(fleet(10.0, start_h=12.0), scenario())
    assert plan.vms["start_h"].tolist() == [12.0]
    assert not plan.vms["moved"].any()
    assert plan.policies["todo"].tolist() == ["keep"]


@pytest.mark.parametrize(
    "disks",
    [
        fleet(10.0, excluded=True),
        fleet(
            9.0,
            8.0,
            vm="v",
            disk=["os", "d"],
            role=["os", "temp"],
            excluded=[True, None],
        ),
    ],
)
def test_nothing_to_back_up_is_an_empty_plan(disks):
    plan = schedule(disks, scenario(), blackout=[(8, 18)])
    assert plan.vms.empty
    assert plan.policies.empty
    assert plan.after["beyond_vms"] == 0
    assert plan.to_dict()["vms"] == []


def test_starts_between_half_hours_stay_if_they_are_to():
    disks = fleet(10.0, 10.0, start_h=23.25, policy=["p", "q"])
    plan = schedule(disks, scenario(), keep=["p"])
    assert plan.vms.loc[0, "start_h"] == 23.25
    assert plan.vms.loc[1, "start_h"] == 23.25
    assert plan.after["moved_vms"] == 0


def test_a_kept_policy_stays_whole_and_counts():
    disks = fleet(*[gib_for(0.5)] * 4, policy=["p", "p", "q", "q"])
    disks["start_h"] = [22.0, 22.0, 23.5, 23.5]
    given = scenario(vault_servers=2, start_slack_h=0)
    plan = schedule(disks, given, keep=["p"], blackout=[(23, 22)])
    assert plan.vms["start_h"].tolist() == [22, 22, 22.5, 22.5]
    assert plan.policies["policy"].tolist() == ["p", "q"]
    assert plan.policies["todo"].tolist() == ["keep", "change start"]


def test_policies_are_copied_by_start_and_no_larger_than_allowed():
    disks = fleet(*[gib_for(0.5)] * 6, policy="gold", start_h=22.0)
    given = scenario(policy_vms=2, start_slack_h=0)
    plan = schedule(disks, given, blackout=[(23, 22)])
    table = plan.policies
    assert table["vms"].max() <= 2
    assert set(table["policy"]) == {"gold", "gold-2200", "gold-2200-2"}
    assert plan.vms.groupby("policy")["start_h"].nunique().eq(1).all()


def test_planning_twice_changes_nothing():
    disks = fleet(*map(gib_for, [0.2, 0.4, 0.4, 0.7, 1.3, 1.3]), policy=list("ppqqqq"))
    given = scenario(vault_servers=2)
    first = schedule(disks, given, blackout=[(4, 21)])
    second = schedule(first.fleet, given, blackout=[(4, 21)])
    assert first.after["moved_vms"] > 0
    assert second.after["moved_vms"] == 0
    assert second.policies["todo"].eq("keep").all()


def test_vaults_that_share_an_account_share_its_limit():
    disks = fleet(
        *[10.0] * 8, vault=["a", "b"] * 4, managed=False, storage_account="s1"
    )
    given = scenario(account_disks=2, start_slack_h=0)
    plan = schedule(disks, given, blackout=[(1, 23)])
    assert sorted(Counter(plan.vms["start_h"]).values()) == [2, 2, 2, 2]


def test_hours_that_clash_go_round_midnight():
    for start_h in SLOTS:
        assert bool(clear_of(start_h, ((22, 6),), 2)) != clashes(start_h, 22, 6, 2)


@pytest.mark.parametrize(
    ("blackout", "done_by_h", "origin_h", "within_h"),
    [
        ((), None, 12, math.inf),
        ((), 7.0, 7, 24),  # a day later
        ((), 0.0, 0, 24),
        ((), 24.0, 24, 24),
        (((8, 18),), 7.0, 18, 13),
        (((22, 6), (8, 18)), None, 18, math.inf),  # of 8 and of 10 hours
        (((22, 7), (8, 16)), 8.0, 7, 1),  # of 9 and of 8 hours
        (((0, 24),), 1.0, 24, 1),  # the whole of a day is the longest
    ],
)
def test_a_day_of_backups_begins_behind_the_longest_blackout(
    blackout, done_by_h, origin_h, within_h
):
    rules = Rules.of(scenario(), blackout, done_by_h)
    assert (rules.origin_h, rules.within_h) == (origin_h, within_h)
    assert rules.from_origin_h(origin_h + 1.5) == 1.5
    assert rules.later_h(origin_h + 1.5, origin_h + 0.5) == 1
    assert rules.later_h(origin_h + 0.5, origin_h + 1.5) == 0
    assert rules.of_the_night(origin_h % 24) == origin_h % 24
    assert rules.of_the_night((origin_h - 1) % 24) == origin_h % 24 + 23


def renamed(*vms, most=None):
    """Name policies of VMs, each given as its start before and after, and if kept."""
    rows = pd.DataFrame(vms, columns=["present_start_h", "start_h", "keep"])
    rows = rows.assign(vault="v", present_policy="gold")
    return named(rows, most).tolist()


def test_who_keeps_the_name_of_a_policy_and_who_follows_a_copy():
    stay, go = (22.0, 22.0, False), (22.0, 23.5, False)
    kept = (22.0, 22.0, True)
    # those who stay, be they few; then the most; and whoever has to stay in any case
    assert renamed(stay, go, go) == ["gold", "gold-2330", "gold-2330"]
    one = (22.0, 1.0, False)
    assert renamed(one, go, go) == ["gold-0100", "gold", "gold"]
    assert renamed(go, go, kept) == ["gold-2330", "gold-2330", "gold"]
    # of up to two: copies are numbered, and who is kept takes of the room
    copies = ["gold-2330", "gold-2330", "gold-2330-2"]
    assert renamed(stay, *[go] * 3, most=2) == ["gold", *copies]
    assert renamed(*[stay] * 3, most=2) == ["gold", "gold", "gold-2200"]
    assert renamed(kept, stay, stay, most=2) == ["gold", "gold", "gold-2200"]
    assert renamed(kept, kept, stay, most=1) == ["gold", "gold", "gold-2200"]


def test_a_plan_that_is_as_good_within_its_tolerance_is_not_given_up():
    now = Value(0, 0.5, 20.0, 1, 0, 0)
    for better, taken in (
        (now._replace(expected_misses=0.4951), 0),  # by one in a hundred
        (now._replace(expected_misses=0.4949), 1),
        (now._replace(finish_h=19.51), 0),  # by three minutes for each of ten VMs
        (now._replace(finish_h=19.49), 1),
        (now._replace(broken_rules=-1), 1),
        (now._replace(policies=0), 1),
        (now._replace(moved_vms=-1), 1),
        (now._replace(beyond_vms=-1), 1),
    ):
        assert best([now, better], vms=10) == taken, better
    rare = now._replace(expected_misses=0.0015)
    for less, taken in ((0.00051, 0), (0.00049, 1)):
        assert best([rare, rare._replace(expected_misses=less)], vms=10) == taken
    # of a tenth of all VMs, a tenth of that matters
    assert best([rare, rare._replace(expected_misses=0.0013)], 1, share=0.1) == 1
    # what comes first counts first
    assert best([now, Value(1, 0.0, 0.0, 0, 0, 0)], vms=10) == 0
    assert best([now, now._replace(finish_h=0.0, expected_misses=0.6)], vms=10) == 0
