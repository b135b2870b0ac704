"""What a plan comes to, aim after aim, and which of several is best."""

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["AIMS", "TOLERATED", "Value", "best", "least"]

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
    return _left(values, vms, share, seen)[-1][1][0]


def least(values: Sequence[Value], vms: int, share: float = 1.0) -> Value:
    """Return the least of each aim, of plans within the tolerances of those before it.

    >>> print(*least([Value(0, 0, 52, 1, 0, 0), Value(0, 5, 49, 1, 0, 0)], vms=10))
    0 0 52 1 0 0
    """
    rounds = _left(values, vms, share)
    return Value(*(value[aim] for aim, (value, _) in enumerate(rounds)))


def _left(
    values: Sequence[Value], vms: int, share: float, seen: Value | None = None
) -> list[tuple[Value, list[int]]]:
    """Return, aim after aim, the plan that comes to least, and which are left."""
    rounds, left = [], list(range(len(values)))
    for aim in range(len(AIMS)):
        of_these = min((values[i] for i in left), key=lambda value: value[aim])
        lowest = min(of_these, seen or of_these, key=lambda value: value[aim])
        most = lowest[aim] + lowest.tolerances(vms, share)[aim]
        left = [i for i in left if values[i][aim] <= max(most, of_these[aim])]
        rounds.append((of_these, left))
    return rounds
