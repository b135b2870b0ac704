"""The disks of your VMs: read from CSV or Parquet, checked as a whole, written back."""

from vmbmodel.inventory.files import InventoryError
from vmbmodel.inventory.fleet.columns import (
    COLUMNS,
    OF_THE_POLICY,
    OF_THE_VM,
    OPTIONAL,
    REQUIRED,
)
from vmbmodel.inventory.fleet.conversion import typed
from vmbmodel.inventory.fleet.disks import (
    Located,
    checked,
    disks_of,
    read_fleet,
    read_located,
    sample_fleet,
    to_bytes,
    write,
)

__all__ = [
    "COLUMNS",
    "OF_THE_POLICY",
    "OF_THE_VM",
    "OPTIONAL",
    "REQUIRED",
    "InventoryError",
    "Located",
    "checked",
    "disks_of",
    "read_fleet",
    "read_located",
    "sample_fleet",
    "to_bytes",
    "typed",
    "write",
]
