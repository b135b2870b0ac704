"""Draw the README's figure: a hundred VMs that start together.

``python book/readme_figure.py`` writes ``book/assets/hundred-vms.svg``; the tests
compare it with what the model says today.
"""

from pathlib import Path

import matplotlib as mpl
import pandas as pd

mpl.use("agg")

from vmbmodel import figures
from vmbmodel.inventory.fleet import read_fleet
from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.scenario import Scenario

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "book" / "assets" / "hundred-vms.svg"
VMS = 100


def hundred_vms() -> pd.DataFrame:
    """Return when each of a hundred equal VMs begins and ends to move its data."""
    disks = read_fleet(ROOT / "notebooks" / "data" / "four-disks.csv")
    names = pd.DataFrame({"vm": [f"vm{number}" for number in range(1, VMS + 1)]})
    scenario = Scenario.of()
    fleet = names.merge(disks.drop(columns="vm"), how="cross")
    vms = estimate(fleet, scenario).vms
    begin_h = vms["wait_mean_h"] - vms["wait_mean_h"].min() + scenario["snapshot_h"]
    times = pd.DataFrame({"begins": begin_h, "ends": begin_h + vms["transfer_h"]})
    return times.round(6)  # the last digits differ from machine to machine


def draw(target: Path) -> None:
    """Draw the figure, the same bytes each time."""
    settings = {"svg.hashsalt": "vmbmodel", "svg.fonttype": "none"}
    with mpl.rc_context(settings):
        ax = figures.spans(
            hundred_vms(),
            "begins",
            "ends",
            xlabel="hours after the common start",
            ylabel="VM, in the order it is served",
            title=f"{VMS} VMs with four disks each, all at 23:00",
        )
        ax.figure.savefig(target, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    draw(TARGET)
