"""Scenario files, and saved estimates that are computed again."""

import json
import re
import string

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.fields import fields
from vmbmodel.inventory import fleet
from vmbmodel.plan import saved as verify
from vmbmodel.plan import (
    scenario_arguments,
    scenario_settings,
    scenario_template,
    sealed,
)
from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.scenario import CATALOGUES, Scenario
from vmbmodel.service import PRICES

DISKS = """\
vm,disk,role,size_gib,used_gib,managed,storage_account,vault,first_backup
web,os,os,128,47,no,sa1,v1,
web,data,data,1024,400,,,v1,
db,os,os,128,60,,,,yes
db,data,data,2048,1500,,,,
"""


@pytest.fixture
def disks(tmp_path):
    path = tmp_path / "fleet.csv"
    path.write_text(DISKS)
    return path


@pytest.fixture
def run(tmp_path, monkeypatch, disks):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, status=0):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        assert result.exit_code == status, result.output
        assert "Traceback" not in result.output
        return result

    return invoke


def values(scenario):
    sets = {name: value for _, s in scenario.sets() for name, value in s.items()}
    return sets | dict(scenario.options)


# --- scenario files -----------------------------------------------------------------


def test_a_template_sets_nothing_and_shows_every_setting():
    text = scenario_template(Scenario.of())
    assert not re.search(r"^[^#\n]", text, re.M)
    shown = set(re.findall(r"^# ?(\w+) = ", text, re.M))
    assert shown == values(Scenario.of()).keys() | CATALOGUES.keys()


@pytest.mark.parametrize("profile", CATALOGUES["profile"].available())
def test_a_template_with_every_line_switched_on_means_the_defaults(tmp_path, profile):
    plain = Scenario.of(profile)
    text = scenario_template(plain)
    path = tmp_path / "scenario.toml"
    path.write_text(re.sub(r"^#(\w+ = )", r"\1", text, flags=re.M))
    found = scenario_arguments(path)
    assert found["profile"] == profile
    undecided = {name for name, v in values(plain).items() if v is None}
    assert found["settings"].keys() == values(plain).keys() - undecided
    assert values(Scenario.of(**found)) == values(plain)


def test_every_setting_is_explained_before_it_is_shown():
    parts = scenario_template(Scenario.of()).split("\n\n")
    for part in parts:
        if at := re.search(r"^# ?(\w+) = ", part, re.M):
            field = fields().get(at[1])
            words = " ".join(part.replace("#", " ").split())
            assert field is None or " ".join(field.text.split()) in words


def test_a_file_goes_before_defaults_and_the_command_line_before_it(run, tmp_path):
    path = tmp_path / "scenario.toml"
    path.write_text('profile = "azure-2018-12"\nservers = 20\nstart_h = 5\n')
    options = ("--scenario", path, "--format", "json")
    answer = json.loads(run("estimate", "fleet.csv", *options).stdout)
    assert answer["given"] == {"servers": 20, "start_h": 5}
    assert answer["model"]["profile"]["name"] == "azure-2018-12 (modified)"
    over = ("--set", "servers=30", "--profile", "azure-2026-01")
    answer = json.loads(run("estimate", "fleet.csv", *options, *over).stdout)
    assert answer["given"] == {"servers": 30, "start_h": 5}
    assert answer["model"]["profile"]["name"] == "azure-2026-01 (modified)"


