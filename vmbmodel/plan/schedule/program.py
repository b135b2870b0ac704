"""What a schedule decides: so many VMs of a class in each half-hour.

VMs that are alike form a class. A `Program` holds the vaults that share something,
most often one, and says what any plan comes to, whoever made it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vmbmodel.plan.schedule.slots import SLOT_H, SLOTS

__all__ = ["AIMS", "NEAR", "Program"]

AIMS = ("expected_misses", "peak_vms", "late_peak_vms", "last_finish_h", "moved_vms")
"""What is made least, the first before the second and so on."""

NEAR = 1e-6
"""Share of a value within which a later aim has to leave it."""

_LEAST_SCALE = 1e-3  # so that a thousandth of a millionth of a miss is none


@dataclass(frozen=True)
class Program:
    """Classes of VMs, what they take of each half-hour, and what there is.

    Parameters
    ----------
    vault : ndarray of int, shape (classes,)
        Vault of each class.
    number : ndarray of int, shape (classes,)
        VMs of each class.
    open : ndarray of bool, shape (classes, slots)
        Whether a class may start there.
    miss : ndarray of float, shape (classes, slots)
        Chance of a VM to miss its deadline that waits for no other of its vault.
    finish_h : ndarray of float, shape (classes, slots)
        When a VM is done that starts there, from the origin of the day.
    present : ndarray of int, shape (classes, slots)
        VMs that start there now.
    in_use, late, work : ndarray of float, shape (classes, slots)
        What a VM that starts in slot 0 takes of each slot: whether it is at work,
        whether it may be if it starts late, and for what share.
    kept_in_use, kept_late, kept_work : ndarray of float, shape (vaults, slots)
        What VMs take that stay where they are.
    kept_miss, kept_finish_h : ndarray of float, shape (vaults,)
        Their misses, and when the last of them is done.
    room : ndarray of float, shape (vaults, slots)
        VMs that may still start there; infinite without a rule.
    disks : ndarray of int, shape (classes, accounts)
        Disks of a VM in each storage account.
    account_room : ndarray of float, shape (accounts, slots)
        Disks of an account that may still start there.
    served : float
        VMs of a vault that are served at a time.
    peak_vms, late_peak_vms : float
        VMs of a vault at work at a time below which fewer are no better, and the
        same if starts are late.
    job_h, job_slots : ndarray of float, shape (vaults,)
        Mean transfer of a VM of the vault, and the slots it is at work in.
    line_miss : ndarray of float, shape (vaults, slots, waves)
        What a VM's chance to miss has more, if it has to wait for so many waves of
        its own vault in that slot; the first is 0, and none is less than the one
        before.
    """

    vault: np.ndarray
    number: np.ndarray
    open: np.ndarray
    miss: np.ndarray
    finish_h: np.ndarray
    present: np.ndarray
    in_use: np.ndarray
    late: np.ndarray
    work: np.ndarray
    kept_in_use: np.ndarray
    kept_late: np.ndarray
    kept_work: np.ndarray
    kept_miss: np.ndarray
    kept_finish_h: np.ndarray
    room: np.ndarray
    disks: np.ndarray
    account_room: np.ndarray
    served: float
    peak_vms: float
    late_peak_vms: float
    job_h: np.ndarray
    job_slots: np.ndarray
    line_miss: np.ndarray

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
