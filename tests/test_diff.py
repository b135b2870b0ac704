"""Two estimates: the causes of a change add up to it, and are the ones changed."""

import json
import math
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.saved import CAUSES, Inputs, diff, differences, read_saved
from vmbmodel.plan.scenario import Scenario


def disks(**changes):
    rows = [
        {"vm": "a", "disk": "os", "role": "os", "size_gib": 128, "used_gib": 47},
        {"vm": "b", "disk": "os", "role": "os", "size_gib": 2048, "used_gib": 400},
        {"vm": "b", "disk": "d", "role": "data", "size_gib": 2048, "used_gib": 800},
        {"vm": "c", "disk": "os", "role": "os", "size_gib": 512, "used_gib": 400},
    ]
    return pd.DataFrame(rows).assign(**changes)


def saved(table=None, prices="azure-list-2026-01", profile="azure-2026-01", **options):
    scenario = Scenario.of(profile, prices, settings=options)
    answer = estimate(disks() if table is None else table, scenario).to_dict()
    return json.loads(json.dumps(answer))


BEFORE = saved()


def test_nothing_changed_by_nothing():
    answer = diff(BEFORE, BEFORE)
    assert answer.causes.empty
    assert not answer.totals["change"].any()


@pytest.mark.parametrize(
    ("after", "cause"),
    [
        (saved(disks().iloc[1:]), "vms"),
        (saved(disks().drop(index=2)), "size"),
        (saved(disks(used_gib=[47, 500, 800, 400])), "size"),
        (saved(disks(churn_gib_per_day=30)), "churn"),
        (saved(churn_frac=0.1), "churn"),
        (saved(disks(vault=["v", "v", "v", "w"])), "schedule"),
        (saved(redundancy="LRS"), "retention"),
        (saved(disks(redundancy="LRS")), "retention"),
        (saved(snapshot_points=5), "retention"),
        (saved(instance_fee_usd=12), "prices"),
        (saved(profile="azure-2018-12"), "profile"),
        (saved(blob_mib_s=10), "profile"),
        (saved(disks(cc_mode=True)), "other"),
    ],
)
def test_one_cause_takes_the_whole_change(after, cause):
    answer = diff(BEFORE, after)
    assert list(answer.causes.index) == [cause]
    for name, row in answer.totals.iterrows():
        assert answer.causes.loc[cause, name] == pytest.approx(row["change"], abs=1e-9)


def test_more_data_at_a_higher_price_is_halved():
    # by hand: 100 to 200 GiB of vault storage, 1 to 3 dollars a GiB, no churn
    one = pd.DataFrame(
        [{"vm": "a", "disk": "d", "role": "os", "size_gib": 512, "used_gib": 100}]
    )
    options = {"churn_frac": 0, "snapshot_points": 0}
    before = saved(one, **options, grs_usd_per_gib_month=1)
    after = saved(one.assign(used_gib=200), **options, grs_usd_per_gib_month=3)
    causes = diff(before, after).causes["storage_usd"]
    assert causes["size"] == pytest.approx((100 * 1 + 100 * 3) / 2)
    assert causes["prices"] == pytest.approx((2 * 100 + 2 * 200) / 2)


def test_another_version_of_the_model_is_a_cause_of_its_own():
    after = saved(churn_frac=0.1)
    older = json.loads(json.dumps(BEFORE))
    older["total"]["total_usd"] += 7
    answer = diff(older, after)
    assert answer.causes.loc["model", "total_usd"] == pytest.approx(-7)
    assert answer.causes["total_usd"].sum() == pytest.approx(
        answer.totals.loc["total_usd", "change"]
    )


@st.composite
def estimates(draw):
    names = draw(st.permutations(["a", "b", "c"]))[: draw(st.integers(1, 3))]
    rows = [
        {
            "vm": name,
            "disk": disk,
            "role": "os" if disk == "os" else "data",
            "size_gib": 4095,
            "used_gib": draw(st.integers(0, 4095)),
            "churn_gib_per_day": draw(st.sampled_from([None, 0, 20, 500])),
            "vault": draw(st.sampled_from(["v", "w"])) if disk == "os" else None,
            "start_h": draw(st.sampled_from([1, 23])) if disk == "os" else None,
        }
        for name in names
        for disk in (["os", "d"] if draw(st.booleans()) else ["os"])
    ]
    options = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "churn_frac": st.sampled_from([0.01, 0.2]),
                "snapshot_policy": st.sampled_from(["standard", "enhanced"]),
                "instance_fee_usd": st.sampled_from([8, 12]),
                "vault_servers": st.just(1),
                "deadline_h": st.sampled_from([4, 8]),
            },
        )
    )
    profile = draw(st.sampled_from(["azure-2018-12", "azure-2026-01"]))
    return rows, options | {"profile": profile}


