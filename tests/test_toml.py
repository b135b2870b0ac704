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


DEEP = "[" * 9 + "]" * 9
TEXTS = (
    '''
none = [0.5, 1.5]
one = "[[[[[[[[[[[" # {{{{{{{{{{{
two = """
a.b.c.d.e.f.g.h.i.j.k.l = [[[[[[[[[[[\\"""""
'''
    + "three = '''a.b.c.d.e.f.g.h.i.j.k.l [[[[[[[[[[[''''"
)


@pytest.mark.parametrize(
    "text",
    [TEXTS, f"a.b = {DEEP}", f"a = [{DEEP}]", "a.b.c.d.e.f.g.h.i.j.k = 1"],
)
def test_ten_levels_nest_and_those_in_texts_do_not_count(text):
    assert _toml.parse(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        f"a = [[{DEEP}]]",
        "a.b.c.d.e.f.g.h.i.j.k.l = 1",
        f'a = ["""x""""", [{DEEP}]]',
        f"a = ['''x''''', {{a = {{b.c = {DEEP}}}}}]",
    ],
)
def test_more_levels_are_refused(text):
    assert tomllib.loads(text)
    with pytest.raises(ValueError, match="line 1 nests more than 10 levels deep"):
        _toml.parse(text)


@pytest.mark.parametrize("text", ["x = " + "[" * 10_000, "x = ", "x = 1\nx = 2"])
def test_what_is_no_toml_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".+"):
        _toml.parse(text)
