"""An inventory from what Azure's own tools list."""

from vmbmodel.inventory.azure.inventory import Import, read
from vmbmodel.inventory.azure.rvtools import read_rvtools

__all__ = ["Import", "read", "read_rvtools"]
