"""An inventory from what Azure's own tools list: disks, VMs, vault items, jobs.

Provisioned sizes, roles, vault, policy and start come from the lists. Used sizes
are in none of them; they come from a list of yours, from the vault's own figure,
from backup jobs, or are taken as a share of the size, if you say so. Each row
says where its figures come from.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from vmbmodel._words import counted
from vmbmodel.inventory import jobs as jobs_of
from vmbmodel.inventory.azure import lists
from vmbmodel.inventory.azure import policies as policies_of
from vmbmodel.inventory.azure.naming import Places, short_names, spelt_alike
from vmbmodel.inventory.azure.once import Found, Once
from vmbmodel.inventory.azure.rows import Known, rows_of
from vmbmodel.inventory.azure.terraform import resources
from vmbmodel.inventory.azure.used import Used, read_used
from vmbmodel.inventory.files import (
    Finding,
    InventoryError,
    Listing,
    unfollowed,
    zone,
)
from vmbmodel.inventory.fleet import COLUMNS, typed

__all__ = ["Import", "read"]

Paths = Iterable[str | os.PathLike[str]]

SHOWN = 20
"""Disks and VMs that a note names before it counts."""


@dataclass(frozen=True)
class Import:
    """An inventory made of Azure's lists, and what was left out of it."""

    disks: pd.DataFrame
    """A row a disk, as `vmbmodel.inventory.fleet.read_fleet` gives it."""
    unattached: pd.DataFrame
    """Disks that no VM holds: ``disk``, ``resource_group``, ``size_gib``."""
    policies: pd.DataFrame
    """The policies of the lists, whole, with the columns `fleet.POLICY_COLUMNS`."""
    skipped: Mapping[str, int]
    """Entries of the lists that make no row, by reason."""
    notes: tuple[str, ...]
    """What deserves a look, a sentence each."""

    def summary(self) -> list[str]:
        """Return what was read, skipped and noted, a line each."""
        vms, count = self.disks["vm"].nunique(), len(self.disks)
        excluded = int(self.disks["excluded"].sum())
        lines = [
            f"{counted(vms, 'VM')} with {counted(count, 'disk')}, "
            f"{excluded:,} of them not backed up.",
            "Sizes are provisioned sizes; Azure lists no used bytes. Used sizes by "
            "origin:",
        ]
        used = self.disks["origin"].str.extract(r"used: ([a-z -]+)")[0].str.strip()
        kinds = used.str.replace(r"( in the log)? of$", "", regex=True)
        lines += [
            f"  {counted(n, 'disk')}: {kind}"
            for kind, n in kinds.value_counts().items()
        ]
        if len(self.unattached):
            total = self.unattached["size_gib"].sum()
            lines.append(
                f"{counted(len(self.unattached), 'unattached disk')} of "
                f"{total:,.0f} GiB, not in the inventory:"
            )
            shown = self.unattached.head(SHOWN).itertuples()
            lines += [
                f"  {row.resource_group}/{row.disk}, {row.size_gib:,.0f} GiB"
                for row in shown
            ]
            if len(self.unattached) > SHOWN:
                lines.append(f"  ... and {len(self.unattached) - SHOWN:,} more")
        lines += [f"Skipped {n:,}: {why}." for why, n in self.skipped.items()]
        return lines + [f"Note: {note}" for note in self.notes]


