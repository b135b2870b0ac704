"""``vmbmodel reconcile``."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.cli.options import (
    DateOrderOption,
    FleetArgument,
    ForceOption,
    FormatOption,
    OutputOption,
    PoliciesOption,
    PricesOption,
    ProfileOption,
    ScenarioOption,
    SetOption,
    settings_from,
)
from vmbmodel.cli.present import Format, present
from vmbmodel.cli.remarks import progress_bar
from vmbmodel.render import render_csv, render_json, render_table

__all__ = ["reconcile"]


class _Cost(enum.StrEnum):
    BILLED = "billed"
    EFFECTIVE = "effective"
    CONTRACTED = "contracted"
    LIST = "list"


def reconcile(
    fleet: FleetArgument,
    bills: Annotated[
        list[Path],
        typer.Argument(
            metavar="BILL...", help="Cost export: CSV of FOCUS or of Cost Management."
        ),
    ],
    stopped: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Inventory of VMs no longer backed up whose data is retained.",
        ),
    ] = None,
    policies: PoliciesOption = None,
    cost: Annotated[
        _Cost, typer.Option(help="Which cost of the bill to compare.")
    ] = _Cost.BILLED,
    date_order: DateOrderOption = None,
    usd_per_unit: Annotated[
        float | None,
        typer.Option(help="Dollars for a unit of the bill's currency."),
    ] = None,
    profile: ProfileOption = None,
    prices: PricesOption = None,
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
    tolerance_frac: Annotated[
        float | None,
        typer.Option(
            min=0, help="Exit with 1 if bill and model differ by a larger share."
        ),
    ] = None,
) -> None:
    """Compare what was billed with the model, and say why the two differ."""
    from vmbmodel.inventory import bill
    from vmbmodel.inventory.fleet import read_fleet
    from vmbmodel.plan.bill import reconcile as compare

    with settings_from(scenario, set_, profile=profile, prices=prices) as settings:
        disks = read_fleet(fleet, policies)
        retained = read_fleet(stopped, policies) if stopped else None
        with progress_bar() as progress:
            charged = bill.read(
                bills, cost=cost.value, date_order=date_order, progress=progress
            )
        answer = compare(
            disks, charged, settings, stopped=retained, usd_per_unit=usd_per_unit
        )
    off, failed = abs(answer.difference_frac), []
    if tolerance_frac is not None and off > tolerance_frac:
        failed.append(f"--tolerance-frac {tolerance_frac:g}: off by {off:.4f}")
    present(
        format_,
        output,
        force=force,
        failed=failed,
        table=lambda: _text(answer),
        json=lambda: render_json(answer.to_dict()),
        csv=lambda: render_csv(
            answer.lines.to_dict("records"), list(answer.lines.columns)
        ),
    )


def _text(answer) -> str:
    rows = answer.to_dict()
    causes = [
        f"  {usd:+12,.2f}  {entry['cause']}: {entry['text']}"
        for entry in rows["causes"]
        if (usd := round(entry["difference_usd"], 2))
    ]
    lines = [
        render_table(rows["lines"], list(answer.lines.columns)),
        f"Billed {answer.billed_usd:,.2f} USD, modelled {answer.modelled_usd:,.2f} USD "
        f"over {_months(answer.months)}: {answer.difference_usd:+,.2f} USD "
        f"({answer.difference_frac:+.1%})" + (", of which" if causes else "."),
        *causes,
    ]
    if answer.notes:
        lines += ["", *answer.notes]
    return "\n".join(lines)


def _months(count: float) -> str:
    return "1 month" if count == 1 else f"{count:.3g} months"
