"""The settings of an estimate: three sets of constants, and what was changed."""

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType

from vmbmodel._words import first_lines, short
from vmbmodel.fields import Field, defaults, fields, misnamed
from vmbmodel.inventory.files import MANY
from vmbmodel.service import LIMITS, PRICES, PROFILES, ConstantSet

__all__ = [
    "CATALOGUES",
    "DEFAULT_PRICES",
    "DEFAULT_PROFILE",
    "DERIVED",
    "Scenario",
    "parse_setting",
]

_INTERVAL = (
    "interval_h, the hours between two backups: a VM backed up every 4 hours has "
    "interval_h=4, snapshot_policy=enhanced, snapshot_points=7"
)
_SAID_AS = MappingProxyType(
    dict.fromkeys(("backups_per_day", "backups_a_day", "backup_interval_h"), _INTERVAL)
    | {
        "rpo_h": _INTERVAL,
        "retention_days": "recovery_points, the days for which daily points are kept",
        "daily_retention": "recovery_points, the days for which daily points are kept",
        "growth": "yearly_growth_frac",
    }
)
"""What else a setting may be looked for as, and how it is said."""

CATALOGUES = MappingProxyType({"profile": PROFILES, "prices": PRICES, "limits": LIMITS})
"""Where the sets of a scenario are to be had, by what they are in it."""

DEFAULT_PROFILE = "azure-2026-01"
DEFAULT_PRICES = "azure-list-2026-01"

_OPTIONS = {
    "application_frac": 0.0,
    "archive": False,
    "deadline_clock": "scheduled",
    "eight_hours": "published",
    "fresh_frac": 0.0,
    "gb_bytes": 2.0**30,
    "incremental_reading": "changed",
    "instance_discount_frac": 0.0,
    "line_reading": "own-first",
    "month_day": 0,
    "monthly_points": 0,
    "reserved_gib": 0.0,
    "reserved_redundancy": "GRS",
    "restore_application_frac": 0.0,
    "restore_as": "new-vm",
    "restore_first": True,
    "restore_law": "published",
    "restored_reading": "used",
    "rewritten_frac": 0.0,  # no more than by chance
    "snapshot_discount_frac": 0.0,
    "snapshot_policy": "standard",
    "snapshot_scv": 0.0,
    "start_slack_reading": "uniform",
    "storage_discount_frac": 0.0,
    "stored_reading": "upper",
    "tier_reading": "snapshot",
    "transfer_family": "lognormal",
    "transfer_scv": 0.0,
    "weekly_points": 0,
    "yearly_growth_frac": 0.0,
    "yearly_points": 0,
}
DERIVED = MappingProxyType(
    {
        # practices that not every source has, and a caller may keep all the same
        "account_disks": "the profile's, or no limit",
        "churn_gib_per_day": "churn_frac of the used size",
        "policy_vms": "that of the profile or the limits, or no limit",
        "restore_accounts": "one for each VM",
        "utilisation_frac": "derived from peak_wait_h, as eight_hours says",
        "vault_vms": "the profile's, or no limit",
        "window_h": "all day",
        "yearly_churn_growth_frac": "that of the data, yearly_growth_frac",
    }
)
"""Settings without a default, and what they are if nobody sets them."""

_COLUMNS = defaults()


