"""Draw the README's figure: a thousand VMs of one vault that start together.

``python book/readme_figure.py`` writes ``book/assets/thousand-vms.svg``; the tests
compare it with what the model says today.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

mpl.use("agg")

from vmbmodel import figures, formulas
from vmbmodel.inventory.fleet import read_fleet
from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.scenario import Scenario

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "book" / "assets" / "thousand-vms.svg"
VMS = 1000
SHOWN = 10
"""Every tenth VM is drawn."""


def one_night() -> pd.DataFrame:
    """Return when each of a thousand equal VMs begins and ends to move its data.

    They start evenly over the slack, and no other customer is ahead of them.
    """
    scenario = Scenario.of()
    disks = read_fleet(ROOT / "notebooks" / "data" / "four-disks.csv")
    move_h = estimate(disks, scenario).vms["transfer_h"].item()
    late_h = scenario["start_slack_h"] * (np.arange(VMS) + 0.5) / VMS
    line_h = formulas.equal_line_wait_h(late_h, move_h, scenario["vault_servers"])
    begin_h = late_h + scenario["snapshot_h"] + line_h
    times = pd.DataFrame({"begins": begin_h, "ends": begin_h + move_h})
    return times.round(6)  # the last digits differ from machine to machine


def draw(target: Path) -> None:
    """Draw the figure, the same bytes each time."""
    settings = {"svg.hashsalt": "vmbmodel", "svg.fonttype": "none"}
    with mpl.rc_context(settings):
        ax = figures.spans(
            one_night().iloc[SHOWN - 1 :: SHOWN],
            "begins",
            "ends",
            xlabel="hours after the scheduled start",
            ylabel=f"every {SHOWN}th VM, in the order of the night",
            title=f"{VMS:,} VMs of one vault, all scheduled for one hour",
        )
        ax.figure.savefig(target, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    draw(TARGET)
