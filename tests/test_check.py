"""An inventory against the rules of a day: what is found, and what is not known."""

import datetime
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmbmodel.plan import practices
from vmbmodel.plan.check.answer import PLACES, check, check_disks
from vmbmodel.plan.check.searches import SEARCHES
from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import LIMITS, PROFILES, rules, rules_on

SEED = datetime.date(2018, 12, 11)
NOW = datetime.date(2026, 1, 28)
FULL = {
    "churn_gib_per_day": 1.0,
    "write_kib": 8.0,
    "disk_type": "premium-ssd",
    "managed": True,
    "vault": "v",
    "policy": "p",
    "start_h": 23.0,
    "first_backup": False,
    "new_disk": False,
    "cc_mode": False,
    "excluded": False,
}


def disk(vm="a", name="os", **cells):
    """Make a row with nothing blank that breaks no rule by itself."""
    row = {"vm": vm, "disk": name, "role": "os", "size_gib": 128, "used_gib": 47}
    return row | FULL | cells


def own(vm, name="os", account="s", **cells):
    """Make a row of an unmanaged disk."""
    return disk(vm, name, managed=False, storage_account=account, **cells)


def run(*disks, as_of=SEED, **settings):
    scenario = Scenario.of(
        PROFILES.in_force(as_of).name,
        limits=LIMITS.in_force(as_of).name,
        settings=settings,
    )
    return check_disks(pd.DataFrame(list(disks)), scenario, as_of)


def outcome(rule, *disks, **options):
    return next(o for o in run(*disks, **options).outcomes if o.rule.id == rule)


def places(rule, *disks, **options):
    return [f.place for f in outcome(rule, *disks, **options).findings]


# --- every rule has one way to be answered ---------------------------------------


@pytest.mark.parametrize("rule", rules(), ids=lambda r: r.id)
def test_a_rule_is_searched_for_or_says_what_it_needs(rule):
    searched = [not version.needs for version in rule.versions]
    assert any(searched) == (rule.id in SEARCHES)


@pytest.mark.parametrize(
    "as_of", sorted({v.since for r in rules() for v in r.versions})
)
def test_every_rule_of_a_day_has_an_outcome(as_of):
    answer = run(disk(), disk("b", start_h=1.0), as_of=as_of)
    assert [o.rule.id for o in answer.outcomes] == [r.id for r, _ in rules_on(as_of)]
    assert not answer.findings
    for one in answer.outcomes:
        assert (one.status == "not checked") == (bool(one.needs) and not one.known)


# --- rules by hand: at the threshold, and one beyond --------------------------------


def fleet(count, **cells):
    return [disk(f"vm{i}", start_h=float(i % 2), **cells) for i in range(count)]


def test_a_hundred_vms_at_once_from_one_vault_and_one_more():
    at_once = [disk(f"vm{i}") for i in range(101)]
    assert not places("vault-start", *at_once[:100])
    (place,) = places("vault-start", *at_once)
    assert place.where == {"vault": "v", "start_h": 23.0}
    assert (place.found, place.limit) == (101, 100)
    assert not places("vault-start", *at_once[:100], disk("x", start_h=22.0))
    assert not places("vault-start", *at_once[:100], disk("x", vault="w"))


def test_all_vms_at_one_start():
    (place,) = places("one-start", disk("a"), disk("b"))
    assert place.where == {"start_h": 23.0}
    assert not places("one-start", disk("a"))
    assert not places("one-start", disk("a"), disk("b", start_h=22.0))


def test_twenty_disks_of_an_account_and_schedule():
    disks = [own(f"vm{i}") for i in range(21)]
    assert not places("account-schedule", *disks[:20])
    (place,) = places("account-schedule", *disks)
    assert place.where == {"vault": "v", "storage_account": "s", "policy": "p"}
    assert (place.found, place.limit) == (21, 20)
    assert not places("account-schedule", *disks[:20], own("x", policy="q"))


def test_five_to_ten_disks_of_an_account():
    def severities(count, as_of):
        disks = [own(f"vm{i}") for i in range(count)]
        found = outcome("busy-account", *disks, as_of=as_of).findings
        return [f.severity for f in found]

    assert [severities(n, SEED) for n in (5, 6, 10, 11)] == [
        [],
        ["note"],
        ["note"],
        ["warning"],
    ]
    # since 2019 in the words "5 to 10 disks or more": the bounds count as well
    assert [severities(n, NOW) for n in (4, 5, 9, 10)] == [
        [],
        ["note"],
        ["note"],
        ["warning"],
    ]


