"""What was billed beside what the model gives, and why the two differ."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from vmbmodel._words import NAMED, counted, some
from vmbmodel.fields import shown
from vmbmodel.inventory.bill import LINES, Bill, read
from vmbmodel.inventory.fleet import disks_of
from vmbmodel.plan.answers import Overview, Result, computed_by
from vmbmodel.plan.estimate import estimate_disks
from vmbmodel.plan.facts import Fleet, of_vms, shared
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import storage_usd_per_gib_month

__all__ = ["CAUSES", "SCHEMA", "Reconciliation", "reconcile"]

SCHEMA = "vmbmodel.reconcile/1"

CAUSES = {
    "price": "The bill has other prices than the price book.",
    "tier": "The bill counts other protected instances than the used sizes give.",
    "vault_bytes": "The vault holds other amounts than the model gives.",
    "redundancy": "The bill has another redundancy than the inventory.",
    "snapshots": "Snapshots take other amounts than the model gives.",
    "stopped_items": "VMs no longer backed up, whose data is retained.",
    "not_in_inventory": "Vaults that are billed and hold no VM of the inventory.",
}
"""Why a bill differs from the model, and what each cause means."""

_NO_SNAPSHOTS = "The bill has no snapshots of backup; the model gives some."
_HALF = 0.5  # the smallest instance
_COLUMNS = ("vault", "line", "billed", "modelled", "billed_usd", "modelled_usd")
_STORED = LINES[1:-1]
_KINDS = {"instances": "tier", "snapshots": "snapshots"}
_KINDS |= dict.fromkeys(_STORED, "vault_bytes")


@dataclass(frozen=True, repr=False)
class Reconciliation(Result):
    """A bill beside the model."""

    lines: pd.DataFrame
    """Quantities and costs, billed and modelled, a row a vault and line of the bill."""
    causes: Mapping[str, float]
    """Difference in USD by cause of `CAUSES`; they add up to the whole."""
    billed_usd: float  #: over the months of the bill, as is what is modelled
    modelled_usd: float
    months: float  #: that the bill covers
    notes: tuple[str, ...]  #: what deserves a look

    @property
    def difference_usd(self) -> float:
        """Billed less modelled. [USD]."""
        return math.fsum([self.billed_usd, -self.modelled_usd])

    @property
    def difference_frac(self) -> float:
        """Difference as a share of what was modelled, of either sign."""
        if not self.modelled_usd:
            return math.copysign(math.inf, self.difference_usd)
        return self.difference_usd / self.modelled_usd

    @property
    def texts(self) -> Mapping[str, str]:
        """What each cause means for this bill."""
        return CAUSES | (
            {"snapshots": _NO_SNAPSHOTS} if _lacks_snapshots(self.lines) else {}
        )

    schema: ClassVar[str] = SCHEMA

    def parts(self) -> Iterator[tuple[str, object]]:
        """Give what the JSON holds."""
        yield "model", computed_by()
        yield "months", self.months
        yield "billed_usd", self.billed_usd
        yield "modelled_usd", self.modelled_usd
        yield "difference_usd", self.difference_usd
        yield "difference_frac", self.difference_frac
        texts = self.texts
        yield (
            "causes",
            [
                {"cause": cause, "difference_usd": usd, "text": texts[cause]}
                for cause, usd in self.causes.items()
            ],
        )
        yield "lines", self.lines
        yield "notes", self.notes

    def overview(self) -> Overview:
        """Show the lines of the bill, the difference, and its causes."""
        usd = {c: shown("total_usd", usd) for c, usd in self.causes.items() if usd}
        parts = ", ".join(f"{cause} {amount}" for cause, amount in usd.items())
        return Overview(
            self.lines,
            "lines",
            (
                f"billed {shown('total_usd', self.billed_usd)} USD, modelled "
                f"{shown('total_usd', self.modelled_usd)} USD: "
                f"{shown('total_usd', self.difference_usd)} USD apart",
                f"of which {parts}" if parts else "the same",
            ),
        )


def reconcile(
    fleet: Fleet,
    bill: Bill | str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    scenario: Scenario | None = None,
    *,
    stopped: Fleet | None = None,
    usd_per_unit: float | None = None,
) -> Reconciliation:
    """Compare a bill with the model, and split the difference by cause.

    A difference in quantity is taken at the price of the book, and one in price
    at the quantity billed, so that the causes add up to the whole difference.

    Parameters
    ----------
    fleet : path-like or DataFrame
        A row a disk: a file, or a table that is checked as a file is. Where no VM
        names its vault, all vaults of the bill are taken together.
    bill : Bill, path-like or sequence of path-like
        What was charged: the files of a cost export, or what
        `vmbmodel.inventory.bill.read` makes of them.
    scenario : Scenario, optional
        Constants, readings and what blank cells are taken as.
    stopped : path-like or DataFrame, optional
        VMs whose backup was stopped and whose data is retained, with the sizes of
        their last backup, as an inventory.
    usd_per_unit : float, optional
        Dollars for a unit of the bill's currency, if that is another.

    Returns
    -------
    Reconciliation
        Lines, causes and totals.

    Raises
    ------
    InventoryError
        If anything is wrong with the inventory or the bill; with all findings.
    ValueError
        If the bill is in another currency than dollars and no rate above 0 is
        given, or if it is in dollars and a rate is.

    Notes
    -----
    The model gives a full month with all its recovery points; it is scaled by the
    share of each month that the bill covers. A vault that fills, or shrinks, over
    the months shows up as ``vault_bytes``.

    Examples
    --------
    One VM, billed as modelled but for two dollars more of storage:

    >>> disk = dict(vm="a", disk="os", role="os", size_gib=128, used_gib=47)
    >>> row = dict(month="2026-01", vault="v")
    >>> rows = [dict(row, line="instances", quantity=0.5, cost=5.0)]
    >>> bill = Bill(pd.DataFrame(rows), {"2026-01": 1.0}, "USD", {}, 1, 0)
    >>> scenario = Scenario.of(settings={"snapshot_points": 0})
    >>> answer = reconcile(pd.DataFrame([disk]), bill, scenario)
    >>> print(answer.billed_usd, answer.causes["tier"])
    5.0 0.0
    >>> print(round(answer.difference_usd - answer.causes["vault_bytes"], 9))
    0.0
    """
    scenario = Scenario.or_default(scenario)
    fleet = disks_of(fleet)
    if not isinstance(bill, Bill):
        bill = read([bill] if isinstance(bill, str | os.PathLike) else bill)
    rate_usd = _usd_per_unit(bill.currency, usd_per_unit)
    months = math.fsum(bill.covered_frac.values())
    one = fleet["vault"].isna().all()
    rows = bill.rows.assign(vault="") if one else bill.rows
    billed = rows.groupby(["vault", "line"])[["quantity", "cost"]].sum()
    modelled = _modelled(fleet, scenario, one=one) * months
    retained = 0 * modelled
    if stopped is not None:
        retained = _modelled(disks_of(stopped), scenario, one=one) * months
        retained = retained.drop(("", "snapshots"))
    parts = [
        billed.set_axis(["billed", "billed_usd"], axis=1),
        modelled.set_axis(["modelled", "modelled_usd"], axis=1),
        retained.set_axis(["stopped", "stopped_usd"], axis=1),
    ]
    lines = pd.concat(parts, axis=1).fillna(0.0).sort_index()
    lines["billed_usd"] *= rate_usd
    lines["at_book_usd"] = lines["billed"] * _unit_usd(lines, scenario)
    causes = _causes(lines)
    return Reconciliation(
        lines=lines.reset_index()[list(_COLUMNS)],
        causes={cause: math.fsum(causes[cause]) for cause in CAUSES},
        billed_usd=math.fsum(lines["billed_usd"]),
        modelled_usd=math.fsum(lines["modelled_usd"]),
        months=months,
        notes=(
            *_notes(bill, lines, rate_usd),
            *_enhanced_said(bill, fleet, scenario),
        ),
    )


def _usd_per_unit(currency: str, given: float | None) -> float:
    if currency == "USD":
        if given is not None:
            raise ValueError("the bill is in USD: leave --usd-per-unit out")
        return 1.0
    if given is None:
        raise ValueError(
            f"the bill is in {currency} and the price book in USD: say what a unit "
            "is worth, --usd-per-unit RATE"
        )
    if not 0 < given < math.inf:
        raise ValueError(f"--usd-per-unit must be above 0; got {given:g}")
    return given


def _unit_usd(lines: pd.DataFrame, scenario: Scenario) -> np.ndarray:
    """Price of one of each line, a month: the model's, or else that of the book."""
    prices, policy = scenario.prices, scenario["snapshot_policy"]
    book = {
        "instances": prices["instance_fee_usd"],
        **{name: storage_usd_per_gib_month(prices, name) for name in _STORED},
        "snapshots": prices[f"snapshot_{policy}_usd_per_gib_month"],
    }
    listed = lines.index.get_level_values("line").map(book).to_numpy(float, copy=True)
    quantity = (lines["modelled"] + lines["stopped"]).to_numpy()
    usd = (lines["modelled_usd"] + lines["stopped_usd"]).to_numpy()
    return np.divide(usd, quantity, out=listed, where=quantity > 0)


