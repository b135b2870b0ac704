"""Which recovery points a policy keeps on a date, and where months begin.

Closed forms say how many points there are in the mean; here they are one by one,
on the calendar, with leap years and month ends. Retention counts in days of the
time zone of its policy: a day has a recovery point, at whatever hour its backup ran.
"""

import calendar
import datetime
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vmbmodel._words import first_lines
from vmbmodel.service import LIMITS, ConstantSet

__all__ = [
    "RecoveryPoints",
    "RetentionPolicy",
    "backup_instant",
    "live_points",
    "month_edges_h",
]

_DAY = datetime.timedelta(days=1)
_PLACES = {"weekday": (0, 6), "month": (1, 12)}


@dataclass(frozen=True)
class RetentionPolicy:
    """How long daily, weekly, monthly and yearly points are kept.

    Parameters
    ----------
    daily_points : int
        Days for which every point of a daily backup is kept, 7 or more; 0 for a
        backup that is weekly, on the day of the weekly point.
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
            raise ValueError(first_lines(problems))

    def backs_up(self, day: datetime.date) -> bool:
        """Say whether there is a backup on a day."""
        return self.daily_points > 0 or day.weekday() == self.weekday

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
        return day <= on and on.toordinal() < max(self._short(day), self._long(day))

    def archives(
        self,
        day: datetime.date,
        on: datetime.date,
        *,
        archive_after_months: int = 3,
        archive_left_months: int = 6,
    ) -> bool:
        """Say whether the point of one day is in the archive tier on another.

        A monthly or yearly point moves once it is of the age, no daily or weekly one,
        nor one that depends on it, and has the retention left that it needs. On it
        depend the points that follow, up to the next monthly or yearly one.

        Examples
        --------
        >>> policy = RetentionPolicy(30, monthly_points=12, month_week=None)
        >>> first = datetime.date(2024, 1, 1)
        >>> policy.archives(first, on=first + datetime.timedelta(days=92))
        False
        >>> policy.archives(first, on=first + datetime.timedelta(days=93))
        True
        """
        month_days = self.limits["retention_month_h"] / 24
        ready = day.toordinal() + archive_after_months * month_days
        gone = self._long(day)
        moved = max(ready, self._needed(day)) if gone else math.inf
        enough = gone - moved >= archive_left_months * month_days
        return enough and moved <= on.toordinal() < gone

    def _short(self, day: datetime.date) -> int:
        """Ordinal of the day on which a point is no daily or weekly one any more."""
        days = self.daily_points
        if day.weekday() == self.weekday:
            days = max(days, 7 * self.weekly_points)
        return day.toordinal() + days

    def _needed(self, day: datetime.date) -> int:
        """Ordinal of the day on which no daily or weekly point needs this one more."""
        last = self._short(day)
        ahead = (day + k * _DAY for k in range(1, 372 if self.yearly_points else 63))
        for later in ahead:
            if self._long(later) > later.toordinal():
                break
            if self.backs_up(later):
                last = max(last, self._short(later))
        return last

    def _long(self, day: datetime.date) -> int:
        """Ordinal of the day on which a point is no monthly or yearly one any more."""
        if not (self.backs_up(day) and self._is_monthly(day)):
            return 0
        gone = day.toordinal() + math.ceil(self._monthly_h / 24)
        if day.month == self.month:
            gone = max(gone, _anniversary(day, self.yearly_points))
        return gone

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
            weekly = name == "daily_points" and value == 0 and self.weekly_points
            if not _is_whole(value) or not (weekly or low <= value <= high):
                yield f"{name} must be >= {low} and <= {high}; got {value!r}"
        week, day = self.month_week, self.month_day
        if week is None and self.daily_points == 0 and self.monthly_points:
            yield "month_week must be 1 to 4 or -1 where backups are weekly; got None"
        if week is not None and (not _is_whole(week) or week not in (-1, 1, 2, 3, 4)):
            yield f"month_week must be 1 to 4, -1 or None; got {week!r}"
        if not _is_whole(day) or day not in (-1, *range(1, 29)):
            yield f"month_day must be 1 to 28, or -1; got {day!r}"


@dataclass(frozen=True)
class RecoveryPoints:
    """The points kept on a date, oldest first."""

    on: datetime.date
    days: tuple[datetime.date, ...]  #: on which they were taken

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
    """Return the recovery points that are kept on a date.

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
    while not policy.backs_up(newest) and newest > datetime.date.min:
        newest -= _DAY
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


def month_edges_h(
    start: datetime.date, months: int, zone: str = "UTC"
) -> tuple[float, ...]:
    """Return where calendar months begin and end, in hours after a date.

    Parameters
    ----------
    start : datetime.date
        The date from whose begin hours are counted; the first month is its own,
        from this day on.
    months : int
        How many months, 1 or more.
    zone : str, optional
        Time zone of the calendar, such as ``Europe/Berlin``: a month in which its
        clocks are put forward has an hour less.

    Returns
    -------
    tuple of float
        One more than months: 0, the begin of each later month, the last end. [h]

    Raises
    ------
    ValueError
        If there is no month, or no such zone.

    Examples
    --------
    >>> month_edges_h(datetime.date(2024, 2, 1), 2)
    (0.0, 696.0, 1440.0)
    >>> month_edges_h(datetime.date(2024, 2, 1), 2, "Europe/Berlin")
    (0.0, 696.0, 1439.0)
    """
    if not _is_whole(months) or months < 1:
        raise ValueError(f"months must be a whole number >= 1; got {months!r}")
    index = 12 * start.year + start.month - 1
    later = (
        datetime.date((index + k) // 12, (index + k) % 12 + 1, 1)
        for k in range(1, months + 1)
    )
    begin = backup_instant(start, 0, zone)
    hours = (backup_instant(edge, 0, zone) - begin for edge in later)
    return (0.0, *(lasted.total_seconds() / 3600 for lasted in hours))


def backup_instant(
    day: datetime.date, start_h: float, zone: str = "UTC"
) -> datetime.datetime:
    """Return when the backup of a day starts, in UTC.

    Parameters
    ----------
    day : datetime.date
        Day of the policy's own calendar.
    start_h : float
        Hour of that day, 0 to 24, as the clocks of the zone show it. [h]
    zone : str, optional
        Time zone of the policy.

    Raises
    ------
    ValueError
        If there is no such hour or zone.

    Notes
    -----
    An hour that clocks skip counts as if they had not been put forward yet; of one
    that they show twice the first is taken. What the service does then is not
    published.

    Examples
    --------
    >>> print(backup_instant(datetime.date(2024, 3, 31), 2.5, "Europe/Berlin"))
    2024-03-31 01:30:00+00:00
    """
    if not 0 <= start_h < 24:
        raise ValueError(f"start_h must be >= 0 and < 24; got {start_h!r}")
    try:
        local = datetime.datetime.combine(day, datetime.time(), ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"there is no time zone {zone!r}") from error
    return (local + datetime.timedelta(hours=start_h)).astimezone(datetime.UTC)


@functools.cache
def _default_limits() -> ConstantSet:
    return LIMITS.load("2026-01")


def _anniversary(day: datetime.date, years: int) -> int:
    if day.year + years > datetime.MAXYEAR:
        return datetime.date.max.toordinal() + 1
    try:
        return day.replace(year=day.year + years).toordinal()
    except ValueError:  # 29 February of a year that has none
        return datetime.date(day.year + years, 3, 1).toordinal()


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
