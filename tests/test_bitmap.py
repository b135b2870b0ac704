"""The index from counts and its consequences: coins, enumeration, sixty digits."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.bitmap import (
    block_extents_frac,
    bridged_extents_frac,
    carried_cells_frac,
    coarse_dispersion,
    cut_extents_frac,
    dispersion_index,
    dispersion_two_levels,
    split_requests,
)
from vmbmodel.formulas.dispersion import changed_blocks_frac, mean_extent_kib

mpmath.mp.dps = 60

shares = st.one_of(st.just(0.0), st.just(1.0), st.floats(1e-9, 1))
some = st.floats(1e-6, 1)
per_block = st.integers(1, 4096)
bitmaps = st.lists(st.booleans(), min_size=1, max_size=200).map(np.array)


def runs_of(changed):
    return int(changed[0]) + np.count_nonzero(changed[1:] > changed[:-1])


def test_runs_by_wald_and_wolfowitz():
    # Wald and Wolfowitz (1940): m and n elements in random order form
    # 2mn/(m + n) + 1 runs of either kind on average, m(n + 1)/(m + n) of the
    # first. Here by enumeration of all orders of 4 changed cells among 9.
    seen = []
    for places in itertools.combinations(range(9), 4):
        changed = np.isin(np.arange(9), places)
        seen.append(dispersion_index(4, runs_of(changed), 9))
    assert_allclose(np.mean(seen), 1, rtol=1e-14)


def test_a_bitmap_of_every_other_cell_avoids_itself():
    assert_allclose(dispersion_index(5e11, 5e11, 1e12), 2, rtol=1e-11)
    assert dispersion_index(1e12, 1, 1e12) == 1
    assert dispersion_index(0, 0, 1e12) == 0
    assert_allclose(dispersion_index(1, 1, 1e12), 1, rtol=1e-15)


@given(changed=bitmaps)
def test_index_of_any_bitmap(changed):
    found = dispersion_index(changed.sum(), runs_of(changed), changed.size)
    assert 0 <= found < 2
    expected = changed.sum() * (changed.size - changed.sum() + 1) / changed.size
    assert_allclose(found * expected, runs_of(changed), rtol=1e-13)


@given(counts=st.tuples(*[st.floats(0, 1e12)] * 2), cells=st.floats(1, 1e12))
def test_counts_that_cannot_be_stay_in_range(counts, cells):
    assert 0 <= dispersion_index(*counts, cells) <= 2


@given(f=st.floats(1e-9, 0.6), index=some, ratio=st.integers(2, 32))
def test_two_levels_give_the_index_back(f, index, ratio):
    coarse = changed_blocks_frac(f, index, ratio, 1)
    found = dispersion_two_levels(f, coarse, ratio)
    assert_allclose(found, index, rtol=1e-6, atol=3e-16 * ratio / f)


@pytest.mark.parametrize("f", [1e-12, 1e-6, 0.3])
@pytest.mark.parametrize("times", [1, 1.5, 2])
def test_two_levels_to_sixty_digits(f, times):
    ratio, coarse = 3, f * times
    kept = (1 - mpmath.mpf(coarse)) / (1 - mpmath.mpf(f))
    expected = (1 - mpmath.root(kept, ratio - 1)) / mpmath.mpf(f)
    found = dispersion_two_levels(f, coarse, ratio)
    assert_allclose(found, float(expected), rtol=1e-13, atol=1e-15)


def test_two_levels_at_the_ends():
    assert dispersion_two_levels([0, 1, 0.5], [0, 1, 0.1], 2).tolist() == [0, 1, 0]
    assert dispersion_two_levels(0.25, 1, 2) == 4


@pytest.mark.parametrize(
    ("f", "index", "r", "active"),
    [(0.1, 0.3, 16, 1), (1e-12, 1e-3, 256, 1), (1e-9, 1, 4096, 0.25), (0.9, 0.9, 3, 1)],
)
def test_blocks_to_sixty_digits(f, index, r, active):
    f, d, a = map(mpmath.mpf, (f, index, active))
    inside = f / a
    scatter = min(d * (1 - f) / (1 - inside), 1)
    missed, twice = (
        (1 - inside) * (1 - scatter * inside) ** (n - 1) for n in (r, 2 * r)
    )
    runs, touched = a * (missed - twice), a * (1 - missed)
    at = (float(f), index, r, active)
    assert_allclose(block_extents_frac(*at), float(runs), rtol=1e-12)
    expected = runs / (touched * (1 - touched))
    assert_allclose(coarse_dispersion(*at), float(expected), rtol=1e-12)


@pytest.mark.parametrize("f", [1e-12, 1e-4, 0.3, 1])
@pytest.mark.parametrize("index", [1e-6, 0.5, 1])
@pytest.mark.parametrize("gap", [0, 1, 7, 1000, 10**9])
def test_gaps_to_sixty_digits(f, index, gap):
    again = mpmath.mpf(f) * mpmath.mpf(index)
    runs = again * (1 - mpmath.mpf(f)) * (1 - again) ** gap
    carried = (1 - mpmath.mpf(f)) * (1 - (1 - again) ** gap * (1 + gap * again))
    assert_allclose(
        bridged_extents_frac(f, index, gap), float(runs), rtol=1e-12, atol=1e-300
    )
    assert_allclose(
        carried_cells_frac(f, index, gap), float(carried), rtol=1e-12, atol=1e-300
    )


def markov(f, index, cells=4_000_000):
    rng = np.random.default_rng(5)
    anew = rng.random(cells) < index
    anew[0] = True
    drawn = rng.random(cells) < f
    return drawn[np.maximum.accumulate(np.where(anew, np.arange(cells), 0))]


def test_gaps_blocks_and_requests_of_a_simulated_bitmap():
    # one bitmap of 4 million cells, seed 5, within 2 %; about 5 standard errors
    f, index, gap, r, most = 0.2, 0.25, 6, 16, 8
    changed = markov(f, index)
    edges = np.flatnonzero(np.diff(np.r_[False, changed, False].astype(np.int8)))
    begin, end = edges[::2], edges[1::2]
    gaps = begin[1:] - end[:-1]
    size = changed.size
    bridged = gaps[gaps <= gap]
    assert_allclose(
        bridged_extents_frac(f, index, gap) * size, begin.size - bridged.size, rtol=0.02
    )
    assert_allclose(carried_cells_frac(f, index, gap) * size, bridged.sum(), rtol=0.02)
    requests = np.ceil((end - begin) / most).sum()
    assert_allclose(
        split_requests(changed.sum(), begin.size, most), requests, rtol=0.02
    )
    cut = ((end - 1) // r - begin // r + 1).sum()
    assert_allclose(cut_extents_frac(f, index, r) * size, cut, rtol=0.02)
    blocks = changed.reshape(-1, r).any(axis=1)
    runs = runs_of(blocks)
    assert_allclose(block_extents_frac(f, index, r, 1) * blocks.size, runs, rtol=0.02)
    assert_allclose(
        coarse_dispersion(f, index, r, 1),
        dispersion_index(blocks.sum(), runs, blocks.size),
        rtol=0.02,
    )


@given(f=shares, index=shares, active=some)
def test_a_block_of_one_cell_is_the_cell(f, index, active):
    assert_allclose(cut_extents_frac(f, index, 1), f, rtol=1e-12)
    if f / active < 0.9 and index * (1 - f) <= 1 - f / active:
        runs = block_extents_frac(f, index, 1, active)
        assert_allclose(runs, index * f * (1 - f), rtol=1e-9, atol=1e-300)
        one = coarse_dispersion(f, index, 1, active)
        assert_allclose(one, index, rtol=1e-9)


@given(f=shares, indices=st.tuples(shares, shares), r=per_block, active=some)
def test_more_dispersion_never_looks_less_in_blocks(f, indices, r, active):
    low, high = (coarse_dispersion(f, d, r, 1) for d in sorted(indices))
    assert 0 <= low <= high * (1 + 1e-9) <= 1 + 1e-9
    assert 0 <= coarse_dispersion(f, indices[0], r, active) <= 1
    assert 0 <= block_extents_frac(f, indices[0], r, active) <= 1


@given(f=shares, index=shares, gaps=st.tuples(*[st.integers(0, 10**6)] * 2))
def test_wider_bridges_save_extents_and_carry_more(f, index, gaps):
    few, many = sorted(gaps)
    assert bridged_extents_frac(f, index, many) <= bridged_extents_frac(f, index, few)
    light, heavy = (carried_cells_frac(f, index, g) for g in (few, many))
    assert light <= heavy * (1 + 1e-12)
    assert heavy <= 1 - f


@given(cells=st.floats(0, 1e12), extents=st.floats(0, 1e12), most=st.integers(1, 4096))
def test_requests_are_no_fewer_than_extents_nor_more_than_cells(cells, extents, most):
    found = split_requests(cells, extents, most)
    assert min(extents, cells) <= found * (1 + 1e-12)
    assert found <= max(cells, 0) * (1 + 1e-9)
    if extents >= 1e-3 and cells >= 1e-3:
        assert found >= cells / most * (1 - 1e-9)


def test_one_extent_of_a_trillion_cells():
    # geometric with mean 1e12 in requests of 512: 1e12 / 512 and half of one
    assert_allclose(split_requests(1e12, 1, 512), 1e12 / 512 + 0.5, rtol=1e-9)


@given(f=st.floats(1e-6, 0.9), index=some)
def test_extents_are_as_long_as_their_mean_says(f, index):
    assert_allclose(
        f / bridged_extents_frac(f, index, 0), mean_extent_kib(index, f, 1), rtol=1e-12
    )
