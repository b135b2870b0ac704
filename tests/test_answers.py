"""`vmbmodel.plan.answers`: what every answer has, and how it shows itself."""

import json
import math
import re

import numpy as np
import pandas as pd
import pytest

from vmbmodel.inventory.bill import Bill
from vmbmodel.inventory.files import InventoryError
from vmbmodel.plan import Scenario
from vmbmodel.plan.answers import plain
from vmbmodel.plan.bill import reconcile
from vmbmodel.plan.calibrate import calibrate
from vmbmodel.plan.check import check
from vmbmodel.plan.estimate import compare, estimate
from vmbmodel.plan.saved import diff
from vmbmodel.plan.schedule import schedule


def fleet(*names, **changes):
    disk = {"disk": "os", "role": "os", "size_gib": 128, "used_gib": 47} | changes
    return pd.DataFrame([{"vm": name} | disk for name in names])


def many():
    return fleet(*(f"vm-{number:02}" for number in range(40)))


def jobs():
    rng = np.random.default_rng(3)
    times = rng.uniform(1, 2, 40)
    row = {"status": "Completed", "operation": "Backup", "vm": "a"}
    starts = pd.date_range("2026-03-01T22:00Z", periods=40, freq="D")
    return pd.DataFrame([row | {"job_h": hours} for hours in times]).assign(
        start_time=starts
    )


def bill():
    row = {"month": "2026-01", "vault": "<script>", "line": "instances"}
    rows = pd.DataFrame([row | {"quantity": 0.5, "cost": 5.0}])
    return Bill(rows, {"2026-01": 1.0}, "USD", {}, 1, 0)


def answers(disks):
    """One answer of each kind, some of them of the inventory."""
    return {
        "estimate": estimate(disks),
        "check": check(disks),
        "schedule": schedule(disks),
        "calibrate": calibrate(jobs()),
        "diff": diff(estimate(disks), estimate(disks.assign(used_gib=90))),
        "reconcile": reconcile(disks, bill()),
    }


@pytest.fixture(scope="module")
def of_one():
    return answers(fleet("<script>alert(1)</script>&"))


@pytest.fixture(scope="module")
def of_many():
    return answers(many())


KINDS = ["estimate", "check", "schedule", "calibrate", "diff", "reconcile"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_shows_names_as_text(of_one, kind):
    page = of_one[kind]._repr_html_()
    assert not re.search("<script", page, re.I)
    assert page.count("<table") == page.count("</table>") <= 1
    assert "<p>" in page


@pytest.mark.parametrize("kind", ["estimate", "schedule"])
def test_a_page_shows_the_name_of_each_vm(of_one, of_many, kind):
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in of_one[kind]._repr_html_()
    page = of_many[kind]._repr_html_()
    assert page.count("<tr") == 21  # heads and twenty VMs
    assert "... and 20 more VMs" in page


@pytest.mark.parametrize("kind", KINDS)
def test_a_terminal_has_room(of_many, kind):
    text = repr(of_many[kind])
    assert str(of_many[kind]) == text
    assert text.count("\n") < 17


def test_a_terminal_counts_what_it_leaves_out(of_many, of_one):
    assert "... and 34 more VMs" in repr(of_many["estimate"])
    assert "... and" not in repr(of_one["estimate"])


def test_the_totals_are_those_of_the_answer(of_many):
    answer = of_many["estimate"]
    for text in (repr(answer), answer._repr_html_()):
        assert f"{answer.total['total_usd']:,.2f}" in text
        assert "azure-2026-01" in text


def test_columns_are_named_as_in_code_and_labelled_on_a_page(of_one):
    assert "done_p95_h" in repr(of_one["estimate"])
    assert "done, 95 % (h)" in of_one["estimate"]._repr_html_()


def test_an_answer_about_nothing_is_shown_too():
    none = fleet("a", excluded=True)
    assert "0.00 USD" in re.sub(r"USD a month: (\S+)", r"\1 USD", repr(estimate(none)))
    plan = schedule(none)
    assert len(plan.vms) == 0
    assert "<table" not in plan._repr_html_()
    assert "expected_misses 0 -> 0" in repr(plan)
    assert repr(diff(estimate(none), estimate(none))) == "No total changed."
    assert "0 errors" in repr(check(none))


def test_what_never_ends_is_said_in_a_word():
    busy = fleet(*"abc", size_gib=32767, used_gib=32767)
    answer = estimate(busy, Scenario.of(settings={"vault_servers": 1}))
    assert "never" in repr(answer)
    assert answer.to_dict()["vms"][0]["done_p95_h"] == "inf"


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_is_json_and_says_its_form(of_one, kind):
    whole = json.loads(json.dumps(of_one[kind].to_dict(), allow_nan=False))
    assert whole["schema"] == of_one[kind].schema
    names = [name for name in whole if name != "digest"]
    assert names == [name for name, _ in of_one[kind].items()]


def test_plain_values():
    found = plain({"a": np.int64(3), "b": (np.float64("inf"), math.nan, pd.NA, True)})
    assert found == {"a": 3, "b": ["inf", None, None, True]}
    assert type(found["a"]) is int


def test_a_file_and_a_table_give_the_same(tmp_path):
    path = tmp_path / "fleet.csv"
    many().to_csv(path, index=False)
    assert estimate(path).to_dict() == estimate(many()).to_dict()
    assert check(path).to_dict() == check(many()).to_dict()
    case = [{"redundancy": "LRS"}]
    assert compare(path, None, case) == compare(many(), None, case)
    saved = tmp_path / "saved.json"
    saved.write_text(json.dumps(estimate(path).to_dict()))
    changed = estimate(many().assign(used_gib=60))
    assert diff(saved, changed).to_dict() == diff(estimate(many()), changed).to_dict()


@pytest.mark.parametrize(
    "ask", [estimate, check, schedule, lambda f: reconcile(f, bill())]
)
def test_a_table_is_checked_as_a_file_is(ask, tmp_path):
    wrong = fleet("a", "b", used_gib=500)
    path = tmp_path / "fleet.csv"
    wrong.to_csv(path, index=False)
    for given in (wrong, path):
        with pytest.raises(InventoryError, match=r"(?s)(must be <= size_gib.*){2}"):
            ask(given)
