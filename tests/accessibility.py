"""axe-core on pages of the built book, as they are laid out in a browser.

``python tests/accessibility.py _build/html`` opens every page, at 1280 and at 390
pixels, unfolds it, and prints what axe finds, how wide the page is if it is wider than
the screen, and equations that are wider than their column; ``... _build/html queue
restore`` opens only pages with these words in their path. Colours take most of the
time and are the same at any width: they are looked at once in the light and once in the
dark. Signs of equations, which are as the text around them, are left out.
It needs a Chromium, and axe-core: the file that the environment variable VMBMODEL_AXE
names, or that of the installed package axe-playwright-python, which needs no other.
"""

import importlib.util
import os
import sys
from pathlib import Path

from browser import Browser

WIDTHS = (1280, 390)
PATIENCE = 300
RUN = """
(async (only) => {
  await window.MathJax?.startup?.promise;
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  await Promise.allSettled(document.getAnimations().map(moving => moving.finished));
  const part = {exclude: ["mjx-math"]};
  const found = await axe.run(part, {resultTypes: ["violations"], ...only});
  return found.violations.map(v => [v.id, v.impact, v.nodes.map(n => n.html)]);
})
"""
COLOURS = "{runOnly: ['color-contrast', 'link-in-text-block']}"
SHAPES = "{rules: {'color-contrast': {enabled: false}}}"
# what is folded, so that it is looked at, too
UNFOLD = """
const folded = [...document.querySelectorAll("article details")];
folded.forEach(part => part.open = true);
document.querySelectorAll("article .toggle-hidden button").forEach(b => b.click());
"""
WIDE = """
(() => {
  const wide = part => part.scrollWidth > part.clientWidth;
  const page = document.documentElement;
  const said = wide(page) ? [`${page.scrollWidth} pixels wide`] : [];
  for (const equation of window.MathJax?.startup?.document?.math ?? []) {
    const drawn = equation.display && equation.typesetRoot;
    if (drawn && (wide(drawn) || wide(drawn.parentElement))) {
      said.push(`an equation is too wide: ${equation.math}`);
    }
  }
  return said;
})()
"""


def axe():
    """Return the path of axe-core, or None."""
    if named := os.environ.get("VMBMODEL_AXE"):
        return Path(named)
    package = importlib.util.find_spec("axe_playwright_python")
    if package is None:
        return None
    return Path(package.origin).with_name("axe.min.js")


def violations(browser, address):
    """Yield what is wrong with a page: at which width, in which theme, and what."""
    wide, narrow = WIDTHS
    browser.theme("light")
    for width in (narrow, wide):
        browser.wide(width)
        browser.open(address)
        browser.run(UNFOLD)
        for said in found(browser, SHAPES if width == narrow else "{}"):
            yield width, "light", said
    browser.theme("dark")
    browser.wait("document.documentElement.dataset.theme == 'dark'")
    for said in found(browser, COLOURS):
        yield wide, "dark", said


def found(browser, only="{}"):
    """Return what is wrong with the page that is open, as it stands, a line each."""
    if not browser.run("'axe' in window"):
        browser.run(f"{axe().read_text('utf-8')}; 0")
    said = []
    for rule, impact, parts in browser.run(f"{RUN}({only})"):
        said.append(f"{rule} ({impact}), {len(parts)} times: {parts[0][:160]}")
    return said + browser.run(WIDE)


def main(arguments):
    """Audit the pages of a site; return the exit status."""
    site = Path(arguments[0]).resolve()
    pages = [p for p in sorted(site.rglob("*.html")) if "_static" not in p.parts]
    names = {path: path.relative_to(site).as_posix() for path in pages}
    if asked := arguments[1:]:
        pages = [p for p in pages if any(word in names[p] for word in asked)]
    wrong = 0
    with Browser() as browser:
        browser.patience = PATIENCE
        for path in pages:
            for width, theme, said in violations(browser, path.as_uri()):
                wrong += 1
                print(f"{names[path]}, {width}, {theme}: {said}", flush=True)
    print(f"{len(pages)} pages, {wrong or 'no'} violations")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
