"""A policy is read whole, from whatever tool prints it."""

import json

import pytest
from azure_lists import disk, item, policy, resource, vault, vm
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.inventory import azure, fleet
from vmbmodel.inventory.files import InventoryError

WEB = vm("rg-web", "web-01")
DISK = disk("rg-web", "web-01-os", 128, ("rg-web", "web-01"))
CLOCK = "2026-01-15T23:00:00"

SCHEDULES = {
    "daily": {"schedulePolicyType": "SimpleSchedulePolicy",
              "scheduleRunFrequency": "Daily", "scheduleRunTimes": [CLOCK]},
    "weekly": {"schedulePolicyType": "SimpleSchedulePolicyV2",
               "scheduleRunFrequency": "Weekly",
               "weeklySchedule": {"scheduleRunDays": ["Sunday", "Wednesday"],
                                  "scheduleRunTimes": [CLOCK]}},
    "hourly": {"schedulePolicyType": "SimpleSchedulePolicyV2",
               "scheduleRunFrequency": "Hourly",
               "hourlySchedule": {"interval": 4, "scheduleWindowDuration": 12,
                                  "scheduleWindowStartTime": "2026-01-15T08:00:00"}},
}  # fmt: skip


def kept(count, unit):
    return {"retentionDuration": {"count": count, "durationType": unit}}


OF_THE_SERVICE = {
    "timeZone": "W. Europe Standard Time",
    "policyType": "V2",
    "instantRpRetentionRangeInDays": 7,
    "tieringPolicy": {
        "ArchivedRP": {
            "tieringMode": "TierAfter",
            "duration": 6,
            "durationType": "Months",
        }
    },
    "schedulePolicy": SCHEDULES["daily"],
    "retentionPolicy": {
        "retentionPolicyType": "LongTermRetentionPolicy",
        "dailySchedule": kept(180, "Days"),
        "weeklySchedule": kept(12, "Weeks") | {"daysOfTheWeek": ["Sunday"]},
        "monthlySchedule": kept(60, "Months")
        | {
            "retentionScheduleFormatType": "Daily",
            "retentionScheduleDaily": {
                "daysOfTheMonth": [
                    {"date": 1, "isLast": False},
                    {"date": 0, "isLast": True},
                ]
            },
        },
        "yearlySchedule": kept(10, "Years")
        | {
            "retentionScheduleFormatType": "Weekly",
            "monthsOfYear": ["January"],
            "retentionScheduleWeekly": {
                "daysOfTheWeek": ["Sunday"],
                "weeksOfTheMonth": ["First"],
            },
        },
    },
}

OF_POWERSHELL = {
    "BackupManagementType": "AzureVM",
    "WorkloadType": "AzureVM",
    "PolicySubType": "Enhanced",
    "SnapshotRetentionInDays": 7,
    "TieringPolicy": {
        "TieringMode": "TierAllEligible",
        "TierAfterDuration": 6,
        "TierAfterDurationType": "Months",
    },
    "SchedulePolicy": {
        "ScheduleRunFrequency": "Daily",
        "DailySchedule": {"ScheduleRunTimes": [CLOCK + "Z"]},
        "ScheduleRunTimeZone": "W. Europe Standard Time",
    },
    "RetentionPolicy": {
        "IsDailyScheduleEnabled": True,
        "IsWeeklyScheduleEnabled": True,
        "IsMonthlyScheduleEnabled": True,
        "IsYearlyScheduleEnabled": True,
        "DailySchedule": {"DurationCountInDays": 180},
        "WeeklySchedule": {"DurationCountInWeeks": 12, "DaysOfTheWeek": ["Sunday"]},
        "MonthlySchedule": {
            "DurationCountInMonths": 60,
            "RetentionScheduleFormatType": "Daily",
            "RetentionScheduleDaily": {
                "DaysOfTheMonth": [
                    {"Date": 1, "IsLast": False},
                    {"Date": 0, "IsLast": True},
                ]
            },
            "RetentionScheduleWeekly": None,
        },
        "YearlySchedule": {
            "DurationCountInYears": 10,
            "MonthsOfYear": ["January"],
            "RetentionScheduleFormatType": "Weekly",
            "RetentionScheduleDaily": None,
            "RetentionScheduleWeekly": {
                "DaysOfTheWeek": ["Sunday"],
                "WeeksOfTheMonth": ["First"],
            },
        },
    },
}

