"""The integer program behind a schedule: five aims, one after the other."""

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from vmbmodel.plan.schedule.program import AIMS, NEAR, SLOT_H, SLOTS, Program

__all__ = ["Step", "divided", "excess", "optimise"]

_RELAXED_SECONDS = 5  # that VMs that can be divided may always take


@dataclass(frozen=True)
class Step:
    """What came of one aim in one program; see `Aim`."""

    aim: str
    value: float
    bound: float
    seconds: float


class _Model:
    """The program as rows and columns for the solver."""

    def __init__(self, program: Program):
        self.program, self.size, self.at = program, 0, {}
        v, g = program.vaults, len(program.number)
        for name, shape in (
            ("starts", (g, SLOTS)),
            ("in_use", (v, SLOTS)),
            ("carried", (v, SLOTS)),
            ("line", (v, SLOTS)),
            ("peak_vms", (v,)),
            ("late_peak_vms", (v,)),
            ("stay", (g, SLOTS)),
        ):
            count = math.prod(shape)
            self.at[name] = self.size + np.arange(count).reshape(shape)
            self.size += count
        self.lower = np.zeros(self.size)
        self.upper = np.full(self.size, np.inf)
        for name in ("peak_vms", "late_peak_vms"):
            self.lower[self.at[name]] = getattr(program, name)
        starts, stay = self.at["starts"], self.at["stay"]
        self.upper[starts] = np.where(program.open, program.number[:, None], 0)
        self.upper[stay] = np.minimum(program.present, self.upper[starts])
        self.rows, self.low, self.high = [], [], []
        self.limits = {}  # row of a rule that may be too tight, and what it is about
        self._state_rules()
        self._state_loads()
        self._state_line()

    def row(self, columns, weights, low=-np.inf, high=np.inf) -> None:
        """Add one row: low <= weights . columns <= high."""
        self.rows.append((np.ravel(columns), np.ravel(weights)))
        self.low.append(low)
        self.high.append(high)

    def _state_rules(self) -> None:
        program, starts = self.program, self.at["starts"]
        for group, number in zip(starts, program.number, strict=True):
            self.row(group, np.ones(SLOTS), number, number)
        for vault, slot in np.argwhere(np.isfinite(program.room)):
            group = starts[program.vault == vault, slot]
            self.limits[len(self.rows)] = ("vault", int(vault))
            self.row(group, np.ones(group.size), high=program.room[vault, slot])
        for account, disks in enumerate(program.disks.T):
            some = np.flatnonzero(disks)
            for slot in range(SLOTS):
                high = program.account_room[account, slot]
                self.limits[len(self.rows)] = ("account", account)
                self.row(starts[some, slot], disks[some], high=high)
        for stay, start in zip(self.at["stay"].ravel(), starts.ravel(), strict=True):
            if self.upper[stay] > 0:
                self.row([stay, start], [1, -1], high=0)

    def _spread(self, profile: str, vault: int, slot: int):
        """Return the columns that take of a slot, and how much of it they take."""
        program = self.program
        groups = np.flatnonzero(program.vault == vault)
        own = getattr(program, profile)[groups]
        ago = (slot - np.arange(SLOTS)) % SLOTS
        weights = np.where(program.open[groups], own[:, ago], 0)
        taking = weights != 0
        return self.at["starts"][groups][taking], weights[taking]

    def _state_loads(self) -> None:
        program = self.program
        for vault, slot in np.ndindex(program.vaults, SLOTS):
            columns, weights = self._spread("in_use", vault, slot)
            here = self.at["in_use"][vault, slot]
            kept = program.kept_in_use[vault, slot]
            self.row([*columns, here], [*weights, -1], -kept, -kept)
            self.row([self.at["peak_vms"][vault], here], [1, -1], 0)
            columns, weights = self._spread("late", vault, slot)
            peak = self.at["late_peak_vms"][vault]
            self.row(
                [*columns, peak], [*weights, -1], high=-program.kept_late[vault, slot]
            )

    def _state_line(self) -> None:
        """Bound what waiting for each other costs, from below."""
        program, served = self.program, self.program.served
        miss, base = (
            program.line_miss / program.scale,
            program.line_base / program.scale,
        )
        for vault in range(program.vaults):
            groups = program.vault == vault
            work = program.work[groups].sum(axis=1) @ program.number[groups]
            work += program.kept_work[vault].sum()
            carried, per_vm = self.at["carried"][vault], 0.0
            if 0 < work <= served * SLOTS:
                per_vm = SLOT_H / program.job_h[vault]
                self._state_carried(vault, carried)
            for slot in range(SLOTS):
                columns = self.at["line"][vault, slot], self.at["in_use"][vault, slot]
                for wave in np.flatnonzero(np.diff(miss[vault, slot]) > 0) + 1:
                    each = miss[vault, slot, wave]
                    self.row(
                        [*columns, carried[slot - 1]],
                        [1, -each, -each * per_vm],
                        -base[vault, slot, wave],
                    )

    def _state_carried(self, vault: int, carried: np.ndarray) -> None:
        """Hand on to the next slot what one cannot serve."""
        program = self.program
        for slot in range(SLOTS):
            columns, weights = self._spread("work", vault, slot)
            self.row(
                [carried[slot], carried[slot - 1], *columns],
                [1, -1, *-weights],
                program.kept_work[vault, slot] - program.served,
            )

    def aim(self, name: str) -> tuple[np.ndarray, float]:
        """Return the weights of the columns in an aim, and what comes on top."""
        weights, program = np.zeros(self.size), self.program
        if name == "expected_misses":
            weights[self.at["starts"]] = program.miss / program.scale
            weights[self.at["line"]] = 1 / program.job_slots[:, np.newaxis]
            return weights, program.kept_miss.sum() / program.scale
        if name == "moved_vms":
            weights[self.at["stay"]] = -1
            return weights, float(program.number.sum())
        weights[self.at[name]] = 1
        return weights, 0.0

    def hold(self, name: str, value: float) -> None:
        """Let no later plan be worse in an aim."""
        weights, more = self.aim(name)
        if name == "expected_misses":
            value = value / self.program.scale
        some = np.flatnonzero(weights)
        spare = NEAR * max(1.0, abs(value)) if name == "expected_misses" else 0.5
        self.row(some, weights[some], high=value - more + spare)

    def solve(self, weights: np.ndarray, seconds: float, *, whole: bool = True):
        """Run the solver; it may find nothing in time."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        ends = np.cumsum([0, *(columns.size for columns, _ in self.rows)])
        columns, entries = (
            np.concatenate(part) for part in zip(*self.rows, strict=True)
        )
        matrix = csr_array((entries, columns, ends), (len(self.rows), self.size))
        integrality = np.zeros(self.size)
        if whole:
            for name in ("starts", "peak_vms", "late_peak_vms"):
                integrality[self.at[name]] = 1
        return milp(
            weights,
            integrality=integrality,
            bounds=Bounds(self.lower, self.upper),
            constraints=LinearConstraint(matrix, self.low, self.high),
            options={
                "time_limit": max(seconds, 0.1 if whole else _RELAXED_SECONDS),
                "mip_rel_gap": 1e-9,
            },
        )

    def starts(self, found) -> np.ndarray:
        """Read a plan from what the solver found."""
        return np.round(found.x[self.at["starts"]])


def optimise(
    program: Program, best: np.ndarray | None, seconds: float, *, exact: bool = True
) -> tuple[np.ndarray | None, list[Step]]:
    """Make each aim least in turn, none at the cost of one before it.

    It starts from the best plan known that keeps the rules. If `exact`, it looks for
    a better one where the bound, that of VMs that can be divided, leaves room for
    one. Returns the best plan, or None if there is none, and a step for each aim.
    """
    model, steps, end = _Model(program), [], time.monotonic() + seconds
    for left, aim in zip(range(len(AIMS), 0, -1), AIMS, strict=True):
        begin = time.monotonic()
        until = begin + (end - begin) / left
        find = _earliest if aim == "last_finish_h" else _least
        best, bound = find(model, aim, best, until, exact=exact)
        if best is None:
            return None, []
        value = program.values(best)[AIMS.index(aim)]
        bound = min(max(bound, 0.0), value)
        steps.append(Step(aim, value, bound, time.monotonic() - begin))
        if aim != "last_finish_h":
            model.hold(aim, value)
    final = program.values(best)  # a later step may help an earlier aim, within NEAR
    for i, (step, value) in enumerate(zip(steps, final, strict=True)):
        reached = value - step.bound <= 2 * program.near(step.aim, value)
        bound = value if reached else min(step.bound, value)
        steps[i] = replace(step, value=value, bound=bound)
    return best, steps


def divided(program: Program, seconds: float) -> np.ndarray | None:
    """Give the best plan for VMs that can be divided, which takes no search.

    It has parts of VMs by class and slot; None if not even they find room.
    """
    model, best, end = _Model(program), None, time.monotonic() + seconds
    for aim in AIMS[:3]:
        weights, more = model.aim(aim)
        found = model.solve(weights, end - time.monotonic(), whole=False)
        if found.x is None:
            return best
        best, value = found.x[model.at["starts"]], found.fun + more
        counts = aim != "expected_misses"
        model.hold(aim, math.ceil(value) if counts else value * program.scale)
    return best


def excess(program: Program, seconds: float) -> dict[tuple[str, int], float]:
    """Count the VMs of a vault, or disks of an account, that find no room.

    That is by how much the limits are too tight, where no plan keeps them all.
    """
    model = _Model(program)
    columns = {}
    for row in model.limits:
        old, weights = model.rows[row]
        model.rows[row] = np.append(old, model.size), np.append(weights, -1)
        columns[row] = model.size
        model.size += 1
    more = model.size - model.lower.size
    model.lower = np.append(model.lower, np.zeros(more))
    model.upper = np.append(model.upper, np.full(more, np.inf))
    weights = np.zeros(model.size)
    weights[list(columns.values())] = 1
    found = model.solve(weights, seconds)
    over = {}
    if found.x is not None:
        for row, column in columns.items():
            if found.x[column] > 0.5:
                about = model.limits[row]
                over[about] = over.get(about, 0) + round(found.x[column])
    return over


def _least(
    model: _Model, aim: str, best: np.ndarray | None, until: float, *, exact: bool
) -> tuple[np.ndarray | None, float]:
    """Make one aim least, unless VMs that can be divided do no better than `best`."""
    program = model.program
    weights, more = model.aim(aim)
    unit = program.scale if aim == "expected_misses" else 1.0

    def bound_of(found) -> float:
        bound = found.mip_dual_bound if found.status else found.fun
        if bound is None or not math.isfinite(bound):
            return 0.0
        bound += more
        return bound * unit if aim == "expected_misses" else math.ceil(bound - 1e-4)

    found = model.solve(weights, until - time.monotonic(), whole=False)
    bound = bound_of(found) if found.status == 0 else 0.0
    if not exact or found.status == 2:
        return best, bound
    if best is not None:
        gap = program.values(best)[AIMS.index(aim)] - bound
        if gap <= program.near(aim, bound):
            return best, bound
    found = model.solve(weights, until - time.monotonic())
    bound = max(bound, bound_of(found))
    if found.x is None:
        return best, bound
    plan = model.starts(found)
    if not program.keeps_rules(plan):
        return best, bound
    if best is None or program.better(program.values(plan), program.values(best)):
        best = plan
    return best, bound


def _earliest(
    model: _Model, aim: str, best: np.ndarray, until: float, *, exact: bool
) -> tuple[np.ndarray, float]:
    """Halve what is left between a finish that is had and one that cannot be."""
    program, total = model.program, 0.0
    starts, nothing = model.at["starts"], np.zeros(model.size)
    for vault in range(program.vaults):
        own = (program.vault == vault)[:, np.newaxis] & program.open
        times = np.unique(
            np.maximum(program.finish_h[own], program.kept_finish_h[vault])
        )
        proven = 0
        for whole in (False, True)[: 1 + exact]:
            low = proven
            high = int(np.searchsorted(times, program.last_finish_h(best)[vault]))
            while low < high and time.monotonic() < until:
                middle = (low + high) // 2
                upper = model.upper.copy()
                model.upper[starts[own & (program.finish_h > times[middle])]] = 0
                left = (until - time.monotonic()) / 3
                found = model.solve(nothing, left, whole=whole)
                model.upper = upper
                if found.x is None:
                    low = middle + 1
                    if found.status == 2:
                        proven = max(proven, low)
                    continue
                high = middle
                plan = model.starts(found)
                if whole and program.keeps_rules(plan):
                    best = plan
        total += times[proven] if times.size else program.kept_finish_h[vault]
        late = own & (program.finish_h > program.last_finish_h(best)[vault])
        model.upper[starts[late]] = 0
    return best, float(total)
