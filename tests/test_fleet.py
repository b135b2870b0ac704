"""The inventory is read as it stands, or refused with everything wrong with it."""

import gzip
import io
import itertools
import json
import pickle
import re
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from pyarrow import parquet

from vmbmodel import fields as units
from vmbmodel.inventory import fleet
from vmbmodel.inventory.files.findings import NOTED, Finding, Findings, InventoryError
from vmbmodel.inventory.fleet.pages import unpacked_bytes
from vmbmodel.inventory.fleet.rules import LARGEST_GIB
from vmbmodel.inventory.fleet.tables import (
    _begin,
    _of_words,
    joined_cells,
    row_groups,
)

SAMPLE = Path(__file__).parents[1] / "notebooks" / "data" / "fleet.csv"
HEADER = "vm,disk,role,size_gib,used_gib"
GOOD = "web-01,c,os,127,30"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def csv(*rows, more=""):
    return "\n".join([HEADER + more, *rows]) + "\n"


def read(content, name="fleet.csv"):
    data = content if isinstance(content, bytes) else content.encode()
    Path(name).write_bytes(data)
    return fleet.read_fleet(name)


def refusal(content, name="fleet.csv"):
    """Return the message, without the name of the file before each line."""
    with pytest.raises(InventoryError) as error:
        read(content, name)
    lines = str(error.value).splitlines()
    assert all(line.startswith((name, "... and")) for line in lines)
    return [line.removeprefix(name).removeprefix(":").strip() for line in lines]


# --- what is read ------------------------------------------------------------


def test_columns_are_rows_of_the_field_table():
    assert set(fleet.COLUMNS) <= set(units.fields())
    assert len(set(fleet.COLUMNS)) == len(fleet.COLUMNS) == 34


def test_nothing_is_filled_in():
    disks = read(csv(GOOD))
    assert tuple(disks.columns) == fleet.COLUMNS
    assert disks.drop(columns=list(fleet.REQUIRED)).isna().all(axis=None)
    expected = {"number": "float64", "flag": "boolean"}
    for name in fleet.COLUMNS:
        kind = units.fields()[name].kind
        assert disks[name].dtype == expected.get(kind, "string"), name


def test_blanks_and_case_around_words_and_numbers_do_not_matter():
    more = ",managed,os,redundancy,excluded"
    row = "a,1, OS , +1e2 ,.5,YES,Linux,ra-grs, 0"
    disks = read(csv(row, more=more)).iloc[0]
    assert disks["role"] == "os"
    assert (disks["size_gib"], disks["used_gib"]) == (100, 0.5)
    assert (disks["managed"], disks["excluded"]) == (True, False)
    assert (disks["os"], disks["redundancy"]) == ("linux", "RA-GRS")


@pytest.mark.parametrize(
    ("word", "flag"),
    [
        ("true", True),
        ("Yes", True),
        ("1", True),
        ("FALSE", False),
        ("no", False),
        ("0", False),
    ],
)
def test_flags(word, flag):
    assert read(csv(GOOD + f",{word}", more=",cc_mode"))["cc_mode"].tolist() == [flag]


def test_no_zero_has_a_sign():
    disks = read(csv("web-01,c,os,-0,-0.0"))
    assert not np.signbit(disks[["size_gib", "used_gib"]]).any(axis=None)


def test_columns_in_any_order():
    shuffled = "used_gib,role,disk,vm,size_gib\n30,os,c,web-01,127\n"
    assert_frame_equal(read(shuffled), read(csv(GOOD)))


@pytest.mark.parametrize(
    "content",
    [
        csv(GOOD).encode("utf-8-sig"),
        csv(GOOD).replace("\n", "\r\n"),
        csv(GOOD).replace("\n", "\r"),
        csv(GOOD).rstrip("\n"),
        "\n \n" + csv("", GOOD, "  ", ",,, ,", ""),
        '"vm","disk","role","size_gib","used_gib"\n"web-01","c","os","127","30"\n',
    ],
    ids=["mark", "CRLF", "CR", "no last line end", "blank lines", "quoted"],
)
def test_spellings_of_the_same_file(content):
    assert_frame_equal(read(content), read(csv(GOOD)))


def test_quoted_cells_hold_commas_and_quotes():
    disks = read(csv('"a, ""b""",c,os,1,1', '"",,,,', "é ü,c,os,1,1"))
    assert disks["vm"].tolist() == ['a, "b"', "é ü"]


def test_a_vm_with_nothing_to_back_up_is_allowed():
    disks = read(csv("a,c,os,1,1,true", "a,d,temp,1,1,", more=",excluded"))
    assert len(disks) == 2


# --- as a spreadsheet writes it -----------------------------------------------


PLAIN = """vm,disk,role,size_gib,used_gib,start_h,excluded
web-01,c,os,1024,31.5,22.5,false
web-01,d,data,2048.5,1234567.5,22.5,true
""".replace("2048.5", "2000000")


@pytest.mark.parametrize(
    "content",
    [
        # an Excel of a German locale, as it says how it parts cells, and with tabs
        "vm;disk;role;size_gib;used_gib;start_h;excluded\n"
        "web-01;c;os;1024;31,5;22,5;FALSCH\n"
        "web-01;d;data;2000000;1.234.567,5;22,5;WAHR\n",
        "sep=;\nvm;disk;role;Size (GB);Used (GB);Start;excluded\n"
        "web-01;c;os;1024 GB;31,5 GB;22:30;FALSCH\n"
        "web-01;d;data;2000000;1.234.567,5;22:30:00;WAHR\n",
        "VM\tDisk\tRole\tSize_GB\tused GiB\tstart [h]\tExcluded\n"
        "web-01\tc\tos\t1 TB\t31.5\t22.5\tno\n"
        "web-01\td\tdata\t2000000\t1'234'567.5\t22.5\tyes\n",
        # and one of English: groups of thousands in quotes
        "vm,disk,role,Size (GiB),Used (GB),Start (h),excluded,Cost centre\n"
        'web-01,c,os,1024,"31,5",22.5,FALSE,12\n'
        'web-01,d,data,2000000,"1,234,567.5",22.5,TRUE,12\n',
    ],
)
def test_what_a_spreadsheet_writes_is_the_same_inventory(content, caplog):
    with caplog.at_level("WARNING", logger="vmbmodel"):
        assert_frame_equal(read(content), read(PLAIN))
    assert caplog.messages


