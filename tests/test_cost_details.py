"""Cost details of Cost Management, whatever the agreement, beside the model."""

import csv
import io

import pytest
from malformed import refusals
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.inventory.bill import read
from vmbmodel.inventory.files import InventoryError

VAULT = (
    "/subscriptions/0/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/V1"
)
INVENTORY = """\
vm,disk,role,size_gib,used_gib,churn_gib_per_day,vault,redundancy
vm-a,os,os,128,100,1,v1,LRS
"""

HEADINGS = {
    "EA": {
        "day": "Date", "meter": "MeterName", "service": "MeterCategory",
        "unit": "UnitOfMeasure", "quantity": "Quantity", "resource": "ResourceId",
        "cost": "CostInBillingCurrency", "currency": "BillingCurrencyCode",
        "kind": "ChargeType", "begin": "BillingPeriodStartDate",
        "end": "BillingPeriodEndDate",
    },
    "MCA": {
        "day": "date", "meter": "meterName", "service": "meterCategory",
        "unit": "unitOfMeasure", "quantity": "quantity", "resource": "ResourceId",
        "cost": "costInBillingCurrency", "currency": "billingCurrency",
        "kind": "chargeType", "begin": "billingPeriodStartDate",
        "end": "billingPeriodEndDate",
    },
    "PAYG": {
        "day": "UsageDateTime", "meter": "MeterName", "service": "MeterCategory",
        "unit": "UnitOfMeasure", "quantity": "UsageQuantity", "resource": "InstanceId",
        "cost": "PreTaxCost", "currency": "Currency", "kind": "ChargeType",
    },
    "PAYG, 2019": {
        "day": "Date", "meter": "MeterName", "service": "MeterCategory",
        "unit": "UnitOfMeasure", "quantity": "Quantity", "resource": "ResourceId",
        "cost": "CostInBillingCurrency", "currency": "BillingCurrency",
        "kind": "ChargeType",
    },
    "old EA": {
        "day": "Date", "meter": "Meter Name", "service": "Meter Category",
        "unit": "Unit Of Measure", "quantity": "Consumed Quantity",
        "resource": "Instance ID", "cost": "ExtendedCost", "currency": "Currency",
    },
}  # fmt: skip
every = pytest.mark.parametrize("agreement", list(HEADINGS))


def charge(**changes):
    row = {
        "day": "01/01/2026", "meter": "Azure VM Protected Instances",
        "service": "Backup", "unit": "1/Month", "quantity": "1", "resource": VAULT,
        "cost": "10", "currency": "USD", "kind": "Usage", "begin": "01/01/2026",
        "end": "01/31/2026",
    }  # fmt: skip
    return row | changes


def stored(**changes):
    meter = {"meter": "LRS Data Stored", "unit": "1 GB/Month"}
    return charge(**meter | {"quantity": "129", "cost": "2.89"} | changes)


def daily(row, days=31):
    """Spread a charge over the days of January."""
    parts = {name: f"{float(row[name]) / days:.12f}" for name in ("quantity", "cost")}
    return [row | parts | {"day": f"01/{day:02d}/2026"} for day in range(1, days + 1)]


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.csv").write_text(INVENTORY, "utf-8")

    def write_rows(agreement, *rows, name="bill.csv"):
        headings, text = HEADINGS[agreement], io.StringIO()
        writer = csv.writer(text)
        # other columns stand between, as in an export
        writer.writerow(["SubscriptionId", *headings.values(), "Tags"])
        for row in rows:
            writer.writerow(["s", *(row[key] for key in headings), "{}"])
        path = tmp_path / name
        path.write_text(text.getvalue(), "utf-8")
        return path

    return write_rows


@every
def test_days_of_every_agreement_end_to_end(write, agreement):
    write(agreement, *daily(charge()), *daily(stored()))
    result = CliRunner().invoke(app, ["reconcile", "fleet.csv", "bill.csv"])
    assert result.exit_code == 0, result.output
    assert "Billed 12.89 USD, modelled 13.13 USD over 1 month" in result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["v1", "LRS", "129", "129", "2.89", "2.89"] in lines
    assert ["v1", "instances", "1", "1", "10.00", "10.00"] in lines


def test_policies_of_a_table_are_billed_too(write, tmp_path):
    write("EA", *daily(charge()), *daily(stored()))
    policies = tmp_path / "p.csv"
    policies.write_text("policy,snapshot_points\nNightly,0\n", "utf-8")
    inventory = tmp_path / "fleet.csv"
    named = INVENTORY.replace("redundancy", "redundancy,policy")
    inventory.write_text(named.replace("LRS", "LRS,Nightly"), "utf-8")
    asked = ["reconcile", "fleet.csv", "bill.csv", "--policies", "p.csv"]
    result = CliRunner().invoke(app, asked)
    assert "Billed 12.89 USD, modelled 12.89 USD over 1 month" in result.output


@pytest.mark.parametrize("agreement", ["EA", "MCA"])
def test_sums_of_a_billing_period_have_its_last_day(write, agreement):
    last = {"day": "01/31/2026"}
    bill = read([write(agreement, charge(**last), stored(**last))])
    assert bill.covered_frac == {"2026-01": 1.0}
    assert bill.remarks == (
        "All charges of 2026-01 have the last day of their billing period and are "
        "taken as its sums, since 2026-01-01.",
    )
    one_day = read([write(agreement, charge(), stored())])
    assert one_day.covered_frac == {"2026-01": 1 / 31}
    assert not one_day.remarks


