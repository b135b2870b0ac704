"""Linear equations of which only the product with a vector is known."""

import numpy as np

__all__ = ["solved"]


def solved(times, right, within, *, steps=60, rounds=3):
    """Solve ``times(x) = right`` for x, from zero, until what is left is `within`.

    By GMRES, in rounds of so many steps, each made orthogonal twice. Written here
    because SciPy's takes sparse and dense matrices with it, for which a page of the
    book has no room.
    """
    x = np.zeros_like(right)
    left = right
    for _ in range(rounds):
        size = np.linalg.norm(left)
        if size <= within:
            break
        basis, products = [left / size], np.zeros((steps + 1, steps))
        for step in range(steps):
            new = times(basis[step])
            known = np.array(basis)
            for _ in range(2):
                parts = known @ new
                products[: step + 1, step] += parts
                new = new - parts @ known
            rest = products[step + 1, step] = np.linalg.norm(new)
            small = products[: step + 2, : step + 1]
            target = np.append(size, np.zeros(step + 1))
            weights = np.linalg.lstsq(small, target, rcond=None)[0]
            if np.linalg.norm(target - small @ weights) <= within or rest == 0:
                break
            basis.append(new / rest)
        x = x + weights @ known
        left = right - times(x)
    return x
