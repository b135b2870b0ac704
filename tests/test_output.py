"""`vmbmodel.output`: results that a person, a program and a spreadsheet can read."""

import json
import math

import pytest

from vmbmodel.output import deliver, render_csv, render_json, render_table

ROWS = [
    {"vm": "a", "disks": 3, "first_backup_h": 61.07, "deadline_prob": 0.99996},
    {"vm": "b", "disks": 1, "first_backup_h": math.inf, "deadline_prob": 0.0},
]
COLUMNS = ("vm", "disks", "first_backup_h", "deadline_prob")


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
    monkeypatch.setenv("FORCE_COLOR", "1")  # as if it were a terminal
    monkeypatch.setenv("COLUMNS", str(width))
    text = render_table(ROWS, COLUMNS, spare=("disks",))
    assert ("(this screen has no room for disks)" in text) == bool(left_out)
    assert "61.07" in text


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


def test_a_result_is_printed_or_written_whole(tmp_path, capsys):
    deliver("text", None, force=False)
    assert capsys.readouterr().out == "text\n"
    deliver("text", tmp_path / "x", force=False)
    assert (tmp_path / "x").read_text() == "text"
    with pytest.raises(FileExistsError):
        deliver("other", tmp_path / "x", force=False)
