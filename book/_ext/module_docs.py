"""API sections made from what the package lists, so that nothing is left out.

.. code-block:: md

    ```{module-docs} vmbmodel.formulas
    ```

gives a section for every public module and package in a package, with what that
lists in its ``__all__`` as its own; of a module, only what the front of the package
lists as well. With names of some of them after it, only theirs. A module that is no
package has no sections, but all that it lists.
"""

import inspect
import pkgutil
from importlib import import_module

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

HIDDEN = "\ue000"  # a character that no text has
BLOCK = """\
```{{eval-rst}}
.. automodule:: {name}
   :members: {members}
```
"""


def public_modules(package):
    """Yield name and members of a package's public modules that have any."""
    front = getattr(import_module(package), "__all__", None)
    for found in pkgutil.iter_modules(import_module(package).__path__):
        name = f"{package}.{found.name}"
        if found.name.startswith("_"):
            continue
        members = own(name)
        if front is not None and not found.ispkg:
            members = [member for member in members if member in front]
        if members:
            yield name, members


def own(name):
    """Return what a module lists and has not from elsewhere."""
    module = import_module(name)
    return [
        m for m in module.__all__ if home(getattr(module, m), name).startswith(name)
    ]


def home(member, module):
    """Return the module of a class or a function, and the given one of a value."""
    is_named = inspect.isclass(member) or inspect.isroutine(member)
    return member.__module__ if is_named else module


class ModuleDocs(SphinxDirective):
    """Document a module, or each module of a package in a section of its own."""

    required_arguments = 1
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self):
        """Have an automodule parsed for each."""
        name = self.arguments[0]
        if not hasattr(import_module(name), "__path__"):
            return self.documentation(name, own(name))
        known = dict(public_modules(name))
        asked = [f"{name}.{part}" for part in "".join(self.arguments[1:]).split()]
        if unknown := set(asked) - known.keys():
            raise self.error(f"no public module: {', '.join(unknown)}")
        return [self.section(module, known[module]) for module in asked or known]

    def section(self, name, members):
        """Return a section headed by the module's own name."""
        short = name.rpartition(".")[2]
        section = nodes.section(names=[nodes.fully_normalize_name(name)])
        section += nodes.title(short, "", nodes.literal(short, short))
        self.state.document.note_implicit_target(section, section)
        section += self.documentation(name, members)
        return section

    def documentation(self, name, members):
        """Return what autodoc makes of the module."""
        source, _ = self.get_source_info()
        made = nodes.Element()
        block = BLOCK.format(name=name, members=", ".join(members))
        lines = StringList(block.splitlines(), source)
        self.state.nested_parse(lines, self.content_offset, made)
        return made.children


def source_of(app, module, name):
    """Show the source of a value where the value stands, not that of its class."""
    top = getattr(import_module(module), name.partition(".")[0])
    return home(top, module)


def hide_colon(app, what, name, obj, options, lines):
    """Keep napoleon from reading "Colours: red, blue." as a value of type Colours."""
    if what in ("attribute", "data", "property") and lines:
        lines[0] = lines[0].replace(":", HIDDEN)


def show_colon(app, what, name, obj, options, lines):
    """Undo `hide_colon` when napoleon is through."""
    lines[:] = [line.replace(HIDDEN, ":") for line in lines]


def setup(app):
    """Register the directive, the handlers around napoleon's, and viewcode's."""
    app.add_directive("module-docs", ModuleDocs)
    app.connect("autodoc-process-docstring", hide_colon, priority=400)
    app.connect("autodoc-process-docstring", show_colon, priority=600)
    app.connect("viewcode-follow-imported", source_of)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
