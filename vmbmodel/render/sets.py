"""Which sets of constants an answer rests on."""

from vmbmodel.plan import Scenario

__all__ = ["sets_used"]


def sets_used(scenario: Scenario, *but: str) -> str:
    """Name the sets of constants that an answer rests on, but for some kinds."""
    return ", ".join(f"{k} {c.name}" for k, c in scenario.sets() if k not in but)
