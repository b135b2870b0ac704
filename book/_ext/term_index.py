"""An index: in which chapters the words of the glossary are treated, and where.

.. code-block:: md

    ```{term-index}
    ```

A chapter counts that has a word in a heading, or twice and more in its text; of many,
those count that have it most often. The link leads to the section with most of it.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

CHAPTERS_MOST = 5
HEADING = 5  # a word in a heading weighs as much as so many in the text
WEIGHT_LEAST = 2
ELSEWHERE = (
    "book/api/",
    "book/bibliography",
    "book/changelog",
    "book/cli",
    "book/constants",
    "book/execution",
    "book/formula-sheet",
    "book/nomenclature",
)


class TermIndex(nodes.General, nodes.Element):
    """Where the index goes when all pages are read."""


class TermIndexDirective(SphinxDirective):
    """Place the index."""

    def run(self):
        """Leave a mark; read the page anew each time, as others decide its words."""
        self.env.note_reread()
        return [TermIndex()]


def keep(app, doctree):
    """Keep the words of each section of a chapter; a glossary is none."""
    docname = app.env.docname
    is_chapter = docname.startswith("book/") and not docname.startswith(ELSEWHERE)
    if is_chapter and next(doctree.findall(addnodes.glossary), None) is None:
        sections_of(app.env)[docname] = list(words(doctree))


def forget(app, env, docname):
    """Forget a page that is read anew or gone."""
    sections_of(env).pop(docname, None)


def sections_of(env):
    """Return what is kept, by page."""
    if not hasattr(env, "term_sections"):
        env.term_sections = {}
    return env.term_sections


def words(doctree):
    """Yield anchor, heading and text of each section, without those inside it."""
    for section in doctree.findall(nodes.section):
        heading, *parts = (p for p in section if not isinstance(p, nodes.section))
        text = " ".join(part.astext() for part in parts)
        yield section["ids"][0], heading.astext(), text


def place(term, sections):
    """Return how much a chapter has of a term, and the anchor of its best section."""
    forms = term.split(", ") if term.isupper() else [term]
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, forms))})(?:s|es)?\b", re.I)
    weights = {
        anchor: len(pattern.findall(text)) + HEADING * len(pattern.findall(heading))
        for anchor, heading, text in sections
    }
    return sum(weights.values()), max(weights, key=weights.get, default="")


def in_order(env, docname):
    """Yield a page and all that come below it, as the contents have them."""
    yield docname
    for child in env.toctree_includes.get(docname, ()):
        yield from in_order(env, child)


def fill(app, doctree, docname):
    """Put the index where it is asked for."""
    for mark in list(doctree.findall(TermIndex)):
        mark.replace_self(index(app.builder, docname))


def index(builder, docname):
    """Return the index as a list: a word, its definition, its chapters."""
    env = builder.env
    chapters = [d for d in in_order(env, env.config.root_doc) if d in sections_of(env)]
    terms = [
        (term, home, anchor)
        for term, _, kind, home, anchor, _ in env.get_domain("std").get_objects()
        if kind == "term"
    ]
    found = nodes.bullet_list(classes=["term-index"])
    for term, home, anchor in sorted(terms, key=lambda row: row[0].lower()):
        weighed = {c: place(term, sections_of(env)[c]) for c in chapters}
        most = sorted(chapters, key=lambda chapter: -weighed[chapter][0])
        shown = {c for c in most[:CHAPTERS_MOST] if weighed[c][0] >= WEIGHT_LEAST}
        links = [link(builder, docname, home, anchor, term)]
        for chapter in filter(shown.__contains__, chapters):
            title = env.titles[chapter].astext()
            if number := env.toc_secnumbers.get(chapter, {}).get(""):
                title = f"{number[0]}. {title}"
            links.append(link(builder, docname, chapter, weighed[chapter][1], title))
        parts = [links[0]]
        for number, one in enumerate(links[1:]):
            parts += [nodes.Text(", " if number else ": "), one]
        found += nodes.list_item("", nodes.paragraph("", "", *parts))
    return found


def link(builder, here, page, anchor, text):
    """Return a link to a place on a page."""
    address = f"{builder.get_relative_uri(here, page)}#{anchor}"
    return nodes.reference("", text, refuri=address, internal=True)


def setup(app):
    """Register the directive, and what fills it."""
    app.add_node(TermIndex)
    app.add_directive("term-index", TermIndexDirective)
    app.connect("doctree-read", keep)
    app.connect("env-purge-doc", forget)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
