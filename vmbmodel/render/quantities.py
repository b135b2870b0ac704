"""How a person reads a quantity: to which digits, and on which side of a column."""

import math

from vmbmodel.fields import fields

__all__ = ["is_number", "shown"]


def is_number(name: str) -> bool:
    """Say whether a column holds numbers."""
    return name in fields() and fields()[name].kind == "number"


def shown(name: str, value: object) -> str:
    """Return a value as a person reads it, to a sensible number of digits."""
    if value is None:
        return ""
    if isinstance(value, str | bool) or not hasattr(value, "__float__"):
        return str(value)
    number = float(value)
    if math.isinf(number):
        return "never" if name.endswith("_h") else "no limit"
    if name.endswith("_usd"):
        return f"{number:,.2f}"
    if name.endswith("_prob"):
        # a chance that is not quite certain must not look certain
        return f"{math.floor(number * 1e4) / 1e4:.4f}"
    if name.endswith("_h"):
        return f"{number:,.2f}"
    return f"{number:.4g}" if abs(number) < 10 else f"{number:,.1f}".removesuffix(".0")
