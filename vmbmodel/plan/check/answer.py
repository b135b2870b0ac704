"""An inventory against the rules in force on a date.

Nothing is filled in: a blank cell is not known, unless the caller set what it is
to be taken as, and a rule that lacks cells says for how many disks or VMs. A
disk is taken as backed up unless it is temporary or marked as excluded.
"""

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import pandas as pd

from vmbmodel._words import counted
from vmbmodel.inventory.fleet import disks_of
from vmbmodel.plan.answers import Overview, Result, computed_by
from vmbmodel.plan.check.searches import SEARCHES, Known, known
from vmbmodel.plan.facts import Fleet
from vmbmodel.plan.practices import Place
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import SEVERITIES, ConstantSet, Rule, RuleVersion, rules_on

__all__ = [
    "PLACES",
    "SCHEMA",
    "STATUSES",
    "Breach",
    "Check",
    "Outcome",
    "check",
    "check_disks",
]

SCHEMA = "vmbmodel.check/1"

STATUSES = ("broken", "held", "partly held", "not checked")
"""What came of a rule; held in part means that not all cells are known."""

PLACES = ("vault", "policy", "storage_account", "start_h", "vm", "disk")
"""What may name the place of a finding."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that one place of the inventory breaks."""

    rule: Rule
    place: Place  #: where, with the figures and a sentence
    source: str  #: who says so, on the day of the check
    locator: str  #: where in the source
    suppressed: str = ""  #: why it is put up with; empty if it is not

    @property
    def severity(self) -> str:
        """One of ``note``, ``warning`` and ``error``."""
        return self.place.severity or self.rule.severity

    def to_dict(self) -> dict:
        """Return the finding as the row that JSON and CSV show."""
        return {
            "rule": self.rule.id,
            "severity": self.severity,
            **{name: self.place.where.get(name) for name in PLACES},
            "found": self.place.found,
            "limit": self.place.limit,
            "text": self.place.text,
            "todo": self.rule.todo,
            "source": self.source,
            "locator": self.locator,
            "suppressed": self.suppressed,
        }


@dataclass(frozen=True)
class Outcome:
    """What came of one rule."""

    rule: Rule
    version: RuleVersion  #: how it read on the day
    status: str  #: one of `STATUSES`
    known: int  #: disks or VMs it was applied to
    unknown: int  #: those of which a cell is blank
    needs: str  #: what is missing to check it, or to check it wholly; empty if nothing
    findings: tuple[Breach, ...]

    def to_dict(self) -> dict:
        """Return the outcome as the row that JSON shows."""
        return {
            "rule": self.rule.id,
            "title": self.rule.title,
            "severity": self.rule.severity,
            "status": self.status,
            "findings": len(self.findings),
            "known": self.known,
            "unknown": self.unknown,
            "needs": self.needs,
            "looks_at": self.rule.looks_at,
            "since": self.version.since,
            "until": self.version.until,
            "source": self.version.source,
            "locator": self.version.locator,
        }


@dataclass(frozen=True, repr=False)
class Check(Result):
    """An inventory against the rules of a day."""

    as_of: datetime.date  #: the day
    scenario: Scenario  #: the constants, and what the caller set
    outcomes: tuple[Outcome, ...]  #: one for each rule in force
    others: tuple[Breach, ...] = ()  #: about the check itself, as expired suppressions

    @property
    def findings(self) -> tuple[Breach, ...]:
        """All findings, in the order of the rules; suppressed ones included."""
        of_rules = (f for outcome in self.outcomes for f in outcome.findings)
        return (*of_rules, *self.others)

    def worst(self) -> str:
        """Return the highest severity of what is not suppressed; empty if nothing."""
        severities = {f.severity for f in self.findings if not f.suppressed}
        return max(severities, key=SEVERITIES.index, default="")

    def count(self) -> dict[str, int]:
        """Count findings by severity, those suppressed, and rules by status."""
        found = Counter(
            "suppressed" if f.suppressed else f.severity for f in self.findings
        )
        status = Counter(outcome.status for outcome in self.outcomes)
        counts = {name: found[name] for name in ("error", "warning", "note")}
        return counts | {
            "suppressed": found["suppressed"],
            "rules": len(self.outcomes),
            **{name.replace(" ", "_"): status[name] for name in STATUSES},
        }

    def said(self) -> dict[str, str]:
        """Say how many findings there are of each severity, as in "2 errors"."""
        counts = self.count()
        return {
            name: counted(counts[name], name) for name in ("error", "warning", "note")
        }

    def rules_said(self) -> str:
        """Say how many rules are in force, and how many of them were checked."""
        in_part, never = self._lacking()
        some = f", {len(in_part)} of them in part" if in_part else ""
        rules = len(self.outcomes)
        return (
            f"{rules} rules in force on {self.as_of}: {rules - len(never)} "
            f"checked{some}; {len(never)} not checked."
        )

    def nothing_said(self) -> str:
        """Say of how many rules it is that nothing is found."""
        checked = len(self.outcomes) - len(self._lacking()[1])
        return f"Nothing found by the {checked} rules that were checked."

    def needs_said(self) -> dict[str, list[str]]:
        """Say what rules need that is not known, under how far they were checked."""
        in_part, never = self._lacking()
        titles = {
            f"Checked in part ({len(in_part)}), as far as the inventory tells": in_part,
            f"Not checked ({len(never)}), for want of data": never,
        }
        return {
            title: [f"{o.rule.id}: needs {o.needs}" for o in outcomes]
            for title, outcomes in titles.items()
            if outcomes
        }

    def _lacking(self) -> tuple[list[Outcome], list[Outcome]]:
        """Return the rules that were checked in part, and those that were not."""
        never = [o for o in self.outcomes if o.status == "not checked"]
        return [o for o in self.outcomes if o.needs and o not in never], never

    schema: ClassVar[str] = SCHEMA

    def parts(self) -> Iterator[tuple[str, object]]:
        """Give what the JSON holds."""
        yield "model", computed_by(self._sets())
        yield "as_of", self.as_of
        yield "inputs", self.scenario.given
        yield "count", self.count()
        yield "findings", [finding.to_dict() for finding in self.findings]
        yield "rules", [outcome.to_dict() for outcome in self.outcomes]

    def overview(self) -> Overview:
        """Show what is found, the worst first, and what came of the rules."""
        found = sorted(
            (f for f in self.findings if not f.suppressed),
            key=lambda f: SEVERITIES.index(f.severity),
            reverse=True,
        )
        rows = [(f.severity, f.rule.id, f.place.text) for f in found]
        counts = self.count()
        of_rules = ", ".join(
            f"{counts[name.replace(' ', '_')]} {name}" for name in STATUSES
        )
        of_findings = ", ".join(self.said().values())
        sets = ", ".join(f"{kind} {constants.name}" for kind, constants in self._sets())
        return Overview(
            pd.DataFrame(rows, columns=["severity", "rule", "text"]),
            "findings",
            (
                f"{of_findings}, {counts['suppressed']:,} suppressed",
                f"{counts['rules']} rules in force on {self.as_of}: {of_rules}; {sets}",
            ),
        )

    def _sets(self) -> list[tuple[str, ConstantSet]]:
        return [(kind, s) for kind, s in self.scenario.sets() if kind != "prices"]


