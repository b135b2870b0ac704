"""Figures: they draw what they are given and compute nothing.

Every function takes `ax`, draws on a new one if there is none, and returns it.
Labels and units come with the data. Lines differ in colour and in dash, so that
a figure can be read without colours, and bear their names beside them where they
are few.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm, to_hex
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

__all__ = [
    "COLOURS",
    "INKS",
    "NOTE",
    "RULE",
    "SHADE",
    "bands",
    "beside",
    "calendar",
    "clock",
    "columns",
    "curves",
    "drawn",
    "heat",
    "moments",
    "panels",
    "parity",
    "points",
    "shade",
    "spans",
    "stacked_bars",
    "steps",
    "strips",
]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Seven colours that the colour-blind tell apart (Okabe and Ito)."""

INKS = ("#005A8C", "#A34700", "#00694D", "#95457A", "#1F6E9E", "#855B00", "#000000")
"""The same, dark enough to write names with."""

RULE, NOTE, SHADE = "#737373", "#4c4c4c", "#ebebeb"
"""Greys of a line to compare with, of its name, and of a stretch of an axis."""

_INK = dict(zip((*COLOURS, RULE), (*INKS, NOTE), strict=True))

_ON_DARK, _ON_LIGHT = "#ffffff", "#010101"
"""Ink on shades, which stay as they are where a page is dark."""

_DOT = {"color": COLOURS[-1], "alpha": 0.55, "markersize": 5, "zorder": 3}

_FEW = 6
"""So many lines have their names beside them; more have a legend."""

_CELLS = 400
"""More of them are a picture within a drawing."""

_BAR = 0.92
"""Share of its place that a bar fills."""

_HEAD, _ASIDE, _ROOM = 0.75, 0.28, 0.2
"""Room for names of parts: above or below a bar, in places of bars; beside the last
upright one, as a share of the axis; and how long that bar is beside the longest."""

_SHORT = 26
"""Letters of all names that have room in one row."""

_WRAPS = 18, 11
"""Letters of a name that stand in one line, and where there is little room."""

_JOIN = "\N{NO-BREAK SPACE}"

_FAR = np.full((1, 2), -1e9)
"""Where no line is."""

_BRIGHT = np.array([0.30, 0.59, 0.11])
"""How bright red, green and blue are."""

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
    names = [None] if hue is None else _names(result[hue])
    lines = {}
    for place, name in enumerate(names):
        line = result if hue is None else result.isel({hue: place})
        colour, dash = next(marks)
        (drawn,) = ax.plot(line[x], line, color=colour, linestyle=dash)
        lines[drawn] = name
    if hue is None:
        lines = {}
    elif len(lines) > _FEW:
        entries = [_named(entry) for entry in result[hue].to_numpy()]
        _key(ax, list(lines), entries, title=_label(result[hue]))
        lines = {}
    for name, value in (limits or {}).items():
        lines[ax.axhline(value, color=RULE, linewidth=1, zorder=1)] = name
    beside(lines, ax=ax)
    ax.set(xlabel=_label(result[x]), ylabel=_label(result), **axes)
    return _plainly(ax)


