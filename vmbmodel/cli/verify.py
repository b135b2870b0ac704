"""``vmbmodel verify``."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel._words import counted, short
from vmbmodel.cli.present import deliver
from vmbmodel.render import fit

__all__ = ["verify"]

_SHOWN = 20  # differences that are listed before they are counted


def verify(
    result: Annotated[Path, typer.Argument(help="JSON of an `estimate`.")],
    tolerance: Annotated[
        float,
        typer.Option(
            min=0, help="Difference up to which numbers count as the same, relative."
        ),
    ] = 1e-9,
) -> None:
    """Compute a saved estimate again from what it holds, and compare."""
    import vmbmodel
    from vmbmodel.plan.saved import Inputs, differences, read_saved

    saved = read_saved(result)
    answer = Inputs.of(saved, str(result)).estimate()
    found = list(differences(saved, answer, tolerance))
    cells = len(answer.vms) * len(answer.vms.columns)
    lines = [
        f"{d.place}: saved {short(d.saved)}, now {short(d.now)}" for d in found[:_SHOWN]
    ]
    if len(found) > _SHOWN:
        columns = Counter(d.place.rpartition(".")[2] for d in found[_SHOWN:])
        more = ", ".join(f"{count:,} of {name}" for name, count in columns.items())
        lines.append(f"... and {len(found) - _SHOWN:,} more: {more}.")
    made_by = saved["model"].get("version")
    if made_by != vmbmodel.__version__:
        lines.append(f"Saved by version {made_by}; this is {vmbmodel.__version__}.")
    of_vms = f"{counted(cells, 'cell')} of {counted(len(answer.vms), 'VM')}"
    same = f"The same: {of_vms}, to {tolerance:g}."
    lines.append(f"{counted(len(found), 'difference')}." if found else same)
    deliver(fit("\n".join(lines)))
    if found:
        raise typer.Exit(1)
