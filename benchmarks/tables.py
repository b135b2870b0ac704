"""What a benchmark found, on the screen and in a file."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


def store(
    path: Path, rows: Sequence[Mapping[str, object]], run: Mapping[str, object]
) -> None:
    """Print the rows, and write each with what is so of the whole run."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*rows[0], *run], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            print(*row.values(), sep="  ")
            writer.writerow({**row, **run})
