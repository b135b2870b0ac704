"""Run every comparison, print one table and store it in ``results.csv``."""

import csv
import datetime
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks import chain, doubts, plans, queues, scalars, small, startup
from benchmarks.timing import Comparison

COMMAND = "python -m benchmarks"
RESULTS = Path(__file__).with_name("results.csv")


def main() -> None:
    """Compare, print and store."""
    parts = startup, scalars, small, chain, queues, plans, doubts
    rows = [row for part in parts for row in part.compare()]
    widest = max(len(row.what) for row in rows)
    heads = ("ours", "theirs", "ratio", "aim")
    print(f"{'CPU time of ours / theirs':{widest}}", *(f"{h:>9}" for h in heads))
    for row in rows:
        print(f"{row.what:{widest}}", *(f"{text:>9}" for text in _shown(row)))
    run = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        **{
            name: version(name) for name in ("numpy", "scipy", "xarray", "ciw", "simpy")
        },
        "command": COMMAND,
    }
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["what", "ours_s", "theirs_s", "ratio", "aim", *run])
        for row in rows:
            seconds = f"{row.ours_s:.3g}", f"{row.theirs_s:.3g}", f"{row.ratio:.3g}"
            writer.writerow([row.what, *seconds, row.aim, *run.values()])


def _shown(row: Comparison) -> tuple[str, str, str, str]:
    return (
        f"{row.ours_s:.2g} s",
        f"{row.theirs_s:.2g} s",
        f"{row.ratio:.3g}",
        row.aim,
    )


if __name__ == "__main__":
    main()
