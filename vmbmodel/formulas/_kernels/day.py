r"""A day of slots that repeats: the flow of its work, and two moments of its line.

Slots of equal length lie along the last axis. Work is counted in hours of the whole
pool, jobs over the number of its movers.
"""

import numpy as np

from vmbmodel.formulas._kernels.special import log_waiting

__all__ = ["clears", "crowd", "day_of", "fluid_h", "in_balance"]

_DAYS, _DAYS_OF_BALANCE = 30, 300
"""Most days that are run through to find one like the day before."""
_STEP_H = 0.25
_SHORTEST_H, _LONGEST_H = 1e-300, 1e6
"""Service times beyond which nothing changes that a float could show."""


def day_of(utilisation_frac, pulse_h):
    """Length of a slot in hours, and load and pulse of each."""
    load, pulse = np.broadcast_arrays(utilisation_frac, pulse_h)
    if not load.shape[-1]:
        raise ValueError("utilisation_frac must have one slot at least, got none")
    return 24 / load.shape[-1], load, pulse


def clears(hours, load, pulse):
    """Say whether the work of a day can be done in it, the last axis kept."""
    work = (pulse + hours * load).sum(axis=-1, keepdims=True)
    return work < 24 * (1 - 1e-12)


def fluid_h(utilisation_frac, pulse_h, service_h):
    """Wait of the jobs above the movers at the start of each slot."""
    level = _movers_level(utilisation_frac, pulse_h, service_h)
    service_h = np.clip(service_h, _SHORTEST_H, _LONGEST_H)
    return np.maximum(level - 1, 0) * service_h[..., np.newaxis]


def _movers_level(utilisation_frac, pulse_h, service_h):
    """Jobs over movers at the start of each slot, after its pulse."""
    hours, load, pulse = day_of(utilisation_frac, pulse_h)
    service_h = np.clip(service_h, _SHORTEST_H, _LONGEST_H)
    ends = clears(hours, load, pulse)[..., 0]
    shape = np.broadcast_shapes(ends.shape, service_h.shape)
    span = np.broadcast_to(hours / service_h, shape)
    slots = _by_slot(load, pulse / service_h[..., np.newaxis])
    begin = np.zeros(shape)
    for _ in range(100):
        level, calm, levels = begin, 0, []
        for arriving, jump in slots:
            levels.append(np.broadcast_to(level + jump, shape))
            level, idle = _after_slot(levels[-1], arriving, span)
            calm = calm + idle
        gap = np.where(ends, level - begin, 0)
        if np.all(np.abs(gap) <= 1e-13 * (1 + begin)):
            break
        begin = begin + gap / np.maximum(-np.expm1(-calm), 1e-12)
    return np.where(ends[..., np.newaxis], np.stack(levels, axis=-1), np.inf)


def _after_slot(level, load, span):
    """Level after a slot, and how long in it some movers were idle."""
    spare, excess = np.maximum(1 - load, 1e-300), np.maximum(load - 1, 1e-300)
    # while all movers are busy; then until the slot or their idleness ends; then on
    drained = np.where(load < 1, (level - 1) / spare, np.inf)
    busy = np.where(level < 1, 0, np.minimum(drained, span))
    level = level + (load - 1) * busy
    filled = np.where(load > 1, np.log1p(np.maximum(1 - level, 0) / excess), np.inf)
    idle = np.minimum(span - busy, filled)
    level = load + (level - load) * np.exp(-idle)
    return level + np.maximum(load - 1, 0) * (span - busy - idle), idle


def in_balance(hours, load, pulse, servers, service_h):
    """Who waits in the pool in balance with as many jobs, and how fast that clears."""
    service_h, servers = np.maximum(service_h, 1e-6), np.clip(servers, 1e-6, 1e6)
    tau = np.minimum(service_h, 1e6)
    steps = int(np.ceil(hours / _STEP_H))
    span = hours / steps / tau
    slots = _by_slot(load, pulse / tau[..., np.newaxis])
    shape = np.broadcast_shapes(load.shape[:-1], servers.shape, tau.shape)
    servers, span = np.broadcast_to(servers, shape), np.broadcast_to(span, shape)
    mean = np.minimum((load + pulse / hours).mean(axis=-1), 1 - 1e-12)
    jobs = np.broadcast_to(_jobs(mean + 0 * servers, servers)[0], shape)
    jobs = np.maximum(jobs, _movers_level(load, pulse, tau)[..., 0] - slots[0][1])
    busy, ends = np.broadcast_to(mean, shape), []
    low, high = np.zeros(shape), np.full(shape, np.inf)  # of the jobs in balance
    for _ in range(_DAYS_OF_BALANCE):
        ends, levels = [*ends[-2:], jobs], []
        for arriving, jump in slots:
            jobs = jobs + jump
            levels.append(jobs)
            for _ in range(steps):
                busy = _busy(jobs + span * arriving, span, servers, busy)
                jobs = np.maximum(jobs + span * (arriving - busy), 0)
        nearer = jobs - ends[-1]
        settled = np.abs(nearer) <= 1e-9 * (1 + jobs)
        if np.all(settled):
            break
        low = np.where(nearer > 0, np.maximum(low, ends[-1]), low)
        high = np.where(nearer < 0, np.minimum(high, ends[-1]), high)
        if len(ends) == 3:  # the days close in on their limit by a constant factor
            most = np.where(settled, 0.99, 1 - 1e-9)  # of what is rounded, less
            factor = np.clip(nearer / (ends[-1] - ends[-2]), 0, most)
            jobs = jobs + np.nan_to_num(factor / (1 - factor) * nearer)
            jobs = np.where(settled, jobs, np.clip(jobs, low, high))
            ends = []
    jobs = np.stack(levels, axis=-1)
    servers = np.broadcast_to(servers[..., np.newaxis], jobs.shape)
    busy = _busy(jobs, np.zeros_like(jobs), servers, jobs / (1 + jobs))
    waiting = np.exp(log_waiting(servers, servers * busy))
    idle = np.maximum(1 - busy, 1e-16)
    return waiting, servers * idle / service_h[..., np.newaxis]


