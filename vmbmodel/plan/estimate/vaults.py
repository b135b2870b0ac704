"""Vaults that know nothing of one another: some at a time, or some drawn at random.

No step of an estimate reaches across vaults, unless they have a storage account in
common; those go together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vmbmodel.inventory.fleet import joined
from vmbmodel.plan.facts import firsts, unmanaged
from vmbmodel.plan.scenario import Scenario

__all__ = ["DrawnVaults", "chunks", "drawn_vaults"]

_FEWEST = 10  # drawn, even if these have more VMs than asked for


@dataclass(frozen=True)
class DrawnVaults:
    """How much of a fleet the drawn vaults are."""

    interval_vms: int  #: VMs that they were to have at most
    vaults: int
    of_vaults: int
    vms: int
    of_vms: int


def chunks(disks: pd.DataFrame, most: int) -> Iterator[np.ndarray]:
    """Part disks so that no vault and no storage account stands in two parts.

    Gives the places of those of each part.
    """
    if len(disks) <= most:
        yield np.arange(len(disks))
        return
    group = _apart(disks)
    of_part = np.cumsum(np.bincount(group)) // most
    part = of_part[group]
    for number in np.unique(part):
        yield np.flatnonzero(part == number)


def drawn_vaults(
    disks: pd.DataFrame, scenario: Scenario, interval_vms: int, seed: int
) -> tuple[np.ndarray, DrawnVaults | None]:
    """Draw whole vaults, up to so many VMs in all, and give the places of their disks.

    A vault comes by its name, so that one more in the fleet changes the turn of no
    other. Ten are drawn at least; where that is all of them, or they have no more VMs,
    none are drawn.

    Raises
    ------
    ValueError
        If the vaults share reserved capacity, for then a part of them says nothing.
    """
    first, every = firsts(disks), (np.arange(len(disks)), None)
    vms = len(first)
    if vms <= interval_vms:
        return every
    group, (vault, vaults) = _apart(disks), pd.factorize(disks["vault"])
    names = np.array([f"{seed}\0{name}" for name in vaults], dtype=object)
    turn = np.full(group.max() + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(turn, group, pd.util.hash_array(names, categorize=False)[vault])
    order = np.argsort(turn)
    so_far = np.cumsum(np.bincount(group[first])[order])
    count = max(int(np.searchsorted(so_far, interval_vms, "right")), _FEWEST)
    if count >= len(order):
        return every
    if scenario["reserved_gib"]:
        raise ValueError(
            f"interval_vms must be >= {vms}, all VMs, with reserved_gib, which "
            f"they share; got {interval_vms}"
        )
    some = np.flatnonzero(np.isin(group, order[:count]))
    return some, DrawnVaults(
        interval_vms=interval_vms,
        vaults=len(np.unique(vault[some])),
        of_vaults=len(vaults),
        vms=int(so_far[count - 1]),
        of_vms=vms,
    )


def _apart(disks: pd.DataFrame) -> np.ndarray:
    """Give disks one number that are of one vault, or share an account with it."""
    own = disks["storage_account"].where(disks.index.isin(unmanaged(disks).index))
    account = pd.factorize(own)[0]  # -1 where there is none
    return joined(pd.factorize(disks["vault"])[0], account)
