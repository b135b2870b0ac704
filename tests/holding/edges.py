"""Plans where a figure stands at an edge."""

import dataclasses
import datetime
import functools
import itertools
import json
import math
from unittest import mock

import numpy as np
import pandas as pd

import vmbmodel as vm
from vmbmodel.plan.saved import Inputs
from vmbmodel.plan.scenario import Scenario

from .advice import DAYS, crowded_fleet
from .cases import answered, case
from .estimates import SAID_ONCE, answer_of, by_hour, edited, estimated
from .fleets import crowd, disk, edge_fleet, small, some
from .records import (
    a_bill,
    a_life,
    job_log,
    logged,
    spread_over_hours,
    total_times,
    with_firsts,
)


def lengths(vms, churn=3.0, of=0, **cells):
    """Return VMs of one policy that each take another time, named from a number on."""
    cells |= {"size": 4096, "used": 3000, "dispersion": 0}
    return pd.DataFrame(
        disk(f"l{n:03}", churn_gib_per_day=churn * n, **cells)
        for n in range(of + 1, of + vms + 1)
    )


def tried(fleet, scenario, **how):
    """Return a plan, and what was estimated on the way to it."""
    from vmbmodel.plan.schedule import answer, search

    values, asked, steps = [], [], []
    value, law = search.Value, answer.backup

    def valued(*aims):
        values.append(aims)
        return value(*aims)

    @functools.wraps(law)
    def estimated(columns, *arguments, **settings):
        asked.append(len(columns["start_h"]))
        return law(columns, *arguments, **settings)

    def progress(*step):
        steps.append(step)

    with (
        mock.patch.object(search, "Value", valued),
        mock.patch.object(answer, "backup", estimated),
    ):
        plan = answered(vm.schedule, fleet, scenario, progress=progress, **how)
    # how many run at an hour at which one ends hangs on the last digit of that end
    without = {*SAID_ONCE, "running", *(["vms"] if len(fleet) > 40 else [])}
    said = {"plan": plan if isinstance(plan, str) else answer_of(plan, without)}
    sums = np.sum(values, axis=0) if values else []
    return said | {
        "tried": [len(values), *sums],
        "estimated": [len(asked), sum(asked)],
        "steps": steps,
    }


def in_accounts():
    """Return VMs of two vaults and two policies whose disks share an account."""
    fleet = pd.concat(
        [
            lengths(4, vault="v", policy="p", start_h=22, churn=9.0),
            lengths(4, vault="w", policy="q", start_h=22.5, churn=9.0, of=4),
            pd.DataFrame([disk("l007", "data", 90, 50, vault="w", policy="q")]),
        ]
    )
    return fleet.assign(
        managed=False, storage_account=np.where(fleet.index % 4 < 3, "one", "two")
    )


def between_half_hours():
    """Return VMs that start at hours of which a policy of half-hours has none."""
    hours = (22.25, 22.25, 3.1, 9.75)
    return lengths(4, vault="v", churn=30.0).assign(
        start_h=hours, policy=["p", "p", "q", "r"]
    )


def alike():
    """Return VMs of one vault of which three are alike."""
    fleet = lengths(5, vault="v", policy="p", start_h=23, churn=40.0)
    fleet["churn_gib_per_day"] = [120.0, 120.0, 120.0, 60.0, 200.0]
    return fleet


def with_two_lengths():
    """Return VMs of which one is done in time only if it starts first."""
    fleet = lengths(4, vault="v", policy="p", start_h=23, churn=9.0)
    fleet["churn_gib_per_day"] = [500.0, 1.0, 1.0, 1.0]
    return fleet


