"""`vmbmodel.figures`: what is on the axes is what was given."""

import inspect
import itertools
from datetime import date

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

mpl.use("agg")

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.dates import date2num

from vmbmodel import figures
from vmbmodel.formulas.queueing import mean_wait_h
from vmbmodel.grid import sweep


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def wait():
    return sweep(
        mean_wait_h, servers=[2, 4, 8], arrivals_per_h=[0.5, 1.0, 1.5], service_h=1
    )


def test_curves_are_the_data_with_labels_and_units(wait):
    ax = figures.curves(
        wait, "arrivals_per_h", "servers", limits={"a day": 24}, yscale="log"
    )
    assert ax.get_xlabel() == "arrivals (1/h)"
    assert ax.get_ylabel() == "mean wait (h)"
    assert ax.get_yscale() == "log"
    curves = [line for line in ax.lines if len(line.get_xdata()) == 3]
    np.testing.assert_array_equal(curves[1].get_ydata(), wait.sel(servers=4))
    looks = {(line.get_color(), str(line.get_linestyle())) for line in curves}
    assert len({dash for _, dash in looks}) == len({c for c, _ in looks}) == 3
    assert plain(ax) == ["data movers 2", "4", "8", "a day"]
    colours = [figures.COLOURS.index(line.get_color()) for line in curves]
    inks = [figures.INKS.index(text.get_color()) for text in ax.texts[:3]]
    assert inks == colours


@pytest.mark.parametrize("ink", figures.INKS)
def test_names_are_dark_enough_to_read(ink):
    light = np.array(to_rgb(ink))
    light = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    assert 1.05 / (light @ [0.2126, 0.7152, 0.0722] + 0.05) > 4.5


def plain(ax):
    """Return what is written in a figure, each text in one line."""
    return [" ".join(text.get_text().split()) for text in ax.texts]


def test_names_stand_beside_their_lines_and_apart_from_each_other():
    place = xr.DataArray(np.linspace(0, 1, 40), dims="place", name="place")
    power = xr.DataArray([0.3, 1, 3], dims="power", name="power")
    rise = (place**power).assign_coords(place=place, power=power)
    ax = figures.curves(rise, "place", "power", limits={"half": 0.5})
    for width in (7, 3.8):
        ax.figure.set_figwidth(width)
        ax.figure.canvas.draw()
        frame = ax.get_window_extent()
        boxes = [text.get_window_extent() for text in ax.texts]
        assert all(frame.contains(*corner) for box in boxes for corner in box.corners())
        for box, line in zip(boxes, ax.lines, strict=True):
            assert not [
                other for other in boxes if box is not other and box.overlaps(other)
            ]
            away = [away_from(box, other) for other in ax.lines]
            assert min(away) == away_from(box, line) > 0


def test_a_name_keeps_off_a_line_that_ran_along_with_its_own():
    place = np.linspace(0, 1, 100)
    leaves = 0.5 + 0.15 * np.maximum(place - 0.85, 0)
    ax = figures.panels(1, height=4.2)[0]
    level, rising = (ax.plot(place, line)[0] for line in (0 * place + 0.5, leaves))
    figures.beside({level: "level"}, ax=ax)
    ax.set_ylim(0, 1)
    ax.figure.canvas.draw()
    assert away_from(ax.texts[0].get_window_extent(), rising) > 3


@pytest.mark.parametrize("steepness", [5, 20, 80])
def test_a_name_keeps_off_its_own_line_however_steep_that_is(steepness):
    place = np.linspace(0, 1, 200)
    ax = figures.panels(1, height=4.2)[0]
    line = ax.plot(place, 1 / (1 + np.exp(steepness * (0.7 - place))))[0]
    figures.beside({line: "512 GiB", ax.axhline(0.95): "95 of 100"}, ax=ax)
    ax.figure.canvas.draw()
    assert 3 < away_from(ax.texts[0].get_window_extent(), line) < 8


