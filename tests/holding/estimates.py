"""Estimates: every setting moved, and inventories along the edges."""

import copy
import functools
import itertools
import json
import math
from pathlib import Path

import numpy as np

import vmbmodel as vm
from vmbmodel.plan.saved import Inputs
from vmbmodel.plan.scenario import Scenario
from vmbmodel.service import PROFILES, set_text

from .cases import answered, case, fresh, of_text
from .fleets import FLEETS, crowd, edge_fleet, small, some
from .formulas import FIELDS, fitting

SAID_ONCE = ("schema", "model", "inputs", "inventory", "digest", "given")


@functools.cache
def usual():
    """Return what is assumed and warned of the small fleet, under no settings."""
    said = vm.estimate(small()).to_dict()
    return [*said["assumptions"], *said["warnings"]]


def answer_of(result, without=SAID_ONCE):
    """Return what an answer says, in numbers and in words, without where it is from."""
    said = {n: v for n, v in result.to_dict().items() if n not in without}
    for name in {"assumptions", "warnings"} & said.keys():
        said[name] = [row for row in said[name] if row not in usual()]
    seen = result.overview()
    return said | {"seen": {"rows": list(seen.rows), "lines": list(seen.lines)}}


def estimated(fleet, settings, profile="azure-2026-01", **how):
    """Return an estimate, in numbers and words."""
    scenario = Scenario.of(profile, settings=settings)
    return answer_of(vm.estimate(fleet, scenario, **how))


ESTIMATES = {
    "as it is": ({}, {}),
    "of 2018": ({}, {"profile": "azure-2018-12"}),
    "own line": (
        {
            "eight_hours": "own",
            "vault_servers": 2,
            "snapshot_scv": 0.5,
            "transfer_scv": 0.4,
            "transfer_family": "gamma",
            "start_slack_reading": "latest",
            "stored_reading": "points",
            "month_day": 28,
            "restored_reading": "size",
            "restore_law": "rates",
        },
        {"months": 14},
    ),
    "overload": (
        {
            "eight_hours": "overload",
            "vault_servers": 3,
            "line_reading": "others-first",
            "deadline_clock": "job",
            "tier_reading": "disk",
            "stored_reading": "linear",
            "yearly_growth_frac": 0.3,
            "yearly_churn_growth_frac": 0.1,
            "restore_as": "disks",
            "restore_first": False,
            "restore_accounts": 2,
            "archive": True,
            "yearly_points": 3,
            "monthly_points": 24,
        },
        {"months": 16},
    ),
    "measured": (
        {
            "eight_hours": "measured",
            "others_wait_prob": 0.6,
            "transfer_scv": 0.2,
            "transfer_family": "normal",
            "start_slack_reading": "none",
            "line_reading": "others-first",
            "vault_servers": 4,
            "incremental_reading": "used",
            "stored_reading": "lower",
            "rewritten_frac": 0.3,
            "fresh_frac": 0.4,
            "application_frac": 0.2,
            "restore_as": "replace",
            "restore_application_frac": 0.3,
            "gb_bytes": 1e9,
            "window_h": 8,
        },
        {"months": 2},
    ),
    "quantile": (
        {
            "eight_hours": "quantile",
            "line_reading": "one-pool",
            "snapshot_policy": "enhanced",
            "interval_h": 6,
            "window_h": 12,
            "snapshot_points": 7,
            "stored_reading": "full",
            "reserved_gib": 102400,
            "reserved_redundancy": "LRS",
            "instance_discount_frac": 0.1,
            "storage_discount_frac": 0.2,
            "snapshot_discount_frac": 0.3,
            "overlap_frac": 0.25,
            "deadline_h": 4,
            "rto_h": 0.75,
            "churn_gib_per_day": 3,
            "weekly_points": 8,
        },
        {},
    ),
}


def of_estimate(fleet, settings, how):
    """Return what an estimate says."""
    return lambda: estimated(FLEETS[fleet](), settings, **how)


