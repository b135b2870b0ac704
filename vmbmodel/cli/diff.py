"""``vmbmodel diff``."""

from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.cli.options import ForceOption, FormatOption, OutputOption
from vmbmodel.cli.present import Condition, Format, present
from vmbmodel.render import render_csv, render_json, render_table

__all__ = ["diff"]

_SHOWN = 20  # VMs that a table lists before it counts

_GATED = ["change", "before"]  # what a condition is on, and what it is a share of


def diff(
    before: Annotated[Path, typer.Argument(help="JSON of an `estimate`.")],
    after: Annotated[Path, typer.Argument(help="JSON of a later `estimate`.")],
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="Exit with 1 if the change of a total meets it, such as "
            "'total_usd>+5%' or 'expected_misses>0.1'.",
        ),
    ] = None,
) -> None:
    """Say what changed between two saved estimates, and which cause changed it."""
    from vmbmodel.plan import saved

    answer = saved.diff(before, after)
    totals = answer.totals
    gates = [
        Condition.parse(text, totals.index, "total", percent=True)
        for text in fail_on or []
    ]
    present(
        format_,
        output,
        force=force,
        failed=any(gate.met(*totals.loc[gate.name, _GATED]) for gate in gates),
        table=lambda: _text(answer),
        json=lambda: render_json(answer.to_dict()),
        csv=lambda: render_csv(answer.to_dict()["vms"], list(answer.vms.columns)),
    )


def _text(answer) -> str:
    found = answer.to_dict()
    changed = [row for row in found["totals"] if row["change"]]
    if not changed and not any(_moved(row) for row in found["vms"]):
        return "Nothing changed."
    names = [row["total"] for row in changed if row["total"].endswith("_usd")]
    lines = [render_table(changed, ["total", "before", "after", "change"])]
    if found["causes"] and names:
        lines += [render_table(found["causes"], ["cause", *names, "text"])]
    moved = [row for row in found["vms"] if _moved(row)]
    if moved:
        moved.sort(key=_size, reverse=True)
        columns = [
            "vm",
            *(c for c in answer.vms if c.endswith(("total_usd", "deadline_prob"))),
        ]
        lines += [render_table(moved[:_SHOWN], columns)]
        if len(moved) > _SHOWN:
            lines.append(f"and {len(moved) - _SHOWN:,} more VMs that changed.")
    return "\n".join(lines)


def _moved(row) -> bool:
    """Say whether anything shown of a VM changed."""
    values = list(row.values())[1:]
    return values[::2] != values[1::2]


def _size(row) -> float:
    """Return how much the bill of a VM changed."""
    return abs((row["after_total_usd"] or 0) - (row["before_total_usd"] or 0))
