"""Which recovery points a policy keeps on a date, and where months begin.

Closed forms say how many points there are in the mean; here they are one by one,
on the calendar, with leap years and month ends. Everything counts in days of one
time zone: a day has a recovery point, at whatever hour its backup ran.
"""

import calendar
import datetime
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from vmbmodel.service import limits
from vmbmodel.service.constants import ConstantSet

__all__ = ["RecoveryPoints", "RetentionPolicy", "live_points", "month_edges_h"]

_DAY = datetime.timedelta(days=1)
_PLACES = {"weekday": (0, 6), "month": (1, 12)}


@dataclass(frozen=True)
class RetentionPolicy:
    """How long daily, weekly, monthly and yearly points of a daily backup are kept.

    Parameters
    ----------
    daily_points : int
        Days for which every point is kept, 7 or more.
    weekly_points, monthly_points, yearly_points : int, optional
        Weeks, months and years for which the points of that level are kept; 0 for
        no such level.
    weekday : int, optional
        Day of the weekly point, 0 for Monday to 6 for Sunday.
    month_week : int or None, optional
        Which of these weekdays in a month is the monthly point: 1 to 4, or -1 for
        the last. None for a day of the month.
    month_day : int, optional
        Where `month_week` is None: 1 to 28, or -1 for the last day of a month.
    month : int, optional
        Month whose monthly point is the yearly one, 1 to 12.
    limits : ConstantSet, optional
        Limits to be kept; those of January 2026 if not given.

    Raises
    ------
    ValueError
        With all that is wrong at once.

    Examples
    --------
    >>> RetentionPolicy(daily_points=5)
    Traceback (most recent call last):
    ValueError: daily_points must be >= 7 and <= 9999; got 5
    """

    daily_points: int
    weekly_points: int = 0
    monthly_points: int = 0
    yearly_points: int = 0
    weekday: int = 6
    month_week: int | None = 1
    month_day: int = 1
    month: int = 1
    limits: ConstantSet | None = field(default=None, hash=False, repr=False)

    def __post_init__(self) -> None:
        """Hold the policy against its limits."""
        if self.limits is None:
            object.__setattr__(self, "limits", _default_limits())
        problems = list(self._problems())
        if problems:
            raise ValueError("\n".join(problems))

    def keeps(self, day: datetime.date, on: datetime.date) -> bool:
        """Say whether the point of one day is kept on another.

        Examples
        --------
        >>> policy = RetentionPolicy(daily_points=7, weekly_points=2)
        >>> sunday, friday = datetime.date(2024, 3, 3), datetime.date(2024, 3, 15)
        >>> policy.keeps(sunday, on=friday)
        True
        >>> policy.keeps(sunday + datetime.timedelta(days=1), on=friday)
        False
        """
        age = (on - day).days
        if age < 0:
            return False
        monthly = self._is_monthly(day)
        return (
            age < self.daily_points
            or (day.weekday() == self.weekday and age < 7 * self.weekly_points)
            or (monthly and age * 24 < self._monthly_h)
            or (
                monthly
                and day.month == self.month
                and on < _anniversary(day, self.yearly_points)
            )
        )

    @property
    def horizon_days(self) -> int:
        """Days after which no point is left."""
        return max(
            self.daily_points,
            7 * self.weekly_points,
            math.ceil(self._monthly_h / 24),
            366 * self.yearly_points,
        )

    @property
    def _monthly_h(self) -> float:
        return self.limits["retention_month_h"] * self.monthly_points

    def _is_monthly(self, day: datetime.date) -> bool:
        length = calendar.monthrange(day.year, day.month)[1]
        if self.month_week is None:
            return day.day == (length if self.month_day == -1 else self.month_day)
        if day.weekday() != self.weekday:
            return False
        if self.month_week == -1:
            return day.day > length - 7
        return (day.day + 6) // 7 == self.month_week

    def _problems(self) -> Iterator[str]:
        least = {"daily_points": round(self.limits["min_retention_h"] / 24)}
        bounds = {
            name: (least.get(name, 0), int(self.limits[f"max_{name}"]))
            for name in (
                "daily_points",
                "weekly_points",
                "monthly_points",
                "yearly_points",
            )
        }
        for name, (low, high) in (bounds | _PLACES).items():
            value = getattr(self, name)
            if not _is_whole(value) or not low <= value <= high:
                yield f"{name} must be >= {low} and <= {high}; got {value!r}"
        week, day = self.month_week, self.month_day
        if week is not None and (not _is_whole(week) or week not in (-1, 1, 2, 3, 4)):
            yield f"month_week must be 1 to 4, -1 or None; got {week!r}"
        if not _is_whole(day) or day not in (-1, *range(1, 29)):
            yield f"month_day must be 1 to 28, or -1; got {day!r}"