def test_a_policy_whose_vms_lie_in_one_account():
    (place,) = places("policy-accounts", own("a"), own("b"))
    assert place.where == {"vault": "v", "policy": "p", "storage_account": "s"}
    assert not places("policy-accounts", own("a"), own("b", account="t"))
    assert not places("policy-accounts", own("a"), own("a", "d", role="data"))
    assert not places("policy-accounts", disk("a"), disk("b"))


def test_small_writes_new_disks_and_consistency_checks():
    (place,) = places("small-writes", disk(write_kib=7.9), disk("b", write_kib=8.0))
    assert place.where == {"vm": "a", "disk": "os"}
    assert not outcome("new-disk", disk()).findings
    (place,) = places("new-disk", disk(), disk(name="d", role="data", new_disk=True))
    assert (place.where["disk"], place.row) == ("d", 1)
    (place,) = places("consistency-check", disk(cc_mode=True))
    assert place.found == 47


def test_large_disks_may_be_compared_unless_they_surely_are():
    assert not places("consistency-check-size", disk(size_gib=1024))
    assert places("consistency-check-size", disk(size_gib=1025))
    assert not places("consistency-check-size", disk(size_gib=1025, cc_mode=True))


def test_churn_is_that_of_the_vm():
    halves = [disk(churn_gib_per_day=100.0), disk(name="d", churn_gib_per_day=100.0)]
    assert not places("high-churn", *halves, as_of=NOW)
    halves[1]["churn_gib_per_day"] = 100.5
    (place,) = places("high-churn", *halves, as_of=NOW)
    assert (place.where, place.found, place.limit) == ({"vm": "a"}, 200.5, 200)
    assert "high-churn" not in {o.rule.id for o in run(*halves).outcomes}


@pytest.mark.parametrize(
    ("as_of", "most"),
    [(SEED, 4095), (datetime.date(2020, 1, 1), 32 * 1024), (NOW, 64 * 1024)],
)
def test_size_of_a_disk_by_date(as_of, most):
    assert not places("disk-size", disk(size_gib=most), as_of=as_of)
    (place,) = places("disk-size", disk(size_gib=most + 1), as_of=as_of)
    assert place.limit == most


def test_size_of_a_disk_when_no_source_says():
    one = outcome("disk-size", disk(size_gib=9e9), as_of=datetime.date(2019, 10, 3))
    assert one.status == "not checked"
    assert "figure of that time" in one.needs


def test_size_and_disks_of_a_vm():
    disks = [disk(name=f"d{i}", role="data", size_gib=65536) for i in range(8)]
    assert not places("vm-size", *disks, as_of=NOW)
    assert places("vm-size", *disks, disk(size_gib=1), as_of=NOW)
    data = [disk(name=f"d{i}", role="data") for i in range(33)]
    assert not places("vm-data-disks", disk(), *data[:16])
    assert places("vm-data-disks", disk(), *data[:17])
    assert not places("vm-disks", disk(), *data[:31], as_of=NOW)
    assert places("vm-disks", disk(), *data[:32], as_of=NOW)


def test_vms_of_a_policy_and_of_a_vault():
    assert not places("policy-vms", *fleet(100), as_of=NOW)
    (place,) = places("policy-vms", *fleet(101), as_of=NOW)
    assert place.where == {"vault": "v", "policy": "p"}
    other = disk("x", vault="w")  # its policy only has the same name
    assert not places("policy-vms", *fleet(100), other, as_of=NOW)
    assert places("vault-vms", *fleet(1001))
    assert not places("vault-vms", *fleet(1000))
    assert places("vault-vms", *fleet(101), as_of=datetime.date(2015, 9, 20))


@pytest.mark.parametrize(
    ("rule", "settings", "broken"),
    [
        ("shortest-retention", {"recovery_points": 6}, True),
        ("shortest-retention", {"recovery_points": 7}, False),
        ("recovery-points", {"recovery_points": 9999}, False),
        ("recovery-points", {"recovery_points": 10000}, True),
        ("snapshot-retention", {"recovery_points": 7, "snapshot_points": 7}, False),
        ("snapshot-retention", {"recovery_points": 7, "snapshot_points": 8}, True),
    ],
)
def test_retention_is_checked_when_the_caller_says_it(rule, settings, broken):
    assert outcome(rule, disk(), as_of=NOW).status == "not checked"
    assert bool(places(rule, disk(), as_of=NOW, **settings)) == broken


