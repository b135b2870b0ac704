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

Table = pd.DataFrame | Mapping[str, np.ndarray]

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


def fleet_misses(vms: Table) -> Mapping[str, float]:
    """Return how many backups miss, and how likely any does.

    A month has 30.4 nights, of which one is the next, and the others are without the
    first backups and the new disks of that.

    Parameters
    ----------
    vms : DataFrame or Mapping of ndarray
        A row a VM: `vault`, `deadline_prob`, and `later_deadline_prob`, which is that
        of any later night.

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

    >>> vms = pd.DataFrame({"vault": "v", "deadline_prob": [0.99, 0.99],
    ...                     "later_deadline_prob": [0.99, 0.99]})
    >>> for name, value in fleet_misses(vms).items():
    ...     print(name, f"{value:.4f}")
    expected_misses 0.0200
    any_miss_prob 0.0199
    any_miss_shared_prob 0.0100
    misses_per_month 0.6088
    any_miss_month_prob 0.4576
    any_miss_month_shared_prob 0.2635
    """
    return _misses(*_columns(vms))


def policy_misses(vms: Table) -> pd.DataFrame:
    """Return the same for every policy of every vault, one a row.

    Besides what `fleet_misses` takes, the VMs have a `policy`; the rows have the
    columns `POLICY_COLUMNS`, in the order of the inventory.
    """
    columns = _columns(vms)
    policy = pd.factorize(np.asarray(vms["policy"]))[0]
    number, keys = pd.factorize(columns[0] * len(policy) + policy)
    first = np.zeros(len(keys), dtype=int)
    first[number[::-1]] = np.arange(len(number))[::-1]
    ends = np.cumsum(np.bincount(number))[:-1]
    members = np.split(np.argsort(number, kind="stable"), ends)[: len(keys)]
    named = {name: np.asarray(vms[name]) for name in ("vault", "policy")}
    rows = []
    for at, own in zip(first, members, strict=True):
        alone = np.zeros(len(own), dtype=int)  # in one vault, whichever number it has
        figures = _misses(alone, *(column[own] for column in columns[1:]))
        names = {name: column[at] for name, column in named.items()}
        least = {"vms": len(own), "least_deadline_prob": columns[1][own].min()}
        rows.append(names | least | figures)
    return pd.DataFrame(rows, columns=POLICY_COLUMNS)


def _columns(vms: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the number of its vault, and its chances of the next and a later night."""
    return (
        pd.factorize(np.asarray(vms["vault"]), sort=True)[0],
        np.asarray(vms["deadline_prob"], dtype=float),
        np.asarray(vms["later_deadline_prob"], dtype=float),
    )


def _misses(
    vault: np.ndarray, next_prob: np.ndarray, later_prob: np.ndarray
) -> dict[str, float]:
    """Return the figures of `fleet_misses`."""
    missed, shared, done = [], [], []
    for prob in (next_prob, later_prob):
        with np.errstate(divide="ignore"):
            log_done = np.log1p(prob - 1)
        missed.append(math.fsum(1 - prob))
        done.append(math.fsum(log_done))
        shared.append(math.fsum(_least(vault, log_done)))
    once, again = np.array([missed, done, shared]).T
    month = once + np.where(again == 0, 0.0, (_NIGHTS - 1) * again)
    return {
        "expected_misses": float(once[0]),
        "any_miss_prob": _any(once[1]),
        "any_miss_shared_prob": _any(once[2]),
        "misses_per_month": float(month[0]),
        "any_miss_month_prob": _any(month[1]),
        "any_miss_month_shared_prob": _any(month[2]),
    }


def _any(log_none: float) -> float:
    return abs(math.expm1(log_none))


def _least(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the least value of each group that has one, in their order."""
    least = np.full(group.max(initial=-1) + 1, np.inf)
    np.minimum.at(least, group, values)
    return least[np.bincount(group, minlength=len(least)) > 0]
