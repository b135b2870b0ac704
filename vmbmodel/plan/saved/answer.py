"""Two saved estimates: what changed between them, and which cause changed it.

Both are computed again from what they hold. Then the causes are switched from
the first to the second one after the other, each with all that belongs to it, and
once more in the opposite order; the mean of its two steps is what a cause did.
The steps of either order add up to the whole change, and so do their means.
"""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pandas as pd

from vmbmodel._words import first_lines, short
from vmbmodel.fields import shown
from vmbmodel.inventory.fleet import OF_THE_POLICY
from vmbmodel.plan.answers import Overview, Result, computed_by, records
from vmbmodel.plan.estimate import Estimate
from vmbmodel.plan.saved.verify import Inputs, faults_of_form, read_saved

__all__ = ["CAUSES", "SCHEMA", "Diff", "diff"]

SCHEMA = "vmbmodel.diff/1"

CAUSES = MappingProxyType(
    {
        "vms": "VMs that only one of the two has, and their order.",
        "size": "Disks added, removed or left out, and their sizes.",
        "churn": "What changes in a day, and how it is scattered.",
        "schedule": "Start, vault and policy.",
        "retention": "Points and snapshots kept, and their redundancy.",
        "prices": "The price book, discounts and reserved capacity.",
        "profile": "The service profile and its limits.",
        "other": "Everything else that was set or filled in.",
        "model": "Another version of the model computes something else today.",
    }
)
"""Why two estimates differ, and what each cause stands for."""

COMPARED = (
    "total_usd",
    "deadline_prob",
    "own_line_mean_h",
    "done_p95_h",
    "restore_vault_p95_h",
)
"""Columns of a VM that are shown before and after."""

_NOISE_FRAC = 1e-12

LARGEST = 1e300
"""Of numbers, so that differences and sums of them are numbers too."""

Saved = str | os.PathLike[str] | Mapping | Estimate
"""An estimate, or one that was saved: its file, or what is in it."""

_COLUMNS = {
    "size": ("role", "size_gib", "used_gib", "excluded"),
    "churn": ("churn_gib_per_day", "write_kib", "dispersion", "active_frac"),
    "schedule": ("start_h", "vault", "policy"),
    "retention": ("redundancy", *OF_THE_POLICY),
}
_SETTINGS = {
    "churn": (*_COLUMNS["churn"], "churn_frac", "rewritten_frac", "fresh_frac"),
    "schedule": _COLUMNS["schedule"],
    "retention": (*_COLUMNS["retention"], "stored_reading"),
    "prices": (
        "instance_discount_frac",
        "storage_discount_frac",
        "snapshot_discount_frac",
        "reserved_gib",
        "reserved_redundancy",
    ),
}
_OF_COLUMN = {name: cause for cause, names in _COLUMNS.items() for name in names}
_OF_SETTING = {name: cause for cause, names in _SETTINGS.items() for name in names}
_SETS = {"prices": ("prices",), "profile": ("profile", "limits")}
_KEY = ["vm", "disk"]


@dataclass(frozen=True, repr=False)
class Diff(Result):
    """What changed from one estimate to another."""

    totals: pd.DataFrame
    """A row a total, named by the index, with ``before``, ``after`` and ``change``.
    Totals that are without end in either are left out."""
    causes: pd.DataFrame
    """A row a cause that changed something, a column a total; they add up to
    ``change``."""
    vms: pd.DataFrame
    """A row a VM of either, with its name, and the columns `COMPARED` as ``before_...``
    and ``after_...``; missing where the VM is not there."""

    schema: ClassVar[str] = SCHEMA

    def parts(self) -> Iterator[tuple[str, object]]:
        """Give what the JSON holds."""
        causes = records(self.causes.reset_index())
        yield "model", computed_by()
        yield "totals", self.totals.reset_index()
        yield "causes", (row | {"text": CAUSES[row["cause"]]} for row in causes)
        yield "vms", self.vms

    def overview(self) -> Overview:
        """Show the totals that changed, and what changed the bill."""
        changed = self.totals[self.totals["change"] != 0].reset_index()
        if changed.empty:
            return Overview(changed, "totals", ("No total changed.",))
        usd = (
            f"{name} {shown('total_usd', usd)}"
            for name, usd in self.causes.get("total_usd", pd.Series()).items()
        )
        lines = (f"total_usd changed by {', '.join(usd) or 'nothing'} (.causes)",)
        return Overview(changed, "totals", lines)


