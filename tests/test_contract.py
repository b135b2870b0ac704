"""What every formula promises, checked for all of them at once."""

import importlib
import inspect
import pkgutil
import re

import dask.array
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from vmbmodel import fields as units
from vmbmodel import formulas
from vmbmodel._arrays import Formula

MODULES = [
    importlib.import_module(f"vmbmodel.formulas.{module.name}")
    for module in pkgutil.iter_modules(formulas.__path__)
    if not module.name.startswith("_")
]
NAMES = [(module, name) for module in MODULES for name in module.__all__]
FORMULAS = [f for f in (getattr(*name) for name in NAMES) if isinstance(f, Formula)]
every_formula = pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.__name__)
FIELDS = units.fields()


def arguments(formula):
    """Typical values; an axis that a formula works along gets three of them."""
    values = {n: FIELDS[n].typical for n in inspect.signature(formula).parameters}
    for name in formula.over:
        values[name] = np.array([1, 3, 2]) * values[name]
    return values


def numbers(values):
    """Return the names of those arguments that are numbers."""
    return [name for name in values if FIELDS[name].kind == "number"]


def bad_values(field):
    """Yield values just outside a field's range, and the rule they break."""
    bounds = field.range
    if np.isfinite(bounds.low):
        yield np.nextafter(bounds.low, -np.inf) if bounds.low_in else bounds.low
    if np.isfinite(bounds.high):
        yield np.nextafter(bounds.high, np.inf) if bounds.high_in else bounds.high
    elif not bounds.high_in:
        yield np.inf
    yield np.nan


