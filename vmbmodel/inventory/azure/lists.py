"""What Azure's tools list, entry by entry, as far as an inventory needs it.

Shapes of several years are taken alike: members flattened or under
``properties``, in any case, ``diskSizeGB`` or ``diskSizeGb``.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from vmbmodel._words import short
from vmbmodel.inventory.azure.once import Place
from vmbmodel.inventory.files import NEVER, Entry, Resource, instant

__all__ = [
    "Disk",
    "Item",
    "Slot",
    "Vault",
    "Vm",
    "disk",
    "item",
    "management",
    "taken",
    "vault",
    "vm",
]

TYPES = {
    "standard": "standard-hdd",
    "standardssd": "standard-ssd",
    "premium": "premium-ssd",
    "premiumv2": "premium-ssd-v2",
    "ultrassd": "ultra",
}
REDUNDANCIES = {
    "locallyredundant": "LRS",
    "zoneredundant": "ZRS",
    "georedundant": "GRS",
    "readaccessgeozoneredundant": "RA-GRS",
}
PROTECTION_STATES = {
    1: "IRPending",
    2: "ProtectionError",
    3: "Protected",
    4: "ProtectionStopped",
    5: "BackupsSuspended",
}
DELETE_STATES = {1: "ToBeDeleted", 2: "NotDeleted"}
NOT_PROTECTED = ("protectionstopped", "protectionpaused", "backupssuspended")


@dataclass(slots=True)
class Disk:
    """A managed disk."""

    id: Resource
    size_gib: float | None
    type: str | None
    sku: str | None
    """What Azure calls the class, as it is printed."""
    owners: tuple[str, ...]
    """Keys of the VMs that hold it."""
    shared: bool


@dataclass(slots=True)
class Slot:
    """What a VM says of one of its disks."""

    name: str
    role: str
    lun: int | None
    id: Resource | None
    size_gib: float | None
    type: str | None
    sku: str | None
    storage_account: str | None
    ephemeral: bool


@dataclass(slots=True)
class Vm:
    """A virtual machine and its disks."""

    file: str = field(compare=False)
    row: int = field(compare=False)
    id: Resource
    name: str
    os: str | None
    trusted_launch: bool | None
    slots: list[Slot]


@dataclass(slots=True)
class Item:
    """A VM in a vault."""

    vm: str | None
    """Key of the VM; None for one that only a name gives."""
    name: str
    group: str | None
    vault: Resource | None
    policy: str | None
    """Key of the policy."""
    policy_name: str | None
    first_backup: bool | None
    protected: bool
    listed: frozenset[int] | None = None
    """Numbers of the disks that are listed to be in, or to be out."""
    inclusion: bool = field(default=False)


@dataclass(slots=True)
class Vault:
    """A vault, as far as its list tells."""

    key: str
    name: str
    redundancy: str


def disk(entry: Entry) -> Disk | str | None:
    """Read a disk; a text says why it is none, None that something is wrong with it."""
    if (kind := entry.text("type")) and not kind.lower().endswith("/disks"):
        return f"no disk, but {short(kind)}"
    found = entry.resource("id", required=True)
    size = _size_gib(entry)
    sku = entry.raw("sku")
    plan = entry.entry("sku") if isinstance(sku, dict) else None
    text = plan.text("name") if plan else entry.text("sku", "accountType")
    owners = [entry.resource("managedBy")] if "managedBy" in entry else []
    for value in entry.sequence("managedByExtended"):
        wrapped = Entry({"id": value}, entry.findings, entry.row, "managedByExtended.")
        owners.append(wrapped.resource("id"))
    shares = entry.number("maxShares")
    if found is None:
        return None
    return Disk(
        found,
        size,
        _type(text),
        text,
        tuple(dict.fromkeys(owner.key for owner in owners if owner)),
        (shares or 1) > 1,
    )


def vm(entry: Entry) -> Vm | str | None:
    """Read a VM, as `disk` reads a disk."""
    if (kind := entry.text("type")) and not kind.lower().endswith("/virtualmachines"):
        return f"no VM, but {short(kind)}"
    found = entry.resource("id", required=True)
    name = entry.name("name")
    storage = entry.entry("storageProfile")
    if storage is None:
        if "storageProfile" not in entry:
            entry.note("storageProfile", "must not be missing", None)
        return None
    slots = []
    system = storage.entry("osDisk")
    if system is None and "osDisk" not in storage:
        storage.note("osDisk", "must not be missing", None)
    elif system is not None:
        slots.append(_slot(system, "os", None))
    for data in storage.entries("dataDisks"):
        slots.append(_slot(data, "data", _lun(data)))
    if found is None or system is None:
        return None
    os = (system.word("osType", {0: "Windows", 1: "Linux"}) or "").lower()
    known = os if os in ("windows", "linux") else None
    file = entry.findings.file
    security = entry.entry("securityProfile")
    kind = security.text("securityType") if security is not None else None
    trusted = kind.lower() == "trustedlaunch" if kind else None
    return Vm(file, entry.row, found, name or found.name, known, trusted, slots)


def item(entry: Entry) -> Item | str | None:
    """Read an item of a vault, as `disk` reads a disk."""
    kind = management(entry)
    if kind and kind.lower() not in ("azureiaasvm", "azurevm"):
        return f"no VM in the vault, but {short(kind)}"
    workload = None
    if not isinstance(entry.raw("workloadType"), int):
        workload = entry.text("workloadType")
    if workload and workload.lower() not in ("vm", "azurevm"):
        return f"no VM in the vault, but {short(workload)}"
    deleted = entry.word("deleteState", DELETE_STATES) == "ToBeDeleted"
    if deleted or entry.flag("isScheduledForDeferredDelete"):
        return "deleted softly in the vault"
    source = entry.resource("sourceResourceId", "virtualMachineId")
    parts = (entry.text("containerName") or "").split(";")
    name = entry.name("friendlyName", "virtualMachineName") or (
        source.name if source else parts[-1]
    )
    if not name:
        entry.note("friendlyName", "must not be missing", None)
        return None
    state = (entry.word("protectionState", PROTECTION_STATES) or "").lower()
    policy = entry.resource("policyId")
    found = Item(
        source.key if source else None,
        name,
        source.group if source else (parts[-2].lower() if len(parts) > 2 else None),
        _vault(entry.text("id") or "") or _vault(entry.text("policyId") or ""),
        policy.key if policy else None,
        _policy_name(entry, policy),
        _first_backup(entry, state),
        state not in NOT_PROTECTED,
    )
    properties = entry.entry("extendedProperties")
    exclusion = properties.entry("diskExclusionProperties") if properties else None
    if exclusion is not None:
        found.inclusion = bool(exclusion.flag("isInclusionList"))
        numbers = exclusion.sequence("diskLunList")
        if all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
            found.listed = frozenset(numbers)
        else:
            exclusion.note("diskLunList", "must be a list of whole numbers", numbers)
    return found


def vault(entry: Entry) -> Vault | str | None:
    """Read a vault, as `disk` reads a disk."""
    found = entry.resource("id", required=True)
    if found is None:
        return None
    if found.kind != "vaults":
        return f"no vault, but {short(found.kind)}"
    settings = entry.entry("redundancySettings")
    if settings is None:
        return "a vault whose redundancy is not printed"
    text = (settings.text("standardTierStorageRedundancy") or "").lower()
    if text not in REDUNDANCIES:
        return "a vault whose redundancy is not printed"
    across = (settings.text("crossRegionRestore") or "").lower() == "enabled"
    redundancy = REDUNDANCIES[text]
    if across and redundancy == "GRS":
        redundancy = "RA-GRS"
    return Vault(found.key, found.name, redundancy)


def taken(
    entries: Iterable[Entry],
    read: Callable[[Entry], object],
    skipped: Callable[[str], None],
) -> Iterator[tuple[object, Place]]:
    """Iterate over what a reader makes of entries, and where they stand.

    What is something else is counted.
    """
    for entry in entries:
        made = read(entry)
        if isinstance(made, str):
            skipped(made)
        elif made is not None:
            yield made, Place(entry.findings.file, entry.findings.counted, entry.row)


def management(entry: Entry) -> str | None:
    """Return what is backed up; of the numbers that PowerShell prints, 1 is a VM."""
    raw = entry.raw("backupManagementType")
    if type(raw) is int:
        return "AzureVM" if raw == 1 else f"kind {raw}"
    return entry.text("backupManagementType")


def _slot(entry: Entry, role: str, lun: int | None) -> Slot:
    managed, blob = entry.entry("managedDisk"), entry.entry("vhd")
    found = managed.resource("id") if managed else None
    account = None
    if blob and found is None and (uri := blob.text("uri")):
        match = re.match(r"https?://([a-z0-9-]{1,63})\.", uri, re.IGNORECASE)
        if match:
            account = match[1].lower()
        else:
            blob.note("uri", "must be the address of a blob, https://...", uri)
    name = entry.name("name") or (found.name if found else None)
    if name is None:
        name = "os" if role == "os" else f"lun {lun}"
    option = entry.entry("diffDiskSettings")
    sku = managed.text("storageAccountType") if managed else None
    return Slot(
        name,
        role,
        lun,
        found,
        _size_gib(entry),
        _type(sku),
        sku,
        account,
        option is not None and (option.text("option") or "").lower() == "local",
    )


def _lun(entry: Entry) -> int | None:
    number = entry.number("lun")
    if number is None:
        return None
    if number % 1:
        entry.note("lun", "must be a whole number", number)
        return None
    return int(number)


def _size_gib(entry: Entry) -> float | None:
    size, of_bytes = entry.number("diskSizeGB"), entry.number("diskSizeBytes")
    if of_bytes is not None:
        of_bytes /= 2**30
    if None not in (size, of_bytes) and abs(size - of_bytes) >= 1:
        hint = f"diskSizeBytes is {of_bytes:,.15g} GiB"
        entry.note("diskSizeGB", "must be as many bytes as are given", size, hint)
    if size is None:
        size = of_bytes
    if size is not None and not 0 < size <= 2**30:
        entry.note("diskSizeGB", f"must be > 0 and <= {2**30} (1 EiB)", size)
        return None
    return size


def _type(text: str | None) -> str | None:
    """Return the class of a disk from its price list name, such as Premium_LRS."""
    return TYPES.get(text.lower().partition("_")[0]) if text else None


def _vault(text: str) -> Resource | None:
    match = re.match(
        r"/?subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/[^/]+/vaults/([^/]+)",
        text,
        re.IGNORECASE,
    )
    if not match:
        return None
    key = match[0].strip("/").lower()
    return Resource(key, match[1].lower(), match[2].lower(), "vaults", match[3])


def _policy_name(entry: Entry, policy: Resource | None) -> str | None:
    """Return what the policy is called; its identifier, if there is one, agrees."""
    name = entry.name("policyName", "protectionPolicyName")
    if name and policy and name.lower() != policy.name.lower():
        rule = f"must be that of policyId; that is {short(policy.name)}"
        entry.note("policyName", rule, name)
    return name or (policy.name if policy else None)


def _first_backup(entry: Entry, state: str) -> bool | None:
    """Say whether a VM has never been backed up; None where nothing tells."""
    if state == "irpending":
        return True
    if _is_set(entry, "lastRecoveryPoint", "latestRecoveryPoint"):
        return False
    status = (entry.text("lastBackupStatus") or "").lower()
    if _is_set(entry, "lastBackupTime") and status.startswith("completed"):
        return False
    return True if state or status else None


def _is_set(entry: Entry, *names: str) -> bool:
    """Say whether a time is one, not the year 1 that stands for none.

    Of a time that may be read in two ways the year tells.
    """
    time = entry.text(*names)
    try:
        return time is not None and instant(time) is not None
    except ValueError:
        year = re.search(r"(?<!\d)\d{4}(?!\d)", time)
        if not year:
            entry.note(names[0], "is no time", time)
        return bool(year) and int(year[0]) > NEVER
