"""One function for a law gives what the several functions for it gave."""

import numpy as np
import pytest
from before import (
    batches,
    jam_general,
    queueing_general,
    random_jam,
    total_varied,
)
from before import (
    capacity as old_capacity,
)
from before import (
    jam as old_jam,
)
from before import (
    priority as old_priority,
)
from before import (
    queueing as old_queueing,
)
from before import (
    slots as old_slots,
)
from before import (
    total as old_total,
)
from numpy.testing import assert_allclose

from vmbmodel.formulas import arrivals, capacity, jam, priority, queueing, slots, total

CASES = 200
SAME = {"rtol": 1e-11, "atol": 1e-290}
FAMILIES = ["gamma", "lognormal", "hyperexponential"]
every_family = pytest.mark.parametrize("family", FAMILIES)


@pytest.fixture
def rng():
    return np.random.default_rng(10)


def pools(rng):
    """Movers, arrivals, service time: some full, some empty, some not whole."""
    servers = np.where(
        rng.random(CASES) < 0.5,
        rng.integers(1, 300, CASES),
        10 ** rng.uniform(-1, 5, CASES),
    )
    busy = rng.choice([0, 1, 1.2, *rng.random(9), 0.99999], CASES)
    service_h = 10 ** rng.uniform(-2, 2, CASES)
    return servers, busy * servers / service_h, service_h


def variations(rng, family):
    low = 1 if family == "hyperexponential" else 0
    drawn = rng.choice([low, 1.0, 2.0], CASES)
    return np.where(rng.random(CASES) < 0.7, rng.uniform(low, 9, CASES), drawn)


def shares(rng):
    return rng.choice([0, 1, *rng.random(8), 1 - 1e-9], CASES)


def test_waits_of_exponential_jobs_to_the_last_bit(rng):
    pool, prob, wait_h = pools(rng), shares(rng), 10 ** rng.uniform(-3, 3, CASES)
    for new, old, first in (
        (queueing.mean_wait_h, old_queueing.mean_wait_h, ()),
        (queueing.wait_within_prob, old_queueing.wait_within_prob, (wait_h,)),
        (queueing.wait_quantile_h, old_queueing.wait_quantile_h, (prob,)),
    ):
        np.testing.assert_array_equal(new(*first, *pool), old(*first, *pool))
    waiting = old_queueing.erlang_c_prob(pool[0], pool[1] * pool[2])
    np.testing.assert_array_equal(queueing.wait_prob(*pool), waiting)
    ask = wait_h, prob, pool[0], pool[2]
    np.testing.assert_array_equal(
        capacity.utilisation_for_wait_frac(*ask),
        old_queueing.utilisation_for_wait_frac(*ask),
    )


@every_family
def test_waits_of_any_jobs(rng, family):
    law = *pools(rng), variations(rng, family), family
    prob, wait_h = shares(rng), 10 ** rng.uniform(-3, 3, CASES)
    for name, first in (
        ("wait_prob", ()),
        ("mean_wait_h", ()),
        ("wait_scv", ()),
        ("wait_within_prob", (wait_h,)),
        ("wait_quantile_h", (prob,)),
    ):
        new = getattr(queueing, name)(*first, *law)
        old = getattr(queueing_general, f"general_{name}")(*first, *law)
        exponential = (law[3] == 1) & (family != "lognormal")
        assert_allclose(new[~exponential], old[~exponential], err_msg=name, **SAME)
        # a quantile next to 0 hangs on the last digits of the probability of waiting
        near = {"rtol": 1e-9, "atol": 1e-9} if "quantile" in name else SAME
        if name == "wait_quantile_h":  # whose logarithm a float holds, and not itself
            exponential &= queueing.erlang_c_prob(law[0], law[1] * law[2]) > 0
        assert_allclose(new[exponential], old[exponential], err_msg=name, **near)


@every_family
def test_loads_for_a_wait_of_any_jobs(rng, family):
    servers, _, service_h = pools(rng)
    patience_h = 10 ** rng.uniform(-2, 2, CASES) * service_h / servers
    ask = patience_h, shares(rng), servers, service_h, variations(rng, family), family
    found = capacity.utilisation_for_wait_frac(*ask)
    assert_allclose(found, old_capacity.general_utilisation_for_wait_frac(*ask), **SAME)


def test_restores_before_backups(rng):
    servers, arrivals_per_h, service_h = pools(rng)
    share = rng.random(CASES)
    rates = servers, arrivals_per_h * share, arrivals_per_h * (1 - share)
    hours = service_h, service_h
    for name in ("priority_restore_wait_h", "priority_backup_wait_h"):
        new, old = getattr(priority, name), getattr(old_priority, name)
        assert_allclose(new(*rates, *hours), old(*rates, service_h), **SAME)
        old = getattr(old_priority, f"general_{name}")
        for family in FAMILIES:
            scv = variations(rng, family)
            scv += (scv == 1) * (family != "lognormal")
            law = *rates, service_h, service_h * rng.choice([1, 2.5], CASES), scv
            assert_allclose(new(*law, family), old(*law, family), **SAME)


@every_family
def test_batches(rng, family):
    line = *pools(rng), 10 ** rng.uniform(-2, 2, CASES)
    new = arrivals.batch_mean_wait_h
    np.testing.assert_array_equal(new(*line), batches.batch_mean_wait_h(*line))
    law = *line, variations(rng, family), family
    old = batches.general_batch_mean_wait_h(*law)
    assert_allclose(new(*law) / law[2], old / law[2], rtol=1e-11, atol=1e-11)


