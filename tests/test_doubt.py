"""Intervals and shares of the doubt: each draw is an estimate, and nothing is mixed."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from slow import after

import vmbmodel as vm
from vmbmodel.inventory.fleet import disks_of
from vmbmodel.plan.estimate import estimate_disks
from vmbmodel.plan.estimate.doubts import (
    OF_THE_FLEET,
    OF_VMS,
    brief,
    doubt,
    doubt_of_disks,
    first_order,
    quick,
    with_ends,
)
from vmbmodel.plan.estimate.draws import Draws, _deviations, at_score
from vmbmodel.plan.estimate.others import day_load
from vmbmodel.plan.estimate.vaults import chunks, drawn_vaults
from vmbmodel.plan.estimate.walk import walk
from vmbmodel.plan.facts import backed_up, filled
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import PROFILES, Prior

SAMPLE = disks_of(vm.sample_fleet())
FIGURES = ("done_p50_h", "done_p95_h", "deadline_prob")
ASKED = (*FIGURES, "restore_vault_p95_h")


def walked(fleet, scenario, draws):
    disks, _ = filled(fleet, scenario)
    disks = disks.sort_values(["vm", "disk"], key=lambda names: names.astype(str))
    kept = backed_up(disks)
    columns = draws.columns(fleet, kept)
    return disks, kept, columns, walk(disks, kept, columns, draws.scenario, ASKED)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"vault_servers": 2.0},
        {"eight_hours": "quantile", "restore_law": "rates"},
        {"restore_accounts": 3.0, "restore_as": "replace"},
        {"snapshot_policy": "enhanced", "archive": True, "monthly_points": 24.0},
    ],
    ids=str,
)
def test_every_draw_is_the_estimate_of_its_settings_and_columns(changes):
    """Drawn all at once they are what each is by itself, to rounding."""
    scenario = Scenario.of(settings=changes)
    draws = Draws.of(scenario, 32)
    with np.errstate(all="ignore"):
        disks, kept, columns, went = walked(SAMPLE, scenario, draws)
        for at in (0, 7, 13, 31):
            own = {
                name: value[at].item() if np.ndim(value) else value
                for name, value in draws.scenario.taken.items()
            }
            cells = {name: column[at] for name, column in columns.items()}
            lone = walk(disks, kept, cells, scenario.drawn(own), ASKED)
            for name in OF_VMS:
                drawn = np.broadcast_to(went.vms[name], (32, len(went.names)))[at]
                if name in FIGURES and "vault_servers" in changes:
                    # an own line has as many nights as there is room for
                    np.testing.assert_allclose(drawn, lone.vms[name], rtol=0.25)
                    continue
                quiet = lone.vms["transfer_h"] < 24
                np.testing.assert_allclose(
                    drawn[quiet], np.asarray(lone.vms[name])[quiet], rtol=1e-9
                )
            all_h = np.broadcast_to(went.restore_all_h, 32)[at]
            assert all_h == pytest.approx(float(lone.restore_all_h), rel=1e-12)


@pytest.mark.parametrize(
    "changes",
    after(
        1,
        [
            {"eight_hours": "overload", "servers": 80.0},
            {"eight_hours": "overload", "restore_law": "rates", "restore_first": False},
            {"eight_hours": "overload", "line_reading": "one-pool"},
        ],
    ),
    ids=str,
)
def test_days_drawn_at_once_are_those_of_each_draw(changes):
    """Solved together, to some minutes, the nearly full ones too."""
    fleet = SAMPLE[SAMPLE["vm"].isin(["sql-02", "web-01", "dc-01"])]
    fleet = fleet.reset_index(drop=True)
    scenario = Scenario.of(settings=changes)
    draws = Draws.of(scenario, 32)
    fullest = int(day_load(draws.scenario).mean(axis=1).argmax())
    with np.errstate(all="ignore"):
        disks, kept, columns, went = walked(fleet, scenario, draws)
        for at in (5, fullest):
            own = {
                name: value[at].item() if np.ndim(value) else value
                for name, value in draws.scenario.taken.items()
            }
            cells = {name: column[at] for name, column in columns.items()}
            lone = walk(disks, kept, cells, scenario.drawn(own), ASKED).vms
            for name in ("done_p50_h", "done_p95_h", "restore_vault_p95_h"):
                drawn = np.broadcast_to(went.vms[name], (32, len(went.names)))[at]
                np.testing.assert_allclose(drawn, lone[name], rtol=0.01, atol=0.15)
            np.testing.assert_allclose(
                went.vms["deadline_prob"][at], lone["deadline_prob"], atol=0.02
            )


def test_what_a_log_told_together_is_drawn_together(tmp_path):
    """A row of the sample a draw, of all its constants; and what is set leaves it."""
    rng = np.random.default_rng(4)
    rows = rng.uniform(0.2, 0.4, 64)
    text = PROFILES.load("azure-2026-01").text
    for name, unit in (("snapshot_h", 1.0), ("extension_h", 0.1)):
        sample = ", ".join(f"{row * unit:.6f}" for row in rows)
        text = text.replace(f"[{name}]\n", f"[{name}]\nsample = [{sample}]\n")
    path = tmp_path / "fitted.toml"
    path.write_text(text, encoding="utf-8")
    draws = Draws.of(Scenario.of(profile=str(path)), 128)
    first, second = (draws.scenario[n][:, 0] for n in ("snapshot_h", "extension_h"))
    np.testing.assert_allclose(first, 10 * second, rtol=1e-4)
    np.testing.assert_allclose(np.sort(first)[::2], np.sort(rows), atol=1e-6)
    assert (np.diff(first[np.argsort(draws.chances["snapshot_h"])]) >= 0).all()
    told = Draws.of(Scenario.of(str(path), settings={"snapshot_h": 0.3}), 128).scenario
    assert told["snapshot_h"] == 0.3
    np.testing.assert_array_equal(told["extension_h"][:, 0], second)


def test_no_draw_asks_for_more_than_a_day_can_do():
    scenario = Scenario.of(settings={"eight_hours": "overload"})
    draws = Draws.of(scenario, 256)
    filled_to = day_load(draws.scenario).mean(axis=1)
    assert 0.98 < filled_to.max() < 0.99
    assert 0 < draws.capped == (filled_to > 0.985 - 1e-9).sum() < 60
    assert Draws.of(Scenario.of(), 64).capped == 0


def test_point_values_are_those_of_the_estimate():
    """A sample of constants at their medians is the estimate itself."""
    scenario = Scenario.of()
    answer = estimate_disks(SAMPLE, scenario)
    again = doubt_of_disks(SAMPLE, scenario, 64)
    assert answer.vms.equals(estimate_disks(SAMPLE, scenario).vms)
    inside = again.vms.set_index("vm")
    for name in ("done_p95_h", "restore_vault_p95_h", "total_usd"):
        point = answer.vms.set_index("vm")[name]
        held = (inside[f"{name}_low"] <= point) & (point <= inside[f"{name}_high"])
        assert held.mean() > 0.9, name


def test_what_the_caller_sets_is_not_drawn():
    answer = doubt_of_disks(SAMPLE, Scenario.of(settings={"incremental_mib_s": 40}), 64)
    assert "incremental_mib_s" not in answer.drawn
    assert "snapshot_h" in answer.drawn
    assert not {"deadline_h", "rto_h", "recovery_points"} & set(answer.drawn)
    assert {"deadline_h", "rto_h", "recovery_points"} <= set(answer.choices)
    told = SAMPLE.assign(recovery_points=180.0, interval_h=24.0)
    choices = doubt_of_disks(told, Scenario.of(), 64).choices
    assert set(answer.choices) - set(choices) == {"recovery_points", "interval_h"}


def test_a_measured_rate_settles_how_rates_are_read():
    known = {"incremental_mib_s": 40.0}
    names = Draws.of(Scenario.of(settings=known), 32).chances
    assert not {"reading.rate-over", "reading.disk-tier"} & set(names)
    assert {"reading.rate-over", "reading.gigabyte"} <= set(
        Draws.of(Scenario.of(), 32).chances
    )


def test_a_full_column_is_not_drawn_and_a_blank_one_is():
    row = {"vm": "a", "disk": "os", "role": "os", "size_gib": 128, "used_gib": 47}
    full = row | {
        "churn_gib_per_day": 1, "dispersion": 0.1, "write_kib": 8, "active_frac": 1
    }  # fmt: skip
    blank = {"churn_frac", "dispersion", "write_kib", "active_frac"}
    assert not blank & set(doubt(pd.DataFrame([full]), draws=32).drawn)
    assert blank <= set(doubt(pd.DataFrame([row]), draws=32).drawn)


def test_the_same_question_has_the_same_answer_and_a_vm_more_moves_no_other():
    one = doubt_of_disks(SAMPLE, Scenario.of(), 64)
    assert one.to_dict() == doubt_of_disks(SAMPLE, Scenario.of(), 64).to_dict()
    fewer = SAMPLE[SAMPLE["vm"] != "sql-02"].reset_index(drop=True)
    other = doubt_of_disks(fewer, Scenario.of(), 64).vms.set_index("vm")
    before = one.vms.set_index("vm").loc[other.index]
    for name in ("stored_gib", "total_usd", "restore_vault_p95_h"):
        for end in ("low", "high"):
            np.testing.assert_allclose(
                before[f"{name}_{end}"], other[f"{name}_{end}"], rtol=1e-12
            )


def test_shares_of_a_sum_of_known_variances():
    """Var(3 a + 2 b + c) is 9, 4 and 1 parts of 14; an independent input has none."""
    rng = np.random.default_rng(1)
    a, b, c, d = (rng.permutation(4096) / 4096 for _ in range(4))
    answer = 3 * a + 2 * b + c
    for chance, share in ((a, 9 / 14), (b, 4 / 14), (c, 1 / 14), (d, 0)):
        part = (chance * 16).astype(int)
        assert first_order(answer, part) == pytest.approx(share, abs=0.02)


def test_shares_of_ishigami():
    """Ishigami and Homma (1990): S1 .314, S2 .442, S3 0 for a = 7, b = 0.1."""
    rng = np.random.default_rng(2)
    unit = [(rng.permutation(16384) + 0.5) / 16384 for _ in range(3)]
    x = [2 * math.pi * u - math.pi for u in unit]
    answer = np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])
    shares = [first_order(answer, (64 * u).astype(int)) for u in unit]
    np.testing.assert_allclose(shares, [0.3139, 0.4424, 0], atol=0.015)


@given(
    low=st.floats(0.01, 0.4), median=st.floats(0.41, 0.59), high=st.floats(0.6, 0.99),
    shape=st.sampled_from(["lognormal", "logit", "normal"]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_one_in_ten_lies_below_and_one_in_ten_above(low, median, high, shape):
    prior = Prior(low, high, shape)
    ends = at_score(prior, median, [-1.2815515655446004, 0, 1.2815515655446004])
    np.testing.assert_allclose(ends, [low, median, high], rtol=1e-9)
    drawn = at_score(prior, median, np.linspace(-4, 4, 101))
    assert (np.diff(drawn) >= 0).all()
    assert np.isfinite(drawn).all()


@pytest.mark.parametrize(
    "settings",
    after(
        2,
        [
            {},
            {"vault_servers": 12},
            {"eight_hours": "overload", "line_reading": "one-pool"},
        ],
    ),
    ids=["lines apart", "a line in some", "one pool"],
)
def test_vaults_and_accounts_are_never_parted_and_parts_change_nothing(
    monkeypatch, settings
):
    rng = np.random.default_rng(3)
    rows = [  # three vaults of about 17, and one of 9
        {
            "vm": f"v{i}", "disk": "d", "role": "os", "size_gib": 128,
            "used_gib": float(rng.integers(5, 120)), "vault": f"vault{i * i % 7}",
            "managed": i % 5 > 0,
            "storage_account": f"account{i % 7 % 3}" if i % 5 == 0 else None,
        }
        for i in range(60)
    ]  # fmt: skip
    fleet = disks_of(pd.DataFrame(rows))
    scenario = Scenario.of(settings=settings)
    disks, _ = filled(fleet, scenario)
    parts = list(chunks(disks, 8))
    assert len(parts) > 1
    assert sorted(np.concatenate(parts)) == list(range(60))
    for name in ("vault", "storage_account"):
        for some in parts:
            mine = disks.iloc[some][name].dropna()
            rest = disks.iloc[np.setdiff1d(np.arange(60), some)][name].dropna()
            assert not set(mine) & set(rest)
    whole = doubt_of_disks(fleet, scenario, 32)
    monkeypatch.setattr("vmbmodel.plan.estimate.doubts._CELLS", 8 * 32)
    parted = doubt_of_disks(fleet, scenario, 32)
    pd.testing.assert_frame_equal(parted.vms, whole.vms, rtol=1e-12)
    assert parted.total == pytest.approx(whole.total, rel=1e-12)


def test_an_interval_covers_what_other_draws_come_to():
    """Truths from the same laws, none of them in the sample: 80 of 100 lie within."""
    inside, scenario = [], Scenario.of()
    answer = doubt_of_disks(SAMPLE, scenario, 256, seed=1)
    with np.errstate(all="ignore"):
        *_, went = walked(SAMPLE, scenario, Draws.of(scenario, 256, seed=2))
    for name in ("done_p95_h", "restore_vault_p95_h", "total_usd"):
        truth = pd.DataFrame(went.vms[name].T, index=went.names).loc[answer.vms["vm"]]
        low, high = (answer.vms[f"{name}_{end}"].to_numpy() for end in ("low", "high"))
        drawn = truth.to_numpy().T
        inside.append(((drawn >= low) & (drawn <= high)).mean())
    np.testing.assert_allclose(inside, 0.8, atol=0.05)


def test_the_verdict_is_that_of_the_draws():
    answer = doubt_of_disks(SAMPLE, Scenario.of(), 256)
    assert answer.late_vms == 0
    assert 0.15 < answer.at_risk_prob < 0.5
    assert answer.wrong_prob == answer.at_risk_prob
    first = min(answer.known, key=answer.known.get)
    assert first == "incremental_mib_s"
    assert answer.known[first] < answer.wrong_prob
    assert f"Measure {first} first" in answer.verdict["text"]
    for surer in ({"known": {}}, {"known": {first: 0.0}, "wrong_prob": 0.009}):
        assert "Measure" not in replace(answer, **surer).verdict["text"]


@pytest.fixture(scope="module")
def hurried():
    """Return the sample with a deadline that some VMs miss at the constants."""
    scenario = Scenario.of(settings={"deadline_h": 12.0})
    return scenario, doubt_of_disks(SAMPLE, scenario, 64)


def test_a_verdict_that_vms_are_late_is_wrong_where_none_is(hurried):
    scenario, answer = hurried
    now = estimate_disks(SAMPLE, scenario).vms.set_index("vm")
    with np.errstate(all="ignore"):
        *_, went = walked(SAMPLE, scenario, Draws.of(scenario, 64))
    late = (went.vms["deadline_prob"] < 0.95).any(axis=1)
    assert 0 < late.sum() < 64
    assert answer.at_risk_prob == late.mean()
    assert answer.wrong_prob == 1 - late.mean()
    assert 0 < answer.late_vms == (now["deadline_prob"] < 0.95).sum() < len(now)
    # of 64 times in order, a quarter lies up to the 16th, and three up to the 48th
    times = np.sort(went.vms["done_p95_h"], axis=0)
    point = now.loc[went.names].assign(done_p95_h=times[15])
    point.iloc[:3, point.columns.get_loc("done_p95_h")] *= 0.99
    point.iloc[3:8, point.columns.get_loc("done_p95_h")] = times[47, 3:8] * 1.01
    told = doubt_of_disks(SAMPLE, scenario, 64, point=point.reset_index())
    assert (told.lucky_vms, told.unlucky_vms) == (3, 5)
    assert answer.vms["vm"].tolist() == SAMPLE["vm"].unique().tolist()
    ends = answer.vms.set_index("vm")["done_p95_h_high"].loc[went.names]
    np.testing.assert_array_equal(ends, times[57])  # nine of ten up to the 58th


def test_what_a_verdict_says_of_one_of_many_and_of_next_to_none(hurried):
    _, answer = hurried
    sure = replace(answer, known={}, lucky_vms=0, unlucky_vms=0)

    def said(**changes):
        return " ".join(replace(sure, **changes).said())

    for late, words in ((0, "no VM is"), (1, "1 VM is"), (2, "2 VMs are")):
        assert f"assumed {words} late" in said(late_vms=late)
    for share, words in (
        (0.0, "0"), (0.004, "less than 1"), (0.01, "1"), (0.99, "99"),
        (0.996, "more than 99"), (1.0, "100"),
    ):  # fmt: skip
        assert f"some VM is in {words} of 100 cases" in said(at_risk_prob=share)
    half, more = len(answer.vms) // 2, len(answer.vms) // 2 + 1
    assert said(lucky_vms=half) == said(unlucky_vms=half) == said()
    lucky, unlucky = said(lucky_vms=more), said(unlucky_vms=more, lucky_vms=1)
    assert f" favourable for {more} VMs: three of four draws have longer" in lucky
    assert f"unfavourable for {more} VMs: three of four draws have shorter" in unlucky
    told = {"known": {"snapshot_h": 0.125, "extension_h": 0.25}}
    first = "Measure snapshot_h first: the chance that this verdict is wrong falls "
    assert f"{first}from 25 to 12 in 100" in said(wrong_prob=0.25, **told)
    assert "Measure" not in said(wrong_prob=0.13, **told)  # by less than it can tell


def test_an_interval_is_written_behind_its_figure(hurried):
    scenario, answer = hurried
    now = estimate_disks(SAMPLE, scenario)
    total = answer.beside_total(now.total)
    assert list(total) == list(OF_THE_FLEET)
    low, high = answer.total["total_usd_low"], answer.total["total_usd_high"]
    ends = [f"{float(f'{end:.2g}'):,.0f}" for end in (low, high)]
    assert total["total_usd"] == f"{now.total['total_usd']:,.0f} ({' - '.join(ends)})"
    assert f"bill {' to '.join(ends)} USD" in answer.ranges()
    cells = answer.beside(now.vms).set_index("vm")
    own = answer.vms.set_index("vm")
    for name, hours in now.vms.set_index("vm")["done_p95_h"].items():
        low, high = own.loc[name, ["done_p95_h_low", "done_p95_h_high"]]
        said = with_ends("done_p95_h", hours, low, high)
        assert cells["done_p95_h"][name] == said
        assert said.endswith(f" ({brief('x_h', low)} - {brief('x_h', high)})")
    assert (cells["start_h"] == now.vms.set_index("vm")["start_h"]).all()


def test_figures_in_doubt_have_two_digits():
    assert [brief("done_p95_h", of) for of in (9.94, 9.96, 10.4, 0.0949, -0.0)] == [
        "9.9", "10", "10", "0.095", "0",
    ]  # fmt: skip
    assert brief("done_p95_h", math.inf) == "never"
    assert brief("rto_prob", 0.9999) == "0.999"  # never more certain than it is
    assert with_ends("total_usd", 999.5, 9.0, 1e4) == "999.50 (9 - 10,000)"
    assert with_ends("total_usd", 1000.0, 9.0, 1e4) == "1,000 (9 - 10,000)"
    assert with_ends("total_usd", 5.0, 5.0, 6.0) == "5.00 (5 - 6)"
    assert with_ends("stored_gib", 1234.0, 1.0, 2.0).startswith("1,234")


def test_two_lead_a_doubt_if_chance_may_have_put_one_first(hurried):
    _, answer = hurried
    one = replace(answer.shares[0], answer="total_usd", name="a", share=0.5, error=0.02)
    other = replace(answer.shares[0], answer="stored_gib", name="c")
    for share, names in ((0.47, ["a", "b"]), (0.45, ["a"])):
        second = replace(one, name="b", share=share)
        third = replace(one, name="d", share=0.01)
        told = replace(answer, shares=(other, one, second, third))
        assert [share.name for share in told.leading("total_usd")] == names
    assert [share.name for share in told.leading("stored_gib")] == ["c"]
    assert told.leading("done_p95_h") == ()


def splitmix64(state, count):
    """Vigna's generator (2015), in whole numbers."""
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        mixed = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % 2**64
        yield mixed ^ mixed >> 31


