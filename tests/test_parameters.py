"""Every notebook bears its legal parameters, and refuses others in one sentence.

Rows come from the cell of parameters: of each list one value, the values in another
order, and none, which is refused; of each number zero, where its field allows it, which
a notebook may refuse too. `ALSO` has what else a reader may give, `REFUSED` what else
is refused: by an error that names the parameter, or its value, in one line. All cells
run in this process, in order; tables and figures are made, and what a notebook asserts
of the sentences of its chapter holds. What fails is said with its cell.
"""

import ast
import hashlib
import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("agg")

from matplotlib import pyplot as plt

from vmbmodel import notebook
from vmbmodel.fields import fields
from vmbmodel.plan.estimate import own_line

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
SLOW = {  # to run, each of a second and more
    "calibrate",
    "day",
    "deadline",
    "decisions",
    "jam",
    "restore",
    "schedule",
    "sensitivity",
}
TOGETHER = {  # lists that belong together: rows of them are in ALSO and REFUSED
    "conformance": {"names", "size_gib", "used_gib"},
    "dispersion": {"writes_per_cell"},
}
OLD = {"profile": "azure-2018-12"}

ALSO = {
    "billing": [
        OLD,
        {"fleet": "../book/examples/one-vm.csv"},
        {"redundancy": "LRS"},
        {"snapshot_points": 30},
        {"first_success_h": 0, "data_deleted_h": 1},
    ],
    "calibrate": [OLD],
    "conformance": [
        OLD,
        {"names": ["one"], "size_gib": [64], "used_gib": [20]},
        {"rewritten_frac": 1},
    ],
    "day": [OLD, {"start_h": 12.5}, {"jobs": 1}, {"jobs": 1000}, {"job_h": 4}],
    "deadline": [
        OLD,
        {"used_gib": [4000]},
        {"transfer_scv": 2},
        {"jobs": 1},
        {"deadline_h": 12},
        {"start_h": 12},
        {"done_by_h": 23},
    ],
    "decisions": [
        OLD,
        {"jobs": 1},
        {"start_h": 12},
        {"done_by_h": 23},
        {"restore_vms": 1},
        {"rto_h": 0.5},
    ],
    "disks": [
        OLD,
        {"used_gib": [4095, 10, 20, 500]},
        {"disks": 1},
        {"dispersion": 1},
        {"changed_gib": 1},
        {"capacity_mib_s": 10},
        {"account_mib_s": [100]},
        {"deadline_h": [8, 0]},
        {"fleet": "data/fleet.csv"},
    ],
    "dispersion": [
        OLD,
        {"dispersion": [0, 1]},
        {"writes_per_cell": [100, 0.01]},
        {"write_kib": [8, 64]},
        {"fleet": "data/fleet.csv"},
        {"changed_frac": 1},
    ],
    "first_backup": [
        OLD,
        {"used_gib": [10, 20], "wait_h": [1]},
        {"wait_h": [30, 0]},
        {"fleet": "data/fleet.csv"},
        {"jobs": 1},
        {"wait_h": [0.0]},
        {"size_gib": 100},
    ],
    "fleet": [
        OLD,
        {"months": 1},
        {"months": 120},
        {"growth": 0},
        {"settings": {"vault_servers": 3, "start_slack_h": 0}},
        {"settings": {"recovery_points": 0}},
        {"fleet": "data/four-disks.csv"},
    ],
    "jam": [
        OLD,
        {"jobs": 1},
        {"jobs": 1000, "service_scv": 2},
        {"service_h": 4},
        {"family": "gamma"},
        {"jobs": 250},
    ],
    "life": [
        OLD,
        {"fleet": "../book/examples/one-vm.csv"},
        {"grown_day": "2025-01-01"},
        {"deleted_day": "2026-05-06"},
        {"soft_delete_h": 336},
        {"grown_gib": 20},
        {"grown_gib": 5000},
        {"stopped_day": "2026-02-01"},
        {"months": 1},
        {"months": 24},
        {"snapshot_policy": "enhanced"},
        {"redundancy": "LRS"},
    ],
    "measured": [
        {"training_days": 1},
        {"training_days": 5},
        {"horizon_days": 1},
        {"cell_kib": 64},
    ],
    "queue": [
        OLD,
        {"servers": [1]},
        {"wait_h": [8, 0]},
        {"utilisation_frac": 0.3},
    ],
    "restore": [
        OLD,
        {"restored_gib": [100]},
        {"restore_vms": 1},
        {"restore_vms": 1000},
        {"fleet": "../book/examples/one-vm.csv"},
        {"account_ingress_mib_s": 20},
        {"restore_accounts": 1},
        {"interval_h": 4},
    ],
    "retention": [
        OLD,
        {"fleet": "../book/examples/one-vm.csv"},
        {"weekly_points": 0, "monthly_points": 0, "yearly_points": 0},
        {"rewritten_frac": 1},
        {"yearly_points": 10},
    ],
    "schedule": [
        OLD,
        {"jobs": 1},
        {"jobs": 30},
        {"jobs": 150},
        {"many": 100},
        {"start_h": 2},
        {"office_from_h": 22, "office_to_h": 6},
    ],
    "sensitivity": [
        OLD,
        {"jobs": 1},
        {"jobs": 1000},
        {"draws": 64},
    ],
    "start": [
        OLD,
        {"jobs": 1},
        {"jobs": 30},
        {"many_jobs": 100},
        {"start_h": 12},
        {"vault_servers": 10},
    ],
    "validation": [OLD, {"cell_min": 5}, {"cell_min": 600}],
}
REFUSED = {
    "billing": [{"fleet": "data/fleet.csv"}, {"redundancy": "lrs"}],
    "calibrate": [{"file": "no.csv"}],
    "conformance": [
        {"names": [], "size_gib": [], "used_gib": []},
        {"names": ["one", "two"], "size_gib": [64], "used_gib": [20]},
    ],
    "dispersion": [{"writes_per_cell": []}],
    "fleet": [{"months": 0}, {"months": 1.5}, {"growth": -0.2}],
    "life": [{"months": 0}, {"stopped_day": "2026-01-01"}, {"soft_delete_h": 24}],
    "measured": [
        {"training_days": 0},
        {"training_days": 6},
        {"cell_kib": 5},
        {"horizon_days": 30},
    ],
    "jam": [{"jobs": 0}, {"overlap_prob": 0}],
    "queue": [{"utilisation_frac": 1}],
    "restore": [{"fleet": "data/fleet.csv"}, {"restore_vms": 0}],
    "retention": [{"rewritten_frac": 2}, {"fleet": "data/fleet.csv"}],
    "schedule": [{"office_from_h": 0, "office_to_h": 0}],
    "sensitivity": [{"draws": 0}],
    "validation": [{"cell_min": 0}, {"fleet": "data/fleet.csv"}],
}


