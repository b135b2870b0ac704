r"""What a constant may be instead: a law of what nobody has measured.

A row of a set of constants may say so, beside the figure itself:

.. code-block:: toml

    low = 8                   # in the unit of the name: one in ten is below,
    high = 50                 # and one in ten above; the figure is the median
    shape = "lognormal"       # or logit, normal, or uniform from low to high
    why = "what they rest on"
    disks = 0.8               # spread between disks, where a column is blank
    together = "vault_price"  # what moves as one has one draw
    sample = [21, 30, 17]     # draws of a fit, row by row with those of its others

An assumed constant without such a law says by ``kind`` why it has none: a ``choice``
is yours, a ``reading`` says what else it may be, ``unused`` is no number of its own.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vmbmodel._words import short

__all__ = ["KINDS", "PRIOR_KEYS", "SHAPES", "Prior", "prior_problems"]

SHAPES = ("lognormal", "logit", "normal", "uniform")
"""Laws of a constant: of its logarithm, its logit, itself, or between two ends."""

KINDS = ("choice", "reading", "unused")
"""Why an assumed constant has no law."""

PRIOR_KEYS = ("low", "high", "shape", "why", "disks", "together", "kind", "sample")
"""Keys of a row that say what else a constant may be."""

_NEEDED = PRIOR_KEYS[:4]
_FEWEST, _MOST = 32, 400
"""Rows of the sample of a fit: for each part of the draws two, and a line of a file."""


@dataclass(frozen=True)
class Prior:
    """Law of one constant, 8 of 10 draws of which lie between its ends."""

    low: float
    high: float
    shape: str
    disks: float = 0.0
    """Spread between disks: standard deviation of the logarithm or the logit."""
    together: str = ""
    """What the constant shares its draw with; nothing if it has its own."""
    sample: tuple[float, ...] = ()
    """Draws of a fit, row by row with those of the other constants of it."""


def prior_problems(name: str, row: Mapping[str, object], value: float) -> Iterator[str]:
    """Say what is wrong with what a row tells of what else its constant may be."""
    given = [key for key in PRIOR_KEYS if key in row]
    if "kind" in row:
        if row["kind"] not in KINDS:
            got = short(row["kind"])
            yield f"{name}: kind must be one of {', '.join(KINDS)}; got {got}"
        if set(given) - {"kind", "why"}:
            yield f"{name}: a constant of a kind has no low, high or shape"
        return
    if not given:
        if row.get("status") == "assumed":
            yield f"{name}: is assumed, and needs {', '.join(_NEEDED)}, or a kind"
        return
    lacking = [key for key in _NEEDED if key not in row]
    if lacking:
        yield f"{name}: {', '.join(lacking)} is missing beside {', '.join(given)}"
        return
    numbers = {key: row[key] for key in ("low", "high", "disks") if key in row}
    for key, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            yield f"{name}: {key} must be a number; got {short(number)}"
            return
    low, high, shape = row["low"], row["high"], row["shape"]
    if shape not in SHAPES:
        yield f"{name}: shape must be one of {', '.join(SHAPES)}; got {short(shape)}"
    elif not low <= value <= high or low == high or math.isinf(high):
        yield f"{name}: low and high must hold {value:g}; got {low:g} and {high:g}"
    elif shape == "lognormal" and low <= 0:
        yield f"{name}: low must be > 0 in shape lognormal; got {low:g}"
    elif shape == "logit" and not 0 < low < high < 1:
        yield f"{name}: low and high must lie within 0 and 1 in shape logit"
    sample = row.get("sample", ())
    if not isinstance(sample, list | tuple) or not all(
        type(one) in (int, float) and math.isfinite(one) for one in sample
    ):
        yield f"{name}: sample must be a list of numbers"
    elif "sample" in row and not _FEWEST <= len(sample) <= _MOST:
        rule = f"{_FEWEST} to {_MOST} numbers"
        yield f"{name}: sample must have {rule}; got {len(sample)}"
    if row.get("disks", 0) < 0:
        yield f"{name}: disks must be >= 0; got {row['disks']:g}"
