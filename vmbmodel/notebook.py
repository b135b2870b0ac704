"""What a notebook is given, and what it hands on to the pages: numbers and figures."""

import io
from base64 import b64encode
from collections.abc import Mapping

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from myst_nb import glue

from vmbmodel.fields import fields

__all__ = ["check_parameters", "quote", "show"]

_DIGITS = 8
"""Significant digits of a quoted number: more than any page shows, and fewer than
differ between machines."""

_NARROW_IN = 3.8
"""Width of a figure on a phone, where an inch is 96 pixels."""

_SVG = {"svg.hashsalt": "vmbmodel", "svg.fonttype": "none"}
"""Parts have the same names in each run, and text stays text."""

_SHADES = 64


def check_parameters(**values: object) -> None:
    """Refuse parameters that a notebook can make nothing of, each with its reason.

    Parameters
    ----------
    **values : object
        A parameter by its name. A list may not be empty; where the name is that of
        a field, each number must be in the range of the field.

    Raises
    ------
    ValueError
        Names the parameter, the rule and the value.

    Examples
    --------
    >>> check_parameters(used_gib=[100, 20], servers=[])
    Traceback (most recent call last):
    ValueError: servers needs one value or more; got []
    """
    for name, value in values.items():
        if isinstance(value, (list, tuple)) and not value:
            raise ValueError(f"{name} needs one value or more; got {value}")
        field = fields().get(name)
        for entry in value if isinstance(value, (list, tuple)) else [value]:
            if field is not None:
                field.check(entry)


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


def show(name: str, ax: Axes, *, moves: Mapping | None = None) -> None:
    """Show a figure, and keep it under a name for pages to show as well.

    A page does so with the directive ``nbfigure``. It gets two drawings of it: one as
    wide as it was made, and one for phones, which is laid out anew.

    Parameters
    ----------
    name : str
        Name of the figure, which is used once in a notebook.
    ax : Axes
        Any axes of the figure.
    moves : Mapping, optional
        What a function of `vmbmodel.leading` was given for it, if one made it. The
        directive ``moving-figure`` begins there, and calls it with a reader's numbers.
    """
    about = {} if moves is None else {"moves": dict(moves)}
    glue(name, _Picture(ax.figure, about))
    plt.close(ax.figure)


class _Picture:
    """A figure as a notebook shows it, with its drawings for the book beside.

    Those are metadata, because a notebook is compared by what it shows.
    """

    def __init__(self, figure: Figure, about: dict):
        self.figure, self.about = figure, about

    def _repr_mimebundle_(self, **_: object) -> tuple[dict, dict]:
        shown = {"text/plain": repr(self.figure), "image/png": _png(self.figure)}
        wide = _svg(self.figure)
        self.figure.set_figwidth(_NARROW_IN)
        drawings = {"wide": wide, "narrow": _svg(self.figure)}
        return shown, self.about | {"drawings": drawings}


def _png(figure: Figure) -> str:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", facecolor="white", metadata={"Software": None})
    return b64encode(drawn.getvalue()).decode()


def _svg(figure: Figure) -> str:
    drawn = io.StringIO()
    with mpl.rc_context(_SVG):
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    return drawn.getvalue()


def _plain(value: object) -> object:
    value = value.item() if getattr(value, "ndim", None) == 0 else value
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
