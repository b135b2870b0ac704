"""Scattered changes: dice and coins, enumeration, simulated bitmaps, properties."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.fields import convert
from vmbmodel.formulas.dispersion import (
    block_extents_frac,
    changed_blocks_frac,
    changed_gib,
    dispersion_index,
    effective_mib_s,
    mean_extent_kib,
)
from vmbmodel.formulas.writes import changed_norep

mpmath.mp.dps = 60

shares = st.one_of(st.just(0.0), st.floats(1e-9, 1))
some = st.floats(1e-6, 1)
per_block = st.one_of(st.integers(1, 4096), st.floats(1, 4))
bitmaps = st.lists(st.booleans(), min_size=1, max_size=200).map(np.array)


def markov_bitmap(rng, cells, changed_frac, dispersion):
    """Cells that copy their left neighbour or, `dispersion` of them, are drawn anew."""
    anew = rng.random(cells) < dispersion
    anew[0] = True
    drawn = rng.random(cells) < changed_frac
    return drawn[np.maximum.accumulate(np.where(anew, np.arange(cells), 0))]


def runs_begin(changed):
    """Return the cells with which a run of changed cells begins."""
    return changed & ~np.concatenate([[False], changed[:-1]])


def mean_and_error(per_segment):
    return per_segment.mean(), per_segment.std(ddof=1) / np.sqrt(len(per_segment))


def test_the_bet_of_the_chevalier_de_mere():
    # Pascal and Fermat (1654), as in any textbook: at least one six in four
    # throws of a die has probability 671/1296. A die is a cell that changes
    # with probability 1/6, four throws are a block.
    six = changed_blocks_frac(1 / 6, 1, cells_per_block=4, active_frac=1)
    assert_allclose(six, 671 / 1296, rtol=1e-14)


def test_runs_of_a_fair_coin():
    # Feller (1968), ch. XIII: runs of heads are two long on average.
    assert mean_extent_kib(1, changed_frac=0.5, cell_kib=1) == 2


@pytest.mark.parametrize(
    ("request_kb", "requests_per_s", "published_mb_s"),
    [(8, 5000, 40), (1024, 200, 200), (64, 3200, 200), (32, 5000, 160)],
)
def test_published_throughput_of_a_disk(request_kb, requests_per_s, published_mb_s):
    # Microsoft, "Premium Storage: Design for high performance" (2021), the
    # table of I/O sizes of a P30 disk: 5,000 IOPS and 200 MB/sec at most.
    found = effective_mib_s(
        convert(200, "MB/s", to="MiB/s"), requests_per_s, request_kb * 1000 / 1024
    )
    assert_allclose(found, convert(published_mb_s, "MB/s", to="MiB/s"), rtol=1e-14)


@pytest.mark.parametrize(
    ("changed_frac", "dispersion", "per_block", "active_frac"),
    [(0.1, 0.3, 16, 1), (0.02, 1, 256, 1), (0.5, 0.02, 64, 1), (0.05, 0.2, 8, 0.25)],
)
def test_against_simulated_bitmaps(changed_frac, dispersion, per_block, active_frac):
    # 256 bitmaps of 16 384 cells, seed 7, changes inside the active part alone;
    # means over bitmaps at 3.9 standard errors, a confidence of 99.99 %.
    rng = np.random.default_rng(7)
    bitmaps, cells = 256, 1 << 14
    active = int(active_frac * cells)
    inside = changed_frac / active_frac
    inside_dispersion = dispersion * (1 - changed_frac) / (1 - inside)
    changed = markov_bitmap(rng, bitmaps * active, inside, inside_dispersion)
    changed = changed.reshape(bitmaps, active)

    blocks = changed.reshape(bitmaps, -1, per_block).any(axis=2).sum(axis=1)
    seen, error = mean_and_error(blocks * per_block / cells)
    predicted = changed_blocks_frac(changed_frac, dispersion, per_block, active_frac)
    assert abs(predicted - seen) <= 3.9 * error

    begins = runs_begin(changed.ravel()).reshape(changed.shape)
    expected_runs = changed_frac * cells / mean_extent_kib(dispersion, changed_frac, 1)
    seen, error = mean_and_error(begins.sum(axis=1))
    assert abs(expected_runs - seen) <= 3.9 * error


def test_index_is_one_minus_the_correlation_of_neighbours():
    # 100 bitmaps of 40 000 cells, seed 9, at 3.9 standard errors of their mean
    changed = markov_bitmap(np.random.default_rng(9), 4_000_000, 0.1, 0.25)
    bitmaps = changed.reshape(100, -1)
    indices = [1 - np.corrcoef(b[:-1], b[1:])[0, 1] for b in bitmaps]
    seen, error = mean_and_error(np.array(indices))
    assert abs(seen - 0.25) <= 3.9 * error
    extents = [b.sum() / runs_begin(b).sum() for b in bitmaps]
    seen, error = mean_and_error(np.array(extents))
    assert abs(seen - mean_extent_kib(0.25, 0.1, 1)) <= 3.9 * error


@given(changed_frac=shares, dispersion=shares, active_frac=some)
def test_a_block_of_one_cell_is_the_cell(changed_frac, dispersion, active_frac):
    found = changed_blocks_frac(changed_frac, dispersion, 1, active_frac)
    assert_allclose(found, changed_frac, rtol=1e-12)


@given(changed_frac=shares, cells=per_block, active_frac=some)
def test_changes_in_one_run_touch_no_more_than_they_fill(
    changed_frac, cells, active_frac
):
    found = changed_blocks_frac(changed_frac, 0, cells, active_frac)
    assert_allclose(found, changed_frac, rtol=1e-12)


@given(changed_frac=st.floats(0.01, 0.6), dispersion=some, cells=st.integers(2, 32))
def test_two_resolutions_give_the_index_back(changed_frac, dispersion, cells):
    coarse = changed_blocks_frac(changed_frac, dispersion, cells, 1)
    kept = ((1 - coarse) / (1 - changed_frac)) ** (1 / (cells - 1))
    assert_allclose((1 - kept) / changed_frac, dispersion, rtol=1e-6, atol=1e-10)


@given(changed_frac=shares, one=shares, other=shares, cells=per_block, active_frac=some)
def test_more_dispersion_never_touches_fewer_blocks(
    changed_frac, one, other, cells, active_frac
):
    low, high = (
        changed_blocks_frac(changed_frac, dispersion, cells, active_frac)
        for dispersion in sorted((one, other))
    )
    assert low <= high * (1 + 1e-12)
    assert changed_frac * (1 - 1e-12) <= low
    assert high <= max(active_frac, changed_frac)


@given(changed_frac=shares, dispersion=shares, cells=st.tuples(per_block, per_block))
def test_larger_blocks_never_hold_less_of_the_disk(changed_frac, dispersion, cells):
    few, many = (
        changed_blocks_frac(changed_frac, dispersion, r, 1) for r in sorted(cells)
    )
    assert few <= many * (1 + 1e-12)


@given(
    changed_frac=shares, dispersion=shares, cells=per_block, areas=st.tuples(some, some)
)
def test_changes_spread_wider_never_touch_fewer_blocks(
    changed_frac, dispersion, cells, areas
):
    narrow, wide = (
        changed_blocks_frac(changed_frac, dispersion, cells, area)
        for area in sorted(areas)
    )
    assert narrow <= wide * (1 + 1e-9)


@given(
    rate=st.floats(1, 1000),
    iops=st.floats(1, 1e5),
    changed_frac=st.floats(0, 0.99),
    indices=st.tuples(some, some),
)
def test_more_dispersion_never_raises_the_throughput(rate, iops, changed_frac, indices):
    gathered, scattered = (
        effective_mib_s(rate, iops, mean_extent_kib(index, changed_frac, 8))
        for index in sorted(indices)
    )
    assert scattered <= gathered <= rate


def test_half_of_the_rate_is_left_at_the_length_of_half_performance():
    # Hockney and Jesshope (1988), ch. 1: r = r_inf / (1 + n_half / n); an extent
    # that is sent in the time of a start-up goes at half the rate
    half_kib = 76.3 / 500 * 1024
    assert_allclose(effective_mib_s(76.3, 500, half_kib, 0), 76.3 / 2)


def test_documented_rates_of_one_request_at_a_time():
    # 640 Mbps and 2 ms before each extent of 8, 80 and 8,000 KiB, in Mbps:
    # 8 KiB take 2 ms + 0.1024 ms, and so on
    rate = convert(640, "Mbps", to="MiB/s")
    found = effective_mib_s(rate, 500, np.array([8, 80, 8000]), 0) * 8.388608
    bits = np.array([8, 80, 8000]) * 8192
    assert_allclose(found, bits / (2e-3 + bits / 640e6) / 1e6, rtol=1e-12)
    assert_allclose(found, [31.2, 217, 628], rtol=2e-3)


@given(
    rate=st.floats(1, 1000), iops=st.floats(1, 1000), extent_kib=st.floats(1e-3, 1e9)
)
def test_taking_turns_costs_at_most_half(rate, iops, extent_kib):
    pipelined = effective_mib_s(rate, iops, extent_kib)
    serial = effective_mib_s(rate, iops, extent_kib, 0)
    assert pipelined / 2 * (1 - 1e-12) <= serial <= pipelined * (1 + 1e-12)


def test_runs_by_wald_and_wolfowitz():
    # Wald and Wolfowitz (1940): m and n elements in random order form
    # 2mn/(m + n) + 1 runs of either kind on average, m(n + 1)/(m + n) of the
    # first. Here by enumeration of all orders of 4 changed cells among 9.
    seen = []
    for places in itertools.combinations(range(9), 4):
        changed = np.isin(np.arange(9), places)
        seen.append(dispersion_index(4, runs_begin(changed).sum(), 9))
    assert_allclose(np.mean(seen), 1, rtol=1e-14)


def test_a_bitmap_of_every_other_cell_avoids_itself():
    assert_allclose(dispersion_index(5e11, 5e11, 1e12), 2, rtol=1e-11)
    assert dispersion_index(1e12, 1, 1e12) == 1
    assert dispersion_index(0, 0, 1e12) == 0
    assert_allclose(dispersion_index(1, 1, 1e12), 1, rtol=1e-15)


@given(changed=bitmaps)
def test_index_of_any_bitmap(changed):
    found = dispersion_index(changed.sum(), runs_begin(changed).sum(), changed.size)
    assert 0 <= found < 2
    expected = changed.sum() * (changed.size - changed.sum() + 1) / changed.size
    assert_allclose(found * expected, runs_begin(changed).sum(), rtol=1e-13)


@given(counts=st.tuples(*[st.floats(0, 1e12)] * 2), cells=st.floats(1, 1e12))
def test_counts_that_cannot_be_stay_in_range(counts, cells):
    assert 0 <= dispersion_index(*counts, cells) <= 2


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
    found = block_extents_frac(float(f), index, r, active)
    assert_allclose(found, float(a * (missed - twice)), rtol=1e-12)


def test_runs_of_blocks_of_a_simulated_bitmap():
    # one bitmap of 4 million cells, seed 5, within 2 %; about 5 standard errors
    f, index, r = 0.2, 0.25, 16
    changed = markov_bitmap(np.random.default_rng(5), 4_000_000, f, index)
    blocks = changed.reshape(-1, r).any(axis=1)
    found = block_extents_frac(f, index, r, 1) * blocks.size
    assert_allclose(found, runs_begin(blocks).sum(), rtol=0.02)


@given(f=shares, index=shares, active=some)
def test_runs_of_blocks_of_one_cell_are_its_extents(f, index, active):
    if f / active < 0.9 and index * (1 - f) <= 1 - f / active:
        runs = block_extents_frac(f, index, 1, active)
        assert_allclose(runs, index * f * (1 - f), rtol=1e-9, atol=1e-300)


@given(f=shares, index=shares, r=st.integers(1, 4096), active=some)
def test_runs_of_blocks_are_no_more_than_blocks(f, index, r, active):
    assert 0 <= block_extents_frac(f, index, r, active) <= 1


@given(writes=st.tuples(*[st.floats(1e-3, 64)] * 2), dispersion=shares, churn=shares)
def test_smaller_writes_never_drag_along_less(writes, dispersion, churn):
    small, large = (
        changed_gib(churn, 1, w, dispersion, 1, 8) * (1 + 1e-12) for w in sorted(writes)
    )
    assert 1 + 1e-12 >= small >= large * (1 - 1e-12) >= churn * (1 - 1e-12)
    assert_allclose(changed_gib(churn, 1, min(writes), 0, 1, 8), churn, rtol=1e-12)


@given(part=st.integers(1, 64), churn=st.floats(1e-4, 1))
def test_random_writes_touch_the_cells_that_occupancy_counts(part, churn):
    write_kib = 8 / part
    writes = np.floor(churn * 2**20 / write_kib)
    found = changed_gib(writes * write_kib / 2**20, 1, write_kib, 1, 1, 8) * 2**17
    assert_allclose(found, changed_norep(writes, 1, write_kib, 8), rtol=1e-3)


def test_few_random_writes_cost_a_cell_each():
    assert_allclose(changed_gib(1e-9, 1, 0.5, 1, 1, 8), 16e-9, rtol=1e-6)
    # and runs of a mean of g / delta the rest of one
    assert_allclose(changed_gib(1e-9, 1, 2, 0.5, 1, 8), 1.6e-9, rtol=1e-6)


@pytest.mark.parametrize("index", [0.05, 0.4, 0.9])
@pytest.mark.parametrize("share", [0.02, 0.3])
def test_cells_of_simulated_small_writes(share, index):
    # a bitmap of 2-KiB writes whose cells of 8 KiB, where sparse, have that index
    per_cell = 4
    again = index / (index + per_cell * (1 - index))
    rng = np.random.default_rng(7)
    written = markov_bitmap(rng, 4_000_000, share, again)
    cells = written.reshape(-1, per_cell).any(axis=1)
    found = changed_gib(written.mean(), 1, 2, index, 1, 8)
    assert_allclose(found, cells.mean(), rtol=0.02)
    # writes to a third of the disk touch cells of that third
    third = changed_gib(written.mean() / 3, 1, 2, index, 1 / 3, 8)
    assert_allclose(third, found / 3, rtol=1e-9)


def test_the_smallest_write():
    assert changed_gib(0.5, 1, 1e-300, 1, 1, 8) == 1
    assert changed_gib(0, 1, 1e-300, 1, 1, 8) == 0
    assert changed_gib([5, 5, 0], [0, 1, 0], 4, 0.5, 0.5, 8).tolist() == [0, 1, 0]


def test_the_ends():
    assert mean_extent_kib([0, 0.5], [0.5, 1], 8).tolist() == [np.inf, np.inf]
    assert effective_mib_s(76.3, 500, np.inf) == 76.3
    assert changed_blocks_frac([0, 1], 1, 256, 1).tolist() == [0, 1]
    assert changed_blocks_frac(0.5, 1, 256, 0.25) == 0.5
    assert effective_mib_s(76.3, 500, np.inf, 0) == 76.3
    assert_allclose(effective_mib_s(1e300, 1e-300, 1024, 0), 1e-300)
