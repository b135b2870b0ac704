"""Draws of all constants of a fit at once, for what a log tells of them hangs together.

A log that gives a higher rate for a disk gives a longer wait with it. How they move
together is seen by leaving out one night after the other; each by itself keeps to its
interval. So much is a Gaussian copula.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from scipy.special import ndtri

from vmbmodel.plan.calibrate.fits import Fit
from vmbmodel.plan.estimate import at_score
from vmbmodel.service import Prior

__all__ = ["joint_sample"]

_ROWS = 256
_SEED = 20181211


def joint_sample(
    fits: Mapping[str, Fit], laws: Mapping[str, Prior]
) -> dict[str, tuple[float, ...]]:
    """Return draws of the fitted constants that have a law, a row of all at a time.

    Those of other nights, or that no night moves, are left out.
    """
    apart = {
        name: fits[name].without
        for name in laws
        if len(fits[name].without) and np.isfinite(fits[name].without).all()
    }
    apart = {name: of for name, of in apart.items() if np.std(of) > 0}
    if len(apart) < 2:
        return {}
    nights, _ = Counter(map(len, apart.values())).most_common(1)[0]
    names = [name for name, of in apart.items() if len(of) == nights]
    if len(names) < 2:
        return {}
    together = np.corrcoef([apart[name] for name in names])
    variance, axes = np.linalg.eigh(together)
    root = axes * np.sqrt(np.maximum(variance, 0)) @ axes.T
    rng = np.random.default_rng(_SEED)
    parts = (np.arange(_ROWS) + 0.5) / _ROWS
    scores = root @ ndtri([rng.permutation(parts) for _ in names])
    return {
        name: tuple(
            float(f"{value:.5g}")
            for value in at_score(laws[name], fits[name].value, score)
        )
        for name, score in zip(names, scores, strict=True)
    }
