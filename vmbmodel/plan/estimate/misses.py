"""How often a fleet misses its deadlines: in a night, in a month, and by policy.

Two answers are given wherever backups of several VMs count together, for how their
bad nights fall together is not known. If every backup has its own luck, misses spread
over many nights. If the VMs of a vault, who stand in one line, share their luck, a
night on which any of them misses is one on which the least likely of them does; the
vaults have their own luck then.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vmbmodel.plan.estimate.exact import pieces_of_each, sum_of

__all__ = [
    "POLICY_COLUMNS",
    "in_a_month",
    "miss_terms",
    "misses_of",
    "policy_misses",
]

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


def miss_terms(vms: Table) -> list[np.ndarray]:
    """Return the terms of which `misses_of` takes the sums, over all vaults.

    Parameters
    ----------
    vms : DataFrame or Mapping of ndarray
        A row a VM: `vault`, `deadline_prob`, and `later_deadline_prob`, which is that
        of any later night.
    """
    vault, *probs = _columns(vms)
    terms = []
    for prob in probs:
        log_done = _log_done(prob)
        terms += [1 - prob, log_done, _least(vault, log_done)]
    return terms


def misses_of(sums: Sequence[float]) -> dict[str, float]:
    """Return how many backups miss, and how likely any does, of the sums of the terms.

    A month has 30.4 nights, of which one is the next, and the others are without the
    first backups and the new disks of that.

    Returns
    -------
    dict of str to float
        `expected_misses` and `misses_per_month`; `any_miss_prob` and
        `any_miss_month_prob`, every backup with its own luck; and
        `any_miss_shared_prob` and `any_miss_month_shared_prob`, the VMs of a vault
        sharing theirs.

    Examples
    --------
    Two VMs of one vault, each in time on 99 of 100 nights:

    >>> vms = pd.DataFrame({"vault": "v", "deadline_prob": [0.99, 0.99],
    ...                     "later_deadline_prob": [0.99, 0.99]})
    >>> for name, value in misses_of([sum(part) for part in miss_terms(vms)]).items():
    ...     print(name, f"{value:.4f}")
    expected_misses 0.0200
    any_miss_prob 0.0199
    any_miss_shared_prob 0.0100
    misses_per_month 0.6088
    any_miss_month_prob 0.4576
    any_miss_month_shared_prob 0.2635
    """
    figures = _figures(*np.reshape(sums, (2, 3, 1)))
    return {name: float(values[0]) for name, values in figures.items()}


def in_a_month(once: np.ndarray, again: np.ndarray) -> np.ndarray:
    """Return what a month has of what the next night has, and any later one."""
    return once + np.where(again == 0, 0.0, (_NIGHTS - 1) * again)


def policy_misses(vms: Table) -> pd.DataFrame:
    """Return the same for every policy of every vault, one a row.

    Besides what `miss_terms` takes, the VMs have a `policy`; the rows have the
    columns `POLICY_COLUMNS`, in the order of the inventory.
    """
    vault, next_prob, later_prob = _columns(vms)
    policy = pd.factorize(vms["policy"])[0]
    number = pd.factorize(vault * len(policy) + policy)[0]
    order = np.argsort(number, kind="stable")
    counts = np.bincount(number)
    begin = np.cumsum(counts) - counts
    names = {name: pd.Series(vms[name]).array for name in ("vault", "policy")}
    rows = {n: np.asarray(names[n].take(order[begin])) for n in names}
    rows["vms"] = counts
    rows["least_deadline_prob"] = _each_least(next_prob[order], begin)
    sums = []
    for prob in (next_prob[order], later_prob[order]):
        log_done = _log_done(prob)
        sums.append(
            (
                _each_sum(1 - prob, begin),
                _each_sum(log_done, begin),
                _each_least(log_done, begin),  # a policy is of one vault
            )
        )
    rows |= _figures(*np.array(sums))
    return pd.DataFrame(rows, columns=POLICY_COLUMNS)


def _columns(vms: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the number of its vault, and its chances of the next and a later night."""
    return (
        pd.factorize(vms["vault"], sort=True)[0],
        np.asarray(vms["deadline_prob"], dtype=float),
        np.asarray(vms["later_deadline_prob"], dtype=float),
    )


def _figures(once: np.ndarray, again: np.ndarray) -> dict[str, np.ndarray]:
    """Return the figures of groups, from sums over each of three rows.

    The rows are the chances to miss, and the logarithms of the chances that none does,
    every backup with its own luck and those of a vault sharing theirs; of the next
    night, and of a later one.
    """
    month = in_a_month(once, again)
    return {
        "expected_misses": once[0],
        "any_miss_prob": _any(once[1]),
        "any_miss_shared_prob": _any(once[2]),
        "misses_per_month": month[0],
        "any_miss_month_prob": _any(month[1]),
        "any_miss_month_shared_prob": _any(month[2]),
    }


def _any(log_none: np.ndarray) -> np.ndarray:
    return np.array([abs(math.expm1(value)) for value in log_none.tolist()])


def _log_done(prob: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log1p(prob - 1)


def _each_sum(values: np.ndarray, begin: np.ndarray) -> list[float]:
    """Return the exact sum of each group, which begins where the last one ends."""
    return [sum_of(each) for each in pieces_of_each(values, begin)]


def _each_least(values: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Return the least value of each group, which begins where the last one ends."""
    return np.minimum.reduceat(values, begin) if len(begin) else values


def _least(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the least value of each group that has one, in their order."""
    least = np.full(group.max(initial=-1) + 1, np.inf)
    np.minimum.at(least, group, values)
    return least[np.bincount(group, minlength=len(least)) > 0]
