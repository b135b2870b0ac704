"""What formulas share."""

import importlib
import itertools
import random

import numpy as np

from .cases import case
from .formulas import as_array


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
            kernel(name)(*(as_array(part) for part in arguments))
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
