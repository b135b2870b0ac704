"""An inventory from what Azure's own tools list."""

from vmbmodel.inventory.azure.inventory import Import, read

__all__ = ["Import", "read"]
