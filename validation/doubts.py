"""What intervals and shares of the doubt are worth, counted on the sample fleet.

Run by hand, with SALib installed besides: ``python -m validation.doubts``. It writes
``notebooks/data/doubts.csv``, which a chapter of the book shows.

Coverage under one's own laws tests the machinery only; published backups and restores,
of which no constant was known, test the laws: how many lie within what chance and
ignorance together say.
"""

import datetime
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from SALib.analyze import sobol
from SALib.sample import sobol as sample

import vmbmodel as vm
from vmbmodel import formulas
from vmbmodel.inventory.fleet import disks_of
from vmbmodel.plan.estimate.doubts import doubt_of_disks
from vmbmodel.plan.estimate.draws import Draws
from vmbmodel.plan.estimate.walk import walk
from vmbmodel.plan.facts import backed_up, filled
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import readings

TRUTHS = 2048
ANSWERS = ("done_p50_h", "done_p95_h", "restore_vault_p95_h", "stored_gib", "total_usd")
TIMES = ("done_p50_h", "done_p95_h", "deadline_prob", "restore_vault_p95_h")
BASE = 256  # samples of Saltelli's design, each of two more than there are inputs


def walked(fleet, draws):
    """Return the VMs of every draw, and their names."""
    disks, _ = filled(fleet, draws.base)
    disks = disks.sort_values(["vm", "disk"], key=lambda names: names.astype(str))
    kept = backed_up(disks)
    with np.errstate(all="ignore"):
        columns = draws.columns(fleet, kept)
        went = walk(disks, kept, columns, draws.scenario, TIMES)
    return went.vms, went.names


def coverage(fleet, scenario):
    """Count the truths that lie within the intervals of other draws."""
    answer = doubt_of_disks(fleet, scenario)
    vms, names = walked(fleet, Draws.of(scenario, TRUTHS, seed=77))
    ends = answer.vms.set_index("vm").loc[names]
    for name in ANSWERS:
        truth = np.broadcast_to(vms[name], (TRUTHS, len(names)))
        low, high = (ends[f"{name}_{end}"].to_numpy() for end in ("low", "high"))
        held = ((truth >= low) & (truth <= high)).mean(axis=0)
        yield "coverage", name, held.mean(), 0.8
        yield "coverage of the worst VM", name, held.min(), 0.8


def after_a_log(fleet, truths=32, jobs=120, vms=6):
    """Count the truths that lie within the intervals of a profile fitted to their log.

    Each truth is drawn; a log of so many jobs is made with it, and what the log tells
    is fitted. The rest is as unsure as before.
    """
    settled = {
        f"reading.{reading.id}": np.ones(truths)
        for reading in readings()
        if reading.settled_by == "incremental_mib_s"
    }
    truth = Draws.of(Scenario.of(), truths, seed=78, chances=settled)
    then, names = walked(fleet, truth)
    held = {name: [] for name in ANSWERS[:2]}
    for at in range(truths):
        rng = np.random.default_rng([79, at])
        mib_s, fixed_h, share, mean_h = (
            float(np.broadcast_to(truth.scenario[name], (truths, 1))[at, 0])
            for name in (
                "incremental_mib_s", "snapshot_h", "others_wait_prob",
                "others_wait_mean_h",
            )
        )  # fmt: skip
        shape = jobs // vms, vms
        sizes = np.exp(rng.normal(2.2, 0.8, vms) + rng.normal(0, 0.3, shape))
        moved_h = sizes * 1024 / min(mib_s, truth.base["blob_mib_s"]) / 3600
        wait_h = rng.exponential(mean_h, shape) * (rng.random(shape) < share)
        day = pd.to_timedelta(np.repeat(np.arange(shape[0]), vms), unit="D")
        log = pd.DataFrame(
            {
                "vm": np.tile([f"v{number}" for number in range(vms)], shape[0]),
                "operation": "Backup",
                "status": "Completed",
                "start_time": pd.Timestamp("2026-03-01T22:00:00Z") + day,
                "job_h": (fixed_h + wait_h + moved_h).ravel(),
                "moved_gib": sizes.ravel(),
            }
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "fitted.toml")
            fitted = vm.calibrate(log).to_toml("log.csv", datetime.date(2026, 3, 31))
            path.write_text(fitted, encoding="utf-8")
            answer = doubt_of_disks(fleet, Scenario.of(profile=str(path)), 256)
        ends = answer.vms.set_index("vm").loc[names]
        for name, inside in held.items():
            low, high = (ends[f"{name}_{end}"].to_numpy() for end in ("low", "high"))
            inside.append((then[name][at] >= low) & (then[name][at] <= high))
    for name, inside in held.items():
        yield f"coverage after a log of {jobs} jobs", name, np.mean(inside), 0.8


