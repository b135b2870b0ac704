"""The front door: what `import vmbmodel as vm` offers, and what that costs."""

import json
import re
import subprocess
import sys

import pandas as pd
import pytest

import vmbmodel as vm
from vmbmodel.inventory.fleet import InventoryError

OFFERED = [
    "Scenario",
    "calibrate",
    "check",
    "compare",
    "diff",
    "doubt",
    "estimate",
    "formulas",
    "limits",
    "prices",
    "profile",
    "read_fleet",
    "reconcile",
    "sample_fleet",
    "schedule",
    "sweep",
]
ASKED = {"estimate": vm.estimate, "check": vm.check, "schedule": vm.schedule}


@pytest.fixture(scope="module")
def fleet():
    return vm.sample_fleet().head(6)


@pytest.fixture
def path(fleet, tmp_path):
    fleet.to_csv(tmp_path / "fleet.csv", index=False)
    return str(tmp_path / "fleet.csv")


def test_the_door_offers_this_and_no_more():
    assert dir(vm) == OFFERED
    assert vm.__all__ == OFFERED
    assert all(getattr(vm, name).__doc__ for name in OFFERED)


def test_names_are_found_by_tab_and_not_made_up():
    assert "jam_mean_wait_h" in dir(vm.formulas)
    assert all(callable(getattr(vm.formulas, name)) for name in dir(vm.formulas))
    with pytest.raises(AttributeError, match="estimates"):
        vm.estimates  # noqa: B018


def test_what_was_asked_for_once_is_not_looked_for_again():
    asked = vm.formulas.initial_h
    assert vars(vm.formulas)["initial_h"] is asked
    assert vm.Scenario is vars(vm)["Scenario"]


def test_opening_the_door_costs_nothing():
    code = "import sys; old = {*sys.modules}; import vmbmodel"
    code += "; print(*{*sys.modules} - old)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == {"vmbmodel", "vmbmodel._lazy"}


@pytest.mark.parametrize("name", ASKED)
def test_a_path_and_a_table_are_answered_alike(name, fleet, path):
    of_path, of_table = ASKED[name](path), ASKED[name](fleet)
    saved = [answer.to_dict() for answer in (of_path, of_table)]
    for one in saved:
        one.pop("solver", None)  # tells how long it took
    assert saved[0] == saved[1]
    assert repr(of_path) == repr(of_table)
    assert of_path._repr_html_() == of_table._repr_html_()
    assert "<p>" in of_path._repr_html_()


@pytest.mark.parametrize("name", ASKED)
def test_a_path_and_a_table_are_refused_alike(name, fleet, tmp_path):
    wrong = fleet.assign(used_gib=fleet["size_gib"] + 1, managed="perhaps")
    wrong.to_csv(tmp_path / "wrong.csv", index=False)

    def findings(inventory):
        with pytest.raises(InventoryError) as caught:
            ASKED[name](inventory)
        lines = str(caught.value).splitlines()
        # wherever it is, and whether its cells are text or numbers
        return [re.search(r"\w+ = .*", line)[0].replace("'", "") for line in lines]

    found = findings(tmp_path / "wrong.csv")
    assert len(found) == 2 * len(fleet)
    assert findings(wrong) == found


def test_a_fleet_is_read_as_it_is_answered(fleet, path):
    pd.testing.assert_frame_equal(vm.read_fleet(path), fleet)


def test_the_sets_of_the_door_are_those_of_an_estimate(fleet):
    used = dict(vm.estimate(fleet).scenario.sets())
    assert used == {
        "profile": vm.profile(),
        "prices": vm.prices(),
        "limits": vm.limits(),
    }
    old = vm.Scenario.of(vm.profile("azure-2018-12"))
    assert vm.estimate(fleet, old).scenario.limits == vm.limits("2018-12")
    for load in (vm.profile, vm.prices, vm.limits):
        assert load(load()) is load()


def test_two_estimates_differ_by_what_was_changed(fleet, tmp_path):
    more = vm.Scenario.of(settings={"recovery_points": 90})
    answers = [vm.estimate(fleet), vm.estimate(fleet, more)]
    paths = [tmp_path / f"{i}.json" for i in range(2)]
    for saved, answer in zip(paths, answers, strict=True):
        saved.write_text(json.dumps(answer.to_dict()))
    change = vm.diff(*paths)
    assert change.to_dict() == vm.diff(*answers).to_dict()
    rise = answers[1].total["total_usd"] - answers[0].total["total_usd"]
    assert change.totals.loc["total_usd", "change"] == pytest.approx(rise)
    assert "total_usd" in repr(change)
    asis, case = vm.compare(fleet, None, [{"recovery_points": 90}])
    assert asis["total_usd"] == answers[0].total["total_usd"]
    assert case["total_usd"] == answers[1].total["total_usd"]


def test_a_formula_is_swept_by_its_name():
    wait = vm.sweep(vm.formulas.jam_mean_wait_h, jobs=[10, 20], vault_servers=10,
                    service_h=0.5)  # fmt: skip
    assert wait.dims == ("jobs",)
    assert wait.to_numpy().tolist() == [0.0, 0.25]


@pytest.mark.parametrize("name", ["estimate", "doubt", "check", "schedule"])
def test_a_profile_in_the_place_of_a_scenario_is_called_none(fleet, name):
    for other in ("azure-2018-12", {"deadline_h": 6}, vm.profile("azure-2018-12")):
        with pytest.raises(TypeError, match=r"^scenario must be a Scenario, as Scen"):
            getattr(vm, name)(fleet, other)


def test_a_bill_in_memory_is_called_one(fleet):
    with pytest.raises(TypeError, match=r"^a bill is read from its files"):
        vm.reconcile(fleet, pd.DataFrame({"BilledCost": [1.0]}))
