"""When each VM had better start, in half-hours; as good as today's at least."""

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
