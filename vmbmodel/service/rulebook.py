"""Rules: the limits and best practices of backups, each with the time it held.

The rows of ``rules.toml`` say what a rule is about and what to do; a version of
it says from when until when it held, by which source, and which constants are its
thresholds. The figures themselves stand in the sets of constants only.

Examples
--------
>>> from datetime import date
>>> for day in (date(2018, 12, 11), date(2026, 1, 28)):
...     rule = next(r for r, _ in rules_on(day) if r.id == "disk-size")
...     version = rule.on(day)
...     print(version.source, version.set, version.constants()["max_disk_gib"])
limits201812 limits/2018-12 4095.0
matrix2026 limits/2026-01 65536.0
"""

import datetime
from dataclasses import dataclass
from functools import cache

from vmbmodel._toml import packaged
from vmbmodel.service.catalogues import LIMITS, PROFILES
from vmbmodel.service.constants import Catalogue, ConstantSet

__all__ = ["SEVERITIES", "Rule", "RuleVersion", "rules", "rules_on"]

SEVERITIES = ("note", "warning", "error")
"""How bad it is to break a rule, from the least."""

_CATALOGUES: dict[str, Catalogue] = {"limits": LIMITS, "profile": PROFILES}


@dataclass(frozen=True)
class RuleVersion:
    """A rule as one source states it."""

    since: datetime.date
    """First day for which the source says so."""
    until: datetime.date | None
    """First day for which it does not; None while it does."""
    source: str
    """Key of an entry of ``book/references.bib``."""
    locator: str
    set: str = ""
    """Set of the thresholds, such as ``limits/2018-12``; empty if there are none."""
    threshold: tuple[str, ...] = ()
    """Names of the constants that are the thresholds."""
    at_it: bool = False
    """Whether reaching the threshold is a finding already."""
    needs: str = ""
    """What would have to be known; empty if an inventory can tell."""

    def holds_on(self, date: datetime.date) -> bool:
        """Say whether the rule read so on a day."""
        return self.since <= date and (self.until is None or date < self.until)

    def constants(self) -> ConstantSet | None:
        """Return the set that holds the thresholds, if there are any."""
        if not self.set:
            return None
        kind, name = self.set.split("/")
        return _CATALOGUES[kind].load(name)


@dataclass(frozen=True)
class Rule:
    """One limit or best practice."""

    id: str
    title: str
    """What it asks for."""
    severity: str
    """One of `SEVERITIES`: what a finding is at most."""
    looks_at: str
    """What of an inventory it is applied to."""
    todo: str
    """What to do about a finding."""
    versions: tuple[RuleVersion, ...]
    """The rule in time, oldest first."""

    def on(self, date: datetime.date) -> RuleVersion | None:
        """Return the rule as it read on a day; None if it did not hold."""
        return next((v for v in self.versions if v.holds_on(date)), None)


@cache
def rules() -> tuple[Rule, ...]:
    """Return all rules of all times, in the order of the file."""
    return tuple(map(_rule, packaged("vmbmodel.service", "rules.toml")["rule"]))


def rules_on(date: datetime.date) -> tuple[tuple[Rule, RuleVersion], ...]:
    """Return the rules of a day, each as it read then, in the order of the file.

    Raises
    ------
    ValueError
        If no rule is known of that day.

    Examples
    --------
    >>> of_2016 = rules_on(datetime.date(2016, 1, 1))
    >>> print(*(rule.id for rule, _ in of_2016))
    vm-data-disks vault-vms region-vaults daily-backups
    """
    pairs = [(rule, rule.on(date)) for rule in rules()]
    known = tuple((rule, version) for rule, version in pairs if version)
    if not known:
        first = min(version.since for rule in rules() for version in rule.versions)
        raise ValueError(f"no rules are known before {first}; got {date}")
    return known


def _rule(row: dict) -> Rule:
    needs = row.pop("needs", "")
    versions = tuple(
        RuleVersion(
            **{
                "needs": needs,
                "until": None,
                **{k: v for k, v in version.items() if k != "from"},
                "since": version["from"],
                "threshold": tuple(version.get("threshold", ())),
            }
        )
        for version in row.pop("version")
    )
    return Rule(**row, versions=versions)
