"""The line under a chapter's title: sets, readings, and numbers by their origin."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from vmbmodel.plan import Scenario

sys.path.insert(0, str(Path(__file__).parents[1] / "book/_ext"))

import rests_on

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "book").glob("*.md"))
NUMBERED = [p for p in CHAPTERS if p.read_text("utf-8").startswith("---\nnumbers:")]
CONFIG = f"""
import sys
sys.path.insert(0, {str(ROOT / "book/_ext")!r})
extensions = ["myst_parser", "rests_on"]
root_doc = "page"
"""


def line(*names, **sets):
    parts = rests_on.told(Scenario.of(**sets), names)
    return "".join(part.astext() for part in parts)


def test_it_names_the_sets_the_readings_and_the_numbers_by_their_origin():
    names = ["others_wait_mean_h", "vault_servers", "deadline_h", "servers"]
    assert line("eight_hours", *names, "line_reading=one-pool") == (
        "Rests on profile azure-2026-01 · "
        "readings eight_hours=published, line_reading=one-pool · "
        "1 documented: deadline · 1 measured: mean wait for others · "
        "2 assumed: jobs served at a time, data movers"
    )


def test_it_names_the_sets_that_are_used():
    assert line("grs_usd_per_gib_month").startswith("Rests on prices azure-list-2026")
    both = line("grs_usd_per_gib_month", "deadline_h", profile="azure-2018-12")
    assert both.startswith("Rests on profile azure-2018-12 · prices azure-list-2026-01")
    assert line("stored_reading").startswith("Rests on profile azure-2026-01")


def test_a_constant_of_another_origin_is_counted_otherwise():
    assert "1 documented: start slack" in line("start_slack_h")
    assert "1 assumed: start slack" in line("start_slack_h", profile="azure-2018-12")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("no_such_h", "no_such_h is neither a constant nor a reading"),
        ("redundancy", "redundancy is neither a constant nor a reading"),
        ("deadline_h=8", "deadline_h=8 is neither a constant nor a reading"),
        ("eight_hours=nine", "eight_hours must be one of published"),
    ],
)
def test_what_is_unknown_is_refused(name, problem):
    with pytest.raises(ValueError, match=problem):
        line(name)


COUNTS_ONLY = ("constants", "readings", "rules")
"""Pages that say how many entries the package has, and no answer of the model."""


@pytest.mark.parametrize(
    "path", [p for p in NUMBERED if p.stem not in COUNTS_ONLY], ids=lambda p: p.stem
)
def test_every_chapter_says_what_it_rests_on(path):
    top = yaml.safe_load(path.read_text("utf-8").split("---\n")[1])
    sets = rests_on.sets_of(path.parent / top["numbers"])
    assert line(*top["rests_on"], **sets)


def built(folder, names):
    (folder / "conf.py").write_text(CONFIG, "utf-8")
    top = f"---\nnumbers: sweep.ipynb\nrests_on: [{names}]\n---\n\n# A page\n\nText.\n"
    (folder / "page.md").write_text(top, "utf-8")
    cell = {
        "cell_type": "code",
        "metadata": {"tags": ["parameters"]},
        "source": ['profile: str = "azure-2018-12"  # old\n', "jobs = 3"],
    }
    (folder / "sweep.ipynb").write_text(json.dumps({"cells": [cell]}), "utf-8")
    done = subprocess.run(
        [*(sys.executable, "-m", "sphinx", "-q"), folder, folder / "html"],
        capture_output=True,
        text=True,
        check=True,
    )
    return (folder / "html/page.html").read_text("utf-8"), done.stderr


def test_it_stands_under_the_title(tmp_path):
    page, said = built(tmp_path, "start_slack_h")
    before, _, after = page.partition('<p class="rests-on">')
    assert before.rpartition("</h1>")[2].strip() == ""
    assert after.startswith("Rests on profile <")
    assert "azure-2018-12" in after
    assert "undefined label" in said  # the tables are on pages of the book


def test_an_unknown_name_is_a_warning(tmp_path):
    page, said = built(tmp_path, "start_slack")
    assert "WARNING: rests_on: start_slack is neither a constant nor a reading" in said
    assert "rests-on" not in page
