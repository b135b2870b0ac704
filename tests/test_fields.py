"""Units: what a name says, what a vendor prints, and what pint thinks of it."""

import itertools

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel import fields as units
from vmbmodel.fields import Interval, convert, describe, fields, unit_of

ordinary = st.floats(1e-150, 1e150)

# What we write, as pint writes it: a vendor's sizes are binary, its rates decimal.
AS_PINT = {
    "KB": "KiB",
    "KiB": "KiB",
    "MiB": "MiB",
    "GB": "GiB",
    "GiB": "GiB",
    "TB": "TiB",
    "TiB": "TiB",
    "Mbps": "megabit/second",
    "Gbps": "gigabit/second",
    "MB/s": "megabyte/second",
    "MBps": "megabyte/second",
    "MiB/s": "MiB/second",
    "GB/day": "GiB/day",
    "GiB/d": "GiB/day",
    "s": "second",
    "min": "minute",
    "h": "hour",
    "days": "day",
    "requests/s": "1/second",
    "IOPS": "1/second",
    "1/s": "1/second",
    "%": "percent",
    "-": "dimensionless",
    "USD": "USD",
    "USD/(GB month)": "USD/(GiB * month)",
    "USD/(GiB month)": "USD/(GiB * month)",
}
# dimensions that pint does not tell apart, and we do
KINDS = [
    {"KB", "KiB", "MiB", "GB", "GiB", "TB", "TiB"},
    {"Mbps", "Gbps", "MB/s", "MBps", "MiB/s"},
    {"GB/day", "GiB/d"},
    {"s", "min", "h", "days"},
    {"requests/s", "IOPS", "1/s"},
    {"%", "-"},
    {"USD"},
    {"USD/(GB month)", "USD/(GiB month)"},
]


@pytest.fixture(scope="module")
def registry():
    registry = pint.UnitRegistry()
    registry.define("USD = [money]")
    return registry


@pytest.mark.parametrize(
    ("value", "unit", "to", "published"),
    [
        # Pool, wiki of the backup program "conserve" (2014), page "Scaling":
        # an uplink of 1.5 Mbps moves 675 MB an hour
        (1.5, "Mbps", "MB/s", 675 / 3600),
        # IEC 80000-13: 1 GiB is 1 073 741 824 bytes
        (1_073_741_824 / 1e6, "MB/s", "MiB/s", 1024),
        # BIPM, SI brochure, table 8: 1 d = 24 h = 86 400 s
        (1, "days", "h", 24),
        (1, "days", "s", 86_400),
        # Microsoft's managed disks: a "1-TB" P30 is listed with 1,024 GiB
        (1, "TB", "GiB", 1024),
    ],
)
def test_published_equalities(value, unit, to, published):
    assert_allclose(convert(value, unit, to=to), published, rtol=1e-15)


def test_kinds_cover_every_unit():
    assert set(AS_PINT) == set().union(*KINDS)
    with pytest.raises(ValueError, match="known: ") as refusal:
        convert(1, "furlong", to="h")
    assert str(refusal.value).endswith(f"known: {', '.join(AS_PINT)}")


@pytest.mark.parametrize(
    ("unit", "to"),
    [pair for kind in KINDS for pair in itertools.product(sorted(kind), repeat=2)],
)
def test_agrees_with_pint(registry, unit, to):
    expected = registry.Quantity(640.0, AS_PINT[unit]).to(AS_PINT[to]).magnitude
    assert_allclose(convert(640, unit, to=to), expected, rtol=1e-14)


@given(
    st.sampled_from(KINDS).flatmap(
        lambda k: st.tuples(*[st.sampled_from(sorted(k))] * 2)
    ),
    ordinary,
)
def test_there_and_back_changes_nothing(pair, value):
    there, back = pair
    assert_allclose(convert(convert(value, there, to=back), back, to=there), value)


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(KINDS, 2)))
def test_different_kinds_do_not_mix(one, other):
    unit, to = min(one), min(other)
    with pytest.raises(ValueError, match=r"is a .*, '.*' a "):
        convert(1, unit, to=to)


def test_megabits_and_megabytes_are_eight_apart():
    assert convert(640, "Mbps", to="MiB/s") * 8 == convert(640, "MB/s", to="MiB/s")


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("churn_gib_per_day", "GiB/d"),  # not "1/h", not "GiB"
        ("rate_usd_per_gib_month", "USD/(GiB month)"),
        ("arrivals_per_h", "1/h"),
        ("wait_h", "h"),
        ("blob_iops", "1/s"),
        ("servers", "-"),
        ("graph", "-"),  # a word that merely ends in the letter
    ],
)
def test_longest_suffix_counts(name, unit):
    assert unit_of(name) == unit


def test_a_field_says_what_plots_need():
    assert describe("wait_h") == {"long_name": "wait", "units": "h"}
    with pytest.raises(KeyError):
        describe("no_such_field")


def test_a_row_is_parsed_when_it_is_asked_for(monkeypatch):
    parsed = []
    monkeypatch.setattr(units.tomllib, "loads", lambda text: parsed.append(text) or {})
    monkeypatch.setattr(units, "Field", lambda name: name)
    table = fields.__wrapped__()
    assert "servers" in table
    assert len(table) == len(list(table)) == len(fields())
    assert parsed == []
    assert table["servers"] == table["servers"] == "servers"
    assert len(parsed) == 1


def test_defaults_are_those_of_the_table():
    filled = {n: f.default for n, f in fields().items() if f.default is not None}
    assert units.defaults() == filled


def test_field_table_cannot_be_changed():
    with pytest.raises(TypeError):
        fields()["wait_h"] = None
    with pytest.raises(AttributeError):
        fields()["wait_h"].label = "something else"


@pytest.mark.parametrize("field", fields().values(), ids=fields())
def test_every_field_is_of_one_kind_and_has_a_known_unit(field):
    assert field.kind in {"number", "flag", "choice", "text"}
    assert (field.kind == "number") == (field.range is not None)
    assert field.unit in {*units.SUFFIXES.values(), "-"}


ends = st.tuples(st.floats(-1e9, 1e9), st.floats(1, 1e9), st.booleans(), st.booleans())


@given(ends, st.floats(allow_nan=False))
def test_interval_reads_what_it_writes(end, number):
    low, width, low_in, high_in = end
    high = low + width
    text = f"{'[' if low_in else '('}{low!r}, {high!r}{']' if high_in else ')'}"
    interval = Interval.parse(text)
    assert interval == Interval(low, high, low_in, high_in)
    assert (low in interval) == (low_in and low < high)
    assert (high in interval) == (high_in and low < high)
    assert (number in interval) >= (low < number < high)
    least, most = interval.ends
    assert (number in interval) == (least <= number <= most)
    assert not (number in interval and (number < low or number > high))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[0, inf)", ">= 0 and finite"),
        ("[0, inf]", ">= 0"),
        ("(0, 1]", "> 0 and <= 1"),
        ("[0, 24)", ">= 0 and < 24"),
    ],
)
def test_rule_of_an_interval_in_words(text, rule):
    interval = Interval.parse(text)
    assert interval.rule == rule
    assert str(interval) == text
    assert float("nan") not in interval


def test_what_is_typical_is_allowed():
    for field in fields().values():
        field.check(field.typical)
