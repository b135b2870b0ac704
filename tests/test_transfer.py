"""Moving one disk: published durations, simulated bitmaps, properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from test_dispersion import markov_bitmap, mean_and_error, runs_begin

from vmbmodel.fields import convert
from vmbmodel.formulas.dispersion import changed_gib
from vmbmodel.formulas.transfer import (
    checksum_compare_h,
    incremental_best_h,
    incremental_h,
    initial_h,
    new_disk_h,
    scan_h,
)

sizes = st.one_of(st.just(0.0), st.floats(1e-6, 1e5))
rates = st.floats(0.1, 1e4)
shares = st.one_of(st.just(0.0), st.floats(1e-9, 1))

SERVICE = {
    "incremental_mib_s": convert(60, "MB/s", to="MiB/s"),
    "blob_iops": 500,
    "cell_kib": 8,
    "block_kib": 2048,
}


@pytest.mark.parametrize("formula", [initial_h, incremental_best_h, scan_h])
def test_published_upload_times(formula):
    # Pool, wiki of the backup program "conserve" (2014), page "Scaling": an
    # uplink of 1.5 Mbps moves 675 MB an hour; 50 GB take a bit over 3 days, 1 TB
    # takes 61 days. All decimal, days in whole ones.
    uplink_mib_s = convert(1.5, "Mbps", to="MiB/s")
    assert_allclose(formula(675e6 / 2**30, uplink_mib_s), 1, rtol=1e-14)
    days = formula(np.array([50e9, 1e12]) / 2**30, uplink_mib_s) / 24
    assert np.floor(days).tolist() == [3, 61]


def test_documented_first_backup_may_outlast_a_day():
    # Microsoft, "About Azure VM backup" (2018): backups take less than 24 hours,
    # up to 8 of them in line, but for the first one, which runs at 160 Mbps and
    # not at 640. The largest disk then had 4,095 GB.
    first_h = initial_h(4095, convert(160, "Mbps", to="MiB/s"))
    later_h = scan_h(4095, convert(640, "Mbps", to="MiB/s"))
    assert later_h + 8 < 24 < first_h
    assert_allclose(first_h, 4 * later_h)


def test_documented_churn_that_may_take_eight_hours():
    # The article's version of March 2019: more than 200 GB of changes a day may
    # take more than 8 hours. Not if they lie in one run; so if scattered.
    day = {"used_gib": 2048, "changed_gib": 200, "active_frac": 1, "overlap_frac": 1}
    assert incremental_h(dispersion=0, **day, **SERVICE) < 8
    assert incremental_h(dispersion=1, **day, **SERVICE) > 8


def test_against_a_simulated_disk():
    # 64 disks of 2 GiB in cells of 8 KiB, seed 3: blocks read, cells and runs
    # sent are counted; the mean time at 3.9 standard errors, a confidence of
    # 99.99 %.
    rng = np.random.default_rng(3)
    disks, cells, per_block = 64, 1 << 18, 256
    for changed_frac, dispersion, overlap in ((0.02, 0.05, 0), (0.1, 0.5, 0.5)):
        changed = markov_bitmap(rng, disks * cells, changed_frac, dispersion)
        begins = runs_begin(changed).reshape(disks, cells).sum(axis=1)
        changed = changed.reshape(disks, -1, per_block)
        rate = SERVICE["incremental_mib_s"]
        read_s = changed.any(axis=2).sum(axis=1) * 2 / rate
        sent_s = np.maximum(changed.sum(axis=(1, 2)) / 128 / rate, begins / 500)
        took_s = np.maximum(read_s, sent_s) * overlap + (read_s + sent_s) * (
            1 - overlap
        )
        seen_h, error_h = mean_and_error(took_s / 3600)
        predicted_h = incremental_h(
            2, 2 * changed_frac, dispersion, 1, **SERVICE, overlap_frac=overlap
        )
        assert abs(predicted_h - seen_h) <= 3.9 * error_h


def test_in_a_hand_calculation():
    # A TiB, half of it used, 25 GiB changed at random: f = 25/512; a block of
    # 256 cells escapes with probability (1 - f)^256 < 3e-6, so 512 GiB are read
    # at 60 MB/s in 9162.6 s; 25 GiB are 3 276 800 cells, in 3 116 800 runs, one
    # request each, 500 a second: 6233.6 s.
    disk = 512, 25, 1, 1
    pipelined_h = incremental_h(*disk, **SERVICE, overlap_frac=1)
    serial_h = incremental_h(*disk, **SERVICE, overlap_frac=0)
    assert_allclose(pipelined_h * 3600, 9162.6, rtol=1e-5)
    assert_allclose(serial_h * 3600, 9162.6 + 6233.6, rtol=1e-5)


@given(size=sizes, more=sizes, rate=rates, other=rates)
def test_more_data_or_a_lower_rate_never_make_it_faster(size, more, rate, other):
    assert initial_h(size + more, rate) >= initial_h(size, rate)
    assert initial_h(size, min(rate, other)) >= initial_h(size, rate)


@given(used=sizes, changed=sizes, rate=rates, overlap=shares)
def test_checksums_cost_between_the_slower_stage_and_both(used, changed, rate, overlap):
    stages_h = initial_h(used, rate), initial_h(changed, rate)
    found_h = checksum_compare_h(used, changed, rate, overlap)
    assert max(stages_h) <= found_h <= sum(stages_h) * (1 + 1e-12)
    assert checksum_compare_h(used, changed, rate, 1) == max(stages_h)
    assert_allclose(checksum_compare_h(used, changed, rate, 0), sum(stages_h))


workloads = st.fixed_dictionaries(
    {
        "used_gib": st.floats(1e-3, 1e5),
        "changed_gib": sizes,
        "dispersion": shares,
        "active_frac": st.floats(0.01, 1),
        "incremental_mib_s": rates,
        "blob_iops": st.floats(1, 1e5),
        "cell_kib": st.sampled_from([1, 4, 8, 64]),
        "block_kib": st.integers(1, 128).map(lambda cells: 64 * cells),
        "overlap_frac": shares,
    }
)


def slower(disk, **changes):
    """Say whether a change made a disk slower, or left it alone."""
    return incremental_h(**disk | changes) >= incremental_h(**disk) * (1 - 1e-12)


def sent_gib(disk, writes):
    """Give what is sent of writes of two sizes, the smaller size first."""
    names = "dispersion", "active_frac", "cell_kib"
    place = (disk[name] for name in names)
    churn = disk["changed_gib"], disk["used_gib"]
    return changed_gib(*churn, np.sort(writes), *place)


@given(disk=workloads, share=shares)
def test_what_never_makes_an_increment_faster(disk, share):
    assert slower(disk, dispersion=max(disk["dispersion"], share))
    assert slower(disk, incremental_mib_s=disk["incremental_mib_s"] * (1 - share / 2))
    assert slower(disk, blob_iops=disk["blob_iops"] * (1 - share / 2))
    assert slower(disk, block_kib=disk["block_kib"] * (1 + round(share)))
    assert slower(disk, overlap_frac=disk["overlap_frac"] * share)
    assert slower(disk, active_frac=max(disk["active_frac"], share))


@given(disk=workloads, writes=st.tuples(*[st.floats(0.1, 64)] * 2))
def test_smaller_writes_never_make_an_increment_faster(disk, writes):
    small_gib, large_gib = sent_gib(disk, writes)
    disk["changed_gib"] = large_gib
    assert slower(disk, changed_gib=small_gib)


@given(disk=workloads)
def test_an_increment_takes_no_less_than_at_best(disk):
    moved_gib = min(disk["changed_gib"], disk["used_gib"])
    best_h = incremental_best_h(moved_gib, disk["incremental_mib_s"])
    assert incremental_h(**disk) >= best_h * (1 - 1e-12)
    pipelined = disk | {"dispersion": 0, "overlap_frac": 1}
    assert_allclose(incremental_h(**pipelined), best_h, rtol=1e-9)


@given(disk=workloads, block_kib=st.floats(1e-3, 1))
def test_a_block_is_at_least_a_cell(disk, block_kib):
    cell_kib = disk["cell_kib"]
    assert incremental_h(**disk | {"block_kib": block_kib * cell_kib}) == (
        incremental_h(**disk | {"block_kib": cell_kib})
    )


@given(disk=workloads)
def test_nothing_changed_nothing_to_do(disk):
    assert incremental_h(**disk | {"changed_gib": 0}) == 0
    assert incremental_h(**disk | {"used_gib": 0}) == 0


@given(size=sizes, rate=rates, others_h=st.floats(0, 1000))
def test_a_new_disk_is_copied_beside_the_others(size, rate, others_h):
    assert new_disk_h(size, rate, others_h) == max(initial_h(size, rate), others_h)
    assert new_disk_h(0, rate, others_h) == others_h


@pytest.mark.parametrize("overlap", [0, 0.5, 1])
def test_too_slow_for_a_float_is_never(overlap):
    assert checksum_compare_h(1e300, 1e300, 1e-300, overlap) == np.inf
    assert incremental_h(1e300, 1e300, 1, 1, 1e-300, 1, 8, 2048, overlap) == np.inf


TURNS = {"overlap_frac": 0, "request_overlap_frac": 0}  # one thing after the other

turning = st.fixed_dictionaries(
    {
        "used_gib": st.floats(1e-3, 1e5),
        "changed_gib": st.floats(0, 1e5),
        "dispersion": st.floats(0, 1),
        "active_frac": st.floats(0.01, 1),
        "incremental_mib_s": st.floats(1, 1000),
        "blob_iops": st.floats(1, 1e5),
        "cell_kib": st.sampled_from([1, 4, 8, 64]),
        "block_kib": st.floats(0.5, 8192),
    }
)


def test_taking_turns_in_a_hand_calculation():
    # that of the pipelined time: 9162.6 s of reading, 6233.6 s of requests, and
    # 25 GiB at 60 MB/s, 447.4 s
    service = {"incremental_mib_s": 60e6 / 2**20, "blob_iops": 500}
    found = incremental_h(512, 25, 1, 1, **service, cell_kib=8, block_kib=2048, **TURNS)
    assert_allclose(found * 3600, 9162.6 + 6233.6 + 447.4, rtol=1e-5)


@given(disk=turning)
def test_taking_turns_is_slower_than_any(disk):
    best_h, apart_h = (incremental_h(**disk, overlap_frac=w) for w in (1, 0))
    serial_h = incremental_h(**disk, **TURNS)
    assert best_h <= apart_h <= serial_h * (1 + 1e-12)
    assert serial_h <= 3 * best_h * (1 + 1e-12)


@given(disk=turning, share=shares, writes=st.tuples(*[st.floats(0.1, 64)] * 2))
def test_what_never_makes_taking_turns_faster(disk, share, writes):
    now_h = incremental_h(**disk, **TURNS) * (1 - 1e-9)
    by_write = [
        incremental_h(**disk | {"changed_gib": gib}, **TURNS)
        for gib in sent_gib(disk, writes)
    ]
    assert by_write[0] >= by_write[1] * (1 - 1e-9)
    for slower in (
        {"dispersion": max(disk["dispersion"], share)},
        {"active_frac": max(disk["active_frac"], share)},
        {"incremental_mib_s": disk["incremental_mib_s"] * (1 - share / 2)},
        {"blob_iops": disk["blob_iops"] * (1 - share / 2)},
        {"block_kib": disk["block_kib"] * (1 + share)},
    ):
        assert incremental_h(**disk | slower, **TURNS) >= now_h


def test_ends_of_taking_turns():
    service = dict(
        incremental_mib_s=60, blob_iops=500, cell_kib=8, block_kib=2048, **TURNS
    )
    assert incremental_h([0, 5], [5, 0], 1, 1, **service).tolist() == [0, 0]
    assert incremental_h(1e300, 1e300, 1, 1, 1e-300, 1, 8, 2048, 0, 0) == np.inf
