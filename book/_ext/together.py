"""What belongs together stays on one line: 5 % does not break before its sign.

Nor does a number before its unit, or the time of a day before its ``+1``. A quoted
number below zero has a minus, not a hyphen, and a quoted share has
the blank before its sign that prose has. What is typed, as code, stays as it is; an
option does not break after its dashes, if it is short enough for a column of a table.
"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

UNIT = r"%|h|min|s|[KMGTP]i?B(?:/[ds])?|[MG]bps|MBps|USD"
BLANK = re.compile(rf" (?=(?:{UNIT})(?![\w/])|\+\d)")
BEFORE_DAY, BEFORE_UNIT = re.compile(r"\d\d:\d\d$"), re.compile(r"\d$")
TYPED = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw)
OPTION = re.compile(r"--?[\w-]{1,16}")
NO_BREAK, MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"


class KeepTogether(SphinxPostTransform):
    """Set blanks that do not break, once quoted numbers are in their place."""

    default_priority = 400

    def run(self):
        """Go through the page."""
        keep_together(self.document)


def keep_together(document):
    """Set blanks that do not break before units, and minuses; mark short options."""
    block, before = None, ""
    for text in list(document.findall(nodes.Text)):
        own, typed = surroundings(text)
        before = before if own is block else ""
        block = own
        words = text.astext()
        kept = words if typed else joined(words, before)
        if "pasted-text" in text.parent.get("classes", ()):
            kept = re.sub(r"^-(?=[\d.])", MINUS, kept)
            kept = re.sub(r"(?<=\d)%$", f"{NO_BREAK}%", kept)
        if kept != words:
            text.parent.replace(text, nodes.Text(kept))
        before = (before + kept)[-5:]
    for typed in document.findall(nodes.literal):
        if OPTION.fullmatch(typed.astext()):
            typed["classes"].append("whole")


def surroundings(text):
    """Return the block that a piece of text is in, and whether it is typed."""
    node, typed = text.parent, False
    while isinstance(node, nodes.Inline):
        typed |= isinstance(node, TYPED)
        node = node.parent
    return node, typed or isinstance(node, TYPED)


def joined(words, before=""):
    """Return words in which no blank between a number and its unit breaks."""

    def blank(found):
        head = before + words[: found.start()]
        number = BEFORE_DAY if words[found.end()] == "+" else BEFORE_UNIT
        return NO_BREAK if number.search(head[-5:]) else " "

    return BLANK.sub(blank, words)


def setup(app):
    """Have every page gone through."""
    app.add_post_transform(KeepTogether)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
