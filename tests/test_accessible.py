"""Pages for everybody: what the build mends, and what axe finds in a browser."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from accessibility import PATIENCE, axe, violations
from browser import Browser, chromium

sys.path.insert(0, str(Path(__file__).parents[1] / "book/_ext"))

import accessible

ROOT = Path(__file__).parents[1]
PANDAS = """<table border="1" class="dataframe">
<thead>
<tr style="text-align: right;"><th></th><th>wait (h)</th><th>what</th></tr>
<tr><th>movers</th><th></th><th></th></tr>
</thead>
<tbody>
<tr><th>1</th><td>0.25</td><td>3 jobs wait</td></tr>
<tr><th>10</th><td>none</td><td></td></tr>
</tbody>
</table>"""
DOCUTILS = """<table class="table"><thead>
<tr class="row-odd"><th class="head"><p>variation</p></th><th class="head"></th></tr>
</thead><tbody>
<tr><td class="a"><p><span>2.25</span> h</p></td><td><p>23:00</p></td></tr>
<tr><td class="a"><p>1,024 GiB</p></td><td><p>of 3</p></td></tr>
</tbody></table>"""


def test_a_table_of_pandas_gets_one_row_of_heads_with_their_scope():
    table = accessible.mend(PANDAS)
    (row,) = re.findall("<tr.*</tr>", table.partition("</thead>")[0])
    assert re.findall(r"<th([^>]*)>(.*?)</th>", row) == [
        (' scope="col" class="number"', "movers"),
        (' scope="col" class="number"', "wait (h)"),
        (' scope="col"', "what"),
    ]
    assert '<th scope="row" class="number">1</th><td class="number">0.25</td>' in table
    assert "<td>3 jobs wait</td>" in table
    assert "<td>9\xa0% wait</td>" in accessible.mend(PANDAS.replace("3 jobs", "9 %"))


def test_two_rows_of_heads_that_both_say_something_stay():
    named = PANDAS.replace("<th></th><th>wait", "<th>kind</th><th>wait")
    head = accessible.mend(named).partition("</thead>")[0]
    assert head.count("<tr") == 2
    assert head.count("<td") == 2
    assert '<th scope="col" class="number">kind</th>' in head


def test_a_row_of_the_package_s_tables_is_a_list_on_a_phone():
    ours = """<table class="model-table table"><thead>
<tr><th class="head"><p>name</p></th><th class="head"><p>what it <b>is</b></p></th>
<th class="head"><p>unit</p></th></tr></thead>
<tbody><tr><td><p>vm</p></td><td><p>a VM</p></td><td><p>-</p></td></tr>
</tbody></table>"""
    table = accessible.mend(ours)
    assert '<td role="cell" data-label="name"><p>vm</p></td>' in table
    labelled = '<td role="cell" data-label="what it is"><p>a VM</p></td>'
    assert f'{labelled}<td role="cell"><p>-</p></td>' in table
    assert table.count('<th role="columnheader" class="head" scope="col">') == 3
    assert "data-label" not in accessible.mend(DOCUTILS)


def test_a_table_wider_than_a_phone_names_its_rows_above_them():
    heads = "".join(f"<th>incremental_{n}</th>" for n in range(4))
    cells = "<td>1.5</td>" * 4
    wide = f"""<table border="1" class="dataframe"><thead><tr><th></th>{heads}</tr>
