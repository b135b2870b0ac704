"""The line of your own VMs, over many nights of which each has its own order.

At most `vault_servers` jobs of a vault are let go at a time, in the order in which they
come. A job is late by a part of the slack that is drawn for each VM and night; those
who come together are served in the order of what was drawn. The draws of a VM are a
Latin hypercube: spread evenly over the nights, whatever its neighbours drew.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from vmbmodel import formulas
from vmbmodel.plan.estimate.others import OthersWait, of_rows

__all__ = ["Nights", "Slack", "drawn_nights", "ever_waits", "stands_in_line"]

_SEED = 20181211
_CELLS = 2**18
_FEWEST, _MOST = 32, 512
_FEWEST_DRAWN = 8  # where vault_servers is drawn: many draws of few nights each
_OTHERS_FIRST = 2000  # nights, where the wait for others is drawn too
_OTHERS_DRAWN = 2**22  # jobs of them in all, where its law is drawn as well
_MOST_DAYS = 256
_MOST_DAYS_DRAWN = 16
_SELDOM = np.log(1e-4)
_TOGETHER = 2**20  # jobs of all nights that are served at once


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

    Nobody waits where at most as many move as are served, none of them for a day, or
    where any number is.
    """
    moves = (transfer_h > 0) & np.isfinite(served)
    crowd = np.bincount(vault[moves], minlength=vault.max(initial=-1) + 1)
    longest = np.zeros(len(crowd))
    np.maximum.at(longest, vault, transfer_h)
    return moves & ((crowd[vault] > served) | (longest >= 24)[vault])


def ever_waits(
    vault: np.ndarray,
    join_h: np.ndarray,
    transfer_h: np.ndarray,
    served: np.ndarray | float,
    slack: Slack,
) -> np.ndarray:
    """Say of each VM whether its vault, by its number, has a line worth drawing.

    None is where more move than are served at no time, or so seldom that it shows in no
    figure: the chance is bounded as Chernoff does it, from the number that moves in
    each half-hour on average, if nobody waits.
    """
    number, parts, vaults = vault - vault.min(), 48, np.ptp(vault) + 1
    hour = join_h - 24 * np.floor(join_h / 24)
    first = np.floor(hour * (parts / 24)).astype(int)
    spread_h = slack.hours * slack.spread
    busy_h = np.minimum(spread_h + transfer_h, 24.0 * _MOST_DAYS)
    days = np.floor(busy_h / 24)
    rest_h = busy_h - 24 * days
    last = np.floor((hour + rest_h) * (parts / 24)).astype(int)
    chance = np.minimum(transfer_h / spread_h, 1) if spread_h else 1.0 + 0 * rest_h
    edges = 2 * parts + 2
    at = [number * edges + edge for edge in (first, last + 1)]
    size = vaults * edges
    flow = np.bincount(at[0], chance, size) - np.bincount(at[1], chance, size)
    moving = np.cumsum(flow.reshape(-1, edges), axis=1)
    moving = (moving[:, :parts] + moving[:, parts : 2 * parts]).max(axis=1)
    moving += np.bincount(number, days)
    most = np.zeros(vaults)
    most[number] = served
    beyond = moving < most
    ratio = np.where(beyond & (moving > 0), most / np.maximum(moving, 1e-300), 1)
    log_chance = most - moving - most * np.log(ratio)
    return ~(beyond & ((log_chance < _SELDOM) | (moving == 0)))[number]


