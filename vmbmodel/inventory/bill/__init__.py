"""What you were billed."""

from vmbmodel.inventory.bill.focus import COSTS, LINES, Bill, read

__all__ = ["COSTS", "LINES", "Bill", "read"]
