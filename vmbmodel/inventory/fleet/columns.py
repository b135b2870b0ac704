"""The columns of an inventory: which there are, and where a file has them."""

from collections.abc import Sequence

from vmbmodel.fields import nearest
from vmbmodel.inventory.files import Findings, short

__all__ = [
    "COLUMNS",
    "OF_THE_POLICY",
    "OF_THE_VM",
    "OPTIONAL",
    "REQUIRED",
    "positions",
]

REQUIRED = ("vm", "disk", "role", "size_gib", "used_gib")
"""Columns that every inventory has."""

OF_THE_POLICY = (
    "interval_h",
    "snapshot_points",
    "recovery_points",
    "weekly_points",
    "monthly_points",
    "yearly_points",
    "month_day",
    "snapshot_policy",
    "archive",
)
"""What the policy of a VM says of its backups, beside when they start."""

OPTIONAL = (
    "churn_gib_per_day",
    "write_kib",
    "dispersion",
    "active_frac",
    "disk_type",
    "managed",
    "storage_account",
    "vault",
    "policy",
    "start_h",
    "first_backup",
    "new_disk",
    "cc_mode",
    "excluded",
    "os",
    "redundancy",
    "trusted_launch",
    *OF_THE_POLICY,
    "origin",
)
"""Columns that may be absent, and cells that may be blank."""

COLUMNS = REQUIRED + OPTIONAL
"""All columns, in the order of the result."""

OF_THE_VM = (
    "vault",
    "policy",
    "start_h",
    "first_backup",
    "os",
    "redundancy",
    "trusted_launch",
    *OF_THE_POLICY,
)
"""Facts of the VM, which its disks repeat."""


def positions(
    names: Sequence[str], row: int | None, findings: Findings
) -> dict[str, int]:
    """Find each column; note those missing, misspelt or there twice."""
    absent = [name for name in COLUMNS if name not in names]
    found, meant = {}, set()
    for i, name in enumerate(names):
        if name in found:
            findings.add(f"column {name} stands there twice", row=row, column=name)
        elif name in COLUMNS:
            found[name] = i
        elif not name:
            findings.add(f"column {i + 1} has no name", row=row)
        else:
            likely = nearest(name, absent)
            meant.add(likely)
            hint = f"did you mean {likely}?" if likely else ""
            if likely in REQUIRED:
                hint += f" (required column {likely} is missing)"
            findings.add(
                f"unknown column {short(name)}", row=row, column=name, hint=hint
            )
    for name in REQUIRED:
        if name in absent and name not in meant:
            findings.add(f"required column {name} is missing", row=row, column=name)
    return found
