r"""How far the answers of an estimate may be off, and what to measure first.

Chance and ignorance are never mixed. What differs from night to night stays in the
quantiles and probabilities of an estimate. What nobody has measured is drawn
(`draws`), every draw is estimated, and 8 of 10 of the answers lie between the ends
given here. The share of the doubt is the first-order index of Sobol,

.. math:: S_x = \frac{\operatorname{Var} E[Y \mid x]}{\operatorname{Var} Y}

of the logarithm of an answer, or of a probability itself, from the same draws: the
variance of the means of equal parts of the draws, sorted by :math:`x`, less what that
has by chance.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from vmbmodel._words import counted
from vmbmodel.fields import fields, shown, unit_of
from vmbmodel.inventory.fleet import disks_of
from vmbmodel.plan.answers import Overview, Result, computed_by
from vmbmodel.plan.estimate.draws import Draws
from vmbmodel.plan.estimate.finish import met_by
from vmbmodel.plan.estimate.misses import in_a_month
from vmbmodel.plan.estimate.remarks import AT_RISK_PROB
from vmbmodel.plan.estimate.vaults import DrawnVaults, chunks, drawn_vaults
from vmbmodel.plan.estimate.walk import Walk, joining, walk
from vmbmodel.plan.facts import Fleet, backed_up, by_name, filled, stands
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import readings

__all__ = [
    "DRAWS",
    "INTERVAL_VMS",
    "OF_THE_FLEET",
    "OF_VMS",
    "Doubt",
    "Share",
    "brief",
    "doubt",
    "doubt_of_disks",
    "drawn_label",
    "first_order",
    "quick",
    "with_ends",
]

DRAWS = 512
"""Draws unless more or fewer are asked for: a power of two."""

INTERVAL_VMS = 10_000
"""VMs of the vaults that intervals come from at most, unless more are asked for."""

LEVEL = 0.8
"""Part of the draws that lies between the ends of an interval."""

OF_VMS = (
    "done_p50_h",
    "done_p95_h",
    "deadline_prob",
    "restore_vault_p95_h",
    "stored_gib",
    "total_usd",
)
"""Figures of a VM that have an interval."""

OF_THE_FLEET = ("stored_gib", "total_usd", "misses_per_month", "restore_all_h")
"""Figures of a fleet that have one."""

_OF_DRAWN_VAULTS = ("stored_gib", "total_usd")
"""Those that a part of its vaults tells of: sums of what varies little between them."""

_ENDS = {"low": (1 - LEVEL) / 2, "high": (1 + LEVEL) / 2}
_ASKED = ("done_p50_h", "done_p95_h", "deadline_prob", "restore_vault_p95_h")
_ANSWERS = {
    "done_p95_h": "time of the slowest VM that 95 of 100 nights keep",
    "deadline_prob": "chance of the least certain VM to meet its deadline",
    "misses_per_month": "deadlines missed in a month",
    "restore_vault_p95_h": "restore of the slowest VM that 95 of 100 keep",
    "stored_gib": "data in the vault",
    "total_usd": "bill of a month",
}
_PARTS = 16
_LEAST_SHARE = 0.04  # beyond what chance gives to one of thirty
_QUICK_DISKS = 400
_CELLS = 2**19

_LOG = "a job log of 20 nights: vmbmodel calibrate LOG"
_SIZED_LOG = "a job log with sizes: vmbmodel calibrate LOG"
_RESTORE = "one timed restore, in a job log: vmbmodel calibrate LOG"
_PRICES = "the price list of your region: vmbmodel prices import"
_DISK = "the changes of a disk: vmbmodel dispersion"
_SETTLED = {
    "initial_mib_s": "one first backup with its size: vmbmodel calibrate LOG",
    "incremental_mib_s": _SIZED_LOG,
    "others_wait_mean_h": _LOG,
    "others_wait_prob": _LOG,
    "peak_wait_h": _LOG,
    "peak_start_h": _LOG,
    "peak_h": _LOG,
    "peak_wait_prob": _LOG,
    "offpeak_utilisation_frac": _LOG,
    "servers": _LOG,
    "service_h": _LOG,
    "snapshot_h": _LOG,
    "extension_h": "a log with the set-up of a VM: vmbmodel calibrate LOG",
    "overlap_frac": _SIZED_LOG,
    "blob_iops": _SIZED_LOG,
    "vault_servers": "nights of many VMs at once: --set vault_servers=NUMBER",
    "churn_frac": "the column churn_gib_per_day, or --set churn_frac=SHARE",
    "dispersion": _DISK,
    "write_kib": _DISK,
    "active_frac": _DISK,
    "cell_kib": "bytes sent of a known change: --set cell_kib=SIZE",
    "block_kib": "times of scattered changes: --set block_kib=SIZE",
    "restore_p50_h": _RESTORE,
    "restore_log_sd": "several timed restores, in a job log: vmbmodel calibrate LOG",
    "restore_mib_s": _RESTORE,
    "snapshot_copy_h": _RESTORE,
    "vm_creation_h": _RESTORE,
    "replace_h": _RESTORE,
    "vault_price": _PRICES,
    "snapshot_standard_usd_per_gib_month": _PRICES,
    "reading.rate-over": _SIZED_LOG,
    "reading.blob-cap": _SIZED_LOG,
    "reading.one-disk-or-all": "jobs of VMs with many disks: vmbmodel calibrate LOG",
    "reading.disk-tier": "jobs of small SSDs: vmbmodel calibrate LOG",
    "reading.restored-bytes": _RESTORE,
    "reading.gigabyte": "one bill: vmbmodel reconcile BILL",
    "reading.enhanced-snapshot": "one bill: vmbmodel reconcile BILL",
}
"""What settles a constant or a reading, and the command that reads it."""


@dataclass(frozen=True)
class Share:
    """What one unmeasured thing has of the doubt in an answer."""

    answer: str  #: the figure in doubt, such as ``total_usd``
    name: str  #: constant, what several share, or a reading after ``reading.``
    value: float | None  #: what it is taken as; None of a reading
    low: float | None  #: what one in ten draws lies below
    high: float | None  #: what one in ten draws lies above
    share: float  #: its first-order index
    error: float  #: standard error of that
    status: str  #: guess, measured, documented or reading
    settled_by: str  #: what to measure, and the command that reads it

    @property
    def label(self) -> str:
        """Its name in plain words."""
        return drawn_label(self.name)


@dataclass(frozen=True, repr=False)
class Doubt(Result):
    """Intervals of what nobody has measured, around the answers of an estimate."""

    vms: pd.DataFrame
    """A row a VM: its name, and both ends of each figure; blank if it was not drawn."""
    total: Mapping[str, float]  #: both ends of the figures of the fleet
    shares: tuple[Share, ...]  #: what the doubt comes of, by answer, the largest first
    at_risk_prob: float | None
    """Share of the draws in which a VM is late on more than one night in twenty; None
    where some vaults alone were drawn, which say nothing of the others."""
    wrong_prob: float | None
    """Chance that the verdict at the constants is wrong; None in the same case."""
    known: Mapping[str, float]  #: the same once a thing is known, by its name
    late_vms: int  #: VMs that are so late at the constants themselves
    lucky_vms: int  #: VMs whose time at the constants is below the middle half
    unlucky_vms: int  #: and those whose time is above it
    scenario: Scenario
    drawn: tuple[str, ...]  #: what was drawn and asked for
    choices: tuple[str, ...]  #: what is the reader's to choose, and was not drawn
    draws: int
    seed: int
    capped: int
    """Draws in which others ask for less than was drawn, so that a day ends."""
    drawn_vaults: DrawnVaults | None = None
    """Vaults that the intervals come from, where these are not all."""

    schema: ClassVar[str] = "vmbmodel.doubt/1"

    columns: ClassVar[tuple[str, ...]] = tuple(Share.__dataclass_fields__)

    def parts(self) -> Iterator[tuple[str, object]]:
        """Give what the JSON holds."""
        yield "model", computed_by(self.scenario.sets(), whole=True)
        yield "given", self.scenario.given
        yield "interval", self.settings
        yield "verdict", self.verdict
        yield "shares", self.rows()
        yield "total", self.total
        yield "vms", self.vms

    @property
    def settings(self) -> dict[str, object]:
        """How the intervals were made."""
        return {
            "level": LEVEL,
            "draws": self.draws,
            "seed": self.seed,
            "sampler": "latin hypercube",
            "priors_sha256": _digest(self.scenario),
            "drawn": list(self.drawn),
            "choices": list(self.choices),
            "capped": self.capped,
        } | ({"drawn_vaults": asdict(self.drawn_vaults)} if self.drawn_vaults else {})

    @property
    def told(self) -> dict[str, object]:
        """What an estimate tells of it, besides the ends beside its figures."""
        return self.settings | {"verdict": self.verdict, "shares": self.rows()}

    def beside(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Write the interval behind each figure that has one, in rows of the VMs."""
        ends = self.vms.set_index("vm").loc[rows["vm"]].reset_index()
        cells = {
            name: [
                with_ends(name, *one)
                for one in zip(
                    rows[name], ends[f"{name}_low"], ends[f"{name}_high"], strict=True
                )
            ]
            for name in rows
            if f"{name}_low" in ends
        }
        return rows.assign(**cells)

    def beside_total(self, total: Mapping[str, float]) -> dict[str, str]:
        """Write the interval behind each figure of the fleet that has one."""
        return {
            name: with_ends(
                name, total[name], *(self.total[f"{name}_{end}"] for end in _ENDS)
            )
            for name in self._of_the_fleet
        }

    @property
    def _of_the_fleet(self) -> Sequence[str]:
        return _OF_DRAWN_VAULTS if self.drawn_vaults else OF_THE_FLEET

    @property
    def verdict(self) -> dict[str, object]:
        """Whether deadlines are at risk, in words and numbers."""
        return {
            "text": " ".join(self.said()),
            "late_vms": self.late_vms,
            "at_risk_prob": self.at_risk_prob,
            "wrong_prob": self.wrong_prob,
            "wrong_prob_known": self.known,
        }

    def said(self) -> tuple[str, ...]:
        """Say in sentences what is sure, what is not, and what to measure first."""
        late = counted(self.late_vms, "VM") if self.late_vms else "no VM"
        are = "are" if self.late_vms > 1 else "is"
        now = (
            f"With the constants as assumed {late} {are} late on more than one night "
            "in twenty"
        )
        count, part = len(self.vms), self.drawn_vaults
        if part:
            count = part.vms
            lines = [
                f"{now}.",
                f"Intervals come from {part.vaults:,} of {part.of_vaults:,} vaults "
                f"drawn at random, with {part.vms:,} of {part.of_vms:,} VMs: shares of "
                "the doubt are those of the drawn VMs, and a VM of another vault has "
                "no interval. How often some VM is late, how many deadlines are missed "
                "and when all are restored, a part cannot tell: "
                f"--interval-vms {part.of_vms} takes all.",
            ]
        else:
            lines = [
                f"{now}; with them as unsure as they are, some VM is in "
                f"{_of_100(self.at_risk_prob)} of 100 cases."
            ]
        if self.known and self.wrong_prob >= 0.01:
            first = min(self.known, key=self.known.get)
            if self.known[first] < self.wrong_prob - 0.005:
                lines.append(
                    f"Measure {first.removeprefix('reading.')} first: the chance that "
                    f"this verdict is wrong falls from {_of_100(self.wrong_prob)} to "
                    f"{_of_100(self.known[first])} in 100 "
                    f"({_SETTLED.get(first, 'no command reads it')})."
                )
        off = max(self.lucky_vms, self.unlucky_vms)
        if off > count / 2:
            kind, what = "favourable", "longer"
            if self.unlucky_vms == off:
                kind, what = "unfavourable", "shorter"
            lines.append(
                f"The constants as assumed are {kind} for {counted(off, 'VM')}: three "
                f"of four draws have {what} times."
            )
        return tuple(lines)

    def leading(self, answer: str) -> tuple[Share, ...]:
        """Return what leads the doubt in an answer: two, if they cannot be told."""
        rows = [share for share in self.shares if share.answer == answer]
        first = rows[:1]
        if len(rows) > 1 and rows[0].share - rows[1].share < 2 * rows[0].error:
            first = rows[:2]
        return tuple(first)

    def overview(self) -> Overview:
        """Show what the doubt comes of, and the verdict."""
        rows = pd.DataFrame(self.rows())
        if len(rows):
            rows = rows[["answer", "name", "share", "status", "settled_by"]]
        return Overview(rows, "shares", (*self.said(), self.ranges()))

    def ranges(self) -> str:
        """Say between which ends the figures of the fleet lie, 8 times of 10."""
        parts = []
        for name in self._of_the_fleet:
            low, high = (brief(name, self.total[f"{name}_{end}"]) for end in _ENDS)
            unit = "" if unit_of(name) == "-" else f" {unit_of(name)}"
            parts.append(f"{fields()[name].label} {low} to {high}{unit}")
        return f"8 times of 10: {', '.join(parts)}."

    def rows(self) -> list[dict[str, object]]:
        """Return the shares as rows."""
        return [asdict(share) for share in self.shares]


