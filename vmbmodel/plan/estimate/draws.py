r"""Draws of what nobody has measured, as one more axis of settings and columns.

A constant with a law is drawn from it, with the constant itself as the median, unless
the caller set it; a reading is drawn with the weight of its alternative; and a blank
cell has a level, common to all blank cells of its column, and a deviation of its disk.
Draws are a Latin hypercube, one row of it a name, so that a name more moves no other.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, ndtri

from vmbmodel.fields import fields
from vmbmodel.plan.scenario import Scenario, parse_setting
from vmbmodel.service import Prior, Reading, readings

__all__ = ["Draws", "at_score", "prior_draws"]

_OF_BLANKS = {
    "churn_gib_per_day": "churn_frac",
    "dispersion": "dispersion",
    "write_kib": "write_kib",
    "active_frac": "active_frac",
}
"""Columns of an inventory whose blank cells are drawn, and the constants of each."""

_OF_A_FIT = "sample"
"""What the rows of the sample of a fit are drawn by."""
_HALF_80 = 1.2815515655446004
"""Standard deviations on either side of the median that hold 8 of 10."""
_CUT = 2.6
"""Standard deviations beyond which nothing is drawn."""
_LEVELS = 16
"""Values that a constant in whole numbers is drawn from, so that lines are alike."""
_SHAPES = {
    "lognormal": (np.log, np.exp),
    "logit": (logit, expit),
    "normal": (np.asarray, np.asarray),
}
_DAY_H = 24
_FULL = 0.985
"""Part of what a day can do that other customers ask for at most."""


def at_score(
    prior: Prior, median: float, score: ArrayLike, disk_score: ArrayLike = 0.0
) -> np.ndarray:
    """Return a constant at standard normal scores: of its level, and of each disk.

    Each side of the median has its own spread.

    Examples
    --------
    >>> churn = Prior(0.02, 0.08, "lognormal")
    >>> print(at_score(churn, 0.05, [-1.2816, 0, 1.2816]).round(3))
    [0.02 0.05 0.08]
    """
    score = np.clip(score, -_CUT, _CUT)
    if prior.shape == "uniform":
        return prior.low + (prior.high - prior.low) * ndtr(score)
    there, back = _SHAPES[prior.shape]
    low, middle, high = there(np.array([prior.low, median, prior.high]))
    side = np.where(score < 0, middle - low, high - middle) / _HALF_80
    return back(middle + side * score + prior.disks * np.asarray(disk_score))


def prior_draws(
    scenario: Scenario, names: Sequence[str], count: int, seed: int = 1
) -> dict[str, np.ndarray]:
    """Draw some constants, and nothing else, as an interval does: a number for each.

    Raises
    ------
    ValueError
        If a name is no constant with a law, or the caller has set it.

    Examples
    --------
    >>> draws = prior_draws(Scenario.of(), ["snapshot_h"], 64)["snapshot_h"]
    >>> print(draws.size, np.quantile(draws, [0.1, 0.5, 0.9]).round(1))
    64 [0.1 0.3 0.5]
    """
    laws = {
        name: origin.prior
        for _, constants in scenario.sets()
        for name, origin in constants.origins.items()
        if origin.prior
    }
    drawn = {}
    for name in names:
        if name in scenario.given:
            raise ValueError(f"{name} is set, which leaves nothing to draw")
        if name not in laws:
            raise ValueError(f"{name} has no prior to draw from")
        prior, taken = laws[name], scenario.taken[name]
        key = _OF_A_FIT if prior.sample else prior.together or name
        figures = _at_chance(name, prior, taken, _chances(key, count, seed))
        drawn[name] = _possible(name, figures)
    _clear(drawn, scenario)
    return drawn


@dataclass(frozen=True)
class Draws:
    """A scenario drawn many times over."""

    base: Scenario
    scenario: Scenario  #: the same, with an axis of draws where a setting is drawn
    chances: Mapping[str, np.ndarray]
    """What was drawn, from 0 to 1, by the name of the constant, of what several share,
    or of a reading, after ``reading.``; a number for each draw."""
    moves: Mapping[str, frozenset[str]]  #: settings that each of these moves
    seed: int
    capped: int
    """Draws whose load was lowered, for no night of theirs would have cleared."""

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        count: int = 512,
        seed: int = 1,
        chances: Mapping[str, np.ndarray] | None = None,
    ) -> "Draws":
        """Draw every setting of a scenario that the caller has not set.

        With `chances` they are those given by name, from 0 to 1.

        Examples
        --------
        >>> draws = Draws.of(Scenario.of(settings={"churn_frac": 0.03}), 64)
        >>> draws.scenario["snapshot_h"].shape, draws.scenario["churn_frac"]
        ((64, 1), 0.03)
        """
        told, chances, values, moves = chances or {}, {}, {}, {}

        def drawn(name: str) -> np.ndarray:
            return told[name] if name in told else _chances(name, count, seed)

        for reading in readings():
            told_already = any(n in scenario.given for n in reading.settings)
            if not reading.weight or told_already or _settled(reading, scenario):
                continue
            name = f"reading.{reading.id}"
            chances[name] = drawn(name)
            other = scenario.changed(
                {n: parse_setting(n, text) for n, text in reading.settings.items()}
            )
            read_so = (chances[name] < reading.weight)[:, np.newaxis]
            others = {
                key: value
                for key, value in other.taken.items()
                if value != scenario.taken[key]
            }
            moves[name] = frozenset(others)
            for key, value in others.items():
                before = values.get(key, scenario.taken[key])
                values[key] = np.where(read_so, value, before)
        for _, constants in scenario.sets():
            for name, origin in constants.origins.items():
                prior, taken = origin.prior, scenario.taken[name]
                if prior is None or name in scenario.given:
                    continue
                key = prior.together or name
                moves[key] = moves.get(key, frozenset()) | {name}
                if prior.sample:
                    figures = _at_chance(name, prior, taken, drawn(_OF_A_FIT))
                    place = np.argsort(np.argsort(figures, kind="stable"))
                    chances[key] = (place + 0.5) / len(place)
                else:
                    if key not in chances:
                        chances[key] = drawn(key)
                    figures = _at_chance(name, prior, taken, chances[key])
                figures = figures[:, np.newaxis]
                scale = values.get(name, taken) / taken if taken else 1.0
                values[name] = _possible(name, figures * scale)
        capped = _clear(values, scenario)
        return cls(scenario, scenario.drawn(values), chances, moves, seed, capped)

    @property
    def count(self) -> int:
        """How many draws there are."""
        return len(next(iter(self.chances.values()), ()))

    def columns(
        self, fleet: pd.DataFrame, disks: pd.DataFrame
    ) -> dict[str, np.ndarray]:
        """Return the columns of disks that are drawn: blank cells, and what a GB is.

        `disks` are rows of the inventory, filled, whose index says which; a figure that
        is given keeps to what it is in every draw.
        """
        columns = {}
        scale = self.scenario["gb_bytes"] / self.base["gb_bytes"]
        for name in ("size_gib", "used_gib", "churn_gib_per_day"):
            columns[name] = disks[name].to_numpy() * scale
        for name, constant in _OF_BLANKS.items():
            blank = _blank(fleet, disks, name)
            if not self._unsettled(name, blank):
                continue
            drawn = self._of_disks(constant, disks[blank])
            if name != constant:
                drawn = drawn * columns["used_gib"][..., blank]
            if not blank.all():
                given = columns.get(name, disks[name].to_numpy())
                every = np.broadcast_to(given, (self.count, len(disks))).copy()
                every[:, blank] = drawn
                drawn = every
            columns[name] = drawn
        return {name: c for name, c in columns.items() if c.ndim > 1}

    def blank_constants(self, fleet: pd.DataFrame, disks: pd.DataFrame) -> set[str]:
        """Return the constants that some blank cell of the disks is drawn from."""
        return {
            constant
            for name, constant in _OF_BLANKS.items()
            if self._unsettled(name, _blank(fleet, disks, name))
        }

    def _unsettled(self, name: str, blank: np.ndarray) -> bool:
        constant = _OF_BLANKS[name]
        told = name in self.base.given or constant in self.base.given
        return bool(blank.any()) and not told and constant in self.chances

    def _of_disks(self, name: str, disks: pd.DataFrame) -> np.ndarray:
        """Return what a constant is of each disk, a row a draw."""
        prior = self.base.profile.origins[name].prior
        score, deviation = _score(self.chances[name], name)[:, np.newaxis], 0.0
        if prior.disks:
            deviation = _deviations(name, disks, self.count, self.seed)
        return _possible(name, at_score(prior, self.base[name], score, deviation))


def _clear(values: dict[str, np.ndarray], scenario: Scenario) -> int:
    """Lower the load of draws whose day brings more work than it can do.

    Returns how many there are: none but where waits come of a peak and the rest.
    """
    steady = scenario["utilisation_frac"] is not None
    if steady or scenario["eight_hours"] != "overload":
        return 0
    names = ("peak_h", "peak_wait_h", "offpeak_utilisation_frac")
    peak_h, wait_h, calm = (values.get(n, scenario.taken[n]) for n in names)
    left_h = _FULL * _DAY_H - peak_h
    most_h = np.minimum(wait_h, np.maximum(left_h, 0))
    calm_h = np.maximum(_DAY_H - peak_h, 1e-9)
    most = np.minimum(calm, np.maximum(left_h - most_h, 0) / calm_h)
    capped = np.zeros(np.shape(calm + wait_h * peak_h), dtype=bool)
    for name, value, least in ((names[1], wait_h, most_h), (names[2], calm, most)):
        if name in values:
            capped, values[name] = capped | (least < value), least
    return int(capped.sum())


def _blank(fleet: pd.DataFrame, disks: pd.DataFrame, name: str) -> np.ndarray:
    """Say of each disk whether its cell of a column, which is its own, is blank."""
    return fleet[name].isna().to_numpy()[disks.index]


def _settled(reading: Reading, scenario: Scenario) -> bool:
    """Say whether a constant was measured, or set, that settles a reading."""
    name = reading.settled_by
    if not name:
        return False
    measured = scenario.profile.origins[name].status == "measured"
    return measured or name in scenario.given


def _chances(name: str, count: int, seed: int) -> np.ndarray:
    """Draw one number in each equal part of 0 to 1, in an order of the name's own."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return (rng.permutation(count) + rng.random(count)) / count


