"""Changes of a disk read from files: counted by hand, by bitmap, and refused."""

import itertools
import json
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vmbmodel.formulas.writes import changed_uniform
from vmbmodel.inventory.changes.extents import (
    Changes,
    compare_images,
    read,
    union,
    unions_gib,
)
from vmbmodel.inventory.files.findings import InventoryError

GIB = 2**30

# The shape of an answer to "Get Page Ranges" against a previous snapshot, out of
# order and overlapping: cells of 8 KiB 0, 2 and 3.
PAGES = """<?xml version="1.0" encoding="utf-8"?>
<PageList>
   <PageRange>
      <Start>16384</Start>
      <End>24575</End>
   </PageRange>
   <ClearRange>
      <Start>0</Start>
      <End>511</End>
   </ClearRange>
   <PageRange><Start> 20480 </Start><End>32767</End></PageRange>
</PageList>
"""

BLKPARSE = """\
  8,0    3        1     0.000000000   697  Q   W 16 + 8 [kjournald]
  8,0    3        2     0.000001000   697  G   W 16 + 8 [kjournald]
  8,0    3        3     0.000002000   697  P   N [kjournald]
  8,0    3        4     0.000003000   697  D   W 16 + 8 [kjournald]
  8,0    3        5     0.000003500     0  D   R 9000 + 8 [kjournald]
  8,0    1        6     0.000004000     0  C   W 16 + 8 [0]
  8,0    1        7     0.000005000     0  C  WS 64 + 16 [0]
  8,0    1        8     0.000006000     0  C  FN [0]
  8,0    1        9     0.000007000     0  C   R 9000 + 8 [0]
CPU0 (8,0):
 Reads Queued:           1,        4KiB\t Writes Queued:           1,        4KiB
"""


@pytest.fixture
def written(tmp_path):
    counter = itertools.count()

    def write(content, name=None):
        path = tmp_path / (name or f"changes-{next(counter)}")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def counts(changes):
    return changes.changed_cells, changes.extents, changes.cells


def refused(path, *parts, **options):
    with pytest.raises(InventoryError) as error:
        read(path, **options)
    message = str(error.value)
    assert path.name in message
    for part in parts:
        assert part in message, (part, message)
    return message


def test_a_column_nobody_reads_is_named(written, caplog):
    read(written("offset,length,cleared\n0,8192,true\n"))
    assert caplog.messages[0].endswith("no column is called so: 'cleared'")


def test_a_message_among_the_events_is_none(written):
    message = "  8,0    0        0     0.000001000     0  m   N cfq697 alloced\n"
    assert counts(read(written(message + BLKPARSE))) == counts(read(written(BLKPARSE)))


# --- the right answer ----------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        PAGES,
        "\ufeff" + PAGES,
        PAGES.encode("utf-16").replace(b"utf-8", b"utf-16"),
        PAGES.replace("<PageList>", '<PageList xmlns="urn:x">'),
        '{"pageRange": [{"start": 16384, "end": 24575}, {"start": 20480,'
        ' "end": 32767}], "clearRange": [{"start": 0, "end": 511}]}',
        '{"PageList": {"PageRange": [{"Start": "16384", "End": "32767"}],'
        ' "ClearRange": {"Start": "0", "End": "511"}}, "NextMarker": ""}',
        '[{"offset": 16384, "count": 16384}, {"offset": 0, "length": 512}]',
        "offset,length\n20480,12288\n0,512\n16384,8192\n",
        "length,offset\r\n12288,20480\r\n512,0\r\n8192,16384",
        "time,op,offset,size\n1,W,16384,16384\n2,R,999999,512\n3,write,0,512\n",
        'latency,size,offset,OP\n"1,5",512,0,WS\n2,0,77777,F\n3,16384,16384,Write\n',
        BLKPARSE.replace("16 + 8", "0 + 1").replace("64 + 16", "32 + 32"),
    ],
)
def test_the_same_changes_in_every_form(written, content):
    if isinstance(content, bytes):
        content = content.replace(
            "utf-8".encode("utf-16-le"), "utf-16".encode("utf-16-le")
        )
    changes = read(written(content), size_gib=1 / 1024)
    assert counts(changes) == (3, 2, 128)
    assert changes.runs.begin.tolist() == [0, 2]
    assert_allclose(changes.dispersion_index, 2 * 128 / (3 * 126), rtol=1e-14)
    assert changes.active_frac == 1
    assert changes.extent_kib == 12


