"""The page that computes, in a browser: its answers are Python's, and it stays alone.

Runs where there is a Chromium and the page's Python can be had (see CONTRIBUTING.md).
"""

import ast
import contextlib
import functools
import html
import http.server
import importlib
import itertools
import json
import math
import re
import shutil
import sys
import threading
from pathlib import Path

import pytest
from accessibility import WIDTHS, axe, found
from browser import Browser, chromium
from moving import PLACES, begun
from slow import after

ROOT = Path(__file__).parents[1]
HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"/>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    '<meta http-equiv="Content-Security-Policy" content="{}"/><title>t</title></head>'
)
PAGE = "{}<body><main><h1>t</h1>{}</main></body></html>"
RUNNABLE = ("decisions", "start")
STATUS = "document.querySelector('.fleet-status').textContent"
WORDS = "document.querySelector('.fleet-%s').textContent"
ANSWERED = f"{STATUS}.startsWith('Computed')"
BUSY = "document.getElementById('fleet-page').getAttribute('aria-busy')"
TROUBLE = "document.querySelector('.fleet-trouble').textContent"
BODY = "document.body.textContent"
CONTROLS = "document.querySelectorAll('button, input, svg[role=img]').length"
HEAD_TEXT = "document.querySelector('.fleet-head').textContent"
VERDICT = "document.querySelector('.fleet-verdict').textContent"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return a folder with the page alone, as the book's build writes it."""
    if not chromium():
        pytest.skip("there is no Chromium to open the page with")
    sys.path[:0] = [str(ROOT / "book/_ext")]
    try:
        extension = importlib.import_module("live_page")
    finally:
        del sys.path[0]
    folder = tmp_path_factory.mktemp("site")

    class App:
        class builder:  # noqa: N801 (as Sphinx names it)
            format = "html"

        outdir = folder

    with pytest.MonkeyPatch.context() as patch:
        said = []
        patch.setattr(extension.LOG, "info", lambda *parts: said.append(parts))
        extension.write(App)
    if not App.live_sizes:
        pytest.skip(f"the page's Python is not to be had: {said[0][1]}")
    (folder / "book").mkdir()
    body = extension.page_html("../_static/live", App.live_sizes)
    page = PAGE.format(HEAD.format(extension.POLICY), body)
    (folder / "book/page.html").write_text(page, "utf-8")
    for name in RUNNABLE:
        here = extension.notebook_html(name, "../_static/live", App.live_sizes)
        page = PAGE.format(HEAD.format(extension.POLICY), here)
        (folder / f"book/{name}.html").write_text(page, "utf-8")
    body = "".join(
        extension.figure_html(name, begun(name), "../_static/live", {})
        for name in PLACES
    )
    body += extension.scripts("../_static/live", "live", "figure")
    page = PAGE.format(HEAD.format(extension.POLICY), body)
    (folder / "book/figures.html").write_text(page, "utf-8")
    return folder


@pytest.fixture
def session(site):
    """Return what answers in this process, which the page is held against."""
    return importlib.import_module("live.fleet_page").Session()


@pytest.fixture
def browser(site):
    with Browser() as browser:
        browser.wide(1280)
        yield browser


@contextlib.contextmanager
def served(folder):
    """Serve a folder over HTTP, to this machine only."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def begin(browser):
    """Press the button, and wait for the first answer."""
    browser.run("void document.querySelector('.fleet-begin').click()")
    browser.wait(f"{ANSWERED} || {TROUBLE}")
    assert browser.run(TROUBLE) == ""


def words(source):
    """Return the text of a piece of a page, as a browser gives it."""
    return html.unescape(re.sub("<[^>]*>", "", source))


def called(browser, name, **arguments):
    """Call the page's Python, and return what it answers."""
    asked = f"{json.dumps(name)}, {json.dumps(arguments)}"
    return browser.run(f"document.getElementById('fleet-page').model.call({asked})")


def dropped(browser, **files):
    """Drop files on the page, by name and text, and wait until they are dealt with."""
    browser.run(f"""{{
        const carried = new DataTransfer();
        for (const [name, text] of Object.entries({json.dumps(files)}))
            carried.items.add(new File([text], name));
        document.querySelector('.fleet-status').textContent = "";
        document.dispatchEvent(new DragEvent("drop", {{dataTransfer: carried}}));
    }}""")
    browser.wait(f"({ANSWERED} && {BUSY} == 'false') || {TROUBLE}")


