"""Tiers of disks: the printed tables, and their lookup."""

import dataclasses
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmbmodel.fields import fields
from vmbmodel.plan.estimate.transfers import performance
from vmbmodel.service import disk_tiers, disk_tiers_on

SEED, LATER = date(2018, 12, 11), date(2026, 1, 28)
CLASSES = ("standard-hdd", "standard-ssd", "premium-ssd")
MB = 1e6 / 2**20


@pytest.mark.parametrize(
    ("kind", "size_gib", "day", "iops", "mib_s"),
    [
        # manageddisks2018; standardhdd2019; standardssd2019; premiumssd2023
        ("premium-ssd", 128, SEED, 500, 100 * MB),
        ("premium-ssd", 129, SEED, 2300, 150 * MB),
        ("premium-ssd", 129, LATER, 1100, 125 * MB),
        ("Premium_ZRS", 32767, LATER, 20_000, 900 * MB),
        ("standard-hdd", 4095, SEED, 500, 60 * MB),
        ("Standard_LRS", 4097, LATER, 1300, 300 * MB),
        ("standard-ssd", 0, LATER, 120, 25),
        ("StandardSSD_LRS", 64, LATER, 240, 50),
        ("StandardSSD_LRS", 64, SEED, 240, 50),
        ("P4", 1024, LATER, 120, 25 * MB),
        ("P15", 256, SEED, 1100, 125 * MB),
        ("premium-ssd-v2", 64, LATER, np.inf, np.inf),
        ("UltraSSD_LRS", 64, LATER, np.inf, np.inf),
        (None, 64, LATER, np.inf, np.inf),
        (np.nan, 64, LATER, np.inf, np.inf),
    ],
)
def test_printed_figures(kind, size_gib, day, iops, mib_s):
    found = performance([kind], [size_gib], day)
    assert [float(figure[0]) for figure in found] == [iops, pytest.approx(mib_s)]


def test_every_name_of_the_tables_is_allowed_in_an_inventory_and_no_other():
    names = {"premium-ssd-v2", "ultra", "PremiumV2_LRS", "UltraSSD_LRS"}
    for table in disk_tiers():
        names |= {table.disk_type, *table.sku, *table.tier}
    assert names == set(fields()["disk_type"].choices)


def test_a_table_cannot_be_altered():
    for table in disk_tiers():
        with pytest.raises(dataclasses.FrozenInstanceError):
            table.tier = ()


def test_a_larger_tier_gives_no_less():
    for table in disk_tiers():
        assert len(table.tier) == len(table.size_gib)
        assert len(table.tier) == len(table.disk_iops) == len(table.disk_mib_s)
        assert (np.diff(table.size_gib) > 0).all()
        assert (np.diff(table.disk_iops) >= 0).all()
        assert (np.diff(table.disk_mib_s) >= 0).all()


@given(st.dates(date(2015, 1, 1), date(2030, 1, 1)))
def test_one_table_a_class_on_any_day(day):
    found = disk_tiers_on(day)
    assert sorted(table.disk_type for table in found) == sorted(CLASSES)
    for table in found:
        alike = [t for t in disk_tiers() if t.disk_type == table.disk_type]
        rest = [t for t in alike if t != table]
        if table.as_of > day:
            assert all(table.as_of < other.as_of for other in rest)
        assert not [t for t in rest if table.as_of < t.as_of <= day]


@given(st.sampled_from(CLASSES), st.lists(st.floats(0, 1e6), min_size=1), st.dates())
def test_a_larger_disk_gets_no_less(kind, sizes, day):
    iops, mib_s = performance([kind], sorted(sizes), day)
    assert (np.diff(iops) >= 0).all()
    assert (np.diff(mib_s) >= 0).all()
