"""VMs that start several times a day: what each of their starts comes to.

Of the backups of a day, the last goes to the vault; the others end with their
snapshot, so that they stand in no line and transfer nothing.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from vmbmodel.inventory.fleet import runs_a_day
from vmbmodel.plan.estimate.others import SteadyWait

__all__ = ["START_COLUMNS", "daily_starts", "latest_gap_h", "runs_of"]

_DAY_H = 24

START_COLUMNS = (
    "vm",
    "start_h",
    "to_vault",
    "done_p50_h",
    "done_p95_h",
    "done_p95_clock",
    "deadline_prob",
    "point_age_snapshot_h",
)
"""Columns of the starts; times are those of the snapshot, or of the vault."""

_OF_A_START = START_COLUMNS[3:-1]

Columns = Mapping[str, np.ndarray]


def runs_of(vms: Columns) -> np.ndarray:
    """Return how often a day each VM starts."""
    return runs_a_day(vms["interval_h"], vms["window_h"])


def latest_gap_h(vms: Columns) -> np.ndarray:
    """Return the longest time between two starts of each VM: that of the night, mostly.

    >>> latest_gap_h({"interval_h": np.array([24.0, 4, 4]),
    ...               "window_h": np.array([np.nan, 12, np.nan])}).tolist()
    [24.0, 12.0, 4.0]
    """
    runs, interval_h = runs_of(vms), vms["interval_h"]
    night_h = _DAY_H - (runs - 1) * interval_h
    return np.where(runs > 1, np.maximum(interval_h, night_h), interval_h)


def daily_starts(
    names: pd.Index,
    vms: Columns,
    done: Callable[..., Columns],
    *,
    start_slack_reading: str,
    start_slack_h: float,
    snapshot_h: float,
) -> pd.DataFrame | None:
    """Return every start of the VMs that have several a day, in the order of a day.

    `done` gives the times of backups by a law of the wait for others. The columns are
    `START_COLUMNS`; None if no VM starts so often.
    """
    runs = np.where(vms["disks"] > 0, runs_of(vms), 1)
    several = np.flatnonzero(runs > 1)
    if not several.size:
        return None
    number = np.repeat(several, runs[several])
    before = np.cumsum(runs[several])
    left = np.repeat(before, runs[several]) - 1 - np.arange(len(number))
    interval_h = vms["interval_h"][number]
    start_h = (vms["start_h"][number] - left * interval_h) % _DAY_H
    none = np.zeros(len(number))
    alone = done(
        {
            "start_h": start_h,
            "transfer_h": none,
            "first_backup": none.astype(bool),
            "vault_number": none.astype(int),
        },
        others=SteadyWait(0.0, 0.0),
    )
    last = left == 0
    columns = {"vm": names[number], "start_h": start_h, "to_vault": last}
    for name in _OF_A_START:
        columns[name] = np.where(last, vms[name][number], alone[name])
    first = np.r_[0, before[:-1]]
    gap_h = interval_h.copy()
    gap_h[first] = _DAY_H - (runs[several] - 1) * interval_h[first]
    late_h = 0.0 if start_slack_reading == "none" else start_slack_h
    kept_h = np.where(vms["snapshot_points"][number] > 0, snapshot_h, np.inf)
    columns["point_age_snapshot_h"] = gap_h + late_h + kept_h
    return pd.DataFrame(columns)[list(START_COLUMNS)]
