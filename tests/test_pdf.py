"""The book to print: chapters in order, links that stay inside, nothing of a screen."""

import re
import sys
from pathlib import Path

import pytest
from browser import chromium

sys.path.insert(0, str(Path(__file__).parents[1] / "book"))

import make_pdf

NAV = """<p class="title logo__title">tool: a model</p>
<nav class="bd-links"><ul><li class="toctree-l1"><a href="#">Top</a></li></ul>
<p class="caption">When</p><ul>
<li class="toctree-l1"><a href="queue.html">1. Lines</a><ul>
<li class="toctree-l2"><a href="../notebooks/x.html">Sweep</a></li></ul></li>
<li class="toctree-l1"><a href="jam.html">2. Jams "&amp; more"</a></li>
<li class="toctree-l1"><a href="../notebooks/fleet.html">3. Fleet</a></li></ul>
<p class="caption">Reference</p><ul>
<li class="toctree-l1"><a href="api/index.html">The package</a></li>
<li class="toctree-l1"><a href="changelog.html">Changes</a></li></ul></nav>
<script>window.MathJax = {}</script>"""
FOOT = '<p class="edition">of today</p>'
PAGES = {
    "book/intro": '<h1>Top</h1><p><a href="queue.html#law">law</a></p>',
    "book/queue": """<h1>1. Lines<a class="headerlink" href="#lines">#</a></h1>
<h2 id="law">The law</h2>
<a href="#law">here</a> <a href="jam.html">jams</a> <a href="api/index.html#f">code</a>
<a href="https://example.org/">away</a> <img src="../_images/a.png" alt="A line">
<details class="hide above-input"><pre>import numpy</pre></details>
<details class="admonition"><summary>More</summary>A proof.</details>
<a href="../notebooks/fleet.html">fleet</a> <a href="../notebooks/x.html">sweep</a>
<a class="sd-hide-link-text" href="your-fleet.html">all of a card</a>
<div class="moving">Move me.</div><svg class="fig wide"><path id="m1"></path></svg>
<svg class="fig narrow"></svg><div class="highlight-console narrow">$</div>""",
    "book/jam": '<h1>2. Jams "&amp; more"</h1>',
    "book/changelog": "<h1>Changes</h1>",
    "notebooks/fleet": '<h1>3. Fleet</h1><a href="../book/jam.html#j">back</a>',
}


@pytest.fixture
def site(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_static").mkdir()
    for sheet in make_pdf.SHEETS:
        (tmp_path / "_static" / sheet).write_text("p {}")
    for name, text in PAGES.items():
        page = f"<body>{NAV}<article class='bd-article'>{text}</article>{FOOT}</body>"
        (tmp_path / f"{name}.html").write_text(page)
    return tmp_path


def test_chapters_come_in_order_under_their_parts(site):
    assert list(make_pdf.chapters(site)) == [
        ("", "book/intro.html", ""),
        ("When", "book/queue.html", "1. Lines"),
        ("When", "book/jam.html", '2. Jams "& more"'),
        ("When", "notebooks/fleet.html", "3. Fleet"),
    ]


def test_the_joined_page_has_what_paper_can_show(site, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    page = make_pdf.joined(site, {"queue": 5})
    assert "<h1>tool</h1><p>a model</p><p>vmbmodel " in page
    assert "built on 14 November 2023" in page
    assert '<p><a href="#queue">1. Lines</a> <span>5</span></p>' in page
    assert r'@page jam { @top-right { content: "2. Jams \"& more\""; } }' in page
    assert page.index("<h2>When</h2>") < page.index('<p class="part">When</p>')
    assert 'id="queue--law"' in page
    assert page.count('href="#queue--law"') == 2
    assert '<a href="#jam">jams</a>' in page
    assert '<a href="#fleet">fleet</a> sweep' in page
    assert '<a href="#jam--j">back</a>' in page
    assert 'href="https://example.org/"' in page
    assert f'src="{(site / "_images/a.png").as_uri()}"' in page
    assert "code" in page
    assert "api/index" not in page
    assert re.search(r'<details class="admonition" open="">', page)
    assert 'id="m1"' in page
    for gone in ("headerlink", "import numpy", "Move me", "narrow", "Changes", "card"):
        assert gone not in page


def test_a_browser_prints_it(site, capsys):
    if not chromium():
        pytest.skip("there is no Chromium to print with")
    pdf = site / "vmbmodel.pdf"
    assert make_pdf.main([str(site)]) == 0
    assert pdf.read_bytes().startswith(b"%PDF-")
    numbers = make_pdf.page_numbers(pdf)
    names = ("intro", "queue", "jam", "fleet")
    assert [numbers[name] for name in names] == [3, 4, 5, 6]
    assert "The book to print" in capsys.readouterr().out
    foot = '<p class="edition">of today · <a href="../vmbmodel.pdf">PDF</a></p>'
    assert foot in (site / "book/queue.html").read_text()
    make_pdf.lead_to(pdf, site)
    assert (site / "book/queue.html").read_text().count("PDF") == 1


def test_without_a_book_it_says_what_comes_first(tmp_path, capsys):
    assert make_pdf.main([str(tmp_path)]) == 1
    assert "make book comes first" in capsys.readouterr().err
