"""What leaves the program for fleets that nobody scrolls through."""

import hashlib
import json
import math
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.inventory.fleet import sample_fleet, write
from vmbmodel.plan.estimate import estimate
from vmbmodel.render import render_csv, render_parquet, stream_csv

rendered = import_module("vmbmodel.render.estimates")


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(sample_fleet(), tmp_path / "fleet.csv")
    return "fleet.csv"


def run(*words):
    return CliRunner().invoke(app, ["estimate", *map(str, words)])


# --- forms --------------------------------------------------------------------------

TABLE = pd.DataFrame(
    {
        "vm": ["a", "=1+1", 'say "b"', "x,y", "", "two\nlines", "ä", " ", "-", "a"],
        "wait_h": [0.1, 1.0, 1e-05, 1e22, math.inf, math.nan, 1 / 3, 24.0, 1e15, -0.5],
        "disks": range(10),
        "first_backup": [True, False] * 5,
        "policy": [None, "p", "p", "p", "p", "'=q", "p", "p", "p", "p"],
    }
)


def test_a_table_streams_as_its_rows_are_written():
    expected = render_csv(TABLE.to_dict("records"), list(TABLE))
    assert "".join(stream_csv(TABLE)) == expected


def test_numbers_stream_as_python_writes_them():
    rng = np.random.default_rng(1)
    sizes = rng.random(20_000) * 10.0 ** rng.integers(-20, 20, 20_000)
    whole = np.floor(sizes[:2000])
    table = pd.DataFrame({"total_usd": np.concatenate([sizes, -sizes, whole])})
    lines = "".join(stream_csv(table)).splitlines()
    assert lines == ["total_usd", *map(repr, table["total_usd"].tolist())]


def test_a_long_table_streams_in_pieces():
    table = pd.DataFrame({"vm": [f"vm-{i}" for i in range(70_000)], "disks": 1})
    head, *pieces = stream_csv(table)
    assert len(pieces) == 2
    assert "".join((head, *pieces)) == table.to_csv(index=False)


def test_parquet_gives_the_rows_back(tmp_path):
    vms = estimate(sample_fleet()).vms
    path = tmp_path / "vms.parquet"
    path.write_bytes(render_parquet(vms))
    pd.testing.assert_frame_equal(pd.read_parquet(path), vms, check_dtype=False)


# --- the command --------------------------------------------------------------------


def test_rows_are_written_as_parquet(fleet):
    assert run(fleet, "--no-interval", "-o", "vms.parquet").exit_code == 0
    found = pd.read_parquet("vms.parquet")
    expected = estimate(fleet).vms
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_months_are_written_as_parquet(fleet):
    words = ("--no-interval", "--months", 3, "-o", "months.parquet")
    assert run(fleet, *words).exit_code == 0
    assert len(pd.read_parquet("months.parquet")) == 3 * 40


@pytest.mark.parametrize("words", [("--format", "json"), ("--compare", "redundancy")])
def test_parquet_is_one_table(fleet, words):
    done = run(fleet, *words, "-o", "vms.parquet")
    assert done.exit_code == 2
    assert "vmbmodel: -o vms.parquet" in done.output


def test_the_json_of_many_vms_refers_to_their_rows(fleet, monkeypatch, tmp_path):
    small = run(fleet, "--no-interval", "--format", "json")
    monkeypatch.setattr(rendered, "_MOST_VMS", 39)
    done = run(fleet, "--no-interval", "--format", "json", "-o", "saved.json")
    assert done.exit_code == 0
    assert "for 40 VMs the JSON holds" in done.output
    whole, saved = (
        json.loads(text) for text in (small.stdout, Path("saved.json").read_text())
    )
    assert "vms" not in saved
    assert "inventory" not in saved
    for name in ("schema", "model", "total", "policies", "assumptions"):
        assert saved[name] == whole[name]
    data = (tmp_path / saved["vms_file"]["file"]).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    assert saved["vms_file"] == {
        "file": "saved-vms.parquet", "sha256": digest, "rows": 40
    }  # fmt: skip
    expected = estimate(fleet).vms
    found = pd.read_parquet("saved-vms.parquet")
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    again = CliRunner().invoke(app, ["verify", "saved.json"])
    assert again.exit_code == 2
    assert "holds totals, but not the inventory" in again.output


def test_the_json_of_many_vms_counts_its_warnings(fleet, monkeypatch):
    fleet = pd.read_csv(fleet).assign(churn_gib_per_day=lambda d: d["used_gib"])
    fleet.to_csv("hot.csv", index=False)
    whole = json.loads(run("hot.csv", "--no-interval", "--format", "json").stdout)
    monkeypatch.setattr(rendered, "_MOST_VMS", 39)
    monkeypatch.setattr(rendered, "_FIRST", 2)
    done = run("hot.csv", "--no-interval", "--format", "json")
    saved = json.loads(done.stdout)
    codes = [notice["code"] for notice in whole["warnings"]]
    assert saved["warning_counts"] == {code: codes.count(code) for code in codes}
    assert max(saved["warning_counts"].values()) > 2
    for code in set(codes):
        first = [notice for notice in whole["warnings"] if notice["code"] == code][:2]
        assert [n for n in saved["warnings"] if n["code"] == code] == first
    assert saved["vms_file"] is None


def test_the_rows_of_many_vms_replace_no_file(fleet, monkeypatch, tmp_path):
    monkeypatch.setattr(rendered, "_MOST_VMS", 39)
    (tmp_path / "saved-vms.parquet").write_text("mine")
    done = run(fleet, "--no-interval", "--format", "json", "-o", "saved.json")
    assert done.exit_code == 2
    assert "saved-vms.parquet: exists" in done.output
    assert not (tmp_path / "saved.json").exists()


def test_no_rows_are_written_beside_a_file_that_stays(fleet, monkeypatch, tmp_path):
    monkeypatch.setattr(rendered, "_MOST_VMS", 39)
    (tmp_path / "saved.json").write_text("mine")
    done = run(fleet, "--no-interval", "--format", "json", "-o", "saved.json")
    assert done.exit_code == 2
    assert "saved.json: exists" in done.output
    assert not (tmp_path / "saved-vms.parquet").exists()
