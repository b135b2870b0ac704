"""`vmbmodel.plan.estimate`: the wait for others, by the hour of the start."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.day import day_mean_wait_h, day_wait_quantile_h
from vmbmodel.plan.estimate.others import HALF_HOURS, day_load, of_others, wait_by_start
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import PROFILES

HOURS = np.arange(HALF_HOURS) / 2


def others(**changes):
    return of_others(Scenario.of(settings=changes))


@given(
    begin=st.floats(0, 23.99),
    length=st.floats(0.01, 16),
    wait=st.floats(0.1, 8),
    calm=st.floats(0, 1),
)
def test_a_day_s_load_is_the_peak_and_the_rest(begin, length, wait, calm):
    load = day_load(
        Scenario.of(
            settings={
                "peak_start_h": begin,
                "peak_h": length,
                "peak_wait_h": wait,
                "offpeak_utilisation_frac": calm,
            }
        )
    )
    # length * (1 + wait / length) in the peak, and calm for the rest
    assert_allclose(load.mean() * 24, length + wait + calm * (24 - length), rtol=1e-9)
    hours = (HOURS + 0.25 - begin) % 24
    assert np.all(load[(hours > 0.25) & (hours < length - 0.25)] > 1)
    outside = (hours > length + 0.25) & (hours < 23.75)
    assert_allclose(load[outside], calm, atol=1e-9)


def test_the_night_of_the_default_by_hand():
    # capacity 10 jobs an hour; 6 h of 23.3: 80 jobs too many, eight hours of work
    load = day_load(Scenario.of())
    assert_allclose((load.max() - 1) * 6, 8)
    assert_allclose(load.mean(), (14 + 18 * 0.3) / 24)
    wait = wait_by_start(Scenario.of(), HOURS)
    assert HOURS[np.argmax(wait.wait_mean_h)] == 4
    evening = (HOURS >= 21) & (HOURS <= 22)
    assert np.all(wait.wait_mean_h[evening] < 0.02)


def test_at_half_hours_it_is_the_formula_of_the_day():
    scenario = Scenario.of(settings={"servers": 20, "service_h": 0.5})
    day = day_load(scenario), 0, 20, 0.5
    wait = wait_by_start(scenario, HOURS)
    assert_allclose(wait.wait_mean_h, day_mean_wait_h(*day), rtol=1e-12)
    assert_allclose(wait.wait_p95_h, day_wait_quantile_h(*day, 0.95), rtol=1e-12)


@settings(max_examples=20)
@given(start=st.floats(0, 23.999), prob=st.floats(0.01, 0.999))
def test_quantile_and_probability_agree_at_any_hour(start, prob):
    law = others().at(start)
    late = law.quantile_h(prob)
    assert law.within_prob(late) >= prob - 1e-9
    if late > 0:
        assert_allclose(law.within_prob(late), prob, rtol=1e-6)


@pytest.mark.parametrize("prob", [0, 0.1, 0.5, 0.95, 0.999])
def test_at_any_hour_the_quantile_is_that_of_the_mixture(prob):
    law = others()
    late = law.quantile_h(prob)
    assert law.within_prob(late) >= prob
    assert late == 0 or law.within_prob(late * (1 - 1e-6)) < prob


def test_in_balance_all_hours_are_alike():
    wait = wait_by_start(
        Scenario.of(settings={"peak_reading": "quantile"}), [0, 5, 23.7]
    )
    assert_allclose(wait.wait_p95_h, 8, rtol=1e-9)
    assert_allclose(wait.within_prob, 0.95, rtol=1e-9)
    same = others(peak_reading="quantile")
    assert_allclose(same.quantile_h(0.95), 8, rtol=1e-9)


def test_a_given_load_holds_all_day():
    for reading in ("overload", "quantile"):
        law = others(utilisation_frac=0.9, peak_reading=reading).at([1, 13])
        assert_allclose(law.mean_h(), 0.668732, rtol=1e-5)
    full = others(utilisation_frac=1).at([1, 13])
    assert np.all(full.mean_h() == np.inf)
    assert np.all(full.within_prob(1e9) == 0)


def test_what_was_measured_is_a_quantile():
    own = PROFILES.load("azure-2026-01").modified(peak_wait_prob=0.95)
    assert Scenario.of(own)["peak_reading"] == "overload"  # said by the caller
    origins = dict(own.origins)
    prob = origins["peak_wait_prob"]
    origins["peak_wait_prob"] = type(prob)(**vars(prob) | {"status": "measured"})
    own = type(own)(**vars(own) | {"origins": origins})
    assert Scenario.of(own)["peak_reading"] == "quantile"
    assert Scenario.of(own, settings={"peak_reading": "overload"})["peak_reading"] == (
        "overload"
    )


def test_the_reason_is_given():
    assert "30 of 48" in others().reason
    assert "in balance" in others(peak_reading="quantile").reason
    assert "more work" in others(offpeak_utilisation_frac=0.9).reason
    assert others(offpeak_utilisation_frac=0.9).quantile_h(0.5) == np.inf
