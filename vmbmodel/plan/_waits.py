"""When each VM is done: its wait, its own line, and its deadline."""

import numpy as np
import pandas as pd

from vmbmodel.formulas import line, queueing, total
from vmbmodel.plan.scenario import Scenario

__all__ = ["add_backup", "wait_of_others"]


def add_backup(
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


def wait_of_others(scenario: Scenario) -> tuple[float, float]:
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
        line_h = line.line_wait_h(
            arrival_h.ravel(), np.tile(service_h, days), served
        ).reshape(arrival_h.shape)
        settled = np.allclose(line_h[-1], line_h[days // 2 - 1], rtol=0, atol=1e-6)
        if settled or days > 100:
            return line_h[-1]
        days *= 2
