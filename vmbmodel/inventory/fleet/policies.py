"""A table of policies beside an inventory: what each keeps, said once.

It is CSV or TOML, a row or a table ``[[policy]]`` each. The inventory names the policy
of a VM; the table says the rest. What a policy says in other words than an inventory,
such as its weekdays, is brought to the columns of one.
"""

import datetime
import functools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vmbmodel import _toml
from vmbmodel._files import LARGEST_TEXT, decoded, read_bounded
from vmbmodel._words import counted, short
from vmbmodel.fields import fields, nearest
from vmbmodel.inventory.files import Cells, Findings, Text, read_text, zone
from vmbmodel.inventory.fleet.columns import OF_THE_POLICY
from vmbmodel.inventory.fleet.conversion import (
    CLOCK,
    converted,
    frame_of,
    without_blank_rows,
)
from vmbmodel.inventory.fleet.rules import meant

__all__ = [
    "ANY_DAY",
    "DAYS",
    "MONTHS",
    "POLICY_COLUMNS",
    "WEEKS",
    "Policies",
    "month_day_of",
    "read_policies",
    "runs_a_day",
    "with_policies",
]

HINTS = 20
"""Names that are none of a table for which the nearest is sought."""

ANY_DAY = datetime.date(2026, 1, 15)
"""Day of a time that names none; it decides on summer time."""

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august",
    "september", "october", "november", "december",
)  # fmt: skip
WEEKS = ("first", "second", "third", "fourth", "last")

POLICY_COLUMNS = (
    "policy",
    "vault",
    "snapshot_policy",
    "rhythm",
    "weekdays",
    "starts",
    "time_zone",
    "start_h",
    "interval_h",
    "window_h",
    "snapshot_points",
    "recovery_points",
    "weekly_points",
    "weekly_on",
    "monthly_points",
    "month_day",
    "monthly_on",
    "yearly_points",
    "yearly_on",
    "archive",
    "archive_after_months",
    "remarks",
)
"""Columns of a table of policies; what each may hold is its row in ``fields.toml``."""

GIVEN = ("start_h", *OF_THE_POLICY)
"""Columns of an inventory that a table of policies fills."""

WORDS = {
    "weekdays": DAYS,
    "weekly_on": DAYS,
    "monthly_on": (*WEEKS, *DAYS, *map(str, range(1, 32))),
    "yearly_on": (*MONTHS, *WEEKS, *DAYS, *map(str, range(1, 32))),
}
"""Columns that hold words of a list, in any case."""

SAME_H = 1e-6


@dataclass(frozen=True)
class Policies:
    """A table of policies, and where each stands in its file."""

    file: str
    places: tuple[str, ...]
    """Where each stands: ``policies.csv:3``."""
    vaults: tuple[str | None, ...]
    names: tuple[str, ...]
    given: pd.DataFrame
    """What each says in the columns of an inventory, `GIVEN`."""
    remarks: tuple[str, ...]


