"""Doubts, checks and schedules."""

import datetime
import json

import pandas as pd

import vmbmodel as vm
from vmbmodel.plan.scenario import Scenario

from .cases import answered, case, of_text
from .estimates import answer_of, estimated
from .fleets import crowd, disk, edge_fleet, small, some
from .records import job_log

DOUBTS = {
    "as it is": {},
    "own line": {"eight_hours": "own", "vault_servers": 2, "deadline_h": 6},
    "overload": {
        "eight_hours": "overload",
        "line_reading": "one-pool",
        "churn_frac": 0.2,
    },
    "measured": {
        "eight_hours": "measured",
        "transfer_scv": 0.3,
        "reserved_gib": 102400,
    },
}


def of_doubt(settings):
    """Return how far an estimate may be off, and what makes it doubtful."""

    def give():
        scenario = Scenario.of(settings=settings)
        return answer_of(vm.doubt(small(), scenario, draws=64))

    return give


for _name, _settings in DOUBTS.items():
    case(f"doubt/{_name}")(of_doubt(_settings))


@case("doubt/some vaults")
def _():
    fleet = pd.concat(
        [
            crowd(4, vault=f"v{n}").assign(vm=lambda f, n=n: f["vm"] + f"-{n}")
            for n in "abc"
        ]
    )
    return answer_of(vm.doubt(fleet, draws=32, interval_vms=8))


def vaults():
    """Return a VM in each of many vaults, two of which share an account."""
    rows = [disk(f"v{n:02}", used=20 + 8 * n, vault=f"w{n:02}") for n in range(14)]
    for row in rows[3:5]:
        row |= {"managed": False, "storage_account": "one", "disk_type": "premium-ssd"}
    return pd.DataFrame(rows)


@case("doubt/vaults drawn")
def _():
    from vmbmodel.plan.estimate.vaults import chunks

    found = vm.doubt(vaults(), draws=32, interval_vms=11)
    said = answer_of(found) | {
        "total beside": found.beside_total(vm.estimate(vaults()).total)
    }
    shared = Scenario.of(settings={"reserved_gib": 102400})
    return said | {
        "refused": answered(vm.doubt, vaults(), shared, draws=32, interval_vms=11),
        "too few": answered(vm.doubt, vaults(), draws=31),
        "chunks": [[list(part) for part in chunks(vaults(), n)] for n in (1, 4, 5, 14)],
    }


@case("doubt/leads")
def _():
    settings = {"others_wait_mean_h": 9.0, "eight_hours": "measured", "deadline_h": 9}
    found = {}
    for name, more in (("late", {}), ("early", {"others_wait_mean_h": 0.2})):
        told = vm.doubt(small(), Scenario.of(settings=settings | more), draws=64)
        leads = {
            a: [s.name for s in told.leading(a)] for a in ("total_usd", "done_p95_h")
        }
        labels = [share.label for share in told.shares]
        found[name] = {"said": told.said(), "leads": leads, "labels": labels}
    return found


@case("doubt/draws")
def _():
    from vmbmodel.plan.estimate import prior_draws

    names = ["snapshot_h", "churn_frac", "peak_start_h", "overlap_frac", "servers"]
    names += ["offpeak_utilisation_frac", "peak_h", "peak_wait_h", "vault_servers"]
    overload = Scenario.of(settings={"eight_hours": "overload", "start_h": 3})
    fitted = vm.calibrate(job_log(nights=9, vms=4)).scenario
    of_fit = [
        n for n, o in fitted.profile.origins.items() if o.prior and o.prior.sample
    ]
    return {
        "usual": prior_draws(overload, names, 64),
        "other": prior_draws(overload, names[:3], 32, seed=2),
        "of a fit": prior_draws(fitted, of_fit, 32),
        "refused": [
            answered(prior_draws, overload, [n], 32) for n in ("start_h", "rto_h")
        ],
        "doubted": answer_of(vm.doubt(some("bare"), fitted, draws=32))["shares"],
    }


@case("doubt/beside an estimate")
def _():
    return estimated(small(), {}, draws=64, months=2)


