"""Durations, sizes, times and time zones as logs and people give them."""

import datetime
import math
import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from zoneinfo import ZoneInfo

from vmbmodel._toml import packaged
from vmbmodel._words import short
from vmbmodel.fields import misnamed, nearest

__all__ = [
    "DATE_ORDERS",
    "NEVER",
    "DateOrderError",
    "duration_h",
    "instant",
    "instants",
    "size_gib",
    "zone",
]

DATE_ORDERS = ("dmy", "mdy")
"""Orders of day, month and year in a date with strokes."""

LONGEST_H = 24 * 366 * 10
"""Longer than any job: what says more was not meant as a duration."""

LONGEST = 64
"""Characters of a quantity; what is longer is none."""

NUMBER = r"(\d{1,12}(?:[.,]\d{1,12})?)"
ISO = re.compile(
    rf"P(?:{NUMBER}D)?(?:T(?:{NUMBER}H)?(?:{NUMBER}M)?(?:{NUMBER}S)?)?", re.IGNORECASE
)
CLOCK = re.compile(
    r"(?:(\d{1,6})(?:\.| days?, ))?(\d{1,6}):([0-5]?\d):([0-5]?\d(?:[.,]\d{1,9})?)"
)
WORD = re.compile(NUMBER + r"\s*([a-z]+)\.?,?\s*", re.IGNORECASE)
HOURS = {
    "d": 24.0, "day": 24.0, "days": 24.0,
    "h": 1.0, "hr": 1.0, "hrs": 1.0, "hour": 1.0, "hours": 1.0,
    "m": 1 / 60, "min": 1 / 60, "mins": 1 / 60, "minute": 1 / 60, "minutes": 1 / 60,
    "s": 1 / 3600, "sec": 1 / 3600, "secs": 1 / 3600, "second": 1 / 3600,
    "seconds": 1 / 3600,
}  # fmt: skip

SIZE = re.compile(r"([\d.,'\u00a0\u202f]+)\s*([kmgtp]i?)?(b|bytes?)s?", re.IGNORECASE)
MARKED = re.compile(r"^\d{1,3}(?:['\u00a0\u202f]\d{3})+(?!\d)")
"""Groups of three that are parted by marks which part nothing else."""
POWERS = {"": -3, "k": -2, "m": -1, "g": 0, "t": 1, "p": 2}

ISO_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?"
    r"\s*(Z|UTC|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
OTHER_TIME = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}),?\s+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?"
    r"\s*(AM|PM)?\s*(Z|UTC|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
TICKS = re.compile(r"\\?/Date\((\d{1,14})\)\\?/")
NEVER = 2001
"""Years up to here stand for a time that is not set."""


class DateOrderError(ValueError):
    """A date that fits only the other order of day and month than all are read in.

    Dates before it, which fit both, were then taken for other days.
    """


@lru_cache(maxsize=65536)
def duration_h(text: str) -> float:
    """Return the hours in a duration, in any of the spellings of the tools.

    Read are ISO 8601, the clocks of .NET and Python, and numbers with words.

    >>> [f"{duration_h(t):.4f}" for t in ("PT41M17.9270278S", "00:20:23.0896697")]
    ['0.6883', '0.3397']
    >>> [f"{duration_h(t):.2f}" for t in ("1.02:03:04", "1 day, 2:03:04", "1 h 30 min")]
    ['26.05', '26.05', '1.50']

    Raises
    ------
    ValueError
        If it is no duration, or longer than ten years.
    """
    text = text.strip()
    if len(text) > LONGEST:
        raise ValueError("is no duration")
    match = CLOCK.fullmatch(text) or ISO.fullmatch(text)
    if match and any(match.groups()):
        days, hours, minutes, seconds = (_decimal(part) for part in match.groups())
        result = 24 * days + hours + minutes / 60 + seconds / 3600
    else:
        result, at = 0.0, 0
        while match := WORD.match(text, at):
            if match[2].lower() not in HOURS:
                break
            result += _decimal(match[1]) * HOURS[match[2].lower()]
            at = match.end()
        if not at or at < len(text):
            raise ValueError("is no duration")
    if result > LONGEST_H:
        raise ValueError("is longer than ten years")
    return result


@lru_cache(maxsize=65536)
def size_gib(text: str) -> float:
    """Return the size in a text; a printed MB or GB is read as binary.

    A comma is a decimal where nothing else it could be fits.

    >>> size_gib("11370 MB") * 1024, size_gib("1.5 GB"), size_gib("2,5 GB")
    (11370.0, 1.5, 2.5)
    >>> size_gib("1.234.567,5 MB") * 1024
    1234567.5

    Raises
    ------
    ValueError
        If it is no size with a unit, or may be read in two ways.
    """
    text = text.strip()
    match = SIZE.fullmatch(text) if len(text) <= LONGEST else None
    if not match:
        raise ValueError("is no size with its unit")
    number = _ungrouped(MARKED.sub(lambda part: re.sub(r"\D", "", part[0]), match[1]))
    unit = (match[2] or "").lower().rstrip("i")
    value = number * 1024.0 ** POWERS[unit]
    if not math.isfinite(value) or value > 2**40:
        raise ValueError("is larger than any disk")
    return value


