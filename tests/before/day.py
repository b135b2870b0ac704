r"""The load of a day, as a flow: what piles up in its busy hours, and when it is gone.

A day is cut into slots of equal length along the last axis, and repeats. In each
of them work arrives at one rate, the utilisation :math:`\rho`: above 1 more than
the data movers can do. On top, a pulse of work may come at the start of a slot.
Work is counted in hours of the whole pool, so that the work that waits is also the
time that whoever comes last waits for it.

Chance is left out here; `before.day_wait` adds it.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula

__all__ = ["fluid_wait_h", "movers_fluid_wait_h", "overload_band_h"]


@formula(along="slot", over=("utilisation_frac", "pulse_h"))
def fluid_wait_h(utilisation_frac: ArrayLike, pulse_h: ArrayLike) -> ArrayLike:
    r"""Wait at the start of each slot of a day, if work flows evenly.

    .. math:: W(t) = X(t) - \min_{s \le t} X(s), \qquad
        X(t) = \int_0^t (\rho - 1)\, ds + \sum_{t_i \le t} p_i

    Parameters
    ----------
    utilisation_frac : array_like of float, at least one-dimensional
        Work that arrives over what the data movers can do, :math:`\rho \ge 0`;
        slots of equal length along the last axis, a day in all. [-]
    pulse_h : array_like of float
        Work that arrives at once at the start of each slot, :math:`p \ge 0`,
        in hours of the whole pool: jobs times their length over the number
        of data movers; one value stands for all slots. [h]

    Returns
    -------
    array_like of float
        Wait of the last job of the pulse, or of a job that comes right at the
        start where there is none; of the broadcast shape of the arguments,
        ``inf`` where a day brings as much work as the pool can do in it, or
        more. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    movers_fluid_wait_h : where jobs are not short beside the slots.
    before.jam : the line of a single pulse, job by job.

    Notes
    -----
    Exact for work that flows evenly, served first come, first served, by movers
    that all work while anything waits: jobs short beside the wait. It is the
    line of a day that follows many like it. A job that starts within a pulse, in
    no particular order, waits half the pulse less on average. Less than the
    truth where the load stays below 1, for then chance makes the line.

    References
    ----------
    Newell (1982), ch. 2, :cite:`newell1982`; the reflection of a flow at nothing
    is Harrison's (1985), ch. 2, :cite:`harrison1985`.

    Examples
    --------
    Six hours of 7/3 of what the pool can do, then eighteen of 0.3, by the hour:
    eight hours wait at the end of the peak, and 7.3 an hour later:

    >>> load = [7 / 3] * 6 + [0.3] * 18
    >>> print(fluid_wait_h(load, 0)[5:8])
    [6.667 8.    7.3 ]
    """
    hours, load, pulse = day_of(utilisation_frac, pulse_h)
    # the work that has come less the most that could have been done: after each
    # pulse, and before it, over two days of which the second is like any other
    after = np.concatenate([pulse + hours * (load - 1)] * 2, axis=-1).cumsum(axis=-1)
    before = np.concatenate([np.zeros_like(after[..., :1]), after[..., :-1]], axis=-1)
    wait = before - np.minimum.accumulate(before, axis=-1)
    second = wait[..., load.shape[-1] :] + pulse
    return np.where(clears(hours, load, pulse), second, np.inf)


@formula(along="slot", over=("utilisation_frac", "pulse_h"))
def movers_fluid_wait_h(
    utilisation_frac: ArrayLike, pulse_h: ArrayLike, service_h: ArrayLike
) -> ArrayLike:
    r"""Wait at the start of each slot of a day, if jobs flow evenly and take time.

    .. math:: W = (x - 1)^+ \tau, \qquad
        \tau \frac{dx}{dt} = \rho - \min(x, 1), \qquad x(t_i) \leftarrow x + p_i/\tau

    where :math:`x` is the number of jobs at the service over that of its data
    movers.

    Parameters
    ----------
    utilisation_frac : array_like of float, at least one-dimensional
        Work that arrives over what the data movers can do, :math:`\rho \ge 0`;
        slots of equal length along the last axis, a day in all. [-]
    pulse_h : array_like of float
        Work that arrives at once at the start of each slot, :math:`p \ge 0`,
        in hours of the whole pool. [h]
    service_h : array_like of float
        Mean of the service time, :math:`\tau > 0`; of the shape of the load
        without its last axis. [h]

    Returns
    -------
    array_like of float
        Wait of the last job of the pulse, or of a job that comes right at the
        start where there is none; of the broadcast shape of the arguments,
        ``inf`` where a day brings as much work as the pool can do in it, or
        more. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    fluid_wait_h : for jobs that take no time; never shorter a wait.

    Notes
    -----
    The limit of many data movers and exponential jobs; exact in it, slot by
    slot in closed form, and like every day before it by Newton's steps, which
    come from below since a day's end is convex in its beginning. Movers that
    stand idle when a peak begins take its first jobs at once, which
    `fluid_wait_h` leaves out.

    References
    ----------
    Mandelbaum, Massey and Reiman (1998), :cite:`mandelbaum1998`.

    Examples
    --------
    The peak of `fluid_wait_h`, with jobs of an hour:

    >>> load = [7 / 3] * 6 + [0.3] * 18
    >>> print(movers_fluid_wait_h(load, 0, service_h=1)[5:8])
    [6.104 7.438 6.738]
    """
    return fluid_h(utilisation_frac, pulse_h, service_h)


@formula
def overload_band_h(
    load_growth_per_h: ArrayLike,
    servers: ArrayLike,
    service_h: ArrayLike,
    service_scv: ArrayLike,
) -> ArrayLike:
    r"""How much longer than `fluid_wait_h` chance makes the wait in an overload.

    .. math:: w = 0.996193 \left( \frac{\sigma^4}{\alpha} \right)^{1/3}, \qquad
        \sigma^2 = \frac{(1 + v)\, \tau}{c}

    Parameters
    ----------
    load_growth_per_h : array_like of float
        How fast the utilisation rises as it passes 1, :math:`\alpha > 0`.
        [1/h]
    servers : array_like of float
        Identical data movers :math:`c > 0`. [-]
    service_h : array_like of float
        Mean of the service time, :math:`\tau > 0`. [h]
    service_scv : array_like of float
        Squared coefficient of variation of the service time,
        :math:`v \ge 0`. [-]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    Notes
    -----
    An upper value: the mean of the largest excess of a Brownian motion over a
    parabola, for a single line and a load that rises steadily through 1. With many
    movers some idle capacity absorbs part of it: the mean wait after that hour
    lies between `movers_fluid_wait_h` and the same plus this band. A load that
    jumps from below to above has no band.

    References
    ----------
    Newell (1968), :cite:`newell1968`, for the scale; Janson, Louchard and
    Martin-Löf (2010), :cite:`janson2010`, for the constant.

    Examples
    --------
    Fifty movers, jobs of half an hour, and a load that gains a tenth an hour:

    >>> print(overload_band_h(0.1, servers=50, service_h=0.5, service_scv=1))
    0.159
    """
    spread = (1 + service_scv) * (service_h / servers)
    return 0.9961930 * np.cbrt(spread) * np.cbrt(spread / load_growth_per_h)


_SHORTEST_H, _LONGEST_H = 1e-300, 1e6
"""Service times beyond which nothing changes that a float could show."""


def fluid_h(utilisation_frac, pulse_h, service_h):
    """Wait of the jobs above the movers at the start of each slot."""
    level = movers_level(utilisation_frac, pulse_h, service_h)
    service_h = np.clip(service_h, _SHORTEST_H, _LONGEST_H)
    return np.maximum(level - 1, 0) * service_h[..., np.newaxis]


def movers_level(utilisation_frac, pulse_h, service_h):
    """Jobs over movers at the start of each slot, after its pulse."""
    hours, load, pulse = day_of(utilisation_frac, pulse_h)
    service_h = np.clip(service_h, _SHORTEST_H, _LONGEST_H)
    ends = clears(hours, load, pulse)[..., 0]
    shape = np.broadcast_shapes(ends.shape, service_h.shape)
    span = np.broadcast_to(hours / service_h, shape)
    jumps = np.moveaxis(pulse / service_h[..., np.newaxis], -1, 0)
    slots = [*zip(np.moveaxis(load, -1, 0), jumps, strict=True)]
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


def day_of(utilisation_frac, pulse_h):
    """Length of a slot in hours, and load and pulse of each."""
    load, pulse = np.broadcast_arrays(utilisation_frac, pulse_h)
    return 24 / load.shape[-1], load, pulse


def clears(hours, load, pulse):
    """Say whether the work of a day can be done in it, the last axis kept."""
    work = (pulse + hours * load).sum(axis=-1, keepdims=True)
    return work < 24 * (1 - 1e-12)