def heat(
    result: xr.DataArray,
    x: str,
    y: str,
    *,
    levels: list[float] | None = None,
    values: str | None = None,
    centre: float | None = None,
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
    centre : float, optional
        Value that is white; what is above has one colour, what is below another.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    ax = ax or _new()
    grid = result.transpose(y, x)
    look = {"cmap": "cividis"}
    if centre is not None:
        look = {"cmap": "PuOr", "norm": CenteredNorm(centre)}
    shades = ax.pcolormesh(
        grid[x], grid[y], grid, shading="nearest", rasterized=grid.size > _CELLS, **look
    )
    if levels:
        lines = ax.contour(grid[x], grid[y], grid, levels, colors=_ON_DARK)
        ax.clabel(lines, fontsize="small", inline_spacing=2)
    if values:
        for place, value in result.transpose(x, y).to_series().items():
            brightness = shades.to_rgba(value)[:3] @ _BRIGHT
            ink = _ON_LIGHT if brightness > 0.5 else _ON_DARK
            look = {"color": ink, "fontsize": "small", "ha": "center", "va": "center"}
            words = format(value, values).replace("-", "\N{MINUS SIGN}")
            ax.text(*place, words, **look)
    bar = ax.figure.colorbar(shades, ax=ax, label=_label(result))
    bar.outline.set_visible(False)
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
    ax = ax or _new(height=1 + 0.32 * len(table))
    rows = range(len(table))
    ax.hlines(rows, table[low], table[high], color=COLOURS[0], linewidth=3)
    ax.plot(table[middle], rows, "o", color=COLOURS[1], markersize=5)
    ax.set_yticks(rows, [_lines(_named(name), _WRAPS[0]) for name in table.index])
    ax.invert_yaxis()
    ax.set(**axes)
    return ax


def points(
    table: pd.DataFrame,
    x: str,
    y: str,
    *,
    label: str = "",
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
        What stands beside the dots.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    ax = ax or _new()
    (dots,) = ax.plot(table[x], table[y], "o", **_DOT)
    if label:
        beside({dots: label}, ax=ax)
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
        Column of the kinds, a few, told apart by colour and mark.
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
    ax.fill_between(ends, low, high, color=SHADE, linewidth=0)
    (agreement,) = ax.plot(ends, ends, color=RULE, linewidth=1)
    names = {agreement: f"within {100 * band:g} %"}
    kinds = table.groupby(hue, sort=False)
    for (kind, dots), (colour, mark) in zip(kinds, marks, strict=False):
        look = {"color": colour, "markersize": 5, "alpha": 0.7}
        (drawn,) = ax.plot(dots[x], dots[y], mark, **look)
        names[drawn] = _named(kind)
    beside(names, ax=ax)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends, **axes)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:,g}")
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
    table: pd.DataFrame,
    *,
    begin: pd.Series | None = None,
    values: str | None = None,
    ax: Axes | None = None,
    **axes: object,
) -> Axes:
    """Draw one bar a row, made of the columns laid end to end.

    The parts have their names above the first bar, or below the last one, if it has all
    of them and is long. Where a bar is of one part, the name follows its value.

    Parameters
    ----------
    table : DataFrame
        A row a bar, named by the index; a column a part, named by its name.
    begin : Series, optional
        Where each bar begins, if not at zero.
    values : str, optional
        Format in which the sum of a row is written at the end of its bar.
    ax : Axes, optional
        Where to draw.
    **axes : object
        Handed to ``Axes.set``.
    """
    ax = ax or _new(height=1.3 + 0.32 * len(table))
    left = 0 * table.iloc[:, 0] if begin is None else begin
    drawn = {}
    rows = range(len(table))
    for colour, (name, part) in zip(cycle(COLOURS), table.items()):
        drawn[name] = ax.barh(rows, part, left=left, color=colour)
        left = left + part
    apart = bool(values) and len(drawn) > 1 and ((table > 0).sum(axis=1) == 1).all()
    if values:
        ax.margins(x=0.12)  # room for them
        ends = [values.format(end) for end in left]
        if apart:
            only = (table > 0).idxmax(axis=1)
            ends = [f"{end}, {name}" for end, name in zip(ends, only, strict=True)]
        ax.bar_label(drawn[name], ends, padding=4, fontsize="small")
    ax.set_yticks(rows, [_lines(_named(row), _WRAPS[0]) for row in table.index])
    ax.invert_yaxis()
    lengths = table.sum(axis=1)
    whole = (table > 0).all(axis=1) & (lengths > _ROOM * lengths.max())
    sides = {"above": 0, "below": -1}
    named = [side for side, row in sides.items() if len(whole) and whole.iloc[row]]
    if named and len(drawn) > 1:
        side = named[0]
        low, high = len(table) - 0.5, -0.5
        ax.set_ylim(low + _HEAD * (side == "below"), high - _HEAD * (side == "above"))
        ax.spines["left"].set_bounds(low, high)
        parts = {name: bars[sides[side]] for name, bars in drawn.items()}
        ax.add_artist(_Parts(side)).add(parts)
    elif len(drawn) > 1 and not apart:
        _key(ax, drawn.values(), list(drawn))
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

    The parts have their names beside the last bar that has all of them.

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
    left, widths = edges[:-1], [_BAR * (b - a) for a, b in pairwise(edges)]
    below = 0 * table.iloc[:, 0]
    drawn = {}
    for colour, (name, part) in zip(cycle(COLOURS), table.items()):
        look = {"color": colour, "align": "edge"}
        drawn[name] = ax.bar(left, part, widths, bottom=below, **look)
        below = below + part
    ends = [edges[0], edges[-1]]
    if len(whole := np.flatnonzero((table > 0).all(axis=1))):
        last = whole[-1]
        ends[1] = max(ends[1], edges[last + 1] + _ASIDE * (ends[1] - ends[0]))
        of_last = {name: bars[last] for name, bars in drawn.items()}
        ax.add_artist(_Parts("beside")).add(of_last)
    ax.set(**{"xlim": ends} | axes)
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
    look = {"color": RULE, "linewidth": 1, "linestyle": ":", "zorder": 1}
    lines = {ax.axvline(time, **look): name for name, time in times.items()}
    return beside(lines, rotation=90, ax=ax)


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
    ends = np.repeat([*begins, 2 * begins[-1] - begins[-2]], 2)
    drawn = {}
    for colour, dash, name in zip(cycle(COLOURS), cycle(_DASHES), table):
        height = [0, *np.repeat(table[name], 2), 0]
        (line,) = ax.plot(ends, height, color=colour, linestyle=dash)
        drawn[line] = name
    ax.margins(x=0)
    beside(drawn, ax=ax)
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
        for colour, held in ((SHADE, ~filled), (COLOURS[0], filled)):
            runs = np.flatnonzero(np.diff(held, prepend=False, append=False))
            ax.broken_barh(
                [(start, end - start) for start, end in runs.reshape(-1, 2)],
                (row - 0.35, 0.7),
                facecolor=colour,
            )
    ax.set_yticks(range(len(grid)), [_named(entry) for entry in grid[y].to_numpy()])
    ax.invert_yaxis()
    ax.margins(x=0)
    _key(ax, ax.collections[1::-1], names)
    ax.set(xlabel=_label(cells[x]), ylabel=_label(cells[y]), **axes)
    return ax


