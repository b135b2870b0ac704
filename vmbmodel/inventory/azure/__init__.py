"""An inventory from what Azure's own tools list."""

from vmbmodel.inventory.azure.inventory import Import, read
from vmbmodel.inventory.azure.policies import POLICY_COLUMNS
from vmbmodel.inventory.azure.rvtools import read_rvtools

__all__ = ["POLICY_COLUMNS", "Import", "read", "read_rvtools"]
