"""Each surface runs with its own extra alone, and says which one it lacks."""

import ast
import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import (
    PackageNotFoundError,
    distribution,
    packages_distributions,
)
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CORE, EXTRAS = PROJECT["dependencies"], PROJECT["optional-dependencies"]
FLEET = ROOT / "notebooks/data/fleet.csv"

# A Python in which some packages are not there, in its children neither.
WITHOUT = """\
import os, sys
from importlib.machinery import PathFinder

ABSENT = set(os.environ["ABSENT"].split())

class Present(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in ABSENT:
            return super().find_spec(name, path, target)

sys.meta_path[:] = [Present if f is PathFinder else f for f in sys.meta_path]
"""


def brought(requirements):
    """Return the names of all distributions that an installation brings."""
    found, todo = set(), [Requirement(text) for text in requirements]
    while todo:
        needed = todo.pop()
        name = canonicalize_name(needed.name)
        if (name, *needed.extras) in found or name == "vmbmodel":
            continue
        found.add((name, *needed.extras))
        try:
            texts = distribution(name).requires or ()
        except PackageNotFoundError:  # of another system
            continue
        for inner in map(Requirement, texts):
            extras = needed.extras or {""}
            if inner.marker is None or any(
                inner.marker.evaluate({"extra": extra}) for extra in extras
            ):
                todo.append(inner)
    return {name for name, *_ in found}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return what runs Python as if only some extras were installed."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(WITHOUT)
    lines = ["Metadata-Version: 2.1", "Name: vmbmodel", "Version: 0"]
    lines += [f"Requires-Dist: {requirement}" for requirement in CORE]
    for extra, requirements in EXTRAS.items():
        lines += [f'Requires-Dist: {r}; extra == "{extra}"' for r in requirements]
    (folder / "vmbmodel-0.dist-info").mkdir()
    (folder / "vmbmodel-0.dist-info/METADATA").write_text("\n".join(lines))
    path = os.pathsep.join([str(folder), str(ROOT)])

    def run(*arguments, extras=(), without=(), **options):
        there = brought([*CORE, *(r for extra in extras for r in EXTRAS[extra])])
        absent = {
            module
            for module, names in packages_distributions().items()
            if not {canonicalize_name(name) for name in names} & there
        } - {"vmbmodel"}
        absent.update(without)
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=os.environ | {"ABSENT": " ".join(absent), "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
            **options,
        )

    return run


def imports(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)


def module_names(requirements):
    """Return the modules that requirements are named after."""
    names = (Requirement(text).name for text in requirements)
    return {name.replace("-", "_") for name in names}


def test_whatever_is_imported_is_declared():
    declared = module_names([*CORE, *(r for rs in EXTRAS.values() for r in rs)])
    found = {
        name
        for path in (ROOT / "vmbmodel").rglob("*.py")
        for name in imports(path.read_text("utf-8"))
    }
    assert found - sys.stdlib_module_names - declared == set()


def test_notebooks_import_nothing_that_their_extra_does_not_bring():
    declared = module_names([*CORE, *EXTRAS["notebooks"]])
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        found = set(imports(code)) - sys.stdlib_module_names
        assert found - declared <= {"IPython", "vmbmodel"}, path