def doubt(
    fleet: Fleet,
    scenario: Scenario | None = None,
    draws: int = DRAWS,
    seed: int = 1,
    interval_vms: int = INTERVAL_VMS,
) -> Doubt:
    """Say how far the answers for an inventory may be off, and what to measure first.

    Parameters
    ----------
    fleet : path-like or DataFrame
        A row a disk: a file, or a table that is checked as a file is.
    scenario : Scenario, optional
        Constants, readings and what blank cells are taken as. What it sets is not
        drawn.
    draws : int, optional
        How many draws; a power of two serves best.
    seed : int, optional
        Which draws. The same ones give the same digits.
    interval_vms : int, optional
        Of a fleet with more VMs, intervals come from whole vaults drawn at random, with
        so many at most; as many as it has take all.

    Returns
    -------
    Doubt
        Intervals of 80 %, shares of the doubt, and a verdict on the deadlines.

    Raises
    ------
    InventoryError
        If anything is wrong with the inventory; with all findings.
    ValueError
        If `draws` is less than 32; or if reserved capacity is shared by more VMs than
        `interval_vms`.

    Notes
    -----
    The share of one thing in the doubt is the first-order index of Sobol. The draws,
    sorted by what was drawn, are split into sixteen equal parts (two for a reading);
    the variance of the means of their answers, less what chance gives, is the share.
    Logarithms of answers keep one night that never ends from drowning the others.

    Examples
    --------
    What is not known of the bill of this VM is above all the price of the vault:

    >>> disk = dict(vm="a", disk="os", role="os", size_gib=128, used_gib=47,
    ...             churn_gib_per_day=1.0, dispersion=0.1)
    >>> answer = doubt(pd.DataFrame([disk]))
    >>> low, high = answer.total["total_usd_low"], answer.total["total_usd_high"]
    >>> print(f"{low:.2f} to {high:.2f} USD; {answer.leading('total_usd')[0].label}")
    8.27 to 9.50 USD; price of vault storage
    """
    scenario = Scenario.or_default(scenario)
    return doubt_of_disks(disks_of(fleet), scenario, draws, seed, interval_vms)


