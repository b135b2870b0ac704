"""Pages of the public retail price list to a price book.

The list is saved by whoever asks for it; nothing here goes to a network. A page
is a JSON object with ``Items``, a row for each meter. Meters of vault storage and
of the protected instance are taken under their older and newer names, those of
snapshots from the service Storage; of several prices of a meter, the one in force on
the day the list was asked for. Reserved capacity is kept apart, and everything else is
dropped and counted.
"""

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from vmbmodel._words import counted, first_lines, short
from vmbmodel.service.catalogues import PRICES
from vmbmodel.service.constants import ConstantSet, Origin, set_text
from vmbmodel.service.pages import entries

__all__ = ["Meter", "PriceList", "price_book", "read_price_list"]

_REGIONS = 0.9, 1.25  # between which 8 of 10 have a price, as parts of a known one
_INSTANCE = "instance_fee_usd"
_INSTANCE_METERS = ("Azure VM Protected Instance", "Azure VM Protected Instances")
_VAULT = {
    f"{redundancy} Data Stored": redundancy.lower().replace("-", "_")
    + "_usd_per_gib_month"
    for redundancy in ("LRS", "ZRS", "GRS", "RA-GRS")
}
_ARCHIVE = {
    f"Archive {redundancy} Data Stored": f"archive_{redundancy.lower()}"
    "_usd_per_gib_month"
    for redundancy in ("LRS", "GRS")
}
_NEW_METERS = {
    **dict.fromkeys(_INSTANCE_METERS, _INSTANCE),
    **{f"Standard {meter}": name for meter, name in _VAULT.items()},
    **_ARCHIVE,
}
_STANDARD = "snapshot_standard_usd_per_gib_month"
_ENHANCED = "snapshot_enhanced_usd_per_gib_month"
# where a region has no zones, the local price is that of an Enhanced policy too
_ENHANCED_LOCAL = f"{_ENHANCED} (LRS)"
_ENHANCED_METER = f"{_ENHANCED} (by its meter)"
_SNAPSHOTS = {
    ("Standard Page Blob", "LRS Snapshots"): _STANDARD,
    ("Standard HDD Managed Disks", "ZRS Snapshots"): _ENHANCED,
    ("Standard HDD Managed Disks", "LRS Snapshots"): _ENHANCED_LOCAL,
    ("Standard SSD Managed Disks", "Snapshots ZRS Snapshots"): _ENHANCED_METER,
}
"""Product and meter of the service Storage, and what its price is."""
_RATES = (*_VAULT.values(), *_ARCHIVE.values(), *_SNAPSHOTS.values())
_MEASURES = {_INSTANCE: ("1/Month", "1")} | dict.fromkeys(_RATES, ("1 GB/Month",))
_BOUNDS = {
    _INSTANCE: (Decimal(1), Decimal(100)),
    **dict.fromkeys(_VAULT.values(), (Decimal("0.001"), Decimal(1))),
    **dict.fromkeys(_ARCHIVE.values(), (Decimal("0.0001"), Decimal("0.1"))),
    **dict.fromkeys(_SNAPSHOTS.values(), (Decimal("0.001"), Decimal(1))),
}
_TEXTS = {
    "armRegionName": re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{0,39}"),
    "currencyCode": re.compile(r"[A-Z]{3}"),
    "effectiveStartDate": re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.]+Z?)?"),
}
_TOO_MUCH = 1e9  # in any currency
_MOST_PROBLEMS = 20


@dataclass(frozen=True)
class Meter:
    """One price of the list, as its row prints it."""

    name: str
    price: Decimal
    currency: str
    region: str
    since: datetime.date
    where: str


