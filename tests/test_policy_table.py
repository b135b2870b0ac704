"""A table of policies beside an inventory says what each of its policies keeps."""

import logging
import time

import pandas as pd
import pytest
from azure_lists import policy
from malformed import refusals
from test_policies import OF_POWERSHELL, OF_THE_SERVICE, SCHEDULES, named, read
from typer.testing import CliRunner

import vmbmodel
from vmbmodel.cli import app
from vmbmodel.fields import fields
from vmbmodel.inventory import fleet
from vmbmodel.inventory.files import InventoryError

INVENTORY = """\
vm,disk,role,size_gib,used_gib,vault,policy
a,a-os,os,128,47,north,Nightly
b,b-os,os,512,300,north,
b,b-data,data,512,300,,Hourly
"""

CSV = """\
policy,vault,rhythm,starts,interval_h,window_h,snapshot_policy,snapshot_points,\
recovery_points,monthly_points,monthly_on,archive,archive_after_months
Nightly,,daily,22:30,,,standard,2,30,,,no,
Hourly,north,hourly,08:00,4,12,enhanced,7,180,60,1 last,yes,6
"""

TOML = """\
[[policy]]
policy = "Nightly"
rhythm = "daily"
starts = ["22:30"]
snapshot_policy = "standard"
snapshot_points = 2
recovery_points = 30
archive = false

[[policy]]
policy = "Hourly"
vault = "north"
starts = 08:00:00
interval_h = 4
window_h = 12
rhythm = "hourly"
snapshot_policy = "enhanced"
snapshot_points = 7
recovery_points = 180
monthly_points = 60
monthly_on = ["1", "last"]
archive = true
archive_after_months = 6
"""

NIGHTLY = {
    "start_h": 22.5,
    "interval_h": 24,
    "snapshot_points": 2,
    "recovery_points": 30,
    "snapshot_policy": "standard",
    "archive": False,
}
HOURLY = {"start_h": 20, "interval_h": 4, "window_h": 12, "snapshot_points": 7,
          "recovery_points": 180, "monthly_points": 60, "month_day": 1,
          "snapshot_policy": "enhanced", "archive": True,
          "archive_after_months": 6}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in [("own.csv", INVENTORY), ("p.csv", CSV), ("p.toml", TOML)]:
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def table(folder, text, name="p.csv"):
    (folder / name).write_text(text, "utf-8")
    return name


def refusal(policies="p.csv", own="own.csv"):
    with pytest.raises(InventoryError) as caught:
        fleet.read_fleet(own, policies)
    return str(caught.value)


@pytest.mark.parametrize("name", ["p.csv", "p.toml"])
def test_a_table_says_the_rest_of_a_policy(folder, name):
    disks = vmbmodel.read_fleet("own.csv", policies=name)
    kept = disks.set_index("disk")[["start_h", *fleet.OF_THE_POLICY]]
    for row, wanted in [("a-os", NIGHTLY), ("b-os", HOURLY), ("b-data", HOURLY)]:
        assert kept.loc[row].dropna().to_dict() == wanted


def test_a_table_as_a_spreadsheet_writes_it(folder):
    table(folder, "\ufeff" + CSV.replace(",", ";").replace("policy;", "Policy;", 1))
    from_csv = fleet.read_fleet("own.csv", "p.csv")
    table(folder, "\ufeff" + TOML.replace("\n", "\r\n"), "p.toml")
    pd.testing.assert_frame_equal(from_csv, fleet.read_fleet("own.csv", "p.toml"))


def test_that_is_said_aloud(folder, caplog):
    with caplog.at_level(logging.WARNING):
        fleet.read_fleet("own.csv", "p.csv")
    assert "of 2 VMs as p.csv says; a cell may say the same, or nothing" in caplog.text