</thead><tbody><tr><th>a name</th>{cells}</tr></tbody></table>"""
    table = accessible.mend(wide)
    assert table.startswith('<table role="table" border="1" class="named-above dataf')
    assert '<th role="rowheader" scope="row">a name</th>' in table
    assert table.count('role="row"') == 2
    assert table.count('role="cell"') == 5
    for plain in (PANDAS, wide.replace("<th>a", '<th rowspan="2">a'), DOCUTILS):
        assert "role=" not in accessible.mend(plain)


def test_a_table_of_a_page_has_its_numbers_flush_right():
    table = accessible.mend(DOCUTILS)
    assert '<th class="number head" scope="col"><p>variation</p></th>' in table
    assert '<td class="head"></td>' in table
    assert table.count('<td class="number a">') == 2
    assert "<td><p>23:00</p></td>" in table


@pytest.mark.parametrize(
    "text", ["3", "-1.5", "1,024", "2.4 h", "40%", "inf", "76 MiB/s"]
)
def test_what_a_number_is(text):
    assert accessible.NUMBER.fullmatch(text)


@pytest.mark.parametrize(
    "text", ["", "h", "23:00", "3 jobs", "2026-01-17", "1 to 4", "A2"]
)
def test_what_is_none(text):
    assert not accessible.NUMBER.fullmatch(text)


def test_a_clock_and_an_interval_go_with_numbers_but_are_none():
    row = "<tr><td>{}</td><td>{}</td><td>{}</td></tr>"
    rows = row.format("0.5", "11:12 +1", "1 to 2"), row.format("06:12", "23:00", "-0.3")
    mended = accessible.mend(f"<table>{''.join(rows)}</table>")
    assert [cell[:10] for cell in re.findall("<td.*?>", mended)] == [
        *("<td class=", "<td>", "<td class="),
        *("<td class=", "<td>", "<td class="),
    ]


def test_a_name_in_a_head_may_break():
    table = '<table><tr><th><a href="a_b.html">wait_mean_h</a></th></tr></table>'
    assert '<a href="a_b.html">wait_<wbr>mean_<wbr>h</a>' in accessible.mend(table)


def test_a_part_of_the_sidebar_says_what_it_opens():
    link = '<a class="reference internal" href="a.html">2. One &amp; all</a>'
    part = f"<li>{link}<details><summary><i></i></summary></details></li>"
    assert 'aria-label="Parts of 2. One &amp; all"><i>' in accessible.mend(part)


def test_a_link_begins_with_its_first_word():
    page = 'Solution to<a href="#ex-one"> Exercise 1</a>'
    assert accessible.mend(page) == 'Solution to <a href="#ex-one">Exercise 1</a>'


def test_a_name_is_left_to_the_first_place_that_has_it():
    page = '<p class="a" id="x">1</p><b id="y">2</b><i id="x" class="c">3</i>'
    mended = '<p class="a" id="x">1</p><b id="y">2</b><i class="c">3</i>'
    assert accessible.mend(page) == mended


def test_mending_twice_changes_nothing():
    pages = [
        PANDAS,
        PANDAS.replace("wait (h)", "wait_h"),
        DOCUTILS,
        *(old for old, _ in accessible.PLAIN),
    ]
    once = accessible.mend("".join(pages))
    assert accessible.mend(once) == once


# --- in a browser -------------------------------------------------------------

PAGES = ("queue", "restore", "bibliography", "formula-sheet")
TOC = "format: jb-book\nroot: book/how-to-read\nchapters:\n" + "".join(
    f"  - file: {name}\n"
    for name in (
        *(f"book/{page}" for page in PAGES),
        "notebooks/queue\n    sections:\n      - file: notebooks/restore",
    )
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build a few pages as the book has them."""
    if not chromium():
        pytest.skip("there is no Chromium to open pages with")
    if axe() is None:
        pytest.skip("there is no axe-core: see tests/accessibility.py")
    folder = tmp_path_factory.mktemp("site")
    config = (ROOT / "_config.yml").read_text("utf-8")
    config = config.replace("execute_notebooks: force", "execute_notebooks: cache")
    config = config.replace(": book/_ext", f": {ROOT}/book/_ext")
    (folder / "config.yml").write_text(config, "utf-8")
    (folder / "toc.yml").write_text(TOC, "utf-8")
    cache = folder / "_build/.jupyter_cache"
    run = [sys.executable, ROOT / "notebooks/refresh.py", "--cache", cache]
    run += ["queue.ipynb", "restore.ipynb"]
    subprocess.run(run, check=True, capture_output=True, timeout=300)
    build = "from jupyter_book.cli.main import main; main()"
    run = [sys.executable, "-c", build, "build", ROOT, "--all", "--path-output", folder]
    run += ["--config", folder / "config.yml", "--toc", folder / "toc.yml"]
    (folder / "no-runtime").mkdir()  # the page that computes is not among them
    alone = os.environ | {"VMBMODEL_RUNTIME": str(folder / "no-runtime")}
    subprocess.run(run, check=True, capture_output=True, env=alone, timeout=300)
    return folder / "_build/html"


@pytest.fixture(scope="module")
def browser(site):
    with Browser() as browser:
        browser.patience = PATIENCE
        yield browser


@pytest.mark.slow
@pytest.mark.parametrize("page", [*(f"book/{p}" for p in PAGES), "notebooks/queue"])
def test_axe_finds_nothing(site, browser, page):
    address = (site / f"{page}.html").as_uri()
    assert list(violations(browser, address)) == []


@pytest.mark.slow
def test_axe_finds_what_is_wrong(site, browser, tmp_path):
    wrong = shutil.copytree(site, tmp_path / "site") / "book/queue.html"
    page = wrong.read_text("utf-8")
    bad = "<summary><i></i></summary>"
    pale = "<p id='p'>pale</p><style>[data-theme=dark] #p {color: #222}</style>"
    pale += f"<div class='math'>\\[{'a + b + ' * 9}\\]</div>"
    page = page.replace("</article>", f"<details>{bad}</details>{pale}</article>", 1)
    wrong.write_text(page, "utf-8")
    said = violations(browser, wrong.as_uri())
    assert [(*where, line.partition(" ")[0]) for *where, line in said] == [
        (390, "light", "summary-name"),
        (390, "light", "an"),
        (1280, "light", "summary-name"),
        (1280, "dark", "color-contrast"),
    ]
