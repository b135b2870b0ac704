"""Chromium without a window, driven over its DevTools protocol by pipes."""

import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

__all__ = ["Browser", "chromium"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# the browser reads from 3 and writes to 4
RUN = """
import fcntl, os, sys
theirs, ours = (fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3])
os.dup2(theirs, 3)
os.dup2(ours, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def chromium():
    """Return the path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser(contextlib.ExitStack):
    """A browser with one page; leaves nothing behind."""

    patience = 30  #: seconds for which a page may be too busy to answer

    def __enter__(self):
        """Start the browser, and listen to its page."""
        super().__enter__()
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def _begin(self):
        profile = self.enter_context(
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        )
        theirs, self.to = os.pipe()
        self.back, ours = os.pipe()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        flags += [f"--user-data-dir={profile}", "--remote-debugging-pipe"]
        flags += ["--disable-background-networking", "--no-first-run"]
        ends = [str(theirs), str(ours)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, *ends, chromium(), *flags],
            pass_fds=(theirs, ours),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(ours)
        self.callback(self._end)
        self.numbers, self.left, self.session = itertools.count(1), b"", None
        self.requested, self.problems = [], []
        page = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=page, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def _end(self):
        os.close(self.to)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.back)

    def send(self, method, **params):
        """Call a method of the protocol and return its result."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            said = self.next(self.patience)
            if said.get("id") == number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']}")
                return said["result"]

    def next(self, seconds):
        """Return the next message; note what was requested, and what went wrong."""
        while b"\0" not in self.left:
            if not select.select([self.back], [], [], seconds)[0]:
                raise TimeoutError(f"the browser says nothing for {seconds} s")
            got = os.read(self.back, 2**20)
            if not got:
                raise RuntimeError("the browser has ended")
            self.left += got
        line, _, self.left = self.left.partition(b"\0")
        said = json.loads(line)
        params = said.get("params", {})
        if said.get("method") == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        if said.get("method") == "Runtime.exceptionThrown":
            self.problems.append(params["exceptionDetails"])
        return said

    def open(self, address):
        """Go to a page."""
        self.requested.clear()
        self.problems.clear()
        self.send("Page.navigate", url="about:blank")
        self.wait("location.href == 'about:blank'")  # two at once hang the browser
        self.send("Page.navigate", url=address)
        self.wait("document.readyState == 'complete' && location.href != 'about:blank'")

    def run(self, script):
        """Evaluate an expression in the page, promises included."""
        done = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in done:
            raise RuntimeError(done["exceptionDetails"]["exception"]["description"])
        return done["result"].get("value")

    def wait(self, condition, seconds=60):
        """Wait until an expression is true, and return its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(condition):
                return value
            time.sleep(0.1)
        raise TimeoutError(f"{condition} is not so after {seconds} s")

    def press(self, key, code=None, text=None):
        """Press and let go of a key."""
        about = {"key": key, "code": code or key}
        codes = {"Tab": 9, "Enter": 13, " ": 32, "ArrowRight": 39, "ArrowLeft": 37}
        about["windowsVirtualKeyCode"] = codes.get(key, 0)
        if key == "Enter":
            text = "\r"
        down = {"text": text} if text else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", **about, **down)
        self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    def wide(self, width, height=900):
        """Give the page a width, as that of a phone."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def theme(self, name):
        """Have the reader's system be light or dark."""
        prefers = {"name": "prefers-color-scheme", "value": name}
        self.send("Emulation.setEmulatedMedia", features=[prefers])
