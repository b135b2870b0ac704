r"""Nothing at the same time as anything else: the slow end of a transfer.

`vmbmodel.formulas.transfer` lets bytes flow while requests are answered. Here every
request waits for the one before, and sending for reading. What a service does is
not documented; it lies between the two ends.
"""

import numpy as np
from numpy.typing import ArrayLike

from vmbmodel._arrays import formula
from vmbmodel.formulas.transfer import stages_h

__all__ = ["effective_serial_mib_s", "incremental_serial_h"]


@formula
def effective_serial_mib_s(
    incremental_mib_s: ArrayLike, blob_iops: ArrayLike, extent_kib: ArrayLike
) -> ArrayLike:
    r"""Throughput that is left when every request waits for the one before.

    .. math:: V = \left(\frac{1}{v} + \frac{1024}{\iota\, \ell}\right)^{-1}

    Parameters
    ----------
    incremental_mib_s : array_like of float
        Throughput for changes in one run, :math:`v > 0`. [MiB/s]
    blob_iops : array_like of float
        Empty requests a second, each sent when the last is answered,
        :math:`\iota > 0`. [1/s]
    extent_kib : array_like of float
        Mean length of an extent, :math:`\ell > 0`; may be ``inf``. [KiB]

    Returns
    -------
    array_like of float
        No more than `effective_mib_s`, and no less than half of it, of the
        broadcast shape of the arguments. [MiB/s]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    vmbmodel.formulas.dispersion.effective_mib_s : requests that overlap.

    Notes
    -----
    A start-up time of :math:`1/\iota` before every extent: 500 requests a second
    are 2 ms. Which end a service is nearer to is not documented.

    References
    ----------
    Hockney and Jesshope (1988), :cite:`hockney1988`; that throughput drops is
    Microsoft's (2018), "Disk considerations", :cite:`article2018`.

    Examples
    --------
    Extents of 80 KiB, 2 ms before each of them:

    >>> print(effective_serial_mib_s(76.3, blob_iops=500, extent_kib=80))
    25.83
    """
    send, start = 1 / incremental_mib_s, 1024 / (blob_iops * extent_kib)
    longer, shorter = np.maximum(send, start), np.minimum(send, start)
    return 1 / longer / (1 + shorter / longer)


@formula
def incremental_serial_h(
    used_gib: ArrayLike,
    changed_gib: ArrayLike,
    dispersion: ArrayLike,
    active_frac: ArrayLike,
    incremental_mib_s: ArrayLike,
    blob_iops: ArrayLike,
    cell_kib: ArrayLike,
    block_kib: ArrayLike,
) -> ArrayLike:
    r"""Time of an incremental backup that does one thing after the other.

    .. math:: T = \frac{U \beta}{v} + \frac{\Delta}{v} + \frac{R}{\iota}

    with the share :math:`\beta` of blocks read and the extents :math:`R` of
    `incremental_h`.

    Parameters
    ----------
    used_gib : array_like of float
        Data on the disk, :math:`U \ge 0`. [GiB]
    changed_gib : array_like of float
        Data changed since the last backup, :math:`\Delta \ge 0`; more than
        `used_gib` counts as all of it. [GiB]
    dispersion : array_like of float
        Dispersion index :math:`\delta` in [0, 1]. [-]
    active_frac : array_like of float
        Share of the used data inside which all changes fall, in (0, 1]. [-]
    incremental_mib_s : array_like of float
        Rate of reading and of sending, :math:`v > 0`. [MiB/s]
    blob_iops : array_like of float
        Empty requests a second, each sent when the last is answered,
        :math:`\iota > 0`. [1/s]
    cell_kib : array_like of float
        Smallest piece that is sent, :math:`g > 0`. [KiB]
    block_kib : array_like of float
        Block in which a change is detected, :math:`b > 0`; one smaller than
        a cell counts as a cell. [KiB]

    Returns
    -------
    array_like of float
        Of the broadcast shape of the arguments; at most three times what
        `incremental_h` gives with full overlap. [h]

    Raises
    ------
    ValueError
        If an argument lies outside its range above, or is NaN.

    See Also
    --------
    vmbmodel.formulas.transfer.incremental_h : the other end, and what lies between.

    Notes
    -----
    The reading of changed blocks, and the changed data at the rate of
    `effective_serial_mib_s`, added up. What limits the pipelined time limits this
    one; the rest is its price for taking turns.

    References
    ----------
    Microsoft (2018), "Factors affecting backup time", :cite:`article2018`;
    start-up times as in Hockney and Jesshope (1988), :cite:`hockney1988`.

    Examples
    --------
    Ten GiB of changes at random on half a TiB, 2.53 h pipelined:

    >>> print(incremental_serial_h(512, 10, dispersion=1, active_frac=1,
    ...     incremental_mib_s=57.22, blob_iops=500, cell_kib=8, block_kib=2048))
    3.293
    """
    changed_frac = np.where(used_gib > 0, np.minimum(changed_gib / used_gib, 1), 0)
    return sum(
        stages_h(
            changed_frac,
            used_gib,
            dispersion,
            active_frac,
            incremental_mib_s,
            blob_iops,
            cell_kib,
            block_kib,
        )
    )
