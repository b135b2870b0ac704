"""What logs and bills tell: fits, reconciled bills, lives."""

import datetime
import math
import re

import numpy as np
import pandas as pd

import vmbmodel as vm
from vmbmodel.plan.scenario import Scenario

from .cases import answered, case, fresh
from .estimates import answer_of
from .fleets import disk, edge_fleet, small, some


def job_log(nights=12, vms=8, phases=True, grid_min=0):
    """Return a log whose figures are multiples of the golden section."""
    share = (np.arange(1, nights * vms + 1) * 0.6180339887498949) % 1
    other = (np.arange(1, nights * vms + 1) * 0.7548776662466927) % 1
    moved = 2 + 40 * other**2
    late = np.maximum(-1.5 * np.log((1 - share) / 0.7), 0)
    snapshot, transfer = 0.2 + 0.2 * other, moved / 70 * (0.8 + 0.4 * share)
    begin = pd.Timestamp("2026-03-01T22:00:00Z")
    night = np.repeat(np.arange(nights), vms)
    hour = np.tile(np.arange(vms) % 3, nights)
    total = snapshot + late + transfer
    if grid_min:
        total = np.ceil(total * 60 / grid_min) * grid_min / 60
    log = pd.DataFrame(
        {
            "vm": [f"v{n}" for n in np.tile(np.arange(vms), nights)],
            "operation": "Backup",
            "status": "Completed",
            "start_time": begin + pd.to_timedelta(night * 24 + hour, unit="h"),
            "job_h": total,
            "snapshot_h": snapshot,
            "wait_h": late,
            "transfer_h": transfer,
            "moved_gib": moved,
        }
    )
    if not phases:
        log[["snapshot_h", "wait_h", "transfer_h"]] = np.nan
    restores = log.iloc[:12].assign(operation="Restore", moved_gib=20.0 * moved[:12])
    restores["job_h"] = 0.4 + 0.8 * share[:12]
    setups = log.iloc[:5].assign(
        operation="ConfigureBackup", job_h=0.01 + share[:5] / 99
    )
    return pd.concat([log, restores, setups], ignore_index=True)


LOGS = {
    "phases": {},
    "totals": {"phases": False, "nights": 8, "vms": 6},
    "grid": {"phases": False, "nights": 8, "vms": 6, "grid_min": 15},
}


def of_log(how):
    """Return a profile fitted to a log, and its file."""

    def give():
        fitted = vm.calibrate(job_log(**how))
        return answer_of(fitted) | {"readings": dict(fitted.scenario.profile.readings)}

    return give


for _name, _how in LOGS.items():
    case(f"calibrate/{_name}")(of_log(_how))


def logged(log, base="azure-2026-01", fleet=None, **how):
    """Return what a log says, and the file of the profile, or why there is none."""
    fitted = answered(vm.calibrate, log, base, fleet, **how)
    if isinstance(fitted, str):
        return fitted
    text = fitted.to_toml("log.json", datetime.date(2026, 5, 1))
    own = fresh(text, fitted.base.text)
    origins = fitted.scenario.profile.origins
    laws = {n: o.prior for n, o in origins.items() if n in fitted.fits and o.prior}
    said = answer_of(fitted)
    if len(fitted.backups):
        said["done"] = fitted.done_frac([0.5, 2.0])
    # in the text alone the last of some digits may be another one elsewhere
    said["toml"] = [
        re.sub(r"\d[\d.]*(e-\d+)?", "9", line) for line in own if "sample" not in line
    ]
    said["laws"] = {n: (law.low, law.high) for n, law in laws.items()}
    return said | {"samples": {n: law.sample[:9] for n, law in laws.items()}}


def of_inventory():
    """Return an inventory of the VMs of a log: two disks, two of a name, two starts."""
    rows = []
    for number in range(6):
        of = f"/subscriptions/s/groups/g/V{number}"
        cells = {"start_h": 22 - number % 3, "vault": "v", "policy": f"p{number % 3}"}
        if number == 1:
            cells |= {"interval_h": 8, "window_h": 12, "snapshot_policy": "enhanced"}
        rows.append(disk(of, used=40 + number, churn_gib_per_day=1 + number, **cells))
        rows.append(disk(of, "data", 512, 90 - 7 * number, **cells))
    rows.append(disk("/subscriptions/other/groups/g/v5", used=3))
    return pd.DataFrame(rows)


def with_firsts(log):
    """Set up the protection of all VMs before their first night."""
    first = log[log["operation"] == "Backup"].drop_duplicates("vm")
    begun = first["start_time"] - pd.Timedelta(hours=3)
    setups = first.assign(operation="ConfigureBackup", job_h=0.02, start_time=begun)
    return pd.concat([setups, log], ignore_index=True)


