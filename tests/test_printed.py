"""Every figure of the data files, as the page prints it that it is taken from.

The tables here are typed off the pages, in their own layout and words, and not off the
files: what a slip of a file changes, one of these tests names. Figures of profiles and
limits stand in ``test_service.py``, each worked out by hand.
"""

import datetime
from zoneinfo import ZoneInfo

import pytest

from vmbmodel._toml import packaged
from vmbmodel.inventory.files import zone
from vmbmodel.service import LIMITS, PRICES, PROFILES, disk_tiers, rules

MB = 1e6 / 2**20
GIB = MIB = 1

# --- tiers of disks: name, size, requests and throughput in a row -------------------

TIERS = {
    # MicrosoftDocs/azure-docs, includes/azure-storage-limits-vm-disks-managed.md
    ("standard-hdd", "2018-12-11", GIB, MB): """
        S4 30 500 60 | S6 64 500 60 | S10 128 500 60 | S20 512 500 60
        S30 1024 500 60 | S40 2048 500 60 | S50 4095 500 60
        """,
    ("premium-ssd", "2018-12-11", GIB, MB): """
        P4 32 120 25 | P6 64 240 50 | P10 128 500 100 | P20 512 2300 150
        P30 1024 5000 200 | P40 2048 7500 250 | P50 4095 7500 250
        """,
    # .../disk-storage-standard-hdd-sizes.md, "up to"
    ("standard-hdd", "2019-03-18", GIB, MB): """
        S4 32 500 60 | S6 64 500 60 | S10 128 500 60 | S15 256 500 60
        S20 512 500 60 | S30 1,024 500 60 | S40 2,048 500 60 | S50 4,096 500 60
        S60 8,192 1,300 300 | S70 16,384 2,000 500 | S80 32,767 2,000 500
        """,
    # .../disk-storage-standard-ssd-sizes.md, "up to"
    ("standard-ssd", "2019-03-28", GIB, MIB): """
        E1 4 120 25 | E2 8 120 25 | E3 16 120 25 | E4 32 120 25 | E6 64 240 50
        E10 128 500 60 | E15 256 500 60 | E20 512 500 60 | E30 1,024 500 60
        E40 2,048 500 60 | E50 4,096 500 60 | E60 8,192 2,000 400
        E70 16,384 4,000 600 | E80 32,767 6,000 750
        """,
    # .../disk-storage-premium-ssd-sizes.md, base provisioned
    ("premium-ssd", "2023-03-16", GIB, MB): """
        P1 4 120 25 | P2 8 120 25 | P3 16 120 25 | P4 32 120 25 | P6 64 240 50
        P10 128 500 100 | P15 256 1,100 125 | P20 512 2,300 150
        P30 1,024 5,000 200 | P40 2,048 7,500 250 | P50 4,096 7,500 250
        P60 8,192 16,000 500 | P70 16,384 18,000 750 | P80 32,767 20,000 900
        """,
}


@pytest.mark.parametrize("key", TIERS, ids=lambda key: " ".join(key[:2]))
def test_tiers_as_their_pages_print_them(key):
    kind, day, gib, mib_s = key
    (table,) = [
        table
        for table in disk_tiers()
        if (table.disk_type, str(table.as_of)) == (kind, day)
    ]
    rows = [
        row.split() for row in TIERS[key].replace("\n", "|").split("|") if row.split()
    ]
    printed = [
        (name, *(float(figure.replace(",", "")) for figure in row))
        for name, *row in rows
    ]
    assert list(table.tier) == [row[0] for row in printed]
    assert list(table.size_gib) == [row[1] * gib for row in printed]
    assert list(table.disk_iops) == [row[2] for row in printed]
    assert list(table.disk_mib_s) == pytest.approx([row[3] * mib_s for row in printed])


def test_no_table_of_tiers_is_left_out():
    assert {(t.disk_type, str(t.as_of)) for t in disk_tiers()} == {k[:2] for k in TIERS}


# --- zones of Windows: windowsZones.xml of the CLDR, territory 001 -------------------

