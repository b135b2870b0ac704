"""The leading figures of chapters, a function each, from settings to plain data.

A figure has two axes, and on them lines, an area or dots, points each; limits to
compare with, level lines; a mark, an upright one; stretches, shaded. Or it has bars of
parts. A sentence says what is read off it. `vmbmodel.figures.drawn` draws the data
for a notebook, and a script of the book's pages does with the numbers of a reader.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel import formulas
from vmbmodel.fields import heading, shown
from vmbmodel.plan import Scenario, day_clock
from vmbmodel.plan.estimate import day_load, of_others
from vmbmodel.service import storage_usd_per_gib_month

__all__ = [
    "SIZES_GIB",
    "bill",
    "day",
    "deadline",
    "dispersion",
    "jam",
    "restore",
    "retention",
]

SIZES_GIB = (20, 50, 51, 200, 500, 501, 2000)
"""VMs whose bills stand beside one's own: on both sides of each step of the fee."""

_STEPS = 400
"""So many waves of a jam are drawn at most."""


def jam(
    jobs: int,
    vault_servers: int,
    service_h: float,
    start_h: float,
    slot_interval_h: float = 0.0,
) -> dict:
    """Return when each place of the line of a jam is served.

    Parameters
    ----------
    jobs, vault_servers : int
        Jobs of a vault, and how many of them are served at a time.
    service_h, start_h : float
        Length of a job, and hour of the day at which the first ones start.
    slot_interval_h : float
        Time between starts, if they are spread: as many start at a time as are served
        at a time.
    """
    waves = np.ceil(jobs / vault_servers)
    wave = np.unique(np.linspace(0, waves - 1, _STEPS).round())
    first = wave * vault_servers + 1
    asked = wave * slot_interval_h
    begun = np.maximum(formulas.jam_wait_h(first, vault_servers, service_h), asked)
    last_h, wait_h = begun[-1] + service_h, begun[-1] - asked[-1]
    place = np.repeat([*first, jobs + 1], 2)[1:-1] - 0.5
    begins = np.repeat(begun, 2)
    lines = []
    if not slot_interval_h:
        turn = np.unique([1, min(vault_servers, jobs), jobs])
        varying = formulas.jam_wait_h(turn, vault_servers, service_h, service_scv=1)
        lines = [_line("varying jobs, mean start", varying, turn)]
    return {
        "x": _axis("time after the first start (h)", 0, last_h),
        "y": _axis("place in line", 0.5, jobs + 0.5) | {"down": True},
        "area": _line("equal jobs", *_around(place, begins, begins + service_h)[::-1]),
        "lines": lines,
        "said": f"The last of {jobs:,.0f} waits {shown('wait_h', wait_h)} h for the "
        f"others and is done by {day_clock(start_h + last_h)}; +1 is the next day.",
    }


def day(
    profile: str,
    peak_wait_h: float,
    peak_h: float,
    offpeak_utilisation_frac: float,
    start_h: float,
) -> dict:
    """Return how long a job waits that starts at each hour of an overloaded day.

    Parameters
    ----------
    profile : str
        Name of the profile.
    peak_wait_h, peak_h : float
        What the peak piles up, and how long it lasts.
    offpeak_utilisation_frac : float
        Load at other hours.
    start_h : float
        Hour of the day at which one's own jobs start.
    """
    settings = {
        "eight_hours": "overload",
        "peak_wait_h": peak_wait_h,
        "peak_h": peak_h,
        "offpeak_utilisation_frac": offpeak_utilisation_frac,
    }
    scenario = Scenario.of(profile, settings=settings)
    others, load = of_others(scenario), day_load(scenario)
    hour = np.linspace(12, 36, len(load) + 1)
    least, half, most = (others.quantile_h(hour % 24, p) for p in (0.05, 0.5, 0.95))
    mean_h, most_h = others.mean_h(start_h), others.quantile_h(start_h, 0.95)
    if ends := np.isfinite(mean_h):
        top_h = max(most.max(), 1.05 * peak_wait_h)
        said = (
            f"A job that starts at {day_clock(start_h)} waits {shown('wait_h', mean_h)}"
            f" h on average, and 95 of 100 no longer than {shown('wait_h', most_h)} h."
        )
    else:
        said = "The line never ends: more comes in a day than is served."
    begin = _since_noon(scenario["peak_start_h"])
    end = begin + min(peak_h, 24)
    peak = [(begin, min(end, 36))] + [(12, end - 24)] * (end > 36)
    return {
        "x": _axis("start, time of day", 12, 36) | {"clock": True},
        "y": _axis(heading("wait_h"), 0, top_h if ends else 1.05 * peak_wait_h),
        "area": _line("5 to 95 of 100 jobs", *_around(hour, least, most)),
        "lines": [_line("median", hour, half)],
        "limits": [{"label": "documented at peak", "at": peak_wait_h}],
        "mark": {"label": f"start at {day_clock(start_h)}", "at": _since_noon(start_h)},
        "stretches": [
            {"label": "peak", "low": float(low), "high": float(high)}
            for low, high in peak
        ],
        "said": said,
    }


