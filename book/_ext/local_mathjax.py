"""MathJax inside the site: equations are drawn without a network.

The files come from the installed package, whose own extension would copy all
24 MB of them; a page needs the part listed here. The package is shipped without
the licence text, which belongs to the copy.
"""

import shutil
from importlib.metadata import distribution
from pathlib import Path

PARTS = ["tex-chtml.js", "input/tex/extensions", "output/chtml/fonts/woff-v2"]
NOTICE = """\
MathJax 3.2.2, copyright the MathJax Consortium, https://www.mathjax.org
Unmodified, under the Apache License, Version 2.0, which follows.

"""


def copy_mathjax(app):
    """Copy what pages load to ``_static/mathjax`` before the first page is written."""
    if app.builder.format != "html":
        return
    source = _installed("sphinx-mathjax-offline", "tex-chtml.js").parent
    target = Path(app.outdir, "_static", "mathjax")
    for part in PARTS:
        origin, copy = source / part, target / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, copy, dirs_exist_ok=True)
        else:
            shutil.copyfile(origin, copy)
    # any package of the book's under the same licence carries the same text
    licence = _installed("requests", "LICENSE").read_text("utf-8")
    if "Apache License" not in licence:
        raise RuntimeError("the licence copied beside MathJax is not Apache's")
    (target / "LICENSE").write_text(NOTICE + licence, "utf-8")


def _installed(package, name):
    """Return the path of a file that a package installed."""
    for path in distribution(package).files:
        if path.name == name:
            return Path(path.locate())
    raise RuntimeError(f"the package {package} has no file {name}")


def setup(app):
    """Copy at the start, so that Sphinx finds the script it links."""
    app.connect("builder-inited", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
