"""Figures: they draw what they are given and compute nothing.

Every function takes `ax`, draws on a new one if there is none, and returns it.
Labels and units come with the data. Lines differ in colour and in dash, so that
a figure can be read without colours.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise

import matplotlib.pyplot as plt
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

__all__ = [
    "COLOURS",
    "bands",
    "columns",
    "curves",
    "heat",
    "moments",
    "parity",
    "points",
    "spans",
    "stacked_bars",
    "steps",
    "strips",
]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Seven colours that the colour-blind tell apart (Okabe and Ito)."""

_DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 3)))


def curves(
    result: xr.DataArray,
    x: str,
    hue: str | None = None,
    *,
    limits: Mapping[str, float] | None = None,
    ax: Axes | None = None,
    **axes: object,
) -> Axes:
    """Draw a result against one axis, with a line for each value of another.

    Parameters
    ----------
    result : DataArray
        Of one dimension, or two if `hue` is given.
    x, hue : str
        Axis of the figure, and axis told apart by lines.
    limits : Mapping[str, float], optional
        Horizontal lines to compare with, by their label.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``, such as ``yscale="log"``.
    """
    ax = ax or _new()
    marks = zip(cycle(COLOURS), cycle(_DASHES))
    for entry in [None] if hue is None else result[hue].to_numpy():
        line = result if hue is None else result.sel({hue: entry})
        label = None if hue is None else _named(entry)
        colour, dash = next(marks)
        ax.plot(line[x], line, label=label, color=colour, linestyle=dash)
    for label, value in (limits or {}).items():
        ax.axhline(value, color="0.45", linewidth=1)
        ax.annotate(
            label,
            (0.01, value),
            xycoords=ax.get_yaxis_transform(),
            xytext=(0, 3),
            textcoords="offset points",
            color="0.3",
            fontsize="small",
        )
    ax.set(xlabel=_label(result[x]), ylabel=_label(result), **axes)
    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_formatter("{x:g}")  # 0.1, where the default says 10^-1
    if hue is not None:
        ax.legend(title=_label(result[hue]))
    return ax


def heat(
    result: xr.DataArray,
    x: str,
    y: str,
    *,
    levels: list[float] | None = None,
    values: str | None = None,
    ax: Axes | None = None,
    **axes: object,
) -> Axes:
    """Draw a result over two axes as shades, with lines of equal value.

    Parameters
    ----------
    result : DataArray
        Of two dimensions.
    x, y : str
        Axes of the figure.
    levels : list of float, optional
        Values at which a line is drawn and named.
    values : str, optional
        Format in which the value of every cell is written into it.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    ax = ax or _new()
    grid = result.transpose(y, x)
    shades = ax.pcolormesh(
        grid[x], grid[y], grid, cmap="cividis", shading="nearest", rasterized=True
    )
    if levels:
        lines = ax.contour(grid[x], grid[y], grid, levels, colors="white")
        ax.clabel(lines, fontsize="small")
    if values:
        half = float(grid.min() + grid.max()) / 2
        for place, value in result.transpose(x, y).to_series().items():
            ink = "black" if value > half else "white"
            ax.text(*place, format(value, values), color=ink, ha="center", va="center")
    ax.figure.colorbar(shades, ax=ax, label=_label(result))
    ax.set(xlabel=_label(result[x]), ylabel=_label(result[y]), **axes)
    return ax


def bands(
    table: pd.DataFrame,
    low: str,
    middle: str,
    high: str,
    *,
    ax: Axes | None = None,
    **axes: object,
) -> Axes:
    """Draw one horizontal range a row, with a mark at its middle.

    Parameters
    ----------
    table : DataFrame
        A row a range, named by the index.
    low, middle, high : str
        Columns of the ends and of the mark.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    ax = ax or _new(height=1 + 0.28 * len(table))
    rows = range(len(table))
    ax.hlines(rows, table[low], table[high], color=COLOURS[0], linewidth=3)
    ax.plot(table[middle], rows, "o", color=COLOURS[1], markersize=5)
    ax.set_yticks(rows, [_named(name) for name in table.index])
    ax.invert_yaxis()
    ax.set(**axes)
    return ax


