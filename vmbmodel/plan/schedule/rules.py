"""What a schedule has to keep, and where starts and policies do not keep it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vmbmodel._words import first_lines
from vmbmodel.inventory.fleet import runs_a_day
from vmbmodel.plan import practices
from vmbmodel.plan.practices import Place
from vmbmodel.plan.scenario import Scenario

__all__ = ["SLOTS", "Broken", "Rules", "broken", "clear_of", "clock", "starts_of"]

_STARTS = ("start_h", "interval_h", "window_h")

SLOTS = np.arange(0, 24, 0.5)
"""Hours of the day at which a policy may start."""


@dataclass(frozen=True)
class Rules:
    """What a schedule has to keep."""

    blackout: tuple[tuple[float, float], ...]
    """Hours of the day, from and to, in which no backup may start."""
    done_by_h: float | None
    """Hour by which each backup has to be done, first after the longest blackout."""
    start_slack_h: float
    """How late a backup may start."""
    vault_vms: float | None
    """VMs of a vault that may start at once."""
    policy_vms: float | None
    """VMs that a policy may have."""
    account_disks: float | None
    """Disks of a storage account that may start at once."""

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        blackout: Iterable[tuple[float, float]],
        done_by_h: float | None,
    ) -> "Rules":
        """Take the limits from a scenario; every fault is told at once."""
        problems, blackout = [], tuple((float(a), float(b)) for a, b in blackout)
        for begin_h, end_h in blackout:
            if not (0 <= begin_h < 24 and 0 <= end_h <= 24) or begin_h == end_h:
                problems.append(
                    "a blackout must be two different hours from 0 to 24; got "
                    f"{begin_h:g} to {end_h:g}"
                )
        if done_by_h is not None and not 0 <= done_by_h <= 24:
            problems.append(f"done_by_h must be >= 0 and <= 24; got {done_by_h:g}")
        if problems:
            raise ValueError(first_lines(problems))
        limits = ("start_slack_h", "vault_vms", "policy_vms", "account_disks")
        limits = {name: scenario[name] for name in limits}
        if scenario["start_slack_reading"] == "none":
            limits["start_slack_h"] = 0.0
        return cls(blackout, done_by_h, **limits)

    @property
    def origin_h(self) -> float:
        """Hour at which a day of backups begins.

        That is the end of the longest blackout, or the hour at which all have to be
        done, or noon.
        """
        if self.blackout:
            return max(self.blackout, key=lambda b: (b[1] - b[0]) % 24 or 24)[1]
        return 12.0 if self.done_by_h is None else self.done_by_h

    def from_origin_h(self, hour):
        """Count hours from where a day of backups begins."""
        return (hour - self.origin_h) % 24

    def next_open_h(self, hour: np.ndarray) -> np.ndarray:
        """Return hours at which a backup may start: each itself, or the next one.

        >>> given = {"vault_vms": None, "policy_vms": None, "account_disks": None}
        >>> rules = Rules(((8, 18),), None, start_slack_h=2, **given)
        >>> rules.next_open_h(np.array([5.75, 6.25, 9, 23])).tolist()
        [5.75, 18.0, 18.0, 23.0]
        """
        open_ = SLOTS[self.may_start(SLOTS)]
        if not len(open_):
            return hour
        ahead_h = (open_ - hour[:, np.newaxis]) % 24
        return np.where(self.may_start(hour), hour, open_[ahead_h.argmin(axis=1)])

    def later_h(self, hour, than_h):
        """Count the hours of the night by which a start is later than another."""
        return np.maximum(self.from_origin_h(hour) - self.from_origin_h(than_h), 0)

    def of_the_night(self, hour):
        """Count an hour of the day from the midnight before the day of backups."""
        return self.origin_h % 24 + self.from_origin_h(hour)

    @property
    def within_h(self) -> float:
        """Hours from where a day begins to where all have to be done."""
        if self.done_by_h is None:
            return np.inf
        return self.from_origin_h(self.done_by_h) or 24.0

    def may_start(self, hour):
        """Say whether a start, as late as it may be, meets no blackout."""
        return clear_of(hour, self.blackout, self.start_slack_h)


def clear_of(
    start_h: np.ndarray | float,
    blackout: tuple[tuple[float, float], ...],
    slack_h: float,
) -> np.ndarray | bool:
    """Say whether a start, as late as it may be, meets no blackout.

    >>> clear_of(np.array([5.5, 6, 6.5, 17.5, 18]), ((8, 18),), slack_h=2).tolist()
    [True, True, False, False, True]
    """
    clear = np.ones(np.shape(start_h), dtype=bool)
    for begin_h, end_h in blackout:
        length_h = (end_h - begin_h) % 24 or 24
        for first_h in (begin_h - 24, begin_h, begin_h + 24):
            after = start_h >= first_h + length_h
            before = (start_h + slack_h <= first_h) & (start_h < first_h)
            clear &= after | before
    return clear


def clock(hour: float) -> str:
    """Write an hour of the day as people do.

    >>> clock(23.5), clock(25)
    ('23:30', '01:00')
    """
    minutes = round(hour * 60) % 1440
    return f"{minutes // 60:02}:{minutes % 60:02}"


@dataclass(frozen=True)
class Broken:
    """One place where a rule is not kept."""

    rule: str
    place: Place

    @property
    def count(self) -> int:
        """As how many it counts: each VM that starts in a blackout, or one place."""
        return self.place.found if self.rule == "blackout" else 1

    def to_dict(self) -> dict:
        """Return the place as one row."""
        return {
            "rule": self.rule,
            **self.place.where,
            "found": self.place.found,
            "limit": self.place.limit,
            "text": self.place.text,
        }


def broken(vms: pd.DataFrame, disks: pd.DataFrame, rules: Rules) -> Iterator[Broken]:
    """Find what the rules do not allow.

    VMs are indexed by name, and have ``vault``, ``policy``, ``start_h``,
    ``interval_h``, ``window_h`` and ``latest_p95_h``, when 95 of 100 are done after
    that hour if all start as late as they may; the disks are those in storage accounts
    of the user.
    """
    found = {"blackout": _in_blackout(vms, rules)}
    if rules.done_by_h is not None:
        found["done_by_h"] = _too_late(vms, rules)
    if rules.vault_vms is not None:
        found["vault_vms"] = practices.crowded_starts(vms, rules.vault_vms)
    if rules.policy_vms is not None:
        found["policy_vms"] = practices.crowded_policies(vms, rules.policy_vms)
    if rules.account_disks is not None:
        own = disks.assign(
            **{name: disks["vm"].map(vms[name]) for name in ("vault", "policy")}
        )
        most = rules.account_disks
        found["account_disks"] = practices.crowded_schedules(own, most)
    for rule, places in found.items():
        yield from (Broken(rule, place) for place in places)


def starts_of(start_h: float, interval_h: float, window_h: float) -> np.ndarray:
    """Return all starts of a VM in a day, the last one last, which is `start_h`.

    >>> starts_of(20.0, 8.0, np.nan).tolist(), starts_of(20.0, 4.0, 8.0).tolist()
    ([4.0, 12.0, 20.0], [12.0, 16.0, 20.0])
    """
    before = np.arange(runs_a_day(interval_h, window_h))[::-1]
    return (start_h - interval_h * before) % 24


def _in_blackout(vms: pd.DataFrame, rules: Rules) -> Iterator[Place]:
    if not rules.blackout:
        return
    alike = vms.groupby(["vault", *_STARTS], dropna=False, sort=False).size()
    for (vault, *kept), count in alike.items():
        for hour in starts_of(*kept):
            if rules.may_start(hour):
                continue
            who, start = ("1 VM", "starts") if count == 1 else (f"{count} VMs", "start")
            text = (
                f"{who} of vault {vault} {start} at {clock(hour)}, in a blackout or "
                f"within {rules.start_slack_h:g} h before one."
            )
            yield Place({"vault": vault, "start_h": float(hour)}, count, None, text)


def _too_late(vms: pd.DataFrame, rules: Rules) -> Iterator[Place]:
    late_h = rules.from_origin_h(vms["start_h"]) + vms["latest_p95_h"] - rules.within_h
    for name, hours in late_h[late_h > 1e-9].items():
        text = (
            f"Starting at {clock(vms.loc[name, 'start_h'])}, its backup is done "
            f"{hours:.1f} h after {clock(rules.done_by_h)} in one of 20 cases."
        )
        yield Place({"vm": name}, hours, 0, text)
