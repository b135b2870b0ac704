"""Constants of the service: sourced, dated, converted once, immutable."""

import ast
import copy
import dataclasses
import datetime
import hashlib
import math
import pickle
import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from vmbmodel import fields as units
from vmbmodel.service import (
    LIMITS,
    PRICES,
    PROFILES,
    STATUSES,
    Catalogue,
    disk_tiers,
    disk_tiers_on,
    encryptions,
    readings,
    rules,
    storage_usd_per_gib_month,
)

ROOT = Path(__file__).parents[1]
CATALOGUES = (PROFILES, PRICES, LIMITS)
SETS = [c.load(name) for c in CATALOGUES for name in c.available()]
BIB_KEYS = set(
    re.findall(
        r"^@\w+\{(\w+),", (ROOT / "book/references.bib").read_text("utf-8"), re.M
    )
)
every_set = pytest.mark.parametrize("constants", SETS, ids=lambda c: c.name)

SEED = PROFILES.load("azure-2018-12")
TINY = Catalogue(kind="profile", folder="profiles", required=("deadline_h",))
GOOD = """
[about]
title = "A set for a test"
as_of = 2018-12-11

[deadline_h]
documented = "24 h"
source = "article2018"
locator = "Time considerations"
retrieved = 2026-11-22
status = "documented"
"""


