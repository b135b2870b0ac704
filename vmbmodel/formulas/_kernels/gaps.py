"""Gaps between the recovery points that graded retention keeps, and what fills them."""

import numpy as np

from vmbmodel.formulas._kernels.curves import mean_gap

__all__ = ["copies", "daily_growth", "gaps", "stored"]

_PERIODS = (7, 365.25 / 12, 365.25)  # days between weekly, monthly, yearly points


def gaps(daily, weekly, monthly, yearly, protected_days):
    """Yield for every level the days of a gap, the whole gaps, and the part of one.

    The first gap of a level, to the last point of the finer one, is a part.
    """
    period = np.where(daily > 0, 1, 7)
    taken = np.floor((protected_days + period - 1) / period)
    points = np.maximum(np.minimum(np.where(daily > 0, daily, weekly), taken), 1)
    yield period, points - 1, 0
    horizon = points * period
    for period, count in zip(_PERIODS, (weekly, monthly, yearly), strict=True):
        reach = np.maximum(horizon, np.minimum(count * period, protected_days))
        points = (reach - horizon) / period
        part = np.minimum(points, 1)
        yield period, points - part, part
        horizon = reach


def stored(used, growth, distinct, mean_distinct, points):
    """Add the changes of all gaps to the data of the oldest point.

    What was stored some days ago was smaller by the growth since then.
    """
    total, age = 0, 0
    for days, whole, part in gaps(*points):
        partly = np.where(part > 0, part * mean_gap(part * days), 0)
        lasted = whole * days + partly
        partly = np.where(part > 0, part * mean_distinct(part * days), 0)
        added = whole * distinct(days) + partly
        total = total + added * _mean_size(growth, age, lasted)
        age = age + lasted
    return used * np.exp(-growth * age) + total


def copies(growth, points):
    """Full copies of today's data that all points come to."""
    return stored(1, growth, np.ones_like, np.ones_like, points)


def daily_growth(yearly_growth_frac):
    """Growth of a day, compounded at every instant."""
    return np.log1p(yearly_growth_frac) / 365.25


def _mean_size(growth, age, lasted):
    """Mean size, of today's, over a time that ended so many days ago."""
    more = growth * lasted
    return np.exp(-growth * age) * np.where(more > 0, -np.expm1(-more) / more, 1)
