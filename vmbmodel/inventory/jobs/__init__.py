"""Logs of backup jobs, of any tool and year, as one tidy table."""

from vmbmodel.inventory.jobs.log import (
    COLUMNS,
    JobLog,
    Jobs,
    first_backups,
    read,
    rows,
)

__all__ = ["COLUMNS", "JobLog", "Jobs", "first_backups", "read", "rows"]
