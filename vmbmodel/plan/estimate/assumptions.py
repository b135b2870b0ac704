"""What an estimate takes for granted, and how to take it otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vmbmodel.fields import fields
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import readings

__all__ = ["Assumption", "assumptions"]

_ALWAYS = (
    (
        "month",
        "The bill is that of a full month, long after the first backup, at the size "
        "and churn of the inventory.",
    ),
    (
        "own-line",
        "VMs of one vault are served in the order of their starts, and within a "
        "start in that of the inventory, vault_servers at a time, every day alike; "
        "other customers' jobs are waited for besides, as at the hour of the start.",
    ),
    (
        "parallel-disks",
        "All disks of a VM are copied at the same time. Managed ones share vm_mib_s, "
        "which is no limit unless you set one; unmanaged ones of one storage account "
        "that start together share what its applications, application_frac of it, "
        "leave of what it gives.",
    ),
    (
        "restore",
        "A VM is restored into an account of its own; all of them at once into "
        "restore_accounts accounts, one for each VM if that is not set, dealt in the "
        "order of the inventory, vault_servers of a vault at a time.",
    ),
    (
        "start-slack",
        "Times count from the start of the job, which may come up to start_slack_h "
        "after the scheduled hour.",
    ),
)


@dataclass(frozen=True)
class Assumption:
    """One thing taken for granted.

    Parameters
    ----------
    id : str
        Name of the assumption.
    text : str
        What is assumed.
    value : object
        The value taken, if it is one.
    switch : str
        How to assume something else; empty if that cannot be done.
    """

    id: str
    text: str
    value: object
    switch: str


def assumptions(scenario: Scenario, taken: Mapping[str, int]) -> tuple[Assumption, ...]:
    """List what an estimate rests on.

    Parameters
    ----------
    scenario : Scenario
        Constants and settings of the estimate.
    taken : Mapping[str, int]
        Number of disks, by column, whose cell was blank and was filled.
    """
    return (
        *_from_columns(scenario, taken),
        *_from_readings(scenario),
        *_from_constants(scenario),
        *_from_retention(scenario),
        *(Assumption(name, text, None, "") for name, text in _ALWAYS),
    )


def _from_columns(scenario, taken) -> Iterator[Assumption]:
    for name, disks in taken.items():
        if not disks:
            continue
        plural = "disk" if disks == 1 else "disks"
        if name == "disk_type":
            text = f"No tier limits the copy of {disks} {plural} without a disk_type."
            yield Assumption(f"column.{name}", text, None, f"fill the column {name}")
            continue
        value = scenario[name]
        shown = str(value).lower() if isinstance(value, bool) else value
        what = f"{name} taken as {shown}"
        if name == "churn_gib_per_day" and value is None:
            value = scenario["churn_frac"]
            what = f"{name} taken as {value:g} of used_gib"
        yield Assumption(
            f"column.{name}",
            f"{what} for {disks} {plural} without one.",
            value,
            f"fill the column {name}, or --set {name}=VALUE",
        )


def _from_readings(scenario) -> Iterator[Assumption]:
    for reading in readings():
        switched = any(name in scenario.given for name in reading.settings)
        settings = " ".join(f"--set {setting}" for setting in reading.switch.split())
        text = "Read as the caller set it." if switched else reading.default
        value = {n: scenario[n] for n in reading.settings} if switched else None
        yield Assumption(f"reading.{reading.id}", text, value, settings)


def _from_retention(scenario) -> Iterator[Assumption]:
    longer = (scenario[f"{level}_points"] for level in ("weekly", "monthly", "yearly"))
    if any(longer) and "rewritten_frac" not in scenario.given:
        yield Assumption(
            "overlap",
            "Of what changes in a day, nothing is known to change again in the next: "
            "changes fall at random over all data, and weekly and longer points hold "
            "more than most do.",
            scenario["rewritten_frac"],
            "--set rewritten_frac=SHARE",
        )


def _from_constants(scenario) -> Iterator[Assumption]:
    for kind, constants in scenario.sets():
        for name, origin in constants.origins.items():
            if origin.status == "assumed":
                text = f"{fields()[name].text} {origin.note}".strip()
                switch = f"--set {name}=VALUE"
                yield Assumption(f"{kind}.{name}", text, constants[name], switch)