def test_the_deviation_of_a_disk_is_drawn_by_its_names_alone():
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert list(splitmix64(1234567, 3)) == published
    disks = pd.DataFrame({"vm": ["a", "b"], "disk": ["os", "d"]})
    found = _deviations("dispersion", disks, 64, seed=7)
    keys = np.array(["a\0os\0dispersion", "b\0d\0dispersion"], dtype=object)
    begin = [int(key) + 7 for key in pd.util.hash_array(keys, categorize=False)]
    drawn = np.array([list(splitmix64(state, 64)) for state in begin], dtype=float)
    scores = np.clip(ndtri(drawn.T / 2.0**64), -2.6, 2.6)
    np.testing.assert_allclose(found, scores, rtol=1e-9, atol=1e-9)


def test_a_share_says_what_its_figure_rests_on(hurried):
    scenario, answer = hurried
    origins = {
        name: (constants[name], origin)
        for _, constants in scenario.sets()
        for name, origin in constants.origins.items()
    }
    seen = set()
    for share in answer.shares:
        seen.add(share.status)
        if share.name.startswith("reading."):
            assert (share.status, share.value, share.low) == ("reading", None, None)
        elif share.name in origins:
            value, origin = origins[share.name]
            assert (share.value, share.low, share.high) == (
                value, origin.low, origin.high,
            )  # fmt: skip
            known = {"measured": "measured", "documented": "documented"}
            assert share.status == known.get(origin.status, "guess")
        else:  # a factor that several share
            assert share.low < share.value == 1 < share.high
    assert {"guess", "reading"} < seen


