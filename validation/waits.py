"""Waits as simulators count them, for the chapter on validation.

``python validation/waits.py`` writes three files to ``notebooks/data``: ``waits.csv``,
one quantity a row with the half width of its 95 % confidence interval;
``waits_map.csv``, mean waits over load and variation; and ``waits.toml``, what they
were made with. It knows no formula and takes some ten minutes. Everything is seeded:
the same tables come out again.
"""

import heapq
import platform
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import simpy

DATA = Path(__file__).parents[1] / "notebooks/data"
COMMAND = "python validation/waits.py"
SEED = 20181211
NORMAL_95 = 1.96
LOADS = (0.5, 0.7, 0.8, 0.9, 0.95)
VARIATIONS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)


def lengths(rng, shape, scv, family):
    """Draw job lengths of mean 1."""
    if scv == 0:
        return np.ones(shape)
    if family == "gamma":
        return rng.gamma(1 / scv, scv, shape)
    spread = np.sqrt(np.log1p(scv))
    return rng.lognormal(-(spread**2) / 2, spread, shape)


def serve(gaps_h, lengths_h, servers):
    """Take jobs in order, the first free server each; return waits and last ends.

    The rows of both tables are jobs, the columns repetitions.
    """
    repeats = gaps_h.shape[1]
    free_h, every = np.zeros((repeats, servers)), np.arange(repeats)
    now_h, waits_h = np.zeros(repeats), np.empty(gaps_h.shape)
    for job, (gap_h, length_h) in enumerate(zip(gaps_h, lengths_h, strict=True)):
        now_h = now_h + gap_h
        first = free_h.argmin(axis=1)
        begin_h = np.maximum(free_h[every, first], now_h)
        waits_h[job] = begin_h - now_h
        free_h[every, first] = begin_h + length_h
    return waits_h, free_h.max(axis=1)


