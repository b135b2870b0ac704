"""What importing the package costs, each time in a fresh process."""

import resource
import statistics
import subprocess
import sys

from benchmarks.timing import Comparison

__all__ = ["compare"]

ROUNDS = 11


def compare() -> list[Comparison]:
    """Time imports, less what the bare interpreter takes."""
    statements = [
        "pass",
        "import numpy",
        "import vmbmodel",
        "import vmbmodel.formulas.queueing",
    ]
    for statement in statements:  # bytecode and disk cache
        _cpu_s(statement)
    seconds = [[_cpu_s(s) for s in statements] for _ in range(ROUNDS)]
    bare_s, numpy_s, *ours_s = map(statistics.median, zip(*seconds, strict=True))
    return [
        Comparison(
            f"{statement} / import numpy",
            max(taken_s - bare_s, 0),
            numpy_s - bare_s,
            "<= 1.15",
        )
        for statement, taken_s in zip(statements[2:], ours_s, strict=True)
    ]


def _cpu_s(statement):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
