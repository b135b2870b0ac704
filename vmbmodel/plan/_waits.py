"""When each VM is done: its wait, its own line, and its deadline."""

import numpy as np
import pandas as pd

from vmbmodel.formulas import line
from vmbmodel.plan.scenario import Scenario
from vmbmodel.plan.waits import OthersWait

__all__ = ["add_backup"]


def add_backup(vms: pd.DataFrame, scenario: Scenario, others: OthersWait) -> None:
    """Add wait, own line, total time and the chance to meet the deadline."""
    vms["jam_h"] = _own_line_h(vms, scenario)
    wait = others.at(vms["start_h"])
    vms["wait_mean_h"] = vms["jam_h"] + wait.mean_h()
    vms["wait_p95_h"] = vms["jam_h"] + wait.quantile_h(0.95)
    fixed_h = (
        scenario["extension_h"] * vms["first_backup"]
        + scenario["snapshot_h"]
        + vms["jam_h"]
        + vms["transfer_h"]
    )
    for name, share in (("backup_p50_h", 0.5), ("backup_p95_h", 0.95)):
        vms[name] = fixed_h + wait.quantile_h(share)
    vms["deadline_h"] = float(scenario["deadline_h"])
    spare_h = vms["deadline_h"] - fixed_h
    within_prob = wait.within_prob(np.maximum(spare_h, 0))
    vms["deadline_prob"] = np.where(spare_h >= 0, within_prob, 0.0)


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
        line_h = line.line_wait_h(
            arrival_h.ravel(), np.tile(service_h, days), served
        ).reshape(arrival_h.shape)
        settled = np.allclose(line_h[-1], line_h[days // 2 - 1], rtol=0, atol=1e-6)
        if settled or days > 100:
            return line_h[-1]
        days *= 2