def spread_over_hours(log, vary=True):
    """Let jobs start at hours that change from night to night, and wait by them."""
    backup = log["operation"] == "Backup"
    number = log.index.to_numpy()
    hour = (number + number // 8 if vary else number % 8) % 4
    later = pd.to_timedelta(np.where(backup, hour * 30, 0), unit="min")
    more = np.where(backup, hour, 0) * 1.5
    log = log.assign(start_time=log["start_time"].dt.floor("D") + later)
    return log.assign(wait_h=log["wait_h"] + more, job_h=log["job_h"] + more)


def _few_nights():
    return job_log(nights=6, vms=6)


def total_times():
    return job_log(nights=9, vms=5, phases=False)


OF_LOGS = {
    "by an inventory": lambda: logged(
        with_firsts(total_times()).assign(moved_gib=np.nan), fleet=of_inventory()
    ),
    "in decimal GB": lambda: logged(
        with_firsts(_few_nights()), fleet=of_inventory(), gb_bytes=1e9
    ),
    "few nights": lambda: logged(_few_nights()),
    "hours differ": lambda: logged(spread_over_hours(job_log(nights=9))),
    "one hour each": lambda: logged(spread_over_hours(job_log(nights=9), vary=False)),
    "no wait": lambda: logged(
        job_log(nights=9, vms=4).assign(wait_h=0.0),
        vm.profile("azure-2018-12").modified(snapshot_h=0.7, servers=11),
    ),
    "alike": lambda: logged(with_firsts(job_log(nights=9, vms=4).assign(moved_gib=20))),
    "around noon": lambda: logged(
        job_log(nights=9, vms=6).assign(
            start_time=lambda log: log["start_time"] - pd.Timedelta("10h25min")
        )
    ),
    "at the beginning": lambda: logged(
        job_log(nights=9, vms=5).assign(
            transfer_h=lambda log: log["transfer_h"] + 0.3,
            job_h=lambda log: log["job_h"] + 0.3,
        )
    ),
    "alike in all": lambda: {
        name: entry
        for name, entry in logged(total_times().assign(moved_gib=20.0)).items()
        if name in ("left", "unknowable", "notes")
    },
    "unlike": lambda: logged(
        total_times().assign(moved_gib=lambda log: np.roll(log["moved_gib"], 7) ** 2)
    ),
    "fast": lambda: logged(
        job_log(nights=9, vms=4).assign(
            transfer_h=lambda log: log["transfer_h"] / 40,
            moved_gib=lambda log: log["moved_gib"] * 3,
        )
    ),
    "restores": lambda: logged(job_log(nights=40, vms=2).assign(operation="Restore")),
    "restores of nothing": lambda: logged(
        job_log(nights=30, vms=2, phases=False).assign(
            operation="Restore",
            moved_gib=lambda log: log["moved_gib"].where(log.index % 5 > 0, 0.0),
        )
    ),
    "restores alone": lambda: logged(
        job_log(nights=30, vms=2, phases=False).assign(
            operation="Restore", job_h=lambda log: np.roll(log["job_h"], 3)
        )
    ),
    "too little": lambda: logged(job_log(nights=2, vms=3).iloc[:9]),
}

for _name, _give in OF_LOGS.items():
    case(f"calibrate/{_name}")(_give)


def a_bill(currency="USD"):
    """Return a bill of two months, with all lines and charges of others."""
    from vmbmodel.inventory.bill import LINES, Bill

    rows = [
        {"month": month, "vault": vault if line != "snapshots" else "", "line": line}
        | {"quantity": 3.5 + 40 * number, "cost": 20 + 3.5 * number}
        for month in ("2026-01", "2026-02")
        for vault in ("vault-a", "vault-c", "elsewhere")
        for number, line in enumerate(LINES)
        if line != "snapshots" or vault == "vault-a"
    ]
    covered = {"2026-01": 1.0, "2026-02": 0.5}
    others = {"Azure Files Protected Instance": 4.5}
    own, unknown = {"LRS Snapshots": 2.25}, {"Odd Snapshots": 1.5}
    return Bill(pd.DataFrame(rows), covered, currency, others, 40, 7, own, unknown)


@case("bill/reconciled")
def _():
    return answer_of(vm.reconcile(edge_fleet(), a_bill()))


@case("bill/reconciled in euros")
def _():
    settings = {"storage_discount_frac": 0.1, "snapshot_policy": "enhanced"}
    how = {"stopped": some("full", "kept-long"), "usd_per_unit": 1.1}
    scenario = Scenario.of(settings=settings)
    return answer_of(vm.reconcile(edge_fleet(), a_bill("EUR"), scenario, **how))


@case("bill/one vault")
def _():
    fleet = small().drop(columns="vault")
    return answer_of(vm.reconcile(fleet, a_bill(), stopped=some("bare")))


@case("bill/refused")
def _():
    given = [("USD", 1.0), ("EUR", None), ("EUR", 0.0), ("EUR", math.inf)]
    return {
        f"{currency} {rate}": answered(
            lambda c, r: vm.reconcile(small(), a_bill(c), usd_per_unit=r),
            currency,
            rate,
        )
        for currency, rate in given
    }


def a_life(*events):
    from vmbmodel.plan.bill import Event

    return [Event(datetime.date.fromisoformat(day), *rest) for day, *rest in events]


LIVES = {
    "long": a_life(
        ("2024-01-10", "backup", 40, 41, 1),
        ("2024-01-20", "backup", 500, 520, 5),
        ("2024-02-29", "stop"),
        ("2024-03-05", "resume"),
        ("2024-03-06", "backup", 501, 700, 9),
        ("2024-04-01", "delete"),
        ("2024-04-10", "undelete"),
        ("2024-04-11", "resume"),
        ("2024-04-12", "backup", 50, 80, 0),
        ("2024-05-02", "delete"),
        ("2024-06-30", "backup", 51, 60, 2),
    ),
    "wrong": a_life(
        ("2024-01-10", "stop"),
        ("2024-01-11", "backup", -1, 2, 3),
        ("2024-01-12", "backup", 1, 2, 3),
        ("2024-01-12", "undelete"),
        ("2024-01-13", "sleep"),
    ),
    "leap day": a_life(
        ("2024-02-29", "backup", 40, 41, 1),
        ("2024-03-31", "stop"),
    ),
    "of nothing": a_life(("2024-01-10", "backup"), ("2024-03-01", "delete")),
    "empty": [],
}


def of_life(name, **how):
    """Return the bill of a life."""

    def give():
        from vmbmodel.plan.bill import bill_of_life

        prices = vm.prices("azure-list-2026-01")
        return answered(bill_of_life, LIVES[name], 8, prices, **how)

    return give


for _name in LIVES:
    case(f"bill/life, {_name}")(of_life(_name))
_longer = {"soft_delete_h": 720.0, "redundancy": "LRS", "snapshot_policy": "enhanced"}
case("bill/life, longer")(of_life("long", **_longer))
case("bill/life, too short")(of_life("long", soft_delete_h=335.0))

KEPT = {
    "daily": {"daily_points": 7},
    "weekly": {"daily_points": 0, "weekly_points": 5, "weekday": 2},
    "first sunday": {
        "daily_points": 7,
        "weekly_points": 4,
        "monthly_points": 13,
        "yearly_points": 3,
    },
    "last friday": {
        "daily_points": 10,
        "weekly_points": 3,
        "monthly_points": 14,
        "weekday": 4,
        "month_week": -1,
        "month": 2,
        "yearly_points": 2,
    },
    "last day": {
        "daily_points": 9,
        "monthly_points": 12,
        "month_week": None,
        "month_day": -1,
        "month": 2,
        "yearly_points": 4,
    },
    "leap day": {
        "daily_points": 7,
        "monthly_points": 3,
        "month_week": None,
        "month_day": -1,
        "month": 2,
        "yearly_points": 3,
    },
    "left six": {"daily_points": 7, "monthly_points": 10, "yearly_points": 1},
    "left seven": {"daily_points": 7, "monthly_points": 9, "month_week": 2},
    "wrong": {"daily_points": 6, "weekday": 7, "month_week": 5, "month": 0},
    "wrong day": {"daily_points": 9999, "month_week": None, "month_day": 29},
    "none": {"daily_points": 0, "weekly_points": -1, "yearly_points": 100},
}


def of_kept(how):
    """Return the points that a policy keeps on some days, and which are archived."""

    def give():
        from vmbmodel.plan.bill import RetentionPolicy, live_points

        policy = answered(RetentionPolicy, **how)
        if isinstance(policy, str):
            return policy
        result = {}
        for text in ("2024-02-29", "2024-03-15", "2026-12-31"):
            day = datetime.date.fromisoformat(text)
            points = live_points(policy, day)
            result[text] = {
                "days": [str(d) for d in points.days if (day - d).days > 10],
                "gaps": points.gaps[-12:],
                "archived": [str(d) for d in points.days if policy.archives(d, day)],
                "since": len(live_points(policy, day, first=day.replace(day=1))),
                "until": len(live_points(policy, day, last=day.replace(day=2))),
                "horizon": policy.horizon_days,
                "none": live_points(policy, day, first=day, last=day).days[1:],
                "refused": answered(
                    live_points, policy, day, first=day, last=datetime.date(2020, 1, 1)
                ),
            }
        return result

    return give


for _name, _how in KEPT.items():
    case(f"bill/kept, {_name}")(of_kept(_how))


@case("bill/months")
def _():
    from vmbmodel.plan.bill import backup_instant, month_edges_h

    day, zones = datetime.date(2024, 2, 10), ("UTC", "Europe/Berlin", "Nowhere/None")
    asked = [(zone, hour) for zone in zones for hour in (0, 2.5, 23.99, 24)]
    return {
        "edges": [answered(month_edges_h, day, 14, zone) for zone in zones],
        "none": answered(month_edges_h, day, 0),
        "instants": [
            str(answered(backup_instant, datetime.date(2024, 10, 27), hour, zone))
            for zone, hour in asked
        ],
    }