def test_a_set_in_a_file_is_found_from_the_folder_of_the_scenario(run, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    book = PRICES.load("azure-list-2026-01").text.replace("5 USD", "6 USD")
    (folder / "mine.toml").write_text(book)
    run("init", "--prices", folder / "mine.toml", "-o", folder / "scenario.toml")
    assert 'prices = "mine.toml"\n' in (folder / "scenario.toml").read_text()
    text = run("estimate", "fleet.csv", "--scenario", folder / "scenario.toml").stdout
    assert "prices mine" in text


def test_all_faults_of_a_file_are_named_at_once_with_their_lines(run, tmp_path):
    (tmp_path / "bad.toml").write_text(
        'profile = "azure-2019"\n'
        "\n"
        "servers = 'ten'   # many\n"
        "peak_wait_prob = 95\n"
        '"servrs" = 2\n'
        "managed = 1\n"
        "churn_frac = nan\n"
        "[table]\n"
        "x = 1\n"
    )
    said = run("estimate", "fleet.csv", "--scenario", "bad.toml", status=2).stderr
    for part in (
        "bad.toml:1: there is no profile 'azure-2019'",
        "bad.toml:3: servers must be a number > 0 and finite; got 'ten'",
        "bad.toml:4: peak_wait_prob must be a number",
        "bad.toml:5: there is no setting 'servrs'; did you mean 'servers'?",
        "bad.toml:6: managed must be true or false; got 1",
        "bad.toml:7: churn_frac must be a number",
        "bad.toml:8: there is no setting 'table'",
    ):
        assert part in said, said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"servers = 1\nservers = 2\n", "bad.toml:2: Cannot overwrite a value"),
        (b"servers = \n", "bad.toml:1: Invalid value"),
        (b"\xff\xfe", "bad.toml: is no text in UTF-8 (line 1, byte"),
        (b"x = " + b"[" * 100_000, "bad.toml:"),
        (b"prices = 3\nlimits = []", "bad.toml:1: prices must be a name; got 3"),
        (b"servers = " + b"9" * 400, "bad.toml:1: servers must be a number"),
        (b"gb_bytes = 1050000000", "bad.toml:1: gb_bytes must be 1073741824 or"),
        (b'prices = "nowhere.toml"', "nowhere.toml: No such file"),
    ],
)
def test_a_broken_file_is_bad_input(run, tmp_path, content, message):
    (tmp_path / "bad.toml").write_bytes(content)
    for command in ("estimate", "check"):
        said = run(command, "fleet.csv", "--scenario", "bad.toml", status=2).stderr
        assert message in said


TOML_VALUES = st.one_of(
    st.text(string.printable, max_size=8).map(json.dumps),
    st.integers().map(str),
    st.floats().map(lambda x: str(x).removeprefix("-")),
    st.sampled_from(["true", "[1, 2]", "{a = 1}", "1979-05-27", "inf", "''"]),
)