def entries(doc):
    """Return what a docstring says of each argument."""
    after = re.search(r"^Parameters\n-+\n(.*)", doc, re.M | re.S)
    section = re.split(r"^\S.*\n-{3,}$", after.group(1) if after else "", flags=re.M)
    parts = re.split(r"^(\w+) : ", section[0], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_there_are_formulas():
    assert len(FORMULAS) == len({f.__name__ for f in FORMULAS}) > 5


@every_formula
def test_units_in_names_and_docstring_agree(formula):
    doc = inspect.getdoc(formula)
    for name in inspect.signature(formula).parameters:
        entry = re.search(rf"^{name} : .*?(?=^\S|\Z)", doc, re.M | re.S)
        assert entry, f"{name} is not documented"
        assert entry.group().rstrip().endswith(f"[{units.unit_of(name)}]"), name
    returned = re.search(r"^Returns\n-+\n(.*?)\n\n", doc, re.M | re.S).group(1)
    assert returned.rstrip().endswith(f"[{units.unit_of(formula.__name__)}]")


@every_formula
def test_the_source_describes_no_argument_that_is_not_there(formula):
    names = list(entries(inspect.cleandoc(formula.__wrapped__.__doc__)))
    parameters = list(inspect.signature(formula).parameters)
    assert names == [name for name in parameters if name in names]


@every_formula
def test_the_source_does_not_say_what_the_table_says(formula):
    for name, text in entries(inspect.cleandoc(formula.__wrapped__.__doc__)).items():
        told = FIELDS[name].text.rstrip(".") + f", :math:`{FIELDS[name].symbol}`"
        assert told.lower() not in " ".join(text.lower().split()), name


@every_formula
def test_every_argument_in_an_equation_has_a_symbol_of_its_own(formula):
    told = entries(inspect.getdoc(formula))
    symbols = []
    for name in numbers(told):
        symbol = re.search(r":math:`([^`]+)`", told[name])
        assert symbol or not FIELDS[name].symbol, name
        symbols += [symbol.group(1).partition(" = ")[0]] if symbol else []
    assert len(symbols) == len(set(symbols)), symbols


@every_formula
def test_every_name_is_a_field_of_the_table(formula):
    for name in (formula.__name__, *inspect.signature(formula).parameters):
        field = FIELDS[name]
        assert field.label
        assert field.text.endswith(".")


@every_formula
def test_docstring_is_complete(formula):
    doc = inspect.getdoc(formula)
    for section in ("Parameters", "Returns", "Raises", "Notes", "References"):
        assert f"\n{section}\n---" in doc, section
    assert ">>> " in doc
    assert ":cite:`" in doc


@every_formula
def test_scalar_in_scalar_out_and_an_int_is_no_other_number(formula):
    values = arguments(formula)
    result = formula(**values)
    if not formula.along:
        assert type(result) is float
    names = numbers(values)
    as_floats = {n: np.asarray(values[n], dtype=float) for n in names}
    assert_allclose(formula(**values | as_floats), result, rtol=0, atol=0)
    whole = {n: np.ceil(values[n]) for n in names}
    as_ints = {n: np.asarray(v, dtype=np.int64) for n, v in whole.items()}
    assert_allclose(
        formula(**values | as_ints), formula(**values | whole), rtol=0, atol=0
    )


@every_formula
def test_arrays_broadcast(formula):
    values = arguments(formula)
    names = numbers(values)
    if formula.along:
        stacked = {name: np.stack([values[name]] * 2) for name in formula.over}
        assert_allclose(
            formula(**values | stacked),
            np.stack([formula(**values)] * 2),
            rtol=1e-14,
        )
        return
    shaped = {
        n: np.full([2 if i == j else 1 for j in range(len(names))], values[n] * 1.0)
        for i, n in enumerate(names)
    }
    result = formula(**values | shaped)
    assert result.shape == (2,) * len(names)
    assert_allclose(result, formula(**values), rtol=1e-14)


@every_formula
def test_series_keep_their_index(formula):
    values = arguments(formula)
    first = next(iter(values))
    index = pd.Index(["a", "b", "c"], name="vm")
    result = formula(**values | {first: pd.Series(values[first], index=index)})
    assert isinstance(result, pd.Series)
    assert result.index.equals(index)
    assert result.name == formula.__name__
    assert_allclose(result, np.broadcast_to(formula(**values), 3), rtol=1e-14)


@every_formula
def test_labels_are_kept_and_axes_broadcast_by_name(formula):
    values = arguments(formula)
    names = numbers(values)
    dims = [formula.along if n in formula.over else n for n in names]
    arrays = {n: np.atleast_1d(values[n]) for n in names}
    labelled = {
        n: xr.DataArray(v, dims=d, coords={d: np.arange(len(v))})
        for d, (n, v) in zip(dims, arrays.items(), strict=True)
    }
    result = formula(**values | labelled)
    assert set(result.dims) == set(dims)
    assert result.name == formula.__name__
    assert result.attrs == units.describe(formula.__name__)
    result = result.transpose(*dict.fromkeys(dims))
    assert_allclose(np.squeeze(result.values), formula(**values))


@every_formula
def test_lazy_arrays_stay_lazy(formula):
    values = arguments(formula)
    first = next(iter(values))
    dim = formula.along or "vm"
    rows = np.broadcast_to(values[first], 3)
    expected = np.broadcast_to(formula(**values), 3)
    for lazy in (
        xr.DataArray(rows, dims=dim).chunk(),
        xr.DataArray(rows, dims=dim).chunk({dim: 2}),
        dask.array.from_array(rows, chunks=2),
    ):
        result = formula(**values | {first: lazy})
        assert result.chunks is not None
        assert_allclose(result.compute(), expected, rtol=1e-14)


@every_formula
def test_out_of_range_is_refused_by_name_value_and_index(formula):
    values = arguments(formula)
    for name in numbers(values):
        for bad in bad_values(FIELDS[name]):
            rows = np.array([np.max(values[name]), bad], dtype=float)
            with pytest.raises(
                ValueError, match=rf"^{name} must be .*got .* at index \(1,\)$"
            ):
                formula(**values | {name: rows})
        if name in formula.over:  # the shapes are looked at first
            continue
        later = formula(**values | {name: dask.array.from_array(rows, chunks=1)})
        with pytest.raises(ValueError, match=rf"^{name} must be .* \(1,\)$"):
            later.compute()
    with pytest.raises(ValueError, match=r"must be a number; got 'ten'"):
        formula(**values | {name: "ten"})


@every_formula
def test_an_unknown_choice_is_refused_by_name(formula):
    values = arguments(formula)
    for name in values.keys() - set(numbers(values)):
        with pytest.raises(ValueError, match=f"^{name} must be one of .*; got 'x'$"):
            formula(**values | {name: "x"})


@every_formula
def test_a_table_is_refused_for_its_labels_would_be_lost(formula):
    values = arguments(formula)
    table = pd.DataFrame({"a": [1.0], "b": [2.0]})
    for name in numbers(values):
        with pytest.raises(ValueError, match=rf"^{name} must be .*not a DataFrame$"):
            formula(**values | {name: table})


@every_formula
def test_result_lies_in_the_range_of_its_field(formula):
    result = formula(**arguments(formula))
    bounds = FIELDS[formula.__name__].range
    assert all(float(number) in bounds for number in np.atleast_1d(result))


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_typical_value_is_allowed(field):
    if field.range:
        assert field.typical in field.range
    if field.choices:
        assert field.typical in field.choices


# what is taken where a caller says nothing: jobs of a jam, of a slot and of an interval
# are equal unless they are said to vary, those of a line are exponential
TAKEN = {
    "area_frac": 1, "beyond_h": 0, "day_starts": 1, "family": "gamma",
    "fresh_gib_per_day": 0, "month_day": 0, "monthly_points": 0,
    "most_days": 1, "page_order": "scattered", "protected_days": np.inf,
    "request_overlap_frac": 1,
    "rewritten_frac": 0, "share_frac": 1, "snapshot_policy": "standard",
    "start_slack_h": 0, "stored_reading": "upper", "transfer_family": "gamma",
    "transfer_h": 0, "transfer_scv": 0, "waiting_scv": 1, "weekly_points": 0,
    "yearly_growth_frac": 0, "yearly_points": 0,
}  # fmt: skip
EQUAL = {"jam", "slots", "no"}


@every_formula
def test_what_nobody_gives_is_nothing_or_plain(formula):
    for name, parameter in inspect.signature(formula).parameters.items():
        if parameter.default is parameter.empty:
            continue
        if name == "service_scv":
            assert parameter.default == (formula.__name__.split("_")[0] not in EQUAL)
        else:
            assert parameter.default == TAKEN[name], name
