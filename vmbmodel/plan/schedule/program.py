"""What a schedule decides: so many VMs of a class in each half-hour.

VMs that are alike form a class. A `Program` holds the vaults that share something,
most often one, and says what any plan comes to, whoever made it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["AIMS", "NEAR", "SLOTS", "SLOT_H", "Program", "in_use", "work_in"]

SLOT_H = 0.5
"""Time between two starts that a policy can have."""

SLOTS = 48
"""Starts of a day."""

AIMS = ("expected_misses", "peak_vms", "late_peak_vms", "last_finish_h", "moved_vms")
"""What is made least, the first before the second and so on."""

NEAR = 1e-6
"""Share of a value within which a later aim has to leave it."""

_GRAIN = 1e-9  # of a slot, below which a job ends with it
_LEAST_SCALE = 1e-3  # so that a thousandth of a millionth of a miss is none


@dataclass(frozen=True)
class Program:
    """Classes of VMs, what they take of each half-hour, and what there is.

    Arrays have a row a class, vault or account, and, where it says so, a column a slot.
    """

    # a row a class
    vault: np.ndarray
    number: np.ndarray  # VMs of the class
    open: np.ndarray  # by slot: whether the class may start there
    miss: np.ndarray  # by slot: chance to miss the deadline, with no other ahead
    finish_h: np.ndarray  # by slot: when a VM is done, from the origin of the day
    present: np.ndarray  # by slot: VMs that start there now
    # a row a class, a column a slot: what a VM that starts in slot 0 takes of each
    in_use: np.ndarray  # whether it is at work
    late: np.ndarray  # whether it may be at work if it starts late
    work: np.ndarray  # for what share of the slot it is at work
    # a row a vault: the same of the VMs that stay where they are
    kept_in_use: np.ndarray
    kept_late: np.ndarray
    kept_work: np.ndarray
    kept_miss: np.ndarray  # misses of all of them
    kept_finish_h: np.ndarray  # when the last of them is done
    # what there is
    room: np.ndarray  # by vault and slot: VMs that may still start; inf if no rule
    disks: np.ndarray  # by class and account: disks of a VM in it
    account_room: np.ndarray  # by account and slot: disks that may still start
    served: float  # VMs of a vault that are served at a time
    peak_vms: float  # VMs of a vault at work below which fewer are no better
    late_peak_vms: float  # the same if starts are late
    # a row a vault
    job_h: np.ndarray  # mean transfer of a VM
    job_slots: np.ndarray  # slots in which it is at work
    line_miss: np.ndarray
    """By vault, slot and wave: what a VM's chance to miss has more, if it has to wait
    for so many waves of its own vault; the first is 0, and none less than the last."""

    @property
    def vaults(self) -> int:
        """Number of vaults."""
        return len(self.job_h)

    @property
    def scale(self) -> float:
        """Largest chance to miss, the unit in which misses are compared."""
        return max(self.miss.max(initial=0), self.line_miss.max(), _LEAST_SCALE)

    @cached_property
    def line_base(self) -> np.ndarray:
        """What is to be taken from each slope of `line_miss` times the VMs at work."""
        waves = np.arange(self.line_miss.shape[-1])
        before = np.cumsum(self.line_miss, axis=-1) - self.line_miss
        return self.served * (waves * self.line_miss - before)

    def load(self, starts: np.ndarray, profile: str) -> np.ndarray:
        """Add up what all VMs take of each slot, by vault."""
        own = getattr(self, profile)
        load = getattr(self, f"kept_{profile}").copy()
        spread = np.fft.irfft(np.fft.rfft(starts) * np.fft.rfft(own), SLOTS)
        np.add.at(load, self.vault, spread)
        return np.round(load, 9)

    def line_misses(
        self, in_use: np.ndarray, work: np.ndarray, vault: int | slice = slice(None)
    ) -> np.ndarray:
        """Misses that come from waiting for VMs of the same vault.

        Of those at work at a time, the first `served` do not wait, as many more
        wait for one transfer, and so on; and what a half-hour cannot serve is in
        line before those of the next.
        """
        job_h = self.job_h[vault]
        over = np.concatenate([work, work], axis=-1) - self.served
        level = over.cumsum(axis=-1)
        floor = np.minimum(np.minimum.accumulate(level, axis=-1), 0)
        carried = np.roll((level - floor)[..., SLOTS:], 1, axis=-1)
        clears = (level[..., SLOTS - 1] <= 0) & (job_h > 0)
        per_vm = np.where(clears, SLOT_H / np.where(job_h > 0, job_h, 1), 0)
        line = in_use + per_vm[..., np.newaxis] * carried
        waves = self.line_miss[vault] * line[..., np.newaxis] - self.line_base[vault]
        return waves.max(axis=-1).sum(axis=-1) / self.job_slots[vault]

    def values(self, starts: np.ndarray) -> tuple[float, ...]:
        """Give what a plan comes to in each of the `AIMS`."""
        in_use = self.load(starts, "in_use")
        misses = (self.miss * starts).sum() + self.kept_miss.sum()
        misses += self.line_misses(in_use, self.load(starts, "work")).sum()
        return (
            float(misses),
            float(self.peak(in_use, "in_use").sum()),
            float(self.peak(self.load(starts, "late"), "late").sum()),
            float(self.last_finish_h(starts).sum()),
            float(self.number.sum() - np.minimum(starts, self.present).sum()),
        )

    def peak(self, load: np.ndarray, profile: str) -> np.ndarray:
        """Give the highest load of a day, or what is as good."""
        enough = self.late_peak_vms if profile == "late" else self.peak_vms
        return np.maximum(load.max(axis=-1), enough)

    def near(self, aim: str, value: float) -> float:
        """Give the difference below which two values of an aim are one."""
        return NEAR * max(self.scale, value) if aim == "expected_misses" else NEAR

    def better(self, one: tuple[float, ...], other: tuple[float, ...]) -> bool:
        """Say whether the values of one plan come before those of another."""
        for aim, mine, theirs in zip(AIMS, one, other, strict=True):
            if mine == theirs:
                continue
            if abs(mine - theirs) > 2 * self.near(aim, theirs):
                return mine < theirs
        return False

    def last_finish_h(self, starts: np.ndarray) -> np.ndarray:
        """Give when the last VM of each vault is done."""
        last = self.kept_finish_h.copy()
        done = np.where(starts > 0, self.finish_h, 0).max(axis=1, initial=0)
        np.maximum.at(last, self.vault, done)
        return last

    def keeps_rules(self, starts: np.ndarray) -> bool:
        """Say whether a plan starts every VM, where it may and where there is room."""
        by_vault = np.zeros(self.room.shape)
        np.add.at(by_vault, self.vault, starts)
        return bool(
            (starts.sum(axis=1) == self.number).all()
            and (starts >= 0).all()
            and not starts[~self.open].any()
            and (by_vault <= self.room).all()
            and (self.disks.T @ starts <= self.account_room).all()
        )


def in_use(job_h: np.ndarray, start_h: np.ndarray | float = 0.0) -> np.ndarray:
    """Count for each half-hour how often a daily job is at work at some time in it.

    A job of more than a day is still at work when that of the next day starts.

    >>> in_use(np.array([0.8]))[0, :3].tolist()
    [1.0, 1.0, 0.0]
    """
    first = np.asarray(start_h) / SLOT_H
    last = first + np.minimum(job_h, 24 * SLOTS) / SLOT_H  # inf: every half-hour
    covered = np.maximum(np.ceil(last - _GRAIN) - np.floor(first), 0)
    covered = np.where(np.asarray(job_h) > 0, covered, 0)
    return _around(covered, np.floor(first).astype(int))


def work_in(job_h: np.ndarray, start_h: np.ndarray | float = 0.0) -> np.ndarray:
    """Give for each half-hour the share of it that a daily job is at work.

    >>> work_in(np.array([0.8]))[0, :3].round(3).tolist()
    [1.0, 0.6, 0.0]
    """
    first = np.asarray(start_h) / SLOT_H
    whole = np.floor(first)
    length = np.minimum(job_h, 24 * SLOTS) / SLOT_H
    until = _around(first - whole + length, whole.astype(int))
    return until - _around(first - whole, whole.astype(int))


def _around(length: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Lay lengths, in slots, round the day, each from its first slot on."""
    length, first = np.broadcast_arrays(length, first)
    place = (np.arange(SLOTS) - first[..., np.newaxis]) % SLOTS
    rest = length[..., np.newaxis] - place
    whole = np.floor(np.maximum(rest, 0) / SLOTS)
    return whole + np.clip(rest - SLOTS * whole, 0, 1)