@settings(max_examples=150)
@given(
    rows=st.dictionaries(
        st.sampled_from([*fields(), *CATALOGUES, "x"]), TOML_VALUES, max_size=5
    )
)
@example(rows={"servers": "0x" + "f" * 5000})
def test_any_file_is_read_or_refused_by_name(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("s") / "s.toml"
    path.write_text("".join(f"{name} = {value}\n" for name, value in rows.items()))
    said = ""
    try:
        Scenario.of(**scenario_arguments(path))
    except ValueError as error:
        said = str(error)
    assert all("s.toml" in line for line in said.splitlines())


def test_a_notebook_takes_what_it_has_of_a_scenario(tmp_path):
    path = tmp_path / "scenario.toml"
    path.write_text('profile = "azure-2018-12"\nservers = 20\n')
    assert scenario_settings(path) == {"profile": "azure-2018-12", "servers": 20}


def test_a_name_set_twice_is_refused(run):
    twice = ("--set", "servers=1", "--set", "servers=2")
    said = run("estimate", "fleet.csv", *twice, status=2).stderr
    assert "--set servers is given twice: '1', '2'" in said


def test_what_is_set_for_nothing_is_said(run):
    useless = ("--set", "max_disk_gib=5", "--set", "vault_servers=12")
    said = run("estimate", "fleet.csv", *useless).stderr
    assert said == "vmbmodel: --set max_disk_gib changes nothing here\n"
    assert not run("check", "fleet.csv", *useless[:2]).stderr


def test_only_what_changes_nothing_is_said_to(disks):
    """Whatever an estimate has not asked for can be anything."""
    rows, usual = fleet.read_fleet(disks), Scenario.of()
    given = {name: value for name, value in values(usual).items() if value is not None}
    before = estimate(rows, Scenario.of(settings=given))
    unused = before.scenario.unused()
    assert "max_disk_gib" in unused
    others = {name: another(name, given[name]) for name in unused}
    after = estimate(rows, Scenario.of(settings=given | others))
    pd.testing.assert_frame_equal(before.vms, after.vms)
    assert before.warnings == after.warnings


def another(name, value):
    field = fields()[name]
    if field.kind != "number":
        return next(v for v in field.choices or (not value,) if v != value)
    changed = (value + 1, value - 1, value / 2, 0.5, field.typical)
    return next(
        v
        for v in changed
        if v in field.range and v != value and not (field.whole and v % 1)
    )


# --- a saved estimate ---------------------------------------------------------------


@pytest.fixture
def saved(run, tmp_path):
    options = ("--set", "servers=20", "--set", "blob_mib_s=inf")
    run("estimate", "fleet.csv", *options, "--format", "json", "-o", "r.json")
    return tmp_path / "r.json"


def test_a_saved_estimate_is_reproduced_without_its_inventory(run, saved, disks):
    disks.unlink()
    assert run("verify", saved).stdout.startswith("The same: ")


def test_the_months_to_come_are_computed_again_too(run, saved):
    words = ("--months", 14, "--format", "json", "-o", saved, "--force")
    run("estimate", "fleet.csv", *words)
    run("verify", saved)
    whole = json.loads(saved.read_text())
    whole["months"][3]["total_usd"] += 1
    saved.write_text(json.dumps(whole))
    assert "months[3].total_usd" in run("verify", saved, status=1).stdout


def test_a_changed_cell_is_named(run, saved):
    whole = json.loads(saved.read_text())
    whole["vms"][1]["total_usd"] += 0.01
    whole["total"]["disks"] = 5
    whole["warnings"][0]["text"] = "Nothing to see."
    saved.write_text(json.dumps(whole))
    said = run("verify", saved, status=1).stdout
    for part in ("vms.db.total_usd: saved", "total.disks: saved 5, now 4.0"):
        assert part in said
    assert "warnings[0].text: saved 'Nothing to see.'" in said
    assert "4 differences." in said  # and the digest


def test_a_changed_setting_or_disk_changes_the_answer(run, saved):
    text = saved.read_text()
    for old, new in (('"servers": 20.0', '"servers": 2.0'), ("1500.0", "1499.0")):
        assert old in text
        saved.write_text(text.replace(old, new, 1))
        assert "differences" in run("verify", saved, status=1).stdout


def test_a_difference_below_the_tolerance_is_none(run, saved):
    whole = json.loads(saved.read_text())
    whole["vms"][0]["total_usd"] *= 1 + 1e-12  # as another machine would have it
    saved.write_text(json.dumps(dict(sealed(whole.items()))))
    run("verify", saved)
    whole["vms"][0]["total_usd"] *= 1 + 1e-6
    saved.write_text(json.dumps(dict(sealed(whole.items()))))
    run("verify", saved, status=1)
    run("verify", saved, "--tolerance", "1e-5")


@pytest.mark.parametrize(
    "part", ["schema", "model", "assumptions", "policies", "inventory", "total"]
)
def test_whatever_is_altered_is_seen(run, saved, part):
    whole = json.loads(saved.read_text())
    run("verify", saved)
    saved.write_text(json.dumps(dict(reversed(whole.items())), indent=4))
    run("verify", saved)  # as whole as before
    if part == "schema":
        whole["title"] = "mine"
    elif part == "model":
        whole["model"]["version"] = "9"
    elif part == "total":
        whole["total"]["expected_misses"] += 1e-12
    elif part == "inventory":
        whole["inventory"][0]["os"] = "linux"  # from which nothing is computed
    else:
        whole[part].pop()
    saved.write_text(json.dumps(whole))
    assert "digest: saved" in run("verify", saved, status=1).stdout


def test_a_small_chance_is_not_another(run, saved):
    whole = json.loads(saved.read_text())
    row = whole["policies"][0]
    row["any_miss_shared_prob"] = row["any_miss_shared_prob"] * 2 + 1e-12
    saved.write_text(json.dumps(dict(sealed(whole.items()))))
    said = run("verify", saved, status=1).stdout
    assert "policies[0].any_miss_shared_prob" in said
    assert "1 difference." in said


def test_a_result_whose_digest_is_gone_is_another(run, saved):
    whole = json.loads(saved.read_text())
    del whole["digest"]
    whole["inventory"][0]["os"] = "linux"  # which nothing else would tell
    saved.write_text(json.dumps(whole))
    assert "digest: saved '(absent)'" in run("verify", saved, status=1).stdout


def test_a_value_that_another_hides_is_refused(run, saved):
    text = saved.read_text()
    saved.write_text(text.replace('"disks": ', '"disks": 9, "disks": ', 1))
    said = run("verify", saved, status=2).stderr
    assert "r.json: is no JSON: key 'disks' stands twice in an object" in said


def test_a_price_book_of_one_s_own_is_carried_along(run, tmp_path):
    book = PRICES.load("azure-list-2026-01").text.replace("5 USD", "6 USD")
    (tmp_path / "mine.toml").write_text(book)
    options = ("--prices", "mine.toml", "--format", "json", "-o", "r.json")
    run("estimate", "fleet.csv", *options)
    (tmp_path / "mine.toml").unlink()
    run("verify", "r.json")
    whole = json.loads((tmp_path / "r.json").read_text())
    assert whole["model"]["prices"]["toml"] == book
    assert "toml" not in whole["model"]["profile"]
    whole["model"]["prices"]["toml"] += "\n# changed\n"
    (tmp_path / "r.json").write_text(json.dumps(whole))
    assert "model.prices.sha256" in run("verify", "r.json", status=1).stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "other/1"}, "is no result of the form vmbmodel.estimate/2"),
        ({"inventory": []}, "inventory is empty"),
        ({"inventory": [{"vm": "a"}]}, "required column size_gib is missing"),
        ({"inventory": [3]}, "inventory must be a list of objects"),
        ({"vms": {}}, "vms must be a list of objects"),
        ({"given": {"servers": "ten"}}, "r.json: given: servers must be a number"),
        ({"given": {"servers": 10**400}}, "r.json: given: servers must be a number"),
        ({"model": None}, "model must be an object"),
        ({"months": {}}, "months must be a list of objects"),
        ({"months": [{}] * 1201}, "months has 1,201 entries; most are 1,200"),
        (
            {"inventory": [{"vm": "\ud800", "size_gib": 10**400, "used_gib": 10**400}]},
            "r.json: inventory: row 1: vm = '\\ud800': must be text",
        ),
        ({"model": {"profile": {"name": 3}}}, "model.profile must have a name"),
    ],
)
def test_what_cannot_be_verified_is_bad_input(run, saved, change, message):
    saved.write_text(json.dumps(json.loads(saved.read_text()) | change))
    assert message in run("verify", "r.json", status=2).stderr


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_what_is_no_result_is_bad_input(run, tmp_path, content):
    (tmp_path / "r.json").write_bytes(content)
    assert "r.json: is n" in run("verify", "r.json", status=2).stderr


