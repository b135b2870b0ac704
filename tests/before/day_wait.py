r"""The wait on a day whose load changes: a flow, and chance.

Two laws of the wait are worked out for each hour, and the function that is called
takes the one that fits, which `day_method` tells:

- **chance makes the line**: the pool is at each moment like one in balance with as
  many jobs (Wang, Tipper and Banerjee, 1996). Nothing with some probability, else
  exponential;
- **overload makes the line**: jobs in the pool are normally distributed about a mean
  that grows and shrinks, and so is the wait, cut off at nothing (Massey and Pender,
  2013). Once the load is below 1 again, the mean falls and the spread grows as if no
  mover could be idle, for the nights on which the line is still there know nothing
  of those on which it is gone.

The second is taken where what the load above capacity has left over, as a flow, is
more than half of the mean wait of the first; elsewhere whichever makes the longer
wait. A day is cut into slots of equal length
along the last axis, and repeats; what is given holds for the start of each.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from before.day import clears, day_of, fluid_h, movers_level
from before.day_flow import DAYS, STEP_H, by_slot, in_balance
from vmbmodel._arrays import formula

__all__ = [
    "day_mean_wait_h",
    "day_method",
    "day_wait_quantile_h",
    "day_wait_within_prob",
]

OVER = ("utilisation_frac", "pulse_h")


@formula(along="slot", over=OVER)
def day_method(
    utilisation_frac: ArrayLike,
    pulse_h: ArrayLike,
    servers: ArrayLike,
    service_h: ArrayLike,
) -> ArrayLike:
    r"""Which law of the wait holds at the start of each slot.

    .. math:: m = 1 \text{ if } W_{\text{fluid}} > \tfrac12 W_{\text{flow}},
        \quad 2 \text{ if the day's work exceeds its hours}, \quad 0 \text{ otherwise}

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
        0: chance makes the line; 1: overload makes it; 2: it never clears. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    A rule of ours, found by comparing both laws with exact solutions. Where it says
    0, an overload of hours ago may still make the longer wait, and then counts.

    References
    ----------
    Wang, Tipper and Banerjee (1996), :cite:`wang1996`, for the one law; Massey
    and Pender (2013), :cite:`massey2013`, for the other.

    Examples
    --------
    A load of 90 % makes a line by chance, one of 7/3 by overload:

    >>> print(day_method([0.9, 0.3, 0.3], 0, servers=10, service_h=1))
    [0. 0. 0.]
    >>> print(day_method([7 / 3, 7 / 3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3], 0, 10, 1))
    [0. 1. 1. 1. 1. 1. 0. 0.]
    """
    law = day_law(utilisation_frac, pulse_h, servers, service_h)
    return np.where(law.clears, np.where(law.overload, 1.0, 0.0), 2.0)


@formula(along="slot", over=OVER)
def day_mean_wait_h(
    utilisation_frac: ArrayLike,
    pulse_h: ArrayLike,
    servers: ArrayLike,
    service_h: ArrayLike,
) -> ArrayLike:
    r"""Mean wait of a job that starts when a slot of the day does.

    .. math:: E[W] = \frac{p_w}{\theta} \quad \text{or} \quad
        \mu\, \Phi(\mu/\sigma) + \sigma\, \varphi(\mu/\sigma)

    with :math:`p_w, \theta` of the pool in balance, :math:`\mu, \sigma` of the
    overloaded one; `day_method` tells which.

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
    day_wait_quantile_h : what a share of the jobs does not exceed.

    Notes
    -----
    Exact for a load that does not change. Against exact solutions of other days the
    mean over the jobs is within 3 % where a peak brings 1.3 times what the pool can
    do or more, and too long, by up to a fifth, where it comes close to what the pool
    can do. Too short by 7 to 15 % where nights run into each other, in days filled
    to 95 % or pools of two movers: what an unlucky night leaves over for the next
    is not in the second law.

    References
    ----------
    Wang, Tipper and Banerjee (1996), :cite:`wang1996`, for the one law; Massey
    and Pender (2013), :cite:`massey2013`, for the other.

    Examples
    --------
    >>> load = [7 / 3] * 6 + [0.3] * 18
    >>> print(day_mean_wait_h(load, 0, servers=10, service_h=1)[6:20:4].round(3))
    [7.582 4.784 2.1   0.405]
    """
    law = day_law(utilisation_frac, pulse_h, servers, service_h)
    return law.mean_h()


@formula(along="slot", over=OVER)
def day_wait_within_prob(
    utilisation_frac: ArrayLike,
    pulse_h: ArrayLike,
    servers: ArrayLike,
    service_h: ArrayLike,
    wait_h: ArrayLike,
) -> ArrayLike:
    r"""Probability that a job that starts when a slot does waits no longer than this.

    .. math:: P(W \le t) = 1 - p_w e^{-\theta t} \quad \text{or} \quad
        \Phi\left(\frac{t - \mu}{\sigma}\right)

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
        its last axis, as are the next ones. [-]
    service_h : array_like of float
        Mean of the exponential service time, :math:`\tau > 0`. [h]
    wait_h : array_like of float
        Time in line, :math:`t \ge 0`. [h]

    Returns
    -------
    array_like of float
        In [0, 1], of the broadcast shape of the arguments; 0 where a day brings
        as much work as the pool can do in it, or more. [-]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    As good as `day_mean_wait_h`; where an overload begins, off by up to 0.2.

    References
    ----------
    Wang, Tipper and Banerjee (1996), :cite:`wang1996`, for the one law; Massey
    and Pender (2013), :cite:`massey2013`, for the other.

    Examples
    --------
    >>> load = [7 / 3] * 6 + [0.3] * 18
    >>> print(day_wait_within_prob(load, 0, 10, 1, wait_h=8)[2:8].round(3))
    [1.    1.    0.99  0.881 0.601 0.75 ]
    """
    law = day_law(utilisation_frac, pulse_h, servers, service_h)
    return law.within_prob(wait_h[..., np.newaxis])


@formula(along="slot", over=OVER)
def day_wait_quantile_h(
    utilisation_frac: ArrayLike,
    pulse_h: ArrayLike,
    servers: ArrayLike,
    service_h: ArrayLike,
    prob: ArrayLike,
) -> ArrayLike:
    r"""Wait that a share of the jobs that start when a slot does not exceed.

    .. math:: t_p = \left( \frac{1}{\theta} \ln\frac{p_w}{1 - p} \right)^+
        \quad \text{or} \quad \left( \mu + \sigma\, \Phi^{-1}(p) \right)^+

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
        its last axis, as are the next ones. [-]
    service_h : array_like of float
        Mean of the exponential service time, :math:`\tau > 0`. [h]
    prob : array_like of float
        Share of the jobs :math:`p`, in [0, 1]. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; ``inf`` where a day brings as
        much work as the pool can do in it, or more. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    As good as `day_mean_wait_h`: from the end of an overload until its line is gone
    the 95 % quantile is within 4 %. Where an overload begins it may be off by half
    an hour, and by more where the load passes 1 slowly.

    References
    ----------
    Wang, Tipper and Banerjee (1996), :cite:`wang1996`, for the one law; Massey
    and Pender (2013), :cite:`massey2013`, for the other.

    Examples
    --------
    >>> load = [7 / 3] * 6 + [0.3] * 18
    >>> print(day_wait_quantile_h(load, 0, 10, 1, prob=0.95)[2:8])
    [ 3.729  5.44   7.087  8.694 10.273  9.603]
    """
    law = day_law(utilisation_frac, pulse_h, servers, service_h)
    return law.quantile_h(prob[..., np.newaxis])


class DayLaw(NamedTuple):
    """Both laws of the wait at the start of each slot, and which of them holds.

    The level is minus infinity where there was no overload.
    """

    level_h: np.ndarray
    spread_h: np.ndarray
    wait_prob: np.ndarray
    decay_per_h: np.ndarray
    overload: np.ndarray
    clears: np.ndarray

    def mean_h(self):
        """Mean of the wait."""
        from scipy.special import ndtr

        above = np.maximum(self.level_h / self.spread_h, -40)  # beyond, nothing
        bell = np.exp(-0.5 * above * above) / np.sqrt(2 * np.pi)
        crowded = self.spread_h * np.maximum(above * ndtr(above) + bell, 0)
        by_chance = _unless_never(self.wait_prob, self.decay_per_h)
        return self._longer(crowded, by_chance, np.maximum, np.inf)

    def within_prob(self, wait_h):
        """Probability that the wait is no longer than this."""
        from scipy.special import ndtr

        crowded = ndtr((wait_h - self.level_h) / self.spread_h)
        by_chance = 1 - self.wait_prob * np.exp(-self.decay_per_h * wait_h)
        return self._longer(crowded, by_chance, np.minimum, 0)

    def quantile_h(self, prob):
        """Wait that this share of the jobs does not exceed."""
        from scipy.special import ndtri

        with np.errstate(divide="ignore", invalid="ignore"):
            # fmax: the 1-quantile of a wait that never is, is no wait
            crowded = np.fmax(self.level_h + ndtri(prob) * self.spread_h, 0)
            excess = np.fmax(np.log(self.wait_prob) - np.log1p(-prob), 0)
        by_chance = _unless_never(excess, self.decay_per_h)
        return self._longer(crowded, by_chance, np.maximum, np.inf)

    def _longer(self, crowded, by_chance, longer, never):
        """Take the first law in an overload, else whichever makes the longer wait."""
        wait = np.where(self.overload, crowded, longer(crowded, by_chance))
        return np.where(self.clears, wait, never)


def _unless_never(amount, rate):
    """Quotient, without an end where there is no rate."""
    return np.where(rate > 0, amount / np.where(rate > 0, rate, 1), np.inf)


def day_law(utilisation_frac, pulse_h, servers, service_h):
    """Law of the wait at the start of each slot, on plain arrays."""
    hours, load, pulse = day_of(utilisation_frac, pulse_h)
    ends = clears(hours, load, pulse)
    load, pulse = np.where(ends, load, 0), np.where(ends, pulse, 0)
    level_h, spread_h = _crowd(hours, load, pulse, servers, service_h)
    waiting, decay_per_h = in_balance(hours, load, pulse, servers, service_h)
    left_over_h = fluid_h(load, pulse, service_h)
    overload = left_over_h > waiting / decay_per_h / 2
    return DayLaw(level_h, spread_h, waiting, decay_per_h, overload, ends)


def _crowd(hours, load, pulse, servers, service_h):
    """Mean and spread of the wait after an overload, below nothing where movers idle.

    The number of jobs is taken as normal. Once the load is below 1 again it goes on
    as if no mover could be idle: nights on which the line is still there know
    nothing of those on which it is gone. Jobs too short for the steps are taken as
    longer ones on more movers that vary the work alike.
    """
    tau = np.clip(service_h, STEP_H / 2, 1e6)
    jobs = np.clip(servers * (tau / np.clip(service_h, 1e-300, 1e6)), 1e-6, 1e12)
    steps = int(np.max(np.ceil(2 * hours / tau), initial=1))
    span = hours / steps / tau
    slots = by_slot(load, pulse / tau[..., np.newaxis])
    mean = movers_level(load, pulse, tau)[..., 0] - slots[0][1]
    variance = mean / jobs
    line, spread = np.full(jobs.shape, -np.inf), np.zeros(jobs.shape)
    for day in range(DAYS):
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
