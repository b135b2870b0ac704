"""One thing after the other: hand calculations, and which way is never faster."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.fields import convert
from vmbmodel.formulas.dispersion import cell_amplification, effective_mib_s
from vmbmodel.formulas.serial import effective_serial_mib_s, incremental_serial_h
from vmbmodel.formulas.transfer import incremental_h

rates = st.floats(1, 1000)
shares = st.floats(0, 1)
disks = st.fixed_dictionaries(
    {
        "used_gib": st.floats(1e-3, 1e5),
        "changed_gib": st.floats(0, 1e5),
        "dispersion": shares,
        "active_frac": st.floats(0.01, 1),
        "incremental_mib_s": rates,
        "blob_iops": st.floats(1, 1e5),
        "cell_kib": st.sampled_from([1, 4, 8, 64]),
        "block_kib": st.floats(0.5, 8192),
    }
)


def test_half_of_the_rate_is_left_at_the_length_of_half_performance():
    # Hockney and Jesshope (1988), ch. 1: r = r_inf / (1 + n_half / n); an extent
    # that is sent in the time of a start-up goes at half the rate
    half_kib = 76.3 / 500 * 1024
    assert_allclose(effective_serial_mib_s(76.3, 500, half_kib), 76.3 / 2)


def test_documented_rates_of_one_request_at_a_time():
    # 640 Mbps and 2 ms before each extent of 8, 80 and 8,000 KiB, in Mbps:
    # 8 KiB take 2 ms + 0.1024 ms, and so on
    rate = convert(640, "Mbps", to="MiB/s")
    found = effective_serial_mib_s(rate, 500, np.array([8, 80, 8000])) * 8.388608
    bits = np.array([8, 80, 8000]) * 8192
    assert_allclose(found, bits / (2e-3 + bits / 640e6) / 1e6, rtol=1e-12)
    assert_allclose(found, [31.2, 217, 628], rtol=2e-3)


def test_in_a_hand_calculation():
    # that of the pipelined time: 9162.6 s of reading, 6233.6 s of requests, and
    # 25 GiB at 60 MB/s, 447.4 s
    service = {"incremental_mib_s": 60e6 / 2**20, "blob_iops": 500}
    found = incremental_serial_h(512, 25, 1, 1, **service, cell_kib=8, block_kib=2048)
    assert_allclose(found * 3600, 9162.6 + 6233.6 + 447.4, rtol=1e-5)


@given(rate=rates, iops=rates, extent_kib=st.floats(1e-3, 1e9))
def test_taking_turns_costs_at_most_half(rate, iops, extent_kib):
    pipelined = effective_mib_s(rate, iops, extent_kib)
    serial = effective_serial_mib_s(rate, iops, extent_kib)
    assert pipelined / 2 * (1 - 1e-12) <= serial <= pipelined * (1 + 1e-12)


@given(disk=disks)
def test_no_overlap_is_slower_than_any(disk):
    best_h, apart_h = (incremental_h(**disk, overlap_frac=w) for w in (1, 0))
    serial_h = incremental_serial_h(**disk)
    assert best_h <= apart_h <= serial_h * (1 + 1e-12)
    assert serial_h <= 3 * best_h * (1 + 1e-12)


@given(disk=disks, share=shares, writes=st.tuples(*[st.floats(0.1, 64)] * 2))
def test_what_never_makes_it_faster(disk, share, writes):
    now_h = incremental_serial_h(**disk) * (1 - 1e-9)
    small, large = (
        cell_amplification(w, disk["dispersion"], disk["cell_kib"])
        for w in sorted(writes)
    )
    churn_gib = min(disk["changed_gib"], disk["used_gib"] / 2 / small)
    by_write = [
        incremental_serial_h(**disk | {"changed_gib": churn_gib * a})
        for a in (small, large)
    ]
    assert by_write[0] >= by_write[1] * (1 - 1e-9)
    for slower in (
        {"dispersion": max(disk["dispersion"], share)},
        {"active_frac": max(disk["active_frac"], share)},
        {"incremental_mib_s": disk["incremental_mib_s"] * (1 - share / 2)},
        {"blob_iops": disk["blob_iops"] * (1 - share / 2)},
        {"block_kib": disk["block_kib"] * (1 + share)},
    ):
        assert incremental_serial_h(**disk | slower) >= now_h


def test_the_ends():
    service = dict(incremental_mib_s=60, blob_iops=500, cell_kib=8, block_kib=2048)
    assert incremental_serial_h([0, 5], [5, 0], 1, 1, **service).tolist() == [0, 0]
    assert incremental_serial_h(1e300, 1e300, 1, 1, 1e-300, 1, 8, 2048) == np.inf
    assert effective_serial_mib_s(76.3, 500, np.inf) == 76.3
    assert_allclose(effective_serial_mib_s(1e300, 1e-300, 1024), 1e-300)
