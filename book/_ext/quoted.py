"""Numbers of a notebook in prose: a page names its notebook once.

.. code-block:: md

    ---
    numbers: ../notebooks/jam.ipynb
    ---

    The last one waits {n}`last:.1f` h. On the first page it is done at
    {n}`../notebooks/start.ipynb::last_end`.

A number comes under the name by which the notebook quotes it, in a format of Python's,
and as it is without one. The role works in captions and in the alt texts of
``nbfigure``, too; in a notebook it quotes the notebook itself. A name that the notebook
does not have is a warning at its line.
"""

from docutils import nodes
from myst_nb.ext.glue.roles import PasteTextRole
from myst_nb.ext.glue.utils import glue_warning


class Number(PasteTextRole):
    """The text role of myst-nb, with the page's notebook before the name."""

    def run(self):
        """Make a reference that is filled in at the end."""
        notebook, _, number = self.text.rpartition("::")
        if not notebook and "nb_renderer" not in self.document:
            notebook = named_notebook(self.document)
            if not notebook:
                what = f"no `numbers:` on top of the page says whose {number!r} is"
                return [], [glue_warning(what, self.document, self.line)]
        if ":" not in number:
            number = f"{number}:s"
        self.text = f"{notebook}::{number}" if notebook else number
        return super().run()


def named_notebook(document):
    """Return what a page says under ``numbers:``, before all its text."""
    for field in document.findall(nodes.field):
        name, body = field.children
        if name.astext() == "numbers":
            return body.astext()
    return None


def setup(app):
    """Register the role."""
    app.add_role("n", Number())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
