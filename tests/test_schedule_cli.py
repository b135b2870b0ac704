"""``vmbmodel schedule`` as a contract: shapes, files, status, bad input."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.inventory.fleet import read_fleet
from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.scenario import Scenario

SAMPLE = Path(__file__).parents[1] / "notebooks" / "data" / "fleet.csv"
HOSTILE = ["=cmd|' /C calc'!A0", "[red]b[/red]", "{0} %s", "a/b\\c", "\u4e2d\U0001f600"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def invoke(*arguments, status=0):
        result = CliRunner().invoke(app, ["schedule", *map(str, arguments)])
        assert result.exit_code == status, result.output
        assert "Traceback" not in result.output
        return result.stderr if status == 2 else result.stdout

    return invoke


def write(names, start_h=23, used_gib=100, more=""):
    lines = ["vm,disk,role,size_gib,used_gib,churn_gib_per_day,start_h,policy,vault"]
    lines += [f'"{name}",os,os,512,{used_gib},50,{start_h},gold,v1' for name in names]
    Path("mine.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return "mine.csv"


def test_the_table_can_be_typed_in(run):
    given = "--set", "vault_servers=1", "--blackout", "4-22"
    text = run(write("abc", start_h=21), *given)
    for part in ("22:00", "change start", "expected misses", "proven least"):
        assert part in text
    assert re.search(r"gold +22:00 +3 +3 ", text)
    assert "gold of v1, 22:00: a, b, c" in text
    assert text.startswith("Move 3 of 3 VMs. Better: rules not kept.")
    assert "Compared from the top" in text
    as_good = "are as good, to 0.001 misses a night and 0.15 h to the end of all VMs."
    assert as_good in " ".join(text.split())
    said = "up to 2 h late, alone: a backup may run into it; --done-by HOUR asks for"
    assert said in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_no_file_is_left_where_another_could_not_be_written(run):
    others = "--fleet-out", "new.csv", "--figure", "day.svg"
    said = run(write("abc"), *others, "-o", "no-folder/plan.txt", status=2)
    assert "no such folder" in said
    assert [path.name for path in Path().iterdir()] == ["mine.csv"]


def test_json_is_whole_and_agrees_with_the_files(run):
    text = run(
        SAMPLE, "--blackout", "8-18", "--format", "json",
        "--fleet-out", "new.csv", "--figure", "day.svg",
    )  # fmt: skip
    answer = json.loads(text)
    assert answer["schema"] == "vmbmodel.schedule/2"
    assert list(answer) == [
        "schema", "model", "given", "rules", "verdict", "aims", "before", "after",
        "policies", "vms", "broken_before", "broken_after", "running", "assumptions",
        "warnings",
    ]  # fmt: skip
    assert answer["rules"]["blackout"] == [[8, 18]]
    new = read_fleet("new.csv")
    assert estimate(new, Scenario.of()).total["expected_misses"] == pytest.approx(
        answer["after"]["expected_misses"], rel=1e-12
    )
    start_h = new["start_h"].fillna(Scenario.of()["start_h"])
    starts = dict(zip(new["vm"], start_h, strict=True))
    assert {
        row["vm"]: row["start_h"] for row in answer["vms"]
    }.items() <= starts.items()
    assert sum(row["vms"] for row in answer["policies"]) == len(answer["vms"])
    assert b"<svg" in Path("day.svg").read_bytes()


def test_csv_is_a_row_a_vm_and_no_formula(run):
    rows = list(csv.DictReader(io.StringIO(run(write(HOSTILE), "--format", "csv"))))
    assert len(rows) == len(HOSTILE)
    assert rows[0]["vm"] == f"'{HOSTILE[0]}"
    assert {row["present_start_h"] for row in rows} == {"23.0"}


def test_hostile_names_come_out_as_they_are(run):
    text = run(write(HOSTILE), "--set", "policy_vms=1")
    assert "gold" in text


def test_names_with_commas_stay_apart(run):
    text = run(write(["dc, old", "dc", "new;1", "a b"]))
    assert "23:00: a b, dc, 'dc, old', 'new;1'\n" in text


def test_rules_that_no_plan_keeps_are_listed_once_and_said_first(run):
    fleet = write("ab", start_h=20)
    lines = Path(fleet).read_text().splitlines()
    added = [lines[0] + ",interval_h,window_h", *(f"{n},4,12" for n in lines[1:])]
    Path(fleet).write_text("\n".join(added) + "\n")
    text = run(fleet, "--blackout", "9-15", "--set", "start_slack_h=0")
    said = " ".join(text.split("\n\n")[0].split())
    assert "Rules not kept by this plan either, said below: 2." in said
    assert "Rules not kept, now and as planned (2):\n  2 VMs of vault v1 start" in text


def test_gates(run):
    jam = write("abcdef")
    run(jam, "--set", "vault_vms=2", "--fail-on", "broken", status=1)
    run(jam, "--fail-on", "broken")
    run(jam, "--blackout", "22-1", "--fail-on", "moved", status=1)
    run(jam, "--blackout", "8-18", "--fail-on", "moved")
    run(jam, "--fail-on", "moved", "--keep", "gold")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--blackout", "8"], "FROM-TO"),
        (["--blackout", "8-8"], "two different hours"),
        (["--blackout", "8-8:75"], "an hour such as"),
        (["--done-by", "25"], "an hour such as"),
        (["--keep", "goldd"], "did you mean 'gold'"),
        (["--figure", "day.pdf"], "must end in .png or .svg"),
        (["--fleet-out", "new.txt"], "must end in .csv or .parquet"),
        (["--fleet-out", "mine.csv"], "exists"),
        (["-o", "x.csv", "--fleet-out", "x.csv"], "one file"),
        (["--set", "vault_vms=0"], "vault_vms must be"),
        (["--blackout", "0-23:30"], "start_slack_h"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(run, arguments, message):
    fleet = write("abc")
    before = Path(fleet).read_bytes()
    assert message in run(fleet, *arguments, status=2)
    assert [path.name for path in Path().iterdir()] == [fleet]
    assert Path(fleet).read_bytes() == before


def test_what_no_plan_keeps_is_said_with_its_figures(run):
    fleet = write([f"v{i}" for i in range(120)])
    text = run(
        fleet, "--profile", "azure-2018-12", "--set", "start_slack_h=0",
        "--blackout", "0-23:30", "-o", "plan.json", "--fleet-out", "new.csv", status=2,
    )  # fmt: skip
    assert "20 of 120 VMs find no room" in text
    assert [path.name for path in Path().iterdir()] == [fleet]


def test_force_replaces_and_the_same_plan_gives_the_same_picture(run):
    fleet = write("ab")
    for _ in range(2):
        run(fleet, "--figure", "day.svg", "--force")
    first = Path("day.svg").read_bytes()
    run(fleet, "--figure", "day.svg", "--force")
    assert Path("day.svg").read_bytes() == first
