"""What a refusal says: short quotes, a hundred lines at most, one of one and many."""

import datetime
import json
import time

import pytest
from typer.testing import CliRunner

from vmbmodel._words import MOST_LINES, counted, first_lines, short, some
from vmbmodel.cli import app
from vmbmodel.inventory.files import MANY, Finding, InventoryError

FLEET = "vm,disk,role,size_gib,used_gib\na,os,os,128,47\n"


def run(*asked):
    out = CliRunner().invoke(app, list(map(str, asked)))
    assert out.exit_code in (0, 1, 2), out.output
    return out


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a" * 79, f"'{'a' * 59}... (79 characters)"),
        ("a" * 78, repr("a" * 78)),
        (10**5000, "a number too long to print"),
        (datetime.date(2026, 1, 31), "2026-01-31"),
        ({"a": 1.5}, "{'a': 1.5}"),
        (None, "None"),
    ],
    ids=["cut", "whole", "digits", "date", "object", "none"],
)
def test_a_quote_is_as_long_as_a_person_reads(value, said):
    assert short(value) == said


def test_a_quote_of_what_is_nested_too_deep():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert short(deep) == "a value nested too deep to print"


def test_names_lines_and_counts():
    assert some(list("abc"), most=3) == "a, b, c"
    assert some(list("abcd"), most=3) == "a, b, c and 1 more"
    lines = [str(number) for number in range(MOST_LINES + 1)]
    assert first_lines(lines[:-1]).count("\n") == MOST_LINES - 1
    assert first_lines(lines).endswith("\n99\n... and 1 more")
    assert counted(1, "row") == "1 row"


@pytest.mark.parametrize(
    ("count", "end"),
    [(100, ": rule 99"), (101, "\n... and 1 more finding"), (900, "800 more findings")],
)
def test_of_many_rules_broken_a_hundred_findings_are_told(count, end):
    found = [Finding("f", n, None, None, f"rule {n}") for n in range(count)]
    text = str(InventoryError(found))
    assert text.endswith(end)
    assert len(text.splitlines()) == min(count, MOST_LINES) + (count > MOST_LINES)


def test_a_rule_that_is_cut_counts_its_own_rows_and_the_rest_counts_the_others():
    found = [Finding("f", n, "c", None, f"rule {n % 7}") for n in range(7 * 30)]
    lines = str(InventoryError(found)).splitlines()
    told = sum(line.startswith("f:") for line in lines)
    own = [int(line.split()[2]) for line in lines if line.endswith("more rows")]
    (rest,) = (int(line.split()[2]) for line in lines if line.endswith("findings"))
    assert (told, own, rest) == (MOST_LINES, [10] * 5, 60)


# --- in the shell ------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        ("import", "--disks", "{}", "--vms", "{}"),
        ("import", "--terraform", "{}"),
        ("import", "--rvtools", "{}"),
        ("jobs", "{}"),
        ("calibrate", "{}"),
    ],
)
@pytest.mark.parametrize("envelope", [False, True])
def test_rows_that_are_no_objects_are_refused_after_the_first_thousand(
    tmp_path, asked, envelope
):
    rows = list(range(1_000_000))
    path = tmp_path / "rows.json"
    path.write_text(json.dumps({"value": rows} if envelope else rows))
    began = time.process_time()
    out = run(*(word.format(path) for word in asked))
    assert time.process_time() - began < 10
    assert out.exit_code == 2
    assert f"has {MANY:,} entries that are no objects" in out.output
    assert len(out.output) < 8000


LONG = "x" * 100_000


@pytest.mark.parametrize(
    ("name", "text", "asked"),
    [
        ("s.toml", f'[readings]\n{LONG} = "a"\n',
         ("estimate", "fleet.csv", "--scenario")),
        ("s.toml", f'redundancy = "{LONG}"\n', ("estimate", "fleet.csv", "--scenario")),
        ("s.toml", f"churn_frac = [{'1,' * 50_000}]\n", ("init", "--profile")),
        ("p.csv", f"policy,rhythm\n{LONG},x\n",
         ("estimate", "fleet.csv", "--policies")),
        ("p.csv", f"policy,{LONG}\na,x\n", ("estimate", "fleet.csv", "--policies")),
        ("f.csv", FLEET.replace("os,os", f"os,{LONG}"), ("estimate",)),
        ("f.csv", FLEET.replace("vm,", f"{LONG},"), ("check",)),
        ("g.toml", f'answer = "{LONG}"\n', ("sweep",)),
        ("g.toml", f'answer = "total_usd"\nfleet = "fleet.csv"\n[axes]\n{LONG} = 1\n',
         ("sweep",)),
        ("s.toml", f'[[suppress]]\n{LONG} = "a"\n',
         ("check", "fleet.csv", "--suppress")),
        ("s.toml", f'[[suppress]]\nrule = "{LONG}"\n',
         ("check", "fleet.csv", "--suppress")),
        ("j.json", json.dumps([{"a": LONG, LONG: 1}]), ("jobs",)),
        ("p.json", json.dumps({"Items": [LONG, {"serviceName": [LONG]}]}),
         ("prices", "import")),
        ("v.json", json.dumps({"schema": LONG}), ("verify",)),
        ("n.ipynb", json.dumps({"cells": LONG}), ("rerun",)),
    ],
)  # fmt: skip
def test_what_a_file_says_is_quoted_by_its_beginning(
    tmp_path, monkeypatch, name, text, asked
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.csv").write_text(FLEET)
    (tmp_path / name).write_text(text)
    out = run(*asked, name)
    assert out.exit_code == 2
    assert len(out.output) < 2000


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        (("estimate", "fleet.csv", "--set"), "a={}"),
        (("estimate", "fleet.csv", "--set"), "{}=1"),
        (("estimate", "fleet.csv", "--set"), "{}"),
        (("estimate", "fleet.csv", "--set"), "redundancy={}"),
        (("estimate", "fleet.csv", "--set"), "churn_frac={}"),
        (("estimate", "fleet.csv", "--fail-on"), "{}<1"),
        (("estimate", "fleet.csv", "--fail-on"), "total_usd<{}"),
        (("estimate", "fleet.csv", "--compare"), "{}"),
        (("estimate", "fleet.csv", "--compare"), "{}=1"),
        (("estimate", "fleet.csv", "--only"), "{}"),
        (("schedule", "fleet.csv", "--blackout"), "{}"),
        (("schedule", "fleet.csv", "--keep"), "{}"),
    ],
)
def test_what_a_person_typed_is_quoted_by_its_beginning(
    tmp_path, monkeypatch, asked, word
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.csv").write_text(FLEET)
    out = run(*asked, word.format(LONG))
    assert out.exit_code == 2
    assert len(out.output) < 2000


def test_a_scenario_with_more_than_a_hundred_faults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.csv").write_text(FLEET)
    (tmp_path / "s.toml").write_text("".join(f"no_{n} = 1\n" for n in range(500)))
    out = run("estimate", "fleet.csv", "--scenario", "s.toml")
    assert out.exit_code == 2
    lines = out.output.splitlines()
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == f"... and {500 - MOST_LINES} more"
