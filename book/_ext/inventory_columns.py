"""The columns of an inventory as a table, from the rules that check them.

.. code-block:: md

    ```{inventory-columns} required
    ```

takes ``required`` or ``optional``.
"""

from docutils import nodes
from model_tables import ModelTable, code, plain

from vmbmodel.fields import fields
from vmbmodel.inventory.fleet import OF_THE_POLICY, OPTIONAL, REQUIRED

COLUMNS = {"required": REQUIRED, "optional": OPTIONAL}
FROM_SCENARIO = ("write_kib", "dispersion", "active_frac", *OF_THE_POLICY)
CHOICES_MOST = 12  # the nomenclature, to which each name leads, has all


class InventoryColumns(ModelTable):
    """A table of the required or of the optional columns."""

    required_arguments = 1

    def run(self):
        """Return the table."""
        kind = self.arguments[0]
        if kind not in COLUMNS:
            raise self.error(f"{kind} is none of {', '.join(COLUMNS)}")
        optional = kind == "optional"
        heads = ["column", "what it is", "allowed"]
        widths = [24, 50, 26]
        if optional:
            heads.append("a blank is")
            widths = [24, 38, 22, 16]
        rows = [([], self.cells(fields()[name], optional)) for name in COLUMNS[kind]]
        table = self.table(heads, widths, rows)
        table["classes"].append("colwidths-given")
        return [table]

    def cells(self, field, optional):
        """Return the cells of one column."""
        if field.kind == "number":
            allowed = plain(measured(field))
        elif field.kind == "choice":
            allowed = words(field.choices)
        else:
            allowed = plain({"flag": "true or false", "text": "any text"}[field.kind])
        cells = [
            self.markdown(f"{{field}}`{field.name}`"),
            self.markdown(field.text),
            allowed,
        ]
        if optional:
            cells.append(blank(field))
        return cells


def measured(field):
    """Return the range of a number, and its unit if it has one."""
    rule = field.range.rule
    return rule if field.unit == "-" else f"{rule} ({field.unit})"


def words(names):
    """Return names as pieces of code; of very many the first, and how many more."""
    cells = []
    for name in names[:CHOICES_MOST]:
        cells += [*code(name), nodes.Text(", ")]
    more = len(names) - CHOICES_MOST
    return [*cells[:-1], nodes.Text(f", and {more} more")] if more > 0 else cells[:-1]


def blank(field):
    """Return what a blank cell of an optional column is taken as."""
    if field.default is not None:
        default = field.default
        return code(str(default).lower() if isinstance(default, bool) else str(default))
    if field.name == "churn_gib_per_day":
        return [*code("churn_frac"), nodes.Text(" of the used size")]
    if field.name in FROM_SCENARIO:
        return plain("of the profile, or as set")
    return plain("left open")


def setup(app):
    """Register the directive."""
    app.add_directive("inventory-columns", InventoryColumns)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
