"""What a recovery point is good for, and which encrypted VMs can be backed up.

Both are tables in ``consistency.toml``, each row with its time and source.

Examples
--------
>>> point = consistency(os="windows", power="running", vss_succeeded=False)
>>> print(point.title, "-", point.why)
file-system consistent - VSS failed.
>>> encryption("BEK+KEK", managed=False).supported
True
"""

import datetime
from dataclasses import dataclass
from functools import cache

from vmbmodel._toml import packaged
from vmbmodel.fields import fields, misnamed

__all__ = ["Consistency", "Encryption", "consistency", "encryption", "encryptions"]


@dataclass(frozen=True)
class Consistency:
    """What a recovery point of a VM is good for."""

    level: str
    """``application``, ``file-system`` or ``crash``."""
    title: str
    """The level as it is called."""
    meaning: str
    """What recovering from such a point means."""
    why: str
    """What decided it."""
    extension: str
    """The backup extension of the VM, or why there is none."""
    source: str
    """Key of an entry of ``book/references.bib``."""
    locator: str


@dataclass(frozen=True)
class Encryption:
    """Whether VMs with some keys can be backed up, and who can read the copies."""

    keys: str
    """``none``, ``BEK``, ``BEK+KEK`` or ``customer-managed``."""
    managed: tuple[bool, ...]
    """Whether disks may be managed, unmanaged or either."""
    supported: bool
    readers: str
    """Who can read the data and the keys."""
    since: datetime.date
    """First day for which the source says so."""
    until: datetime.date | None
    """First day for which another row holds; None while this one does."""
    source: str
    """Key of an entry of ``book/references.bib``."""
    locator: str


def consistency(
    os: str,
    power: str,
    *,
    vss_succeeded: bool | None = None,
    scripts_present: bool | None = None,
    scripts_succeeded: bool | None = None,
    first_backup: bool = False,
    agentless: bool = False,
    as_of: datetime.date | None = None,
) -> Consistency:
    """Decide which consistency the recovery point of a VM has.

    Parameters
    ----------
    os : str
        ``windows`` or ``linux``.
    power : str
        ``running`` or ``stopped``, at the time of the snapshot.
    vss_succeeded : bool, optional
        Whether all VSS writers succeeded; needed for a Windows VM that runs.
    scripts_present : bool, optional
        Whether scripts before and after the snapshot are configured; needed
        for a Linux VM that runs.
    scripts_succeeded : bool, optional
        Whether they succeeded; needed if there are any.
    first_backup : bool
        Whether the VM has never been backed up, and so has no extension yet.
    agentless : bool
        Whether the policy asks for crash-consistent points without an agent,
        which the sources know since January 2026.
    as_of : datetime.date, optional
        Day of the backup; what is known last if not given.

    Returns
    -------
    Consistency
        The level, what it means, what decided it, and the source.

    Raises
    ------
    ValueError
        If a word is unknown, if something needed is not given, or if no source
        of that day says.

    Notes
    -----
    What makes no difference is ignored: VSS on Linux, scripts on Windows, and
    both for a VM that does not run. Since January 2026 the sources add that a
    point may come out crash-consistent after a snapshot had to be retried; that
    cannot be known before.

    Examples
    --------
    >>> print(consistency("linux", "stopped", first_backup=True).extension)
    still to be installed, by a backup that finds the VM running
    """
    for name, word in (("os", os), ("power", power)):
        if word not in fields()[name].choices:
            raise ValueError(
                f"{name} cannot be {misnamed(word, fields()[name].choices)}"
            )
    given = {
        "os": os,
        "power": power,
        "first_backup": first_backup,
        "vss_succeeded": vss_succeeded,
        "scripts_present": scripts_present,
        "scripts_succeeded": scripts_succeeded,
        "agentless": agentless,
    }
    table = _table()
    cases = [row for row in table["case"] if _covers(row, as_of)]
    if not cases:
        raise ValueError(f"no source says anything about consistency on {as_of}")
    if agentless and not any("agentless" in row["when"] for row in cases):
        raise ValueError(f"no source knows agentless backups on {as_of}")
    for row in cases:
        when = row["when"]
        if any(given[n] not in (v, None) for n, v in when.items()):
            continue
        unknown = [name for name in when if given[name] is None]
        if unknown:
            raise ValueError(f"{unknown[0]} must be true or false for this VM")
        return Consistency(
            level=row["level"],
            **table["level"][row["level"]],
            **{name: row[name] for name in ("why", "extension", "source", "locator")},
        )
    raise AssertionError(f"no case for {given}")


def encryptions(as_of: datetime.date | None = None) -> tuple[Encryption, ...]:
    """Return the table of supported encryption on a day, or what is known last.

    Examples
    --------
    >>> print(*(row.keys for row in encryptions(datetime.date(2018, 12, 11))))
    none BEK BEK+KEK
    """
    return tuple(
        Encryption(
            since=row["from"],
            until=row.get("until"),
            managed=tuple(row["managed"]),
            **{n: v for n, v in row.items() if n not in ("from", "until", "managed")},
        )
        for row in _table()["encryption"]
        if _covers(row, as_of)
    )


def encryption(
    keys: str, *, managed: bool, as_of: datetime.date | None = None
) -> Encryption:
    """Say whether a VM with some keys can be backed up.

    Parameters
    ----------
    keys : str
        ``none``, ``BEK``, ``BEK+KEK`` or ``customer-managed``.
    managed : bool
        Whether Azure manages its disks.
    as_of : datetime.date, optional
        Day to look at; what is known last if not given.

    Returns
    -------
    Encryption
        The row of the table.

    Raises
    ------
    ValueError
        If no source of that day says.

    Examples
    --------
    >>> encryption("BEK", managed=True, as_of=datetime.date(2018, 12, 11)).source
    'article2018'
    """
    rows = encryptions(as_of)
    for row in rows:
        if row.keys == keys and managed in row.managed:
            return row
    known = [row.keys for row in rows if managed in row.managed]
    disks = "managed" if managed else "unmanaged"
    raise ValueError(
        f"no source says anything on {disks} disks with keys {misnamed(keys, known)}"
    )


def _covers(row: dict, date: datetime.date | None) -> bool:
    if date is None:
        return "until" not in row
    return row["from"] <= date and ("until" not in row or date < row["until"])


@cache
def _table() -> dict:
    return packaged("vmbmodel.service", "consistency.toml")