_AT_ONCE = {"start_slack_reading": "none", "others_wait_mean_h": 0.0}
TRIED = {
    "midnight": (
        lambda: lengths(26, vault="v", policy="p", start_h=22, churn=12.0),
        _AT_ONCE | {"vault_servers": 2},
        {"blackout": [(6, 21.5)]},
    ),
    "midnight, limited": (
        lambda: lengths(18, vault="v", policy="p", start_h=23.5, churn=12.0),
        _AT_ONCE | {"vault_servers": 1, "vault_vms": 1, "policy_vms": 5},
        {"blackout": [(9, 20)], "keep": ["l003"]},
    ),
    "thirteen": (
        lambda: lengths(13, vault="v", policy="p", start_h=1.0, churn=20.0),
        {"vault_servers": 3, "deadline_h": 3},
        {"blackout": [(5, 23)], "done_by_h": 12},
    ),
    "twelve": (
        lambda: lengths(12, vault="v", start_h=1.0, churn=20.0).assign(
            policy=["p", "q", "r"] * 4
        ),
        {"vault_servers": 2, "deadline_h": 2.5, "start_slack_reading": "none"},
        {"blackout": [(2.5, 23)]},
    ),
    "in accounts": (
        in_accounts,
        {"account_disks": 3, "vault_servers": 2, "start_slack_h": 0.5},
        {"blackout": [(1.5, 21.5)]},
    ),
    "no room at full hours": (
        lambda: lengths(4, vault="v", start_h=1.0, churn=9.0),
        _AT_ONCE | {"vault_servers": 2, "vault_vms": 1},
        {"blackout": [(2, 24)]},
    ),
    "between half-hours": (
        between_half_hours,
        {"vault_servers": 1, "start_slack_h": 0.5, "deadline_h": 5},
        {"blackout": [(3.5, 22)], "done_by_h": 9.5},
    ),
    "alike": (
        alike,
        _AT_ONCE | {"vault_servers": 1, "deadline_h": 2},
        {"blackout": [(1, 22.5)]},
    ),
    "alike, without a line": (
        alike,
        {"vault_servers": 9, "eight_hours": "overload", "deadline_h": 9},
        {"blackout": [(2, 20)], "keep": ["l004"]},
    ),
    "too much for the night": (
        lambda: lengths(14, vault="v", policy="p", start_h=23, churn=20.0),
        _AT_ONCE | {"vault_servers": 1},
        {"blackout": [(0, 22.5)]},
    ),
    "apart": (
        with_two_lengths,
        _AT_ONCE | {"vault_servers": 1},
        {"blackout": [(0, 22.5)], "done_by_h": 3.5},
    ),
    "in one pool": (
        lambda: lengths(2, vault="v", policy="p", start_h=22, churn=30.0),
        {"eight_hours": "overload", "line_reading": "one-pool", "deadline_h": 9},
        {"blackout": [(3, 24)]},
    ),
    "many": (
        lambda: lengths(160, vault="v", policy="p", start_h=22, churn=1.0),
        {"vault_servers": 8, "deadline_h": 6},
        {"blackout": [(6, 20)], "keep": ["l010", "l011"]},
    ),
}


def of_tried(fleet, settings, how):
    """Return a plan, and what was estimated on the way to it."""
    return lambda: tried(fleet(), Scenario.of(settings=settings), **how)


for _name, (_fleet, _settings, _how) in TRIED.items():
    case(f"tried/{_name}")(of_tried(_fleet, _settings, _how))


@case("tried/of many lengths")
def _():
    scenario = by_hour().changed({"vault_servers": 99, "deadline_h": 3})
    fleet = lengths(70, vault="v", start_h=22.5, churn=4.0).assign(
        policy=["p", "q"] * 35
    )
    return {
        f"{done}": tried(fleet, scenario, blackout=[(6, 20)], done_by_h=done)
        for done in (None, 9.0)
    }


# of logs that are odd in one way


def _slowed(log, phase="transfer_h", by=0.0):
    return log.assign(**{phase: log[phase] + by, "job_h": log["job_h"] + by})


def _shuffled(log, column, by=7):
    backup = log["operation"] == "Backup"
    return log.assign(**{column: log[column].where(~backup, np.roll(log[column], by))})


def _with_large_firsts():
    log = with_firsts(job_log(nights=9, vms=10, phases=False))
    first = (log["operation"] == "Backup") & ~log["vm"].where(
        log["operation"] == "Backup"
    ).duplicated()
    return log.assign(
        moved_gib=log["moved_gib"].where(~first, log["moved_gib"] * 30),
        job_h=log["job_h"].where(~first, log["job_h"] * 30),
    )


def _restores(count=30, **columns):
    log = job_log(nights=count, vms=1, phases=False).iloc[:count]
    return log.assign(operation="Restore", **columns)


