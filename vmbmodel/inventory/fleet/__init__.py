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
from vmbmodel.inventory.fleet.parts import FleetPart, Parts, joined, parted, words_of
from vmbmodel.inventory.fleet.policies import (
    ANY_DAY,
    DAYS,
    MONTHS,
    POLICY_COLUMNS,
    WEEKS,
    Policies,
    month_day_of,
    read_policies,
    runs_a_day,
)

__all__ = [
    "ANY_DAY",
    "COLUMNS",
    "DAYS",
    "MONTHS",
    "OF_THE_POLICY",
    "OF_THE_VM",
    "OPTIONAL",
    "POLICY_COLUMNS",
    "REQUIRED",
    "WEEKS",
    "FleetPart",
    "InventoryError",
    "Located",
    "Parts",
    "Policies",
    "checked",
    "disks_of",
    "joined",
    "month_day_of",
    "parted",
    "read_fleet",
    "read_located",
    "read_policies",
    "runs_a_day",
    "sample_fleet",
    "to_bytes",
    "typed",
    "words_of",
    "write",
]
