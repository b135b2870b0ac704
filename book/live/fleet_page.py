"""What the page "Your fleet in this page" asks the model, and how it shows the answer.

The same functions run while the book is built, for the sample, and in the browser, for
the reader's own fleet: the worker calls `serve` with the name of a function and its
arguments as JSON. Nothing is computed here: rows, sentences and messages are those of
the package.
"""

import contextlib
import html
import json
import logging
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from live.notebook_page import ran

from vmbmodel import leading
from vmbmodel._toml import literal
from vmbmodel._words import counted
from vmbmodel.fields import fields, heading, shown
from vmbmodel.inventory import azure, fleet
from vmbmodel.inventory.fleet import COLUMNS as DISKS
from vmbmodel.plan import Scenario, day_clock, parse_setting
from vmbmodel.plan.check import check_disks
from vmbmodel.plan.estimate import (
    AT_RISK_PROB,
    DRAWS,
    estimate_disks,
    restore_said,
    wait_said,
)
from vmbmodel.render import (
    check_text,
    estimate_csv,
    estimate_json,
    estimate_text,
    fit,
)

CONTROLS = (
    "start_h",
    "deadline_h",
    "rto_h",
    "vault_servers",
    "eight_hours",
    "churn_frac",
    "recovery_points",
    "redundancy",
)
"""The settings that have a control of their own; the address may hold any other."""

SLIDERS = {
    "jam": ("jobs", "vault_servers", "service_h", "start_h", "slot_interval_h"),
    "day": ("peak_wait_h", "peak_h", "offpeak_utilisation_frac", "start_h"),
    "dispersion": ("dispersion", "churn_frac", "block_kib"),
    "deadline": ("used_gib", "deadline_h"),
    "restore": ("restored_gib", "rto_h"),
    "bill": ("used_gib", "churn_frac", "recovery_points", "redundancy"),
    "retention": (
        "rewritten_frac",
        "recovery_points",
        "weekly_points",
        "monthly_points",
        "yearly_points",
    ),
}
"""The settings of a leading figure that a reader may move, by its function."""

ROWS = 200
"""Rows of a table that the page shows; the files hold all."""

COLUMNS = (
    "vm",
    "done_p95_clock",
    "deadline_prob",
    "done_p95_h",
    "restore_vault_p95_h",
    "total_usd",
)
WITHOUT_ENDS = (
    "How far these figures may be off is not said unasked of so many disks, or of "
    "waits that differ from hour to hour: it takes longer."
)
USED_HERE = (
    "In this page: give a share under *For lists of Azure*, or a CSV of used sizes "
    "(vm, perhaps disk, used_gib) with these files, all at once."
)
DEEPEST = 1000
"""Brackets within brackets of a file, as many as Python's own reader takes; a browser
has no more room for."""

SEVERITIES = ("error", "warning", "note")

LISTS = {
    "disks": "microsoft.compute/disks",
    "vms": "microsoft.compute/virtualmachines",
    "items": "/protecteditems",
    "policies": "/backuppolicies",
    "vaults": "microsoft.recoveryservices/vaults",
}
"""What Azure's lists hold, by a piece of the type or the address of their entries."""


