"""The version and the day of the book at the foot of each page, and how to cite it.

.. code-block:: md

    ```{cite-this}
    ```

gives what ``CITATION.cff`` says as an entry of BibTeX.
"""

from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from vmbmodel import __version__
from vmbmodel._today import today


def edition():
    """Return version and day; ``SOURCE_DATE_EPOCH`` gives another than today."""
    day = today()
    return f"vmbmodel {__version__}, built on {day.day} {day:%B %Y}"


class CiteThis(SphinxDirective):
    """Show the entry."""

    def run(self):
        """Return it as a block of text."""
        path = Path(self.env.srcdir, "CITATION.cff")
        self.env.note_dependency(str(path))
        entry = bibtex(yaml.safe_load(path.read_text("utf-8")))
        return [nodes.literal_block(entry, entry, language="bibtex")]


def bibtex(cited):
    """Return the fields of a ``CITATION.cff`` as an entry of BibTeX."""
    named = " and ".join(f"{{{author['name']}}}" for author in cited["authors"])
    fields = {
        "author": named,
        "title": cited["title"],
        "version": cited["version"],
        "year": cited["date-released"].year,
    }
    lines = "".join(f"  {name} = {{{text}}},\n" for name, text in fields.items())
    return f"@software{{vmbmodel,\n{lines}}}"


def foot(app, config):
    """Hand them to the theme."""
    config.html_theme_options["extra_footer"] = f'<p class="edition">{edition()}</p>'


def setup(app):
    """Say it before the theme reads its options."""
    app.add_directive("cite-this", CiteThis)
    app.connect("config-inited", foot)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