def dispersion(
    profile: str,
    used_gib: float,
    dispersion: float,
    churn_frac: float,
    block_kib: float,
    seen: Sequence[tuple[str, float]],
) -> dict:
    """Return how much of a disk's changes moves in a second, the more they scatter.

    Parameters
    ----------
    profile : str
        Name of the profile.
    used_gib, churn_frac : float
        Data of the disk, and the share of it that changes in a day.
    dispersion, block_kib : float
        Index of its changes, and the block in which they are found.
    seen : sequence of tuple
        Disks to compare with: name and index of each.
    """
    constants = Scenario.of(profile)
    rate_mib_s = min(constants["incremental_mib_s"], constants["blob_mib_s"])
    changed_gib = churn_frac * used_gib
    index = np.append(np.geomspace(0.001, 1, 121), dispersion)
    names, measured = zip(*seen, strict=True)

    def sending(index, **requests):
        cell_kib = constants["cell_kib"]
        extent_kib = formulas.mean_extent_kib(index, churn_frac, cell_kib)
        link = rate_mib_s, constants["blob_iops"], extent_kib
        return formulas.effective_mib_s(*link, **requests)

    time_h = formulas.incremental_h(
        used_gib,
        changed_gib,
        index,
        constants["active_frac"],
        rate_mib_s,
        constants["blob_iops"],
        cell_kib=constants["cell_kib"],
        block_kib=block_kib,
        overlap_frac=constants["overlap_frac"],
    )
    ways = {
        "sending, requests overlap": sending(index),
        "sending, one after the other": sending(index, request_overlap_frac=0),
        "finding and sending": changed_gib * 1024 / np.maximum(time_h, 1e-9) / 3600,
    }
    moved = ways["finding and sending"][-1]
    dots = _line("measured disks, sending", measured, sending(np.array(measured)))
    return {
        # an index is 1 at most; beyond is room for the names of disks
        "x": _axis(heading("dispersion"), 0.001, 6) | {"log": True},
        "y": _axis("changed data moved (MiB/s)", 1, 100) | {"log": True},
        "lines": [
            _line(label, index[:-1], speed[:-1]) for label, speed in ways.items()
        ],
        "dots": dots | {"names": list(names)},
        "limits": [{"label": "limit of one blob", "at": rate_mib_s}],
        "mark": {"label": f"index {dispersion:g}", "at": dispersion},
        "said": f"At an index of {dispersion:g} the {changed_gib:,.1f} GiB that change "
        f"in a day take {shown('incremental_h', time_h[-1])} h: {moved:.1f} MiB move "
        "in a second.",
    }