def crowds(rng, size=CASES):
    return rng.integers(1, 2000, size), rng.integers(1, 300, size), rng.random(size)


def test_jams_of_equal_and_of_exponential_jobs(rng):
    jobs, servers, service_h = crowds(rng)
    crowd = jobs, servers, service_h + 1e-3
    for name in ("jam_wait_h", "jam_mean_wait_h", "jam_makespan_h"):
        new, old = getattr(jam, name), getattr(old_jam, name)
        np.testing.assert_array_equal(new(*crowd), old(*crowd))
        old = getattr(random_jam, f"random_{name}")
        np.testing.assert_array_equal(new(*crowd, 1), old(*crowd))
    prob = shares(rng)
    for name in ("jam_wait_quantile_h", "jam_makespan_quantile_h"):
        new, old = getattr(jam, name), getattr(random_jam, f"random_{name}")
        # next to 1 the former ones had lost digits of what is late
        assert_allclose(new(prob, *crowd, 1), old(prob, *crowd), rtol=1e-6)
        some = (prob < 0.999) | (prob == 1)
        new, old = (f(prob, *crowd, *v)[some] for f, v in ((new, (1,)), (old, ())))
        assert_allclose(new, old, **SAME)


@every_family
@pytest.mark.parametrize("name", [n for n in jam.__all__ if "quantile" not in n])
def test_jams_of_any_jobs(rng, family, name):
    crowd = rng.integers(1, 120, 12), rng.integers(1, 30, 12), rng.random(12) + 0.1
    crowd = [np.append(part, end) for part, end in zip(crowd, (900, 4, 1), strict=True)]
    scv = rng.uniform(1.01, 5, 13) - 1 * (family != "hyperexponential")
    scv[:2] = (0, 1e-3) if family != "hyperexponential" else 2
    law = *crowd, scv, family
    old = getattr(jam_general, f"general_{name}")
    assert_allclose(getattr(jam, name)(*law), old(*law), **SAME)


@every_family
@pytest.mark.parametrize("name", [n for n in jam.__all__ if "quantile" in n])
def test_quantiles_of_jams_of_any_jobs(rng, family, name):
    crowd = rng.integers(1, 120, 12), rng.integers(1, 30, 12), rng.random(12) + 0.1
    scv = rng.uniform(1.01, 5, 12) - 1 * (family != "hyperexponential")
    law = rng.choice([0, 0.5, 0.95, 1], 12), *crowd, scv, family
    old = getattr(jam_general, f"general_{name}")
    assert_allclose(getattr(jam, name)(*law), old(*law), **SAME)


@every_family
def test_slots(rng, family):
    scv = rng.uniform(1.01, 5, 12) - 1 * (family != "hyperexponential")
    line = rng.integers(1, 40, (3, 12)) * [[1], [1], [0.05]], rng.integers(1, 30, 12)
    line = *line[0], line[1], rng.random(12) + 0.1
    for name in ("slots_mean_wait_h", "slots_makespan_h"):
        new, old = getattr(slots, name)(*line), getattr(old_slots, name)(*line)
        np.testing.assert_array_equal(new, old)
    law = *line[2:3], line[4], scv, family
    assert_allclose(slots.slots_overrun_h(*law), old_slots.slots_overrun_h(*law))
    law = rng.random(12), line[1], *line[3:], scv, family
    old = old_slots.no_overlap_interval_h(*law)
    assert_allclose(slots.no_overlap_interval_h(*law), old, **SAME)


def totals(rng):
    decay = rng.choice([0, *10 ** rng.uniform(-2, 2, 9)], CASES)
    waiting = rng.choice([0, 1, *rng.random(9)], CASES)
    return 10 ** rng.uniform(-2, 1.5, CASES), waiting, decay


def test_totals_of_fixed_transfers_to_the_last_bit(rng):
    law, deadline_h, prob = totals(rng), 10 ** rng.uniform(-2, 3, CASES), shares(rng)
    for name, first in (
        ("total_mean_h", ()),
        ("done_within_prob", (deadline_h,)),
        ("total_quantile_h", (prob,)),
    ):
        new, old = getattr(total, name), getattr(old_total, name)
        np.testing.assert_array_equal(new(*first, *law), old(*first, *law))


@pytest.mark.parametrize("family", ["normal", "gamma", "lognormal"])
@pytest.mark.parametrize("waiting_scv", [0.5, 1, 3])
def test_totals_of_varied_transfers(rng, family, waiting_scv):
    constant, waiting, decay = totals(rng)
    transfer = 10 ** rng.uniform(-1, 1.5, CASES)
    scv = rng.choice(
        [0, *rng.uniform(0.01, 0.1 if family == "normal" else 2, 6)], CASES
    )
    with np.errstate(divide="ignore"):
        old_law = transfer, scv, family, waiting, 1 / decay, waiting_scv
    law = waiting, decay, transfer, scv, family, waiting_scv
    deadline, prob = 10 ** rng.uniform(0, 2, CASES), shares(rng)
    old = total_varied.varied_done_within_prob(deadline, constant, *old_law)
    assert_allclose(total.done_within_prob(deadline, constant, *law), old, atol=1e-11)
    old = total_varied.varied_total_quantile_h(prob, constant, *old_law)
    assert_allclose(total.total_quantile_h(prob, constant, *law), old, **SAME)
