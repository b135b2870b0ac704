"""``vmbmodel check`` as a contract: shapes, status, suppressions, hostile names."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.service import rules

SAMPLE = Path(__file__).parents[1] / "notebooks" / "data" / "fleet.csv"
HEADER = "vm,disk,role,size_gib,used_gib"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=y>',
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "[red]b[/red]",
    "[text](http://example.org)",
    "{0} {vm} %s",
    "]]> &amp; <![CDATA[",
    "../../etc/passwd",
    "\u0436\u4e2d\U0001f600\ufffe",
    "n" * 260,
]
FORMATS = ["table", "json", "csv", "sarif", "junit"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, status=0):
        result = CliRunner().invoke(app, ["check", *map(str, arguments)])
        assert result.exit_code == status, result.output
        assert "Traceback" not in result.output
        return result.stderr if status == 2 else result.stdout

    return invoke


def write(rows, more="", name="mine.csv"):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(f"{HEADER}{more}".split(","))
    writer.writerows(rows)
    Path(name).write_text(text.getvalue(), "utf-8")
    return name


@pytest.fixture
def large(run):
    return write([["a", "os", "os", 9000, 5], ["b", "os", "os", 100, 5]])


# --- dates -----------------------------------------------------------------------


def test_a_date_picks_the_rules_then_in_force(run):
    then, now = (
        json.loads(run(SAMPLE, "--as-of", date, "--format", "json"))
        for date in ("2018-12-11", "2026-01-28")
    )
    assert {row["source"] for row in then["rules"]} == {"article2018", "limits201812"}
    found = {row["rule"] for row in then["findings"]}
    assert found >= {"account-schedule", "small-writes", "busy-account"}
    assert then["model"]["limits"]["name"] == "2018-12"
    assert now["as_of"] == "2026-01-28"
    assert {row["rule"] for row in now["findings"]} == {
        "busy-account",
        "consistency-check",
        "new-disk",
        "unmanaged-disks",
    }


def test_the_date_is_that_of_the_profile_if_none_is_given(run, large):
    answer = json.loads(run(large, "--profile", "azure-2018-12", "--format", "json"))
    assert answer["as_of"] == "2018-12-11"
    assert [row["rule"] for row in answer["findings"]] == [
        "consistency-check-size",
        "disk-size",
    ]
    assert not json.loads(run(large, "--format", "json"))["findings"]


# --- shapes -----------------------------------------------------------------------


def test_table_names_the_finding_and_what_was_not_checked(run, large):
    text = run(large, "--as-of", "2018-12-11")
    for part in ("disk-size", "VM a, disk os", "9,000 GiB", "4,095", "limits201812"):
        assert part in text
    assert "peak-hours: needs the peak hours" in text
    assert "vault-start: needs vault and start_h of 2 of 2 VMs" in text
    assert text.rstrip().endswith("1 error, 0 warnings, 1 note.")


def test_a_table_counts_what_nobody_would_read(run):
    rows = [[f"vm{i}", "os", "os", 9000, 5] for i in range(150)]
    text = run(write(rows), "--as-of", "2018-12-11")
    assert "149 more like it" in " ".join(text.replace("│", " ").split())
    assert "--format csv lists each of them." in text


def test_nothing_found_is_said(run):
    text = run(write([["a", "os", "os", 10, 5]]))
    counts = json.loads(run("mine.csv", "--format", "json"))["count"]
    rules, never = counts["rules"], counts["not_checked"]
    assert text.startswith(f"{rules} rules in force on 2026-01-28: {rules - never} ")
    assert f" {never} not checked.\n" in text
    assert f"Nothing found by the {rules - never} rules that were checked." in text
    assert text.index("not checked.") < text.index("Nothing found")


def test_json_has_every_rule_with_its_source(run, large):
    answer = json.loads(run(large, "--format", "json", "--set", "blob_mib_s=inf"))
    assert answer["schema"] == "vmbmodel.check/1"
    assert answer["inputs"] == {"blob_mib_s": "inf"}
    assert len(answer["rules"]) == answer["count"]["rules"] > 20
    for row in answer["rules"]:
        assert row["source"]
        assert row["since"] <= answer["as_of"]
        assert bool(row["needs"]) == (row["unknown"] > 0 or row["known"] == 0)


def test_csv_has_findings_and_what_is_missing(run, large):
    shown = run(large, "--as-of", "2018-12-11", "--format", "csv")
    rows = pd.read_csv(io.StringIO(shown))
    assert rows.loc[1, ["rule", "vm", "disk", "line"]].tolist() == [
        "disk-size",
        "a",
        "os",
        2,
    ]
    assert set(rows["status"]) == {"finding", "not checked"}


def test_sarif_points_at_the_line(run, large):
    Path(large).write_text(HEADER + "\n\nb,os,os,100,5\n\na,os,os,9000,5\n", "utf-8")
    log = json.loads(run(large, "--as-of", "2018-12-11", "--format", "sarif"))
    assert log["version"] == "2.1.0"
    (job,) = log["runs"]
    described = job["tool"]["driver"]["rules"]
    result = job["results"][1]
    assert (result["ruleId"], result["level"]) == ("disk-size", "error")
    assert described[result["ruleIndex"]]["id"] == "disk-size"
    assert "9,000 GiB" in result["message"]["text"]
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "mine.csv"},
        "region": {"startLine": 5},
    }
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "vm=a/disk=os"
    levels = {rule["defaultConfiguration"]["level"] for rule in described}
    assert levels <= {"none", "note", "warning", "error"}
    notes = job["invocations"][0]["toolExecutionNotifications"]
    assert "peak-hours" in {note["associatedRule"]["id"] for note in notes}


def test_sarif_of_parquet_has_no_lines(run, large, tmp_path):
    pd.read_csv(large).to_parquet("mine.parquet")
    path = tmp_path / "mine.parquet"
    log = json.loads(run(path, "--as-of", "2018-12-11", "--format", "sarif"))
    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location == {"artifactLocation": {"uri": path.as_uri()}}


def test_junit_has_a_test_for_each_rule(run, large):
    text = run(large, "--as-of", "2018-12-11", "--format", "junit")
    suites = ET.fromstring(text.encode())
    cases = suites.findall("testsuite/testcase")
    assert [case.get("name") for case in cases] == [
        rule.id for rule in rules() if rule.on(pd.Timestamp("2018-12-11").date())
    ]
    by_name = {case.get("name"): case for case in cases}
    assert "mine.csv:2: error: VM a" in by_name["disk-size"].find("failure").text
    assert "peak hours" in by_name["peak-hours"].find("skipped").get("message")
    assert list(by_name["vm-data-disks"]) == []
    noted = by_name["consistency-check-size"]
    assert noted.find("failure") is None
    assert "note: VM a" in noted.find("system-out").text
    assert suites.get("failures") == "1"
    assert int(suites.get("tests")) == len(cases)


# --- exit status --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "gate", "status"),
    [
        ("2018-12-11", "error", 1),
        ("2018-12-11", "warning", 1),
        ("2026-01-28", "error", 0),
        ("2026-01-28", "warning", 0),
    ],
)
def test_a_gate_sets_the_exit_status(run, large, date, gate, status):
    run(large, "--as-of", date, "--fail-on", gate, status=status)


def test_warnings_pass_a_gate_for_errors(run):
    run(SAMPLE, "--fail-on", "error")
    run(SAMPLE, "--fail-on", "warning", status=1)
    junit = ET.fromstring(run(SAMPLE, "--fail-on", "error", "--format", "junit"))
    assert junit.get("failures") == "0"


def test_a_gate_that_fails_still_writes(run, large):
    arguments = ("--as-of", "2018-12-11", "--fail-on", "error", "-o", "x.sarif")
    run(large, *arguments, "--format", "sarif", status=1)
    assert json.loads(Path("x.sarif").read_text())["version"] == "2.1.0"
    assert "exists" in run(large, *arguments, status=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as-of", "2015-01-01"], "2015-01-01"),
        (["--as-of", "2018-12-11", "--limits", "2026-01"], "exclude each other"),
        (["--profile", "azure-2019"], "there is no profile 'azure-2019'"),
        (["--set", "policy_vm=5"], "did you mean 'policy_vms'?"),
        (["--fail-on", "note"], "'note' is not one of"),
        (["--format", "xml"], "'xml' is not one of"),
        (["--suppress", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_bad_options_are_named(run, large, arguments, message):
    stderr = run(large, *arguments, status=2)
    assert message in " ".join(stderr.replace("│", " ").split())


def test_a_bad_inventory_is_bad_input(run):
    assert "'abc'" in run(write([["a", "os", "os", "abc", 5]]), status=2)


# --- suppressions ---------------------------------------------------------------------


def suppress(text, name="keep.toml"):
    Path(name).write_text(text, "utf-8")
    return ("--suppress", name)


KEEP = """
[[suppress]]
rule = "disk-size"
where = { vm = "a" }
reason = "It is split in March."
expires = 2999-12-31
"""
THEN = ("--as-of", "2018-12-11", "--fail-on", "error")


def test_a_suppressed_finding_passes_the_gate_and_is_still_shown(run, large):
    option = suppress(KEEP)
    text = run(large, *THEN, *option)
    assert "Suppressed: disk-size, VM a, disk os: It is split in March." in text
    assert "0 errors, 0 warnings, 1 note, 1 suppressed." in text
    answer = json.loads(run(large, *THEN, *option, "--format", "json"))
    assert answer["findings"][1]["suppressed"] == "It is split in March."
    log = json.loads(run(large, *THEN, *option, "--format", "sarif"))
    assert log["runs"][0]["results"][1]["suppressions"] == [
        {"kind": "external", "justification": "It is split in March."}
    ]
    junit = ET.fromstring(run(large, *THEN, *option, "--format", "junit"))
    assert junit.get("failures") == "0"
    assert "suppressed,disk-size" in run(large, *THEN, *option, "--format", "csv")


def test_an_expired_suppression_no_longer_works_and_is_a_finding(run, large):
    option = suppress(KEEP.replace("2999", "2019"))
    text = run(large, *THEN, *option, status=1)
    assert "expired on 2019-12-31" in text
    gate = ("--as-of", "2018-12-11", "--format", "sarif")
    log = json.loads(run(large, *gate, *option))
    result = log["runs"][0]["results"][-1]
    assert (result["ruleId"], result["level"]) == ("expired-suppression", "warning")
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "keep.toml"},
        "region": {"startLine": 2},
    }
    junit = run(large, *gate[:2], *option, "--format", "junit")
    assert "keep.toml:2: warning" in junit


@pytest.mark.parametrize(
    "where", ['{ vm = "b" }', '{ vm = "a", disk = "d" }', '"fleet"']
)
def test_a_suppression_of_another_place_leaves_the_finding(run, large, where):
    option = suppress(KEEP.replace('{ vm = "a" }', where))
    assert "matches no finding" in run(large, *THEN, *option, status=1)


def test_a_finding_about_all_is_suppressed_as_such(run, large):
    option = suppress(
        KEEP.replace('{ vm = "a" }', '"fleet"').replace("disk-size", "recovery-points")
    )
    setting = ("--set", "recovery_points=10000", "--fail-on", "error")
    run(large, *setting, status=1)
    assert "recovery-points, fleet:" in run(large, *setting, *option)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('reason = "It is split in March."\n', "", "suppress 1: reason is missing"),
        ("It is split in March.", " ", "reason must be a text"),
        ("It is split", "\\u001b[31m", "without control characters"),
        ("disk-size", "disk-sizes", "did you mean 'disk-size'?"),
        ("2999-12-31", '"never"', "expires must be a date"),
        ('{ vm = "a" }', "{}", "where must name one of"),
        ('{ vm = "a" }', "{ name = 'a' }", "there is no place 'name'"),
        ('{ vm = "a" }', "{ vm = 3 }", "vm must be a text"),
        ('{ vm = "a" }', "{ start_h = '3' }", "start_h must be a number"),
        ("expires", "expired", "'expired'; did you mean 'expires'?"),
        ("[[suppress]]", "[[suppres]]", "suppres is not suppress"),
        ("[[suppress]]", "[suppress]", "suppress must be tables"),
        ("[[suppress]]", "[[suppress", "keep.toml: "),
    ],
)
def test_a_bad_suppression_is_bad_input(run, large, old, new, message):
    assert KEEP.count(old) >= 1
    option = suppress(KEEP.replace(old, new, 1))
    stderr = run(large, *option, status=2)
    assert message in stderr
    assert all("keep.toml: " in line for line in stderr.splitlines())


# --- hostile names -------------------------------------------------------------


@pytest.fixture
def hostile(run):
    rows = []
    for i, name in enumerate(HOSTILE):
        account, policy, vault = (f"{name}{end}" for end in "apv")
        for d in range(22):
            role = "data" if d else "os"
            more = [1, "false", account[:260], vault[:260], policy[:260]]
            rows.append([name, f"{name[:200]}{d}", role, 9000 + i, 5, *more])
    more = ",write_kib,managed,storage_account,vault,policy"
    return write(rows, more)


@pytest.mark.parametrize("format_", FORMATS)
def test_hostile_names_come_out_inert(run, hostile, format_):
    option = suppress(
        KEEP.replace('vm = "a"', f"vm = '{HOSTILE[0]}'").replace("It is", "<b> ]]> &")
    )
    text = run(hostile, "--as-of", "2018-12-11", "--format", format_, *option)
    assert "\x1b" not in text
    if format_ in ("json", "sarif", "junit"):
        assert "<script" not in text
        assert "<img" not in text
    if format_ == "csv":
        for row in csv.reader(io.StringIO(text)):
            assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
    if format_ == "json":
        found = {row["vm"] for row in json.loads(text)["findings"]}
        assert set(HOSTILE) <= found
    if format_ == "sarif":
        messages = [
            r["message"]["text"] for r in json.loads(text)["runs"][0]["results"]
        ]
        assert any("\\[text\\](http" in message for message in messages)
        assert any("{{0}}" in message for message in messages)
    if format_ == "junit":
        failures = ET.fromstring(text.encode()).iter("failure")
        said = "".join(failure.text for failure in failures)
        for name in HOSTILE[1:]:
            assert name.replace("\ufffe", "\ufffd") in said


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\u202eb", "a\nb"])
def test_names_with_control_characters_are_refused(run, name):
    path = write([[name, "os", "os", 10, 5]])
    stderr = run(path, "--format", "sarif", status=2)
    assert "\x1b" not in stderr
