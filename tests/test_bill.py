"""A cost export: what is taken of it, and what is refused."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.inventory.bill.focus import read
from vmbmodel.inventory.files.findings import InventoryError

HEADER = [
    "BilledCost",
    "BillingCurrency",
    "ChargeCategory",
    "ChargeClass",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "PricingQuantity",
    "PricingUnit",
    "ResourceId",
    "x_SkuMeterCategory",
    "x_SkuMeterName",
    "Tags",
]
VAULT = (
    "/subscriptions/0/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/V1"
)


def charge(**changes):
    row = {
        "BilledCost": "10",
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": "2026-01-01T00:00:00Z",
        "ChargePeriodEnd": "2026-02-01T00:00:00Z",
        "PricingQuantity": "1",
        "PricingUnit": "1/Month",
        "ResourceId": VAULT,
        "x_SkuMeterCategory": "Backup",
        "x_SkuMeterName": "Azure VM Protected Instance",
        "Tags": '{"owner": "ops, night"}',
    }
    return row | changes


def stored(redundancy="LRS", **changes):
    meter = {"x_SkuMeterName": f"Standard {redundancy} Data Stored"}
    return charge(**{"PricingUnit": "1 GB/Month"} | meter | changes)


@pytest.fixture
def write(tmp_path):
    def write_rows(*rows, header=HEADER, name="bill.csv"):
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, header, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write_rows


def taken(path, **options):
    rows = read([path], **options).rows
    return {(r.month, r.vault, r.line): (r.quantity, r.cost) for r in rows.itertuples()}


def test_days_and_meters_old_and_new_add_up(write):
    day = {
        "ChargePeriodStart": "2026-01-02",
        "ChargePeriodEnd": "2026-01-03",
        "PricingQuantity": "0.5",
        "BilledCost": "0.25",
    }
    path = write(
        charge(**day),
        charge(**day, x_SkuMeterName="Azure VM Protected Instances"),
        stored("RA-GRS", **day),
        stored(**day | {"x_SkuMeterName": "LRS Data Stored"}),
        charge(
            x_SkuMeterCategory="Storage",
            x_SkuMeterName="ZRS Snapshots",
            PricingUnit="100 GB",
            PricingQuantity="2",
            ResourceId="/subscriptions/0/resourceGroups/AzureBackupRG_x_1",
        ),
        charge(x_SkuMeterCategory="Virtual Machines", x_SkuMeterName="D2 v3"),
    )
    assert taken(path) == {
        ("2026-01", "v1", "instances"): (1.0, 0.5),
        ("2026-01", "v1", "RA-GRS"): (0.5, 0.25),
        ("2026-01", "v1", "LRS"): (0.5, 0.25),
        ("2026-01", "", "snapshots"): (200.0, 10.0),
    }
    assert read([path]).passed_over == 1


COMPUTE = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Compute"


def snapshot(resource, meter="ZRS Snapshots", **changes):
    row = charge(x_SkuMeterCategory="Storage", PricingUnit="1 GB/Month")
    return row | {"x_SkuMeterName": meter, "ResourceId": resource} | changes


def test_a_resource_says_whose_a_snapshot_is(write):
    # Enhanced policies are billed under either name of the meter
    collection = f"{COMPUTE}/restorePointCollections"
    path = write(
        snapshot(f"{collection}/AzureBackup_vm-a_1", "Snapshots ZRS Snapshots"),
        snapshot(f"{collection}/AzureBackup_vm-a_1".lower(), BilledCost="1"),
        snapshot(f"{COMPUTE}/disks/d", "LRS Snapshots", BilledCost="2"),
        snapshot(f"{COMPUTE}/snapshots/mine", BilledCost="4"),
        snapshot(f"{collection}/mine", "Snapshots LRS Snapshots", BilledCost="8"),
        snapshot(f"{COMPUTE}/disks/d", "P10 Snapshot Reads", PricingUnit="10K"),
        charge(),
    )
    assert taken(path) == {
        ("2026-01", "", "snapshots"): (3.0, 13.0),
        ("2026-01", "v1", "instances"): (1.0, 10.0),
    }
    bill = read([path])
    assert bill.own_snapshots == {"Snapshots LRS Snapshots": 8.0, "ZRS Snapshots": 4.0}
    assert bill.unknown_snapshots == {"P10 Snapshot Reads": 10.0}
    assert bill.enhanced_gib == 2.0
    assert bill.passed_over == 3
    assert bill.other == {}


@pytest.mark.parametrize(
    ("unit", "gib"),
    [("1 TB/Month", 1024), ("TiB-Months", 1024), ("10 GB", 10), ("GiB-Mo", 1)],
)
def test_units_of_stored_data(write, unit, gib):
    path = write(stored(PricingUnit=unit))
    assert taken(path) == {("2026-01", "v1", "LRS"): (gib, 10.0)}


@pytest.mark.parametrize("unit", ["Count", "Instance-Months", "1/Month", "Units"])
def test_units_of_instances(write, unit):
    assert taken(write(charge(PricingUnit=unit))) == {
        ("2026-01", "v1", "instances"): (1, 10.0)
    }


def test_columns_of_focus_1_2_and_other_costs_are_taken(write):
    row = charge(EffectiveCost="7", SkuMeter="Azure VM Protected Instance")
    header = [n for n in HEADER if n != "x_SkuMeterName"] + [
        "SkuMeter",
        "EffectiveCost",
    ]
    path = write(row, header=header)
    assert taken(path, cost="effective") == {("2026-01", "v1", "instances"): (1, 7)}


def test_files_add_up(write):
    one, two = write(charge()), write(charge(Tags="other"), name="b.csv")
    assert read([one, two]).rows["cost"].tolist() == [20.0]


@pytest.mark.parametrize("other", ["bill.csv", "again.csv"])
def test_a_bill_given_twice_counts_once_and_says_so(write, other):
    snapshot = {"x_SkuMeterName": "ZRS Snapshots", "x_SkuMeterCategory": "Storage"}
    rows = [charge(), stored(BilledCost="2.5"), stored(**snapshot)]
    once = read([write(*rows)])
    both = read([write(*rows), write(*rows, name=other)])
    assert once.repeats() == ""
    assert both.rows.equals(once.rows)
    assert both.covered_frac == once.covered_frac
    assert "Left out 22.50 USD of 3 charges that stand there already" in both.repeats()
    assert f"{other} line 2 as " in both.repeats()


def test_a_charge_that_stands_twice_in_a_file_counts_once(write):
    bill = read([write(charge(), stored(), charge())])
    assert bill.rows["cost"].tolist() == [10.0, 10.0]
    assert list(bill.repeated["line"]) == [4]
    assert list(bill.repeated["as_line"]) == [2]
    assert "1 charge that stands there already" in bill.repeats()


def test_files_that_overlap_count_what_they_share_once(write, tmp_path):
    days = [charge(PricingQuantity=f"0.{n}") for n in range(1, 6)]
    first = write(*days[:3], name="first.csv")
    turned = write(*days[2:], header=HEADER[::-1], name="second.csv")
    bill = read([first, turned])
    assert_allclose(bill.rows["quantity"], [1.5])
    assert len(bill.repeated) == 1


@pytest.mark.parametrize("column", HEADER[:4] + HEADER[6:])
def test_charges_that_differ_in_any_column_are_two(write, column):
    other = {
        "BilledCost": "10.01",
        "BillingCurrency": "usd",
        "PricingQuantity": "1.0",
        "PricingUnit": "1/month",
        "ResourceId": VAULT + "2",
        "x_SkuMeterCategory": "Azure Backup",
        "x_SkuMeterName": "Azure VM Protected Instances",
        "ChargeCategory": "Adjustment",
        "ChargeClass": "Correction",
        "ChargePeriodEnd": "2026-02-01",
    }
    assert (
        read([write(charge(), charge(**{column: other.get(column, "x")}))]).repeats()
        == ""
    )


def test_other_charges_of_the_service_and_purchases_stand_apart(write):
    path = write(
        charge(),
        charge(x_SkuMeterName="SQL Server in Azure VM Protected Instance"),
        stored(ChargeCategory="Purchase", BilledCost="236760"),
    )
    bill = read([path])
    assert bill.rows["cost"].tolist() == [10.0]
    assert bill.other == {
        "SQL Server in Azure VM Protected Instance": 10.0,
        "Standard LRS Data Stored": 236760.0,
    }


def test_a_part_of_a_month_is_covered_in_part(write):
    path = write(
        charge(ChargePeriodStart="2024-02-01", ChargePeriodEnd="2024-02-02"),
        charge(ChargePeriodStart="2024-02-28", ChargePeriodEnd="2024-03-01"),
        charge(ChargePeriodStart="2024-03-01", ChargePeriodEnd="2024-03-02"),
    )
    assert read([path]).covered_frac == {"2024-02": 1.0, "2024-03": 1 / 31}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"BilledCost": "ten"}, "BilledCost = 'ten': must be a number"),
        ({"BilledCost": "=1+1"}, "must be a number"),
        ({"BilledCost": "1e999"}, "must be between -1,000,000,000,000 and"),
        ({"BilledCost": "-3"}, "must not be negative"),
        ({"PricingQuantity": "-3"}, "must not be negative"),
        ({"ChargePeriodStart": "soon"}, "must be a date"),
        ({"PricingUnit": "10K"}, "must be a unit"),
        ({"PricingUnit": ""}, "must be a unit"),
        ({"ResourceId": "/x/vaults/\x1b[31mred"}, "control characters"),
    ],
)
def test_a_bad_cell_is_named_with_its_line(write, change, rule):
    path = write(charge(), charge(**change), charge(**change))
    with pytest.raises(InventoryError) as caught:
        read([path])
    assert rule in str(caught.value)
    assert [finding.row for finding in caught.value.findings] == [3, 4]


def test_a_period_ends_after_it_begins(write):
    times = {"ChargePeriodStart": "2026-02-01", "ChargePeriodEnd": "2026-01-01"}
    for change in (times, times | {"ChargePeriodEnd": "2026-02-01"}):
        with pytest.raises(InventoryError) as refused:
            read([write(charge(), charge(**change))])
        said = str(refused.value)
        assert "bill.csv:3: ChargePeriodEnd = " in said
        assert "must be after ChargePeriodStart; that is 2026-02-01" in said


@pytest.mark.parametrize(
    ("start", "end", "month"),
    [
        ("2026-01-01", "2026-04-01", "2026-01"),
        ("2026-01-15T00:00:00Z", "2026-02-01T00:00:01Z", "2026-01"),
        ("2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00", "2026-02"),
    ],
)
def test_a_charge_of_several_months_is_refused(write, start, end, month):
    times = {"ChargePeriodStart": start, "ChargePeriodEnd": end}
    with pytest.raises(InventoryError) as refused:
        read([write(charge(), charge(**times))])
    said = str(refused.value)
    assert f"bill.csv:3: ChargePeriodEnd = '{end}': must be in the month" in said
    assert f"that begins in {month}" in said
    other = times | {"x_SkuMeterCategory": "Virtual Machines"}
    more = read([write(charge(), charge(**other))])
    assert more.covered_frac == read([write(charge())]).covered_frac


@pytest.mark.parametrize("name", ["", "   ", "US Dollar"])
def test_a_charge_without_a_currency_is_named(write, name):
    with pytest.raises(InventoryError, match=r"bill\.csv:3: BillingCurrency = "):
        read([write(charge(), charge(BillingCurrency=name))])


@pytest.mark.parametrize("column", ["BilledCost", "PricingQuantity"])
def test_figures_beyond_reason_are_refused(write, column):
    with pytest.raises(InventoryError, match=f"{column} = '1e308': must be between"):
        read([write(charge(**{column: "1e308"}))])


def test_a_refund_may_be_negative(write):
    refund = {"BilledCost": "-4", "PricingQuantity": "-1"}
    path = write(
        charge(),
        charge(**refund, ChargeClass="Correction"),
        charge(**refund, ChargeCategory="Credit"),
    )
    assert taken(path) == {("2026-01", "v1", "instances"): (-1.0, 2.0)}


def test_currencies_are_not_added(write):
    path = write(charge(), charge(BillingCurrency="EUR"))
    with pytest.raises(InventoryError, match=r"EUR \(.*line 3\), USD \(.*line 2\)"):
        read([path])


def test_a_column_that_stands_twice_is_named_if_it_is_read(write):
    path = write(charge(), header=[*HEADER, "billedcost", "Tags", "Tags"])
    with pytest.raises(InventoryError, match="stands there 2 times") as caught:
        read([path])
    assert [finding.column for finding in caught.value.findings] == ["BilledCost"]


def test_missing_columns_are_all_named(write):
    path = write(charge(), header=["BilledCosts", "Tags"])
    with pytest.raises(InventoryError) as caught:
        read([path])
    message = str(caught.value)
    assert "did you mean BilledCosts" in message
    assert "SkuMeter or x_SkuMeterName is missing" in message


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "UTF-16"),
        (b"PK\x03\x04", "workbook"),
        (",".join(HEADER).encode() + b"\n", "no charge for VM backup"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, data, rule):
    path = tmp_path / "bill.csv"
    path.write_bytes(data)
    with pytest.raises(InventoryError, match=rule):
        read([path])


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InventoryError, match="does not exist"):
        read([tmp_path / "none.csv"])


@given(data=st.data())
@settings(max_examples=60)
def test_a_damaged_export_gives_a_finding_or_a_bill(data, tmp_path_factory):
    rows = [charge(), stored("GRS"), charge(BilledCost="3")]
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER)
    writer.writeheader()
    writer.writerows(rows)
    whole = bytearray(text.getvalue().encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 40))] = data.draw(
            st.binary(max_size=4)
        )
    path = tmp_path_factory.mktemp("bills") / "bill.csv"
    path.write_bytes(whole)
    problem = ""
    try:
        numbers = read([path]).rows[["quantity", "cost"]]
    except InventoryError as error:
        problem = str(error)
    assert str(path) in problem if problem else np.isfinite(numbers).all(axis=None)


@pytest.mark.parametrize("kind", ["", "Gift", "UnusedReservation"])
def test_a_kind_that_the_specification_has_not_is_refused(write, kind):
    rule = "must be one of Usage, Purchase, Tax, Credit, Adjustment"
    with pytest.raises(InventoryError, match=rule) as refusal:
        read([write(charge(), charge(ChargeCategory=kind))])
    (found,) = refusal.value.findings
    assert (found.row, found.column, found.value) == (3, "ChargeCategory", kind)


@pytest.mark.parametrize("kind", ["Usage", "usage", "Tax", "Credit", "Adjustment"])
def test_a_kind_of_the_specification_is_read(write, kind):
    assert read([write(charge(ChargeCategory=kind))]).rows["cost"].sum() == 10
