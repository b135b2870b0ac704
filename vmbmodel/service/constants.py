"""Named, immutable sets of constants, each of which says where it is from.

A set is a TOML file. Its ``[about]`` table has a ``title`` and the date ``as_of``
which it describes, and may state its ``currency``, USD; every other table is one
constant, named after its row of ``fields.toml``:

.. code-block:: toml

    [blob_mib_s]
    documented = "60 MB/s"        # as the source prints it; converted on loading
    source = "article2018"        # key in book/references.bib
    locator = "Disk considerations"
    retrieved = 2026-11-22        # when the source was read
    status = "documented"         # documented, measured or assumed
    note = "what a reader has to know besides"    # may be left out

What else the constant may be stands in the same table, as `vmbmodel.service.priors`
says; an assumed constant has to have it.

A profile may have a table ``[readings]`` besides, with the names of the readings that
it was fitted under, such as ``eight_hours = "measured"``, and a table
``[wait_by_start]``: how many times as long as usual a job waits that starts in a
half-hour, such as ``"22:30" = 1.4``. A file that leaves anything else out is refused,
with all its faults at once.
"""

import dataclasses
import datetime
import functools
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Self

from vmbmodel import _toml
from vmbmodel._files import LARGEST_TEXT, decoded, read_bounded, refuse_special
from vmbmodel._words import MOST_LINES, first_lines, short
from vmbmodel.fields import convert, fields, misnamed, unit_of
from vmbmodel.service.priors import PRIOR_KEYS, Prior, prior_problems

__all__ = ["STATUSES", "Catalogue", "ConstantSet", "Origin", "set_text"]

STATUSES = ("documented", "measured", "assumed")
"""What a constant rests on: a printed figure, a record, or our judgement."""

_MODIFIED = " (modified)"
_QUANTITY = re.compile(r"(\$?)(\d[\d,]*(?:\.\d+)?|inf)\s*([^\d\s.,$][^\d.,$]*)?")
_GB_POWER = {"GB": 3, "TB": 4, "GB/day": 3, "USD/(GB month)": -3}


@dataclass(frozen=True)
class Origin:
    """Where one constant comes from."""

    documented: str
    """The figure as its source prints it, such as ``"160 Mbps"``."""
    source: str
    """Key of an entry of ``book/references.bib``, or ``"caller"``."""
    locator: str
    """Where in the source."""
    retrieved: datetime.date | None
    """Day on which the source was read; None for a caller's own value."""
    status: str
    """One of `STATUSES`."""
    note: str = ""
    """What a reader has to know besides."""
    low: float | None = None
    """What one in ten draws lies below, in the unit of the name."""
    high: float | None = None
    """What one in ten draws lies above."""
    shape: str = ""
    """Law of what else it may be: one of `vmbmodel.service.priors.SHAPES`."""
    why: str = ""
    """What that rests on."""
    disks: float = 0.0
    """Spread between disks, where a column is blank."""
    together: str = ""
    """What it shares its draw with."""
    kind: str = ""
    """Why it has no such law: a choice, a reading, or unused."""
    sample: tuple[float, ...] = ()
    """Draws of a fit, row by row with those of the other constants of it."""

    def __post_init__(self) -> None:
        """Hold the sample as what does not change."""
        object.__setattr__(self, "sample", tuple(self.sample))

    @property
    def prior(self) -> Prior | None:
        """Law of what else the constant may be, if it has one."""
        if not self.shape:
            return None
        law = self.low, self.high, self.shape, self.disks, self.together
        return Prior(*law, self.sample)


_MAPPINGS = ("constants", "origins", "readings", "wait_by_start")
_HALF_HOUR = re.compile(r"([01]\d|2[0-3]):(00|30)")
_MOST_TIMES = 1e3
_NUMBERS = ("low", "high", "disks", "sample")
_REQUIRED_KEYS = ("documented", "source", "locator", "retrieved", "status")