def away_from(box, line):
    ends = line.get_transform().transform(line.get_xydata())
    along = np.linspace(0, len(ends) - 1, 500)
    way = np.transpose([np.interp(along, range(len(ends)), axis) for axis in ends.T])
    return np.hypot(*(way - np.clip(way, box.min, box.max)).T).min()


def test_many_lines_have_a_legend():
    many = sweep(mean_wait_h, servers=range(2, 9), arrivals_per_h=[0.5, 1], service_h=1)
    ax = figures.curves(many, "arrivals_per_h", "servers")
    assert ax.get_legend().get_title().get_text() == "data movers"
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == [*"2345678"]
    assert not ax.texts


def test_units_stand_with_every_number(wait):
    sizes = wait.rename(servers="used_gib")
    sizes["used_gib"].attrs = {"long_name": "used size", "units": "GiB"}
    ax = figures.curves(sizes, "arrivals_per_h", "used_gib")
    assert plain(ax) == ["used size 2 GiB", "4 GiB", "8 GiB"]


def test_a_logarithmic_axis_says_plain_numbers(wait):
    ax = figures.curves(
        wait, "arrivals_per_h", "servers", yscale="log", ylim=(0.01, 10)
    )
    ax.figure.canvas.draw()
    ticks = [label.get_text() for label in ax.get_yticklabels()]
    assert {"0.01", "0.1", "1", "10"} <= set(ticks)


