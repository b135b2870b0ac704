"""Cases whose results are held in ``tests/held``, and what writes them there.

``python tests/holding.py`` writes all files, ``python tests/holding.py schedule bill``
those two. A number here was computed by the package itself: it proves nothing, but it
says that something moved. What is right is told by the other tests.
"""

import contextlib
import copy
import dataclasses
import datetime
import functools
import importlib
import inspect
import itertools
import json
import math
import pkgutil
import random
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd

import vmbmodel as vm
from vmbmodel import formulas
from vmbmodel._arrays import Formula
from vmbmodel.fields import fields
from vmbmodel.plan.saved import Inputs
from vmbmodel.plan.scenario import CATALOGUES, Scenario
from vmbmodel.service import PROFILES, set_text

FOLDER = Path(__file__).with_name("held")
FIELDS = fields()
CASES = {}
DIGITS = 11


def case(name):
    """Take a function for the case of a name, ``FILE/CASE``."""

    def take(function):
        assert name not in CASES, name
        CASES[name] = function
        return function

    return take


@functools.cache
def held(file):
    """Return what is held in a file, by case."""
    return json.loads((FOLDER / f"{file}.json").read_text("utf-8"))


# --- plain values, and how they are written ------------------------------------------


def plain(entry):
    """Bring a value to JSON's own types; rows of a table become columns."""
    if isinstance(entry, Mapping):
        return {str(key): plain(value) for key, value in entry.items()}
    if isinstance(entry, pd.DataFrame):
        return {str(name): plain(entry[name].tolist()) for name in entry}
    if isinstance(entry, np.ndarray):
        return plain(entry.tolist())
    if dataclasses.is_dataclass(entry):
        names = (f.name for f in dataclasses.fields(entry))
        return {name: plain(getattr(entry, name)) for name in names}
    if isinstance(entry, Iterable) and not isinstance(entry, str):
        rows = [plain(value) for value in entry]
        if not rows or not all(isinstance(row, dict) for row in rows):
            return rows
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: [row.get(name) for row in rows] for name in names}
    if isinstance(entry, bool | np.bool_):
        return bool(entry)
    if isinstance(entry, int | np.integer):
        return int(entry)
    if isinstance(entry, float | np.floating):
        if not math.isfinite(entry):
            return str(float(entry))
        short = float(f"{entry:.{DIGITS}g}") + 0.0
        return int(short) if short.is_integer() and abs(short) < 1e9 else short
    return entry if entry is None or isinstance(entry, str) else str(entry)


def lines(entry, indent=0):
    """Write a case so that a column is a line."""
    if not isinstance(entry, dict):
        return json.dumps(entry, ensure_ascii=False)
    pad = " " * (indent + 1)
    rows = (
        f"{pad}{json.dumps(name, ensure_ascii=False)}: {lines(value, indent + 1)}"
        for name, value in entry.items()
    )
    return "{\n" + ",\n".join(rows) + "\n" + " " * indent + "}" if entry else "{}"


def answered(compute, *arguments, **settings):
    """Return what is computed, or what is said where it is refused."""
    try:
        return compute(*arguments, **settings)
    except ValueError as error:
        return f"refused: {error}"


