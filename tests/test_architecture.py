"""The layers import downwards only; formulas know nothing of the service."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import vmbmodel

LAYERS = [
    [
        "fields",
        "_arrays",
        "_cluster",
        "_docstrings",
        "_extras",
        "_files",
        "_today",
        "_json",
        "_lazy",
        "_toml",
        "_words",
    ],
    ["formulas"],
    ["service"],
    ["inventory"],
    ["plan"],
    ["grid"],
    ["figures", "leading", "notebook", "sweeps"],
    ["render", "rerun", "fleets"],
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
    "heavy", ["numpy", "pandas", "xarray", "scipy", "matplotlib", "papermill"]
)
def test_importing_the_package_loads_nothing_heavy(heavy):
    code = f"import vmbmodel, sys; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- what a page has that runs the package ----------------------------------------


def test_only_calibration_and_drawn_days_ask_more_of_scipy_than_special_functions():
    """Neither is in reach of a page: intervals by the hour are made when asked for."""
    asking = {
        str(path.relative_to(PACKAGE).with_suffix(""))
        for path in MODULES
        for name in imported(path)
        if name.split(".")[0] == "scipy" and name != "scipy.special"
    }
    calibration = {name for name in asking if name.startswith("plan/calibrate/")}
    assert asking - calibration == {"formulas/_kernels/many_days"}


def test_pyarrow_is_asked_for_only_within_functions_that_can_do_without_or_say_so():
    asking = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        for name in imported(path)
        if name.split(".")[0] == "pyarrow"
    }
    assert asking == {"inventory/fleet/tables.py", "render/csv.py", "render/parquet.py"}
    for name in asking:
        body = ast.parse((PACKAGE / name).read_text("utf-8")).body
        outside = [n for n in body if isinstance(n, ast.Import | ast.ImportFrom)]
        assert not any("pyarrow" in ast.unparse(node) for node in outside), name


# --- packages as houses with one door --------------------------------------------

HOUSES = {
    ".".join(("vmbmodel", *p.parent.relative_to(PACKAGE).parts))
    for p in PACKAGE.rglob("__init__.py")
    if p.parent != PACKAGE and p.parent.name != "_kernels"
}
# plain arrays have a door of their own beside that of the formulas
DOORS = {*HOUSES, "vmbmodel.formulas.laws"}


def dotted(path):
    return ".".join(("vmbmodel", *path.relative_to(PACKAGE).with_suffix("").parts))


def house(module):
    """Return the package that a module is in, or the front door."""
    while module not in HOUSES and "." in module:
        module = module.rpartition(".")[0]
    return module


def public(module):
    return getattr(importlib.import_module(module), "__all__", ())


def crossings(path):
    """Give what a module takes from packages it is not in, and by which name.

    A package is taken by its names, imported one by one or asked for as attributes.
    """
    here = f"{dotted(path.parent if path.name == '__init__.py' else path)}."
    nodes, doors = list(ast.walk(ast.parse(path.read_text("utf-8")))), {}
    for node in nodes:
        ours = isinstance(node, ast.ImportFrom) and f"{node.module}."
        if not ours or not ours.startswith("vmbmodel."):
            continue
        for alias in node.names:
            module, name = f"{node.module}.{alias.name}", None
            if module in HOUSES or (
                importlib.util.find_spec(node.module).submodule_search_locations
                and alias.name not in public(node.module)
                and importlib.util.find_spec(module)
            ):
                doors[alias.asname or alias.name] = module
            else:
                module, name = node.module, alias.name
            if not here.startswith(f"{house(module)}."):
                yield module, name
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = doors.get(node.value.id)
            if module and not here.startswith(f"{house(module)}."):
                yield module, node.attr


CROSSINGS = [
    (str(path.relative_to(PACKAGE)), module, name)
    for path in MODULES
    for module, name in crossings(path)
]


def test_outsiders_come_in_by_the_door():
    behind = {
        f"{path} imports {module}"
        for path, module, _ in CROSSINGS
        if house(module) != "vmbmodel" and module not in DOORS
    }
    assert sorted(behind) == []


def test_what_is_used_elsewhere_is_named_at_the_door():
    unnamed = {
        f"{path} takes {module}.{name}"
        for path, module, name in CROSSINGS
        if name and name not in public(module)
    }
    assert sorted(unnamed) == []


def test_only_formulas_know_their_kernels():
    users = [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if any("_kernels" in name.split(".") for name in imported(path))
    ]
    assert users
    assert [name for name in users if not name.startswith("formulas")] == []


def test_what_is_known_and_what_is_answered_cannot_be_altered():
    places = [PACKAGE / part for part in ("formulas", "inventory", "plan", "service")]
    altered = [
        f"{path.relative_to(PACKAGE)}: {node.name}"
        for place in places
        for path in sorted(place.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        for asked in map(ast.unparse, node.decorator_list)
        if asked.startswith("dataclass") and "frozen=True" not in asked
    ]
    # what gathers the lines of a list while it is read
    assert altered == [
        *(
            f"inventory/azure/lists.py: {name}"
            for name in ("Disk", "Slot", "Vm", "Item", "Vault")
        ),
        "inventory/azure/rvtools.py: _Disk",
        "inventory/azure/rvtools.py: _Vm",
        "inventory/azure/rvtools.py: _Sheets",
        "inventory/bill/focus.py: _Gathered",
        "inventory/changes/trace.py: Writes",
        "inventory/fleet/parts.py: _Sought",
        "service/price_list.py: _Reading",
    ]