ODD_LOGS = {
    "one hour each, mostly": lambda: logged(
        spread_over_hours(job_log(nights=10), vary=False).assign(
            start_time=lambda log: (
                log["start_time"]
                + pd.to_timedelta(np.where(log.index % 20 == 3, 4, 0), unit="h")
            )
        )
    ),
    "small moves": lambda: logged(
        job_log(nights=9, vms=4).assign(moved_gib=lambda log: log["moved_gib"] / 40)
    ),
    "restores of a size and its double": lambda: logged(
        _restores(
            moved_gib=lambda log: 9.0 + 9.0 * (log.index % 2),
            transfer_h=lambda log: 0.1 + log["moved_gib"] / 50,
            job_h=lambda log: 0.2 + log["moved_gib"] / 50,
        )
    ),
    "nights enough": lambda: logged(job_log(nights=26, vms=4)),
    "nights enough, totals": lambda: logged(job_log(nights=24, vms=3, phases=False)),
    "nights that differ": lambda: logged(
        _shuffled(job_log(nights=24, vms=3), "wait_h", by=1).assign(
            wait_h=lambda log: log["wait_h"] * (1 + 9 * (log.index > 48)),
            job_h=lambda log: log["job_h"] + 9 * log["wait_h"] * (log.index > 48),
        )
    ),
    "one half-hour": lambda: logged(
        job_log(nights=9, vms=4).assign(
            start_time=lambda log: (
                log["start_time"].dt.floor("D") + pd.Timedelta("22h25min")
            )
        )
    ),
    "nothing beside": lambda: logged(
        job_log(nights=9, vms=4).assign(
            job_h=lambda log: log["wait_h"] + log["transfer_h"]
        )
    ),
    "all wait": lambda: logged(_slowed(job_log(nights=9, vms=4), "wait_h", 0.5)),
    "transfers at random": lambda: logged(
        _shuffled(_slowed(job_log(nights=9, vms=4), by=1.0), "moved_gib")
    ),
    "without sizes": lambda: logged(total_times().assign(moved_gib=np.nan)),
    "few sizes": lambda: logged(
        total_times().assign(
            moved_gib=lambda log: log["moved_gib"].where(log.index < 19)
        )
    ),
    "sizes just enough": lambda: logged(
        total_times().assign(
            moved_gib=lambda log: log["moved_gib"].where(log.index < 20)
        )
    ),
    "short waits": lambda: logged(
        total_times().assign(
            job_h=lambda log: log["job_h"] * 0.2 + 0.9 + log["moved_gib"] / 90
        )
    ),
    "large firsts": lambda: logged(_with_large_firsts()),
    "large firsts that tell nothing": lambda: logged(
        _with_large_firsts().assign(job_h=job_log(9, 10)["job_h"].mean())
    ),
    "crowded nights": lambda: logged(
        job_log(nights=9, vms=6).loc[
            lambda log: (log["vm"] < "v4") | (log.index % 12 < 6)
        ]
    ),
    "restores at random": lambda: logged(
        _restores(transfer_h=lambda log: np.roll(log["moved_gib"], 5) / 70)
    ),
    "restores, slow to begin": lambda: logged(
        _restores(
            transfer_h=lambda log: 0.4 + log["moved_gib"] / 70,
            job_h=lambda log: 0.6 + log["moved_gib"] / 60,
        )
    ),
    "restores of one size": lambda: logged(_restores(moved_gib=9.0)),
    "restores, eight": lambda: logged(
        _restores(8, transfer_h=lambda log: log["moved_gib"] / 80)
    ),
    "restores, faster than a blob": lambda: logged(
        _restores(
            transfer_h=lambda log: log["moved_gib"] / 400,
            job_h=lambda log: log["moved_gib"] / 400,
        ),
        vm.profile("azure-2026-01").modified(blob_mib_s=20.0),
    ),
    "restores, steady": lambda: logged(
        _restores(job_h=lambda log: 0.3 + log["moved_gib"] / 50 + log["job_h"] / 99)
    ),
}

for _name, _give in ODD_LOGS.items():
    case(f"logs/{_name}")(_give)


