"""`vmbmodel.plan`: what an inventory comes to, against figures worked by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.sharing import completion_h
from vmbmodel.inventory import fleet
from vmbmodel.plan.estimate.answer import COLUMNS, SCHEMA, estimate, estimate_disks
from vmbmodel.plan.estimate.others import of_others
from vmbmodel.plan.estimate.transfers import completion_by_group_h
from vmbmodel.plan.scenario import Scenario, parse_setting
from vmbmodel.render import estimate_text
from vmbmodel.service import PROFILES, readings

SAMPLE = Path(__file__).parents[1] / "notebooks" / "data" / "fleet.csv"


def disk(vm="a", name="os", role="os", size=4095, used=100, **columns):
    row = {"vm": vm, "disk": name, "role": role, "size_gib": size, "used_gib": used}
    return row | columns


def answer(*disks, profile="azure-2018-12", **changes):
    scenario = Scenario.of(profile, settings=changes)
    return estimate_disks(pd.DataFrame(disks), scenario)


def row(*disks, **changes):
    return answer(*disks, **changes).vms.iloc[0]


A2 = (
    disk("a2", "os", "os", 4095, 17),
    disk("a2", "temp", "temp", 135, 5),
    disk("a2", "data1", "data", 4095, 30),
    disk("a2", "data2", "data", 4095, 0),
)


@pytest.fixture(scope="module")
def sample():
    return estimate(fleet.read_fleet(SAMPLE), Scenario.of())


# --- figures that others published ---------------------------------------------


@pytest.mark.parametrize("name", PROFILES.available())
def test_the_article_s_a2_vm(name):
    # article2018, "Backup costs": 17 + 30 + 0 = 47 GB, temporary disk left out;
    # announcement2015: 5 USD up to 50 GB.
    vm = row(*A2, profile=name)
    assert vm["disks"] == 3
    assert vm["protected_instance_gib"] == 47
    assert vm["protected_instances"] == 0.5
    assert vm["instance_usd"] == 5


def test_a_full_disk_of_4095_gib_misses_a_day():
    # 160 Mbps are 20e6 bytes/s: 4,095 GB take 204,750 s = 56.875 h, and 4,095
    # GiB 7.4 % more.
    full = disk(used=4095, first_backup=True)
    assert_allclose(row(full)["first_backup_h"], 4095 * 2**30 / 20e6 / 3600)
    decimal = row(full, gb_bytes=1e9)["first_backup_h"]
    assert_allclose(decimal, 56.875, rtol=1e-12)
    assert row(full)["deadline_prob"] == 0
    assert {n.code for n in answer(full).warnings} >= {
        "first_backup_misses_deadline",
        "deadline_at_risk",
    }


def test_documented_snapshot_example():
    # instantrestore2025: 100 GB, 2 % a day, five days: 10 GB and 108 GB
    vm = disk(used=100, churn_gib_per_day=2)
    rates = {
        "snapshot_standard_usd_per_gib_month": 1,
        "snapshot_enhanced_usd_per_gib_month": 1,
    }
    standard = row(vm, snapshot_points=5, **rates)
    enhanced = row(vm, snapshot_points=5, snapshot_policy="enhanced", **rates)
    assert standard["snapshot_usd"] == 10
    assert enhanced["snapshot_usd"] == 108


@pytest.mark.parametrize(
    ("used_gib", "usd"), [(50, 5), (50.01, 10), (500, 10), (500.01, 20), (1200, 30)]
)
def test_instance_tiers(used_gib, usd):
    # eweek2015 and infracost: 5 up to 50 GB, 10 up to 500, 10 for each begun 500
    assert row(disk(used=used_gib))["instance_usd"] == usd


def test_spreading_churn_over_disks_is_faster():
    # azure-docs, manage-recovery-points: 4 TB of churn on 1, 2 or 4 disks of a VM
    # are the slower the fewer the disks
    hours = [
        row(
            *(
                disk("vm", f"d{i}", role, 4095, 4000, churn_gib_per_day=4000 / n)
                for i, role in enumerate(["os", "data", "data", "data"][:n])
            )
        )["transfer_h"]
        for n in (4, 2, 1)
    ]
    assert hours[0] < hours[1] < hours[2]


# --- the parts add up -----------------------------------------------------------


def test_totals_are_sums_of_rows(sample):
    for name, total in sample.total.items():
        if name in sample.vms:
            assert total == math.fsum(sample.vms[name])
    assert sample.total["vms"] == len(sample.vms)
    late = math.fsum(1 - sample.vms["deadline_prob"])
    assert sample.total["expected_misses"] == late


def test_the_bill_of_a_row_is_its_three_lines(sample):
    lines = sample.vms[["instance_usd", "storage_usd", "snapshot_usd"]]
    assert_allclose(lines.sum(axis=1), sample.vms["total_usd"], rtol=1e-12)


def test_columns_are_those_of_the_contract(sample):
    assert list(sample.vms.columns) == ["vm", *COLUMNS]
    assert not sample.vms.isna().any(axis=None)


def test_temporary_and_excluded_disks_cost_and_take_nothing():
    one = disk(name="os", used=40)
    more = (
        disk(name="t", role="temp", used=999),
        disk(name="x", role="data", excluded=True),
    )
    pd.testing.assert_series_equal(row(one), row(one, *more))


def test_a_vm_with_nothing_to_back_up_costs_nothing():
    result = answer(disk(excluded=True))
    assert result.vms.loc[0, "total_usd"] == 0
    assert result.vms.loc[0, "disks"] == 0
    assert [n.code for n in result.warnings] == ["nothing_to_back_up"]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"deadline_h": 2.0, "rto_h": 0.5},
        {"vault_servers": 1.0, "snapshot_points": 0.0},
        {"transfer_scv": 0.5, "deadline_clock": "job"},
        {"line_reading": "one-pool", "eight_hours": "overload"},
        {"restore_law": "rates"},
    ],
)
def test_a_vm_with_nothing_to_back_up_waits_misses_and_changes_nothing(settings):
    busy = [disk(f"vm{i}", used=500, role="os") for i in range(3)]
    more = [disk(name, used=9, excluded=True) for name in "zy"]
    alone, beside = (
        estimate(pd.DataFrame(rows), Scenario.of(settings=settings), draws=32)
        for rows in (busy, busy + more)
    )
    idle = beside.vms[beside.vms["disks"] == 0]
    assert idle["vm"].tolist() == ["z", "y"]
    assert (idle[["deadline_prob", "rto_prob"]] == 1).all(axis=None)
    hours = [name for name in idle.columns if name.endswith("_h")]
    hours = [name for name in hours if name not in ("start_h", "deadline_h")]
    assert len(hours) > 10
    assert (idle[hours] == 0).all(axis=None)
    assert beside.total == {**alone.total, "vms": 5}
    assert (beside.policies["vms"] == 5).all()
    assert_allclose(
        beside.policies.iloc[0, 3:].to_numpy(float),
        alone.policies.iloc[0, 3:].to_numpy(float),
    )
    busy = beside.vms[beside.vms["disks"] > 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(busy, alone.vms)
    codes = {notice.code for notice in beside.warnings if notice.vm in ("y", "z")}
    assert codes == {"nothing_to_back_up"}
    ends = [f"{name}_{end}" for name in ("misses_per_month", "total_usd") for end in
            ("low", "high")]  # fmt: skip
    drawn = (beside.to_dict()["total"], alone.to_dict()["total"])
    assert [drawn[0][name] for name in ends] == [drawn[1][name] for name in ends]


def test_managed_disks_do_not_share_and_unmanaged_ones_do():
    account = {"managed": False, "storage_account": "st", "first_backup": True}
    crowd = [disk(f"vm{i}", used=100, **account) for i in range(40)]
    alone_h = row(crowd[0])["transfer_h"]
    capacity = 20 * 160e6 / 8 / 2**20  # room for twenty disks at 160 Mbps
    shared_h = row(*crowd, account_mib_s=capacity)["transfer_h"]
    assert_allclose(shared_h, 2 * alone_h)
    managed = [vm | {"managed": True} for vm in crowd]
    assert_allclose(row(*managed, account_mib_s=capacity)["transfer_h"], alone_h)


def test_requests_of_an_account_limit_scattered_increments():
    account = {"managed": False, "storage_account": "st", "dispersion": 1}
    crowd = [
        disk(f"vm{i}", used=100, churn_gib_per_day=5, **account) for i in range(80)
    ]
    # each sends 5 GiB in cells of 8 KiB, 95 % of them a run's first, and reads its
    # blocks in requests of 4 MiB; the account answers 20,000 requests a second
    requests = 80 * (5 * 131072 * 0.95 + 100 * 256 * (1 - 0.95**256))
    assert_allclose(row(*crowd)["transfer_h"], requests / 20000 / 3600, rtol=1e-6)


def test_a_new_disk_is_copied_whole_beside_the_others():
    old, new = (
        disk(name="os", used=40),
        disk(name="d", role="data", used=400, new_disk=True),
    )
    vm = row(old, new)
    assert_allclose(vm["transfer_h"], 400 * 2**30 / 20e6 / 3600)
    assert [n.code for n in answer(old, new).warnings] == ["new_disk"]


def test_a_restore_waits_with_the_backups_only_if_it_has_to():
    rates = {"restore_law": "rates", "restore_first": False}
    queued = row(*A2, **rates)
    first = row(*A2, **rates | {"restore_first": True})
    assert queued["restore_vault_p95_h"] > first["restore_vault_p95_h"] + 5
    # eight hours at the 95 % quantile, then copy and creation
    queued = row(*A2, **rates, eight_hours="quantile")
    copy_h = 30 * 2**30 / 60e6 / 3600
    vm_h = Scenario.of("azure-2018-12")["vm_creation_h"]
    assert_allclose(queued["restore_vault_p95_h"], 8 + copy_h + vm_h, rtol=1e-9)


def test_both_restores_end_with_a_vm_that_runs():
    # 3 min 07 s for the disks of one published instant restore, and the VM besides
    vm_h = Scenario.of("azure-2018-12")["vm_creation_h"]
    assert_allclose(row(*A2)["restore_snapshot_h"], 187 / 3600 + vm_h)
    assert row(*A2, snapshot_points=0)["restore_snapshot_h"] == math.inf


def test_eight_hours_are_what_95_of_100_do_not_exceed_in_balance():
    vm = row(*A2, eight_hours="quantile")
    scenario = Scenario.of("azure-2018-12")
    done_h = scenario["snapshot_h"] + vm["transfer_h"] + 8
    assert_allclose(vm["job_p95_h"], done_h, rtol=1e-9)
    idle = row(*A2, utilisation_frac=0)
    assert idle["wait_mean_h"] == 0
    assert_allclose(idle["done_p95_h"], done_h - 8, rtol=1e-9)
    stuck = row(*A2, utilisation_frac=1.2)
    assert stuck["done_p50_h"] == math.inf
    assert stuck["deadline_prob"] == 0


def test_eight_hours_are_what_a_night_piles_up():
    # six hours at 1 + 8/6 of what the movers can do, less the jobs that the movers
    # idle at 30 % took at once; they come to eight again with twenty jobs a minute
    # who starts so that its snapshot is done at 4:00 meets the end of the peak
    early = {"eight_hours": "overload", "snapshot_h": 0}
    late = row(*A2, start_h=4, **early)
    assert 7.3 < late["wait_mean_h"] < 8 < late["job_p95_h"]
    many = {"servers": 1000, "service_h": 0.05} | early
    assert_allclose(row(*A2, start_h=4, **many)["wait_mean_h"], 8, atol=0.1)
    assert_allclose(row(*A2, start_h=1, **many)["wait_mean_h"], 4, atol=0.1)
    assert_allclose(row(*A2, start_h=8, **many)["wait_mean_h"], 8 - 0.7 * 4, atol=0.1)
    assert row(*A2, start_h=21, **early)["wait_mean_h"] < 0.02
    assert row(*A2, start_h=4, peak_wait_h=3, **early)["wait_mean_h"] < 3
    moved = row(*A2, start_h=10, peak_start_h=4, **early)
    assert_allclose(moved["wait_mean_h"], late["wait_mean_h"], rtol=1e-6)


def test_a_day_of_more_work_than_hours_never_clears():
    vm = row(*A2, offpeak_utilisation_frac=0.6, eight_hours="overload")
    assert vm["wait_mean_h"] == vm["done_p50_h"] == math.inf
    assert vm["deadline_prob"] == 0


# --- the longer, the fuller, the later ------------------------------------------


@settings(max_examples=12)
@given(
    used=st.floats(1, 4000),
    share=st.floats(0, 0.1),
    dispersion=st.floats(0, 1),
    write=st.sampled_from([4, 8, 64]),
)
def test_more_data_more_scatter_and_smaller_writes_never_help(
    used, share, dispersion, write
):
    # as long as less than half of the cells change: beyond, their runs merge
    def hours(**changes):
        columns = {"dispersion": dispersion, "write_kib": write}
        columns |= {"churn_gib_per_day": share * used} | changes
        return row(disk(used=used, **columns))["transfer_h"]

    now = hours() * (1 - 1e-12)
    assert hours(dispersion=min(1, dispersion * 1.5)) >= now
    assert hours(write_kib=write / 2) >= now
    assert hours(churn_gib_per_day=1.1 * share * used) >= now * (1 - 1e-9)


@settings(max_examples=25)
@given(data=st.data())
def test_groups_come_out_as_if_each_were_alone(data):
    counts = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))
    group = np.repeat(np.arange(len(counts)), counts)
    numbers = st.floats(0.1, 100)
    many = st.lists(numbers, min_size=len(group), max_size=len(group))
    size, cap = np.array(data.draw(many)), np.array(data.draw(many))
    capacity = np.array([data.draw(numbers) for _ in counts])
    shuffled = np.random.default_rng(1).permutation(len(group))
    done = np.empty(len(group))
    done[shuffled] = completion_by_group_h(
        group[shuffled], size[shuffled], cap[shuffled], capacity
    )
    for number in range(len(counts)):
        own = group == number
        alone = completion_h(size[own], cap[own], capacity[number])
        assert_allclose(done[own], alone, rtol=1e-11)


# --- what is said beside the numbers ---------------------------------------------


def test_nothing_is_filled_in_silently():
    result = answer(*A2, disk("b", "os", start_h=2, managed=True))
    taken = {a.id: a for a in result.assumptions}
    assert taken["column.start_h"].value == 23
    assert "for 4 disks" in taken["column.start_h"].text
    assert (
        "churn_gib_per_day taken as 0.05 of used_gib"
        in taken["column.churn_gib_per_day"].text
    )
    full = {name: value for name, value in disk().items()}
    full |= dict(
        churn_gib_per_day=1,
        write_kib=8,
        dispersion=0.1,
        active_frac=1,
        managed=True,
        vault="v",
        policy="p",
        start_h=1,
        first_backup=False,
        new_disk=False,
        cc_mode=False,
        trusted_launch=False,
        excluded=False,
        redundancy="LRS",
        recovery_points=180,
    )
    whole = {a.id for a in answer(full).assumptions}
    assert not {name for name in whole if name.startswith("column.")}
    silent = {"reading.silent-inventory"}
    silent |= {f"profile.{name}" for name in (*SILENT, "recovery_points", "write_kib")}
    assert not silent & whole
    assert silent <= {a.id for a in answer(full, disk("b")).assumptions}


SILENT = ("churn_frac", "dispersion", "active_frac")


def test_only_choices_that_some_vm_takes_are_said_to_be_taken():
    told = disk(recovery_points=180)
    said = {a.id: a for a in answer(told, disk("b") | told | {"vm": "b"}).assumptions}
    silent = said["reading.silent-inventory"]
    assert silent.text == (
        "Where a cell is blank: churn_frac 0.05, dispersion 0.1, active_frac 1."
    )
    assert [word.partition("=")[0] for word in silent.switch.split()[1::2]] == [*SILENT]
    assert "profile.recovery_points" not in said
    kept = {a.id: a for a in answer(told, disk("b")).assumptions}
    assert kept["profile.recovery_points"].value == 30
    assert "30 daily points" in kept["reading.silent-inventory"].text


@pytest.mark.parametrize(
    ("told", "chosen"),
    [
        ({}, ["recovery_points 30", "deadline_h 24.00", "rto_h 4.00"]),
        ({"recovery_points": 180}, ["deadline_h 24.00", "rto_h 4.00"]),
    ],
)
def test_what_is_yours_to_choose_is_what_the_inventory_leaves_open(told, chosen):
    lines = estimate_text(answer(disk(**told))).splitlines()
    (said,) = (line for line in lines if "Yours to choose" in line)
    assert said == f"  Yours to choose, and taken as: {', '.join(chosen)}."
    decisive = ("churn_frac", "dispersion")
    full = estimate_text(answer(disk(dispersion=0.5, churn_gib_per_day=1)))
    for name in decisive:
        assert any(line.startswith(f"  {name} ") for line in lines)
        assert f"  {name} " not in full


def test_every_reading_and_every_assumed_constant_is_listed():
    scenario = Scenario.of()
    listed = {a.id for a in answer(*A2, profile="azure-2026-01").assumptions}
    assert {f"reading.{r.id}" for r in readings()} <= listed
    for kind, constants in scenario.sets():
        for name, origin in constants.origins.items():
            assert (origin.status == "assumed") == (f"{kind}.{name}" in listed)


@pytest.mark.parametrize(
    "reading", [r for r in readings() if r.switch], ids=lambda r: r.id
)
def test_a_reading_switched_changes_a_number_and_says_so(reading):
    changes = {n: parse_setting(n, v) for n, v in reading.settings.items()}
    small = disk("small", size=32, used=20, dispersion=1, disk_type="premium-ssd")
    big = disk("big", used=3000, churn_gib_per_day=100, snapshot_policy="enhanced")
    disks = (*A2, big, small)
    before, after = answer(*disks), answer(*disks, **changes)
    dated = {"profile": "azure-2026-01"} if reading.id == "start-slack" else {}
    if dated:  # the article of 2018 knows no slack
        before, after = answer(*disks, **dated), answer(*disks, **dated, **changes)
    assert not before.vms.equals(after.vms)
    said = {a.id: a for a in after.assumptions}[f"reading.{reading.id}"]
    assert said.value == changes


def test_json_is_the_documented_object_without_nan(sample):
    whole = json.loads(json.dumps(sample.to_dict(), allow_nan=False))
    assert list(whole) == [
        "schema",
        "model",
        "given",
        "inputs",
        "vms",
        "total",
        "policies",
        "assumptions",
        "warnings",
        "inventory",
        "digest",
    ]
    assert whole["schema"] == SCHEMA
    assert set(whole["model"]) == {"version", "profile", "prices", "limits"}
    assert all(
        len(whole["model"][k]["sha256"]) == 64 for k in ("profile", "prices", "limits")
    )
    assert whole["assumptions"][0].keys() == {
        "id",
        "text",
        "value",
        "switch",
    }
    assert whole["warnings"][0].keys() == {"code", "vm", "text"}
    assert whole["inputs"]["servers"] == 10
    stuck = answer(*A2, utilisation_frac=1).to_dict()
    assert stuck["vms"][0]["done_p95_h"] == "inf"


def test_what_is_more_than_a_float_can_hold_is_without_end():
    dear = answer(*A2, disk("b"), instance_fee_usd=1.7e308)
    assert dear.total["instance_usd"] == math.inf
    assert answer(*A2, initial_mib_s=1e-320).vms["first_backup_h"][0] == math.inf


def test_a_changed_profile_does_not_pass_for_the_published_one():
    changed = answer(*A2, servers=20).to_dict()["model"]["profile"]["name"]
    assert changed == "azure-2018-12 (modified)"


@pytest.mark.parametrize(
    ("disks", "code"),
    [
        ([disk(write_kib=4)], "small_writes"),
        ([disk(used=2000, cc_mode=True)], "consistency_check"),
        ([disk(f"v{i}") for i in range(101)], "own_line"),
        ([disk(f"v{i}") for i in range(101)], "traffic_jam"),
        (
            [disk(f"v{i}", managed=False, storage_account="s") for i in range(11)],
            "busy_account",
        ),
        (
            [disk(f"v{i}", managed=False, storage_account="s") for i in range(21)],
            "crowded_schedule",
        ),
    ],
)
def test_what_deserves_a_look_is_pointed_out(disks, code):
    assert code in {n.code for n in answer(*disks).warnings}
    assert code not in {n.code for n in answer(disk()).warnings}


def test_churn_above_the_documented_limit_is_pointed_out():
    codes = {
        n.code
        for n in answer(disk(churn_gib_per_day=201), profile="azure-2026-01").warnings
    }
    assert "high_churn" in codes


@pytest.mark.parametrize(
    ("cells", "settings", "assumed"),
    [
        ({"churn_gib_per_day": 300}, {}, False),
        ({"churn_gib_per_day": None}, {}, True),
        ({"churn_gib_per_day": None}, {"churn_frac": 0.06}, False),
    ],
)
def test_an_assumed_churn_is_not_told_as_if_it_were_known(cells, settings, assumed):
    large = disk(size_gib=8192, used_gib=8000, **cells)
    notices = answer(large, profile="azure-2026-01", **settings).warnings
    (high,) = (n.text for n in notices if n.code == "high_churn")
    assert high.endswith("Its churn is assumed.") == assumed


# --- settings --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("servrs", "2", "there is no setting 'servrs'; did you mean 'servers'?"),
        ("servers", "many", "servers must be a number > 0 and finite; got 'many'"),
        ("servers", "nan", "servers must be a number > 0 and finite; got 'nan'"),
        ("dispersion", "2", "dispersion must be a number >= 0 and <= 1; got '2'"),
        ("recovery_points", "2.5", "recovery_points must be a whole number"),
        ("managed", "perhaps", "managed must be true or false; got 'perhaps'"),
        ("redundancy", "GSR", "redundancy cannot be 'GSR'; did you mean 'GRS'?"),
    ],
)
def test_a_bad_setting_is_named(name, text, message):
    with pytest.raises(ValueError, match=f"^{message.replace('?', '[?]')}"):
        parse_setting(name, text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mean_wait_h": 1.0}, "there is no setting 'mean_wait_h'"),
        ({"servers": 0}, "servers must be a number > 0"),
        ({"managed": "yes"}, "managed must be true or false"),
        ({"start_h": 24}, "start_h must be a number >= 0 and < 24"),
        ({"incremental_reading": "use"}, "incremental_reading cannot be 'use'"),
    ],
)
def test_a_scenario_refuses_what_it_cannot_use(settings, message):
    with pytest.raises(ValueError, match=message):
        Scenario.of(settings=settings)


def test_the_limits_are_those_of_the_profile_s_date():
    assert Scenario.of("azure-2018-12").limits.name == "2018-12"
    assert Scenario.of("azure-2018-12", limits="2023-08").limits.name == "2023-08"


def test_what_one_disk_says_of_its_vm_holds_for_the_others():
    known, blank = disk("a", start_h=2.0, redundancy="LRS"), disk("a", "d", "data")
    for disks in ([known, blank], [blank, known]):
        result = answer(*disks)
        stored = result.vms.loc[0, "stored_gib"]
        assert_allclose(result.vms.loc[0, "storage_usd"], stored * 0.0224)
        taken = {a.id for a in result.assumptions}
        assert taken.isdisjoint({"column.start_h", "column.redundancy"})


def test_a_blank_cell_takes_the_setting_and_a_filled_one_does_not():
    blank, filled = disk("a", dispersion=None), disk("b", dispersion=0.0)
    result = answer(blank, filled, dispersion=1.0).vms["transfer_h"]
    assert result[0] > result[1]
    assert_allclose(result[1], answer(filled).vms["transfer_h"][0])


# --- what limits disks that move together -----------------------------------------


def test_applications_take_their_share_of_an_account():
    account = {"managed": False, "storage_account": "st", "first_backup": True}
    crowd = [disk(f"vm{i}", used=100, **account) for i in range(20)]
    rate = 160e6 / 8 / 2**20
    alone_h = row(crowd[0], account_mib_s=20 * rate)["transfer_h"]
    busy = {"account_mib_s": 20 * rate, "application_frac": 0.75}
    assert_allclose(row(*crowd, **busy)["transfer_h"], 4 * alone_h)
    assert_allclose(row(*crowd[:5], **busy)["transfer_h"], alone_h)
    managed = [vm | {"managed": True} for vm in crowd]
    assert_allclose(row(*managed, **busy)["transfer_h"], alone_h)


def test_managed_disks_of_a_vm_share_its_rate_where_it_has_one():
    # 640 Mbps for four disks of 160 Mbps are their own; 160 Mbps for all, a quarter
    four = [disk("a", f"d{i}", "data", used=100, first_backup=True) for i in range(4)]
    alone_h = row(*four)["transfer_h"]
    rate = 160e6 / 8 / 2**20
    assert_allclose(row(*four, vm_mib_s=4 * rate)["transfer_h"], alone_h)
    assert_allclose(row(*four, vm_mib_s=rate)["transfer_h"], 4 * alone_h)
    other = [vm | {"vm": "b"} for vm in four]
    assert_allclose(answer(*four, *other, vm_mib_s=rate).vms["transfer_h"], 4 * alone_h)
    unmanaged = {"managed": False, "storage_account": "st"}
    mixed = [vm | unmanaged for vm in four[:2]] + four[2:]
    assert_allclose(row(*mixed, vm_mib_s=rate)["transfer_h"], 2 * alone_h)


def test_the_tier_of_a_disk_limits_it_only_if_read_so():
    # a P4 of 32 GiB: 120 requests a second, a blob 500; 25 MB/s, a blob 60
    scattered = {"churn_gib_per_day": 2, "dispersion": 1, "write_kib": 8}
    one_run = scattered | {"dispersion": 0}
    for kind in ("premium-ssd", "Premium_LRS", "P4"):
        small = {"size": 32, "used": 20, "disk_type": kind}
        for how, slower in ((scattered, 500 / 120), (one_run, 60 / 25)):
            disks = [disk(**small, **how)]
            free, capped = (
                row(*disks, tier_reading=tier)["transfer_h"]
                for tier in ("snapshot", "disk")
            )
            assert_allclose(capped, slower * free, rtol=1e-12)
    for kind in (None, "ultra", "PremiumV2_LRS", "P30", "standard-hdd"):
        small = disk(size=32, used=20, disk_type=kind, **scattered)
        free, capped = (answer(small, tier_reading=t) for t in ("snapshot", "disk"))
        pd.testing.assert_frame_equal(free.vms, capped.vms)
        said = {a.id: a.text for a in capped.assumptions}
        assert ("column.disk_type" in said) == (kind is None)


@settings(max_examples=10)
@given(
    sizes=st.lists(st.floats(1, 2000), min_size=1, max_size=6),
    more=st.floats(1, 2000),
    dispersion=st.floats(0, 1),
    less=st.floats(0.05, 1),
)
def test_more_disks_and_less_capacity_never_help(sizes, more, dispersion, less):
    def hours(sizes, **changes):
        account = {"managed": False, "storage_account": "st", "dispersion": dispersion}
        disks = [
            disk(
                "a", f"d{i}", "data", used=size, churn_gib_per_day=size / 10, **account
            )
            for i, size in enumerate(sizes)
        ]
        limits = {"account_mib_s": 150.0, "account_iops": 1000.0} | changes
        found = row(*disks, **limits)
        return np.array([found["transfer_h"], found["first_backup_h"]])

    now = hours(sizes) * (1 - 1e-12)
    assert (hours([*sizes, more]) >= now).all()
    assert (hours(sizes, account_mib_s=150 * less) >= now).all()
    assert (hours(sizes, account_iops=1000 * less) >= now).all()
    assert (hours(sizes, application_frac=1 - less) >= now).all()
    managed = [disk("a", f"d{i}", "data", used=size) for i, size in enumerate(sizes)]
    free_h = row(*managed)["transfer_h"]
    assert row(*managed, vm_mib_s=60 * less)["transfer_h"] >= free_h * (1 - 1e-12)


def test_a_transfer_that_varies_by_drawn_nights():
    # 200 000 nights of a first copy of about 12 h, seed 9, at 3.9 standard errors:
    # a lognormal transfer beside the wait of the hour, drawn from its quantiles
    whole = disk("whole", used=800, first_backup=True)
    scenario = Scenario.of(settings={"transfer_scv": 0.33, "start_h": 23})
    vm = estimate(pd.DataFrame([whole]), scenario).vms.iloc[0]
    rng, nights = np.random.default_rng(9), 200_000
    spread = np.sqrt(np.log1p(0.33))
    moved_h = vm["transfer_h"] * rng.lognormal(-(spread**2) / 2, spread, nights)
    waited_h = of_others(scenario).quantile_h(23.0, rng.random(nights))
    taken_h = scenario["extension_h"] + scenario["snapshot_h"] + moved_h + waited_h
    taken_h += scenario["start_slack_h"] * rng.random(nights)
    error = 3.9 * np.sqrt(0.25 / nights)
    assert abs(vm["deadline_prob"] - np.mean(taken_h <= 24)) < error
    assert abs(np.mean(taken_h <= vm["done_p95_h"]) - 0.95) < error
    assert abs(np.mean(taken_h <= vm["done_p50_h"]) - 0.5) < error


@pytest.mark.parametrize("family", ["normal", "gamma", "lognormal"])
@pytest.mark.parametrize("reading", ["published", "overload", "quantile"])
def test_a_transfer_that_hardly_varies_is_one_that_does_not(family, reading):
    disks = (disk("whole", used=800, first_backup=True), disk("small", used=47))
    fixed = answer(*disks, eight_hours=reading).vms
    hardly = {"transfer_scv": 1e-6, "transfer_family": family}
    varied = answer(*disks, eight_hours=reading, **hardly).vms
    for name in ("deadline_prob", "done_p50_h", "done_p95_h"):
        assert_allclose(varied[name], fixed[name], rtol=2e-3, atol=2e-3)


def test_what_never_is_done_never_is_if_it_varies():
    disks = (disk("none", used=0), disk("all", used=4095, first_backup=True))
    vms = answer(*disks, transfer_scv=0.33, utilisation_frac=1.0).vms
    assert (vms["deadline_prob"] == 0).all()
    assert (vms["done_p95_h"] == np.inf).all()
