"""How long each disk takes, beside the others of its account."""

import numpy as np
import pandas as pd

from vmbmodel.formulas import dispersion, transfer
from vmbmodel.formulas.sharing import account_capacity_mib_s
from vmbmodel.plan.estimate.groups import completion_by_group_h
from vmbmodel.plan.estimate.tiers import disk_caps
from vmbmodel.plan.scenario import Scenario

__all__ = ["add_times"]


def add_times(disks: pd.DataFrame, scenario: Scenario) -> None:
    """Add, disk by disk, what moves and how long it takes beside the others."""
    used = disks["used_gib"]
    amplified = dispersion.cell_amplification(
        disks["write_kib"], disks["dispersion"], scenario["cell_kib"]
    )
    disks["changed_gib"] = np.minimum(disks["churn_gib_per_day"] * amplified, used)
    iops, cap_mib_s = disk_caps(disks, scenario)
    initial_mib_s = np.minimum(scenario["initial_mib_s"], cap_mib_s)
    incremental_mib_s = np.minimum(scenario["incremental_mib_s"], cap_mib_s)
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
            iops,
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
        disks,
        "start_h",
        alone_h,
        read_gib.mask(whole, used),
        extents.mask(whole, 0),
        scenario,
    )
    disks["first_h"] = _beside_others_h(disks, "vm", first_h, used, 0 * used, scenario)


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
    disks: pd.DataFrame,
    together: str,
    alone_h: pd.Series,
    read_gib: pd.Series,
    extents: pd.Series,
    scenario: Scenario,
) -> np.ndarray:
    """Time of a disk beside those of its storage account, or of its VM.

    What a disk takes is what it reads, spread over the time it would need
    alone. An account gives so many MiB and so many requests a second, less what
    its applications take; requests are MiB at the mean size of those of its
    disks that are alike in `together`. The service handles the storage of
    managed disks, of which those of one VM share `vm_mib_s`.
    """
    times = alone_h.to_numpy(copy=True)
    managed = disks["managed"].to_numpy()
    sharing = ~managed | (scenario["vm_mib_s"] < np.inf)
    moving = sharing & (alone_h > 0).to_numpy() & (read_gib > 0).to_numpy()
    if not moving.any():
        return times
    of_account = disks.groupby(["storage_account", together], dropna=False).ngroup()
    of_vm = len(disks) + disks.groupby("vm").ngroup()
    number = pd.factorize(of_account.mask(managed, of_vm)[moving])[0]
    read = read_gib.to_numpy()[moving]
    requests = read * 2**20 / scenario["request_kib"] + extents.to_numpy()[moving]
    capacity = account_capacity_mib_s(
        scenario["account_mib_s"],
        scenario["account_iops"],
        np.bincount(number, read * 2**20) / np.bincount(number, requests),
        scenario["application_frac"],
    )
    capacity[number[managed[moving]]] = scenario["vm_mib_s"]
    times[moving] = completion_by_group_h(
        number, read, read * 1024 / (times[moving] * 3600), capacity
    )
    return times
