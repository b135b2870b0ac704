"""The public retail price list: its documented shape, and whatever else is given."""

import datetime
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.service import (
    PRICES,
    price_book,
    read_price_list,
    storage_usd_per_gib_month,
)

ASKED = datetime.date(2026, 11, 22)
BASE = PRICES.load("azure-list-2026-01")

# Rows of service Backup for West Europe in EUR, as published in a third party's
# test data, with the US dollars they stand for at 0.8775779 EUR a dollar.
PUBLISHED = {
    "Azure VM Protected Instance": ("8.775779", 10.00),
    "Standard LRS Data Stored": ("0.019658", 0.0224),
    "Standard ZRS Data Stored": ("0.024572", 0.0280),
    "Standard GRS Data Stored": ("0.039315", 0.0448),
    "Standard RA-GRS Data Stored": ("0.049934", 0.0569),
}
OTHERS = {
    "Azure Files Protected Instance": "4.387889",
    "SQL Server in Azure VM Protected Instance": "28.521281",
    "Archive LRS Data Stored": "0.002106",
}
RESERVED = {"GRS Data Stored": "415550.680123", "LRS Data Stored": "207775.340061"}
OLD_NAMES = {
    "Azure VM Protected Instance": "Azure VM Protected Instances",
    **{name: name.removeprefix("Standard ") for name in [*PUBLISHED][1:]},
}


def row(meter, price, **changes):
    instance = "Instance" in meter
    return {
        "currencyCode": "EUR",
        "tierMinimumUnits": 0.0,
        "retailPrice": float(price),
        "unitPrice": float(price),
        "armRegionName": "westeurope",
        "location": "EU West",
        "effectiveStartDate": "2024-05-01T00:00:00Z",
        "meterId": "7c1b6b2c-0000-4d3f-a111-3f5a6c7d8e9f",
        "meterName": meter,
        "productName": "Backup",
        "skuName": "Azure VM" if instance else "Standard",
        "serviceName": "Backup",
        "serviceFamily": "Storage",
        "unitOfMeasure": "1/Month" if instance else "1 GB/Month",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
    } | changes


def euros():
    reserved = {"type": "Reservation", "productName": "Backup Reserved Capacity"}
    return [
        *(row(meter, price) for meter, (price, _) in PUBLISHED.items()),
        *(row(meter, price) for meter, price in OTHERS.items()),
        *(
            row(meter, price, reservationTerm="1 Year", **reserved)
            for meter, price in RESERVED.items()
        ),
    ]


def dollars(**changes):
    changes = {"currencyCode": "USD"} | changes
    return [row(meter, usd, **changes) for meter, (_, usd) in PUBLISHED.items()]


def page(rows, **changes):
    return {
        "BillingCurrency": rows[0]["currencyCode"] if rows else "USD",
        "CustomerEntityId": "Default",
        "CustomerEntityType": "Retail",
        "Items": rows,
        "NextPageLink": None,
        "Count": len(rows),
    } | changes


@pytest.fixture
def save(tmp_path):
    def write(content, name="page.json"):
        path = tmp_path / name
        if not isinstance(content, bytes):
            text = content if isinstance(content, str) else json.dumps(content)
            content = text.encode()
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, status=0):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        assert result.exit_code == status, result.output
        return result

    return invoke


def book(price_list, rate=None):
    text = price_book(price_list, BASE, rate)
    return PRICES.parse(text.encode(), Path("book.toml"))


def changed(position, **changes):
    rows = dollars()
    rows[position] |= changes
    return rows


def without(key, position=1):
    rows = dollars()
    del rows[position][key]
    return rows


# --- what is read -----------------------------------------------------------------


