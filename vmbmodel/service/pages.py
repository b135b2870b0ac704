"""Pages of JSON that are read row by row, so that a large one needs no memory."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TextIO

__all__ = ["entries"]

_CHUNK = 1 << 16
_LONGEST = 1 << 20  # characters of one row; a real one has a thousand
_SPACE = " \t\n\r"


def entries(path: Path, rows: str) -> Iterator[tuple[str | int, object]]:
    """Yield what a JSON object holds, the members of one of its lists one by one.

    Parameters
    ----------
    path : pathlib.Path
        A file that holds one JSON object, in UTF-8.
    rows : str
        Key of the list of rows.

    Yields
    ------
    tuple
        Number of a row from 1 and the row, or another key and its value. Numbers
        with a point are decimal, as printed.

    Raises
    ------
    ValueError
        If it is no JSON, is cut short, holds a key twice, or has no list of rows.
    """
    with open(path, encoding="utf-8-sig") as file:
        text, seen = _Text(file), set()
        text.take("{", "must be one JSON object")
        while text.peek() != "}" or seen:
            key = text.value()
            if not isinstance(key, str):
                raise ValueError("a key must be a text")
            if key in seen:
                raise ValueError(f"{key[:40]!r} stands twice in the envelope")
            seen.add(key)
            text.take(":", "has a key without a value")
            if key != rows:
                yield key, text.value()
            else:
                text.take("[", f"{rows} must be a list")
                yield from _members(text)
            if text.peek() != ",":
                break
            text.take(",", "")
        text.take("}", "is cut short or no JSON")
        if text.peek():
            raise ValueError("goes on after its end")
        if rows not in seen:
            raise ValueError(f"has no {rows}: not a page of a price list")


def _members(text: "_Text") -> Iterator[tuple[int, object]]:
    number = 0
    while text.peek() != "]" or number:
        number += 1
        try:
            value = text.value()
        except ValueError as error:
            raise ValueError(f"row {number}: {error}") from error
        yield number, value
        if text.peek() != ",":
            break
        text.take(",", "")
    text.take("]", f"is cut short or no JSON after row {number}")


class _Text:
    """The part of a file that is being parsed."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._text, self._at = file, "", 0
        self._decoder = json.JSONDecoder(
            object_pairs_hook=_unique,
            parse_float=_decimal,
            parse_constant=_no_number,
        )

    def peek(self) -> str:
        """Return the next character that is no space; none at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def take(self, character: str, otherwise: str) -> None:
        """Pass over one character."""
        if self.peek() != character:
            raise ValueError(otherwise)
        self._at += 1

    def value(self) -> object:
        """Parse the next value, reading on as long as it is not complete."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > _LONGEST or not self._more():
                    raise ValueError(f"is cut short or no JSON: {error.msg}") from error
            except RecursionError:
                raise ValueError("is nested too deeply") from None
            else:
                # digits at the end of what was read may go on
                if end < len(self._text) or not self._more():
                    self._at = end
                    return value

    def _more(self) -> bool:
        chunk = self._file.read(_CHUNK)
        if chunk:
            self._text, self._at = self._text[self._at :] + chunk, 0
        return bool(chunk)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("holds a key twice")
    return row


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ValueError(f"{text[:40]} is no number to reckon with") from None


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
