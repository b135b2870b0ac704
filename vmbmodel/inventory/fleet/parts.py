"""An inventory too large to hold: read in parts of which each has whole vaults.

A part has all disks of its vaults, and a storage account that two vaults use joins
them, so that nothing of an estimate but sums, and all restores at once, goes across
parts.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from vmbmodel._words import short, some
from vmbmodel.inventory.files import Findings, Text
from vmbmodel.inventory.fleet.columns import COLUMNS
from vmbmodel.inventory.fleet.conversion import converted, without_blank_rows
from vmbmodel.inventory.fleet.disks import checked_cells
from vmbmodel.inventory.fleet.policies import Policies
from vmbmodel.inventory.fleet.rules import meant
from vmbmodel.inventory.fleet.tables import (
    MOST_ROWS,
    RowGroup,
    group_cells,
    joined_cells,
    row_groups,
)

__all__ = ["FleetPart", "Parts", "joined", "parted", "words_of"]

_LOG = logging.getLogger(__name__)

_KEYS = ("vm", "vault", "policy", "storage_account", "role", "excluded")


@dataclass(frozen=True)
class FleetPart:
    """Some vaults of an inventory, not yet read."""

    name: str  #: of the whole
    groups: tuple[RowGroup, ...]  #: where the rows stand
    disks: int  #: how many there are

    def read(self, policies: Policies | None = None) -> pd.DataFrame:
        """Read the part and check it, as `read_fleet` does a whole inventory.

        Raises
        ------
        InventoryError
            If anything is wrong with it; rows count from 1, through all files.
        """
        findings = Findings(self.name, counted="row")
        cells = without_blank_rows(joined_cells(self.groups, findings))
        return checked_cells(cells, policies)


@dataclass(frozen=True)
class Parts:
    """An inventory in parts, and what is known of it before they are read."""

    parts: tuple[FleetPart, ...]
    vms: int  #: VMs that are backed up, of those that are named
    crowd: int  #: those of the vault that has most

    named: int  #: VMs that are named, backed up or not; all if nothing is
    lost: Mapping[str, frozenset[str]]  #: names asked for that there are none of

    @property
    def disks(self) -> int:
        """Disks of the whole inventory."""
        return sum(part.disks for part in self.parts)


@dataclass
class _Sought:
    """Names of a column that some VMs are sought by, group of rows by group."""

    key: str
    names: Sequence[str]
    blank: str | None  #: what a VM has that is told none
    rows: list[np.ndarray] = field(default_factory=list)  #: which have such a name
    told: list[np.ndarray] = field(default_factory=list)  #: which have any
    found: set[str] = field(default_factory=set)

    @property
    def lost(self) -> frozenset[str]:
        return frozenset(self.names) - self.found

    def look_at(self, column: Text) -> None:
        """Look at the next rows."""
        used = set(np.unique(column.codes).tolist())
        words = {w for at, w in enumerate(column.words) if at in used}
        self.found |= words.intersection(self.names)
        self.rows.append(column.holds(frozenset(self.names).__contains__))
        self.told.append(~column.missing)

    def of_vms(self, vm: np.ndarray) -> np.ndarray:
        """Say of each VM whether it is of a name, when all rows have been seen."""
        own = _any_of(vm, np.concatenate(self.rows))
        silent = ~_any_of(vm, np.concatenate(self.told))
        if self.blank in self.names and silent.any():
            self.found.add(self.blank)
            own |= silent
        return own


def words_of(
    fleet: str | os.PathLike[str], keys: Sequence[str]
) -> dict[str, dict[str, None]]:
    """Return every word of some columns of an inventory that `parted` takes."""
    findings = Findings(os.fspath(fleet), counted="row")
    words = {key: {} for key in keys}
    for group in row_groups(_files(Path(fleet), findings), findings):
        for cells in group_cells(group, Findings(findings.file), keys):
            columns = converted(cells, keys)
            for key in keys:
                words[key] |= dict.fromkeys(columns[key].words)
    return words


def joined(*keys: np.ndarray) -> np.ndarray:
    """Give rows with a key in common one number, be it through other rows.

    The first key is of every row; where another is negative, a row has none.

    >>> vaults, accounts = np.array([0, 1, 2, 3]), np.array([-1, 0, 0, -1])
    >>> joined(vaults, accounts).tolist()
    [0, 1, 1, 2]
    """
    group, before = keys[0], None
    while before is None or (group != before).any():
        before = group
        for key in keys[::-1]:
            least = np.full(key.max(initial=-1) + 2, len(group))
            np.minimum.at(least, key[key >= 0], group[key >= 0])
            group = np.where(key >= 0, least[key], group)
    return pd.factorize(group)[0]


def parted(
    fleet: str | os.PathLike[str],
    most: int,
    *,
    vault: str,
    policy: str,
    excluded: bool,
    names: Mapping[str, Sequence[str]] | None = None,
) -> Parts:
    """Part an inventory along its vaults.

    Parameters
    ----------
    fleet : path-like
        A Parquet file, or a folder of them, that has the columns of an inventory. It is
        read soonest where the rows of a vault stand together.
    most : int
        Disks of a part, if its vaults allow it.
    vault, policy, excluded : str, str, bool
        What stands for a blank cell.
    names : mapping, optional
        Names of VMs, vaults and policies, by ``vm``, ``vault`` and ``policy``, that a
        VM has to be of to count; any, where there are none.

    Raises
    ------
    InventoryError
        If a file is missing or no Parquet, or the names of two policies differ by no
        more than case and blanks.
    """
    name = os.fspath(fleet)
    findings = Findings(name, counted="row")
    files = _files(Path(fleet), findings)
    if others := sorted(_seen(Path(fleet)) - set(files)):
        first = some([short(str(path)) for path in others], most=1)
        _LOG.warning("%s: does not end in .parquet and is not read: %s", name, first)
    groups = row_groups(files, findings)
    if not sum(group.count for group in groups):
        findings.stop("has no rows; a row a disk is needed")
    policies: dict[str, str] = {}
    seen, kept = {key: [] for key in ("vm", "vault", "storage_account")}, []
    sought = [
        _Sought(key, some, {"vault": vault, "policy": policy}.get(key))
        for key, some in (names or {}).items()
        if some
    ]
    for group in groups:
        scratch = Findings(name, counted="row")  # noted again when a part is read
        for cells in group_cells(group, scratch, _KEYS):
            columns = converted(cells, _KEYS)
            for key, parts in seen.items():
                parts.append((columns[key].codes, _hashed(columns[key].words)))
            out = columns["excluded"].to_numpy(bool, na_value=excluded)
            kept.append(~out & ~columns["role"].holds(lambda word: word == "temp"))
            for each in sought:
                each.look_at(columns[each.key])
            _check_policies(columns["policy"].words, policies, findings)
    findings.refuse_if_any()
    told = np.concatenate([codes >= 0 for codes, _ in seen["vault"]])
    of_disk, default = _numbered(seen.pop("vault"), _hashed([vault]))
    vm, _ = _numbered(seen.pop("vm"), _hashed([""]))  # a part refuses a blank one
    of_vm = np.full(vm.max() + 1, default, np.int32)
    of_vm[vm[told]] = of_disk[told]  # what one disk says holds for the others
    busy = _any_of(vm, np.concatenate(kept))
    named = np.ones(len(of_vm), dtype=bool)
    for each in sought:
        named &= each.of_vms(vm)
    busy &= named
    del of_disk, told
    crowd = np.bincount(of_vm[busy], minlength=1)
    account, _ = _numbered(seen.pop("storage_account"))
    group = _grouped(of_vm, vm, account)[of_vm]
    size = np.bincount(group, np.bincount(vm))
    if (most_of_one := int(size.max())) > MOST_ROWS:
        findings.stop(
            f"has {most_of_one:,} disks of vaults that belong together; most are "
            f"{MOST_ROWS:,}"
        )
    of_part = ((np.cumsum(size) - size) // most).astype(np.int32)
    part = of_part[group][vm]
    return Parts(
        tuple(_cut(name, groups, part)),
        int(busy.sum()),
        int(crowd.max()),
        int(named.sum()),
        {each.key: each.lost for each in sought if each.lost},
    )


def _any_of(vm: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Say of each VM whether any of some rows is its own."""
    found = np.zeros(vm.max() + 1, dtype=bool)
    found[vm[rows]] = True
    return found


