"""Files are read up to a bound, and written whole or not at all."""

import datetime
import difflib
import errno
import gzip
import os
import re
import shutil
import signal
import socket
import stat
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from vmbmodel import _files
from vmbmodel._files import read_bounded, write_all, write_atomically, write_folder
from vmbmodel.cli import app
from vmbmodel.inventory.files.entry import folded
from vmbmodel.inventory.files.quantities import zone
from vmbmodel.inventory.fleet import InventoryError, read_fleet, sample_fleet, write
from vmbmodel.inventory.fleet.policies import read_policies
from vmbmodel.plan import CATALOGUES
from vmbmodel.plan.check.suppressions import read_suppressions
from vmbmodel.plan.saved import read_saved
from vmbmodel.plan.scenario_file import scenario_arguments
from vmbmodel.service import limits, prices, profile, read_price_list
from vmbmodel.sweeps import read_grid


def test_writes_and_leaves_nothing_beside(tmp_path):
    write_atomically(tmp_path / "answer.json", b"{}")
    assert (tmp_path / "answer.json").read_bytes() == b"{}"
    assert os.listdir(tmp_path) == ["answer.json"]


def test_refuses_to_overwrite_and_names_the_file(tmp_path):
    path = tmp_path / "answer.json"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="force replaces it") as refusal:
        write_atomically(path, b"new")
    assert refusal.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["answer.json"]


def test_force_replaces_and_keeps_permissions(tmp_path):
    path = tmp_path / "answer.json"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_atomically(path, b"new", force=True)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_force_writes_a_file_that_is_not_there_yet(tmp_path):
    write_atomically(tmp_path / "answer.json", b"{}", force=True)
    assert os.listdir(tmp_path) == ["answer.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "answer.json"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left") as refusal:
        write_atomically(path, b"new", force=True)
    assert refusal.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["answer.json"]


@pytest.mark.parametrize("force", [False, True])
def test_interrupting_leaves_nothing_beside(tmp_path, monkeypatch, force):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "answer.json", b"new", force=force)
    assert os.listdir(tmp_path) == []


def interrupted(act, line):
    """Do something, and interrupt it at one of the lines of `_files` that it runs.

    Gives the lines it ran, and whether it was interrupted.
    """
    lines = 0

    def at_line(_, event, __):
        nonlocal lines
        lines += event == "line"
        if lines == line:
            sys.settrace(None)
            signal.raise_signal(signal.SIGINT)
        return at_line

    def trace(frame, *_):
        return at_line if frame.f_code.co_filename == _files.__file__ else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except KeyboardInterrupt:
        return lines, True
    finally:
        sys.settrace(before)
    return lines, False


