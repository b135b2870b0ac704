"""VMs that are yet to be moved, from the sheets of RVTools."""

import pytest
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.inventory import azure
from vmbmodel.inventory.files import InventoryError

DISKS = """VM,Powerstate,Template,SRM Placeholder,Disk,Disk Key,Path,Capacity MiB,Raw
srv-a,poweredOn,False,False,Hard disk 2,2001,[ds1] srv-a/srv-a_1.vmdk,1048576,False
srv-a,poweredOn,False,False,Hard disk 1,2000,[ds1] srv-a/srv-a.vmdk,102400,False
gold,poweredOff,True,False,Hard disk 1,2000,[ds1] gold/gold.vmdk,40960,False
"""
PARTITIONS = """VM,Template,SRM Placeholder,Disk Key,Disk,Capacity MiB,Consumed MiB
srv-a,False,False,2000,C:\\,102000,61440
srv-a,False,False,2001,D:\\,500000,500000
srv-a,False,False,2001,E:\\,500000,24288
"""
NAMES = ("a (2)", "a", "a", "A")


def read(tmp_path, *sheets, **more):
    paths = [tmp_path / f"sheet-{at}.csv" for at in range(len(sheets))]
    for path, sheet in zip(paths, sheets, strict=True):
        path.write_text(sheet, "utf-8")
    return azure.read_rvtools(paths, **more)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("mark", [",", ";"])
def test_sizes_and_used_sizes_by_the_key_of_the_disk(tmp_path, order, mark):
    sheets = [sheet.replace(",", mark) for sheet in (DISKS, PARTITIONS)[::order]]
    answer = read(tmp_path, *sheets)
    rows = answer.disks.set_index("disk")
    assert list(rows.index) == ["Hard disk 1", "Hard disk 2"]
    assert list(rows["role"]) == ["os", "data"]
    assert list(rows["size_gib"]) == [100, 1024]
    assert list(rows["used_gib"]) == [60, 512]
    assert dict(answer.skipped) == {"rows of a template": 1}


def test_older_headings_mean_the_same(tmp_path):
    older = [sheet.replace("MiB", "MB") for sheet in (DISKS, PARTITIONS)]
    assert read(tmp_path, *older).disks.equals(read(tmp_path, DISKS, PARTITIONS).disks)


def test_partitions_without_a_disk_are_split_by_size(tmp_path):
    loose = PARTITIONS.replace(",2001,", ",,").replace(",2000,", ",,")
    answer = read(tmp_path, DISKS, loose)
    whole = (61440 + 500000 + 24288) / 1024
    assert answer.disks["used_gib"].sum() == pytest.approx(whole, rel=1e-12)
    assert answer.disks["used_gib"][1] == pytest.approx(whole * 1024 / 1124)


def test_a_disk_of_which_nothing_is_known_is_refused_or_taken_as_a_share(tmp_path):
    some = "".join(PARTITIONS.splitlines(keepends=True)[:2])
    with pytest.raises(InventoryError, match=r"csv:2: .*'Hard disk 2' of 'srv-a'"):
        read(tmp_path, DISKS, some)
    assert list(read(tmp_path, DISKS, some, used_frac=0.25).disks["used_gib"]) == [
        60,
        256,
    ]


def test_vms_of_one_name_are_told_apart(tmp_path):
    header = "VM,VM UUID,Disk,Disk Key,Capacity MiB\n"
    rows = [f"{vm},{at},Hard disk 1,2000,1024" for at, vm in enumerate(NAMES)]
    answer = read(tmp_path, header + "\n".join(rows), used_frac=0.5)
    assert list(answer.disks["vm"]) == ["a (2)", "a", "a (3)", "A (4)"]
    assert "VMs of one name, told apart by a number: 2" in answer.notes


def test_what_is_no_such_sheet_is_named(tmp_path):
    with pytest.raises(InventoryError, match="neither the sheet vDisk nor vPartition"):
        read(tmp_path, "VM,Powerstate\nsrv-a,poweredOn\n")
    twice = DISKS.replace(",2001,", ",2000,")
    with pytest.raises(InventoryError, match="Disk Key = '2000': must stand once"):
        read(tmp_path, twice, PARTITIONS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give --disks and --vms, or --terraform, or --rvtools"),
        (["--rvtools=a.csv", "--used=b.csv"], "--rvtools stands alone; got --used too"),
        (
            ["--rvtools=a.csv", "--date-order=dmy", "--protected-only"],
            "--rvtools stands alone; got --date-order, --protected-only too",
        ),
        (
            ["--disks=a.json", "--vms=b.json", "--date-order=dmy"],
            "date_order needs job logs or used sizes",
        ),
    ],
)
def test_the_command_says_what_goes_together(options, message):
    result = CliRunner().invoke(app, ["import", *options])
    assert (result.exit_code, message in result.output) == (2, True)


def test_a_partition_that_stands_twice_counts_once(tmp_path):
    answer = read(tmp_path, DISKS, PARTITIONS, PARTITIONS)
    assert answer.disks.equals(read(tmp_path, DISKS, PARTITIONS).disks)
    assert answer.skipped["rows of a partition that stands there already"] == 3
    other = PARTITIONS.replace("61440", "61441")
    with pytest.raises(InventoryError, match=r"2.csv:2: Disk = 'C:.*61,441 MiB"):
        read(tmp_path, DISKS, other, PARTITIONS)


def test_a_disk_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(InventoryError, match="Disk Key = '2001': must stand once"):
        read(tmp_path, DISKS, DISKS, PARTITIONS)
    loose = DISKS.replace(",2001,", ",,").replace(",2000,", ",,")
    with pytest.raises(InventoryError, match="Disk = 'Hard disk 2': must stand once"):
        read(tmp_path, loose, loose, used_frac=0.5)


def test_a_disk_of_no_size_is_refused(tmp_path):
    none = DISKS.replace("102400", "0")
    with pytest.raises(InventoryError, match="Capacity MiB = '0': must be above 0"):
        read(tmp_path, none, PARTITIONS)