def test_an_interval_is_given_unasked_where_it_costs_little():
    few, many = pd.DataFrame(index=range(400)), pd.DataFrame(index=range(401))
    assert quick(few, Scenario.of())
    assert not quick(many, Scenario.of())
    for changes, cheap in (
        ({"eight_hours": "overload"}, False),
        ({"eight_hours": "overload", "utilisation_frac": 0.9}, True),
        ({"utilisation_frac": 0.9, "line_reading": "one-pool"}, False),
    ):
        assert quick(few, Scenario.of(settings=changes)) == cheap


def test_a_share_of_nothing_is_none():
    rng = np.random.default_rng(1)
    answer, parts = rng.random(64), np.arange(64) // 4
    assert first_order(np.ones(64), parts) == 0  # nothing varies
    assert first_order(answer, np.zeros(64, dtype=int)) == 0  # all in one part
    assert first_order(answer, np.arange(64)) == 0  # each by itself
    assert first_order(parts.astype(float), parts) == 1
    assert first_order(parts.astype(float), 3 * parts) == 1  # parts without a draw


def test_too_few_draws_are_refused():
    assert doubt_of_disks(SAMPLE[:1], Scenario.of(), 32).draws == 32
    with pytest.raises(ValueError, match="draws must be >= 32; got 8"):
        doubt(SAMPLE, draws=8)


