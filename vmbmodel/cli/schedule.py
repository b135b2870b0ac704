"""``vmbmodel schedule``."""

import enum
import re
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from vmbmodel.cli.options import (
    AsOfOption,
    FleetArgument,
    ForceOption,
    FormatOption,
    LimitsOption,
    OutputOption,
    ProfileOption,
    ScenarioOption,
    SetOption,
    date_of,
    settings_from,
)
from vmbmodel.cli.present import Format, present, sets_used
from vmbmodel.cli.remarks import progress_bar
from vmbmodel.render import render_csv, render_table, stream_json

__all__ = ["schedule"]

_POLICY_COLUMNS = ("vault", "policy", "start", "vms", "disks", "last_finish", "todo")

_FIGURES = (
    ("expected_misses", "expected misses", "{:.4g}"),
    ("peak_vms", "VMs of a vault at work at a time", "{:g}"),
    ("late_peak_vms", "the same, if starts are late", "{:g}"),
    ("last_finish", "last one done", "{}"),
    ("wait_mean_h", "mean wait (h)", "{:.2f}"),
    ("policies", "policies", "{:g}"),
    ("broken_rules", "rules not kept", "{:g}"),
)

_AIMS = {
    "expected_misses": "expected misses",
    "peak_vms": "peaks of the vaults",
    "late_peak_vms": "peaks, if starts are late",
    "last_finish_h": "last ones done",
    "moved_vms": "VMs moved",
}

_SHOWN = 20  # places that a table lists before it counts

_CLOCK = re.compile(r"(\d{1,2})(?::([0-5]\d))?")


class _Method(enum.StrEnum):
    AUTO = "auto"
    EXACT = "exact"
    QUICK = "quick"


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
    peak: Annotated[
        float,
        typer.Option(
            help="VMs of a vault at work at a time that are few enough; 0: as few as "
            "can be. More of them make for fewer policies."
        ),
    ] = 0,
    method: Annotated[
        _Method, typer.Option(help="How to look for a plan.")
    ] = _Method.AUTO,
    time_limit: Annotated[
        float, typer.Option(metavar="SECONDS", help="Time to look for a plan.")
    ] = 45,
    fleet_out: Annotated[
        Path | None,
        typer.Option(help="File for the inventory with its new starts and policies."),
    ] = None,
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
    from vmbmodel.inventory.fleet import read_fleet, write
    from vmbmodel.plan.schedule import schedule as plan

    date = date_of(as_of, limits)
    _check_files(output, fleet_out, figure, force=force)
    sets = {"profile": profile, "limits": limits}
    with (
        settings_from(scenario, set_, date=date, **sets) as settings,
        progress_bar() as progress,
    ):
        answer = plan(
            read_fleet(fleet),
            settings,
            blackout=[_hours(text) for text in blackout or []],
            keep=keep or (),
            done_by_h=None if done_by is None else _hour("--done-by", done_by),
            peak_vms=peak,
            method=method.value,
            seconds=_seconds(time_limit),
            progress=progress,
        )
    if fleet_out:
        write(answer.fleet, fleet_out, force=force)
    if figure:
        _draw(answer, figure, force=force)
    gates = {
        _FailOn.BROKEN: answer.before["broken_rules"],
        _FailOn.MOVED: answer.after["moved_vms"],
    }
    present(
        format_,
        output,
        force=force,
        failed=bool(fail_on and gates[fail_on]),
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
    problems += [
        f"{path}: exists; --force replaces it"
        for path in paths
        if path.exists() and not force
    ]
    if len({path.resolve() for path in paths}) < len(paths):
        problems.append("two results cannot go to one file")
    if problems:
        raise ValueError("\n".join(problems))
    if figure:
        import_module("vmbmodel.figures")  # which may not be installed


def _hours(text: str) -> tuple[float, float]:
    begin, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"--blackout takes FROM-TO, such as 8-18; got {text!r}")
    return _hour("--blackout", begin), _hour("--blackout", end)


