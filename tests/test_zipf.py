"""Writes that prefer some pages: sums over all of them, and sixty digits."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.writes import changed_norep, changed_zipf

mpmath.mp.dps = 60

KIB = 2.0**-20  # GiB
exponents = st.floats(0, 4)


def pages_touched(draws, exponent, pages):
    """Return the distinct pages: cells that are as large as a page."""
    return changed_zipf(draws, exponent, pages * 4 * KIB, 4, 4)


def in_order(*arguments):
    return changed_zipf(*arguments, page_order="ranked")


def shares(exponent, pages):
    """Return the shares of the pages, one by one."""
    found = np.arange(1, pages + 1) ** -float(exponent)
    return found / found.sum()


def hits_of(draws, shares):
    """Sum the chances to be hit."""
    with np.errstate(divide="ignore"):
        return -np.expm1(draws * np.log1p(-np.minimum(shares, 1))).sum()


def hits(draws, exponent, pages):
    """Sum the chances of the pages to be hit, one by one."""
    return hits_of(draws, shares(exponent, pages))


def hits_in_order(draws, exponent, cells, per_cell):
    """Sum the chances of cells of pages in the order of their ranks."""
    by_cell = shares(exponent, cells * per_cell).reshape(cells, per_cell)
    return hits_of(draws, by_cell.sum(axis=1))


@pytest.mark.parametrize(("cell_kib", "published"), [(8, 28720.8), (64, 14119.0)])
def test_scattered_hot_pages_against_another_implementation(cell_kib, published):
    # that one takes writes to a page as Poisson and states 2e-5; ours are exact,
    # as the sum over all pages shows
    found = changed_zipf(50_000, 0.8, 1, 4, cell_kib)
    assert_allclose(found, published, rtol=2e-5)
    exact = changed_norep(hits(50_000, 0.8, 262_144), 1, 4, cell_kib)
    assert_allclose(found, exact, rtol=1e-6)


@pytest.mark.parametrize("exponent", [0, 0.01, 1 / 3, 0.5, 0.8, 1, 1.2, 2, 5, 40])
@pytest.mark.parametrize("draws", [1, 2, 100, 50_000, 10**8])
@pytest.mark.parametrize("pages", [1, 7, 1024, 1025, 2048, 262_144])
def test_zipf_against_the_sum_over_all_pages(draws, exponent, pages):
    found = pages_touched(draws, exponent, pages)
    assert_allclose(found, hits(draws, exponent, pages), rtol=1e-6)


@pytest.mark.parametrize("exponent", ["0.5", "0.8", "1", "1.5"])
@pytest.mark.parametrize("draws", [1e3, 1e9, 1e13])
def test_zipf_on_a_trillion_pages(draws, exponent):
    # the exponential integral of mpmath, sixty digits, beyond 2,000 ranks
    pages, first, s = mpmath.mpf(10) ** 12, 2000, mpmath.mpf(exponent)
    if s == 1:
        total = mpmath.harmonic(pages)
    else:
        total = mpmath.zeta(s) - mpmath.zeta(s, pages + 1)
    rate = mpmath.mpf(draws) / total

    def area(x):
        return x * (1 - mpmath.expint(1 + 1 / s, rate * x**-s) / s)

    head = mpmath.fsum(
        1 - (1 - mpmath.mpf(i) ** -s / total) ** draws for i in range(1, first + 1)
    )
    half = mpmath.mpf(1) / 2
    expected = head + area(pages + half) - area(first + half)
    assert_allclose(pages_touched(draws, float(s), 1e12), float(expected), rtol=2e-5)


@pytest.mark.parametrize("exponent", [0, 0.01, 1 / 3, 0.5, 0.8, 1, 1.2, 2, 5, 40])
def test_pages_in_order_against_the_sum_over_all_cells(exponent):
    draws, cells, per_cell = np.meshgrid(
        [1, 2, 100, 50_000, 10**8], [1, 2, 63, 65, 257, 5000], [2, 3, 16, 512]
    )
    found = in_order(draws, exponent, cells * per_cell * 4 * KIB, 4, 4.0 * per_cell)
    cases = zip(draws.flat, cells.flat, per_cell.flat, strict=True)
    expected = [hits_in_order(k, exponent, n, s) for k, n, s in cases]
    assert_allclose(found.ravel(), expected, rtol=1e-5)


@given(
    draws=st.integers(1, 10**8),
    cells=st.integers(1, 400),
    per_cell=st.sampled_from([2, 3, 4, 16, 256]),
    exponent=st.floats(0, 3),
)
def test_pages_in_order_are_as_exact_as_they_say(draws, cells, per_cell, exponent):
    found = in_order(draws, exponent, cells * per_cell * 4 * KIB, 4, 4 * per_cell)
    exact = hits_in_order(draws, exponent, cells, per_cell)
    assert_allclose(found, exact, rtol=2e-5)


def test_pages_as_large_as_cells_lie_in_any_order():
    for write_kib in (8, 64):
        one = in_order(50_000, 0.8, 1, write_kib, 8)
        assert_allclose(one, changed_zipf(50_000, 0.8, 1, write_kib, 8), rtol=1e-12)


@pytest.mark.parametrize("exponent", [0, 0.5, 1, 3])
def test_hot_pages_side_by_side_never_change_more_than_scattered(exponent):
    writes, per_cell = np.meshgrid(np.logspace(0, 9, 30), [2, 16, 512])
    apart, together = (
        law(writes, exponent, 16, 4, 4 * per_cell) for law in (changed_zipf, in_order)
    )
    assert (together <= apart * (1 + 1e-5)).all()


@pytest.mark.parametrize("exponent", [0, 0.5, 1, 3])
def test_more_writes_never_change_fewer_pages_in_order(exponent):
    found = in_order(np.logspace(0, 9, 200), exponent, 16, 4, 64)
    assert (np.diff(found) >= -1e-6 * found[1:]).all()


@given(
    draws=st.floats(1, 1e12),
    pages=st.integers(1, 10**12),
    s=st.tuples(exponents, exponents),
)
def test_preferring_some_pages_never_touches_more(draws, pages, s):
    even, uneven = (pages_touched(draws, e, pages) for e in sorted(s))
    assert uneven <= even * (1 + 4e-5)
    assert 0 <= even <= min(draws, pages)


def test_the_ends():
    assert_allclose(pages_touched(1, 0.8, 1e12), 1, rtol=2e-5)
    for law in (changed_zipf, in_order):
        assert law([0, 1e300], 0.8, 1, 4, 8).tolist() == [0, 131072]
        assert law(9, 1, 0, 4, 8) == 0
        assert_allclose(law(1, 0.8, 1e6, 4, 8), 1, rtol=2e-5)
        assert_allclose(law(1e9, 300, 1, 4, 64), 1)
