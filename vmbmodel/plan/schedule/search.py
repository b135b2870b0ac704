"""Plan vaults one after the other, and say what cannot be kept.

Plans are found without a solver first: the longest VMs go first, to where the least is
going on. The solver begins with the best of them.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vmbmodel.plan.schedule.alike import Part
from vmbmodel.plan.schedule.program import AIMS, SLOT_H, SLOTS, Program
from vmbmodel.plan.schedule.rules import Rules, clock
from vmbmodel.plan.schedule.solver import Step, divided, excess, optimise

__all__ = ["Aim", "planned"]

_SHOWN = 10  # of what is too tight, before it is counted
_GOLDEN = (5**0.5 - 1) / 2  # whose multiples lie evenly between whole numbers


@dataclass(frozen=True)
class Aim:
    """How near a plan comes to the best there is, in one aim."""

    aim: str  #: what is made least
    value: float  #: what the plan comes to, summed over vaults
    bound: float  #: what no plan goes below that is as good in the aims before
    gap: float  #: share of the value by which the two differ; 0 if proven best
    seconds: float


def planned(
    found: Iterable[Part],
    total: int,
    rules: Rules,
    *,
    exact: bool,
    seconds: float,
    progress: Callable[[str, int, int], None] | None,
) -> tuple[dict[str, float], tuple[Aim, ...]]:
    """Plan part by part, or say what cannot be kept in all of them."""
    starts, problems, done, spent = {}, [], 0, 0.0
    steps = {aim: [] for aim in AIMS}
    for part in found:
        begin = time.monotonic()
        size = int(part.program.number.sum())
        share = (seconds - spent) * size / max(total - done, 1)
        if tight := list(_without_slot(part, rules)):
            problems += tight
            continue
        plan, own = _solved(part, share, exact=exact)
        if plan is None:
            problems += _too_tight(part, rules, share)
            continue
        starts |= _dealt(part, plan)
        for step in own:
            steps[step.aim].append(step)
        done, spent = done + size, spent + time.monotonic() - begin
        if progress:
            progress("schedule", done, total)
    if problems:
        raise ValueError("\n".join(["no schedule keeps all rules:", *problems]))
    return starts, tuple(_aim(name, own) for name, own in steps.items())


def _solved(
    part: Part, seconds: float, *, exact: bool
) -> tuple[np.ndarray | None, list[Step]]:
    program, end = part.program, time.monotonic() + seconds
    found = [program.present, _pack(program)]
    parts = divided(program, seconds / 4)
    if parts is not None:
        found.append(_rounded(program, parts))
    best = None
    for plan in found:
        if plan is None or not program.keeps_rules(plan):
            continue
        plan = _improved(program, plan, seconds / 16)
        if best is None or program.better(program.values(plan), program.values(best)):
            best = plan
    # no room for the last ones is not yet no room at all
    left = end - time.monotonic()
    return optimise(program, best, left, exact=exact or best is None)


def _dealt(part: Part, plan: np.ndarray) -> dict[str, float]:
    """Deal the starts of a class to its members, who keep their own if they can."""
    starts = {}
    for names, counts in zip(part.members, plan.astype(int), strict=True):
        left, movers = counts.copy(), []
        for name in names:
            slot = part.present_slot[name]
            if slot >= 0 and left[slot]:
                starts[name], left[slot] = SLOT_H * slot, left[slot] - 1
            else:
                movers.append(name)
        slots = np.repeat(np.arange(left.size), left)
        starts |= dict(zip(movers, (SLOT_H * slots).tolist(), strict=True))
    return starts


def _aim(name: str, steps: Sequence[Step]) -> Aim:
    value, bound, seconds = (
        float(sum(getattr(step, part) for step in steps))
        for part in ("value", "bound", "seconds")
    )
    gap = (value - bound) / value if 0 < value < math.inf else 0.0
    return Aim(name, value, bound, gap if gap > 1e-6 else 0.0, seconds)


def _without_slot(part: Part, rules: Rules) -> Iterator[str]:
    """Name VMs that may start at no time of the day."""
    stuck = np.flatnonzero(~part.program.open.any(axis=1))
    names = [name for group in stuck for name in part.members[group]]
    if not names:
        return
    clear = rules.may_start(SLOT_H * np.arange(part.program.open.shape[1]))
    if not clear.any():
        yield (
            f"blackout: no start of the day is clear of it for "
            f"{rules.start_slack_h:g} h (start_slack_h), so {len(names)} VMs of "
            f"{', '.join(part.vaults[:_SHOWN])} cannot start"
        )
        return
    finish_h = np.where(clear, part.program.finish_h, np.inf).min(axis=1)
    over_h = finish_h - rules.within_h
    for group in stuck[:_SHOWN]:
        more = len(part.members[group]) - 1
        others = f" and {more} like it" if more else ""
        yield (
            f"done_by_h: {part.members[group][0]}{others} would be done "
            f"{over_h[group]:.1f} h after {clock(rules.done_by_h)} at the "
            "earliest"
        )
    if len(stuck) > _SHOWN:
        yield f"done_by_h: {len(stuck) - _SHOWN} more kinds of VMs would be done late"


def _too_tight(part: Part, rules: Rules, seconds: float) -> Iterator[str]:
    over = excess(part.program, max(seconds, 5))
    for (kind, number), count in over.items():
        if kind == "vault":
            rows = part.program.vault == number
            slots = int(part.program.open[rows].any(axis=0).sum())
            yield (
                f"vault_vms: vault {part.vaults[number]} has "
                f"{part.program.number[rows].sum()} VMs to place in {slots} starts of "
                f"up to {rules.vault_vms:g}; {count:g} find no room"
            )
        else:
            yield (
                f"account_disks: of storage account {part.accounts[number]}, "
                f"{count:g} disks find no start with fewer than "
                f"{rules.account_disks:g} of it"
            )
    if not over:
        vaults = ", ".join(part.vaults[:_SHOWN])
        yield f"no plan was found in time for {vaults}; more seconds may find one"


# --- plans without a solver ---------------------------------------------------------


def _pack(program: Program) -> np.ndarray | None:
    """Place one VM after the other, those that take longest first.

    Each goes where it is least likely to miss its deadline, then where fewest are
    at work, then where it is done first. None if one is left that fits nowhere.
    """
    return _filled(_Day(program, np.zeros(program.open.shape)))


def _rounded(program: Program, parts: np.ndarray) -> np.ndarray | None:
    """Make whole VMs of parts of VMs, by class and slot, as near as they can be.

    None if one is left that fits nowhere.
    """
    # where a VM's parts are gathered differs from class to class
    shift = (np.arange(1, len(parts) + 1) * _GOLDEN % 1)[:, np.newaxis]
    gathered = np.floor(parts.cumsum(axis=1).round(6) + shift)
    starts = np.diff(gathered, axis=1, prepend=0)
    day = _Day(program, np.zeros(parts.shape))
    for group, slot in np.argwhere(starts > 0):
        for _ in range(int(starts[group, slot])):
            if slot in day.free(group):
                day.put(group, slot)
    return _filled(day)


def _improved(program: Program, starts: np.ndarray, seconds: float) -> np.ndarray:
    """Move one VM at a time, as long as that makes the plan better."""
    end, day = time.monotonic() + seconds, _Day(program, starts)
    rng = np.random.default_rng(0)
    while True:
        moved = False
        for group, slot in rng.permutation(np.argwhere(day.starts > 0)):
            if time.monotonic() > end:
                return day.starts
            day.put(group, slot, -1)
            slots = np.append(slot, day.free(group))
            keys = day.keys(group, slots, spread=False)
            best = np.lexsort(keys[::-1])[0]  # the first, if it is as good as any
            day.put(group, slots[best])
            moved |= bool(best)
        if not moved:
            return day.starts


def _filled(day: "_Day") -> np.ndarray | None:
    """Place the VMs that have no start yet."""
    program = day.program
    order = np.lexsort(
        (-program.in_use.sum(axis=1), -program.disks.sum(axis=1, initial=0))
    )
    for group in order:
        for _ in range(int(program.number[group] - day.starts[group].sum())):
            slots = day.free(group)
            if not slots.size:
                return None
            keys = day.keys(group, slots, spread=True)
            day.put(group, slots[np.lexsort(keys[::-1])[0]])
    return day.starts


class _Day:
    """A plan in the making, with what each vault and account has left."""

    def __init__(self, program: Program, starts: np.ndarray):
        self.program, self.starts = program, np.zeros(starts.shape)
        self.loads = {
            name: getattr(program, f"kept_{name}").copy()
            for name in ("in_use", "late", "work")
        }
        self.room = program.room.copy()
        self.account_room = program.account_room.copy()
        for group, slot in np.argwhere(starts > 0):
            self.put(group, slot, starts[group, slot])

    def put(self, group: int, slot: int, count: float = 1) -> None:
        """Add VMs of a class to a slot, or take them away."""
        vault = self.program.vault[group]
        self.starts[group, slot] += count
        for name, load in self.loads.items():
            load[vault] += count * np.roll(getattr(self.program, name)[group], slot)
        self.room[vault, slot] -= count
        self.account_room[:, slot] -= count * self.program.disks[group]

    def free(self, group: int) -> np.ndarray:
        """Return the slots with room for one more VM of a class."""
        program = self.program
        free = program.open[group] & (self.room[program.vault[group]] >= 1)
        disks = program.disks[group][:, np.newaxis]
        return np.flatnonzero(free & (self.account_room >= disks).all(axis=0))

    def keys(self, group: int, slots: np.ndarray, *, spread: bool) -> tuple:
        """Return what to compare slots by, the first first."""
        program, vault = self.program, self.program.vault[group]
        ago = (np.arange(SLOTS) - slots[:, np.newaxis]) % SLOTS
        takes = {name: getattr(program, name)[group][ago] for name in self.loads}
        after = {name: self.loads[name][vault] + takes[name] for name in takes}
        unit = 1e-6 * program.scale
        misses = program.miss[group, slots] + program.line_misses(
            after["in_use"], after["work"], vault
        )
        stays = self.starts[group, slots] < program.present[group, slots]
        finish_h = program.finish_h[group, slots]
        peaks = []
        for name in ("in_use", "late"):
            if spread:
                own = takes[name] > 0
                peaks.append(program.peak(np.where(own, after[name], 0), name))
            else:
                highest = program.peak(after[name], name)
                peaks += [highest, (after[name] == highest[:, None]).sum(axis=1)]
        return np.round(misses / unit), *peaks, finish_h, ~stays
