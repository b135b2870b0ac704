r"""Restores before backups: two lines for the same data movers.

A mover that becomes free takes the restore that has waited longest, and a backup
only if no restore waits. Nothing that runs is broken off. Jobs of both kinds
arrive at random.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.lengths import by_variation
from vmbmodel.formulas._kernels.pool import wait_law
from vmbmodel.formulas._kernels.special import log_waiting

__all__ = [
    "priority_backup_wait_h",
    "priority_restore_quantile_h",
    "priority_restore_wait_h",
]


@formula
def priority_restore_wait_h(
    servers,
    restores_per_h,
    backups_per_h,
    restore_service_h,
    backup_service_h,
    service_scv=1,
    family: str = "gamma",
):
    r"""Mean wait of a restore that is taken before all backups.

    .. math:: E[W_1] = \frac{C\,\tau}{c\,(1 - \rho_1)}, \qquad
        \rho_1 = \frac{\lambda_1 \tau_1}{c}

    for exponential jobs of one mean :math:`\tau`, with :math:`C` the probability of
    waiting at the load of both kinds, and for others

    .. math:: E[W_1] = A^{3/4} B^{1/4}, \qquad
        A = \frac{p_w\, g\, \tau}{c\,(1 - \rho_1)}, \quad
        B = E[W]\, \frac{1 - \rho}{1 - \rho_1}

    with :math:`p_w`, :math:`E[W]`, :math:`\tau` and :math:`v` of the mix of both
    kinds in one line, and :math:`g = (c + v) / (c + 1)`; from :math:`v = 1` on
    :math:`g = 1 + (v - 1) / (2 c^{1.5})` for ``lognormal`` and
    :math:`g = 1 + (v - 1) / (2 c^{1.25})` for ``hyperexponential``.

    Parameters
    ----------
    service_scv : Within either kind.

    Returns
    -------
    ``inf`` only where the restores alone are more than the movers can do.

    Notes
    -----
    Exact for exponential service of one mean, and for one data mover. Where both
    kinds together are too much, every restore waits for the next mover, and only the
    backups wait for ever; of other jobs, backups count as far as there is room for
    them.

    The plain scaling :math:`B` of Bondi and Buzen is 40 % too short for equal jobs
    and twice too long at :math:`v = 4`: a restore waits for the next mover that
    becomes free, which the spread of jobs touches little. The mean with :math:`A`
    is ours. Against simulations of 2 to 50 movers at a load of 0.8 to 0.95, with
    restores a tenth to a third of it: equal jobs within 7 %; up to
    :math:`v = 2` within 9 %, lognormal ones 13 %; at :math:`v = 4` gamma 6 to 18 %
    too short, the others between 9 % too short and 17 % too long
    (``validation/lines.py``).

    References
    ----------
    Cobham (1954), :cite:`cobham1954`; Bondi and Buzen (1984),
    :cite:`bondibuzen1984`.

    Examples
    --------
    Five movers, four fifths busy, every fifth job a restore:

    >>> print(priority_restore_wait_h(5, 0.8, 3.2, 1, 1))
    0.13194
    >>> print(priority_restore_wait_h(5, 0.8, 3.2, 1, 1, service_scv=0))
    0.0950677
    """
    rates = restores_per_h, backups_per_h
    hours = restore_service_h, backup_service_h
    return _waits(servers, *rates, *hours, service_scv, family)[0]


@formula
def priority_backup_wait_h(
    servers,
    restores_per_h,
    backups_per_h,
    restore_service_h,
    backup_service_h,
    service_scv=1,
    family: str = "gamma",
):
    r"""Mean wait of a backup that lets all restores go first.

    .. math:: E[W_2] = \frac{C\,\tau}{c\,(1 - \rho_1)(1 - \rho)}, \qquad
        \rho = \frac{\lambda_1 \tau_1 + \lambda_2 \tau_2}{c}

    for exponential jobs of one mean :math:`\tau`, and for others

    .. math:: E[W_2] = E[W] + \frac{\rho_1}{\rho_2} (E[W] - E[W_1])

    with the mean :math:`E[W]` over both kinds in one line.

    Parameters
    ----------
    service_scv : Within either kind.

    Returns
    -------
    ``inf`` where both kinds together are more than the movers can do.

    Notes
    -----
    Exact for exponential service of one mean, and for one data mover. Else by
    conservation of work, from `priority_restore_wait_h`: what restores gain backups
    lose. Within -9 and +2 % of the same simulations, that are good to 1 to 4 %
    themselves.

    References
    ----------
    Cobham (1954), :cite:`cobham1954`.

    Examples
    --------
    >>> print(priority_backup_wait_h(5, 0.8, 3.2, 1, 1))
    0.6597
    >>> print(priority_backup_wait_h(5, 0.8, 3.2, 1, 1, service_scv=0))
    0.337558
    """
    rates = restores_per_h, backups_per_h
    hours = restore_service_h, backup_service_h
    return _waits(servers, *rates, *hours, service_scv, family)[1]


@formula
def priority_restore_quantile_h(
    prob, servers, restores_per_h, backups_per_h, service_h
):
    r"""Wait that a share of the restores does not exceed, taken before backups.

    .. math:: t_p = \max\left(0,
        \frac{\tau \ln (C / (1 - p))}{c\,(1 - \rho_1)} \right)

    Parameters
    ----------
    prob : share of the restores, :math:`p`
    service_h : mean of the exponential service time of either kind, :math:`\tau`

    Returns
    -------
    0 where that share does not wait at all; ``inf`` where the restores alone are too
    much, and at :math:`p = 1` wherever any of them waits.

    Notes
    -----
    Exact: while all movers are busy, restores see a queue of their own that is
    served at the full rate.

    References
    ----------
    Cobham (1954), :cite:`cobham1954`.

    Examples
    --------
    >>> print(priority_restore_quantile_h(0.95, 5, 0.8, 3.2, service_h=1))
    0.572701
    """
    load = restores_per_h * service_h
    waiting = _waiting(servers, load + backups_per_h * service_h)
    excess = np.fmax(np.log(waiting) - np.log1p(-prob), 0)
    late = np.where(excess > 0, excess / (servers - load) * service_h, 0)
    return np.where(load < servers, late, np.inf)


_FULL = 1 - 1e-9
"""Load, of what is possible, at which backups are taken to fill the pool."""
_LITTLE, _MUCH = 1e-300, 1e150
"""Fewer movers than a float can divide by, and more spread than it can square."""


def _waiting(servers, load):
    return np.exp(log_waiting(servers, np.minimum(load, servers)))


def _waits(servers, restores, backups, restore_h, backup_h, scv, family):
    """Mean waits of restores and of backups, in closed form where there is one."""
    line = servers, restores, backups, restore_h, backup_h, scv
    *line, scv = np.broadcast_arrays(*line)
    waits = by_variation(
        scv,
        family,
        exponential=lambda: _of_one_mean(*line),
        other=lambda: _both(*line, scv, family),
    )
    waits = np.broadcast_to(waits, (2, *np.shape(scv)))  # where there are no cells too
    alike = restore_h == backup_h
    return waits if alike.all() else np.where(alike, waits, _both(*line, scv, family))


def _of_one_mean(servers, restores, backups, restore_h, backup_h):
    first = restores * restore_h
    load = first + backups * backup_h
    waiting, alone = _waiting(servers, load), servers / (servers - first)
    restore = waiting / (servers - first) * restore_h
    backup = waiting / (servers - load) * alone * restore_h
    waits = (
        np.where(first < servers, restore, np.inf),
        np.where(load < servers, backup, np.inf),
    )
    return np.stack(waits)


def _both(servers, restores, backups, restore_h, backup_h, scv, family):
    """Mean waits of restores and of backups; overflowing backups fill the pool."""
    servers = np.maximum(servers, _LITTLE)
    first, second = restores * restore_h, backups * backup_h
    room = np.maximum(servers - first, 0)
    keeps_up, served = first + second < servers, first < servers
    filling = np.where(keeps_up, second, np.minimum(second, room * _FULL))
    jobs = restores + filling / backup_h
    some = served & (jobs > 0)
    load = np.where(some, first + filling, 0)
    share = np.where(some, restores / jobs, 1)
    work = np.where(some & (load > 0), first / load, 1)
    tau = restore_h * share + backup_h * (1 - share)
    # a job that is met in service belongs to a kind by its share of the work
    one, other = (np.minimum(x / tau, _MUCH) for x in (restore_h, backup_h))
    mixed = (1 + scv) * (work * one + (1 - work) * other) - 1
    mixed = np.clip(mixed, 1 if family == "hyperexponential" else 0, _MUCH)
    waiting, mean, _ = wait_law(servers, load, mixed, family)
    together = np.where(waiting > 0, waiting * mean, 0) * tau
    alone = servers / (servers - first)
    next_free = waiting * _next_free(servers, mixed, family) * tau / servers * alone
    scaled = together * ((servers - load) / servers) * alone
    restore = np.minimum(next_free**0.75 * scaled**0.25, together)
    restore = np.where(second > 0, restore, together)
    gap = together - restore
    gain = np.where((second > 0) & (gap > 0), first / second * gap, 0)
    waits = (
        np.where(served, restore, np.inf),
        np.where(keeps_up, together + gain, np.inf),
    )
    return np.stack(waits)


def _next_free(servers, scv, family):
    """Mean time to the next free mover, to that of exponential jobs."""
    if family == "gamma":
        return (servers + scv) / (servers + 1)
    power = _SHORTENS[family]
    more = 1 + (scv - 1) / 2 * servers**-power
    return np.where(scv < 1, (servers + scv) / (servers + 1), more)


_SHORTENS = {"lognormal": 1.5, "hyperexponential": 1.25}
"""Power of the number of movers with which the spread of jobs counts less."""
