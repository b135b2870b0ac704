"""Azure's lists become an inventory, or are refused with everything wrong with them."""

import copy
import json
import re
from pathlib import Path

import pytest
from azure_lists import (
    SUBSCRIPTION,
    disk,
    item,
    job,
    policy,
    resource,
    slot,
    vault,
    vm,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.inventory import azure, fleet
from vmbmodel.inventory.files.findings import InventoryError

OTHER = "22222222-2222-2222-2222-222222222222"
NAMES = ("disks", "vms", "items", "jobs", "policies", "vaults", "used")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def save(name, content):
    path = Path(name)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
    return path


def read(disks=(), vms=(), used_frac=0.5, **more):
    files = {"disks": list(disks), "vms": list(vms)} | more
    lists = {n: [save(f"{n}.json", c)] for n, c in files.items() if n in NAMES}
    rest = {n: value for n, value in files.items() if n not in NAMES}
    return azure.read(
        lists.pop("disks"), lists.pop("vms"), used_frac=used_frac, **lists, **rest
    )


def one(answer, **where):
    rows = answer.disks
    for name, value in where.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def notes(answer):
    return "\n".join(answer.notes)


WEB = vm("rg-web", "web-01", slot("rg-web", "web-01-data", 0, diskSizeGb=None))
WEB_DISKS = (
    disk("rg-web", "web-01-os", 127, ("rg-web", "web-01")),
    disk("rg-web", "web-01-data", 512, ("rg-web", "web-01"), "StandardSSD_ZRS"),
)


# --- disks and VMs -----------------------------------------------------------


def test_a_vm_and_its_disks():
    answer = read(WEB_DISKS, [WEB])
    assert list(answer.disks["vm"]) == ["web-01", "web-01"]
    system, data = (answer.disks.iloc[i] for i in (0, 1))
    assert (system["disk"], system["role"], system["size_gib"]) == (
        "web-01-os",
        "os",
        127,
    )
    assert (data["role"], data["disk_type"], data["managed"]) == (
        "data",
        "standard-ssd",
        True,
    )
    assert system["os"] == "linux"
    assert data["used_gib"] == 256
    assert data["origin"] == "size: disk list; used: share of the size, 0.5"


def test_trusted_launch_is_told_by_the_security_of_a_vm():
    trusted = WEB | {"securityProfile": {"securityType": "TrustedLaunch"}}
    assert read(WEB_DISKS, [trusted]).disks["trusted_launch"].all()
    for security in ({}, {"securityProfile": None}):
        assert read(WEB_DISKS, [WEB | security]).disks["trusted_launch"].isna().all()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_is_written_is_read_back(suffix):
    items = [item("rg-web", "web-01")]
    answer = read(WEB_DISKS, [WEB], items=items, policies=[policy()])
    fleet.write(answer.disks, f"fleet.{suffix}")
    assert_frame_equal(fleet.read_fleet(f"fleet.{suffix}"), answer.disks)


def test_identifiers_match_in_any_case():
    shouted = [d | {"id": d["id"].upper()} for d in WEB_DISKS]
    answer = read(shouted, [WEB])
    assert list(answer.disks["size_gib"]) == [127, 512]


@pytest.mark.parametrize(
    "shape",
    [
        lambda d: d | {"diskSizeGB": d.pop("diskSizeGb")},
        lambda d: d | {"diskSizeGB": str(d.pop("diskSizeGb"))},
        lambda d: d | {"diskSizeBytes": d.pop("diskSizeGb") * 2**30},
        lambda d: (
            d | {"properties": {"diskSizeGB": d.pop("diskSizeGb"), "osType": "Linux"}}
        ),
        lambda d: {k[0].upper() + k[1:]: v for k, v in d.items()},
        lambda d: {re.sub("([A-Z])", r"_\1", k).lower(): v for k, v in d.items()},
    ],
    ids=["upper", "text", "bytes", "nested", "pascal", "snake"],
)
def test_shapes_of_several_years_and_tools(shape):
    answer = read([shape(dict(d)) for d in WEB_DISKS], [WEB])
    assert list(answer.disks["size_gib"]) == [127, 512]
    assert list(answer.disks["disk_type"]) == ["premium-ssd", "standard-ssd"]


def test_the_services_own_vms():
    own = dict(WEB)
    own["properties"] = {"storageProfile": own.pop("storageProfile")}
    assert_frame_equal(read(WEB_DISKS, [own]).disks, read(WEB_DISKS, [WEB]).disks)


def test_same_names_get_their_group_and_then_their_subscription():
    vms = [
        vm("rg-a", "app"),
        vm("rg-b", "APP"),
        vm("rg-c", "db"),
        vm("rg-c", "db", subscription=OTHER),
        vm("rg-c", "single"),
    ]
    for one_vm in vms:
        one_vm["storageProfile"]["osDisk"]["diskSizeGb"] = 30
    for order in (vms, vms[::-1]):
        found = set(read([], order).disks["vm"])
        assert found == {
            "rg-a/app",
            "rg-b/APP",
            f"{SUBSCRIPTION}/rg-c/db",
            f"{OTHER}/rg-c/db",
            "single",
        }


def test_unattached_disks_are_listed_and_not_counted():
    answer = read([*WEB_DISKS, disk("rg-old", "orphan", 1024)], [WEB])
    assert len(answer.disks) == 2
    assert answer.unattached.to_dict("records") == [
        {"disk": "orphan", "resource_group": "rg-old", "size_gib": 1024.0}
    ]
    said = "\n".join(answer.summary())
    assert "rg-old/orphan, 1,024 GiB" in said
    assert "1 unattached disk of 1,024 GiB" in said


def test_shared_disks_are_listed_with_each_vm_and_excluded():
    owners = [resource("rg", "virtualMachines", n) for n in ("a", "b")]
    shared = disk(
        "rg", "quorum", 256, ("rg", "a"), maxShares=2, managedByExtended=owners
    )
    small = [disk("rg", f"{n}-os", 30, ("rg", n)) for n in ("a", "b")]
    vms = [vm("rg", n, slot("rg", "quorum", 0)) for n in ("a", "b")]
    answer = read([*small, shared], vms)
    rows = answer.disks[answer.disks["disk"] == "quorum"]
    assert len(rows) == 2
    assert rows["excluded"].all()
    assert "shared disks" in notes(answer)


def test_ultra_and_premium_v2_need_an_enhanced_policy():
    fast = disk("rg-web", "web-01-data", 512, ("rg-web", "web-01"), "UltraSSD_LRS")
    items, disks = [item("rg-web", "web-01")], [WEB_DISKS[0], fast]
    answer = read(disks, [WEB], items=items, policies=[policy()])
    assert one(answer, role="data")["disk_type"] == "ultra"
    assert "under a Standard policy" in notes(answer)
    enhanced = [policy(policyType="V2")]
    assert "ultra" not in notes(read(disks, [WEB], items=items, policies=enhanced))


def test_an_unmanaged_disk_lies_in_its_account():
    blob = {
        "name": "old",
        "osType": "Windows",
        "diskSizeGB": 127,
        "vhd": {"uri": "https://STprod01.blob.core.windows.net/vhds/old.vhd"},
    }
    row = one(read([], [vm("rg", "old", os=blob)]), vm="old")
    assert (row["managed"], row["storage_account"]) == (False, "stprod01")
    assert row["origin"].startswith("size: VM list")


def test_an_ephemeral_disk_is_excluded():
    os = slot("rg", "e-os", diskSizeGb=30, diffDiskSettings={"option": "Local"})
    answer = read([], [vm("rg", "e", os=os)], used_frac=None)
    row = one(answer, vm="e")
    assert row["excluded"]
    assert row["used_gib"] == 30
    assert "not known and not backed up" in row["origin"]


def test_a_disk_attached_between_the_two_lists():
    late = disk("rg-web", "late", 64, ("rg-web", "web-01"))
    answer = read([*WEB_DISKS, late], [WEB])
    assert one(answer, disk="late")["role"] == "data"
    assert "does not name them" in notes(answer)


def test_a_disk_of_a_vm_that_is_not_listed():
    elsewhere = disk("rg", "x", 64, ("rg", "another"))
    answer = read([*WEB_DISKS, elsewhere], [WEB])
    assert answer.skipped == {"disks of VMs that are not in the inventory": 1}


def test_two_disks_of_one_name_in_a_vm():
    data = [
        slot("rg-a", "data", 0, diskSizeGb=1),
        slot("rg-b", "DATA", 1, diskSizeGb=2),
    ]
    os = slot("rg", "os", diskSizeGb=30)
    answer = read([], [vm("rg", "v", *data, os=os)])
    assert list(answer.disks["disk"]) == ["os", "data", "DATA (lun 1)"]


def test_a_size_in_neither_list_is_refused():
    with pytest.raises(InventoryError, match=r"row 1: the size of 'web-01-data' of"):
        read(WEB_DISKS[:1], [WEB])


# --- pages and encodings -----------------------------------------------------


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: ("\ufeff" + text).encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: f'{{"value": {text}, "nextLink": null}}'.encode(),
        lambda text: f'{{"nextLink": null, "value": {text}}}'.encode(),
        lambda text: "\n".join(map(json.dumps, json.loads(text))).encode(),
        lambda text: "".join(json.dumps([e]) for e in json.loads(text)).encode(),
        lambda text: f"[{text}]".encode(),
        lambda text: f'[{{"value": {text}}}]'.encode(),
    ],
    ids=["bom", "16", "16-le", "value", "last", "lines", "lists", "nested", "pages"],
)
def test_ways_a_list_is_saved(wrap):
    disks, vms = (save(n, wrap(json.dumps(c))) for n, c in
        [("d.json", list(WEB_DISKS)), ("v.json", [WEB])])  # fmt: skip
    assert len(azure.read([disks], [vms], used_frac=0.5).disks) == 2


