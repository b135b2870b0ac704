"""Stored data: documented examples, sets of blocks, properties."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.retention import (
    snapshot_enhanced_gib,
    snapshot_standard_gib,
    stored_daily_gib,
)

sizes = st.floats(0, 1e6)
points = st.integers(1, 9999)


def test_documented_snapshots():
    # Microsoft, "Azure Instant Restore capability" (2025): 100 GB with a churn
    # of 2 %, kept five days, is billed as 10 GB under a Standard policy and as
    # 108 GB under an Enhanced one.
    assert snapshot_standard_gib(100, 2, 5) == 10
    assert snapshot_enhanced_gib(100, 2, 5) == 108


def test_documented_increment():
    # Microsoft, "Manage recovery points" (2021): a VM of 8 TB with a churn of
    # 5 % has incremental points of 0.4 TB.
    first_tb, second_tb = (stored_daily_gib(8, 0.05 * 8, n) for n in (1, 2))
    assert first_tb == 8
    assert_allclose(second_tb - first_tb, 0.4, rtol=1e-14)


def test_published_rule_of_thumb():
    # Altra's Dr Migrate documentation: 30 daily points take 1.5 to 1.8 times
    # the data; Microsoft (2025) puts daily churn at 2 to 7 % in most cases.
    assert 1.5 <= stored_daily_gib(1, 0.02, 30) <= 1.8


def test_blocks_counted_one_by_one():
    # A disk of 200 blocks; every day a set of blocks is overwritten, the same
    # number each day, and a point refers to the newest version of each block.
    rng = np.random.default_rng(2)
    used, churn, kept = 200, 17, 12
    version = np.zeros(used, dtype=int)
    daily = []
    for day in range(40):
        version[rng.choice(used, churn, replace=False)] = day
        daily.append({(block, int(v)) for block, v in enumerate(version)})
    stored = len(set().union(*daily[-kept:]))
    assert stored_daily_gib(used, churn, kept) == stored


@given(used=sizes, churn=sizes, kept=points)
def test_never_less_than_the_data_nor_more_than_full_copies(used, churn, kept):
    stored = stored_daily_gib(used, churn, kept)
    assert used <= stored <= used * kept * (1 + 1e-12)


@given(used=sizes, churn=sizes, kept=points)
def test_one_more_point_costs_a_day_of_changes(used, churn, kept):
    day = min(used, churn)
    for policy in (stored_daily_gib, snapshot_standard_gib, snapshot_enhanced_gib):
        now, then = policy(used, churn, kept), policy(used, churn, kept + 1)
        assert_allclose(then - now, day, atol=1e-12 * max(then, 1e-300))


@given(used=sizes, more=sizes, churn=sizes, kept=points)
def test_more_data_or_changes_never_take_less(used, more, churn, kept):
    for policy in (stored_daily_gib, snapshot_standard_gib, snapshot_enhanced_gib):
        assert policy(used + more, churn, kept) >= policy(used, churn, kept)
        assert policy(used, churn + more, kept) >= policy(used, churn, kept)


@given(used=sizes, churn=sizes, kept=points)
def test_enhanced_holds_one_full_copy_more(used, churn, kept):
    both = snapshot_enhanced_gib(used, churn, kept)
    assert_allclose(both, snapshot_standard_gib(used, churn, kept - 1) + used)
    assert_allclose(both, stored_daily_gib(used, churn, kept))


def test_no_snapshot_costs_nothing():
    assert snapshot_standard_gib(100, 2, 0) == snapshot_enhanced_gib(100, 2, 0) == 0


def test_what_is_overwritten_twice_a_day_is_changed_once():
    assert stored_daily_gib(100, 250, 3) == 300
    assert stored_daily_gib(0, 250, 3) == 0