@dataclass(frozen=True)
class PriceList:
    """What pages of the price list say about VM backup, of one region and currency."""

    meters: Mapping[str, Meter]
    """By the constant of a price book that each stands for."""
    region: str
    currency: str
    retrieved: datetime.date
    """Day on which the list was asked for."""
    rows: int
    """Rows read."""
    reservations: int
    """Rows of reserved capacity, a price of a whole term and no rate."""
    dropped: int
    """Rows of other meters, services and regions."""
    not_in_force: int
    """Rows of prices that are yet to come, have ended, or were followed by another."""
    more: bool
    """Whether every page says that there is a next one."""
    other_enhanced: Meter | None = None
    """Price under the name of the meter on bills of Enhanced snapshots, if listed."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Prices of a book that no row gives."""
        rates = (n for n in PRICES.required if n.endswith(("_usd", "_gib_month")))
        return tuple(name for name in rates if name not in self.meters)


@dataclass
class _Reading:
    """What has been read so far."""

    region: str | None
    retrieved: datetime.date
    meters: dict[str, Meter] = field(default_factory=dict)
    rows: int = 0
    reservations: int = 0
    dropped: int = 0
    not_in_force: int = 0
    problems: list[str] = field(default_factory=list)

    def complain(self, problem: str) -> None:
        self.problems.append(problem)
        if len(self.problems) >= _MOST_PROBLEMS:
            self.problems.append("and perhaps more; reading ended here")
            self.stop_if_bad()

    def stop_if_bad(self) -> None:
        if self.problems:
            raise ValueError(first_lines(self.problems))


def read_price_list(
    paths: Iterable[Path],
    *,
    retrieved: datetime.date,
    region: str | None = None,
) -> PriceList:
    """Return the prices in pages of the retail price list.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Pages as they were saved, in any order.
    retrieved : datetime.date
        Day on which the list was asked for.
    region : str, optional
        The region to take where pages hold several, such as ``westeurope``.

    Raises
    ------
    ValueError
        With file, row and rule, if a page is no page of the list, if a price is
        not one or stands twice, or if regions or currencies are mixed; and if there is
        no price in force of an instance or of any storage.
    OSError
        If a file cannot be read.
    """
    reading = _Reading(region, retrieved)
    currencies, last_pages = {}, 0
    for path in paths:
        envelope = {}
        try:
            for key, value in entries(path, "Items"):
                if isinstance(key, int):
                    _take_row(reading, f"{path}: row {key}", value)
                else:
                    envelope[key] = value
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}: is no text in UTF-8; save the file as UTF-8"
            ) from error
        except ValueError as error:
            if str(error).startswith(f"{path}: "):
                raise
            raise ValueError(f"{path}: {error}") from error
        last_pages += not envelope.get("NextPageLink")
        if "BillingCurrency" in envelope:
            currencies[f"{path}: BillingCurrency"] = envelope["BillingCurrency"]
    reading.stop_if_bad()
    found = reading.meters
    _refuse_mixed(
        {meter.where: meter.currency for meter in found.values()} | currencies
    )
    storage = [name for name in _VAULT.values() if name in found]
    if _INSTANCE not in found or not storage:
        lacking = _INSTANCE_METERS[0] if storage or not found else "vault storage"
        of = f" of {region}" if region else ""
        late = ""
        if reading.not_in_force:
            late = f", {reading.not_in_force} not in force on {retrieved}"
        rows = counted(reading.rows, "row")
        raise ValueError(f"no price{of} of {lacking} among {rows}{late}")
    one = found[_INSTANCE]
    local, other = (found.pop(n, None) for n in (_ENHANCED_LOCAL, _ENHANCED_METER))
    if local is not None:
        found.setdefault(_ENHANCED, local)
    return PriceList(
        meters=found,
        region=one.region,
        currency=one.currency,
        retrieved=retrieved,
        rows=reading.rows,
        reservations=reading.reservations,
        dropped=reading.dropped,
        not_in_force=reading.not_in_force,
        other_enhanced=other,
        more=not last_pages,
    )


