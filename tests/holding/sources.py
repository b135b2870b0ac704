"""What the sources say: rules, tiers, prices, profiles."""

import datetime
import itertools
import json
import math
import re
from pathlib import Path

import vmbmodel as vm
from vmbmodel.plan.scenario import CATALOGUES, Scenario
from vmbmodel.service import PROFILES

from .advice import DAYS
from .cases import answered, case, fresh, of_text, plain
from .estimates import by_hour
from .formulas import FIELDS


@case("service/rules")
def _():
    from vmbmodel.service import rules, rules_on

    days = map(datetime.date.fromisoformat, ("2015-01-01", *DAYS, "2030-01-01"))
    said = {
        str(d): answered(lambda on: [r.id for r, _ in rules_on(on)], d) for d in days
    }
    return {"on": said} | {rule.id: rule for rule in rules()}


@case("service/tiers")
def _():
    from vmbmodel.service import disk_tiers, disk_tiers_on

    days = [datetime.date.fromisoformat(day) for day in DAYS]
    said = {str(d): [(t.disk_type, t.as_of) for t in disk_tiers_on(d)] for d in days}
    first = {str(t.as_of): plain(disk_tiers_on(t.as_of)) for t in disk_tiers()}
    tables = [plain(table) for table in disk_tiers()]
    return {"on": said, "first": {d: t["source"] for d, t in first.items()}} | {
        "tables": tables
    }


@case("service/readings")
def _():
    from vmbmodel.service import readings

    return readings()


@case("service/guarantees")
def _():
    from vmbmodel.service import consistency, encryption, encryptions

    days = (None, *map(datetime.date.fromisoformat, ("2010-01-01", *DAYS)))
    flags = (None, False, True)
    texts, result = [], {}
    for day, os, power in itertools.product(
        days, ("windows", "linux", "other"), ("running", "stopped")
    ):
        row = result[f"{day} {os} {power}"] = []
        for vss, there, done, first, agentless in itertools.product(
            flags, flags, flags, flags[1:], flags[1:]
        ):
            found = answered(
                consistency,
                os,
                power,
                vss_succeeded=vss,
                scripts_present=there,
                scripts_succeeded=done,
                first_backup=first,
                agentless=agentless,
                as_of=day,
            )
            said = plain(found)
            if said not in texts:
                texts.append(said)
            row.append(texts.index(said))
    result["texts"] = [
        said if isinstance(said, str) else list(said.values()) for said in texts
    ]
    keys = ("none", "BEK", "BEK+KEK", "customer-managed", "kek")
    asked = itertools.product(keys, (False, True), days)
    result["keys"] = [
        plain(answered(encryption, key, managed=managed, as_of=day))
        for key, managed, day in asked
    ]
    return result | {"encryptions": {str(d): encryptions(d) for d in days}}


def of_set(found):
    """Return what is said of the constants of a set: where each comes from."""

    def give():
        return {
            "title": found.title,
            "as_of": found.as_of,
            "readings": found.readings,
            "origins": found.origins,
        }

    return give


for _catalogue in CATALOGUES.values():
    for _name in _catalogue.available():
        _found = _catalogue.load(_name)
        case(f"service/{_found.kind} {_name}")(of_set(_found))


@case("service/fields")
def _():
    table = [(f.typical, f.range and f.range.rule, f.default) for f in FIELDS.values()]
    return {name: row for name, row in zip(FIELDS, table, strict=True) if any(row)}


@case("service/fields with numbers in words")
def _():
    said = {n: (f.label, f.text, f.symbol) for n, f in FIELDS.items()}
    return {n: words for n, words in said.items() if re.search(r"\d", "".join(words))}


@case("service/in decimal GB")
def _():
    sets = [vm.profile("azure-2018-12"), *(s for _, s in Scenario.of().sets())]
    decimal = [s.read_gb_as(10**9) for s in sets]
    return {
        f"{s.kind} {s.name}": {n: v for n, v in s.items() if v != was[n]}
        for s, was in zip(decimal, sets, strict=True)
    }


def _price(meter, price, **changes):
    product, _, name = meter.rpartition(": ")
    instance, storage = "Instance" in name, bool(product)
    return {
        "currencyCode": "EUR",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "armRegionName": "westeurope",
        "effectiveStartDate": "2024-05-01T00:00:00Z",
        "meterName": name,
        "productName": product or "Backup",
        "skuName": "Azure VM" if instance else "Standard",
        "serviceName": "Storage" if storage else "Backup",
        "unitOfMeasure": "1/Month" if instance else "1 GB/Month",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
    } | changes