def doubt_of_disks(
    fleet: pd.DataFrame,
    scenario: Scenario,
    draws: int = DRAWS,
    seed: int = 1,
    interval_vms: int = INTERVAL_VMS,
    point: pd.DataFrame | None = None,
) -> Doubt:
    """Doubt an inventory that has been checked, as `doubt` does.

    With `point`, the rows of an estimate of it, that is not made again.
    """
    if draws < 2 * _PARTS:
        raise ValueError(f"draws must be >= {2 * _PARTS}; got {draws!r}")
    drawn = Draws.of(scenario, draws, seed)
    disks, blank = filled(fleet, scenario)
    disks = by_name(disks)
    kept = backed_up(disks)
    busy, parts = kept["vm"].nunique(), []
    some, part = drawn_vaults(disks, scenario, interval_vms, seed)
    held = disks.index.isin(kept.index)
    most = _CELLS // draws
    # what all vaults share is shared by all draws of all of them
    share = scenario["reserved_gib"] or (scenario["restore_accounts"] and not part)
    with np.errstate(all="ignore"):  # the edges are cases, not accidents

        def drawn_disks(rows: np.ndarray) -> tuple:
            own = disks.iloc[rows[held[rows]]]
            return disks.iloc[rows], own, drawn.columns(fleet, own), drawn.scenario

        crowds = (joining(*drawn_disks(rows)) for rows in chunks(disks, most))
        met = met_by(crowds, drawn.scenario)
        for rows in chunks(disks.iloc[some], len(disks) if share else most):
            went = walk(*drawn_disks(some[rows]), _ASKED, busy, others=met)
            parts.append(_Part.of(went, draws))
        if point is None:
            went = walk(disks, kept, {}, scenario, _ASKED)
            names = (*_ASKED, *_OF_DRAWN_VAULTS)
            point = pd.DataFrame({name: went.vms[name] for name in names})
            point.insert(0, "vm", went.names)
    whole, point = _Part.joined(parts), point.set_index("vm")
    moved = drawn.blank_constants(fleet, kept) | drawn.scenario.asked
    acting = {n: c for n, c in drawn.chances.items() if drawn.moves[n] & moved}
    late_now = point["deadline_prob"] < AT_RISK_PROB
    of_all = OF_THE_FLEET
    verdict = {"at_risk_prob": None, "wrong_prob": None, "known": {}}
    if part:
        of_all, of_part = _OF_DRAWN_VAULTS, point.loc[whole.vms.index]
        for name in of_all:
            whole.answers[name] *= point[name].sum() / of_part[name].sum()
        del whole.answers["misses_per_month"]
    else:
        late = whole.answers["deadline_prob"] < AT_RISK_PROB
        verdict = {
            "at_risk_prob": float(late.mean()),
            "wrong_prob": float((late != late_now.any()).mean()),
            "known": {
                name: _still_wrong(late, _parts_of(name, chance))
                for name, chance in acting.items()
            },
        }
    time_h = point["done_p95_h"].loc[whole.middle.index]
    return Doubt(
        vms=whole.vms.reindex(pd.unique(fleet["vm"])).rename_axis("vm").reset_index(),
        total=_ends({name: whole.answers[name] for name in of_all}),
        shares=tuple(_shares(whole.answers, acting, scenario)),
        **verdict,
        late_vms=int(late_now.sum()),
        lucky_vms=int((time_h < whole.middle["low_h"]).sum()),
        unlucky_vms=int((time_h > whole.middle["high_h"]).sum()),
        scenario=scenario,
        drawn=tuple(acting),
        choices=_choices(scenario, blank),
        draws=draws,
        seed=seed,
        capped=drawn.capped,
        drawn_vaults=part,
    )


