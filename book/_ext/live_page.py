"""The page that computes: the sample's answer from the build, and Python for the rest.

```{fleet-page}
```

shows what the package says of the sample, and puts beside the page what it needs to
answer for any other fleet. Where that cannot be had, the page says so and stays as it
is, and the build says why. ``{runtime-table}`` lists what is shipped, with licences.
"""

import ast
import html
import json
import shutil
import sys
from pathlib import Path

from docutils import nodes
from model_tables import ModelTable, code, plain
from nbfigure import glued
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).parents[1]
sys.path.insert(0, str(BOOK))

from live import bundle, fleet_page, runtime  # noqa: E402
from live.notebook_page import RUNNABLE  # noqa: E402

LOG = logging.getLogger(__name__)
HOME = "_static/live"
POLICY = "; ".join(
    [
        "default-src 'self' file: data: blob: 'unsafe-inline' 'unsafe-eval'",
        "connect-src 'none'",  # no fetch, no socket, no beacon, of page and worker
        "form-action 'self' file:",  # the search of the book is a form
        "object-src 'none'",
        "base-uri 'none'",
    ]
)
WITHOUT = (
    "This copy of the book was built without the Python that the page needs to answer "
    "for your own fleet, and so it shows the sample only. CONTRIBUTING.md says how to "
    "build it with that."
)
NO_SCRIPT = (
    "scripts are off in this browser, or it is older than 2023, or a script is missing "
    "from this copy of the book or damaged. Turn them on, or copy the book's folder "
    "anew."
)
WITHOUT_SCRIPT = (
    f"This is the answer for the sample, and nothing can be asked: {NO_SCRIPT}"
)
FIXED = f"The figure above cannot be moved: {NO_SCRIPT}"
NOT_HERE = f"This notebook cannot be run in this page: {NO_SCRIPT}"
"""Stand there until a script takes them away."""


class FleetPage(SphinxDirective):
    """The sample's answer, and the place where the script puts its controls."""

    def run(self):
        """Compute the answer, and mark the page as one that may not connect."""
        self.env.metadata[self.env.docname]["may_not_connect"] = True
        sizes = self.env.app.live_sizes
        text = page_html(up(self.env.docname) + HOME, sizes)
        raw = nodes.raw("", text, format="html")
        if sizes:
            return [raw]
        said = nodes.paragraph(WITHOUT, WITHOUT)
        return [nodes.note("", said, classes=["fleet-without"]), raw]


def page_html(home, sizes):
    """Return the sample's answer and the script of the page, if there is Python for it.

    Parameters
    ----------
    home : str
        Where the files of the page are, as seen from it.
    sizes : Mapping[str, int]
        Bytes of the parts; none if Python is not to be had.
    """
    session = fleet_page.Session()
    session.ask({})
    found = session.check()["html"]
    head = session.doubt()["head"]
    body = fleet_page.body_html(session.answer)
    script = alone = ""
    if sizes:
        script = scripts(home, "live", "page")
        alone = still(WITHOUT_SCRIPT)
    return (
        f'<link rel="stylesheet" href="{home}/page.css"/>'
        f'<div id="fleet-page" data-parts="{home}/" '
        f'data-size="{sum(sizes.values()) / 1e6:.0f} MB">'
        f'{alone}<div class="fleet-head">{head}</div>'
        f'<div class="fleet-answer">{body}{found}</div></div>{script}'
    )


class Moving(nodes.General, nodes.Element):
    """The place of a figure that moves, until its notebook was run."""


class MovingFigure(SphinxDirective):
    """A figure that a reader can move, below the printed one of a notebook.

    It is called by the name of its function, and begins with what that was given for
    the printed one: ``{moving-figure} jam ../notebooks/jam.ipynb::jam_fig``.
    """

    required_arguments = 2

    def run(self):
        """Return the place of the figure; nothing where there is no Python for it."""
        name, printed = self.arguments
        notebook, _, key = printed.partition("::")
        _, path = self.env.relfn2path(notebook)
        self.env.note_dependency(path)
        if not self.env.app.live_sizes:
            return []
        place = Moving("", name=name, notebook=self.env.path2doc(path), key=key)
        place.source, place.line = self.get_source_info()
        return [place]


