"""What must hold between the cells of a disk, and between the disks of a VM."""

import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vmbmodel._words import short
from vmbmodel.fields import fields
from vmbmodel.inventory.files import NOTED, Cells, Text, lower
from vmbmodel.inventory.fleet.columns import COLUMNS, OF_THE_POLICY, OF_THE_VM
from vmbmodel.inventory.fleet.conversion import Column
from vmbmodel.service import limits

__all__ = ["check_rows", "meant"]

LARGEST_GIB = 2**30
"""One EiB, far above any disk: what is larger was not meant in GiB."""

BLANKS = str.maketrans(
    "", "", "\t\n\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)  # fmt: skip
"""Letters that a name is not told apart by."""


def check_rows(columns: Mapping[str, Column], cells: Cells) -> None:
    """Note every rule that converted rows break together."""
    names = [n for n in COLUMNS if fields()[n].kind == "text" and n != "origin"]
    spelt, meant = {}, {}
    of_vm = [name for name in OF_THE_VM if name in cells.columns]
    for name in {*names, *of_vm}:
        spelt[name], meant[name] = _numbered(columns[name])
    vm, alike = meant["vm"], meant["disk"] is spelt["disk"]
    spelt["disk"] = _pairs(vm, spelt["disk"])
    meant["disk"] = spelt["disk"] if alike else _pairs(vm, meant["disk"])
    _check_disks(columns, cells)
    for name in names:
        _check_spelling(name, spelt[name], meant[name], cells)
    _check_os_disks(vm, spelt["disk"], columns["role"], cells)
    for name in of_vm:
        _check_agreement(name, vm, meant[name], cells)
    _check_new_disks(vm, columns, cells)
    policy = _pairs(meant["vault"] + 1, meant["policy"])
    _remark_differing("a vault has one", ["redundancy"], meant["vault"], meant, cells)
    of_policy = ["start_h", *OF_THE_POLICY]
    _remark_differing("a policy says it once", of_policy, policy, meant, cells)


def _check_disks(columns: Mapping[str, Column], cells: Cells) -> None:
    """Check each disk by itself."""
    for name in ("size_gib", "churn_gib_per_day"):
        at = np.flatnonzero(columns[name] > LARGEST_GIB)
        hints = ["sizes are in GiB"] * at.size
        cells.note(f"must be <= {LARGEST_GIB} (1 EiB)", name, at, hints)
    sizes = columns["size_gib"]
    at = np.flatnonzero(columns["used_gib"] > sizes)
    hints = [f"size_gib is {size:.15g}" for size in sizes[at[:NOTED]]]
    cells.note("must be <= size_gib", "used_gib", at, hints)
    _remark_sizes(sizes, cells)
    homeless = ~_flags(columns["managed"], True)
    homeless &= columns["storage_account"].missing
    at = np.flatnonzero(homeless)
    cells.note("must be given where managed is false", "storage_account", at)


def _remark_sizes(sizes: np.ndarray, cells: Cells) -> None:
    """Remark sizes that no disk has which is backed up: perhaps of another unit."""
    largest_gib = limits()["max_disk_gib"]
    at = np.flatnonzero(sizes > largest_gib)
    if not at.size:
        return
    (_, place), *_ = cells.at("size_gib", at[:1])
    size, more = sizes[at[0]], f" and {at.size - 1:,} more"
    cells.findings.remark(
        f"size_gib {size:,.15g} on {place}{more * (at.size > 1)} is above "
        f"{largest_gib:,g} GiB, the largest disk that is backed up; if it is in MB, "
        f"say {size / 1024:,.15g}"
    )


def _check_spelling(
    name: str, spelt: np.ndarray, meant: np.ndarray, cells: Cells
) -> None:
    """Check that names are told apart by more than case and blanks."""
    if meant is spelt:
        return
    at = np.flatnonzero(_again(meant) & ~_again(spelt))
    first = cells.at(name, _first_alike(meant)[at])
    hints = [f"{short(other)} is on {place}" for other, place in first]
    rule = "must differ from other names by more than case and blanks"
    cells.note(rule, name, at, hints)


def _check_os_disks(vm: np.ndarray, disk: np.ndarray, role: Text, cells: Cells) -> None:
    """Check that a disk stands there once, and that a VM has one OS disk."""
    twice = _again(disk)
    at = np.flatnonzero(twice)
    hints = _elsewhere(at, _first_alike(disk), cells)
    cells.note("must be named once in a VM", "disk", at, hints)

    is_os = role.holds(lambda word: word == "os")
    of_os = np.where(is_os & ~twice, vm, -1)
    at = np.flatnonzero(_again(of_os))
    hints = _elsewhere(at, _first_alike(of_os), cells)
    cells.note("must be os for one disk of a VM only", "role", at, hints)

    if cells.complete and "role" in cells.columns:  # else it may just not be seen
        perhaps = is_os | role.missing
        without = (vm >= 0) & ~_again(vm) & ~np.isin(vm, vm[perhaps])
        cells.note("must have an OS disk (role os)", "vm", np.flatnonzero(without))


def _elsewhere(at: np.ndarray, first: np.ndarray, cells: Cells) -> list[str]:
    return [f"{short(vm)} has it on {place}" for vm, place in cells.at("vm", first[at])]


def _check_agreement(
    name: str, vm: np.ndarray, meant: np.ndarray, cells: Cells
) -> None:
    """Check that the disks of a VM say the same of it; a blank says nothing."""
    at, first = _unlike(vm, meant)
    hints = [f"{short(cell)} on {place}" for cell, place in cells.at(name, first)]
    cells.note("must be the same for all disks of a VM", name, at, hints)


def _remark_differing(
    rule: str,
    names: Sequence[str],
    group: np.ndarray,
    meant: Mapping[str, np.ndarray],
    cells: Cells,
) -> None:
    """Remark cells that differ from others of their vault or policy: each is taken."""
    for name in names:
        at, first = _unlike(group, meant[name]) if name in meant else ([], [])
        if not len(at):
            continue
        (cell, place), *_ = cells.at(name, at[:1])
        (other, before), *_ = cells.at(name, first[:1])
        cells.findings.remark(
            f"{name} is {short(other)} on {before} and {short(cell)} on {place}, and "
            f"{rule}; each VM is taken as its row says"
        )


def _check_new_disks(
    vm: np.ndarray, columns: Mapping[str, Column], cells: Cells
) -> None:
    young = np.where(_flags(columns["first_backup"]), vm, -1)
    new = _flags(columns["new_disk"])
    at = np.flatnonzero(new & (vm >= 0) & np.isin(vm, young))
    cells.note("must be false where first_backup of the VM is true", "new_disk", at)


def _unlike(group: np.ndarray, meant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where a cell differs from the first of its group, and where that is."""
    told = np.where(meant >= 0, group, -1)
    first = _first_alike(told)
    at = np.flatnonzero((told >= 0) & (meant != meant[first]))
    return at, first[at]


def _flags(column: pd.arrays.BooleanArray, otherwise: bool = False) -> np.ndarray:
    return column.to_numpy(bool, na_value=otherwise)


def _numbered(values: Column) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers for the values as spelt, and as meant: case, blanks ignored.

    A missing value has the number -1.
    """
    if not isinstance(values, Text):
        codes, _ = pd.factorize(values)
        return codes, codes
    letters = "".join(values.words)
    if letters.isascii() and letters == letters.lower() and values.unspaced:
        return values.codes, values.codes  # each word is as it is meant
    names = values.map(meant)
    alike = len(names.words) == len(values.words)
    return values.codes, values.codes if alike else names.codes


def meant(name: str) -> str:
    """Return what a name is told apart by: without case and blanks."""
    return lower(unicodedata.normalize("NFC", name)).translate(BLANKS)


def _pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return numbers for the pairs of two numberings."""
    pair = first.astype(int) * (second.max(initial=0) + 1) + second
    known = (first >= 0) & (second >= 0)
    return np.where(known, pd.factorize(pair)[0], -1)


def _first_alike(codes: np.ndarray) -> np.ndarray:
    """Return for each position the first one with the same number."""
    firsts = np.zeros(codes.max(initial=-1) + 2, dtype=int)  # the last one is for -1
    firsts[codes[::-1]] = np.arange(codes.size)[::-1]
    return firsts[codes]


def _again(codes: np.ndarray) -> np.ndarray:
    """Say of each position whether its number came before."""
    return (_first_alike(codes) != np.arange(codes.size)) & (codes >= 0)
