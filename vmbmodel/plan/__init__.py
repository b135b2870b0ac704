"""The answers: what the service does with what the user has."""

from vmbmodel.plan.answers import day_clock, plain, records, sealed
from vmbmodel.plan.facts import (
    NONE_OF_ALL,
    chosen,
    of_chosen,
    of_vms,
    refuse_unknown,
)
from vmbmodel.plan.scenario import (
    CATALOGUES,
    DEFAULT_PRICES,
    DEFAULT_PROFILE,
    DERIVED,
    Scenario,
    parse_setting,
)
from vmbmodel.plan.scenario_file import (
    scenario_arguments,
    scenario_settings,
    scenario_template,
)

__all__ = [
    "CATALOGUES",
    "DEFAULT_PRICES",
    "DEFAULT_PROFILE",
    "DERIVED",
    "NONE_OF_ALL",
    "Scenario",
    "chosen",
    "day_clock",
    "of_chosen",
    "of_vms",
    "parse_setting",
    "plain",
    "records",
    "refuse_unknown",
    "scenario_arguments",
    "scenario_settings",
    "scenario_template",
    "sealed",
]
