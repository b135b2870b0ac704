"""When each VM had better start: a plan in half-hours that is as good as today's.

Plans are compared aim after aim: rules that are not kept, expected misses, how long
VMs take from start to end, policies, VMs moved, jobs beyond those that a vault serves.
Plans within the tolerance of an aim are as good, and the next one decides, so that a
plan of fewer policies may have a few more misses than today. What is compared are the
figures of an estimate, and the present starts are among the plans. A VM that is moved
later is counted from its present start: it waits no less for that.
"""

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from vmbmodel._words import first_lines, short
from vmbmodel.fields import shown
from vmbmodel.inventory.fleet import COLUMNS as DISK_COLUMNS
from vmbmodel.inventory.fleet import disks_of
from vmbmodel.plan.answers import Overview, Result, computed_by, day_clock
from vmbmodel.plan.estimate import (
    AT_RISK_PROB,
    Assumption,
    Estimate,
    Notice,
    backup,
    estimate_disks,
    met_by,
    of_others,
)
from vmbmodel.plan.facts import Fleet, backed_up, filled, unmanaged
from vmbmodel.plan.scenario import Scenario
from vmbmodel.plan.schedule.policies import named, policy_table
from vmbmodel.plan.schedule.rules import SLOTS, Broken, Rules, broken, clock
from vmbmodel.plan.schedule.search import NoRoomError, Search, VMs, beyond
from vmbmodel.plan.schedule.values import AIMS, Value, best

__all__ = ["AIM_LABELS", "SCHEMA", "Aim", "Schedule", "schedule"]

SCHEMA = "vmbmodel.schedule/2"

_DONE = ("transfer_h", "own_line_mean_h", "done_p95_h", "deadline_prob")
_COLUMNS = (
    "vm",
    "vault",
    "policy",
    "start_h",
    "present_policy",
    "present_start_h",
    "moved",
    "disks",
    *_DONE,
    "done_p95_clock",
)
_SEEN = (
    "vm",
    "vault",
    "policy",
    "start_h",
    "present_start_h",
    "moved",
    "done_p95_clock",
)
_DAY_H = 24

_ASSUMED = (
    (
        "slots",
        "A policy starts at a full or a half hour, every day alike. A VM that is "
        "backed up several times a day keeps all its starts; one of them a day goes "
        "to the vault.",
        "",
    ),
    (
        "late-starts",
        "A backup may start up to start_slack_h late: rules hold as late as that, and "
        "misses are counted as start_slack_reading says. Limits of VMs and disks at "
        "once are taken at the scheduled hour, as the sources print them.",
        "--set start_slack_h=VALUE",
    ),
    (
        "copies",
        "A policy of which VMs get several starts is copied, retention and all, once "
        "for each start.",
        "",
    ),
)


AIM_LABELS = {
    "broken_rules": "rules not kept",
    "expected_misses": "expected misses a night",
    "finish_h": "hours to the end, all VMs",
    "policies": "policies",
    "moved_vms": "VMs moved",
    "beyond_vms": "jobs beyond what a vault serves",
}
"""What the aims are called, in their order."""


@dataclass(frozen=True)
class Aim:
    """What one aim comes to, now and as planned, and how low it may be."""

    aim: str
    now: float
    planned: float
    tolerance: float  #: above the least, up to which plans are as good
    bound: float | None
    """No plan within the tolerances of the aims before is lower; None if not known."""

    @property
    def proven(self) -> bool:
        """Whether no plan is lower by more than the tolerance."""
        return self.bound is not None and self.planned - self.bound <= self.tolerance

    @property
    def worse(self) -> bool:
        """Whether it comes to more than now, beyond the tolerance."""
        return self.planned > self.now + self.tolerance

    @property
    def better(self) -> bool:
        """Whether it comes to less than now, beyond the tolerance."""
        return self.planned < self.now - self.tolerance