def check(
    fleet: Fleet,
    scenario: Scenario | None = None,
    as_of: datetime.date | None = None,
) -> Check:
    """Check an inventory against the rules of a day.

    Parameters
    ----------
    fleet : path-like or DataFrame
        A row a disk: a file, or a table that is checked as a file is.
    scenario : Scenario, optional
        What the caller set in it goes before the sources, and fills blank cells.
    as_of : datetime.date, optional
        The day, whose sources give the thresholds. If not given, it is the day
        of the profile, and the scenario's profile and limits give the
        thresholds that they know.

    Returns
    -------
    Check
        An outcome for each rule in force, with its findings.

    Raises
    ------
    InventoryError
        If anything is wrong with the inventory; with all findings.
    ValueError
        If no rule is known of that day.

    Examples
    --------
    A disk of 8 TiB, on two days:

    >>> disk = dict(vm="a", disk="d", role="os", size_gib=8192, used_gib=47)
    >>> for name in ("azure-2018-12", "azure-2026-01"):
    ...     answer = check(pd.DataFrame([disk]), Scenario.of(name))
    ...     print(answer.as_of, answer.worst() or "nothing found")
    2018-12-11 error
    2026-01-28 nothing found
    """
    return check_disks(disks_of(fleet), Scenario.or_default(scenario), as_of)


def check_disks(
    fleet: pd.DataFrame, scenario: Scenario, as_of: datetime.date | None = None
) -> Check:
    """Check an inventory that has been read, as `check` does."""
    dated = as_of is not None
    as_of = as_of or scenario.profile.as_of
    facts = known(fleet, scenario)
    outcomes = tuple(
        _outcome(rule, version, facts, tuple(_thresholds(version, scenario, dated)))
        for rule, version in rules_on(as_of)
    )
    return Check(as_of=as_of, scenario=scenario, outcomes=outcomes)


def _outcome(
    rule: Rule, version: RuleVersion, facts: Known, thresholds: Iterable[float]
) -> Outcome:
    if version.needs:
        return Outcome(rule, version, "not checked", 0, 0, version.needs, ())
    search = SEARCHES[rule.id](replace(facts, at_it=version.at_it), *thresholds)
    findings = tuple(
        Breach(rule, place, version.source, version.locator) for place in search.places
    )
    needs = ""
    if search.unknown:
        everything = search.known + search.unknown
        needs = f"{search.lacks} of {search.unknown:,} of {everything:,} {search.what}"
    if findings:
        status = "broken"
    elif not search.unknown:
        status = "held"
    else:
        status = "partly held" if search.known else "not checked"
    return Outcome(rule, version, status, search.known, search.unknown, needs, findings)


def _thresholds(
    version: RuleVersion, scenario: Scenario, dated: bool
) -> Iterator[float]:
    """Give the thresholds: as the caller set them, of the scenario, or of the source.

    On a day that was asked for, those of the source of the day go before those
    of the scenario's sets.
    """
    kind = version.set.partition("/")[0]
    for name in version.threshold:
        chosen = next(c for k, c in scenario.sets() if k == kind)
        if name not in chosen or (dated and name not in scenario.given):
            yield version.constants().read_gb_as(scenario["gb_bytes"])[name]
        else:
            yield scenario[name]