@pytest.mark.slow
@given(estimates(), estimates())
@settings(max_examples=5)
def test_the_causes_add_up_and_the_way_back_is_the_opposite(first, second):
    before, after = (saved(pd.DataFrame(rows), **of) for rows, of in (first, second))
    there, back = diff(before, after), diff(after, before)
    assert set(there.causes.index) <= set(CAUSES) - {"model"}
    for name, row in there.totals.iterrows():
        size = 1 + row.abs().max()
        total = math.fsum(there.causes[name])
        assert total == pytest.approx(row["change"], abs=1e-9 * size)
    pd.testing.assert_frame_equal(
        there.causes.sort_index(), -back.causes.sort_index(), rtol=1e-9, atol=1e-6
    )


@pytest.fixture
def files(tmp_path):
    after = saved(disks(used_gib=[60, 400, 800, 600]).iloc[[0, 1, 2]])
    paths = tmp_path / "a.json", tmp_path / "b.json"
    for path, result in zip(paths, (BEFORE, after), strict=True):
        path.write_text(json.dumps(result))
    return [str(path) for path in paths]


def run(*words):
    return CliRunner().invoke(app, ["diff", *words])


def test_the_command_shows_totals_causes_and_vms(files):
    out = run(*files)
    assert out.exit_code == 0, out.output
    for word in ("total_usd", "size", "vms"):
        assert word in out.output
    assert run(files[0], files[0]).output == "Nothing changed.\n"
    answer = json.loads(run(*files, "--format", "json").stdout)
    assert answer["schema"] == "vmbmodel.diff/1"
    gone = next(row for row in answer["vms"] if row["vm"] == "c")
    assert gone["after_total_usd"] is None
    assert run(*files, "--format", "csv").stdout.startswith("vm,before_total_usd,")


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("total_usd>+5%", 0),
        ("total_usd<-5%", 1),
        ("total_usd < -1", 1),
        ("vms<0", 1),
        ("vms>=0", 0),
        ("total_usd", 2),
        ("total_eur>1", 2),
        ("total_usd>1.2.3", 2),
    ],
)
def test_a_gate_asks_for_the_change_of_a_total(files, condition, status):
    assert run(*files, "--fail-on", condition).exit_code == status


NO_JSON = "; an estimate is saved with --format json"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", NO_JSON),
        ("{", NO_JSON),
        ("vm,done_p95_h\na,1.5\n", NO_JSON),
        ("[]", "is no result of the form"),
        ('{"schema": "vmbmodel.estimate/2"}', "model must be an object"),
    ],
)
def test_what_is_no_estimate_ends_with_2(files, tmp_path, text, said):
    path = tmp_path / "no.json"
    path.write_text(text)
    for pair in ([files[0], str(path)], [str(path), files[1]]):
        out = run(*pair)
        assert out.exit_code == 2
        assert re.search(rf"no\.json: .*{said}", out.output)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"total": 5}, "total must be an object"),
        ({"total": {"total_usd": "much"}}, "total: total_usd must be a number"),
        ({"total": {"total_usd": 10**400}}, "total: total_usd must be a number"),
        ({"total": {"total_usd": math.nan}}, "total: total_usd must be a number"),
        ({"vms": [{}]}, "vms, row 1: must have a name, vm"),
        ({"vms": [{"vm": "a"}, {"vm": "a"}]}, "vms, row 2: 'a' stands twice"),
        (
            {"vms": [{"vm": "a", "deadline_prob": True}]},
            "vms, row 1: deadline_prob must be a number; it is True",
        ),
    ],
)
def test_a_damaged_result_ends_with_2_and_says_what_is_wrong(
    files, tmp_path, change, rule
):
    path = tmp_path / "no.json"
    path.write_text(json.dumps(BEFORE | change))
    out = run(files[0], str(path))
    assert out.exit_code == 2
    assert f"no.json: {rule}" in out.output
    with pytest.raises(ValueError, match=f"second result: {rule}"):
        diff(BEFORE, BEFORE | change)


