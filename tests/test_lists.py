"""Lists as people hold them: of the portal, of PowerShell, of a screen; malformed."""

import csv
import gzip
import io
import json
import random

import pytest
from azure_lists import disk, item, policy, slot, vm
from test_policies import OF_POWERSHELL, named
from test_rvtools import DISKS, PARTITIONS
from test_terraform import RESOURCES, shown

from vmbmodel.inventory import azure, jobs
from vmbmodel.inventory.files import InventoryError

LISTS = {
    "disks": [
        disk("rg-web", "web-01-os", 64, ("rg-web", "web-01")),
        disk("rg-web", "web-01-data", 512, ("rg-web", "web-01"), "StandardSSD_LRS"),
    ],
    "vms": [vm("rg-web", "web-01", slot("rg-web", "web-01-data", 0))],
    "items": [item("rg-web", "web-01")],
    "policies": [policy()],
}


def read(tmp_path, texts):
    paths = {}
    for name, text in texts.items():
        paths[name] = [tmp_path / name]
        paths[name][0].write_text(text, "utf-8")
    return azure.read(paths.pop("disks"), paths.pop("vms"), used_frac=0.5, **paths)


def as_portal(resources):
    """Return resources as the Resource Graph Explorer saves them: objects as text."""
    rows = [
        {"id": r.pop("id"), "name": r.pop("name"), "type": r.pop("type", "")}
        | {"properties": json.dumps(r.pop("properties", {}) | r)}
        for r in map(dict, resources)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def test_a_packed_list_is_named(tmp_path):
    path = tmp_path / "jobs.json.gz"
    path.write_bytes(gzip.compress(b"[]"))
    with pytest.raises(InventoryError, match=r"is packed \(gzip.*; unpack it first"):
        jobs.read([path])


def test_a_csv_of_the_resource_graph_says_what_the_json_says(tmp_path):
    plain = read(tmp_path, {name: json.dumps(rows) for name, rows in LISTS.items()})
    portal = read(tmp_path, {name: as_portal(rows) for name, rows in LISTS.items()})
    assert portal.disks.equals(plain.disks)
    assert portal.policies.equals(plain.policies)


def test_an_object_that_a_spreadsheet_cut_short_is_named(tmp_path):
    texts = {name: as_portal(rows) for name, rows in LISTS.items()}
    cut = as_portal(LISTS["disks"]).splitlines()
    texts["disks"] = "\n".join([*cut[:2], cut[2][: len(cut[2]) // 2] + '"'])
    with pytest.raises(InventoryError, match=r"disks:3: properties = .*be an object"):
        read(tmp_path, texts)


def test_jobs_of_the_resource_graph_are_read_from_a_csv(tmp_path):
    job = {
        "jobType": "AzureIaaSVMJob",
        "duration": "01:41:25.9882040",
        "entityFriendlyName": "vm-a",
        "backupManagementType": "AzureIaasVM",
        "operation": "Backup",
        "status": "Completed",
        "startTime": "2026-02-04T05:08:17.2461660Z",
        "extendedInfo": {"propertyBag": {"Backup Size": "921 MB"}},
    }
    path = tmp_path / "jobs.csv"
    row = {"id": "/subscriptions/s/x", "name": "j-1", "properties": job}
    path.write_text(as_portal([row]), "utf-8")
    found = jobs.read([path]).jobs
    assert found.loc[0, "moved_gib"] == pytest.approx(921 / 1024)


def test_what_powershell_exports_names_its_type_first(tmp_path):
    path = tmp_path / "jobs.csv"
    path.write_text(
        "#TYPE Microsoft.Azure.Commands.Models.AzureVmJob\n"
        '"JobId","Operation","Status","WorkloadName","StartTime","EndTime","Duration",'
        '"BackupManagementType"\n'
        '"j-1","Backup","Completed","vm-a","12/12/2020 11:18:36 PM",'
        '"12/13/2020 12:19:50 AM","01:01:14.1000000","AzureVM"\n',
        "utf-8",
    )
    found = jobs.read([path]).jobs
    assert found.loc[0, "job_h"] * 60 == pytest.approx(61.235)


def test_the_tasks_of_powershell_and_its_numbers_of_kinds(tmp_path):
    seconds = {"Take Snapshot": 1060, "Transfer data to vault": 2600}
    one = {
        "JobId": "j-1",
        "Operation": "Backup",
        "Status": "Completed",
        "WorkloadName": "vm-a",
        "StartTime": "2020-12-12T23:18:36.1234567Z",
        "Duration": {"TotalSeconds": 3674.1},
        "BackupManagementType": 1,
        "SubTasks": [
            {"Name": name, "Status": "Completed", "Duration": {"TotalSeconds": spent}}
            for name, spent in seconds.items()
        ],
    }
    sql = one | {"JobId": "j-2", "WorkloadName": "sql", "BackupManagementType": 5}
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps([one, sql]), "utf-8")
    (found,) = jobs.read([path]).jobs.to_dict("records")
    assert found["vm"] == "vm-a"
    assert found["snapshot_h"] == pytest.approx(1060 / 3600)
    assert found["transfer_h"] == pytest.approx(2600 / 3600)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Name      ResourceGroup    Location\n"
            "--------  ---------------  ----------\n"
            "web-01    rg-web           westeurope\n",
            ":1: is a table for the screen, which leaves most out; say -o json to az",
        ),
        ("Name,ResourceGroup\nweb-01,rg-web\n", "it has no column id; JSON of az"),
        ("#TYPE Deserialized.Microsoft.Azure\n", "has no header"),
    ],
)
def test_what_is_no_list_is_told_what_to_do(tmp_path, text, message):
    texts = {name: json.dumps(rows) for name, rows in LISTS.items()} | {"vms": text}
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, texts)
    assert message in str(caught.value)


