"""The front of the formulas: every one by its name, and nothing imported before."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from test_contract import FORMULAS

from vmbmodel import formulas

STUB = Path(formulas.__file__).with_suffix(".pyi")


def test_every_formula_is_at_the_front():
    lines = sorted(
        f"from {f.__module__} import {f.__name__} as {f.__name__}" for f in FORMULAS
    )
    stub = ast.parse(STUB.read_text("utf-8"))
    written = sorted(
        line for node in stub.body for line in ast.unparse(node).split("\n")
    )
    assert written == lines, "\n".join([f"put into {STUB.name}:", *lines])
    assert dir(formulas) == sorted(f.__name__ for f in FORMULAS)


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.__name__)
def test_a_formula_is_found_by_its_name(formula):
    assert getattr(formulas, formula.__name__) is formula


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match=r"no attribute 'jam_wait'"):
        _ = formulas.jam_wait


def test_nothing_is_imported_before_it_is_asked_for():
    code = """
        import sys
        import vmbmodel.formulas
        dir(vmbmodel.formulas)
        assert "numpy" not in sys.modules
        from vmbmodel.formulas import relaxation_h
        assert "vmbmodel.formulas.capacity" in sys.modules
        assert "vmbmodel.formulas.billing" not in sys.modules
    """
    lines = "\n".join(line.strip() for line in code.splitlines())
    subprocess.run([sys.executable, "-c", lines], check=True)