def price_book(
    price_list: PriceList, base: ConstantSet, usd_per_unit: float | None = None
) -> str:
    """Return a price list as the text of a price book.

    Parameters
    ----------
    price_list : PriceList
        What pages say.
    base : ConstantSet
        Price book that gives what a list does not have: the steps of an instance,
        what the list lacks.
    usd_per_unit : float, optional
        US dollars for one unit of the list's currency, where that is another.

    Raises
    ------
    ValueError
        If the list is in another currency and no rate is given, or a price lies
        outside sane bounds.
    """
    rate = _rate(price_list.currency, usd_per_unit)
    problems, origins = [], {}
    for name in PRICES.required:
        if name in price_list.meters:
            meter = price_list.meters[name]
            usd = meter.price * rate
            problems += _out_of_bounds(name, meter, usd)
            origins[name] = _origin(name, meter, usd, usd_per_unit, price_list)
        else:
            origins[name] = _carried(name, base, price_list)
    if problems:
        raise ValueError(first_lines(problems))
    title = f"Retail prices of {price_list.region} in US dollars"
    if usd_per_unit is not None:
        title += f", converted at {usd_per_unit!r} for one {price_list.currency}"
    since = max(meter.since for meter in price_list.meters.values())
    return set_text(title, since, origins, currency="USD")


def _take_row(reading: _Reading, where: str, row: object) -> None:
    reading.rows += 1
    if not isinstance(row, dict):
        reading.complain(f"{where}: must be an object; got {short(row)}")
        return
    for key in ("serviceName", "meterName", "type"):
        if not isinstance(row.get(key), str):
            reading.complain(f"{where}: {key} must be a text; got {_got(row, key)}")
            return
    name = _constant(row)
    elsewhere = reading.region and row.get("armRegionName") != reading.region
    if name is None or elsewhere or row.get("isPrimaryMeterRegion") is False:
        reading.dropped += 1
    elif row["type"] == "Reservation":
        reading.reservations += 1
    elif row["type"] != "Consumption":
        reading.dropped += 1
    else:
        problems = list(_row_problems(name, row))
        for problem in problems:
            reading.complain(f"{where}: {problem}")
        if not problems:
            _keep(reading, name, row, where)


def _keep(reading: _Reading, name: str, row: Mapping[str, object], where: str) -> None:
    meter = Meter(
        name=row["meterName"],
        price=Decimal(row["retailPrice"]),
        currency=row["currencyCode"],
        region=row["armRegionName"],
        since=_date(row["effectiveStartDate"]),
        where=where,
    )
    for other in reading.meters.values():
        if other.region != meter.region:
            reading.complain(
                f"{where}: region {short(meter.region)} differs from "
                f"{short(other.region)} in {other.where}; --region picks one"
            )
            reading.stop_if_bad()
    ended = _date(row.get("effectiveEndDate") or "9999-12-31")
    first = reading.meters.get(name)
    if meter.since > reading.retrieved or (ended and ended < reading.retrieved):
        reading.not_in_force += 1
    elif first is None or first.since < meter.since:
        reading.not_in_force += first is not None
        reading.meters[name] = meter
    elif meter.since < first.since:
        reading.not_in_force += 1
    else:
        reading.complain(
            f"{where}: {meter.name} of {meter.region} is given before, in {first.where}"
        )


def _constant(row: Mapping[str, object]) -> str | None:
    """Name the constant a meter stands for, under its newer or its older name."""
    meter = row["meterName"]
    if row["serviceName"] == "Storage" and row["type"] == "Consumption":
        return _SNAPSHOTS.get((row.get("productName"), meter))
    if row["serviceName"] != "Backup":
        return None
    if row.get("skuName") == "Standard" and meter in _VAULT:
        return _VAULT[meter]
    if row["type"] == "Reservation" and meter in _VAULT:
        return _VAULT[meter]
    return _NEW_METERS.get(meter)


