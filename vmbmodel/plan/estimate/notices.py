"""What in an inventory deserves a look before its numbers are used."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vmbmodel.plan import practices
from vmbmodel.plan.facts import those, unmanaged
from vmbmodel.plan.scenario import Scenario

__all__ = ["AT_RISK_PROB", "Notice", "notices"]

AT_RISK_PROB = 0.95
"""Chance to meet the deadline below which a VM is pointed out."""


@dataclass(frozen=True)
class Notice:
    """One thing worth a look.

    Parameters
    ----------
    code : str
        Kind of the notice.
    vm : str
        VM it is about; empty if it is about several.
    text : str
        What was found, with its figures.
    """

    code: str
    vm: str
    text: str


def notices(
    disks: pd.DataFrame, vms: pd.DataFrame, scenario: Scenario
) -> tuple[Notice, ...]:
    """Look an estimate over.

    Parameters
    ----------
    disks : DataFrame
        A row a disk that is backed up, blank cells filled.
    vms : DataFrame
        A row a VM, indexed by its name, with the times of the estimate.
    scenario : Scenario
        Constants and settings of the estimate.
    """
    return (
        *_of_vms(vms, scenario),
        *_of_disks(disks, scenario),
        *_of_vaults(vms, scenario),
        *_of_accounts(disks, scenario),
    )


def _of_vms(vms, scenario) -> Iterator[Notice]:
    deadline_h, names = scenario["deadline_h"], vms.index
    for at in np.flatnonzero(vms["disks"] == 0):
        text = "Nothing to back up: every disk is temporary or excluded."
        yield Notice("nothing_to_back_up", names[at], text)
    prob, transfer_h = vms["deadline_prob"].to_numpy(), vms["transfer_h"].to_numpy()
    for at in np.flatnonzero(prob < AT_RISK_PROB):
        text = (
            f"The next backup is done within {deadline_h:g} h with a probability of "
            f"{prob[at]:.3f}: its transfer takes {transfer_h[at]:.1f} h."
        )
        yield Notice("deadline_at_risk", names[at], text)
    first_h = vms["first_backup_h"].to_numpy()
    for at in np.flatnonzero(first_h > deadline_h):
        text = (
            f"A first backup of it copies for {first_h[at]:.1f} h, "
            f"longer than {deadline_h:g} h."
        )
        yield Notice("first_backup_misses_deadline", names[at], text)
    if "max_churn_gib_per_day" in scenario.profile:
        most, backup_h = (
            scenario[name] for name in ("max_churn_gib_per_day", "high_churn_backup_h")
        )
        for place in practices.high_churn(vms, most, backup_h):
            yield Notice("high_churn", place.where["vm"], place.text)


def _of_disks(disks, scenario) -> Iterator[Notice]:
    for place in practices.new_disks(disks):
        yield Notice("new_disk", place.where["vm"], place.text)
    for place in practices.compared_disks(disks):
        yield Notice("consistency_check", place.where["vm"], place.text)
    if "min_write_kib" in scenario.profile:
        for place in practices.small_writes(disks, scenario["min_write_kib"]):
            yield Notice("small_writes", place.where["vm"], place.text)


def _of_vaults(vms, scenario) -> Iterator[Notice]:
    served, jam_h = scenario["vault_servers"], vms["jam_h"].to_numpy()
    number, vaults = pd.factorize(vms["vault"][jam_h > 0])
    for at, vault in enumerate(vaults):
        own_h = jam_h[jam_h > 0][number == at]
        text = (
            f"{len(own_h)} VMs of vault {vault} wait for others of it, up to "
            f"{own_h.max():.1f} h: {served:g} are served at a time."
        )
        if math.isinf(own_h.max()):
            text = (
                f"Vault {vault} has more to transfer than a day has hours, "
                f"{served:g} VMs at a time: its backups are never done."
            )
        yield Notice("own_line", "", text)
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
