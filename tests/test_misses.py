"""How often a fleet misses: by hand, by drawn nights, and in what order."""

import timeit
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.fields import fields
from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.estimate.exact import pieces, sum_of
from vmbmodel.plan.estimate.misses import (
    POLICY_COLUMNS,
    miss_terms,
    misses_of,
    policy_misses,
)
from vmbmodel.plan.scenario import Scenario

NIGHTS = 365.25 / 12
fleets = st.lists(
    st.tuples(st.sampled_from("ab"), st.booleans(), st.floats(0, 1)), max_size=12
)


def fleet(rows):
    vms = pd.DataFrame(rows, columns=["vault", "once", "deadline_prob"])
    later = np.where(vms["once"].astype(bool), 1.0, vms["deadline_prob"])
    return vms.assign(policy="daily", later_deadline_prob=later)


def fleet_misses(vms):
    return misses_of([sum_of(pieces(terms)) for terms in miss_terms(vms)])


def test_a_die_for_every_vm():
    # de Mere's first wager: in four throws of a die, a six in 1 - (5/6)^4 = 0.5177
    night = fleet_misses(fleet([(v, False, 5 / 6) for v in "abcd"]))
    assert_allclose(night["any_miss_prob"], 671 / 1296, rtol=1e-14)
    assert_allclose(night["expected_misses"], 4 / 6)
    # one throw decides for all of a vault
    night = fleet_misses(fleet([("a", False, 5 / 6)] * 4))
    assert_allclose(night["any_miss_prob"], 671 / 1296, rtol=1e-14)
    assert_allclose(night["any_miss_shared_prob"], 1 / 6, rtol=1e-14)


def test_a_month_of_drawn_nights():
    # 20 000 months of 30.4375 nights, in the mean, of five VMs in two vaults; shared
    # luck is one draw a vault. Seed 2, at 3.9 standard errors
    rng, months = np.random.default_rng(2), 20_000
    probs = 0.99, 0.97, 1, 0.995, 0.98
    vms = fleet([(v, False, p) for v, p in zip("aabbb", probs, strict=True)])
    prob, vault = vms["deadline_prob"].to_numpy(), np.array([0, 0, 1, 1, 1])
    nights = np.where(rng.random(months) < NIGHTS % 1, 31, 30)
    drawn = rng.random((months, 31, 5))
    counted = (np.arange(31) < nights[:, np.newaxis])[..., np.newaxis]
    said = fleet_misses(vms)
    for name, luck in (
        ("any_miss_month_prob", drawn),
        ("any_miss_month_shared_prob", drawn[..., vault]),
    ):
        seen = ((luck > prob) & counted).any(axis=(1, 2)).mean()
        error = 3.9 * np.sqrt(said[name] * (1 - said[name]) / months)
        assert abs(said[name] - seen) <= error + 1e-3  # the mean of 30 and 31 nights
    seen = ((drawn > prob) & counted).sum(axis=(1, 2))
    error = 3.9 * seen.std() / np.sqrt(months)
    assert abs(said["misses_per_month"] - seen.mean()) <= error


def test_what_is_done_once_is_missed_once():
    one = fleet_misses(fleet([("a", True, 0.25)]))
    assert one["misses_per_month"] == one["expected_misses"] == 0.75
    assert one["any_miss_month_prob"] == one["any_miss_prob"] == 0.75


@given(fleets)
def test_the_answers_keep_their_order(rows):
    said = fleet_misses(fleet(rows))
    worst = max((1 - p for _, _, p in rows), default=0)
    shared, alone = said["any_miss_shared_prob"], said["any_miss_prob"]
    assert worst - 1e-12 <= shared <= alone + 1e-12
    assert alone <= min(1, said["expected_misses"]) + 1e-12
    assert said["any_miss_month_shared_prob"] <= said["any_miss_month_prob"] + 1e-12
    assert said["any_miss_month_prob"] <= said["misses_per_month"] + 1e-12
    bounds = {name: fields()[name].range for name in said}
    assert all(float(said[name]) in bounds[name] for name in said)


def test_policies_of_many_vaults_take_time_in_proportion():
    spent = []
    for count in (1500, 6000):
        vms = fleet([(f"v{at}", False, 0.9) for at in range(count)])
        assert_allclose(policy_misses(vms)["any_miss_shared_prob"], 0.1)
        # the least of several, in which the collector of garbage had no part
        again = partial(policy_misses, vms)
        spent.append(min(timeit.repeat(again, number=1, repeat=5)))
    assert spent[1] < 9 * spent[0]  # four times as many; 16 if each costs all others


@given(fleets)
def test_policies_are_parts_of_the_fleet(rows):
    vms = fleet(rows)
    parts = policy_misses(vms)
    assert tuple(parts.columns) == POLICY_COLUMNS
    whole = fleet_misses(vms)
    for name in ("expected_misses", "misses_per_month"):
        assert_allclose(parts[name].sum(), whole[name], atol=1e-9)
    for name in ("any_miss_prob", "any_miss_shared_prob"):  # a vault has one here
        none = np.prod(1 - parts[name].to_numpy(dtype=float))
        assert_allclose(1 - none, whole[name], atol=1e-9)


@pytest.mark.parametrize("sure", [0.0, 1.0])
def test_a_sure_thing(sure):
    said = fleet_misses(fleet([("a", False, sure)] * 3))
    for name in ("any_miss_prob", "any_miss_shared_prob", "any_miss_month_prob"):
        assert said[name] == 1 - sure


def test_an_estimate_says_it_by_policy():
    disks = pd.DataFrame(
        {
            "vm": ["a", "b", "c"],
            "disk": "os",
            "role": "os",
            "size_gib": 4095,
            "used_gib": [47, 1400, 4095],
            "first_backup": True,
            "policy": ["small", "large", "large"],
        }
    )
    answer = estimate(disks, Scenario.of())
    by_policy = answer.policies.set_index("policy")
    assert by_policy.index.tolist() == ["small", "large"]
    assert by_policy.loc["large", "least_deadline_prob"] == 0
    assert by_policy["vms"].tolist() == [1, 2]
    assert answer.total["any_miss_prob"] == 1
    listed = answer.to_dict()["policies"]
    assert [row["policy"] for row in listed] == ["small", "large"]
