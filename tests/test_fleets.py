"""`vmbmodel.fleets`: an inventory estimated part by part, as it is in one piece."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.fleets import estimate_by_vault
from vmbmodel.inventory.fleet import InventoryError, joined, parted, tables
from vmbmodel.plan import Scenario, plain
from vmbmodel.plan.estimate import COLUMNS, Estimate, Sums, compare, estimate

VMS = 120
EXACT = ("vms", "disks", "used_gib", "churn_gib_per_day", "stored_gib")
BLANK = {"vault": "vault", "policy": "policy", "excluded": False}


def made(vms=VMS):
    """Return VMs of two disks in twelve vaults, of which accounts join some."""
    rng = np.random.default_rng(7)
    vm = np.repeat(np.arange(vms), 2)
    disk = np.tile([0, 1], vms)
    lies_in_account = vm % 5 == 0
    vault = [f"vault-{number % 12:02}" if number % 11 else None for number in vm]
    return pd.DataFrame(
        {
            "vm": [f"vm-{number:03}" for number in vm],
            "disk": [f"disk-{number}" for number in disk],
            "role": np.where(disk == 0, "os", "data"),
            "size_gib": 512.0,
            "used_gib": rng.random(2 * vms) * 500,
            "vault": [None if d else v for v, d in zip(vault, disk, strict=True)],
            "policy": [f"policy-{number % 3}" for number in vm],
            "start_h": np.array([22.0, 23.0, 2.5])[vm % 3],
            "managed": ~lies_in_account,
            "storage_account": [
                f"account{number % 2}" if own else None
                for number, own in zip(vm, lies_in_account & (vm % 12 < 5), strict=True)
            ],
            "redundancy": np.array(["LRS", "GRS", "ZRS"])[vm % 3],
            "new_disk": (vm % 31 == 3) & (disk == 1),
            "excluded": (vm % 13 == 2) & (disk == 1),
            "interval_h": np.where(vm % 17 == 4, 4.0, 24.0),
            "snapshot_policy": np.where(vm % 17 == 4, "enhanced", "standard"),
        }
    ).assign(managed=lambda d: d["managed"] | d["storage_account"].isna())


@pytest.fixture
def folder(tmp_path):
    """Return a folder of two files whose rows stand in no order."""
    path = tmp_path / "fleet"
    path.mkdir()
    mixed = made().sample(frac=1, random_state=1)
    mixed[:100].to_parquet(path / "a.parquet", index=False, row_group_size=30)
    mixed[100:].to_parquet(path / "b.parquet", index=False)
    return path


def rows(out, table):
    """Return the rows of a table, in an order that does not tell how it came about."""
    found = pd.read_parquet(out / table)
    keys = [name for name in ("vm", "vault", "policy", "start_h") if name in found]
    return found.sort_values(keys, ignore_index=True)


def plainly(answer: Estimate, table):
    found = getattr(answer, table)
    keys = [name for name in ("vm", "vault", "policy", "start_h") if name in found]
    return found.sort_values(keys, ignore_index=True)


# --- the same numbers ---------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [{}, {"tier_reading": "disk", "restore_law": "rates"}, {"vault": "vault-03"}],
    ids=["as it is", "rates", "blanks in a vault that is named too"],
)
def test_parts_come_to_what_the_whole_does(folder, tmp_path, settings):
    scenario = Scenario.of(settings=settings)
    total = estimate_by_vault(folder, tmp_path / "out", scenario, disks=40)
    answer = estimate(made(), scenario)
    assert len(list((tmp_path / "out/vms").iterdir())) > 2
    assert total == answer.total  # to the bit
    for table in ("vms", "policies", "starts"):
        found, expected = rows(tmp_path / "out", table), plainly(answer, table)
        assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12, atol=0)
    sizes = ["disks", "used_gib", "stored_gib", "protected_instance_gib"]
    expected = plainly(answer, "vms")[sizes]
    assert_frame_equal(rows(tmp_path / "out", "vms")[sizes], expected, check_exact=True)


def test_a_vault_with_a_line_counts_for_the_restore_of_all(folder, tmp_path):
    scenario = Scenario.of(settings={"vault_servers": 11, "restore_law": "rates"})
    total = estimate_by_vault(folder, tmp_path / "out", scenario, disks=40)
    answer = estimate(made(), scenario)
    assert_allclose(total["restore_all_h"], answer.total["restore_all_h"], rtol=1e-12)
    for name in (*EXACT, "total_usd"):
        assert total[name] == answer.total[name]


def test_the_record_has_assumptions_and_warnings_of_all_parts(folder, tmp_path):
    estimate_by_vault(folder, tmp_path / "out", disks=40)
    record = json.loads((tmp_path / "out/estimate.json").read_text())
    answer = estimate(made())
    assert record["assumptions"] == answer.to_dict()["assumptions"]
    codes = [warning.code for warning in answer.warnings]
    assert record["warning_counts"] == {code: codes.count(code) for code in codes}
    assert record["vms_file"]["rows"] == VMS == record["total"]["vms"]


def test_workers_of_a_cluster_give_the_same(folder, tmp_path):
    here = estimate_by_vault(folder, tmp_path / "here", disks=100)
    there = estimate_by_vault(folder, tmp_path / "there", disks=100, processes=1)
    assert here == there
    assert_frame_equal(rows(tmp_path / "here", "vms"), rows(tmp_path / "there", "vms"))


def test_sums_do_not_depend_on_how_they_are_parted():
    rng = np.random.default_rng(3)
    amounts = rng.random(1000) * 10.0 ** rng.integers(-12, 12, 1000)
    prob = 1 - rng.random(1000) * 10.0 ** rng.integers(-12, 0, 1000)
    vms = dict.fromkeys(COLUMNS, amounts)
    vms |= {"vault": np.arange(1000) // 143}
    vms |= {"deadline_prob": prob, "later_deadline_prob": prob[::-1]}
    parts = [
        Sums.of({name: column[some] for name, column in vms.items()}, 1.0)
        for some in np.split(np.arange(1000), range(143, 1000, 143))
    ]
    whole = Sums.of(vms, 1.0).figures()
    assert Sums.joined(parts).figures() == whole
    assert whole["total_usd"] == math.fsum(amounts)
    assert whole["expected_misses"] == math.fsum(1 - prob)


# --- parts --------------------------------------------------------------------------


def test_an_account_joins_vaults_through_others():
    vault, account = np.array([0, 1, 1, 2, 3, 4]), np.array([0, 0, 1, 1, -1, -1])
    assert joined(vault, account).tolist() == [0, 0, 0, 0, 1, 2]


def test_a_part_has_whole_vaults_and_accounts(folder):
    parts = parted(folder, 40, **BLANK)
    assert parts.disks == 2 * VMS
    assert parts.vms == VMS
    tables = [part.read() for part in parts.parts]
    whole = pd.concat(tables)
    for name in ("vm", "storage_account"):
        held = [set(table[name].dropna()) for table in tables]
        assert sum(map(len, held)) == whole[name].nunique()
    vaults = made().groupby("vm")["vault"].first().fillna("vault")
    held = [set(vaults[table["vm"]]) for table in tables]
    assert sum(map(len, held)) == vaults.nunique()
    assert parts.crowd == vaults.value_counts().max()


# --- what is refused ----------------------------------------------------------------


def test_a_fault_names_the_row_counted_through_all_files(tmp_path):
    (tmp_path / "fleet").mkdir()
    disks = made()
    disks.loc[150, "used_gib"] = 600.0
    disks[:100].to_parquet(tmp_path / "fleet/a.parquet", index=False)
    disks[100:].to_parquet(tmp_path / "fleet/b.parquet", index=False)
    with pytest.raises(InventoryError, match=r"row 151: used_gib = 600\.0: must be <="):
        estimate_by_vault(tmp_path / "fleet", tmp_path / "out", disks=40)
    assert [path.name for path in tmp_path.iterdir()] == ["fleet"]


@pytest.mark.parametrize(("name", "row"), [("VM-001", 3), ("vm-001", 4)])
def test_a_vm_spelt_twice_is_found_across_vaults(tmp_path, name, row):
    disks = made()
    disks.loc[100:101, "vm"] = name
    disks.to_parquet(tmp_path / "fleet.parquet", index=False)
    with pytest.raises(InventoryError, match=f"row {row}"):
        estimate_by_vault(tmp_path / "fleet.parquet", tmp_path / "out", disks=20)


def test_a_policy_spelt_twice_is_found_across_vaults(tmp_path):
    disks = made()
    disks.loc[100:101, "policy"] = "Policy-1"
    disks.to_parquet(tmp_path / "fleet.parquet", index=False)
    with pytest.raises(InventoryError, match="'policy-1' stands there too"):
        estimate_by_vault(tmp_path / "fleet.parquet", tmp_path / "out", disks=20)


def test_settings_that_join_all_vaults_are_refused(folder, tmp_path):
    settings = {"reserved_gib": 102400.0, "restore_accounts": 3}
    with pytest.raises(ValueError, match="restore_accounts = 3"):
        estimate_by_vault(folder, tmp_path / "out", Scenario.of(settings=settings))


def test_what_the_disk_refuses_is_said_of_the_folder(folder, tmp_path, monkeypatch):
    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left") as refused:
        estimate_by_vault(folder, tmp_path / "out")
    assert refused.value.filename == str(tmp_path / "out")
    assert list(tmp_path.iterdir()) == [folder]


def test_only_a_folder_of_its_own_is_replaced(folder, tmp_path):
    out = tmp_path / "out"
    estimate_by_vault(folder, out)
    with pytest.raises(FileExistsError):
        estimate_by_vault(folder, out)
    estimate_by_vault(
        folder, out, Scenario.of(settings={"redundancy": "LRS"}), force=True
    )
    (out / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        estimate_by_vault(folder, out, force=True)


# --- the command --------------------------------------------------------------------


def run(*words):
    return CliRunner().invoke(app, ["estimate", *map(str, words)])


def test_the_command_writes_the_folder(folder, tmp_path):
    result = run(folder, "--by-vault", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(pd.read_parquet(tmp_path / "out/vms")) == VMS


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name it with -o"),
        (["-o", "out", "--interval"], "--by-vault goes without --interval"),
        (["-o", "out", "--format", "csv"], "--by-vault writes a folder, and no csv"),
        (["-o", "out", "--fail-on", "total_usd_low<1"], "needs an interval"),
        (["-o", "out", "--set", "line_reading=one-pool"], "wait for one another"),
        (["-o", "out", "--compare", "reserved_gib=102400"], "by the VMs of all vaults"),
        (["-o", "out", "--compare", "vault=v"], "vault decides what is estimated"),
        (["-o", "out", "--vault", "vault-1"], "did you mean 'vault-11'"),
        (["-o", "out", "--only", "vm-001", "--policy", "policy-2"], "no VM is of all"),
        (["-o", "out", "--processes", "2", "--scheduler", "tcp://a:1"], "exclude"),
        (["-o", "no/such/out"], "no such folder"),
    ],
)
def test_what_does_not_go_with_it_is_said(folder, words, said, monkeypatch):
    monkeypatch.chdir(folder)
    result = run(folder, "--by-vault", *words)
    assert result.exit_code == 2
    assert said in result.output


POLICIES = """\
vault,policy,recovery_points,monthly_points
,policy-0,7,
,policy-1,90,12
,policy-2,14,
"""


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--policies", "policies.csv", "--fail-on", "stored_gib>900"), 1),
        (("--fail-on", "total_usd>1e6", "--fail-on", "deadline_prob<0.1"), 0),
        (("--months", 3, "--set", "yearly_growth_frac=0.3"), 0),
        (("--compare", "redundancy", "--compare", "gb_bytes=1e9 recovery_points=7"), 0),
        (("--compare", "snapshot_policy=enhanced", "--vault", "vault-03"), 0),
        (("--vault", "vault", "--vault", "vault-04", "--policy", "policy-2"), 0),
        (("--only", "vm-007", "--only", "vm-000", "--fail-on", "disks>1"), 1),
        (("--policy", "policy-1", "--set", "vault_servers=5"), 0),
    ],
    ids=lambda words: " ".join(map(str, words)) if isinstance(words, tuple) else "",
)
def test_options_do_what_they_do_to_a_whole(folder, tmp_path, words, status):
    (tmp_path / "policies.csv").write_text(POLICIES)
    words = [str(tmp_path / w) if w == "policies.csv" else w for w in words]
    made().to_parquet(tmp_path / "whole.parquet", index=False)
    whole = ("--no-interval", "--format", "json", "-o", tmp_path / "whole.json")
    assert run(tmp_path / "whole.parquet", *whole, *words).exit_code == status
    result = run(folder, "--by-vault", "-o", tmp_path / "out", *words)
    assert result.exit_code == status, result.output
    whole, parts = (
        json.loads((tmp_path / name).read_text())
        for name in ("whole.json", "out/estimate.json")
    )
    for record in (whole, parts):  # nights are drawn by part
        if "vault_servers=5" in words:
            for name in [n for n in record["total"] if "miss" in n]:
                del record["total"][name]
            record["total"]["restore_all_h"] = round(
                record["total"]["restore_all_h"], 9
            )
    for name in ("total", "months", "comparisons"):
        assert parts.get(name) == whole.get(name)  # to the bit
    assert set(rows(tmp_path / "out", "vms")["vm"]) == {v["vm"] for v in whole["vms"]}
    if "months" in whole:
        assert len(rows(tmp_path / "out", "months")) == 3 * VMS


def test_a_row_group_is_read_some_rows_at_a_time(folder, tmp_path, monkeypatch):
    expected = estimate_by_vault(folder, tmp_path / "out", disks=40)
    longest = []
    take_apart = tables._of_arrow

    def watched(field, column):
        longest.append(len(column))
        return take_apart(field, column)

    monkeypatch.setattr(tables, "MOST_AT_ONCE", 7)
    monkeypatch.setattr(tables, "_of_arrow", watched)
    parted(folder, 40, **BLANK)
    assert max(longest) == 7
    total = estimate_by_vault(folder, tmp_path / "out", disks=40, force=True)
    assert total == expected
    assert max(longest) < len(made())


def test_a_case_of_few_disks_a_part_is_the_same(folder, tmp_path):
    case = [{"redundancy": "LRS"}, {"yearly_points": 7.0, "archive": True}]
    ask = {"names": {"policy": ["policy-0", "policy-2"]}, "cases": case, "months": 2}
    total = estimate_by_vault(folder, tmp_path / "out", disks=30, **ask)
    some = made()[lambda d: d["policy"].isin(ask["names"]["policy"])]
    assert total == estimate(some).total
    record = json.loads((tmp_path / "out/estimate.json").read_text())
    assert record["comparisons"] == plain(compare(some, None, case))
    months = estimate(some, months=2).to_dict()["months"]
    assert record["months"] == months
    assert len(list((tmp_path / "out/vms").iterdir())) > 2


@pytest.mark.parametrize(
    ("name", "said"),
    [("none", "does not exist"), ("empty", "without a file"), ("a.csv", "as Parquet")],
)
def test_what_is_no_fleet_is_refused(tmp_path, name, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.csv").write_text("vm,disk\n")
    result = run(tmp_path / name, "--by-vault", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert said in result.output


def test_what_of_a_folder_is_not_read_is_said(tmp_path, caplog, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.PARQUET", ".hidden.parquet", "_old/c.parquet"):
        path = Path("fleet", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        made(3).to_parquet(path)
    Path("fleet/d.csv").write_text("vm,disk\n")
    Path("fleet/_SUCCESS").touch()
    assert estimate_by_vault("fleet", "out")["vms"] == 3
    (said,) = caplog.messages
    assert said.startswith("fleet: does not end in .parquet and is not")
    assert said.endswith("d.csv'")


@pytest.mark.parametrize(
    ("bound", "most", "said"),
    [
        ("LARGEST_DATA", 100, "unpacks to"),
        ("MOST_OF_ALL", 20, "has 240 rows; most are 20"),
    ],
)
def test_a_fleet_beyond_a_bound_is_refused(
    folder, tmp_path, monkeypatch, bound, most, said
):
    monkeypatch.setattr(f"vmbmodel.inventory.fleet.tables.{bound}", most)
    with pytest.raises(InventoryError, match=said):
        estimate_by_vault(folder, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [folder]


def test_a_csv_is_refused_by_vault_with_what_is_read(tmp_path):
    made(3).to_csv(tmp_path / "fleet.csv")
    with pytest.raises(InventoryError, match=r"; by vault, only Parquet is read$"):
        estimate_by_vault(tmp_path / "fleet.csv", tmp_path / "out")


def test_a_part_is_held_to_the_bound_of_a_whole(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("vmbmodel.inventory.fleet.parts.MOST_ROWS", 20)
    said = "has [0-9]+ disks of vaults that belong together; most are 20$"
    with pytest.raises(InventoryError, match=said):
        estimate_by_vault(folder, tmp_path / "out")


def test_a_column_in_the_names_of_folders_is_refused(tmp_path):
    for vault in "ab":
        folder = tmp_path / f"fleet/vault={vault}"
        folder.mkdir(parents=True)
        made(3).drop(columns="vault").to_parquet(folder / "part.parquet")
    with pytest.raises(InventoryError, match="says vault in the name of a folder, 'v"):
        estimate_by_vault(tmp_path / "fleet", tmp_path / "out")


@pytest.mark.parametrize(
    ("vm", "said"),
    [(True, "column vm must hold text"), (None, "row 1: vm = '': must not be blank")],
)
def test_a_fleet_without_names_is_refused(tmp_path, vm, said):
    made(3).assign(vm=vm).to_parquet(tmp_path / "fleet.parquet")
    with pytest.raises(InventoryError, match=said):
        estimate_by_vault(tmp_path / "fleet.parquet", tmp_path / "out")


def test_workers_are_for_parts_only():
    fleet = Path(__file__).parents[1] / "book/examples/one-vm.csv"
    result = run(fleet, "--processes", "2")
    assert result.exit_code == 2
    assert "go with --by-vault" in result.output
