"""Shapes of a result: for a person, a program and a spreadsheet."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.cli.present import Condition, deliver
from vmbmodel.plan import plain, records
from vmbmodel.render import fit, render_csv, render_json, render_table

ROWS = [
    {"vm": "a", "disks": 3, "first_backup_h": 61.07, "deadline_prob": 0.99996},
    {"vm": "b", "disks": 1, "first_backup_h": math.inf, "deadline_prob": 0.0},
]
COLUMNS = ("vm", "disks", "first_backup_h", "deadline_prob")


def test_what_a_spreadsheet_would_compute_is_told_apart_from_text():
    cells = ["=1", "'=1", "\uff1d1", "-1", "plain", "'quoted'"]
    text = render_csv([{"vm": cell} for cell in cells], ["vm"])
    written = text.splitlines()[1:]
    assert written == ["'=1", "''=1", "'\uff1d1", "'-1", "plain", "'quoted'"]
    assert len(set(written)) == len(cells)


def test_a_table_is_as_it_was_once_it_is_read():
    table = pd.DataFrame({"vault": ["a", math.nan], "total_usd": [math.inf, 1]})
    table = table.astype({"vault": object})
    before = table.copy(deep=True)
    assert list(records(table))[1] == {"vault": None, "total_usd": 1}
    pd.testing.assert_frame_equal(table, before)
    assert table["vault"][1] is not None


def test_nothing_has_no_sign():
    table = pd.DataFrame({"any_miss_prob": [-0.0, 1.0]})
    assert str(next(records(table))) == "{'any_miss_prob': 0.0}"
    assert str(plain({"any_miss_prob": -0.0})) == "{'any_miss_prob': 0.0}"


def as_on_a_screen(monkeypatch, width):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))


def test_table_is_headed_by_labels_and_units_and_never_rounds_a_chance_up():
    lines = render_table(ROWS, COLUMNS, footer={"vm": "2 VMs", "disks": 4}).splitlines()
    assert [word for line in lines[:4] for word in line.split()] == [
        *("first", "backup", "in", "VM", "disks", "h", "time")
    ]
    cells = [line.split() for line in lines]
    assert ["a", "3", "61.07", "0.9999"] in cells
    assert ["b", "1", "never", "0.0000"] in cells
    assert ["2", "VMs", "4"] in cells


@pytest.mark.parametrize(("width", "left_out"), [(200, ""), (22, "disks")])
def test_a_narrow_screen_goes_without_spare_columns_and_says_so(
    monkeypatch, width, left_out
):
    as_on_a_screen(monkeypatch, width)
    text = render_table(ROWS, COLUMNS, spare=("disks",))
    assert ("(this screen has no room for disks)" in text) == bool(left_out)
    assert "61.07" in text
    assert max(map(len, text.splitlines()[:-1])) <= width


def test_what_is_too_long_for_the_screen_is_broken_inside_its_column(monkeypatch):
    as_on_a_screen(monkeypatch, 60)
    long = {"vm": "x" * 70, "disks": 3, "text": "one word and another"}
    lines = render_table([long], ["vm", "disks", "text"]).splitlines()
    assert max(map(len, lines)) <= 60
    assert sum(line.count("x") for line in lines) == 70 + 1  # one in "text"
    assert "one word and" in " ".join(line[35:].strip() for line in lines)


def test_a_long_word_is_broken_after_a_sign(monkeypatch):
    as_on_a_screen(monkeypatch, 60)
    table = [{"case": "recovery_points=7;weekly_points=12", "text": "x" * 30}]
    words = render_table(table, ["case", "text"]).split()
    assert {"recovery_points=7;weekly_", "points=12"} <= set(words)


def test_on_a_phone_what_would_be_broken_is_a_list(monkeypatch):
    as_on_a_screen(monkeypatch, 46)
    rows = [row | {"text": "one word and another", "source": "none"} for row in ROWS]
    columns = [*COLUMNS, "text", "source"]
    footer = {"vm": "2 VMs", "disks": 4}
    spare = ["source"]
    assert render_table(rows, columns, footer=footer, spare=spare).split("\n") == [
        "",
        " a",
        "   disks             3",
        "   first backup (h)  61.07",
        "   in time           0.9999",
        "   text              one word and another",
        "   source            none",
        " b",
        "   disks             1",
        "   first backup (h)  never",
        "   in time           0.0000",
        "   text              one word and another",
        "   source            none",
        "",
        " 2 VMs",
        "   disks             4",
        "",
    ]
    assert "\u2500" in render_table(rows, COLUMNS)  # fits: a table


def test_a_list_leaves_out_what_a_table_of_80_columns_does(monkeypatch):
    as_on_a_screen(monkeypatch, 46)
    row = {"vm": "日" * 30, "rule": "r" * 30, "text": "word " * 20, "source": "s" * 9}
    text = render_table([row], list(row), spare=["source"])
    assert text.endswith("\n(this screen has no room for source)")
    lines = text.split("\n")
    assert max(map(cell_len, lines)) <= 46
    assert "".join(text.split()).count("word") == 20
    assert "日" * 22 in lines[1]
    # a group's further rows have no name; a blank line stands in its place
    rows = [{"vault": vault, "text": "long " * 12} for vault in ("one", "")]
    lines = render_table(rows, ["vault", "text"]).split("\n")
    assert lines[1] == " one"
    assert lines.index("", 1) == 4
    rows = [{"month": 3, "text": "long " * 12}]
    assert render_table(rows, ["month", "text"]).split("\n")[1] == " month 3"


@pytest.mark.parametrize(("width", "source"), [(80, False), (120, True)])
def test_prose_is_broken_before_a_word_is_and_names_stay_whole(
    monkeypatch, width, source
):
    as_on_a_screen(monkeypatch, width)
    row = {
        "rule": "enhanced-disk-regions",
        "place": "vault vault-apps-weu, policy daily-23",
        "text": "The 7 VMs with unmanaged disks of policy daily-23 lie in one account.",
        "source": "article2018",
    }
    table = render_table([row], list(row), spare=("source",))
    assert ("article2018" in table) == source
    assert max(map(len, table.splitlines())) <= width
    words = {word for name in ("rule", "place", "text") for word in row[name].split()}
    assert words <= set(table.split())


def test_wide_letters_take_two_places():
    lines = render_table(
        [{"vm": "日本", "disks": 3}, {"vm": "abcd", "disks": 3}], COLUMNS[:2]
    )
    first, second = lines.splitlines()[-2:]
    assert len(second) - len(first) == 2


def test_a_long_table_takes_no_time_to_speak_of():
    assert render_table(ROWS * 50_000, COLUMNS).count("never") == 50_000


def test_a_table_is_made_without_what_other_forms_need():
    code = """if True:
        import sys
        from vmbmodel.render import render_csv, render_json, render_table
        render_table([{"vm": "a", "disks": 3}], ["vm", "disks"])
        heavy = {"numpy", "pandas", "jinja2", "xlsxwriter", "matplotlib"}
        print(*heavy & sys.modules.keys())
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"


