"""JSON read value by value, from a text at hand or from a file that is read on.

Who reads says what stands where and words what is wrong; every fault is a
`json.JSONDecodeError`, whose line and column are those of the text at hand.
"""

import json
import re
from collections.abc import Callable, Iterator

from vmbmodel._words import short

__all__ = ["MissingError", "Scanner", "UnfitError", "unique"]

CHUNK = 1 << 16
LONGEST = 1 << 20
"""Characters of the longest value of a file that is read on."""

SPACE = re.compile(r"\s*")
LONGEST_WORD = 16  # characters, of true, false and null, or of an escaped letter
CUT_NUMBER = 2  # characters: of 1e+5, without its last, only 1 would be taken


class MissingError(json.JSONDecodeError):
    """Another character stands where the grammar wants one."""

    def __init__(self, character: str, text: str, at: int) -> None:
        super().__init__(f"{character!r} was expected", text, at)
        self.character = character


class UnfitError(json.JSONDecodeError):
    """JSON it may be, but no value that is taken."""


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of its members; of two under one key, either may be meant.

    A hook of a reader of JSON, for ``object_pairs_hook``.

    >>> unique([("size", 64), ("size", 128)])
    Traceback (most recent call last):
    ValueError: key 'size' stands twice in an object
    """
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise ValueError(_twice(key))
        members[key] = value
    return members


def _twice(key: str) -> str:
    return f"key {short(key)} stands twice in an object"


def _at_end(error: json.JSONDecodeError) -> bool:
    """Say whether nothing was wrong but that a text ended."""
    unfinished = error.msg.startswith("Unterminated string")
    return unfinished or error.pos > len(error.doc) - LONGEST_WORD


class Scanner:
    """The part of a text that has not been parsed.

    Parameters
    ----------
    text : str
        What is at hand.
    more : callable, optional
        Gives the next characters of a file, as its ``read`` does. No more of it
        is held than a chunk and the value that is being read.
    **hooks
        For `json.JSONDecoder`; one that raises a `ValueError` refuses a value. No
        object holds a key twice, unless a hook makes it of its members.
    """

    def __init__(
        self,
        text: str = "",
        more: Callable[[int], str] | None = None,
        **hooks: Callable,
    ) -> None:
        self.text, self.at, self._more = text, 0, more
        self._decoder = json.JSONDecoder(**{"object_pairs_hook": unique} | hooks)

    def peek(self) -> str:
        """Return the next character that is no space; none at the end."""
        while True:
            self.at = SPACE.match(self.text, self.at).end()
            if self.at < len(self.text) or not self._read_on():
                return self.text[self.at : self.at + 1]

    def take(self, character: str) -> None:
        """Pass over the character that must be next."""
        if self.peek() != character:
            raise MissingError(character, self.text, self.at)
        self.at += 1

    def value(self) -> object:
        """Parse the next value."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                too_long = len(self.text) - self.at > LONGEST
                if too_long and self._more and _at_end(error):
                    said = "holds a value longer than 1 MiB, or is cut short"
                    raise UnfitError(said, self.text, self.at) from error
                if too_long or not self._read_on():
                    raise
            except ValueError as error:
                raise UnfitError(str(error), self.text, self.at) from error
            else:
                if len(self.text) - end > CUT_NUMBER or not self._read_on():
                    self.at = end
                    return value

    def members(self) -> Iterator[object]:
        """Parse the members of a list, one by one."""
        self.take("[")
        if self.peek() != "]":
            yield self.value()
            while self.peek() == ",":
                self.take(",")
                yield self.value()
        self.take("]")

    def names(self) -> Iterator[str]:
        """Parse the names in an object; what follows each is for the caller to take."""
        seen: set[str] = set()
        self.take("{")
        if self.peek() != "}":
            yield self._name(seen)
            while self.peek() == ",":
                self.take(",")
                yield self._name(seen)
        self.take("}")

    def _name(self, seen: set[str]) -> str:
        name = self.value()
        if not isinstance(name, str):
            raise UnfitError("a key must be a text", self.text, self.at)
        if name in seen:
            raise UnfitError(_twice(name), self.text, self.at)
        seen.add(name)
        self.take(":")
        return name

    def _read_on(self) -> bool:
        chunk = self._more(CHUNK) if self._more else ""
        if chunk:
            self.text, self.at = self.text[self.at :] + chunk, 0
        return bool(chunk)
