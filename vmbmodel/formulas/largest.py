r"""The most that still meets a deadline: what the times of `transfer` allow.

Each is the inverse of one reading there, in closed form where it has one. The
deadline is that of the transfer alone: take waiting and the snapshot off first.
"""

import numpy as np

from vmbmodel._arrays import formula
from vmbmodel.formulas._kernels.bitmap import changed_by_writes
from vmbmodel.formulas._kernels.roots import root
from vmbmodel.formulas._kernels.stages import overlap, stages_h

__all__ = [
    "largest_churn_gib",
    "largest_compared_gib",
    "largest_dispersion",
    "largest_initial_gib",
    "largest_scan_gib",
    "smallest_write_kib",
]


@formula
def largest_initial_gib(deadline_h, initial_mib_s):
    r"""Largest disk whose first copy is done in time.

    .. math:: U = \frac{3600\, t\, v}{1024}

    See Also
    --------
    vmbmodel.formulas.transfer.initial_h : the inverse.

    Notes
    -----
    A best case, as that rate is.

    References
    ----------
    Microsoft (2018), "Disk considerations", :cite:`article2018`.

    Examples
    --------
    Of 24 hours, eight are spent in line; 160 Mbps are 19.07 MiB/s:

    >>> print(largest_initial_gib(24 - 8, initial_mib_s=160e6 / 8 / 2**20))
    1072.88
    """
    return _gib(deadline_h, initial_mib_s)


@formula
def largest_scan_gib(deadline_h, incremental_mib_s):
    r"""Largest disk that is read once in time, looking for changes.

    .. math:: U = \frac{3600\, t\, v}{1024}

    See Also
    --------
    vmbmodel.formulas.transfer.scan_h : the inverse.

    Notes
    -----
    For the reading of the incremental rate as one over "a disk of a given size".

    References
    ----------
    Microsoft (2018), "Disk considerations", :cite:`article2018`.

    Examples
    --------
    >>> print(largest_scan_gib(24 - 8, incremental_mib_s=57.22))
    3218.6
    """
    return _gib(deadline_h, incremental_mib_s)


@formula
def largest_compared_gib(deadline_h, changed_frac, incremental_mib_s, overlap_frac):
    r"""Largest disk whose changes are found by checksum, and sent, in time.

    .. math:: U = \frac{3600\, t\, v}{1024\, (1 + (1 - \omega) f)}

    See Also
    --------
    vmbmodel.formulas.transfer.checksum_compare_h : the inverse.

    Notes
    -----
    Reading is never the shorter stage: what is sent was read before.

    References
    ----------
    Microsoft (2018), "Factors affecting backup time", :cite:`article2018`.

    Examples
    --------
    >>> print(largest_compared_gib(16, 0.05, incremental_mib_s=57.22, overlap_frac=0))
    3065.4
    """
    return _gib(deadline_h, incremental_mib_s) / (1 + (1 - overlap_frac) * changed_frac)


