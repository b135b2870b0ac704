"""Gaps between the recovery points that graded retention keeps, and what fills them."""

import numpy as np

from vmbmodel.formulas._kernels.curves import mean_gap

__all__ = ["copies", "daily_growth", "gaps", "stored"]

_MONTH, _YEAR = 365.25 / 12, 365.25  # days from one point to the next, in the mean
_KEPT_MONTH = 31  # days for which a month of retention lasts
_LATE = (_MONTH - 28) / 7  # share of months that have five of a weekday


def gaps(daily, weekly, monthly, yearly, protected_days, month_day=0):
    """Yield days of a gap and how many there are; then those of unequal gaps.

    Of these there are so many, of one step, two steps, ... to a length, all alike: the
    first gap of a level, to the last point of the finer one, is one of them if at all.
    """
    step = np.where(daily > 0, 1, 7)
    taken = np.floor((protected_days + step - 1) / step)
    points = np.maximum(np.minimum(np.where(daily > 0, daily, weekly), taken), 1)
    yield step, points - 1, 0, step, step
    horizon = points * step
    dated = month_day != 0

    def level(period, kept_days):
        reach = np.maximum(horizon, np.minimum(kept_days, protected_days))
        points = (reach - horizon) / period
        part = np.minimum(points, 1)
        return reach, points - part, part

    reach, whole, part = level(7, weekly * 7)
    yield 7, whole, part, part * 7, step
    # a day of the month is mostly no day of the weekly point, and parts a week in two
    months = np.clip(np.minimum(monthly * _KEPT_MONTH, reach) - horizon, 0, np.inf)
    parted = np.where(dated, months / _MONTH * 6 / 7, 0)
    yield 7, -parted, 2 * parted, 6, 1
    step, horizon = np.where(reach > horizon, 7, step), reach

    reach, whole, part = level(_MONTH, monthly * _KEPT_MONTH)
    yield _MONTH, np.where(dated, whole, 0), part, part * _MONTH, step
    late = np.where(dated, 0, whole * _LATE)
    yield 28, np.where(dated, 0, whole - late), 0, 28, step
    yield 35, late, 0, 35, step
    step, horizon = np.where(reach > horizon, _MONTH, step), reach

    _, whole, part = level(_YEAR, yearly * _YEAR)
    yield _YEAR, whole, part, part * _YEAR, step


def stored(used, growth, distinct, mean_distinct, points):
    """Add the changes of all gaps to the data of the oldest point.

    What was stored some days ago was smaller by the growth since then.
    """
    total, age = 0, 0
    for days, whole, unequal, longest, step in gaps(*points):
        lasted, added = 0, 0
        if np.any(some := unequal > 0):  # most points are of few levels
            lasted = np.where(some, unequal * mean_gap(longest, step), 0)
            added = np.where(some, unequal * mean_distinct(longest, step), 0)
        if np.any(whole):
            lasted, added = lasted + whole * days, added + whole * distinct(days)
        total = total + added * _mean_size(growth, age, lasted)
        age = age + lasted
    return used * np.exp(-growth * age) + total


def copies(growth, points):
    """Full copies of today's data that all points come to."""
    return stored(1, growth, np.ones_like, lambda days, _: np.ones_like(days), points)


def daily_growth(yearly_growth_frac):
    """Growth of a day, compounded at every instant."""
    return np.log1p(yearly_growth_frac) / 365.25


def _mean_size(growth, age, lasted):
    """Mean size, of today's, over a time that ended so many days ago."""
    more = growth * lasted
    return np.exp(-growth * age) * np.where(more > 0, -np.expm1(-more) / more, 1)
