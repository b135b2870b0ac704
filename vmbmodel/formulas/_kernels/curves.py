"""Distinct bytes that change in some days, and their mean over gaps in steps."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["CURVES", "Curve", "mean_gap"]


class Curve(NamedTuple):
    """What a gap of some days holds; and the mean over 1, 2, ... steps up to some days.

    The last step counts in part.
    """

    distinct: Callable[[np.ndarray], np.ndarray]
    mean: Callable[[np.ndarray, np.ndarray], np.ndarray]


def mean_gap(days, step):
    """Mean of gaps of 1, 2, ... steps, the last of them in part."""
    steps = days / step
    whole = np.floor(steps)
    return step * (whole + 1) * (steps - whole / 2) / steps


def _upper(used, churn, rewritten, fresh):
    """Most that one overlap allows: a hot set and a rest."""
    rest, again, fresh = _without_fresh(churn, rewritten, fresh)
    day, again = _feasible(used, rest, again)
    approach = np.minimum(day * (1 - again) / (used - day), 1)
    return _approaching(day, used, np.where(used > day, approach, 1), fresh)


def _lower(used, churn, rewritten, fresh):
    """Least that one overlap allows: one active area."""
    rest, again, fresh = _without_fresh(churn, rewritten, fresh)
    day, again = _feasible(used, rest, again)
    return _approaching(day, np.where(again > 0, day / again, 0), again, fresh)


def _linear(used, churn, rewritten, fresh):
    """No block is ever written twice."""

    def distinct(days):
        return np.minimum(churn * days, used)

    def mean(days, step):
        room = np.where(churn > 0, used / (churn * step), np.inf)
        steps = days / step
        whole = np.floor(steps)
        rising = np.minimum(np.floor(room), whole)
        full = churn * step * rising * (rising + 1) / 2 + used * (whole - rising)
        return (full + (steps - whole) * distinct((whole + 1) * step)) / steps

    return Curve(distinct, mean)


def _points(used, churn, rewritten, fresh):
    """No more changes in many days than in one."""
    day = np.minimum(churn, used)
    return Curve(lambda days: day * np.minimum(days, 1), lambda days, step: day)


def _full(used, churn, rewritten, fresh):
    """All of it, whatever changed."""
    return Curve(lambda days: used * np.minimum(days, 1), lambda days, step: used)


CURVES = {
    "upper": _upper,
    "lower": _lower,
    "linear": _linear,
    "points": _points,
    "full": _full,
}
"""Curve of used data, a day's changes, the share rewritten and a stream, by reading."""


def _without_fresh(churn, rewritten, fresh):
    """Take a stream that is never rewritten out of a day and its overlap."""
    again = churn * rewritten
    fresh = np.minimum(fresh, churn - again)
    rest = churn - fresh
    return rest, np.where(rest > 0, np.minimum(again / rest, 1), 1), fresh


def _feasible(used, churn, rewritten):
    """No more than all data changes, and days meet at least as often as by chance."""
    day = np.minimum(churn, used)
    return day, np.maximum(rewritten, np.where(used > 0, day / used, 1))


def _approaching(day, limit, approach, fresh):
    """Curve that nears its limit by the same share of the rest every day; a stream."""

    def union(days):
        more = np.maximum(days - 1, 0)
        risen = np.where(more > 0, -np.expm1(more * np.log1p(-approach)), 0)
        return day * np.minimum(days, 1) + (limit - day) * risen

    def mean_union(days, step):
        steps = days / step
        whole = np.floor(steps)
        nearer = np.log1p(-approach)
        falling = np.expm1(whole * step * nearer) / np.expm1(step * nearer)
        falling = (1 - approach) ** (step - 1) * falling
        some = (approach > 0) & (whole > 0)
        falling = np.where(some, np.minimum(falling, whole), whole)
        full = whole * day + (limit - day) * (whole - falling)
        return (full + (steps - whole) * union((whole + 1) * step)) / steps

    return Curve(
        lambda days: union(days) + fresh * days,
        lambda days, step: mean_union(days, step) + fresh * mean_gap(days, step),
    )
