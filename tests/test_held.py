"""Nothing moves unseen: what the package answered, held in files, compared.

Other tests compare with numbers that are not ours. These ones compare with our own of
before, over settings and inventories that go through every branch and along the edges,
and so see what no other test has thought of. They are no proof of anything.
"""

import math
import re

import pytest
from holding import CASES, FOLDER, held, plain

SLOW = {
    "doubt/overload",
    "estimate/edges, overload",
    "formulas/jam_wait_quantile_h of many",
    "kernels/days by the rule",
    "kernels/days of many",
    "kernels/jams",
    "kernels/jams at their bounds",
    "logs/nights enough, totals",
    "plan/changed since",
    "plan/check in words",
    "schedule/accounts",
    "schedule/kept",
    "together/around midnight",
    "together/computed again",
    "together/difference",
    "together/gamma",
    "tried/alike",
    "tried/between half-hours",
    "tried/in accounts",
    "tried/many",
    "tried/midnight",
    "tried/twelve",
}
"""Cases of a second or more, which ``make test`` leaves to ``.ci/run``."""
SOLVED = ("calibrate", "doubt", "logs", "schedule", "tried")
"""Where a search ends depends on the last digits of what it goes through."""
OF_A_FIT = {
    "calibrate": re.compile(r"\.(low|high)\b"),
    "logs": re.compile(r"\.(low|high|value|laws|samples)\b"),
}
"""Where a log leaves a constant open, two processors were up to 4e-4 apart.

In odd logs it was 2e-3.
"""


def within(file, place):
    if file in OF_A_FIT and OF_A_FIT[file].search(place):
        return 1e-2 if file == "logs" else 1e-3
    return 1e-6 if file in SOLVED else 1e-9


def moved(was, now, file, place=""):
    """Give each place where two results differ, and both."""
    if isinstance(was, dict) and isinstance(now, dict):
        if was.keys() == now.keys() and list(was) != list(now):
            yield f"{place[1:]}: {', '.join(was)} -> {', '.join(now)}"
        for name in {**was, **now}:
            yield from moved(was.get(name), now.get(name), file, f"{place}.{name}")
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, pair in enumerate(zip(was, now, strict=True)):
            yield from moved(*pair, file, f"{place}[{number}]")
    elif not same(was, now, within(file, place)):
        yield f"{place[1:]}: {was!r} -> {now!r}"


def same(was, now, rel):
    numbers = all(type(value) in (int, float) for value in (was, now))
    if numbers:
        return math.isclose(was, now, rel_tol=rel, abs_tol=1e-12)
    return type(was) is type(now) and was == now


@pytest.mark.parametrize(
    "name", [pytest.param(c, marks=[pytest.mark.slow] * (c in SLOW)) for c in CASES]
)
def test_what_was_answered_is_answered(name):
    file, _, rest = name.partition("/")
    found = list(moved(held(file)[rest], plain(CASES[name]()), file))
    assert not found, (
        f"{len(found)} moved. If that is meant, say in CHANGELOG.md which, which way "
        f"and why, and write them anew: python tests/hold.py {file}\n"
        + "\n".join(found[:10])
    )


def test_nothing_is_held_of_a_case_that_is_gone():
    files = {name.partition("/")[0] for name in CASES}
    assert {path.stem for path in FOLDER.iterdir()} == files
    assert CASES.keys() >= SLOW
    for file in files:
        cases = {name for name in CASES if name.startswith(f"{file}/")}
        assert {f"{file}/{rest}" for rest in held(file)} == cases


def test_a_moved_number_is_seen():
    was = {"a": [1.0, {"b": "x"}], "c": 1}
    assert not [*moved(was, {"a": [1, {"b": "x"}], "c": 1 + 1e-12}, 1e-9)]
    assert [*moved(was, {"c": 1, "a": was["a"]}, 1e-9)] == [": a, c -> c, a"]
    now = {"a": [1.0 + 1e-8, {"b": "y"}], "c": True, "d": None}
    assert len([*moved(was, now, 1e-9)]) == 3
