"""The answers: what the service does with what the user has."""

from vmbmodel.plan.answers import (
    plain,
    records,
)
from vmbmodel.plan.scenario import (
    CATALOGUES,
    DEFAULT_PRICES,
    DEFAULT_PROFILE,
    DERIVED,
    Scenario,
    parse_setting,
)

__all__ = [
    "CATALOGUES",
    "DEFAULT_PRICES",
    "DEFAULT_PROFILE",
    "DERIVED",
    "Scenario",
    "parse_setting",
    "plain",
    "records",
]
