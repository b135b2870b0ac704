"""``vmbmodel diff``."""

import math
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel._words import counted
from vmbmodel.cli.options import ForceOption, FormatOption, OutputOption
from vmbmodel.cli.present import Condition, Format, present
from vmbmodel.render import render_csv, render_json, render_table

__all__ = ["diff"]

_SHOWN = 20  # VMs that a table lists before it counts

_ALIKE_FRAC = 1e-9  # up to which two figures of a VM are one

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
        failed=[
            f"--fail-on {gate.text}"
            for gate in gates
            if gate.met(*totals.loc[gate.name, _GATED])
        ],
        table=lambda: _text(answer),
        json=lambda: render_json(answer.to_dict()),
        csv=lambda: render_csv(answer.to_dict()["vms"], list(answer.vms.columns)),
    )


def _text(answer) -> str:
    found = answer.to_dict()
    compared = [
        c.removeprefix("before_") for c in answer.vms if c.startswith("before_")
    ]
    changed = [row for row in found["totals"] if row["change"]]
    moved = [(row, _moved(row, compared)) for row in found["vms"]]
    moved = [(row, columns) for row, columns in moved if columns]
    if not changed and not moved:
        return "Nothing changed."
    names = [row["total"] for row in changed if row["total"].endswith("_usd")]
    lines = [render_table(changed, ["total", "before", "after", "change"])]
    if found["causes"] and names:
        lines += [render_table(found["causes"], ["cause", *names, "text"])]
    if moved:
        seen = set().union(*(columns for _, columns in moved))
        pairs = ((f"before_{c}", f"after_{c}") for c in compared if c in seen)
        columns = ["vm", *(name for pair in pairs for name in pair)]
        rows = sorted((row for row, _ in moved), key=_size, reverse=True)
        lines += [render_table(rows[:_SHOWN], columns)]
        if len(rows) > _SHOWN:
            lines.append(f"and {counted(len(rows) - _SHOWN, 'more VM')} that changed.")
    return "\n".join(lines)


def _moved(row, compared) -> list[str]:
    """Return which of the columns that are compared changed of a VM."""
    return [c for c in compared if not _alike(row[f"before_{c}"], row[f"after_{c}"])]


def _alike(before, after) -> bool:
    """Say whether two values differ by the last digits of a sum at most."""
    if isinstance(before, int | float) and isinstance(after, int | float):
        return math.isclose(before, after, rel_tol=_ALIKE_FRAC)
    return before == after


def _size(row) -> tuple[float, float]:
    """Return how much bill and time of a VM changed."""
    usd, done_h = (
        abs(_number(row[f"after_{c}"]) - _number(row[f"before_{c}"]))
        for c in ("total_usd", "done_p95_h")
    )
    return round(usd, 2), done_h


def _number(value) -> float:
    return value if isinstance(value, int | float) else 0.0
