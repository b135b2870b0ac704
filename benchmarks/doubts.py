"""Intervals from 512 draws, against one estimate of the same fleet."""

from functools import partial

import pandas as pd

import vmbmodel as vm
from benchmarks.large import made
from benchmarks.timing import Comparison, alternate

__all__ = ["compare"]

ROUNDS = 3
VMS, OF_A_VM = 1_000, 2.301  # disks of a VM, on average


def compare() -> list[Comparison]:
    """Time intervals of the sample fleet, and of a thousand VMs in ten vaults."""
    sample, many = vm.sample_fleet(), made(round(VMS * OF_A_VM))
    return [_drawn(sample, "<= 8"), _drawn(many, "<= 25")]


def _drawn(disks: pd.DataFrame, aim: str) -> Comparison:
    ours_s, theirs_s = alternate(
        partial(vm.doubt, disks), partial(vm.estimate, disks), rounds=ROUNDS
    )
    what = f"512 draws of {disks['vm'].nunique():,} VMs / an estimate of them"
    return Comparison(what, ours_s, theirs_s, aim)