def crowded_fleet():
    """Return VMs beyond what a start, a policy, an account and a day may have."""
    of_start = {"vault": "v", "policy": "p", "start_h": 22}
    classic = {"managed": False, "storage_account": "one"} | of_start
    rows = [disk(f"c{n:02}", "os", 100, 50, **classic) for n in range(11)]
    rows += [disk(f"c{n:02}", "data", 100, 50, **classic) for n in range(11)]
    for number, account in enumerate(
        ("two", "two", "two", "two", "two", "two", "three")
    ):
        cells = {"managed": False, "storage_account": account, "start_h": number}
        rows.append(disk(f"d{number}", vault="w", policy=f"q{number % 2}", **cells))
    rows += [disk("many", f"data{n}", 1, 1, vault="w") for n in range(33)]
    rows.append(disk("many", vault="w"))
    rows += [disk("sixteen", f"data{n}", 1, 1, vault="w") for n in range(16)]
    rows.append(disk("sixteen", vault="w"))
    rows.append(disk("at", size=4095, churn_gib_per_day=200, write_kib=8))
    rows.append(disk("above", size=4096, churn_gib_per_day=200.01, write_kib=7.9))
    rows += [disk("sum", f"data{n}", 65536, 1) for n in range(8)]
    rows.append(disk("sum"))
    policies = {
        "short": {"recovery_points": 6},
        "least": {"recovery_points": 7},
        "long": {"recovery_points": 10000},
        "graded": {"recovery_points": 9999, "weekly_points": 5164},
        "years": {"recovery_points": 30, "monthly_points": 1188, "yearly_points": 100},
        "snaps": {"recovery_points": 7, "snapshot_points": 8},
        "six": {"snapshot_points": 6, "snapshot_policy": "standard"},
        "none": {"snapshot_points": 0, "snapshot_policy": "standard"},
        "thirty": {"snapshot_points": 31, "snapshot_policy": "enhanced"},
        "at-4": {"snapshot_points": 18, "snapshot_policy": "enhanced", "interval_h": 4},
        "at-6": {"snapshot_points": 22, "snapshot_policy": "enhanced", "interval_h": 6},
        "often": {"snapshot_policy": "enhanced", "interval_h": 3},
        "daily": {"snapshot_policy": "standard", "interval_h": 12},
        "weekly": {"recovery_points": 0, "weekly_points": 4, "snapshot_points": 4},
        "weekly-5": {"recovery_points": 0, "weekly_points": 4, "snapshot_points": 5},
        "weekly-e": {
            "recovery_points": 0,
            "weekly_points": 4,
            "snapshot_points": 21,
            "snapshot_policy": "enhanced",
        },
        "offered": {
            "snapshot_policy": "enhanced",
            "snapshot_points": 7,
            "recovery_points": 180,
            "weekly_points": 12,
            "monthly_points": 60,
            "yearly_points": 10,
        },
    }
    usual = {"interval_h": 24, "snapshot_policy": "standard", "snapshot_points": 2}
    usual |= {"weekly_points": 0, "monthly_points": 0, "yearly_points": 0}
    usual |= {"recovery_points": 30}
    for name, kept in policies.items():
        kind = "ultra" if name in ("six", "often") else "premium-ssd"
        rows.append(disk(name, policy=name, vault="x", disk_type=kind, **usual | kept))
    return pd.DataFrame(rows)


DAYS = ("2015-10-15", "2018-12-11", "2023-09-01", "2026-01-28")


def of_check(fleet, day, settings):
    """Return what a check finds, by the rules of a day."""

    def give():
        when = day and datetime.date.fromisoformat(day)
        return answer_of(vm.check(fleet(), Scenario.of(settings=settings), when))

    return give


for _day in DAYS:
    case(f"check/crowded on {_day}")(of_check(crowded_fleet, _day, {}))
    case(f"check/edges on {_day}")(of_check(edge_fleet, _day, {}))
_SET = {"policy_vms": 10, "vault_vms": 11, "recovery_points": 5, "snapshot_points": 6}
_SET |= {"max_churn_gib_per_day": 39, "managed": False, "write_kib": 4, "start_h": 1}
case("check/crowded, set")(of_check(crowded_fleet, None, _SET))
case("check/edges, set")(of_check(edge_fleet, None, _SET | {"cc_mode": True}))
case("check/sample")(of_check(vm.sample_fleet, None, {}))


def _suppression(finding, expires, **where):
    where = finding.place.where | where
    cells = ", ".join(f"{name} = {json.dumps(value)}" for name, value in where.items())
    place = f"{{ {cells} }}" if cells else '"fleet"'
    return (
        f'[[suppress]]\nrule = "{finding.rule.id}"\nwhere = {place}\n'
        f'reason = "Known."\nexpires = {expires}\n'
    )


@case("check/suppressed")
def _():
    from vmbmodel.plan.check import read_suppressions, suppressed

    answer = vm.check(crowded_fleet(), Scenario.of(settings=_SET))
    first, *_, last = answer.findings
    of_all = next(f for f in answer.findings if not f.place.where)
    text = "\n".join(
        [
            _suppression(first, "2026-05-01"),
            _suppression(of_all, "2026-04-30").replace("[[suppress", "[[ suppress "),
            _suppression(last, "2027-01-01", vault="nowhere"),
            _suppression(first, "2026-04-30"),
        ]
    )
    read = of_text(read_suppressions, text)
    found = {"read": read}
    for day in ("2026-04-30", "2026-05-01", "2030-01-02"):
        marked = suppressed(answer, read, datetime.date.fromisoformat(day))
        kept = [(f.place.where, f.suppressed) for f in marked.findings if f.suppressed]
        found[day] = {"kept": kept, "others": marked.others, "worst": marked.worst()}
    return found