for _fleet in FLEETS:
    for _name, (_settings, _how) in ESTIMATES.items():
        if _fleet != "sample" or _name == "as it is":
            case(f"estimate/{_fleet}, {_name}")(of_estimate(_fleet, _settings, _how))

_FEW = (
    "transfer_h",
    "own_line_mean_h",
    "wait_mean_h",
    "done_p95_h",
    "deadline_prob",
    "restore_vault_p95_h",
    "rto_prob",
    "point_age_vault_h",
    "stored_gib",
    "snapshot_usd",
    "total_usd",
)


def _other(name):
    """Return other values of a setting than the one it has."""
    field, value = FIELDS[name], Scenario.of().taken[name]
    if field.choices:
        return [choice for choice in field.choices if choice != value]
    if field.kind == "flag":
        return [not value]
    if field.kind != "number":
        return []
    value = field.typical if value is None or not math.isfinite(value) else value
    more = fitting(field, value * 1.5 if value else field.typical)
    if more == value:
        more = fitting(field, value * 0.5)
    return [fitting(field, round(more, 6))]


def of_setting(name, value):
    """Return how an estimate changes with a setting."""

    def give():
        scenario = answered(Scenario.of, settings={name: value})
        if isinstance(scenario, str):
            return scenario
        result = answered(vm.estimate, small(), scenario)
        if isinstance(result, str):
            return result
        return {
            "total": dict(result.total),
            "vms": {column: result.vms[column].tolist() for column in _FEW},
            "warned": [w for w in result.to_dict()["warnings"] if w not in usual()],
        }

    return give


for _kind, _set in [*Scenario.of().sets(), ("options", Scenario.of().options)]:
    for _name in _set if _kind != "limits" else ():
        for _value in _other(_name):
            case(f"settings/{_name}={_value}")(of_setting(_name, _value))

# what says more beside another setting than alone
TOGETHER = {
    "own mean": {"eight_hours": "own", "own_vault_servers": 2, "service_h": 3},
    "no line": {"others_wait_prob": 0, "eight_hours": "measured"},
    "sure line": {"others_wait_prob": 1, "eight_hours": "measured"},
    "busy": {"eight_hours": "overload", "utilisation_frac": 0.999},
    "idle": {"eight_hours": "overload", "utilisation_frac": 0.0},
    "over": {"eight_hours": "overload", "utilisation_frac": 1.2},
    "all day": {"window_h": 24, "interval_h": 4, "snapshot_policy": "enhanced"},
    "hourly": {"interval_h": 8, "snapshot_policy": "enhanced", "snapshot_points": 0},
    "twice": {"interval_h": 12, "window_h": 12, "snapshot_policy": "enhanced"},
    "no daily": {"recovery_points": 0, "weekly_points": 4},
    "nothing kept": {"recovery_points": 0, "snapshot_points": 0},
    "archived": {"archive": True, "monthly_points": 12, "yearly_points": 2},
    "archived just": {"archive": True, "monthly_points": 9},
    "archived not yet": {"archive": True, "monthly_points": 8, "yearly_points": 1},
    "zero churn": {"churn_frac": 0, "dispersion": 0},
    "all churns": {"churn_frac": 1, "dispersion": 1, "rewritten_frac": 1},
    "late": {"deadline_h": 0.1, "start_slack_reading": "latest", "start_slack_h": 4},
    "varied": {"transfer_scv": 1.0, "snapshot_scv": 1.0, "start_slack_reading": "none"},
    "gamma": {"transfer_scv": 0.7, "transfer_family": "gamma", "snapshot_h": 0},
    "normal": {"transfer_scv": 0.05, "transfer_family": "normal"},
    "hurried": {"rto_h": 0.1, "restore_law": "rates", "restore_first": False},
    "in an account": {"restore_accounts": 1, "restore_as": "disks"},
    "no growth": {"yearly_growth_frac": -0.2, "yearly_churn_growth_frac": 0},
    "own of all": {"eight_hours": "own", "line_reading": "one-pool"},
    "own behind": {"eight_hours": "own", "line_reading": "others-first"},
}