def diff(before: Saved, after: Saved) -> Diff:
    """Split the change between two saved estimates by cause.

    Parameters
    ----------
    before, after : path-like, Mapping or Estimate
        The file of a saved estimate, what is in it, or an estimate.

    Returns
    -------
    Diff
        Totals, causes and VMs.

    Raises
    ------
    ValueError
        If one of them is no estimate, or cannot be computed again.

    Notes
    -----
    What two causes do together, such as more data at a higher price, is shared
    between them in halves. For `n` causes that changed, the fleet is estimated
    2 `n` times.

    Examples
    --------
    Twice the data, at the same prices:

    >>> from vmbmodel.plan.estimate import estimate
    >>> disk = dict(vm="a", disk="os", role="os", size_gib=512, used_gib=100)
    >>> before = estimate(pd.DataFrame([disk]))
    >>> disk["used_gib"] = 200
    >>> answer = diff(before, estimate(pd.DataFrame([disk])))
    >>> list(answer.causes.index), answer.totals.at["stored_gib", "change"]
    (['size'], np.float64(245.0))
    """
    before, after = (
        _saved(result, f"the {place} result")
        for result, place in ((before, "first"), (after, "second"))
    )
    sides = [
        replace(Inputs.of(result, f"the {place} result"), draws=0)
        for result, place in ((before, "first"), (after, "second"))
    ]
    ends = [pd.Series(side.estimate().total) for side in sides]
    saved = [_numbers(result["total"]) for result in (before, after)]
    totals = pd.DataFrame({"before": saved[0], "after": saved[1]}).dropna()
    totals = totals.loc[totals.index.intersection(ends[0].index, sort=False)]
    totals["change"] = totals["after"] - totals["before"]
    noise = _NOISE_FRAC * totals.abs().max(axis=1)  # the last digits of sums
    totals["change"] = totals["change"].where(totals["change"].abs() > noise, 0.0)
    changed = [cause for cause in CAUSES if _differs(cause, *sides)]
    causes = pd.DataFrame(0.0, index=changed, columns=totals.index)
    for order in (changed, changed[::-1]):
        of, last = dict.fromkeys(CAUSES, sides[0]), ends[0]
        for cause in order:
            of[cause] = sides[1]
            now = pd.Series(_mixed(of, *sides).estimate().total)
            causes.loc[cause] += (now - last)[totals.index] / 2
            last = now
    drift = totals["change"] - (ends[1] - ends[0])[totals.index]
    if not np.allclose(drift, 0, rtol=0, atol=1e-9 * (1 + totals.abs().max(axis=1))):
        causes.loc["model"] = drift
    causes = causes.where(causes.abs() > noise, 0.0)
    return Diff(
        totals.rename_axis("total"),
        causes.rename_axis("cause").rename_axis(columns=None),
        _vms(before["vms"], after["vms"]),
    )


def _saved(result: Saved, place: str) -> Mapping:
    if isinstance(result, Estimate):
        return result.to_dict()
    if isinstance(result, Mapping):
        wrong = list(faults_of_form(result))
    else:  # of which that is asked as it is read
        place, result, wrong = os.fspath(result), read_saved(result), []
    if wrong := wrong or list(_faults(result)):
        raise ValueError(first_lines([f"{place}: {rule}" for rule in wrong]))
    return result


def _faults(saved: Mapping) -> Iterator[str]:
    """Say what of a result cannot be compared with another."""
    total = saved.get("total")
    if not isinstance(total, dict):
        yield "total must be an object"
    else:
        yield from _no_numbers("total", total)
    names = set()
    for number, row in enumerate(saved["vms"], 1):
        name, place = row.get("vm"), f"vms, row {number}"
        if not isinstance(name, str):
            yield f"{place}: must have a name, vm"
        elif name in names:
            yield f"{place}: {short(name)} stands twice"
        else:
            names.add(name)
            yield from _no_numbers(place, {key: row.get(key) for key in COMPARED})


