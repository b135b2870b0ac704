"""Scattered changes: dice and coins, enumeration, simulated bitmaps, properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.fields import convert
from vmbmodel.formulas.dispersion import (
    cell_amplification,
    changed_blocks_frac,
    effective_mib_s,
    mean_extent_kib,
    touched_cells,
    write_amplification,
)

shares = st.one_of(st.just(0.0), st.floats(1e-9, 1))
some = st.floats(1e-6, 1)
per_block = st.one_of(st.integers(1, 4096), st.floats(1, 4))
whole_bytes = st.integers(1, 1 << 16)


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


def test_documented_cost_of_a_small_change():
    # Microsoft, "Manage recovery points" (2021): with blocks of 16 KB, a change
    # of 1 KB uploads the whole block.
    assert write_amplification(1, align_kib=1, cell_kib=16) == 16
    assert cell_amplification(1, dispersion=1, cell_kib=16) == 16


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


@given(write=whole_bytes, align=st.integers(1, 600), cell=st.integers(1, 600))
def test_touched_cells_by_enumeration(write, align, cell):
    offsets = np.arange(np.lcm(align, cell) // align) * align
    touched = (offsets + write - 1) // cell - offsets // cell + 1
    found = touched_cells(write / 1024, align / 1024, cell / 1024)
    assert_allclose(found, touched.mean(), rtol=1e-13)
    amplified = write_amplification(write / 1024, align / 1024, cell / 1024)
    assert_allclose(amplified, touched.mean() * cell / write, rtol=1e-13)
    assert amplified >= 1


def test_sizes_beyond_whole_numbers_of_64_bits():
    # a multiple of the cell, aligned to it, touches just its own cells
    assert touched_cells(1e300, 2.0**900, 2.0**900) == np.ceil(1e300 / 2.0**900)
    assert touched_cells(8, 2.0**900, 2.0**950) == 1
    assert_allclose(touched_cells(1e300, 1, 1), 1e300)


def test_sizes_are_taken_to_the_byte():
    byte_kib = 1 / 1024
    assert touched_cells(1e-300, 1e-300, 1e-300) == 1
    assert write_amplification(1e-300, 1e-300, 1e-300) == 1
    assert write_amplification(1.4 * byte_kib, byte_kib, byte_kib) == 1


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


@given(writes=st.tuples(*[st.floats(1e-3, 64)] * 2), dispersion=shares)
def test_smaller_writes_never_drag_along_less(writes, dispersion):
    small, large = (cell_amplification(w, dispersion, 8) for w in sorted(writes))
    assert small >= large >= 1
    assert cell_amplification(min(writes), 0, 8) == 1


@given(part=st.integers(1, 64), cell_kib=st.sampled_from([4, 8, 16, 2048]))
def test_at_random_a_write_costs_its_whole_cell(part, cell_kib):
    write_kib = cell_kib / part
    amplified = cell_amplification(write_kib, 1, cell_kib)
    assert_allclose(amplified, part, rtol=1e-14)


def test_the_ends():
    assert mean_extent_kib([0, 0.5], [0.5, 1], 8).tolist() == [np.inf, np.inf]
    assert effective_mib_s(76.3, 500, np.inf) == 76.3
    assert changed_blocks_frac([0, 1], 1, 256, 1).tolist() == [0, 1]
    assert changed_blocks_frac(0.5, 1, 256, 0.25) == 0.5
    assert_allclose(cell_amplification(1e-300, 1, 8), 8e300, rtol=1e-15)