def of_settings(settings):
    """Return what settings come to together."""
    return lambda: answered(estimated, some("above-500", "new"), settings)


for _name, _settings in TOGETHER.items():
    case(f"together/{_name}")(of_settings(_settings))


@case("together/usual")
def _():
    return usual()


@case("together/cases compared")
def _():
    cases = [{"redundancy": "LRS", "archive": True}, {"start_h": 2, "servers": 20}]
    cases += [{"vault": "one"}, {"snapshot_policy": "enhanced"}]
    return vm.compare(edge_fleet(), Scenario.of(settings={"churn_frac": 0.02}), cases)


@case("together/difference")
def _():
    before = vm.estimate(small(), Scenario.of("azure-2018-12"))
    after = small().assign(used_gib=small()["used_gib"] * 0.5)
    after = after[after["vm"] != "new"].assign(start_h=5)
    settings = {"churn_frac": 0.02, "eight_hours": "own", "instance_fee_usd": 11}
    after = vm.estimate(after, Scenario.of(settings=settings))
    return answer_of(vm.diff(before, after))


@case("together/seen")
def _():
    fleet = crowd(22)
    named = {f"v{n:03}": f"v{n}-".ljust(39 + n, "x") for n in range(4)}
    result = vm.estimate(fleet.assign(vm=fleet["vm"].replace(named)))
    return {"text": repr(result).split("\n"), "page": result._repr_html_().split("\n")}


def edited(saved, change):
    """Return what a saved estimate holds, altered in one place."""
    altered = copy.deepcopy(saved)
    change(altered)
    return altered


ALTERED = {
    "nothing": lambda saved: None,
    "a cell": lambda saved: saved["vms"][1].update(used_gib=1.5, policy="other"),
    "a total": lambda saved: saved["total"].update(total_usd=None, late_vms="1"),
    "a month": lambda saved: saved["months"][0].update(total_usd=1),
    "a row less": lambda saved: saved["vms"].pop(),
    "a column more": lambda saved: [row.update(more=1) for row in saved["vms"]],
    "a column less": lambda saved: [row.pop("transfer_h") for row in saved["vms"]],
    "no end": lambda saved: saved["vms"][0].update(total_usd="inf", transfer_h=10**310),
    "a model": lambda saved: saved["model"]["prices"].update(sha256="0"),
    "no part": lambda saved: [saved.pop(name) for name in ("policies", "starts")],
    "a digest": lambda saved: saved.update(digest="0"),
    "no digest": lambda saved: saved.pop("digest"),
}


@case("together/computed again")
def _():
    from vmbmodel.plan.saved import differences

    settings = {"blob_mib_s": math.inf, "churn_frac": 0.03}
    scenario = Scenario.of("azure-2018-12", settings=settings)
    result = vm.estimate(small(), scenario, months=2, draws=32)
    saved = json.loads(json.dumps(result.to_dict()))
    inputs = Inputs.of(saved)
    known = {n: getattr(inputs, n) for n in ("given", "months", "draws")}
    now, found = inputs.estimate(), {"inputs": known}
    for name, change in ALTERED.items():
        rows = list(differences(edited(saved, change), now))
        found[name] = [
            [d.place]
            if name == "no end" or d.place.endswith(("digest", "sha256"))
            else [d.place, d.saved, d.now]
            for d in rows[:9]
        ]
    return found