@dataclass(frozen=True)
class Scenario:
    """A profile, a price book, a table of limits and what the caller changed.

    Read a value as ``scenario["servers"]``, from whichever it is; `unused` then
    knows what nobody asked for.

    Parameters
    ----------
    profile, prices, limits : ConstantSet
        The sets, with the caller's changes in them.
    options : Mapping[str, object]
        Readings, and what a blank cell of the inventory is taken as.
    given : Mapping[str, object]
        What the caller set, by name.

    Examples
    --------
    >>> scenario = Scenario.of(settings={"servers": 20, "start_h": 22})
    >>> scenario["servers"], scenario["start_h"], scenario.profile.name
    (20.0, 22, 'azure-2026-01 (modified)')
    """

    profile: ConstantSet
    prices: ConstantSet
    limits: ConstantSet
    options: Mapping[str, object]
    given: Mapping[str, object]
    _asked: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    taken: Mapping[str, object] = field(init=False, repr=False, compare=False)
    """All of them by name: what is taken, whichever set or setting it is from."""

    def __post_init__(self) -> None:
        """Put all values together, a constant before an option of its name."""
        sets = (self.limits, self.prices, self.profile)
        values = dict(self.options)
        for constants in sets:
            values |= constants.constants
        if values["eight_hours"] == "own" and "vault_servers" not in self.given:
            values["vault_servers"] = values["own_vault_servers"]
        object.__setattr__(self, "taken", MappingProxyType(values))

    @classmethod
    def or_default(cls, scenario: "Scenario | None") -> "Scenario":
        """Return a scenario, or that of the defaults where there is none.

        Raises
        ------
        TypeError
            If it is anything else, such as the name of a profile.

        Examples
        --------
        >>> Scenario.or_default(None).profile.name
        'azure-2026-01'
        >>> Scenario.or_default("azure")
        Traceback (most recent call last):
        TypeError: scenario must be a Scenario, as Scenario.of makes it; got 'azure'
        """
        if scenario is None:
            return cls.of()
        if not isinstance(scenario, cls):
            rule = "scenario must be a Scenario, as Scenario.of makes it"
            raise TypeError(f"{rule}; got {short(scenario)}")
        return scenario

    @classmethod
    def of(
        cls,
        profile: str | ConstantSet = DEFAULT_PROFILE,
        prices: str | ConstantSet = DEFAULT_PRICES,
        limits: str | ConstantSet | None = None,
        settings: Mapping[str, object] | None = None,
        places: Mapping[str, str] | None = None,
    ) -> "Scenario":
        """Load the named sets and apply settings to them.

        Parameters
        ----------
        profile, prices : str or ConstantSet
            Name of the profile and of the price book, or the path of a file that
            ends in .toml.
        limits : str or ConstantSet, optional
            Name of the limits, or such a path; those in force at the date of the
            profile if not given.
        settings : Mapping[str, object], optional
            Values by name: any constant of the sets, any reading, and the value
            that a blank cell of an inventory column is taken as.
        places : Mapping[str, str], optional
            Where a setting or the name of a set was written, for messages, such as
            ``{"servers": "scenario.toml:4"}``.

        Raises
        ------
        ValueError
            If a set or a setting is unknown, or a value not allowed. Names all of
            them.
        """
        settings, places, problems = dict(settings or {}), places or {}, []

        def tried(name: str, do: Callable, *arguments: object) -> object:
            try:
                return do(*arguments)
            except ValueError as error:
                where = f"{places[name]}: " if name in places else ""
                problems.append(f"{where}{error}")

        sets = {
            kind: tried(kind, CATALOGUES[kind].find, name)
            for kind, name in (
                ("profile", profile),
                ("prices", prices),
                ("limits", limits),
            )
            if name is not None
        }
        if limits is None and sets["profile"] is not None:
            day = sets["profile"].as_of
            sets["limits"] = tried("profile", LIMITS.in_force, day)
        options = _OPTIONS | _COLUMNS | dict.fromkeys(DERIVED)
        known = {*options, *(name for s in sets.values() for name in s or ())}
        if None in sets.values():  # its constants are not to be had
            known |= fields().keys()
        for name, value in settings.items():
            tried(name, _setting, name, value, known)
            if len(problems) > MANY:
                break
        if not problems:
            gb_bytes = settings.get("gb_bytes", options["gb_bytes"])
            tried("gb_bytes", sets["profile"].read_gb_as, gb_bytes)
        if problems:
            raise ValueError(first_lines(problems, whole=len(problems) <= MANY))
        for kind, constants in sets.items():
            changes = {n: v for n, v in settings.items() if n in constants}
            sets[kind] = constants.read_gb_as(gb_bytes).modified(**changes)
        asked = {**sets["profile"].readings, **settings}
        options |= {n: v for n, v in asked.items() if n in options}
        for name in options.keys() & {name for s in sets.values() for name in s}:
            del options[name]  # a practice that this profile has
        return cls(
            **sets,
            options=MappingProxyType(options),
            given=MappingProxyType(settings),
        )

    def changed(self, settings: Mapping[str, object]) -> "Scenario":
        """Return a scenario with more settings, which go before those it has.

        Raises
        ------
        ValueError
            As `of`.

        Examples
        --------
        >>> scenario = Scenario.of(settings={"servers": 20})
        >>> scenario.changed({"churn_frac": 0.02}).given
        mappingproxy({'servers': 20, 'churn_frac': 0.02})
        """
        return Scenario.of(**dict(self.sets()), settings={**self.given, **settings})

    def drawn(self, values: Mapping[str, object]) -> "Scenario":
        """Return a scenario that takes other values, which may be arrays of draws."""
        other = replace(self)
        taken = MappingProxyType({**self.taken, **values})
        object.__setattr__(other, "taken", taken)
        return other

    @property
    def asked(self) -> frozenset[str]:
        """What of it was asked for so far."""
        return frozenset(self._asked)

    def __getitem__(self, name: str) -> object:
        """Return a constant or an option by its name."""
        self._asked.add(name)
        return self.taken[name]

    def arguments(self, step: Callable) -> dict[str, object]:
        """Return the settings that a step takes, by the names of its keywords.

        Examples
        --------
        >>> def step(used_gib, *, churn_frac, deadline_h): ...
        >>> Scenario.of().arguments(step)
        {'churn_frac': 0.05, 'deadline_h': 24.0}
        """
        return {name: self[name] for name in _keywords(step)}

    def __contains__(self, name: object) -> bool:
        """Say whether there is such a constant or option."""
        return name in self.taken

    def sets(self) -> Iterator[tuple[str, ConstantSet]]:
        """Iterate over the three sets of constants, each with what it is."""
        yield "profile", self.profile
        yield "prices", self.prices
        yield "limits", self.limits

    def unused(self) -> list[str]:
        """Return what the caller set and nobody has asked for yet, prices aside."""
        asked = self._asked | self.prices.keys()
        return [name for name in self.given if name not in asked]


