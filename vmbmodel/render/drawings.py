"""The figures of a report, as SVG that takes its colours from the page."""

import io
import itertools
import math
import re
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vmbmodel import figures
from vmbmodel.plan.estimate import AT_RISK_PROB, Estimate

__all__ = ["Drawing", "drawings"]

_INK = "#010203"  # becomes the colour of the text around
_STYLE = {
    "svg.fonttype": "none",
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
    **dict.fromkeys(
        (
            "text.color",
            "axes.labelcolor",
            "axes.edgecolor",
            "xtick.color",
            "ytick.color",
        ),
        _INK,
    ),
}
_UNSIGNED = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_POINTS = 200  # along a curve, however many VMs there are
_DEADLINES = 3  # as far as an axis of time goes
_CLASSES = (0.5, 0.9, AT_RISK_PROB, 0.99, 0.999)


@dataclass(frozen=True)
class Drawing:
    """One figure.

    Parameters
    ----------
    name : str
        Short name, unique on the page.
    svg : str
        The figure itself.
    caption, alt : str
        What stands below it, and what it shows in words.
    """

    name: str
    svg: str
    caption: str
    alt: str


def drawings(estimate: Estimate) -> list[Drawing]:
    """Draw what finishes when, the chances, the restores and the bill."""
    vms = estimate.vms[estimate.vms["disks"] > 0]
    if vms.empty:
        return []
    draw = [_finished, _chances, _restores]
    if 0 < vms["total_usd"].sum() < math.inf:
        draw.append(_bill)
    with mpl.rc_context(_STYLE):
        return [figure(vms) for figure in draw]


def _finished(vms: pd.DataFrame) -> Drawing:
    cases = {"usually": vms["done_p50_h"], "in 95 of 100": vms["done_p95_h"]}
    deadline_h = float(vms["deadline_h"].max())
    ax = _axes()
    ends = (1.05 * deadline_h, _DEADLINES * deadline_h)
    _share(ax, cases, ends, "time since the scheduled hour")
    ax.axvline(deadline_h, color=_INK, linewidth=0.8, linestyle=":")
    ax.annotate(
        f"deadline, {deadline_h:g} h",
        (deadline_h, 0.03),
        xycoords=ax.get_xaxis_transform(),
        xytext=(-9, 0),
        textcoords="offset points",
        rotation=90,
        fontsize="small",
    )
    late = int((vms["done_p95_h"] > vms["deadline_h"]).sum())
    return _drawing(
        ax,
        "finished",
        "What is finished when: the share of the VMs that are done, by the time since "
        "their scheduled hour.",
        f"Two rising curves. In 95 cases of 100, {len(vms) - late:,} of {len(vms):,} "
        "VMs are done by their deadline.",
    )


def _chances(vms: pd.DataFrame) -> Drawing:
    counts = np.histogram(vms["deadline_prob"], [0, *_CLASSES, np.inf])[0]
    ends = [f"{share:.4g} %" for share in 100 * np.array(_CLASSES)]
    pairs = itertools.pairwise(ends)
    names = [f"below {ends[0]}", *(f"{low} to {high}" for low, high in pairs)]
    names.append(f"{ends[-1]} or more")
    ax = _axes()
    bars = pd.DataFrame({"VMs": counts}, index=names)
    figures.stacked_bars(bars, values="{:,.0f}", ax=ax)
    ax.set(xlabel="VMs", ylabel="probability to meet the deadline")
    ax.margins(x=0.1)
    return _drawing(
        ax,
        "chances",
        "How sure the deadline is: VMs by their probability to meet it.",
        "Bars: "
        + ", ".join(f"{n}: {c:,} VMs" for n, c in zip(names, counts, strict=True))
        + ".",
    )


def _restores(vms: pd.DataFrame) -> Drawing:
    cases = {
        "vault, usually": vms["restore_vault_p50_h"],
        "vault, in 95 of 100": vms["restore_vault_p95_h"],
        "snapshot": vms["restore_snapshot_h"],
    }
    ax = _axes()
    _share(ax, cases, (0.1, 72), "time since the request")
    medians = ", ".join(
        f"{name}: {float(np.median(hours)):.1f} h" for name, hours in cases.items()
    )
    return _drawing(
        ax,
        "restores",
        "How soon a VM is back: the share of the VMs that are, by the time since the "
        "request.",
        f"Three rising curves, which half of the VMs reach at: {medians}.",
    )


def _bill(vms: pd.DataFrame) -> Drawing:
    paid = np.sort(vms["total_usd"].to_numpy())[::-1].cumsum()
    paid *= 100 / paid[-1]
    count = np.unique(np.linspace(1, len(vms), _POINTS).round().astype(int))
    share = xr.DataArray(
        np.concatenate([[0], paid[count - 1]]),
        dims="vms",
        coords={"vms": ("vms", [0, *count], {"long_name": "VMs, the dearest first"})},
        attrs={"long_name": "share of the bill", "units": "%"},
    )
    ax = _axes()
    figures.curves(share, "vms", ax=ax, ylim=(0, 103), xlim=(0, None))
    fifth = math.ceil(len(vms) / 5)
    return _drawing(
        ax,
        "bill",
        "Who the bill is for: the share of it that the dearest VMs make up.",
        f"A rising curve. The dearest {fifth:,} of {len(vms):,} VMs make up "
        f"{paid[fifth - 1]:.0f} % of the bill.",
    )


def _share(ax: Axes, cases: dict, ends: tuple[float, float], label: str) -> None:
    """Draw which share of the VMs has a time up to each, a curve a case.

    The axis goes as far as the times do, but at least and at most to two ends.
    """
    times = {name: np.sort(hours.to_numpy()) for name, hours in cases.items()}
    last_h = max(t[np.isfinite(t)].max(initial=0) for t in times.values())
    end_h = float(np.clip(1.05 * last_h, *ends))
    hours = np.linspace(0, end_h, _POINTS)
    shares = xr.DataArray(
        [100 * np.searchsorted(t, hours, "right") / t.size for t in times.values()],
        dims=("case", "hours"),
        coords={
            "case": list(times),
            "hours": ("hours", hours, {"long_name": label, "units": "h"}),
        },
        attrs={"long_name": "share of the VMs", "units": "%"},
    )
    figures.curves(shares, "hours", "case", ax=ax, ylim=(0, 103), xlim=(0, end_h))


def _axes() -> Axes:
    return Figure(figsize=(4.8, 3.2), layout="constrained").subplots()


def _drawing(ax: Axes, name: str, caption: str, alt: str) -> Drawing:
    """Make SVG that can stand in a page beside others, and takes its colours."""
    file = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        ax.figure.savefig(file, format="svg", transparent=True, metadata=_UNSIGNED)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r'^<svg[^>]*(viewBox="[^"]+")[^>]*>', r"<svg \1>", svg)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r"font: (\S+px) [^;\"]+", r"font-size: \1", svg)
    for number, colour in enumerate(figures.COLOURS[:-1]):
        svg = svg.replace(colour.lower(), f"var(--line-{number})")
    for ink in (_INK, figures.COLOURS[-1]):
        svg = svg.replace(ink, "currentColor")
    return Drawing(name, svg, caption, alt)