@pytest.mark.parametrize(("wrap", "most"), [("[%s]", 5), ('{"value": [%s]}', 3)])
def test_lists_in_lists_are_taken_apart_but_not_without_end(wrap, most):
    text, vms = json.dumps(WEB_DISKS[0]), [save("v.json", [WEB])]
    for _ in range(most):
        text = wrap % text
    disks = [save("d.json", text), save("more.json", [WEB_DISKS[1]])]
    assert len(azure.read(disks, vms, used_frac=0.5).disks) == 2
    save("d.json", wrap % text)
    with pytest.raises(InventoryError, match=r"^d\.json: row 1: .* must be an object$"):
        azure.read(disks, vms, used_frac=0.5)


def test_pages_in_several_files():
    link = f"https://x/subscriptions/{SUBSCRIPTION}/providers/y?$skiptoken=z"
    first = save("1.json", {"value": [WEB_DISKS[0]], "nextLink": link})
    second = save("2.json", {"value": [WEB_DISKS[1]]})
    vms = [save("v.json", [WEB])]
    whole = azure.read([first, second], vms, used_frac=0.5)
    assert "nextLink" not in notes(whole)
    web = copy.deepcopy(WEB)
    web["storageProfile"]["dataDisks"] = []
    cut = azure.read([first], [save("v.json", [web])], used_frac=0.5)
    assert "the list of disks goes on" in notes(cut)


