"""How long each VM takes to come back, all of them at once, and how old they are."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from vmbmodel import formulas
from vmbmodel.plan.estimate.others import OthersWait, SteadyWait, of_rows
from vmbmodel.plan.estimate.starts import latest_gap_h
from vmbmodel.plan.estimate.transfers import completion_by_group_h, longest
from vmbmodel.plan.scenario import Scenario

__all__ = ["RESTORE_FIGURES", "point_ages", "restores"]

RESTORE_FIGURES = (
    "restore_vault_p50_h",
    "restore_vault_p95_h",
    "rto_prob",
    "restore_snapshot_h",
)

_FINISH = {"new-vm": "vm_creation_h", "replace": "replace_h", "disks": None}
_DAY_H = 24  # of all backups of a day, the last goes to the vault


def restores(
    vms: Mapping[str, np.ndarray],
    disks: Mapping[str, np.ndarray],
    of_vm: np.ndarray,
    others: OthersWait,
    scenario: Scenario,
    fleet_vms: int | None,
    fleet_crowd: int,
    names: Collection[str],
) -> tuple[dict[str, np.ndarray | float], np.ndarray | float]:
    """Return the times to get each VM back, and all of them if asked for at once.

    The latter is when all run again, 95 times of 100: each VM has its own luck, so that
    the unluckiest counts. VMs are asked for in the order of their names, dealt to the
    target accounts in turn, and each vault restores `vault_servers` of them at a time.
    Where all fit, the copies of an account share what it takes; where some stand in
    line, each copy counts on no more than its part among as many as can run beside it,
    which is never too soon. `of_vm` is the number of the VM of each disk; `fleet_vms`
    says how many are asked for, where these are not all, and `fleet_crowd` how many of
    one vault. Of the times of each VM, those
    that are named are returned.
    """
    finish = _FINISH[scenario["restore_as"]]
    finish_h = scenario[finish] if finish else 0.0
    restored_gib = np.where(
        scenario["restored_reading"] == "size", disks["size_gib"], disks["used_gib"]
    )
    cap_mib_s = np.asarray(disks["cap_mib_s"])
    own_h = partial(_copied_h, **scenario.arguments(_copied_h))
    copied_h = partial(own_h, of_vm, cap_mib_s)
    busy = vms["disks"] > 0
    each = np.arange(len(busy))  # each into an account of its own
    alone_h = copied_h(each, restored_gib)
    if scenario["restore_law"] == "published":
        beyond_gib = np.maximum(restored_gib - scenario["restore_known_gib"], 0)
        far = np.atleast_2d(beyond_gib).any(axis=0)
        beyond_h = own_h(of_vm[far], cap_mib_s[..., far], each, beyond_gib[..., far])
        law = _Published.of(beyond_h, finish_h, scenario)
    else:
        law = _ByRates.of(alone_h, finish_h, others, scenario)
    columns = {}
    for name, share in (("restore_vault_p50_h", 0.5), ("restore_vault_p95_h", 0.95)):
        if name in names:
            columns[name] = law.quantile_h(share)
    if "rto_prob" in names:
        columns["rto_prob"] = law.within_prob(scenario["rto_h"])
    if "restore_snapshot_h" in names:
        kept = vms["snapshot_points"] > 0
        snapshot_h = np.where(kept, scenario["snapshot_copy_h"], np.inf)
        columns["restore_snapshot_h"] = formulas.restore_h(0, snapshot_h, finish_h)
    if not busy.all():  # of nothing
        for name in columns:
            columns[name] = np.where(busy, columns[name], name == "rto_prob")
    count = busy.sum()
    if not count:
        return columns, 0.0
    served = scenario["vault_servers"]
    vault = vms["vault_number"][busy]
    crowd = np.bincount(vault)
    lined = max(crowd.max(), fleet_crowd) > np.atleast_1d(served)
    beside = np.where(
        lined.any(axis=-1, keepdims=True),
        np.minimum(crowd, served).sum(axis=-1, keepdims=True) * vms["disks"].max(),
        np.inf,
    )
    shared_h, accounts = alone_h, scenario["restore_accounts"]
    if accounts or np.any(np.isfinite(beside)):
        account = (np.cumsum(busy) - 1) % (accounts or count)
        shared_h = copied_h(account, restored_gib, beside)
    more_h = np.where(np.isfinite(shared_h), np.maximum(shared_h - alone_h, 0), np.inf)
    line_h = _line_h(vault, (law.served_h + more_h)[..., busy], served)
    # of many, so near to 1 that a power would not have the same digits everywhere
    all_of_them = 1 + math.expm1(math.log(0.95) / (fleet_vms or count))
    unlucky_h = law.quantile_h(all_of_them) + more_h
    return columns, (unlucky_h[..., busy] + line_h).max(axis=-1)


@dataclass(frozen=True)
class _Published:
    """Whole restores as they were published, and the copy of what is beyond them.

    What a disk holds beyond the largest published restore is copied at the rate of a
    restore. That chart counts whole disks, an estimate what is used of them unless
    `restored_reading` says otherwise: a used size within the chart lies within it as a
    disk too, or nearly so.

    How those restores ended is not said. Nothing is taken off where only disks are
    restored, for a fifth of the 43 took less in all than the one published creation of
    a VM; where disks are replaced, what that takes longer than a creation comes on top.
    """

    law: Mapping[str, np.ndarray | float]
    served_h: np.ndarray  #: mean time in which a VM holds its place in the vault

    @classmethod
    def of(cls, beyond_h: np.ndarray, finish_h: float, scenario: Scenario):
        """Take the law from the settings, for VMs that copy so long beyond it."""
        more_h = np.maximum(finish_h - scenario["vm_creation_h"], 0)
        law = {
            "restore_p50_h": scenario["restore_p50_h"] + more_h,
            "restore_log_sd": scenario["restore_log_sd"],
            "restore_sample": scenario["restore_sample"],
            "beyond_h": beyond_h,
        }
        median_h = law["restore_p50_h"] + beyond_h
        return cls(law, median_h * np.exp(law["restore_log_sd"] ** 2 / 2))

    def quantile_h(self, share: float) -> np.ndarray:
        return formulas.restore_quantile_h(share, **self.law)

    def within_prob(self, rto_h: float) -> np.ndarray:
        return formulas.restore_within_prob(rto_h, **self.law)


@dataclass(frozen=True)
class _ByRates:
    """A wait for others, the copy at its rate, and the step at the end.

    A restore that is taken first waits for the next mover to become free, as often as
    a backup waits at all: always where the wait for others is exponential, and never
    where there is none.
    """

    served_h: np.ndarray  #: time in which a VM holds its place in the vault: its copy
    fixed_h: np.ndarray
    hours: np.ndarray  #: at which a restore may be asked for, all alike
    others: OthersWait

    @classmethod
    def of(
        cls,
        alone_h: np.ndarray,
        finish_h: float,
        others: OthersWait,
        scenario: Scenario,
    ):
        """Take the law from the settings, for VMs that copy so long each."""
        hours = np.arange(0, 24, 0.5)
        if scenario["restore_first"]:
            if isinstance(others, SteadyWait):
                waiting_prob = others.wait_prob
            else:
                waiting_prob = 1 - _of_the_day(others.within_prob(hours, 0))
            next_h = scenario["service_h"] / scenario["servers"]
            others = SteadyWait(waiting_prob, next_h)
        fixed_h = formulas.restore_h(0, alone_h, finish_h)
        return cls(alone_h, fixed_h, hours, others)

    def quantile_h(self, share: float) -> np.ndarray:
        return self.fixed_h + self._wait_h(share)

    def within_prob(self, rto_h: float) -> np.ndarray:
        spare_h = rto_h - self.fixed_h
        in_time = self._within_prob(np.maximum(spare_h, 0))
        return np.where(spare_h >= 0, in_time, 0.0)

    def _within_prob(self, wait_h: ArrayLike) -> np.ndarray:
        if isinstance(self.others, SteadyWait):
            return self.others.within_prob(0.0, wait_h)
        others = of_rows(self.others, slice(None))
        wait_h = np.asarray(wait_h)[..., np.newaxis]
        return others.within_prob(self.hours, wait_h).mean(axis=-1)

    def _wait_h(self, share: float) -> np.ndarray | float:
        if isinstance(self.others, SteadyWait):
            return self.others.quantile_h(0.0, share)
        ends = self.others.quantile_h(self.hours, share)
        low, high = (
            end(ends, axis=-1, keepdims=ends.ndim > 1) for end in (np.min, np.max)
        )
        for _ in range(60):
            if np.all(low == high):
                break
            middle = np.where(np.isinf(high), high, (low + high) / 2)
            enough = self._within_prob(middle) >= share
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return high


def _of_the_day(within: np.ndarray) -> np.ndarray:
    """Return the mean of all hours, an axis of them kept beside one of draws."""
    return within.mean(axis=-1, keepdims=within.ndim > 1)


def _copied_h(
    of_vm: np.ndarray,
    cap_mib_s: np.ndarray,
    account: np.ndarray,
    restored_gib: np.ndarray,
    beside: np.ndarray | float = np.inf,
    *,
    restore_mib_s: float,
    account_ingress_mib_s: float,
    account_iops: float,
    request_kib: float,
    restore_application_frac: float,
) -> np.ndarray:
    """Time to copy the disks of each VM into its account, so many `beside` another."""
    cap_mib_s = np.minimum(restore_mib_s, cap_mib_s)
    capacity = formulas.account_capacity_mib_s(
        account_ingress_mib_s, account_iops, request_kib, restore_application_frac
    )
    number, names = pd.factorize(account[of_vm])
    alone, done_h = np.isinf(beside), 0.0
    if np.any(alone):
        capacities = np.full(len(names), capacity)
        done_h = completion_by_group_h(number, restored_gib, cap_mib_s, capacities)
    if not np.all(alone):
        crowd = np.minimum(np.bincount(number), beside)[..., number]
        share_mib_s = np.minimum(cap_mib_s, capacity / crowd)
        shared_h = formulas.restore_copy_h(restored_gib, share_mib_s, math.inf)
        done_h = np.where(alone, done_h, shared_h)
    return longest(done_h, of_vm, len(account))


def _line_h(
    vault: np.ndarray, served_h: np.ndarray, served: np.ndarray | float
) -> np.ndarray:
    """Time that each VM stands in the line of its vault, all VMs asked for at once.

    Every VM counts with its mean time. Simulated with times that vary as published,
    the last of equal VMs is back 2 to 30 % sooner than this makes it, in 95 of 100
    cases (11 to 1,000 VMs, 10 or 100 at a time).
    """
    shape = np.broadcast_shapes(served_h.shape, np.shape(served))
    line_h = np.zeros(shape)
    served_h = np.broadcast_to(np.clip(served_h, 1e-300, 1e300), shape)
    served = np.broadcast_to(served, (*shape[:-1], 1))[..., 0]
    crowds = np.bincount(vault)
    for number in np.flatnonzero(crowds > served.min()):
        crowd = crowds[number]
        lined = crowd > served
        own, none_h = vault == number, np.zeros(crowd)
        waits_h = formulas.line_wait_h(none_h, served_h[lined][..., own], served[lined])
        line_h[np.ix_(lined, own) if lined.ndim else own] = waits_h.reshape(
            (-1, crowd) if lined.ndim else crowd
        )
    return line_h


def point_ages(
    vms: Mapping[str, np.ndarray],
    *,
    start_slack_reading: str,
    start_slack_h: float,
    snapshot_h: float,
) -> dict[str, np.ndarray]:
    """Return how much work can be lost, as if each backup took as long as the next.

    Of a VM without a disk that is backed up it is none.
    """
    kept = np.where(vms["snapshot_points"] > 0, 0.0, np.inf)
    late_h = 0.0 if start_slack_reading == "none" else start_slack_h
    vault_h = np.maximum(vms["interval_h"], _DAY_H)
    backup_h = snapshot_h + vms["wait_mean_h"] + vms["transfer_h"]
    ages = {
        "point_age_snapshot_h": formulas.worst_point_age_h(
            latest_gap_h(vms) + late_h, snapshot_h + kept
        ),
        "point_age_vault_h": formulas.worst_point_age_h(
            vault_h + late_h, vms["job_p95_h"]
        ),
        "point_age_mean_h": formulas.mean_point_age_h(vault_h, backup_h),
    }
    return {
        name: np.where(vms["disks"] > 0, age_h, 0.0) for name, age_h in ages.items()
    }
