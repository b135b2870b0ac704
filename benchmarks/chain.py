"""A chain of formulas, against a loop in plain Python and against dense arrays."""

import math

import numpy as np
import xarray as xr

from benchmarks.timing import Comparison, alternate
from vmbmodel.formulas.dispersion import changed_gib
from vmbmodel.formulas.queueing import erlang_c_prob, wait_decay_per_h
from vmbmodel.formulas.sharing import completion_equal_caps_h
from vmbmodel.formulas.total import done_within_prob, total_mean_h, total_quantile_h
from vmbmodel.formulas.transfer import incremental_h

__all__ = ["compare"]

SERVICE = {
    "active_frac": 1.0,
    "incremental_mib_s": 57.2,
    "blob_iops": 500.0,
    "cell_kib": 8.0,
    "block_kib": 2048.0,
    "overlap_frac": 0.5,
}
CAP_MIB_S, CAPACITY_MIB_S = 57.2, 150.0
WAIT_PROB, DECAY_PER_H, DEADLINE_H, PROB = 0.4, 0.5, 24.0, 0.95


def compare() -> list[Comparison]:
    """Time whole inventories, single disks and a product grid."""
    rng = np.random.default_rng(1)
    vms, disks = 25_000, 4
    used = rng.lognormal(5, 1, (vms, disks))
    changed = used * rng.uniform(0.01, 0.2, (vms, disks))
    scatter = rng.uniform(0, 1, (vms, disks))
    rows = list(zip(used.tolist(), changed.tolist(), scatter.tolist(), strict=True))
    ours, theirs = _arrays(used, changed, scatter), [_scalars(*row) for row in rows]
    np.testing.assert_allclose(np.transpose(ours), theirs, rtol=1e-10)

    ours_s, theirs_s = alternate(
        lambda: _arrays(used, changed, scatter),
        lambda: [_scalars(*row) for row in rows],
    )
    inventory = Comparison(
        f"chain of formulas, {used.size:,} disks in {vms:,} VMs / loop in plain Python",
        ours_s,
        theirs_s,
    )
    ours_s, theirs_s = alternate(lambda: _arrays(*rows[0]), lambda: _scalars(*rows[0]))
    single = Comparison(
        f"the same chain, one VM of {disks} disks / the same in plain Python",
        ours_s,
        theirs_s,
        "<= 10",
    )
    return [inventory, single, *_product_grid()]


def _arrays(used, changed, scatter):
    """Time of each disk, then each VM's account, total and odds, on arrays."""
    changed = changed_gib(changed, used, 4, scatter, 1, 8)
    alone_h = incremental_h(used, changed, scatter, **SERVICE)
    shared_h = completion_equal_caps_h(changed, CAP_MIB_S, CAPACITY_MIB_S)
    constant_h = np.maximum(alone_h, shared_h).max(axis=-1)
    return (
        total_quantile_h(PROB, constant_h, WAIT_PROB, DECAY_PER_H),
        done_within_prob(DEADLINE_H, constant_h, WAIT_PROB, DECAY_PER_H),
    )


def _scalars(used, changed, scatter):
    """Do the same for one VM with nothing but `math`."""
    sizes = [
        data * (1 - (1 - size / data) * (1 - index / (2 - index) * size / data))
        for size, index, data in zip(changed, scatter, used, strict=True)
    ]
    constant_h = 0.0
    for data, size, index in zip(used, sizes, scatter, strict=True):
        constant_h = max(constant_h, _increment_h(data, size, index))
    done_h = previous = 0.0
    for rank, size in enumerate(sorted(sizes)):
        speed = min(CAP_MIB_S, CAPACITY_MIB_S / (len(sizes) - rank))
        done_h += (size - previous) / speed * 1024 / 3600
        previous = size
    constant_h = max(constant_h, done_h)
    excess = max(math.log(WAIT_PROB) - math.log1p(-PROB), 0)
    spare_h = DEADLINE_H - constant_h
    odds = 1 - WAIT_PROB * math.exp(-DECAY_PER_H * spare_h) if spare_h >= 0 else 0.0
    return constant_h + excess / DECAY_PER_H, odds


def _increment_h(used, changed, scatter):
    share = changed / used
    rate = SERVICE["incremental_mib_s"]
    if share < 1:
        cells = SERVICE["block_kib"] / SERVICE["cell_kib"]
        kept = math.log1p(-share) + (cells - 1) * math.log1p(-scatter * share)
        touched = -math.expm1(kept)
    else:
        touched = 1.0
    extents = changed * 2**20 / SERVICE["cell_kib"] * scatter * (1 - share)
    read_h = used * touched * 1024 / rate / 3600
    send_h = max(changed * 1024 / rate, extents / SERVICE["blob_iops"]) / 3600
    serial = 1 - SERVICE["overlap_frac"]
    return max(read_h, send_h) + serial * min(read_h, send_h)


def _product_grid():
    """Time six labelled axes against the same six expanded to full size."""
    axes = {
        "used_gib": np.linspace(64, 4096, 16),
        "changed_gib": np.linspace(1, 60, 25),
        "dispersion": np.linspace(0, 1, 10),
        "servers": np.arange(10.0, 20),
        "arrivals_per_h": np.linspace(1, 9.9, 10),
        "vm_creation_h": np.linspace(0, 1, 5),
    }
    labelled = {n: xr.DataArray(v, dims=n, coords={n: v}) for n, v in axes.items()}
    dense = dict(zip(axes, np.meshgrid(*axes.values(), indexing="ij"), strict=True))
    found, expected = _means_h(**labelled), _means_h(**dense)
    np.testing.assert_allclose(found.transpose(*axes), expected, rtol=1e-12)
    what = f"six axes, {expected.size:,} cells, un-expanded / expanded NumPy arrays"
    return [
        Comparison(
            f"{name} over {what}",
            *alternate(lambda f=f: f(**labelled), lambda f=f: f(**dense)),
            aim,
        )
        for name, f, aim in (
            ("mean total time", _means_h, ">= 40"),
            ("odds of the deadline (an exponential a cell)", _odds, ""),
        )
    ]


def _parts(used_gib, changed_gib, dispersion, servers, arrivals_per_h, vm_creation_h):
    constant_h = vm_creation_h + incremental_h(
        used_gib, changed_gib, dispersion, **SERVICE
    )
    return (
        constant_h,
        erlang_c_prob(servers, arrivals_per_h),
        wait_decay_per_h(servers, arrivals_per_h, 1),
    )


def _means_h(**grid):
    return total_mean_h(*_parts(**grid))


def _odds(**grid):
    return done_within_prob(DEADLINE_H, *_parts(**grid))