def test_published_prices(save):
    found = read_price_list([save(page(euros()))], retrieved=ASKED)
    assert (found.region, found.currency) == ("westeurope", "EUR")
    assert (found.rows, found.reservations, found.dropped) == (10, 2, 2)
    assert len(found.meters) == 6
    mine = book(found, 1 / 0.8775779)
    assert mine["archive_lrs_usd_per_gib_month"] == pytest.approx(0.0024, rel=1e-3)
    assert mine["instance_fee_usd"] == pytest.approx(10, rel=1e-6)
    for redundancy, meter in zip(
        ("LRS", "ZRS", "GRS", "RA-GRS"), [*PUBLISHED][1:], strict=True
    ):
        rate = storage_usd_per_gib_month(mine, redundancy)
        assert rate == pytest.approx(PUBLISHED[meter][1], rel=1e-3)


def test_both_generations_of_names(save):
    new = read_price_list([save(page(dollars()))], retrieved=ASKED)
    rows = [r | {"meterName": OLD_NAMES[r["meterName"]]} for r in dollars()]
    old = read_price_list([save(page(rows))], retrieved=ASKED)
    assert dict(book(old)) == dict(book(new))
    assert new.reservations == new.dropped == 0


def test_a_book_says_where_every_price_is_from(save):
    text = price_book(read_price_list([save(page(dollars()))], retrieved=ASKED), BASE)
    raw = tomllib.loads(text)
    assert raw["about"]["currency"] == "USD"
    assert raw["about"]["as_of"] == datetime.date(2024, 5, 1)
    assert "westeurope" in raw["about"]["title"]
    grs = raw["grs_usd_per_gib_month"]
    assert grs["documented"] == "0.0448 USD/(GB month)"
    assert "Standard GRS Data Stored of westeurope" in grs["locator"]
    assert (grs["retrieved"], grs["status"]) == (ASKED, "documented")
    carried = raw["snapshot_enhanced_usd_per_gib_month"]
    assert carried["status"] == "assumed"
    assert carried["note"].startswith("Not in the list of westeurope: carried over")
    assert raw["small_instances"]["status"] == "measured"


def test_a_converted_price_says_so(save):
    euro_list = read_price_list([save(page(euros()))], retrieved=ASKED)
    text = price_book(euro_list, BASE, 1.25)
    raw = tomllib.loads(text)
    grs = raw["grs_usd_per_gib_month"]
    assert grs["documented"] == "0.04914375 USD/(GB month)"  # 0.039315 x 1.25
    assert grs["status"] == "assumed"
    assert grs["note"].startswith("Printed as 0.039315 EUR")
    assert "1.25" in raw["about"]["title"]


def test_missing_redundancies_are_named_and_carried_over(save):
    found = read_price_list([save(page(dollars()[:2]))], retrieved=ASKED)
    assert found.missing == (
        "zrs_usd_per_gib_month",
        "grs_usd_per_gib_month",
        "ra_grs_usd_per_gib_month",
        "snapshot_standard_usd_per_gib_month",
        "snapshot_enhanced_usd_per_gib_month",
        "archive_lrs_usd_per_gib_month",
        "archive_grs_usd_per_gib_month",
    )
    mine = book(found)
    assert mine["grs_usd_per_gib_month"] == BASE["grs_usd_per_gib_month"]
    assert mine.origins["grs_usd_per_gib_month"].status == "assumed"


HDD, SSD = (f"Standard {kind} Managed Disks" for kind in ("HDD", "SSD"))


def snapshot(meter, product, price):
    about = {"serviceName": "Storage", "productName": product, "currencyCode": "USD"}
    return row(meter, price, **about)


def test_snapshots_are_priced_by_region(save):
    # rows in the shape of a public list
    rows = [
        *dollars(),
        snapshot("LRS Snapshots", HDD, 0.06),
        snapshot("ZRS Snapshots", HDD, 0.07),
        snapshot("Snapshots ZRS Snapshots", SSD, 0.198),
        snapshot("LRS Snapshots", "Standard Page Blob", 0.13),
        snapshot("LRS Snapshots", "Premium Page Blob", 0.9),
    ]
    found = read_price_list([save(page(rows))], retrieved=ASKED)
    mine = book(found)
    assert mine["snapshot_standard_usd_per_gib_month"] == 0.13
    assert mine["snapshot_enhanced_usd_per_gib_month"] == 0.07
    assert found.dropped == 1
    # which of the two prices an Enhanced policy pays is not settled
    origin = mine.origins["snapshot_enhanced_usd_per_gib_month"]
    assert origin.status == "assumed"
    assert "Snapshots ZRS Snapshots, which bills show, has 0.198 USD" in origin.note
    # a region without zones
    found = read_price_list([save(page(rows[:6]))], retrieved=ASKED)
    assert book(found)["snapshot_enhanced_usd_per_gib_month"] == 0.06


