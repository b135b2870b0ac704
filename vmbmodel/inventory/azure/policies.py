"""When a backup policy starts its backups, by the clock of one time zone."""

import datetime
import re
from collections import Counter
from dataclasses import dataclass

from vmbmodel.inventory.files import Entry, instant, short, zone

__all__ = ["Policy", "common_zone", "policy", "start_h"]

ANY_DAY = "2026-01-15"
"""Day of a time that names none; it decides on summer time."""


@dataclass(slots=True)
class Policy:
    """A backup policy of VMs."""

    key: str
    name: str
    enhanced: bool
    rhythm: str
    """``daily``, ``weekly`` or ``hourly``."""
    clock: datetime.datetime | None
    """When the run starts whose data go to the vault, by the clock of `zone`."""
    zone: str
    runs: int


def policy(entry: Entry) -> Policy | str | None:
    """Read a policy; a text says why it is none of VMs."""
    kind = entry.text("backupManagementType")
    if kind and kind.lower() not in ("azureiaasvm", "azurevm"):
        return f"no policy of VMs, but of {short(kind)}"
    found = entry.resource("id", required=True)
    name = entry.name("name")
    schedule = entry.entry("schedulePolicy")
    if found is None or schedule is None:
        if schedule is None and "schedulePolicy" not in entry:
            entry.note("schedulePolicy", "must not be missing", None)
        return None
    known = entry.text("timeZone") or "UTC"
    try:
        zone(known)
    except ValueError as error:
        entry.note("timeZone", str(error), known)
        known = "UTC"
    kind = (schedule.text("schedulePolicyType") or "").lower()
    enhanced = (entry.text("policyType") or "").lower() == "v2" or kind.endswith("v2")
    rhythm = (schedule.text("scheduleRunFrequency") or "daily").lower()
    hours = schedule.entry("hourlySchedule") if rhythm == "hourly" else None
    runs, clock = 1, None
    if hours is not None:
        runs, clock = _last_of_a_day(hours)
    else:
        within = schedule.entry(f"{rhythm}Schedule") or schedule
        clock = _clock(within) or _clock(schedule)
    return Policy(found.key, name or found.name, enhanced, rhythm, clock, known, runs)


def common_zone(policies: list[Policy]) -> str:
    """Return the zone that most policies name, the first of equals."""
    counts = Counter(found.zone for found in policies if found.clock)
    return counts.most_common(1)[0][0] if counts else "UTC"


def start_h(found: Policy, target: str) -> float | None:
    """Return the hour of day at which a policy starts, by the clock of a zone.

    The offsets are those of the day that the schedule itself names.

    >>> start = datetime.datetime(2026, 1, 15, 22, 30)
    >>> nightly = Policy("", "nightly", False, "daily", start, "UTC", 1)
    >>> start_h(nightly, "W. Europe Standard Time")
    23.5
    """
    if found.clock is None:
        return None
    moment = found.clock
    if zone(found.zone) != zone(target):
        moment = moment.replace(tzinfo=zone(found.zone)).astimezone(zone(target))
    return moment.hour + moment.minute / 60 + moment.second / 3600


def _last_of_a_day(hours: Entry) -> tuple[int, datetime.datetime | None]:
    """Return how often a day an hourly policy runs, and when the last time is."""
    interval = hours.number("interval")
    window = hours.number("scheduleWindowDuration")
    first = _moment(
        hours, "scheduleWindowStartTime", hours.raw("scheduleWindowStartTime")
    )
    if not interval or window is None or first is None:
        return 1, first
    if not (1 <= interval <= 24 and window <= 24):
        hours.note(
            "interval", "must be 1 to 24 hours, in a window of 24 at most", interval
        )
        return 1, first
    runs = min(int(window // interval) + 1, max(int(24 // interval), 1))
    return runs, first + datetime.timedelta(hours=interval * (runs - 1))


def _clock(entry: Entry) -> datetime.datetime | None:
    times = entry.sequence("scheduleRunTimes")
    return _moment(entry, "scheduleRunTimes[0]", times[0]) if times else None


def _moment(entry: Entry, name: str, value: object) -> datetime.datetime | None:
    """Return a time by the clock of its policy, which the Z behind it is not about."""
    if value is None:
        return None
    if not isinstance(value, str):
        entry.note(name, "must be a time", value)
        return None
    clock = re.sub(r"(Z|[+-]\d\d:?\d\d)\s*$", "", value, flags=re.IGNORECASE)
    if not re.match(r"20[0-9]{2}-", clock) or clock.startswith("2001"):
        clock = f"{ANY_DAY}T{clock.rpartition('T')[2]}"
    try:
        return instant(clock).replace(tzinfo=None)
    except ValueError as error:
        entry.note(name, str(error), value)
        return None
