"""The chapters of the built book as one PDF, printed by a browser.

``python book/make_pdf.py _build/html`` prints ``vmbmodel.pdf`` into the site, and leads
to it at the foot of each page. It takes the chapters in the order of contents, without
the pages of the package, the notebooks behind chapters and what only a screen can show;
joins them to one page with a title and its contents; and has a Chromium without a
window print it on A4, twice: the first print tells on which page each chapter begins.
"""

import json
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from edition import edition

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START = "book/intro.html"
FOOT = re.compile(r'(<p class="edition">[^<]*)</p>')
LEFT_OUT = ("api/", "changelog", "execution", "your-fleet")
FOR_A_SCREEN = (
    ".headerlink, .moving, script, style, link, button, details.hide, .cell_input, "
    ".narrow, .d-print-none, .tableofcontents-wrapper, .sphinx-bs.dropdown .toggle, "
    ".sd-hide-link-text, .run-again"
)
SHEETS = ("basic.css", "pygments.css", "sphinx-design.min.css", "proof.css", "book.css")
HEADER = "@page {} {{ @top-right {{ content: {}; }} }}\n"
STYLE = """
@page { size: A4; margin: 22mm 20mm 24mm; font: 8pt "DejaVu Sans", Arial, sans-serif;
  color: #555; @bottom-center { content: counter(page); } }
@page :first { @bottom-center { content: none; } }
:root { --pst-color-border: #bbb; --pst-color-surface: #f4f4f4; color: #111; }
body { font: 10.5pt/1.45 "DejaVu Serif", Georgia, serif; margin: 0; max-width: none; }
h1, h2, h3, h4, dt { font-family: "DejaVu Sans", Arial, sans-serif; line-height: 1.2; }
h1 { font-size: 18pt; margin: 0 0 14pt; }
h2 { font-size: 14pt; } h3 { font-size: 12pt; }
h1, h2, h3, h4, dt, .part { break-after: avoid; }
.part { font: 11pt "DejaVu Sans", Arial, sans-serif; color: #555; }
.cover { padding-top: 60mm; text-align: center; }
.cover h1 { font-size: 28pt; }
.contents { break-before: page; } .contents h2 { font-size: 11pt; margin: 10pt 0 2pt; }
.contents div { columns: 2; column-gap: 10mm; }
.contents p { margin: 0; break-inside: avoid; display: flex; gap: 2mm; }
.contents span { margin-left: auto; }
a { color: #1259c3; text-decoration: none; }
p { margin: 7pt 0; orphans: 3; widows: 3; } figcaption p { margin: 3pt 0; }
figure, table:not(.model-table), .sd-row, .proof, div.math, tr { break-inside: avoid; }
p:has(+ div.math, + .pst-scrollable-table-container, + .cell) { break-after: avoid; }
div.math, .output.text_html, .pst-scrollable-table-container { overflow: visible; }
div.math { display: flex; flex-direction: row-reverse; align-items: center; }
div.math > mjx-container { flex: 1; }
thead { break-after: avoid; } thead tr { break-inside: avoid; }
figure { margin: 12pt 0; text-align: center; } figcaption { font-size: 9pt; }
svg.fig, img { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: 9pt; margin: 8pt auto; max-width: 100%; }
th, td { border-bottom: 0.5pt solid #bbb; padding: 2pt 5pt; vertical-align: top; }
table.model-table { font-size: 7pt; line-height: 1.25; width: 100%; }
table.model-table td { min-width: 0; } table.model-table code { white-space: normal; }
table.model-table td:last-child { min-width: 40mm; }
table p { margin: 0; } th { text-align: left; } .number { text-align: right; }
pre { font-size: 8pt; background: #f4f4f4; padding: 6pt; white-space: pre-wrap; }
code, pre { font-family: "DejaVu Sans Mono", monospace; } code { font-size: 0.88em; }
.admonition, details { border-left: 2pt solid #999; padding: 2pt 9pt; margin: 9pt 0; }
.admonition-title, summary { font-weight: bold; list-style: none; break-after: avoid; }
.bd-article ul.term-index li { padding-left: 1em; text-indent: -1em; }
"""


def chapters(site):
    """Yield the part, the address and the title of each chapter."""
    contents = soup_of(site / START).select_one("nav.bd-links")
    yield "", START, ""
    part = ""
    for found in contents.select("p.caption, li.toctree-l1 > a"):
        if found.name == "p":
            part = found.get_text(strip=True)
        elif found["href"] != "#" and not found["href"].startswith(LEFT_OUT):
            yield part, place(START, found["href"]), found.get_text(strip=True)


