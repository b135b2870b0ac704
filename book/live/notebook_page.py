"""A notebook, run in the page: its tables and its values, without its figures.

Cells that draw are left out, and the packages that draw are there in name only. All
else is run as it stands, with the reader's parameters in place of the notebook's own.
"""

import ast
import contextlib
import html
import importlib.abc
import importlib.machinery
import json
import sys
import types
from pathlib import Path

from vmbmodel.fields import fields

__all__ = ["CELLS", "RUNNABLE", "cells_of", "ran"]

RUNNABLE = ("decisions", "start")
"""Notebooks that need no package besides those of the page, once they do not draw."""

CELLS = "cells"
"""Folder beside this module, with a file a notebook, and the data that they read."""

_IN_NAME_ONLY = ("matplotlib", "myst_nb", "xarray")
_FIGURE = "image/png"


def cells_of(notebook):
    """Return the cells of code that do not draw, of the text of a notebook.

    Each has its source, its number among the cells of code, and whether it holds the
    parameters.
    """
    code = [c for c in json.loads(notebook)["cells"] if c["cell_type"] == "code"]
    return [
        {
            "number": number,
            "source": "".join(cell["source"]),
            "parameters": "parameters" in cell["metadata"].get("tags", ()),
        }
        for number, cell in enumerate(code, 1)
        if not any(_FIGURE in out.get("data", ()) for out in cell["outputs"])
    ]


def ran(name, given):
    """Run a notebook, and return what it shows, what it quotes and its parameters.

    Parameters
    ----------
    name : str
        One of `RUNNABLE`.
    given : Mapping[str, str]
        New values of parameters, as a reader wrote them.

    Raises
    ------
    ValueError
        If a parameter is not of its kind or not allowed, or a cell fails, which is
        named.
    """
    folder = Path(__file__).with_name(CELLS)
    cells = json.loads((folder / f"{name}.json").read_text("utf-8"))
    shown, quoted, names = [], {}, {}
    with contextlib.chdir(folder), _stand_ins(quoted):
        for cell in cells:
            try:
                value = _run(cell["source"], names)
            except Exception as error:
                kind = type(error).__name__
                raise ValueError(
                    f"{name} fails with these parameters in cell {cell['number']}: "
                    f"{kind}: {error}"
                ) from error
            if cell["parameters"]:
                parameters = _parameters(cell["source"], names)
                names |= _read(given, names)
            if value is not None:
                shown.append(_html(value))
    return {"shown": shown, "quoted": quoted, "parameters": parameters}


def _run(source, names):
    """Run a cell, and return the value of its last line if that is an expression."""
    whole = ast.parse(source)
    last = whole.body.pop() if isinstance(whole.body[-1], ast.Expr) else None
    exec(compile(whole, "<cell>", "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)


def _parameters(source, names):
    """Return what a reader may set: names, values as Python writes them, meanings."""
    lines = source.splitlines()
    found = []
    for part in ast.parse(source).body:
        name = (part.target if isinstance(part, ast.AnnAssign) else part.targets[0]).id
        value = names[name]
        if not (isinstance(value, str) and Path(value).is_file()):
            said = lines[part.lineno - 1].partition("#")[2].strip()
            shown = value if isinstance(value, str) else repr(value)
            found.append({"name": name, "value": shown, "text": said})
    return found


def _read(given, names):
    """Read what a reader set, each value of the kind that the notebook has."""
    values, problems, kinds = {}, [], names.get("__annotations__", {})
    for name, text in given.items():
        before = names[name]
        value = text.strip()
        try:
            if not isinstance(before, str):
                value = _of_kind(kinds.get(name, type(before)), value)
            if name in fields():
                fields()[name].check(value)
        except (ValueError, SyntaxError):
            rules = {int: "a whole number", float: "a number"}
            kind = kinds.get(name, type(before))
            rule = rules.get(kind, f"written as {before!r}")
            if name in fields() and fields()[name].range:
                rule += f" {fields()[name].range.rule}"
            problems.append(f"{name} must be {rule}; got {text!r}")
        values[name] = value
    if problems:
        raise ValueError("\n".join(problems))
    return values


def _of_kind(kind, text):
    value = ast.literal_eval(text)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ValueError(f"{text} is no {kind.__name__}")
    return value


def _html(value):
    """Return a value as the notebook's page shows it."""
    if hasattr(value, "_repr_html_"):
        return value._repr_html_()
    return f"<pre>{html.escape(repr(value))}</pre>"


@contextlib.contextmanager
def _stand_ins(quoted):
    """Let packages that are missing be imported, and keep what is quoted."""
    finder = _Finder(quoted)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        found = [name for name in sys.modules if finder.is_one(name)]
        for name in found and [*found, "vmbmodel.notebook", "vmbmodel.figures"]:
            sys.modules.pop(name, None)  # what holds one is for nothing else


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds, last of all, modules that have whatever is imported from them."""

    def __init__(self, quoted):
        self.quoted = quoted

    def is_one(self, name):
        """Say whether a module is a stand-in."""
        return isinstance(sys.modules.get(name), _StandIn)

    def find_spec(self, name, path=None, target=None):
        """Find a stand-in."""
        if name.partition(".")[0] in _IN_NAME_ONLY:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        """Make one."""
        return _StandIn(spec.name)

    def exec_module(self, module):
        """Give it what notes down the values that are quoted."""
        if module.__name__ == "myst_nb":
            module.glue = lambda name, value, display=True: self.quoted.update(
                {name: value.item() if hasattr(value, "item") else value}
            )


class _StandIn(types.ModuleType):
    """A module whose names are empty classes."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})
