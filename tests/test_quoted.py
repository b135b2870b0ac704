"""Numbers and figures on their way from a notebook to a page."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import nbformat
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from nbformat import v4

mpl.use("agg")

from matplotlib import pyplot as plt

from vmbmodel import notebook
from vmbmodel.figures import COLOURS

EXTENSIONS = Path(__file__).parents[1] / "book/_ext"
PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
        "0000000a49444154789c6360000000020001486fafa70000000049454e44ae426082"
    )
).decode()
CONFIG = f"""
import sys
sys.path.insert(0, {str(EXTENSIONS)!r})
extensions = ["myst_nb", "nbfigure", "quoted", "together"]
numfig = True
nb_execution_mode = "off"
root_doc = "page"
"""
TOP = "---\nnumbers: sweep.ipynb\n---\n\n# A page\n\n"


# --- what a notebook keeps ----------------------------------------------------


@pytest.fixture
def kept(monkeypatch):
    found = {}
    monkeypatch.setattr(
        notebook, "glue", lambda name, value, display=True: found.update({name: value})
    )
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1 / 3, 0.33333333),
        (123456789.4, 123456790.0),
        (np.float64(2 / 3), 0.66666667),
        (xr.DataArray(1 / 7), 0.14285714),
        (np.int64(12), 12),
        (123456789, 123456789),
        (np.bool_(True), True),
        ("23:30", "23:30"),
        (float("inf"), float("inf")),
    ],
)
def test_a_number_is_kept_plain_and_rounded(kept, value, expected):
    notebook.quote(last_h=value)
    assert kept == {"last_h": expected}
    assert type(kept["last_h"]) is type(expected)


def test_a_table_is_kept_as_it_is(kept):
    table = pd.DataFrame({"wait": [1 / 3]})
    notebook.quote(waits=table)
    assert kept["waits"] is table


def test_a_figure_is_kept_whole_and_closed(kept):
    figure, (_, below) = plt.subplots(2)
    notebook.show("bars", below, moves={"jobs": 9})
    assert kept["bars"].figure is figure
    assert kept["bars"].about == {"moves": {"jobs": 9}}
    assert not plt.fignum_exists(figure.number)


def shown(title="a_b"):
    figure, ax = plt.subplots(figsize=(7, 4))
    ax.plot([0, 1], color=COLOURS[0])
    ax.set_title(title)
    picture = notebook._Picture(figure, {"moves": {"jobs": 9}})
    plt.close(figure)
    return picture._repr_mimebundle_()


def test_a_figure_is_a_picture_with_two_drawings_beside():
    data, about = shown()
    assert data["text/plain"] == "<Figure size 700x400 with 1 Axes>"
    assert base64.b64decode(data["image/png"])[:4] == b"\x89PNG"
    sizes = {
        width: [float(x) for x in re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups()]
        for width, svg in about["drawings"].items()
    }
    assert sizes["wide"] == [504, 288]
    assert sizes["narrow"] == [pytest.approx(3.8 * 72), 288]
    assert about["moves"] == {"jobs": 9}


def test_a_figure_has_the_same_bytes_each_time():
    assert shown() == shown()
    assert shown() != shown("another")


# --- what a page makes of it --------------------------------------------------


def glued(name, data, prefix="application/papermill.record/"):
    return v4.new_output(
        "display_data",
        {prefix + kind: text for kind, text in data.items()},
        metadata={"scrapbook": {"name": name, "mime_prefix": prefix}},
    )


BARS = shown("")[1]


def sweep(last_h):
    bars = glued("bars", {"image/png": PIXEL}, prefix="")
    bars["metadata"] |= BARS
    rest = glued("rest", {"image/png": PIXEL}, prefix="")
    rest["metadata"]["drawings"] = BARS["drawings"]
    about = {"mystnb": {"image": {"alt": "Only the notebook shows it."}}}
    outputs = [
        glued("last_h", {"text/plain": repr(last_h)}),
        glued("clock", {"text/plain": "'08:30'"}),
        glued("change", {"text/plain": "-0.25"}),
        bars,
    ]
    title = v4.new_markdown_cell("# A sweep\n\nIt ends after {n}`last_h:.2f` h.")
    code = v4.new_code_cell("...", outputs=outputs, execution_count=1)
    last = v4.new_code_cell("...", outputs=[rest], execution_count=2, metadata=about)
    python = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return v4.new_notebook(cells=[title, code, last], metadata=python)


@pytest.fixture
def build(tmp_path):
    def run(page, more=""):
        (tmp_path / "conf.py").write_text(CONFIG + more, "utf-8")
        (tmp_path / "page.md").write_text(page, "utf-8")
        nbformat.write(sweep(9.456), tmp_path / "sweep.ipynb")
        nbformat.write(sweep(7.0), tmp_path / "other.ipynb")
        done = subprocess.run(
            [*(sys.executable, "-m", "sphinx", "-q"), tmp_path, tmp_path / "html"],
            capture_output=True,
            text=True,
            check=True,
        )
        orphans = "document isn't included in any toctree"
        said = [li for li in done.stderr.splitlines() if li and orphans not in li]
        pages = [tmp_path / "html" / f"{name}.html" for name in ("page", "sweep")]
        return *(path.read_text("utf-8") for path in pages), said

    return run


def test_a_page_quotes_in_prose_caption_and_alt_text(build):
    page, own, said = build(
        TOP + "Done after {n}`last_h:.1f` h, at {n}`clock`, or after\n"
        "{n}`other.ipynb::last_h:.0f` h.\n\n"
        "```{nbfigure} sweep.ipynb::bars\n"
        ":name: fig-bars\n"
        ':alt: Ten "steps" down to {n}`last_h:.1f` hours.\n\n'
        "All of {n}`last_h:.0f` hours.\n"
        "```\n"
        "It moves by {n}`change:.1f` % or {n}`change:.0%`, 5 to 7 %\n"
        "of 3 GiB, to {n}`clock` +1;\n"
        "2 hours, 4 GiBs and 9 +1 may part; typed is `--last 9 h`, `--last`.\n"
    )
    plain = re.sub(r"<[^>]+>", "", page).replace("\xa0", "~")
    assert "Done after 9.5~h, at 08:30, or after\n7~h." in plain
    assert "by \N{MINUS SIGN}0.2~% or \N{MINUS SIGN}25~%, 5 to 7~%\n" in plain
    assert "of 3~GiB, to 08:30~+1;" in plain
    assert "2 hours, 4 GiBs and 9 +1 may part; typed is --last 9 h, --last." in plain
    assert re.findall(r'class="whole[^>]*>(.*?)</code>', page) == [
        '<span class="pre">--last</span>'
    ]
    assert "All of 9 hours." in plain
    assert page.count('aria-label="Ten &quot;steps&quot; down to 9.5 hours."') == 2
    assert "It ends after 9.46\xa0h." in re.sub(r"<[^>]+>", "", own)
    assert said == []


def drawn(html):
    return re.findall(r'<svg class="fig (\w+)" role="img" aria-label="(.*?)"', html)


FIGURE = """```{nbfigure} sweep.ipynb::bars
:name: fig-bars
:alt: A line that rises.

A caption.
```
"""


def test_a_figure_stands_once(build):
    page, own, said = build(TOP + "{n}`last_h:.1f` h.\n\n" + FIGURE)
    both = ("wide", "narrow")
    assert drawn(page) == [(width, "A line that rises.") for width in both]
    assert drawn(own) == [(width, "Only the notebook shows it.") for width in both]
    link = '<a class="reference internal" href="page.html#fig-bars">'
    assert f"<p>{link}" in own
    assert "<img" not in page + own
    assert said == []


WITH_PYTHON = """
def setup(app):
    from live_page import Begin, MovingFigure
    app.live_sizes = {"python": 7_000_000}
    app.add_directive("moving-figure", MovingFigure)
    app.add_post_transform(Begin)
