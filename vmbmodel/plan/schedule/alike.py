"""From an inventory to what is to be decided: VMs that are alike, vault by vault."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vmbmodel.plan.estimate import estimate_disks, of_others
from vmbmodel.plan.scenario import Scenario
from vmbmodel.plan.schedule.program import SLOT_H, SLOTS, Program, in_use, work_in
from vmbmodel.plan.schedule.rules import Rules

__all__ = ["Part", "parts"]

_MOST_CLASSES = 150  # of a program, above which VMs are rounded to fewer
_STEPS_H = (0, 1 / 60, 1 / 20, 1 / 10, 1 / 4, 1 / 2, 1)
_MOST_WAVES = 60
_SAMPLE = 20  # VMs of a vault whose misses are averaged
_LEAST = 1e-9  # misses that an hour of waiting costs where it costs none


@dataclass(frozen=True)
class Part:
    """Vaults that are decided together."""

    program: Program
    vaults: tuple[str, ...]  # names, in the order of the program
    accounts: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]  # VMs of each class
    present_slot: Mapping[str, int]  # where each VM starts now; -1 if between two


def _on_slot(start_h: np.ndarray) -> np.ndarray:
    """Give the slot of each start; -1 if it lies between two."""
    slot = np.asarray(start_h, dtype=float) / SLOT_H
    return np.where(slot % 1 == 0, slot, -1).astype(int)


def _alone(fleet: pd.DataFrame, scenario: Scenario, start_h: object) -> pd.DataFrame:
    """Estimate every VM as if it had vault and storage account to itself."""
    account = fleet["storage_account"].astype(object)
    own = fleet["vm"].astype(str) + "/" + account.fillna("").astype(str)
    apart = fleet.assign(
        vault=fleet["vm"],
        storage_account=own.where(account.notna(), None),
        start_h=start_h,
    )
    return estimate_disks(apart, scenario).vms.set_index("vm")


def parts(
    fleet: pd.DataFrame,
    vms: pd.DataFrame,
    disks: pd.DataFrame,
    scenario: Scenario,
    rules: Rules,
) -> Iterator[Part]:
    """Set up a program for each set of vaults that share a storage account.

    VMs are those to be backed up, indexed by name, with ``vault``, ``start_h`` and
    ``keep``; disks are those of them in storage accounts of the user.
    """
    if vms.empty:
        return
    held = pd.crosstab(disks["vm"], disks["storage_account"])
    if rules.account_disks is None:
        held = held.iloc[:, :0]
    held = held.loc[:, held.sum() > (rules.account_disks or 0)]  # else there is room
    held = held.reindex(vms.index, fill_value=0)
    vault, names = pd.factorize(vms["vault"])
    at, account = np.nonzero(held.to_numpy())
    links = coo_array(
        (np.ones(at.size), (vault[at], len(names) + account)),
        (len(names) + held.shape[1],) * 2,
    )
    group = connected_components(links, directed=False)[1]
    rows = pd.DataFrame(
        {"vm": fleet["vm"].to_numpy(), "row": np.arange(len(fleet))}
    ).set_index("vm")["row"]
    days = _Days(fleet[fleet["vm"].isin(vms.index)], vms["vault"], scenario)
    for number in range(group.max(initial=-1) + 1):
        own = vms[group[vault] == number]
        shared = held.loc[own.index, group[len(names) :] == number]
        mine = fleet.iloc[np.sort(rows.loc[own.index].to_numpy())]
        yield _part(mine, own, shared, days, scenario, rules)


def _part(fleet, vms, held, days, scenario: Scenario, rules: Rules) -> Part:
    transfer_h, fixed_h = (x.loc[vms.index] for x in (days.transfer_h, days.fixed_h))
    vault, vaults = pd.factorize(vms["vault"])
    keep = vms["keep"].to_numpy(dtype=bool)
    slots = _on_slot(vms["start_h"].to_numpy())
    times = pd.DataFrame({"transfer_h": transfer_h, "fixed_h": fixed_h})
    group, members = _alike(vms[~keep], vault[~keep], held[~keep], times[~keep])
    longest = times[~keep].groupby(group).max()
    job_h, longest_h = longest["transfer_h"].to_numpy(), longest["fixed_h"].to_numpy()
    firsts = np.unique(group, return_index=True)[1]
    own_vault = vault[~keep][firsts]
    slot_h = SLOT_H * np.arange(SLOTS)
    miss = days.miss(longest_h)
    begin_h = rules.from_origin_h(slot_h) + rules.start_slack_h
    finish_h = begin_h + days.done_h(longest_h)
    open_ = rules.may_start(slot_h) & (finish_h <= rules.within_h)
    present = np.zeros(miss.shape, dtype=int)
    slot = slots[~keep]
    np.add.at(present, (group[slot >= 0], slot[slot >= 0]), 1)
    kept = _kept(fleet, vms[keep], vault[keep], len(vaults), scenario, rules)
    room = np.full((len(vaults), SLOTS), rules.vault_vms or np.inf)
    account_room = np.full((held.shape[1], SLOTS), float(rules.account_disks or 0))
    slot = slots[keep]
    np.subtract.at(room, (vault[keep][slot >= 0], slot[slot >= 0]), 1)
    np.subtract.at(
        account_room.T, slot[slot >= 0], held[keep].to_numpy()[slot >= 0].astype(float)
    )
    number = np.array([len(m) for m in members], dtype=int)
    mean_h = _mean(transfer_h.to_numpy(), vault, len(vaults))
    at_work = in_use(transfer_h.to_numpy()).sum(axis=1)
    served = float(scenario["vault_servers"])
    waves = int(min(at_work.sum() // served, _MOST_WAVES))
    # what a VM misses wherever it starts decides nothing
    least = np.where(open_, miss, np.inf).min(axis=1, initial=1)
    np.add.at(kept["kept_miss"], own_vault, least * number)
    return Part(
        program=Program(
            vault=own_vault,
            number=number,
            open=open_,
            miss=np.maximum(miss - least[:, np.newaxis], 0),
            finish_h=finish_h,
            present=present,
            in_use=in_use(job_h),
            late=in_use(np.where(job_h > 0, job_h + rules.start_slack_h, 0)),
            work=work_in(job_h),
            room=room,
            disks=held.to_numpy()[~keep][firsts],
            account_room=account_room,
            served=served,
            peak_vms=float(rules.peak_vms),
            late_peak_vms=float(len(vms)) if rules.peak_vms else 0.0,
            job_h=mean_h,
            job_slots=np.maximum(_mean(at_work, vault, len(vaults)), 1),
            line_miss=np.stack(
                [
                    days.line_miss(
                        fixed_h.to_numpy()[vault == number],
                        wave_h * np.arange(waves + 1),
                    )
                    for number, wave_h in enumerate(mean_h)
                ]
            ),
            **kept,
        ),
        vaults=tuple(vaults),
        accounts=tuple(held.columns),
        members=tuple(map(tuple, members)),
        present_slot=dict(zip(vms.index, slots.tolist(), strict=True)),
    )


def _alike(vms, vault, held, times) -> tuple[np.ndarray, list[list[str]]]:
    """Give VMs that are alike a number, and list the members of each.

    Members are alike in vault, accounts, transfer and time, up to a step that is
    as fine as the number of classes allows.
    """
    known = np.column_stack([vault, held.to_numpy()])
    times = times.to_numpy()
    for step_h in _STEPS_H:
        rounded = np.ceil(times / step_h - 1e-9) if step_h else times
        keys = pd.MultiIndex.from_arrays([*known.T, *rounded.T])
        group = pd.factorize(keys)[0]
        if group.max(initial=-1) < _MOST_CLASSES:
            break
    members = [[] for _ in range(group.max(initial=-1) + 1)]
    for name, number in zip(vms.index, group, strict=True):
        members[number].append(name)
    return group, members


class _Days:
    """What a VM by itself comes to at each start of the day."""

    def __init__(self, fleet: pd.DataFrame, vault: pd.Series, scenario: Scenario):
        one = _alone(fleet, scenario, 0.0).loc[vault.index]
        self.transfer_h = one["transfer_h"]
        self.fixed_h = (one["backup_p95_h"] - one["wait_p95_h"]).fillna(np.inf)
        self.wait = of_others(scenario).at(SLOT_H * np.arange(SLOTS))
        self.deadline_h = scenario["deadline_h"]

    def miss(self, fixed_h: np.ndarray, own_h: ArrayLike = 0.0) -> np.ndarray:
        """Give the chance to miss the deadline, after waiting for one's own vault."""
        spare_h = self.deadline_h - np.add.outer(own_h, fixed_h)[..., np.newaxis]
        in_time = self.wait.within_prob(np.maximum(spare_h, 0))
        return np.where(spare_h >= 0, 1 - in_time, 1.0)

    def done_h(self, fixed_h: np.ndarray) -> np.ndarray:
        """Give the time that 95 of 100 backups do not exceed."""
        return fixed_h[:, np.newaxis] + self.wait.quantile_h(0.95)

    def line_miss(self, fixed_h: np.ndarray, own_h: np.ndarray) -> np.ndarray:
        """Give what waits for one's own vault add to the chance, by slot and wait."""
        some = np.linspace(0, len(fixed_h) - 1, min(len(fixed_h), _SAMPLE))
        miss = self.miss(np.sort(fixed_h)[some.astype(int)], own_h).mean(axis=1)
        more = np.maximum.accumulate(miss - miss[0], axis=0)
        return (more + _LEAST * own_h[:, np.newaxis]).T


