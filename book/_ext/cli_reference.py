"""Every command with its arguments, options and examples, from the program itself.

.. code-block:: md

    ```{cli-reference}
    ```
"""

import textwrap

from cli_output import broken
from docutils import nodes
from model_tables import ModelTable, code, plain
from typer import Context
from typer.main import get_command

from vmbmodel.cli import app
from vmbmodel.cli.examples import EXAMPLES

TOP = get_command(app)
CONTEXT = Context(TOP)
KINDS = {"int": "N", "float": "X", "path": "FILE", "%Y-%m-%d": "DATE"}


class CliReference(ModelTable):
    """A section for each command."""

    def run(self):
        """Return the sections, and a table of the options before any command."""
        own = [p for p in TOP.params if p.name != "help"]
        sections = [self.option_table("before the command", own)]
        for name, command in commands(TOP):
            sections.append(self.command(name, command))
        return sections

    def command(self, name, command):
        """Return the section of one command."""
        title = f"vmbmodel {name}"
        section = self.section(title, f"cli-{name.replace(' ', '-')}")
        synopsis = " ".join([title, *pieces(command)])
        section += nodes.literal_block(synopsis, synopsis, language="text")
        for paragraph in command.help.split("\n\n"):
            section += nodes.paragraph(
                "", "", *self.markdown(" ".join(paragraph.split()))
            )
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option"]
        if arguments:
            section += self.argument_table(arguments)
        section += self.option_table("option", options)
        lines = []
        for what, line in EXAMPLES[name]:
            comment = {"initial_indent": "# ", "subsequent_indent": "# "}
            lines += textwrap.wrap(what or "", 76, **comment)
            lines.append(broken(line))
        section += nodes.literal_block(
            "\n".join(lines), "\n".join(lines), language="bash"
        )
        return section

    def argument_table(self, parameters):
        """Return the table of the arguments."""
        rows = [([], [code(metavar(p)), self.markdown(p.help)]) for p in parameters]
        return self.table(["argument", "what it is"], [30, 70], rows)

    def option_table(self, head, parameters):
        """Return the table of the options."""
        rows = [
            ([], [code(spelling(p)), plain(default(p)), self.markdown(p.help or "")])
            for p in parameters
        ]
        return self.table([head, "default", "what it does"], [32, 14, 54], rows)


def commands(group, *names):
    """Give every command that does something, by its full name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *names, name)
        else:
            yield " ".join((*names, name)), command


def pieces(command):
    """Give the parts of a synopsis after the name."""
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            name = metavar(parameter)
            yield name if parameter.required else f"[{name}]"
    for parameter in command.params:
        if parameter.param_type_name == "option" and parameter.required:
            yield spelling(parameter, first=True)
    yield "[OPTION...]"


def metavar(parameter):
    """Return what stands for the value of a parameter."""
    if parameter.metavar:
        return parameter.metavar
    if parameter.param_type_name == "argument":
        return parameter.name.upper() + "..." * (parameter.nargs == -1)
    shown = parameter.display_type(CONTEXT).strip("<>").removesuffix(" range")
    return shown if "|" in shown else KINDS.get(shown, "TEXT")


def spelling(parameter, first=False):
    """Return an option as it is typed."""
    names = parameter.opts[:1] if first else parameter.opts
    value = "" if parameter.is_flag else f" {metavar(parameter)}"
    return ", ".join(names) + value


def default(parameter):
    """Return the default of an option, if it says anything."""
    value = parameter.default
    if parameter.required:
        return "required"
    if value is None or parameter.is_flag or callable(value):
        return ""
    return str(getattr(value, "value", value))


def setup(app):
    """Register the directive."""
    app.add_directive("cli-reference", CliReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