@pytest.mark.parametrize(
    ("content", "remarks"),
    [
        (csv(GOOD), []),
        (
            csv(GOOD + ",red,x", more=",colour,Location"),
            ["not used, for no column is called so: 'colour', 'Location'"],
        ),
        (
            csv(GOOD).replace("size_gib", "Size (GB)").replace(",", ";"),
            [
                "its cells are parted by semicolons",
                "column 'Size (GB)' is read as size_gib",
            ],
        ),
        (
            csv('a,c,os,1.5 TB,"8,5",22:30', more=",start_h"),
            [
                "size_gib: units in cells are binary; 1.5 TB is 1536",
                "used_gib: a comma parts decimals, or marks group thousands; "
                "8,5 is 8.5",
                "start_h: times of day are read as hours; 22:30 is 22.5",
            ],
        ),
        (
            csv(
                "a,c,os,1,1,v,p,GRS,5",
                "b,c,os,1,1,v,p,LRS,23",
                "c,c,os,1,1,w,p,,7",
                more=",vault,policy,redundancy,start_h",
            ),
            [
                "redundancy is 'GRS' on line 2 and 'LRS' on line 3, and a vault has "
                "one; each VM is taken as its row says",
                "start_h is '5' on line 2 and '23' on line 3, and a policy says it "
                "once; each VM is taken as its row says",
            ],
        ),
    ],
)
def test_how_it_was_read_is_said_aloud(content, remarks, caplog):
    with caplog.at_level("WARNING", logger="vmbmodel"):
        read(content)
    assert [message.partition(": ")[2] for message in caplog.messages] == remarks


@pytest.mark.parametrize("heading", ["Size (TB)", "Size (MB)", "Size (GB) (old)"])
def test_a_heading_in_another_unit_is_no_guess(heading):
    (line, *_) = refusal(csv(GOOD).replace("size_gib", heading))
    assert "unknown column" in line or "size_gib is missing" in line


# --- what is refused ---------------------------------------------------------

UTF8 = "save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')"
TWO_WAYS = "its mark may group thousands or part decimals; write it without"
LONG = "x" * 261

