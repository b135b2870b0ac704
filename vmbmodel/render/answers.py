"""The answers that a report begins with: a sentence or two for each question."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from vmbmodel.plan.check import Check
from vmbmodel.plan.estimate import AT_RISK_PROB, Doubt, Estimate

__all__ = ["Answer", "answers"]


@dataclass(frozen=True)
class Answer:
    """One question and its answer.

    Parameters
    ----------
    question : str
        What a reader asks.
    words : str
        The answer, with a place such as ``{vm}`` for each name of the inventory.
    names : Mapping[str, str]
        The names, which may hold anything.
    """

    question: str
    words: str
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The answer as plain text."""
        return self.words.format(**self.names)


def answers(estimate: Estimate, check: Check) -> tuple[Answer, ...]:
    """Answer what a reader asks first, in the order of asking."""
    vms = estimate.vms[estimate.vms["disks"] > 0].reset_index(drop=True)
    if vms.empty:
        none = "Nothing is backed up: every disk is temporary or excluded."
        return (Answer("How long?", none), _rules(check))
    doubt = () if estimate.drawn is None else (_doubt(estimate.drawn),)
    return (
        *doubt,
        _how_long(vms),
        _when(vms),
        _deadline(vms, estimate),
        _restore(vms),
        _cost(vms, estimate),
        _rules(check),
    )


def _doubt(doubt: Doubt) -> Answer:
    return Answer("How sure is this?", " ".join((*doubt.said(), *doubt.ranges())))


def _how_long(vms: pd.DataFrame) -> Answer:
    slowest = vms.loc[vms["done_p95_h"].idxmax()]
    usual_h = _middle(vms, "done_p50_h")
    return Answer(
        "How long does a backup take?",
        f"Half of the VMs are usually done within {_hours(usual_h)} of the scheduled "
        "hour; the slowest, {vm}, takes "
        f"{_up_to(slowest['done_p95_h'])} in 95 cases of 100.",
        {"vm": slowest["vm"]},
    )


def _when(vms: pd.DataFrame) -> Answer:
    begin_h = vms["start_h"]
    usual_h, late_h = begin_h + vms["done_p50_h"], begin_h + vms["done_p95_h"]
    last = vms.loc[late_h.idxmax(), "vm"]
    return Answer(
        "When is it done?",
        f"Backups start from {_clock(begin_h.min())} to {_clock(begin_h.max())}. The "
        f"last is usually done at {_clock(usual_h.max())}; with the times that 95 of "
        f"100 keep, at {_clock(late_h.max())} ({{vm}}).",
        {"vm": last},
    )


def _deadline(vms: pd.DataFrame, estimate: Estimate) -> Answer:
    sure = int((vms["deadline_prob"] >= AT_RISK_PROB).sum())
    worst = vms.loc[vms["deadline_prob"].idxmin()]
    low, high = vms["deadline_h"].min(), vms["deadline_h"].max()
    deadline = _hours(low) if low == high else f"{_hours(low)} to {_hours(high)}"
    return Answer(
        "Is the deadline met?",
        f"{sure:,} of {len(vms):,} VMs meet their deadline of {deadline} with a "
        f"probability of {_percent(AT_RISK_PROB)} or more. The least certain, {{vm}}, "
        f"has {_percent(worst['deadline_prob'])}; when every VM is backed up once, "
        f"{estimate.misses_said()} miss it on average.",
        {"vm": worst["vm"]},
    )


def _restore(vms: pd.DataFrame) -> Answer:
    slowest = vms.loc[vms["restore_vault_p95_h"].idxmax()]
    return Answer(
        "How long until a VM is back?",
        "From the vault half of the VMs are usually back within "
        f"{_hours(_middle(vms, 'restore_vault_p50_h'))}; the slowest, {{vm}}, takes "
        f"{_up_to(slowest['restore_vault_p95_h'])} in 95 cases of 100. From a "
        "snapshot that is still kept it takes "
        f"{_up_to(vms['restore_snapshot_h'].max())}.",
        {"vm": slowest["vm"]},
    )


def _cost(vms: pd.DataFrame, estimate: Estimate) -> Answer:
    total = estimate.total
    words = f"{_usd(total['total_usd'])} for a full month: " + ", ".join(
        f"{_usd(total[name])} for {what}"
        for name, what in (
            ("instance_usd", "protected instances"),
            ("storage_usd", "vault storage"),
            ("snapshot_usd", "snapshots"),
        )
    )
    dear = np.sort(vms["total_usd"].to_numpy())[::-1].cumsum()
    if len(vms) > 1 and 0 < dear[-1] < math.inf:
        half = int(np.searchsorted(dear, dear[-1] / 2)) + 1
        words += f". {half:,} of {len(vms):,} VMs make up half of it"
    return Answer("What does it cost?", f"{words}.")


def _rules(check: Check) -> Answer:
    counts = check.count()
    asked = f"{counts['rules']} rules in force on {check.as_of}"
    open_ = [outcome for outcome in check.outcomes if outcome.status == "not checked"]
    rest = f" {len(open_)} could not be checked." if open_ else ""
    shown = [finding for finding in check.findings if not finding.suppressed]
    if not shown:
        return Answer(
            "Which rule is broken?", f"None of {asked}, as far as is known.{rest}"
        )
    found = _listed(words for name, words in check.said().items() if counts[name])
    first = next(f for f in shown if f.severity == check.worst())
    words = f"{found} against {asked}.{rest} The first: {{finding}}"
    return Answer("Which rule is broken?", words, {"finding": first.place.text})


def _listed(parts: Iterator[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def _middle(vms: pd.DataFrame, column: str) -> float:
    """Return the lower median, which is endless only if half of the VMs are."""
    return float(np.sort(vms[column].to_numpy())[(len(vms) - 1) // 2])


def _hours(hours: float) -> str:
    if hours == math.inf:
        return "no time that ends"
    return f"{hours:,.1f}".removesuffix(".0") + " h"


def _up_to(hours: float) -> str:
    return f"up to {_hours(hours)}" if hours < math.inf else "longer than any time"


def _clock(hours: float) -> str:
    """Return a time of day, counted from the midnight before the start."""
    if not hours < 24e4:
        return "no time that can be named"
    days, minutes = divmod(round(hours * 60), 24 * 60)
    later = {0: "", 1: " on the next day"}.get(days, f" {days:,} days later")
    return f"{minutes // 60:02d}:{minutes % 60:02d}{later}"


def _percent(prob: float) -> str:
    # a chance that is not quite certain must not look certain
    return f"{math.floor(prob * 1e4) / 100:g} %"


def _usd(dollars: float) -> str:
    return f"{dollars:,.2f} USD" if dollars < math.inf else "more than any sum"
