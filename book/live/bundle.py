"""The files that the page loads: Python, packages and model, as scripts.

A browser that has opened a page from ``file://`` may fetch nothing but scripts. So each
part is a script that hands over one text: base64 of gzip of an index, a line of JSON,
and the files it names. Sources are compiled once, by the very Python that runs in the
page. What was compiled or packed is kept beside the runtime, by its digest. Two builds
give the same bytes.
"""

import base64
import fnmatch
import gzip
import hashlib
import importlib.util
import io
import json
import os
import re
import subprocess
import tempfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from live.notebook_page import CELLS, RUNNABLE, cells_of
from live.runtime import TABLE, Unavailable, cache_folder, node

__all__ = ["write_parts"]

HERE = Path(__file__).parent
SITE = "/lib/python3.12/site-packages"
LIBRARY = "/lib/python312.zip"
LOCK = {
    "info": {
        "abi_version": "2024_0",
        "arch": "wasm32",
        "platform": "emscripten_3_1_58",
        "python": "3.12.7",
        "version": "0.27.7",
    },
    "packages": {},
}
FOR_A_SYSTEM = (
    "__main__.py",
    "_cluster.py",
    "cli",
    "fleets.py",
    "rerun.py",
    "sweeps.py",
)
"""Parts of the package that ask for a terminal, a kernel or several processors."""
STOPPED = (1980, 1, 1, 0, 0, 0)
DATA = re.compile(r"data/[\w.-]+")
PATIENCE = 600  # seconds for Node.js, which compiles some 1,000 files
ZONES = re.compile(r"tzdata/zoneinfo/(?:[A-Z][\w+-]*/)*[A-Z][\w+-]*|tzdata/zones")


def write_parts(runtime, package, target):
    """Write the parts that a page loads into a folder, and return their sizes in bytes.

    Parameters
    ----------
    runtime : Path
        Folder with the files of the table, checked.
    package : Path
        Folder of the model.
    target : Path
        Folder to write to.

    Raises
    ------
    Unavailable
        If there is no Node.js to compile with, or it fails.
    """
    sources, spare = {"python": {}, "packages": {}, "model": {}}, {}
    for name, about in TABLE["files"].items():
        if name.endswith((".zip", ".whl")):
            taken = members(runtime / name, about)
            sources[about["part"]] |= taken
            spare |= dict.fromkeys(taken, 2 * about.get("bare", False))
    sources["packages"] |= {
        name: text.lstrip().encode() for name, text in TABLE["instead"].items()
    }
    sources["packages"] |= zones()
    sources["model"] = model(package)
    compiled = compile_all(runtime, sources, spare)
    parts = {"packages": compiled["packages"], "model": compiled["model"]}
    parts["python"] = {
        name: (runtime / name).read_bytes()
        for name, about in TABLE["files"].items()
        if about["part"] == "python" and not name.endswith(".zip")
    }
    parts["python"]["python_stdlib.zip"] = stored(compiled["python"])
    parts["python"]["pyodide-lock.json"] = json.dumps(LOCK).encode()
    parts["python"]["worker.js"] = (HERE / "worker.js").read_bytes()
    target.mkdir(parents=True, exist_ok=True)
    (target / "licences.txt").write_text(licences(runtime), "utf-8")
    digests = {}
    for part, files in parts.items():
        data = packed(files)
        digests[part] = hashlib.sha256(data).hexdigest()
        (target / f"{part}.js").write_text(script(part, data), "ascii")
    known = f"const vmbmodelDigests = {json.dumps(digests, sort_keys=True)};\n"
    (target / "live.js").write_text(known + (HERE / "live.js").read_text("utf-8"))
    return {part: (target / f"{part}.js").stat().st_size for part in parts}


def members(path, about):
    """Return what is taken of an archive: the bytes of its files, by name.

    Raises
    ------
    ValueError
        If a pattern of the table fits nothing, and so is wrong.
    """
    taken, used = {}, set()
    keep, drop = about.get("keep", ["*"]), about.get("drop", [])
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            kept = [p for p in keep if fnmatch.fnmatchcase(name, p)]
            dropped = [p for p in drop if fnmatch.fnmatchcase(name, p)]
            used |= {*kept, *dropped}
            if kept and not dropped and not name.endswith("/"):
                taken[name] = archive.read(name)
    if idle := sorted({*keep, *drop} - used):
        raise ValueError(
            f"runtime.toml: {path.name} has nothing like {', '.join(idle)}"
        )
    return taken


