"""Which policy each VM follows once its start is settled, and all policies then.

A policy has one start and, beside it, a retention that nobody here knows. VMs of
one policy that go to several starts therefore need copies of it: one keeps the
name, the others are named after it and their start.
"""

import math
from collections import Counter, defaultdict

import pandas as pd

from vmbmodel.plan.answers import day_clock
from vmbmodel.plan.schedule.rules import Rules, clock

__all__ = ["named", "policy_table"]


def named(vms: pd.DataFrame, most: float | None) -> pd.Series:
    """Name the policy of each VM, of which one may have so many.

    VMs that are to stay keep the name in any case. Of the others, those that keep
    their start do; if there are none, the most that go to one start.
    """
    rows = defaultdict(list)
    for row in vms.itertuples():
        rows[row.vault, row.present_policy].append(row)
    names, taken = {}, set(rows)
    for (vault, policy), group in rows.items():
        base = _base(policy, group[0].present_start_h)
        kept = sum(row.keep for row in group)
        first = _first(group)
        by_start = defaultdict(list)
        for row in sorted(group, key=lambda r: r.start_h != r.present_start_h):
            names[row.Index] = policy
            if not row.keep:
                by_start[row.start_h].append(row.Index)
        for start_h, movers in sorted(by_start.items()):
            room = max((most or math.inf) - kept, 0) if start_h == first else 0
            rest = movers[int(min(room, len(movers))) :]
            size = int(min(most or math.inf, max(len(rest), 1)))
            for begin in range(0, len(rest), size):
                name = _new(vault, f"{base}-{_digits(start_h)}", taken)
                names |= dict.fromkeys(rest[begin : begin + size], name)
    return pd.Series(names, index=vms.index, dtype=vms["present_policy"].dtype)


def _first(group: list) -> float:
    """Return the start that keeps the name."""
    kept, same, every = (
        Counter(row.start_h for row in group if test(row))
        for test in (
            lambda row: row.keep,
            lambda row: row.start_h == row.present_start_h,
            lambda row: True,
        )
    )
    return max(every, key=lambda hour: (kept[hour], same[hour], every[hour]))


def _base(policy: str, start_h: float) -> str:
    """Drop the start from the name of a policy that an earlier plan gave it."""
    return policy.removesuffix(f"-{_digits(start_h)}") or policy


def _digits(hour: float) -> str:
    return clock(hour).replace(":", "")


def _new(vault: str, name: str, taken: set) -> str:
    new, number = name, 1
    while (vault, new) in taken:
        number += 1
        new = f"{name}-{number}"
    taken.add((vault, new))
    return new


def policy_table(vms: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Give the policies as they are to be set up, a row each, with their VMs.

    Hours of starts and ends are written as those of one night.
    """
    night_h = rules.of_the_night(vms["start_h"])
    rows = vms.assign(night_h=night_h, last_finish_h=night_h + vms["done_p95_h"])
    rows = rows.reset_index()
    present = rows.groupby(["vault", "present_policy"])["present_start_h"].agg(set)
    by = rows.groupby(["vault", "policy", "start_h", "night_h"], sort=False)
    table = by.agg(
        vms=("vm", "size"),
        disks=("disks", "sum"),
        last_finish_h=("last_finish_h", "max"),
        names=("vm", list),
    ).reset_index()
    table = table.sort_values(["vault", "night_h", "policy"], ignore_index=True)
    table.insert(2, "start", table.pop("night_h").map(day_clock))
    table.insert(7, "last_finish", table["last_finish_h"].map(day_clock))
    keys = zip(table["vault"], table["policy"], table["start_h"], strict=True)
    table["todo"] = [
        "create"
        if (vault, policy) not in present
        else "keep"
        if hour in present[vault, policy]
        else "change start"
        for vault, policy, hour in keys
    ]
    return table
