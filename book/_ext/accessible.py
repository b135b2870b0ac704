"""What themes and libraries leave out for screen readers, put into the built pages.

Tables: each head says whether it is of a column or of a row, an empty one is no head,
the name of the rows stands beside those of the columns, a name in a head may break
after a `_`, and numbers are set flush right; of a notebook's, as in prose, no number
parts from its unit. A table that a phone shows in another shape says by roles what it
is. What opens a part of the sidebar says of which; a label that is not what a reader
sees, and roles that are none, go. A link begins with a word; a word stands for a mark
that is a picture. A name that several places of a page have is left to the first, to
which links lead anyway.
"""

import re
from html import escape, unescape
from pathlib import Path

from together import joined

TABLE = re.compile(r"<table\b.*?</table>", re.S)
HEAD = re.compile(r"(<thead\b[^>]*>)(.*?)(</thead>)", re.S)
ROW = re.compile(r"<tr\b.*?</tr>", re.S)
CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.S)
BREAK = re.compile(r"(<[^>]+>)|_(?!<wbr>)")
TAG = re.compile(r"<[^>]+>")
NAME = re.compile(r'(<\w[^<>]*?) id="([^"]+)"')
NUMBER = re.compile(
    r"(?:[<>≤≥≈]\s*)?[-+\u2212±]?(?:\d[\d,\u202f]*(?:\.\d+)?(?:e[-+]?\d+)?|inf)"
    r"(?:\s?(?:%|°|[A-Za-zµ]{1,3}(?:/[a-z]{1,3})?|USD(?:/\w+)?|hours?|days?|months?))?"
)
NOTHING = {"", "-", "none", "no", "all"}  # beside numbers, in their column
BESIDE = re.compile(rf"{NUMBER.pattern} to {NUMBER.pattern}|\d\d:\d\d(?: \+\d+)?")
PART_OF_TABLE = re.compile(r"<(table|thead|tbody|tr|th|td)\b([^>]*)>")
ROLES = {
    **{"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row"},
    **{"th": "columnheader", "td": "cell"},
}
ROOM = 318  # pixels of a phone's page for a table of a notebook
LETTER, BESIDE_LETTERS, NAME_LETTERS = 6.9, 9.6, 13  # pixels there; least of a name
PART = re.compile(
    r'(<a class="(?:current )?reference internal" href="[^"]*">(.*?)</a>'
    r"<details[^>]*>)<summary>"
)
LINK = re.compile(r"(<a\b[^<>]*>) ")
PLAIN = (
    ("<p>\N{WHITE HEAVY CHECK MARK}</p>", "<p>run</p>"),
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
    ('<div role="list" class="citation-list">', '<div class="citation-list">'),
    (' role="doc-biblioentry"', ""),
    (
        'class="bd-sidebar-primary bd-sidebar">',
        'class="bd-sidebar-primary bd-sidebar" role="complementary" aria-label="Book">',
    ),
)


def mend(page):
    """Return a page with all of it."""
    page = TABLE.sub(lambda match: for_a_phone(mend_table(match[0])), page)
    page = PART.sub(label_part, page)
    page = LINK.sub(r" \1", page)
    for old, new in PLAIN:
        page = page.replace(old, new)
    return with_names_once(page)


def with_names_once(page):
    """Take a name away from all places but the first."""
    known = set()

    def once(place):
        first = place[2] not in known
        known.add(place[2])
        return place[0] if first else place[1]

    return NAME.sub(once, page)


def label_part(match):
    """Say which part a mark of the sidebar opens."""
    title = escape(text_of(match[2]))
    return f'{match[1]}<summary aria-label="Parts of {title}">'


def mend_table(table):
    """Return a table with its heads and its numbers marked."""
    table = HEAD.sub(lambda m: m[1] + named_rows(m[2]) + m[3], table)
    right = number_columns(table)
    head_end = (table.find("</thead>") + 1 or 1) - 1

    def mend_row(row):
        scope = "col" if row.start() < head_end else "row"
        place = 0

        def mend_cell(cell):
            nonlocal place
            tag, about, content = cell.groups()
            if tag == "th" and not text_of(content) and "<img" not in content:
                tag = "td"
            elif tag == "th" and "scope=" not in about:
                about += f' scope="{scope}"'
            if tag == "th":
                content = BREAK.sub(lambda found: found[1] or "_<wbr>", content)
            if place in right:
                about = with_class(about, "number")
            place += span_of(about)
            return f"<{tag}{about}>{content}</{tag}>"

        return CELL.sub(mend_cell, row[0])

    table = ROW.sub(mend_row, table)
    return joined(table) if "dataframe" in table.partition(">")[0] else table


