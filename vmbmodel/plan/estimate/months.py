"""The bill of every month to come: points gather, data grows, steps are passed."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from vmbmodel.plan.estimate.exact import pieces_of_each, sum_of
from vmbmodel.plan.estimate.remarks import AT_RISK_PROB, Notice
from vmbmodel.plan.scenario import Scenario

__all__ = [
    "MONTH_COLUMNS",
    "MOST_MONTHS",
    "MonthPieces",
    "break_dates",
    "joined_months",
    "month_pieces",
    "month_rows",
    "month_totals",
]

MonthPieces = Mapping[str, Sequence[Sequence[float]]]
"""Of each column, and each month, numbers whose exact sum is that of some VMs."""

MONTH_COLUMNS = (
    "used_gib",
    "churn_gib_per_day",
    "protected_instances",
    "instance_usd",
    "stored_gib",
    "storage_usd",
    "snapshot_usd",
    "total_usd",
)
"""What a month has of each VM; a bill's figures are its mean."""

MOST_MONTHS = 1200
"""Months to come that are billed."""

_YEAR_DAYS = 365.25
_MONTH_DAYS = _YEAR_DAYS / 12
_SAMPLES = 6  # days of a month whose mean is its bill


def month_rows(
    names: pd.Index,
    vms: Mapping[str, np.ndarray],
    months: int,
    bill: Callable[..., Mapping[str, np.ndarray]],
    *,
    yearly_growth_frac: float,
    yearly_churn_growth_frac: float | None,
) -> pd.DataFrame:
    """Bill every VM in every month to come, counted from 1.

    A VM whose next backup is its first has no points yet, and gathers them from the
    first day on; any other has as many as its policy keeps. A month is the mean of
    six of its days, as far apart as can be.
    """
    growth = yearly_growth_frac, _or(yearly_churn_growth_frac, yearly_growth_frac)
    young = vms["first_backup"]
    rows = []
    for month in range(1, months + 1):
        total = 0.0
        for sample in range(_SAMPLES):
            day = math.floor((month - 1 + (sample + 0.5) / _SAMPLES) * _MONTH_DAYS)
            later = _grown(vms, *growth, day)
            later |= bill(later, protected_days=np.where(young, day + 1.0, np.inf))
            total = total + np.column_stack([later[name] for name in MONTH_COLUMNS])
        table = pd.DataFrame(total / _SAMPLES, columns=MONTH_COLUMNS)
        table.insert(0, "vm", names)
        table.insert(0, "month", month)
        rows.append(table)
    return pd.concat(rows, ignore_index=True)


def month_totals(rows: pd.DataFrame) -> pd.DataFrame:
    """Sum the VMs of every month."""
    return joined_months([month_pieces(rows)])


def month_pieces(rows: pd.DataFrame) -> MonthPieces:
    """Return what the VMs of every month come to, to be joined with others."""
    begin = np.flatnonzero(np.diff(rows["month"], prepend=0))
    return {n: pieces_of_each(rows[n].to_numpy(), begin) for n in MONTH_COLUMNS}


def joined_months(parts: Sequence[MonthPieces]) -> pd.DataFrame:
    """Return the sums of every month over all parts of an inventory."""
    sums = {
        name: [
            sum_of(itertools.chain.from_iterable(month))
            for month in zip(*(part[name] for part in parts), strict=True)
        ]
        for name in MONTH_COLUMNS
    }
    table = pd.DataFrame(sums)
    table.insert(0, "month", np.arange(1, len(table) + 1))
    return table


def _grown(
    vms: Mapping[str, np.ndarray], growth: float, churn_growth: float, days: float
) -> dict[str, np.ndarray]:
    """Return VMs as they are some days later, with more data and more changes."""
    years = days / _YEAR_DAYS
    data, changes = (1 + growth) ** years, (1 + churn_growth) ** years
    used = vms["used_gib"] * data
    return {
        **vms,
        "used_gib": used,
        "churn_gib_per_day": vms["churn_gib_per_day"] * changes,
        "changed_gib": np.minimum(changes * vms["changed_gib"], used),
    }


