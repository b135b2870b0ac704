"""The disks of your VMs: read from CSV or Parquet, checked as a whole, written back."""

from vmbmodel.inventory.fleet.disks import (
    COLUMNS,
    OF_THE_VM,
    OPTIONAL,
    REQUIRED,
    InventoryError,
    Located,
    checked,
    disks_of,
    read,
    read_located,
    to_bytes,
    write,
)

__all__ = [
    "COLUMNS",
    "OF_THE_VM",
    "OPTIONAL",
    "REQUIRED",
    "InventoryError",
    "Located",
    "checked",
    "disks_of",
    "read",
    "read_located",
    "to_bytes",
    "write",
]
