"""One inventory, one scenario: time, deadline, restore and bill of every VM."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

import vmbmodel
from vmbmodel.formulas import (
    billing,
    dispersion,
    jam,
    queueing,
    restore,
    retention,
    total,
    transfer,
)
from vmbmodel.inventory.fleet import COLUMNS as DISK_COLUMNS
from vmbmodel.inventory.fleet import OF_THE_VM
from vmbmodel.plan.assumptions import Assumption, assumptions
from vmbmodel.plan.groups import completion_by_group_h
from vmbmodel.plan.notices import Notice, notices
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service.prices import storage_usd_per_gib_month
from vmbmodel.units import fields

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
        Sums of the rows, the number of VMs, and the expected misses.
    scenario : Scenario
        Constants and settings that were used.
    assumptions : tuple of Assumption
        What was taken for granted, and how to switch it.
    warnings : tuple of Notice
        What in the inventory deserves a look.
    """

    vms: pd.DataFrame
    total: Mapping[str, float]
    scenario: Scenario
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Notice, ...]

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
        constants = {
            kind: {"name": c.name, "sha256": c.sha256}
            for kind, c in self.scenario.sets()
        }
        inputs = {name: c for _, s in self.scenario.sets() for name, c in s.items()}
        inputs |= {n: v for n, v in self.scenario.options.items() if v is not None}
        return _plain(
            {
                "schema": SCHEMA,
                "model": {"version": vmbmodel.__version__} | constants,
                "inputs": inputs,
                "vms": self.vms.to_dict("records"),
                "total": dict(self.total),
                "assumptions": [vars(entry) for entry in self.assumptions],
                "warnings": [vars(entry) for entry in self.warnings],
            }
        )


def estimate(fleet: pd.DataFrame, scenario: Scenario) -> Estimate:
    """Estimate every VM of an inventory.

    Parameters
    ----------
    fleet : DataFrame
        A row a disk, as `vmbmodel.inventory.fleet.read` gives it.
    scenario : Scenario
        Constants, readings and what blank cells are taken as.

    Returns
    -------
    Estimate
        Rows, totals, assumptions and warnings.

    Examples
    --------
    A VM with one full disk of 4,095 GiB cannot be copied in a day:

    >>> disk = dict(vm="a", disk="os", role="os", size_gib=4095, used_gib=4095,
    ...             first_backup=True)
    >>> answer = estimate(pd.DataFrame([disk]), Scenario.of())
    >>> print(answer.vms.at[0, "first_backup_h"], answer.vms.at[0, "deadline_prob"])
    61.07 0.0
    """
    disks, taken = _filled(fleet, scenario)
    kept = disks[~disks["excluded"] & (disks["role"] != "temp")]
    with np.errstate(over="ignore", divide="ignore"):  # a rate of next to nothing
        _add_times(kept, scenario)
        vms = _vms(disks, kept)
        decay_per_h, wait_prob = _wait(scenario)
        _add_backup(vms, scenario, decay_per_h, wait_prob)
        _add_restore(vms, scenario, decay_per_h, wait_prob)
        _add_bill(vms, scenario)
    rows = vms.reset_index()[["vm", *COLUMNS]]
    totals = {"vms": len(rows)} | {n: _sum(rows[n]) for n in _SUMMED}
    totals["expected_misses"] = _sum(1 - rows["deadline_prob"])
    return Estimate(
        vms=rows,
        total=totals,
        scenario=scenario,
        assumptions=assumptions(scenario, taken),
        warnings=notices(kept, vms, scenario),
    )