PRICED = {
    "Azure VM Protected Instance": 8.775779,
    "Standard LRS Data Stored": 0.019658,
    "Standard ZRS Data Stored": 0.024572,
    "Standard GRS Data Stored": 0.039315,
    "Archive LRS Data Stored": 0.002106,
    "Azure Files Protected Instance": 4.387889,
    "Standard Page Blob: LRS Snapshots": 0.045,
    "Standard HDD Managed Disks: LRS Snapshots": 0.05,
    "Standard SSD Managed Disks: Snapshots ZRS Snapshots": 0.07,
}


def _page(changes, envelope):
    rows = [_price(meter, price) for meter, price in PRICED.items()]
    for number, change in changes.items():
        if number < len(rows):
            rows[number] = {
                k: v for k, v in (rows[number] | change).items() if v != "-"
            }
        else:
            rows.append(_price("Standard LRS Data Stored", 0.02) | change)
    page = {"BillingCurrency": "EUR", "Items": rows, "NextPageLink": None} | envelope
    return json.dumps(page)


_USD = {"currencyCode": "USD"}
PAGES = {
    "good": ({}, {}),
    "dollars": ({n: _USD for n in range(9)}, {"BillingCurrency": "USD"}),
    "zones": ({7: {"meterName": "ZRS Snapshots"}}, {"NextPageLink": "x"}),
    "followed": (
        {
            2: {"effectiveEndDate": "2026-11-22"},
            3: {"effectiveEndDate": "2026-11-21"},
            9: {"effectiveStartDate": "2025-01-01", "retailPrice": 0.03},
            10: {"effectiveStartDate": "2026-11-22"},
            11: {"effectiveStartDate": "2026-11-23"},
            12: {"effectiveStartDate": "2026-12-01", "effectiveEndDate": "2026-11-21"},
            13: {"effectiveStartDate": "2023-01-01"},
        },
        {},
    ),
    "others": (
        {
            9: {"type": "Reservation"},
            10: {"type": "DevTest"},
            11: {"serviceName": "X"},
            12: {"isPrimaryMeterRegion": False},
            13: {"skuName": "Archive"},
            14: {"meterName": "LRS Data Stored", "type": "Reservation", "skuName": "X"},
        },
        {},
    ),
    "reserved": (
        {
            1: {"retailPrice": 0, "tierMinimumUnits": "-"},
            9: {"type": "Reservation"},
            10: {"type": "Reservation", "meterName": "LRS Data Stored", "skuName": "X"},
            11: {"type": "DevTest"},
            12: {"type": "Reservation", "meterName": "ZRS Data Stored"},
        },
        {},
    ),
    "long names": ({n: {"currencyCode": "EURO" * 12} for n in range(9)}, {}),
    "long envelope": ({}, {"BillingCurrency": "EURO" * 12}),
    "twice": ({9: {}}, {}),
    "of two": ({1: {"armRegionName": "northeurope"}}, {}),
    "old names": ({1: {"meterName": "LRS Data Stored"}}, {}),
    "none of an instance": ({0: {"meterName": "x"}}, {"BillingCurrency": "USD"}),
    "none of storage": (
        {n: {"effectiveStartDate": "2027-01-01"} for n in range(1, 9)},
        {},
    ),
    "mixed": ({1: _USD}, {}),
    "rows": (
        {
            0: {"meterName": 3},
            1: {"retailPrice": "1"},
            2: {"retailPrice": -0.1},
            3: {"retailPrice": 1e9},
            4: {"unitOfMeasure": "1 GB"},
            6: {"tierMinimumUnits": 5.0},
            7: {"armRegionName": "-"},
            8: {"effectiveStartDate": "2024-13-01"},
            9: {"effectiveEndDate": 3},
            10: {"effectiveEndDate": "2024-99-01"},
            11: {"currencyCode": "eur"},
        },
        {},
    ),
    "bounds": (
        {0: {"retailPrice": 200}, 1: {"retailPrice": 2}, 4: {"retailPrice": 1e-5}},
        {},
    ),
    "nearer bounds": (
        {
            n: {"retailPrice": price}
            for n, price in enumerate(
                (100.5, 1.05, 0.00095, 0.000999, 0.101, 1, 1.05, 0.00095, 1.5)
            )
        },
        {},
    ),
    "nearest bounds": (
        {0: {"retailPrice": 0.99}, 4: {"retailPrice": 0.000099}},
        {},
    ),
    "edges": (
        {
            0: {"retailPrice": 100},
            1: {"retailPrice": 0.001},
            2: {"retailPrice": 1},
            4: {"retailPrice": 0.1},
            6: {"retailPrice": 1},
        },
        {},
    ),
    "many": ({n: {"retailPrice": True} for n in range(30)}, {}),
    "no list": ({}, {"Items": {}}),
    "no rows": ({}, {"Items": ["x", 3, None]}),
}


