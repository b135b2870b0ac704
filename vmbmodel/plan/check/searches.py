"""Searches of an inventory: one for each rule that it can answer.

Nothing is filled in: a blank cell is not known, unless the caller set what it is
to be taken as, and a search says of how many disks or VMs it lacks cells.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vmbmodel.inventory.fleet import OF_THE_POLICY
from vmbmodel.plan import practices
from vmbmodel.plan.facts import backed_up, holds, told, unmanaged
from vmbmodel.plan.practices import Place, crowded
from vmbmodel.plan.scenario import Scenario

__all__ = ["SEARCHES", "Known", "Search", "known"]


_NEEDS_ENHANCED = ("ultra", "UltraSSD_LRS", "premium-ssd-v2", "PremiumV2_LRS")


@dataclass(frozen=True)
class Known:
    """What an inventory says, without a guess."""

    disks: pd.DataFrame
    vms: pd.DataFrame
    unmanaged: pd.DataFrame
    in_cells: frozenset[str]
    """Columns of which the inventory itself has a cell."""
    at_it: bool = False

    def set_for_all(self, names: Iterable[str]) -> bool:
        """Say whether only the caller said what these columns hold."""
        return not self.in_cells.intersection(names)


@dataclass(frozen=True)
class Search:
    """What a search for places gave, and how far it could see."""

    places: Iterable[Place]
    known: int
    unknown: int = 0
    lacks: str = ""
    what: str = "VMs"


def known(fleet: pd.DataFrame, scenario: Scenario) -> Known:
    """Take what cells say, what other disks say of the same VM, what the caller set."""
    disks = told(fleet, scenario)
    disks["row"] = np.arange(len(disks))
    kept = backed_up(disks)
    return Known(
        disks=kept,
        vms=_vms(kept),
        unmanaged=unmanaged(kept),
        in_cells=frozenset(n for n in fleet if fleet[n].notna().any()),
    )


def _vms(disks: pd.DataFrame) -> pd.DataFrame:
    """Gather the disks that are backed up into VMs."""
    code, names = pd.factorize(disks["vm"])
    count = len(names)
    first = np.zeros(count, dtype=int)
    first[code[::-1]] = np.arange(len(code))[::-1]
    names = ["vm", "row", "vault", "policy", "start_h", "first_backup", *OF_THE_POLICY]
    vms = disks.iloc[first][names]
    vms = vms.reset_index(drop=True)
    churn = disks["churn_gib_per_day"].to_numpy()
    blank = np.isnan(churn)
    vms["size_gib"] = np.bincount(code, disks["size_gib"].to_numpy(), count)
    vms["disks"] = np.bincount(code, minlength=count)
    is_data = holds(disks["role"], "data")
    vms["data_disks"] = np.bincount(code, is_data, count)
    vms["churn_gib_per_day"] = np.bincount(code, np.where(blank, 0.0, churn), count)
    vms["blank_churn"] = np.bincount(code, blank, count) > 0
    return vms


def _split(rows: pd.DataFrame, *names: str) -> tuple[pd.DataFrame, int]:
    """Return the rows that have all these cells, and count the others."""
    known = rows[list(names)].notna().all(axis=1).to_numpy()
    return rows[known], int((~known).sum())


# --- searches: one for each rule that an inventory can answer --------------------


def _vault_start(facts: Known, most: float) -> Search:
    vms, unknown = _split(facts.vms, "vault", "start_h")
    places = practices.crowded_starts(vms, most)
    return Search(places, len(vms), unknown, "vault and start_h")


def _one_start(facts: Known) -> Search:
    vms, unknown = _split(facts.vms, "start_h")
    places = []
    start_h = vms["start_h"].iloc[0] if len(vms) > 1 else None
    if start_h is not None and (vms["start_h"] == start_h).all():
        text = f"All {len(vms)} VMs whose start is known start at {start_h:g} h."
        row = int(vms["row"].iloc[0])
        places = [Place({"start_h": float(start_h)}, len(vms), None, text, row)]
    return Search(places, len(vms), unknown, "start_h")


def _of_accounts(
    facts: Known, places: Callable[[pd.DataFrame], Iterable[Place]], *names: str
) -> Search:
    """Search unmanaged disks; one that may be managed or not is not known."""
    disks, unknown = _split(facts.unmanaged, "storage_account", *names)
    unknown += int(facts.disks["managed"].isna().sum())
    known = len(facts.disks) - unknown
    lacks = ", ".join(("managed", *names))
    return Search(places(disks), known, unknown, lacks, "disks")


def _account_schedule(facts: Known, most: float) -> Search:
    return _of_accounts(
        facts, lambda disks: practices.crowded_schedules(disks, most), "policy"
    )


def _busy_account(facts: Known, low: float, high: float) -> Search:
    def places(disks):
        return practices.busy_accounts(
            disks, low, high, at_it=facts.at_it, from_low=True
        )

    return _of_accounts(facts, places)


def _policy_accounts(facts: Known) -> Search:
    def places(disks):
        by = ["vault", "policy"]
        groups = disks.groupby(by, sort=False)
        counts = groups[["vm", "storage_account"]].nunique()
        first = groups[["row", "storage_account"]].first()
        alone = counts[(counts["vm"] > 1) & (counts["storage_account"] == 1)]
        for where, vms in zip(alone.index, alone["vm"].tolist(), strict=True):
            row, account = first.loc[where, ["row", "storage_account"]]
            names = dict(zip(by, where, strict=True)) | {"storage_account": account}
            text = (
                f"The {vms} VMs with unmanaged disks of policy {names['policy']} in "
                f"vault {names['vault']} all lie in storage account {account}."
            )
            yield Place(names, vms, None, text, int(row))

    return _of_accounts(facts, places, "vault", "policy")


def _small_writes(facts: Known, least: float) -> Search:
    disks, unknown = _split(facts.disks, "write_kib")
    places = practices.small_writes(disks, least)
    return Search(places, len(disks), unknown, "write_kib", "disks")


def _consistency_check(facts: Known) -> Search:
    disks, unknown = _split(facts.disks, "cc_mode")
    places = practices.compared_disks(disks)
    return Search(places, len(disks), unknown, "cc_mode", "disks")


def _consistency_check_size(facts: Known, most: float) -> Search:
    disks = facts.disks[~holds(facts.disks["cc_mode"], True)]
    places = _beyond(
        disks,
        "size_gib",
        most,
        "Disk {disk} has {found:,.0f} GiB; above {limit:,.0f} its backup may have to "
        "compare all data by checksum.",
    )
    return Search(places, len(facts.disks))


def _high_churn(facts: Known, most: float, backup_h: float) -> Search:
    beyond = facts.vms["churn_gib_per_day"] > most  # what is blank can only add
    unknown = int((facts.vms["blank_churn"] & ~beyond).sum())
    places = practices.high_churn(facts.vms, most, backup_h)
    return Search(places, len(facts.vms) - unknown, unknown, "churn_gib_per_day")


def _new_disk(facts: Known) -> Search:
    disks, unknown = _split(facts.disks, "new_disk")
    places = practices.new_disks(disks)
    return Search(places, len(disks), unknown, "new_disk", "disks")


def _disk_size(facts: Known, most: float) -> Search:
    text = "Disk {disk} has {found:,.0f} GiB; backup takes up to {limit:,.0f}."
    return Search(_beyond(facts.disks, "size_gib", most, text), len(facts.disks))


def _vm_size(facts: Known, most: float) -> Search:
    text = "Its disks have {found:,.0f} GiB together; backup takes up to {limit:,.0f}."
    return Search(_beyond(facts.vms, "size_gib", most, text), len(facts.vms))


def _vm_data_disks(facts: Known, most: float) -> Search:
    text = "It has {found:.0f} data disks; backup takes up to {limit:.0f}."
    return Search(_beyond(facts.vms, "data_disks", most, text), len(facts.vms))


def _vm_disks(facts: Known, most: float) -> Search:
    text = "It has {found:.0f} disks; backup takes up to {limit:.0f}."
    return Search(_beyond(facts.vms, "disks", most, text), len(facts.vms))


def _beyond(rows: pd.DataFrame, column: str, most: float, text: str) -> Iterator[Place]:
    beyond = rows[rows[column] > most]
    names = [name for name in ("vm", "disk") if name in rows]
    places = beyond[names].to_dict("records")
    figures, row = beyond[column].tolist(), beyond["row"].tolist()
    for where, found, at in zip(places, figures, row, strict=True):
        # by format, as what is put in is not looked at for braces again
        said = text.format(**where, found=found, limit=most)
        yield Place(where, found, most, said, at)


def _policy_vms(facts: Known, most: float) -> Search:
    vms, unknown = _split(facts.vms, "vault", "policy")
    places = practices.crowded_policies(vms, most)
    return Search(places, len(vms), unknown, "vault and policy")


def _vault_vms(facts: Known, most: float) -> Search:
    def places():
        for where, count, row in crowded(vms, ["vault"], most):
            text = (
                f"Vault {where['vault']} protects {count:,} VMs; it may protect up "
                f"to {most:,.0f}."
            )
            yield Place(where, count, most, text, row)

    vms, unknown = _split(facts.vms, "vault")
    return Search(places(), len(vms), unknown, "vault")


def _shortest_retention(facts: Known, least_h: float) -> Search:
    def says(kept):
        if _is_weekly(kept) or kept["recovery_points"] * 24 >= least_h:
            return None
        text = "{:g} daily points are kept; {:g} days are least."
        return kept["recovery_points"], least_h / 24, text

    return _of_policies(facts, says, "recovery_points")


def _recovery_points(facts: Known, most: float) -> Search:
    def says(kept):
        points = kept["recovery_points"]
        text = "{:,.0f} daily points are kept; {:,.0f} are possible."
        return (points, most, text) if points > most else None

    return _of_policies(facts, says, "recovery_points")


def _graded_retention(
    facts: Known, days: float, weeks: float, months: float, years: float, _: float
) -> Search:
    most = {
        "recovery_points": (days, "days"),
        "weekly_points": (weeks, "weeks"),
        "monthly_points": (months, "months"),
        "yearly_points": (years, "years"),
    }

    def says(kept):
        for name, (limit, unit) in most.items():
            if kept[name] > limit:
                return (
                    kept[name],
                    limit,
                    f"{{:,.0f}} {unit} are kept; {{:,.0f}} can be.",
                )
        return None

    return _of_policies(facts, says, *most)


def _snapshot_retention(facts: Known) -> Search:
    def says(kept):
        points, snapshots = kept["recovery_points"], kept["snapshot_points"]
        text = "{:g} daily points are kept in the vault, and {:g} daily snapshots."
        if _is_weekly(kept):
            points = 7 * kept["weekly_points"]
            text = "Weekly points are kept for {:g} days, and snapshots for {:g}."
        return (points, snapshots, text) if points < snapshots else None

    return _of_policies(facts, says, "recovery_points", "snapshot_points")


def _snapshot_days(
    facts: Known, standard: float, enhanced: float, at_4_h: float, at_6_h: float
) -> Search:
    def says(kept):
        kind, snapshots = kept["snapshot_policy"], kept["snapshot_points"]
        most = standard if kind == "standard" else enhanced
        if kind == "enhanced" and kept["interval_h"] < 8:
            most = at_6_h if kept["interval_h"] >= 6 else at_4_h
        if snapshots < 1:
            text = "Snapshots are kept for {:g} days; {:g} day is least."
            return snapshots, 1.0, text
        text = f"Snapshots are kept for {{:g}} days; of such a policy, {kind}, at most "
        text += "{:g}."
        return (snapshots, most, text) if snapshots > most else None

    return _of_policies(facts, says, "snapshot_points", "snapshot_policy")


def _weekly_snapshot_days(
    facts: Known, standard: float, least: float, most: float
) -> Search:
    def says(kept):
        snapshots, kind = kept["snapshot_points"], kept["snapshot_policy"]
        low, high = (least, most) if kind == "enhanced" else (standard, standard)
        if not _is_weekly(kept) or low <= snapshots <= high:
            return None
        days = f"{low:g} to {high:g}" if low < high else f"{low:g}"
        text = "Snapshots are kept for {:g} days; a weekly policy, "
        text += f"{kind}, keeps them for {days}."
        return snapshots, low if snapshots < low else high, text

    names = "snapshot_points", "snapshot_policy", "recovery_points", "weekly_points"
    return _of_policies(facts, says, *names)


def _offered_retention(facts: Known, *offered: float) -> Search:
    names = (
        "snapshot_points",
        "recovery_points",
        "weekly_points",
        "monthly_points",
        "yearly_points",
    )

    def says(kept):
        if kept["snapshot_policy"] != "enhanced":
            return None
        if tuple(kept[name] for name in names) != offered:
            return None
        text = "All that it keeps is what the portal offers, {:g} daily points first."
        return kept["recovery_points"], offered[1], text

    return _of_policies(facts, says, "snapshot_policy", *names)


def _unmanaged_disks(facts: Known) -> Search:
    _, unknown = _split(facts.disks, "managed")

    def places():
        rows = facts.unmanaged[["vm", "disk", "row"]].itertuples(index=False)
        for vm, disk, row in rows:
            text = f"Disk {disk} is unmanaged."
            yield Place({"vm": vm, "disk": disk}, None, None, text, int(row))

    known = len(facts.disks) - unknown
    return Search(places(), known, unknown, "managed", "disks")


def _enhanced_disks(facts: Known) -> Search:
    new = facts.disks["disk_type"].isin(_NEEDS_ENHANCED)
    open_ = facts.disks["disk_type"].isna() | (
        new & facts.disks["snapshot_policy"].isna()
    )

    def places():
        wrong = new & holds(facts.disks["snapshot_policy"], "standard")
        names = ["vm", "disk", "disk_type", "row"]
        rows = facts.disks.loc[wrong, names].itertuples(index=False)
        for vm, disk, kind, row in rows:
            text = f"Disk {disk} is {kind}; its VM has a Standard policy."
            yield Place({"vm": vm, "disk": disk}, None, None, text, int(row))

    unknown = int(open_.sum())
    known, lacks = len(facts.disks) - unknown, "disk_type and snapshot_policy"
    return Search(places(), known, unknown, lacks, "disks")


def _daily_backups(facts: Known, most: float) -> Search:
    def says(kept):
        runs = 24 / kept["interval_h"]
        if kept["snapshot_policy"] != "standard" or runs <= most:
            return None
        text = "A Standard policy starts {:g} times a day; {:g} is possible."
        return runs, most, text

    return _of_policies(facts, says, "interval_h", "snapshot_policy")


def _enhanced_interval(facts: Known, least_h: float) -> Search:
    def says(kept):
        interval_h = kept["interval_h"]
        text = "Backups are {:g} h apart; {:g} h are least."
        return (interval_h, least_h, text) if interval_h < least_h else None

    return _of_policies(facts, says, "interval_h")


def _is_weekly(kept: dict) -> bool:
    """Say whether points are kept by the week and none by the day."""
    return kept["recovery_points"] == 0 and kept["weekly_points"] > 0


Says = Callable[[dict], tuple[float, float, str] | None]
"""Takes what a policy keeps; gives figure, limit and text of a finding, if any."""


def _of_policies(facts: Known, says: Says, *names: str) -> Search:
    """Search what is kept, by policy; what the caller set for all is said once."""
    vms, unknown = _split(facts.vms, *names)

    def places():
        by = [] if facts.set_for_all(names) else ["vault", "policy"]
        groups = vms.groupby([*by, *OF_THE_POLICY], dropna=False, sort=False)
        first = groups["row"].first().reset_index()
        seen = set()
        for kept in first.to_dict("records"):
            found = says(kept)
            where = {name: kept[name] for name in by if not pd.isna(kept[name])}
            key = (*where.values(), found)
            if found is None or key in seen:
                continue
            seen.add(key)
            figure, limit, text = found
            row = int(kept["row"]) if by else None
            yield Place(where, figure, limit, text.format(figure, limit), row)

    return Search(places(), len(vms), unknown, " and ".join(names))


SEARCHES: dict[str, Callable[..., Search]] = {
    "vault-start": _vault_start,
    "one-start": _one_start,
    "account-schedule": _account_schedule,
    "policy-accounts": _policy_accounts,
    "busy-account": _busy_account,
    "small-writes": _small_writes,
    "consistency-check": _consistency_check,
    "consistency-check-size": _consistency_check_size,
    "high-churn": _high_churn,
    "new-disk": _new_disk,
    "disk-size": _disk_size,
    "vm-size": _vm_size,
    "vm-data-disks": _vm_data_disks,
    "vm-disks": _vm_disks,
    "policy-vms": _policy_vms,
    "vault-vms": _vault_vms,
    "shortest-retention": _shortest_retention,
    "recovery-points": _recovery_points,
    "graded-retention": _graded_retention,
    "snapshot-retention": _snapshot_retention,
    "snapshot-days": _snapshot_days,
    "weekly-snapshot-days": _weekly_snapshot_days,
    "offered-retention": _offered_retention,
    "unmanaged-disks": _unmanaged_disks,
    "enhanced-disks": _enhanced_disks,
    "daily-backups": _daily_backups,
    "enhanced-interval": _enhanced_interval,
}
