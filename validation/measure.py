"""Disks written by real software, compared and backed up, for the book.

``python validation/measure.py short`` makes images, lets programs write to them for
some days, compares every day with the one before, and backs it up with ``borg`` in
chunks of fixed size; ``python validation/measure.py long`` does so for two months and
lets points expire. They write to ``notebooks/data``:

- ``measured.csv``: changed cells and extents of each day, in cells of several sizes,
  the chunks that were new to borg and the seconds it took;
- ``transfers.csv``: seconds in which a day's extents were read through a limit;
- ``retained.csv`` and ``gaps.csv``: what borg holds after ``borg prune``, and the days
  between the points that it kept, with the cells that changed in them;
- ``unions.csv``: cells that changed in one day, in two days and so on;
- ``measured.toml`` and ``retained.toml``: what was run, when, with which versions, and
  what it wrote.

Each takes half an hour, Linux, root, and the packages fio, borgbackup, postgresql and
qemu-utils. What is missing is left out, and said to be. Databases and file systems
place their data a little differently each time; all else is seeded.
"""

import argparse
import dataclasses
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from backups import Borg, throttled_s
from workloads import Files, Filesystem, Fio, Postgres, Scattered, Sqlite

from vmbmodel.inventory.changes.extents import Changes, compare_images, union

DATA = Path(__file__).parents[1] / "notebooks/data"
CELLS_KIB = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
CHUNKS_KIB = (8, 64, 1024)
BORG_DAYS = 2
SENT_DAYS = (3, 4)
LARGEST_KIB = 4096
LIMIT = {"iops": 500, "mib_s": 60}
DAYS = 6
LONG_DAYS = 63
WARM_DAYS = 21
TRAINING_DAYS = 28
HORIZON_DAYS = 21
VERSIONS = {
    "fio": "--version",
    "borg": "--version",
    "mke2fs": "-V",
    "qemu-io": "--version",
    "pgbench": "--version",
}
POLICIES = (  # each one keeps some of the points of the one before
    {"daily": 42},
    {"daily": 21},
    {"daily": 10, "weekly": 7},
    {"daily": 5, "weekly": 3, "monthly": 2},
)

UNIFORM = ("--norandommap", "--random_generator=tausworthe64")
LFSR = ("--random_generator=lfsr",)
ZONED = (*UNIFORM, "--random_distribution=zoned:80/20:20/80")
ZIPF = (*UNIFORM, "--random_distribution=zipf:0.8")
SHORT = (
    Scattered("generator, 6 KiB", 512, writes=4000),
    Fio("fio, random 4 KiB", 512, writes=5000, options=UNIFORM),
    Fio("fio, distinct 4 KiB", 512, writes=5000, options=LFSR),
    Fio("fio, runs of 64 KiB", 512, writes=400, write_kib=64, options=UNIFORM),
    Fio("fio, two zones", 512, writes=5000, options=ZONED),
    Fio("fio, Zipf 0.8", 512, writes=5000, options=ZIPF),
    Sqlite("SQLite, any row"),
    Sqlite("SQLite, hot rows", zipf_exponent=0.9),
    Postgres("PostgreSQL"),
    Files("file server"),
)
LONG = (
    Fio("fio, two zones", 256, writes=600, options=ZONED),
    Sqlite("SQLite, hot rows", 256, rows=400_000, updates=1500, zipf_exponent=0.9),
    Postgres("PostgreSQL", 384, scale=8, transactions=800),
    Files("file server", 384, files=1000),
)