"""


def test_a_figure_that_moves_begins_with_what_its_notebook_was_run_with(build):
    moving = "```{moving-figure} jam sweep.ipynb::%s\n```\n"
    text = TOP + "{n}`last_h:.1f` h.\n\n"
    page, _, said = build(text + 2 * (moving % "bars"), WITH_PYTHON)
    places = re.findall(r'<div class="moving" (.*?)></div>', page)
    assert len(places) == 2
    assert 'data-figure="jam" data-parts="_static/live/" data-size="7 MB"' in places[0]
    assert 'data-given="{&quot;jobs&quot;: 9}"' in places[0]
    assert page.count("figure.js") == 1
    assert said == []
    *_, said = build(text + moving % "rest", WITH_PYTHON)
    assert re.search(r"page\.md:9: WARNING: .*: sweep shows no rest that mo", said[-1])


def test_a_figure_that_no_chapter_shows_stays_with_its_notebook(build):
    _, own, said = build(TOP + "{n}`last_h:.1f` h.\n")
    assert len(drawn(own)) == 4
    assert said == []


def test_a_drawing_takes_its_colours_and_its_font_from_the_page(build):
    page, *_ = build(TOP + "{n}`last_h:.1f` h.\n\n" + FIGURE)
    wide, narrow = re.findall(r"<svg class=.*?</svg>", page, re.S)
    for svg in (wide, narrow):
        assert "stroke: var(--fig-0072b2, #0072b2)" in svg
        assert not re.search(r"font-family|<style|<metadata|figure_1", svg)
        names = set(re.findall(r' id="([^"]*)"', svg))
        assert set(re.findall(r'(?:href="|url\()#([^")]*)', svg)) == names
        assert all(name.startswith("bars-") for name in names)
    assert not set(re.findall(r' id="([^"]*)"', wide)) & set(
        re.findall(r' id="([^"]*)"', narrow)
    )


def test_a_wrong_name_is_told_with_its_line(build):
    *_, (said,) = build(TOP + "One.\n\nDone after {n}`lost_h:.1f` h.\n")
    assert re.search(r"page\.md:9: WARNING: .*'lost_h' not found in doc 'sweep'", said)


def test_a_wrong_name_in_an_alt_text_is_told(build):
    *_, (said,) = build(
        TOP + "```{nbfigure} sweep.ipynb::bars\n"
        ":name: fig-bars\n:alt: Down to {n}`lost_h:.1f` hours.\n\nA caption.\n```\n"
    )
    assert re.search(r"page\.md:\d+: WARNING: .*'lost_h' not found", said)


def test_a_page_has_to_say_whose_numbers_they_are(build):
    *_, (said,) = build("# A page\n\nDone after {n}`last_h:.1f` h.\n")
    assert re.search(r"page\.md:3: WARNING: no `numbers:` on top", said)
