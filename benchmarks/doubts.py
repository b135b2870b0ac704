"""Intervals from 512 draws, against one estimate of the same fleet.

``python -m benchmarks.doubts`` measures a thousand VMs and a hundred thousand, of which
the intervals come from ten thousand, each as a program of its own; it prints a table
and stores it in ``doubts.csv``, with the load of the machine.
"""

import datetime
import os
import resource
import subprocess
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pandas as pd

import vmbmodel as vm
from benchmarks.large import made
from benchmarks.tables import store
from benchmarks.timing import Comparison, alternate

__all__ = ["compare"]

RESULTS = Path(__file__).with_name("doubts.csv")
OF_A_VM = 2.301  # disks, on average
FLEETS = {1_000: ("<= 25", 3), 100_000: ("<= 60", 1)}


def compare() -> list[Comparison]:
    """Time intervals of the sample fleet, and of a thousand VMs in ten vaults."""
    return [_drawn(vm.sample_fleet(), "<= 8", 3), _many(1_000)]


def main() -> None:
    """Measure, print and store; or measure so many VMs, and say what they took."""
    if len(sys.argv) > 1:
        row = _many(int(sys.argv[1]))
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(row.ours_s, row.theirs_s, row.ratio, peak_kib / 1024)
        return
    rows = []
    for vms, (aim, _) in FLEETS.items():
        command = [sys.executable, "-m", "benchmarks.doubts", str(vms)]
        said = subprocess.run(command, capture_output=True, check=True, text=True)
        names = ("ours_s", "theirs_s", "ratio", "peak_mib")
        took = (f"{float(word):.3g}" for word in said.stdout.split())
        row = {"vms": vms} | dict(zip(names, took, strict=True))
        rows.append(row | {"aim": aim, "load": f"{os.getloadavg()[1]:.1f}"})
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    run = {"date": today} | {name: version(name) for name in ("numpy", "pandas")}
    store(RESULTS, rows, run)


def _many(vms: int) -> Comparison:
    aim, rounds = FLEETS[vms]
    return _drawn(made(round(vms * OF_A_VM)), aim, rounds)


def _drawn(disks: pd.DataFrame, aim: str, rounds: int) -> Comparison:
    ours_s, theirs_s = alternate(
        partial(vm.doubt, disks), partial(vm.estimate, disks), rounds=rounds
    )
    what = f"512 draws of {disks['vm'].nunique():,} VMs / an estimate of them"
    return Comparison(what, ours_s, theirs_s, aim)


if __name__ == "__main__":
    main()
