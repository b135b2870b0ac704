"""``vmbmodel schedule``."""

import enum
import re
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel._words import first_lines, short, some
from vmbmodel.cli.options import (
    AsOfOption,
    FleetArgument,
    ForceOption,
    FormatOption,
    LimitsOption,
    OutputOption,
    PoliciesOption,
    ProfileOption,
    ScenarioOption,
    SetOption,
    date_of,
    settings_from,
)
from vmbmodel.cli.present import Format, in_the_way, present
from vmbmodel.cli.remarks import progress_bar
from vmbmodel.render import render_csv, render_table, stream_json

__all__ = ["schedule"]

_POLICY_COLUMNS = ("vault", "policy", "start", "vms", "disks", "last_finish", "todo")

_FIGURES = (
    ("broken_rules", "rules not kept", "{:g}"),
    ("expected_misses", "expected misses a night", "{:.4g}"),
    ("finish_mean_h", "mean time from start to end (h)", "{:.2f}"),
    ("policies", "policies", "{:g}"),
    ("moved_vms", "VMs moved", "{:g}"),
    ("beyond_vms", "jobs beyond what a vault serves", "{:g}"),
    ("own_line_mean_h", "mean wait for your own VMs (h)", "{:.2f}"),
    ("last_finish", "last one done, 95 times of 100", "{}"),
)

_COMPARED = (
    "Compared from the top, down to the jobs beyond: a line decides where those above "
    "it are as good, to {expected_misses} misses a night and {finish_h} h to the end "
    "of all VMs. The time to the end counts from a VM's start, or from its present "
    "one if it is moved later: starting earlier gains nothing by itself."
)

_SHOWN = 20  # places, or VMs of a policy, that a table lists before it counts

_CLOCK = re.compile(r"(\d{1,2})(?::([0-5]\d))?")


class _FailOn(enum.StrEnum):
    BROKEN = "broken"
    MOVED = "moved"


def schedule(
    fleet: FleetArgument,
    blackout: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FROM-TO",
            help="Hours in which no backup may start, such as 8-18 or 22:30-1; "
            "repeatable.",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="VM or policy that stays where it is; repeatable."
        ),
    ] = None,
    done_by: Annotated[
        str | None,
        typer.Option(
            metavar="HOUR",
            help="Each backup has to be done by this hour after the longest blackout.",
        ),
    ] = None,
    fleet_out: Annotated[
        Path | None,
        typer.Option(help="File for the inventory with its new starts and policies."),
    ] = None,
    policies: PoliciesOption = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="File for the day before and after: .png or .svg."),
    ] = None,
    profile: ProfileOption = None,
    limits: LimitsOption = None,
    as_of: AsOfOption = None,
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
    fail_on: Annotated[
        _FailOn | None,
        typer.Option(
            help="Exit with 1 if the present starts break a rule, or if any has moved."
        ),
    ] = None,
) -> None:
    """Plan the starts of all VMs: which policy, at which hour, against the present."""
    from vmbmodel.inventory.fleet import read_fleet, to_bytes
    from vmbmodel.plan.schedule import schedule as plan

    date = date_of(as_of, limits)
    _check_files(output, fleet_out, figure, force=force)
    sets = {"profile": profile, "limits": limits}
    with (
        settings_from(scenario, set_, date=date, **sets) as settings,
        progress_bar() as progress,
    ):
        answer = plan(
            read_fleet(fleet, policies),
            settings,
            blackout=[_hours(text) for text in blackout or []],
            keep=keep or (),
            done_by_h=None if done_by is None else _hour("--done-by", done_by),
            progress=progress,
        )
    besides = {}
    if fleet_out:
        besides[fleet_out] = to_bytes(answer.fleet, fleet_out)
    if figure:
        besides[figure] = _drawn(answer, figure.suffix.lower()[1:])
    gates = {
        _FailOn.BROKEN: answer.before["broken_rules"],
        _FailOn.MOVED: answer.after["moved_vms"],
    }
    present(
        format_,
        output,
        force=force,
        besides=besides,
        failed=[
            f"--fail-on {gate}: {n:g}"
            for gate, n in gates.items()
            if gate == fail_on and n
        ],
        table=lambda: _text(answer),
        json=lambda: stream_json(answer.items()),
        csv=lambda: render_csv(answer.vms.to_dict("records"), list(answer.vms.columns)),
    )


def _check_files(
    output: Path | None, fleet_out: Path | None, figure: Path | None, *, force: bool
) -> None:
    """Refuse, before any work is done, what could not be written in the end."""
    endings = {fleet_out: (".csv", ".parquet"), figure: (".png", ".svg")}
    problems = [
        f"{path} must end in {' or '.join(ends)}"
        for path, ends in endings.items()
        if path and path.suffix.lower() not in ends
    ]
    paths = [path for path in (output, fleet_out, figure) if path]
    problems += in_the_way(*paths, force=force)
    if len({path.resolve() for path in paths}) < len(paths):
        problems.append("two results cannot go to one file")
    if problems:
        raise ValueError(first_lines(problems))
    if figure:
        import_module("vmbmodel.figures")  # which may not be installed


