"""Who waits where jobs of exponential length arrive in geometric batches."""

import numpy as np

from vmbmodel.formulas._kernels.special import log_poisson_mass, log_waiting

__all__ = ["batch_waiting"]

_LEAST = 1e-12
"""Chance of one more in the batch below which jobs arrive one by one."""
_LITTLE, _MUCH = 1e-100, 1e100
"""Beyond these, limits are reached, and products would leave the range of floats."""


def batch_waiting(servers, load, ahead):
    """Probability that a job waits, from a negative binomial number of jobs."""
    from scipy.special import betaincc

    alone = np.exp(log_waiting(servers, np.minimum(load, servers)))
    stable, some = load < servers, load > 0
    busy = np.clip(load / servers, _LITTLE, 1)
    servers = np.clip(servers, _LITTLE, _MUCH)
    ahead = np.minimum(ahead, _MUCH)
    one = 1 / (1 + ahead)
    more = np.maximum(ahead * one, _LEAST)
    rising = busy * one + more
    shape = servers * (busy * (one / more))
    total = shape + servers
    log_mass = (
        np.log(shape / total)
        + log_poisson_mass(servers, servers * rising)
        + log_poisson_mass(shape, shape + servers * one * (1 - busy))
        - log_poisson_mass(total, total)
    )
    mass = np.exp(log_mass)
    rest = (1 - busy) * one * betaincc(servers, shape, more)
    waiting = np.minimum(mass / (mass + rest) * (rising / busy), 1)
    waiting = np.where(ahead > _LEAST, waiting, alone)
    return np.where(stable, np.where(some, waiting, 0), 1)
