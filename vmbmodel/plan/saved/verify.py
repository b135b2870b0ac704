"""A saved estimate, computed again from what it holds, and compared."""

import itertools
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vmbmodel._files import LARGEST_DATA, fault_of_packed, read_bounded
from vmbmodel._json import unique
from vmbmodel._words import first_lines
from vmbmodel.fields import fields
from vmbmodel.inventory import fleet
from vmbmodel.plan.answers import sealed
from vmbmodel.plan.estimate import MOST_MONTHS, SCHEMA, Estimate, estimate_disks
from vmbmodel.plan.scenario import CATALOGUES, Scenario
from vmbmodel.service import ConstantSet

__all__ = [
    "REPORT_SCHEMA",
    "TOLERANCE",
    "Difference",
    "Inputs",
    "differences",
    "faults_of_form",
    "read_saved",
]

REPORT_SCHEMA = "vmbmodel.report/1"
"""Form of the JSON of a report, which holds an estimate among the rest."""

TOLERANCE = 1e-9
"""Relative difference up to which two numbers count as the same."""

_PARTS = (
    "given",
    "inputs",
    "total",
    "interval",
    "policies",
    "starts",
    "months",
    "assumptions",
    "warnings",
)
_SAVED_WITH = "an estimate is saved with --format json"
_LEAST = 1e-13  # below which rounding may differ from machine to machine
_ABSENT = "(absent)"
_MOST_DRAWS = 2**16


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell that is not what it was."""

    place: str  #: where it stands, such as ``vms.web-01.done_p95_h``
    saved: object
    now: object


def read_saved(path: str | os.PathLike[str]) -> dict:
    """Read a saved estimate.

    Raises
    ------
    ValueError
        If the file is no estimate, or holds no inventory to compute with.
    OSError
        If it cannot be read.
    """
    data = read_bounded(path, LARGEST_DATA)
    if fault := fault_of_packed(data, _SAVED_WITH):
        raise ValueError(f"{os.fspath(path)}: {fault}")
    try:
        saved = json.loads(data, object_pairs_hook=unique)
    except RecursionError as error:
        raise ValueError(f"{os.fspath(path)}: is nested too deep") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{os.fspath(path)}: is no text in UTF-8") from error
    except ValueError as error:
        rule = f"is no JSON: {error}; {_SAVED_WITH}"
        raise ValueError(f"{os.fspath(path)}: {rule}") from error
    wrong = list(faults_of_form(saved))
    if wrong:
        raise ValueError(first_lines([f"{os.fspath(path)}: {rule}" for rule in wrong]))
    return saved


@dataclass(frozen=True)
class Inputs:
    """What a saved estimate was made of; the sets are without the caller's changes."""

    profile: ConstantSet
    prices: ConstantSet
    limits: ConstantSet
    given: Mapping[str, object]  #: what the caller set, by name
    fleet: pd.DataFrame
    name: str  #: what messages call the result
    months: int = 0  #: how many months to come were billed
    draws: int = 0  #: how often what nobody has measured was drawn
    interval_vms: int = 1  #: VMs at most that intervals came from

    @classmethod
    def of(cls, saved: Mapping, name: str = "result") -> "Inputs":
        """Take them from a result, as `read_saved` gives it, or `Estimate.to_dict`.

        Raises
        ------
        ValueError
            If its sets or inventory cannot be used.
        """
        sets = {kind: _set(kind, saved["model"][kind], name) for kind in CATALOGUES}
        given = {
            key: math.inf if value == "inf" and _is_number(key) else value
            for key, value in saved["given"].items()
        }
        rows = pd.DataFrame(saved["inventory"], dtype=object)
        disks = fleet.checked(rows, f"{name}: inventory")
        drawn = saved.get("interval", {})
        part = drawn.get("drawn_vaults", {"interval_vms": len(disks)})
        return cls(
            **sets,
            given=given,
            fleet=disks,
            name=name,
            months=len(saved.get("months", ())),
            draws=drawn.get("draws", 0),
            interval_vms=part["interval_vms"],
        )

    def estimate(self) -> Estimate:
        """Compute the estimate again.

        Raises
        ------
        ValueError
            If a setting is unknown, or a value not allowed.
        """
        places = dict.fromkeys(self.given, f"{self.name}: given")
        sets = {kind: getattr(self, kind) for kind in CATALOGUES}
        scenario = Scenario.of(**sets, settings=self.given, places=places)
        how = self.months, self.draws, self.interval_vms
        return estimate_disks(self.fleet, scenario, *how)


def differences(
    saved: Mapping, now: Estimate, tolerance: float = TOLERANCE
) -> Iterator[Difference]:
    """Give every cell of a saved estimate that is another one now.

    First of them is the digest, if any part was altered since it was saved, or the
    digest itself; those parts included that nothing is computed from.

    Parameters
    ----------
    saved : Mapping
        As `read_saved` gives it, or `Estimate.to_dict`.
    now : Estimate
        What it was computed again to.
    tolerance : float, optional
        Relative difference up to which two numbers count as the same.

    Examples
    --------
    >>> from vmbmodel.plan.estimate import estimate
    >>> disk = dict(vm="a", disk="os", role="os", size_gib=128, used_gib=47)
    >>> saved = estimate(pd.DataFrame([disk])).to_dict()
    >>> list(differences(saved, Inputs.of(saved).estimate()))
    []
    >>> saved["vms"][0]["used_gib"] = 48
    >>> _, cell = differences(saved, Inputs.of(saved).estimate())
    >>> cell
    Difference(place='vms.a.used_gib', saved=48, now=47.0)
    """
    *_, (_, digest) = sealed(saved.items())
    if saved.get("digest") != digest:
        yield Difference("digest", saved.get("digest", _ABSENT), digest)
    for key, value in now.items():
        if key == "model":
            for kind in CATALOGUES:
                was, digest = saved["model"][kind]["sha256"], value[kind]["sha256"]
                yield from _different(f"model.{kind}.sha256", was, digest, 0)
        elif key in _PARTS:
            value = list(value) if isinstance(value, Iterator) else value
            yield from _different(key, saved.get(key, _ABSENT), value, tolerance)
    yield from _rows(saved["vms"], now.figures, tolerance)


