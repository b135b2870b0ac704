"""Read the built site as a browser would, and name what Sphinx lets pass.

``python book/check_site.py _build/html`` prints a line for each problem and
exits 1 if there is one. What it looks for: anything loaded from another host;
links and anchors that lead nowhere, anchors that stand twice, and addresses of other
hosts that are no address, or are not https; images without a real description; raw TeX
that MathJax would not draw, and marks of code that stayed in the text; pages with next
to no text; cells of tables that say only ``nan`` or ``None``; heads of tables that are
empty or do not say of what they are; what opens and closes without saying what; and
titles that two pages share.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {  # attributes whose address the browser fetches by itself
    ("script", "src"),
    ("link", "href"),
    ("img", "src"),
    ("img", "srcset"),
    ("iframe", "src"),
    ("source", "src"),
    ("source", "srcset"),
    ("video", "src"),
    ("video", "poster"),
    ("audio", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("track", "src"),
    ("input", "src"),
}
NAMED_ONLY = {"canonical", "license", "author", "help", "alternate"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"}
VOID |= {"source", "track", "wbr"}
DRAWN = {"math", "mathjax_process", "tex2jax_process", "output_area"}
MADE_BY_SPHINX = {"search.html", "genindex.html"}
MIN_WORDS = 12
MIN_ALT_WORDS = 3
ADDRESS = re.compile(
    r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?(/[!-~]*)?|mailto:[!-~]+"
)
RAW_TEX = re.compile(r"\\\(|\\\[|\$\$|\\(?:frac|sqrt|sum|begin|text|mathrm|lambda)\b")
CSS_ADDRESS = re.compile(
    r"url\(\s*['\"]?([^'\")]+)['\"]?\s*\)|@import\s+['\"]([^'\"]+)"
)
SCRIPT_ADDRESS = re.compile(
    r"['\"]((?:https?:)?//[^'\"\s]+\.(?:m?js|css|wasm|woff2?))\b"
)


class Page(HTMLParser):
    """What one page loads, links, names and says."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.loads, self.links, self.images, self.cells = [], [], [], []
        self.ids, self.twice, self.styles, self.scripts = set(), [], [], []
        self.words, self.prose, self.drawn, self.title = [], [], [], []
        self.heads, self.openers = [], []
        self.has_mathjax = self.redirects = False
        self._open = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Take down the addresses, names and descriptions of an element."""
        attrs = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            drawn = bool(DRAWN & set(attrs.get("class", "").split()))
            self._open.append((tag, drawn))
        if attrs.get("id") in self.ids:
            self.twice.append(attrs["id"])
        self.ids |= {attrs[name] for name in ("id", "name") if attrs.get(name)}
        if attrs.get("style"):
            self.styles.append(attrs["style"])
        if tag in ("td", "th"):
            self.cells.append((tag, []))
        if tag == "th":
            self.heads.append((attrs.get("scope"), self.cells[-1][1]))
        if tag == "summary":
            self.openers.append([attrs.get("aria-label", "")])
        if tag == "a" and "href" in attrs:
            self.links.append(attrs["href"])
        if tag == "img":
            self.images.append(attrs)
        if tag == "svg" and "fig" in attrs.get("class", "").split():
            name, alt = "a drawing", attrs.get("aria-label", "")
            self.images.append({"src": name, "alt": alt})
        if tag == "meta" and attrs.get("http-equiv", "").lower() == "refresh":
            self.redirects = True
            self.links.append(attrs.get("content", "").partition("url=")[2])
        if tag == "script" and "mathjax" in attrs.get("src", "").lower():
            self.has_mathjax = True
        if tag == "link" and set(attrs.get("rel", "").lower().split()) & NAMED_ONLY:
            return
        for name, value in attrs.items():
            if (tag, name) in LOADED and value:
                self.loads += addresses(name, value)

    def handle_endtag(self, tag):
        """Close the element, and those left open inside it."""
        if any(tag == name for name, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data):
        """Sort text by where it stands."""
        inside = {name for name, _ in self._open}
        if "style" in inside:
            self.styles.append(data)
        elif "script" in inside:
            self.scripts.append(data)
        elif inside >= {"head", "title"}:
            self.title.append(data)
        elif "head" not in inside:
            if "summary" in inside:
                self.openers[-1].append(data)
            if self.cells and inside & {"td", "th"}:
                self.cells[-1][1].append(data)
            if inside & {"main", "article"}:
                self.words += data.split()
            if not inside & {"pre", "code", "textarea"}:
                drawn = any(drawn for _, drawn in self._open)
                (self.drawn if drawn else self.prose).append(data)


def addresses(name, value):
    """Return the addresses of an attribute, which may list several."""
    if name == "srcset":
        return [part.split()[0] for part in value.split(",") if part.split()]
    return [value]


def is_foreign(address):
    """Say whether an address leads to another host."""
    return bool(urlsplit(address).netloc)


def check(site):
    """Return the problems of the site in a folder, page by page."""
    site = Path(site).resolve()
    pages = {
        path: Page(path.read_text("utf-8"))
        for path in sorted(site.rglob("*.html"))
        if path.relative_to(site).parts[0] != "_static"  # the theme's templates
    }
    if not pages:
        return [f"{site}: no page"]
    problems = []
    for path, page in pages.items():
        found = [
            *loading_problems(page),
            *link_problems(path, page, pages, site),
            *image_problems(page),
            *name_problems(page),
            *text_problems(path, page, site),
        ]
        problems += [f"{path.relative_to(site)}: {what}" for what in found]
    problems += title_problems(pages, site)
    for path in sorted(site.rglob("*.css")):
        where = path.relative_to(site)
        for address in css_addresses(path.read_text("utf-8")):
            if is_foreign(address):
                problems.append(f"{where}: loads {address}")
            elif target(path, address, site) is None:
                problems.append(f"{where}: nothing at {address}")
    return problems


def css_addresses(text):
    """Yield the addresses in a style sheet that are not data themselves."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for match in CSS_ADDRESS.finditer(text):
        address = (match.group(1) or match.group(2)).strip()
        if not address.startswith(("data:", "#")):
            yield address


