r"""When each VM is done: late start, snapshot, both lines, transfer, and its deadline.

.. math:: T = S + e + s + J + W(R) + Y

with the late start :math:`S`, extension :math:`e` of a first backup, snapshot
:math:`s`, own line :math:`J`, wait :math:`W` for others, met at the hour :math:`R` at
which the own line lets go, and transfer :math:`Y`. Two clocks run: ``done`` from the
scheduled hour, ``job`` from the start of the job.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel import formulas
from vmbmodel.formulas.laws import at_chance, root
from vmbmodel.plan.answers import day_clocks
from vmbmodel.plan.estimate.others import (
    AT_ONCE_H,
    OthersWait,
    SteadyWait,
    at_starts,
    of_others,
    of_rows,
    one_pool,
)
from vmbmodel.plan.estimate.own_line import (
    Nights,
    Slack,
    drawn_nights,
    ever_waits,
    stands_in_line,
)
from vmbmodel.plan.estimate.transfers import apart
from vmbmodel.plan.scenario import Scenario

__all__ = ["BACKUP_COLUMNS", "FIGURES", "backup", "job_within_prob", "met_by"]

BACKUP_COLUMNS = ("transfer_h", "first_backup", "start_h", "vault_number")
"""What `backup` takes of each VM."""

_CLOCKS = ("job", "done")
_SHARES = {"p50": 0.5, "p95": 0.95}
FIGURES = (
    "own_line_mean_h",
    "wait_mean_h",
    *(f"{clock}_{name}_h" for clock in _CLOCKS for name in _SHARES),
    "done_mean_h",
    "deadline_prob",
)
_MEANS = ("own_line_mean_h", "wait_mean_h", "done_mean_h")
_CELLS = 2**20
_BLOCK = 2**14
_FEWEST, _MOST = 128, 1024
_OF_A_DRAW = 48
_TURN = 0.7548776662466927  # of which no multiple comes near another
_EXACT_H = 1e-9


def met_by(
    crowds: Iterable[Mapping[str, np.ndarray]], scenario: Scenario
) -> OthersWait:
    """Return the law of the wait for others, which own jobs may be among.

    Columns of VMs come in one crowd or in several, which are read only in that case.
    """
    if scenario["line_reading"] != "one-pool":
        return of_others(scenario)
    slack = Slack.of(scenario["start_slack_reading"], scenario["start_slack_h"])
    spread_h = slack.hours if slack.spread else 0.0

    def join_h(vms: Mapping[str, np.ndarray]) -> np.ndarray:
        first_h = scenario["extension_h"] * vms["first_backup"]
        return (
            vms["start_h"] + (scenario["snapshot_h"] + first_h) + slack.hours - spread_h
        )

    jobs = ((join_h(vms), vms["transfer_h"]) for vms in crowds)
    return one_pool(scenario, jobs, spread_h or AT_ONCE_H)


def backup(
    vms: Mapping[str, np.ndarray],
    others: OthersWait,
    names: Collection[str] = FIGURES,
    *,
    line_reading: str,
    vault_servers: float,
    start_slack_reading: str,
    start_slack_h: float,
    extension_h: float,
    snapshot_h: float,
    snapshot_scv: float,
    transfer_scv: float,
    transfer_family: str,
    deadline_h: float,
    deadline_clock: str,
) -> dict[str, np.ndarray]:
    """Return waits, both clocks and the chance to meet the deadline.

    Of each VM it takes the number of its vault, its start, its transfer, and whether
    the next backup is its first. VMs that are alike in these have the same figures,
    whatever the order of the rows. Where it is told how many `disks` are backed up, a
    VM without any waits for nothing and misses nothing. Of the figures, those that are
    named are returned.
    Settings that are drawn have an axis of draws before that of the VMs.
    """
    slack = Slack.of(start_slack_reading, start_slack_h)
    others = at_starts(others, vms["start_h"])
    keys = [
        vms["transfer_h"],
        extension_h * vms["first_backup"],
        vms["start_h"],
        vms["vault_number"],
    ]
    drawn = (snapshot_h, snapshot_scv, transfer_scv, vault_servers)
    shape = np.broadcast_shapes(*map(np.shape, (*keys, *drawn)), others.shape)
    keys[-1] = apart(keys[-1], shape)
    keys = [_flat(key, shape) for key in keys]
    lined = stands_in_line(keys[-1], keys[0], _flat(vault_servers, shape))
    lined &= line_reading != "one-pool"
    if len(shape) > 1 and lined.any():
        before_h = keys[1] + _flat(snapshot_h, shape)
        served = _flat(vault_servers, shape)
        lined &= ever_waits(keys[-1], keys[2] + before_h, keys[0], served, slack)
    sought, rest = np.arange(lined.size), []
    varies = slack.spread or np.any(snapshot_scv) or np.any(transfer_scv)
    if isinstance(others, SteadyWait) and (len(shape) > 1 or not varies):
        # quicker each by itself: drawn none are alike, and what varies takes time
        sought, rest = np.flatnonzero(lined), np.flatnonzero(~lined)
    order = sought[np.lexsort([key[sought] for key in keys])]
    differs = np.array([np.diff(key[order], prepend=np.nan) != 0 for key in keys])
    differs = np.pad(differs, [(0, 0), (0, len(rest))], constant_values=True)
    order = np.append(order, rest).astype(int)
    transfer_h, extended_h, start_h, vault = (key[order] for key in keys)
    lined = lined[order]

    def sorted_(setting):
        return _flat(setting, shape)[order]

    snapshot_h, snapshot_scv, transfer_scv, vault_servers = (
        sorted_(setting) if np.ndim(setting) else setting for setting in drawn
    )
    others = others.each(sorted_)
    alike, first = np.cumsum(differs.any(axis=0)) - 1, np.flatnonzero(differs.any(0))
    work = _Work.of(
        extended_h, snapshot_h, transfer_h, snapshot_scv, transfer_scv, transfer_family
    )
    before_h = extended_h + snapshot_h
    figures = {name: np.empty(len(first)) for name in FIGURES}

    def put(rows: np.ndarray, law: _Law) -> None:
        kinds = alike[rows]  # in order
        kinds = kinds[np.diff(kinds, prepend=-1) > 0]
        if not set(_MEANS).isdisjoint(names):
            for name, mean_h in zip(_MEANS, law.means_h(), strict=True):
                figures[name][kinds] = mean_h
        for clock, (short, share) in product(_CLOCKS, _SHARES.items()):
            if (name := f"{clock}_{short}_h") in names:
                figures[name][kinds] = law.quantile_h(share, clock)
        clock = "done" if deadline_clock == "scheduled" else "job"
        figures["deadline_prob"][kinds] = law.within_prob(deadline_h, clock)

    if len(rows := np.flatnonzero(lined)):
        first_others = line_reading == "others-first"
        join_h = before_h[rows]
        served = vault_servers[rows] if np.ndim(vault_servers) else vault_servers
        own = others.each(lambda figure: figure[rows])
        nights = drawn_nights(
            vault[rows], start_h[rows], join_h, transfer_h[rows], served, slack,
            own if first_others else None, of_draws=len(shape) > 1,
        )  # fmt: skip
        met = SteadyWait(0.0, 0.0) if first_others else of_rows(others, rows)
        put(
            rows, _Mixed.of(nights, start_h[rows], join_h, work[rows], met, alike[rows])
        )
    if len(rows := first[~lined[first]]):
        at_once_h = AT_ONCE_H if line_reading == "one-pool" else 0.0
        if isinstance(others, SteadyWait):
            own = others.each(lambda figure: figure[rows])
            put(rows, _Steady(work[rows], slack, own))
        elif len(shape) > 1 and not work.scv.any():
            # drawn: those who start as one wait alike, whatever they move
            together = np.cumsum(differs[1:].any(axis=0))[rows]
            begins = np.diff(together, prepend=-1) > 0
            ones = rows[begins]
            nights = _even_nights(len(ones), slack, at_once_h, _OF_A_DRAW)
            waits = _Mixed.of(
                nights, start_h[ones], before_h[ones], work[ones].constant,
                of_rows(others, ones), np.arange(len(ones)),
            )  # fmt: skip
            put(rows, _After(waits, np.cumsum(begins) - 1, work[rows].varied_h))
        else:
            count = int(np.clip(_CELLS // len(rows), _FEWEST, _MOST))
            nights = _even_nights(len(rows), slack, at_once_h, count)
            met = of_rows(others, rows)
            put(rows, _Mixed.of(
                nights, start_h[rows], before_h[rows], work[rows], met, alike[rows]
            ))  # fmt: skip
    back = np.empty(len(order), dtype=int)
    back[order] = alike
    columns = {name: figures[name][back].reshape(shape) for name in names}
    if "disks" in vms:
        idle = vms["disks"] == 0
        for name in names:
            columns[name][..., idle] = name == "deadline_prob"
    columns["deadline_h"] = np.full(shape[-1:], float(deadline_h))
    if "done_p95_h" in columns and len(shape) == 1:
        done_h = vms["start_h"] + columns["done_p95_h"]
        columns["done_p95_clock"] = day_clocks(done_h)
    return columns


def job_within_prob(
    time_h: np.ndarray, transfer_h: np.ndarray, start_h: np.ndarray, scenario: Scenario
) -> np.ndarray:
    """Return the chance of jobs to be over within a time of each, without an own line.

    What a profile says of a job that is scheduled for an hour, NaN if that is not
    known, and moves data so long, from its start on.
    """
    varied = scenario["snapshot_scv"], scenario["transfer_scv"]
    none_h = np.zeros(len(transfer_h))
    work = _Work.of(
        none_h, scenario["snapshot_h"], transfer_h, *varied, scenario["transfer_family"]
    )
    others = at_starts(of_others(scenario), start_h)
    law = _Steady(work, Slack(0.0, spread=False), others)
    return law.within_prob(time_h, "job")


def _flat(setting: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(setting, shape).ravel()


@dataclass(frozen=True)
class _Work:
    """Time of a job less its waits: a constant, and a part that varies.

    That is the transfer, or snapshot and transfer together where both vary, of the
    mean and the variance of their sum.
    """

    constant_h: np.ndarray
    varied_h: np.ndarray  #: its mean
    scv: np.ndarray
    family: str

    @classmethod
    def of(
        cls, extended_h, snapshot_h, transfer_h, snapshot_scv, transfer_scv, family
    ) -> "_Work":
        if not np.any(snapshot_scv):
            scv = np.broadcast_to(np.asarray(transfer_scv, float), len(transfer_h))
            return cls(extended_h + snapshot_h, transfer_h, scv, family)
        both_h = snapshot_h + transfer_h
        variance = snapshot_scv * snapshot_h**2 + transfer_scv * transfer_h**2
        scv = np.divide(variance, both_h**2, np.zeros(len(both_h)), where=both_h > 0)
        return cls(extended_h, both_h, scv, family)

    def __getitem__(self, rows: np.ndarray) -> "_Work":
        parts = self.constant_h[rows], self.varied_h[rows], self.scv[rows]
        return _Work(*parts, self.family)

    @property
    def mean_h(self) -> np.ndarray:
        return self.constant_h + self.varied_h

    @property
    def constant(self) -> "_Work":
        """What does not vary, alone."""
        return replace(self, varied_h=0 * self.constant_h)

    def drawn_h(self, chance: np.ndarray) -> np.ndarray:
        """Return the time at each chance, a row a job."""
        if not self.scv.any():
            return self.mean_h[:, np.newaxis]
        varied_h, scv = self.varied_h[:, np.newaxis], self.scv[:, np.newaxis]
        moved_h = at_chance(chance, varied_h, np.maximum(scv, 1e-10), self.family)
        moved_h = np.where((scv > 0) & (varied_h < np.inf), moved_h, varied_h)
        return self.constant_h[:, np.newaxis] + moved_h


class _Law(Protocol):
    """Law of the total time of some kinds of VMs, by either clock."""

    def means_h(self) -> tuple[np.ndarray, ...]:
        """Return the mean of the own line, of both waits, and of the total."""

    def quantile_h(self, share: float, clock: str) -> np.ndarray:
        """Return the time that a share of the nights keeps within."""

    def within_prob(self, time_h: float, clock: str) -> np.ndarray:
        """Return the chance to be done within a time."""


@dataclass(frozen=True)
class _Steady:
    """VMs without an own line, whose wait for others is the same at all hours."""

    work: _Work
    slack: Slack
    others: SteadyWait

    def means_h(self) -> tuple[np.ndarray, ...]:
        work_h = self.work.mean_h
        wait_h = self.others.mean_h(work_h)
        return np.zeros(len(work_h)), wait_h, self.slack.mean_h + work_h + wait_h

    def quantile_h(self, share: float, clock: str) -> np.ndarray:
        return formulas.total_quantile_h(share, **self._law(clock))

    def within_prob(self, time_h: float, clock: str) -> np.ndarray:
        return formulas.done_within_prob(time_h, **self._law(clock))

    def _law(self, clock: str) -> dict[str, object]:
        late_h = self.slack.hours if clock == "done" else 0.0
        return {
            "constant_h": self.work.constant_h + late_h * (not self.slack.spread),
            "wait_prob": self.others.wait_prob,
            "decay_per_h": self.others.decay_per_h,
            "transfer_h": self.work.varied_h,
            "transfer_scv": self.work.scv,
            "transfer_family": self.work.family,
            "start_slack_h": late_h * self.slack.spread,
        }


@dataclass(frozen=True)
class _Mixed:
    """VMs by night, of which those alike have one law: that of all their nights."""

    late_h: np.ndarray  #: start after the scheduled hour, a row a VM, a column a night
    spent_h: np.ndarray  #: from then to the end, less the wait for others
    met_h: np.ndarray  #: hour at which they are met
    others: OthersWait
    begins: np.ndarray  #: first row of each kind
    line_h: np.ndarray  #: own line
    waited_h: np.ndarray  #: mean wait for others
    work_h: np.ndarray  #: mean of the rest

    @classmethod
    def of(
        cls,
        nights: Nights,
        start_h: np.ndarray,
        join_h: np.ndarray,
        work: _Work,
        others: OthersWait,
        alike: np.ndarray,
    ) -> "_Mixed":
        lines_h = nights.others_h + nights.line_h
        let_go_h = nights.late_h + (start_h + join_h)[:, np.newaxis]
        met_h = let_go_h + np.where(np.isfinite(lines_h), lines_h, 0)
        return cls(
            late_h=nights.late_h,
            spent_h=lines_h + work.drawn_h(nights.chance),
            met_h=met_h,
            others=others,
            begins=np.flatnonzero(np.diff(alike, prepend=-1)),
            line_h=nights.line_h,
            waited_h=nights.others_h + others.mean_h(met_h),
            work_h=work.mean_h[:, np.newaxis],
        )

    def means_h(self) -> tuple[np.ndarray, ...]:
        line_h = self._mean(self.line_h)
        wait_h = line_h + self._mean(self.waited_h)
        return line_h, wait_h, wait_h + self._mean(self.work_h + self.late_h)

    def within_prob(self, time_h: float, clock: str) -> np.ndarray:
        times_h = np.full(len(self.begins), float(time_h))
        every = slice(None)
        return 1 - self._late_prob(times_h, self._offset_h(clock), every, self.begins)

    def each_within_prob(
        self, time_h: np.ndarray, clock: str, rows: np.ndarray
    ) -> np.ndarray:
        """Return the chance of some rows, each by itself and of a time of its own."""
        offset_h, alone = self._offset_h(clock), np.arange(len(rows))
        return 1 - self._late_prob(time_h, offset_h, rows, alone)

    def quantile_h(self, share: float, clock: str) -> np.ndarray:
        offset_h, begins = self._offset_h(clock), self.begins
        longest_h = offset_h + self.others.quantile_h(self.met_h, share)
        low = np.minimum.reduceat(offset_h.min(axis=1), begins)
        high = np.maximum.reduceat(longest_h.max(axis=1), begins)
        count = np.diff(np.append(begins, len(offset_h)))
        kind = np.repeat(np.arange(len(begins)), count)
        if isinstance(self.others, SteadyWait):
            others = self.others.each(lambda figure: figure[begins, 0])
            ends = (others.wait_mean_h > 0) & (others.wait_mean_h < np.inf)
            # later than the longest offset of all, every night's law falls alike
            top = np.maximum.reduceat(offset_h.max(axis=1), begins)
            before_h = offset_h - np.where(np.isfinite(top), top, 0)[kind, np.newaxis]
            late = self._mean(np.exp(before_h * self.others.decay_per_h))
            late = others.wait_prob * late / (1 - share)
            tail = (late >= 1) & np.isfinite(top) & ends
            mean_h = np.where(ends, others.wait_mean_h, 1)
            end = top + mean_h * np.log(np.where(tail, late, 1))
            low, high = np.where(tail, end, low), np.where(tail, end, high)

        def excess(time_h, kind):
            kind = kind.astype(int)
            first = np.cumsum(count[kind]) - count[kind]
            rows = np.repeat(begins[kind] - first, count[kind])
            rows += np.arange(len(rows))
            late = self._late_prob(time_h, offset_h, rows, first)
            return np.log(np.maximum(late, 1e-300)) - np.log(1 - share)

        return root(
            excess, low, high, np.arange(len(begins), dtype=float),
            inside=(high - low > _EXACT_H) & (high < np.inf), otherwise=high,
            xatol=_EXACT_H, xrtol=0, fatol=0, frtol=0,
        )  # fmt: skip

    def _offset_h(self, clock: str) -> np.ndarray:
        return self.spent_h + self.late_h if clock == "done" else self.spent_h + 0.0

    def _late_prob(self, time_h, offset_h, rows, begins) -> np.ndarray:
        """Return the chance of kinds, each of some rows, to take longer than a time."""
        offset_h, met_h = offset_h[rows], self.met_h[rows]
        others = self.others.each(lambda figure: figure[rows])
        count = np.diff(np.append(begins, len(offset_h)))
        left_h = np.repeat(time_h, count)[:, np.newaxis] - offset_h
        waited = others.within_prob(met_h, np.maximum(left_h, 0))
        late = np.where(left_h >= 0, 1 - waited, 1.0).mean(axis=1)
        return np.add.reduceat(late, begins) / count

    def _mean(self, values: np.ndarray) -> np.ndarray:
        """Return the mean of each kind over its VMs and nights."""
        rows = np.broadcast_to(values, self.met_h.shape).mean(axis=1)
        count = np.diff(np.append(self.begins, len(rows)))
        return np.add.reduceat(rows, self.begins) / count


@dataclass(frozen=True)
class _After:
    """VMs whose transfer is the same each night, after waits that some have alike."""

    waits: _Mixed
    whose: np.ndarray  #: number of the waits of each
    transfer_h: np.ndarray

    def means_h(self) -> tuple[np.ndarray, ...]:
        line_h, wait_h, done_h = (mean_h[self.whose] for mean_h in self.waits.means_h())
        return line_h, wait_h, done_h + self.transfer_h

    def quantile_h(self, share: float, clock: str) -> np.ndarray:
        return self.waits.quantile_h(share, clock)[self.whose] + self.transfer_h

    def within_prob(self, time_h: float, clock: str) -> np.ndarray:
        left_h, within = time_h - self.transfer_h, np.empty(len(self.whose))
        for begin in range(0, len(within), _BLOCK):
            some = slice(begin, begin + _BLOCK)
            within[some] = self.waits.each_within_prob(
                left_h[some], clock, self.whose[some]
            )
        return within


def _even_nights(vms: int, slack: Slack, at_once_h: float, count: int) -> Nights:
    """Return nights that stand for all of a VM without an own line, evenly spread.

    Jobs that start as one come into a pool over some time, of which each waits part.
    """
    part = np.broadcast_to((np.arange(count) + 0.5) / count, (vms, count))
    chance = (np.arange(count) + 0.5) * _TURN % 1
    none_h = np.zeros((vms, 1))
    line_h = none_h if slack.spread and slack.hours else at_once_h * part
    return Nights(slack.late_h(part), line_h, none_h, chance)