def test_vms_of_a_vault_that_moved_show_what_changed_of_them(tmp_path):
    rows = [
        {"vm": f"v{n:03}", "disk": "os", "role": "os", "size_gib": 512, "used_gib": 400}
        for n in range(9)
    ]
    table = pd.DataFrame(rows).assign(vault="a")
    moved = table.assign(vault=["b"] * 3 + ["a"] * 6)
    paths = tmp_path / "a.json", tmp_path / "b.json"
    for path, one in zip(paths, (table, moved), strict=True):
        path.write_text(json.dumps(saved(one, vault_servers=2)))
    shown = run(*map(str, paths)).output.split()
    assert {"own", "done,"} < set(shown)
    assert "bill," not in shown  # it is the same before and after


def test_the_last_digits_of_a_sum_are_no_change(tmp_path):
    after = json.loads(json.dumps(BEFORE))
    for name, value in after["total"].items():
        if isinstance(value, float):
            after["total"][name] = math.nextafter(value, math.inf)
    for row in after["vms"]:
        row["total_usd"] = math.nextafter(row["total_usd"], 0)
    answer = diff(BEFORE, after)
    assert not answer.totals["change"].any()
    assert answer.causes.empty or not answer.causes.to_numpy().any()
    paths = tmp_path / "a.json", tmp_path / "b.json"
    for path, one in zip(paths, (BEFORE, after), strict=True):
        path.write_text(json.dumps(one))
    assert run(*map(str, paths)).output == "Nothing changed.\n"


# --- a saved estimate against what it is computed to again -------------------------


def beside_the_digest(altered, again):
    return [d for d in differences(altered, again) if d.place != "digest"]


@pytest.fixture(scope="module")
def again():
    return Inputs.of(BEFORE).estimate()


@pytest.mark.parametrize("place", ["total", "vms"])
@pytest.mark.parametrize(
    ("off", "seen"), [(1 + 2e-9, True), (1 - 2e-9, True), (1 + 5e-10, False)]
)
def test_a_figure_may_differ_in_its_tenth_digit(again, place, off, seen):
    altered = json.loads(json.dumps(BEFORE))
    part = altered[place] if place == "total" else altered[place][1]
    part["total_usd"] *= off
    told = [told.place for told in beside_the_digest(altered, again)]
    name = "total.total_usd" if place == "total" else "vms.b.total_usd"
    assert told == [name] * seen


@pytest.mark.parametrize(("least", "seen"), [(2e-13, True), (5e-14, False)])
def test_next_to_nothing_is_nothing_to_the_thirteenth_digit(again, least, seen):
    altered = json.loads(json.dumps(BEFORE))
    assert altered["vms"][0]["own_line_mean_h"] == 0
    altered["vms"][0]["own_line_mean_h"] = least
    told = [told.place for told in beside_the_digest(altered, again)]
    assert told == ["vms.a.own_line_mean_h"] * seen


def test_what_is_not_there_any_more_and_what_is_there_besides(again):
    altered = json.loads(json.dumps(BEFORE))
    altered["total"]["more"] = 1
    del altered["inputs"]
    for row in altered["vms"]:
        row["own"] = 1
        del row["stored_gib"]
    altered["vms"][2]["start_h"] = True  # which is no number
    altered["vms"][0]["vault"] = "other"
    told = {d.place: (d.saved, d.now) for d in beside_the_digest(altered, again)}
    assert told["total.more"] == (1, "(absent)")
    assert told["inputs"][0] == "(absent)"
    assert told["vms.*.own"] == ("there", "(absent)")
    assert told["vms.*.stored_gib"] == ("(absent)", "there")
    assert told["vms.c.start_h"][0] is True
    assert told["vms.a.vault"][0] == "other"
    assert len(told) == 6
    altered["vms"][0]["vm"] = "d"
    said = [d for d in beside_the_digest(altered, again) if d.place == "vms"]
    assert [(d.saved, d.now) for d in said] == [("3 VMs", "3 VMs, or other ones")]


@pytest.mark.parametrize(
    ("draws", "right"), [(0, True), (65536, True), (65537, False), (-1, False)]
)
def test_a_saved_estimate_was_drawn_a_bounded_number_of_times(tmp_path, draws, right):
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(BEFORE | {"interval": {"draws": draws}}))
    if right:
        assert Inputs.of(read_saved(path)).draws == draws
    else:
        with pytest.raises(ValueError, match="a whole number, at most 65,536"):
            read_saved(path)


def test_a_table_that_is_no_result_is_refused_as_a_file_is():
    whole = BEFORE
    for part in ("vms", "model", "given"):
        some = {key: value for key, value in whole.items() if key != part}
        with pytest.raises(ValueError, match=f"the second result: {part}"):
            diff(whole, some)
    with pytest.raises(ValueError, match="the first result: is no result of the form"):
        diff({"vms": []}, whole)
