"""`vmbmodel.plan.schedule`: against all plans of tiny fleets, and rule by rule."""

import itertools
import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from vmbmodel.plan.check.answer import check
from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.scenario import Scenario
from vmbmodel.plan.schedule.answer import schedule
from vmbmodel.plan.schedule.program import AIMS

SLOTS = [k / 2 for k in range(48)]

HOURS = (  # the wait of all hours alike, and one that grows in the night
    {"peak_reading": "quantile"},
    {"deadline_h": 5},
    {"peak_reading": "quantile", "deadline_h": 9},
)


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
    # the wait for other customers the same at all hours
    return Scenario.of(profile, settings={"peak_reading": "quantile"} | settings)


def alone(disks, given):
    """Estimate VMs each of which has a vault of its own."""
    return estimate(disks.assign(vault=disks["vm"]), given).vms


def clashes(start_h, begin_h, end_h, slack_h):
    """Say, minute by minute, whether a start may fall into the hours."""
    minutes = range(round(start_h * 60), round((start_h + slack_h) * 60) + 1)
    if slack_h:
        minutes = minutes[:-1]  # as late as it may be is just not too late
    length = (end_h - begin_h) % 24 or 24
    return any((m / 60 - begin_h) % 24 < length for m in minutes)


def at_work(job_h, start_h):
    """Count jobs by half-hour, one of them after the other."""
    cells = Counter()
    for job, start in zip(job_h, start_h, strict=True):
        first, last = math.floor(start * 2), math.ceil(start * 2 + job * 2 - 1e-9)
        cells.update(k % 48 for k in range(first, last) if job > 0)
    return [cells[k] for k in range(48)]


