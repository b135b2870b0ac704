"""One job of a log, whatever tool printed it."""

import datetime
import re
from collections.abc import Callable, Iterable

from vmbmodel._words import short
from vmbmodel.inventory.files import Entry, duration_h, size_gib

__all__ = ["COLUMNS", "job"]

Moment = Callable[[str], datetime.datetime | None]
"""Reads a time; None stands for one that is not set."""

COLUMNS = (
    "vm",
    "resource_group",
    "subscription",
    "vault",
    "operation",
    "status",
    "start_time",
    "end_time",
    "job_h",
    "snapshot_h",
    "wait_h",
    "transfer_h",
    "validate_h",
    "moved_gib",
    "job",
)
"""Columns of the table, each a row of the field table."""

POWERSHELL_VM = 1
"""Kind of a VM, where PowerShell prints a number in the place of the word."""

_VM_KINDS = (
    "azureiaasvm",
    "iaasvm",
    "azurevm",
    "azurevirtualmachine",
    "azurevirtualmachines",
    "vm",
)
_NAMES = (
    "entityFriendlyName",
    "BackupItemFriendlyName",
    "ItemName",
    "WorkloadName",
    "BackupInstance",
    "BackupItemName",
    "VMName",
    "vm",
)
_GROUPS = ("containerName", "BackupItemUniqueId", "ProtectedContainerUniqueId")
_STARTS = ("startTime", "JobStartDateTime", "StartTimeUTC")
_ENDS = ("endTime", "JobEndDateTime", "EndTimeUTC")
_PORTAL_KIND = ("DatasourceType",)
_PORTAL_GROUP = ("DatasourceResourceGroup",)
_TASKS = {
    "takesnapshot": "snapshot_h",
    "transferdatatovault": "transfer_h",
    "transferdatafromvault": "transfer_h",
    "validatebackup": "validate_h",
}
_APART_H, _APART_FRAC = 2 / 60, 0.02
"""How far a length may be from the time between start and end, which may be rounded."""
_SPELLINGS = {
    "canceled": "Cancelled",
    "cancelled": "Cancelled",
    "completed": "Completed",
    "completedwithwarnings": "CompletedWithWarnings",
    "failed": "Failed",
    "inprogress": "InProgress",
    "cancelling": "Cancelling",
    "backup": "Backup",
    "scheduledbackup": "Backup",
    "on-demandbackup": "Backup",
    "ad-hocbackup": "Backup",
    "restore": "Restore",
    "configurebackup": "ConfigureBackup",
}


def job(entry: Entry, moment: Moment) -> dict | str | None:
    """Read one job; a text says why it is none of a VM. Times are read by `moment`."""
    kind = entry.raw("backupManagementType", "BackupItemType", "jobType", *_PORTAL_KIND)
    if kind is None and "WorkloadName" in entry:  # of the portal, which calls it so
        kind = entry.raw("Type")
    if type(kind) is int and kind != POWERSHELL_VM:
        return f"no job of a VM, but of kind {str(kind)[:40]}"
    plain = re.sub(r"[^a-z]", "", kind.lower()) if isinstance(kind, str) else ""
    if plain.endswith("job"):
        plain = plain.removesuffix("job")
    if plain and plain not in _VM_KINDS:
        return f"no job of a VM, but of {short(kind)}"
    if "operation" not in entry and "JobOperation" not in entry:
        entry.note("operation", "must not be missing", None)
        return None
    operation = _word(entry, "operation", "JobOperation")
    status = _word(entry, "status", "JobStatus")
    info = entry.entry("extendedInfo") if "extendedInfo" in entry else None
    bag = info.entry("propertyBag") if info else None
    start = _time(entry, moment, *_STARTS)
    if start is None:
        if not any(name in entry for name in _STARTS):
            entry.note("startTime", "must not be missing", None)
        return None
    end = _time(entry, moment, *_ENDS)
    group, vm = _item(entry)
    subscription, vault = _vault(entry)
    row = dict.fromkeys(COLUMNS)
    row |= {
        "vm": entry.name(*_NAMES) or (bag.name("VMName") if bag else None) or vm,
        "resource_group": group or entry.name("resource_group", *_PORTAL_GROUP),
        "subscription": subscription,
        "vault": vault,
        "operation": operation,
        "status": status,
        "start_time": start,
        "end_time": end,
        "job_h": _duration(entry, start, end),
        "moved_gib": _moved(entry, bag),
        "job": entry.text("JobUniqueId", "JobId", "job", "name"),
        "generated": _time(entry, moment, "TimeGenerated"),
    }
    for name in ("snapshot_h", "wait_h", "transfer_h", "validate_h"):
        row[name] = entry.number(name)
    if row["vm"] is None:
        entry.note("entityFriendlyName", "must name the VM", None)
        return None
    if info is not None:
        row |= _phases(info.entries("tasksList"), moment)
    elif "SubTasks" in entry:  # of PowerShell
        row |= _phases(entry.entries("SubTasks"), moment)
    return row