def read(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    return TINY.read(path)


# --- what the files hold ------------------------------------------------------


def test_sets_that_come_with_the_package():
    assert [s.name for s in SETS] == [
        "azure-2018-12",
        "azure-2026-01",
        "azure-list-2026-01",
        "2015-09",
        "2015-10",
        "2018-12",
        "2023-08",
        "2026-01",
    ]


@every_set
def test_every_constant_is_a_field_with_a_full_origin(constants):
    assert list(constants.origins) == list(constants)
    for name, origin in constants.origins.items():
        assert constants[name] in units.fields()[name].range
        assert origin.status in STATUSES
        assert origin.source in BIB_KEYS, name
        assert origin.locator.strip()
        assert origin.retrieved >= constants.as_of


# days on which pages were read; a set that is read again adds one
READ_ON = {datetime.date(2026, 11, day) for day in (22, 28)}


@every_set
def test_every_figure_was_read_on_a_day_of_reading(constants):
    for name, origin in constants.origins.items():
        assert origin.retrieved in READ_ON, name


@every_set
def test_an_assumption_says_why(constants):
    for name, origin in constants.origins.items():
        if origin.status != "documented":
            assert origin.note.endswith("."), name
        if origin.source == "readings":
            assert origin.status == "assumed", name


@every_set
def test_a_figure_older_than_its_set_says_where_it_is_carried_from(constants):
    for name, origin in constants.origins.items():
        if origin.source == "article2018" and constants.as_of.year > 2018:
            assert re.search("2018|[Cc]arried", origin.note + origin.locator), name


def test_a_command_in_a_reading_sets_what_the_reading_says():
    told = {reading.id: reading.alternative for reading in readings()}
    set_to = re.search(
        r"^(\d+) TB: check --set max_disk_gib=(\d+) finds", told["largest-disk"]
    )
    assert int(set_to[2]) == int(set_to[1]) * 1024 == 32768


def test_locators_of_our_own_readings_exist():
    known = {f"reading {reading.id}" for reading in readings()}
    for constants in SETS:
        for origin in constants.origins.values():
            if origin.source == "readings":
                assert origin.locator in known


# Each by hand, from the figure as it is printed: Mbps and MB/s are decimal, KB, GB
# and TB binary.
SEED_BY_HAND = {
    "initial_mib_s": 160e6 / 8 / 1048576,  # 19.0735
    "incremental_mib_s": 640e6 / 8 / 1048576,  # 76.2939
    "blob_mib_s": 60e6 / 1048576,  # 57.2205
    "blob_iops": 500,
    "account_iops": 20000,
    "account_mib_s": 50e9 / 8 / 1048576,  # 5960.46
    "account_ingress_mib_s": 10e9 / 8 / 1048576,  # 1192.09
    "vm_mib_s": math.inf,
    "replace_h": 28 / 60,
    "rto_h": 4,
    "interval_h": 24,
    "request_kib": 4 * 1024,
    "cell_kib": 8,
    "block_kib": 2048,
    "overlap_frac": 1,
    "peak_wait_h": 8,
    "peak_wait_prob": 0.95,
    "peak_start_h": 22,
    "peak_h": 6,
    "offpeak_utilisation_frac": 0.3,
    "deadline_h": 24,
    "servers": 10,
    "vault_servers": 100,
    "own_vault_servers": 10,
    "others_wait_prob": 1,
    "others_wait_mean_h": 2.4,
    "others_wait_log_sd": 0.5,
    "service_h": 1,
    "extension_h": 31.3 / 3600,
    "snapshot_h": (15 * 60 + 26) / 3600,
    "start_slack_h": 0,
    "restore_p50_h": 33.7 / 60,
    "restore_log_sd": 0.5,
    "restore_sample": 43,
    "restore_known_gib": 192,
    "restore_mib_s": 60e6 / 1048576,
    "snapshot_copy_h": (3 * 60 + 7) / 3600,
    "vm_creation_h": 22 / 60,
    "snapshot_points": 7,
    "recovery_points": 30,
    "churn_frac": 0.05,
    "dispersion": 0.1,
    "write_kib": 8,
    "active_frac": 1,
    "vault_vms": 100,
    "account_disks": 20,
    "busy_account_disks_low": 5,
    "busy_account_disks_high": 10,
    "min_write_kib": 8,
    "cc_mode_gib": 1024,
    "free_space_frac": 0.5,
}
LATER_BY_HAND = {
    "account_ingress_mib_s": 25e9 / 8 / 1048576,  # 2980.23
    "blob_mib_s": 60,
    "snapshot_h": (17 * 60 + 40) / 3600,
    "start_slack_h": 2,
    "restore_mib_s": 30e6 / 1048576,  # 28.61
    "snapshot_points": 2,
    "policy_vms": 100,
    "max_churn_gib_per_day": 200,
    "high_churn_backup_h": 8,
}
GONE_BY_2026 = {"vault_vms", "account_disks", "min_write_kib", "cc_mode_gib"}


def test_profile_of_2018_by_hand():
    assert dict(SEED) == pytest.approx(SEED_BY_HAND, rel=1e-12)


def test_profile_of_2026_by_hand():
    expected = {n: v for n, v in SEED_BY_HAND.items() if n not in GONE_BY_2026}
    later = PROFILES.load("azure-2026-01")
    assert dict(later) == pytest.approx(expected | LATER_BY_HAND, rel=1e-12)


def test_eight_hours_of_a_jam_of_a_hundred_vms():
    # The note to own_vault_servers: nine rounds of 0.9 h before the last ten of 100.
    rounds_before = SEED["vault_vms"] / SEED["own_vault_servers"] - 1
    assert rounds_before * 0.9 == pytest.approx(SEED["peak_wait_h"], rel=0.02)


def test_prices_by_hand():
    book = PRICES.load("azure-list-2026-01")
    assert book["instance_fee_usd"] == 10
    assert book["small_instances"] * book["instance_fee_usd"] == 5  # eWEEK, 2015
    assert book["small_instance_gib"] == 50
    assert book["instance_step_gib"] == 500
    usd_per_eur = 10 / 8.775779  # the instance that costs 10 USD
    for redundancy, eur in {
        "LRS": 0.019658,
        "ZRS": 0.024572,
        "GRS": 0.039315,
        "RA-GRS": 0.049934,
    }.items():
        rate = storage_usd_per_gib_month(book, redundancy)
        assert rate == pytest.approx(eur * usd_per_eur, rel=1e-4)
    assert book["snapshot_standard_usd_per_gib_month"] == 0.12
    assert book["snapshot_enhanced_usd_per_gib_month"] == 0.05


def test_unknown_redundancy_is_named():
    with pytest.raises(
        ValueError, match=r"no redundancy 'RAGRS'; did you mean 'RA-GRS'"
    ):
        storage_usd_per_gib_month(PRICES.load("azure-list-2026-01"), "RAGRS")


@pytest.mark.parametrize(
    ("date", "name", "vms", "disk_gib"),
    [
        ((2015, 9, 16), "2015-09", 100, None),
        ((2015, 10, 4), "2015-09", 100, None),
        ((2015, 10, 5), "2015-10", 200, None),
        ((2018, 12, 6), "2015-10", 200, None),
        ((2018, 12, 11), "2018-12", 1000, 4095),
        ((2023, 8, 14), "2023-08", 1000, 32 * 1024),
        ((2026, 11, 22), "2026-01", None, 64 * 1024),
    ],
)
def test_limits_in_force(date, name, vms, disk_gib):
    table = LIMITS.in_force(datetime.date(*date))
    assert table.name == name
    assert table.get("vault_protected_vms") == vms
    assert table.get("max_disk_gib") == disk_gib
    assert table["daily_backups"] == 1


# Each by hand from the table of its source; a TB is 1024 GiB, a day 24 h.
LIMITS_BY_HAND = {
    "2015-09": {
        "vault_protected_vms": 100,
        "subscription_vaults": 25,
        "daily_backups": 1,
        "vm_data_disks": 16,
    },
    "2015-10": {
        "vault_protected_vms": 200,
        "region_vaults": 25,
        "daily_backups": 1,
        "vm_data_disks": 16,
    },
    "2018-12": {
        "vault_protected_vms": 1000,
        "region_vaults": 500,
        "daily_backups": 1,
        "vm_data_disks": 16,
        "max_disk_gib": 4095,
    },
    "2023-08": {
        "vault_protected_vms": 1000,
        "vault_datasources": 2000,
        "subscription_vaults": 500,
        "daily_backups": 1,
        "max_disk_gib": 32 * 1024,
        "max_vm_gib": 256 * 1024,
        "max_recovery_points": 9999,
    },
    "2026-01": {
        "policy_vms": 100,
        "vault_daily_changes": 1000,
        "daily_backups": 1,
        "daily_on_demand_backups": 3,
        "daily_on_demand_attempts": 9,
        "daily_restores": 20,
        "min_interval_h": 4,
        "secondary_rpo_h": 36,
        "min_retention_h": 7 * 24,
        "max_recovery_points": 9999,
        "max_daily_points": 9999,
        "max_weekly_points": 5163,
        "max_monthly_points": 1188,
        "max_yearly_points": 99,
        "retention_month_h": 31 * 24,
        "vm_disks": 32,
        "max_disk_gib": 64 * 1024,
        "max_vm_gib": 512 * 1024,
        "max_standard_snapshot_points": 5,
        "max_enhanced_snapshot_points": 30,
        "max_4_hourly_snapshot_points": 17,
        "max_6_hourly_snapshot_points": 22,
        "standard_weekly_snapshot_points": 5,
        "min_enhanced_weekly_snapshot_points": 5,
        "max_enhanced_weekly_snapshot_points": 20,
        "offered_snapshot_points": 7,
        "offered_recovery_points": 180,
        "offered_weekly_points": 12,
        "offered_monthly_points": 60,
        "offered_yearly_points": 10,
        "min_vm_cores": 2,
        "min_vm_memory_gib": 1,
    },
}


def test_limits_by_hand():
    assert {n: dict(LIMITS.load(n)) for n in LIMITS.available()} == LIMITS_BY_HAND


def test_no_limits_before_the_first_table():
    with pytest.raises(ValueError, match="before 2015-09-16; got 2015-09-15"):
        LIMITS.in_force(datetime.date(2015, 9, 15))


# --- what a set promises ------------------------------------------------------


@every_set
def test_a_set_cannot_be_changed(constants):
    name = next(iter(constants))
    with pytest.raises(TypeError):
        constants[name] = 1
    with pytest.raises(TypeError):
        constants.constants[name] = 1
    with pytest.raises(TypeError):
        constants.origins[name] = None
    with pytest.raises(dataclasses.FrozenInstanceError):
        constants.name = "other"
    with pytest.raises(dataclasses.FrozenInstanceError):
        constants.origins[name].status = "documented"


@every_set
@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))]
)
def test_a_set_survives_copy_and_pickle(constants, twin):
    other = twin(constants)
    assert other == constants
    assert other.origins == constants.origins
    assert (other.name, other.sha256) == (constants.name, constants.sha256)
    with pytest.raises(TypeError):
        other.constants["servers"] = 1


