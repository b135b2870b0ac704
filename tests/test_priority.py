"""Restores before backups: published simulations, exact cases, what is conserved."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas import queueing
from vmbmodel.formulas.priority import (
    priority_backup_wait_h,
    priority_restore_quantile_h,
    priority_restore_wait_h,
)

FAMILIES = ["gamma", "lognormal", "hyperexponential"]
movers = st.floats(1, 500)
shares = st.floats(1e-3, 0.999)
hours = st.floats(1e-2, 1e2)


def test_a_simulation_with_ciw():
    # Ciw's priority classes on five servers, exponential jobs of one hour, load 0.8,
    # every fifth a restore; mean waits with their 95 % confidence
    line = 5, 0.8, 3.2, 1, 1
    assert_allclose(priority_restore_wait_h(*line), 0.1302, atol=0.0042)
    assert_allclose(priority_backup_wait_h(*line), 0.6365, atol=0.049)


# An event by event simulation of 1.2 million jobs of one hour: shape, variation,
# movers, load, share of restores, then the mean waits of restores and of backups.
SIMULATED = [
    ("gamma", 0, 2, 0.8, 0.3, 0.2704, 1.1945),
    ("gamma", 0, 5, 0.8, 0.2, 0.0934, 0.3448),
    ("gamma", 0, 20, 0.9, 0.2, 0.0277, 0.1809),
    ("gamma", 0.5, 2, 0.8, 0.3, 0.3710, 1.7879),
    ("gamma", 0.5, 5, 0.8, 0.2, 0.1126, 0.5101),
    ("gamma", 2, 4, 0.8, 0.3, 0.2683, 1.4711),
    ("gamma", 4, 2, 0.8, 0.3, 1.0797, 6.0064),
    ("gamma", 4, 20, 0.9, 0.2, 0.0569, 0.8319),
    ("lognormal", 2, 2, 0.8, 0.3, 0.5769, 3.5644),
    ("lognormal", 2, 3, 0.9, 0.2, 0.3669, 5.0650),
    ("lognormal", 2, 50, 0.9, 0.2, 0.0092, 0.1143),
    ("lognormal", 4, 2, 0.8, 0.3, 0.8453, 6.0852),
    ("lognormal", 4, 5, 0.8, 0.2, 0.1701, 1.5088),
    ("lognormal", 4, 20, 0.9, 0.2, 0.0367, 0.7348),
    ("hyperexponential", 2, 4, 0.8, 0.3, 0.2352, 1.4761),
    ("hyperexponential", 4, 2, 0.8, 0.3, 0.9229, 5.9490),
    ("hyperexponential", 4, 20, 0.9, 0.2, 0.0381, 0.7996),
]


@pytest.mark.parametrize("case", SIMULATED)
def test_simulated_waits(case):
    family, scv, servers, busy, share, restore, backup = case
    jobs = servers * busy
    line = servers, jobs * share, jobs * (1 - share), 1, 1, scv, family
    off = 0.09 if scv <= 2 else 0.18
    assert_allclose(priority_restore_wait_h(*line), restore, rtol=off)
    assert_allclose(priority_backup_wait_h(*line), backup, rtol=0.09)


one_mover = st.tuples(st.floats(0.01, 0.6), st.floats(0.01, 0.35))


@given(loads=one_mover, one=hours, other=hours, scv=st.floats(0, 8))
def test_one_mover_is_cobham(loads, one, other, scv):
    # the mean work left in service at an arrival, over what neither kind takes up
    left = (1 + scv) / 2 * (loads[0] * one + loads[1] * other)
    idle, spare = 1 - loads[0], 1 - sum(loads)
    line = 1, loads[0] / one, loads[1] / other, one, other, scv, "gamma"
    restore, backup = left / idle, left / idle / spare
    assert_allclose(priority_restore_wait_h(*line), restore, rtol=1e-6)
    assert_allclose(priority_backup_wait_h(*line), backup, rtol=1e-5)


@given(servers=movers, busy=shares, share=shares, tau=hours)
def test_exponential_jobs_of_one_length_come_out_exactly(servers, busy, share, tau):
    jobs = servers * busy / tau
    rates = servers, jobs * share, jobs * (1 - share)
    near = {"rtol": 1e-6, "atol": 1e-290}
    for family in ("gamma", "hyperexponential"):
        # the closed forms, and next to them the rule for others
        for scv in (1, np.nextafter(1, 2)):
            line = *rates, tau, tau, scv, family
            restore = priority_restore_wait_h(*line)
            assert_allclose(restore, priority_restore_wait_h(*rates, tau, tau), **near)
            backup = priority_backup_wait_h(*line)
            assert_allclose(backup, priority_backup_wait_h(*rates, tau, tau), **near)


@given(servers=movers, busy=shares, share=shares, tau=hours)
def test_what_restores_gain_backups_lose(servers, busy, share, tau):
    jobs = servers * busy / tau
    rates = servers, jobs * share, jobs * (1 - share)
    restore = priority_restore_wait_h(*rates, tau, tau)
    backup = priority_backup_wait_h(*rates, tau, tau)
    together = queueing.mean_wait_h(servers, jobs, tau)
    mixed = share * restore + (1 - share) * backup
    assert_allclose(mixed, together, rtol=1e-9, atol=1e-290)
    for family in FAMILIES:
        line = *rates, tau, tau, 2, family
        mixed = share * priority_restore_wait_h(*line)
        mixed += (1 - share) * priority_backup_wait_h(*line)
        together = queueing.mean_wait_h(servers, jobs, tau, 2, family)
        assert_allclose(mixed, together, rtol=1e-9, atol=1e-290)


@given(
    servers=movers,
    busy=shares,
    share=shares,
    lengths=st.tuples(hours, hours),
    scv=st.floats(0, 8),
    family=st.sampled_from(FAMILIES),
)
def test_restores_never_wait_longer_than_backups(
    servers, busy, share, lengths, scv, family
):
    scv = max(scv, 1) if family == "hyperexponential" else scv
    one, other = lengths
    load = servers * busy
    line = (
        servers,
        load * share / one,
        load * (1 - share) / other,
        *lengths,
        scv,
        family,
    )
    restore = priority_restore_wait_h(*line)
    assert 0 <= restore <= priority_backup_wait_h(*line) * (1 + 1e-9)


@given(servers=movers, busy=shares, share=shares, prob=shares)
def test_restores_see_a_queue_of_their_own(servers, busy, share, prob):
    jobs = servers * busy
    rates = servers, jobs * share, jobs * (1 - share)
    waiting = queueing.erlang_c_prob(servers, jobs)
    late = priority_restore_quantile_h(prob, *rates, 1)
    tail = waiting * np.exp(-late * (servers - jobs * share))
    if late > 0:
        assert_allclose(tail, 1 - prob, rtol=1e-9)
    else:
        assert tail <= (1 - prob) * (1 + 1e-9)


@pytest.mark.parametrize("scv", [0, 1, 4])
def test_too_many_backups_do_not_stop_restores(scv):
    rates = 10, 2, [20, 1e6]
    if scv == 1:
        assert_allclose(priority_restore_wait_h(*rates, 1, 1), 1 / 8)
        assert_allclose(priority_restore_quantile_h(0.5, *rates, 1), np.log(2) / 8)
        assert priority_backup_wait_h(*rates, 1, 1).tolist() == [np.inf] * 2
    waits = priority_restore_wait_h(*rates, 1, 1, scv, "gamma")
    assert np.all((waits > 0.05) & (waits < 0.3))
    waits = priority_backup_wait_h(*rates, 1, 1, scv, "gamma")
    assert waits.tolist() == [np.inf] * 2


def test_edges():
    assert priority_restore_wait_h(10, [0, 10, 11], 0, 1, 1).tolist() == [
        0,
        np.inf,
        np.inf,
    ]
    assert priority_restore_quantile_h([0, 0.5, 1], 10, 0, 0, 1).tolist() == [0, 0, 0]
    assert priority_restore_quantile_h([0, 1], 10, 2, 5, 1).tolist() == [0, np.inf]
    none = 10, 0, 0, 1, 2, 2, "lognormal"
    assert priority_restore_wait_h(*none) == 0
    assert priority_backup_wait_h(*none) == 0
    alone = 10, 12, 0, 1, 2, 2, "lognormal"
    assert priority_restore_wait_h(*alone) == np.inf


def test_two_kinds_of_jobs_vary_at_least_like_exponential_ones():
    with pytest.raises(ValueError, match=r"^service_scv must be >= 1 if hyper"):
        priority_backup_wait_h(5, 1, 2, 1, 1, 0.5, "hyperexponential")


@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_too_small_to_divide_by(family):
    for law in (priority_restore_wait_h, priority_backup_wait_h):
        assert not np.isnan(law([5e-324, 1e-310], 1e-310, 3.2, 1, 1, 2, family)).any()
        assert not np.isnan(law(10, 0.3, 3.2, 1, [5e-324, 1e-310], 2, family)).any()
