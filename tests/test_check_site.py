"""The site checker on made-up sites: a good one, and one bad thing at a time."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "book"))

import check_site

WORDS = "A page with enough words in it to be worth the while of its readers."
PAGE = "<html><head>{head}</head><body><main><p>{words}</p>{body}</main></body></html>"


def make(folder, body="", head="", words=WORDS):
    (folder / "_images").mkdir()
    (folder / "_images/wait.png").write_bytes(b"")
    (folder / "style.css").write_text("p {color: red}")
    (folder / "other.html").write_text(
        PAGE.format(head="", words=WORDS, body='<h2 id="there">There</h2>')
    )
    (folder / "index.html").write_text(PAGE.format(head=head, words=words, body=body))
    return folder


GOOD = """
<a href="other.html#there">there</a> <a href="#top">up</a> <a href="?all#a">all</a>
<a id="a" href="#a">an anchor</a>
<a href="https://example.org/">a link is not loaded</a> <a href="mailto:me@x.org">me</a>
<a href="https://x.example:8000/(a)%20b?c=d#e">odd, yet an address</a>
<img src="_images/wait.png" alt="Mean wait against arrivals">
<img src="_images/wait.png" alt="" role="presentation">
<svg class="fig wide" role="img" aria-label="Mean wait against arrivals"></svg>
<pre>\\frac{1}{2}</pre> <code>$$ `</code>
<table><tr><td>None of them</td><td>12</td></tr></table>
<table><thead><tr><th scope="col">wait</th><td></td></tr></thead></table>
<details><summary>More</summary></details>
<details><summary aria-label="More"><i></i></summary></details>
"""


def test_nothing_to_say_about_a_good_site(tmp_path):
    head = '<link rel="canonical" href="https://example.org/"><link href="style.css">'
    assert check_site.check(make(tmp_path, GOOD, head)) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<script src="https://cdn.example/x.js"></script>', "loads https://cdn"),
        ("<p>set `x`</p>", "a mark that nothing takes for one: 'set `x`'"),
        ('<script src="//cdn.example/x.js"></script>', "loads //cdn.example/x.js"),
        ('<link rel="stylesheet" href="https://cdn.example/x.css">', "loads https"),
        ('<iframe src="https://video.example/"></iframe>', "loads https://video"),
        ('<img src="https://x.example/a.png" alt="a b c">', "loads https://x.ex"),
        (
            '<picture><source srcset="style.css, //x.example/b.png 2x"></picture>',
            "loads //x.example/b.png",
        ),
        ("<style>@import 'https://x.example/f.css';</style>", "loads https://x.ex"),
        ('<p style="background: url(//x.example/f.png)">x</p>', "loads //x.example"),
        ('<script>import("https://x.example/t.mjs")</script>', "loads https://x.ex"),
        ('<a href="gone.html">gone</a>', "nothing at gone.html"),
        ('<a href="">empty</a>', "nothing at an empty link"),
        ('<a href="../secret.html">out</a>', "nothing at ../secret.html"),
        ('<a href="other.html#where">where</a>', "no such place: other.html#where"),
        ('<a href="#where">where</a>', "no such place: #where"),
        ('<p id="a">1</p><p id="a">2</p><p id="a">3</p>', "two places are called a"),
        ('<a href="http://x.example/">x</a>', "not an address to link: http://x.ex"),
        ('<a href="https://x/">x</a>', "not an address to link: https://x/"),
        ('<a href="https://x.example/a b">x</a>', "not an address to link: https:"),
        ('<a href="//x.example/">x</a>', "not an address to link: //x.example/"),
        ('<script src="gone.js"></script>', "nothing at gone.js"),
        ('<img src="_images/gone.png" alt="a b c">', "nothing at _images/gone.png"),
        ('<img src="_images/wait.png">', "no description"),
        ('<img src="_images/wait.png" alt="">', "no description"),
        ('<svg class="fig narrow" role="img"></svg>', "a drawing: no description"),
        ('<img src="_images/wait.png" alt="_images/wait.png">', "by a path"),
        ('<img src="_images/wait.png" alt="../wait.png">', "described by a path"),
        ('<img src="_images/wait.png" alt="A figure">', "described by 'A figure'"),
        (
            '<img src="_images/wait.png" alt="a b c" role="presentation">',
            "for decoration, yet described",
        ),
        (r"<p>\(\rho\)</p>", "TeX that nothing draws"),
        (r'<p class="math">\frac{1}{2}</p>', "TeX that nothing draws"),
        ("<table><tr><td> nan </td></tr></table>", "cell <td> says only nan"),
        (
            '<table><tr><th scope="row">None</th></tr></table>',
            "cell <th> says only None",
        ),
        ("<table><tr><th>wait</th></tr></table>", "'wait', says not of what"),
        ('<table><tr><th scope="col"> </th></tr></table>', "a table is empty"),
        ("<details><summary><i></i></summary></details>", "opens without saying"),
    ],
)
def test_each_fault_is_named_once(tmp_path, body, problem):
    (found,) = check_site.check(make(tmp_path, body))
    assert found.startswith("index.html: ")
    assert problem in found


def test_tex_is_fine_where_mathjax_draws_it(tmp_path):
    (tmp_path / "mathjax.js").write_text("")
    body = r'<script src="mathjax.js"></script><p class="math">\frac{1}{2}</p>'
    assert check_site.check(make(tmp_path, body)) == []
    body += r"<td>\frac{1}{2}</td>"
    (tmp_path / "more.html").write_text(PAGE.format(head="", words=WORDS, body=body))
    (found,) = check_site.check(tmp_path)
    assert found.startswith("more.html: TeX that nothing draws")


def test_a_title_names_one_page(tmp_path):
    make(tmp_path, head="<title>How long? \n - a book</title>")
    assert check_site.check(tmp_path) == []
    again = PAGE.format(head="<title>How long? - a book</title>", words=WORDS, body="")
    (tmp_path / "more.html").write_text(again)
    assert check_site.check(tmp_path) == ["more.html: titled as index.html"]


def test_an_empty_page_is_named_and_a_redirect_is_followed(tmp_path):
    (found,) = check_site.check(make(tmp_path, words="Too short."))
    assert found == "index.html: hardly any text: 2 words"
    refresh = '<meta http-equiv="Refresh" content="0; url={}">'
    index = tmp_path / "index.html"
    index.write_text(refresh.format("other.html"))
    assert check_site.check(tmp_path) == []
    index.write_text(refresh.format("gone.html"))
    assert check_site.check(tmp_path) == ["index.html: nothing at gone.html"]


@pytest.mark.parametrize(
    ("css", "problem"),
    [
        ("@font-face {src: url(https://x.example/f.woff2)}", "loads https://x.ex"),
        ("p {background: url('gone.png')}", "nothing at gone.png"),
    ],
)
def test_style_sheets_are_read_too(tmp_path, css, problem):
    (make(tmp_path) / "style.css").write_text(
        "/* url(//comment) */ b {background: url(data:image/png;base64,AA)}" + css
    )
    (found,) = check_site.check(tmp_path)
    assert found.startswith("style.css: ")
    assert problem in found


def test_status_says_whether_there_were_problems(tmp_path, capsys):
    assert check_site.main([str(make(tmp_path))]) == 0
    (tmp_path / "other.html").unlink()
    (tmp_path / "index.html").write_text('<a href="other.html"></a>')
    assert check_site.main([str(tmp_path)]) == 1
    assert "index.html: nothing at other.html" in capsys.readouterr().out
    assert check_site.main([]) == 2
    assert check_site.main([str(tmp_path / "gone")]) == 2


def test_a_folder_without_pages_is_a_problem(tmp_path):
    assert check_site.check(tmp_path) != []
