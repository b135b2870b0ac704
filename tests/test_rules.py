"""Rules, consistency and encryption: dated, sourced, and complete."""

import datetime
import itertools
import re
from pathlib import Path

import pytest

from vmbmodel.service import (
    LIMITS,
    PROFILES,
    SEVERITIES,
    consistency,
    encryption,
    encryptions,
    rules,
    rules_on,
)

ROOT = Path(__file__).parents[1]
BIB_KEYS = set(
    re.findall(
        r"^@\w+\{(\w+),", (ROOT / "book/references.bib").read_text("utf-8"), re.M
    )
)
SEED = datetime.date(2018, 12, 11)
LATER = datetime.date(2019, 3, 4)
NOW = datetime.date(2026, 1, 28)
every_rule = pytest.mark.parametrize("rule", rules(), ids=lambda r: r.id)

# --- rules --------------------------------------------------------------------


def ids(date):
    return {rule.id for rule, _ in rules_on(date)}


@every_rule
def test_a_rule_is_complete_and_its_times_follow_one_another(rule):
    assert rule.severity in SEVERITIES
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+|[a-z]+", rule.id)
    assert rule.title.strip()
    assert rule.looks_at.strip()
    assert rule.todo.endswith(".")
    assert rule.versions
    for earlier, later in itertools.pairwise(rule.versions):
        assert earlier.until is not None
        assert earlier.until <= later.since
    for version in rule.versions:
        assert version.until is None or version.since < version.until
        assert version.source in BIB_KEYS
        assert version.locator.strip()


@every_rule
def test_thresholds_are_constants_of_a_set_and_not_repeated(rule):
    for version in rule.versions:
        assert bool(version.set) == bool(version.threshold)
        for name in version.threshold:
            assert name in version.constants(), (rule.id, name)
    text = rule.title + rule.looks_at + rule.todo
    assert not re.search(r"\d", text), "the figure stands in the set of constants"


def test_rules_have_names_of_their_own():
    assert len({rule.id for rule in rules()}) == len(rules())


def test_every_limit_and_practice_of_a_date_has_its_rule():
    # constants that are advice or limits; what the rest of a set is for, is the model
    advice = {
        "vault_vms",
        "policy_vms",
        "account_disks",
        "busy_account_disks_low",
        "busy_account_disks_high",
        "min_write_kib",
        "cc_mode_gib",
        "free_space_frac",
        "max_churn_gib_per_day",
        "high_churn_backup_h",
    }
    promises = {"secondary_rpo_h"}  # what the service gives, not what it takes
    sets = [PROFILES.load(name) for name in PROFILES.available()]
    sets += [LIMITS.load(name) for name in LIMITS.available()]
    for constants in sets:
        used = {
            name
            for _, version in rules_on(constants.as_of)
            for name in version.threshold
        }
        wanted = set(constants) - promises
        if constants.kind == "profile":
            wanted &= advice
        assert wanted <= used, constants.name


def test_best_practices_of_the_article_by_hand():
    assert ids(SEED) >= {
        "vault-start",
        "peak-hours",
        "policy-accounts",
        "account-schedule",
        "premium-restore",
        "free-space",
    }


def test_what_came_and_went_in_march_2019():
    assert {"vault-start", "account-schedule", "small-writes", "peak-hours"} <= (
        ids(SEED) - ids(LATER)
    )
    assert {"high-churn", "restore-accounts"} <= ids(LATER) - ids(SEED)


def test_limits_by_hand():
    found = {
        (rule.id, name): version.constants()[name]
        for rule, version in rules_on(SEED)
        for name in version.threshold
    }
    assert found["vault-start", "vault_vms"] == 100
    assert found["vault-vms", "vault_protected_vms"] == 1000
    assert found["vm-data-disks", "vm_data_disks"] == 16
    assert found["disk-size", "max_disk_gib"] == 4095
    assert found["account-schedule", "account_disks"] == 20


@pytest.mark.parametrize(
    ("date", "source"),
    [
        ((2019, 10, 1), "limits201812"),
        ((2019, 10, 2), "issue39947"),
        ((2019, 12, 4), "issue44010"),
        ((2023, 8, 14), "matrix2023"),
        ((2026, 11, 22), "matrix2026"),
    ],
)
def test_a_rule_is_cited_from_its_time(date, source):
    date = datetime.date(*date)
    rule = next(rule for rule in rules() if rule.id == "disk-size")
    assert rule.on(date).source == source