def queue(rng, servers, load, scv, family, batch=1, jobs=40_000, repeats=1_500):
    """Let jobs of mean length 1 arrive at random, and look at the last 3/4 of them.

    Return their mean wait, how many wait, and the wait that 95 of 100 do not exceed,
    a column a repetition.
    """
    blocks = []
    for block in range(0, repeats, 250):
        width = min(250, repeats - block)
        gaps_h = np.zeros((jobs, width))
        starts = rng.exponential(batch / (load * servers), (-(-jobs // batch), width))
        gaps_h[::batch] = starts
        drawn = lengths(rng, gaps_h.shape, scv, family)
        waits_h = serve(gaps_h, drawn, servers)[0][jobs // 4 :]
        p95_h = np.quantile(waits_h, 0.95, axis=0)
        blocks.append([waits_h.mean(axis=0), (waits_h > 0).mean(axis=0), p95_h])
    return np.concatenate(blocks, axis=1)


def pulses(rng, servers, mean_jobs, service_h, exponential, hours=2_000):
    """Start a Poisson number of jobs every hour on the hour; return their mean wait."""
    free_h, waits_h = [0.0] * servers, []
    for hour, jobs in enumerate(rng.poisson(mean_jobs, hours)):
        drawn = rng.exponential(service_h, jobs) if exponential else [service_h] * jobs
        for length_h in drawn:
            begin_h = max(hour, free_h[0])
            heapq.heapreplace(free_h, begin_h + length_h)
            waits_h.append(begin_h - hour)
    return np.mean(waits_h)


def priority(seed, servers, restores_per_h, backups_per_h, jobs=60_000):
    """Let restores go before backups, in SimPy; return the mean wait of each."""
    rng, environment = np.random.default_rng(seed), simpy.Environment()
    movers = simpy.PriorityResource(environment, servers)
    waits_h = ([], [])

    def job(kind):
        arrived_h = environment.now
        with movers.request(priority=kind) as turn:
            yield turn
            waits_h[kind].append(environment.now - arrived_h)
            yield environment.timeout(rng.exponential())

    def arrivals():
        rate = restores_per_h + backups_per_h
        for _ in range(jobs):
            yield environment.timeout(rng.exponential(1 / rate))
            kind = int(rng.random() * rate >= restores_per_h)
            environment.process(job(kind))

    environment.process(arrivals())
    environment.run()
    return [np.mean(waits[len(waits) // 4 :]) for waits in waits_h]


def row(name, values, **at):
    """Return a row of a table: the mean over repetitions and its half width."""
    half = NORMAL_95 * np.std(values, ddof=1) / np.sqrt(len(values))
    return {"quantity": name, **at, "value": np.mean(values), "half_width": half}


def of_share(name, hits):
    """Return a row of a table for the share of nights on which something happens."""
    half = NORMAL_95 * np.sqrt(hits.mean() * (1 - hits.mean()) / len(hits))
    return {"quantity": name, "value": hits.mean(), "half_width": half}


def queues(rng):
    """Yield waits in balance."""
    for name, servers, load, scv, family in (
        ("exponential", 10, 0.9, 1, "gamma"),
        ("equal", 10, 0.9, 0, "gamma"),
        ("gamma", 10, 0.7, 4, "gamma"),
        ("lognormal", 10, 0.9, 2, "lognormal"),
        ("crowd", 50, 0.95, 2, "lognormal"),
    ):
        mean_h, waiting, p95_h = queue(rng, servers, load, scv, family)
        yield row(f"{name}_mean_h", mean_h)
        yield row(f"{name}_waiting_prob", waiting)
        yield row(f"{name}_p95_h", p95_h)
    yield row("batch_mean_h", queue(rng, 10, 0.8, 1, "gamma", batch=5)[0])
    both = np.array([priority(SEED + run, 10, 2, 6) for run in range(60)])
    yield row("restores_mean_h", both[:, 0])
    yield row("backups_mean_h", both[:, 1])


def crowds(rng, repeats=40_000):
    """Yield waits and ends of jobs that all start at once, and of starts apart."""
    for name, jobs, servers in (("jam", 100, 10), ("short_jam", 15, 10)):
        drawn = lengths(rng, (jobs, repeats), 2, "lognormal")
        waits_h, last_h = serve(np.zeros(drawn.shape), drawn, servers)
        yield row(f"{name}_mean_h", waits_h.mean(axis=0))
        yield row(f"{name}_last_start_h", waits_h[-1])
        yield row(f"{name}_last_h", last_h)
        parts = np.quantile(last_h.reshape(40, -1), 0.95, axis=1)
        yield row(f"{name}_last_p95_h", parts)
    drawn = lengths(rng, (600, 2_000), 0.5, "lognormal")
    gaps_h = np.zeros(drawn.shape)
    gaps_h[10::10] = 1 / 0.7
    yield row("slots_mean_h", serve(gaps_h, drawn, 10)[0].mean(axis=0))


def nights(rng, count=2_000_000):
    """Yield how often a backup of varied transfer is done in a day."""
    moved_h = 12 * lengths(rng, count, 0.33, "lognormal")
    waits_h = (rng.random(count) < 0.4) * rng.exponential(2, count)
    yield of_share("deadline_prob", 0.5 + moved_h + waits_h <= 24)


def on_the_hour(rng, runs=60):
    """Yield the mean wait of jobs that start on the hour."""
    for name, load, exponential in (
        ("pulse_calm", 0.6, False),
        ("pulse_busy", 0.9, False),
        ("pulse_busy_exponential", 0.9, True),
    ):
        means = [pulses(rng, 10, 40 * load, 0.25, exponential) for _ in range(runs)]
        yield row(f"{name}_mean_h", np.array(means))


def table():
    """Simulate one quantity after the other; return a table."""
    rng = np.random.default_rng(SEED)
    parts = (queues(rng), crowds(rng), nights(rng), on_the_hour(rng))
    return pd.DataFrame([entry for part in parts for entry in part]).round(6)


def error_map():
    """Simulate ten movers over load and variation; return a table."""
    rng = np.random.default_rng(SEED + 1)
    rows = []
    for load in LOADS:
        for scv in VARIATIONS:
            mean_h = queue(rng, 10, load, scv, "lognormal")[0]
            at = {"utilisation_frac": load, "service_scv": scv}
            rows.append(row("mean_wait_h", mean_h, **at))
    return pd.DataFrame(rows).drop(columns="quantity").round(6)


def main():
    """Write the tables, and what they were made with."""
    table().to_csv(DATA / "waits.csv", index=False)
    error_map().to_csv(DATA / "waits_map.csv", index=False)
    made = f"""\
# Written by validation/waits.py beside its tables.
command = "{COMMAND}"
date = {date.today()}
seed = {SEED}

[versions]
python = "{platform.python_version()}"
numpy = "{np.__version__}"
simpy = "{simpy.__version__}"
"""
    (DATA / "waits.toml").write_text(made, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