class Session:
    """The fleet that is looked at, and the last question about it."""

    def __init__(self):
        self.disks = fleet.sample_fleet()
        self.name = "the sample"
        self.asked = self.answer = self.asked_name = None

    def read(self, folder, **choices):
        """Take the files of a folder, and say what was found in them.

        The choices are those of an import of Azure's lists, ``used_frac`` and
        ``protected_only``.
        """
        with contextlib.chdir(folder), remarks() as said:
            names = sorted(path.name for path in Path().iterdir())
            for name in names:
                if depth(Path(name).read_bytes()) > DEEPEST:
                    raise ValueError(f"{name}: is nested too deep")
            texts = [name for name in names if is_json(name)]
            if texts:
                self.disks, found = imported(texts, names, choices)
                said += found
            elif len(names) > 1:
                raise ValueError(
                    f"{len(names)} tables at once; give one, a row a disk, or the "
                    "lists of Azure as JSON"
                )
            else:
                self.disks = fleet.read_fleet(names[0])
        self.name = ", ".join(names)
        return {"said": said} | self.about()

    def sample(self):
        """Take the sample of the book again."""
        self.disks, self.name = fleet.sample_fleet(), "the sample"
        return {"said": []} | self.about()

    def about(self):
        """Say what fleet it is."""
        vms, disks = self.disks["vm"].nunique(), len(self.disks)
        return {"name": self.name, "vms": vms, "disks": disks}

    def ask(self, settings):
        """Estimate the fleet; settings are texts by name, as after ``--set``."""
        begun = time.perf_counter()
        given = parsed(settings)
        disks = asked(self.disks, given)
        scenario = Scenario.of(settings=given)
        self.answer = estimate_disks(disks, scenario)
        self.asked, self.asked_name = disks, self.name
        return {
            "head": head_html(self.answer, self.name),
            "body": body_html(self.answer),
            "controls": controls(self.disks, scenario),
            "seconds": time.perf_counter() - begun,
        }

    def doubt(self, *, wanted=False):
        """Say how far the answer may be off, where the command line does so unasked.

        The page asks when its controls rest: it takes several times as long. Where it
        takes longer than that, it has to be wanted.
        """
        begun = time.perf_counter()
        if wanted and not self.answer.doubt:
            scenario = self.answer.scenario
            self.answer = estimate_disks(self.asked, scenario, draws=DRAWS)
        self.answer = doubted(self.answer)
        doubt = self.answer.drawn
        lines = [doubt.ranges(), *doubt.said()] if doubt else [WITHOUT_ENDS]
        said = bullets(lines) * bool(self.answer.total["disks"])
        return {
            "head": head_html(self.answer, self.asked_name) + said,
            "clocks": clocks(self.answer),
            "told": bool(doubt),
            "seconds": time.perf_counter() - begun,
        }

    def check(self):
        """Hold the fleet, as it was asked about last, against the rules."""
        found = check_disks(self.asked, self.answer.scenario)
        return {"html": check_html(found)}

    def figure(self, name, given):
        """Return the data of a figure that moves, and of its sliders."""
        for key in SLIDERS[name]:
            fields()[key].check(given[key])
        sliders = [slider(key, given[key]) for key in SLIDERS[name]]
        return getattr(leading, name)(**given) | {"controls": sliders}

    def notebook(self, name, given):
        """Run a notebook with some of its parameters changed."""
        return ran(name, given)

    def file(self, kind):
        """Return the text of a file to keep, as the command line writes it."""
        self.answer = answer = doubted(self.answer)
        if kind == "csv":
            return {"name": "estimate.csv", "text": "".join(estimate_csv(answer))}
        if kind == "json":
            return {"name": "estimate.json", "text": "".join(estimate_json(answer))}
        if kind == "text":
            found = check_disks(self.asked, answer.scenario)
            both = f"{estimate_text(answer)}\n\n{check_text(found)}\n"
            return {"name": "estimate.txt", "text": fit(both)}
        if kind == "toml":
            return {"name": "scenario.toml", "text": scenario_text(answer.scenario)}
        text = fleet.to_bytes(self.asked, "fleet.csv").decode()
        return {"name": "fleet.csv", "text": text}


def serve(session, call, arguments):
    """Answer a call of the page, in JSON; what is wrong is a message, not a crash."""
    try:
        return json.dumps(getattr(session, call)(**json.loads(arguments)))
    except (ValueError, OSError) as error:
        # a file that is read for two lists has each of its faults twice
        lines = dict.fromkeys(str(error).splitlines())
        return json.dumps({"error": "\n".join(lines)})


# --- what is asked -------------------------------------------------------------------


def doubted(answer):
    """Return an answer with its intervals, if those cost little."""
    return replace(answer, drawn=answer.doubt)


