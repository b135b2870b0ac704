"""The one root finder, linear systems and quadrature, by cases known in full."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from vmbmodel.formulas._kernels.linear import solved
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
    # the lowest SciPy that is supported has it; 1.14, which browsers have, does not
    find_root = pytest.importorskip("scipy.optimize.elementwise").find_root
    rng = np.random.default_rng(1)
    low, high = -2 * rng.random(5000), 10 * rng.random(5000)
    line = tuple(3 * rng.random((3, 5000)))

    def excess(x, height, bend, swing):
        return height * np.expm1(bend * x) + swing * np.sin(x) - height

    for tolerances in (
        {},
        {"xatol": 1e-9, "fatol": 1e-9},
        {"xrtol": 1e-6, "frtol": 0.1},
    ):
        theirs = find_root(excess, (low, high), args=line, tolerances=tolerances).x
        ours = root(excess, low, high, *line, **tolerances)
        assert 0 < np.isnan(theirs).sum() < theirs.size / 2
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("size", [1, 7, 150])
def test_a_linear_system_is_solved_as_well_as_is_asked(size):
    rng = np.random.default_rng(size)
    matrix = np.eye(size) + rng.normal(size=(size, size)) / (3 * np.sqrt(size))
    right = rng.normal(size=size)
    looked = []

    def product(vector):
        looked.append(vector)
        return matrix @ vector

    for enough in (1e-3, 1e-12):
        looked.clear()
        found = solved(product, right, enough)
        assert np.linalg.norm(right - matrix @ found) <= 1.01 * enough + 1e-14
        assert len(looked) < 60
    assert_allclose(found, np.linalg.solve(matrix, right), rtol=1e-9, atol=1e-10)


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
