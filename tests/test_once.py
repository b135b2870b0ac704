"""What Azure's lists hold twice: alike it counts once, otherwise it is refused."""

import copy
import csv
import io
import json
from pathlib import Path

import pytest
from azure_lists import disk, item, policy, slot, vault, vm
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.inventory import azure, fleet
from vmbmodel.inventory.files.findings import InventoryError

HELD = ("rg", "web")
DISKS = [disk("rg", "web-os", 127, HELD), disk("rg", "web-data", 512, HELD)]
LISTS = {
    "disks": DISKS,
    "vms": [vm("rg", "web", slot("rg", "web-data", 0, diskSizeGb=None))],
    "items": [item("rg", "web")],
    "policies": [policy()],
    "vaults": [
        {
            "id": vault(),
            "name": "vault-1",
            "properties": {
                "redundancySettings": {
                    "standardTierStorageRedundancy": "GeoRedundant",
                    "crossRegionRestore": "Disabled",
                }
            },
        }
    ],
}
OTHER = {  # a member that says something else, where it stands, and how that is told
    "disks": (("diskSizeGb",), 128, "size_gib is 127 there and 128 here"),
    "vms": (("storageProfile", "osDisk", "osType"), "Windows", "os is 'linux' there"),
    "items": (("properties", "lastRecoveryPoint"), None, "first_backup is 0 there"),
    "policies": (("properties", "timeZone"), "Asia/Tokyo", "zone is 'UTC' there"),
    "vaults": (
        ("properties", "redundancySettings", "standardTierStorageRedundancy"),
        "ZoneRedundant",
        "redundancy is 'GRS' there and 'ZRS' here",
    ),
}
USED = "vm,disk,used_gib\nweb,web-os,20\nWEB,WEB-DATA,200\n"


def save(name, content):
    Path(name).write_text(
        content if isinstance(content, str) else json.dumps(content), encoding="utf-8"
    )
    return name


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(used=USED, **changed):
    lists = {name: [save(f"{name}.json", of)] for name, of in LISTS.items()}
    for name, of in changed.items():
        lists[name] = [*lists[name], save(f"more-{name}.json", of)]
    return azure.read(
        lists.pop("disks"), lists.pop("vms"), used=[save("used.csv", used)], **lists
    )


@pytest.mark.parametrize("name", LISTS)
def test_a_list_given_twice_changes_nothing_and_is_said(name):
    once, again = read(), read(**{name: LISTS[name]})
    assert again.disks.equals(once.disks)
    (note,) = set(again.notes) - set(once.notes)
    assert "that stand twice and alike, which count once: " in note
    assert f"(more-{name}.json: row 1, as {name}.json: row 1)" in note


@pytest.mark.parametrize("name", LISTS)
def test_two_entries_that_differ_are_refused_with_both_places(name):
    (*path, last), value, told = OTHER[name]
    other = copy.deepcopy(LISTS[name])
    inner = other[0]
    for step in path:
        inner = inner[step]
    inner[last] = value
    if name == "items":
        inner |= {"lastBackupStatus": "Failed"}
    with pytest.raises(InventoryError) as refused:
        read(**{name: other})
    (finding,) = refused.value.findings
    assert (finding.file, finding.row) == (f"more-{name}.json", 1)
    assert told in str(finding)
    assert f"see {name}.json: row 1" in str(finding)


def test_what_one_entry_leaves_open_the_other_tells():
    bare = [disk("rg", "web-os", None, HELD)]
    again = read(disks=bare)
    assert list(again.disks["size_gib"]) == [127, 512]
    turned = azure.read(
        [save("bare.json", bare), save("disks.json", DISKS)],
        [save("vms.json", LISTS["vms"])],
        used_frac=0.5,
    )
    assert list(turned.disks["size_gib"]) == [127, 512]


def test_used_sizes_of_one_disk():
    again = read(used=USED + "rg/web,web-os,20\n")
    assert list(again.disks["used_gib"]) == [20, 200]
    assert "'rg/web/web-os' (used.csv: line 4, as used.csv: line 2)" in str(again.notes)
    with pytest.raises(InventoryError) as refused:
        read(used=USED + "rg/web,web-os,21\n")
    assert "used_gib is 20 there and 21 here; see used.csv: line 2" in str(
        refused.value
    )
    assert "used.csv:4: " in str(refused.value)


def test_used_sizes_of_one_vm():
    head = "vm,used_gib\nweb,300\n"
    assert read(used=head + "web,300\n").disks["used_gib"].sum() == 300
    with pytest.raises(InventoryError, match="used_gib is 300 there and 30 here"):
        read(used=head + "web,30\n")


@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_figure_of_the_vault_counts_whichever_file_holds_it(turned):
    head = "TimeGenerated,BackupItemFriendlyName,BackupItemFrontEndSize\n"
    files = [
        save(f"{day}.csv", f"{head}2026-05-0{day}T00:00:00Z,web,{size}\n")
        for day, size in ((1, 102400), (2, 204800))
    ]
    paths = [save("disks.json", DISKS)], [save("vms.json", LISTS["vms"])]
    answer = azure.read(*paths, used=files[::-1] if turned else files)
    assert answer.disks["used_gib"].sum() == pytest.approx(200)