ZONES = """
Dateline Standard Time = Etc/GMT+12
UTC-11 = Etc/GMT+11
Aleutian Standard Time = America/Adak
Hawaiian Standard Time = Pacific/Honolulu
Marquesas Standard Time = Pacific/Marquesas
Alaskan Standard Time = America/Anchorage
UTC-09 = Etc/GMT+9
Pacific Standard Time (Mexico) = America/Tijuana
UTC-08 = Etc/GMT+8
Pacific Standard Time = America/Los_Angeles
US Mountain Standard Time = America/Phoenix
Mountain Standard Time (Mexico) = America/Mazatlan
Mountain Standard Time = America/Denver
Yukon Standard Time = America/Whitehorse
Central America Standard Time = America/Guatemala
Central Standard Time = America/Chicago
Easter Island Standard Time = Pacific/Easter
Central Standard Time (Mexico) = America/Mexico_City
Canada Central Standard Time = America/Regina
SA Pacific Standard Time = America/Bogota
Eastern Standard Time (Mexico) = America/Cancun
Eastern Standard Time = America/New_York
Haiti Standard Time = America/Port-au-Prince
Cuba Standard Time = America/Havana
US Eastern Standard Time = America/Indianapolis
Turks And Caicos Standard Time = America/Grand_Turk
Paraguay Standard Time = America/Asuncion
Atlantic Standard Time = America/Halifax
Venezuela Standard Time = America/Caracas
Central Brazilian Standard Time = America/Cuiaba
SA Western Standard Time = America/La_Paz
Pacific SA Standard Time = America/Santiago
Newfoundland Standard Time = America/St_Johns
Tocantins Standard Time = America/Araguaina
E. South America Standard Time = America/Sao_Paulo
SA Eastern Standard Time = America/Cayenne
Argentina Standard Time = America/Buenos_Aires
Greenland Standard Time = America/Godthab
Montevideo Standard Time = America/Montevideo
Magallanes Standard Time = America/Punta_Arenas
Saint Pierre Standard Time = America/Miquelon
Bahia Standard Time = America/Bahia
UTC-02 = Etc/GMT+2
Azores Standard Time = Atlantic/Azores
Cape Verde Standard Time = Atlantic/Cape_Verde
UTC = Etc/UTC
GMT Standard Time = Europe/London
Greenwich Standard Time = Atlantic/Reykjavik
Sao Tome Standard Time = Africa/Sao_Tome
Morocco Standard Time = Africa/Casablanca
W. Europe Standard Time = Europe/Berlin
Central Europe Standard Time = Europe/Budapest
Romance Standard Time = Europe/Paris
Central European Standard Time = Europe/Warsaw
W. Central Africa Standard Time = Africa/Lagos
Jordan Standard Time = Asia/Amman
GTB Standard Time = Europe/Bucharest
Middle East Standard Time = Asia/Beirut
Egypt Standard Time = Africa/Cairo
E. Europe Standard Time = Europe/Chisinau
Syria Standard Time = Asia/Damascus
West Bank Standard Time = Asia/Hebron
South Africa Standard Time = Africa/Johannesburg
FLE Standard Time = Europe/Kiev
Israel Standard Time = Asia/Jerusalem
South Sudan Standard Time = Africa/Juba
Kaliningrad Standard Time = Europe/Kaliningrad
Sudan Standard Time = Africa/Khartoum
Libya Standard Time = Africa/Tripoli
Namibia Standard Time = Africa/Windhoek
Arabic Standard Time = Asia/Baghdad
Turkey Standard Time = Europe/Istanbul
Arab Standard Time = Asia/Riyadh
Belarus Standard Time = Europe/Minsk
Russian Standard Time = Europe/Moscow
E. Africa Standard Time = Africa/Nairobi
Iran Standard Time = Asia/Tehran
Arabian Standard Time = Asia/Dubai
Astrakhan Standard Time = Europe/Astrakhan
Azerbaijan Standard Time = Asia/Baku
Russia Time Zone 3 = Europe/Samara
Mauritius Standard Time = Indian/Mauritius
Saratov Standard Time = Europe/Saratov
Georgian Standard Time = Asia/Tbilisi
Volgograd Standard Time = Europe/Volgograd
Caucasus Standard Time = Asia/Yerevan
Afghanistan Standard Time = Asia/Kabul
West Asia Standard Time = Asia/Tashkent
Ekaterinburg Standard Time = Asia/Yekaterinburg
Pakistan Standard Time = Asia/Karachi
Qyzylorda Standard Time = Asia/Qyzylorda
India Standard Time = Asia/Calcutta
Sri Lanka Standard Time = Asia/Colombo
Nepal Standard Time = Asia/Katmandu
Central Asia Standard Time = Asia/Bishkek
Bangladesh Standard Time = Asia/Dhaka
Omsk Standard Time = Asia/Omsk
Myanmar Standard Time = Asia/Rangoon
SE Asia Standard Time = Asia/Bangkok
Altai Standard Time = Asia/Barnaul
W. Mongolia Standard Time = Asia/Hovd
North Asia Standard Time = Asia/Krasnoyarsk
N. Central Asia Standard Time = Asia/Novosibirsk
Tomsk Standard Time = Asia/Tomsk
China Standard Time = Asia/Shanghai
North Asia East Standard Time = Asia/Irkutsk
Singapore Standard Time = Asia/Singapore
W. Australia Standard Time = Australia/Perth
Taipei Standard Time = Asia/Taipei
Ulaanbaatar Standard Time = Asia/Ulaanbaatar
Aus Central W. Standard Time = Australia/Eucla
Transbaikal Standard Time = Asia/Chita
Tokyo Standard Time = Asia/Tokyo
North Korea Standard Time = Asia/Pyongyang
Korea Standard Time = Asia/Seoul
Yakutsk Standard Time = Asia/Yakutsk
Cen. Australia Standard Time = Australia/Adelaide
AUS Central Standard Time = Australia/Darwin
E. Australia Standard Time = Australia/Brisbane
AUS Eastern Standard Time = Australia/Sydney
West Pacific Standard Time = Pacific/Port_Moresby
Tasmania Standard Time = Australia/Hobart
Vladivostok Standard Time = Asia/Vladivostok
Lord Howe Standard Time = Australia/Lord_Howe
Bougainville Standard Time = Pacific/Bougainville
Russia Time Zone 10 = Asia/Srednekolymsk
Magadan Standard Time = Asia/Magadan
Norfolk Standard Time = Pacific/Norfolk
Sakhalin Standard Time = Asia/Sakhalin
Central Pacific Standard Time = Pacific/Guadalcanal
Russia Time Zone 11 = Asia/Kamchatka
New Zealand Standard Time = Pacific/Auckland
UTC+12 = Etc/GMT-12
Fiji Standard Time = Pacific/Fiji
Chatham Islands Standard Time = Pacific/Chatham
UTC+13 = Etc/GMT-13
Tonga Standard Time = Pacific/Tongatapu
Samoa Standard Time = Pacific/Apia
Line Islands Standard Time = Pacific/Kiritimati
"""
RENAMED = """
America/Indianapolis = America/Indiana/Indianapolis
America/Buenos_Aires = America/Argentina/Buenos_Aires
America/Godthab = America/Nuuk
Europe/Kiev = Europe/Kyiv
Asia/Calcutta = Asia/Kolkata
Asia/Katmandu = Asia/Kathmandu
Asia/Rangoon = Asia/Yangon
"""