@every_set
def test_digest_is_that_of_the_file(constants):
    folder = next(c.folder for c in CATALOGUES if c.kind == constants.kind)
    path = files("vmbmodel.service") / folder / f"{constants.name}.toml"
    assert constants.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_changed_copy_says_so():
    changed = SEED.modified(servers=8).modified(deadline_h=12)
    assert changed.name == "azure-2018-12 (modified)"
    assert (changed["servers"], changed["deadline_h"]) == (8, 12)
    for name in ("servers", "deadline_h"):
        origin = changed.origins[name]
        assert (origin.status, origin.source) == ("assumed", "caller")
    assert changed.origins["blob_iops"] == SEED.origins["blob_iops"]
    assert changed.sha256 == SEED.sha256
    assert SEED["servers"] == 10
    assert SEED.name == "azure-2018-12"
    assert changed != SEED
    assert SEED.modified() is SEED


def test_blob_cap_can_be_lifted():
    assert SEED.modified(blob_mib_s=float("inf"))["blob_mib_s"] == float("inf")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"servrs": 8},
            r"azure-2018-12 has no constant 'servrs'; did you mean 'servers'",
        ),
        ({"mean_wait_h": 1}, r"has no constant 'mean_wait_h'"),
        ({"servers": 0}, r"^servers must be > 0 and finite; got 0$"),
        (
            {"overlap_frac": float("nan")},
            r"^overlap_frac must be >= 0 and <= 1; got nan$",
        ),
        ({"recovery_points": 1.5}, r"^recovery_points must be whole; got 1.5$"),
        ({"servers": "ten"}, r"^servers must be a number; got 'ten'$"),
        ({"servers": None}, r"^servers must be a number; got None$"),
    ],
)
def test_a_bad_change_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        SEED.modified(**changes)


