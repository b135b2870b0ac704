"""The day in half-hours: which starts are allowed, and what a job takes of them."""

import numpy as np

__all__ = ["SLOTS", "SLOT_H", "clear_of", "from_origin_h", "in_use", "work_in"]

SLOT_H = 0.5
"""Time between two starts that a policy can have."""

SLOTS = 48
"""Starts of a day."""

_GRAIN = 1e-9  # of a slot, below which a job ends with it


def clear_of(
    start_h: np.ndarray | float,
    blackout: tuple[tuple[float, float], ...],
    slack_h: float,
) -> np.ndarray | bool:
    """Say whether a start, as late as it may be, meets no blackout.

    >>> clear_of(np.array([5.5, 6, 6.5, 17.5, 18]), ((8, 18),), slack_h=2).tolist()
    [True, True, False, False, True]
    """
    clear = np.ones(np.shape(start_h), dtype=bool)
    for begin_h, end_h in blackout:
        length_h = (end_h - begin_h) % 24 or 24
        for first_h in (begin_h - 24, begin_h, begin_h + 24):
            after = start_h >= first_h + length_h
            before = (start_h + slack_h <= first_h) & (start_h < first_h)
            clear &= after | before
    return clear


def from_origin_h(
    hour: np.ndarray | float,
    blackout: tuple[tuple[float, float], ...],
    done_by_h: float | None,
) -> np.ndarray | float:
    """Count hours from where a day of backups begins.

    That is the end of the longest blackout, or the hour at which all have to be
    done, or noon.
    """
    if blackout:
        origin_h = max(blackout, key=lambda b: (b[1] - b[0]) % 24 or 24)[1]
    else:
        origin_h = 12.0 if done_by_h is None else done_by_h
    return (hour - origin_h) % 24


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
