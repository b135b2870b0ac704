"""What is so of an inventory, said once: blanks, shared cells, sizes, what is kept."""

import os
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from vmbmodel._words import first_lines
from vmbmodel.fields import defaults, fields, misnamed
from vmbmodel.inventory.fleet import COLUMNS, OF_THE_POLICY, OF_THE_VM
from vmbmodel.plan.scenario import Scenario

__all__ = [
    "NONE_OF_ALL",
    "SIZES",
    "Fleet",
    "backed_up",
    "by_name",
    "chosen",
    "filled",
    "firsts",
    "holds",
    "in_gib",
    "of_chosen",
    "of_vms",
    "refuse_unknown",
    "shared",
    "stands",
    "those",
    "told",
    "unmanaged",
]

Fleet = str | os.PathLike[str] | pd.DataFrame
"""An inventory: a file, or a table of its columns."""

_IN_COMMON = (
    "role",
    "disk_type",
    "storage_account",
    "vault",
    "policy",
    "os",
    "redundancy",
    "snapshot_policy",
)
"""Columns of text of which many disks have the same words."""

NONE_OF_ALL = "no VM is of all that is named"

SIZES = ("size_gib", "used_gib", "churn_gib_per_day")
"""What is in GB of the user."""


def shared(fleet: pd.DataFrame) -> pd.DataFrame:
    """Return all columns, with what one disk says of its VM told by the others too.

    Examples
    --------
    >>> disks = pd.DataFrame({"vm": ["a", "a", "b"], "vault": [None, "v", "w"]})
    >>> shared(disks)["vault"].tolist()
    ['v', 'v', 'w']
    """
    disks = fleet.reindex(columns=list(COLUMNS)).reset_index(drop=True)
    vm = None
    for name in OF_THE_VM:
        column = disks[name]
        known = column.notna().to_numpy()
        told = np.flatnonzero(known)
        if told.size in (0, len(column)):
            continue
        if vm is None:
            vm = pd.factorize(disks["vm"])[0]
        first = np.full(vm.max() + 1, -1)
        first[vm[told[::-1]]] = told[::-1]
        at = np.where(known, np.arange(len(column)), first[vm])
        values = column.take(np.maximum(at, 0)).reset_index(drop=True)
        disks[name] = values.where(at >= 0)
    return disks


def in_gib(
    disks: pd.DataFrame, gb_bytes: float, names: Sequence[str] = SIZES
) -> pd.DataFrame:
    """Return disks whose sizes are in GiB, whatever the user calls a GB."""
    return disks.assign(**{name: _gib(disks[name], gb_bytes) for name in names})


