"""Answers in JSON's own types: plain numbers, and infinity as a word."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from vmbmodel.plan.scenario import CATALOGUES, Scenario

__all__ = ["plain", "provenance", "records"]


def plain(entry: object) -> object:
    """Turn numbers of any library into JSON's, and infinity into a word."""
    if isinstance(entry, dict):
        return {key: plain(value) for key, value in entry.items()}
    if isinstance(entry, list):
        return [plain(value) for value in entry]
    if isinstance(entry, np.generic):
        entry = entry.item()
    if isinstance(entry, float) and math.isinf(entry):
        return "inf"
    return entry


def records(frame: pd.DataFrame, endless: object = "inf") -> Iterator[dict]:
    """Give the rows of a table one by one; what is missing is None."""
    columns = [_values(frame[name], endless) for name in frame.columns]
    return (
        dict(zip(frame.columns, row, strict=True)) for row in zip(*columns, strict=True)
    )


def provenance(scenario: Scenario) -> Iterator[tuple[str, dict]]:
    """Say which sets of constants were used; one of the user's own is given whole."""
    for kind, constants in scenario.sets():
        of_a_file = {"toml": constants.text}
        if CATALOGUES[kind].ships(constants):
            of_a_file = {}
        yield kind, {"name": constants.name, "sha256": constants.sha256} | of_a_file


def _values(column: pd.Series, endless: object) -> list:
    blank = column.isna().to_numpy()
    infinite = np.zeros_like(blank)
    if pd.api.types.is_float_dtype(column):
        infinite = np.isinf(column.to_numpy(dtype=float, na_value=np.nan))
    if not (blank | infinite).any():
        return column.tolist()
    values = column.to_numpy(dtype=object, copy=True)
    values[infinite] = endless
    values[blank] = None
    return values.tolist()