@case("service/price list")
def _():
    from vmbmodel.service import price_book, read_price_list

    asked, base = datetime.date(2026, 11, 22), vm.prices("azure-list-2026-01")
    found = {}
    for name, content in PAGES.items():
        for region in (None, "westeurope", "nowhere")[: 3 if name == "of two" else 1]:

            def read(path, region=region):
                return read_price_list([path], retrieved=asked, region=region)

            listed = of_text(read, _page(*content))
            rows = found[f"{name}, {region}"] = {"listed": listed}
            if not isinstance(listed, str):
                rows["missing"] = listed.missing
                books = (
                    answered(price_book, listed, base, rate) for rate in (1.0, None)
                )
                rows["books"] = [fresh(book, base.text) for book in books]
    rates = (0.0, math.inf, 1.1394999)
    good = of_text(lambda p: read_price_list([p], retrieved=asked), _page({}, {}))
    found["rates"] = [answered(price_book, good, base, rate) for rate in rates[:2]]
    found["rates"].append(fresh(price_book(good, base, rates[2]), base.text))
    return found


PAGES_CUT = (
    "", "{", "[]", '{"Items": [', '{"Items": [{}', '{"Items": [{}]', '{"Items": 3}',
    '{"Items": []} x', '{"Item": []}', '{"Items": [NaN]}', '{"Items": [1e9999999999]}',
    '{"Items": ' + "[" * 10**5, '{"Items" 3}', '{"a": "\\x"}',
    '{"Items": [{"meterName": 1}, x]}', '{"Items": [], "Items": []}', "\ufeff{}",
)  # fmt: skip


@case("service/pages cut short")
def _():
    from vmbmodel.service.pages import entries

    def read(path):
        return [list(entry) for entry in entries(path, "Items")]

    return {text[:40]: of_text(read, text) for text in PAGES_CUT}


SPOILT_SETS = {
    "about": ('title = "', 'title = ""\ncurency = "'),
    "currency": ("as_of = ", 'currency = "EUR"\nas_of = "x" #'),
    "no about": ("[about]", "[other]"),
    "a reading": ("[about]", "[readings]\neight_hours = 'x'\n[about]"),
    "readings": ("[about]", "readings = 3\nwait_by_start = 4\n[about]"),
    "hours": (
        "[about]",
        "[wait_by_start]\n'22:15' = 1\n'24:00' = 0\n'23:30' = 1e4\n'00:00' = true\n"
        "'01:00' = 1001\n'02:00' = 1000\n[about]",
    ),
    "a row": (
        "[initial_mib_s]",
        "servrs = 3\nsnapshot_scv = 4\n[initial_mib_s]\nx = 1",
    ),
    "a unit": ('documented = "160 Mbps"', 'documented = "160"'),
    "units": ('documented = "160 Mbps"', 'documented = "160 Mbps or 3"'),
    "a wrong unit": ('documented = "160 Mbps"', 'documented = "160 GB"'),
    "two": ('documented = "160 Mbps"', 'documented = "1,60 Mbps 20 MB/s"'),
    "none": ('documented = "160 Mbps"', 'documented = ""\nretrieved = "x" #'),
    "zero": ('documented = "160 Mbps"', 'documented = "0 Mbps"'),
    "a status": ('status = "documented"', 'status = "guessed"\nkind = "none"'),
    "assumed": ('low = 8\nhigh = 50\nshape = "lognormal"\nwhy =', "note2 ="),
    "low": ("low = 8\n", "low = 0\n"),
    "beyond": ("low = 8\n", "low = 19.0735\n"),
    "equal": ("low = 8\nhigh = 50", "low = 19.073486328125\nhigh = 19.073486328125"),
    "no end": ("high = 50", "high = inf"),
    "a text": ("low = 8\n", "low = '8'\n"),
    "a flag": ("low = 8\n", "low = true\n"),
    "a shape": ('shape = "lognormal"', 'shape = "normal"'),
    "a share": ('shape = "lognormal"', 'shape = "logit"'),
    "lacking": ("low = 8\n", "disks = -1\n"),
    "disks": ("low = 8\n", "low = 8\ndisks = -0.1\n"),
    "samples": ("low = 8\n", "low = 8\nsample = [1, 2]\n"),
    "a sample": ("low = 8\n", "low = 8\nsample = [1, inf]\n"),
    "sampled": ("low = 8\n", f"low = 8\nsample = {[9] * 32}\n"),
    "a kind": ("low = 8\n", 'kind = "x"\nlow = 8\n'),
    "known kind": ("low = 8\n", 'kind = "reading"\nlow = 8\n'),
    "no why": ('shape = "lognormal"\nwhy =', 'shape = "lognormal"\nlocator2 ='),
    "no why, no low": (
        'low = 8\nhigh = 50\nshape = "lognormal"\nwhy =',
        "disks = 0\n#",
    ),
    "only a law": (
        'low = 8\nhigh = 50\nshape = "lognormal"\nwhy =',
        'shape = "logit"\n#',
    ),
    "all but why": ('shape = "lognormal"\nwhy =', 'shape = "lognormal"\n#'),
    "more": ('documented = "160 Mbps"', 'documented = "160 Mbps up"'),
    "before": ('documented = "160 Mbps"', 'documented = "up to 160 Mbps"'),
    "words": ('documented = "160 Mbps"', 'documented = "much"'),
    "several": ('documented = "160 Mbps"', 'documented = "1,160 Mbps 20 Mbps"'),
    "no less than nothing": ("low = 0.8\n", "low = 0\n"),
    "no more than all": ("high = 0.99\n", "high = 1\n"),
    "beyond all": ("high = 0.99\n", "high = 1.5\n"),
    "next to all": ("high = 0.99\n", "high = 0.9999\n"),
    "most sampled": ("low = 8\n", f"low = 8\nsample = {[9] * 400}\n"),
    "more sampled": ("low = 8\n", f"low = 8\nsample = {[9] * 401}\n"),
    "two without a unit": ('documented = "0.95"', 'documented = "0.5 0.25"'),
    "assumed, no law": (
        'status = "documented"\nnote = "Carried over from 2018: deleted',
        'status = "assumed"\nkind = "choice"\nnote = "deleted',
    ),
}


