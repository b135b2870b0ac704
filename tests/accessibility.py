"""axe-core on pages of the built book, as they are laid out in a browser.

``python tests/accessibility.py _build/html`` opens every page, at 1280 and at 390
pixels, and prints what axe finds on it in the light, what its rules of colour find in
the dark, how wide it is if it is wider than the screen, and equations that are wider
than their column; ``... _build/html queue restore`` opens only pages with these words
in their path.
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
  await Promise.allSettled(document.getAnimations().map(moving => moving.finished));
  const found = await axe.run(document, {resultTypes: ["violations"], ...only});
  return found.violations.map(v => [v.id, v.impact, v.nodes.map(n => n.html)]);
})
"""
COLOURS = "{runOnly: ['color-contrast', 'link-in-text-block']}"
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
    const part = equation.display && equation.typesetRoot.closest("div.math");
    if (part && wide(part)) said.push(`an equation is too wide: ${equation.math}`);
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


def violations(browser, address, width):
    """Yield what is wrong with a page: in which theme, and what."""
    browser.wide(width)
    browser.theme("light")
    browser.open(address)
    browser.run(UNFOLD)
    for said in found(browser):
        yield "light", said
    browser.theme("dark")
    browser.wait("document.documentElement.dataset.theme == 'dark'")
    for said in found(browser, COLOURS):
        yield "dark", said


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
            for width in WIDTHS:
                for theme, said in violations(browser, path.as_uri(), width):
                    wrong += 1
                    print(f"{names[path]}, {width}, {theme}: {said}", flush=True)
    print(f"{len(pages)} pages, {wrong or 'no'} violations")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
