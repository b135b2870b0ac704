"""Where a disk changed, measured: from range lists, extents, traces and images.

Every reader gives `Changes`: the changed cells of one disk over one day, or
whatever time lies between two looks at it, as sorted runs. From them come the
changed share, the extents, the dispersion index and, over several days, what is
written again and again.
"""

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from vmbmodel._files import opened, refuse_special
from vmbmodel.formulas import dispersion_index
from vmbmodel.inventory.changes.images import gather_differences, image_bytes
from vmbmodel.inventory.changes.ranges import Ranges, read_json, read_xml
from vmbmodel.inventory.changes.runs import Gatherer, Runs, merged
from vmbmodel.inventory.changes.trace import EVENT, Writes, read_blkparse, read_csv
from vmbmodel.inventory.files import Findings

__all__ = [
    "ACTIVE_KIB",
    "BULK_CELLS",
    "Changes",
    "compare_images",
    "on_disk",
    "read",
    "union",
    "unions_gib",
]

ACTIVE_KIB = 4096
"""Size of the areas of which those with a change count as active."""

BULK_CELLS = 32
"""Length from which on a run counts as written in bulk, the others as scattered."""

LARGEST_CELL_KIB = 64 * 1024
GIB = 2**30
LOOK = 2**16  # bytes that show what a file is

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Changes:
    """The changed cells of a disk."""

    file: str
    """Where they were read."""
    cell_kib: float
    size_gib: float
    """Size of the disk; up to the last change, where it was not given."""
    runs: Runs
    """First cell of each run, and the cell behind its last."""
    writes: int | None = None
    """Writes that were traced; None where only their outcome is known."""
    write_kib: float | None = None
    """Mean size of a write."""
    small_writes_frac: float | None = None
    """Share of the writes that are smaller than a cell."""

    @property
    def cells(self) -> int:
        """Cells of the disk, the last one perhaps not whole."""
        return max(-(-round(self.size_gib * GIB) // self._cell_bytes), 1)

    @property
    def changed_cells(self) -> int:
        """Cells that changed."""
        return self.runs.cells

    @property
    def extents(self) -> int:
        """Runs of changed cells."""
        return self.runs.count

    @property
    def changed_gib(self) -> float:
        """Size of the changed cells."""
        return min(self.changed_cells * self._cell_bytes / GIB, self.size_gib)

    @property
    def changed_frac(self) -> float:
        """Share of the cells that changed."""
        return self.changed_cells / self.cells

    @property
    def dispersion_index(self) -> float | None:
        """How scattered the changes are, as counted; None if there are none."""
        if not self.changed_cells:
            return None
        return dispersion_index(self.changed_cells, self.extents, self.cells)

    @property
    def dispersion(self) -> float | None:
        """The index no higher than 1, as predictions take it."""
        raw = self.dispersion_index
        return None if raw is None else min(raw, 1.0)

    @property
    def bulk_frac(self) -> float | None:
        """Share of the changed cells in runs of `BULK_CELLS` or more."""
        if not self.changed_cells:
            return None
        return self._bulk_cells / self.changed_cells

    @property
    def scattered_dispersion(self) -> float | None:
        """How scattered the rest is, on the disk without the bulk; None without any."""
        scattered = self.changed_cells - self._bulk_cells
        if not scattered:
            return None
        runs = self.runs.end - self.runs.begin
        extents, cells = int((runs < BULK_CELLS).sum()), self.cells - self._bulk_cells
        return min(dispersion_index(scattered, extents, cells), 1.0)

    @property
    def extent_kib(self) -> float | None:
        """Mean length of a run; None if nothing changed."""
        if not self.extents:
            return None
        return self.changed_cells / self.extents * self.cell_kib

    @property
    def active_frac(self) -> float | None:
        """Share of the disk in areas of `ACTIVE_KIB` with a change in them."""
        if not self.changed_cells:
            return None
        area = max(ACTIVE_KIB * 1024, self._cell_bytes)
        touched = self.runs.of_size(self._cell_bytes, area).cells
        return min(max(touched * area / (self.size_gib * GIB), self.changed_frac), 1.0)

    @property
    def _bulk_cells(self) -> int:
        runs = self.runs.end - self.runs.begin
        return int(runs[runs >= BULK_CELLS].sum())

    @property
    def _cell_bytes(self) -> int:
        return round(self.cell_kib * 1024)


def read(
    path: str | os.PathLike[str],
    *,
    cell_kib: float = 8,
    size_gib: float | None = None,
    progress: Progress | None = None,
) -> Changes:
    r"""Read the changes of one disk; what the file is, its content says.

    Parameters
    ----------
    path : path-like
        One of the files below.
    cell_kib : float
        Size of a cell, a multiple of 0.5 and no more than 65,536.
    size_gib : float, optional
        Size of the disk, which nothing may exceed; if absent, the disk is taken
        to end with the last change.
    progress : callable, optional
        Told the path, the bytes read and the bytes there are, now and then.

    Returns
    -------
    Changes
        Changed cells, and sizes of the writes where the file has them.

    Raises
    ------
    vmbmodel.inventory.files.InventoryError
        If anything is wrong with the file. Lists all findings, up to a thousand.
    ValueError
        If a size cannot be one.

    Notes
    -----
    Read are

    - the XML of the storage service's *Get Page Ranges*, whole or against an
      earlier snapshot: ``<PageList>`` of ``<PageRange>`` and ``<ClearRange>``,
      each with ``<Start>`` and ``<End>``, the last byte; a range that was cleared
      has changed too;
    - its JSON, as clients give it: an object with lists ``pageRange`` and
      ``clearRange``, perhaps inside ``PageList``, or a bare list; of ranges
      ``start`` and ``end``, the last byte, or ``offset`` and ``count`` (or
      ``length``); case does not matter;
    - extents as CSV with columns ``offset`` and ``length``, in bytes;
    - a trace as CSV with columns ``op``, ``offset`` and ``size``, in bytes; reads
      and other columns, such as ``time``, do not count;
    - what ``blkparse`` prints by default, for one disk; a write counts once, as
      completed if the trace has completions, else as issued, else as queued.

    Ranges may come in any order and overlap; an empty one touches nothing. A list
    that says it goes on elsewhere is refused. Memory grows with the runs of
    changed cells, not with the file: 16 bytes each, 33,554,432 of them at most.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "monday.csv")
    >>> _ = path.write_text("offset,length\n0,4096\n8192,8192\n65536,512\n")
    >>> monday = read(path, size_gib=1)
    >>> monday.changed_cells, monday.extents, monday.cells
    (3, 2, 131072)
    """
    cell_bytes, size_bytes = _cell_bytes(cell_kib), _size_bytes(size_gib)
    findings = Findings(os.fspath(path))
    gatherer = Gatherer(cell_bytes, findings)
    with _opened(path, findings) as file:
        total = os.fstat(file.fileno()).st_size

        def done(count: int) -> None:
            if progress is not None:
                progress(os.fspath(path), count, total)

        head = file.peek(LOOK)[:LOOK].removeprefix(b"\xef\xbb\xbf").lstrip()
        writes = None
        if head.startswith(b"<") or b"<\0" in head[:4] or b"\0<" in head[:4]:
            read_xml(file, Ranges(gatherer, findings, size_bytes), done)
        elif head.startswith((b"{", b"[")):
            read_json(file, Ranges(gatherer, findings, size_bytes), done)
        elif _is_csv(head):
            writes = read_csv(file, gatherer, size_bytes, done)
        else:
            gatherer, writes = read_blkparse(file, gatherer, size_bytes, done)
    findings.refuse_if_any()
    runs = gatherer.result()
    reach = size_bytes or max(gatherer.reach_bytes, 1)
    return Changes(os.fspath(path), cell_kib, reach / GIB, runs, **_sizes(writes))


def compare_images(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    *,
    cell_kib: float = 8,
    progress: Progress | None = None,
) -> Changes:
    """Find the cells in which two raw images of one disk differ.

    Parameters
    ----------
    before, after : path-like
        The images, files or devices, of one length.
    cell_kib : float
        Size of a cell, a multiple of 0.5 and no more than 65,536.
    progress : callable, optional
        Told the path, the bytes compared and the bytes there are, now and then.

    Returns
    -------
    Changes
        Named after the later image.

    Raises
    ------
    vmbmodel.inventory.files.InventoryError
        If an image cannot be read, is empty, or differs in length.
    ValueError
        If the size of a cell cannot be one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.img").write_bytes(bytes(65536))
    >>> _ = (folder / "b.img").write_bytes(bytes(20000) + b"x" + bytes(45535))
    >>> compare_images(folder / "a.img", folder / "b.img").runs.begin.tolist()
    [2]
    """
    findings = Findings(os.fspath(after), counted="row")
    gatherer = Gatherer(_cell_bytes(cell_kib), findings)
    with ExitStack() as stack:
        first = stack.enter_context(
            _opened(before, Findings(os.fspath(before)), image=True)
        )
        second = stack.enter_context(_opened(after, findings, image=True))
        sizes = [image_bytes(file) for file in (first, second)]
        if not sizes[1]:
            findings.stop("is empty; a raw image of a disk is needed")
        if sizes[0] != sizes[1]:
            findings.stop(
                f"must be as long as {os.fspath(before)}, {sizes[0]:,} bytes; "
                f"it has {sizes[1]:,}",
                hint="compare raw images of one disk, of a size that did not change",
            )

        def done(count: int) -> None:
            if progress is not None:
                progress(os.fspath(after), count, sizes[1])

        try:
            gather_differences(first, second, gatherer, sizes[1], done)
        except OSError as error:
            findings.unreadable(error)
    return Changes(os.fspath(after), cell_kib, sizes[1] / GIB, gatherer.result())


def on_disk(changes: Sequence[Changes], size_gib: float) -> list[Changes]:
    """Return the same changes, of a disk of another size."""
    return [dataclasses.replace(one, size_gib=size_gib) for one in changes]


def union(changes: Sequence[Changes]) -> Changes:
    """Return what changed on any of some days, of the largest of the disks.

    The changes are of one disk, in cells of one size. The sizes of writes are lost.

    Raises
    ------
    ValueError
        If there are none, or their cells differ in size.
    """
    if len({one.cell_kib for one in changes}) != 1:
        raise ValueError("a union takes changes in cells of one size, at least one")
    runs = merged(
        np.concatenate([one.runs.begin for one in changes]),
        np.concatenate([one.runs.end for one in changes]),
    )
    size_gib = max(one.size_gib for one in changes)
    return Changes("union", changes[0].cell_kib, size_gib, runs)


def unions_gib(days: Sequence[Changes]) -> list[float]:
    """Return what changes in one day, in two, and so on up to all.

    The days follow each other. For each number of days, the mean is taken over all
    such stretches of that length.

    Raises
    ------
    ValueError
        If there are no days, or their cells differ in size.
    """
    stretches, means = list(days), []
    while stretches:
        means.append(float(np.mean([one.changed_gib for one in stretches])))
        longer = zip(stretches, days[len(means) :], strict=False)
        stretches = [union(pair) for pair in longer]
    if not means:
        raise ValueError("a union takes changes in cells of one size, at least one")
    return means


def _cell_bytes(cell_kib: float) -> int:
    cell_bytes = cell_kib * 1024
    if not (0 < cell_kib <= LARGEST_CELL_KIB and cell_bytes % 512 == 0):
        raise ValueError(
            f"cell_kib must be a multiple of 0.5 and <= {LARGEST_CELL_KIB}; "
            f"got {cell_kib:g}"
        )
    return int(cell_bytes)


def _size_bytes(size_gib: float | None) -> int | None:
    if size_gib is None:
        return None
    if not 1 / GIB <= size_gib <= 2**28:
        raise ValueError(f"size_gib must be > 0 and <= {2**28}; got {size_gib:g}")
    return round(size_gib * GIB)


def _sizes(writes: Writes | None) -> dict[str, float | int]:
    if writes is None:
        return {}
    if not writes.count:
        return {"writes": 0}
    return {
        "writes": writes.count,
        "write_kib": writes.size_bytes / writes.count / 1024,
        "small_writes_frac": writes.small / writes.count,
    }


def _is_csv(head: bytes) -> bool:
    """Say whether a text begins as CSV does, and not as ``blkparse`` prints."""
    line = head.partition(b"\n")[0].decode("utf-8", "replace")
    if EVENT.match(line):
        return False
    names = [name.strip().strip('"').lower() for name in line.split(",")]
    return "offset" in names or "op" in names or len(names) > 2


@contextmanager
def _opened(
    path: str | os.PathLike[str], findings: Findings, *, image: bool = False
) -> Iterator[BinaryIO]:
    """Open what tells of changes; an image may be a disk, and is read in any order."""
    try:
        if image:
            refuse_special(path, disk=True)
            file = open(path, "rb")  # noqa: SIM115
        else:
            file = opened(path)
    except (OSError, ValueError) as error:
        findings.unreadable(error)
    with file:
        yield file
