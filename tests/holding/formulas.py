"""Every formula, at points of its ranges and at their edges."""

import importlib
import inspect
import itertools
import math
import pkgutil
import random

import numpy as np

from vmbmodel import formulas
from vmbmodel._arrays import Formula
from vmbmodel.fields import fields

from .cases import answered, case

FIELDS = fields()
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23)
_MIXED = 16
_ALONG = 6
_LARGE = 5.0
_FEWER = {"jobs": 20, "vault_servers": 4}  # what takes long where there are many


def families():
    """Return every formula, in the order of the modules."""
    for module in pkgutil.iter_modules(formulas.__path__):
        if not module.name.startswith("_"):
            family = importlib.import_module(f"vmbmodel.formulas.{module.name}")
            for name in family.__all__:
                if isinstance(getattr(family, name), Formula):
                    yield getattr(family, name)


def spread(number, base):
    """Return a point of the van der Corput sequence."""
    result, part = 0.0, 1.0
    while number:
        number, digit = divmod(number, base)
        part /= base
        result += digit * part
    return result


def typical(field):
    """Return what is typical, in the size that a test has time for."""
    return _FEWER.get(field.name, field.typical)


def edges(field):
    """Return values at both ends of a field's range, and near what is typical."""
    low, high = field.range.low, field.range.high
    values = [low, typical(field) / 4] if field.range.low_in else [typical(field) / 4]
    values += (
        [typical(field) * 4, high] if field.range.high_in else [typical(field) * 4]
    )
    values += [0.0, 1.0]
    values = [value for value in values if math.isfinite(value)]
    return list(dict.fromkeys(fitting(field, v) for v in values))


def fitting(field, value):
    """Bring a number into the range of its field."""
    value = float(np.ceil(value)) if field.whole else float(value)
    low, high = field.range.low, field.range.high
    if value <= low:
        return low if field.range.low_in else field.typical / 4
    if value >= high:
        return high if field.range.high_in else (low + high) / 2
    return value


def between(field, share):
    """Return a value of a field's range, by its share of it."""
    low, high = field.range.low, field.range.high
    if math.isfinite(low) and math.isfinite(high) and high - low <= 1:
        return fitting(field, low + (high - low) * share)
    return fitting(field, typical(field) * _LARGE ** (2 * share - 1))