def test_a_page_of_another_subscription_is_not_the_next_one():
    link = f"https://x/subscriptions/{OTHER}/providers/y?$skiptoken=z"
    first = save("1.json", {"value": [], "nextLink": link})
    second = save("2.json", {"value": list(WEB_DISKS)})
    answer = azure.read([first, second], [save("v.json", [WEB])], used_frac=0.5)
    assert "the list of disks goes on" in notes(answer)


# --- vaults and policies -----------------------------------------------------


def test_vault_policy_and_start():
    answer = read(
        WEB_DISKS, [WEB], items=[item("rg-web", "web-01")], policies=[policy()]
    )
    row = one(answer, role="os")
    assert (row["vault"], row["policy"], row["start_h"]) == ("vault-1", "Nightly", 22.5)
    assert not row["first_backup"]
    assert "start_h is by the clock of UTC" in notes(answer)


def test_starts_are_converted_to_one_zone():
    tokyo = policy("East", timeZone="Tokyo Standard Time")
    other = vm("rg-web", "web-02")
    other["storageProfile"]["osDisk"]["diskSizeGb"] = 30
    items = [item("rg-web", "web-01"), item("rg-web", "web-02", "East")]
    answer = read(WEB_DISKS, [WEB, other], items=items, policies=[policy(), tokyo])
    assert set(answer.disks["start_h"]) == {22.5, 13.5}
    answer = read(
        WEB_DISKS,
        [WEB, other],
        items=items,
        policies=[policy(), tokyo],
        time_zone="Asia/Tokyo",
    )
    assert set(answer.disks["start_h"]) == {7.5, 22.5}