def test_two_policies_give_the_sum_of_their_bills(folder):
    answer = vmbmodel.estimate(fleet.read_fleet("own.csv", "p.csv"))
    alone = []
    disks = fleet.read_fleet("own.csv")
    for name, kept in [("a", NIGHTLY), ("b", HOURLY)]:
        own = disks[disks["vm"] == name]
        scenario = vmbmodel.Scenario.of(settings=kept)
        alone.append(vmbmodel.estimate(own, scenario).total["total_usd"])
    assert answer.total["total_usd"] == pytest.approx(sum(alone), rel=1e-12)
    assert alone[0] < alone[1]


def test_a_cell_may_say_the_same(folder):
    text = INVENTORY.replace(",policy\n", ",policy,recovery_points\n")
    text = text.replace("Nightly\n", "Nightly,30\n").replace(",\n", ",,\n")
    table(folder, text.replace("Hourly\n", "Hourly,180\n"), "own.csv")
    assert fleet.read_fleet("own.csv", "p.csv")["recovery_points"].tolist() == [
        30, 180, 180,
    ]  # fmt: skip


def test_a_contradiction_is_refused_with_its_row_and_column(folder):
    text = INVENTORY.replace(",policy\n", ",policy,recovery_points,archive\n")
    text = text.replace("Nightly\n", "Nightly,31,\n").replace("north,\n", "north,,,\n")
    table(folder, text.replace("Hourly\n", "Hourly,,no\n"), "own.csv")
    assert refusal().splitlines() == [
        "own.csv:2: recovery_points = '31': must be what its policy says, or blank; 30 "
        "in p.csv:2",
        "own.csv:4: archive = 'no': must be what its policy says, or blank; true in "
        "p.csv:3",
    ]


def test_a_policy_that_is_not_in_the_table_is_refused(folder):
    table(folder, CSV.replace("Hourly", "Hurly"))
    assert refusal() == (
        "own.csv:4: policy = 'Hourly': is none of the policies in p.csv; did you mean "
        "Hurly?"
    )


def test_policies_of_one_name_are_told_apart_by_their_vault(folder):
    lines = ["policy,vault,recovery_points", "Nightly,south,7", "Nightly,north,9"]
    table(folder, "\n".join([*lines, "Hourly,,5"]))
    assert fleet.read_fleet("own.csv", "p.csv")["recovery_points"].tolist() == [9, 5, 5]
    table(folder, "\n".join([*lines[:2], "Hourly,,5"]))
    assert refusal().endswith("in p.csv; it has one of vault south")


def test_a_vm_without_a_policy_takes_nothing(folder, caplog):
    table(folder, INVENTORY.replace("Nightly", ""), "own.csv")
    with caplog.at_level(logging.WARNING):
        disks = fleet.read_fleet("own.csv", "p.csv")
    assert disks["recovery_points"].isna().tolist() == [True, False, False]
    assert "1 VM names no policy and takes nothing of p.csv" in caplog.text


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        ("weekly,sunday wednesday,23:00,,,,", "interval_h", 84),
        ("weekly,,23:00,,,,", "interval_h", 168),
        ("daily,,23:00,,,,", "interval_h", 24),
        (",,23:00,,,,", "interval_h", 24),
        ("hourly,,20:00,,6,,", "start_h", 14),  # 20, 2, 8, 14 o'clock: all day
        ("hourly,,08:00 12:00 16:00,,4,8,", "start_h", 16),
        ("hourly,,20:00 00:00 04:00,,4,,", "window_h", 8),
        (",,,,,,first sunday", "month_day", 0),
        (",,,,,,31", "month_day", -1),
    ],
)
def test_words_of_a_policy_are_brought_to_numbers(folder, row, column, value):
    head = "policy,rhythm,weekdays,starts,time_zone,interval_h,window_h,monthly_on"
    table(folder, f"{head}\nNightly,{row}\nHourly,,,,,,,")
    assert fleet.read_fleet("own.csv", "p.csv").loc[0, column] == value