def _filled(disks: pd.DataFrame, scenario: Scenario) -> tuple[pd.DataFrame, dict]:
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
    fill = {n: f.default for n, f in fields().items() if f.default is not None}
    fill = {name: scenario[name] for name in fill}
    fill |= {n: scenario[n] for n in ("write_kib", "dispersion", "active_frac")}
    taken = {}
    for name, value in fill.items():
        column = disks[name]
        taken[name] = int(column.isna().sum())
        disks[name] = column.astype(object).where(column.notna(), value)
        # a start of 20.5 h stays one, though the default of 23 is whole
        kind = float if fields()[name].kind == "number" else type(value)
        disks[name] = disks[name].astype(kind)
    churn = disks["churn_gib_per_day"].astype(float)
    taken["churn_gib_per_day"] = int(churn.isna().sum())
    if scenario["churn_gib_per_day"] is None:
        blank = scenario["churn_frac"] * disks["used_gib"] / gib
    else:
        blank = float(scenario["churn_gib_per_day"])
    disks["churn_gib_per_day"] = churn.where(churn.notna(), blank) * gib
    return disks, taken


def _add_times(disks: pd.DataFrame, scenario: Scenario) -> None:
    """Add, disk by disk, what moves and how long it takes beside the others."""
    used = disks["used_gib"]
    amplified = dispersion.cell_amplification(
        disks["write_kib"], disks["dispersion"], scenario["cell_kib"]
    )
    disks["changed_gib"] = np.minimum(disks["churn_gib_per_day"] * amplified, used)
    initial_mib_s = min(scenario["initial_mib_s"], scenario["blob_mib_s"])
    incremental_mib_s = min(scenario["incremental_mib_s"], scenario["blob_mib_s"])
    first_h = transfer.initial_h(used, initial_mib_s)
    if scenario["incremental_reading"] == "used":
        increment_h = transfer.scan_h(used, incremental_mib_s)
    else:
        increment_h = transfer.incremental_h(
            used,
            disks["changed_gib"],
            disks["dispersion"],
            disks["active_frac"],
            incremental_mib_s,
            scenario["blob_iops"],
            scenario["cell_kib"],
            scenario["block_kib"],
            scenario["overlap_frac"],
        )
    compare_h = np.maximum(
        transfer.checksum_compare_h(
            used, disks["changed_gib"], incremental_mib_s, scenario["overlap_frac"]
        ),
        increment_h,
    )
    anew = disks["first_backup"] | disks["new_disk"]
    whole = anew | disks["cc_mode"] | (scenario["incremental_reading"] == "used")
    alone_h = increment_h.mask(disks["cc_mode"], compare_h).mask(anew, first_h)
    read_gib, extents = _traffic(disks, scenario)
    disks["disk_h"] = _beside_others_h(
        disks.groupby(["storage_account", "start_h"], dropna=False).ngroup(),
        disks["managed"],
        alone_h,
        read_gib.mask(whole, used),
        extents.mask(whole, 0),
        scenario,
    )
    disks["first_h"] = _beside_others_h(
        disks.groupby(["storage_account", "vm"], dropna=False).ngroup(),
        disks["managed"],
        first_h,
        used,
        0 * used,
        scenario,
    )


def _traffic(disks: pd.DataFrame, scenario: Scenario) -> tuple[pd.Series, pd.Series]:
    """Return what an increment reads of each disk, and in how many extents."""
    changed_frac = (disks["changed_gib"] / disks["used_gib"]).fillna(0.0)
    touched = dispersion.changed_blocks_frac(
        changed_frac,
        disks["dispersion"],
        max(scenario["block_kib"] / scenario["cell_kib"], 1),
        disks["active_frac"],
    )
    extent_kib = dispersion.mean_extent_kib(
        disks["dispersion"], changed_frac, scenario["cell_kib"]
    )
    return disks["used_gib"] * touched, disks["changed_gib"] * 2**20 / extent_kib