def licences(runtime):
    """Return the licence texts of all that the page runs, one below the other.

    Wheels carry theirs, and so does the package of the zones; those of the other files,
    which come without, are in the folder ``licences`` by their names in the table.
    """
    texts = [
        f"{path.stem}\n\n{path.read_text('utf-8')}"
        for path in sorted(HERE.joinpath("licences").glob("*.txt"))
    ]
    for name in TABLE["files"]:
        if name.endswith(".whl"):
            with zipfile.ZipFile(runtime / name) as archive:
                texts += [
                    f"{name}\n\n{archive.read(entry).decode()}"
                    for entry in sorted(archive.namelist())
                    if fnmatch.fnmatchcase(entry, "*.dist-info/LICEN*")
                ]
    texts += [
        f"tzdata\n\n{path.read_text('utf-8')}"
        for path in distribution("tzdata").files
        if path.name.startswith("LICEN")
    ]
    return f"\n{'-' * 80}\n".join(texts)


def model(package):
    """Return the files of the package, and of the page's own modules."""
    found = {
        f"vmbmodel/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file()
        and path.suffix != ".pyc"
        and path.relative_to(package).parts[0] not in FOR_A_SYSTEM
    }
    ours = ("fleet_page.py", "notebook_page.py")
    found |= {f"live/{name}": (HERE / name).read_bytes() for name in ours}
    return found | notebooks(package.parent / "notebooks")


def notebooks(folder):
    """Return the cells of the notebooks that run in the page, and what they read."""
    found = {}
    for name in RUNNABLE:
        cells = cells_of((folder / f"{name}.ipynb").read_text("utf-8"))
        found[f"live/{CELLS}/{name}.json"] = json.dumps(cells).encode()
        for file in sorted(set(DATA.findall(json.dumps(cells)))):
            found[f"live/{CELLS}/{file}"] = (folder / file).read_bytes()
    return found


def zones():
    """Return the table of time zones that the builder's own Python has."""
    root = Path(importlib.util.find_spec("tzdata").origin).parents[1]
    found = {"tzdata/__init__.py": b"", "tzdata/zoneinfo/__init__.py": b""}
    for path in sorted((root / "tzdata").rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and ZONES.fullmatch(name):
            found[name] = path.read_bytes()
            found.setdefault(f"{name.rpartition('/')[0]}/__init__.py", b"")
    return found


def compile_all(runtime, sources, spare):
    """Return the parts with each source in the place of which stands its bytecode."""
    folder = cache_folder() / "compiled"
    recipe = (HERE / "compile.js").read_bytes() + json.dumps(LOCK).encode()
    wanted, result = {}, {}
    for part, files in sources.items():
        root = LIBRARY if part == "python" else SITE
        for name, data in files.items():
            if name.endswith(".py"):
                place = f"{root}/{name}"
                how = [place, spare.get(name, 0)]
                known = hashlib.sha256(recipe + json.dumps(how).encode() + data)
                wanted[part, name] = how, folder / f"{known.hexdigest()}.pyc", data
    missing = [entry for entry in wanted.values() if not entry[1].is_file()]
    if missing:
        run_node(runtime, missing)
    for part, files in sources.items():
        result[part] = {
            f"{name}c" if name.endswith(".py") else name: (
                wanted[part, name][1].read_bytes() if name.endswith(".py") else data
            )
            for name, data in files.items()
        }
    return result


def run_node(runtime, missing):
    """Compile what is not kept yet."""
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        names = []
        for number, (how, _, data) in enumerate(missing):
            (scratch / str(number)).write_bytes(data)
            names.append([str(number), *how])
        (scratch / "files.json").write_text(json.dumps(names))
        (scratch / "lock.json").write_text(json.dumps(LOCK))
        command = [node(), str(HERE / "compile.js"), str(runtime), str(scratch)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"Node.js cannot compile: {error}") from None
        if done.returncode:
            said = done.stderr.strip() or f"it ended with {done.returncode}"
            raise Unavailable(f"Node.js cannot compile: {said}")
        for number, (_, kept, _) in enumerate(missing):
            keep(kept, (scratch / str(number)).read_bytes())


def stored(files):
    """Return a zip of files that are not packed, which Python imports from quickest."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, STOPPED), files[name])
    return data.getvalue()


def packed(files):
    """Return files and their index under gzip.

    That takes a while, so that what was packed is kept.
    """
    names = sorted(files)
    index = json.dumps([[name, len(files[name])] for name in names]) + "\n"
    whole = index.encode() + b"".join(files[name] for name in names)
    known = hashlib.sha256(whole).hexdigest()
    kept = cache_folder() / "packed" / f"{known}.gz"
    if not kept.is_file():
        keep(kept, gzip.compress(whole, mtime=0))
    return kept.read_bytes()


def script(part, data):
    """Return the script that hands a part over; it does so whole or not at all."""
    return f'vmbmodelPart("{part}", "{base64.b64encode(data).decode()}");\n'


def keep(path, data):
    """Write a file of the cache whole or not at all, whoever else writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_bytes(data)
    beside.replace(path)