def test_starts_are_brought_to_one_zone(folder, caplog):
    head = "policy,starts,time_zone"
    rows = ["Nightly,22:00,UTC", "Hourly,22:00,W. Europe Standard Time", "c,1:00,UTC"]
    table(folder, "\n".join([head, *rows]))
    with caplog.at_level(logging.WARNING):
        disks = fleet.read_fleet("own.csv", "p.csv")
    assert disks["start_h"].tolist() == [22, 21, 21]
    assert "start_h is by the clock of UTC" in caplog.text


HEAD = "policy,rhythm,weekdays,starts,time_zone,interval_h,window_h,monthly_on"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("policy,recovery_pionts\nNightly,30",
         "p.csv:1: unknown column 'recovery_pionts'; did you mean recovery_points?"),
        ("recovery_points\n30", "p.csv:1: required column policy is missing"),
        ("policy,recovery_points\n,30", "p.csv:2: policy = '': must not be blank"),
        ("policy,recovery_points\nNightly,x",
         "p.csv:2: recovery_points = 'x': must be a number"),
        ("policy,archive\nNightly,maybe", "p.csv:2: archive = 'maybe': must be true"),
        ("policy\nNightly\nNightly",
         "p.csv:3: policy = 'Nightly': must be named once in a vault; it is on line 2"),
        ("policy,vault\nNightly,a\n nightly ,A",
         "p.csv:3: policy = ' nightly ': must be named once in a vault; it is on line"),
        (f"{HEAD}\nNightly,daily,sunday,,,,,",
         "p.csv:2: weekdays = 'sunday': must be blank where rhythm is daily"),
        (f"{HEAD}\nNightly,weekly,sontag,,,,,", "p.csv:2: weekdays = 'sontag': must be "
         "of sunday, monday"),
        (f"{HEAD}\nNightly,hourly,,08:00,,,,",
         "p.csv:2: interval_h = '': must be given where rhythm is hourly"),
        (f"{HEAD}\nNightly,hourly,,08:00 13:00,,4,,",
         "p.csv:2: starts = '08:00 13:00': must be 4 h apart, as interval_h says"),
        (f"{HEAD}\nNightly,hourly,,08:00 12:00 17:00,,4,,",
         "p.csv:2: starts = '08:00 12:00 17:00': must be 4 h apart"),
        (f"{HEAD}\nNightly,hourly,,08:00 12:00,,4,12,",
         "must be 4, as interval_h and window_h say, or the first alone"),
        (f"{HEAD}\nNightly,,,8 o'clock,,,,",
         "p.csv:2: starts = \"8 o'clock\": must be times of a day"),
        (f"{HEAD}\nNightly,,,8:00,Europe/Berlim,,,",
         "p.csv:2: time_zone = 'Europe/Berlim': there is no time zone"),
        (f"{HEAD}\nNightly,weekly,sunday,,,24,,",
         "p.csv:2: interval_h = '24': must be 168, as the policy's own words say"),
        ("policy\n", "has a header and no rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_table_is_named(folder, text, message):
    table(folder, text)
    assert message in refusal()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[policy]]\npolicy = "Nightly"\nrecovery_pionts = 3',
         "p.toml:1: unknown key 'recovery_pionts'; did you mean recovery_points?"),
        ("[[policy]]\narchive = true", "p.toml:1: must have a key policy, its name"),
        ("[policy]\na = 1", "p.toml: policy must be tables, [[policy]]"),
        ('name = "x"', "p.toml: unknown key 'name'; policies are tables, [[policy]]"),
        ("[[policy]\n", "p.toml:1: is no TOML"),
        ('\n[[policy]]\npolicy = "Nightly"\nstarts = {a = 1}',
         "p.toml:2: starts = {'a': 1}: must be a name, a number, a flag or a list"),
        ('[[policy]]\npolicy = "N"\nweekly_points = [[]]',
         "p.toml:1: weekly_points = [[]]: must be a name, a number, a flag or a list"),
        ("", "p.toml: has no policy; a table [[policy]] each is needed"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_its_toml_is_named(folder, text, message):
    table(folder, text, "p.toml")
    assert message in refusal("p.toml")


@pytest.mark.parametrize("rhythm", list(SCHEDULES))
@pytest.mark.parametrize("kind", ["service", "PowerShell"])
def test_what_import_writes_goes_beside_what_it_writes(folder, rhythm, kind):
    if kind == "service":
        shape = policy(**OF_THE_SERVICE | {"schedulePolicy": SCHEDULES[rhythm]})
    else:
        shape = named(OF_POWERSHELL)
    found = read(folder, shape)
    fleet.write(found.disks, "own.csv", force=True)
    found.policies.to_csv("p.csv", index=False)
    disks = fleet.read_fleet("own.csv", "p.csv")
    pd.testing.assert_frame_equal(disks, fleet.read_fleet("own.csv"))
    bare = found.disks.drop(columns=["start_h", *fleet.OF_THE_POLICY])
    fleet.write(bare, "own.csv", force=True)
    disks = fleet.read_fleet("own.csv", "p.csv")
    pd.testing.assert_frame_equal(disks, found.disks)


def test_the_table_says_that_a_vm_starts_several_times(folder):
    command = ["estimate", "own.csv", "--policies", "p.csv"]
    result = CliRunner().invoke(app, command)
    assert "1 VM starts several times a day; the last start" in result.output
    assert "several times" not in CliRunner().invoke(app, command[:2]).output


@pytest.mark.parametrize(
    "command",
    [
        ["estimate", "own.csv"],
        ["check", "own.csv"],
        ["schedule", "own.csv"],
        ["report", "own.csv", "-o", "out"],
    ],
    ids=lambda command: command[0],
)
def test_every_command_with_an_inventory_takes_it(folder, command):
    result = CliRunner().invoke(app, [*command, "--policies", "p.csv"])
    assert result.exit_code == 0, result.output
    assert "as p.csv says" in result.output
    wrong = CliRunner().invoke(app, [*command, "--policies", "own.csv"])
    assert wrong.exit_code == 2
    assert "own.csv:1: unknown column 'vm'" in wrong.output
    if command[0] == "report":
        assert "--policies p.csv" in (folder / "out/report.html").read_text("utf-8")


def test_points_move_to_the_archive_when_their_own_policy_says(folder):
    disks = fleet.read_fleet("own.csv", "p.csv").assign(recovery_points=30)
    scenario = vmbmodel.Scenario.of(settings={"archive_after_months": 6})
    own = vmbmodel.estimate(disks).total["storage_usd"]
    blank = disks.assign(archive_after_months=float("nan"))
    assert own == vmbmodel.estimate(blank, scenario).total["storage_usd"]
    assert own != vmbmodel.estimate(blank).total["storage_usd"]


@pytest.mark.parametrize("name", ["p.csv", "p.toml"])
def test_a_malformed_table_is_read_or_refused_with_its_place(folder, name):
    refused = list(refusals(fleet.read_policies, folder / name, 150))
    assert len(refused) > 75
    assert all(str(f).startswith(name) for findings in refused for f in findings)


def test_every_column_of_the_table_is_a_field():
    assert set(fleet.POLICY_COLUMNS) <= fields().keys()


def test_many_policies_are_found_at_once(folder):
    count = 4000
    names = [f"policy-{number}" for number in range(count)]
    table(folder, "policy,recovery_points\n" + "".join(f"{n},9\n" for n in names))
    rows = [f"vm-{n},os,os,128,40,{n}\n" for n in names]
    head = "vm,disk,role,size_gib,used_gib,policy\n"
    (folder / "own.csv").write_text(head + "".join(rows))
    begin = time.process_time()
    disks = fleet.read_fleet("own.csv", "p.csv")
    assert time.process_time() - begin < 10
    assert (disks["recovery_points"] == 9).all()
    (folder / "own.csv").write_text(head + "".join(rows).replace("policy-", "plan-"))
    begin = time.process_time()
    said = refusal("p.csv")
    assert time.process_time() - begin < 10
    assert "is none of the policies in p.csv" in said
