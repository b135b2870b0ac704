"""The disks of your VMs: read from CSV or Parquet, checked as a whole, written back.

`REQUIRED` and `OPTIONAL` name the columns; what each may hold is its row in
``fields.toml``. Nothing is filled in: a cell left blank stays missing, and
whoever computes with it says what was assumed instead.
"""

import functools
import hashlib
import io
import logging
import os
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pandas as pd

from vmbmodel._files import LARGEST_DATA, read_bounded, write_atomically
from vmbmodel.inventory.files import Cells, Findings, read_text
from vmbmodel.inventory.fleet.columns import COLUMNS, REQUIRED, positions
from vmbmodel.inventory.fleet.conversion import (
    converted,
    frame_of,
    without_blank_rows,
)
from vmbmodel.inventory.fleet.policies import Policies, read_policies, with_policies
from vmbmodel.inventory.fleet.rules import check_rows
from vmbmodel.inventory.fleet.tables import frame_cells, parquet_cells

__all__ = [
    "Located",
    "checked",
    "checked_cells",
    "disks_of",
    "read_fleet",
    "read_located",
    "sample_fleet",
    "to_bytes",
    "write",
]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Located:
    """An inventory, and where each of its rows stands in the file."""

    disks: pd.DataFrame
    rows: np.ndarray
    """Number of each row in the file."""
    counted: str
    """What that counts: ``line`` of a text file, its header being line 1, or ``row``
    from 1."""
    sha256: str
    """Digest of the bytes of the file."""


def disks_of(fleet: str | os.PathLike[str] | pd.DataFrame) -> pd.DataFrame:
    """Take a fleet as it comes, a file or a table in memory, and check it alike.

    Parameters
    ----------
    fleet : path-like or DataFrame
        A file that `read_fleet` takes, or a table that `checked` takes, which stays as
        it is.

    Returns
    -------
    pandas.DataFrame
        As `read_fleet` returns it.

    Raises
    ------
    TypeError
        If it is neither.
    InventoryError
        If anything is wrong with it.

    Examples
    --------
    >>> disk = dict(vm="web-01", disk="c", role="OS", size_gib=127, used_gib=31.5)
    >>> disks_of(pd.DataFrame([disk])).at[0, "role"]
    'os'
    >>> disks_of([disk])
    Traceback (most recent call last):
    TypeError: fleet must be a path or a DataFrame, a row a disk; got list
    """
    if isinstance(fleet, pd.DataFrame):
        return checked(fleet, "fleet")
    if isinstance(fleet, str | os.PathLike):
        return read_fleet(fleet)
    what = type(fleet).__name__
    raise TypeError(f"fleet must be a path or a DataFrame, a row a disk; got {what}")


def read_fleet(
    path: str | os.PathLike[str], policies: str | os.PathLike[str] | None = None
) -> pd.DataFrame:
    r"""Read an inventory: a row a disk.

    The content decides between Parquet and comma-separated text (UTF-8), not the
    name. Blanks around numbers, flags and choices are dropped and their case is
    ignored; names stand as they are. Rows with nothing in them are skipped.

    Parameters
    ----------
    path : path-like
        The file. It has the columns `REQUIRED` and any of `OPTIONAL`, in any order.
    policies : path-like, optional
        A table of policies, which says the rest of those that the inventory names: CSV
        with the columns `POLICY_COLUMNS`, or TOML with a table ``[[policy]]`` each. A
        cell of the inventory may say the same, or nothing.

    Returns
    -------
    pandas.DataFrame
        The columns `COLUMNS`: numbers as ``float64``, flags as ``boolean``, the
        rest as ``string``. A blank cell, and every cell of an absent column, is
        missing.

    Raises
    ------
    InventoryError
        If anything is wrong with the file. Lists all findings, except where a
        file cannot be taken apart at all: missing, no text, other separators.

    Notes
    -----
    As a spreadsheet writes it, cells may be parted by semicolons or tabs, numbers
    have a decimal comma or a unit, a start be a time of day and a heading name its
    unit; such readings are logged as warnings, as are columns that are not used. What
    may be read in two ways, such as 1,024, is refused.

    Beyond the range of each column: a VM and disk stand in one row; a VM has one
    OS disk; the vault, policy, start, first backup, operating system and
    redundancy of a VM are the same in all its rows, blanks aside; a disk uses no
    more than its size; an unmanaged disk names its storage account; a disk is new
    only on a VM backed up before; and two names that differ only by case or
    blanks are one name misspelt.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "fleet.csv")
    >>> lines = ["vm,disk,role,size_gib,used_gib", "web-01,c,os,127,31.5"]
    >>> _ = path.write_text("\n".join(lines))
    >>> fleet = read_fleet(path)
    >>> fleet[list(REQUIRED)]
           vm disk role  size_gib  used_gib
    0  web-01    c   os     127.0      31.5
    >>> fleet["churn_gib_per_day"].isna().all()
    np.True_
    """
    return read_located(path, policies).disks


