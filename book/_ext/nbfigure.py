"""A figure of a notebook in a chapter: captioned, numbered, with an alt text.

.. code-block:: md

    ```{nbfigure} ../notebooks/queue.ipynb::wait-curve
    :name: fig-wait
    :alt: Mean wait against arrivals, three curves that rise ever more steeply.

    Mean wait against arrivals, for 2, 4 and 8 data movers.
    ```

The notebook shows the figure under that name. Caption and alt text may quote numbers.
A figure stands once: on the page of its notebook a link to the chapter takes its place.

It is drawn within the page, wide and narrow, of which a screen shows one. Each of its
colours, such as #0072b2, is a variable of the style sheet, here ``--fig-0072b2``, so
that a dark page can have another.
"""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.ext.glue.utils import (
    PendingGlueReference,
    PendingGlueReferenceError,
    create_pending_glue_ref,
)
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

SHOWN = re.compile(
    r"^`{3,}\{nbfigure\} (\S+)::(\S+)\n(?::\w+:.*\n)*?:name: (\S+)$", re.M
)
KEPT_WHITE = "#ffffff"
"""Names on dark shades stay white where a page is dark."""


class Drawings(nodes.General, nodes.Element):
    """A figure as SVG, wide and narrow, with its alt text."""


class AltText(nodes.literal):
    """The alt text of a figure, until the numbers in it are known.

    A literal, because nothing may change the quotes in it.
    """


class NbFigure(SphinxDirective):
    """Place a glued figure of another document."""

    required_arguments = 1
    has_content = True
    option_spec = {  # noqa: RUF012 (docutils' own way)
        "name": directives.unchanged_required,
        "alt": directives.unchanged_required,
    }

    def run(self):
        """Make a figure around a reference that is filled in at the end."""
        document, separator, key = self.arguments[0].partition("::")
        if not separator or not key:
            raise self.error("nbfigure needs NOTEBOOK::KEY")
        for option in ("name", "alt"):
            if not self.options.get(option, "").strip():
                raise self.error(f"nbfigure {key} needs a :{option}:")
        if not self.content:
            raise self.error(f"nbfigure {key} needs a caption")
        source, line = self.get_source_info()
        try:
            pending = create_pending_glue_ref(
                self.state.document, source, line, document, key
            )
        except PendingGlueReferenceError as problem:
            raise self.error(str(problem)) from None
        # rebuilt with the notebook, or the picture would stay yesterday's
        self.env.note_dependency(self.env.doc2path(pending.refdoc))

        figure = nodes.figure("", pending)
        figure.source, figure.line = source, line
        figure += AltText("", "", *self.parse_inline(self.options["alt"].strip())[0])
        parsed = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        first, *legend = parsed.children
        figure += nodes.caption(first.rawsource, "", *first.children)
        if legend:
            figure += nodes.legend("", *legend)
        self.add_name(figure)
        return [figure]


class Draw(SphinxPostTransform):
    """Fill the references of figures, before MyST-NB does so with pictures."""

    default_priority = 4

    def run(self):
        """Put drawings for the references that name some."""
        for figure in self.document.findall(nodes.figure):
            for pending in list(figure.findall(PendingGlueReference)):
                made = glued(self.env, pending.refdoc).get(pending.key)
                if made:  # a name that is unknown is told by MyST-NB
                    pending.replace_self(Drawings("", key=pending.key, **made))


