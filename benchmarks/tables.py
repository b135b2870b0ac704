"""What a benchmark found, on the screen and in a file."""

import csv
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path


def store(
    path: Path,
    rows: Sequence[Mapping[str, object]],
    run: Mapping[str, object],
    same: Collection[str] = (),
) -> None:
    """Print the rows, and write each with what is so of the whole run.

    With `same`, rows of former runs stay, but for those that are measured anew: those
    that are alike in these columns.
    """
    found = {tuple(str(row[name]) for name in same): row for row in rows}
    kept = []
    if same and path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            former = list(csv.DictReader(file))
        kept = [row for row in former if tuple(row[n] for n in same) not in found]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*rows[0], *run], lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
        for row in rows:
            print(*row.values(), sep="  ")
            writer.writerow({**row, **run})
