"""What goes out: metadata, archives, hosted CI, and the licences of the site."""

import importlib
import json
import re
import runpy
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import vmbmodel

ROOT = Path(__file__).parents[1]
SETUP = runpy.run_path(str(ROOT / "setup.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
README = (ROOT / "README.md").read_text("utf-8")
HOME, TAG = "https://host/owner/vmbmodel", "v9.9"
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")


def test_the_version_stands_once_and_is_cited():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert "version" not in PROJECT
    assert SETUP["version"]() == vmbmodel.__version__ == cited["version"]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest, day = re.search(r"^## (\S+) \((.+)\)$", changes, re.M).groups()
    if day != "unreleased":
        assert (newest, day) == (cited["version"], str(cited["date-released"]))


def test_links_of_the_readme_lead_somewhere():
    paths = [path for _, path in LINK.findall(README) if "://" not in path]
    assert paths
    assert not [path for path in paths if not (ROOT / path).is_file()]


def test_with_a_home_every_link_is_an_address():
    found = LINK.findall(SETUP["shown"](README, HOME, TAG))
    assert found
    for picture, path in found:
        kind = "raw" if picture else "blob"
        assert path.startswith((f"{HOME}/{kind}/{TAG}/", "http"))
        assert not path.startswith(f"{HOME}/blob/{TAG}/book/assets")
    assert set(SETUP["urls"](HOME, TAG)) >= {"Source", "Issues", "Changelog"}


def test_without_a_home_no_link_is_broken():
    text = SETUP["shown"](README, "", TAG)
    assert not [path for _, path in LINK.findall(text) if "://" not in path]
    assert "CONTRIBUTING.md has the layout" in text
    assert ".svg" not in text


def test_links_that_are_addresses_stay():
    text = "[a](https://a.example/b) [c](#d)"
    assert SETUP["shown"](text, HOME, TAG) == SETUP["shown"](text, "", TAG) == text


def test_the_source_archive_holds_what_its_tests_need():
    rules = (ROOT / "MANIFEST.in").read_text("utf-8")
    for folder in ("tests", "notebooks", "book", "benchmarks", "validation"):
        kinds = re.search(rf"recursive-include {folder} (.+)", rules)[1].split()
        held = [p for p in (ROOT / folder).rglob("*") if p.is_file()]
        missing = [
            p.name
            for p in held
            if "__pycache__" not in p.parts and not any(p.match(k) for k in kinds)
        ]
        assert not missing


# --- hosted CI --------------------------------------------------------------------

CI = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))


def commands(job):
    return "\n".join(step.get("run", "") for step in CI["jobs"][job]["steps"])


def test_every_python_that_is_claimed_is_tried():
    claimed = [
        line.rpartition(" ")[2]
        for line in PROJECT["classifiers"]
        if re.search(r":: 3\.\d+$", line)
    ]
    matrix = CI["jobs"]["package"]["strategy"]["matrix"]
    assert matrix["python"] == claimed
    assert PROJECT["requires-python"] == f">={claimed[0]}"
    lowest = [row for row in matrix["include"] if row["dependencies"] == "lowest"]
    assert [row["python"] for row in lowest] == [claimed[0]]


def test_the_two_commands_are_run_and_notebooks_compared():
    everything = (ROOT / ".ci/run").read_text("utf-8")
    for job, command in (("checks", "make test"), ("book", "make book")):
        assert f"{command} PYTHON=python" in commands(job)
        assert command in everything
        assert ("TESTS=all" in commands(job)) == (command == "make test")
        pythons = CI["jobs"][job]["strategy"]["matrix"]["python"]
        assert pythons == CI["jobs"]["package"]["strategy"]["matrix"]["python"]
    assert "make test TESTS=all" in everything
    assert "--nbval" in commands("package")
    assert "twine check --strict" in commands("package")
    assert "-c tests/lowest.txt" in str(CI["jobs"]["package"])
    (extras,) = re.findall(r"wheel\}\[(.+?)\]", commands("package"))
    commanded = PROJECT["optional-dependencies"].keys() - {"book", "all"}
    assert set(extras.split(",")) == commanded


def test_the_development_container_makes_what_the_two_commands_need():
    told = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf-8"))
    claimed = PROJECT["requires-python"].removeprefix(">=")
    assert told["image"].endswith(f"python:{claimed}")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert f"\n{told['postCreateCommand'].removeprefix('make ')}: " in makefile
    for package in ("chromium", "nodejs"):  # as .ci/run has them
        assert package in told["onCreateCommand"]
        assert package in (ROOT / ".ci/run").read_text("utf-8")


# --- licences of the site -----------------------------------------------------------


@pytest.fixture
def licences(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book/_ext"))
    yield importlib.import_module("site_licences")
    sys.modules.pop("site_licences", None)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("book.css", "vmbmodel"),
        ("mathjax/output/chtml/fonts/woff-v2/MathJax_Main-Regular.woff", "MathJax"),
        ("vendor/fontawesome/webfonts/fa-solid-900.woff2", "pydata-sphinx-theme"),
        ("locales/pl/LC_MESSAGES/booktheme.po", "sphinx-book-theme"),
        ("clipboard.min.js", "sphinx-copybutton"),
        ("comic-sans.woff2", ""),
    ],
)
def test_a_file_of_the_site_has_one_owner_or_none(licences, name, owner):
    assert licences.owner(name) == owner


def test_every_owner_ships_its_licence(licences):
    for package in set(licences.SHIPPED) - {"vmbmodel", "MathJax", "Pyodide"}:
        assert re.search("permission|redistribution", licences.licence(package), re.I)
    for path in (ROOT / "book/assets").iterdir():
        assert licences.owner(path.name) == "vmbmodel"


def test_a_file_of_nobody_stops_the_build(licences, tmp_path):
    static = tmp_path / "out/_static"
    static.mkdir(parents=True)
    (tmp_path / "LICENSE").write_text("Use it.")
    (static / "basic.css").write_text("")

    class App:
        outdir, srcdir = str(tmp_path / "out"), str(tmp_path)
        builder = type("Builder", (), {"format": "html"})

    licences.write_licences(App, None)
    text = (static / "LICENSES.txt").read_text("utf-8")
    assert text.startswith("vmbmodel\n\nUse it.\n")
    assert "\nsphinx\n" in text
    assert "\nsphinx-design\n" not in text
    (static / "comic-sans.woff2").write_text("")
    with pytest.raises(RuntimeError, match=r"whose are .* comic-sans\.woff2"):
        licences.write_licences(App, None)
