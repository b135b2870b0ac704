"""One inventory, one scenario: time, deadline, restore and bill of every VM."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

import vmbmodel
from vmbmodel.fields import defaults, fields
from vmbmodel.inventory.fleet import COLUMNS as DISK_COLUMNS
from vmbmodel.inventory.fleet import OF_THE_VM
from vmbmodel.plan.answers import plain, provenance, records
from vmbmodel.plan.estimate.assumptions import Assumption, assumptions
from vmbmodel.plan.estimate.bills import add_bill, check_reservation
from vmbmodel.plan.estimate.misses import fleet_misses, policy_misses
from vmbmodel.plan.estimate.months import break_dates, month_rows, month_totals
from vmbmodel.plan.estimate.notices import Notice, notices
from vmbmodel.plan.estimate.others import of_others
from vmbmodel.plan.estimate.own_line import add_backup
from vmbmodel.plan.estimate.restores import add_point_ages, add_restore, all_restored_h
from vmbmodel.plan.estimate.transfers import add_times
from vmbmodel.plan.scenario import Scenario

__all__ = ["COLUMNS", "SCHEMA", "Estimate", "estimate"]

SCHEMA = "vmbmodel.estimate/1"

COLUMNS = (
    "disks",
    "used_gib",
    "churn_gib_per_day",
    "first_backup_h",
    "transfer_h",
    "wait_mean_h",
    "wait_p95_h",
    "backup_p50_h",
    "backup_p95_h",
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
_SUMMED = (
    "disks",
    "used_gib",
    "churn_gib_per_day",
    "protected_instance_gib",
    "protected_instances",
    "instance_usd",
    "stored_gib",
    "storage_usd",
    "snapshot_usd",
    "total_usd",
)


@dataclass(frozen=True)
class Estimate:
    """What an inventory comes to under a scenario, and what that rests on.

    Parameters
    ----------
    vms : DataFrame
        A row a VM, in the order of the inventory.
    total : Mapping[str, float]
        Sums of the rows, the number of VMs, and how often deadlines are missed.
    scenario : Scenario
        Constants and settings that were used.
    assumptions : tuple of Assumption
        What was taken for granted, and how to switch it.
    warnings : tuple of Notice
        What in the inventory deserves a look.
    fleet : DataFrame
        The inventory, a row a disk, with nothing filled in.
    policies : DataFrame
        A row a policy of a vault: how often its backups miss.
    months : DataFrame, optional
        A row a month to come and VM, if asked for.
    """

    vms: pd.DataFrame
    total: Mapping[str, float]
    scenario: Scenario
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Notice, ...]
    fleet: pd.DataFrame
    policies: pd.DataFrame
    months: pd.DataFrame | None = None

    def to_dict(self) -> dict:
        """Return the documented JSON object, with ``"inf"`` for never.

        Examples
        --------
        >>> import pandas as pd
        >>> disk = dict(vm="a", disk="os", role="os", size_gib=128, used_gib=47)
        >>> answer = estimate(pd.DataFrame([disk]), Scenario.of()).to_dict()
        >>> answer["schema"], answer["vms"][0]["instance_usd"]
        ('vmbmodel.estimate/1', 5.0)
        """
        listed = {"inventory", "vms"}
        return {n: list(v) if n in listed else v for n, v in self.items()}

    def items(self) -> Iterator[tuple[str, object]]:
        """Give that object part by part; the long lists are iterators."""
        inputs = {name: c for _, s in self.scenario.sets() for name, c in s.items()}
        inputs |= {n: v for n, v in self.scenario.options.items() if v is not None}
        yield "schema", SCHEMA
        yield (
            "model",
            {"version": vmbmodel.__version__} | dict(provenance(self.scenario)),
        )
        yield "given", plain(dict(self.scenario.given))
        yield "inputs", plain(inputs)
        yield "vms", records(self.vms)
        yield "total", plain(dict(self.total))
        yield "policies", list(records(self.policies))
        if self.months is not None:
            yield "months", list(records(month_totals(self.months)))
        yield "assumptions", plain([vars(entry) for entry in self.assumptions])
        yield "warnings", plain([vars(entry) for entry in self.warnings])
        yield "inventory", (_known(row) for row in records(self.fleet))


def estimate(fleet: pd.DataFrame, scenario: Scenario, months: int = 0) -> Estimate:
    """Estimate every VM of an inventory.

    Parameters
    ----------
    fleet : DataFrame
        A row a disk, as `vmbmodel.inventory.fleet.read` gives it.
    scenario : Scenario
        Constants, readings and what blank cells are taken as.
    months : int, optional
        How many months to come are billed one by one.

    Returns
    -------
    Estimate
        Rows, totals, assumptions and warnings.

    Raises
    ------
    ValueError
        If capacity is reserved that is not sold.

    Examples
    --------
    A VM with one full disk of 4,095 GiB cannot be copied in a day:

    >>> disk = dict(vm="a", disk="os", role="os", size_gib=4095, used_gib=4095,
    ...             first_backup=True)
    >>> answer = estimate(pd.DataFrame([disk]), Scenario.of())
    >>> print(answer.vms.at[0, "first_backup_h"], answer.vms.at[0, "deadline_prob"])
    61.07 0.0
    """
    check_reservation(scenario)
    disks, taken = filled(fleet, scenario)
    kept = disks[~disks["excluded"] & (disks["role"] != "temp")]
    with np.errstate(over="ignore", divide="ignore"):  # a rate of next to nothing
        add_times(kept, scenario)
        vms = _vms(disks, kept)
        wait = scenario, of_others(scenario)
        add_backup(vms, *wait)
        add_restore(vms, kept, *wait)
        all_h = all_restored_h(vms, kept, *wait)
        add_point_ages(vms, scenario)
        add_bill(vms, scenario)
        ahead = month_rows(vms, scenario, months) if months else None
        steps = break_dates(vms, scenario, months, lambda v: add_backup(v, *wait))
        found = (*notices(kept, vms, scenario), *(steps if months else ()))
    rows = vms.reset_index()[["vm", *COLUMNS]]
    totals = {"vms": len(rows)} | {n: _sum(rows[n]) for n in _SUMMED}
    totals |= fleet_misses(vms)
    totals["restore_all_h"] = all_h
    return Estimate(
        vms=rows,
        total=totals,
        scenario=scenario,
        assumptions=assumptions(scenario, taken),
        warnings=found,
        fleet=fleet.reindex(columns=DISK_COLUMNS),
        policies=policy_misses(vms),
        months=ahead,
    )


def filled(disks: pd.DataFrame, scenario: Scenario) -> tuple[pd.DataFrame, dict]:
    """Fill blank cells, and count for each column how many were filled."""
    disks = disks.reindex(columns=DISK_COLUMNS).reset_index(drop=True)
    # what one disk says of its VM, the others need not repeat
    for name in OF_THE_VM:
        known = disks.groupby("vm", sort=False)[name].transform("first")
        disks[name] = disks[name].where(disks[name].notna(), known)
    # what the user calls a GB, in GiB
    gib = scenario["gb_bytes"] / 2**30
    for name in ("size_gib", "used_gib"):
        disks[name] = disks[name].astype(float) * gib
    fill = {name: scenario[name] for name in defaults()}
    fill |= {n: scenario[n] for n in ("write_kib", "dispersion", "active_frac")}
    taken = {}
    for name, value in fill.items():
        column = disks[name]
        taken[name] = int(column.isna().sum())
        disks[name] = column.astype(object).where(column.notna(), value)
        # a start of 20.5 h stays one, though the default of 23 is whole
        kind = float if fields()[name].kind == "number" else type(value)
        disks[name] = disks[name].astype(kind)
    if scenario["tier_reading"] == "disk":
        taken["disk_type"] = int(disks["disk_type"].isna().sum())
    churn = disks["churn_gib_per_day"].astype(float)
    taken["churn_gib_per_day"] = int(churn.isna().sum())
    if scenario["churn_gib_per_day"] is None:
        blank = scenario["churn_frac"] * disks["used_gib"] / gib
    else:
        blank = float(scenario["churn_gib_per_day"])
    disks["churn_gib_per_day"] = churn.where(churn.notna(), blank) * gib
    return disks, taken


def _known(row: dict) -> dict:
    return {name: value for name, value in row.items() if value is not None}


def _vms(disks: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """Gather disks into VMs: sums of data, the slowest disk for times."""
    every = disks.groupby("vm", sort=False)
    vms = every[["vault", "policy", "start_h", "redundancy", "first_backup"]].first()
    by_vm = kept.groupby("vm", sort=False)
    vms["disks"] = by_vm.size().reindex(vms.index, fill_value=0)
    sums = by_vm[["used_gib", "churn_gib_per_day", "changed_gib"]].sum()
    times = by_vm[["disk_h", "first_h"]].max()
    vms = vms.join([sums, times])
    numbers = [*sums.columns, *times.columns]
    vms[numbers] = vms[numbers].fillna(0.0)
    return vms.rename(columns={"disk_h": "transfer_h", "first_h": "first_backup_h"})


def _sum(column: pd.Series) -> float:
    try:
        return math.fsum(column)
    except OverflowError:
        return math.inf
