"""State and plan of Terraform as the resources that Azure's own tools would list.

Read are ``terraform show -json`` of a state or a plan, and the state file itself.
What a plan does not know yet, such as an identifier, is made up from group and
name, so that resources that name each other in the plan still find each other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from vmbmodel.inventory.files import Entry

__all__ = ["resources"]

DEEPEST = 20
"""Modules within modules that are followed."""

Values = Mapping[str, object]


def resources(entries: Iterable[Entry], wanted: str) -> Iterator[Entry]:
    """Iterate over entries, with a document of Terraform taken apart.

    Of its resources, which count from 1, those are given that belong into the list
    that is `wanted`: ``disks``, ``VMs``, ``items``, ``policies`` or ``vaults``.
    """
    shapes = SHAPES[wanted]
    for entry in entries:
        if "terraform_version" not in entry or "id" in entry:
            yield entry
            continue
        found = list(_found(entry))
        attached = _attachments(values for kind, values in found if kind in ATTACHMENTS)
        for row, (kind, values) in enumerate(found, 1):
            if kind in shapes:
                made = shapes[kind](values)
                if wanted == "VMs":
                    slots = made["storageProfile"]["dataDisks"]
                    slots += attached.get(str(made["id"]).lower(), ())
                yield Entry(made, entry.findings, row)


def _found(document: Entry) -> Iterator[tuple[str, Values]]:
    """Iterate over type and values of each managed resource."""
    root = document.entry("values", "planned_values")
    module = root.entry("root_module") if root else None
    if module is not None:
        yield from _of_module(module)
        return
    for resource in document.entries("resources"):  # of a state file
        if resource.text("mode") == "managed" and (kind := resource.text("type")):
            for instance in resource.entries("instances"):
                values = instance.raw("attributes")
                if isinstance(values, dict):
                    yield kind, values
                else:
                    instance.note("attributes", "must be an object", values)
    if "resources" not in document:
        document.note("values.root_module", "must not be missing", None)


def _of_module(module: Entry, depth: int = 0) -> Iterator[tuple[str, Values]]:
    for resource in module.entries("resources"):
        kind, values = resource.text("type"), resource.raw("values")
        if kind and resource.text("mode") != "data" and isinstance(values, dict):
            yield kind, values
    if depth < DEEPEST:
        for inner in module.entries("child_modules"):
            yield from _of_module(inner, depth + 1)


def _block(values: Values, name: str) -> Values:
    """Return a block, which stands in a list of one."""
    inner = values.get(name)
    inner = inner[0] if isinstance(inner, list) and inner else inner
    return inner if isinstance(inner, dict) else {}


def _list(values: Values, name: str) -> list:
    inner = values.get(name)
    return inner if isinstance(inner, list) else []


def _id(values: Values, kind: str) -> object:
    """Return the identifier, or one made of group and name where none is known."""
    group = values.get("resource_group_name") or "planned"
    name = values.get("name") or "unnamed"
    made = f"/subscriptions/planned/resourceGroups/{group}/providers/{kind}/{name}"
    return values.get("id") or made


DISK = "Microsoft.Compute/disks"
VM = "Microsoft.Compute/virtualMachines"
UNITS = ("Days", "Weeks", "Months", "Years")
VAULT = "Microsoft.RecoveryServices/vaults"


def _disk(values: Values) -> dict:
    return {
        "id": _id(values, DISK),
        "name": values.get("name"),
        "diskSizeGB": values.get("disk_size_gb"),
        "sku": {"name": values.get("storage_account_type")},
        "maxShares": values.get("max_shares"),
    }


def _machine(os: str) -> Callable[[Values], dict]:
    def made(values: Values) -> dict:
        disk = _block(values, "os_disk")
        managed = {
            "id": disk.get("id"),
            "storageAccountType": disk.get("storage_account_type"),
        }
        system = {
            "osType": os,
            "name": disk.get("name"),
            "diskSizeGB": disk.get("disk_size_gb"),
            "managedDisk": managed,
            "diffDiskSettings": _block(disk, "diff_disk_settings") or None,
        }
        return {
            "id": _id(values, VM),
            "name": values.get("name"),
            "storageProfile": {"osDisk": system, "dataDisks": []},
        }

    return made


def _older_machine(values: Values) -> dict:
    def slot(disk: Values) -> dict:
        return {
            "name": disk.get("name"),
            "lun": disk.get("lun"),
            "osType": disk.get("os_type") or None,
            "diskSizeGB": disk.get("disk_size_gb") or None,
            "managedDisk": {
                "id": disk.get("managed_disk_id") or None,
                "storageAccountType": disk.get("managed_disk_type") or None,
            },
            "vhd": {"uri": disk["vhd_uri"]} if disk.get("vhd_uri") else None,
        }

    return {
        "id": _id(values, VM),
        "name": values.get("name"),
        "storageProfile": {
            "osDisk": slot(_block(values, "storage_os_disk")),
            "dataDisks": [
                slot(disk)
                for disk in _list(values, "storage_data_disk")
                if isinstance(disk, dict)
            ],
        },
    }


def _protected(values: Values) -> dict:
    excluded, included = (
        values.get(f"{word}_disk_luns") for word in ("exclude", "include")
    )
    made = {
        "id": values.get("id"),
        "backupManagementType": "AzureIaasVM",
        "sourceResourceId": values.get("source_vm_id"),
        "policyId": values.get("backup_policy_id"),
        "protectionState": values.get("protection_state") or None,
        "policyName": str(values.get("backup_policy_id") or "").rpartition("/")[2],
    }
    if excluded or included:
        rule = {"diskLunList": included or excluded, "isInclusionList": bool(included)}
        made["extendedProperties"] = {"diskExclusionProperties": rule}
    return made


def _policy(values: Values) -> dict:
    backup = _block(values, "backup")
    home = values.get("recovery_vault_name") or "planned"
    rhythm = str(backup.get("frequency") or "Daily")
    schedule: dict[str, object] = {"scheduleRunFrequency": rhythm}
    if rhythm.lower() == "hourly":
        schedule["hourlySchedule"] = {
            "interval": backup.get("hour_interval"),
            "scheduleWindowStartTime": backup.get("time"),
            "scheduleWindowDuration": backup.get("hour_duration"),
        }
    else:
        times = [backup["time"]] if backup.get("time") else []
        schedule |= {
            "scheduleRunTimes": times,
            "scheduleRunDays": backup.get("weekdays"),
        }
    levels = zip(("daily", "weekly", "monthly", "yearly"), UNITS, strict=True)
    retention = {
        f"{level}Schedule": _grade(kept, unit)
        for level, unit in levels
        if (kept := _block(values, f"retention_{level}"))
    }
    rule = _block(_block(values, "tiering_policy"), "archived_restore_point")
    tiering = {
        "tieringMode": rule.get("mode"),
        "duration": rule.get("duration"),
        "durationType": rule.get("duration_type"),
    }
    return {
        "id": _id(values, f"{VAULT}/{home}/backupPolicies"),
        "name": values.get("name"),
        "backupManagementType": "AzureIaasVM",
        "policyType": values.get("policy_type"),
        "timeZone": values.get("timezone"),
        "instantRpRetentionRangeInDays": values.get("instant_restore_retention_days"),
        "schedulePolicy": schedule,
        "retentionPolicy": retention,
        "tieringPolicy": {"ArchivedRP": tiering} if rule else None,
    }


def _grade(kept: Values, unit: str) -> dict:
    """Return a level of retention as the service prints it."""
    dates = [{"date": day} for day in _list(kept, "days")]
    dates += [{"isLast": True}] if kept.get("include_last_days") else []
    days_and_weeks = {
        "daysOfTheWeek": kept.get("weekdays"),
        "weeksOfTheMonth": kept.get("weeks"),
    }
    grade = {
        "retentionDuration": {"count": kept.get("count"), "durationType": unit},
        "monthsOfYear": kept.get("months"),
    }
    if dates:
        return grade | {"retentionScheduleDaily": {"daysOfTheMonth": dates}}
    return grade | days_and_weeks


def _vault(values: Values) -> dict:
    across = values.get("cross_region_restore_enabled") is True
    mode = values.get("storage_mode_type") or "GeoRedundant"
    return {
        "id": _id(values, VAULT),
        "redundancySettings": {
            "standardTierStorageRedundancy": mode,
            "crossRegionRestore": "Enabled" if across else None,
        },
    }


SHAPES: Mapping[str, Mapping[str, Callable[[Values], dict]]] = {
    "disks": {"azurerm_managed_disk": _disk},
    "VMs": {
        "azurerm_linux_virtual_machine": _machine("Linux"),
        "azurerm_windows_virtual_machine": _machine("Windows"),
        "azurerm_virtual_machine": _older_machine,
    },
    "items": {"azurerm_backup_protected_vm": _protected},
    "policies": {"azurerm_backup_policy_vm": _policy},
    "vaults": {"azurerm_recovery_services_vault": _vault},
}
"""Resources of each list, and what turns each into what the service would print."""

ATTACHMENTS = ("azurerm_virtual_machine_data_disk_attachment",)


def _attachments(found: Iterable[Values]) -> dict[str, list[dict]]:
    """Return the data disks that are attached to each VM, by its identifier."""
    by_vm: dict[str, list[dict]] = {}
    for values in found:
        owner, disk = values.get("virtual_machine_id"), values.get("managed_disk_id")
        if isinstance(owner, str) and isinstance(disk, str):
            slot = {"lun": values.get("lun"), "managedDisk": {"id": disk}}
            by_vm.setdefault(owner.lower(), []).append(slot)
    return by_vm
