"""When each VM is done: its wait, its own line, and its deadline."""

from collections.abc import Mapping

import numpy as np

from vmbmodel import formulas
from vmbmodel.formulas.laws import DayLaw, total_late, total_quantile
from vmbmodel.plan.estimate.others import OthersWait

__all__ = ["backup"]


def backup(
    vms: Mapping[str, np.ndarray],
    others: OthersWait,
    *,
    vault_servers: float,
    extension_h: float,
    snapshot_h: float,
    transfer_scv: float,
    transfer_family: str,
    deadline_h: float,
) -> dict[str, np.ndarray]:
    """Return wait, own line, total time and the chance to meet the deadline.

    Of each VM it takes the number of its vault, its start, its transfer, and whether
    the next backup is its first.
    """
    start_h, transfer_h = vms["start_h"], vms["transfer_h"]
    jam_h = _own_line_h(vms["vault_number"], start_h, transfer_h, vault_servers)
    wait = others.at(start_h)
    fixed_h = extension_h * vms["first_backup"] + snapshot_h + jam_h
    varied = transfer_h, transfer_scv, transfer_family
    return {
        "jam_h": jam_h,
        "wait_mean_h": jam_h + wait.mean_h(),
        "wait_p95_h": jam_h + wait.quantile_h(0.95),
        "backup_p50_h": fixed_h + _quantile_h(0.5, wait, *varied),
        "backup_p95_h": fixed_h + _quantile_h(0.95, wait, *varied),
        "deadline_h": np.full(len(start_h), float(deadline_h)),
        "deadline_prob": _within_prob(deadline_h - fixed_h, wait, *varied),
    }


def _within_prob(
    spare_h: np.ndarray, wait: DayLaw, transfer_h: np.ndarray, scv: float, family: str
) -> np.ndarray:
    """Probability that transfer and wait are over in the time that is left for them."""
    if scv == 0:
        spare_h = spare_h - transfer_h
        return np.where(spare_h >= 0, wait.within_prob(np.maximum(spare_h, 0)), 0.0)
    law = [np.broadcast_to(part, len(transfer_h)) for part in wait]
    transfer = transfer_h, np.full(len(transfer_h), scv)
    with np.errstate(all="ignore"):
        late = total_late(spare_h, *transfer, family, _wait_late, law)
    return 1 - late


def _quantile_h(
    share: float, wait: DayLaw, transfer_h: np.ndarray, scv: float, family: str
) -> np.ndarray:
    """Time for transfer and wait that a share of the nights does not exceed."""
    if scv == 0:
        return transfer_h + wait.quantile_h(share)

    def later(time, mean, scv, *law_and_family):
        *law, family = law_and_family
        return total_late(time, mean, scv, family, _wait_late, law)

    law = (transfer_h, np.float64(scv), *wait)
    with np.errstate(all="ignore"):
        return total_quantile(later, _wait_quantile, 1 - share, law, family)


def _wait_late(time: np.ndarray, *law: np.ndarray) -> np.ndarray:
    return 1 - DayLaw(*law).within_prob(time)


def _wait_quantile(
    late_prob: np.ndarray, _mean: np.ndarray, _scv: np.ndarray, *law: np.ndarray
) -> np.ndarray:
    return DayLaw(*law).quantile_h(1 - late_prob)


def _own_line_h(
    vault: np.ndarray, start_h: np.ndarray, service_h: np.ndarray, served: float
) -> np.ndarray:
    """Wait for VMs of the same vault, of which so many are served at a time."""
    jam_h, moving = np.zeros(len(vault)), np.flatnonzero(service_h > 0)
    crowd = np.bincount(vault[moving])
    for number in np.flatnonzero(crowd > served):  # elsewhere nobody waits
        at = moving[vault[moving] == number]
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
        line_h = formulas.line_wait_h(
            arrival_h.ravel(), np.tile(service_h, days), served
        ).reshape(arrival_h.shape)
        settled = np.allclose(line_h[-1], line_h[days // 2 - 1], rtol=0, atol=1e-6)
        if settled or days > 100:
            return line_h[-1]
        days *= 2
