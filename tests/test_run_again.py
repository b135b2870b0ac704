"""How the page of a notebook says that it is run again."""

import importlib
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def strips(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book/_ext")
    return importlib.import_module("run_again")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_command_says_what_the_notebook_begins_with(strips, path):
    given = strips.parameters(path)
    command = strips.command(f"notebooks/{path.name}", given)
    words = shlex.split(command.replace("\\\n", ""))
    assert words[:3] == ["vmbmodel", "rerun", f"notebooks/{path.name}"]
    assert words[-2:] == ["-o", "mine"]
    sets = words[3:-2]
    assert sets[::2] == ["--set"] * (len(sets) // 2)
    assert sets
    for name, value in (word.split("=", 1) for word in sets[1::2]):
        assert value == ("my-fleet.csv" if given[name] is None else str(given[name]))
    assert max(map(len, command.splitlines())) <= 45, command  # hardly scrolls


def test_numbers_go_first_and_a_file_of_ones_own_before_them(strips):
    given = {"profile": "p", "sizes": [1, 2], "jobs": 3, "fleet": None}
    assert strips.command("n.ipynb", given).split(" \\\n  ")[2:4] == [
        "--set fleet=my-fleet.csv",
        "--set jobs=3",
    ]
    del given["jobs"], given["fleet"]
    assert "--set profile=p" in strips.command("n.ipynb", given)


def strip(strips, docname, suffix, **about):
    """Return the page with what the extension puts into it."""
    document = new_document("page")
    document += nodes.section("", nodes.title("", "Sweep"), nodes.paragraph("", "..."))
    document.settings.env = SimpleNamespace(
        docname=docname,
        doc2path=lambda name: str(ROOT / f"{name}{suffix}"),
        app=SimpleNamespace(live_sizes=about.get("sizes", {})),
        moving_figures=about.get("moving", {}),
    )
    strips.Strip(document).apply()
    return document


def test_the_strip_stands_under_the_title_of_a_notebook(strips):
    chapter = {"notebooks/jam": "book/traffic-jam"}
    page = strip(strips, "notebooks/jam", ".ipynb", sizes={"python": 1}, moving=chapter)
    title, found, _ = page[0].children
    assert isinstance(title, nodes.title)
    assert found["classes"] == ["run-again"]
    linked = [n for n in found.findall(nodes.Element) if "reftarget" in n.attributes]
    targets = [node["reftarget"] for node in linked]
    assert targets == ["/book/try", "jam.ipynb", "/book/traffic-jam"]


def test_a_notebook_without_such_a_figure_leads_to_the_page_for_a_fleet(strips):
    page = strip(strips, "notebooks/schedule", ".ipynb", sizes={"python": 1})
    assert "ask about a fleet of your own" in page.astext()
    assert "in the book" not in strip(strips, "notebooks/schedule", ".ipynb").astext()


def test_a_chapter_has_no_strip(strips):
    assert len(strip(strips, "book/queue", ".md")[0].children) == 2


def test_the_figures_that_move_are_found_in_the_chapters(strips):
    env = SimpleNamespace(
        found_docs={"book/traffic-jam", "notebooks/jam"},
        doc2path=lambda name: str(
            ROOT / f"{name}{'.md' if name.startswith('book') else '.ipynb'}"
        ),
        relfn2path=lambda name, docname: ("", str((ROOT / docname).parent / name)),
        path2doc=lambda file: Path(file).resolve().relative_to(ROOT).with_suffix(""),
    )
    strips.note_figures(None, env, [])
    assert env.moving_figures == {Path("notebooks/jam"): "book/traffic-jam"}