REFUSED = {
    "missing column": ("vm,disk,role\na,c,os\n", [
        "1: required column size_gib is missing",
        "1: required column used_gib is missing",
    ]),
    "misspelt required column": ("vm,disk,role,sise_gib,used_gib\na,c,os,1,1\n", [
        "1: unknown column 'sise_gib'; did you mean size_gib? "
        "(required column size_gib is missing)",
    ]),
    "misspelt optional column": (csv(GOOD + ",p", more=",polcy"), [
        "1: unknown column 'polcy'; did you mean policy?",
    ]),
    "column without a name": (csv(GOOD + ",", more=","), ["1: column 6 has no name"]),
    "duplicated column": (csv(GOOD + ",5", more=",size_gib"), [
        "1: column size_gib stands there twice",
    ]),
    "duplicate disk": (csv(GOOD, "b,c,os,1,1", "web-01,c,data,1,1"), [
        "4: disk = 'c': must be named once in a VM; 'web-01' has it on line 2",
    ]),
    "no number": (csv("a,c,os,abc,1"), ["2: size_gib = 'abc': must be a number"]),
    "negative": (csv("a,c,os,-1,0"), ["2: size_gib = '-1': must be >= 0 and finite"]),
    "NaN": (csv("a,c,os,nan,1"), ["2: size_gib = 'nan': must be a number"]),
    "infinite": (csv("a,c,os,inf,1"), ["2: size_gib = 'inf': must be a number"]),
    "beyond floats": (csv("a,c,os,1e999,1"), [
        "2: size_gib = '1e999': must be >= 0 and finite",
    ]),
    "underscore": (csv("a,c,os,1_000,1"), ["2: size_gib = '1_000': must be a number"]),
    "hexadecimal": (csv("a,c,os,0x10,1"), ["2: size_gib = '0x10': must be a number"]),
    "other digits": (csv("a,c,os,١٢,1"), ["2: size_gib = '١٢': must be a number"]),
    "unit of nothing": (csv("a,c,os,100 Gbit,1"), [
        "2: size_gib = '100 Gbit': must be a number",
    ]),
    "thousands or decimals": (csv('a,c,os,"1,024",1'), [
        f"2: size_gib = '1,024': must be a number; {TWO_WAYS}",
    ]),
    "point of thousands or decimals": (csv("a,c,os,1.024,1").replace(",", ";"), [
        f"2: size_gib = '1.024': must be a number; {TWO_WAYS}",
    ]),
    "point of thousands beside a comma of decimals": (
        csv('a,c,os,2.048,"1,5"', 'b,c,os,"1.234,5",1.5'),
        [f"2: size_gib = '2.048': must be a number; {TWO_WAYS}"],
    ),
    "apostrophe of decimals": (csv("a,c,os,1'5,1"), [
        "2: size_gib = \"1'5\": must be a number",
    ]),
    "apostrophe of text": (csv("a,c,os,'15,1"), [
        "2: size_gib = \"'15\": must be a number",
    ]),
    "a mark of a line's end inside a cell, parted by semicolons": (
        csv("a\u2028x,c,os,1,1").replace(",", ";"),
        ["2: vm = 'a\\u2028x': must not contain control characters or line breaks"],
    ),
    "thousands, decimals and a unit": (csv('a,c,os,"1,024 GB",1'), [
        "2: size_gib = '1,024 GB': must be a number; leave the unit out",
    ]),
    "no time of day": (csv(GOOD + ",24:30", more=",start_h"), [
        "2: start_h = '24:30': must be a number",
    ]),
    "decimal comma": (csv("a,c,os,8,5,1"), [
        "2: must have 5 cells, as the header has; "
        "has 6: quote a cell that holds a comma; decimals take a point",
    ]),
    "blank required cells": (csv("a,c,os,, "), [
        "2: size_gib = '': must not be blank",
        "2: used_gib = ' ': must not be blank",
    ]),
    "used above size": (csv("a,c,os,40,50"), [
        "2: used_gib = '50': must be <= size_gib; size_gib is 40",
    ]),
    "out of range": (
        csv("a,c,os,1,1,0,1.5,0,24", more=",write_kib,dispersion,active_frac,start_h"),
        [
            "2: write_kib = '0': must be > 0 and finite",
            "2: dispersion = '1.5': must be >= 0 and <= 1",
            "2: active_frac = '0': must be > 0 and <= 1",
            "2: start_h = '24': must be >= 0 and < 24",
        ],
    ),
    "unknown role": (csv("a,c,dta,1,1"), [
        "2: role = 'dta': must be os, data or temp; did you mean data?",
    ]),
    "unknown choices": (csv("a,c,os,1,1,windws,GSR", more=",os,redundancy"), [
        "2: os = 'windws': must be windows or linux; did you mean windows?",
        "2: redundancy = 'GSR': must be LRS, ZRS, GRS or RA-GRS; did you mean GRS?",
    ]),
    "no flag": (csv("a,c,os,1,1,tru,perhaps", more=",managed,excluded"), [
        "2: managed = 'tru': must be true or false (yes or no, 1 or 0); "
        "did you mean true?",
        "2: excluded = 'perhaps': must be true or false (yes or no, 1 or 0)",
    ]),
    "no OS disk": (csv("a,c,data,1,1", "a,d,temp,1,1"), [
        "2: vm = 'a': must have an OS disk (role os)",
    ]),
    "two OS disks": (csv("a,c,os,1,1", "a,d,os,1,1"), [
        "3: role = 'os': must be os for one disk of a VM only; 'a' has it on line 2",
    ]),
    "VM at odds with itself": (
        csv(
            "a,c,os,1,1,v1,p,23,windows,GRS,true",
            "a,d,data,1,1,,,,,,",
            "a,e,data,1,1,v2,q,22,linux,LRS,no",
            more=",vault,policy,start_h,os,redundancy,first_backup",
        ),
        [
            f"4: {cells}': must be the same for all disks of a VM; '{first}' on line 2"
            for cells, first in [
                ("vault = 'v2", "v1"),
                ("policy = 'q", "p"),
                ("start_h = '22", "23"),
                ("first_backup = 'no", "true"),
                ("os = 'linux", "windows"),
                ("redundancy = 'LRS", "GRS"),
            ]
        ],
    ),
    "unmanaged without account": (
        csv("a,c,os,1,1,no,", "b,c,os,1,1,no,st", more=",managed,storage_account"),
        ["2: storage_account = '': must be given where managed is false"],
    ),
    "unmanaged without the column": (csv("a,c,os,1,1,no", more=",managed"), [
        "2: storage_account = '': must be given where managed is false",
    ]),
    "new disk on a new VM": (
        csv("a,c,os,1,1,true,", "a,d,data,1,1,,true", more=",first_backup,new_disk"),
        ["3: new_disk = 'true': must be false where first_backup of the VM is true"],
    ),
    "case of a VM": (csv("web,c,os,1,1", "Web,d,data,1,1"), [
        "3: vm = 'Web': must differ from other names by more than case and blanks; "
        "'web' is on line 2",
    ]),
    "blanks in a vault": (
        csv("a,c,os,1,1,my vault", "b,c,os,1,1,myvault", more=",vault"),
        [
            "3: vault = 'myvault': must differ from other names by more than case "
            "and blanks; 'my vault' is on line 2",
        ],
    ),
    "case of a disk": (csv("a,c,os,1,1", "b,c,os,1,1", "b,C,data,1,1"), [
        "4: disk = 'C': must differ from other names by more than case and blanks; "
        "'c' is on line 3",
    ]),
    "blanks around names": (csv("a , c,os,1,1"), [
        "2: vm = 'a ': must not begin or end with a blank",
        "2: disk = ' c': must not begin or end with a blank",
    ]),
    "control character": (csv("w\x1b[31m,c,os,1,1", "w\u200bb,c,os,1,1"), [
        r"2: vm = 'w\x1b[31m': must not contain control characters or line breaks",
        r"3: vm = 'w\u200bb': must not contain control characters or line breaks",
    ]),
    "very long name": (csv(f"{LONG},c,os,1,1"), [
        f"2: vm = '{LONG[:59]}... (261 characters): must have 260 characters at most",
    ]),
    "line break in a cell": (csv('"web', '01",c,os,1,1', "b,c,os,x,1"), [
        "2: has a quote that is not closed on its line; a cell holds no line break",
        "3: has a quote that is not closed on its line; a cell holds no line break",
        "4: size_gib = 'x': must be a number",
    ]),
    "unclosed quote": (csv(GOOD, 'b,"c,os,1,1', "d,c,os,x,1"), [
        "3: has a quote that is not closed on its line; a cell holds no line break",
        "4: size_gib = 'x': must be a number",
    ]),
    "quote inside a cell": (csv('a"b",c,os,1,1', '"a"b,c,os,1,1', ' "a",c,os,1,1'), [
        f"{line}: has a quote inside a cell; a quoted cell begins and ends with one, "
        "and doubles those inside"
        for line in (2, 3, 4)
    ]),
    "quote in the header": ('vm,"disk,role\na,b,c\n', [
        "1: must have every name plain, or wholly in quotes",
    ]),
    "ragged": (csv(GOOD, "b,c,os,1", "d,c,os,1,1,1", "", "e,c,os,x,1"), [
        "3: must have 5 cells, as the header has; has 4",
        "4: must have 5 cells, as the header has; "
        "has 6: quote a cell that holds a comma; decimals take a point",
        "6: size_gib = 'x': must be a number",
    ]),
    "line without end": (csv("a" * 2**20 + ",c,os,1,1", "e,c,os,x,1"), [
        "2: is longer than 1 MiB",
        "3: size_gib = 'x': must be a number",
    ]),
    "header without end": ("v" * 2**20 + "\n", ["1: is longer than 1 MiB"]),
    "empty": ("", ["is empty; a header and a row a disk are needed"]),
    "blank": (b"\xef\xbb\xbf \r\n\n", [
        "is empty; a header and a row a disk are needed",
    ]),
    "separators only": (";;\n;;\n", [
        "has no header; a header and a row a disk are needed",
    ]),
    "header only": (HEADER, ["has a header and no rows; a row a disk is needed"]),
    "blank rows only": (csv(",,,,"), ["has no rows; a row a disk is needed"]),
    "bad header only": ("vm,disk,role,size_gib\n", [
        "1: required column used_gib is missing",
        "has a header and no rows; a row a disk is needed",
    ]),
    "bytes for GiB": (csv("a,c,os,1073741824,0", "b,c,os,137438953472,1e10"), [
        "3: size_gib = '137438953472': must be <= 1073741824 (1 EiB); "
        "sizes are in GiB",
    ]),
    "the same letters": (csv("cafe\u0301,c,os,1,1", "café,c,os,1,1"), [
        "3: vm = 'café': must differ from other names by more than case and blanks; "
        "'cafe\u0301' is on line 2",
        "3: disk = 'c': must be named once in a VM; 'cafe\u0301' has it on line 2",
    ]),
    "no line splits": (csv("a"), ["2: must have 5 cells, as the header has; has 1"]),
    "UTF-16": (csv(GOOD).encode("utf-16"), [
        f"is UTF-16, by its mark at byte offset 0; {UTF8}",
    ]),
    "UTF-16 without a mark": (csv(GOOD).encode("utf-16-le"), [
        f"1: has a NUL byte at byte offset 1, so it is UTF-16 or no text; {UTF8}",
    ]),
    "Latin-1": (csv("café,c,os,1,1").encode("latin-1"), [
        f"2: has byte 0xe9 at byte offset 34, which is not UTF-8; {UTF8}",
    ]),
    "NUL": (csv("we\0b,c,os,1,1").replace("\n", "\r\n"), [
        f"2: has a NUL byte at byte offset 34, so it is UTF-16 or no text; {UTF8}",
    ]),
    "rubbish": (bytes(range(128, 256)), [
        f"1: has byte 0x80 at byte offset 0, which is not UTF-8; {UTF8}",
    ]),
    "packed": (gzip.compress(b"vm,disk"), [
        "is packed (gzip, bzip2, xz or zstd); unpack it first"
    ]),
    "workbook": (b"PK\x03\x04\x14\x00", [
        "is a workbook or archive; save the sheet as 'CSV UTF-8'",
    ]),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    content, expected = REFUSED[case]
    assert refusal(content) == expected


def test_all_at_once():
    rows = ["a,c,boot,abc,1,2", "b,c,os,1,5,", "b,c,data,1,1,", 'd,"e', "f,c,os,,,"]
    assert refusal(csv(*rows, more=",dispersoin")) == [
        "1: unknown column 'dispersoin'; did you mean dispersion?",
        "5: has a quote that is not closed on its line; a cell holds no line break",
        "2: role = 'boot': must be os, data or temp",
        "6: size_gib = '': must not be blank",
        "2: size_gib = 'abc': must be a number",
        "6: used_gib = '': must not be blank",
        "3: used_gib = '5': must be <= size_gib; size_gib is 1",
        "4: disk = 'c': must be named once in a VM; 'b' has it on line 3",
    ]


def test_an_os_disk_on_a_line_that_cannot_be_split_is_not_called_missing():
    assert refusal(csv("a,c,os,1", "a,d,data,1,1")) == [
        "2: must have 5 cells, as the header has; has 4"
    ]


def test_findings_are_data():
    with pytest.raises(InventoryError) as error:
        read(csv("a,c,os,abc,1"))
    finding = Finding("fleet.csv", 2, "size_gib", "abc", "must be a number")
    assert error.value.findings == [finding]
    assert pickle.loads(pickle.dumps(error.value)).findings == [finding]
    with pytest.raises(AttributeError):
        finding.row = 3


@pytest.mark.parametrize(
    ("bad", "last"),
    [(20, "21:"), (21, "... and 1 more row"), (25, "... and 5 more rows")],
)
def test_many_of_a_kind_are_counted(bad, last):
    content = csv(*(f"v{i},c,os,x,1" for i in range(bad)))
    lines = refusal(content)
    assert len(lines) == min(bad, 21)
    assert lines[-1].startswith(last)
    with pytest.raises(InventoryError) as error:
        read(content)
    assert [finding.row for finding in error.value.findings] == list(range(2, bad + 2))


def test_wrong_words_without_end_are_not_all_compared():
    with pytest.raises(InventoryError) as error:
        read(csv(*(f"v{i},c,os{i},1,1" for i in range(3000))))
    hints = [finding.hint for finding in error.value.findings]
    assert hints[0] == "did you mean os?"
    assert hints[-1] == ""


def test_files_that_are_none(tmp_path, monkeypatch):
    for name, rule in {
        "none.csv": "does not exist",
        ".": "is a folder; name a file",
        "a\0b": "cannot be read: ",  # by which word, each Python says for itself
    }.items():
        with pytest.raises(InventoryError, match=re.escape(f"{name}: {rule}")):
            fleet.read_fleet(name)

    def deny(*_):
        raise PermissionError(13, "Permission denied")

    Path("x.csv").write_text(csv(GOOD), "utf-8")
    monkeypatch.setattr("builtins.open", deny)
    with pytest.raises(InventoryError, match=r"^x\.csv: cannot be read: Permission de"):
        fleet.read_fleet("x.csv")


# --- Parquet -----------------------------------------------------------------


def table(**columns):
    good = {
        "vm": ["a", "b"],
        "disk": ["c", "c"],
        "role": ["os", "os"],
        "size_gib": [127, 64],
        "used_gib": [30.5, 10.0],
    }
    return pa.table(good | columns)


def parquet_refusal(content, name="fleet.parquet"):
    parquet.write_table(content, name)
    return refusal(Path(name).read_bytes(), name)


def test_parquet_by_content_and_of_many_types():
    content = table(
        role=pa.array(["os", "os"]).dictionary_encode(),
        size_gib=pa.array([127, 64], pa.int16()),
        used_gib=["30.5", " 1e1 "],
        write_kib=pa.array([np.nan, 8.0], pa.float32()),
        managed=pa.array([1, None], pa.int8()),
        excluded=[None, True],
        vault=pa.nulls(2),
    )
    parquet.write_table(content, "fleet.csv")
    disks = fleet.read_fleet("fleet.csv")
    assert disks["role"].tolist() == ["os", "os"]
    assert disks["size_gib"].tolist() == [127, 64]
    assert disks["used_gib"].tolist() == [30.5, 10]
    assert disks["write_kib"].isna().tolist() == [True, False]
    assert disks["managed"].isna().tolist() == [False, True]
    assert disks["excluded"].fillna(False).tolist() == [False, True]
    assert disks["vault"].isna().all()


def test_parquet_rows_count_from_one():
    assert parquet_refusal(table(size_gib=[np.nan, np.inf], used_gib=[1, -2])) == [
        "row 1: size_gib = nan: must not be blank",
        "row 2: size_gib = inf: must be >= 0 and finite",
        "row 2: used_gib = -2.0: must be >= 0 and finite",
    ]


def test_parquet_blank_and_duplicate_rows():
    assert parquet_refusal(table(vm=["a", "a"], role=["os", None])) == [
        "row 2: role = '': must not be blank",
        "row 2: disk = 'c': must be named once in a VM; 'a' has it on row 1",
    ]


def test_parquet_types_that_do_not_fit():
    content = table(
        vm=[1, 2],
        role=[True, False],
        size_gib=[True, False],
        managed=[0.5, 1.0],
        policy=[["p"], ["q"]],
    )
    assert parquet_refusal(content) == [
        "column vm must hold text; holds int64",
        "column role must hold text; holds bool",
        "column size_gib must hold numbers; holds bool",
        "column managed must hold flags; holds double",
        "column policy must hold text; holds list<element: string>",
    ]


def test_parquet_columns():
    renamed = table().rename_columns(["vm", "disk", "role", "sise_gib", "used_gib"])
    assert parquet_refusal(renamed) == [
        "unknown column 'sise_gib'; did you mean size_gib? "
        "(required column size_gib is missing)"
    ]
    assert parquet_refusal(table().append_column("vm", pa.array(["x", "y"]))) == [
        "column vm stands there twice"
    ]


def bomb(path, **columns):
    """Write a group of rows, again and again, that packs to next to nothing."""
    content = table(**columns)
    with parquet.ParquetWriter(
        path, content.schema, compression="zstd", use_dictionary=False
    ) as writer:
        for _ in range(3):
            writer.write_table(content)


def test_parquet_that_unpacks_to_too_much_is_refused_unread(monkeypatch):
    monkeypatch.setattr("vmbmodel.inventory.fleet.tables.LARGEST_DATA", 2**24)
    bomb("fleet.parquet", vm=["a" * 2**22, "b" * 2**22])
    assert Path("fleet.parquet").stat().st_size < 2**14
    monkeypatch.setattr(parquet, "ParquetFile", None)  # it is not opened at all
    assert refusal(Path("fleet.parquet").read_bytes(), "fleet.parquet") == [
        "unpacks to 0.0234 GiB; most are 0.0156 GiB"
    ]


def lying(data, truth, lie, *places):
    """Return a Parquet file whose end gives another number at some of its places."""
    length = int.from_bytes(data[-8:-4], "little") + 8
    numbers = [bytearray(), bytearray()]
    for number, written in zip((truth, lie), numbers, strict=True):
        rest = 2 * number
        while rest > 127:
            written.append(rest & 127 | 128)
            rest >>= 7
        written.append(rest)
    assert len(numbers[0]) == len(numbers[1])
    parts = data[-length:].split(numbers[0])
    assert len(parts) > max(places)
    marks = [numbers[i in places] for i in range(len(parts) - 1)]
    end = b"".join(itertools.chain(*zip(parts, [*marks, b""], strict=True)))
    return data[:-length] + end


ROWS = 12_345


def of_many_rows():
    """Return a Parquet file whose end says seven times how many rows there are."""
    content = table(vm=["aa", "bb"], disk=["cc", "cc"]).take(pa.array([0] * ROWS))
    told = [field.with_nullable(False) for field in content.schema]
    data = io.BytesIO()
    parquet.write_table(content.cast(pa.schema(told)), data, write_statistics=False)
    return data.getvalue()


OF_FILE, *OF_COLUMNS, OF_GROUP = range(7)


@pytest.mark.parametrize("rows", [ROWS - 1, ROWS + 1])
@pytest.mark.parametrize(
    ("places", "where"),
    [
        ([OF_FILE], "in its groups of rows"),
        ([OF_GROUP], "in its groups of rows"),
        ([OF_COLUMNS[2]], "in a column"),
        ([OF_FILE, OF_GROUP], "in a column"),
    ],
)
def test_parquet_that_lies_about_its_rows_is_refused(places, where, rows):
    data = lying(of_many_rows(), ROWS, rows, *places)
    (line,) = refusal(data, "fleet.parquet")
    assert line.startswith("cannot be read as Parquet: is said to have 12,34")
    assert line.endswith(where)
    with pytest.raises(InventoryError, match=where):
        row_groups(["fleet.parquet"], Findings("fleet.parquet"))


@pytest.mark.parametrize("words_once", [True, False])
def test_parquet_with_text_that_is_none_is_refused(words_once):
    content = table(vm=["aaaa", "bbbb"])
    parquet.write_table(
        content, "x", compression="NONE", use_dictionary=words_once,
        write_statistics=False,
    )  # fmt: skip
    data = Path("x").read_bytes().replace(b"aaaa", b"a\xff\xfea")
    (line,) = refusal(data, "fleet.parquet")
    assert line.startswith("cannot be read as Parquet: ")
    assert "Invalid UTF8" in line
    findings = Findings("fleet.parquet")
    with pytest.raises(InventoryError, match=r"cannot be read as Parquet: .* UTF8"):
        joined_cells(row_groups(["fleet.parquet"], findings), findings)


def test_parquet_that_has_fewer_rows_than_all_its_end_says_is_refused():
    data = lying(of_many_rows(), ROWS, ROWS + 1, *range(7))
    why = "cannot be read as Parquet: is said to have 12,346 rows, and has 12,345 in a"
    assert refusal(data, "fleet.parquet") == [f"{why} column"]
    findings = Findings("fleet.parquet")
    with pytest.raises(InventoryError, match=f"{why} group of rows"):
        joined_cells(row_groups(["fleet.parquet"], findings), findings)


@pytest.mark.parametrize(
    "how",
    [
        {"compression": "NONE", "use_dictionary": False},
        {"compression": "zstd", "data_page_size": 256},
        {"data_page_version": "2.0", "write_page_checksum": True},
        {"row_group_size": 100, "write_statistics": False, "store_schema": False},
    ],
)
def test_pages_say_what_they_unpack_to(how):
    content = table(vm=["a", None], used_gib=[1.5, None])
    content = content.take(pa.array(np.arange(300) % 2))
    parquet.write_table(content, "fleet.parquet", **how)
    file = parquet.ParquetFile("fleet.parquet")
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        for i in range(group.num_columns):
            column = group.column(i)
            with open("fleet.parquet", "rb") as data:
                place = _begin(column), column.total_compressed_size
                headers = column.total_uncompressed_size - unpacked_bytes(data, *place)
            assert 0 < headers < 60 * (1 + group.num_rows // 10)


# the compact protocol of Thrift: how many fields on, and of which kind; a whole number
# is doubled, and a list of 15 or more says so and then how many
SIZES = b"\x15\0\x15\xac\2\x15\6"  # a page of 150 bytes, packed to 3


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"\x11\x12",  # truths
        b"\x13\x7f\x14\x7f\x16\x80\1",  # a byte, whole numbers
        b"\x17" + bytes(range(8)),
        b"\x18\3abc\x18\0",
        b"\x19\x08" + b"\x19\x13\x7f" + b"\x1a\xe5" + b"\x80\1" * 14,
        b"\x19\xf5\x0f" + b"\2" * 15,
        b"\x19\xf8\x10" + b"\2ab" * 16,
        b"\x1b\0" + b"\x1b\2\x58" + b"\2\1a\4\1b",  # maps
        b"\x1c\x15\2\x1c\x18\1a\0\0",  # in each other
        b"\5\x40\2\x08\x42\1a",  # fields 32, 33
    ],
)
def test_what_else_stands_in_the_header_of_a_page_is_passed_over(rest):
    page = SIZES + rest + b"\0" + b"abc"
    assert unpacked_bytes(io.BytesIO(b"PAR1" + page * 2), 4, len(page) * 2) == 300


