"""``vmbmodel doubt``."""

from typing import Annotated

import typer

from vmbmodel.cli.options import (
    AsOfOption,
    FleetArgument,
    ForceOption,
    FormatOption,
    IntervalVmsOption,
    LimitsOption,
    OnlyOption,
    OutputOption,
    PoliciesOption,
    PolicyOption,
    PricesOption,
    ProfileOption,
    ScenarioOption,
    SetOption,
    VaultOption,
    date_of,
    located_in,
    settings_from,
)
from vmbmodel.cli.present import Format, present
from vmbmodel.render import render_csv, stream_json

__all__ = ["doubt"]


def doubt(
    fleet: FleetArgument,
    profile: ProfileOption = None,
    prices: PricesOption = None,
    limits: LimitsOption = None,
    as_of: AsOfOption = None,
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    policies: PoliciesOption = None,
    only: OnlyOption = None,
    vault: VaultOption = None,
    policy: PolicyOption = None,
    draws: Annotated[
        int,
        typer.Option(min=32, max=2**16, help="How often what is not known is drawn."),
    ] = 512,
    seed: Annotated[int, typer.Option(min=0, help="Which draws.")] = 1,
    interval_vms: IntervalVmsOption = 10_000,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Say how far an estimate may be off, what that comes of, and what to measure.

    Every constant that nobody has measured is drawn from what else it may be. What you
    set, or give in a column, is not.
    """
    from vmbmodel.plan import sealed
    from vmbmodel.plan.estimate import doubt_of_disks
    from vmbmodel.render import doubt_text

    sets = {"profile": profile, "prices": prices, "limits": limits}
    date = date_of(as_of, limits)
    with settings_from(scenario, set_, date=date, **sets) as settings:
        disks = located_in(fleet, settings, only, vault, policy, policies).disks
        answer = doubt_of_disks(disks, settings, draws, seed, interval_vms)
    present(
        format_,
        output,
        force=force,
        table=lambda: doubt_text(answer),
        json=lambda: stream_json(sealed(answer.items())),
        csv=lambda: render_csv(answer.rows(), answer.columns),
    )