@pytest.mark.parametrize(
    ("schedule", "start_h"),
    [
        (
            {
                "schedulePolicyType": "SimpleSchedulePolicyV2",
                "scheduleRunFrequency": "Daily",
                "dailySchedule": {"scheduleRunTimes": ["2018-01-24T10:00:00Z"]},
            },
            10,
        ),
        (
            {
                "schedulePolicyType": "SimpleSchedulePolicyV2",
                "scheduleRunFrequency": "Weekly",
                "weeklySchedule": {
                    "scheduleRunDays": ["Sunday"],
                    "scheduleRunTimes": ["2018-01-24T04:30:00Z"],
                },
            },
            4.5,
        ),
        (
            {
                "schedulePolicyType": "SimpleSchedulePolicyV2",
                "scheduleRunFrequency": "Hourly",
                "hourlySchedule": {
                    "interval": 4,
                    "scheduleWindowDuration": 12,
                    "scheduleWindowStartTime": "2026-01-15T08:00:00Z",
                },
            },
            20,
        ),
        (
            {
                "scheduleRunFrequency": "Hourly",
                "hourlySchedule": {
                    "interval": 6,
                    "scheduleWindowDuration": 24,
                    "scheduleWindowStartTime": "2026-01-15T08:00:00Z",
                },
            },
            2,
        ),
        ({"scheduleRunTimes": ["0001-01-01T03:00:00"]}, 3),
        ({"scheduleRunFrequency": "Daily"}, None),
    ],
)
def test_schedules(schedule, start_h):
    answer = read(
        WEB_DISKS,
        [WEB],
        items=[item("rg-web", "web-01")],
        policies=[policy(schedule=schedule)],
    )
    found = answer.disks["start_h"]
    assert found.isna().all() if start_h is None else set(found) == {start_h}