@dataclass(frozen=True, repr=False)
class Schedule(Result):
    """A start for each VM, the policies that give it, and what that changes."""

    vms: pd.DataFrame  #: a row a VM, with start and policy now and as planned
    policies: pd.DataFrame  #: a row a policy as planned, by vault and start
    before: Mapping[str, float]  #: what the inventory comes to now
    after: Mapping[str, float]  #: what it comes to as planned
    broken_before: tuple[Broken, ...]  #: where rules are not kept now
    broken_after: tuple[Broken, ...]  #: where they are not as planned
    aims: tuple[Aim, ...]  #: now, planned, and how near that is to the best
    running: pd.DataFrame  #: backups in progress at each hour, before and after
    rules: Rules  #: what was to be kept
    keep: tuple[str, ...]  #: VMs and policies that were to stay where they are
    scenario: Scenario
    assumptions: tuple[Assumption, ...]  #: what was taken for granted
    warnings: tuple[Notice, ...]  #: what of the plan deserves a look
    fleet: pd.DataFrame  #: the inventory with its new starts and policies

    schema: ClassVar[str] = SCHEMA

    @property
    def verdict(self) -> str:
        """What the plan does, in a few sentences; what gets worse is said first."""
        moved, said = int(self.after["moved_vms"]), []
        if moved:
            said.append(f"Move {moved:,} of {len(self.vms):,} VMs.")
            changes = {
                "Worse": [a.aim for a in self.aims if a.worse and a.aim != "moved_vms"],
                "Better": [a.aim for a in self.aims if a.better],
            }
            said += [
                f"{how}: {', '.join(AIM_LABELS[aim] for aim in aims)}."
                for how, aims in changes.items()
                if aims
            ]
        else:
            said.append(
                "Leave the starts as they are: no plan that was found is better."
            )
            if not self.before["own_line_mean_h"]:
                said.append(
                    "No VM waits for another of its vault: spreading starts would gain "
                    "nothing."
                )
        if count := int(self.after["broken_rules"]):
            said.append(f"Rules not kept by this plan either, said below: {count:,}.")
        missed = self.after["expected_misses"]
        if missed > 1 - AT_RISK_PROB:
            said.append(
                f"Deadlines missed a night, as planned: {missed:.4g}; no plan that was "
                "found has clearly fewer."
            )
        if self.scenario["eight_hours"] == "overload":
            said.append(
                "That some hours are busier is a what-if (eight_hours=overload): no "
                "published job tells."
            )
        return " ".join(said)

    def parts(self) -> Iterator[tuple[str, object]]:
        """Give what the JSON holds."""
        yield "model", computed_by(self.scenario.sets(), whole=True)
        yield "given", self.scenario.given
        yield "rules", asdict(self.rules) | {"keep": self.keep}
        yield "verdict", self.verdict
        yield "aims", [asdict(aim) | {"proven": aim.proven} for aim in self.aims]
        yield "before", self.before
        yield "after", self.after
        yield "policies", self.policies
        yield "vms", self.vms
        yield "broken_before", [entry.to_dict() for entry in self.broken_before]
        yield "broken_after", [entry.to_dict() for entry in self.broken_after]
        yield "running", self.running.reset_index()
        yield "assumptions", self.assumptions
        yield "warnings", self.warnings

    def overview(self) -> Overview:
        """Show where VMs go, and the figures before and after."""
        figures = (
            f"{name} {shown(name, self.before[name])} -> {shown(name, after)}"
            for name, after in self.after.items()
        )
        return Overview(
            self.vms[list(_SEEN)],
            "VMs",
            (
                self.verdict,
                ", ".join(figures),
                f"{len(self.policies)} policies (.policies)",
            ),
        )