def read_located(
    path: str | os.PathLike[str], policies: str | os.PathLike[str] | None = None
) -> Located:
    r"""Read an inventory as `read_fleet` does, and say where each row stands in it.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "fleet.csv")
    >>> lines = ["vm,disk,role,size_gib,used_gib", "", "web-01,c,os,127,31.5"]
    >>> _ = path.write_text("\n".join(lines))
    >>> located = read_located(path)
    >>> located.counted, located.rows.tolist()
    ('line', [3])
    """
    findings = Findings(os.fspath(path))
    data = _bytes(path, findings)
    cells = without_blank_rows(_taken_apart(data, findings))
    digest = hashlib.sha256(data).hexdigest()
    table = None if policies is None else read_policies(policies)
    disks = checked_cells(cells, table)
    _LOG.info("%s: %d disks, SHA-256 %s", findings.file, len(disks), digest)
    return Located(disks, cells.rows, findings.counted, digest)


def sample_fleet() -> pd.DataFrame:
    """Return the inventory that the examples of the book use.

    Returns
    -------
    pandas.DataFrame
        As `read_fleet` returns it.

    Examples
    --------
    >>> fleet = sample_fleet()
    >>> len(fleet), fleet["vm"].nunique()
    (116, 40)
    """
    with as_file(files("vmbmodel.inventory.fleet") / "sample.csv") as path:
        return read_fleet(path)


def write(
    frame: pd.DataFrame, path: str | os.PathLike[str], *, force: bool = False
) -> None:
    """Write an inventory that `read_fleet` gives back as it is.

    Optional columns with nothing in them are left out.

    Parameters
    ----------
    frame : pandas.DataFrame
        The columns `REQUIRED` and any of `OPTIONAL`, in any order.
    path : path-like
        The file, ending in ``.csv`` or ``.parquet``. It is written beside and
        renamed.
    force : bool
        Whether a file that exists is replaced.

    Raises
    ------
    InventoryError
        If `read_fleet` would refuse the file; rows count from 1.
    FileExistsError
        If the file exists and `force` is false.
    ValueError
        If the path ends otherwise.

    Examples
    --------
    >>> import tempfile
    >>> fleet = pd.DataFrame(
    ...     [["web-01", "c", "os", 127, 31.5]], columns=list(REQUIRED)
    ... )
    >>> path = Path(tempfile.mkdtemp(), "fleet.csv")
    >>> write(fleet, path)
    >>> print(path.read_text())
    vm,disk,role,size_gib,used_gib
    web-01,c,os,127.0,31.5
    <BLANKLINE>
    """
    write_atomically(path, to_bytes(frame, path), force=force)


def to_bytes(frame: pd.DataFrame, path: str | os.PathLike[str]) -> bytes:
    """Return what `write` would write to a path, after the same checks."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise ValueError(f"{os.fspath(path)} must end in .csv or .parquet")
    tidy = checked(frame, os.fspath(path))
    kept = [c for c in COLUMNS if c in REQUIRED or tidy[c].notna().any()]
    data = io.BytesIO()
    if suffix == ".csv":
        tidy[kept].to_csv(data, index=False, lineterminator="\n", encoding="utf-8")
    else:
        tidy[kept].to_parquet(data, index=False)
    return data.getvalue()


def checked(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Check a table as `read_fleet` checks a file, and give its columns their types.

    A cell counts as what a file of comma-separated text would hold, whatever type
    pandas has given it: ``NaN`` is a blank, 7 is a name of one digit.

    Parameters
    ----------
    frame : pandas.DataFrame
        The columns `REQUIRED` and any of `OPTIONAL`, in any order; some may stand
        in the index.
    name : str
        What messages call it.

    Returns
    -------
    pandas.DataFrame
        As `read_fleet` returns it.

    Raises
    ------
    InventoryError
        If `read_fleet` would refuse a file of that content; rows count from 1.

    Examples
    --------
    >>> from vmbmodel.inventory.fleet import InventoryError
    >>> disk = dict(vm="web-01", disk="c", role="os", size_gib=127, used_gib=128)
    >>> try:
    ...     checked(pd.DataFrame([disk]), "mine")
    ... except InventoryError as error:
    ...     print(error)
    mine: row 1: used_gib = 128.0: must be <= size_gib; size_gib is 127
    """
    findings = Findings(name, counted="row")
    return checked_cells(without_blank_rows(frame_cells(frame, findings)))


def _bytes(path: str | os.PathLike[str], findings: Findings) -> bytes:
    try:
        return read_bounded(path, LARGEST_DATA)
    except (OSError, ValueError) as error:
        findings.unreadable(error)


def _taken_apart(data: bytes, findings: Findings) -> Cells:
    if data.startswith(b"PAR1"):
        findings.counted = "row"
        return parquet_cells(data, findings)
    columns_of = functools.partial(positions, findings=findings)
    return read_text(data, findings, columns_of)


def checked_cells(cells: Cells, policies: Policies | None = None) -> pd.DataFrame:
    """Convert and check all cells, or raise everything found in the file."""
    columns = converted(cells)
    check_rows(columns, cells)
    cells.findings.refuse_if_any()
    disks = frame_of(columns)
    if policies is not None:
        disks = with_policies(disks, cells, policies)
        cells.findings.refuse_if_any()
        for remark in policies.remarks:
            _LOG.warning("%s: %s", policies.file, remark)
    for remark in cells.findings.remarks:
        _LOG.warning("%s: %s", cells.findings.file, remark)
    return disks
