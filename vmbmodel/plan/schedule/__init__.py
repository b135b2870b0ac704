"""When each VM had better start, in half-hours; never worse than today."""

from vmbmodel.plan.schedule.answer import AIM_LABELS, SCHEMA, Aim, Schedule, schedule
from vmbmodel.plan.schedule.rules import Broken, Rules, clock

__all__ = [
    "AIM_LABELS",
    "SCHEMA",
    "Aim",
    "Broken",
    "Rules",
    "Schedule",
    "clock",
    "schedule",
]
