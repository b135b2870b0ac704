"""Backups by borg in chunks of one size, and transfers through a limit by qemu."""

import json
import os
import shutil
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path

FIRST_DAY = datetime(2025, 1, 1, 23)
OVERHEAD = 3  # bytes that borg 1 adds to each chunk it stores
MIB = 2**20


class Borg:
    """A repository of one image, its chunks all of one size."""

    def __init__(self, folder: Path, chunk_kib: int) -> None:
        """Make an empty repository in a folder that is not there yet."""
        self.folder, self.chunk_bytes = folder, chunk_kib * 1024
        folder.mkdir()
        self.environment = os.environ | {
            "BORG_BASE_DIR": str(folder),
            "BORG_REPO": str(folder / "repo"),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        }
        self.call("init", "--encryption=none")

    @staticmethod
    def is_there() -> bool:
        """Say whether there is a borg of the kind whose sizes we know."""
        if not shutil.which("borg"):
            return False
        told = subprocess.run(["borg", "--version"], capture_output=True, text=True)
        return told.stdout.startswith("borg 1.")

    def call(self, *words: str) -> str:
        """Call borg."""
        done = subprocess.run(
            ["borg", *words],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"borg failed: {done.stderr[-2000:]}")
        return done.stdout

    def create(self, image: Path, day: int) -> tuple[int, float]:
        """Back an image up; return the new chunks, and the seconds it took."""
        told = self.call(
            "create",
            "--json",
            "--compression=none",
            "--files-cache=disabled",
            f"--chunker-params=fixed,{self.chunk_bytes}",
            f"--timestamp={FIRST_DAY + timedelta(day):%Y-%m-%dT%H:%M:%S}",
            f"::{day}",
            str(image),
        )
        archive = json.loads(told)["archive"]
        new_bytes = archive["stats"]["deduplicated_size"]
        return round(new_bytes / (self.chunk_bytes + OVERHEAD)), archive["duration"]

    def prune(self, **keep: int) -> list[int]:
        """Let points expire; return the days of those that are kept."""
        self.call("prune", *[f"--keep-{level}={n}" for level, n in keep.items()])
        told = json.loads(self.call("list", "--json"))
        return sorted(int(archive["name"]) for archive in told["archives"])

    def chunks(self, day: int) -> set[int]:
        """Return the names of all chunks of a point, 60 bits of each."""
        path = self.folder / "archive.json"
        path.unlink(missing_ok=True)
        self.call("debug", "dump-archive", f"::{day}", str(path))
        items = json.loads(path.read_text("utf-8"))["_items"]
        return {int(chunk[0][1:16], 16) for item in items for chunk in item["chunks"]}

    def stored_mib(self) -> float:
        """Return what borg says that the repository holds, its own data too."""
        told = json.loads(self.call("info", "--json"))
        return told["cache"]["stats"]["unique_csize"] / MIB


def throttled_s(image: Path, ranges, iops: float, mib_s: float) -> float:
    """Read ranges of bytes one after the other through a limit; return seconds."""
    lines = "".join(f"read -q {offset} {length}\n" for offset, length in ranges)
    limit = f"id=g,x-iops-total={iops:.0f},x-bps-total={mib_s * MIB:.0f}"
    disk = f"driver=throttle,throttle-group=g,file.driver=file,file.filename={image}"
    begun = time.perf_counter()
    subprocess.run(
        ["qemu-io", "--object", f"throttle-group,{limit}", "--image-opts", disk],
        input=lines,
        text=True,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - begun
