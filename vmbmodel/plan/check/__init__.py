"""An inventory against the rules in force on a date."""

from vmbmodel.plan.check.answer import (
    PLACES,
    SCHEMA,
    STATUSES,
    Check,
    Finding,
    Outcome,
    check,
    check_disks,
)
from vmbmodel.plan.check.suppressions import (
    EXPIRED,
    UNUSED,
    Suppression,
    apply,
    read,
)

__all__ = [
    "EXPIRED",
    "PLACES",
    "SCHEMA",
    "STATUSES",
    "UNUSED",
    "Check",
    "Finding",
    "Outcome",
    "Suppression",
    "apply",
    "check",
    "check_disks",
    "read",
]