# as the enums of Az.RecoveryServices number them; the day is that of .NET
NUMBERS = {"AzureVM": 1, "Enhanced": 2, "TierAllEligible": 2, "Days": 1, "Weeks": 2,
           "Months": 3, "Years": 4, "Daily": 1, "Weekly": 2, "Sunday": 0, "First": 1,
           "January": 1}  # fmt: skip

WHOLE = {
    "policy": "Nightly",
    "vault": "vault-1",
    "snapshot_policy": "enhanced",
    "rhythm": "daily",
    "starts": "23:00",
    "time_zone": "W. Europe Standard Time",
    "start_h": 23,
    "interval_h": 24,
    "snapshot_points": 7,
    "recovery_points": 180,
    "weekly_points": 12,
    "weekly_on": "sunday",
    "monthly_points": 60,
    "month_day": 1,
    "monthly_on": "1 last",
    "yearly_points": 10,
    "yearly_on": "january first sunday",
    "archive": True,
    "archive_after_months": 6,
    "remarks": "keeps 2 monthly points of each month, taken as one",
}


def numbered(value):
    if isinstance(value, dict):
        return {name: numbered(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [numbered(inner) for inner in value]
    return NUMBERS.get(value, value) if isinstance(value, str) else value


def ticked(value):
    """Print times as Windows PowerShell does."""
    text = json.dumps(value).replace(f'"{CLOCK}Z"', '"\\/Date(1768518000000)\\/"')
    return json.loads(text)


def named(members):
    home = f"{vault()}/backupPolicies/Nightly"
    return {"Id": home, "Name": "Nightly"} | members


def read(tmp_path, *policies, items=None):
    paths = {}
    lists = {"disks": [DISK], "vms": [WEB], "policies": list(policies)}
    lists["items"] = [item("rg-web", "web-01")] if items is None else items
    for name, content in lists.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(content), "utf-8")
        paths[name] = [path]
    return azure.read(paths.pop("disks"), paths.pop("vms"), used_frac=0.5, **paths)


@pytest.mark.parametrize(
    "shape",
    [
        policy(**OF_THE_SERVICE),
        {"id": policy()["id"], "name": "Nightly"} | OF_THE_SERVICE,
        policy(**numbered(OF_THE_SERVICE)),
        named(OF_POWERSHELL),
        named(numbered(OF_POWERSHELL)),
        named(ticked(OF_POWERSHELL)),
    ],
    ids=[
        "service",
        "flat",
        "words of the service by number",
        "PowerShell",
        "numbers",
        "Windows PowerShell",
    ],
)
def test_a_policy_is_the_same_whoever_prints_it(tmp_path, shape):
    answer = read(tmp_path, shape)
    row = answer.policies.iloc[0].dropna().to_dict()
    assert row == WHOLE
    own = answer.disks.iloc[0]
    assert own["start_h"] == 23
    kept = own[list(fleet.OF_THE_POLICY)].dropna().to_dict()
    assert kept == {n: WHOLE[n] for n in fleet.OF_THE_POLICY if n in WHOLE}
    for remark in WHOLE["remarks"].split("; "):
        assert any(remark in note for note in answer.notes), remark


@pytest.mark.parametrize(
    ("rhythm", "starts", "interval_h", "remark"),
    [
        ("daily", "23:00", 24, None),
        ("weekly", "23:00", 84, "runs on 2 days of the week, taken as evenly set"),
        ("hourly", "08:00 12:00 16:00 20:00", 4, None),
    ],
)
def test_rhythms(tmp_path, rhythm, starts, interval_h, remark):
    found = read(tmp_path, policy(schedule=SCHEDULES[rhythm])).policies.iloc[0]
    assert (found["rhythm"], found["starts"]) == (rhythm, starts)
    assert found["interval_h"] == interval_h
    assert found["remarks"] == remark


def test_a_policy_of_one_length_for_all_points(tmp_path):
    simple = {"retentionPolicyType": "SimpleRetentionPolicy"} | kept(9, "Days")
    found = read(tmp_path, policy(retentionPolicy=simple)).policies.iloc[0]
    assert (found["recovery_points"], found["weekly_points"]) == (9, 0)


def test_a_level_that_is_switched_off_keeps_nothing(tmp_path):
    retention = OF_POWERSHELL["RetentionPolicy"] | {"IsYearlyScheduleEnabled": False}
    shape = named(OF_POWERSHELL | {"RetentionPolicy": retention})
    assert read(tmp_path, shape).policies.loc[0, "yearly_points"] == 0


def test_what_a_list_does_not_tell_stays_open(tmp_path):
    own = read(tmp_path, policy()).disks.iloc[0]
    assert own["interval_h"] == 24
    told = ["snapshot_points", "recovery_points", "weekly_points", "archive"]
    assert own[told].isna().all()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"PolicySubType": 7}, "PolicySubType = 7: is a number whose word is not known"
                               "; say ConvertTo-Json -EnumsAsStrings"),
        ({"RetentionPolicy": "Microsoft.Azure.Commands.Models.LongTermRetentionPolicy"},
         "must be an object; say ConvertTo-Json -Depth 10"),
        ({"SchedulePolicy": {"ScheduleRunFrequency": "Fortnightly"}},
         "scheduleRunFrequency = 'fortnightly': must be daily, weekly or hourly"),
        ({"RetentionPolicy": {"WeeklySchedule": {"DurationCountInWeeks": 1.5}}},
         "durationCountInweeks = 1.5: must be a whole number"),
        ({"RetentionPolicy": {"DailySchedule": {}}}, "retentionDuration must not be"),
        ({"RetentionPolicy": {"WeeklySchedule": {"DurationCountInWeeks": 1,
                                                 "DaysOfTheWeek": ["Caturday"]}}},
         "daysOfTheWeek = 'Caturday': must be of sunday, monday"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(tmp_path, broken, message):
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, named(OF_POWERSHELL | broken))
    text = str(caught.value).lower()
    assert message.lower() in text
    assert "policies.json: row 1: " in text