def parsed(settings):
    """Read settings as a command line would, and name every fault at once."""
    given, problems = {}, []
    for name, text in settings.items():
        try:
            given[name] = parse_setting(name, text)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("\n".join(problems))
    return given


def asked(disks, given):
    """Return a fleet in which what was set holds for every disk.

    A setting fills blank cells only. Here a reader asks what it would come to, so that
    a column that was set is that in every row, as with ``--compare``.
    """
    columns = {name: value for name, value in given.items() if name in disks}
    if "churn_frac" in given and "churn_gib_per_day" not in given:
        columns["churn_gib_per_day"] = None
    return fleet.checked(disks.assign(**columns), "fleet") if columns else disks


def controls(disks, scenario):
    """Return what the controls show: names, units, ranges, defaults, values."""
    return [control(name, disks, scenario) for name in CONTROLS]


def control(name, disks, scenario):
    """Return one control, as the field table and the constants have it."""
    field, taken = fields()[name], scenario[name]
    column = {"churn_frac": "churn_gib_per_day"}.get(name, name)
    cells = int(disks[column].notna().sum()) if column in disks else 0
    shown = {
        "name": name,
        "label": field.label,
        "unit": "" if field.unit == "-" else field.unit,
        "text": field.text,
        "value": taken,
        "set": name in scenario.given,
        "origin": origin_said(cells, len(disks)),
    }
    if field.kind == "choice":
        return shown | {"choices": field.choices}
    return shown | reach(field, Scenario.of()[name])


def origin_said(cells, disks):
    """Say where a value comes from that nobody set, and for which disks it is."""
    if not cells:
        return "default"
    if cells == disks:
        return "the inventory has it for every disk; move this to ask for another"
    return (
        f"the inventory has it for {cells:,} of {counted(disks, 'disk')}; this is for "
        "the others"
    )


def slider(name, value):
    """Return a slider or a choice of a figure, as the field table has it."""
    field = fields()[name]
    unit = "" if field.unit == "-" else field.unit
    about = {"name": name, "label": field.label, "unit": unit, "text": field.text}
    if field.kind == "choice":
        return about | {"value": value, "choices": field.choices}
    return about | {"value": value} | reach(field, value)


def reach(field, default):
    """Return how far a slider goes: from the least allowed to four defaults.

    Sizes differ more than other things, and go to ten.
    """
    low = field.range.low
    far = 10 if field.unit == "GiB" else 4
    high = min(field.range.high, max(far * default, low + 1))
    half_hours = field.unit == "h" and high - low >= 12
    whole = field.whole or field.name.endswith("_points")
    step = 1 if whole else 0.5 if half_hours else round_step(low, high, default)
    if high == field.range.high and not field.range.high_in:
        high -= step
    if not field.range.low_in:
        low += step
    return {"low": low, "high": high, "step": step, "rule": field.range.rule}


def round_step(low, high, default):
    """Return the largest round step that meets the default, for forty or more."""
    unit = 10.0 ** math.floor(math.log10((high - low) / 40))
    for step in (5 * unit, 2 * unit, unit, unit / 2, unit / 5, unit / 10):
        number = (default - low) / step
        if step <= (high - low) / 40 and abs(number - round(number)) < 1e-9:
            return step
    return (high - low) / 40


@contextlib.contextmanager
def remarks():
    """Collect what the reader of a file notes without refusing it."""
    said, logger = [], logging.getLogger("vmbmodel")
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)


def is_json(name):
    """Say whether a file holds JSON, by its first letter."""
    return Path(name).read_bytes()[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (
        b"[",
        b"{",
    )


def depth(data):
    """Return how many brackets stand open at most, in bytes of JSON or other text."""
    codes = np.frombuffer(data, np.uint8)
    opens, closes = ((codes == a) | (codes == b) for a, b in (b"[{", b"]}"))
    steps = (opens.view(np.int8) - closes.view(np.int8))[opens | closes]
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0))