@dataclass(frozen=True)
class ConstantSet(Mapping[str, float]):
    """Constants by the name of their field, in the unit of that name.

    Examples
    --------
    >>> from vmbmodel.service import PROFILES
    >>> seed = PROFILES.load("azure-2018-12")
    >>> print(f"{seed['initial_mib_s']:.4f}", seed.origins["initial_mib_s"].documented)
    19.0735 160 Mbps
    >>> changed = seed.modified(servers=8)
    >>> changed.name, changed["servers"], changed.origins["servers"].source
    ('azure-2018-12 (modified)', 8.0, 'caller')
    """

    name: str
    """Name of the set; that of a changed copy ends in " (modified)"."""
    kind: str
    """``profile``, ``price book`` or ``table of limits``."""
    title: str
    """What the set describes, in a line."""
    as_of: datetime.date
    """Date which the set describes."""
    text: str
    """The file as it stands; a changed copy keeps it."""
    constants: Mapping[str, float]
    """The constants; read them as ``constants["blob_mib_s"]``."""
    origins: Mapping[str, Origin]
    """Where each constant comes from."""
    readings: Mapping[str, str] = field(default_factory=dict)
    """Readings that a profile asks for, by the name of their setting."""
    wait_by_start: Mapping[str, float] = field(default_factory=dict)
    """Mean wait of jobs that start in a half-hour over that of all, by ``"22:30"``."""

    def __post_init__(self) -> None:
        """Put the mappings out of the reach of a later change."""
        for name in _MAPPINGS:
            frozen = MappingProxyType(dict(getattr(self, name)))
            object.__setattr__(self, name, frozen)

    def __getitem__(self, name: str) -> float:
        """Return one constant."""
        return self.constants[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, in the order of the file."""
        return iter(self.constants)

    def __len__(self) -> int:
        """Count the constants."""
        return len(self.constants)

    def __repr__(self) -> str:
        """Say which set it is, not all it holds."""
        return f"<{self.kind} {self.name}: {len(self)} constants>"

    def __reduce__(self) -> tuple:
        """Copy and pickle as plain dicts, which a mapping proxy cannot do."""
        state = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        state |= {name: dict(state[name]) for name in _MAPPINGS}
        return type(self), tuple(state.values())

    @property
    def sha256(self) -> str:
        """Digest of the bytes of the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def modified(self, **constants: float) -> Self:
        """Return a copy with some constants changed, which says so in its name.

        Parameters
        ----------
        **constants : float
            New values, in the unit of the name.

        Returns
        -------
        ConstantSet
            Named "... (modified)"; a changed constant is ``assumed`` by the
            ``caller``. The set itself where nothing is given.

        Raises
        ------
        ValueError
            If the set has no such constant, or a value is out of the range of
            its field.
        """
        if not constants:
            return self
        values = {}
        for name, value in constants.items():
            if name not in self:
                raise ValueError(
                    f"{self.kind} {self.name} has no constant {misnamed(name, self)}"
                )
            values[name] = _number(name, value)
        origins = {
            name: Origin(str(value), "caller", "changed by the caller", None, "assumed")
            for name, value in values.items()
        }
        return self._changed(values, origins)

    def read_gb_as(self, gb_bytes: float) -> Self:
        """Return a copy that takes a printed GB or TB as binary or as decimal.

        Sizes and prices a GB are concerned; rates and writes are not, because a
        vendor's Mbps and MB/s are decimal and its KB of a write binary anyhow.

        Parameters
        ----------
        gb_bytes : float
            2**30 or 10**9.

        Returns
        -------
        ConstantSet
            Named "... (modified)" if that changes a constant.

        Raises
        ------
        ValueError
            If `gb_bytes` is neither of the two.

        Examples
        --------
        >>> from vmbmodel.service import PRICES
        >>> book = PRICES.load("azure-list-2026-01")
        >>> print(f"{book.read_gb_as(10**9)['instance_step_gib']:.2f} GiB")
        465.66 GiB
        """
        values = {
            name: _value(name, origin.documented, gb_bytes)
            for name, origin in self.origins.items()
            if origin.source != "caller"
        }
        changed = {n: value for n, value in values.items() if value != self[n]}
        return self._changed(changed, {}) if changed else self

    def _changed(
        self, values: Mapping[str, float], origins: Mapping[str, Origin]
    ) -> Self:
        return dataclasses.replace(
            self,
            name=self.name.removesuffix(_MODIFIED) + _MODIFIED,
            constants=self.constants | values,
            origins=self.origins | origins,
        )


@dataclass(frozen=True)
class Catalogue:
    """The sets of one kind that come with the package."""

    kind: str
    """What one of them is called in a message."""
    folder: str
    """Folder beside this module that holds the files."""
    required: tuple[str, ...]
    """Constants that every set of this kind has."""
    reaches_back: bool = False
    """Whether the oldest set stands for all the time before it."""

    def available(self) -> tuple[str, ...]:
        """Return the names that `load` takes, in order."""
        names = (path.name for path in self._path.iterdir())
        return tuple(
            sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml"))
        )

    @functools.cache  # noqa: B019, for a catalogue lives as long as the package
    def load(self, name: str) -> ConstantSet:
        """Return the set of a name, which is read once.

        Raises
        ------
        ValueError
            If there is no such set.
        """
        if name not in self.available():
            raise ValueError(
                f"there is no {self.kind} {misnamed(name, self.available())}"
            )
        return self.read(self._path / f"{name}.toml")

    def in_force(self, date: datetime.date) -> ConstantSet:
        """Return the newest set that is not younger than a date.

        Parameters
        ----------
        date : datetime.date
            The day to look at.

        Returns
        -------
        ConstantSet
            What is known of that day.

        Raises
        ------
        ValueError
            If the day is before the oldest set, and that does not reach back.

        Examples
        --------
        >>> from vmbmodel.service import LIMITS, PROFILES
        >>> LIMITS.in_force(datetime.date(2019, 3, 4)).name
        '2018-12'
        >>> PROFILES.in_force(datetime.date(2015, 3, 4)).name
        'azure-2018-12'
        """
        sets = sorted(map(self.load, self.available()), key=lambda one: one.as_of)
        known = [one for one in sets if one.as_of <= date]
        if not known and not self.reaches_back:
            oldest = sets[0].as_of
            raise ValueError(f"no {self.folder} are known before {oldest}; got {date}")
        return known[-1] if known else sets[0]

    def ships(self, constants: ConstantSet) -> bool:
        """Say whether a set, or what it was changed from, is one of the package."""
        name = constants.name.removesuffix(_MODIFIED)
        return name in self.available() and self.load(name).text == constants.text

    def find(self, name: str | os.PathLike[str] | ConstantSet) -> ConstantSet:
        """Return the set of a name, or the one in a file where that ends in .toml.

        A set is returned as it is.

        Raises
        ------
        ValueError
            If there is no such set, or the file breaks a rule.
        OSError
            If the file cannot be read, or the name is that of a pipe or a device.
        """
        if isinstance(name, ConstantSet):
            return name
        name = os.fspath(name)
        if name.endswith(".toml"):
            return self.read(Path(name))
        if name not in self.available() and os.path.exists(name):
            refuse_special(name)  # which has no name to give to a set
        return self.load(name)

    def read(self, path: Traversable) -> ConstantSet:
        """Return the set in a file, one of your own if you like.

        Parameters
        ----------
        path : pathlib.Path or Traversable
            The file; its name without ``.toml`` names the set.

        Raises
        ------
        ValueError
            If the file breaks a rule; names the file, each key and its rule.
        """
        own = isinstance(path, Path)
        content = read_bounded(path, LARGEST_TEXT) if own else path.read_bytes()
        return self.parse(content, path)

    def parse(self, content: bytes, path: Traversable) -> ConstantSet:
        """Return the set that a file of this content would hold.

        Raises
        ------
        ValueError
            If the content breaks a rule; names the file, each key and its rule.
        """
        try:
            text = decoded(content)
            rows = _toml.parse(text)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        about = rows.pop("about", {})
        of_profiles = self.kind == "profile"
        readings = rows.pop("readings", {}) if of_profiles else {}
        by_start = rows.pop("wait_by_start", {}) if of_profiles else {}
        problems = [
            *_about_problems(about),
            *_reading_problems(readings),
            *_start_problems(by_start),
            *(p for name, row in rows.items() for p in _row_problems(name, row)),
            *(f"{n}: is required" for n in self.required if n not in rows),
        ]
        if problems:
            raise ValueError(
                first_lines([f"{path}: {problem}" for problem in problems])
            )
        origins = {name: Origin(**row) for name, row in rows.items()}
        return ConstantSet(
            name=path.name.removesuffix(".toml"),
            kind=self.kind,
            title=about["title"],
            as_of=about["as_of"],
            text=text,
            constants={n: _value(n, o.documented) for n, o in origins.items()},
            origins=origins,
            readings=readings,
            wait_by_start=by_start,
        )

    @property
    def _path(self) -> Traversable:
        return files("vmbmodel.service") / self.folder


def set_text(
    title: str,
    as_of: datetime.date,
    origins: Mapping[str, Origin],
    currency: str | None = None,
    readings: Mapping[str, str] | None = None,
    wait_by_start: Mapping[str, float] | None = None,
) -> str:
    """Return the text of a set, as `Catalogue.read` takes it.

    Title and date are those of the table ``about``; the currency is that of its prices,
    the readings and the waits by half-hours of the start are those of a profile.
    """
    about = {"title": title, "as_of": as_of, "currency": currency}
    tables = {"about": about} | ({"readings": readings} if readings else {})
    if wait_by_start:
        quoted = {_toml.literal(start): of for start, of in wait_by_start.items()}
        tables["wait_by_start"] = quoted
    tables |= {name: _told(row) for name, row in origins.items()}
    return "\n".join(
        _toml.table(name, {k: v for k, v in row.items() if v not in ("", None)})
        for name, row in tables.items()
    )


def _told(origin: Origin) -> dict[str, object]:
    """Return what a row says, without what is as if it were not said."""
    blank = Origin(*_REQUIRED_KEYS)
    return {
        key: entry
        for key, entry in vars(origin).items()
        if key in _REQUIRED_KEYS or entry != getattr(blank, key)
    }


def _about_problems(about: object) -> Iterator[str]:
    if not isinstance(about, dict):
        yield "about: must be a table with title, as_of"
        return
    for key in sorted(about.keys() - {"title", "as_of", "currency"}):
        yield f"about: {key} is not one of title, as_of, currency"
    if about.get("currency", "USD") != "USD":
        yield (
            "about: currency must be USD, as names that end in _usd say; "
            f"got {short(about['currency'])}"
        )
    if not _is_text(about.get("title")):
        yield "about: title must be a text"
    if type(about.get("as_of")) is not datetime.date:
        yield "about: as_of must be a date"


def _reading_problems(readings: object) -> Iterator[str]:
    if not isinstance(readings, dict):
        yield "readings: must be a table of names"
        return
    known = [name for name, field in fields().items() if field.choices]
    others = [name for name in readings if name not in known]
    guessed = set(others[:MOST_LINES])  # of no more is a line shown
    for name, value in readings.items():
        if name not in known:
            said = misnamed(name, known) if name in guessed else short(name)
            yield f"readings: there is no reading {said}"
        elif value not in fields()[name].choices:
            choices = ", ".join(fields()[name].choices)
            yield f"readings: {name} must be one of {choices}; got {short(value)}"


def _start_problems(by_start: object) -> Iterator[str]:
    if not isinstance(by_start, dict):
        yield "wait_by_start: must be a table of half-hours"
        return
    for start, times in by_start.items():
        if not _HALF_HOUR.fullmatch(start):
            rule = "is no half-hour of a day, such as 22:30"
            yield f"wait_by_start: {short(start)} {rule}"
        if type(times) not in (int, float) or not 0 < times <= _MOST_TIMES:
            rule = f"a number above 0 and at most {_MOST_TIMES:g}"
            yield f"wait_by_start: {start} must be {rule}; got {short(times)}"


def _row_problems(name: str, row: object) -> Iterator[str]:
    if name not in fields():
        yield f"{name}: is not a row of fields.toml"
        return
    if not isinstance(row, dict):
        yield f"{name}: must be a table with {', '.join(_REQUIRED_KEYS)}"
        return
    for key in _REQUIRED_KEYS:
        if key not in row:
            yield f"{name}: {key} is missing"
    for key, entry in row.items():
        if key == "retrieved":
            if type(entry) is not datetime.date:
                yield f"{name}: retrieved must be a date; got {short(entry)}"
        elif key in _NUMBERS:
            continue
        elif key not in (*_REQUIRED_KEYS, "note", *PRIOR_KEYS):
            keys = ", ".join((*_REQUIRED_KEYS, "note", *PRIOR_KEYS))
            yield f"{name}: {key} is not one of {keys}"
        elif not _is_text(entry):
            yield f"{name}: {key} must be a text; got {short(entry)}"
    if _is_text(row.get("status")) and row["status"] not in STATUSES:
        yield f"{name}: status must be one of {', '.join(STATUSES)}; got " + repr(
            row["status"]
        )
    if _is_text(row.get("documented")):
        try:
            value = _value(name, row["documented"])
        except ValueError as error:
            yield f"{name}: documented {short(row['documented'])}: {error}"
        else:
            yield from prior_problems(name, row, value)


def _is_text(entry: object) -> bool:
    return isinstance(entry, str) and bool(entry.strip())


def _value(name: str, documented: str, gb_bytes: float = 2**30) -> float:
    if gb_bytes not in (2**30, 10**9):
        raise ValueError(f"gb_bytes must be {2**30} or {10**9}; got {gb_bytes!r}")
    parts = _QUANTITY.findall(documented)
    if not parts or _QUANTITY.sub("", documented).strip():
        raise ValueError("must be a number and its unit, or several of them")
    units = ["USD" if dollar else unit.strip() for dollar, _, unit in parts]
    if not all(units) and (len(parts) > 1 or unit_of(name) != "-"):
        raise ValueError("must be a number and its unit, or several of them")
    kibi = 1 if gb_bytes == 2**30 else 1000 / 1024
    total = 0.0
    for (_, number, _), unit in zip(parts, units, strict=True):
        amount = float(number.replace(",", ""))
        in_unit = convert(amount, unit, to=unit_of(name)) if unit else amount
        total += in_unit * kibi ** _GB_POWER.get(unit, 0)
    return _number(name, total)


def _number(name: str, value: float) -> float:
    field = fields()[name]
    if field.kind != "number":
        raise ValueError(f"{name} is no number")
    field.check(value)
    return float(value)