def runs_a_day(interval_h: float, window_h: float) -> np.ndarray:
    """Return how often a policy starts in a day; a window of NaN is the whole day.

    >>> runs_a_day([4, 4, 24, 6], [12, np.nan, np.nan, 3]).tolist()
    [4, 6, 1, 1]
    """
    interval_h = np.asarray(interval_h, dtype=float)
    window_h = np.asarray(window_h, dtype=float)
    whole = np.maximum((24 + SAME_H) // interval_h, 1)
    window = (window_h + SAME_H) // interval_h + 1
    return np.where(np.isnan(window_h), whole, np.minimum(window, whole)).astype(int)


def month_day_of(words: str) -> int:
    """Return the day of the month of a policy's monthly points, as an inventory has it.

    The first of several; 0 where a weekday decides.

    >>> month_day_of("1 last"), month_day_of("31"), month_day_of("first sunday")
    (1, -1, 0)
    """
    first, _, rest = words.lower().partition(" ")
    if first == "last" and not set(rest.split()) & set(DAYS):
        return -1
    day = int(first) if first.isdecimal() else 0
    return day if day <= 28 else -1  # as the calendar has it


def read_policies(path: str | os.PathLike[str]) -> Policies:
    r"""Read a table of policies: CSV, or TOML where the name ends so.

    Raises
    ------
    InventoryError
        If anything is wrong with the file; with all findings.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "policies.csv")
    >>> text = "policy,rhythm,weekdays,weekly_points\nWeekly,weekly,sunday monday,52"
    >>> _ = path.write_text(text)
    >>> read_policies(path).given.dropna(axis=1).to_dict("records")
    [{'interval_h': 84.0, 'weekly_points': 52.0}]
    """
    findings = Findings(os.fspath(path))
    try:
        data = read_bounded(path, LARGEST_TEXT)
    except (OSError, ValueError) as error:
        findings.unreadable(error)
    if findings.file.lower().endswith(".toml"):
        cells = _of_toml(data, findings)
    else:
        columns_of = functools.partial(_found, findings=findings)
        cells = read_text(data, findings, columns_of)
    cells = without_blank_rows(cells)
    table = frame_of(converted(cells, POLICY_COLUMNS))
    given, zones = _meant(table, cells)
    findings.refuse_if_any()
    target = _in_one_zone(given, zones)
    if target:
        findings.remark(f"start_h is by the clock of {target}")
    names = table["policy"].tolist()
    known = table["vault"].notna()
    places = [_place(findings, row) for row in cells.rows.tolist()]
    vaults = table["vault"].astype(object).where(known, None).tolist()
    return Policies(
        findings.file, tuple(places), tuple(vaults), tuple(names), given,
        tuple(findings.remarks),
    )  # fmt: skip


def with_policies(
    disks: pd.DataFrame, cells: Cells, policies: Policies
) -> pd.DataFrame:
    """Fill the cells of VMs with what their policy says; note where both differ.

    A cell of the inventory may say what the table says, or nothing.
    """
    code = pd.factorize(disks["vm"])[0]
    first = disks[["vault", "policy"]].groupby(code).first().astype(object)
    named = first["policy"].notna().to_numpy()
    pair, pairs = pd.factorize(pd.MultiIndex.from_frame(first))
    rows: dict[object, list[int]] = {}
    for row, name in enumerate(policies.names):
        rows.setdefault(name, []).append(row)
    row_of = [_row_of(policies, *pair, rows) for pair in pairs]
    at = np.where(named, np.array(row_of, dtype=int)[pair], -1)
    lost = named & (at < 0)
    stands = (disks["policy"].notna() & lost[code]).to_numpy()
    once = disks.loc[stands, ["vault", "policy"]].drop_duplicates()
    hints = [_instead(policies, name, rows) for name in once["policy"][:HINTS]]
    hints += [""] * (len(once) - len(hints))
    rule = f"is none of the policies in {policies.file}"
    cells.note(rule, "policy", once.index.to_numpy(), hints)
    of_disk = at[code]
    told, filled = of_disk >= 0, {}
    for name in GIVEN:
        said = policies.given[name].take(np.maximum(of_disk, 0)).set_axis(disks.index)
        said = said.where(told)
        own = disks[name]
        both = (own.notna() & said.notna()).to_numpy()
        wrong = both & _differs(own, said, both)
        where = np.flatnonzero(wrong)
        places = [policies.places[row] for row in of_disk[where]]
        hints = [
            f"{_plain(value)} in {place}"
            for value, place in zip(said[where], places, strict=True)
        ]
        cells.note("must be what its policy says, or blank", name, where, hints)
        if said.notna().any():
            filled[name] = own.where(own.notna(), said)
    if filled:
        count = int((at >= 0).sum())
        vms = counted(count, "VM")
        cells.findings.remark(
            f"{', '.join(filled)} of {vms} as {policies.file} says; a cell may say the "
            "same, or nothing"
        )
    if without := int((~named).sum()):
        cells.findings.remark(
            f"{without:,} VM{'s name' if without > 1 else ' names'} no policy and "
            f"{'take' if without > 1 else 'takes'} nothing of {policies.file}"
        )
    return disks.assign(**filled)


def _found(names: Sequence[str], row: int | None, findings: Findings) -> dict[str, int]:
    """Find the columns of a table of policies; no other is allowed."""
    found = {}
    for at, heading in enumerate(names):
        name = re.sub(r"[\s-]+", "_", heading.strip().lower())
        if name in found:
            findings.add(f"column {name} stands there twice", row=row, column=name)
        elif name in POLICY_COLUMNS:
            found[name] = at
        elif not heading:
            findings.add(f"column {at + 1} has no name", row=row)
        else:
            rule = f"unknown column {short(heading)}"
            findings.add(rule, row=row, column=heading, hint=_likely(name))
            findings.refuse_if_many()
    if "policy" not in found:
        findings.add("required column policy is missing", row=row, column="policy")
    return found


def _likely(name: str) -> str:
    likely = nearest(name, POLICY_COLUMNS)
    if likely:
        return f"did you mean {likely}?"
    return f"there are {', '.join(POLICY_COLUMNS)}"


def _of_toml(data: bytes, findings: Findings) -> Cells:
    """Take the tables of a TOML file as rows of text."""
    try:
        text = decoded(data)
    except ValueError as error:
        findings.stop(str(error))
    try:
        found = _toml.parse(text.replace("\r\n", "\n"))
    except ValueError as error:
        line = re.search(r"line (\d+)", str(error))
        findings.stop(f"is no TOML: {error}", row=int(line[1]) if line else None)
    entries = found.pop("policy", [])
    for key in found:
        findings.add(
            f"unknown key {short(key)}", hint="policies are tables, [[policy]]"
        )
    if not (isinstance(entries, list) and all(isinstance(e, dict) for e in entries)):
        findings.stop("policy must be tables, [[policy]]")
    lines = [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if re.match(r"\s*\[\[\s*policy\s*\]\]", line)
    ]
    if len(lines) != len(entries):  # written in another way
        findings.counted, lines = "row", list(range(1, len(entries) + 1))
    rows = []
    for line, entry in zip(lines, entries, strict=True):
        if "policy" not in entry:
            findings.add("must have a key policy, its name", row=line, column="policy")
        row = {}
        for key, value in entry.items():
            if key not in POLICY_COLUMNS:
                rule = f"unknown key {short(key)}"
                findings.add(rule, row=line, column=key, hint=_likely(key))
                findings.refuse_if_many()
                continue
            row[key] = _as_text(value)
            if row[key] is None:
                rule = "must be a name, a number, a flag or a list of words"
                findings.add(rule, row=line, column=key, value=value)
        rows.append(row)
    if not rows:
        findings.add("has no policy; a table [[policy]] each is needed")
    findings.refuse_if_any()
    names = {name for row in rows for name in row}
    columns = {
        name: Text.of(row.get(name, "") for row in rows)
        for name in POLICY_COLUMNS
        if name in names
    }
    return Cells(columns, np.array(lines, dtype=int), findings)


def _as_text(value: object) -> str | None:
    """Return a value of TOML as a cell of text would hold it."""
    if isinstance(value, list):
        words = [None if isinstance(word, list) else _as_text(word) for word in value]
        return None if None in words else " ".join(words)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime.time):
        return value.isoformat()
    return value if isinstance(value, str) else None


