"""An estimate as text, JSON and CSV, with what other cases come to."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from vmbmodel._words import counted
from vmbmodel.fields import shown
from vmbmodel.plan import plain, sealed
from vmbmodel.plan.estimate import (
    Doubt,
    Estimate,
    month_totals,
    restore_said,
    wait_said,
)
from vmbmodel.render.csv import render_csv, stream_csv
from vmbmodel.render.doubts import taken
from vmbmodel.render.json import stream_json
from vmbmodel.render.sets import sets_used
from vmbmodel.render.table import render_table

__all__ = ["estimate_csv", "estimate_json", "estimate_text", "has_many", "rows_of"]

Cases = Sequence[Mapping[str, object]]

_TABLE_COLUMNS = (
    "vm",
    "disks",
    "used_gib",
    "transfer_h",
    "wait_mean_h",
    "done_p50_h",
    "done_p95_h",
    "done_p95_clock",
    "deadline_prob",
    "restore_vault_p95_h",
    "protected_instances",
    "total_usd",
)

_SPARE_COLUMNS = (
    "wait_mean_h",
    "transfer_h",
    "protected_instances",
    "used_gib",
    "disks",
    "done_p50_h",
)

_MONTH_COLUMNS = (
    "month",
    "used_gib",
    "protected_instances",
    "stored_gib",
    "instance_usd",
    "storage_usd",
    "snapshot_usd",
    "total_usd",
)

_SEEN_DRAWN = (
    "vm",
    "transfer_h",
    "done_p50_h",
    "done_p95_h",
    "done_p95_clock",
    "deadline_prob",
    "restore_vault_p95_h",
    "total_usd",
)

_SPARE_DRAWN = ("transfer_h", "done_p50_h", "done_p95_clock", "restore_vault_p95_h")

_DECISIVE = (
    "incremental_mib_s",
    "others_wait_mean_h",
    "vault_servers",
    "churn_frac",
    "dispersion",
    "restore_p50_h",
    "restore_mib_s",
    "cell_kib",
    "grs_usd_per_gib_month",
)
"""Constants that decide most fleets, where none is doubted by itself."""

_BRACKETS = (
    "(a - b): 8 times of 10 the figure lies from a to b, for what nobody has measured. "
    "Probabilities are cut, never rounded up: 0.999 may be more."
)

_SAID = 8

_MOST_VMS = 100_000
"""VMs of which the JSON has a row each."""

_FIRST = 10  # warnings of a kind that it has of more

_ROWS = ("vms", "starts", "inventory")

_CASE_COLUMNS = ("case", *_MONTH_COLUMNS[2:], "expected_misses")


def estimate_text(answer: Estimate, compared: Cases = ()) -> str:
    """Return an estimate as a person reads it, and what other cases come to."""
    columns, spare, doubt = _TABLE_COLUMNS, _SPARE_COLUMNS, answer.drawn
    rows, ends = answer.vms, {}
    if doubt is not None:
        columns, spare = _SEEN_DRAWN, _SPARE_DRAWN
        rows, ends = doubt.beside(rows), doubt.beside_total(answer.total)
    month = f"; in a month {ends[name]}" if (name := "misses_per_month") in ends else ""
    footer = {"vm": counted(answer.total["vms"], "VM")} | answer.total | ends
    instances, storage, snapshots = (
        answer.total[name] for name in ("instance_usd", "storage_usd", "snapshot_usd")
    )
    lines = [
        render_table(rows.to_dict("records"), columns, footer=footer, spare=spare),
        "",
        *(() if doubt is None else (_BRACKETS, "", *doubt.said())),
        answer.objective_said(),
        "",
        *_rests_on(answer),
        "",
        sets_used(answer.scenario),
        f"Bill of a month: protected instances {instances:,.2f}, vault storage "
        f"{storage:,.2f}, snapshots {snapshots:,.2f} USD.",
        f"Deadlines missed a night, on average: {answer.misses_said()}{month}.",
        *wait_said(answer.scenario),
        *restore_said(answer.scenario),
        "All VMs restored at once from the vault: done within "
        f"{answer.total['restore_all_h']:.1f} h, in 95 of 100 cases.",
    ]
    if answer.starts is not None:
        lines += [_starts_said(answer.starts)]
    if answer.months is not None:
        totals = month_totals(answer.months).to_dict("records")
        lines += ["", "Months to come, all VMs:", render_table(totals, _MONTH_COLUMNS)]
    if compared:
        lines += ["", "In other cases, all VMs:"]
        lines += [render_table(compared, _CASE_COLUMNS)]
    if answer.warnings:
        lines += ["", f"Worth a look ({len(answer.warnings)}):"]
        lines += list(_grouped(answer.warnings))
    return "\n".join(lines)


def estimate_json(
    answer: Estimate, compared: Cases = (), rows_in: Mapping[str, object] | None = None
) -> Iterator[str]:
    """Give an estimate as JSON, piece by piece, and what other cases come to.

    Where it has many VMs, it says in which file their rows are, if in any.
    """
    parts = {"comparisons": plain(compared)} if compared else {}
    items = _without_rows(answer, rows_in) if has_many(answer) else answer.items()
    return stream_json(sealed(itertools.chain(items, parts.items())))


def estimate_csv(answer: Estimate, compared: Cases = ()) -> Iterator[str]:
    """Give the VMs of an estimate as CSV, or its months, or other cases."""
    if compared:
        return iter([render_csv(compared, list(compared[0]))])
    return stream_csv(rows_of(answer))


def rows_of(answer: Estimate) -> pd.DataFrame:
    """Return the rows that a file of one table holds."""
    return answer.figures if answer.months is None else answer.months


def has_many(answer: Estimate) -> bool:
    """Say whether an estimate has more VMs than JSON holds a row of each."""
    return len(answer.vms) > _MOST_VMS


def _without_rows(
    answer: Estimate, rows_in: Mapping[str, object] | None
) -> Iterator[tuple[str, object]]:
    """Give the parts of an estimate without a row a VM or disk.

    Of the warnings, of which there may be as many, the first of each kind stay.
    """
    kinds = _by_kind(answer.warnings)
    kept = {
        "warnings": [first for found in kinds.values() for first in found[:_FIRST]],
        "warning_counts": {code: len(found) for code, found in kinds.items()},
    }
    for name, part in answer.items():
        if name == "vms":
            yield "vms_file", plain(rows_in)
        elif name == "warnings":
            yield from plain(kept).items()
        elif name not in _ROWS:
            yield name, part


def _rests_on(answer: Estimate) -> Iterator[str]:
    """Say what decides the figures, and what that rests on, the weightiest first."""
    shares = " (shares of the doubt), and what settles it" if answer.drawn else ""
    yield f"What decides{shares}:"
    for line in _shares_said(answer.drawn) if answer.drawn else _figures_said(answer):
        yield f"  {line}"
    chosen = [
        f"{name} {shown(name, answer.scenario[name])}"
        for name in ("recovery_points", "deadline_h", "rto_h")
        if answer.takes(name)
    ]
    if chosen:
        yield f"  Yours to choose, and taken as: {', '.join(chosen)}."
    yield f"  Assumed in all: {len(answer.assumptions)}; --format json lists them."


def _shares_said(doubt: Doubt) -> Iterator[str]:
    """Say what has part in the doubt in the answers, and what settles it."""
    of = {}
    for share in doubt.shares:
        of.setdefault(share.name, []).append(share)
    first_of = {n: max(s, key=lambda share: share.share) for n, s in of.items()}
    for name in sorted(of, key=lambda name: -first_of[name].share)[:_SAID]:
        shares, first = of[name], first_of[name]
        parts = ", ".join(f"{one.share:.0%} of {one.answer}" for one in shares)
        what = f"{name.removeprefix('reading.')} {taken(first)}".strip()
        yield f"{what}, {first.status}: {parts}; {first.settled_by}."


def _figures_said(answer: Estimate) -> Iterator[str]:
    """Say what those constants are that decide most fleets."""
    scenario = answer.scenario
    for _, constants in scenario.sets():
        for name in _DECISIVE:
            if name in constants and answer.takes(name):
                status = constants.origins[name].status
                status = "guess" if status == "assumed" else status
                yield f"{name} {shown(name, constants[name])} ({status})"


def _grouped(notices) -> Iterator[str]:
    """Say the first of each kind, and how many more there are."""
    for code, (first, *more) in _by_kind(notices).items():
        yield f"  {first.vm or 'fleet'}: {first.text} [{code}]"
        if more:
            yield f"    and {len(more):,} more like it; --format json lists them all."


def _by_kind(notices) -> dict[str, list]:
    kinds: dict[str, list] = {}
    for notice in notices:
        kinds.setdefault(notice.code, []).append(notice)
    return kinds


def _starts_said(starts: pd.DataFrame) -> str:
    """Say that some VMs start several times, and what is shown of them."""
    count = starts["vm"].nunique()
    oldest_h = starts["point_age_snapshot_h"].max()
    return (
        f"{count:,} VM{'s start' if count > 1 else ' starts'} several times a day; the "
        "last start, whose data go to the vault, is shown. Snapshots get up to "
        f"{oldest_h:.1f} h old; --format json has every start."
    )