class Begin(SphinxPostTransform):
    """Let the figures that move begin with what the printed ones were given."""

    default_priority = 4

    def run(self):
        """Put the place that the script fills, and once a page the script."""
        home = up(self.env.docname) + HOME
        code = scripts(home, "live", "figure")
        for place in list(self.document.findall(Moving)):
            given = glued(self.env, place["notebook"], "moves").get(place["key"])
            if given is None:
                LOG.warning(
                    "moving-figure: %s shows no %s that moves",
                    place["notebook"],
                    place["key"],
                    location=place,
                )
                place.parent.remove(place)
                continue
            text = figure_html(place["name"], given, home, self.app.live_sizes)
            place.replace_self(nodes.raw("", text + code, format="html"))
            code = ""


def figure_html(name, given, home, sizes):
    """Return the place of a figure, with the settings it begins with."""
    megabytes = f"{sum(sizes.values()) / 1e6:.0f} MB"
    begun = html.escape(json.dumps(given))
    return (
        f'<link rel="stylesheet" href="{home}/page.css"/>'
        f'<div class="moving" data-figure="{name}" data-parts="{home}/" '
        f'data-size="{megabytes}" data-given="{begun}">{still(FIXED)}</div>'
    )


def notebook_html(name, home, sizes):
    """Return the place in which a notebook is run, if the page's Python can do that."""
    if not sizes or name not in RUNNABLE:
        return ""
    return (
        f'<link rel="stylesheet" href="{home}/page.css"/>'
        f'<div class="notebook-here" data-notebook="{name}" data-parts="{home}/" '
        f'data-size="{sum(sizes.values()) / 1e6:.0f} MB">{still(NOT_HERE)}</div>'
        + scripts(home, "live", "notebook")
    )


def parameters(notebook):
    """Return the parameters of a notebook, by name; one that is computed is None."""
    cells = json.loads(Path(notebook).read_text("utf-8"))["cells"]
    (cell,) = (c for c in cells if "parameters" in c["metadata"].get("tags", ()))
    found = {}
    for part in ast.parse("".join(cell["source"])).body:
        if isinstance(part, ast.AnnAssign | ast.Assign):
            target = part.target if isinstance(part, ast.AnnAssign) else part.targets[0]
            computed = any(isinstance(node, ast.Call) for node in ast.walk(part.value))
            found[target.id] = None if computed else ast.literal_eval(part.value)
    return found


def still(said):
    """Return what stands in the place of controls until a script makes those."""
    return f'<p class="without-script">{said}</p>'


def scripts(home, *names):
    """Return the scripts of a page, in their order."""
    return "".join(f'<script src="{home}/{name}.js"></script>' for name in names)


class RuntimeTable(ModelTable):
    """What the page is made of, and under which licence."""

    def run(self):
        """Return the table, and where the texts of the licences are."""
        rows = [
            (
                [],
                [
                    code(name),
                    plain(row["what"]),
                    plain(row["licence"]),
                    link(row["home"]),
                ],
            )
            for name, row in runtime.TABLE["files"].items()
        ]
        heads = ["file", "what it is", "licence", "home"]
        shown = [self.table(heads, [35, 30, 15, 20], rows)]
        if self.env.app.live_sizes:
            texts = f"{up(self.env.docname)}{HOME}/licences.txt"
            shown.append(nodes.paragraph("", "", *link(texts, "The licences, whole.")))
        return shown


def link(address, said=None):
    """Return a link as the nodes of a cell."""
    return [nodes.reference("", said or address, refuri=address)]


def up(page):
    """Return the way from a page to the root of the site."""
    return "../" * page.count("/")


def write(app):
    """Write what the page loads, before any page is read."""
    app.live_sizes = {}
    if app.builder.format != "html":
        return
    target = Path(app.outdir, HOME)
    target.mkdir(parents=True, exist_ok=True)
    for name in ("figure.js", "live.js", "notebook.js", "page.css", "page.js"):
        shutil.copyfile(BOOK / "live" / name, target / name)
    try:
        folder = runtime.obtained()
        app.live_sizes = bundle.write_parts(folder, BOOK.parent / "vmbmodel", target)
    except runtime.Unavailable as why:
        LOG.info("book/your-fleet.md is built without Python: %s", why)


def forbid(app, page, template, context, doctree):
    """Forbid connections to a page that takes a reader's own data."""
    if doctree is not None and "may_not_connect" in app.env.metadata[page]:
        policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>'
        context["metatags"] = policy + context.get("metatags", "")


def setup(app):
    """Register the directives."""
    app.add_directive("fleet-page", FleetPage)
    app.add_directive("moving-figure", MovingFigure)
    app.add_directive("runtime-table", RuntimeTable)
    app.add_post_transform(Begin)
    app.connect("builder-inited", write)
    app.connect("html-page-context", forbid)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
