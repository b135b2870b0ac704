"""What small things cost, against a parser in plain Python on the field table."""

import tomllib
from importlib.resources import files

import pandas as pd

from benchmarks.timing import Comparison, alternate
from vmbmodel import Scenario, estimate

__all__ = ["compare"]


def compare() -> list[Comparison]:
    """Time an estimate of one VM, one of a thousand, and a scenario."""
    disk = {"disk": "os", "role": "os", "size_gib": 128, "used_gib": 47}
    one, many = (
        pd.DataFrame([disk | {"vm": f"vm-{number}"} for number in range(count)])
        for count in (1, 1000)
    )
    scenario, table = Scenario.of(), files("vmbmodel").joinpath("fields.toml")
    text = table.read_text("utf-8")
    *ours_s, theirs_s = alternate(
        lambda: estimate(one, scenario),
        lambda: estimate(many, scenario),
        Scenario.of,
        lambda: tomllib.loads(text),
    )
    names = ("estimate of one VM", "estimate of 1,000 VMs", "Scenario.of()")
    aims = ("<= 2.8", "<= 4", "<= 0.1")
    return [
        Comparison(f"{name} / tomllib on fields.toml", taken_s, theirs_s, aim)
        for name, taken_s, aim in zip(names, ours_s, aims, strict=True)
    ]
