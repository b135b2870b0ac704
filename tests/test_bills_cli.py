"""``estimate --months`` and ``--compare``: shapes, refusals, and a second reading."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from vmbmodel.cli import app

FLEET = """vm,disk,role,size_gib,used_gib,first_backup,redundancy
a,os,os,4095,47,false,GRS
=b,os,os,4095,600,true,LRS
"""
GROWING = ("--months", "3", "--set", "yearly_growth_frac=0.5")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.csv").write_text(FLEET)

    def invoke(*arguments, status=0):
        result = CliRunner().invoke(app, ["estimate", "fleet.csv", *arguments])
        assert result.exit_code == status, result.output
        return result.stdout if status == 0 else result.stderr

    return invoke


def test_table_has_months_and_cases(run):
    text = run(*GROWING, "--compare", "redundancy")
    assert "Months to come, all VMs:" in text
    assert "In other cases, all VMs:" in text
    assert "redundancy=RA-GRS" in text
    assert "Passes 50 GiB in month 2" in text


def test_json_adds_up_and_can_be_verified(run, tmp_path):
    run(*GROWING, "--compare", "archive", "--format", "json", "-o", "saved.json")
    saved = json.loads((tmp_path / "saved.json").read_text())
    assert [m["month"] for m in saved["months"]] == [1, 2, 3]
    assert [c["case"] for c in saved["comparisons"]] == [
        "as it is",
        "archive=false",
        "archive=true",
    ]
    assert saved["comparisons"][0]["total_usd"] == saved["total"]["total_usd"]
    done = CliRunner().invoke(app, ["verify", "saved.json"])
    assert done.exit_code == 0, done.output
    saved["months"][1]["total_usd"] += 0.01
    (tmp_path / "other.json").write_text(json.dumps(saved))
    done = CliRunner().invoke(app, ["verify", "other.json"])
    assert done.exit_code == 1
    assert "months[1].total_usd" in done.output


def test_csv_has_a_row_a_month_and_vm_with_inert_names(run, tmp_path):
    run(*GROWING, "--format", "csv", "-o", "months.csv")
    rows = pd.read_csv(tmp_path / "months.csv")
    assert rows["month"].tolist() == [1, 1, 2, 2, 3, 3]
    assert rows["vm"].tolist() == ["'=b", "a"] * 3
    cases = run("--compare", "snapshot_policy", "--format", "csv").splitlines()
    assert len(cases) == 1 + 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--months", "-1"), "--months"),
        (("--compare", "vm"), "--compare: vm has no choices"),
        (("--compare", "old.json"), "takes settings, no file; got 'old.json'"),
        (("--compare", "x=1", "--compare", "y=1"), "'x'"),
        (("--compare", "churn_frac=2"), "churn_frac must be a number"),
        (("--compare", "mean_wait_h=1"), "there is no setting 'mean_wait_h'"),
        (("--set", "reserved_gib=5"), "reserved_gib must be a multiple of 102400"),
        (("--compare", "reserved_gib=5"), "reserved_gib must be a multiple of 102400"),
        (
            ("--months", "2", "--compare", "redundancy", "--format", "csv"),
            "--format csv holds one table",
        ),
    ],
)
def test_what_cannot_be_is_bad_input(run, arguments, message):
    assert message in run(*arguments, status=2)


def test_a_broken_list_of_months_is_no_traceback(run, tmp_path):
    run("--format", "json", "-o", "saved.json")
    saved = json.loads((tmp_path / "saved.json").read_text()) | {"months": 3}
    (tmp_path / "bad.json").write_text(json.dumps(saved))
    done = CliRunner().invoke(app, ["verify", "bad.json"])
    assert done.exit_code == 2
    assert "months must be a list" in done.output
