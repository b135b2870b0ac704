"""One inventory, one scenario: time, deadline, restore and bill of every VM.

The walk is in `estimate_disks`: from disks to what moves of them, from that to VMs,
and on to their waits, restores and bills. A step is a function of columns that gives
new columns; the settings that it takes are its keywords, named as they are everywhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from numbers import Integral
from typing import ClassVar

import numpy as np
import pandas as pd

from vmbmodel._words import first_lines, short
from vmbmodel.fields import fields, shown
from vmbmodel.inventory.fleet import COLUMNS as DISK_COLUMNS
from vmbmodel.inventory.fleet import disks_of
from vmbmodel.plan.answers import Overview, Result, computed_by, records, sealed
from vmbmodel.plan.estimate.bills import bill, refuse_part_blocks
from vmbmodel.plan.estimate.doubts import (
    INTERVAL_VMS,
    Doubt,
    doubt_of_disks,
    quick,
)
from vmbmodel.plan.estimate.misses import policy_misses
from vmbmodel.plan.estimate.months import (
    MOST_MONTHS,
    break_dates,
    month_rows,
    month_totals,
)
from vmbmodel.plan.estimate.remarks import (
    Assumption,
    Notice,
    assumptions,
    misses_said,
    notices,
    objective_said,
    restore_said,
    wait_said,
)
from vmbmodel.plan.estimate.restores import point_ages
from vmbmodel.plan.estimate.starts import daily_starts
from vmbmodel.plan.estimate.sums import Sums, Whole
from vmbmodel.plan.estimate.walk import walk
from vmbmodel.plan.facts import Fleet, backed_up, by_name, filled, firsts, stands
from vmbmodel.plan.scenario import Scenario, parse_setting

__all__ = [
    "COLUMNS",
    "SCHEMA",
    "Estimate",
    "compare",
    "compare_disks",
    "estimate",
    "estimate_case",
    "estimate_disks",
    "parse_case",
    "said_case",
    "said_of",
]

SCHEMA = "vmbmodel.estimate/2"

COLUMNS = (
    "vault",
    "policy",
    "start_h",
    "disks",
    "used_gib",
    "churn_gib_per_day",
    "first_backup_h",
    "transfer_h",
    "own_line_mean_h",
    "wait_mean_h",
    "job_p50_h",
    "job_p95_h",
    "done_p50_h",
    "done_p95_h",
    "done_mean_h",
    "done_p95_clock",
    "deadline_h",
    "deadline_prob",
    "restore_vault_p50_h",
    "restore_vault_p95_h",
    "restore_snapshot_h",
    "rto_prob",
    "point_age_snapshot_h",
    "point_age_vault_h",
    "point_age_mean_h",
    "protected_instance_gib",
    "protected_instances",
    "instance_usd",
    "stored_gib",
    "storage_usd",
    "snapshot_usd",
    "total_usd",
)
_SEEN = (
    "vm",
    "disks",
    "used_gib",
    "done_p50_h",
    "done_p95_h",
    "done_p95_clock",
    "deadline_prob",
    "restore_vault_p95_h",
    "total_usd",
)


@dataclass(frozen=True, repr=False)
class Estimate(Result):
    """What an inventory comes to under a scenario, and what that rests on."""

    vms: pd.DataFrame  #: a row a VM, in the order of the inventory
    total: Mapping[str, float]
    """Sums of the rows, the number of VMs, and how often deadlines are missed."""
    scenario: Scenario  #: constants and settings that were used
    assumptions: tuple[Assumption, ...]  #: what was taken for granted
    warnings: tuple[Notice, ...]  #: what in the inventory deserves a look
    fleet: pd.DataFrame  #: the inventory, a row a disk, with nothing filled in
    policies: pd.DataFrame  #: how often the backups of each policy miss
    months: pd.DataFrame | None = None  #: a row a month to come and VM, if asked for
    drawn: Doubt | None = None  #: intervals around the figures, if asked for
    starts: pd.DataFrame | None = None
    """A row for each start of the VMs that start several times a day, if any do."""
    blank: Mapping[str, int] = field(default_factory=dict)  #: cells filled, by column
    sums: Sums | None = None  #: the totals before rounding, to be joined with others

    schema: ClassVar[str] = SCHEMA

    def parts(self) -> Iterator[tuple[str, object]]:
        """Give what the JSON holds."""
        yield from said_of(self.scenario)
        yield "vms", self.figures
        yield "total", self.total | (self.drawn.total if self.drawn else {})
        if self.drawn:
            yield "interval", self.drawn.told
        yield "policies", self.policies
        if self.starts is not None:
            yield "starts", self.starts
        if self.months is not None:
            yield "months", month_totals(self.months)
        yield "assumptions", self.assumptions
        yield "warnings", self.warnings
        yield "inventory", (_known(row) for row in records(self.fleet))

    def to_dict(self) -> dict:
        """Return the documented JSON object, with the digest that `verify` wants."""
        return dict(sealed(super().to_dict().items()))

    @property
    def figures(self) -> pd.DataFrame:
        """The rows, with both ends of the interval beside each figure that has one."""
        if self.drawn is None:
            return self.vms
        ends = self.drawn.vms.drop(columns="vm")
        columns = [
            (name, *(end for end in ends if end.rpartition("_")[0] == name))
            for name in self.vms
        ]
        whole = pd.concat([self.vms, ends], axis=1)
        return whole[[name for names in columns for name in names]]

    @cached_property
    def doubt(self) -> Doubt | None:
        """Intervals around the figures: those asked for, or those that cost nothing."""
        if self.drawn is None and quick(self.fleet, self.scenario):
            return doubt_of_disks(self.fleet, self.scenario, point=self.vms)
        return self.drawn

    def takes(self, name: str) -> bool:
        """Say whether a constant is taken that neither caller nor inventory gives."""
        given = name in self.scenario.given
        return not given and stands(name, self.scenario, self.blank)

    def misses_said(self) -> str:
        """Say how many deadlines are missed a night, and how much of that is known."""
        misses, vms = self.total["expected_misses"], self.total["vms"]
        return misses_said(misses, self.scenario, vms)

    def objective_said(self) -> str:
        """Say how many VMs are back from the vault within the objective."""
        return objective_said(self.vms, self.scenario)

    def overview(self) -> Overview:
        """Show times, odds and bill of the VMs, and what all of them come to."""
        rows = self.vms[list(_SEEN)]
        doubted = () if self.doubt is None else self.doubt.said()
        if self.doubt is not None:
            rows = self.doubt.beside(rows)
        said = {name: shown(name, value) for name, value in self.total.items()}
        missed = self.misses_said()
        sets = ", ".join(f"{kind} {s.name}" for kind, s in self.scenario.sets())
        return Overview(
            rows,
            "VMs",
            (
                *doubted,
                f"VMs: {said['vms']}; USD a month: {said['total_usd']} (instances "
                f"{said['instance_usd']}, storage {said['storage_usd']}, snapshots "
                f"{said['snapshot_usd']})",
                f"deadlines missed a night, on average: {missed}",
                *wait_said(self.scenario),
                *restore_said(self.scenario),
                self.objective_said(),
                f"hours until all are restored at once: {said['restore_all_h']}, 95 "
                "times of 100",
                sets,
                f"{len(self.warnings)} worth a look (.warnings), "
                f"{len(self.assumptions)} assumed (.assumptions)",
            ),
        )


def said_of(scenario: Scenario) -> Iterator[tuple[str, object]]:
    """Give the parts of the JSON that say under which scenario an estimate holds."""
    inputs = {n: scenario.taken[n] for _, s in scenario.sets() for n in s}
    inputs |= {n: v for n, v in scenario.options.items() if v is not None}
    yield "model", computed_by(scenario.sets(), whole=True)
    yield "given", scenario.given
    yield "inputs", inputs


def estimate(
    fleet: Fleet,
    scenario: Scenario | None = None,
    months: int = 0,
    draws: int = 0,
    interval_vms: int = INTERVAL_VMS,
) -> Estimate:
    """Estimate every VM of an inventory.

    Parameters
    ----------
    fleet : path-like or DataFrame
        A row a disk: a file, or a table that is checked as a file is.
    scenario : Scenario, optional
        Constants, readings and what blank cells are taken as.
    months : int, optional
        How many months to come are billed one by one.
    draws : int, optional
        How often what nobody has measured is drawn, for intervals around the figures:
        512 serve well. None without it.
    interval_vms : int, optional
        Of a fleet with more VMs, the intervals come from whole vaults drawn at random,
        with so many at most.

    Returns
    -------
    Estimate
        Rows, totals, assumptions and warnings.

    Raises
    ------
    InventoryError
        If anything is wrong with the inventory; with all findings.
    ValueError
        If capacity is reserved that is not sold, or with intervals shared by more VMs
        than `interval_vms`.

    Examples
    --------
    A VM with one full disk of 4,095 GiB cannot be copied in a day:

    >>> disk = dict(vm="a", disk="os", role="os", size_gib=4095, used_gib=4095,
    ...             first_backup=True)
    >>> answer = estimate(pd.DataFrame([disk]))
    >>> print(answer.vms.at[0, "first_backup_h"], answer.vms.at[0, "deadline_prob"])
    61.07 0.0
    """
    scenario = Scenario.or_default(scenario)
    return estimate_disks(disks_of(fleet), scenario, months, draws, interval_vms)


def estimate_disks(
    fleet: pd.DataFrame,
    scenario: Scenario,
    months: int = 0,
    draws: int = 0,
    interval_vms: int = INTERVAL_VMS,
    *,
    whole: Whole | None = None,
) -> Estimate:
    """Estimate an inventory that has been checked, as `estimate` does.

    With `whole`, it is a part of one, whose sums can be joined.
    """
    whole_number = isinstance(months, Integral) and not isinstance(months, bool)
    if not (whole_number and 0 <= months <= MOST_MONTHS):
        rule = f"a whole number from 0 to {MOST_MONTHS:,}"
        raise ValueError(f"months must be {rule}; got {short(months)}")
    ask = scenario.arguments
    refuse_part_blocks(**ask(refuse_part_blocks))
    disks, blank = filled(fleet, scenario)
    # sums of floating-point numbers depend on their order, and so does who is dealt
    # which account: that of the names, not that of the rows
    disks = by_name(disks)
    kept = backed_up(disks)
    with np.errstate(all="ignore"):  # the edges are cases, not accidents
        fleet_of = {"fleet_vms": whole.vms, "fleet_crowd": whole.crowd} if whole else {}
        went = walk(disks, kept, {}, scenario, **fleet_of)
        names, vms, done = went.names, went.vms, went.done
        vms |= point_ages(vms, **ask(point_ages))
        starts = daily_starts(names, vms, done, **ask(daily_starts))
        kept = kept.assign(**went.copied)
        billed = partial(bill, scenario=scenario)
        ahead, steps = None, ()
        table = pd.DataFrame(vms, index=pd.Index(names, name="vm"), copy=False)
        if months:
            ahead = month_rows(names, vms, months, billed, **ask(month_rows))
            steps = break_dates(table, scenario, months, done)
        named = np.minimum.reduceat(disks.index.to_numpy(), firsts(disks))
        order = np.argsort(named)
        if (np.diff(order) < 0).any():
            table = table.iloc[order]
        found = (*notices(fleet, kept.sort_index(), table, scenario), *steps)
    rows = table[list(COLUMNS)].astype({"vault": str, "policy": str})
    rows = rows.rename_axis("vm").reset_index()
    sums = Sums.of(vms, float(went.restore_all_h))
    fleet = fleet.reindex(columns=list(DISK_COLUMNS))
    drawn = None
    if draws:
        how = {"interval_vms": interval_vms, "point": rows}
        drawn = doubt_of_disks(fleet, scenario, draws, **how)
    return Estimate(
        vms=rows,
        total=sums.figures(),
        scenario=scenario,
        assumptions=assumptions(scenario, blank),
        warnings=found,
        fleet=fleet,
        policies=policy_misses(table),
        months=ahead,
        drawn=drawn,
        starts=starts if starts is None else _in_order(starts, names[order]),
        blank=blank,
        sums=sums,
    )


def compare(
    fleet: Fleet, scenario: Scenario | None, cases: Iterable[Mapping[str, object]]
) -> list[dict[str, object]]:
    """Estimate an inventory as it is, and in every case.

    Parameters
    ----------
    fleet : path-like or DataFrame
        A row a disk: a file, or a table that is checked as a file is.
    scenario : Scenario or None
        Constants and settings that all cases share; the defaults if None.
    cases : iterable of Mapping[str, object]
        Settings of each. A column of the inventory is then taken for all disks, in
        whatever they differ.

    Returns
    -------
    list of dict
        The ``case`` and the totals of its estimate, the present one first.

    Raises
    ------
    InventoryError
        If anything is wrong with the inventory; with all findings.
    ValueError
        If a setting is unknown or not allowed.

    Examples
    --------
    >>> disk = dict(vm="a", disk="os", role="os", size_gib=128, used_gib=47)
    >>> rows = compare(pd.DataFrame([disk]), None, parse_case("redundancy=LRS"))
    >>> for row in rows:
    ...     print(row["case"], round(row["storage_usd"], 2))
    as it is 5.16
    redundancy=LRS 2.58
    """
    return compare_disks(disks_of(fleet), Scenario.or_default(scenario), cases)


def compare_disks(
    fleet: pd.DataFrame, scenario: Scenario, cases: Iterable[Mapping[str, object]]
) -> list[dict[str, object]]:
    """Compare the cases of an inventory that has been checked, as `compare` does."""
    rows = [{"case": "as it is"} | dict(estimate_disks(fleet, scenario).total)]
    for case in cases:
        answer = estimate_case(fleet, scenario, case)
        rows.append({"case": said_case(case)} | dict(answer.total))
    return rows


def estimate_case(
    fleet: pd.DataFrame,
    scenario: Scenario,
    case: Mapping[str, object],
    whole: Whole | None = None,
) -> Estimate:
    """Estimate a checked inventory in one case, or a part of one, as `compare` does."""
    columns = {name: value for name, value in case.items() if name in DISK_COLUMNS}
    changed = scenario.changed(case)
    return estimate_disks(fleet.assign(**columns), changed, whole=whole)


def parse_case(text: str) -> list[dict[str, object]]:
    """Read what to compare: a choice of which to try all, or settings.

    Raises
    ------
    ValueError
        If a name is unknown, or a value not allowed; with every fault at once.

    Examples
    --------
    >>> parse_case("snapshot_policy")
    [{'snapshot_policy': 'standard'}, {'snapshot_policy': 'enhanced'}]
    >>> parse_case("recovery_points=7 weekly_points=52")
    [{'recovery_points': 7.0, 'weekly_points': 52.0}]
    """
    words = text.split()
    if len(words) == 1 and "=" not in text:
        field = fields().get(words[0])
        choices = field and (field.choices or (field.kind == "flag" and (False, True)))
        if not choices and words[0].endswith((".csv", ".json", ".parquet")):
            raise ValueError(
                f"takes settings, no file; got {short(words[0])}. `vmbmodel diff "
                "BEFORE.json AFTER.json` compares two saved estimates"
            )
        if not choices:
            raise ValueError(
                f"{words[0][:80]} has no choices to try all of; give values, as in "
                "'NAME=VALUE'"
            )
        return [{words[0]: choice} for choice in choices]
    case, problems = {}, []
    for word in words:
        name, equals, value = word.partition("=")
        try:
            if not equals:
                raise ValueError(
                    f"a case is NAME=VALUE and more of it; got {short(word)}"
                )
            if name in case:
                raise ValueError(f"{name[:80]} is given twice in {short(text)}")
            case[name] = parse_setting(name, value)
        except ValueError as error:
            problems.append(str(error))
    if problems or not case:
        raise ValueError(first_lines(problems or ["there is nothing to compare in ''"]))
    return [case]


def _in_order(rows: pd.DataFrame, vms: np.ndarray) -> pd.DataFrame:
    """Bring rows of VMs into the order of the inventory."""
    at = pd.Index(vms).get_indexer(rows["vm"])
    return rows.iloc[np.argsort(at, kind="stable")].reset_index(drop=True)


def _known(row: dict) -> dict:
    return {name: value for name, value in row.items() if value is not None}


def said_case(case: Mapping[str, object]) -> str:
    """Return a case as it is typed."""
    shown = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in case.items()
    }
    return " ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in shown.items()
    )