@case("service/sets spoilt")
def _():
    text = vm.profile("azure-2026-01").text
    found = {}
    for name, (was, now) in SPOILT_SETS.items():
        assert was in text, name
        altered = text.replace(was, now, 1).encode()
        read = answered(PROFILES.parse, altered, Path("own.toml"))
        changed = read if isinstance(read, str) else dict(read.readings)
        found[name] = changed or {"initial_mib_s": read["initial_mib_s"]}
    return found


@case("service/own prices of a region")
def _():
    from vmbmodel.service import PRICES, price_book, read_price_list

    text = vm.prices("azure-list-2026-01").text
    row = re.search(r"\[zrs_usd_per_gib_month\]\n(?:.+\n)+", text)[0]
    plainer = re.sub(r"(?m)^(low|high|shape|why|together|disks|kind) = .*\n", "", row)
    plainer = plainer.replace('"assumed"', '"documented"')
    own = PRICES.parse(text.replace(row, plainer).encode(), Path("own.toml"))
    page = _page({2: {"meterName": "x"}}, {})

    def read(path):
        return read_price_list([path], retrieved=datetime.date(2026, 11, 22))

    return fresh(price_book(of_text(read, page), own, 1.0), text)


@case("service/by default")
def _():
    from vmbmodel.service import consistency, encryption

    found = {"sets": [repr(s) for s in (vm.profile(), vm.prices(), vm.limits())]}
    for os, power in itertools.product(("windows", "linux"), ("running", "stopped")):
        told = {"scripts_present": False} if os == "linux" else {"vss_succeeded": True}
        found[f"{os} {power}"] = consistency(os, power, **told)
    found["key"] = encryption("customer-managed", managed=True)
    return found


@case("service/sets of a day")
def _():
    days = [datetime.date(2014, 1, 1), *map(datetime.date.fromisoformat, DAYS)]
    found = {
        kind: [answered(lambda c, d: c.in_force(d).name, c, day) for day in days]
        for kind, c in CATALOGUES.items()
    }
    own = vm.profile("azure-2018-12")
    changed = own.modified(servers=11)
    found["ships"] = [PROFILES.ships(s) for s in (own, changed, by_hour().profile)]
    found["refused"] = [
        answered(own.modified, **how)
        for how in ({"servrs": 1}, {"servers": 0}, {"servers": True}, {"churn_frac": 2})
    ]
    found["refused"].append(answered(PROFILES.load, "azure-2018"))
    found["refused"].append(answered(own.read_gb_as, 1024))
    return found
