"""What a chapter's answer rests on, in a line under its title.

.. code-block:: md

    ---
    numbers: ../notebooks/queue.ipynb
    rests_on: [others_wait_mean_h, vault_servers, eight_hours, line_reading=one-pool]
    ---

The sets of constants are those that the parameters of the notebook name, else the
tool's. A constant is told by its origin there: documented, measured or assumed. A
reading is told by what it is by default, or as the page has it. Each links to its row.
A name that is neither is a warning.
"""

import ast
import json
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging

from vmbmodel.fields import fields
from vmbmodel.plan import Scenario
from vmbmodel.service import STATUSES, readings

logger = logging.getLogger(__name__)

SETS = ("profile", "prices")
NAMED = {
    part.partition("=")[0]: reading.id
    for reading in reversed(readings())
    for part in reading.switch.split()
}


def under_title(app, doctree):
    """Say it on a page that asks for it on top."""
    env, docname = app.env, app.env.docname
    about = env.metadata[docname]
    if "rests_on" not in about or doctree.next_node(nodes.title) is None:
        return
    given = {}
    if "numbers" in about:
        notebook = Path(env.doc2path(docname)).parent / about["numbers"]
        env.note_dependency(str(notebook.resolve()))
        given = sets_of(notebook)
    try:
        parts = told(Scenario.of(**given), json.loads(about["rests_on"]))
    except ValueError as problem:
        logger.warning("rests_on: %s", problem, location=docname)
        return
    title = doctree.next_node(nodes.title)
    line = nodes.paragraph("", "", *parts, classes=["rests-on"])
    title.parent.insert(title.parent.index(title) + 1, line)


def sets_of(notebook):
    """Return the sets of constants that the parameters of a notebook name."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        if "parameters" in cell["metadata"].get("tags", ()):
            lines = ast.parse("".join(cell["source"])).body
            values = {
                (line.target if hasattr(line, "target") else line.targets[0]).id: line
                for line in lines
            }
            return {
                name: ast.literal_eval(values[name].value)
                for name in SETS
                if name in values
            }
    return {}


def told(scenario, names):
    """Return the line: sets, readings, and numbers by what they rest on."""
    sets = {kind: getattr(scenario, kind) for kind in SETS}
    chosen, numbers = [], {status: [] for status in STATUSES}
    used = []
    for text in names:
        name, _, other = text.partition("=")
        home = next((kind for kind in SETS if name in sets[kind].origins), None)
        if home and not other:
            constants = sets[home]
            numbers[constants.origins[name].status].append((constants.name, name))
            used.append(home)
        elif not home and name in NAMED and name in scenario.options:
            value = other or scenario.options[name]
            fields()[name].check(value)
            chosen.append(link("ref", f"reading-{NAMED[name]}", f"{name}={value}"))
        else:
            raise ValueError(f"{text} is neither a constant nor a reading")
    parts = [
        [nodes.Text(f"{kind} "), link("ref", f"set-{sets[kind].name}", sets[kind].name)]
        for kind in SETS
        if kind in used or (kind == "profile" and not used)
    ]
    if chosen:
        parts.append([nodes.Text("readings "), *listed(chosen)])
    for status, found in numbers.items():
        if found:
            links = [
                link("constant", f"{constants}.{name}", fields()[name].label)
                for constants, name in found
            ]
            parts.append([nodes.Text(f"{len(found)} {status}: "), *listed(links)])
    line = [node for part in parts for node in (nodes.Text(" · "), *part)]
    return [nodes.Text("Rests on "), *line[1:]]


def listed(links):
    """Return links with commas between."""
    return [node for one in links for node in (nodes.Text(", "), one)][1:]


def link(kind, target, text):
    """Return a reference that Sphinx resolves when all pages are read."""
    return addnodes.pending_xref(
        "",
        nodes.inline(text, text),
        refdomain="std",
        reftype=kind,
        reftarget=target,
        refexplicit=True,
        refwarn=True,
    )


def setup(app):
    """Connect it after the front matter is known, and name rows of constants."""
    app.add_object_type("constant", "constant", objname="constant")
    app.connect("doctree-read", under_title, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