def faults_of_form(saved: object) -> Iterator[str]:
    """Say why something is no saved result."""
    known = (SCHEMA, REPORT_SCHEMA)
    if not isinstance(saved, dict) or saved.get("schema") not in known:
        yield f"is no result of the form {' or '.join(known)}"
        return
    model = saved.get("model")
    if not isinstance(model, dict):
        yield "model must be an object"
    else:
        for kind in CATALOGUES:
            entry = model.get(kind)
            texts = isinstance(entry, dict) and [entry.get("name"), entry.get("sha256")]
            texts = texts and [*texts, entry.get("toml", "")]
            if not texts or not all(isinstance(text, str) for text in texts):
                yield f"model.{kind} must have a name and a sha256"
    if not isinstance(saved.get("given"), dict):
        yield "given must be an object"
    months = saved.get("months", [])
    if not isinstance(months, list):
        yield "months must be a list of objects"
    elif len(months) > MOST_MONTHS:
        yield f"months has {len(months):,} entries; most are {MOST_MONTHS:,}"
    drawn = saved.get("interval", {"draws": 0})
    draws = drawn.get("draws") if isinstance(drawn, dict) else None
    if type(draws) is not int or not 0 <= draws <= _MOST_DRAWS:
        yield f"interval.draws must be a whole number, at most {_MOST_DRAWS:,}"
    elif "drawn_vaults" in drawn:
        part = drawn["drawn_vaults"]
        most = part.get("interval_vms") if isinstance(part, dict) else None
        if type(most) is not int or most < 1:
            yield "interval.drawn_vaults.interval_vms must be a whole number >= 1"
    if "vms_file" in saved:
        yield "holds totals, but not the inventory of so many VMs: estimate that again"
        return
    for key in ("inventory", "vms"):
        rows = saved.get(key)
        if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
            yield f"{key} must be a list of objects"
        elif not rows:
            yield f"{key} is empty"


def _set(kind: str, entry: Mapping, name: str) -> ConstantSet:
    known_as = entry["name"].removesuffix(" (modified)")
    if "toml" not in entry:
        return CATALOGUES[kind].find(known_as)
    path = Path(f"{name}: model.{kind}", f"{known_as}.toml")
    return CATALOGUES[kind].parse(entry["toml"].encode(), path)


def _is_number(name: str) -> bool:
    return name in fields() and fields()[name].kind == "number"


def _different(
    place: str, saved: object, now: object, tolerance: float
) -> Iterator[Difference]:
    if isinstance(saved, dict) and isinstance(now, dict):
        for key in saved | now:
            pair = (part.get(key, _ABSENT) for part in (saved, now))
            yield from _different(f"{place}.{key}", *pair, tolerance)
    elif isinstance(saved, list) and isinstance(now, list) and len(saved) == len(now):
        for number, pair in enumerate(zip(saved, now, strict=True)):
            yield from _different(f"{place}[{number}]", *pair, tolerance)
    elif not _same(saved, now, tolerance):
        yield Difference(place, saved, now)


def _same(saved: object, now: object, tolerance: float) -> bool:
    numbers = all(
        isinstance(n, int | float) and not isinstance(n, bool) for n in (saved, now)
    )
    if numbers:
        try:
            return math.isclose(
                saved, now, rel_tol=tolerance, abs_tol=min(tolerance, _LEAST)
            )
        except OverflowError:  # hundreds of digits
            return False
    return type(saved) is type(now) and saved == now


def _rows(
    saved: Sequence[Mapping], now: pd.DataFrame, tolerance: float
) -> Iterator[Difference]:
    then = pd.DataFrame(saved, dtype=object)
    names = now["vm"].tolist()
    if "vm" not in then or then["vm"].tolist() != names:
        yield Difference("vms", f"{len(then)} VMs", f"{len(now)} VMs, or other ones")
        return
    for column in dict.fromkeys([*now.columns, *then.columns]):
        if column not in now or column not in then:
            pair = (_ABSENT if column not in f else "there" for f in (then, now))
            yield Difference(f"vms.*.{column}", *pair)
            continue
        was = [math.inf if v == "inf" else v for v in then[column].tolist()]
        values = [None if v != v else v for v in now[column].tolist()]
        for row in np.flatnonzero(_unlike(was, values, tolerance)):
            place = f"vms.{names[row]}.{column}"
            yield Difference(place, was[row], values[row])


def _unlike(saved: list, now: list, tolerance: float) -> np.ndarray:
    """Say where two columns differ, at once if both hold numbers."""
    if all(type(value) in (int, float) for value in itertools.chain(saved, now)):
        try:
            pair = np.array(saved, dtype=float), np.array(now, dtype=float)
            return ~np.isclose(*pair, rtol=tolerance, atol=min(tolerance, _LEAST))
        except OverflowError:
            pass
    return np.array(
        [not _same(*pair, tolerance) for pair in zip(saved, now, strict=True)]
    )
