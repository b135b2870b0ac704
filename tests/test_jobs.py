"""Job logs of several tools and years become one table; what cannot is counted."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from azure_lists import SUBSCRIPTION, job
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from malformed import refusals
from pandas.testing import assert_frame_equal
from typer.testing import CliRunner

import vmbmodel as vm
from vmbmodel import fields as units
from vmbmodel.cli import app
from vmbmodel.inventory import jobs
from vmbmodel.inventory.files import listing
from vmbmodel.inventory.files.findings import InventoryError
from vmbmodel.inventory.files.quantities import duration_h, instant, size_gib, zone
from vmbmodel.inventory.jobs.log import SHAPES


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def save(content, name="jobs.json"):
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    data = content if isinstance(content, bytes) else content.encode()
    Path(name).write_bytes(data)
    return Path(name)


def read(content, name="jobs.json", **more):
    return jobs.read([save(content, name)], **more)


def only(log):
    assert len(log.jobs) == 1
    return log.jobs.iloc[0]


# --- quantities ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT41M17.9270278S", 2477.9270278),  # the command line, 2022
        ("00:20:23.0896697", 1223.0896697),  # the service's documentation, 2018
        ("0:21:13.220616", 1273.220616),  # the command line's table, 2021
        ("1.02:03:04", 93784),  # .NET, more than a day
        ("1 day, 2:03:04", 93784),  # Python, more than a day
        ("2 days, 0:00:00", 172800),
        ("P1DT2H3M4S", 93784),
        ("PT26H", 93600),
        ("PT0S", 0),
        ("1 h 30 min", 5400),
        ("12 minutes, 5 seconds", 725),
    ],
)
def test_spellings_of_a_duration(text, seconds):
    assert duration_h(text) * 3600 == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "12", "-00:01:00", "1:2", "P1Y", "00:61:00", "PT9999999999H"],
)
def test_no_durations(text):
    with pytest.raises(ValueError, match=r"is no duration|is longer than"):
        duration_h(text)


@given(seconds=st.integers(0, 10**7), micro=st.integers(0, 999_999))
def test_pythons_and_nets_clocks_say_the_same(seconds, micro):
    delta = timedelta(seconds=seconds, microseconds=micro)
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    dot_net = f"{days}.{hours:02}:{rest // 60:02}:{rest % 60:02}.{micro:06}0"
    expected = pytest.approx(delta.total_seconds() / 3600, rel=1e-12, abs=1e-12)
    assert duration_h(str(delta)) == expected
    assert duration_h(dot_net) == expected


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        ("11370 MB", 11370),
        ("0 MB", 0),
        ("63.5 GBs", 65024),
        ("1.5 TB", 1.5 * 2**20),
        ("2,5 GB", 2560),
        ("1.234,5 MB", 1234.5),
        ("1,234.5 MB", 1234.5),
        ("12,345,678 KB", 12345678 / 1024),
        ("1'234 MB", 1234),
        ("1\u202f234 MB", 1234),
        ("2097152 bytes", 2),
    ],
)
def test_sizes_in_texts(text, mib):
    assert size_gib(text) * 1024 == pytest.approx(mib)


@pytest.mark.parametrize(
    "text", ["1,234 MB", "1.234 MB", "12", "MB", "1..2 GB", "-1 MB"]
)
def test_sizes_that_may_be_read_in_two_ways_are_not_read(text):
    with pytest.raises(ValueError, match=r"is no size|may group or part"):
        size_gib(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-05-13T10:09:27.2801342Z", "2022-05-13T10:09:27.280134"),
        ("2022-05-13T12:09:27.280134+02:00", "2022-05-13T10:09:27.280134"),
        ("2017-09-19T03:09:21", "2017-09-19T03:09:21"),
        ("5/21/2018, 8:35:40.948 PM", "2018-05-21T20:35:40.948"),
        ("21/05/2018 08:35:40", "2018-05-21T08:35:40"),
        ("21.05.2018 08:35", "2018-05-21T08:35:00"),
        ("/Date(1526891740948)/", "2018-05-21T08:35:40.948"),
    ],
)
def test_spellings_of_a_time(text, expected):
    assert instant(text) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["5/6/2018 08:35", "2018-13-01T00:00:00Z", "now", ""])
def test_no_times(text):
    with pytest.raises(ValueError, match=r"is no time|taken for each other"):
        instant(text)


def test_times_not_set():
    assert instant("0001-01-01T00:00:00") is None
    assert instant("2001-01-01T00:00:00Z") is None


def test_zones_by_windows_names():
    winter = datetime(2026, 1, 15, 12, tzinfo=UTC)
    for name, hours in [
        ("W. Europe Standard Time", 1),
        ("India Standard Time", 5.5),
        ("Pacific Standard Time", -8),
        ("Europe/Berlin", 1),
        ("UTC", 0),
    ]:
        offset = winter.astimezone(zone(name)).utcoffset()
        assert offset == timedelta(hours=hours), name


# --- shapes -------------------------------------------------------------------


def test_columns_are_rows_of_the_field_table():
    assert set(jobs.COLUMNS) <= set(units.fields())


def test_a_job_of_2018():
    row = only(
        read(
            {
                "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers"
                "/microsoft.recoveryservices/vaults/demo/backupJobs/7d",
                "name": "7d",
                "properties": {
                    "jobType": "AzureIaaSVMJob",
                    "duration": "00:20:23.0896697",
                    "extendedInfo": {
                        "tasksList": [
                            {
                                "taskId": "Take Snapshot",
                                "duration": "00:00:00",
                                "status": "Completed",
                            },
                        ],
                        "propertyBag": {"VM Name": "db1", "Backup Size": "2332 MB"},
                    },
                    "entityFriendlyName": "db1",
                    "backupManagementType": "AzureIaasVM",
                    "operation": "Backup",
                    "status": "Completed",
                    "startTime": "2018-05-21T08:35:40.9488967Z",
                    "endTime": "2018-05-21T08:56:04.0385664Z",
                },
            }
        )
    )
    assert (row["vm"], row["vault"]) == ("db1", "demo")
    assert row["job_h"] == pytest.approx(1223.0896697 / 3600)
    assert row["moved_gib"] == pytest.approx(2332 / 1024)
    assert pd.isna(row["snapshot_h"])  # printed as zero: not recorded


def task(name, start, end, status="Completed", **more):
    return {
        "taskId": name,
        "status": status,
        "startTime": f"2026-07-26T{start}Z" if start else "0001-01-01T00:00:00",
        "endTime": f"2026-07-26T{end}Z" if end else "0001-01-01T00:00:00",
        "duration": "PT0S",
    } | more


def test_a_job_of_2026_has_phases_and_the_wait_between_them():
    tasks = [
        task("Take Snapshot", "10:00:00", "10:17:40"),
        task("Transfer data to vault", "11:17:40", "11:50:52"),
        task("Validate Backup", "11:50:52", None, "InProgress"),
    ]
    found = job("a", "2026-07-26T10:00:00Z", actionsInfo=["Cancellable"])
    found["properties"]["extendedInfo"]["tasksList"] = tasks
    row = only(read([found]))
    assert row["snapshot_h"] * 60 == pytest.approx(17 + 40 / 60)
    assert row["wait_h"] == pytest.approx(1)
    assert row["transfer_h"] * 60 == pytest.approx(33.2)
    assert pd.isna(row["validate_h"])


def test_a_restore_says_how_much_it_moved():
    done = task(
        "Transfer data from vault",
        "10:00:00",
        "10:30:00",
        taskExecutionDetails="127 GBs / 127 GBs Transferred",
    )
    found = job("a", "2026-07-26T10:00:00Z", "Restore")
    bag = {"Job Type": "Recover disks", "Recovery point time ": "7/26/2026"}
    found["properties"]["extendedInfo"] = {"tasksList": [done], "propertyBag": bag}
    row = only(read([found]))
    assert (row["operation"], row["moved_gib"], row["transfer_h"]) == (
        "Restore",
        127,
        0.5,
    )


def test_the_table_of_the_command_line():
    row = only(
        read(
            "Name,Operation,Status,Item Name,Start Time UTC,Duration\n"
            "a0,Backup,Completed,web-01,2017-09-19T03:09:21,0:15:26.155212\n",
            "jobs.csv",
        )
    )
    assert (row["vm"], row["job"]) == ("web-01", "a0")
    assert row["job_h"] == pytest.approx(926.155212 / 3600)


def test_the_portals_csv_by_the_clock_of_a_country():
    row = only(
        read(
            "\ufeffWorkload name;Operation;Status;Type;Start time;Duration\n"
            "web-01;Backup;Completed with warnings;Azure Virtual machine;"
            "21.05.2018 10:35:40;00:20:23\n",
            "jobs.csv",
            time_zone="W. Europe Standard Time",
        )
    )
    assert row["status"] == "CompletedWithWarnings"
    assert str(row["start_time"]) == "2018-05-21 08:35:40+00:00"


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("12/11/2020 23:18:36", "dmy", "2020-11-12"),
        ("12/11/2020 23:18:36", "mdy", "2020-12-11"),
        ("12/11/2020 11:18:36 PM", "dmy", "2020-11-12"),  # Australia
        ("12/11/2020 11:18:36 PM", None, "2020-12-11"),
        ("13/11/2020 23:18:36", None, "2020-11-13"),
        ("12.11.2020 23:18:36", "mdy", "2020-11-12"),  # dots leave no doubt
        ("2020-11-12 23:18:36", "mdy", "2020-11-12"),
    ],
)
def test_the_order_of_dates_is_as_you_say(text, order, day):
    log = f"Workload name,Operation,Status,Start time\nweb-01,Backup,Completed,{text}\n"
    row = only(read(log, "jobs.csv", date_order=order))
    assert f"{row['start_time']:%Y-%m-%d}" == day


@pytest.mark.parametrize(
    ("start", "end", "order", "said"),
    [
        (
            "12/11/2020 23:18",
            "13/11/2020 00:19",
            "mdy",
            "mdy, as you say: no month is 13",
        ),
        (
            "11/12/2020 23:18",
            "11/13/2020 00:19",
            "dmy",
            "dmy, as you say: no month is 13",
        ),
        (
            "12/11/2020 11:18 PM",
            "13/11/2020 0:19",
            "mdy",
            "mdy, as you say: no month is",
        ),
        ("12/11/2020 11:18 PM", "13/11/2020 1:19 AM", None, "mdy, as AM or PM say: no"),
    ],
)
def test_a_date_that_fits_only_the_other_order_refuses_the_file(
    start, end, order, said
):
    head = "Workload name,Operation,Start time,End time\n"
    log = f"{head}a,Backup,{start},\nweb-01,Backup,{start},{end}\n"
    with pytest.raises(InventoryError) as caught:
        read(log, "jobs.csv", date_order=order)
    (line,) = str(caught.value).splitlines()
    other = "mdy" if order == "dmy" else "dmy"
    assert f"jobs.csv:3: endTime = '{end}': is no date that is {said}" in line
    assert line.endswith(f"; is it --date-order {other}?")
    (_, day) = read(log, "jobs.csv", date_order=other).jobs["end_time"]
    assert f"{day:%Y-%m-%d}" == "2020-11-13"


def test_a_date_that_fits_no_order_is_no_time():
    log = "Workload name,Operation,Start time\nweb-01,Backup,13/13/2020 23:18:36\n"
    with pytest.raises(InventoryError, match="is no time"):
        read(log, "jobs.csv", date_order="mdy")
    with pytest.raises(ValueError, match="date_order cannot be 'ymd'"):
        read(log, "jobs.csv", date_order="ymd")


def test_the_command_line_says_how_to_give_the_order():
    text = OF_A_VAULT.replace(" PM", "").replace(" AM", "").replace("1/28", "1/8")
    save("\n".join(text.splitlines()[:2]), "jobs.csv")
    refused = CliRunner().invoke(app, ["jobs", "jobs.csv"])
    assert refused.exit_code == 2
    assert "say --date-order dmy or mdy, or write the year first" in refused.output
    taken = CliRunner().invoke(app, ["jobs", "jobs.csv", "--date-order", "dmy"])
    assert taken.exit_code == 0
    assert "2026-08-01T11:00:12Z" in taken.output
    wrong = CliRunner().invoke(app, ["jobs", "jobs.csv", "--date-order", "ymd"])
    assert wrong.exit_code == 2


OF_A_VAULT = """\
Workload name,Operation,Status,Type,Start time,Duration
web-01,Backup,Completed,Azure Virtual machine,"1/28/2026, 11:00:12 PM",00:41:18
web-02,Configure backup,Completed,Azure Virtual machine,"1/28/2026, 9:00:12 AM",00:00:31
sales,Backup (Full),Completed,SQL in Azure VM,"1/28/2026, 11:10:12 PM",00:05:00
share,Backup,Completed,Azure Storage (Azure Files),"1/28/2026, 11:10:12 PM",00:05:00
"""

OF_SEVERAL_VAULTS = """\
Backup instance,Datasource subscription,Datasource resource group,Datasource type,\
Operation,Status,Vault,Start time,Duration
web-01,Production,rg-web,Azure Virtual machines,Scheduled backup,Completed,vault-1,\
2026-01-28T23:00:12.0000000Z,00:41:18
web-02,Production,rg-web,Azure Virtual machines,On-demand backup,In progress,vault-1,\
2026-01-28T23:00:12.0000000Z,
sales,Production,rg-web,SQL in Azure VM,Scheduled backup,Completed,vault-1,\
2026-01-28T23:00:12.0000000Z,00:05:00
"""


def test_the_jobs_that_the_portal_exports_of_a_vault():
    log = read(OF_A_VAULT, "jobs.csv")
    assert log.jobs["vm"].tolist() == ["web-02", "web-01"]
    assert log.jobs["operation"].tolist() == ["ConfigureBackup", "Backup"]
    assert str(log.jobs.loc[1, "start_time"]) == "2026-01-28 23:00:12+00:00"
    assert log.skipped == {
        "no job of a VM, but of 'SQL in Azure VM'": 1,
        "no job of a VM, but of 'Azure Storage (Azure Files)'": 1,
    }
    assert not log.unread


def test_the_jobs_that_the_portal_exports_of_several_vaults():
    log = read(OF_SEVERAL_VAULTS, "jobs.csv")
    names = ["vm", "subscription", "resource_group", "vault", "operation", "status"]
    assert log.jobs[names].to_numpy().tolist() == [
        ["web-01", "Production", "rg-web", "vault-1", "Backup", "Completed"],
        ["web-02", "Production", "rg-web", "vault-1", "Backup", "InProgress"],
    ]
    assert log.skipped == {"no job of a VM, but of 'SQL in Azure VM'": 1}


def test_a_log_of_no_known_shape_gets_the_list_of_those_that_are():
    with pytest.raises(
        InventoryError, match="no job that can be read; read are az"
    ) as e:
        read("Server,Begin,Finish\nweb-01,1,2\n", "jobs.csv")
    assert "Workload name, Operation, Status, Type, Start time" in str(e.value)


@pytest.mark.parametrize("text", [OF_A_VAULT, OF_SEVERAL_VAULTS])
def test_a_malformed_export_is_read_or_refused_with_its_place(text):
    path = Path("jobs.csv")
    path.write_text(text, "utf-8")
    refused = list(refusals(lambda name: jobs.read([name]), path, 100))
    assert len(refused) > 10
    assert all(f.file == "jobs.csv" for findings in refused for f in findings)


def analytics(status, generated, **more):
    return {
        "TimeGenerated": generated,
        "JobUniqueId": "j1",
        "BackupItemUniqueId": "westeurope;17592;vm;iaasvmcontainerv2;RG-Web;web-01",
        "JobOperation": "Backup",
        "JobStatus": status,
        "JobStartDateTime": "2026-05-01T22:00:00Z",
        "BackupManagementType": "IaaSVM",
        "_ResourceId": f"/subscriptions/{SUBSCRIPTION}/resourcegroups/g/providers"
        "/microsoft.recoveryservices/vaults/vault-1",
    } | more


UPDATES = [
    analytics(
        "Completed",
        "2026-05-01T23:00:00Z",
        JobDurationInSecs=1800,
        DataTransferredInMB=2048.0,
    ),
    analytics("InProgress", "2026-05-01T22:10:00Z", JobDurationInSecs=600),
]


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_rows_of_a_job_the_last_counts(order):
    log = read(UPDATES[::order])
    row = only(log)
    assert (row["status"], row["job_h"], row["moved_gib"]) == ("Completed", 0.5, 2)
    assert (row["vm"], row["resource_group"]) == ("web-01", "rg-web")
    assert row["vault"] == "vault-1"
    assert log.skipped == {"older rows of the same job": 1}


def test_log_analytics_as_csv_and_as_tables_and_under_older_names():
    names = list(UPDATES[0])
    cells = ",".join(str(UPDATES[0][name]) for name in names)
    as_csv = only(read(",".join(names) + "\n" + cells + "\n", "a.csv"))
    old = {
        f"{n}_g" if n == "JobUniqueId" else f"{n}_s": v for n, v in UPDATES[0].items()
    }
    table = {
        "columns": [{"name": name, "type": "string"} for name in names],
        "rows": [[UPDATES[0][name] for name in names]],
    }
    for content in ([old], {"tables": [table]}):
        pd.testing.assert_series_equal(only(read(content)), as_csv)


def test_list_and_show_of_one_job_are_one_job():
    shown = job("a", "2026-05-01T22:00:00Z", size="2 GB")
    listed = copy.deepcopy(shown)
    del listed["properties"]["extendedInfo"]
    for order in ([listed, shown], [shown, listed]):
        assert only(read(order))["moved_gib"] == 2


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("InProgress", "InProgress"),
        ("In progress", "InProgress"),
        ("Canceled", "Cancelled"),
        ("Failed", "Failed"),
        ("Something new", "Something new"),
    ],
)
def test_jobs_that_did_not_end_well(text, status):
    found = job("a", "2026-05-01T22:00:00Z", status=text, endTime=None, duration=None)
    row = only(read([found]))
    assert row["status"] == status
    assert pd.isna(row["job_h"])
    assert pd.isna(row["end_time"])


def test_jobs_of_other_things_are_counted_apart():
    other = job("db", "2026-05-01T22:00:00Z", backupManagementType="AzureWorkload")
    log = read([job("a", "2026-05-01T22:00:00Z"), other])
    assert len(log.jobs) == 1
    assert log.skipped == {"no job of a VM, but of 'AzureWorkload'": 1}


def test_what_cannot_be_read_is_counted_by_reason():
    good = job("a", "2026-05-01T22:00:00Z")
    late = [job("a", f"{n}. May") for n in range(3)]
    odd = job("b", "2026-05-01T22:00:00Z", size="1,234 MB")
    log = read([good, *late, odd])
    assert [(count, str(first)) for first, count in log.unread] == [
        (3, "jobs.json: row 2: properties.startTime = '0. May': is no time"),
        (
            1,
            "jobs.json: row 5: extendedInfo.propertyBag.Backup Size = '1,234 MB': has "
            "a mark that may group or part decimals",
        ),
    ]
    assert len(log.jobs) == 2


def test_a_log_without_a_readable_job_is_refused():
    with pytest.raises(InventoryError) as error:
        read([job("a", "May"), {"x": 1}])
    assert str(error.value).splitlines() == [
        "jobs.json: row 1: properties.startTime = 'May': is no time",
        "jobs.json: row 2: operation must not be missing",
        f"jobs.json: has no job that can be read; read are {SHAPES}",
    ]


def test_the_table_is_read_back():
    tasks = [task("Take Snapshot", "10:00:00", "10:17:40")]
    found = job("a", "2026-07-26T10:00:00Z", size="5 GB")
    found["properties"]["extendedInfo"]["tasksList"] = tasks
    log = read([found, job("b", "2026-07-26T11:00:00Z", endTime=None)])
    done = CliRunner().invoke(app, ["jobs", "jobs.json", "--format", "csv"])
    again = read(done.stdout, "jobs.csv")
    assert_frame_equal(again.jobs, log.jobs)


def test_the_first_backup_is_the_one_behind_the_set_up():
    log = read(
        [
            job("a", "2026-05-01T20:00:00Z"),
            job("a", "2026-05-02T10:00:00Z", "ConfigureBackup"),
            job("a", "2026-05-02T20:00:00Z", status="Failed"),
            job("a", "2026-05-02T22:00:00Z"),
            job("a", "2026-05-03T22:00:00Z"),
            job("a", "2026-05-04T22:00:00Z", group="rg-other"),
        ]
    )
    first = log.jobs[jobs.first_backups(log.jobs)]
    assert list(first["start_time"].dt.strftime("%d %H")) == ["02 22"]


# --- the same job twice ---------------------------------------------------------

PORTAL = (
    "Item Name,Operation,Status,Start Time UTC,Duration\n"
    "web-01,Backup,Completed,2017-09-19T03:09:21,0:15:26\n"
    "web-02,Backup,Completed,2017-09-19T03:09:21,0:15:26\n"
)


def read_both(first, second):
    paths = [save(first, "first.csv"), save(second, "second.csv")]
    return jobs.read(paths)


def test_overlapping_logs_without_ids_count_a_job_once():
    later = PORTAL + "web-01,Backup,Completed,2017-09-20T03:09:21,0:15:26\n"
    log = read_both(PORTAL, later)
    assert len(log.jobs) == 3
    assert_frame_equal(log.jobs, read(later, "later.csv").jobs)
    assert list(log.repeated["vm"]) == ["web-01", "web-02"]
    assert list(log.repeated["repeats"]) == [1, 1]
    assert "2 rows of 2 jobs" in log.repeats()
    assert "Backup of web-01 at 2017-09-19 03:09:21" in log.repeats()


def test_a_row_may_stand_twice_in_one_log():
    log = read(PORTAL + PORTAL.splitlines()[1] + "\n", "jobs.csv")
    assert (len(log.jobs), list(log.repeated["repeats"])) == (2, [1])


@pytest.mark.parametrize(
    "other",
    [
        "web-03,Backup,Completed,2017-09-19T03:09:21,0:15:26",
        "web-01,Restore,Completed,2017-09-19T03:09:21,0:15:26",
        "web-01,Backup,Failed,2017-09-19T03:09:21,0:15:26",
        "web-01,Backup,Completed,2017-09-19T03:09:22,0:15:26",
        "web-01,Backup,Completed,2017-09-19T03:09:21,0:17:26",
    ],
)
def test_what_differs_is_another_job(other):
    log = read(PORTAL + other + "\n", "jobs.csv")
    assert (len(log.jobs), len(log.repeated)) == (3, 0)


def test_vms_of_one_name_in_two_groups_are_two():
    head = "vm,resource_group,operation,status,start_time,job_h\n"
    rest = "Backup,Completed,2026-03-01T22:00:00Z,1.5\n"
    log = read(head + f"a,x,{rest}" + f"a,y,{rest}" + f"A,X,{rest}", "jobs.csv")
    assert list(log.jobs["resource_group"].str.lower()) == ["x", "y"]
    assert list(log.repeated["repeats"]) == [1]


def test_a_job_at_work_in_an_older_export_is_the_one_that_ended():
    started = PORTAL.replace("Completed", "InProgress").replace("0:15:26", "0:05:00")
    for log in (read_both(started, PORTAL), read_both(PORTAL, started)):
        assert set(log.jobs["status"]) == {"Completed"}
        assert len(log.jobs) == 2


def test_a_job_with_an_id_in_one_log_only_counts_once():
    start = "2026-05-01T22:00:00Z"
    whole = job("a", start, duration="PT1H", size="2 GB")
    plain = f"vm,operation,status,start_time,job_h\na,Backup,Completed,{start},1.0\n"
    log = jobs.read([save([whole]), save(plain, "plain.csv")])
    row = only(log)
    assert (row["moved_gib"], row["job"]) == (2, whole["name"])
    assert len(log.repeated) == 1


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_log_given_again_adds_nothing(data):
    head = "vm,operation,status,start_time,job_h\n"
    kinds = st.sampled_from(["Backup,Completed", "Backup,InProgress", "Restore,Failed"])
    row = st.tuples(st.sampled_from("ab"), kinds, st.integers(1, 3), st.integers(0, 3))
    rows = data.draw(st.lists(row, min_size=1, max_size=12))
    text = head + "".join(
        f"{vm},{kind},2026-03-0{day},{hours}\n" for vm, kind, day, hours in rows
    )
    assert_frame_equal(read_both(text, text).jobs, read(text, "once.csv").jobs)


def test_the_command_says_what_it_counts_once():
    save(PORTAL, "jobs.csv")
    arguments = ["jobs", "jobs.csv", "jobs.csv", "--format", "json"]
    done = CliRunner().invoke(app, arguments)
    answer = json.loads(done.stdout)
    assert len(answer["jobs"]) == 2
    assert [row["repeats"] for row in answer["repeated"]] == [1, 1]
    assert "Left out 2 rows of 2 jobs without an id" in done.stderr


# --- tables in memory ----------------------------------------------------------


EXAMPLES = Path(__file__).parents[1] / "book" / "examples"


def test_a_table_is_read_as_its_file_is():
    text = EXAMPLES / "joblog.csv"
    there = jobs.read(text).jobs
    for parsed in (None, ["start_time"]):
        table = pd.read_csv(text, parse_dates=parsed)
        assert_frame_equal(jobs.read(table).jobs, there)
    assert_frame_equal(jobs.read(there).jobs, there)
    listed = EXAMPLES / "jobs.json"
    table = pd.DataFrame(json.loads(listed.read_text()))  # with its objects in cells
    assert_frame_equal(jobs.read(table).jobs, jobs.read(listed).jobs)
    table["properties"] = table["properties"].map(json.dumps)  # or their text
    assert_frame_equal(jobs.read(table).jobs, jobs.read(listed).jobs)


def test_tables_that_overlap_count_a_job_once():
    table = pd.read_csv(EXAMPLES / "joblog.csv")
    late = table.iloc[len(table) // 2 :]
    joined = vm.calibrate(pd.concat([table, late]))  # rows bear the same labels
    apart = vm.calibrate([table, late])
    alone = vm.calibrate(table)
    assert joined.to_dict() == apart.to_dict()
    assert alone.left_out == ()
    assert f"Left out {len(late)} rows of {len(late)} jobs" in joined.left_out[0]
    assert joined.to_dict() | {"left_out": []} == alone.to_dict()


def test_a_table_is_refused_as_its_file_is():
    row = {"vm": "a", "operation": "Backup", "status": "Completed", "job_h": 1.0}
    row |= {"start_time": pd.Timestamp("2026-05-01T22:00Z"), "transfer_h": 0.5}
    for wrong, rule in (
        ({"wait_h": pd.Timedelta(hours=1)}, "wait_h = '0 days 01:00:00'"),
        ({"job_h": -1.0}, "job_h = '-1.0': must be"),
        ({"moved_gib": float("inf")}, "moved_gib = 'inf': must be"),
        ({"start_time": "12/11/2026 22:00"}, "may be taken for each other"),
        ({"start_time": 7}, "is no time"),
        ({"vm": None}, "must name the VM"),
    ):
        two = pd.DataFrame([row, row | {"vm": "b"} | wrong])
        ((finding, count),) = jobs.read(two).unread
        assert (finding.row, count) == (2, 1)
        assert rule in str(finding)
    table = pd.DataFrame([row])
    with pytest.raises(InventoryError, match=r"transfers_h'; did you mean transfer_h"):
        jobs.read(table.rename(columns={"transfer_h": "transfers_h"}))
    twice = pd.concat([table, table[["job_h"]]], axis=1)
    with pytest.raises(InventoryError, match=r"^jobs: column 'job_h' stands there 2"):
        jobs.read(twice)
    with pytest.raises(InventoryError, match=r"^jobs: has no job that can be read"):
        jobs.read(table.head(0))
    for other in (None, 7, [7], [table, 7]):
        with pytest.raises(TypeError, match=r"^jobs must be paths or a DataFrame"):
            vm.calibrate(other)


def test_what_is_not_read_of_a_log_is_said_by_what_is_made_of_it(capsys):
    text = (EXAMPLES / "joblog.csv").read_text() + "x,v,Backup,Completed,never,1,,,,\n"
    path = save(text, "log.csv")
    (said,) = vm.calibrate(path).left_out
    assert said.startswith("Not read 1: log.csv:")
    done = CliRunner().invoke(app, ["calibrate", "log.csv", "--format", "json"])
    assert json.loads(done.stdout)["left_out"] == [said]
    assert said in done.stderr.splitlines()


# --- hostile logs -------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["\x1b[31m", "a\nb", "\u202ex", "\ud800", "n" * 10_000]
)
def test_names_that_no_terminal_should_see_are_not_read(name):
    content = json.dumps(
        [job("a", "2026-05-01T22:00:00Z"), job(name, "2026-05-01T22:00:00Z")]
    )
    done = CliRunner().invoke(app, ["jobs", str(save(content))])
    assert done.exit_code == 0
    assert all(line.isprintable() for line in done.output.splitlines())


def test_formulas_are_inert_in_csv():
    save([job("=1+1", "2026-05-01T22:00:00Z")])
    done = CliRunner().invoke(app, ["jobs", "jobs.json", "--format", "csv"])
    assert "\n'=1+1," in done.stdout


GOOD = [
    job("a", "2026-05-01T22:00:00Z", size="2 GB"),
    job("b", "2026-05-01T22:00:00Z", "Restore"),
    *UPDATES,
]
GOOD[0]["properties"]["extendedInfo"]["tasksList"] = [
    task("Take Snapshot", "10:00:00", "10:17:40"),
    task("Transfer data to vault", "11:17:40", "11:50:52"),
]
ROWS = (
    "Name,Operation,Status,Item Name,Start Time UTC,Duration,Backup Size\n"
    "a0,Backup,Completed,web-01,2017-09-19T03:09:21,0:15:26,12 MB\n"
    "a1,Restore,Failed,web-02,2017-09-19T03:09:21,0:15:26,\n"
)
JUNK = st.binary(max_size=6) | st.sampled_from(
    [b"\0", b'"', b"\\ud800", b"1e999", b"9" * 400, b",", b"\xff", b"{", b"[", b"\n"]
)


@pytest.mark.parametrize("text", [json.dumps(GOOD), ROWS], ids=["json", "csv"])
def test_malformed_logs_are_read_or_refused(text):
    @settings(max_examples=100, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def check(data):
        content = bytearray(text.encode())
        for _ in range(data.draw(st.integers(0, 4))):
            at = data.draw(st.integers(0, len(content)))
            content[at : at + data.draw(st.integers(0, 30))] = data.draw(JUNK)
        try:
            log = read(bytes(content[: data.draw(st.integers(1, 5000))]))
        except InventoryError as error:
            assert str(error).startswith("jobs.json:")  # noqa: PT017
            str(error).encode()
            return
        assert len(log.jobs) + sum(log.skipped.values())
        json.dumps(jobs.rows(log.jobs), allow_nan=False, ensure_ascii=False).encode()
        assert all(str(first).isprintable() for first, _ in log.unread)

    check()


def test_the_command_tells_what_it_could_not_read():
    save([job("a", "2026-05-01T22:00:00Z"), job("b", "May")])
    done = CliRunner().invoke(app, ["jobs", "jobs.json", "--format", "json"])
    answer = json.loads(done.stdout)
    assert (answer["schema"], len(answer["jobs"])) == ("vmbmodel.jobs/1", 1)
    assert answer["unread"][0]["count"] == 1
    assert "Not read 1: jobs.json: row 2" in done.stderr
    assert CliRunner().invoke(app, ["jobs", "none.json"]).exit_code == 2


def test_a_file_too_large_to_hold_is_refused_once(monkeypatch):
    monkeypatch.setattr("vmbmodel.inventory.files.listing.LARGEST_DATA", 1)
    with pytest.raises(InventoryError) as caught:
        read([])
    only_line = "jobs.json: cannot be read: is longer than 1 bytes"
    assert str(caught.value) == only_line


# --- columns that nobody reads, and rows that contradict themselves ---------------


def test_a_column_nobody_reads_is_named(caplog):
    head = "vm,operation,status,start_time,job_h,transferhours,owner\n"
    log = read(head + "a,Backup,Completed,2026-03-01T22:00:00Z,1.5,2,bob\n", "jobs.csv")
    assert len(log.jobs) == 1
    (said,) = caplog.messages
    assert said.startswith("jobs.csv: not used") or "/jobs.csv: not used" in said
    assert said.endswith("'transferhours' (like transfer_h), 'owner'")


def test_what_a_job_was_read_from_is_not_called_unused(caplog):
    where = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices"
    names = "entityFriendlyName backupManagementType operation status startTime"
    told = ["a", "AzureIaasVM", "Backup", "Completed", "2026-02-04T05:08:17Z"]
    cell = json.dumps(dict(zip(names.split(), told, strict=True))).replace('"', '""')
    line = f'{where}/vaults/v/backupJobs/j,j,t,"{cell}"'
    log = read(f"id,name,tenantId,properties\n{line}\n", "jobs.csv")
    assert only(log)["vm"] == "a"
    (said,) = caplog.messages
    assert said.endswith("is called so: 'tenantId'")


@pytest.mark.parametrize("kind", ["AzureVM", "MSSQL"])
def test_where_no_job_is_read_no_column_is_called_unused(kind, caplog):
    head = "JobId,Operation,Status,WorkloadName,StartTime,Duration,BackupManagementType"
    row = f"1,Backup,Completed,a,12/11/2020 23:18:36,01:01:14,{kind}"
    log = f"{head}\n{row}\n"
    if kind == "AzureVM":
        with pytest.raises(InventoryError, match="say --date-order dmy or mdy"):
            read(log, "jobs.csv")
    else:
        assert read(log, "jobs.csv").jobs.empty
    assert not caplog.messages


def test_columns_without_number_are_not_compared_one_by_one(caplog, monkeypatch):
    asked = []
    monkeypatch.setattr(listing, "nearest", lambda name, _: asked.append(name) or "")
    names = [f"owner{number}" for number in range(1500)]
    head = "vm,operation,status,start_time," + ",".join(names)
    row = "a,Backup,Completed,2026-03-01T22:00:00Z" + ",1" * len(names)
    assert len(read(f"{head}\n{row}\n", "jobs.csv").jobs) == 1
    assert asked == names[:1000]
    assert caplog.messages[0].endswith("and 1,490 more")


def test_a_misspelt_column_is_refused_with_the_right_one():
    head = "vm,operation,status,start_time,job_h,moved_mb\n"
    with pytest.raises(InventoryError) as refused:
        read(head + "a,Backup,Completed,2026-03-01T22:00:00Z,1.5,2048\n", "jobs.csv")
    assert "unknown column 'moved_mb'; did you mean moved_gib?" in str(refused.value)
    assert [finding.row for finding in refused.value.findings] == [1]


def test_a_column_that_stands_twice_is_refused():
    log = "vm,operation,status,start_time,vm\na,Backup,Completed,2026-03-01,b\n"
    with pytest.raises(InventoryError, match="column 'vm' stands there 2"):
        read(log, "jobs.csv")


def test_a_subscription_beside_the_identifier_is_no_misspelling():
    vault = "/subscriptions/s/resourceGroups/g/providers/x/vaults/v/backupJobs/j"
    log = (
        "id,name,subscriptionId,operation,status,startTime,entityFriendlyName\n"
        f"{vault},j,s,Backup,Completed,2026-02-04T05:08:17Z,vm-a\n"
    )
    job = only(read(log, "jobs.csv"))
    assert (job["subscription"], job["vault"]) == ("s", "v")


def test_columns_of_azures_own_exports_are_named_and_never_refused(caplog):
    export = (
        "BackupItemFriendlyName,JobOperation,JobStatus,JobStartDateTime,"
        "JobDurationInSecs,OperationName,JobUniqueId\n"
        "a,Backup,Completed,2026-03-01T22:00:00Z,5400,Job,1\n"
    )
    assert only(read(export, "jobs.csv"))["job_h"] == 1.5
    assert [said.rpartition(": ")[2] for said in caplog.messages] == ["'OperationName'"]


@pytest.mark.parametrize(
    ("column", "right", "wrong"),
    [("job_h", "1.5", "15"), ("Duration", "1:30:00", "0:30:00")],
)
def test_a_length_must_be_the_time_from_start_to_end(column, right, wrong):
    def log(length):
        return read(
            f"vm,operation,status,start_time,end_time,{column}\n"
            f"a,Backup,Completed,2026-03-01T22:00:00Z,2026-03-01T23:30:00Z,{length}\n",
            "jobs.csv",
        )

    assert (only(log(right))["job_h"], log(right).unread) == (1.5, ())
    contradictory = log(wrong)
    assert pd.isna(only(contradictory)["job_h"])
    ((finding, count),) = contradictory.unread
    assert count == 1
    assert "must be the time from startTime to endTime; that is 1.5 h" in str(finding)