def for_a_phone(table):
    """Prepare a table for the shape that the style sheet gives it on a phone.

    In a table of ours a row is a list. One of a notebook that is wider than the page
    has the name of a row above its cells.
    """
    about = table.partition(">")[0]
    if "model-table" in about:
        return with_roles(with_labels(table))
    if "dataframe" in about and is_wide(table) and has_plain_rows(table):
        return with_roles(table.replace('class="', 'class="named-above ', 1))
    return table


def is_wide(table):
    """Say whether a table is wider than a phone's page."""
    longest = {0: NAME_LETTERS}
    for row in ROW.findall(table):
        for place, (_, _, content) in enumerate(CELL.findall(row)):
            words = text_of(content.replace("<wbr>", " ")).split()
            longest[place] = max(longest.get(place, 0), *map(len, words), 0)
    return sum(LETTER * many + BESIDE_LETTERS for many in longest.values()) > ROOM


def has_plain_rows(table):
    """Say whether each row is a name and its cells, below one row of heads."""
    rows = [CELL.findall(row) for row in ROW.findall(table)]
    cells = [cell for row in rows for cell in row]
    return (
        table.partition("</thead>")[0].count("<tr") == 1
        and all(row[0][0] == "th" for row in rows[1:])
        and not any("span=" in about for _, about, _ in cells)
    )


def with_roles(table):
    """Say of each part of a table what it is, whatever it is laid out as."""

    def say(part):
        row = part[1] == "th" and 'scope="row"' in part[2]
        role = "rowheader" if row else ROLES[part[1]]
        return f'<{part[1]} role="{role}"{part[2]}>'

    return PART_OF_TABLE.sub(say, table)


def with_labels(table):
    """Give each cell of a table of ours its head, to stand beside it on a phone.

    A cell that says nothing gets no label and is not shown.
    """
    head, closed, rows = table.partition("</thead>")
    heads = [text_of(cell[2]) for cell in CELL.findall(head)]

    def label_row(row):
        place = iter(heads)

        def label_cell(cell):
            tag, about, content = cell.groups()
            name = next(place)
            if text_of(content) not in ("", "-"):
                about += f' data-label="{escape(name)}"'
            return f"<{tag}{about}>{content}</{tag}>"

        return CELL.sub(label_cell, row[0])

    return head + closed + ROW.sub(label_row, rows)


def named_rows(head):
    """Put the name of the rows, which pandas sets below, beside those of columns."""
    rows = ROW.findall(head)
    if len(rows) != 2:
        return head
    above, below = (CELL.findall(row) for row in rows)
    if len(above) != len(below) or text_of(above[0][2]):
        return head
    if not text_of(below[0][2]) or any(text_of(cell[2]) for cell in below[1:]):
        return head
    name = below[0][2]
    merged = CELL.sub(lambda m: f"<{m[1]}{m[2]}>{name}</{m[1]}>", rows[0], count=1)
    return head.replace(rows[1], "").replace(rows[0], merged)


def number_columns(table):
    """Return the columns in whose cells, below the heads, stand numbers only."""
    texts = {}
    for row in ROW.findall(table[max(table.find("</thead>"), 0) :]):
        place = 0
        for _, about, content in CELL.findall(row):
            if span_of(about) == 1:
                texts.setdefault(place, []).append(text_of(content))
            place += span_of(about)
    right = set()
    for place, found in texts.items():
        others = [text for text in found if not NUMBER.fullmatch(text)]
        if len(others) < len(found) and all(map(goes_with_numbers, others)):
            right.add(place)
    return right


def goes_with_numbers(text):
    """Say whether a cell is nothing, an interval or a clock."""
    return text in NOTHING or bool(BESIDE.fullmatch(text))


def span_of(about):
    """Return over how many columns a cell goes."""
    found = re.search(r'colspan="(\d+)"', about)
    return int(found[1]) if found else 1


def with_class(about, name):
    """Return the attributes of an element with one class more."""
    if re.search(rf'class="[^"]*\b{name}\b', about):
        return about
    if 'class="' in about:
        return about.replace('class="', f'class="{name} ', 1)
    return f'{about} class="{name}"'


def text_of(content):
    """Return what a reader sees of a piece of HTML."""
    return " ".join(unescape(TAG.sub("", content)).split())


def mend_pages(app, exception):
    """Mend the pages that were written."""
    if exception or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        if "_static" not in path.parts:
            page = path.read_text("utf-8")
            mended = mend(page)
            if mended != page:
                path.write_text(mended, "utf-8")


def setup(app):
    """Look at each page when all are written."""
    app.connect("build-finished", mend_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
