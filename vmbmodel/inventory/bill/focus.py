"""What you were billed: a cost export of FOCUS or of Cost Management.

An export holds everything a subscription was charged for. Of it, the protected
instances, the vault storage and the snapshots of VM backup are gathered by month
and vault; other charges of the backup service are summed by meter, and all else
is counted.
"""

import datetime
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from vmbmodel._files import opened
from vmbmodel._words import NAMED, counted, short, some
from vmbmodel.fields import NUMBER, nearest
from vmbmodel.inventory.bill.shapes import COSTS, SHAPES, Shape, folded, shape_of
from vmbmodel.inventory.files import (
    MANY,
    Cells,
    Findings,
    Text,
    stream_cells,
    unprintable,
)

__all__ = ["LINES", "Bill", "read"]

LINES = ("instances", "LRS", "ZRS", "GRS", "RA-GRS", "snapshots")
"""Lines of a bill that the model gives, too."""

_BACKUP = ("backup", "azure backup")
_INSTANCE = re.compile(r"azure vm protected instances?", re.IGNORECASE)
_STORED = re.compile(r"(?:standard )?(lrs|zrs|grs|ra-grs) data stored", re.IGNORECASE)
_SNAPSHOTS = re.compile(r"(?:snapshots )?(?:lrs|zrs|grs) snapshots", re.IGNORECASE)
# Whose a snapshot is: those of a policy of type Standard are billed to the disk or the
# storage account, those of Enhanced to a collection that the service names.
_OWN_SNAPSHOT = (
    r"(?i)microsoft\.compute/(?:snapshots/|restorepointcollections/(?!azurebackup_))"
)
_ENHANCED_SNAPSHOT = r"(?i)microsoft\.compute/restorepointcollections/azurebackup_"
_OWN, _UNKNOWN = "own snapshots", "unknown snapshots"
_LARGEST = 10**12
_CURRENCY = r"^\s*[A-Za-z]{3}\s*$"
_OTHER = "other column: "
_SHOWN = 3
_CENT, _ROUNDED = 0.01, 0.02
_NO_USE = ("purchase", "unusedreservation", "unusedsavingsplan")
_STROKES = {"mdy": "%m/%d/%Y", "dmy": "%d/%m/%Y"}
_LAST_OF_JANUARY = datetime.date(2026, 1, 31)
_VAULT = re.compile(r"/vaults/([^/]+)", re.IGNORECASE)
_UNIT = re.compile(
    r"(?:(?P<size>\d+)\s*)?(?:gi?b|(?P<tb>ti?b)|units?|counts?|instances?)?"
    r"(?:[\s/-]*mo(?:nths?)?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Bill:
    """What a cost export says of VM backup."""

    rows: pd.DataFrame
    """A row a month, vault and line: ``month``, ``vault`` (in lower case, empty for
    snapshots), ``line`` of `LINES`, ``quantity`` (instance-months or GiB-months) and
    ``cost`` in the currency of the bill."""
    covered_frac: Mapping[str, float]
    """Share of each month, named ``2026-01``, that the charges cover."""
    currency: str
    other: Mapping[str, float]
    """Cost of other charges of the backup service, by meter."""
    charges: int
    """Charges read."""
    passed_over: int
    """Charges of other services."""
    own_snapshots: Mapping[str, float] = field(default_factory=dict)
    """Cost of snapshots that backup did not take, by meter: their resource says so."""
    unknown_snapshots: Mapping[str, float] = field(default_factory=dict)
    """Cost of snapshots under a meter that is none of backup's, by meter."""
    enhanced_gib: float = 0.0
    """GiB-months of the snapshots that are of Enhanced policies, by their resource."""
    repeated: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Charges that stand again in every column, and count once: ``file``, ``line``,
    ``as_file``, ``as_line`` and ``cost``."""

    def repeats(self) -> str:
        """Say which charges stand twice, in one sentence; empty if none does."""
        if not (count := len(self.repeated)):
            return ""
        shown = [
            f"{row.file} line {row.line} as {row.as_file} line {row.as_line}"
            for row in self.repeated.head(_SHOWN).itertuples()
        ]
        more = f", {count - _SHOWN:,} more" * (count > _SHOWN)
        return (
            f"Left out {self.repeated['cost'].sum():,.2f} {self.currency} of "
            f"{counted(count, 'charge')} that stand{'s' * (count == 1)} there already, "
            f"alike in every column: {', '.join(shown)}{more}. A column that tells "
            "charges apart makes each of them count."
        )

    remarks: tuple[str, ...] = ()
    """How the export was read, where that is not plain."""


@dataclass
class _Gathered:
    """What has been read so far."""

    cost: str
    date_order: str
    files: list[str] = field(default_factory=list)
    parts: list[pd.DataFrame] = field(default_factory=list)
    charges: int = 0
    kept: int = 0
    strange: Counter[str] = field(default_factory=Counter)
    """Charges by a kind that is not known."""
    mispriced: int = 0
    """Charges that cost something else than their price; the first, with their place,
    are in `mispriced_at`."""
    mispriced_at: list[str] = field(default_factory=list)

    def remarks(self) -> Iterator[str]:
        """Say what of the charges is odd and nothing wrong."""
        if self.strange:
            kinds = some([short(kind) for kind in sorted(self.strange)])
            yield (
                f"{counted(self.strange.total(), 'charge')} of a kind that is not "
                f"known, {kinds}, taken as use."
            )
        if self.mispriced:
            yield (
                f"{counted(self.mispriced, 'charge')} not at quantity times "
                f"EffectivePrice, such as {', '.join(self.mispriced_at)}. The cost "
                "counts."
            )


def read(
    paths: Sequence[str | os.PathLike[str]],
    *,
    cost: str = "billed",
    date_order: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Bill:
    r"""Read the files of a cost export, in any order.

    Parameters
    ----------
    paths : sequence of path-like
        CSV in the columns of FOCUS 1.0 or later, as Azure exports it, or the cost
        details of Cost Management, actual or amortised, whatever the agreement. A
        charge that stands in them twice, alike in every column, counts once.
    cost : str
        One of `COSTS`; cost details have the first two, as they were exported.
    date_order : str, optional
        ``dmy`` or ``mdy``: how dates with strokes are meant in cost details, which has
        the month first if not given, as the service writes it.
    progress : callable, optional
        Told a path, and how many of how many bytes of it have been read.

    Returns
    -------
    Bill
        The charges of VM backup, summed.

    Raises
    ------
    TypeError
        If it is a table in memory.
    vmbmodel.inventory.files.InventoryError
        With every finding at once: a missing column, a cost that is no number, a
        unit or a date that cannot be read, several currencies, and a file
        without a single charge for VM backup.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "bill.csv")
    >>> head = ("ChargePeriodStart,ChargePeriodEnd,BilledCost,BillingCurrency,"
    ...         "x_SkuMeterCategory,x_SkuMeterName,ResourceId,PricingQuantity,"
    ...         "PricingUnit")
    >>> row = ("2026-01-01,2026-02-01,10,USD,Backup,Azure VM Protected Instance,"
    ...        "/subscriptions/s/resourceGroups/g/providers/"
    ...        "Microsoft.RecoveryServices/vaults/v1,1,1/Month")
    >>> _ = path.write_text("\n".join([head, row]))
    >>> bill = read([path])
    >>> print(bill.rows.to_string(index=False))
      month vault      line  quantity  cost
    2026-01    v1 instances       1.0  10.0
    >>> bill.covered_frac
    {'2026-01': 1.0}
    """
    if isinstance(paths, pd.DataFrame):
        raise TypeError("a bill is read from its files: write the table as CSV")
    gathered = _Gathered(cost, date_order or "mdy")
    for path in paths:
        _read_file(Path(path), gathered, progress)
    findings = Findings(", ".join(map(os.fspath, paths)))
    if not gathered.kept:
        findings.stop(
            f"has no charge for VM backup among {gathered.charges:,}",
            hint="its meters are those of the service Backup, and snapshots",
        )
    charges = pd.concat(gathered.parts, ignore_index=True)
    firsts = charges.drop_duplicates("currency").sort_values("currency")
    if len(firsts) > 1:
        where = ", ".join(
            f"{row.currency} ({gathered.files[row.file]} line {row.at})"
            for row in firsts.itertuples()
        )
        findings.stop(f"must have one currency; it has {where}")
    charges, repeated = _once(charges, gathered.files)
    ours = charges[charges["line"].isin(LINES)]
    covered, remarks = _covered_frac(ours)
    keys = ["month", "vault", "line"]
    rows = ours.groupby(keys, as_index=False)[["quantity", "cost"]].sum()
    other, own, unknown = (
        charges[charges["line"] == line].groupby("meter")["cost"].sum().to_dict()
        for line in ("", _OWN, _UNKNOWN)
    )
    return Bill(
        rows=rows,
        covered_frac=covered,
        currency=firsts["currency"].iloc[0],
        other=other,
        charges=gathered.charges,
        passed_over=gathered.charges - gathered.kept,
        own_snapshots=own,
        unknown_snapshots=unknown,
        enhanced_gib=float(ours.loc[ours["enhanced"], "quantity"].sum()),
        repeated=repeated,
        remarks=(*remarks, *gathered.remarks()),
    )


def _once(
    charges: pd.DataFrame, files: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part charges from those that stand there already."""
    again = charges["row"].duplicated()
    first = charges[~again].set_index("row")
    repeated = charges[again]
    same = first.loc[repeated["row"]]
    places = {
        "file": [files[at] for at in repeated["file"]],
        "line": repeated["at"].to_numpy(),
        "as_file": [files[at] for at in same["file"]],
        "as_line": same["at"].to_numpy(),
        "cost": repeated["cost"].to_numpy(),
    }
    return charges[~again], pd.DataFrame(places)


