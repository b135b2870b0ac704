r"""When each VM is done: late start, snapshot, both lines, transfer, and its deadline.

.. math:: T = S + e + s + J + W(R) + Y

with the late start :math:`S`, extension :math:`e` of a first backup, snapshot
:math:`s`, own line :math:`J`, wait :math:`W` for others, met at the hour :math:`R` at
which the own line lets go, and transfer :math:`Y`. Two clocks run: ``done`` from the
scheduled hour, ``job`` from the start of the job.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vmbmodel import formulas
from vmbmodel.formulas.laws import at_chance
from vmbmodel.plan.answers import day_clock
from vmbmodel.plan.estimate.others import OthersWait, SteadyWait
from vmbmodel.plan.estimate.own_line import Nights, drawn_nights, stands_in_line

__all__ = ["backup"]

_CLOCKS = ("job", "done")
_SHARES = {"p50": 0.5, "p95": 0.95}
_FIGURES = (
    "own_line_mean_h",
    "wait_mean_h",
    *(f"{clock}_{name}_h" for clock in _CLOCKS for name in _SHARES),
    "done_mean_h",
    "deadline_prob",
)
_CELLS = 2**20
_FEWEST, _MOST = 32, 256
_TURNS = (0.6180339887498949, 0.41421356237309515)  # of which none meets another
_EXACT_H = 1e-9


def backup(
    vms: Mapping[str, np.ndarray],
    others: OthersWait,
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
    whatever the order of the rows.
    """
    slack_h = 0.0 if start_slack_reading == "none" else start_slack_h
    spread = start_slack_reading == "uniform"
    extended_h = extension_h * vms["first_backup"]
    keys = vms["transfer_h"], extended_h, vms["start_h"], vms["vault_number"]
    order = np.lexsort(keys)
    transfer_h, extended_h, start_h, vault = (key[order] for key in keys)
    new = [
        np.diff(key, prepend=np.nan) != 0 for key in (transfer_h, extended_h, start_h)
    ]
    new = np.any([*new, np.diff(vault, prepend=-1) != 0], axis=0)
    alike, first = np.cumsum(new) - 1, np.flatnonzero(new)
    before_h = extended_h + snapshot_h
    lined = np.zeros(len(vault), dtype=bool)
    if line_reading != "one-pool":
        lined = stands_in_line(vault, transfer_h, vault_servers)
    figures = {name: np.empty(len(first)) for name in _FIGURES}
    scv = snapshot_scv, transfer_scv
    for some, in_line in ((np.flatnonzero(lined), True), (first[~lined[first]], False)):
        if not len(some):
            continue
        own = start_h[some], extended_h[some], transfer_h[some]
        met = others
        if in_line:
            nights = drawn_nights(
                vault[some], start_h[some], before_h[some], transfer_h[some],
                served=vault_servers, slack_h=slack_h, spread=spread,
                others=others if line_reading == "others-first" else None,
            )  # fmt: skip
            if line_reading == "others-first":
                met = SteadyWait(0.0, 0.0)
        elif isinstance(others, SteadyWait) and not any(scv):
            law = _Alone(before_h[some] + transfer_h[some], slack_h, spread, others)
            _put(figures, alike[some], law, deadline_h, deadline_clock)
            continue
        else:
            nights = _spread_nights(len(some), slack_h, spread)
        kind = alike[some]
        law = _Mixed.of(nights, own, snapshot_h, scv, transfer_family, met, kind)
        _put(figures, np.unique(kind), law, deadline_h, deadline_clock)
    back = np.empty(len(order), dtype=int)
    back[order] = alike
    columns = {name: values[back] for name, values in figures.items()}
    columns["deadline_h"] = np.full(len(order), float(deadline_h))
    done_h = vms["start_h"] + columns["done_p95_h"]
    columns["done_p95_clock"] = np.array([day_clock(hour) for hour in done_h], object)
    return columns


@dataclass(frozen=True)
class _Alone:
    """VMs without an own line, whose wait for others is the same at all hours."""

    fixed_h: np.ndarray
    slack_h: float
    spread: bool
    others: SteadyWait

    def quantile_h(self, share: float, clock: str) -> np.ndarray:
        fixed_h, spread_h = self._starts(clock)
        return formulas.total_quantile_h(
            share, fixed_h, *self._wait, start_slack_h=spread_h
        )

    def within_prob(self, time_h: float, clock: str) -> np.ndarray:
        fixed_h, spread_h = self._starts(clock)
        return formulas.done_within_prob(
            time_h, fixed_h, *self._wait, start_slack_h=spread_h
        )

    def means_h(self) -> tuple[np.ndarray, ...]:
        """Return the mean of the own line, of the wait for others, and of the total."""
        wait_h = self.others.mean_h(self.fixed_h)
        late_h = self.slack_h / 2 if self.spread else self.slack_h
        return np.zeros(len(wait_h)), wait_h, late_h + self.fixed_h + wait_h

    @property
    def _wait(self) -> tuple[float, float]:
        return self.others.wait_prob, self.others.decay_per_h

    def _starts(self, clock: str) -> tuple[np.ndarray, float]:
        if clock == "job":
            return self.fixed_h, 0.0
        if self.spread:
            return self.fixed_h, self.slack_h
        return self.fixed_h + self.slack_h, 0.0


