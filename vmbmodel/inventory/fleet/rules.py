"""What must hold between the cells of a disk, and between the disks of a VM."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vmbmodel.fields import fields
from vmbmodel.inventory.files import Cells
from vmbmodel.inventory.fleet.columns import COLUMNS, OF_THE_VM
from vmbmodel.service import limits

__all__ = ["check_rows"]

LARGEST_GIB = 2**30
"""One EiB, far above any disk: what is larger was not meant in GiB."""


def check_rows(columns: Mapping[str, pa.Array], cells: Cells) -> None:
    """Note every rule that converted rows break together."""
    names = [n for n in COLUMNS if fields()[n].kind == "text" and n != "origin"]
    spelt, meant = {}, {}
    for name in {*names, *OF_THE_VM}:
        spelt[name], meant[name] = _numbered(columns[name])
    vm = meant["vm"]
    spelt["disk"] = _pairs(vm, spelt["disk"])
    meant["disk"] = _pairs(vm, meant["disk"])
    _check_disks(columns, cells)
    for name in names:
        _check_spelling(name, spelt[name], meant[name], cells)
    _check_os_disks(vm, spelt["disk"], columns["role"], cells)
    for name in OF_THE_VM:
        _check_agreement(name, vm, meant[name], cells)
    _check_new_disks(vm, columns, cells)


def _check_disks(columns: Mapping[str, pa.Array], cells: Cells) -> None:
    """Check each disk by itself."""
    for name in ("size_gib", "churn_gib_per_day"):
        at = np.flatnonzero(_floats(columns[name]) > LARGEST_GIB)
        hints = ["sizes are in GiB"] * at.size
        cells.note(f"must be <= {LARGEST_GIB} (1 EiB)", name, at, hints)
    sizes = _floats(columns["size_gib"])
    at = np.flatnonzero(_floats(columns["used_gib"]) > sizes)
    hints = [f"size_gib is {size:.15g}" for size in sizes[at]]
    cells.note("must be <= size_gib", "used_gib", at, hints)
    _remark_sizes(sizes, cells)
    homeless = ~_flags(columns["managed"], True)
    homeless &= _flags(columns["storage_account"].is_null())
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
    at = np.flatnonzero(_again(meant) & ~_again(spelt))
    first = cells.at(name, _first_alike(meant)[at])
    hints = [f"{other!r} is on {place}" for other, place in first]
    rule = "must differ from other names by more than case and blanks"
    cells.note(rule, name, at, hints)


def _check_os_disks(
    vm: np.ndarray, disk: np.ndarray, role: pa.Array, cells: Cells
) -> None:
    """Check that a disk stands there once, and that a VM has one OS disk."""
    twice = _again(disk)
    at = np.flatnonzero(twice)
    hints = _elsewhere(at, _first_alike(disk), cells)
    cells.note("must be named once in a VM", "disk", at, hints)

    is_os = _flags(pc.equal(role, "os"))
    of_os = np.where(is_os & ~twice, vm, -1)
    at = np.flatnonzero(_again(of_os))
    hints = _elsewhere(at, _first_alike(of_os), cells)
    cells.note("must be os for one disk of a VM only", "role", at, hints)

    if cells.complete and "role" in cells.columns:  # else it may just not be seen
        perhaps = is_os | _flags(role.is_null())
        without = (vm >= 0) & ~_again(vm) & ~np.isin(vm, vm[perhaps])
        cells.note("must have an OS disk (role os)", "vm", np.flatnonzero(without))


def _elsewhere(at: np.ndarray, first: np.ndarray, cells: Cells) -> list[str]:
    return [f"{vm!r} has it on {place}" for vm, place in cells.at("vm", first[at])]


def _check_agreement(
    name: str, vm: np.ndarray, meant: np.ndarray, cells: Cells
) -> None:
    """Check that the disks of a VM say the same of it; a blank says nothing."""
    told = np.where(meant >= 0, vm, -1)
    first = _first_alike(told)
    at = np.flatnonzero((told >= 0) & (meant != meant[first]))
    hints = [f"{cell!r} on {place}" for cell, place in cells.at(name, first[at])]
    cells.note("must be the same for all disks of a VM", name, at, hints)


def _check_new_disks(
    vm: np.ndarray, columns: Mapping[str, pa.Array], cells: Cells
) -> None:
    young = np.where(_flags(columns["first_backup"]), vm, -1)
    new = _flags(columns["new_disk"])
    at = np.flatnonzero(new & (vm >= 0) & np.isin(vm, young))
    cells.note("must be false where first_backup of the VM is true", "new_disk", at)


def _floats(column: pa.Array) -> np.ndarray:
    return column.to_numpy(zero_copy_only=False)


def _flags(column: pa.Array, otherwise: bool = False) -> np.ndarray:
    return column.fill_null(otherwise).to_numpy(zero_copy_only=False)


def _numbered(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers for the values as spelt, and as meant: case, blanks ignored.

    A missing value has the number -1.
    """
    if values.null_count == len(values):
        none = np.full(len(values), -1)
        return none, none
    found = values.dictionary_encode()
    spelt = found.indices.fill_null(-1).to_numpy()
    if not pa.types.is_large_string(values.type):
        return spelt, spelt
    composed = pc.utf8_normalize(found.dictionary, "NFC")
    plain = pc.replace_substring_regex(pc.utf8_lower(composed), r"[\s\p{Z}]+", "")
    return spelt, np.append(plain.dictionary_encode().indices, -1)[spelt]


def _pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return numbers for the pairs of two numberings."""
    pair = first.astype(int) * (second.max(initial=0) + 1) + second
    known = (first >= 0) & (second >= 0)
    return np.where(known, pa.array(pair).dictionary_encode().indices, -1)


def _first_alike(codes: np.ndarray) -> np.ndarray:
    """Return for each position the first one with the same number."""
    firsts = np.zeros(codes.max(initial=-1) + 2, dtype=int)  # the last one is for -1
    firsts[codes[::-1]] = np.arange(codes.size)[::-1]
    return firsts[codes]


def _again(codes: np.ndarray) -> np.ndarray:
    """Say of each position whether its number came before."""
    return (_first_alike(codes) != np.arange(codes.size)) & (codes >= 0)