def test_sizes_of_the_writes_of_a_trace(written):
    changes = read(written("op,offset,size\nW,0,4096\nW,0,8192\nW,512,0\nr,0,99\n"))
    assert (changes.writes, changes.write_kib) == (2, 6)
    assert changes.small_writes_frac == 0.5
    assert counts(changes) == (1, 1, 1)


def test_a_completed_write_counts_once(written):
    changes = read(written(BLKPARSE))
    assert (changes.writes, changes.write_kib) == (2, 6)
    assert counts(changes) == (2, 2, 5)
    queued = "\n".join(line for line in BLKPARSE.splitlines() if " Q " in line)
    assert read(written(queued)).writes == 1


@pytest.mark.parametrize(
    "content",
    [
        "<PageList/>",
        '{"pageRange": [], "clearRange": null}',
        "[]",
        "offset,length\n",
        "op,offset,size\nR,0,512\n",
        "op,offset,size\nW,0,0\n",
        BLKPARSE.replace(" W", " R"),
    ],
)
def test_no_changes_are_no_error(written, content):
    content = content.replace("WS", "RS")
    changes = read(written(content), size_gib=1)
    assert counts(changes) == (0, 0, 131072)
    assert changes.dispersion_index is changes.dispersion is changes.extent_kib is None


@given(
    ranges=st.lists(
        st.tuples(st.integers(0, 40_000), st.integers(0, 3000)), min_size=1, max_size=60
    ),
    cell=st.sampled_from([0.5, 1, 8]),
)
@settings(max_examples=50, deadline=None)
def test_any_ranges_as_a_bitmap_of_bytes(tmp_path_factory, ranges, cell):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    lines = "\n".join(f"{offset},{length}" for offset, length in ranges)
    path.write_text(f"offset,length\n{lines}\n")
    disk = np.zeros(49_152, dtype=bool)
    for offset, length in ranges:
        disk[offset : offset + length] = True
    changed = disk.reshape(-1, int(cell * 1024)).any(axis=1)
    found = read(path, cell_kib=cell, size_gib=disk.size / GIB)
    assert found.changed_cells == changed.sum()
    assert found.extents == np.count_nonzero(np.diff(changed, prepend=False) & changed)
    assert found.cells == changed.size


def test_uniform_writes_leave_what_the_formulas_expect(written):
    # 50,000 random writes of 4 KiB on 1 GiB, seed 4; the number of cells has a
    # standard deviation below 120, of extents below 150
    offsets = np.random.default_rng(4).integers(0, 2**18, 50_000) * 4096
    lines = "\n".join(f"0,W,{offset},4096" for offset in offsets)
    found = read(written(f"time,op,offset,size\n{lines}\n"), size_gib=1)
    assert abs(found.changed_cells - changed_uniform(50_000, 1, 4, 4, 8)) < 4 * 120
    cells = 2**17
    missed, both = ((1 - more / cells) ** 50_000 for more in (1, 2))
    assert abs(found.extents - cells * (missed - both)) < 4 * 150
    assert_allclose(found.dispersion_index, 1, rtol=0.02)
    assert found.active_frac == 1


def test_active_share_is_that_of_the_areas_with_changes(written):
    lines = "".join(f"{i * 65536},512\n" for i in range(64))  # the first 4 MiB
    changes = read(written(f"offset,length\n{lines}"), size_gib=1)
    assert_allclose(changes.active_frac, 1 / 256, rtol=1e-14)


def test_unions_of_days(written):
    days = [
        read(written(f"offset,length\n{lines}"), size_gib=1)
        for lines in ("0,16384\n", "8192,16384\n", "0,8192\n8192,8192\n")
    ]
    cell = 8192 / GIB
    assert_allclose(unions_gib(days), [2 * cell, 3 * cell, 3 * cell], rtol=1e-14)
    assert counts(union(days)) == (3, 1, 131072)
    with pytest.raises(ValueError, match="at least one"):
        unions_gib([])
    with pytest.raises(ValueError, match="cells of one size"):
        union([days[0], read(written("offset,length\n0,1\n"), cell_kib=4)])