def drawn_label(name: str) -> str:
    """Return the plain words for what a draw holds: a constant, or a reading.

    >>> drawn_label("others_wait_mean_h"), drawn_label("reading.rate-over")
    ('mean wait for others', 'reading rate-over')
    """
    field = fields().get(name)
    return field.label if field else name.replace("reading.", "reading ")


def brief(name: str, value: float) -> str:
    """Return an end of an interval, to two digits.

    >>> brief("total_usd", 2409.8), brief("done_p95_h", 5.47), brief("rto_prob", 0.9429)
    ('2,400', '5.5', '0.942')
    """
    if not math.isfinite(value):
        return shown(name, value)
    if name.endswith("_prob"):  # never more certain than it is
        return f"{math.floor(1000 * value + 1e-9) / 1000:g}"
    rounded = float(f"{value:.2g}") + 0.0
    return f"{rounded:,.0f}" if abs(rounded) >= 10 else f"{rounded:g}"


def with_ends(name: str, value: float, low: float, high: float) -> str:
    """Return a figure with its interval behind it, which it lies in or beside.

    >>> with_ends("done_p95_h", 8.64, 5.47, 15.07), with_ends("total_usd", 5, 5, 5)
    ('8.64 (5.5 - 15)', '5.00')

    If it has none, because its vault was not drawn, it stands alone:

    >>> with_ends("total_usd", 5, math.nan, math.nan)
    '5.00'
    """
    if math.isnan(low) or low == high == value:
        return shown(name, value)
    figure = brief(name, value) if name.endswith("_prob") else shown(name, value)
    if name.endswith("_usd") and 1000 <= value < math.inf:
        figure = f"{value:,.0f}"
    return f"{figure} ({brief(name, low)} - {brief(name, high)})"


