"""On the page of each notebook, how to run it again, in a strip under its title.

It has the command with parameters of the notebook filled in, the notebook to download,
and what of it can be asked in the book itself: the figure that moves in its chapter, or
else the page for a fleet of one's own. A notebook that needs no more than the Python of
the book is run in its page. Where the book has no Python, all that is left out.
"""

import re
import shlex
from pathlib import Path

from docutils import nodes
from live_page import HOME, notebook_html, parameters, up
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

MOVING = re.compile(r"^`{3,}\{moving-figure\} \S+ (\S+?)::", re.M)
FOLDER = "mine"
SHOWN = 2
"""Parameters that the command sets; the page has all of them."""


class Strip(SphinxTransform):
    """Put the strip under the title of a notebook."""

    default_priority = 200  # before references are resolved

    def apply(self):
        """Say how the notebook of this page is run again."""
        env = self.env
        path = Path(env.doc2path(env.docname))
        title = self.document.next_node(nodes.title)
        if path.suffix != ".ipynb" or title is None:
            return
        how = nodes.paragraph("", "Run it again with numbers of your own, in ")
        how += [page("/book/try", "a copy of the project"), nodes.Text(":")]
        text = command(f"{env.docname}.ipynb", parameters(path))
        block = nodes.literal_block(text, text, language="sh")
        more = nodes.paragraph("", "", download(path.name))
        if env.app.live_sizes:
            chapter = env.moving_figures.get(env.docname)
            more += nodes.Text(". Here in the book, ")
            if chapter:
                more += [
                    nodes.Text("its leading figure moves in "),
                    page(f"/{chapter}"),
                ]
            else:
                more += page("/book/your-fleet", "ask about a fleet of your own")
        more += nodes.Text(".")
        strip = nodes.container("", how, block, more, classes=["run-again"])
        here = notebook_html(path.stem, up(env.docname) + HOME, env.app.live_sizes)
        if here:
            strip += nodes.raw("", here, format="html")
        title.parent.insert(title.parent.index(title) + 1, strip)


def command(notebook, given):
    """Return the command, a line a part, with parameters of the notebook to change."""
    order = sorted(given, key=lambda name: rank(given[name]))[:SHOWN]
    parts = ["vmbmodel rerun", notebook]
    for name in order:
        value = "my-fleet.csv" if given[name] is None else given[name]
        parts.append(f"--set {shlex.quote(f'{name}={value}')}")
    return " \\\n  ".join([*parts, f"-o {FOLDER}"])


def rank(value):
    """Return how late a parameter comes: a file of the reader's, numbers, the rest."""
    return 0 if value is None else 1 if isinstance(value, int | float) else 2


def page(docname, text=""):
    """Return a link to a page of the book, by its title if no text is given."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", text),
        refdomain="std",
        reftype="doc",
        reftarget=docname,
        refexplicit=bool(text),
        refwarn=True,
    )


def download(name):
    """Return a link that hands over the notebook."""
    return addnodes.download_reference(
        "", "", nodes.Text("Download this notebook"), reftarget=name, refexplicit=True
    )


def note_figures(app, env, _docnames):
    """Take down which chapter has the moving figure of a notebook."""
    env.moving_figures = {}
    for docname in sorted(env.found_docs):
        path = Path(env.doc2path(docname))
        if path.suffix == ".md":
            for notebook in MOVING.findall(path.read_text("utf-8")):
                _, file = env.relfn2path(notebook, docname)
                env.moving_figures[env.path2doc(file)] = docname


def setup(app):
    """Register what puts the strip."""
    app.add_transform(Strip)
    app.connect("env-before-read-docs", note_figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
