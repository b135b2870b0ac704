"""A report: what it says, and what names of the inventory cannot do in it."""

import datetime
import json
import math
import re
import zipfile
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.inventory.fleet import InventoryError, read_fleet
from vmbmodel.plan.check.answer import check_disks
from vmbmodel.plan.estimate.answer import estimate_disks
from vmbmodel.plan.scenario import Scenario
from vmbmodel.render.page import visible
from vmbmodel.render.report import FILES, Report

DISKS = """\
vm,disk,role,size_gib,used_gib,managed,storage_account,vault,start_h,first_backup
web,os,os,128,47,no,sa1,v1,22,
web,data,data,1024,400,,,v1,22,
db,os,os,128,60,,,,1.5,yes
db,data,data,4095,4095,,,,1.5,yes
"""
SLY = {
    "tag": "<script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)" x="',
    "template": "{{ 7 * 7 }}{vm}{% raw %}",
    "entity": "&lt;b&gt;&amp;",
    "formula": '=HYPERLINK("http://evil","x")',
    "plus": "+1+1",
    "at": "@SUM(1)",
    "escape": "\x1b[31mred\x1b[0m",
    "newline": "a\nb\r\nc",
    "right-to-left": "web-\u202etxt.exe",
    "hebrew": "\u05e9\u05e8\u05ea-01",
    "long": "x" * 10_000,
    "path": "../../etc/passwd",
    "link": "https://evil.example/x.js",
    "not a letter": "a\x00b\ufffe",
    "null": "inf",
}


class Page(HTMLParser):
    """Takes a page apart: its elements, attributes and the text between."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.texts = [], [], [], []
        self.feed(text)
        self.close()

    def handle_startendtag(self, tag, attrs):
        """Note an element without content."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.handle_startendtag(tag, attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        """See that elements end in order."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Note text."""
        self.texts.append(data)

    @property
    def shape(self):
        """Which elements there are, with which attributes."""
        return sorted(set(self.tags)), sorted({(t, n) for t, n, _ in self.attributes})

    @property
    def text(self):
        """All text."""
        return "".join(self.texts)


def report_of(disks, **settings):
    scenario = Scenario.of(settings=settings)
    return Report(
        title="Backup",
        made=datetime.date(2026, 11, 22),
        inventory="fleet.csv",
        sha256="0" * 64,
        command="vmbmodel report fleet.csv -o report",
        estimate=estimate_disks(disks, scenario),
        check=check_disks(disks, scenario),
    )


def contents(report):
    files = report.files()
    page = Page(files["report.html"].decode())
    assert page.open == []
    return page, files["report.xlsx"], json.loads(b"".join(files["report.json"]))


def one_vm(name, **cells):
    disk = {"vm": name, "disk": name, "role": "os", "size_gib": 8192, "used_gib": 4095}
    return pd.DataFrame([disk | cells])


def sheets(data, tmp_path):
    """Read the cells of a workbook: (type, text) by sheet, row by row."""
    path = tmp_path / "report.xlsx"
    path.write_bytes(data)
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    found = {}
    with zipfile.ZipFile(path) as file:
        assert not [n for n in file.namelist() if "external" in n.lower()]
        names = [
            s.get("name")
            for s in ET.fromstring(file.read("xl/workbook.xml")).iter(f"{space}sheet")
        ]
        for number, name in enumerate(names, 1):
            root = ET.fromstring(file.read(f"xl/worksheets/sheet{number}.xml"))
            assert not list(root.iter(f"{space}f")), "a formula"
            assert not list(root.iter(f"{space}hyperlink"))
            found[name] = [
                [(c.get("t", "n"), "".join(c.itertext())) for c in row]
                for row in root.iter(f"{space}row")
            ]
    return found


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.csv").write_text(DISKS)

    def invoke(*arguments, status=0):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        assert result.exit_code == status, result.output
        return result.stdout if status == 0 else result.stderr

    return invoke


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Give the folder of one report, for reading only."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "fleet.csv").write_text(DISKS)
    (folder / "kept.toml").write_text("")
    options = ["--set", "servers=20", "--suppress", folder / "kept.toml"]
    words = ["report", folder / "fleet.csv", "-o", folder / "out", *options]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return folder / "out"


# --- what it says -------------------------------------------------------------------