def test_a_page_may_be_empty():
    page = b"\x15\0\x15\0\x15\0\0"
    assert unpacked_bytes(io.BytesIO(page), 0, len(page)) == 0


@pytest.mark.parametrize(
    "sizes",
    [b"\x15\6", b"\x25\6", b"\x15\1\x15\6", b"\x15\6\x15\1"],
    ids=["not packed", "not unpacked", "less than none", "packed to less than none"],
)
def test_a_page_without_a_size_is_refused(sizes):
    page = b"\x15\0" + sizes + b"\0" + b"abc"
    with pytest.raises(ValueError, match="a page has no size"):
        unpacked_bytes(io.BytesIO(page), 0, len(page))


def test_parquet_that_lies_about_what_it_unpacks_to_is_refused(monkeypatch):
    monkeypatch.setattr("vmbmodel.inventory.fleet.tables.LARGEST_DATA", 2**24)
    bomb("true.parquet", vm=["a" * 2**22, "b" * 2**22])
    column = parquet.read_metadata("true.parquet").row_group(0).column(0)
    true = Path("true.parquet").read_bytes()
    data = lying(true, column.total_uncompressed_size, 2**20, *range(3))
    Path("fleet.parquet").write_bytes(data)
    column = parquet.read_metadata("fleet.parquet").row_group(2).column(0)
    assert column.total_uncompressed_size == 2**20
    assert refusal(data, "fleet.parquet") == [
        "unpacks to 0.0234 GiB; most are 0.0156 GiB"
    ]