# --- images --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2**20, 2**23 + 8192, 3 * 2**23 - 100, 5000])
@pytest.mark.parametrize("cell_kib", [0.5, 8, 12, 16384])
def test_images_against_a_comparison_byte_by_byte(written, size, cell_kib):
    rng = np.random.default_rng(size)
    before = rng.integers(0, 256, size, dtype=np.uint8)
    after = before.copy()
    places = rng.integers(0, size, 40)
    after[places] ^= 1
    after[-1] ^= 1
    cell = int(cell_kib * 1024)
    expected = np.unique(np.append(places, size - 1) // cell)
    found = compare_images(
        written(before.tobytes()), written(after.tobytes()), cell_kib=cell_kib
    )
    cells = [range(b, e) for b, e in zip(*found.runs, strict=True)]
    assert list(itertools.chain(*cells)) == expected.tolist()
    assert found.cells == -(-size // cell)


@pytest.mark.parametrize("cell_kib", [0.5, 8, 65536])
def test_holes_of_a_terabyte_are_not_read(tmp_path, cell_kib):
    # changes at places that are stored in both images, in one, or only as zeros
    size, mib = 2**40, 2**20
    stored = [
        ((0, b"a"), (700 * 2**30, b"b"), (size - 1, b"c")),
        ((0, b"a"), (5 * 2**30, b"\0"), (700 * 2**30, b"x"), (900 * 2**30 + 3, b"y")),
    ]
    images = [tmp_path / "before.img", tmp_path / "after.img"]
    for image, pieces in zip(images, stored, strict=True):
        with image.open("wb") as file:
            file.truncate(size)
            for offset, content in pieces:
                file.seek(offset)
                file.write(content)
    if any(image.stat().st_blocks * 512 > 256 * mib for image in images):
        pytest.skip("this file system stores holes")
    found = compare_images(*images, cell_kib=cell_kib)
    cell = int(cell_kib * 1024)
    expected = [700 * 2**30, 900 * 2**30, size - 1]
    assert found.runs.begin.tolist() == [place // cell for place in expected]
    assert found.cells == size // cell
    assert compare_images(images[1], images[1]).changed_cells == 0


def test_images_that_cannot_be_compared(written, tmp_path):
    small, large, empty = written(b"a" * 512), written(b"a" * 1024), written(b"")
    for pair, part in [
        ((small, large), "512 bytes; it has 1,024"),
        ((small, empty), "is empty"),
        ((small, tmp_path / "none"), "does not exist"),
        ((tmp_path, small), "is a folder"),
    ]:
        with pytest.raises(InventoryError, match=re.escape(part)):
            compare_images(*pair)


# --- refused -------------------------------------------------------------------------

BOMB = """<?xml version="1.0"?>
<!DOCTYPE PageList [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<PageList><PageRange><Start>&b;</Start><End>1</End></PageRange></PageList>
"""
FETCH = """<?xml version="1.0"?>
<!DOCTYPE PageList [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<PageList><PageRange><Start>&a;</Start><End>1</End></PageRange></PageList>
"""


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (PAGES[:150], [":8", "cut short"]),
        (PAGES.replace("511", "-1"), [":7", "End = '-1'", "must not be negative"]),
        (PAGES.replace("24575", "16383"), ["End = '16383'", "before Start", "16384"]),
        (PAGES.replace("24575", "1e9"), ["End = '1e9'", "whole number"]),
        (PAGES.replace("24575", "9" * 5000), ["must be below 10**18"]),
        (PAGES.replace("<End>511</End>", ""), [":7", "ClearRange must have a End"]),
        (PAGES.replace("24575", "1073741824"), ["within the disk of 1,073,741,824"]),
        (PAGES.replace("PageList", "BlockList"), ["<PageList>", "<BlockList>"]),
        (
            PAGES.replace("</PageList>", "<NextMarker>x</NextMarker></PageList>"),
            ["NextMarker", "goes on elsewhere"],
        ),
        (BOMB, ["entities"]),
        (FETCH, ["entities"]),
        ("<PageList>" + "<a>" * 100, ["nests more than 32"]),
        ("[" * 100_000, ["nests too deep"]),
        ('{"pageRange": [{"start": 0, "end": 51', ["cut short"]),
        ('{"pageRange": [{"start": 0}]}', ["must be a range"]),
        ('{"pageRange": [{"start": 0, "end": true}]}', ["end = True"]),
        ('{"pageRange": [{"start": 0.5, "end": 9}]}', ["row 1", "start = 0.5"]),
        ('[{"start": 0, "end": 9}, {"start": -8, "end": 9}]', ["row 2", "start = -8"]),
        ('{"pageRange": 7}', ["must be a list of ranges"]),
        ('{"pageRange": [], "nextMarker": "x"}', ["goes on elsewhere"]),
        ('{"blocks": []}', ["pageRange or clearRange"]),
        ("offset,length\n0,512\n-8,512\n8,x\n", [":3", "'-8'", ":4", "'x'"]),
        ("offset,length\n0,1e400\n", ["length = '1e400'", "whole number"]),
        ("offset,length\n0,99999999999999999999\n", ["below 10**18"]),
        ("offset,length\n999999999999999999,8\n", ["within the disk"]),
        ("offset,length\n0,8,9\n", [":2", "must have 2 cells"]),
        ("offset,lenght\n0,8\n", ["column length", "did you mean lenght"]),
        ("offset;length\n0;8\n", []),
        ("op,offset\nW,8\n", ["column size"]),
        ("op,offset,size\nW,0,8\nzap,0,8\n", [":3", "op = 'zap'"]),
        ("offset,length\n0,\0\n", [":2", "NUL"]),
        (b"offset,length\n0,\xff\n", [":2", "0xff", "UTF-8"]),
        (b"\xff\xfeo\0f\0", ["UTF-16"]),
        (b"PK\x03\x04\0\0", ["workbook"]),
        ("", ["must have a header"]),
        ("hello\nworld\n", ["must have a header"]),
        (BLKPARSE + BLKPARSE.replace("8,0 ", "8,16"), ["one disk", "8,16"]),
        (BLKPARSE.replace("64 + 16", "-64 + 16"), [":7", "sector + sectors"]),
        (BLKPARSE.replace("0  C   R", "0  C"), [":9", "must be an event"]),
        (BLKPARSE.replace("64 + 16", "2097151 + 16"), [":7", "within the disk"]),
    ],
)
def test_what_is_wrong_is_named(written, content, parts):
    refused(written(content), *parts, size_gib=1)


def test_all_faults_of_a_file_come_at_once_up_to_a_thousand(written):
    message = refused(written("offset,length\n" + "x,-1\n" * 30), "10 more rows")
    assert message.count("'x'") == message.count("'-1'") == 20
    message = refused(written("offset,length\n" + "x,1\n" * 10**5), "1,000 faults")
    assert len(message) < 10_000


@pytest.mark.parametrize("cell_kib", [0, -8, 0.3, np.nan, np.inf, 1e9])
def test_a_cell_that_is_none_is_refused(written, cell_kib):
    with pytest.raises(ValueError, match="cell_kib must be"):
        read(written("offset,length\n"), cell_kib=cell_kib)


@pytest.mark.parametrize("size_gib", [0, -1, np.nan, np.inf])
def test_a_disk_that_is_none_is_refused(written, size_gib):
    with pytest.raises(ValueError, match="size_gib must be"):
        read(written("offset,length\n"), size_gib=size_gib)


def test_a_range_beyond_all_disks_takes_no_memory(written):
    path = written(f"offset,length\n0,{10**18 - 1}\n{10**18 - 9},8\n")
    tracemalloc.start()
    found = read(path)
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()
    assert counts(found)[:2] == (-(-(10**18 - 1) // 8192), 1)


def test_memory_grows_with_the_runs_and_not_with_the_rows(written):
    rng = np.random.default_rng(3)
    offsets = rng.integers(0, 1000, 400_000) * 16384
    text = "time,op,offset,size\n" + "".join(f"0,W,{o},4096\n" for o in offsets)
    path = written(text * 1)
    tracemalloc.start()
    found = read(path)
    assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    tracemalloc.stop()
    assert counts(found)[:2] == (1000, 1000)
    assert found.writes == 400_000


def test_a_line_without_end_is_not_held(written):
    refused(written(b"offset,length\n" + b"1" * 2**24), ":2", "longer than 1 MiB")


def test_progress_is_told(written):
    told = []
    path = written("offset,length\n0,512\n")
    read(path, progress=lambda *at: told.append(at))
    size = path.stat().st_size
    assert told[-1] == (str(path), size, size)


def test_changes_know_themselves():
    nothing = np.empty(0, np.int64)
    from vmbmodel.inventory.changes.runs import Runs

    changes = Changes("x", 8, 1, Runs(nothing, nothing))
    assert changes.changed_gib == changes.changed_frac == 0
    assert changes.active_frac is None
    assert json.dumps(changes.cells) == "131072"