@case("logs/of many restores")
def _():
    from vmbmodel.plan.calibrate import fits

    with mock.patch.object(fits, "MOST_PAIRED", 25):
        return logged(_restores(40, job_h=lambda log: 0.3 + log["moved_gib"] / 50))


# checks, bills and estimates


@case("plan/check in words")
def _():
    zero = crowd(3, vault="v", start_h=22, policy="p")
    fleets = {
        "crowded": crowded_fleet(),
        "sample": vm.sample_fleet(),
        "one start": zero,
        "one start known": pd.concat([zero, crowd(1).assign(vm="x", start_h=np.nan)]),
        "two starts": zero.assign(start_h=[22, 22, 21.5]),
        "one": zero[:1],
        "in one account": zero.assign(managed=False, storage_account="one"),
        "sizes": pd.DataFrame(
            [
                disk("at", size=s, used=9, churn_gib_per_day=s / 40, write_kib=8)
                for s in (4095, 8000, 8192, 32767, 32768, 65536)
            ]
        ).assign(vm=list("abcdef")),
    }
    found, limits = {}, {"vault_vms": 2, "policy_vms": 3}
    for name, fleet in fleets.items():
        for day in (DAYS[1], DAYS[3]):
            when = datetime.date.fromisoformat(day)
            settings = limits if name == "one start" else {}
            told = vm.check(fleet, Scenario.of(settings=settings), when)
            found[f"{name} {day}"] = {
                "worst": told.worst(),
                "count": told.count(),
                "said": told.said(),
                "rules": told.rules_said(),
                "nothing": told.nothing_said(),
                "needs": told.needs_said(),
                "broken": [(f.rule.id, f.place) for f in told.findings][:12],
            }
    early = Scenario.of(limits="2015-09", settings={"vault_protected_vms": 2})
    told = vm.check(zero, early, datetime.date.fromisoformat(DAYS[0]))
    own = vm.check(zero, by_hour()).to_dict()["model"]
    return found | {
        "protected": [f.place for f in told.findings],
        "sets": {name: list(of) for name, of in own.items()},
    }


@case("plan/bills at the edges")
def _():
    bill, nothing = a_bill(), small().assign(excluded=True)
    meters = {f"Meter {n}": (-1.0) ** n * n for n in range(1, 13)}
    covered = {"2026-01": 1.0, "2026-02": 1.0}
    more = dataclasses.replace(
        bill, other=meters, own_snapshots={}, covered_frac=covered
    )
    half = bill.rows.assign(
        quantity=lambda rows: rows["quantity"].where(rows["line"] != "instances", 0.0)
    )
    return {
        "nothing": answered(vm.reconcile, nothing, bill).to_dict(),
        "more meters": answer_of(vm.reconcile(edge_fleet(), more)),
        "no instances": answer_of(
            vm.reconcile(small(), dataclasses.replace(bill, rows=half))
        ),
        "euros for dollars": answer_of(
            vm.reconcile(small(), a_bill("EUR"), usd_per_unit=0.5)
        ),
    }


@case("plan/deleted for some days")
def _():
    from vmbmodel.plan.bill import bill_of_life

    prices, found = vm.prices("azure-list-2026-01"), {}
    for days, kept_h in itertools.product((1, 13, 14, 15, 20, 29, 30, 31), (336, 720)):
        for then in ("undelete", "backup"):
            gone = datetime.date(2024, 3, 1) + datetime.timedelta(days=days)
            life = a_life(
                ("2024-01-31", "backup", 50, 60, 7),
                ("2024-03-01", "delete"),
                (gone.isoformat(), then, 70, 80, 9),
            )
            bill = answered(bill_of_life, life, 4, prices, soft_delete_h=kept_h)
            found[f"{days} {kept_h} {then}"] = bill
    return found


EDGES_KEPT = {
    "yearly alone": {"daily_points": 60, "yearly_points": 3},
    "yearly, long": {"daily_points": 100, "yearly_points": 99, "month": 12},
    "weekly, by the day": {
        "daily_points": 0,
        "weekly_points": 5,
        "monthly_points": 2,
        "month_week": None,
    },
    "weekly, third": {
        "daily_points": 0,
        "weekly_points": 52,
        "monthly_points": 12,
        "month_week": 3,
        "weekday": 0,
    },
    "days enough": {"daily_points": 7, "monthly_points": 9, "month_week": 4},
    "day 28": {
        "daily_points": 400,
        "monthly_points": 24,
        "month_week": None,
        "month_day": 28,
    },
    "all in one": {
        "daily_points": 9999,
        "weekly_points": 5163,
        "monthly_points": 1188,
        "yearly_points": 99,
    },
}


