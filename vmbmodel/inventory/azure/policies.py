"""What a backup policy says: when it starts, and which points it keeps how long.

Policies are read as ``az``, the service, PowerShell and Terraform print them.
"""

import datetime
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from vmbmodel._words import short
from vmbmodel.inventory.azure.lists import management
from vmbmodel.inventory.files import Entry, Resource, instant, resource, zone
from vmbmodel.inventory.fleet import (
    ANY_DAY,
    DAYS,
    MONTHS,
    POLICY_COLUMNS,
    WEEKS,
    month_day_of,
    runs_a_day,
)

__all__ = ["Policy", "common_zone", "policy", "policy_table"]

RHYTHMS = ("daily", "weekly", "hourly")

MONTHS_OF = {"days": 1 / 31, "weeks": 7 / 31, "months": 1.0, "years": 12.0}
"""Months in a unit, as the service counts them."""

TIERING = {1: "TierRecommended", 2: "TierAllEligible", 3: "DoNotTier"}

LEVELS = {"daily": "days", "weekly": "weeks", "monthly": "months", "yearly": "years"}
"""Levels of retention, each with the unit in which its length is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A backup policy of VMs, whole.

    A number of points is None where the list does not tell it.
    """

    key: str
    name: str
    vault: Resource | None
    snapshot_policy: str
    """``standard`` or ``enhanced``."""
    rhythm: str
    """``daily``, ``weekly`` or ``hourly``."""
    starts: tuple[datetime.datetime, ...]
    """When its runs of a day start, by the clock of `zone`; the last one's data go to
    the vault."""
    zone: str
    days: tuple[str, ...]
    """Weekdays of a weekly policy."""
    interval_h: float | None
    """Time between two runs; the mean one of a weekly policy."""
    window_h: float | None
    """Hours of a day in which an hourly policy runs."""
    snapshot_points: float | None
    """Days for which snapshots are kept."""
    recovery_points: float | None
    weekly_points: float | None
    monthly_points: float | None
    yearly_points: float | None
    kept_on: dict[str, str]
    """Which points count as weekly, monthly and yearly ones, by level."""
    archive: bool | None
    archive_after_months: float | None
    remarks: tuple[str, ...]
    """What the model cannot take as the policy has it."""

    @property
    def month_day(self) -> int | None:
        """Day of the month of its monthly points, as an inventory has it.

        The first of several; 0 where a weekday decides, None where no such points are
        kept.
        """
        if "monthly" not in self.kept_on:
            return None
        return month_day_of(self.kept_on["monthly"])

    @property
    def enhanced(self) -> bool:
        """Whether it is an Enhanced one."""
        return self.snapshot_policy == "enhanced"

    def start_h(self, target: str) -> float | None:
        """Return the hour at which the last run of a day starts, by a zone's clock.

        The offsets are those of the day that the schedule itself names.
        """
        if not self.starts:
            return None
        moment = self.starts[-1]
        if zone(self.zone) != zone(target):
            moment = moment.replace(tzinfo=zone(self.zone)).astimezone(zone(target))
        return moment.hour + moment.minute / 60 + moment.second / 3600

    def settings(self) -> dict[str, object]:
        """Return what it says in the columns of an inventory."""
        return {
            "interval_h": self.interval_h,
            "window_h": self.window_h,
            "snapshot_points": self.snapshot_points,
            "recovery_points": self.recovery_points,
            "weekly_points": self.weekly_points,
            "monthly_points": self.monthly_points,
            "yearly_points": self.yearly_points,
            "month_day": self.month_day,
            "snapshot_policy": self.snapshot_policy,
            "archive": self.archive,
            "archive_after_months": self.archive_after_months,
        }


