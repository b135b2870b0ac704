"""When each VM had better start: a plan in half-hours that keeps the rules."""

from vmbmodel.plan.schedule.answer import (
    METHODS,
    SCHEMA,
    Aim,
    Broken,
    Rules,
    Schedule,
    clock,
    schedule,
)

__all__ = [
    "METHODS",
    "SCHEMA",
    "Aim",
    "Broken",
    "Rules",
    "Schedule",
    "clock",
    "schedule",
]