def _modelled(fleet: pd.DataFrame, scenario: Scenario, *, one: bool) -> pd.DataFrame:
    """Return quantity and cost of a full month by vault and line, by the model."""
    vms = estimate_disks(fleet, scenario).vms.set_index("vm")
    facts = of_vms(fleet, scenario, "redundancy", "snapshot_policy")
    policy = _snapshot_policies(fleet, scenario)
    vms = vms.drop(columns=facts.columns, errors="ignore").join(facts)
    vms["vault"] = "" if one else vms["vault"].str.lower()
    stored = vms.groupby(["vault", "redundancy"])[["stored_gib", "storage_usd"]].sum()
    instances = vms.groupby("vault")[["protected_instances", "instance_usd"]].sum()
    rates = {
        name: scenario.prices[f"snapshot_{name}_usd_per_gib_month"]
        * (1 - scenario["snapshot_discount_frac"])
        for name in policy.unique()
    }
    snapshots = vms.groupby(policy)["snapshot_usd"].sum()
    gib = math.fsum(usd / rates[n] for n, usd in snapshots.items() if rates[n])
    parts = {("", "snapshots"): (gib, math.fsum(snapshots))}
    parts |= {(vault, "instances"): row for vault, *row in instances.itertuples()}
    parts |= {place: row for place, *row in stored.itertuples()}
    index = pd.MultiIndex.from_tuples(parts, names=["vault", "line"])
    return pd.DataFrame(list(parts.values()), index, dtype=float)