def instant(
    text: str, zone: datetime.tzinfo = datetime.UTC, date_order: str | None = None
) -> datetime.datetime | None:
    """Return a time in UTC; None if it stands for a time not set.

    Parameters
    ----------
    text : str
        ISO 8601, or day, month and year by the clock of a country.
    zone : datetime.tzinfo
        Where the clock stands, if the text does not say.
    date_order : str, optional
        One of `DATE_ORDERS`: how a date with strokes, such as 12/11/2026, is meant.

    Raises
    ------
    ValueError
        If it is no time, or day and month could be taken for each other, or fit only
        the other order than the one they are read in.

    Examples
    --------
    >>> instant("2022-05-13T10:09:27.2801342Z").isoformat()
    '2022-05-13T10:09:27.280134+00:00'
    >>> instant("13.05.2022 12:09:27 +02:00").isoformat()
    '2022-05-13T10:09:27+00:00'
    >>> instant("12/11/2020 23:18:36", date_order="dmy").isoformat()
    '2020-11-12T23:18:36+00:00'
    """
    text = text.strip()
    if len(text) > LONGEST:
        raise ValueError("is no time")
    if match := TICKS.fullmatch(text):
        return datetime.datetime.fromtimestamp(int(match[1]) / 1000, datetime.UTC)
    if match := ISO_TIME.fullmatch(text):
        year, month, day, hour, minute, second, fraction, offset = match.groups()
    elif match := OTHER_TIME.fullmatch(text):
        first, mark, last, year, hour, minute, second, fraction, half, offset = (
            match.groups()
        )
        day, month = _day_and_month(int(first), mark, int(last), half, date_order)
        if half:
            if not 1 <= int(hour) <= 12:
                raise ValueError("is no time")
            hour = int(hour) % 12 + 12 * (half.upper() == "PM")
    else:
        raise ValueError("is no time")
    if int(year) <= NEVER and (int(month), int(day)) == (1, 1):
        return None
    try:
        moment = datetime.datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0),
            int(second or 0), int((fraction or "0").ljust(6, "0")[:6]),
            _offset(offset, zone),
        )  # fmt: skip
        return moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise ValueError("is no time") from None


def instants(
    time_zone: str = "UTC", date_order: str | None = None
) -> Callable[[str], datetime.datetime | None]:
    """Return `instant` for a file: the name of its zone, and its order of dates.

    Raises
    ------
    ValueError
        If there is no such time zone or order.
    """
    if date_order not in (None, *DATE_ORDERS):
        raise ValueError(f"date_order cannot be {misnamed(date_order, DATE_ORDERS)}")
    return partial(instant, zone=zone(time_zone), date_order=date_order)


def zone(name: str) -> datetime.tzinfo:
    """Return the zone of a name of Windows or of the tz database.

    >>> zone("W. Europe Standard Time")
    zoneinfo.ZoneInfo(key='Europe/Berlin')

    Raises
    ------
    ValueError
        If there is no such zone.
    """
    if len(name) > LONGEST:
        raise ValueError(f"there is no time zone {short(name)}")
    known = _windows()
    try:
        return ZoneInfo(known.get(name.strip().lower(), name.strip()))
    except (KeyError, ValueError, OSError):
        likely = nearest(name, _names())
        hint = f"; did you mean {likely}?" if likely else ""
        raise ValueError(f"there is no time zone {short(name)}{hint}") from None


def _decimal(text: str | None) -> float:
    return float(text.replace(",", ".")) if text else 0.0


def _ungrouped(text: str) -> float:
    """Return a number whose groups of three may be marked, if only one reading fits."""
    try:
        if re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", text):
            raise ValueError("has a mark that may group or part decimals")
        if re.fullmatch(r"\d+([.,]\d+)?", text):
            return float(text.replace(",", "."))
        for group, point in ((",", "."), (".", ",")):
            grouped = rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+"
            several = text.count(group) > 1 or point in text
            if several and re.fullmatch(rf"{grouped}(?:{re.escape(point)}\d+)?", text):
                return float(text.replace(group, "").replace(point, "."))
    except OverflowError:
        pass
    raise ValueError("is no size with its unit")


def _day_and_month(
    first: int, mark: str, last: int, half: str | None, date_order: str | None
) -> tuple[int, int]:
    if mark != "/":
        return first, last
    if date_order or half:
        # a country with AM and PM and strokes puts the month first
        day, month = (first, last) if date_order == "dmy" else (last, first)
        if month > 12 >= day:
            read = f"{date_order}, as you say" if date_order else "mdy, as AM or PM say"
            other = "mdy" if date_order == "dmy" else "dmy"
            raise DateOrderError(
                f"is no date that is {read}: no month is {month}; is it --date-order "
                f"{other}?"
            )
        return day, month
    if first > 12 >= last:
        return first, last
    if last > 12 >= first or first == last:
        return last, first
    raise ValueError(
        "is a date whose day and month may be taken for each other; say --date-order "
        "dmy or mdy, or write the year first, 2026-11-28 22:30"
    )


def _offset(text: str | None, zone: datetime.tzinfo) -> datetime.tzinfo:
    if not text:
        return zone
    if text[0] not in "+-":
        return datetime.UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    sign = -1 if text[0] == "-" else 1
    return datetime.timezone(datetime.timedelta(minutes=sign * minutes))


@cache
def _names() -> Mapping[str, str]:
    return packaged("vmbmodel.inventory.files", "time_zones.toml")


@cache
def _windows() -> Mapping[str, str]:
    return {name.lower(): key for name, key in _names().items()}