def policy_table(policies: Iterable[Policy], target: str) -> pd.DataFrame:
    """Return policies as a table that goes beside an inventory, a row each.

    It has the columns `POLICY_COLUMNS`; ``start_h`` is by the clock of `target`.
    """
    rows = [
        found.settings()
        | {f"{level}_on": found.kept_on.get(level) for level in LEVELS}
        | {
            "policy": found.name,
            "vault": found.vault.name if found.vault else None,
            "rhythm": found.rhythm,
            "weekdays": " ".join(found.days) or None,
            "starts": " ".join(f"{start:%H:%M}" for start in found.starts) or None,
            "time_zone": found.zone,
            "start_h": found.start_h(target),
            "remarks": "; ".join(found.remarks) or None,
        }
        for found in policies
    ]
    return pd.DataFrame(rows, columns=list(POLICY_COLUMNS))


def policy(entry: Entry) -> Policy | str | None:
    """Read a policy; a text says why it is none of VMs."""
    kind = management(entry)
    if kind and kind.lower() not in ("azureiaasvm", "azurevm"):
        return f"no policy of VMs, but of {short(kind)}"
    if (kind := entry.text("type")) and not kind.lower().endswith("/backuppolicies"):
        return f"no policy, but {short(kind)}"
    found = entry.resource("id", required=True)
    name = entry.name("name")
    schedule = entry.entry("schedulePolicy")
    if found is None or schedule is None:
        if schedule is None and "schedulePolicy" not in entry:
            entry.note("schedulePolicy", "must not be missing", None)
        return None
    remarks: list[str] = []
    rhythm = _rhythm(schedule)
    starts, interval_h, window_h, days = _schedule(schedule, rhythm, remarks)
    kept, kept_on = _retention(entry, remarks)
    archive, after = _archive(entry, remarks)
    return Policy(
        key=found.key,
        name=name or found.name,
        vault=resource(found.key.rpartition("/backuppolicies/")[0]),
        snapshot_policy="enhanced" if _is_enhanced(entry, schedule) else "standard",
        rhythm=rhythm,
        starts=starts,
        zone=_zone(entry, schedule),
        days=days,
        interval_h=interval_h,
        window_h=window_h,
        snapshot_points=_whole(
            entry, "instantRpRetentionRangeInDays", "snapshotRetentionInDays"
        ),
        recovery_points=kept["daily"],
        weekly_points=kept["weekly"],
        monthly_points=kept["monthly"],
        yearly_points=kept["yearly"],
        kept_on=kept_on,
        archive=archive,
        archive_after_months=after,
        remarks=tuple(remarks),
    )


def common_zone(policies: Iterable[Policy]) -> str:
    """Return the zone that most policies name, the first of equals."""
    counts = Counter(found.zone for found in policies if found.starts)
    return counts.most_common(1)[0][0] if counts else "UTC"


def _is_enhanced(entry: Entry, schedule: Entry) -> bool:
    kind = (schedule.text("schedulePolicyType") or "").lower()
    version = (entry.text("policyType") or "").lower()
    subtype = entry.word("policySubType", {1: "Standard", 2: "Enhanced"}) or ""
    return version == "v2" or kind.endswith("v2") or subtype.lower() == "enhanced"


def _zone(entry: Entry, schedule: Entry) -> str:
    holder = entry if "timeZone" in entry else schedule
    name = "timeZone" if holder is entry else "scheduleRunTimeZone"
    known = holder.text(name) or "UTC"
    try:
        zone(known)
    except ValueError as error:
        holder.note(name, str(error), known)
        return "UTC"
    return known


def _rhythm(schedule: Entry) -> str:
    numbers = dict(enumerate(RHYTHMS, 1))
    found = (schedule.word("scheduleRunFrequency", numbers) or "daily").lower()
    if found not in RHYTHMS:
        rule = f"must be {', '.join(RHYTHMS[:-1])} or {RHYTHMS[-1]}"
        schedule.note("scheduleRunFrequency", rule, found)
        return "daily"
    return found