@pytest.fixture(scope="module")
def many_vaults():
    """Forty vaults of four VMs each, the last two of which share an account."""
    rng = np.random.default_rng(8)
    rows = [
        {
            "vm": f"v{i:03}", "disk": "d", "role": "os", "size_gib": 512,
            "used_gib": float(rng.integers(50, 500)), "vault": f"vault{i // 4:02}",
            "managed": i < 152, "storage_account": None if i < 152 else "account",
        }
        for i in range(160)
    ]  # fmt: skip
    return disks_of(pd.DataFrame(rows))


def test_intervals_of_many_vms_come_from_whole_vaults_drawn_at_random(many_vaults):
    scenario = Scenario.of()
    every = doubt_of_disks(many_vaults, scenario, 64, interval_vms=160)
    some = doubt_of_disks(many_vaults, scenario, 64, interval_vms=60)
    assert every.drawn_vaults is None
    part = some.drawn_vaults
    assert (part.interval_vms, part.of_vaults, part.of_vms) == (60, 40, 160)
    assert 10 <= part.vaults == part.vms / 4 <= 15
    has = some.vms["done_p95_h_low"].notna().to_numpy()
    assert has.sum() == part.vms
    assert some.vms["vm"].equals(every.vms["vm"])
    pd.testing.assert_frame_equal(some.vms[has], every.vms[has], rtol=1e-12)
    vault = many_vaults.set_index("vm")["vault"][some.vms["vm"]].to_numpy()
    assert not set(vault[has]) & set(vault[~has])
    assert len({"vault38", "vault39"} & set(vault[has])) != 1  # of one account


