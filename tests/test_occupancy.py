"""Writes to changed cells: birthdays, dice, sixty digits, simulated disks."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.dispersion import touched_cells
from vmbmodel.formulas.occupancy import (
    changed_contiguous,
    changed_norep,
    changed_runs,
    changed_uniform,
    changed_zones,
    extents_uniform,
)

mpmath.mp.dps = 60

BYTE = 1 / 1024  # KiB
KIB = 2.0**-20  # GiB


def draws_missed(draws, places, marked):
    """Return the chance that distinct draws miss all marked places, exactly."""
    found = mpmath.mpf(1)
    for i in range(min(draws, marked)):
        found *= 1 - mpmath.mpf(max(draws, marked)) / (places - i)
    return found


def test_birthdays_of_a_party():
    # Feller (1968), ch. II.3: 23 people leave all birthdays distinct with
    # probability 0.4927; so 365 days see 365 (1 - (364/365)^23) of them.
    days, people = 365, 23
    found = changed_uniform(people, days * 8 * KIB, 8, 8, 8)
    assert_allclose(found, days * (1 - (364 / 365) ** people), rtol=1e-13)


def test_a_hand_of_bridge():
    # Feller (1968), ch. II.5: a hand of 13 of 52 cards misses a suit of 13 with
    # probability C(39, 13) / C(52, 13) = 0.01279. A suit is a cell of 13 cards.
    found = changed_norep(13, 52 * KIB, 1, 13)
    assert_allclose(found, 4 * (1 - 0.012790948037), rtol=1e-12)


@pytest.mark.parametrize(
    ("found", "published"),
    [
        (touched_cells(8, 4, 8), 1.5),
        (touched_cells(8, 0.5, 8), 1.9375),
        (touched_cells(1500 * BYTE, BYTE, 8), 1 + 1499 / 8192),
        (changed_uniform(50_000, 1, 4, 4, 8), 41568.7),
        (changed_uniform(50_000, 1, 4, 4, 64), 15609.5),
        (extents_uniform(50_000, 1, 4, 4, 8), 28385.6),
        (changed_norep(50_000, 1, 4, 8), 45231.7),
        (changed_norep(50_000, 1, 4, 64), 15829.6),
    ],
)
def test_against_another_implementation(found, published):
    # values of an independent implementation, checked there against disk images
    # backed up with fixed chunks; printed to a tenth
    assert abs(found - published) <= 0.05001


@pytest.mark.parametrize("draws", [1, 2, 1000, 10**6])
@pytest.mark.parametrize("places", [2**20, 2**30, 2**40])
@pytest.mark.parametrize("per_cell", [2, 16, 4096])
def test_distinct_draws_to_sixty_digits(draws, places, per_cell):
    cells = places // per_cell
    few, many = min(draws, per_cell), max(draws, per_cell)
    expected = cells * (1 - draws_missed(few, places, many))
    found = changed_norep(draws, places * KIB, 1, per_cell)
    assert_allclose(found, float(expected), rtol=1e-12)


@given(
    places=st.integers(1, 60),
    draws=st.integers(0, 80),
    per_cell=st.sampled_from([2, 3]),
)
def test_distinct_draws_from_a_few_places(places, draws, per_cell):
    size = places * per_cell
    drawn = min(draws, size)
    expected = places * (1 - draws_missed(drawn, size, per_cell))
    found = changed_norep(draws, size * KIB, 1, per_cell)
    assert_allclose(found, float(expected), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("writes", [1, 3, 10**6, 10**12])
def test_a_trillion_cells_to_sixty_digits(writes):
    cells = 10**12
    size = cells * 8 * KIB
    missed = (1 - mpmath.mpf(1.5) / cells) ** writes
    both = (1 - mpmath.mpf(2.5) / cells) ** writes
    exact = float(cells * (1 - missed))
    assert_allclose(changed_uniform(writes, size, 8, 4, 8), exact, rtol=1e-12)
    runs = float(cells * (missed - both))
    assert_allclose(extents_uniform(writes, size, 8, 4, 8), runs, rtol=1e-12)


def test_one_write_changes_what_it_touches():
    one = touched_cells(6, 2, 8)
    assert_allclose(changed_uniform(1, 1e6, 6, 2, 8), one, rtol=1e-14)
    assert_allclose(changed_runs(1, 1e6, 6, 2, 8), one, rtol=1e-14)
    assert_allclose(extents_uniform(1, 1e6, 6, 2, 8), 1, rtol=1e-14)
    assert_allclose(changed_norep(1, 1e6, 4, 8), 1, rtol=1e-12)


def test_against_a_simulated_disk():
    # 400 disks of 4,096 cells of 8 KiB, writes of 12 KiB on a grid of 4 KiB,
    # seed 11; means over disks at 3.9 standard errors, 99.99 %
    rng = np.random.default_rng(11)
    disks, cells, writes = 400, 4096, 1500
    begin = rng.integers(0, 2 * cells, (disks, writes))
    changed = np.zeros((disks, cells), dtype=bool)
    for page in range(3):
        cell = (begin + page) // 2 % cells
        changed[np.arange(disks)[:, None], cell] = True
    runs = (changed & ~np.roll(changed, 1, axis=1)).sum(axis=1)
    size = cells * 8 * KIB
    for seen, expected in [
        (changed.sum(axis=1), changed_uniform(writes, size, 12, 4, 8)),
        (runs, extents_uniform(writes, size, 12, 4, 8)),
    ]:
        error = seen.std(ddof=1) / np.sqrt(disks)
        assert abs(seen.mean() - expected) <= 3.9 * error


def test_only_the_mean_length_of_runs_matters():
    # runs of 4 and of 28 KiB, half each, on a simulated disk: seed 12, 3.9 errors
    rng = np.random.default_rng(12)
    disks, cells, runs = 400, 4096, 500
    begin = rng.integers(0, 2 * cells, (disks, runs))
    pages = rng.choice([1, 7], (disks, runs))
    changed = np.zeros((disks, cells), dtype=bool)
    for page in range(7):
        disk, run = np.nonzero(pages > page)
        changed[disk, (begin[disk, run] + page) // 2 % cells] = True
    seen = changed.sum(axis=1)
    expected = changed_runs(runs, cells * 8 * KIB, 16, 4, 8)
    assert abs(seen.mean() - expected) <= 3.9 * seen.std(ddof=1) / np.sqrt(disks)


def test_zones_that_are_no_zones():
    parts = changed_zones(1e6, 64, 4, 4, 8, [0.3, 0.7], [0.3, 0.7])
    assert_allclose(parts.sum(), changed_uniform(1e6, 64, 4, 4, 8), rtol=1e-13)


@given(
    writes=st.tuples(*[st.floats(1, 1e9)] * 2),
    sizes=st.tuples(*[st.sampled_from([0.5, 4, 8, 64, 4096])] * 2),
)
def test_more_or_larger_writes_never_change_less(writes, sizes):
    (few, many), (small, large) = sorted(writes), sorted(sizes)
    assert changed_uniform(few, 64, small, 0.5, 8) <= (
        changed_uniform(many, 64, large, 0.5, 8) * (1 + 1e-12)
    )
    assert changed_norep(few, 64, small, 8) <= (
        changed_norep(many, 64, large, 8) * (1 + 1e-9)
    )
    assert changed_uniform(many, 64, 4, 4, 8) <= (
        changed_norep(many, 64, 4, 8) * (1 + 1e-9)
    )


def test_the_ends():
    assert changed_contiguous([0, 1, 1e9], 1, 8, 8).tolist() == [0, 131072, 131072]
    assert changed_uniform([0, np.finfo(float).max], 1, 4, 4, 8).tolist() == [0, 131072]
    assert changed_norep([0, 1e9], 1, 4, 8).tolist() == [0, 131072]
    assert changed_norep(5, 1, 64, 8) == 40
    assert extents_uniform([0, 1e300], 1, 4, 4, 8).tolist() == [0, 0]
    for nothing in (
        changed_contiguous(1, 0, 4, 8),
        changed_uniform(9, 0, 4, 4, 8),
        changed_norep(9, 0, 4, 8),
        changed_runs(9, 0, 4, 4, 8),
        changed_zones(9, 0, 4, 4, 8, 0.5, 0.5),
        extents_uniform(9, 0, 4, 4, 8),
    ):
        assert nothing == 0
