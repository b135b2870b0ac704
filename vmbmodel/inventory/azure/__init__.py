"""An inventory from what Azure's own tools list."""

from vmbmodel.inventory.azure.inventory import Import, read
from vmbmodel.inventory.azure.policies import POLICY_COLUMNS, policy_table

__all__ = ["POLICY_COLUMNS", "Import", "policy_table", "read"]