class CellError(AssertionError):
    """A cell that raised, by its number among all cells, from 1."""

    def __init__(self, place, problem):
        self.problem = problem
        super().__init__(f"{place}: {type(problem).__name__}: {problem}")


def cells(name):
    """Yield the number, the statements and the tags of the cells of code."""
    document = json.loads((FOLDER / f"{name}.ipynb").read_text("utf-8"))
    for number, cell in enumerate(document["cells"], 1):
        if cell["cell_type"] == "code":
            tree = ast.parse("".join(cell["source"]))
            yield number, tree, cell["metadata"].get("tags", [])


def defaults(name):
    """Return the parameters of a notebook; a computed one is None."""
    (tree,) = (tree for _, tree, tags in cells(name) if "parameters" in tags)
    found = {}
    for line in tree.body:
        (target,) = [line.target] if hasattr(line, "target") else line.targets
        try:
            found[target.id] = ast.literal_eval(line.value)
        except ValueError:
            found[target.id] = None
    return found


def said(name, given):
    """Return a row in one line."""
    return " ".join([name, *(f"{n}={v}".replace(" ", "") for n, v in given.items())])


def from_zero(name):
    """Say whether a parameter is a number that may be zero."""
    field = fields().get(name)
    if field is None or field.kind != "number":
        return False
    try:
        field.check(0)
    except ValueError:
        return False
    return True