def _snapshot_policies(fleet: pd.DataFrame, scenario: Scenario) -> pd.Series:
    """Return the kind of policy that each VM is taken to be under."""
    facts = of_vms(fleet, scenario, "snapshot_policy", "trusted_launch")
    return facts["snapshot_policy"].mask(facts["trusted_launch"], "enhanced")


def _causes(lines: pd.DataFrame) -> pd.DataFrame:
    """Split the difference of every vault; what is split adds up to it."""
    kinds = lines.index.get_level_values("line").map(_KINDS).rename("kind")
    vaults = lines.index.get_level_values("vault")
    parts = lines.groupby([vaults, kinds]).sum()
    vaults, kinds = (parts.index.get_level_values(name) for name in parts.index.names)
    known = lines[["modelled", "stopped"]].any(axis=1).groupby(level="vault").any()
    there = known[vaults].to_numpy() | (vaults == "")
    quantity = parts["modelled"] + parts["stopped"]
    expected_usd = parts["modelled_usd"] + parts["stopped_usd"]
    even_usd = parts["at_book_usd"].mask(  # all bytes at the mean rate of the model
        (kinds == "vault_bytes") & (quantity > 0),
        parts["billed"] * expected_usd / quantity,
    )
    split = {
        "price": parts["billed_usd"] - parts["at_book_usd"],
        "stopped_items": parts["stopped_usd"],
        "redundancy": parts["at_book_usd"] - even_usd,
    }
    split |= {
        kind: (even_usd - expected_usd).where(kinds == kind, 0.0)
        for kind in dict.fromkeys(_KINDS.values())
    }
    found = pd.DataFrame(split)
    found[~there] = 0.0
    return found.assign(not_in_inventory=parts["billed_usd"].mask(there, 0.0))


