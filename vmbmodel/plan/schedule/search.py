"""Starts that are worth an estimate, vault by vault.

VMs of a vault without a line of its own are told apart by a table: what each half-hour
comes to for each. Where there is a line, a vault is estimated as a whole: its VMs
together or spread at some pace, in some order. What is best is then moved, a few VMs
at a time, aim after aim, for as long as that helps and no longer than a given number of
tries: no clock decides anything. Of the few VMs of a small vault all plans are looked
through in the end, for fewer policies and moves.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from vmbmodel.plan.schedule.rules import SLOTS, Rules
from vmbmodel.plan.schedule.values import AIMS, TOLERATED, Value, best, narrowed

__all__ = ["Law", "Search", "VMs", "beyond"]


class Law(Protocol):
    """What an estimate says of some VMs."""

    def __call__(
        self, columns: Mapping[str, np.ndarray], *, alone: bool, latest: bool
    ) -> Mapping[str, np.ndarray]:
        """Return misses and mean end, each VM alone or not; at the latest, the end."""


_KINDS = 64  # lengths of transfers that are told apart where hours are not alike
_PRICES_H = (0.0, 1.0, 1e2, 1e4, 1e6)  # hours of finish that a miss is worth
_PACES = (1.0, 0.85, 1.3, 0.7, 2.0, 0.5)
_NEAR = (0.9, 1.1)
_WORK, _FEWEST, _MOST = 12_000, 16, 2_000  # VMs estimated for a vault, and tries
_FEW = 12  # VMs that are moved one by one
_PAIRS, _HOURS = 6, 8  # VMs that are moved by twos, and hours for that
_MOVED_FOR = 4  # aims; the rest together with the last of them
_EVERY = 50_000  # plans of one vault that are all looked through
_BESIDE = 512  # VMs whose vaults are estimated side by side as each by itself
_LONG_H = 1e6  # instead of never
_NOISE_FRAC, _NOISE_H = 2e-3, 0.01


@dataclass(frozen=True)
class VMs:
    """VMs to plan, sorted by vault, policy and name."""

    vault: np.ndarray  #: its number
    policy: np.ndarray  #: number of the policy of the vault
    start_h: np.ndarray  #: now
    keep: np.ndarray
    transfer_h: np.ndarray
    first_backup: np.ndarray
    disks: np.ndarray  #: in storage accounts that may be too full, a column each

    def __len__(self) -> int:
        """Count them."""
        return len(self.vault)


def beyond(
    vault: np.ndarray, start_h: np.ndarray, transfer_h: np.ndarray, served: float
) -> float:
    """Count the jobs at work at a time beyond those that the vaults serve.

    >>> beyond(np.zeros(3, int), np.array([22, 22.5, 23]), np.array([1, 1, 1.0]), 1)
    1.0
    """
    days, rest_h = np.divmod(np.minimum(transfer_h, _LONG_H), 24)
    most = 0.0
    load = np.zeros((vault.max(initial=-1) + 1, len(SLOTS)))
    for slot, hour in enumerate(SLOTS):
        at_work = days + ((hour - start_h) % 24 < rest_h)
        load[:, slot] = np.bincount(vault, at_work, len(load))
    most = load.max(axis=1, initial=0)
    return float(np.maximum(most - served, 0).sum())


def _slot(start_h: np.ndarray) -> np.ndarray:
    """Return the half-hour in which each start lies."""
    return (np.asarray(start_h) * 2).astype(int)


class Search:
    """Looks for the plans of one inventory."""

    def __init__(
        self, vms: VMs, rules: Rules, served: float, law: Law, *, apart: bool
    ) -> None:
        self.vms, self.rules, self.served, self.law = vms, rules, served, law
        self.apart = apart  # no vault is in another's way
        self.present_h = rules.next_open_h(vms.start_h)
        busy = np.bincount(vms.vault, vms.transfer_h > 0)
        longest = np.zeros(len(busy))
        np.maximum.at(longest, vms.vault, vms.transfer_h)
        self._lined = (busy > served) | (longest >= 24)

    @cached_property
    def _alone(self) -> tuple[np.ndarray, np.ndarray]:
        """Misses and finish of each VM at each start, if it had a vault to itself."""
        found = self._table(latest=False)
        later_h = self.rules.later_h(SLOTS, self.present_h[:, np.newaxis])
        return 1 - found["deadline_prob"], later_h + found["done_mean_h"]

    def _table(self, *, latest: bool) -> dict[str, np.ndarray]:
        """Estimate each VM at each start, with a vault to itself.

        Where hours differ, transfers are rounded to some lengths: down, or up if they
        are to be done at the latest.
        """
        first, length_h = self.vms.first_backup, self.vms.transfer_h
        some = self._estimated(length_h[:1], first[:1], SLOTS, latest=latest)
        differ = any(np.ptp(column) > 0 for column in some.values())
        if differ and len(np.unique(length_h)) > _KINDS:
            ends = np.quantile(length_h, np.linspace(0, 1, _KINDS), method="nearest")
            at = np.searchsorted(ends, length_h, side="left" if latest else "right")
            length_h = ends[at if latest else at - 1]
        kinds, kind = np.unique(
            np.column_stack([length_h, first]), axis=0, return_inverse=True
        )
        hours = SLOTS if differ else SLOTS[:1]
        found = self._estimated(kinds[:, 0], kinds[:, 1], hours, latest=latest)
        shape = len(length_h), len(SLOTS)
        return {
            name: np.broadcast_to(table[kind.ravel()], shape)
            for name, table in found.items()
        }

    def _estimated(
        self,
        transfer_h: np.ndarray,
        first_backup: np.ndarray,
        hours: np.ndarray,
        *,
        latest: bool,
    ) -> dict[str, np.ndarray]:
        shape = len(transfer_h), len(hours)
        columns = {
            "start_h": np.tile(hours, len(transfer_h)),
            "transfer_h": np.repeat(transfer_h, len(hours)),
            "first_backup": np.repeat(first_backup, len(hours)).astype(bool),
            "vault_number": np.arange(len(transfer_h) * len(hours)),
        }
        found = self.law(columns, alone=True, latest=latest)
        return {n: np.minimum(v, _LONG_H).reshape(shape) for n, v in found.items()}

    @cached_property
    def allowed(self) -> np.ndarray:
        """Whether each VM may start at each half-hour."""
        open_ = self.rules.may_start(SLOTS)
        return open_ & (self.over_h <= 1e-9)

    @cached_property
    def stays(self) -> np.ndarray:
        """Whether each VM may stay where it is, be it between half-hours."""
        start_h = self.vms.start_h
        over_h = self.over_h[np.arange(len(start_h)), _slot(start_h)]
        return self.rules.may_start(start_h) & (over_h <= 1e-9)

    @cached_property
    def over_h(self) -> np.ndarray:
        """How long after it has to be each VM is done, started as late as it may."""
        rules = self.rules
        if rules.done_by_h is None:
            return np.zeros((len(self.vms), len(SLOTS)))
        done_h = self._table(latest=True)["done_p95_h"]
        return rules.from_origin_h(SLOTS) + done_h - rules.within_h

    def bounds(self, policy_vms: float | None) -> dict[str, float]:
        """Return what no plan is below: each VM by itself, at its best hour.

        What is drawn of VMs in line may lie below their law, by less than a fraction.
        """
        free = ~self.vms.keep
        anywhere = ~free | (SLOTS[_slot(self.vms.start_h)] != self.vms.start_h)
        some = self.allowed | anywhere[:, np.newaxis]
        lined = self._lined[self.vms.vault]
        missed, finish_h = (
            np.where(some, table, np.inf).min(axis=1) for table in self._alone
        )
        missed = missed * np.where(lined, 1 - _NOISE_FRAC, 1)
        of_policy = np.unique(self.vms.policy, return_counts=True)[1]
        return {
            "expected_misses": float(missed.sum()),
            "finish_h": float((finish_h - _NOISE_H * lined).sum()),
            "policies": float(
                np.ceil(of_policy / (policy_vms or np.inf)).clip(1).sum()
            ),
            "moved_vms": float((free & ~self.stays).sum()),
        }

    # --- plans of all vaults ------------------------------------------------------

    def plans(
        self, progress: Callable[[str, int, int], None] | None = None
    ) -> tuple[list[np.ndarray], dict[str, float]]:
        """Return starts worth an estimate: now, together, of full hours, and the best.

        And by how much the best is above the least seen of what it is best in.

        Raises
        ------
        ValueError
            If VMs find no start that the limits allow.
        """
        vms = self.vms
        together = self._placed(self._ranks(np.arange(len(vms)), 0.0, "all"))
        plans = [vms.start_h, together, together.copy(), together.copy()]
        rows_of = np.split(np.arange(len(vms)), np.flatnonzero(np.diff(vms.vault)) + 1)
        done, above = 0, dict.fromkeys(TOLERATED, 0.0)
        for rows in rows_of:
            if vms.keep[rows].all():
                continue
            for plan, step in ((plans[2], 2), (plans[3], 1)):
                seeds = [vms.start_h[rows], together[rows], plans[2][rows]]
                plan[rows], over = _Vault(self, rows, plan, step).best(seeds)
            above = {aim: above[aim] + over[aim] for aim in above}  # of half-hours
            done += len(rows)
            if progress:
                progress("plan", done, len(vms))
        return plans, above

    def _ranks(self, rows: np.ndarray, price_h: float, level: str) -> np.ndarray:
        """Return how far from its best each half-hour is, a row a VM.

        VMs are told apart one by one, by policy, or not at all.
        """
        missed, finish_h = (table[rows] for table in self._alone)
        cost = finish_h + price_h * missed
        number = {
            "vm": np.arange(len(rows)),
            "policy": np.unique(self.vms.policy[rows], return_inverse=True)[1],
            "all": np.zeros(len(rows), dtype=int),
        }[level]
        sums = np.zeros((number.max(initial=-1) + 1, len(SLOTS)))
        np.add.at(sums, number, cost)
        # of hours that are as good, the one at which most start now, and those near it
        now = np.zeros(sums.shape)
        np.add.at(now, (number, _slot(self.vms.start_h[rows])), 1)
        most = now.argmax(axis=1, keepdims=True)
        after = (np.arange(len(SLOTS)) - most) % len(SLOTS)
        near = np.minimum(after, len(SLOTS) - after + 0.5)
        ranks = sums.round(6) + near * 1e-8
        return np.where(self.allowed[rows], ranks[number], np.inf)

    def _placed(self, ranks: np.ndarray) -> np.ndarray:
        """Give each VM its best start with room, those with the least choice first."""
        vms, room = self.vms, Room(self.vms, self.rules)
        starts, left = vms.start_h.copy(), []
        free = np.flatnonzero(~vms.keep)
        choice = np.isfinite(ranks).sum(axis=1)
        disks = vms.disks.sum(axis=1)
        for row in free[np.lexsort((-disks[free], choice[free]))]:
            slot = room.first(row, ranks[row])
            if slot is None:
                left.append(row)
                continue
            room.take(row, slot)
            starts[row] = SLOTS[slot]
        if left:
            raise NoRoomError(left)
        return starts


class NoRoomError(ValueError):
    """Rows of VMs find no start."""

    def __init__(self, rows: list[int]) -> None:
        super().__init__(rows)
        self.rows = rows


class Room:
    """How many VMs of a vault, and disks of an account, may yet start together."""

    def __init__(self, vms: VMs, rules: Rules) -> None:
        self._vms = vms
        limits = rules.vault_vms, rules.account_disks
        vault_vms, account_disks = (float(n or np.inf) for n in limits)
        self.limited = rules.vault_vms is not None or vms.disks.size > 0
        self._vaults = np.full((vms.vault.max(initial=-1) + 1, len(SLOTS)), vault_vms)
        self._accounts = np.full((len(SLOTS), vms.disks.shape[1]), account_disks)
        for row in np.flatnonzero(vms.keep):
            if vms.start_h[row] * 2 % 1 == 0:
                self.take(row, int(vms.start_h[row] * 2))

    def first(self, row: int, ranks: np.ndarray) -> int | None:
        """Return the best half-hour for a VM that has room."""
        open_ = np.isfinite(ranks) & (self._vaults[self._vms.vault[row]] >= 1)
        needs = self._vms.disks[row]
        open_ &= ((self._accounts >= needs) | (needs == 0)).all(axis=1)
        return int(np.where(open_, ranks, np.inf).argmin()) if open_.any() else None

    def take(self, row: int, slot: int, sign: int = 1) -> None:
        """Let a VM start then."""
        self._vaults[self._vms.vault[row], slot] -= sign
        self._accounts[slot] -= sign * self._vms.disks[row]

    def holds(self, rows: np.ndarray, slots: np.ndarray) -> bool:
        """Say whether VMs of one vault may all start so."""
        if not self.limited or not len(rows):
            return True
        come = np.bincount(slots, minlength=len(SLOTS))
        needs = np.zeros(self._accounts.shape)
        np.add.at(needs, slots, self._vms.disks[rows])
        of_vault = self._vaults[self._vms.vault[rows[0]]]
        return bool(
            ((come <= of_vault) | (come == 0)).all()
            and ((needs <= self._accounts) | (needs == 0)).all()
        )


class _Vault:
    """Looks for the starts of one vault, those of the others given."""

    def __init__(
        self, search: Search, rows: np.ndarray, plan: np.ndarray, step: int
    ) -> None:
        vms = self.vms = search.vms
        self.search, self.rows = search, rows
        self.free = ~vms.keep[rows]
        self.lined = bool(search._lined[vms.vault[rows[0]]])
        self.share = len(rows) / len(vms)
        self.room = Room(vms, search.rules)
        if self.room.limited:
            for row in np.flatnonzero(~vms.keep & (vms.vault != vms.vault[rows[0]])):
                self.room.take(row, int(plan[row] * 2))
        on_grid = (np.arange(len(SLOTS)) % step == 0) | ~search.allowed[rows][
            :, ::step
        ].any(axis=1, keepdims=True)
        self.allowed = search.allowed[rows] & on_grid
        self.values: dict[bytes, tuple[np.ndarray, Value]] = {}
        most = _WORK // len(rows) if self.lined else _MOST
        self.tries = int(np.clip(most // step**2, _FEWEST, _MOST))

    def best(self, seeds: list[np.ndarray]) -> tuple[np.ndarray, dict[str, float]]:
        """Return the best starts found, and how far above the least seen they are."""
        for seed in seeds:
            self.tried(seed)
        for starts in self._together():
            self.tried(starts)
        if self.lined:
            self._spread()
        if not self.values:  # no room at full hours
            return seeds[1], dict.fromkeys(TOLERATED, 0.0)
        self._settle(self._improve())
        plans, values = zip(*self.values.values(), strict=True)
        at, lowest = narrowed(values, len(self.rows), self.share)
        over = {
            aim: getattr(values[at], aim) - getattr(lowest, aim) for aim in TOLERATED
        }
        return plans[at], over

    def tried(self, starts: np.ndarray) -> Value | None:
        """Estimate starts, unless rules or room forbid them or no try is left."""
        key = starts.tobytes()
        if key in self.values:
            return self.values[key][1]
        at, slot = np.flatnonzero(self.free), _slot(starts)
        fits = np.where(
            SLOTS[slot] == starts,
            self.allowed[np.arange(len(slot)), slot],
            (starts == self.vms.start_h[self.rows]) & self.search.stays[self.rows],
        )
        if not fits[at].all() or not self.room.holds(self.rows[at], slot[at]):
            return None
        if len(self.values) >= self.tries:
            return None
        value = self._value(starts, slot)
        self.values[key] = starts.copy(), value
        return value

    def _value(self, starts: np.ndarray, slot: np.ndarray) -> Value:
        search, rows, free = self.search, self.rows, self.free
        vms, rules, late = self.vms, search.rules, 0
        if self.lined:
            columns = {
                "start_h": starts,
                "transfer_h": vms.transfer_h[rows],
                "first_backup": vms.first_backup[rows],
                "vault_number": np.zeros(len(rows), dtype=int),
            }
            found = search.law(columns, alone=False, latest=False)
            missed = (1 - found["deadline_prob"]).sum()
            later_h = rules.later_h(starts, search.present_h[rows])
            finish_h = later_h + found["done_mean_h"]
            if rules.done_by_h is not None:
                latest = search.law(columns, alone=False, latest=True)
                done_h = latest["done_p95_h"]
                late = rules.from_origin_h(starts) + done_h > rules.within_h + 1e-9
        else:
            at = np.flatnonzero(free)
            missed, finish_h = (t[rows[at], slot[at]] for t in search._alone)
        pairs = vms.policy[rows] * 100.0 + starts
        return Value(
            float(np.sum(late)),
            float(np.sum(missed)),
            float(np.minimum(finish_h, _LONG_H).sum()),
            len(np.unique(pairs)),
            int((starts != vms.start_h[rows]).sum()),
            self._beyond_served(starts),
        )

    def _together(self) -> Iterator[np.ndarray]:
        """Give every VM, every policy, or all of them their best start."""
        levels = (
            ("all",)
            if self.lined and len(self.rows) > _FEW
            else ("all", "policy", "vm")
        )
        for level, price_h in itertools.product(levels, _PRICES_H):
            ranks = self.search._ranks(self.rows, price_h, level)
            ranks = np.where(self.allowed, ranks, np.inf)
            yield self._filled(ranks, np.argsort(ranks.min(axis=1), kind="stable"))

    def _filled(self, ranks: np.ndarray, order: np.ndarray) -> np.ndarray:
        """Give VMs, in their order, the best start that has room."""
        starts, taken = self.vms.start_h[self.rows].copy(), []
        if not self.room.limited:
            starts[self.free] = SLOTS[ranks[self.free].argmin(axis=1)]
            return starts
        for at in order:
            if not self.free[at]:
                continue
            slot = self.room.first(self.rows[at], ranks[at])
            if slot is not None:
                self.room.take(self.rows[at], slot)
                taken.append((self.rows[at], slot))
                starts[at] = SLOTS[slot]
        for row, slot in taken:
            self.room.take(row, slot, -1)
        return starts

    # --- a vault with a line --------------------------------------------------------

    def _spread(self) -> None:
        """Try several paces; then, at the best, other orders, hours and paces."""
        prices = (0.0, 1e4) if self._hours_differ() else (0.0,)
        ways = [("policy", pace, price) for price in prices for pace in _PACES]
        found = self._best_of(ways)
        if found is None:
            return
        _, pace, price = found
        ways = [(order, pace, price) for order in ("policy", "short", "long")]
        found = self._best_of(ways) or found
        order, pace, price = found
        self._best_of([(order, pace * near, price) for near in (1.0, *_NEAR)])

    def _best_of(self, ways: list[tuple[str, float, float]]) -> tuple | None:
        values = {}
        for way in ways:
            starts = self._paced(*way)
            if starts is not None and (value := self.tried(starts)) is not None:
                values[way] = value
        if not values:
            return None
        at = best(list(values.values()), len(self.rows), self.share)
        return list(values)[at]

    def _hours_differ(self) -> bool:
        missed = self.search._alone[0][self.rows]
        return bool(np.ptp(missed, axis=1).any())

    def _paced(self, order: str, pace: float, price_h: float) -> np.ndarray | None:
        """Spread VMs over the best half-hours, so much work a half-hour."""
        rows, free = self.rows, np.flatnonzero(self.free)
        length_h = self.vms.transfer_h[rows][free]
        sort = {
            "policy": np.arange(len(free)),
            "short": np.argsort(length_h, kind="stable"),
            "long": np.argsort(-length_h, kind="stable"),
        }[order]
        ranks = self.search._ranks(rows, price_h, "all")[free]
        ranks = np.where(self.allowed[free], ranks, np.inf).max(axis=0)
        open_ = np.argsort(ranks, kind="stable")[: np.isfinite(ranks).sum()]
        if not len(open_):
            return None
        grid_h = 24 / len(SLOTS) * (1 if (open_ % 2).any() else 2)
        before_h = np.cumsum(length_h[sort]) - length_h[sort]
        turn = (before_h / (pace * self.search.served * grid_h) + 1e-9).astype(int)
        if turn.max(initial=0) >= len(open_):
            return None
        # the best hours, one after the other, from where a night begins
        used = open_[: turn.max(initial=0) + 1]
        used = used[np.argsort(self.search.rules.from_origin_h(SLOTS[used]))]
        ranks = np.full((len(rows), len(SLOTS)), np.inf)
        ranks[free[sort]] = (np.arange(len(SLOTS)) - used[turn][:, np.newaxis]) % 48
        ranks = np.where(self.allowed, ranks, np.inf)
        return self._filled(ranks, free[sort])

    # --- aim after aim --------------------------------------------------------------

    def _improve(self) -> list[float]:
        """Move VMs for as long as an aim gets less and none before it goes too far.

        Return how much each of the first aims may come to.
        """
        limits: list[float] = []
        for aim in range(_MOVED_FOR):
            last = len(AIMS) if aim == _MOVED_FOR - 1 else aim + 1

            def rank(value: Value, aim=aim, last=last) -> tuple[float, ...]:
                return self._beyond(value, limits), *value[aim:last]

            better = True
            while better:
                starts, least = min(self.values.values(), key=lambda p: rank(p[1]))
                tries = map(self.tried, self._moves(starts))
                better = any(v is not None and rank(v) < rank(least) for v in tries)
            limits.append(
                least[aim] + least.tolerances(len(self.rows), self.share)[aim]
            )
        return limits

    def _settle(self, limits: list[float]) -> None:
        """Find the fewest policies and moves within limits, of all plans of few VMs."""
        least = min(
            (v for _, v in self.values.values() if not self._beyond(v, limits[:3])),
            key=lambda value: value[3:],
        )
        every = self._every()
        if every is None:
            return
        pairs = np.sort(self.vms.policy[self.rows] * 100.0 + every, axis=1)
        policies = 1 + (np.diff(pairs, axis=1) > 0).sum(axis=1)
        moved = (every != self.vms.start_h[self.rows]).sum(axis=1)
        rank = policies * (len(self.rows) + 1) + moved
        most = least.policies * (len(self.rows) + 1) + least.moved_vms
        self.tries += _MOST
        beside = _BESIDE // len(self.rows)
        for level in np.unique(rank[rank <= most]):
            alike = every[rank == level]
            parts = np.split(alike, range(beside, len(alike), beside))
            kept = [p for part in parts for p in part[self._within(part, limits)]]
            for starts in sorted(kept, key=self._beyond_served):
                value = self.tried(starts)
                if value is not None and not self._beyond(value, limits[:3]):
                    return

    @staticmethod
    def _beyond(value: Value, limits: list[float]) -> bool:
        return any(found > most for found, most in zip(value, limits, strict=False))

    def _beyond_served(self, starts: np.ndarray) -> float:
        one, length_h = np.zeros(len(starts), int), self.vms.transfer_h[self.rows]
        return beyond(one, starts, length_h, self.search.served)

    def _every(self) -> np.ndarray | None:
        """Return all plans, of VMs that are alike one order only; None if too many."""
        rows, vms = self.rows, self.vms
        at = np.flatnonzero(self.free)
        if not self.search.apart or len(at) > _PAIRS:
            return None
        kinds: dict[tuple, list[int]] = {}
        for vm in at:
            row, hours = rows[vm], SLOTS[self.allowed[vm]]
            if self.search.stays[row]:
                hours = np.union1d(hours, vms.start_h[row])
            alike = (vms.transfer_h, vms.first_backup, vms.policy, vms.start_h)
            kind = (*hours, *vms.disks[row], *(column[row] for column in alike))
            kinds.setdefault((tuple(hours), kind), []).append(vm)
        sizes = [math.comb(len(h) + len(v) - 1, len(v)) for (h, _), v in kinds.items()]
        if math.prod(sizes) > _EVERY * self.share:
            return None
        every = np.tile(vms.start_h[rows], (math.prod(sizes), 1))
        chosen = np.indices(sizes).reshape(len(sizes), -1)
        for ((hours, _), of), choice in zip(kinds.items(), chosen, strict=True):
            ways = itertools.combinations_with_replacement(hours, len(of))
            every[:, of] = np.array(list(ways))[choice]
        return every

    def _within(self, every: np.ndarray, limits: list[float]) -> np.ndarray:
        """Say which plans keep limits of misses and finish, each a vault of its own."""
        rows, search = self.rows, self.search
        if self.lined:
            columns = {
                "start_h": every.ravel(),
                "transfer_h": np.tile(self.vms.transfer_h[rows], len(every)),
                "first_backup": np.tile(self.vms.first_backup[rows], len(every)),
                "vault_number": np.repeat(np.arange(len(every)), len(rows)),
            }
            found = search.law(columns, alone=False, latest=False)
            missed = 1 - found["deadline_prob"].reshape(every.shape)
            done_h = found["done_mean_h"].reshape(every.shape)
            finish_h = search.rules.later_h(every, search.present_h[rows]) + done_h
        else:
            at = np.flatnonzero(self.free)
            missed, finish_h = (t[rows[at], _slot(every[:, at])] for t in search._alone)
        soon = np.minimum(finish_h, _LONG_H).sum(axis=1) <= limits[2] + 1e-9
        return soon & (missed.sum(axis=1) <= limits[1] + 1e-12)

    def _moves(self, starts: np.ndarray) -> Iterator[np.ndarray]:
        """Give starts that differ by those of a VM or of a policy that start as one."""
        rows, now = self.rows, self.vms.start_h[self.rows]
        pairs = np.column_stack([self.vms.policy[rows], starts])
        groups = [
            np.flatnonzero((pairs == pair).all(axis=1) & self.free)
            for pair in np.unique(pairs[self.free], axis=0)
        ]
        few = self.free.sum() <= _FEW
        hours = SLOTS if few else np.unique(np.concatenate([starts, now]))
        if few:
            groups += [np.array([at]) for at in np.flatnonzero(self.free)]
        for group, hour in itertools.product(groups, hours):
            if (starts[group] != hour).any():
                moved = starts.copy()
                moved[group] = hour
                yield moved
        yield np.where(self.free, now, starts)
        open_ = SLOTS[self.allowed.any(axis=0)]
        if self.free.sum() > _PAIRS or len(open_) > _HOURS:
            return
        pairs = itertools.combinations(np.flatnonzero(self.free), 2)
        for pair, *two in itertools.product(pairs, open_, open_):
            moved = starts.copy()
            moved[list(pair)] = two
            yield moved