def test_no_rules_before_the_first():
    with pytest.raises(ValueError, match="before 2015-09-16; got 2015-09-15"):
        rules_on(datetime.date(2015, 9, 15))


@pytest.mark.parametrize(
    ("date", "name"),
    [
        ((2016, 1, 1), "azure-2018-12"),
        ((2018, 12, 11), "azure-2018-12"),
        ((2026, 1, 27), "azure-2018-12"),
        ((2026, 1, 28), "azure-2026-01"),
    ],
)
def test_profile_of_a_date(date, name):
    assert PROFILES.in_force(datetime.date(*date)).name == name


# --- consistency --------------------------------------------------------------

MAYBE = (True, False, None)


def by_hand(os, power, vss, present, succeeded):
    """Write the article's table down once more; None where it cannot be told."""
    if power == "stopped":
        return "crash"
    if os == "windows":
        return {True: "application", False: "file-system", None: None}[vss]
    if present is None or (present and succeeded is None):
        return None
    return "application" if present and succeeded else "file-system"


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("power", ["running", "stopped"])
@pytest.mark.parametrize("os", ["windows", "linux"])
@pytest.mark.parametrize("as_of", [SEED, NOW, None])
def test_the_whole_truth_table(os, power, first, as_of):
    for vss, present, succeeded in itertools.product(MAYBE, MAYBE, MAYBE):
        facts = {
            "vss_succeeded": vss,
            "scripts_present": present,
            "scripts_succeeded": succeeded,
            "first_backup": first,
            "as_of": as_of,
        }
        level = by_hand(os, power, vss, present, succeeded)
        if level is None:
            with pytest.raises(ValueError, match="must be true or false for this VM"):
                consistency(os, power, **facts)
            continue
        point = consistency(os, power, **facts)
        assert point.level == level
        assert point.source in BIB_KEYS
        assert point.meaning.endswith(".")
        assert point.why.endswith(".")
        installed = {"windows": "VMSnapshot", "linux": "VMSnapshotLinux"}[os]
        if power == "running":
            assert point.extension == installed
        else:
            assert ("still" in point.extension) == first


@pytest.mark.parametrize("os", ["windows", "linux"])
def test_agentless_points_are_crash_consistent_whatever_else(os):
    facts = {"vss_succeeded": True, "scripts_present": True, "scripts_succeeded": True}
    point = consistency(os, "running", agentless=True, **facts)
    assert (point.level, point.source) == ("crash", "article2026")
    with pytest.raises(ValueError, match="no source knows agentless backups on 2018"):
        consistency(os, "running", agentless=True, as_of=SEED, **facts)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("window", "running"), "os cannot be 'window'; did you mean 'windows'?"),
        (("linux", "off"), "power cannot be 'off'"),
    ],
)
def test_unknown_words_are_named(words, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        consistency(*words)


def test_no_consistency_before_the_first_source():
    with pytest.raises(ValueError, match="no source says anything about consistency"):
        consistency("linux", "stopped", as_of=datetime.date(2017, 1, 1))


# --- encryption ---------------------------------------------------------------


@pytest.mark.parametrize("date", [SEED, LATER, NOW, None])
@pytest.mark.parametrize("managed", [True, False])
@pytest.mark.parametrize("keys", ["none", "BEK", "BEK+KEK"])
def test_encryption_the_article_supports(keys, managed, date):
    row = encryption(keys, managed=managed, as_of=date)
    assert row.supported
    assert row.source in BIB_KEYS


def test_encryption_comes_in_time_and_never_twice():
    for date in (SEED, LATER, NOW, None):
        keys = [row.keys for row in encryptions(date)]
        assert len(set(keys)) == len(keys)
    assert "customer-managed" not in {row.keys for row in encryptions(SEED)}
    with pytest.raises(ValueError, match="on unmanaged disks with keys 'customer-"):
        encryption("customer-managed", managed=False)
    with pytest.raises(ValueError, match="did you mean 'BEK'"):
        encryption("BEKS", managed=True)
