"""Restore: what the service's own pages say, and properties."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from vmbmodel.fields import convert
from vmbmodel.formulas.jam import jam_makespan_h
from vmbmodel.formulas.restore import (
    batch_restore_h,
    mean_point_age_h,
    restore_copy_h,
    restore_h,
    restore_quantile_h,
    restore_within_prob,
    worst_point_age_h,
)
from vmbmodel.formulas.sharing import completion_h
from vmbmodel.formulas.transfer import initial_h

sizes = st.floats(0, 1e6)
rates = st.floats(1e-3, 1e4)
hours = st.floats(0, 1e4)


def test_documented_duration_of_a_large_restore():
    # Microsoft, "Azure VM backup FAQ" (2025): a restore from the vault runs at
    # 30 MBps at best, so that 2 TB may take up to 20 hours.
    restored_gib = convert(2, "TB", to="GiB")
    copied_h = restore_copy_h(restored_gib, convert(30, "MBps", to="MiB/s"), np.inf)
    assert round(copied_h) == 20


def test_documented_age_in_the_paired_region():
    # Microsoft, support matrix of Azure VM backup (2026): a point reaches the
    # secondary region within 12 h, so that at a backup a day its RPO is 36 h.
    assert worst_point_age_h(24, 12) == 36


@given(sizes, rates)
def test_without_a_cap_it_is_the_time_of_a_first_copy(size_gib, rate):
    assert restore_copy_h(size_gib, rate, np.inf) == initial_h(size_gib, rate)


@given(sizes, sizes, rates, rates, rates)
def test_more_data_or_a_lower_rate_never_make_it_faster(size, more, rate, other, cap):
    base_h = restore_copy_h(size, rate, cap)
    assert restore_copy_h(size + more, rate, cap) >= base_h
    slower_h = restore_copy_h(size, min(rate, other), cap)
    assert slower_h >= base_h
    assert restore_copy_h(size, rate, min(cap, other)) >= base_h


@given(sizes, rates, rates)
def test_the_lower_of_two_limits_counts(size, rate, cap):
    assert restore_copy_h(size, rate, cap) == restore_copy_h(size, cap, rate)


@given(hours, hours, hours)
def test_the_parts_add_up_in_any_order(wait_h, copied_h, created_h):
    total_h = restore_h(wait_h, copied_h, created_h)
    assert_allclose(total_h, restore_h(created_h, wait_h, copied_h), rtol=1e-14)
    assert total_h >= max(wait_h, copied_h, created_h)


@given(st.floats(0.1, 1000), st.integers(1, 200))
def test_oldest_age_by_walking_along_the_clock(interval_h, tenths):
    backup_h = tenths / 10 * interval_h
    now_h = np.linspace(20 * interval_h + backup_h, 22 * interval_h + backup_h, 4001)
    # the newest snapshot whose transfer is done
    newest = np.floor((now_h - backup_h) / interval_h * (1 + 1e-12))
    age_h = now_h - newest * interval_h
    worst_h = worst_point_age_h(interval_h, backup_h)
    assert age_h.max() <= worst_h * (1 + 1e-9)
    assert_allclose(age_h.max(), worst_h, atol=interval_h * 1.1e-3)


@pytest.mark.parametrize("value", [0, 1e-300, 1e300])
def test_far_out(value):
    assert restore_h(value, value, value) == 3 * value
    assert worst_point_age_h(1, value) == 1 + value
    assert restore_copy_h(value, 1, 1e300) == value * 1024 / 3600


def test_what_never_ends():
    assert restore_h(1, np.inf, 1) == np.inf
    assert worst_point_age_h(24, np.inf) == np.inf


# --- many at once ----------------------------------------------------------------

batches = st.fixed_dictionaries(
    {
        "restore_vms": st.integers(1, 200),
        "restore_disks": st.integers(1, 16),
        "restored_gib": st.one_of(st.just(0.0), st.floats(1e-6, 1e6)),
        "cap_mib_s": rates,
        "restore_accounts": st.integers(1, 50),
        "capacity_mib_s": rates,
        "vault_servers": st.integers(1, 50),
    }
)


def last_copied_h(
    restore_vms,
    restore_disks,
    restored_gib,
    cap_mib_s,
    restore_accounts,
    capacity_mib_s,
    vault_servers,
):
    """Round after round, each account's disks shared out by progressive filling."""
    now_h, left = 0.0, restore_vms
    while left:
        vms = min(left, vault_servers)
        fullest = -(-vms // restore_accounts) * restore_disks
        sizes_gib = np.full(fullest, restored_gib)
        now_h += completion_h(sizes_gib, cap_mib_s, capacity_mib_s).max()
        left -= vms
    return now_h


def test_documented_advice_of_an_account_for_each_vm():
    # Microsoft (2019): ten VMs need ten accounts; 10 Gbps take 20.8 disks of 60 MB/s
    cap, capacity = convert(60, "MB/s", to="MiB/s"), convert(10, "Gbps", to="MiB/s")
    alone_h, one_h, ten_h = (
        batch_restore_h(vms, 4, 1024, cap, accounts, capacity, vault_servers=10)
        for vms, accounts in ((1, 1), (10, 1), (10, 10))
    )
    assert ten_h == alone_h
    assert_allclose(one_h, alone_h * 40 * 60 / 1250, rtol=1e-14)


@given(batches)
def test_rounds_one_after_the_other(batch):
    assert_allclose(batch_restore_h(**batch), last_copied_h(**batch), rtol=1e-11)


@given(batches)
def test_with_room_for_all_it_is_a_jam(batch):
    batch |= {"capacity_mib_s": np.inf}
    alone_h = restore_copy_h(batch["restored_gib"], batch["cap_mib_s"], np.inf)
    if alone_h:
        servers = batch["vault_servers"]
        jam_h = jam_makespan_h(batch["restore_vms"], servers, alone_h)
        # a size of the least number there is has no digits to compare
        assert_allclose(batch_restore_h(**batch), jam_h, rtol=1e-12, atol=1e-300)


@given(batch=batches, more=st.integers(1, 20), less=st.floats(0.1, 1))
def test_what_never_brings_all_back_sooner(batch, more, less):
    now_h = batch_restore_h(**batch) * (1 - 1e-12)
    assert (
        batch_restore_h(**batch | {"restore_vms": batch["restore_vms"] + more}) >= now_h
    )
    disks = batch["restore_disks"] + more
    assert batch_restore_h(**batch | {"restore_disks": disks}) >= now_h
    fewer = max(batch["restore_accounts"] - more, 1)
    assert batch_restore_h(**batch | {"restore_accounts": fewer}) >= now_h
    for limit in ("cap_mib_s", "capacity_mib_s"):
        assert batch_restore_h(**batch | {limit: less * batch[limit]}) >= now_h


def test_nothing_to_copy_and_no_limit():
    assert batch_restore_h(10, 2, 0, 1, 1, 1, 5) == 0
    assert_allclose(batch_restore_h(5, 1, 5e-324, 5e-324, 1, np.inf, 5), 1024 / 3600)
    assert batch_restore_h(10, 2, 100, np.inf, 1, np.inf, 5) == 0
    assert batch_restore_h(1e15, 2, 1e300, 1e-300, 1, 1, 5) == np.inf


# --- age on average ----------------------------------------------------------------


@given(st.floats(0.1, 1000), st.floats(0, 5))
def test_mean_age_by_walking_along_the_clock(interval_h, intervals):
    backup_h = intervals * interval_h
    now_h = backup_h + interval_h * (20 + (np.arange(2000) + 0.5) / 1000)
    age_h = (now_h - backup_h) % interval_h + backup_h
    assert_allclose(age_h.mean(), mean_point_age_h(interval_h, backup_h), rtol=1e-6)


@given(st.floats(0.1, 1000), hours)
def test_the_mean_lies_below_the_worst(interval_h, backup_h):
    worst_h = worst_point_age_h(interval_h, backup_h)
    assert mean_point_age_h(interval_h, backup_h) < worst_h or backup_h > 1e15


# --- restores as published ------------------------------------------------------------


def test_published_restores_each_told_from_the_others():
    # jpcss2022, 43 restores: of those told from the other 42, 79 of 100 lay between
    # the quantiles of 10 and 90 %, and the log score was -4.28 a restore
    path = Path(__file__).parents[1] / "notebooks" / "data" / "restores.csv"
    minutes = pd.read_csv(path)["minutes"].to_numpy(dtype=float)
    inside, scores = 0, []
    for number, own in enumerate(minutes):
        logs = np.log(np.delete(minutes, number))
        law = np.exp(logs.mean()) / 60, logs.std(ddof=1), len(logs)
        low, high = 60 * restore_quantile_h([0.1, 0.9], *law)
        inside += low <= own <= high
        near = np.array([own - 0.01, own + 0.01]) / 60
        scores.append(np.log(np.diff(restore_within_prob(near, *law))[0] / 0.02))
    assert inside == 34
    assert_allclose(np.mean(scores), -4.28, atol=0.005)
    assert_allclose(np.median(minutes), 33.7, atol=2)


def test_a_prediction_by_drawn_samples():
    # of samples of ten lognormal times, the eleventh lies below its quantile as often
    # as said; 40 000 samples, seed 3, at 3.9 standard errors
    rng = np.random.default_rng(3)
    logs = rng.normal(1, 0.6, (40_000, 11))
    known = logs[:, :10]
    law = np.exp(known.mean(axis=1)), known.std(axis=1, ddof=1), 10
    for prob in (0.1, 0.5, 0.95):
        below = (np.exp(logs[:, 10]) <= restore_quantile_h(prob, *law)).mean()
        assert abs(below - prob) < 3.9 * np.sqrt(prob * (1 - prob) / 40_000)


@given(
    prob=st.floats(0.001, 0.999),
    median=st.floats(0.01, 100),
    spread=st.floats(0, 2),
    sample=st.integers(2, 1000),
    beyond=st.floats(0, 1000),
)
def test_quantile_and_chance_of_a_restore_agree(prob, median, spread, sample, beyond):
    law = median, spread, sample, beyond
    hours = restore_quantile_h(prob, *law)
    if spread > 1e-6:
        assert_allclose(restore_within_prob(hours, *law), prob, rtol=1e-6)
    assert restore_quantile_h(prob, median, spread, sample, beyond + 1) > hours
    assert restore_within_prob(0, *law) == 0
    assert restore_within_prob(2 * (median + beyond), median, 0, sample, beyond) == 1


def test_a_rare_restore_has_all_its_digits_whatever_scipy_gives(monkeypatch):
    # the time that one restore in 20,000 exceeds, of Student's law with 42 degrees:
    # the exponential of what mpmath gives; SciPy up to 1.16 has ten digits of it
    law = 1, 1 / np.sqrt(1 + 1 / 43), 43
    prob = np.array([1 - 0.000051291978909, 0.000051291978909])
    exact = restore_quantile_h(prob, *law)
    score = 4.2902342944173377
    assert_allclose(np.log(exact), [score, -score], rtol=1e-12)
    exactly = scipy.special.stdtrit
    monkeypatch.setattr(
        scipy.special, "stdtrit", lambda free, p: exactly(free, p) * (1 + 1e-9)
    )
    assert_allclose(restore_quantile_h(prob, *law), exact, rtol=1e-13)
    monkeypatch.setattr(scipy.special, "stdtrit", lambda free, p: free * np.nan * p)
    assert restore_quantile_h([0, 1], *law).tolist() == [0, np.inf]


def test_a_restore_that_never_varies_is_in_time_up_to_its_length():
    hours = np.array([1.49, 1.5, 1.51])
    found = restore_within_prob(hours, 0.5, 0, 43, beyond_h=1)
    assert_array_equal(found, [0, 1, 1])
