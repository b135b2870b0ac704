"""When each VM had better start: a plan in half-hours that keeps the rules."""

from vmbmodel.plan.schedule.answer import METHODS, SCHEMA, Schedule, schedule
from vmbmodel.plan.schedule.rules import Broken, Rules, clock
from vmbmodel.plan.schedule.search import Aim

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
