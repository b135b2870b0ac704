"""The life of a protected VM, from its first backup to its deletion, and its bill."""

import datetime
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vmbmodel import formulas
from vmbmodel._words import first_lines
from vmbmodel.plan.bill.calendar import month_edges_h
from vmbmodel.service import ConstantSet, storage_usd_per_gib_month

__all__ = ["Event", "bill_of_life"]

_NEXT = {  # what may happen, and where it leads
    ("unprotected", "backup"): "protected",
    ("protected", "backup"): "protected",
    ("protected", "stop"): "stopped",
    ("stopped", "resume"): "protected",
    ("protected", "delete"): "deleted",
    ("stopped", "delete"): "deleted",
    ("deleted", "undelete"): "stopped",
}
_KINDS = tuple(dict.fromkeys(kind for _, kind in _NEXT))
_SIZES = ("used_gib", "stored_gib", "snapshot_gib")
_NOTHING = (math.nan,) * len(_SIZES)


@dataclass(frozen=True)
class Event:
    """Something that happens to the protection of a VM.

    Parameters
    ----------
    on : datetime.date
        The day; its whole day counts as after the event.
    kind : str
        ``backup``, one that succeeded; ``stop``, which keeps the data; ``resume``;
        ``delete``, of all data; or ``undelete``.
    used_gib, stored_gib, snapshot_gib : float, optional
        Of a backup: data of the VM, and what vault and snapshots hold after it.
    """

    on: datetime.date
    kind: str
    used_gib: float = 0.0
    stored_gib: float = 0.0
    snapshot_gib: float = 0.0


def bill_of_life(
    events: Iterable[Event],
    months: int,
    prices: ConstantSet,
    *,
    redundancy: str = "GRS",
    snapshot_policy: str = "standard",
    soft_delete_h: float = 336.0,
) -> pd.DataFrame:
    """Return the bill of each calendar month of a life.

    Parameters
    ----------
    events : iterable of Event
        What happens, those of one day in their order.
    months : int
        Months to bill, from that of the first event on.
    prices : ConstantSet
        A price book.
    redundancy : str, optional
        Of the vault.
    snapshot_policy : str, optional
        ``standard`` or ``enhanced``, which snapshots are priced by.
    soft_delete_h : float, optional
        How long the vault keeps deleted data: 14 days at least, for soft delete
        cannot be switched off. [h]

    Returns
    -------
    DataFrame
        A row a month, named as ``2024-02``: the share of it that is billed, the mean
        of protected instances, of stored data and of snapshots, the three lines of
        the bill, and their sum.

    Raises
    ------
    ValueError
        If there is no event or no month, or with every event that cannot be: a
        backup of stopped protection, a deletion of nothing; and if deleted data is
        kept for less than the free days.

    Notes
    -----
    Nothing is billed before the first successful backup. Stopped protection is
    billed on at the size of the last one. Deleted data is billed until
    `vmbmodel.formulas.billing.billing_end_h`, and its snapshots until they are gone,
    for they lie in the owner's subscription; what is undeleted is billed again.
    Part months are prorated by days, each of which lands in one month.

    Examples
    --------
    A VM of 47 GiB from 11 April on, whose protection is stopped:

    >>> from vmbmodel.service import PRICES, storage_usd_per_gib_month
    >>> april, june = datetime.date(2023, 4, 11), datetime.date(2023, 6, 1)
    >>> bill = bill_of_life(
    ...     [Event(april, "backup", 47, 47), Event(june, "stop")],
    ...     3, PRICES.load("azure-list-2026-01"))
    >>> print(bill["instance_usd"].round(2).to_dict())
    {'2023-04': 3.33, '2023-05': 5.0, '2023-06': 5.0}
    """
    events = sorted(events, key=lambda event: event.on)
    if not events:
        raise ValueError("events must hold one at least")
    free_h = prices["free_soft_delete_h"]
    if not soft_delete_h >= free_h:
        raise ValueError(
            f"soft_delete_h must be >= {free_h:g}, for soft delete cannot be switched "
            f"off; got {soft_delete_h!r}"
        )
    steps = _steps(events, soft_delete_h, free_h)
    start = events[0].on.replace(day=1)
    edges_h = np.array(month_edges_h(start, months))
    begin_h = np.array([24.0 * (day - start.toordinal()) for day, _ in steps])
    used, stored, snapshots = np.array([sizes for _, sizes in steps], dtype=float).T
    protected = ~np.isnan(used)
    used, stored, snapshots = (np.nan_to_num(s) for s in (used, stored, snapshots))
    share = formulas.event_frac(
        begin_h[None], edges_h[:-1], edges_h[1:], math.inf, math.inf
    )
    instances = protected * formulas.protected_instances(
        used,
        prices["small_instance_gib"],
        prices["small_instances"],
        prices["instance_step_gib"],
    )
    vault = storage_usd_per_gib_month(prices, redundancy)
    beside = prices[f"snapshot_{snapshot_policy}_usd_per_gib_month"]
    bill = pd.DataFrame(
        {
            "billed_frac": share @ protected,
            "protected_instances": share @ instances,
            "instance_usd": share
            @ formulas.instance_usd(instances, prices["instance_fee_usd"], 1),
            "stored_gib": share @ stored,
            "storage_usd": share @ formulas.storage_usd(stored, vault, 1),
            "snapshot_gib": share @ snapshots,
            "snapshot_usd": share @ formulas.storage_usd(snapshots, beside, 1),
        },
        index=pd.period_range(start, periods=months, freq="M").astype(str),
    )
    lines = ["instance_usd", "storage_usd", "snapshot_usd"]
    return bill.assign(total_usd=bill[lines].sum(axis=1)).rename_axis("month")


def _steps(
    events: list[Event], soft_delete_h: float, free_h: float
) -> list[tuple[float, tuple[float, ...]]]:
    """Return from when on which sizes are billed; they are NaN where nothing is."""
    steps, problems = [], []
    state, sizes = "unprotected", _NOTHING
    gone = unbilled = math.inf

    def let_go(until):
        """End what is billed of deleted data: the vault's first, snapshots last."""
        if unbilled <= until:
            steps.append((unbilled, (*_NOTHING[:-1], sizes[-1])))
        if gone <= until:
            steps.append((gone, _NOTHING))

    for event in events:
        day = event.on.toordinal()
        let_go(day)
        if day >= unbilled:
            unbilled = math.inf
        if day >= gone:
            state, gone = "unprotected", math.inf
        problem = _problem(event, state)
        if problem:
            problems.append(f"{event.on}: {problem}")
            continue
        state = _NEXT[state, event.kind]
        if event.kind == "backup":
            sizes = tuple(getattr(event, name) for name in _SIZES)
        if event.kind == "delete":
            gone = day + soft_delete_h / 24
            unbilled = formulas.billing_end_h(24 * day, soft_delete_h, free_h) / 24
        else:
            gone = unbilled = math.inf
            steps.append((day, sizes))
    if problems:
        raise ValueError(first_lines(problems))
    let_go(sys.float_info.max)
    return steps


def _problem(event: Event, state: str) -> str | None:
    if event.kind not in _KINDS:
        return f"kind must be one of {', '.join(_KINDS)}; got {event.kind!r}"
    if (state, event.kind) not in _NEXT:
        return f"no {event.kind} of what is {state}"
    for name in _SIZES:
        if not 0 <= getattr(event, name) < math.inf:
            return f"{name} must be >= 0 and finite; got {getattr(event, name)!r}"
    return None