def shade(low: float, high: float, name: str = "", *, ax: Axes) -> Axes:
    """Shade a stretch of the horizontal axis, and write its name on top.

    Parameters
    ----------
    low, high : float
        Ends of the stretch.
    name : str
        What it is.
    ax : Axes
        Where to draw.
    """
    ax.axvspan(low, high, color=SHADE, linewidth=0, zorder=0)
    look = {"color": NOTE, "fontsize": "small", "ha": "center", "va": "top"}
    place = {"transform": ax.get_xaxis_transform(), "in_layout": False}
    ax.text((low + high) / 2, 0.99, name, **look, **place)
    return ax


def clock(ax: Axes) -> Axes:
    """Write the hours of the horizontal axis as times of day: 36 is noon again.

    Parameters
    ----------
    ax : Axes
        Whose axis it is.
    """
    ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 1.2, 2, 3, 6, 10]))
    ax.xaxis.set_major_formatter(lambda hour, _: f"{hour % 24:02.0f}:00")
    return ax


def drawn(figure: Mapping, *, ax: Axes | None = None) -> Axes:
    """Draw the data of a leading figure.

    Parameters
    ----------
    figure : Mapping
        What a function of `vmbmodel.leading` returns.
    ax : Axes, optional
        Where to draw.
    """
    x, bars = figure["x"], figure.get("bars")
    if bars:
        table = pd.DataFrame(bars["values"], bars["labels"], bars["parts"])
        ax = stacked_bars(table, values="{:,.0f}", ax=ax)
        ax.set(xlim=(x["low"], x["high"]), xlabel=x["label"])
        ax.get_yticklabels()[bars["mine"]].set_fontweight("bold")
        return ax
    ax, y, names = ax or _new(), figure["y"], {}
    colours = COLOURS
    if dots := figure.get("dots"):
        places = dots["points"]
        named = dict(zip(dots.get("names", ()), places, strict=False))
        for name, place in named.items() or [(dots["label"], np.transpose(places))]:
            (seen,) = ax.plot(*place, "o", clip_on=False, **_DOT)
            names[seen] = name
    if area := figure.get("area"):
        fill, *colours = COLOURS
        around = np.array(area["points"])
        look = {"facecolor": (fill, 0.2), "edgecolor": fill, "linewidth": 0.5}
        ax.fill(*around.T, zorder=0.5, **look)
        for half in np.array_split(around, 2):  # both, so that no name stands on one
            (edge,) = ax.plot(*half.T, color=fill, linewidth=0.5)
        names[edge] = area["label"]
    for line, colour, dash in zip(figure["lines"], cycle(colours), cycle(_DASHES)):
        way = np.transpose(line["points"])
        (edge,) = ax.plot(*way, color=colour, linestyle=dash)
        names[edge] = line["label"]
    for limit in figure.get("limits", ()):
        rule = ax.axhline(limit["at"], color=RULE, linewidth=1, zorder=1)
        names[rule] = limit["label"]
    beside(names, ax=ax)
    if mark := figure.get("mark"):
        moments({mark["label"]: mark["at"]}, ax=ax)
    for stretch in figure.get("stretches", ()):
        shade(stretch["low"], stretch["high"], stretch["label"], ax=ax)
    for which, about in (("x", x), ("y", y)):
        ends = about["low"], about["high"]
        ax.set(
            **{
                f"{which}scale": "log" if about.get("log") else "linear",
                f"{which}lim": ends[::-1] if about.get("down") else ends,
                f"{which}label": about["label"],
            }
        )
    return clock(ax) if x.get("clock") else _plainly(ax)