def quick(fleet: pd.DataFrame, scenario: Scenario) -> bool:
    """Say whether an interval costs so little that nobody need ask for it."""
    return len(fleet) <= _QUICK_DISKS and not _by_the_hour(scenario)


def first_order(answer: np.ndarray, part: np.ndarray) -> float:
    """Return the share of the variance of an answer that one input explains.

    By the input the draws fall into numbered parts, whose means differ by more than by
    chance.

    >>> chance = (np.arange(512) + 0.5) / 512
    >>> other = np.random.default_rng(1).permutation(chance)
    >>> print(round(first_order(2 * chance + other, (16 * chance).astype(int)), 2))
    0.8
    """
    count = np.bincount(part)
    filled = count > 0
    parts, mean = filled.sum(), np.bincount(part, answer) / np.where(filled, count, 1)
    total = ((answer - answer.mean()) ** 2).sum()
    if not total > 0 or parts == 1 or parts == len(answer):
        return 0.0
    within = ((answer - mean[part]) ** 2).sum()
    by_chance = within / (len(answer) - parts) * (parts - 1)
    return float(np.clip((total - within - by_chance) / total, 0, 1))


@dataclass(frozen=True)
class _Part:
    """What some vaults come to, in every draw."""

    vms: pd.DataFrame  #: both ends of the figures of each VM
    middle: pd.DataFrame  #: ends of the middle half of its time
    answers: Mapping[str, np.ndarray]  #: of all of them, a number a draw

    @classmethod
    def of(cls, went: Walk, draws: int) -> "_Part":
        """Take the figures of a walk, drawn or not."""
        busy = went.vms["disks"] > 0
        figures = {
            name: np.broadcast_to(went.vms[name], (draws, len(busy))) for name in OF_VMS
        }
        later = np.broadcast_to(went.vms["later_deadline_prob"], (draws, len(busy)))
        once = (1 - figures["deadline_prob"]).sum(axis=1)
        slowest = {
            name: figures[name][:, busy].max(axis=1, initial=0)
            for name in ("done_p95_h", "restore_vault_p95_h")
        }
        answers = slowest | {
            "deadline_prob": figures["deadline_prob"].min(axis=1),
            "misses_per_month": in_a_month(once, (1 - later).sum(axis=1)),
            "stored_gib": figures["stored_gib"].sum(axis=1),
            "total_usd": figures["total_usd"].sum(axis=1),
            "restore_all_h": np.broadcast_to(went.restore_all_h, draws),
        }
        names = pd.Index(went.names, name="vm")
        low_h, high_h = _quantiles(figures["done_p95_h"], (0.25, 0.75))
        return cls(
            pd.DataFrame(_ends(figures), index=names),
            pd.DataFrame({"low_h": low_h, "high_h": high_h}, index=names),
            answers,
        )

    @classmethod
    def joined(cls, parts: Sequence["_Part"]) -> "_Part":
        """Put vaults together that know nothing of one another."""
        answers = {
            name: join.reduce([part.answers[name] for part in parts])
            for name, join in _JOINS.items()
        }
        vms = pd.concat([part.vms for part in parts])
        return cls(vms, pd.concat([part.middle for part in parts]), answers)


