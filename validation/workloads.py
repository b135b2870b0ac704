"""Days of writes to the image of a disk, made by real software.

Every workload prepares an image of its size with `begin` and writes to it with
`day`, seeded with the number of the day. Two need nothing but Python: a generator
of scattered writes, and SQLite with its database padded to the image. The others
call ``fio``, or write into an ext4 file system on the image, mounted as a loop
device, which takes Linux and root.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MIB = 2**20
PIECE = 16 * MIB
FEW = 100  # changes of a database that are committed together


def run(*command, **how):
    """Run a command, and fail with what it said."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, **how
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr[-2000:]}")
    return done.stdout


def unmount(folder):
    """Unmount, even if a server that was stopped takes a moment to be gone."""
    for _ in range(50):
        if not subprocess.run(["umount", folder], capture_output=True).returncode:
            return
        time.sleep(0.2)
    run("umount", folder)


@dataclass(frozen=True)
class Disk:
    """What all workloads have."""

    name: str
    size_mib: int = 1024

    def begin(self, image: Path) -> None:
        """Fill the image with what can be told apart everywhere."""
        rng = np.random.default_rng(0)
        with image.open("wb") as file:
            for _ in range(self.size_mib * MIB // PIECE):
                file.write(rng.bytes(PIECE))


@dataclass(frozen=True)
class Scattered(Disk):
    """A seeded generator: writes of one size anywhere on a grid."""

    writes: int = 5000
    write_kib: float = 6
    align_kib: float = 0.5

    def day(self, image: Path, day: int) -> None:
        """Write, on the same place too."""
        rng = np.random.default_rng(day)
        align, size = int(self.align_kib * 1024), int(self.write_kib * 1024)
        last = (self.size_mib * MIB - size) // align
        with image.open("r+b") as file:
            for slot in rng.integers(0, last, self.writes, endpoint=True):
                file.seek(int(slot) * align)
                file.write(rng.bytes(size))


@dataclass(frozen=True)
class Fio(Disk):
    """Direct writes of ``fio`` to the whole disk."""

    writes: int = 10_000
    write_kib: float = 4
    align_kib: float = 4
    options: tuple[str, ...] = ("--norandommap", "--random_generator=tausworthe64")

    def day(self, image: Path, day: int) -> None:
        """Write so many pieces, where the options say."""
        run(
            "fio",
            "--name=day",
            f"--filename={image}",
            f"--size={self.size_mib}m",
            "--ioengine=psync",
            "--rw=randwrite",
            f"--bs={self.write_kib:g}k",
            f"--blockalign={self.align_kib:g}k",
            f"--io_size={self.writes * self.write_kib:g}k",
            "--randrepeat=0",
            f"--randseed={day}",
            "--refill_buffers",
            *self.options,
        )


@dataclass(frozen=True)
class Filesystem(Disk):
    """Something that writes into an ext4 file system on the disk."""

    def begin(self, image: Path) -> None:
        """Make the file system, and fill it."""
        image.unlink(missing_ok=True)
        with image.open("wb") as file:
            file.truncate(self.size_mib * MIB)
        run("mke2fs", "-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=0", image)
        with self.mounted(image) as folder:
            self.fill(folder)

    def day(self, image: Path, day: int) -> None:
        """Change it."""
        with self.mounted(image) as folder:
            self.change(folder, np.random.default_rng(day), day)

    @contextmanager
    def mounted(self, image: Path) -> Iterator[Path]:
        """Mount the image; all is on the disk when it is over."""
        with tempfile.TemporaryDirectory() as folder:
            run("mount", "-o", "loop", image, folder)
            try:
                yield Path(folder)
            finally:
                unmount(folder)

    def fill(self, folder: Path) -> None:
        """Write what is there before the first day."""
        raise NotImplementedError

    def change(self, folder: Path, rng: np.random.Generator, day: int) -> None:
        """Write a day."""
        raise NotImplementedError


class Rows:
    """A table of SQLite: rows updated by key, inserted at the end, deleted."""

    rows: int
    updates: int
    inserts: int
    deletes: int
    zipf_exponent: float

    def create(self, path: Path) -> None:
        """Make the database."""
        rng = np.random.default_rng(0)
        with closing(sqlite3.connect(path)) as base:
            base.execute("create table stock (id integer primary key, text blob)")
            for first in range(0, self.rows, 10_000):
                base.executemany(
                    "insert into stock values (?, ?)",
                    [
                        (key, rng.bytes(200))
                        for key in range(first, min(first + 10_000, self.rows))
                    ],
                )
            base.commit()

    def touch(self, path: Path, rng: np.random.Generator) -> None:
        """Update, insert and delete, few rows in a transaction."""
        keys = self.keys(rng)
        with closing(sqlite3.connect(path)) as base:
            base.execute("pragma synchronous = off")
            last = base.execute("select max(id) from stock").fetchone()[0]
            for first in range(0, self.updates, FEW):
                base.executemany(
                    "update stock set text = ? where id = ?",
                    [(rng.bytes(200), key) for key in keys[first : first + FEW]],
                )
                base.commit()
            base.executemany(
                "insert into stock values (?, ?)",
                [(last + 1 + new, rng.bytes(200)) for new in range(self.inserts)],
            )
            gone = rng.integers(0, last, self.deletes)
            base.executemany("delete from stock where id = ?", gone[:, None].tolist())
            base.commit()

    def keys(self, rng: np.random.Generator) -> list[int]:
        """Draw the rows to be updated, some of them more often than others."""
        if not self.zipf_exponent:
            return rng.integers(0, self.rows, self.updates).tolist()
        weights = np.arange(1, self.rows + 1) ** -self.zipf_exponent
        drawn = np.searchsorted(
            np.cumsum(weights), rng.random(self.updates) * weights.sum()
        )
        places = np.random.default_rng(0).permutation(self.rows)
        return places[np.minimum(drawn, self.rows - 1)].tolist()


@dataclass(frozen=True)
class Sqlite(Rows, Filesystem):
    """A database of SQLite in a file system."""

    rows: int = 1_200_000
    updates: int = 4000
    inserts: int = 1000
    deletes: int = 1000
    zipf_exponent: float = 0

    def fill(self, folder: Path) -> None:
        """Make the database."""
        self.create(folder / "stock.db")

    def change(self, folder: Path, rng: np.random.Generator, day: int) -> None:
        """Change the database."""
        self.touch(folder / "stock.db", rng)


@dataclass(frozen=True)
class SqliteAlone(Rows, Disk):
    """A database of SQLite that is all there is on the disk, padded to its size."""

    rows: int = 100_000
    updates: int = 400
    inserts: int = 100
    deletes: int = 100
    zipf_exponent: float = 0

    def begin(self, image: Path) -> None:
        """Make the database."""
        image.unlink(missing_ok=True)
        self.create(image)
        self.pad(image)

    def day(self, image: Path, day: int) -> None:
        """Change the database; SQLite does not mind what lies behind it."""
        self.touch(image, np.random.default_rng(day))
        self.pad(image)

    def pad(self, image: Path) -> None:
        """Give the image its size."""
        if image.stat().st_size > self.size_mib * MIB:
            raise RuntimeError("the database outgrew its disk")
        os.truncate(image, self.size_mib * MIB)


@dataclass(frozen=True)
class Postgres(Filesystem):
    """PostgreSQL under ``pgbench``, its log beside its tables."""

    scale: int = 20
    transactions: int = 3000

    def fill(self, folder: Path) -> None:
        """Make the cluster and the tables of the benchmark."""
        shutil.chown(folder, "postgres")
        self.as_postgres("initdb", "-D", folder / "data", "-A", "trust")
        with self.running(folder):
            self.as_postgres(
                "pgbench", "-i", "-q", "-s", self.scale, "-h", folder, "postgres"
            )

    def change(self, folder: Path, rng: np.random.Generator, day: int) -> None:
        """Run transactions, from two clients."""
        with self.running(folder):
            self.as_postgres(
                "pgbench",
                *("-c", 2, "-t", self.transactions // 2),
                *("--random-seed", day, "-h", folder, "postgres"),
            )

    @contextmanager
    def running(self, folder: Path) -> Iterator[None]:
        """Start the server, and stop it with all its pages written."""
        server = ("pg_ctl", "-w", "-D", folder / "data", "-l", folder / "log")
        options = f"-k {folder} -c listen_addresses= -c max_wal_size=64MB"
        self.as_postgres(*server, "-o", options, "start")
        try:
            yield
        finally:
            self.as_postgres(*server, "-m", "fast", "stop")

    def as_postgres(self, program: str, *arguments: object) -> None:
        """Run a program of PostgreSQL as its user, who may not be root."""
        newest = max(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
        run(newest, *arguments, user="postgres", cwd="/")


@dataclass(frozen=True)
class Files(Filesystem):
    """A file server: files of very different sizes, a few folders busy each day."""

    folders: int = 60
    files: int = 3000
    median_kib: float = 40
    spread: float = 1.6
    busy: int = 10
    rewritten: int = 80
    edited: int = 40
    created: int = 60
    removed: int = 60

    def fill(self, folder: Path) -> None:
        """Write the files into their folders."""
        rng = np.random.default_rng(0)
        for number in range(self.files):
            place = folder / f"{number % self.folders:03d}"
            place.mkdir(exist_ok=True)
            (place / f"{number:06d}").write_bytes(self.content(rng))

    def change(self, folder: Path, rng: np.random.Generator, day: int) -> None:
        """Rewrite some files, edit some in the middle, add some, remove some."""
        busy = rng.choice(self.folders, self.busy, replace=False)
        places = [folder / f"{number:03d}" for number in busy]
        there = sorted(path for place in places for path in place.iterdir())
        chosen = rng.permutation(len(there))
        rewritten, edited, removed = np.split(
            chosen[: self.rewritten + self.edited + self.removed],
            [self.rewritten, self.rewritten + self.edited],
        )
        for number in rewritten:
            there[number].write_bytes(self.content(rng))
        for number in edited:
            with there[number].open("r+b") as file:
                size = there[number].stat().st_size
                file.seek(int(rng.integers(0, max(size - 4096, 1))))
                file.write(rng.bytes(min(4096, size)))
        for number in removed:
            there[number].unlink()
        for number in range(self.created):
            place = places[number % self.busy]
            (place / f"{day:03d}-{number:03d}").write_bytes(self.content(rng))

    def content(self, rng: np.random.Generator) -> bytes:
        """Draw a file: sizes are log-normal, from a few bytes to some megabytes."""
        size = self.median_kib * 1024 * np.exp(self.spread * rng.standard_normal())
        return rng.bytes(int(min(size, 32 * MIB)) + 1)
