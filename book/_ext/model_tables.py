"""Tables that the package itself fills, so that no page repeats what it knows."""

import re
from importlib.resources import files

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from vmbmodel.service.limits import LIMITS
from vmbmodel.service.prices import PRICES
from vmbmodel.service.profile import PROFILES
from vmbmodel.units import fields, unit_of


class ModelTable(SphinxDirective):
    """A table of cells, each a list of nodes."""

    def table(self, heads, widths, rows):
        """Return a table; a row is its anchors' ids and its cells."""
        table = nodes.table(classes=["model-table"])
        group = nodes.tgroup(cols=len(heads))
        table += group
        for width in widths:
            group += nodes.colspec(colwidth=width)
        group += nodes.thead("", row([plain(head) for head in heads]))
        group += nodes.tbody("", *(row(cells, ids) for ids, cells in rows))
        return table

    def section(self, title):
        """Return a section of the page."""
        section = nodes.section(names=[nodes.fully_normalize_name(title)])
        section += nodes.title(title, title)
        self.state.document.note_implicit_target(section, section)
        return section

    def markdown(self, text):
        """Parse a line of Markdown."""
        parsed, messages = self.state.inline_text(text, self.lineno)
        return [*parsed, *messages]


def row(cells, ids=()):
    """Return a table row."""
    entries = [nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells]
    return nodes.row("", *entries, ids=list(ids))


def code(text):
    """Return text as a piece of code, whatever characters it has."""
    return [nodes.literal(text, text)]


def plain(text):
    """Return text as it stands."""
    return [nodes.Text(text)]


def field_groups():
    """Return the titles of the field table's parts, and the names under each."""
    text = files("vmbmodel").joinpath("fields.toml").read_text("utf-8")
    groups = {}
    title = "other quantities"
    for heading, name in re.findall(r"^# --- (.+?) -+$|^\[(\w+)\]$", text, re.M):
        if heading:
            title = heading
        else:
            groups.setdefault(title, []).append(name)
    return groups


class FieldsTable(ModelTable):
    """The nomenclature: every row of the field table, by its parts."""

    def run(self):
        """Return a section for each part, and make each name a target."""
        known = fields()
        sections = []
        for title, names in field_groups().items():
            section = self.section(title[0].upper() + title[1:])
            rows = [self.field_row(known[name]) for name in names]
            section += self.table(
                ["name", "is called", "unit", "allowed", "what it is"],
                [20, 15, 10, 15, 40],
                rows,
            )
            sections.append(section)
        return sections

    def field_row(self, field):
        """Return the target and the cells of one field."""
        anchor = f"field-{field.name}"
        domain = self.env.get_domain("std")
        domain.note_object("field", field.name, anchor, location=self.get_location())
        if field.kind == "number":
            allowed = plain(field.range.rule + (", whole" if field.whole else ""))
        elif field.kind == "choice":
            allowed = plain(", ".join(field.choices))
        else:
            allowed = plain({"flag": "true or false", "text": "any text"}[field.kind])
        return [anchor], [
            code(field.name),
            plain(field.label),
            plain(field.unit),
            allowed,
            plain(field.text),
        ]


CATALOGUES = {"profiles": PROFILES, "prices": PRICES, "limits": LIMITS}


class ConstantsTable(ModelTable):
    """The constants of a set, or of all sets of a kind, with their origins."""

    required_arguments = 1
    optional_arguments = 1

    def run(self):
        """Return a table, or a section for each set."""
        kind, *names = self.arguments
        if kind not in CATALOGUES:
            raise self.error(f"{kind} is none of {', '.join(CATALOGUES)}")
        catalogue = CATALOGUES[kind]
        if names:
            try:
                return [self.constants(catalogue.load(names[0]))]
            except ValueError as problem:
                raise self.error(str(problem)) from None
        sections = []
        for name in catalogue.available():
            constants = catalogue.load(name)
            section = self.section(name)
            about = f"{constants.title}, as of {constants.as_of}."
            section += nodes.paragraph(about, about)
            section += self.constants(constants)
            sections.append(section)
        return sections

    def constants(self, constants):
        """Return the table of one set."""
        rows = [
            ([], self.constant_row(name, constants[name], origin))
            for name, origin in constants.origins.items()
        ]
        return self.table(
            ["name", "value", "as printed", "status", "source", "read", "note"],
            [18, 12, 12, 10, 22, 10, 16],
            rows,
        )

    def constant_row(self, name, value, origin):
        """Return the cells of one constant."""
        return [
            self.markdown(f"{{field}}`{name}`"),
            plain(with_unit(value, unit_of(name))),
            plain(origin.documented),
            plain(origin.status),
            [
                *self.markdown(f"{{cite:t}}`{origin.source}`"),
                *plain(f", {origin.locator}"),
            ],
            plain(str(origin.retrieved)),
            plain(origin.note),
        ]


def with_unit(value, unit):
    """Return a number as a table shows it."""
    return f"{value:.6g}" if unit == "-" else f"{value:.6g} {unit}"


def setup(app):
    """Register the directives, and the role that links a field to its row."""
    app.add_object_type("field", "field", objname="field", ref_nodeclass=nodes.literal)
    app.add_directive("fields-table", FieldsTable)
    app.add_directive("constants-table", ConstantsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
