"""The wait in a pool of movers for jobs of any variation: its three figures.

Equal jobs are exact, by a series; the other shapes go between that and the M/M/c
queue. On plain arrays, in service times.
"""

import numpy as np

from vmbmodel.formulas._kernels.special import log_waiting
from vmbmodel.formulas._kernels.spitzer import equal_jobs

__all__ = ["wait_law", "wait_quantile"]

_FITTED = 8
"""Service variation up to which the lognormal rule was fitted and tested."""


def wait_law(servers, load, service_scv, family):
    """Probability of waiting, mean wait of those who wait, and its variation.

    On plain arrays; the mean is in service times, and ``inf`` where the queue
    cannot keep up.
    """
    servers, load, scv = np.broadcast_arrays(servers, load, service_scv)
    stable = load < servers
    inside = np.where(stable, load, 0)
    log_c = log_waiting(servers, inside)
    prob_d, mean_d, square_d = equal_jobs(servers, inside)
    mean_m = np.exp(log_c) / (servers - inside)
    rises = (prob_d > 0) & (mean_d > 0) & (mean_m > 0)  # above what a float can hold
    # equal jobs wait between half as long, in heavy traffic, and as long
    ratio = np.where(rises, np.clip(mean_d / mean_m, 0.5, 1), 1)
    scv_d = (square_d / mean_d) * (prob_d / mean_d) - 1
    scv_d = np.where(rises & (scv_d >= 0), np.minimum(scv_d, 1), 1)
    log_ratio = np.where(rises, log_c - np.log(prob_d), 0)
    pull = (scv - 1) / (scv + 1)
    prob = np.where(rises, np.minimum(np.exp(log_c + pull * log_ratio), 1), 0)
    factor, single, share = _FAMILIES[family](scv, servers, ratio)
    spread = 1 + (pull + share * (single - pull)) * (1 - scv_d)
    mean = factor * np.exp(-pull * log_ratio) / (servers - inside)
    return (
        np.where(stable, prob, 1),
        np.where(stable, mean, np.inf),
        np.where(stable, spread, 1),
    )


def wait_quantile(prob, waiting, mean, scv):
    """Quantile, in service times, of a wait with the given `wait_law`."""
    from scipy.special import gammainccinv

    some = (1 - prob < waiting) & (mean < np.inf)
    share = np.where(some, (1 - prob) / waiting, 1)
    excess = gammainccinv(1 / scv, share)
    late = np.where(some & (excess > 0), mean * scv * excess, 0)
    return np.where(mean < np.inf, late, np.inf)


def _gamma(scv, servers, ratio):
    """Factor on the mean of M/M/c, spread for one mover, and how far that counts."""
    return 1 + (scv - 1) * (1 - ratio), 0, 0


def _lognormal(scv, servers, ratio):
    heavy = 2 * (1 - ratio)
    fitted = np.minimum(scv, _FITTED)
    bend = 1.65 * fitted**2.97 / (1 + 2.64 * fitted**1.62)
    # beyond the fit each unit of variation adds what it did on average up to there
    bend = np.where(scv > _FITTED, bend * ((scv - 1) / (_FITTED - 1)), bend)
    factor = 1 + (scv - 1) * heavy / 2 - bend * heavy**2.41 * (1 - heavy) ** 0.78
    return factor, 2 * scv - 1, np.minimum(servers**-0.38, 1) * heavy**5.1


def _hyperexponential(scv, servers, ratio):
    pull = (scv - 1) / (scv + 1)
    kimura = 1 / (2 / (1 + scv) + pull * (2 - 1 / ratio))
    gamma, *_ = _gamma(scv, servers, ratio)
    # fitted to exact solutions of 2 to 50 movers at loads from 0.05, v up to 8
    part = pull * (0.1 + 0.8 * (1 - ratio) + 1 / servers) - 0.15
    part = np.where(servers > 1, np.clip(part, 0, 1), 0)
    return kimura + (gamma - kimura) * part, 3 * pull, 1


_FAMILIES = {
    "gamma": _gamma,
    "lognormal": _lognormal,
    "hyperexponential": _hyperexponential,
}