def _row_problems(name: str, row: Mapping[str, object]) -> Iterator[str]:
    end = row.get("effectiveEndDate")
    if end not in (None, "") and (not isinstance(end, str) or _date(end) is None):
        yield f"effectiveEndDate is no date; got {_got(row, 'effectiveEndDate')}"
    for key, pattern in _TEXTS.items():
        entry = row.get(key)
        if not isinstance(entry, str) or not pattern.fullmatch(entry):
            yield f"{key} is missing or malformed; got {_got(row, key)}"
        elif key == "effectiveStartDate" and _date(entry) is None:
            yield f"{key} is no date; got {short(entry)}"
    price = row.get("retailPrice")
    if type(price) not in (int, Decimal) or not 0 <= price < _TOO_MUCH:
        got = _got(row, "retailPrice")
        yield f"retailPrice must be a number >= 0 and < {_TOO_MUCH:.0e}; got {got}"
    if row.get("unitOfMeasure") not in _MEASURES[name]:
        measure = _MEASURES[name][0]
        got = _got(row, "unitOfMeasure")
        yield f"unitOfMeasure must be {measure}; got {got}"
    if row.get("tierMinimumUnits", 0) != 0:
        got = _got(row, "tierMinimumUnits")
        yield f"tierMinimumUnits must be 0, a price for all units; got {got}"


def _refuse_mixed(currencies: Mapping[str, object]) -> None:
    shown = {where: str(currency)[:40] for where, currency in currencies.items()}
    for where, currency in shown.items():
        first = next(iter(shown))
        if currency != shown[first]:
            raise ValueError(
                f"{where}: currency {short(currency)} differs from "
                f"{short(shown[first])} in {first}"
            )


def _rate(currency: str, usd_per_unit: float | None) -> Decimal:
    if usd_per_unit is None:
        if currency != "USD":
            raise ValueError(
                f"prices are in {currency}, and a price book holds US dollars; "
                f"give --usd-per-unit, the US dollars for one {currency}"
            )
        return Decimal(1)
    if currency == "USD":
        raise ValueError("prices are in USD already; --usd-per-unit is for others")
    if not 0 < usd_per_unit < float("inf"):
        raise ValueError(f"--usd-per-unit must be > 0 and finite; got {usd_per_unit!r}")
    return Decimal(repr(float(usd_per_unit)))


def _out_of_bounds(name: str, meter: Meter, usd: Decimal) -> list[str]:
    low, high = _BOUNDS[name]
    if low <= usd <= high:
        return []
    unit = "a month" if name == _INSTANCE else "a GB and month"
    return [
        f"{meter.where}: {meter.name} must cost {low} to {high} USD {unit}; "
        f"got {usd:.6g}"
    ]


def _origin(
    name: str,
    meter: Meter,
    usd: Decimal,
    usd_per_unit: float | None,
    price_list: PriceList,
) -> Origin:
    unit = "USD" if name == _INSTANCE else "USD/(GB month)"
    converted = usd_per_unit is not None
    notes = []
    if converted:
        printed = f"{meter.price:f} {meter.currency}"
        notes.append(f"Printed as {printed}; the rate of exchange is the caller's.")
    other = price_list.other_enhanced if name == _ENHANCED else None
    if other is not None:
        notes.append(
            f"On standard HDD; the meter {other.name}, which bills show, has "
            f"{other.price:f} {other.currency}."
        )
    kind, why = "", ""
    if name == _ENHANCED:
        kind, why = "reading", "What else it may be is the reading enhanced-snapshot."
    elif converted:
        kind, why = "choice", "The rate of exchange is the caller's."
    return Origin(
        documented=f"{usd:f} {unit}",
        source="retailprices",
        locator=f"meter {meter.name} of {meter.region}, in force from {meter.since}",
        retrieved=price_list.retrieved,
        status="assumed" if kind else "documented",
        note=" ".join(notes),
        kind=kind,
        why=why,
    )


def _carried(name: str, base: ConstantSet, price_list: PriceList) -> Origin:
    origin = base.origins[name]
    note = f"Not in the list of {price_list.region}: carried over from {base.name}."
    origin = replace(origin, note=f"{note} {origin.note}".strip())
    if name not in price_list.missing:
        return origin
    if origin.prior is None and not origin.kind:
        low, high = (base[name] * factor for factor in _REGIONS)
        why = "The price of another region; regions differ by a fifth."
        origin = replace(origin, low=low, high=high, shape="lognormal", why=why)
    return replace(origin, status="assumed")


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text[:10])
    except ValueError:
        return None


def _got(row: Mapping[str, object], key: str) -> str:
    """Quote what stands under a key."""
    return short(row[key]) if key in row else "nothing"
