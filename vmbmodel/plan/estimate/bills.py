"""What each VM costs in a full month."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from vmbmodel import formulas
from vmbmodel.plan.estimate.starts import runs_of
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import (
    archive_usd_per_gib_month,
    storage_usd_per_gib_month,
)

__all__ = ["bill", "refuse_part_blocks"]

_POINTS = ("recovery_points", "weekly_points", "monthly_points", "yearly_points")
_SNAPSHOT_RATES = {
    "standard": "snapshot_standard_usd_per_gib_month",
    "enhanced": "snapshot_enhanced_usd_per_gib_month",
}


def refuse_part_blocks(*, reserved_gib: float, reserved_block_gib: float) -> None:
    """Refuse reserved capacity that is not sold: no whole number of blocks."""
    if reserved_gib % reserved_block_gib:
        raise ValueError(
            f"reserved_gib must be a multiple of {reserved_block_gib:g}, "
            f"the block of reserved capacity; got {reserved_gib:g}"
        )


def bill(
    vms: Mapping[str, np.ndarray],
    scenario: Scenario,
    protected_days: np.ndarray | float = math.inf,
) -> dict[str, np.ndarray]:
    """Return the three lines of the bill of a full month, and their sum.

    Of each VM it takes ``disks``, ``used_gib``, ``changed_gib``, ``redundancy``, and
    what its policy says; `protected_days` are those since its first backup.
    """
    ask = scenario.arguments
    used, changed, redundancy = (
        vms[name] for name in ("used_gib", "changed_gib", "redundancy")
    )
    columns = _instances(used, vms["disks"] > 0, **ask(_instances))
    points = tuple(vms[name] for name in _POINTS)
    past, dated = (protected_days, scenario["yearly_growth_frac"]), vms["month_day"]
    archived_gib, archive = 0.0, vms["archive"] & (redundancy != "ZRS")
    if archive.any():
        after = vms["archive_after_months"]
        archived_gib, left = _archived(
            used, points, past, dated, after, **ask(_archived)
        )
        archived_gib = np.where(archive, archived_gib, 0.0)
        points = tuple(
            np.where(archive, *pair) for pair in zip(left, points, strict=True)
        )
    reading, rewritten_frac, fresh_gib = scenario["stored_reading"], 0.0, 0.0
    if reading in ("upper", "lower"):  # the bounds, on which overlap has a say
        rewritten_frac = scenario["rewritten_frac"]
        fresh_gib = scenario["fresh_frac"] * changed
    held_gib = formulas.stored_gib(
        used, changed, *points, rewritten_frac, fresh_gib, *past, reading, dated
    )
    rate = _by_redundancy(redundancy, storage_usd_per_gib_month, scenario)
    storage_usd = formulas.storage_usd(held_gib, rate, 1)
    if scenario["reserved_gib"]:
        of = scenario["reserved_redundancy"]
        covered, rate = redundancy == of, storage_usd_per_gib_month(scenario, of)
        storage_usd = _with_reservation_usd(
            storage_usd, held_gib, covered, rate, **ask(_with_reservation_usd)
        )
    if archive.any():
        tier = np.where(archive, redundancy, "LRS")  # any, where nothing is archived
        rate = _by_redundancy(tier, archive_usd_per_gib_month, scenario)
        storage_usd = storage_usd + formulas.storage_usd(archived_gib, rate, 1)
    columns["stored_gib"] = held_gib + archived_gib
    columns["storage_usd"] = formulas.discounted_usd(
        storage_usd, scenario["storage_discount_frac"]
    )
    columns["snapshot_usd"] = np.zeros(used.shape[-1])
    # the snapshots of Trusted Launch lie beside its disks, whatever the policy
    billed_as = np.where(vms["trusted_launch"], "enhanced", vms["snapshot_policy"])
    for policy, rate in _SNAPSHOT_RATES.items():
        own = billed_as == policy
        if own.any():
            kept = np.minimum(vms["snapshot_points"], protected_days)
            runs = runs_of(vms)
            usd = _snapshot_usd(
                used, changed, kept, runs, scenario[rate], policy, **ask(_snapshot_usd)
            )
            columns["snapshot_usd"] = np.where(own, usd, columns["snapshot_usd"])
    columns["total_usd"] = (
        columns["instance_usd"] + columns["storage_usd"] + columns["snapshot_usd"]
    )
    return columns


def _instances(
    used_gib: np.ndarray,
    protected: np.ndarray,
    *,
    small_instance_gib: float,
    small_instances: float,
    instance_step_gib: float,
    instance_fee_usd: float,
    instance_discount_frac: float,
) -> dict[str, np.ndarray]:
    """Return what is protected, as how many instances, and what they cost."""
    count = protected.astype(float) * formulas.protected_instances(
        used_gib, small_instance_gib, small_instances, instance_step_gib
    )
    usd = formulas.instance_usd(count, instance_fee_usd, 1)
    return {
        "protected_instance_gib": used_gib,
        "protected_instances": count,
        "instance_usd": formulas.discounted_usd(usd, instance_discount_frac),
    }


def _archived(
    used_gib: np.ndarray,
    points: tuple[float, float, float, float],
    past: tuple[np.ndarray | float, float],
    month_day: np.ndarray,
    archive_after_months: np.ndarray,
    *,
    archive_left_months: float,
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Return what lies in the archive, and the points left in the standard tier.

    Points are daily, weekly, monthly and yearly ones; the past is the days since the
    first backup, and the growth in a year. When a point may move is of each policy.
    """
    rule = archive_after_months, archive_left_months
    archived_gib = formulas.archived_gib(used_gib, *points, *rule, *past, month_day)
    daily, weekly, monthly, yearly = points
    rule = daily, weekly, monthly, *rule
    left = (
        formulas.standard_points(count, months, *rule)
        for count, months in ((monthly, 1), (yearly, 12))
    )
    return archived_gib, (daily, weekly, *left)