def test_the_command_writes_the_policies_beside_the_inventory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read(tmp_path, policy(**OF_THE_SERVICE))
    lists = [f"--{n}={n}.json" for n in ("disks", "vms", "items", "policies")]
    command = ["import", *lists, "--used-frac=0.5", "-o", "own.csv"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    header, row = (tmp_path / "own-policies.csv").read_text("utf-8").splitlines()
    assert header == ",".join(fleet.POLICY_COLUMNS)
    assert row.startswith("Nightly,vault-1,enhanced,daily,,23:00,W. Europe")
    assert fleet.read_fleet("own.csv").loc[0, "yearly_points"] == 10
    (tmp_path / "own.csv").unlink()
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert "own-policies.csv: exists; --force replaces it" in result.output
    assert not (tmp_path / "own.csv").exists()


POWERSHELL_ITEM = {
    "VirtualMachineId": resource("rg-web", "virtualMachines", "web-01"),
    "ProtectionStatus": 1,
    "LastBackupStatus": "Completed",
    "LastBackupTime": "2026-01-10T01:00:00Z",
    "ProtectionPolicyName": "Nightly",
    "PolicyId": f"{vault()}/backupPolicies/Nightly",
    "DeleteState": 2,
    "Name": "VM;iaasvmcontainerv2;rg-web;web-01",
    "Id": f"{vault()}/backupFabrics/Azure/protectionContainers/c/protectedItems/i",
    "LatestRecoveryPoint": "\\/Date(1768007410000)\\/",
    "WorkloadType": 1,
    "ContainerName": "iaasvmcontainerv2;rg-web;web-01",
    "BackupManagementType": 1,
}


@pytest.mark.parametrize(
    ("state", "word", "note"),
    [
        (1, "IRPending", None),
        (3, "Protected", None),
        (4, "ProtectionStopped", "stopped"),
    ],
)
def test_items_of_powershell_by_number_and_word(tmp_path, state, word, note):
    answers = [
        read(tmp_path, policy(), items=[POWERSHELL_ITEM | {"ProtectionState": said}])
        for said in (state, word)
    ]
    assert answers[0].notes == answers[1].notes
    assert answers[0].disks.equals(answers[1].disks)
    own = answers[0].disks.iloc[0]
    assert (own["policy"], own["vault"]) == ("Nightly", "vault-1")
    assert own["first_backup"] == (state == 1)
    assert any("stopped" in n for n in answers[0].notes) == bool(note)


def test_what_is_no_vm_in_the_vault_is_left_out(tmp_path):
    sql = POWERSHELL_ITEM | {"BackupManagementType": 5, "ProtectionState": 3}
    gone = POWERSHELL_ITEM | {"DeleteState": 1, "ProtectionState": 4}
    answer = read(tmp_path, items=[sql, gone])
    assert dict(answer.skipped) == {
        "entry that is no VM in the vault, but 'kind 5'": 1,
        "entry that is deleted softly in the vault": 1,
    }
