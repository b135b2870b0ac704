"""Bills over time: of a life, of a calendar, and beside what was charged."""

from vmbmodel.plan.bill.answer import CAUSES, SCHEMA, Reconciliation, reconcile
from vmbmodel.plan.bill.calendar import (
    RecoveryPoints,
    RetentionPolicy,
    backup_instant,
    live_points,
    month_edges_h,
)
from vmbmodel.plan.bill.life import Event, bill_of_life

__all__ = [
    "CAUSES",
    "SCHEMA",
    "Event",
    "Reconciliation",
    "RecoveryPoints",
    "RetentionPolicy",
    "backup_instant",
    "bill_of_life",
    "live_points",
    "month_edges_h",
    "reconcile",
]