def _read_file(path: Path, gathered: _Gathered, progress) -> None:
    findings = Findings(os.fspath(path))
    names: dict[str, str] = {}
    shape = shape_of(())

    def columns_of(header: Sequence[str], line: int) -> Mapping[str, int]:
        nonlocal shape
        shape = shape_of(header)
        if gathered.cost not in shape.costs:
            rule = f"has no {COSTS[gathered.cost]}, but what was billed or amortised"
            findings.stop(rule, row=line)
        wanted = shape.columns | {"cost": shape.costs[gathered.cost]} | shape.optional
        at = {folded(name): i for i, name in reversed(list(enumerate(header)))}
        for key, aliases in wanted.items():
            found = next((a for a in aliases if folded(a) in at), None)
            if found is not None:
                names[key] = header[at[folded(found)]]
            elif key not in shape.optional:
                like = nearest(aliases[0], header)
                findings.add(
                    f"column {' or '.join(aliases)} is missing",
                    row=line,
                    column=aliases[0],
                    hint=f"did you mean {like} to be it?" if like else "",
                )
        if len(findings.found) > len(shape.columns) / 2:
            rule = "has no shape that is known"
            if "usagedate" in at and "cost" in at:
                rule = "is a table of the cost analysis, which has no quantities"
            findings.add(rule, row=line, hint=f"read are {SHAPES}")
        for name, count in Counter(map(folded, header)).items():
            if count > 1 and name in map(folded, names.values()):
                first = header[at[name]]
                rule = f"column {first} stands there {count} times"
                findings.add(rule, row=line, column=first)
        findings.refuse_if_any()
        used = {name: at[folded(name)] for name in names.values()}
        spare = {f"{_OTHER}{n} {i}": i for i, n in enumerate(header)}
        taken = set(used.values())
        return used | {n: i for n, i in spare.items() if i not in taken}

    gathered.files.append(os.fspath(path))
    try:
        size = path.stat().st_size
        with opened(path) as file:
            done = (lambda n: progress(str(path), n, size)) if progress else _nothing
            for cells in stream_cells(file, findings, columns_of, done):
                _take(cells, names, shape, gathered)
                findings.refuse_if_many()
    except OSError as error:
        findings.unreadable(error)
    if not names:
        findings.stop(f"is empty; read are {SHAPES}")
    findings.refuse_if_any()