def test_strips_fill_the_cells_that_hold():
    cells = xr.DataArray(
        [[True, False, True], [False, False, True]],
        coords={"kind": ["a", "b"], "place": [1, 2, 3]},
        dims=("kind", "place"),
    )
    ax = figures.strips(cells, "place", "kind", names=("in", "out"))
    filled = [bars.get_paths() for bars in ax.collections[1::2]]
    lefts = [[int(p.vertices[:, 0].min()) for p in paths] for paths in filled]
    assert lefts == [[0, 2], [2]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["in", "out"]


def test_steps_are_level_from_row_to_row():
    day = pd.DataFrame({"before": [3, 1], "after": [1, 1]}, index=[0.0, 12.0])
    ax = figures.steps(day, xlabel="hour")
    before, after = ax.lines
    way = [[0, 0], [0, 3], [12, 3], [12, 1], [24, 1], [24, 0]]
    assert before.get_xydata().tolist() == way
    assert before.get_linestyle() != after.get_linestyle()
    assert plain(ax) == list(day)
    assert ax.get_xlim() == (0, 24)


def test_one_curve_needs_no_legend(wait):
    ax = figures.curves(wait.sel(servers=4), "arrivals_per_h")
    assert ax.get_legend() is None


def test_heat_has_its_axes_the_right_way_round(wait):
    ax = figures.heat(wait, "arrivals_per_h", "servers", levels=[0.1])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("arrivals (1/h)", "data movers")
    shades = ax.collections[0].get_array()
    np.testing.assert_array_equal(np.ravel(shades), np.ravel(wait.values))
    assert ax.figure.axes[1].get_ylabel() == "mean wait (h)"


def test_heat_writes_every_value_into_its_cell(wait):
    ax = figures.heat(wait, "arrivals_per_h", "servers", values=".2f")
    written = {tuple(text.get_position()): text.get_text() for text in ax.texts}
    assert len(written) == wait.size
    for arrivals, servers in written:
        value = wait.sel(arrivals_per_h=arrivals, servers=servers).item()
        assert written[arrivals, servers] == f"{value:.2f}"


def test_what_is_above_and_below_the_centre_differs_in_colour(wait):
    ax = figures.heat(wait - 0.5, "arrivals_per_h", "servers", centre=0)
    shades = ax.collections[0]
    middle, above, below = (shades.to_rgba(value) for value in (0, 0.2, -0.2))
    assert min(middle[:3]) > 0.95
    assert above[2] > above[0]
    assert below[0] > below[2]


def test_bands_run_from_low_to_high():
    table = pd.DataFrame(
        {"low": [1.0, 2.0], "mid": [2.0, 3.0], "high": [4.0, 5.0]}, index=["a", "b"]
    )
    ax = figures.bands(table, "low", "mid", "high", xlabel="hours")
    ends = [path[:, 0].tolist() for path in ax.collections[0].get_segments()]
    assert ends == [[1, 4], [2, 5]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_xlabel() == "hours"


def test_parity_has_its_line_its_band_and_a_mark_a_kind():
    table = pd.DataFrame(
        {"seen": [1.0, 10.0, 5.0], "ours": [1.1, 9.0, 5.0], "of": ["a", "a", "b"]}
    )
    ax = figures.parity(table, "seen", "ours", "of", band=0.2, xlabel="measured")
    agreement, first, second = ax.lines
    np.testing.assert_array_equal(*agreement.get_data())
    assert first.get_xdata().tolist() == [1, 10]
    assert second.get_ydata().tolist() == [5]
    assert first.get_marker() != second.get_marker()
    corners = ax.collections[0].get_paths()[0].vertices
    at_left = corners[corners[:, 0] == corners[:, 0].min(), 1] / ax.get_xlim()[0]
    np.testing.assert_allclose([at_left.min(), at_left.max()], [0.8, 1.2])
    assert plain(ax) == ["within 20 %", "a", "b"]
    assert ax.get_xlabel() == "measured"


def test_dots_are_where_the_table_says():
    table = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    ax = figures.points(table, "x", "y", label="seen")
    assert ax.lines[0].get_xydata().tolist() == [[1, 3], [2, 4]]
    assert plain(ax) == ["seen"]
    assert not figures.points(table, "x", "y").texts


def line(label, *points):
    return {"label": label, "points": [list(point) for point in points]}


LEADING = {
    "x": {"label": "size (GiB)", "low": 1, "high": 100, "log": True},
    "y": {"label": "place", "low": 0, "high": 4, "down": True},
    "area": line("all", (1, 1), (100, 1), (100, 3), (1, 3)),
    "lines": [line("half", (1, 2), (100, 2)), line("most", (1, 2.5), (100, 2.5))],
    "dots": line("seen", (3, 1), (9, 2)),
    "limits": [{"label": "at most", "at": 3.5}],
    "mark": {"label": "yours", "at": 7},
    "stretches": [{"label": "peak", "low": 20, "high": 50}],
}


def test_a_leading_figure_has_all_that_is_in_its_data():
    ax = figures.drawn(LEADING)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("size (GiB)", "place")
    assert (ax.get_xlim(), ax.get_ylim()) == ((1, 100), (4, 0))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    drawn = [path.get_xydata().tolist() for path in ax.lines]
    for part in (*LEADING["lines"], LEADING["dots"]):
        assert part["points"] in drawn
    stretch, area = sorted(ax.patches, key=lambda patch: patch.zorder)
    assert area.get_xy()[:4].tolist() == LEADING["area"]["points"]
    assert (stretch.get_x(), stretch.get_width()) == (20, 30)
    assert [at for path, at in drawn if path[1] == at[1] == 3.5]
    assert [at for path, at in drawn if path[0] == at[0] == 7]
    assert sorted(plain(ax)) == sorted(
        ["all", "half", "most", "seen", "at most", "yours", "peak"]
    )
    half, most = (ax.lines[drawn.index(path["points"])] for path in LEADING["lines"])
    assert half.get_linestyle() != most.get_linestyle()
    colours = half.get_color(), most.get_color(), area.get_edgecolor()
    assert len({to_rgb(colour) for colour in colours}) == 3
    ax.figure.canvas.draw()
    ticks = [label.get_text() for label in ax.get_xticklabels()]
    assert {"1", "10", "100"} <= set(ticks)


def test_dots_of_a_leading_figure_may_have_names():
    ax = figures.drawn(LEADING | {"dots": LEADING["dots"] | {"names": ["a", "b"]}})
    assert {"a", "b"} <= set(plain(ax))
    assert "seen" not in plain(ax)
    assert [[9, 2]] in [path.get_xydata().tolist() for path in ax.lines]


def test_the_name_of_a_dot_keeps_off_the_line_on_which_it_is():
    axis = {"label": "place", "low": 0, "high": 10}
    dot = line("seen", (5, 5)) | {"names": ["server"]}
    way = line("way", (0, 5), (10, 5))
    ax = figures.drawn({"x": axis, "y": axis, "lines": [way], "dots": dot})
    ax.figure.canvas.draw()
    (name,) = (text for text in ax.texts if text.get_text() == "server")
    place = name.get_window_extent()
    height = ax.transData.transform((5, 5))[1]
    apart = max(place.y0 - height, height - place.y1) * 72 / ax.figure.dpi
    assert 3.6 < apart < 6  # points; nearer, a name counts as one that meets a line


def test_hours_of_a_leading_figure_are_times_of_day():
    x = {"label": "start", "low": 12, "high": 36, "clock": True}
    ax = figures.drawn({"x": x, "y": LEADING["y"], "lines": []})
    ax.figure.canvas.draw()
    shown = [label.get_text() for label in ax.get_xticklabels()]
    assert {"12:00", "18:00", "00:00"} <= set(shown)


def test_bars_of_a_leading_figure_say_their_sums_and_which_is_yours():
    bars = {"labels": ["a", "b"], "parts": ["x", "y"], "values": [[1, 2], [30, 4]]}
    x = {"label": "USD", "low": 0, "high": 40}
    ax = figures.drawn({"x": x, "bars": bars | {"mine": 1}})
    assert [bar.get_width() for bar in ax.patches] == [1, 30, 2, 4]
    assert plain(ax) == ["3", "34", "x", "y"]
    assert (ax.get_xlim(), ax.get_xlabel()) == ((0, 40), "USD")
    weights = [label.get_fontweight() for label in ax.get_yticklabels()]
    assert weights == ["normal", "bold"]


def test_spans_start_and_end_where_the_table_says():
    table = pd.DataFrame({"start": [0.0, 1.0], "end": [2.0, 4.0]})
    bars = figures.spans(table, "start", "end").patches
    assert [(b.get_x(), b.get_width()) for b in bars] == [(0, 2), (1, 3)]


def test_stacked_bars_add_up():
    table = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]}, index=["a", "b"])
    ax = figures.stacked_bars(table)
    assert [b.get_x() + b.get_width() for b in ax.patches[2:]] == [4, 6]
    assert plain(ax) == ["x", "y"]
    begin = pd.Series([10, 20], index=table.index)
    ax = figures.stacked_bars(table, begin=begin, values="{:.0f} h")
    assert [b.get_x() for b in ax.patches] == [10, 20, 11, 22]
    assert plain(ax) == ["14 h", "26 h", "x", "y"]


