"""``vmbmodel diff``."""

import operator
import re
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.cli.options import ForceOption, FormatOption, OutputOption, bad_input
from vmbmodel.render.output import (
    Format,
    deliver,
    render_csv,
    render_json,
    render_table,
)

_SHOWN = 20  # VMs that a table lists before it counts

_CONDITION = re.compile(r"(\w+)\s*(<=|>=|<|>)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(%?)")

_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


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
    from vmbmodel.plan import saved as plan
    from vmbmodel.plan.saved import read

    with bad_input():
        answer = plan.diff(read(before), read(after))
        met = [_met(condition, answer.totals) for condition in fail_on or []]
    if format_ is Format.JSON:
        text = render_json(answer.to_dict())
    elif format_ is Format.CSV:
        rows = answer.to_dict()["vms"]
        text = render_csv(rows, list(answer.vms.columns))
    else:
        text = _text(answer)
    with bad_input():
        deliver(text, output, force=force)
    if any(met):
        raise typer.Exit(1)


def _met(condition: str, totals) -> bool:
    """Say whether the change of a total, in its unit or in per cent, meets it."""
    from vmbmodel.fields import misnamed

    match = _CONDITION.fullmatch(condition.strip())
    if not match:
        raise ValueError(
            "--fail-on takes a total, <, <=, > or >=, and a change such as +5% or 100; "
            f"got {condition!r}"
        )
    name, sign, bound, percent = match.groups()
    if name not in totals.index:
        raise ValueError(f"--fail-on: there is no total {misnamed(name, totals.index)}")
    try:
        bound = float(bound)
    except ValueError:
        raise ValueError(f"--fail-on: {bound!r} is no number") from None
    if percent:
        bound *= abs(totals.at[name, "before"]) / 100
    return bool(_COMPARE[sign](totals.at[name, "change"], bound))


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
