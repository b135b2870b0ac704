"""Cases by their names, the values they give, and how these are written."""

import contextlib
import dataclasses
import functools
import json
import math
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parents[1] / "held"
CASES = {}
DIGITS = 11


def case(name):
    """Take a function for the case of a name, ``FILE/CASE``."""

    def take(function):
        assert name not in CASES, name
        CASES[name] = function
        return function

    return take


@functools.cache
def held(file):
    """Return what is held in a file, by case."""
    return json.loads((FOLDER / f"{file}.json").read_text("utf-8"))


def plain(entry):
    """Bring a value to JSON's own types; rows of a table become columns."""
    if isinstance(entry, Mapping):
        return {str(key): plain(value) for key, value in entry.items()}
    if isinstance(entry, pd.DataFrame):
        return {str(name): plain(entry[name].tolist()) for name in entry}
    if isinstance(entry, np.ndarray):
        return plain(entry.tolist())
    if dataclasses.is_dataclass(entry):
        names = (f.name for f in dataclasses.fields(entry))
        return {name: plain(getattr(entry, name)) for name in names}
    if isinstance(entry, Iterable) and not isinstance(entry, str):
        rows = [plain(value) for value in entry]
        if not rows or not all(isinstance(row, dict) for row in rows):
            return rows
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: [row.get(name) for row in rows] for name in names}
    if isinstance(entry, bool | np.bool_):
        return bool(entry)
    if isinstance(entry, int | np.integer):
        return int(entry)
    if isinstance(entry, float | np.floating):
        if not math.isfinite(entry):
            return str(float(entry))
        short = float(f"{entry:.{DIGITS}g}") + 0.0
        return int(short) if short.is_integer() and abs(short) < 1e9 else short
    return entry if entry is None or isinstance(entry, str) else str(entry)


def lines(entry, indent=0):
    """Write a case so that a column is a line."""
    if not isinstance(entry, dict):
        return json.dumps(entry, ensure_ascii=False)
    pad = " " * (indent + 1)
    rows = (
        f"{pad}{json.dumps(name, ensure_ascii=False)}: {lines(value, indent + 1)}"
        for name, value in entry.items()
    )
    return "{\n" + ",\n".join(rows) + "\n" + " " * indent + "}" if entry else "{}"


def answered(compute, *arguments, **settings):
    """Return what is computed, or what is said where it is refused."""
    try:
        return compute(*arguments, **settings)
    except ValueError as error:
        return f"refused: {error}"


def of_text(read, text, **how):
    """Return what is read of a text in a file, or what is said where it is refused."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        path = Path("text")
        path.write_text(text, "utf-8")
        return answered(read, path, **how)


def fresh(text, base):
    """Return the lines of a text that another does not have."""
    known = base.split("\n")
    return [line for line in text.split("\n") if line not in known]


def write(files):
    """Compute and write the cases of some files, or of all."""
    FOLDER.mkdir(exist_ok=True)
    found = {}
    for name, compute in CASES.items():
        file, _, rest = name.partition("/")
        if not files or file in files:
            found.setdefault(file, {})[rest] = plain(compute())
    for file, cases in found.items():
        (FOLDER / f"{file}.json").write_text(lines(cases) + "\n", "utf-8")
