"""Where a disk changed, measured."""

from vmbmodel.inventory.changes.extents import (
    ACTIVE_KIB,
    BULK_CELLS,
    Changes,
    compare_images,
    on_disk,
    read,
    union,
    unions_gib,
)

__all__ = [
    "ACTIVE_KIB",
    "BULK_CELLS",
    "Changes",
    "compare_images",
    "on_disk",
    "read",
    "union",
    "unions_gib",
]