def test_the_lowest_versions_are_those_that_were_tried():
    tried = {}
    for line in (ROOT / "tests/lowest.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            tried[Requirement(line).name] = Requirement(line).specifier
    extras = ("cli", "report", "sweep", "notebooks")
    surfaces = [*CORE, *(line for extra in extras for line in EXTRAS[extra])]
    asked = {r.name: r.specifier for r in map(Requirement, surfaces)}
    assert tried.keys() == asked.keys()
    for name, specifier in tried.items():
        (pin,), (bound,) = specifier, asked[name]
        assert (pin.operator, bound.operator) == ("==", ">="), name
        assert Version(pin.version) == Version(bound.version), name


def test_an_estimate_needs_no_extra(installed):
    code = """if True:
        import sys
        import vmbmodel as vm
        answer = vm.estimate(sys.argv[1])
        print(len(answer.vms), len(answer._repr_html_()), len(repr(answer)))
        print(vm.formulas.jam_mean_wait_h(100, 10, 0.5))
    """
    done = installed("-c", code, FLEET)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(float(word) > 0 for word in done.stdout.split())


@pytest.mark.parametrize(
    ("name", "words"), [("estimate", ["--no-interval"]), ("check", [])]
)
def test_the_words_of_a_command_are_to_be_had_without_it(installed, name, words):
    code = f"""if True:
        import sys
        import vmbmodel as vm
        from vmbmodel.render import {name}_text
        sys.stdout.write({name}_text(vm.{name}(sys.argv[1])) + "\\n")
    """
    said = installed("-c", code, FLEET)
    printed = installed("-m", "vmbmodel", name, FLEET, *words, extras=["cli"])
    assert (said.returncode, said.stderr) == (0, "")
    assert len(said.stdout) > 1000
    assert said.stdout == printed.stdout


def test_the_front_door_says_which_extra_a_name_needs(installed):
    code = """if True:
        import vmbmodel as vm
        for name in dir(vm):
            try:
                getattr(vm, name)
            except ModuleNotFoundError as error:
                print(error)
    """
    done = installed("-c", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "vmbmodel.sweep needs xarray: pip install 'vmbmodel[report]'\n"
    )


def test_the_program_says_that_it_needs_its_extra(installed):
    done = installed("-m", "vmbmodel", "estimate", FLEET)
    assert done.returncode == 2
    assert done.stderr == (
        "vmbmodel: the command line needs typer: pip install 'vmbmodel[cli]'\n"
    )


@pytest.mark.parametrize("name", ["estimate", "check"])
def test_the_command_line_needs_its_extra_only(installed, name):
    done = installed("-m", "vmbmodel", name, FLEET, extras=["cli"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_a_report_needs_its_extra_and_no_other(installed, tmp_path):
    words = ("-m", "vmbmodel", "report", FLEET, "-o", tmp_path / "out")
    done = installed(*words, extras=["cli"])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr in {
        f"vmbmodel: report needs {module}: pip install 'vmbmodel[report]'\n"
        for module in module_names(EXTRAS["report"])
    }
    assert not list(tmp_path.iterdir())
    done = installed(*words, extras=["cli", "report"])
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out/report.html").is_file()


def test_a_sweep_needs_its_extra_and_no_other(installed, tmp_path):
    grid = ROOT / "book/examples/waits.toml"
    words = ("-m", "vmbmodel", "sweep", grid, "-o", tmp_path / "out.zarr")
    done = installed(*words, extras=["cli"])
    assert (done.returncode, done.stdout) == (2, "")
    said = "vmbmodel: sweep needs zarr: pip install 'vmbmodel[sweep]'\n"
    assert done.stderr == said
    assert not list(tmp_path.iterdir())
    done = installed(*words, extras=["cli", "sweep"])
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out.zarr/zarr.json").is_file()


def test_a_figure_that_cannot_be_drawn_is_said_before_anything_is_written(
    installed, tmp_path
):
    words = ("--fleet-out", tmp_path / "x.csv", "--figure", tmp_path / "x.svg")
    done = installed("-m", "vmbmodel", "schedule", FLEET, *words, extras=["cli"])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("pip install 'vmbmodel[report]'\n")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def notebook(tmp_path):
    cells = [
        new_code_cell("jobs = 4", metadata={"tags": ["parameters"]}),
        new_code_cell("import xarray, myst_nb\nprint(2 * jobs)"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "small.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def test_a_notebook_runs_again_with_its_extra_only(installed, notebook, tmp_path):
    words = ("-m", "vmbmodel", "rerun", notebook, "--set", "jobs=5", "-o", "out")
    done = installed(*words, extras=["cli", "notebooks"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ran = json.loads((tmp_path / "out/small.ipynb").read_text("utf-8"))
    assert ran["cells"][-1]["outputs"][0]["text"] == ["10\n"]


@pytest.mark.parametrize(
    ("extras", "without", "module"),
    [(["cli"], [], "nbformat"), (["cli", "notebooks"], ["myst_nb"], "myst_nb")],
)
def test_rerun_says_what_it_lacks_and_does_not_blame_the_parameters(
    installed, notebook, tmp_path, extras, without, module
):
    words = ("-m", "vmbmodel", "rerun", notebook, "--set", "jobs=5", "-o", "out")
    done = installed(*words, extras=extras, without=without, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    said = f"vmbmodel: rerun needs {module}: pip install 'vmbmodel[notebooks]'"
    assert said in done.stderr.splitlines()  # a kernel may say goodbye there too
    assert "parameters" not in done.stderr
    assert not (tmp_path / "out").exists()
