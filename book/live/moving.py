"""Figures that move: a function a figure, from settings to plain data.

The data of a figure are its axes, its lines and areas, points each, and a sentence; or,
of a bill, bars of parts. A script of the page draws them; what is set by whom, and
between which bounds, is not said here. With the settings of its notebook a figure has
what is printed in its chapter.
"""

import numpy as np

from vmbmodel import formulas
from vmbmodel.fields import heading, shown
from vmbmodel.plan import Scenario, day_clock
from vmbmodel.plan.estimate import day_load, of_others
from vmbmodel.service import storage_usd_per_gib_month

__all__ = ["FIGURES"]

POINTS = 400
SIZES_GIB = (20, 50, 51, 200, 500, 501, 2000)
"""VMs whose bills stand beside one's own: on both sides of each step of the fee."""


def jam(profile, jobs, vault_servers, service_h, start_h, slot_interval_h=0.0):
    """Draw when each place of the line of a jam is served.

    With an interval, as many start at a time as are served at a time.
    """
    place = np.unique(np.linspace(1, jobs, POINTS).round())
    in_jam = formulas.jam_wait_h(place, vault_servers, service_h)
    asked = in_jam / service_h * slot_interval_h
    begun = np.maximum(in_jam, asked)
    last_h, wait_h = begun[-1] + service_h, begun[-1] - asked[-1]
    lines = []
    if not slot_interval_h:
        varying = np.maximum(place - vault_servers, 0) * service_h / vault_servers
        lines = [line("varying jobs, mean start", varying, place)]
    return {
        "x": axis("time after the first start (h)", 0, last_h),
        "y": axis("place in line", 1, jobs) | {"down": True},
        "area": line("equal jobs", *around(place, begun, begun + service_h)[::-1]),
        "lines": lines,
        "said": f"The last of {jobs:,.0f} waits {shown('wait_h', wait_h)} h for the "
        f"others and is done by {day_clock(start_h + last_h)}; +1 is the next day.",
    }


def day(profile, peak_wait_h, peak_h, offpeak_utilisation_frac, start_h):
    """Draw how long a job waits that starts at each hour of an overloaded day."""
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
    return {
        "x": axis("hour of the day, from noon", 12, 36) | {"every": 3, "clock": True},
        "y": axis(heading("wait_h"), 0, top_h if ends else 1.05 * peak_wait_h),
        "area": line("5 to 95 of 100 jobs", *around(hour, least, most)),
        "lines": [line("half of the jobs", hour, half)],
        "limits": [{"label": "documented at peak", "at": peak_wait_h}],
        "mark": 12 + (start_h - 12) % 24,
        "said": said,
    }


def dispersion(profile, used_gib, dispersion, churn_frac, block_kib):
    """Draw how much a disk's changes move in a second, the more they are scattered."""
    constants = Scenario.of(profile)
    rate_mib_s = min(constants["incremental_mib_s"], constants["blob_mib_s"])
    changed_gib = churn_frac * used_gib
    index = np.append(np.geomspace(0.001, 1, 121), dispersion)
    extent_kib = formulas.mean_extent_kib(index, churn_frac, constants["cell_kib"])
    link = rate_mib_s, constants["blob_iops"], extent_kib
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
        "sending, requests overlap": formulas.effective_mib_s(*link),
        "sending, one after the other": formulas.effective_mib_s(
            *link, request_overlap_frac=0
        ),
        "finding and sending": changed_gib * 1024 / np.maximum(time_h, 1e-9) / 3600,
    }
    moved = ways["finding and sending"][-1]
    return {
        "x": axis(heading("dispersion"), 0.001, 1) | {"log": True},
        "y": axis("changed data moved (MiB/s)", 1, 100) | {"log": True},
        "lines": [line(label, index[:-1], speed[:-1]) for label, speed in ways.items()],
        "limits": [{"label": "limit of one blob", "at": rate_mib_s}],
        "mark": index[-1],
        "said": f"At an index of {dispersion:g} the {changed_gib:,.1f} GiB that change "
        f"in a day take {shown('incremental_h', time_h[-1])} h: {moved:.1f} MiB move "
        "in a second.",
    }


def deadline(profile, used_gib, deadline_h, transfer_h):
    """Draw how likely backups are done, by the time since their scheduled hour."""
    constants = Scenario.of(profile)
    wait = {
        "wait_prob": constants["others_wait_prob"],
        "decay_per_h": 1 / constants["others_wait_mean_h"],
        "start_slack_h": constants["start_slack_h"],
    }
    rate_mib_s = min(constants["initial_mib_s"], constants["blob_mib_s"])
    first_h = constants["extension_h"] + formulas.initial_h(used_gib, rate_mib_s)
    hour = np.append(np.linspace(0, max(36, 1.2 * deadline_h), 361), deadline_h)
    kinds = {"daily, our VM": transfer_h, f"first copy, {used_gib:g} GiB": first_h}
    done = {
        kind: formulas.done_within_prob(hour, constants["snapshot_h"] + fixed_h, **wait)
        for kind, fixed_h in kinds.items()
    }
    daily, first = (of_100(probs[-1]) for probs in done.values())
    return {
        "x": axis("time since the scheduled hour (h)", 0, hour[-2]),
        "y": axis("done", 0, 1.02),
        "lines": [line(kind, hour[:-1], probs[:-1]) for kind, probs in done.items()],
        "limits": [{"label": "95 of 100", "at": 0.95}, {"label": "half", "at": 0.5}],
        "mark": deadline_h,
        "said": f"Within {deadline_h:g} h the first copy of a disk with {used_gib:,g} "
        f"GiB is done on {first} nights, the daily backup of our VM on {daily}.",
    }