def test_the_price_in_force_on_the_day_is_taken(save):
    def lrs(price, **changes):
        return row("Standard LRS Data Stored", price, currencyCode="USD", **changes)

    rest = [meter for meter in dollars() if "LRS" not in meter["meterName"]]
    rows = [
        *rest,
        lrs(0.01, effectiveStartDate="2020-01-01"),
        lrs(0.03, effectiveStartDate="2026-01-01T00:00:00Z"),
        lrs(0.02, effectiveStartDate="2024-01-01"),
        lrs(0.04, effectiveStartDate="2027-01-01"),
        lrs(0.05, effectiveStartDate="2026-05-01", effectiveEndDate="2026-06-30"),
    ]
    for order in (rows, rows[::-1]):
        found = read_price_list([save(page(order))], retrieved=ASKED)
        assert book(found)["lrs_usd_per_gib_month"] == 0.03
        assert found.not_in_force == 4
    then = read_price_list([save(page(rows))], retrieved=datetime.date(2025, 1, 1))
    assert book(then)["lrs_usd_per_gib_month"] == 0.02


def test_pages_in_any_order(save):
    first = save(page(dollars()[:2], NextPageLink="https://example.org/2"), "a.json")
    last = save(page(dollars()[2:]), "b.json")
    there = read_price_list([first, last], retrieved=ASKED)
    back = read_price_list([last, first], retrieved=ASKED)
    assert dict(book(there)) == dict(book(back))
    assert not there.more
    assert read_price_list([first], retrieved=ASKED).more


def test_one_region_of_several(save):
    rows = dollars() + dollars(armRegionName="japaneast", retailPrice=0.5)
    path = save(page(rows))
    found = read_price_list([path], retrieved=ASKED, region="westeurope")
    assert found.dropped == 5
    assert book(found)["grs_usd_per_gib_month"] == 0.0448
    with pytest.raises(ValueError, match=r"no price of mars of Azure VM Protected"):
        read_price_list([path], retrieved=ASKED, region="mars")


def test_secondary_regions_and_other_types_are_dropped(save):
    rows = dollars() + dollars(isPrimaryMeterRegion=False)
    rows += dollars(type="DevTestConsumption") + dollars(serviceName="Storage")
    assert read_price_list([save(page(rows))], retrieved=ASKED).dropped == 15


def test_the_order_of_an_envelope_and_its_spaces_do_not_matter(save):
    text = json.dumps(dict(reversed(page(dollars()).items())), indent=7)
    found = read_price_list([save(b"\xef\xbb\xbf" + text.encode())], retrieved=ASKED)
    assert len(found.meters) == 5


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 1000])
def test_it_does_not_matter_where_a_read_ends(save, monkeypatch, chunk):
    monkeypatch.setattr("vmbmodel._json.CHUNK", chunk)
    path = save(page(dollars()))
    assert len(read_price_list([path], retrieved=ASKED).meters) == 5


# --- what is refused --------------------------------------------------------------