def deadline(
    profile: str,
    used_gib: float,
    deadline_h: float,
    transfer_h: float,
    others_gib: Sequence[float],
) -> dict:
    """Return how likely backups are done, by the time since their scheduled hour.

    Parameters
    ----------
    profile : str
        Name of the profile.
    used_gib : float
        Data of the disk whose first copy it is about.
    deadline_h : float
        Time that a backup has.
    transfer_h : float
        Transfer of the daily backup of a VM.
    others_gib : sequence of float
        Data of other disks, whose first copies stand beside it.
    """
    constants = Scenario.of(profile)
    wait = {
        "wait_prob": constants["others_wait_prob"],
        "decay_per_h": 1 / constants["others_wait_mean_h"],
        "start_slack_h": constants["start_slack_h"],
    }
    rate_mib_s = min(constants["initial_mib_s"], constants["blob_mib_s"])
    sizes = np.array([used_gib, *(gib for gib in others_gib if gib != used_gib)])
    copies_h = constants["extension_h"] + formulas.initial_h(sizes, rate_mib_s)
    names = [_gib(gib) for gib in sizes]
    names[0] = f"first copy, {names[0]}"
    hour = np.append(np.linspace(0, max(36, 1.2 * deadline_h), 361), deadline_h)
    done = {
        name: formulas.done_within_prob(hour, constants["snapshot_h"] + fixed_h, **wait)
        for name, fixed_h in zip(
            ["daily, our VM", *names], [transfer_h, *copies_h], strict=True
        )
    }
    daily, first, *_ = (_of_100(probs[-1]) for probs in done.values())
    return {
        "x": _axis("time since the scheduled hour (h)", 0, hour[-2]),
        "y": _axis(heading("done_within_prob"), 0, 1.02),
        "lines": [_line(kind, hour[:-1], probs[:-1]) for kind, probs in done.items()],
        "limits": [{"label": "95 of 100", "at": 0.95}, {"label": "half", "at": 0.5}],
        "mark": {"label": "deadline", "at": deadline_h},
        "said": f"Within {deadline_h:g} h the first copy of a disk with {used_gib:,g} "
        f"GiB is done on {first} nights, the daily backup of our VM on {daily}.",
    }


def restore(
    profile: str,
    restored_gib: float,
    rto_h: float,
    seen: Sequence[tuple[float, float]],
) -> dict:
    """Return how long a VM takes to run again, by the data of its largest disk.

    Parameters
    ----------
    profile : str
        Name of the profile.
    restored_gib, rto_h : float
        Data of the largest disk, and time in which the VM is to run.
    seen : sequence of tuple
        Restores to compare with: gibibytes and hours of each.
    """
    constants = Scenario.of(profile)
    known_gib = constants["restore_known_gib"]
    copies = constants["restore_mib_s"], constants["blob_mib_s"]
    names = "restore_p50_h", "restore_log_sd", "restore_sample"
    law = {name: constants[name] for name in names}
    edge = max(1.4 * known_gib, 1.05 * max(gib for gib, _ in seen), 1.2 * restored_gib)
    gib = np.append(np.linspace(0, edge, 141), restored_gib)
    beyond_h = formulas.restore_copy_h(np.maximum(gib - known_gib, 0), *copies)
    shares = {"90 of 100": 0.9, "half": 0.5, "10 of 100": 0.1}
    hours = {
        label: formulas.restore_quantile_h(prob, **law, beyond_h=beyond_h)
        for label, prob in shares.items()
    }
    rates_h = formulas.restore_copy_h(gib, *copies) + constants["vm_creation_h"]
    hours["copy at the documented rate, and creation"] = rates_h
    most_h = formulas.restore_quantile_h(0.95, **law, beyond_h=beyond_h[-1])
    within = formulas.restore_within_prob(rto_h, **law, beyond_h=beyond_h[-1])
    top = max(hours["90 of 100"].max(), *(took for _, took in seen), rto_h)
    return {
        "x": _axis(heading("restored_gib"), 0, edge),
        "y": _axis("restore (h)", 0, 1.05 * top),
        "lines": [_line(label, gib[:-1], took[:-1]) for label, took in hours.items()],
        "dots": _line("published", *np.transpose(seen)),
        "limits": [{"label": "objective", "at": rto_h}],
        "mark": {"label": _gib(restored_gib), "at": restored_gib},
        "said": f"With {restored_gib:,g} GiB on its largest disk, a VM runs within "
        f"{rto_h:g} h of the request {_of_100(within)} times, and 95 of 100 times "
        f"within {shown('restore_vault_p95_h', most_h)} h.",
    }


