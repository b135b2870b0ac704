"""The licences of all that the built site ships, in one file beside it.

A file under ``_static`` that belongs to nobody named here stops the build, so that
nothing comes in unseen. MathJax has its licence in its own folder, see
`local_mathjax`, and so has Pyodide, see `live_page`; ``LICENSE`` of the project is that
of the rest.
"""

from fnmatch import fnmatch
from importlib.metadata import distribution
from pathlib import Path

OWN = "vmbmodel"
SHIPPED = {  # distribution, or what it brings along: its files under _static
    OWN: (
        "a11y.js",
        "book.css",
        "*-vms.svg",
        "LICENSES.txt",
        "live/figure.js",
        "live/live.js",
        "live/notebook.js",
        "live/model.js",
        "live/page.*",
    ),
    "sphinx": (
        "basic.css",
        "doctools.js",
        "documentation_options.js",
        "file.png",
        "graphviz.css",
        "language_data.js",
        "minus.png",
        "plus.png",
        "searchtools.js",
        "sphinx_highlight.js",
    ),
    "pygments": ("pygments.css",),
    "pydata-sphinx-theme": (
        "scripts/pydata-*",
        "scripts/bootstrap.*",
        "scripts/fontawesome.*",
        "styles/pydata-*",
        "styles/theme.css",
        "vendor/fontawesome/*",
        "webpack-macros.html",
    ),
    "sphinx-book-theme": (
        "images/logo_*",
        "locales/*",
        "sbt-webpack-macros.html",
        "scripts/sphinx-book-theme.*",
        "styles/sphinx-book-theme.*",
    ),
    "sphinx-copybutton": (
        "check-solid.svg",
        "clipboard.min.js",
        "copy-button.svg",
        "copybutton*",
    ),
    "sphinx-design": ("design-tabs.js", "sphinx-design.*"),
    "sphinx-exercise": ("exercise.css",),
    "sphinx-proof": ("proof.css",),
    "sphinx-togglebutton": ("togglebutton.*",),
    "myst-nb": ("mystnb.*",),
    "MathJax": ("mathjax/*",),
    "Pyodide": ("live/licences.txt", "live/packages.js", "live/python.js"),
}
ALONG = """\
Brought along by pydata-sphinx-theme: Bootstrap, MIT, https://getbootstrap.com,
Copyright 2011-2024 The Bootstrap Authors, and in it Popper, MIT,
https://popper.js.org, Copyright (c) 2019 Federico Zivolo; Font Awesome Free,
https://fontawesome.com, Copyright 2024 Fonticons, Inc., icons under CC BY 4.0, fonts
under SIL OFL 1.1, code under MIT. By sphinx-copybutton: clipboard.js, MIT,
https://clipboardjs.com, Copyright Zeno Rocha. The words of the MIT licence stand below,
under sphinx-copybutton. By sphinx-book-theme: the logos of the services that they name.
MathJax, Apache 2.0: mathjax/LICENSE. Pyodide, MPL 2.0, https://pyodide.org, and what it
runs: live/licences.txt and the page "Your fleet in this page"; names of Windows time
zones in the model, of Unicode CLDR, under Unicode-3.0.
"""


def owner(name):
    """Return whose a file under ``_static`` is; empty if nobody is known."""
    found = (o for o, files in SHIPPED.items() if any(fnmatch(name, f) for f in files))
    return next(found, "")


def licence(package):
    """Return the text of the licence that a package came with."""
    for path in distribution(package).files or ():
        if path.name.upper().startswith(("LICENSE", "LICENCE")):
            return Path(path.locate()).read_text("utf-8").strip()
    raise RuntimeError(f"{package} ships no text of its licence")


def write_licences(app, exception):
    """Write what each owner of a file of the site says of its use."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    names = [p.relative_to(static).as_posix() for p in static.rglob("*") if p.is_file()]
    unknown = sorted(name for name in names if not owner(name))
    if unknown:
        raise RuntimeError(f"whose are these files of the site? {', '.join(unknown)}")
    owners = {owner(name) for name in names} - {"MathJax", "Pyodide", OWN}
    own = Path(app.srcdir, "LICENSE").read_text("utf-8").strip()
    parts = [f"{OWN}\n\n{own}", ALONG.strip()]
    parts += [f"{package}\n\n{licence(package)}" for package in sorted(owners)]
    rule = f"\n\n{'-' * 72}\n\n"
    (static / "LICENSES.txt").write_text(rule.join(parts) + "\n", "utf-8")


def setup(app):
    """Write last, when all files are there."""
    app.connect("build-finished", write_licences)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
