"""What never makes a backup faster, smaller or cheaper, through whole estimates.

Of disks that share nothing: beside one that is slowed down, another has more room.
"""

import numpy as np
import pandas as pd
import pytest

from vmbmodel.plan.estimate import estimate
from vmbmodel.plan.scenario import Scenario

DISKS = 4_000
ROUNDING = 1e-5  # quantiles are looked up
COLUMNS = ["transfer_h", "stored_gib", "storage_usd", "total_usd"]
TIMES = ["job_p95_h", "done_mean_h", "done_p95_h"]


def random_disks(rng):
    size_gib = np.exp(rng.uniform(np.log(4), np.log(32_000), DISKS))
    used_gib = size_gib * rng.uniform(0.01, 1, DISKS)
    churn_frac = np.minimum(np.exp(rng.uniform(np.log(1e-4), 0.2, DISKS)), 1)
    ends = rng.integers(0, 2, DISKS).astype(float)
    return pd.DataFrame(
        {
            "disk": "os",
            "role": "os",
            "size_gib": size_gib,
            "used_gib": used_gib,
            "churn_gib_per_day": churn_frac * used_gib,
            "write_kib": rng.choice([0.5, 1, 2, 4, 8, 16, 64], DISKS),
            "dispersion": np.where(rng.random(DISKS) < 0.2, ends, rng.random(DISKS)),
            "active_frac": np.minimum(rng.uniform(0.02, 1.5, DISKS), 1),
            "managed": rng.random(DISKS) < 0.6,
            "disk_type": rng.choice(["premium-ssd", "standard-hdd"], DISKS),
            "storage_account": [f"account{i}" for i in range(DISKS)],
        }
    )


def worse(disks, rng):
    """Give the disks, and four worse versions of them."""
    share, used = rng.random(DISKS), disks["used_gib"]
    churn = disks["churn_gib_per_day"] * (1 + 2 * share)
    return {
        "now": disks,
        "smaller writes": disks.assign(write_kib=disks["write_kib"] * (1 - share)),
        "more dispersion": disks.assign(
            dispersion=disks["dispersion"] + share * (1 - disks["dispersion"])
        ),
        "more churn": disks.assign(churn_gib_per_day=np.minimum(churn, used)),
        "more used": disks.assign(used_gib=used + share * (disks["size_gib"] - used)),
    }


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"overlap_frac": 0.0, "weekly_points": 12, "monthly_points": 60},
        {"tier_reading": "disk", "stored_reading": "lower", "rewritten_frac": 0.5},
        {"archive": True, "monthly_points": 24, "snapshot_policy": "enhanced"},
    ],
    ids=str,
)
def test_what_never_makes_anything_faster_or_cheaper(settings):
    compare(DISKS, settings, COLUMNS)


def test_of_vms_alone_in_their_vaults_no_time_falls():
    compare(300, {}, TIMES)


def compare(count, settings, columns):
    rng = np.random.default_rng(20)
    cases = {name: case[:count] for name, case in worse(random_disks(rng), rng).items()}
    vms = pd.concat(
        case.assign(
            vm=[f"{i:05}{name}" for i in range(count)],
            storage_account=case["storage_account"] + name,
            vault=[f"{name}{i // 100 if count > 1000 else i}" for i in range(count)],
        )
        for name, case in cases.items()
    )
    vms = estimate(vms, Scenario.of(settings=settings)).vms.set_index("vm")[columns]
    found = {name: vms.filter(like=name, axis=0).to_numpy() for name in cases}
    now = found.pop("now")
    for name, then in found.items():
        assert (then >= now * (1 - ROUNDING)).all(), name
        assert (then > now * 1.01).any(axis=0).all(), name


CAPACITIES = {
    "blob_iops": 300.0,
    "blob_mib_s": 30.0,
    "incremental_mib_s": 30.0,
    "vm_mib_s": 20.0,
    "account_iops": 200.0,
    "account_mib_s": 20.0,
}


@pytest.mark.parametrize(("name", "value"), CAPACITIES.items())
def test_less_capacity_never_makes_a_backup_faster(name, value):
    disks = random_disks(np.random.default_rng(21))
    disks["vm"] = [f"vm{i}" for i in range(DISKS)]
    disks["vault"] = [f"vault{i // 100}" for i in range(DISKS)]
    now_h, then_h = (
        estimate(disks, Scenario.of(settings=less)).vms["transfer_h"].to_numpy()
        for less in ({}, {name: value})
    )
    assert (then_h >= now_h * (1 - ROUNDING)).all()
    assert (then_h > now_h * 1.01).any()


def test_smaller_random_writes_of_half_a_tebibyte():
    # worked apart: 1 - (1 - 100/512)^(8/w) of 2^26 cells; C (1 - C/M) runs at 500 a
    # second, as many as at most where more than half of the cells changed
    disk = {"vm": "a", "disk": "os", "role": "os", "size_gib": 512, "used_gib": 512}
    disk |= {"churn_gib_per_day": 100, "dispersion": 1, "active_frac": 1}
    written = [8, 4, 2, 1, 0.5]
    disks = pd.DataFrame([disk | {"vm": f"{w}", "write_kib": w} for w in written])
    vms = estimate(disks).vms.set_index("vm").loc[[f"{w}" for w in written]]
    share = 1 - (1 - 100 / 512) ** (8 / np.array(written))
    # thirty days, each but the first with those changes
    np.testing.assert_allclose(vms["stored_gib"], 512 * (1 + 29 * share), rtol=1e-9)
    apart = np.minimum(share, 0.5)
    hours = 2**26 * apart * (1 - apart) / 500 / 3600
    np.testing.assert_allclose(vms["transfer_h"], hours, rtol=1e-9)
    np.testing.assert_allclose(hours[:2], [5.86, 8.51], atol=0.006)
