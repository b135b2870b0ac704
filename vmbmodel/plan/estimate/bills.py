"""What each VM costs in a full month."""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import pandas as pd

from vmbmodel import formulas
from vmbmodel.service import ConstantSet

__all__ = [
    "SNAPSHOT_RATES",
    "archived",
    "by_redundancy",
    "instances",
    "refuse_part_blocks",
    "snapshot_usd",
    "stored_gib",
    "with_reservation_usd",
]

SNAPSHOT_RATES = MappingProxyType(
    {
        "standard": "snapshot_standard_usd_per_gib_month",
        "enhanced": "snapshot_enhanced_usd_per_gib_month",
    }
)
"""Price of snapshots, by their policy."""


def refuse_part_blocks(*, reserved_gib: float, reserved_block_gib: float) -> None:
    """Refuse reserved capacity that is not sold.

    Raises
    ------
    ValueError
        If it is no whole number of blocks.
    """
    if reserved_gib % reserved_block_gib:
        raise ValueError(
            f"reserved_gib must be a multiple of {reserved_block_gib:g}, "
            f"the block of reserved capacity; got {reserved_gib:g}"
        )


def instances(
    used_gib: np.ndarray,
    protected: np.ndarray,
    *,
    small_instance_gib: float,
    small_instances: float,
    instance_step_gib: float,
    instance_fee_usd: float,
    instance_discount_frac: float,
) -> dict[str, np.ndarray]:
    """Return what is protected, as how many instances, and what they cost.

    Parameters
    ----------
    used_gib : ndarray
        Data of each VM.
    protected : ndarray of bool
        Whether anything of it is backed up.
    small_instance_gib, small_instances, instance_step_gib
        As ``fields.toml`` has them.
    instance_fee_usd, instance_discount_frac
        As ``fields.toml`` has them.
    """
    count = protected.astype(float) * formulas.protected_instances(
        used_gib, small_instance_gib, small_instances, instance_step_gib
    )
    usd = formulas.instance_usd(count, instance_fee_usd, 1)
    return {
        "protected_instance_gib": used_gib,
        "protected_instances": count,
        "instance_usd": formulas.discounted_usd(usd, instance_discount_frac),
    }


def archived(
    used_gib: np.ndarray,
    points: tuple[float, float, float, float],
    past: tuple[np.ndarray | float, float],
    *,
    archive_after_months: float,
    archive_left_months: float,
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Return what lies in the archive, and the points left in the standard tier.

    Parameters
    ----------
    used_gib : ndarray
        Data of each VM.
    points : tuple of float
        Daily, weekly, monthly and yearly points that are kept.
    past : tuple
        Days since the first backup, and growth in a year.
    archive_after_months, archive_left_months
        As ``fields.toml`` has them.
    """
    rule = archive_after_months, archive_left_months
    archived_gib = formulas.archived_gib(used_gib, *points, *rule, *past)
    daily, weekly, monthly, yearly = points
    left = (
        formulas.standard_points(count, months, *rule)
        for count, months in ((monthly, 1), (yearly, 12))
    )
    return archived_gib, (daily, weekly, *left)


def stored_gib(
    used_gib: np.ndarray,
    changed_gib: np.ndarray,
    points: tuple[float, float, float, float],
    past: tuple[np.ndarray | float, float],
    reading: str,
    overlap: tuple[float, float],
) -> np.ndarray:
    """Return what lies in the standard tier.

    Parameters
    ----------
    used_gib, changed_gib : ndarray
        Data of each VM, and what changes of it in a day.
    points : tuple of float
        Daily, weekly, monthly and yearly points that are kept there.
    past : tuple
        Days since the first backup, and growth in a year.
    reading : str
        How a point is counted.
    overlap : tuple of float
        Shares of the changes that are made again the next day, and that are of new
        data; of no account unless a bound is asked for.
    """
    rewritten_frac, fresh_frac = overlap
    fresh_gib = fresh_frac * changed_gib
    return formulas.stored_gib(
        used_gib, changed_gib, *points, rewritten_frac, fresh_gib, *past, reading
    )


def with_reservation_usd(
    list_usd: np.ndarray,
    held_gib: np.ndarray,
    covered: np.ndarray,
    usd_per_gib_month: float,
    *,
    reserved_gib: float,
    reserved_discount_frac: float,
) -> np.ndarray:
    """Let all that a reservation covers share what it saves.

    Parameters
    ----------
    list_usd, held_gib : ndarray
        What lies in the standard tier of each VM, and what it costs without.
    covered : ndarray of bool
        Whether the reservation is for it.
    usd_per_gib_month : float
        Price of what the reservation is for.
    reserved_gib, reserved_discount_frac
        As ``fields.toml`` has them.
    """
    covered_gib = held_gib[covered].sum()
    bill_usd = formulas.reserved_usd(
        covered_gib, reserved_gib, usd_per_gib_month, reserved_discount_frac
    )
    if covered_gib > 0:
        return np.where(covered, held_gib / covered_gib * bill_usd, list_usd)
    return list_usd + bill_usd / len(list_usd)  # lost on all of them


def snapshot_usd(
    used_gib: np.ndarray,
    changed_gib: np.ndarray,
    protected_days: np.ndarray | float,
    usd_per_gib_month: float,
    *,
    snapshot_policy: str,
    snapshot_points: float,
    snapshot_discount_frac: float,
) -> np.ndarray:
    """Price the snapshots that are kept beside the disks.

    Parameters
    ----------
    used_gib, changed_gib : ndarray
        Data of each VM, and what changes of it in a day.
    protected_days : ndarray or float
        Days since the first backup.
    usd_per_gib_month : float
        Price of a snapshot of that policy.
    snapshot_policy, snapshot_points, snapshot_discount_frac
        As ``fields.toml`` has them.
    """
    kept = np.minimum(snapshot_points, protected_days)
    billed_gib = formulas.snapshot_gib(used_gib, changed_gib, kept, snapshot_policy)
    usd = formulas.storage_usd(billed_gib, usd_per_gib_month, 1)
    return formulas.discounted_usd(usd, snapshot_discount_frac)


def by_redundancy(
    redundancy: np.ndarray,
    rate_of: Callable[[ConstantSet, str], float],
    prices: ConstantSet,
) -> np.ndarray:
    """Return the price that each VM has for its redundancy."""
    number, names = pd.factorize(redundancy)
    return np.array([rate_of(prices, name) for name in names])[number]