def _beside_others_h(
    group: pd.Series,
    managed: pd.Series,
    alone_h: pd.Series,
    read_gib: pd.Series,
    extents: pd.Series,
    scenario: Scenario,
) -> np.ndarray:
    """Time of a disk whose storage account serves the others of its group.

    What a disk takes from its account is what it reads, spread over the time
    it would need alone. An account gives so many MiB and so many requests a
    second; the latter are MiB at the mean size of the group's requests. The
    service handles the storage of managed disks.
    """
    times = alone_h.to_numpy(copy=True)
    moving = (~managed & (alone_h > 0) & (read_gib > 0)).to_numpy()
    if not moving.any():
        return times
    number, read = pd.factorize(group[moving])[0], read_gib.to_numpy()[moving]
    requests = read * 2**20 / scenario["request_kib"] + extents.to_numpy()[moving]
    request_mib = np.bincount(number, read * 1024) / np.bincount(number, requests)
    times[moving] = completion_by_group_h(
        number,
        read,
        read * 1024 / (times[moving] * 3600),
        np.minimum(scenario["account_mib_s"], scenario["account_iops"] * request_mib),
    )
    return times


def _vms(disks: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """Gather disks into VMs: sums of data, the slowest disk for times."""
    every = disks.groupby("vm", sort=False)
    vms = every[["vault", "policy", "start_h", "redundancy", "first_backup"]].first()
    by_vm = kept.groupby("vm", sort=False)
    vms["disks"] = by_vm.size().reindex(vms.index, fill_value=0)
    sums = by_vm[["used_gib", "churn_gib_per_day", "changed_gib"]].sum()
    times = by_vm[["disk_h", "first_h"]].max()
    largest = by_vm["used_gib"].max().rename("largest_gib")
    vms = vms.join([sums, times, largest])
    numbers = [*sums.columns, *times.columns, "largest_gib"]
    vms[numbers] = vms[numbers].fillna(0.0)
    return vms.rename(columns={"disk_h": "transfer_h", "first_h": "first_backup_h"})


def _add_backup(
    vms: pd.DataFrame, scenario: Scenario, decay_per_h: float, wait_prob: float
) -> None:
    """Add wait, own line, total time and the chance to meet the deadline."""
    vms["jam_h"] = _own_line_h(vms, scenario)
    mean_h = total.total_mean_h(0, wait_prob, decay_per_h)
    p95_h = total.total_quantile_h(0.95, 0, wait_prob, decay_per_h)
    vms["wait_mean_h"] = vms["jam_h"] + mean_h
    vms["wait_p95_h"] = vms["jam_h"] + p95_h
    fixed_h = (
        scenario["extension_h"] * vms["first_backup"]
        + scenario["snapshot_h"]
        + vms["jam_h"]
        + vms["transfer_h"]
    )
    for name, share in (("backup_p50_h", 0.5), ("backup_p95_h", 0.95)):
        vms[name] = total.total_quantile_h(share, fixed_h, wait_prob, decay_per_h)
    vms["deadline_h"] = float(scenario["deadline_h"])
    vms["deadline_prob"] = total.done_within_prob(
        vms["deadline_h"], fixed_h, wait_prob, decay_per_h
    )


def _wait(scenario: Scenario) -> tuple[float, float]:
    """Return how fast other customers' jobs clear, and how often they are ahead."""
    servers, service_h = scenario["servers"], scenario["service_h"]
    busy = scenario["utilisation_frac"]
    if busy is None:
        busy = queueing.utilisation_for_wait_frac(
            scenario["peak_wait_h"], scenario["peak_wait_prob"], servers, service_h
        )
    decay_per_h = queueing.wait_decay_per_h(
        servers, busy * servers / service_h, service_h
    )
    return decay_per_h, queueing.erlang_c_prob(servers, busy * servers)


def _own_line_h(vms: pd.DataFrame, scenario: Scenario) -> np.ndarray:
    """Wait for VMs of the same vault, of which so many are served at a time."""
    start_h, service_h = vms["start_h"].to_numpy(), vms["transfer_h"].to_numpy()
    jam_h, moving = np.zeros(len(vms)), np.flatnonzero(service_h > 0)
    served = scenario["vault_servers"]
    for members in vms.iloc[moving].groupby("vault").indices.values():
        if len(members) > served:  # else nobody waits, unless for himself of yesterday
            at = moving[members]
            jam_h[at] = _daily_line_h(start_h[at], service_h[at], served)
    return jam_h


def _daily_line_h(
    start_h: np.ndarray, service_h: np.ndarray, served: float
) -> np.ndarray | float:
    """Wait on a day like the one before it, with what that has left over ahead.

    More work than a day has hours never clears.
    """
    if service_h.sum() >= 24 * served:
        return np.inf
    days = 2 + int(service_h.max() // 24)
    while True:
        arrival_h = start_h + 24 * np.arange(days)[:, np.newaxis]
        line_h = jam.line_wait_h(
            arrival_h.ravel(), np.tile(service_h, days), served
        ).reshape(arrival_h.shape)
        settled = np.allclose(line_h[-1], line_h[days // 2 - 1], rtol=0, atol=1e-6)
        if settled or days > 100:
            return line_h[-1]
        days *= 2


def _add_restore(
    vms: pd.DataFrame, scenario: Scenario, decay_per_h: float, wait_prob: float
) -> None:
    """Add the time to get a VM back, from the vault and from its snapshot."""
    if scenario["restore_first"]:  # it waits for the next free mover, for nobody else
        servers, service_h = scenario["servers"], scenario["service_h"]
        decay_per_h = queueing.wait_decay_per_h(servers, 0, service_h)
    copy_h = restore.restore_copy_h(
        vms["largest_gib"], scenario["restore_mib_s"], scenario["blob_mib_s"]
    )
    fixed_h = restore.restore_h(0, copy_h, scenario["vm_creation_h"])
    for name, share in (("restore_vault_p50_h", 0.5), ("restore_vault_p95_h", 0.95)):
        vms[name] = total.total_quantile_h(share, fixed_h, wait_prob, decay_per_h)
    copy_h = scenario["snapshot_copy_h"] if scenario["snapshot_points"] else math.inf
    vms["restore_snapshot_h"] = restore.restore_h(0, copy_h, scenario["vm_creation_h"])


def _add_bill(vms: pd.DataFrame, scenario: Scenario) -> None:
    """Add the three lines of the bill of a full month, and their sum."""
    prices = scenario.prices
    protected = (vms["disks"] > 0).astype(float)
    vms["protected_instance_gib"] = vms["used_gib"]
    vms["protected_instances"] = protected * billing.protected_instances(
        vms["protected_instance_gib"],
        prices["small_instance_gib"],
        prices["small_instances"],
        prices["instance_step_gib"],
    )
    vms["instance_usd"] = vms["protected_instances"] * prices["instance_fee_usd"]
    vms["stored_gib"] = retention.stored_daily_gib(
        vms["used_gib"], vms["changed_gib"], scenario["recovery_points"]
    )
    rate = {r: storage_usd_per_gib_month(prices, r) for r in set(vms["redundancy"])}
    vms["storage_usd"] = billing.storage_usd(
        vms["stored_gib"], vms["redundancy"].map(rate).astype(float), 1
    )
    policy = scenario["snapshot_policy"]
    billed_gib = getattr(retention, f"snapshot_{policy}_gib")(
        vms["used_gib"], vms["changed_gib"], scenario["snapshot_points"]
    )
    vms["snapshot_usd"] = billing.storage_usd(
        billed_gib, prices[f"snapshot_{policy}_usd_per_gib_month"], 1
    )
    vms["total_usd"] = vms["instance_usd"] + vms["storage_usd"] + vms["snapshot_usd"]


def _sum(column: pd.Series) -> float:
    try:
        return math.fsum(column)
    except OverflowError:
        return math.inf


def _plain(entry: object) -> object:
    """Turn numbers of any library into JSON's, and infinity into a word."""
    if isinstance(entry, dict):
        return {key: _plain(value) for key, value in entry.items()}
    if isinstance(entry, list):
        return [_plain(value) for value in entry]
    if isinstance(entry, np.generic):
        entry = entry.item()
    if isinstance(entry, float) and math.isinf(entry):
        return "inf"
    return entry
