"""A plan of starts, against an estimate of the same fleet."""

import numpy as np
import pandas as pd

import vmbmodel as vm
from benchmarks.timing import Comparison, alternate

__all__ = ["compare"]

VAULTS, ROUNDS = 12, 1
FLEETS = ((200, "<= 250"), (2_000, "<= 250"))


def compare() -> list[Comparison]:
    """Time plans of fleets whose vaults have a line of their own."""
    return [_plan(*fleet) for fleet in FLEETS]


def _plan(vms: int, aim: str) -> Comparison:
    rng = np.random.default_rng(11)
    used = rng.lognormal(5, 1, vms)
    disks = pd.DataFrame({"vm": [f"vm-{i:04d}" for i in range(vms)], "disk": "os"})
    disks = disks.assign(
        role="os",
        size_gib=32_767,
        used_gib=used,
        churn_gib_per_day=used * rng.uniform(0.01, 0.1, vms),
        vault=rng.integers(VAULTS, size=vms).astype(str),
        start_h=rng.choice([20.0, 22.0, 23.0, 1.0], vms),
    )
    served = max(vms // VAULTS // 4, 1)  # a quarter of the VMs of a vault at a time
    scenario = vm.Scenario.of(settings={"vault_servers": served})
    blackout = [(8, 18)]

    def plan() -> None:
        assert not vm.schedule(disks, scenario, blackout=blackout).broken_after

    ours_s, theirs_s = alternate(
        plan, lambda: vm.estimate(disks, scenario), rounds=ROUNDS
    )
    what = f"a plan for {vms:,} VMs in {VAULTS} vaults / an estimate of them"
    return Comparison(what, ours_s, theirs_s, aim)