def panels(count: int, *, height: float) -> list[Axes]:
    """Return drawings one below the other, with one horizontal axis for all.

    Parameters
    ----------
    count : int
        How many there are.
    height : float
        Of all of them, in inches.
    """
    look = {"figsize": (7, height), "layout": "constrained"}
    axes = list(plt.subplots(count, sharex=True, squeeze=False, **look)[1].flat)
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return axes


def calendar(ax: Axes) -> Axes:
    """Write the horizontal axis, matplotlib's numbers of days, as dates.

    Parameters
    ----------
    ax : Axes
        Whose axis it is.
    """
    days = AutoDateLocator(minticks=3, maxticks=8)
    ax.xaxis.set_major_locator(days)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(days))
    return ax


def beside(lines: Mapping[Line2D, str], *, rotation: float = 0, ax: Axes) -> Axes:
    """Write names beside lines, wherever the figure has most room for them.

    Parameters
    ----------
    lines : Mapping[Line2D, str]
        What to call each; a line to compare with has its name in grey.
    rotation : float
        How the names are turned, in degrees.
    ax : Axes
        Where they are drawn.
    """
    look = {"fontsize": "small", "va": "bottom", "in_layout": False, "zorder": 4}
    look |= {"rotation": rotation, "transform": ax.transAxes}
    names = {}
    for line, name in lines.items():
        ink = _INK.get(line.get_color(), line.get_color())
        names[line] = ax.text(0, 0, name, color=ink, **look)
    for artist in ax.artists:
        if isinstance(artist, _Names):
            artist.add(names)
            return ax
    ax.add_artist(_Names()).add(names)
    return ax


class _Names(Artist):
    """What puts the names of lines beside them, wherever there is most room.

    It does so each time the figure is drawn, because the room depends on its size.
    """

    def __init__(self):
        super().__init__()
        self.names = {}
        self.set(in_layout=False, zorder=1.5)  # before any name is drawn

    def add(self, names: Mapping[Line2D, Text]) -> None:
        """Take more names, and the ways to break each into lines."""
        for line, text in names.items():
            whole = text.get_text()
            ways = (
                [whole] if text.get_rotation() else [_lines(whole, n) for n in _WRAPS]
            )
            self.names[line] = text, dict.fromkeys(ways)

    def draw(self, renderer: object) -> None:
        """Move every name to its place."""
        frame = self.axes.get_window_extent(renderer)
        point = renderer.points_to_pixels(1)
        own = [text for text, _ in self.names.values()]
        others = [text for text in self.axes.texts if text not in own]
        others += [bar for bar in self.axes.patches if bar.zorder >= 1]
        if self.axes.get_legend():
            others.append(self.axes.get_legend())
        taken = [other.get_window_extent(renderer).extents for other in others]
        ways = {line: _way(line, frame, 3 * point) for line in self.axes.lines}
        dots_first = sorted(self.names, key=lambda line: len(ways[line]) > 1)
        for line in dots_first:
            text, breaks = self.names[line]
            text.set_visible(len(ways[line]) > 0)
            if not text.get_visible():
                continue
            way = ways[line]
            near = [_beyond(w, way, 2 * point) for w in ways.values()]
            near = np.concatenate([*near, _FAR])
            off = point * (4.5 if line.get_linestyle() == "None" else 3)
            found = []
            for words in breaks:
                text.set_text(words)
                size = text.get_window_extent(renderer).size
                cost, corner = _room(way, near, size, taken, frame, point, off)
                found.append((cost, words, corner, size))
            _, words, corner, size = min(found, key=lambda place: place[0])
            taken.append(np.concatenate([corner, corner + size]))
            text.set_text(words)
            text.set_position((corner - frame.min) / frame.size)


