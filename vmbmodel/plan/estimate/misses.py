"""How often a fleet misses its deadlines: in a night, in a month, and by policy.

Two answers are given wherever backups of several VMs count together, for how their
bad nights fall together is not known. If every backup has its own luck, misses spread
over many nights. If the VMs of a vault, who stand in one line, share their luck, a
night on which any of them misses is one on which the least likely of them does; the
vaults have their own luck then.
"""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["POLICY_COLUMNS", "fleet_misses", "policy_misses"]

_NIGHTS = 365.25 / 12

POLICY_COLUMNS = (
    "vault",
    "policy",
    "vms",
    "least_deadline_prob",
    "expected_misses",
    "any_miss_prob",
    "any_miss_shared_prob",
    "misses_per_month",
)


def fleet_misses(vms: pd.DataFrame) -> Mapping[str, float]:
    """Return how many backups miss, and how likely any does.

    A month has 30.4 nights like this one, save that a first backup is made once.

    Parameters
    ----------
    vms : DataFrame
        A row a VM: `vault`, `first_backup` and `deadline_prob`.

    Returns
    -------
    Mapping[str, float]
        `expected_misses` and `misses_per_month`; `any_miss_prob` and
        `any_miss_month_prob`, every backup with its own luck; and
        `any_miss_shared_prob` and `any_miss_month_shared_prob`, the VMs of a vault
        sharing theirs.

    Examples
    --------
    Two VMs of one vault, each in time on 99 of 100 nights:

    >>> vms = pd.DataFrame({"vault": "v", "first_backup": False,
    ...                     "deadline_prob": [0.99, 0.99]})
    >>> for name, value in fleet_misses(vms).items():
    ...     print(name, f"{value:.4f}")
    expected_misses 0.0200
    any_miss_prob 0.0199
    any_miss_shared_prob 0.0100
    misses_per_month 0.6088
    any_miss_month_prob 0.4576
    any_miss_month_shared_prob 0.2635
    """
    again = ~vms["first_backup"].to_numpy(dtype=bool)
    missed = 1 - vms["deadline_prob"].to_numpy(dtype=float)
    with np.errstate(divide="ignore"):
        log_done = pd.Series(np.log1p(-missed), index=vms.index)
    alone, alone_again = log_done.sum(), log_done[again].sum()
    shared, shared_again = (
        some.groupby(vms["vault"]).min().sum() for some in (log_done, log_done[again])
    )
    month = alone + (_NIGHTS - 1) * alone_again
    shared_month = shared + (_NIGHTS - 1) * shared_again
    return {
        "expected_misses": float(missed.sum()),
        "any_miss_prob": -math.expm1(alone),
        "any_miss_shared_prob": -math.expm1(shared),
        "misses_per_month": float(missed.sum() + (_NIGHTS - 1) * missed[again].sum()),
        "any_miss_month_prob": -math.expm1(month),
        "any_miss_month_shared_prob": -math.expm1(shared_month),
    }


def policy_misses(vms: pd.DataFrame) -> pd.DataFrame:
    """Return the same for every policy of every vault, one a row.

    Parameters
    ----------
    vms : DataFrame
        A row a VM: `vault`, `policy`, `first_backup` and `deadline_prob`.

    Returns
    -------
    DataFrame
        The columns `POLICY_COLUMNS`, in the order of the inventory.
    """
    rows = []
    for (vault, policy), own in vms.groupby(["vault", "policy"], sort=False):
        least = own["deadline_prob"].min()
        count = {"vms": len(own), "least_deadline_prob": least}
        rows.append({"vault": vault, "policy": policy} | count | fleet_misses(own))
    return pd.DataFrame(rows, columns=POLICY_COLUMNS)