def _notes(bill: Bill, lines: pd.DataFrame, rate_usd: float) -> Iterator[str]:
    if repeats := bill.repeats():
        yield repeats
    yield from bill.remarks
    partly = [
        f"{share:.0%} of {month}"
        for month, share in bill.covered_frac.items()
        if share < 1
    ]
    if partly:
        yield f"The bill covers {some(partly)}."
    instances = lines.xs("instances", level="line")
    more = instances["billed"] - instances["modelled"] - instances["stopped"]
    known = instances["modelled"] + instances["stopped"] > 0
    many = more[known & (more >= _HALF)]
    if many.size:
        vaults = [f"{name or 'the bill'} {n:.1f}" for name, n in many.items()]
        yield (
            f"More protected instances than the inventory gives: {some(vaults)}. A VM "
            "whose backup was stopped is billed as long as its data is retained: list "
            "such VMs in a file of their own, --stopped FILE."
        )
    if _lacks_snapshots(lines.reset_index()) and not bill.unknown_snapshots:
        yield (
            "The bill has no snapshots of backup. Those of a Standard policy are "
            "charged to the disk or storage account, those of an Enhanced one to a "
            "collection of restore points, in AzureBackupRG_REGION_1 or the group that "
            "the policy names: the export must hold these groups, too, not only that "
            "of the vault."
        )
    for costs, why in (
        (
            bill.own_snapshots,
            "are snapshots that backup did not take, as their resource says",
        ),
        (
            bill.unknown_snapshots,
            "are snapshots under a meter that is not known as one of backup's",
        ),
        (
            bill.other,
            "are charges of the backup service that are not for VMs, or not modelled",
        ),
    ):
        for meter, cost in _dearest(costs).items():
            yield f"{cost * rate_usd:,.2f} USD of {meter} {why}; left out."


def _enhanced_said(
    bill: Bill, fleet: pd.DataFrame, scenario: Scenario
) -> Iterator[str]:
    """Say that snapshots are billed of a policy under which the model has no VM."""
    policies = _snapshot_policies(fleet, scenario)
    if not bill.enhanced_gib or (policies == "enhanced").any():
        return
    cure = "say enhanced in the column snapshot_policy."
    if shared(fleet)["snapshot_policy"].isna().any():
        cure = "is it --set snapshot_policy=enhanced?"
    yield (
        f"{bill.enhanced_gib:,.0f} GiB-months of snapshots are billed as of an "
        "Enhanced policy: their resource is a collection of restore points. The model "
        "has every VM under a Standard one, with other snapshots at another price; "
        f"{cure}"
    )


def _lacks_snapshots(lines: pd.DataFrame) -> bool:
    """Say whether the model gives snapshots and the bill none."""
    of_them = lines[lines["line"] == "snapshots"]
    billed = of_them[["billed", "billed_usd"]].to_numpy().any()
    return bool(of_them["modelled_usd"].any() and not billed)


def _dearest(costs: Mapping[str, float]) -> dict[str, float]:
    """Return the cost of some meters, and of all others together."""
    by_cost = sorted(costs, key=lambda meter: abs(costs[meter]), reverse=True)
    few = {meter: costs[meter] for meter in sorted(by_cost[:NAMED])}
    if others := by_cost[NAMED:]:
        few[counted(len(others), "more meter")] = math.fsum(
            costs[meter] for meter in others
        )
    return few
