"""Which VMs of an estimate stand in one line: those of one vault and start."""

import pandas as pd
import pytest

from vmbmodel.plan.estimate import estimate
from vmbmodel.plan.scenario import Scenario


def fleet(starts):
    rows = [
        {"vm": f"vm{i}", "disk": "os", "role": "os", "size_gib": 256, "used_gib": 128}
        for i in range(len(starts))
    ]
    return pd.DataFrame(rows).assign(start_h=starts)


def waits(starts):
    return estimate(fleet(starts), Scenario.of("azure-2018-12")).vms["wait_mean_h"]


@pytest.mark.parametrize("later", [23.5, 23.99, 22.0])
def test_starts_apart_are_lines_of_their_own_within_an_hour_too(later):
    apart = waits([23.0] * 10 + [later] * 10)
    assert (apart == apart[0]).all()
    assert apart.max() < waits([23.0] * 20).max()


def test_a_blank_start_is_the_default_one():
    assert waits([23.0] * 10 + [None] * 10).nunique() == 2
