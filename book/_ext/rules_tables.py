"""The rules in force, consistency and encryption, as tables from the service's files.

.. code-block:: md

    ```{rules-table} error
    ```
    ```{rules-by-date}
    ```
    ```{consistency-table}
    ```
    ```{encryption-table}
    ```
"""

from docutils import nodes
from model_tables import ModelTable, code, plain

from vmbmodel.fields import fields
from vmbmodel.service import SEVERITIES, consistency, encryptions, rules

CASES = (
    ("Windows, running, VSS succeeded", {"os": "windows", "vss_succeeded": True}),
    ("Windows, running, VSS failed", {"os": "windows", "vss_succeeded": False}),
    (
        "Linux, running, scripts succeeded",
        {"os": "linux", "scripts_present": True, "scripts_succeeded": True},
    ),
    (
        "Linux, running, a script failed",
        {"os": "linux", "scripts_present": True, "scripts_succeeded": False},
    ),
    ("Linux, running, no scripts", {"os": "linux", "scripts_present": False}),
    ("Either, stopped", {"os": "linux", "power": "stopped"}),
    (
        "Either, stopped, never backed up",
        {"os": "linux", "power": "stopped", "first_backup": True},
    ),
    ("Either, by a policy without an agent", {"os": "windows", "agentless": True}),
)


class RulesTable(ModelTable):
    """The rules of one severity, with the times and the figures of each."""

    required_arguments = 1

    def run(self):
        """Return the table."""
        severity = self.arguments[0]
        if severity not in SEVERITIES:
            raise self.error(f"{severity} is none of {', '.join(SEVERITIES)}")
        rows = [
            ([f"rule-{rule.id}"], self.cells(rule))
            for rule in rules()
            if rule.severity == severity
        ]
        heads = ["rule", "in force", "what to do about it"]
        return [self.table(heads, [30, 40, 30], rows)]

    def cells(self, rule):
        """Return the cells of one rule."""
        name = nodes.paragraph("", "", *code(rule.id))
        title = nodes.paragraph("", f"{rule.title}.")
        looked = nodes.paragraph("", f"Looks at: {rule.looks_at}.")
        times = [self.version(version) for version in rule.versions]
        return [[name, title, looked], times, plain(rule.todo)]

    def version(self, version):
        """Return the paragraph of one time of a rule."""
        text = f"{span(version)}: "
        found = [nodes.Text(text)]
        constants = version.constants()
        for name in version.threshold:
            label = f"{fields()[name].label} {constants.origins[name].documented}; "
            found.append(nodes.Text(label))
        found += self.markdown(f"{{cite:t}}`{version.source}`")
        found.append(nodes.Text(f", {version.locator}."))
        if version.needs:
            found.append(nodes.Text(f" Not checked: needs {version.needs}."))
        return nodes.paragraph("", "", *found)


class RulesByDate(ModelTable):
    """What began, changed and ended on each date."""

    def run(self):
        """Return the table."""
        dates = sorted({version.since for rule in rules() for version in rule.versions})
        rows = [([], self.cells(date)) for date in dates]
        heads = ["from", "in force", "new", "said anew", "no longer"]
        return [self.table(heads, [12, 10, 30, 28, 20], rows)]

    def cells(self, date):
        """Return the cells of one date."""
        held = [rule.id for rule in rules() if rule.on(date)]
        starts = [r for r in rules() if any(v.since == date for v in r.versions)]
        new = [r.id for r in starts if r.versions[0].since == date]
        anew = [r.id for r in starts if r.id not in new]
        ends = [
            rule.id
            for rule in rules()
            if any(v.until == date for v in rule.versions) and not rule.on(date)
        ]
        day = str(date).replace("-", "\u2011")  # on one line
        cells = [plain(day), plain(str(len(held)))]
        return cells + [plain(", ".join(names)) for names in (new, anew, ends)]


class ConsistencyTable(ModelTable):
    """What a recovery point is good for, case by case."""

    def run(self):
        """Return the table."""
        rows = []
        for title, given in CASES:
            found = consistency(**{"power": "running"} | given)
            cited = self.markdown(f"{{cite:t}}`{found.source}`")
            rows.append(
                ([], [plain(title), plain(found.title), plain(found.why), cited])
            )
        heads = ["VM at the time of the backup", "its point is", "because", "source"]
        return [self.table(heads, [28, 18, 36, 18], rows)]


class EncryptionTable(ModelTable):
    """Which encrypted VMs can be backed up, and who can read the copies."""

    def run(self):
        """Return the table."""
        rows = []
        for row in encryptions():
            disks = " and ".join("managed" if m else "unmanaged" for m in row.managed)
            answer = "yes" if row.supported else "no"
            cited = self.markdown(f"{{cite:t}}`{row.source}`")
            cells = [row.keys, disks, answer, row.readers]
            rows.append(([], [*map(plain, cells), cited]))
        heads = ["keys", "disks", "supported", "who can read the copies", "source"]
        return [self.table(heads, [14, 14, 12, 44, 16], rows)]


def span(version):
    """Return the time of a version in words."""
    if version.until is None:
        return f"since {version.since}"
    return f"{version.since} to {version.until}"


def setup(app):
    """Register the directives."""
    app.add_directive("rules-table", RulesTable)
    app.add_directive("rules-by-date", RulesByDate)
    app.add_directive("consistency-table", ConsistencyTable)
    app.add_directive("encryption-table", EncryptionTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
