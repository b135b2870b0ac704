"""How often `calibrate` holds the truth, on job logs that are made with one.

``python validation/logs.py`` writes ``notebooks/data/calibrated.csv``. For logs of each
kind it has the share whose intervals of 90 % hold a constant that they were made with,
and of the jobs of nights that were held out, how many lie between the quantiles of 10
and 90 %, and below that of 95 %, that an estimate has from the fitted profile. Jobs of
a night share their luck. Everything is seeded; it takes a quarter of an hour.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import vmbmodel as vm

DATA = Path(__file__).parents[1] / "notebooks/data"
SEED, LOGS, NIGHTS, VMS = 20181211, 40, 28, 30
SNAPSHOT_H, SNAPSHOT_SCV = 0.29, 0.04
MIB_S, TRANSFER_SCV = 20.0, 0.0625
TOGETHER = 0.5
"""Correlation of the luck of two jobs of a night, as normal variables."""
WAIT_H = 1.5


def lognormal(log_sd):
    """Return the law of mean 1."""
    return stats.lognorm(log_sd, scale=np.exp(-(log_sd**2) / 2))


WAITS = {
    "exponential, 7 of 10": (0.7, stats.expon()),
    "exponential, all": (1.0, stats.expon()),
    "gamma, 7 of 10": (0.7, stats.gamma(2, scale=1 / 2)),
    "gamma, all": (1.0, stats.gamma(0.6, scale=1 / 0.6)),
    "lognormal, 7 of 10": (0.7, lognormal(0.8)),
    "lognormal, all": (1.0, lognormal(0.9)),
}
"""Share of the jobs that wait, and the law of their wait over its mean."""


def job_log(seed, waits="exponential, 7 of 10", *, apart=True, phases=False):
    """Return a log of backups.

    Snapshot and transfer vary apart, or else their sum does, of the same mean and
    variance. The log has its phases, or whole times only.
    """
    rng, shape = np.random.default_rng([SEED, seed]), (NIGHTS, VMS)
    sizes = np.exp(rng.normal(2.2, 0.8, VMS) + rng.normal(0, 0.3, shape))
    nightly, own = rng.standard_normal((NIGHTS, 1)), rng.standard_normal(shape)
    luck = stats.norm.cdf(np.sqrt(TOGETHER) * nightly + np.sqrt(1 - TOGETHER) * own)
    share, law = WAITS[waits]
    chance = (luck - 1 + share) / share
    wait_h = WAIT_H * np.where(chance > 0, law.ppf(np.maximum(chance, 0)), 0)

    def varied(mean, scv):
        spread = np.sqrt(np.log1p(scv))
        return mean * np.exp(spread * (rng.standard_normal(shape) - spread / 2))

    moved_h = sizes * 1024 / 3600 / MIB_S
    snapshot_h = varied(SNAPSHOT_H, SNAPSHOT_SCV)
    transfer_h = varied(moved_h, TRANSFER_SCV)
    if not apart:
        variance = SNAPSHOT_SCV * SNAPSHOT_H**2 + TRANSFER_SCV * moved_h**2
        both_h = SNAPSHOT_H + moved_h
        snapshot_h, transfer_h = 0.0, varied(both_h, variance / both_h**2)
    day = pd.to_timedelta(np.repeat(np.arange(NIGHTS), VMS), unit="D")
    log = pd.DataFrame(
        {
            "vm": np.tile([f"v{number:02}" for number in range(VMS)], NIGHTS),
            "operation": "Backup",
            "status": "Completed",
            "start_time": pd.Timestamp("2026-03-01T22:00:00Z") + day,
            "job_h": (snapshot_h + wait_h + transfer_h).ravel(),
            "moved_gib": sizes.ravel(),
        }
    )
    if phases:
        log["wait_h"], log["transfer_h"] = wait_h.ravel(), transfer_h.ravel()
    return log


KINDS = {
    **{f"{waits}": {"waits": waits} for waits in WAITS},
    "exponential, 7 of 10; work as one": {"apart": False},
    "exponential, 7 of 10; phases": {"phases": True},
}


def count(kind, logs=LOGS):
    """Return what holds of logs of a kind, a row a quantity."""
    share, _ = WAITS[KINDS[kind].get("waits", "exponential, 7 of 10")]
    truth = {
        "snapshot_h": SNAPSHOT_H,
        "incremental_mib_s": MIB_S,
        "others_wait_prob": share,
        "others_wait_mean_h": WAIT_H,
    }
    rows = []
    for seed in range(logs):
        answer = vm.calibrate(job_log(seed, **KINDS[kind]))
        for name, value in truth.items():
            fit = answer.fits.get(name)  # a constant that is left is no wrong interval
            held = np.nan if fit is None else fit.low <= value <= fit.high
            rows.append((f"{name} in its interval", held))
        rows.append(("held out, P10 to P90", answer.held_out.between_frac))
        rows.append(("held out, below P95", answer.held_out.below_p95_frac))
    table = pd.DataFrame(rows, columns=["quantity", "frac"])
    means = table.astype({"frac": float}).groupby("quantity", sort=False)["frac"]
    told = means.agg(logs="count", frac="mean").reset_index()
    return told.assign(kind=kind)[["kind", "quantity", "logs", "frac"]].round(4)


def main():
    """Write the table."""
    counted = pd.concat([count(kind) for kind in KINDS])
    counted.to_csv(DATA / "calibrated.csv", index=False)


if __name__ == "__main__":
    sys.exit(main())
