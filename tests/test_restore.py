"""Restore: what the service's own pages say, and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.restore import restore_copy_h, restore_h, worst_point_age_h
from vmbmodel.formulas.transfer import initial_h
from vmbmodel.units import convert

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