@pytest.mark.parametrize(
    "begin", [b"\0", b"\x15\x04\0", b"\x1c" * 1200, b"\x15" + b"\xff" * 20]
)
def test_pages_without_a_header_are_refused(begin):
    content = table(vm=[f"{number:064}" for number in range(2)])
    parquet.write_table(
        content.take(pa.array([0, 1] * 99)),
        "fleet.parquet",
        use_dictionary=False,
        compression="NONE",
    )
    data = Path("fleet.parquet").read_bytes()
    damaged = data[:4] + begin + data[4 + len(begin) :]
    (line,) = refusal(damaged, "fleet.parquet")
    assert line.startswith("cannot be read as Parquet: ")
    assert "of a page" in line or "a page has" in line


def test_a_word_in_very_many_rows_is_held_once_whatever_its_type():
    kinds = pa.string(), pa.large_string(), pa.string_view()
    columns = {f"{kind}": pa.array(["x"]).cast(kind) for kind in kinds}
    parquet.write_table(pa.table(columns), "words.parquet")
    with parquet.ParquetFile("words.parquet") as file:
        assert _of_words(file.schema_arrow) == list(columns)


def test_columns_that_no_inventory_has_are_not_unpacked(monkeypatch):
    monkeypatch.setattr("vmbmodel.inventory.fleet.tables.LARGEST_DATA", 2**20)
    bomb("fleet.parquet", notes=["a" * 2**22, "b"], tags=[[0] * 2**16, [1]])
    bomb("lists.parquet", vm=[["a"] * 2**16, ["b"]], size_gib=[[1] * 2**16, [2]])
    assert refusal(Path("lists.parquet").read_bytes(), "lists.parquet") == [
        "column vm must hold text; holds list<element: string>",
        "column size_gib must hold numbers; holds list<element: int64>",
    ]
    *lines, last = refusal(Path("fleet.parquet").read_bytes(), "fleet.parquet")
    assert all("must be named once in a VM" in line for line in [*lines, last])