def _word(entry: Entry, *names: str) -> str | None:
    text = entry.name(*names)
    if text is None:
        return None
    return _SPELLINGS.get(text.lower().replace(" ", ""), text)


def _time(entry: Entry, moment: Moment, *names: str) -> datetime.datetime | None:
    return entry.parsed(moment, *names, otherwise="must be a time")


def _quantity(entry: Entry, parse: Callable[[str], float], *names: str) -> float | None:
    return entry.parsed(parse, *names, otherwise="must be a text with its unit")


def _spent(entry: Entry) -> float | None:
    """Return a duration: a text, or the parts that PowerShell prints."""
    if isinstance(entry.raw("duration"), dict):
        seconds = entry.entry("duration").number("TotalSeconds")
        return None if seconds is None else seconds / 3600
    return _quantity(entry, duration_h, "duration")


def _duration(
    entry: Entry, start: datetime.datetime, end: datetime.datetime | None
) -> float | None:
    spent, name = _stated(entry)
    if end is None:
        return spent
    if end < start:
        entry.note("endTime", "must not be before startTime", entry.raw(*_ENDS))
        return None
    between = (end - start).total_seconds() / 3600
    if spent is None:
        return between
    if abs(spent - between) > max(_APART_H, _APART_FRAC * between):
        rule = "must be the time from startTime to endTime"
        hint = f"that is {between:.4g} h"
        entry.note(name, rule, entry.raw(name), hint)
        return None
    return spent


def _stated(entry: Entry) -> tuple[float | None, str]:
    """Return the length of a job as it is printed, and under which name."""
    if "job_h" in entry:
        return entry.number("job_h"), "job_h"
    for name in ("JobDurationInSecs", "DurationInSeconds"):
        if name in entry:
            seconds = entry.number(name)
            return None if seconds is None else seconds / 3600, name
    return _spent(entry) or None, "duration"  # zero where it is not recorded


def _moved(entry: Entry, bag: Entry | None) -> float | None:
    if "moved_gib" in entry:
        return entry.number("moved_gib")
    megabytes = entry.number("DataTransferredInMB")
    for place in filter(None, (bag, entry)):
        if megabytes is None:
            megabytes = place.number("DataTransferred(inMB)")
        if megabytes is None and "Backup Size" in place:
            return _quantity(place, size_gib, "Backup Size")
    return None if megabytes is None else megabytes / 1024


def _item(entry: Entry) -> tuple[str | None, str | None]:
    """Return resource group and name of a VM from the service's own name of it."""
    for name in _GROUPS:
        parts = (entry.text(name) or "").split(";")
        if len(parts) > 2 and all(parts[-2:]):
            return parts[-2].lower(), parts[-1][:260]
    return None, None


def _vault(entry: Entry) -> tuple[str | None, str | None]:
    """Return subscription and name of the vault."""
    names = "SubscriptionId", "subscription", "DatasourceSubscription"
    told = entry.text(*names), entry.name("VaultName", "vault")
    for name in ("id", "_ResourceId", "ResourceId"):
        text = entry.text(name) or ""
        match = re.match(
            r"/?subscriptions/([^/]+)/.*?/vaults/([^/]{1,260})", text, re.IGNORECASE
        )
        if match:
            return match[1].lower(), match[2]
    return told


def _phases(tasks: Iterable[Entry], moment: Moment) -> dict[str, float]:
    """Return the times of the tasks, as far as they are recorded."""
    found, begins, ends = {}, {}, {}
    for task in tasks:
        name = re.sub(r"[^a-z]", "", (task.text("taskId", "name") or "").lower())
        phase = _TASKS.get(name)
        if phase is None:
            continue
        if details := task.text("taskExecutionDetails"):
            match = re.match(r"\s*([\d.,]+ *[A-Za-z]+)\s*/", details)
            if match:
                found["moved_gib"] = _quantity(
                    Entry({"done": match[1]}, task.findings, task.row, "task."),
                    size_gib,
                    "done",
                )
        if (task.text("status") or "").lower() != "completed":
            continue
        begins[phase] = _time(task, moment, "startTime")
        ends[phase] = _time(task, moment, "endTime")
        spent = _spent(task)
        if begins[phase] and ends[phase] and ends[phase] >= begins[phase]:
            spent = (ends[phase] - begins[phase]).total_seconds() / 3600
        if spent:
            found[phase] = spent
    snapshot_end, transfer_begin = ends.get("snapshot_h"), begins.get("transfer_h")
    if snapshot_end and transfer_begin:
        wait = (transfer_begin - snapshot_end).total_seconds() / 3600
        found["wait_h"] = max(wait, 0.0)
    return found