class _Parts(Artist):
    """What writes the names of a bar's parts on one side of it.

    It does so each time the figure is drawn, because the room depends on its size.
    """

    def __init__(self, side: str):
        super().__init__()
        self.parts, self.side = {}, side
        self.set(in_layout=False, zorder=1.5)  # before any name is drawn

    def add(self, parts: Mapping[str, Rectangle]) -> None:
        """Take the parts of the bar by their names, from its beginning."""
        place = {
            "above": {"ha": "center", "va": "bottom"},
            "below": {"ha": "center", "va": "top"},
            "beside": {"ha": "left", "va": "center"},
        }
        look = {"fontsize": "small", "in_layout": False, "transform": None}
        look |= place[self.side]
        for name, part in parts.items():
            ink = _INK[to_hex(part.get_facecolor()).upper()]
            text = self.axes.text(0, 0, name, color=ink, **look)
            pointer = Line2D([], [], color=ink, linewidth=0.8, transform=None)
            pointer.set(in_layout=False, clip_on=False)
            self.parts[part] = text, self.axes.add_artist(pointer)

    def draw(self, renderer: object) -> None:
        """Move every name as near to its part as the others let it."""
        upright, point = self.side == "beside", renderer.points_to_pixels(1)
        along, away = int(upright), -point if self.side == "below" else point
        within = self.axes if upright else self.axes.figure
        low, high = within.get_window_extent(renderer).extents[along::2]
        parts = np.array([p.get_window_extent(renderer).extents for p in self.parts])
        middle = parts[:, along::2].mean(axis=1)
        ends = parts[:, 1 if self.side == "below" else 3 - along]
        texts, pointers = zip(*self.parts.values(), strict=True)
        size = [text.get_window_extent(renderer).size[along] / 2 for text in texts]
        half = np.array(size) + point * (1 if upright else 4)
        before = np.cumsum(2 * half) - half  # the middle of each, side by side
        begin = _in_order(middle - before).clip(low, high - 2 * half.sum())
        for text, pointer, at, to, reach, end in zip(
            texts, pointers, begin + before, middle, size, ends, strict=True
        ):
            near = np.clip(to, at - reach / 2, at + reach / 2)
            way = np.array([[near, to], [end + 6 * away, end + away]])
            corner = np.array([at, end + 7 * away])
            pointer.set_data(*(way[::-1] if upright else way))
            text.set_position(corner[::-1] if upright else corner)


def _in_order(wish: np.ndarray) -> np.ndarray:
    """Return the nearest numbers that do not fall, by least squares."""
    ends = range(1, len(wish) + 1)
    means = [
        [wish[i:j].mean() if j > i else np.inf for j in ends] for i in range(len(wish))
    ]
    low = np.minimum.accumulate(np.array(means)[:, ::-1], axis=1)[:, ::-1]
    return np.array([low[: i + 1, i].max() for i in range(len(wish))])


def _plainly(ax: Axes) -> Axes:
    """Write 0.1 on a logarithmic axis, where the default says 10^-1."""
    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_formatter("{x:g}")
    return ax


