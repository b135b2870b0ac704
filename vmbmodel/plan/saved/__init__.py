"""Saved estimates: computed again, and compared with each other."""

from vmbmodel.plan.saved.answer import CAUSES, SCHEMA, Diff, diff
from vmbmodel.plan.saved.verify import (
    REPORT_SCHEMA,
    TOLERANCE,
    Difference,
    Inputs,
    differences,
    read_saved,
)

__all__ = [
    "CAUSES",
    "REPORT_SCHEMA",
    "SCHEMA",
    "TOLERANCE",
    "Diff",
    "Difference",
    "Inputs",
    "diff",
    "differences",
    "read_saved",
]
