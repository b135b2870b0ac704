"""Logs of backup jobs, of any tool and year, as one tidy table."""

from vmbmodel.inventory.jobs.log import (
    COLUMNS,
    JobLog,
    first_backups,
    read,
    rows,
    typed,
)

__all__ = ["COLUMNS", "JobLog", "first_backups", "read", "rows", "typed"]
