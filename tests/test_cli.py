"""The command line as a contract: what it prints, writes, refuses and exits with."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner

import vmbmodel
from vmbmodel import fields as units
from vmbmodel.cli import app
from vmbmodel.plan.estimate import COLUMNS, INTERVAL_VMS, OF_VMS
from vmbmodel.service import LIMITS, PRICES, PROFILES

SAMPLE = Path(__file__).parents[1] / "notebooks" / "data" / "fleet.csv"
HEADER = "vm,disk,role,size_gib,used_gib\n"
A2 = HEADER + (
    "a2,os,os,4095,17\na2,tmp,temp,135,5\na2,data1,data,4095,30\na2,data2,data,4095,0\n"
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, status=0):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        assert result.exit_code == status, result.output
        return result.stdout if status == 0 else result.stderr

    return invoke


@pytest.fixture
def a2(tmp_path):
    path = tmp_path / "a2.csv"
    path.write_text(A2)
    return path


# --- estimate ---------------------------------------------------------------------


def test_table_shows_every_vm_the_total_and_what_was_assumed(run):
    text = run("estimate", SAMPLE)
    for name in pd.read_csv(SAMPLE)["vm"].unique():
        assert f" {name} " in text
    for part in (
        "40 VMs",
        "USD",
        "Worth a look",
        "What decides",
        "profile azure-2026-01",
    ):
        assert part in text


def test_json_is_whole_and_the_article_s_vm_costs_five_dollars(run, a2):
    answer = json.loads(run("estimate", a2, "--format", "json"))
    assert answer["schema"] == "vmbmodel.estimate/2"
    (vm,) = answer["vms"]
    assert vm["protected_instance_gib"] == 47
    assert vm["protected_instances"] == 0.5
    assert vm["instance_usd"] == 5


def test_csv_has_a_row_a_vm(run):
    rows = pd.read_csv(
        pd.io.common.StringIO(run("estimate", SAMPLE, "--format", "csv"))
    )
    ends = [f"{name}_{end}" for name in OF_VMS for end in ("low", "high")]
    assert [name for name in rows if name not in ends] == ["vm", *COLUMNS]
    assert list(rows).index("total_usd_high") == list(rows).index("total_usd") + 2
    assert len(rows) == 40
    bare = run("estimate", SAMPLE, "--format", "csv", "--no-interval")
    assert bare.splitlines()[0] == ",".join(["vm", *COLUMNS])


@pytest.fixture
def vaults(tmp_path):
    """Twelve VMs, each in a vault of its own."""
    path = tmp_path / "vaults.csv"
    rows = [f"v{i:02},os,os,128,{20 + i},vault{i:02}" for i in range(12)]
    path.write_text("\n".join(["vm,disk,role,size_gib,used_gib,vault", *rows]))
    return path


def test_a_vm_whose_vault_was_not_drawn_has_a_blank_interval(run, vaults, tmp_path):
    asked = ("estimate", vaults, "--interval", "--interval-vms", 5)
    rows = pd.read_csv(pd.io.common.StringIO(run(*asked, "--format", "csv")))
    blank = rows["total_usd_low"].isna()
    assert blank.sum() == 2  # ten vaults are drawn at least
    assert rows["total_usd"].notna().all()
    saved = tmp_path / "saved.json"
    run(*asked, "--format", "json", "-o", saved)
    answer = json.loads(saved.read_text())
    assert [v["total_usd_low"] is None for v in answer["vms"]] == blank.tolist()
    assert answer["interval"]["drawn_vaults"]["vaults"] == 10
    assert answer["interval"]["verdict"]["at_risk_prob"] is None
    assert "The same" in run("verify", saved)
    words = " ".join(run("estimate", vaults, *asked[2:]).split())
    assert "from 10 of 12 vaults drawn at random, with 10 of 12 VMs" in words


def test_a_gate_on_an_interval_needs_that_of_every_vm(run, vaults):
    gate = ("--fail-on", "deadline_prob_low<0.5")
    said = run("estimate", vaults, *gate, "--interval-vms", 5, status=2)
    assert "deadline_prob_low needs the interval of every VM" in said
    run("estimate", vaults, *gate, "--interval-vms", 12)


@pytest.mark.parametrize("command", ["doubt", "estimate"])
def test_the_command_draws_from_as_many_vms_as_python_does(command):
    asked = get_command(app).commands[command].params
    (default,) = (one.default for one in asked if one.name == "interval_vms")
    assert default == INTERVAL_VMS


def test_never_is_a_word(run, a2):
    settings = ("--set", "utilisation_frac=1")
    assert "never" in run("estimate", a2, *settings)
    answer = json.loads(run("estimate", a2, *settings, "--format", "json"))
    assert answer["vms"][0]["done_p95_h"] == "inf"


def test_settings_reach_the_answer(run, a2):
    answer = json.loads(
        run(
            "estimate",
            a2,
            "--format",
            "json",
            "--set",
            "instance_fee_usd=8",
            "--set",
            "redundancy=LRS",
            "--profile",
            "azure-2018-12",
            "--as-of",
            "2016-01-01",
        )
    )
    assert answer["vms"][0]["instance_usd"] == 4
    assert answer["model"]["prices"]["name"] == "azure-list-2026-01 (modified)"
    assert answer["model"]["profile"]["name"] == "azure-2018-12"
    assert answer["model"]["limits"]["name"] == "2015-10"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("deadline_prob<0.95", 0),
        ("wait_mean_h>1", 1),
        ("total_usd > 5", 1),
        ("first_backup_h>=inf", 0),
    ],
)
def test_a_gate_sets_the_exit_status_and_says_who_fails_it(
    run, a2, caplog, condition, status
):
    run("estimate", a2, "--fail-on", condition, status=status)
    said = f"vmbmodel: --fail-on {condition}: met by "
    assert any(text.startswith(said) for text in caplog.messages) == status


def test_a_gate_that_fails_still_writes_the_result(run, a2, tmp_path):
    run(
        "estimate",
        a2,
        "--fail-on",
        "total_usd>5",
        "-o",
        tmp_path / "x.csv",
        "--format",
        "csv",
        status=1,
    )
    assert (tmp_path / "x.csv").read_text().startswith("vm,")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "servrs=2"], "no setting 'servrs'; did you mean 'servers'?"),
        (["--set", "servers"], "--set takes NAME=VALUE; got 'servers'"),
        (
            ["--set", "servers=ten"],
            "servers must be a number > 0 and finite; got 'ten'",
        ),
        (["--profile", "azure-2019"], "there is no profile 'azure-2019'"),
        (["--prices", "azure"], "there is no price book 'azure'"),
        (["--limits", "2018"], "there is no table of limits '2018'"),
        (["--limits", "2018-12", "--as-of", "2019-01-01"], "exclude each other"),
        (["--as-of", "2001-01-01"], "2001-01-01"),
        (["--fail-on", "cost>5"], "there is no column 'cost'"),
        (["--fail-on", "total_usd>five"], "--fail-on takes a column"),
        (["--fail-on", "total_usd>5-5"], "'5-5' is no number"),
        (["--format", "xml"], "'xml' is not one of"),
    ],
)
def test_bad_options_are_named_without_a_traceback(run, a2, arguments, message):
    stderr = run("estimate", a2, *arguments, status=2)
    assert message in " ".join(stderr.replace("│", " ").split())
    assert "Traceback" not in stderr


def test_all_faults_of_settings_are_named_at_once(run, a2):
    faults = ("servers=ten", "blob_mib_s", "srvers=2", "start_h=24")
    options = [part for fault in faults for part in ("--set", fault)]
    said = run("estimate", a2, *options, status=2)
    for part in ("got 'ten'", "got 'blob_mib_s'", "setting 'srvers'", "got '24'"):
        assert part in said
    said = run("estimate", a2, "--set", "jobs=2", "--set", "vm=x", status=2)
    assert "setting 'jobs'" in said
    assert "setting 'vm'" in said


def test_all_findings_of_a_bad_inventory_come_at_once(run, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text(HEADER + "a,os,os,abc,1\na,d,dta,10,20\nb,d,data,10,-1\n")
    stderr = run("estimate", bad, status=2)
    for part in (
        "bad.csv:2",
        "size_gib",
        "'abc'",
        "bad.csv:3",
        "did you mean data",
        "bad.csv:4",
        "-1",
        "OS disk",
    ):
        assert part in stderr, part
    assert "Traceback" not in stderr


def test_an_existing_file_is_kept_unless_forced(run, a2, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text("mine")
    stderr = run("estimate", a2, "-o", kept, status=2)
    assert "kept.json" in stderr
    assert "exists" in stderr
    assert kept.read_text() == "mine"
    run("estimate", a2, "--format", "json", "-o", kept, "--force")
    assert json.loads(kept.read_text())["schema"] == "vmbmodel.estimate/2"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a2.csv", "kept.json"]


@pytest.mark.parametrize(
    "words",
    [
        "estimate a2.csv -o a2.csv",
        "estimate a2.csv -o none/../a2.csv",
        "estimate a2.csv -o link.csv",
        "estimate a2.csv --format json --policies p.toml -o p.toml",
        "schedule a2.csv --fleet-out a2.csv",
        "schedule a2.csv --scenario p.toml -o p.toml",
        "jobs p.toml a2.csv -o a2.csv",
        "calibrate p.toml --profile mine.toml -o mine.toml",
    ],
)
def test_what_is_read_is_never_written_over(run, a2, tmp_path, words):
    (tmp_path / "link.csv").symlink_to(a2)
    for name in ("p.toml", "mine.toml"):
        (tmp_path / name).write_text("")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    said = run(*words.split(), "--force", status=2)
    rule = "exists, and is read here; name another file"
    assert said == f"vmbmodel: {words.split()[-1]}: {rule}\n"
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("--profile azure-2018-12 --profile azure-2026-01", "--profile"),
        ("--format json --format csv", "--format"),
        ("-o a.csv --output=b.csv", "--output"),
        ("--months 1 --months 1", "--months"),
    ],
)
def test_an_option_that_takes_one_value_is_given_once(run, a2, words, option):
    assert f"{option} is given twice" in run("estimate", a2, *words.split(), status=2)
    run("estimate", a2, "--force", "--force", "--only", "a2", "--only", "a2")


def test_names_that_look_like_formulas_come_out_inert(run, tmp_path):
    sly = tmp_path / "sly.csv"
    sly.write_text(HEADER + "=cmd|' /C calc'!A0,os,os,10,5\n[red]b[/red],os,os,10,5\n")
    rows = run("estimate", sly, "--format", "csv").splitlines()
    assert rows[1].startswith("'=cmd|")
    assert "[red]b[/red]" in run("estimate", sly)


# --- what there is -----------------------------------------------------------------


def test_fields_lists_every_field(run):
    rows = json.loads(run("fields", "--format", "json"))
    assert [row["name"] for row in rows] == list(units.fields())
    assert "servers" in run("fields")


@pytest.mark.parametrize(
    ("command", "service"),
    [("profiles", PROFILES), ("prices", PRICES), ("limits", LIMITS)],
)
def test_sets_are_listed_and_shown_with_their_sources(run, command, service):
    names = [row["name"] for row in json.loads(run(command, "--format", "json"))]
    assert names == list(service.available())
    for name in names:
        rows = json.loads(run(command, name, "--format", "json"))
        assert {r["name"]: float(r["value"]) for r in rows} == dict(service.load(name))
        assert all(row["source"] and row["locator"] for row in rows)
        assert all(row["retrieved"] and row["status"] for row in rows)
        assert rows[0]["source"] in run(command, name)
        assert run(command, name, "--format", "csv").count("\n") == len(rows) + 1


def test_an_unknown_set_is_refused(run):
    assert "did you mean 'azure-2018-12'?" in run("profiles", "azure-2018", status=2)


# --- as a program ------------------------------------------------------------------


def program(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "vmbmodel", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,
    )


def test_it_runs_as_a_module_and_says_its_version():
    done = program("--version")
    assert (done.returncode, done.stdout) == (0, f"vmbmodel {vmbmodel.__version__}\n")


def test_a_missing_file_is_bad_input_without_a_traceback():
    done = program("estimate", "nowhere.csv")
    assert done.returncode == 2
    assert done.stderr.startswith("vmbmodel: nowhere.csv")
    assert done.stdout == ""


def test_a_closed_pipe_is_no_error():
    shell = f"{sys.executable} -m vmbmodel fields | head -n 1"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr


def test_the_table_needs_no_special_terminal():
    done = program("estimate", SAMPLE, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr


# --- dispersion --------------------------------------------------------------------


@pytest.fixture
def monday(tmp_path):
    path = tmp_path / "monday.csv"
    path.write_text("offset,length\n0,8192\n16384,8192\n")
    return path


def test_dispersion_of_a_day_counted_by_hand(run, monday):
    arguments = ("dispersion", monday, "--disk-gib", 1)
    answer = json.loads(run(*arguments, "--format", "json"))
    assert answer["schema"] == "vmbmodel.dispersion/1"
    (day,) = answer["files"]
    assert (day["changed_cells"], day["extents"], day["cells"]) == (2, 2, 131072)
    assert day["dispersion_index"] == pytest.approx(131072 / 131071)
    assert day["dispersion"] == 1
    assert day["writes"] is None
    assert answer["notes"] == []
    assert set(day) | {"days", "union_gib"} <= set(units.fields())
    header, row = run(*arguments, "--format", "csv").splitlines()
    assert header.split(",")[:3] == ["file", "changed_gib", "changed_frac"]
    assert row.startswith(str(monday))
    assert "8 KiB on a disk of 1 GiB" in run(*arguments)


def test_dispersion_warns_of_days_that_are_not_alike(run, monday, tmp_path):
    tuesday = tmp_path / "tuesday.csv"
    tuesday.write_text("offset,length\n0,8388608\n16777216,8192\n")
    arguments = ("dispersion", monday, tuesday, "--disk-gib", 1)
    answer = json.loads(run(*arguments, "--format", "json"))
    # 1,024 cells in bulk and one apart
    first, second = answer["files"]
    assert (first["bulk_frac"], first["scattered_dispersion"]) == (0, 1)
    assert second["bulk_frac"] == pytest.approx(1024 / 1025)
    assert second["scattered_dispersion"] == 1
    spread = {part["name"]: part for part in answer["spread"]}
    assert spread["changed_gib"]["least"] == pytest.approx(2 * 2**-17)
    assert spread["changed_gib"]["most"] == pytest.approx(1025 * 2**-17)
    (note,) = answer["notes"]
    assert "not alike: changed_gib is 1.53e-05 to 0.00782, dispersion_index is" in note
    for cells, notes in ((2, 0), (6, 0), (7, 1)):  # up to three times as much is alike
        rows = [f"{16384 * cell},8192" for cell in range(cells)]
        tuesday.write_text("\n".join(["offset,length", *rows]))
        assert len(json.loads(run(*arguments, "--format", "json"))["notes"]) == notes


def test_dispersion_of_days_shows_what_is_written_again(run, monday, tmp_path):
    tuesday = tmp_path / "tuesday.csv"
    tuesday.write_text("time,op,offset,size\n1,W,0,4096\n2,R,8192,4096\n")
    answer = json.loads(run("dispersion", monday, tuesday, "--format", "json"))
    cell = 8192 / 2**30
    assert [row["union_gib"] for row in answer["unions"]] == [1.5 * cell, 2 * cell]
    assert answer["size_gib"] == 3 * cell
    assert "ends with the last change" not in answer["notes"]
    assert "--disk-gib says better" in answer["notes"][-1]
    table = run("dispersion", monday, tuesday)
    assert f"{1.5 * cell:.4g}" in table
    assert f"{2 * cell:.4g}" in table
    assert "small" in table  # writes, of which a list of extents knows nothing
    assert "small" not in run("dispersion", monday)


def test_dispersion_has_room_on_a_small_screen(run, monday, monkeypatch):
    monkeypatch.chdir(monday.parent)
    monkeypatch.setenv("COLUMNS", "80")
    _, *table, _, _ = run("dispersion", monday.name).splitlines()
    assert max(map(len, table)) <= 80
    assert "no room" not in "".join(table)


def test_dispersion_of_images_day_after_day(run, tmp_path):
    disk = bytearray(80 * 1024)
    images = []
    for day in range(3):
        disk[day * 8192] = day
        images.append(tmp_path / f"day{day}.img")
        images[-1].write_bytes(disk)
    answer = json.loads(
        run("dispersion", "--before", *images, "--cell-kib", 4, "--format", "json")
    )
    assert [day["changed_cells"] for day in answer["files"]] == [1, 1]
    assert [day["cells"] for day in answer["files"]] == [20, 20]


def test_a_stride_is_said_to_be_one(run, tmp_path):
    stride = tmp_path / "stride.csv"
    lines = "".join(f"{i * 16384},1\n" for i in range(64))
    stride.write_text(f"offset,length\n{lines}")
    answer = json.loads(run("dispersion", stride, "--format", "json"))
    assert answer["files"][0]["dispersion_index"] > 1.9
    assert answer["files"][0]["dispersion"] == 1
    assert "avoid each other" in answer["notes"][0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.xml"], "nowhere.xml: does not exist"),
        (["monday.csv", "--cell-kib", "0.3"], "cell_kib must be a multiple of 0.5"),
        (["monday.csv", "--disk-gib", "-1"], "size_gib must be > 0"),
        (["monday.csv", "--disk-gib", "0.00001"], "must end within the disk"),
        (["monday.csv", "--before", "bad.xml"], "monday.csv: must be as long as"),
        (["bad.xml", "--before", "bad.xml", "--disk-gib", "1"], "exclude each other"),
        (["bad.xml"], "bad.xml:1: is no well-formed XML, or cut short"),
    ],
)
def test_bad_changes_are_named_without_a_traceback(
    run, monday, tmp_path, arguments, message
):
    (tmp_path / "bad.xml").write_text("<PageList><PageRange>")
    stderr = run("dispersion", *arguments, status=2)
    assert message in stderr
    assert "Traceback" not in stderr


# --- these ten, and a page of findings ------------------------------------------------


@pytest.fixture
def many(tmp_path):
    rows = ["vm,disk,role,size_gib,used_gib,churn_gib_per_day,vault,policy"]
    rows += [
        f"vm{n:04},os,os,1024,900,300,vault-{n % 2},{'daily' if n % 5 else ''}"
        for n in range(2000)
    ]
    path = tmp_path / "many.csv"
    path.write_text("\n".join(rows))
    return path


def test_a_kind_of_finding_is_a_line_at_any_size(run, many):
    estimated = run("estimate", many, "--set", "deadline_h=3")
    looked = estimated.split("Worth a look")[1]
    assert "and 1,999 more like it; --format json lists them all." in looked
    assert len(looked.splitlines()) < 12
    checked = run("check", many)
    assert "more like it" in checked
    assert len(checked.splitlines()) < 80


def test_these_only(run, many):
    def vms(*words):
        text = run("estimate", many, "--format", "json", *words)
        return {row["vm"]: row for row in json.loads(text)["vms"]}

    ten = [word for n in range(10) for word in ("--only", f"vm{n:04}")]
    assert list(vms(*ten)) == [f"vm{n:04}" for n in range(10)]
    assert len(vms("--vault", "vault-1")) == 1000
    assert len(vms("--vault", "vault-1", "--policy", "daily")) == 800
    assert len(vms("--policy", "policy")) == 400  # of whom the inventory is silent
    lines = run("check", many, "--only", "vm0007", "--format", "csv")
    assert "vm0007" in lines
    assert "vm0008" not in lines
    wrong = run("estimate", many, "--only", "vm0oo1", "--vault", "none", status=2)
    assert "the inventory has no VM 'vm0oo1'; did you mean 'vm0" in wrong
    assert "the inventory has no vault 'none'" in wrong
    odd = run("check", many, "--only", "vm0001", "--vault", "vault-0", status=2)
    assert "no VM is of all that is named" in odd
