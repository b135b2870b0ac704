"""Where starts and policies break the rules of a schedule."""

from collections.abc import Iterator

import pandas as pd

from vmbmodel.plan import practices
from vmbmodel.plan.practices import Place
from vmbmodel.plan.schedule.alike import Rules
from vmbmodel.plan.schedule.policy_names import clock

__all__ = ["broken"]


def broken(
    vms: pd.DataFrame, disks: pd.DataFrame, rules: Rules
) -> Iterator[tuple[str, Place]]:
    """Find what the rules do not allow, each with the name of its rule.

    Parameters
    ----------
    vms : DataFrame
        VMs to be backed up, indexed by name: ``vault``, ``policy``, ``start_h``,
        ``backup_p95_h``.
    disks : DataFrame
        Unmanaged disks that are backed up: ``vm``, ``storage_account``.
    rules : Rules
        What has to be kept.
    """
    yield from (("blackout", place) for place in _in_blackout(vms, rules))
    if rules.done_by_h is not None:
        yield from (("done_by_h", place) for place in _too_late(vms, rules))
    if rules.vault_vms is not None:
        for place in practices.crowded_starts(vms, rules.vault_vms):
            yield "vault_vms", place
    if rules.policy_vms is not None:
        for place in practices.crowded_policies(vms, rules.policy_vms):
            yield "policy_vms", place
    if rules.account_disks is not None:
        own = disks.assign(
            **{name: disks["vm"].map(vms[name]) for name in ("vault", "policy")}
        )
        for place in practices.crowded_schedules(own, rules.account_disks):
            yield "account_disks", place


def _in_blackout(vms: pd.DataFrame, rules: Rules) -> Iterator[Place]:
    starts = vms["start_h"].drop_duplicates()
    bad = starts[[not rules.may_start(hour) for hour in starts]]
    found = vms[vms["start_h"].isin(bad)]
    for (vault, start_h), group in found.groupby(["vault", "start_h"], sort=False):
        text = (
            f"{len(group)} VMs of vault {vault} start at {clock(start_h)}, in a "
            f"blackout or within {rules.start_slack_h:g} h before one."
        )
        yield Place({"vault": vault, "start_h": start_h}, len(group), None, text)


def _too_late(vms: pd.DataFrame, rules: Rules) -> Iterator[Place]:
    begin_h = rules.from_origin_h(vms["start_h"]) + rules.start_slack_h
    late_h = begin_h + vms["backup_p95_h"] - rules.within_h
    for name, hours in late_h[late_h > 1e-9].items():
        text = (
            f"Starting at {clock(vms.loc[name, 'start_h'])}, its backup is done "
            f"{hours:.1f} h after {clock(rules.done_by_h)} in one of 20 cases."
        )
        yield Place({"vm": name}, hours, 0, text)