def drawn_nights(
    vault: np.ndarray,
    start_h: np.ndarray,
    join_h: np.ndarray,
    transfer_h: np.ndarray,
    served: np.ndarray | float,
    slack: Slack,
    others: OthersWait | None = None,
    *,
    of_draws: bool = False,
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
    of_draws : bool
        Whether a vault is one in each of many draws, which need fewer nights.
    """
    rng = np.random.default_rng(_SEED)
    least = _FEWEST_DRAWN if of_draws else _FEWEST
    nights = int(np.clip(_CELLS // len(vault), least, _MOST))
    if others is not None:
        drawn = int(min(_OTHERS_DRAWN // len(vault), 64))
        nights = max(nights, drawn if others.shape else _OTHERS_FIRST)
    counted_h = _from_a_pause(vault, start_h)
    shifted_h = start_h - counted_h
    begins = np.flatnonzero(np.diff(vault, prepend=-1))
    counts = np.diff(np.append(begins, len(vault)))
    most = int(counts.max())
    # vaults know nothing of one another, so that all can have the same draws
    turn, moved, luck = (_latin(rng, most, nights) for _ in range(3))
    apart = slack.spread and slack.hours > 0  # no two come together
    shape = len(vault), nights
    late_h, line_h, chance = np.empty(shape), np.empty(shape), np.empty(shape)
    others_h = np.zeros(shape)
    served = np.broadcast_to(served, len(vault))
    if of_draws:
        transfer_h, served = _within_a_day(begins, counts, transfer_h, served)
    for alike in _alike(begins, counts, transfer_h, nights):
        count = counts[alike[0]]
        rows = begins[alike][:, np.newaxis] + np.arange(count)  # a row a vault
        late_h[rows] = slack.late_h(turn[:count])
        joined_h = (counted_h + join_h)[rows][..., np.newaxis] + late_h[rows]
        if others is not None:
            met_h = (joined_h + shifted_h[rows][..., np.newaxis]).reshape(-1, nights)
            own = of_rows(others, rows.ravel())
            chances = np.tile(luck[:count], (len(alike), 1))
            others_h[rows] = own.quantile_h(met_h, chances).reshape(joined_h.shape)
            waited_h = others_h[rows]  # whoever waits for ever stands in no line
            joined_h = joined_h + np.where(np.isfinite(waited_h), waited_h, 0)
        line_h[rows] = _daily_lines_h(
            joined_h, None if apart else turn[:count], transfer_h[rows],
            served[rows[:, 0]],
            _MOST_DAYS_DRAWN if of_draws else _MOST_DAYS,
        )  # fmt: skip
        chance[rows] = moved[:count]
    return Nights(late_h, line_h, others_h, chance)


def _within_a_day(
    begins: np.ndarray, counts: np.ndarray, transfer_h: np.ndarray, served: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Let who moves for days hold as many places for ever, and one for the rest.

    On a day like the one before it that is the same.
    """
    days = np.floor(transfer_h / 24)
    rest_h = np.where(np.isfinite(days), transfer_h - 24 * days, 0)
    return rest_h, served - np.repeat(np.add.reduceat(days, begins), counts)


def _alike(
    begins: np.ndarray,
    counts: np.ndarray,
    transfer_h: np.ndarray,
    nights: int,
) -> Iterator[np.ndarray]:
    """Give the vaults that can be served together, which are as large.

    The longest transfer of each takes as many days, and no more are given at once than
    there is room for.
    """
    longest_h = np.maximum.reduceat(transfer_h, begins)
    days = np.minimum(longest_h, 24.0 * _MOST_DAYS) // 24
    keys = np.column_stack([counts, days])
    number = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(number, kind="stable")
    for some in np.split(order, np.cumsum(np.bincount(number))[:-1]):
        room = max(_TOGETHER // (int(counts[some[0]]) * nights), 1)
        yield from np.split(some, range(room, len(some), room))


def _from_a_pause(vault: np.ndarray, start_h: np.ndarray) -> np.ndarray:
    """Count the hours of each vault from its longest pause, where a day had best begin.

    Then what a day leaves over seldom meets the next one.
    """
    begins = np.flatnonzero(np.diff(vault, prepend=-1))
    origins_h, known = [], {}
    for starts_h in np.split(start_h, begins[1:]):
        if (key := starts_h.tobytes()) not in known:
            hours = np.unique(starts_h)
            pause_h = np.diff(hours, append=hours[0] + 24)
            known[key] = np.roll(hours, -1)[pause_h.argmax()]
        origins_h.append(known[key])
    counts = np.diff(begins, append=len(start_h))
    return (start_h - np.repeat(origins_h, counts)) % 24


def _latin(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Draw numbers between 0 and 1, those of a row one in each equal part of that."""
    parts = np.broadcast_to(np.arange(columns), (rows, columns))
    return (rng.permuted(parts, axis=1) + rng.random((rows, columns))) / columns


def _daily_lines_h(
    joined_h: np.ndarray,
    turn: np.ndarray | None,
    service_h: np.ndarray,
    served: np.ndarray,
    most_days: int,
) -> np.ndarray:
    """Wait of the jobs of some vaults on a day like the one before it.

    The axes are vaults, jobs and nights. Of those who come together, if any do, the one
    of the lowest turn is first. More work than a day has hours never clears.
    """
    result = np.full(joined_h.shape, np.inf)
    left = np.flatnonzero(service_h.sum(axis=1) < 24 * served)
    arrived_h, length_h = joined_h[left].swapaxes(1, 2), service_h[left][:, np.newaxis]
    if turn is not None:
        order = np.argsort(turn, axis=0).T[np.newaxis]  # a row a night
        arrived_h = np.take_along_axis(arrived_h, order, axis=2)
        length_h = np.take_along_axis(length_h, order, axis=2)
    line_h = formulas.line_wait_h(
        arrived_h, length_h, served[left][:, np.newaxis], most_days
    )
    if turn is not None:
        line_h = np.take_along_axis(line_h, np.argsort(order, axis=2), axis=2)
    result[left] = line_h.swapaxes(1, 2)
    return result
