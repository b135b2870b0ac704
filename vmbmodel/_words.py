"""What messages are made of: quotes, lists and counts, as long as a person reads."""

import datetime
from collections.abc import Sequence
from numbers import Number

__all__ = ["MOST_LINES", "counted", "first_lines", "short", "some", "without_middle"]

NAMED = 10
"""Names of many that a message lists before it counts."""

MOST_LINES = 100
"""Faults that a refusal tells before it counts."""

_QUOTED, _LETTERS = 80, 1200


def short(value: object) -> str:
    """Quote a value in a message, the longest by its beginning.

    >>> short("os"), short(1.5), short(datetime.date(2026, 1, 31))
    ("'os'", '1.5', '2026-01-31')
    >>> print(short("a" * 1000)[-23:])
    a... (1,000 characters)
    """
    plain = isinstance(value, Number | datetime.date | datetime.time)
    try:
        text = str(value) if plain else repr(value)
    except ValueError:  # Python prints no number of so many digits
        return "a number too long to print"
    except RecursionError:
        return "a value nested too deep to print"
    if len(text) <= _QUOTED:
        return text
    whole = value if isinstance(value, str) else text
    return f"{text[:60]}... ({len(whole):,} characters)"


def some(names: Sequence[str], most: int = NAMED) -> str:
    """List names, or the first of them and how many more there are.

    >>> some(["a", "b", "c", "d"], most=2)
    'a, b and 2 more'
    """
    more = len(names) - most
    return ", ".join(names[:most]) + f" and {more:,} more" * (more > 0)


def counted(count: int, noun: str) -> str:
    """Say how many there are of something.

    >>> counted(1, "disk"), counted(0, "disk"), counted(2000, "disk")
    ('1 disk', '0 disks', '2,000 disks')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def without_middle(text: str) -> str:
    """Return a text that a person reads to its end, the longest without its middle.

    >>> without_middle("a" * 700 + "b" * 700)[598:607]
    'aa ... bb'
    """
    if len(text) <= _LETTERS:
        return text
    return f"{text[: _LETTERS // 2]} ... {text[-_LETTERS // 2 :]}"


def first_lines(lines: Sequence[str], *, whole: bool = True) -> str:
    """Join lines, or the first of them and how many more there are.

    Parameters
    ----------
    lines : sequence of str
        The lines.
    whole : bool
        Whether they are all that there are.

    Examples
    --------
    >>> print(first_lines(["a"] * 101)[-16:])
    a
    ... and 1 more
    >>> print(first_lines(["a"] * 101, whole=False)[-25:])
    a
    ... and at least 1 more
    """
    more = len(lines) - MOST_LINES
    rest = f"... and {'' if whole else 'at least '}{more:,} more"
    return "\n".join([*lines[:MOST_LINES], *[rest] * (more > 0)])
