"""When each VM is done: its wait, its own line, and its deadline."""

import numpy as np
import pandas as pd

from vmbmodel.formulas import line
from vmbmodel.formulas.laws import DayLaw, total_late, total_quantile
from vmbmodel.plan.estimate.others import OthersWait
from vmbmodel.plan.scenario import Scenario

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
    )
    varied = vms["transfer_h"], scenario["transfer_scv"], scenario["transfer_family"]
    for name, share in (("backup_p50_h", 0.5), ("backup_p95_h", 0.95)):
        vms[name] = fixed_h + _quantile_h(share, wait, *varied)
    vms["deadline_h"] = float(scenario["deadline_h"])
    vms["deadline_prob"] = _within_prob(vms["deadline_h"] - fixed_h, wait, *varied)


def _within_prob(
    spare_h: pd.Series, wait: DayLaw, transfer_h: pd.Series, scv: float, family: str
) -> np.ndarray:
    """Probability that transfer and wait are over in the time that is left for them."""
    if scv == 0:
        spare_h = spare_h - transfer_h
        return np.where(spare_h >= 0, wait.within_prob(np.maximum(spare_h, 0)), 0.0)
    law = [np.broadcast_to(part, len(transfer_h)) for part in wait]
    transfer = transfer_h.to_numpy(), np.full(len(transfer_h), scv)
    with np.errstate(all="ignore"):
        late = total_late(spare_h.to_numpy(), *transfer, family, _wait_late, law)
    return 1 - late


def _quantile_h(
    share: float, wait: DayLaw, transfer_h: pd.Series, scv: float, family: str
) -> np.ndarray:
    """Time for transfer and wait that a share of the nights does not exceed."""
    if scv == 0:
        return transfer_h + wait.quantile_h(share)

    def later(time, mean, scv, *law_and_family):
        *law, family = law_and_family
        return total_late(time, mean, scv, family, _wait_late, law)

    law = (transfer_h.to_numpy(), np.float64(scv), *wait)
    with np.errstate(all="ignore"):
        return total_quantile(later, _wait_quantile, 1 - share, law, family)


def _wait_late(time: np.ndarray, *law: np.ndarray) -> np.ndarray:
    return 1 - DayLaw(*law).within_prob(time)


def _wait_quantile(
    late_prob: np.ndarray, _mean: np.ndarray, _scv: np.ndarray, *law: np.ndarray
) -> np.ndarray:
    return DayLaw(*law).quantile_h(1 - late_prob)


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