def test_names_of_parts_stand_above_them_as_far_as_they_do_not_meet():
    table = pd.DataFrame({"some": [2.0, 9.0], "a little": [0.1, 3], "more": [5, 9]})
    ax = figures.stacked_bars(table)
    for width in (7, 3.8):
        ax.figure.set_figwidth(width)
        ax.figure.canvas.draw()
        boxes = [text.get_window_extent() for text in ax.texts]
        parts = [part.get_window_extent() for part in ax.patches[::2]]
        for box, part, pointer in zip(boxes, parts, ax.lines, strict=True):
            (near, to), (high, low) = pointer.get_data()
            assert box.x0 < near < box.x1
            assert part.x0 < to < part.x1
            assert box.y0 > high > low > part.y1
        assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))
        upright = [line.get_xdata()[0] == line.get_xdata()[1] for line in ax.lines]
        assert all(upright) == (width == 7)


SHORT = [[0.0, 3.0], [0.1, 0.3]]


@pytest.mark.parametrize("first", SHORT)
def test_a_bar_without_all_parts_or_too_short_for_their_names_has_them_below(first):
    ax = figures.stacked_bars(pd.DataFrame([first, [2.0, 3.0]], columns=["x", "y"]))
    assert ax.get_legend() is None
    ax.figure.canvas.draw()
    frame = ax.get_window_extent()
    last = [part.get_window_extent() for part in ax.patches[1::2]]
    for text, part, pointer in zip(ax.texts, last, ax.lines, strict=True):
        box, (low, high) = text.get_window_extent(), pointer.get_ydata()
        assert frame.y0 < box.y0 < box.y1 < low < high < part.y0
        assert part.x0 < pointer.get_xdata()[1] < part.x1


