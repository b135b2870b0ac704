"""Where an inventory keeps no practice: one search for notices and for a check.

Each function takes rows and thresholds, and gives the places that are beyond
them, worst case none. Rows that lack what is looked at are in no place; whoever
calls counts them. A column ``row`` tells where the rows stand in the inventory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vmbmodel.plan.facts import holds

__all__ = [
    "Place",
    "busy_accounts",
    "compared_disks",
    "crowded",
    "crowded_policies",
    "crowded_schedules",
    "crowded_starts",
    "high_churn",
    "new_disks",
    "small_writes",
]


@dataclass(frozen=True, slots=True)
class Place:
    """One place of an inventory that is beyond a threshold."""

    where: Mapping[str, object]  # vault, policy, storage account, start, VM, disk
    found: float | None
    limit: float | None
    text: str  # what was found, in a sentence
    row: int = 0  # of the first disk concerned
    severity: str = ""  # where it differs from that of the rule


def crowded(
    rows: pd.DataFrame, by: Sequence[str], most: float, *, at_it: bool = False
) -> Iterator[tuple[dict, int, int]]:
    """Find the groups that have more rows than allowed; if `at_it`, so many or more.

    A row with a blank in `by` is in no group. Gives what names the group, how many
    rows it has, and the position of the first, in the order of the inventory.

    >>> vms = pd.DataFrame({"vault": ["a", "b", "a", None]})
    >>> list(crowded(vms, ["vault"], 1))
    [({'vault': 'a'}, 2, 0)]
    """
    if len(rows) < most or rows.empty:
        return
    inside = np.flatnonzero(rows[list(by)].notna().all(axis=1).to_numpy())
    named = rows[list(by)].iloc[inside]
    group = np.full(len(rows), -1)
    groups = named.groupby(list(by), sort=False, observed=True)
    group[inside] = groups.ngroup().to_numpy()
    count = np.bincount(group[inside])
    first = np.zeros(count.size, dtype=int)
    first[group[inside[::-1]]] = inside[::-1]
    big = np.flatnonzero(count >= most if at_it else count > most)
    big = big[np.argsort(first[big])]
    names = rows[list(by)].iloc[first[big]].to_dict("records")
    at = _row(rows)[first[big]].tolist()
    yield from zip(names, count[big].tolist(), at, strict=True)


def crowded_starts(vms: pd.DataFrame, most: float) -> Iterator[Place]:
    """Find the vaults of which too many VMs start at once."""
    for where, count, row in crowded(vms, ["vault", "start_h"], most):
        text = (
            f"{count} VMs of vault {where['vault']} start at {where['start_h']:g} h; "
            f"no more than {most:g} are advised."
        )
        yield Place(where, count, most, text, row)


def crowded_policies(vms: pd.DataFrame, most: float) -> Iterator[Place]:
    """Find the policies that have too many VMs."""
    for where, count, row in crowded(vms, ["vault", "policy"], most):
        text = (
            f"Policy {where['policy']} of vault {where['vault']} has {count} VMs; "
            f"it may have up to {most:g}."
        )
        yield Place(where, count, most, text, row)


def crowded_schedules(unmanaged: pd.DataFrame, most: float) -> Iterator[Place]:
    """Find the storage accounts of which too many disks follow one policy.

    Policies of one name in two vaults are two; disks of no known vault are taken
    as those of one.
    """
    rows = unmanaged.assign(vault=unmanaged["vault"].astype(object).fillna(""))
    for where, count, row in crowded(
        rows, ["storage_account", "vault", "policy"], most
    ):
        vault = where.pop("vault")
        named = {"vault": vault} if vault else {}
        text = (
            f"{count} disks of storage account {where['storage_account']} follow "
            f"policy {where['policy']}{f' of vault {vault}' if vault else ''}; no more "
            f"than {most:g} are advised."
        )
        yield Place(named | where, count, most, text, row)


def busy_accounts(
    unmanaged: pd.DataFrame,
    low: float,
    high: float,
    *,
    at_it: bool = False,
    from_low: bool = False,
) -> Iterator[Place]:
    """Find the storage accounts with more disks than they can serve while in use.

    With more than `low` disks, or as many if `at_it`, an account may be overloaded,
    with more than `high` it surely is. If `from_low`, those between are notes.
    """
    for where, count, row in crowded(
        unmanaged, ["storage_account"], low if from_low else high, at_it=at_it
    ):
        surely = count >= high if at_it else count > high
        many = f"{low:g} to {high:g} or more"
        text = (
            f"Storage account {where['storage_account']} holds {count} disks; with "
            f"{many if at_it else f'more than {low:g} to {high:g}'} it "
            f"{'is' if surely else 'may be'} overloaded while applications use it."
        )
        limit, severity = (high, "") if surely else (low, "note")
        yield Place(where, count, limit, text, row, severity)


def high_churn(vms: pd.DataFrame, most: float, backup_h: float) -> Iterator[Place]:
    """Find the VMs of which more changes in a day than a backup is quick with."""
    beyond = vms["churn_gib_per_day"].to_numpy() > most
    if not beyond.any():
        return
    beyond = vms[beyond]
    churns = beyond["churn_gib_per_day"].tolist()
    for vm, churn, row in zip(_vm(beyond), churns, _row(beyond), strict=True):
        text = (
            f"{churn:.0f} GiB change in a day; above {most:.0f} the service documents "
            f"backups longer than {backup_h:g} hours."
        )
        yield Place({"vm": vm}, churn, most, text, int(row))


def new_disks(disks: pd.DataFrame) -> Iterator[Place]:
    """Find the disks added to a protected VM, and how long they take if known."""
    for where, gib, time, row in _marked(disks, "new_disk"):
        amount = time or f"{gib:.0f} GiB"
        text = f"Disk {where['disk']} is new and is copied whole: {amount}."
        yield Place(where, gib, None, text, row)


def compared_disks(disks: pd.DataFrame) -> Iterator[Place]:
    """Find the disks compared by checksum, and how long they take if known."""
    for where, gib, time, row in _marked(disks, "cc_mode"):
        text = (
            f"Disk {where['disk']} is compared by checksum: all {gib:.0f} GiB "
            f"are read{time and f', {time}'}."
        )
        yield Place(where, gib, None, text, row)


def small_writes(disks: pd.DataFrame, least: float) -> Iterator[Place]:
    """Find the disks written in smaller pieces than a backup is quick with."""
    beyond = disks["write_kib"].to_numpy() < least
    if not beyond.any():
        return
    beyond = disks[beyond]
    for vm, disk, kib, row in zip(
        *(beyond[name].tolist() for name in ("vm", "disk", "write_kib")),
        _row(beyond).tolist(),
        strict=True,
    ):
        text = f"Disk {disk} is written in {kib:g} KiB, below {least:g}."
        yield Place({"vm": vm, "disk": disk}, kib, least, text, row)


def _marked(disks: pd.DataFrame, mark: str) -> Iterator[tuple[dict, float, str, int]]:
    marked = holds(disks[mark], True)
    if not marked.any():
        return
    marked = disks[marked]
    hours = (
        [f"{hours:.1f} h" for hours in marked["disk_h"]]
        if "disk_h" in marked
        else [""] * len(marked)
    )
    columns = [marked[name].tolist() for name in ("vm", "disk", "used_gib")]
    for vm, disk, gib, time, row in zip(
        *columns, hours, _row(marked).tolist(), strict=True
    ):
        yield {"vm": vm, "disk": disk}, gib, time, row


def _vm(vms: pd.DataFrame) -> list[str]:
    return vms.get("vm", vms.index).tolist()


def _row(rows: pd.DataFrame) -> np.ndarray:
    return rows["row"].to_numpy() if "row" in rows else np.zeros(len(rows), dtype=int)
