"""One object of a list, read member by member, with its place for what is wrong."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from math import isfinite
from typing import NamedTuple, TypeVar

from vmbmodel._words import short
from vmbmodel.inventory.files.findings import (
    LONGEST_NAME,
    MANY,
    Findings,
    InventoryError,
)
from vmbmodel.inventory.files.quantities import DateOrderError

__all__ = ["Entry", "Resource", "folded", "resource"]

Parsed = TypeVar("Parsed")

PREFIX = ["subscriptions", "resourcegroups", "providers"]
NOISE = re.compile(r"\[[^\[\]]*\]|[\s_]")
ANALYTICS = re.compile(r"_[sgdtb]$")
"""Letter of the type that older tables of Log Analytics put behind a name."""


class Resource(NamedTuple):
    """What the identifier of a resource says; all but the name in small letters."""

    key: str
    subscription: str
    group: str
    kind: str
    name: str


class Entry:
    """One object of a list: its members, whatever their case, and where it stands."""

    __slots__ = ("_inner", "_members", "_path", "findings", "row")

    def __init__(
        self, members: dict, findings: Findings, row: int, path: str = ""
    ) -> None:
        self.findings, self.row, self._path = findings, row, path
        self._inner = frozenset()
        self._members = self._folded(members)
        inner = None if path else self._members.pop("properties", None)
        if inner is not None:
            self.findings.asked.add("properties")
        if isinstance(inner, dict):
            inner = self._folded(inner)
            self._inner = inner.keys() - self._members.keys()
            self._members = inner | self._members
        elif inner is not None:
            self.note("properties", "must be an object", inner)

    def _folded(self, members: dict) -> dict[str, object]:
        """Fold names; note what stands under two that are one, if it is not the same.

        Tables of Log Analytics have a column more, which is blank, for each type.
        """
        found = {folded(name): value for name, value in members.items()}
        if len(found) < len(members):
            blank, found = (None, ""), {}
            for name, value in members.items():
                before = found.get(folded(name))
                if before in blank:
                    found[folded(name)] = value
                elif value not in blank and value != before:
                    self.note(name, f"stands twice; {short(before)} is there", value)
        return found

    def __contains__(self, name: str) -> bool:
        """Say whether there is anything under a name."""
        return self.raw(name) is not None

    @property
    def names(self) -> frozenset[str]:
        """What its members are called, blank ones too, as `folded` spells them."""
        return frozenset(self._members)

    def raw(self, *names: str) -> object:
        """Return what stands under the first of the names that holds anything."""
        keys = [folded(name) for name in names]
        self.findings.asked.update(keys)
        for key in keys:
            value = self._members.get(key)
            if value is not None and value != "":
                return value
        return None

    def note(self, name: str, rule: str, value: object, hint: str = "") -> None:
        """Note what is wrong with a member, up to a bearable number."""
        if len(self.findings.found) <= MANY:
            column = self._path
            column += "properties." if folded(name) in self._inner else ""
            column += name
            rule = f"{column} {rule}" if value is None else rule
            self.findings.add(rule, row=self.row, column=column, value=value, hint=hint)

    def text(self, *names: str, required: bool = False) -> str | None:
        """Return a name or another short text; None where there is none."""
        value = self.raw(*names)
        if value is None:
            if required:
                self.note(names[0], "must not be missing", value)
            return None
        if not isinstance(value, str):
            self.note(names[0], "must be a text", value)
        elif not value.isprintable():
            rule = "must not contain control characters or line breaks"
            self.note(names[0], rule, value)
        elif value != value.strip():
            self.note(names[0], "must not begin or end with a blank", value)
        elif len(value) > 8 * LONGEST_NAME:
            rule = f"must have {8 * LONGEST_NAME:,} characters at most"
            self.note(names[0], rule, value)
        else:
            return value
        return None

    def name(self, *names: str, required: bool = False) -> str | None:
        """Return a name, no longer than an inventory takes one."""
        value = self.text(*names, required=required)
        if value is not None and len(value) > LONGEST_NAME:
            rule = f"must have {LONGEST_NAME} characters at most"
            self.note(names[0], rule, value)
            return None
        return value

    def word(self, name: str, numbers: Mapping[int, str], *others: str) -> str | None:
        """Return a word of a short list, which PowerShell may print as its number."""
        value = self.raw(name, *others)
        if type(value) is not int:
            return self.text(name, *others)
        if value not in numbers:
            rule = "is a number whose word is not known"
            self.note(name, rule, value, "say ConvertTo-Json -EnumsAsStrings")
        return numbers.get(value)

    def number(self, *names: str) -> float | None:
        """Return a number that is not negative, perhaps printed as text."""
        value = self.raw(*names)
        if value is None:
            return None
        number = value
        if isinstance(value, str):
            try:
                number = float(value) if value.isascii() else None
            except ValueError:
                number = None
        if isinstance(number, bool) or not isinstance(number, int | float):
            self.note(names[0], "must be a number", value)
        elif not (0 <= number < 2**63 and isfinite(number)):
            self.note(names[0], "must be a number >= 0, and finite", value)
        else:
            return float(number)
        return None

    def parsed(
        self, parse: Callable[[str], Parsed], *names: str, otherwise: str
    ) -> Parsed | None:
        """Return what a parser makes of a text; note why it refuses, or `otherwise`.

        A date in another order than those before it refuses the file.
        """
        value = self.raw(*names)
        if value is None:
            return None
        try:
            if isinstance(value, str):
                return parse(value)
            rule = otherwise
        except DateOrderError as error:
            self.note(names[0], str(error), value)
            raise InventoryError(self.findings.found) from None
        except ValueError as error:
            rule = str(error)
        self.note(names[0], rule, value)
        return None

    def flag(self, *names: str) -> bool | None:
        """Return a flag, perhaps printed as text."""
        value = self.raw(*names)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if value is not None and not isinstance(value, bool):
            self.note(names[0], "must be true or false", value)
            return None
        return value

    def entry(self, *names: str) -> "Entry | None":
        """Return the object under a name."""
        value = self.raw(*names)
        if isinstance(value, dict):
            return Entry(value, self.findings, self.row, f"{self._path}{names[0]}.")
        if value is not None:
            self.note(names[0], "must be an object", value, _depth_hint(value))
        return None

    def sequence(self, *names: str) -> list:
        """Return the list under a name; an empty one where there is none."""
        value = self.raw(*names)
        if isinstance(value, list):
            return value
        if value is not None:
            self.note(names[0], "must be a list", value, _depth_hint(value))
        return []

    def entries(self, *names: str) -> Iterator["Entry"]:
        """Iterate over the objects of a list under a name."""
        for at, value in enumerate(self.sequence(*names)):
            name = f"{names[0]}[{at}]"
            if isinstance(value, dict):
                yield Entry(value, self.findings, self.row, f"{self._path}{name}.")
            else:
                self.note(name, "must be an object", value, _depth_hint(value))

    def resource(self, *names: str, required: bool = False) -> Resource | None:
        """Return the resource that an identifier names."""
        text = self.text(*names, required=required)
        if text is None:
            return None
        found = resource(text)
        if found is None or len(found.name) > LONGEST_NAME:
            rule = "must be a resource's identifier, /subscriptions/.../name"
            self.note(names[0], rule, text)
            return None
        return found


def resource(text: str) -> Resource | None:
    """Take an identifier apart; None if it is no resource in a group.

    >>> disk = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Compute/disks/D"
    >>> resource(disk).group, resource(disk).kind, resource(disk).name
    ('rg', 'disks', 'D')
    """
    parts = text.strip("/").split("/")
    lower = text.strip("/").lower()
    small = lower.split("/")
    if len(parts) < 8 or not all(parts) or small[:5:2] != PREFIX:
        return None
    return Resource(lower, small[1], small[3], small[-2], parts[-1])


def _depth_hint(value: object) -> str:
    """Say what to do about what PowerShell prints of an object that lies too deep."""
    cut = isinstance(value, str) and value.startswith(("Microsoft.Azure.", "System."))
    return "say ConvertTo-Json -Depth 10" if cut else ""


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Return what the spellings of a name have in common."""
    return NOISE.sub("", ANALYTICS.sub("", name.lower()))
