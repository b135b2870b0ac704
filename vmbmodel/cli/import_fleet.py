"""``vmbmodel import``."""

from pathlib import Path
from typing import Annotated

import typer

from vmbmodel._files import refuse_special
from vmbmodel._words import first_lines
from vmbmodel.cli.options import DateOrderOption, ForceOption, OutputOption
from vmbmodel.cli.present import deliver, in_the_way
from vmbmodel.cli.remarks import progress_bar, say

__all__ = ["import_fleet"]


def import_fleet(
    disks: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="`az disk list`; repeatable."),
    ] = None,
    vms: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="`az vm list`; repeatable."),
    ] = None,
    items: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="`az backup item list`; repeatable."),
    ] = None,
    jobs: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Job logs with sizes, as `vmbmodel jobs`."),
    ] = None,
    policies: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="`az backup policy list`; repeatable."),
    ] = None,
    vaults: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="`az backup vault list`, for redundancy."),
    ] = None,
    used: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Used sizes: CSV with vm, disk (or not), used_gib; or an export with "
            "BackupItemFrontEndSize.",
        ),
    ] = None,
    terraform: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="JSON",
            help="`terraform show -json` of a state or plan, in the place of all lists "
            "above; repeatable.",
        ),
    ] = None,
    rvtools: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="CSV",
            help="Sheets vDisk and vPartition of RVTools, for VMs yet to be moved.",
        ),
    ] = None,
    used_frac: Annotated[
        float | None,
        typer.Option(help="Share of its size used by a disk nothing is known of."),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(help="Zone of start_h; that of most policies by default."),
    ] = None,
    date_order: DateOrderOption = None,
    protected_only: Annotated[
        bool, typer.Option(help="Leave out VMs that no item protects.")
    ] = False,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Make an inventory of what Azure's tools list.

    Azure lists provisioned sizes, no used bytes. Those come from --used, from
    --jobs or from --used-frac; nothing is guessed, and each row says its origin.
    With --policies, each VM gets what its policy keeps, and a table of all that
    the policies say is written beside the inventory, as `estimate` takes it too.
    """
    from vmbmodel.inventory import azure, fleet

    lists = {
        "items": items,
        "policies": policies,
        "vaults": vaults,
        "jobs": jobs,
        "used": used,
    }
    if rvtools:
        others = {"disks": disks, "vms": vms, "terraform": terraform} | lists
        others |= {"time-zone": time_zone, "date-order": date_order}
        others["protected-only"] = protected_only
        if given := [f"--{name}" for name, value in others.items() if value]:
            raise ValueError(f"--rvtools stands alone; got {', '.join(given)} too")
        with progress_bar() as progress:
            progress("reading", 0, 0)
            found = azure.read_rvtools(rvtools, used_frac=used_frac)
    else:
        both = terraform or []
        for path in both:
            if path.exists():
                refuse_special(path)  # which cannot be read once for each list
        disks, vms = [*(disks or ()), *both], [*(vms or ()), *both]
        if not (disks and vms):
            raise ValueError("give --disks and --vms, or --terraform, or --rvtools")
        lists |= {
            n: [*(lists[n] or ()), *both] for n in ("items", "policies", "vaults")
        }
        with progress_bar() as progress:
            progress("reading", 0, 0)
            found = azure.read(
                disks,
                vms,
                **{name: paths or () for name, paths in lists.items()},
                used_frac=used_frac,
                time_zone=time_zone,
                date_order=date_order,
                protected_only=protected_only,
            )
    if len(found.disks):
        besides = {}
        if output is not None and len(found.policies):
            beside = output.with_name(f"{output.stem}-policies.csv")
            text = found.policies.to_csv(index=False, lineterminator="\n")
            besides[beside] = text.encode()
            if problems := in_the_way(output, beside, force=force):
                raise ValueError(first_lines(problems))
        made = fleet.to_bytes(found.disks, output or "fleet.csv")
        text = made if output else made.decode()
        deliver(text, output, force=force, besides=besides)
        if besides:
            say(f"What the policies say, whole: {beside}.")
    for line in found.summary():
        say(line)
    if not len(found.disks):
        typer.echo("vmbmodel: no VM is left, so there is no inventory", err=True)
        raise typer.Exit(2)
