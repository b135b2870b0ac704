"""Chunks between cuts at random, none too short or too long, hit by writes."""

import numpy as np

from vmbmodel.formulas._kernels.quadrature import legendre

__all__ = ["share_hit"]

LONGEST = 40
"""Mean lengths beyond which no chunk is looked for: one in 10^17."""


def share_hit(density, least, beyond, longest):
    """Share of the bytes in chunks that are hit, at so many hits for each length."""
    longest = np.maximum(longest, least)
    room = (longest - least) / beyond
    lengths = least, beyond, longest, room
    mean = least + beyond * -np.expm1(-room)
    mean = np.maximum(mean, np.finfo(float).tiny)
    few = _hit(density, *lengths) / mean
    many = 1 - _missed(density, *lengths) / mean
    reach = least + beyond * np.minimum(room, LONGEST)
    return np.clip(np.where(density * reach < 1, few, many), 0, 1)


def _hit(density, least, mean, longest, room):
    """Mean length of a chunk if it is hit, of few writes: no small differences."""
    total = np.exp(-room) * longest * -np.expm1(-density * longest)
    upto = np.minimum(room, LONGEST)
    for node, weight in zip(*legendre(64), strict=True):
        beyond = upto * (node + 1) / 2
        length = least + mean * beyond
        chance = weight * upto / 2 * np.exp(-beyond)
        total = total + chance * length * -np.expm1(-density * length)
    return total


def _missed(density, least, mean, longest, room):
    """Mean length of a chunk if it is missed, in closed form."""
    falling = np.minimum(density * mean, 1e300) + 1
    left = np.exp(-falling * room)
    ended = np.where(left > 0, falling * room * left, 0)
    within = least * ((1 - left) / falling)
    within = within + mean / falling * ((1 - left - ended) / falling)
    whole = longest * np.exp(-room - density * longest)
    return np.exp(-density * least) * within + whole
