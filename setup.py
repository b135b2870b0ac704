"""What of the package depends on where the project lives: links, here and in README.

``VMBMODEL_HOME=https://host/owner/vmbmodel python -m build`` names the place, which is
written nowhere else. Without it the package names no addresses, and the text of README
keeps the words of its links and leaves the pictures out.
"""

import os
import re
from pathlib import Path

from setuptools import setup

HOME = os.environ.get("VMBMODEL_HOME", "").rstrip("/")
HERE = Path(__file__).parent
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#)([^)\s]+)\)")


def version() -> str:
    """Return the version, which the package itself holds."""
    text = HERE.joinpath("vmbmodel/__init__.py").read_text("utf-8")
    return re.search(r'^__version__ = "(.+)"$', text, re.M)[1]


def urls(home: str, tag: str) -> dict[str, str]:
    """Return the addresses that an index shows."""
    return {
        "Source": home,
        "Issues": f"{home}/issues",
        "Changelog": f"{home}/blob/{tag}/CHANGELOG.md",
    }


def shown(text: str, home: str, tag: str) -> str:
    """Return a text whose links lead somewhere wherever it is shown."""

    def absolute(link: re.Match) -> str:
        picture, words, path = link.groups()
        if not home:
            return "" if picture else words
        return f"{picture}[{words}]({home}/{'raw' if picture else 'blob'}/{tag}/{path})"

    return LINK.sub(absolute, text)


if __name__ == "__main__":
    tag = f"v{version()}"
    setup(
        long_description=shown(
            HERE.joinpath("README.md").read_text("utf-8"), HOME, tag
        ),
        long_description_content_type="text/markdown",
        project_urls=urls(HOME, tag) if HOME else {},
    )
