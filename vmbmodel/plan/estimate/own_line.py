"""The line of your own VMs, over many nights of which each has its own order.

At most `vault_servers` jobs of a vault are let go at a time, in the order in which they
come. A job is late by a part of the slack that is drawn for each VM and night; those
who come together are served in the order of what was drawn. The draws of a VM are a
Latin hypercube: spread evenly over the nights, whatever its neighbours drew.
"""

from typing import NamedTuple

import numpy as np

from vmbmodel import formulas
from vmbmodel.plan.estimate.others import OthersWait, of_rows

__all__ = ["Nights", "Slack", "drawn_nights", "stands_in_line"]

_SEED = 20181211
_CELLS = 2**18
_FEWEST, _MOST = 32, 512
_OTHERS_FIRST = 2000  # nights, where the wait for others is drawn too
_MOST_DAYS = 100


class Slack(NamedTuple):
    """How late a job may start."""

    hours: float
    spread: bool  #: at any time of it alike, or as late as it may

    @classmethod
    def of(cls, start_slack_reading: str, start_slack_h: float) -> "Slack":
        """Take it from the settings."""
        hours = 0.0 if start_slack_reading == "none" else float(start_slack_h)
        return cls(hours, start_slack_reading == "uniform")

    @property
    def mean_h(self) -> float:
        """Mean of the late start."""
        return self.hours / 2 if self.spread else self.hours

    def late_h(self, part: np.ndarray) -> np.ndarray:
        """Return how late a job starts at parts of the slack, from 0 to 1."""
        return self.hours * part if self.spread else np.full(part.shape, self.hours)


class Nights(NamedTuple):
    """What the jobs of some VMs do, a row a VM, a column a night."""

    late_h: np.ndarray  #: start of the job after the scheduled hour
    line_h: np.ndarray  #: wait in the own line
    others_h: np.ndarray  #: wait for others, where that comes first, or nothing
    chance: np.ndarray  #: share of the nights whose snapshot and transfer are shorter


def stands_in_line(
    vault: np.ndarray, transfer_h: np.ndarray, served: np.ndarray | float
) -> np.ndarray:
    """Say of each VM whether its vault may have a line, by the number of the vault.

    Nobody waits where at most as many move as are served, none of them for a day.
    """
    moves = transfer_h > 0
    crowd = np.bincount(vault[moves], minlength=vault.max(initial=-1) + 1)
    longest = np.zeros(len(crowd))
    np.maximum.at(longest, vault, transfer_h)
    return moves & ((crowd[vault] > served) | (longest >= 24)[vault])


def drawn_nights(
    vault: np.ndarray,
    start_h: np.ndarray,
    join_h: np.ndarray,
    transfer_h: np.ndarray,
    served: np.ndarray | float,
    slack: Slack,
    others: OthersWait | None = None,
) -> Nights:
    """Draw nights of VMs that stand in line, sorted by vault.

    Parameters
    ----------
    vault, start_h, join_h, transfer_h : ndarray
        Number of the vault, scheduled hour, time from the start of the job to its
        first line, and length of the transfer of each.
    served : ndarray or float
        Jobs of its vault served at a time.
    slack : Slack
        How late a job may start.
    others : OthersWait, optional
        Wait for others, if jobs stand in their line first.
    """
    rng = np.random.default_rng(_SEED)
    nights = int(np.clip(_CELLS // len(vault), _FEWEST, _MOST))
    if others is not None:
        nights = max(nights, _OTHERS_FIRST)
    counted_h = _from_a_pause(vault, start_h)
    shifted_h = start_h - counted_h
    ends = np.flatnonzero(np.diff(vault, append=-1)) + 1
    begins = np.r_[0, ends[:-1]]
    most = int((ends - begins).max())
    # vaults know nothing of one another, so that all can have the same draws
    turn, moved, luck = (_latin(rng, most, nights) for _ in range(3))
    shape = len(vault), nights
    late_h, line_h, chance = np.empty(shape), np.empty(shape), np.empty(shape)
    others_h = np.zeros(shape)
    served = np.broadcast_to(served, len(vault))
    for begin, end in zip(begins, ends, strict=True):
        some, count = slice(begin, end), end - begin
        late_h[some] = slack.late_h(turn[:count])
        joined_h = (counted_h + join_h)[some, np.newaxis] + late_h[some]
        if others is not None:
            met_h = joined_h + shifted_h[some, np.newaxis]
            own = of_rows(others, some)
            others_h[some] = own.quantile_h(met_h, luck[:count])
            joined_h = joined_h + others_h[some]
        line_h[some] = _daily_line_h(
            joined_h, turn[:count], transfer_h[some], served[begin]
        )
        chance[some] = moved[:count]
    return Nights(late_h, line_h, others_h, chance)


def _from_a_pause(vault: np.ndarray, start_h: np.ndarray) -> np.ndarray:
    """Count the hours of each vault from its longest pause, where a day had best begin.

    Then what a day leaves over seldom meets the next one.
    """
    begins = np.flatnonzero(np.diff(vault, prepend=-1))
    counted_h = np.empty(len(start_h))
    for some in np.split(np.arange(len(vault)), begins[1:]):
        hours = np.unique(start_h[some])
        pause_h = np.diff(hours, append=hours[0] + 24)
        after = np.roll(hours, -1)[pause_h.argmax()]
        counted_h[some] = (start_h[some] - after) % 24
    return counted_h


def _latin(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Draw numbers between 0 and 1, those of a row one in each equal part of that."""
    parts = np.broadcast_to(np.arange(columns), (rows, columns))
    return (rng.permuted(parts, axis=1) + rng.random((rows, columns))) / columns


def _daily_line_h(
    joined_h: np.ndarray, turn: np.ndarray, service_h: np.ndarray, served: float
) -> np.ndarray | float:
    """Wait of the jobs of a vault on a day like the one before it, a column a night.

    Of those who come together, the one of the lowest turn is first. More work than a
    day has hours never clears.
    """
    if service_h.sum() >= 24 * served:
        return np.inf
    order = np.argsort(turn, axis=0)
    joined_h = np.take_along_axis(joined_h, order, axis=0)
    length_h = service_h[order]
    days = 1
    while True:
        arrival_h = joined_h + 24 * np.arange(days)[:, np.newaxis, np.newaxis]
        line_h = formulas.line_wait_h(
            arrival_h.reshape(-1, joined_h.shape[1]).T,
            np.tile(length_h, (days, 1)).T,
            served,
        ).T.reshape(arrival_h.shape)
        ends = (arrival_h[-1] + line_h[-1] + length_h).max(axis=0)
        if days == 1:
            settled = (ends <= joined_h.min(axis=0) + 24).all()
        else:
            before = line_h[days // 2 - 1]
            settled = np.allclose(line_h[-1], before, rtol=0, atol=1e-6)
        if settled or days > _MOST_DAYS:
            break
        days = max(2 * days, 2 + int(service_h.max() // 24))
    result = np.empty(joined_h.shape)
    np.put_along_axis(result, order, line_h[-1], axis=0)
    return result