def _at_chance(name: str, prior: Prior, taken: float, chance: np.ndarray) -> np.ndarray:
    """Return a constant at chances from 0 to 1; of a fit, its rows that stand there."""
    if prior.sample:
        sample = np.array(prior.sample)
        return sample[(chance * len(sample)).astype(int)]
    return at_score(prior, taken, _score(chance, name))


def _score(chance: np.ndarray, name: str) -> np.ndarray:
    if fields()[name].whole:
        chance = (np.floor(chance * _LEVELS) + 0.5) / _LEVELS
    return ndtri(chance)


def _possible(name: str, values: np.ndarray) -> np.ndarray:
    """Return values as the field can have them: whole, an hour of a day, in range."""
    field = fields()[name]
    if field.whole:
        values = np.round(values)
    if field.range.high == _DAY_H and not field.range.high_in:
        values = values % _DAY_H
    return np.clip(values, *field.range.ends)


def _deviations(name: str, disks: pd.DataFrame, count: int, seed: int) -> np.ndarray:
    """Return a standard normal number for each draw and disk.

    It depends on their names alone, so that a VM more or less moves no other.
    """
    # one by one, for a column of pandas 2 loses a NUL that is added to it
    pairs = zip(disks["vm"], disks["disk"], strict=True)
    keys = np.array([f"{vm}\0{disk}\0{name}" for vm, disk in pairs], dtype=object)
    of_disk = pd.util.hash_array(keys, categorize=False)
    of_draw = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = of_disk + (of_draw + np.uint64(seed))[:, np.newaxis]
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)  # splitmix64
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    chance = ((mixed >> np.uint64(11)) + 0.5) / 2.0**53
    return np.clip(ndtri(chance), -_CUT, _CUT)