@dataclass(frozen=True)
class _Mixed:
    """VMs by night, of which those alike have one law: that of all their nights."""

    late_h: np.ndarray  #: start after the scheduled hour, a row a VM, a column a night
    spent_h: np.ndarray  #: from then to the end, less the wait for others
    met_h: np.ndarray  #: hour at which they are met
    others: OthersWait
    begins: np.ndarray  #: first row of each kind
    means: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, nights, own, snapshot_h, scv, family, others, kind) -> "_Mixed":
        start_h, extended_h, transfer_h = (part[:, np.newaxis] for part in own)
        let_go_h = extended_h + snapshot_h + nights.others_h + nights.line_h
        mean_h = np.broadcast_to(let_go_h + transfer_h, nights.late_h.shape)
        spent_h = mean_h
        for length_h, own_scv, chance in zip(
            (snapshot_h, transfer_h), scv, nights.score, strict=True
        ):
            if own_scv:
                drawn_h = at_chance(chance, length_h, own_scv, family)
                spent_h = spent_h + drawn_h - length_h
        begins = np.flatnonzero(np.diff(kind, prepend=-1))
        count = np.diff(np.append(begins, len(kind)))
        met_h = start_h + nights.late_h + np.where(np.isinf(let_go_h), 0, let_go_h)

        def mean(values):
            rows = np.broadcast_to(values, met_h.shape).mean(axis=1)
            return np.add.reduceat(rows, begins) / count

        line_h, waited_h = mean(nights.line_h), others.mean_h(met_h)
        wait_h = line_h + mean(nights.others_h + waited_h)
        done_h = mean(nights.late_h + mean_h + waited_h)
        return cls(
            nights.late_h, spent_h, met_h, others, begins, (line_h, wait_h, done_h)
        )

    def means_h(self) -> tuple[np.ndarray, ...]:
        return self.means

    def within_prob(self, time_h: float, clock: str) -> np.ndarray:
        times_h = np.full(len(self.begins), float(time_h))
        return 1 - self._late_prob(
            times_h, self._offset_h(clock), self.met_h, self.begins
        )

    def quantile_h(self, share: float, clock: str) -> np.ndarray:
        """Return the time that a share keeps within, by the tail, or by halving."""
        offset_h, begins = self._offset_h(clock), self.begins
        count = np.diff(np.append(begins, len(offset_h)))
        longest_h = offset_h + self.others.quantile_h(self.met_h, share)
        low = np.minimum.reduceat(offset_h.min(axis=1), begins)
        high = np.maximum.reduceat(longest_h.max(axis=1), begins)
        if isinstance(self.others, SteadyWait) and 0 < self.others.wait_mean_h < np.inf:
            # beyond the longest of all nights every law falls alike
            top = np.maximum.reduceat(offset_h.max(axis=1), begins)
            behind_h = offset_h - np.repeat(top, count)[:, np.newaxis]
            left = np.exp(behind_h * self.others.decay_per_h).mean(axis=1)
            late = self.others.wait_prob * np.add.reduceat(left, begins) / count
            beyond_h = self.others.wait_mean_h * np.log(late / (1 - share))
            tail = (beyond_h >= 0) & np.isfinite(top)
            low, high = (np.where(tail, top + beyond_h, end) for end in (low, high))
        kind = np.repeat(np.arange(len(begins)), count)
        while (searched := (high - low > _EXACT_H) & (high < np.inf)).any():
            some = searched[kind]
            ends = np.cumsum(count[searched])
            middle = (low + high)[searched] / 2
            late = self._late_prob(
                middle, offset_h[some], self.met_h[some], ends - count[searched]
            )
            enough = late <= 1 - share
            low[searched] = np.where(enough, low[searched], middle)
            high[searched] = np.where(enough, middle, high[searched])
        return high

    def _offset_h(self, clock: str) -> np.ndarray:
        return self.spent_h + self.late_h if clock == "done" else self.spent_h

    def _late_prob(self, time_h, offset_h, met_h, begins) -> np.ndarray:
        """Return the chance of each kind to take longer than a time of its own."""
        count = np.diff(np.append(begins, len(offset_h)))
        left_h = np.repeat(time_h, count)[:, np.newaxis] - offset_h
        waited = self.others.within_prob(met_h, np.maximum(left_h, 0))
        late = np.where(left_h >= 0, 1 - waited, 1.0).mean(axis=1)
        return np.add.reduceat(late, begins) / count


def _spread_nights(vms: int, slack_h: float, spread: bool) -> Nights:
    """Return nights that stand for all of a VM that has no own line, evenly spread."""
    count = int(np.clip(_CELLS // vms, _FEWEST, _MOST))
    middle = np.arange(count) + 0.5
    late_h = slack_h * middle / count if spread else np.full(count, slack_h)
    scores = tuple(np.broadcast_to(middle * turn % 1, (vms, count)) for turn in _TURNS)
    return Nights(
        np.broadcast_to(late_h, (vms, count)), np.zeros((vms, 1)), 0.0, scores
    )


def _put(figures, kinds, law, deadline_h, deadline_clock) -> None:
    """Fill in what a law says of some kinds of VMs."""
    names = ("own_line_mean_h", "wait_mean_h", "done_mean_h")
    for name, mean_h in zip(names, law.means_h(), strict=True):
        figures[name][kinds] = mean_h
    for clock in _CLOCKS:
        for name, share in _SHARES.items():
            figures[f"{clock}_{name}_h"][kinds] = law.quantile_h(share, clock)
    clock = "done" if deadline_clock == "scheduled" else "job"
    figures["deadline_prob"][kinds] = law.within_prob(deadline_h, clock)
