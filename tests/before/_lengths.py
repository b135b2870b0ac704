r"""How long jobs are: gamma, lognormal and hyperexponential lengths of mean 1.

Each shape is settled by its squared coefficient of variation :math:`v`. What the
other modules need of it is gathered here: the share of jobs that is shorter or
longer than a time, the mean by which a job is longer, and the length that a share
does not exceed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from before.queueing_general import refuse_mixture

__all__ = []

POINTS, WEIGHTS = np.polynomial.legendre.leggauss(96)
"""Nodes between -1 and 1 on which integrals over the time are summed."""
SHORT = 0.2
"""Time up to which those nodes are even, and beyond which their ratios are."""
_WILDEST = 1e12
"""Variation above which nothing changes any more, to twelve digits."""
_STEPS = 20
"""Steps in which every quantile of a mixture has settled."""


@dataclass(frozen=True)
class Lengths:
    """A law of lengths of mean 1, on plain arrays.

    Parameters
    ----------
    within, beyond : callable
        Share of the jobs that is no longer than a time, and that is longer.
    excess : callable
        Mean of what a job is longer than a time, nothing for a shorter one.
    quantile, tail_quantile : callable
        Length that a share of the jobs does not exceed, and that it exceeds.
    """

    within: Callable
    beyond: Callable
    excess: Callable
    quantile: Callable
    tail_quantile: Callable


def lengths(service_scv, family):
    """Return the law of a shape, for a variation above zero."""
    return _FAMILIES[family](np.minimum(service_scv, _WILDEST))


def refuse_lengths(service_scv, family):
    """Refuse two kinds of exponential jobs that vary less than one kind does."""
    if family == "hyperexponential":
        refuse_mixture(service_scv)


def _gamma(scv):
    from scipy.special import gammainc, gammaincc, gammainccinv, gammaincinv

    shape = 1 / scv

    def excess(time):
        grown = gammaincc(shape + 1, shape * time) - time * gammaincc(
            shape, shape * time
        )
        return np.maximum(grown, 0)

    return Lengths(
        within=lambda time: gammainc(shape, shape * time),
        beyond=lambda time: gammaincc(shape, shape * time),
        excess=excess,
        quantile=lambda prob: gammaincinv(shape, prob) / shape,
        tail_quantile=lambda late: gammainccinv(shape, late) / shape,
    )


def _lognormal(scv):
    from scipy.special import ndtr, ndtri

    spread = np.sqrt(np.log1p(scv))

    def score(time):
        return np.log(time) / spread + spread / 2

    def excess(time):
        grown = ndtr(spread - score(time)) - time * ndtr(-score(time))
        return np.maximum(grown, 0)

    return Lengths(
        within=lambda time: ndtr(score(time)),
        beyond=lambda time: ndtr(-score(time)),
        excess=excess,
        quantile=lambda prob: np.exp(spread * (ndtri(prob) - spread / 2)),
        tail_quantile=lambda late: np.exp(-spread * (ndtri(late) + spread / 2)),
    )


def _hyperexponential(scv):
    gap = np.sqrt((scv - 1) / (scv + 1))
    often, seldom = (1 + gap) / 2, 1 / (scv + 1) / (1 + gap)  # 1 - often, in digits
    fast, slow = 2 * often, 2 * seldom

    def beyond(time):
        return often * np.exp(-fast * time) + seldom * np.exp(-slow * time)

    def within(time):
        return -often * np.expm1(-fast * time) - seldom * np.expm1(-slow * time)

    def hazard(time):  # minus the log of beyond, with all its digits
        early = within(time)
        return np.where(early < 0.5, -np.log1p(-early), -np.log(beyond(time)))

    def first_past(passed):
        # the hazard bends down, so that Newton's steps from below stay below
        time = np.maximum((passed + np.log(seldom)) / slow, 0)
        for _ in range(_STEPS):
            rate = often * fast * np.exp(-fast * time)
            rate = (rate + seldom * slow * np.exp(-slow * time)) / beyond(time)
            time = np.where(
                passed < np.inf, time + (passed - hazard(time)) / rate, passed
            )
        return np.maximum(time, 0)

    return Lengths(
        within=within,
        beyond=beyond,
        excess=lambda time: (np.exp(-fast * time) + np.exp(-slow * time)) / 2,
        quantile=lambda prob: first_past(-np.log1p(-prob)),
        tail_quantile=lambda late: first_past(-np.log(late)),
    )


_FAMILIES = {
    "gamma": _gamma,
    "lognormal": _lognormal,
    "hyperexponential": _hyperexponential,
}
