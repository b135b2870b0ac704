r"""The load of a day, what piles up in its busy hours, and how long jobs wait.

A day is cut into slots of equal length along the last axis, and repeats; what is
given holds for the start of each. In each of them work arrives at one rate, the
utilisation :math:`\rho`: above 1 more than the data movers can do. On top, a pulse of
work may come at the start of a slot. Work is counted in hours of the whole pool, so
that the work that waits is also the time that whoever comes last waits for it.

`fluid_wait_h` and `movers_fluid_wait_h` are flows, without chance. The functions that
begin with ``day`` work out two laws of the wait for each slot, and take the one that
fits, which `day_method` tells:

- **chance makes the line**: the pool is at each moment like one in balance with as
  many jobs (Wang, Tipper and Banerjee, 1996). Nothing with some probability, else
  exponential. `flow_wait_h` is its mean;
- **overload makes the line**: jobs in the pool are normally distributed about a mean
  that grows and shrinks, and so is the wait, cut off at nothing (Massey and Pender,
  2013). Once the load is below 1 again, the mean falls and the spread grows as if no
  mover could be idle, for the nights on which the line is still there know nothing
  of those on which it is gone.

The second is taken where what the load above capacity has left over, as a flow, is
more than half of the mean wait of the first; elsewhere whichever makes the longer
wait.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.day import clears, day_of, fluid_h, in_balance
from vmbmodel.formulas.laws import day_law

__all__ = [
    "day_mean_wait_h",
    "day_method",
    "day_wait_quantile_h",
    "day_wait_within_prob",
    "flow_wait_h",
    "fluid_wait_h",
    "movers_fluid_wait_h",
    "overload_band_h",
]

_OVER = ("utilisation_frac", "pulse_h")


@formula(along="slot", over=_OVER)
def fluid_wait_h(utilisation_frac, pulse_h):
    r"""Wait at the start of each slot of a day, if work flows evenly.

    .. math:: W(t) = X(t) - \min_{s \le t} X(s), \qquad
        X(t) = \int_0^t (\rho - 1)\, ds + \sum_{t_i \le t} p_i

    Parameters
    ----------
    pulse_h : That is jobs times their length over the number of data movers.

    Returns
    -------
    wait of the last job of the pulse, or of one that comes at the start where there is
    none; ``inf`` where a day brings as much work as the pool can do in it, or more.

    See Also
    --------
    movers_fluid_wait_h : where jobs are not short beside the slots.
    vmbmodel.formulas.jam : the line of a single pulse, job by job.

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


@formula(along="slot", over=_OVER)
def movers_fluid_wait_h(utilisation_frac, pulse_h, service_h):
    r"""Wait at the start of each slot of a day, if jobs flow evenly and take time.

    .. math:: W = (x - 1)^+ \tau, \qquad
        \tau \frac{dx}{dt} = \rho - \min(x, 1), \qquad x(t_i) \leftarrow x + p_i/\tau

    where :math:`x` is the number of jobs at the service over that of its data
    movers.

    Returns
    -------
    of the same jobs as `fluid_wait_h`, and ``inf`` where that is; never longer.

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
def overload_band_h(load_growth_per_h, servers, service_h, service_scv):
    r"""How much longer than `fluid_wait_h` chance makes the wait in an overload.

    .. math:: w = 0.996193 \left( \frac{\sigma^4}{\alpha} \right)^{1/3}, \qquad
        \sigma^2 = \frac{(1 + v)\, \tau}{c}

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