SPOILT = {
    "a list": lambda saved: saved.update(inventory={}, vms=[]),
    "nothing in it": lambda saved: saved.clear(),
    "a schema": lambda saved: saved.update(schema="vmbmodel.check/1"),
    "no model": lambda saved: saved.update(model=None, given=[], months=3),
    "a model": lambda saved: saved["model"].update(profile={"name": 1}, limits=[]),
    "draws": lambda saved: saved.update(interval={"draws": 2**16 + 1}),
    "most draws": lambda saved: saved.update(interval={"draws": 2**16}),
    "whole draws": lambda saved: saved.update(interval={"draws": 2.0}),
    "less draws": lambda saved: saved.update(interval={"draws": -1}),
    "no draws": lambda saved: saved.update(interval=[]),
    "vaults": lambda saved: saved.update(
        interval={"draws": 0, "drawn_vaults": {"interval_vms": 0}}
    ),
    "a vault": lambda saved: saved.update(
        interval={"draws": 0, "drawn_vaults": {"interval_vms": 1}}
    ),
    "a file": lambda saved: saved.update(vms_file="vms.parquet", vms=[1]),
    "rows": lambda saved: saved.update(inventory=[1], vms="x"),
    "numbers": lambda saved: saved["total"].update(total_usd=True, late_vms=1.05e300),
    "names": lambda saved: saved["vms"].extend([{}, saved["vms"][0]]),
    "no total": lambda saved: saved.pop("total"),
}


@case("together/saved and spoilt")
def _():
    from vmbmodel.plan.saved import read_saved

    saved = vm.estimate(some("bare")).to_dict()
    found = {
        text: of_text(read_saved, text) for text in ("{", "[" * 10**5, '{"a":1,"a":2}')
    }
    found = {text[:9]: said for text, said in found.items()}
    for name, change in SPOILT.items():
        altered = edited(saved, change)
        read = of_text(read_saved, json.dumps(altered))
        compared = of_text(lambda path: vm.diff(saved, path), json.dumps(altered))
        found[name] = [
            said if isinstance(said, str) else "taken" for said in (read, compared)
        ]
    return found


CASES_SAID = (
    "", "snapshot_policy", "managed", "start_h", "fleet.csv", "redundancy=LRS",
    "servers=20 archive=yes", "servrs=20 start_h=25 x", "recovery_points=7.5",
    "eight_hours=ovrload", "archive=maybe", "vault=", "GFS=3",
)  # fmt: skip


@case("together/cases said")
def _():
    from vmbmodel.plan.estimate import parse_case, said_case

    read = {text: answered(parse_case, text) for text in CASES_SAID}
    said = {
        text: found if isinstance(found, str) else [said_case(c) for c in found]
        for text, found in read.items()
    }
    return {"read": read, "said": said}


SCENARIOS = {
    "good": "profile = 'azure-2018-12'\nstart_h = 22\narchive = true",
    "own": "# none\nprices = 'own'\n[a]\nx = 1",
    "sets": "profile = 3\nlimits = []",
    "names": "servrs = 20\nstart_h = 24\nretention = 1\nredundancy = 'LSR'\nvault = 3",
    "kinds": "servers = '20'\nrecovery_points = 1.5\nmanaged = 1\nchurn_frac = inf",
    "sign": "deadline_h = 0\nchurn_frac = 1.5\nutilisation_frac = -0.1",
    "none": "= 3",
}


@case("together/scenarios read")
def _():
    from vmbmodel.plan import scenario_arguments, scenario_settings

    reads = (scenario_arguments, scenario_settings)
    found = {
        n: [of_text(read, text) for read in reads] for n, text in SCENARIOS.items()
    }
    return found | {"a file": of_text(scenario_arguments, "prices = 'own.toml'")}


@case("together/scenario written")
def _():
    from vmbmodel.plan import scenario_template

    named = {"profile": "azure-2018-12"}
    settings = {"servers": 20, "archive": True, "vault": "one"}
    texts = {
        "usual": scenario_template(Scenario.of()),
        "set": scenario_template(
            Scenario.of("azure-2018-12", settings=settings), named
        ),
    }
    return {name: text.split("\n") for name, text in texts.items()}


@case("together/chosen")
def _():
    from vmbmodel.plan import chosen, of_chosen

    given = [{}, {"vault": ["vault-a"]}, {"vault": ["vault-b", "vault-c"]}]
    given += [
        {"vault": ["vault-b"], "policy": ["night"]},
        {"policy": ["old"], "vm": []},
    ]
    given += [{"vm": ["huge", "hug"], "vault": ["vault-d"]}]
    rows = {}
    for names in given:
        for take in (chosen, of_chosen):
            found = answered(take, edge_fleet(), Scenario.of(), **names)
            kept = found if isinstance(found, str) else np.flatnonzero(found)
            rows[f"{take.__name__} {names}"] = kept
    return rows


