"""Examples of every command, as its ``--help`` shows them and the tests run them.

They run in order in a folder that holds the files of ``book/examples``, the book's
``fleet.csv`` and the notebook ``billing.ipynb``.
"""

__all__ = ["EXAMPLES", "epilog"]

EXAMPLES = {
    "import": (
        (
            "An inventory of the VMs in a vault, with the used sizes you know",
            "vmbmodel import --disks disks.json --vms vms.json --items items.json "
            "--policies policies.json --used used.csv --protected-only -o own.csv",
        ),
        (
            "Of all VMs, with 60 % for what nothing is known of",
            "vmbmodel import --disks disks.json --vms vms.json --used-frac 0.6",
        ),
    ),
    "jobs": (
        ("What the job log says of each backup", "vmbmodel jobs jobs.json"),
        ("As CSV, for a spreadsheet", "vmbmodel jobs jobs.json --format csv"),
    ),
    "calibrate": (
        (
            "What a job log tells of the service, and a profile of it",
            "vmbmodel calibrate joblog.csv -o mine.toml",
        ),
        (
            "An estimate with that profile",
            "vmbmodel estimate fleet.csv --profile mine.toml",
        ),
    ),
    "estimate": (
        ("Times, chances and bill of every VM", "vmbmodel estimate fleet.csv"),
        (
            "With another churn, and vault storage in one region",
            "vmbmodel estimate fleet.csv --set churn_frac=0.02 --set redundancy=LRS",
        ),
        (
            "With a scenario of your own, for another program",
            "vmbmodel estimate fleet.csv --scenario mornings.toml --format json",
        ),
        (
            "With a table of the policies that the inventory names",
            "vmbmodel estimate two-policies.csv --policies policies.toml",
        ),
        (
            "In a pipeline: exit with 1 if a VM may miss its deadline",
            "vmbmodel estimate fleet.csv --fail-on 'deadline_prob<0.95'",
        ),
    ),
    "doubt": (
        (
            "How far the answers may be off, and what to measure first",
            "vmbmodel doubt fleet.csv",
        ),
        (
            "The same with a rate that you have measured",
            "vmbmodel doubt fleet.csv --set incremental_mib_s=40",
        ),
    ),
    "check": (
        ("Against the limits and practices of the profile", "vmbmodel check fleet.csv"),
        (
            "Against those in force on a date",
            "vmbmodel check fleet.csv --as-of 2018-12-11",
        ),
        (
            "For a code host, which shows findings beside the lines",
            "vmbmodel check fleet.csv --format sarif -o check.sarif",
        ),
    ),
    "schedule": (
        (
            "Starts outside business hours, the policies for them, and the day before "
            "and after",
            "vmbmodel schedule fleet.csv --blackout 8-18 --figure day.svg",
        ),
        (
            "With the starts planned, as an inventory to estimate and check",
            "vmbmodel schedule fleet.csv --blackout 8-18 --fleet-out planned.csv",
        ),
    ),
    "report": (
        (
            "A page, a workbook and a record, to hand on",
            "vmbmodel report fleet.csv -o tonight --title 'Backups of one night'",
        ),
    ),
    "init": (
        (
            "A scenario file that explains every setting",
            "vmbmodel init -o scenario.toml",
        ),
        (
            "The same, with the constants of 2018",
            "vmbmodel init --profile azure-2018-12",
        ),
    ),
    "verify": (
        (
            "Save an estimate",
            "vmbmodel estimate fleet.csv --format json -o saved.json",
        ),
        ("See whether it still holds", "vmbmodel verify saved.json"),
    ),
    "diff": (
        (
            "Save an estimate, and one with another policy",
            "vmbmodel estimate fleet.csv --format json -o before.json",
        ),
        (
            "",
            "vmbmodel estimate fleet.csv --set recovery_points=7 --format json "
            "-o after.json",
        ),
        ("What changed between them, and why", "vmbmodel diff before.json after.json"),
    ),
    "dispersion": (
        (
            "How scattered the changes of two days are",
            "vmbmodel dispersion monday.csv tuesday.csv --disk-gib 1",
        ),
    ),
    "reconcile": (
        (
            "A month's bill beside the model",
            "vmbmodel reconcile bill-fleet.csv bill.csv --stopped bill-stopped.csv",
        ),
    ),
    "sweep": (
        (
            "The wait over three axes, as a store of arrays",
            "vmbmodel sweep waits.toml -o waits.zarr",
        ),
        (
            "The bill for some churns and redundancies, as CSV",
            "vmbmodel sweep bills.toml",
        ),
    ),
    "fields": (
        ("What every name means", "vmbmodel fields"),
        ("As CSV", "vmbmodel fields --format csv -o fields.csv"),
    ),
    "profiles": (
        ("What profiles there are", "vmbmodel profiles"),
        ("Every constant of one, with its source", "vmbmodel profiles azure-2018-12"),
    ),
    "limits": (
        ("What tables of limits there are", "vmbmodel limits"),
        ("Every limit of one, with its source", "vmbmodel limits 2018-12"),
    ),
    "rerun": (
        (
            "A notebook of the book with your own VMs",
            "vmbmodel rerun day.ipynb --set jobs=20 --set job_h=1 -o results",
        ),
    ),
    "prices": (
        ("What price books there are", "vmbmodel prices"),
        ("Every price of one, with its source", "vmbmodel prices azure-list-2026-01"),
    ),
    "prices show": (
        ("Every price of a book", "vmbmodel prices show azure-list-2026-01"),
    ),
    "prices import": (
        (
            "A price book of saved pages of the retail price list",
            "vmbmodel prices import retail.json --region westeurope -o mine.toml",
        ),
    ),
}
"""By command: what an example does, and its line."""


def epilog(command: str) -> str:
    """Return the examples of a command as its help shows them."""
    lines = ["\b", "Examples:"]
    for what, line in EXAMPLES[command]:
        lines += [f"  # {what}"] if what else []
        lines.append(f"  {line}")
    return "\n".join(lines)
