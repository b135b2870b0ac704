"""The most that meets a deadline: published durations, round trips, edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.fields import convert
from vmbmodel.formulas.dispersion import changed_gib
from vmbmodel.formulas.largest import (
    largest_churn_gib,
    largest_compared_gib,
    largest_dispersion,
    largest_initial_gib,
    largest_scan_gib,
    smallest_write_kib,
)
from vmbmodel.formulas.transfer import (
    checksum_compare_h,
    incremental_h,
    initial_h,
    scan_h,
)

deadlines = st.floats(1e-3, 1000)
rates = st.floats(0.1, 1e4)
shares = st.one_of(st.just(0.0), st.just(1.0), st.floats(1e-6, 1))

SERVICE = {
    "incremental_mib_s": convert(60, "MB/s", to="MiB/s"),
    "blob_iops": 500,
    "cell_kib": 8,
    "block_kib": 2048,
}
disks = st.fixed_dictionaries(
    {
        "used_gib": st.floats(1e-3, 1e5),
        "active_frac": st.floats(0.01, 1),
        "incremental_mib_s": rates,
        "blob_iops": st.floats(1, 1e5),
        "cell_kib": st.sampled_from([1, 4, 8, 64]),
        "block_kib": st.integers(1, 128).map(lambda cells: 64 * cells),
    }
)


def test_published_upload_volumes():
    # Pool, wiki of the backup program "conserve" (2014), page "Scaling": an uplink
    # of 1.5 Mbps moves 675 MB an hour, and 1 TB in 61 days.
    uplink_mib_s = convert(1.5, "Mbps", to="MiB/s")
    for largest in (largest_initial_gib, largest_scan_gib):
        assert_allclose(largest(1, uplink_mib_s), 675e6 / 2**30, rtol=1e-14)
        assert largest(61 * 24, uplink_mib_s) < 1e12 / 2**30
        assert largest(62 * 24, uplink_mib_s) > 1e12 / 2**30


def test_the_documented_largest_disk_misses_its_first_backup_only():
    # Microsoft (2018): up to 8 of 24 hours in line; the largest disk has 4,095 GB
    # and may miss a day the first time, at 160 Mbps, but not later, at 640.
    first, later = (convert(rate, "Mbps", to="MiB/s") for rate in (160, 640))
    assert largest_initial_gib(24 - 8, first) < 4095 < largest_scan_gib(24 - 8, later)


def test_in_a_hand_calculation():
    # 500 requests a second for an hour are 1.8 million cells of 8 KiB, one each:
    # at most C (1 - C / M) runs of C changed cells among M = 2^27 of a TiB, so
    # C = 1 824 809.9 by the quadratic; blocks of one cell cost no reading more.
    every = SERVICE | {"incremental_mib_s": 1e6, "block_kib": 8, "overlap_frac": 1}
    cells = largest_churn_gib(1, 1024, 1, 1, **every) * 2**17
    assert_allclose(cells * (1 - cells / 2**27), 1.8e6, rtol=1e-12)
    assert_allclose(cells, 1_824_809.9, rtol=1e-7)


@given(deadline_h=deadlines, rate=rates, share=shares, overlap=shares)
def test_the_largest_disk_takes_exactly_the_deadline(deadline_h, rate, share, overlap):
    first_gib = largest_initial_gib(deadline_h, rate)
    assert_allclose(initial_h(first_gib, rate), deadline_h, rtol=1e-14)
    scanned_gib = largest_scan_gib(deadline_h, rate)
    assert_allclose(scan_h(scanned_gib, rate), deadline_h, rtol=1e-14)
    used_gib = largest_compared_gib(deadline_h, share, rate, overlap)
    took_h = checksum_compare_h(used_gib, share * used_gib, rate, overlap)
    assert_allclose(took_h, deadline_h, rtol=1e-14)


@given(disk=disks, deadline_h=deadlines, dispersion=shares, overlap=shares)
def test_the_largest_churn_is_in_time_and_more_is_not(
    disk, deadline_h, dispersion, overlap
):
    disk |= {"dispersion": dispersion, "overlap_frac": overlap}
    used_gib = disk["used_gib"]
    most_gib = largest_churn_gib(deadline_h, **disk)
    assert 0 < most_gib <= used_gib
    less_gib = most_gib * np.linspace(0, 1, 20)
    took_h = incremental_h(changed_gib=less_gib, **disk)
    assert (took_h <= deadline_h * (1 + 1e-9)).all()
    if most_gib < used_gib * (1 - 1e-9):
        more_h = incremental_h(changed_gib=most_gib * (1 + 1e-6), **disk)
        assert more_h > deadline_h * (1 - 1e-12)
        assert_allclose(took_h[-1], deadline_h, rtol=1e-9)


@given(disk=disks, deadline_h=deadlines, share=st.floats(1e-6, 1), overlap=shares)
def test_the_largest_dispersion_is_in_time_and_more_is_not(
    disk, deadline_h, share, overlap
):
    disk |= {"changed_gib": share * disk["used_gib"], "overlap_frac": overlap}
    most = largest_dispersion(deadline_h, **disk)
    took_h = incremental_h(dispersion=most, **disk)
    if most == 0:
        # nothing scattered at all is in time, if that
        assert incremental_h(dispersion=1e-12, **disk) >= deadline_h * (1 - 1e-9)
    elif most < 1:
        assert_allclose(took_h, deadline_h, rtol=1e-9)
    else:
        assert took_h <= deadline_h * (1 + 1e-9)


@given(
    disk=disks,
    deadline_h=deadlines,
    dispersion=st.floats(0.01, 1),
    overlap=shares,
    less=st.floats(0.1, 1),
)
def test_what_never_allows_more_churn(disk, deadline_h, dispersion, overlap, less):
    def most_gib(deadline_h=deadline_h, dispersion=dispersion, **changes):
        service = disk | {"overlap_frac": overlap} | changes
        return largest_churn_gib(deadline_h, dispersion=dispersion, **service)

    now = most_gib() * (1 + 1e-9)
    assert most_gib(deadline_h=less * deadline_h) <= now
    assert most_gib(dispersion=min(1, dispersion / less)) <= now
    assert most_gib(incremental_mib_s=less * disk["incremental_mib_s"]) <= now
    assert most_gib(blob_iops=less * disk["blob_iops"]) <= now
    assert most_gib(block_kib=2 * disk["block_kib"]) <= now
    assert most_gib(overlap_frac=less * overlap) <= now


@given(
    churn=st.floats(1e-3, 1000),
    room=st.floats(1, 50),
    dispersion=st.floats(1e-3, 1),
    active=st.floats(0.01, 1),
    cell_kib=st.sampled_from([4, 8, 64]),
)
def test_the_smallest_write_sends_what_is_allowed(
    churn, room, dispersion, active, cell_kib
):
    disk, allowed_gib = (churn, 1500), churn * room
    place = dispersion, active, cell_kib
    write_kib = smallest_write_kib(*disk, allowed_gib, *place)
    assert 0 <= write_kib <= cell_kib
    sent_gib = changed_gib(*disk, max(write_kib, 1e-9), *place)
    if write_kib:
        assert_allclose(sent_gib, allowed_gib, rtol=1e-6)
    assert sent_gib <= allowed_gib * (1 + 1e-6)


def test_smallest_write_at_its_edges():
    def found(churn_gib, allowed_gib, dispersion):
        return smallest_write_kib(churn_gib, 100, allowed_gib, dispersion, 1, 8)

    assert found(5, 4.99, 0.1) == np.inf
    assert found(5, 5, 0.1) == pytest.approx(8)
    assert found(5, 5.001, 0) == 0
    assert found(0, 0, 1) == 0
    assert found(5, 100, 1) == 0


@pytest.mark.parametrize("overlap", [0, 0.5, 1])
def test_far_out(overlap):
    service = SERVICE | {"overlap_frac": overlap}
    assert largest_churn_gib(0, 100, 0.1, 1, **service) == 0
    assert largest_churn_gib(24, 0, 0.1, 1, **service) == 0
    assert largest_churn_gib(1e300, 100, 1, 1, **service) == 100
    assert largest_dispersion(0, 100, 5, 1, **service) == 0
    assert largest_dispersion(24, 100, 0, 1, **service) == 1
    assert largest_dispersion(0, 0, 0, 1, **service) == 1
    assert largest_dispersion(1e300, 100, 100, 1, **service) == 1
    tiny_gib = largest_churn_gib(1e-300, 1e300, 1, 1, **service)
    assert 0 <= tiny_gib < 1e-280
    fast = service | {"incremental_mib_s": 1e300, "blob_iops": 1e300}
    assert largest_churn_gib(1, 1e10, 1, 1, **fast) == 1e10


def test_without_time_nothing_and_without_limit_everything():
    assert largest_initial_gib(0, 1) == largest_scan_gib(0, 1) == 0
    assert largest_compared_gib(0, 1, 1, 0) == 0
    assert largest_initial_gib(1e300, 1e300) == np.inf
    assert largest_compared_gib(1e300, 0.5, 1e300, 0) == np.inf


@pytest.mark.parametrize("block_kib", [64, 2048])
def test_where_reading_limits_the_largest_dispersion_takes_just_the_deadline(block_kib):
    # 512 GiB take 2.5 h to read, and 20 GiB are sent in a tenth of that
    disk = {"active_frac": 1, "incremental_mib_s": 57.2, "blob_iops": 1e9}
    disk |= {"cell_kib": 8, "block_kib": block_kib, "overlap_frac": 1}
    for deadline_h in (0.2, 0.4, 0.6):
        dispersion = largest_dispersion(deadline_h, 512, 20, **disk)
        assert 0 < dispersion < 1
        took_h = incremental_h(512, 20, dispersion, **disk)
        assert_allclose(took_h, deadline_h, rtol=1e-9)
