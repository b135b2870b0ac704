"""Bytes sent for bytes written: counting, simulated disks, sixty digits."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.dispersion import write_amplification
from vmbmodel.formulas.sent import changed_chunks_frac, crowded_amplification

mpmath.mp.dps = 60

KIB = 2.0**-20  # GiB
restic = {"min_chunk_kib": 512, "mean_chunk_kib": 1024, "max_chunk_kib": 8192}
grids = st.sampled_from([0.5, 1, 2, 4, 8])
sizes = st.sampled_from([0.5, 1, 2, 3, 4, 6, 8, 64])


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


def test_the_ends():
    assert_allclose(crowded_amplification([0, 1e300], 1, 2, 2, 8), [4, 1])
    assert crowded_amplification(5, 0, 2, 2, 8) == 1
    assert crowded_amplification(1, 1e12, 1e-300, 1e-300, 8) == 8192
    assert changed_chunks_frac([0, 1e300], 1, 4, **restic).tolist() == [0, 1]
    assert changed_chunks_frac(5, 0, 4, **restic) == 0
    assert changed_chunks_frac(1e3, 1, 4, 0, 1e300, 1e300) == 1