def legal(name):
    """Yield what a notebook must bear."""
    for parameter, default in defaults(name).items():
        if parameter in TOGETHER.get(name, ()):
            continue
        if isinstance(default, list):
            yield {parameter: default[len(default) // 2 :][:1]}
            yield {parameter: default[1:] + default[:1]}
    yield from ALSO.get(name, ())


def zero(name):
    """Yield what a notebook must bear or refuse."""
    for parameter, default in defaults(name).items():
        if from_zero(parameter) and default and not isinstance(default, list):
            yield {parameter: 0}


def refused(name):
    """Yield what a notebook must refuse."""
    for parameter, default in defaults(name).items():
        if isinstance(default, list) and parameter not in TOGETHER.get(name, ()):
            yield {parameter: []}
    yield from REFUSED.get(name, ())


def rows(of):
    """Return rows for pytest; all but the first of a quick notebook are slow."""
    for name in NAMES:
        for place, given in enumerate(of(name)):
            marks = [pytest.mark.slow] if name in SLOW or place > 0 else []
            yield pytest.param(name, given, marks=marks, id=said(name, given))


def tells(problem, given):
    """Say whether an error tells the reader in one line which parameter is at fault."""
    words = [*given, *map(str, given.values())]
    told = isinstance(problem, ValueError) and "\n" not in str(problem)
    return told and any(word in str(problem) for word in words)


LINES, DRAW = {}, own_line._daily_lines_h


def drawn_once(*given):
    """Return the waits of drawn nights, which most rows of a notebook have alike."""
    told = [(np.shape(x), np.asarray(x).tobytes()) for x in given]
    key = hashlib.sha256(repr([shape for shape, _ in told]).encode())
    for _, data in told:
        key.update(data)
    if (name := key.digest()) not in LINES:
        LINES[name] = DRAW(*given)
    return LINES[name]


@pytest.fixture
def run(monkeypatch):
    """Return what runs the cells of a notebook with other parameters."""
    kept = {}

    def glue(name, value, display=True):
        assert name not in kept, f"{name} is kept twice"
        kept[name] = value
        value.figure.canvas.draw() if hasattr(value, "figure") else repr(value)

    def run(name, given):
        unknown = given.keys() - defaults(name).keys()
        assert not unknown, f"{name} has no parameter {', '.join(unknown)}"
        space = {"__name__": "__main__", "display": repr}
        for number, tree, tags in cells(name):
            place = f"{name}.ipynb, cell {number}"
            last = tree.body[-1]
            if isinstance(last, ast.Expr):  # shown, hence made into text
                asked = ast.Call(ast.Name("repr", ast.Load()), [last.value], [])
                tree.body[-1] = ast.fix_missing_locations(ast.Expr(asked))
            try:
                exec(compile(tree, place, "exec"), space)
            except Exception as problem:
                raise CellError(place, problem) from problem
            if "parameters" in tags:
                space |= given

    monkeypatch.chdir(FOLDER)
    monkeypatch.setattr(notebook, "glue", glue)
    monkeypatch.setattr(own_line, "_daily_lines_h", drawn_once)
    with mpl.rc_context(), pd.option_context("display.max_colwidth", 50):
        yield run
    plt.close("all")


@pytest.mark.parametrize(("name", "given"), list(rows(legal)))
def test_a_notebook_bears_what_is_legal(run, name, given):
    try:
        notebook.check_parameters(**given)
    except ValueError as problem:
        raise CellError(f"{name}.ipynb", problem) from problem
    run(name, given)


@pytest.mark.parametrize(("name", "given"), list(rows(refused)))
def test_a_notebook_refuses_nonsense_in_one_sentence(run, name, given):
    with pytest.raises(CellError) as failed:
        run(name, given)
    if not tells(failed.value.problem, given):
        raise failed.value


@pytest.mark.parametrize(("name", "given"), list(rows(zero)))
def test_a_notebook_bears_zero_or_refuses_it(run, name, given):
    try:
        run(name, given)
    except CellError as failed:
        if not tells(failed.problem, given):
            raise


LOG = pd.read_csv(FOLDER.parent / "book/examples/joblog.csv")
NIGHT = LOG["start_time"].str[:10]
PHASES = ["snapshot_h", "wait_h", "transfer_h"]
LOGS = {
    "totals only": LOG.drop(columns=PHASES),
    "totals without sizes": LOG.drop(columns=[*PHASES, "moved_gib"]),
    "two nights": LOG[NIGHT.isin(NIGHT.sort_values().unique()[:2])],
    "backups only": LOG[LOG["operation"] == "Backup"],
    "latest first": LOG[::-1],
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", LOGS)
def test_calibrate_bears_logs_that_tell_less(run, tmp_path, kind):
    LOGS[kind].to_csv(tmp_path / "log.csv", index=False)
    run("calibrate", {"file": str(tmp_path / "log.csv")})


def test_a_cell_that_fails_is_named(run, tmp_path, monkeypatch):
    document = {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# Top"]},
            {
                "cell_type": "code",
                "metadata": {"tags": ["parameters"]},
                "source": ["used_gib = [1]"],
            },
            {"cell_type": "code", "metadata": {}, "source": ["used_gib[0]"]},
        ]
    }
    (tmp_path / "made.ipynb").write_text(json.dumps(document), "utf-8")
    monkeypatch.setattr(f"{__name__}.FOLDER", tmp_path)
    run("made", {"used_gib": [2]})
    with pytest.raises(
        CellError, match=r"^made\.ipynb, cell 3: IndexError: list index"
    ):
        run("made", {"used_gib": []})