def restore(profile, restored_gib, rto_h, seen):
    """Draw how long a VM takes to run again, by the data of its largest disk.

    `seen` are restores to compare with: gibibytes and hours of each.
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
        "x": axis(heading("restored_gib"), 0, edge),
        "y": axis("restore (h)", 0, 1.05 * top),
        "lines": [line(label, gib[:-1], took[:-1]) for label, took in hours.items()],
        "dots": line("published", *np.transpose(seen)),
        "limits": [{"label": "objective", "at": rto_h}],
        "mark": restored_gib,
        "said": f"With {restored_gib:,g} GiB on its largest disk, a VM runs within "
        f"{rto_h:g} h of the request {of_100(within)} times, and 95 of 100 times "
        f"within {shown('restore_vault_p95_h', most_h)} h.",
    }


def bill(
    profile, prices, used_gib, churn_frac, recovery_points, redundancy, snapshot_points
):
    """Draw the bill of a month, in its parts, of one's own VM among others."""
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
        "x": axis("bill of a month (USD)", 0, max(usd.sum(axis=1).max(), 1)),
        "bars": {
            "labels": [f"{size:,g} GiB" for size in sizes],
            "parts": [*parts],
            "values": usd.tolist(),
            "mine": mine,
        },
        "said": f"A VM with {used_gib:,g} GiB costs {usd[mine].sum():,.2f} USD a month:"
        f" {each}.",
    }


def retention(
    used_gib,
    churn_gib_per_day,
    recovery_points,
    weekly_points,
    monthly_points,
    yearly_points,
    rewritten_frac,
):
    """Draw what the vault holds, by the daily points kept, without and with others."""
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
    ends = around(days[:-1], least[:-1], most[:-1])
    return {
        "x": axis(heading("recovery_points"), 1, days[-2]),
        "y": axis(heading("stored_gib"), 0, most.max()),
        "area": line("with weekly, monthly and yearly points", *ends),
        "lines": [line("daily points alone", days[:-1], alone[:-1])],
        "mark": recovery_points,
        "said": f"{recovery_points:,.0f} daily points hold {alone[-1]:,.0f} GiB; with "
        f"{weekly_points:,g} weekly, {monthly_points:,g} monthly and "
        f"{yearly_points:,g} yearly ones the vault holds {least[-1]:,.0f} to "
        f"{most[-1]:,.0f} GiB.",
    }


FIGURES = {
    "jam": (
        jam,
        ("jobs", "vault_servers", "service_h", "start_h", "slot_interval_h"),
        None,
    ),
    "day": (
        day,
        ("peak_wait_h", "peak_h", "offpeak_utilisation_frac", "start_h"),
        None,
    ),
    "dispersion": (dispersion, ("dispersion", "churn_frac", "block_kib"), "disk"),
    "deadline": (deadline, ("used_gib", "deadline_h"), "disk"),
    "restore": (restore, ("restored_gib", "rto_h"), "disk"),
    "bill": (
        bill,
        ("used_gib", "churn_frac", "recovery_points", "redundancy"),
        "vm",
    ),
    "retention": (
        retention,
        (
            "rewritten_frac",
            "recovery_points",
            "weekly_points",
            "monthly_points",
            "yearly_points",
        ),
        "vm",
    ),
}
"""By name: what draws it, the settings that a reader may move, and what it is about."""


def axis(label, low, high):
    """Return an axis; ``every`` may say how far its marks are apart.

    With ``clock`` they are hours of a day, the next one included; ``log`` makes the
    axis logarithmic, and ``down`` turns it.
    """
    return {"label": label, "low": float(low), "high": float(high)}


def line(label, across, up):
    """Return a line of points, without those that are nowhere."""
    points = np.column_stack([across, up]).astype(float)
    return {"label": label, "points": points[np.isfinite(points).all(axis=1)].tolist()}


def around(along, low, high):
    """Return both coordinates of the points around what lies between two lines."""
    return np.append(along, along[::-1]), np.append(low, high[::-1])


def of_100(prob):
    """Say how many of a hundred, and not that it is all or none when it is not."""
    if 0.995 <= prob < 1:
        return "more than 99 of 100"
    return f"{100 * prob:.0f} of 100"
