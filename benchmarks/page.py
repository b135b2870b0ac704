"""What the book's page that computes takes, beside the same Python outside a browser.

``python -m benchmarks.page`` opens the page from ``file://`` in a Chromium, asks it and
a Python of this machine the same questions in turn, prints a table and stores it in
``page.csv``. Times are those a reader waits, so that they tell something only beside
the load of the machine, which stands in the table, and as a ratio.
"""

import datetime
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.tables import store

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / name) for name in ("tests", "book", "book/_ext")]

browser = importlib.import_module("browser")
extension = importlib.import_module("live_page")
moving = importlib.import_module("moving")

RESULTS = Path(__file__).with_name("page.csv")
ROUNDS = 3
PACKED = 3 / 4
"""Bytes that are packed, of one of the scripts that have them in base64."""
FRESH = """
from live import fleet_page
fleet_page.Session().ask({})
"""
HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"/><title>page</title>'
CLICK = "void document.querySelector('.fleet-begin').click()"
ANSWERED = "document.querySelector('.fleet-status').textContent.startsWith('Computed')"
CALL = """
(async () => {
  const begun = performance.now();
  await vmbmodelLive.call(%s, %s);
  return (performance.now() - begun) / 1000;
})()
"""


def main() -> None:
    """Measure, print and store."""
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as page:
        address, megabytes = site(Path(folder))
        rows = [first(page, address), *steps(page)]
    run = {
        "rounds": ROUNDS,
        "scripts_mb": round(megabytes, 1),
        "gzip_mb": round(megabytes * PACKED, 1),
        "gzip_mb_aim": "<= 16",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "command": "python -m benchmarks.page",
    }
    store(RESULTS, rows, run)


def site(folder):
    """Write the page as the build does, and return its address and what it loads."""

    class App:
        class builder:  # noqa: N801 (as Sphinx names it)
            format = "html"

        outdir = folder

    extension.write(App)
    if not App.live_sizes:
        raise SystemExit("the page's Python is not to be had; CONTRIBUTING.md says how")
    body = extension.page_html("_static/live", App.live_sizes)
    (folder / "page.html").write_text(f"{HEAD}<body>{body}", "utf-8")
    return (folder / "page.html").as_uri(), sum(App.live_sizes.values()) / 1e6


def first(page, address):
    """Compare the time to the first answer with that of a Python that is started."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'book'}"}
    taken = []
    for _ in range(ROUNDS):
        page.open(address)
        begun = time.perf_counter()
        page.run(CLICK)
        page.wait(ANSWERED, 180)
        answered = time.perf_counter()
        subprocess.run([sys.executable, "-c", FRESH], env=environment, check=True)
        taken.append((answered - begun, time.perf_counter() - answered))
    return row("click to first answer, 40 VMs", taken, "<= 8 s")


def steps(page):
    """Compare a step of a slider, of the page that is open and of this Python."""
    session = extension.fleet_page.Session()
    for number, aim in ((40, "<= .3 s"), (1000, "<= .6 s")):
        if number == 1000:
            many = "".join(f"vm{i:04},os,os,127,{i % 90 + 9}\n" for i in range(number))
            take(page, session, f"vm,disk,role,size_gib,used_gib\n{many}")
        asks = [{"settings": {"deadline_h": str(h)}} for h in range(2, 3 + ROUNDS)]
        taken = turns(page, session, "ask", asks)
        yield row(f"a step of the fleet page, {number} VMs", taken, aim)
        if number == 40:
            doubts = turns(page, session, "doubt", [{}] * (1 + ROUNDS), asks[0])
            yield row(f"its intervals, {number} VMs", doubts, "after the answer")
    for name in sorted(moving.PLACES):
        given = moving.begun(name)
        control = session.figure(name, given)["controls"][0]
        asks = [
            {"name": name, "given": given | {control["name"]: value}}
            for value in stepped(control)
        ]
        taken = turns(page, session, "figure", asks)
        yield row(f"a step of the figure {name}", taken, "<= .1 s")


def stepped(control):
    """Return values of a slider, one more than there are rounds."""
    return [control["value"] + n * control["step"] for n in range(ROUNDS + 1)]


def take(page, session, text):
    """Let both sides read a table."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "many.csv").write_text(text, "utf-8")
        session.read(folder)
    page.run(f"""(() => {{
        const carried = new DataTransfer();
        carried.items.add(new File([{json.dumps(text)}], "many.csv"));
        document.querySelector(".fleet-status").textContent = "";
        document.dispatchEvent(new DragEvent("drop", {{dataTransfer: carried}}));
    }})()""")
    page.wait(ANSWERED, 180)


def turns(page, session, call, asks, before=None):
    """Return the seconds of each call, in the page and here, the first left out.

    With `before`, that is asked before each, and not counted.
    """
    taken = []
    for given in asks:
        if before:
            page.run(CALL % ('"ask"', json.dumps(before)))
            session.ask(**before)
        there = page.run(CALL % (json.dumps(call), json.dumps(given)))
        begun = time.perf_counter()
        getattr(session, call)(**given)
        taken.append((there, time.perf_counter() - begun))
    return taken[1:]


def row(what, taken, aim):
    """Return a row of the table."""
    page_s, python_s = map(statistics.median, zip(*taken, strict=True))
    return {
        "what": what,
        "page_s": f"{page_s:.3g}",
        "python_s": f"{python_s:.3g}",
        "ratio": f"{page_s / python_s:.3g}",
        "aim": aim,
        "load": f"{os.getloadavg()[0]:.1f}",
    }


if __name__ == "__main__":
    main()