def of_text(read, text, **how):
    """Return what is read of a text in a file, or what is said where it is refused."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        path = Path("text")
        path.write_text(text, "utf-8")
        return answered(read, path, **how)


def fresh(text, base):
    """Return the lines of a text that another does not have."""
    known = base.split("\n")
    return [line for line in text.split("\n") if line not in known]


# --- formulas ------------------------------------------------------------------------

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
            answered(formula, **usual | {n: _array(v) for n, v in of.items()})
            for of in ALSO[name]
        ]

    return give


def _array(value):
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


# --- what formulas share --------------------------------------------------------------


def kernel(name):
    """Return what a module of kernels has, by ``MODULE.NAME``."""
    module, _, rest = name.partition(".")
    return getattr(
        importlib.import_module(f"vmbmodel.formulas._kernels.{module}"), rest
    )


def every(*values):
    """Return all combinations of some values, an array an argument."""
    mesh = np.meshgrid(*map(np.asarray, values), indexing="ij")
    return [part.ravel().astype(float) for part in mesh]


def quietly(compute):
    """Return it so that it runs as within a formula, where edges are no accidents."""

    def give():
        with np.errstate(all="ignore"):
            return compute()

    return give


_MANY = [1, 2, 3, 8, 50, 700]
_USED = [50.0, 0.0, 10.0, 10.0, 3.0, 20.0], [4.0, 3.0, 10.0, 0.0, 9.0, 20.0]
_OVER = [0.3, 0.0, 0.5, 0.7, 1.0, 1.0], [1.0, 0.0, 3.0, 0.0, 2.0, 0.0]
_POOLS = every([0.5, *_MANY, 2e4, 3e5], [0, 0.05, 0.19, 0.21, 0.6, 0.95])
KERNELS = {
    "bitmap.changed_blocks": [
        every([0.01, 0.3, 1], [0, 0.4, 1], [1, 1.6, 2, 12], [0, 0.5, 1]),
    ],
    "bitmap.changed_by_writes": [
        every([0, 2, 30], [0, 25, 50], [4, 16], [0, 0.4, 1], [0.2, 1], [4, 10, 64]),
    ],
    "batches.batch_waiting": [
        every([1, 3, 40], [0, 0.3, 0.95, 2.9, 39], [0, 1e-13, 1e-11, 0.4, 9, 1e120]),
        [[1e-110, 1e105], [1e-111, 9e104], [1.0, 3.0]],
    ],
    "cells.drawn": [
        every([0, 0.5, 1, 7, 95, 96, 200], [96, 1000], [0.5, 1, 1.5, 12, 96, 200])
    ],
    "cells.occupied": [every([0, 0.5, 3, 1e6], [0, 0.5, 2, 90], [0, 1, 64])],
    "cells.touched": [every([1, 3, 4, 5, 64], [1, 2, 6, 8], [4, 6, 8])],
    "cells.cells_on": [every([0, 3, 1e295], [1, 4096])],
    "chunks.share_hit": [
        every([0, 1e-9, 0.2, 1, 30], [0, 0.5, 2], [0.01, 1, 4], [0, 0.4, 3, 1e4])
    ],
    "pool.wait_law": [
        [*every(_MANY[:5], [0.1, 0.6, 0.97, 1], [0, 0.4, 1, 3, 8, 20]), family]
        for family in ("gamma", "lognormal", "hyperexponential")
    ],
    "quadrature.bent_times": [[0.0, 30.0], [0.1, 0.3]],
    "random_jam.random_end_quantile": [
        [np.array(prob), np.array(late), *every([4, 30, 900], [1, 3, 40])]
        for prob, late in (
            (1e-12, 1.0),
            (0.3, 0.7),
            (0.5, 0.5),
            (1.0, 1e-12),
            (0.0, 1.0),
            (1.0, 0.0),
        )
    ],
    "special.log_waiting": [every([0.3, 1, 12, 3e5, 4e6], [0, 0.1, 0.6, 0.97, 0.999])],
    "special.upper_gamma": [
        every([2, 9e4, 1.1e5, 1e7], [0.1, 0.9, 0.98, 0.9995, 1]),
        [[1e9, 1e9, 5.0, 1e7], [1e9 - 1.55e5, 1e9 - 1.3e5, 3.0, 1e7 - 1.5e4]],
        [1.05e5 + np.zeros(7), 1.05e5 - np.sqrt(1.05e5) * np.arange(2, 5.5, 0.5)],
    ],
    "special.stirling_error": [[np.array([0.01, 0.5, 1, 9.99, 10, 10.01, 300, 1e9])]],
    "special.log_poisson_mass": [every([0.4, 3, 20, 1e6], [0.01, 3, 4.2, 14, 26.1])],
    "special.student_quantile": [every([1, 2, 9, 300], [0, 1e-9, 0.3, 0.5, 0.9, 1])],
    "spitzer.equal_jobs": [
        [_POOLS[0], _POOLS[0] * np.minimum(_POOLS[1] + 0.004 / _POOLS[0] ** 3, 0.999)]
    ],
    "stages.stages_h": [
        [*every([0, 0.01, 0.4, 0.6, 1], [50], [0, 0.3, 1], [0.1, 1]), 90, 500, 4, 64],
        [*every([0.02], [50], [0.4], [1]), 90, 500, np.array([4, 4, 8]), [2, 6, 8]],
    ],
    "stages.overlap": [every([0, 0.4, 1], [0, 2, 3, np.inf], [0, 2, 5, np.inf])],
    "zipf.pages_hit": [
        every([0, 0.5, 1, 40, 5e4], [0, 1e-13, 0.4, 1, 1.3], [1, 900, 1024, 1025, 4e4])
    ],
    "zipf.ranked_cells_hit": [
        every([0, 0.5, 40, 5e4], [0, 0.4, 1, 1.3], [1, 63, 900, 4e4], [1, 1.5, 16])
    ],
    "long_jam.long_start": [every([0, 3, 900], [1, 5, 90], [0, 0.3, 9])],
    "long_jam.long_mean_wait": [every([0, 3, 900], [1, 5, 90], [0, 0.3, 9])],
    "long_jam.long_rest": [
        [*every([3, 40, 4000], [1, 5, 40], [0, 0.3, 9]), family]
        for family in ("gamma", "lognormal")
    ],
}


def of_kernel(name):
    """Return what a kernel gives of arrays."""

    def give():
        return [
            kernel(name)(*(_array(part) for part in arguments))
            for arguments in KERNELS[name]
        ]

    return quietly(give)


for _name in KERNELS:
    case(f"kernels/{_name}")(of_kernel(_name))


@case("kernels/lengths")
@quietly
def _():
    shares = np.array([0, 1e-12, 0.01, 0.3, 0.5, 0.9, 1 - 1e-12, 1])
    times = np.array([0, 1e-3, 0.2, 1, 1.9, 7, 60])
    found = {}
    for family, scv in itertools.product(
        ("gamma", "lognormal", "hyperexponential"), (0.04, 0.7, 1, 1.6, 40, 2e12)
    ):
        if family == "hyperexponential" and scv < 1:
            continue
        law = kernel("lengths.lengths")(scv, family)
        rows = [ask(times) for ask in (law.within, law.beyond, law.excess)]
        rows += [ask(shares) for ask in (law.quantile, law.tail_quantile)]
        found[f"{family} {scv}"] = rows
    for family in ("normal", "gamma", "lognormal"):
        score, at_score = kernel("lengths.score"), kernel("lengths.at_score")
        found[family] = [
            score(*every([0.2, 2, 5, 9], [2, 3], [0.04, 0.7, 3]), family),
            at_score(*every([-6, -0.5, 0, 0.5, 6], [2, 3], [0.04, 0.7, 3]), family),
        ]
    return found


@case("kernels/curves")
@quietly
def _():
    days, step = every([0, 0.5, 1, 2, 7, 9, 365.25], [1, 7, 30.4375])
    used = [np.array(part)[:, np.newaxis] for part in (*_USED, *_OVER)]
    found = {"gaps": kernel("curves.mean_gap")(days, step)}
    for reading, of in kernel("curves.CURVES").items():
        curve = of(*used)
        found[reading] = [curve.distinct(days), curve.mean(days, step)]
    return found


@case("kernels/gaps")
@quietly
def _():
    found = {}
    for kept in (
        (7, 0, 0, 0, 3), (30, 4, 12, 10, 4000), (0, 5, 0, 2, 900), (7, 12, 0, 3, 900),
        (400, 5, 36, 1, 4000), (0, 2, 9, 0, 20), (1, 1, 1, 1, 365.25),
        (9, 0, 60, 7, 1e4),
    ):  # fmt: skip
        for month_day in (0, 15):
            points = (*map(np.float64, kept), month_day)
            rows = [list(map(float, row)) for row in kernel("gaps.gaps")(*points)]
            full = [kernel("gaps.copies")(growth, points) for growth in (0.0, 1e-3)]
            found[f"{kept} {month_day}"] = [*rows, full]
    found["growth"] = kernel("gaps.daily_growth")(np.array([0, 0.3, 2]))
    return found


@case("kernels/roots")
@quietly
def _():
    asked = []

    def cubic(x, a, b):
        asked.append(len(x))
        return (x - a) ** 3 + b * (x - a)

    def steep(x, a, b):
        asked.append(len(x))
        return np.where(x < a, -1, np.where(x > a, 1e9, 0)) * b

    root, found = kernel("roots.root"), {}
    low = np.array([-1, 0, 2, np.nan, -np.inf, 0, 1, 0.7])
    high = np.array([3, 1, 3, 2, np.inf, 1e12, 1, 9])
    ends = np.array([0.7, 0, 0.5, 1, 0, 0.3, 1, 0.7])
    for name, of in {"cubic": cubic, "steep": steep}.items():
        for b in (0, 1e-3, 1, np.nan):
            for how in ({}, {"xatol": 1e-3}, {"xrtol": 1e-2}, {"frtol": 1e-3}):
                asked.clear()
                some = root(of, low, high, ends, b, inside=low < 1.5, **how)
                found[f"{name} {b} {how}"] = [some, list(asked)]
    return found


@case("kernels/lines")
@quietly
def _():
    waits, found = kernel("line.waits"), {}
    for lines, jobs in ((1, 1), (3, 9), (24, 12), (25, 12), (90, 7), (4, 0), (0, 3)):
        draws = random.Random(f"{lines} lines of {jobs}")
        come_h = np.array([draws.random() * 9 for _ in range(lines * jobs)])
        come_h = np.sort(np.round(come_h, 1).reshape(lines, jobs), axis=1)
        last_h = np.array([draws.random() ** 3 * 20 for _ in range(lines * jobs)])
        last_h = np.round(last_h, 1).reshape(lines, jobs)
        served = np.array([1 + int(draws.random() ** 2 * 9) for _ in range(lines)])
        days = np.array([1 + int(draws.random() * 4) for _ in range(lines)])
        told = waits(come_h, last_h, served, days)
        found[f"{lines} of {jobs}"] = (
            told
            if lines < 9
            else [told.sum(axis=1), told.max(axis=1), (told > 0).sum(axis=1)]
        )
    return found


_JAMS = [
    (1, 1, 0.3), (1, 30, 0.02), (1, 260, 2.0), (3, 1, 0.9), (3, 40, 0.3), (20, 5, 1.7),
    (20, 300, 0.3), (300, 2, 0.9), (250, 400, 0.05), (2, 9, 30.0), (7, 80, 4.0),
]  # fmt: skip


@case("kernels/jams")
@quietly
def _():
    Jam, LastDone = kernel("renewal.Jam"), kernel("renewal.LastDone")  # noqa: N806
    found = {}
    for number, (servers, behind, scv) in enumerate(_JAMS):
        for family in ("gamma", "lognormal", "hyperexponential"):
            if family == "hyperexponential" and scv < 1:
                continue
            late_prob = (0.5, 1e-4, 1e-12)[number % 3]
            jam = Jam(servers, behind, scv, family, late_prob)
            times = np.exp(np.linspace(np.log(jam.begin), np.log(jam.end), 5))[1:-1]
            few, short = jam.waiting(np.round(times, 2) + 0.01)
            row = [f"{jam.begin:.2g}", f"{jam.end:.3g}", jam.mean_start()]
            row += [jam.mean_wait(), few, short, jam.start_quantile(0.7)]
            if servers > 1:
                last = LastDone(jam, servers)
                row += [last.mean(), last.quantile(0.05), last.quantile(0.97)]
            found[f"{servers} {behind} {scv} {family}"] = row
    return found


@case("kernels/jams at their bounds")
@quietly
def _():
    found = {}
    for name, of in {
        "long": ([400, 401], 2, 0.5, "lognormal"),
        "alike": ([40], 4, [0.01, 0.0105], "lognormal"),
        "wild": ([40], 4, [100, 101], "gamma"),
        "large": ([1.04e5], 900, 0.5, "gamma"),
    }.items():
        line = every(*of[:3])
        late = np.full(line[0].shape, 1e-11), np.full(line[0].shape, 0.3)
        found[name] = [
            kernel(f"jam.{figure}")(*line, of[3])
            for figure in ("jam_start", "jam_mean_wait")
        ]
        if name != "large":
            found[name].append(kernel("jam.jam_end")(line[0] + 4, *line[1:], of[3]))
        for share in late:
            found[name].append(
                kernel("jam.jam_start_quantile")(1 - share, *line, of[3])
            )
            if name != "large":
                jobs = line[0] + 4, *line[1:]
                end = kernel("jam.jam_end_quantile")(1 - share, share, *jobs, of[3])
                found[name].append(end)
    # so many movers, or jobs for each, that no job depends on another any more
    for servers, behind in ((200, 900), (201, 900), (3, 90), (3, 91)):
        jam = kernel("renewal.Jam")(servers, behind, 0.4, "gamma", 1e-9)
        last = kernel("renewal.LastDone")(jam, servers)
        found[f"last of {servers}, {behind}"] = [last.mean(), last.quantile(0.4)]
    return found


_DAYS = {
    "just full": [1.02] * 3 + [0.9] * 20 + [0.99],
    "one hour": [0.2] * 9 + [3.0] + [0.2] * 14,
    "twice": [1.3] * 4 + [0.3] * 8 + [1.1] * 4 + [0.4] * 8,
    "even": [0.85] * 24,
    "light": [0.05] * 20 + [0.4] * 4,
    "nothing": [0.0] * 24,
    "eight": [1.4, 0.2, 0.9, 1.0, 0.5, 0.5, 1.05, 0.6],
    "too much": [1.6] * 12 + [0.41] * 12,
}


@case("kernels/days by the rule")
@quietly
def _():
    found = {}
    servers, service_h = np.array([3.0, 60, 2000]), np.array([3, 0.02, 1.1])
    for name in ("just full", "one hour", "light", "eight", "too much"):
        load = _DAYS[name]
        pulse = np.zeros(len(load))
        for jump in (0.0, 0.7) if len(load) == 8 else (0.7,):
            pulse[1] = jump
            hours, many, jumps = kernel("day.day_of")(np.array([load]), pulse)
            row = [hours, kernel("day.clears")(hours, many, jumps)]
            row.append(kernel("day.fluid_h")(many, jumps, service_h)[:, ::3])
            crowd = kernel("day.crowd")(hours, many, jumps, servers, service_h)
            row += [part[:, ::5] for part in crowd]
            if row[1].all():
                calm = kernel("day.in_balance")(hours, many, jumps, servers, service_h)
                row += [part[:, ::7] for part in calm]
            found[f"{name} {jump}"] = row
    return found


@case("kernels/days of few movers")
@quietly
def _():
    found = {}
    for name, load in _DAYS.items():
        for servers, service_h, jump in ((1, 0.5, 0), (4, 1.3, 0.6), (50, 3, 0)):
            pulse = np.zeros(len(load))
            pulse[2] = jump
            hours = 24 / len(load)
            told = kernel("pool_day.jobs_at_starts")(
                hours, np.array(load), pulse, servers, service_h
            )
            found[f"{name} {servers}"] = (
                told
                if told is None
                else [told.shape[1], told[::6] @ np.arange(told.shape[1]), told[1, :6]]
            )
    return found


@case("kernels/days of many")
@quietly
def _():
    from vmbmodel.formulas.laws import pool_day, pool_days

    rows = [load for load in _DAYS.values() if len(load) == 24]
    load = np.array(rows + rows[:5])
    servers = np.array([2, 5, 30, 1, 50, 8, 4, 51, 700, 0.5, 3, 50], float)
    service_h = np.array([0.5, 2, 0.3, 1, 6, 3, 1, 0.4, 2, 1, 0.01, 5e-4])
    met_h = np.array([0, 0.05, 3.99, 4, 9.5, 10.2, 23.9, 31.0])
    many, found = pool_days(load, servers, service_h), {}
    tables = kernel("many_days.jobs_through_days")(load, servers, service_h, 2)
    for day, jobs in tables:
        found[f"table {day}"] = [*jobs.shape, jobs[::11] @ np.arange(jobs.shape[1])]
    one = {"many": many}
    for day in (0, 2, 7):
        pulse = 0.3 * (np.arange(24) == 5)
        one[f"day {day}"] = pool_day(load[day], servers[day], service_h[day], pulse)
    for name, law in one.items():
        found[name] = [law.mean_h(met_h)]
        found[name] += [law.within_prob(met_h, wait) for wait in (0, 0.07, 2.0, 40.0)]
        found[name] += [law.quantile_h(met_h, prob) for prob in (0, 0.3, 0.95, 1)]
    turned = many.each(lambda days: days[::-1])
    return found | {"turned": [turned.shape, turned.mean_h(met_h)[:, ::3]]}


# --- inventories ---------------------------------------------------------------------


def disk(of, name="os", size=128, used=47, **cells):
    """Return a row of an inventory."""
    role = "os" if name == "os" else "temp" if name.startswith("temp") else "data"
    row = {"vm": of, "disk": f"{of}-{name}", "role": role}
    return row | {"size_gib": size, "used_gib": used} | cells


def edge_fleet():
    """Return disks at the edges: full, empty, at a step, first, unmanaged."""
    in_a = {"vault": "vault-a", "policy": "night", "start_h": 22, "redundancy": "LRS"}
    in_b = {"vault": "vault-b", "policy": "hours", "start_h": 23.5, "interval_h": 4}
    in_b |= {"window_h": 12, "snapshot_policy": "enhanced", "snapshot_points": 7}
    in_c = {"vault": "vault-c", "policy": "old", "start_h": 0, "redundancy": "ZRS"}
    kept = {"weekly_points": 12, "monthly_points": 60, "yearly_points": 10}
    rows = [
        disk("at-50", size=64, used=50, **in_a),
        disk("below-50", size=64, used=49.99, **in_a),
        disk("at-500", size=1024, used=500, churn_gib_per_day=0, **in_a),
        disk("above-500", "os", 127, 1, churn_gib_per_day=0.25, **in_a),
        disk(
            "above-500", "data", 1024, 500, churn_gib_per_day=40, dispersion=1, **in_a
        ),
        disk("empty", size=32, used=0, **in_a),
        disk("full", size=1024, used=1024, churn_gib_per_day=1024, **in_a),
        disk("first", size=512, used=300, first_backup=True, **in_a, **kept),
        disk("new", "os", 128, 60, write_kib=4, disk_type="premium-ssd", **in_b),
        disk("new", "data", 4095, 2000, new_disk=True, disk_type="P50", **in_b),
        disk("new", "temp", 64, 30, **in_b),
        disk("checked", size=8192, used=5000, cc_mode=True, active_frac=0.2, **in_b),
        disk("trusted", used=90, trusted_launch=True, os="linux", **in_b),
        disk("left-out", "os", 128, 80, **in_b),
        disk("left-out", "data", 256, 200, excluded=True, **in_b),
        disk("kept-long", size=256, used=100, archive=True, **in_c, **kept),
        disk("by-week", recovery_points=0, weekly_points=5, month_day=28, **in_c),
        disk("ultra", "os", 128, 40, disk_type="standard-hdd", **in_c),
        disk("ultra", "data", 512, 400, disk_type="ultra", dispersion=0, **in_c),
        disk("huge", "os", 128, 100, redundancy="RA-GRS", start_h=23),
        disk("huge", "data1", 65536, 20000, redundancy="RA-GRS", churn_gib_per_day=201),
        disk("bare"),
    ]
    for number in range(6):
        account = {"managed": False, "storage_account": f"store{number // 4}"}
        name = f"classic-{number}"
        rows.append(disk(name, "os", 128, 60 + 10 * number, **account, **in_c))
        rows.append(disk(name, "data", 1023, 300, write_kib=64, **account, **in_c))
    return pd.DataFrame(rows)


def crowd(vms, **cells):
    """Return as many VMs of one policy."""
    rows = [disk(f"v{n:03}", used=20 + 7 * (n % 11), **cells) for n in range(vms)]
    return pd.DataFrame(rows)


def some(*names):
    """Return some VMs of the fleet at the edges."""
    fleet = edge_fleet()
    return fleet[fleet["vm"].isin(names)].reset_index(drop=True)


def small():
    """Return five VMs that have something of everything."""
    return some("at-500", "above-500", "new", "kept-long", "classic-4", "first")


FLEETS = {
    "sample": vm.sample_fleet,
    "edges": edge_fleet,
    "one": lambda: some("bare"),
    "crowd": lambda: crowd(7, vault="v", start_h=22),
}

# --- estimates -----------------------------------------------------------------------

_SAID_ONCE = ("schema", "model", "inputs", "inventory", "digest", "given")


@functools.cache
def usual():
    """Return what is assumed and warned of the small fleet, under no settings."""
    said = vm.estimate(small()).to_dict()
    return [*said["assumptions"], *said["warnings"]]


def answer_of(result, without=_SAID_ONCE):
    """Return what an answer says, in numbers and in words, without where it is from."""
    said = {n: v for n, v in result.to_dict().items() if n not in without}
    for name in {"assumptions", "warnings"} & said.keys():
        said[name] = [row for row in said[name] if row not in usual()]
    seen = result.overview()
    return said | {"seen": {"rows": list(seen.rows), "lines": list(seen.lines)}}


def estimated(fleet, settings, profile="azure-2026-01", **how):
    """Return an estimate, in numbers and words."""
    scenario = Scenario.of(profile, settings=settings)
    return answer_of(vm.estimate(fleet, scenario, **how))


ESTIMATES = {
    "as it is": ({}, {}),
    "of 2018": ({}, {"profile": "azure-2018-12"}),
    "own line": (
        {
            "eight_hours": "own",
            "vault_servers": 2,
            "snapshot_scv": 0.5,
            "transfer_scv": 0.4,
            "transfer_family": "gamma",
            "start_slack_reading": "latest",
            "stored_reading": "points",
            "month_day": 28,
            "restored_reading": "size",
            "restore_law": "rates",
        },
        {"months": 14},
    ),
    "overload": (
        {
            "eight_hours": "overload",
            "vault_servers": 3,
            "line_reading": "others-first",
            "deadline_clock": "job",
            "tier_reading": "disk",
            "stored_reading": "linear",
            "yearly_growth_frac": 0.3,
            "yearly_churn_growth_frac": 0.1,
            "restore_as": "disks",
            "restore_first": False,
            "restore_accounts": 2,
            "archive": True,
            "yearly_points": 3,
            "monthly_points": 24,
        },
        {"months": 16},
    ),
    "measured": (
        {
            "eight_hours": "measured",
            "others_wait_prob": 0.6,
            "transfer_scv": 0.2,
            "transfer_family": "normal",
            "start_slack_reading": "none",
            "line_reading": "others-first",
            "vault_servers": 4,
            "incremental_reading": "used",
            "stored_reading": "lower",
            "rewritten_frac": 0.3,
            "fresh_frac": 0.4,
            "application_frac": 0.2,
            "restore_as": "replace",
            "restore_application_frac": 0.3,
            "gb_bytes": 1e9,
            "window_h": 8,
        },
        {"months": 2},
    ),
    "quantile": (
        {
            "eight_hours": "quantile",
            "line_reading": "one-pool",
            "snapshot_policy": "enhanced",
            "interval_h": 6,
            "window_h": 12,
            "snapshot_points": 7,
            "stored_reading": "full",
            "reserved_gib": 102400,
            "reserved_redundancy": "LRS",
            "instance_discount_frac": 0.1,
            "storage_discount_frac": 0.2,
            "snapshot_discount_frac": 0.3,
            "overlap_frac": 0.25,
            "deadline_h": 4,
            "rto_h": 0.75,
            "churn_gib_per_day": 3,
            "weekly_points": 8,
        },
        {},
    ),
}


def of_estimate(fleet, settings, how):
    """Return what an estimate says."""
    return lambda: estimated(FLEETS[fleet](), settings, **how)


for _fleet in FLEETS:
    for _name, (_settings, _how) in ESTIMATES.items():
        if _fleet != "sample" or _name == "as it is":
            case(f"estimate/{_fleet}, {_name}")(of_estimate(_fleet, _settings, _how))

_FEW = (
    "transfer_h",
    "own_line_mean_h",
    "wait_mean_h",
    "done_p95_h",
    "deadline_prob",
    "restore_vault_p95_h",
    "rto_prob",
    "point_age_vault_h",
    "stored_gib",
    "snapshot_usd",
    "total_usd",
)


def _other(name):
    """Return other values of a setting than the one it has."""
    field, value = FIELDS[name], Scenario.of().taken[name]
    if field.choices:
        return [choice for choice in field.choices if choice != value]
    if field.kind == "flag":
        return [not value]
    if field.kind != "number":
        return []
    value = field.typical if value is None or not math.isfinite(value) else value
    more = fitting(field, value * 1.5 if value else field.typical)
    if more == value:
        more = fitting(field, value * 0.5)
    return [fitting(field, round(more, 6))]


def of_setting(name, value):
    """Return how an estimate changes with a setting."""

    def give():
        scenario = answered(Scenario.of, settings={name: value})
        if isinstance(scenario, str):
            return scenario
        result = answered(vm.estimate, small(), scenario)
        if isinstance(result, str):
            return result
        return {
            "total": dict(result.total),
            "vms": {column: result.vms[column].tolist() for column in _FEW},
            "warned": [w for w in result.to_dict()["warnings"] if w not in usual()],
        }

    return give


for _kind, _set in [*Scenario.of().sets(), ("options", Scenario.of().options)]:
    for _name in _set if _kind != "limits" else ():
        for _value in _other(_name):
            case(f"settings/{_name}={_value}")(of_setting(_name, _value))

# what says more beside another setting than alone
TOGETHER = {
    "own mean": {"eight_hours": "own", "own_vault_servers": 2, "service_h": 3},
    "no line": {"others_wait_prob": 0, "eight_hours": "measured"},
    "sure line": {"others_wait_prob": 1, "eight_hours": "measured"},
    "busy": {"eight_hours": "overload", "utilisation_frac": 0.999},
    "idle": {"eight_hours": "overload", "utilisation_frac": 0.0},
    "over": {"eight_hours": "overload", "utilisation_frac": 1.2},
    "all day": {"window_h": 24, "interval_h": 4, "snapshot_policy": "enhanced"},
    "hourly": {"interval_h": 8, "snapshot_policy": "enhanced", "snapshot_points": 0},
    "twice": {"interval_h": 12, "window_h": 12, "snapshot_policy": "enhanced"},
    "no daily": {"recovery_points": 0, "weekly_points": 4},
    "nothing kept": {"recovery_points": 0, "snapshot_points": 0},
    "archived": {"archive": True, "monthly_points": 12, "yearly_points": 2},
    "archived just": {"archive": True, "monthly_points": 9},
    "archived not yet": {"archive": True, "monthly_points": 8, "yearly_points": 1},
    "zero churn": {"churn_frac": 0, "dispersion": 0},
    "all churns": {"churn_frac": 1, "dispersion": 1, "rewritten_frac": 1},
    "late": {"deadline_h": 0.1, "start_slack_reading": "latest", "start_slack_h": 4},
    "varied": {"transfer_scv": 1.0, "snapshot_scv": 1.0, "start_slack_reading": "none"},
    "gamma": {"transfer_scv": 0.7, "transfer_family": "gamma", "snapshot_h": 0},
    "normal": {"transfer_scv": 0.05, "transfer_family": "normal"},
    "hurried": {"rto_h": 0.1, "restore_law": "rates", "restore_first": False},
    "in an account": {"restore_accounts": 1, "restore_as": "disks"},
    "no growth": {"yearly_growth_frac": -0.2, "yearly_churn_growth_frac": 0},
    "own of all": {"eight_hours": "own", "line_reading": "one-pool"},
    "own behind": {"eight_hours": "own", "line_reading": "others-first"},
}


def of_settings(settings):
    """Return what settings come to together."""
    return lambda: answered(estimated, some("above-500", "new"), settings)


for _name, _settings in TOGETHER.items():
    case(f"together/{_name}")(of_settings(_settings))


@case("together/usual")
def _():
    return usual()


@case("together/cases compared")
def _():
    cases = [{"redundancy": "LRS", "archive": True}, {"start_h": 2, "servers": 20}]
    cases += [{"vault": "one"}, {"snapshot_policy": "enhanced"}]
    return vm.compare(edge_fleet(), Scenario.of(settings={"churn_frac": 0.02}), cases)


@case("together/difference")
def _():
    before = vm.estimate(small(), Scenario.of("azure-2018-12"))
    after = small().assign(used_gib=small()["used_gib"] * 0.5)
    after = after[after["vm"] != "new"].assign(start_h=5)
    settings = {"churn_frac": 0.02, "eight_hours": "own", "instance_fee_usd": 11}
    after = vm.estimate(after, Scenario.of(settings=settings))
    return answer_of(vm.diff(before, after))


@case("together/seen")
def _():
    fleet = crowd(22)
    named = {f"v{n:03}": f"v{n}-".ljust(39 + n, "x") for n in range(4)}
    result = vm.estimate(fleet.assign(vm=fleet["vm"].replace(named)))
    return {"text": repr(result).split("\n"), "page": result._repr_html_().split("\n")}


def _edited(saved, change):
    """Return what a saved estimate holds, altered in one place."""
    altered = copy.deepcopy(saved)
    change(altered)
    return altered


ALTERED = {
    "nothing": lambda saved: None,
    "a cell": lambda saved: saved["vms"][1].update(used_gib=1.5, policy="other"),
    "a total": lambda saved: saved["total"].update(total_usd=None, late_vms="1"),
    "a month": lambda saved: saved["months"][0].update(total_usd=1),
    "a row less": lambda saved: saved["vms"].pop(),
    "a column more": lambda saved: [row.update(more=1) for row in saved["vms"]],
    "a column less": lambda saved: [row.pop("transfer_h") for row in saved["vms"]],
    "no end": lambda saved: saved["vms"][0].update(total_usd="inf", transfer_h=10**310),
    "a model": lambda saved: saved["model"]["prices"].update(sha256="0"),
    "no part": lambda saved: [saved.pop(name) for name in ("policies", "starts")],
    "a digest": lambda saved: saved.update(digest="0"),
    "no digest": lambda saved: saved.pop("digest"),
}


@case("together/computed again")
def _():
    from vmbmodel.plan.saved import differences

    settings = {"blob_mib_s": math.inf, "churn_frac": 0.03}
    scenario = Scenario.of("azure-2018-12", settings=settings)
    result = vm.estimate(small(), scenario, months=2, draws=32)
    saved = json.loads(json.dumps(result.to_dict()))
    inputs = Inputs.of(saved)
    known = {n: getattr(inputs, n) for n in ("given", "months", "draws")}
    now, found = inputs.estimate(), {"inputs": known}
    for name, change in ALTERED.items():
        rows = list(differences(_edited(saved, change), now))
        found[name] = [
            [d.place]
            if name == "no end" or d.place.endswith(("digest", "sha256"))
            else [d.place, d.saved, d.now]
            for d in rows[:9]
        ]
    return found


SPOILT = {
    "a list": lambda saved: saved.update(inventory={}, vms=[]),
    "nothing in it": lambda saved: saved.clear(),
    "a schema": lambda saved: saved.update(schema="vmbmodel.check/1"),
    "no model": lambda saved: saved.update(model=None, given=[], months=3),
    "a model": lambda saved: saved["model"].update(profile={"name": 1}, limits=[]),
    "draws": lambda saved: saved.update(interval={"draws": 2**16 + 1}),
    "most draws": lambda saved: saved.update(interval={"draws": 2**16}),
    "whole draws": lambda saved: saved.update(interval={"draws": 2.0}),
    "less draws": lambda saved: saved.update(interval={"draws": -1}),
    "no draws": lambda saved: saved.update(interval=[]),
    "vaults": lambda saved: saved.update(
        interval={"draws": 0, "drawn_vaults": {"interval_vms": 0}}
    ),
    "a vault": lambda saved: saved.update(
        interval={"draws": 0, "drawn_vaults": {"interval_vms": 1}}
    ),
    "a file": lambda saved: saved.update(vms_file="vms.parquet", vms=[1]),
    "rows": lambda saved: saved.update(inventory=[1], vms="x"),
    "numbers": lambda saved: saved["total"].update(total_usd=True, late_vms=1.05e300),
    "names": lambda saved: saved["vms"].extend([{}, saved["vms"][0]]),
    "no total": lambda saved: saved.pop("total"),
}


@case("together/saved and spoilt")
def _():
    from vmbmodel.plan.saved import read_saved

    saved = vm.estimate(some("bare")).to_dict()
    found = {
        text: of_text(read_saved, text) for text in ("{", "[" * 10**5, '{"a":1,"a":2}')
    }
    found = {text[:9]: said for text, said in found.items()}
    for name, change in SPOILT.items():
        altered = _edited(saved, change)
        read = of_text(read_saved, json.dumps(altered))
        compared = of_text(lambda path: vm.diff(saved, path), json.dumps(altered))
        found[name] = [
            said if isinstance(said, str) else "taken" for said in (read, compared)
        ]
    return found


CASES_SAID = (
    "", "snapshot_policy", "managed", "start_h", "fleet.csv", "redundancy=LRS",
    "servers=20 archive=yes", "servrs=20 start_h=25 x", "recovery_points=7.5",
    "eight_hours=ovrload", "archive=maybe", "vault=", "GFS=3",
)  # fmt: skip


@case("together/cases said")
def _():
    from vmbmodel.plan.estimate import parse_case, said_case

    read = {text: answered(parse_case, text) for text in CASES_SAID}
    said = {
        text: found if isinstance(found, str) else [said_case(c) for c in found]
        for text, found in read.items()
    }
    return {"read": read, "said": said}


SCENARIOS = {
    "good": "profile = 'azure-2018-12'\nstart_h = 22\narchive = true",
    "own": "# none\nprices = 'own'\n[a]\nx = 1",
    "sets": "profile = 3\nlimits = []",
    "names": "servrs = 20\nstart_h = 24\nretention = 1\nredundancy = 'LSR'\nvault = 3",
    "kinds": "servers = '20'\nrecovery_points = 1.5\nmanaged = 1\nchurn_frac = inf",
    "sign": "deadline_h = 0\nchurn_frac = 1.5\nutilisation_frac = -0.1",
    "none": "= 3",
}


@case("together/scenarios read")
def _():
    from vmbmodel.plan import scenario_arguments, scenario_settings

    reads = (scenario_arguments, scenario_settings)
    found = {
        n: [of_text(read, text) for read in reads] for n, text in SCENARIOS.items()
    }
    return found | {"a file": of_text(scenario_arguments, "prices = 'own.toml'")}


@case("together/scenario written")
def _():
    from vmbmodel.plan import scenario_template

    named = {"profile": "azure-2018-12"}
    settings = {"servers": 20, "archive": True, "vault": "one"}
    texts = {
        "usual": scenario_template(Scenario.of()),
        "set": scenario_template(
            Scenario.of("azure-2018-12", settings=settings), named
        ),
    }
    return {name: text.split("\n") for name, text in texts.items()}


@case("together/chosen")
def _():
    from vmbmodel.plan import chosen, of_chosen

    given = [{}, {"vault": ["vault-a"]}, {"vault": ["vault-b", "vault-c"]}]
    given += [
        {"vault": ["vault-b"], "policy": ["night"]},
        {"policy": ["old"], "vm": []},
    ]
    given += [{"vm": ["huge", "hug"], "vault": ["vault-d"]}]
    rows = {}
    for names in given:
        for take in (chosen, of_chosen):
            found = answered(take, edge_fleet(), Scenario.of(), **names)
            kept = found if isinstance(found, str) else np.flatnonzero(found)
            rows[f"{take.__name__} {names}"] = kept
    return rows


BY_HOUR = {"00:00": 0.5, "22:30": 3.0, "23:30": 0.25, "09:00": 1.5}


@functools.cache
def by_hour():
    """Return a scenario of a profile in a file, with waits that differ by the hour."""
    own = vm.profile("azure-2026-01")
    text = set_text(
        "Of the half-hour", own.as_of, own.origins, wait_by_start=BY_HOUR,
        readings=dict(own.readings) | {"eight_hours": "measured"},
    )  # fmt: skip
    return Scenario.of(PROFILES.parse(text.encode(), Path("own.toml")))


@case("together/by the half-hour")
def _():
    from vmbmodel.plan.estimate import wait_by_start

    scenario, hours = by_hour(), np.array([0, 0.49, 9.25, 22.5, 23, 23.99, np.nan])
    own = vm.profile("azure-2026-01")
    rates = scenario.changed({"restore_law": "rates", "restore_first": False})
    result = vm.estimate(small(), rates)
    json_of = result.to_dict()
    inputs = Inputs.of(json_of)
    return {
        "waits": wait_by_start(scenario, hours),
        "within": wait_by_start(scenario, hours, 2.0).within_prob,
        "answer": answer_of(result),
        "toml": fresh(json_of["model"]["profile"]["toml"], own.text),
        "again": inputs.estimate().total == result.total,
    }


@case("together/waits by the hour")
def _():
    from vmbmodel.plan.estimate import wait_by_start

    hours = np.array([0, 0.2, 6.5, 18.25, 22, 23.9])
    ways = ({}, *({"eight_hours": way} for way in ("own", "overload", "quantile")))
    return [wait_by_start(Scenario.of(settings=way), hours, 3.0) for way in ways]


@case("together/first of them left out")
def _():
    fleet = crowd(3, vault="v", start_h=22, snapshot_policy="enhanced")
    result = vm.estimate(fleet.assign(excluded=fleet["vm"] == "v000"), months=2)
    seen = {name: list(getattr(result, name).index[-2:]) for name in ("vms", "months")}
    return answer_of(result) | {"indices": seen, "columns": list(result.months)}


@case("together/around midnight")
def _():
    found, varies = {}, {"transfer_scv": 0.5, "snapshot_scv": 0.3}
    for start_h, reading in itertools.product((0, 22, 23.75), ("uniform", "latest")):
        settings = {"eight_hours": "overload", "line_reading": "one-pool"}
        settings |= {"start_slack_reading": reading, "vault_servers": 3}
        fleet = crowd(9, vault="v", start_h=start_h, churn_gib_per_day=9)
        result = vm.estimate(fleet, Scenario.of(settings=settings))
        varied = vm.estimate(fleet, Scenario.of(settings=settings | varies))
        seen = {"usual": result, "varied": varied}
        columns = ["wait_mean_h", "done_p95_h"]
        found[f"{start_h} {reading}"] = {n: r.vms[columns] for n, r in seen.items()}
    return found


@case("together/restored in a line")
def _():
    settings = {"vault_servers": 2, "restore_known_gib": 50.0, "restore_first": False}
    ways = (
        {},
        {"restore_law": "rates"},
        {"restore_law": "rates", "restore_first": True},
    )
    days = (
        {"eight_hours": "overload"},
        {"utilisation_frac": 0.7},
        {"vm_creation_h": 2},
    )
    fleet, found = some("huge", "above-500", "checked", "bare").assign(vault="one"), {}
    for way, day in itertools.product(ways, days):
        scenario = Scenario.of(settings=settings | way | day)
        result = vm.estimate(fleet, scenario)
        names = [c for c in result.vms if "restore" in c or c == "rto_prob"]
        found[f"{way} {day}"] = {"total": dict(result.total), "vms": result.vms[names]}
    return found


# --- doubts, checks, schedules -------------------------------------------------------

DOUBTS = {
    "as it is": {},
    "own line": {"eight_hours": "own", "vault_servers": 2, "deadline_h": 6},
    "overload": {
        "eight_hours": "overload",
        "line_reading": "one-pool",
        "churn_frac": 0.2,
    },
    "measured": {
        "eight_hours": "measured",
        "transfer_scv": 0.3,
        "reserved_gib": 102400,
    },
}


def of_doubt(settings):
    """Return how far an estimate may be off, and what makes it doubtful."""

    def give():
        scenario = Scenario.of(settings=settings)
        return answer_of(vm.doubt(small(), scenario, draws=64))

    return give


for _name, _settings in DOUBTS.items():
    case(f"doubt/{_name}")(of_doubt(_settings))


@case("doubt/some vaults")
def _():
    fleet = pd.concat(
        [
            crowd(4, vault=f"v{n}").assign(vm=lambda f, n=n: f["vm"] + f"-{n}")
            for n in "abc"
        ]
    )
    return answer_of(vm.doubt(fleet, draws=32, interval_vms=8))


def vaults():
    """Return a VM in each of many vaults, two of which share an account."""
    rows = [disk(f"v{n:02}", used=20 + 8 * n, vault=f"w{n:02}") for n in range(14)]
    for row in rows[3:5]:
        row |= {"managed": False, "storage_account": "one", "disk_type": "premium-ssd"}
    return pd.DataFrame(rows)


@case("doubt/vaults drawn")
def _():
    from vmbmodel.plan.estimate.vaults import chunks

    found = vm.doubt(vaults(), draws=32, interval_vms=11)
    said = answer_of(found) | {
        "total beside": found.beside_total(vm.estimate(vaults()).total)
    }
    shared = Scenario.of(settings={"reserved_gib": 102400})
    return said | {
        "refused": answered(vm.doubt, vaults(), shared, draws=32, interval_vms=11),
        "too few": answered(vm.doubt, vaults(), draws=31),
        "chunks": [[list(part) for part in chunks(vaults(), n)] for n in (1, 4, 5, 14)],
    }


@case("doubt/leads")
def _():
    settings = {"others_wait_mean_h": 9.0, "eight_hours": "measured", "deadline_h": 9}
    found = {}
    for name, more in (("late", {}), ("early", {"others_wait_mean_h": 0.2})):
        told = vm.doubt(small(), Scenario.of(settings=settings | more), draws=64)
        leads = {
            a: [s.name for s in told.leading(a)] for a in ("total_usd", "done_p95_h")
        }
        labels = [share.label for share in told.shares]
        found[name] = {"said": told.said(), "leads": leads, "labels": labels}
    return found


@case("doubt/draws")
def _():
    from vmbmodel.plan.estimate import prior_draws

    names = ["snapshot_h", "churn_frac", "peak_start_h", "overlap_frac", "servers"]
    names += ["offpeak_utilisation_frac", "peak_h", "peak_wait_h", "vault_servers"]
    overload = Scenario.of(settings={"eight_hours": "overload", "start_h": 3})
    fitted = vm.calibrate(job_log(nights=9, vms=4)).scenario
    of_fit = [
        n for n, o in fitted.profile.origins.items() if o.prior and o.prior.sample
    ]
    return {
        "usual": prior_draws(overload, names, 64),
        "other": prior_draws(overload, names[:3], 32, seed=2),
        "of a fit": prior_draws(fitted, of_fit, 32),
        "refused": [
            answered(prior_draws, overload, [n], 32) for n in ("start_h", "rto_h")
        ],
        "doubted": answer_of(vm.doubt(some("bare"), fitted, draws=32))["shares"],
    }


@case("doubt/beside an estimate")
def _():
    return estimated(small(), {}, draws=64, months=2)


def crowded_fleet():
    """Return VMs beyond what a start, a policy, an account and a day may have."""
    of_start = {"vault": "v", "policy": "p", "start_h": 22}
    classic = {"managed": False, "storage_account": "one"} | of_start
    rows = [disk(f"c{n:02}", "os", 100, 50, **classic) for n in range(11)]
    rows += [disk(f"c{n:02}", "data", 100, 50, **classic) for n in range(11)]
    for number, account in enumerate(
        ("two", "two", "two", "two", "two", "two", "three")
    ):
        cells = {"managed": False, "storage_account": account, "start_h": number}
        rows.append(disk(f"d{number}", vault="w", policy=f"q{number % 2}", **cells))
    rows += [disk("many", f"data{n}", 1, 1, vault="w") for n in range(33)]
    rows.append(disk("many", vault="w"))
    rows += [disk("sixteen", f"data{n}", 1, 1, vault="w") for n in range(16)]
    rows.append(disk("sixteen", vault="w"))
    rows.append(disk("at", size=4095, churn_gib_per_day=200, write_kib=8))
    rows.append(disk("above", size=4096, churn_gib_per_day=200.01, write_kib=7.9))
    rows += [disk("sum", f"data{n}", 65536, 1) for n in range(8)]
    rows.append(disk("sum"))
    policies = {
        "short": {"recovery_points": 6},
        "least": {"recovery_points": 7},
        "long": {"recovery_points": 10000},
        "graded": {"recovery_points": 9999, "weekly_points": 5164},
        "years": {"recovery_points": 30, "monthly_points": 1188, "yearly_points": 100},
        "snaps": {"recovery_points": 7, "snapshot_points": 8},
        "six": {"snapshot_points": 6, "snapshot_policy": "standard"},
        "none": {"snapshot_points": 0, "snapshot_policy": "standard"},
        "thirty": {"snapshot_points": 31, "snapshot_policy": "enhanced"},
        "at-4": {"snapshot_points": 18, "snapshot_policy": "enhanced", "interval_h": 4},
        "at-6": {"snapshot_points": 22, "snapshot_policy": "enhanced", "interval_h": 6},
        "often": {"snapshot_policy": "enhanced", "interval_h": 3},
        "daily": {"snapshot_policy": "standard", "interval_h": 12},
        "weekly": {"recovery_points": 0, "weekly_points": 4, "snapshot_points": 4},
        "weekly-5": {"recovery_points": 0, "weekly_points": 4, "snapshot_points": 5},
        "weekly-e": {
            "recovery_points": 0,
            "weekly_points": 4,
            "snapshot_points": 21,
            "snapshot_policy": "enhanced",
        },
        "offered": {
            "snapshot_policy": "enhanced",
            "snapshot_points": 7,
            "recovery_points": 180,
            "weekly_points": 12,
            "monthly_points": 60,
            "yearly_points": 10,
        },
    }
    usual = {"interval_h": 24, "snapshot_policy": "standard", "snapshot_points": 2}
    usual |= {"weekly_points": 0, "monthly_points": 0, "yearly_points": 0}
    usual |= {"recovery_points": 30}
    for name, kept in policies.items():
        kind = "ultra" if name in ("six", "often") else "premium-ssd"
        rows.append(disk(name, policy=name, vault="x", disk_type=kind, **usual | kept))
    return pd.DataFrame(rows)


DAYS = ("2015-10-15", "2018-12-11", "2023-09-01", "2026-01-28")


def of_check(fleet, day, settings):
    """Return what a check finds, by the rules of a day."""

    def give():
        when = day and datetime.date.fromisoformat(day)
        return answer_of(vm.check(fleet(), Scenario.of(settings=settings), when))

    return give


for _day in DAYS:
    case(f"check/crowded on {_day}")(of_check(crowded_fleet, _day, {}))
    case(f"check/edges on {_day}")(of_check(edge_fleet, _day, {}))
_SET = {"policy_vms": 10, "vault_vms": 11, "recovery_points": 5, "snapshot_points": 6}
_SET |= {"max_churn_gib_per_day": 39, "managed": False, "write_kib": 4, "start_h": 1}
case("check/crowded, set")(of_check(crowded_fleet, None, _SET))
case("check/edges, set")(of_check(edge_fleet, None, _SET | {"cc_mode": True}))
case("check/sample")(of_check(vm.sample_fleet, None, {}))


def _suppression(finding, expires, **where):
    where = finding.place.where | where
    cells = ", ".join(f"{name} = {json.dumps(value)}" for name, value in where.items())
    place = f"{{ {cells} }}" if cells else '"fleet"'
    return (
        f'[[suppress]]\nrule = "{finding.rule.id}"\nwhere = {place}\n'
        f'reason = "Known."\nexpires = {expires}\n'
    )


@case("check/suppressed")
def _():
    from vmbmodel.plan.check import read_suppressions, suppressed

    answer = vm.check(crowded_fleet(), Scenario.of(settings=_SET))
    first, *_, last = answer.findings
    of_all = next(f for f in answer.findings if not f.place.where)
    text = "\n".join(
        [
            _suppression(first, "2026-05-01"),
            _suppression(of_all, "2026-04-30").replace("[[suppress", "[[ suppress "),
            _suppression(last, "2027-01-01", vault="nowhere"),
            _suppression(first, "2026-04-30"),
        ]
    )
    read = of_text(read_suppressions, text)
    found = {"read": read}
    for day in ("2026-04-30", "2026-05-01", "2030-01-02"):
        marked = suppressed(answer, read, datetime.date.fromisoformat(day))
        kept = [(f.place.where, f.suppressed) for f in marked.findings if f.suppressed]
        found[day] = {"kept": kept, "others": marked.others, "worst": marked.worst}
    return found


WRONG_SUPPRESSIONS = (
    "suppress = 3\nother = 1",
    "[[suppress]]\nrule = 'none'\nwhy = 'x'",
    "[[suppress]]\nrule = 3\nreason = ' '\nexpires = '2026'\nwhere = 'vm'",
    "[[suppress]]\nrule = 'x'\nreason = 'a\\u0007'\nexpires = 2026-01-01T00:00:00\n"
    "where = {}",
    "[[suppress]]\nrule = 'x'\nreason = 'a'\nexpires = 2026-01-01\n"
    "where = { start_h = '3', vn = 'x', vault = 4, vm = ' ' }",
    "[[suppress]]\nrule = 'x'\nreason = 'a'\nexpires = 2026-01-01\n"
    "where = { start_h = true }",
    "suppress = [",
)


@case("check/suppressions refused")
def _():
    from vmbmodel.plan.check import read_suppressions
    from vmbmodel.service import rules

    inline = "suppress = [{ rule = '%s', where = { start_h = 3 }, "
    inline = inline % rules()[0].id + "reason = 'a', expires = 2026-01-01 }]"
    texts = (*WRONG_SUPPRESSIONS, inline, "")
    return [of_text(read_suppressions, text) for text in texts]


PLANS = {
    "edges": (edge_fleet, {"eight_hours": "own"}, {}),
    "jam": (
        lambda: crowd(9, vault="v", start_h=22),
        {"vault_servers": 2, "service_h": 2, "start_slack_h": 1},
        {"blackout": [(6, 20), (1, 1.5)], "done_by_h": 6},
    ),
    "kept": (
        lambda: crowd(4, vault="v", policy="p", start_h=22),
        {"vault_servers": 1, "start_slack_reading": "none", "policy_vms": 2},
        {"keep": ["v001"], "done_by_h": 5.5},
    ),
    "accounts": (
        lambda: some(*(f"classic-{n}" for n in range(6))),
        {"account_disks": 4, "vault_vms": 3, "vault_servers": 3},
        {"blackout": [(8, 18)]},
    ),
    "overload": (
        small,
        {"eight_hours": "overload", "vault_servers": 2},
        {"keep": ["old"]},
    ),
    "no room": (
        lambda: crowd(5, vault="v"),
        {"vault_servers": 1, "vault_vms": 1},
        {"blackout": [(0.5, 24)]},
    ),
    "no room beside": (
        lambda: crowd(3, vault="v", start_h=1.5),
        {"vault_servers": 9, "vault_vms": 1, "start_slack_reading": "none"},
        {"keep": ["v001"], "blackout": [(2, 1.5)]},
    ),
    "at ease": (
        lambda: crowd(4, vault="v", start_h=13.5),
        {"start_slack_reading": "none"},
        {},
    ),
    "kept in the way": (
        lambda: crowd(3, vault="v", start_h=1.5),
        {"vault_servers": 9, "vault_vms": 1, "start_slack_reading": "none"},
        {"keep": ["v001"], "blackout": [(3, 1)]},
    ),
    "too late": (lambda: crowd(3), {}, {"blackout": [(4, 22)], "done_by_h": 22.25}),
}


def of_plan(fleet, settings, how):
    """Return a plan of starts."""

    def give():
        plan = answered(vm.schedule, fleet(), Scenario.of(settings=settings), **how)
        return plan if isinstance(plan, str) else answer_of(plan)

    return give


for _name, _arguments in PLANS.items():
    case(f"schedule/{_name}")(of_plan(*_arguments))

WRONG_PLANS = {
    "names": {"keep": ["v0O1", "nobody", "v001"]},
    "hours": {"blackout": [(25, 3), (4, 4), (-1, 2)], "done_by_h": 24.5},
    "no end": {"blackout": [(0, 24)], "done_by_h": 0.0},
}


@case("schedule/refused")
def _():
    fleet = crowd(3, vault="v", start_h=22)
    found = {n: answered(vm.schedule, fleet, **how) for n, how in WRONG_PLANS.items()}
    busy = crowd(4, vault="v").assign(used_gib=5e4, size_gib=6e4, churn_gib_per_day=4e4)
    found["work"] = answered(
        vm.schedule, busy, Scenario.of(settings={"vault_servers": 1})
    )
    full = {"vault_vms": 2, "account_disks": 3, "vault_servers": 9}
    in_one = fleet.assign(managed=False, storage_account="one")
    scenario = Scenario.of(settings=full)
    for name, blackout in (("no room", [(1, 24)]), ("little room", [(2.5, 24)])):
        how = {"blackout": blackout}
        found[name] = answered(vm.schedule, crowd(9, vault="v"), scenario, **how)
    found["of an account"] = answered(
        vm.schedule,
        pd.concat([in_one, some("classic-0")]),
        scenario,
        blackout=[(1, 24)],
    )
    return {n: f if isinstance(f, str) else answer_of(f) for n, f in found.items()}


# --- logs and bills ------------------------------------------------------------------


def job_log(nights=12, vms=8, phases=True, grid_min=0):
    """Return a log whose figures are multiples of the golden section."""
    share = (np.arange(1, nights * vms + 1) * 0.6180339887498949) % 1
    other = (np.arange(1, nights * vms + 1) * 0.7548776662466927) % 1
    moved = 2 + 40 * other**2
    late = np.maximum(-1.5 * np.log((1 - share) / 0.7), 0)
    snapshot, transfer = 0.2 + 0.2 * other, moved / 70 * (0.8 + 0.4 * share)
    begin = pd.Timestamp("2026-03-01T22:00:00Z")
    night = np.repeat(np.arange(nights), vms)
    hour = np.tile(np.arange(vms) % 3, nights)
    total = snapshot + late + transfer
    if grid_min:
        total = np.ceil(total * 60 / grid_min) * grid_min / 60
    log = pd.DataFrame(
        {
            "vm": [f"v{n}" for n in np.tile(np.arange(vms), nights)],
            "operation": "Backup",
            "status": "Completed",
            "start_time": begin + pd.to_timedelta(night * 24 + hour, unit="h"),
            "job_h": total,
            "snapshot_h": snapshot,
            "wait_h": late,
            "transfer_h": transfer,
            "moved_gib": moved,
        }
    )
    if not phases:
        log[["snapshot_h", "wait_h", "transfer_h"]] = np.nan
    restores = log.iloc[:12].assign(operation="Restore", moved_gib=20.0 * moved[:12])
    restores["job_h"] = 0.4 + 0.8 * share[:12]
    setups = log.iloc[:5].assign(
        operation="ConfigureBackup", job_h=0.01 + share[:5] / 99
    )
    return pd.concat([log, restores, setups], ignore_index=True)


LOGS = {
    "phases": {},
    "totals": {"phases": False, "nights": 8, "vms": 6},
    "grid": {"phases": False, "nights": 8, "vms": 6, "grid_min": 15},
}


def of_log(how):
    """Return a profile fitted to a log, and its file."""

    def give():
        fitted = vm.calibrate(job_log(**how))
        return answer_of(fitted) | {"readings": dict(fitted.scenario.profile.readings)}

    return give


for _name, _how in LOGS.items():
    case(f"calibrate/{_name}")(of_log(_how))


def logged(log, base="azure-2026-01", fleet=None, **how):
    """Return what a log says, and the file of the profile, or why there is none."""
    fitted = answered(vm.calibrate, log, base, fleet, **how)
    if isinstance(fitted, str):
        return fitted
    text = fitted.to_toml("log.json", datetime.date(2026, 5, 1))
    own = fresh(text, fitted.base.text)
    origins = fitted.scenario.profile.origins
    laws = {n: o.prior for n, o in origins.items() if n in fitted.fits and o.prior}
    said = answer_of(fitted)
    if len(fitted.backups):
        said["done"] = fitted.done_frac([0.5, 2.0])
    # in the text alone the last of some digits may be another one elsewhere
    said["toml"] = [
        re.sub(r"\d[\d.]*(e-\d+)?", "9", line) for line in own if "sample" not in line
    ]
    said["laws"] = {n: (law.low, law.high) for n, law in laws.items()}
    return said | {"samples": {n: law.sample[:9] for n, law in laws.items()}}


def of_inventory():
    """Return an inventory of the VMs of a log: two disks, two of a name, two starts."""
    rows = []
    for number in range(6):
        of = f"/subscriptions/s/groups/g/V{number}"
        cells = {"start_h": 22 - number % 3, "vault": "v", "policy": f"p{number % 3}"}
        if number == 1:
            cells |= {"interval_h": 8, "window_h": 12, "snapshot_policy": "enhanced"}
        rows.append(disk(of, used=40 + number, churn_gib_per_day=1 + number, **cells))
        rows.append(disk(of, "data", 512, 90 - 7 * number, **cells))
    rows.append(disk("/subscriptions/other/groups/g/v5", used=3))
    return pd.DataFrame(rows)


def with_firsts(log):
    """Set up the protection of all VMs before their first night."""
    first = log[log["operation"] == "Backup"].drop_duplicates("vm")
    begun = first["start_time"] - pd.Timedelta(hours=3)
    setups = first.assign(operation="ConfigureBackup", job_h=0.02, start_time=begun)
    return pd.concat([setups, log], ignore_index=True)


def spread_over_hours(log, vary=True):
    """Let jobs start at hours that change from night to night, and wait by them."""
    backup = log["operation"] == "Backup"
    number = log.index.to_numpy()
    hour = (number + number // 8 if vary else number % 8) % 4
    later = pd.to_timedelta(np.where(backup, hour * 30, 0), unit="min")
    more = np.where(backup, hour, 0) * 1.5
    log = log.assign(start_time=log["start_time"].dt.floor("D") + later)
    return log.assign(wait_h=log["wait_h"] + more, job_h=log["job_h"] + more)


def _few_nights():
    return job_log(nights=6, vms=6)


def _totals():
    return job_log(nights=9, vms=5, phases=False)


OF_LOGS = {
    "by an inventory": lambda: logged(
        with_firsts(_totals()).assign(moved_gib=np.nan), fleet=of_inventory()
    ),
    "in decimal GB": lambda: logged(
        with_firsts(_few_nights()), fleet=of_inventory(), gb_bytes=1e9
    ),
    "few nights": lambda: logged(_few_nights()),
    "hours differ": lambda: logged(spread_over_hours(job_log(nights=9))),
    "one hour each": lambda: logged(spread_over_hours(job_log(nights=9), vary=False)),
    "no wait": lambda: logged(
        job_log(nights=9, vms=4).assign(wait_h=0.0),
        vm.profile("azure-2018-12").modified(snapshot_h=0.7, servers=11),
    ),
    "alike": lambda: logged(with_firsts(job_log(nights=9, vms=4).assign(moved_gib=20))),
    "around noon": lambda: logged(
        job_log(nights=9, vms=6).assign(
            start_time=lambda log: log["start_time"] - pd.Timedelta("10h25min")
        )
    ),
    "at the beginning": lambda: logged(
        job_log(nights=9, vms=5).assign(
            transfer_h=lambda log: log["transfer_h"] + 0.3,
            job_h=lambda log: log["job_h"] + 0.3,
        )
    ),
    "alike in all": lambda: {
        name: entry
        for name, entry in logged(_totals().assign(moved_gib=20.0)).items()
        if name in ("left", "unknowable", "notes")
    },
    "unlike": lambda: logged(
        _totals().assign(moved_gib=lambda log: np.roll(log["moved_gib"], 7) ** 2)
    ),
    "fast": lambda: logged(
        job_log(nights=9, vms=4).assign(
            transfer_h=lambda log: log["transfer_h"] / 40,
            moved_gib=lambda log: log["moved_gib"] * 3,
        )
    ),
    "restores": lambda: logged(job_log(nights=40, vms=2).assign(operation="Restore")),
    "restores of nothing": lambda: logged(
        job_log(nights=30, vms=2, phases=False).assign(
            operation="Restore",
            moved_gib=lambda log: log["moved_gib"].where(log.index % 5 > 0, 0.0),
        )
    ),
    "restores alone": lambda: logged(
        job_log(nights=30, vms=2, phases=False).assign(
            operation="Restore", job_h=lambda log: np.roll(log["job_h"], 3)
        )
    ),
    "too little": lambda: logged(job_log(nights=2, vms=3).iloc[:9]),
}

for _name, _give in OF_LOGS.items():
    case(f"calibrate/{_name}")(_give)


def a_bill(currency="USD"):
    """Return a bill of two months, with all lines and charges of others."""
    from vmbmodel.inventory.bill import LINES, Bill

    rows = [
        {"month": month, "vault": vault if line != "snapshots" else "", "line": line}
        | {"quantity": 3.5 + 40 * number, "cost": 20 + 3.5 * number}
        for month in ("2026-01", "2026-02")
        for vault in ("vault-a", "vault-c", "elsewhere")
        for number, line in enumerate(LINES)
        if line != "snapshots" or vault == "vault-a"
    ]
    covered = {"2026-01": 1.0, "2026-02": 0.5}
    others = {"Azure Files Protected Instance": 4.5}
    own, unknown = {"LRS Snapshots": 2.25}, {"Odd Snapshots": 1.5}
    return Bill(pd.DataFrame(rows), covered, currency, others, 40, 7, own, unknown)


@case("bill/reconciled")
def _():
    return answer_of(vm.reconcile(edge_fleet(), a_bill()))


@case("bill/reconciled in euros")
def _():
    settings = {"storage_discount_frac": 0.1, "snapshot_policy": "enhanced"}
    how = {"stopped": some("full", "kept-long"), "usd_per_unit": 1.1}
    scenario = Scenario.of(settings=settings)
    return answer_of(vm.reconcile(edge_fleet(), a_bill("EUR"), scenario, **how))


@case("bill/one vault")
def _():
    fleet = small().drop(columns="vault")
    return answer_of(vm.reconcile(fleet, a_bill(), stopped=some("bare")))


@case("bill/refused")
def _():
    given = [("USD", 1.0), ("EUR", None), ("EUR", 0.0), ("EUR", math.inf)]
    return {
        f"{currency} {rate}": answered(
            lambda c, r: vm.reconcile(small(), a_bill(c), usd_per_unit=r),
            currency,
            rate,
        )
        for currency, rate in given
    }


def _life(*events):
    from vmbmodel.plan.bill import Event

    return [Event(datetime.date.fromisoformat(day), *rest) for day, *rest in events]


LIVES = {
    "long": _life(
        ("2024-01-10", "backup", 40, 41, 1),
        ("2024-01-20", "backup", 500, 520, 5),
        ("2024-02-29", "stop"),
        ("2024-03-05", "resume"),
        ("2024-03-06", "backup", 501, 700, 9),
        ("2024-04-01", "delete"),
        ("2024-04-10", "undelete"),
        ("2024-04-11", "resume"),
        ("2024-04-12", "backup", 50, 80, 0),
        ("2024-05-02", "delete"),
        ("2024-06-30", "backup", 51, 60, 2),
    ),
    "wrong": _life(
        ("2024-01-10", "stop"),
        ("2024-01-11", "backup", -1, 2, 3),
        ("2024-01-12", "backup", 1, 2, 3),
        ("2024-01-12", "undelete"),
        ("2024-01-13", "sleep"),
    ),
    "leap day": _life(
        ("2024-02-29", "backup", 40, 41, 1),
        ("2024-03-31", "stop"),
    ),
    "of nothing": _life(("2024-01-10", "backup"), ("2024-03-01", "delete")),
    "empty": [],
}


def of_life(name, **how):
    """Return the bill of a life."""

    def give():
        from vmbmodel.plan.bill import bill_of_life

        prices = vm.prices("azure-list-2026-01")
        return answered(bill_of_life, LIVES[name], 8, prices, **how)

    return give


for _name in LIVES:
    case(f"bill/life, {_name}")(of_life(_name))
_longer = {"soft_delete_h": 720.0, "redundancy": "LRS", "snapshot_policy": "enhanced"}
case("bill/life, longer")(of_life("long", **_longer))
case("bill/life, too short")(of_life("long", soft_delete_h=335.0))

KEPT = {
    "daily": {"daily_points": 7},
    "weekly": {"daily_points": 0, "weekly_points": 5, "weekday": 2},
    "first sunday": {
        "daily_points": 7,
        "weekly_points": 4,
        "monthly_points": 13,
        "yearly_points": 3,
    },
    "last friday": {
        "daily_points": 10,
        "weekly_points": 3,
        "monthly_points": 14,
        "weekday": 4,
        "month_week": -1,
        "month": 2,
        "yearly_points": 2,
    },
    "last day": {
        "daily_points": 9,
        "monthly_points": 12,
        "month_week": None,
        "month_day": -1,
        "month": 2,
        "yearly_points": 4,
    },
    "leap day": {
        "daily_points": 7,
        "monthly_points": 3,
        "month_week": None,
        "month_day": -1,
        "month": 2,
        "yearly_points": 3,
    },
    "left six": {"daily_points": 7, "monthly_points": 10, "yearly_points": 1},
    "left seven": {"daily_points": 7, "monthly_points": 9, "month_week": 2},
    "wrong": {"daily_points": 6, "weekday": 7, "month_week": 5, "month": 0},
    "wrong day": {"daily_points": 9999, "month_week": None, "month_day": 29},
    "none": {"daily_points": 0, "weekly_points": -1, "yearly_points": 100},
}


def of_kept(how):
    """Return the points that a policy keeps on some days, and which are archived."""

    def give():
        from vmbmodel.plan.bill import RetentionPolicy, live_points

        policy = answered(RetentionPolicy, **how)
        if isinstance(policy, str):
            return policy
        result = {}
        for text in ("2024-02-29", "2024-03-15", "2026-12-31"):
            day = datetime.date.fromisoformat(text)
            points = live_points(policy, day)
            result[text] = {
                "days": [str(d) for d in points.days if (day - d).days > 10],
                "gaps": points.gaps[-12:],
                "archived": [str(d) for d in points.days if policy.archives(d, day)],
                "since": len(live_points(policy, day, first=day.replace(day=1))),
                "until": len(live_points(policy, day, last=day.replace(day=2))),
                "horizon": policy.horizon_days,
                "none": live_points(policy, day, first=day, last=day).days[1:],
                "refused": answered(
                    live_points, policy, day, first=day, last=datetime.date(2020, 1, 1)
                ),
            }
        return result

    return give


for _name, _how in KEPT.items():
    case(f"bill/kept, {_name}")(of_kept(_how))


@case("bill/months")
def _():
    from vmbmodel.plan.bill import backup_instant, month_edges_h

    day, zones = datetime.date(2024, 2, 10), ("UTC", "Europe/Berlin", "Nowhere/None")
    asked = [(zone, hour) for zone in zones for hour in (0, 2.5, 23.99, 24)]
    return {
        "edges": [answered(month_edges_h, day, 14, zone) for zone in zones],
        "none": answered(month_edges_h, day, 0),
        "instants": [
            str(answered(backup_instant, datetime.date(2024, 10, 27), hour, zone))
            for zone, hour in asked
        ],
    }


# --- plans, at their edges -----------------------------------------------------------


def lengths(vms, churn=3.0, of=0, **cells):
    """Return VMs of one policy that each take another time, named from a number on."""
    cells |= {"size": 4096, "used": 3000, "dispersion": 0}
    return pd.DataFrame(
        disk(f"l{n:03}", churn_gib_per_day=churn * n, **cells)
        for n in range(of + 1, of + vms + 1)
    )


def tried(fleet, scenario, **how):
    """Return a plan, and what was estimated on the way to it."""
    from vmbmodel.plan.schedule import answer, search

    values, asked, steps = [], [], []
    value, law = search.Value, answer.backup

    def valued(*aims):
        values.append(aims)
        return value(*aims)

    @functools.wraps(law)
    def estimated(columns, *arguments, **settings):
        asked.append(len(columns["start_h"]))
        return law(columns, *arguments, **settings)

    def progress(*step):
        steps.append(step)

    with (
        mock.patch.object(search, "Value", valued),
        mock.patch.object(answer, "backup", estimated),
    ):
        plan = answered(vm.schedule, fleet, scenario, progress=progress, **how)
    # how many run at an hour at which one ends hangs on the last digit of that end
    without = {*_SAID_ONCE, "running", *(["vms"] if len(fleet) > 40 else [])}
    said = {"plan": plan if isinstance(plan, str) else answer_of(plan, without)}
    sums = np.sum(values, axis=0) if values else []
    return said | {
        "tried": [len(values), *sums],
        "estimated": [len(asked), sum(asked)],
        "steps": steps,
    }


def in_accounts():
    """Return VMs of two vaults and two policies whose disks share an account."""
    fleet = pd.concat(
        [
            lengths(4, vault="v", policy="p", start_h=22, churn=9.0),
            lengths(4, vault="w", policy="q", start_h=22.5, churn=9.0, of=4),
            pd.DataFrame([disk("l007", "data", 90, 50, vault="w", policy="q")]),
        ]
    )
    return fleet.assign(
        managed=False, storage_account=np.where(fleet.index % 4 < 3, "one", "two")
    )


def between_half_hours():
    """Return VMs that start at hours of which a policy of half-hours has none."""
    hours = (22.25, 22.25, 3.1, 9.75)
    return lengths(4, vault="v", churn=30.0).assign(
        start_h=hours, policy=["p", "p", "q", "r"]
    )


def alike():
    """Return VMs of one vault of which three are alike."""
    fleet = lengths(5, vault="v", policy="p", start_h=23, churn=40.0)
    fleet["churn_gib_per_day"] = [120.0, 120.0, 120.0, 60.0, 200.0]
    return fleet


def with_two_lengths():
    """Return VMs of which one is done in time only if it starts first."""
    fleet = lengths(4, vault="v", policy="p", start_h=23, churn=9.0)
    fleet["churn_gib_per_day"] = [500.0, 1.0, 1.0, 1.0]
    return fleet


_AT_ONCE = {"start_slack_reading": "none", "others_wait_mean_h": 0.0}
TRIED = {
    "midnight": (
        lambda: lengths(26, vault="v", policy="p", start_h=22, churn=12.0),
        _AT_ONCE | {"vault_servers": 2},
        {"blackout": [(6, 21.5)]},
    ),
    "midnight, limited": (
        lambda: lengths(18, vault="v", policy="p", start_h=23.5, churn=12.0),
        _AT_ONCE | {"vault_servers": 1, "vault_vms": 1, "policy_vms": 5},
        {"blackout": [(9, 20)], "keep": ["l003"]},
    ),
    "thirteen": (
        lambda: lengths(13, vault="v", policy="p", start_h=1.0, churn=20.0),
        {"vault_servers": 3, "deadline_h": 3},
        {"blackout": [(5, 23)], "done_by_h": 12},
    ),
    "twelve": (
        lambda: lengths(12, vault="v", start_h=1.0, churn=20.0).assign(
            policy=["p", "q", "r"] * 4
        ),
        {"vault_servers": 2, "deadline_h": 2.5, "start_slack_reading": "none"},
        {"blackout": [(2.5, 23)]},
    ),
    "in accounts": (
        in_accounts,
        {"account_disks": 3, "vault_servers": 2, "start_slack_h": 0.5},
        {"blackout": [(1.5, 21.5)]},
    ),
    "no room at full hours": (
        lambda: lengths(4, vault="v", start_h=1.0, churn=9.0),
        _AT_ONCE | {"vault_servers": 2, "vault_vms": 1},
        {"blackout": [(2, 24)]},
    ),
    "between half-hours": (
        between_half_hours,
        {"vault_servers": 1, "start_slack_h": 0.5, "deadline_h": 5},
        {"blackout": [(3.5, 22)], "done_by_h": 9.5},
    ),
    "alike": (
        alike,
        _AT_ONCE | {"vault_servers": 1, "deadline_h": 2},
        {"blackout": [(1, 22.5)]},
    ),
    "alike, without a line": (
        alike,
        {"vault_servers": 9, "eight_hours": "overload", "deadline_h": 9},
        {"blackout": [(2, 20)], "keep": ["l004"]},
    ),
    "too much for the night": (
        lambda: lengths(14, vault="v", policy="p", start_h=23, churn=20.0),
        _AT_ONCE | {"vault_servers": 1},
        {"blackout": [(0, 22.5)]},
    ),
    "apart": (
        with_two_lengths,
        _AT_ONCE | {"vault_servers": 1},
        {"blackout": [(0, 22.5)], "done_by_h": 3.5},
    ),
    "in one pool": (
        lambda: lengths(2, vault="v", policy="p", start_h=22, churn=30.0),
        {"eight_hours": "overload", "line_reading": "one-pool", "deadline_h": 9},
        {"blackout": [(3, 24)]},
    ),
    "many": (
        lambda: lengths(160, vault="v", policy="p", start_h=22, churn=1.0),
        {"vault_servers": 8, "deadline_h": 6},
        {"blackout": [(6, 20)], "keep": ["l010", "l011"]},
    ),
}


def of_tried(fleet, settings, how):
    """Return a plan, and what was estimated on the way to it."""
    return lambda: tried(fleet(), Scenario.of(settings=settings), **how)


for _name, (_fleet, _settings, _how) in TRIED.items():
    case(f"tried/{_name}")(of_tried(_fleet, _settings, _how))


@case("tried/of many lengths")
def _():
    scenario = by_hour().changed({"vault_servers": 99, "deadline_h": 3})
    fleet = lengths(70, vault="v", start_h=22.5, churn=4.0).assign(
        policy=["p", "q"] * 35
    )
    return {
        f"{done}": tried(fleet, scenario, blackout=[(6, 20)], done_by_h=done)
        for done in (None, 9.0)
    }


# of logs that are odd in one way


def _slowed(log, phase="transfer_h", by=0.0):
    return log.assign(**{phase: log[phase] + by, "job_h": log["job_h"] + by})


def _shuffled(log, column, by=7):
    backup = log["operation"] == "Backup"
    return log.assign(**{column: log[column].where(~backup, np.roll(log[column], by))})


def _with_large_firsts():
    log = with_firsts(job_log(nights=9, vms=10, phases=False))
    first = (log["operation"] == "Backup") & ~log["vm"].where(
        log["operation"] == "Backup"
    ).duplicated()
    return log.assign(
        moved_gib=log["moved_gib"].where(~first, log["moved_gib"] * 30),
        job_h=log["job_h"].where(~first, log["job_h"] * 30),
    )


def _restores(count=30, **columns):
    log = job_log(nights=count, vms=1, phases=False).iloc[:count]
    return log.assign(operation="Restore", **columns)


ODD_LOGS = {
    "one hour each, mostly": lambda: logged(
        spread_over_hours(job_log(nights=10), vary=False).assign(
            start_time=lambda log: (
                log["start_time"]
                + pd.to_timedelta(np.where(log.index % 20 == 3, 4, 0), unit="h")
            )
        )
    ),
    "small moves": lambda: logged(
        job_log(nights=9, vms=4).assign(moved_gib=lambda log: log["moved_gib"] / 40)
    ),
    "restores of a size and its double": lambda: logged(
        _restores(
            moved_gib=lambda log: 9.0 + 9.0 * (log.index % 2),
            transfer_h=lambda log: 0.1 + log["moved_gib"] / 50,
            job_h=lambda log: 0.2 + log["moved_gib"] / 50,
        )
    ),
    "nights enough": lambda: logged(job_log(nights=26, vms=4)),
    "nights enough, totals": lambda: logged(job_log(nights=24, vms=3, phases=False)),
    "nights that differ": lambda: logged(
        _shuffled(job_log(nights=24, vms=3), "wait_h", by=1).assign(
            wait_h=lambda log: log["wait_h"] * (1 + 9 * (log.index > 48)),
            job_h=lambda log: log["job_h"] + 9 * log["wait_h"] * (log.index > 48),
        )
    ),
    "one half-hour": lambda: logged(
        job_log(nights=9, vms=4).assign(
            start_time=lambda log: (
                log["start_time"].dt.floor("D") + pd.Timedelta("22h25min")
            )
        )
    ),
    "nothing beside": lambda: logged(
        job_log(nights=9, vms=4).assign(
            job_h=lambda log: log["wait_h"] + log["transfer_h"]
        )
    ),
    "all wait": lambda: logged(_slowed(job_log(nights=9, vms=4), "wait_h", 0.5)),
    "transfers at random": lambda: logged(
        _shuffled(_slowed(job_log(nights=9, vms=4), by=1.0), "moved_gib")
    ),
    "without sizes": lambda: logged(_totals().assign(moved_gib=np.nan)),
    "few sizes": lambda: logged(
        _totals().assign(moved_gib=lambda log: log["moved_gib"].where(log.index < 19))
    ),
    "sizes just enough": lambda: logged(
        _totals().assign(moved_gib=lambda log: log["moved_gib"].where(log.index < 20))
    ),
    "short waits": lambda: logged(
        _totals().assign(
            job_h=lambda log: log["job_h"] * 0.2 + 0.9 + log["moved_gib"] / 90
        )
    ),
    "large firsts": lambda: logged(_with_large_firsts()),
    "large firsts that tell nothing": lambda: logged(
        _with_large_firsts().assign(job_h=job_log(9, 10)["job_h"].mean())
    ),
    "crowded nights": lambda: logged(
        job_log(nights=9, vms=6).loc[
            lambda log: (log["vm"] < "v4") | (log.index % 12 < 6)
        ]
    ),
    "restores at random": lambda: logged(
        _restores(transfer_h=lambda log: np.roll(log["moved_gib"], 5) / 70)
    ),
    "restores, slow to begin": lambda: logged(
        _restores(
            transfer_h=lambda log: 0.4 + log["moved_gib"] / 70,
            job_h=lambda log: 0.6 + log["moved_gib"] / 60,
        )
    ),
    "restores of one size": lambda: logged(_restores(moved_gib=9.0)),
    "restores, eight": lambda: logged(
        _restores(8, transfer_h=lambda log: log["moved_gib"] / 80)
    ),
    "restores, faster than a blob": lambda: logged(
        _restores(
            transfer_h=lambda log: log["moved_gib"] / 400,
            job_h=lambda log: log["moved_gib"] / 400,
        ),
        vm.profile("azure-2026-01").modified(blob_mib_s=20.0),
    ),
    "restores, steady": lambda: logged(
        _restores(job_h=lambda log: 0.3 + log["moved_gib"] / 50 + log["job_h"] / 99)
    ),
}

for _name, _give in ODD_LOGS.items():
    case(f"logs/{_name}")(_give)


@case("logs/of many restores")
def _():
    from vmbmodel.plan.calibrate import fits

    with mock.patch.object(fits, "MOST_PAIRED", 25):
        return logged(_restores(40, job_h=lambda log: 0.3 + log["moved_gib"] / 50))


# checks, bills and estimates


@case("plan/check in words")
def _():
    zero = crowd(3, vault="v", start_h=22, policy="p")
    fleets = {
        "crowded": crowded_fleet(),
        "sample": vm.sample_fleet(),
        "one start": zero,
        "one start known": pd.concat([zero, crowd(1).assign(vm="x", start_h=np.nan)]),
        "two starts": zero.assign(start_h=[22, 22, 21.5]),
        "one": zero[:1],
        "in one account": zero.assign(managed=False, storage_account="one"),
        "sizes": pd.DataFrame(
            [
                disk("at", size=s, used=9, churn_gib_per_day=s / 40, write_kib=8)
                for s in (4095, 8000, 8192, 32767, 32768, 65536)
            ]
        ).assign(vm=list("abcdef")),
    }
    found, limits = {}, {"vault_vms": 2, "policy_vms": 3}
    for name, fleet in fleets.items():
        for day in (DAYS[1], DAYS[3]):
            when = datetime.date.fromisoformat(day)
            settings = limits if name == "one start" else {}
            told = vm.check(fleet, Scenario.of(settings=settings), when)
            found[f"{name} {day}"] = {
                "worst": told.worst(),
                "count": told.count(),
                "said": told.said(),
                "rules": told.rules_said(),
                "nothing": told.nothing_said(),
                "needs": told.needs_said(),
                "broken": [(f.rule.id, f.place) for f in told.findings][:12],
            }
    early = Scenario.of(limits="2015-09", settings={"vault_protected_vms": 2})
    told = vm.check(zero, early, datetime.date.fromisoformat(DAYS[0]))
    own = vm.check(zero, by_hour()).to_dict()["model"]
    return found | {
        "protected": [f.place for f in told.findings],
        "sets": {name: list(of) for name, of in own.items()},
    }


@case("plan/bills at the edges")
def _():
    bill, nothing = a_bill(), small().assign(excluded=True)
    meters = {f"Meter {n}": (-1.0) ** n * n for n in range(1, 13)}
    covered = {"2026-01": 1.0, "2026-02": 1.0}
    more = dataclasses.replace(
        bill, other=meters, own_snapshots={}, covered_frac=covered
    )
    half = bill.rows.assign(
        quantity=lambda rows: rows["quantity"].where(rows["line"] != "instances", 0.0)
    )
    return {
        "nothing": answered(vm.reconcile, nothing, bill).to_dict(),
        "more meters": answer_of(vm.reconcile(edge_fleet(), more)),
        "no instances": answer_of(
            vm.reconcile(small(), dataclasses.replace(bill, rows=half))
        ),
        "euros for dollars": answer_of(
            vm.reconcile(small(), a_bill("EUR"), usd_per_unit=0.5)
        ),
    }


@case("plan/deleted for some days")
def _():
    from vmbmodel.plan.bill import bill_of_life

    prices, found = vm.prices("azure-list-2026-01"), {}
    for days, kept_h in itertools.product((1, 13, 14, 15, 20, 29, 30, 31), (336, 720)):
        for then in ("undelete", "backup"):
            gone = datetime.date(2024, 3, 1) + datetime.timedelta(days=days)
            life = _life(
                ("2024-01-31", "backup", 50, 60, 7),
                ("2024-03-01", "delete"),
                (gone.isoformat(), then, 70, 80, 9),
            )
            bill = answered(bill_of_life, life, 4, prices, soft_delete_h=kept_h)
            found[f"{days} {kept_h} {then}"] = bill
    return found


EDGES_KEPT = {
    "yearly alone": {"daily_points": 60, "yearly_points": 3},
    "yearly, long": {"daily_points": 100, "yearly_points": 99, "month": 12},
    "weekly, by the day": {
        "daily_points": 0,
        "weekly_points": 5,
        "monthly_points": 2,
        "month_week": None,
    },
    "weekly, third": {
        "daily_points": 0,
        "weekly_points": 52,
        "monthly_points": 12,
        "month_week": 3,
        "weekday": 0,
    },
    "days enough": {"daily_points": 7, "monthly_points": 9, "month_week": 4},
    "day 28": {
        "daily_points": 400,
        "monthly_points": 24,
        "month_week": None,
        "month_day": 28,
    },
    "all in one": {
        "daily_points": 9999,
        "weekly_points": 5163,
        "monthly_points": 1188,
        "yearly_points": 99,
    },
}


def of_archived(how):
    """Return which days are archived when, of each day of some months."""

    def give():
        from vmbmodel.plan.bill import RetentionPolicy, live_points

        policy = answered(RetentionPolicy, **how)
        if isinstance(policy, str):
            return policy
        first, found = datetime.date(2022, 11, 1), {}
        days = [first + datetime.timedelta(days=n) for n in range(150)]
        for after in (0, 30, 93, 94, 120, 186, 279, 400, 1100, 1101, 3000):
            for left in (6, 0):
                kept = [
                    str(day)
                    for day in days
                    if policy.archives(
                        day,
                        day + datetime.timedelta(days=after),
                        archive_left_months=left,
                    )
                ]
                live = [
                    str(day)
                    for day in days
                    if policy.keeps(day, day + datetime.timedelta(days=after))
                ]
                found[f"{after} {left}"] = [len(kept), *kept[:4], len(live), *live[:4]]
        early = live_points(policy, datetime.date(2, 3, 1))
        return found | {"horizon": policy.horizon_days, "early": [*early.days[:3]]}

    return give


for _name, _how in EDGES_KEPT.items():
    case(f"plan/archived, {_name}")(of_archived(_how))


@case("plan/crowded of 2018")
def _():
    return estimated(crowded_fleet(), {}, "azure-2018-12", months=3)


RESTORED = {
    "published": {},
    "in two accounts": {"restore_accounts": 2, "account_ingress_mib_s": 60.0},
    "in a line": {"vault_servers": 2, "account_ingress_mib_s": 90.0},
    "by rates": {"restore_law": "rates", "restore_accounts": 1, "account_iops": 300.0},
    "first": {"restore_law": "rates", "eight_hours": "overload"},
    "behind": {
        "restore_law": "rates",
        "eight_hours": "overload",
        "restore_first": False,
    },
    "replaced": {"restore_as": "replace", "replace_h": 3.0, "rto_h": 0.5},
    "no line": {"restore_law": "rates", "eight_hours": "own", "restore_known_gib": 5.0},
}


@case("plan/restored")
def _():
    fleet = some("huge", "above-500", "full", "empty", "classic-0", "checked", "bare")
    fleet = pd.concat([fleet.assign(vault="one"), some("at-500", "left-out", "ultra")])
    found = {}
    for name, settings in RESTORED.items():
        settings = {n: v for n, v in settings.items() if n in Scenario.of()}
        result = vm.estimate(fleet, Scenario.of(settings=settings))
        names = [c for c in result.vms if "restore" in c or c == "rto_prob"]
        found[name] = {"total": result.total, "vms": result.vms[names]}
    return found


@case("plan/busy accounts")
def _():
    fleet = pd.DataFrame(
        [
            disk(f"c{n}", "os", 500, 400, managed=False, storage_account="one")
            | {"churn_gib_per_day": 9.0 * (n % 4), "start_h": 22 + n % 2 / 2}
            | {"write_kib": 4 + 60 * (n % 3), "vault": "v", "first_backup": n == 7}
            for n in range(8)
        ]
    )
    ways = {
        "usual": {},
        "few requests": {"account_iops": 200.0},
        "few bytes": {"account_mib_s": 9.0},
        "in use": {"application_frac": 0.9, "account_iops": 400.0},
        "a line": {"vault_servers": 2, "account_mib_s": 30.0, "transfer_scv": 1e-12},
    }
    found = {}
    for name, settings in ways.items():
        result = vm.estimate(fleet, Scenario.of(settings=settings))
        names = ["transfer_h", "own_line_mean_h", "done_p95_h", "restore_vault_p95_h"]
        found[name] = {"total": result.total, "vms": result.vms[names]}
    return found


@case("plan/months that pass a step")
def _():
    rows = [
        disk("at", size=64, used=50, churn_gib_per_day=1),
        disk("below", size=64, used=40, churn_gib_per_day=100, first_backup=True),
        disk("step", size=2048, used=500, churn_gib_per_day=199),
        disk("above", size=2048, used=980, churn_gib_per_day=200),
        disk("none", size=64, used=0, churn_gib_per_day=0),
        disk("late", size=4096, used=3000, churn_gib_per_day=260),
        disk("risky", size=4096, used=3000, churn_gib_per_day=700),
    ]
    found = {}
    for growth, churn in ((0.5, None), (0.3, 1.0), (0.0, 0.4), (0.1, 0.0)):
        settings = {"yearly_growth_frac": growth, "deadline_h": 9}
        settings |= {} if churn is None else {"yearly_churn_growth_frac": churn}
        settings |= {"others_wait_mean_h": 1.0}
        result = vm.estimate(
            pd.DataFrame(rows), Scenario.of(settings=settings), months=15
        )
        found[f"{growth} {churn}"] = {
            "months": result.months,
            "said": [n for n in result.warnings if n.code.endswith("step")],
        }
    return found


@case("plan/doubts of own sets")
def _():
    fleet = lengths(4, vault="v", churn=9.0).assign(start_h=[0, 6, 12, 18])
    scenario = by_hour().changed({"vault_servers": 1, "deadline_h": 3})
    told = vm.doubt(fleet, scenario, draws=64)
    said = answer_of(told)
    sets = told.to_dict()["model"]
    return said | {"toml": {kind: "toml" in of for kind, of in sets.items()}}


@case("plan/scenarios refused")
def _():
    given = [
        ({"profile": "nowhere"}, {"servers": 20, "servrs": 3}),
        ({"profile": "azure-2018-12"}, {"vault_vms": 3, "nothing": 1}),
        ({"prices": "nowhere", "limits": "nowhere"}, {"gb_bytes": 7}),
        ({}, {f"name{n}": n for n in range(1200)}),
        ({}, {"gb_bytes": 1e9, "retention": 3, "RETENTION": 2, "Vms": 1}),
        ({}, {"servers": 2.5, "recovery_points": 2.5, "archive": 1, "vault": 3}),
    ]
    found = [answered(Scenario.of, **sets, settings=s) for sets, s in given]
    return [f if isinstance(f, str) else f.given for f in found]


@case("plan/numbers of JSON")
def _():
    from vmbmodel.plan import answers

    values = [
        np.float64(-0.0), np.int64(3), np.bool_(True), -0.0, math.inf, -math.inf,
        math.nan, pd.NA, None, "x", True, datetime.date(2026, 1, 2), (1, 2.5),
    ]  # fmt: skip
    frame = pd.DataFrame(
        {
            "zero": [-0.0, 0.0, 1.0],
            "end": [math.inf, math.nan, -0.0],
            "text": ["a", None, "b"],
            "whole": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    rows = [answers.plain(values), list(answers.records(frame))]
    rows.append(list(answers.records(frame, endless=1e9)))
    sealed = dict(answers.sealed([("a", iter([1, 2])), ("b", [1, 2]), ("digest", 3)]))
    sealed["a"] = list(sealed["a"])
    return [json.dumps(row) for row in rows] + [sealed]


@case("plan/saved to the last digit")
def _():
    from vmbmodel.plan.saved import differences

    result = vm.estimate(small(), months=1)
    saved, now = json.loads(json.dumps(result.to_dict())), Inputs.of(result.to_dict())
    now, found = now.estimate(), {}
    for off in (1e-14, 1e-12, 1e-10):
        for part in (1e-10, 1e-8):

            def change(saved, off=off, part=part):
                saved["vms"][0]["own_line_mean_h"] += off
                saved["total"]["expected_misses"] += off
                saved["vms"][1]["total_usd"] *= 1 + part
                saved["total"]["total_usd"] *= 1 + part

            rows = differences(_edited(saved, change), now)
            found[f"{off} {part}"] = [d.place for d in rows]
    return found


@case("plan/misses of some")
def _():
    from vmbmodel.plan.estimate import fleet_misses, policy_misses
    from vmbmodel.plan.estimate.exact import pieces, sum_of

    vms = pd.DataFrame(
        {
            "vault": ["b", "a", "b", "a", "c"],
            "policy": ["p", "p", "q", "p", "p"],
            "deadline_prob": [0.9, 1.0, 0.25, 1.0, 0.0],
            "later_deadline_prob": [0.95, 0.5, 1.0, 1.0, 1e-9],
        }
    )
    rows = {n: vms[:n] for n in (0, 1, 3, 5)}
    numbers = ([], [0.0], [1e308, 1e308], [math.inf, 1.0], [0.1] * 10, [3e-310, 1e200])
    return {
        "fleet": {n: fleet_misses(some) for n, some in rows.items()},
        "policies": {n: policy_misses(some) for n, some in rows.items()},
        "sums": [sum_of(pieces(np.array(some))) for some in numbers],
        "pieces": [len(pieces(np.array(some))) for some in numbers],
        "beyond": sum_of([1e308, 1e308]),
    }


@case("plan/settings unused")
def _():
    given = {"servers": 20, "vault": "v", "churn_frac": 0.1, "instance_fee_usd": 9}
    scenario, seen = Scenario.of(settings=given), []
    for name in ("servers", "vault", None):
        seen.append(scenario.unused())
        if name:
            seen.append(scenario[name])
    wrong = ("rpo_h", "GROWTH", "retention_days", "server")
    refused = [answered(Scenario.of, settings={name: 1}) for name in wrong]
    jam = crowd(4, vault="v", start_h=22).assign(vm=list("abcd"))
    own = Scenario.of("azure-2018-12", settings={"vault_vms": 3, "vault_servers": 3})
    told = vm.estimate(jam.assign(churn_gib_per_day=100.0), own)
    return {"seen": seen, "refused": refused, "told": told.warnings}


@case("plan/starts of nothing")
def _():
    often = {"interval_h": 4, "window_h": 12, "snapshot_policy": "enhanced"}
    fleet = lengths(3, vault="v", start_h=20, **often)
    fleet = fleet.assign(
        snapshot_points=[2, 0, 5], interval_h=[4, 12, 4], excluded=[False, False, True]
    )
    return vm.estimate(fleet).starts


@case("plan/steady waits")
def _():
    from vmbmodel.plan.estimate.others import SteadyWait

    probs, means = np.array([0.0, 0.0, 0.5, 1.0, 1.0]), [math.inf, 2, 1, 3, math.inf]
    hours = np.array([1.0, 5.0, 0.0, 2.0, 9.0])
    laws = [SteadyWait(*law) for law in zip(probs.tolist(), means, strict=True)]
    laws.append(SteadyWait(probs, np.array(means)))
    with np.errstate(all="ignore"):
        return [
            {
                "mean": law.mean_h(hours),
                "within": law.within_prob(hours, hours / 2),
                "quantiles": [law.quantile_h(hours, p) for p in (0.2, 0.5, 0.95)],
                "shape": law.shape,
            }
            for law in laws
        ]


@case("plan/changed since")
def _():
    fleet, found = some("at-500", "above-500", "new"), {}
    before = vm.estimate(fleet, months=1)
    ways = {
        "nothing": fleet,
        "order": fleet[::-1],
        "role": fleet.assign(write_kib=12),
        "a disk": fleet[fleet["disk"] != "new-data"],
        "a VM more": pd.concat([fleet[fleet["disk"] != "new-data"], some("bare")]),
        "nothing left": fleet.assign(excluded=fleet["vm"] == "at-500"),
        "retention": fleet.assign(snapshot_points=2, weekly_points=9),
    }
    for name, changed in ways.items():
        found[name] = answer_of(vm.diff(before, vm.estimate(changed)))
    endless = Scenario.of(settings={"vault_servers": 1})
    busy = lengths(4, vault="v", churn=2000.0)
    found["endless"] = answer_of(vm.diff(before, vm.estimate(busy, endless)))
    saved = json.loads(json.dumps(before.to_dict()))
    saved["total"]["total_usd"] += 1e-9
    found["noise"] = answer_of(vm.diff(before, saved))
    saved["total"]["total_usd"] *= 1.5
    found["model"] = answer_of(vm.diff(before, saved))
    return found


# --- what the sources say ------------------------------------------------------------


@case("service/rules")
def _():
    from vmbmodel.service import rules, rules_on

    days = map(datetime.date.fromisoformat, ("2015-01-01", *DAYS, "2030-01-01"))
    said = {
        str(d): answered(lambda on: [r.id for r, _ in rules_on(on)], d) for d in days
    }
    return {"on": said} | {rule.id: rule for rule in rules()}


@case("service/tiers")
def _():
    from vmbmodel.service import disk_tiers, disk_tiers_on

    days = [datetime.date.fromisoformat(day) for day in DAYS]
    said = {str(d): [(t.disk_type, t.as_of) for t in disk_tiers_on(d)] for d in days}
    first = {str(t.as_of): plain(disk_tiers_on(t.as_of)) for t in disk_tiers()}
    tables = [plain(table) for table in disk_tiers()]
    return {"on": said, "first": {d: t["source"] for d, t in first.items()}} | {
        "tables": tables
    }


@case("service/readings")
def _():
    from vmbmodel.service import readings

    return readings()


@case("service/guarantees")
def _():
    from vmbmodel.service import consistency, encryption, encryptions

    days = (None, *map(datetime.date.fromisoformat, ("2010-01-01", *DAYS)))
    flags = (None, False, True)
    texts, result = [], {}
    for day, os, power in itertools.product(
        days, ("windows", "linux", "other"), ("running", "stopped")
    ):
        row = result[f"{day} {os} {power}"] = []
        for vss, there, done, first, agentless in itertools.product(
            flags, flags, flags, flags[1:], flags[1:]
        ):
            found = answered(
                consistency,
                os,
                power,
                vss_succeeded=vss,
                scripts_present=there,
                scripts_succeeded=done,
                first_backup=first,
                agentless=agentless,
                as_of=day,
            )
            said = plain(found)
            if said not in texts:
                texts.append(said)
            row.append(texts.index(said))
    result["texts"] = [
        said if isinstance(said, str) else list(said.values()) for said in texts
    ]
    keys = ("none", "BEK", "BEK+KEK", "customer-managed", "kek")
    asked = itertools.product(keys, (False, True), days)
    result["keys"] = [
        plain(answered(encryption, key, managed=managed, as_of=day))
        for key, managed, day in asked
    ]
    return result | {"encryptions": {str(d): encryptions(d) for d in days}}


def of_set(found):
    """Return what is said of the constants of a set: where each comes from."""

    def give():
        return {
            "title": found.title,
            "as_of": found.as_of,
            "readings": found.readings,
            "origins": found.origins,
        }

    return give


for _catalogue in CATALOGUES.values():
    for _name in _catalogue.available():
        _found = _catalogue.load(_name)
        case(f"service/{_found.kind} {_name}")(of_set(_found))


@case("service/fields")
def _():
    table = [(f.typical, f.range and f.range.rule, f.default) for f in FIELDS.values()]
    return {name: row for name, row in zip(FIELDS, table, strict=True) if any(row)}


@case("service/in decimal GB")
def _():
    sets = [vm.profile("azure-2018-12"), *(s for _, s in Scenario.of().sets())]
    decimal = [s.read_gb_as(10**9) for s in sets]
    return {
        f"{s.kind} {s.name}": {n: v for n, v in s.items() if v != was[n]}
        for s, was in zip(decimal, sets, strict=True)
    }


def _price(meter, price, **changes):
    product, _, name = meter.rpartition(": ")
    instance, storage = "Instance" in name, bool(product)
    return {
        "currencyCode": "EUR",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "armRegionName": "westeurope",
        "effectiveStartDate": "2024-05-01T00:00:00Z",
        "meterName": name,
        "productName": product or "Backup",
        "skuName": "Azure VM" if instance else "Standard",
        "serviceName": "Storage" if storage else "Backup",
        "unitOfMeasure": "1/Month" if instance else "1 GB/Month",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
    } | changes


PRICED = {
    "Azure VM Protected Instance": 8.775779,
    "Standard LRS Data Stored": 0.019658,
    "Standard ZRS Data Stored": 0.024572,
    "Standard GRS Data Stored": 0.039315,
    "Archive LRS Data Stored": 0.002106,
    "Azure Files Protected Instance": 4.387889,
    "Standard Page Blob: LRS Snapshots": 0.045,
    "Standard HDD Managed Disks: LRS Snapshots": 0.05,
    "Standard SSD Managed Disks: Snapshots ZRS Snapshots": 0.07,
}


def _page(changes, envelope):
    rows = [_price(meter, price) for meter, price in PRICED.items()]
    for number, change in changes.items():
        if number < len(rows):
            rows[number] = {
                k: v for k, v in (rows[number] | change).items() if v != "-"
            }
        else:
            rows.append(_price("Standard LRS Data Stored", 0.02) | change)
    page = {"BillingCurrency": "EUR", "Items": rows, "NextPageLink": None} | envelope
    return json.dumps(page)


_USD = {"currencyCode": "USD"}
PAGES = {
    "good": ({}, {}),
    "dollars": ({n: _USD for n in range(9)}, {"BillingCurrency": "USD"}),
    "zones": ({7: {"meterName": "ZRS Snapshots"}}, {"NextPageLink": "x"}),
    "followed": (
        {
            2: {"effectiveEndDate": "2026-11-22"},
            3: {"effectiveEndDate": "2026-11-21"},
            9: {"effectiveStartDate": "2025-01-01", "retailPrice": 0.03},
            10: {"effectiveStartDate": "2026-11-22"},
            11: {"effectiveStartDate": "2026-11-23"},
            12: {"effectiveStartDate": "2026-12-01", "effectiveEndDate": "2026-11-21"},
            13: {"effectiveStartDate": "2023-01-01"},
        },
        {},
    ),
    "others": (
        {
            9: {"type": "Reservation"},
            10: {"type": "DevTest"},
            11: {"serviceName": "X"},
            12: {"isPrimaryMeterRegion": False},
            13: {"skuName": "Archive"},
            14: {"meterName": "LRS Data Stored", "type": "Reservation", "skuName": "X"},
        },
        {},
    ),
    "reserved": (
        {
            1: {"retailPrice": 0, "tierMinimumUnits": "-"},
            9: {"type": "Reservation"},
            10: {"type": "Reservation", "meterName": "LRS Data Stored", "skuName": "X"},
            11: {"type": "DevTest"},
            12: {"type": "Reservation", "meterName": "ZRS Data Stored"},
        },
        {},
    ),
    "long names": ({n: {"currencyCode": "EURO" * 12} for n in range(9)}, {}),
    "long envelope": ({}, {"BillingCurrency": "EURO" * 12}),
    "twice": ({9: {}}, {}),
    "of two": ({1: {"armRegionName": "northeurope"}}, {}),
    "old names": ({1: {"meterName": "LRS Data Stored"}}, {}),
    "none of an instance": ({0: {"meterName": "x"}}, {"BillingCurrency": "USD"}),
    "none of storage": (
        {n: {"effectiveStartDate": "2027-01-01"} for n in range(1, 9)},
        {},
    ),
    "mixed": ({1: _USD}, {}),
    "rows": (
        {
            0: {"meterName": 3},
            1: {"retailPrice": "1"},
            2: {"retailPrice": -0.1},
            3: {"retailPrice": 1e9},
            4: {"unitOfMeasure": "1 GB"},
            6: {"tierMinimumUnits": 5.0},
            7: {"armRegionName": "-"},
            8: {"effectiveStartDate": "2024-13-01"},
            9: {"effectiveEndDate": 3},
            10: {"effectiveEndDate": "2024-99-01"},
            11: {"currencyCode": "eur"},
        },
        {},
    ),
    "bounds": (
        {0: {"retailPrice": 200}, 1: {"retailPrice": 2}, 4: {"retailPrice": 1e-5}},
        {},
    ),
    "nearer bounds": (
        {
            n: {"retailPrice": price}
            for n, price in enumerate(
                (100.5, 1.05, 0.00095, 0.000999, 0.101, 1, 1.05, 0.00095, 1.5)
            )
        },
        {},
    ),
    "nearest bounds": (
        {0: {"retailPrice": 0.99}, 4: {"retailPrice": 0.000099}},
        {},
    ),
    "edges": (
        {
            0: {"retailPrice": 100},
            1: {"retailPrice": 0.001},
            2: {"retailPrice": 1},
            4: {"retailPrice": 0.1},
            6: {"retailPrice": 1},
        },
        {},
    ),
    "many": ({n: {"retailPrice": True} for n in range(30)}, {}),
    "no list": ({}, {"Items": {}}),
    "no rows": ({}, {"Items": ["x", 3, None]}),
}


@case("service/price list")
def _():
    from vmbmodel.service import price_book, read_price_list

    asked, base = datetime.date(2026, 11, 22), vm.prices("azure-list-2026-01")
    found = {}
    for name, content in PAGES.items():
        for region in (None, "westeurope", "nowhere")[: 3 if name == "of two" else 1]:

            def read(path, region=region):
                return read_price_list([path], retrieved=asked, region=region)

            listed = of_text(read, _page(*content))
            rows = found[f"{name}, {region}"] = {"listed": listed}
            if not isinstance(listed, str):
                rows["missing"] = listed.missing
                books = (
                    answered(price_book, listed, base, rate) for rate in (1.0, None)
                )
                rows["books"] = [fresh(book, base.text) for book in books]
    rates = (0.0, math.inf, 1.1394999)
    good = of_text(lambda p: read_price_list([p], retrieved=asked), _page({}, {}))
    found["rates"] = [answered(price_book, good, base, rate) for rate in rates[:2]]
    found["rates"].append(fresh(price_book(good, base, rates[2]), base.text))
    return found


PAGES_CUT = (
    "", "{", "[]", '{"Items": [', '{"Items": [{}', '{"Items": [{}]', '{"Items": 3}',
    '{"Items": []} x', '{"Item": []}', '{"Items": [NaN]}', '{"Items": [1e9999999999]}',
    '{"Items": ' + "[" * 10**5, '{"Items" 3}', '{"a": "\\x"}',
    '{"Items": [{"meterName": 1}, x]}', '{"Items": [], "Items": []}', "\ufeff{}",
)  # fmt: skip


@case("service/pages cut short")
def _():
    from vmbmodel.service.pages import entries

    def read(path):
        return [list(entry) for entry in entries(path, "Items")]

    return {text[:40]: of_text(read, text) for text in PAGES_CUT}


SPOILT_SETS = {
    "about": ('title = "', 'title = ""\ncurency = "'),
    "currency": ("as_of = ", 'currency = "EUR"\nas_of = "x" #'),
    "no about": ("[about]", "[other]"),
    "a reading": ("[about]", "[readings]\neight_hours = 'x'\n[about]"),
    "readings": ("[about]", "readings = 3\nwait_by_start = 4\n[about]"),
    "hours": (
        "[about]",
        "[wait_by_start]\n'22:15' = 1\n'24:00' = 0\n'23:30' = 1e4\n'00:00' = true\n"
        "'01:00' = 1001\n'02:00' = 1000\n[about]",
    ),
    "a row": (
        "[initial_mib_s]",
        "servrs = 3\nsnapshot_scv = 4\n[initial_mib_s]\nx = 1",
    ),
    "a unit": ('documented = "160 Mbps"', 'documented = "160"'),
    "units": ('documented = "160 Mbps"', 'documented = "160 Mbps or 3"'),
    "a wrong unit": ('documented = "160 Mbps"', 'documented = "160 GB"'),
    "two": ('documented = "160 Mbps"', 'documented = "1,60 Mbps 20 MB/s"'),
    "none": ('documented = "160 Mbps"', 'documented = ""\nretrieved = "x" #'),
    "zero": ('documented = "160 Mbps"', 'documented = "0 Mbps"'),
    "a status": ('status = "documented"', 'status = "guessed"\nkind = "none"'),
    "assumed": ('low = 8\nhigh = 50\nshape = "lognormal"\nwhy =', "note2 ="),
    "low": ("low = 8\n", "low = 0\n"),
    "beyond": ("low = 8\n", "low = 19.0735\n"),
    "equal": ("low = 8\nhigh = 50", "low = 19.073486328125\nhigh = 19.073486328125"),
    "no end": ("high = 50", "high = inf"),
    "a text": ("low = 8\n", "low = '8'\n"),
    "a flag": ("low = 8\n", "low = true\n"),
    "a shape": ('shape = "lognormal"', 'shape = "normal"'),
    "a share": ('shape = "lognormal"', 'shape = "logit"'),
    "lacking": ("low = 8\n", "disks = -1\n"),
    "disks": ("low = 8\n", "low = 8\ndisks = -0.1\n"),
    "samples": ("low = 8\n", "low = 8\nsample = [1, 2]\n"),
    "a sample": ("low = 8\n", "low = 8\nsample = [1, inf]\n"),
    "sampled": ("low = 8\n", f"low = 8\nsample = {[9] * 32}\n"),
    "a kind": ("low = 8\n", 'kind = "x"\nlow = 8\n'),
    "known kind": ("low = 8\n", 'kind = "reading"\nlow = 8\n'),
    "no why": ('shape = "lognormal"\nwhy =', 'shape = "lognormal"\nlocator2 ='),
    "no why, no low": (
        'low = 8\nhigh = 50\nshape = "lognormal"\nwhy =',
        "disks = 0\n#",
    ),
    "only a law": (
        'low = 8\nhigh = 50\nshape = "lognormal"\nwhy =',
        'shape = "logit"\n#',
    ),
    "all but why": ('shape = "lognormal"\nwhy =', 'shape = "lognormal"\n#'),
    "more": ('documented = "160 Mbps"', 'documented = "160 Mbps up"'),
    "before": ('documented = "160 Mbps"', 'documented = "up to 160 Mbps"'),
    "words": ('documented = "160 Mbps"', 'documented = "much"'),
    "several": ('documented = "160 Mbps"', 'documented = "1,160 Mbps 20 Mbps"'),
    "no less than nothing": ("low = 0.8\n", "low = 0\n"),
    "no more than all": ("high = 0.99\n", "high = 1\n"),
    "beyond all": ("high = 0.99\n", "high = 1.5\n"),
    "next to all": ("high = 0.99\n", "high = 0.9999\n"),
    "most sampled": ("low = 8\n", f"low = 8\nsample = {[9] * 400}\n"),
    "more sampled": ("low = 8\n", f"low = 8\nsample = {[9] * 401}\n"),
    "two without a unit": ('documented = "0.95"', 'documented = "0.5 0.25"'),
    "assumed, no law": (
        'status = "documented"\nnote = "Carried over from 2018: deleted',
        'status = "assumed"\nkind = "choice"\nnote = "deleted',
    ),
}


@case("service/sets spoilt")
def _():
    text = vm.profile("azure-2026-01").text
    found = {}
    for name, (was, now) in SPOILT_SETS.items():
        assert was in text, name
        altered = text.replace(was, now, 1).encode()
        read = answered(PROFILES.parse, altered, Path("own.toml"))
        changed = read if isinstance(read, str) else dict(read.readings)
        found[name] = changed or {"initial_mib_s": read["initial_mib_s"]}
    return found


@case("service/own prices of a region")
def _():
    from vmbmodel.service import PRICES, price_book, read_price_list

    text = vm.prices("azure-list-2026-01").text
    row = re.search(r"\[zrs_usd_per_gib_month\]\n(?:.+\n)+", text)[0]
    plainer = re.sub(r"(?m)^(low|high|shape|why|together|disks|kind) = .*\n", "", row)
    plainer = plainer.replace('"assumed"', '"documented"')
    own = PRICES.parse(text.replace(row, plainer).encode(), Path("own.toml"))
    page = _page({2: {"meterName": "x"}}, {})

    def read(path):
        return read_price_list([path], retrieved=datetime.date(2026, 11, 22))

    return fresh(price_book(of_text(read, page), own, 1.0), text)


@case("service/by default")
def _():
    from vmbmodel.service import consistency, encryption

    found = {"sets": [repr(s) for s in (vm.profile(), vm.prices(), vm.limits())]}
    for os, power in itertools.product(("windows", "linux"), ("running", "stopped")):
        told = {"scripts_present": False} if os == "linux" else {"vss_succeeded": True}
        found[f"{os} {power}"] = consistency(os, power, **told)
    found["key"] = encryption("customer-managed", managed=True)
    return found


@case("service/sets of a day")
def _():
    days = [datetime.date(2014, 1, 1), *map(datetime.date.fromisoformat, DAYS)]
    found = {
        kind: [answered(lambda c, d: c.in_force(d).name, c, day) for day in days]
        for kind, c in CATALOGUES.items()
    }
    own = vm.profile("azure-2018-12")
    changed = own.modified(servers=11)
    found["ships"] = [PROFILES.ships(s) for s in (own, changed, by_hour().profile)]
    found["refused"] = [
        answered(own.modified, **how)
        for how in ({"servrs": 1}, {"servers": 0}, {"servers": True}, {"churn_frac": 2})
    ]
    found["refused"].append(answered(PROFILES.load, "azure-2018"))
    found["refused"].append(answered(own.read_gb_as, 1024))
    return found


# --- writing -------------------------------------------------------------------------


def write(files):
    """Compute and write the cases of some files, or of all."""
    FOLDER.mkdir(exist_ok=True)
    found = {}
    for name, compute in CASES.items():
        file, _, rest = name.partition("/")
        if not files or file in files:
            found.setdefault(file, {})[rest] = plain(compute())
    for file, cases in found.items():
        (FOLDER / f"{file}.json").write_text(lines(cases) + "\n", "utf-8")


if __name__ == "__main__":
    write(sys.argv[1:])