WEEKLY = {"recovery_points": 0, "weekly_points": 4}
ENHANCED = {"snapshot_policy": "enhanced"}
STANDARD = {"snapshot_policy": "standard"}
OFFERED = ENHANCED | {"snapshot_points": 7, "recovery_points": 180, "weekly_points": 12,
                      "monthly_points": 60, "yearly_points": 10}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "kept", "found"),
    [
        # a weekly policy keeps no daily points, and breaks no rule of daily ones
        ("shortest-retention", WEEKLY, None),
        ("shortest-retention", {"recovery_points": 0, "weekly_points": 0}, 0),
        ("snapshot-retention", WEEKLY | {"snapshot_points": 5}, None),
        ("snapshot-retention", {"recovery_points": 0, "weekly_points": 1,
                                "snapshot_points": 8}, 7),
        # 1 to 5 days of snapshots under Standard, 1 to 30 under Enhanced, fewer where
        # they are many a day: the page on instant restore
        ("snapshot-days", {"snapshot_points": 5, "snapshot_policy": "standard"}, None),
        ("snapshot-days", {"snapshot_points": 6, "snapshot_policy": "standard"}, 6),
        ("snapshot-days", {"snapshot_points": 0, "snapshot_policy": "standard"}, 0),
        ("snapshot-days", {"snapshot_points": 30} | ENHANCED, None),
        ("snapshot-days", {"snapshot_points": 31} | ENHANCED, 31),
        ("snapshot-days", {"snapshot_points": 30, "interval_h": 12} | ENHANCED, None),
        ("snapshot-days", {"snapshot_points": 17, "interval_h": 4} | ENHANCED, None),
        ("snapshot-days", {"snapshot_points": 18, "interval_h": 4} | ENHANCED, 18),
        ("snapshot-days", {"snapshot_points": 22, "interval_h": 6} | ENHANCED, None),
        ("snapshot-days", {"snapshot_points": 23, "interval_h": 6} | ENHANCED, 23),
        # 5 days under a weekly Standard policy, 5 to 20 under a weekly Enhanced one
        ("weekly-snapshot-days", WEEKLY | STANDARD | {"snapshot_points": 5}, None),
        ("weekly-snapshot-days", WEEKLY | STANDARD | {"snapshot_points": 4}, 4),
        ("weekly-snapshot-days", WEEKLY | ENHANCED | {"snapshot_points": 4}, 4),
        ("weekly-snapshot-days", WEEKLY | ENHANCED | {"snapshot_points": 20}, None),
        ("weekly-snapshot-days", WEEKLY | ENHANCED | {"snapshot_points": 21}, 21),
        ("weekly-snapshot-days", ENHANCED | {"snapshot_points": 2, "weekly_points": 4,
                                             "recovery_points": 7}, None),
        # what a new Enhanced policy is offered: the page on Enhanced policies
        ("offered-retention", OFFERED, 180),
        ("offered-retention", OFFERED | {"yearly_points": 0}, None),
        ("offered-retention", OFFERED | STANDARD, None),
        ("enhanced-interval", {"interval_h": 4} | ENHANCED, None),
        ("enhanced-interval", {"interval_h": 1} | ENHANCED, 1),
        ("daily-backups", {"interval_h": 12, "snapshot_policy": "standard"}, 2),
        ("daily-backups", {"interval_h": 24, "snapshot_policy": "standard"}, None),
        ("daily-backups", {"interval_h": 4} | ENHANCED, None),
        ("graded-retention", {"recovery_points": 30, "weekly_points": 5163,
                              "monthly_points": 1188, "yearly_points": 99}, None),
        ("graded-retention", {"recovery_points": 30, "weekly_points": 12,
                              "monthly_points": 1189, "yearly_points": 99}, 1189),
    ],
)  # fmt: skip
def test_what_a_policy_says_is_checked_in_cells_as_in_settings(rule, kept, found):
    in_cells = [disk(vm) | kept for vm in "ab"]
    said = [place.found for place in places(rule, *in_cells, as_of=NOW)]
    set_ = [place.found for place in places(rule, disk("a"), as_of=NOW, **kept)]
    assert said == set_ == ([] if found is None else [found])