def test_gigabyte_read_as_decimal():
    # 50 GB = 50e9 / 2**30 GiB = 46.566 GiB; 64 TB = 64e12 / 2**30 GiB; and for the
    # same dollars a GiB holds 2**30 / 1e9 = 1.0737 GB.
    book = PRICES.load("azure-list-2026-01").read_gb_as(10**9)
    assert book.name == "azure-list-2026-01 (modified)"
    assert book["small_instance_gib"] == pytest.approx(46.566128730774, rel=1e-12)
    assert book["grs_usd_per_gib_month"] == pytest.approx(0.0448 * 1.073741824)
    assert book["instance_fee_usd"] == 10
    table = LIMITS.load("2026-01").read_gb_as(10**9)
    assert table["max_disk_gib"] == pytest.approx(64e12 / 2**30, rel=1e-12)
    seed = SEED.modified(cc_mode_gib=500).read_gb_as(10**9)
    known = 192e9 / 2**30  # a size, but no rate and no caller's value
    assert dict(seed) == dict(SEED) | {"cc_mode_gib": 500, "restore_known_gib": known}


def test_gigabyte_read_as_binary_changes_nothing():
    for constants in SETS:
        assert constants.read_gb_as(2**30) is constants
    with pytest.raises(ValueError, match="gb_bytes must be 1073741824 or 1000000000"):
        SEED.read_gb_as(1000)


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda c: c.kind)
def test_unknown_name_gets_the_nearest_and_the_list(catalogue):
    known = catalogue.available()
    with pytest.raises(ValueError, match=f"did you mean '{known[0]}'") as refusal:
        catalogue.load(known[0] + "x")
    assert str(refusal.value).endswith(", ".join(known))


