r"""The mean wait over a day, if the pool is at each moment like one in balance.

As good as exact where the load changes little, and never infinite where it is above
1 for some hours; `before.day_wait` knows when something else is better.
"""

import numpy as np
from numpy.typing import ArrayLike

from before.day import clears, day_of, movers_level
from before.queueing import log_waiting
from vmbmodel._arrays import formula

__all__ = ["flow_wait_h"]


@formula(along="slot", over=("utilisation_frac", "pulse_h"))
def flow_wait_h(
    utilisation_frac: ArrayLike,
    pulse_h: ArrayLike,
    servers: ArrayLike,
    service_h: ArrayLike,
) -> ArrayLike:
    r"""Mean wait at the start of each slot, if the pool is always as one in balance.

    .. math:: \tau \frac{dx}{dt} = \rho - r, \qquad
        x = r + \frac{C(c, c r)}{c}\,\frac{r}{1 - r}, \qquad
        W = \frac{C(c, c r)\, \tau}{c\, (1 - r)}

    where :math:`x` is the mean number of jobs at the service over that of its
    data movers, and :math:`r` the load that would keep it there.

    Parameters
    ----------
    utilisation_frac : array_like of float, at least one-dimensional
        Work that arrives over what the data movers can do, :math:`\rho \ge 0`;
        slots of equal length along the last axis, a day in all. [-]
    pulse_h : array_like of float
        Work that arrives at once at the start of each slot, :math:`p \ge 0`,
        in hours of the whole pool. [h]
    servers : array_like of float
        Identical data movers :math:`c > 0`; of the shape of the load without
        its last axis, as is the next one. [-]
    service_h : array_like of float
        Mean of the exponential service time, :math:`\tau > 0`. [h]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; ``inf`` where a day brings as
        much work as the pool can do in it, or more. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    before.day_wait.day_mean_wait_h : takes the law that fits.

    Notes
    -----
    The pointwise stationary fluid flow approximation. Exact for a load that does
    not change; else too long: against exact solutions by up to a fifth at a peak
    of full load, by 2 to 15 % in an overload. Steps of a quarter of an hour,
    implicit, so that they are stable for jobs however short. More than a million
    movers count as a million.

    References
    ----------
    Wang, Tipper and Banerjee (1996), :cite:`wang1996`.

    Examples
    --------
    Ten movers, jobs of an hour, a night at 90 % and a day at 30 %: the wait at
    the start of the night, in its middle, at its end, and in the middle of the day:

    >>> load = [0.9] * 12 + [0.3] * 12
    >>> print(flow_wait_h(load, 0, servers=10, service_h=1)[::6].round(3))
    [0.    0.362 0.518 0.   ]
    """
    hours, load, pulse = day_of(utilisation_frac, pulse_h)
    ends = clears(hours, load, pulse)
    load, pulse = np.where(ends, load, 0), np.where(ends, pulse, 0)
    waiting, decay_per_h = in_balance(hours, load, pulse, servers, service_h)
    return np.where(ends, waiting / decay_per_h, np.inf)


DAYS = 30
"""Most days that are run through to find one like the day before."""

STEP_H = 0.25


def in_balance(hours, load, pulse, servers, service_h):
    """Who waits in the pool in balance with as many jobs, and how fast that clears."""
    service_h, servers = np.maximum(service_h, 1e-6), np.clip(servers, 1e-6, 1e6)
    tau = np.minimum(service_h, 1e6)
    steps = int(np.ceil(hours / STEP_H))
    span = hours / steps / tau
    slots = by_slot(load, pulse / tau[..., np.newaxis])
    shape = np.broadcast_shapes(load.shape[:-1], servers.shape, tau.shape)
    servers, span = np.broadcast_to(servers, shape), np.broadcast_to(span, shape)
    mean = np.minimum((load + pulse / hours).mean(axis=-1), 1 - 1e-12)
    jobs = np.broadcast_to(_jobs(mean + 0 * servers, servers)[0], shape)
    jobs = np.maximum(jobs, movers_level(load, pulse, tau)[..., 0] - slots[0][1])
    busy, ends = np.broadcast_to(mean, shape), []
    for _ in range(DAYS):
        ends, levels = [*ends[-2:], jobs], []
        for arriving, jump in slots:
            jobs = jobs + jump
            levels.append(jobs)
            for _ in range(steps):
                busy = _busy(jobs + span * arriving, span, servers, busy)
                jobs = np.maximum(jobs + span * (arriving - busy), 0)
        if np.all(np.abs(jobs - ends[-1]) <= 1e-9 * (1 + jobs)):
            break
        if len(ends) == 3:  # the days close in on their limit by a constant factor
            nearer = jobs - ends[-1]
            factor = np.clip(nearer / (ends[-1] - ends[-2]), 0, 0.99)
            jobs = jobs + np.nan_to_num(factor / (1 - factor) * nearer)
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


def by_slot(load, jump):
    """Load and jump of each slot in turn."""
    return [*zip(np.moveaxis(load, -1, 0), np.moveaxis(jump, -1, 0), strict=True)]