GOOD = json.dumps(page(dollars()))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "page.json: must be one JSON object"),
        ("[]", "page.json: must be one JSON object"),
        (dollars(), "page.json: must be one JSON object"),
        ("{}", "page.json: has no Items"),
        ({"error": {"code": "BadRequest"}}, "page.json: has no Items"),
        ({"Items": {}}, "page.json: Items must be a list"),
        ({"Items": []}, "no price of Azure VM Protected Instance among 0 rows"),
        ({"Items": [7]}, "page.json: row 1: must be an object; got 7"),
        ({"Items": [{}]}, "page.json: row 1: serviceName must be a text; got nothing"),
        (GOOD[:-1], "page.json: is cut short or no JSON"),
        (GOOD[:400], "page.json: row 1: is cut short or no JSON"),
        (GOOD[: GOOD.index("}") + 1], "is cut short or no JSON after row 1"),
        (GOOD[: GOOD.index("}") + 2], "row 2: is cut short or no JSON"),
        (GOOD + "{}", "page.json: goes on after its end"),
        (GOOD.replace("}", ",}", 1), "row 1: is cut short or no JSON"),
        (GOOD.replace("10.0", "NaN", 1), "row 1: NaN is no JSON"),
        (GOOD.replace("10.0", "1e" + "9" * 30, 1), "is no number to reckon with"),
        (GOOD.replace("10.0", "9" * 5000, 1), "row 1: Exceeds the limit"),
        (GOOD.replace("10.0", "1e-999999999", 1), "is no number to reckon with"),
        (GOOD.replace("10.0", "1e999999", 1), "retailPrice must be a number >= 0"),
        (GOOD.replace("{", '{"Count": 1, ', 1), "'Count' stands twice"),
        (GOOD.replace('"type"', '"skuName"', 1), "row 1: key 'skuName' stands twice"),
        ('{"Items": ' + "[" * 100_000, "page.json: row 1: is nested too deeply"),
        ('{"Items": ["' + "x" * 3_000_000, "row 1: holds a value longer than 1 MiB,"),
        ({"value": ["x" * 1000] * 2000}, "has no Items, but a list 'value': not a pa"),
        ({"data": {"value": ["x" * 1000] * 2000}}, "holds a value longer than 1 MiB,"),
        ('{"data": {"a": 1 2}' + " " * 2_000_000, "is cut short or no JSON: Expect"),
        (GOOD.encode("utf-16"), "page.json: is no text in UTF-8"),
        (b"\x00" * 100, "page.json: must be one JSON object"),
        (b"{\xff\xfe", "page.json: is no text in UTF-8"),
    ],
)
def test_what_is_no_page(save, content, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        read_price_list([save(content)], retrieved=ASKED)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (changed(1, retailPrice=-0.02), "row 2: retailPrice must be a number >= 0"),
        (changed(1, retailPrice="0.02"), "retailPrice must be a number >= 0 and < 1e"),
        (changed(1, retailPrice=10**9), "retailPrice must be a number >= 0 and < 1e"),
        (changed(1, retailPrice=True), "retailPrice must be a number"),
        (changed(1, retailPrice=None), "retailPrice must be a number"),
        (without("retailPrice"), "row 2: retailPrice must be a number"),
        (without("meterName"), "row 2: meterName must be a text; got nothing"),
        (without("type"), "row 2: type must be a text; got nothing"),
        (without("armRegionName"), "row 2: armRegionName is missing or malformed"),
        (changed(1, armRegionName='x"\n[y]'), "armRegionName is missing or malformed"),
        (without("currencyCode"), "row 2: currencyCode is missing or malformed"),
        (without("effectiveStartDate"), "effectiveStartDate is missing or malformed"),
        (changed(1, effectiveStartDate="2024-13-01"), "effectiveStartDate is no date"),
        (changed(1, effectiveEndDate="2024-13-01"), "effectiveEndDate is no date"),
        (changed(1, effectiveStartDate="2027-01-01")[:2], "no price of vault storage"),
        (changed(1, unitOfMeasure="1 TB/Month"), "unitOfMeasure must be 1 GB/Month"),
        (changed(0, unitOfMeasure="1 Hour"), "row 1: unitOfMeasure must be 1/Month"),
        (changed(1, tierMinimumUnits=1000), "row 2: tierMinimumUnits must be 0"),
        (changed(1, armRegionName="eastus"), "row 2: region 'eastus' differs from"),
        (changed(1, currencyCode="EUR"), "row 2: currency 'EUR' differs from 'USD'"),
        (dollars() + dollars(), "row 6: Azure VM Protected Instance of westeurope is"),
        (dollars()[1:], "no price of Azure VM Protected Instance among 4 rows"),
        (dollars()[:1], "no price of vault storage among 1 row"),
    ],
)
def test_rows_that_break_a_rule(save, rows, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        read_price_list([save(page(rows))], retrieved=ASKED)


def test_the_same_meter_under_both_names_is_a_duplicate(save):
    rows = [*dollars(), row("LRS Data Stored", 0.0224, currencyCode="USD")]
    with pytest.raises(ValueError, match=r"row 6: LRS Data Stored .* in .*: row 2$"):
        read_price_list([save(page(rows))], retrieved=ASKED)


def test_the_same_page_twice_and_an_envelope_of_another_currency(save):
    path = save(page(dollars()))
    with pytest.raises(ValueError, match="is given before, in"):
        read_price_list([path, path], retrieved=ASKED)
    with pytest.raises(ValueError, match=r"BillingCurrency: currency 'EUR' differs"):
        read_price_list([save(page(dollars(), BillingCurrency="EUR"))], retrieved=ASKED)


def test_problems_come_together_but_not_without_end(save):
    rows = [*changed(1, retailPrice=-1), *dollars(retailPrice=-1) * 30]
    with pytest.raises(ValueError, match="reading ended here") as refusal:
        read_price_list([save(page(rows))], retrieved=ASKED)
    lines = str(refusal.value).splitlines()
    assert "row 2" in lines[0]
    assert len(lines) == 21


@pytest.mark.parametrize(
    ("position", "price", "rule"),
    [
        (0, 0, "1 to 100 USD a month; got 0"),
        (0, 1500, "1 to 100 USD a month; got 1500"),
        (3, 44.8, "0.001 to 1 USD a GB and month; got 44.8"),
        (1, 0, "0.001 to 1 USD a GB and month; got 0"),
    ],
)
def test_a_price_out_of_all_proportion(save, position, price, rule):
    rows = changed(position, retailPrice=price)
    with pytest.raises(ValueError, match=f"row {position + 1}: .* must cost {rule}"):
        price_book(read_price_list([save(page(rows))], retrieved=ASKED), BASE)


def test_currencies_stay_honest(save):
    found = read_price_list([save(page(euros()))], retrieved=ASKED)
    with pytest.raises(ValueError, match=r"in EUR.*give --usd-per-unit"):
        price_book(found, BASE)
    for bad in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="--usd-per-unit must be > 0"):
            price_book(found, BASE, bad)
    with pytest.raises(ValueError, match="in USD already"):
        price_book(read_price_list([save(page(dollars()))], retrieved=ASKED), BASE, 1.1)


