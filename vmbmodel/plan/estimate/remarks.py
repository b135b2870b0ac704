"""What an estimate takes for granted, and what in it deserves a look."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vmbmodel import formulas
from vmbmodel._words import counted
from vmbmodel.fields import fields, shown
from vmbmodel.inventory.fleet import OF_THE_POLICY
from vmbmodel.plan import practices
from vmbmodel.plan.facts import backed_up, stands, those, told, unmanaged
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import readings

__all__ = [
    "AT_RISK_PROB",
    "Assumption",
    "Notice",
    "assumptions",
    "misses_said",
    "notices",
    "objective_said",
    "restore_said",
    "wait_said",
]

AT_RISK_PROB = 0.95
"""Chance to meet the deadline below which a VM is pointed out."""

_HALF_90 = 1.6448536269514722
"""Standard deviations on either side of the middle that hold 90 of 100."""

_PUBLISHED_JOBS = 67
"""Backups of the published chart, of which none took longer than a day."""

_ROUNDED = 1e-9
"""Deadlines missed a night below which the sum of so many chances is rounding."""

_ALWAYS = (
    (
        "month",
        "The bill is that of a full month, long after the first backup, at the size "
        "and churn of the inventory.",
    ),
    (
        "own-line",
        "Jobs of one vault are let go in the order in which their snapshots are done, "
        "vault_servers at a time, in an order by chance within a start. Other "
        "customers' jobs are waited for after that, each job with its own luck.",
    ),
    (
        "parallel-disks",
        "All disks of a VM are copied at the same time. Managed ones share vm_mib_s, "
        "which is no limit unless you set one; unmanaged ones of one storage account "
        "that start together share what its applications, application_frac of it, "
        "leave of what it gives.",
    ),
    (
        "restore",
        "A VM is restored into an account of its own; all of them at once into "
        "restore_accounts accounts, one for each VM if that is not set, dealt in the "
        "order of their names, vault_servers of a vault at a time, each VM with its "
        "own luck.",
    ),
    (
        "clocks",
        "job times count from the start of the job, as a log shows them, done times "
        "from the scheduled hour; deadline_clock says which a deadline is held "
        "against.",
    ),
)


@dataclass(frozen=True)
class Assumption:
    """One thing taken for granted."""

    id: str
    text: str
    value: object  #: what was taken, if it is a value
    switch: str  #: how to assume something else; empty if that cannot be done


@dataclass(frozen=True)
class Notice:
    """One thing worth a look."""

    code: str
    vm: str  #: the one it is about; empty if it is about several
    text: str


def assumptions(scenario: Scenario, taken: Mapping[str, int]) -> tuple[Assumption, ...]:
    """List what an estimate rests on; `taken` counts the cells filled, by column."""
    return (
        *_from_columns(scenario, taken),
        *_from_readings(scenario, taken),
        *_from_constants(scenario, taken),
        *_from_retention(scenario),
        *(Assumption("others-wait", said, None, "") for said in wait_said(scenario)),
        *(Assumption("restore-law", said, None, "") for said in restore_said(scenario)),
        *(Assumption(name, text, None, "") for name, text in _ALWAYS),
    )


def _from_columns(scenario, taken) -> Iterator[Assumption]:
    for name, disks in taken.items():
        if not disks or name in OF_THE_POLICY:  # a constant each, told with these
            continue
        without = counted(disks, "disk")
        if name == "disk_type":
            text = f"No tier limits the copy of {without} without a disk_type."
            yield Assumption(f"column.{name}", text, None, f"fill the column {name}")
            continue
        value = scenario[name]
        shown = str(value).lower() if isinstance(value, bool) else value
        what = f"{name} taken as {shown}"
        if name == "churn_gib_per_day" and value is None:
            value = scenario["churn_frac"]
            what = f"{name} taken as {value:g} of used_gib"
        yield Assumption(
            f"column.{name}",
            f"{what} for {without} without one.",
            value,
            f"fill the column {name}, or --set {name}=VALUE",
        )


def _from_readings(scenario, taken) -> Iterator[Assumption]:
    for reading in readings():
        of_it = reading.settings
        asked = {n: v for n, v in of_it.items() if stands(n, scenario, taken)}
        if of_it and not asked:  # the inventory says all of it
            continue
        settings = " ".join(f"--set {name}={value}" for name, value in asked.items())
        text, value = reading.default, None
        if any(name in scenario.given for name in asked):
            text, value = "Read as the caller set it.", {n: scenario[n] for n in asked}
        elif len(asked) < len(of_it):
            said = ", ".join(f"{name} {shown(name, scenario[name])}" for name in asked)
            text = f"Where a cell is blank: {said}."
        yield Assumption(f"reading.{reading.id}", text, value, settings)


def _from_retention(scenario) -> Iterator[Assumption]:
    longer = (scenario[f"{level}_points"] for level in ("weekly", "monthly", "yearly"))
    if any(longer) and "rewritten_frac" not in scenario.given:
        yield Assumption(
            "overlap",
            "Of what changes in a day, nothing is known to change again in the next: "
            "changes fall at random over all data, and weekly and longer points hold "
            "more than most do.",
            scenario["rewritten_frac"],
            "--set rewritten_frac=SHARE",
        )


def _from_constants(scenario, taken) -> Iterator[Assumption]:
    for kind, constants in scenario.sets():
        for name, origin in constants.origins.items():
            if origin.status == "assumed" and stands(name, scenario, taken):
                text = f"{fields()[name].text} {origin.note}".strip()
                switch = f"--set {name}=VALUE"
                yield Assumption(f"{kind}.{name}", text, constants[name], switch)


def wait_said(scenario: Scenario) -> tuple[str, ...]:
    """Say how far the published wait for others may be from that of an estate.

    >>> print(*wait_said(Scenario.of()))
    The mean wait for others is 2.4 h as published; 1.1 to 5.5 h is assumed for 90 of
    100 estates. A log of 20 nights settles yours: vmbmodel calibrate.
    """
    if scenario["utilisation_frac"] is not None:
        return ()
    by_start = scenario.profile.wait_by_start
    if scenario["eight_hours"] == "measured" and by_start:
        least, most = (end(by_start, key=by_start.get) for end in (min, max))
        mean_h = scenario["others_wait_mean_h"]
        return (
            f"Who waits for others does so {mean_h:.1f} h on average, by the log: "
            f"{by_start[least] * mean_h:.1f} h if scheduled for {least}, "
            f"{by_start[most] * mean_h:.1f} h for {most}. At hours of which the log "
            "does not tell enough, it is the average.",
        )
    if scenario["eight_hours"] != "published":
        return ()
    mean_h = scenario["others_wait_mean_h"]
    low, high = np.exp(np.array([-1, 1]) * _HALF_90 * scenario["others_wait_log_sd"])
    return (
        f"The mean wait for others is {mean_h:.1f} h as published; {low * mean_h:.1f} "
        f"to {high * mean_h:.1f} h is assumed for 90 of 100 estates. A log of 20 "
        "nights settles yours: vmbmodel calibrate.",
    )


def restore_said(scenario: Scenario) -> tuple[str, ...]:
    """Say between which times a restore from the vault lies.

    >>> print(*restore_said(Scenario.of()))
    A restore from the vault of up to 192 GiB a disk takes 17 to 65 min, 8 times of 10;
    so say the 43 restores that its law is taken from. Time one of yours.
    """
    if scenario["restore_law"] != "published":
        return ()
    names = "restore_p50_h", "restore_log_sd", "restore_sample"
    law = {name: scenario[name] for name in names}
    low, high = 60 * formulas.restore_quantile_h([0.1, 0.9], **law)
    return (
        f"A restore from the vault of up to {scenario['restore_known_gib']:.0f} GiB a "
        f"disk takes {low:.0f} to {high:.0f} min, 8 times of 10; so say the "
        f"{scenario['restore_sample']:.0f} restores that its law is taken from. Time "
        "one of yours.",
    )


def misses_said(misses: float, scenario: Scenario, vms: float) -> str:
    """Say how many deadlines are missed a night, and where published jobs end.

    >>> misses_said(0.00583, Scenario.of(), 40)
    '0.00583 (so few that the 67 published jobs cannot tell them from none)'
    >>> misses_said(5e-13, Scenario.of(settings={"eight_hours": "overload"}), 40)
    'less than 1e-09'
    """
    said = shown("expected_misses", misses)
    if 0 < misses < _ROUNDED:
        said = f"less than {_ROUNDED:g}"
    told_prob = 1 - 0.05 ** (1 / _PUBLISHED_JOBS)
    if scenario["eight_hours"] == "published" and misses < told_prob * vms:
        said += f" (so few that the {_PUBLISHED_JOBS} published jobs cannot tell them "
        said += "from none)"
    return said


def objective_said(vms: pd.DataFrame, scenario: Scenario) -> str:
    """Say how many VMs are back from the vault in the time asked for.

    >>> vms = pd.DataFrame(dict(vm=["a", "b"], disks=[1, 2], rto_prob=[0.999, 0.2519]))
    >>> print(objective_said(vms, Scenario.of()))
    Restored alone from the vault, 1 of 2 VMs is not back within 4 h (rto_h) 95 times of
    100 (least certain: b, 25 times).
    """
    vms = vms[vms["disks"] > 0]
    objective = f"within {scenario['rto_h']:g} h (rto_h)"
    often = f"{100 * AT_RISK_PROB:.0f} times of 100"
    late = vms[vms["rto_prob"] < AT_RISK_PROB]
    if late.empty:
        return f"Restored alone from the vault, every VM is back {objective} {often}."
    least = late.loc[late["rto_prob"].idxmin()]
    return (
        f"Restored alone from the vault, {len(late):,} of {counted(len(vms), 'VM')} "
        f"{'is' if len(late) == 1 else 'are'} not back "
        f"{objective} {often} (least certain: {least['vm']}, "
        f"{math.floor(100 * least['rto_prob'])} times)."
    )


def notices(
    fleet: pd.DataFrame, disks: pd.DataFrame, vms: pd.DataFrame, scenario: Scenario
) -> tuple[Notice, ...]:
    """Look an estimate of a fleet over: its disks, and its VMs, indexed by name."""
    return (
        *_of_vms(fleet, vms, scenario),
        *_of_disks(disks, scenario),
        *_of_vaults(vms, scenario),
        *_of_accounts(disks, scenario),
    )


def _of_vms(fleet, vms, scenario) -> Iterator[Notice]:
    deadline_h, names = scenario["deadline_h"], vms.index
    for at in np.flatnonzero(vms["disks"] == 0):
        text = "Nothing to back up: every disk is temporary or excluded."
        yield Notice("nothing_to_back_up", names[at], text)
    for at in np.flatnonzero(vms["archive"] & (vms["redundancy"] == "ZRS")):
        text = "A vault of redundancy ZRS has no archive tier: its points stay."
        yield Notice("no_archive", names[at], text)
    prob, transfer_h = vms["deadline_prob"].to_numpy(), vms["transfer_h"].to_numpy()
    for at in np.flatnonzero(prob < AT_RISK_PROB):
        text = (
            f"The next backup is done within {deadline_h:g} h with a probability of "
            f"{prob[at]:.3f}: its transfer takes {transfer_h[at]:.1f} h."
        )
        yield Notice("deadline_at_risk", names[at], text)
    first_h, first = (vms[n].to_numpy() for n in ("first_backup_h", "first_backup"))
    for at in np.flatnonzero((first_h > deadline_h) & first):
        text = (
            f"Its first backup copies for {first_h[at]:.1f} h, longer than "
            f"{deadline_h:g} h: begin it when nothing depends on the next ones."
        )
        yield Notice("first_backup_misses_deadline", names[at], text)
    if "max_churn_gib_per_day" in scenario.profile:
        most, backup_h = (
            scenario[name] for name in ("max_churn_gib_per_day", "high_churn_backup_h")
        )
        places = list(practices.high_churn(vms, most, backup_h))
        busy = fleet[fleet["vm"].isin([place.where["vm"] for place in places])]
        disks = backed_up(told(busy, scenario))
        assumed = set(disks.loc[disks["churn_gib_per_day"].isna(), "vm"])
        for place in places:
            vm = place.where["vm"]
            rests_on = " Its churn is assumed." if vm in assumed else ""
            yield Notice("high_churn", vm, place.text + rests_on)


def _of_disks(disks, scenario) -> Iterator[Notice]:
    for place in practices.new_disks(disks):
        yield Notice("new_disk", place.where["vm"], place.text)
    for place in practices.compared_disks(disks):
        yield Notice("consistency_check", place.where["vm"], place.text)
    if "min_write_kib" in scenario.profile:
        for place in practices.small_writes(disks, scenario["min_write_kib"]):
            yield Notice("small_writes", place.where["vm"], place.text)


def _of_vaults(vms, scenario) -> Iterator[Notice]:
    served, waiting = scenario["vault_servers"], vms[vms["own_line_mean_h"] > 0]
    by_vault = waiting.groupby("vault", sort=False, observed=True)
    for vault, own_h in by_vault["own_line_mean_h"]:
        text = (
            f"{counted(len(own_h), 'VM')} of vault {vault} "
            f"{'waits' if len(own_h) == 1 else 'wait'} for others of it, "
            f"{own_h.mean():.1f} h on average: {served:g} are served at a time."
        )
        if math.isinf(own_h.max()):
            text = (
                f"Vault {vault} has more to transfer than a day has hours, "
                f"{served:g} VMs at a time: its backups are never done."
            )
        yield Notice("own_line", "", text)
    twice = scenario["eight_hours"] in ("overload", "quantile")
    if twice and "vault_servers" in scenario.given:
        text = (
            "vault_servers is set together with a wait for others that is made of the "
            "eight hours: both lines may hold the same wait."
        )
        yield Notice("eight_hours_twice", "", text)
    if "vault_vms" in scenario.profile:
        busy = those(vms, vms["disks"].to_numpy() > 0)
        for place in practices.crowded_starts(busy, scenario["vault_vms"]):
            yield Notice("traffic_jam", "", place.text)


def _of_accounts(disks, scenario) -> Iterator[Notice]:
    own = unmanaged(disks)
    if "account_disks" in scenario.profile:
        for place in practices.crowded_schedules(own, scenario["account_disks"]):
            yield Notice("crowded_schedule", "", place.text)
    if "busy_account_disks_high" in scenario.profile:
        low, high = (scenario[f"busy_account_disks_{end}"] for end in ("low", "high"))
        for place in practices.busy_accounts(own, low, high):
            yield Notice("busy_account", "", place.text)
