"""Lines as simulators count them: with priority, at a load, in slots, and at once.

``python validation/lines.py`` writes ``notebooks/data/lines.csv``, one case a row with
the half width of its 95 % confidence interval: it is what the docstrings of the
formulas say of their errors. It knows no formula. Everything is seeded; it takes some
five minutes.
"""

import heapq
import sys
from collections import deque
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from waits import lengths, queue, row, serve

DATA = Path(__file__).parents[1] / "notebooks/data"
SEED = 20181212
KINDS = (
    (0.0, "gamma"),
    (0.5, "lognormal"),
    (2.0, "gamma"),
    (2.0, "lognormal"),
    (4.0, "gamma"),
    (4.0, "lognormal"),
)
"""Variation and family of the lengths of jobs, whose mean is 1."""
RESTORES = 0.2
"""Share of the jobs that go first."""


def priority(rng, servers, load, scv, family, jobs=50_000):
    """Let restores go before backups; return the mean wait of each."""
    now_h = rng.exponential(1 / (load * servers), jobs).cumsum().tolist()
    lasts_h = lengths(rng, jobs, scv, family).tolist()
    backup = (rng.random(jobs) >= RESTORES).tolist()
    ends_h, lines, waits_h = [], (deque(), deque()), ([], [])
    free, first = servers, jobs // 4

    def begin(job, at_h):
        heapq.heappush(ends_h, at_h + lasts_h[job])
        if job >= first:
            waits_h[backup[job]].append(at_h - now_h[job])

    for job, at_h in enumerate(now_h):
        while ends_h and ends_h[0] <= at_h:
            end_h = heapq.heappop(ends_h)
            line = lines[0] or lines[1]
            if line:
                begin(line.popleft(), end_h)
            else:
                free += 1
        if free:
            free -= 1
            begin(job, at_h)
        else:
            lines[backup[job]].append(job)
    return [np.mean(of) for of in waits_h]


def with_priority(rng, runs=16):
    """Yield mean waits of restores and backups."""
    for (scv, family), servers, load in product(KINDS, (2, 10, 50), (0.8, 0.95)):
        both = np.array(
            [priority(rng, servers, load, scv, family) for _ in range(runs)]
        )
        at = {"family": family, "service_scv": scv, "servers": servers}
        at["utilisation_frac"] = load
        yield row("restores_mean_h", both[:, 0], **at)
        yield row("backups_mean_h", both[:, 1], **at)


def at_a_load(rng):
    """Yield the wait that 95 of 100 jobs do not exceed at a load."""
    for (scv, family), load in product(KINDS, (0.8, 0.9)):
        p95_h = queue(rng, 10, load, scv, family, jobs=20_000, repeats=250)[2]
        at = {"family": family, "service_scv": scv, "servers": 10}
        yield row("wait_p95_h", p95_h, **at, utilisation_frac=load)


def in_slots(rng, slots=40, repeats=2_000):
    """Yield mean waits of jobs that start as many at a time as are served."""
    for scv, servers, load in product((0.5, 1.0), (10, 50), (0.5, 0.6, 0.7)):
        drawn = lengths(rng, (slots * servers, repeats), scv, "lognormal")
        gaps_h = np.zeros(drawn.shape)
        gaps_h[servers::servers] = 1 / load
        waits_h = serve(gaps_h, drawn, servers)[0].mean(axis=0)
        at = {"family": "lognormal", "service_scv": scv, "servers": servers}
        yield row("slots_mean_h", waits_h, **at, utilisation_frac=load)


def at_once(rng, repeats=20_000, parts=40):
    """Yield waits and ends of jobs that all start at once."""
    for (scv, family), jobs in product(KINDS[1:], (8, 15, 40, 200)):
        drawn = lengths(rng, (jobs, repeats), scv, family)
        waits_h, last_h = serve(np.zeros(drawn.shape), drawn, 10)
        at = {"family": family, "service_scv": scv, "servers": 10, "jobs": jobs}
        if jobs > 10:
            yield row("jam_mean_h", waits_h.mean(axis=0), **at)
            of_last = waits_h[-1].reshape(parts, -1)
            yield row("jam_start_p95_h", np.quantile(of_last, 0.95, axis=1), **at)
        yield row("jam_end_mean_h", last_h, **at)
        of_end = last_h.reshape(parts, -1)
        for share in (0.5, 0.95):
            values = np.quantile(of_end, share, axis=1)
            yield row(f"jam_end_p{round(100 * share)}_h", values, **at)


def table():
    """Simulate one case after the other; return a table."""
    rng = np.random.default_rng(SEED)
    parts = (with_priority, at_a_load, in_slots, at_once)
    return pd.DataFrame([case for part in parts for case in part(rng)]).round(6)


def main():
    """Write the table."""
    table().to_csv(DATA / "lines.csv", index=False)


if __name__ == "__main__":
    sys.exit(main())
