"""What a notebook hands on to the pages of the book: numbers and figures."""

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from myst_nb import glue

__all__ = ["quote", "show"]

_DIGITS = 8
"""Significant digits of a quoted number: more than any page shows, and fewer than
differ between machines."""


def quote(**values: object) -> None:
    """Keep values under their names, for pages to quote.

    A page that names its notebook once, as ``numbers: ../notebooks/jam.ipynb`` on
    top, then says ``{n}`last_h:.1f``` wherever the number belongs.

    Parameters
    ----------
    **values : object
        A number, a word or a table by its name, which is used once in a notebook.
        Numbers are rounded to eight significant digits, whole ones of Python's
        ``int`` excepted, so that the notebook stores the same on every machine.
    """
    for name, value in values.items():
        glue(name, _plain(value), display=False)


def show(name: str, ax: Axes) -> None:
    """Show a figure, and keep it under a name for pages to show as well.

    A page does so with the directive ``nbfigure``.

    Parameters
    ----------
    name : str
        Name of the figure, which is used once in a notebook.
    ax : Axes
        Any axes of the figure.
    """
    glue(name, ax.figure)
    plt.close(ax.figure)


def _plain(value: object) -> object:
    value = value.item() if getattr(value, "ndim", None) == 0 else value
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
