"""Input checks shared by every formula."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel.units import fields

__all__ = ["refuse_out_of_range"]


def refuse_out_of_range(arguments: Mapping[str, ArrayLike]) -> None:
    """Refuse an argument with an entry outside the range of its field, or NaN.

    Raises
    ------
    ValueError
        Names the argument, the rule, the first bad value and where it stands.
    """
    for name, value in arguments.items():
        field = fields()[name]
        if isinstance(value, np.ma.MaskedArray):
            value = value.astype(float).filled(np.nan)  # masked is missing
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "biuf":
            raise ValueError(f"{name} must be a number; got {value!r}")
        bounds = field.range
        above = np.greater_equal if bounds.low_in else np.greater
        below = np.less_equal if bounds.high_in else np.less
        fits = above(numbers, bounds.low) & below(numbers, bounds.high)
        if not fits.all():
            raise ValueError(_finding(name, bounds.rule, numbers, fits))
        if field.whole:
            fits = np.trunc(numbers) == numbers
            if not fits.all():
                raise ValueError(_finding(name, "whole", numbers, fits))


def _finding(name: str, rule: str, numbers: np.ndarray, fits: np.ndarray) -> str:
    where = tuple(int(i) for i in np.argwhere(~fits)[0])
    at = f" at index {where}" if where else ""
    return f"{name} must be {rule}; got {numbers[where]}{at}"
