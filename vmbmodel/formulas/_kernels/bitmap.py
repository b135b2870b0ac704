"""Cells that copy their neighbour or, by chance, are drawn anew."""

import numpy as np

__all__ = [
    "changed_blocks",
    "changed_by_writes",
    "inside_active",
    "log_copied",
]


def changed_blocks(changed_frac, dispersion, cells_per_block, active_frac):
    """Share of blocks of which at least one cell changed."""
    active, inside, scatter = inside_active(changed_frac, dispersion, active_frac)
    copied = log_copied(cells_per_block - 1, scatter * inside)
    partly = active * -np.expm1(np.log1p(-inside) + copied)
    return np.where(inside < 1, partly, active)


def changed_by_writes(churn, used, write, dispersion, active_frac, cell):
    """Size of the cells in which at least one of a day's writes falls."""
    active = np.maximum(active_frac * used, np.minimum(churn, used))
    written_frac = np.where(active > 0, np.minimum(churn / active, 1), 0)
    writes = np.clip(cell / write, 1, np.finfo(float).max)
    again = dispersion / (dispersion + writes * (1 - dispersion))
    return active * changed_blocks(written_frac, again, writes, 1)


def inside_active(changed_frac, dispersion, active_frac):
    """Return the active share, and the changed share and dispersion inside of it."""
    active = np.maximum(active_frac, changed_frac)
    inside = changed_frac / active
    scatter = np.minimum(dispersion * (1 - changed_frac) / (1 - inside), 1)
    return active, inside, np.where(inside < 1, scatter, 0)


def log_copied(cells, again):
    """Log of the chance that cells in a row bring no change, less than one in part.

    A part of a cell brings its part of the chance of a cell: a power would make
    fewer blocks touched where changes spread wider.
    """
    part = np.log1p(-np.minimum(cells, 1) * again)
    return np.where(cells < 1, part, cells * np.log1p(-again))