def pairs(text):
    return dict(line.split(" = ") for line in text.strip().splitlines())


def test_zones_as_the_table_prints_them_under_the_names_of_today():
    renamed = pairs(RENAMED)
    printed = {
        name.lower(): renamed.get(zone_, zone_) for name, zone_ in pairs(ZONES).items()
    }
    assert {n: zone(n).key for n in printed} == printed
    assert len(packaged("vmbmodel.inventory.files", "time_zones.toml")) == len(printed)


@pytest.mark.parametrize(("old", "new"), pairs(RENAMED).items())
def test_a_zone_that_was_renamed_kept_its_clock(old, new):
    moments = [
        datetime.datetime(year, month, 15, 12, tzinfo=datetime.UTC)
        for year in range(2015, 2027)
        for month in range(1, 13)
    ]
    assert [m.astimezone(ZoneInfo(old)).utcoffset() for m in moments] == [
        m.astimezone(ZoneInfo(new)).utcoffset() for m in moments
    ]


# --- prices: dollars, and euros of a list in which an instance is 8.775779 ------------

EUR_USD = 10 / 8.775779


def test_prices_as_their_pages_print_them():
    assert dict(PRICES.load("azure-list-2026-01")) == pytest.approx(
        {
            "instance_fee_usd": 10,  # announcement2015: 51 to 500 GB
            "small_instance_gib": 50,
            "small_instances": 5 / 10,  # 5 USD up to 50 GB
            "instance_step_gib": 500,
            "lrs_usd_per_gib_month": round(0.019658 * EUR_USD, 4),
            "zrs_usd_per_gib_month": round(0.024572 * EUR_USD, 4),
            "grs_usd_per_gib_month": round(0.039315 * EUR_USD, 4),
            "ra_grs_usd_per_gib_month": round(0.049934 * EUR_USD, 4),
            "snapshot_standard_usd_per_gib_month": 0.12,  # jpcss2025, section 2
            "snapshot_enhanced_usd_per_gib_month": 0.05,
            "archive_lrs_usd_per_gib_month": round(0.002106 * EUR_USD, 4),
            "archive_grs_usd_per_gib_month": 2 * round(0.002106 * EUR_USD, 4),
            "archive_after_months": 3,  # archive2023
            "archive_left_months": 6,
            "early_deletion_h": 180 * 24,
            "reserved_block_gib": 100 * 1024,  # 100 TiB
            # 1 PiB for a year: 236,760 USD
            "reserved_discount_frac": round(1 - 236_760 / (2**20 * 0.0224 * 12), 2),
            "free_soft_delete_h": 14 * 24,
        },
        rel=1e-12,
    )