def line_misses(job_h, start_h, served, more):
    """Misses in line: wave after wave, behind what half-hours hand on."""
    mean = sum(job_h) / len(job_h)
    slots = sum(math.ceil(2 * job - 1e-9) for job in job_h) / len(job_h)
    work = [0.0] * 48
    for job, start in zip(job_h, start_h, strict=True):
        for k in range(48):
            after = (k / 2 - start) % 24
            work[k] += min(max(job - after, 0), 0.5) / 0.5
    carried, total = 0.0, 0.0
    loads = at_work(job_h, start_h)
    for day in range(2):
        for k in range(48):
            line, place = loads[k] + carried * 0.5 / mean, 0
            while place < line:
                wave = int(place // served)
                total += day * min(line - place, 1) * more[k][wave]
                place += 1
            carried = max(carried + work[k] - served, 0)
    return total / slots


def outcome(rows, starts, slack_h, served, origin_h, more):
    """Give the five aims of one plan of one vault, from the rows of VMs by hour."""
    vms = [rows[start][i] for i, start in enumerate(starts)]
    job_h = [vm["transfer_h"] for vm in vms]
    late_h = [job + slack_h for job in job_h]
    done = np.array([vm["backup_p95_h"] for vm in vms]) + slack_h
    misses = sum(1 - vm["deadline_prob"] for vm in vms)
    return (
        misses + line_misses(job_h, starts, served, more),
        max(at_work(job_h, starts)),
        max(at_work(late_h, starts)),
        max(done + (starts - origin_h) % 24),
        sum(starts != 23.0),
    )


@pytest.mark.parametrize("seed", range(10))
def test_the_best_of_all_plans_is_found(seed):
    rng = np.random.default_rng(seed)
    count, slack_h = int(rng.integers(2, 5)), float(rng.choice([0, 0.5, 2]))
    served, most = int(rng.integers(1, 3)), int(rng.integers(2, 5))
    open_h = rng.choice([1.5, 2.0]) if count < 4 else 1.5  # from 22:00 on
    disks = fleet(*(gib_for(h) for h in rng.choice([0.2, 0.5, 0.7, 1.2], count)))
    settings = {"vault_servers": served, "start_slack_h": slack_h, "vault_vms": most}
    settings |= HOURS[seed % len(HOURS)]
    given = scenario(**settings)
    hours = ((22 + open_h + slack_h) % 24, 22)
    plan = schedule(disks, given, blackout=[hours])
    free = [h for h in SLOTS if not clashes(h, *hours, slack_h)]
    assert 3 <= len(free) <= 6
    mean_h = alone(disks, given)["transfer_h"].mean()
    deadline_h = given["deadline_h"]
    by_hour = pd.concat(
        disks.assign(vm=f"{h} " + disks["vm"], start_h=h) for h in SLOTS
    )
    waves = [
        alone(
            by_hour, given.changed({"deadline_h": max(deadline_h - mean_h * wave, 0)})
        )
        for wave in range(4 * count)
    ]
    misses = [
        1 - wave["deadline_prob"].to_numpy().reshape(-1, count).mean(axis=1)
        for wave in waves
    ]
    more = np.array(misses) - misses[0]
    more = (more + 1e-9 * mean_h * np.arange(len(waves))[:, np.newaxis]).T
    records = waves[0].to_dict("records")
    rows = {h: records[k * count : (k + 1) * count] for k, h in enumerate(SLOTS)}
    every = [
        outcome(rows, np.array(starts), slack_h, served, 22, more)
        for starts in itertools.product(free, repeat=count)
        if max(Counter(starts).values()) <= most
    ]
    chosen = plan.vms["start_h"].to_numpy()
    mine = outcome(rows, chosen, slack_h, served, 22, more)
    for aim, near in enumerate([2e-6, 0, 0, 1e-6, 0]):
        least = min(values[aim] for values in every)
        assert mine[aim] <= least + near
        every = [values for values in every if values[aim] <= least + near]
    assert [aim.value for aim in plan.aims] == pytest.approx(mine, rel=2e-6, abs=1e-9)
    assert all(aim.gap == 0 for aim in plan.aims)


@pytest.mark.parametrize("seed", range(3))
def test_where_nobody_has_to_wait_no_plan_has_fewer_misses(seed):
    rng = np.random.default_rng(seed)
    hours = rng.choice([0.3, 0.5, 0.9], 3)
    disks = fleet(*map(gib_for, hours), start_h=23.0)
    given = scenario(vault_servers=1, start_slack_h=0)
    plan = schedule(disks, given, blackout=[(1.5, 22)])
    free = [22, 22.5, 23, 23.5, 0, 0.5, 1]
    every = pd.concat(  # each plan in a vault of its own
        disks.assign(vm=f"{starts} " + disks["vm"], vault=str(starts), start_h=starts)
        for starts in itertools.product(map(float, free), repeat=3)
    )
    misses = 1 - estimate(every, given).vms["deadline_prob"]
    least = misses.to_numpy().reshape(-1, 3).sum(axis=1).min()
    assert plan.after["expected_misses"] == pytest.approx(least, rel=1e-9)
    assert plan.after["wait_mean_h"] < plan.before["wait_mean_h"]


def test_a_jam_of_equal_jobs_ends_in_the_waves_of_the_article():
    # 12 jobs of half an hour, 2 served: in 6 starts of 2 nobody waits
    disks = fleet(*[gib_for(0.5)] * 12)
    given = scenario(vault_servers=2, start_slack_h=0)
    plan = schedule(disks, given, blackout=[(1, 22)])
    assert Counter(plan.vms["start_h"]) == dict.fromkeys(
        [22.0, 22.5, 23.0, 23.5, 0.0, 0.5], 2
    )
    assert plan.after["peak_vms"] == 2
    assert plan.after["moved_vms"] == 10
    assert plan.before["peak_vms"] == 12


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
        "method": "quick" if seed % 4 == 0 else "exact",
        "done_by_h": 17.0 if seed % 5 == 0 else None,
        "seconds": 1,
    }
    return disks, scenario("azure-2018-12", **settings), options