BY_HOUR = {"00:00": 0.5, "22:30": 3.0, "23:30": 0.25, "09:00": 1.5}


@functools.cache
def by_hour():
    """Return a scenario of a profile in a file, with waits that differ by the hour."""
    own = vm.profile("azure-2026-01")
    text = set_text(
        "Of the half-hour", own.as_of, own.origins, wait_by_start=BY_HOUR,
        readings=dict(own.readings) | {"eight_hours": "measured"},
    )  # fmt: skip
    return Scenario.of(PROFILES.parse(text.encode(), Path("own.toml")))


@case("together/by the half-hour")
def _():
    from vmbmodel.plan.estimate import wait_by_start

    scenario, hours = by_hour(), np.array([0, 0.49, 9.25, 22.5, 23, 23.99, np.nan])
    own = vm.profile("azure-2026-01")
    rates = scenario.changed({"restore_law": "rates", "restore_first": False})
    result = vm.estimate(small(), rates)
    json_of = result.to_dict()
    inputs = Inputs.of(json_of)
    return {
        "waits": wait_by_start(scenario, hours),
        "within": wait_by_start(scenario, hours, 2.0).within_prob,
        "answer": answer_of(result),
        "toml": fresh(json_of["model"]["profile"]["toml"], own.text),
        "again": inputs.estimate().total == result.total,
    }


@case("together/waits by the hour")
def _():
    from vmbmodel.plan.estimate import wait_by_start

    hours = np.array([0, 0.2, 6.5, 18.25, 22, 23.9])
    ways = ({}, *({"eight_hours": way} for way in ("own", "overload", "quantile")))
    return [wait_by_start(Scenario.of(settings=way), hours, 3.0) for way in ways]


@case("together/first of them left out")
def _():
    fleet = crowd(3, vault="v", start_h=22, snapshot_policy="enhanced")
    result = vm.estimate(fleet.assign(excluded=fleet["vm"] == "v000"), months=2)
    seen = {name: list(getattr(result, name).index[-2:]) for name in ("vms", "months")}
    return answer_of(result) | {"indices": seen, "columns": list(result.months)}


@case("together/around midnight")
def _():
    found, varies = {}, {"transfer_scv": 0.5, "snapshot_scv": 0.3}
    for start_h, reading in itertools.product((0, 22, 23.75), ("uniform", "latest")):
        settings = {"eight_hours": "overload", "line_reading": "one-pool"}
        settings |= {"start_slack_reading": reading, "vault_servers": 3}
        fleet = crowd(9, vault="v", start_h=start_h, churn_gib_per_day=9)
        result = vm.estimate(fleet, Scenario.of(settings=settings))
        varied = vm.estimate(fleet, Scenario.of(settings=settings | varies))
        seen = {"usual": result, "varied": varied}
        columns = ["wait_mean_h", "done_p95_h"]
        found[f"{start_h} {reading}"] = {n: r.vms[columns] for n, r in seen.items()}
    return found


@case("together/restored in a line")
def _():
    settings = {"vault_servers": 2, "restore_known_gib": 50.0, "restore_first": False}
    ways = (
        {},
        {"restore_law": "rates"},
        {"restore_law": "rates", "restore_first": True},
    )
    days = (
        {"eight_hours": "overload"},
        {"utilisation_frac": 0.7},
        {"vm_creation_h": 2},
    )
    fleet, found = some("huge", "above-500", "checked", "bare").assign(vault="one"), {}
    for way, day in itertools.product(ways, days):
        scenario = Scenario.of(settings=settings | way | day)
        result = vm.estimate(fleet, scenario)
        names = [c for c in result.vms if "restore" in c or c == "rto_prob"]
        found[f"{way} {day}"] = {"total": dict(result.total), "vms": result.vms[names]}
    return found