_JOINS = {
    "done_p95_h": np.maximum,
    "deadline_prob": np.minimum,
    "misses_per_month": np.add,
    "restore_vault_p95_h": np.maximum,
    "stored_gib": np.add,
    "total_usd": np.add,
    "restore_all_h": np.maximum,
}


def _quantiles(values: np.ndarray, chances: Sequence[float]) -> np.ndarray:
    """Return order statistics, for what may have no end."""
    rank = np.quantile(np.arange(len(values)), chances, method="inverted_cdf")
    return np.sort(values, axis=0)[rank]  # many columns sooner than np.quantile


def _ends(figures: Mapping[str, np.ndarray]) -> dict[str, np.ndarray | float]:
    """Return both ends of each figure over its draws."""
    ends = {}
    for name, values in figures.items():
        both = _quantiles(values, tuple(_ENDS.values()))
        for end, value in zip(_ENDS, both, strict=True):
            ends[f"{name}_{end}"] = value if np.ndim(value) else float(value)
    return ends


def _parts_of(name: str, chance: np.ndarray) -> np.ndarray:
    """Give the draws the number of the part in which one input puts them.

    Equal parts in its order; of a reading, the draws that read so and the others.
    """
    weights = {f"reading.{reading.id}": reading.weight for reading in readings()}
    if name in weights:
        return (chance < weights[name]).astype(int)
    part = np.empty(len(chance), dtype=int)
    part[np.argsort(chance)] = np.arange(len(chance)) * _PARTS // len(chance)
    return part


