"""The settings of an estimate: three sets of constants, and what was changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vmbmodel.service import limits as limits_of
from vmbmodel.service import prices as prices_of
from vmbmodel.service import profile as profile_of
from vmbmodel.service.constants import ConstantSet, nearest
from vmbmodel.units import Field, fields

__all__ = ["DEFAULT_PRICES", "DEFAULT_PROFILE", "Scenario", "parse_setting"]

DEFAULT_PROFILE = "azure-2026-01"
DEFAULT_PRICES = "azure-list-2026-01"

_OPTIONS = {
    "gb_bytes": 2.0**30,
    "incremental_reading": "changed",
    "restore_first": True,
    "snapshot_policy": "standard",
    "utilisation_frac": None,  # derived from peak_wait_h and peak_wait_prob
}
_COLUMNS = {name: f.default for name, f in fields().items() if f.default is not None}
_COLUMNS["churn_gib_per_day"] = None  # churn_frac of the used size


@dataclass(frozen=True)
class Scenario:
    """A profile, a price book, a table of limits and what the caller changed.

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

    @classmethod
    def of(
        cls,
        profile: str = DEFAULT_PROFILE,
        prices: str = DEFAULT_PRICES,
        limits: str | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> "Scenario":
        """Load the named sets and apply settings to them.

        Parameters
        ----------
        profile : str
            Name of the profile.
        prices : str
            Name of the price book, or the path of a file that ends in .toml.
        limits : str, optional
            Name of the limits; those in force at the date of the profile if
            not given.
        settings : Mapping[str, object], optional
            Values by name: any constant of the sets, any reading, and the value
            that a blank cell of an inventory column is taken as.

        Raises
        ------
        ValueError
            If a set or a setting is unknown, or a value not allowed.
        """
        settings = dict(settings or {})
        sets = {
            "profile": profile_of.load(profile),
            "prices": prices_of.PRICES.find(prices),
        }
        sets["limits"] = (
            limits_of.load(limits)
            if limits
            else limits_of.in_force(sets["profile"].as_of)
        )
        options = _OPTIONS | _COLUMNS
        known = sorted({*options, *(name for s in sets.values() for name in s)})
        unknown = [nearest(name, known) for name in settings if name not in known]
        if unknown:
            raise ValueError("\n".join(f"there is no setting {n}" for n in unknown))
        gb_bytes = settings.get("gb_bytes", options["gb_bytes"])
        for kind, constants in sets.items():
            changes = {n: v for n, v in settings.items() if n in constants}
            sets[kind] = constants.read_gb_as(gb_bytes).modified(**changes)
        for name, value in settings.items():
            if name in options:
                options[name] = _allowed(fields()[name], value)
        return cls(
            **sets,
            options=MappingProxyType(options),
            given=MappingProxyType(settings),
        )

    def __getitem__(self, name: str) -> object:
        """Return a constant or an option by its name."""
        for constants in (self.profile, self.prices, self.limits):
            if name in constants:
                return constants[name]
        return self.options[name]

    def sets(self) -> Iterator[tuple[str, ConstantSet]]:
        """Iterate over the three sets of constants, each with what it is."""
        yield "profile", self.profile
        yield "prices", self.prices
        yield "limits", self.limits


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
        raise ValueError(f"there is no setting {nearest(name, fields())}")
    field = fields()[name]
    if field.kind == "number":
        try:
            return _allowed(field, float(text))
        except ValueError:
            pass
        raise ValueError(f"{name} must be {_rule(field)}; got {text!r}")
    if field.kind == "flag":
        flags = {"true": True, "yes": True, "1": True}
        flags |= {"false": False, "no": False, "0": False}
        if text.lower() not in flags:
            raise ValueError(f"{name} must be true or false; got {text!r}")
        return flags[text.lower()]
    return _allowed(field, text)


def _allowed(field: Field, value: object) -> object:
    if field.kind == "number":
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or value not in field.range or (field.whole and value % 1):
            raise ValueError(f"{field.name} must be {_rule(field)}; got {value!r}")
    elif field.kind == "flag":
        if not isinstance(value, bool):
            raise ValueError(f"{field.name} must be true or false; got {value!r}")
    elif not isinstance(value, str):
        raise ValueError(f"{field.name} must be a name; got {value!r}")
    elif field.choices and value not in field.choices:
        raise ValueError(f"{field.name} cannot be {nearest(value, field.choices)}")
    return value


def _rule(field: Field) -> str:
    return f"a {'whole ' if field.whole else ''}number {field.range.rule}"
