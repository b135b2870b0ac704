"""`vmbmodel.leading`: what leading figures show is what is known by another way."""

import heapq
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from vmbmodel import figures, leading
from vmbmodel.plan import Scenario

PROFILE = "azure-2026-01"
CONSTANTS = Scenario.of(PROFILE)


def points(figure, label):
    """Return across and up of a line of a figure, or of its area."""
    (found,) = (
        one
        for one in [*figure["lines"], figure.get("area"), figure.get("dots")]
        if one and one["label"] == label
    )
    return np.transpose(found["points"])


def at(figure, label, across):
    """Read a line of a figure."""
    return np.interp(across, *points(figure, label))


# --- a jam ----------------------------------------------------------------------------


def places(figure):
    """Return when each place of a jam begins and ends, read off the steps."""
    edges = np.reshape(figure["area"]["points"], (2, -1, 2, 2))
    first, last = edges[0, :, :, 1].T.round(9)
    begin, end = edges[0, :, 0, 0], edges[1, ::-1, 0, 0]
    many = (last - first).astype(int)
    assert first[0] == 0.5
    assert (first[1:] == last[:-1]).all()
    return np.repeat(begin, many), np.repeat(end, many)


@pytest.mark.parametrize("interval_h", [0, 0.2, 0.5, 0.8])
@pytest.mark.parametrize(("jobs", "movers"), [(30, 10), (25, 10), (7, 10), (1, 1)])
def test_steps_of_a_jam_are_those_of_a_line_served_job_by_job(jobs, movers, interval_h):
    figure = leading.jam(jobs, movers, 0.5, 23, interval_h)
    free = [0.0] * movers
    begun = []
    for job in range(jobs):
        begun.append(max(heapq.heappop(free), job // movers * interval_h))
        heapq.heappush(free, begun[-1] + 0.5)
    begin, end = places(figure)
    assert begin == pytest.approx(begun)
    assert end == pytest.approx(np.add(begun, 0.5))
    assert figure["x"]["high"] == pytest.approx(begun[-1] + 0.5)
    assert bool(figure["lines"]) == (interval_h == 0)


@pytest.mark.parametrize(
    ("interval_h", "wait", "clock"),
    [(0, "1.00", "00:30 +1"), (0.2, "0.60", "00:30 +1"), (0.8, "0.00", "01:06 +1")],
)
def test_a_jam_that_is_spread_has_no_wait_once_a_transfer_is_between(
    interval_h, wait, clock
):
    said = leading.jam(30, 10, 0.5, 23, interval_h)["said"]
    assert f"The last of 30 waits {wait} h" in said
    assert clock in said


def test_varying_jobs_of_a_jam_leave_one_by_one():
    # of exponential length, ten movers let one go every twentieth of an hour
    hour, place = points(leading.jam(35, 10, 0.5, 23), "varying jobs, mean start")
    assert np.interp([1, 10, 11, 35], place, hour) == pytest.approx([0, 0, 0.05, 1.25])


def test_a_long_jam_is_drawn_with_few_steps_from_end_to_end():
    figure = leading.jam(100_000, 1, 0.5, 23)
    assert len(figure["area"]["points"]) < 2000
    hour, place = points(figure, "equal jobs")
    assert (place.min(), place.max()) == (0.5, 100_000.5)
    assert (hour.min(), hour.max()) == (0, 50_000)
    assert figure["y"]["down"]


# --- a day ----------------------------------------------------------------------------


def test_a_day_is_that_of_its_formulas_as_they_print_it():
    # the examples of `day_wait_quantile_h` and `fluid_wait_h`, for a peak from 22:00
    figure = leading.day(PROFILE, 8, 6, 0.3, 23)
    hour, wait = points(figure, "5 to 95 of 100 jobs")
    least, most = np.split(np.column_stack([hour, wait]), 2)
    assert np.interp([24, 25, 26, 27, 28, 29], *most[::-1].T) == pytest.approx(
        [3.865, 5.567, 7.209, 8.812, 10.389, 9.718], abs=6e-4
    )
    half = at(figure, "median", least[:, 0])
    assert (least[:, 1] <= half).all()
    assert (half <= most[::-1, 1]).all()
    # as the examples of `of_others` and of `day_mean_wait_h` have it: 0.9 and 7.592
    assert figure["said"].startswith("A job that starts at 23:00 waits 0.93 h on aver")
    late = leading.day(PROFILE, 8, 6, 0.3, 4)["said"]
    assert "waits 7.59 h on average" in late
    assert "95 of 100 no longer than 10.39 h." in late
    assert figure["mark"] == {"label": "start at 23:00", "at": 23}
    assert figure["stretches"] == [{"label": "peak", "low": 22, "high": 28}]


def test_a_peak_that_lasts_till_after_noon_begins_the_day_too():
    figure = leading.day(PROFILE, 2, 16, 0.3, 6)
    ends = [(part["low"], part["high"]) for part in figure["stretches"]]
    assert ends == [(22, 36), (12, 14)]
    assert figure["mark"] == {"label": "start at 06:00", "at": 30}


def test_a_line_that_never_ends_is_said_to():
    figure = leading.day(PROFILE, 8, 6, 0.9, 23)
    assert figure["said"].startswith("The line never ends")
    assert np.isfinite([figure["y"]["low"], figure["y"]["high"]]).all()
    assert figure["lines"][0]["points"] == []


# --- dispersion -----------------------------------------------------------------------


def test_scattered_changes_move_as_counted_by_hand():
    seen = [("a disk", 0.5), ("another", 0.02)]
    figure = leading.dispersion(PROFILE, 200, 0.5, 0.05, 2048, seen)
    limit, iops = CONSTANTS["blob_mib_s"], CONSTANTS["blob_iops"]
    limit = min(limit, CONSTANTS["incremental_mib_s"])
    # a run of changed cells ends with the chance of a cell that is drawn anew, unlike
    run_mib = CONSTANTS["cell_kib"] / 1024 / (np.array([0.5, 0.02]) * 0.95)
    together = np.minimum(limit, iops * run_mib)
    in_turn = 1 / (1 / limit + 1 / (iops * run_mib))
    assert figure["dots"]["points"][0] == pytest.approx([0.5, together[0]])
    assert figure["dots"]["points"][1] == pytest.approx([0.02, together[1]])
    assert figure["dots"]["names"] == ["a disk", "another"]
    for label, known in (
        ("sending, requests overlap", together),
        ("sending, one after the other", in_turn),
    ):
        index, speed = points(figure, label)
        read = np.exp(np.interp(np.log([0.5, 0.02]), np.log(index), np.log(speed)))
        assert read == pytest.approx(known, rel=2e-3)
    hours = float(figure["said"].split(" take ")[1].split(" h")[0])
    moved = float(figure["said"].split(": ")[1].split(" MiB")[0])
    assert moved == pytest.approx(10 * 1024 / hours / 3600, rel=0.01)
    assert figure["mark"] == {"label": "index 0.5", "at": 0.5}


@pytest.mark.parametrize("width", [7, 3.8])
def test_names_of_measured_disks_cover_no_other_name(width):
    disks = {"file server": 0.04, "fio, runs of 64 KiB": 0.12, "PostgreSQL": 0.42}
    seen = [*disks.items(), ("SQLite, hot rows", 0.9)]
    ax = figures.drawn(leading.dispersion(PROFILE, 200, 0.1, 0.05, 2048, seen))
    ax.figure.set_figwidth(width)
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]


# --- the deadline ---------------------------------------------------------------------


def test_backups_are_done_as_often_as_their_parts_say():
    figure = leading.deadline(PROFILE, 200, 24, 0.7, [1024, 200])
    slack_h, mean_h = CONSTANTS["start_slack_h"], CONSTANTS["others_wait_mean_h"]
    late_h = slack_h * (np.arange(20_000) + 0.5) / 20_000
    rate = min(CONSTANTS["initial_mib_s"], CONSTANTS["blob_mib_s"]) * 3600 / 1024
    for label, fixed_h in (
        ("daily, our VM", 0.7),
        ("first copy, 200\N{NO-BREAK SPACE}GiB", 200 / rate + 0.0087),
        ("1,024\N{NO-BREAK SPACE}GiB", 1024 / rate + 0.0087),
    ):
        for hour in (1, 3, 8, 17, 24):
            left_h = hour - CONSTANTS["snapshot_h"] - fixed_h - late_h
            known = -np.expm1(-np.maximum(left_h, 0) / mean_h).mean()
            known *= CONSTANTS["others_wait_prob"]
            known += (1 - CONSTANTS["others_wait_prob"]) * (left_h >= 0).mean()
            assert at(figure, label, hour) == pytest.approx(known, abs=1e-3), label
    assert len(figure["lines"]) == 3
    assert figure["mark"] == {"label": "deadline", "at": 24}


@pytest.mark.parametrize(
    ("deadline_h", "said"),
    [(9.2, "95 of 100."), (30, "more than 99 of 100."), (200, "100 of 100.")],
)
def test_all_nights_are_said_to_be_only_when_they_are(deadline_h, said):
    figure = leading.deadline(PROFILE, 200, deadline_h, 0.7, [])
    assert figure["said"].endswith(f"of our VM on {said}")


# --- a restore ------------------------------------------------------------------------


def test_restores_are_a_new_one_of_the_published():
    seen = [(30, 0.5), (128, 0.75), (190, 1)]
    figure = leading.restore(PROFILE, 200, 4, seen)
    assert figure["dots"]["points"] == [[30, 0.5], [128, 0.75], [190, 1]]
    n, known_gib = CONSTANTS["restore_sample"], CONSTANTS["restore_known_gib"]
    scale = CONSTANTS["restore_log_sd"] * np.sqrt(1 + 1 / n)
    rate = min(CONSTANTS["restore_mib_s"], CONSTANTS["blob_mib_s"]) * 3600 / 1024
    for label, share in (("10 of 100", 0.1), ("half", 0.5), ("90 of 100", 0.9)):
        factor = np.exp(scale * stats.t.ppf(share, n - 1))
        for gib in (0, 150, figure["x"]["high"]):
            more_h = max(gib - known_gib, 0) / rate
            known = (CONSTANTS["restore_p50_h"] + more_h) * factor
            assert at(figure, label, gib) == pytest.approx(known)
    label = "copy at the documented rate, and creation"
    known = 100 / rate + CONSTANTS["vm_creation_h"]
    assert at(figure, label, 100) == pytest.approx(known)
    most = float(figure["said"].split("within ")[2].split(" h")[0])
    more_h = (200 - known_gib) / rate
    factor = np.exp(scale * stats.t.ppf(0.95, n - 1))
    half_h = CONSTANTS["restore_p50_h"] + more_h
    assert most == pytest.approx(half_h * factor, abs=0.01)
    within = stats.t.cdf(np.log(1 / half_h) / scale, n - 1)
    said = leading.restore(PROFILE, 200, 1, seen)["said"]
    assert f"within 1 h of the request {100 * within:.0f} of 100 times" in said


# --- the bill -------------------------------------------------------------------------


def test_a_bill_adds_up_as_a_price_list_says():
    prices = "azure-list-2026-01"
    figure = leading.bill(PROFILE, prices, 440, 0.05, 30, "GRS", 2)
    book, bars = Scenario.of(PROFILE, prices), figure["bars"]
    bills = dict(zip(bars["labels"], bars["values"], strict=True))
    mine = bars["labels"][bars["mine"]]
    assert mine == "440\N{NO-BREAK SPACE}GiB"
    assert bills[mine] == pytest.approx(
        [
            10,
            (440 + 29 * 22) * book["grs_usd_per_gib_month"],
            2 * 22 * book["snapshot_standard_usd_per_gib_month"],
        ]
    )
    fees = [usd[0] for usd in bars["values"]]
    assert fees == [5, 5, 10, 10, 10, 10, 20, 40]
    assert f"costs {sum(bills[mine]):,.2f} USD" in figure["said"]
    assert max(map(sum, bars["values"])) < figure["x"]["high"]


def test_a_vm_of_a_size_that_stands_there_stands_there_once():
    figure = leading.bill(PROFILE, "azure-list-2026-01", 500, 0.05, 30, "LRS", 2)
    assert len(figure["bars"]["labels"]) == len(leading.SIZES_GIB)
    assert figure["bars"]["labels"][figure["bars"]["mine"]].startswith("500")


# --- what is kept ---------------------------------------------------------------------


def test_points_add_a_days_changes_each_and_others_more():
    figure = leading.retention(440, 22, 30, 12, 12, 3, 0.5)
    assert at(figure, "daily points alone", [1, 30, 180]) == pytest.approx(
        [440, 440 + 29 * 22, 440 + 179 * 22]
    )
    days, ends = points(figure, "with weekly, monthly and yearly points")
    least, most = np.split(ends, 2)
    assert (days[: len(least)] == days[len(least) :][::-1]).all()
    assert (least < most[::-1]).all()
    assert (least > at(figure, "daily points alone", days[: len(least)])).all()
    assert figure["mark"] == {"label": "30 points", "at": 30}


def test_without_other_points_nothing_is_added():
    figure = leading.retention(440, 22, 30, 0, 0, 0, 0.5)
    days, ends = points(figure, "with weekly, monthly and yearly points")
    assert ends == pytest.approx(at(figure, "daily points alone", days))
