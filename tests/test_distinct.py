"""Distinct changes of several days: capture and recapture, blocks one by one."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.distinct import (
    distinct_fitted_gib,
    distinct_gib,
    rewritten_frac,
)

days = st.integers(0, 5000)
shares = st.floats(0, 1)
sizes = st.floats(0, 1e6)


def bracket(t, used, churn, again, fresh=0.0):
    return tuple(
        distinct_gib(t, used, churn, again, fresh, stored_reading=end)
        for end in ("lower", "upper")
    )


def test_published_capture_and_recapture():
    # Lincoln-Petersen, the worked example of Wikipedia's "Mark and recapture":
    # 10 turtles marked, 15 caught on a second visit, 5 of them marked: 30 turtles.
    # Visits of equal size that share a third of 10 have an area of 10^2 / (10/3).
    area = distinct_gib(1e6, 1e9, 10, 5 / 15, stored_reading="lower")
    assert_allclose(area, 30, rtol=1e-12)


def test_documented_churn_at_random():
    # Microsoft (2025), cost estimate: 200 GB of which 10 GB change in a day are
    # 5 % a day. At random, a block stays as it was with 0.95 a day (Feller,
    # sec. IV.2: cells that remain empty).
    for t in (1, 7, 30):
        for end in bracket(t, 200, 10, 0.05):
            assert_allclose(end, 200 * (1 - 0.95**t), rtol=1e-12)


def test_birthdays():
    # Occupancy (Feller, sec. IV.2): of 23 people, the mean number of days of the
    # year that are a birthday is 365 (1 - (364/365)^23) = 22.3; a person is a "day".
    for end in bracket(23, 365, 1, 1 / 365):
        assert_allclose(end, 22.3, atol=0.05)


def test_overlap_of_two_days():
    assert_allclose(rewritten_frac(10, 16), 0.4)
    assert rewritten_frac(10, 20) == 0
    assert rewritten_frac(10, 10) == 1
    assert rewritten_frac(10, 25) == 0  # more than both
    assert rewritten_frac(10, 5) == 1  # less than one
    assert rewritten_frac(0, 0) == 1


@given(
    areas=st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.001, 0.999)), min_size=1),
    idle=st.floats(0, 1000),
    t=st.integers(1, 3000),
)
def test_every_mixture_lies_in_the_bracket(areas, idle, t):
    # the theory of the bracket: parts of sizes A, each written with chance 1 - q a day
    size, chance = np.transpose(areas)

    def truth(t):
        return (size * -np.expm1(t * np.log1p(-chance))).sum()

    used = size.sum() + idle
    again = rewritten_frac(truth(1), truth(2))
    low, high = bracket(t, used, truth(1), again)
    assert low <= truth(t) * (1 + 1e-9)
    assert high >= truth(t) * (1 - 1e-9)


def test_blocks_counted_one_by_one():
    # 400 blocks, 40 of them hot; every day all hot ones and 9 of the others
    rng = np.random.default_rng(5)
    day, runs, blocks = 9, 400, np.arange(40, 400)
    seen = np.zeros((runs, 400), dtype=bool)
    unions = []
    for _ in range(30):
        for run in seen:
            run[rng.choice(blocks, day, replace=False)] = True
        unions.append(40 + seen.sum(axis=1).mean())
    again = (40 + day * day / 360) / 49
    low, high = bracket(30, 400, 49, again)
    assert_allclose(high, unions[-1], rtol=0.005)
    assert low < 0.6 * unions[-1]
    fitted = distinct_fitted_gib(30, 5, unions[4], unions[9], unions[14], 0)
    assert_allclose(fitted, unions[-1], rtol=0.02)


@given(
    hot=st.floats(0, 100),
    area=st.floats(1, 100),
    z=st.floats(0.05, 0.98),
    horizon=st.integers(1, 14),
    fresh=st.floats(0, 10),
    t=st.integers(1, 2000),
)
def test_two_classes_are_fitted_exactly(hot, area, z, horizon, fresh, t):
    def truth(t):
        return hot + area * (1 - z ** (t / horizon)) + fresh * t

    unions = [truth(k * horizon) for k in (1, 2, 3)]
    fitted = distinct_fitted_gib(t, horizon, *unions, fresh)
    if t >= horizon:
        assert_allclose(fitted, truth(t), rtol=1e-6)
    else:
        assert fitted <= unions[0] * (1 + 1e-9)


@given(
    t=days, used=sizes, churn=sizes, again=shares, share=shares, more=st.integers(0, 99)
)
def test_properties_of_the_bracket(t, used, churn, again, share, more):
    fresh = share * min(churn, used)
    low, high = bracket(t, used, churn, again, fresh)
    assert 0 <= low <= high * (1 + 1e-9) + 1e-12
    assert high <= used + fresh * t + 1e-9 * used
    for now, later in zip(
        (low, high), bracket(t + more, used, churn, again, fresh), strict=True
    ):
        assert later >= now * (1 - 1e-12)
    if not fresh:
        linear = distinct_gib(t, used, churn, stored_reading="linear")
        assert high <= linear * (1 + 1e-9) + 1e-300


@given(used=st.floats(1, 1e6), churn=st.floats(0, 1), again=shares, share=shares)
def test_one_and_two_days_are_what_was_given(used, churn, again, share):
    churn, fresh = churn * used, share * (1 - again) * churn * used
    rest = churn - fresh
    assume(rest == 0 or again * churn / rest >= rest / used)  # no less than chance
    for end in bracket(1, used, churn, again, fresh):
        assert_allclose(end, churn, rtol=1e-9, atol=1e-300)
    for end in bracket(2, used, churn, again, fresh):
        assert_allclose(end, (2 - again) * churn, rtol=1e-9, atol=1e-9 * used)


def test_a_stream_adds_up():
    assert_allclose(bracket(50, 1e6, 10, 0.9, 1), (50 + 9, 50 + 9), rtol=1e-9)
    assert bracket(50, 1e3, 10, 0, 10) == (500, 500)
    assert bracket(50, 1e3, 10, 0, 99) == (500, 500)  # no more than the churn


def test_edges():
    assert bracket(0, 200, 10, 0.5) == (0, 0)
    assert bracket(30, 200, 0, 0.5) == (0, 0)
    assert bracket(30, 0, 10, 0.5) == (0, 0)
    assert bracket(30, 200, 500, 0.5) == (200, 200)
    assert_allclose(bracket(30, 200, 10, 1), (10, 10))
    assert distinct_fitted_gib(30, 7, 0, 0, 0, 0) == 0
    assert distinct_fitted_gib(30, 7, 10, 10, 10, 0) == 10
    assert distinct_fitted_gib(70, 7, 10, 20, 30, 0) == 100
    assert distinct_fitted_gib(21, 7, 10, 20, 40, 0) == 30  # faster than in proportion
    assert distinct_fitted_gib(21, 7, 0, 10, 20, 0) == 20  # nothing at first
    assert distinct_fitted_gib(3, 7, 0, 10, 20, 0) == 0
    assert distinct_fitted_gib(0, 7, 10, 20, 30, 1) == 0
    assert distinct_gib(30, 200, 10, stored_reading="linear") == 200


@given(t=days, used=sizes, churn=sizes, again=shares, fresh=sizes)
def test_readings_for_comparison_know_no_overlap(t, used, churn, again, fresh):
    day = min(churn, used)
    for reading, expected in (
        ("linear", min(churn * t, used)),
        ("points", day if t else 0),
        ("full", used if t else 0),
    ):
        law = used, churn, again, fresh
        assert distinct_gib(t, *law, stored_reading=reading) == expected


def test_a_fit_goes_through_what_was_measured():
    for unions in ((10, 17, 19), (10, 10, 10), (10, 12, 14), (0, 5, 6), (10, 15, 15)):
        measured = np.cumsum(np.diff(unions, prepend=0)) + 3 * np.arange(1, 4) * 7
        for at, found in zip((7, 14, 21), measured, strict=True):
            fitted = distinct_fitted_gib(at, 7, *measured, 3)
            assert_allclose(fitted, found, rtol=1e-12)