def points(formula):
    """Return arguments to try a formula with."""
    names = list(inspect.signature(formula).parameters)
    usual = {name: typical(FIELDS[name]) for name in names}
    numbers = [name for name in names if FIELDS[name].kind == "number"]
    others = [name for name in names if name not in numbers]
    choices = [FIELDS[n].choices or (False, True) for n in others]
    found = [dict(usual)]
    for name in numbers:
        found += [usual | {name: value} for value in edges(FIELDS[name])]
    many = _ALONG if formula.along else _MIXED
    many = max(many // math.prod(map(len, choices)), 4)
    for position, chosen in enumerate(itertools.product(*choices)):
        for number in range(1, many + 1):
            mixed = {
                name: between(FIELDS[name], spread(number + 3 * position, base))
                for name, base in zip(numbers, _PRIMES, strict=False)
            }
            found.append(usual | mixed | dict(zip(others, chosen, strict=True)))
    for number, values in enumerate(found):
        for name in formula.over:
            steps = np.array([(1.0, 3.0, 2.0), (0.5, 0.5, 4.0)][number % 2])
            values[name] = _within(FIELDS[name], values[name] * steps)
    return found


def _within(field, values):
    return np.array([fitting(field, value) for value in values])


def of_formula(formula):
    """Return what a formula gives at all its points."""

    def give():
        return [answered(formula, **values) for values in points(formula)]

    return give


for _formula in families():
    case(f"formulas/{_formula.__name__}")(of_formula(_formula))


# where closed forms and expansions take over, and cells that differ
LARGE = {
    "jam_mean_wait_h": {"jobs": [240, 3000, 2e5], "vault_servers": [1, 3, 700]},
    "jam_wait_h": {"position": [240, 3000, 2e5], "vault_servers": [1, 3, 700]},
    "jam_wait_quantile_h": {
        "position": [450, 1.05e5, 2e5],
        "vault_servers": [2, 900, 7],
    },
    "jam_makespan_h": {"jobs": [230, 3000, 9e4], "vault_servers": [1, 3, 40]},
    "jam_makespan_quantile_h": {"jobs": [230, 3000, 9e4], "vault_servers": [1, 3, 40]},
    "wait_prob": {"servers": [2e5, 1e6, 30], "arrivals_per_h": [1.98e5, 9.95e5, 29]},
    "mean_wait_h": {"servers": [1, 400, 3], "arrivals_per_h": [0.4, 380, 2.9]},
    "wait_scv": {"servers": [1, 400, 3], "arrivals_per_h": [0.4, 380, 2.9]},
    "wait_quantile_h": {"servers": [1, 400, 3], "arrivals_per_h": [0.4, 380, 2.9]},
    "utilisation_for_wait_frac": {"servers": [1, 40, 3]},
    "slots_overrun_h": {"slot_interval_h": [1.1, 1.3, 2.0]},
}


def of_large(name):
    """Return what a formula gives of many jobs or movers, of each law and variation."""

    def give():
        formula, found = getattr(formulas, name), []
        usual = {n: typical(FIELDS[n]) for n in inspect.signature(formula).parameters}
        usual |= {n: np.array(values) for n, values in LARGE[name].items()}
        for family in FIELDS["family"].choices:
            for scv in ([1.0, 2.5, 1.7], [1.7, 1.0, 300.0], [0.0, 0.3, 0.9]):
                of = {"service_scv": np.array(scv), "family": family, "service_h": 1.0}
                found.append(answered(formula, **usual | of))
        return found

    return give


_DAYS_OF_MANY = {"utilisation_frac": [[1.6] * 6 + [0.3] * 18, [0.4] * 23 + [0.9]]}
_DAYS_OF_MANY |= {"pulse_h": 0.1, "servers": [60, 400], "service_h": [0.7, 3.0]}
_LATE = {"constant_h": 0.5, "decay_per_h": 0.7, "transfer_h": [2, 0, 2]}
_LATE |= {"wait_prob": [0.4, 0.4, 0], "start_slack_h": [0, 1, 0]}
_ALL_BUT_FULL = {"utilisation_frac": [1.3] * 12 + [0.699] * 12, "pulse_h": 0.0}
_ALL_BUT_FULL |= {"servers": 60.0, "service_h": 3.0}
# edges that two arguments have only together
_TWO_DAYS = {"utilisation_frac": [[1.8] * 5 + [0.4] * 19, [0.2] * 12 + [1.3] * 12]}
_TWO_DAYS |= {"pulse_h": [[0.0] * 23 + [1.5], [0.1] * 24], "service_h": [0.4, 2.0]}
_BLOCKS = {"cell_kib": [8, 8, 64], "block_kib": [8, 12, 8]}
_FLUID = {"slots": [2, 1, 2, 3], "slot_jobs": [5.2e5, 2e6, 9e5, 4e5]}
_FLUID |= {"slot_interval_h": [1, 2, 3, 500], "vault_servers": [9e4, 7e4, 2e4, 1e3]}
_ROWS = {"arrival_h": [[0.0, 0.3, 5.0], [1.0, 1.1, 1.2]], "vault_servers": [1, 2]}
_CAPPED = {"size_gib": [[9.0, 50.0, 3.0], [8.0, 8.0, 0.0]], "capacity_mib_s": [40, 9]}
ALSO = {
    "block_extents_frac": [
        {"cells_per_block": [1.0, 1.5, 2.5], "dispersion": d} for d in (0.1, 1)
    ],
    "changed_blocks_frac": [{"cells_per_block": [1.0, 1.5, 2.5], "dispersion": 0.3}],
    "line_wait_h": [_ROWS | {"service_h": [[0.5, 2.0, 1.0], [1.0, 0.1, 3.0]]}],
    "equal_line_wait_h": [_ROWS | {"service_h": [0.7, 2.0]}],
    "completion_h": [_CAPPED | {"cap_mib_s": [[9.0, 20.0, 30.0], [5.0, 3.0, 9.0]]}],
    "completion_equal_caps_h": [_CAPPED | {"cap_mib_s": [15.0, 5.0]}],
    "event_frac": [
        {"event_h": [[5.0, 30.0, 800.0], [0.0, 0.5, 9.0]], "month_end_h": [720, 1]}
    ],
    "incremental_h": [_BLOCKS | {"dispersion": d} for d in (0, 0.2, 1)],
    "largest_dispersion": [_BLOCKS | {"deadline_h": h} for h in (0.1, 0.5, 3)],
    "largest_churn_gib": [_BLOCKS | {"deadline_h": h} for h in (0.1, 0.5, 3)],
    "fluid_wait_h": [{n: _TWO_DAYS[n] for n in ("utilisation_frac", "pulse_h")}],
    "movers_fluid_wait_h": [_TWO_DAYS],
    "jam_makespan_quantile_h": [
        {"prob": [0.1, 0.6, 0.99], "jobs": [2, 9, 3], "vault_servers": 9}
        | {"service_scv": scv, "family": family}
        for scv in (0.5, 1.0, 400.0)
        for family in ("gamma", "lognormal")
    ],
    "jam_wait_quantile_h": [
        {"prob": [0.02, 0.5, 0.999], "position": [20, 9, 30], "vault_servers": 4}
        | {"service_scv": scv}
        for scv in (0.0, 0.5, 1.0, 4.0)
    ],
    "slots_backlog_h": [_FLUID],
    "slots_makespan_h": [_FLUID],
    "slots_mean_wait_h": [_FLUID],
    "day_mean_wait_h": [
        _ALL_BUT_FULL,
        _DAYS_OF_MANY,
        _DAYS_OF_MANY | {"servers": [3, 9.5]},
    ],
    "day_wait_within_prob": [_DAYS_OF_MANY | {"wait_h": h} for h in (0, 0.2)],
    "day_wait_quantile_h": [_DAYS_OF_MANY | {"prob": p} for p in (0.02, 0.5, 0.999)],
    "billed_frac": [
        {"month_start_h": 1, "month_end_h": 1.5, "first_success_h": 0},
        {"month_start_h": 5, "month_end_h": 5, "first_success_h": 0},
        {"month_start_h": 0, "month_end_h": 9, "first_success_h": 0.3},
        {"month_start_h": 0, "month_end_h": 9, "first_success_h": 11},
    ],
    "total_quantile_h": [
        _LATE | {"prob": p, "start_slack_h": [0.5, 0.9, 0.2], "transfer_scv": 0}
        for p in (0, 0.2, 0.55, 0.7)
    ]
    + [
        _LATE | {"prob": p, "transfer_scv": v, "transfer_family": family}
        for p in (0.001, 0.5, 0.99)
        for v in (0, 0.6)
        for family in ("normal", "gamma", "lognormal")
    ],
    "done_within_prob": [
        _LATE | {"deadline_h": h, "transfer_scv": v, "waiting_scv": [1, 2.5, 1]}
        for h in (0.5, 2.5, 9)
        for v in (0, 0.6)
    ],
}


def of_also(name):
    """Return what a formula gives of what is given besides."""

    def give():
        formula = getattr(formulas, name)
        names = inspect.signature(formula).parameters
        usual = {n: typical(FIELDS[n]) for n in names}
        return [
            answered(formula, **usual | {n: as_array(v) for n, v in of.items()})
            for of in ALSO[name]
        ]

    return give


def as_array(value):
    return np.array(value) if isinstance(value, list) else value


for _name in ALSO:
    case(f"formulas/{_name}, also")(of_also(_name))
for _name in LARGE:
    case(f"formulas/{_name} of many")(of_large(_name))


# round numbers in one array, so that arguments meet each other, their edges and 0
ROUND = (0, 0.25, 0.5, 1, 2, 3, 4, 8, 24)
_ROUND_OF = {  # lest most pools be too full
    "utilisation_frac": (0, 0.25, 0.5, 0.75, 0.9, 1, 1.25),
    "pulse_h": (0, 0, 0.25, 1),
    "prob": (0, 0.5, 0.9, 0.99, 1),
    "service_h": (0.25, 0.5, 1, 2),
    "arrivals_per_h": (0, 0.5, 1, 2, 3, 4, 6),
    "backups_per_h": (0, 0.5, 1, 2, 3),
    "restores_per_h": (0, 0.5, 1, 2, 3),
    "servers": (1, 2, 3, 4, 8, 40),
}
_CELLS = {"jam": 24, "day": 14, "total": 10, "no": 30}


def round_points(formula, count):
    """Return arguments of a formula, each an array of as many numbers."""
    draws = random.Random(formula.__name__)
    found = {}
    for name in inspect.signature(formula).parameters:
        field = FIELDS[name]
        if field.kind == "number":
            shape = (count, 4) if name in formula.over else (count,)
            size = math.prod(shape)
            found[name] = np.reshape([_round(field, draws) for _ in range(size)], shape)
    return found


def _round(field, draws):
    low, high = field.range.low, field.range.high
    one = math.isfinite(low) and math.isfinite(high) and high - low <= 1
    values = (0, 0.25, 0.5, 0.75, 1) if one else ROUND
    if field.name in _ROUND_OF:
        values = _ROUND_OF[field.name]
    elif draws.random() < 0.4:
        values = [typical(field) * 2.0**power for power in range(-3, 3)]
    return fitting(field, values[int(draws.random() * len(values))])


def of_round(formula):
    """Return what a formula gives in an array, by choice, and by its defaults."""

    def give():
        parameters = inspect.signature(formula).parameters.values()
        others = [p.name for p in parameters if FIELDS[p.name].kind != "number"]
        choices = [FIELDS[name].choices or (False, True) for name in others]
        count = _CELLS.get(formula.__name__.partition("_")[0], 80)
        values = round_points(formula, count)
        found = {}
        for chosen in itertools.product(*choices):
            of = dict(zip(others, chosen, strict=True))
            said = ", ".join(map(str, chosen))
            if "hyperexponential" in chosen:  # which jobs that vary less cannot be
                of["service_scv"] = np.maximum(values["service_scv"], 1)
            found[said] = answered(formula, **values | of)
        for name in (p.name for p in parameters if p.default is not p.empty):
            of = {n: v[: count // 4] for n, v in values.items() if n != name}
            found[f"without {name}"] = answered(formula, **of)
        return found

    return give


for _formula in families():
    case(f"round/{_formula.__name__}")(of_round(_formula))