@pytest.mark.parametrize("end", SHORT)
def test_bars_at_both_ends_without_room_for_names_have_a_legend(end):
    table = pd.DataFrame([end, [2.0, 3.0], end], columns=["x", "y"])
    ax = figures.stacked_bars(table)
    assert not ax.texts
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["x", "y"]


def test_bars_of_one_part_each_say_which_behind_their_value():
    table = pd.DataFrame({"x": [5.0, 0], "y": [0, 2.0]})
    ax = figures.stacked_bars(table, values="{:.0f} %")
    assert plain(ax) == ["5 %, x", "2 %, y"]
    assert ax.get_legend() is None
    assert not figures.stacked_bars(table[:0], values="{:.0f} %").texts


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=5))
def test_the_nearest_order_is_no_farther_than_any_other(wish):
    near = figures._in_order(np.array(wish))
    assert (np.diff(near) >= -1e-9).all()
    away = ((near - wish) ** 2).sum()
    for other in (
        np.sort(wish),
        np.maximum.accumulate(wish),
        np.full(1, np.mean(wish)),
    ):
        assert away <= ((other - wish) ** 2).sum() + 1e-9


def test_columns_stand_on_their_stretch_and_add_up():
    table = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    ax = figures.columns(table, [0, 31, 59])
    tops = [(b.get_x(), b.get_width(), b.get_y() + b.get_height()) for b in ax.patches]
    assert [(left, top) for left, _, top in tops] == [(0, 1), (31, 2), (0, 4), (31, 6)]
    assert all(
        0.9 * month < width < month
        for (_, width, _), month in zip(tops, (31, 28) * 2, strict=True)
    )
    assert plain(ax) == ["x", "y"]
    ax.figure.canvas.draw()
    corners = [text.get_window_extent().x0 for text in ax.texts]
    assert min(corners) > ax.patches[1].get_window_extent().x1
    assert max(t.get_window_extent().x1 for t in ax.texts) < ax.figure.bbox.x1
    assert ax.get_xlim()[0] == 0


def test_moments_stand_where_they_are():
    ax = figures.moments({"begin": 3.0, "end": 7.0})
    assert [line.get_xdata()[0] for line in ax.lines] == [3, 7]
    assert [text.get_text() for text in ax.texts] == ["begin", "end"]


@pytest.mark.parametrize(
    "name", [n for n in figures.__all__ if n.islower() and n != "panels"]
)
def test_every_figure_draws_on_the_axes_it_is_given(name):
    assert "ax" in inspect.signature(getattr(figures, name)).parameters


def test_a_given_axes_is_returned(wait):
    ax = plt.subplots()[1]
    assert figures.curves(wait, "arrivals_per_h", "servers", ax=ax) is ax


def test_a_clock_goes_on_after_midnight():
    ax = figures.clock(
        figures.spans(pd.DataFrame({"a": [12.0], "b": [36.0]}), "a", "b")
    )
    ax.figure.canvas.draw()
    shown = [label.get_text() for label in ax.get_xticklabels()]
    assert {"12:00", "18:00", "00:00"} <= set(shown)


def test_days_are_dates():
    ax = figures.calendar(figures.panels(2, height=5)[1])
    ax.plot([date2num(date(2026, 1, 1)), date2num(date(2026, 4, 1))], [0, 1])
    ax.figure.canvas.draw()
    shown = [label.get_text() for label in ax.get_xticklabels()]
    assert {"Feb", "Mar"} <= set(shown)


def test_a_shaded_stretch_has_its_ends_and_its_name():
    ax = figures.shade(2, 5, "peak", ax=figures.panels(1, height=3)[0])
    assert (ax.patches[0].get_x(), ax.patches[0].get_width()) == (2, 3)
    assert plain(ax) == ["peak"]
