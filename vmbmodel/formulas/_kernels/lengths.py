r"""How long jobs are: equal, exponential, or of a shape and a variation.

Each shape is settled by its mean and its squared coefficient of variation :math:`v`:
gamma, lognormal, two kinds of exponential jobs (hyperexponential), and normal for the
transfers of `score`. What other modules need of a length of mean 1 is gathered in
`Lengths`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vmbmodel.fields import refuse

__all__ = [
    "EQUAL",
    "Lengths",
    "at_score",
    "by_variation",
    "is_closed",
    "lengths",
    "score",
]

EQUAL = 1e-10
"""Variation up to which lengths are taken as equal."""
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


def is_closed(service_scv, family):
    """Say where lengths are equal or exponential: there are closed forms."""
    return (service_scv <= EQUAL) | _is_exponential(service_scv, family)


def by_variation(service_scv, family, *, exponential, other, equal=None):
    """Take the rule for equal, for exponential or for other lengths, cell by cell.

    A rule is a function without arguments, called only if a cell needs it; without one
    for equal lengths, the one for others holds. Two kinds of exponential jobs that vary
    less than one kind does are refused.
    """
    if family == "hyperexponential":
        rule = ">= 1 if hyperexponential"
        refuse("service_scv", rule, service_scv, service_scv >= 1)
    if type(service_scv) is np.float64 or not np.ndim(service_scv):  # one for all cells
        if equal and service_scv <= EQUAL:
            return equal()
        if service_scv == 1 and family != "lognormal":
            return exponential()
        return other()
    even = (service_scv <= EQUAL) & (equal is not None)
    random = _is_exponential(service_scv, family)
    result = np.full(np.shape(service_scv), np.nan)
    rules = (even, equal), (random, exponential), (~even & ~random, other)
    for cells, rule in rules:
        if cells.any():
            result = np.where(cells, rule(), result)
    return result


def _is_exponential(service_scv, family):
    return (service_scv == 1) & (family != "lognormal")


def score(time, mean, scv, family):
    """Score of a length, of a law that is made normal."""
    from scipy.special import gammainc, gammaincc, ndtri

    if family == "normal":
        return (time - mean) / (np.sqrt(scv) * mean)
    if family == "lognormal":
        spread = np.sqrt(np.log1p(scv))
        return np.log(time / mean) / spread + spread / 2
    shape, time = 1 / scv, time / mean / scv
    early, late = gammainc(shape, time), gammaincc(shape, time)
    return np.where(early < 0.5, ndtri(early), -ndtri(late))


def at_score(score, mean, scv, family):
    """Length at a score."""
    from scipy.special import gammainccinv, gammaincinv, ndtr

    if family == "normal":
        return mean * (1 + np.sqrt(scv) * score)
    if family == "lognormal":
        spread = np.sqrt(np.log1p(scv))
        return mean * np.exp(spread * (score - spread / 2))
    shape = 1 / scv
    short, long = gammaincinv(shape, ndtr(score)), gammainccinv(shape, ndtr(-score))
    return mean * scv * np.where(score < 0, short, long)


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
        # a chance that a float cannot divide by counts as the least that it can
        tail_quantile=lambda late: first_past(
            -np.log(np.where(late > 0, np.maximum(late, 1e-300), 0))
        ),
    )


_FAMILIES = {
    "gamma": _gamma,
    "lognormal": _lognormal,
    "hyperexponential": _hyperexponential,
}