@dataclass(frozen=True)
class RecoveryPoints:
    """The points kept on a date, oldest first.

    Parameters
    ----------
    on : datetime.date
        The date.
    days : tuple of datetime.date
        Days on which they were taken.
    """

    on: datetime.date
    days: tuple[datetime.date, ...]

    def __len__(self) -> int:
        """Count the points."""
        return len(self.days)

    @property
    def gaps(self) -> tuple[int, ...]:
        """Days between one point and the next, oldest first."""
        return tuple((later - one).days for one, later in pairwise(self.days))


def live_points(
    policy: RetentionPolicy,
    on: datetime.date,
    *,
    first: datetime.date | None = None,
    last: datetime.date | None = None,
) -> RecoveryPoints:
    """Return the recovery points of a daily backup that are kept on a date.

    Parameters
    ----------
    policy : RetentionPolicy
        How long points are kept.
    on : datetime.date
        The date, whose own point counts.
    first : datetime.date, optional
        Day of the first backup; long ago if not given.
    last : datetime.date, optional
        Day of the last backup; the date itself if not given. The newest point is
        kept beyond its time while no newer one exists.

    Returns
    -------
    RecoveryPoints
        Empty before the first backup.

    Raises
    ------
    ValueError
        If the last backup comes before the first.

    Notes
    -----
    Points are kept for so many days, weeks of 7 and months of 31 days, and until
    the same day so many years later, a 29 February until 1 March of a year without
    one. How Azure counts a year is not published.

    Examples
    --------
    >>> policy = RetentionPolicy(daily_points=30, weekly_points=12)
    >>> points = live_points(policy, datetime.date(2024, 3, 15))
    >>> len(points), points.days[0], points.gaps[:9]
    (38, datetime.date(2023, 12, 24), (7, 7, 7, 7, 7, 7, 7, 4, 1))
    """
    if first and last and last < first:
        raise ValueError(f"last must be {first} or later; got {last}")
    newest = min(last or on, on)
    if first and newest < first:
        return RecoveryPoints(on, ())
    reach = min(policy.horizon_days, on.toordinal() - 1)
    day = max(on - reach * _DAY, first or datetime.date.min)
    days = []
    while day < newest:
        if policy.keeps(day, on):
            days.append(day)
        day += _DAY
    return RecoveryPoints(on, (*days, newest))


def month_edges_h(start: datetime.date, months: int) -> tuple[float, ...]:
    """Return where calendar months begin and end, in hours after a date.

    Parameters
    ----------
    start : datetime.date
        The date from which hours are counted; the first month is its own, from
        this day on.
    months : int
        How many months, 1 or more.

    Returns
    -------
    tuple of float
        One more than months: 0, the begin of each later month, the last end. [h]

    Raises
    ------
    ValueError
        If there is no month.

    Notes
    -----
    Days of 24 hours: a clock that is never put forward or back, as UTC is.

    Examples
    --------
    >>> month_edges_h(datetime.date(2024, 2, 1), 2)
    (0.0, 696.0, 1440.0)
    """
    if not _is_whole(months) or months < 1:
        raise ValueError(f"months must be a whole number >= 1; got {months!r}")
    index = 12 * start.year + start.month - 1
    later = (
        datetime.date((index + k) // 12, (index + k) % 12 + 1, 1)
        for k in range(1, months + 1)
    )
    return (0.0, *(24.0 * (edge - start).days for edge in later))


@functools.cache
def _default_limits() -> ConstantSet:
    return limits.load("2026-01")


def _anniversary(day: datetime.date, years: int) -> datetime.date:
    if day.year + years > datetime.MAXYEAR:
        return datetime.date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February of a year that has none
        return datetime.date(day.year + years, 3, 1)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
