"""What sweeps and fleets cost as they grow, each as a program of its own.

``python -m benchmarks.large [SWEEP_CELLS [DISKS [PARTED_DISKS]]]`` measures up to so
many cells and disks, the last ones of fleets that are estimated by vault, prints a
table and stores it in ``large.csv``, where what is not measured anew stays; 0 leaves a
kind out. A thousand million cells take some minutes and three gigabytes of disk, a
million disks about one minute, ten million by vault about five.
"""

import datetime
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.tables import store

RESULTS = Path(__file__).with_name("large.csv")
PROGRAM = (sys.executable, "-m", "vmbmodel", "--quiet")

GRID = """\
formula = "done_within_prob"
[axes]
deadline_h = {{ from = 1, to = 30, count = {count} }}
decay_per_h = {{ from = 0.1, to = 4, count = 10 }}
wait_prob = {{ from = 0.01, to = 0.9, count = 100 }}
constant_h = {{ from = 0.1, to = 20, count = 100 }}
"""

SLABS = """\
import sys
import numpy as np
import vmbmodel as vm
count = int(sys.argv[1])
deadlines = np.linspace(1, 30, count)
axes = dict(decay_per_h=np.linspace(0.1, 4, 10), wait_prob=np.linspace(0.01, 0.9, 100),
            constant_h=np.linspace(0.1, 20, 100))
for begin in range(0, count, 10):
    part = deadlines[begin:begin + 10]
    vm.sweep(vm.formulas.done_within_prob, deadline_h=part, **axes)
"""
"""The same numbers, block by block, and thrown away."""

FLOORS = {
    ".parquet": """\
import sys
from pyarrow import parquet
parquet.read_table(sys.argv[1])
parquet.write_table(parquet.read_table(sys.argv[2]), sys.argv[3], compression="zstd")
""",
    ".csv": """\
import sys
import pyarrow.csv
pyarrow.csv.read_csv(sys.argv[1])
pyarrow.csv.write_csv(pyarrow.csv.read_csv(sys.argv[2]), sys.argv[3])
""",
}
"""Reading an inventory, and reading and writing what came of it."""

MAKING = """\
import sys
from benchmarks.large import made
fleet, path = made(int(sys.argv[1]), int(sys.argv[2])), sys.argv[3]
write = fleet.to_csv if path.endswith(".csv") else fleet.to_parquet
write(path, index=False)
"""
"""An inventory is made apart: what a program starts counts its memory as its own."""

PARTS_FLOOR = """\
import pathlib, sys
from pyarrow import parquet
fleet, rows, again = map(pathlib.Path, sys.argv[1:])
for path in fleet.iterdir():
    parquet.read_table(path)
for path in rows.iterdir():
    parquet.write_table(parquet.read_table(path), again / path.name, compression="zstd")
"""


@dataclass(frozen=True)
class Cost:
    """What a program took."""

    cpu_s: float
    wall_s: float
    peak_mib: float


def cost(*command: object) -> Cost:
    """Run a program and measure it."""
    begin = time.monotonic()
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command} ended with {status}")
    seconds = used.ru_utime + used.ru_stime
    return Cost(seconds, time.monotonic() - begin, used.ru_maxrss / 1024)


def floor_of(*command: object) -> Cost:
    """Measure a program that is soon over: the run of three in the middle."""
    return sorted((cost(*command) for _ in range(3)), key=lambda took: took.cpu_s)[1]


def sweeps(folder: Path, most: int) -> list[dict[str, object]]:
    """Measure sweeps into a store, from a million cells."""
    rows, cells = [], 10**6
    while cells <= most:
        grid, store = folder / "grid.toml", folder / "out.zarr"
        count = cells // 10**5
        grid.write_text(GRID.format(count=count))
        for how, options in (("threads", ()), ("2 processes", ("--processes", 2))):
            took = cost(*PROGRAM, "sweep", grid, "-o", store, "--force", *options)
            floor = cost(sys.executable, "-c", SLABS, count)
            rows.append(_row(f"sweep into Zarr, {how}", cells, took, floor))
        cells *= 10
    return rows


