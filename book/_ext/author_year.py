"""Citations by author and year that name one source each.

A vendor publishes many pages in a year. "Microsoft, 2018" would then be any of
them, so such years get a letter, in the order of the file, in the text as in the
bibliography; and the bibliography is labelled as the text cites.
"""

from collections import defaultdict
from string import ascii_lowercase

from pybtex.plugin import register_plugin
from pybtex.style.formatting.alpha import Style as AlphaStyle
from pybtex.style.labels import BaseLabelStyle


class AuthorYearLabels(BaseLabelStyle):
    """Labels such as "Gross et al., 2008"."""

    def format_labels(self, sorted_entries):
        """Yield a label for each entry."""
        for entry in sorted_entries:
            yield f"{authors(entry)}, {entry.fields.get('year', 'undated')}"


class AuthorYearStyle(AlphaStyle):
    """The usual order and entries, under those labels."""

    default_label_style = AuthorYearLabels


def authors(entry):
    """Return the surnames as a citation gives them."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    surnames = [" ".join(person.prelast_names + person.last_names) for person in people]
    # braces keep the words of a corporate name together
    surnames = [surname.replace("{", "").replace("}", "") for surname in surnames]
    if len(surnames) > 2:
        return f"{surnames[0]} et al."
    return " and ".join(surnames) or entry.fields.get("title", entry.key)


def letter_alike_years(entries):
    """Add letters to the years of entries that author and year leave ambiguous."""
    alike = defaultdict(list)
    for entry in entries:
        if entry.fields.get("year", "").isdigit():
            alike[authors(entry), entry.fields["year"]].append(entry)
    for (_, year), group in alike.items():
        if len(group) > 1:
            for entry, letter in zip(group, ascii_lowercase, strict=False):
                entry.fields["year"] = year + letter


def letter_years(app, env, docnames):
    """Do so for the bibliography, before any page cites it."""
    letter_alike_years(env.get_domain("cite").bibdata.data.entries.values())


def setup(app):
    """Register the style, and the letters of the years."""
    register_plugin("pybtex.style.formatting", "author_year", AuthorYearStyle)
    app.connect("env-before-read-docs", letter_years)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
