"""A profile fitted to a job log: truth found again, and nothing read into noise."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.formulas.capacity import utilisation_for_wait_frac
from vmbmodel.formulas.queueing import erlang_c_prob
from vmbmodel.inventory import jobs
from vmbmodel.plan.calibrate.answer import calibrate
from vmbmodel.plan.calibrate.fits import quantile, servers_for, service_for, slope
from vmbmodel.service import PROFILES

BASE = PROFILES.load("azure-2026-01")
TRUTH = {
    "incremental_mib_s": 25.0,
    "initial_mib_s": 15.0,
    "restore_mib_s": 90.0,
    "wait_frac": 0.6,
    "wait_mean_h": 0.9,
    "peak_wait_h": 1.5 * np.log(0.6 / 0.05),
}
RESTORES = """30: 13 32 78; 32: 15; 48: 39; 64: 15 20 42; 94: 32;
127: 18 19 20 21 23 24 25 28 30 31 34 43 47 90; 128: 18 23 40 41 46 75;
130: 25 35 36 41 42 90; 145: 46; 158: 32 70 92; 177: 25 30; 191: 52; 192: 47"""
"""GB and minutes of 43 restores: a chart of 2022, digitised."""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def simulated(seed, phases=True, count=200):
    """Return a log of jobs whose constants are those of `TRUTH`."""
    random = np.random.default_rng(seed)

    def made(operation, day, sizes, rate, other_h, names):
        transfer = (
            sizes * 1024 / rate / 3600 * np.exp(random.normal(0, 0.1, len(sizes)))
        )
        waits = np.zeros(len(sizes))
        if operation == "Backup":
            waiting = random.random(len(sizes)) < TRUTH["wait_frac"]
            waits = np.where(waiting, random.exponential(1.5, len(sizes)), 0)
        return pd.DataFrame(
            {
                "vm": names,
                "operation": operation,
                "status": "Completed",
                "start_time": pd.Timestamp(f"2026-03-{day:02}T22:00:00Z"),
                "job_h": other_h + waits + transfer,
                "snapshot_h": other_h,
                "wait_h": waits,
                "transfer_h": transfer,
                "moved_gib": sizes,
            }
        )

    new = [f"new{i}" for i in range(30)]
    setups = pd.DataFrame(
        {
            "vm": new,
            "operation": "ConfigureBackup",
            "status": "Completed",
            "start_time": pd.Timestamp("2026-03-01T10:00:00Z"),
            "job_h": random.uniform(0.008, 0.03, 30),
        }
    )
    log = pd.concat(
        [
            setups,
            made("Backup", 1, random.uniform(20, 300, 30), 15, 0.3, new),
            made("Backup", 9, random.uniform(1, 60, count), 25, 0.3, ["old"] * count),
            made("Restore", 20, random.uniform(30, 500, 30), 90, 0.3, ["old"] * 30),
        ],
        ignore_index=True,
    )
    if not phases:
        log[["snapshot_h", "wait_h", "transfer_h"]] = np.nan
    return log


# --- the statistics -----------------------------------------------------------


def test_the_interval_of_a_median_is_that_of_the_sign_test():
    # by the binomial distribution: of 16 values, the 4th and 13th hold the median with
    # 97.9 %, the next narrower pair, 5th and 12th, with 92.3 % only
    fit = quantile("snapshot_h", np.arange(1.0, 17.0), 0.5)
    assert (fit.low, fit.high) == (4, 13)


def test_a_short_log_bounds_no_high_quantile():
    fit = quantile("peak_wait_h", np.arange(20.0), 0.95)
    assert fit.high == np.inf


def test_the_slope_does_not_mind_what_is_added():
    # Sen (1968), sec. 6: a slope of 4, between 3.71 and 4.38 at 93 %
    sizes = np.array([1, 2, 3, 4, 10, 12, 18.0])
    times = np.array([9, 15, 19, 20, 45, 55, 78.0])
    assert slope(sizes, times)[0] == pytest.approx(4.0)
    late = times + np.array([0, 0, 500, 0, 0, 0, 0])
    assert slope(sizes, late)[0] == pytest.approx(4.0, abs=0.5)


@settings(max_examples=30)
@given(
    waiting=st.floats(0.06, 0.98), wait_h=st.floats(0.1, 20), servers=st.floats(1, 1000)
)
def test_service_times_make_as_many_wait(waiting, wait_h, servers):
    service_h = service_for(waiting, wait_h, 0.95, servers)
    busy = utilisation_for_wait_frac(wait_h, 0.95, servers, service_h)
    assert erlang_c_prob(servers, busy * servers) == pytest.approx(waiting, rel=1e-6)
    again = servers_for(waiting, wait_h, 0.95, service_h)
    assert again == pytest.approx(servers, rel=1e-4)


# --- truth found again --------------------------------------------------------


@pytest.mark.parametrize("phases", [True, False])
def test_known_constants_lie_in_their_intervals(phases):
    found = dict.fromkeys(TRUTH, 0)
    rounds = 12
    for seed in range(rounds):
        answer = calibrate(simulated(seed, phases), BASE)
        fits = {**answer.described, **answer.fits}
        for name, value in TRUTH.items():
            found[name] += fits[name].low <= value <= fits[name].high
    # at 95 %, fewer than 8 of 12 happen once in 5,000 times
    assert stats.binom.cdf(7, rounds, 0.95) < 1 / 5000
    assert min(found.values()) >= 8, found


@pytest.mark.parametrize("phases", [True, False])
def test_the_fitted_profile_gives_the_times_of_the_log(phases):
    answer = calibrate(simulated(1, phases), BASE)
    for share in (0.5, 0.95):
        log_h = answer.backups["job_h"].quantile(share)
        assert answer.quantile_h(share) == pytest.approx(log_h, rel=0.2)


def test_restores_of_a_chart():
    rows = [
        (float(size), float(minutes) / 60)
        for line in RESTORES.split(";")
        for size, rest in [line.split(":")]
        for minutes in rest.split()
    ]
    assert len(rows) == 43
    log = pd.DataFrame(rows, columns=["moved_gib", "job_h"]).assign(
        vm="a",
        operation="Restore",
        status="Completed",
        start_time=pd.Timestamp("2022-06-01T00:00:00Z"),
    )
    answer = calibrate(log, BASE)
    fit = answer.fits["restore_mib_s"]
    # least squares gives 0.10 min/GB, which is 170 MiB/s
    assert fit.low < 170 < fit.high
    median_h = 128 / fit.value / 3600 * 1024 + answer.fits["vm_creation_h"].value
    assert median_h * 60 == pytest.approx(32, abs=4)
    assert answer.fits["blob_mib_s"].value == fit.value
    assert answer.fits["incremental_mib_s"].value == BASE["blob_mib_s"]
    # the law of the shipped profile: 33.7 min, .50, up to 192 GB
    assert answer.fits["restore_p50_h"].value * 60 == pytest.approx(33.7, abs=0.05)
    assert answer.fits["restore_log_sd"].value == pytest.approx(0.5, abs=0.005)
    assert answer.fits["restore_sample"].value == 43
    assert answer.fits["restore_known_gib"].value == 192


def test_the_law_of_restores_lies_in_its_intervals():
    # 200 logs of 20 restores, lognormal, seed 5: 95 of 100 intervals hold the truth
    random = np.random.default_rng(5)
    held = dict.fromkeys(("restore_p50_h", "restore_log_sd"), 0)
    for _ in range(200):
        log = pd.DataFrame(
            {
                "vm": "a",
                "operation": "Restore",
                "status": "Completed",
                "start_time": pd.Timestamp("2026-06-01T00:00:00Z"),
                "job_h": np.exp(random.normal(-0.5, 0.6, 20)),
                "moved_gib": 30.0 + np.arange(20),
            }
        )
        fits = calibrate(log, BASE).fits
        for name, true in (("restore_p50_h", np.exp(-0.5)), ("restore_log_sd", 0.6)):
            held[name] += fits[name].low < true < fits[name].high
    assert min(held.values()) > 180
    assert max(held.values()) < 199


def test_noise_is_no_rate():
    random = np.random.default_rng(3)
    log = pd.DataFrame(
        {
            "vm": "a",
            "operation": "Backup",
            "status": "Completed",
            "start_time": pd.Timestamp("2022-06-01T00:00:00Z"),
            "job_h": random.choice([0.7, 1.2, 1.7, 2.2, 5.2], 67),
            "moved_gib": random.integers(1, 38, 67),
        }
    )
    answer = calibrate(log, BASE)
    assert "does not surely grow" in answer.left["incremental_mib_s"]
    assert answer["incremental_mib_s"] == BASE["incremental_mib_s"]
    assert answer.quantile_h(0.95) == pytest.approx(5.2, rel=0.15)


def test_jobs_that_did_not_complete_do_not_count():
    log = simulated(2)
    failed = log.assign(status="Failed", job_h=log["job_h"] * 10)
    running = log.assign(status="InProgress")
    answer = calibrate(pd.concat([log, failed, running], ignore_index=True), BASE)
    alone = calibrate(log, BASE)
    assert answer.fits["peak_wait_h"] == alone.fits["peak_wait_h"]


def test_too_few_jobs_are_refused():
    with pytest.raises(ValueError, match="nothing can be fitted to 5 backups"):
        calibrate(
            simulated(1).query("vm == 'old' and operation == 'Backup'").head(5), BASE
        )


def test_the_largest_disk_decides():
    log = simulated(4)
    disks = [
        {"vm": "rg/old", "disk": "os", "role": "os", "size_gib": 200, "used_gib": 40.0},
        {
            "vm": "rg/old",
            "disk": "d",
            "role": "data",
            "size_gib": 200,
            "used_gib": 40.0,
        },
        {
            "vm": "rg/old",
            "disk": "x",
            "role": "data",
            "size_gib": 900,
            "used_gib": 800.0,
        },
    ]
    fleet = pd.DataFrame(disks).assign(
        churn_gib_per_day=1.0, excluded=[False, False, True]
    )
    answer = calibrate(log, BASE, fleet)
    alone = calibrate(log, BASE)
    name = "incremental_mib_s"
    assert answer.fits[name].value == pytest.approx(alone.fits[name].value / 2)
    assert answer.fits["initial_mib_s"] == alone.fits["initial_mib_s"]


def test_sizes_that_the_log_lacks_come_from_the_inventory():
    log = simulated(4)
    log["moved_gib"] = log["moved_gib"].where(log["vm"] != "old")
    fleet = pd.DataFrame(
        [{"vm": "old", "disk": "os", "role": "os", "size_gib": 200, "used_gib": 40.0}]
    ).assign(churn_gib_per_day=30.0, excluded=False)
    assert "incremental_mib_s" in calibrate(log, BASE).left
    assert calibrate(log, BASE, fleet).fits["incremental_mib_s"].count == 200
    assert (calibrate(log, BASE, fleet).backups["moved_gib"] == 30).sum() == 200


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 60), kinds=st.integers(1, 4))
def test_any_log_is_fitted_or_refused(seed, count, kinds):
    random = np.random.default_rng(seed)
    hours = random.choice([np.nan, 0.0, 1e-300, 1e-9, 1.0, 7.5, 87_000.0], kinds)
    names = ("job_h", "snapshot_h", "wait_h", "transfer_h", "moved_gib")
    columns = {
        n: random.choice(hours, count) * random.choice([1, random.random(count)[0]])
        for n in names
    }
    log = pd.DataFrame(columns).assign(
        vm="a",
        operation=random.choice(["Backup", "Restore", "ConfigureBackup"], count),
        status="Completed",
        start_time=pd.Timestamp("2026-03-01T10:00:00Z"),
    )
    try:
        answer = calibrate(log, BASE)
    except ValueError as error:
        assert "nothing can be fitted" in str(error)  # noqa: PT017
        return
    json.dumps(answer.to_dict(), allow_nan=False)
    text = answer.to_toml("log", date(2026, 5, 1))
    PROFILES.parse(text.encode(), Path("my.toml"))


# --- the profile ----------------------------------------------------------------


def test_the_profile_is_read_as_one():
    answer = calibrate(simulated(5), BASE)
    Path("my.toml").write_text(answer.to_toml("jobs.csv", date(2026, 5, 1)))
    mine = PROFILES.find("my.toml")
    assert (mine.name, mine.as_of) == ("my", date(2026, 5, 1))
    for name, fit in answer.fits.items():
        assert mine[name] == pytest.approx(fit.value, rel=1e-5), name
    origin = mine.origins["incremental_mib_s"]
    assert (origin.source, origin.status) == ("jobs.csv", "measured")
    assert mine.origins["deadline_h"] == BASE.origins["deadline_h"]


def test_the_example_of_the_book_is_found_again():
    examples = Path(__file__).parents[1] / "book" / "examples"
    log = jobs.read([examples / "joblog.csv"])
    truth = pd.read_csv(examples / "joblog-made-with.csv").set_index("name")["value"]
    answer = calibrate(log.jobs, BASE)
    fits = {**answer.described, **answer.fits}
    for name, value in truth.items():
        assert fits[name].low <= value <= fits[name].high, name


def test_the_command(tmp_path):
    simulated(6).to_csv("jobs.csv", index=False)
    done = CliRunner().invoke(app, ["calibrate", "jobs.csv", "-o", "my.toml"])
    assert done.exit_code == 0, done.output
    assert "95% of them were done within" in done.stdout
    sample = Path(__file__).parents[1] / "notebooks" / "data" / "fleet.csv"
    used = CliRunner().invoke(app, ["estimate", str(sample), "--profile", "my.toml"])
    assert used.exit_code == 0, used.output
    assert "profile my" in used.stdout
    again = CliRunner().invoke(app, ["calibrate", "jobs.csv", "-o", "my.toml"])
    assert again.exit_code == 2


@pytest.mark.parametrize("name", ["jobs-😀.json", "Läufe.csv", 'a "b" \\ \x7f.csv'])
def test_a_log_may_have_any_name(name):
    simulated(6).to_csv(name, index=False)
    done = CliRunner().invoke(app, ["calibrate", name, "-o", "my.toml"])
    assert done.exit_code == 0, done.output
    mine = PROFILES.find("my.toml")
    assert mine.origins["incremental_mib_s"].source == name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["few.csv"], "nothing can be fitted to 1 backups, 0 restores and 0 set-ups"),
        (["few.csv", "-o", "my.txt"], "my.txt must end in .toml"),
        (["none.csv"], "none.csv: does not exist"),
        (["few.csv", "--profile", "azure-2017"], "there is no profile"),
    ],
)
def test_bad_input_is_told(arguments, message):
    Path("few.csv").write_text(
        "vm,operation,status,start_time,job_h\na,Backup,Completed,2026-03-01,1\n"
    )
    done = CliRunner().invoke(app, ["calibrate", *arguments])
    assert done.exit_code == 2
    assert message in done.stderr