def _kept(fleet, vms, vault, vaults: int, scenario, rules: Rules) -> dict:
    """Add up what the VMs take that stay where they are."""
    loads = {n: np.zeros((vaults, SLOTS)) for n in ("in_use", "late", "work")}
    miss, finish_h = np.zeros(vaults), np.zeros(vaults)
    if len(vms):
        own = fleet[fleet["vm"].isin(vms.index)]
        one = _alone(own, scenario, own["vm"].map(vms["start_h"])).loc[vms.index]
        start_h, job_h = vms["start_h"].to_numpy(), one["transfer_h"].to_numpy()
        late_h = np.where(job_h > 0, job_h + rules.start_slack_h, 0)
        np.add.at(loads["in_use"], vault, in_use(job_h, start_h))
        np.add.at(loads["late"], vault, in_use(late_h, start_h))
        np.add.at(loads["work"], vault, work_in(job_h, start_h))
        np.add.at(miss, vault, 1 - one["deadline_prob"].to_numpy())
        done_h = rules.from_origin_h(start_h) + rules.start_slack_h
        np.maximum.at(finish_h, vault, done_h + one["backup_p95_h"].to_numpy())
    kept = {f"kept_{name}": load for name, load in loads.items()}
    return kept | {"kept_miss": miss, "kept_finish_h": finish_h}


def _mean(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    count = np.bincount(group, minlength=groups)
    finite = np.minimum(values, 24.0 * SLOTS)
    return np.bincount(group, finite, groups) / np.maximum(count, 1)