@pytest.mark.parametrize("kind", ["ultra", "UltraSSD_LRS", "premium-ssd-v2"])
def test_new_kinds_of_disks_need_an_enhanced_policy(kind):
    (place,) = places("enhanced-disks", disk(disk_type=kind, **STANDARD), as_of=NOW)
    assert place.where == {"vm": "a", "disk": "os"}
    assert not places("enhanced-disks", disk(disk_type=kind, **ENHANCED), as_of=NOW)
    assert not places("enhanced-disks", disk(**STANDARD), as_of=NOW)
    one = outcome("enhanced-disks", disk(disk_type=kind), as_of=NOW)
    assert (one.status, one.unknown) == ("not checked", 1)


def test_unmanaged_disks_are_no_longer_backed_up():
    found = places("unmanaged-disks", own("a"), own("b", excluded=True), as_of=NOW)
    assert [place.where for place in found] == [{"vm": "a", "disk": "os"}]
    assert not places("unmanaged-disks", disk(), as_of=NOW)
    before = run(own("a"), as_of=datetime.date(2025, 12, 9))
    assert "unmanaged-disks" not in {one.rule.id for one in before.outcomes}


def test_each_policy_is_named_once():
    short = {"recovery_points": 3}
    rows = [disk(vm) | short for vm in "abc"]
    rows += [disk("d", policy="q") | short, disk("e", policy="r", recovery_points=7)]
    found = places("shortest-retention", *rows, as_of=NOW)
    assert [place.where["policy"] for place in found] == ["p", "q"]


def test_a_policy_is_named_where_some_cells_say_what_it_keeps():
    rows = disk("a", recovery_points=3), disk("b", policy="q")
    found = places("shortest-retention", *rows, as_of=NOW, recovery_points=4)
    named = {place.where.get("policy"): place.found for place in found}
    assert named == {"p": 3, "q": 4}
    (place,) = places("shortest-retention", disk("b"), as_of=NOW, recovery_points=4)
    assert (place.where, place.found, place.row) == ({}, 4, None)


def test_rules_of_the_faq_hold_since_it_states_them():
    before, since = datetime.date(2019, 6, 27), datetime.date(2019, 6, 28)
    rows = [d | {"recovery_points": 3} for d in fleet(101)]
    for rule in ("policy-vms", "shortest-retention"):
        assert places(rule, *rows, as_of=since)
        rules = {one.rule.id for one in run(*rows, as_of=before).outcomes}
        assert rule not in rules


# --- what is not known ---------------------------------------------------------------


def test_blank_cells_are_counted_and_not_guessed():
    bare = {k: v for k, v in disk().items() if k not in FULL}
    for one in run(bare, bare | {"vm": "b"}, as_of=SEED).outcomes:
        assert not one.findings
        if one.rule.id in {"disk-size", "vm-data-disks", "consistency-check-size"}:
            assert one.status == "held"
        else:
            assert one.status == "not checked"
            assert one.needs


def test_a_rule_says_for_how_many_it_lacks_data():
    one = outcome("vault-start", disk("a"), disk("b", vault=None), disk("c"))
    assert (one.status, one.known, one.unknown) == ("partly held", 2, 1)
    assert one.needs == "vault and start_h of 1 of 3 VMs"


def test_what_one_disk_says_of_its_vm_the_others_need_not_repeat():
    one = outcome("vault-vms", disk(vault=None), disk(name="d"))
    assert one.status == "held"


def test_what_the_caller_sets_is_no_guess():
    blank = [disk(f"vm{i}", vault=None) for i in range(101)]
    assert outcome("vault-start", *blank).status == "not checked"
    assert places("vault-start", *blank, vault="mine")[0].where["vault"] == "mine"
    assert outcome("vault-start", *blank, vault="mine", vault_vms=101).status == "held"


def test_churn_of_the_rest_cannot_undo_what_is_known_to_be_too_much():
    known, blank = disk(churn_gib_per_day=201.0), disk(name="d", churn_gib_per_day=None)
    one = outcome("high-churn", known, blank, as_of=NOW)
    assert (one.status, one.unknown) == ("broken", 0)
    known["churn_gib_per_day"] = 199.0
    one = outcome("high-churn", known, blank, as_of=NOW)
    assert (one.status, one.unknown) == ("not checked", 1)
    assert outcome("high-churn", known, blank, as_of=NOW, churn_frac=0.5).findings


def test_disks_that_are_not_backed_up_break_no_rule():
    large = {"size_gib": 9000, "write_kib": 1.0, "cc_mode": True}
    answer = run(
        disk(),
        disk(name="t", role="temp", **large),
        disk(name="x", excluded=True, **large),
    )
    assert not answer.findings