def loading_problems(page):
    """Yield what a page fetches from another host."""
    inline = [a for style in page.styles for a in css_addresses(style)]
    named = [a for script in page.scripts for a in SCRIPT_ADDRESS.findall(script)]
    for address in [*page.loads, *inline, *named]:
        if is_foreign(address):
            yield f"loads {address}"


def link_problems(path, page, pages, site):
    """Yield the addresses of a page at which there is nothing, or two places."""
    for name in dict.fromkeys(page.twice):
        yield f"two places are called {name}"
    for address in dict.fromkeys([*page.loads, *page.links]):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            if address in page.links and not ADDRESS.fullmatch(address):
                yield f"not an address to link: {address}"
            continue
        found = target(path, address, site)
        if found is None:
            yield f"nothing at {address or 'an empty link'}"
        elif parts.fragment and found in pages:
            anchor = unquote(parts.fragment)
            if anchor not in pages[found].ids | {"top"}:
                yield f"no such place: {address}"


def target(path, address, site):
    """Return the file at a local address, or None; a folder is its index."""
    place = unquote(urlsplit(address).path)
    if not place:
        return path if address.startswith(("#", "?")) else None
    start = site if place.startswith("/") else path.parent
    file = (start / place.lstrip("/")).resolve()
    if file.is_dir():
        file /= "index.html"
    return file if file.is_file() and file.is_relative_to(site) else None


def image_problems(page):
    """Yield the images that a screen reader could not describe."""
    for image in page.images:
        alt = image.get("alt", "").strip()
        name = image.get("src", "")[-60:]
        if image.get("role") in ("presentation", "none"):
            if alt:
                yield f"image {name}: for decoration, yet described as {alt!r}"
        elif not alt:
            yield f"image {name}: no description"
        elif re.search(r"_images/|\.(png|svg|jpe?g|gif|webp)$", alt, re.I):
            yield f"image {name}: described by a path, {alt!r}"
        elif len(alt.split()) < MIN_ALT_WORDS:
            yield f"image {name}: described by {alt!r} only"


def name_problems(page):
    """Yield what a screen reader would pass on without its name."""
    for scope, parts in page.heads:
        text = "".join(parts).strip()
        if scope not in ("col", "row", "colgroup", "rowgroup"):
            yield f"a head of a table, {text!r}, says not of what: scope={scope}"
        elif not text:
            yield "a head of a table is empty"
    if not all("".join(parts).strip() for parts in page.openers):
        yield "a part opens without saying which"


def title_problems(pages, site):
    """Yield the titles that say nothing, as another page has them."""
    known = {}
    for path, page in pages.items():
        title = " ".join("".join(page.title).split())
        if title and not page.redirects:
            first = known.setdefault(title, path)
            if first is not path:
                yield f"{path.relative_to(site)}: titled as {first.relative_to(site)}"


def text_problems(path, page, site):
    """Yield what a reader of the text would stumble over."""
    left = page.prose if page.has_mathjax else page.prose + page.drawn
    for text in left:
        raw = RAW_TEX.search(text)
        if raw:
            sample = text[max(raw.start() - 20, 0) : raw.end() + 20].strip()
            yield f"TeX that nothing draws: {sample!r}"
            break
    for text in page.prose:
        if "`" in text:
            yield f"a mark that nothing takes for one: {' '.join(text.split())[:60]!r}"
            break
    made = path.relative_to(site).as_posix() in MADE_BY_SPHINX
    if not page.redirects and not made and len(page.words) < MIN_WORDS:
        yield f"hardly any text: {len(page.words)} words"
    for tag, parts in page.cells:
        if "".join(parts).strip() in ("nan", "NaN", "None", "NaT", "<NA>"):
            yield f"a table cell <{tag}> says only {''.join(parts).strip()}"


def main(arguments):
    """Check one site; return the exit status."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: check_site.py FOLDER", file=sys.stderr)
        return 2
    problems = check(arguments[0])
    for problem in problems:
        print(problem)
    print(f"{arguments[0]}: {len(problems) or 'no'} problems")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