def test_what_concerns_all_vms_never_comes_from_some(many_vaults):
    some = doubt_of_disks(many_vaults, Scenario.of(), 64, interval_vms=60)
    assert (some.at_risk_prob, some.wrong_prob, some.known) == (None, None, {})
    assert "misses_per_month" not in {share.answer for share in some.shares}
    told = some.settings["drawn_vaults"]
    words = some.verdict["text"]
    assert f"{told['vaults']} of 40 vaults drawn at random" in words
    assert f"{told['vms']} of 160 VMs" in words
    assert "--interval-vms 160 takes all" in words
    assert "restore" not in some.ranges()


def test_drawn_vaults_are_the_same_for_a_seed_and_a_vm_more_moves_none(many_vaults):
    def drawn(fleet, seed):
        disks, _ = filled(fleet, Scenario.of())
        places, _ = drawn_vaults(disks, Scenario.of(), 60, seed)
        return set(disks.iloc[places]["vault"])

    first, other = drawn(many_vaults, 1), drawn(many_vaults, 2)
    assert first == drawn(many_vaults.sample(frac=1, random_state=1), 1)
    assert first != other
    # a vault the more takes the place of one at most
    one = many_vaults.iloc[[0]].assign(vm="w", vault="another")
    more = drawn(pd.concat([many_vaults, one], ignore_index=True), 1)
    assert len(first - more) <= 1


