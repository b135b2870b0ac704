r"""Moving the data of one disk: size over rate, and what has to be read first.

The service documents two best-case rates, one for the first copy and one for
increments, and a limit on what a single blob gives. Which bytes a rate
multiplies is not documented; each reading is a function of its own.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.stages import hours, overlap, stages_h

__all__ = [
    "checksum_compare_h",
    "incremental_best_h",
    "incremental_h",
    "initial_h",
    "new_disk_h",
    "scan_h",
]

_TINY = np.finfo(float).tiny


@formula
def initial_h(used_gib, initial_mib_s):
    r"""Time to copy everything on a disk to the vault, the first time.

    .. math:: T = \frac{1024\, U}{3600\, v}

    Notes
    -----
    A best case: the rate is documented as one, and nothing else competes.

    References
    ----------
    Microsoft (2018), "Disk considerations", :cite:`article2018`.

    Examples
    --------
    A full disk of 4,095 GiB at 160 Mbps, which are 19.07 MiB/s:

    >>> print(initial_h(4095, initial_mib_s=160e6 / 8 / 2**20))
    61.07
    """
    return hours(used_gib, initial_mib_s)


@formula
def incremental_best_h(changed_gib, incremental_mib_s):
    r"""Time of an incremental backup at best: only the changes move, in one run.

    .. math:: T = \frac{1024\, \Delta}{3600\, v}

    See Also
    --------
    scan_h : the same rate read as one over all used data.
    incremental_h : what becomes of it when the changes are scattered.

    Notes
    -----
    A lower bound of `incremental_h`, reached at a dispersion index of 0.

    References
    ----------
    Microsoft (2018), "Disk considerations", :cite:`article2018`.

    Examples
    --------
    >>> print(incremental_best_h(10, incremental_mib_s=57.22))
    0.04971
    """
    return hours(changed_gib, incremental_mib_s)


@formula
def scan_h(used_gib, incremental_mib_s):
    r"""Time to read all used data of a disk once, looking for changes.

    .. math:: T = \frac{1024\, U}{3600\, v}

    Notes
    -----
    The other reading of the documented incremental rate: a rate over "a disk of
    a given size", whatever has changed on it.

    References
    ----------
    Microsoft (2018), "Disk considerations", :cite:`article2018`.

    Examples
    --------
    >>> print(scan_h(1024, incremental_mib_s=57.22))
    5.090
    """
    return hours(used_gib, incremental_mib_s)


@formula
def checksum_compare_h(used_gib, changed_gib, incremental_mib_s, overlap_frac):
    r"""Time of a backup that finds the changes by comparing checksums of all data.

    .. math:: T = \omega \max(t_1, t_2) + (1 - \omega)(t_1 + t_2), \qquad
        t_1 = \frac{1024\, U}{3600\, v}, \quad t_2 = \frac{1024\, \Delta}{3600\, v}

    Notes
    -----
    The consistency-check mode of disks over 1 TB. Whether the stages overlap is
    not documented: both ends are given.

    References
    ----------
    Microsoft (2018), "Factors affecting backup time", :cite:`article2018`.

    Examples
    --------
    >>> print(checksum_compare_h(2048, 20, incremental_mib_s=57.22, overlap_frac=1))
    10.18
    """
    return overlap(
        overlap_frac,
        hours(used_gib, incremental_mib_s),
        hours(changed_gib, incremental_mib_s),
    )


@formula
def incremental_h(
    used_gib,
    changed_gib,
    dispersion,
    active_frac,
    incremental_mib_s,
    blob_iops,
    cell_kib,
    block_kib,
    overlap_frac,
    request_overlap_frac=1,
):
    r"""Time of an incremental backup whose changes are scattered over the disk.

    .. math::

        T = \omega \max(t_1, t_2) + (1 - \omega)(t_1 + t_2), \qquad
        t_1 = \frac{U \beta}{v}, \qquad
        t_2 = \psi \max(t_b, t_r) + (1 - \psi)(t_b + t_r), \\
        t_b = \frac{\Delta}{v}, \quad t_r = \frac{R}{\iota}, \qquad
        R = \frac{U}{g}\, \delta\, f' (1 - f')

    with the changed share :math:`f = \Delta/U`, :math:`f' = \min(f, 1/2)`, the share of
    blocks touched :math:`\beta` of `changed_blocks_frac`, and :math:`R` extents to
    send.

    Parameters
    ----------
    changed_gib : More than `used_gib` counts as all of it.
    block_kib : One smaller than a cell counts as a cell.

    Returns
    -------
    equal to `incremental_best_h` at a dispersion of 0 with full overlap.

    Notes
    -----
    First every changed block is read to find its changed cells, then the runs
    of changed cells are sent, one request each; that runs merge where more than half
    of the disk changed is not counted on. Block and cell sizes and both
    overlaps are assumed, never documented; calibrate them with your own jobs.
    A service that does one thing after the other has neither overlap. It takes
    at most three times as long as one that has both: what limits the pipelined
    time limits this one too, and the rest is its price for taking turns.
    One index cannot describe changes clustered on several scales: block counts
    come out too high then, and the time with them.

    References
    ----------
    Microsoft (2018), "Factors affecting backup time", :cite:`article2018`;
    stages in series or pipelined as in Hockney and Jesshope (1988),
    :cite:`hockney1988`.

    Examples
    --------
    Ten GiB of changes on half a TiB: in one run, then at random.

    >>> rates = dict(incremental_mib_s=57.22, blob_iops=500, cell_kib=8,
    ...              block_kib=2048, overlap_frac=1, active_frac=1)
    >>> print(incremental_h(512, 10, dispersion=0, **rates))
    0.0497
    >>> print(incremental_h(512, 10, dispersion=1, **rates))
    2.53

    The latter by a service that does one thing after the other:

    >>> turns = rates | dict(overlap_frac=0, request_overlap_frac=0)
    >>> print(incremental_h(512, 10, dispersion=1, **turns))
    3.293
    """
    changed_frac = np.minimum(changed_gib, used_gib) / np.maximum(used_gib, _TINY)
    read_h, bytes_h, requests_h = stages_h(
        changed_frac,
        used_gib,
        dispersion,
        active_frac,
        incremental_mib_s,
        blob_iops,
        cell_kib,
        block_kib,
    )
    send_h = overlap(request_overlap_frac, bytes_h, requests_h)
    return overlap(overlap_frac, read_h, send_h)


@formula
def new_disk_h(new_gib, initial_mib_s, others_h):
    r"""Time of a backup that meets a new disk on a VM already protected.

    .. math:: T = \max\left(\frac{1024\, U}{3600\, v},\; T_\text{others}\right)

    Parameters
    ----------
    others_h : They stay incremental.

    Notes
    -----
    Disks are copied in parallel, and the backup is done when the last one is.
    Valid while the disks do not slow each other down; where they share a
    storage account, use `completion_h`.

    References
    ----------
    Microsoft (2018), "Factors affecting backup time", :cite:`article2018`.

    Examples
    --------
    A new disk with 2 TiB on it, beside disks that need a quarter of an hour:

    >>> print(new_disk_h(2048, initial_mib_s=19.07, others_h=0.25))
    30.55
    """
    return np.maximum(hours(new_gib, initial_mib_s), others_h)
