"""All formulas on one sheet: what each docstring says before its parameters.

.. code-block:: md

    ```{formula-sheet} transfer sharing largest
    ```

gives a section for every module of formulas, in the order of their names, with the
equations of its functions, what their symbols are called, and a link to the rest. A
name that is missing stops the build. Equations that a docstring sets side by side stand
below each other here and on the API pages, whose columns are narrower.
"""

import inspect
import re
from importlib import import_module

from docutils import nodes
from docutils.statemachine import StringList
from module_docs import public_modules
from sphinx.util.docutils import SphinxDirective

from vmbmodel.fields import fields

STACKED = ("book/api/", "book/formula-sheet")
_PARTS = re.compile(
    r"\\[{}]|(?P<open>\\begin\{\w+\}|\{)|(?P<close>\\end\{\w+\}|\})"
    r"|(?P<gap>\s*(?:\\qquad|\\\\)\s*)"
)


class FormulaSheet(SphinxDirective):
    """The formulas, by family."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        """Return a section a module."""
        modules = dict(public_modules("vmbmodel.formulas"))
        names = [f"vmbmodel.formulas.{name}" for name in self.arguments[0].split()]
        if sorted(names) != sorted(modules):
            raise self.error(f"formula-sheet needs each of {', '.join(modules)} once")
        return [self.family(name, modules[name]) for name in names]

    def family(self, name, members):
        """Return what a module is about, and its formulas."""
        module = import_module(name)
        about = inspect.getdoc(module).partition("\n")[0].rstrip(".")
        title = about.partition(":")[0]
        section = nodes.section(names=[nodes.fully_normalize_name(title)])
        section += nodes.title(title, title)
        self.state.document.note_implicit_target(section, section)
        entries = [entry(name, getattr(module, member)) for member in members]
        lines = ["```{eval-rst}", *"\n".join(entries).splitlines(), "```"]
        self.state.nested_parse(
            StringList(lines, source=name), self.content_offset, section
        )
        return section


def entry(module, formula):
    """Return a formula as an entry of a definition list."""
    head = inspect.getdoc(formula).partition("\nParameters\n")[0].strip()
    known = fields()
    symbols = ", ".join(
        rf":math:`{known[name].symbol}` :field:`{name}`"
        for name in inspect.signature(formula).parameters
        if name in known and known[name].symbol
    )
    text = f"{head}\n\nHere {symbols}.\n" if symbols else f"{head}\n"
    body = "\n".join(f"    {line}" if line else "" for line in text.splitlines())
    return f":py:func:`~{module}.{formula.__name__}`\n{body}\n"


def stack(app, doctree):
    """Put equations that stand side by side below each other."""
    if not app.env.docname.startswith(STACKED):
        return
    for block in doctree.findall(nodes.math_block):
        lines = equations(" ".join(block.astext().split()))
        if len(lines) > 1:
            text = r" \\ ".join(lines)
            block[:] = [nodes.Text(rf"\begin{{gathered}} {text} \end{{gathered}}")]


def equations(text):
    r"""Return the equations of a text, told apart by ``\qquad`` outside of braces.

    >>> equations(r"a = \frac{b \qquad c}{d}, \qquad e = f")
    ['a = \\frac{b \\qquad c}{d},', 'e = f']
    """
    depth, start, found = 0, 0, []
    for part in _PARTS.finditer(text):
        depth += bool(part["open"]) - bool(part["close"])
        if part["gap"] and not depth:
            found.append(text[start : part.start()])
            start = part.end()
    return [*found, text[start:]]


def setup(app):
    """Register the directive."""
    app.add_directive("formula-sheet", FormulaSheet)
    app.connect("doctree-read", stack)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
