r"""When each VM is done: late start, snapshot, both lines, transfer, and its deadline.

.. math:: T = S + e + s + J + W(R) + Y

with the late start :math:`S`, extension :math:`e` of a first backup, snapshot
:math:`s`, own line :math:`J`, wait :math:`W` for others, met at the hour :math:`R` at
which the own line lets go, and transfer :math:`Y`. Two clocks run: ``done`` from the
scheduled hour, ``job`` from the start of the job.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel import formulas
from vmbmodel.formulas.laws import at_chance, nights_quantile, root
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
    clock = "done" if deadline_clock == "scheduled" else "job"
    columns = {name: np.empty(lined.size) for name in names}

    def put(law: _Law, rows: np.ndarray, kind: np.ndarray | slice) -> None:
        figures = {"deadline_prob": law.within_prob(deadline_h, clock)}
        if not set(_MEANS).isdisjoint(names):
            figures |= zip(_MEANS, law.means_h(), strict=True)
        for side in _CLOCKS:
            asked = {f"{side}_{short}_h": share for short, share in _SHARES.items()}
            asked = {name: share for name, share in asked.items() if name in names}
            times_h = law.quantiles_h(tuple(asked.values()), side)
            figures |= zip(asked, times_h, strict=True)
        for name in names:
            columns[name][rows] = figures[name][kind]

    def jobs(rows: np.ndarray) -> _Jobs:
        def here(setting):
            return _flat(setting, shape)[rows] if np.ndim(setting) else setting

        own = [key[rows] for key in keys]
        snapshot_h, *scvs, served = (here(setting) for setting in drawn)
        work = _Work.of(own[1], snapshot_h, own[0], *scvs, transfer_family)
        return _Jobs(*own, own[1] + snapshot_h, served, work, others.each(here))

    sought = np.arange(lined.size)
    varies = slack.spread or np.any(snapshot_scv) or np.any(transfer_scv)
    if isinstance(others, SteadyWait) and (len(shape) > 1 or not varies):
        # quicker each by itself: drawn none are alike, and what varies takes time
        sought, rest = np.flatnonzero(lined), np.flatnonzero(~lined)
        own = jobs(rest)
        put(_Steady(own.work, slack, own.others), rest, slice(None))
    order = sought[np.lexsort([key[sought] for key in keys])]
    differs = np.array([np.diff(key[order], prepend=np.nan) != 0 for key in keys])
    lined = lined[order]
    if len(rows := order[lined]):
        own, kind = jobs(rows), _numbered(differs[:, lined])
        first_others = line_reading == "others-first"
        nights = drawn_nights(
            own.vault, own.start_h, own.before_h, own.transfer_h, own.served, slack,
            own.others if first_others else None, of_draws=len(shape) > 1,
        )  # fmt: skip
        met = SteadyWait(0.0, 0.0) if first_others else own.others
        put(_Mixed.of(nights, own, met, kind), rows, kind)
    if len(rows := order[~lined]):
        differs = differs[:, ~lined]
        kind, first = _numbered(differs), differs.any(axis=0)
        own = jobs(rows[first])
        at_once_h = AT_ONCE_H if line_reading == "one-pool" else 0.0
        if isinstance(others, SteadyWait):
            law = _Steady(own.work, slack, own.others)
        elif len(shape) > 1 and not own.work.scv.any():
            # drawn: those who start as one wait alike, whatever they move
            begins = differs[1:].any(axis=0)
            together = (np.cumsum(begins) - 1)[first]
            ones = jobs(rows[begins])
            nights = _even_nights(len(ones.vault), slack, at_once_h, _OF_A_DRAW)
            ones = ones._replace(work=ones.work.constant)
            waits = _Mixed.of(nights, ones, ones.others, np.arange(len(ones.vault)))
            law = _After(waits, together, own.work.varied_h)
        else:
            count = int(np.clip(_CELLS // first.sum(), _FEWEST, _MOST))
            nights = _even_nights(first.sum(), slack, at_once_h, count)
            law = _Mixed.of(nights, own, own.others, np.arange(first.sum()))
        put(law, rows, kind)
    columns = {name: column.reshape(shape) for name, column in columns.items()}
    if "disks" in vms and (idle := vms["disks"] == 0).any():
        for name, column in columns.items():
            column[..., idle] = name == "deadline_prob"
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


def _numbered(differs: np.ndarray) -> np.ndarray:
    """Return the number of the kind of each row: another where some key differs."""
    return np.cumsum(differs.any(axis=0)) - 1


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


class _Jobs(NamedTuple):
    """What the laws of some jobs depend on."""

    transfer_h: np.ndarray
    extended_h: np.ndarray  #: of first backups, before the snapshot
    start_h: np.ndarray
    vault: np.ndarray  #: its number
    before_h: np.ndarray  #: from the start of the job to its first line
    served: np.ndarray | float  #: jobs of its vault served at a time
    work: _Work
    others: OthersWait


class _Law(Protocol):
    """Law of the total time of some kinds of VMs, by either clock."""

    def means_h(self) -> tuple[np.ndarray, ...]:
        """Return the mean of the own line, of both waits, and of the total."""

    def quantiles_h(self, shares: Sequence[float], clock: str) -> list[np.ndarray]:
        """Return the times that these shares of the nights keep within."""

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

    def quantiles_h(self, shares: Sequence[float], clock: str) -> list[np.ndarray]:
        law = self._law(clock)
        return [formulas.total_quantile_h(share, **law) for share in shares]

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
        cls, nights: Nights, jobs: _Jobs, others: OthersWait, kind: np.ndarray
    ) -> "_Mixed":
        """Take jobs in order of their kinds, and the others whom they meet last."""
        others, work = of_rows(others, slice(None)), jobs.work
        lines_h = nights.others_h + nights.line_h
        let_go_h = nights.late_h + (jobs.start_h + jobs.before_h)[:, np.newaxis]
        met_h = let_go_h + np.where(np.isfinite(lines_h), lines_h, 0)
        return cls(
            late_h=nights.late_h,
            spent_h=lines_h + work.drawn_h(nights.chance),
            met_h=met_h,
            others=others,
            begins=np.flatnonzero(np.diff(kind, prepend=-1)),
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

    def quantiles_h(self, shares: Sequence[float], clock: str) -> list[np.ndarray]:
        if not shares:
            return []
        offset_h, begins = self._offset_h(clock), self.begins
        count = np.diff(np.append(begins, len(offset_h)))
        if isinstance(self.others, SteadyWait):
            return self._steady_quantiles_h(shares, offset_h, count)
        low_h = np.minimum.reduceat(offset_h.min(axis=1), begins)

        def late(time_h, kind):
            kind = kind.astype(int)
            first = np.cumsum(count[kind]) - count[kind]
            rows = np.repeat(begins[kind] - first, count[kind])
            rows += np.arange(len(rows))
            return self._late_prob(time_h, offset_h, rows, first)

        def quantile_h(share):
            longest_h = offset_h + self.others.quantile_h(self.met_h, share)
            high_h = np.maximum.reduceat(longest_h.max(axis=1), begins)

            def excess(*at):
                return np.log(np.maximum(late(*at), 1e-300)) - np.log(1 - share)

            return root(  # from before the first: most nights may be over by then
                excess, low_h - 1, high_h, np.arange(len(begins), dtype=float),
                inside=(high_h - low_h > _EXACT_H) & (high_h < np.inf),
                otherwise=high_h, xatol=_EXACT_H, xrtol=0, fatol=0, frtol=0,
            )  # fmt: skip

        return [quantile_h(share) for share in shares]

    def _steady_quantiles_h(
        self, shares: Sequence[float], offset_h: np.ndarray, count: np.ndarray
    ) -> list[np.ndarray]:
        others = self.others.each(lambda figure: figure[self.begins, 0])
        law = others.wait_prob, others.wait_mean_h
        law = [np.broadcast_to(figure, len(count)) for figure in law]
        times_h = [np.empty(len(count)) for _ in shares]
        for size in np.unique(count):  # kinds of as many VMs have a row each
            some = np.flatnonzero(count == size)
            rows = self.begins[some][:, np.newaxis] + np.arange(size)
            nights_h = np.sort(offset_h[rows].reshape(len(some), -1), axis=1)
            for time_h, share in zip(times_h, shares, strict=True):
                own = (figure[some] for figure in law)
                time_h[some] = nights_quantile(nights_h, share, *own)
        return times_h

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

    def quantiles_h(self, shares: Sequence[float], clock: str) -> list[np.ndarray]:
        waits_h = self.waits.quantiles_h(shares, clock)
        return [wait_h[self.whose] + self.transfer_h for wait_h in waits_h]

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
