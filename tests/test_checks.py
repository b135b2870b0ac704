"""What every formula refuses, and that what it accepts it also answers."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_contract import FIELDS, FORMULAS, arguments, every_formula

from vmbmodel.fields import fields
from vmbmodel.formulas import mean_wait_h, relaxation_h


def check(arguments):
    """Refuse the first of the arguments that its field cannot have."""
    for name, values in arguments.items():
        fields()[name].check_all(values)


NUMBERS = [field for field in FIELDS.values() if field.range]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"servers": 0}, r"^servers must be > 0 and finite; got 0$"),
        ({"servers": [1, -1]}, r"^servers must be .*; got -1 at index \(1,\)$"),
        ({"prob": 1.5}, r"^prob must be >= 0 and <= 1; got 1.5$"),
        ({"prob": float("nan")}, r"^prob must be >= 0 and <= 1; got nan$"),
        ({"jobs": 1.5}, r"^jobs must be whole; got 1.5$"),
        ({"jobs": [[1, 2], [3, 0.5]]}, r"^jobs must be >= 1 and .* \(1, 1\)$"),
        ({"start_h": 24}, r"^start_h must be >= 0 and < 24; got 24$"),
        ({"wait_h": float("inf")}, r"^wait_h must be >= 0 and finite; got inf$"),
        ({"wait_h": "eight"}, r"^wait_h must be a number; got 'eight'$"),
        ({"wait_h": None}, r"^wait_h must be a number; got None$"),
        ({"wait_h": "8"}, r"^wait_h must be a number; got '8'$"),
        ({"wait_h": True}, r"^wait_h must be a number; got True$"),
        ({"wait_h": [True, False]}, r"^wait_h must be a number; got \[True, False\]$"),
        ({"servers": np.float32(0)}, r"^servers must be > 0 and finite; got 0.0$"),
        ({"wait_h": 10**400}, r"^wait_h must be a number; got 10000"),
        ({"wait_h": 8j}, r"^wait_h must be a number; got 8j$"),
        ({"servers": 3, "wait_h": -8}, r"^wait_h must be .*; got -8$"),
        (
            {"wait_h": np.ma.array([1, 2], mask=[False, True])},
            r"^wait_h must be .*; got nan at index \(1,\)$",
        ),
    ],
)
def test_refusal_names_argument_rule_value_and_place(arguments, message):
    with pytest.raises(ValueError, match=message):
        check(arguments)


def test_first_bad_value_is_the_one_named():
    with pytest.raises(ValueError, match=r"got -2.0 at index \(0, 2\)$"):
        check({"wait_h": [[0.0, 1, -2], [-3, np.nan, 0]]})


@pytest.mark.parametrize(
    "value",
    [1, 1.0, np.float32(1), np.int8(1), [], np.empty((0, 3)), pd.Series([1, 2])],
    ids=repr,
)
def test_any_kind_of_number_passes(value):
    check({"wait_h": value})


@given(field=st.sampled_from(NUMBERS), number=st.floats())
def test_just_what_lies_outside_the_range_is_refused(field, number):
    checked = {field.name: [field.typical, number]}
    if number in field.range and (not field.whole or number == np.trunc(number)):
        check(checked)
    else:
        message = rf"^{field.name} must be .*; got .* at index \(1,\)$"
        with pytest.raises(ValueError, match=message):
            check(checked)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("servers", 0, r"^servers must be > 0 and finite; got 0$"),
        ("servers", True, r"^servers must be a number; got True$"),
        ("servers", "7", r"^servers must be a number; got '7'$"),
        ("servers", [7], r"^servers must be a number; got \[7\]$"),
        ("servers", 10**400, r"^servers must be a number; got 1000"),
        ("jobs", np.float32(1.5), r"^jobs must be whole; got 1.5$"),
        ("managed", 1, r"^managed must be true or false; got 1$"),
        ("vault", 3, r"^vault must be a name; got 3$"),
        ("family", "x", r"^family must be one of gamma, lognormal, .*; got 'x'$"),
        ("family", ["gamma"], r"^family must be one of .*; got \['gamma'\]$"),
    ],
)
def test_one_value_is_refused_by_its_rule(name, value, message):
    with pytest.raises(ValueError, match=message):
        fields()[name].check(value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("servers", "20", 20.0),
        ("servers", "2e1", 20.0),
        ("capacity_mib_s", "inf", np.inf),
        ("managed", "No", False),
        ("family", "gamma", "gamma"),
        ("vault", "7", "7"),
    ],
)
def test_text_is_read_as_its_field_says(name, text, value):
    read = fields()[name].parse(text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("servers", "ten", r"^servers must be a number; got 'ten'$"),
        ("servers", "nan", r"^servers must be a number; got 'nan'$"),
        ("servers", "1_000", r"^servers must be a number; got '1_000'$"),
        ("servers", "\u0661", r"^servers must be a number"),
        ("servers", "inf", r"^servers must be > 0 and finite; got inf$"),
        ("servers", "0", r"^servers must be > 0 and finite; got 0.0$"),
        ("jobs", "1.5", r"^jobs must be whole; got 1.5$"),
        ("managed", "perhaps", r"^managed must be true or false; got 'perhaps'$"),
        ("family", "Gamma", r"^family must be one of gamma"),
    ],
)
def test_text_that_is_no_value_is_refused(name, text, message):
    with pytest.raises(ValueError, match=message):
        fields()[name].parse(text)


def extremes(field):
    """Values that are allowed and hard: the ends of the range and far out."""
    if field.choices:
        return field.choices
    candidates = (0, 1e-300, 1, 10.5, 1e6, 1e300, np.inf)
    allowed = [x for x in candidates if x in field.range]
    return [x for x in allowed if not field.whole or x == np.trunc(x)]


def goes_together(case):
    """Say whether the arguments fit: two kinds of jobs vary by at least 1."""
    return case.get("family") != "hyperexponential" or case["service_scv"] >= 1


SLOW = ("day_mean_wait_h", "day_wait_quantile_h", "day_wait_within_prob")
SLOW += ("total_quantile_h",)


@pytest.mark.parametrize(
    "formula",
    [
        pytest.param(f, marks=[pytest.mark.slow] * (f.__name__ in SLOW))
        for f in FORMULAS
    ],
    ids=lambda f: f.__name__,
)
def test_what_is_allowed_has_an_answer_and_no_warning(formula):
    typical = arguments(formula)
    hard = {name: extremes(FIELDS[name]) for name in typical}
    # all pairs of extremes, the others typical, where all of them are too many or a
    # case is a day
    if len(hard) > (3 if formula.along == "slot" else 4):
        cases = [
            {**typical, one: first, other: second}
            for one, other in itertools.combinations(hard, 2)
            for first, second in itertools.product(hard[one], hard[other])
        ]
    else:
        cases = [
            dict(zip(hard, values, strict=True))
            for values in itertools.product(*hard.values())
        ]
    cases = [case for case in cases if goes_together(case)]
    if formula.along:
        results = [formula(**case) for case in cases]
    else:  # one call for all of them that make the same choice
        chosen = [name for name in hard if FIELDS[name].choices]
        results = []
        for choice in {tuple(case[name] for name in chosen) for case in cases}:
            same = [case for case in cases if choice == tuple(map(case.get, chosen))]
            columns = {name: np.array([case[name] for case in same]) for name in hard}
            results.append(formula(**columns | dict(zip(chosen, choice, strict=True))))
    results = np.concatenate([np.ravel(result) for result in results])
    assert not np.isnan(results).any()
    bounds = FIELDS[formula.__name__].range
    # beyond the largest float is inf, below the smallest 0
    assert np.all((results >= bounds.low) | (results == 0))
    assert np.all((results <= bounds.high) | (results == np.inf))


@every_formula
def test_nothing_in_nothing_out(formula):
    typical = arguments(formula)
    empty = {n: np.empty((0, 3)) if n in formula.over else [] for n in typical}
    empty |= {n: typical[n] for n in typical if FIELDS[n].choices}
    expected = (0, 3) if formula.along else (0,)
    assert np.shape(formula(**empty)) == expected


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "missing a required argument: 'servers'"),
        ((1,), {"service_h": 1}, "missing a required argument: 'utilisation_frac'"),
        ((1, 1, 1, 1), {}, "too many positional arguments"),
        ((1, 1, 1), {"servers": 1}, "multiple values for argument 'servers'"),
        ((1, 1), {"service": 1}, "missing a required argument: 'service_h'"),
        ((1, 1, 1), {"jobs": 1}, "got an unexpected keyword argument 'jobs'"),
    ],
)
def test_a_call_with_other_arguments_is_refused(args, kwargs, message):
    with pytest.raises(TypeError, match=message):
        relaxation_h(*args, **kwargs)


@pytest.mark.parametrize(
    "call",
    [
        lambda: mean_wait_h(3, 6, 0.25, 1, "gamma"),
        lambda: mean_wait_h(3, service_h=0.25, arrivals_per_h=6),
        lambda: mean_wait_h(3, 6, service_h=np.float64(0.25), family="gamma"),
        lambda: mean_wait_h(np.int64(3), np.array(6.0), np.float32(0.25)),
        lambda: mean_wait_h([3, 4], 6, 0.25)[0],
        lambda: mean_wait_h((3, 4), np.array([6, 7]), 0.25)[0],
        lambda: mean_wait_h(pd.Series([3, 4]), 6, [0.25, 0.5])[0],
    ],
)
def test_every_way_to_call_gives_the_same(call):
    assert call() == mean_wait_h(3, 6, 0.25)


def test_a_division_by_nothing_warns_of_nothing():
    with np.errstate(all="raise"):
        assert relaxation_h(10, 1, 1) == np.inf
        assert relaxation_h([10], 1, 1) == [np.inf]
        assert relaxation_h(pd.Series([10]), 1, 1)[0] == np.inf