def _meant(table: pd.DataFrame, cells: Cells) -> tuple[pd.DataFrame, list[str | None]]:
    """Bring what policies say to the columns of an inventory, and give their zones.

    A start is by the clock of its zone yet, but where the inventory's hour is given.
    """
    given = table[list(GIVEN)].copy()
    blank = np.flatnonzero(table["policy"].isna())
    if "policy" in cells.columns:
        cells.note("must not be blank", "policy", blank)
    seen: dict[tuple, int] = {}
    zones: list[str | None] = []
    for at, row in enumerate(table.astype(object).to_dict("records")):
        said = {name: value for name, value in row.items() if not pd.isna(value)}
        key = tuple(meant(said.get(name, "")) for name in ("vault", "policy"))
        if key[1] and key in seen:
            hint = f"it is on {cells.findings.counted} {cells.rows[seen[key]]}"
            cells.note(
                "must be named once in a vault", "policy", np.array([at]), [hint]
            )
        seen.setdefault(key, at)
        one = _One(said, at, cells)
        told = {
            "interval_h": one.interval_h(),
            "month_day": one.month_day(),
        }
        zones.append(one.zone())
        told |= one.of_starts(said.get("interval_h") or told["interval_h"])
        for name in ("weekly_on", "yearly_on"):
            one.words(name)
        for name, value in told.items():
            if value is None:
                continue
            if name not in said:
                given.loc[at, name] = value
            elif name == "start_h" and "time_zone" in said:
                continue  # by two clocks
            elif abs(said[name] - value) > SAME_H:
                one.note(name, f"must be {value:.6g}, as the policy's own words say")
    return given, zones


