"""What all VMs of an inventory come to, also where it is estimated in parts.

A sum of a part is held in several floating-point numbers, which lose nothing of it, so
that the sum of all is the one nearest to the true one, however the VMs are parted.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vmbmodel.plan.estimate.exact import pieces, sum_of
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
    def of(cls, vms: Mapping[str, np.ndarray], restore_all_h: float) -> "Sums":
        """Take them from the columns of VMs."""
        return cls(
            len(vms["disks"]),
            {name: pieces(vms[name]) for name in _SUMMED},
            [pieces(terms) for terms in miss_terms(vms)],
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
            **{name: sum_of(numbers) for name, numbers in self.sums.items()},
            **misses_of([sum_of(numbers) for numbers in self.misses]),
            "restore_all_h": self.restore_all_h,
        }


_chain = itertools.chain.from_iterable
