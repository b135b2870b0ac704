"""The version and the day of the book, at the foot of each page."""

from vmbmodel import __version__
from vmbmodel._today import today


def edition():
    """Return version and day; ``SOURCE_DATE_EPOCH`` gives another than today."""
    day = today()
    return f"vmbmodel {__version__}, built on {day.day} {day:%B %Y}"


def foot(app, config):
    """Hand them to the theme."""
    config.html_theme_options["extra_footer"] = f'<p class="edition">{edition()}</p>'


def setup(app):
    """Say it before the theme reads its options."""
    app.connect("config-inited", foot)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