def test_other_rows_are_a_difference_not_a_fault(run, saved):
    whole = json.loads(saved.read_text())
    for rows in (whole["vms"][:1], [{"vm": [1]}, {"x": {}}], whole["vms"][::-1]):
        saved.write_text(json.dumps(whole | {"vms": rows}))
        run("verify", saved, status=1)
    cells = {"disks": 10**400, "total_usd": None, "used_gib": "inf"}
    rows = [whole["vms"][0] | cells, whole["vms"][1]]
    saved.write_text(json.dumps(whole | {"vms": rows}))
    said = run("verify", saved, status=1).stdout
    assert all(f"vms.web.{name}" in said for name in cells)


def test_an_estimate_of_a_bare_table_can_be_verified():
    disk = {"vm": "a", "disk": "os", "role": "os", "size_gib": 128, "used_gib": 47}
    saved = estimate(pd.DataFrame([disk]), Scenario.of()).to_dict()
    saved = json.loads(json.dumps(saved, allow_nan=False))
    assert saved["inventory"] == [disk]
    assert not list(verify.differences(saved, verify.Inputs.of(saved).estimate()))


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("backups_per_day", "say interval_h, the hours between two backups"),
        ("RPO_h", "interval_h=4, snapshot_policy=enhanced, snapshot_points=7"),
        ("retention_days", "say recovery_points"),
        ("servrs", "did you mean 'servers'?"),
    ],
)
def test_what_a_setting_is_called_otherwise_leads_to_it(run, name, instead):
    said = run("estimate", "fleet.csv", "--set", f"{name}=6", status=2).stderr
    assert f"there is no setting '{name}'; " in said
    assert instead in said


def test_what_is_said_instead_can_be_said(run):
    words = ("interval_h=4", "snapshot_policy=enhanced", "snapshot_points=7")
    run("estimate", "fleet.csv", *(w for word in words for w in ("--set", word)))


def test_a_file_of_nothing_but_faults_is_not_read_to_its_end(run, tmp_path):
    lines = [f"servrs{number} = 1" for number in range(1200)]
    (tmp_path / "s.toml").write_text("\n".join(lines))
    said = run("estimate", "fleet.csv", "--scenario", "s.toml", status=2).stderr
    assert "s.toml:100: there is no setting 'servrs99'" in said
    assert "servrs100'" not in said
    assert said.strip().endswith("... and at least 901 more")
