"""A check in the forms that services of continuous integration read.

SARIF 2.1.0 puts findings beside the lines of the inventory; JUnit XML makes each
rule a test. Names of the inventory are data in both: what a reader of the form
would take for markup is escaped.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import vmbmodel
from vmbmodel.inventory.fleet import Located
from vmbmodel.plan.check import EXPIRED, PLACES, UNUSED, Check, Finding
from vmbmodel.render.output import render_json
from vmbmodel.service.rules import SEVERITIES, Rule

__all__ = ["inert_json", "line_of", "render_junit", "render_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OWN = {EXPIRED.id, UNUSED.id}


def inert_json(result: object) -> str:
    r"""Return JSON that can stand inside a page without ending or opening a tag.

    >>> print(inert_json(["<b>"]))
    [
      "\u003cb\u003e"
    ]
    """
    text = render_json(result)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def line_of(finding: Finding, located: Located) -> int | None:
    """Return the line of a finding in its file; None where rows are no lines."""
    if finding.rule.id in _OWN:
        return finding.place.row or None
    if located.counted != "line" or not finding.place.where:
        return None
    return int(located.rows[finding.place.row])


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


def _any(findings: Iterable[Finding], rule: Rule) -> bool:
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


def _result(finding: Finding, index: dict, path: Path, located: Located) -> dict:
    file = finding.locator if finding.rule.id in _OWN else path
    physical = {"artifactLocation": {"uri": _uri(Path(file))}}
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
        "message": {"text": _plain(_said(finding))},
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


def _said(finding: Finding) -> str:
    """Return the sentence of a finding, with the VM if the sentence has it not."""
    vm = finding.place.where.get("vm")
    text = finding.place.text if vm is None else f"VM {vm}: {finding.place.text}"
    return f"{text} {finding.rule.todo}"


def _uri(path: Path) -> str:
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def render_junit(answer: Check, path: Path, located: Located, fail_on: str) -> str:
    """Return a check as JUnit XML: a test for each rule.

    Parameters
    ----------
    answer : Check
        The check.
    path : Path
        The inventory, as the caller named it.
    located : Located
        Where its rows stand.
    fail_on : str
        Least severity that fails a test; what is below, or suppressed, is in
        its output.
    """
    cases = [
        _case(outcome.rule, outcome.findings, outcome, path, located, fail_on)
        for outcome in answer.outcomes
    ]
    for rule in (EXPIRED, UNUSED):
        found = [f for f in answer.others if f.rule is rule]
        if found:
            cases.append(_case(rule, found, None, path, located, fail_on))
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
    }
    name = f"rules of {answer.as_of.isoformat()}"
    suites = ET.Element("testsuites", name="vmbmodel check", **counts)
    suite = ET.SubElement(suites, "testsuite", name=name, **counts)
    suite.extend(cases)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, "unicode")


def _case(rule, findings, outcome, path, located, fail_on) -> ET.Element:
    case = ET.Element("testcase", classname="vmbmodel.check", name=rule.id)
    least = SEVERITIES.index(fail_on)
    failing, other = [], []
    for finding in findings:
        fails = SEVERITIES.index(finding.severity) >= least and not finding.suppressed
        (failing if fails else other).append(finding)
    if failing:
        worst = max((f.severity for f in failing), key=SEVERITIES.index)
        count = f"{len(failing):,} finding{'s' * (len(failing) > 1)}"
        failure = ET.SubElement(
            case, "failure", type=worst, message=f"{rule.title}: {count}"
        )
        failure.text = "\n".join(_lines(failing, path, located))
    elif outcome is not None and outcome.status == "not checked":
        ET.SubElement(case, "skipped", message=_xml(f"needs {outcome.needs}"))
    notes = list(_lines(other, path, located))
    if outcome is not None and outcome.needs and outcome.status != "not checked":
        notes.append(_xml(f"not known: {outcome.needs}"))
    if notes:
        ET.SubElement(case, "system-out").text = "\n".join(notes)
    return case


def _lines(findings: Iterable[Finding], path: Path, located: Located) -> Iterator[str]:
    for finding in findings:
        file = finding.locator if finding.rule.id in _OWN else path
        line = line_of(finding, located)
        at = f"{file}:{line}" if line else f"{file}"
        kept = f" (suppressed: {finding.suppressed})" if finding.suppressed else ""
        yield _xml(f"{at}: {finding.severity}: {_said(finding)}{kept}")


def _xml(text: str) -> str:
    """Replace what no XML may hold; the rest is escaped on writing."""
    return _NOT_XML.sub("\ufffd", text)