def test_the_answers_come_first_and_have_the_numbers_of_the_estimate(made):
    assert sorted(p.name for p in made.iterdir()) == sorted(FILES)
    whole = json.loads((made / "report.json").read_text())
    answers = {a["question"]: a["text"] for a in whole["answers"]}
    assert next(iter(answers)) == "How sure is this?"
    assert len(answers) == 7
    vms = {row["vm"]: row for row in whole["vms"]}
    assert (
        f"up to {vms['db']['done_p95_h']:.1f} h"
        in answers["How long does a backup take?"]
    )
    assert "Backups start from 01:30 to 22:00." in answers["When is it done?"]
    assert answers["Is the deadline met?"].startswith("1 of 2 VMs")
    assert f"{whole['total']['total_usd']:,.2f} USD" in answers["What does it cost?"]
    page = Page((made / "report.html").read_text())
    text = page.text.replace("\xa0", " ")
    at = [text.index(answer) for answer in answers.values()]
    assert at == sorted(at)
    assert at[-1] < text.index("In figures")


def test_the_record_is_an_estimate_that_can_be_verified(run, made):
    assert run("verify", made / "report.json").startswith("The same")


def test_the_page_is_whole_in_itself_and_has_a_name_for_everything(made):
    text = (made / "report.html").read_text()
    page = Page(text)
    for _, name, value in page.attributes:
        if name in ("src", "href", "srcset", "action", "data", "poster"):
            assert value.startswith("#"), value
        assert "url(http" not in (value or "")
    assert "script" not in page.tags
    assert "link" not in page.tags
    style = re.search("<style>(.*?)</style>", (made / "report.html").read_text(), re.S)
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert page.tags.count("h1") == 1
    bars = [v for _, n, v in page.attributes if (n, v) == ("class", "bar")]
    assert page.tags.count("svg") == 4 + len(bars)
    figures = [v for _, n, v in page.attributes if n == "aria-label"]
    assert all(figures)
    assert page.tags.count("caption") == page.tags.count("table")
    scopes = [v for t, n, v in page.attributes if (t, n) == ("th", "scope")]
    assert len(scopes) == page.tags.count("th")
    identifiers = [value for _, name, value in page.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))
    named = set(identifiers)
    for _, name, value in page.attributes:
        if name == "href":
            assert value[1:] in named
        assert set(re.findall(r"url\(#([^)]+)\)", value or "")) <= named


def test_a_share_of_the_doubt_is_a_number_and_a_bar_as_long(made):
    text = (made / "report.html").read_text()
    cells = re.findall(r'<td class="share"><bdi>(\d+)%</bdi>(.*?)</td>', text, re.S)
    shares = json.loads((made / "report.json").read_text())["interval"]["shares"]
    assert [f"{row['share']:.0%}" for row in shares] == [
        f"{said}%" for said, _ in cells
    ]
    assert len({said for said, _ in cells}) > 3
    for said, bar in cells:
        assert re.findall(r' width="(\d+)"', bar) == ["100", said]
        assert 'aria-hidden="true"' in bar  # the number beside it is the text


def test_no_place_of_the_machine_is_told(made):
    command = "vmbmodel report fleet.csv -o out --suppress kept.toml --set servers=20"
    for name in ("report.html", "report.json"):
        text = (made / name).read_text()
        assert str(made.parent) not in text
        assert command in text


def test_numbers_in_the_workbook_are_numbers(made, tmp_path):
    found = sheets((made / "report.xlsx").read_bytes(), tmp_path)
    assert list(found)[:4] == ["Answers", "Doubt", "VMs", "Totals"]
    head, *rows = found["VMs"]
    assert head[0][1] == "VM"
    assert [row[0][1] for row in rows] == ["db", "web"]
    whole = json.loads((made / "report.json").read_text())
    saved = {row["vm"]: list(row.values()) for row in whole["vms"]}
    for row in rows:
        for (kind, text), value in zip(row[1:], saved[row[0][1]][1:], strict=True):
            assert kind == ("inlineStr" if isinstance(value, str) else "n")
            number = text if isinstance(value, str) else pytest.approx(float(text))
            assert value == number


def test_never_is_a_word_everywhere(tmp_path):
    page, workbook, whole = contents(report_of(one_vm("a"), utilisation_frac=1))
    assert "longer than any time" in page.text
    assert ("inlineStr", "never ends") in sheets(workbook, tmp_path)["VMs"][1]
    assert whole["vms"][0]["done_p95_h"] == "inf"
    assert not math.isnan(whole["total"]["total_usd"])


def test_nothing_to_back_up_is_an_answer_too():
    page, _, whole = contents(report_of(one_vm("a", role="temp")))
    assert "Nothing is backed up" in page.text
    assert "svg" not in page.tags
    assert len(whole["answers"]) == 2


