"""Lists in the shapes of Azure's tools, made up for the tests."""

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"


def resource(group, kind, name, subscription=SUBSCRIPTION, provider="Compute"):
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.{provider}/{kind}/{name}"
    )


def disk(group, name, size, vm=None, sku="Premium_LRS", **more):
    """Return a disk as ``az disk list`` prints it; `vm` is (group, name)."""
    return {
        "id": resource(group, "disks", name),
        "name": name,
        "resourceGroup": group.upper(),
        "type": "Microsoft.Compute/disks",
        "diskSizeGb": size,
        "managedBy": vm and resource(vm[0], "virtualMachines", vm[1]),
        "sku": {"name": sku, "tier": sku.partition("_")[0]},
        "maxShares": None,
        "osType": None,
    } | more


def slot(group, name, lun=None, **more):
    """Return a managed disk as a VM names it."""
    found = {"name": name, "managedDisk": {"id": resource(group, "disks", name)}}
    return found | ({} if lun is None else {"lun": lun}) | more


def vm(group, name, *data, os=None, subscription=SUBSCRIPTION, **more):
    """Return a VM as ``az vm list -d`` prints it."""
    os = os or slot(group, f"{name}-os", osType="Linux", diskSizeGb=None)
    return {
        "id": resource(group, "virtualMachines", name, subscription),
        "name": name,
        "resourceGroup": group.upper(),
        "type": "Microsoft.Compute/virtualMachines",
        "powerState": "VM running",
        "storageProfile": {"osDisk": os, "dataDisks": list(data)},
    } | more


def vault(name="vault-1", group="rg-vault", subscription=SUBSCRIPTION):
    return resource(group, "vaults", name, subscription, "RecoveryServices")


def item(group, name, policy="Nightly", state="Protected", in_vault=None, **more):
    """Return a VM in a vault as ``az backup item list`` prints it."""
    home = in_vault or vault()
    container = f"iaasvmcontainerv2;{group};{name}"
    return {
        "id": f"{home}/backupFabrics/Azure/protectionContainers/{container}"
        f"/protectedItems/vm;{container}",
        "name": f"VM;{container}",
        "type": "Microsoft.RecoveryServices/vaults/protectedItems",
        "properties": {
            "backupManagementType": "AzureIaasVM",
            "workloadType": "VM",
            "containerName": container,
            "friendlyName": name,
            "policyId": f"{home}/backupPolicies/{policy}",
            "protectionState": state,
            "lastRecoveryPoint": "2026-05-02T22:14:00.123456+00:00",
            "sourceResourceId": resource(group, "virtualMachines", name),
        }
        | more,
    }


def policy(name="Nightly", schedule=None, in_vault=None, **more):
    """Return a policy as ``az backup policy list`` prints it."""
    daily = {
        "schedulePolicyType": "SimpleSchedulePolicy",
        "scheduleRunFrequency": "Daily",
        "scheduleRunTimes": ["2026-01-15T22:30:00+00:00"],
    }
    return {
        "id": f"{in_vault or vault()}/backupPolicies/{name}",
        "name": name,
        "properties": {
            "backupManagementType": "AzureIaasVM",
            "timeZone": "UTC",
            "schedulePolicy": schedule or daily,
        }
        | more,
    }


def job(name, start, operation="Backup", size=None, group="rg-web", **more):
    """Return a job as ``az backup job show`` prints it."""
    bag = {"VM Name": name} | ({"Backup Size": size} if size else {})
    identifier = f"{operation}-{group}-{name}-{start}"
    return {
        "id": f"{vault()}/backupJobs/{identifier}",
        "name": identifier,
        "type": "Microsoft.RecoveryServices/vaults/backupJobs",
        "properties": {
            "jobType": "AzureIaaSVMJob",
            "backupManagementType": "AzureIaasVM",
            "containerName": f"iaasvmcontainerv2;{group};{name}",
            "entityFriendlyName": name,
            "operation": operation,
            "status": "Completed",
            "startTime": start,
            "duration": "PT30M",
            "extendedInfo": {"propertyBag": bag, "tasksList": []},
        }
        | more,
    }