def bill(
    profile: str,
    prices: str,
    used_gib: float,
    churn_frac: float,
    recovery_points: int,
    redundancy: str,
    snapshot_points: int,
) -> dict:
    """Return the bill of a month, in its parts, of one's own VM among others.

    Parameters
    ----------
    profile, prices : str
        Names of the profile and of the price book.
    used_gib, churn_frac : float
        Data of the VM, and the share that changes in a day: of every VM shown.
    recovery_points, snapshot_points : int
        Daily points in the vault, and snapshots kept.
    redundancy : str
        Copies of the vault's data.
    """
    book = Scenario.of(profile, prices)
    sizes = np.unique([*SIZES_GIB, used_gib]).astype(float)
    churn = sizes * churn_frac
    instances = formulas.protected_instances(
        sizes,
        book["small_instance_gib"],
        book["small_instances"],
        book["instance_step_gib"],
    )
    stored_gib = formulas.stored_gib(sizes, churn, recovery_points)
    kept_gib = formulas.snapshot_gib(sizes, churn, snapshot_points)
    vault_rate = storage_usd_per_gib_month(book, redundancy)
    kept_rate = book["snapshot_standard_usd_per_gib_month"]
    parts = {
        "instance": formulas.instance_usd(instances, book["instance_fee_usd"], 1),
        "vault": formulas.storage_usd(stored_gib, vault_rate, 1),
        "snapshots": formulas.storage_usd(kept_gib, kept_rate, 1),
    }
    usd = np.column_stack([*parts.values()])
    mine = int(np.searchsorted(sizes, used_gib))
    each = ", ".join(
        f"{name} {part:,.2f}" for name, part in zip(parts, usd[mine], strict=True)
    )
    return {
        "x": _axis("bill of a month (USD)", 0, 1.12 * max(usd.sum(axis=1).max(), 1)),
        "bars": {
            "labels": [_gib(size) for size in sizes],
            "parts": [*parts],
            "values": usd.tolist(),
            "mine": mine,
        },
        "said": f"A VM with {used_gib:,g} GiB costs {usd[mine].sum():,.2f} USD a month:"
        f" {each}.",
    }


def retention(
    used_gib: float,
    churn_gib_per_day: float,
    recovery_points: int,
    weekly_points: int,
    monthly_points: int,
    yearly_points: int,
    rewritten_frac: float,
) -> dict:
    """Return what the vault holds, by the daily points kept, without and with others.

    Parameters
    ----------
    used_gib, churn_gib_per_day : float
        Data of the VM, and what changes in a day.
    recovery_points : int
        Daily points kept.
    weekly_points, monthly_points, yearly_points : int
        Points further apart that are kept besides.
    rewritten_frac : float
        Share of a day's changes that changes again the next day.
    """
    days = np.append(
        np.arange(1.0, max(180, 1.2 * recovery_points) + 1), recovery_points
    )
    alone = formulas.stored_gib(used_gib, churn_gib_per_day, days)
    most, least = (
        formulas.stored_gib(
            used_gib,
            churn_gib_per_day,
            days,
            weekly_points,
            monthly_points,
            yearly_points,
            rewritten_frac,
            stored_reading=reading,
        )
        for reading in ("upper", "lower")
    )
    ends = _around(days[:-1], least[:-1], most[:-1])
    return {
        "x": _axis(heading("recovery_points"), 1, days[-2]),
        "y": _axis(heading("stored_gib"), 0, most.max()),
        "area": _line("with weekly, monthly and yearly points", *ends),
        "lines": [_line("daily points alone", days[:-1], alone[:-1])],
        "mark": {"label": f"{recovery_points:,.0f} points", "at": recovery_points},
        "said": f"{recovery_points:,.0f} daily points hold {alone[-1]:,.0f} GiB; with "
        f"{weekly_points:,g} weekly, {monthly_points:,g} monthly and "
        f"{yearly_points:,g} yearly ones the vault holds {least[-1]:,.0f} to "
        f"{most[-1]:,.0f} GiB.",
    }


def _axis(label: str, low: float, high: float) -> dict:
    """Return an axis.

    With ``clock`` it is of hours of a day, the next one included; ``log`` makes it
    logarithmic, and ``down`` turns it.
    """
    return {"label": label, "low": float(low), "high": float(high)}


def _line(label: str, across: ArrayLike, up: ArrayLike) -> dict:
    """Return a line of points, without those that are nowhere."""
    points = np.column_stack([across, up]).astype(float)
    return {"label": label, "points": points[np.isfinite(points).all(axis=1)].tolist()}


def _around(
    along: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return both coordinates of the points around what lies between two lines."""
    return np.append(along, along[::-1]), np.append(low, high[::-1])


def _since_noon(hour: float) -> float:
    """Return an hour of the day on an axis from noon to noon."""
    return float(12 + (hour - 12) % 24)


def _gib(size: float) -> str:
    """Write a size so that it stays in one line."""
    return f"{size:,g}\N{NO-BREAK SPACE}GiB"


def _of_100(prob: float) -> str:
    """Say how many of a hundred, and not that it is all or none when it is not."""
    if 0.995 <= prob < 1:
        return "more than 99 of 100"
    return f"{100 * prob:.0f} of 100"
