"""Tables that the package itself fills, so that no page repeats what it knows."""

import re

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from vmbmodel.fields import fields, groups, unit_of
from vmbmodel.service import LIMITS, PRICES, PROFILES, disk_tiers, readings


class ModelTable(SphinxDirective):
    """A table of cells; a cell is a list of nodes, or of paragraphs."""

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

    def section(self, title, label=None):
        """Return a section of the page, under a label for ``{ref}`` if given."""
        section = nodes.section(names=[label or nodes.fully_normalize_name(title)])
        section += nodes.title(title, title)
        if label:
            self.state.document.note_explicit_target(section, section)
        else:
            self.state.document.note_implicit_target(section, section)
        return section

    def markdown(self, text):
        """Parse a line of Markdown."""
        parsed, messages = self.state.inline_text(text, self.lineno)
        return [*parsed, *messages]

    def prose(self, text):
        """Return text in which the name of a field leads to its row."""
        names = "|".join(name for name in fields() if "_" in name)
        said = []
        for place, part in enumerate(re.split(rf"\b({names})\b", text)):
            is_name = place % 2 == 1
            said += self.markdown(f"{{field}}`{part}`") if is_name else plain(part)
        return said


def row(cells, ids=()):
    """Return a table row."""
    return nodes.row("", *(entry(cell) for cell in cells), ids=list(ids))


def entry(cell):
    """Return a cell of a row; a cell of plain nodes is a paragraph."""
    if isinstance(cell[0], nodes.paragraph):
        return nodes.entry("", *cell)
    return nodes.entry("", nodes.paragraph("", "", *cell))


def code(text):
    """Return text as a piece of code, whatever characters it has."""
    return [nodes.literal(text, text)]


def plain(text):
    """Return text as it stands."""
    return [nodes.Text(text)]


class FieldsTable(ModelTable):
    """The nomenclature: every row of the field table, by its parts."""

    def run(self):
        """Return a section for each part, and make each name a target."""
        known = fields()
        sections = []
        for title, names in groups().items():
            section = self.section(title[0].upper() + title[1:])
            rows = [self.field_row(known[name]) for name in names]
            section += self.table(
                ["name", "is called", "symbol", "unit", "allowed", "what it is"],
                [20, 15, 6, 9, 15, 35],
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
            [nodes.math(field.symbol, field.symbol)] if field.symbol else plain(""),
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
        for name in reversed(catalogue.available()):
            constants = catalogue.load(name)
            section = self.section(name, f"set-{name}")
            about = f"{constants.title}, as of {constants.as_of}."
            section += nodes.paragraph(about, about)
            section += self.constants(constants)
            sections.append(section)
        return sections

    def constants(self, constants):
        """Return the table of one set."""
        rows = [
            (
                [self.anchor(f"{constants.name}.{name}")],
                self.constant_row(name, constants[name], origin),
            )
            for name, origin in constants.origins.items()
        ]
        return self.table(
            ["name", "value", "as printed", "status", "source and note"],
            [18, 14, 14, 12, 42],
            rows,
        )

    def anchor(self, name):
        """Return the target of a constant, as `rests_on` links to it."""
        anchor = nodes.make_id(f"constant-{name}")
        domain = self.env.get_domain("std")
        domain.note_object("constant", name, anchor, location=self.get_location())
        return anchor

    def constant_row(self, name, value, origin):
        """Return the cells of one constant."""
        source = self.markdown(f"{{cite:t}}`{origin.source}`")
        place = f": {origin.locator}; read {origin.retrieved}."
        origins = [nodes.paragraph("", "", *source, nodes.Text(place))]
        if origin.note:
            origins.append(nodes.paragraph("", "", *self.prose(origin.note)))
        if law := law_of(origin):
            origins.append(nodes.paragraph("", "", *self.prose(law)))
        return [
            self.markdown(f"{{field}}`{name}`"),
            plain(with_unit(value, unit_of(name))),
            plain(origin.documented),
            plain(origin.status),
            origins,
        ]


def law_of(origin):
    """Say what else a constant may be, or why it has no such law."""
    if origin.kind:
        return f"Not drawn, a {origin.kind}: {origin.why}".replace(
            "a unused", "not used by itself"
        )
    if origin.prior is None:
        return ""
    ends = f"{origin.low:g} to {origin.high:g}"
    held = "All draws" if origin.shape == "uniform" else "8 of 10 draws"
    spread = f", between disks {origin.disks:g}" if origin.disks else ""
    return f"{held} from {ends} ({origin.shape}{spread}): {origin.why}"


def with_unit(value, unit):
    """Return a number as a table shows it."""
    return f"{value:.6g}" if unit == "-" else f"{value:.6g} {unit}"


class TiersTable(ModelTable):
    """What the tiers of managed disks give: a section for each dated table."""

    def run(self):
        """Return the sections."""
        return [self.tiers(table) for table in disk_tiers()]

    def tiers(self, tiers):
        """Return the section of one table."""
        section = self.section(f"{tiers.disk_type}, {tiers.as_of}")
        names = "also named " + ", ".join(tiers.sku)
        about = f"{{cite:t}}`{tiers.source}`: {tiers.locator}; read {tiers.retrieved}; "
        line = self.markdown(about + f"{names}. {tiers.note}".strip())
        section += nodes.paragraph("", "", *line)
        figures = zip(
            tiers.tier, tiers.size_gib, tiers.disk_iops, tiers.disk_mib_s, strict=True
        )
        rows = [
            ([], [code(name), *(plain(f"{number:.6g}") for number in numbers)])
            for name, *numbers in figures
        ]
        heads = ["tier", "up to GiB", "requests a second", "MiB/s"]
        section += self.table(heads, [25, 25, 25, 25], rows)
        return section


class ReadingsTable(ModelTable):
    """What the sources leave open: a section for each reading.

    ``{ref}`reading-blob-cap` `` links to one.
    """

    def run(self):
        """Return the sections."""
        return [self.reading(reading) for reading in readings()]

    def reading(self, reading):
        """Return the section of one reading."""
        section = self.section(reading.title, f"reading-{reading.id}")
        options = " ".join(f"--set {part}" for part in reading.switch.split())
        said = [
            ("The sources say", self.prose(reading.source_says)),
            ("The model's reading", self.prose(reading.default)),
            ("The other reading", self.prose(reading.alternative)),
            ("Its weight", self.prose(f"{reading.weight:g}. {reading.why}")),
            ("To ask for it", code(options) if options else plain("Not yet possible.")),
            ("What changes", self.prose(reading.changes)),
        ]
        section += nodes.definition_list(
            "",
            *(
                nodes.definition_list_item(
                    "",
                    nodes.term(term, term),
                    nodes.definition("", nodes.paragraph("", "", *content)),
                )
                for term, content in said
            ),
        )
        return section


def setup(app):
    """Register the directives, and the role that links a field to its row."""
    app.add_object_type("field", "field", objname="field", ref_nodeclass=nodes.literal)
    app.add_directive("fields-table", FieldsTable)
    app.add_directive("constants-table", ConstantsTable)
    app.add_directive("tiers-table", TiersTable)
    app.add_directive("readings-table", ReadingsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
