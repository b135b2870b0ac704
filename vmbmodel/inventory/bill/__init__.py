"""What you were billed."""

from vmbmodel.inventory.bill.focus import LINES, Bill, read
from vmbmodel.inventory.bill.shapes import COSTS

__all__ = ["COSTS", "LINES", "Bill", "read"]
