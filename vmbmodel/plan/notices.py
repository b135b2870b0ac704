"""What in an inventory deserves a look before its numbers are used."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

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
    deadline_h = scenario["deadline_h"]
    for row in vms[vms["disks"] == 0].itertuples():
        text = "Nothing to back up: every disk is temporary or excluded."
        yield Notice("nothing_to_back_up", row.Index, text)
    for row in vms[vms["deadline_prob"] < AT_RISK_PROB].itertuples():
        text = (
            f"The next backup is done within {deadline_h:g} h with a probability of "
            f"{row.deadline_prob:.3f}: its transfer takes {row.transfer_h:.1f} h."
        )
        yield Notice("deadline_at_risk", row.Index, text)
    for row in vms[vms["first_backup_h"] > deadline_h].itertuples():
        text = (
            f"A first backup of it copies for {row.first_backup_h:.1f} h, "
            f"longer than {deadline_h:g} h."
        )
        yield Notice("first_backup_misses_deadline", row.Index, text)
    if "max_churn_gib_per_day" in scenario.profile:
        most = scenario["max_churn_gib_per_day"]
        for row in vms[vms["churn_gib_per_day"] > most].itertuples():
            text = (
                f"{row.churn_gib_per_day:.0f} GiB change in a day; above {most:.0f} "
                "the service documents backups longer than eight hours."
            )
            yield Notice("high_churn", row.Index, text)


def _of_disks(disks, scenario) -> Iterator[Notice]:
    for row in disks[disks["new_disk"]].itertuples():
        text = f"Disk {row.disk} is new and is copied whole: {row.disk_h:.1f} h."
        yield Notice("new_disk", row.vm, text)
    for row in disks[disks["cc_mode"]].itertuples():
        text = (
            f"Disk {row.disk} is compared by checksum: all {row.used_gib:.0f} GiB "
            f"are read, {row.disk_h:.1f} h."
        )
        yield Notice("consistency_check", row.vm, text)
    if "min_write_kib" in scenario.profile:
        least = scenario["min_write_kib"]
        for row in disks[disks["write_kib"] < least].itertuples():
            text = (
                f"Disk {row.disk} is written in {row.write_kib:g} KiB, below {least:g}."
            )
            yield Notice("small_writes", row.vm, text)


def _of_vaults(vms, scenario) -> Iterator[Notice]:
    busy, served = vms[vms["disks"] > 0], scenario["vault_servers"]
    lines = busy[busy["jam_h"] > 0].groupby("vault", sort=False)["jam_h"]
    for row in lines.agg(vms="size", line_h="max").itertuples():
        text = (
            f"{row.vms} VMs of vault {row.Index} wait for others of it, up to "
            f"{row.line_h:.1f} h: {served:g} are served at a time."
        )
        if math.isinf(row.line_h):
            text = (
                f"Vault {row.Index} has more to transfer than a day has hours, "
                f"{served:g} VMs at a time: its backups are never done."
            )
        yield Notice("own_line", "", text)
    if "vault_vms" in scenario.profile:
        most = scenario["vault_vms"]
        starts = busy.groupby(["vault", "start_h"], sort=False).size()
        for (vault, start_h), count in starts[starts > most].items():
            text = (
                f"{count} VMs of vault {vault} start at {start_h:g} h; "
                f"no more than {most:g} are advised."
            )
            yield Notice("traffic_jam", "", text)


def _of_accounts(disks, scenario) -> Iterator[Notice]:
    own = disks[~disks["managed"]]
    if "account_disks" in scenario.profile:
        most = scenario["account_disks"]
        schedules = own.groupby(["storage_account", "policy"]).size()
        for (account, policy), count in schedules[schedules > most].items():
            text = (
                f"{count} disks of storage account {account} follow policy "
                f"{policy}; no more than {most:g} are advised."
            )
            yield Notice("crowded_schedule", "", text)
    if "busy_account_disks_high" in scenario.profile:
        most = scenario["busy_account_disks_high"]
        accounts = own.groupby("storage_account").size()
        for account, count in accounts[accounts > most].items():
            text = (
                f"Storage account {account} holds {count} disks; with more "
                f"than {scenario['busy_account_disks_low']:g} to {most:g} it is "
                "overloaded while applications use it."
            )
            yield Notice("busy_account", "", text)
