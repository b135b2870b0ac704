"""The one reader of JSON, wherever the reads of a file end."""

import io
import json

import pytest

from vmbmodel._json import CHUNK, LONGEST, MissingError, Scanner, UnfitError

VALUES = [1, -2.5e3, 1e-7, 'a, ]}\\"', None, True, {"x": [1.25, {}]}, [], 12345678901]


def streamed(text, **hooks):
    return Scanner(more=io.StringIO(text).read, **hooks)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
@pytest.mark.parametrize("indent", [None, 2])
def test_values_are_whole_wherever_a_read_ends(monkeypatch, chunk, indent):
    monkeypatch.setattr("vmbmodel._json.CHUNK", chunk)
    text = json.dumps(VALUES, indent=indent)
    assert list(streamed(text).members()) == VALUES == list(Scanner(text).members())


def test_a_number_is_not_taken_before_its_exponent_is_read(monkeypatch):
    monkeypatch.setattr("vmbmodel._json.CHUNK", 1)
    assert list(streamed("[1e+5,2.5E-3,1.5]").members()) == [1e5, 2.5e-3, 1.5]


def test_the_keys_of_an_object_come_one_by_one():
    scanner = Scanner('{"a": 1, "b": [2, 3]} 4')
    found = {key: scanner.value() for key in scanner.names()}
    assert found == {"a": 1, "b": [2, 3]}
    assert scanner.value() == 4
    assert scanner.peek() == ""


@pytest.mark.parametrize(
    ("text", "character", "place"),
    [
        ('{"a" 1}', ":", (1, 6)),
        ('{"a":\n 1 "b"}', "}", (2, 4)),
        ('{"a": 1', "}", (1, 8)),
    ],
)
def test_a_missing_character_has_its_place(text, character, place):
    scanner = Scanner(text)
    with pytest.raises(MissingError) as caught:
        [scanner.value() for _ in scanner.names()]
    error = caught.value
    assert (error.character, (error.lineno, error.colno)) == (character, place)


def test_a_value_that_a_hook_refuses_has_its_place():
    def refuse(word):
        raise ValueError(f"{word} is no number")

    with pytest.raises(UnfitError, match="NaN is no number") as caught:
        list(Scanner("[1,\n  NaN]", parse_constant=refuse).members())
    assert (caught.value.lineno, caught.value.colno) == (2, 3)
    with pytest.raises(UnfitError, match="a key must be a text"):
        list(Scanner("{1: 2}").names())


def test_what_is_held_of_a_file_is_bounded():
    row = json.dumps({"name": "x" * 1000})
    scanner = streamed("[" + ",".join([row] * 5000) + "]")
    held = max(len(scanner.text) for _ in scanner.members())
    assert held < CHUNK + 2 * len(row)
    endless = streamed('["' + "x" * 3 * LONGEST)
    with pytest.raises(json.JSONDecodeError):
        list(endless.members())
    assert len(endless.text) <= LONGEST + 2 * CHUNK


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1,\n "a": 2}', (2, 5)),
        ('{"b": [{"a": 1, "a": 1}]}', (1, 7)),
    ],
)
def test_a_key_that_stands_twice_is_refused(text, place):
    scanner = Scanner(text)
    with pytest.raises(UnfitError, match="key 'a' stands twice in an object") as caught:
        [scanner.value() for _ in scanner.names()]
    assert (caught.value.lineno, caught.value.colno) == place
