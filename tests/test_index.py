"""The index of terms, the edition at the foot of each page, and how to cite it."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "book/_ext"))

import edition
import term_index

from vmbmodel import __version__

ROOT = Path(__file__).parents[1]
EXTENSIONS = Path(term_index.__file__).parent
PAGES = {
    "conf.py": f"""
import sys
sys.path.insert(0, {str(EXTENSIONS)!r})
extensions = ["myst_parser", "term_index"]
""",
    "index.md": (
        "# Top\n\n```{toctree}\nbook/lines\nbook/words\nbook/terms\nother\n```\n"
    ),
    "book/lines.md": "# Lines\n\nA jam.\n\n## How it ends\n\nIn a jam. Jams end.\n",
    "book/words.md": (
        "# Words\n\n```{glossary}\njam\n  A jam is a jam.\n\ndrain\n  Gone.\n```\n"
    ),
    "book/terms.md": "# Terms\n\n```{term-index}\n```\n",
    "other.md": "# Jam\n\nA drain, a drain.\n",
}


def test_a_word_leads_to_its_definition_and_its_chapters(tmp_path):
    for name, text in PAGES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    run = [sys.executable, "-m", "sphinx", "-q", "-W", tmp_path, tmp_path / "html"]
    subprocess.run(run, check=True, capture_output=True)
    page = (tmp_path / "html/book/terms.html").read_text("utf-8")
    (found,) = re.findall(r'<ul class="[^"]*term-index.*?</ul>', page, re.S)
    links = re.findall(r'href="(.*?)">(.*?)</a>', found)
    assert links == [
        ("words.html#term-drain", "drain"),  # a page that is no chapter has it
        ("words.html#term-jam", "jam"),
        ("lines.html#how-it-ends", "Lines"),
    ]


@pytest.mark.parametrize(
    ("term", "weight", "anchor"),
    [
        ("wait", 1 + 1 + term_index.HEADING, "long"),
        ("recovery point", 2, "top"),
        ("RPO, RTO", 1, "long"),
        ("pulse", 0, "top"),
    ],
)
def test_how_much_a_chapter_has_of_a_term(term, weight, anchor):
    sections = [
        ("top", "A day", "Wait for recovery points; a recovery point waited."),
        ("long", "Long waits", "A wait is no RTO."),
    ]
    assert term_index.place(term, sections) == (weight, anchor)


def test_the_foot_says_version_and_day(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    config = SimpleNamespace(html_theme_options={})
    edition.foot(None, config)
    said = f"vmbmodel {__version__}, built on 14 November 2023"
    assert config.html_theme_options["extra_footer"] == f'<p class="edition">{said}</p>'


def test_what_the_book_is_cited_as():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    entry = edition.bibtex(cited)
    assert entry.startswith(
        "@software{vmbmodel,\n  author = {{The vmbmodel authors}},\n"
    )
    assert f"  version = {{{__version__}}},\n" in entry
    assert "  year = {20" in entry
    assert entry.count("{") == entry.count("}")