class Once(SphinxTransform):
    """On the page of a notebook, link the figures that a chapter shows."""

    default_priority = 840  # before Sphinx takes down what has a name

    def apply(self):
        """Put a link, or the drawings, where a cell shows a picture."""
        bundles = [
            bundle
            for bundle in self.document.findall(nodes.container)
            if bundle.get("nb_element") == "mime_bundle"
            and next(bundle.findall(nodes.image), None) is not None
        ]
        made = glued(self.env, self.env.docname)
        if len(bundles) != len(made):
            return  # pictures that are not from `show`
        for bundle, (key, drawings) in zip(bundles, made.items(), strict=True):
            place = self.env.nbfigures.get((self.env.docname, key))
            if place is None:
                alt = next(bundle.findall(nodes.image)).get("alt", "")
                bundle.replace_self(Drawings("", key=key, alt=alt, **drawings))
            else:
                figure = bundle.parent
                whole = figure if isinstance(figure, nodes.figure) else bundle
                whole.replace_self(self.link(*place))

    def link(self, docname, label):
        """Return a sentence that leads to the figure of a chapter."""
        wanted = {"refdomain": "std", "refdoc": self.env.docname, "refwarn": True}
        number = addnodes.pending_xref(
            "", nodes.inline(), reftype="numref", reftarget=label, **wanted
        )
        title = addnodes.pending_xref(
            "", nodes.inline(), reftype="doc", reftarget=f"/{docname}", **wanted
        )
        for reference in (number, title):
            reference["refexplicit"] = False
        return nodes.paragraph("", "", number, nodes.Text(" of "), title)


def glued(env, docname, what="drawings"):
    """Return what a notebook that was run has kept beside its figures, by their key.

    Those are their drawings; or, as ``moves``, what a figure that moves begins with.
    """
    path = Path(env.mystnb_config.output_folder, f"{docname}.glue.json")
    if not path.exists():
        return {}
    kept = json.loads(path.read_text("utf-8"))
    return {
        key: output["metadata"][what]
        for key, output in kept.items()
        if what in output["metadata"]
    }


def note_figures(app, env, _docnames):
    """Take down which chapter shows which figure, before a page is read."""
    env.nbfigures = {}
    for docname in sorted(env.found_docs):
        path = Path(env.doc2path(docname))
        if path.suffix != ".md":
            continue
        for notebook, key, label in SHOWN.findall(path.read_text("utf-8")):
            _, filepath = env.relfn2path(notebook, docname)
            env.nbfigures[env.path2doc(filepath), key] = docname, label


def put_alt(app, doctree, docname):
    """Give the drawings that arrived the alt text of their figure."""
    for alt in list(doctree.findall(AltText)):
        figure = alt.parent
        figure.remove(alt)
        drawings = list(figure.findall(Drawings))
        if len(drawings) != 1:
            logger.warning(
                "nbfigure: %d drawings under %s, not one",
                len(drawings),
                figure["names"] or figure["ids"],
                location=figure,
            )
        for drawing in drawings:
            drawing["alt"] = alt.astext()


def visit_drawings(writer, node):
    """Write both drawings; the style sheet shows one."""
    for width in ("wide", "narrow"):
        head = f'<svg class="fig {width}" role="img" aria-label="{escape(node["alt"])}"'
        svg = within_page(node[width], f"{node['key']}-{width}-")
        writer.body.append(svg.replace("<svg", head, 1))
    raise nodes.SkipNode


def within_page(svg, prefix):
    """Return a drawing of matplotlib's as a part of a page, with its colours and font.

    The prefix keeps its names apart from those of other drawings.
    """
    svg = re.sub(r"^.*?(?=<svg)|<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r"<defs>\s*<style.*?</defs>\s*", "", svg, count=1, flags=re.S)
    svg = re.sub(r'<g id="[^"]*_\d+">', "<g>", svg)
    svg = re.sub(r'( id="|"#|url\(#)', rf"\1{prefix}", svg)
    svg = re.sub(r" ?font-family: [^;\"]*;?", "", svg)
    svg = re.sub(r"\s*\n\s*", " ", svg)
    return re.sub(r"#[0-9a-f]{6}\b", lambda match: variable(match.group()), svg)


def variable(colour):
    """Return a colour as the style sheet may change it."""
    if colour == KEPT_WHITE:
        return colour
    return f"var(--fig-{colour[1:]}, {colour})"


def setup(app):
    """Register the directive, and what fills it."""
    app.add_directive("nbfigure", NbFigure)
    app.add_node(Drawings, html=(visit_drawings, None))
    app.add_transform(Once)
    app.add_post_transform(Draw)
    app.connect("env-before-read-docs", note_figures)
    app.connect("doctree-resolved", put_alt)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