@formula
def largest_churn_gib(
    deadline_h,
    used_gib,
    dispersion,
    active_frac,
    incremental_mib_s,
    blob_iops,
    cell_kib,
    block_kib,
    overlap_frac,
):
    r"""Most changed data of a disk that is backed up in time.

    .. math:: \Delta = \max \{x \le U:\; T(x) \le t\}

    with :math:`T` the time of `incremental_h`. Sending alone allows

    .. math:: \Delta \le v t, \qquad \Delta \le U\,
        \frac{2\kappa}{1 + \sqrt{1 - 4\kappa}}, \qquad
        \kappa = \frac{\iota\, t\, g}{\delta\, U} \le \frac{1}{4}

    Returns
    -------
    changed data as `incremental_h` takes it, `used_gib` at most; small writes fill
    it with less churn, see `smallest_write_kib`.

    See Also
    --------
    vmbmodel.formulas.transfer.incremental_h : the inverse.

    Notes
    -----
    Closed form wherever sending limits a pipelined backup. Where the reading of
    changed blocks does, or stages follow each other, there is none: the
    equation is then solved by Chandrupatla's steps inside a bracket, to
    1e-12 of the time.

    References
    ----------
    Chandrupatla (1997) for the steps, :cite:`chandrupatla1997`; the stages are
    those of Microsoft (2018), "Factors affecting backup time",
    :cite:`article2018`.

    Examples
    --------
    What half a TiB may have changed, in one run and at random, to be done in an
    hour:

    >>> rates = dict(incremental_mib_s=57.22, blob_iops=500, cell_kib=8,
    ...              block_kib=2048, overlap_frac=1, active_frac=1)
    >>> print(largest_churn_gib(1, 512, dispersion=0, **rates))
    201.16
    >>> print(largest_churn_gib(1, 512, dispersion=1, **rates))
    1.0
    """
    every_h = used_gib * 2**20 / cell_kib / blob_iops / 3600
    kappa = deadline_h / every_h / dispersion
    merging = 2 * kappa / (1 + np.sqrt(np.maximum(1 - 4 * kappa, 0)))
    sent = np.minimum(_gib(deadline_h, incremental_mib_s) / used_gib, 1)
    most = np.minimum(sent, np.where(kappa < 0.25, merging, 1))

    def excess(changed_frac, deadline_h, overlap_frac, *disk):
        read_h, bytes_h, requests_h = stages_h(changed_frac, *disk)
        send_h = np.maximum(bytes_h, requests_h)
        return overlap(overlap_frac, read_h, send_h) - deadline_h

    disk = used_gib, dispersion, active_frac, incremental_mib_s, blob_iops
    line = deadline_h, overlap_frac, *disk, cell_kib, block_kib
    return np.where(used_gib > 0, used_gib * _largest(excess, most, line), 0)


@formula
def largest_dispersion(
    deadline_h,
    used_gib,
    changed_gib,
    active_frac,
    incremental_mib_s,
    blob_iops,
    cell_kib,
    block_kib,
    overlap_frac,
):
    r"""How scattered the changes of a disk may be and still be backed up in time.

    .. math:: \delta = \max \{x \le 1:\; T(x) \le t\}

    with :math:`T` the time of `incremental_h`. Of pipelined stages, sending and
    reading allow

    .. math:: \delta \le \frac{\iota\, t\, g}{U f' (1 - f')}, \qquad
        \delta \le \frac{1 - f_\alpha}{f_\alpha (1 - f)}
        \left[1 - q^{1 / (r - 1)}\right], \qquad
        q = \frac{1 - v t / \alpha U}{1 - f_\alpha}

    in the symbols of `changed_blocks_frac` and `incremental_h`.

    Parameters
    ----------
    changed_gib : More than `used_gib` counts as all of it.

    Returns
    -------
    0 also where not even changes in one run are sent in time.

    See Also
    --------
    vmbmodel.formulas.transfer.incremental_h : the inverse.

    Notes
    -----
    Closed form for pipelined stages, :math:`\omega = 1`. For others, the
    equation is solved by Chandrupatla's steps between 0 and that value.

    References
    ----------
    Chandrupatla (1997) for the steps, :cite:`chandrupatla1997`; the stages are
    those of Microsoft (2018), "Factors affecting backup time",
    :cite:`article2018`.

    Examples
    --------
    Ten GiB of half a TiB, to be sent within a quarter of an hour:

    >>> print(largest_dispersion(0.25, 512, 10, 1, incremental_mib_s=57.22,
    ...                          blob_iops=500, cell_kib=8, block_kib=2048,
    ...                          overlap_frac=1))
    0.0168
    """
    changed_frac = np.minimum(changed_gib, used_gib) / used_gib
    every_h = used_gib * 2**20 / cell_kib / blob_iops / 3600
    apart = np.minimum(changed_frac, 0.5)
    requests = deadline_h / every_h / apart / (1 - apart)
    active = np.maximum(active_frac, changed_frac)
    inside = changed_frac / active
    read = _gib(deadline_h, incremental_mib_s) / used_gib / active
    more_cells = np.maximum(block_kib / cell_kib - 1, 0)
    redrawn = -np.expm1((np.log1p(-read) - np.log1p(-inside)) / more_cells)
    blocks = redrawn * (1 - inside) / inside / (1 - changed_frac)
    blocks = np.where(inside < 1, np.where(redrawn < inside, blocks, 1), 0)
    most = np.fmin(requests, np.where(read < 1, blocks, 1))

    def excess(dispersion, deadline_h, overlap_frac, changed_frac, used_gib, *disk):
        read_h, bytes_h, requests_h = stages_h(
            changed_frac, used_gib, dispersion, *disk
        )
        send_h = np.maximum(bytes_h, requests_h)
        return overlap(overlap_frac, read_h, send_h) - deadline_h

    disk = active_frac, incremental_mib_s, blob_iops, cell_kib, block_kib
    line = deadline_h, overlap_frac, changed_frac, used_gib, *disk
    found = _largest(excess, np.clip(most, 0, 1), line)
    return np.where(changed_frac > 0, found, 1)