@pytest.mark.parametrize("seed", range(20))
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
    for start_h in free["start_h"]:
        assert start_h in SLOTS
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
    assert own.groupby(["storage_account", at]).size().max() <= given["account_disks"]
    if options["done_by_h"] is not None:
        single = alone(disks.assign(storage_account=disks["vm"]), given)
        done_h = single.set_index("vm").loc[free.index, "backup_p95_h"] + slack_h
        origin_h = options["blackout"][-1][1]  # the longest is the last here
        late = (free["start_h"] - origin_h) % 24 + done_h
        assert (late <= (17 - origin_h) % 24).all()
    broken = {entry.rule for entry in plan.broken_after}
    assert broken <= ({"blackout"} if options["keep"] else set()) | (
        {"done_by_h"} if options["done_by_h"] else set()
    )
    assert plan.after["broken_rules"] == len(plan.broken_after)
    for aim in plan.aims:
        assert 0 <= aim.bound <= aim.value
        assert aim.gap == pytest.approx((aim.value - aim.bound) / aim.value, abs=2e-6)
    again = estimate(plan.fleet, given)
    assert again.total["expected_misses"] == plan.after["expected_misses"]
    codes = {finding.rule.id for finding in check(plan.fleet, given).findings}
    assert not codes & {"vault-start", "account-schedule", "policy-vms"}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_exact_plan_is_no_worse_than_the_quick_one(seed):
    disks, given, options = random_case(seed)
    values = []
    for method in ("exact", "quick"):
        plan = schedule(disks, given, **options | {"method": method, "seconds": 10})
        values.append([aim.value for aim in plan.aims[:3]])  # those it has time for
    for exact, quick in zip(*values, strict=True):
        if not math.isclose(exact, quick, rel_tol=1e-5, abs_tol=1e-5):
            assert exact < quick
            break


# --- what cannot be -------------------------------------------------------------


def test_too_many_vms_for_the_starts_are_counted():
    disks = fleet(*[10.0] * 120, vault="v1")
    given = scenario("azure-2018-12", start_slack_h=0)
    with pytest.raises(
        ValueError, match="120 VMs to place in 1 starts of up to 100"
    ) as e:
        schedule(disks, given, blackout=[(23.5, 23)])
    assert "20 find no room" in str(e.value)


def test_too_many_disks_of_an_account_are_counted():
    disks = fleet(*[10.0] * 50, managed=False, storage_account="s1")
    given = scenario("azure-2018-12", start_slack_h=0)
    with pytest.raises(ValueError, match="storage account s1, 10 disks find no start"):
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
    with pytest.raises(ValueError, match=r"v000 and 1 like it would be done 6\.\d h"):
        schedule(disks, scenario(), blackout=[(8, 18)], done_by_h=22)
    plan = schedule(disks, scenario(), blackout=[(8, 18)], done_by_h=5)
    assert plan.vms["start_h"].isin([18.0, 18.5]).all()


def test_all_problems_come_at_once():
    disks = fleet(*[gib_for(20)] * 2, vault=["a", "b"])
    with pytest.raises(ValueError, match="no schedule keeps all rules") as e:
        schedule(disks, scenario(), done_by_h=8)
    assert str(e.value).count("would be done") == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blackout": [(8, 8)]}, "two different hours"),
        ({"blackout": [(8, 25)]}, "two different hours"),
        ({"blackout": [(8, math.nan)]}, "two different hours"),
        ({"done_by_h": 25}, "done_by_h must be"),
        ({"peak_vms": math.inf}, "peak_vms must be"),
        ({"method": "luck"}, "method must be one of"),
        ({"seconds": 0}, "seconds must be"),
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
    assert plan.after["peak_vms"] == 0
    assert plan.to_dict()["vms"] == []


def test_vms_without_a_change_and_vms_without_an_end():
    disks = fleet(0.0, 0.0, 4000.0, churn_gib_per_day=[0.0, 0.0, 4000.0])
    plan = schedule(disks, scenario(incremental_mib_s=1e-300), blackout=[(8, 18)])
    assert len(plan.vms) == 3
    assert plan.after["expected_misses"] >= 1


def test_a_vault_with_more_than_a_day_s_work_is_planned_all_the_same():
    disks = fleet(*[gib_for(6)] * 9)
    plan = schedule(disks, scenario(vault_servers=1), blackout=[(8, 18)])
    assert plan.after["expected_misses"] == plan.before["expected_misses"] == 9


