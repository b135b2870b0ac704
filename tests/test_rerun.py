"""`vmbmodel rerun`: a notebook with other parameters, and nothing lost on the way."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from typer.testing import CliRunner

from vmbmodel.cli import app

KERNEL = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
}


@pytest.fixture
def notebook(tmp_path):
    cells = [
        new_markdown_cell("# A notebook"),
        new_code_cell(
            "servers = 4  # data movers\nservice_h = 0.5\nsizes_gib = [1, 2]\n"
            'fleet = "data.csv"\nquick = True',
            metadata={"tags": ["parameters"]},
        ),
        new_code_cell("print(servers / service_h, sizes_gib, fleet, quick)"),
    ]
    path = tmp_path / "own" / "small.ipynb"
    path.parent.mkdir()
    nbformat.write(new_notebook(cells=cells, metadata=KERNEL), path)
    return path


def rerun(notebook, *arguments, status=0):
    command = ["rerun", notebook, *arguments]
    result = CliRunner().invoke(app, [str(word) for word in command])
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else " ".join(result.stderr.split())


def printed(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [
        text for cell in cells for o in cell.get("outputs", []) for text in o["text"]
    ]


def test_a_full_disk_leaves_no_folder(notebook, tmp_path, monkeypatch):
    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    said = rerun(notebook, "-o", tmp_path / "new" / "out", status=2)
    assert "No space left on device" in said
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_parameters_reach_the_notebook_and_both_results_are_written(
    notebook, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("x")
    before = notebook.read_bytes()
    settings = ("servers=8", "sizes_gib=[3, 4.5]", "fleet=mine.csv", "quick=false")
    text = rerun(notebook, "-o", "out", *(w for s in settings for w in ("--set", s)))
    assert text.split() == ["out/small.ipynb", "out/small.html"]
    given = f"16.0 [3, 4.5] {tmp_path / 'mine.csv'} False"
    assert printed(tmp_path / "out" / "small.ipynb") == [given + "\n"]
    page = (tmp_path / "out" / "small.html").read_text("utf-8")
    assert "16.0" in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert notebook.read_bytes() == before


def test_a_page_on_its_own_has_no_roles_dead_links_or_hidden_code(notebook, tmp_path):
    text = (
        "Of {ref}`the wait <reading-wait>` and {term}`jam`, in [a chapter](../jam.md) "
        "and [](../queue.md), by [others](https://example.org/a)."
    )
    source = nbformat.read(notebook, as_version=4)
    source.cells += [
        new_markdown_cell(text),
        new_code_cell("unseen = 1", metadata={"tags": ["hide-input"]}),
        new_code_cell("print('gone')", metadata={"tags": ["remove-cell"]}),
    ]
    nbformat.write(source, notebook)
    rerun(notebook, "-o", tmp_path / "out")
    page = (tmp_path / "out" / "small.html").read_text("utf-8")
    (said,) = re.findall(r"<p>(Of .*?)</p>", page, re.S)
    assert said == (
        "Of the wait and <code>jam</code>, in a chapter and <code>queue</code>, by "
        '<a href="https://example.org/a">others</a>.'
    )
    assert "service_h" in page
    assert "unseen" not in page
    assert "gone" not in page
    assert text in (tmp_path / "out" / "small.ipynb").read_text("utf-8")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "servrs=8",
            "has no parameter 'servrs'; did you mean servers? It has: servers = 4",
        ),
        ("servers=many", "servers must be a number; got 'many'"),
        ("servers=0", "servers must be > 0 and finite; got 0"),
        ("servers=nan", "servers must be a number; got 'nan'"),
        ("sizes_gib=3", "sizes_gib must be a list such as [1, 2, 4]; got '3'"),
        ("quick=perhaps", "quick must be true or false; got 'perhaps'"),
        ("servers", "--set takes NAME=VALUE; got 'servers'"),
    ],
)
def test_a_bad_setting_is_named_and_nothing_written(
    notebook, tmp_path, setting, message
):
    out = tmp_path / "out"
    assert message in rerun(notebook, "--set", setting, "-o", out, status=2)
    assert not out.exists()


def test_all_bad_settings_come_at_once(notebook, tmp_path):
    stderr = rerun(
        notebook, "--set", "servrs=8", "--set", "servers=0", "-o", tmp_path, status=2
    )
    assert "servrs" in stderr
    assert "servers must be > 0" in stderr


def test_a_count_stays_whole(notebook, tmp_path):
    source = nbformat.read(notebook, as_version=4)
    source.cells[1].source = "disks = 64"
    nbformat.write(source, notebook)
    stderr = rerun(notebook, "--set", "disks=3.5", "-o", tmp_path, status=2)
    assert "disks must be whole; got 3.5" in stderr


@pytest.mark.parametrize("settings", [(), ("--set", "servers=8")])
def test_a_cell_that_fails_is_named_and_what_ran_is_kept(notebook, tmp_path, settings):
    source = nbformat.read(notebook, as_version=4)
    source.cells.append(new_code_cell("assert servers < 4, 'too many'"))
    nbformat.write(source, notebook)
    out = tmp_path / "out"
    for _ in range(2):
        stderr = rerun(notebook, *settings, "-o", out, status=2)
        assert "in cell 4: AssertionError: too many" in stderr
        assert "out/small-failed.ipynb has it as far as it ran" in stderr
        assert "Traceback" not in stderr
    (kept,) = out.iterdir()
    ran = nbformat.read(kept, as_version=4).cells
    texts = [o.get("text", "") for cell in ran for o in cell.get("outputs", ())]
    assert any("[1, 2] data.csv True" in text for text in texts)


def test_results_of_an_earlier_run_are_kept_unless_forced(notebook, tmp_path):
    rerun(notebook, "-o", tmp_path)
    first = (tmp_path / "small.ipynb").read_bytes()
    assert "exists" in rerun(notebook, "--set", "servers=8", "-o", tmp_path, status=2)
    assert (tmp_path / "small.ipynb").read_bytes() == first
    rerun(notebook, "--set", "servers=8", "-o", tmp_path, "--force")
    assert printed(tmp_path / "small.ipynb")[0].startswith("16.0")


def test_the_notebook_itself_is_never_overwritten(notebook):
    stderr = rerun(notebook, "-o", notebook.parent, "--force", status=2)
    assert "is the notebook itself" in stderr


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"cells": 3}', "vm,disk\n"])
def test_what_is_no_notebook_is_refused(tmp_path, content):
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    assert "is no Jupyter notebook" in rerun(path, "-o", tmp_path / "out", status=2)


def test_a_missing_notebook_is_named(tmp_path):
    stderr = rerun(tmp_path / "no.ipynb", status=2)
    assert "no.ipynb: there is no such file" in stderr


def test_a_pipe_is_refused_as_such(tmp_path):
    os.mkfifo(tmp_path / "pipe.ipynb")
    stderr = rerun(tmp_path / "pipe.ipynb", status=2)
    assert "pipe.ipynb: is a pipe, and no file" in stderr


def test_a_notebook_without_parameters_takes_none(tmp_path):
    path = tmp_path / "plain.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1")], metadata=KERNEL), path)
    stderr = rerun(path, "--set", "servers=1", "-o", tmp_path / "out", status=2)
    assert "has no cell tagged `parameters`" in stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_and_says_nothing(notebook, tmp_path, number):
    node = nbformat.read(notebook, as_version=4)
    node.cells[
        2
    ].source = "import pathlib, time; pathlib.Path('began').touch(); time.sleep(60)"
    nbformat.write(node, notebook)
    process = subprocess.Popen(
        [sys.executable, "-m", "vmbmodel", "rerun", notebook, "-o", tmp_path / "out"],
        stderr=subprocess.PIPE,
        text=True,
    )
    began = notebook.parent / "began"
    while not began.exists():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Kernel died" not in said
    assert "Task exception" not in said
    assert not (tmp_path / "out").exists()