def filled(
    fleet: pd.DataFrame, scenario: Scenario
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Fill every blank cell, and count for each column how many were filled.

    Words that rows have in common, such as vaults, are categories in order.
    """
    disks = shared(fleet)
    fill = {name: scenario[name] for name in defaults()}
    fill |= {n: scenario[n] for n in COLUMNS if n in scenario.profile}
    counts = {name: int(disks[name].isna().sum()) for name in fill}
    fill |= {name: scenario[name] for name in OF_THE_POLICY}
    columns = {n: _categories(disks[n], fill.get(n)) for n in _IN_COMMON}
    columns |= {n: _or(disks[n], fill[n]) for n in fill if n not in columns}
    if scenario["tier_reading"] == "disk":
        counts["disk_type"] = int(disks["disk_type"].isna().sum())
    gb_bytes, blank = scenario["gb_bytes"], scenario["churn_gib_per_day"]
    for name in ("size_gib", "used_gib"):
        columns[name] = _gib(disks[name], gb_bytes)
    if blank is None:
        blank = scenario["churn_frac"] * columns["used_gib"] / (gb_bytes / 2**30)
    churn = disks["churn_gib_per_day"].to_numpy(dtype=float, na_value=np.nan)
    counts["churn_gib_per_day"] = int(np.isnan(churn).sum())
    churn = np.where(np.isnan(churn), blank, churn)
    columns["churn_gib_per_day"] = _gib(churn, gb_bytes)
    kept = {name: disks[name].array for name in COLUMNS if name not in columns}
    return pd.DataFrame(kept | columns, copy=False), counts


def stands(name: str, scenario: Scenario, blank: Mapping[str, int]) -> bool:
    """Say whether a constant is taken: by some blank cell, if it has a column.

    `blank` counts the cells that were filled, by column.

    Examples
    --------
    >>> told = {"recovery_points": 0, "churn_gib_per_day": 2}
    >>> for name in ("recovery_points", "churn_frac", "deadline_h"):
    ...     print(name, stands(name, Scenario.of(), told))
    recovery_points False
    churn_frac True
    deadline_h True
    """
    if name == "churn_frac":
        name = "churn_gib_per_day"
        if scenario[name] is not None:
            return False
    return blank.get(name, 1) > 0


def by_name(disks: pd.DataFrame) -> pd.DataFrame:
    """Return disks in the order of the names of their VMs, and then of their own.

    >>> by_name(pd.DataFrame({"vm": ["b", "a", "a"], "disk": ["c", "d", "c"]}))
      vm disk
    2  a    c
    1  a    d
    0  b    c
    >>> by_name(pd.DataFrame({"vm": ["a", "a"], "disk": ["d", "c"]})).index.tolist()
    [1, 0]
    """
    vm, disk = disks["vm"].array, disks["disk"].array
    above = _true(vm[1:] > vm[:-1])
    above |= _true(vm[1:] == vm[:-1]) & _true(disk[1:] > disk[:-1])
    if above.all():
        return disks
    return disks.sort_values(["vm", "disk"], key=lambda names: names.astype(str))


def firsts(disks: pd.DataFrame) -> np.ndarray:
    """Return the place of the first disk of each VM, whose disks stand together.

    >>> firsts(pd.DataFrame({"vm": ["a", "a", "b"]})).tolist()
    [0, 2]
    """
    vm = disks["vm"].array
    return np.flatnonzero(np.append(len(vm) > 0, _true(vm[1:] != vm[:-1])))


def told(fleet: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Fill only the blank cells of which the caller said what they are."""
    disks, given = shared(fleet), scenario.given
    if "churn_gib_per_day" not in given and "churn_frac" in given:
        churn = scenario["churn_frac"] * disks["used_gib"].astype(float)
        disks["churn_gib_per_day"] = disks["churn_gib_per_day"].fillna(churn)
    for name in COLUMNS:
        if name in given:
            disks[name] = _or(disks[name], scenario[name])
    for name in ("write_kib", "start_h"):
        disks[name] = disks[name].astype(float)
    return in_gib(disks, scenario["gb_bytes"])


def of_vms(fleet: pd.DataFrame, scenario: Scenario, *names: str) -> pd.DataFrame:
    """Return what holds of each VM, a row a VM, blank cells filled.

    Examples
    --------
    >>> disks = pd.DataFrame({"vm": ["a", "a", "b"], "vault": [None, "v", None]})
    >>> of_vms(disks, Scenario.of(), "vault", "start_h")
        vault  start_h
    vm
    a       v     23.0
    b   vault     23.0
    """
    vms = shared(fleet).drop_duplicates("vm").set_index("vm")[list(names)]
    return vms.assign(**{name: _or(vms[name], scenario[name]) for name in names})


def backed_up(disks: pd.DataFrame) -> pd.DataFrame:
    """Return the disks that are backed up: those not excluded and not temporary."""
    return those(disks, ~holds(disks["excluded"], True) & ~holds(disks["role"], "temp"))


def chosen(
    fleet: pd.DataFrame, scenario: Scenario, **names: Sequence[str]
) -> np.ndarray:
    """Say which rows are of the VMs that are named, or whose vault or policy is.

    Without any name, all are.

    Raises
    ------
    ValueError
        If there is nothing of a name; with every such name, and the nearest.

    Examples
    --------
    >>> disks = pd.DataFrame({"vm": ["a", "a", "b"], "vault": ["v", None, "w"]})
    >>> chosen(disks, Scenario.of(), vault=["v"]).tolist()
    [True, True, False]
    """
    of = of_vms(fleet, scenario, "vault", "policy").reset_index()
    refuse_unknown({column: dict.fromkeys(of[column]) for column in names}, names)
    rows = _of_names(fleet, of, names)
    if not rows.any():
        raise ValueError(NONE_OF_ALL)
    return rows


def of_chosen(
    fleet: pd.DataFrame, scenario: Scenario, **names: Sequence[str]
) -> np.ndarray:
    """Say which rows are of VMs that are named, as `chosen` does; it may be none."""
    of = of_vms(fleet, scenario, "vault", "policy").reset_index()
    return _of_names(fleet, of, names)


def _of_names(
    fleet: pd.DataFrame, of: pd.DataFrame, names: Mapping[str, Sequence[str]]
) -> np.ndarray:
    """Say which rows are of VMs of the names, by the vault and policy of each VM."""
    kept = np.ones(len(of), dtype=bool)
    for column, wanted in names.items():
        if wanted:
            kept &= of[column].isin(wanted).to_numpy()
    return fleet["vm"].isin(of.loc[kept, "vm"]).to_numpy()


def refuse_unknown(
    known: Mapping[str, Collection[str]], names: Mapping[str, Sequence[str]]
) -> None:
    """Refuse names of VMs, vaults or policies that an inventory does not have."""
    problems = [
        f"the inventory has no {fields()[column].label} {misnamed(name, known[column])}"
        for column, wanted in names.items()
        for name in wanted
        if name not in known[column]
    ]
    if problems:
        raise ValueError(first_lines(problems))


def unmanaged(disks: pd.DataFrame) -> pd.DataFrame:
    """Return the disks that are known to lie in a storage account of the user."""
    return those(disks, holds(disks["managed"], False))


def holds(column: pd.Series, value: object) -> np.ndarray:
    """Say where a cell has a value; a blank has none."""
    return (column == value).to_numpy(dtype=bool, na_value=False)


def those(rows: pd.DataFrame, chosen: np.ndarray) -> pd.DataFrame:
    """Return the rows that are chosen; without a copy where that is all or none."""
    if chosen.all():
        return rows
    return rows[chosen] if chosen.any() else rows.iloc[:0]


def _or(column: pd.Series, value: object) -> np.ndarray:
    """Return the cells of a column, a value where they are blank, not to write to."""
    kind = {"number": float, "flag": bool}.get(fields()[column.name].kind, object)
    if kind is float and value is None:  # no value stands for it
        value = np.nan
    if column.isna().all():
        return np.broadcast_to(np.array(value, dtype=kind), len(column))
    return column.to_numpy(dtype=kind, na_value=value)


def _categories(column: pd.Series, word: str | None) -> pd.Categorical:
    """Return a column of text as categories, a word where it is blank, if one is."""
    codes, words = pd.factorize(column)
    words = [*map(str, words), *([] if word is None else [word])]
    place = {name: at for at, name in enumerate(sorted(set(words)))}
    there = np.array([place[name] for name in words] or [-1])
    if word is None:
        there = np.append(there, -1)  # -1 is the place of the last
    return pd.Categorical.from_codes(there[codes], list(place))


def _true(answer: ArrayLike) -> np.ndarray:
    return pd.array(answer).to_numpy(dtype=bool, na_value=False)


def _gib(column: pd.Series | np.ndarray, gb_bytes: float) -> np.ndarray:
    return np.asarray(column, dtype=float) * (gb_bytes / 2**30)
