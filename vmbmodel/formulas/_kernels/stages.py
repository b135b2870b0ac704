"""Stages of an increment: finding what changed, sending it, asking for it."""

import numpy as np

from vmbmodel.formulas._kernels.bitmap import changed_blocks

__all__ = [
    "hours",
    "overlap",
    "stages_h",
]


def hours(size_gib, rate_mib_s):
    """Time of a size at a rate."""
    return size_gib * 1024 / rate_mib_s / 3600


def stages_h(
    changed_frac,
    used_gib,
    dispersion,
    active_frac,
    incremental_mib_s,
    blob_iops,
    cell_kib,
    block_kib,
):
    """Time to read the changed blocks, to send the cells, and to request them."""
    cells_per_block = np.clip(block_kib / cell_kib, 1, np.finfo(float).max)
    touched_gib = used_gib * changed_blocks(
        changed_frac, dispersion, cells_per_block, active_frac
    )
    changed_gib = used_gib * changed_frac
    # beyond half of the disk, runs merge: that saves no requests here
    apart = np.minimum(changed_frac, 0.5)
    extents = used_gib * apart * 2**20 * (dispersion * (1 - apart)) / cell_kib
    return (
        hours(touched_gib, incremental_mib_s),
        hours(changed_gib, incremental_mib_s),
        extents / blob_iops / 3600,
    )


def overlap(overlap_frac, first_h, second_h):
    """Time of two stages, between pipelined and one after the other."""
    shorter = np.minimum(np.minimum(first_h, second_h), np.finfo(float).max)
    return np.maximum(first_h, second_h) + (1 - overlap_frac) * shorter