@every
def test_dates_with_the_year_first_too(write, agreement):
    rows = [charge(day=f"2026-01-{day:02d}", begin="", end="") for day in (1, 31)]
    assert read([write(agreement, *rows)]).covered_frac == {"2026-01": 1.0}


def test_an_export_saved_again_with_days_first(write):
    path = write("PAYG", charge(day="01/01/2026"), charge(day="31/01/2026"))
    with pytest.raises(InventoryError) as caught:
        read([path])
    assert str(caught.value).endswith(
        "bill.csv:3: UsageDateTime = '31/01/2026': must be a date such as 2026-01-31 "
        "or 01/31/2026; is it --date-order dmy?"
    )
    assert read([path], date_order="dmy").covered_frac == {"2026-01": 1.0}
    asked = ["reconcile", "fleet.csv", "bill.csv", "--date-order", "dmy"]
    assert CliRunner().invoke(app, asked).exit_code == 0


def test_reservations_bought_or_unused_are_no_use(write):
    rows = [stored(kind=kind) for kind in ("Usage", "Purchase", "UnusedReservation")]
    bill = read([write("EA", *rows)])
    assert bill.rows["cost"].tolist() == [2.89]
    assert bill.other == {"LRS Data Stored": 5.78}


def test_an_amortised_export_is_read_as_effective_cost(write):
    path = write("MCA", stored(cost="2.43"))
    assert read([path], cost="effective").rows["cost"].tolist() == [2.43]
    with pytest.raises(InventoryError, match="has no ListCost, but what was billed or"):
        read([path], cost="list")


def test_a_table_of_the_cost_analysis_has_no_quantities(write, tmp_path):
    (tmp_path / "bill.csv").write_text(
        '"UsageDate","ResourceId","Meter","Cost","CostUSD","Currency"\n'
        f'"2026-01-31","{VAULT}","Azure VM Protected Instances","10","10","USD"\n',
        "utf-8",
    )
    result = CliRunner().invoke(app, ["reconcile", "fleet.csv", "bill.csv"])
    assert result.exit_code == 2
    assert (
        "bill.csv:1: is a table of the cost analysis, which has no quantities; read "
        "are exports in the columns of FOCUS, and the cost details of Cost Management"
    ) in result.output


@every
def test_malformed_details_are_read_or_refused_with_their_place(write, agreement):
    path = write(agreement, *daily(charge(), 5), *daily(stored(), 5))
    refused = list(refusals(lambda name: read([name]), path, 40))
    assert len(refused) > 10
    assert all(f.file == "bill.csv" for findings in refused for f in findings)


def test_kinds_that_no_page_of_microsoft_names_are_remarked_and_count(write):
    known = ("Usage", "usage", "Refund", "RoundingAdjustment", "Tax")
    rows = [stored(kind=kind, day=f"01/0{n}/2026") for n, kind in enumerate(known, 1)]
    assert read([write("EA", *rows)]).remarks == ()
    bill = read([write("EA", *rows, stored(kind="Gift"), stored(kind="", cost="3"))])
    assert bill.remarks == (
        "2 charges of a kind that is not known, '', 'Gift', taken as use.",
    )
    assert bill.rows["cost"].sum() == pytest.approx(6 * 2.89 + 3)


@pytest.fixture
def priced(write):
    """Write charges of an EA, each with an effective price and perhaps its currency."""

    def write_priced(*rows, currency=None):
        path = write("EA", *(row for row, _ in rows))
        with open(path, newline="", encoding="utf-8-sig") as file:
            header, *cells = csv.reader(file)
        own = ["EffectivePrice", *(["PricingCurrency"] if currency else [])]
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow([*header, *own])
        for row, (_, price) in zip(cells, rows, strict=True):
            table.writerow([*row, price, *([currency] if currency else [])])
        with open(path, "w", encoding="utf-8") as file:
            file.write(out.getvalue())
        return path

    return write_priced


def test_a_charge_that_is_not_its_price_is_remarked(priced):
    good = [stored(), "0.0224"], [stored(day="01/02/2026", cost="0"), "0"]
    none = [stored(day="01/03/2026"), ""]
    assert read([priced(*good, none)]).remarks == ()
    days = [f"01/{day}/2026" for day in range(10, 15)]
    twice = [[stored(day=day, cost="5.78"), "0.0224"] for day in days]
    bill = read([priced(*good, *twice)])
    (said,) = bill.remarks
    assert said.startswith("5 charges not at quantity times EffectivePrice, such as ")
    assert "line 4 (129 at 0.0224, charged 5.78)" in said
    assert said.count("charged") == 3
    assert bill.rows["cost"].sum() == pytest.approx(2.89 + 5 * 5.78)


def test_a_price_in_another_currency_is_not_compared(priced):
    dearer = [stored(cost="5.78"), "0.0224"]
    assert read([priced(dearer, currency="EUR")]).remarks == ()
    assert len(read([priced(dearer, currency="usd")]).remarks) == 1