def points(
    table: pd.DataFrame,
    x: str,
    y: str,
    *,
    label: str = "",
    named: bool = False,
    ax: Axes | None = None,
    **axes: object,
) -> Axes:
    """Draw a dot for each row, as measurements beside the curves of a model.

    Parameters
    ----------
    table : DataFrame
        A row a dot.
    x, y : str
        Columns of the two axes.
    label : str
        What the legend calls the dots; they are not in it if empty.
    named : bool
        Whether the name of each row, its index, stands beside its dot.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    ax = ax or _new()
    ax.plot(
        table[x],
        table[y],
        "o",
        label=label or "_dots",
        color=COLOURS[-1],
        alpha=0.55,
        markersize=5,
        zorder=3,
    )
    for name, row in table.iterrows() if named else ():
        ax.annotate(
            _named(name),
            (row[x], row[y]),
            xytext=(5, 4),
            textcoords="offset points",
            fontsize="small",
        )
    ax.set(**axes)
    return ax


def parity(
    table: pd.DataFrame,
    x: str,
    y: str,
    hue: str,
    *,
    band: float = 0.1,
    ax: Axes | None = None,
    **axes: object,
) -> Axes:
    """Draw what was modelled against what was measured, with the line of agreement.

    Parameters
    ----------
    table : DataFrame
        A row a dot.
    x, y : str
        Columns of what was measured, and of what was modelled; both above 0.
    hue : str
        Column of the kinds, told apart by colour and mark.
    band : float
        Share by which the shaded band departs from agreement on either side.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    ax = ax or _new(height=5)
    marks = zip(cycle(COLOURS), cycle("osD^vPX*<>"))
    ends = [table[[x, y]].min().min() / 1.5, table[[x, y]].max().max() * 1.5]
    low, high = ([end * (1 + way * band) for end in ends] for way in (-1, 1))
    label = f"within {band:.0%}"
    ax.fill_between(ends, low, high, color="0.88", linewidth=0, label=label)
    ax.plot(ends, ends, color="0.45", linewidth=1, label="_agreement")
    kinds = table.groupby(hue, sort=False)
    for (kind, dots), (colour, mark) in zip(kinds, marks, strict=False):
        look = {"color": colour, "markersize": 5, "alpha": 0.7}
        ax.plot(dots[x], dots[y], mark, label=_named(kind), **look)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends, **axes)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:,g}")
    ax.legend(fontsize="small")
    return ax


def spans(
    table: pd.DataFrame,
    start: str,
    end: str,
    *,
    ax: Axes | None = None,
    **axes: object,
) -> Axes:
    """Draw one bar a row, from its start to its end, in the order of the rows.

    Parameters
    ----------
    table : DataFrame
        A row a bar.
    start, end : str
        Columns of both ends.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    ax = ax or _new()
    rows = range(1, len(table) + 1)
    width = table[end] - table[start]
    # of many rows, each is thinner than a pixel, and would be snapped away
    ax.barh(rows, width, left=table[start], color=COLOURS[0], snap=False)
    ax.invert_yaxis()
    ax.set(**axes)
    return ax


def stacked_bars(
    table: pd.DataFrame, *, ax: Axes | None = None, **axes: object
) -> Axes:
    """Draw one bar a row, made of the columns laid end to end.

    Parameters
    ----------
    table : DataFrame
        A row a bar, named by the index; a column a part, named by its name.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    ax = ax or _new(height=1 + 0.32 * len(table))
    left = 0 * table.iloc[:, 0]
    for colour, (name, part) in zip(cycle(COLOURS), table.items()):
        ax.barh([_named(row) for row in table.index], part, left=left, color=colour)
        ax.patches[-1].set_label(name)
        left = left + part
    ax.invert_yaxis()
    ax.legend()
    ax.set(**axes)
    return ax


