"""API sections made from what the package has, so that no module is left out.

.. code-block:: md

    ```{module-docs} vmbmodel.formulas
    ```

gives a section for every public module of a package, or the documentation of
one module, or of a package that has no others.
"""

import pkgutil
from importlib import import_module

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

HIDDEN = "\ue000"  # a character that no text has
BLOCK = """\
```{{eval-rst}}
.. automodule:: {name}
   :members:
```
"""


def public_modules(package):
    """Return the dotted names of a package's public modules."""
    return [
        f"{package}.{found.name}"
        for found in pkgutil.iter_modules(import_module(package).__path__)
        if not found.name.startswith("_")
    ]


class ModuleDocs(SphinxDirective):
    """Document a module, or each module of a package in a section of its own."""

    required_arguments = 1

    def run(self):
        """Have an automodule parsed for each."""
        name = self.arguments[0]
        is_package = hasattr(import_module(name), "__path__")
        names = public_modules(name) if is_package else []
        if not names:
            return self.documentation(name)
        return [self.section(module) for module in names]

    def section(self, name):
        """Return a section headed by the module's own name."""
        short = name.rpartition(".")[2]
        section = nodes.section(names=[nodes.fully_normalize_name(name)])
        section += nodes.title(short, "", nodes.literal(short, short))
        self.state.document.note_implicit_target(section, section)
        section += self.documentation(name)
        return section

    def documentation(self, name):
        """Return what autodoc makes of the module."""
        source, _ = self.get_source_info()
        made = nodes.Element()
        lines = BLOCK.format(name=name).splitlines()
        self.state.nested_parse(StringList(lines, source), self.content_offset, made)
        return made.children


def hide_colon(app, what, name, obj, options, lines):
    """Keep napoleon from reading "Colours: red, blue." as a value of type Colours."""
    if what in ("attribute", "data", "property") and lines:
        lines[0] = lines[0].replace(":", HIDDEN)


def show_colon(app, what, name, obj, options, lines):
    """Undo `hide_colon` when napoleon is through."""
    lines[:] = [line.replace(HIDDEN, ":") for line in lines]


def setup(app):
    """Register the directive, and the two handlers around napoleon's."""
    app.add_directive("module-docs", ModuleDocs)
    app.connect("autodoc-process-docstring", hide_colon, priority=400)
    app.connect("autodoc-process-docstring", show_colon, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
