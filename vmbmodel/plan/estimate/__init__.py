"""Time, deadline, restore and bill of every VM of an inventory."""

from vmbmodel.plan.estimate.answer import (
    COLUMNS,
    SCHEMA,
    Estimate,
    compare,
    compare_disks,
    estimate,
    estimate_disks,
    parse_case,
    said_of,
)
from vmbmodel.plan.estimate.doubts import (
    DRAWS,
    INTERVAL_VMS,
    OF_THE_FLEET,
    OF_VMS,
    Doubt,
    Share,
    brief,
    doubt,
    doubt_of_disks,
    quick,
    with_ends,
)
from vmbmodel.plan.estimate.draws import at_score, prior_draws
from vmbmodel.plan.estimate.finish import backup, job_within_prob, met_by
from vmbmodel.plan.estimate.misses import POLICY_COLUMNS, fleet_misses, policy_misses
from vmbmodel.plan.estimate.months import MONTH_COLUMNS, month_totals
from vmbmodel.plan.estimate.others import (
    HALF_HOURS,
    OthersWait,
    SteadyWait,
    WaitByStart,
    day_load,
    of_others,
    wait_by_start,
)
from vmbmodel.plan.estimate.remarks import (
    AT_RISK_PROB,
    Assumption,
    Notice,
    assumptions,
    restore_said,
    wait_said,
)
from vmbmodel.plan.estimate.starts import START_COLUMNS
from vmbmodel.plan.estimate.sums import Sums, Whole

__all__ = [
    "AT_RISK_PROB",
    "COLUMNS",
    "DRAWS",
    "HALF_HOURS",
    "INTERVAL_VMS",
    "MONTH_COLUMNS",
    "OF_THE_FLEET",
    "OF_VMS",
    "POLICY_COLUMNS",
    "SCHEMA",
    "START_COLUMNS",
    "Assumption",
    "Doubt",
    "Estimate",
    "Notice",
    "OthersWait",
    "Share",
    "SteadyWait",
    "Sums",
    "WaitByStart",
    "Whole",
    "assumptions",
    "at_score",
    "backup",
    "brief",
    "compare",
    "compare_disks",
    "day_load",
    "doubt",
    "doubt_of_disks",
    "estimate",
    "estimate_disks",
    "fleet_misses",
    "job_within_prob",
    "met_by",
    "month_totals",
    "of_others",
    "parse_case",
    "policy_misses",
    "prior_draws",
    "quick",
    "restore_said",
    "said_of",
    "wait_by_start",
    "wait_said",
    "with_ends",
]