def _nothing(_: int) -> None:
    pass


def _take(
    cells: Cells, names: Mapping[str, str], shape: Shape, gathered: _Gathered
) -> None:
    """Keep the charges of VM backup, and check every cell of them."""
    gathered.charges += cells.rows.size
    meter, service = (
        cells.columns[names[key]].map(str.strip) for key in ("meter", "service")
    )
    kind = meter.spread([_line_of(word) for word in meter.words], "", object)
    of_backup = service.holds(lambda word: word.lower() in _BACKUP)
    at = np.flatnonzero(of_backup ^ np.isin(kind, ("snapshots", _UNKNOWN)))
    if not at.size:
        return
    columns = {name: column[at] for name, column in cells.columns.items()}
    some_cells = Cells(columns, cells.rows[at], cells.findings)
    text = {
        key: pd.Series(columns[name].map(str.strip).tolist(), dtype=str)
        for key, name in names.items()
    }
    line = pd.Series(kind[at])
    if "category" in text:  # a reservation bought, or left unused, is no use of it
        line = line.mask(text["category"].str.lower().isin(_NO_USE), "")
    _look_at_kinds(some_cells, names, text, shape, gathered)
    own = text["resource"].str.contains(_OWN_SNAPSHOT)
    line = line.mask(own & line.isin(("snapshots", _UNKNOWN)), _OWN)
    gathered.kept += int((~line.isin((_OWN, _UNKNOWN))).sum())
    vault = text["resource"].str.extract(_VAULT, expand=False).str.lower()
    order = gathered.date_order if shape.daily else None
    dates = {
        key: _dates(
            some_cells, names[key], text[key], order, needed=key in shape.columns
        )
        for key in ("start", "end", "period_start", "period_end")
        if key in names
    }
    start = dates["start"]
    if "end" in dates:
        at = np.flatnonzero((dates["end"] <= start) & line.isin(LINES))[: MANY + 1]
        hints = [f"that is {begin}" for begin in text["start"].iloc[at]]
        some_cells.note(f"must be after {names['start']}", names["end"], at, hints)
        late = dates["end"] > (start + pd.offsets.MonthBegin()).dt.normalize()
        at = np.flatnonzero(late & line.isin(LINES))[: MANY + 1]
        hints = [f"that begins in {month:%Y-%m}" for month in start.iloc[at]]
        rule = f"must be in the month of {names['start']}, by UTC"
        some_cells.note(rule, names["end"], at, hints)
    named = columns[names["currency"]].holds(re.compile(_CURRENCY).match)
    at = np.flatnonzero(~named)[: MANY + 1]
    some_cells.note("must be a currency such as USD", names["currency"], at)
    quantity, cost = (_numbers(some_cells, names[key]) for key in ("quantity", "cost"))
    _refuse_negative(some_cells, names, text, quantity, cost)
    _look_at_prices(some_cells, text, quantity, cost, gathered)
    for key in ("resource", "meter", "currency"):
        at_cell = np.flatnonzero(columns[names[key]].holds(unprintable))[: MANY + 1]
        some_cells.note("must not contain control characters", names[key], at_cell)
    gathered.parts.append(
        pd.DataFrame(
            {
                "month": start.dt.strftime("%Y-%m"),
                "vault": vault.fillna("").mask(line == "snapshots", ""),
                "line": line,
                "enhanced": (line == "snapshots")
                & text["resource"].str.contains(_ENHANCED_SNAPSHOT),
                "meter": text["meter"],
                "quantity": quantity
                * _per_unit(some_cells, names["unit"], text["unit"], line.isin(LINES)),
                "cost": cost,
                "currency": text["currency"].str.upper(),
                "start": start,
                "end": dates.get("end", start + pd.Timedelta(days=1)),
                "period_start": dates.get("period_start", pd.NaT),
                "period_end": dates.get("period_end", pd.NaT),
                "row": _row_hash(columns),
                "file": len(gathered.files) - 1,
                "at": some_cells.rows,
            }
        )
    )