# --- when what was said: the date that a page bears -----------------------------------

DATES = {
    "limits201509": "2015-09-16",
    "limits201510": "2015-10-05",
    "limits201812": "2018-12-07",
    "article2018": "2018-12-11",
    "article2019": "2019-03-04",
    "faq2019": "2019-06-28",
    "issue39947": "2019-10-02",
    "issue44010": "2019-12-04",
    "matrix2023": "2023-08-14",
    "agentless2024": "2024-03-14",
    "enhanced2025": "2025-06-11",
    "instantrestore2025": "2025-06-16",
    "faq2025": "2025-12-09",
    "article2026": "2026-01-28",
    "matrix2026": "2026-01-28",
}
SETS = {
    "azure-2018-12": "2018-12-11",
    "azure-2026-01": "2026-01-28",
    "azure-list-2026-01": "2026-01-28",
    "2015-09": "2015-09-16",
    "2015-10": "2015-10-05",
    "2018-12": "2018-12-07",
    "2023-08": "2023-08-14",
    "2026-01": "2026-01-28",
}

# Each rule: how grave it is, the pages that have it, oldest first ("!" where reaching
# the figure is a finding already), and behind a "/" the page that has it no more.
RULES = """
vault-start  warning  article2018 /article2019
one-start  warning  article2018 article2019 article2026
peak-hours  warning  article2018 /article2019
default-start  note  article2019 article2026
account-schedule  warning  article2018 /article2019
policy-accounts  warning  article2018 /article2019
busy-account  warning  article2018 article2019! article2026!
free-space  warning  article2018 article2019 article2026
premium-restore  warning  article2018 /article2019
restore-accounts  warning  article2019 article2026
small-writes  warning  article2018 /article2019
fragmented-changes  warning  article2018 article2019 article2026
consistency-check  warning  article2018 article2019 article2026
consistency-check-size  note  article2018 /article2019
high-churn  warning  article2019 article2026
new-disk  warning  article2018 article2019 article2026
first-backup-runs  warning  article2018 article2019 article2026
consistency  warning  article2018 article2019 article2026
encryption  error  article2018 article2019 article2026
disk-size  error  limits201812 issue39947 issue44010 matrix2023 matrix2026
vm-size  error  issue44010 matrix2023 matrix2026
vm-data-disks  error  limits201509 limits201510 limits201812 matrix2023 /article2026
vm-disks  error  matrix2026
policy-vms  error  faq2019 faq2025
vault-vms  error  limits201509 limits201510 limits201812 matrix2023
vault-datasources  error  matrix2023
vault-changes  error  faq2025
subscription-vaults  error  limits201509 /limits201510 matrix2023
region-vaults  error  limits201510 limits201812 /matrix2023
daily-backups  error  limits201509 limits201510 limits201812 matrix2023 matrix2026
on-demand-backups  error  matrix2026
enhanced-interval  error  enhanced2025 matrix2026
daily-restores  error  faq2025
shortest-retention  error  faq2019 faq2025
recovery-points  error  matrix2023 matrix2026
graded-retention  error  faq2025
snapshot-retention  error  instantrestore2025
snapshot-days  error  instantrestore2025
weekly-snapshot-days  error  instantrestore2025
offered-retention  note  enhanced2025
unmanaged-disks  warning  matrix2026
classic-vms  error  matrix2026
enhanced-disks  error  enhanced2025 matrix2026
enhanced-disk-regions  error  matrix2026
vm-cores  error  matrix2026
write-accelerator  warning  matrix2026
agentless-backups  warning  agentless2024
confidential-vms  error  matrix2026
ephemeral-disks  warning  matrix2026
"""

