"""Run the notebooks and store what they give, the same bytes each time.

``python notebooks/refresh.py`` runs all of them, ``python notebooks/refresh.py
queue.ipynb`` those named, as many at a time as there are cores. Pictures are made
small: they are for who reads a notebook without the book, which draws them anew, and
nbval compares none. Timings and the version of Python are left out, and identifiers
that are drawn at random are counted instead. A notebook that fails or warns is left
as it was.

``python notebooks/refresh.py --cache FOLDER`` stores nothing in them, but runs them, or
those named after it, into a cache that the book is then built from.
"""

import io
import os
import re
import sys
import time
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

HERE = Path(__file__).parent
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
RANDOM = {
    re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"): "{:08x}"
    "-0000-0000-0000-000000000000",
    re.compile(r"T_[0-9a-f]{5}(?![0-9a-f])"): "T_{:05x}",
}


def run(path):
    """Run one notebook; return it, and what is wrong, if anything."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as problem:
        return notebook, str(problem)
    for number, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", ()):
            if output.output_type == "stream" and output.name == "stderr":
                problem = f"cell {number} writes to stderr: {output.text}"
                return notebook, problem
    return notebook, None


def refresh(path):
    """Run one notebook and write it back; return what is wrong, if anything."""
    notebook, problem = run(path)
    if problem is None:
        tidy(notebook)
        after = nbformat.writes(notebook) + "\n"
        if after != path.read_text("utf-8"):
            path.write_text(after, "utf-8")
    return problem


def keep(cache, path):
    """Run one notebook into a cache; return what is wrong, if anything."""
    from jupyter_cache.base import CacheBundleIn

    since = time.monotonic()
    notebook, problem = run(path)
    data = {"execution_seconds": time.monotonic() - since}
    bundle = CacheBundleIn(notebook, str(path.resolve()), data=data)
    if problem is None:
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    return problem


def tidy(notebook):
    """Take out of an executed notebook what differs from run to run."""
    notebook.metadata = {"kernelspec": KERNEL}
    notebook.nbformat_minor = 5
    numbers = {}
    for place, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{place:02d}"
        for output in cell.get("outputs", ()):
            if "data" in output:
                output.metadata.pop("drawings", None)
                for kind, text in output.data.items():
                    if kind == "image/png":
                        output.data[kind] = reduced(text)
                    else:
                        output.data[kind] = counted(text, numbers)
            elif "text" in output:
                output.text = counted(output.text, numbers)


def reduced(picture):
    """Return a picture in 64 colours, which takes a third of the bytes."""
    small = io.BytesIO()
    whole = Image.open(io.BytesIO(b64decode(picture))).convert("RGB")
    whole.quantize(64).save(small, format="png", optimize=True)
    return b64encode(small.getvalue()).decode() + "\n"


def counted(text, numbers):
    """Replace identifiers drawn at random by their place in the notebook."""
    if not isinstance(text, str):
        return text
    for pattern, form in RANDOM.items():
        known = numbers.setdefault(pattern, ({}, count(1)))

        def name(match, known=known, form=form):
            seen, fresh = known
            if match.group() not in seen:
                seen[match.group()] = form.format(next(fresh))
            return seen[match.group()]

        text = pattern.sub(name, text)
    return text


def main(names):
    """Refresh the notebooks named, or all; return the exit status."""
    os.environ.pop("MPLBACKEND", None)
    if names[:1] == ["--cache"]:
        from jupyter_cache import get_cache

        do, names = partial(keep, get_cache(names[1])), names[2:]
    else:
        os.environ.pop("VMBMODEL_FLEET", None)
        do = refresh
    paths = [Path(name) for name in names] or list(HERE.glob("*.ipynb"))
    paths = [path if path.exists() else HERE / path for path in paths]
    paths.sort(key=lambda path: path.stat().st_size, reverse=True)  # longest first
    failed = False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, problem in zip(paths, pool.map(do, paths), strict=True):
            failed |= problem is not None
            print(f"{path.name}: {problem or 'run'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