def indices(fleet, scenario):
    """Hold our shares against Saltelli's first order, by SALib from other draws."""
    names = list(Draws.of(scenario, 32).chances)
    problem = {"num_vars": len(names), "names": names, "bounds": [[0, 1]] * len(names)}
    rows = sample.sample(problem, BASE, calc_second_order=False, seed=5)
    rows = np.clip(rows, 1e-9, 1 - 1e-9)
    chances = {name: rows[:, at] for at, name in enumerate(names)}
    vms, _ = walked(fleet, Draws.of(scenario, len(rows), chances=chances))
    ours = doubt_of_disks(fleet, scenario)
    for name in ("done_p95_h", "restore_vault_p95_h", "stored_gib", "total_usd"):
        over = vms[name].max(axis=1) if name.endswith("_h") else vms[name].sum(axis=1)
        theirs = sobol.analyze(problem, np.log(over), calc_second_order=False, seed=5)
        total = dict(zip(names, theirs["ST"], strict=True))
        first = ours.leading(name)[0]
        yield "first by total order, SALib", name, max(total, key=total.get), first.name
        at = names.index(first.name)
        yield "share of the first, SALib", name, theirs["S1"][at], first.share
        yield "its error, SALib", name, theirs["S1_conf"][at], first.error


def steady(fleet, scenario, seeds=20):
    """Count how often the same thing stands first, by other draws."""
    for name in ("done_p95_h", "restore_vault_p95_h", "stored_gib", "total_usd"):
        firsts = [
            doubt_of_disks(fleet, scenario, seed=seed).leading(name)[0].name
            for seed in range(2, 2 + seeds)
        ]
        most = pd.Series(firsts).value_counts()
        yield "same thing first", name, most.iloc[0] / seeds, most.index[0]


def published(scenario, draws=512):
    """Count published jobs within what chance and ignorance together say of them."""
    drawn = Draws.of(scenario, draws).scenario

    def of(name):
        value = drawn[name]
        return value if np.ndim(value) else np.full((draws, 1), float(value))

    jobs = pd.read_csv("notebooks/data/backups.csv")
    rate = np.minimum(of("incremental_mib_s"), of("blob_mib_s"))
    moved_h = jobs["moved_gb"].to_numpy() * 1024 / rate / 3600
    chance = formulas.done_within_prob(
        jobs["total_min"].to_numpy() / 60,
        of("snapshot_h"),
        of("others_wait_prob"),
        1 / of("others_wait_mean_h"),
        moved_h,
    ).mean(axis=0)
    yield "published backups", "job_h", within(chance), 0.8
    back = pd.read_csv("notebooks/data/restores.csv")
    back = back[back["source"] == "jpcss2022"]
    beyond = np.maximum(back["restored_gib"].to_numpy() - of("restore_known_gib"), 0)
    chance = formulas.restore_within_prob(
        back["minutes"].to_numpy() / 60,
        of("restore_p50_h"),
        of("restore_log_sd"),
        of("restore_sample"),
        beyond_h=beyond * 1024 / of("restore_mib_s") / 3600,
    ).mean(axis=0)
    yield "published restores", "restore_vault_p50_h", within(chance), 0.8


def within(chance):
    """Return the share of jobs that end within the middle 80 % of what was said."""
    return ((chance >= 0.1) & (chance <= 0.9)).mean()


def main():
    """Count all of it, and write it down."""
    fleet, scenario = disks_of(vm.sample_fleet()), Scenario.of()
    rows = [
        *coverage(fleet, scenario),
        *after_a_log(fleet),
        *published(scenario),
        *steady(fleet, scenario),
        *indices(fleet, scenario),
    ]
    table = pd.DataFrame(rows, columns=["what", "answer", "value", "against"])
    table = table.map(lambda v: f"{v:.3f}" if isinstance(v, float) else v)
    table.to_csv("notebooks/data/doubts.csv", index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