def of_archived(how):
    """Return which days are archived when, of each day of some months."""

    def give():
        from vmbmodel.plan.bill import RetentionPolicy, live_points

        policy = answered(RetentionPolicy, **how)
        if isinstance(policy, str):
            return policy
        first, found = datetime.date(2022, 11, 1), {}
        days = [first + datetime.timedelta(days=n) for n in range(150)]
        for after in (0, 30, 93, 94, 120, 186, 279, 400, 1100, 1101, 3000):
            for left in (6, 0):
                kept = [
                    str(day)
                    for day in days
                    if policy.archives(
                        day,
                        day + datetime.timedelta(days=after),
                        archive_left_months=left,
                    )
                ]
                live = [
                    str(day)
                    for day in days
                    if policy.keeps(day, day + datetime.timedelta(days=after))
                ]
                found[f"{after} {left}"] = [len(kept), *kept[:4], len(live), *live[:4]]
        early = live_points(policy, datetime.date(2, 3, 1))
        return found | {"horizon": policy.horizon_days, "early": [*early.days[:3]]}

    return give


for _name, _how in EDGES_KEPT.items():
    case(f"plan/archived, {_name}")(of_archived(_how))


@case("plan/crowded of 2018")
def _():
    return estimated(crowded_fleet(), {}, "azure-2018-12", months=3)


RESTORED = {
    "published": {},
    "in two accounts": {"restore_accounts": 2, "account_ingress_mib_s": 60.0},
    "in a line": {"vault_servers": 2, "account_ingress_mib_s": 90.0},
    "by rates": {"restore_law": "rates", "restore_accounts": 1, "account_iops": 300.0},
    "first": {"restore_law": "rates", "eight_hours": "overload"},
    "behind": {
        "restore_law": "rates",
        "eight_hours": "overload",
        "restore_first": False,
    },
    "replaced": {"restore_as": "replace", "replace_h": 3.0, "rto_h": 0.5},
    "no line": {"restore_law": "rates", "eight_hours": "own", "restore_known_gib": 5.0},
}


@case("plan/restored")
def _():
    fleet = some("huge", "above-500", "full", "empty", "classic-0", "checked", "bare")
    fleet = pd.concat([fleet.assign(vault="one"), some("at-500", "left-out", "ultra")])
    found = {}
    for name, settings in RESTORED.items():
        settings = {n: v for n, v in settings.items() if n in Scenario.of()}
        result = vm.estimate(fleet, Scenario.of(settings=settings))
        names = [c for c in result.vms if "restore" in c or c == "rto_prob"]
        found[name] = {"total": result.total, "vms": result.vms[names]}
    return found


@case("plan/busy accounts")
def _():
    fleet = pd.DataFrame(
        [
            disk(f"c{n}", "os", 500, 400, managed=False, storage_account="one")
            | {"churn_gib_per_day": 9.0 * (n % 4), "start_h": 22 + n % 2 / 2}
            | {"write_kib": 4 + 60 * (n % 3), "vault": "v", "first_backup": n == 7}
            for n in range(8)
        ]
    )
    ways = {
        "usual": {},
        "few requests": {"account_iops": 200.0},
        "few bytes": {"account_mib_s": 9.0},
        "in use": {"application_frac": 0.9, "account_iops": 400.0},
        "a line": {"vault_servers": 2, "account_mib_s": 30.0, "transfer_scv": 1e-12},
    }
    found = {}
    for name, settings in ways.items():
        result = vm.estimate(fleet, Scenario.of(settings=settings))
        names = ["transfer_h", "own_line_mean_h", "done_p95_h", "restore_vault_p95_h"]
        found[name] = {"total": result.total, "vms": result.vms[names]}
    return found


