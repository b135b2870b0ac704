"""Files of any tool, read with every fault noted at its place."""

from vmbmodel.inventory.files.entry import Entry, Resource, resource
from vmbmodel.inventory.files.findings import (
    LONGEST_NAME,
    MANY,
    NOT_A_FLAG,
    NOT_A_NUMBER,
    NOTED,
    Cells,
    Finding,
    Findings,
    InventoryError,
    Tally,
    not_used,
)
from vmbmodel.inventory.files.listing import (
    Listing,
    Page,
    log_rows,
    table_rows,
    unfollowed,
    unused,
)
from vmbmodel.inventory.files.quantities import (
    DATE_ORDERS,
    NEVER,
    duration_h,
    instant,
    instants,
    size_gib,
    zone,
)
from vmbmodel.inventory.files.text import read_text, stream_cells, stream_lines
from vmbmodel.inventory.files.words import Text, lower, unprintable

__all__ = [
    "DATE_ORDERS",
    "LONGEST_NAME",
    "MANY",
    "NEVER",
    "NOTED",
    "NOT_A_FLAG",
    "NOT_A_NUMBER",
    "Cells",
    "Entry",
    "Finding",
    "Findings",
    "InventoryError",
    "Listing",
    "Page",
    "Resource",
    "Tally",
    "Text",
    "duration_h",
    "instant",
    "instants",
    "log_rows",
    "lower",
    "not_used",
    "read_text",
    "resource",
    "size_gib",
    "stream_cells",
    "stream_lines",
    "table_rows",
    "unfollowed",
    "unprintable",
    "unused",
    "zone",
]
