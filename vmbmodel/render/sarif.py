"""A check as SARIF 2.1.0, which puts findings beside the lines of the inventory.

Names of the inventory are data: what a reader of SARIF would take for markup is
escaped.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import vmbmodel
from vmbmodel.inventory.fleet import Located
from vmbmodel.plan.check import EXPIRED, PLACES, UNUSED, Breach, Check
from vmbmodel.render.json import inert_json
from vmbmodel.render.places import file_of, line_of, said
from vmbmodel.service import Rule

__all__ = ["render_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_sarif(answer: Check, path: Path, located: Located) -> str:
    """Return a check as SARIF 2.1.0.

    Parameters
    ----------
    answer : Check
        The check.
    path : Path
        The inventory, as the caller named it.
    located : Located
        Where its rows stand.
    """
    rules = [outcome.rule for outcome in answer.outcomes]
    rules += [rule for rule in (EXPIRED, UNUSED) if _any(answer.others, rule)]
    index = {rule.id: i for i, rule in enumerate(rules)}
    cited = {o.rule.id: o.version for o in answer.outcomes}
    notes = [
        {
            "level": "note",
            "message": {"text": _plain(f"{o.status}, needs {o.needs}")},
            "associatedRule": {"id": o.rule.id, "index": index[o.rule.id]},
        }
        for o in answer.outcomes
        if o.needs
    ]
    run = {
        "tool": {
            "driver": {
                "name": "vmbmodel",
                "version": vmbmodel.__version__,
                "rules": [_rule(rule, cited.get(rule.id)) for rule in rules],
            }
        },
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": notes}
        ],
        "columnKind": "unicodeCodePoints",
        "properties": {"asOf": answer.as_of.isoformat()},
        "results": [_result(f, index, path, located) for f in answer.findings],
    }
    return inert_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _any(findings: Iterable[Breach], rule: Rule) -> bool:
    return any(finding.rule is rule for finding in findings)


def _rule(rule: Rule, version) -> dict:
    row = {
        "id": rule.id,
        "shortDescription": {"text": f"{rule.title}."},
        "help": {"text": rule.todo},
        "defaultConfiguration": {"level": rule.severity},
    }
    if version:
        row["properties"] = {
            "source": version.source,
            "locator": version.locator,
            "since": version.since.isoformat(),
        }
    return row


def _result(finding: Breach, index: dict, path: Path, located: Located) -> dict:
    file = Path(file_of(finding, path))
    physical = {"artifactLocation": {"uri": _uri(file)}}
    line = line_of(finding, located)
    if line:
        physical["region"] = {"startLine": line}
    location = {"physicalLocation": physical}
    named = [(n, finding.place.where[n]) for n in PLACES if n in finding.place.where]
    if named:
        location["logicalLocations"] = [
            {
                "name": str(named[-1][1]),
                "kind": named[-1][0],
                "fullyQualifiedName": "/".join(f"{n}={v}" for n, v in named),
            }
        ]
    row = {
        "ruleId": finding.rule.id,
        "ruleIndex": index[finding.rule.id],
        "level": finding.severity,
        "message": {"text": _plain(said(finding))},
        "locations": [location],
    }
    if finding.suppressed:
        row["suppressions"] = [
            {"kind": "external", "justification": finding.suppressed}
        ]
    return row


def _plain(text: str) -> str:
    """Escape what SARIF takes for links and for placeholders."""
    text = re.sub(r"([\\\[\]])", r"\\\1", text)
    return text.replace("{", "{{").replace("}", "}}")


def _uri(path: Path) -> str:
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