@pytest.mark.parametrize(
    ("more", "first"),
    [
        ({"state": "IRPending", "lastRecoveryPoint": None}, True),
        ({"lastRecoveryPoint": None}, True),
        ({"lastRecoveryPoint": None, "lastBackupTime": "2001-01-01T00:00:00Z"}, True),
        (
            {
                "lastRecoveryPoint": None,
                "lastBackupStatus": "Completed",
                "lastBackupTime": "2026-05-02T22:14:00Z",
            },
            False,
        ),
        (
            {
                "lastRecoveryPoint": None,
                "lastBackupStatus": "Failed",
                "lastBackupTime": "2026-05-02T22:14:00Z",
            },
            True,
        ),
        ({}, False),
        # as a PowerShell of some country prints it: a day or a month, but a time
        ({"lastRecoveryPoint": "02/05/2026 22:14:00"}, False),
        ({"lastRecoveryPoint": "01/02/0001 00:00:00"}, True),
    ],
)
def test_the_first_backup(more, first):
    answer = read(WEB_DISKS, [WEB], items=[item("rg-web", "web-01", **more)])
    assert set(answer.disks["first_backup"]) == {first}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"lastRecoveryPoint": "yesterday"}, "lastRecoveryPoint = 'yesterday': is no"),
        ({"policyName": "Weekly"}, "'Weekly': must be that of policyId; that is '"),
    ],
)
def test_an_item_that_tells_no_time_or_two_policies_is_refused(more, message):
    with pytest.raises(InventoryError, match=message):
        read(WEB_DISKS, [WEB], items=[item("rg-web", "web-01", **more)])


@pytest.mark.parametrize(("inclusion", "excluded"), [(True, False), (False, True)])
def test_disks_that_the_item_excludes(inclusion, excluded):
    exclusion = {"diskLunList": [0], "isInclusionList": inclusion}
    more = {"extendedProperties": {"diskExclusionProperties": exclusion}}
    answer = read(WEB_DISKS, [WEB], items=[item("rg-web", "web-01", **more)])
    assert one(answer, role="data")["excluded"] == excluded
    assert not one(answer, role="os")["excluded"]


def test_only_the_os_disk_is_included():
    exclusion = {"diskLunList": [], "isInclusionList": True}
    more = {"extendedProperties": {"diskExclusionProperties": exclusion}}
    answer = read(WEB_DISKS, [WEB], items=[item("rg-web", "web-01", **more)])
    assert list(answer.disks["excluded"]) == [False, True]


def test_vaults_of_one_name_and_their_redundancy():
    second = vm("rg-b", "b")
    second["storageProfile"]["osDisk"]["diskSizeGb"] = 30
    west, east = vault("v", "west"), vault("v", "east")
    items = [item("rg-web", "web-01", in_vault=west), item("rg-b", "b", in_vault=east)]
    settings_of = {"standardTierStorageRedundancy": "GeoRedundant"}
    vaults = [
        {"id": west, "properties": {"redundancySettings": settings_of}},
        {
            "id": east,
            "properties": {
                "redundancySettings": settings_of | {"crossRegionRestore": "Enabled"}
            },
        },
    ]
    answer = read(WEB_DISKS, [WEB, second], items=items, vaults=vaults)
    first, last = answer.disks.iloc[0], answer.disks.iloc[-1]
    assert (first["vault"], first["redundancy"]) == ("west/v", "GRS")
    assert (last["vault"], last["redundancy"]) == ("east/v", "RA-GRS")


def test_items_that_are_none_of_these_vms_are_counted():
    items = [
        item("rg-web", "web-01"),
        item("rg-gone", "gone"),
        item("rg-web", "share", backupManagementType="AzureStorage"),
        item("rg-web", "soft", isScheduledForDeferredDelete=True),
    ]
    answer = read(WEB_DISKS, [WEB], items=items)
    assert answer.skipped == {
        "entry that is no VM in the vault, but 'AzureStorage'": 1,
        "entry that is deleted softly in the vault": 1,
        "items of VMs that are not in the list of VMs": 1,
    }


def test_vms_in_no_vault_are_told_and_may_be_left_out():
    other = vm("rg-web", "web-02")
    other["storageProfile"]["osDisk"]["diskSizeGb"] = 30
    items = [item("rg-web", "web-01")]
    answer = read(WEB_DISKS, [WEB, other], items=items)
    assert "1 VM is in no vault" in notes(answer)
    answer = read(WEB_DISKS, [WEB, other], items=items, protected_only=True)
    assert set(answer.disks["vm"]) == {"web-01"}
    assert answer.skipped == {"VMs that no item protects": 1}


# --- used sizes --------------------------------------------------------------