def test_of_a_fault_in_very_many_rows_the_rest_is_counted():
    rows = NOTED + 25
    lines = refusal(csv(*[GOOD] * (rows + 1)))
    assert lines[-2:] == [
        f"... and {NOTED - 20:,} more rows",
        "disk must be named once in a VM, and is not so in 25 lines more",
    ]


def test_parquet_without_rows():
    assert parquet_refusal(table().slice(0, 0)) == [
        "has no rows; a row a disk is needed"
    ]


@pytest.mark.parametrize("cut", [4, 100, -20])
def test_corrupt_parquet(cut):
    parquet.write_table(table(), "whole.parquet")
    (line,) = refusal(Path("whole.parquet").read_bytes()[:cut])
    assert line.startswith("cannot be read as Parquet: ")


# --- written and read again --------------------------------------------------


@pytest.mark.parametrize("name", ["copy.csv", "copy.parquet"])
def test_sample_comes_back(name):
    disks = fleet.read_fleet(SAMPLE)
    fleet.write(disks, name)
    assert_frame_equal(fleet.read_fleet(name), disks, check_exact=True)


names = st.text(
    st.characters(exclude_categories=["C", "Z"]) | st.sampled_from("=+-@',\"; "),
    min_size=1,
    max_size=12,
).filter(lambda name: name == name.strip())
sizes = st.floats(0, LARGEST_GIB)


@settings(max_examples=60)
@given(
    vms=st.lists(names, min_size=1, max_size=5, unique_by=lambda n: alike(n)),
    size=sizes,
    fraction=st.floats(0, 1),
    managed=st.sampled_from([None, True, False]),
    account=names,
    suffix=st.sampled_from([".csv", ".parquet"]),
)
def test_every_inventory_comes_back(vms, size, fraction, managed, account, suffix):
    disks = pd.DataFrame(
        {
            "vm": vms,
            "disk": vms,
            "role": "os",
            "size_gib": size,
            "used_gib": size * fraction,
            "dispersion": fraction,
            "managed": pd.array([managed] * len(vms), "boolean"),
            "storage_account": account,
        }
    )
    path = Path("fleet").with_suffix(suffix)
    fleet.write(disks, path, force=True)
    again = fleet.read_fleet(path)
    kept = again[disks.columns]
    assert_frame_equal(kept, disks, check_dtype=False, check_exact=True)
    fleet.write(again, path, force=True)
    assert_frame_equal(fleet.read_fleet(path), again, check_exact=True)


def alike(name):
    return re.sub(r"\s+", "", name.lower())


def test_write_leaves_empty_columns_out_and_overwrites_only_by_force():
    disks = read(csv(GOOD))
    fleet.write(disks, "copy.csv")
    assert Path("copy.csv").read_text() == f"{HEADER}\nweb-01,c,os,127.0,30.0\n"
    with pytest.raises(FileExistsError, match=r"copy\.csv"):
        fleet.write(disks, "copy.csv")
    fleet.write(disks, "copy.csv", force=True)


def test_write_refuses_what_read_would():
    disks = fleet.read_fleet(SAMPLE)
    bad = disks.assign(size_gib=disks["size_gib"].where(disks.index != 3, -1))
    with pytest.raises(InventoryError) as error:
        fleet.write(bad, "copy.csv")
    assert str(error.value) == (
        "copy.csv: row 4: size_gib = -1.0: must be >= 0 and finite"
    )
    with pytest.raises(
        InventoryError, match=r"^copy\.csv: row 1: vm = \{1\}: must be t"
    ):
        fleet.write(disks.assign(vm=[{1}, *["a"] * (len(disks) - 1)]), "copy.csv")
    with pytest.raises(InventoryError, match="has no rows"):
        fleet.write(disks.iloc[:0], "copy.csv")
    with pytest.raises(ValueError, match=r"^copy\.xlsx must end in \.csv or \.parquet"):
        fleet.write(disks, "copy.xlsx")
    assert not Path("copy.csv").exists()


# --- a table in memory -------------------------------------------------------


def frame(*rows, **columns):
    """Return disks of a VM each, alike but for what is given."""
    count = len(next(iter(columns.values()), rows))
    rows = rows or [{"vm": f"v{i}", "disk": "c", "role": "os"} for i in range(count)]
    sizes = {"size_gib": 127, "used_gib": 30}
    return pd.DataFrame([sizes | row for row in rows]).assign(**columns)


def told(fleet_, name):
    """Return what is found: places as rows from 1, values as a file has them."""

    def as_row(hint):
        hint = re.sub(r"line (\d+)", lambda at: f"row {int(at[1]) - 1}", hint)
        return re.sub(r"^'([0-9]+)'", r"\1.0", hint)  # a number is told with its type

    with pytest.raises(InventoryError) as error:
        fleet.disks_of(fleet_)
    assert all(finding.file == name for finding in error.value.findings)
    return [
        (
            finding.row and finding.row - (finding.counted == "line"),
            finding.column,
            finding.rule,
            as_row(finding.hint),
        )
        for finding in error.value.findings
    ]