def test_csv_takes_formulas_for_text():
    for start in "=+-@\t\r":
        text = render_csv([{"vm": f"{start}1"}], ["vm"])
        assert text.splitlines()[1].lstrip('"').startswith("'")
    assert render_csv([{"vm": "a-b", "disks": -1}], ["vm", "disks"]) == (
        "vm,disks\na-b,-1\n"
    )


def test_json_refuses_what_is_no_json():
    assert json.loads(render_json({"wait_h": "inf", "vm": "ü"})) == {
        "wait_h": "inf",
        "vm": "ü",
    }
    with pytest.raises(ValueError, match="not JSON compliant"):
        render_json({"wait_h": math.nan})


@pytest.mark.parametrize(
    ("text", "values", "base", "met"),
    [
        ("total_usd<2", 1, 0, True),
        (" total_usd  >= 1e3 ", 999, 0, False),
        ("total_usd<=inf", math.inf, 0, True),
        ("total_usd>+5%", 6, 100, True),
        ("total_usd>+5%", 6, -200, False),
        ("total_usd<-5%", -6, 100, True),
    ],
)
def test_a_condition_is_met_or_not(text, values, base, met):
    condition = Condition.parse(text, ["total_usd"], "total", percent=True)
    assert condition.met(values, base) == met


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("total_usd", "takes a total, <, <=, > or >=, and a number; got 'total_usd'"),
        ("total_usd>5%", "takes a total, <, <=, > or >=, and a number"),
        ("total_usd>1.2.3", "'1.2.3' is no number"),
        ("total_eur>1", "there is no total 'total_eur'"),
    ],
)
def test_what_is_no_condition_is_refused(text, why):
    with pytest.raises(ValueError, match=re.escape(why)):
        Condition.parse(text, ["total_usd"], "total")


def test_a_result_is_printed_or_written_whole(tmp_path, capsys):
    deliver("text", None, force=False)
    assert capsys.readouterr().out == "text\n"
    deliver("text", tmp_path / "x", force=False)
    assert (tmp_path / "x").read_text() == "text"
    with pytest.raises(FileExistsError):
        deliver("other", tmp_path / "x", force=False)


def test_a_reader_that_has_seen_enough_is_no_fault():
    code = (
        "from vmbmodel.cli.present import deliver;"
        " deliver('x' * 10**7, None, force=False)"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    writer.stdout.read(1)
    writer.stdout.close()
    assert writer.stderr.read() == b""
    writer.stderr.close()
    assert writer.wait() == 0


def test_a_closed_output_is_said(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OSError, match="standard output is closed"):
        deliver("text", None, force=False)
    assert render_table(ROWS, COLUMNS)


# --- the width of what is printed ---------------------------------------------------


@pytest.mark.parametrize("width", [46, 80, 100, 133])
@pytest.mark.parametrize("command", ["estimate", "check", "reconcile", "schedule"])
def test_every_line_fits_the_screen_in_a_pipe_too(monkeypatch, width, command):
    words = {"reconcile": ["book/examples/bill-fleet.csv", "book/examples/bill.csv"]}
    files = words.get(command, ["vmbmodel/inventory/fleet/sample.csv"])
    monkeypatch.chdir(Path(__file__).parents[1])
    if width == 80:  # which is taken where nothing says how wide it is
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", str(width))
    shown = CliRunner().invoke(app, [command, *files])
    assert shown.exit_code == 0
    assert len(shown.stdout.splitlines()) > 10
    assert not [line for line in shown.stdout.splitlines() if len(line) > width]


def test_a_sentence_is_broken_between_words_and_set_in(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    long = "  sql-02: a disk is new, and is copied whole in 4.5 h."
    row = " a   b   " + "c" * 40  # of a table
    assert fit(f"short\n{long}\n\n{row}").split("\n") == [
        "short",
        "  sql-02: a disk is new, and",
        "    is copied whole in 4.5 h.",
        "",
        row,
    ]
    assert all(cell_len(line) <= 30 for line in fit("日本 " * 20).split("\n"))
    assert "".join(fit("日本 " * 20).split()) == "日本" * 20
