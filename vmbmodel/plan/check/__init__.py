"""An inventory against the rules in force on a date."""

from vmbmodel.plan.check.answer import (
    PLACES,
    SCHEMA,
    STATUSES,
    Breach,
    Check,
    Outcome,
    check,
    check_disks,
)
from vmbmodel.plan.check.suppressions import (
    EXPIRED,
    UNUSED,
    Suppression,
    read_suppressions,
    suppressed,
)

__all__ = [
    "EXPIRED",
    "PLACES",
    "SCHEMA",
    "STATUSES",
    "UNUSED",
    "Breach",
    "Check",
    "Outcome",
    "Suppression",
    "check",
    "check_disks",
    "read_suppressions",
    "suppressed",
]