WRONG = {
    "words for flags": frame(
        excluded=["nope", "no"], first_backup=["yes", "tru"], new_disk=[1, 2]
    ),
    "roles": frame(role=["Tmp", "boot"]),
    "other choices": frame(os=["windws", "Linux"], redundancy=["GSR", "grs"]),
    "every row twice": pd.concat([frame(vm=["a", "b"])] * 2),
    "ranges": frame(used_gib=[5000, -1], start_h=[25, 24], dispersion=[1.5, 0]),
    "no numbers": frame(size_gib=["127 GiB", 64], used_gib=["8,5", True]),
    "blanks": frame(vm=["a", None], role=[pd.NA, "os"], size_gib=[np.nan, 64]),
    "headings": frame(vm=["a"]).rename(columns={"size_gib": "sise_gib", "vm": "v m"}),
    "unknown headings": frame(vm=["a"], colour=["red"], polcy=["p"]),
    "none of the headings": pd.DataFrame({"name": ["a"], "size": [1]}),
    "names": frame(vm=["web", "Web "], vault=["v\x1b", "v"], policy=["p" * 261, "p"]),
    "a VM at odds with itself": frame(
        {"vm": "a", "disk": "c", "role": "os", "vault": "v", "start_h": 23},
        {"vm": "a", "disk": "d", "role": "data", "vault": "w", "start_h": 22},
    ),
    "no OS disk": frame({"vm": "a", "disk": "c", "role": "temp"}),
    "a new disk on a new VM": frame(first_backup=[True], new_disk=[True]),
    "no account": frame(managed=[False, None], storage_account=[None, "st"]),
    "too large": frame(size_gib=[2.0**31]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_table_is_told_what_its_file_is_told(case):
    rows = WRONG[case]
    before = rows.copy(deep=True)
    rows.to_csv("its.csv", index=False)
    in_file = told("its.csv", "its.csv")
    if case == "headings":  # lies in no line
        in_file = [(None, *finding[1:]) for finding in in_file]
    in_file = [(row or None, *finding) for row, *finding in in_file]
    assert told(rows, "fleet") == in_file
    assert_frame_equal(rows, before)


RIGHT = {
    "words for flags": frame(excluded=["no", "YES"], first_backup=["0", "false"]),
    "flags among words": frame(excluded=[True, "no"], managed=[1, "yes"]),
    "flags beside blanks": frame(excluded=[True, None], managed=[1.0, np.nan]),
    "roles": frame({"vm": "a", "disk": "c", "role": "OS"}, {
        "vm": "a", "disk": "d", "role": "Temp"}),
    "numbers as text": frame(size_gib=["127", " 1e3 "], start_h=["", "22.5"]),
    "numbers among text": frame(size_gib=["127", 64.5], used_gib=[Decimal("1.5"), "2"]),
    "names of digits": frame(vm=[1, 2], policy=[7.0, np.nan], disk=[0, "b"]),
    "blank columns": frame(vm=["a", "b"], vault=np.nan, policy=None, start_h=pd.NaT),
    "blank rows": frame(vm=["a", None], disk=["c", ""], role=["os", None],
                        size_gib=[1, np.nan], used_gib=[1, None]),
    "categories": frame(vm=["a", "b"]).astype("category"),
    "objects": frame(vm=["a", "b"], cc_mode=[True, False]).astype(object),
    "nullable": frame(vm=["a", "b"], cc_mode=[True, None]).convert_dtypes(),
    "Arrow": frame(vm=["a", "b"], cc_mode=[True, None]).convert_dtypes(
        dtype_backend="pyarrow"
    ),
    "strings of numpy": frame(vm=np.array(["a", "b"]), role=[np.str_("os")] * 2),
    "halves": frame(size_gib=np.array([64, 32], np.float16)),
    "sparse": frame(size_gib=pd.arrays.SparseArray([64.0, 32.0])),
    "large": frame(size_gib=[2**30, 2**20], used_gib=np.array([0, 1], np.uint64)),
    "blanks around headings": frame(vm=["a"]).rename(columns={"vm": " vm "}),
    "any labels": frame(vm=["a", "b"]).set_axis(["x", "x"]),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_a_table_is_taken_as_its_file_is(case):
    rows = RIGHT[case]
    before = rows.copy(deep=True)
    written = rows.astype(object)
    for name in ("policy", "managed"):  # numbers only because a blank stands beside
        if case in ("names of digits", "flags beside blanks") and name in written:
            written[name] = [None if pd.isna(n) else f"{n:g}" for n in rows[name]]
    written.to_csv("its.csv", index=False)
    expected = fleet.read_fleet("its.csv")
    assert_frame_equal(fleet.disks_of(rows), expected, check_exact=True)
    assert_frame_equal(fleet.disks_of(expected), expected, check_exact=True)
    assert_frame_equal(rows, before)


@pytest.mark.parametrize("index", [["vm"], ["vm", "disk"], ["role", "size_gib"]])
def test_columns_may_stand_in_the_index(index):
    rows = frame(vm=["a", "b"])
    expected = fleet.disks_of(rows)
    assert_frame_equal(fleet.disks_of(rows.set_index(index)), expected)
    assert_frame_equal(fleet.disks_of(rows.set_index(index, drop=False)), expected)


def test_an_index_of_another_name_is_no_column():
    rows = frame(vm=["a", "b"])
    expected = fleet.disks_of(rows)
    for name in ("number", "vms", 7, None):
        assert_frame_equal(fleet.disks_of(rows.rename_axis(name)), expected)
    assert told(rows.set_index("vm").rename_axis("vms"), "fleet") == [
        (None, "vms", "unknown column 'vms'",
         "did you mean vm? (required column vm is missing)"),
    ]  # fmt: skip


def test_a_table_without_rows():
    assert told(frame(vm=["a"]).iloc[:0], "fleet") == [
        (None, None, "has no rows; a row a disk is needed", "")
    ]


def test_cells_that_no_file_can_hold():
    rows = frame(
        vm=["a", "b", "c"],
        disk=["c", "\ud800", {"c"}],
        policy=[True, False, None],
        vault=pd.to_datetime(["2026-01-01"] * 3),
        size_gib=[127, ["x"], 1j],
        churn_gib_per_day=[1, 10**400, 10**5000],
        used_gib=[True, False, True],
        excluded=[True, (), None],
    )
    with pytest.raises(InventoryError) as error:
        fleet.disks_of(rows)
    assert str(error.value).splitlines() == [
        "fleet: row 2: size_gib = ['x']: must be a number",
        "fleet: row 3: size_gib = 1j: must be a number",
        "fleet: row 2: disk = '\\ud800': must be text",
        "fleet: row 3: disk = {'c'}: must be text",
        "fleet: row 3: churn_gib_per_day = a number too long to print: must be a "
        "number",
        "fleet: row 2: excluded = (): must be true or false (yes or no, 1 or 0)",
        "fleet: column used_gib must hold numbers; holds bool",
        "fleet: column policy must hold text; holds bool",
        "fleet: column vault must hold text; holds timestamp[us]",
    ]


def test_a_path_or_a_table_and_nothing_else():
    Path("fleet.csv").write_text(csv(GOOD))
    expected = fleet.read_fleet("fleet.csv")
    for path in ("fleet.csv", Path("fleet.csv")):
        assert_frame_equal(fleet.disks_of(path), expected)
    with pytest.raises(InventoryError, match=r"^none\.csv: does not exist$"):
        fleet.disks_of("none.csv")
    disk = dict(vm="a", disk="c", role="os", size_gib=1, used_gib=1)
    for other in ([disk], disk, None, 7, b"fleet.csv", pd.Series(disk)):
        with pytest.raises(TypeError, match=r"^fleet must be a path or a DataFrame"):
            fleet.disks_of(other)


# --- any file at all ---------------------------------------------------------

sample = SAMPLE.read_bytes()
lines = sample.splitlines(keepends=True)
starts = st.sampled_from([sample, *(b"".join(lines[:n]) for n in (1, 2, 4, 12))])
places = st.integers(0, len(sample))
telling = st.sampled_from([bytes([byte]) for byte in b'",;\n\r\t\0 \xef\xfe.-e0'])
edits = st.lists(
    st.tuples(
        st.sampled_from(["flip", "insert", "delete", "truncate"]),
        places,
        telling | st.binary(min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=6,
)


def mutated(data, edits):
    for edit, at, new in edits:
        at %= len(data) + 1
        match edit:
            case "flip":
                data = data[:at] + new + data[at + len(new) :]
            case "insert":
                data = data[:at] + new + data[at:]
            case "delete":
                data = data[:at] + data[at + new[0] :]
            case "truncate":
                data = data[:at]
    return data


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(data=starts, edits=edits)
def test_any_file_reads_or_is_refused(data, edits):
    try:
        disks = read(mutated(data, edits), "any.csv")
    except InventoryError as error:
        told = str(error).splitlines()
    else:
        told = list(disks.columns)
    assert told


# --- where there is no pyarrow -----------------------------------------------

READ_ALL = """
import json, sys
missing, *paths = sys.argv[1:]
sys.modules[missing] = None
import pandas as pd
import vmbmodel as vm
from vmbmodel.inventory import fleet

def told(fleet_):
    try:
        return fleet.disks_of(fleet_).astype(object).to_csv()
    except fleet.InventoryError as error:
        return str(error)

names = {"vm": [1, "b"], "disk": pd.Categorical(["c", "c"]), "role": "OS"}
sizes = {"size_gib": [64, 32.5], "used_gib": [1, 0.1], "start_h": ["22:30", ""]}
disks = fleet.sample_fleet()
answers = [vm.estimate(disks).to_dict(), vm.check(disks).to_dict()]
print(json.dumps([told(pd.DataFrame(names | sizes)), answers, *map(told, paths)]))
"""


def test_all_but_parquet_is_read_without_pyarrow_and_to_the_same():
    contents = [*(content for content, _ in REFUSED.values()), PLAIN]
    paths = [f"{i}.csv" for i in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        data = content if isinstance(content, bytes) else content.encode()
        Path(path).write_bytes(data)
    parquet.write_table(table(), "fleet.parquet")
    (*there, was_read), (*missing, refused) = (
        json.loads(
            subprocess.run(
                [sys.executable, "-c", READ_ALL, name, *paths, SAMPLE, "fleet.parquet"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for name in ("no_such_package", "pyarrow")
    )
    assert missing == there
    assert sum("must" in told for told in missing[2:]) > 40
    assert was_read.startswith(",vm,disk,role")
    assert refused == (
        "fleet.parquet: is Parquet, which is read by pyarrow; save it as CSV"
    )


# --- a million disks ---------------------------------------------------------


def peak_mib(script):
    """Run a script by itself; return the most memory it held."""
    measure = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script) + measure],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout) / 1024


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from /proc"
)


@needs_proc
@pytest.mark.slow
def test_a_million_disks():
    cells = "512,99.5,4.25,8,0.1,1,premium-ssd,true,,vault-1,daily-23,23,"
    cells += ",,no,no,linux,GRS," + "," * len(fleet.OF_THE_POLICY) + ",note"
    with open("fleet.csv", "w") as file:
        file.write(",".join(fleet.COLUMNS) + "\n")
        for vm, disk in itertools.product(range(250_000), range(4)):
            file.write(f"vm-{vm},d{disk},{'data' if disk else 'os'},{cells}\n")
    script = """
        from vmbmodel.inventory import fleet
        disks = fleet.read_fleet("fleet.csv")
        assert disks.shape == (1_000_000, len(fleet.COLUMNS))
        assert disks["used_gib"].sum() == 99.5e6
        assert disks["vm"].nunique() == 250_000
    """
    assert peak_mib(script) < 2048


@needs_proc
def test_many_bad_disks():
    with open("fleet.csv", "w") as file:
        file.write(HEADER + "\n")
        file.writelines(f"vm-{vm},c,os,x{vm},1\n" for vm in range(100_000))
    script = """
        from vmbmodel.inventory import fleet
        try:
            fleet.read_fleet("fleet.csv")
        except fleet.InventoryError as error:
            assert len(error.findings) == 10_001
            *_, more, rest = lines = str(error).splitlines()
            assert len(lines) == 22
            assert more == "... and 9,980 more rows"
            assert rest.endswith("number, and is not so in 90,000 lines more")
        else:
            raise AssertionError("not refused")
    """
    assert peak_mib(script) < 1024


# --- the sample --------------------------------------------------------------


def test_the_sample_of_the_package_is_that_of_the_book():
    packaged = Path(fleet.__file__).with_name("sample.csv")
    assert packaged.read_bytes() == SAMPLE.read_bytes()
    assert_frame_equal(fleet.sample_fleet(), fleet.read_fleet(SAMPLE))


def test_sample_shows_what_the_model_is_about():
    disks = fleet.read_fleet(SAMPLE)
    backed_up = disks[disks["role"] != "temp"]
    unmanaged = backed_up[~backed_up["managed"].fillna(True)]
    crowds = unmanaged.groupby(["storage_account", "policy"]).size()
    assert crowds.max() > 20
    assert crowds.index.get_level_values("storage_account").nunique() > 2
    assert disks["new_disk"].sum() == 1
    assert len(disks.loc[disks["first_backup"].fillna(False), "vm"].unique()) == 1
    assert (disks.loc[disks["cc_mode"].fillna(False), "size_gib"] > 1024).sum() == 1
    assert disks["excluded"].sum() == 1
    assert disks.loc[disks["write_kib"] == 4, "dispersion"].max() == 0.55
    assert disks.groupby("start_h")["vm"].nunique().idxmax() == 23
    assert set(disks["os"].dropna()) == {"windows", "linux"}
    assert disks.groupby("vault")["redundancy"].nunique().eq(1).all()


def test_sample_holds_the_vm_of_the_article():
    disks = fleet.read_fleet(SAMPLE)
    ours = disks[disks["vm"] == "a2-standard"]
    # Azure docs, "About Azure VM backup" (12/11/2018), Backup costs: the table
    assert ours["role"].tolist() == ["os", "temp", "data", "data"]
    assert ours["size_gib"].tolist() == [4095, 135, 4095, 4095]
    assert ours["used_gib"].tolist() == [17, 5, 30, 0]
    assert ours.loc[ours["role"] != "temp", "used_gib"].sum() == 47
