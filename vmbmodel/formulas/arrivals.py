r"""Jobs that do not come one by one: in batches at random, or on a timetable.

Batches arrive at random; their jobs join the line together, so that a job waits
for those of its own batch too. All that counts of the sizes of batches is how
many jobs of its batch stand before a job on average, :math:`b`, from
`jobs_ahead`. Batches at fixed times are another thing: `timetable_mean_wait_h`.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.batches import batch_waiting
from vmbmodel.formulas._kernels.lengths import by_variation
from vmbmodel.formulas._kernels.pool import wait_law
from vmbmodel.formulas._kernels.special import log_waiting
from vmbmodel.formulas._kernels.spitzer import equal_jobs

__all__ = [
    "batch_mean_wait_h",
    "jobs_ahead",
    "timetable_mean_wait_h",
]


@formula
def jobs_ahead(batch_jobs, batch_scv):
    r"""Mean number of jobs of the same batch that stand before a job.

    .. math:: b = \frac{1}{2} \left( \frac{E[X^2]}{E[X]} - 1 \right) \\
        = \frac{E[X]\,(1 + v_X) - 1}{2}

    Parameters
    ----------
    batch_scv : It is 0 for batches of one size, :math:`1 - 1/E[X]` for geometric ones.

    Notes
    -----
    Exact for batches of independent size: a job is in a large batch more often
    than batches are large.

    References
    ----------
    Gross et al. (2008), sec. 3.1, :cite:`gross2008`.

    Examples
    --------
    In batches of five, two stand before a job on average:

    >>> print(jobs_ahead(5, 0))
    2.0
    """
    return (batch_jobs - 1) / 2 + batch_jobs * (batch_scv / 2)


@formula
def batch_mean_wait_h(
    servers, arrivals_per_h, service_h, jobs_ahead, service_scv=1, family: str = "gamma"
):
    r"""Mean time in line when jobs arrive in batches.

    .. math:: E[W] = \frac{p_w}{\theta}, \qquad
        \theta = \frac{c\, (1 - \rho)}{(1 + b)\, \tau}, \qquad
        p_w = \frac{r}{\rho} \cdot \frac{f}{f + (1 - r) F}

    for exponential jobs, with :math:`q = b / (1 + b)`, :math:`r = \rho + (1 - \rho) q`,
    the mass :math:`f` of the negative binomial distribution
    :math:`(\rho c (1 - q) / q,\, q)` at :math:`c`, and its probability :math:`F` of
    less than :math:`c`. For others

    .. math:: E[W] = E[W_{M/G/c}] \\ + E[W_{M^X/M/c}] - E[W_{M/M/c}]

    Parameters
    ----------
    arrivals_per_h : jobs arriving, in batches of a Poisson stream, :math:`\lambda`

    Returns
    -------
    mean over all jobs; ``inf`` where the queue cannot keep up, 0 where nothing
    arrives.

    Notes
    -----
    Exact for geometric batches and exponential service, and for one data mover
    and batches of any kind: below :math:`c` jobs the number in the system is negative
    binomial, above it geometric, and who has to wait does so for an exponential time of
    rate :math:`\theta`. At :math:`b = 0` it is the M/M/c queue. Batches of one size
    wait less than this, which is the safe side: of exponential jobs and up to 20 movers
    by 5 % at most at a load of 0.8, 2 % at 0.9 and 9 % at 0.7, by 20 % at 0.7 for 100,
    and by much more where hardly anybody waits.

    For jobs of other variation it is good where many wait. Of exact solutions for 5 to
    20 movers and geometric batches of 2.5 to 10 jobs on average, equal jobs are up to
    10 % too short at a load of 0.8, 19 % at 0.7 and 45 % at 0.5; jobs of
    :math:`v = 0.5` up to 4, 6 and 18 % too short, hyperexponential ones of
    :math:`v = 2` up to 4, 6 and 20 % too long. Batches of one size add to that what is
    said above.

    References
    ----------
    Gross et al. (2008), secs. 3.1 and 5.1, for one mover, :cite:`gross2008`.

    Examples
    --------
    Five jobs at a time instead of one make the wait for ten movers almost four
    times as long:

    >>> print(batch_mean_wait_h(10, 9, 1, jobs_ahead=[0, 2]))
    [0.6687 2.4858]
    >>> print(batch_mean_wait_h(1, 0.5, 1, jobs_ahead=2, service_scv=0))
    4.5
    """
    servers = np.maximum(servers, 1e-300)  # what a float can divide by
    load = arrivals_per_h * service_h

    def other():
        waiting, mean, _ = wait_law(servers, load, service_scv, family)
        inside = np.minimum(load, servers)
        simple = np.exp(log_waiting(servers, inside)) / (servers - inside)
        alone = np.where(waiting > 0, waiting * mean, 0)
        added = _mean(servers, load, jobs_ahead) - np.where(inside > 0, simple, 0)
        wait = np.maximum(alone + added, 0) * service_h
        return np.where(load < servers, wait, np.inf)

    return by_variation(
        service_scv,
        family,
        exponential=lambda: _mean(servers, load, jobs_ahead) * service_h,
        other=other,
    )


@formula
def timetable_mean_wait_h(servers, start_jobs, interval_h, service_h):
    r"""Mean wait of equal jobs that all start on the hour, or every so often.

    .. math:: E[W] = \frac{\tau}{c} \left( E[B] + \frac{\Lambda}{2}
        - \frac{c - 1}{2} \right)^+, \qquad
        E[B] = \sum_{k \ge 1} \frac{E[(N_{k\Lambda} - k m)^+]}{k}, \qquad
        m = \frac{c T}{\tau}

    with :math:`N_x` Poisson of mean :math:`x`, and :math:`B` the jobs still there
    when the next ones start.

    Parameters
    ----------
    interval_h : time from one start to the next, :math:`T`

    Returns
    -------
    ``inf`` where :math:`\Lambda \ge m`, more than the movers do in an interval.

    Notes
    -----
    The backlog is exact for a whole :math:`m`; the wait takes the line for a
    fluid, which needs many more jobs at a start than movers. Against simulations of
    5 to 25 movers at a load of 0.6 to 0.9 it is up to 5 % too short with five jobs
    at a start for each mover, up to 11 % with three and 18 % with two; with one it
    fails, and may be short by four fifths.

    References
    ----------
    Spitzer (1956), :cite:`spitzer1956`.

    Examples
    --------
    Ten movers, quarters of an hour, 36 jobs every hour:

    >>> print(timetable_mean_wait_h(10, 36, interval_h=1, service_h=0.25))
    0.3873
    """
    room = np.minimum(servers * (interval_h / service_h), 1e300)
    room, start_jobs = np.broadcast_arrays(room, start_jobs)
    keeps_up = start_jobs < room
    jobs = np.where(keeps_up, start_jobs, 0)
    backlog = jobs * equal_jobs(room, jobs)[1]  # the line of M/D/m
    line = np.maximum(backlog + jobs / 2 - (servers - 1) / 2, 0)
    return np.where(keeps_up, line * (service_h / servers), np.inf)


def _mean(servers, load, ahead):
    mean = batch_waiting(servers, load, ahead) / (servers - load) * (1 + ahead)
    return np.where(load < servers, mean, np.inf)
