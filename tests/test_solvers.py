"""The one root finder and the one home of quadrature, by cases known in full."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize.elementwise import find_root

from vmbmodel.formulas._kernels.krylov import solved
from vmbmodel.formulas._kernels.quadrature import bent_times, laguerre, legendre
from vmbmodel.formulas._kernels.roots import root


def test_every_cell_has_its_own_root():
    squares = np.array([[1.0, 2.0, 9.0]])
    found = root(lambda x, square: x * x - square, 0, [[4.0], [5.0]], squares)
    assert_allclose(found, np.sqrt(squares) * np.ones((2, 1)), rtol=1e-12)


def test_cells_left_out_or_without_a_change_of_sign_have_another_result():
    looked = []

    def square_less_two(x):
        looked.extend(x)
        return x * x - 2

    inside, other = [True, True, False], [7, 8, 9]
    found = root(square_less_two, [1, 2, 5], [3, 3, 6], inside=inside, otherwise=other)
    assert_allclose(found, [np.sqrt(2), 8, 9])
    assert max(looked) <= 3
    assert root(square_less_two, 1, 2, inside=False, otherwise=3) == 3


def test_a_tolerance_is_kept():
    calls = [0, 0]

    def cube_less_two(x, place):
        calls[int(place[0])] += 1
        return x**3 - 2

    rough = root(cube_less_two, 0, 10, 0, xatol=0.1, fatol=0.1)
    close = root(cube_less_two, 0, 10, 1)
    assert abs(rough - np.cbrt(2)) < 0.1
    assert_allclose(close, np.cbrt(2), rtol=1e-12)
    assert calls[0] < calls[1]


def test_roots_are_those_of_scipy_to_the_last_bit():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=500), rng.exponential(size=500)
    low, high = rng.normal(size=500) - 2, rng.normal(size=500) + 3

    def wavy(x, a, b):
        return np.exp(a * x) - b * np.cos(x) - 1.5

    for given in ({}, {"xrtol": 1e-12, "xatol": 1e-12, "fatol": 0}, {"frtol": 1e-6}):
        theirs = find_root(wavy, (low, high), args=(a, b), tolerances=given)
        ours = root(wavy, low, high, a, b, **given)
        assert 300 < np.isfinite(ours).sum() < 500
        np.testing.assert_array_equal(ours, theirs.x)


@pytest.mark.parametrize("size", [1, 7, 90])
def test_equations_are_solved_from_products_alone(size):
    rng = np.random.default_rng(size)
    matrix = np.eye(size) * 4 + rng.normal(size=(size, size)) / np.sqrt(size)
    right = rng.normal(size=size)
    found = solved(matrix.__matmul__, right, 1e-11)
    assert_allclose(found, np.linalg.solve(matrix, right), atol=1e-10)
    assert not solved(matrix.__matmul__, np.zeros(size), 0).any()


@pytest.mark.parametrize("count", [2, 20, 96])
def test_nodes_sum_polynomials_exactly(count):
    nodes, weights = legendre(count)
    degree = 2 * count - 2
    assert_allclose((weights * nodes**degree).sum(), 2 / (degree + 1), rtol=1e-12)
    nodes, weights = laguerre(min(count, 24))
    assert_allclose((weights * nodes**3).sum(), math.factorial(3), rtol=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        nodes[0] = 0


def test_bent_times_reach_from_minutes_to_ages():
    first, last = np.array([[0.0], [1e-3]]), np.array([[40.0], [1e6]])
    bent, time, step = bent_times(first, last)
    assert (np.diff(bent) > 0).all()
    sums = (step * np.exp(-time)).sum(axis=-1)
    assert_allclose(sums, np.exp(-first[:, 0]), rtol=1e-12)
    sums = (step / (1 + time) ** 2).sum(axis=-1)
    expected = 1 / (1 + first) - 1 / (1 + last)
    assert_allclose(sums, expected[:, 0], rtol=1e-9)