def unlike(theirs, ours, where=""):
    """Yield where two answers differ by more than rounding."""
    if isinstance(ours, dict):
        assert theirs.keys() == ours.keys(), where
        for name in ours.keys() - {"digest"}:
            yield from unlike(theirs[name], ours[name], f"{where}.{name}")
    elif isinstance(ours, list):
        assert len(theirs) == len(ours), where
        for number, (a, b) in enumerate(zip(theirs, ours, strict=True)):
            yield from unlike(a, b, f"{where}[{number}]")
    elif isinstance(ours, float) and isinstance(theirs, float):
        # misses of many nights and VMs are what chances near 1 leave, digits and all
        least = 1e-10 if "miss" in where else 1e-12
        if not math.isclose(theirs, ours, rel_tol=1e-12, abs_tol=least):
            yield where, theirs, ours
    elif theirs != ours:
        yield where, theirs, ours


READINGS = ("published", "measured", "overload", "quantile", "own")
GRID = [
    {"eight_hours": reading, "vault_servers": servers}
    for reading, servers in itertools.product(READINGS, ("3", "40"))
] + [
    {"start_h": "21.5", "churn_frac": "0.12", "redundancy": "LRS"},
    {"recovery_points": "7", "weekly_points": "52", "monthly_points": "12"},
    {"deadline_h": "4", "snapshot_policy": "enhanced", "archive": "yes"},
    {"transfer_scv": "0.3", "snapshot_scv": "0.5", "start_slack_reading": "latest"},
    {"restore_first": "no", "restore_as": "disks", "restored_reading": "size"},
    {"stored_reading": "lower", "tier_reading": "disk", "rewritten_frac": "0.5"},
    {"line_reading": "one-pool", "eight_hours": "quantile"},
    {"line_reading": "others-first", "vault_servers": "5"},
]


def compare(browser, session, settings, doubt=True):
    """Ask the page and this process the same, and compare every word and number."""
    ours, theirs = session.ask(settings), called(browser, "ask", settings=settings)
    assert theirs["head"] == ours["head"], settings
    assert called(browser, "check") == session.check()
    if doubt:
        ours, theirs = session.doubt(), called(browser, "doubt")
        assert theirs["head"] == ours["head"], settings
        # VMs that are equally certain but for rounding stand in any order
        theirs, ours = (sorted(side["clocks"].split("<tr>")) for side in (theirs, ours))
        assert theirs == ours, settings
    ours, theirs = (
        json.loads(file["text"])
        for file in (session.file("json"), called(browser, "file", kind="json"))
    )
    assert list(unlike(theirs, ours)) == [], settings