def test_an_order_of_dates_holds_for_figures_of_the_vault_too():
    rows = "TimeGenerated,BackupItemFriendlyName,BackupItemFrontEndSize\n"
    rows += "03/04/2026 00:00,web,102400\n02/05/2026 00:00,web,204800\n"
    paths = [save("disks.json", DISKS)], [save("vms.json", LISTS["vms"])]
    used = [save("core.csv", rows)]
    with pytest.raises(InventoryError, match="say --date-order dmy or mdy"):
        azure.read(*paths, used=used)
    for order, newest_gib in {"dmy": 200, "mdy": 100}.items():
        answer = azure.read(*paths, used=used, date_order=order)
        assert answer.disks["used_gib"].sum() == pytest.approx(newest_gib)
    files = [f"--disks={paths[0][0]}", f"--vms={paths[1][0]}", f"--used={used[0]}"]
    out = CliRunner().invoke(app, ["import", *files, "--date-order", "dmy"])
    assert out.exit_code == 0, out.output
    listed = csv.DictReader(io.StringIO(out.stdout))
    assert sum(float(row["used_gib"]) for row in listed) == pytest.approx(200)


# --- columns that nobody reads, and sizes that contradict themselves --------------


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_columns_of_used_sizes_that_nobody_reads_are_named(kind, caplog):
    rows = [{"vm": "web", "disk": "web-os", "used_gib": 20, "owner": "bob"}]
    rows.append(rows[0] | {"disk": "web-data"})
    text = json.dumps(rows)
    if kind == "csv":
        lines = [",".join(map(str, row.values())) for row in rows]
        text = "\n".join([",".join(rows[0]), *lines])
    assert list(read(used=text).disks["used_gib"]) == [20, 20]
    assert caplog.messages == [
        "used.csv: not used, for no column is called so: 'owner'"
    ]


def test_a_misspelt_column_of_used_sizes_is_refused():
    with pytest.raises(InventoryError, match="'disks'; did you mean disk"):
        read(used="vm,disks,used_gib\nweb,web-os,20\n")


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"diskSizeGb": 0}, "diskSizeGB = 0.0: must be > 0"),
        (
            {"diskSizeGb": 127, "diskSizeBytes": 128 * 2**30},
            "must be as many bytes as are given; diskSizeBytes is 128 GiB",
        ),
    ],
)
def test_sizes_that_cannot_be_are_refused(members, rule):
    wrong = [DISKS[0] | members, DISKS[1]]
    with pytest.raises(InventoryError, match=rule):
        azure.read([save("d.json", wrong)], [save("v.json", LISTS["vms"])])


def test_bytes_that_agree_are_taken():
    right = [DISKS[0] | {"diskSizeBytes": 127 * 2**30}, DISKS[1]]
    assert read(disks=right).disks.equals(read().disks)


@pytest.mark.parametrize(
    ("members", "note"),
    [
        (
            {"sku": {"name": "Quantum_LRS"}},
            "disks of a SKU that is not known, whose disk_type is left out: "
            "'web/web-os: Quantum_LRS'",
        ),
        (
            {"diskSizeGb": 127 * 1024},
            "disks larger than any that is backed up, as if their sizes were in MB: "
            "'web/web-os: 130,048 GiB'",
        ),
    ],
)
def test_disks_that_no_one_has_are_pointed_out(members, note):
    odd = [DISKS[0] | members, DISKS[1]]
    answer = azure.read(
        [save("d.json", odd)], [save("v.json", LISTS["vms"])], used_frac=0.1
    )
    assert note in answer.notes


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ([], "names no time at which it runs"),
        (["2026-01-15T22:30:00Z", "2026-01-15T04:30:00Z"], "names 2 times of a day"),
    ],
)
def test_a_policy_without_its_one_time_is_pointed_out(times, told):
    odd = copy.deepcopy(LISTS["policies"])
    odd[0]["properties"]["schedulePolicy"]["scheduleRunTimes"] = times
    answer = azure.read(
        [save("d.json", DISKS)],
        [save("v.json", LISTS["vms"])],
        items=[save("i.json", LISTS["items"])],
        policies=[save("p.json", odd)],
        used_frac=0.1,
    )
    assert any(note.startswith(f"VMs whose policy {told}") for note in answer.notes)
    assert told in answer.policies["remarks"][0]


def test_megabytes_in_the_place_of_gigabytes_are_remarked(caplog):
    rows = "a,os,os,130048,40\na,d,data,65536,40\n"
    fleet.read_fleet(save("fleet.csv", "vm,disk,role,size_gib,used_gib\n" + rows))
    assert caplog.messages == [
        "fleet.csv: size_gib 130,048 on line 2 is above 65,536 GiB, the largest disk "
        "that is backed up; if it is in MB, say 127"
    ]