class _One:
    """One policy, of which the words are brought to numbers."""

    def __init__(self, said: Mapping[str, object], at: int, cells: Cells) -> None:
        self.said, self.at, self.cells = said, at, cells

    def note(self, name: str, rule: str, hint: str = "") -> None:
        self.cells.note(rule, name, np.array([self.at]), [hint])

    def words(self, name: str) -> list[str]:
        """Return the words of a column, in small letters; note those of no meaning."""
        found = re.split(r"[\s,;]+", str(self.said.get(name, "")).strip().lower())
        for word in filter(None, found):
            if word not in WORDS[name]:
                likely = nearest(word, WORDS[name])
                hint = f"did you mean {likely}?" if likely else ""
                known = ", ".join(w for w in WORDS[name] if not w.isdecimal())
                self.note(name, f"must be of {known}", hint)
        return [word for word in found if word in WORDS[name]]

    def interval_h(self) -> float | None:
        """Return the time between two runs that rhythm, weekdays and starts make."""
        rhythm, days = self.said.get("rhythm"), self.words("weekdays")
        if days and rhythm not in (None, "weekly"):
            self.note("weekdays", f"must be blank where rhythm is {rhythm}")
        elif rhythm == "weekly" or days:
            return 168.0 / max(len(set(days)), 1)
        elif rhythm == "hourly":
            if "interval_h" not in self.said:
                self.note("interval_h", "must be given where rhythm is hourly")
        elif rhythm == "daily" or "interval_h" not in self.said:
            starts = self.starts()
            return 24.0 / len(starts) if starts else 24.0 if rhythm else None
        return None

    def month_day(self) -> float | None:
        """Return the day of the month of the words of its monthly points."""
        words = self.words("monthly_on")
        return float(month_day_of(" ".join(words))) if words else None

    def starts(self) -> list[float]:
        """Return the hours of its starts, in the order in which they are written."""
        hours = []
        for word in re.split(r"[\s,;]+", str(self.said.get("starts", "")).strip()):
            if not word:
                continue
            if not (match := CLOCK.fullmatch(word)):
                self.note("starts", "must be times of a day, such as 08:00 20:00")
                return []
            hour, minute, second = (int(part or 0) for part in match.groups())
            hours.append(hour + minute / 60 + second / 3600)
        return hours

    def of_starts(self, interval_h: float | None) -> dict[str, float]:
        """Return the last start of a day and the window, of what is written of them."""
        hours, window_h = self.starts(), self.said.get("window_h")
        if not hours:
            return {}
        if not interval_h or interval_h >= 24 or self.said.get("rhythm") == "daily":
            return {"start_h": max(hours)}
        runs = int(runs_a_day(interval_h, np.nan if window_h is None else window_h))
        if len(hours) == 1:
            return {"start_h": (hours[0] + (runs - 1) * interval_h) % 24}
        even = np.abs((np.diff(hours) - interval_h + 12) % 24 - 12)
        if (even > SAME_H).any():
            self.note("starts", f"must be {interval_h:g} h apart, as interval_h says")
        elif window_h is not None and len(hours) != runs:
            rule = f"must be {runs}, as interval_h and window_h say, or the first alone"
            self.note("starts", rule)
        elif len(hours) > 24 / interval_h + SAME_H:
            self.note("starts", "must be of one day")
        return {"start_h": hours[-1], "window_h": (len(hours) - 1) * interval_h} | (
            {} if window_h is None else {"window_h": window_h}
        )

    def zone(self) -> str | None:
        """Return the zone of its starts; None where start_h is the inventory's own."""
        name = self.said.get("time_zone")
        if name is None:
            return None
        try:
            zone(name)
        except ValueError as error:
            self.note("time_zone", str(error))
            return None
        return None if "start_h" in self.said or "starts" not in self.said else name


def _in_one_zone(given: pd.DataFrame, zones: Sequence[str | None]) -> str | None:
    """Bring starts to the clock of the zone that most policies name, and name it."""
    counts = pd.Series([name for name in zones if name], dtype=object).value_counts()
    if counts.empty:
        return None
    most = [name for name in zones if name and counts[name] == counts.max()]
    target = most[0]
    noon = datetime.datetime.combine(ANY_DAY, datetime.time(12))
    for at, name in enumerate(zones):
        if name and zone(name) != zone(target):
            ahead = [noon.replace(tzinfo=zone(n)).utcoffset() for n in (target, name)]
            shift_h = (ahead[0] - ahead[1]) / datetime.timedelta(hours=1)
            given.loc[at, "start_h"] = (given.loc[at, "start_h"] + shift_h) % 24
    return target


def _row_of(
    policies: Policies, vault: object, policy: object, rows: Mapping[object, list[int]]
) -> int:
    """Return the row of a policy, of its vault or of any; -1 if there is none.

    `rows` has those of each name.
    """
    vault = None if pd.isna(vault) else vault
    named = rows.get(policy, [])
    own = [at for at in named if policies.vaults[at] == vault]
    of_any = [at for at in named if policies.vaults[at] is None]
    found = own or of_any or (named if vault is None and len(named) == 1 else [])
    return found[0] if found else -1


def _instead(policies: Policies, policy: str, rows: Mapping[object, list[int]]) -> str:
    """Say which policy may be meant."""
    vaults = [str(policies.vaults[row]) for row in rows.get(policy, [])]
    if vaults:
        return f"it has one of vault {' and of vault '.join(vaults[:5])}"
    likely = nearest(policy, rows)
    return f"did you mean {likely}?" if likely else ""


def _differs(own: pd.Series, said: pd.Series, both: np.ndarray) -> np.ndarray:
    """Say where two columns say different things; what is blank says nothing."""
    found = np.zeros(len(own), dtype=bool)
    left, right = own[both], said[both]
    if fields()[own.name].kind == "number":
        found[both] = ~np.isclose(left.astype(float), right.astype(float), atol=SAME_H)
    else:
        found[both] = (left != right).to_numpy(dtype=bool)
    return found


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def _place(findings: Findings, row: int) -> str:
    return (
        f"{findings.file}:{row}"
        if findings.counted == "line"
        else (f"{findings.file}, row {row}")
    )