@case("plan/months that pass a step")
def _():
    rows = [
        disk("at", size=64, used=50, churn_gib_per_day=1),
        disk("below", size=64, used=40, churn_gib_per_day=100, first_backup=True),
        disk("step", size=2048, used=500, churn_gib_per_day=199),
        disk("above", size=2048, used=980, churn_gib_per_day=200),
        disk("none", size=64, used=0, churn_gib_per_day=0),
        disk("late", size=4096, used=3000, churn_gib_per_day=260),
        disk("risky", size=4096, used=3000, churn_gib_per_day=700),
    ]
    found = {}
    for growth, churn in ((0.5, None), (0.3, 1.0), (0.0, 0.4), (0.1, 0.0)):
        settings = {"yearly_growth_frac": growth, "deadline_h": 9}
        settings |= {} if churn is None else {"yearly_churn_growth_frac": churn}
        settings |= {"others_wait_mean_h": 1.0}
        result = vm.estimate(
            pd.DataFrame(rows), Scenario.of(settings=settings), months=15
        )
        found[f"{growth} {churn}"] = {
            "months": result.months,
            "said": [n for n in result.warnings if n.code.endswith("step")],
        }
    return found


@case("plan/doubts of own sets")
def _():
    fleet = lengths(4, vault="v", churn=9.0).assign(start_h=[0, 6, 12, 18])
    scenario = by_hour().changed({"vault_servers": 1, "deadline_h": 3})
    told = vm.doubt(fleet, scenario, draws=64)
    said = answer_of(told)
    sets = told.to_dict()["model"]
    return said | {"toml": {kind: "toml" in of for kind, of in sets.items()}}


@case("plan/scenarios refused")
def _():
    given = [
        ({"profile": "nowhere"}, {"servers": 20, "servrs": 3}),
        ({"profile": "azure-2018-12"}, {"vault_vms": 3, "nothing": 1}),
        ({"prices": "nowhere", "limits": "nowhere"}, {"gb_bytes": 7}),
        ({}, {f"name{n}": n for n in range(1200)}),
        ({}, {"gb_bytes": 1e9, "retention": 3, "RETENTION": 2, "Vms": 1}),
        ({}, {"servers": 2.5, "recovery_points": 2.5, "archive": 1, "vault": 3}),
    ]
    found = [answered(Scenario.of, **sets, settings=s) for sets, s in given]
    return [f if isinstance(f, str) else f.given for f in found]


