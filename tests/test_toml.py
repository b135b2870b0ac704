"""What is written as TOML is what a reader of TOML gets back."""

import datetime
import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vmbmodel import _toml

values = st.text() | st.booleans() | st.dates() | st.floats(allow_nan=False)


@given(st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), values))
@example({"log": 'jobs-😀 "\\\t\n\x00\x7f\x85\u2028é.json', "none": ""})
@example({"day": datetime.date(2026, 5, 1), "no": False, "big": 1e300, "less": -0.1})
def test_a_table_comes_back(entries):
    assert tomllib.loads(_toml.table("t", entries)) == {"t": entries}


def test_what_is_no_text_is_marked():
    assert _toml.literal("jobs-\udcff-\ud83d.json") == '"jobs-\ufffd-\ufffd.json"'


def test_what_can_be_read_is_left_readable():
    assert _toml.literal("Jürgens Läufe, 😀") == '"Jürgens Läufe, 😀"'


@pytest.mark.parametrize("text", ["x = " + "[" * 10_000, "x = ", "x = 1\nx = 2"])
def test_what_is_no_toml_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".+"):
        _toml.parse(text)