def test_nothing_is_guessed():
    other = vm("rg-web", "web-02")
    other["storageProfile"]["osDisk"]["diskSizeGb"] = 30
    with pytest.raises(InventoryError) as error:
        read(WEB_DISKS, [WEB, other], used_frac=None)
    assert str(error.value).splitlines() == [
        "vms.json: row 1: the used size of 'web-01-os', 'web-01-data' of 'web-01' is "
        "not known; give --used, --jobs or --used-frac",
        "vms.json: row 2: the used size of 'web-02-os' of 'web-02' is not known; give "
        "--used, --jobs or --used-frac",
    ]


def test_used_sizes_of_a_list():
    listed = save("used.csv", "vm,disk,used_gib\nWEB-01,web-01-os,20\nweb-01,,80\n")
    paths = [save("d.json", list(WEB_DISKS))], [save("v.json", [WEB])]
    answer = azure.read(*paths, used=[listed])
    assert list(answer.disks["used_gib"]) == [20, 60]
    listed = save("used.csv", "vm,used_gib\nrg-web/web-01,63.9\n")
    answer = azure.read(*paths, used=[listed])
    assert answer.disks["used_gib"].sum() == pytest.approx(63.9)
    assert answer.disks["used_gib"][0] == pytest.approx(63.9 * 127 / 639)
    assert answer.disks["origin"][0].endswith("used: list of used sizes, split by size")


def test_a_used_size_above_the_size_is_refused():
    listed = save("used.csv", "vm,disk,used_gib\nweb-01,web-01-os,128\n")
    paths = [save("d.json", list(WEB_DISKS))], [save("v.json", [WEB])]
    with pytest.raises(InventoryError, match="128 GiB, must be <= its size, 127 GiB"):
        azure.read(*paths, used=[listed], used_frac=0.1)


def test_used_sizes_of_nothing_are_told():
    listed = save("used.csv", "vm,disk,used_gib\nweb-9,,1\nweb-01,nine,1\n")
    paths = [save("d.json", list(WEB_DISKS))], [save("v.json", [WEB])]
    text = notes(azure.read(*paths, used=[listed], used_frac=0.1))
    assert "'web-9 (used.csv: line 2)'" in text
    assert "'web-01/nine (used.csv: line 3)'" in text


@pytest.mark.parametrize("size", ["65536", "65,536.0 MB", "64 GB"])
def test_front_end_sizes(size):
    rows = (
        "TimeGenerated [UTC],BackupItemUniqueId_s,BackupItemFriendlyName,"
        "BackupItemFrontEndSize,BackupManagementType\n"
        f'"5/3/2026, 1:00:00.000 AM",eus;1;vm;rg-web;web-01,web-01,"{size}",IaaSVM\n'
        '"5/2/2026, 1:00:00.000 AM",eus;1;vm;rg-web;web-01,web-01,1,IaaSVM\n'
    )
    paths = [save("d.json", list(WEB_DISKS))], [save("v.json", [WEB])]
    answer = azure.read(*paths, used=[save("core.csv", rows)])
    assert answer.disks["used_gib"].sum() == pytest.approx(64)
    assert "used: front-end size" in answer.disks["origin"][0]


JOBS = [
    job("web-01", "2026-05-01T10:00:00Z", "ConfigureBackup"),
    job("web-01", "2026-05-01T22:00:00Z", size="65536 MB"),
    *(job("web-01", f"2026-05-0{d}T22:00:00Z", size=f"{d} GB") for d in (2, 3, 4)),
]


def test_the_first_backup_gives_the_used_size_and_later_ones_the_churn():
    answer = read(WEB_DISKS, [WEB], jobs=JOBS, used_frac=None)
    assert answer.disks["used_gib"].sum() == pytest.approx(64)
    assert answer.disks["churn_gib_per_day"].sum() == pytest.approx(3)
    assert "first backup of 2026-05-01, split by size" in answer.disks["origin"][0]
    assert "set-up" not in notes(answer)