def possible(workload):
    """Say whether the programs are there that a workload needs."""
    if isinstance(workload, Filesystem) and os.geteuid() != 0:
        return False
    if isinstance(workload, Postgres):
        return any(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    return not isinstance(workload, Fio) or shutil.which("fio") is not None


def days(workload, folder, count, warm=0):
    """Yield the number of each day, and the images before it and after it.

    A database that was just loaded settles first, for some days that nobody counts.
    """
    before, after = folder / "before.img", folder / "after.img"
    workload.begin(after)
    for day in range(warm):
        workload.day(after, count + 1 + day)
    for day in range(1, count + 1):
        shutil.copyfile(after, before)
        workload.day(after, day)
        yield day, before, after


def short(workload, folder, count):
    """Measure some days closely; return the rows of days and of transfers."""
    measured, transfers, backups = [], [], {}
    for day, before, after in days(workload, folder, count):
        if day == 1 and Borg.is_there():
            for kib in CHUNKS_KIB:
                backups[kib] = Borg(folder / f"borg-{kib}", kib)
                backups[kib].create(before, 0)
        found = compare_images(before, after, cell_kib=CELLS_KIB[0])
        for cell_kib in CELLS_KIB:
            row = counts(workload, day, in_cells(found, cell_kib))
            if day <= BORG_DAYS and cell_kib in backups:
                chunks, took_s = backups[cell_kib].create(after, day)
                row |= {"borg_chunks": chunks, "borg_s": round(took_s, 3)}
            measured.append(row)
        if day in SENT_DAYS and shutil.which("qemu-io"):
            transfers.append(sent(workload, day, found, after))
    return measured, transfers


def in_cells(found: Changes, cell_kib):
    """Return the same changes in larger cells."""
    small, large = (int(kib * 1024) for kib in (found.cell_kib, cell_kib))
    runs = found.runs.of_size(small, large)
    return dataclasses.replace(found, cell_kib=cell_kib, runs=runs)


def counts(workload, day, found: Changes):
    """Return a row of the table of days."""
    return {
        "workload": workload.name,
        "day": day,
        "cell_kib": int(found.cell_kib),
        "cells": found.cells,
        "changed_cells": found.changed_cells,
        "extents": found.extents,
        "active_frac": round(found.active_frac or 0, 6),
    }


def sent(workload, day, found: Changes, image):
    """Read the extents of a day through a limit; return a row of transfers."""
    cell, most = int(found.cell_kib * 1024), LARGEST_KIB * 1024
    ranges = [
        (start, min(most, end * cell - start))
        for begin, end in zip(*map(np.ndarray.tolist, found.runs), strict=True)
        for start in range(begin * cell, end * cell, most)
    ]
    return {
        "workload": workload.name,
        "day": day,
        "requests": len(ranges),
        "changed_cells": found.changed_cells,
        "sent_s": round(throttled_s(image, ranges, **LIMIT), 3),
    }


def long(workload, folder, count):
    """Keep points of many days; return the rows of points, of unions and of gaps."""
    borg = Borg(folder / "borg", CELLS_KIB[0]) if Borg.is_there() else None
    changed = []
    for day, before, after in days(workload, folder, count, WARM_DAYS):
        if borg and day == 1:
            borg.create(before, 0)
        changed.append(compare_images(before, after, cell_kib=CELLS_KIB[0]))
        if borg:
            borg.create(after, day)
    grown = union_cells(changed)
    trained = union_cells(changed[:TRAINING_DAYS])[:HORIZON_DAYS]
    trained += [np.nan] * (len(grown) - len(trained))
    unions = [
        {"workload": workload.name, "days": n, "cells": all_days, "trained_cells": few}
        for n, (all_days, few) in enumerate(zip(grown, trained, strict=True), 1)
    ]
    retained, gaps = expire(workload, borg, changed) if borg else ([], [])
    return retained, unions, gaps


def union_cells(changed):
    """Return mean cells changed in one day, two days and so on."""
    stretches, means = list(changed), []
    while stretches:
        mean = np.mean([one.changed_cells for one in stretches])
        means.append(round(float(mean), 3))
        longer = zip(stretches, changed[len(means) :], strict=False)
        stretches = [union(pair) for pair in longer]
    return means


def expire(workload, borg, changed):
    """Prune by one policy after the other; return the rows of points and of gaps."""
    retained, gaps, chunks = [], [], {}
    for number, policy in enumerate(POLICIES, 1):
        kept = borg.prune(**policy)
        chunks = {day: chunks.get(day) or borg.chunks(day) for day in kept}
        held = list(chunks.values())
        named = {"workload": workload.name, "policy": number}
        retained.append(
            named
            | {level: policy.get(level, 0) for level in ("daily", "weekly", "monthly")}
            | {
                "points": len(kept),
                "used_chunks": len(held[0]),
                "stored_chunks": len(set().union(*held)),
                "borg_mib": round(borg.stored_mib(), 3),
            }
        )
        for begin, end in pairwise(kept):
            written = union(changed[begin:end]).changed_cells
            gaps.append(named | {"gap_days": end - begin, "gap_cells": written})
    return retained, gaps


def about(part, workloads, left_out):
    """Return what was run, when and with what, as TOML."""
    versions = {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "kernel": platform.release().partition("-")[0],
    }
    for tool, option in VERSIONS.items():
        if shutil.which(tool):
            told = subprocess.run([tool, option], capture_output=True, text=True)
            versions[tool] = (told.stdout or told.stderr).splitlines()[0]
    lines = [
        "# Written by validation/measure.py beside its tables.",
        f'command = "python validation/measure.py {part}"',
        f"date = {datetime.now(UTC).date()}",
        f"left_out = {json.dumps(sorted(left_out))}",
        "",
        "[versions]",
        *[f"{name} = {json.dumps(version)}" for name, version in versions.items()],
    ]
    lines += ["", "[limit]", *[f"{name} = {value}" for name, value in LIMIT.items()]]
    for workload in workloads:
        lines += ["", f"[{json.dumps(workload.name)}]"]
        for name, value in dataclasses.asdict(workload).items():
            if name != "name":
                lines.append(f"{name} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def measure(workload, step, count, work):
    """Run a step for a workload; return its tables."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(dir=work) as folder:
        tables = [pd.DataFrame(rows) for rows in step(workload, Path(folder), count)]
    took_s = time.monotonic() - begun
    print(f"{step.__name__}: {workload.name}, {took_s:.0f} s", file=sys.stderr)
    return tables


def put(table, path, order):
    """Put the rows of a workload into a table, in place of those it had."""
    if path.exists() and not table.empty:
        there = pd.read_csv(path)
        there = there[~there["workload"].isin(table["workload"])]
        table = pd.concat([there, table], ignore_index=True)
        place = table["workload"].map({name: at for at, name in enumerate(order)})
        table = table.loc[place.sort_values(kind="stable").index]
    table.to_csv(path, index=False)


def main():
    """Measure a part, and write its tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=PARTS, help="days closely, or many days")
    parser.add_argument("--only", help="one workload, the rows of the others kept")
    parser.add_argument("--work", type=Path, help="folder for images, 10 GiB")
    parser.add_argument("--to", type=Path, default=DATA, help="folder for tables")
    options = parser.parse_args()
    workloads, step, count, names = PARTS[options.part]
    order = [workload.name for workload in workloads]
    left_out = {one.name for one in workloads if not possible(one)}
    left_out |= set() if Borg.is_there() else {"borg"}
    for name in sorted(left_out):
        print(f"left out, its program is missing: {name}", file=sys.stderr)
    for workload in filter(possible, workloads):
        if options.only in (None, workload.name):
            tables = measure(workload, step, count, options.work)
            for name, table in zip(names, tables, strict=True):
                put(table, options.to / f"{name}.csv", order)
    told = about(options.part, workloads, left_out)
    (options.to / f"{names[0]}.toml").write_text(told, "utf-8")


PARTS = {
    "short": (SHORT, short, DAYS, ("measured", "transfers")),
    "long": (LONG, long, LONG_DAYS, ("retained", "unions", "gaps")),
}

if __name__ == "__main__":
    main()