def place(page, address):
    """Return where in the site a link of a page leads."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), address))


def soup_of(path):
    """Return a page, by its path, as a tree."""
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def article(site, page, names):
    """Return a chapter as a piece of the joined page.

    Its anchors get the name of the chapter in front, and so do links to chapters that
    are in the PDF; links to others become words.
    """
    found = soup_of(site / page).select_one("article.bd-article")
    for part in found.select(FOR_A_SCREEN):
        part.decompose()
    for part in found.select("details"):
        part["open"] = ""
    own = names[page]
    for part in found.select("[id]"):
        if part.find_parent("svg") is None:
            part["id"] = f"{own}--{part['id']}"
    for link in found.select("a[href]"):
        address = urlsplit(link["href"])
        if address.scheme:
            continue
        target = place(page, address.path) if address.path else page
        if target in names:
            anchor = f"--{address.fragment}" if address.fragment else ""
            link["href"] = f"#{names[target]}{anchor}"
        else:
            link.unwrap()
    for image in found.select("img[src]"):
        image["src"] = (site / place(page, image["src"])).as_uri()
    found["id"] = own
    return found


def joined(site, numbers=None):
    """Return the whole book as one page; numbers are those of the chapters' pages."""
    first = soup_of(site / START)
    named = first.select_one(".logo__title").get_text(strip=True)
    title, _, about = named.partition(": ")
    rows = list(chapters(site))
    names = {address: Path(address).stem for _, address, _ in rows}
    math = [str(s) for s in first.select("script") if "MathJax =" in s.get_text()]
    drawn = (site / "_static/mathjax/tex-chtml.js").as_uri()
    math.append(f'<script src="{drawn}"></script>')
    sheets = [(site / "_static" / name).read_text("utf-8") for name in SHEETS]
    contents, bodies, before = [], [], ""
    for part, address, name in rows:
        label = ""
        if part != before:
            contents.append(f"<h2>{escape(part)}</h2>")
            label = f'<p class="part">{part}</p>'
            before = part
        stem = names[address]
        body = article(site, address, names)
        name = name or body.h1.get_text()
        number = f"<span>{(numbers or {}).get(stem, '')}</span>"
        contents.append(f'<p><a href="#{stem}">{escape(name)}</a> {number}</p>')
        sheets.append(HEADER.format(stem, json.dumps(name, ensure_ascii=False)))
        bodies.append(f'<div style="page: {stem}">{label}{body}</div>')
    return "".join(
        [
            '<!doctype html><html lang="en" data-theme="light"><head>',
            f'<meta charset="utf-8"><title>{title}</title>',
            f"<style>{''.join(sheets)}{STYLE}</style>{''.join(math)}</head><body>",
            f'<div class="cover"><h1>{title}</h1><p>{about}</p>',
            f"<p>{edition()}</p></div>",
            f'<div class="contents"><h1>Contents</h1><div>{"".join(contents)}</div>',
            "</div>",
            *bodies,
            "</body></html>",
        ]
    )


def print_page(page, pdf):
    """Have a browser print a page."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        raise SystemExit(f"make pdf: needs one of {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "book.html")
        path.write_text(page, "utf-8")
        flags = ["--headless", "--no-sandbox", "--disable-gpu"]
        flags += [f"--user-data-dir={folder}/profile", "--no-pdf-header-footer"]
        flags += ["--generate-pdf-document-outline", "--virtual-time-budget=120000"]
        flags += ["--allow-file-access-from-files", f"--print-to-pdf={pdf}"]
        subprocess.run(
            [browser, *flags, path.as_uri()],
            check=True,
            timeout=600,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def page_numbers(pdf):
    """Return on which page of a PDF that Chromium printed each anchor is.

    It writes the objects that say so without compression: lists of pages in their
    order, and anchors with the page they are on.
    """
    text = pdf.read_bytes()
    pages = set(re.findall(rb"\n(\d+) 0 obj\n<</Type /Page\n", text))
    listed = re.findall(rb"(\d+) 0 R", b" ".join(re.findall(rb"/Kids \[(.*?)\]", text)))
    order = [page for page in listed if page in pages]
    anchors = re.findall(rb"/([\w-]+) \[(\d+) 0 R /XYZ", text)
    return {name.decode(): order.index(page) + 1 for name, page in anchors}


def lead_to(pdf, site):
    """Have the foot of each page lead to the PDF."""
    for path in site.rglob("*.html"):
        page = path.read_text("utf-8")
        up = "../" * (len(path.relative_to(site).parts) - 1)
        link = rf'\1 · <a href="{up}{pdf.name}">PDF</a></p>'
        linked = FOOT.sub(link, page)
        if linked != page:
            path.write_text(linked, "utf-8")


def main(arguments):
    """Make the PDF; return the exit status."""
    site = Path(arguments[0]).resolve()
    pdf = site / "vmbmodel.pdf"
    if not (site / START).is_file():
        print(f"make pdf: {site} has no book; make book comes first", file=sys.stderr)
        return 1
    print_page(joined(site), pdf)
    print_page(joined(site, page_numbers(pdf)), pdf)
    lead_to(pdf, site)
    size_mb = pdf.stat().st_size / 2**20
    print(f"The book to print: {arguments[0]}/{pdf.name}, {size_mb:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