def test_a_log_that_may_begin_too_late_is_told():
    answer = read(WEB_DISKS, [WEB], jobs=JOBS[1:], used_frac=None)
    assert answer.disks["used_gib"].sum() == pytest.approx(64)
    assert "earliest backup in the log of 2026-05-01" in answer.disks["origin"][0]
    assert "set-up the job log does not show" in notes(answer)


def test_increments_tell_no_used_size():
    log = [job("web-01", f"2026-05-0{d}T22:00:00Z", size=f"{d} GB") for d in (4, 3, 2)]
    with pytest.raises(InventoryError, match="is not known"):
        read(WEB_DISKS, [WEB], jobs=log, used_frac=None)
    answer = read(WEB_DISKS, [WEB], jobs=log, used_frac=0.5)
    assert "increments only" in notes(answer)
    assert list(answer.disks["used_gib"]) == [63.5, 256]


def test_used_sizes_come_from_the_best_source():
    listed = save("used.csv", "vm,disk,used_gib\nweb-01,web-01-os,20\n")
    paths = [save("d.json", list(WEB_DISKS))], [save("v.json", [WEB])]
    log = [save("jobs.json", JOBS)]
    answer = azure.read(*paths, used=[listed], jobs=log, used_frac=0.9)
    assert list(answer.disks["used_gib"]) == [20, 44]


# --- hostile lists -----------------------------------------------------------

HOSTILE = {
    "control": "web\x1b[31m",
    "newline": "web\n01",
    "right to left": "web\u202e10",
    "surrogate": "web\ud800",
    "long": "w" * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_names_that_no_terminal_should_see_are_refused(name):
    with pytest.raises(InventoryError, match=r"vms.json: row 1: name = ") as error:
        read(WEB_DISKS, [WEB | {"name": name}])
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "../../etc", "a,b;c"])
def test_other_names_come_through_as_they_are(name):
    answer = read(WEB_DISKS, [WEB | {"name": name}])
    fleet.write(answer.disks, "fleet.csv")
    assert set(fleet.read_fleet("fleet.csv")["vm"]) == {name}


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "+1", "-1", "@x"])
def test_formulas_get_an_apostrophe(name):
    answer = read(WEB_DISKS, [WEB | {"name": name}])
    assert set(answer.disks["vm"]) == {f"'{name}"}


def test_all_faults_are_told_at_once():
    bad = [WEB_DISKS[0] | {"diskSizeGb": "big"}, WEB_DISKS[1] | {"managedBy": "web"}]
    with pytest.raises(InventoryError) as error:
        read(bad, [{"id": WEB["id"]}])
    assert str(error.value).splitlines() == [
        "disks.json: row 1: diskSizeGB = 'big': must be a number",
        "disks.json: row 2: managedBy = 'web': must be a resource's identifier, "
        "/subscriptions/.../name",
        "vms.json: row 1: storageProfile must not be missing",
    ]


GOOD = {
    "disks": [*WEB_DISKS, disk("rg-old", "orphan", 1024, maxShares=1)],
    "vms": [WEB],
    "items": [
        item(
            "rg-web",
            "web-01",
            extendedProperties={
                "diskExclusionProperties": {
                    "diskLunList": [7],
                    "isInclusionList": False,
                }
            },
        )
    ],
    "jobs": JOBS,
    "policies": [policy()],
}
ODD = st.sampled_from(
    [None, True, -1, 1e308, 2**70, float("nan"), "", " ", "x", "\x00", "\ud800", "=1",
     "a\nb", "9" * 5000, [], {}, [[]], {"a": 1}, "9999-12-31T23:59:59Z", "PT1H",
     "/subscriptions/a/resourceGroups/b/providers/c/d/e"]
)  # fmt: skip


def places(value, path=()):
    if path:
        yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@st.composite