def _row_hash(columns: Mapping[str, Text]) -> np.ndarray:
    """Return a number that rows share whose cells are alike in every column."""
    names = sorted(columns, key=lambda name: name.removeprefix(_OTHER).lower())
    cells = {
        name: pd.Series(columns[name].map(str.strip).tolist(), dtype=str)
        for name in names
    }
    return pd.util.hash_pandas_object(pd.DataFrame(cells), index=False).to_numpy()


def _refuse_negative(
    cells: Cells,
    names: Mapping[str, str],
    text: Mapping[str, pd.Series],
    quantity: np.ndarray,
    cost: np.ndarray,
) -> None:
    """Note usage that is charged or counted below 0 and corrects nothing."""
    usage = np.ones(len(cost), dtype=bool)
    if "category" in text:
        usage &= (text["category"].str.lower() == "usage").to_numpy()
    if "class" in text:
        usage &= (text["class"].str.lower() != "correction").to_numpy()
    for key, values in (("quantity", quantity), ("cost", cost)):
        at = np.flatnonzero(usage & (values < 0))[: MANY + 1]
        cells.note(
            "must not be negative, for usage that corrects nothing", names[key], at
        )


def _look_at_kinds(
    cells: Cells,
    names: Mapping[str, str],
    text: Mapping[str, pd.Series],
    shape: Shape,
    gathered: _Gathered,
) -> None:
    """Note kinds that there are not, or count them where no page lists all."""
    if "category" not in text:
        return
    strange = ~text["category"].str.lower().isin(shape.kinds)
    if shape.closed:
        rule = f"must be one of {', '.join(kind.title() for kind in shape.kinds)}"
        cells.note(rule, names["category"], np.flatnonzero(strange)[: MANY + 1])
    else:
        gathered.strange.update(text["category"][strange].tolist())


