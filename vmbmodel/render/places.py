"""Where the findings of a check stand in their file, and what they say."""

from pathlib import Path

from vmbmodel.inventory.fleet import Located
from vmbmodel.plan.check import EXPIRED, UNUSED, Breach

__all__ = ["file_of", "line_of", "said"]

_OWN = {EXPIRED.id, UNUSED.id}


def line_of(finding: Breach, located: Located) -> int | None:
    """Return the line of a finding in its file; None where rows are no lines."""
    if finding.rule.id in _OWN:
        return finding.place.row or None
    if located.counted != "line" or not finding.place.where:
        return None
    return int(located.rows[finding.place.row])


def file_of(finding: Breach, path: Path) -> str | Path:
    """Return the file of a finding: the inventory, or that of a suppression."""
    return finding.locator if finding.rule.id in _OWN else path


def said(finding: Breach) -> str:
    """Return the sentence of a finding, with the VM if the sentence has it not."""
    vm = finding.place.where.get("vm")
    text = finding.place.text if vm is None else f"VM {vm}: {finding.place.text}"
    return f"{text} {finding.rule.todo}"
