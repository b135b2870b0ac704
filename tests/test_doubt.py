"""Intervals and shares of the doubt: each draw is an estimate, and nothing is mixed."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vmbmodel as vm
from vmbmodel.inventory.fleet import disks_of
from vmbmodel.plan.estimate import estimate_disks
from vmbmodel.plan.estimate.doubts import (
    OF_VMS,
    doubt,
    doubt_of_disks,
    first_order,
)
from vmbmodel.plan.estimate.draws import Draws, at_score
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
    [
        {"eight_hours": "overload", "restore_law": "rates", "restore_first": False},
        {"eight_hours": "overload", "line_reading": "one-pool"},
        {"eight_hours": "overload", "servers": 80.0},
    ],
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
    [
        {},
        {"vault_servers": 12},
        {"eight_hours": "overload", "line_reading": "one-pool"},
    ],
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


def test_too_few_draws_are_refused():
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