def _busy(jobs, span, servers, busy):
    """Find the load r whose jobs, and those that leave in a step, are so many.

    Newton's steps on 1/(1 - r), in which the jobs of a full pool are linear.
    """
    sure = 1 + span + 1 / servers + jobs  # if every job had to wait
    root = np.sqrt(np.maximum(sure * sure - 4 * (1 + span) * jobs, 0))
    low, high = 2 * jobs / (sure + root), np.minimum(jobs / (1 + span), 1)
    busy = np.clip(busy, low, np.where(high < 1, high, 1 - 1e-16))
    for _ in range(50):
        value, slope = _jobs(busy, servers)
        error = value + span * busy - jobs
        low, high = np.where(error < 0, busy, low), np.where(error < 0, high, busy)
        idle = 1 - busy
        step = error / (slope + span) / idle
        after = busy - step * idle / np.maximum(1 - step, 1e-300)
        inside = (step < 1) & (after > low) & (after < high)
        # the next step would be its square; and the ends are rounded, too
        close = np.abs(after - busy) <= 1e-6 * idle * busy
        after = np.where(inside | close, after, (low + high) / 2)
        busy = after
        if np.all(close | (error == 0)):
            break
    return busy


def _jobs(busy, servers):
    """Jobs over movers of a pool in balance, and how fast they grow with its load."""
    waiting = np.exp(log_waiting(servers, servers * busy))
    idle = 1 - busy
    line = waiting * busy / idle / servers
    growth = (1 - waiting) / idle + servers * idle / np.maximum(busy, 1e-300)
    slope = 1 + np.nan_to_num(line * growth) + waiting / idle / idle / servers
    return busy + line, slope


def _by_slot(load, jump):
    """Load and jump of each slot in turn."""
    return [*zip(np.moveaxis(load, -1, 0), np.moveaxis(jump, -1, 0), strict=True)]


def crowd(hours, load, pulse, servers, service_h):
    """Mean and spread of the wait after an overload, below nothing where movers idle.

    The number of jobs is taken as normal. Once the load is below 1 again it goes on
    as if no mover could be idle: nights on which the line is still there know
    nothing of those on which it is gone. Jobs too short for the steps are taken as
    longer ones on more movers that vary the work alike.
    """
    tau = np.clip(service_h, _STEP_H / 2, 1e6)
    jobs = np.clip(servers * (tau / np.clip(service_h, 1e-300, 1e6)), 1e-6, 1e12)
    steps = int(np.max(np.ceil(2 * hours / tau), initial=1))
    span = hours / steps / tau
    slots = _by_slot(load, pulse / tau[..., np.newaxis])
    mean = _movers_level(load, pulse, tau)[..., 0] - slots[0][1]
    variance = mean / jobs
    line, spread = np.full(jobs.shape, -np.inf), np.zeros(jobs.shape)
    for day in range(_DAYS):
        before, lines, spreads = mean, [], []
        for arriving, jump in slots:
            mean, line = mean + jump, line + jump
            fresh = (arriving >= 1) | ((jump > 0) & (mean > np.maximum(line, 1)))
            line = np.where(fresh, mean, line)
            spread = np.where(fresh, variance, spread)
            lines.append(line)
            spreads.append(spread)
            for _ in range(steps):
                mean, variance = _runge_kutta(mean, variance, arriving, jobs, span)
            through = hours / tau
            grown = spread + (arriving + 1) * through / jobs
            spread = np.where(line > -np.inf, grown, 0)
            spread = np.where(arriving >= 1, variance, spread)
            drained = line + (arriving - 1) * through
            line = np.where(arriving >= 1, mean, drained)
        if day and np.all(np.abs(mean - before) <= 1e-6 * (1 + mean)):
            break
    tau, jobs = tau[..., np.newaxis], jobs[..., np.newaxis]
    ahead = np.stack(lines, axis=-1) - 1 + 1 / jobs  # who comes waits for one more
    spread = np.sqrt(np.stack(spreads, axis=-1) + np.maximum(ahead, 0) / jobs)
    return ahead * tau, np.maximum(spread * tau, 1e-12)


def _runge_kutta(mean, variance, load, jobs, span):
    """Take one step of the moments of a normal number of jobs."""

    def drift(mean, variance):
        from scipy.special import ndtr

        spread = np.maximum(np.sqrt(np.maximum(variance, 0)), 1e-9)
        gap = (1 - mean) / spread
        bell = np.exp(-0.5 * gap * gap) / np.sqrt(2 * np.pi)
        busy = mean - spread * (bell - gap * ndtr(-gap))
        return load - busy, (load + busy) / jobs - 2 * variance * ndtr(gap)

    first = drift(mean, variance)
    second = drift(mean + span / 2 * first[0], variance + span / 2 * first[1])
    third = drift(mean + span / 2 * second[0], variance + span / 2 * second[1])
    last = drift(mean + span * third[0], variance + span * third[1])
    slope = [
        (a + 2 * b + 2 * c + d) / 6
        for a, b, c, d in zip(first, second, third, last, strict=True)
    ]
    return mean + span * slope[0], np.maximum(variance + span * slope[1], 0)
