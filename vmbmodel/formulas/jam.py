r"""A traffic jam: many jobs at once, and only so many served at a time.

All :math:`N` jobs arrive together and are taken in order by :math:`c` data
movers. The law of their length is an argument: its squared coefficient of
variation :math:`v` and its shape.

Equal jobs (:math:`v = 0`, the default) leave in waves. Of exponential jobs
(:math:`v = 1`, but ``lognormal``) one leaves every :math:`\tau/c` on average while
all movers are busy, whatever happened before, and what is left of a job in service is
as long as a new one: waits are sums of exponential times, and so are the last ends.
For other lengths each mover takes one job after the other while the line lasts, so
that the jobs done by a time are the sum of :math:`c` independent counts of renewals
:math:`N_i(t)`. Their law is computed, in some milliseconds to half a second for each
jam. From 200 jobs for each mover on, what movers have done grows evenly with the
time, and closed forms take over.

Jobs that do not arrive together are in `vmbmodel.formulas.line` and
`vmbmodel.formulas.slots`.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.jam import (
    jam_end,
    jam_end_quantile,
    jam_mean_wait,
    jam_start,
    jam_start_quantile,
)
from vmbmodel.formulas._kernels.lengths import by_variation

__all__ = [
    "jam_makespan_h",
    "jam_makespan_quantile_h",
    "jam_mean_wait_h",
    "jam_wait_h",
    "jam_wait_quantile_h",
]


@formula
def jam_wait_h(
    position, vault_servers, service_h, service_scv=0, family: str = "gamma"
):
    r"""Mean wait of the job at a given place in line.

    .. math:: W_j = \left\lfloor \frac{j - 1}{c} \right\rfloor \tau
        \quad \text{(equal)}, \qquad
        E[W_j] = \frac{(j - c)^+}{c}\, \tau \quad \text{(exponential)}

    and for other lengths

    .. math:: E[W_j] = \int_0^\infty P\left( \sum_{i=1}^{c} N_i(t) < j - c \right) dt,
        \qquad P(N_i(t) \ge n) = F^{*n}(t)

    Notes
    -----
    Exact for equal and for exponential jobs; to 1e-8 of a mean length for other gamma
    ones, whose sums are gamma; to 1e-4 for the rest, whose sums are on a grid. Up to
    :math:`v = 0.01` all shapes are computed as gamma, up to 1e-10 as equal jobs;
    above 100,000 jobs a smaller jam of the same shape.

    From 200 jobs for each mover on, and above :math:`v = 100`, it is

    .. math:: E[W_j] = \frac{\tau}{2 c}\, a^+, \qquad
        a = 2 (j - c) + (1 - v)(c - 1) \quad (j > c)

    from the mean count :math:`t/\tau + (v - 1)/2`: within 0.04 % there. Of 20 jobs
    for each mover it is within 0.01 % up to :math:`v = 2` (lognormal 0.2 %), of 50
    within 1 % up to :math:`v = 8`; of a shorter line, with :math:`v > 1`, it can be
    short by any share.

    References
    ----------
    Cox (1962), on superposed renewal processes and counts of renewals,
    :cite:`cox1962`; the jam is Microsoft's (2018), "Scheduling considerations",
    :cite:`article2018`.

    Examples
    --------
    The hundredth job in line, ten served at a time, half an hour each:

    >>> print(jam_wait_h(100, vault_servers=10, service_h=0.5))
    4.5
    >>> print(jam_wait_h(1000, 50, 1, service_scv=2, family="lognormal"))
    18.529
    """
    behind = np.maximum(position - vault_servers, 0)
    return service_h * by_variation(
        service_scv,
        family,
        equal=lambda: np.floor((position - 1) / vault_servers),
        exponential=lambda: behind / vault_servers,
        other=lambda: jam_start(behind, vault_servers, service_scv, family),
    )


@formula
def jam_wait_quantile_h(
    prob, position, vault_servers, service_h, service_scv=0, family: str = "gamma"
):
    r"""Wait that the job at a given place exceeds only so often.

    .. math:: t_p = \frac{\tau}{c}\, P^{-1}(j - c,\; p) \quad (j > c), \qquad
        0 \text{ otherwise} \quad \text{(exponential)}

    with :math:`P` the regularised lower incomplete gamma function. Equal jobs wait
    what they wait (`jam_wait_h`), and for other lengths

    .. math:: t_p:\quad P\left( \sum_{i=1}^{c} N_i(t_p) \ge j - c \right) = p,
        \qquad P(N_i(t) \ge n) = F^{*n}(t)

    Parameters
    ----------
    prob : probability of waiting no longer, :math:`p`

    Returns
    -------
    ``inf`` at :math:`p = 1` for who has to wait, unless all jobs are equal.

    Notes
    -----
    Exact for equal jobs, and for exponential ones: the wait is a sum of :math:`j - c`
    exponential times of mean :math:`\tau/c`. Else as exact as `jam_wait_h`, up to a
    probability of :math:`10^{-13} c` from 1. From 200 jobs for each mover on the wait
    is taken as that of a sum of :math:`j - c` jobs, each :math:`c` times as short:
    within 0.2 % up to :math:`v = 2` and 3 % up to 8, for 95 % of the cases.

    References
    ----------
    Cox (1962), :cite:`cox1962`, for counts of renewals.

    Examples
    --------
    >>> print(jam_wait_quantile_h(0.95, 100, 10, 0.5, service_scv=1))
    5.3076
    >>> print(jam_wait_quantile_h(0.95, 100, 10, 1, 0.5, family="lognormal"))
    10.364
    """
    behind = np.maximum(position - vault_servers, 0)

    def exponential():
        from scipy.special import gammaincinv

        steps = gammaincinv(np.maximum(behind, 1), prob) / vault_servers
        return np.where(behind > 0, steps, 0)

    return service_h * by_variation(
        service_scv,
        family,
        equal=lambda: np.floor((position - 1) / vault_servers + np.zeros_like(prob)),
        exponential=exponential,
        other=lambda: jam_start_quantile(
            prob, behind, vault_servers, service_scv, family
        ),
    )


@formula
def jam_mean_wait_h(
    jobs, vault_servers, service_h, service_scv=0, family: str = "gamma"
):
    r"""Mean wait of jobs that all start at once.

    .. math:: \bar W = \frac{\tau}{N} \left[ \frac{c\, q (q - 1)}{2} + r q \right],
        \qquad N = q c + r, \quad 0 \le r < c

    for equal jobs, for exponential ones

    .. math:: \bar W = \frac{(N - c)(N - c + 1)\,\tau}{2 N c}
        \quad (N > c), \qquad 0 \text{ otherwise}

    and for other lengths

    .. math:: \bar W = \frac{1}{N} \int_0^\infty E\left[ \left( N - c
        - n(t) \right)^+ \right] dt, \qquad n(t) = \sum_{i=1}^{c} N_i(t), \qquad
        P(N_i(t) \ge n) = F^{*n}(t)

    Notes
    -----
    Exact for equal and for exponential jobs, else as exact as `jam_wait_h`. From 200
    jobs for each mover on it is the mean of the waits there,

    .. math:: \bar W = \frac{(N - c)^+}{N}\, \frac{\tau}{2 c}\, a^+, \qquad
        a = N - c + 1 + (1 - v)(c - 1)

    The first jobs in line count here, so that it takes more of them: within 0.2 %
    from 20 jobs for each mover on up to :math:`v = 2` (lognormal 1.2 %), 4 % from 50
    on at :math:`v = 8`, and 0.4 % from 200 on (lognormal of :math:`v = 8`; 0.02 % up
    to 2).

    References
    ----------
    Cox (1962), :cite:`cox1962`, for counts of renewals.

    Examples
    --------
    >>> print(jam_mean_wait_h(100, vault_servers=10, service_h=0.5))
    2.25
    >>> print(jam_mean_wait_h(1000, 50, 0.5, 0.5, family="lognormal"))
    4.6344
    """

    def equal():
        waves = np.floor(jobs / vault_servers)
        rest = jobs - waves * vault_servers
        full = vault_servers * abs(waves - 1)  # counts for nothing in no wave
        return waves * ((full / 2 + rest) / jobs)

    def exponential():
        behind = np.maximum(jobs - vault_servers, 0)
        return behind / jobs * ((behind + 1) / vault_servers) / 2

    return service_h * by_variation(
        service_scv,
        family,
        equal=equal,
        exponential=exponential,
        other=lambda: jam_mean_wait(
            jobs - vault_servers, vault_servers, service_scv, family
        ),
    )


@formula
def jam_makespan_h(
    jobs, vault_servers, service_h, service_scv=0, family: str = "gamma"
):
    r"""Mean time until the last of several jobs is done.

    .. math:: M = \left\lceil \frac{N}{c} \right\rceil \tau \quad \text{(equal)},
        \qquad
        M = \tau \left[ \frac{(N - c)^+}{c} + H \right]
        \quad \text{(exponential)}, \qquad H = \sum_{k=1}^{\min(N, c)} \frac{1}{k}

    and for other lengths

    .. math:: M = E[W_N] \\ + \int_0^\infty E\left[ 1 - F(y)\, R(W_N, y) \right] dy

    with the law :math:`F` of the length, and the probability :math:`R(s, y)` that the
    other :math:`c - 1` movers are done :math:`y` after the last job began at :math:`s`.

    Notes
    -----
    Exact for equal jobs, and for exponential ones; the harmonic number is the tail:
    the last jobs run on while other movers already stand idle. Else exact to 1e-3 and
    mostly much better: :math:`R` counts what each mover has done when the last job
    begins. Above 200 movers or 30 jobs for each, movers are taken as independent
    there, which changes less than 0.2 %. Takes a tenth of a second to two for each
    jam.

    From 200 jobs for each mover on, and with no line (:math:`N \le c`, where the
    integral is that of :math:`1 - F^N`), it is

    .. math:: M = E[W_N] \\ + \tau \int_0^\infty \left( 1 - F(y)\, F_e(y)^{c - 1}
        \right) dy, \qquad F_e(y) = \int_0^y (1 - F(x))\, dx

    with :math:`F_e` of what is left of a job found at work. Of 10 and 50 movers that
    is within 0.4 % from 20 jobs for each on, and lognormal ones within 1.4 % at
    :math:`v = 2`; of lognormal ones at 8 it is up to 40 % too long there, and 0.3 %
    from 200 on.

    References
    ----------
    Cox (1962), :cite:`cox1962`, for counts of renewals.

    Examples
    --------
    >>> print(jam_makespan_h(100, vault_servers=10, service_h=0.5))
    5.0
    >>> print(jam_makespan_h(1000, vault_servers=50, service_h=1, service_scv=1))
    23.499
    >>> print(jam_makespan_h(100, 10, 0.5, service_scv=2, family="lognormal"))
    7.0739
    """

    def exponential():
        from scipy.special import digamma

        harmonic = digamma(np.minimum(jobs, vault_servers) + 1) - digamma(1)
        return np.maximum(jobs - vault_servers, 0) / vault_servers + harmonic

    return service_h * by_variation(
        service_scv,
        family,
        equal=lambda: np.ceil(jobs / vault_servers),
        exponential=exponential,
        other=lambda: jam_end(jobs, vault_servers, service_scv, family),
    )


@formula
def jam_makespan_quantile_h(
    prob, jobs, vault_servers, service_h, service_scv=0, family: str = "gamma"
):
    r"""Time by which the last job is done with a probability.

    .. math:: \int_0^t g(y)\, P(N - c,\; c (t - y))\, dy = p, \qquad
        g(y) = c\, e^{-y} (1 - e^{-y})^{c - 1} \quad (N > c), \qquad
        t = -\ln(1 - p^{1/N}) \quad \text{otherwise}

    for exponential jobs, in mean lengths of a job, with :math:`P` the regularised
    lower incomplete gamma function. Equal jobs are done when they are done
    (`jam_makespan_h`), and for other lengths, with :math:`R` as there,

    .. math:: t_p:\quad E\left[ F(y)\, R(W_N, y) \right] = p, \qquad y = t_p - W_N

    Parameters
    ----------
    prob : probability of being done by then, :math:`p`

    Returns
    -------
    ``inf`` at :math:`p = 1`, unless all jobs are equal.

    Notes
    -----
    Exact for exponential jobs, the integral over the last start and the longest of
    :math:`c` whole jobs after it being summed to 1e-10. Else it meets the probability
    to 0.002, and closer near 0 and 1. With no line (:math:`N \le c`) it is
    :math:`F^{-1}(p^{1/N})`, exactly; with one mover, the quantile of a sum of :math:`N`
    jobs. From 200 jobs for each mover on the spread of start and end is put together as
    if both were normal: within 0.5 % (lognormal of :math:`v = 8`: 3 %) at 95 % of the
    cases.

    References
    ----------
    Cox (1962), :cite:`cox1962`, for counts of renewals.

    Examples
    --------
    >>> print(jam_makespan_quantile_h(0.95, 1000, 50, 1, service_scv=1))
    26.0632
    >>> print(jam_makespan_quantile_h(0.95, 100, 10, 0.5, 2, "lognormal"))
    11.383
    """
    line = jobs, vault_servers, service_scv, family
    return service_h * jam_end_quantile(prob, 1 - prob, *line)
