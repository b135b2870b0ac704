"""From disks to VMs, and on to waits, restores and bills: the walk of an estimate.

Settings and columns may be drawn: they have an axis of draws before that of the disks,
and so has what comes of them. An estimate is the case without.
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from vmbmodel.inventory.fleet import OF_THE_POLICY
from vmbmodel.plan.estimate.bills import bill
from vmbmodel.plan.estimate.finish import BACKUP_COLUMNS, FIGURES, backup, met_by
from vmbmodel.plan.estimate.others import OthersWait
from vmbmodel.plan.estimate.restores import RESTORE_FIGURES, restores
from vmbmodel.plan.estimate.transfers import copies, longest
from vmbmodel.plan.facts import firsts
from vmbmodel.plan.scenario import Scenario

__all__ = ["Walk", "joining", "walk"]

_OF_THE_VM = (
    "vault",
    "policy",
    "start_h",
    "redundancy",
    "first_backup",
    "trusted_launch",
)
_SUMMED = ("used_gib", "churn_gib_per_day", "changed_gib")
_FIRST = "first_backup_h"
_SLOWEST = {"transfer_h": "disk_h", "later_h": "later_h", _FIRST: "first_h"}


class Walk(NamedTuple):
    """What a walk comes to."""

    names: pd.Index  #: of the VMs
    vms: dict[str, np.ndarray]  #: their columns
    copied: dict[str, np.ndarray]  #: what moves of each disk that is backed up
    restore_all_h: np.ndarray | float  #: until all run again, asked for at once
    done: Callable[..., dict[str, np.ndarray]]  #: `backup` of VMs under the scenario


def walk(
    disks: pd.DataFrame,
    kept: pd.DataFrame,
    drawn: Mapping[str, np.ndarray],
    scenario: Scenario,
    figures: Collection[str] = (*FIGURES, *RESTORE_FIGURES, _FIRST),
    fleet_vms: int | None = None,
    fleet_crowd: int = 0,
    others: OthersWait | None = None,
) -> Walk:
    """Walk from disks to the waits, restores and bills of their VMs.

    Parameters
    ----------
    disks, kept : DataFrame
        Disks without a blank, in the order of their VMs, and those of them that are
        backed up.
    drawn : Mapping[str, ndarray]
        Columns of `kept` that are drawn, in its order.
    scenario : Scenario
        The settings, of which some may be drawn.
    figures : collection of str
        Which figures of `backup` and `restores` are asked for, and whether
        ``first_backup_h`` is.
    fleet_vms : int, optional
        VMs that are backed up, if there are more than these.
    fleet_crowd : int, optional
        VMs of the vault that has most, if that is not among these.
    others : OthersWait, optional
        The wait for others, if it is known; that of the scenario otherwise.
    """
    columns, copied, (names, of_vm, vms) = _begun(
        disks, kept, drawn, scenario, first=_FIRST in figures
    )
    others = others or met_by([vms], scenario)
    done = partial(backup, others=others, **scenario.arguments(backup))
    vms |= done(vms, names=[name for name in FIGURES if name in figures])
    vms["later_deadline_prob"] = vms["deadline_prob"]
    other = (vms["transfer_h"] != vms["later_h"]) | vms["first_backup"]
    if other.any():
        some = np.arange(len(names))
        if other.ndim > 1:  # drawn: vaults know nothing of one another
            crowd = np.unique(vms["vault_number"][other.any(axis=0)])
            some = np.flatnonzero(np.isin(vms["vault_number"], crowd))
        own = {name: vms[name][..., some] for name in (*BACKUP_COLUMNS, "disks")}
        own |= {"transfer_h": vms["later_h"][..., some]}
        own |= {"first_backup": np.zeros(len(some), dtype=bool)}
        later = done(own, names=("deadline_prob",))["deadline_prob"]
        vms["later_deadline_prob"] = vms["deadline_prob"].copy()
        vms["later_deadline_prob"][..., some] = later
    back, all_h = restores(
        vms, columns | copied, of_vm, others, scenario, fleet_vms, fleet_crowd, figures
    )
    vms |= back
    vms |= bill(vms, scenario)
    return Walk(names, vms, copied, all_h, done)


def joining(
    disks: pd.DataFrame,
    kept: pd.DataFrame,
    drawn: Mapping[str, np.ndarray],
    scenario: Scenario,
) -> dict[str, np.ndarray]:
    """Return what `met_by` asks of the VMs of these disks, before any wait."""
    _, _, (_, _, vms) = _begun(disks, kept, drawn, scenario, first=False)
    return {name: vms[name] for name in ("start_h", "first_backup", "transfer_h")}


def _begun(
    disks: pd.DataFrame,
    kept: pd.DataFrame,
    drawn: Mapping[str, np.ndarray],
    scenario: Scenario,
    *,
    first: bool,
) -> tuple[dict, dict, tuple[pd.Index, np.ndarray, dict[str, np.ndarray]]]:
    """Return columns of disks, what moves of each, and the VMs they make up."""
    columns = {name: _values(kept[name]) for name in kept} | dict(drawn)
    copied = copies(columns, scenario, first=first)
    return columns, copied, _gathered(disks, kept.index, columns | copied)


def _values(column: pd.Series) -> ArrayLike:
    """Return the cells of a column, text as pandas holds it: little of it is read."""
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def _gathered(
    disks: pd.DataFrame, kept: pd.Index, columns: Mapping[str, ArrayLike]
) -> tuple[pd.Index, np.ndarray, dict[str, np.ndarray]]:
    """Gather disks into VMs: sums of data, the slowest disk for times.

    Besides the columns of VMs, returns their names, and the number of the VM of each
    disk that is kept.
    """
    first = firsts(disks)
    names = pd.Index(disks["vm"].array[first])
    vms = {
        name: _values(disks[name].take(first)) for name in (*_OF_THE_VM, *OF_THE_POLICY)
    }
    of_vm = np.repeat(np.arange(len(first)), np.diff(first, append=len(disks)))
    if len(kept) < len(disks):
        of_vm = of_vm[disks.index.isin(kept)]
    for name in _SUMMED:
        vms[name] = _summed(columns[name], of_vm, len(names))
    for name, of_disk in _SLOWEST.items():
        if of_disk in columns:
            vms[name] = longest(columns[of_disk], of_vm, len(names))
    vms["disks"] = np.bincount(of_vm, minlength=len(names))
    vms["vault_number"] = pd.factorize(vms["vault"], sort=True)[0]
    return names, of_vm, vms


def _summed(amounts: np.ndarray, of_vm: np.ndarray, vms: int) -> np.ndarray:
    """Return the sum of the disks of each VM, 0 where it has none."""
    result = np.zeros((*amounts.shape[:-1], vms))
    if amounts.ndim == 1:
        sums = pd.Series(amounts).groupby(of_vm).sum()
        result[sums.index] = sums
    elif len(of_vm):
        begins = np.flatnonzero(np.diff(of_vm, prepend=-1))
        result[:, of_vm[begins]] = np.add.reduceat(amounts, begins, axis=-1)
    return result
