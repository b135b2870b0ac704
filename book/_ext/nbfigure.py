"""A figure of a notebook in a chapter: captioned, numbered, with an alt text.

.. code-block:: md

    ```{nbfigure} ../notebooks/queue.ipynb::wait-curve
    :name: fig-wait
    :alt: Mean wait against arrivals, three curves that rise ever more steeply.

    Mean wait against arrivals, for 2, 4 and 8 data movers.
    ```

The notebook shows the figure under that name. Caption and alt text may quote numbers.
"""

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.ext.glue.utils import PendingGlueReferenceError, create_pending_glue_ref
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)


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


def put_alt(app, doctree, docname):
    """Give the images that arrived the alt text of their figure."""
    for alt in list(doctree.findall(AltText)):
        figure = alt.parent
        figure.remove(alt)
        images = list(figure.findall(nodes.image))
        if len(images) != 1:
            logger.warning(
                "nbfigure: %d images under %s, not one",
                len(images),
                figure["names"] or figure["ids"],
                location=figure,
            )
        for image in images:
            image["alt"] = alt.astext()


def setup(app):
    """Register the directive."""
    app.add_directive("nbfigure", NbFigure)
    app.connect("doctree-resolved", put_alt)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
