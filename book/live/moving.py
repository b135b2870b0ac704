"""Figures that move: a function a figure, from settings to plain data.

The data of a figure are its axes, its lines, points each, and a sentence. A script of
the page draws them; what is set by whom, and between which bounds, is not said here.
"""

import numpy as np

from vmbmodel import formulas
from vmbmodel.fields import heading, shown
from vmbmodel.plan import Scenario, day_clock
from vmbmodel.plan.estimate import of_others

__all__ = ["FIGURES"]

POINTS = 400


def jam(profile, jobs, vault_servers, service_h, start_h):
    """Draw when each place of the line of a jam is served."""
    place = np.unique(np.linspace(1, jobs, POINTS).round())
    begun = formulas.jam_wait_h(place, vault_servers, service_h)
    last_h = begun[-1] + service_h
    return {
        "x": axis("time after the common start (h)", 0, last_h),
        "y": axis("place in line", 1, jobs),
        "lines": [
            line("is served from", begun, place),
            line("to", begun + service_h, place),
        ],
        "said": f"The last of {jobs:,.0f} waits {shown('wait_h', begun[-1])} h for the "
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
    others = of_others(Scenario.of(profile, settings=settings))
    hour = np.arange(12, 36.25, 0.25)
    mean, most = others.mean_h(hour % 24), others.quantile_h(hour % 24, 0.95)
    of_start = others.quantile_h(start_h, 0.95).item()
    return {
        "x": axis("hour of the day, from noon", 12, 36) | {"every": 3, "clock": True},
        "y": axis(heading("wait_h"), 0, max(most.max(), 0.1)),
        "lines": [
            line("mean", hour, mean),
            line("95 of 100 jobs", hour, most),
        ],
        "said": f"A job that starts at {day_clock(start_h)} waits "
        f"{shown('wait_h', others.mean_h(start_h).item())} h on average, and 95 of 100 "
        f"no longer than {shown('wait_h', of_start)} h.",
    }


FIGURES = {
    "jam": (jam, ("jobs", "vault_servers", "service_h", "start_h")),
    "day": (day, ("peak_wait_h", "peak_h", "offpeak_utilisation_frac", "start_h")),
}
"""By name: what draws it, and the settings that a reader may move."""


def axis(label, low, high):
    """Return an axis; ``every`` may say how far its marks are apart.

    With ``clock`` they are hours of a day, the next one included.
    """
    return {"label": label, "low": float(low), "high": float(high)}


def line(label, across, up):
    """Return a line of points."""
    points = np.column_stack([across, up]).round(6)
    return {"label": label, "points": points.tolist()}
