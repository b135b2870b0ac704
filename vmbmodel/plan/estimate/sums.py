"""What all VMs of an inventory come to, also where it is estimated in parts.

A sum of a part is held in several floating-point numbers, which lose nothing of it, so
that the sum of all is the one nearest to the true one, however the VMs are parted.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vmbmodel.plan.estimate.misses import miss_terms, misses_of

__all__ = ["Sums", "Whole"]

_SUMMED = (
    "disks",
    "used_gib",
    "churn_gib_per_day",
    "protected_instance_gib",
    "protected_instances",
    "instance_usd",
    "stored_gib",
    "storage_usd",
    "snapshot_usd",
    "total_usd",
)

_MOST = 8  # numbers of a sum, more than any needs


@dataclass(frozen=True)
class Whole:
    """What a part of an inventory has to know of the whole."""

    vms: int  #: VMs that are backed up
    crowd: int  #: those of the vault that has most


@dataclass(frozen=True)
class Sums:
    """Totals of some VMs."""

    vms: int
    sums: Mapping[str, Sequence[float]]  #: of columns, each as numbers to add up
    misses: Sequence[Sequence[float]]  #: of the terms of `misses_of`
    restore_all_h: float

    @classmethod
    def of(
        cls,
        vms: Mapping[str, np.ndarray],
        restore_all_h: float,
        *,
        exact: bool,
    ) -> "Sums":
        """Take them from the columns of VMs; if `exact`, to be joined with others."""
        most = _MOST if exact else 1
        return cls(
            len(vms["disks"]),
            {name: _summed(vms[name], most) for name in _SUMMED},
            [_summed(terms, most) for terms in miss_terms(vms)],
            restore_all_h,
        )

    @classmethod
    def joined(cls, parts: Sequence["Sums"]) -> "Sums":
        """Return the totals of all parts."""
        return cls(
            sum(part.vms for part in parts),
            {n: list(_chain(part.sums[n] for part in parts)) for n in _SUMMED},
            [list(_chain(s)) for s in zip(*(p.misses for p in parts), strict=True)],
            max(part.restore_all_h for part in parts),
        )

    def figures(self) -> dict[str, float]:
        """Return the totals as an estimate has them."""
        return {
            "vms": self.vms,
            **{name: _sum(numbers) for name, numbers in self.sums.items()},
            **misses_of([_sum(numbers) for numbers in self.misses]),
            "restore_all_h": self.restore_all_h,
        }


_chain = itertools.chain.from_iterable


def _summed(values: np.ndarray, most: int) -> list[float]:
    """Return the exact sum as some numbers, the largest first.

    >>> _summed(np.array([1e16, 1.0, 1.0, 1e-9]), 8)
    [1.0000000000000002e+16, 1e-09]
    """
    plain, numbers = values.tolist(), []
    while len(numbers) < most:
        rest = _sum([*plain, *(-number for number in numbers)])
        numbers.append(rest)
        if rest == 0 or not math.isfinite(rest):
            break
    return numbers[:-1] if len(numbers) > 1 and not numbers[-1] else numbers


def _sum(values: Iterable[float]) -> float:
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf
