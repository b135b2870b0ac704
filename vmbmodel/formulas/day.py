r"""The load of a day, what piles up in its busy hours, and how long jobs wait.

A day is cut into slots of equal length along the last axis, and repeats; what is
given holds for the start of each. In each of them work arrives at one rate, the
utilisation :math:`\rho`: above 1 more than the data movers can do. On top, a pulse of
work may come at the start of a slot. Work is counted in hours of the whole pool, so
that the work that waits is also the time that whoever comes last waits for it.

`fluid_wait_h` and `movers_fluid_wait_h` are flows, without chance. The functions that
begin with ``day`` have jobs that arrive at random and are of exponential length.

For 1 to 50 movers they are exact: the law :math:`p_n` of the number of jobs in the pool
follows

.. math:: \dot p = p\, G(\rho(t)), \qquad G_{n,n+1} = \frac{\rho c}{\tau}, \qquad
    G_{n,n-1} = \frac{\min(n, c)}{\tau}

and is the one that a day takes to itself. Whoever finds :math:`n \ge c` jobs waits
until :math:`n - c + 1` have ended. A number of movers that is not whole has the same
rates, and waits between those of its neighbours.

For more movers, fewer than one, and where the states are too many (jobs of less than
minutes, a day filled to more than 99.9 %), a rule takes the one of two laws that fits:

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
wait.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.day import clears, day_of, fluid_h
from vmbmodel.formulas._kernels.day_law import of_days

__all__ = [
    "day_mean_wait_h",
    "day_wait_quantile_h",
    "day_wait_within_prob",
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
def day_mean_wait_h(utilisation_frac, pulse_h, servers, service_h):
    r"""Mean wait of a job that starts when a slot of the day does.

    .. math:: E[W] = \sum_{n \ge c} p_n \frac{(n - c + 1)\, \tau}{c}

    for at most 50 movers; and for more, with :math:`p_w, \theta` of the pool in
    balance and :math:`\mu, \sigma` of the overloaded one,

    .. math:: E[W] = \frac{p_w}{\theta} \qquad \text{or} \quad
        \mu\, \Phi(\mu/\sigma) + \sigma\, \varphi(\mu/\sigma)

    Returns
    -------
    ``inf`` where a day brings as much work as the pool can do in it, or more.

    Notes
    -----
    For 1 to 50 movers of a whole number, exact. By the rule, as measured on days with
    51 to 200 movers and jobs of half an hour to two hours: exact for a load that does
    not change; the mean over the jobs within 6 % where a peak begins at once, brings
    1.3 times what the pool can do or more, and fills the day to 96 % at most; too long,
    by up to a fifth, where a load comes slowly close to that; too short,
    by up to a sixth, in a day filled to 99 %, for what an unlucky night leaves over
    for the next is not in the second law.

    References
    ----------
    Of the rule: Wang et al. (1996) and Massey and Pender (2013),
    :cite:`wang1996,massey2013`.

    Examples
    --------
    >>> load = [7 / 3] * 6 + [0.3] * 18
    >>> print(day_mean_wait_h(load, 0, servers=10, service_h=1)[6:20:4].round(3))
    [7.592 4.792 2.098 0.413]
    """
    day = utilisation_frac, pulse_h, servers, service_h
    return of_days(lambda law: law.mean_h(), *day)


@formula(along="slot", over=_OVER)
def day_wait_within_prob(utilisation_frac, pulse_h, servers, service_h, wait_h):
    r"""Probability that a job that starts when a slot does waits no longer than this.

    .. math:: P(W \le t) = \sum_{n < c} p_n \\
        + \sum_{n \ge c} p_n\, P\left( n - c + 1, \frac{c t}{\tau} \right)

    with the regularised incomplete gamma function, for at most 50 movers, and for more

    .. math:: P(W \le t) = 1 - p_w e^{-\theta t} \qquad \text{or} \quad
        \Phi\left(\frac{t - \mu}{\sigma}\right)

    Returns
    -------
    0 where a day brings as much work as the pool can do in it, or more.

    Notes
    -----
    As `day_mean_wait_h`: exact for 1 to 50 movers of a whole number. The rule is off by
    up to 0.25 for an hour about the beginning of an overload.

    References
    ----------
    Of the rule: Wang et al. (1996) and Massey and Pender (2013),
    :cite:`wang1996,massey2013`.

    Examples
    --------
    >>> load = [7 / 3] * 6 + [0.3] * 18
    >>> print(day_wait_within_prob(load, 0, 10, 1, wait_h=8)[2:8].round(3))
    [1.    1.    0.984 0.875 0.61  0.753]
    """
    day = utilisation_frac, pulse_h, servers, service_h
    return of_days(lambda law, wait_h: law.within_prob(wait_h), *day, wait_h)


@formula(along="slot", over=_OVER)
def day_wait_quantile_h(utilisation_frac, pulse_h, servers, service_h, prob):
    r"""Wait that a share of the jobs that start when a slot does not exceed.

    .. math:: P(W \le t_p) = p

    by root finding for at most 50 movers, and for more

    .. math:: t_p = \left( \frac{1}{\theta} \ln\frac{p_w}{1 - p} \right)^+
        \qquad \text{or} \quad \left( \mu + \sigma\, \Phi^{-1}(p) \right)^+

    Returns
    -------
    ``inf`` where a day brings as much work as the pool can do in it, or more.

    Notes
    -----
    As `day_mean_wait_h`: exact for 1 to 50 movers of a whole number. By the rule, on
    the days named there with a peak that begins at once, the 95 % quantile is off by a
    fifth at most while a line of more than 0.2 h drains, and by up to an hour and a
    half elsewhere; in a day filled to 99 % it may be half of the truth.

    References
    ----------
    Of the rule: Wang et al. (1996) and Massey and Pender (2013),
    :cite:`wang1996,massey2013`.

    Examples
    --------
    >>> load = [7 / 3] * 6 + [0.3] * 18
    >>> print(day_wait_quantile_h(load, 0, 10, 1, prob=0.95)[2:8])
    [ 3.865  5.567  7.209  8.812 10.389  9.718]
    """
    day = utilisation_frac, pulse_h, servers, service_h
    return of_days(lambda law, prob: law.quantile_h(prob), *day, prob)
