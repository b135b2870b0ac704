"""Simulations that know nothing of the formulas, for the chapter on validation.

``python validation/simulate.py`` writes what it counts to ``notebooks/data``:
``simulation.csv``, one quantity a row with the half width of its 95 % confidence
interval, and ``completions.csv``, the disks of VMs that share an account and the
times at which they are done. Everything is seeded: the same files come out again.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).parents[1] / "notebooks/data"
NORMAL_95 = 1.96


def jam(rng, jobs, servers, service_h, repeats):
    """Start jobs of exponential length at once; return mean waits and makespans."""
    free_h = np.zeros((repeats, servers))
    every = np.arange(repeats)
    waited_h = np.zeros(repeats)
    for length_h in rng.exponential(service_h, (jobs, repeats)):
        first = free_h.argmin(axis=1)
        waited_h += free_h[every, first]
        free_h[every, first] += length_h
    return waited_h / jobs, free_h.max(axis=1)


def queue(rng, servers, arrivals_per_h, service_h, jobs, warm_up, repeats):
    """Let jobs arrive at random; return the waits of those after the warm-up."""
    free_h = np.zeros((repeats, servers))
    every = np.arange(repeats)
    now_h = np.zeros(repeats)
    waits_h = np.empty((jobs, repeats))
    for job in range(jobs):
        now_h += rng.exponential(1 / arrivals_per_h, repeats)
        first = free_h.argmin(axis=1)
        begin_h = np.maximum(free_h[every, first], now_h)
        waits_h[job] = begin_h - now_h
        free_h[every, first] = begin_h + rng.exponential(service_h, repeats)
    return waits_h[warm_up:]


def bitmap(rng, cells, changed_frac, dispersion):
    """Draw cells of which each copies its neighbour or, now and then, is new."""
    anew = rng.random(cells) < dispersion
    anew[0] = True
    drawn = rng.random(cells) < changed_frac
    return drawn[np.maximum.accumulate(np.where(anew, np.arange(cells), 0))]


def runs(changed):
    """Count the runs of changed cells."""
    return np.count_nonzero(changed[1:] & ~changed[:-1]) + int(changed[0])


def retained(rng, blocks, daily, points):
    """Write blocks at random every day; count the versions that points need."""
    version = np.zeros(blocks, dtype=int)
    needed = {(block, 0) for block in range(blocks)}
    for day in range(1, points):
        written = rng.choice(blocks, daily, replace=False)
        version[written] = day
        needed |= {(block, day) for block in written.tolist()}
    return len(needed)


def share(sizes_mib, caps_mib_s, capacity_mib_s, step_s):
    """Move disks in small steps of time, each with its fair share; return hours."""
    left, done_s, now_s = sizes_mib.copy(), np.zeros(len(sizes_mib)), 0.0
    while (left > 0).any():
        low, high = 0.0, caps_mib_s.max()
        for _ in range(60):  # the level at which all together take the capacity
            level = (low + high) / 2
            taken = np.where(left > 0, np.minimum(caps_mib_s, level), 0).sum()
            low, high = (level, high) if taken < capacity_mib_s else (low, level)
        rate = np.where(left > 0, np.minimum(caps_mib_s, high), 0)
        ends = (left > 0) & (left <= rate * step_s)
        done_s[ends] = now_s + left[ends] / rate[ends]
        left = np.where(ends, 0, np.maximum(left - rate * step_s, 0))
        now_s += step_s
    return done_s / 3600


def of_means(quantity, values):
    """Return a row of the table: the mean over repeats and its half width."""
    half = NORMAL_95 * values.std(ddof=1) / np.sqrt(len(values))
    return {"quantity": quantity, "value": values.mean(), "half_width": half}


def quantities(seed=1):
    """Simulate everything but the disks; return a table."""
    rng = np.random.default_rng(seed)
    waits_h, makespans_h = jam(rng, jobs=100, servers=10, service_h=0.9, repeats=20_000)
    steady_h = queue(rng, 10, 8, 1, jobs=20_000, warm_up=2_000, repeats=200)
    rows = [
        of_means("jam_mean_wait_h", waits_h),
        of_means("jam_makespan_h", makespans_h),
        of_means("queue_waiting_prob", (steady_h > 0).mean(axis=0)),
        of_means("queue_mean_wait_h", steady_h.mean(axis=0)),
        of_means("queue_within_one_h_prob", (steady_h <= 1).mean(axis=0)),
    ]
    maps = [bitmap(rng, 2**18, changed_frac=0.05, dispersion=0.1) for _ in range(100)]
    blocks = [cells.reshape(-1, 256).any(axis=1).mean() for cells in maps]
    extents = [8 * cells.sum() / runs(cells) for cells in maps]
    rows += [
        of_means("bitmap_changed_blocks_frac", np.array(blocks)),
        of_means("bitmap_mean_extent_kib", np.array(extents)),
        {
            "quantity": "retained_blocks",
            "value": retained(rng, blocks=2000, daily=100, points=30),
            "half_width": 0.0,
        },
    ]
    return pd.DataFrame(rows).round(6)


def completions(seed=2, vms=12, step_s=1.0):
    """Share accounts between the disks of some VMs; return a table."""
    rng = np.random.default_rng(seed)
    tables = []
    for vm in range(1, vms + 1):
        size_gib = rng.integers(1, 200, 4).astype(float)
        cap_mib_s = rng.choice([20.0, 40.0, 60.0], 4)
        capacity_mib_s = float(rng.choice([50, 100, 150]))
        done_h = share(size_gib * 1024, cap_mib_s, capacity_mib_s, step_s)
        tables.append(
            pd.DataFrame(
                {
                    "vm": vm,
                    "size_gib": size_gib,
                    "cap_mib_s": cap_mib_s,
                    "capacity_mib_s": capacity_mib_s,
                    "done_h": done_h.round(6),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def main():
    """Write both tables."""
    quantities().to_csv(DATA / "simulation.csv", index=False)
    completions().to_csv(DATA / "completions.csv", index=False)


if __name__ == "__main__":
    sys.exit(main())