def test_a_fleet_with_nothing_to_back_up():
    answer = run(disk(excluded=True), as_of=NOW)
    assert not answer.findings


def test_thresholds_follow_the_gigabyte_and_the_caller():
    assert places("disk-size", disk(size_gib=4096), gb_bytes=1e9)
    assert not places("disk-size", disk(size_gib=4095), gb_bytes=1e9)
    old = Scenario.of(limits="2018-12")  # of 2026, but for the limits
    answer = check(pd.DataFrame([disk(size_gib=5000)]), old)
    assert [f.place.limit for f in answer.findings] == [4095]
    assert places("disk-size", disk(size_gib=4095), max_disk_gib=4000)


# --- one search serves notices and checks -----------------------------------------


def test_notices_and_findings_say_the_same():
    disks = [own(f"vm{i}", write_kib=4.0) for i in range(101)]
    scenario = Scenario.of("azure-2018-12")
    frame = pd.DataFrame(disks)
    said = {n.text for n in estimate(frame, scenario).warnings}
    found = {f.place.text for f in check(frame, scenario).findings}
    shared = {"vault-start", "account-schedule", "busy-account", "small-writes"}
    texts = {
        f.place.text for f in check(frame, scenario).findings if f.rule.id in shared
    }
    assert texts <= said & found
    assert len(texts) == 4


# --- what a check promises -------------------------------------------------------

CELLS = st.fixed_dictionaries(
    {
        "vault": st.sampled_from([None, "v", "{vault}"]),
        "policy": st.sampled_from([None, "p"]),
        "start_h": st.sampled_from([None, 1.0]),
        "managed": st.sampled_from([None, True]),
        "write_kib": st.sampled_from([None, 4.0, 8.0]),
        "new_disk": st.sampled_from([None, True, False]),
        "cc_mode": st.sampled_from([None, True, False]),
        "churn_gib_per_day": st.sampled_from([None, 0.0, 300.0]),
        "size_gib": st.sampled_from([1, 5000, 100000]),
    }
)


@given(st.lists(CELLS, min_size=1, max_size=5), st.sampled_from([SEED, NOW]))
def test_any_fleet_is_checked_to_the_last_row(cells, as_of):
    disks = [disk(f"{{{i}}}") | c for i, c in enumerate(cells)]
    answer = run(*disks, as_of=as_of)
    for one in answer.outcomes:
        if not one.version.needs:
            assert one.known + one.unknown == len(disks)
    for finding in answer.findings:
        assert set(finding.place.where) <= set(PLACES)
        assert 0 <= finding.place.row < len(disks)
    assert answer.count()["rules"] == len(answer.outcomes)


def test_the_worst_counts_and_a_suppressed_finding_does_not():
    answer = run(disk(size_gib=5000))
    assert answer.worst() == "error"
    assert answer.count()["error"] == 1
    assert run(disk()).worst() == ""


def test_a_million_disks_take_seconds():
    count = 1_000_000
    vm = pd.Series(np.arange(count) // 4).astype(str).astype("string")
    frame = pd.DataFrame(
        {
            "vm": vm,
            "disk": pd.Series(np.arange(count) % 4).astype(str).astype("string"),
            "role": pd.Series(np.where(np.arange(count) % 4, "data", "os")),
            "size_gib": np.where(np.arange(count) % 100, 128.0, 9000.0),
            "used_gib": 64.0,
            "vault": ("v" + (pd.Series(np.arange(count)) // 4 % 400).astype(str)),
            "managed": pd.Series(np.arange(count) % 2 == 0).astype("boolean"),
            "storage_account": "s" + pd.Series(np.arange(count) % 5000).astype(str),
            "start_h": 23.0,
        }
    )
    begun = time.perf_counter()
    answer = check(frame, Scenario.of("azure-2018-12"))
    assert time.perf_counter() - begun < 60  # seconds when the machine is free
    assert answer.count()["error"] == count // 100


def test_a_crowd_is_told_by_its_first_row():
    rows = pd.DataFrame({"vault": ["a", "b", None, "a", "b", "b"], "row": range(6)})
    assert list(practices.crowded(rows, ["vault"], 1)) == [
        ({"vault": "a"}, 2, 0),
        ({"vault": "b"}, 3, 1),
    ]
    assert list(practices.crowded(rows, ["vault"], 3, at_it=True)) == [
        ({"vault": "b"}, 3, 1)
    ]