def _numbered(
    seen: list[tuple[np.ndarray, np.ndarray]], blank: np.ndarray | None = None
) -> tuple[np.ndarray, int]:
    """Return numbers for names, by the codes of their words and the hashes of those.

    Returns the number of a blank too, which is -1 if nothing stands for it. What was
    seen is used up, for there is much of it.
    """
    hashes = [hashes for _, hashes in seen] + ([] if blank is None else [blank])
    numbers = pd.factorize(np.concatenate(hashes))[0].astype(np.int32)
    none = -1 if blank is None else int(numbers[-1])
    result, row, word = np.empty(sum(len(codes) for codes, _ in seen), np.int32), 0, 0
    for codes, hashes in seen:
        of_word = np.append(numbers[word : word + len(hashes)], np.int32(none))
        result[row : row + len(codes)] = of_word[codes]  # -1 is the place of the last
        row, word = row + len(codes), word + len(hashes)
    seen.clear()
    return result, none


def _grouped(of_vm: np.ndarray, vm: np.ndarray, account: np.ndarray) -> np.ndarray:
    """Return for each vault the first of those that accounts join to it."""
    group = np.arange(of_vm.max() + 1, dtype=np.int32)
    held = account >= 0
    pairs = np.unique(np.column_stack([of_vm[vm[held]], account[held]]), axis=0)
    if len(pairs):
        label = joined(*pairs.T)
        first = np.full(label.max() + 1, len(group))
        np.minimum.at(first, label, pairs[:, 0])
        group[pairs[:, 0]] = first[label]
    return group


