"""nbval keeps the notebooks true: a number that is not the model's makes it fail."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from slow import after

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "start.ipynb"


def nbval(path):
    """Compare a notebook with its stored outputs, as `make test` does."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("--nbval", "--nbval-current-env"),
            *("--nbval-sanitize-with", ROOT / "nbval.cfg", path),
        ],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def copy(tmp_path):
    (tmp_path / "data").symlink_to(NOTEBOOK.parent / "data")
    path = tmp_path / NOTEBOOK.name
    path.write_bytes(NOTEBOOK.read_bytes())
    return path


def falsified(path, change):
    """Change one stored text of the notebook; return the number of its cell."""
    notebook = json.loads(path.read_text("utf-8"))
    code = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    for number, cell in enumerate(code):
        for output in cell["outputs"]:
            for kind, text in output.get("data", {}).items():
                changed = change(kind, text)
                if changed != text:
                    output["data"][kind] = changed
                    path.write_text(json.dumps(notebook), "utf-8")
                    return number
    raise AssertionError("nothing to falsify")


def in_a_table(kind, text):
    """Move the last digit of the first number of a table by one."""
    if kind != "text/plain" or "hours" not in "".join(text):
        return text
    digit = re.search(r"(\d+\.\d)(\d)", "".join(text))
    other = str((int(digit[2]) + 1) % 10)
    return "".join(text).replace(digit[0], digit[1] + other, 1)


def in_the_prose(kind, text):
    """Change a number that the first page quotes."""
    return "'23:30'" if "".join(text) == "'23:00'" else text


@pytest.mark.parametrize("change", after(1, [in_a_table, in_the_prose]))
def test_a_falsified_number_fails(copy, change):
    number = falsified(copy, change)
    done = nbval(copy)
    assert done.returncode == 1, done.stdout
    assert re.findall(r"^FAILED .*::Cell (\d+)", done.stdout, re.M) == [str(number)]
    assert "1 failed" in done.stdout


def test_a_copy_made_as_the_page_on_ci_says_has_all_that_notebooks_read(tmp_path):
    blocks = re.findall(
        r"```sh\n(.*?)```", (ROOT / "book/ci.md").read_text("utf-8"), re.S
    )
    (block,) = [block for block in blocks if "nbval" in block]
    (tmp_path / "vmbmodel").symlink_to(ROOT)
    (tmp_path / "my-backups").mkdir()
    copying = block.partition("cd my-backups\n")[0]
    subprocess.run(["bash", "-e", "-c", copying], cwd=tmp_path, check=True)
    folder = tmp_path / "my-backups/notebooks"
    read = re.compile(r"\"((?:\.\./|data/)[\w./-]+)\"")
    for path in sorted(folder.glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        for name in read.findall(code):
            assert (folder / name).exists(), f"{path.name} reads {name}"