def _hours(text: str) -> tuple[float, float]:
    begin, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"--blackout takes FROM-TO, such as 8-18; got {short(text)}")
    return _hour("--blackout", begin), _hour("--blackout", end)


def _hour(option: str, text: str) -> float:
    match = _CLOCK.fullmatch(text.strip())
    hour = int(match[1]) + int(match[2] or 0) / 60 if match else 25
    if hour > 24:
        raise ValueError(
            f"{option} takes an hour such as 8 or 22:30; got {short(text)}"
        )
    return hour


def _drawn(answer, kind: str) -> bytes:
    import io

    import matplotlib as mpl

    mpl.use("agg")
    from vmbmodel.figures import steps

    data = io.BytesIO()
    ax = steps(
        answer.running,
        xlabel="hour of the day (h)",
        ylabel="backups in progress",
        xticks=range(0, 25, 3),
        ylim=(0, None),
    )
    # the same plan gives the same file
    stamp = {"Date": None} if kind == "svg" else {"Software": None}
    with mpl.rc_context({"svg.hashsalt": "vmbmodel"}):
        ax.figure.savefig(data, format=kind, dpi=150, metadata=stamp)
    return data.getvalue()


def _text(answer) -> str:
    from vmbmodel.plan import day_clock
    from vmbmodel.plan.schedule import AIM_LABELS
    from vmbmodel.render import is_narrow, sets_used

    rows = answer.policies.to_dict("records")
    count, disks = len(answer.vms), int(answer.vms["disks"].sum())
    policies = f"{len(rows)} polic{'y' if len(rows) == 1 else 'ies'}"
    footer = {"policy": policies, "vms": count, "disks": disks}
    narrow = is_narrow()
    head = "Now, and as planned:" if narrow else f"{'':36}{'now':>12}{'planned':>12}"
    lines = [answer.verdict, "", head]
    sides = [
        side | {"last_finish": day_clock(side["last_finish_h"])}
        for side in (answer.before, answer.after)
    ]
    for name, label, form in _FIGURES:
        now, then = (form.format(side[name]) for side in sides)
        both = f"{label}: {now}, {then}" if narrow else f"{label:34}{now:>12}{then:>12}"
        lines.append(f"  {both}")
    as_good = {aim.aim: f"{aim.tolerance:.2g}" for aim in answer.aims}
    lines += ["", _COMPARED.format(**as_good), _starts_said(answer.rules)]
    lines += ["", render_table(rows, _POLICY_COLUMNS, footer=footer), ""]
    lines += ["VMs by policy, as planned:"]
    for row in rows:
        names = some([_apart(name) for name in row["names"]], _SHOWN)
        lines.append(f"  {row['policy']} of {row['vault']}, {row['start']}: {names}")
    if any(len(row["names"]) > _SHOWN for row in rows):
        lines.append("  --format csv has a row a VM.")
    lines += ["", sets_used(answer.scenario, "prices")]
    if answer.broken_before == answer.broken_after:
        titled = {"Rules not kept, now and as planned": answer.broken_after}
    else:
        titled = {
            "Rules not kept now": answer.broken_before,
            "Rules not kept as planned": answer.broken_after,
        }
    for title, found in titled.items():
        if found:
            count = sum(entry.count for entry in found)
            lines += ["", f"{title} ({count:,}):"]
            lines += [
                f"  {_place(entry)}{entry.place.text} [{entry.rule}]"
                for entry in found[:_SHOWN]
            ]
        if len(found) > _SHOWN:
            lines.append(f"  and {len(found) - _SHOWN:,} more; --format json has them.")
    lines += ["", "No plan within the tolerances of the aims before is lower than:"]
    for aim in answer.aims:
        if aim.bound:
            proven = "; proven least" if aim.proven else ""
            said = f"{aim.bound:.4g}, planned {aim.planned:.4g}{proven}"
            label = AIM_LABELS[aim.aim]
            lines.append(f"  {label}: {said}" if narrow else f"  {label:34}{said}")
    lines += ["", f"Assumed ({len(answer.assumptions)}); --format json lists all:"]
    lines += [
        f"  {entry.text}"
        for entry in answer.assumptions
        if entry.id.startswith("schedule.")
    ]
    return "\n".join(lines)


def _starts_said(rules) -> str:
    """Say what a blackout keeps free, and what it does not."""
    if not rules.blackout:
        return "No blackout was given: starts may fall into business hours."
    slack_h = rules.start_slack_h
    late = f", up to {slack_h:g} h late," if slack_h else ""
    ends = "" if rules.done_by_h is not None else "; --done-by HOUR asks for an end"
    return f"A blackout is for starts{late} alone: a backup may run into it{ends}."


def _apart(name: object) -> str:
    """Write a name so that it ends where it ends, in a list with commas.

    >>> _apart("dc-1"), _apart("dc, old"), _apart(" ")
    ('dc-1', "'dc, old'", "' '")
    """
    name = str(name)
    plain = name.strip() == name and not set(name) & set(",;'\"")
    return name if name and plain else repr(name)


def _place(entry) -> str:
    vm = entry.place.where.get("vm")
    return f"{vm}: " if vm else ""
