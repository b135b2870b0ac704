"""Writes to cells: birthdays, dice, sixty digits, simulated disks, enumeration."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.dispersion import changed_gib
from vmbmodel.formulas.writes import (
    changed_chunks_frac,
    changed_norep,
    changed_runs,
    changed_uniform,
    crowded_amplification,
    touched_cells,
    write_amplification,
)

mpmath.mp.dps = 60

BYTE = 1 / 1024  # KiB
KIB = 2.0**-20  # GiB
restic = {"min_chunk_kib": 512, "mean_chunk_kib": 1024, "max_chunk_kib": 8192}
grids = st.sampled_from([0.5, 1, 2, 4, 8])
sizes = st.sampled_from([0.5, 1, 2, 3, 4, 6, 8, 64])
whole_bytes = st.integers(1, 1 << 16)


def test_documented_cost_of_a_small_change():
    # Microsoft, "Manage recovery points" (2021): with blocks of 16 KB, a change
    # of 1 KB uploads the whole block.
    assert write_amplification(1, align_kib=1, cell_kib=16) == 16
    sent_gib = changed_gib(1, 1e9, 1, dispersion=1, active_frac=1, cell_kib=16)
    assert_allclose(sent_gib, 16, rtol=1e-7)


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


@pytest.mark.parametrize("per_cell", [2, 3, 5])
def test_distinct_draws_of_the_smallest_disks_one_by_one(per_cell):
    # the last place outside a cell, and then all of them, are drawn too
    for places in range(1, 5):
        size = places * per_cell
        draws = range(size + 2)
        expected = [
            float(places * (1 - draws_missed(min(draw, size), size, per_cell)))
            for draw in draws
        ]
        found = changed_norep(draws, size * KIB, 1, per_cell)
        assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("writes", [1, 3, 10**6, 10**12])
def test_a_trillion_cells_to_sixty_digits(writes):
    cells = 10**12
    size = cells * 8 * KIB
    missed = (1 - mpmath.mpf(1.5) / cells) ** writes
    exact = float(cells * (1 - missed))
    assert_allclose(changed_uniform(writes, size, 8, 4, 8), exact, rtol=1e-12)


def test_one_write_changes_what_it_touches():
    one = touched_cells(6, 2, 8)
    assert_allclose(changed_uniform(1, 1e6, 6, 2, 8), one, rtol=1e-14)
    assert_allclose(changed_runs(1, 1e6, 6, 2, 8), one, rtol=1e-14)
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
    seen = changed.sum(axis=1)
    expected = changed_uniform(writes, cells * 8 * KIB, 12, 4, 8)
    assert abs(seen.mean() - expected) <= 3.9 * seen.std(ddof=1) / np.sqrt(disks)


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
    parts = changed_uniform(1e6, 64, 4, 4, 8, [0.3, 0.7], [0.3, 0.7])
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


def test_the_ends_of_a_count():
    assert changed_uniform([0, np.finfo(float).max], 1, 4, 4, 8).tolist() == [0, 131072]
    assert changed_norep([0, 1e9], 1, 4, 8).tolist() == [0, 131072]
    assert changed_norep(5, 1, 64, 8) == 40
    for nothing in (
        changed_uniform(9, 0, 4, 4, 8),
        changed_norep(9, 0, 4, 8),
        changed_runs(9, 0, 4, 4, 8),
        changed_uniform(9, 0, 4, 4, 8, 0.5, 0.5),
    ):
        assert nothing == 0


@pytest.mark.parametrize(
    ("write_kib", "align_kib", "cells_of_one"),
    [
        (0.5, 0.5, 16),
        (1, 0.5, 8.5),
        (2, 0.5, 4.75),
        (4, 4, 2),
        (8, 4, 1.5),
        (64, 4, 1.0625),
    ],
)
def test_one_write_alone(write_kib, align_kib, cells_of_one):
    # counted by hand: an offset on a grid of 512 bytes or 4 KiB, in cells of 8 KiB
    found = crowded_amplification(1, 1024, write_kib, align_kib, 8)
    assert_allclose(found, cells_of_one, rtol=1e-12)


def test_many_writes_on_a_simulated_disk():
    # 200 disks of 1,024 cells of 8 KiB, writes of 3 KiB on a grid of 1 KiB, seed 5:
    # the ratio of the means, at 3.9 standard errors, 99.99 %
    rng = np.random.default_rng(5)
    disks, cells, writes = 200, 1024, 2000
    begin = rng.integers(0, 8 * cells, (disks, writes))
    written = np.zeros((disks, 8 * cells), dtype=bool)
    for kib in range(3):
        written[np.arange(disks)[:, None], (begin + kib) % (8 * cells)] = True
    sent = written.reshape(disks, cells, 8).any(axis=2).sum(axis=1) * 8
    bytes_kib = written.sum(axis=1)
    expected = crowded_amplification(writes, cells * 8 * KIB, 3, 1, 8)
    off = sent - expected * bytes_kib
    assert abs(off.mean()) <= 3.9 * off.std(ddof=1) / np.sqrt(disks)


@given(writes=st.tuples(*[st.floats(1, 1e9)] * 2), write_kib=sizes, align_kib=grids)
def test_company_never_makes_a_write_dearer(writes, write_kib, align_kib):
    few, many = (
        crowded_amplification(k, 1, write_kib, align_kib, 8) for k in sorted(writes)
    )
    alone = write_amplification(write_kib, align_kib, 8)
    assert 1 <= many <= few * (1 + 1e-9)
    assert few <= alone * (1 + 1e-9)


@given(writes=st.floats(1, 1e7), parts=st.tuples(*[st.integers(0, 4)] * 2))
def test_smaller_writes_never_drag_along_less(writes, parts):
    # the same bytes in smaller pieces, each on a grid of its own size
    small, large = (
        crowded_amplification(writes * 2**part, 1, 8 / 2**part, 8 / 2**part, 8)
        for part in sorted(parts, reverse=True)
    )
    assert small >= large * (1 - 1e-9)


@pytest.mark.parametrize("writes", [1, 1e4, 1e6, 1e8])
@pytest.mark.parametrize(
    ("least", "mean", "longest"),
    [(512, 1024, 8192), (0, 64, 1e9), (64, 1e-3, 64), (0, 8, 8), (16, 1000, 20)],
)
def test_chunks_to_sixty_digits(writes, least, mean, longest):
    rate, mu = mpmath.mpf(writes) / (100 * 2**20), mpmath.mpf(mean)
    room = mpmath.mpf(longest - least)

    def missed(x):
        return (least + x) * mpmath.exp(-rate * (least + x) - x / mu) / mu

    points = sorted({mpmath.mpf(0), min(room, mu), min(room, 60 * mu), room})
    last = longest * mpmath.exp(-rate * longest - room / mu)
    kept = mpmath.quad(missed, points) + last
    share = 1 - mpmath.exp(-4 * rate) * kept / (least + mu * -mpmath.expm1(-room / mu))
    found = changed_chunks_frac(writes, 100, 4, least, mean, longest)
    assert_allclose(found, float(share), rtol=1e-11)


def test_chunks_of_a_simulated_disk():
    # 300 disks cut at random, at least 16, 48 more in the mean, at most 160 KiB, hit
    # by 300 writes of 4 KiB, seed 6, at 3.9 standard errors
    rng = np.random.default_rng(6)
    disks, size, writes = 300, 2**14, 300
    shares = []
    for _ in range(disks):
        lengths = np.minimum(16 + rng.exponential(48, 2 * size // 16), 160)
        ends = np.cumsum(lengths)
        ends = ends[: np.searchsorted(ends, size)]
        begins = np.concatenate([[0], ends[:-1]])
        at = np.sort(
            rng.uniform(-4, ends[-1], rng.poisson(writes * (ends[-1] + 4) / size))
        )
        hit = np.searchsorted(at, ends) > np.searchsorted(at, begins - 4)
        shares.append(((ends - begins) * hit).sum() / ends[-1])
    seen, error = np.mean(shares), np.std(shares, ddof=1) / np.sqrt(disks)
    found = changed_chunks_frac(writes, size * KIB, 4, 16, 48, 160)
    assert abs(seen - found) <= 3.9 * error


@given(
    writes=st.tuples(*[st.floats(0, 1e9)] * 2),
    chunk=st.tuples(*[st.floats(1, 1e4)] * 2),
    write_kib=st.floats(0.5, 1e4),
)
def test_more_writes_or_longer_chunks_never_send_less(writes, chunk, write_kib):
    (few, many), (short, long) = sorted(writes), sorted(chunk)
    low = changed_chunks_frac(few, 64, write_kib, short, short, 4 * short)
    high = changed_chunks_frac(many, 64, write_kib, long, long, 4 * long)
    assert 0 <= low <= high * (1 + 1e-9)
    assert high <= 1


def test_the_ends_of_what_is_sent():
    assert_allclose(crowded_amplification([0, 1e300], 1, 2, 2, 8), [4, 1])
    assert crowded_amplification(5, 0, 2, 2, 8) == 1
    assert crowded_amplification(1, 1e12, 1e-300, 1e-300, 8) == 8192
    assert changed_chunks_frac([0, 1e300], 1, 4, **restic).tolist() == [0, 1]
    assert changed_chunks_frac(5, 0, 4, **restic) == 0
    assert changed_chunks_frac(1e3, 1, 4, 0, 1e300, 1e300) == 1
