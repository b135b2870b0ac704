"""What lists hold twice: counted once where it is alike, refused where it is not."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import NamedTuple

from vmbmodel._words import short, some
from vmbmodel.inventory.files import Finding

__all__ = ["Found", "Once", "Place"]

SHOWN = 3
"""Repeats that a note names before it counts."""


class Place(NamedTuple):
    """Where an entry stands."""

    file: str
    counted: str
    row: int

    def __str__(self) -> str:
        """Say it with its file."""
        return f"{self.file}: {self.counted} {self.row}"


class Found(NamedTuple):
    """What an entry holds, what tells it from others, and where it stands."""

    key: Hashable
    name: str
    value: object
    place: Place


class Once:
    """Keeps each of a kind once; an entry may know what the other leaves open."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.repeats: list[str] = []
        self.findings: list[Finding] = []

    def of(self, entries: Iterable[Found]) -> dict:
        """Return the values by key."""
        kept: dict[Hashable, Found] = {}
        for one in entries:
            first = kept.setdefault(one.key, one)
            if first is one:
                continue
            value, differ = _joined(first.value, one.value)
            if differ:
                self._refuse(first, one, differ)
            else:
                self.repeats.append(
                    f"{short(one.name)} ({one.place}, as {first.place})"
                )
                kept[one.key] = first._replace(value=value)
        return {key: one.value for key, one in kept.items()}

    def _refuse(self, first: Found, again: Found, differ: list[str]) -> None:
        rule = f"{short(again.name)} stands there already and differs"
        hint = f"{', '.join(differ)}; see {first.place}, and take one of the two out"
        file, counted, row = again.place
        self.findings.append(Finding(file, row, None, None, rule, hint, counted))

    def notes(self) -> Iterator[str]:
        """Say what counts once though it stands twice."""
        if self.repeats:
            yield (
                f"{self.what} that stand twice and alike, which count once: "
                f"{some(self.repeats, SHOWN)}"
            )


def _joined(one: object, other: object, name: str = "") -> tuple[object, list[str]]:
    """Return what two entries say together, and where they contradict each other."""
    if one == other or other in (None, ()):
        return one, []
    if one in (None, ()):
        return other, []
    if type(one) is type(other) and is_dataclass(one):
        values, differ = {}, []
        for field in fields(one):
            name = field.name
            pair = getattr(one, name), getattr(other, name)
            if not field.compare:
                continue
            values[name], more = _joined(*pair, name)
            differ += more
        return replace(one, **values), differ
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [_joined(*pair, name) for pair in zip(one, other, strict=True)]
        return [value for value, _ in pairs], [
            word for _, more in pairs for word in more
        ]
    plain = all(isinstance(value, str | int | float) for value in (one, other))
    values = f" is {_shown(one)} there and {_shown(other)} here" if plain else ""
    return one, [f"{name}{values}"]


def _shown(value: str | float) -> str:
    return short(value) if isinstance(value, str) else f"{value:g}"