def _shares(
    answers: Mapping[str, np.ndarray],
    acting: Mapping[str, np.ndarray],
    scenario: Scenario,
) -> Iterator[Share]:
    for answer in (name for name in _ANSWERS if name in answers):
        values = answers[answer]
        if answer != "deadline_prob":
            ends = values[np.isfinite(values)].max(initial=1e-300)
            values = np.log(np.clip(values, 1e-300, ends))  # no night rules them all
        found = []
        for name, chance in acting.items():
            part = _parts_of(name, chance)
            share = first_order(values, part)
            error = math.hypot(
                2 * math.sqrt(share / len(values)) * (1 - share),
                math.sqrt(2 * part.max()) / len(values),
            )
            if share >= _LEAST_SHARE:
                status, *law = _rests(name, scenario)
                rest = share, error, status, _SETTLED.get(name, "")
                found.append(Share(answer, name, *law, *rest))
        yield from sorted(found, key=lambda one: -one.share)


def _still_wrong(late: np.ndarray, part: np.ndarray) -> float:
    """Return the chance that the better verdict is wrong once one thing is known."""
    count, wrong = np.bincount(part), np.bincount(part, late)
    return float(np.minimum(wrong, count - wrong).sum() / len(late))


def _choices(scenario: Scenario, blank: Mapping[str, int]) -> tuple[str, ...]:
    """Name what is the reader's to choose, and is taken as a constant has it."""
    origins = (one.items() for one in (c.origins for _, c in scenario.sets()))
    named = (name for rows in origins for name, o in rows if o.kind == "choice")
    return tuple(name for name in named if stands(name, scenario, blank))


def _rests(
    name: str, scenario: Scenario
) -> tuple[str, float | None, float | None, float | None]:
    """Say what a figure that is drawn rests on, its value, and both ends of its law.

    What several constants share is a factor of 1.
    """
    if name.startswith("reading."):
        return "reading", None, None, None
    constant, value, origin = next(
        (constant, constants[constant], origin)
        for _, constants in scenario.sets()
        for constant, origin in constants.origins.items()
        if origin.prior and name in (constant, origin.together)
    )
    part = 1.0 if constant == name else value
    status = "guess" if origin.status == "assumed" else origin.status
    return status, value / part, origin.low / part, origin.high / part


def _by_the_hour(scenario: Scenario) -> bool:
    """Say whether the wait for others differs from hour to hour."""
    steady = scenario["utilisation_frac"] is not None
    overload = scenario["eight_hours"] == "overload" and not steady
    return overload or scenario["line_reading"] == "one-pool"


def _digest(scenario: Scenario) -> str:
    """Return a digest of all laws and weights."""
    laws = {
        name: (origin.low, origin.high, origin.shape, origin.disks, origin.together)
        for _, constants in scenario.sets()
        for name, origin in constants.origins.items()
        if origin.prior
    }
    weights = {reading.id: reading.weight for reading in readings()}
    text = json.dumps([laws, weights], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _of_100(share: float) -> str:
    """Return a share as a count of a hundred, none and all only where that is so."""
    if 0 < share < 0.01:
        return "less than 1"
    if 0.99 < share < 1:
        return "more than 99"
    return f"{100 * share:.0f}"
