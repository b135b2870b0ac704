"""An inventory of VMs that are yet to be moved, from what RVTools exports.

The sheet vDisk gives the disks; vPartition gives what is used on them, where the
tools of VMware run in the guest.
"""

import itertools
import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from vmbmodel._words import short
from vmbmodel.inventory.azure.inventory import Import
from vmbmodel.inventory.azure.naming import alike, inert
from vmbmodel.inventory.azure.policies import policy_table
from vmbmodel.inventory.azure.used import split
from vmbmodel.inventory.files import Entry, Findings, InventoryError, log_rows
from vmbmodel.inventory.fleet import COLUMNS, typed

__all__ = ["read_rvtools"]

CAPACITY = ("Capacity MiB", "Capacity MB")
CONSUMED = ("Consumed MiB", "Consumed MB")
MIB = 1024.0
"""MiB in a GiB; RVTools prints MiB under either heading."""

FIRST_IS_OS = "the first disk of each VM is taken as that of its operating system"


@dataclass(slots=True)
class _Disk:
    key: str
    label: str
    size_gib: float


@dataclass(slots=True)
class _Vm:
    file: str
    row: int
    name: str
    disks: list[_Disk] = field(default_factory=list)


@dataclass(slots=True)
class _Sheets:
    """What the sheets hold, by key of the VM."""

    vms: dict[str, _Vm] = field(default_factory=dict)
    used: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    partitions: dict[tuple[str, ...], float] = field(default_factory=dict)
    """MiB used of each that has a name, by VM, key of the disk and that name."""
    skipped: Counter[str] = field(default_factory=Counter)


def read_rvtools(
    paths: Iterable[str | os.PathLike[str]], *, used_frac: float | None = None
) -> Import:
    """Make an inventory of the sheets vDisk and vPartition, saved as CSV.

    Parameters
    ----------
    paths : iterable of path-like
        The files, in any order; their columns tell which is which.
    used_frac : float, optional
        Share of its size that a disk uses of which nothing is known.

    Returns
    -------
    Import
        The inventory; templates and placeholders are left out and counted.

    Raises
    ------
    vmbmodel.inventory.files.InventoryError
        If a file is no such sheet, or the used size of a disk is not known.
    ValueError
        If `used_frac` is no share.
    """
    if used_frac is not None and not 0 <= used_frac <= 1:
        raise ValueError(f"used_frac must be >= 0 and <= 1; got {used_frac!r}")
    sheets, wrong = _Sheets(), []
    for path in paths:
        findings = Findings(os.fspath(path), counted="row")
        try:
            for entry in log_rows(path, findings, []):
                _take(entry, sheets)
        except InventoryError:
            pass
        wrong += findings.found
    if wrong:
        raise InventoryError(wrong)
    rows, notes = [], Counter[str]()
    labels: set[str] = set()
    for key, vm in sheets.vms.items():
        name = label = inert(vm.name)
        for number in itertools.count(2):
            if alike(label) not in labels:
                break
            label = f"{name} ({number})"
        notes["VMs of one name, told apart by a number"] += label != name
        labels.add(alike(label))
        rows += _rows(vm, label, sheets.used[key], used_frac, notes, wrong)
    if wrong:
        raise InventoryError(wrong)
    if orphans := sum(key not in sheets.vms for key in sheets.used):
        notes["VMs of vPartition that vDisk does not have"] += orphans
    return Import(
        disks=typed(pd.DataFrame(rows, columns=list(COLUMNS))),
        unattached=pd.DataFrame(columns=["disk", "resource_group", "size_gib"]),
        policies=policy_table((), "UTC"),
        skipped=dict(sheets.skipped),
        notes=(
            FIRST_IS_OS,
            *(f"{what}: {count:,}" for what, count in notes.items() if count),
        ),
    )


def _take(entry: Entry, sheets: _Sheets) -> None:
    """Take a row of either sheet."""
    partition = any(name in entry for name in CONSUMED)
    if not (partition or any(name in entry for name in CAPACITY)):
        rule = "is neither the sheet vDisk nor vPartition of RVTools"
        entry.findings.stop(
            f"{rule}: it has neither Capacity MiB nor Consumed MiB", row=entry.row
        )
    for what in ("Template", "SRM Placeholder"):
        if entry.flag(what):
            sheets.skipped[f"rows of a {what.lower()}"] += 1
            return
    name = entry.name("VM", required=True)
    amount = entry.number(*(CONSUMED if partition else CAPACITY))
    if name is None or amount is None:
        return
    key = (entry.text("VM UUID", "VM ID") or alike(name)).lower()
    disk_key = entry.text("Disk Key") or ""
    label = entry.name("Disk")
    once = f"must stand once for {short(name)}"
    if partition:
        before = sheets.partitions.get((key, disk_key, label or ""))
        if label and before is not None:
            if before != amount:
                entry.note("Disk", f"{once}; {before:,g} MiB are used there", label)
            sheets.skipped["rows of a partition that stands there already"] += 1
            return
        sheets.partitions[key, disk_key, label or ""] = amount
        sheets.used[key][disk_key] += amount / MIB
        return
    if not amount:
        entry.note(CAPACITY[0], "must be above 0", entry.raw(*CAPACITY))
    file = entry.findings.file
    found = sheets.vms.setdefault(key, _Vm(file, entry.row, name))
    if disk_key and any(disk.key == disk_key for disk in found.disks):
        entry.note("Disk Key", once, disk_key)
    elif label and any(disk.label == inert(label) for disk in found.disks):
        entry.note("Disk", once, label)
    label = label or f"disk {len(found.disks) + 1}"
    found.disks.append(_Disk(disk_key, inert(label), amount / MIB))


def _rows(
    vm: _Vm,
    label: str,
    used: Counter[str],
    used_frac: float | None,
    notes: Counter[str],
    wrong: list,
) -> list[dict]:
    """Return the rows of a VM."""
    disks = sorted(vm.disks, key=lambda disk: (len(disk.key), disk.key))
    known: list[float | None] = [used.get(d.key) if d.key else None for d in disks]
    origins = ["partitions" if one is not None else "" for one in known]
    sizes = [disk.size_gib for disk in disks]
    named = {disk.key for disk in disks if disk.key}
    rest = sum(gib for key, gib in used.items() if key not in named)
    if rest and None in known:
        whole = rest + sum(one for one in known if one is not None)
        known = split(whole, sizes, known)
        origins = [origin or "partitions, split by size" for origin in origins]
    if used_frac is not None:
        origins = [origin or f"share of the size, {used_frac:g}" for origin in origins]
        known = [
            used_frac * size if one is None else one
            for one, size in zip(known, sizes, strict=True)
        ]
    rows = []
    for at, (disk, gib, origin) in enumerate(zip(disks, known, origins, strict=True)):
        if gib is None:
            findings = Findings(vm.file)
            findings.add(
                f"the used size of {short(disk.label)} of {short(label)} is not known",
                row=vm.row,
                hint="give the sheet vPartition too, or --used-frac",
            )
            wrong += findings.found
            continue
        notes["disks whose partitions use more than the disk, cut to it"] += (
            gib > disk.size_gib
        )
        rows.append(
            {
                "vm": label,
                "disk": disk.label,
                "role": "data" if at else "os",
                "size_gib": disk.size_gib,
                "used_gib": min(gib, disk.size_gib),
                "excluded": False,
                "origin": f"size: vDisk; used: {origin}",
            }
        )
    return rows
