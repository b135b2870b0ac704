"""What a plan comes to, aim after aim, and which of several is best."""

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["AIMS", "TOLERATED", "Value", "best", "narrowed"]

_LEAST_MISSES, _MISSES_FRAC = 1e-3, 0.01
_FINISH_H = 0.05


class Value(NamedTuple):
    """What a plan comes to, in the order in which plans are compared."""

    broken_rules: float  #: VMs in a blackout, and places where a rule is not kept
    expected_misses: float  #: backups that miss their deadline on an average night
    finish_h: float  #: from the start, or the present one if earlier, summed
    policies: float
    moved_vms: float
    beyond_vms: float  #: jobs at work at a time beyond those a vault serves

    def tolerances(self, vms: int, share: float = 1.0) -> "Value":
        """Return how far above this a plan of so many VMs may be and be as good.

        The VMs are a share of all; the least that a miss matters is for all.
        """
        misses = max(_LEAST_MISSES * share, _MISSES_FRAC * self.expected_misses)
        return Value(0, misses, _FINISH_H * vms, 0, 0, 0)


AIMS = Value._fields
TOLERATED = ("expected_misses", "finish_h")
"""Aims of which plans are as good up to a tolerance above the least."""


def best(
    values: Sequence[Value], vms: int, share: float = 1.0, seen: Value | None = None
) -> int:
    """Choose a plan: aim after aim, those within the tolerance of the least are left.

    The first of those that are as good is taken. The least of an aim may have been
    `seen` in a plan that is not among these: tolerances do not add up then.

    >>> today, idle = Value(0, 1e-4, 50, 1, 0, 0), Value(0, 0, 49.9, 3, 9, 0)
    >>> best([idle, today], vms=10)
    1
    >>> best([idle, today], vms=10, seen=Value(0, 0, 49.4, 1, 0, 0))
    0
    """
    return narrowed(values, vms, share, seen)[0]


def narrowed(
    values: Sequence[Value], vms: int, share: float = 1.0, seen: Value | None = None
) -> tuple[int, Value]:
    """Choose as `best` does, and return the least of each aim of what was left for it.

    >>> values = [Value(0, 0, 52, 1, 0, 0), Value(0, 5, 49, 1, 0, 0)]
    >>> at, least = narrowed(values, vms=10)
    >>> print(at, *least)
    0 0 0 52 1 0 0
    """
    found, left = [], list(range(len(values)))
    for aim in range(len(AIMS)):
        least = min((values[i] for i in left), key=lambda value: value[aim])
        lowest = min(least, seen or least, key=lambda value: value[aim])
        most = lowest[aim] + lowest.tolerances(vms, share)[aim]
        left = [i for i in left if values[i][aim] <= max(most, least[aim])]
        found.append(least[aim])
    return left[0], Value(*found)