def fleets(folder: Path, most: int) -> list[dict[str, object]]:
    """Measure estimates of fleets, from a hundred thousand disks."""
    rows, disks = [], 10**5
    while disks <= most:
        for suffix, floor in FLOORS.items():
            path, out, again = (folder / f"{n}{suffix}" for n in ("fleet", "out", "o"))
            cost(sys.executable, "-c", MAKING, disks, 0, path)
            words = ("-o", out, "--force", "--no-interval")
            if suffix == ".csv":
                words = (*words, "--format", "csv")
            took = cost(*PROGRAM, "estimate", path, *words)
            least = floor_of(sys.executable, "-c", floor, path, out, again)
            rows.append(_row(f"estimate, {suffix[1:]} in and out", disks, took, least))
        disks *= 10
    return rows


def parted(folder: Path, most: int) -> list[dict[str, object]]:
    """Measure estimates by vault, from a million disks, a million of them a file."""
    rows, disks = [], 10**6
    while disks <= most:
        fleet, out, again = (folder / name for name in ("parts", "out", "again"))
        for path in (fleet, again):
            path.mkdir(exist_ok=True)
        for number in range(disks // 10**6):
            path = fleet / f"{number:03}.parquet"
            if not path.exists():
                cost(sys.executable, "-c", MAKING, 10**6, number, path)
        words = ("--by-vault", "-o", out, "--force")
        took = cost(*PROGRAM, "estimate", fleet, *words)
        floor = floor_of(sys.executable, "-c", PARTS_FLOOR, fleet, out / "vms", again)
        rows.append(_row("estimate by vault, parquet in and out", disks, took, floor))
        disks *= 10
    return rows


def made(disks: int, seed: int = 0) -> pd.DataFrame:
    """Make up an inventory, in vaults of a hundred VMs and three policies.

    Those of two seeds have no VM and no vault in common.
    """
    rng = np.random.default_rng(1 + seed)
    count = int(disks * 0.4346)
    of_vm = np.sort(np.append(np.arange(count), rng.integers(0, count, disks - count)))
    first = np.diff(of_vm, prepend=-1) > 0
    place = np.arange(disks) - np.flatnonzero(first)[of_vm]
    policy = rng.integers(0, 3, count)[of_vm]
    name = of_vm + seed * count
    size = np.where(first, 128.0, rng.choice([32.0, 64, 128, 256, 512, 1024], disks))
    used = np.round(size * rng.uniform(0.1, 0.9, disks), 1)
    churn = np.minimum(np.round(used * rng.lognormal(-3, 0.8, disks), 2), used)
    return pd.DataFrame(
        {
            "vm": [f"vm-{number:07d}" for number in name],
            "disk": [f"disk-{number}" for number in place],
            "role": np.where(first, "os", "data"),
            "size_gib": size,
            "used_gib": used,
            "churn_gib_per_day": np.where(rng.random(disks) < 0.3, np.nan, churn),
            "vault": [f"vault-{number // 100:05d}" for number in name],
            "policy": [f"policy-{number}" for number in policy],
            "start_h": np.array([22.0, 23.0, 2.0])[policy],
            "first_backup": (rng.random(count) < 0.002)[of_vm],
        }
    )


def _row(what: str, size: int, took: Cost, floor: Cost) -> dict[str, object]:
    return {
        "what": what,
        "size": size,
        "cpu_s": f"{took.cpu_s:.3g}",
        "wall_s": f"{took.wall_s:.3g}",
        "peak_mib": f"{took.peak_mib:.0f}",
        "floor_cpu_s": f"{floor.cpu_s:.3g}",
        "floor_peak_mib": f"{floor.peak_mib:.0f}",
        "ratio": f"{took.cpu_s / floor.cpu_s:.3g}",
    }


def main() -> None:
    """Measure, print and store."""
    asked = [*map(int, map(float, sys.argv[1:]))]
    most = asked + [10**8, 10**6, 10**7][len(asked) :]
    with tempfile.TemporaryDirectory() as name:
        measures = zip((sweeps, fleets, parted), most, strict=True)
        rows = [row for measure, size in measures for row in measure(Path(name), size)]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    names = ("numpy", "pandas", "pyarrow", "xarray", "zarr", "distributed")
    run = {"date": today} | {name: version(name) for name in names}
    store(RESULTS, rows, run, same=("what", "size"))


if __name__ == "__main__":
    main()