def test_each_line_on_an_unknown_reading_names_the_nearest(tmp_path):
    rows = ["[readings]", 'eight_hours = "own"']
    rows += [f"eight_hour{number} = 1" for number in range(101)]
    with pytest.raises(ValueError, match="there is no reading") as caught:
        read(tmp_path, "\n".join(rows) + GOOD)
    *lines, rest = str(caught.value).splitlines()
    assert (len(lines), rest) == (100, "... and 1 more")
    assert all("; did you mean 'eight_hours'?" in line for line in lines)


# --- what loading refuses -----------------------------------------------------


def test_a_file_of_your_own(tmp_path):
    mine = read(tmp_path, GOOD)
    assert (mine.name, mine.kind, mine["deadline_h"]) == ("mine", "profile", 24)
    assert mine.origins["deadline_h"].note == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        *(
            (rf"^{key} = .*$", "", f"deadline_h: {key} is missing")
            for key in ("documented", "source", "locator", "retrieved", "status")
        ),
        *(
            (rf"^{key} = .*$", f'{key} = " "', f"deadline_h: {key} must be a text")
            for key in ("documented", "source", "locator", "status")
        ),
        (r'"24 h"', "24", "deadline_h: documented must be a text; got 24"),
        (r'"documented"$', '"certain"', "status must be one of documented, measured"),
        (r"2026-11-22", '"yesterday"', "retrieved must be a date; got 'yesterday'"),
        (r"2026-11-22", "2026-11-22T10:00:00", "retrieved must be a date"),
        (r"^source", "sauce = 'x'\nsource", "sauce is not one of documented, source"),
        (r"deadline_h", "deadlin_h", "deadlin_h: is not a row of fields.toml"),
        (r"deadline_h", "service_h", "deadline_h: is required"),
        (r"deadline_h", "vault", "vault: documented '24 h': 'h' is a time"),
        (r"24 h", "24 furlongs", "documented '24 furlongs': unknown unit 'furlongs'"),
        (r"24 h", "24", "documented '24': must be a number and its unit"),
        (r"24 h", "24 GB", "documented '24 GB': 'GB' is a size, 'h' a time"),
        (r"24 h", "-24 h", "must be a number and its unit"),
        (r"24 h", "about a day", "must be a number and its unit"),
        (r"24 h", "24 h 5", "must be a number and its unit"),
        (
            r"\[deadline_h\]",
            "[servers]\ndocumented = '0'\n[deadline_h]",
            "> 0 and finite",
        ),
        (r"^title = .*$", "", "about: title must be a text"),
        (r"^as_of = .*$", "as_of = 2018", "about: as_of must be a date"),
        (r"^title", "subtitle = 'x'\ntitle", "about: subtitle is not one of"),
        (r"^\[about\]$", "about = 3\n[x]", "about: must be a table"),
        (r"^\[about\]$", "servers = 3\n[about]", "servers: must be a table"),
        (r"^\[about\]$", "[about", "mine.toml: Expected"),
    ],
)
def test_a_fault_is_named_with_its_file_and_rule(tmp_path, old, new, message):
    text, count = re.subn(old, new, GOOD, count=1, flags=re.M)
    assert count == 1
    with pytest.raises(ValueError, match=re.escape(message)) as refusal:
        read(tmp_path, text)
    assert all("mine.toml: " in line for line in str(refusal.value).splitlines())


def test_all_faults_are_named_at_once(tmp_path):
    text = GOOD.replace('source = "article2018"\n', "").replace("24 h", "0 GB")
    with pytest.raises(ValueError, match=r"source is missing\n.*'GB' is a size"):
        read(tmp_path, text)


def test_amounts_as_vendors_print_them(tmp_path):
    for printed, hours in {
        "1,000 h": 1000,
        "7 days": 168,
        "1 h 30 min": 1.5,
    }.items():
        assert read(tmp_path, GOOD.replace("24 h", printed))["deadline_h"] == hours