def _schedule(
    schedule: Entry, rhythm: str, remarks: list[str]
) -> tuple[tuple[datetime.datetime, ...], float | None, float | None, tuple[str, ...]]:
    """Return the starts of a day, the interval, the window and the weekdays."""
    within = schedule.entry(f"{rhythm}Schedule") or schedule
    if rhythm == "hourly":
        return *_hourly(within), ()
    holder = within if "scheduleRunTimes" in within else schedule
    starts = tuple(
        sorted(
            start
            for at, value in enumerate(holder.sequence("scheduleRunTimes"))
            if (start := _moment(holder, f"scheduleRunTimes[{at}]", value))
        )
    )
    interval_h, days = 24.0 / max(len(starts), 1), ()
    if not starts:
        remarks.append("names no time at which it runs, so that start_h is left open")
    elif len(starts) > 1:
        count = f"{len(starts)} times of a day"
        remarks.append(f"names {count}, taken as evenly set; the last is start_h")
    if rhythm == "weekly":
        holder = within if "scheduleRunDays" in within else schedule
        days = _words(holder, "scheduleRunDays", dict(enumerate(DAYS)))
        interval_h = 168.0 / max(len(days), 1)
        if len(days) != 1:
            remarks.append(f"runs on {len(days)} days of the week, taken as evenly set")
    return starts, interval_h, None, days


def _hourly(
    hours: Entry,
) -> tuple[tuple[datetime.datetime, ...], float | None, float | None]:
    """Return the starts, the interval and the window of an hourly policy."""
    interval = hours.number("interval", "scheduleInterval")
    window = hours.number(
        "scheduleWindowDuration", "windowDuration", "scheduleWindowDurationInHours"
    )
    name = "scheduleWindowStartTime"
    name = name if name in hours else "windowStartTime"
    first = _moment(hours, name, hours.raw(name))
    if not interval or window is None or first is None:
        return (() if first is None else (first,)), interval or None, window
    if not (1 <= interval <= 24 and window <= 24):
        rule = "must be 1 to 24 hours, in a window of 24 at most"
        hours.note("interval", rule, interval)
        return (first,), None, window
    runs = int(runs_a_day(interval, window))
    each = datetime.timedelta(hours=interval)
    return tuple(first + run * each for run in range(runs)), interval, window