@formula(along="slot", over=_OVER)
def flow_wait_h(utilisation_frac, pulse_h, servers, service_h):
    r"""Mean wait at the start of each slot, if the pool is always as one in balance.

    .. math:: \tau \frac{dx}{dt} = \rho - r, \qquad
        x = r + \frac{C(c, c r)}{c}\,\frac{r}{1 - r}, \qquad
        W = \frac{C(c, c r)\, \tau}{c\, (1 - r)}

    where :math:`x` is the mean number of jobs at the service over that of its
    data movers, and :math:`r` the load that would keep it there.

    Parameters
    ----------
    service_h : mean of the exponential service time, :math:`\tau`

    Returns
    -------
    ``inf`` where a day brings as much work as the pool can do in it, or more.

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


@formula(along="slot", over=_OVER)
def day_method(utilisation_frac, pulse_h, servers, service_h):
    r"""Which law of the wait holds at the start of each slot.

    .. math:: m = 1 \text{ if } W_{\text{fluid}} > \tfrac12 W_{\text{flow}},
        \quad 2 \text{ if the day's work exceeds its hours}, \quad 0 \text{ otherwise}

    Returns
    -------
    0: chance makes the line; 1: overload makes it; 2: it never clears.

    Notes
    -----
    A rule of ours, found by comparing both laws with exact solutions. Where it says
    0, an overload of hours ago may still make the longer wait, and then counts.

    References
    ----------
    Wang et al. (1996), :cite:`wang1996`; Massey and Pender (2013), :cite:`massey2013`.

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


@formula(along="slot", over=_OVER)
def day_mean_wait_h(utilisation_frac, pulse_h, servers, service_h):
    r"""Mean wait of a job that starts when a slot of the day does.

    .. math:: E[W] = \frac{p_w}{\theta} \quad \text{or} \quad
        \mu\, \Phi(\mu/\sigma) + \sigma\, \varphi(\mu/\sigma)

    with :math:`p_w, \theta` of the pool in balance, :math:`\mu, \sigma` of the
    overloaded one; `day_method` tells which.

    Returns
    -------
    ``inf`` where a day brings as much work as the pool can do in it, or more.

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
    As `day_method`, :cite:`wang1996,massey2013`.

    Examples
    --------
    >>> load = [7 / 3] * 6 + [0.3] * 18
    >>> print(day_mean_wait_h(load, 0, servers=10, service_h=1)[6:20:4].round(3))
    [7.582 4.784 2.1   0.405]
    """
    law = day_law(utilisation_frac, pulse_h, servers, service_h)
    return law.mean_h()


@formula(along="slot", over=_OVER)
def day_wait_within_prob(utilisation_frac, pulse_h, servers, service_h, wait_h):
    r"""Probability that a job that starts when a slot does waits no longer than this.

    .. math:: P(W \le t) = 1 - p_w e^{-\theta t} \quad \text{or} \quad
        \Phi\left(\frac{t - \mu}{\sigma}\right)

    Returns
    -------
    0 where a day brings as much work as the pool can do in it, or more.

    Notes
    -----
    As good as `day_mean_wait_h`; where an overload begins, off by up to 0.2.

    References
    ----------
    As `day_method`, :cite:`wang1996,massey2013`.

    Examples
    --------
    >>> load = [7 / 3] * 6 + [0.3] * 18
    >>> print(day_wait_within_prob(load, 0, 10, 1, wait_h=8)[2:8].round(3))
    [1.    1.    0.99  0.881 0.601 0.75 ]
    """
    law = day_law(utilisation_frac, pulse_h, servers, service_h)
    return law.within_prob(wait_h[..., np.newaxis])


@formula(along="slot", over=_OVER)
def day_wait_quantile_h(utilisation_frac, pulse_h, servers, service_h, prob):
    r"""Wait that a share of the jobs that start when a slot does not exceed.

    .. math:: t_p = \left( \frac{1}{\theta} \ln\frac{p_w}{1 - p} \right)^+
        \quad \text{or} \quad \left( \mu + \sigma\, \Phi^{-1}(p) \right)^+

    Returns
    -------
    ``inf`` where a day brings as much work as the pool can do in it, or more.

    Notes
    -----
    As good as `day_mean_wait_h`: from the end of an overload until its line is gone
    the 95 % quantile is within 4 %. Where an overload begins it may be off by half
    an hour, and by more where the load passes 1 slowly.

    References
    ----------
    As `day_method`, :cite:`wang1996,massey2013`.

    Examples
    --------
    >>> load = [7 / 3] * 6 + [0.3] * 18
    >>> print(day_wait_quantile_h(load, 0, 10, 1, prob=0.95)[2:8])
    [ 3.729  5.44   7.087  8.694 10.273  9.603]
    """
    law = day_law(utilisation_frac, pulse_h, servers, service_h)
    return law.quantile_h(prob[..., np.newaxis])
