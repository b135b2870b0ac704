"""The same inventory under other settings: what each choice would come to."""

from collections.abc import Iterable, Mapping

import pandas as pd

from vmbmodel.fields import fields
from vmbmodel.inventory.fleet import COLUMNS as DISK_COLUMNS
from vmbmodel.inventory.fleet import disks_of
from vmbmodel.plan.estimate.answer import estimate_disks
from vmbmodel.plan.facts import Fleet
from vmbmodel.plan.scenario import Scenario, parse_setting

__all__ = ["compare", "compare_disks", "parse_case"]


def parse_case(text: str) -> list[dict[str, object]]:
    """Read what to compare: a choice of which to try all, or settings.

    Raises
    ------
    ValueError
        If a name is unknown, or a value not allowed; with every fault at once.

    Examples
    --------
    >>> parse_case("snapshot_policy")
    [{'snapshot_policy': 'standard'}, {'snapshot_policy': 'enhanced'}]
    >>> parse_case("recovery_points=7 weekly_points=52")
    [{'recovery_points': 7.0, 'weekly_points': 52.0}]
    """
    words = text.split()
    if len(words) == 1 and "=" not in text:
        field = fields().get(words[0])
        choices = field and (field.choices or (field.kind == "flag" and (False, True)))
        if not choices:
            raise ValueError(
                f"{words[0]} has no choices to try all of; give values, as in "
                f"'{words[0]}=VALUE'"
            )
        return [{words[0]: choice} for choice in choices]
    case, problems = {}, []
    for word in words:
        name, equals, value = word.partition("=")
        try:
            if not equals:
                raise ValueError(f"a case is NAME=VALUE and more of it; got {word!r}")
            case[name] = parse_setting(name, value)
        except ValueError as error:
            problems.append(str(error))
    if problems or not case:
        raise ValueError("\n".join(problems or ["there is nothing to compare in ''"]))
    return [case]


def compare(
    fleet: Fleet, scenario: Scenario | None, cases: Iterable[Mapping[str, object]]
) -> list[dict[str, object]]:
    """Estimate an inventory as it is, and in every case.

    Parameters
    ----------
    fleet : path-like or DataFrame
        A row a disk: a file, or a table that is checked as a file is.
    scenario : Scenario or None
        Constants and settings that all cases share; the defaults if None.
    cases : iterable of Mapping[str, object]
        Settings of each. A column of the inventory is then taken for all disks, in
        whatever they differ.

    Returns
    -------
    list of dict
        The ``case`` and the totals of its estimate, the present one first.

    Raises
    ------
    InventoryError
        If anything is wrong with the inventory; with all findings.
    ValueError
        If a setting is unknown or not allowed.

    Examples
    --------
    >>> disk = dict(vm="a", disk="os", role="os", size_gib=128, used_gib=47)
    >>> rows = compare(pd.DataFrame([disk]), None, parse_case("redundancy=LRS"))
    >>> for row in rows:
    ...     print(row["case"], round(row["storage_usd"], 2))
    as it is 5.16
    redundancy=LRS 2.58
    """
    return compare_disks(disks_of(fleet), scenario or Scenario.of(), cases)


def compare_disks(
    fleet: pd.DataFrame, scenario: Scenario, cases: Iterable[Mapping[str, object]]
) -> list[dict[str, object]]:
    """Compare the cases of an inventory that has been checked, as `compare` does."""
    rows = [{"case": "as it is"} | dict(estimate_disks(fleet, scenario).total)]
    for case in cases:
        columns = {name: value for name, value in case.items() if name in DISK_COLUMNS}
        answer = estimate_disks(fleet.assign(**columns), scenario.changed(case))
        rows.append({"case": _said(case)} | dict(answer.total))
    return rows


def _said(case: Mapping[str, object]) -> str:
    shown = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in case.items()
    }
    return " ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in shown.items()
    )