@pytest.mark.parametrize("churn", [300, None])
def test_what_is_assumed_is_not_told_beside_a_rule_that_does_not_know_it(churn):
    vm = one_vm("a", size_gib=8192, used_gib=8000, churn_gib_per_day=churn)
    text = contents(report_of(vm))[0].text
    assumed = churn is None
    assert ("churn, blank cells as assumed" in text) == assumed
    assert ("Its churn is assumed." in text) == assumed
    assert ("churn_gib_per_day of 1 of 1 VMs" in text) == assumed
    assert "What the estimate assumes for a blank cell decides none" in text


def test_a_long_table_is_cut_on_the_page_and_whole_elsewhere(tmp_path):
    rows = [one_vm(f"vm{i:03d}", used_gib=i + 1) for i in range(200)]
    page, workbook, whole = contents(report_of(pd.concat(rows)))
    assert "25 of 200, the others are in report.xlsx" in page.text
    assert len(sheets(workbook, tmp_path)["VMs"]) == 201
    assert len(whole["vms"]) == 200


# --- what names can do --------------------------------------------------------------


def fleet_of(names):
    return pd.concat([one_vm(name) for name in names], ignore_index=True)


@pytest.fixture(scope="module")
def sly():
    return contents(report_of(fleet_of(SLY.values())))


def test_a_name_is_never_markup(sly):
    page = sly[0]
    plain = contents(report_of(fleet_of(f"plain{i}" for i in range(len(SLY)))))[0]
    assert page.shape == plain.shape
    for name in SLY.values():
        assert visible(name, 80) in page.text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", page.text)
    assert "49" not in visible(SLY["template"])


def test_a_name_is_never_a_formula_nor_a_link(sly, tmp_path):
    cells = [row[0] for row in sheets(sly[1], tmp_path)["VMs"][1:]]
    assert {kind for kind, _ in cells} == {"inlineStr"}
    texts = {text for _, text in cells}
    assert {name for name in SLY.values() if name.isprintable()} <= texts


def test_a_name_stands_in_the_record_as_it_is(sly):
    assert {row["vm"] for row in sly[2]["vms"]} == set(SLY.values())


def test_names_from_a_file_are_inert_or_refused(run, tmp_path):
    taken = []
    for name in SLY.values():
        path = tmp_path / "sly.csv"
        one_vm(name).to_csv(path, index=False)
        said = ""
        try:
            read_fleet(path)
            taken.append(name)
        except InventoryError as error:
            said = str(error)
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", said)
        assert not said or "sly.csv" in said
    assert {SLY["formula"], SLY["tag"], SLY["path"]} <= set(taken)
    refused = {SLY[key] for key in ("escape", "newline", "right-to-left", "long")}
    assert not refused & set(taken)
    fleet_of(taken).to_csv("sly.csv", index=False)
    run("report", "sly.csv", "-o", "out", "--title", SLY["tag"])
    assert "script" not in Page((tmp_path / "out/report.html").read_text()).tags
    assert not re.search("^[=+@-]", run("estimate", "sly.csv", "--format", "csv"), re.M)


# --- where it goes ------------------------------------------------------------------


def test_a_folder_is_kept_unless_forced(run, tmp_path):
    run("report", "fleet.csv", "-o", "out")
    before = (tmp_path / "out/report.html").read_bytes()
    assert "out: exists; force replaces it" in run(
        "report", "fleet.csv", "-o", "out", status=2
    )
    run("report", "fleet.csv", "-o", "out", "--set", "servers=20", "--force")
    assert (tmp_path / "out/report.html").read_bytes() != before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fleet.csv", "out"]


def test_a_folder_with_anything_else_in_it_is_never_replaced(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    said = run("report", "fleet.csv", "-o", "mine", "--force", status=2)
    assert "mine: holds other files, such as 'thesis.txt'" in said
    assert (tmp_path / "mine/thesis.txt").read_text() == "years of work"
    assert "exists and is not a file" not in said
    run("report", "fleet.csv", "-o", ".", "--force", status=2)
    said = run("report", "fleet.csv", "-o", "fleet.csv", "--force", status=2)
    assert "fleet.csv: exists, and is read here" in said
    said = run("report", "fleet.csv", "-o", "mine/thesis.txt", "--force", status=2)
    assert "thesis.txt: exists and is not a folder" in said
    run("report", "fleet.csv", "-o", "no/where", status=2)
    assert (tmp_path / "fleet.csv").read_text() == DISKS


def test_an_empty_folder_may_be_filled(run, tmp_path):
    (tmp_path / "out").mkdir()
    run("report", "fleet.csv", "-o", "out")
    assert (tmp_path / "out/report.html").exists()