def held(folder):
    """Return the content of each file in a folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("folder", [False, True])
def test_an_interrupt_at_any_line_leaves_the_old_or_the_new(tmp_path, force, folder):
    tried = tmp_path / "tried"
    path, files = tried / "out", {"a": b"new", "b": b"new"}
    old = {"out/a": "old", "out/b": "old"} if folder else {"out": "old"}
    new = dict.fromkeys(old, "new")
    old = old if force else {}

    def act():
        write = write_folder if folder else write_atomically
        write(path, files if folder else b"new", force=force)

    line, came = 0, True
    while came:
        line += 1
        for name in old:
            (tried / name).parent.mkdir(parents=True, exist_ok=True)
            (tried / name).write_text("old")
        tried.mkdir(exist_ok=True)
        ran, came = interrupted(act, line)
        assert held(tried) in (old, new), line
        assert len(list(tried.iterdir())) <= 1, line
        shutil.rmtree(tried)
    assert line == ran + 1 > 10


def test_a_file_that_appears_meanwhile_is_kept(tmp_path, monkeypatch):
    path = tmp_path / "answer.json"
    monkeypatch.setattr(os, "fsync", lambda _: path.write_bytes(b"theirs"))
    with pytest.raises(FileExistsError, match=r"answer\.json"):
        write_atomically(path, b"ours")
    assert path.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["answer.json"]


def without_links(*_):
    raise OSError(95, "Operation not supported")


def test_file_systems_without_hard_links(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", without_links)
    write_atomically(tmp_path / "answer.json", b"{}")
    assert os.listdir(tmp_path) == ["answer.json"]


def test_a_file_that_appears_where_there_are_no_links_is_kept(tmp_path, monkeypatch):
    path = tmp_path / "answer.json"
    monkeypatch.setattr(os, "link", without_links)
    monkeypatch.setattr(os, "fsync", lambda _: path.write_bytes(b"theirs"))
    with pytest.raises(FileExistsError, match=r"answer\.json"):
        write_atomically(path, b"ours")
    assert path.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["answer.json"]


def test_of_files_that_belong_together_none_is_written_if_one_cannot_be(tmp_path):
    old, new = tmp_path / "old.csv", tmp_path / "new.svg"
    old.write_bytes(b"old")

    def too_long():
        yield b"{"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as refused:
        write_all({old: b"1", new: b"2", tmp_path / "o.json": too_long()}, force=True)
    assert refused.value.filename == str(tmp_path / "o.json")
    assert old.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["old.csv"]


def test_follows_a_link(tmp_path):
    (tmp_path / "real.json").write_bytes(b"old")
    (tmp_path / "link.json").symlink_to("real.json")
    write_atomically(tmp_path / "link.json", b"new", force=True)
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_bytes() == b"new"


@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_file_is_refused_even_with_force(tmp_path, force):
    with pytest.raises(FileExistsError, match="is not a file"):
        write_atomically(tmp_path, b"{}", force=force)
    with pytest.raises(FileExistsError, match="is not a file"):
        write_atomically(Path(os.devnull), b"{}", force=force)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError) as refusal:
        write_atomically(tmp_path / "none" / "answer.json", b"{}")
    assert refusal.value.filename == str(tmp_path / "none")


# --- bounds ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "estimate /dev/zero",
        "check /dev/zero",
        "jobs /dev/zero",
        "calibrate /dev/zero -o mine.toml",
        "import --disks /dev/zero --vms /dev/zero -o mine.csv",
        "verify /dev/zero",
        "dispersion /dev/zero",
        "reconcile fleet.csv /dev/zero",
        "prices import /dev/zero --region x -o mine.toml",
        "estimate fleet.csv --scenario /dev/zero",
        "check fleet.csv --suppress /dev/zero",
    ],
)
def test_what_never_ends_is_refused_at_once(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    write(sample_fleet(), tmp_path / "fleet.csv")
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 2
    assert "is a device, and no file" in done.stderr
    assert "/dev/zero" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fleet.csv"]


def test_what_is_too_long_is_refused_unread(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(5 * 2**30)  # of which no byte is on the disk
    with pytest.raises(InventoryError, match="cannot be read: is longer than 4 GiB"):
        read_fleet(path)
    settings = tmp_path / "huge.toml"
    settings.write_bytes(b"#" * (2**24 + 1))
    with pytest.raises(OSError, match="is longer than 16 MiB"):
        scenario_arguments(settings)


def test_a_small_parquet_file_that_claims_many_rows_is_refused(tmp_path):
    column = pa.array(["a"]).dictionary_encode()
    rows = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(21_000_000, np.int8)), column.dictionary
    )
    path = tmp_path / "many.parquet"
    parquet.write_table(pa.table({"vm": rows}), path)
    assert path.stat().st_size < 2**20
    with pytest.raises(InventoryError, match="has 21,000,000 rows; most are 20,000,00"):
        read_fleet(path)


def test_a_key_of_many_brackets_is_read_in_no_time():
    started = time.process_time()
    folded("[" * 200_000)
    assert time.process_time() - started < 5


# --- what would take for ever to read ---------------------------------------------


def within_seconds(work):
    begin = time.monotonic()
    with pytest.raises(ValueError, match=r".") as refused:
        work()
    assert time.monotonic() - begin < 10  # a quadratic reading takes minutes
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (".".join(["a"] * 50_000) + " = 1", "long.toml: line 1 nests more than 10 lev"),
        ("\na = " + "[" * 100_000, "long.toml: line 2 nests more than 10 levels deep"),
        (f"[{'a.' * 200}a]\n" + "b = 1\n" * 10**6, "line 1 nests more than 10 levels"),
        (" " * 200_000 + "a", "Expected '='"),
        ("a" + " " * 200_000 + "b", "Expected '='"),
    ],
)
def test_settings_that_would_be_read_for_ever_are_refused(tmp_path, text, said):
    path = tmp_path / "long.toml"
    path.write_text(text)
    assert said in within_seconds(lambda: scenario_arguments(path))


@pytest.mark.parametrize("filling", [" ", "(", "a_", "_", "[a", "-"])
def test_headings_that_would_be_read_for_ever_are_refused(tmp_path, filling):
    path = tmp_path / "wide.csv"
    heading = "x" + filling * (300_000 // len(filling)) + "y"
    path.write_text(f"vm,disk,role,used_gib,{heading}\na,b,os,1,1\n")
    said = within_seconds(lambda: read_fleet(path))
    assert "required column size_gib is missing" in said


WRONG = [f"eight_hour{number}" for number in range(3000)]
KEYS = "".join(f"{name} = 'x'\n" for name in WRONG)


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        (
            "x.csv",
            ",".join(n.replace("eight_hour", "used_gb") for n in WRONG),
            read_fleet,
        ),
        ("x.csv", ",".join(WRONG) + "\n", read_policies),
        ("x.toml", f"[[policy]]\n{KEYS}", read_policies),
        ("x.toml", f"[readings]\n{KEYS}", profile),
        ("x.toml", f"[[suppress]]\n{KEYS}", read_suppressions),
        ("x.toml", f"formula = 'mean_wait_h'\n[axes]\n{KEYS}", read_grid),
    ],
)
def test_few_of_many_unknown_names_are_compared_with_known_ones(
    tmp_path, monkeypatch, name, text, read
):
    compared = []

    def noted(word, *args, **kwargs):
        compared.append(word)
        return alike(word, *args, **kwargs)

    alike = difflib.get_close_matches
    monkeypatch.setattr(difflib, "get_close_matches", noted)
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=r"\.\.\. and .*more"):
        read(tmp_path / name)
    assert 20 <= len(compared) <= 1100


def test_names_of_zones_have_an_end():
    said = within_seconds(lambda: zone("/Date(" * 10_000))
    assert said.startswith("there is no time zone")
    assert len(said) < 200


# --- text that is none -------------------------------------------------------------

READERS = {
    "scenario": scenario_arguments,
    "profile": profile,
    "prices": prices,
    "limits": limits,
    "suppressions": read_suppressions,
    "policies": read_policies,
    "saved": read_saved,
    "pages": lambda path: read_price_list([path], retrieved=datetime.date.today()),
}


@pytest.mark.parametrize("name", READERS)
def test_what_is_no_utf8_is_said_alike(tmp_path, name):
    path = tmp_path / "x.toml"
    path.write_bytes(b'a = 1\nb = "\xe9"\n')
    with pytest.raises(ValueError, match=r"x\.toml: is no text in UTF-8"):
        READERS[name](path)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            gzip.compress(b"a = 1"),
            "is packed (gzip, bzip2, xz or zstd); unpack it first",
        ),
        (b"PK\x03\x04\x14\0\xe9", "is a workbook or archive; "),
        (b"PK\x05\x06\0\0", "is a workbook or archive; "),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "is a workbook or archive; "),
        (b"7z\xbc\xaf'\x1c\0", "is a workbook or archive; "),
        (b"Rar!\x1a\x07\0", "is a workbook or archive; "),
    ],
    ids=["gzip", "workbook", "empty zip", "old workbook", "7z", "rar"],
)
def test_what_is_packed_is_said_alike(tmp_path, name, content, said):
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.toml: " + re.escape(said)):
        READERS[name](path)


@pytest.mark.parametrize("name", ["scenario", "suppressions"])
def test_a_mark_of_utf8_is_no_part_of_the_text(tmp_path, name):
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xef\xbb\xbf")
    READERS[name](path)


# --- what is no file ---------------------------------------------------------------


FLEET = "vm,disk,role,size_gib,used_gib\na,os,os,128,47\n"
READING = [
    "estimate {}",
    "check {}",
    "report {} -o out",
    "estimate {} --by-vault -o out.parquet",
    "estimate fleet.csv --policies {}",
    "estimate fleet.csv --scenario {}",
    "check fleet.csv --suppress {}",
    "import --disks {} --vms fleet.csv",
    "import --rvtools {}",
    "jobs {}",
    "calibrate {}",
    "reconcile fleet.csv {}",
    "prices import {}",
    "verify {}",
    "diff {} {}",
    "dispersion {} --disk-gib 1",
    "dispersion {} --before {}",
    "sweep {}",
    "rerun {}",
]


@pytest.mark.skipif(os.name != "posix", reason="special files of POSIX")
@pytest.mark.parametrize("asked", READING)
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "kernel", "loop"])
def test_what_is_no_file_is_refused_at_once(tmp_path, monkeypatch, asked, kind):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vmbmodel._files._WAIT_S", 0.05)
    Path("fleet.csv").write_text(FLEET)
    special = {"device": "/dev/zero", "kernel": "/proc/version"}.get(kind, "special")
    if kind == "pipe":
        os.mkfifo(special)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as heard:
            heard.bind(special)
    elif kind == "loop":
        os.symlink(special, special)
    elif not Path(special).exists():
        pytest.skip(f"there is no {special} here")
    before, began = sorted(tmp_path.iterdir()), time.monotonic()
    out = CliRunner().invoke(app, asked.format(special, special).split())
    assert out.exit_code == 2, out.output
    assert special in out.output
    assert time.monotonic() - began < 10
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.name != "posix", reason="special files of POSIX")
@pytest.mark.parametrize("kind", CATALOGUES)
def test_a_pipe_in_the_place_of_a_set_is_called_one(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    Path("fleet.csv").write_text(FLEET)
    os.mkfifo("special")
    for name, what in {"special": "pipe", "/dev/null": "device"}.items():
        out = CliRunner().invoke(app, ["estimate", "fleet.csv", f"--{kind}", name])
        assert out.exit_code == 2
        assert f"{name}: is a {what}, and no file" in out.output


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_pipe_is_read_as_soon_as_somebody_writes_to_it(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write():
        time.sleep(0.3)
        path.write_bytes(b"4" * 100_000)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_bounded(path, 10**6) == b"4" * 100_000
    writer.join()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no files by their number")
def test_a_pipe_of_the_shell_is_read(tmp_path):
    read, write = os.pipe()
    os.write(write, FLEET.encode())
    os.close(write)
    assert read_bounded(f"/dev/fd/{read}", 10**6) == FLEET.encode()
    os.close(read)
    path = tmp_path / "fleet.csv"
    path.write_text(FLEET)
    with path.open("rb") as file:
        assert read_bounded(f"/dev/fd/{file.fileno()}", 10**6) == FLEET.encode()
