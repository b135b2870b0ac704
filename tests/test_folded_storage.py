"""Laws that are parameters now give what they gave under names of their own."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from vmbmodel.formulas import (
    dispersion,
    distinct,
    graded,
    miscounts,
    occupancy,
    retention,
    serial,
    transfer,
    zipf,
)

CASES = 20_000


def rng():
    return np.random.default_rng(20)


def some(low, high):
    """Draw over decades, with a tenth of zeros where they are allowed."""
    random = rng()
    drawn = 10 ** random.uniform(np.log10(max(low, 1e-6)), np.log10(high), CASES)
    return np.where(random.random(CASES) < 0.1, low, drawn)


def share():
    random = rng()
    return random.choice([0, 1, -1], CASES, p=[0.1, 0.1, 0.8]) ** 2 * random.random(
        CASES
    ) ** random.integers(0, 9, CASES)


def shuffled(*columns):
    random = rng()
    return [random.permutation(column) for column in columns]


def policy():
    random = rng()
    return [random.integers(0, top, CASES) for top in (100, 60, 60, 12)]


def data():
    used, churn, fresh = shuffled(some(0, 1e5), some(0, 1e4), some(0, 1e4))
    return used, churn, *shuffled(share()), fresh


def past():
    days = np.where(rng().random(CASES) < 0.3, np.inf, np.ceil(some(1, 1e4)))
    return shuffled(days, share() * 3)


def test_stored_data_by_reading():
    used, churn, again, fresh = data()
    points = policy()
    for past_or_none in ((), past()):
        for reading, old, arguments in (
            ("upper", graded.stored_upper_gib, (used, churn, again, fresh)),
            ("lower", graded.stored_lower_gib, (used, churn, again, fresh)),
            ("linear", miscounts.stored_linear_gib, (used, churn)),
            ("points", miscounts.stored_points_gib, (used, churn)),
            ("full", miscounts.stored_full_gib, (used,)),
        ):
            assert_array_equal(
                retention.stored_gib(
                    used,
                    churn,
                    *points,
                    again,
                    fresh,
                    *past_or_none,
                    stored_reading=reading,
                ),
                old(*arguments, *points, *past_or_none),
                reading,
            )


def test_daily_points_alone_need_no_other_argument():
    used, churn, *_ = data()
    daily = np.ceil(some(1, 1e4))
    for reading in ("upper", "lower", "linear", "points"):
        assert_allclose(
            retention.stored_gib(used, churn, daily, stored_reading=reading),
            retention.stored_daily_gib(used, churn, daily),
            rtol=1e-11,
        )


def test_distinct_data_by_reading():
    known = data()
    days = np.ceil(some(0, 1e4))
    for reading, old, arguments in (
        ("upper", distinct.distinct_upper_gib, known),
        ("lower", distinct.distinct_lower_gib, known),
        ("linear", distinct.distinct_linear_gib, known[:2]),
    ):
        assert_array_equal(
            distinct.distinct_gib(days, *known, stored_reading=reading),
            old(days, *arguments),
        )


def test_snapshots_by_policy():
    used, churn, *_ = data()
    points = np.floor(some(0, 40))
    for policy_type, old in (
        ("standard", retention.snapshot_standard_gib),
        ("enhanced", retention.snapshot_enhanced_gib),
    ):
        assert_array_equal(
            retention.snapshot_gib(used, churn, points, policy_type),
            old(used, churn, points),
        )


def test_requests_that_wait_for_each_other():
    used, changed, rate, iops = shuffled(
        some(0, 1e5), some(0, 1e5), some(1e-2, 1e3), some(1e-2, 1e5)
    )
    scatter, active = shuffled(share(), np.maximum(share(), 1e-3))
    cell, block = shuffled(some(1, 64), some(0.5, 8192))
    disk = used, changed, scatter, active, rate, iops, cell, block
    assert_allclose(
        transfer.incremental_h(*disk, 0, 0),
        serial.incremental_serial_h(*disk),
        rtol=1e-11,
    )
    extent = np.where(rng().random(CASES) < 0.1, np.inf, some(1e-3, 1e9))
    assert_allclose(
        dispersion.effective_mib_s(rate, iops, extent, 0),
        serial.effective_serial_mib_s(rate, iops, extent),
        rtol=1e-11,
    )
    assert_array_equal(
        dispersion.effective_mib_s(rate, iops, extent),
        np.minimum(rate, iops * extent / 1024),
    )


def test_zones_of_a_disk():
    writes, size, write = shuffled(some(0, 1e9), some(0, 1e4), some(0.5, 4096))
    area, part = shuffled(np.maximum(share(), 1e-3), share())
    at = writes, size, write, 4, 8
    assert_array_equal(
        occupancy.changed_uniform(*at, area, part),
        occupancy.changed_zones(*at, area, part),
    )
    assert_array_equal(
        occupancy.changed_uniform(*at), occupancy.changed_zones(*at, 1, 1)
    )


def test_orders_of_pages():
    count = 300
    random = rng()
    writes = 10 ** random.uniform(0, 8, count)
    exponent = random.uniform(0, 3, count)
    size = 10 ** random.uniform(-4, 2, count)
    write, cell = random.choice([1, 4, 8, 64], (2, count))
    at = writes, exponent, size, write, cell
    assert_array_equal(
        zipf.changed_zipf(*at, page_order="ranked"), zipf.changed_zipf_ordered(*at)
    )
    pages = random.integers(1, 10**6, count)
    assert_allclose(
        zipf.changed_zipf(writes, exponent, pages * 8 / 2**20, 8, 8),
        zipf.zipf_touched(writes, exponent, pages),
        rtol=1e-11,
    )