def _no_numbers(place: str, values: Mapping) -> Iterator[str]:
    """Name what is neither a finite number nor missing, nor ``"inf"``."""
    for name, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not ((number and abs(value) <= LARGEST) or value in (None, "inf")):
            yield f"{place}: {name} must be a number; it is {short(value)}"


def _numbers(total: Mapping) -> pd.Series:
    """Return the totals that are numbers; ``"inf"`` is none to subtract from."""
    numbers = {n: v for n, v in total.items() if isinstance(v, int | float)}
    return pd.Series(numbers, dtype=float)


def _part(side: Inputs, cause: str) -> dict[str, object]:
    """Return the settings of a result that belong to a cause."""
    return {n: v for n, v in side.given.items() if _cause_of(n, side) == cause}


def _cause_of(setting: str, side: Inputs) -> str:
    if setting in _OF_SETTING:
        return _OF_SETTING[setting]
    for cause, kinds in _SETS.items():
        if any(setting in getattr(side, kind) for kind in kinds):
            return cause
    return "other"


def _differs(cause: str, one: Inputs, two: Inputs) -> bool:
    """Say whether two results differ in what belongs to a cause."""
    if _part(one, cause) != _part(two, cause):
        return True
    if cause in _SETS:
        return any(
            getattr(one, kind).text != getattr(two, kind).text for kind in _SETS[cause]
        )
    names = [side.fleet["vm"].unique().tolist() for side in (one, two)]
    if cause == "vms":
        return names[0] != names[1]
    both = set(names[0]) & set(names[1])
    disks = [
        _disks(side)[lambda d: d.index.isin(both, level="vm")] for side in (one, two)
    ]
    common = disks[0].index.intersection(disks[1].index)
    if cause == "size" and not len(common) == len(disks[0]) == len(disks[1]):
        return True
    columns = [name for name in disks[0] if _OF_COLUMN.get(name, "other") == cause]
    return not disks[0].loc[common, columns].equals(disks[1].loc[common, columns])


def _disks(side: Inputs) -> pd.DataFrame:
    return side.fleet.set_index(_KEY)


def _mixed(of: Mapping[str, Inputs], one: Inputs, two: Inputs) -> Inputs:
    """Take what belongs to each cause from the result that it names."""
    given = {}
    for cause, side in of.items():
        given |= _part(side, cause)
    sets = {k: getattr(of[cause], k) for cause, kinds in _SETS.items() for k in kinds}
    both = set(one.fleet["vm"]) & set(two.fleet["vm"])
    tables = {id(side): _disks(side) for side in (one, two)}
    own, kept = (tables[id(of[cause])] for cause in ("vms", "size"))
    index = own.index[~own.index.isin(both, level="vm")]
    index = index.append(kept.index[kept.index.isin(both, level="vm")])
    # in the order of the VMs, for in that they stand in line
    order = pd.Index(own.index.get_level_values("vm").unique())
    place = order.get_indexer(index.get_level_values("vm"))
    index = index[np.argsort(place, kind="stable")]
    columns = {}
    for name in kept:
        side = of[_OF_COLUMN.get(name, "other")]
        other = two if side is one else one
        here, there = (tables[id(s)] for s in (side, other))
        column = here[name].reindex(index)
        absent = ~index.isin(here.index)
        columns[name] = column.mask(absent, there[name].reindex(index))
    fleet = pd.DataFrame(columns).reset_index()
    return replace(one, **sets, given=given, fleet=fleet, months=0)


def _vms(before: list[Mapping], after: list[Mapping]) -> pd.DataFrame:
    """Put the VMs of both side by side, in the order of the first."""
    tables = [pd.DataFrame(rows).set_index("vm") for rows in (before, after)]
    index = tables[0].index.append(
        tables[1].index.difference(tables[0].index, sort=False)
    )
    columns = {
        f"{when}_{name}": table[name]
        .replace("inf", math.inf)
        .astype(float)
        .reindex(index)
        for name in COMPARED
        for when, table in zip(("before", "after"), tables, strict=True)
    }
    return pd.DataFrame(columns, index).reset_index()
