"""A state or plan of Terraform stands in the place of any list of Azure's."""

import json
import os

import pytest
from azure_lists import disk, item, policy, resource, slot, vault, vm
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.inventory import azure, fleet
from vmbmodel.inventory.files import InventoryError

WEB = resource("rg-web", "virtualMachines", "web-01")
DATA = resource("rg-web", "disks", "web-01-data")
POLICY = f"{vault()}/backupPolicies/Nightly"

RESOURCES = {
    "azurerm_managed_disk": {
        "id": DATA,
        "name": "web-01-data",
        "disk_size_gb": 512,
        "storage_account_type": "StandardSSD_LRS",
    },
    "azurerm_linux_virtual_machine": {
        "id": WEB,
        "name": "web-01",
        "os_disk": [
            {
                "name": "web-01-os",
                "disk_size_gb": 64,
                "storage_account_type": "Premium_LRS",
            }
        ],
    },
    "azurerm_virtual_machine_data_disk_attachment": {
        "managed_disk_id": DATA,
        "virtual_machine_id": WEB,
        "lun": 3,
    },
    "azurerm_backup_protected_vm": {
        "id": f"{vault()}/backupFabrics/Azure/protectionContainers/c/protectedItems/i",
        "source_vm_id": WEB,
        "backup_policy_id": POLICY,
        "exclude_disk_luns": [3],
    },
    "azurerm_backup_policy_vm": {
        "id": POLICY,
        "name": "Nightly",
        "policy_type": "V2",
        "timezone": "UTC",
        "instant_restore_retention_days": 7,
        "backup": [
            {
                "frequency": "Hourly",
                "time": "08:00",
                "hour_interval": 4,
                "hour_duration": 12,
            }
        ],
        "retention_daily": [{"count": 30}],
        "retention_weekly": [{"count": 8, "weekdays": ["Sunday"]}],
        "retention_monthly": [
            {"count": 24, "weekdays": ["Sunday"], "weeks": ["First"], "days": None}
        ],
        "retention_yearly": [
            {
                "count": 7,
                "weekdays": [],
                "weeks": [],
                "days": [1],
                "months": ["January"],
                "include_last_days": False,
            }
        ],
        "tiering_policy": [
            {
                "archived_restore_point": [
                    {"mode": "TierAfter", "duration": 3, "duration_type": "Months"}
                ]
            }
        ],
    },
    "azurerm_recovery_services_vault": {
        "id": vault(),
        "name": "vault-1",
        "storage_mode_type": "ZoneRedundant",
    },
    "azurerm_resource_group": {"id": "/subscriptions/s/resourceGroups/rg-web"},
}


def module(found):
    return [
        {"address": f"{kind}.x", "mode": "managed", "type": kind, "values": values}
        for kind, values in found.items()
    ]


def shown(found, part="values"):
    """Return what ``terraform show -json`` prints, half of it in a module."""
    listed = module(found)
    inner = {"address": "module.a", "resources": listed[3:]}
    root = {"resources": listed[:3], "child_modules": [inner]}
    return {
        "format_version": "1.0",
        "terraform_version": "1.9.5",
        part: {"root_module": root},
    }


def state_file(found):
    return {
        "version": 4,
        "terraform_version": "1.9.5",
        "lineage": "x",
        "resources": [
            {"mode": "managed", "type": kind, "instances": [{"attributes": values}]}
            for kind, values in found.items()
        ],
    }


def read(tmp_path, document, **more):
    path = tmp_path / "state.json"
    path.write_text(json.dumps(document), "utf-8")
    every = {name: [path] for name in ("items", "policies", "vaults")}
    return azure.read([path], [path], used_frac=0.5, **every | more)


@pytest.mark.parametrize(
    "document",
    [shown(RESOURCES), shown(RESOURCES, "planned_values"), state_file(RESOURCES)],
    ids=["state", "plan", "state file"],
)
def test_one_document_gives_every_list(tmp_path, document):
    answer = read(tmp_path, document)
    system, data = (answer.disks.iloc[at] for at in range(2))
    assert (system["role"], system["size_gib"], system["os"]) == ("os", 64, "linux")
    assert (data["size_gib"], data["disk_type"]) == (512, "standard-ssd")
    assert (system["excluded"], data["excluded"]) == (False, True)
    assert (data["vault"], data["redundancy"]) == ("vault-1", "ZRS")
    assert data["start_h"] == 20
    assert {name: data[name] for name in fleet.OF_THE_POLICY} == {
        "interval_h": 4,
        "window_h": 12,
        "snapshot_points": 7,
        "recovery_points": 30,
        "weekly_points": 8,
        "monthly_points": 24,
        "yearly_points": 7,
        "month_day": 0,
        "snapshot_policy": "enhanced",
        "archive": True,
        "archive_after_months": 3,
    }
    found = answer.policies.iloc[0]
    assert (found["monthly_on"], found["yearly_on"]) == ("first sunday", "january 1")
    assert not answer.skipped


def test_it_says_what_the_lists_of_azure_say(tmp_path):
    lists = {
        "vms": [vm("rg-web", "web-01", slot("rg-web", "web-01-data", 3))],
        "disks": [
            disk("rg-web", "web-01-os", 64, ("rg-web", "web-01")),
            disk("rg-web", "web-01-data", 512, None, "StandardSSD_LRS"),
        ],
        "items": [item("rg-web", "web-01")],
        "policies": [policy()],
    }
    paths = {}
    for name, content in lists.items():
        paths[name] = [tmp_path / f"{name}.json"]
        paths[name][0].write_text(json.dumps(content), "utf-8")
    theirs = azure.read(paths.pop("disks"), paths.pop("vms"), used_frac=0.5, **paths)
    kept = RESOURCES["azurerm_backup_protected_vm"] | {"exclude_disk_luns": None}
    ours = read(tmp_path, shown(RESOURCES | {"azurerm_backup_protected_vm": kept}))
    same = [
        "vm",
        "disk",
        "role",
        "size_gib",
        "used_gib",
        "disk_type",
        "vault",
        "policy",
    ]
    assert ours.disks[same].equals(theirs.disks[same])


def test_a_plan_without_identifiers_names_its_resources_by_group_and_name(tmp_path):
    planned = {
        kind: {n: v for n, v in RESOURCES[kind].items() if n != "id"}
        | {"resource_group_name": "rg-web"}
        for kind in ("azurerm_linux_virtual_machine", "azurerm_managed_disk")
    }
    answer = read(tmp_path, shown(planned, "planned_values"))
    assert list(answer.disks["vm"]) == ["web-01"]
    assert list(answer.unattached["disk"]) == ["web-01-data"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"terraform_version": "1.9.5"}, "values.root_module must not be missing"),
        ({"terraform_version": "1", "values": 7}, "values = 7: must be an object"),
        (
            shown({"azurerm_managed_disk": {"id": DATA, "disk_size_gb": "big"}}),
            "diskSizeGB = 'big': must be a number",
        ),
        (
            {"terraform_version": "1", "values": {"root_module": {"resources": {}}}},
            "must be a list",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, document, message):
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, document)
    assert message in str(caught.value)
    assert "state.json: row 1: " in str(caught.value)


def test_a_pipe_which_can_be_read_once_is_refused(tmp_path):
    os.mkfifo(tmp_path / "state")
    words = ["import", "--terraform", str(tmp_path / "state"), "--used-frac", "0.5"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "state: is a pipe, and no file" in result.output
