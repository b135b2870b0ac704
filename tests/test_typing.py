"""What a type checker makes of the package, from a caller's side."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_types_are_those_of_the_arguments(cache):
    # a caller has the package installed, whose own lines are not checked
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"]
    done = subprocess.run(
        [*command, "--cache-dir", cache.mkdir("mypy"), HERE / "typing_use.py"],
        env=os.environ | {"MYPYPATH": str(HERE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