# What a point is good for: the order in which conditions decide; then which keys of
# encryption are supported, each with the page and that which has it otherwise.
CASES = """
agentless: article2026
stopped, first backup: article2018
stopped: article2018
VSS succeeded: article2018
VSS failed: article2018
no scripts: article2018
scripts succeeded: article2018
scripts failed: article2018
"""
ENCRYPTION = """
none: article2018 article2019
none: article2019
BEK: article2018 article2026
BEK: article2026
BEK+KEK: article2018 article2026
BEK+KEK: article2026
customer-managed: article2026
"""


def day(text):
    return datetime.date.fromisoformat(text)


def test_sets_bear_the_dates_of_their_pages():
    loaded = [c.load(n) for c in (PROFILES, PRICES, LIMITS) for n in c.available()]
    assert {s.name: str(s.as_of) for s in loaded} == SETS


def test_rules_hold_from_page_to_page():
    told = {}
    for line in RULES.strip().splitlines():
        id_, severity, *pages = line.split()
        versions = []
        for page, after in zip(pages, [*pages[1:], None], strict=True):
            if page.startswith("/"):
                continue
            source = page.rstrip("!")
            until = after and day(DATES[after.strip("/!")])
            versions.append((day(DATES[source]), until, source, page.endswith("!")))
        told[id_] = (severity, versions)
    assert {
        rule.id: (
            rule.severity,
            [(v.since, v.until, v.source, v.at_it) for v in rule.versions],
        )
        for rule in rules()
    } == told


def test_what_is_guaranteed_holds_from_page_to_page():
    file = packaged("vmbmodel.service", "consistency.toml")
    for rows, text in ((file["case"], CASES), (file["encryption"], ENCRYPTION)):
        printed = [line.partition(": ")[::2] for line in text.strip().splitlines()]
        assert [
            (row["source"], row["from"], row.get("until"), row.get("keys", name))
            for row, (name, _) in zip(rows, printed, strict=True)
        ] == [
            (source, day(DATES[source]), until and day(DATES[until]), name)
            for name, pages in printed
            for source, until in [[*pages.split(), None][:2]]
        ]