def _retention(
    entry: Entry, remarks: list[str]
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return how many points each level keeps, and which points those are."""
    kept: dict[str, float | None] = dict.fromkeys(LEVELS)
    kept_on: dict[str, str] = {}
    retention = entry.entry("retentionPolicy")
    if retention is None:
        return kept, kept_on
    kept = dict.fromkeys(LEVELS, 0.0)
    if "retentionDuration" in retention:  # of one length for all points
        kept["daily"] = _count(retention, "daily")
    for level in LEVELS:
        grade = retention.entry(f"{level}Schedule")
        if grade is None or retention.flag(f"is{level}ScheduleEnabled") is False:
            continue
        kept[level] = _count(grade, level)
        if level != "daily":
            kept_on[level], several = _kept_on(grade)
            if several > 1:
                remarks.append(
                    f"keeps {several} {level} points of each {LEVELS[level][:-1]}, "
                    "taken as one"
                )
    return kept, kept_on


def _count(grade: Entry, level: str) -> float:
    """Return the length of a level of retention in its own unit."""
    unit = LEVELS[level]
    powershell = f"durationCountIn{unit.capitalize()}"
    if powershell in grade:
        return _whole(grade, powershell) or 0.0
    duration = grade.entry("retentionDuration")
    if duration is None:
        grade.note("retentionDuration", "must not be missing", None)
        return 0.0
    numbers = dict(enumerate(LEVELS.values(), 1))
    printed = (duration.word("durationType", numbers) or unit).lower()
    if printed != unit:
        duration.note("durationType", f"must be {unit.capitalize()}", printed)
    return _whole(duration, "count") or 0.0


def _kept_on(grade: Entry) -> tuple[str, int]:
    """Say which points a level keeps, in words, and how many there are a time."""
    named = [_words(grade, "monthsOfYear", dict(enumerate(MONTHS, 1)))]
    form = grade.word("retentionScheduleFormatType", {1: "Daily", 2: "Weekly"}) or ""
    days = grade.entry("retentionScheduleDaily") if form.lower() != "weekly" else None
    weeks = grade.entry("retentionScheduleWeekly") if days is None else None
    if days is not None:
        dates = [
            "last" if day.flag("isLast") else f"{day.number('date') or 0:g}"
            for day in days.entries("daysOfTheMonth")
        ]
        named.append(tuple(dates))
    else:
        holder = weeks or grade
        named.append(_words(holder, "weeksOfTheMonth", dict(enumerate(WEEKS, 1))))
        named.append(_words(holder, "daysOfTheWeek", dict(enumerate(DAYS))))
    several = 1
    for words in named:
        several *= max(len(words), 1)
    return " ".join(word for words in named for word in words), several


def _archive(entry: Entry, remarks: list[str]) -> tuple[bool | None, float | None]:
    """Return whether points move to the archive, and after how many months."""
    tiering = entry.entry("tieringPolicy")
    rule = (tiering.entry("archivedRP") or tiering) if tiering else None
    if rule is None or "tieringMode" not in rule:
        return None, None
    mode = (rule.word("tieringMode", TIERING) or "").lower()
    if mode in ("donottier", "invalid"):
        return False, None
    if mode == "tierrecommended":
        remarks.append("archives the points that are recommended, taken as all")
        return True, None
    numbers = dict(enumerate(MONTHS_OF, 1))
    printed = rule.word("durationType", numbers, "tierAfterDurationType")
    unit = (printed or "months").lower()
    after = rule.number("duration", "tierAfterDuration")
    if after is None or unit not in MONTHS_OF:
        return True, None
    months = float(math.ceil(after * MONTHS_OF[unit] - 1e-9))
    if unit not in ("months", "years"):
        remarks.append(
            f"archives points after {after:g} {unit}, taken as {months:g} months"
        )
    return True, months


def _whole(entry: Entry, *names: str) -> float | None:
    """Return a number of points, which is whole."""
    number = entry.number(*names)
    if number is not None and number % 1:
        entry.note(names[0], "must be a whole number", number)
        return None
    return number


def _words(entry: Entry, name: str, known: dict[int, str]) -> tuple[str, ...]:
    """Return the words of a list, in their order, as words or as numbers of an enum."""
    raw = entry.raw(name)
    values = raw if isinstance(raw, list) else re.split(r"[,\s]+", str(raw or ""))
    found = []
    for value in filter(lambda value: value not in (None, ""), values):
        word = known.get(value) if type(value) is int else str(value).lower()
        if word not in known.values():
            rule = f"must be of {', '.join(known.values())}"
            entry.note(name, rule, value)
        else:
            found.append(word)
    return tuple(word for word in known.values() if word in found)


def _moment(entry: Entry, name: str, value: object) -> datetime.datetime | None:
    """Return a time by the clock of its policy, which the Z behind it is not about."""
    if value is None:
        return None
    if not isinstance(value, str):
        entry.note(name, "must be a time", value)
        return None
    if value.strip("\\/").startswith("Date("):
        value = _printed(value)
    clock = re.sub(r"(Z|[+-]\d\d:?\d\d)\s*$", "", value, flags=re.IGNORECASE)
    if not re.match(r"20[0-9]{2}-", clock) or clock.startswith("2001"):
        clock = f"{ANY_DAY}T{clock.rpartition('T')[2]}"
    try:
        return instant(clock).replace(tzinfo=None)
    except ValueError as error:
        entry.note(name, str(error), value)
        return None


def _printed(ticks: str) -> str:
    """Return a time that Windows PowerShell prints as milliseconds, in ISO 8601."""
    try:
        moment = instant(ticks)
    except ValueError:
        return ticks
    return f"{moment:%Y-%m-%dT%H:%M:%S}" if moment else ticks