def _files(fleet: Path, findings: Findings) -> list[Path]:
    if not fleet.exists():
        findings.stop("does not exist")
    if not fleet.is_dir():
        return [fleet]
    files = sorted(p for p in _seen(fleet) if p.suffix.lower() == ".parquet")
    if not files:
        findings.stop("is a folder without a file .parquet")
    for part in (part for p in files for part in p.relative_to(fleet).parts[:-1]):
        column, equals, _ = part.partition("=")
        if equals and column in COLUMNS:
            rule = f"says {column} in the name of a folder, {short(part)}"
            findings.stop(rule, hint="such names are not read: write it into the files")
    return files


def _seen(folder: Path) -> set[Path]:
    """Return the files of a folder, without those that writers hide from readers."""
    found = folder.rglob("*") if folder.is_dir() else ()
    return {
        path
        for path in found
        if path.is_file()
        and not any(p.startswith((".", "_")) for p in path.relative_to(folder).parts)
    }


def _hashed(words: Sequence[str]) -> np.ndarray:
    """Return a number for each name, as it is meant.

    Two names of one number, of which nobody will meet any, only share a part.
    """
    meanings = np.array([meant(word) for word in words], dtype=object)
    return pd.util.hash_array(meanings, categorize=False)


def _check_policies(
    words: Sequence[str], known: dict[str, str], findings: Findings
) -> None:
    """Check that policies, also of different parts, differ by more than case."""
    for word in words:
        other = known.setdefault(meant(word), word)
        if other != word:
            rule = "must differ from other names by more than case and blanks"
            hint = f"{short(other)} stands there too"
            findings.add(rule, column="policy", value=word, hint=hint)


def _cut(
    name: str, groups: Sequence[RowGroup], part: np.ndarray
) -> Iterator[FleetPart]:
    """Give the parts, each with its rows of each row group."""
    places: dict[int, list[RowGroup]] = {}
    for group in groups:
        own = part[group.begin : group.begin + group.count]
        for number in np.unique(own).tolist():
            rows = np.flatnonzero(own == number).astype(np.int32)
            taken = None if len(rows) == group.count else rows
            places.setdefault(number, []).append(group._replace(rows=taken))
    for number in sorted(places):
        disks = sum(
            group.count if group.rows is None else len(group.rows)
            for group in places[number]
        )
        yield FleetPart(name, tuple(places[number]), disks)