def break_dates(
    vms: pd.DataFrame,
    scenario: Scenario,
    months: int,
    backup: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]],
) -> Iterator[Notice]:
    """Find the months in which growth takes a VM, named by the index, over a step.

    `backup` gives VMs their chance to meet the deadline, from their transfers.
    """
    growth = scenario["yearly_growth_frac"]
    churn_growth = _or(scenario["yearly_churn_growth_frac"], growth)
    yield from _steps(vms, scenario, months, growth)
    yield from _churn(vms, scenario, months, churn_growth)
    yield from _deadline(vms, scenario, months, backup, max(growth, churn_growth))


def _steps(
    vms: pd.DataFrame, scenario: Scenario, months: int, growth: float
) -> Iterator[Notice]:
    prices = scenario.prices
    small, step = prices["small_instance_gib"], prices["instance_step_gib"]
    fee = prices["instance_fee_usd"] * (1 - scenario["instance_discount_frac"])
    size = vms["used_gib"].to_numpy()
    limit = np.where(size <= small, small, np.maximum(np.ceil(size / step), 1) * step)
    when = _month_of(size, limit, growth)
    for at in np.flatnonzero(when <= months):
        small_now = limit[at] == small
        more = 1 - prices["small_instances"] if small_now else 1
        yield Notice(
            "tier_step",
            vms.index[at],
            f"Passes {limit[at]:,.0f} GiB in month {when[at]:.0f}; its protected "
            f"instances then cost {more * fee:,.2f} USD a month more.",
        )


def _churn(
    vms: pd.DataFrame, scenario: Scenario, months: int, growth: float
) -> Iterator[Notice]:
    if "max_churn_gib_per_day" not in scenario.profile:
        return
    most = scenario["max_churn_gib_per_day"]
    churn = vms["churn_gib_per_day"].to_numpy()
    when = _month_of(churn, np.where(churn <= most, most, np.inf), growth)
    for at in np.flatnonzero(when <= months):
        yield Notice(
            "churn_step",
            vms.index[at],
            f"Changes more than {most:g} GiB a day from month {when[at]:.0f} on; its "
            f"backups may then take more than {scenario['high_churn_backup_h']:g} h.",
        )


def _deadline(
    vms: pd.DataFrame,
    scenario: Scenario,
    months: int,
    backup: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]],
    growth: float,
) -> Iterator[Notice]:
    """Look for the first month that ends with a chance too small.

    What a backup transfers, and the time that takes, grows as the data or as the
    changes, whichever is more.
    """
    if growth == 0:
        return
    safe = vms["deadline_prob"].to_numpy() >= AT_RISK_PROB
    columns = {name: vms[name].to_numpy() for name in vms}

    def at_risk(month: int) -> np.ndarray:
        transfer_h = columns["transfer_h"] * (1 + growth) ** (month / 12)
        later = backup(columns | {"transfer_h": transfer_h})
        return safe & (later["deadline_prob"] < AT_RISK_PROB)

    if not at_risk(months).any():
        return
    for month in range(1, months + 1):
        risky = at_risk(month)
        for at in np.flatnonzero(risky):
            yield Notice(
                "deadline_step",
                vms.index[at],
                f"Its next backup is done within {scenario['deadline_h']:g} h with a "
                f"probability below {AT_RISK_PROB:g} from month {month} on.",
            )
        safe = safe & ~risky


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _month_of(value: np.ndarray, limit: np.ndarray, growth: float) -> np.ndarray:
    """Month, counted from 1, in which a growing value passes its limit."""
    with np.errstate(divide="ignore", invalid="ignore"):
        years = np.log(limit / value) / np.log1p(growth)
    return np.where((value > 0) & (growth > 0), np.floor(12 * years) + 1, np.inf)