def columns(
    table: pd.DataFrame,
    edges: Sequence[float],
    *,
    ax: Axes | None = None,
    **axes: object,
) -> Axes:
    """Draw one upright bar a row over its stretch of the axis, made of the columns.

    Parameters
    ----------
    table : DataFrame
        A row a bar; a column a part, named by its name.
    edges : sequence of float
        Where the bars begin, and the last one ends.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    ax = ax or _new()
    left, widths = edges[:-1], [b - a for a, b in pairwise(edges)]
    below = 0 * table.iloc[:, 0]
    for colour, (name, part) in zip(cycle(COLOURS), table.items()):
        look = {"color": colour, "edgecolor": "white", "label": name}
        ax.bar(left, part, widths, bottom=below, align="edge", **look)
        below = below + part
    ax.legend()
    ax.set(**axes)
    return ax


def moments(times: Mapping[str, float], *, ax: Axes | None = None) -> Axes:
    """Mark moments on a horizontal axis of time, each with its name.

    Parameters
    ----------
    times : Mapping[str, float]
        Where each is, by what it is called.
    ax : Axes, optional
        Where to draw.
    """
    ax = ax or _new()
    for name, time in times.items():
        ax.axvline(time, color="0.45", linewidth=1, linestyle=":")
        ax.annotate(
            name,
            (time, 0.98),
            xycoords=ax.get_xaxis_transform(),
            xytext=(-2, 0),
            textcoords="offset points",
            rotation="vertical",
            ha="right",
            va="top",
            color="0.3",
            fontsize="small",
        )
    return ax


def steps(table: pd.DataFrame, *, ax: Axes | None = None, **axes: object) -> Axes:
    """Draw one stepped line a column, level from each row to the next.

    Parameters
    ----------
    table : DataFrame
        A line a column, named by its name; the index is the horizontal axis, in
        even steps.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    ax = ax or _new()
    begins = table.index.to_numpy()
    ends = [*begins, 2 * begins[-1] - begins[-2]]
    for colour, dash, name in zip(cycle(COLOURS), cycle(_DASHES), table):
        ax.stairs(table[name], ends, label=name, color=colour, linestyle=dash)
    ax.margins(x=0)
    ax.legend()
    ax.set(**axes)
    return ax


def strips(
    cells: xr.DataArray,
    x: str,
    y: str,
    *,
    names: tuple[str, str] = ("yes", "no"),
    ax: Axes | None = None,
    **axes: object,
) -> Axes:
    """Draw one row of cells for each entry of an axis, those that hold filled.

    Parameters
    ----------
    cells : DataArray
        Of two dimensions, true where a cell is to be filled.
    x, y : str
        Axis along a row, and axis of the rows.
    names : tuple of str
        What the legend calls a filled cell, and an empty one.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    grid = cells.transpose(y, x)
    ax = ax or _new(height=1.2 + 0.45 * len(grid))
    for row, filled in enumerate(grid.to_numpy()):
        for colour, held in (("0.9", ~filled), (COLOURS[0], filled)):
            ax.broken_barh(
                [(place, 1) for place in held.nonzero()[0]],
                (row - 0.35, 0.7),
                facecolor=colour,
                edgecolor="white",
                linewidth=0.5,
            )
    ax.set_yticks(range(len(grid)), [_named(entry) for entry in grid[y].to_numpy()])
    ax.invert_yaxis()
    ax.margins(x=0)
    ax.legend(
        ax.collections[1::-1], names, loc="lower right", bbox_to_anchor=(1, 1), ncols=2
    )
    ax.set(xlabel=_label(cells[x]), ylabel=_label(cells[y]), **axes)
    return ax


def _new(height: float = 4.2) -> Axes:
    return plt.subplots(figsize=(7, height), layout="constrained")[1]


def _label(data: xr.DataArray) -> str:
    name, unit = data.attrs.get("long_name", data.name), data.attrs.get("units", "-")
    return name if unit == "-" else f"{name} ({unit})"


def _named(entry: object) -> str:
    return str(entry) if isinstance(entry, str) else f"{entry:g}"