@cache
def _keywords(step: Callable) -> tuple[str, ...]:
    parameters = inspect.signature(step).parameters.values()
    return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)


def parse_setting(name: str, text: str) -> object:
    """Read the value of a setting from the text of a command line.

    Raises
    ------
    ValueError
        If the name is unknown, or the text is no value of its kind.

    Examples
    --------
    >>> parse_setting("servers", "20"), parse_setting("managed", "no")
    (20.0, False)
    """
    if name not in fields():
        raise ValueError(f"there is no setting {_misnamed(name, fields())}")
    field = fields()[name]
    try:
        return field.parse(text)
    except ValueError:
        raise ValueError(_refusal(field, text)) from None


def _misnamed(name: str, known: Iterable[str]) -> str:
    """Quote an unknown setting, with what is said instead, or else the most like it."""
    if name.lower() in _SAID_AS:
        return f"{short(name)}; say {_SAID_AS[name.lower()]}"
    return misnamed(name, known)


def _setting(name: str, value: object, known: Collection[str]) -> object:
    if name not in known:
        raise ValueError(f"there is no setting {_misnamed(name, sorted(known))}")
    return _allowed(fields()[name], value)


def _allowed(field: Field, value: object) -> object:
    try:
        field.check(value)
    except ValueError:
        raise ValueError(_refusal(field, value)) from None
    return value


def _refusal(field: Field, value: object) -> str:
    """Say what a setting must be, which its author may not know."""
    if field.kind == "choice" and isinstance(value, str):
        return f"{field.name} cannot be {misnamed(value, field.choices)}"
    number = f"a {'whole ' if field.whole else ''}number"
    rule = {
        "number": f"{number} {field.range.rule}" if field.range else "",
        "flag": "true or false",
    }.get(field.kind, "a name")
    return f"{field.name} must be {rule}; got {short(value)}"