def _key(ax: Axes, of: Sequence[object], names: Sequence[str], **place: object) -> None:
    """Explain colours above a drawing, where its names are too many or too long."""
    ncols = len(names) if sum(map(len, names)) < _SHORT else 2
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": ncols} | place
    look = {"frameon": False, "fontsize": "small", "handlelength": 1.5}
    ax.legend(of, names, columnspacing=1.2, borderaxespad=0.2, **look, **place)


def _lines(name: str, letters: int) -> str:
    return fill(name, letters, break_long_words=False)


def _way(line: Line2D, frame: Bbox, step: float) -> np.ndarray:
    """Return where a line or its dots are seen, in pixels, every step."""
    corners = line.get_transform().transform(line.get_xydata())
    corners = corners[np.isfinite(corners).all(axis=1)]
    corners = corners.clip(frame.min - frame.size, frame.max + frame.size)
    if len(corners) and line.get_linestyle() != "None":
        along = np.append(0, np.hypot(*np.diff(corners, axis=0).T).cumsum())
        stops = np.arange(0, along[-1] + step, step)
        corners = np.column_stack([np.interp(stops, along, c) for c in corners.T])
    seen = (corners > frame.min - 1) & (corners < frame.max + 1)
    return corners[seen.all(axis=1)]


def _beyond(other: np.ndarray, way: np.ndarray, near: float) -> np.ndarray:
    """Return the other line; of one that runs along to the eye, only what leaves."""
    if not (len(other) and len(way)):
        return _FAR
    apart = np.hypot(*np.moveaxis(way[:, None] - other, 2, 0))
    along = (apart.min(axis=1) < near).mean() > 0.8
    return other[apart.min(axis=0) >= near] if along else other


def _room(
    way: np.ndarray,
    near: np.ndarray,
    size: np.ndarray,
    taken: list[np.ndarray],
    frame: Bbox,
    point: float,
    off: float,
) -> tuple[float, np.ndarray]:
    """Return the best place for a name: how bad it is, and its lower left corner.

    It is so far beside its own line, or a dot, that it is also off a line through that;
    off the others and what is taken; and rather on the right.
    """
    gap, (width, height) = 3 * point, size
    beside = []
    for across in (off, -off - width):
        beside += [(across, up) for up in (-height / 2, 0, -height)]
    for across in (-width / 2, 0, -width):
        beside += [(across, off), (across, -off - height)]
    low = (way[::-2, None] + np.array(beside)).reshape(-1, 2)
    outside = ((low < frame.min + gap) | (low + size > frame.max - gap)).any(axis=1)
    clash = np.zeros(len(low))
    for box in taken:
        clash += ((low < box[2:] + gap) & (low + size > box[:2] - gap)).all(axis=1)
    own, others = (
        np.maximum(abs(low[:, None] + size / 2 - points) - size / 2, 0)
        for points in (way, near)
    )
    crossed = (own.max(axis=2) < 0.8 * gap).sum(axis=1)
    hit = (others.max(axis=2) < 1.2 * gap).sum(axis=1)
    free = np.hypot(*np.moveaxis(others, 2, 0)).min(axis=1) / height
    cost = (
        1000 * outside
        + 300 * clash
        + 100 * (hit > 0)
        + 5 * hit
        + 100 * (crossed > 0)
        + 5 * crossed
        - 10 * np.minimum(free, 1)
        - 2 * np.minimum(free, 6)
        - 12 * (low[:, 0] - frame.x0) / frame.width
    )
    best = cost.argmin()
    return cost[best], low[best]


def _names(axis: xr.DataArray) -> list[str]:
    """Return what the lines of an axis are called; the first says what it counts."""
    names = [_named(entry) for entry in axis.to_numpy()]
    if axis.dtype.kind in "iuf":
        unit = axis.attrs.get("units", "-")
        names = names if unit == "-" else [f"{name}{_JOIN}{unit}" for name in names]
        names[0] = f"{axis.attrs.get('long_name', axis.name)}{_JOIN}{names[0]}"
    return names


def _new(height: float = 4.2) -> Axes:
    (ax,) = panels(1, height=height)
    return ax


def _label(data: xr.DataArray) -> str:
    name, unit = data.attrs.get("long_name", data.name), data.attrs.get("units", "-")
    return name if unit == "-" else f"{name} ({unit})"


def _named(entry: object) -> str:
    return str(entry) if isinstance(entry, str) else f"{entry:g}"