def _with_reservation_usd(
    list_usd: np.ndarray,
    held_gib: np.ndarray,
    covered: np.ndarray,
    usd_per_gib_month: float,
    *,
    reserved_gib: float,
    reserved_discount_frac: float,
) -> np.ndarray:
    """Let all VMs that a reservation covers share what it saves on the list price."""
    covered_gib = held_gib[..., covered].sum(axis=-1)[..., np.newaxis]
    bill_usd = formulas.reserved_usd(
        covered_gib, reserved_gib, usd_per_gib_month, reserved_discount_frac
    )
    part = held_gib / np.where(covered_gib > 0, covered_gib, 1)
    shared_usd = np.where(covered, part * bill_usd, list_usd)
    lost_usd = list_usd + bill_usd / list_usd.shape[-1]  # on all of them
    return np.where(covered_gib > 0, shared_usd, lost_usd)


def _snapshot_usd(
    used_gib: np.ndarray,
    changed_gib: np.ndarray,
    kept: np.ndarray,
    runs: np.ndarray,
    usd_per_gib_month: float,
    snapshot_policy: str,
    *,
    snapshot_discount_frac: float,
) -> np.ndarray:
    """Price the snapshots that are kept beside the disks."""
    billed_gib = formulas.snapshot_gib(
        used_gib, changed_gib, kept, snapshot_policy, runs
    )
    usd = formulas.storage_usd(billed_gib, usd_per_gib_month, 1)
    return formulas.discounted_usd(usd, snapshot_discount_frac)


def _by_redundancy(
    redundancy: np.ndarray,
    rate_of: Callable[[Scenario, str], float],
    prices: Scenario,
) -> np.ndarray:
    """Return the price that each VM has for its redundancy."""
    number, names = pd.factorize(redundancy)
    rates = [np.asarray(rate_of(prices, name)) for name in names]
    return np.choose(number, rates)