@pytest.mark.slow
def test_from_a_folder_answers_are_those_of_python(
    browser, session, site, tmp_path, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "80")  # as wide as a page thinks its terminal
    browser.open((site / "book/page.html").as_uri())
    begin(browser)
    browser.wait(f"{STATUS}.includes('how far it may be off')")
    session.ask({})
    ours = session.doubt()
    for shown, part in (("head", "head"), ("clocks", "clocks")):
        assert browser.run(WORDS % shown) == words(ours[part])
    assert "8 times of 10: " in words(ours["head"])
    assert re.search(r"probability of [\d.]+ \([\d.]+ - [\d.]+\)", words(ours["head"]))
    for place, settings in enumerate(GRID):  # intervals take long: those of every third
        compare(browser, session, settings, doubt=place % 3 == 2)
    broken = {
        "mistakes.csv": (ROOT / "book/examples/mistakes.csv").read_text("utf-8"),
        "short.csv": "vm,disk,role,size_gib,used_gib\na,os,os,127\n",
        "fleet.csv": "vm,disk,rolle,size_gib\n\na,b,c,d\n",
        "nothing.csv": "",
        "half.json": '[{"id": 7',
    }
    before = browser.run(VERDICT)
    serve = importlib.import_module("live.fleet_page").serve
    for number, (name, text) in enumerate(broken.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_text(text, "utf-8")
        said = serve(session, "read", json.dumps({"folder": str(folder)}))
        dropped(browser, **{name: text})
        assert browser.run(TROUBLE) == json.loads(said)["error"]
        assert name in browser.run(TROUBLE)
        assert browser.run(VERDICT) == before
    many = "".join(f"vm{i:04},os,os,127,{i % 90 + 9}\n" for i in range(1000))
    dropped(browser, **{"many.csv": f"vm,disk,role,size_gib,used_gib\n{many}"})
    assert browser.run(TROUBLE) == ""
    assert "many.csv: 1,000 VMs" in browser.run(HEAD_TEXT)
    browser.wait("!!document.querySelector('.fleet-doubt')")
    browser.run("void document.querySelector('.fleet-doubt').click()")
    browser.wait(f"{STATUS}.includes('how far it may be off.')")
    assert "8 times of 10: " in browser.run(HEAD_TEXT)
    folder = tmp_path / "lists"
    folder.mkdir()
    lists = {}
    for name in ("disks.json", "vms.json"):
        shutil.copy(ROOT / "book/examples" / name, folder)
        lists[name] = (folder / name).read_text("utf-8")
    dropped(browser, **lists)
    assert "In this page: give a share under" in browser.run(TROUBLE)
    browser.run("""{
        const share = document.getElementById('fleet-used');
        share.closest('details[open]').querySelector('input').value = '0.5';
        share.dispatchEvent(new Event('change'));
    }""")
    browser.wait(f"{ANSWERED} && {BUSY} == 'false'")
    assert browser.run(TROUBLE) == ""
    ours = session.read(str(folder), used_frac=0.5, protected_only=False)
    said = "[...document.querySelectorAll('.fleet-remarks li')].map(e => e.textContent)"
    assert browser.run(said) == ours["said"]
    compare(browser, session, {"eight_hours": "own"})
    for kind in ("csv", "text", "toml", "inventory"):
        assert called(browser, "file", kind=kind).keys() == {"name", "text"}
    assert called(browser, "file", kind="text") == session.file("text")
    assert alone(browser, f"{site.as_uri()}/")


def alone(browser, base):
    """Say whether a page has asked nobody else for anything, and had no fault."""
    others = [u for u in browser.requested if not u.startswith((base, "blob:"))]
    return others == [] and browser.problems == []


@pytest.mark.slow
def test_over_http_by_keyboard_and_on_a_phone(browser, session, site):
    browser.wide(390)
    with served(site) as base:
        browser.open(f"{base}book/page.html#deadline_h=6")
        said = "document.querySelector('.fleet-status').textContent"
        assert "deadline_h=6" in browser.run(said)
        browser.press("Tab")
        assert browser.run("document.activeElement.className") == "fleet-begin"
        browser.press("Enter")
        browser.wait(f"{ANSWERED} && {BUSY} == 'false'")
        assert "miss the deadline of 6 h" in browser.run(VERDICT)
        for _ in range(30):
            browser.press("Tab")
            if browser.run("document.activeElement.id") == "fleet-start_h":
                break
        browser.press("ArrowLeft")
        browser.wait(f"location.hash.includes('start_h=22.5') && {BUSY} == 'false'")
        browser.wait("document.querySelector('#fleet-start_h + input').value == '22.5'")
        assert browser.run("document.documentElement.scrollWidth") <= 390
        nameless = """[...document.querySelectorAll('input, select, textarea')]
            .filter(e => !e.labels.length && !e.getAttribute('aria-label'))
            .map(e => e.outerHTML)"""
        assert browser.run(nameless) == []
        browser.run("void (location.hash = '#deadline_h=24')")
        browser.wait(f"{BUSY} == 'false' && {VERDICT}.startsWith('Every VM keeps')")
        browser.run("void (location.hash = '#start_h=25')")
        browser.wait(
            f"{TROUBLE} == \"start_h must be a number >= 0 and < 24; got '25'\""
        )
        for settings in GRID[::6]:
            compare(browser, session, settings)
        assert accessible(browser) == []
        assert alone(browser, base)


@pytest.mark.slow
def test_all_figures_move_with_one_python(browser, session, site):
    browser.wide(390)
    browser.open((site / "book/figures.html").as_uri())
    browser.run("document.querySelectorAll('.moving button').forEach(b => b.click())")
    drawn = "document.querySelectorAll('.moving svg[role=img]').length"
    browser.wait(f"{drawn} == {len(PLACES)}")
    assert sum(u.startswith("blob:") for u in browser.requested) == 1
    wanted = "document.querySelector('[data-figure=jam] svg[role=img]')"
    wanted += ".getAttribute('aria-label')"
    assert browser.run(wanted).startswith("The last of 1,000 waits 6.30 h")
    browser.run("""{
        const slider = document.getElementById('moving-jam-jobs');
        slider.value = 2000;
        slider.dispatchEvent(new Event('input'));
        const choice = document.getElementById('moving-bill-redundancy');
        choice.value = "LRS";
        choice.dispatchEvent(new Event('change'));
    }""")
    browser.wait(f"{wanted}.startsWith('The last of 2,000 waits 13.30 h')")
    given = json.loads(browser.run(data("bill"))) | {"redundancy": "LRS"}
    said = session.figure("bill", given)["said"]
    browser.wait(f"document.body.textContent.includes({json.dumps(said)})")
    assert browser.run("document.documentElement.scrollWidth") <= 390
    for name in PLACES:
        given = json.loads(browser.run(data(name)))
        sliders = session.figure(name, given)["controls"]
        for moved in [{}, *({s["name"]: s["high"]} for s in sliders if "high" in s)]:
            asked = {"name": name, "given": given | moved}
            theirs = browser.run(f"vmbmodelLive.call('figure', {json.dumps(asked)})")
            ours = json.loads(json.dumps(session.figure(**asked)))
            assert list(unlike(theirs, ours)) == [], asked
    assert accessible(browser) == []
    assert alone(browser, f"{site.as_uri()}/")


@pytest.mark.parametrize("name", after(1, RUNNABLE[::-1]))
def test_a_notebook_runs_in_its_page(browser, site, name):
    stored = json.loads((ROOT / f"notebooks/{name}.ipynb").read_text("utf-8"))
    outputs = [
        out
        for cell in stored["cells"]
        for out in cell.get("outputs", ())
        if "image/png" not in out["data"]
    ]
    browser.wide(390)
    browser.open((site / f"book/{name}.html").as_uri())
    browser.run("void document.querySelector('.notebook-here button').click()")
    said = "document.querySelector('.notebook-here [role=status]').textContent"
    browser.wait(f"{said}.startsWith('Run in this page')", 120)
    assert "Figures are not drawn here" in browser.run(said)
    shown = browser.run(
        "[...document.querySelectorAll('.notebook-table')].map(e => e.innerHTML)"
    )
    quoted = browser.run("""Object.fromEntries(
        [...document.querySelectorAll('.notebook-shown details tr')].map(
            row => [...row.children].map(cell => cell.textContent)))""")
    record = "application/papermill.record/text/plain"
    wanted = {
        out["metadata"]["scrapbook"]["name"]: out["data"][record]
        for out in outputs
        if record in out["data"]
    }
    assert quoted.keys() == wanted.keys()
    for key, text in wanted.items():
        value = ast.literal_eval("".join(text))
        if isinstance(value, float):
            assert float(quoted[key]) == pytest.approx(value, rel=1e-7), key
        else:
            assert quoted[key] == str(value)
    tables = [out["data"] for out in outputs if record not in out["data"]]
    assert len(shown) == len(tables)
    for page, table in zip(shown, tables, strict=True):
        ours = "".join(table.get("text/html", table["text/plain"]))
        theirs, ours = (
            words(re.sub("(?s)<style.*?</style>", "", t)).split() for t in (page, ours)
        )
        assert theirs == ours
    assert accessible(browser) == []
    assert alone(browser, f"{site.as_uri()}/")


@pytest.mark.slow
def test_a_notebook_runs_with_the_readers_parameters(browser, site):
    browser.open((site / "book/start.html").as_uri())
    browser.run("void document.querySelector('.notebook-here button').click()")
    said = "document.querySelector('.notebook-here [role=status]').textContent"
    trouble = "document.querySelector('.notebook-here .fleet-trouble').textContent"
    ran = f"{said}.startsWith('Run in this page')"
    browser.wait(ran)

    def give(name, value):
        browser.run(f"""{{
            const slot = document.getElementById('notebook-{name}');
            slot.value = '{value}';
            slot.dispatchEvent(new Event('change'));
            [...document.querySelectorAll('.notebook-here button')].at(-1).click();
        }}""")

    give("jobs", "0.5")
    browser.wait(f"!{ran} && {trouble}")
    assert browser.run(trouble).startswith("jobs must be a whole number")
    give("jobs", "50")
    browser.wait(ran)
    give("start_h", "22.5")
    browser.wait("document.querySelector('.notebook-shown').textContent.match('22:30')")
    values = "[...document.querySelectorAll('.notebook-shown details tr')]"
    told = browser.run(f"{values}.map(row => row.textContent)")
    assert {"jobs50", "at22:30"} <= set(told)
    give("profile", "none")
    browser.wait(f"!{ran} && {trouble}.startsWith('start fails with these parameters')")


def accessible(browser):
    """Return what axe finds in the page as it stands, on a wide screen and a phone."""
    if axe() is None:
        return []
    said = []
    for width in WIDTHS:
        browser.wide(width)
        said += [f"{width}: {line}" for line in found(browser)]
    return said


def data(name):
    """Return the expression of what a figure begins with."""
    return f"document.querySelector('[data-figure={name}]').dataset.given"


@pytest.mark.slow
def test_what_goes_wrong_says_what_to_do(browser, site, tmp_path):
    shutil.copytree(site, tmp_path, dirs_exist_ok=True)
    page, home = (tmp_path / "book/page.html").as_uri(), tmp_path / "_static/live"

    def said():
        browser.open(page)
        before = browser.run(VERDICT)
        browser.run("void document.querySelector('.fleet-begin').click()")
        browser.wait(TROUBLE)
        assert browser.run(VERDICT) == before
        return browser.run(TROUBLE)

    model = (home / "model.js").read_text()
    (home / "model.js").unlink()
    assert "model.js is missing beside this page: load the page again" in said()
    browser.open((tmp_path / "book/figures.html").as_uri())
    browser.run("void document.querySelector('.moving button').click()")
    told = "document.querySelector('.moving [role=status]').textContent"
    browser.wait(f"{told}.startsWith('model.js is missing beside this page')")
    assert not browser.run(
        "document.querySelectorAll('.moving svg, .moving input').length"
    )
    middle = len(model) // 2
    other = "A" if model[middle] != "A" else "B"
    (home / "model.js").write_text(model[:middle] + other + model[middle + 1 :])
    assert "model.js is damaged, or not of this build: load the page again" in said()
    (home / "model.js").write_text(model[:middle])
    assert "model.js is damaged" in said()
    # of the head of gzip, which its own sum leaves out, the hour
    (home / "model.js").write_text(model.replace('"H4sIAAAAAAA', '"H4sIAQAAAAA', 1))
    assert "model.js is damaged" in said()
    (home / "model.js").write_text(model)
    browser.open(page)
    twice = "document.getElementById('fleet-page').model.begin()"
    assert browser.run(f"{twice} === {twice}")
    browser.wait(ANSWERED)
    big = "new File([new Uint8Array(40 * 2 ** 20)], 'big.csv')"
    browser.run(f"""{{
        const carried = new DataTransfer();
        carried.items.add({big});
        document.dispatchEvent(new DragEvent("drop", {{dataTransfer: carried}}));
    }}""")
    browser.wait(TROUBLE)
    assert "big.csv: 40 MiB; this page takes up to 32." in browser.run(TROUBLE)


@pytest.mark.slow
def test_what_ends_python_says_so_and_the_answer_stays(browser, site):
    browser.open((site / "book/page.html").as_uri())
    begin(browser)
    before = browser.run(VERDICT)
    # a name that no file of the worker's can have, which is no fault of Python's
    asked = 'vmbmodelLive.call("read", {}, [["a/b", new ArrayBuffer(1)]])'
    ended = browser.run(f"{asked}.catch((error) => error.message)")
    assert ended.startswith("Python stopped: ")
    assert "load the page again" in ended
    assert browser.run(VERDICT) == before


def test_a_script_that_is_missing_or_cut_leaves_what_the_build_wrote(
    browser, site, tmp_path
):
    shutil.copytree(site, tmp_path, dirs_exist_ok=True)
    home = tmp_path / "_static/live"
    pages = {"page": "page", "figures": "figure", "start": "notebook"}
    for page, script in pages.items():
        for name in ("live", script):
            whole = (home / f"{name}.js").read_text("utf-8")
            for part in (None, whole[: len(whole) // 2]):
                (home / f"{name}.js").unlink()
                if part is not None:
                    (home / f"{name}.js").write_text(part, "utf-8")
                browser.open((tmp_path / f"book/{page}.html").as_uri())
                assert "copy the book's folder anew" in browser.run(BODY)
                assert not browser.run(CONTROLS)
                (home / f"{name}.js").write_text(whole, "utf-8")


def test_an_old_browser_is_told_so(browser, site):
    browser.send(
        "Page.addScriptToEvaluateOnNewDocument",
        source="delete window.DecompressionStream",
    )
    for page in ("page", "figures", "start"):
        browser.open((site / f"book/{page}.html").as_uri())
        said = browser.run(BODY)
        assert "a browser of 2023 or later" in said
        assert "scripts are off" not in said
        assert not browser.run(CONTROLS)


@pytest.mark.slow
def test_a_browser_that_reads_no_base64_by_itself_computes_too(browser, site):
    browser.send(
        "Page.addScriptToEvaluateOnNewDocument",
        source="delete Uint8Array.fromBase64",
    )
    browser.open((site / "book/page.html").as_uri())
    begin(browser)


def test_a_second_figure_of_a_page_moves_too(browser, site, tmp_path):
    shutil.copytree(site, tmp_path, dirs_exist_ok=True)
    page = tmp_path / "book/figures.html"
    # as a chapter has it: the scripts stand below its first figure
    scripts = re.search("(?:<script src[^>]*></script>)+", page.read_text("utf-8"))[0]
    parts = page.read_text("utf-8").replace(scripts, "").split("</div>", 1)
    page.write_text(f"</div>{scripts}".join(parts), "utf-8")
    browser.open(page.as_uri())
    buttons = browser.run("document.querySelectorAll('.moving button').length")
    assert buttons == len(PLACES)


@pytest.mark.slow
def test_the_address_keeps_settings_and_files_may_come_first(browser, site):
    browser.open((site / "book/page.html").as_uri() + "#snapshot_policy=enhanced")
    row = "vm,disk,role,size_gib,used_gib\nmine,os,os,127,90\n"
    dropped(browser, **{"mine.csv": row})  # before the button was pressed
    assert "mine.csv: 1 VM, 1 disk" in browser.run(HEAD_TEXT)
    other = "document.querySelector('.fleet-others').textContent"
    assert browser.run(other) == "snapshot_policy=enhanced as it was"
    # a link to a part of the page takes nothing back
    browser.run("void (location.hash = '#what-to-give')")
    browser.run("""{
        const slider = document.getElementById('fleet-deadline_h');
        slider.value = 6;
        slider.dispatchEvent(new Event('input'));
    }""")
    browser.wait(f"location.hash.includes('deadline_h=6') && {BUSY} == 'false'")
    assert "snapshot_policy=enhanced" in browser.run("location.hash")
    browser.run("void document.querySelector('.fleet-others button').click()")
    browser.wait(f"location.hash == '#deadline_h=6' && {BUSY} == 'false'")
    assert browser.run(other) == ""


def test_with_scripts_off_the_answer_of_the_build_stands_alone(browser, site):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    browser.open((site / "book/page.html").as_uri())
    assert "scripts are off" in browser.run(BODY)
    assert browser.run(VERDICT).startswith("Every VM keeps")
    assert not browser.run(CONTROLS)
    browser.open((site / "book/figures.html").as_uri())
    assert browser.run(BODY).count("cannot be moved") == len(PLACES)
