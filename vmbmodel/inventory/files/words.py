"""A column of text, of which each different word is looked at once.

Columns of an inventory repeat themselves: what is asked of a cell is asked of its word,
and holds for all cells that have it.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count

import numpy as np

__all__ = ["Numbering", "Text", "lower", "unprintable"]

_UNPRINTABLE = ("Cc", "Cf", "Zl", "Zp")
"""Categories of letters that no name has: controls, marks of direction, line ends."""


class Numbering:
    """Numbers words in the order they come; a missing one is -1."""

    def __init__(self) -> None:
        self._numbers = defaultdict(count().__next__, {None: -1})

    def of(self, cells: Sequence[str | None]) -> np.ndarray:
        """Return the number of each cell; a new word gets the next one."""
        return np.fromiter(map(self._numbers.__getitem__, cells), np.int32, len(cells))

    def words(self) -> list[str]:
        """Return all words, each at the place of its number."""
        return list(self._numbers)[1:]


@dataclass(frozen=True)
class Text:
    """A column of text.

    >>> roles = Text.of(["os", None, "data", "os"])
    >>> roles.words, roles.codes.tolist()
    (['os', 'data'], [0, -1, 1, 0])
    >>> roles.map(str.upper).tolist()
    ['OS', None, 'DATA', 'OS']
    """

    words: list[str]
    """What stands in it, each once."""
    codes: np.ndarray
    """Of each cell the place of its word, -1 where it is missing."""

    @classmethod
    def of(cls, cells: Iterable[str | None]) -> "Text":
        """Return a column of these cells."""
        numbering = Numbering()
        codes = numbering.of(list(cells))
        return cls(numbering.words(), codes)

    def __getitem__(self, at: np.ndarray) -> "Text":
        """Return the cells at some places, or where a mask is true."""
        return Text(self.words, self.codes[at])

    @property
    def missing(self) -> np.ndarray:
        """Say of each cell whether it is missing."""
        return self.codes < 0

    @cached_property
    def unspaced(self) -> bool:
        """Say whether no word is empty, has a blank, or a letter that cannot be seen.

        >>> Text.of(["os", None]).unspaced, Text.of(["os "]).unspaced
        (True, False)
        """
        letters = "".join(self.words)
        return letters.isprintable() and " " not in letters and all(self.words)

    def tolist(self) -> list[str | None]:
        """Return the cells."""
        return self.spread(self.words, None, object).tolist()

    def map(self, function: Callable[[str], str | None]) -> "Text":
        """Return the column with a word, or nothing, in the place of each."""
        words = list(map(function, self.words))
        if words == self.words:  # quick, since those that stay are the same objects
            return self
        numbering = Numbering()
        codes = numbering.of([*words, None])
        return Text(numbering.words(), codes[self.codes])

    def holds(self, test: Callable[[str], object]) -> np.ndarray:
        """Say of each cell whether its word passes a test; a missing one does not."""
        return self.spread([bool(test(word)) for word in self.words], False, bool)

    def spread(self, values: Sequence, otherwise: object, dtype: type) -> np.ndarray:
        """Return for each cell the value that belongs to its word."""
        every = np.empty(len(values) + 1, dtype)
        every[:-1], every[-1] = values, otherwise  # -1 is the place of the last
        return every[self.codes]


def lower(word: str) -> str:
    """Return a word in small letters, one for one whatever stands beside it.

    >>> lower("ΟΔΟΣ"), "ΟΔΟΣ".lower()
    ('οδοσ', 'οδος')
    """
    if word.isascii():
        return word.lower()
    return "".join(letter.lower()[0] for letter in word)


def unprintable(word: str) -> bool:
    """Say whether a word has a letter that cannot be seen."""
    return not word.isprintable() and any(
        unicodedata.category(letter) in _UNPRINTABLE for letter in word
    )