def test_a_book_of_another_currency_is_refused(save, tmp_path):
    text = price_book(read_price_list([save(page(dollars()))], retrieved=ASKED), BASE)
    for old, new, message in (
        ('currency = "USD"', 'currency = "EUR"', "about: currency must be USD"),
        ("0.0448 USD/", "0.0448 EUR/", "unknown unit 'EUR/"),
    ):
        path = tmp_path / "other.toml"
        path.write_text(text.replace(old, new))
        with pytest.raises(ValueError, match=f"other.toml: .*{message}"):
            PRICES.read(path)


# --- the command ------------------------------------------------------------------


def test_from_pages_to_an_estimate(run, save, tmp_path):
    rows = dollars()
    rows[0]["retailPrice"] = 12
    done = run("prices", "import", save(page(rows)), "-o", "mine.toml")
    assert "5 rows: 5 prices of westeurope in USD" in done.stderr
    assert "snapshot_standard_usd_per_gib_month" in done.stderr
    fleet = tmp_path / "fleet.csv"
    fleet.write_text("vm,disk,role,size_gib,used_gib\na,os,os,128,40\n")
    answer = json.loads(
        run("estimate", fleet, "--prices", "mine.toml", "--format", "json").stdout
    )
    assert answer["vms"][0]["instance_usd"] == 6  # half an instance
    assert answer["model"]["prices"]["name"] == "mine"
    shown = json.loads(run("prices", "mine.toml", "--format", "json").stdout)
    assert {r["name"] for r in shown} == set(PRICES.required)
    assert run("prices", "show").stdout == run("prices").stdout


