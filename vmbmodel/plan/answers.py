"""What every answer is: one JSON form, one word on its origin, one way to be shown."""

import datetime
import hashlib
import html
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

import vmbmodel
from vmbmodel.fields import heading, shown
from vmbmodel.plan.scenario import CATALOGUES
from vmbmodel.service import ConstantSet

__all__ = [
    "Overview",
    "Result",
    "computed_by",
    "day_clock",
    "day_clocks",
    "named",
    "plain",
    "records",
    "sealed",
]

_TEXT_ROWS = 6
_PAGE_ROWS = 20
_WIDEST = 40  # letters of a name that a terminal has room for


@dataclass(frozen=True)
class Overview:
    """What of an answer a reader sees first."""

    rows: pd.DataFrame  #: the main rows, in the columns that matter
    what: str  #: what the rows are, as in "and 38 more VMs"
    lines: tuple[str, ...]  #: totals or verdict


class Result:
    """An answer of the model.

    A class of answers says in ``schema`` which form its JSON has, in `parts` what
    is in it, and in `overview` what of it is shown first.
    """

    schema: ClassVar[str]

    def parts(self) -> Iterator[tuple[str, object]]:
        """Give the parts of the JSON object after ``schema``, in their order.

        A part is a table, an iterator of rows in JSON's own types, or anything that
        `plain` takes.
        """
        raise NotImplementedError

    def overview(self) -> Overview:
        """Choose what is shown first."""
        raise NotImplementedError

    def items(self) -> Iterator[tuple[str, object]]:
        """Give the documented JSON object part by part; tables are iterators."""
        yield "schema", self.schema
        for name, part in self.parts():
            if isinstance(part, pd.DataFrame):
                part = records(part)
            yield name, part if isinstance(part, Iterator) else plain(part)

    def to_dict(self) -> dict:
        """Return the documented JSON object: ``"inf"`` for no end, null for nothing."""
        return {n: list(v) if isinstance(v, Iterator) else v for n, v in self.items()}

    def __repr__(self) -> str:
        """Show the first rows and the totals, as a terminal has room for."""
        seen = self.overview()
        lines = list(seen.lines)
        if len(seen.rows):
            cells = _cells(seen.rows.head(_TEXT_ROWS))
            rows = cells.to_string(index=False, max_colwidth=_WIDEST)
            lines = [rows, *_more(seen, _TEXT_ROWS), *lines]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Show the rows as a table, and the totals below."""
        seen = self.overview()
        lines = [*_more(seen, _PAGE_ROWS), *seen.lines]
        said = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
        if not len(seen.rows):
            return said
        cells = _cells(seen.rows.head(_PAGE_ROWS))
        heads = {name: heading(name) for name in cells}
        with pd.option_context("display.max_colwidth", None):
            return cells.rename(columns=heads).to_html(index=False, border=0) + said


def day_clock(hours: float) -> str:
    """Write hours since a midnight as a time of the day, and how many days on.

    >>> day_clock(23.5), day_clock(28.17), day_clock(math.inf)
    ('23:30', '04:10 +1', 'never')
    """
    if not math.isfinite(hours):
        return "never"
    days, minutes = divmod(round(hours * 60), 24 * 60)
    later = f" +{days:,}" if days else ""
    return f"{minutes // 60:02}:{minutes % 60:02}{later}"


def day_clocks(hours: np.ndarray) -> np.ndarray:
    """Write many hours as `day_clock` does, those of one minute once.

    >>> day_clocks(np.array([23.5, 28.17, 23.5, math.inf])).tolist()
    ['23:30', '04:10 +1', '23:30', 'never']
    """
    minute = np.where(np.isfinite(hours), np.round(hours * 60), math.inf)
    number, minutes = pd.factorize(minute)
    said = [day_clock(value / 60) for value in minutes.tolist()]
    return np.array(said, dtype=object)[number]


def computed_by(
    sets: Iterable[tuple[str, ConstantSet]] = (), *, whole: bool = False
) -> dict[str, object]:
    """Say which version computed an answer, and from which sets of constants.

    If `whole`, a set of the user's own is given with its text, so that the answer can
    be computed again.
    """
    used = {"version": vmbmodel.__version__}
    for kind, constants in sets:
        used[kind] = named(constants)
        if whole and not CATALOGUES[kind].ships(constants):
            used[kind]["toml"] = constants.text
    return used


def named(constants: ConstantSet) -> dict[str, str]:
    """Name a set of constants, and say which text of it."""
    return {"name": constants.name, "sha256": constants.sha256}


def plain(entry: object) -> object:
    """Turn values of any library into JSON's own: "inf" for no end, null for nothing.

    >>> plain({"wait_h": np.float64("inf"), "on": datetime.date(2026, 1, 28)})
    {'wait_h': 'inf', 'on': '2026-01-28'}
    """
    if isinstance(entry, np.generic):
        entry = entry.item()
    if entry is None or isinstance(entry, str | int):
        return entry
    if isinstance(entry, float):
        entry += 0.0  # without a sign where it is nothing
        return entry if math.isfinite(entry) else "inf" if math.isinf(entry) else None
    if isinstance(entry, Mapping):
        return {key: plain(value) for key, value in entry.items()}
    if isinstance(entry, list | tuple):
        return [plain(value) for value in entry]
    if isinstance(entry, datetime.date):
        return entry.isoformat()
    if is_dataclass(entry):
        return {f.name: plain(getattr(entry, f.name)) for f in fields(entry)}
    return None if entry is pd.NA else entry


def sealed(parts: Iterable[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    """Give the parts of a JSON object, and last a ``digest`` of all of them.

    It does not depend on their order, nor on how the JSON is laid out. One that is
    among them already is left out.

    >>> whole = dict(sealed([("vms", [{"vm": "a"}]), ("title", "t")]))
    >>> again = dict(sealed([("title", "t"), ("vms", [{"vm": "a"}])]))
    >>> whole["digest"] == again["digest"], len(whole["digest"])
    (True, 64)
    """
    digests = {}

    def read(name: str, entries: Iterable[object]) -> Iterator[object]:
        digest = hashlib.sha256()
        for entry in entries:
            digest.update(_canonical(entry) + b"\n")
            yield entry
        digests[name] = digest.hexdigest()

    for name, part in parts:
        if name == "digest":
            continue
        if isinstance(part, Iterator):
            yield name, read(name, part)
        else:
            yield name, part
            for _ in read(name, part if isinstance(part, list) else [{"": part}]):
                pass
    yield "digest", hashlib.sha256(_canonical(digests)).hexdigest()


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def _canonical(entry: object) -> bytes:
    return _CANONICAL.encode(entry).encode()


def records(frame: pd.DataFrame, endless: object = "inf") -> Iterator[dict]:
    """Give the rows of a table one by one; what is missing is None."""
    names = frame.columns.tolist()
    columns = [_values(frame[name], endless) for name in names]
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _values(column: pd.Series, endless: object) -> list:
    blank = column.isna().to_numpy()
    infinite = np.zeros_like(blank)
    if pd.api.types.is_float_dtype(column):
        column = column + 0.0  # without a sign where it is nothing
        infinite = np.isinf(column.to_numpy(dtype=float, na_value=np.nan))
    if not (blank | infinite).any():
        return column.tolist()
    values = column.to_numpy(dtype=object, copy=True)
    values[infinite] = endless
    values[blank] = None
    return values.tolist()


def _cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Write every value as a person reads it."""
    return pd.DataFrame(
        {name: [shown(name, v) for v in _values(rows[name], math.inf)] for name in rows}
    )


def _more(seen: Overview, room: int) -> Iterator[str]:
    if len(seen.rows) > room:
        yield f"... and {len(seen.rows) - room:,} more {seen.what}"