def imported(texts, names, choices):
    """Make an inventory of Azure's lists, and say what the import says."""
    lists = {kind: [] for kind in LISTS}
    for name in texts:
        for kind in kinds(name):
            lists[kind].append(name)
    lists["used"] = [name for name in names if name not in texts]
    missing = [kind for kind in ("disks", "vms") if not lists[kind]]
    if missing:
        command = {"disks": "az disk list", "vms": "az vm list"}
        raise ValueError(
            "besides these files, give what "
            + " and ".join(f"`{command[kind]}`" for kind in missing)
            + f" print{'s' * (len(missing) == 1)}, all files at once"
        )
    try:
        found = azure.read(lists.pop("disks"), lists.pop("vms"), **lists, **choices)
    except fleet.InventoryError as error:
        if "--used-frac" not in str(error):
            raise
        raise ValueError(f"{error}\n{USED_HERE}") from None
    if not len(found.disks):
        raise ValueError("\n".join([*found.summary(), "no VM is left"]))
    return found.disks, found.summary()


def kinds(name):
    """Return which of Azure's lists a file is, by the address of its first entry."""
    try:
        whole = json.loads(Path(name).read_text("utf-8-sig"))
    except (ValueError, RecursionError):
        return ["disks", "vms"]  # whose reader says what is wrong with it, and where
    if isinstance(whole, dict) and "format_version" in whole:
        return list(LISTS)  # of Terraform, which has them all
    if isinstance(whole, dict):
        whole = whole.get("value", whole.get("data", [whole]))
    first = whole[0] if isinstance(whole, list) and whole else {}
    low = (
        {str(k).lower(): v for k, v in first.items()} if isinstance(first, dict) else {}
    )
    place = f"{low.get('type', '')} {low.get('id', '')}".lower()
    found = [kind for kind, piece in LISTS.items() if piece in place]
    if not found:
        raise ValueError(
            f"{name}: its entries are no disks, VMs, items, policies or vaults of Azure"
        )
    return found[:1]


def scenario_text(scenario):
    """Return a scenario file with what was set."""
    lines = [f"{name} = {literal(value)}" for name, value in scenario.given.items()]
    head = (
        "# as asked in the page; vmbmodel estimate fleet.csv --scenario scenario.toml"
    )
    return "\n".join([head, *lines]) + "\n"


# --- how it is shown -----------------------------------------------------------------


def head_html(answer, name):
    """Show the answer: whether all are in time, by when, and for how much."""
    total, doubt = answer.total, answer.drawn
    vms = answer.vms[answer.vms["disks"] > 0]
    about = f"{name}: {counted(int(total['vms']), 'VM')}, {backed_said(answer)}"
    if 0 < len(vms) < total["vms"]:
        about += f"; nothing of {counted(int(total['vms']) - len(vms), 'VM')} is"
    if vms.empty:
        verdict = "Nothing is backed up: every disk is temporary or excluded."
        return f'<p class="fleet-verdict">{verdict}</p>' + bullets([about])
    said = {key: shown(key, value) for key, value in total.items()}
    missed = ""
    if doubt:
        said |= doubt.beside_total(total)
        missed = f"; a month: {said['misses_per_month']}"
    late = int((vms["deadline_prob"] < AT_RISK_PROB).sum())
    least, last = (
        written(answer, vms.loc[[row]]).iloc[0]
        for row in (
            vms["deadline_prob"].idxmin(),
            (vms["start_h"] + vms["done_p95_h"]).idxmax(),
        )
    )
    deadline = f"the deadline of {answer.scenario['deadline_h']:g} h"
    verdict = f"Every VM keeps {deadline}."
    if late:
        often = f"more often than {100 * (1 - AT_RISK_PROB):.0f} times of 100"
        of = f"{late:,} of {len(vms):,}" if late < len(vms) else f"{late:,}"
        miss = "misses" if late == 1 else "miss"
        verdict = f"{of} VM{'s' * (len(vms) > 1)} {miss} {deadline} {often}."
    lines = [
        f"The least certain is {least['vm']}: in time with a probability of "
        f"{least['deadline_prob']}. Deadlines missed a night, "
        f"on average: {answer.misses_said()}{missed}.",
        f"On 95 of 100 nights the last, {last['vm']}, is done by "
        f"{last['done_p95_clock']}, {last['done_p95_h']} h after its start; +1 is the "
        "next day.",
        f"Bill of a month: {said['total_usd']} USD (protected instances "
        f"{said['instance_usd']}, vault storage {said['storage_usd']}, snapshots "
        f"{said['snapshot_usd']}).",
        f"All VMs restored at once from the vault: done within "
        f"{said['restore_all_h']} h, in 95 of 100 cases.",
        answer.objective_said(),
    ]
    return f'<p class="fleet-verdict">{text(verdict)}</p>' + bullets([about, *lines])


