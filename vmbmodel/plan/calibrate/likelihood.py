r"""Laws of whole jobs, each fitted by its likelihood, and what hangs on single nights.

The wait is exponential, or lognormal, or of a shape of its own,

.. math:: P(W > x) = C\,\bigl[1 + a (x/b)^k\bigr]^{-1/a},

which has the exponential, Weibull's law and the log-logistic within it, comes near to
gamma ones, and has a mean for :math:`a < k`. Parameters are fitted as
logarithms, shares as those of their odds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import optimize
from scipy.special import expit, gammaln, log_ndtr, logit, ndtr

__all__ = ["CONSTANTS", "Fitted", "Log", "within_prob"]

CONSTANTS = ("fixed_h", "fixed_sd", "size_sd", "wait_prob", "wait_mean_h", "h_per_gib")
"""What a law says of jobs, whatever the shape of its wait."""
_SHARES = ("wait_prob", "wait_tail_frac")
_PRIORS = {
    "fixed_sd": (math.log(0.2), 1.0),
    "size_sd": (math.log(0.2), 1.0),
    "wait_prob": (0.0, 2.0),
    "wait_log_sd": (0.0, 0.7),
    "wait_shape": (0.0, 0.7),
    "wait_tail_frac": (-1.5, 1.5),
}
"""Middle and standard deviation of what totals hardly tell, on the scale of the fit."""
_END = 12.0  # of that scale, to either side of 0
_STEP, _WIDE = 1e-4, 1e-3
_FLAT = 0.05  # slope at which a fit has converged
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(18)


@dataclass(frozen=True)
class Log:
    """Jobs: their lengths, sizes and nights, the last from 0 on."""

    hours: np.ndarray
    sizes: np.ndarray
    night: np.ndarray
    grid_h: float  #: to which ends are known


@dataclass(frozen=True)
class Fitted:
    """A law, fitted to a log."""

    log: Log
    held: Mapping[str, float]
    point: Mapping[str, float]  #: what was fitted, on the scale of the fit

    @classmethod
    def of(
        cls, log: Log, held: Mapping[str, float], start: Mapping[str, float]
    ) -> "Fitted":
        """Fit what `start` names, and hold the rest."""
        law = cls(log, held, start)
        last: dict[bytes, np.ndarray] = {}

        def slopes(point: np.ndarray) -> np.ndarray:
            if point.tobytes() not in last:
                last.clear()
                last[point.tobytes()] = law._slopes(point)
            return last[point.tobytes()]

        middle, weight = law._prior

        def uphill(at: np.ndarray) -> np.ndarray:
            return (at - middle) * weight - slopes(at).sum(axis=1)

        found = optimize.minimize(
            law._loss,
            list(start.values()),
            jac=uphill,
            # what the slopes of single jobs tell of the curvature
            hess=lambda at: slopes(at) @ slopes(at).T + np.diag(weight),
            method="trust-exact",
            options={"gtol": _FLAT, "maxiter": 100, "initial_trust_radius": 0.5},
        )
        if not found.success:  # of few jobs, the slopes may tell too little of it
            of = {"method": "BFGS", "options": {"gtol": _FLAT}}
            found = optimize.minimize(law._loss, found.x, jac=uphill, **of)
        return cls(log, held, dict(zip(start, found.x.tolist(), strict=True)))

    @cached_property
    def constants(self) -> dict[str, float]:
        """The law's `CONSTANTS`."""
        return self._law(self._at)

    @cached_property
    def likely(self) -> float:
        """Logarithm of how likely the law makes the log."""
        return float(self._scores(self._at).sum())

    def ends(self, reach: float) -> tuple[dict[str, float], dict[str, float]]:
        """Return constants so many standard errors lower, and higher.

        The errors are those of leaving out one night after the other, each by one step
        of Newton's from what was fitted to all; by logarithms, or those of odds.
        """
        low, high = dict(self.constants), dict(self.constants)
        for name, of in self.without.items():
            bent, back = (logit, expit) if name in _SHARES else (np.log, np.exp)
            middle, nights = bent(low[name]), len(of)
            error = math.sqrt((nights - 1) / nights * ((of - of.mean()) ** 2).sum())
            low[name] = float(back(middle - reach * error))
            high[name] = float(back(middle + reach * error))
        return low, high

    @cached_property
    def without(self) -> dict[str, np.ndarray]:
        """Constants without each night in turn, by logarithms, or those of odds."""
        point = self._at
        by_night = self._by_night(point)
        wide = np.eye(len(point)) * _WIDE
        curve = np.array([by_night - self._by_night(point + w) for w in wide]) / _WIDE
        curve = (curve + curve.swapaxes(0, 1)) / 2
        others = curve.sum(axis=2) + np.diag(self._prior[1]) - curve.T
        steps = np.linalg.pinv(others, hermitian=True) @ by_night.T[:, :, np.newaxis]
        without = [self._law(point - step) for step in steps[:, :, 0]]
        return {
            name: (logit if name in _SHARES else np.log)([law[name] for law in without])
            for name in CONSTANTS
            if name not in self.held
        }

    @property
    def _at(self) -> np.ndarray:
        return np.array(list(self.point.values()))

    @property
    def _prior(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the middle of each parameter, and one over its variance."""
        both = np.array([_PRIORS.get(name, (0.0, np.inf)) for name in self.point])
        return both[:, 0], both[:, 1] ** -2

    def _law(self, point: Sequence[float]) -> dict[str, float]:
        bent = zip(self.point, np.clip(point, -_END, _END), strict=True)
        law = dict(self.held)
        for name, at in bent:
            law[name] = float(expit(at) if name in _SHARES else np.exp(at))
        if "wait_log_sd" in law:
            spread = min(law["wait_log_sd"] ** 2 / 2, 99)
            law["wait_mean_h"] = law["wait_p50_h"] * math.exp(spread)
        if "wait_shape" in law:
            shape = law["wait_shape"]
            tail = law["wait_tail"] = law["wait_tail_frac"] * shape
            of = [1 + 1 / shape, 1 / tail - 1 / shape, 1 / tail]
            one, less, whole = gammaln(of)
            mean = math.exp(min(one + less - whole - math.log(tail) / shape, 99))
            law["wait_mean_h"] = law["wait_scale_h"] * mean
        return law

    def _scores(self, point: np.ndarray) -> np.ndarray:
        log, law = self.log, self._law(point)
        times = np.array([log.hours, np.maximum(log.hours - log.grid_h, 0)])
        end, before = within_prob(times, log.sizes, law)
        return np.log(np.maximum(end - before, 1e-300))

    def _loss(self, point: np.ndarray) -> float:
        middle, weight = self._prior
        weak = ((point - middle) ** 2 * weight).sum() / 2
        return float(weak - self._scores(point).sum())

    def _slopes(self, point: np.ndarray) -> np.ndarray:
        """Return by how much each parameter makes each job likelier."""
        steps = np.eye(len(point)) * _STEP
        ends = ((self._scores(point + s), self._scores(point - s)) for s in steps)
        return np.array([(up - down) / (2 * _STEP) for up, down in ends])

    def _by_night(self, point: np.ndarray) -> np.ndarray:
        night = self.log.night
        return np.array([np.bincount(night, row) for row in self._slopes(point)])


def within_prob(
    hours: np.ndarray, sizes: np.ndarray, law: Mapping[str, float]
) -> np.ndarray:
    """Return what `done_within_prob` does, with as many nodes as a fit needs."""
    moved = law["h_per_gib"] * sizes
    mean = law["fixed_h"] + moved
    variance = (law["fixed_sd"] * law["fixed_h"]) ** 2 + (law["size_sd"] * moved) ** 2
    spread = np.sqrt(np.log1p(np.maximum(variance / mean**2, 1e-10)))
    top = np.log(np.maximum(hours, 1e-300) / mean) / spread + spread / 2
    low, high = -6.0, np.clip(top, -6.0, 6.0)
    nodes = low + (high - low)[..., np.newaxis] * (1 + _POINTS) / 2
    wide = spread[..., np.newaxis]
    work = mean[..., np.newaxis] * np.exp(wide * (nodes - wide / 2))
    left = np.maximum(hours[..., np.newaxis] - work, 0)
    if "wait_tail" in law:
        tail = law["wait_tail"]
        grown = (left / law["wait_scale_h"]) ** law["wait_shape"]
        late = np.log1p(tail * grown) / tail
    elif "wait_log_sd" in law:
        late = -log_ndtr(np.log(law["wait_p50_h"] / left) / law["wait_log_sd"])
    else:
        late = left / law["wait_mean_h"]
    bell = np.exp(-0.5 * nodes**2 - late) @ _WEIGHTS
    waiting = law["wait_prob"] * bell * (high - low) / 2 / math.sqrt(2 * math.pi)
    return np.where(hours > 0, ndtr(top) - waiting, 0.0)
