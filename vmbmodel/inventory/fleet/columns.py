"""The columns of an inventory: which there are, and where a file has them."""

import difflib
import re
from collections.abc import Sequence

from vmbmodel._words import short
from vmbmodel.fields import nearest
from vmbmodel.inventory.files import MANY, Findings, not_used

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
    "window_h",
    "snapshot_points",
    "recovery_points",
    "weekly_points",
    "monthly_points",
    "yearly_points",
    "month_day",
    "snapshot_policy",
    "archive",
    "archive_after_months",
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


ALIASES = {
    "vm_name": "vm",
    "virtual_machine": "vm",
    "server": "vm",
    "server_name": "vm",
    "disk_name": "disk",
    "size": "size_gib",
    "disk_size": "size_gib",
    "capacity": "size_gib",
    "used": "used_gib",
    "used_space": "used_gib",
    "churn": "churn_gib_per_day",
    "start": "start_h",
    "start_time": "start_h",
}
"""What people call columns, in small letters and without a unit."""

UNITS = {"gib": ("gb", "gib"), "h": ("h", "hours"), "day": ("gb/day", "gib/day")}
"""Units that a heading may name, by the end of the name of the column."""

HEADING = re.compile(r"(?P<name>[^()\[\]]+) ?(?:[(\[](?P<unit>[a-z/]+)[)\]])?")
"""A name and perhaps its unit, where each run of blanks is one."""

MISSPELT = 0.8
"""Likeness from which an unknown name is a known one misspelt."""


def positions(
    names: Sequence[str], row: int | None, findings: Findings
) -> dict[str, int]:
    """Find each column; note those missing, misspelt or there twice.

    A column of another name is passed over, and that is remarked.
    """
    absent = [name for name in COLUMNS if name not in names]
    found, meant, unused = {}, set(), []
    for i, heading in enumerate(names):
        name = heading if heading in COLUMNS else _meant(heading, absent)
        if name is not None and name != heading.lower():
            findings.remark(f"column {short(heading)} is read as {name}")
        if name in found:
            findings.add(f"column {name} stands there twice", row=row, column=name)
        elif name is not None:
            found[name] = i
        elif not heading:
            findings.add(f"column {i + 1} has no name", row=row)
        else:
            likely = _likely(heading, absent) if len(unused) < MANY else ""
            if not likely:
                unused.append(heading)
                continue
            meant.add(likely)
            hint = f"did you mean {likely}?"
            if likely in REQUIRED:
                hint += f" (required column {likely} is missing)"
            findings.add(
                f"unknown column {short(heading)}", row=row, column=heading, hint=hint
            )
            findings.refuse_if_many()
    if unused:
        findings.remark(not_used([short(name) for name in unused]))
    for name in REQUIRED:
        if name not in found and name not in meant:
            findings.add(f"required column {name} is missing", row=row, column=name)
    return found


def _meant(heading: str, absent: Sequence[str]) -> str | None:
    """Return the column that a heading means without doubt, unit and all."""
    match = HEADING.fullmatch(" ".join(heading.lower().split()))
    if not match:
        return None
    plain = re.sub(r"[\s_-]+", "_", match["name"].strip())
    stem, mark, end = plain.rpartition("_")
    unit = match["unit"] or ""
    if plain not in absent and plain not in ALIASES and mark and end in ("gb", "gib"):
        plain, unit = stem, end
    name = ALIASES.get(plain, plain)
    if name not in absent:
        return None
    return name if not unit or unit in UNITS.get(name.rpartition("_")[2], ()) else None


def _likely(heading: str, absent: Sequence[str]) -> str:
    """Return the column that a heading seems to misspell."""
    likely = nearest(heading, absent)
    alike = difflib.SequenceMatcher(None, heading.strip().lower(), likely).ratio()
    return likely if likely in REQUIRED or alike >= MISSPELT else ""