def backed_said(answer):
    """Say how many disks are backed up, and of how many."""
    kept, all_of_them = answer.total["disks"], len(answer.fleet)
    if kept == all_of_them:
        return counted(int(kept), "disk")
    return (
        f"{kept:,.0f} of {counted(all_of_them, 'disk')} backed up, the others are "
        "temporary or excluded"
    )


def written(answer, rows):
    """Return rows of VMs as texts, behind each figure its interval if it has one."""
    rows = rows[[*COLUMNS]]
    if answer.drawn:
        rows = answer.drawn.beside(rows)
    return rows.assign(
        **{
            name: [v if isinstance(v, str) else shown(name, v) for v in rows[name]]
            for name in COLUMNS
        }
    )


def body_html(answer):
    """Show every VM's clock, what deserves a look, and what all of it rests on."""
    scenario = answer.scenario
    sets = ", ".join(f"{kind} {constants.name}" for kind, constants in scenario.sets())
    idle = [name for name in scenario.unused() if name not in (*DISKS, "churn_frac")]
    idle = [f"{name} changes nothing here." for name in idle]
    lines = [
        *idle,
        *wait_said(scenario),
        *restore_said(scenario),
        f"Computed with {sets}.",
    ]
    columns = [a.text for a in answer.assumptions if a.id.startswith("column.")]
    others = [a.text for a in answer.assumptions if not a.id.startswith("column.")]
    looks = list(grouped(answer))
    return "".join(
        [
            part(
                "When each VM is done",
                f'<div class="fleet-clocks">{clocks(answer)}</div>',
            ),
            part(f"Worth a look ({len(answer.warnings)})", bullets(looks))
            * bool(looks),
            part("How sure, and what was assumed", bullets(lines)),
            blanks(columns, len(answer.fleet)),
            f"<details><summary>{len(others)} more assumptions about the service"
            f"</summary>{bullets(others)}</details>",
        ]
    )


def blanks(lines, disks):
    """Show what blank cells of the inventory were taken as, if there are any."""
    if not lines:
        return ""
    title = (
        f"{counted(len(lines), 'column')} with blank cells, in the inventory's "
        f"{counted(disks, 'row')}"
    )
    return f"<details open><summary>{title}</summary>{bullets(lines)}</details>"


