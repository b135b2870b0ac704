"""When each VM had better start: a plan in half-hours that keeps the rules.

What is made least, one after the other: the misses to be expected, the VMs of a
vault at work at a time, those that may be if starts are late, the hour at which
the last is done, and the starts that change.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from vmbmodel.fields import shown
from vmbmodel.inventory.fleet import COLUMNS as DISK_COLUMNS
from vmbmodel.inventory.fleet import disks_of
from vmbmodel.plan.answers import Overview, Result, computed_by
from vmbmodel.plan.estimate import Assumption, Estimate, Notice, estimate_disks
from vmbmodel.plan.facts import Fleet, backed_up, filled, unmanaged
from vmbmodel.plan.scenario import Scenario
from vmbmodel.plan.schedule.alike import parts
from vmbmodel.plan.schedule.policies import named, policy_table
from vmbmodel.plan.schedule.program import SLOTS, in_use
from vmbmodel.plan.schedule.rules import Broken, Rules, broken
from vmbmodel.plan.schedule.search import Aim, planned

__all__ = ["METHODS", "SCHEMA", "Schedule", "schedule"]

SCHEMA = "vmbmodel.schedule/1"

METHODS = ("auto", "exact", "quick")
"""How to look for a plan; ``auto`` is exact up to 2,000 VMs."""

_EXACT_VMS = 2000

_COLUMNS = (
    "vm",
    "vault",
    "policy",
    "start_h",
    "present_policy",
    "present_start_h",
    "moved",
    "disks",
    "transfer_h",
    "backup_p95_h",
)
_SEEN = ("vm", "vault", "policy", "start_h", "present_start_h", "moved", "backup_p95_h")

_ASSUMED = (
    (
        "slots",
        "A policy starts at a full or a half hour, once a day, every day alike.",
        "",
    ),
    (
        "late-starts",
        "A backup may start up to start_slack_h late: that too is clear of every "
        "blackout and part of when it is done. Limits of VMs and disks at once are "
        "taken at the scheduled hour, as the sources print them.",
        "--set start_slack_h=VALUE",
    ),
    (
        "done",
        "A VM is done when 95 of 100 of its backups are, the start as late as it "
        "may be.",
        "",
    ),
    (
        "own-waiting",
        "While a plan is looked for, the VMs of a vault wait for each other by "
        "half-hours, in waves of one mean transfer; the figures before and after are "
        "those of an estimate, VM by VM.",
        "--set vault_servers=VALUE",
    ),
    (
        "copies",
        "A policy of which VMs get several starts is copied, retention and all, once "
        "for each start.",
        "",
    ),
)


@dataclass(frozen=True, repr=False)
class Schedule(Result):
    """A start for each VM, the policies that give it, and what that changes."""

    vms: pd.DataFrame  #: a row a VM, with start and policy now and as planned
    policies: pd.DataFrame  #: a row a policy as planned, by vault and start
    before: Mapping[str, float]  #: what the inventory comes to now
    after: Mapping[str, float]  #: what it comes to as planned
    broken_before: tuple[Broken, ...]  #: where rules are not kept now
    broken_after: tuple[Broken, ...]  #: where they are not as planned
    aims: tuple[Aim, ...]  #: how near the plan comes to the best
    method: str  #: ``exact`` or ``quick``
    running: pd.DataFrame  #: backups in progress at each hour, before and after
    rules: Rules  #: what was to be kept
    keep: tuple[str, ...]  #: VMs and policies that were to stay where they are
    scenario: Scenario
    assumptions: tuple[Assumption, ...]  #: what was taken for granted
    warnings: tuple[Notice, ...]  #: what of the plan deserves a look
    fleet: pd.DataFrame  #: the inventory with its new starts and policies

    schema: ClassVar[str] = SCHEMA

    def parts(self) -> Iterator[tuple[str, object]]:
        """Give what the JSON holds."""
        yield "model", computed_by(self.scenario.sets(), whole=True)
        yield "given", self.scenario.given
        yield "rules", asdict(self.rules) | {"keep": self.keep}
        yield "vms", self.vms
        yield "policies", self.policies
        yield "before", self.before
        yield "after", self.after
        yield "broken_before", [entry.to_dict() for entry in self.broken_before]
        yield "broken_after", [entry.to_dict() for entry in self.broken_after]
        yield "solver", {"method": self.method, "aims": self.aims}
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
                ", ".join(figures),
                f"{len(self.policies)} policies (.policies); found by the "
                f"{self.method} method",
            ),
        )


def schedule(
    fleet: Fleet,
    scenario: Scenario | None = None,
    *,
    blackout: Iterable[tuple[float, float]] = (),
    keep: Sequence[str] = (),
    done_by_h: float | None = None,
    peak_vms: float = 0,
    method: str = "auto",
    seconds: float = 45,
    progress: Callable[[str, int, int], None] | None = None,
) -> Schedule:
    """Plan the starts of an inventory.

    Parameters
    ----------
    fleet : path-like or DataFrame
        A row a disk: a file, or a table that is checked as a file is.
    scenario : Scenario, optional
        Constants and settings; `vault_vms`, `policy_vms` and `account_disks` are
        limits where the profile has them or the caller set them.
    blackout : iterable of (float, float)
        Hours of the day, from and to, in which no backup may start; they may go
        past midnight.
    keep : sequence of str
        VMs and policies that stay where they are.
    done_by_h : float, optional
        Hour of the day by which each backup has to be done, the first after the
        longest blackout.
    peak_vms : float
        VMs of a vault at work at a time, if they start on time, that are few
        enough: they are spread no further, and there are fewer policies. With 0,
        fewer are always better.
    method : str
        One of `METHODS`.
    seconds : float
        Time to look for a plan; setting up and reporting come on top.
    progress : callable, optional
        Called with a name, the VMs planned so far, and all VMs.

    Returns
    -------
    Schedule
        Starts, policies, figures before and after, and how good the plan is.

    Raises
    ------
    InventoryError
        If anything is wrong with the inventory; with all findings.
    ValueError
        If an argument is none, or no plan keeps the rules; says which cannot be
        kept, and by how much.

    Examples
    --------
    Three VMs of half an hour, one served at a time, no longer wait for each other:

    >>> disks = [dict(vm=v, disk="os", role="os", size_gib=128, used_gib=99)
    ...          for v in "abc"]
    >>> plan = schedule(pd.DataFrame(disks), Scenario.of(settings={"vault_servers": 1}),
    ...                 blackout=[(4, 22)])
    >>> plan.before["peak_vms"], plan.after["peak_vms"], plan.vms["start_h"].nunique()
    (3.0, 1.0, 3)
    """
    scenario = scenario or Scenario.of()
    rules = Rules.of(scenario, blackout, done_by_h, peak_vms)
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    if not 0 < seconds < np.inf:
        raise ValueError(f"seconds must be > 0 and finite; got {seconds:g}")
    fleet = disks_of(fleet).reindex(columns=list(DISK_COLUMNS)).reset_index(drop=True)
    disks = backed_up(filled(fleet, scenario)[0])
    vms = _vms(disks, keep)
    in_accounts = unmanaged(disks)[["vm", "storage_account"]].dropna()
    exact = method == "exact" or (method == "auto" and len(vms) <= _EXACT_VMS)
    starts, aims = planned(
        parts(fleet, vms, in_accounts, scenario, rules),
        len(vms),
        rules,
        exact=exact,
        seconds=seconds,
        progress=progress,
    )
    vms["start_h"] = vms["present_start_h"].where(vms["keep"], vms.index.map(starts))
    vms["start_h"] = vms["start_h"].astype(float)
    vms["policy"] = named(vms, rules.policy_vms)
    vms["moved"] = vms["start_h"] != vms["present_start_h"]
    new_fleet, planned_for = fleet.copy(), fleet["vm"].isin(vms.index)
    for name in ("start_h", "policy"):
        new = vms[name].reindex(fleet.loc[planned_for, "vm"])
        new_fleet.loc[planned_for, name] = new.to_numpy()
    now, then = (estimate_disks(f, scenario) for f in (fleet, new_fleet))
    present = vms.assign(policy=vms["present_policy"], start_h=vms["present_start_h"])
    sides = [_side(v, e, in_accounts, rules) for v, e in ((present, now), (vms, then))]
    (before, broken_before, running), (after, broken_after, later) = sides
    done = then.vms.set_index("vm").loc[vms.index]
    vms = vms.join(done[["transfer_h", "backup_p95_h"]])
    return Schedule(
        vms=vms.reset_index()[list(_COLUMNS)],
        policies=policy_table(vms, rules),
        before=before,
        after=after,
        broken_before=broken_before,
        broken_after=broken_after,
        aims=aims,
        method="exact" if exact else "quick",
        running=pd.DataFrame({"before": running, "after": later}),
        rules=rules,
        keep=tuple(keep),
        scenario=scenario,
        assumptions=then.assumptions
        + tuple(Assumption(f"schedule.{n}", t, None, s) for n, t, s in _ASSUMED),
        warnings=then.warnings,
        fleet=new_fleet,
    )


def _vms(disks: pd.DataFrame, keep: Sequence[str]) -> pd.DataFrame:
    """Gather the disks that are backed up into VMs, with what they do now."""
    by_vm = disks.groupby("vm", sort=False)
    vms = by_vm[["vault", "policy", "start_h"]].first()
    vms["disks"] = by_vm.size()
    known = {*vms.index, *vms["policy"]}
    problems = []
    for name in keep:
        if name not in known:
            near = difflib.get_close_matches(name, map(str, known), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            problems.append(f"no VM and no policy to keep is named {name!r}{hint}")
    if problems:
        raise ValueError("\n".join(problems))
    vms["keep"] = vms.index.isin(keep) | vms["policy"].isin(keep)
    vms["present_policy"], vms["present_start_h"] = vms["policy"], vms["start_h"]
    return vms


def _side(
    vms: pd.DataFrame, answer: Estimate, in_accounts: pd.DataFrame, rules: Rules
) -> tuple[dict[str, float], tuple[Broken, ...], pd.Series]:
    """Sum up one schedule: its figures, its broken rules, its day."""
    rows = answer.vms.set_index("vm").loc[vms.index]
    job_h, start_h = rows["transfer_h"].to_numpy(), vms["start_h"].to_numpy()
    slack_h = rules.start_slack_h
    late_h = np.where(job_h > 0, job_h + slack_h, 0)
    vault = pd.factorize(vms["vault"])[0]
    peaks = []
    for length_h in (job_h, late_h):
        load = np.zeros((vault.max(initial=-1) + 1, SLOTS))
        np.add.at(load, vault, in_use(length_h, start_h))
        peaks.append(float(load.max(initial=0)))
    finish_h = rules.from_origin_h(start_h) + slack_h + rows["backup_p95_h"].to_numpy()
    checked = vms.join(rows["backup_p95_h"])
    found = tuple(broken(checked, in_accounts, rules))
    figures = {
        "expected_misses": answer.total["expected_misses"],
        "peak_vms": peaks[0],
        "late_peak_vms": peaks[1],
        "last_finish_h": float(finish_h.max(initial=0)),
        "wait_mean_h": float(rows["wait_mean_h"].mean()) if len(rows) else 0.0,
        "policies": len(vms[["vault", "policy"]].drop_duplicates()),
        "moved_vms": int((vms["start_h"] != vms["present_start_h"]).sum()),
        "broken_rules": len(found),
    }
    hours = pd.Index(np.arange(0, 24, 0.25), name="hour")
    ago = (hours.to_numpy() - start_h[:, np.newaxis]) % 24
    open_h = np.minimum(rows["backup_p50_h"].to_numpy(), 24)[:, np.newaxis]
    return figures, found, pd.Series((ago < open_h).sum(axis=0), index=hours)