@case("plan/numbers of JSON")
def _():
    from vmbmodel.plan import answers

    values = [
        np.float64(-0.0), np.int64(3), np.bool_(True), -0.0, math.inf, -math.inf,
        math.nan, pd.NA, None, "x", True, datetime.date(2026, 1, 2), (1, 2.5),
    ]  # fmt: skip
    frame = pd.DataFrame(
        {
            "zero": [-0.0, 0.0, 1.0],
            "end": [math.inf, math.nan, -0.0],
            "text": ["a", None, "b"],
            "whole": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    rows = [answers.plain(values), list(answers.records(frame))]
    rows.append(list(answers.records(frame, endless=1e9)))
    sealed = dict(answers.sealed([("a", iter([1, 2])), ("b", [1, 2]), ("digest", 3)]))
    sealed["a"] = list(sealed["a"])
    return [json.dumps(row) for row in rows] + [sealed]


@case("plan/saved to the last digit")
def _():
    from vmbmodel.plan.saved import differences

    result = vm.estimate(small(), months=1)
    saved, now = json.loads(json.dumps(result.to_dict())), Inputs.of(result.to_dict())
    now, found = now.estimate(), {}
    for off in (1e-14, 1e-12, 1e-10):
        for part in (1e-10, 1e-8):

            def change(saved, off=off, part=part):
                saved["vms"][0]["own_line_mean_h"] += off
                saved["total"]["expected_misses"] += off
                saved["vms"][1]["total_usd"] *= 1 + part
                saved["total"]["total_usd"] *= 1 + part

            rows = differences(edited(saved, change), now)
            found[f"{off} {part}"] = [d.place for d in rows]
    return found


@case("plan/misses of some")
def _():
    from vmbmodel.plan.estimate import policy_misses
    from vmbmodel.plan.estimate.exact import pieces, sum_of
    from vmbmodel.plan.estimate.misses import miss_terms, misses_of

    vms = pd.DataFrame(
        {
            "vault": ["b", "a", "b", "a", "c"],
            "policy": ["p", "p", "q", "p", "p"],
            "deadline_prob": [0.9, 1.0, 0.25, 1.0, 0.0],
            "later_deadline_prob": [0.95, 0.5, 1.0, 1.0, 1e-9],
        }
    )
    rows = {n: vms[:n] for n in (0, 1, 3, 5)}
    numbers = ([], [0.0], [1e308, 1e308], [math.inf, 1.0], [0.1] * 10, [3e-310, 1e200])
    return {
        "fleet": {
            n: misses_of([sum_of(pieces(terms)) for terms in miss_terms(some)])
            for n, some in rows.items()
        },
        "policies": {n: policy_misses(some) for n, some in rows.items()},
        "sums": [sum_of(pieces(np.array(some))) for some in numbers],
        "pieces": [len(pieces(np.array(some))) for some in numbers],
        "beyond": sum_of([1e308, 1e308]),
    }


@case("plan/settings unused")
def _():
    given = {"servers": 20, "vault": "v", "churn_frac": 0.1, "instance_fee_usd": 9}
    scenario, seen = Scenario.of(settings=given), []
    for name in ("servers", "vault", None):
        seen.append(scenario.unused())
        if name:
            seen.append(scenario[name])
    wrong = ("rpo_h", "GROWTH", "retention_days", "server")
    refused = [answered(Scenario.of, settings={name: 1}) for name in wrong]
    jam = crowd(4, vault="v", start_h=22).assign(vm=list("abcd"))
    own = Scenario.of("azure-2018-12", settings={"vault_vms": 3, "vault_servers": 3})
    told = vm.estimate(jam.assign(churn_gib_per_day=100.0), own)
    return {"seen": seen, "refused": refused, "told": told.warnings}


@case("plan/starts of nothing")
def _():
    often = {"interval_h": 4, "window_h": 12, "snapshot_policy": "enhanced"}
    fleet = lengths(3, vault="v", start_h=20, **often)
    fleet = fleet.assign(
        snapshot_points=[2, 0, 5], interval_h=[4, 12, 4], excluded=[False, False, True]
    )
    return vm.estimate(fleet).starts


@case("plan/steady waits")
def _():
    from vmbmodel.plan.estimate.others import SteadyWait

    probs, means = np.array([0.0, 0.0, 0.5, 1.0, 1.0]), [math.inf, 2, 1, 3, math.inf]
    hours = np.array([1.0, 5.0, 0.0, 2.0, 9.0])
    laws = [SteadyWait(*law) for law in zip(probs.tolist(), means, strict=True)]
    laws.append(SteadyWait(probs, np.array(means)))
    with np.errstate(all="ignore"):
        return [
            {
                "mean": law.mean_h(hours),
                "within": law.within_prob(hours, hours / 2),
                "quantiles": [law.quantile_h(hours, p) for p in (0.2, 0.5, 0.95)],
                "shape": law.shape,
            }
            for law in laws
        ]


@case("plan/changed since")
def _():
    fleet, found = some("at-500", "above-500", "new"), {}
    before = vm.estimate(fleet, months=1)
    ways = {
        "nothing": fleet,
        "order": fleet[::-1],
        "role": fleet.assign(write_kib=12),
        "a disk": fleet[fleet["disk"] != "new-data"],
        "a VM more": pd.concat([fleet[fleet["disk"] != "new-data"], some("bare")]),
        "nothing left": fleet.assign(excluded=fleet["vm"] == "at-500"),
        "retention": fleet.assign(snapshot_points=2, weekly_points=9),
    }
    for name, changed in ways.items():
        found[name] = answer_of(vm.diff(before, vm.estimate(changed)))
    endless = Scenario.of(settings={"vault_servers": 1})
    busy = lengths(4, vault="v", churn=2000.0)
    found["endless"] = answer_of(vm.diff(before, vm.estimate(busy, endless)))
    saved = json.loads(json.dumps(before.to_dict()))
    saved["total"]["total_usd"] += 1e-9
    found["noise"] = answer_of(vm.diff(before, saved))
    saved["total"]["total_usd"] *= 1.5
    found["model"] = answer_of(vm.diff(before, saved))
    return found