def _hour(option: str, text: str) -> float:
    match = _CLOCK.fullmatch(text.strip())
    hour = int(match[1]) + int(match[2] or 0) / 60 if match else 25
    if hour > 24:
        raise ValueError(f"{option} takes an hour such as 8 or 22:30; got {text!r}")
    return hour


def _seconds(limit: float) -> float:
    if not 0 < limit < 1e9:
        raise ValueError(f"--time-limit must be > 0 and below 1e9; got {limit:g}")
    return limit


def _draw(answer, path: Path, *, force: bool) -> None:
    import io

    import matplotlib as mpl

    mpl.use("agg")
    from vmbmodel._files import write_atomically
    from vmbmodel.figures import steps

    kind, data = path.suffix.lower()[1:], io.BytesIO()
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
    write_atomically(path, data.getvalue(), force=force)


def _text(answer) -> str:
    sets = sets_used(answer.scenario, "prices")
    rows = answer.policies.to_dict("records")
    rows = [row | {"last_finish": _clock(row["last_finish_h"])} for row in rows]
    count, disks = len(answer.vms), int(answer.vms["disks"].sum())
    policies = f"{len(rows)} polic{'y' if len(rows) == 1 else 'ies'}"
    footer = {"policy": policies, "vms": count, "disks": disks}
    lines = [render_table(rows, _POLICY_COLUMNS, footer=footer), "", sets, ""]
    lines += [f"{'':36}{'now':>12}{'planned':>12}"]
    sides = [
        side
        | {
            "expected_misses": round(side["expected_misses"], 9),
            "last_finish": _after_origin(answer, side["last_finish_h"]),
        }
        for side in (answer.before, answer.after)
    ]
    for name, label, form in _FIGURES:
        now, then = (form.format(side[name]) for side in sides)
        lines.append(f"  {label:34}{now:>12}{then:>12}")
    lines.append(f"  {answer.after['moved_vms']} of {count} VMs move.")
    for title, found in (
        ("Rules not kept now", answer.broken_before),
        ("Rules not kept as planned", answer.broken_after),
    ):
        if found:
            lines += ["", f"{title} ({len(found)}):"]
            lines += [
                f"  {_place(entry)}{entry.place.text} [{entry.rule}]"
                for entry in found[:_SHOWN]
            ]
        if len(found) > _SHOWN:
            lines.append(f"  and {len(found) - _SHOWN} more; --format json has them.")
    how = f"{answer.method}, summed over vaults"
    lines += ["", f"How good the plan is, aim after aim ({how}):"]
    for aim in answer.aims:
        proven = f"at most {aim.gap:.2%} off" if aim.gap else "proven least"
        lines.append(
            f"  {_AIMS[aim.aim]:28}{aim.value:>10.4g}   {proven}, bound "
            f"{aim.bound:.4g}, {aim.seconds:.1f} s"
        )
    if answer.rules.peak_vms:
        lines.append(
            f"  A peak up to {answer.rules.peak_vms:g} counts as that, however late."
        )
    if answer.after["wait_mean_h"] > answer.before["wait_mean_h"]:
        lines += [
            "",
            "The mean wait grows, for which no aim asks: with --peak, fewer starts go "
            "to the busy hours of the service; with --set deadline_h, none that miss.",
        ]
    if not answer.rules.blackout:
        lines += ["", "No blackout was given: starts may fall into business hours."]
    lines += ["", f"Assumed ({len(answer.assumptions)}); --format json lists all:"]
    lines += [
        f"  {entry.text}"
        for entry in answer.assumptions
        if entry.id.startswith("schedule.")
    ]
    return "\n".join(lines)


def _place(entry) -> str:
    vm = entry.place.where.get("vm")
    return f"{vm}: " if vm else ""


def _clock(hour: float) -> str:
    """Write an hour from midnight, and on which of the next days it is."""
    from vmbmodel.plan.schedule import clock

    if hour == float("inf"):
        return "never"
    later = f" +{int(hour // 24)}" if hour >= 24 else ""
    return f"{clock(hour % 24)}{later}"


def _after_origin(answer, hours: float) -> str:
    origin_h = -answer.rules.from_origin_h(0.0) % 24
    return _clock(hours + origin_h)