def test_a_member_that_another_hides_is_named(tmp_path):
    texts = {name: json.dumps(rows) for name, rows in LISTS.items()}
    size = '"diskSizeGb": '
    assert size in texts["disks"]
    texts["disks"] = texts["disks"].replace(size, f'"DISKSIZEGB": "", {size}')
    assert len(read(tmp_path, texts).disks)  # what is blank hides nothing
    texts["disks"] = texts["disks"].replace(size, f'{size}9, "disksizegb": ', 1)
    with pytest.raises(InventoryError, match=r"disksizegb = \d+: stands twice; 9 is"):
        read(tmp_path, texts)


JUNK = (None, 7, -1.5, "x", "", True, [], {}, [1], {"a": []}, "\x00", 1e308, "NaN")


def altered(value, draw):
    """Return JSON with one of its parts replaced by something else."""
    if isinstance(value, dict) and value and draw.random() < 0.9:
        name = draw.choice(list(value))
        return value | {name: altered(value[name], draw)}
    if isinstance(value, list) and value and draw.random() < 0.9:
        at = draw.randrange(len(value))
        return [*value[:at], altered(value[at], draw), *value[at + 1 :]]
    return draw.choice(JUNK)


def smudged(text, draw):
    """Return a text with some characters lost, doubled or replaced."""
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(text))
        text = text[:at] + draw.choice(["", ",", '"', "\n", ";", "9"]) + text[at + 1 :]
    return text


@pytest.mark.parametrize("seed", range(20))
def test_malformed_lists_are_read_or_refused_by_name(tmp_path, seed):
    draw, refused = random.Random(seed), []
    for _ in range(20):
        whole = LISTS | {"policies": [named(OF_POWERSHELL)]}
        if draw.random() < 0.5:
            whole = {name: [shown(RESOURCES)] for name in whole}
        name = draw.choice(list(whole))
        texts = {n: json.dumps(v) for n, v in whole.items()}
        texts[name] = json.dumps(altered(whole[name], draw))
        try:
            read(tmp_path, texts)
        except InventoryError as error:
            refused += error.findings
    assert refused
    assert all(one.file and one.rule for one in refused)


@pytest.mark.parametrize("seed", range(20))
def test_malformed_sheets_are_read_or_refused_by_name(tmp_path, seed):
    draw, refused = random.Random(seed), []
    for _ in range(20):
        sheets = [DISKS, PARTITIONS]
        at = draw.randrange(2)
        sheets[at] = smudged(sheets[at], draw)
        paths = [tmp_path / "vDisk.csv", tmp_path / "vPartition.csv"]
        for path, sheet in zip(paths, sheets, strict=True):
            path.write_text(sheet, "utf-8")
        try:
            azure.read_rvtools(paths, used_frac=0.5)
        except InventoryError as error:
            refused += error.findings
    assert refused
    assert all(one.file and one.rule for one in refused)