# --- readings -----------------------------------------------------------------


def test_the_eight_readings_of_the_design_are_there():
    ids = [reading.id for reading in readings()]
    assert len(set(ids)) == len(ids) >= 8
    raw = tomllib.loads(
        (files("vmbmodel.service") / "readings.toml").read_text("utf-8")
    )
    assert [row["id"] for row in raw["reading"]] == ids


@pytest.mark.parametrize("reading", readings(), ids=lambda r: r.id)
def test_a_reading_is_complete_and_its_switch_works(reading):
    for field in dataclasses.fields(reading):
        if field.name not in ("switch", "weight", "settled_by"):
            assert getattr(reading, field.name).strip()
    assert 0 <= reading.weight < 0.5  # else the alternative had better be the default
    assert reading.weight == 0 or reading.switch
    with pytest.raises(dataclasses.FrozenInstanceError):
        reading.default = "otherwise"
    if not reading.switch:
        assert "Not switchable in this version." in reading.alternative
    for name, value in reading.settings.items():
        field = units.fields()[name]
        if field.choices:
            assert value in field.choices
        elif field.kind == "flag":
            assert value in ("true", "false")
        else:
            assert float(value) in field.range


def test_the_switches_that_are_constants_change_the_profile():
    for reading in readings():
        for name, value in reading.settings.items():
            if name in SEED:
                assert SEED.modified(**{name: float(value)})[name] != SEED[name]


# --- the bibliography and the layer -------------------------------------------


def test_bibliography_parses_and_every_entry_can_be_cited():
    errors = pytest.importorskip("pybtex.errors")
    from pybtex.database import parse_file

    errors.set_strict_mode(True)
    entries = parse_file(ROOT / "book/references.bib").entries
    assert set(entries) == BIB_KEYS
    for key, entry in entries.items():
        assert entry.persons.get("author"), key
        assert {"title", "year"} <= set(entry.fields), key


def test_every_source_says_where_it_is_and_of_which_year():
    database = pytest.importorskip("pybtex.database")
    entries = database.parse_file(ROOT / "book/references.bib").entries
    places = {"doi": r"10\.\d{4,}/\S+", "url": r"https://[\w.-]+/\S+"}
    where = {"howpublished", "journal", "booktitle", "publisher", "institution", "note"}
    for key, entry in entries.items():
        assert (where | set(places)) & set(entry.fields), key
        assert re.fullmatch(r"\d{4}", entry.fields["year"]), key
    for name, form in places.items():
        said = [e.fields[name] for e in entries.values() if name in e.fields]
        assert [place for place in said if not re.fullmatch(form, place)] == []
        assert len(set(said)) == len(said)


def test_every_citation_of_a_docstring_is_in_the_bibliography():
    for path in (ROOT / "vmbmodel").rglob("*.py"):
        for keys in re.findall(r":cite:`([\w, ]+)`", path.read_text("utf-8")):
            assert set(re.split(r",\s*", keys)) <= BIB_KEYS, path


def test_the_service_needs_no_array_library_of_its_own():
    for path in (ROOT / "vmbmodel/service").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert not {a.name for a in node.names} & {"numpy", "pandas"}, path
    code = "import sys, vmbmodel.service as s; s.PROFILES.load('azure-2018-12'); "
    code += "sys.exit(bool({'numpy', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_begins_on_a_day_holds_on_that_day_and_what_ends_does_not():
    for table in disk_tiers():
        assert table in disk_tiers_on(table.as_of)
    for name in LIMITS.available():
        limits = LIMITS.load(name)
        assert LIMITS.in_force(limits.as_of).name == name
    for rule in rules():
        for version in rule.versions:
            assert rule.on(version.since) == version
            assert version.until is None or rule.on(version.until) != version
    dates = (v.since for rule in rules() for v in rule.versions)
    for row in {row for day in dates for row in encryptions(day)}:
        assert row in encryptions(row.since)
        assert row.until is None or row not in encryptions(row.until)
