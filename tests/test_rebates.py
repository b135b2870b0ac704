"""Discounts and reserved capacity: documented examples, a printed price, properties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.billing import storage_usd
from vmbmodel.formulas.rebates import discounted_usd, reserved_usd
from vmbmodel.service import prices

sizes = st.floats(0, 1e7)
rates = st.floats(0, 10)
shares = st.floats(0, 1)

TIB = 1024


def test_documented_under_and_overuse():
    # Microsoft, "Understand how reservation discounts are applied" (2022): of 100
    # TiB with 80 in use, 20 are lost; of 101, 1 TiB is charged at list price.
    def bill(tib):
        return reserved_usd(tib * TIB, 100 * TIB, 0.0224, 0.1)

    assert bill(80) == bill(100)
    assert_allclose(bill(101) - bill(100), TIB * 0.0224, rtol=1e-9)


@pytest.mark.parametrize(("redundancy", "printed"), [("lrs", 236760), ("grs", 473520)])
def test_printed_price_of_a_year(redundancy, printed):
    # rows of type Reservation for West Europe: 207,775.340061 and 415,550.680123
    # EUR at 0.8775779 EUR a dollar, for 1 PiB and a year
    book = prices.load("azure-list-2026-01")
    month = reserved_usd(
        0,
        1024 * TIB,
        book[f"{redundancy}_usd_per_gib_month"],
        book["reserved_discount_frac"],
    )
    assert_allclose(12 * month, printed, atol=0.5)


@given(stored=sizes, reserved=sizes, rate=rates, off=shares)
def test_a_reservation_is_a_price_for_all_it_covers(stored, reserved, rate, off):
    bill = reserved_usd(stored, reserved, rate, off)
    beyond = reserved_usd(stored + 1, reserved, rate, off)
    assert reserved_usd(stored, 0, rate, off) == storage_usd(stored, rate, 1)
    assert bill <= beyond * (1 + 1e-12)
    assert bill >= rate * (1 - off) * max(stored, reserved) * (1 - 1e-12)


@given(reserved=st.floats(1, 1e7), off=shares, used=shares)
def test_a_reservation_pays_once_enough_of_it_is_used(reserved, off, used):
    bill, at_list = (reserved_usd(used * reserved, r, 1, off) for r in (reserved, 0))
    if used > 1 - off + 1e-9:
        assert bill < at_list
    if used < 1 - off - 1e-9:
        assert bill > at_list


@given(price=st.floats(0, 1e9), off=shares, other=shares)
def test_discounts(price, off, other):
    assert discounted_usd(price, 0) == price
    assert discounted_usd(price, 1) == 0
    both = discounted_usd(discounted_usd(price, off), other)
    assert both <= discounted_usd(price, max(off, other)) * (1 + 1e-12)


def test_a_discount_of_fifteen_per_cent():
    # 15 % off 20 USD
    assert discounted_usd(20, 0.15) == 17


def test_ends_of_the_range():
    assert reserved_usd(1e300, 0, 1e300, 0) == math.inf
    assert reserved_usd(0, 1e300, 1e300, 1) == 0
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="discount_frac must be >= 0 and <= 1"):
            discounted_usd(20, bad)
