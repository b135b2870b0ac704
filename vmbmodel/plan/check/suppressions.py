"""Findings that are put up with: where, why, and until when.

A file of suppressions is TOML, a table each:

.. code-block:: toml

    [[suppress]]
    rule = "busy-account"
    where = { storage_account = "stapps01" }     # or where = "fleet"
    reason = "Moves to managed disks with the migration of March."
    expires = 2027-03-31

``where`` names what a finding has to match; ``"fleet"`` matches one about the whole
inventory. After its day a suppression no longer works, and is a finding itself.
"""

import datetime
import itertools
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vmbmodel import _toml
from vmbmodel._files import LARGEST_TEXT, decoded, read_bounded
from vmbmodel._words import first_lines, short
from vmbmodel.fields import misnamed
from vmbmodel.inventory.files import MANY
from vmbmodel.plan.check.answer import PLACES, Breach, Check
from vmbmodel.plan.practices import Place
from vmbmodel.service import Rule, rules

__all__ = ["EXPIRED", "UNUSED", "Suppression", "read_suppressions", "suppressed"]

EXPIRED = Rule(
    id="expired-suppression",
    title="A suppression has not expired",
    severity="warning",
    looks_at="the file of suppressions",
    todo="Mend the finding, or give the suppression a new day and reason.",
    versions=(),
)
UNUSED = Rule(
    id="unused-suppression",
    title="A suppression has a finding to suppress",
    severity="note",
    looks_at="the file of suppressions",
    todo="Delete the suppression, or correct where it applies.",
    versions=(),
)
_KEYS = ("rule", "where", "reason", "expires")
_CONTROL = {"Cc", "Cf", "Zl", "Zp", "Cs"}


@dataclass(frozen=True)
class Suppression:
    """One kind of finding at one place, put up with until a day."""

    rule: str
    where: Mapping[str, object]
    """What the place of a finding has to have; empty for the whole inventory."""
    reason: str
    expires: datetime.date  #: the last day on which it works
    file: str
    line: int  #: on which it begins; 0 if that is not known

    def matches(self, finding: Breach) -> bool:
        """Say whether it is about a finding."""
        if finding.rule.id != self.rule:
            return False
        place = finding.place.where
        if not self.where:
            return not place
        return all(place.get(name) == value for name, value in self.where.items())


def read_suppressions(path: str | os.PathLike[str]) -> tuple[Suppression, ...]:
    """Read a file of suppressions.

    Raises
    ------
    ValueError
        If the file breaks a rule; names the file, each entry and its rule.
    OSError
        If the file cannot be read.
    """
    name = os.fspath(path)
    content = read_bounded(path, LARGEST_TEXT)
    try:
        text = decoded(content)
        table = _toml.parse(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    entries = table.pop("suppress", [])
    problems = [f"{key} is not suppress" for key in table]
    if not (isinstance(entries, list) and all(isinstance(e, dict) for e in entries)):
        problems.append("suppress must be tables, [[suppress]]")
        entries = []
    problems += itertools.islice(
        (
            f"suppress {number}: {problem}"
            for number, entry in enumerate(entries, 1)
            for problem in _problems(entry)
        ),
        MANY,
    )
    if problems:
        lines = [f"{name}: {problem}" for problem in problems]
        raise ValueError(first_lines(lines, whole=len(lines) < MANY))
    lines = [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if re.match(r"\s*\[\[\s*suppress\s*\]\]", line)
    ]
    if len(lines) != len(entries):  # written in another way
        lines = [0] * len(entries)
    return tuple(
        Suppression(
            **entry | {"where": {} if entry["where"] == "fleet" else entry["where"]},
            file=name,
            line=line,
        )
        for entry, line in zip(entries, lines, strict=True)
    )


def suppressed(
    answer: Check, suppressions: Sequence[Suppression], today: datetime.date
) -> Check:
    """Mark what is suppressed, and add what is wrong with the suppressions.

    Parameters
    ----------
    answer : Check
        The check.
    suppressions : sequence of Suppression
        What to put up with.
    today : datetime.date
        The day that decides whether a suppression has expired.

    Returns
    -------
    Check
        The same findings; those suppressed say why. An expired suppression is a
        finding, and one that matches nothing is a note.
    """
    by_rule = {}
    for suppression in suppressions:
        by_rule.setdefault(suppression.rule, []).append(suppression)
    used = set()

    def marked(finding: Breach) -> Breach:
        for suppression in by_rule.get(finding.rule.id, ()):
            if suppression.matches(finding):
                used.add(id(suppression))
                if suppression.expires >= today:
                    return replace(finding, suppressed=suppression.reason)
        return finding

    outcomes = tuple(
        replace(outcome, findings=tuple(map(marked, outcome.findings)))
        if outcome.rule.id in by_rule
        else outcome
        for outcome in answer.outcomes
    )
    others = []
    for suppression in suppressions:
        if suppression.expires < today:
            what = f"expired on {suppression.expires}: {suppression.reason}"
            others.append(_breach(EXPIRED, suppression, what))
        elif id(suppression) not in used:
            others.append(_breach(UNUSED, suppression, "matches no finding."))
    return replace(answer, outcomes=outcomes, others=tuple(others))


def _breach(rule: Rule, suppression: Suppression, what: str) -> Breach:
    text = f"The suppression of {suppression.rule} {what}"
    place = Place(suppression.where, None, None, text, suppression.line)
    return Breach(rule, place, source="", locator=suppression.file)


def _problems(entry: Mapping[str, object]) -> Iterator[str]:
    for key in _KEYS:
        if key not in entry:
            yield f"{key} is missing"
    for key in entry:
        if key not in _KEYS:
            yield f"there is no key {misnamed(key, _KEYS)}"
    known = [rule.id for rule in rules()]
    if "rule" in entry and entry["rule"] not in known:
        yield f"there is no rule {misnamed(str(entry['rule']), known)}"
    if "reason" in entry and not _is_text(entry["reason"]):
        yield "reason must be a text without control characters"
    if "expires" in entry and type(entry["expires"]) is not datetime.date:
        got = short(entry["expires"])
        yield f"expires must be a date such as 2027-03-31; got {got}"
    if "where" in entry:
        yield from _where_problems(entry["where"])


def _where_problems(where: object) -> Iterator[str]:
    if where == "fleet":
        return
    if not isinstance(where, dict) or not where:
        yield f"where must name one of {', '.join(PLACES)}, or be 'fleet'"
        return
    for name, value in where.items():
        if name not in PLACES:
            yield f"where: there is no place {misnamed(name, PLACES)}"
        elif name == "start_h":
            if not isinstance(value, int | float) or isinstance(value, bool):
                yield f"where: start_h must be a number; got {short(value)}"
        elif not _is_text(value):
            yield f"where: {name} must be a text without control characters"


def _is_text(value: object) -> bool:
    return (
        isinstance(value, str)
        and bool(value.strip())
        and not any(unicodedata.category(letter) in _CONTROL for letter in value)
    )
