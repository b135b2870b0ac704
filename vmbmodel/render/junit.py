"""A check as JUnit XML, which makes each rule a test.

Names of the inventory are data: what a reader of XML would take for markup is
escaped.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from pathlib import Path

from vmbmodel._words import counted
from vmbmodel.inventory.fleet import Located
from vmbmodel.plan.check import EXPIRED, UNUSED, Breach, Check
from vmbmodel.render.places import file_of, line_of, said
from vmbmodel.service import SEVERITIES

__all__ = ["render_junit"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
        count = counted(len(failing), "finding")
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


def _lines(findings: Iterable[Breach], path: Path, located: Located) -> Iterator[str]:
    for finding in findings:
        file = file_of(finding, path)
        line = line_of(finding, located)
        at = f"{file}:{line}" if line else f"{file}"
        kept = f" (suppressed: {finding.suppressed})" if finding.suppressed else ""
        yield _xml(f"{at}: {finding.severity}: {said(finding)}{kept}")


def _xml(text: str) -> str:
    """Replace what no XML may hold; the rest is escaped on writing."""
    return _NOT_XML.sub("\ufffd", text)
