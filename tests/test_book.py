"""What of the book can be checked without building it."""

import ast
import base64
import importlib
import json
import re
from pathlib import Path

import pytest
import yaml
from matplotlib.colors import to_hex
from pybtex.database import parse_file

import vmbmodel as vm
from vmbmodel.figures import COLOURS, INKS, NOTE, RULE, SHADE

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
PARTS = [
    "Start",
    "How long",
    "When",
    "Back again",
    "What it costs",
    "Your fleet",
    "Can you trust it",
    "Reference",
]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTERS = sorted((ROOT / "book").rglob("*.md"))
HOSTS = re.compile(r"unpkg|jsdelivr|cdnjs|googleapis|https?://cdn")


def entries(part):
    """Yield each page of a part of the table of contents, to any depth."""
    for entry in part.get("chapters", []) + part.get("sections", []):
        yield entry["file"]
        yield from entries(entry)


PAGES = [TOC["root"], *(page for part in TOC["parts"] for page in entries(part))]


def name(path):
    return path.relative_to(ROOT).as_posix()


def read(path):
    return json.loads(path.read_text("utf-8"))


def text(cell):
    return "".join(cell["source"])


def code_cells(path):
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def has_figure(cell):
    """Say whether a figure is among the outputs."""
    return any("image/png" in output.get("data", {}) for output in cell["outputs"])


def prose(markdown):
    """Return the words of a page in one line, a number sign for each number."""
    for mark, kept in (
        (r"{n}`[^`]*`", "#"),
        (r"\[([^]]*)\]\([^)]*\)", r"\1"),
        (r"[*`]", ""),
        (r"\s+", " "),
    ):
        markdown = re.sub(mark, kept, markdown)
    return markdown.lower()


def words(page):
    """Return the prose of a page of the book, or of a notebook."""
    if page.endswith(".ipynb"):
        cells = read(ROOT / "notebooks" / page)["cells"]
        told = [text(cell) for cell in cells if cell["cell_type"] == "markdown"]
        return prose("\n\n".join(told))
    return prose((ROOT / "book" / page).read_text("utf-8"))


FIGURES = [
    pytest.param(cell, id=f"{path.stem}-{cell['id']}")
    for path in NOTEBOOKS
    for cell in code_cells(path)
    if has_figure(cell)
]
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=name)


def test_there_are_notebooks_and_chapters_and_figures():
    assert NOTEBOOKS
    assert CHAPTERS
    assert FIGURES


# --- the table of contents ----------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_page_listed_exists(page):
    assert [s for s in (".md", ".ipynb") if (ROOT / f"{page}{s}").exists()]


def test_no_page_is_listed_twice():
    assert len(PAGES) == len(set(PAGES))


@pytest.mark.parametrize("path", [*CHAPTERS, *NOTEBOOKS], ids=name)
def test_every_chapter_and_notebook_is_listed(path):
    assert name(path.with_suffix("")) in PAGES


def test_parts_come_in_their_order():
    captions = [part["caption"] for part in TOC["parts"]]
    assert captions == [part for part in PARTS if part in captions]


# --- the settings -------------------------------------------------------------


def test_mathjax_is_the_site_s_own():
    sphinx = CONFIG["sphinx"]["config"]
    assert sphinx["mathjax_path"] == "mathjax/tex-chtml.js"
    assert "local_mathjax" in sphinx["extensions"]


def test_nothing_is_asked_of_a_foreign_host():
    ours = [ROOT / "_config.yml", *CHAPTERS]
    ours += [
        p for p in (ROOT / "book/assets").rglob("*") if p.suffix in (".js", ".css")
    ]
    assert not [name(p) for p in ours if HOSTS.search(p.read_text("utf-8"))]
    assert "sphinx_thebe" not in CONFIG["sphinx"]["config"]["extensions"]


def test_notebooks_are_run_on_every_build_and_stop_it():
    assert CONFIG["execute"]["execute_notebooks"] == "force"
    assert CONFIG["execute"]["stderr_output"] == "warn"
    assert CONFIG["sphinx"]["config"]["nb_execution_raise_on_error"] is True


def test_no_folder_is_put_on_every_page():
    # Jupyter Book loads each script under a _static on all pages
    found = [
        *ROOT.glob("_static"),
        *(ROOT / "book").rglob("_static"),
        *(ROOT / "notebooks").rglob("_static"),
    ]
    assert not found
    assert "_static" not in CONFIG["sphinx"]["config"]["html_static_path"]