def clocks(answer):
    """Show when each VM is done, the least certain first, with a bar of its night.

    Each part of the table says what it is: on a phone it is laid out as none.
    """
    vms, scenario = answer.vms[answer.vms["disks"] > 0], answer.scenario
    if vms.empty:
        return ""
    ends = vms["start_h"] + vms["done_p95_h"]
    first, deadline_h = vms["start_h"].min(), scenario["deadline_h"]
    finite = ends[ends < math.inf]
    last = max(finite.max() if len(finite) else first, first) + 1
    order = vms["deadline_prob"].sort_values(kind="stable").index[:ROWS]
    span = f"clock, {day_clock(first)} to {day_clock(last)}"
    titles = [heading(COLUMNS[0]), span, *map(heading, COLUMNS[1:])]
    heads = "".join(
        f'<th role="columnheader" scope="col">{text(title)}</th>' for title in titles
    )
    rows = []
    numbers = vms.loc[order]
    texts = written(answer, numbers).to_dict("records")
    for row, said in zip(numbers.to_dict("records"), texts, strict=True):
        cells = [text(said["vm"]), *(in_lines(said[name]) for name in COLUMNS[1:])]
        risky = ' class="fleet-late"' if row["deadline_prob"] < AT_RISK_PROB else ""
        drawn = bar(row, first, last, deadline_h)
        body = "".join(f'<td role="cell">{cell}</td>' for cell in (drawn, *cells[1:]))
        rows.append(
            f'<tr role="row"{risky}><th role="rowheader" scope="row">{cells[0]}</th>'
            f"{body}</tr>"
        )
    note = "Bars: from the start to done on half of the nights, then on 95 of 100; "
    note += "the line is the deadline."
    if answer.drawn:
        note += " In brackets: 8 of 10 draws of what nobody has measured."
    if len(vms) > ROWS:
        note += f" The {ROWS} least certain of {len(vms):,}; the files hold all."
    return (
        f'<div class="fleet-wide" tabindex="0" role="region" aria-label="Every VM">'
        f'<table role="table" class="table"><thead role="rowgroup"><tr role="row">'
        f'{heads}</tr></thead><tbody role="rowgroup">{"".join(rows)}</tbody></table>'
        f"</div><p>{text(note)}</p>"
    )


def in_lines(said):
    """Show a figure, and below it the interval if it has one."""
    figure, bracket, ends = said.partition(" (")
    return text(figure) + f"<small> {text(bracket[1:] + ends)}</small>" * bool(bracket)


def bar(row, first, last, deadline_h):
    """Draw the night of a VM between two clocks."""

    def at(hour):
        return round(100 * min(max((hour - first) / (last - first), 0), 1), 1)

    start = row["start_h"]
    half, most = at(start + row["done_p50_h"]), at(start + row["done_p95_h"])
    end = at(start + deadline_h)
    begun = at(start)
    line = f'<path class="fleet-end" d="M{end} 0V14"/>' if end < 100 else ""
    return (
        '<svg viewBox="0 0 100 14" width="100" height="14" aria-hidden="true">'
        f'<rect class="fleet-most" x="{begun}" y="5" width="{most - begun:.1f}" '
        f'height="4"/><rect class="fleet-half" x="{begun}" y="3" '
        f'width="{half - begun:.1f}" height="8"/>{line}</svg>'
    )


def check_html(found):
    """Show what the rules of the day find, the worst first."""
    counts = ", ".join(found.said().values())
    kinds_found = {}
    for finding in found.findings:
        kinds_found.setdefault((finding.severity, finding.rule.id), []).append(finding)
    lines = []
    for severity in SEVERITIES:
        for (of, rule), (one, *more) in kinds_found.items():
            if of == severity:
                again = f" And {len(more):,} more like it." if more else ""
                lines.append(
                    f"<li><strong>{severity}</strong> {text(one.place.text)}{again} "
                    f"{text(one.rule.todo)} <code>{text(rule)}</code></li>"
                )
    listed = f"<ul>{''.join(lines)}</ul>"
    if not lines:
        listed = f"<p>{text(found.nothing_said())}</p>"
    needs = "".join(
        f"<details><summary>{text(title)}</summary>{bullets(needed)}</details>"
        for title, needed in found.needs_said().items()
    )
    said = f"<p>{text(found.rules_said())}</p>"
    return part(f"Rules: {counts}", said + listed + needs)


def grouped(answer):
    """Say the first remark of each kind, and how many more there are."""
    alike = {}
    for notice in answer.warnings:
        alike.setdefault(notice.code, []).append(notice)
    for first, *more in alike.values():
        again = f" And {len(more):,} more like it." if more else ""
        yield f"{first.vm or 'fleet'}: {first.text}{again}"


def part(title, body):
    """Return a part of the answer under its title."""
    return f'<h2 class="fleet-part">{text(title)}</h2>{body}'


def bullets(lines):
    """Return sentences as a list."""
    return f"<ul>{''.join(f'<li>{text(line)}</li>' for line in lines)}</ul>"


def text(value):
    """Return a text that opens no tag."""
    return html.escape(str(value))
