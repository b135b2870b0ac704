"""The disks of Azure's lists as rows of an inventory."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from vmbmodel._words import short
from vmbmodel.inventory.azure.lists import Disk, Item, Slot, Vm
from vmbmodel.inventory.azure.naming import Places, alike, inert
from vmbmodel.inventory.azure.once import Found, Once
from vmbmodel.inventory.azure.policies import Policy
from vmbmodel.inventory.azure.used import Used, from_jobs, split
from vmbmodel.inventory.files import Finding, InventoryError, Resource
from vmbmodel.service import limits

__all__ = ["Known", "rows_of"]

NEEDS_ENHANCED = ("ultra", "premium-ssd-v2")
ATTACHED_LATER = (
    "disks that the list of disks gives to a VM which does not name them, taken as "
    "data disks"
)
EPHEMERAL = "ephemeral OS disks, which have no snapshot, are excluded"
SHARED = "shared disks, which VM backup does not take, are excluded"
NO_LUN = "data disks without a lun, which may be excluded, are taken"
NO_VM = "used sizes of VMs that are not in the list, or not told apart"
NO_VM_OF_JOB = "jobs of VMs that are not in the list, or not told apart"
NO_DISK = "used sizes of disks that their VM does not have"
NO_SET_UP = (
    "VMs whose set-up the job log does not show; if the log begins after their first "
    "backup, the used size is that of an increment and too small"
)
INCREMENTS = "VMs of which the job log shows increments only, which tell no used size"
CUT = "VMs whose used size is above the sizes of their disks, cut to these"
NOT_SURELY_ENHANCED = "ultra and premium v2 disks, which only an Enhanced policy takes"
NOT_ENHANCED = "ultra and premium v2 disks under a Standard policy, which takes none"
NO_SUCH_SKU = "disks of a SKU that is not known, whose disk_type is left out"
TOO_LARGE = "disks larger than any that is backed up, as if their sizes were in MB"
NO_POLICY = "VMs whose policy is not in the list of policies"


@dataclass(frozen=True)
class Known:
    """What is known besides the VMs themselves; mappings are by key."""

    disks: Mapping[str, Disk]
    items: Mapping[str, Item]
    policies: Mapping[str, Policy]
    redundancies: Mapping[str, str]
    vault_names: Mapping[str, str]
    places: Places
    sizes: Sequence[Used]
    jobs: pd.DataFrame | None
    used_frac: float | None
    zone: str


class _Notes:
    """Counts what deserves a look, with the first VM or disk of each kind."""

    def __init__(self) -> None:
        self.whole: list[str] = []
        self.first: dict[str, str] = {}
        self.count: Counter[str] = Counter()

    def add(self, what: str, where: str) -> None:
        self.first.setdefault(what, where)
        self.count[what] += 1

    def lines(self) -> Iterator[str]:
        yield from self.whole
        for what, count in self.count.items():
            more = f" and {count - 1:,} more" * (count > 1)
            yield f"{what}: {short(self.first[what])}{more}"


def rows_of(
    vms: Sequence[Vm], known: Known, notes: list[str], skipped: Counter[str]
) -> tuple[list[dict], pd.DataFrame]:
    """Make the rows of an inventory, and a table of the disks that no VM holds.

    `notes` takes what deserves a look, `skipped` what makes no row, by reason. A size
    that is in no list, and a used size that nothing tells, are refused.
    """
    gathered = _Notes()
    held, unattached = _attached(vms, known, skipped)
    rows, wrong = [], []
    totals, of_disk = _stated(known, gathered, wrong)
    churns = _churns(known, totals, gathered)
    for vm in vms:
        name = known.places.names[vm.id.key]
        disks, unsized = _disks_of(vm, name, held[vm.id.key], known, gathered)
        if unsized:
            missing = f"the size of {unsized} of {short(name)} is in neither list"
            hint = "list the disks of its subscription too"
            wrong.append(_finding(vm, missing, hint))
            continue
        unknown = _add_used(disks, vm, totals, of_disk, known, gathered, wrong)
        if unknown:
            missing = f"the used size of {unknown} of {short(name)} is not known"
            wrong.append(_finding(vm, missing, "give --used, --jobs or --used-frac"))
        _add_churn(disks, churns.get(vm.id.key))
        facts = _facts(vm, name, known, gathered, disks)
        for disk in disks:
            origin = "; ".join(disk.pop("origins"))
            rows.append(facts | disk | {"origin": origin + facts["origin"]})
    for one in of_disk.values():
        gathered.add(NO_DISK, f"{one.vm}/{one.disk} ({one.place})")
    if wrong:
        raise InventoryError(wrong)
    notes += gathered.lines()
    return rows, unattached


def _finding(vm: Vm, rule: str, hint: str = "") -> Finding:
    return Finding(vm.file, vm.row, None, None, rule, hint, counted="row")


def _attached(
    vms: Sequence[Vm], known: Known, skipped: Counter[str]
) -> tuple[Mapping[str, list[Disk]], pd.DataFrame]:
    """Find the disks of VMs that do not name them, and those of no VM."""
    named = {slot.id.key for vm in vms for slot in vm.slots if slot.id}
    here = {vm.id.key for vm in vms}
    by_vm, loose = defaultdict(list), []
    for key, disk in known.disks.items():
        if key in named:
            continue
        owners = [owner for owner in disk.owners if owner in here]
        for owner in owners:
            by_vm[owner].append(disk)
        if not disk.owners:
            size = disk.size_gib or 0.0
            loose.append((inert(disk.id.name), inert(disk.id.group), size))
        elif not owners:
            skipped["disks of VMs that are not in the inventory"] += 1
    columns = ["disk", "resource_group", "size_gib"]
    return by_vm, pd.DataFrame(sorted(loose), columns=columns)


def _disks_of(
    vm: Vm, name: str, held: Sequence[Disk], known: Known, notes: _Notes
) -> tuple[list[dict], str]:
    """Return the disks of a VM, and which of them have no size."""
    item = known.items.get(vm.id.key)
    slots = [(s, known.disks.get(s.id.key) if s.id else None) for s in vm.slots]
    for disk in held:
        notes.add(ATTACHED_LATER, disk.id.name)
        slots.append((_slot_of(disk), disk))
    disks, unsized, taken = [], [], set()
    for slot, disk in slots:
        from_list = disk is not None and disk.size_gib is not None
        size = disk.size_gib if from_list else slot.size_gib
        label = inert(slot.name)
        if alike(label) in taken:
            label = f"{label} (lun {slot.lun})"
        if alike(label) in taken:
            label = f"{label} ({len(taken)})"
        taken.add(alike(label))
        if size is None:
            unsized.append(short(label))
            continue
        kind = (disk.type if disk else None) or slot.type
        sku = (disk.sku if disk else None) or slot.sku
        if kind is None and sku:
            notes.add(NO_SUCH_SKU, f"{name}/{label}: {sku}")
        if size is not None and size > limits()["max_disk_gib"]:
            notes.add(TOO_LARGE, f"{name}/{label}: {size:,.15g} GiB")
        disks.append(
            {
                "disk": label,
                "role": slot.role,
                "size_gib": size,
                "disk_type": kind,
                "managed": slot.storage_account is None,
                "storage_account": slot.storage_account,
                "excluded": _excluded(slot, disk, item, f"{name}/{label}", notes),
                "origins": [f"size: {'disk' if from_list else 'VM'} list"],
            }
        )
    return disks, ", ".join(unsized)


def _slot_of(disk: Disk) -> Slot:
    """Return a slot for a disk that its VM does not name."""
    name, size, kind, sku = disk.id.name, disk.size_gib, disk.type, disk.sku
    return Slot(name, "data", None, disk.id, size, kind, sku, None, False)


def _excluded(
    slot: Slot, disk: Disk | None, item: Item | None, where: str, notes: _Notes
) -> bool:
    """Say whether a disk is left out of the backup, and note why."""
    if slot.ephemeral:
        notes.add(EPHEMERAL, where)
        return True
    if disk is not None and (disk.shared or len(disk.owners) > 1):
        notes.add(SHARED, where)
        return True
    if slot.role == "os" or item is None or item.listed is None:
        return False  # the OS disk is always in
    if slot.lun is None:
        notes.add(NO_LUN, where)
        return False
    return (slot.lun in item.listed) != item.inclusion


def _stated(
    known: Known, notes: _Notes, wrong: list[Finding]
) -> tuple[dict[str, tuple[float, str, bool]], dict[tuple[str, str], Used]]:
    """Return used sizes that somebody stated, of VMs and of disks, by key of the VM."""
    totals, of_disk = {}, {}
    listed = []
    for one in known.sizes:
        key = known.places.find(None, one.group, one.vm)
        if key is None:
            notes.add(NO_VM, f"{one.vm} ({one.place})")
        elif not one.origin.startswith("list"):
            totals[key] = (one.used_gib, one.origin, False)
        else:
            disk = None if one.disk is None else alike(one.disk)
            name = "/".join(filter(None, (one.vm, one.disk)))
            listed.append(Found((key, disk), name, one, one.place))
    once = Once("used sizes")
    for (key, disk), one in once.of(listed).items():
        if disk is None:
            totals[key] = (one.used_gib, one.origin, True)
        else:
            of_disk[key, disk] = one
    notes.whole += once.notes()
    wrong += once.findings
    return totals, of_disk


def _churns(
    known: Known, totals: dict[str, tuple[float, str, bool]], notes: _Notes
) -> dict[str, float]:
    """Add the used sizes that jobs show where none is stated; return the churn."""
    if known.jobs is None:
        return {}
    places = known.jobs[["subscription", "resource_group", "vm"]]
    which = places.drop_duplicates()
    found = {}
    for place in which.itertuples(index=False, name=None):
        group = [None if pd.isna(part) else part.lower() for part in place[:2]]
        found[place] = known.places.find(*group, place[2])
        if found[place] is None:
            notes.add(NO_VM_OF_JOB, place[2])
    keys = [found[place] for place in places.itertuples(index=False, name=None)]
    figures = from_jobs(known.jobs, pd.Series(keys, known.jobs.index, dtype=object))
    churns = {}
    for row in figures.itertuples():
        name = known.places.names[row.Index]
        if pd.isna(row.used_gib):
            notes.add(INCREMENTS, name)
        elif row.Index not in totals:
            totals[row.Index] = (row.used_gib, row.origin, False)
            if not row.set_up:
                notes.add(NO_SET_UP, name)
        if not pd.isna(row.churn_gib_per_day):
            churns[row.Index] = row.churn_gib_per_day
    return churns


def _add_used(
    disks: list[dict],
    vm: Vm,
    totals: Mapping[str, tuple[float, str, bool]],
    of_disk: dict[tuple[str, str], Used],
    known: Known,
    notes: _Notes,
    wrong: list[Finding],
) -> str:
    """Add the used sizes of the disks of a VM; return those that nothing tells."""
    total, origin, stated = totals.get(vm.id.key, (None, "", False))
    for disk in disks:
        one = of_disk.pop((vm.id.key, alike(disk["disk"])), None)
        disk["used_gib"] = one.used_gib if one else None
        if one:
            disk["origins"].append(f"used: {one.origin}")
            _check_fits(vm, one.used_gib, disk["size_gib"], disk["disk"], wrong)
    kept = [disk for disk in disks if not disk["excluded"]]
    if total is not None and kept:
        sizes = [disk["size_gib"] for disk in kept]
        if total > sum(sizes):
            if stated:
                _check_fits(vm, total, sum(sizes), "all disks", wrong)
            notes.add(CUT, vm.name)
        shares = split(total, sizes, [disk["used_gib"] for disk in kept])
        for disk, share in zip(kept, shares, strict=True):
            if disk["used_gib"] is None:
                disk["used_gib"] = share
                by_size = ", split by size" * (len(kept) > 1)
                disk["origins"].append(f"used: {origin}{by_size}")
    unknown = []
    for disk in disks:
        if disk["used_gib"] is not None:
            continue
        if known.used_frac is not None:
            disk["used_gib"] = known.used_frac * disk["size_gib"]
            disk["origins"].append(f"used: share of the size, {known.used_frac:g}")
        elif disk["excluded"]:
            disk["used_gib"] = disk["size_gib"]
            disk["origins"].append("used: not known and not backed up, taken as full")
        else:
            unknown.append(short(disk["disk"]))
    return ", ".join(unknown)


def _check_fits(
    vm: Vm, used: float, size: float, what: str, wrong: list[Finding]
) -> None:
    if used > size:
        of = f"{short(what)} of {short(vm.name)}"
        rule = f"the used size of {of}, {used:g} GiB, must be <= its size, {size:g} GiB"
        wrong.append(_finding(vm, rule))


def _add_churn(disks: list[dict], churn: float | None) -> None:
    """Split the churn of a VM over its disks as its used size is."""
    kept = [disk for disk in disks if not disk["excluded"]]
    used = sum(disk["used_gib"] or 0.0 for disk in kept)
    if churn is None or not used:
        return
    for disk in kept:
        disk["churn_gib_per_day"] = churn * (disk["used_gib"] or 0.0) / used
        disk["origins"].append("churn: later backups, split by used size")


def _facts(
    vm: Vm, name: str, known: Known, notes: _Notes, disks: Sequence[dict]
) -> dict[str, object]:
    """Return what holds for all disks of a VM."""
    item = known.items.get(vm.id.key)
    facts = {"vm": name, "os": vm.os, "origin": ""}
    facts["trusted_launch"] = vm.trusted_launch
    found = known.policies.get(item.policy) if item and item.policy else None
    for disk in disks:
        if disk["disk_type"] in NEEDS_ENHANCED and not disk["excluded"]:
            where = f"{name}/{disk['disk']}"
            if found is None:
                notes.add(NOT_SURELY_ENHANCED, where)
            elif not found.enhanced:
                notes.add(NOT_ENHANCED, where)
    if item is None:
        return facts
    vault: Resource | None = item.vault
    facts |= {
        "vault": known.vault_names.get(vault.key) if vault else None,
        "policy": found.name if found else item.policy_name,
        "first_backup": item.first_backup,
        "redundancy": known.redundancies.get(vault.key) if vault else None,
    }
    if found is None:
        if item.policy and known.policies:
            notes.add(NO_POLICY, name)
        return facts
    facts |= {"start_h": found.start_h(known.zone)} | found.settings()
    facts["origin"] = f"; start: policy, {found.rhythm}"
    if found.rhythm == "hourly":
        times = f"VMs backed up {len(found.starts)} times a day"
        notes.add(f"{times}; start_h is the last, whose data go to the vault", name)
    elif found.rhythm != "daily":
        notes.add(f"VMs backed up {found.rhythm}, which the model takes as daily", name)
    for remark in found.remarks:
        notes.add(f"VMs whose policy {remark}", name)
    return facts