def test_every_extension_of_ours_is_loaded():
    ours = {path.stem for path in (ROOT / "book/_ext").glob("*.py")}
    assert ours == set(CONFIG["sphinx"]["local_extensions"])
    assert ours < set(CONFIG["sphinx"]["config"]["extensions"])


def test_the_build_is_strict_and_masks_nothing():
    make = (ROOT / "Makefile").read_text("utf-8")
    assert (
        "jupyter-book build . --config _build/config.yml -W -n --keep-going --all"
        in make
    )
    assert "--nbval " in make
    assert "--nbval-lax" not in make
    assert not re.search(r"^\t(-|.*\|\| true)", make, re.M)
    ci = (ROOT / ".ci/run").read_text("utf-8")
    assert "set -euo pipefail" in ci
    assert not re.search(r"&&|\|\|", ci)


def test_pins_are_what_a_pip_install_needs():
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    assert "-e .[all]" in lines
    packages = [line for line in lines if line and not line.startswith(("#", "-e"))]
    assert [line for line in packages if "==" not in line] == []
    assert [line for line in lines if "://" in line or "--" in line] == []


def test_a_citation_by_author_and_year_names_one_source(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book/_ext")
    author_year = importlib.import_module("author_year")
    bibliography = parse_file(ROOT / "book/references.bib", "bibtex")
    entries = bibliography.entries.values()
    before = [f"{author_year.authors(e)}, {e.fields['year']}" for e in entries]
    author_year.letter_alike_years(entries)
    after = list(author_year.AuthorYearLabels().format_labels(entries))
    assert len(set(before)) < len(before) == len(set(after))


def test_every_colour_of_the_figures_has_one_for_the_dark():
    sheet = (ROOT / "book/assets/book.css").read_text("utf-8")
    _, _, dark = sheet.partition('html[data-theme="dark"] {')
    known = set(re.findall(r"--fig-([0-9a-f]{6}): #", dark))
    used = {to_hex(colour)[1:] for colour in (*COLOURS, *INKS, RULE, NOTE, SHADE)}
    assert used <= known


# --- the chapters -------------------------------------------------------------


@every_chapter
def test_every_image_is_described(path):
    content = path.read_text("utf-8")
    fenced = r"(`{3,}|:{3,})\{(?:figure|image|nbfigure)\}(.*?)\1"
    for _, block in re.findall(fenced, content, re.S):
        alt = re.search(r"^:alt: (.+)$", block, re.M)
        assert alt, block
        assert len(alt.group(1).split()) >= 5, block
    assert not re.search(r"!\[\s*\]", content)


def test_every_part_of_the_package_has_its_page():
    shell = {"cli", "rerun"}  # their page is that of the command line
    parts = {p.stem for p in (ROOT / "vmbmodel").iterdir() if p.suffix in ("", ".py")}
    pages = "".join(p.read_text("utf-8") for p in (ROOT / "book/api").glob("*.md"))
    documented = set(re.findall(r"^```\{module-docs\} vmbmodel\.(\w+)", pages, re.M))
    assert documented == {p for p in parts if not p.startswith("_")} - shell


def test_every_module_of_the_package_has_its_place(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book/_ext")
    from module_docs import public_modules

    pages = "".join(p.read_text("utf-8") for p in (ROOT / "book/api").glob("*.md"))
    named = re.findall(r"^```\{module-docs\} (vmbmodel\.\w+) (.+)$", pages, re.M)
    parts = {package for package, _ in named}
    assert parts == {f"vmbmodel.{p}" for p in ("formulas", "plan", "inventory")}
    for part in parts:
        placed = [
            m for package, names in named if package == part for m in names.split()
        ]
        modules = [name.rpartition(".")[2] for name, _ in public_modules(part)]
        assert sorted(placed) == sorted(modules)


def test_the_sheet_has_an_equation_of_every_formula(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    from formula_sheet import entry
    from module_docs import public_modules

    modules = dict(public_modules("vmbmodel.formulas"))
    page = (ROOT / "book/formula-sheet.md").read_text("utf-8")
    listed = re.search(r"\{formula-sheet\} (.+)", page)[1].split()
    assert sorted(f"vmbmodel.formulas.{name}" for name in listed) == sorted(modules)
    sheet = {
        member: entry(module, getattr(vm.formulas, member))
        for module, members in modules.items()
        for member in members
    }
    assert sheet.keys() == set(dir(vm.formulas))
    assert [name for name, text in sheet.items() if ".. math::" not in text] == []
    assert ":math:`N` :field:`jobs`" in sheet["jam_mean_wait_h"]
    assert "Parameters" not in "".join(sheet.values())


def test_equations_side_by_side_are_told_apart(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    from formula_sheet import equations

    cases = r"n = \begin{cases} a \qquad b \\ c \end{cases}"
    assert equations(r"a = b \quad (c)") == [r"a = b \quad (c)"]
    assert equations(rf"{cases}, \qquad s = \{{ t \}}") == [f"{cases},", r"s = \{ t \}"]
    assert equations(r"a = \frac{b \qquad c}{d}") == [r"a = \frac{b \qquad c}{d}"]
    assert equations(r"a \\ b \qquad c") == ["a", "b", "c"]


# --- the notebooks ------------------------------------------------------------


@every_notebook
def test_notebook_has_one_cell_of_parameters(path):
    tagged = [
        cell
        for cell in code_cells(path)
        if "parameters" in cell["metadata"].get("tags", [])
    ]
    assert len(tagged) == 1
    for statement in ast.parse(text(tagged[0])).body:
        assert isinstance(statement, ast.Assign | ast.AnnAssign), text(tagged[0])


@every_notebook
def test_notebook_stores_what_nbval_compares(path):
    cells = code_cells(path)
    assert all(cell["execution_count"] for cell in cells if text(cell).strip())
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert outputs, "run notebooks/refresh.py"
    for output in outputs:
        about = output.get("metadata", {})
        assert "drawings" not in about, "run notebooks/refresh.py"
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr"
    compared = [
        output
        for cell in cells
        if "nbval-ignore-output" not in cell["metadata"].get("tags", [])
        for output in cell["outputs"]
    ]
    assert compared, "nbval has nothing to compare"


@every_notebook
def test_notebook_is_stored_without_what_changes_by_itself(path):
    notebook = read(path)
    assert set(notebook["metadata"]) == {"kernelspec"}
    assert all("execution" not in cell["metadata"] for cell in notebook["cells"])
    assert path.read_bytes().endswith(b"}\n")


@every_notebook
def test_no_cell_ends_in_a_semicolon(path):
    # nbval shows what it hides
    assert not [c["id"] for c in code_cells(path) if text(c).rstrip().endswith(";")]


@every_notebook
def test_an_assertion_about_a_page_has_the_words_of_the_page(path):
    """So that neither the number nor the sentence can be turned alone."""
    parts = [
        part for cell in code_cells(path) for part in ast.walk(ast.parse(text(cell)))
    ]
    names = {
        part.targets[0].id: part.value.value
        for part in parts
        if isinstance(part, ast.Assign)
        and isinstance(part.targets[0], ast.Name)
        and isinstance(part.value, ast.Constant)
    }
    claims = [p.msg for p in parts if isinstance(p, ast.Assert) and p.msg is not None]
    lost = []
    for claim in claims:
        said = eval(ast.unparse(claim), {}, names)
        page, told = said.split(": ", 1)
        plain = words(page)
        place = 0
        for piece in prose(told).split(" ... "):
            place = plain.find(piece, max(place, 0))
            if place < 0:
                lost.append(f"{page}: {piece}")
    assert not lost


BOUNDS = [
    ("your-fleet.md: for up to 400 disks", "vmbmodel/plan/estimate/doubts.py"),
    ("sensitivity.md: above 400 disks", "vmbmodel/plan/estimate/doubts.py"),
    ("sensitivity.md: of more than 10,000 vms", "vmbmodel/plan/estimate/doubts.py"),
    ("cli.md: above 100,000 vms", "vmbmodel/render/estimates.py"),
    ("your-fleet.md: files together exceed 32 mib", "book/live/page.js"),
]


@pytest.mark.parametrize(("said", "file"), BOUNDS)
def test_a_bound_that_a_page_names_is_that_of_the_program(said, file):
    page, told = said.split(": ")
    assert told in words(page)
    bound = int(re.search(r"\d[\d,]*", told)[0].replace(",", ""))
    code = (ROOT / file).read_text("utf-8")
    assert re.search(rf"^ *(?:const )?[A-Z_]+ = {bound:_}\b", code, re.M)


def test_the_prose_of_a_page_is_read_without_its_marks():
    marked = "**Our\nVM** takes {n}`most:.1f` hours, [all](x.md) *in* all."
    assert prose(marked) == "our vm takes # hours, all in all."


@every_notebook
def test_notebook_only_uses_the_model(path):
    for cell in code_cells(path):
        if text(cell).lstrip().startswith("%"):
            pytest.fail(f"a magic in {cell['id']}")
        for node in ast.walk(ast.parse(text(cell))):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef), cell["id"]


FRONT = (ROOT / "vmbmodel/__init__.pyi").read_text("utf-8")
OFFERED = {
    f"{node.module}.{alias.name}"
    for node in ast.parse(FRONT).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}


@every_notebook
def test_notebook_comes_in_by_the_front_door(path):
    for cell in code_cells(path):
        for node in ast.walk(ast.parse(text(cell))):
            if isinstance(node, ast.ImportFrom):
                assert not node.module.startswith("vmbmodel.formulas")
                assert not OFFERED & {f"{node.module}.{a.name}" for a in node.names}


@pytest.mark.parametrize("cell", FIGURES)
def test_a_figure_is_stored_small_for_who_reads_the_notebook_alone(cell):
    (output,) = [o for o in cell["outputs"] if has_figure({"outputs": [o]})]
    assert output["data"]["text/plain"][0].startswith("<Figure size")
    picture = base64.b64decode("".join(output["data"]["image/png"]))
    assert len(picture) < 50_000


@pytest.mark.parametrize("cell", FIGURES)
def test_a_figure_is_described_once_in_the_chapter_or_else_in_the_notebook(cell):
    (output,) = [o for o in cell["outputs"] if has_figure({"outputs": [o]})]
    key = output["metadata"]["scrapbook"]["name"]
    about = cell["metadata"].get("mystnb", {})
    if key in {name for names in TAKEN.values() for _, name in names}:
        assert not about
        return
    assert about["figure"]["name"].startswith("fig-")
    assert len(about["figure"]["caption"].split()) >= 5
    alt = about["image"]["alt"]
    assert len(alt.split()) >= 5
    assert not re.search(r"[/\\]|\.png", alt)


def test_names_of_figures_are_used_once():
    about = [param.values[0]["metadata"].get("mystnb") for param in FIGURES]
    names = [figure["figure"]["name"] for figure in about if figure]
    chapters = "".join(path.read_text("utf-8") for path in CHAPTERS)
    names += re.findall(r"^:name: (fig-\S+)$", chapters, re.M)
    assert len(names) == len(set(names))


# --- what chapters take from notebooks ----------------------------------------


def kept(path):
    """Return the keys under which a notebook keeps figures, and what it quotes."""
    glued = [
        output["metadata"]["scrapbook"]
        for cell in code_cells(path)
        for output in cell["outputs"]
        if "scrapbook" in output.get("metadata", {})
    ]
    figures = [about["name"] for about in glued if not about["mime_prefix"]]
    return figures, [about["name"] for about in glued if about["mime_prefix"]]


def taken(path):
    """Yield notebook and key of everything that a chapter shows of notebooks."""
    content = path.read_text("utf-8")
    for text in re.findall(r"\{n\}`([^`]+)`", content):
        notebook, _, name = text.rpartition("::")
        if not notebook:
            (notebook,) = re.findall(r"\A---\nnumbers: (\S+)\n", content)
        yield (path.parent / notebook).resolve(), name.partition(":")[0]
    for notebook, key in re.findall(r"\{nbfigure\} (\S+)::(\S+)", content):
        yield (path.parent / notebook).resolve(), key
    for key, notebook in re.findall(r"\{glue\} (\S+)\n:doc: (\S+)", content):
        yield (path.parent / notebook).resolve(), key


TAKEN = {path: set(taken(path)) for path in CHAPTERS}


@every_notebook
def test_keys_of_a_notebook_are_used_once(path):
    keys = [key for keys in kept(path) for key in keys]
    assert len(keys) == len(set(keys))


@every_chapter
def test_what_a_chapter_takes_is_there(path):
    there = {(book, key) for book in NOTEBOOKS for keys in kept(book) for key in keys}
    assert TAKEN[path] <= there


@every_notebook
def test_what_a_notebook_quotes_is_taken(path):
    quoted = {(path, name) for name in kept(path)[1]}
    assert quoted <= set().union(*TAKEN.values())


@every_chapter
def test_numbers_are_quoted_in_one_way(path):
    content = path.read_text("utf-8")
    assert "{glue:" not in content
    assert not content.startswith("---\nnumbers:") or "{n}`" in content
