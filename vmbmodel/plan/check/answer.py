"""An inventory against the rules in force on a date.

Nothing is filled in: a blank cell is not known, unless the caller set what it is
to be taken as, and a rule that lacks cells says for how many disks or VMs. A
disk is taken as backed up unless it is temporary or marked as excluded.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from vmbmodel.inventory.fleet import disks_of
from vmbmodel.plan import practices
from vmbmodel.plan.answers import Overview, Result, computed_by
from vmbmodel.plan.facts import Fleet, backed_up, holds, told, unmanaged
from vmbmodel.plan.practices import Place, crowded
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import SEVERITIES, ConstantSet, Rule, Version, rules_on

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
    """One rule that one place of the inventory breaks.

    Parameters
    ----------
    rule : Rule
        The rule.
    place : Place
        Where, with the figures and a sentence.
    source, locator : str
        Who says so, on the day of the check.
    suppressed : str
        Reason for which it is put up with; empty if it is not.
    """

    rule: Rule
    place: Place
    source: str
    locator: str
    suppressed: str = ""

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
    """What came of one rule.

    Parameters
    ----------
    rule : Rule
        The rule.
    version : Version
        How it read on the day.
    status : str
        One of `STATUSES`.
    known, unknown : int
        Disks or VMs it was applied to, and those of which a cell is blank.
    needs : str
        What is missing to check it, or to check it wholly; empty if nothing.
    findings : tuple of Breach
        Where it is broken.
    """

    rule: Rule
    version: Version
    status: str
    known: int
    unknown: int
    needs: str
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
    """An inventory against the rules of a day.

    Parameters
    ----------
    as_of : datetime.date
        The day.
    scenario : Scenario
        The constants, and what the caller set.
    outcomes : tuple of Outcome
        One for each rule in force.
    others : tuple of Breach
        Findings about the check itself, such as a suppression that has expired.
    """

    as_of: datetime.date
    scenario: Scenario
    outcomes: tuple[Outcome, ...]
    others: tuple[Breach, ...] = ()

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

    schema: ClassVar[str] = SCHEMA

    def parts(self) -> Iterator[tuple[str, object]]:
        """Give what the JSON holds.

        Examples
        --------
        >>> import pandas as pd
        >>> disk = dict(vm="a", disk="os", role="os", size_gib=128, used_gib=47)
        >>> answer = check(pd.DataFrame([disk])).to_dict()
        >>> answer["schema"], answer["as_of"], answer["count"]["error"]
        ('vmbmodel.check/1', '2026-01-28', 0)
        """
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
        of_findings = ", ".join(
            f"{counts[name]:,} {name}{'s' * (counts[name] != 1)}"
            for name in ("error", "warning", "note")
        )
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


@dataclass(frozen=True)
class _Known:
    """What an inventory says, without a guess."""

    disks: pd.DataFrame
    vms: pd.DataFrame
    unmanaged: pd.DataFrame
    given: dict
    at_it: bool = False


@dataclass(frozen=True)
class _Search:
    """What a search for places gave, and how far it could see."""

    places: Iterable[Place]
    known: int
    unknown: int = 0
    lacks: str = ""
    what: str = "VMs"


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
    return check_disks(disks_of(fleet), scenario or Scenario.of(), as_of)


def check_disks(
    fleet: pd.DataFrame, scenario: Scenario, as_of: datetime.date | None = None
) -> Check:
    """Check an inventory that has been read, as `check` does."""
    dated = as_of is not None
    as_of = as_of or scenario.profile.as_of
    facts = _known(fleet, scenario)
    outcomes = tuple(
        _outcome(rule, version, facts, tuple(_thresholds(version, scenario, dated)))
        for rule, version in rules_on(as_of)
    )
    return Check(as_of=as_of, scenario=scenario, outcomes=outcomes)


def _outcome(
    rule: Rule, version: Version, facts: _Known, thresholds: Iterable[float]
) -> Outcome:
    if version.needs:
        return Outcome(rule, version, "not checked", 0, 0, version.needs, ())
    search = _SEARCHES[rule.id](replace(facts, at_it=version.at_it), *thresholds)
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


def _thresholds(version: Version, scenario: Scenario, dated: bool) -> Iterator[float]:
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


def _known(fleet: pd.DataFrame, scenario: Scenario) -> _Known:
    """Take what cells say, what other disks say of the same VM, what the caller set."""
    disks = told(fleet, scenario)
    disks["row"] = np.arange(len(disks))
    kept = backed_up(disks)
    return _Known(
        disks=kept,
        vms=_vms(kept),
        unmanaged=unmanaged(kept),
        given=dict(scenario.given),
    )


def _vms(disks: pd.DataFrame) -> pd.DataFrame:
    """Gather the disks that are backed up into VMs."""
    code, names = pd.factorize(disks["vm"])
    count = len(names)
    first = np.zeros(count, dtype=int)
    first[code[::-1]] = np.arange(len(code))[::-1]
    vms = disks.iloc[first][["vm", "row", "vault", "policy", "start_h", "first_backup"]]
    vms = vms.reset_index(drop=True)
    churn = disks["churn_gib_per_day"].to_numpy()
    blank = np.isnan(churn)
    vms["size_gib"] = np.bincount(code, disks["size_gib"].to_numpy(), count)
    vms["disks"] = np.bincount(code, minlength=count)
    is_data = holds(disks["role"], "data")
    vms["data_disks"] = np.bincount(code, is_data, count)
    vms["churn_gib_per_day"] = np.bincount(code, np.where(blank, 0.0, churn), count)
    vms["blank_churn"] = np.bincount(code, blank, count) > 0
    return vms


def _split(rows: pd.DataFrame, *names: str) -> tuple[pd.DataFrame, int]:
    """Return the rows that have all these cells, and count the others."""
    known = rows[list(names)].notna().all(axis=1).to_numpy()
    return rows[known], int((~known).sum())


# --- searches: one for each rule that an inventory can answer --------------------


def _vault_start(facts: _Known, most: float) -> _Search:
    vms, unknown = _split(facts.vms, "vault", "start_h")
    places = practices.crowded_starts(vms, most)
    return _Search(places, len(vms), unknown, "vault and start_h")


def _one_start(facts: _Known) -> _Search:
    vms, unknown = _split(facts.vms, "start_h")
    places = []
    start_h = vms["start_h"].iloc[0] if len(vms) > 1 else None
    if start_h is not None and (vms["start_h"] == start_h).all():
        text = f"All {len(vms)} VMs whose start is known start at {start_h:g} h."
        row = int(vms["row"].iloc[0])
        places = [Place({"start_h": float(start_h)}, len(vms), None, text, row)]
    return _Search(places, len(vms), unknown, "start_h")


def _of_accounts(
    facts: _Known, places: Callable[[pd.DataFrame], Iterable[Place]], *names: str
) -> _Search:
    """Search unmanaged disks; one that may be managed or not is not known."""
    disks, unknown = _split(facts.unmanaged, "storage_account", *names)
    unknown += int(facts.disks["managed"].isna().sum())
    known = len(facts.disks) - unknown
    lacks = ", ".join(("managed", *names))
    return _Search(places(disks), known, unknown, lacks, "disks")


def _account_schedule(facts: _Known, most: float) -> _Search:
    return _of_accounts(
        facts, lambda disks: practices.crowded_schedules(disks, most), "policy"
    )


def _busy_account(facts: _Known, low: float, high: float) -> _Search:
    def places(disks):
        return practices.busy_accounts(
            disks, low, high, at_it=facts.at_it, from_low=True
        )

    return _of_accounts(facts, places)


def _policy_accounts(facts: _Known) -> _Search:
    def places(disks):
        by = ["vault", "policy"]
        groups = disks.groupby(by, sort=False)
        counts = groups[["vm", "storage_account"]].nunique()
        first = groups[["row", "storage_account"]].first()
        alone = counts[(counts["vm"] > 1) & (counts["storage_account"] == 1)]
        for where, vms in zip(alone.index, alone["vm"].tolist(), strict=True):
            row, account = first.loc[where, ["row", "storage_account"]]
            names = dict(zip(by, where, strict=True)) | {"storage_account": account}
            text = (
                f"The {vms} VMs with unmanaged disks of policy {names['policy']} in "
                f"vault {names['vault']} all lie in storage account {account}."
            )
            yield Place(names, vms, None, text, int(row))

    return _of_accounts(facts, places, "vault", "policy")


def _small_writes(facts: _Known, least: float) -> _Search:
    disks, unknown = _split(facts.disks, "write_kib")
    places = practices.small_writes(disks, least)
    return _Search(places, len(disks), unknown, "write_kib", "disks")


def _consistency_check(facts: _Known) -> _Search:
    disks, unknown = _split(facts.disks, "cc_mode")
    places = practices.compared_disks(disks)
    return _Search(places, len(disks), unknown, "cc_mode", "disks")


def _consistency_check_size(facts: _Known, most: float) -> _Search:
    disks = facts.disks[~holds(facts.disks["cc_mode"], True)]
    places = _beyond(
        disks,
        "size_gib",
        most,
        "Disk {disk} has {found:,.0f} GiB; above {limit:,.0f} its backup may have to "
        "compare all data by checksum.",
    )
    return _Search(places, len(facts.disks))


def _high_churn(facts: _Known, most: float, backup_h: float) -> _Search:
    beyond = facts.vms["churn_gib_per_day"] > most  # what is blank can only add
    unknown = int((facts.vms["blank_churn"] & ~beyond).sum())
    places = practices.high_churn(facts.vms, most, backup_h)
    return _Search(places, len(facts.vms) - unknown, unknown, "churn_gib_per_day")


def _new_disk(facts: _Known) -> _Search:
    disks, unknown = _split(facts.disks, "new_disk")
    places = practices.new_disks(disks)
    return _Search(places, len(disks), unknown, "new_disk", "disks")


def _disk_size(facts: _Known, most: float) -> _Search:
    text = "Disk {disk} has {found:,.0f} GiB; backup takes up to {limit:,.0f}."
    return _Search(_beyond(facts.disks, "size_gib", most, text), len(facts.disks))


def _vm_size(facts: _Known, most: float) -> _Search:
    text = "Its disks have {found:,.0f} GiB together; backup takes up to {limit:,.0f}."
    return _Search(_beyond(facts.vms, "size_gib", most, text), len(facts.vms))


def _vm_data_disks(facts: _Known, most: float) -> _Search:
    text = "It has {found:.0f} data disks; backup takes up to {limit:.0f}."
    return _Search(_beyond(facts.vms, "data_disks", most, text), len(facts.vms))


def _vm_disks(facts: _Known, most: float) -> _Search:
    text = "It has {found:.0f} disks; backup takes up to {limit:.0f}."
    return _Search(_beyond(facts.vms, "disks", most, text), len(facts.vms))


def _beyond(rows: pd.DataFrame, column: str, most: float, text: str) -> Iterator[Place]:
    beyond = rows[rows[column] > most]
    names = [name for name in ("vm", "disk") if name in rows]
    places = beyond[names].to_dict("records")
    figures, row = beyond[column].tolist(), beyond["row"].tolist()
    for where, found, at in zip(places, figures, row, strict=True):
        # by format, as what is put in is not looked at for braces again
        said = text.format(**where, found=found, limit=most)
        yield Place(where, found, most, said, at)


def _policy_vms(facts: _Known, most: float) -> _Search:
    vms, unknown = _split(facts.vms, "vault", "policy")
    places = practices.crowded_policies(vms, most)
    return _Search(places, len(vms), unknown, "vault and policy")


def _vault_vms(facts: _Known, most: float) -> _Search:
    def places():
        for where, count, row in crowded(vms, ["vault"], most):
            text = (
                f"Vault {where['vault']} protects {count:,} VMs; it may protect up "
                f"to {most:,.0f}."
            )
            yield Place(where, count, most, text, row)

    vms, unknown = _split(facts.vms, "vault")
    return _Search(places(), len(vms), unknown, "vault")


def _shortest_retention(facts: _Known, least_h: float) -> _Search:
    def places(points):
        if points * 24 < least_h:
            text = f"{points:g} daily points are kept; {least_h / 24:g} days are least."
            yield Place({}, points, least_h / 24, text)

    return _of_retention(facts, places, "recovery_points")


def _recovery_points(facts: _Known, most: float) -> _Search:
    def places(points):
        if points > most:
            text = f"{points:,.0f} daily points are kept; {most:,.0f} are possible."
            yield Place({}, points, most, text)

    return _of_retention(facts, places, "recovery_points")


def _snapshot_retention(facts: _Known) -> _Search:
    def places(points, snapshots):
        if points < snapshots:
            text = (
                f"{points:g} daily points are kept in the vault, and {snapshots:g} "
                "daily snapshots."
            )
            yield Place({}, points, snapshots, text)

    return _of_retention(facts, places, "recovery_points", "snapshot_points")


def _of_retention(
    facts: _Known, places: Callable[..., Iterable[Place]], *names: str
) -> _Search:
    """Search what is kept, which only the caller can say, and for all VMs."""
    if not all(name in facts.given for name in names):
        lacks = f"{' and '.join(names)}, by --set,"
        return _Search((), 0, len(facts.vms), lacks)
    return _Search(places(*(facts.given[name] for name in names)), len(facts.vms))


_SEARCHES: dict[str, Callable[..., _Search]] = {
    "vault-start": _vault_start,
    "one-start": _one_start,
    "account-schedule": _account_schedule,
    "policy-accounts": _policy_accounts,
    "busy-account": _busy_account,
    "small-writes": _small_writes,
    "consistency-check": _consistency_check,
    "consistency-check-size": _consistency_check_size,
    "high-churn": _high_churn,
    "new-disk": _new_disk,
    "disk-size": _disk_size,
    "vm-size": _vm_size,
    "vm-data-disks": _vm_data_disks,
    "vm-disks": _vm_disks,
    "policy-vms": _policy_vms,
    "vault-vms": _vault_vms,
    "shortest-retention": _shortest_retention,
    "recovery-points": _recovery_points,
    "snapshot-retention": _snapshot_retention,
}
