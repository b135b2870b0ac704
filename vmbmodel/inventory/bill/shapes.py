"""The shapes of cost exports that are read, each known by its headings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["COSTS", "SHAPES", "Shape", "folded", "shape_of"]

COSTS = {
    "billed": "BilledCost",
    "effective": "EffectiveCost",
    "contracted": "ContractedCost",
    "list": "ListCost",
}
"""Which cost to take, and the column of FOCUS that holds it."""

SHAPES = (
    "exports in the columns of FOCUS, and the cost details of Cost Management, actual "
    "or amortised, of an enterprise agreement, a customer agreement or pay-as-you-go"
)
"""Shapes that are read, for who hands over another."""


@dataclass(frozen=True)
class Shape:
    """Where an export has what is taken of it: by what it is, the headings it may have.

    The newest heading comes first.
    """

    columns: Mapping[str, tuple[str, ...]]
    optional: Mapping[str, tuple[str, ...]]
    costs: Mapping[str, tuple[str, ...]]
    """Headings of each cost of `COSTS` that there is."""
    kinds: tuple[str, ...]
    """What a charge may be, in small letters."""
    closed: bool
    """Whether there are no other kinds, as the specification has it."""
    daily: bool
    """Whether a charge has the day of its use, and no end."""


FOCUS = Shape(
    columns={
        "meter": ("SkuMeter", "x_SkuMeterName"),  # 1.2 of FOCUS calls it SkuMeter
        "service": ("x_SkuMeterCategory", "ServiceName"),
        "resource": ("ResourceId",),
        "currency": ("BillingCurrency",),
        "start": ("ChargePeriodStart",),
        "end": ("ChargePeriodEnd",),
        "quantity": ("PricingQuantity", "ConsumedQuantity"),
        "unit": ("PricingUnit", "ConsumedUnit"),
    },
    optional={"category": ("ChargeCategory",), "class": ("ChargeClass",)},
    costs={cost: (heading,) for cost, heading in COSTS.items()},
    kinds=("usage", "purchase", "tax", "credit", "adjustment"),
    closed=True,
    daily=False,
)
_IN_DETAILS = ("CostInBillingCurrency", "PreTaxCost", "ExtendedCost", "Cost")
DETAILS = Shape(
    columns={
        "meter": ("MeterName", "Meter"),
        "service": ("MeterCategory",),
        "resource": ("ResourceId", "InstanceId", "InstanceName"),
        "currency": ("BillingCurrencyCode", "BillingCurrency", "Currency"),
        "start": ("Date", "UsageDateTime", "UsageDate"),
        "quantity": ("Quantity", "UsageQuantity", "ConsumedQuantity"),
        "unit": ("UnitOfMeasure",),
    },
    optional={
        "category": ("ChargeType",),
        "period_start": ("BillingPeriodStartDate",),
        "period_end": ("BillingPeriodEndDate",),
        "price": ("EffectivePrice",),
        "price_currency": ("PricingCurrency", "PricingCurrencyCode"),
    },
    costs={"billed": _IN_DETAILS, "effective": _IN_DETAILS},  # as it was exported
    # no page lists all; these are what Microsoft maps to FOCUS
    kinds=(
        *("usage", "purchase", "tax", "refund", "roundingadjustment"),
        *("unusedreservation", "unusedsavingsplan"),
    ),
    closed=False,
    daily=True,
)


def folded(heading: str) -> str:
    """Return what the spellings of a heading have in common."""
    return "".join(heading.lower().split())


def shape_of(headings: Sequence[str]) -> Shape:
    """Return the shape of an export; that of FOCUS where it is no other.

    >>> shape_of(["Date", "MeterCategory", "Quantity"]) is DETAILS
    True
    """
    there = {folded(heading) for heading in headings}
    details = "metercategory" in there and "chargeperiodstart" not in there
    return DETAILS if details else FOCUS
