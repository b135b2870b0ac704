"""The layers import downwards only; formulas know nothing of the service."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vmbmodel

LAYERS = [
    [
        "fields",
        "_arrays",
        "_docstrings",
        "_extras",
        "_files",
        "_lazy",
        "_toml",
    ],
    ["formulas"],
    ["service"],
    ["inventory"],
    ["plan"],
    ["grid"],
    ["figures", "notebook"],
    ["render", "rerun"],
    ["cli", "__main__"],
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
PACKAGE = Path(vmbmodel.__file__).parent
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def layer(dotted):
    return dotted.removeprefix("vmbmodel.").split(".")[0]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "vmbmodel":
                yield from (f"vmbmodel.{alias.name}" for alias in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path):
    here = layer(".".join(path.relative_to(PACKAGE).with_suffix("").parts))
    for name in imported(path):
        if name.startswith("vmbmodel.") and layer(name) in RANK:
            assert RANK[layer(name)] <= RANK[here], f"{here} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_has_a_layer(path):
    assert layer(".".join(path.relative_to(PACKAGE).with_suffix("").parts)) in RANK


@pytest.mark.parametrize(
    "heavy", ["pandas", "xarray", "scipy", "matplotlib", "papermill"]
)
def test_importing_the_package_loads_nothing_heavy(heavy):
    code = f"import vmbmodel, sys; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
