"""``vmbmodel init``."""

import os
from pathlib import Path

from vmbmodel.cli.options import (
    ForceOption,
    LimitsOption,
    OutputOption,
    PricesOption,
    ProfileOption,
    read_scenario,
)
from vmbmodel.cli.present import deliver

__all__ = ["init"]


def init(
    profile: ProfileOption = None,
    prices: PricesOption = None,
    limits: LimitsOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Write a scenario file that explains every setting, and changes none."""
    from vmbmodel.plan import scenario_template

    names = {"profile": profile, "prices": prices, "limits": limits}
    folder = output.parent if output else Path()
    named = {
        kind: os.path.relpath(name, folder) if name.endswith(".toml") else name
        for kind, name in names.items()
        if name
    }
    scenario = read_scenario(None, None, **names)
    deliver(scenario_template(scenario, named), output, force=force)
