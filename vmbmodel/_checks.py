"""Input checks shared by every formula."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel.fields import fields

__all__ = ["refuse", "refuse_out_of_range", "refuse_unknown"]


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
        refuse(name, bounds.rule, numbers, fits)
        if field.whole:
            refuse(name, "whole", numbers, np.trunc(numbers) == numbers)


def refuse_unknown(choices: Mapping[str, str]) -> None:
    """Refuse a name that is none of the choices of its field.

    Raises
    ------
    ValueError
        Names the argument, what it may be, and what it is.
    """
    for name, value in choices.items():
        known = fields()[name].choices
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")


def refuse(name: str, rule: str, numbers: np.ndarray, fits: np.ndarray) -> None:
    """Refuse the first of the numbers that does not fit a rule.

    Raises
    ------
    ValueError
        Names the argument, the rule, the first bad value and where it stands.
    """
    if np.all(fits):
        return
    where = tuple(int(i) for i in np.argwhere(~fits)[0])
    at = f" at index {where}" if where else ""
    raise ValueError(f"{name} must be {rule}; got {numbers[where]}{at}")
