"""Plans found without a solver: the longest first, where the least is going on."""

import time

import numpy as np

from vmbmodel.plan.schedule.program import SLOTS, Program

__all__ = ["improved", "pack", "rounded"]

_GOLDEN = (5**0.5 - 1) / 2  # whose multiples lie evenly between whole numbers


def pack(program: Program) -> np.ndarray | None:
    """Place one VM after the other, those that take longest first.

    Each goes where it is least likely to miss its deadline, then where fewest are
    at work, then where it is done first. None if one is left that fits nowhere.
    """
    return _filled(_Day(program, np.zeros(program.open.shape)))


def rounded(program: Program, parts: np.ndarray) -> np.ndarray | None:
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


def improved(program: Program, starts: np.ndarray, seconds: float) -> np.ndarray:
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
