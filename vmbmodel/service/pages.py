"""Pages of JSON that are read row by row, so that a large one needs no memory."""

import collections
import contextlib
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from vmbmodel._files import fault_of_packed, opened
from vmbmodel._json import MissingError, Scanner, UnfitError
from vmbmodel._words import short, some

__all__ = ["entries"]

_MOST_DIGITS = 400
_CUT_SHORT = "is cut short or no JSON"
_MISSING = {
    "{": "must be one JSON object",
    ":": "has a key without a value",
    "}": _CUT_SHORT,
}


def entries(path: Path, rows: str) -> Iterator[tuple[str | int, object]]:
    """Yield what a JSON object holds, the members of one of its lists one by one.

    Of each row its number from 1 and the row, of the rest key and value; numbers with
    a point are decimal, as printed. The key of the list is `rows`.

    Raises
    ------
    ValueError
        If it is no JSON, packed, cut short, holds a key twice, or has no list of rows.
    """
    with opened(path) as data, io.TextIOWrapper(data, encoding="utf-8-sig") as file:
        if fault := fault_of_packed(data.peek(), "name a page of JSON"):
            raise ValueError(fault)
        scanner = Scanner(
            more=file.read,
            parse_float=_decimal,
            parse_constant=_no_number,
        )
        found, others = False, []
        try:
            for key in scanner.names():
                if key == rows:
                    found = True
                    yield from _members(scanner, rows)
                elif scanner.peek() == "[":  # however long
                    others.append(short(key))
                    collections.deque(scanner.members(), maxlen=0)
                    yield key, []
                else:
                    yield key, scanner.value()
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(_wording(error)) from error
        if scanner.peek():
            raise ValueError("goes on after its end")
        if not found:
            but = f", but a list {some(others)}" if others else ""
            raise ValueError(f"has no {rows}{but}: not a page of a price list")


def _members(scanner: Scanner, rows: str) -> Iterator[tuple[int, object]]:
    number = 0
    if scanner.peek() != "[":
        raise ValueError(f"{rows} must be a list")
    try:
        for number, value in enumerate(scanner.members(), 1):
            yield number, value
    except MissingError as error:
        raise ValueError(f"{_CUT_SHORT} after row {number}") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"row {number + 1}: {_wording(error)}") from error


def _wording(error: json.JSONDecodeError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if isinstance(error, MissingError):
        return _MISSING[error.character]
    return error.msg if isinstance(error, UnfitError) else f"{_CUT_SHORT}: {error.msg}"


def _decimal(text: str) -> Decimal:
    """Read a number, but none that takes thousands of digits to print."""
    with contextlib.suppress(ArithmeticError):
        number = Decimal(text)
        if number.as_tuple().exponent >= -_MOST_DIGITS:
            return number
    raise ValueError(f"{text[:40]} is no number to reckon with")


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