def schedule(
    fleet: Fleet,
    scenario: Scenario | None = None,
    *,
    blackout: Iterable[tuple[float, float]] = (),
    keep: Sequence[str] = (),
    done_by_h: float | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Schedule:
    """Plan the starts of an inventory, no worse than they are by the tolerances.

    An estimate judges the present starts, all VMs at the single best hour, a plan of
    full hours, and the result of a search. The bound for all plans has every VM at its
    best hour, as if alone in its vault; a plan within the tolerance of an aim of the
    bound is proven least in it. The order of the rows changes nothing.

    Parameters
    ----------
    fleet : path-like or DataFrame
        A row a disk: a file, or a table that is checked as a file is.
    scenario : Scenario, optional
        Constants and settings; `vault_vms`, `policy_vms` and `account_disks` are
        limits where the profile has them or the caller set them.
    blackout : iterable of (float, float)
        Hours of the day, from and to, in which no backup may start; they may go
        past midnight. The day of backups begins where the longest ends.
    keep : sequence of str
        VMs and policies that stay where they are.
    done_by_h : float, optional
        Hour of the day by which 95 of 100 backups of each VM have to be done, started
        as late as they may be; the first after the longest blackout.
    progress : callable, optional
        Called with a name, the VMs planned so far, and all VMs.

    Returns
    -------
    Schedule
        Starts, policies, every aim now and as planned, and how good the plan is.

    Raises
    ------
    InventoryError
        If anything is wrong with the inventory; with all findings.
    ValueError
        If an argument is none, if vaults have more to transfer than a day has hours,
        or if no plan keeps the rules; says which cannot be kept, and by how much.

    Examples
    --------
    Three VMs of half an hour that start at 23:00, one served at a time, need not wait
    for each other. None may start before 22:00:

    >>> disks = [dict(vm=v, disk="os", role="os", size_gib=128, used_gib=99)
    ...          for v in "abc"]
    >>> settings = {"vault_servers": 1, "start_slack_h": 0}
    >>> plan = schedule(pd.DataFrame(disks), Scenario.of(settings=settings),
    ...                 blackout=[(4, 22)])
    >>> plan.policies[["start", "vms", "todo"]].values.tolist()
    [['22:00', 1, 'create'], ['22:30', 1, 'create'], ['23:00', 1, 'keep']]
    """
    scenario = Scenario.or_default(scenario)
    rules = Rules.of(scenario, blackout, done_by_h)
    fleet = disks_of(fleet).reindex(columns=list(DISK_COLUMNS)).reset_index(drop=True)
    disks = backed_up(filled(fleet, scenario)[0])
    answer = estimate_disks(fleet, scenario)
    vms = _vms(disks, answer, keep)
    _refuse_overload(vms, scenario["vault_servers"])
    in_accounts = unmanaged(disks)[["vm", "storage_account"]].dropna()
    in_accounts = in_accounts.astype({"storage_account": str})
    now = _Side.of(vms, fleet, answer, in_accounts, rules)
    sides, bounds, least_seen = [now], {}, None
    if len(vms):
        search = _search(vms, in_accounts, scenario, rules)
        with np.errstate(all="ignore"):  # the edges are cases, not accidents
            plans, above = _plans(search, vms, rules, progress)
            bounds = search.bounds(rules.policy_vms)
        planned = {}
        for starts in plans:  # those of today too, with policies that are small enough
            if (key := starts.tobytes()) not in planned:
                planned[key] = _planned(
                    starts, vms, fleet, scenario, in_accounts, rules
                )
        sides += planned.values()
        found = planned[plans[-1].tobytes()].value._asdict()
        lowest = {aim: found[aim] - over for aim, over in above.items()}
        least_seen = Value(**dict.fromkeys(AIMS, math.inf) | lowest)
    side = sides[best([s.value for s in sides], len(vms), seen=least_seen)]
    after, tolerance = side.value, side.value.tolerances(len(vms))
    aims = zip(AIMS, now.value, after, tolerance, strict=True)
    table = side.vms.assign(night_h=rules.of_the_night(side.vms["start_h"]))
    table["done_p95_clock"] = (table["night_h"] + table["done_p95_h"]).map(day_clock)
    table = table.reset_index().sort_values(["vault", "night_h", "policy", "vm"])
    return Schedule(
        vms=table.reset_index(drop=True)[list(_COLUMNS)],
        policies=policy_table(side.vms, rules),
        before=now.figures,
        after=side.figures,
        broken_before=now.broken,
        broken_after=side.broken,
        aims=tuple(Aim(*aim, bounds.get(aim[0], 0.0)) for aim in aims),
        running=pd.DataFrame({"before": now.running, "after": side.running}),
        rules=rules,
        keep=tuple(keep),
        scenario=scenario,
        assumptions=side.answer.assumptions
        + tuple(Assumption(f"schedule.{n}", t, None, s) for n, t, s in _ASSUMED),
        warnings=side.answer.warnings,
        fleet=side.fleet,
    )


def _vms(disks: pd.DataFrame, now: Estimate, keep: Sequence[str]) -> pd.DataFrame:
    """Gather the disks that are backed up into VMs, with what they do now."""
    by_vm = disks.groupby("vm", sort=False)
    names = ["vault", "policy", "start_h", "first_backup", "interval_h", "window_h"]
    vms = by_vm[names].first().astype({"vault": str, "policy": str})
    vms["disks"] = by_vm.size()
    known = {*vms.index, *vms["policy"]}
    problems = []
    for name in keep:
        if name not in known:
            near = difflib.get_close_matches(name, map(str, known), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            problems.append(f"no VM and no policy to keep is named {short(name)}{hint}")
    if problems:
        raise ValueError(first_lines(problems))
    vms["keep"] = vms.index.isin(keep) | vms["policy"].isin(keep)
    vms["keep"] |= vms["interval_h"] < _DAY_H
    vms["transfer_h"] = now.vms.set_index("vm")["transfer_h"].reindex(vms.index)
    vms["present_policy"], vms["present_start_h"] = vms["policy"], vms["start_h"]
    vms["moved"] = False
    return vms.reset_index().sort_values(["vault", "policy", "vm"]).set_index("vm")


def _refuse_overload(vms: pd.DataFrame, served: float) -> None:
    """Refuse vaults that no plan can serve."""
    work = vms.groupby("vault")["transfer_h"].agg(["size", "sum"])
    problems = [
        f"vault {vault}: its {count:g} VMs transfer for {work_h:,.5g} h a day, and "
        f"{served:g} at a time have {_DAY_H * served:,.0f} h; no start changes that, "
        "only fewer VMs, less to transfer or another vault_servers"
        for vault, count, work_h in work.itertuples()
        if work_h >= _DAY_H * served
    ]
    if problems:
        raise ValueError(first_lines(problems))


def _search(
    vms: pd.DataFrame, in_accounts: pd.DataFrame, scenario: Scenario, rules: Rules
) -> Search:
    """Set up the search for starts."""
    held = pd.crosstab(in_accounts["vm"], in_accounts["storage_account"])
    crowded = held.columns[held.sum() > (rules.account_disks or np.inf)]
    held = held.reindex(index=vms.index, columns=crowded, fill_value=0)
    late = _as_late_as_may_be(scenario)

    def law(
        columns: Mapping[str, np.ndarray], *, alone: bool, latest: bool
    ) -> Mapping[str, np.ndarray]:
        given = late if latest else scenario
        settings = given.arguments(backup)
        if alone:
            settings |= {"line_reading": "own-first", "vault_servers": np.inf}
        others = of_others(given) if alone else met_by([columns], given)
        names = ("done_p95_h",) if latest else ("done_mean_h", "deadline_prob")
        found = backup(columns, others, names, **settings)
        return {name: found[name] for name in names}

    pairs = vms[["vault", "policy"]].apply(tuple, axis=1)
    columns = VMs(
        vault=pd.factorize(vms["vault"])[0],
        policy=pd.factorize(pairs)[0],
        start_h=vms["start_h"].to_numpy(dtype=float),
        keep=vms["keep"].to_numpy(dtype=bool),
        transfer_h=vms["transfer_h"].to_numpy(dtype=float),
        first_backup=vms["first_backup"].to_numpy(dtype=bool),
        disks=held.to_numpy(dtype=float),
    )
    served, apart = scenario["vault_servers"], scenario["line_reading"] != "one-pool"
    return Search(columns, rules, float(served), law, apart=apart)


def _as_late_as_may_be(scenario: Scenario) -> Scenario:
    if scenario["start_slack_reading"] == "none":
        return scenario
    return scenario.changed({"start_slack_reading": "latest"})


def _plans(
    search: Search,
    vms: pd.DataFrame,
    rules: Rules,
    progress: Callable[[str, int, int], None] | None,
) -> tuple[list[np.ndarray], dict[str, float]]:
    """Return what `Search.plans` does, or say why there is none."""
    problems = []
    free = ~search.vms.keep
    if free.any() and not rules.may_start(SLOTS).any():
        problems.append(
            "no start of the day is clear of every blackout, with a start_slack_h of "
            f"{rules.start_slack_h:g} h"
        )
    elif (stuck := free & ~search.allowed.any(axis=1)).any():
        open_ = rules.may_start(SLOTS)
        over_h = np.where(open_, search.over_h, np.inf).min(axis=1)
        late = pd.DataFrame({"vm": vms.index, "over_h": over_h.round(1)})[stuck]
        for over, names in late.groupby("over_h")["vm"]:
            more = f" and {len(names) - 1} like it" if len(names) > 1 else ""
            problems.append(
                f"{names.iloc[0]}{more} would be done {over:.1f} h after "
                f"{clock(rules.done_by_h)} in one of 20 cases, at best"
            )
    if not problems:
        try:
            return search.plans(progress)
        except NoRoomError as error:
            left = vms.iloc[error.rows].groupby("vault").size()
            limits = {
                "vault_vms": rules.vault_vms,
                "account_disks": rules.account_disks,
            }
            most = ", ".join(f"{n} {v:g}" for n, v in limits.items() if v is not None)
            problems += [
                f"vault {vault}: {count} of {(vms['vault'] == vault).sum()} VMs find "
                f"no room at the starts that are open ({most})"
                for vault, count in left.items()
            ]
    raise ValueError(first_lines(["no schedule keeps all rules:", *problems]))


@dataclass(frozen=True)
class _Side:
    """One schedule: its VMs and inventory, its estimate, its figures, its day."""

    vms: pd.DataFrame
    fleet: pd.DataFrame
    answer: Estimate
    figures: Mapping[str, float]
    value: Value
    broken: tuple[Broken, ...]
    running: pd.Series

    @classmethod
    def of(
        cls,
        vms: pd.DataFrame,
        fleet: pd.DataFrame,
        answer: Estimate,
        in_accounts: pd.DataFrame,
        rules: Rules,
    ) -> "_Side":
        """Sum up one schedule that has been estimated."""
        rows = answer.vms.set_index("vm").loc[vms.index]
        start_h = vms["start_h"].to_numpy(dtype=float)
        vms = vms.assign(**{name: rows[name] for name in _DONE}, latest_p95_h=0.0)
        if rules.done_by_h is not None:
            late = _as_late_as_may_be(answer.scenario)
            late = estimate_disks(fleet, late).vms.set_index("vm")
            vms["latest_p95_h"] = late["done_p95_h"].loc[vms.index]
        found = tuple(broken(vms, in_accounts, rules))
        now_h = vms["present_start_h"].to_numpy(dtype=float)
        later_h = rules.later_h(*map(rules.next_open_h, (start_h, now_h)))
        done_h = later_h + rows["done_mean_h"].to_numpy()
        value = Value(
            sum(entry.count for entry in found),
            float((1 - rows["deadline_prob"].to_numpy()).sum()),
            float(done_h.sum()),
            len(vms[["vault", "policy", "start_h"]].drop_duplicates()),
            int((start_h != vms["present_start_h"]).sum()),
            beyond(
                pd.factorize(vms["vault"])[0],
                start_h,
                vms["transfer_h"].to_numpy(dtype=float),
                float(answer.scenario["vault_servers"]),
            ),
        )
        last_h = rules.of_the_night(start_h) + vms["done_p95_h"]
        figures = value._asdict() | {
            "finish_mean_h": value.finish_h / max(len(vms), 1),
            "last_finish_h": float(last_h.max()) if len(vms) else 0.0,
            "own_line_mean_h": float(rows["own_line_mean_h"].sum() / max(len(vms), 1)),
            "wait_mean_h": float(rows["wait_mean_h"].sum() / max(len(vms), 1)),
        }
        hours = pd.Index(np.arange(0, 24, 0.25), name="hour")
        ago = (hours.to_numpy() - start_h[:, np.newaxis]) % 24
        open_h = np.minimum(rows["done_p50_h"].to_numpy(), 24)[:, np.newaxis]
        # one that ends at the quarter itself is over, however that was rounded
        running = pd.Series((ago < open_h - 1e-6).sum(axis=0), index=hours)
        return cls(vms, fleet, answer, figures, value, found, running)


def _planned(
    starts: np.ndarray,
    vms: pd.DataFrame,
    fleet: pd.DataFrame,
    scenario: Scenario,
    in_accounts: pd.DataFrame,
    rules: Rules,
) -> _Side:
    """Estimate a plan, with the policies that it takes."""
    vms = vms.assign(start_h=starts)
    vms["policy"] = named(vms, rules.policy_vms)
    vms["moved"] = vms["start_h"] != vms["present_start_h"]
    fleet, planned_for = fleet.copy(), fleet["vm"].isin(vms.index)
    for name in ("start_h", "policy"):
        cells = vms[name].reindex(fleet.loc[planned_for, "vm"])
        fleet.loc[planned_for, name] = cells.to_numpy()
    answer = estimate_disks(fleet, scenario)
    return _Side.of(vms, fleet, answer, in_accounts, rules)