def test_each_vault_is_drawn_as_often_as_any_other(many_vaults):
    disks, _ = filled(many_vaults, Scenario.of())
    drawn, of = np.zeros(160), 400
    for seed in range(of):
        places, part = drawn_vaults(disks, Scenario.of(), 60, seed)
        drawn[places] += 1
        assert part.vms <= 60
    alone = drawn[:152] / of  # the last two go together
    assert abs(alone.mean() - 15 / 40) < 0.02
    assert np.ptp(alone) < 8 * np.sqrt(15 / 40 * 25 / 40 / of)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_drawn_vaults_tell_of_all_data_and_of_the_bill(many_vaults, seed):
    """The ends of 60 VMs are as far from the point as those of all 160, or nearly."""
    every = doubt_of_disks(many_vaults, Scenario.of(), 64, seed, 160)
    some = doubt_of_disks(many_vaults, Scenario.of(), 64, seed, 60)
    near = {"total_usd": 0.03, "stored_gib": 0.1}
    ends = {f"{name}_{end}": near[name] for name in near for end in ("low", "high")}
    assert set(some.total) == set(ends)
    for name, bound in ends.items():
        assert some.total[name] == pytest.approx(every.total[name], rel=bound)


def test_few_vaults_are_all_taken_and_shared_capacity_is_not_parted(many_vaults):
    few = many_vaults.iloc[:40]
    assert doubt_of_disks(few, Scenario.of(), 32, interval_vms=8).drawn_vaults is None
    reserved = Scenario.of(settings={"reserved_gib": 102400.0})
    with pytest.raises(ValueError, match=r"interval_vms must be >= 160.*reserved_gib"):
        doubt_of_disks(many_vaults, reserved, 32, interval_vms=60)
    assert doubt_of_disks(many_vaults, reserved, 32, interval_vms=160).total