def _look_at_prices(
    cells: Cells,
    text: Mapping[str, pd.Series],
    quantity: np.ndarray,
    cost: np.ndarray,
    gathered: _Gathered,
) -> None:
    """Gather charges that cost something else than quantity times effective price.

    That is how Microsoft says to reckon a charge again. The price may be rounded, and
    is in a currency of its own.
    """
    if "price" not in text:
        return
    price = pd.to_numeric(text["price"], errors="coerce").to_numpy(float)
    comes_to = quantity * price
    off = np.abs(comes_to - cost) > _CENT + _ROUNDED * np.maximum(
        np.abs(comes_to), np.abs(cost)
    )
    if "price_currency" in text:
        off &= text["price_currency"].str.lower() == text["currency"].str.lower()
    gathered.mispriced += int(off.sum())
    for at in np.flatnonzero(off)[: _SHOWN - len(gathered.mispriced_at)]:
        gathered.mispriced_at.append(
            f"{gathered.files[-1]} line {cells.rows[at]} ({quantity[at]:g} at "
            f"{price[at]:g}, charged {cost[at]:,.2f})"
        )


def _line_of(meter: str) -> str:
    """Say of a meter which line of the bill it is; empty if none of ours."""
    if _INSTANCE.fullmatch(meter):
        return "instances"
    if stored := _STORED.fullmatch(meter):
        return stored[1].upper()
    if _SNAPSHOTS.fullmatch(meter):
        return "snapshots"
    return _UNKNOWN if "snapshot" in meter.lower() else ""


def _numbers(cells: Cells, name: str) -> np.ndarray:
    column = cells.columns[name].map(str.strip)
    number = [re.fullmatch(NUMBER, word) is not None for word in column.words]
    at = np.flatnonzero(~column.spread(number, False, bool))[: MANY + 1]
    cells.note("must be a number", name, at)
    values = [
        float(word) if fits else 0.0
        for word, fits in zip(column.words, number, strict=True)
    ]
    values = column.spread(values, 0.0, float)
    sane = np.abs(values) <= _LARGEST
    at = np.flatnonzero(~sane)[: MANY + 1]
    cells.note(f"must be between -{_LARGEST:,} and {_LARGEST:,}", name, at)
    return np.where(sane, values, 0)


def _dates(
    cells: Cells, name: str, text: pd.Series, date_order: str | None, *, needed: bool
) -> pd.Series:
    """Read dates: the year first, or with strokes in an order, if one is given."""
    dates = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    rule, hints = "must be a date such as 2026-01-31", None
    blank = (text == "") & (not needed)
    if date_order:
        form = _STROKES[date_order]
        days = text.str.partition(" ")[0]
        other = pd.to_datetime(days, format=form, utc=True, errors="coerce")
        dates = dates.fillna(other)
        rule += f" or {_LAST_OF_JANUARY:{form}}"
        turned = "mdy" if date_order == "dmy" else "dmy"
        hints = [f"is it --date-order {turned}?"] * (MANY + 1)
    at = np.flatnonzero(dates.isna() & ~blank)[: MANY + 1]
    cells.note(rule, name, at, hints and hints[: len(at)])
    return dates


def _per_unit(
    cells: Cells, name: str, text: pd.Series, needed: pd.Series
) -> np.ndarray:
    """Read ``1/Month``, ``1 GB/Month`` or ``1 TB`` as how many of one, where needed."""
    units = text.unique()
    factors = {}
    for unit in units:
        match = _UNIT.fullmatch(" ".join(unit.split()))
        factors[unit] = np.nan
        if match and unit:
            factors[unit] = float(match["size"] or 1) * (1024 if match["tb"] else 1)
    factor = text.map(factors).to_numpy(float)
    at = np.flatnonzero(np.isnan(factor) & needed)[: MANY + 1]
    cells.note("must be a unit such as 1/Month or 1 GB/Month", name, at)
    return np.where(np.isnan(factor), 0, factor)


def _covered_frac(charges: pd.DataFrame) -> tuple[dict[str, float], list[str]]:
    """Share of each month between its first and its last charge; and what to say of it.

    Charges that all have the last day of their billing period are sums of it.
    """
    spans = charges.groupby("month").agg(
        start=("start", "min"),
        end=("end", "max"),
        latest=("start", "max"),
        period_start=("period_start", "min"),
        period_end=("period_end", "min"),
    )
    covered, remarks = {}, []
    for month, start, end, latest, period_start, period_end in spans.itertuples():
        first = pd.Timestamp(f"{month}-01", tz="UTC")
        last = first + pd.offsets.MonthBegin(1)
        if start == latest == period_end and period_start < start:
            covered[month] = (end - period_start) / (last - first)
            remarks.append(
                f"All charges of {month} have the last day of their billing period and "
                f"are taken as its sums, since {period_start:%Y-%m-%d}."
            )
            continue
        end = min(end, last)
        covered[month] = max((end - start) / (last - first), 0.0)
    if others := remarks[NAMED:]:
        remarks[NAMED:] = [f"So have those of {counted(len(others), 'more month')}."]
    return covered, remarks
