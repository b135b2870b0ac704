"""Plan vaults one after the other, and say what cannot be kept."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vmbmodel.plan.schedule.alike import Part
from vmbmodel.plan.schedule.packing import improved, pack, rounded
from vmbmodel.plan.schedule.program import AIMS, SLOT_H
from vmbmodel.plan.schedule.rules import Rules, clock
from vmbmodel.plan.schedule.solver import Step, divided, excess, optimise

__all__ = ["Aim", "planned"]

_SHOWN = 10  # of what is too tight, before it is counted


@dataclass(frozen=True)
class Aim:
    """How near a plan comes to the best there is, in one aim."""

    aim: str  #: what is made least
    value: float  #: what the plan comes to, summed over vaults
    bound: float  #: what no plan goes below that is as good in the aims before
    gap: float  #: share of the value by which the two differ; 0 if proven best
    seconds: float


def planned(
    found: Iterable[Part],
    total: int,
    rules: Rules,
    *,
    exact: bool,
    seconds: float,
    progress: Callable[[str, int, int], None] | None,
) -> tuple[dict[str, float], tuple[Aim, ...]]:
    """Plan part by part, or say what cannot be kept in all of them."""
    starts, problems, done, spent = {}, [], 0, 0.0
    steps = {aim: [] for aim in AIMS}
    for part in found:
        begin = time.monotonic()
        size = int(part.program.number.sum())
        share = (seconds - spent) * size / max(total - done, 1)
        if tight := list(_without_slot(part, rules)):
            problems += tight
            continue
        plan, own = _solved(part, share, exact=exact)
        if plan is None:
            problems += _too_tight(part, rules, share)
            continue
        starts |= _dealt(part, plan)
        for step in own:
            steps[step.aim].append(step)
        done, spent = done + size, spent + time.monotonic() - begin
        if progress:
            progress("schedule", done, total)
    if problems:
        raise ValueError("\n".join(["no schedule keeps all rules:", *problems]))
    return starts, tuple(_aim(name, own) for name, own in steps.items())


def _solved(
    part: Part, seconds: float, *, exact: bool
) -> tuple[np.ndarray | None, list[Step]]:
    program, end = part.program, time.monotonic() + seconds
    found = [program.present, pack(program)]
    parts = divided(program, seconds / 4)
    if parts is not None:
        found.append(rounded(program, parts))
    best = None
    for plan in found:
        if plan is None or not program.keeps_rules(plan):
            continue
        plan = improved(program, plan, seconds / 16)
        if best is None or program.better(program.values(plan), program.values(best)):
            best = plan
    # no room for the last ones is not yet no room at all
    left = end - time.monotonic()
    return optimise(program, best, left, exact=exact or best is None)


def _dealt(part: Part, plan: np.ndarray) -> dict[str, float]:
    """Deal the starts of a class to its members, who keep their own if they can."""
    starts = {}
    for names, counts in zip(part.members, plan.astype(int), strict=True):
        left, movers = counts.copy(), []
        for name in names:
            slot = part.present_slot[name]
            if slot >= 0 and left[slot]:
                starts[name], left[slot] = SLOT_H * slot, left[slot] - 1
            else:
                movers.append(name)
        slots = np.repeat(np.arange(left.size), left)
        starts |= dict(zip(movers, (SLOT_H * slots).tolist(), strict=True))
    return starts


def _aim(name: str, steps: Sequence[Step]) -> Aim:
    value, bound, seconds = (
        float(sum(getattr(step, part) for step in steps))
        for part in ("value", "bound", "seconds")
    )
    gap = (value - bound) / value if 0 < value < math.inf else 0.0
    return Aim(name, value, bound, gap if gap > 1e-6 else 0.0, seconds)


def _without_slot(part: Part, rules: Rules) -> Iterator[str]:
    """Name VMs that may start at no time of the day."""
    stuck = np.flatnonzero(~part.program.open.any(axis=1))
    names = [name for group in stuck for name in part.members[group]]
    if not names:
        return
    clear = rules.may_start(SLOT_H * np.arange(part.program.open.shape[1]))
    if not clear.any():
        yield (
            f"blackout: no start of the day is clear of it for "
            f"{rules.start_slack_h:g} h (start_slack_h), so {len(names)} VMs of "
            f"{', '.join(part.vaults[:_SHOWN])} cannot start"
        )
        return
    finish_h = np.where(clear, part.program.finish_h, np.inf).min(axis=1)
    over_h = finish_h - rules.within_h
    for group in stuck[:_SHOWN]:
        more = len(part.members[group]) - 1
        others = f" and {more} like it" if more else ""
        yield (
            f"done_by_h: {part.members[group][0]}{others} would be done "
            f"{over_h[group]:.1f} h after {clock(rules.done_by_h)} at the "
            "earliest"
        )
    if len(stuck) > _SHOWN:
        yield f"done_by_h: {len(stuck) - _SHOWN} more kinds of VMs would be done late"


def _too_tight(part: Part, rules: Rules, seconds: float) -> Iterator[str]:
    over = excess(part.program, max(seconds, 5))
    for (kind, number), count in over.items():
        if kind == "vault":
            rows = part.program.vault == number
            slots = int(part.program.open[rows].any(axis=0).sum())
            yield (
                f"vault_vms: vault {part.vaults[number]} has "
                f"{part.program.number[rows].sum()} VMs to place in {slots} starts of "
                f"up to {rules.vault_vms:g}; {count:g} find no room"
            )
        else:
            yield (
                f"account_disks: of storage account {part.accounts[number]}, "
                f"{count:g} disks find no start with fewer than "
                f"{rules.account_disks:g} of it"
            )
    if not over:
        vaults = ", ".join(part.vaults[:_SHOWN])
        yield f"no plan was found in time for {vaults}; more seconds may find one"