def read(
    disks: Paths,
    vms: Paths,
    *,
    items: Paths = (),
    jobs: Paths = (),
    policies: Paths = (),
    vaults: Paths = (),
    used: Paths = (),
    used_frac: float | None = None,
    time_zone: str | None = None,
    date_order: str | None = None,
    protected_only: bool = False,
) -> Import:
    """Make an inventory of what Azure's tools list.

    Parameters
    ----------
    disks, vms : iterable of path-like
        Output of ``az disk list`` and ``az vm list``, of ``Get-AzDisk`` and
        ``Get-AzVM`` as JSON, of the Resource Graph as JSON or CSV, or pages of the
        service's own answers. A state or plan of Terraform may be given in the
        place of any list.
    items, policies, vaults : iterable of path-like
        Output of ``az backup item list``, ``az backup policy list`` and ``az backup
        vault list``.
    jobs : iterable of path-like
        Job logs, as `vmbmodel.inventory.jobs.read` takes them; those of ``az backup
        job list`` have no sizes.
    used : iterable of path-like
        Used sizes: CSV with ``vm``, perhaps ``disk``, and ``used_gib``, or an export
        with ``BackupItemFrontEndSize``.
    used_frac : float, optional
        Share of its size that a disk uses of which nothing is known.
    time_zone : str, optional
        Zone by whose clock ``start_h`` is given; the one that most policies name if
        not given.
    date_order : str, optional
        How dates with strokes are meant in `jobs` and `used`, as
        `vmbmodel.inventory.jobs.read` takes it; needs one of the two.
    protected_only : bool
        Whether VMs that no item protects are left out; needs `items`.

    Returns
    -------
    Import
        The inventory, and what was left out.

    Raises
    ------
    vmbmodel.inventory.files.InventoryError
        If a list cannot be read, with all findings; or if the used size of a disk
        is known from nothing, with all of those disks.
    ValueError
        If `used_frac` is no share, if there is no such time zone or order, or if what
        another argument needs is not given.

    Notes
    -----
    VMs of one name get their resource group in front, ``group/vm``, and if that is
    not enough their subscription. Shared disks and ephemeral OS disks are listed
    and excluded, because VM backup does not take them; so are the disks that the
    item excludes. A disk that is not backed up and of unknown use counts as full,
    which changes nothing as long as it is excluded. The start of an hourly policy
    is its last of the day, whose data go to the vault. What a policy keeps, its
    interval and its kind stand in the columns of each of its VMs; `Import.policies`
    has all it says, and what the model cannot take of it.
    """
    items, jobs, used = list(items), list(jobs), list(used)
    if used_frac is not None and not 0 <= used_frac <= 1:
        raise ValueError(f"used_frac must be >= 0 and <= 1; got {used_frac!r}")
    if protected_only and not items:
        raise ValueError("protected_only needs the items of the vaults")
    if date_order is not None and not (jobs or used):
        raise ValueError("date_order needs job logs or used sizes")
    if time_zone is not None:
        zone(time_zone)
        if not policies:
            raise ValueError("time_zone needs the policies of the vaults")
    read_lists = _Lists(disks, vms, items, policies, vaults)
    log, sizes = read_lists.logs(jobs, used, date_order)
    read_lists.refuse_if_wrong()
    notes = read_lists.notes(log)
    places = Places(read_lists.vms)
    by_vm = _protection(read_lists.items, places, notes, read_lists.skipped)
    if protected_only:
        kept = [
            vm for vm in read_lists.vms if (i := by_vm.get(vm.id.key)) and i.protected
        ]
        if left_out := len(read_lists.vms) - len(kept):
            read_lists.skipped["VMs that no item protects"] += left_out
        read_lists.vms = kept
    elif items:
        _note_unprotected(read_lists.vms, by_vm, notes)
    target = time_zone or policies_of.common_zone(read_lists.policies.values())
    known = Known(
        disks=read_lists.disks,
        items=by_vm,
        policies=read_lists.policies,
        redundancies=read_lists.redundancies,
        vault_names=short_names(
            (i.vault, i.vault.name) for i in by_vm.values() if i.vault
        ),
        places=places,
        sizes=sizes,
        jobs=None if log is None else log.jobs,
        used_frac=used_frac,
        zone=target,
    )
    rows, unattached = rows_of(read_lists.vms, known, notes, read_lists.skipped)
    if known.policies:
        notes.append(f"start_h is by the clock of {target}")
    elif time_zone is not None:
        notes.append("time_zone is of no use: no policy was found")
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in ("vault", "policy", "storage_account"):
        frame[name] = spelt_alike(row.get(name) for row in rows)
    return Import(
        disks=typed(frame),
        unattached=unattached,
        policies=policies_of.policy_table(read_lists.policies.values(), target),
        skipped=dict(read_lists.skipped),
        notes=tuple(notes),
    )