@formula
def smallest_write_kib(
    churn_gib_per_day, used_gib, changed_gib, dispersion, active_frac, cell_kib
):
    r"""Smallest write with which a day's churn sends no more than a given amount.

    .. math:: w = \min \{x \le g:\; \Delta(x) \le \Delta\}

    with the :math:`\Delta(x)` of `vmbmodel.formulas.dispersion.changed_gib`.

    Parameters
    ----------
    churn_gib_per_day : what the applications change in a day, :math:`c`
    changed_gib : what may be sent of it, of `largest_churn_gib`, :math:`\Delta`

    Returns
    -------
    in [0, `cell_kib`]: 0 where any size will do, and ``inf`` where none does.

    See Also
    --------
    vmbmodel.formulas.dispersion.changed_gib : the inverse.

    Notes
    -----
    For writes aligned to their size, as there. Solved by Chandrupatla's steps;
    writes of less than a millionth of a cell count as any.

    References
    ----------
    Chandrupatla (1997) for the steps, :cite:`chandrupatla1997`; the advice to write
    at least 8 KB is Microsoft's (2018), "Factors affecting backup time",
    :cite:`article2018`.

    Examples
    --------
    Random writes to a disk of 100 GiB that may send twice what they wrote:

    >>> print(smallest_write_kib(5, 100, changed_gib=10, dispersion=1, active_frac=1,
    ...                          cell_kib=8))
    3.895
    """

    def excess(write_kib, allowed_gib, churn_gib, used_gib, *disk):
        return changed_by_writes(churn_gib, used_gib, write_kib, *disk) - allowed_gib

    any_kib = 1e-6 * cell_kib
    disk = dispersion, active_frac, cell_kib
    allowed_gib = changed_gib * (1 + 1e-12)  # what rounding adds is no change
    line = allowed_gib, churn_gib_per_day, used_gib, *disk
    too_small, too_much = (excess(w, *line) > 0 for w in (any_kib, cell_kib))
    otherwise = np.where(too_much, np.inf, 0)
    inside = too_small & ~too_much
    return root(excess, any_kib, cell_kib, *line, inside=inside, otherwise=otherwise)


def _gib(time_h, rate_mib_s):
    return time_h * 3600 * rate_mib_s / 1024


def _largest(excess, most, line):
    """Largest argument up to a bound that keeps the time; 0 if none does."""
    most, *line = np.broadcast_arrays(most, *line)
    late = excess(most, *line) > 0
    otherwise = np.where(late, 0, most)
    return root(excess, 0, most, *line, inside=late, otherwise=otherwise)