def test_a_book_goes_to_the_screen_and_over_no_file(run, save, tmp_path):
    path = save(page(euros(), NextPageLink="https://example.org"))
    arguments = ("prices", "import", path, "--usd-per-unit", "1.1", "--base")
    done = run(*arguments, "azure-list-2026-01", "--retrieved", "2026-11-22")
    assert tomllib.loads(done.stdout)["about"]["currency"] == "USD"
    assert "2 reservations apart, 0 not in force on 2026-11-22, 2 other" in done.stderr
    assert "The last page is missing" in done.stderr
    kept = tmp_path / "kept.toml"
    kept.write_text("mine")
    assert "exists" in run(*arguments[:-1], "-o", kept, status=2).stderr
    assert kept.read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (GOOD[:700], (), "cut short"),
        (b"\xff\xfe\x00", (), "UTF-8"),
        (page(changed(0, retailPrice=-1)), (), "row 1: retailPrice"),
        (page(euros()), (), "--usd-per-unit"),
        (page(dollars()), ("--base", "nope"), "no price book 'nope'"),
        (page(dollars()), ("--base", "nope.toml"), "nope.toml: No such file"),
        (
            page(dollars()),
            ("--retrieved", "2020-01-01"),
            "5 not in force on 2020-01-01",
        ),
        (page(dollars()), ("elsewhere.json",), "elsewhere.json: No such file"),
        (page(dollars()), (".",), ".: Is a directory"),
    ],
)
def test_bad_input_is_named_without_a_traceback(run, save, content, options, message):
    done = run("prices", "import", save(content), *options, "-o", "x.toml", status=2)
    assert message in done.stderr
    assert "Traceback" not in done.output
    assert not done.stdout


def test_a_missing_or_broken_book_is_bad_input(run, tmp_path):
    fleet = tmp_path / "fleet.csv"
    fleet.write_text("vm,disk,role,size_gib,used_gib\na,os,os,128,40\n")
    (tmp_path / "bad.toml").write_text("[about]\n[instance_fee_usd]\n")
    for name, message in (("no.toml", "No such file"), ("bad.toml", "is required")):
        done = run("estimate", fleet, "--prices", name, status=2)
        assert f"{name}: " in done.stderr
        assert message in done.stderr


@pytest.mark.slow
def test_a_million_rows_take_no_memory(save, tmp_path):
    pytest.importorskip("resource")  # systems that tell how much memory was taken
    other = '{"serviceName":"Storage","meterName":"x","type":"Consumption"}, '
    big, small = tmp_path / "big.json", save(GOOD)
    with open(big, "w") as file:
        file.write(GOOD[: GOOD.index("[") + 1])
        for _ in range(1000):
            file.write(other * 1000)
        file.write(GOOD[GOOD.index("[") + 1 :])
    code = (
        "import datetime, pathlib, resource, sys\n"
        "from vmbmodel.service import read_price_list\n"
        "pages = [pathlib.Path(sys.argv[1])]\n"
        "found = read_price_list(pages, retrieved=datetime.date.max)\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(found.rows, found.dropped, peak)"
    )
    peaks = []
    for path, expected in ((small, [5, 0]), (big, [1_000_005, 1_000_000])):
        done = subprocess.run(
            [sys.executable, "-c", code, path],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        *counts, peak = map(int, done.stdout.split())
        assert counts == expected
        peaks.append(peak)
    assert peaks[1] < 1.5 * peaks[0]
