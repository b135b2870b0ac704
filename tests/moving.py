"""The figures that move: where they stand, and what they begin with."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = re.compile(
    r"```\{nbfigure\} (\.\./notebooks/(\S+)\.ipynb::(\S+))\n(?:(?!```).*\n)*```\n\n"
    r"```\{moving-figure\} (\S+) \1\n```\n"
)
PLACES = {
    name: (notebook, key)
    for page in (ROOT / "book").glob("*.md")
    for _, notebook, key, name in PLACE.findall(page.read_text("utf-8"))
}
"""By its function, the notebook of a figure, and its name there."""


def begun(name):
    """Return what a figure begins with, as its notebook stores it."""
    notebook, key = PLACES[name]
    stored = json.loads((ROOT / f"notebooks/{notebook}.ipynb").read_text("utf-8"))
    (given,) = (
        output["metadata"]["moves"]
        for cell in stored["cells"]
        for output in cell.get("outputs", ())
        if output.get("metadata", {}).get("scrapbook", {}).get("name") == key
    )
    return given