WRONG_SUPPRESSIONS = (
    "suppress = 3\nother = 1",
    "[[suppress]]\nrule = 'none'\nwhy = 'x'",
    "[[suppress]]\nrule = 3\nreason = ' '\nexpires = '2026'\nwhere = 'vm'",
    "[[suppress]]\nrule = 'x'\nreason = 'a\\u0007'\nexpires = 2026-01-01T00:00:00\n"
    "where = {}",
    "[[suppress]]\nrule = 'x'\nreason = 'a'\nexpires = 2026-01-01\n"
    "where = { start_h = '3', vn = 'x', vault = 4, vm = ' ' }",
    "[[suppress]]\nrule = 'x'\nreason = 'a'\nexpires = 2026-01-01\n"
    "where = { start_h = true }",
    "suppress = [",
)


@case("check/suppressions refused")
def _():
    from vmbmodel.plan.check import read_suppressions
    from vmbmodel.service import rules

    inline = "suppress = [{ rule = '%s', where = { start_h = 3 }, "
    inline = inline % rules()[0].id + "reason = 'a', expires = 2026-01-01 }]"
    texts = (*WRONG_SUPPRESSIONS, inline, "")
    return [of_text(read_suppressions, text) for text in texts]


PLANS = {
    "edges": (edge_fleet, {"eight_hours": "own"}, {}),
    "jam": (
        lambda: crowd(9, vault="v", start_h=22),
        {"vault_servers": 2, "service_h": 2, "start_slack_h": 1},
        {"blackout": [(6, 20), (1, 1.5)], "done_by_h": 6},
    ),
    "kept": (
        lambda: crowd(4, vault="v", policy="p", start_h=22),
        {"vault_servers": 1, "start_slack_reading": "none", "policy_vms": 2},
        {"keep": ["v001"], "done_by_h": 5.5},
    ),
    "accounts": (
        lambda: some(*(f"classic-{n}" for n in range(6))),
        {"account_disks": 4, "vault_vms": 3, "vault_servers": 3},
        {"blackout": [(8, 18)]},
    ),
    "overload": (
        small,
        {"eight_hours": "overload", "vault_servers": 2},
        {"keep": ["old"]},
    ),
    "one": (
        lambda: crowd(1, vault="v", start_h=22),
        {"others_wait_mean_h": 1.5, "deadline_h": 3},
        {"done_by_h": 23.5},
    ),
    "no room": (
        lambda: crowd(5, vault="v"),
        {"vault_servers": 1, "vault_vms": 1},
        {"blackout": [(0.5, 24)]},
    ),
    "no room beside": (
        lambda: crowd(3, vault="v", start_h=1.5),
        {"vault_servers": 9, "vault_vms": 1, "start_slack_reading": "none"},
        {"keep": ["v001"], "blackout": [(2, 1.5)]},
    ),
    "at ease": (
        lambda: crowd(4, vault="v", start_h=13.5),
        {"start_slack_reading": "none"},
        {},
    ),
    "kept in the way": (
        lambda: crowd(3, vault="v", start_h=1.5),
        {"vault_servers": 9, "vault_vms": 1, "start_slack_reading": "none"},
        {"keep": ["v001"], "blackout": [(3, 1)]},
    ),
    "too late": (lambda: crowd(3), {}, {"blackout": [(4, 22)], "done_by_h": 22.25}),
}


def of_plan(fleet, settings, how):
    """Return a plan of starts."""

    def give():
        plan = answered(vm.schedule, fleet(), Scenario.of(settings=settings), **how)
        return plan if isinstance(plan, str) else answer_of(plan)

    return give


for _name, _arguments in PLANS.items():
    case(f"schedule/{_name}")(of_plan(*_arguments))

WRONG_PLANS = {
    "names": {"keep": ["v0O1", "nobody", "v001"]},
    "hours": {"blackout": [(25, 3), (4, 4), (-1, 2)], "done_by_h": 24.5},
    "no end": {"blackout": [(0, 24)], "done_by_h": 0.0},
}


@case("schedule/refused")
def _():
    fleet = crowd(3, vault="v", start_h=22)
    found = {n: answered(vm.schedule, fleet, **how) for n, how in WRONG_PLANS.items()}
    busy = crowd(4, vault="v").assign(used_gib=5e4, size_gib=6e4, churn_gib_per_day=4e4)
    found["work"] = answered(
        vm.schedule, busy, Scenario.of(settings={"vault_servers": 1})
    )
    full = {"vault_vms": 2, "account_disks": 3, "vault_servers": 9}
    in_one = fleet.assign(managed=False, storage_account="one")
    scenario = Scenario.of(settings=full)
    for name, blackout in (("no room", [(1, 24)]), ("little room", [(2.5, 24)])):
        how = {"blackout": blackout}
        found[name] = answered(vm.schedule, crowd(9, vault="v"), scenario, **how)
    found["of an account"] = answered(
        vm.schedule,
        pd.concat([in_one, some("classic-0")]),
        scenario,
        blackout=[(1, 24)],
    )
    return {n: f if isinstance(f, str) else answer_of(f) for n, f in found.items()}
