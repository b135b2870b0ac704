"""Systems of linear equations of which only the left side can be computed."""

import numpy as np

__all__ = ["solved"]

_STEPS = 60
"""Directions that are kept."""

_ROUNDS = 3
"""How often the search begins anew, from where it was."""


def solved(product, right, enough):
    """Find what gives the right side, by GMRES: the best of the powers of a map.

    Parameters
    ----------
    product : callable
        The linear map: of a vector, a vector as long.
    right : ndarray of float
        What it shall give.
    enough : float
        Length of what may be left of that.
    """
    result, left = np.zeros_like(right), right
    for _ in range(_ROUNDS):
        length = np.linalg.norm(left)
        if length <= enough:
            break
        found, most = [left / length], min(_STEPS, right.size)
        parts = np.zeros((most + 1, most))
        for step in range(most):
            new = product(found[step])
            for i, direction in enumerate(found):
                parts[i, step] = direction @ new
                new = new - parts[i, step] * direction
            parts[step + 1, step] = size = np.linalg.norm(new)
            sides = parts[: step + 2, : step + 1]
            aim = length * (np.arange(step + 2) == 0)
            weights = np.linalg.lstsq(sides, aim)[0]
            if size == 0 or np.linalg.norm(aim - sides @ weights) <= enough:
                break
            found.append(new / size)
        result = result + weights @ np.array(found[: len(weights)])
        left = right - product(result)
    return result