class _Lists:
    """All lists, read, with what is wrong with them."""

    def __init__(
        self, disks: Paths, vms: Paths, items: Paths, policies: Paths, vaults: Paths
    ) -> None:
        self.skipped: Counter[str] = Counter()
        self.wrong: list[Finding] = []
        self.cut_short: list[str] = []
        self.repeats: list[str] = []
        self.disks = self._taken("disks", disks, lists.disk, _id)
        self.vms = list(self._taken("VMs", vms, lists.vm, _id).values())
        self.items = list(self._taken("items", items, lists.item, _place).values())
        self.policies = self._taken("policies", policies, policies_of.policy, _key)
        vaults_by_key = self._taken("vaults", vaults, lists.vault, _key)
        self.redundancies = {k: v.redundancy for k, v in vaults_by_key.items()}

    def _taken(self, what: str, paths: Paths, read, key) -> dict:
        listing, once = Listing(paths), Once(what)
        found = once.of(
            Found(*key(made), made, place)
            for made, place in lists.taken(resources(listing, what), read, self._skip)
        )
        self.wrong += listing.findings + once.findings
        self.repeats += once.notes()
        if unfollowed(listing.pages):
            self.cut_short.append(what)
        return found

    def _skip(self, why: str) -> None:
        self.skipped[f"entry that is {why}"] += 1

    def logs(
        self, jobs: Sequence, used: Sequence, date_order: str | None
    ) -> tuple[jobs_of.JobLog | None, Sequence[Used]]:
        """Read job log and used sizes."""
        log, sizes = None, []
        try:
            if jobs:
                log = jobs_of.read(jobs, date_order=date_order)
        except InventoryError as error:
            self.wrong += error.findings
        try:
            sizes = read_used(used, date_order)
        except InventoryError as error:
            self.wrong += error.findings
        return log, sizes

    def refuse_if_wrong(self) -> None:
        """Raise all that was found."""
        if self.wrong:
            raise InventoryError(self.wrong)

    def notes(self, log: jobs_of.JobLog | None) -> list[str]:
        """Return what is missing from the lists."""
        notes = self.repeats + [
            f"the list of {what} goes on: a next page (nextLink) is named that no file "
            "holds"
            for what in self.cut_short
        ]
        if log is not None:
            notes += [
                f"{counted(count, 'row')} of the job log not read: {finding}"
                for finding, count in log.unread
            ]
            if log.more:
                notes.append("the job log goes on: a next page is named")
        return notes


def _id(found: lists.Disk | lists.Vm) -> tuple[str, str]:
    return found.id.key, found.id.name


def _key(found: lists.Vault | policies_of.Policy) -> tuple[str, str]:
    return found.key, found.name


def _place(item: lists.Item) -> tuple[tuple[str | None, ...], str]:
    """Return what tells an item from others: its vault and its VM."""
    vault = item.vault.key if item.vault else None
    return (vault, item.vm or item.group, item.name.lower()), item.name


def _protection(
    items: Sequence[lists.Item],
    places: Places,
    notes: list[str],
    skipped: Counter[str],
) -> dict[str, lists.Item]:
    """Find the item of each VM; of several the one that still protects it."""
    by_vm: dict[str, lists.Item] = {}
    several = 0
    for item in items:
        owner = item.vault.subscription if item.vault else None
        key = item.vm or places.find(owner, item.group, item.name)
        if key is None or key not in places:
            skipped["items of VMs that are not in the list of VMs"] += 1
            continue
        present = by_vm.get(key)
        several += present is not None
        if present is None or (item.protected and not present.protected):
            by_vm[key] = item
    if several:
        notes.append(
            f"{several:,} VM{'s have' if several > 1 else ' has'} an item in more than "
            "one vault; the one that still protects it counts"
        )
    return by_vm


def _note_unprotected(
    vms: Sequence[lists.Vm], by_vm: Mapping[str, lists.Item], notes: list[str]
) -> None:
    without = sum(vm.id.key not in by_vm for vm in vms)
    stopped = sum(vm.id.key in by_vm and not by_vm[vm.id.key].protected for vm in vms)
    if without:
        notes.append(
            f"{without:,} VM{'s are' if without > 1 else ' is'} in no vault and in the "
            "inventory all the same, as if a backup were to start; --protected-only "
            "leaves such VMs out"
        )
    if stopped:
        notes.append(
            f"the protection of {counted(stopped, 'VM')} is stopped; the "
            "inventory has them all the same"
        )