def test_starts_between_half_hours_stay_if_they_are_to():
    disks = fleet(10.0, 10.0, start_h=23.25, policy=["p", "q"])
    plan = schedule(disks, scenario(), keep=["p"])
    assert plan.vms.loc[0, "start_h"] == 23.25
    assert plan.vms.loc[1, "start_h"] in SLOTS


def test_a_kept_policy_stays_whole_and_counts():
    disks = fleet(*[gib_for(0.5)] * 4, policy=["p", "p", "q", "q"], start_h=22.0)
    given = scenario(vault_servers=2, start_slack_h=0)
    plan = schedule(disks, given, keep=["p"], blackout=[(23, 22)])
    assert plan.vms["start_h"].tolist() == [22, 22, 22.5, 22.5]
    assert plan.policies["policy"].tolist() == ["p", "q"]
    assert plan.policies["todo"].tolist() == ["keep", "change start"]


def test_policies_are_copied_by_start_and_no_larger_than_allowed():
    disks = fleet(*[gib_for(0.5)] * 6, policy="gold", start_h=22.0)
    given = scenario(policy_vms=2, start_slack_h=0)
    plan = schedule(disks, given, blackout=[(23, 22)], peak_vms=3)
    table = plan.policies
    assert table["vms"].max() <= 2
    assert set(table["policy"]) >= {"gold", "gold-2200", "gold-2230"}
    assert plan.vms.groupby("policy")["start_h"].nunique().eq(1).all()


def test_planning_twice_changes_nothing():
    disks = fleet(*map(gib_for, [0.2, 0.4, 0.4, 0.7, 1.3, 1.3]), policy=list("ppqqqq"))
    given = scenario(vault_servers=2)
    first = schedule(disks, given, blackout=[(4, 21)])
    second = schedule(first.fleet, given, blackout=[(4, 21)])
    assert first.after["moved_vms"] > 0
    assert second.after["moved_vms"] == 0
    assert second.policies["todo"].eq("keep").all()


def test_no_time_at_all_makes_nothing_worse():
    disks, given, options = random_case(2)
    first = schedule(disks, given, **options)
    again = schedule(first.fleet, given, **options | {"seconds": 1e-9})
    for before, after in zip(first.aims[:4], again.aims[:4], strict=True):
        if not math.isclose(before.value, after.value, rel_tol=1e-5):
            assert after.value < before.value
            break


def test_few_enough_at_a_time_makes_for_fewer_policies():
    disks = fleet(*[gib_for(0.4)] * 20)
    tight = schedule(disks, scenario(), blackout=[(8, 18)])
    loose = schedule(disks, scenario(), blackout=[(8, 18)], peak_vms=10)
    assert loose.after["policies"] < tight.after["policies"]
    assert loose.after["peak_vms"] <= 10
    assert loose.after["expected_misses"] == tight.after["expected_misses"]


def test_vaults_that_share_an_account_share_its_limit():
    disks = fleet(
        *[10.0] * 8, vault=["a", "b"] * 4, managed=False, storage_account="s1"
    )
    given = scenario(account_disks=2, start_slack_h=0)
    plan = schedule(disks, given, blackout=[(1, 23)])
    assert sorted(Counter(plan.vms["start_h"]).values()) == [2, 2, 2, 2]


def test_hours_that_clash_go_round_midnight():
    hours = ((22, 6),)
    for start_h in SLOTS:
        clear = _slots_clear(start_h, hours)
        assert clear != clashes(start_h, 22, 6, 2)


def _slots_clear(start_h, hours):
    from vmbmodel.plan.schedule.rules import clear_of

    return bool(clear_of(start_h, hours, 2))


def test_bounds_of_many_vms_are_stated():
    rng = np.random.default_rng(0)
    disks = fleet(*rng.lognormal(2, 1, 2100), vault=rng.choice(list("abcde"), 2100))
    plan = schedule(disks, scenario(), blackout=[(8, 18)], seconds=5)
    assert plan.method == "quick"
    assert len(plan.vms) == 2100
    by_name = {aim.aim: aim for aim in plan.aims}
    assert list(by_name) == list(AIMS)
    assert by_name["expected_misses"].gap < 0.01
    assert by_name["peak_vms"].gap < 0.2