def malformed(draw, which):
    """Return the bytes of a list with something wrong in it."""
    document = copy.deepcopy(GOOD[which])
    for _ in range(draw(st.integers(0, 3))):
        *path, last = draw(st.sampled_from(list(places(document)) or [(0,)]))
        if not document:
            break
        part = document
        for key in path:
            part = part[key]
        part[last] = copy.deepcopy(draw(ODD))  # the next round may change it
    data = bytearray(json.dumps(document).encode())
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 40))] = draw(st.binary(max_size=4))
        data = data or bytearray(b"[]")
    return (
        bytes(data[: draw(st.integers(1, len(data)))])
        if draw(st.booleans())
        else bytes(data)
    )


@pytest.mark.parametrize("which", GOOD)
def test_malformed_lists_are_read_or_refused(which):
    paths = {name: save(f"{name}.json", content) for name, content in GOOD.items()}

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(data=malformed(which))
    def check(data):
        paths[which].write_bytes(data)
        lists = {n: [p] for n, p in paths.items() if n not in ("disks", "vms")}
        try:
            answer = azure.read(
                [paths["disks"]], [paths["vms"]], used_frac=0.5, **lists
            )
        except InventoryError as error:
            assert re.search(r"\b\w+\.json(:\d+)?: ", str(error))  # noqa: PT017
            str(error).encode()
            return
        assert all(line.isprintable() for line in answer.summary())
        if len(answer.disks):
            fleet.write(answer.disks, "fleet.csv", force=True)
            assert_frame_equal(fleet.read_fleet("fleet.csv"), answer.disks)

    check()


# --- the command -------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(app, ["import", *arguments])


def test_the_command_writes_an_inventory():
    lists = ["--disks", str(save("d.json", list(WEB_DISKS)))]
    lists += ["--vms", str(save("v.json", [WEB]))]
    done = run(*lists, "--used-frac", "0.4", "-o", "fleet.csv")
    assert done.exit_code == 0
    assert "Azure lists no used bytes" in done.stderr
    assert len(fleet.read_fleet("fleet.csv")) == 2
    again = run(*lists, "--used-frac", "0.4", "-o", "fleet.csv")
    assert again.exit_code == 2
    assert "fleet.csv" in again.stderr
    printed = run(*lists, "--used-frac", "0.4")
    assert printed.stdout == Path("fleet.csv").read_text()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "is not known; give --used, --jobs or --used-frac"),
        (["--used-frac", "4"], "used_frac must be >= 0 and <= 1; got 4.0"),
        (["--used-frac", "0.4", "--time-zone", "Mars"], "there is no time zone 'Mars'"),
        (["--used-frac", "0.4", "--protected-only"], "needs the items"),
        (["--used-frac", "0.4", "--time-zone", "UTC"], "time_zone needs the policies"),
        (["--items", "none.json"], "none.json: does not exist"),
    ],
)
def test_bad_input_is_told_without_a_traceback(more, message):
    lists = ["--disks", str(save("d.json", list(WEB_DISKS)))]
    lists += ["--vms", str(save("v.json", [WEB]))]
    done = run(*lists, *more, "-o", "fleet.csv")
    assert done.exit_code == 2
    assert message in done.stderr
    assert not Path("fleet.csv").exists()


def test_a_zone_of_nothing_is_said():
    lists = ["--disks", str(save("d.json", list(WEB_DISKS)))]
    lists += ["--vms", str(save("v.json", [WEB])), "--used-frac", "0.4"]
    done = run(*lists, "--policies", str(save("p.json", [])), "--time-zone", "UTC")
    assert done.exit_code == 0
    assert "time_zone is of no use: no policy was found" in done.stderr


def test_no_vms():
    lists = ["--disks", str(save("d.json", []))]
    done = run(*lists, "--vms", str(save("v.json", [])), "-o", "fleet.csv")
    assert done.exit_code == 2
    assert "no VM is left" in done.stderr
